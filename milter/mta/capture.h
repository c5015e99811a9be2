/*
 * capture.h - a bounded copy of one message, rebuilt from milter callbacks
 *
 * The milter protocol hands a message over as header fields and body chunks;
 * message/ wants its bytes (RFC 5322, CRLF line ends). Nothing beyond the limit
 * is kept, so a message of any size costs at most `limit` bytes.
 *
 * Ownership  capture_free(); capture_bytes() is borrowed until then.
 * Threads    plain data; one session owns it.
 * Limits     `limit` bytes, header section included.
 */
#ifndef CAPTURE_H
#define CAPTURE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct Capture Capture;

Capture *capture_new(size_t limit);
void capture_free(Capture *capture);

/* One header field. `spaced`: `value` begins with the white space that stood
 * after the colon (SMFIP_HDR_LEADSPC); else one space is put there. Folded
 * lines in `value` end in LF or CRLF. */
void capture_header(Capture *capture, const char *name, const char *value,
                    bool spaced);

/* A chunk of the body, cut anywhere. */
void capture_body(Capture *capture, const uint8_t *bytes, size_t len);

/* True once more bytes would not be kept. */
bool capture_full(const Capture *capture);

/* The message as it stood, up to the limit; ends the header section when no
 * body came. */
const char *capture_bytes(Capture *capture, size_t *out_len);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Capture, capture_free)

#endif
