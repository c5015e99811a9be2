/* Any bytes as HTML, as message.c hands it on: made valid UTF-8 first, and as
 * they are, too. */
#include "message/body.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text =
        g_utf8_make_valid((const char *) data, (gssize) size);
    g_autoptr(Body) body = body_from_html(text, strlen(text));
    g_assert_cmpuint(body->n_lines, <=, BODY_MAX_LINES);
    g_assert_cmpuint(body->n_links, <=, BODY_MAX_LINKS);
    for (size_t i = 0; i < body->n_lines; i++) {
        const Line *line = &body->lines[i];
        g_assert_cmpuint(strlen(line->text), ==, line->len);
        g_assert_true(g_utf8_validate(line->text, (gssize) line->len, NULL));
    }
    for (size_t i = 0; i < body->n_links; i++)
        g_assert_cmpuint(body->links[i].line, <=, body->n_lines);
    g_autoptr(Body) raw = body_from_html((const char *) data, size);
    g_assert_true(raw->from_html);
    return 0;
}
