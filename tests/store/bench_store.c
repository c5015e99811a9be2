/*
 * bench_store.c - figures of the spool and of grown contacts stores
 *
 *     tests/store/bench_store spool [SECONDS]
 *     tests/store/bench_store sqlite|postgresql [CONTACTS]
 *
 * spool: rows per second on this disk with 1, 8 and 64 sessions, and what one
 * append takes. The others: fills a store with contacts as they are after the
 * CRM has confirmed them, and at each tenfold size prints the size per contact
 * and the time of a claim, a confirm and a merge, which must not grow.
 */
#include "config.h"

#include "store/spool.h"
#include "store/store.h"
#include "store/store_backend.h"

#include "pgserver.h"

#include <glib/gstdio.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BATCH = 500, NOW = 1700000000 };

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

/* Bytes of the table and of its indexes. */
static void
print_size(PgServer *server, void *raw, const char *path, int64_t n)
{
    if (server == NULL) {
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
        { "live rows", "SELECT CAST(avg(pg_column_size(c)) AS bigint) *"
                       " (SELECT count(*) FROM contact)"
                       " FROM (SELECT * FROM contact LIMIT 5000) AS c" },
        { "key index", "SELECT pg_relation_size('contact_pkey')" },
        { "index of what is due", "SELECT pg_relation_size('contact_due')" },
    };
    (void) store_pgsql.run(raw, "VACUUM ANALYZE contact", NULL, 0, NULL, NULL,
                           NULL);
    (void) printf("   ");
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        StoreRows rows = { 0 };
        if (store_pgsql.run(raw, sizes[i].sql, NULL, 0, &rows, NULL, NULL)) {
            double bytes = (double) g_ascii_strtoll(
                ((StoreValues) rows.rows->pdata[0])[0], NULL, 10);
            (void) printf(" %s %.1f MB (%.0f bytes per contact);",
                          sizes[i].name, bytes / 1e6, bytes / (double) n);
        }
        store_rows_clear(&rows);
    }
    StoreRows rows = { 0 };
    if (store_pgsql.run(raw,
                        "EXPLAIN SELECT * FROM contact WHERE state = 1"
                        " AND due <= 1700000100 ORDER BY due LIMIT 100"
                        " FOR UPDATE SKIP LOCKED",
                        NULL, 0, &rows, NULL, NULL)) {
        const char *scan = "?";
        for (guint i = 0; i < rows.rows->len; i++) {
            const char *line = ((StoreValues) rows.rows->pdata[i])[0];
            if (strstr(line, "Scan") != NULL)
                scan = line;
        }
        (void) printf("\n    claim:%.60s\n", strstr(scan, "->") != NULL
                                                 ? strstr(scan, "->") + 2
                                                 : scan);
    }
    store_rows_clear(&rows);
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
    g_autoptr(GError) error = NULL;
    Store *store = store_open(uri, "bench", &error);
    void *raw = pgsql && store != NULL ? store_pgsql.open(uri, &error) : NULL;
    int64_t n = 0;
    double claim_ms, confirm_ms;
    for (int64_t size = 10000; store != NULL && size <= total; size *= 10) {
        gint64 start = g_get_monotonic_time();
        int64_t before = n;
        double busy = 0;
        while (n < size) {
            gint64 one = g_get_monotonic_time();
            if (!merge_range(store, n, BATCH, "Event Manager", &error))
                break;
            busy += seconds_since(one);
            n += BATCH;
            g_autoptr(GPtrArray) list =
                claim_and_confirm(store, BATCH, &claim_ms, &confirm_ms, &error);
            if (list == NULL)
                break;
        }
        if (error != NULL)
            break;
        (void) printf("%s, %" G_GINT64_FORMAT " contacts (filled in %.0f s, "
                      "%.0f new ones merged a second)\n",
                      pgsql ? "postgresql" : "sqlite", (gint64) n,
                      seconds_since(start), (double) (n - before) / busy);
        print_size(server, raw, path, n);
        /* 1,000 of them change; medians of five times 100 claims. */
        double claims[10], confirms[10];
        start = g_get_monotonic_time();
        for (int i = 0; i < 2; i++)
            (void) merge_range(store, n / 2 + i * 500, 500, "Director", &error);
        double merge_ms = seconds_since(start) * 1e3;
        for (int i = 0; i < 10; i++) {
            g_autoptr(GPtrArray) list =
                claim_and_confirm(store, 100, &claims[i], &confirms[i], &error);
            if (list == NULL || list->len != 100)
                (void) fprintf(stderr, "too few were due\n");
        }
        qsort(claims, 10, sizeof *claims, compare_doubles);
        qsort(confirms, 10, sizeof *confirms, compare_doubles);
        start = g_get_monotonic_time();
        (void) merge_range(store, n / 3, 500, "Event Manager", &error);
        (void) printf("    100 claimed in %.2f ms, confirmed in %.2f ms; 1000 "
                      "changes merged in %.0f ms, 500 unchanged in %.1f ms; "
                      "memory %.0f MB\n",
                      claims[5], confirms[5], merge_ms,
                      seconds_since(start) * 1e3, resident_mb());
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
