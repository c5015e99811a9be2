/*
 * import.c - contactctl import: seed the store from old mail
 *
 * A first pass lists the messages with their dates, a second goes through them
 * oldest first, so that what a person wrote last is what counts. What is done
 * is noted in a journal beside the spool: an import that was interrupted goes
 * on where it stopped. Trust is judged by the sync, as for live mail, by the
 * Authentication-Results that the stored mail bears; the end tells what it will
 * refuse or hold.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "ctl/forecast.h"
#include "ctl/mail_source.h"
#include "ctl/table.h"

enum {
    PROGRESS_US = 200000, /* between two drawings of the bar */
    PLAIN_US = 10000000,  /* between two plain lines */
    APPEND_WAIT_MS = 10000,
    HEADER_BYTES = 64 * 1024, /* what the first pass reads of a message */
    BATCH = 100, /* messages that reach the disk together: a sync costs */
};

/* A message that the first pass found. */
typedef struct {
    const char *path; /* interned in Import.paths */
    size_t offset, len;
    int64_t date;
    uint64_t mark; /* names the message in the journal */
} Entry;

typedef struct {
    Analyzer *analyzer;
    MessageLimits limits;
    ObservePolicy policy;
    Spool *spool; /* NULL: dry run */
    FILE *journal;
    GPtrArray *batch; /* observations that are not in the spool yet */
    GString *marks;   /* journal lines of their messages, and of others */
    unsigned batched; /* messages */
    int64_t since;
    GStringChunk *paths;
    GArray *entries;
    GHashTable *done;    /* marks of the journal */
    GHashTable *people;  /* addresses that would be contacts */
    GHashTable *ignored; /* reason -> count */
    Forecast *forecast;
    guint skipped, messages, bounces, unsubscribes, unsure, sent, unreadable;
    bool again; /* what the journal has, too */
    bool failed;
} Import;

static volatile sig_atomic_t interrupted;

static void
on_interrupt(int number)
{
    (void) number;
    interrupted = 1;
}

/* --- the journal -------------------------------------------------------- */

/* FNV-1a over what tells one stored message from another. */
static uint64_t
message_mark(const StoredMail *mail)
{
    uint64_t mark = UINT64_C(14695981039346656037);
    size_t len = MIN(mail->len, HEADER_BYTES);
    for (size_t i = 0; i < len; i++)
        mark =
            (mark ^ (unsigned char) mail->bytes[i]) * UINT64_C(1099511628211);
    return (mark ^ mail->len) * UINT64_C(1099511628211);
}

static char *
journal_path(const Settings *settings)
{
    g_autofree char *folder = g_path_get_dirname(settings->store.spool);
    return g_build_filename(folder, "import.journal", NULL);
}

static bool
journal_open(Import *import, const char *path)
{
    import->journal = fopen(path, "a+e");
    if (import->journal == NULL) {
        ctl_error("%s: %s", path, g_strerror(errno));
        return false;
    }
    rewind(import->journal);
    char line[64];
    while (!import->again &&
           fgets(line, sizeof line, import->journal) != NULL) {
        uint64_t *mark = g_new(uint64_t, 1);
        *mark = g_ascii_strtoull(line, NULL, 16);
        (void) g_hash_table_add(import->done, mark);
    }
    return true;
}

/* --- the first pass ----------------------------------------------------- */

static bool
list_one(const StoredMail *mail, void *data)
{
    Import *import = data;
    MessageLimits limits = message_limits_default;
    limits.max_bytes = HEADER_BYTES;
    Entry entry = { .path =
                        g_string_chunk_insert_const(import->paths, mail->path),
                    .offset = mail->offset,
                    .len = mail->len,
                    .mark = message_mark(mail) };
    g_autoptr(Message) message = message_parse(mail->bytes, mail->len, &limits);
    entry.date = message_date(message);
    if (entry.date < import->since ||
        g_hash_table_contains(import->done, &entry.mark))
        import->skipped++;
    else
        g_array_append_val(import->entries, entry);
    return !interrupted;
}

static int
by_date(gconstpointer a, gconstpointer b)
{
    const Entry *x = a;
    const Entry *y = b;
    return x->date < y->date ? -1 : x->date > y->date;
}

/* --- the second pass ---------------------------------------------------- */

static char *
read_entry(const Entry *entry)
{
    int fd = open(entry->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    char *bytes = g_malloc(entry->len + 1);
    ssize_t got = pread(fd, bytes, entry->len, (off_t) entry->offset);
    (void) close(fd);
    if (got != (ssize_t) entry->len)
        g_clear_pointer(&bytes, g_free);
    return bytes;
}

static void
count_findings(Import *import, const Analysis *analysis,
               const GPtrArray *observations)
{
    for (guint i = 0; i < observations->len; i++) {
        const Observation *o = g_ptr_array_index(observations, i);
        forecast_add(import->forecast, o);
        switch (o->kind) {
        case OBSERVATION_CONTACT:
            (void) g_hash_table_add(import->people, g_strdup(o->email));
            break;
        case OBSERVATION_BOUNCE:
            import->bounces++;
            break;
        case OBSERVATION_UNSUBSCRIBE:
            if (o->unsure)
                import->unsure++;
            else
                import->unsubscribes++;
            break;
        case OBSERVATION_SENT:
            import->sent++;
            break;
        }
    }
    if (observations->len == 0) {
        const char *reason = *analysis->reason ? analysis->reason : "policy";
        guint count =
            GPOINTER_TO_UINT(g_hash_table_lookup(import->ignored, reason));
        g_hash_table_insert(import->ignored, (gpointer) reason,
                            GUINT_TO_POINTER(count + 1));
    }
}

/* Observations first: a message that is done twice does no harm. False when the
 * disk does not take them: the import stops and may go on later. */
static bool
flush_batch(Import *import)
{
    import->batched = 0;
    if (import->batch->len > 0 &&
        spool_append(import->spool, import->batch, APPEND_WAIT_MS) !=
            SPOOL_STORED) {
        ctl_error("the spool does not take what was found; stopping");
        return false;
    }
    if (import->marks->len > 0 &&
        (fputs(import->marks->str, import->journal) < 0 ||
         fflush(import->journal) != 0)) {
        ctl_error("the journal cannot be written: %s", g_strerror(errno));
        return false;
    }
    g_ptr_array_set_size(import->batch, 0);
    g_string_truncate(import->marks, 0);
    return true;
}

static bool
import_entry(Import *import, const Entry *entry)
{
    g_autofree char *bytes = read_entry(entry);
    if (bytes == NULL) {
        import->unreadable++;
        return true;
    }
    g_autoptr(Message) message =
        message_parse(bytes, entry->len, &import->limits);
    g_autoptr(Envelope) envelope = envelope_from_message(message);
    envelope->time = entry->date > 0 ? entry->date : (int64_t) time(NULL);
    g_autoptr(Analysis) analysis =
        analyzer_run(import->analyzer, message, envelope);
    g_autoptr(GPtrArray) observations =
        observe(analysis, message, envelope, &import->policy);
    import->messages++;
    count_findings(import, analysis, observations);
    if (import->spool == NULL)
        return true;
    g_ptr_array_extend_and_steal(import->batch, g_steal_pointer(&observations));
    g_string_append_printf(import->marks, "%016" G_GINT64_MODIFIER "x\n",
                           entry->mark);
    return ++import->batched < BATCH || flush_batch(import);
}

static void
draw_progress(guint done, guint all, int64_t started, int64_t now, bool bar)
{
    double seconds = (double) (now - started) / 1e6;
    double rate = seconds > 0 ? done / seconds : 0;
    unsigned left = rate > 0 ? (unsigned) ((all - done) / rate) : 0;
    unsigned percent = all > 0 ? done * 100 / all : 100;
    if (!bar) {
        fprintf(stderr, "%u of %u messages (%u %%), %.0f/s, %u s left\n", done,
                all, percent, rate, left);
        return;
    }
    char line[128];
    int len = g_snprintf(line, sizeof line,
                         " %3u %% %u/%u %.0f/s ETA %u:%02u:%02u", percent, done,
                         all, rate, left / 3600, left / 60 % 60, left % 60);
    unsigned width = terminal_width(stderr);
    unsigned room = width > (unsigned) len + 4 ? width - (unsigned) len - 3 : 0;
    unsigned full = all > 0 ? (unsigned) ((guint64) room * done / all) : room;
    fputs("\r[", stderr);
    for (unsigned i = 0; i < room; i++)
        (void) fputc(i < full ? '#' : '.', stderr);
    fprintf(stderr, "]%s", line);
}

static void
import_entries(Import *import)
{
    bool bar = terminal_width(stderr) > 0;
    int64_t started = g_get_monotonic_time();
    int64_t drawn = started;
    guint all = import->entries->len;
    for (guint i = 0; i < all && !interrupted && !import->failed; i++) {
        import->failed =
            !import_entry(import, &g_array_index(import->entries, Entry, i));
        int64_t now = g_get_monotonic_time();
        if (now - drawn > (bar ? PROGRESS_US : PLAIN_US)) {
            draw_progress(i + 1, all, started, now, bar);
            drawn = now;
        }
    }
    if (import->spool != NULL && !import->failed)
        import->failed = !flush_batch(import);
    if (bar && all > 0) {
        draw_progress(import->messages + import->unreadable, all, started,
                      g_get_monotonic_time(), bar);
        (void) fputc('\n', stderr);
    }
}

/* --- the end ------------------------------------------------------------ */

static void
summary_row(Table *table, const char *label, guint count)
{
    g_autofree char *number = g_strdup_printf("%u", count);
    const char *const cells[] = { label, number };
    table_add(table, cells);
}

static void
forecast_row(const char *label, guint count, void *data)
{
    summary_row(data, label, count);
}

static void
print_summary_json(const Import *import)
{
    json_t *ignored = json_object();
    GHashTableIter iter;
    gpointer reason, count;
    g_hash_table_iter_init(&iter, import->ignored);
    while (g_hash_table_iter_next(&iter, &reason, &count))
        (void) json_object_set_new(ignored, reason,
                                   json_integer(GPOINTER_TO_UINT(count)));
    ctl_json(json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:b}", "messages",
        (json_int_t) import->messages, "skipped", (json_int_t) import->skipped,
        "unreadable", (json_int_t) import->unreadable, "people",
        (json_int_t) g_hash_table_size(import->people), "bounces",
        (json_int_t) import->bounces, "unsubscribes",
        (json_int_t) import->unsubscribes, "unsure",
        (json_int_t) import->unsure, "sent", (json_int_t) import->sent,
        "ignored", ignored, "not_taken", forecast_json(import->forecast),
        "interrupted", interrupted != 0));
}

static void
print_summary(const Import *import)
{
    static const char *const headings[] = { "FOUND", "COUNT", NULL };
    Table *table = table_new(headings);
    summary_row(table, "messages read", import->messages);
    summary_row(table,
                "messages skipped (done before: see --again; or too old)",
                import->skipped);
    if (import->unreadable > 0)
        summary_row(table, "messages that could not be read",
                    import->unreadable);
    summary_row(table, "people", g_hash_table_size(import->people));
    summary_row(table, "bounces", import->bounces);
    summary_row(table, "requests to be unsubscribed", import->unsubscribes);
    summary_row(table, "probable requests (held for a person)", import->unsure);
    if (import->sent > 0)
        summary_row(table, "messages of our own", import->sent);
    forecast_rows(import->forecast, forecast_row, table);

    g_autoptr(GList) reasons = g_list_sort(
        g_hash_table_get_keys(import->ignored), (GCompareFunc) g_strcmp0);
    for (GList *at = reasons; at != NULL; at = at->next) {
        g_autofree char *label =
            g_strdup_printf("ignored: %s", (const char *) at->data);
        summary_row(
            table, label,
            GPOINTER_TO_UINT(g_hash_table_lookup(import->ignored, at->data)));
    }
    table_print(table, stdout);
    table_free(table);
}

/* "2024-03-01" or a whole ISO 8601 time; -1 for anything else. */
static int64_t
parse_date(const char *text)
{
    g_autoptr(GTimeZone) zone = g_time_zone_new_local();
    g_autofree char *midnight =
        strlen(text) == 10 ? g_strdup_printf("%sT00:00:00", text) : NULL;
    g_autoptr(GDateTime) time =
        g_date_time_new_from_iso8601(midnight ? midnight : text, zone);
    return time != NULL ? g_date_time_to_unix(time) : -1;
}

int
ctl_import(Ctl *ctl, int argc, char **argv)
{
    g_autofree char *since = NULL;
    gboolean dry_run = FALSE;
    gboolean again = FALSE;
    gboolean json = FALSE;
    int status;
    const GOptionEntry entries[] = {
        { "since", 0, 0, G_OPTION_ARG_STRING, &since,
          "Only mail from this day on", "YYYY-MM-DD" },
        { "dry-run", 0, 0, G_OPTION_ARG_NONE, &dry_run,
          "Say what would be found, keep nothing", NULL },
        { "again", 0, 0, G_OPTION_ARG_NONE, &again,
          "Read also what an import read before", NULL },
        CTL_JSON_OPTION(&json),
        G_OPTION_ENTRY_NULL
    };
    if (!ctl_options(entries, "PATH... - seed the store from old mail", &argc,
                     &argv, &status))
        return status;
    if (argc < 2) {
        ctl_error("import needs Maildirs, mboxes or message files");
        return EX_USAGE;
    }
    Import import = { .limits = message_limits_default, .again = again };
    if (since != NULL && (import.since = parse_date(since)) < 0) {
        ctl_error("--since %s: write a day as YYYY-MM-DD", since);
        return EX_USAGE;
    }
    g_autoptr(Settings) settings = ctl_settings(ctl, ROLE_MTA);
    if (settings == NULL)
        return EX_CONFIG;
    g_autoptr(Analyzer) analyzer = ctl_analyzer(settings);
    if (analyzer == NULL)
        return EX_CONFIG;
    g_autoptr(Spool) spool = NULL;
    if (!dry_run && (spool = ctl_spool(settings)) == NULL)
        return EX_UNAVAILABLE;

    import.analyzer = analyzer;
    import.limits.max_bytes = (size_t) settings->mta.capture_limit;
    ctl_observe_policy(settings, &import.policy);
    import.policy.stored = true;
    import.spool = spool;
    import.forecast = forecast_new(settings);
    import.paths = g_string_chunk_new(4096);
    import.batch =
        g_ptr_array_new_with_free_func((GDestroyNotify) observation_free);
    import.marks = g_string_new(NULL);
    import.entries = g_array_new(FALSE, FALSE, sizeof(Entry));
    import.done =
        g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    import.people =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    import.ignored = g_hash_table_new(g_str_hash, g_str_equal);
    g_autofree char *journal = journal_path(settings);
    status = 0;
    if (!dry_run && !journal_open(&import, journal))
        status = EX_CANTCREAT;

    struct sigaction action = { .sa_handler = on_interrupt };
    (void) sigaction(SIGINT, &action, NULL);
    (void) sigaction(SIGTERM, &action, NULL);
    for (int i = 1; i < argc && status == 0 && !interrupted; i++) {
        g_autoptr(GError) problem = NULL;
        if (!mail_source_visit(argv[i], list_one, &import, &problem)) {
            ctl_error("%s", problem->message);
            status = EX_NOINPUT;
        }
    }
    if (status == 0 || import.entries->len > 0) {
        g_array_sort(import.entries, by_date);
        import_entries(&import);
        if (json)
            print_summary_json(&import);
        else
            print_summary(&import);
    }
    if (interrupted)
        ctl_error(again ? "interrupted; without --again the command goes on "
                          "with what was never read"
                        : "interrupted; the same command goes on from here");
    if (import.failed)
        status = EX_TEMPFAIL;
    if (import.journal != NULL && fclose(import.journal) != 0) {
        ctl_error("%s: %s", journal, g_strerror(errno));
        status = EX_IOERR;
    }
    g_string_chunk_free(import.paths);
    g_array_unref(import.entries);
    g_ptr_array_unref(import.batch);
    (void) g_string_free(import.marks, TRUE);
    g_hash_table_unref(import.done);
    g_hash_table_unref(import.people);
    g_hash_table_unref(import.ignored);
    forecast_free(import.forecast);
    return interrupted && status == 0 ? 130 : status;
}
