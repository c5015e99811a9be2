/*
 * bench_store.c - figures of the spool and of grown contacts stores
 *
 *     tests/store/bench_store spool [SECONDS]
 *     tests/store/bench_store sqlite|postgresql [CONTACTS]
 *
 * spool: rows per second on this disk with 1, 8 and 64 sessions, and what one
 * append takes. The others: fills a store with contacts as they are after the
 * CRM has confirmed them, and at each tenfold size prints the size per contact
 * and the time of a claim, a confirm and a merge, which must not grow. In
 * PostgreSQL those beyond the first COPY_FROM are copies of the first under
 * other addresses, in random order, or 10,000,000 would take hours; EXPLAIN
 * tells how many pages a claim and a look at 500 addresses touch. 10,000,000
 * take 20 GB of disk for a quarter of an hour.
 */
#include "config.h"

#include "store/spool.h"
#include "store/store_internal.h"

#include "pgserver.h"

#include <glib/gstdio.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The first one of pg_server_schema(). */
#define SCHEMA "t1"

enum { BATCH = 500, NOW = 1700000000, COPY_FROM = 100000 };

static double
seconds_since(gint64 start)
{
    return (double) (g_get_monotonic_time() - start) / 1e6;
}

static double
resident_mb(void)
{
    g_autofree char *text = NULL;
    if (!g_file_get_contents("/proc/self/statm", &text, NULL, NULL))
        return 0;
    const char *second = strchr(text, ' ');
    return (double) g_ascii_strtoll(second != NULL ? second : "0", NULL, 10) *
           (double) sysconf(_SC_PAGESIZE) / 1e6;
}

static void
add_phone(Contact *contact, PhoneType type, const char *number)
{
    Phone phone = { .type = type };
    field_set(&phone.number, number, number, 0.9);
    g_array_append_val(contact->phones, phone);
}

/* A signature as people have it. */
static Observation *
person(int64_t n, const char *title)
{
    g_autofree char *email = g_strdup_printf(
        "first.last%" G_GINT64_FORMAT "@company%" G_GINT64_FORMAT ".example",
        (gint64) n, (gint64) (n % 5000));
    Observation *o = observation_new(OBSERVATION_CONTACT, email);
    if (o->contact == NULL)
        o->contact = contact_new(email);
    Contact *c = o->contact;
    field_set(&c->first_name, "Alexandra", "Alexandra Example", 0.95);
    field_set(&c->last_name, "Example", "Alexandra Example", 0.95);
    field_set(&c->job_title, title, title, 0.9);
    field_set(&c->company, "Example Conferences Pty Ltd",
              "Example Conferences Pty Ltd", 0.9);
    field_set(&c->website, "https://www.company.example/",
              "www.company.example", 0.9);
    field_set(&c->address, "Level 3, 12 Example Street, Perth WA 6000",
              "Level 3, 12 Example Street, Perth WA 6000", 0.8);
    c->address_parts.line1 = g_strdup("Level 3, 12 Example Street");
    c->address_parts.city = g_strdup("Perth");
    c->address_parts.state = g_strdup("WA");
    c->address_parts.postal_code = g_strdup("6000");
    c->address_parts.country = g_strdup("AU");
    add_phone(c, PHONE_WORK, "+61812345678");
    add_phone(c, PHONE_MOBILE, "+61400000000");
    c->name_source = "signature";
    o->time = NOW + n;
    o->message_id =
        g_strdup_printf("m%" G_GINT64_FORMAT "@company.example", (gint64) n);
    o->client_addr = g_strdup("192.0.2.1");
    o->helo = g_strdup("mail.company.example");
    o->mail_from = g_strdup(email);
    g_ptr_array_add(o->authors, g_strdup(email));
    g_ptr_array_add(o->recipients, g_strdup("events@example.org"));
    return o;
}

/* --- the spool -------------------------------------------------------------- */

typedef struct {
    Spool *spool;
    atomic_bool *stop;
    GArray *times; /* of double, ms */
} Session;

static void *
session_main(void *data)
{
    Session *session = data;
    g_autoptr(GPtrArray) list =
        g_ptr_array_new_with_free_func((GDestroyNotify) observation_free);
    g_ptr_array_add(list, person(1, "Manager"));
    while (!atomic_load(session->stop)) {
        gint64 start = g_get_monotonic_time();
        if (spool_append(session->spool, list, 10000) != SPOOL_STORED)
            (void) fprintf(stderr, "not stored\n");
        double ms = seconds_since(start) * 1e3;
        g_array_append_val(session->times, ms);
    }
    return NULL;
}

static int
compare_doubles(const void *a, const void *b)
{
    double x = *(const double *) a, y = *(const double *) b;
    return (x > y) - (x < y);
}

static void
remove_database(const char *path)
{
    static const char *const suffixes[] = { "", "-wal", "-shm" };
    for (size_t i = 0; i < G_N_ELEMENTS(suffixes); i++) {
        g_autofree char *name = g_strconcat(path, suffixes[i], NULL);
        (void) g_unlink(name);
    }
}

static int
bench_spool(const char *dir, int64_t seconds)
{
    static const guint counts[] = { 1, 8, 64 };
    g_autofree char *path = g_build_filename(dir, "spool.db", NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(counts); i++) {
        Session sessions[64];
        pthread_t threads[64];
        atomic_bool stop = false;
        g_autoptr(GError) error = NULL;
        g_autoptr(Spool) spool = spool_open(path, NULL, &error);
        if (spool == NULL) {
            (void) fprintf(stderr, "%s\n", error->message);
            return 1;
        }
        for (guint k = 0; k < counts[i]; k++) {
            sessions[k] =
                (Session){ spool, &stop,
                           g_array_new(FALSE, FALSE, sizeof(double)) };
            if (pthread_create(&threads[k], NULL, session_main, &sessions[k]) !=
                0)
                return 1;
        }
        g_usleep((gulong) seconds * G_USEC_PER_SEC);
        atomic_store(&stop, true);
        g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(double));
        for (guint k = 0; k < counts[i]; k++) {
            (void) pthread_join(threads[k], NULL);
            g_array_append_vals(all, sessions[k].times->data,
                                sessions[k].times->len);
            g_array_unref(sessions[k].times);
        }
        g_array_sort(all, compare_doubles);
        (void) printf("spool, %2u sessions: %6.0f rows/s on disk; an append "
                      "takes %.2f ms (median), %.2f ms (p99)\n",
                      counts[i], (double) all->len / (double) seconds,
                      g_array_index(all, double, all->len / 2),
                      g_array_index(all, double, all->len * 99 / 100));
        spool_close(g_steal_pointer(&spool));
        remove_database(path);
    }
    return 0;
}

/* --- contacts ----------------------------------------------------------------- */

static bool
merge_range(Store *store, int64_t from, int64_t n, const char *title,
            GError **error)
{
    g_autoptr(GPtrArray) keep =
        g_ptr_array_new_with_free_func((GDestroyNotify) observation_free);
    g_autofree Judged *list = g_new0(Judged, (gsize) n);
    for (int64_t i = 0; i < n; i++) {
        g_ptr_array_add(keep, person(from + i, title));
        list[i] = (Judged){ .observation = keep->pdata[i],
                            .trust = "pass: dmarc=pass (company.example)" };
    }
    return store_merge(store, list, (size_t) n, NOW, error);
}

static GPtrArray *
claim_and_confirm(Store *store, size_t n, double *out_claim,
                  double *out_confirm, GError **error)
{
    gint64 start = g_get_monotonic_time();
    GPtrArray *list = store_claim(store, n, NOW + 100, 600, error);
    *out_claim = seconds_since(start) * 1e3;
    if (list == NULL)
        return NULL;
    for (guint i = 0; i < list->len; i++) {
        ContactRecord *record = list->pdata[i];
        if (record->crm->len > 0)
            continue;
        CrmContact *crm = crm_contact_new(100000 + (int64_t) i);
        g_hash_table_insert(crm->wrote, g_strdup("phone"),
                            g_strdup("+61400000000"));
        g_hash_table_insert(crm->wrote, g_strdup("33443"),
                            g_strdup(record->known->job_title.value));
        g_ptr_array_add(record->crm, crm);
    }
    start = g_get_monotonic_time();
    if (!store_confirm(store, (ContactRecord *const *) list->pdata, list->len,
                       error)) {
        g_ptr_array_unref(list);
        return NULL;
    }
    *out_confirm = seconds_since(start) * 1e3;
    return list;
}

/* One number that the database answers; -1 when it does not. */
static double
ask(void *raw, const char *sql)
{
    StoreRows rows = { 0 };
    g_autoptr(GError) error = NULL;
    double value = -1;
    if (store_pgsql.run(raw, sql, NULL, 0, &rows, NULL, &error))
        value = (double) store_to_int(((StoreValues) rows.rows->pdata[0])[0]);
    else
        (void) fprintf(stderr, "%s\n", error->message);
    store_rows_clear(&rows);
    return value;
}

/* Bytes of the table and of its indexes. */
static void
print_size(PgServer *server, void *raw, const char *path, int64_t n)
{
    if (raw == NULL) {
        GStatBuf st;
        if (g_stat(path, &st) == 0)
            (void) printf("    file %.1f MB, %.0f bytes per contact\n",
                          (double) st.st_size / 1e6,
                          (double) st.st_size / (double) n);
        return;
    }
    static const struct {
        const char *name;
        const char *sql;
    } sizes[] = {
        { "table", "SELECT pg_table_size('contact')" },
        { "index of addresses", "SELECT pg_relation_size('contact_pkey')" },
        { "index of what is due", "SELECT pg_relation_size('contact_due')" },
    };
    /* By itself: it takes longer than an answer may that the store waits for. */
    pg_server_sql(server, "postgres", "VACUUM ANALYZE " SCHEMA ".contact");
    (void) printf("    a row: %.0f bytes\n",
                  ask(raw, "SELECT avg(pg_column_size(c))::bigint"
                           " FROM (SELECT * FROM contact LIMIT 5000) AS c"));
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        double bytes = ask(raw, sizes[i].sql);
        (void) printf("    %s: %.1f bytes per contact, %.1f MB in all\n",
                      sizes[i].name, bytes / (double) n, bytes / 1e6);
    }
}

/* What the database does for a statement: how it finds the rows, how many
 * pages it touches for them. */
static void
print_plan(void *raw, const char *what, const char *sql,
           const StoreValue *params, size_t n_params)
{
    g_autofree char *explain = g_strdup_printf(
        "EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF) %s", sql);
    StoreRows rows = { 0 };
    g_autoptr(GError) error = NULL;
    if (!store_pgsql.run(raw, explain, params, n_params, &rows, NULL, &error))
        (void) fprintf(stderr, "%s\n", error->message);
    for (guint i = 0; error == NULL && i < rows.rows->len; i++) {
        char *line = ((StoreValues) rows.rows->pdata[i])[0];
        /* The innermost scan; the pages of the whole come first. */
        if (strstr(line, "Scan") != NULL || strstr(line, "Execution") != NULL ||
            (strstr(line, "Buffers:") != NULL && i < 2))
            (void) printf("    %s: %s\n", what, g_strstrip(line));
    }
    store_rows_clear(&rows);
}

static void
print_plans(Store *store, void *raw, int64_t n)
{
    g_autofree char *claim = store_claim_sql(store);
    const StoreValue due[] = { VALUE_OF_INT(NOW + 100), VALUE_OF_INT(100) };
    print_plan(raw, "claim", claim, due, G_N_ELEMENTS(due));
    g_autoptr(GString) keys = g_string_new("{");
    for (int64_t i = 0; i < BATCH; i++) {
        g_autoptr(Observation) o = person(n / 2 + i, "Director");
        g_string_append_printf(keys, "%s\"%s\"", i > 0 ? "," : "", o->email);
    }
    g_string_append_c(keys, '}');
    const StoreValue list = VALUE_OF_TEXT(keys->str);
    print_plan(raw, "500 addresses",
               "SELECT * FROM contact WHERE key = ANY ($1::text[])"
               " ORDER BY key FOR UPDATE",
               &list, 1);
}

/* --- filling ---------------------------------------------------------------- */

/* Merges new ones, and confirms them as the sync does; the seconds that the
 * merges took. */
static double
fill(Store *store, int64_t from, int64_t to, GError **error)
{
    double busy = 0, claim_ms, confirm_ms;
    for (int64_t n = from; n < to; n += BATCH) {
        gint64 one = g_get_monotonic_time();
        if (!merge_range(store, n, BATCH, "Event Manager", error))
            break;
        busy += seconds_since(one);
        g_autoptr(GPtrArray) list =
            claim_and_confirm(store, BATCH, &claim_ms, &confirm_ms, error);
        if (list == NULL)
            break;
    }
    return busy;
}

/* Copies of the first COPY_FROM under other addresses, whose order is chance,
 * as that of real ones. */
static void
multiply(PgServer *server, int64_t from, int64_t to)
{
    const StoreTable *table = &store_tables[TABLE_CONTACT];
    g_autofree char *columns = store_table_columns(table);
    for (int64_t n = from; n < to; n += COPY_FROM) {
        g_autofree char *sql = g_strdup_printf(
            "SET search_path = " SCHEMA "; INSERT INTO contact (%s)"
            " SELECT substr(md5(key || %" PRId64 "), 1, 8) || '.' || key%s"
            " FROM contact WHERE key LIKE 'first.last%%'",
            columns, n, columns + strlen(table->columns[0].name));
        pg_server_sql(server, "postgres", sql);
    }
}

/* --- the figures of one size -------------------------------------------------- */

/* 1,000 of them change; medians of ten times 100 claims. */
static void
measure(Store *store, void *raw, int64_t known, const char *title,
        GError **error)
{
    double claims[10], confirms[10];
    gint64 start = g_get_monotonic_time();
    for (int i = 0; i < 2; i++)
        (void) merge_range(store, known / 2 + i * BATCH, BATCH, title, error);
    double merge_ms = seconds_since(start) * 1e3;
    if (raw != NULL)
        print_plans(store, raw, known);
    for (size_t i = 0; i < G_N_ELEMENTS(claims); i++) {
        g_autoptr(GPtrArray) list =
            claim_and_confirm(store, 100, &claims[i], &confirms[i], error);
        if (list == NULL || list->len != 100)
            (void) fprintf(stderr, "too few were due\n");
    }
    qsort(claims, G_N_ELEMENTS(claims), sizeof *claims, compare_doubles);
    qsort(confirms, G_N_ELEMENTS(confirms), sizeof *confirms, compare_doubles);
    start = g_get_monotonic_time();
    (void) merge_range(store, known / 3, BATCH, "Event Manager", error);
    (void) printf("    100 claimed in %.2f ms, confirmed in %.2f ms; 1000 "
                  "changes merged in %.0f ms, 500 unchanged in %.1f ms; "
                  "memory %.0f MB\n",
                  claims[5], confirms[5], merge_ms, seconds_since(start) * 1e3,
                  resident_mb());
}

static int
bench_contacts(const char *dir, bool pgsql, int64_t total)
{
    PgServer *server = pgsql ? pg_server_start() : NULL;
    if (pgsql && server == NULL)
        return 77;
    g_autofree char *path = g_build_filename(dir, "contacts.db", NULL);
    g_autofree char *uri =
        pgsql ? pg_server_schema(server) : g_strconcat("sqlite:", path, NULL);
    const char *name = pgsql ? "postgresql" : "sqlite";
    g_autoptr(GError) error = NULL;
    Store *store = store_open(uri, "bench", &error);
    void *raw = pgsql && store != NULL ? store_pgsql.open(uri, &error) : NULL;
    int64_t n = 0;
    for (int64_t size = 10000; error == NULL && size <= total; size *= 10) {
        int64_t known = pgsql ? MIN(size, (int64_t) COPY_FROM) : size;
        gint64 start = g_get_monotonic_time();
        (void) printf("%s, %" G_GINT64_FORMAT " contacts", name, (gint64) size);
        if (n < known) {
            double busy = fill(store, n, known, &error);
            (void) printf(" (filled in %.0f s, %.0f new ones merged a second)",
                          seconds_since(start), (double) (known - n) / busy);
        } else {
            multiply(server, n, size);
            (void) printf(" (copied in %.0f s)", seconds_since(start));
        }
        (void) printf("\n");
        n = size;
        print_size(server, raw, path, n);
        /* A title that they did not have at the size before. */
        g_autofree char *title = g_strdup_printf("Director of %" PRId64, n);
        measure(store, raw, known, title, &error);
    }
    if (error != NULL)
        (void) fprintf(stderr, "%s\n", error->message);
    if (raw != NULL)
        store_pgsql.close(raw);
    store_close(store);
    remove_database(path);
    pg_server_stop(server);
    return error != NULL ? 1 : 0;
}

int
main(int argc, char **argv)
{
    g_autofree char *dir = g_dir_make_tmp("bench-store-XXXXXX", NULL);
    const char *what = argc > 1 ? argv[1] : "";
    int64_t n = argc > 2 ? g_ascii_strtoll(argv[2], NULL, 10) : 0;
    int result = 2;
    (void) setvbuf(stdout, NULL, _IOLBF, 0);
    if (strcmp(what, "spool") == 0)
        result = bench_spool(dir, n > 0 ? n : 3);
    else if (strcmp(what, "sqlite") == 0 || strcmp(what, "postgresql") == 0)
        result = bench_contacts(dir, *what == 'p', n > 0 ? n : 100000);
    else
        (void) fprintf(stderr, "usage: bench_store spool [SECONDS] | "
                               "sqlite|postgresql [CONTACTS]\n");
    (void) g_rmdir(dir);
    return result;
}
