/*
 * header.h - header sections, encoded words, MIME parameters (inside message/)
 *
 * RFC 5322 2.2, RFC 2047, RFC 2231, RFC 6532, with the damage that mail has.
 *
 * Ownership  strings returned as `char *` are the caller's.
 * Threads    pure.
 * Limits     HeaderLimits; encoded words and parameters are bounded by the
 *            length of their field.
 */
#ifndef HEADER_H
#define HEADER_H

#include "message/message.h"

typedef struct {
    unsigned max_headers;
    size_t max_header;
} HeaderLimits;

/* Reads a header section from [text, text + len), LF line ends. *out_end is
 * where the body begins. *out_cut (may be NULL) is set true when something was
 * left out. */
HeaderList header_section_parse(const char *text, size_t len,
                                const HeaderLimits *limits, size_t *out_end,
                                bool *out_cut);

/* Does a header field begin at `line` ("Name:" by RFC 5322)? */
bool header_line_is_field(const char *line, size_t len);

/* Decodes RFC 2047 encoded words in UTF-8 text wherever they stand. */
char *header_decode(const char *raw);

/* The parameter `name` of a Content-Type or Content-Disposition value,
 * continuations and charsets of RFC 2231 and encoded words decoded; NULL when
 * absent. */
char *header_parameter(const char *value, const char *name);

#endif
