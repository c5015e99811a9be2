/*
 * The judge with a real spool, a real store (SQLite) and a DNS zone in
 * memory: floods are held, temperrors are tried again, the sent-log proves.
 */
#include "trust/judge.h"

#include "base/log.h"
#include "trust/evidence.h"
#include "trust/spf_layer.h"

#include <glib/gstdio.h>
#include <spf2/spf_dns_zone.h>
#include <sqlite3.h>
#include <string.h>

static char *ours[] = { (char *) "ours.example", NULL };
static char *ids[] = { (char *) "mx.ours.example", NULL };
static char *none[] = { NULL };

typedef struct {
    char *folder;
    Settings settings;
    Spool *spool;
    Store *store;
    Judge *judge;
    SPF_dns_server_t *zone;
    int64_t now;
    int n;
} World;

static void
add_zone(World *w, const char *name, ns_type type, const char *data)
{
    g_assert_cmpint(
        SPF_dns_zone_add_str(w->zone, name, type,
                             data != NULL ? NETDB_SUCCESS : TRY_AGAIN, data),
        ==, SPF_E_SUCCESS);
}

static void
set_up(World *w, gconstpointer data)
{
    (void) data;
    g_autoptr(GError) error = NULL;
    w->now = 1700000000;
    w->folder = g_dir_make_tmp("judge-XXXXXX", &error);
    g_assert_no_error(error);
    g_autofree char *spool = g_build_filename(w->folder, "spool.db", NULL);
    g_autofree char *uri = g_strdup_printf("sqlite:%s/contacts.db", w->folder);
    g_autofree char *notice = NULL;
    w->spool = spool_open(spool, &notice, &error);
    g_assert_no_error(error);
    w->store = store_open(uri, "host.example", &error);
    g_assert_no_error(error);

    Settings *s = &w->settings;
    s->references = 1;
    s->mta.local_domains = ours;
    s->trust.authserv_ids = ids;
    s->trust.arc_sealers = none;
    s->trust.spf = true;
    s->trust.contact = TRUST_PASS;
    s->trust.unsubscribe = TRUST_NO_FAIL;
    s->trust.status_limit = 50;
    s->bounce.evidence = EVIDENCE_ORIGINAL;
    s->bounce.soft_window = INT64_C(30) * 86400 * 1000;
    s->unsubscribe.sms = true;
    s->unsubscribe.complaints = true;

    w->zone = SPF_dns_zone_new(NULL, "zone", 0);
    add_zone(w, "good.example", ns_t_txt, "v=spf1 ip4:192.0.2.10 -all");
    add_zone(w, "slow.example", ns_t_txt, NULL);
    w->judge = judge_new(s, w->store, &error);
    g_assert_no_error(error);
    judge_set_dns(w->judge, w->zone);
}

static void
tear_down(World *w, gconstpointer data)
{
    (void) data;
    judge_free(w->judge);
    store_close(w->store);
    spool_close(w->spool);
    SPF_dns_free(w->zone);
    g_autoptr(GDir) dir = g_dir_open(w->folder, 0, NULL);
    const char *name;
    while ((name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(w->folder, name, NULL);
        (void) g_unlink(path);
    }
    (void) g_rmdir(w->folder);
    g_free(w->folder);
}

static Observation *
mail(World *w, ObservationKind kind, const char *email, const char *author)
{
    Observation *o = observation_new(kind, email);
    if (author != NULL)
        g_ptr_array_add(o->authors, g_strdup(author));
    g_ptr_array_add(o->recipients, g_strdup("ann@ours.example"));
    o->mail_from = g_strdup(author != NULL ? author : "");
    o->helo = g_strdup("h.example");
    o->client_addr = g_strdup("192.0.2.10");
    o->queue_id = g_strdup_printf("4b%04d", w->n);
    o->message_id = g_strdup_printf("%d@mail.example", w->n++);
    o->time = w->now;
    if (kind == OBSERVATION_CONTACT) {
        o->contact = contact_new(email);
        field_set(&o->contact->last_name, "Example", "Bob Example", 0.9);
    } else if (kind == OBSERVATION_BOUNCE) {
        o->bounce.email = g_strdup(email);
        o->bounce.class = BOUNCE_HARD;
        o->bounce.status = g_strdup("5.1.1");
        o->bounce.reason = "userunknown";
    }
    return o;
}

static void
put(World *w, Observation *o)
{
    g_autoptr(GPtrArray) list =
        g_ptr_array_new_with_free_func((GDestroyNotify) observation_free);
    g_ptr_array_add(list, o);
    g_assert_cmpint(spool_append(w->spool, list, 10000), ==, SPOOL_STORED);
}

static int
run(World *w)
{
    g_autoptr(GError) error = NULL;
    int total = 0, n;
    while ((n = judge_run(w->judge, w->spool, 100, w->now, &error)) > 0)
        total += n;
    g_assert_no_error(error);
    g_assert_cmpint(n, ==, 0);
    return total;
}

static StoreStatus
status(World *w)
{
    StoreStatus s = { 0 };
    g_assert_true(store_status(w->store, &s, NULL));
    return s;
}

static int64_t
spooled(World *w)
{
    SpoolStatus s = { 0 };
    g_assert_true(spool_status(w->spool, &s, NULL));
    return s.rows;
}

/* 70 requests in one domain's name within an hour: 50 count, 20 wait. */
static void
test_flood(World *w, gconstpointer data)
{
    (void) data;
    for (int i = 0; i < 70; i++) {
        g_autofree char *email = g_strdup_printf("user%d@flood.example", i);
        put(w, mail(w, OBSERVATION_UNSUBSCRIBE, email, email));
    }
    g_assert_cmpint(run(w), ==, 70);
    g_assert_cmpint(status(w).pending, ==, 50);
    g_assert_cmpint(status(w).held, ==, 20);
    g_assert_cmpint(spooled(w), ==, 0);

    g_autoptr(GPtrArray) queue =
        store_queue(w->store, "user69@flood.example", 10, NULL);
    g_assert_cmpuint(queue->len, ==, 1);
    const QueueEntry *entry = g_ptr_array_index(queue, 0);
    g_assert_cmpstr(entry->state, ==, "held");
    g_assert_nonnull(strstr(entry->reason, "flood.example"));
    g_assert_nonnull(strstr(entry->trust, "neutral"));

    /* Another domain is not held up, nor is this one an hour later. */
    put(w,
        mail(w, OBSERVATION_UNSUBSCRIBE, "x@calm.example", "x@calm.example"));
    g_assert_cmpint(run(w), ==, 1);
    g_assert_cmpint(status(w).pending, ==, 51);
    w->now += 3601;
    put(w, mail(w, OBSERVATION_UNSUBSCRIBE, "late@flood.example",
                "late@flood.example"));
    g_assert_cmpint(run(w), ==, 1);
    g_assert_cmpint(status(w).pending, ==, 52);
    g_assert_cmpint(status(w).held, ==, 20);

    /* A person lets them go. */
    g_assert_cmpint(
        store_queue_release(w->store, "user69@flood.example", w->now, NULL), ==,
        1);
    g_assert_cmpint(status(w).held, ==, 19);
}

/* A new domain for each forged report: 500 in an hour, no more. */
static void
test_many_domains(World *w, gconstpointer data)
{
    (void) data;
    for (int i = 0; i < 520; i++) {
        g_autofree char *email = g_strdup_printf("user%d@cust.example", i);
        g_autofree char *author =
            g_strdup_printf("mailer-daemon@zombie%d.example", i);
        Observation *o = mail(w, OBSERVATION_BOUNCE, email, author);
        g_free(o->mail_from);
        o->mail_from = g_strdup("");
        o->returned.from = g_strdup("ann@ours.example");
        put(w, o);
    }
    g_assert_cmpint(run(w), ==, 520);
    g_assert_cmpint(status(w).pending, ==, 500);
    g_assert_cmpint(status(w).held, ==, 20);
    /* The local mail server's own reports go on. */
    Observation *local = mail(w, OBSERVATION_BOUNCE, "real@cust.example",
                              "mailer-daemon@ours.example");
    local->local = true;
    put(w, local);
    g_assert_cmpint(run(w), ==, 1);
    g_assert_cmpint(status(w).pending, ==, 501);
}

static void
test_spf(World *w, gconstpointer data)
{
    (void) data;
    put(w,
        mail(w, OBSERVATION_CONTACT, "bob@good.example", "bob@good.example"));
    Observation *forged =
        mail(w, OBSERVATION_CONTACT, "eve@good.example", "eve@good.example");
    g_free(forged->client_addr);
    forged->client_addr = g_strdup("198.51.100.1");
    put(w, forged);
    /* Enough for all threads. */
    for (int i = 0; i < 40; i++) {
        g_autofree char *email = g_strdup_printf("u%d@good.example", i);
        put(w, mail(w, OBSERVATION_CONTACT, email, email));
    }
    g_assert_cmpint(run(w), ==, 42);
    g_assert_cmpint(status(w).contacts, ==, 41);

    g_autoptr(ContactRecord) bob =
        store_get(w->store, "bob@good.example", NULL);
    g_assert_nonnull(bob);
    g_assert_cmpstr(bob->trust, ==, "pass: spf=pass for good.example, aligned");
    g_autoptr(ContactRecord) eve =
        store_get(w->store, "eve@good.example", NULL);
    g_assert_null(eve);
}

/* A temperror waits, three times, and then counts as none. */
static void
test_temperror(World *w, gconstpointer data)
{
    (void) data;
    put(w, mail(w, OBSERVATION_UNSUBSCRIBE, "bob@slow.example",
                "bob@slow.example"));
    int runs = 0;
    while (spooled(w) > 0 && runs++ < 10) {
        run(w);
        w->now += 1201;
    }
    g_assert_cmpint(runs, ==, JUDGE_SPF_TRIES);
    g_autoptr(ContactRecord) bob =
        store_get(w->store, "bob@slow.example", NULL);
    g_assert_nonnull(bob);
    g_assert_cmpint(bob->want_status, ==, 2);
    g_assert_nonnull(strstr(bob->trust, "temperror"));

    /* Not before it is due. */
    put(w, mail(w, OBSERVATION_UNSUBSCRIBE, "eve@slow.example",
                "eve@slow.example"));
    g_assert_cmpint(run(w), ==, 1);
    w->now += 30;
    g_assert_cmpint(run(w), ==, 0);
    g_assert_cmpint(spooled(w), ==, 1);
}

static void
test_sent(World *w, gconstpointer data)
{
    (void) data;
    w->settings.bounce.evidence = EVIDENCE_SENT;
    Observation *sent = mail(w, OBSERVATION_SENT, "", "ann@ours.example");
    sent->returned.message_id = g_strdup("m1@ours.example");
    sent->local = true;
    g_ptr_array_set_size(sent->recipients, 0);
    g_ptr_array_add(sent->recipients, g_strdup("Bob@cust.example"));
    put(w, sent);
    run(w);

    static const struct {
        const char *email, *id, *to;
        bool counts;
    } reports[] = {
        { "bob@cust.example", "m1@ours.example", "ann@ours.example", true },
        { "eve@cust.example", "m1@ours.example", "ann@ours.example", false },
        { "tom@cust.example", "m2@ours.example", "ann@ours.example", false },
        { "tim@cust.example", NULL, "ann@ours.example", false },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(reports); i++) {
        Observation *o = mail(w, OBSERVATION_BOUNCE, reports[i].email,
                              "mailer-daemon@mx.cust.example");
        o->returned.message_id = g_strdup(reports[i].id);
        o->returned.from = g_strdup("ann@ours.example");
        put(w, o);
        run(w);
        g_autoptr(ContactRecord) record =
            store_get(w->store, reports[i].email, NULL);
        g_assert_cmpint(record != NULL && record->want_status == 3, ==,
                        reports[i].counts);
    }
    /* To an address that never sent. */
    Observation *sent2 = mail(w, OBSERVATION_SENT, "", "ann@ours.example");
    sent2->returned.message_id = g_strdup("m3@ours.example");
    g_ptr_array_set_size(sent2->recipients, 0);
    g_ptr_array_add(sent2->recipients, g_strdup("joe@cust.example"));
    put(w, sent2);
    Observation *stray = mail(w, OBSERVATION_BOUNCE, "joe@cust.example",
                              "mailer-daemon@mx.cust.example");
    stray->returned.message_id = g_strdup("m3@ours.example");
    g_ptr_array_set_size(stray->recipients, 0);
    g_ptr_array_add(stray->recipients, g_strdup("info@ours.example"));
    put(w, stray);
    run(w);
    g_autoptr(ContactRecord) joe =
        store_get(w->store, "joe@cust.example", NULL);
    g_assert_true(joe == NULL || joe->want_status == 0);
}

/* A report that comes again, or is replayed, counts once. */
static void
test_replay(World *w, gconstpointer data)
{
    (void) data;
    w->settings.bounce.soft_limit = 3;
    for (int i = 0; i < 5; i++) {
        Observation *o = mail(w, OBSERVATION_BOUNCE, "bob@cust.example",
                              "mailer-daemon@mx.cust.example");
        o->bounce.class = BOUNCE_SOFT;
        o->returned.message_id = g_strdup("m1@ours.example");
        o->returned.from = g_strdup("ann@ours.example");
        put(w, o);
        run(w);
    }
    g_assert_cmpint(store_soft_bounces(w->store, "bob@cust.example", 0, NULL),
                    ==, 1);
    for (int i = 0; i < 2; i++) {
        Observation *o = mail(w, OBSERVATION_BOUNCE, "bob@cust.example",
                              "mailer-daemon@mx.cust.example");
        o->bounce.class = BOUNCE_SOFT;
        o->returned.message_id = g_strdup_printf("n%d@ours.example", i);
        o->returned.from = g_strdup("ann@ours.example");
        put(w, o);
        run(w);
    }
    g_autoptr(ContactRecord) bob =
        store_get(w->store, "bob@cust.example", NULL);
    g_assert_nonnull(bob);
    g_assert_cmpint(bob->want_status, ==, 3);
}

/* After a time without the store, mail that left, its report and many soft
 * bounces come in one run: each knows of those before it. */
static void
test_backlog(World *w, gconstpointer data)
{
    (void) data;
    w->settings.bounce.evidence = EVIDENCE_SENT;
    w->settings.bounce.soft_limit = 3;
    for (int i = 0; i < 3; i++) {
        Observation *sent = mail(w, OBSERVATION_SENT, "", "ann@ours.example");
        sent->returned.message_id = g_strdup_printf("m%d@ours.example", i);
        g_ptr_array_set_size(sent->recipients, 0);
        g_ptr_array_add(sent->recipients, g_strdup("bob@cust.example"));
        g_ptr_array_add(sent->recipients, g_strdup("eve@cust.example"));
        put(w, sent);
        static const char *const about[] = { "bob@cust.example",
                                             "eve@cust.example" };
        for (int k = 0; k < (i < 2 ? 2 : 1); k++) {
            Observation *o = mail(w, OBSERVATION_BOUNCE, about[k],
                                  "mailer-daemon@mx.cust.example");
            o->bounce.class = BOUNCE_SOFT;
            o->returned.message_id = g_strdup_printf("m%d@ours.example", i);
            put(w, o);
        }
    }
    g_assert_cmpint(run(w), ==, 3 + 5);
    g_assert_cmpint(spooled(w), ==, 0);
    static const struct {
        const char *email;
        int64_t soft;
        int status;
    } cases[] = { { "bob@cust.example", 3, 3 }, { "eve@cust.example", 2, 0 } };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(ContactRecord) record =
            store_get(w->store, cases[i].email, NULL);
        g_assert_cmpint(store_soft_bounces(w->store, cases[i].email, 0, NULL),
                        ==, cases[i].soft);
        g_assert_cmpint(record != NULL ? record->want_status : 0, ==,
                        cases[i].status);
    }
}

/* A report that comes in through one host before another has told of the mail:
 * it waits, where several hosts share the store, and not for ever. */
static void
test_early(World *w, gconstpointer data)
{
    (void) data;
    static const struct {
        bool shared;
        int64_t told_after; /* 0: never */
        bool counts;
        int runs;
    } cases[] = { { true, 3, true, 2 },
                  { true, 4000, true, 8 },
                  { true, 0, false, 8 },
                  { false, 3, false, 1 } };
    w->settings.bounce.evidence = EVIDENCE_SENT;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        judge_set_shared(w->judge, cases[i].shared);
        g_autofree char *email = g_strdup_printf("e%zu@cust.example", i);
        g_autofree char *id = g_strdup_printf("e%zu@ours.example", i);
        Observation *report =
            mail(w, OBSERVATION_BOUNCE, email, "mailer-daemon@mx.cust.example");
        report->returned.message_id = g_strdup(id);
        put(w, report);
        int64_t told = w->now + cases[i].told_after;
        int64_t end = w->now + 8000;
        int runs = 0;
        for (; w->now < end && (runs == 0 || spooled(w) > 0); w->now++) {
            if (cases[i].told_after > 0 && w->now == told) {
                /* The other host's judge. */
                g_autoptr(Observation) sent =
                    mail(w, OBSERVATION_SENT, "", "ann@ours.example");
                sent->returned.message_id = g_strdup(id);
                g_ptr_array_set_size(sent->recipients, 0);
                g_ptr_array_add(sent->recipients, g_strdup(email));
                g_autoptr(Observation) sender =
                    mail(w, OBSERVATION_SENT, "", NULL);
                sender->returned.message_id = g_strdup(EVIDENCE_SENDER_ID);
                g_ptr_array_set_size(sender->recipients, 0);
                g_ptr_array_add(sender->recipients,
                                evidence_sender_key("ann@ours.example"));
                const Judged list[] = { { .observation = sent },
                                        { .observation = sender } };
                g_assert_true(store_merge(w->store, list, 2, w->now, NULL));
            }
            runs += run(w);
        }
        g_assert_cmpint(runs, ==, cases[i].runs);
        g_assert_cmpint(spooled(w), ==, 0);
        g_autoptr(ContactRecord) record = store_get(w->store, email, NULL);
        g_assert_cmpint(record != NULL && record->want_status == 3, ==,
                        cases[i].counts);
    }
}

/* A store that cannot be written costs time, never an observation, and the
 * order stays. */
static void
test_store_locked(World *w, gconstpointer data)
{
    (void) data;
    g_autofree char *path = g_build_filename(w->folder, "contacts.db", NULL);
    sqlite3 *other = NULL;
    g_assert_cmpint(sqlite3_open(path, &other), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL),
                    ==, SQLITE_OK);
    w->settings.bounce.evidence = EVIDENCE_SENT;
    put(w,
        mail(w, OBSERVATION_UNSUBSCRIBE, "a@calm.example", "a@calm.example"));
    Observation *sent = mail(w, OBSERVATION_SENT, "", "ann@ours.example");
    sent->returned.message_id = g_strdup("m1@ours.example");
    g_ptr_array_set_size(sent->recipients, 0);
    g_ptr_array_add(sent->recipients, g_strdup("bob@cust.example"));
    put(w, sent);
    /* Once only: it waits for the lock as long as the store does. */
    g_autoptr(GError) error = NULL;
    g_assert_cmpint(judge_run(w->judge, w->spool, 10, w->now, &error), ==, -1);
    g_assert_error(error, STORE_ERROR, STORE_ERROR_UNAVAILABLE);
    g_assert_cmpint(spooled(w), ==, 2);
    w->now++;
    Observation *report = mail(w, OBSERVATION_BOUNCE, "bob@cust.example",
                               "mailer-daemon@mx.cust.example");
    report->returned.message_id = g_strdup("m1@ours.example");
    put(w, report);
    g_assert_cmpint(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), ==,
                    SQLITE_OK);
    (void) sqlite3_close(other);
    g_assert_cmpint(run(w), ==, 3);
    g_assert_cmpint(spooled(w), ==, 0);
    g_assert_cmpint(status(w).pending, ==, 2);
    g_autoptr(ContactRecord) bob =
        store_get(w->store, "bob@cust.example", NULL);
    g_assert_cmpint(bob->want_status, ==, 3);
}

/* One line for each decision, whatever strangers write. */
static void
test_log(World *w, gconstpointer data)
{
    (void) data;
    if (!g_test_subprocess()) {
        g_test_trap_subprocess(NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
        g_test_trap_assert_passed();
        g_test_trap_assert_stderr(
            "*4b0000: contact=bob@good.example fields=name trust=pass "
            "reason=\"pass: spf=pass for good.example, aligned\" "
            "action=merged\n*");
        g_test_trap_assert_stderr(
            "*4b0001: contact=eve@good.example fields=name trust=fail "
            "reason=\"fail: spf=fail for good.example, aligned\" "
            "action=refused why=\"*\"\n*");
        g_test_trap_assert_stderr(
            "*4b0002: unsubscribe=x@*?u000a4bFAKE: contact=y scope=all "
            "trust=neutral *\n*");
        g_test_trap_assert_stderr(
            "*4b0003: bounce=bob@cust.example class=hard status=5.1.1 "
            "cause=userunknown trust=neutral reason=\"original=yes: returns "
            "mail that we wrote *\" action=merged\n*");
        g_test_trap_assert_stderr_unmatched("*\n4bFAKE*");
        return;
    }
    log_open("judge", LOG_TARGET_STDERR, LOG_LEVEL_INFO_, ADDRESSES_FULL);
    put(w,
        mail(w, OBSERVATION_CONTACT, "bob@good.example", "bob@good.example"));
    Observation *forged =
        mail(w, OBSERVATION_CONTACT, "eve@good.example", "eve@good.example");
    g_free(forged->client_addr);
    forged->client_addr = g_strdup("198.51.100.1");
    put(w, forged);
    put(w, mail(w, OBSERVATION_UNSUBSCRIBE, "x@evil.example\n4bFAKE: contact=y",
                "x@evil.example\n4bFAKE: contact=y"));
    Observation *report = mail(w, OBSERVATION_BOUNCE, "bob@cust.example",
                               "mailer-daemon@mx.cust.example");
    report->returned.from = g_strdup("ann@ours.example");
    put(w, report);
    run(w);
}

/* New settings count from the next run on. */
static void
test_configure(World *w, gconstpointer data)
{
    (void) data;
    put(w, mail(w, OBSERVATION_CONTACT, "a@other.example", "a@other.example"));
    run(w);
    g_assert_cmpint(status(w).contacts, ==, 0);
    Settings any = w->settings;
    any.references = 1;
    any.trust.contact = TRUST_ANY;
    judge_configure(w->judge, &any);
    put(w, mail(w, OBSERVATION_CONTACT, "a@other.example", "a@other.example"));
    run(w);
    g_assert_cmpint(status(w).contacts, ==, 1);
    judge_configure(w->judge, &w->settings);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    log_open("test_judge", LOG_TARGET_STDERR,
             g_test_verbose() ? LOG_LEVEL_DEBUG_ : LOG_LEVEL_WARNING_,
             ADDRESSES_FULL);
#define JUDGE_TEST(name, function) \
    g_test_add("/judge/" name, World, NULL, set_up, function, tear_down)
    JUDGE_TEST("flood", test_flood);
    JUDGE_TEST("many-domains", test_many_domains);
    JUDGE_TEST("spf", test_spf);
    JUDGE_TEST("temperror", test_temperror);
    JUDGE_TEST("sent", test_sent);
    JUDGE_TEST("replay", test_replay);
    JUDGE_TEST("backlog", test_backlog);
    JUDGE_TEST("early", test_early);
    JUDGE_TEST("store-locked", test_store_locked);
    JUDGE_TEST("log", test_log);
    JUDGE_TEST("configure", test_configure);
    return g_test_run();
}
