/* test_form.c - mail of contact forms, and mail that only looks like it */
#include "analysis/form.h"

#include <string.h>

typedef struct {
    const char *name, *from, *reply_to, *body;
    const char *person, *phone, *company; /* person NULL: no form */
} Case;

#define SITE "Site <wordpress@site.example>"

static const Case cases[] = {
    { "lines", SITE, "ann@example.com",
      "Name: Ann Example\nEmail: ann@example.com\nPhone: 0491 570 156\n"
      "Company: Acme\nMessage: Is it free?\n",
      "Ann Example", "0491 570 156", "Acme" },
    { "label above the value", SITE, "ann@example.com",
      "Name\nAnn Example\nEmail\nann@example.com\n", "Ann Example", NULL,
      NULL },
    { "required marks", SITE, "ann@example.com",
      "Your Name *: Ann Example\nYour Email *: ann@example.com\n",
      "Ann Example", NULL, NULL },
    { "German", SITE, "ann@example.de",
      "Name: Ann Beispiel\nE-Mail: ann@example.de\nFirma: Acme GmbH\n",
      "Ann Beispiel", NULL, "Acme GmbH" },
    { "wide colon", SITE, "ann@example.jp",
      "Name：Ann Example\nEmail：ann@example.jp\n", "Ann Example", NULL, NULL },
    { "after the message is prose", SITE, "ann@example.com",
      "Name: Ann Example\nEmail: ann@example.com\nMessage: Hi\n"
      "Phone: 0491 570 156\n",
      "Ann Example", NULL, NULL },
    { "another address in it", SITE, "ann@example.com",
      "Name: Ann Example\nEmail: bob@example.com\n", NULL, NULL, NULL },
    { "no Reply-To", SITE, NULL, "Name: Ann Example\nEmail: ann@example.com\n",
      NULL, NULL, NULL },
    { "Reply-To is the author", "Ann <ann@example.com>", "ann@example.com",
      "Name: Ann Example\nEmail: ann@example.com\n", NULL, NULL, NULL },
    { "one label", SITE, "ann@example.com", "Email: ann@example.com\n", NULL,
      NULL, NULL },
};

static bool
same(const FormField *field, const char *want)
{
    if (want == NULL || field->text == NULL)
        return want == NULL && field->text == NULL;
    return strlen(want) == field->len &&
           memcmp(field->text, want, field->len) == 0;
}

static void
test_cases(void)
{
    bool failed = false;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const Case *c = &cases[i];
        g_autofree char *mail = g_strconcat(
            "From: ", c->from, c->reply_to != NULL ? "\nReply-To: " : "",
            c->reply_to != NULL ? c->reply_to : "",
            "\nSubject: New enquiry\n"
            "Content-Type: text/plain; charset=utf-8\n"
            "Content-Transfer-Encoding: 8bit\n\n",
            c->body, NULL);
        size_t len = strlen(mail);
        g_autofree char *copy = g_memdup2(mail, len);
        g_autoptr(Message) message = message_parse(copy, len, NULL);
        g_autoptr(Body) body = body_new(message);
        Form form;
        bool found = form_find(message, body, &form);
        bool right = found == (c->person != NULL) &&
                     (!found || (same(&form.name, c->person) &&
                                 same(&form.phone, c->phone) &&
                                 same(&form.company, c->company) &&
                                 strcmp(form.person->email, c->reply_to) == 0));
        if (!right) {
            g_printerr("# %s: %s\n", c->name,
                       found ? "found, but not so" : "not found");
            failed = true;
        }
    }
    g_assert_false(failed);
}

static void
test_no_body(void)
{
    static const char mail[] =
        "From: a@site.example\nReply-To: ann@example.com\n\n";
    g_autofree char *copy = g_memdup2(mail, sizeof mail - 1);
    g_autoptr(Message) message = message_parse(copy, sizeof mail - 1, NULL);
    Form form;
    g_assert_false(form_find(message, NULL, &form));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/form/cases", test_cases);
    g_test_add_func("/form/no body", test_no_body);
    return g_test_run();
}
