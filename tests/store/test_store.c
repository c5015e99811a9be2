/*
 * test_store.c - see milter/store/store.h; the same cases for every backend
 *
 * The PostgreSQL cases start a server of their own (pgserver.c) and give each
 * case a schema of its own; without PostgreSQL's programs they are skipped.
 */
#include "config.h"

#include "store/spool.h"
#include "store/store.h"
#include "store/store_backend.h"
#include "store/store_internal.h"

#include "pgserver.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define DAY INT64_C(86400)
#define NOW INT64_C(1700000000)

typedef struct {
    bool pgsql;
    char *dir;
    char *uri;
    Store *store;
} Fixture;

static PgServer *server;

static Store *
open_store(const char *uri, const char *host)
{
    g_autoptr(GError) error = NULL;
    Store *store = store_open(uri, host, &error);
    g_assert_no_error(error);
    return store;
}

static void
setup(Fixture *f, const void *data)
{
    g_autoptr(GError) error = NULL;
    f->pgsql = GPOINTER_TO_INT(data) != 0;
    f->dir = g_dir_make_tmp("test-store-XXXXXX", &error);
    g_assert_no_error(error);
    if (f->pgsql)
        f->uri = pg_server_schema(server);
    else
        f->uri = g_strdup_printf("sqlite:%s/contacts.db", f->dir);
    if (f->uri != NULL)
        f->store = open_store(f->uri, "mx1");
}

static void
teardown(Fixture *f, const void *data)
{
    (void) data;
    store_close(f->store);
    g_autoptr(GDir) list = g_dir_open(f->dir, 0, NULL);
    const char *name;
    while ((name = g_dir_read_name(list)) != NULL) {
        g_autofree char *path = g_build_filename(f->dir, name, NULL);
        (void) g_unlink(path);
    }
    (void) g_rmdir(f->dir);
    g_free(f->dir);
    g_free(f->uri);
}

/* --- observations in one line each ---------------------------------------- */

static void
set_field(Field *field, const char *value, double confidence)
{
    if (value != NULL)
        field_set(field, value, value, confidence);
}

static Observation *
contact_at(const char *email, const char *first, const char *last,
           const char *title, int64_t time)
{
    Observation *o = observation_new(OBSERVATION_CONTACT, email);
    contact_free(o->contact);
    o->contact = contact_new(email);
    set_field(&o->contact->first_name, first, 0.9);
    set_field(&o->contact->last_name, last, 0.9);
    set_field(&o->contact->job_title, title, 0.9);
    o->time = time;
    return o;
}

static void
add_phone(Observation *o, PhoneType type, const char *number)
{
    Phone phone = { .type = type };
    set_field(&phone.number, number, 0.9);
    g_array_append_val(o->contact->phones, phone);
}

static void
add_link(Observation *o, const char *url)
{
    Field link = { 0 };
    set_field(&link, url, 0.9);
    g_array_append_val(o->contact->links, link);
}

static void
merge_judged(Store *store, const Judged *judged, int64_t now)
{
    g_autoptr(GError) error = NULL;
    g_assert_true(store_merge(store, judged, 1, now, &error));
    g_assert_no_error(error);
}

/* Merges and frees the observation. */
static void
merge(Store *store, Observation *o, int64_t now)
{
    Judged judged = { .observation = o, .trust = "pass: dmarc" };
    merge_judged(store, &judged, now);
    observation_free(o);
}

static void
merge_status(Store *store, const char *email, int status, const char *key,
             int64_t now)
{
    g_autoptr(Observation) o = observation_new(
        status == 2 ? OBSERVATION_UNSUBSCRIBE : OBSERVATION_BOUNCE, email);
    o->time = now;
    Judged judged = { .key = key,
                      .observation = o,
                      .trust = "original",
                      .want_status = status,
                      .domain = "example.com" };
    merge_judged(store, &judged, now);
}

static GPtrArray *
claim(Store *store, size_t max, int64_t now)
{
    g_autoptr(GError) error = NULL;
    GPtrArray *list = store_claim(store, max, now, 60, &error);
    g_assert_no_error(error);
    return list;
}

static void
confirm(Store *store, ContactRecord *record)
{
    g_autoptr(GError) error = NULL;
    g_assert_true(store_confirm(store, &record, 1, &error));
    g_assert_no_error(error);
}

/* Claims what is due and confirms it with CRM id `id` and status `status`. */
static guint
work_off(Store *store, int64_t id, int status, int64_t now)
{
    g_autoptr(GPtrArray) list = claim(store, 100, now);
    for (guint i = 0; i < list->len; i++) {
        ContactRecord *record = list->pdata[i];
        if (record->crm->len == 0)
            g_ptr_array_add(record->crm, crm_contact_new(id));
        if (status != 0)
            ((CrmContact *) record->crm->pdata[0])->status_set = status;
        confirm(store, record);
    }
    return list->len;
}

static StoreStatus
status(Store *store)
{
    StoreStatus s;
    g_autoptr(GError) error = NULL;
    g_assert_true(store_status(store, &s, &error));
    g_assert_no_error(error);
    return s;
}

static ContactRecord *
get(Store *store, const char *email)
{
    g_autoptr(GError) error = NULL;
    ContactRecord *record = store_get(store, email, &error);
    g_assert_no_error(error);
    return record;
}

static const char *
phone_of(const ContactRecord *record, PhoneType type)
{
    const GArray *phones = record->known->phones;
    for (guint i = 0; i < phones->len; i++) {
        if (g_array_index(phones, Phone, i).type == type)
            return g_array_index(phones, Phone, i).number.value;
    }
    return NULL;
}

/* --- merging ----------------------------------------------------------------- */

static void
test_basic(Fixture *f, const void *data)
{
    (void) data;
    Store *s = f->store;
    g_assert_null(get(s, "ann@example.org"));
    merge(s, contact_at("Ann@Example.org", "Ann", "Lee", "Boss", NOW), NOW);
    StoreStatus st = status(s);
    g_assert_cmpint(st.pending, ==, 1);
    g_assert_cmpint(st.contacts, ==, 1);
    g_assert_cmpint(st.oldest_pending, ==, NOW);

    g_autoptr(GPtrArray) list = claim(s, 10, NOW);
    g_assert_cmpuint(list->len, ==, 1);
    ContactRecord *r = list->pdata[0];
    g_assert_cmpstr(r->email, ==, "Ann@Example.org");
    g_assert_cmpstr(r->known->email, ==, "Ann@Example.org");
    g_assert_cmpstr(r->known->job_title.value, ==, "Boss");
    g_assert_cmpfloat(r->known->job_title.confidence, ==, 0.9);
    g_assert_cmpstr(r->known->job_title.evidence, ==, "Boss");
    g_assert_true(r->want_fields);
    g_assert_cmpint(r->want_status, ==, 0);
    g_assert_cmpint(r->state, ==, CONTACT_PENDING);
    g_assert_cmpstr(r->trust, ==, "pass: dmarc");
    g_assert_cmpint(r->first_seen, ==, NOW);
    g_assert_cmpint(r->last_mail, ==, NOW);

    CrmContact *crm = crm_contact_new(42);
    g_hash_table_insert(crm->wrote, g_strdup("phone"), g_strdup("+61 1"));
    g_hash_table_insert(crm->wrote, g_strdup("title?"), g_strdup("\xff é"));
    crm->status_set = 5;
    g_ptr_array_add(r->crm, crm);
    g_hash_table_insert(r->refused, g_strdup("company"), g_strdup("no"));
    confirm(s, r);

    g_autoptr(ContactRecord) after = get(s, "ann@example.org");
    g_assert_cmpint(after->state, ==, CONTACT_IDLE);
    g_assert_cmpuint(after->crm->len, ==, 1);
    crm = after->crm->pdata[0];
    g_assert_cmpint(crm->id, ==, 42);
    g_assert_cmpint(crm->status_set, ==, 5);
    g_assert_cmpstr(g_hash_table_lookup(crm->wrote, "phone"), ==, "+61 1");
    g_assert_true(g_hash_table_contains(crm->wrote, "title?"));
    g_assert_cmpstr(g_hash_table_lookup(after->refused, "company"), ==, "no");
    g_assert_cmpint(status(s).pending, ==, 0);

    /* The same again, soon and much later: nothing to do. */
    for (int i = 1; i < 5; i++)
        merge(
            s,
            contact_at("ann@example.org", "Ann", "Lee", "Boss", NOW + i * 1000),
            NOW + i * 1000);
    merge(s, contact_at("ann@example.org", "Ann", "Lee", "Boss", NOW + 9 * DAY),
          NOW + 9 * DAY);
    g_assert_cmpint(status(s).pending, ==, 0);
    g_autoptr(ContactRecord) last = get(s, "ann@example.org");
    g_assert_cmpint(last->last_mail, ==, NOW + 9 * DAY);
    g_assert_cmpint(last->version, ==, after->version);

    /* A change is a change. */
    merge(s, contact_at("ann@example.org", "Ann", "Lee", "CEO", NOW + 10 * DAY),
          NOW + 10 * DAY);
    g_assert_cmpint(status(s).pending, ==, 1);
    g_assert_cmpint(status(s).contacts, ==, 1);
}

/* Which fields win, in every order of arrival. */
static void
test_fields(Fixture *f, const void *data)
{
    (void) data;
    static const int orders[6][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
                                      { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };
    for (size_t n = 0; n < G_N_ELEMENTS(orders); n++) {
        g_autofree char *email = g_strdup_printf("f%zu@example.org", n);
        for (int i = 0; i < 3; i++) {
            int which = orders[n][i];
            /* 0: all. 1: later, only a title and a mobile. 2: latest, a name,
             * a work number, a link elsewhere. */
            Observation *o =
                which == 0 ? contact_at(email, "Ann", "Lee", "Clerk", NOW)
                : which == 1
                    ? contact_at(email, NULL, NULL, "Manager", NOW + 10)
                    : contact_at(email, "Ann", "Smith", NULL, NOW + 20);
            if (which == 0) {
                add_phone(o, PHONE_WORK, "+61800000001");
                add_phone(o, PHONE_MOBILE, "+61400000001");
                add_phone(o, PHONE_FAX, "+61800000009");
                add_link(o, "https://www.linkedin.com/in/ann");
                add_link(o, "https://example.org/ann");
                set_field(&o->contact->address, "1 Old St", 0.9);
                o->contact->address_parts.city = g_strdup("Perth");
            } else if (which == 1) {
                add_phone(o, PHONE_MOBILE, "+61400000002");
                set_field(&o->contact->address, "2 New St", 0.9);
            } else {
                add_phone(o, PHONE_WORK, "+61800000002");
                add_link(o, "https://linkedin.com/in/ann-smith");
            }
            merge(f->store, o, NOW + 100 + i);
        }
        g_autoptr(ContactRecord) r = get(f->store, email);
        g_assert_cmpstr(r->known->first_name.value, ==, "Ann");
        g_assert_cmpstr(r->known->last_name.value, ==, "Smith");
        g_assert_cmpstr(r->known->job_title.value, ==, "Manager");
        g_assert_cmpstr(phone_of(r, PHONE_WORK), ==, "+61800000002");
        g_assert_cmpstr(phone_of(r, PHONE_MOBILE), ==, "+61400000002");
        g_assert_cmpstr(phone_of(r, PHONE_FAX), ==, "+61800000009");
        g_assert_cmpstr(r->known->address.value, ==, "2 New St");
        g_assert_null(r->known->address_parts.city);
        g_assert_cmpuint(r->known->phones->len, ==, 3);
        g_assert_cmpuint(r->known->links->len, ==, 2);
        g_assert_cmpint(r->last_mail, ==, NOW + 20);
        g_assert_cmpint(r->first_seen, ==, NOW + 100);
    }
}

static void
test_confidence(Fixture *f, const void *data)
{
    (void) data;
    Store *s = f->store;
    const char *email = "c@example.org";
    merge(s, contact_at(email, "Ann", "Lee", "Boss", NOW), NOW);
    /* Later, but only guessed. */
    Observation *o = contact_at(email, "Anl", NULL, "Boss", NOW + 10);
    set_field(&o->contact->last_name, "Ee", 0.5);
    o->contact->first_name.confidence = 0.5;
    merge(s, o, NOW + 10);
    g_autoptr(ContactRecord) r = get(s, email);
    g_assert_cmpstr(r->known->first_name.value, ==, "Ann");
    g_assert_cmpstr(r->known->last_name.value, ==, "Lee");
    (void) work_off(s, 1, 0, NOW + 20);

    /* Half a name of another person. */
    merge(s, contact_at(email, "Mary", NULL, NULL, NOW + 30), NOW + 30);
    g_autoptr(ContactRecord) half = get(s, email);
    g_assert_cmpstr(half->known->first_name.value, ==, "Ann");
    g_assert_cmpint(half->state, ==, CONTACT_IDLE);

    /* The same value, now sure enough to be sent. */
    o = contact_at("g@example.org", "Gus", "Low", NULL, NOW);
    set_field(&o->contact->job_title, "Cook", 0.5);
    merge(s, o, NOW);
    (void) work_off(s, 2, 0, NOW + 40);
    merge(s, contact_at("g@example.org", "Gus", "Low", "Cook", NOW + 50),
          NOW + 50);
    g_autoptr(ContactRecord) sure = get(s, "g@example.org");
    g_assert_cmpint(sure->state, ==, CONTACT_PENDING);
    g_assert_cmpfloat(sure->known->job_title.confidence, ==, 0.9);
}

static void
test_last_mail(Fixture *f, const void *data)
{
    (void) data;
    Store *s = f->store;
    merge(s, contact_at("l@example.org", "L", "M", NULL, NOW), NOW);
    (void) work_off(s, 1, 0, NOW);
    g_autoptr(Observation) o =
        contact_at("l@example.org", "L", "M", NULL, NOW + 2 * DAY);
    Judged judged = { .observation = o, .want_last_mail = true };
    merge_judged(s, &judged, NOW + 2 * DAY);
    g_assert_cmpint(status(s).pending, ==, 1);
    (void) work_off(s, 1, 0, NOW + 2 * DAY);
    o->time += 5; /* the same day */
    merge_judged(s, &judged, NOW + 2 * DAY);
    g_assert_cmpint(status(s).pending, ==, 0);
}

static void
test_statuses(Fixture *f, const void *data)
{
    (void) data;
    Store *s = f->store;
    static const struct {
        const char *name;
        int first, second;
        int want;
    } rows[] = {
        { "s0@example.org", 3, 2, 2 }, { "s1@example.org", 2, 3, 2 },
        { "s2@example.org", 3, 3, 3 }, { "s3@example.org", 1, 1, 0 },
        { "s4@example.org", 3, 1, 3 },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        merge_status(s, rows[i].name, rows[i].first, NULL, NOW);
        merge_status(s, rows[i].name, rows[i].second, NULL, NOW);
        g_autoptr(ContactRecord) r = get(s, rows[i].name);
        g_assert_cmpint(r != NULL ? r->want_status : 0, ==, rows[i].want);
        g_assert_true(r == NULL || r->known == NULL);
    }
    g_assert_cmpuint(work_off(s, 1, 0, NOW), ==, 4);
    g_autoptr(ContactRecord) idle = get(s, "s0@example.org");
    g_assert_cmpint(idle->state, ==, CONTACT_IDLE);
    g_assert_cmpint(idle->want_status, ==, 0);

    /* What the CRM was told is not told again at once. */
    merge_status(s, "t@example.org", 3, "k1", NOW);
    (void) work_off(s, 7, 3, NOW);
    merge_status(s, "t@example.org", 3, "k2", NOW + DAY);
    g_assert_cmpint(status(s).pending, ==, 0);
    /* Recovered, only because the 3 was ours. */
    merge_status(s, "t@example.org", 1, "k3", NOW + DAY);
    g_assert_cmpint(status(s).pending, ==, 1);
    (void) work_off(s, 7, 1, NOW + DAY);
    merge_status(s, "t@example.org", 1, "k4", NOW + DAY);
    g_assert_cmpint(status(s).pending, ==, 0);
    /* It bounces again. */
    merge_status(s, "t@example.org", 3, "k5", NOW + 2 * DAY);
    g_assert_cmpint(status(s).pending, ==, 1);
    (void) work_off(s, 7, 3, NOW + 2 * DAY);
    /* Opt-out, then a bounce. */
    merge_status(s, "t@example.org", 2, "k6", NOW + 3 * DAY);
    (void) work_off(s, 7, 2, NOW + 3 * DAY);
    merge_status(s, "t@example.org", 3, "k7", NOW + 4 * DAY);
    g_assert_cmpint(status(s).pending, ==, 0);
    /* A new request is honoured: they may have been subscribed in the CRM. */
    merge_status(s, "t@example.org", 2, "k8", NOW + 5 * DAY);
    g_assert_cmpint(status(s).pending, ==, 1);
    (void) work_off(s, 7, 2, NOW + 5 * DAY);
    /* Long after, a bounce is looked at again. */
    merge_status(s, "t@example.org", 3, "k9", NOW + 90 * DAY);
    g_assert_cmpint(status(s).pending, ==, 1);
    (void) work_off(s, 7, 2, NOW + 90 * DAY);

    /* An unknown address bounced; then it becomes a contact; then bounces. */
    merge_status(s, "u@example.org", 3, "k10", NOW);
    g_autoptr(GPtrArray) list = claim(s, 10, NOW);
    g_assert_cmpuint(list->len, ==, 1);
    confirm(s, list->pdata[0]);
    merge_status(s, "u@example.org", 3, "k11", NOW + 1);
    g_assert_cmpint(status(s).pending, ==, 0);
    merge(s, contact_at("u@example.org", "U", "V", NULL, NOW + 2), NOW + 2);
    (void) work_off(s, 9, 0, NOW + 2);
    merge_status(s, "u@example.org", 3, "k12", NOW + 3);
    g_assert_cmpint(status(s).pending, ==, 1);
}

static void
test_sms_suppress(Fixture *f, const void *data)
{
    (void) data;
    Store *s = f->store;
    g_autoptr(Observation) o =
        observation_new(OBSERVATION_UNSUBSCRIBE, "x@example.org");
    Judged judged = { .key = "k",
                      .observation = o,
                      .want_status = 2,
                      .want_sms = 2,
                      .unknown_suppress = true };
    merge_judged(s, &judged, NOW);
    g_autoptr(GPtrArray) list = claim(s, 10, NOW);
    const ContactRecord *r = list->pdata[0];
    g_assert_cmpint(r->want_sms, ==, 2);
    g_assert_true(r->unknown_suppress);
    g_assert_false(r->want_fields);
    confirm(s, list->pdata[0]);
    g_autoptr(ContactRecord) after = get(s, "x@example.org");
    g_assert_cmpint(after->want_sms, ==, 0);
    g_assert_false(after->unknown_suppress);
}

static void
test_anonymised(Fixture *f, const void *data)
{
    (void) data;
    Store *s = f->store;
    merge(s, contact_at("z@example.org", "Z", "Y", NULL, NOW), NOW);
    g_autoptr(GPtrArray) list = claim(s, 10, NOW);
    ContactRecord *r = list->pdata[0];
    r->anonymised = true;
    confirm(s, r);
    merge(s, contact_at("z@example.org", "Zed", "Y", "Boss", NOW + 9), NOW + 9);
    merge_status(s, "z@example.org", 3, "k", NOW + 9);
    g_assert_cmpint(status(s).pending, ==, 0);
    g_autoptr(ContactRecord) after = get(s, "z@example.org");
    g_assert_true(after->anonymised);
}

/* The same observation twice does nothing, in one batch or two. */
static void
test_idempotent(Fixture *f, const void *data)
{
    (void) data;
    Store *s = f->store;
    g_autoptr(Observation) o =
        observation_new(OBSERVATION_BOUNCE, "i@example.org");
    o->time = NOW;
    Judged one = { .key = "same", .observation = o, .soft_bounce = true };
    Judged batch[] = { one, one, one };
    g_autoptr(GError) error = NULL;
    g_assert_true(store_merge(s, batch, 3, NOW, &error));
    g_assert_true(store_merge(s, batch, 1, NOW + 5, &error));
    g_assert_cmpint(store_soft_bounces(s, "I@example.org", NOW - 1, &error), ==,
                    1);
    one.key = "other";
    merge_judged(s, &one, NOW);
    g_assert_cmpint(store_soft_bounces(s, "i@example.org", NOW - 1, &error), ==,
                    2);
    g_assert_cmpint(store_soft_bounces(s, "i@example.org", NOW + 1, &error), ==,
                    0);
    /* Nobody is known for a soft bounce. */
    g_assert_cmpint(status(s).contacts, ==, 0);

    merge_status(s, "j@example.org", 3, "k1", NOW);
    merge_status(s, "j@example.org", 3, "k1", NOW);
    merge_status(s, "j@example.org", 3, "k2", NOW); /* changes nothing */
    merge_status(s, "h@example.org", 2, "k3", NOW);
    g_assert_cmpint(store_status_changes(s, "example.com", NOW - 10, &error),
                    ==, 2);
    g_assert_cmpint(store_status_changes(s, "example.net", NOW - 10, &error),
                    ==, 0);
    g_assert_cmpint(store_status_changes(s, "example.com", NOW + 1, &error), ==,
                    0);
    g_assert_no_error(error);
}

/* --- work -------------------------------------------------------------------- */

static void
test_leases(Fixture *f, const void *data)
{
    (void) data;
    Store *a = f->store;
    Store *b = open_store(f->uri, "mx2");
    g_autoptr(GError) error = NULL;
    for (int i = 0; i < 10; i++) {
        g_autofree char *email = g_strdup_printf("p%d@example.org", i);
        merge(a, contact_at(email, "P", "Q", NULL, NOW + i), NOW + i);
    }
    g_autoptr(GPtrArray) mine = claim(a, 4, NOW + 100);
    g_autoptr(GPtrArray) theirs = claim(b, 100, NOW + 100);
    g_assert_cmpuint(mine->len, ==, 4);
    g_assert_cmpuint(theirs->len, ==, 6);
    g_assert_cmpstr(((ContactRecord *) mine->pdata[0])->email, ==,
                    "p0@example.org"); /* oldest first */
    g_autoptr(GPtrArray) none = claim(b, 100, NOW + 159);
    g_assert_cmpuint(none->len, ==, 0);

    /* What is saved in the middle stays. */
    ContactRecord *r = mine->pdata[0];
    g_ptr_array_add(r->crm, crm_contact_new(0));
    g_assert_true(
        store_save(a, (ContactRecord *const *) mine->pdata, 4, &error));
    g_autoptr(ContactRecord) saved = get(b, "p0@example.org");
    g_assert_cmpuint(saved->crm->len, ==, 1);
    g_assert_cmpint(saved->state, ==, CONTACT_PENDING);

    /* A lease that is over is taken by the other; the late answer is void. */
    g_autoptr(GPtrArray) over = claim(b, 1, NOW + 161);
    g_assert_cmpuint(over->len, ==, 1);
    g_assert_cmpstr(((ContactRecord *) over->pdata[0])->email, ==,
                    "p0@example.org");
    confirm(a, r);
    g_autoptr(ContactRecord) still = get(a, "p0@example.org");
    g_assert_cmpint(still->state, ==, CONTACT_PENDING);
    g_assert_true(store_retry(a, r, NOW + 999, "late", &error));
    g_autoptr(ContactRecord) same = get(a, "p0@example.org");
    g_assert_null(same->reason);
    confirm(b, over->pdata[0]);
    g_autoptr(ContactRecord) idle = get(a, "p0@example.org");
    g_assert_cmpint(idle->state, ==, CONTACT_IDLE);

    /* Closing gives back what was not answered. */
    store_close(b);
    b = open_store(f->uri, "mx2");
    g_autoptr(GPtrArray) back = claim(b, 100, NOW + 100);
    g_assert_cmpuint(back->len, ==, 6);
    store_close(b);

    g_assert_true(
        store_confirm(a, (ContactRecord *const *) mine->pdata + 1, 3, &error));
    g_assert_no_error(error);
    g_assert_cmpint(status(a).pending, ==, 6);
}

/* Kills a process that holds a lease. */
static void
die_with_lease(Fixture *f, const char *host, int64_t now, guint expected)
{
    pid_t pid = fork();
    g_assert_cmpint(pid, >=, 0);
    if (pid == 0) {
        Store *s = store_open(f->uri, host, NULL);
        GPtrArray *list = store_claim(s, 100, now, 60, NULL);
        if (list == NULL || list->len != expected)
            _exit(1);
        (void) raise(SIGKILL);
    }
    int state = 0;
    g_assert_cmpint(waitpid(pid, &state, 0), ==, pid);
    g_assert_true(WIFSIGNALED(state));
}

static void
test_crashes(Fixture *f, const void *data)
{
    (void) data;
    Store *s = f->store;
    g_autoptr(GError) error = NULL;
    for (int i = 0; i < 30; i++) {
        g_autofree char *email = g_strdup_printf("d%02d@example.org", i);
        merge(s, contact_at(email, "D", "E", NULL, NOW + i), NOW + i);
    }
    Store *next = open_store(f->uri, "mx9");
    /* The leases of the dead end at once where it starts again, and the first
     * contact comes in ever smaller company. */
    static const guint company[] = { 30, 20, 1 };
    for (size_t i = 0; i < G_N_ELEMENTS(company); i++) {
        die_with_lease(f, "mx9", NOW + 100, company[i]);
        g_autoptr(GPtrArray) none = claim(s, 100, NOW + 100);
        if (i == 0)
            g_assert_cmpuint(none->len, ==, 0);
        else /* those that were not in the last company */
            for (guint k = 0; k < none->len; k++)
                confirm(s, none->pdata[k]);
        g_assert_true(store_release_leases(next, &error));
        g_assert_no_error(error);
    }
    /* The others of its second company are alone as well, but done. */
    for (int i = 0; i < 40 && status(s).pending > 0; i++)
        (void) work_off(s, 1, 0, NOW + 200);
    StoreStatus st = status(s);
    g_assert_cmpint(st.pending, ==, 0);
    g_assert_cmpint(st.dead, ==, 1);
    g_autoptr(ContactRecord) poison = get(s, "d00@example.org");
    g_assert_cmpint(poison->state, ==, CONTACT_DEAD);
    store_close(next);
}

static void
test_versions(Fixture *f, const void *data)
{
    (void) data;
    Store *s = f->store;
    merge(s, contact_at("v@example.org", "V", "W", NULL, NOW), NOW);
    merge_status(s, "v@example.org", 3, "k0", NOW);
    g_autoptr(GPtrArray) list = claim(s, 10, NOW + 1);
    /* While the sync works: a title, and the opt-out. */
    merge(s, contact_at("v@example.org", "V", "W", "Boss", NOW + 5), NOW + 5);
    merge_status(s, "v@example.org", 2, "k1", NOW + 5);
    g_autoptr(GPtrArray) none = claim(s, 10, NOW + 6);
    g_assert_cmpuint(none->len, ==, 0);
    confirm(s, list->pdata[0]);
    g_autoptr(GPtrArray) more = claim(s, 10, NOW + 6);
    g_assert_cmpuint(more->len, ==, 1);
    ContactRecord *r = more->pdata[0];
    g_assert_cmpint(r->want_status, ==, 2);
    g_assert_true(r->want_fields);
    g_assert_cmpstr(r->known->job_title.value, ==, "Boss");
    confirm(s, r);
    g_assert_cmpint(status(s).pending, ==, 0);

    /* Buried while something new came in: it is tried again. */
    merge_status(s, "w@example.org", 3, "k2", NOW);
    g_autoptr(GPtrArray) third = claim(s, 10, NOW + 10);
    merge(s, contact_at("w@example.org", "W", "X", NULL, NOW + 11), NOW + 11);
    g_autoptr(GError) error = NULL;
    g_assert_true(store_bury(s, third->pdata[0], "never", &error));
    g_assert_cmpint(status(s).dead, ==, 0);
    g_assert_cmpint(status(s).pending, ==, 1);
}

static void
test_queue(Fixture *f, const void *data)
{
    (void) data;
    Store *s = f->store;
    g_autoptr(GError) error = NULL;
    merge(s, contact_at("q1@example.org", "Q", "R", NULL, NOW), NOW);
    merge_status(s, "q1@example.org", 3, "k1", NOW);
    merge_status(s, "q2@example.org", 2, "k2", NOW + 1);
    g_autoptr(GPtrArray) list = claim(s, 10, NOW + 5);
    g_assert_cmpuint(list->len, ==, 2);
    g_hash_table_insert(((ContactRecord *) list->pdata[0])->refused,
                        g_strdup("phone"), g_strdup("bad"));
    g_assert_true(
        store_retry(s, list->pdata[0], NOW + 300, "no answer", &error));
    g_assert_true(store_bury(s, list->pdata[1], "really \xff never", &error));
    g_assert_no_error(error);

    g_autoptr(GPtrArray) queue = store_queue(s, NULL, 100, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(queue->len, ==, 2);
    const QueueEntry *e = queue->pdata[1];
    g_assert_cmpstr(e->email, ==, "q1@example.org");
    g_assert_cmpstr(e->state, ==, "pending");
    g_assert_cmpstr(e->wants, ==, "contact,status=3");
    g_assert_cmpstr(e->reason, ==, "no answer");
    g_assert_cmpuint(e->attempts, ==, 1);
    g_assert_cmpint(e->due, ==, NOW + 300);
    g_assert_cmpint(e->since, ==, NOW);
    e = queue->pdata[0]; /* what needs a person comes first */
    g_assert_cmpstr(e->state, ==, "dead");
    g_assert_cmpstr(e->wants, ==, "unsubscribe");
    g_autoptr(GPtrArray) one = store_queue(s, "Q2@example.org", 100, &error);
    g_assert_cmpuint(one->len, ==, 1);
    g_autoptr(GPtrArray) first = store_queue(s, NULL, 1, &error);
    g_assert_cmpuint(first->len, ==, 1);

    g_autoptr(GPtrArray) none = claim(s, 10, NOW + 100);
    g_assert_cmpuint(none->len, ==, 0);
    g_assert_cmpint(store_queue_retry(s, NULL, true, NOW + 100, &error), ==, 1);
    g_autoptr(GPtrArray) dead = claim(s, 10, NOW + 100);
    g_assert_cmpuint(dead->len, ==, 1);
    /* Leased: left alone. */
    g_assert_cmpint(store_queue_retry(s, NULL, false, NOW + 110, &error), ==,
                    1);
    g_autoptr(GPtrArray) both = claim(s, 10, NOW + 110);
    g_assert_cmpuint(both->len, ==, 1);
    g_assert_cmpuint(((ContactRecord *) both->pdata[0])->attempts, ==, 1);
    g_assert_true(g_hash_table_contains(
        ((ContactRecord *) both->pdata[0])->refused, "phone"));

    g_assert_cmpint(store_queue_drop(s, "q1@example.org", &error), ==, 1);
    g_assert_cmpint(store_queue_drop(s, "nobody@example.org", &error), ==, 0);
    g_autoptr(GPtrArray) rest = store_queue(s, NULL, 10, &error);
    g_assert_cmpuint(rest->len, ==, 1);
    g_assert_cmpint(store_queue_drop(s, NULL, &error), ==, 1);
    g_assert_no_error(error);
    g_assert_cmpint(status(s).contacts, ==, 2);
}

static void
test_held(Fixture *f, const void *data)
{
    (void) data;
    Store *s = f->store;
    g_autoptr(GError) error = NULL;
    g_autoptr(Observation) o =
        observation_new(OBSERVATION_UNSUBSCRIBE, "held@example.org");
    o->unsure = true;
    o->time = NOW;
    Judged judged = { .key = "h1",
                      .observation = o,
                      .trust = "pass",
                      .hold = true,
                      .hold_reason = "unsure",
                      .want_status = 2,
                      .domain = "example.org" };
    merge_judged(s, &judged, NOW);
    merge_judged(s, &judged, NOW + 1);
    StoreStatus st = status(s);
    g_assert_cmpint(st.held, ==, 1);
    g_assert_cmpint(st.pending, ==, 0);
    g_assert_cmpint(st.contacts, ==, 0);
    g_assert_cmpint(store_status_changes(s, "example.org", 0, &error), ==, 0);
    g_autoptr(GPtrArray) queue = store_queue(s, "HELD@example.org", 10, &error);
    g_assert_cmpuint(queue->len, ==, 1);
    const QueueEntry *e = queue->pdata[0];
    g_assert_cmpstr(e->state, ==, "held");
    g_assert_cmpstr(e->reason, ==, "unsure");
    g_assert_cmpstr(e->wants, ==, "unsubscribe");
    g_assert_cmpstr(e->email, ==, "held@example.org");
    g_assert_cmpint(e->held_id, >, 0);

    g_assert_cmpint(store_queue_release(s, "held@example.org", NOW + 5, &error),
                    ==, 1);
    g_assert_cmpint(status(s).held, ==, 0);
    g_assert_cmpuint(work_off(s, 1, 2, NOW + 5), ==, 1);
    /* Seen again, after a person decided: not held again. */
    merge_judged(s, &judged, NOW + 9);
    g_assert_cmpint(status(s).held, ==, 0);

    for (int i = 0; i < 450; i++) {
        g_autofree char *key = g_strdup_printf("m%d", i);
        judged.key = key;
        merge_judged(s, &judged, NOW + 10);
    }
    g_assert_cmpint(store_queue_drop(s, "held@example.org", &error), ==, 450);
    g_autofree Judged *many = g_new0(Judged, 450);
    g_autoptr(GPtrArray) keep = g_ptr_array_new_with_free_func(g_free);
    for (int i = 0; i < 450; i++) {
        many[i] = judged;
        g_ptr_array_add(keep, g_strdup_printf("n%d", i));
        many[i].key = keep->pdata[i];
    }
    g_assert_true(store_merge(s, many, 450, NOW + DAY, &error));
    g_assert_cmpint(store_queue_release(s, NULL, NOW + 2 * DAY, &error), ==,
                    450);
    g_assert_no_error(error);
    g_assert_cmpint(status(s).pending, ==, 1);
}

/* --- the rest ------------------------------------------------------------------ */

static bool
seen(Store *s, const char *id, const char *recipient)
{
    bool value = false;
    g_autoptr(GError) error = NULL;
    g_assert_true(store_sent_seen(s, id, recipient, &value, &error));
    g_assert_no_error(error);
    return value;
}

static void
merge_sent(Store *s, const char *id, const char *a, const char *b, int64_t time)
{
    Observation *o = observation_new(OBSERVATION_SENT, "");
    o->returned.message_id = g_strdup(id);
    g_ptr_array_add(o->recipients, g_strdup(a));
    g_ptr_array_add(o->recipients, g_strdup(b));
    o->time = time;
    merge(s, o, time);
}

static void
test_sent(Fixture *f, const void *data)
{
    (void) data;
    Store *s = f->store;
    Store *other = open_store(f->uri, "mx2");
    g_autoptr(GError) error = NULL;
    g_assert_false(seen(s, "<m1@example.com>", NULL));
    merge_sent(s, "m1@example.com", "ann@example.org", "Bob@example.org", NOW);
    merge_sent(s, "m1@example.com", "ann@example.org", "bob@example.org", NOW);
    merge_sent(s, "m2@example.com", "ann@example.org", "eve@example.org",
               NOW + 20 * DAY);
    g_assert_true(seen(other, "<m1@example.com>", NULL));
    g_assert_true(seen(other, "m1@example.com", "ANN@example.org"));
    g_assert_true(seen(s, " <m1@example.com> ", "bob@example.org"));
    g_assert_false(seen(s, "m1@example.com", "carl@example.org"));
    g_assert_false(seen(s, "m3@example.com", NULL));
    g_assert_true(store_expire(s, NOW + 20 * DAY, 14 * DAY, 400 * DAY, &error));
    g_assert_false(seen(s, "m1@example.com", NULL));
    g_assert_true(seen(s, "m2@example.com", "eve@example.org"));
    g_assert_cmpint(store_forget(s, "Eve@example.org", &error), ==, 1);
    g_assert_false(seen(s, "m2@example.com", "eve@example.org"));
    g_assert_true(seen(s, "m2@example.com", "ann@example.org"));
    g_assert_no_error(error);
    store_close(other);
}

static void
test_state(Fixture *f, const void *data)
{
    (void) data;
    Store *s = f->store;
    g_autoptr(GError) error = NULL;
    char *value = NULL;
    g_assert_true(store_state_get(s, "paused", &value, &error));
    g_assert_null(value);
    g_assert_true(store_state_set(s, "paused", "401 \"revoked\"", &error));
    g_assert_true(store_state_set(s, "paused", "it's, {429}\\ é", &error));
    g_assert_true(store_state_get(s, "paused", &value, &error));
    g_assert_cmpstr(value, ==, "it's, {429}\\ é");
    g_free(value);
    g_assert_true(store_state_set(s, "paused", NULL, &error));
    g_assert_true(store_state_get(s, "paused", &value, &error));
    g_assert_null(value);
    g_assert_no_error(error);
}

static void
test_expire_forget(Fixture *f, const void *data)
{
    (void) data;
    Store *s = f->store;
    g_autoptr(GError) error = NULL;
    for (int i = 0; i < 20; i++) {
        g_autofree char *email = g_strdup_printf("e%d@example.org", i);
        merge(s, contact_at(email, "E", "F", NULL, NOW + i * DAY),
              NOW + i * DAY);
    }
    g_autoptr(GPtrArray) list = claim(s, 15, NOW + 20 * DAY);
    g_assert_true(store_confirm(s, (ContactRecord *const *) list->pdata,
                                list->len, &error));
    merge_status(s, "soft@example.org", 3, "key", NOW);
    /* Ten days: those of day 0 to 9; what is pending stays. */
    g_assert_true(
        store_expire(s, NOW + 20 * DAY, 14 * DAY, 10 * DAY + 1, &error));
    g_assert_no_error(error);
    StoreStatus st = status(s);
    g_assert_cmpint(st.contacts, ==, 21 - 10);
    g_assert_cmpint(st.pending, ==, 6);
    /* Keys are remembered for a good while. */
    merge_status(s, "soft@example.org", 2, "key", NOW);
    g_autoptr(ContactRecord) r = get(s, "soft@example.org");
    g_assert_cmpint(r->want_status, ==, 3);

    g_autoptr(Observation) o =
        observation_new(OBSERVATION_BOUNCE, "e15@example.org");
    Judged judged = { .key = "x", .observation = o, .soft_bounce = true };
    merge_judged(s, &judged, NOW + 20 * DAY);
    judged.key = "y";
    judged.hold = true;
    merge_judged(s, &judged, NOW + 20 * DAY);
    judged = (Judged){ .key = "z",
                       .observation = o,
                       .want_status = 3,
                       .domain = "sender.example" };
    merge_judged(s, &judged, NOW + 20 * DAY);
    g_assert_cmpint(store_status_changes(s, "sender.example", 0, &error), ==,
                    1);
    g_assert_cmpint(store_forget(s, "E15@example.org", &error), ==, 3);
    g_assert_null(get(s, "e15@example.org"));
    int64_t named = -1;
    g_assert_true(store_query_int(
        s, "SELECT count(*) FROM event WHERE key LIKE '%example.org%'", NULL, 0,
        &named, &error));
    g_assert_cmpint(named, ==, 0);
    g_assert_cmpint(store_soft_bounces(s, "e15@example.org", 0, &error), ==, 0);
    g_assert_cmpint(status(s).contacts, ==, 10);
    g_assert_cmpint(status(s).held, ==, 0);
    g_assert_no_error(error);
}

static void
test_hostile(Fixture *f, const void *data)
{
    (void) data;
    Store *s = f->store;
    g_autofree char *longest = g_strnfill(5000, 'a');
    g_autofree char *too_long = g_strconcat(longest, "@example.org", NULL);
    merge(s, contact_at(too_long, "A", "B", NULL, NOW), NOW);
    merge(s, contact_at("", "A", "B", NULL, NOW), NOW);
    g_assert_cmpint(status(s).contacts, ==, 0);
    merge(s,
          contact_at("a\xff{\"',\\}$1;--@example.org", "A\"',\\{}", "NULL",
                     "\xc3\x28", NOW),
          NOW);
    merge(s, contact_at("NULL", "NULL", "", longest, NOW), NOW);
    g_assert_cmpint(status(s).contacts, ==, 2);
    g_autoptr(ContactRecord) r = get(s, "A\xff{\"',\\}$1;--@EXAMPLE.org");
    g_assert_cmpstr(r->known->first_name.value, ==, "A\"',\\{}");
    g_assert_cmpstr(r->known->last_name.value, ==, "NULL");
    g_assert_cmpint(status(s).pending, ==, 2);
    g_assert_cmpuint(work_off(s, 1, 0, NOW), ==, 2);
}

/* --- several at once -------------------------------------------------------------- */

enum { HOSTS = 4, ROUNDS = 30, PEOPLE = 20 };

typedef struct {
    const char *uri;
    int number;
    atomic_int *claimed;
} Host;

static void *
host_main(void *data)
{
    const Host *host = data;
    g_autofree char *name = g_strdup_printf("mx%d", host->number);
    g_autoptr(Store) s = open_store(host->uri, name);
    for (int i = 0; i < ROUNDS; i++) {
        Judged list[PEOPLE];
        g_autoptr(GPtrArray) keep =
            g_ptr_array_new_with_free_func((GDestroyNotify) observation_free);
        g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func(g_free);
        for (int k = 0; k < PEOPLE; k++) {
            /* Different orders, so that they would deadlock. */
            int who = (k * 7 + host->number * 3 + i) % PEOPLE;
            g_autofree char *email = g_strdup_printf("m%d@example.org", who);
            Observation *o = contact_at(email, "M", "N", NULL,
                                        NOW + i * HOSTS + host->number);
            g_autofree char *title =
                g_strdup_printf("title %d", i * HOSTS + host->number);
            set_field(&o->contact->job_title, title, 0.9);
            g_ptr_array_add(keep, o);
            g_ptr_array_add(keys,
                            g_strdup_printf("%d/%d/%d", host->number, i, k));
            list[k] = (Judged){ .key = keys->pdata[k],
                                .observation = o,
                                .soft_bounce = true,
                                .want_status = 3 };
        }
        g_autoptr(GError) error = NULL;
        while (!store_merge(s, list, PEOPLE, NOW, &error)) {
            g_assert_error(error, STORE_ERROR, STORE_ERROR_UNAVAILABLE);
            g_clear_error(&error);
        }
        g_autoptr(GPtrArray) claimed = NULL;
        while ((claimed = store_claim(s, 5, NOW, 60, &error)) == NULL) {
            g_assert_error(error, STORE_ERROR, STORE_ERROR_UNAVAILABLE);
            g_clear_error(&error);
        }
        for (guint k = 0; k < claimed->len; k++) {
            const ContactRecord *r = claimed->pdata[k];
            int who = (int) g_ascii_strtoll(r->email + 1, NULL, 10);
            /* Nobody else works on this one now. */
            g_assert_cmpint(atomic_fetch_add(&host->claimed[who], 1), ==, 0);
        }
        for (guint k = 0; k < claimed->len; k++) {
            ContactRecord *r = claimed->pdata[k];
            int who = (int) g_ascii_strtoll(r->email + 1, NULL, 10);
            atomic_fetch_sub(&host->claimed[who], 1);
            while (!store_confirm(s, &r, 1, &error)) {
                g_assert_error(error, STORE_ERROR, STORE_ERROR_UNAVAILABLE);
                g_clear_error(&error);
            }
        }
    }
    return NULL;
}

static void
test_hosts(Fixture *f, const void *data)
{
    (void) data;
    atomic_int claimed[PEOPLE] = { 0 };
    Host hosts[HOSTS];
    pthread_t threads[HOSTS];
    for (int i = 0; i < HOSTS; i++) {
        hosts[i] = (Host){ f->uri, i, claimed };
        g_assert_cmpint(pthread_create(&threads[i], NULL, host_main, &hosts[i]),
                        ==, 0);
    }
    for (int i = 0; i < HOSTS; i++)
        (void) pthread_join(threads[i], NULL);
    g_assert_cmpint(status(f->store).contacts, ==, PEOPLE);
    g_autoptr(GError) error = NULL;
    int64_t total = 0;
    for (int i = 0; i < PEOPLE; i++) {
        g_autofree char *email = g_strdup_printf("m%d@example.org", i);
        g_autoptr(ContactRecord) r = get(f->store, email);
        g_autofree char *last = g_strdup_printf("title %d", ROUNDS * HOSTS - 1);
        g_assert_cmpstr(r->known->job_title.value, ==, last);
        total += store_soft_bounces(f->store, email, 0, &error);
    }
    g_assert_no_error(error);
    g_assert_cmpint(total, ==, HOSTS * ROUNDS * PEOPLE);
}

/* --- no write, no scan ------------------------------------------------------------- */

static int64_t
data_version(sqlite3 *db)
{
    sqlite3_stmt *statement = NULL;
    g_assert_cmpint(
        sqlite3_prepare_v2(db, "PRAGMA data_version", -1, &statement, NULL), ==,
        SQLITE_OK);
    g_assert_cmpint(sqlite3_step(statement), ==, SQLITE_ROW);
    int64_t version = sqlite3_column_int64(statement, 0);
    (void) sqlite3_finalize(statement);
    return version;
}

static void
test_no_write(Fixture *f, const void *data)
{
    (void) data;
    if (f->pgsql) {
        g_test_skip("looked at in SQLite only");
        return;
    }
    merge(f->store, contact_at("n@example.org", "N", "O", "Boss", NOW), NOW);
    (void) work_off(f->store, 1, 0, NOW);
    sqlite3 *db = NULL;
    g_assert_cmpint(sqlite3_open(f->uri + strlen("sqlite:"), &db), ==,
                    SQLITE_OK);
    int64_t before = data_version(db);
    for (int i = 1; i < 100; i++)
        merge(f->store, contact_at("n@example.org", "N", "O", "Boss", NOW + i),
              NOW + i);
    g_assert_cmpint(data_version(db), ==, before);
    merge(f->store, contact_at("n@example.org", "N", "O", "CEO", NOW + 200),
          NOW + 200);
    g_assert_cmpint(data_version(db), !=, before);

    /* Finding work reads the index of what is pending, in its order. */
    static const char *const statements[] = {
        "SELECT * FROM contact WHERE state = 1 AND due <= 5 ORDER BY due "
        "LIMIT 5",
        "SELECT count(*) FROM contact WHERE state = 1",
        "SELECT * FROM contact WHERE state = 2 ORDER BY since LIMIT 5",
        "SELECT 1 FROM sent WHERE message = 'x' LIMIT 1",
        "SELECT count(*) FROM event WHERE kind = 'soft' AND subject = 'x'"
        " AND time >= 5",
        "SELECT * FROM held WHERE key = 'x'",
        "SELECT message, recipient FROM sent WHERE time < 5 LIMIT 5",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(statements); i++) {
        g_autofree char *sql =
            g_strconcat("EXPLAIN QUERY PLAN ", statements[i], NULL);
        sqlite3_stmt *plan = NULL;
        g_assert_cmpint(sqlite3_prepare_v2(db, sql, -1, &plan, NULL), ==,
                        SQLITE_OK);
        while (sqlite3_step(plan) == SQLITE_ROW) {
            const char *step = (const char *) sqlite3_column_text(plan, 3);
            g_test_message("%s: %s", statements[i], step);
            g_assert_null(strstr(step, "TEMP B-TREE"));
            g_assert_true(strstr(step, "INDEX") != NULL ||
                          strstr(step, "PRIMARY KEY") != NULL);
        }
        (void) sqlite3_finalize(plan);
    }
    (void) sqlite3_close(db);
}

static void
test_locked(Fixture *f, const void *data)
{
    (void) data;
    if (f->pgsql) {
        g_test_skip("SQLite only");
        return;
    }
    sqlite3 *db = NULL;
    g_assert_cmpint(sqlite3_open(f->uri + strlen("sqlite:"), &db), ==,
                    SQLITE_OK);
    g_assert_cmpint(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), ==,
                    SQLITE_OK);
    g_autoptr(Observation) o = contact_at("o@example.org", "O", "P", NULL, NOW);
    Judged judged = { .observation = o };
    g_autoptr(GError) error = NULL;
    g_assert_false(store_merge(f->store, &judged, 1, NOW, &error));
    g_assert_error(error, STORE_ERROR, STORE_ERROR_UNAVAILABLE);
    g_assert_cmpint(status(f->store).contacts, ==, 0);
    g_assert_cmpint(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), ==,
                    SQLITE_OK);
    (void) sqlite3_close(db);
    merge_judged(f->store, &judged, NOW);
    g_assert_cmpint(status(f->store).contacts, ==, 1);
}

/* --- opening ------------------------------------------------------------------------ */

static void
test_open(Fixture *f, const void *data)
{
    (void) data;
    g_autoptr(GError) error = NULL;
    static const char *const bad[] = { "", "mysql://u:secret@h/d", "sqlite",
                                       "sqlite:", "/var/lib/x.db" };
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_assert_null(store_open(bad[i], "h", &error));
        g_assert_error(error, STORE_ERROR, STORE_ERROR_URI);
        g_assert_null(strstr(error->message, "secret"));
        g_clear_error(&error);
    }
    g_assert_null(store_open("sqlite:/nonexistent/dir/x.db", "h", &error));
    g_assert_error(error, STORE_ERROR, STORE_ERROR_UNAVAILABLE);
    g_clear_error(&error);

    /* Again, and what is there is there. */
    merge(f->store, contact_at("a@example.org", "A", "B", NULL, NOW), NOW);
    store_close(f->store);
    f->store = open_store(f->uri, "mx1");
    g_assert_cmpint(status(f->store).contacts, ==, 1);

    if (f->pgsql)
        return;
    store_close(f->store);
    f->store = NULL;
    sqlite3 *db = NULL;
    g_assert_cmpint(sqlite3_open(f->uri + strlen("sqlite:"), &db), ==,
                    SQLITE_OK);
    g_assert_cmpint(
        sqlite3_exec(db, "PRAGMA user_version = 99", NULL, NULL, NULL), ==,
        SQLITE_OK);
    (void) sqlite3_close(db);
    g_assert_null(store_open(f->uri, "h", &error));
    g_assert_error(error, STORE_ERROR, STORE_ERROR_SCHEMA);
}

static void
on_progress(int64_t done, int64_t total, void *data)
{
    int64_t *last = data;
    g_assert_cmpint(done, <=, total);
    g_assert_cmpint(done, >=, *last);
    *last = done;
}

static void
test_migrate(Fixture *f, const void *data)
{
    (void) data;
    g_autoptr(GError) error = NULL;
    g_autofree char *uri = g_strdup_printf("sqlite:%s/other.db", f->dir);
    for (int way = 0; way < 2; way++) {
        /* SQLite into this backend, then this backend into another SQLite. */
        Store *from = way == 0 ? open_store(uri, "old") : f->store;
        g_autofree char *third = g_strdup_printf("sqlite:%s/third.db", f->dir);
        Store *to = way == 0 ? f->store : open_store(third, "new");
        if (way == 0) {
            for (int i = 0; i < 2500; i += 100) {
                Judged list[100];
                g_autoptr(GPtrArray) keep = g_ptr_array_new_with_free_func(
                    (GDestroyNotify) observation_free);
                for (int k = 0; k < 100; k++) {
                    g_autofree char *email =
                        g_strdup_printf("c%d@example.org", i + k);
                    g_ptr_array_add(keep,
                                    contact_at(email, "C", "D", "Boss", NOW));
                    list[k] = (Judged){ .observation = keep->pdata[k] };
                }
                g_assert_true(store_merge(from, list, 100, NOW, &error));
            }
            merge_sent(from, "m@example.com", "a@example.org", "b@example.org",
                       NOW);
            merge_status(from, "c1@example.org", 2, "k", NOW);
            g_assert_true(store_state_set(from, "paused", "yes", &error));
            g_autoptr(GPtrArray) leased = claim(from, 7, NOW);
            g_assert_cmpuint(leased->len, ==, 7);
        }
        for (int repeat = 0; repeat < 2; repeat++) {
            int64_t last = 0;
            g_assert_true(store_migrate(from, to, on_progress, &last, &error));
            g_assert_no_error(error);
            g_assert_cmpint(last, >=, 2500);
        }
        StoreStatus st = status(to);
        g_assert_cmpint(st.contacts, ==, 2500);
        g_assert_cmpint(st.pending, ==, 2500);
        g_assert_true(seen(to, "m@example.com", "b@example.org"));
        g_autofree char *value = NULL;
        g_assert_true(store_state_get(to, "paused", &value, &error));
        g_assert_cmpstr(value, ==, "yes");
        g_assert_cmpint(store_status_changes(to, "example.com", 0, &error), ==,
                        1);
        g_autoptr(GPtrArray) list = claim(to, 3000, NOW);
        g_assert_cmpuint(list->len, ==, 2500);
        store_close(way == 0 ? from : to);
    }
}

/* --- speed --------------------------------------------------------------------------- */

static void
test_speed(Fixture *f, const void *data)
{
    (void) data;
    enum { N = 5000, BATCH = 500 };
    g_autoptr(GPtrArray) keep =
        g_ptr_array_new_with_free_func((GDestroyNotify) observation_free);
    g_autofree Judged *list = g_new0(Judged, N);
    for (int i = 0; i < N; i++) {
        g_autofree char *email = g_strdup_printf("s%d@example.org", i);
        Observation *o = contact_at(email, "Sam", "Speed", "Tester", NOW);
        add_phone(o, PHONE_MOBILE, "+61400000000");
        g_ptr_array_add(keep, o);
        list[i].observation = o;
    }
    for (int round = 0; round < 2; round++) {
        gint64 start = g_get_monotonic_time();
        g_autoptr(GError) error = NULL;
        g_assert_true(store_merge(f->store, list, N, NOW, &error));
        double s = (double) (g_get_monotonic_time() - start) / 1e6;
        g_test_message("%s: %.0f %s contacts merged a second",
                       f->pgsql ? "postgresql" : "sqlite", N / s,
                       round == 0 ? "new" : "known");
    }
    gint64 start = g_get_monotonic_time();
    g_autoptr(GPtrArray) claimed = claim(f->store, 1000, NOW);
    gint64 middle = g_get_monotonic_time();
    g_autoptr(GError) error = NULL;
    g_assert_true(store_confirm(f->store,
                                (ContactRecord *const *) claimed->pdata,
                                claimed->len, &error));
    g_test_message("1000 claimed in %.1f ms, confirmed in %.1f ms",
                   (double) (middle - start) / 1e3,
                   (double) (g_get_monotonic_time() - middle) / 1e3);
}

/* --- PostgreSQL alone ------------------------------------------------------ */

/* Runs of blanks as one, none after "(" and before ")". */
static char *
squeeze(const char *text)
{
    GString *out = g_string_new(NULL);
    for (; *text != '\0'; text++) {
        bool blank = g_ascii_isspace(*text);
        char last = out->len > 0 ? out->str[out->len - 1] : ' ';
        if (blank && (last == ' ' || last == '('))
            continue;
        if (*text == ')' && last == ' ')
            g_string_truncate(out, out->len - 1);
        g_string_append_c(out, blank ? ' ' : *text);
    }
    return g_string_free(out, FALSE);
}

static char *
schema_file(void)
{
    g_autofree char *path = g_test_build_filename(
        G_TEST_DIST, "conf", "schema-postgresql.sql", NULL);
    char *text = NULL;
    g_autoptr(GError) error = NULL;
    g_assert_true(g_file_get_contents(path, &text, NULL, &error));
    g_assert_no_error(error);
    return text;
}

/* The administrator's file has the program's statements. */
static void
test_schema_file(void)
{
    g_autofree char *text = schema_file();
    g_autofree char *file = squeeze(text);
    for (int id = 0; id < TABLE_COUNT; id++) {
        g_autofree char *create = squeeze(store_tables[id].create);
        g_assert_nonnull(strstr(file, create));
        for (size_t i = 0; store_tables[id].indexes[i] != NULL; i++)
            g_assert_nonnull(strstr(file, store_tables[id].indexes[i]));
    }
}

static void
test_pg_roles(void)
{
    g_autofree char *text = schema_file();
    pg_server_sql(server, "postgres", "CREATE DATABASE least");
    pg_server_sql(server, "least", text);
    g_autofree char *uri = pg_server_uri(server, "contact_milter", "least", "");
    g_autoptr(GError) error = NULL;
    g_autoptr(Store) s = open_store(uri, "mx1");
    merge(s, contact_at("a@example.org", "A", "B", NULL, NOW), NOW);
    merge_sent(s, "m@example.com", "a@example.org", "b@example.org", NOW);
    g_assert_cmpuint(work_off(s, 1, 0, NOW), ==, 1);
    g_assert_true(store_expire(s, NOW + 900 * DAY, DAY, DAY, &error));
    g_assert_no_error(error);
    g_assert_cmpint(status(s).contacts, ==, 0);

    /* Without tables, and without the right to make them. */
    pg_server_sql(server, "postgres", "CREATE DATABASE bare");
    g_autofree char *bare = pg_server_uri(server, "contact_milter", "bare", "");
    g_assert_null(store_open(bare, "mx1", &error));
    g_assert_error(error, STORE_ERROR, STORE_ERROR_SCHEMA);
    g_assert_nonnull(strstr(error->message, "schema-postgresql.sql"));
    g_clear_error(&error);

    /* Made by a newer version. */
    pg_server_sql(server, "least",
                  "UPDATE state SET value = '99'"
                  " WHERE name = 'schema_version'");
    g_assert_null(store_open(uri, "mx1", &error));
    g_assert_error(error, STORE_ERROR, STORE_ERROR_SCHEMA);
}

static void
test_pg_passwords(Fixture *f, const void *data)
{
    (void) data;
    pg_server_sql(server, "postgres",
                  "CREATE ROLE secured LOGIN PASSWORD 'geheim'");
    pg_server_sql(server, "postgres", "CREATE DATABASE locked OWNER secured");
    g_autofree char *uri = pg_server_uri(server, "secured", "locked", "");
    g_autofree char *with =
        pg_server_uri(server, "secured:geheim", "locked", "");
    g_autofree char *wrong =
        pg_server_uri(server, "secured:falsch", "locked", "");
    g_autoptr(GError) error = NULL;
    g_assert_null(store_open(uri, "h", &error));
    g_assert_error(error, STORE_ERROR, STORE_ERROR_UNAVAILABLE);
    g_clear_error(&error);
    g_assert_null(store_open(wrong, "h", &error));
    g_assert_null(strstr(error->message, "falsch"));
    g_clear_error(&error);
    store_close(open_store(with, "h"));

    g_autofree char *credential =
        g_build_filename(f->dir, "postgresql-password", NULL);
    g_assert_true(g_file_set_contents(credential, "geheim\n", -1, &error));
    g_setenv("CREDENTIALS_DIRECTORY", f->dir, TRUE);
    store_close(open_store(uri, "h"));
    /* The URI's own password is the closer one. */
    g_assert_null(store_open(wrong, "h", &error));
    g_clear_error(&error);
    g_unsetenv("CREDENTIALS_DIRECTORY");

    g_autofree char *passfile = g_build_filename(f->dir, "pgpass", NULL);
    g_assert_true(g_file_set_contents(passfile, "*:*:locked:secured:geheim\n",
                                      -1, &error));
    g_assert_cmpint(g_chmod(passfile, 0600), ==, 0);
    g_setenv("PGPASSFILE", passfile, TRUE);
    store_close(open_store(uri, "h"));
    g_unsetenv("PGPASSFILE");
}

#ifdef HAVE_POSTGRESQL
/* Rows that somebody else holds: a claim passes by, a merge does not wait for
 * ever. */
static void
test_pg_locked(Fixture *f, const void *data)
{
    (void) data;
    g_autofree char *uri =
        g_strconcat(f->uri, "%20-cstatement_timeout%3D300", NULL);
    g_autoptr(Store) s = open_store(uri, "mx1");
    g_autoptr(GError) error = NULL;
    merge(s, contact_at("a@example.org", "A", "B", NULL, NOW), NOW);
    merge(s, contact_at("b@example.org", "A", "B", NULL, NOW), NOW);
    void *other = store_pgsql.open(f->uri, &error);
    g_assert_no_error(error);
    g_assert_true(store_pgsql.begin(other, &error));
    g_autoptr(GPtrArray) keys = g_ptr_array_new();
    g_ptr_array_add(keys, (void *) "a@example.org");
    StoreRows rows = { 0 };
    g_assert_true(store_pgsql.load(other, &store_tables[TABLE_CONTACT], keys,
                                   &rows, &error));
    g_assert_cmpuint(rows.rows->len, ==, 1);
    store_rows_clear(&rows);

    g_autoptr(GPtrArray) list = claim(s, 10, NOW);
    g_assert_cmpuint(list->len, ==, 1);
    g_assert_cmpstr(((ContactRecord *) list->pdata[0])->email, ==,
                    "b@example.org");
    g_autoptr(Observation) o =
        contact_at("a@example.org", "A", "C", NULL, NOW + 1);
    Judged judged = { .observation = o };
    gint64 start = g_get_monotonic_time();
    g_assert_false(store_merge(s, &judged, 1, NOW, &error));
    g_assert_error(error, STORE_ERROR, STORE_ERROR_UNAVAILABLE);
    g_assert_cmpint(g_get_monotonic_time() - start, <, 5 * G_USEC_PER_SEC);
    store_pgsql.rollback(other);
    store_pgsql.close(other);
    merge_judged(s, &judged, NOW);
}
#endif

typedef struct {
    Store *store;
    atomic_bool stop;
    int merged;
    int failed;
} Merger;

static void *
merger_main(void *data)
{
    Merger *merger = data;
    while (!atomic_load(&merger->stop)) {
        Judged list[10];
        g_autoptr(GPtrArray) keep =
            g_ptr_array_new_with_free_func((GDestroyNotify) observation_free);
        g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func(g_free);
        for (int i = 0; i < 10; i++) {
            g_autofree char *email =
                g_strdup_printf("x%d@example.org", merger->merged + i);
            g_ptr_array_add(keep, observation_new(OBSERVATION_BOUNCE, email));
            g_ptr_array_add(keys, g_strdup(email));
            list[i] = (Judged){ .key = keys->pdata[i],
                                .observation = keep->pdata[i],
                                .soft_bounce = true,
                                .domain = "example.com",
                                .want_status = 3 };
        }
        /* As the judge does: again until it is done. */
        while (!store_merge(merger->store, list, 10, NOW, NULL)) {
            merger->failed++;
            g_usleep(20000);
        }
        merger->merged += 10;
    }
    return NULL;
}

/* The server dies and comes back in the middle of merging. */
static void
test_pg_crash(Fixture *f, const void *data)
{
    (void) data;
    Merger merger = { .store = f->store };
    pthread_t thread;
    g_assert_cmpint(pthread_create(&thread, NULL, merger_main, &merger), ==, 0);
    for (int i = 0; i < 3; i++) {
        g_usleep(300000);
        g_assert_true(pg_server_crash(server));
        g_usleep(100000);
        g_assert_true(pg_server_restart(server));
    }
    g_usleep(1500000);
    atomic_store(&merger.stop, true);
    (void) pthread_join(thread, NULL);
    g_test_message("%d merged, %d attempts failed", merger.merged,
                   merger.failed);
    g_assert_cmpint(merger.failed, >, 0);
    StoreStatus st = status(f->store);
    g_assert_cmpint(st.contacts, ==, merger.merged);
    g_assert_cmpint(st.pending, ==, merger.merged);
    g_autoptr(GError) error = NULL;
    g_assert_cmpint(store_status_changes(f->store, "example.com", 0, &error),
                    ==, merger.merged);
    g_assert_cmpint(store_soft_bounces(f->store, "x5@example.org", 0, &error),
                    ==, 1);
    g_assert_no_error(error);
}

/* While it is away, callers are told at once. */
static void
test_pg_away(Fixture *f, const void *data)
{
    (void) data;
    g_assert_true(pg_server_crash(server));
    gint64 start = g_get_monotonic_time();
    for (int i = 0; i < 50; i++) {
        g_autoptr(GError) error = NULL;
        StoreStatus st;
        g_assert_false(store_status(f->store, &st, &error));
        g_assert_error(error, STORE_ERROR, STORE_ERROR_UNAVAILABLE);
    }
    g_assert_cmpint(g_get_monotonic_time() - start, <, 2 * G_USEC_PER_SEC);
    g_assert_true(pg_server_restart(server));
    for (int i = 0; i < 100; i++) {
        StoreStatus st;
        if (store_status(f->store, &st, NULL))
            return;
        g_usleep(100000);
    }
    g_assert_not_reached();
}

/* What waits for a time that the clock no longer shows; a lease is kept. */
static void
test_clock_set_back(Fixture *f, const void *data)
{
    (void) data;
    g_autoptr(GError) error = NULL;
    for (int i = 0; i < 3; i++) {
        g_autofree char *email = g_strdup_printf("p%d@example.org", i);
        merge(f->store, contact_at(email, "P", "Q", NULL, NOW), NOW);
    }
    g_autoptr(GPtrArray) all = claim(f->store, 3, NOW);
    g_assert_cmpuint(all->len, ==, 3);
    g_assert_true(
        store_retry(f->store, all->pdata[0], NOW + 100, "soon", &error));
    g_assert_true(
        store_retry(f->store, all->pdata[1], NOW + 9000, "later", &error));
    g_assert_true(store_clock_set_back(f->store, NOW, 3600, &error));
    g_autoptr(GPtrArray) one = claim(f->store, 3, NOW);
    g_assert_cmpuint(one->len, ==, 1);
    g_assert_cmpstr(((ContactRecord *) one->pdata[0])->email, ==,
                    ((ContactRecord *) all->pdata[1])->email);
    g_assert_true(store_clock_set_back(f->store, NOW, 0, &error));
    g_autoptr(GPtrArray) other = claim(f->store, 3, NOW);
    g_assert_cmpuint(other->len, ==, 1);
    g_assert_cmpstr(((ContactRecord *) other->pdata[0])->email, ==,
                    ((ContactRecord *) all->pdata[0])->email);
}

/* A damaged file is set aside, a sound one and a server's are left alone. */
static void
test_damaged(Fixture *f, const void *data)
{
    (void) data;
    g_assert_null(store_mend(f->uri));
    if (f->pgsql)
        return;
    const char *path = f->uri + strlen("sqlite:");
    for (int way = 0; way < 3; way++) {
        for (int i = 0; i < 40; i++) {
            g_autofree char *email = g_strdup_printf("p%d@example.org", i);
            merge(f->store, contact_at(email, "P", "Q", NULL, NOW), NOW);
        }
        store_close(f->store);
        int fd = g_open(path, O_RDWR, 0);
        char noise[4096];
        memset(noise, 0x5a, sizeof noise);
        if (way == 0) /* the header */
            g_assert_cmpint(pwrite(fd, noise, 100, 0), ==, 100);
        else if (way == 1) /* in the middle */
            g_assert_cmpint(pwrite(fd, noise, 4096, 4096), ==, 4096);
        else
            g_assert_cmpint(ftruncate(fd, 5000), ==, 0);
        (void) close(fd);
        g_autofree char *notice = store_mend(f->uri);
        g_assert_nonnull(notice);
        g_assert_nonnull(strstr(notice, ".damaged-"));
        g_assert_nonnull(strstr(notice, "contactctl migrate"));
        g_assert_null(store_mend(f->uri));
        f->store = open_store(f->uri, "mx1");
        g_assert_cmpint(status(f->store).contacts, ==, 0);
    }
    g_assert_null(store_mend("sqlite:/nonexistent/dir/x.db"));
    g_assert_null(store_mend("mysql://u:secret@h/d"));
}

typedef struct {
    const char *name;
    void (*function)(Fixture *f, const void *data);
} Case;

static const Case cases[] = {
    { "crashes", test_crashes }, /* forks: before there are threads */
    { "basic", test_basic },
    { "fields", test_fields },
    { "confidence", test_confidence },
    { "last-mail", test_last_mail },
    { "statuses", test_statuses },
    { "sms-suppress", test_sms_suppress },
    { "anonymised", test_anonymised },
    { "idempotent", test_idempotent },
    { "leases", test_leases },
    { "versions", test_versions },
    { "queue", test_queue },
    { "held", test_held },
    { "sent", test_sent },
    { "state", test_state },
    { "expire-forget", test_expire_forget },
    { "hostile", test_hostile },
    { "hosts", test_hosts },
    { "no-write", test_no_write },
    { "locked", test_locked },
    { "clock-set-back", test_clock_set_back },
    { "damaged", test_damaged },
    { "open", test_open },
    { "migrate", test_migrate },
    { "speed", test_speed },
};

static void
test_skipped(void)
{
    g_test_skip("PostgreSQL is not installed (apt-get install postgresql) or "
                "not built in: the shared store is NOT tested");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    server = pg_server_start();
    for (int pgsql = 0; pgsql < 2; pgsql++) {
        if (pgsql == 1 && server == NULL) {
            g_test_add_func("/store/postgresql/all", test_skipped);
            break;
        }
        for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
            g_autofree char *path = g_strdup_printf(
                "/store/%s/%s", pgsql ? "postgresql" : "sqlite", cases[i].name);
            g_test_add(path, Fixture, GINT_TO_POINTER(pgsql), setup,
                       cases[i].function, teardown);
        }
    }
    g_test_add_func("/store/schema-file", test_schema_file);
    static const Case pg_cases[] = {
        { "passwords", test_pg_passwords },
#ifdef HAVE_POSTGRESQL
        { "locked-rows", test_pg_locked },
#endif
        { "away", test_pg_away },
        { "crash", test_pg_crash },
    };
    for (size_t i = 0; server != NULL && i < G_N_ELEMENTS(pg_cases); i++) {
        g_autofree char *path =
            g_strdup_printf("/store/postgresql/%s", pg_cases[i].name);
        g_test_add(path, Fixture, GINT_TO_POINTER(1), setup,
                   pg_cases[i].function, teardown);
    }
    if (server != NULL)
        g_test_add_func("/store/postgresql/roles", test_pg_roles);
    int result = g_test_run();
    pg_server_stop(server);
    return result;
}
