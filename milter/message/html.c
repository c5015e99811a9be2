/*
 * html.c - HTML to lines
 *
 * html_scan.c hands over the tags; no tree is built, so that memory and stack stay
 * small whatever the markup nests. A stack of frames, one for each open
 * element, counts what is in force: hidden, bold, inside a table, a signature,
 * a quotation. A line takes its flags from the frames that are open when its
 * first character comes.
 *
 * End tags that are missing or astray are mended as browsers mostly do: a
 * block closes an open <p>, <td> and <tr> close their like, an end tag closes
 * what it names and what is open inside, but an inline one nothing beyond the
 * block that it stands in, and none reaches out of its table cell.
 *
 * Lines are what a reader sees: blocks and <br> end a line, a paragraph with
 * margins has an empty line before it, cells of one row stand on one line when
 * each holds one line, and on lines of their own otherwise.
 */
#include "message/html.h"
#include "message/html_scan.h"
#include "message/html_style.h"

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
    EL_VOID = 1 << 17,
    EL_LIST = 1 << 18,
};

typedef struct {
    const char *name;
    unsigned flags;
} Element;

static const Element elements[] = {
    { "a", EL_LINK },
    { "address", EL_BLOCK },
    { "area", EL_VOID },
    { "article", EL_BLOCK },
    { "aside", EL_BLOCK },
    { "b", EL_BOLD },
    { "base", EL_VOID },
    { "basefont", EL_VOID },
    { "blockquote", EL_BLOCK | EL_MARGIN | EL_QUOTE },
    { "body", EL_BLOCK },
    { "br", EL_BREAK | EL_VOID },
    { "caption", EL_BLOCK },
    { "center", EL_BLOCK },
    { "col", EL_VOID },
    { "dd", EL_BLOCK },
    { "div", EL_BLOCK },
    { "dl", EL_BLOCK | EL_MARGIN },
    { "dt", EL_BLOCK },
    { "embed", EL_VOID },
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
    { "hr", EL_BLOCK | EL_RULE | EL_VOID },
    { "html", EL_BLOCK },
    { "img", EL_IMAGE | EL_VOID },
    { "input", EL_VOID },
    { "li", EL_BLOCK | EL_ITEM },
    { "link", EL_VOID },
    { "main", EL_BLOCK },
    { "meta", EL_VOID },
    { "noscript", EL_SKIP },
    { "object", EL_SKIP },
    { "ol", EL_BLOCK | EL_LIST },
    { "option", EL_SKIP },
    { "p", EL_BLOCK | EL_PARAGRAPH },
    { "param", EL_VOID },
    { "pre", EL_BLOCK | EL_MARGIN | EL_PRE },
    { "script", EL_SKIP },
    { "section", EL_BLOCK },
    { "select", EL_SKIP },
    { "small", EL_SMALL },
    { "source", EL_VOID },
    { "strong", EL_BOLD },
    { "style", EL_SKIP },
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
    { "track", EL_VOID },
    { "ul", EL_BLOCK | EL_LIST },
    { "wbr", EL_VOID },
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

/* --- state -------------------------------------------------------------------------- */

typedef struct {
    char name[HTML_SCAN_NAME];
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

enum { LINK_MAX = 4096, DEFAULT_SIZE = 12 /* points */ };

enum { COUNTED = 24 }; /* bits of marks that are counted */

typedef struct {
    Body *body;
    size_t depth;             /* frames in use; frames[0] is the ground */
    bool full;                /* no more lines, or too deep: stop */
    unsigned counts[COUNTED]; /* open elements for each bit of marks */
    unsigned marks;           /* bits whose count is not 0 */
    unsigned hidden;          /* open elements whose text is not shown */
    unsigned pre;             /* open <pre> */
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
    Frame frames[HTML_MAX_DEPTH + 2]; /* last: left as it comes */
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
        b->full = true;
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
on_sheet(void *data, const char *text, size_t len)
{
    Builder *b = data;
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
        if (html_slice_has(text + j, n, "margin-top:0") ||
            html_slice_has(text + j, n, "margin-top: 0") ||
            html_slice_has(text + j, n, "margin:0") ||
            html_slice_has(text + j, n, "margin: 0"))
            b->no_margin = true;
        i = j + n;
    }
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
    if (b->alt->len >= 2000)
        return;
    size_t before = b->alt->len;
    if (before > 0)
        g_string_append_c(b->alt, ' ');
    g_string_append_len(b->alt, alt, (gssize) n);
    for (size_t i = before; i < b->alt->len; i++) {
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
                            is_label(joined->str, joined->len) ? " " : "  ");
        g_string_append_len(joined, line->text, (gssize) line->len);
    }
    if (first == n || joined->len > 1000)
        return;
    /* A leading empty line is the margin before the row. */
    size_t keep = start;
    if (body->lines[start].len == 0 && start != first)
        keep = start + 1;
    Line line = body->lines[first];
    line.len = joined->len;
    line.text = g_string_chunk_insert_len(body->strings, joined->str,
                                          (gssize) joined->len);
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

/* --- elements ---------------------------------------------------------------- */

static bool
is_quotation(const HtmlTag *tag, const HtmlStyle *style)
{
    const char *type = tag->attributes[ATTRIBUTE_TYPE];
    if (type != NULL && g_ascii_strcasecmp(type, "cite") == 0)
        return true;
    if (tag->attributes[ATTRIBUTE_CITE] != NULL ||
        tag->attributes[ATTRIBUTE_CLASS] != NULL)
        return true;
    return !style->border_none;
}

static void
pop(Builder *b)
{
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
    if (frame->marks != 0)
        count_marks(b, frame->marks, -1);
    b->hidden -= frame->hidden;
    b->pre -= (element & EL_PRE) != 0;
    b->quotes -= (frame->marks & LINE_QUOTE_ELEMENT) != 0;
    b->depth--;
}

/* Closes the innermost element of one of the kinds in `close`, with all that
 * is open in it, unless one of the kinds in `wall` is met first. */
static void
close_kind(Builder *b, unsigned close, unsigned wall)
{
    for (size_t i = b->depth; i > 0; i--) {
        if ((b->frames[i].element & close) != 0) {
            while (b->depth >= i)
                pop(b);
            return;
        }
        if ((b->frames[i].element & wall) != 0)
            return;
    }
}

/* What the start of `element` closes by itself. */
static void
close_implied(Builder *b, unsigned element)
{
    if ((element & EL_CELL) != 0) {
        close_kind(b, EL_CELL, EL_ROW | EL_TABLE);
    } else if ((element & EL_ROW) != 0) {
        close_kind(b, EL_ROW, EL_TABLE);
    } else if ((element & EL_ITEM) != 0) {
        close_kind(b, EL_ITEM, EL_LIST | EL_CELL | EL_TABLE);
    } else if ((element & EL_BLOCK) != 0) {
        /* only a <p> with nothing but inline elements in it */
        close_kind(b, EL_PARAGRAPH, EL_BLOCK);
    }
}

/* What the tag's attributes say of the frame. */
static HtmlStyle
read_attributes(const HtmlTag *tag, unsigned element, const Frame *parent,
                Frame *frame)
{
    HtmlStyle style = { .size = 0 };
    const char *const *a = tag->attributes;
    if (a[ATTRIBUTE_STYLE] != NULL)
        html_style_parse(&style, a[ATTRIBUTE_STYLE], parent->size);
    if (a[ATTRIBUTE_CLASS] != NULL) {
        const char *class = a[ATTRIBUTE_CLASS];
        frame->marks |= html_marks_of_names(class);
        if (html_slice_has(class, strlen(class), "preheader"))
            style.hidden = true;
        if (html_slice_has(class, strlen(class), "mso"))
            style.no_margin = true;
    }
    if (a[ATTRIBUTE_ID] != NULL)
        frame->marks |= html_marks_of_names(a[ATTRIBUTE_ID]);
    if (a[ATTRIBUTE_NAME] != NULL) {
        if (strcmp(a[ATTRIBUTE_NAME], "quote") == 0)
            frame->marks |= LINE_QUOTE_ELEMENT; /* GMX, web.de */
        else if ((element & EL_LINK) == 0)
            frame->marks |= html_marks_of_names(a[ATTRIBUTE_NAME]);
    }
    if (a[ATTRIBUTE_SMARTMAIL] != NULL &&
        strcmp(a[ATTRIBUTE_SMARTMAIL], "gmail_signature") == 0)
        frame->marks |= LINE_SIGNATURE_ELEMENT;
    if (a[ATTRIBUTE_MARKER] != NULL &&
        (strcmp(a[ATTRIBUTE_MARKER], "__QUOTED_TEXT__") == 0 ||
         strcmp(a[ATTRIBUTE_MARKER], "__HEADERS__") == 0))
        frame->marks |= LINE_QUOTE_ELEMENT; /* Zimbra */
    if (a[ATTRIBUTE_HIDDEN] != NULL)
        style.hidden = true;
    if (style.grey)
        frame->marks |= LINE_GREY;
    if (style.bold)
        frame->marks |= LINE_BOLD;
    if (style.size > 0)
        frame->size = style.size;
    if ((element & EL_FONT) != 0) {
        const char *size = a[ATTRIBUTE_SIZE], *color = a[ATTRIBUTE_COLOR];
        if (size != NULL && (*size == '1' || *size == '2'))
            frame->size = *size == '1' ? 7.5f : 10;
        else if (size != NULL && *size == '-')
            frame->size *= 0.83f;
        if (color != NULL && html_is_grey(color, strlen(color)))
            frame->marks |= LINE_GREY;
    }
    return style;
}

/* A block begins: the line before it ends, its margin is remembered. */
static void
begin_block(Builder *b, Frame *frame, const HtmlStyle *style)
{
    if (b->hidden == 0)
        break_line(b, false);
    bool margin = (frame->element & EL_MARGIN) != 0;
    if ((frame->element & EL_PARAGRAPH) != 0)
        margin = !b->no_margin && !style->no_margin;
    if ((frame->element & EL_LIST) != 0)
        margin = (b->marks & LINE_LIST_ITEM) == 0 && !style->no_margin;
    if (margin && !frame->hidden) {
        b->want_blank = true;
        frame->blank_after = true;
    }
    if ((frame->element & EL_RULE) != 0 && b->hidden == 0)
        b->want_rule = true;
}

static void
begin_link(Builder *b, const char *href)
{
    end_link(b);
    if (href != NULL && *href != 0 && strlen(href) < LINK_MAX) {
        b->href = g_strdup(href);
        b->link_line = b->body->n_lines;
    }
}

static bool
on_start(void *data, const HtmlTag *tag)
{
    Builder *b = data;
    unsigned element = element_flags(tag->name);
    /* A <head> that was not closed ends where something to see begins. */
    if (b->hidden > 0 && strcmp(b->frames[b->depth].name, "head") == 0 &&
        (element & (EL_BLOCK | EL_LINK | EL_IMAGE | EL_FONT | EL_BOLD)) != 0)
        pop(b);
    if ((element & EL_BLOCK) != 0)
        close_implied(b, element);
    if (b->depth >= HTML_MAX_DEPTH) {
        b->body->truncated = true;
        return false;
    }
    const Frame *parent = &b->frames[b->depth];
    Frame frame = { .element = element, .size = parent->size };
    HtmlStyle style = { .size = 0 };
    if (tag->any)
        style = read_attributes(tag, element, parent, &frame);
    if (strcmp(tag->name, "includetail") == 0)
        frame.marks |= LINE_QUOTE_ELEMENT; /* QQ mail */
    if ((element & EL_QUOTE) != 0) {
        frame.marks &= ~(unsigned) MARK_CONTAINER;
        frame.marks |= is_quotation(tag, &style) ? (unsigned) LINE_QUOTE_ELEMENT
                                                 : (unsigned) MARK_INDENT;
    }
    if ((element & EL_BOLD) != 0)
        frame.marks |= LINE_BOLD;
    if ((element & EL_TABLE) != 0)
        frame.marks |= LINE_TABLE;
    if ((element & EL_ITEM) != 0)
        frame.marks |= LINE_LIST_ITEM;
    if ((element & EL_SMALL) != 0)
        frame.size *= 0.83f;
    frame.hidden = (element & EL_SKIP) != 0 || style.hidden;

    if ((element & EL_BLOCK) != 0)
        begin_block(b, &frame, &style);
    if (style.outlook_border)
        b->once |= MARK_BORDER;
    if ((frame.marks & MARK_REST) != 0) {
        b->once |= MARK_REST;
        frame.marks &= ~(unsigned) MARK_REST;
    }
    if (b->hidden == 0) {
        if ((element & EL_BREAK) != 0)
            break_line(b, true);
        if ((element & EL_IMAGE) != 0 && !frame.hidden)
            add_image(b, tag->attributes[ATTRIBUTE_ALT],
                      tag->attributes[ATTRIBUTE_WIDTH],
                      tag->attributes[ATTRIBUTE_HEIGHT]);
        if ((element & EL_LINK) != 0)
            begin_link(b, tag->attributes[ATTRIBUTE_HREF]);
    }
    if ((element & EL_VOID) != 0)
        return !b->full;

    memcpy(frame.name, tag->name, sizeof(frame.name));
    if ((element & EL_ROW) != 0) {
        frame.row_start = b->body->n_lines;
        frame.outer_row = b->row;
    }
    frame.cell_start = b->body->n_lines;
    if (frame.marks != 0)
        count_marks(b, frame.marks, 1);
    b->hidden += frame.hidden;
    b->pre += (element & EL_PRE) != 0;
    b->quotes += (frame.marks & LINE_QUOTE_ELEMENT) != 0;
    b->frames[++b->depth] = frame;
    if ((element & EL_ROW) != 0)
        b->row = b->depth;
    return !b->full;
}

static bool
on_end(void *data, const char *name)
{
    Builder *b = data;
    unsigned element = element_flags(name);
    if ((element & EL_BREAK) != 0 && b->hidden == 0)
        break_line(b, true); /* </br> is read as <br> */
    unsigned wall = EL_CELL | EL_TABLE;
    if ((element & (EL_CELL | EL_ROW)) != 0)
        wall = EL_TABLE;
    else if ((element & EL_TABLE) != 0 || strcmp(name, "body") == 0 ||
             strcmp(name, "html") == 0)
        wall = 0;
    else if ((element & EL_BLOCK) == 0)
        wall = EL_BLOCK;
    for (size_t i = b->depth; i > 0; i--) {
        if (strcmp(b->frames[i].name, name) == 0) {
            while (b->depth >= i)
                pop(b);
            break;
        }
        if ((b->frames[i].element & wall) != 0)
            break;
    }
    return !b->full;
}

static bool
on_text(void *data, const char *text, size_t len)
{
    Builder *b = data;
    if (b->hidden == 0)
        add_text(b, text, len);
    return !b->full;
}

void
html_to_lines(Body *body, const char *html, size_t len)
{
    static const HtmlHandlers handlers = { on_start, on_end, on_text,
                                           on_sheet };
    if (len > HTML_MAX_BYTES) {
        len = HTML_MAX_BYTES;
        body->truncated = true;
    }
    Builder builder;
    memset(&builder, 0, offsetof(Builder, frames));
    Builder *b = &builder;
    b->body = body;
    b->first_line = body->n_lines;
    b->line = g_string_sized_new(256);
    b->alt = g_string_new(NULL);
    b->link_text = g_string_new(NULL);
    b->frames[0] = (Frame){ .size = DEFAULT_SIZE };

    if (!html_scan(html, len, &handlers, b))
        body->truncated = true;
    while (b->depth > 0)
        pop(b);
    break_line(b, false);
    end_link(b);
    g_string_free(b->line, TRUE);
    g_string_free(b->alt, TRUE);
    g_string_free(b->link_text, TRUE);
}
