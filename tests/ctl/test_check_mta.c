/* main.cf values that lose mail or bounces are told apart from good ones. */
#include "ctl/check_mta.h"

#include <string.h>

typedef struct {
    const char *name, *socket, *smtpd, *non_smtpd, *classes;
    const char *want; /* ok or FAIL of each line, with a word of it */
} PostfixCase;

#define SOCKET "unix:/run/contact-milter/contact-milter.sock"

static const PostfixCase cases[] = {
    { "all well", SOCKET, SOCKET, SOCKET, "bounce", "ok:names ok:own" },
    { "braces", SOCKET, "{ " SOCKET ", default_action=accept }",
      "{ " SOCKET ", default_action=accept }", "bounce, notify",
      "ok:names ok:own" },
    { "from within the chroot",
      "unix:/var/spool/postfix/contact-milter/contact-milter.sock",
      "unix:contact-milter/contact-milter.sock",
      "unix:/contact-milter/contact-milter.sock", "bounce", "ok:names ok:own" },
    { "not named", SOCKET, "unix:/run/opendkim/opendkim.sock", SOCKET, "bounce",
      "FAIL:no_mail ok:own" },
    { "not last", SOCKET, SOCKET ", unix:/run/opendkim/opendkim.sock", SOCKET,
      "bounce", "ok:names FAIL:not_the_last ok:own" },
    { "last of several", SOCKET, "inet:127.0.0.1:8891, " SOCKET, SOCKET,
      "bounce", "ok:names ok:own" },
    { "no bounces: class", SOCKET, SOCKET, SOCKET, "",
      "ok:names FAIL:bounces" },
    { "no bounces: milter", SOCKET, SOCKET, "", "bounce",
      "ok:names FAIL:bounces" },
    { "tcp", "inet:8895@127.0.0.1", "inet:127.0.0.1:8895",
      "inet:127.0.0.1:8895", "bounce", "ok:names ok:own" },
    { "tcp, another port", "inet:8895@127.0.0.1", "inet:127.0.0.1:8891",
      "inet:127.0.0.1:8895", "bounce", "FAIL:no_mail ok:own" },
};

static void
note(bool ok, const char *line, void *data)
{
    static const char *const words[] = { "names",        "no mail",
                                         "own pass",     "not the last",
                                         "bounces that", "its own" };
    static const char *const names[] = { "names",        "no_mail", "own",
                                         "not_the_last", "bounces", "own" };
    const char *word = "?";
    /* the most telling word wins: later rows first */
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        if (strstr(line, words[i]) != NULL)
            word = names[i];
    }
    GString *out = data;
    g_string_append_printf(out, "%s%s:%s", out->len > 0 ? " " : "",
                           ok ? "ok" : "FAIL", word);
}

static void
test_postfix(gconstpointer data)
{
    const PostfixCase *c = data;
    GString *got = g_string_new(NULL);
    check_postfix_values(c->socket, c->smtpd, c->non_smtpd, c->classes, note,
                         got);
    g_assert_cmpstr(got->str, ==, c->want);
    g_string_free(got, TRUE);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path =
            g_strdup_printf("/check/postfix/%s", cases[i].name);
        g_test_add_data_func(path, &cases[i], test_postfix);
    }
    return g_test_run();
}
