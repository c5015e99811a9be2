/*
 * test_contactctl.c - the program itself: commands, output, exit status
 */
#include "analysis/token.h"

#include <glib.h>
#include <glib/gstdio.h>
#include <pwd.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char *folder;

static char *
path_of(const char *name)
{
    return g_build_filename(folder, name, NULL);
}

static char *
write_file(const char *name, const char *text)
{
    char *path = path_of(name);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
    g_assert_cmpint(g_chmod(path, 0600), ==, 0);
    return path;
}

/* A configuration with `more` at its end. */
static char *
write_config(const char *more)
{
    g_autofree char *spool = path_of("spool.db");
    g_autofree char *store = path_of("contacts.db");
    g_autofree char *text = g_strdup_printf("[mta]\n"
                                            "local_domains = example.org\n"
                                            "[store]\n"
                                            "spool = %s\n"
                                            "uri = sqlite:%s\n"
                                            "%s",
                                            spool, store, more);
    return write_file("contact-milter.conf", text);
}

static char *errors; /* what the last run() printed there */

/* Runs ./contactctl; the exit status. */
static int
run(char **out_text, const char *config, const char *first, ...)
{
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    g_ptr_array_add(argv, (char *) "./contactctl");
    g_ptr_array_add(argv, (char *) "-c");
    g_ptr_array_add(argv, (char *) config);
    va_list list;
    va_start(list, first);
    for (const char *word = first; word != NULL;
         word = va_arg(list, const char *))
        g_ptr_array_add(argv, (char *) word);
    va_end(list);
    g_ptr_array_add(argv, NULL);
    int status;
    g_autoptr(GError) error = NULL;
    GSpawnFlags flags = G_SPAWN_DEFAULT;
    g_clear_pointer(&errors, g_free);
    if (out_text == NULL)
        flags |= G_SPAWN_STDOUT_TO_DEV_NULL;
    g_spawn_sync(NULL, (char **) argv->pdata, NULL, flags, NULL, NULL, out_text,
                 &errors, &status, &error);
    g_assert_no_error(error);
    g_assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void
test_token(void)
{
    static const char key[] = "a key that nobody knows";
    g_autofree char *secret = write_file("token", key);
    static const struct {
        const char *more, *before, *after;
    } cases[] = {
        { "", "mailto:unsubscribe+", "@example.org?subject=unsubscribe\n" },
        { "addresses = *@out.example.org, leave@news.example.org\n",
          "mailto:leave+", "@news.example.org?subject=unsubscribe\n" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *more = g_strdup_printf(
            "[unsubscribe]\ntoken_secret_file = %s\n%s", secret, cases[i].more);
        g_autofree char *config = write_config(more);
        g_autofree char *text = NULL;
        g_assert_cmpint(
            run(&text, config, "token", "Ann.Lee@sales.example", NULL), ==, 0);
        g_assert_true(g_str_has_prefix(text, cases[i].before));
        g_assert_true(g_str_has_suffix(text, cases[i].after));
        g_autofree char *token = g_strndup(
            text + strlen(cases[i].before),
            strlen(text) - strlen(cases[i].before) - strlen(cases[i].after));
        g_autofree char *address = token_verify(token, key, strlen(key));
        g_assert_cmpstr(address, ==, "ann.lee@sales.example");
    }
}

static void
test_token_errors(void)
{
    g_autofree char *secret = write_file("token", "a key that nobody knows");
    g_autofree char *none = write_config("");
    g_autofree char *text = NULL;
    g_assert_cmpint(run(&text, none, "token", "ann@sales.example", NULL), ==,
                    78);
    g_assert_cmpstr(text, ==, "");
    g_autofree char *more =
        g_strdup_printf("[unsubscribe]\ntoken_secret_file = %s\n", secret);
    g_autofree char *config = write_config(more);
    g_assert_cmpint(run(NULL, config, "token", NULL), ==, 64);
    g_assert_cmpint(run(NULL, config, "token", "ann", NULL), ==, 65);
}

static void
test_commands(void)
{
    g_autofree char *config = write_config("");
    g_autofree char *status = NULL;
    g_assert_cmpint(run(&status, config, "status", "--json", NULL), ==, 0);
    g_assert_cmpstr(status, ==,
                    "{\"inbox\":0,\"pending\":0,\"held\":0,\"dead\":0,"
                    "\"contacts\":0,\"oldest_pending_s\":0,\"paused\":null,"
                    "\"last_success\":null,\"last_error\":null}\n");
    static const struct {
        const char *words[3];
        int status;
    } cases[] = {
        { { "flush" }, 0 },
        { { "queue", "list" }, 0 },
        { { "queue", "show", "ann@sales.example" }, 1 },
        { { "queue", "drop", "ann@sales.example" }, 1 },
        { { "queue", "release", "ann@sales.example" }, 1 },
        { { "queue", "release" }, 64 },
        { { "queue", "burn" }, 64 },
        { { "forget", "ann@sales.example" }, 1 },
        { { "forget" }, 64 },
        { { "analyze", "/nonexistent" }, 66 },
        { { "dance" }, 64 },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_cmpint(run(NULL, config, cases[i].words[0], cases[i].words[1],
                            cases[i].words[2], NULL),
                        ==, cases[i].status);
    g_autofree char *faulty = write_file("faulty.conf", "[mta]\nsokcet = x\n");
    g_assert_cmpint(run(NULL, faulty, "status", NULL), ==, 78);
    g_assert_cmpint(run(NULL, faulty, "check", NULL), ==, 1);
}

#define ASSERT_SAYS(text, words) \
    do { \
        if (strstr(text, words) == NULL) \
            g_error("\"%s\" is not in: %s", words, text); \
    } while (0)

/* A source that is not there is not made. */
static void
test_migrate_from_nothing(void)
{
    g_autofree char *config = write_config("");
    g_autofree char *from = path_of("nope.db");
    g_autofree char *to = path_of("new.db");
    g_autofree char *from_uri = g_strconcat("sqlite:", from, NULL);
    g_autofree char *to_uri = g_strconcat("sqlite:", to, NULL);
    g_assert_cmpint(run(NULL, config, "migrate", from_uri, to_uri, NULL), ==,
                    66);
    g_autofree char *words =
        g_strconcat(from, ": No such file or directory", NULL);
    ASSERT_SAYS(errors, words);
    g_assert_false(g_file_test(from, G_FILE_TEST_EXISTS));
    g_assert_false(g_file_test(to, G_FILE_TEST_EXISTS));
}

/* What is wrong with an argument is said. */
static void
test_wrong_arguments(void)
{
    g_autofree char *config = write_config("");
    static const struct {
        const char *words[3];
        const char *says;
        int status; /* what cannot be taken for an address loses no mail */
    } cases[] = {
        { { "forget", "Ann" }, "\"Ann\" is no address", 64 },
        { { "forget", "ann@" }, "\"ann@\" is no address", 64 },
        { { "ingest", "--from", "foo" }, "--from foo: write an address", 0 },
        { { "ingest", "--client", "nonsense" },
          "--client nonsense: write an IP address",
          0 },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_assert_cmpint(run(NULL, config, cases[i].words[0], cases[i].words[1],
                            cases[i].words[2], NULL),
                        ==, cases[i].status);
        ASSERT_SAYS(errors, cases[i].says);
    }
    static const char *const right[][3] = {
        { "ingest", "--from", "<>" },
        { "ingest", "--from", "MAILER-DAEMON" },
        { "ingest", "--from", "<ann@sales.example>" },
        { "ingest", "--client", "IPv6:2001:db8::1" },
        { "ingest", "--client", "192.0.2.1" },
        { "ingest", "--client", "unknown" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(right); i++)
        g_assert_cmpint(
            run(NULL, config, right[i][0], right[i][1], right[i][2], NULL), ==,
            0);
}

static const char mail[] =
    "Received: from mx.sales.example (mx.sales.example [198.51.100.7])\n"
    "\tby mx.example.org with ESMTPS id 4b; Mon, 2 Mar 2026 10:00:01 +0000\n"
    "From: Ann Lee <ann@sales.example>\n"
    "To: bob@example.org\n"
    "Subject: The order\n"
    "Date: Mon, 2 Mar 2026 10:00:00 +0000\n"
    "Message-ID: <one@sales.example>\n"
    "\n"
    "Hello Bob,\n\nthe order is on its way.\n\n"
    "Kind regards\n"
    "-- \n"
    "Ann Lee\nSales Manager\nLee Pty Ltd\nPhone: +61 2 9123 4567\n";

/* Fields that are found but not sent are marked. */
static void
test_below_confidence(void)
{
    g_autofree char *path = write_file("one.eml", mail);
    g_autofree char *sure = write_config("[contact]\nmin_confidence = 0.01\n");
    g_autofree char *text = NULL;
    g_assert_cmpint(run(&text, sure, "analyze", path, NULL), ==, 0);
    ASSERT_SAYS(text, "Sales Manager");
    g_assert_null(strstr(text, "not sent"));
    g_autofree char *strict = write_config("[contact]\nmin_confidence = 1\n");
    g_autofree char *marked = NULL;
    g_assert_cmpint(run(&marked, strict, "analyze", path, NULL), ==, 0);
    ASSERT_SAYS(marked, "Sales Manager (below min_confidence 1: not sent)");
    ASSERT_SAYS(marked, "(work; below min_confidence 1: not sent)");
}

/* Root reads everything; the daemon's user, whose spool's folder it is, does
 * not. */
static void
test_check_readable(void)
{
    const struct passwd *nobody = getpwnam("nobody");
    if (geteuid() != 0 || nobody == NULL) {
        g_test_skip("needs root");
        return;
    }
    g_autofree char *token = write_file("token", "short");
    g_autofree char *phrases = write_file("phrases", "");
    g_autofree char *ca = write_file("ca.pem", "");
    g_autofree char *secret = write_file("api-secret-file", "secret");
    g_autofree char *more = g_strdup_printf(
        "[api]\nkey = k\nendpoint = http://127.0.0.1:1\nsecret_file = %s\n"
        "ca_file = %s\n[unsubscribe]\ntoken_secret_file = %s\n"
        "phrases_file = %s\n[trust]\nspf = no\n",
        secret, ca, token, phrases);
    g_autofree char *config = write_config(more);
    g_assert_cmpint(chown(folder, nobody->pw_uid, nobody->pw_gid), ==, 0);
    const struct {
        const char *name, *path;
        bool secret;
    } files[] = {
        { "configuration", config, false },
        { "[api] secret_file", secret, true },
        { "[api] ca_file", ca, false },
        { "[unsubscribe] phrases_file", phrases, false },
        { "[unsubscribe] token_secret_file", token, true },
    };
    g_autofree char *before = NULL;
    g_assert_cmpint(run(&before, config, "check", NULL), ==, 1);
    for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *want = g_strdup_printf(
            "FAIL %s: %s cannot be read by the daemon's user nobody; `%s ",
            files[i].name, files[i].path,
            files[i].secret ? "chown nobody" : "chgrp");
        g_test_message("%s", want);
        g_assert_nonnull(strstr(before, want));
        g_assert_cmpint(chown(files[i].path,
                              files[i].secret ? nobody->pw_uid : 0,
                              nobody->pw_gid),
                        ==, 0);
        g_assert_cmpint(g_chmod(files[i].path, files[i].secret ? 0600 : 0640),
                        ==, 0);
    }
    g_assert_nonnull(strstr(before, "has 5 bytes, which can be guessed"));
    g_free(write_file("token", "a key that nobody knows"));
    g_assert_cmpint(chown(token, nobody->pw_uid, nobody->pw_gid), ==, 0);
    g_autofree char *after = NULL;
    g_assert_cmpint(run(&after, config, "check", NULL), ==, 1);
    g_assert_null(strstr(after, "cannot be read by"));
    g_assert_null(strstr(after, "can be guessed"));
    g_assert_cmpint(chown(folder, 0, 0), ==, 0);
}

/* What [trust] will refuse is told; --again reads what was read. */
static void
test_import(void)
{
    g_autofree char *path = write_file("one.eml", mail);
    g_autofree char *any = write_config("[trust]\ncontact = any\n");
    g_autofree char *taken = NULL;
    g_assert_cmpint(run(&taken, any, "import", "--dry-run", path, NULL), ==, 0);
    ASSERT_SAYS(taken, "people ");
    g_assert_null(strstr(taken, "refused"));
    g_autofree char *pass = write_config("[trust]\ncontact = pass\n");
    g_autofree char *json = NULL;
    g_assert_cmpint(
        run(&json, pass, "import", "--dry-run", "--json", path, NULL), ==, 0);
    ASSERT_SAYS(json,
                "\"not_taken\":{\"people refused: [trust] contact = pass\":1}");
    static const struct {
        const char *option, *messages;
    } runs[] = { { "--json", "\"messages\":1," },
                 { "--json", "\"messages\":0," },
                 { "--again", "\"messages\":1," } };
    for (size_t i = 0; i < G_N_ELEMENTS(runs); i++) {
        g_autofree char *text = NULL;
        g_assert_cmpint(
            run(&text, pass, "import", "--json", runs[i].option, path, NULL),
            ==, 0);
        ASSERT_SAYS(text, runs[i].messages);
    }
    g_autofree char *refused = NULL;
    g_assert_cmpint(run(&refused, pass, "import", "--again", path, NULL), ==,
                    0);
    ASSERT_SAYS(refused, "people refused: [trust] contact = pass ");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    folder = g_dir_make_tmp("contactctl-XXXXXX", NULL);
    g_assert_nonnull(folder);
    g_test_add_func("/contactctl/token", test_token);
    g_test_add_func("/contactctl/token-errors", test_token_errors);
    g_test_add_func("/contactctl/commands", test_commands);
    g_test_add_func("/contactctl/migrate-from-nothing",
                    test_migrate_from_nothing);
    g_test_add_func("/contactctl/wrong-arguments", test_wrong_arguments);
    g_test_add_func("/contactctl/below-confidence", test_below_confidence);
    g_test_add_func("/contactctl/check-readable", test_check_readable);
    g_test_add_func("/contactctl/import", test_import);
    int status = g_test_run();
    g_free(errors);
    GDir *dir = g_dir_open(folder, 0, NULL);
    for (const char *name; (name = g_dir_read_name(dir)) != NULL;) {
        g_autofree char *path = path_of(name);
        (void) g_unlink(path);
    }
    g_dir_close(dir);
    (void) g_rmdir(folder);
    g_free(folder);
    return status;
}
