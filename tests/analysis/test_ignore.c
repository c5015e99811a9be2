/* test_ignore.c - the reasons why a mail makes no contact, one row each */
#include "analysis/ignore.h"

#include <string.h>

typedef struct {
    const char *name;
    const char *header; /* after From: and Subject:, or instead of them */
    const char *mail_from;
    const char *reason; /* NULL: a person wrote it */
} Case;

#define ANN "From: Ann Example <ann@example.com>\nSubject: Hall\n"

static const Case cases[] = {
    { "person", ANN, "ann@example.com", NULL },
    { "list", ANN "List-Id: <talk.example.com>\n", "x@example.com", "list" },
    { "list post", ANN "List-Post: <mailto:talk@example.com>\n",
      "x@example.com", "list" },
    { "precedence list", ANN "Precedence: list\n", "x@example.com", "list" },
    { "bulk", ANN "Precedence: bulk\n", "x@example.com", "bulk" },
    { "newsletter", ANN "List-Unsubscribe: <https://example.com/u>\n",
      "x@example.com", "bulk" },
    { "spam", ANN "X-Spam-Flag: YES\n", "x@example.com", "spam" },
    { "no spam", ANN "X-Spam-Flag: NO\n", "x@example.com", NULL },
    { "auto-replied", ANN "Auto-Submitted: auto-replied\n", "x@example.com",
      "auto" },
    { "auto no", ANN "Auto-Submitted: no\n", "x@example.com", NULL },
    { "null sender", ANN, "", "auto" },
    { "out of office",
      "From: Ann Example <ann@example.com>\n"
      "Subject: Automatic reply: Hall\n",
      "ann@example.com", "auto" },
    { "noreply", "From: Shop <noreply@example.com>\nSubject: Hall\n",
      "noreply@example.com", "noreply" },
    { "do-not-reply", "From: Shop <do-not-reply@example.com>\nSubject: Hi\n",
      "do-not-reply@example.com", "noreply" },
    { "internal", "From: Bob <bob@our.example>\nSubject: Hall\n",
      "bob@our.example", "internal" },
    { "no author", "Subject: Hall\n", "ann@example.com", "malformed" },
    { "spam before list", ANN "X-Spam-Flag: YES\nList-Id: <talk.example.com>\n",
      "x@example.com", "spam" },
};

static const char *
reason_of(const Case *c, const char *body_text)
{
    g_autofree char *mail =
        g_strconcat(c->header, "To: events@our.example\n\n", body_text, NULL);
    size_t len = strlen(mail);
    g_autofree char *copy = g_memdup2(mail, len);
    g_autoptr(Message) message = message_parse(copy, len, NULL);
    g_autoptr(Body) body = body_new(message);
    Envelope envelope = { .mail_from = (char *) c->mail_from };
    static const char *const local[] = { "our.example", NULL };
    return ignore_reason(message, body, &envelope, local);
}

static void
test_reasons(void)
{
    bool failed = false;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *got = reason_of(&cases[i], "Is the hall free?\n\nAnn\n");
        if (g_strcmp0(got, cases[i].reason) != 0) {
            g_printerr("# %s: want %s, got %s\n", cases[i].name,
                       cases[i].reason != NULL ? cases[i].reason : "(none)",
                       got != NULL ? got : "(none)");
            failed = true;
        }
    }
    g_assert_false(failed);
}

/* A form's relay is for its person: the robot in From: does not matter. */
static void
test_relay(void)
{
    static const Case relay = {
        "relay",
        "From: Site <noreply@site.example>\nReply-To: ann@example.com\n"
        "Subject: New enquiry\n",
        "noreply@site.example", NULL
    };
    static const Case own = {
        "our person",
        "From: Site <noreply@site.example>\nReply-To: bob@our.example\n"
        "Subject: New enquiry\n",
        "noreply@site.example", "noreply"
    };
    g_assert_null(
        reason_of(&relay, "Name: Ann Example\nEmail: ann@example.com\n"));
    g_assert_cmpstr(reason_of(&own, "Name: Bob\nEmail: bob@our.example\n"), ==,
                    "noreply");
}

/* The header fields decide also when there is no body. */
static void
test_without_body(void)
{
    static const char mail[] = ANN "List-Id: <talk.example.com>\n\nHello\n";
    g_autofree char *copy = g_memdup2(mail, sizeof mail - 1);
    g_autoptr(Message) message = message_parse(copy, sizeof mail - 1, NULL);
    Envelope envelope = { .mail_from = (char *) "x@example.com" };
    g_assert_cmpstr(ignore_reason(message, NULL, &envelope, NULL), ==, "list");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ignore/reasons", test_reasons);
    g_test_add_func("/ignore/relay", test_relay);
    g_test_add_func("/ignore/without body", test_without_body);
    return g_test_run();
}
