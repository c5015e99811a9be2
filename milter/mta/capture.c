/*
 * capture.c - see capture.h
 *
 * libmilter hands over folded header fields with bare LF between the lines,
 * whatever the wire had, and body chunks as they were on the wire. Header line
 * ends are made CRLF again, so that what the parser sees is the message as SMTP
 * carried it. The copy is one growing block: GByteArray doubles it, and the
 * limit is kept before it grows.
 */
#include "mta/capture.h"

#include <string.h>

struct Capture {
    GByteArray *bytes;
    size_t limit;
    bool in_body;
};

Capture *
capture_new(size_t limit)
{
    Capture *capture = g_new0(Capture, 1);
    capture->bytes = g_byte_array_new();
    capture->limit = MIN(limit, (size_t) G_MAXUINT / 2);
    return capture;
}

void
capture_free(Capture *capture)
{
    if (capture == NULL)
        return;
    g_byte_array_unref(capture->bytes);
    g_free(capture);
}

bool
capture_full(const Capture *capture)
{
    return capture->bytes->len >= capture->limit;
}

static void
append(Capture *capture, const void *bytes, size_t len)
{
    size_t room = capture->limit - capture->bytes->len;
    if (len > room)
        len = room;
    if (len > 0)
        g_byte_array_append(capture->bytes, bytes, (guint) len);
}

void
capture_header(Capture *capture, const char *name, const char *value,
               bool spaced)
{
    append(capture, name, strlen(name));
    append(capture, ": ", spaced ? 1 : 2);
    for (;;) {
        size_t len = strcspn(value, "\n");
        append(capture, value,
               len > 0 && value[len - 1] == '\r' ? len - 1 : len);
        append(capture, "\r\n", 2);
        if (value[len] == '\0')
            return;
        value += len + 1;
    }
}

static void
end_header(Capture *capture)
{
    if (!capture->in_body)
        append(capture, "\r\n", 2);
    capture->in_body = true;
}

void
capture_body(Capture *capture, const uint8_t *bytes, size_t len)
{
    end_header(capture);
    append(capture, bytes, len);
}

const char *
capture_bytes(Capture *capture, size_t *out_len)
{
    end_header(capture);
    *out_len = capture->bytes->len;
    return capture->bytes->len > 0 ? (const char *) capture->bytes->data : "";
}
