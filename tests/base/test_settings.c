/* The configuration file: every type, every complaint. */
#include "base/settings.h"

#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *dir;

static char *
write_file(const char *name, const char *text, unsigned mode)
{
    char *path = g_build_filename(dir, name, NULL);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
    g_assert_cmpint(g_chmod(path, mode), ==, 0);
    return path;
}

static void
collect(const char *problem, void *data)
{
    g_string_append_printf(data, "%s\n", problem);
}

/* Loads `text`; its problems with the path replaced by FILE. */
static Settings *
load(const char *text, Role role, char **out_problems)
{
    g_autofree char *path = write_file("test.conf", text, 0644);
    GString *problems = g_string_new(NULL);
    Settings *settings = settings_load(path, role, collect, problems);
    g_string_replace(problems, path, "FILE", 0);
    *out_problems = g_string_free(problems, FALSE);
    return settings;
}

#define GOOD "[mta]\nlocal_domains = example.org\n"

static const struct {
    const char *name, *text, *want;
} cases[] = {
    { "unknown section", GOOD "[nope]\na = b\n",
      "FILE:4: [nope] a: there is no such section; see `contact-milter "
      "--help-config`\n" },
    { "unknown key", GOOD "sokket = x\n",
      "FILE:3: [mta] sokket: there is no such key; nearest is socket; see "
      "`contact-milter --help-config`\n" },
    { "unknown key, none near", GOOD "colour = x\n",
      "FILE:3: [mta] colour: there is no such key; see `contact-milter "
      "--help-config`\n" },
    { "two domains without a comma",
      "[mta]\nlocal_domains = example.org example.com\n",
      "FILE:2: [mta] local_domains: \"example.org example.com\" has a blank in "
      "it; a comma parts them\n" },
    { "two hosts without a comma",
      GOOD "[trust]\nauthserv_ids = mx.example.org mx2.example.org\n",
      "FILE:4: [trust] authserv_ids: \"mx.example.org mx2.example.org\" has a "
      "blank in it; a comma parts them\n" },
    { "two sealers without a comma",
      GOOD "[trust]\narc_sealers = a.example b.example, c.example\n",
      "FILE:4: [trust] arc_sealers: \"a.example b.example\" has a blank in it; "
      "a comma parts them\n" },
    { "no address", GOOD "recipients = info*, sales\n",
      "FILE:3: [mta] recipients: \"sales\" is no address; write for example "
      "info@example.org, info@* or *@example.org\n" },
    { "no address to ignore", GOOD "ignore_senders = example.net\n",
      "FILE:3: [mta] ignore_senders: \"example.net\" is no address; write for "
      "example info@example.org, info@* or *@example.org\n" },
    { "no address to be unsubscribed at",
      GOOD "[unsubscribe]\naddresses = unsubscribe\n",
      "FILE:4: [unsubscribe] addresses: \"unsubscribe\" is no address; write "
      "for example info@example.org, info@* or *@example.org\n" },
    { "one custom field for two",
      GOOD "[custom_fields]\nfax = 12\njob_title = 12\nmobile = 13\n",
      "FILE:5: [custom_fields] job_title: 12 is the field of fax already; "
      "write another field's id\n" },
    { "no section", "a = b\n",
      "FILE:1: a: stands before the first [section]\n" },
    { "twice", GOOD "socket_mode = 0600\nsocket_mode = 0666\n",
      "FILE:4: [mta] socket_mode: is set twice, first in line 3; write it "
      "once\n" },
    { "bool", GOOD "[api]\ndry_run = maybe\n",
      "FILE:4: [api] dry_run: \"maybe\" is neither yes nor no\n" },
    { "enum", GOOD "[contact]\noverwrite = sometimes\n",
      "FILE:4: [contact] overwrite: \"sometimes\" is not known; write never, "
      "own or always\n" },
    { "duration", GOOD "[api]\ntimeout = 30\n",
      "FILE:4: [api] timeout: \"30\" is not a duration; write for example "
      "200ms, 30s, 15m, 12h or 14d\n" },
    { "duration range", GOOD "[api]\ntimeout = 1ms\n",
      "FILE:4: [api] timeout: \"1ms\" is out of range; from 1s to 10m is "
      "right\n" },
    { "size", GOOD "capture_limit = big\n",
      "FILE:3: [mta] capture_limit: \"big\" is not a size; write for example "
      "65536, 256K or 1M\n" },
    { "size range", GOOD "capture_limit = 1K\n",
      "FILE:3: [mta] capture_limit: \"1K\" is out of range; from 4K to 16M is "
      "right\n" },
    { "overflow", GOOD "capture_limit = 99999999999999999999\n",
      "FILE:3: [mta] capture_limit: \"99999999999999999999\" is not a size; "
      "write for example 65536, 256K or 1M\n" },
    { "mode", GOOD "socket_mode = 0999\n",
      "FILE:3: [mta] socket_mode: \"0999\" is no octal mode; write for example "
      "0660\n" },
    { "fraction", GOOD "[contact]\nmin_confidence = 1.5\n",
      "FILE:4: [contact] min_confidence: \"1.5\" is no number from 0 to 1\n" },
    { "socket", GOOD "socket = /run/x\n",
      "FILE:3: [mta] socket: \"/run/x\" is no socket; write unix:/PATH, "
      "inet:PORT@HOST or inet6:PORT@HOST\n" },
    { "domains are required", "# first\n[mta]\n\n",
      "FILE:2: [mta] local_domains: is required; write our own domains, for "
      "example example.org, example.com\n" },
    { "nor is there the section", "# nothing\n#\n",
      "FILE:2: [mta] local_domains: is required; write our own domains, for "
      "example example.org, example.com\n" },
    { "nothing at all", "",
      "FILE:1: [mta] local_domains: is required; write our own domains, for "
      "example example.org, example.com\n" },
    { "domain form", "[mta]\nlocal_domains = *.example.org\n",
      "FILE:2: [mta] local_domains: \"*.example.org\" is no domain; write for "
      "example example.org (subdomains are included)\n" },
    { "http endpoint", GOOD "[api]\nendpoint = http://api.example.org\n",
      "FILE:4: [api] endpoint: \"http://api.example.org\" would send the "
      "contacts unencrypted; write https://... (http:// is for loopback "
      "only)\n" },
    { "loopback look-alike", GOOD "[api]\nendpoint = http://127.evil.example\n",
      "FILE:4: [api] endpoint: \"http://127.evil.example\" would send the "
      "contacts unencrypted; write https://... (http:// is for loopback "
      "only)\n" },
    { "user info look-alike",
      GOOD "[api]\nendpoint = http://localhost@evil.example\n",
      "FILE:4: [api] endpoint: \"http://localhost@evil.example\" would send "
      "the contacts unencrypted; write https://... (http:// is for loopback "
      "only)\n" },
    { "password look-alike",
      GOOD "[api]\nendpoint = http://localhost:1@evil.example\n",
      "FILE:4: [api] endpoint: \"http://localhost:1@evil.example\" would send "
      "the contacts unencrypted; write https://... (http:// is for loopback "
      "only)\n" },
    { "groups", GOOD "[contact]\ngroups = 1, two\n",
      "FILE:4: [contact] groups: \"two\" is no id; write whole numbers\n" },
    { "country", GOOD "[contact]\ndefault_country = Australia\n",
      "FILE:4: [contact] default_country: \"Australia\" is no country; write "
      "two capital letters, for example AU\n" },
    { "uri", GOOD "[store]\nuri = mysql://x\n",
      "FILE:4: [store] uri: write sqlite:/PATH or postgresql://...\n" },
    { "several problems", GOOD "x = 1\ny = 2\n",
      "FILE:3: [mta] x: there is no such key; see `contact-milter "
      "--help-config`\n"
      "FILE:4: [mta] y: there is no such key; see `contact-milter "
      "--help-config`\n" },
    { "garbage", GOOD "what is this\n",
      "FILE:3: is neither [section] nor key = value\n" },
};

static void
test_complaints(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_test_message("%s", cases[i].name);
        g_autofree char *problems = NULL;
        g_assert_null(load(cases[i].text, ROLE_MTA, &problems));
        g_assert_cmpstr(problems, ==, cases[i].want);
    }
}

static void
test_values(void)
{
    g_autofree char *problems = NULL;
    g_autoptr(Settings) s =
        load("# comment\n\n  [mta]\n\tlocal_domains = example.org ,, "
             "example.com\nsocket_mode=0600\ncapture_limit = 1M\n"
             "[api]\nregion = uk\ntimeout = 2m\ndry_run = yes\n"
             "endpoint = http://127.0.0.1:8080/\n"
             "[contact]\nmin_confidence = 0.5\nnew_status = unset\n"
             "groups = 10, 20\n[custom_fields]\njob_title = 33443\n"
             "[store]\nwait = 1s",
             ROLE_MTA, &problems);
    g_assert_cmpstr(problems, ==, "");
    g_assert_nonnull(s);
    g_assert_cmpstr(s->mta.local_domains[0], ==, "example.org");
    g_assert_cmpstr(s->mta.local_domains[1], ==, "example.com");
    g_assert_null(s->mta.local_domains[2]);
    g_assert_cmpint(s->mta.socket_mode, ==, 0600);
    g_assert_cmpint(s->mta.capture_limit, ==, 1024 * 1024);
    g_assert_cmpint(s->api.region, ==, REGION_UK);
    g_assert_cmpint(s->api.timeout, ==, 120000);
    g_assert_true(s->api.dry_run);
    g_assert_cmpstr(s->api.endpoint, ==, "http://127.0.0.1:8080");
    g_assert_cmpfloat(s->contact.min_confidence, ==, 0.5);
    g_assert_cmpint(s->contact.new_status, ==, NEW_STATUS_UNSET);
    g_assert_cmpstr(s->contact.groups[1], ==, "20");
    g_assert_cmpint(s->custom_fields.job_title, ==, 33443);
    g_assert_cmpint(s->custom_fields.fax, ==, 0);
    g_assert_cmpint(s->store.wait, ==, 1000);
    /* defaults */
    g_assert_cmpint(s->contact.overwrite, ==, OVERWRITE_OWN);
    g_assert_cmpint(s->trust.contact, ==, TRUST_PASS);
    g_assert_cmpint(s->trust.unsubscribe, ==, TRUST_NO_FAIL);
    g_assert_cmpstr(s->contact.urls[1], ==, "linkedin");
    g_assert_cmpint(s->bounce.sent_window, ==, INT64_C(14) * 86400000);
}

/* inih cuts at 200 bytes; we must not. */
static void
test_long_line(void)
{
    GString *text = g_string_new("[mta]\nlocal_domains = d0.example");
    for (int i = 1; i < 400; i++)
        g_string_append_printf(text, ", d%d.example", i);
    g_string_append(text, "\n# ");
    for (int i = 0; i < 500; i++)
        g_string_append(text, "comment ");
    g_string_append(text, "\nsocket_mode = 0600\n");
    g_autofree char *problems = NULL;
    g_autoptr(Settings) s = load(text->str, ROLE_MTA, &problems);
    g_assert_cmpstr(problems, ==, "");
    g_assert_cmpuint(g_strv_length(s->mta.local_domains), ==, 400);
    g_assert_cmpstr(s->mta.local_domains[399], ==, "d399.example");
    for (int i = 0; i < 400; i++)
        g_assert_true(g_str_has_suffix(s->mta.local_domains[i], ".example"));
    g_assert_cmpint(s->mta.socket_mode, ==, 0600);
    g_string_free(text, TRUE);
}

static void
test_secret(void)
{
    g_autofree char *good = write_file("secret", "s3cret\n", 0600);
    g_autofree char *open_to_all = write_file("open", "s3cret\n", 0644);
    g_autofree char *empty = write_file("empty", "\n", 0600);
    const struct {
        const char *path, *want;
    } files[] = {
        { good, NULL },
        { open_to_all, "can be read by others (mode 0644); chmod 0600" },
        { empty, "is empty" },
        { "/nonexistent/secret", "cannot read /nonexistent/secret" },
        { dir, "is no regular file" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *problems = NULL;
        g_autofree char *text = g_strdup_printf(
            GOOD "[api]\nkey = k\nsecret_file = %s\n", files[i].path);
        g_autoptr(Settings) s = load(text, ROLE_ALL, &problems);
        if (files[i].want == NULL) {
            g_assert_cmpstr(problems, ==, "");
            g_assert_cmpstr(s->api.secret, ==, "s3cret");
        } else {
            g_assert_null(s);
            g_assert_nonnull(strstr(problems, "FILE:5: [api] secret_file: "));
            g_assert_nonnull(strstr(problems, files[i].want));
        }
    }
}

static void
test_credential(void)
{
    g_free(write_file("api-secret", "from systemd", 0444));
    g_assert_true(g_setenv("CREDENTIALS_DIRECTORY", dir, TRUE));
    g_autofree char *problems = NULL;
    g_autoptr(Settings) s = load(GOOD "[api]\nkey = k\n", ROLE_SYNC, &problems);
    g_unsetenv("CREDENTIALS_DIRECTORY");
    g_assert_cmpstr(problems, ==, "");
    g_assert_cmpstr(s->api.secret, ==, "from systemd");
}

/* The file that systemd takes the credential from, beside the configuration. */
static void
test_secret_beside(void)
{
    g_autofree char *path = write_file("api-secret", "from beside", 0444);
    g_autofree char *problems = NULL;
    g_assert_null(load(GOOD "[api]\nkey = k\n", ROLE_SYNC, &problems));
    g_assert_nonnull(strstr(problems, "can be read by others (mode 0444)"));
    g_assert_cmpint(g_chmod(path, 0600), ==, 0);
    g_autofree char *none = NULL;
    g_autoptr(Settings) s = load(GOOD "[api]\nkey = k\n", ROLE_SYNC, &none);
    g_assert_cmpstr(none, ==, "");
    g_assert_cmpstr(s->api.secret, ==, "from beside");
    g_assert_cmpint(g_unlink(path), ==, 0);
}

static void
test_requirements(void)
{
    g_autofree char *problems = NULL;
    g_assert_null(load(GOOD "[api]\n", ROLE_SYNC, &problems));
    g_assert_nonnull(strstr(problems, "FILE:3: [api] key: is required"));
    g_assert_nonnull(strstr(problems, "[api] key: is required"));
    g_assert_nonnull(strstr(problems, "[api] secret_file: is required"));

    /* What only the reading of mail needs is not asked for below the seam. */
    static const char unreadable[] =
        GOOD "[api]\nkey = k\n[unsubscribe]\n"
             "phrases_file = /nonexistent/phrases\n"
             "token_secret_file = /nonexistent/token\n";
    g_autofree char *read = NULL;
    g_assert_null(load(unreadable, ROLE_MTA, &read));
    g_assert_nonnull(strstr(read, "FILE:6: [unsubscribe] phrases_file: cannot "
                                  "read /nonexistent/phrases: "));
    g_assert_nonnull(strstr(read, "FILE:7: [unsubscribe] token_secret_file: "));
    g_free(write_file("api-secret", "from systemd", 0444));
    g_assert_true(g_setenv("CREDENTIALS_DIRECTORY", dir, TRUE));
    g_autofree char *below = NULL;
    g_autoptr(Settings) sync = load(unreadable, ROLE_SYNC, &below);
    g_unsetenv("CREDENTIALS_DIRECTORY");
    g_assert_cmpstr(below, ==, "");
    g_assert_nonnull(sync);

    GString *none = g_string_new(NULL);
    g_autoptr(Settings) tool = settings_load(NULL, ROLE_TOOL, collect, none);
    g_assert_nonnull(tool);
    g_assert_cmpstr(none->str, ==, "");
    g_assert_null(settings_load("/nonexistent.conf", ROLE_MTA, collect, none));
    g_assert_nonnull(strstr(none->str, "/nonexistent.conf: "));
    g_string_free(none, TRUE);
}

static char *
printed(void (*print)(FILE *))
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    print(out);
    g_assert_cmpint(fclose(out), ==, 0);
    return text;
}

/* What is committed in conf/ and man/ agrees with the table. */
static void
test_documents(void)
{
    const struct {
        const char *file;
        void (*print)(FILE *);
    } documents[] = {
        { "conf/contact-milter.conf", settings_print_sample },
        { "man/contact-milter.conf.5", settings_print_mdoc },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(documents); i++) {
        g_autofree char *path =
            g_test_build_filename(G_TEST_DIST, documents[i].file, NULL);
        g_autofree char *file = NULL;
        g_assert_true(g_file_get_contents(path, &file, NULL, NULL));
        char *text = printed(documents[i].print);
        if (strstr(file, text) == NULL)
            g_error("%s is out of date: make update-documents", path);
        free(text);
    }
    /* The sample is a valid file but for what is required. */
    g_autofree char *sample =
        g_test_build_filename(G_TEST_DIST, documents[0].file, NULL);
    GString *problems = g_string_new(NULL);
    g_assert_null(settings_load(sample, ROLE_MTA, collect, problems));
    g_assert_nonnull(strstr(problems->str, "local_domains: is required"));
    g_assert_null(strchr(strchr(problems->str, '\n') + 1, '\n'));
    g_string_free(problems, TRUE);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    dir = g_dir_make_tmp("settings-XXXXXX", NULL);
    g_test_add_func("/settings/complaints", test_complaints);
    g_test_add_func("/settings/values", test_values);
    g_test_add_func("/settings/long-line", test_long_line);
    g_test_add_func("/settings/secret", test_secret);
    g_test_add_func("/settings/credential", test_credential);
    g_test_add_func("/settings/secret-beside", test_secret_beside);
    g_test_add_func("/settings/requirements", test_requirements);
    g_test_add_func("/settings/documents", test_documents);
    int result = g_test_run();
    g_autofree char *command = g_strdup_printf("rm -rf '%s'", dir);
    g_assert_cmpint(system(command), ==, 0);
    g_free(dir);
    return result;
}
