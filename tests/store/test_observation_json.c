/* test_observation_json.c - see milter/store/observation_json.h */
#include "config.h"

#include "store/observation_json.h"

#include <string.h>

static void
add_phone(Contact *contact, PhoneType type, const char *number,
          const char *extension)
{
    Phone phone = { .type = type, .extension = g_strdup(extension) };
    field_set(&phone.number, number, "Tel. line", 0.9);
    g_array_append_val(contact->phones, phone);
}

static void
add_link(Contact *contact, const char *url)
{
    Field link = { 0 };
    field_set(&link, url, url, 0.8);
    g_array_append_val(contact->links, link);
}

/* Every member has a value of its own. */
static Observation *
full(void)
{
    Observation *o = observation_new(OBSERVATION_CONTACT, "ann@example.org");
    contact_free(o->contact);
    o->contact = contact_new("ann@example.org");
    Contact *c = o->contact;
    field_set(&c->first_name, "Ann", "Ann Example", 0.95);
    field_set(&c->last_name, "Exämple", "Ann Example", 0.75);
    field_set(&c->job_title, "Chief \"Tester\"", "Chief \"Tester\"", 0.5);
    field_set(&c->company, "Example Pty", "l1", 0.1234);
    field_set(&c->website, "https://example.org/", "l2", 1);
    field_set(&c->address, "1 Main St, Perth", "l3", 0.6);
    AddressParts *parts = &c->address_parts;
    parts->line1 = g_strdup("1 Main St");
    parts->line2 = g_strdup("Floor 2");
    parts->line3 = g_strdup("c");
    parts->line4 = g_strdup("d");
    parts->city = g_strdup("Perth");
    parts->state = g_strdup("WA");
    parts->postal_code = g_strdup("6000");
    parts->country = g_strdup("AU");
    add_phone(c, PHONE_WORK, "+61812345678", "12");
    add_phone(c, PHONE_OTHER, "+61400000000", NULL);
    add_link(c, "https://linkedin.com/in/ann");
    c->role_account = true;
    c->from_relay = true;
    c->name_source = "signature";

    o->bounce.email = g_strdup("b@example.org");
    o->bounce.final = g_strdup("f@example.org");
    o->bounce.class = BOUNCE_HARD;
    o->bounce.status = g_strdup("5.1.1");
    o->bounce.reason = "userunknown";
    o->bounce.evidence = g_strdup("550 no such user");
    o->returned.message_id = g_strdup("m@example.org");
    o->returned.from = g_strdup("us@example.net");
    o->returned.return_path = g_strdup("");
    o->returned.to = g_strdup("b@example.org");
    o->scope = UNSUBSCRIBE_PARTIAL;
    o->unsure = o->complaint = o->by_token = o->local = true;
    o->evidence = g_strdup("please remove me");
    g_ptr_array_add(o->authors, g_strdup("ann@example.org"));
    g_ptr_array_add(o->authors, g_strdup("bob@example.org"));
    g_ptr_array_add(o->recipients, g_strdup("us@example.net"));
    AuthResults results = { g_strdup("mx; spf=pass"), true, false };
    g_array_append_val(o->auth_results, results);
    results = (AuthResults){ g_strdup("mx; dkim=pass"), false, true };
    g_array_append_val(o->auth_results, results);
    o->client_addr = g_strdup("192.0.2.1");
    o->helo = g_strdup("mail.example.org");
    o->mail_from = g_strdup("");
    o->queue_id = g_strdup("4bXyz");
    o->message_id = g_strdup("x@example.org");
    o->time = 1700000000;
    return o;
}

static void
test_round_trip(void)
{
    g_autoptr(Observation) o = full();
    g_autofree char *json = observation_to_json(o);
    g_autoptr(GError) error = NULL;
    g_autoptr(Observation) back = observation_from_json(json, &error);
    g_assert_no_error(error);
    g_autofree char *again = observation_to_json(back);
    g_assert_cmpstr(json, ==, again);

    g_assert_cmpint(back->kind, ==, OBSERVATION_CONTACT);
    g_assert_cmpstr(back->email, ==, "ann@example.org");
    const Contact *c = back->contact;
    g_assert_cmpstr(c->last_name.value, ==, "Exämple");
    g_assert_cmpstr(c->job_title.evidence, ==, "Chief \"Tester\"");
    g_assert_cmpfloat(c->first_name.confidence, ==, 0.95);
    g_assert_cmpfloat(c->company.confidence, ==, 0.1234);
    g_assert_cmpfloat(c->website.confidence, ==, 1);
    g_assert_cmpstr(c->address_parts.line4, ==, "d");
    g_assert_cmpstr(c->address_parts.country, ==, "AU");
    g_assert_cmpuint(c->phones->len, ==, 2);
    g_assert_cmpint(g_array_index(c->phones, Phone, 1).type, ==, PHONE_OTHER);
    g_assert_cmpstr(g_array_index(c->phones, Phone, 0).extension, ==, "12");
    g_assert_cmpuint(c->links->len, ==, 1);
    g_assert_true(c->role_account && c->from_relay);
    g_assert_cmpstr(c->name_source, ==, "signature");
    g_assert_cmpstr(back->bounce.final, ==, "f@example.org");
    g_assert_cmpint(back->bounce.class, ==, BOUNCE_HARD);
    g_assert_cmpstr(back->bounce.reason, ==, "userunknown");
    g_assert_cmpstr(back->returned.return_path, ==, "");
    g_assert_cmpint(back->scope, ==, UNSUBSCRIBE_PARTIAL);
    g_assert_true(back->unsure && back->complaint && back->by_token &&
                  back->local);
    g_assert_cmpuint(back->authors->len, ==, 2);
    g_assert_cmpuint(back->auth_results->len, ==, 2);
    g_assert_true(g_array_index(back->auth_results, AuthResults, 0).arc);
    g_assert_true(
        g_array_index(back->auth_results, AuthResults, 1).above_received);
    g_assert_cmpstr(back->mail_from, ==, "");
    g_assert_cmpint(back->time, ==, 1700000000);
}

static void
test_empty(void)
{
    for (int kind = 0; kind <= OBSERVATION_SENT; kind++) {
        g_autoptr(Observation) o = observation_new((ObservationKind) kind, "");
        g_autofree char *json = observation_to_json(o);
        g_autoptr(Observation) back = observation_from_json(json, NULL);
        g_assert_nonnull(back);
        g_assert_cmpint(back->kind, ==, kind);
        g_autofree char *again = observation_to_json(back);
        g_assert_cmpstr(json, ==, again);
    }
}

static void
test_invalid_utf8(void)
{
    g_autoptr(Observation) o =
        observation_new(OBSERVATION_UNSUBSCRIBE, "a\xff@example.org");
    o->evidence = g_strdup("caf\xe9 \xf0\x9f\x98");
    g_ptr_array_add(o->authors, g_strdup("\xc3"));
    g_autofree char *json = observation_to_json(o);
    g_assert_true(g_utf8_validate(json, -1, NULL));
    g_autoptr(Observation) back = observation_from_json(json, NULL);
    g_assert_nonnull(back);
    g_assert_true(g_str_has_prefix(back->evidence, "caf\xef\xbf\xbd"));
    g_assert_cmpuint(back->authors->len, ==, 1);
}

static void
test_contact(void)
{
    g_autoptr(Observation) o = full();
    g_autofree char *json = contact_to_json(o->contact);
    g_autoptr(Contact) back = contact_from_json(json, NULL);
    g_autofree char *again = contact_to_json(back);
    g_assert_cmpstr(json, ==, again);
}

static void
test_refused(void)
{
    static const char *const rows[] = {
        "",
        "[]",
        "7",
        "{",
        "{}",
        "null",
        "\"x\"",
        "{\"kind\":0}",
        "{\"email\":\"a@example.org\"}",
        "{\"kind\":9,\"email\":\"a@example.org\"}",
        "{\"kind\":-1,\"email\":\"a@example.org\"}",
        "{\"kind\":\"0\",\"email\":\"a@example.org\"}",
        "{\"kind\":0,\"email\":null}",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(observation_from_json(rows[i], &error));
        g_assert_nonnull(error);
    }
    /* Wrong types inside are empty values. */
    g_autoptr(Observation) o = observation_from_json(
        "{\"kind\":0,\"email\":\"a@example.org\",\"contact\":{\"phones\":7,"
        "\"links\":[1,{\"v\":\"https://example.org\"}],\"first_name\":[]},"
        "\"bounce\":3,\"authors\":{},\"time\":\"x\",\"scope\":99}",
        NULL);
    g_assert_nonnull(o);
    g_assert_cmpuint(o->contact->links->len, ==, 1);
    g_assert_cmpint(o->scope, ==, UNSUBSCRIBE_PARTIAL);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/observation_json/round-trip", test_round_trip);
    g_test_add_func("/observation_json/empty", test_empty);
    g_test_add_func("/observation_json/invalid-utf8", test_invalid_utf8);
    g_test_add_func("/observation_json/contact", test_contact);
    g_test_add_func("/observation_json/refused", test_refused);
    return g_test_run();
}
