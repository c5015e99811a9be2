/*
 * test_property.c - the rules hold whatever happens
 *
 * Two tests: kills at every fault point end in the same state as an
 * undisturbed run; and random sequences of observations, edits by people and
 * faults of the API end in the state that a model of the rules predicts.
 *
 * The worker runs in a child (this program with --child), so that it can be
 * killed.
 */
#include "base/log.h"
#include "standin.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static Standin *standin;
static const char *self;

static Settings *
settings_for(const char *url, bool batch)
{
    Settings *settings = test_settings(url);
    static const char *const groups[] = { "10", NULL };
    test_list(&settings->contact.groups, groups);
    settings->custom_fields.job_title = 1;
    settings->contact.company = COMPANY_CREATE;
    settings->api.batch = batch ? BATCH_AUTO : BATCH_OFF;
    settings->api.timeout = 2000;
    return settings;
}

static void
run_until_idle(Store *store, const char *url, bool batch)
{
    g_autoptr(Settings) settings = settings_for(url, batch);
    (void) store_state_set(store, "pace", "", NULL); /* tests have no time */
    Sync *sync = sync_new(settings, store, NULL);
    SyncTuning tuning = quick_tuning;
    tuning.handful = 2;
    sync_tune(sync, &tuning);
    sync_all(sync, store);
    sync_free(sync);
}

static int
child(const char *uri, const char *url, bool batch)
{
    Store *store = store_open(uri, "host", NULL);
    g_assert_nonnull(store);
    run_until_idle(store, url, batch);
    store_close(store);
    return 0;
}

/* True when the child was killed at the fault point, false when it ended. */
static bool
run_child(const char *uri, bool batch, const char *fault)
{
    g_auto(GStrv) env = g_get_environ();
    env = g_environ_setenv(env, "CONTACT_MILTER_FAULT",
                           fault != NULL ? fault : "", TRUE);
    const char *argv[] = { self,         "--child",         uri,
                           standin->url, batch ? "1" : "0", NULL };
    GPid pid;
    g_autoptr(GError) error = NULL;
    g_spawn_async(NULL, (char **) argv, env,
                  G_SPAWN_DO_NOT_REAP_CHILD |
                      (g_test_verbose() ? 0 : G_SPAWN_STDERR_TO_DEV_NULL),
                  NULL, NULL, &pid, &error);
    g_assert_no_error(error);
    int status = 0;
    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
    if (WIFSIGNALED(status)) {
        g_assert_cmpint(WTERMSIG(status), ==, SIGKILL);
        return true;
    }
    g_assert_cmpint(WEXITSTATUS(status), ==, 0);
    return false;
}

/* --- kills ---------------------------------------------------------------- */

static void
seed_crash(void)
{
    standin_do(standin, "reset", NULL);
    standin_do(
        standin, "seed",
        json_of(
            "{'groups':[{'id':10,'groupName':'G'},{'id':11,'groupName':'H'}],"
            "'fields':[{'fieldId':1,'fieldType':0,'displayName':'Title'}],"
            "'contacts':["
            "{'firstName':'Ann','lastName':'Lee','email':'ann@example.org',"
            " 'status':1,'groups':[11],'externalUrls':[{'ref':'crm',"
            " 'url':'https://example.com/','label':''}]},"
            "{'firstName':'Bo','lastName':'Day','email':'bo@example.org',"
            " 'status':1,'phone':'555 1111','groups':[11]},"
            "{'firstName':'Bob','lastName':'Day','email':'bo@example.org',"
            " 'status':5},"
            "{'firstName':'Cy','lastName':'Fox','email':'cy@example.org',"
            " 'status':3}]}"));
}

static void
see_mail(Store *store, const char *email, const char *first, const char *last,
         const char *phone, const char *title)
{
    Contact *contact = test_contact(email, first, last);
    test_phone(contact, PHONE_WORK, phone);
    field_set(&contact->job_title, title, "line", 0.9);
    field_set(&contact->company, "Example Ltd", "line", 0.9);
    field_set(&contact->website, "https://example.org", "line", 0.9);
    merge_known(store, contact);
}

static void
observe_crash(Store *store)
{
    see_mail(store, "ann@example.org", "Ann", "Lee", "+61255500001", "Chef");
    see_mail(store, "bo@example.org", "Bo", "Day", "+61255500002", "Cook");
    see_mail(store, "new@example.org", "Eve", "New", "+61255500003", "Boss");
    see_mail(store, "two@example.org", "Tom", "Two", "+61255500004", "Aide");
    merge_status(store, "bo@example.org", 3, 0, false);
    merge_status(store, "cy@example.org", 2, 2, false);
    merge_status(store, "two@example.org", 2, 0, false);
}

static int
compare_lines(const void *a, const void *b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* All contacts without what differs from run to run. */
static char *
end_state(void)
{
    json_t *dump = standin_control(standin, "dump", NULL);
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
    size_t index;
    json_t *contact;
    json_array_foreach(json_object_get(dump, "contacts"), index, contact)
    {
        json_object_del(contact, "id");
        json_object_del(contact, "modifiedDate");
        json_object_set_new(contact, "companies",
                            json_integer((int) json_array_size(
                                json_object_get(contact, "companies"))));
        char *text = json_dumps(contact, JSON_SORT_KEYS | JSON_COMPACT);
        g_ptr_array_add(lines, g_strdup(text));
        free(text);
    }
    g_autofree char *companies = g_strdup_printf(
        "%zu companies", json_array_size(json_object_get(dump, "companies")));
    json_decref(dump);
    g_ptr_array_add(lines, g_steal_pointer(&companies));
    g_ptr_array_sort(lines, compare_lines);
    g_ptr_array_add(lines, NULL);
    return g_strjoinv("\n", (char **) lines->pdata);
}

/* One run: kill at `fault`, go on, then change what is ours. */
static char *
crash_run(const char *fault, bool batch, bool *out_killed)
{
    seed_crash();
    g_autofree char *folder = g_dir_make_tmp("test-crash-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "c.db", NULL);
    g_autofree char *uri = g_strconcat("sqlite:", path, NULL);
    Store *store = store_open(uri, "host", NULL);
    observe_crash(store);
    store_close(store);
    *out_killed = run_child(uri, batch, fault);
    if (*out_killed)
        g_assert_false(run_child(uri, batch, NULL));
    store = store_open(uri, "host", NULL);
    see_mail(store, "ann@example.org", "Ann", "Lee", "+61255500011", "Chef 2");
    see_mail(store, "new@example.org", "Eve", "New", "+61255500013", "Boss 2");
    run_until_idle(store, standin->url, batch);
    StoreStatus status;
    g_assert_true(store_status(store, &status, NULL));
    g_assert_cmpint(status.dead, ==, 0);
    store_close(store);
    static const char *const endings[] = { "", "-wal", "-shm" };
    for (size_t i = 0; i < G_N_ELEMENTS(endings); i++) {
        g_autofree char *name = g_strconcat(path, endings[i], NULL);
        (void) g_unlink(name);
    }
    (void) g_rmdir(folder);
    return end_state();
}

static void
test_kills(const void *data)
{
    bool batch = data != NULL;
    static const struct {
        const char *name;
        unsigned passes; /* the first so many of them */
        unsigned step;
    } points[] = {
        { "crm.after-claim", 1, 1 },   { "crm.before-save", 3, 1 },
        { "crm.after-save", 3, 1 },    { "crm.before-call", 22, 5 },
        { "crm.after-call", 22, 3 },   { "crm.before-confirm", 3, 1 },
        { "crm.after-confirm", 3, 1 }, { "crm.before-batch", 3, 1 },
        { "crm.after-batch", 3, 1 },
    };
    bool killed;
    g_autofree char *expected = crash_run(NULL, batch, &killed);
    g_assert_false(killed);
    g_assert_nonnull(strstr(expected, "+61255500013"));
    unsigned kills = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(points); i++) {
        for (unsigned pass = 1; pass <= points[i].passes;
             pass += points[i].step) {
            g_autofree char *fault =
                g_strdup_printf("%s:%u", points[i].name, pass);
            g_autofree char *state = crash_run(fault, batch, &killed);
            if (!killed)
                break; /* not so many passes */
            kills++;
            if (strcmp(state, expected) != 0)
                g_error("killed at %s:\n%s\n\nexpected:\n%s", fault, state,
                        expected);
        }
    }
    g_test_message("%u kills", kills);
    g_assert_cmpuint(kills, >, 8);
}

/* --- the model ------------------------------------------------------------ */

enum { PEOPLE = 6, FIELDS = 2, STEPS = 60 };

/* What the rules say of one address with one CRM contact. */
typedef struct {
    char *present[FIELDS]; /* phone, job title; "" blank */
    char *own[FIELDS];     /* what we wrote; NULL: nothing */
    bool person[FIELDS];   /* changed by a person what we wrote */
    char *wanted[FIELDS];  /* from mail; NULL: nothing yet */
    bool exists, pending;
    int status, want_status;
    bool foreign_url;
    unsigned groups; /* bits: 1 = 10, 2 = 11 */
    int64_t id;
} Person;

static void
set_text(char **member, const char *text)
{
    g_free(*member);
    *member = g_strdup(text);
}

static void
model_sync(Person *person)
{
    if (person->pending && !person->exists) {
        person->exists = true;
        person->status = person->want_status == 2 ? 2 : 5;
        person->groups = person->want_status == 2 ? 0 : 1;
        for (int f = 0; f < FIELDS; f++) {
            if (person->wanted[f] == NULL)
                continue;
            set_text(&person->present[f], person->wanted[f]);
            set_text(&person->own[f], person->wanted[f]);
        }
    } else if (person->exists && (person->pending || person->want_status)) {
        for (int f = 0; f < FIELDS; f++) {
            if (person->own[f] != NULL &&
                strcmp(person->own[f], person->present[f]) != 0) {
                person->person[f] = true;
                g_clear_pointer(&person->own[f], g_free);
            }
            const char *wanted = person->wanted[f];
            if (!person->pending || wanted == NULL || person->person[f] ||
                strcmp(wanted, person->present[f]) == 0)
                continue;
            if (person->present[f][0] == '\0' || person->own[f] != NULL) {
                set_text(&person->present[f], wanted);
                set_text(&person->own[f], wanted);
            }
        }
        if (person->want_status == 2)
            person->status = 2;
        if (person->want_status == 3 &&
            (person->status == 1 || person->status == 0))
            person->status = 3;
    }
    person->pending = false;
    person->want_status = 0;
}

static void
person_clear(Person *person)
{
    for (int f = 0; f < FIELDS; f++) {
        g_free(person->present[f]);
        g_free(person->own[f]);
        g_free(person->wanted[f]);
    }
}

static char *
mail_of(int i)
{
    return g_strdup_printf("p%d@example.org", i);
}

static void
model_seed(Person *people)
{
    standin_do(standin, "reset", NULL);
    standin_do(standin, "seed",
               json_of("{'groups':[{'id':10,'groupName':'G'},{'id':11,"
                       "'groupName':'H'}],'fields':[{'fieldId':1,"
                       "'fieldType':0,'displayName':'Title'}]}"));
    for (int i = 0; i < PEOPLE; i++) {
        Person *person = &people[i];
        for (int f = 0; f < FIELDS; f++)
            set_text(&person->present[f], "");
        if (i % 2 == 0)
            continue; /* not in the CRM yet */
        person->exists = true;
        person->status = i == 1 ? 1 : 5;
        person->groups = 2;
        person->foreign_url = true;
        set_text(&person->present[0], i == 3 ? "555 0000" : "");
        g_autofree char *email = mail_of(i);
        g_autofree char *last = g_strdup_printf("Person%c", 'A' + i);
        standin_do(
            standin, "seed",
            json_pack("{s:[{s:s,s:s,s:s,s:i,s:[i],s:s,s:[{s:s,s:s,s:s}]}]}",
                      "contacts", "firstName", "Pat", "lastName", last, "email",
                      email, "status", person->status, "groups", 11, "phone",
                      person->present[0], "externalUrls", "ref", "crm", "url",
                      "https://example.com/", "label", ""));
    }
}

/* The CRM as it is must be what the model says. */
static void
model_check(const Person *people, const char *history)
{
    json_t *dump = standin_control(standin, "dump", NULL);
    json_t *contacts = json_object_get(dump, "contacts");
    size_t expected = 0;
    for (int i = 0; i < PEOPLE; i++)
        expected += people[i].exists ? 1 : 0;
    if (json_array_size(contacts) != expected)
        g_error("%s\n%zu contacts, not %zu", history, json_array_size(contacts),
                expected);
    size_t index;
    json_t *contact;
    json_array_foreach(contacts, index, contact)
    {
        int i = text_of(contact, "email")[1] - '0';
        const Person *person = &people[i];
        g_autofree char *title = custom_of(contact, "1");
        const char *phone = text_of(contact, "phone");
        int status =
            (int) json_integer_value(json_object_get(contact, "status"));
        unsigned groups = 0;
        size_t g;
        json_t *group;
        json_array_foreach(json_object_get(contact, "groups"), g, group)
        {
            groups |= json_integer_value(group) == 10 ? 1 : 2;
        }
        bool url = false;
        json_array_foreach(json_object_get(contact, "externalUrls"), g, group)
        {
            url = url || strcmp(text_of(group, "ref"), "crm") == 0;
        }
        if (strcmp(phone, person->present[0]) != 0 ||
            strcmp(title, person->present[1]) != 0 ||
            status != person->status || groups != person->groups ||
            url != person->foreign_url)
            g_error("%s\np%d: phone %s title %s status %d groups %u url %d, "
                    "expected %s %s %d %u %d",
                    history, i, phone, title, status, groups, url,
                    person->present[0], person->present[1], person->status,
                    person->groups, person->foreign_url);
    }
    json_decref(dump);
}

static void
random_fault(void)
{
    static const char *const faults[] = {
        "{'kind':'status','status':503}",
        "{'kind':'close','apply':true}",
        "{'kind':'reset','apply':true}",
        "{'kind':'html','apply':true}",
        "{'kind':'ratelimit'}",
        "{'kind':'truncate'}",
        "{'kind':'error','errorCode':463}",
        "{'kind':'error','errorCode':500,'job':true}",
        "{'kind':'error','errorCode':500,'job':true,'apply':true}",
    };
    json_t *rule =
        json_of(faults[g_test_rand_int_range(0, G_N_ELEMENTS(faults))]);
    json_object_set_new(rule, "after",
                        json_integer(g_test_rand_int_range(0, 4)));
    json_object_set_new(rule, "times",
                        json_integer(g_test_rand_int_range(1, 3)));
    standin_do(standin, "faults", json_pack("[o]", rule));
}

static void
edit(Person *person, int i, const char *set)
{
    g_autofree char *email = mail_of(i);
    json_t *keep;
    json_t *contact = standin_contact(standin, email, &keep);
    g_assert_nonnull(contact);
    standin_do(standin, "edit",
               json_pack("{s:O,s:o}", "id", json_object_get(contact, "id"),
                         "set", json_of(set)));
    json_decref(keep);
    (void) person;
}

static void
random_step(Store *store, Person *people, unsigned step, GString *history)
{
    int i = g_test_rand_int_range(0, PEOPLE);
    Person *person = &people[i];
    g_autofree char *email = mail_of(i);
    g_autofree char *last = g_strdup_printf("Person%c", 'A' + i);
    g_autofree char *value = g_strdup_printf("+6125550%04u", step);
    g_autofree char *title = g_strdup_printf("Title %u", step);
    g_autofree char *set = NULL;
    int what = g_test_rand_int_range(0, 10);
    g_string_append_printf(history, "%u: p%d ", step, i);
    switch (what) {
    case 0:
    case 1:
    case 2:
        g_string_append_printf(history, "mail phone %s\n", value);
        merge_contact(store, email, "Pat", last, value, NULL);
        set_text(&person->wanted[0], value);
        person->pending = true;
        break;
    case 3:
    case 4:
        g_string_append_printf(history, "mail title %s\n", title);
        merge_contact(store, email, "Pat", last, NULL, title);
        set_text(&person->wanted[1], title);
        person->pending = true;
        break;
    case 5:
        g_string_append(history, "bounce\n");
        merge_status(store, email, 3, 0, false);
        if (person->want_status != 2)
            person->want_status = 3;
        break;
    case 6:
        g_string_append(history, "unsubscribe\n");
        merge_status(store, email, 2, 0, false);
        person->want_status = 2;
        break;
    case 7:
        if (!person->exists)
            break;
        set = g_strdup_printf("{'phone':'%s'}", step % 3 == 0 ? "" : title);
        g_string_append_printf(history, "person sets %s\n", set);
        edit(person, i, set);
        set_text(&person->present[0], step % 3 == 0 ? "" : title);
        break;
    case 8:
        if (!person->exists)
            break;
        set = g_strdup_printf("{'customFields':{'1':'by hand %u'},"
                              "'groups':[10,11]}",
                              step);
        g_string_append_printf(history, "person sets %s\n", set);
        edit(person, i, set);
        g_free(person->present[1]);
        person->present[1] = g_strdup_printf("by hand %u", step);
        person->groups = 3;
        break;
    default:
        if (!person->exists)
            break;
        set = g_strdup_printf("{'status':%d}", step % 2 == 0 ? 2 : 5);
        g_string_append_printf(history, "person sets %s\n", set);
        edit(person, i, set);
        person->status = step % 2 == 0 ? 2 : 5;
        break;
    }
}

static void
random_run(bool batch)
{
    Person people[PEOPLE] = { 0 };
    model_seed(people);
    g_autofree char *folder = g_dir_make_tmp("test-model-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "c.db", NULL);
    g_autofree char *uri = g_strconcat("sqlite:", path, NULL);
    Store *store = store_open(uri, "host", NULL);
    g_autoptr(GString) history = g_string_new(NULL);
    for (unsigned step = 0; step < STEPS; step++) {
        random_step(store, people, step, history);
        if (g_test_rand_int_range(0, 4) != 0 && step + 1 < STEPS)
            continue;
        g_string_append(history, "sync\n");
        if (g_test_rand_int_range(0, 2) == 0)
            random_fault();
        run_until_idle(store, standin->url, batch);
        standin_do(standin, "faults", json_array());
        for (int i = 0; i < PEOPLE; i++)
            model_sync(&people[i]);
        model_check(people, history->str);
    }
    store_close(store);
    for (int i = 0; i < PEOPLE; i++)
        person_clear(&people[i]);
    static const char *const endings[] = { "", "-wal", "-shm" };
    for (size_t i = 0; i < G_N_ELEMENTS(endings); i++) {
        g_autofree char *name = g_strconcat(path, endings[i], NULL);
        (void) g_unlink(name);
    }
    (void) g_rmdir(folder);
}

static void
test_random(void)
{
    const char *runs = g_getenv("PROPERTY_RUNS");
    unsigned n = runs != NULL ? (unsigned) g_ascii_strtoull(runs, NULL, 10) : 3;
    for (unsigned i = 0; i < n; i++)
        random_run(i % 2 == 1);
}

int
main(int argc, char **argv)
{
    log_open("test_property", LOG_TARGET_STDERR,
             argc > 1 && strcmp(argv[1], "--child") == 0 ? LOG_LEVEL_DEBUG_
                                                         : LOG_LEVEL_ERROR_,
             ADDRESSES_FULL);
    if (argc == 5 && strcmp(argv[1], "--child") == 0)
        return child(argv[2], argv[3], argv[4][0] == '1');
    self = argv[0];
    g_test_init(&argc, &argv, NULL);
    standin = standin_start(NULL);
    g_test_add_data_func("/property/kills/single", NULL, test_kills);
    g_test_add_data_func("/property/kills/batch", "batch", test_kills);
    g_test_add_func("/property/random", test_random);
    int result = g_test_run();
    standin_stop(standin);
    return result;
}
