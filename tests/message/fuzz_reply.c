/* Any bytes as the lines of a text; the first line as a subject, too. */
#include "message/body.h"
#include "message/reply.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(Body) raw = body_from_plain((const char *) data, size);
    g_assert_cmpuint(raw->n_lines, <=, BODY_MAX_LINES);
    g_autofree char *text =
        g_utf8_make_valid((const char *) data, (gssize) size);
    g_autoptr(Body) body = body_from_plain(text, strlen(text));
    reply_split(body, body->n_lines > 0 ? body->lines[0].text : "");
    for (size_t i = 0; i < body->n_lines; i++) {
        g_assert_true(body->lines[i].zone <= ZONE_FORWARDED);
        g_assert_true(g_utf8_validate(body->lines[i].text,
                                      (gssize) body->lines[i].len, NULL));
    }
    return 0;
}
