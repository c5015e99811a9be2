/* The bytes of a message, rebuilt from header fields and body chunks. */
#include "mta/capture.h"

#include <string.h>

/* g_assert_cmpmem() takes lengths as int. */
static void
assert_bytes(const char *got, size_t got_len, const char *want, size_t want_len)
{
    g_assert_cmpuint(got_len, ==, want_len);
    g_assert_true(memcmp(got, want, want_len) == 0);
}

typedef struct {
    const char *name;
    const char *field, *value;
    bool spaced;
    const char *want;
} HeaderCase;

static const HeaderCase headers[] = {
    { "space taken away by the server", "Subject", "Hello", false,
      "Subject: Hello\r\n\r\n" },
    { "space kept by the server", "Subject", " Hello", true,
      "Subject: Hello\r\n\r\n" },
    { "no space in the message", "Subject", "Hello", true,
      "Subject:Hello\r\n\r\n" },
    { "two spaces", "Subject", "  Hello", true, "Subject:  Hello\r\n\r\n" },
    { "folded", "To", " a@example.org,\n\tb@example.org", true,
      "To: a@example.org,\r\n\tb@example.org\r\n\r\n" },
    { "folded with CRLF", "To", " a@example.org,\r\n b@example.org", true,
      "To: a@example.org,\r\n b@example.org\r\n\r\n" },
    { "empty", "Subject", "", true, "Subject:\r\n\r\n" },
    { "eight bits", "Subject", " caf\xe9", true, "Subject: caf\xe9\r\n\r\n" },
};

static void
test_header(gconstpointer data)
{
    const HeaderCase *c = data;
    g_autoptr(Capture) capture = capture_new(1000);
    capture_header(capture, c->field, c->value, c->spaced);
    size_t len;
    const char *bytes = capture_bytes(capture, &len);
    assert_bytes(bytes, len, c->want, strlen(c->want));
}

/* A body is the same in chunks of any size, NULs and all. */
static void
test_chunks(void)
{
    static const char body[] = "line\r\nNUL\0here\r\n\xff\xfe\r\n--b\r\n";
    size_t body_len = sizeof body - 1;
    for (size_t chunk = 1; chunk <= body_len; chunk++) {
        g_autoptr(Capture) capture = capture_new(1000);
        capture_header(capture, "A", " b", true);
        for (size_t at = 0; at < body_len; at += chunk) {
            size_t len = MIN(chunk, body_len - at);
            g_autofree uint8_t *copy = g_memdup2(body + at, len);
            capture_body(capture, copy, len);
        }
        size_t len;
        const char *bytes = capture_bytes(capture, &len);
        g_assert_cmpuint(len, ==, strlen("A: b\r\n\r\n") + body_len);
        assert_bytes(bytes + strlen("A: b\r\n\r\n"), body_len, body, body_len);
    }
}

static void
test_limit(void)
{
    const char *whole = "A: b\r\nC: d\r\n\r\nbody\r\n";
    for (size_t limit = 0; limit <= strlen(whole) + 2; limit++) {
        g_autoptr(Capture) capture = capture_new(limit);
        capture_header(capture, "A", "b", false);
        capture_header(capture, "C", "d", false);
        capture_body(capture, (const uint8_t *) "body\r\n", 6);
        size_t len;
        const char *bytes = capture_bytes(capture, &len);
        size_t want = MIN(limit, strlen(whole));
        assert_bytes(bytes, len, whole, want);
        g_assert_true(capture_full(capture) == (limit <= strlen(whole)));
        capture_body(capture, (const uint8_t *) "more", 4);
        (void) capture_bytes(capture, &len);
        g_assert_cmpuint(len, <=, limit);
    }
}

static void
test_empty(void)
{
    g_autoptr(Capture) capture = capture_new(100);
    size_t len;
    const char *bytes = capture_bytes(capture, &len);
    assert_bytes(bytes, len, "\r\n", 2);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(headers); i++) {
        g_autofree char *path =
            g_strdup_printf("/capture/header/%s", headers[i].name);
        g_test_add_data_func(path, &headers[i], test_header);
    }
    g_test_add_func("/capture/chunks", test_chunks);
    g_test_add_func("/capture/limit", test_limit);
    g_test_add_func("/capture/empty", test_empty);
    return g_test_run();
}
