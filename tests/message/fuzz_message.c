/* Any bytes as a message, within small limits and the usual ones. */
#include "message/message.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const Message *message, const MessageLimits *limits)
{
    size_t text = 0;
    g_assert_cmpuint(message->n_parts, <=, limits->max_parts);
    for (size_t i = 0; i < message->n_parts; i++) {
        const Part *part = &message->parts[i];
        g_assert_cmpint(part->enclosing, <, (int) i);
        if (part->text == NULL)
            continue;
        text += part->len;
        g_assert_cmpuint(strlen(part->text), ==, part->len);
        g_assert_true(g_utf8_validate(part->text, (gssize) part->len, NULL));
    }
    g_assert_cmpuint(text, <=, limits->max_text);
    for (size_t i = 0; i < message->headers.n; i++) {
        g_assert_true(g_utf8_validate(message->headers.items[i].raw, -1, NULL));
        g_assert_true(
            g_utf8_validate(message->headers.items[i].value, -1, NULL));
    }
    for (size_t i = 0; i < message->from.n; i++)
        g_assert_nonnull(strchr(message->from.items[i].email, '@'));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const MessageLimits small = { .max_bytes = 10000,
                                  .max_parts = 5,
                                  .max_depth = 3,
                                  .max_headers = 20,
                                  .max_header = 200,
                                  .max_text = 500 };
    g_autoptr(Message) message = message_parse((const char *) data, size, NULL);
    check(message, &message_limits_default);
    g_autoptr(Message) again = message_parse((const char *) data, size, &small);
    check(again, &small);
    return 0;
}
