/* main.cf values that lose mail or bounces are told apart from good ones. */
#include "ctl/check_mta.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

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
    const PostfixFacts facts = { c->smtpd, c->non_smtpd,   c->classes,
                                 "",       "/nonexistent", "accept" };
    check_postfix_facts(&facts, c->socket, true, note, got);
    g_assert_cmpstr(got->str, ==, c->want);
    g_string_free(got, TRUE);
}

/* --- master.cf -------------------------------------------------------------- */

static const struct {
    const char *name, *milters, *services;
    bool outbound;
    const char *want; /* of the complaint; NULL: there is none */
} master_cases[] = {
    { "no chroot", SOCKET,
      "smtp/inet/chroot = n\nsmtp/inet/command = smtpd\n"
      "cleanup/unix/chroot = -\ncleanup/unix/command = cleanup\n",
      true, NULL },
    { "smtpd in the chroot", "inet:127.0.0.1:8891, { " SOCKET " }",
      "smtp/inet/chroot = y\nsmtp/inet/command = smtpd\n"
      "smtps/inet/chroot = n\nsmtps/inet/command = smtpd -o x=y\n"
      "submission/inet/chroot = y\nsubmission/inet/command = smtpd -o x=y\n",
      true,
      "Postfix: smtp/inet, submission/inet run in the chroot /nonexistent, "
      "where /run/contact-milter/contact-milter.sock is not; `postconf -F "
      "smtp/inet/chroot=n submission/inet/chroot=n` and restart" },
    { "cleanup in the chroot", SOCKET,
      "cleanup/unix/chroot = y\ncleanup/unix/command = cleanup\n", true,
      "`postconf -F cleanup/unix/chroot=n`" },
    { "others in the chroot", SOCKET,
      "smtp/unix/chroot = y\nsmtp/unix/command = smtp\n", true, NULL },
    { "submission without us", SOCKET,
      "submission/inet/chroot = n\nsubmission/inet/command = smtpd -o "
      "smtpd_milters=unix:/run/opendkim/opendkim.sock\n",
      true, "Postfix: submission/inet has milters of its own" },
    { "submission without us, and it does not matter", SOCKET,
      "submission/inet/chroot = n\nsubmission/inet/command = smtpd -o "
      "smtpd_milters=\n",
      false, NULL },
    { "submission with us", SOCKET,
      "submission/inet/chroot = n\nsubmission/inet/command = smtpd -o "
      "smtpd_milters=inet:127.0.0.1:8891," SOCKET "\n",
      true, NULL },
};

static void
keep_failures(bool ok, const char *line, void *data)
{
    if (!ok)
        g_string_append_printf(data, "%s\n", line);
}

static void
test_master(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(master_cases); i++) {
        g_test_message("%s", master_cases[i].name);
        g_autoptr(GString) got = g_string_new(NULL);
        const char *milters = master_cases[i].milters;
        const PostfixFacts facts = { milters,        milters,
                                     "bounce",       master_cases[i].services,
                                     "/nonexistent", "tempfail" };
        check_postfix_facts(&facts, SOCKET, master_cases[i].outbound,
                            keep_failures, got);
        if (master_cases[i].want == NULL)
            g_assert_cmpstr(got->str, ==, "");
        else if (strstr(got->str, master_cases[i].want) == NULL)
            g_error("%s: not in: %s", master_cases[i].want, got->str);
    }
}

/* A socket below the queue directory is seen from within the chroot. */
static void
test_inside(void)
{
    g_autofree char *queue = g_dir_make_tmp("check-XXXXXX", NULL);
    g_autofree char *folder = g_build_filename(queue, "contact-milter", NULL);
    g_autofree char *path =
        g_build_filename(folder, "contact-milter.sock", NULL);
    g_assert_cmpint(g_mkdir(folder, 0700), ==, 0);
    g_assert_true(g_file_set_contents(path, "", 0, NULL));
    g_autofree char *socket = g_strconcat("unix:", path, NULL);
    static const char *const milters[] = {
        "unix:contact-milter/contact-milter.sock",
        "{unix:/contact-milter/contact-milter.sock, default_action=accept}",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(milters); i++) {
        g_autoptr(GString) got = g_string_new(NULL);
        const PostfixFacts facts = {
            milters[i], milters[i],
            "bounce",   "smtp/inet/chroot = y\nsmtp/inet/command = smtpd\n",
            queue,      "tempfail"
        };
        check_postfix_facts(&facts, socket, true, keep_failures, got);
        g_assert_cmpstr(got->str, ==, "");
    }
    (void) g_unlink(path);
    (void) g_rmdir(folder);
    (void) g_rmdir(queue);
}

/* Another milter of the list that is not there puts all mail off. */
static void
test_others(void)
{
    g_autofree char *queue = g_dir_make_tmp("check-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(queue, "dkim.sock", NULL);
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    g_assert_cmpuint(g_strlcpy(address.sun_path, path, sizeof address.sun_path),
                     <, sizeof address.sun_path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_cmpint(bind(fd, (struct sockaddr *) &address, sizeof address), ==,
                    0);
    g_assert_cmpint(listen(fd, 4), ==, 0);
    static const char jail[] =
        "smtp/inet/chroot = y\nsmtp/inet/command = smtpd\n";
    static const char free_[] =
        "smtp/inet/chroot = n\nsmtp/inet/command = smtpd\n";
    static const struct {
        const char *milters, *services, *action;
        const char *want; /* QUEUE: the queue's folder; NULL: well */
    } rows[] = {
        { "unix:/nonexistent/dkim.sock, " SOCKET, free_, "tempfail",
          "Postfix: smtpd_milters names unix:/nonexistent/dkim.sock, and at "
          "/nonexistent/dkim.sock nobody answers (No such file or directory): "
          "all mail is put off with 451; start that milter, or take it out of "
          "the list, or write { unix:/nonexistent/dkim.sock, "
          "default_action=accept }" },
        { "local:/nonexistent/dkim.sock " SOCKET, "", "tempfail",
          "names local:/nonexistent/dkim.sock" },
        { "{ unix:/nonexistent/dkim.sock, connect_timeout=2s }, " SOCKET, free_,
          "tempfail", "names unix:/nonexistent/dkim.sock, and" },
        { "{ unix:/nonexistent/dkim.sock, default_action=tempfail }, " SOCKET,
          free_, "accept", "names unix:/nonexistent/dkim.sock, and" },
        { "{ unix:/nonexistent/dkim.sock, default_action=accept }, " SOCKET,
          free_, "tempfail", NULL },
        { "{unix:/nonexistent/dkim.sock,default_action = accept}, " SOCKET,
          free_, "tempfail", NULL },
        { "unix:/nonexistent/dkim.sock, " SOCKET, free_, "accept", NULL },
        { "inet:127.0.0.1:1, " SOCKET, free_, "tempfail", NULL },
        { "unix:dkim.sock, " SOCKET, free_, "tempfail", NULL },
        { "unix:/dkim.sock, " SOCKET, jail, "tempfail", NULL },
        { "unix:/dkim.sock, " SOCKET, free_, "tempfail", "at /dkim.sock nobo" },
        { "unix:other.sock, " SOCKET, free_, "tempfail",
          "at QUEUE/other.sock nobody answers" },
        { "unix:/run/dkim.sock, " SOCKET, jail, "tempfail",
          "at QUEUE/run/dkim.sock nobody answers" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GString) got = g_string_new(NULL);
        const PostfixFacts facts = { rows[i].milters,  SOCKET, "bounce",
                                     rows[i].services, queue,  rows[i].action };
        check_postfix_facts(&facts, SOCKET, false, keep_failures, got);
        g_string_replace(got, queue, "QUEUE", 0);
        g_test_message("%zu: %s", i, got->str);
        if (rows[i].want == NULL)
            g_assert_null(strstr(got->str, "nobody answers"));
        else
            g_assert_nonnull(strstr(got->str, rows[i].want));
    }
    (void) close(fd);
    (void) g_unlink(path);
    (void) g_rmdir(queue);
}

static void
test_sendmail(void)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        { "O InputMailFilters=opendkim,contact-milter\n"
          "Xopendkim, S=inet:8891@localhost\n"
          "Xcontact-milter, S=" SOCKET ", T=S:2s;R:2s;E:5s\n"
          "Mingest, P=/usr/sbin/contactctl, A=contactctl ingest --from $g\n",
          "" },
        { "Xcontact-milter, S=" SOCKET "\nO InputMailFilters=opendkim\n",
          "no mail is seen" },
        { "O InputMailFilters=contact-milter\nXcontact-milter, S=" SOCKET "\n",
          "reports that it writes itself" },
        { "", "add INPUT_MAIL_FILTER" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GString) got = g_string_new(NULL);
        check_sendmail_text(rows[i].text, SOCKET, keep_failures, got);
        if (*rows[i].want == '\0')
            g_assert_cmpstr(got->str, ==, "");
        else
            g_assert_nonnull(strstr(got->str, rows[i].want));
    }
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
    g_test_add_func("/check/master", test_master);
    g_test_add_func("/check/inside", test_inside);
    g_test_add_func("/check/others", test_others);
    g_test_add_func("/check/sendmail", test_sendmail);
    return g_test_run();
}
