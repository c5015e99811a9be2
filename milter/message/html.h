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

void html_to_lines(Body *body, const char *html, size_t len);

#endif
