/*
 * Mails that were made to cost much (shapes.c), the whole way, at the size that
 * the milter looks at and far beyond; and each limit of message/ at its value
 * and far beyond.
 *
 * CPU time is asserted with a slack for busy machines and slow builds; it is
 * measured exactly by tests/bench/bench-worst.
 */
#include "shapes.h"
#include "whole.h"

#include "analysis/bounce.h"
#include "analysis/bounce_internal.h"
#include "message/body.h"
#include "message/header.h"
#include "message/html.h"
#include "message/html_scan.h"
#include "message/message.h"

#include <string.h>

enum { CAPTURE = 256 * 1024, FAR = 4 * 1024 * 1024, MIB = 1024 * 1024 };

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SLOW_MS = 5000 };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
enum { SLOW_MS = 5000 };
#else
enum { SLOW_MS = 500 };
#endif
#else
enum { SLOW_MS = 500 };
#endif

static Analyzer *analyzer;

static void
take(const char *bytes, size_t len)
{
    g_autofree char *exact = g_memdup2(bytes, len);
    g_auto(Whole) whole = { 0 };
    whole_way(analyzer, exact, len, &whole);
    g_test_message("%.1f ms, %u observations", whole.ms,
                   whole.observations->len);
    g_assert_cmpfloat(whole.ms, <, SLOW_MS);
    const Message *message = whole.message;
    g_assert_cmpuint(message->n_parts, <=, message_limits_default.max_parts);
    g_assert_cmpuint(message->headers.n, <=,
                     message_limits_default.max_headers);
    size_t text = 0;
    for (size_t i = 0; i < message->n_parts; i++)
        text += message->parts[i].len;
    g_assert_cmpuint(text, <=, message_limits_default.max_text);
    g_assert_cmpuint(whole.observations->len, <=, BOUNCE_MAX_RECIPIENTS + 1);
}

static void
test_shape(gconstpointer data)
{
    const Shape *shape = data;
    g_autoptr(GString) captured = shape_make(shape, CAPTURE);
    take(captured->str, captured->len);
    g_autoptr(GString) far_beyond = shape_make(shape, FAR);
    take(far_beyond->str, far_beyond->len);
    /* Mail that ends in the middle, also of a character or an escape. */
    for (size_t cut = 1; cut <= 7; cut++)
        take(captured->str, 3000 - cut);
}

/* --- each limit, at its value and beyond --------------------------------------- */

static Message *
parse(const GString *mail, const MessageLimits *limits)
{
    g_autofree char *exact = g_memdup2(mail->str, mail->len);
    return message_parse(exact, mail->len, limits);
}

static void
repeat(GString *mail, const char *piece, size_t times)
{
    for (size_t i = 0; i < times; i++)
        g_string_append(mail, piece);
}

#define HEAD "From: ann@client.example\r\n"
#define MIXED HEAD "Content-Type: multipart/mixed; boundary=b\r\n\r\n"

static void
test_bytes(void)
{
    /* CRLF counts as it came; one byte more is left out. */
    for (int more = 0; more <= MIB; more += more == 0 ? 1 : MIB - 1) {
        g_autoptr(GString) mail = g_string_new(HEAD "\r\n");
        while (mail->len < message_limits_default.max_bytes)
            g_string_append_c(mail, 'a');
        for (int i = 0; i < more; i++)
            g_string_append_c(mail, 'b');
        g_autoptr(Message) m = parse(mail, NULL);
        g_assert_cmpint(m->truncated, ==, more > 0);
        g_assert_null(strchr(m->parts[0].text, 'b'));
    }
}

static void
test_parts(void)
{
    unsigned max = message_limits_default.max_parts;
    const unsigned counts[] = { max, max + 1, 300000 };
    for (size_t i = 0; i < G_N_ELEMENTS(counts); i++) {
        g_autoptr(GString) mail = g_string_new(MIXED);
        repeat(mail, "--b\n\nx\n", counts[i]);
        MessageLimits wide = message_limits_default;
        wide.max_bytes = 4 * MIB;
        double start = whole_cpu_ms();
        g_autoptr(Message) m = parse(mail, &wide);
        g_assert_cmpfloat(whole_cpu_ms() - start, <, SLOW_MS);
        g_assert_cmpuint(m->n_parts, ==, max);
        g_assert_cmpint(m->truncated, ==, counts[i] > max);
    }
}

static void
test_depth(void)
{
    unsigned max = message_limits_default.max_depth;
    const unsigned depths[] = { max, max + 1, 5000 };
    for (size_t i = 0; i < G_N_ELEMENTS(depths); i++) {
        g_autoptr(GString) mail = g_string_new(HEAD);
        for (unsigned k = 0; k < depths[i]; k++)
            g_string_append_printf(mail,
                                   "Content-Type: multipart/mixed; "
                                   "boundary=b%u\n\n--b%u\n",
                                   k, k);
        g_string_append(mail, "\ninnermost\n");
        g_autoptr(Message) m = parse(mail, NULL);
        bool found = m->n_parts == 1 && m->parts[0].text != NULL &&
                     strstr(m->parts[0].text, "innermost") != NULL;
        g_assert_cmpint(found, ==, depths[i] <= max);
        g_assert_cmpint(m->truncated, ==, depths[i] > max);
    }
}

static void
test_header_count(void)
{
    unsigned max = message_limits_default.max_headers;
    const unsigned counts[] = { max, max + 1, 150000 };
    for (size_t i = 0; i < G_N_ELEMENTS(counts); i++) {
        g_autoptr(GString) mail = g_string_new("");
        repeat(mail, "A: b\n", counts[i]);
        g_string_append(mail, "\nbody\n");
        g_autoptr(Message) m = parse(mail, NULL);
        g_assert_cmpuint(m->headers.n, ==, max);
        g_assert_cmpint(m->truncated, ==, counts[i] > max);
        /* The body begins where it begins. */
        g_assert_cmpstr(m->parts[0].text, ==, "body\n");
    }
}

static void
test_header_length(void)
{
    size_t max = message_limits_default.max_header;
    const size_t lengths[] = { max, max + 1, MIB - 100 };
    for (size_t i = 0; i < G_N_ELEMENTS(lengths); i++) {
        g_autoptr(GString) mail = g_string_new("Subject: ");
        g_autofree char *value = g_strnfill(lengths[i], 'x');
        g_string_append(mail, value);
        g_string_append(mail, "\r\nX: y\r\n\r\nbody\r\n");
        g_autoptr(Message) m = parse(mail, NULL);
        g_assert_cmpuint(strlen(m->subject), ==, max);
        g_assert_cmpint(m->truncated, ==, lengths[i] > max);
        g_assert_cmpstr(message_header(m, "X"), ==, "y");
        g_assert_cmpstr(m->parts[0].text, ==, "body\n");
    }
}

static void
test_text(void)
{
    /* Latin 1 letters become two bytes each. */
    size_t max = message_limits_default.max_text;
    const size_t lengths[] = { max / 2, max / 2 + 1, 2 * max };
    for (size_t i = 0; i < G_N_ELEMENTS(lengths); i++) {
        g_autoptr(GString) mail = g_string_new(
            HEAD "Content-Type: text/plain; charset=iso-8859-1\r\n\r\n");
        g_autofree char *text = g_strnfill(lengths[i], '\xe9');
        g_string_append(mail, text);
        MessageLimits wide = message_limits_default;
        wide.max_bytes = 8 * MIB;
        g_autoptr(Message) m = parse(mail, &wide);
        g_assert_cmpuint(m->parts[0].len, ==, max);
        g_assert_true(g_utf8_validate(m->parts[0].text, -1, NULL));
        g_assert_cmpint(m->truncated, ==, lengths[i] > max / 2);
    }
}

static void
test_html_size(void)
{
    const size_t sizes[] = { HTML_MAX_BYTES, HTML_MAX_BYTES + 1, 10 * MIB };
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autofree char *html = g_strnfill(sizes[i], 'a');
        g_autofree char *exact = g_memdup2(html, sizes[i]);
        g_autoptr(Body) body = body_from_html(exact, sizes[i]);
        g_assert_cmpuint(body->n_lines, ==, 1);
        g_assert_cmpuint(body->lines[0].len, ==, HTML_MAX_BYTES);
        g_assert_cmpint(body->truncated, ==, sizes[i] > HTML_MAX_BYTES);
    }
}

static void
test_html_depth(void)
{
    const unsigned depths[] = { HTML_MAX_DEPTH, HTML_MAX_DEPTH + 1, 100000 };
    for (size_t i = 0; i < G_N_ELEMENTS(depths); i++) {
        g_autoptr(GString) html = g_string_new("<html><body>");
        repeat(html, "<b>", depths[i] - 2);
        g_string_append(html, "innermost");
        double start = whole_cpu_ms();
        g_autoptr(Body) body = body_from_html(html->str, html->len);
        g_assert_cmpfloat(whole_cpu_ms() - start, <, SLOW_MS);
        bool found =
            body->n_lines > 0 && strcmp(body->lines[0].text, "innermost") == 0;
        g_assert_cmpint(found, ==, depths[i] <= HTML_MAX_DEPTH);
        g_assert_cmpint(body->truncated, ==, depths[i] > HTML_MAX_DEPTH);
    }
}

static void
test_lines(void)
{
    const unsigned counts[] = { BODY_MAX_LINES, BODY_MAX_LINES + 1, 500000 };
    for (size_t i = 0; i < G_N_ELEMENTS(counts); i++) {
        g_autoptr(GString) text = g_string_new("");
        repeat(text, "a\n", counts[i]);
        g_autoptr(Body) body = body_from_plain(text->str, text->len);
        g_assert_cmpuint(body->n_lines, ==, BODY_MAX_LINES);
        g_assert_cmpint(body->truncated, ==, counts[i] > BODY_MAX_LINES);
    }
}

static void
test_links(void)
{
    const unsigned counts[] = { BODY_MAX_LINKS, BODY_MAX_LINKS + 1, 9000 };
    for (size_t i = 0; i < G_N_ELEMENTS(counts); i++) {
        g_autoptr(GString) html = g_string_new("");
        repeat(html, "<a href=http://a>x</a> ", counts[i]);
        g_autoptr(Body) body = body_from_html(html->str, html->len);
        g_assert_cmpuint(body->n_links, ==, BODY_MAX_LINKS);
    }
}

/* RFC 2231: a parameter in 64 pieces, in more, and in pieces with huge
 * numbers. */
static void
test_continuations(void)
{
    const unsigned counts[] = { 64, 65, 100000 };
    for (size_t i = 0; i < G_N_ELEMENTS(counts); i++) {
        g_autoptr(GString) value = g_string_new("attachment");
        for (unsigned k = 0; k < counts[i]; k++)
            g_string_append_printf(value, "; filename*%u=a", k);
        double start = whole_cpu_ms();
        g_autofree char *name = header_parameter(value->str, "filename");
        g_assert_cmpfloat(whole_cpu_ms() - start, <, SLOW_MS);
        g_assert_cmpuint(strlen(name), ==, 64);
    }
    g_autofree char *huge =
        header_parameter("a; filename*4294967296=x; filename=y", "filename");
    g_assert_cmpstr(huge, ==, "y");
}

static void
test_mailboxes(void)
{
    const unsigned counts[] = { 1000, 1001, 30000 };
    for (size_t i = 0; i < G_N_ELEMENTS(counts); i++) {
        g_autoptr(GString) value = g_string_new("");
        for (unsigned k = 0; k < counts[i]; k++)
            g_string_append_printf(value, "a%u@client.example, ", k);
        MailboxList list = mailbox_list_parse(value->str);
        g_assert_cmpuint(list.n, ==, 1000);
        mailbox_list_clear(&list);
    }
}

/* What a report says about one recipient, over and over. */
static void
test_diagnostics(void)
{
    g_autoptr(GString) report = g_string_new("Final-Recipient: a@b.example\n");
    repeat(report, "Diagnostic-Code: smtp; 550 5.1.1 user unknown\n", 5000);
    g_autoptr(GArray) recipients =
        g_array_new(FALSE, TRUE, sizeof(DsnRecipient));
    g_array_set_clear_func(recipients, dsn_recipient_clear);
    g_assert_true(dsn_parse(report->str, report->len, recipients));
    g_assert_cmpuint(recipients->len, ==, 1);
    g_assert_cmpuint(
        strlen(g_array_index(recipients, DsnRecipient, 0).diagnostic), <=,
        2 * 4096);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    analyzer = whole_analyzer();
    g_assert_nonnull(analyzer);
    g_test_add_func("/limit/bytes", test_bytes);
    g_test_add_func("/limit/parts", test_parts);
    g_test_add_func("/limit/depth", test_depth);
    g_test_add_func("/limit/header count", test_header_count);
    g_test_add_func("/limit/header length", test_header_length);
    g_test_add_func("/limit/text", test_text);
    g_test_add_func("/limit/html size", test_html_size);
    g_test_add_func("/limit/html depth", test_html_depth);
    g_test_add_func("/limit/lines", test_lines);
    g_test_add_func("/limit/links", test_links);
    g_test_add_func("/limit/continuations", test_continuations);
    g_test_add_func("/limit/mailboxes", test_mailboxes);
    g_test_add_func("/limit/diagnostics", test_diagnostics);
    for (size_t i = 0; i < n_shapes; i++) {
        g_autofree char *path =
            g_strdup_printf("/hostile/%zu %s", i, shapes[i].name);
        g_test_add_data_func(path, &shapes[i], test_shape);
    }
    int result = g_test_run();
    analyzer_free(analyzer);
    return result;
}
