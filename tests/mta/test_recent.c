/* Which observations of a contact are the same as one of just before. */
#include "mta/recent.h"

#include <string.h>

enum { NOON = 1772452800 };

static void
free_observation(gpointer data)
{
    observation_free(data);
}

static GPtrArray *
observed(const char *name, const char *results, const char *client,
         const char *message_id, int64_t when)
{
    Observation *o = observation_new(OBSERVATION_CONTACT, "ann@example.org");
    o->contact = contact_new("ann@example.org");
    field_set(&o->contact->first_name, name, name, 0.9);
    AuthResults r = { .value = g_strdup(results), .above_received = true };
    g_array_append_val(o->auth_results, r);
    o->client_addr = g_strdup(client);
    o->message_id = g_strdup(message_id);
    o->queue_id = g_strdup(message_id);
    g_ptr_array_add(o->recipients, g_strdup(message_id));
    o->time = when;
    GPtrArray *list = g_ptr_array_new_with_free_func(free_observation);
    g_ptr_array_add(list, o);
    return list;
}

typedef struct {
    const char *name;
    const char *first, *results, *client, *id;
    int64_t when;
    bool same;
} RecentCase;

#define PASS "mx; dkim=pass header.b=AbCd header.d=example.org"

static const RecentCase cases[] = {
    { "next mail", "Ann", PASS, "192.0.2.1", "2@x", NOON + 60, true },
    { "other signature of the key", "Ann",
      "mx; dkim=pass header.b=EfGh header.d=example.org", "192.0.2.1", "2@x",
      NOON + 60, true },
    { "other name", "Anna", PASS, "192.0.2.1", "2@x", NOON + 60, false },
    { "other result", "Ann", "mx; dkim=fail header.b=AbCd", "192.0.2.1", "2@x",
      NOON + 60, false },
    { "other client", "Ann", PASS, "192.0.2.9", "2@x", NOON + 60, false },
    { "next hour", "Ann", PASS, "192.0.2.1", "2@x", NOON + 3600, false },
};

static void
test_case(gconstpointer data)
{
    const RecentCase *c = data;
    Recent *recent = recent_new();
    g_autoptr(GPtrArray) first =
        observed("Ann", PASS, "192.0.2.1", "1@x", NOON);
    g_autoptr(GPtrArray) second =
        observed(c->first, c->results, c->client, c->id, c->when);
    RecentKey key;
    g_assert_true(recent_key(first, &key));
    g_assert_false(recent_has(recent, &key));
    recent_add(recent, &key);
    g_assert_true(recent_has(recent, &key));

    g_assert_true(recent_key(second, &key));
    g_assert_true(recent_has(recent, &key) == c->same);
    recent_clear(recent);
    g_assert_false(recent_has(recent, &key));
    recent_free(recent);
}

/* Whatever a contact has makes another key. */
static void
test_fields(void)
{
    enum { N = 9 };
    RecentKey keys[N];
    for (size_t i = 0; i < N; i++) {
        g_autoptr(GPtrArray) list =
            observed("Ann", PASS, "192.0.2.1", "1@x", NOON);
        Observation *o = g_ptr_array_index(list, 0);
        Contact *c = o->contact;
        Phone phone = { .type = i == 4 ? PHONE_WORK : PHONE_MOBILE };
        field_set(&phone.number, "+61255501234", "m 5550 1234", 0.9);
        Field link = { 0 };
        field_set(&link, "https://example.org/a", "a", 0.9);
        if (i == 1)
            c->address_parts.city = g_strdup("Hobart");
        if (i == 2)
            c->job_title.value = g_strdup("");
        if (i == 3 || i == 4)
            g_array_append_val(c->phones, phone);
        else
            phone_clear(&phone);
        if (i == 5)
            g_array_append_val(c->links, link);
        else
            field_clear(&link);
        c->first_name.confidence = i == 6 ? 0.8 : 0.9;
        c->role_account = i == 7;
        if (i == 8)
            g_ptr_array_add(o->authors, g_strdup("ann@example.org"));
        g_assert_true(recent_key(list, &keys[i]));
        for (size_t k = 0; k < i; k++)
            g_assert_true(memcmp(&keys[i], &keys[k], sizeof keys[i]) != 0);
    }
}

/* Bounces, requests and what left are never passed over. */
static void
test_kinds(void)
{
    static const ObservationKind kinds[] = { OBSERVATION_BOUNCE,
                                             OBSERVATION_UNSUBSCRIBE,
                                             OBSERVATION_SENT };
    RecentKey key;
    g_autoptr(GPtrArray) list =
        g_ptr_array_new_with_free_func(free_observation);
    g_assert_false(recent_key(list, &key));
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        g_ptr_array_set_size(list, 0);
        g_ptr_array_add(list, observation_new(kinds[i], "ann@example.org"));
        g_assert_false(recent_key(list, &key));
    }
    g_autoptr(GPtrArray) two = observed("Ann", PASS, "192.0.2.1", "1@x", NOON);
    g_ptr_array_add(two, observation_new(OBSERVATION_UNSUBSCRIBE, "a@x.org"));
    g_assert_false(recent_key(two, &key));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = g_strdup_printf("/recent/%s", cases[i].name);
        g_test_add_data_func(path, &cases[i], test_case);
    }
    g_test_add_func("/recent/fields", test_fields);
    g_test_add_func("/recent/kinds", test_kinds);
    return g_test_run();
}
