/*
 * simulate.c - several mail servers on one PostgreSQL, with accidents
 *
 *     tests/store/simulate [--hosts N] [--observations N] [--people N]
 *                          [--rounds N] [--calm]
 *
 * Starts a PostgreSQL of its own and N processes that each do what a daemon
 * does: sessions append observations to the host's spool, a judge forwards
 * them to the shared store, a sync claims contacts and "calls the API" (a
 * table in shared memory). In the middle one host is killed and started again
 * later, and the database is crashed and started again. In the end every
 * observation must have had its effect exactly once:
 *   - each address has the title of its latest mail, in the store and the API
 *   - each has as many soft bounces as were sent, and its status
 *   - no contact was worked on by two hosts at the same time
 * Exit status 0 only if all of it is so, in every round. --calm: no accidents.
 */
#include "config.h"

#include "base/metrics.h"
#include "store/spool.h"
#include "store/store.h"

#include "pgserver.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    MAX_HOSTS = 8,
    SESSIONS = 4,
    BATCH = 200,
    LEASE_S = 5,
    START = 1700000000,
};

typedef enum { CONTACT, SOFT, HARD, SENT } Kind;

/* One contact at the API. */
typedef struct {
    atomic_int owner; /* host that works on it + 1 */
    atomic_int title; /* number of the latest mail + 1 */
    atomic_int status;
    atomic_int adds;
} Person;

/* All that the processes share. */
typedef struct {
    int hosts, observations, people;
    atomic_int appended[MAX_HOSTS][SESSIONS]; /* acknowledged by the spool */
    atomic_llong forwarded, confirmed, claims, round_trips, retries;
    atomic_llong collisions;
    atomic_bool stop;
    Person person[];
} World;

static World *world;

/* --- what is observed: a pure function of the number ----------------------- */

static unsigned
mix(unsigned n)
{
    n ^= n >> 16;
    n *= 0x7feb352dU;
    n ^= n >> 15;
    n *= 0x846ca68bU;
    return n ^ (n >> 16);
}

static int
person_of(int n)
{
    return (int) (mix((unsigned) n) % (unsigned) world->people);
}

static Kind
kind_of(int n)
{
    unsigned x = mix((unsigned) n + 0x9e3779b9U) % 100;
    return x < 80 ? CONTACT : x < 90 ? SOFT : x < 95 ? HARD : SENT;
}

static Observation *
observation_number(int n)
{
    static const ObservationKind kinds[] = { OBSERVATION_CONTACT,
                                             OBSERVATION_BOUNCE,
                                             OBSERVATION_BOUNCE,
                                             OBSERVATION_SENT };
    Kind kind = kind_of(n);
    g_autofree char *email =
        g_strdup_printf("person%d@example.org", person_of(n));
    Observation *o = observation_new(kinds[kind], kind == SENT ? "" : email);
    o->time = START + n;
    o->message_id = g_strdup_printf("m%d@example.org", n);
    o->client_addr = g_strdup("192.0.2.1");
    o->helo = g_strdup("mail.example.org");
    o->mail_from = g_strdup(email);
    g_ptr_array_add(o->authors, g_strdup(email));
    if (kind == CONTACT) {
        o->contact = o->contact != NULL ? o->contact : contact_new(email);
        g_autofree char *title = g_strdup_printf("title %d", n + 1);
        field_set(&o->contact->first_name, "Pat", "Pat Person", 0.9);
        field_set(&o->contact->last_name, "Person", "Pat Person", 0.9);
        field_set(&o->contact->job_title, title, title, 0.9);
        Phone phone = { .type = PHONE_MOBILE };
        field_set(&phone.number, "+61400000000", "M 0400 000 000", 0.9);
        g_array_append_val(o->contact->phones, phone);
    } else if (kind == SENT) {
        g_ptr_array_add(o->recipients, g_strdup(email));
    } else {
        o->bounce.class = kind == HARD ? BOUNCE_HARD : BOUNCE_SOFT;
    }
    return o;
}

/* --- one host ---------------------------------------------------------------- */

typedef struct {
    int number;
    int session;
    Spool *spool;
    Store *store;      /* the judge's */
    Store *sync_store; /* the sync's: two threads, two connections */
} Host;

/* Number of observations that this session of this host sees. */
static int
share(int session)
{
    int lanes = world->hosts * SESSIONS;
    return (world->observations - session + lanes - 1) / lanes;
}

static void *
session_main(void *data)
{
    const Host *host = data;
    int lane = host->number * SESSIONS + host->session;
    atomic_int *done = &world->appended[host->number][host->session];
    for (int i = atomic_load(done); i < share(lane); i++) {
        int n = i * world->hosts * SESSIONS + lane;
        g_autoptr(GPtrArray) list =
            g_ptr_array_new_with_free_func((GDestroyNotify) observation_free);
        g_ptr_array_add(list, observation_number(n));
        while (spool_append(host->spool, list, 10000) != SPOOL_STORED)
            (void) fprintf(stderr, "an append was not acknowledged\n");
        /* Dying here makes the client send the mail again. */
        atomic_store(done, i + 1);
    }
    return NULL;
}

static void
report_trips(double *last)
{
    double now = metrics_get("store_round_trips_total", NULL, NULL);
    atomic_fetch_add(&world->round_trips, (long long) (now - *last));
    *last = now;
}

static void *
judge_main(void *data)
{
    const Host *host = data;
    double trips = metrics_get("store_round_trips_total", NULL, NULL);
    while (!atomic_load(&world->stop)) {
        g_autoptr(GPtrArray) rows =
            spool_fetch(host->spool, BATCH, START, NULL);
        if (rows == NULL || rows->len == 0) {
            g_usleep(5000);
            continue;
        }
        g_autofree Judged *list = g_new0(Judged, rows->len);
        g_autofree int64_t *ids = g_new0(int64_t, rows->len);
        for (guint i = 0; i < rows->len; i++) {
            const SpoolRow *row = rows->pdata[i];
            const Observation *o = row->observation;
            bool hard =
                o->kind == OBSERVATION_BOUNCE && o->bounce.class == BOUNCE_HARD;
            bool soft = o->kind == OBSERVATION_BOUNCE && !hard;
            ids[i] = row->id;
            list[i] = (Judged){ .key = row->key,
                                .observation = o,
                                .trust = "pass: simulated",
                                .want_status = hard ? 3 : 0,
                                .soft_bounce = soft };
        }
        if (!store_merge(host->store, list, rows->len, time(NULL), NULL)) {
            atomic_fetch_add(&world->retries, 1);
            g_usleep(50000);
            continue;
        }
        if (spool_done(host->spool, ids, rows->len, NULL))
            atomic_fetch_add(&world->forwarded, rows->len);
        report_trips(&trips);
    }
    return NULL;
}

/* Makes the API true for one contact. */
static void
call_api(const Host *host, ContactRecord *record)
{
    int who = (int) g_ascii_strtoll(record->email + strlen("person"), NULL, 10);
    Person *person = &world->person[who];
    int nobody = 0;
    if (!atomic_compare_exchange_strong(&person->owner, &nobody,
                                        host->number + 1))
        atomic_fetch_add(&world->collisions, 1);
    if (record->crm->len == 0) {
        if (atomic_fetch_add(&person->adds, 1) > 0)
            atomic_fetch_sub(&person->adds, 1); /* the lookup found it */
        g_ptr_array_add(record->crm, crm_contact_new(who + 1));
    }
    CrmContact *crm = record->crm->pdata[0];
    if (record->known != NULL && record->known->job_title.value != NULL)
        atomic_store(&person->title,
                     (int) g_ascii_strtoll(record->known->job_title.value +
                                               strlen("title "),
                                           NULL, 10));
    if (record->want_status == 3) {
        atomic_store(&person->status, 3);
        crm->status_set = 3;
    }
}

static void
let_go(const Host *host, GPtrArray *list)
{
    for (guint i = 0; i < list->len; i++) {
        const ContactRecord *record = list->pdata[i];
        int who =
            (int) g_ascii_strtoll(record->email + strlen("person"), NULL, 10);
        int me = host->number + 1;
        (void) atomic_compare_exchange_strong(&world->person[who].owner, &me,
                                              0);
    }
}

static void *
sync_main(void *data)
{
    const Host *host = data;
    while (!atomic_load(&world->stop)) {
        g_autoptr(GPtrArray) list =
            store_claim(host->sync_store, BATCH, time(NULL), LEASE_S, NULL);
        if (list == NULL || list->len == 0) {
            g_usleep(20000);
            continue;
        }
        atomic_fetch_add(&world->claims, list->len);
        for (guint i = 0; i < list->len; i++)
            call_api(host, list->pdata[i]);
        /* An answer may be lost with the database; as the sync does, it is
         * given again while the lease holds. */
        let_go(host, list);
        for (int i = 0; i < 20; i++) {
            if (store_confirm(host->sync_store,
                              (ContactRecord *const *) list->pdata, list->len,
                              NULL)) {
                atomic_fetch_add(&world->confirmed, list->len);
                break;
            }
            g_usleep(100000);
        }
    }
    return NULL;
}

static int
host_main(int number, const char *dir, const char *uri)
{
    g_autofree char *name = g_strdup_printf("mx%d.example.com", number);
    g_autofree char *path = g_strdup_printf("%s/spool%d.db", dir, number);
    g_autoptr(GError) error = NULL;
    Host host = { .number = number };
    host.spool = spool_open(path, NULL, &error);
    for (int i = 0; i < 100 && host.spool != NULL && host.sync_store == NULL;
         i++) {
        g_clear_error(&error);
        if (host.store == NULL)
            host.store = store_open(uri, name, &error);
        if (host.store != NULL)
            host.sync_store = store_open(uri, name, &error);
        if (host.sync_store == NULL)
            g_usleep(200000);
    }
    if (host.sync_store == NULL) {
        (void) fprintf(stderr, "%s: %s\n", name, error->message);
        return 1;
    }
    (void) store_release_leases(host.sync_store, NULL);

    pthread_t threads[SESSIONS + 2];
    Host sessions[SESSIONS];
    for (int i = 0; i < SESSIONS; i++) {
        sessions[i] = host;
        sessions[i].session = i;
        if (pthread_create(&threads[i], NULL, session_main, &sessions[i]) != 0)
            return 1;
    }
    if (pthread_create(&threads[SESSIONS], NULL, judge_main, &host) != 0 ||
        pthread_create(&threads[SESSIONS + 1], NULL, sync_main, &host) != 0)
        return 1;
    for (int i = 0; i < SESSIONS + 2; i++)
        (void) pthread_join(threads[i], NULL);
    store_close(host.store);
    store_close(host.sync_store);
    spool_close(host.spool);
    return 0;
}

/* --- the whole ------------------------------------------------------------------ */

static pid_t
start_host(int number, const char *dir, const char *uri)
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(host_main(number, dir, uri));
    return pid;
}

static int64_t
appended(void)
{
    int64_t n = 0;
    for (int h = 0; h < world->hosts; h++) {
        for (int s = 0; s < SESSIONS; s++)
            n += atomic_load(&world->appended[h][s]);
    }
    return n;
}

static bool
finished(const char *dir, Store *store)
{
    if (appended() < world->observations)
        return false;
    for (int h = 0; h < world->hosts; h++) {
        g_autofree char *path = g_strdup_printf("%s/spool%d.db", dir, h);
        g_autoptr(Spool) spool = spool_open(path, NULL, NULL);
        SpoolStatus status;
        if (spool == NULL || !spool_status(spool, &status, NULL) ||
            status.rows > 0)
            return false;
    }
    StoreStatus status;
    return store_status(store, &status, NULL) && status.pending == 0;
}

static bool
verify(Store *store)
{
    g_autofree int *title = g_new0(int, world->people);
    g_autofree int *soft = g_new0(int, world->people);
    g_autofree bool *hard = g_new0(bool, world->people);
    int64_t contacts = 0;
    for (int n = 0; n < world->observations; n++) {
        int who = person_of(n);
        Kind kind = kind_of(n);
        if (kind == CONTACT)
            title[who] = n + 1; /* numbers grow: the last one is the latest */
        soft[who] += kind == SOFT;
        hard[who] = hard[who] || kind == HARD;
    }
    int wrong = 0;
    for (int who = 0; who < world->people && wrong < 10; who++) {
        bool known = title[who] != 0 || hard[who];
        contacts += known;
        g_autofree char *email = g_strdup_printf("person%d@example.org", who);
        g_autoptr(GError) error = NULL;
        int64_t bounces = store_soft_bounces(store, email, 0, &error);
        Person *person = &world->person[who];
        bool ok = bounces == soft[who] &&
                  atomic_load(&person->title) == title[who] &&
                  atomic_load(&person->adds) == known &&
                  (atomic_load(&person->status) == 3) == hard[who];
        if (!ok) {
            (void) printf("%s: title %d/%d soft %d/%d status %d/%d adds %d\n",
                          email, atomic_load(&person->title), title[who],
                          (int) bounces, soft[who],
                          atomic_load(&person->status), hard[who],
                          atomic_load(&person->adds));
            wrong++;
        }
    }
    StoreStatus status;
    bool seen = false;
    int last_sent = world->observations - 1;
    while (kind_of(last_sent) != SENT)
        last_sent--;
    g_autofree char *id = g_strdup_printf("m%d@example.org", last_sent);
    g_autofree char *rcpt =
        g_strdup_printf("person%d@example.org", person_of(last_sent));
    bool ok = store_status(store, &status, NULL) &&
              store_sent_seen(store, id, rcpt, &seen, NULL);
    if (!ok || status.contacts != contacts || status.dead != 0 || !seen) {
        (void) printf("contacts %d/%d dead %d sent %d\n", (int) status.contacts,
                      (int) contacts, (int) status.dead, seen);
        wrong++;
    }
    if (atomic_load(&world->collisions) > 0) {
        (void) printf("%lld times two hosts had one contact\n",
                      atomic_load(&world->collisions));
        wrong++;
    }
    return wrong == 0;
}

/* What a dead host had in its hands is free for the others. */
static void
bury(int number)
{
    for (int who = 0; who < world->people; who++) {
        int owner = number + 1;
        (void) atomic_compare_exchange_strong(&world->person[who].owner, &owner,
                                              0);
    }
}

static bool
simulate_round(PgServer *server, bool calm)
{
    g_autofree char *uri = pg_server_schema(server);
    g_autofree char *dir = g_dir_make_tmp("simulate-XXXXXX", NULL);
    pid_t hosts[MAX_HOSTS];
    gint64 start = g_get_monotonic_time();
    for (int h = 0; h < world->hosts; h++)
        hosts[h] = start_host(h, dir, uri);

    int step = calm ? 4 : 0;
    gint64 wake = 0;
    Store *store = NULL;
    bool timely = true;
    double all_in = 0;
    for (;;) {
        g_usleep(100000);
        int64_t forwarded = atomic_load(&world->forwarded);
        gint64 now = g_get_monotonic_time();
        if (all_in <= 0 && forwarded >= world->observations)
            all_in = (double) (now - start) / 1e6;
        if (step == 0 && forwarded > world->observations / 4) {
            (void) kill(hosts[1], SIGKILL);
            (void) waitpid(hosts[1], NULL, 0);
            bury(1);
            (void) printf("  killed host 1 at %d\n", (int) forwarded);
            step = 1;
        } else if (step == 1 && forwarded > world->observations * 2 / 5) {
            (void) pg_server_crash(server);
            (void) printf("  crashed the database at %d\n", (int) forwarded);
            wake = now + G_USEC_PER_SEC;
            step = 2;
        } else if (step == 2 && now > wake) {
            (void) pg_server_restart(server);
            step = 3;
            wake = now + 2 * G_USEC_PER_SEC;
        } else if (step == 3 && now > wake) {
            hosts[1] = start_host(1, dir, uri);
            step = 4;
        }
        if (step == 4) {
            if (store == NULL)
                store = store_open(uri, "watcher", NULL);
            if (store != NULL && finished(dir, store))
                break;
        }
        if (now - start > 600 * G_USEC_PER_SEC) {
            timely = false;
            break;
        }
    }
    double seconds = (double) (g_get_monotonic_time() - start) / 1e6;
    atomic_store(&world->stop, true);
    for (int h = 0; h < world->hosts; h++)
        (void) waitpid(hosts[h], NULL, 0);
    bool right = timely && store != NULL && verify(store);
    long long forwarded = atomic_load(&world->forwarded);
    (void) printf("  %s: %.1f s; %.0f observations/s forwarded, %.0f "
                  "contacts/s confirmed (%lld claims), %.3f round trips per "
                  "observation (judge and sync), %lld merges put off\n",
                  right    ? "right"
                  : timely ? "WRONG"
                           : "NOT FINISHED",
                  seconds, (double) forwarded / seconds,
                  (double) atomic_load(&world->confirmed) / seconds,
                  atomic_load(&world->claims),
                  (double) atomic_load(&world->round_trips) /
                      (double) MAX(forwarded, 1),
                  atomic_load(&world->retries));
    store_close(store);
    static const char *const suffixes[] = { "", "-wal", "-shm" };
    for (int h = 0; h < world->hosts; h++) {
        for (size_t i = 0; i < G_N_ELEMENTS(suffixes); i++) {
            g_autofree char *path =
                g_strdup_printf("%s/spool%d.db%s", dir, h, suffixes[i]);
            (void) g_unlink(path);
        }
    }
    (void) g_rmdir(dir);
    return right;
}

int
main(int argc, char **argv)
{
    int hosts = 3, observations = 100000, people = 30000, rounds = 1;
    gboolean calm = FALSE;
    const GOptionEntry entries[] = {
        { "hosts", 0, 0, G_OPTION_ARG_INT, &hosts, "mail servers", "N" },
        { "observations", 0, 0, G_OPTION_ARG_INT, &observations, "in all",
          "N" },
        { "people", 0, 0, G_OPTION_ARG_INT, &people, "addresses", "N" },
        { "rounds", 0, 0, G_OPTION_ARG_INT, &rounds, "how often", "N" },
        { "calm", 0, 0, G_OPTION_ARG_NONE, &calm, "no accidents", NULL },
        G_OPTION_ENTRY_NULL
    };
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_option_context_add_main_entries(context, entries, NULL);
    g_autoptr(GError) error = NULL;
    if (!g_option_context_parse(context, &argc, &argv, &error) || hosts < 2 ||
        hosts > MAX_HOSTS || people < 1 || observations < 100) {
        (void) fprintf(stderr, "%s\n",
                       error != NULL ? error->message : "bad numbers");
        return 2;
    }
    (void) setvbuf(stdout, NULL, _IOLBF, 0);
    PgServer *server = pg_server_start();
    if (server == NULL)
        return 77;
    size_t size = sizeof(World) + (size_t) people * sizeof(Person);
    world = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                 -1, 0);
    g_assert_true(world != MAP_FAILED);
    bool right = true;
    for (int i = 0; i < rounds; i++) {
        memset(world, 0, size);
        world->hosts = hosts;
        world->observations = observations;
        world->people = people;
        (void) printf("round %d: %d hosts, %d observations, %d people\n", i + 1,
                      hosts, observations, people);
        right = simulate_round(server, calm) && right;
    }
    pg_server_stop(server);
    return right ? 0 : 1;
}
