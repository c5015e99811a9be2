/*
 * charset.h - bytes of any charset, declared or not, to UTF-8
 *
 * Ownership  results are appended to a GString of the caller's.
 * Threads    safe everywhere; tables are made once.
 * Limits     linear in the input; the output is at most four times as long.
 * Errors     none: what cannot be decoded becomes U+FFFD.
 */
#ifndef CHARSET_H
#define CHARSET_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/* Appends `bytes` as valid UTF-8 without NUL. `charset` is the declared name,
 * in any case, or NULL; a wrong or unknown declaration is seen through where
 * the bytes contradict it. */
void charset_append_utf8(GString *out, const char *bytes, size_t len,
                         const char *charset);

/* The charset that undeclared 8-bit bytes are probably in; static. */
const char *charset_guess(const char *bytes, size_t len);

/* Is every byte 7-bit, and neither NUL nor ESC? */
bool charset_is_plain_ascii(const char *bytes, size_t len);

#endif
