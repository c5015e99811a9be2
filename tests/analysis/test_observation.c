/* Which observations a message leaves, for every kind of envelope. */
#include "analysis/observation.h"

#include <string.h>

typedef struct {
    const char *name;
    const char *from;      /* author */
    const char *mail_from; /* envelope sender */
    const char *to;        /* envelope recipient */
    const char *client;
    const char *auth_user;
    bool local;
    Verdict verdict;
    bool unsure;
    const char *want; /* kinds in order, "-": none */
} ObserveCase;

static const ObserveCase cases[] = {
    { "contact", "ann@example.net", "ann@example.net", "sales@example.org",
      "192.0.2.1", NULL, false, VERDICT_CONTACT, false, "contact" },
    { "not to a wanted recipient", "ann@example.net", "ann@example.net",
      "root@example.org", "192.0.2.1", NULL, false, VERDICT_CONTACT, false,
      "-" },
    { "ignored sender", "NoReply@example.net", "x@example.net",
      "sales@example.org", "192.0.2.1", NULL, false, VERDICT_CONTACT, false,
      "-" },
    { "own domain from outside", "ceo@example.org", "ceo@example.org",
      "sales@example.org", "192.0.2.1", NULL, false, VERDICT_CONTACT, false,
      "-" },
    { "own subdomain from outside", "ceo@eu.example.org", "x@example.net",
      "sales@example.org", "192.0.2.1", NULL, false, VERDICT_CONTACT, false,
      "-" },
    { "authenticated user writes out", "bob@example.org", "bob@example.org",
      "ann@example.net", "192.0.2.9", "bob", false, VERDICT_CONTACT, false,
      "sent" },
    { "authenticated user, foreign From:", "ann@example.net", "ann@example.net",
      "sales@example.org", "192.0.2.9", "bob", false, VERDICT_CONTACT, false,
      "-" },
    { "own machine without authentication", "web@example.org",
      "web@example.org", "ann@example.net", "10.1.2.3", NULL, false,
      VERDICT_CONTACT, false, "sent" },
    { "own address from outside is no proof of sending", "bob@example.org",
      "bob@example.org", "ann@example.net", "192.0.2.1", NULL, false,
      VERDICT_CONTACT, false, "-" },
    { "sendmail(1)", "root@example.org", "root@example.org", "ann@example.net",
      NULL, NULL, true, VERDICT_CONTACT, false, "sent" },
    { "bounce from outside", "mailer-daemon@example.net", "", "bob@example.org",
      "192.0.2.1", NULL, false, VERDICT_BOUNCE, false, "bounce" },
    { "bounce of the local MTA", "mailer-daemon@mx.example.org", "",
      "bob@example.org", NULL, NULL, true, VERDICT_BOUNCE, false, "bounce" },
    { "user submits a bounce", "bob@example.org", "bob@example.org",
      "carol@example.org", "10.0.0.1", "bob", false, VERDICT_BOUNCE, false,
      "-" },
    { "request", "ann@example.net", "ann@example.net", "news@example.org",
      "192.0.2.1", NULL, false, VERDICT_UNSUBSCRIBE, false, "unsubscribe" },
    { "probable request of a contact", "ann@example.net", "ann@example.net",
      "sales@example.org", "192.0.2.1", NULL, false, VERDICT_CONTACT, true,
      "unsubscribe? contact" },
    { "our user asks others", "bob@example.org", "bob@example.org",
      "news@example.net", "10.0.0.1", "bob", false, VERDICT_UNSUBSCRIBE, false,
      "sent" },
    { "our user forwards a request inside", "bob@example.org",
      "bob@example.org", "carol@example.org", "10.0.0.1", "bob", false,
      VERDICT_IGNORE, true, "unsubscribe?" },
    { "nothing", "ann@example.net", "ann@example.net", "sales@example.org",
      "192.0.2.1", NULL, false, VERDICT_IGNORE, false, "-" },
};

static void
test_observe(gconstpointer data)
{
    const ObserveCase *c = data;
    static const char *const local[] = { "example.org", NULL };
    static const char *const recipients[] = { "sales@*", "news@*", NULL };
    static const char *const ignored[] = { "noreply@*", NULL };
    const ObservePolicy policy = { .local_domains = local,
                                   .recipients = recipients,
                                   .ignore_senders = ignored,
                                   .record_sent = true };

    g_autofree char *bytes = g_strdup_printf(
        "Authentication-Results: mx.example.org; dkim=pass\r\n"
        "Received: from a by b\r\n"
        "Authentication-Results: mx.example.net; dkim=fail\r\n"
        "From: %s\r\nMessage-ID: <1@example.net>\r\n\r\nHello\r\n",
        c->from);
    g_autoptr(Message) message = message_parse(bytes, strlen(bytes), NULL);
    g_autoptr(Envelope) envelope = envelope_new();
    envelope->mail_from = g_strdup(c->mail_from);
    envelope->client_addr = g_strdup(c->client);
    envelope->auth_user = g_strdup(c->auth_user);
    envelope->queue_id = g_strdup("4bXyz");
    envelope->local = c->local;
    envelope->time = 1000;
    g_ptr_array_add(envelope->recipients, g_strdup(c->to));

    g_autoptr(Analysis) analysis = analysis_new();
    analysis->verdict = c->verdict;
    if (c->verdict == VERDICT_CONTACT)
        analysis->contact = contact_new(c->from);
    if (c->verdict == VERDICT_BOUNCE) {
        Bounce bounce = { .email = g_strdup("gone@example.net"),
                          .class = BOUNCE_HARD,
                          .reason = "userunknown" };
        g_array_append_val(analysis->bounces, bounce);
        Bounce delivered = { .email = g_strdup("fine@example.net"),
                             .class = BOUNCE_OTHER,
                             .reason = "" };
        g_array_append_val(analysis->bounces, delivered);
    }
    if (c->verdict == VERDICT_UNSUBSCRIBE || c->unsure) {
        analysis->unsubscribe = unsubscribe_new(UNSUBSCRIBE_ALL);
        analysis->unsubscribe->unsure = c->unsure;
        g_ptr_array_add(analysis->unsubscribe->addresses,
                        g_strdup("ann@example.net"));
    }

    g_autoptr(GPtrArray) list = observe(analysis, message, envelope, &policy);
    GString *got = g_string_new(NULL);
    for (guint i = 0; i < list->len; i++) {
        const Observation *o = g_ptr_array_index(list, i);
        g_string_append_printf(got, "%s%s%s", i > 0 ? " " : "",
                               observation_kind_name(o->kind),
                               o->unsure ? "?" : "");
        g_assert_cmpstr(o->message_id, ==, "1@example.net");
        g_assert_cmpstr(o->queue_id, ==, "4bXyz");
        g_assert_cmpuint(o->auth_results->len, ==, 2);
        const AuthResults *results =
            &g_array_index(o->auth_results, AuthResults, 0);
        g_assert_true(results[0].above_received);
        g_assert_false(results[1].above_received);
        g_assert_cmpstr(results[0].value, ==, "mx.example.org; dkim=pass");
    }
    g_assert_cmpstr(got->len > 0 ? got->str : "-", ==, c->want);
    g_string_free(got, TRUE);
}

static const struct {
    const char *email;
    bool want;
} locals[] = {
    { "a@example.org", true },
    { "a@EXAMPLE.ORG", true },
    { "a@mail.example.org", true },
    { "a@example.org.", true },
    { "a@notexample.org", false },
    { "a@example.org.evil.example", false },
    { "example.org", false },
    { "a@", false },
    { "\"x@example.org\"@evil.example", false },
};

static void
test_local(void)
{
    static const char *const domains[] = { "example.org", NULL };
    for (size_t i = 0; i < G_N_ELEMENTS(locals); i++) {
        g_test_message("%s", locals[i].email);
        g_assert_cmpint(address_is_local(locals[i].email, domains), ==,
                        locals[i].want);
    }
    g_assert_false(address_is_local("a@example.org", NULL));
    g_assert_false(address_is_local(NULL, domains));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = g_strdup_printf("/observe/%s", cases[i].name);
        g_test_add_data_func(path, &cases[i], test_observe);
    }
    g_test_add_func("/address/local", test_local);
    return g_test_run();
}
