/*
 * html.c - HTML to lines
 *
 * libxml2's SAX interface calls us for each start tag, end tag and run of
 * text; no tree is built, so that memory and stack stay small whatever the
 * markup nests. A stack of frames, one for each open element, counts what is
 * in force: hidden, bold, inside a table, a signature, a quotation. A line
 * takes its flags from the frames that are open when its first character
 * comes.
 *
 * Lines are what a reader sees: blocks and <br> end a line, a paragraph with
 * margins has an empty line before it, cells of one row stand on one line when
 * each holds one line, and on lines of their own otherwise.
 */
#include "message/html.h"

#include <libxml/HTMLparser.h>
#include <libxml/parserInternals.h>
#include <string.h>

/* --- elements ------------------------------------------------------------------ */

enum {
    EL_BLOCK = 1 << 0,
    EL_MARGIN = 1 << 1, /* an empty line around it */
    EL_SKIP = 1 << 2,   /* its text is not shown */
    EL_ROW = 1 << 3,
    EL_CELL = 1 << 4,
    EL_TABLE = 1 << 5,
    EL_ITEM = 1 << 6,
    EL_PRE = 1 << 7,
    EL_BOLD = 1 << 8,
    EL_SMALL = 1 << 9,
    EL_QUOTE = 1 << 10,
    EL_RULE = 1 << 11,
    EL_BREAK = 1 << 12,
    EL_LINK = 1 << 13,
    EL_IMAGE = 1 << 14,
    EL_PARAGRAPH = 1 << 15,
    EL_FONT = 1 << 16,
    EL_STYLE = 1 << 17,
};

typedef struct {
    const char *name;
    unsigned flags;
} Element;

static const Element elements[] = {
    { "a", EL_LINK },
    { "address", EL_BLOCK },
    { "article", EL_BLOCK },
    { "aside", EL_BLOCK },
    { "b", EL_BOLD },
    { "blockquote", EL_BLOCK | EL_MARGIN | EL_QUOTE },
    { "body", EL_BLOCK },
    { "br", EL_BREAK },
    { "caption", EL_BLOCK },
    { "center", EL_BLOCK },
    { "dd", EL_BLOCK },
    { "div", EL_BLOCK },
    { "dl", EL_BLOCK | EL_MARGIN },
    { "dt", EL_BLOCK },
    { "fieldset", EL_BLOCK },
    { "font", EL_FONT },
    { "footer", EL_BLOCK },
    { "form", EL_BLOCK },
    { "h1", EL_BLOCK | EL_MARGIN | EL_BOLD },
    { "h2", EL_BLOCK | EL_MARGIN | EL_BOLD },
    { "h3", EL_BLOCK | EL_MARGIN | EL_BOLD },
    { "h4", EL_BLOCK | EL_MARGIN | EL_BOLD },
    { "h5", EL_BLOCK | EL_MARGIN | EL_BOLD },
    { "h6", EL_BLOCK | EL_MARGIN | EL_BOLD },
    { "head", EL_SKIP },
    { "header", EL_BLOCK },
    { "hr", EL_BLOCK | EL_RULE },
    { "html", EL_BLOCK },
    { "img", EL_IMAGE },
    { "li", EL_BLOCK | EL_ITEM },
    { "main", EL_BLOCK },
    { "noscript", EL_SKIP },
    { "object", EL_SKIP },
    { "ol", EL_BLOCK },
    { "option", EL_SKIP },
    { "p", EL_BLOCK | EL_PARAGRAPH },
    { "pre", EL_BLOCK | EL_MARGIN | EL_PRE },
    { "script", EL_SKIP },
    { "section", EL_BLOCK },
    { "select", EL_SKIP },
    { "small", EL_SMALL },
    { "strong", EL_BOLD },
    { "style", EL_SKIP | EL_STYLE },
    { "table", EL_BLOCK | EL_TABLE },
    { "tbody", EL_BLOCK },
    { "td", EL_BLOCK | EL_CELL },
    { "template", EL_SKIP },
    { "textarea", EL_SKIP },
    { "tfoot", EL_BLOCK },
    { "th", EL_BLOCK | EL_CELL | EL_BOLD },
    { "thead", EL_BLOCK },
    { "title", EL_SKIP },
    { "tr", EL_BLOCK | EL_ROW },
    { "ul", EL_BLOCK },
    { "xml", EL_SKIP },
};

static unsigned
element_flags(const char *name)
{
    size_t low = 0, high = G_N_ELEMENTS(elements);
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(name, elements[middle].name);
        if (order == 0)
            return elements[middle].flags;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return 0;
}

/* --- names that mail programs give to their elements ------------------------------ */

typedef struct {
    const char *name;
    unsigned marks; /* LINE_* and MARK_* */
} Named;

/* Class names and ids, without the "x_" that Outlook on the web puts before
 * those of others. Lower case. */
static const Named named[] = {
    { "gmail_signature", LINE_SIGNATURE_ELEMENT },
    { "gmail_signature_prefix", LINE_SIGNATURE_ELEMENT },
    { "moz-signature", LINE_SIGNATURE_ELEMENT },
    { "olk-signature", LINE_SIGNATURE_ELEMENT },
    { "olksignature", LINE_SIGNATURE_ELEMENT },
    { "ms-outlook-mobile-signature", LINE_SIGNATURE_ELEMENT },
    { "signature", LINE_SIGNATURE_ELEMENT },
    { "applemailsignature", LINE_SIGNATURE_ELEMENT },
    { "yahoo-signature", LINE_SIGNATURE_ELEMENT },
    { "ydp-signature", LINE_SIGNATURE_ELEMENT },
    { "yahoo_signature", LINE_SIGNATURE_ELEMENT },
    { "protonmail_signature_block", LINE_SIGNATURE_ELEMENT },
    { "protonmail_signature_block-user", LINE_SIGNATURE_ELEMENT },
    { "tutanota_signature", LINE_SIGNATURE_ELEMENT },
    { "zimbra_signature", LINE_SIGNATURE_ELEMENT },
    { "mailspring-signature", LINE_SIGNATURE_ELEMENT },
    { "signaturemailru", LINE_SIGNATURE_ELEMENT },
    { "zm_signature", LINE_SIGNATURE_ELEMENT },
    { "zmail_signature_below", LINE_SIGNATURE_ELEMENT },
    { "composer_signature", LINE_SIGNATURE_ELEMENT },
    { "email-signature", LINE_SIGNATURE_ELEMENT },
    { "mailsignature", LINE_SIGNATURE_ELEMENT },
    { "front-signature", LINE_SIGNATURE_ELEMENT },
    { "spark-signature", LINE_SIGNATURE_ELEMENT },
    { "messagesignaturesection", LINE_SIGNATURE_ELEMENT },
    { "hs_signature", LINE_SIGNATURE_ELEMENT },
    { "bloop_sign", LINE_SIGNATURE_ELEMENT },
    { "ntes-signature", LINE_SIGNATURE_ELEMENT },
    { "userdefinedsignature", LINE_SIGNATURE_ELEMENT },

    { "gmail_quote", MARK_CONTAINER },
    { "gmail_quote_container", MARK_CONTAINER },
    { "gmail_attr", MARK_ATTRIBUTION },
    { "moz-cite-prefix", MARK_ATTRIBUTION },
    { "ydp-quoted", LINE_QUOTE_ELEMENT },
    { "yahoo_quoted", LINE_QUOTE_ELEMENT },
    { "yahoo-quoted", LINE_QUOTE_ELEMENT },
    { "qtdseparatebr", 0 },
    { "protonmail_quote", LINE_QUOTE_ELEMENT },
    { "tutanota_quote", LINE_QUOTE_ELEMENT },
    { "zmail_extra", LINE_QUOTE_ELEMENT },
    { "zmail_extra_hr", MARK_ATTRIBUTION },
    { "olk_src_body_section", LINE_QUOTE_ELEMENT },
    { "divrplyfwdmsg", MARK_REST },
    { "appendonsend", MARK_REST },
    { "mail-editor-reference-message-container", LINE_QUOTE_ELEMENT },
    { "ms-outlook-mobile-reference-message", LINE_QUOTE_ELEMENT },
    { "isreplycontent", LINE_QUOTE_ELEMENT },
    { "isforwardcontent", MARK_FORWARD },
    { "ntes-mailmaster-quote", LINE_QUOTE_ELEMENT },
    { "ntes-pcmail-quote", LINE_QUOTE_ELEMENT },
    { "mail-app-auto-quote", LINE_QUOTE_ELEMENT },
    { "mailru-quote", LINE_QUOTE_ELEMENT },
    { "messagereplysection", LINE_QUOTE_ELEMENT },
    { "front-blockquote", LINE_QUOTE_ELEMENT },
    { "moz-forward-container", MARK_FORWARD },
    { "zwchr", MARK_REST },
    { "origbody", LINE_QUOTE_ELEMENT },
    { "reply-intro", MARK_ATTRIBUTION },
    { "airmail_on", MARK_ATTRIBUTION },
    { "airmail_ext_on", MARK_ATTRIBUTION },
};

/* Marks of one class attribute or id: any of its words that is known. */
static unsigned
marks_of_names(const char *names)
{
    unsigned marks = 0;
    const char *p = names;
    while (*p != 0) {
        while (*p == ' ' || *p == '\t' || *p == '\n')
            p++;
        const char *word = p;
        while (*p != 0 && *p != ' ' && *p != '\t' && *p != '\n')
            p++;
        size_t n = (size_t) (p - word);
        while (n > 2 && (word[0] == 'x' || word[0] == 'X') && word[1] == '_') {
            word += 2;
            n -= 2;
        }
        if (n > 13 && g_ascii_strncasecmp(word, "yahoo_quoted_", 13) == 0)
            marks |= LINE_QUOTE_ELEMENT; /* followed by a number */
        for (size_t i = 0; i < G_N_ELEMENTS(named); i++) {
            if (g_ascii_strncasecmp(named[i].name, word, n) == 0 &&
                named[i].name[n] == 0)
                marks |= named[i].marks;
        }
    }
    return marks;
}

/* --- state -------------------------------------------------------------------------- */

typedef struct {
    unsigned element; /* EL_* */
    unsigned marks;   /* LINE_*, MARK_* that this element brought in */
    bool hidden;
    bool blank_after;
    float size; /* font size in points */
    size_t row_start, cell_start;
    unsigned row_cells; /* cells with text */
    bool row_multi;     /* a cell holds several lines */
    size_t outer_row;   /* index of the enclosing row's frame, 0 none */
} Frame;

enum { COUNTED = 24 }; /* bits of marks that are counted */

typedef struct {
    Body *body;
    htmlParserCtxtPtr parser;
    Frame frames[HTML_MAX_DEPTH + 2];
    size_t depth;             /* frames in use; frames[0] is the ground */
    size_t skipped;           /* elements open beyond the stack */
    unsigned counts[COUNTED]; /* open elements for each bit of marks */
    unsigned marks;           /* bits whose count is not 0 */
    unsigned hidden;          /* open elements whose text is not shown */
    unsigned pre;             /* open <pre> */
    unsigned style;           /* open <style> */
    unsigned quotes;          /* open quotations */
    size_t row;               /* frame of the innermost row, 0 none */
    GString *line;            /* the line so far, blanks collapsed */
    unsigned line_flags;      /* of its first character */
    unsigned line_depth;
    GString *alt;        /* alt texts of its images */
    bool line_nbsp;      /* a no-break space stood on it */
    bool line_bold_only; /* every character so far was bold */
    bool want_blank;     /* a margin before the next line */
    bool want_rule;      /* a rule before the next line */
    unsigned once;       /* MARK_REST, MARK_BORDER for the next line */
    float base_size;     /* of the first line */
    bool no_margin;      /* the style sheet takes <p>'s margins away */
    size_t first_line;   /* lines of earlier parts come before */
    GString *link_text;
    char *href;
    size_t link_line;
} Builder;

static bool
last_is_blank(const Builder *b)
{
    return b->body->n_lines == b->first_line ||
           b->body->lines[b->body->n_lines - 1].len == 0;
}

static void
emit(Builder *b, const char *text, size_t len, unsigned flags, unsigned depth)
{
    if (len > 0 && b->want_blank && !last_is_blank(b))
        (void) body_add_line(b->body, "", 0);
    Line *line = body_add_line(b->body, text, len);
    if (line == NULL) {
        xmlStopParser(b->parser);
        return;
    }
    line->flags = flags;
    line->quote_depth = depth;
    if (len == 0)
        return;
    b->want_blank = false;
    if (b->want_rule)
        line->flags |= LINE_AFTER_RULE;
    b->want_rule = false;
    line->flags |= b->once;
    b->once = 0;
}

static void
break_line(Builder *b, bool force)
{
    if (b->line->len > 0) {
        unsigned flags = b->line_flags;
        if (b->line_bold_only)
            flags |= LINE_BOLD;
        emit(b, b->line->str, b->line->len, flags, b->line_depth);
    } else if (b->alt->len > 0) {
        emit(b, b->alt->str, b->alt->len, b->marks | LINE_IMAGE_ALT, b->quotes);
    } else if (force || b->line_nbsp) {
        unsigned flags = b->marks & (LINE_QUOTE_ELEMENT | MARK_CONTAINER |
                                     MARK_FORWARD | LINE_SIGNATURE_ELEMENT);
        emit(b, "", 0, flags, b->quotes);
        b->want_blank = false;
    }
    g_string_truncate(b->line, 0);
    g_string_truncate(b->alt, 0);
    b->line_nbsp = false;
}

static void
count_marks(Builder *b, unsigned marks, int by)
{
    for (unsigned bit = 0; bit < COUNTED; bit++) {
        if ((marks & (1u << bit)) == 0)
            continue;
        b->counts[bit] = (unsigned) ((int) b->counts[bit] + by);
        if (b->counts[bit] > 0)
            b->marks |= 1u << bit;
        else
            b->marks &= ~(1u << bit);
    }
}

/* --- style attributes ------------------------------------------------------------------ */

typedef struct {
    bool hidden;
    bool bold, not_bold;
    bool grey, coloured;
    bool no_margin;
    bool border_none;
    bool outlook_border;
    float size; /* points; 0 not said */
} Style;

static bool
slice_is(const char *p, size_t n, const char *word)
{
    return strlen(word) == n && g_ascii_strncasecmp(p, word, n) == 0;
}

static bool
slice_has(const char *p, size_t n, const char *word)
{
    size_t m = strlen(word);
    for (size_t i = 0; i + m <= n; i++) {
        if (g_ascii_strncasecmp(p + i, word, m) == 0)
            return true;
    }
    return false;
}

/* "13.5pt": the number, and where it ends. */
static float
number_at(const char *p, size_t n, size_t *out_end)
{
    float value = 0, scale = 1;
    size_t i = 0;
    bool point = false;
    for (; i < n && i < 12; i++) {
        if (g_ascii_isdigit(p[i])) {
            value = value * 10 + (float) (p[i] - '0');
            if (point)
                scale *= 10;
        } else if (p[i] == '.' && !point) {
            point = true;
        } else {
            break;
        }
    }
    *out_end = i;
    return value / scale;
}

static bool
is_zero_length(const char *p, size_t n)
{
    size_t end;
    return n > 0 && g_ascii_isdigit(*p) && number_at(p, n, &end) < 0.05f;
}

static bool
is_grey(const char *p, size_t n)
{
    static const char *const names[] = { "gray",      "grey",     "silver",
                                         "darkgray",  "darkgrey", "lightgray",
                                         "lightgrey", "dimgray",  "dimgrey" };
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        if (slice_is(p, n, names[i]))
            return true;
    }
    int rgb[3] = { 0, 0, 0 };
    if (n >= 7 && p[0] == '#') {
        for (size_t i = 0; i < 3; i++) {
            if (!g_ascii_isxdigit(p[1 + 2 * i]) ||
                !g_ascii_isxdigit(p[2 + 2 * i]))
                return false;
            rgb[i] = g_ascii_xdigit_value(p[1 + 2 * i]) * 16 +
                     g_ascii_xdigit_value(p[2 + 2 * i]);
        }
    } else if (n >= 4 && p[0] == '#') {
        for (size_t i = 0; i < 3; i++) {
            if (!g_ascii_isxdigit(p[1 + i]))
                return false;
            rgb[i] = g_ascii_xdigit_value(p[1 + i]) * 17;
        }
    } else if (n > 4 && g_ascii_strncasecmp(p, "rgb", 3) == 0) {
        size_t i = 3, k = 0;
        while (i < n && k < 3) {
            if (g_ascii_isdigit(p[i])) {
                size_t used;
                rgb[k++] = (int) number_at(p + i, n - i, &used);
                i += used;
            } else {
                i++;
            }
        }
        if (k < 3)
            return false;
    } else {
        return false;
    }
    int low = MIN(rgb[0], MIN(rgb[1], rgb[2]));
    int high = MAX(rgb[0], MAX(rgb[1], rgb[2]));
    return high - low <= 40 && low >= 0x50 && high <= 0xe0;
}

static float
font_size(const char *p, size_t n, float inherited)
{
    size_t end;
    if (n > 0 && (g_ascii_isdigit(p[0]) || p[0] == '.')) {
        float v = number_at(p, n, &end);
        p += end;
        n -= end;
        if (n >= 2 && g_ascii_strncasecmp(p, "px", 2) == 0)
            return v * 0.75f;
        if (n >= 2 && g_ascii_strncasecmp(p, "em", 2) == 0)
            return v * inherited;
        if (n >= 3 && g_ascii_strncasecmp(p, "rem", 3) == 0)
            return v * 12;
        if (n >= 1 && *p == '%')
            return v * inherited / 100;
        return v;
    }
    if (slice_is(p, n, "smaller"))
        return inherited * 0.83f;
    if (slice_is(p, n, "xx-small"))
        return 7;
    if (slice_is(p, n, "x-small"))
        return 7.5f;
    if (slice_is(p, n, "small"))
        return 10;
    if (slice_is(p, n, "medium"))
        return 12;
    return 0;
}

static void
style_declaration(Style *style, const char *name, size_t n, const char *value,
                  size_t m, float inherited)
{
    if (slice_is(name, n, "display")) {
        style->hidden |= slice_has(value, m, "none");
    } else if (slice_is(name, n, "visibility")) {
        style->hidden |= slice_has(value, m, "hidden");
    } else if (slice_is(name, n, "mso-hide")) {
        style->hidden |= slice_has(value, m, "all");
    } else if (slice_is(name, n, "max-height") ||
               slice_is(name, n, "opacity")) {
        style->hidden |= is_zero_length(value, m);
    } else if (slice_is(name, n, "font-size")) {
        style->size = font_size(value, m, inherited);
        style->hidden |= is_zero_length(value, m);
    } else if (slice_is(name, n, "font-weight")) {
        style->bold = slice_has(value, m, "bold") ||
                      (m > 0 && value[0] >= '6' && value[0] <= '9');
        style->not_bold = !style->bold;
    } else if (slice_is(name, n, "color")) {
        style->grey = is_grey(value, m);
        style->coloured = !style->grey;
    } else if (slice_is(name, n, "margin") || slice_is(name, n, "margin-top") ||
               slice_is(name, n, "margin-bottom")) {
        style->no_margin |= is_zero_length(value, m);
    } else if (slice_is(name, n, "border")) {
        style->border_none = slice_has(value, m, "none");
    }
    if (n >= 6 && g_ascii_strncasecmp(name, "border", 6) == 0 &&
        slice_has(value, m, "solid") &&
        (slice_has(value, m, "#e1e1e1") || slice_has(value, m, "#b5c4df") ||
         slice_has(value, m, "rgb(225,225,225)") ||
         slice_has(value, m, "rgb(225, 225, 225)") ||
         slice_has(value, m, "rgb(181,196,223)") ||
         slice_has(value, m, "rgb(181, 196, 223)")))
        style->outlook_border = true;
}

static void
style_parse(Style *style, const char *text, float inherited)
{
    const char *p = text;
    while (*p != 0) {
        while (*p == ' ' || *p == ';' || *p == '\n' || *p == '\t')
            p++;
        const char *name = p;
        while (*p != 0 && *p != ':' && *p != ';')
            p++;
        size_t n = (size_t) (p - name);
        while (n > 0 && (name[n - 1] == ' ' || name[n - 1] == '\n'))
            n--;
        if (*p != ':')
            continue;
        p++;
        while (*p == ' ' || *p == '\n' || *p == '\t')
            p++;
        const char *value = p;
        while (*p != 0 && *p != ';')
            p++;
        size_t m = (size_t) (p - value);
        while (m > 0 && (value[m - 1] == ' ' || value[m - 1] == '\n'))
            m--;
        style_declaration(style, name, n, value, m, inherited);
    }
}

/* --- text ----------------------------------------------------------------------------------- */

static void
start_line(Builder *b)
{
    const Frame *frame = &b->frames[b->depth];
    b->line_flags = b->marks;
    b->line_depth = b->quotes;
    b->line_bold_only = true;
    if (b->base_size <= 0)
        b->base_size = frame->size;
    if (frame->size < b->base_size - 0.9f)
        b->line_flags |= LINE_SMALL;
    b->line_flags &= ~(unsigned) LINE_BOLD;
}

static void
put(Builder *b, const char *p, size_t n)
{
    if (b->line->len == 0)
        start_line(b);
    if ((b->marks & LINE_BOLD) == 0)
        b->line_bold_only = false;
    g_string_append_len(b->line, p, (gssize) n);
    if (b->href != NULL && b->link_text->len < 2000) {
        if (b->link_text->len == 0)
            b->link_line =
                b->body->n_lines + (b->want_blank && !last_is_blank(b) ? 1 : 0);
        g_string_append_len(b->link_text, p, (gssize) n);
    }
}

static void
put_blank(Builder *b)
{
    if (b->line->len > 0 && b->line->str[b->line->len - 1] != ' ')
        g_string_append_c(b->line, ' ');
    if (b->href != NULL && b->link_text->len > 0 &&
        b->link_text->str[b->link_text->len - 1] != ' ')
        g_string_append_c(b->link_text, ' ');
}

/* Bytes of a character that takes no room: zero width space, soft hyphen and
 * what preheaders are padded with. */
static size_t
invisible_at(const Builder *b, const unsigned char *p, size_t n)
{
    if (n >= 2 && p[0] == 0xc2 && p[1] == 0xad)
        return 2;
    if (n >= 2 && p[0] == 0xcd && p[1] == 0x8f)
        return 2;
    if (n >= 3 && p[0] == 0xef && p[1] == 0xbb && p[2] == 0xbf)
        return 3;
    if (n >= 3 && p[0] == 0xe2 && p[1] == 0x80 &&
        (p[2] == 0x8b ||
         (p[2] == 0x8c &&
          (b->line->len == 0 || b->line->str[b->line->len - 1] == ' '))))
        return 3;
    if (n >= 3 && p[0] == 0xe2 && p[1] == 0x81 && p[2] == 0xa0)
        return 3;
    return 0;
}

static void
add_text(Builder *b, const char *text, size_t len)
{
    const unsigned char *p = (const unsigned char *) text;
    size_t i = 0;
    while (i < len) {
        unsigned char c = p[i];
        if (b->pre > 0 && c == '\n') {
            break_line(b, true);
            i++;
            continue;
        }
        if (c <= ' ' || c == 0x7f) {
            put_blank(b);
            i++;
            continue;
        }
        if (c == 0xc2 && i + 1 < len && p[i + 1] == 0xa0) {
            b->line_nbsp = true;
            put_blank(b);
            i += 2;
            continue;
        }
        size_t skip = c >= 0xc2 ? invisible_at(b, p + i, len - i) : 0;
        if (skip > 0) {
            i += skip;
            continue;
        }
        size_t start = i++;
        while (i < len && p[i] > ' ' && p[i] != 0x7f && p[i] < 0xc2)
            i++;
        if (p[start] >= 0xc2) {
            /* one multi-byte character, to its end */
            i = start + 1;
            while (i < len && (p[i] & 0xc0) == 0x80)
                i++;
        }
        put(b, text + start, i - start);
    }
}

/* Does the style sheet say that <p> has no margins (Outlook on the web)? */
static void
read_style_sheet(Builder *b, const char *text, size_t len)
{
    for (size_t i = 0; i + 3 < len; i++) {
        if ((text[i] != 'p' && text[i] != 'P') ||
            (i > 0 && (g_ascii_isalnum(text[i - 1]) || text[i - 1] == '.' ||
                       text[i - 1] == '-' || text[i - 1] == '#')))
            continue;
        size_t j = i + 1;
        while (j < len && (text[j] == ' ' || text[j] == '\n'))
            j++;
        if (j >= len || text[j] != '{')
            continue;
        const char *close = memchr(text + j, '}', len - j);
        size_t n = close != NULL ? (size_t) (close - (text + j)) : len - j;
        if (slice_has(text + j, n, "margin-top:0") ||
            slice_has(text + j, n, "margin-top: 0") ||
            slice_has(text + j, n, "margin:0") ||
            slice_has(text + j, n, "margin: 0"))
            b->no_margin = true;
        i = j + n;
    }
}

static void
on_characters(void *data, const xmlChar *text, int len)
{
    Builder *b = data;
    if (b->style > 0 && len > 0)
        read_style_sheet(b, (const char *) text, (size_t) len);
    if (b->hidden > 0 || len <= 0)
        return;
    add_text(b, (const char *) text, (size_t) len);
}

/* --- links and images -------------------------------------------------------------------------- */

static void
end_link(Builder *b)
{
    if (b->href == NULL)
        return;
    g_autofree char *href = g_steal_pointer(&b->href);
    while (b->link_text->len > 0 &&
           b->link_text->str[b->link_text->len - 1] == ' ')
        g_string_truncate(b->link_text, b->link_text->len - 1);
    if (b->link_text->len == 0)
        b->link_line = b->body->n_lines;
    body_add_link(b->body, href, b->link_text->str, b->link_line);
    g_string_truncate(b->link_text, 0);
}

static void
add_image(Builder *b, const char *alt, const char *width, const char *height)
{
    if (b->hidden > 0 || alt == NULL || *alt == 0 ||
        (width != NULL && (strcmp(width, "1") == 0 || *width == '0')) ||
        (height != NULL && (strcmp(height, "1") == 0 || *height == '0')))
        return;
    size_t n = strlen(alt);
    /* Emoji that a mail program draws as a picture are text. */
    if (n <= 8 && ((unsigned char) alt[0] & 0x80) != 0) {
        add_text(b, alt, n);
        return;
    }
    n = MIN(n, 500);
    while (n > 0 && ((unsigned char) alt[n] & 0xc0) == 0x80)
        n--;
    if (b->href != NULL && b->link_text->len == 0) {
        b->link_line = b->body->n_lines;
        g_string_append_len(b->link_text, alt, (gssize) n);
    }
    if (b->alt->len > 0)
        g_string_append_c(b->alt, ' ');
    if (b->alt->len < 2000)
        g_string_append_len(b->alt, alt, (gssize) n);
    for (size_t i = 0; i < b->alt->len; i++) {
        if ((unsigned char) b->alt->str[i] < ' ')
            b->alt->str[i] = ' ';
    }
}

/* --- tables --------------------------------------------------------------------------------------- */

static bool
is_label(const char *text, size_t len)
{
    return len > 0 && (text[len - 1] == ':' || len <= 3);
}

/* The lines of a row whose cells hold one line each become one line. */
static void
join_row(Builder *b, const Frame *row)
{
    Body *body = b->body;
    size_t start = row->row_start, n = body->n_lines;
    if (row->row_multi || row->row_cells < 2 || start >= n)
        return;
    g_autoptr(GString) joined = g_string_new(NULL);
    size_t first = n;
    for (size_t i = start; i < n; i++) {
        const Line *line = &body->lines[i];
        if (line->len == 0 || (line->flags & LINE_IMAGE_ALT) != 0)
            continue;
        if (first == n)
            first = i;
        else
            g_string_append(joined,
                            is_label(joined->str, joined->len) ? " " : " | ");
        g_string_append_len(joined, line->text, (gssize) line->len);
    }
    if (first == n || joined->len > 1000)
        return;
    /* A leading empty line is the margin before the row. */
    size_t keep = start;
    if (body->lines[start].len == 0 && start != first)
        keep = start + 1;
    Line line = body->lines[first];
    for (size_t i = keep; i < n; i++) {
        if (i != first)
            g_free(body->lines[i].text);
    }
    g_free(line.text);
    line.len = joined->len;
    line.text = g_strndup(joined->str, joined->len);
    body->lines[keep] = line;
    body->n_lines = keep + 1;
    for (size_t i = body->n_links; i-- > 0 && body->links[i].line >= keep;)
        body->links[i].line = keep;
}

static void
end_cell(Builder *b, const Frame *cell)
{
    if (b->row == 0)
        return;
    Frame *row = &b->frames[b->row];
    size_t lines = 0;
    for (size_t i = cell->cell_start; i < b->body->n_lines && lines < 2; i++) {
        const Line *line = &b->body->lines[i];
        lines += line->len > 0 && (line->flags & LINE_IMAGE_ALT) == 0;
    }
    row->row_cells += lines > 0;
    row->row_multi = row->row_multi || lines > 1;
}

/* --- elements ---------------------------------------------------------------------------------------- */

static const char *
attribute(const xmlChar **attributes, const char *name)
{
    if (attributes == NULL)
        return NULL;
    for (size_t i = 0; attributes[i] != NULL; i += 2) {
        if (strcmp((const char *) attributes[i], name) == 0)
            return attributes[i + 1] != NULL ? (const char *) attributes[i + 1]
                                             : "";
    }
    return NULL;
}

static bool
is_quotation(const char *class, const char *type, const Style *style,
             const char *cite)
{
    if (type != NULL && g_ascii_strcasecmp(type, "cite") == 0)
        return true;
    if (cite != NULL || class != NULL)
        return true;
    return !style->border_none;
}

static void
on_start(void *data, const xmlChar *name, const xmlChar **attributes)
{
    Builder *b = data;
    if (b->depth >= HTML_MAX_DEPTH) {
        b->body->truncated = true;
        xmlStopParser(b->parser);
        return;
    }
    unsigned element = element_flags((const char *) name);
    const Frame *parent = &b->frames[b->depth];
    Frame frame = { .element = element, .size = parent->size };
    Style style = { 0 };
    const char *class = NULL;

    if (attributes != NULL) {
        const char *text = attribute(attributes, "style");
        if (text != NULL)
            style_parse(&style, text, parent->size);
        class = attribute(attributes, "class");
        const char *id = attribute(attributes, "id");
        if (class != NULL)
            frame.marks |= marks_of_names(class);
        if (id != NULL)
            frame.marks |= marks_of_names(id);
        const char *name_attribute = attribute(attributes, "name");
        if (name_attribute != NULL) {
            if (strcmp(name_attribute, "quote") == 0)
                frame.marks |= LINE_QUOTE_ELEMENT; /* GMX, web.de */
            else if ((element & EL_LINK) == 0)
                frame.marks |= marks_of_names(name_attribute);
        }
        const char *smartmail = attribute(attributes, "data-smartmail");
        if (smartmail != NULL && strcmp(smartmail, "gmail_signature") == 0)
            frame.marks |= LINE_SIGNATURE_ELEMENT;
        const char *marker = attribute(attributes, "data-marker");
        if (marker != NULL && (strcmp(marker, "__QUOTED_TEXT__") == 0 ||
                               strcmp(marker, "__HEADERS__") == 0))
            frame.marks |= LINE_QUOTE_ELEMENT; /* Zimbra */
        if (attribute(attributes, "hidden") != NULL)
            style.hidden = true;
        if (class != NULL && slice_has(class, strlen(class), "preheader"))
            style.hidden = true;
    }
    if (strcmp((const char *) name, "includetail") == 0)
        frame.marks |= LINE_QUOTE_ELEMENT; /* QQ mail */

    if ((element & EL_QUOTE) != 0) {
        const char *type = attribute(attributes, "type");
        const char *cite = attribute(attributes, "cite");
        frame.marks &= ~(unsigned) MARK_CONTAINER;
        frame.marks |= is_quotation(class, type, &style, cite)
                           ? (unsigned) LINE_QUOTE_ELEMENT
                           : (unsigned) MARK_INDENT;
    }
    if ((element & EL_BOLD) != 0 || style.bold)
        frame.marks |= LINE_BOLD;
    if ((element & EL_TABLE) != 0)
        frame.marks |= LINE_TABLE;
    if ((element & EL_ITEM) != 0)
        frame.marks |= LINE_LIST_ITEM;
    if (style.grey)
        frame.marks |= LINE_GREY;
    if (style.size > 0)
        frame.size = style.size;
    if ((element & EL_SMALL) != 0)
        frame.size *= 0.83f;
    if ((element & EL_FONT) != 0) {
        const char *size = attribute(attributes, "size");
        if (size != NULL && (*size == '1' || *size == '2'))
            frame.size = *size == '1' ? 7.5f : 10;
        else if (size != NULL && *size == '-')
            frame.size *= 0.83f;
        const char *color = attribute(attributes, "color");
        if (color != NULL && is_grey(color, strlen(color)))
            frame.marks |= LINE_GREY;
    }
    frame.hidden = (element & EL_SKIP) != 0 || style.hidden;

    if ((element & (EL_BLOCK | EL_RULE)) != 0) {
        if (b->hidden == 0)
            break_line(b, false);
        bool margin = (element & EL_MARGIN) != 0;
        if ((element & EL_PARAGRAPH) != 0)
            margin = !b->no_margin && !style.no_margin &&
                     !(class != NULL && slice_has(class, strlen(class), "mso"));
        if (margin && !frame.hidden) {
            b->want_blank = true;
            frame.blank_after = true;
        }
    }
    if ((element & EL_RULE) != 0 && b->hidden == 0)
        b->want_rule = true;
    if (style.outlook_border)
        b->once |= MARK_BORDER;
    if ((frame.marks & MARK_REST) != 0) {
        b->once |= MARK_REST;
        frame.marks &= ~(unsigned) MARK_REST;
    }
    if ((element & EL_BREAK) != 0 && b->hidden == 0)
        break_line(b, true);
    if ((element & EL_IMAGE) != 0)
        add_image(b, attribute(attributes, "alt"),
                  attribute(attributes, "width"),
                  attribute(attributes, "height"));
    if ((element & EL_LINK) != 0 && b->hidden == 0) {
        const char *href = attribute(attributes, "href");
        end_link(b);
        if (href != NULL && *href != 0 && strlen(href) < 4096) {
            b->href = g_strdup(href);
            b->link_line = b->body->n_lines;
        }
    }
    if ((element & EL_ROW) != 0) {
        frame.row_start = b->body->n_lines;
        frame.outer_row = b->row;
    }
    frame.cell_start = b->body->n_lines;

    count_marks(b, frame.marks, 1);
    b->hidden += frame.hidden;
    b->pre += (element & EL_PRE) != 0;
    b->style += (element & EL_STYLE) != 0;
    b->quotes += (frame.marks & LINE_QUOTE_ELEMENT) != 0;
    b->frames[++b->depth] = frame;
    if ((element & EL_ROW) != 0)
        b->row = b->depth;
}

static void
on_end(void *data, const xmlChar *name)
{
    (void) name; /* libxml2 closes what was left open: ends pair with starts */
    Builder *b = data;
    if (b->depth == 0)
        return;
    const Frame *frame = &b->frames[b->depth];
    unsigned element = frame->element;
    if ((element & EL_BLOCK) != 0 && b->hidden == 0)
        break_line(b, false);
    if ((element & EL_LINK) != 0)
        end_link(b);
    if ((element & EL_CELL) != 0)
        end_cell(b, frame);
    if ((element & EL_ROW) != 0) {
        join_row(b, frame);
        b->row = frame->outer_row;
    }
    if (frame->blank_after)
        b->want_blank = true;
    count_marks(b, frame->marks, -1);
    b->hidden -= frame->hidden;
    b->pre -= (element & EL_PRE) != 0;
    b->style -= (element & EL_STYLE) != 0;
    b->quotes -= (frame->marks & LINE_QUOTE_ELEMENT) != 0;
    b->depth--;
}

void
html_to_lines(Body *body, const char *html, size_t len)
{
    if (len > HTML_MAX_BYTES) {
        len = HTML_MAX_BYTES;
        body->truncated = true;
    }
    if (len == 0)
        return;
    htmlParserCtxtPtr parser = htmlCreateMemoryParserCtxt(html, (int) len);
    if (parser == NULL)
        return;
    Builder *b = g_new0(Builder, 1);
    b->body = body;
    b->parser = parser;
    b->first_line = body->n_lines;
    b->line = g_string_sized_new(256);
    b->alt = g_string_new(NULL);
    b->link_text = g_string_new(NULL);
    b->frames[0].size = 12;

    xmlSAXHandler handler = { 0 };
    handler.startElement = on_start;
    handler.endElement = on_end;
    handler.characters = on_characters;
    handler.ignorableWhitespace = on_characters;
    handler.cdataBlock = on_characters;
    *parser->sax = handler;
    parser->userData = b;
    (void) htmlCtxtUseOptions(
        parser, HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING |
                    HTML_PARSE_NONET | HTML_PARSE_IGNORE_ENC);
    (void) xmlSwitchEncoding(parser, XML_CHAR_ENCODING_UTF8);
    (void) htmlParseDocument(parser);
    break_line(b, false);
    end_link(b);
    htmlFreeParserCtxt(parser);
    g_string_free(b->line, TRUE);
    g_string_free(b->alt, TRUE);
    g_string_free(b->link_text, TRUE);
    g_free(b);
}
