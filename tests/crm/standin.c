/*
 * standin.c - starts tests/api/ivvy-standin and talks to its control side
 */
#include "standin.h"

#include <curl/curl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

const SyncTuning quick_tuning = {
    .poll_ms = 5,
    .lease_s = 60,
    .trouble_ms = 1,
    .trouble_cap_ms = 4,
    .contact_ms = 1,
    .contact_cap_ms = 1,
    .probe_ms = 2,
    .probe_cap_ms = 4,
    .wave = 1000,
    .handful = 5,
};

/* A test that is killed leaves no server behind. */
static void
die_with_parent(void *data)
{
    (void) data;
    (void) prctl(PR_SET_PDEATHSIG, SIGTERM);
}

Standin *
standin_start(const char *const *options)
{
    const char *source = g_getenv("G_TEST_SRCDIR");
    g_autofree char *program = g_build_filename(
        source != NULL ? source : SRCDIR, "tests/api/ivvy-standin", NULL);
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    g_ptr_array_add(argv, (char *) "python3");
    g_ptr_array_add(argv, program);
    for (size_t i = 0; options != NULL && options[i] != NULL; i++)
        g_ptr_array_add(argv, (char *) options[i]);
    g_ptr_array_add(argv, NULL);

    int out;
    GPid pid;
    g_autoptr(GError) error = NULL;
    if (!g_spawn_async_with_pipes(
            NULL, (char **) argv->pdata, NULL,
            G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD, die_with_parent,
            NULL, &pid, NULL, &out, NULL, &error))
        g_error("python3: %s", error->message);
    char line[200];
    size_t length = 0;
    while (length + 1 < sizeof line && read(out, line + length, 1) == 1 &&
           line[length] != '\n')
        length++;
    line[length] = '\0';
    close(out);
    g_assert_true(g_str_has_prefix(line, "listening http"));
    Standin *standin = g_new0(Standin, 1);
    standin->pid = pid;
    standin->url = g_strdup(line + strlen("listening "));
    return standin;
}

void
standin_stop(Standin *standin)
{
    if (standin == NULL)
        return;
    (void) kill(standin->pid, SIGTERM);
    (void) waitpid(standin->pid, NULL, 0);
    g_free(standin->url);
    g_free(standin);
}

static size_t
on_body(char *data, size_t size, size_t count, void *user)
{
    g_string_append_len(user, data, (gssize) (size * count));
    return size * count;
}

json_t *
standin_control(Standin *standin, const char *name, json_t *body)
{
    g_autofree char *url = g_strconcat(standin->url, "/control/", name, NULL);
    char *text = body != NULL ? json_dumps(body, 0) : strdup("{}");
    json_decref(body);
    g_autoptr(GString) answer = g_string_new(NULL);
    CURL *curl = curl_easy_init();
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CAINFO, g_getenv("TEST_CA_FILE"));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, text);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
    CURLcode result = curl_easy_perform(curl);
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_cleanup(curl);
    free(text);
    g_assert_cmpint(result, ==, CURLE_OK);
    g_assert_cmpint(status, ==, 200);
    json_t *parsed = json_loads(answer->str, 0, NULL);
    g_assert_nonnull(parsed);
    return parsed;
}

void
standin_do(Standin *standin, const char *name, json_t *body)
{
    json_decref(standin_control(standin, name, body));
}

json_t *
json_of(const char *text)
{
    g_autofree char *copy = g_strdelimit(g_strdup(text), "'", '"');
    json_error_t error;
    json_t *value = json_loads(copy, 0, &error);
    if (value == NULL)
        g_error("%s: %s", copy, error.text);
    return value;
}

json_t *
standin_contacts(Standin *standin, const char *email)
{
    json_t *dump = standin_control(standin, "dump", NULL);
    json_t *found = json_array();
    size_t index;
    json_t *entry;
    json_array_foreach(json_object_get(dump, "contacts"), index, entry)
    {
        if (g_ascii_strcasecmp(text_of(entry, "email"), email) == 0)
            json_array_append(found, entry);
    }
    json_decref(dump);
    return found;
}

json_t *
standin_contact(Standin *standin, const char *email, json_t **out_keep)
{
    *out_keep = standin_contacts(standin, email);
    return json_array_size(*out_keep) == 1 ? json_array_get(*out_keep, 0)
                                           : NULL;
}

long
standin_count(Standin *standin, const char *action)
{
    json_t *log = standin_control(standin, "log", NULL);
    json_t *number =
        action != NULL ? json_object_get(json_object_get(log, "counts"), action)
                       : json_object_get(log, "total");
    long count = number != NULL ? (long) json_integer_value(number) : 0;
    json_decref(log);
    return count;
}

/* --- settings ------------------------------------------------------------- */

void
test_set(char **member, const char *value)
{
    g_free(*member);
    *member = g_strdup(value);
}

void
test_list(char ***member, const char *const *values)
{
    g_strfreev(*member);
    *member = g_strdupv((char **) values);
}

static void
print_problem(const char *problem, void *data)
{
    (void) data;
    g_printerr("%s\n", problem);
}

Settings *
test_settings(const char *url)
{
    Settings *settings = settings_load(NULL, ROLE_TOOL, print_problem, NULL);
    g_assert_nonnull(settings);
    test_set(&settings->api.endpoint, url);
    test_set(&settings->api.key, "test-key");
    test_set(&settings->api.secret, "test-secret");
    settings->api.timeout = 3000;
    return settings;
}

/* --- observations --------------------------------------------------------- */

static int64_t mail_time = 1790000000;
static unsigned merges;

Contact *
test_contact(const char *email, const char *first, const char *last)
{
    Contact *contact = contact_new(email);
    if (first != NULL)
        field_set(&contact->first_name, first, "From", 0.95);
    if (last != NULL)
        field_set(&contact->last_name, last, "From", 0.95);
    contact->name_source = "from";
    return contact;
}

void
test_phone(Contact *contact, PhoneType type, const char *number)
{
    Phone phone = { .type = type };
    field_set(&phone.number, number, "line", 0.95);
    g_array_append_val(contact->phones, phone);
}

static void
merge(Store *store, Observation *observation, Judged *judged)
{
    g_autofree char *key = g_strdup_printf("test-%u", ++merges);
    observation->time = mail_time++;
    judged->key = key;
    judged->observation = observation;
    judged->trust = "pass";
    g_autoptr(GError) error = NULL;
    if (!store_merge(store, judged, 1, g_get_real_time() / G_USEC_PER_SEC,
                     &error))
        g_error("store_merge: %s", error->message);
    observation_free(observation);
}

void
merge_known(Store *store, Contact *contact)
{
    Observation *observation =
        observation_new(OBSERVATION_CONTACT, contact->email);
    observation->contact = contact;
    Judged judged = { 0 };
    merge(store, observation, &judged);
}

void
merge_contact(Store *store, const char *email, const char *first,
              const char *last, const char *phone, const char *title)
{
    Contact *contact = test_contact(email, first, last);
    if (phone != NULL)
        test_phone(contact, PHONE_WORK, phone);
    if (title != NULL)
        field_set(&contact->job_title, title, "line", 0.95);
    merge_known(store, contact);
}

void
merge_status(Store *store, const char *email, int status, int sms,
             bool suppress)
{
    Observation *observation = observation_new(
        status == 2 || sms != 0 ? OBSERVATION_UNSUBSCRIBE : OBSERVATION_BOUNCE,
        email);
    Judged judged = { .want_status = status,
                      .want_sms = sms,
                      .unknown_suppress = suppress };
    merge(store, observation, &judged);
}

void
sync_all(Sync *sync, Store *store)
{
    for (unsigned i = 0; i < 3000; i++) {
        int64_t wait = sync_round(sync);
        if (wait == 0)
            continue;
        StoreStatus status;
        g_assert_true(store_status(store, &status, NULL));
        if (status.pending == 0)
            return;
        g_usleep((gulong) MIN(wait, 20) * 1000);
    }
    g_error("the sync does not come to an end");
}

/* --- looking at contacts -------------------------------------------------- */

const char *
text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "";
}

char *
custom_of(const json_t *contact, const char *field)
{
    const json_t *value =
        json_object_get(json_object_get(contact, "customFields"), field);
    if (value == NULL || json_is_null(value))
        return g_strdup("");
    if (json_is_string(value))
        return g_strdup(json_string_value(value));
    char *dump = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS);
    char *text = g_strdup(dump);
    free(dump);
    return text;
}
