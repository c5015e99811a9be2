/*
 * test_sync.c - the whole way from the store to a real stand-in API
 */
#include "base/log.h"
#include "standin.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

static Standin *standin;

typedef struct {
    Settings *settings;
    Store *store;
    Sync *sync;
    char *folder;
} World;

#define SEED \
    "{'groups':[{'id':10,'groupName':'Guests'},{'id':11,'groupName':'VIP'}]," \
    " 'companies':[{'id':5,'businessName':'Example Holdings Pty Ltd'," \
    "   'tradingName':'Exemplar'}]," \
    " 'fields':[" \
    "  {'fieldId':1,'fieldType':0,'displayName':'Job title'}," \
    "  {'fieldId':2,'fieldType':0,'displayName':'Mobile'}," \
    "  {'fieldId':3,'fieldType':4,'displayName':'Address'}," \
    "  {'fieldId':4,'fieldType':5,'displayName':'Last mail'}," \
    "  {'fieldId':5,'fieldType':2,'displayName':'Role'," \
    "   'selectValues':['Manager','Chef']}," \
    "  {'fieldId':8,'fieldType':8,'displayName':'Number'}]}"

static void
world_open(World *world)
{
    standin_do(standin, "reset", NULL);
    standin_do(standin, "seed", json_of(SEED));
    world->settings = test_settings(standin->url);
    world->folder = g_dir_make_tmp("test-sync-XXXXXX", NULL);
    g_autofree char *uri =
        g_strconcat("sqlite:", world->folder, "/contacts.db", NULL);
    g_autoptr(GError) error = NULL;
    world->store = store_open(uri, "test-host", &error);
    g_assert_no_error(error);
}

static void
world_sync(World *world)
{
    if (world->sync == NULL) {
        world->sync = sync_new(world->settings, world->store, NULL);
        g_assert_nonnull(world->sync);
        sync_tune(world->sync, &quick_tuning);
    }
    sync_all(world->sync, world->store);
}

static void
world_close(World *world)
{
    sync_free(world->sync);
    store_close(world->store);
    settings_free(world->settings);
    GDir *dir = g_dir_open(world->folder, 0, NULL);
    const char *name;
    while ((name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(world->folder, name, NULL);
        (void) g_unlink(path);
    }
    g_dir_close(dir);
    (void) g_rmdir(world->folder);
    g_free(world->folder);
    memset(world, 0, sizeof *world);
}

static void
seed_contact(const char *text)
{
    standin_do(standin, "seed",
               json_pack("{s:[o]}", "contacts", json_of(text)));
}

static void
test_new_contact(void)
{
    World world = { 0 };
    world_open(&world);
    static const char *const groups[] = { "10", NULL };
    test_list(&world.settings->contact.groups, groups);
    world.settings->custom_fields.job_title = 1;
    world.settings->custom_fields.mobile = 2;
    Contact *ann = test_contact("ann@example.org", "Ann", "Lee");
    test_phone(ann, PHONE_WORK, "+61255501234");
    test_phone(ann, PHONE_MOBILE, "+61491570156");
    field_set(&ann->job_title, "Head Chef", "line", 0.9);
    field_set(&ann->website, "https://example.org", "line", 0.9);
    merge_known(world.store, ann);
    world_sync(&world);

    json_t *keep;
    json_t *contact = standin_contact(standin, "ann@example.org", &keep);
    g_assert_nonnull(contact);
    g_assert_cmpstr(text_of(contact, "firstName"), ==, "Ann");
    g_assert_cmpstr(text_of(contact, "lastName"), ==, "Lee");
    g_assert_cmpstr(text_of(contact, "phone"), ==, "+61491570156");
    g_autofree char *title = custom_of(contact, "1");
    g_autofree char *mobile = custom_of(contact, "2");
    g_assert_cmpstr(title, ==, "Head Chef");
    g_assert_cmpstr(mobile, ==, "+61491570156");
    g_assert_cmpint(json_integer_value(json_object_get(contact, "status")), ==,
                    5);
    g_assert_cmpuint(json_array_size(json_object_get(contact, "groups")), ==,
                     1);
    g_assert_cmpuint(json_array_size(json_object_get(contact, "externalUrls")),
                     ==, 1);
    json_decref(keep);
    g_assert_cmpint(standin_count(standin, "contact.getContactList"), ==, 1);
    g_assert_cmpint(standin_count(standin, "contact.addOrUpdateContact"), ==,
                    1);

    /* the same again: not a call */
    standin_do(standin, "log/clear", NULL);
    merge_contact(world.store, "ann@example.org", "Ann", "Lee", NULL,
                  "Head Chef");
    world_sync(&world);
    g_assert_cmpint(standin_count(standin, NULL), ==, 0);
    world_close(&world);
}

typedef struct {
    const char *name;
    int present, want, expected;
} StatusCase;

static const StatusCase status_cases[] = {
    { "bounce of a subscriber", 1, 3, 3 },
    { "bounce of one who unsubscribed", 2, 3, 2 },
    { "bounce of no marketing", 5, 3, 5 },
    { "bounce of one bounced", 3, 3, 3 },
    { "unsubscribe", 1, 2, 2 },
    { "unsubscribe after a bounce", 3, 2, 2 },
    { "unsubscribe of no marketing", 5, 2, 2 },
    { "recover what we did not set", 3, 1, 3 },
    { "recover an opt-out", 2, 1, 2 },
};

static void
test_status_order(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(status_cases); i++) {
        const StatusCase *row = &status_cases[i];
        World world = { 0 };
        world_open(&world);
        g_autofree char *seed = g_strdup_printf(
            "{'firstName':'Ann','lastName':'Lee','email':'ann@example.org',"
            "'status':%d,'groups':[11],'phone':'1'}",
            row->present);
        seed_contact(seed);
        merge_status(world.store, "ann@example.org", row->want, 0, false);
        world_sync(&world);
        json_t *keep;
        json_t *contact = standin_contact(standin, "ann@example.org", &keep);
        int status =
            (int) json_integer_value(json_object_get(contact, "status"));
        if (status != row->expected)
            g_error("%s: %d", row->name, status);
        g_assert_cmpuint(json_array_size(json_object_get(contact, "groups")),
                         ==, 1);
        json_decref(keep);
        g_assert_cmpint(standin_count(standin, NULL), <=, 3);
        world_close(&world);
    }
}

static void
test_everyone_of_an_address(void)
{
    World world = { 0 };
    world_open(&world);
    standin_do(standin, "set", json_of("{'paging_cap':2}"));
    for (int i = 0; i < 5; i++) {
        g_autofree char *seed = g_strdup_printf(
            "{'firstName':'P%d','lastName':'Lee','email':'Ann@example.org',"
            "'status':1}",
            i);
        seed_contact(seed);
    }
    seed_contact("{'firstName':'Bo','lastName':'Day',"
                 "'email':'joann@example.org','status':1}");
    merge_status(world.store, "ann@example.org", 2, 2, false);
    world_sync(&world);
    json_t *all = standin_contacts(standin, "ann@example.org");
    size_t index;
    json_t *contact;
    json_array_foreach(all, index, contact)
    {
        g_assert_cmpint(json_integer_value(json_object_get(contact, "status")),
                        ==, 2);
        g_assert_cmpint(
            json_integer_value(json_object_get(contact, "smsStatus")), ==, 2);
    }
    g_assert_cmpuint(json_array_size(all), ==, 5);
    json_decref(all);
    json_t *keep;
    contact = standin_contact(standin, "joann@example.org", &keep);
    g_assert_cmpint(json_integer_value(json_object_get(contact, "status")), ==,
                    1);
    json_decref(keep);
    world_close(&world);
}

/* A server that ignores the filter must not make us change strangers. */
static void
test_ignored_filter(void)
{
    World world = { 0 };
    world_open(&world);
    seed_contact("{'firstName':'Bo','lastName':'Day',"
                 "'email':'bo@example.org','status':1}");
    standin_do(standin, "set", json_of("{'unfiltered':true}"));
    merge_status(world.store, "ann@example.org", 2, 0, false);
    world_sync(&world);
    json_t *keep;
    json_t *contact = standin_contact(standin, "bo@example.org", &keep);
    g_assert_cmpint(json_integer_value(json_object_get(contact, "status")), ==,
                    1);
    json_decref(keep);
    world_close(&world);
}

static void
test_own(void)
{
    World world = { 0 };
    world_open(&world);
    seed_contact("{'id':6,'firstName':'Ann','lastName':'Lee',"
                 "'email':'ann@example.org','status':1,'phone':''}");
    merge_contact(world.store, "ann@example.org", "Ann", "Lee", "+61255500001",
                  NULL);
    world_sync(&world);
    json_t *keep;
    json_t *contact = standin_contact(standin, "ann@example.org", &keep);
    g_assert_cmpstr(text_of(contact, "phone"), ==, "+61255500001");
    json_decref(keep);

    /* ours may be replaced */
    merge_contact(world.store, "ann@example.org", "Ann", "Lee", "+61255500002",
                  NULL);
    world_sync(&world);
    contact = standin_contact(standin, "ann@example.org", &keep);
    g_assert_cmpstr(text_of(contact, "phone"), ==, "+61255500002");
    json_decref(keep);

    /* a person's may not, from then on */
    standin_do(standin, "edit", json_of("{'id':6,'set':{'phone':'555 9999'}}"));
    merge_contact(world.store, "ann@example.org", "Ann", "Lee", "+61255500003",
                  NULL);
    world_sync(&world);
    standin_do(standin, "edit",
               json_of("{'id':6,'set':{'phone':'+61255500002'}}"));
    merge_contact(world.store, "ann@example.org", "Ann", "Lee", "+61255500004",
                  NULL);
    world_sync(&world);
    contact = standin_contact(standin, "ann@example.org", &keep);
    g_assert_cmpstr(text_of(contact, "phone"), ==, "+61255500002");
    json_decref(keep);
    world_close(&world);
}

static void
test_refused(void)
{
    World world = { 0 };
    world_open(&world);
    world.settings->custom_fields.job_title = 1;
    standin_do(standin, "set",
               json_of("{'refuse':['phone','customFields.1']}"));
    merge_contact(world.store, "ann@example.org", "Ann", "Lee", "+61255500001",
                  "Chef");
    world_sync(&world);
    json_t *keep;
    json_t *contact = standin_contact(standin, "ann@example.org", &keep);
    g_assert_nonnull(contact);
    g_assert_cmpstr(text_of(contact, "phone"), ==, "");
    json_decref(keep);
    g_autoptr(ContactRecord) record =
        store_get(world.store, "ann@example.org", NULL);
    g_assert_nonnull(g_hash_table_lookup(record->refused, "phone"));
    g_assert_nonnull(g_hash_table_lookup(record->refused, "customFields.1"));
    world_close(&world);
}

/* Nobody can be added without a valid address: a dead letter, at once. */
static void
test_dead_letter(void)
{
    World world = { 0 };
    world_open(&world);
    standin_do(standin, "set", json_of("{'refuse':['email']}"));
    merge_contact(world.store, "ann@example.org", "Ann", "Lee", NULL, NULL);
    world_sync(&world);
    StoreStatus status;
    g_assert_true(store_status(world.store, &status, NULL));
    g_assert_cmpint(status.dead, ==, 1);
    g_autoptr(ContactRecord) record =
        store_get(world.store, "ann@example.org", NULL);
    g_assert_nonnull(strstr(record->reason, "'email' does not validate"));
    world_close(&world);
}

/* Every kind of trouble, one after another; all arrives, once. */
static void
test_trouble(void)
{
    static const char *const kinds[] = {
        "{'kind':'status','status':503}",
        "{'kind':'error','errorCode':500}",
        "{'kind':'error','errorCode':461}",
        "{'kind':'ratelimit','retry_after':1}",
        "{'kind':'ratelimit'}",
        "{'kind':'reset'}",
        "{'kind':'close'}",
        "{'kind':'garbage'}",
        "{'kind':'truncate'}",
        "{'kind':'html'}",
        "{'kind':'html','status':200}",
        "{'kind':'close','apply':true}",
        "{'kind':'reset','apply':true}",
        "{'kind':'html','status':504,'apply':true}",
        "{'kind':'error','errorCode':401,'specificCode':23005}",
        "{'kind':'error','errorCode':404}",
        "{'kind':'redirect','location':'http://127.0.0.1:1/'}",
        "{'kind':'huge','bytes':40000000}",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        for (unsigned after = 0; after < 2; after++) {
            World world = { 0 };
            world_open(&world);
            json_t *rule = json_of(kinds[i]);
            json_object_set_new(rule, "match", json_string("contact.*"));
            json_object_set_new(rule, "after", json_integer((int) after));
            json_object_set_new(rule, "times", json_integer(2));
            standin_do(standin, "faults", json_pack("[o]", rule));
            merge_contact(world.store, "ann@example.org", "Ann", "Lee",
                          "+61255500001", NULL);
            world_sync(&world);
            json_t *keep;
            json_t *contact =
                standin_contact(standin, "ann@example.org", &keep);
            if (contact == NULL)
                g_error("%s after %u: %zu contacts", kinds[i], after,
                        json_array_size(keep));
            g_assert_cmpstr(text_of(contact, "phone"), ==, "+61255500001");
            json_decref(keep);
            /* even if the answer was lost, the phone is known as ours */
            merge_contact(world.store, "ann@example.org", "Ann", "Lee",
                          "+61255500002", NULL);
            world_sync(&world);
            contact = standin_contact(standin, "ann@example.org", &keep);
            if (strcmp(text_of(contact, "phone"), "+61255500002") != 0)
                g_error("%s after %u: not ours any more", kinds[i], after);
            json_decref(keep);
            world_close(&world);
        }
    }
}

static void
test_clock(void)
{
    World world = { 0 };
    world_open(&world);
    standin_do(standin, "set", json_of("{'clock_skew':7200}"));
    merge_contact(world.store, "ann@example.org", "Ann", "Lee", NULL, NULL);
    world_sync(&world);
    json_t *keep;
    g_assert_nonnull(standin_contact(standin, "ann@example.org", &keep));
    json_decref(keep);
    g_autofree char *offset = NULL;
    g_assert_true(store_state_get(world.store, "clock_offset", &offset, NULL));
    g_assert_cmpint(ABS(g_ascii_strtoll(offset, NULL, 10) - 7200), <=, 2);
    world_close(&world);
}

static void
test_revoked(void)
{
    World world = { 0 };
    world_open(&world);
    standin_do(standin, "set", json_of("{'key_revoked':true}"));
    merge_contact(world.store, "ann@example.org", "Ann", "Lee", NULL, NULL);
    world.sync = sync_new(world.settings, world.store, NULL);
    sync_tune(world.sync, &quick_tuning);
    for (int i = 0; i < 5; i++)
        (void) sync_round(world.sync);
    g_autofree char *paused = NULL;
    g_assert_true(store_state_get(world.store, "paused", &paused, NULL));
    g_assert_nonnull(strstr(paused, "revoked"));
    StoreStatus status;
    g_assert_true(store_status(world.store, &status, NULL));
    g_assert_cmpint(status.pending, ==, 1);
    g_assert_cmpint(status.dead, ==, 0);
    standin_do(standin, "set", json_of("{'key_revoked':false}"));
    world_sync(&world);
    json_t *keep;
    g_assert_nonnull(standin_contact(standin, "ann@example.org", &keep));
    json_decref(keep);
    g_autofree char *after = NULL;
    g_assert_true(store_state_get(world.store, "paused", &after, NULL));
    g_assert_cmpstr(after, ==, "");
    world_close(&world);
}

static void
merge_many(World *world, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        g_autofree char *email = g_strdup_printf("p%u@example.org", i);
        g_autofree char *last = g_strdup_printf("Person%u", i);
        merge_contact(world->store, email, "Pat", last, "+61255501234", NULL);
    }
}

static void
check_many(unsigned n)
{
    json_t *dump = standin_control(standin, "dump", NULL);
    g_assert_cmpuint(json_array_size(json_object_get(dump, "contacts")), ==, n);
    json_decref(dump);
}

static void
test_batch(void)
{
    World world = { 0 };
    world_open(&world);
    standin_do(standin, "set",
               json_of("{'batch_delay_ms':30,'batch_shuffle':true}"));
    merge_many(&world, 450);
    world_sync(&world);
    check_many(450);
    g_assert_cmpint(standin_count(standin, "batch.run"), ==, 6);
    g_assert_cmpint(standin_count(standin, NULL), <=, 30);
    world_close(&world);
}

static void
test_batch_faults(void)
{
    static const char *const rules[] = {
        "{'match':'batch.run','kind':'close','apply':true}",
        "{'match':'batch.run','kind':'close','after':1,'apply':true}",
        "{'match':'batch.run','kind':'reset','after':1}",
        "{'match':'batch.run','kind':'ratelimit'}",
        "{'match':'batch.results','kind':'html','times':3}",
        "{'match':'batch.results','kind':'error','specificCode':24115,"
        "'errorCode':400,'times':2,'after':1}",
        "{'match':'batch.progress','kind':'garbage'}",
        "{'match':'contact.*','kind':'error','errorCode':500,'job':true,"
        "'times':9,'after':3}",
        "{'match':'contact.addOrUpdateContact','kind':'error','job':true,"
        "'errorCode':500,'times':9,'apply':true}",
        "{'match':'contact.*','kind':'error','errorCode':429,'job':true,"
        "'times':2}",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rules); i++) {
        World world = { 0 };
        world_open(&world);
        standin_do(standin, "set", json_of("{'batch_delay_ms':20}"));
        standin_do(standin, "faults", json_pack("[o]", json_of(rules[i])));
        merge_many(&world, 40);
        world_sync(&world);
        check_many(40);
        world_close(&world);
    }
}

/* What one host is told by a 429 slows the others down, too. */
static void
test_pace_shared(void)
{
    World world = { 0 };
    world_open(&world);
    merge_many(&world, 12);
    world.settings->api.batch = BATCH_OFF;
    Sync *other = sync_new(world.settings, world.store, NULL);
    sync_tune(other, &quick_tuning);
    world.sync = sync_new(world.settings, world.store, NULL);
    sync_tune(world.sync, &quick_tuning);
    /* Longer than a host waits in the middle of its work. */
    standin_do(standin, "faults",
               json_of("[{'match':'contact.*','kind':'ratelimit',"
                       "'retry_after':120}]"));
    g_assert_cmpint(sync_round(world.sync), >, 60000);
    g_assert_cmpint(standin_count(standin, NULL), ==, 1);

    g_assert_cmpint(sync_round(other), >, 1000);
    g_assert_cmpint(standin_count(standin, NULL), ==, 1);
    g_autofree char *pace = NULL;
    g_assert_true(store_state_get(world.store, "pace", &pace, NULL));
    g_assert_nonnull(strstr(pace, "rate="));

    /* A host that starts now knows it as well. */
    sync_free(other);
    other = sync_new(world.settings, world.store, NULL);
    sync_tune(other, &quick_tuning);
    g_assert_cmpint(sync_round(other), >, 1000);
    g_assert_cmpint(standin_count(standin, NULL), ==, 1);
    sync_free(other);
    world_close(&world);
}

static void
test_no_batch(void)
{
    World world = { 0 };
    world_open(&world);
    standin_do(standin, "set", json_of("{'batch':false}"));
    merge_many(&world, 30);
    world_sync(&world);
    check_many(30);
    g_assert_cmpint(standin_count(standin, "batch.run"), ==, 1);
    /* for good: also after a restart */
    sync_free(world.sync);
    world.sync = NULL;
    world_close(&world);
}

static void
test_company(void)
{
    World world = { 0 };
    world_open(&world);
    world.settings->contact.company = COMPANY_CREATE;
    static const struct {
        const char *email, *company;
    } people[] = {
        { "a@example.org", "EXAMPLE HOLDINGS" },
        { "b@example.org", "Exemplar Ltd" },
        { "c@example.org", "New Venture GmbH" },
        { "d@example.org", "New Venture" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(people); i++) {
        Contact *contact = test_contact(people[i].email, "Pat", "Day");
        field_set(&contact->company, people[i].company, "line", 0.9);
        field_set(&contact->website, "https://example.org/", "line", 0.9);
        merge_known(world.store, contact);
    }
    world_sync(&world);
    json_t *dump = standin_control(standin, "dump", NULL);
    json_t *companies = json_object_get(dump, "companies");
    g_assert_cmpuint(json_array_size(companies), ==, 2);
    json_int_t created =
        json_integer_value(json_object_get(json_array_get(companies, 1), "id"));
    const json_int_t expected[] = { 5, 5, created, created };
    for (size_t i = 0; i < G_N_ELEMENTS(people); i++) {
        json_t *keep;
        json_t *contact = standin_contact(standin, people[i].email, &keep);
        json_t *list = json_object_get(contact, "companies");
        g_assert_cmpuint(json_array_size(list), ==, 1);
        g_assert_cmpint(json_integer_value(json_array_get(list, 0)), ==,
                        expected[i]);
        json_decref(keep);
    }
    json_decref(dump);
    world_close(&world);
}

static void
test_urls(void)
{
    World world = { 0 };
    world_open(&world);
    seed_contact(
        "{'id':6,'firstName':'Ann','lastName':'Lee','email':'ann@example.org',"
        "'externalUrls':[{'ref':'crm','url':'https://example.com/1',"
        "'label':''},{'ref':'x','url':'https://example.com/2','label':''}]}");
    Contact *ann = test_contact("ann@example.org", "Ann", "Lee");
    field_set(&ann->website, "https://example.org", "line", 0.9);
    Field link = { 0 };
    field_set(&link, "https://www.linkedin.com/in/ann", "line", 0.9);
    g_array_append_val(ann->links, link);
    merge_known(world.store, ann);
    world_sync(&world);
    json_t *keep;
    json_t *contact = standin_contact(standin, "ann@example.org", &keep);
    json_t *urls = json_object_get(contact, "externalUrls");
    g_assert_cmpuint(json_array_size(urls), ==, 3);
    g_assert_cmpstr(text_of(json_array_get(urls, 0), "ref"), ==, "crm");
    g_assert_cmpstr(text_of(json_array_get(urls, 2), "url"), ==,
                    "https://example.org");
    json_decref(keep);
    world_close(&world);
}

static void
test_groups_existing(void)
{
    World world = { 0 };
    world_open(&world);
    static const char *const groups[] = { "10", NULL };
    test_list(&world.settings->contact.groups, groups);
    world.settings->contact.groups_existing = true;
    seed_contact("{'id':6,'firstName':'Ann','lastName':'Lee',"
                 "'email':'ann@example.org','status':1,'groups':[11]}");
    seed_contact("{'id':7,'firstName':'Bo','lastName':'Day',"
                 "'email':'bo@example.org','status':2,'groups':[11]}");
    merge_contact(world.store, "ann@example.org", "Ann", "Lee", NULL, NULL);
    merge_contact(world.store, "bo@example.org", "Bo", "Day", NULL, NULL);
    world_sync(&world);
    json_t *keep;
    json_t *contact = standin_contact(standin, "ann@example.org", &keep);
    g_assert_cmpuint(json_array_size(json_object_get(contact, "groups")), ==,
                     2);
    json_decref(keep);
    contact = standin_contact(standin, "bo@example.org", &keep);
    g_assert_cmpuint(json_array_size(json_object_get(contact, "groups")), ==,
                     1);
    json_decref(keep);
    world_close(&world);
}

static void
test_dates_and_addresses(void)
{
    World world = { 0 };
    world_open(&world);
    world.settings->custom_fields.address = 3;
    world.settings->custom_fields.last_mail = 4;
    world.settings->custom_fields.job_title = 5;
    world.settings->custom_fields.mobile = 99; /* no such field */
    standin_do(standin, "set", json_of("{'date_format':'date'}"));
    Contact *ann = test_contact("ann@example.org", "Ann", "Lee");
    field_set(&ann->job_title, "chef", "line", 0.9);
    field_set(&ann->address, "1 Example St, Sydney NSW 2000", "line", 0.9);
    ann->address_parts.line1 = g_strdup("1 Example St");
    ann->address_parts.city = g_strdup("Sydney");
    ann->address_parts.state = g_strdup("NSW");
    ann->address_parts.postal_code = g_strdup("2000");
    ann->address_parts.country = g_strdup("au");
    test_phone(ann, PHONE_MOBILE, "+61491570156");
    merge_known(world.store, ann);
    world_sync(&world);
    json_t *keep;
    json_t *contact = standin_contact(standin, "ann@example.org", &keep);
    g_assert_nonnull(contact);
    g_autofree char *address = custom_of(contact, "3");
    g_autofree char *date = custom_of(contact, "4");
    g_autofree char *title = custom_of(contact, "5");
    g_assert_cmpstr(address, ==,
                    "{\"city\":\"Sydney\",\"countryCode\":\"AU\","
                    "\"line1\":\"1 Example St\",\"postalCode\":\"2000\","
                    "\"stateCode\":\"NSW\"}");
    g_assert_cmpstr(date, ==, "2026-09-21");
    g_assert_cmpstr(title, ==, "Chef");
    json_decref(keep);
    world_close(&world);
}

static void
test_dry_run(void)
{
    World world = { 0 };
    world_open(&world);
    world.settings->api.dry_run = true;
    merge_contact(world.store, "ann@example.org", "Ann", "Lee", NULL, NULL);
    world.sync = sync_new(world.settings, world.store, NULL);
    sync_tune(world.sync, &quick_tuning);
    for (int i = 0; i < 5; i++)
        (void) sync_round(world.sync);
    check_many(0);
    g_assert_cmpint(standin_count(standin, "contact.addOrUpdateContact"), ==,
                    0);
    sync_free(world.sync);
    world.sync = NULL;
    world.settings->api.dry_run = false;
    world_sync(&world);
    check_many(1);
    world_close(&world);
}

static void
test_suppress(void)
{
    World world = { 0 };
    world_open(&world);
    merge_status(world.store, "nobody@example.org", 2, 0, false);
    merge_status(world.store, "stop@example.org", 2, 0, true);
    world_sync(&world);
    check_many(1);
    json_t *keep;
    json_t *contact = standin_contact(standin, "stop@example.org", &keep);
    g_assert_cmpint(json_integer_value(json_object_get(contact, "status")), ==,
                    2);
    json_decref(keep);
    world_close(&world);
}

static void
test_anonymised(void)
{
    World world = { 0 };
    world_open(&world);
    merge_contact(world.store, "ann@example.org", "Ann", "Lee", NULL, NULL);
    world_sync(&world);
    json_t *keep;
    json_t *contact = standin_contact(standin, "ann@example.org", &keep);
    standin_do(standin, "edit",
               json_pack("{s:O, s:b, s:s}", "id",
                         json_object_get(contact, "id"), "anonymise", 1,
                         "email", "anonymised@invalid.example"));
    json_decref(keep);
    merge_contact(world.store, "ann@example.org", "Ann", "Lee", "+61255500001",
                  NULL);
    world_sync(&world);
    merge_status(world.store, "ann@example.org", 2, 0, true);
    world_sync(&world);
    check_many(1);
    keep = standin_contacts(standin, "ann@example.org");
    g_assert_cmpuint(json_array_size(keep), ==, 0);
    json_decref(keep);
    world_close(&world);
}

/* The thread: starts, is woken, stops in time although the API hangs. */
static void
test_thread(void)
{
    World world = { 0 };
    world_open(&world);
    world.sync = sync_new(world.settings, world.store, NULL);
    SyncTuning tuning = quick_tuning;
    tuning.poll_ms = 60000;
    sync_tune(world.sync, &tuning);
    sync_start(world.sync);
    merge_contact(world.store, "ann@example.org", "Ann", "Lee", NULL, NULL);
    sync_wake(world.sync);
    for (int i = 0; i < 200; i++) {
        json_t *all = standin_contacts(standin, "ann@example.org");
        size_t n = json_array_size(all);
        json_decref(all);
        if (n == 1)
            break;
        g_usleep(20000);
    }
    check_many(1);
    sync_configure(world.sync, world.settings);
    standin_do(standin, "faults",
               json_of("[{'match':'contact.*','kind':'hang','seconds':4}]"));
    merge_contact(world.store, "bo@example.org", "Bo", "Day", NULL, NULL);
    sync_wake(world.sync);
    g_usleep(200000);
    int64_t began = g_get_monotonic_time();
    sync_stop(world.sync, 100);
    g_assert_cmpint(g_get_monotonic_time() - began, <, 2500000);
    world_close(&world);
}

/* Wrong credentials are said at the start, not with the first contact. */
static void
test_start(void)
{
    World world = { 0 };
    world_open(&world);
    test_set(&world.settings->api.secret, "wrong");
    world.sync = sync_new(world.settings, world.store, NULL);
    sync_tune(world.sync, &quick_tuning);
    sync_start(world.sync);
    g_autofree char *paused = NULL;
    for (int i = 0; i < 200 && (paused == NULL || paused[0] == '\0'); i++) {
        g_usleep(20000);
        g_clear_pointer(&paused, g_free);
        g_assert_true(store_state_get(world.store, "paused", &paused, NULL));
    }
    g_assert_nonnull(paused);
    g_assert_nonnull(strstr(paused, "wrong signature"));
    world_close(&world);
}

static void
count_lines(bool ok, const char *line, void *data)
{
    unsigned *counts = data;
    g_test_message("%s %s", ok ? "ok" : "BAD", line);
    counts[ok ? 0 : 1]++;
}

static void
keep_last(bool ok, const char *line, void *data)
{
    if (!ok)
        g_string_assign(data, line);
}

/* What to mend is named, not only what is wrong. */
static void
test_check_remedy(void)
{
    World world = { 0 };
    world_open(&world);
    g_autoptr(GString) line = g_string_new(NULL);
    g_autofree char *endpoint = g_strdup(world.settings->api.endpoint);
    test_set(&world.settings->api.secret_file, "/etc/secret");
    test_set(&world.settings->api.secret, "wrong");
    g_assert_false(sync_check(world.settings, keep_last, line));
    g_test_message("%s", line->str);
    g_assert_nonnull(strstr(line->str, "the secret is not that of [api] key"));
    g_assert_nonnull(strstr(line->str, "see /etc/secret"));
    test_set(&world.settings->api.key, "nobody");
    g_assert_false(sync_check(world.settings, keep_last, line));
    g_test_message("%s", line->str);
    g_assert_nonnull(strstr(line->str, "[api] key = nobody"));
    g_assert_nonnull(strstr(line->str, "/etc/secret"));
    g_autofree char *astray = g_strconcat(endpoint, "/elsewhere", NULL);
    test_set(&world.settings->api.endpoint, astray);
    g_assert_false(sync_check(world.settings, keep_last, line));
    g_test_message("%s", line->str);
    g_assert_nonnull(strstr(line->str, "see [api] endpoint, or leave it out"));
    test_set(&world.settings->api.endpoint, "https://api.invalid");
    g_assert_false(sync_check(world.settings, keep_last, line));
    g_test_message("%s", line->str);
    g_assert_nonnull(strstr(line->str, "see [api] endpoint, or leave it out"));
    world_close(&world);
}

static void
test_check(void)
{
    World world = { 0 };
    world_open(&world);
    static const char *const groups[] = { "10", "77", NULL };
    test_list(&world.settings->contact.groups, groups);
    world.settings->custom_fields.job_title = 1;
    world.settings->custom_fields.mobile = 99;
    world.settings->custom_fields.fax = 8; /* a whole number */
    unsigned counts[2] = { 0 };
    g_assert_false(sync_check(world.settings, count_lines, counts));
    g_assert_cmpuint(counts[1], ==, 3);
    test_set(&world.settings->api.secret, "wrong");
    counts[1] = 0;
    g_assert_false(sync_check(world.settings, count_lines, counts));
    g_assert_cmpuint(counts[1], ==, 1);
    world_close(&world);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    log_open("test_sync", LOG_TARGET_STDERR,
             g_test_verbose() ? LOG_LEVEL_DEBUG_ : LOG_LEVEL_ERROR_,
             ADDRESSES_FULL);
    standin = standin_start(NULL);
    g_test_add_func("/sync/new-contact", test_new_contact);
    g_test_add_func("/sync/status-order", test_status_order);
    g_test_add_func("/sync/everyone", test_everyone_of_an_address);
    g_test_add_func("/sync/ignored-filter", test_ignored_filter);
    g_test_add_func("/sync/own", test_own);
    g_test_add_func("/sync/refused", test_refused);
    g_test_add_func("/sync/dead-letter", test_dead_letter);
    g_test_add_func("/sync/trouble", test_trouble);
    g_test_add_func("/sync/clock", test_clock);
    g_test_add_func("/sync/revoked", test_revoked);
    g_test_add_func("/sync/batch", test_batch);
    g_test_add_func("/sync/batch-faults", test_batch_faults);
    g_test_add_func("/sync/no-batch", test_no_batch);
    g_test_add_func("/sync/pace-shared", test_pace_shared);
    g_test_add_func("/sync/company", test_company);
    g_test_add_func("/sync/urls", test_urls);
    g_test_add_func("/sync/groups-existing", test_groups_existing);
    g_test_add_func("/sync/dates", test_dates_and_addresses);
    g_test_add_func("/sync/dry-run", test_dry_run);
    g_test_add_func("/sync/suppress", test_suppress);
    g_test_add_func("/sync/anonymised", test_anonymised);
    g_test_add_func("/sync/thread", test_thread);
    g_test_add_func("/sync/start", test_start);
    g_test_add_func("/sync/check", test_check);
    g_test_add_func("/sync/check-remedy", test_check_remedy);
    int result = g_test_run();
    standin_stop(standin);
    return result;
}
