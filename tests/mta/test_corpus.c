/*
 * Every mail of the corpora, handed over as a mail server does: field by field
 * and in body chunks of many sizes. The bytes are the same each time, and so is
 * what is found in them.
 */
#include "mta/capture.h"
#include "mta/ruleset.h"
#include "store/observation_json.h"

#include <string.h>

enum { LIMIT = 256 * 1024 };

/* LF to CRLF, as on the wire. */
static GString *
wire_form(const char *bytes, size_t len)
{
    GString *wire = g_string_sized_new(len + len / 32);
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] == '\n' && (i == 0 || bytes[i - 1] != '\r'))
            g_string_append_c(wire, '\r');
        g_string_append_c(wire, bytes[i]);
    }
    return wire;
}

/* Gives the header section to `capture` as smtpd does; where the body begins,
 * or 0 when this is no header section that smtpd would pass on as one. */
static size_t
capture_head(Capture *capture, const GString *wire)
{
    const char *at = wire->str;
    while (strncmp(at, "\r\n", 2) != 0) {
        const char *colon = strpbrk(at, ":\r \t");
        if (colon == NULL || *colon != ':' || colon == at)
            return 0;
        g_autofree char *name = g_strndup(at, (gsize) (colon - at));
        g_autoptr(GString) value = g_string_new(NULL);
        at = colon + 1;
        for (;;) {
            const char *eol = strstr(at, "\r\n");
            if (eol == NULL)
                return 0;
            g_string_append_len(value, at, eol - at);
            at = eol + 2;
            if (*at != ' ' && *at != '\t')
                break;
            g_string_append_c(value, '\n');
        }
        capture_header(capture, name, value->str, true);
    }
    return (size_t) (at - wire->str) + 2;
}

static char *
found(const Ruleset *ruleset, const char *bytes, size_t len)
{
    g_autoptr(Envelope) envelope = envelope_new();
    envelope->mail_from = g_strdup("ann@client.example");
    envelope->time = 1700000000;
    g_autofree char *copy = g_memdup2(bytes, len);
    g_autoptr(GPtrArray) observations =
        ruleset_observe(ruleset, copy, len, envelope, NULL);
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < observations->len; i++) {
        g_autofree char *json =
            observation_to_json(g_ptr_array_index(observations, i));
        g_string_append_printf(text, "%s\n", json);
    }
    return g_string_free(text, FALSE);
}

static bool
check_mail(const Ruleset *ruleset, const char *path)
{
    g_autofree char *bytes = NULL;
    gsize len;
    g_assert_true(g_file_get_contents(path, &bytes, &len, NULL));
    g_autoptr(GString) wire = wire_form(bytes, len);
    if (wire->len > LIMIT || memchr(wire->str, '\0', wire->len) != NULL)
        return false;

    static const size_t chunks[] = { 1, 2, 3, 7, 61, 1000, 65535 };
    g_autofree char *whole = NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(chunks); i++) {
        g_autoptr(Capture) capture = capture_new(LIMIT);
        size_t body = capture_head(capture, wire);
        if (body == 0)
            return false;
        for (size_t at = body; at < wire->len; at += chunks[i]) {
            size_t n = MIN(chunks[i], wire->len - at);
            g_autofree uint8_t *copy = g_memdup2(wire->str + at, n);
            capture_body(capture, copy, n);
        }
        size_t got_len;
        const char *got = capture_bytes(capture, &got_len);
        if (got_len != wire->len || memcmp(got, wire->str, got_len) != 0)
            g_error("%s: other bytes in chunks of %zu", path, chunks[i]);
        if (i == 0) {
            whole = found(ruleset, wire->str, wire->len);
            g_autofree char *again = found(ruleset, got, got_len);
            g_assert_cmpstr(again, ==, whole);
        }
    }
    return true;
}

static unsigned
check_folder(const Ruleset *ruleset, const char *folder)
{
    unsigned count = 0;
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    if (dir == NULL)
        return 0;
    const char *name;
    while ((name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        if (g_file_test(path, G_FILE_TEST_IS_DIR))
            count += check_folder(ruleset, path);
        else if (g_str_has_suffix(name, ".eml") && check_mail(ruleset, path))
            count++;
    }
    return count;
}

static void
test_corpus(gconstpointer data)
{
    const char *folder = data;
    g_autoptr(Settings) settings = settings_load(NULL, ROLE_TOOL, NULL, NULL);
    g_assert_nonnull(settings);
    g_autoptr(GError) error = NULL;
    g_autoptr(Ruleset) ruleset = ruleset_new(settings, &error);
    g_assert_no_error(error);
    g_autofree char *path =
        g_build_filename(g_getenv("G_TEST_SRCDIR"), folder, NULL);
    unsigned count = check_folder(ruleset, path);
    g_test_message("%s: %u mails", path, count);
    if (count == 0)
        g_test_skip("no mails there");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    static const char *const folders[] = {
        "tests/corpus",
        "../shared/corpus/bounce",
        "../shared/corpus/signature-forge",
        "../shared/corpus/signature-modern",
        "../shared/corpus/unsubscribe",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(folders); i++) {
        g_autofree char *name = g_path_get_basename(folders[i]);
        g_autofree char *path = g_strdup_printf("/corpus/%s", name);
        g_test_add_data_func(path, folders[i], test_corpus);
    }
    return g_test_run();
}
