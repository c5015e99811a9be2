/*
 * bench-crm.c - contacts per second and API calls per contact
 *
 * 10,000 new contacts, the same unchanged, and 10,000 statuses, against the
 * stand-in with 50 ms latency, with batch and without (there with a fiftieth of
 * the contacts, for time). Usage: bench-crm [CONTACTS [LATENCY_MS]]
 */
#include "../crm/standin.h"
#include "base/log.h"

#include <glib/gstdio.h>
#include <stdlib.h>

typedef struct {
    Standin *standin;
    Settings *settings;
    Store *store;
    Sync *sync;
} Bench;

static void
measure(Bench *bench, const char *what, unsigned n)
{
    standin_do(bench->standin, "log/clear", NULL);
    int64_t began = g_get_monotonic_time();
    sync_all(bench->sync, bench->store);
    double seconds = (double) (g_get_monotonic_time() - began) / 1e6;
    json_t *log = standin_control(bench->standin, "log", NULL);
    json_int_t total = json_integer_value(json_object_get(log, "total"));
    json_int_t jobs = json_integer_value(json_object_get(log, "jobs"));
    json_decref(log);
    printf("%-28s %6u contacts %8.1f s %9.1f contacts/s %6" JSON_INTEGER_FORMAT
           " requests (%.4f each) %6" JSON_INTEGER_FORMAT " jobs\n",
           what, n, seconds, (double) n / seconds, total,
           (double) total / (double) n, jobs);
}

static void
observe_many(Bench *bench, unsigned n, unsigned generation)
{
    for (unsigned i = 0; i < n; i++) {
        g_autofree char *email = g_strdup_printf("p%u@example.org", i);
        g_autofree char *last = g_strdup_printf("Person%u", i);
        g_autofree char *title = g_strdup_printf("Title %u", i % 100);
        merge_contact(bench->store, email, "Pat", last,
                      generation == 0 ? "+61255501234" : "(02) 5550 1234",
                      title);
    }
}

static void
run(const char *name, bool batch, unsigned n, const char *latency)
{
    const char *options[] = { "--latency", latency, NULL };
    Bench bench = { .standin = standin_start(options) };
    standin_do(bench.standin, "seed",
               json_of("{'groups':[{'id':10,'groupName':'Guests'}],'fields':"
                       "[{'fieldId':1,'fieldType':0,'displayName':'Title'}]}"));
    bench.settings = test_settings(bench.standin->url);
    bench.settings->api.batch = batch ? BATCH_AUTO : BATCH_OFF;
    bench.settings->custom_fields.job_title = 1;
    static const char *const groups[] = { "10", NULL };
    test_list(&bench.settings->contact.groups, groups);
    g_autofree char *folder = g_dir_make_tmp("bench-crm-XXXXXX", NULL);
    g_autofree char *uri = g_strconcat("sqlite:", folder, "/c.db", NULL);
    bench.store = store_open(uri, "bench", NULL);
    bench.sync = sync_new(bench.settings, bench.store, NULL);

    observe_many(&bench, n, 0);
    g_autofree char *what = g_strconcat(name, ", new", NULL);
    measure(&bench, what, n);
    observe_many(&bench, n, 0);
    g_autofree char *same = g_strconcat(name, ", the same mail", NULL);
    measure(&bench, same, n);
    observe_many(&bench, n, 1);
    g_autofree char *unchanged = g_strconcat(name, ", unchanged in CRM", NULL);
    measure(&bench, unchanged, n);
    for (unsigned i = 0; i < n; i++) {
        g_autofree char *email = g_strdup_printf("p%u@example.org", i);
        merge_status(bench.store, email, 2, 0, false);
    }
    g_autofree char *statuses = g_strconcat(name, ", statuses", NULL);
    measure(&bench, statuses, n);

    sync_free(bench.sync);
    store_close(bench.store);
    settings_free(bench.settings);
    standin_stop(bench.standin);
    g_autofree char *remove = g_strconcat("rm -rf '", folder, "'", NULL);
    (void) !system(remove);
}

int
main(int argc, char **argv)
{
    unsigned n =
        argc > 1 ? (unsigned) g_ascii_strtoull(argv[1], NULL, 10) : 10000;
    const char *latency = argc > 2 ? argv[2] : "50";
    log_open("bench-crm", LOG_TARGET_STDERR, LOG_LEVEL_WARNING_,
             ADDRESSES_FULL);
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("latency %s ms\n", latency);
    run("batch", true, n, latency);
    run("no batch", false, MAX(n / 50, 1), latency);
    return 0;
}
