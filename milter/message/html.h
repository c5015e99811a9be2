/*
 * html.h - HTML to lines (libxml2), with the structure that matters in mail
 *
 * Ownership  lines and links are appended to `body`, which owns them.
 * Threads    pure.
 * Limits     HTML_MAX_BYTES of markup, HTML_MAX_DEPTH elements deep; beyond
 *            that the rest is left out and body->truncated is set.
 */
#ifndef HTML_H
#define HTML_H

#include "message/body.h"

enum { HTML_MAX_BYTES = 256 * 1024, HTML_MAX_DEPTH = 200 };

/* What the markup says about quotations, for reply.c alone: in Line.flags,
 * above the LINE_* of body.h. */
enum {
    MARK_REST = 1 << 16,        /* an earlier mail begins here, to the end */
    MARK_CONTAINER = 1 << 17,   /* in gmail_quote: around a quotation, but at
                                   times around the author's words, too */
    MARK_ATTRIBUTION = 1 << 18, /* in gmail_attr, moz-cite-prefix... */
    MARK_BORDER = 1 << 19,      /* under Outlook's line above a header block */
    MARK_FORWARD = 1 << 20,     /* in a forwarded message's element */
    MARK_INDENT = 1 << 21,      /* in a blockquote that only indents */
};

void html_to_lines(Body *body, const char *html, size_t len);

#endif
