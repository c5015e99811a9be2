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
    g_test_add_func("/recent/kinds", test_kinds);
    return g_test_run();
}
