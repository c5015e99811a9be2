/*
 * html_style.h - what style attributes and element names say (inside message/)
 *
 * Threads    pure; an index is made once.
 * Limits     linear in the attribute.
 */
#ifndef HTML_STYLE_H
#define HTML_STYLE_H

#include "message/html.h"

typedef struct {
    bool hidden;
    bool bold, not_bold;
    bool grey, coloured;
    bool no_margin;
    bool border_none;
    bool outlook_border;
    float size; /* points; 0 not said */
} HtmlStyle;

/* Reads a style attribute; `inherited` is the font size around it in points. */
void html_style_parse(HtmlStyle *style, const char *text, float inherited);

/* Is that colour value a faint grey? */
bool html_is_grey(const char *p, size_t n);

/* LINE_* and MARK_* of a class or id attribute: of any of its words that a
 * mail program is known to use. */
unsigned html_marks_of_names(const char *names);

/* Does [p, p + n) hold `word`, in any case? */
bool html_slice_has(const char *p, size_t n, const char *word);

#endif
