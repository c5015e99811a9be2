/*
 * body.c - a message's text as lines
 *
 * A message may have its text in several pieces: Apple Mail puts pictures
 * between them, list programs append a footer. All inline text parts count, in
 * document order; of alternatives one kind is taken: text/plain, because its
 * lines and quote marks are the author's program's own, unless it is empty, a
 * stand-in, or has lost its line ends.
 */
#include "message/body.h"
#include "message/html.h"
#include "message/reply.h"

#include <string.h>

/* --- lines ------------------------------------------------------------------- */

/* Bytes of white space at p, no-break space and zero width included. */
static size_t
space_at(const char *p, size_t len)
{
    unsigned char c = (unsigned char) p[0];
    if (c == ' ' || (c >= 9 && c <= 13))
        return 1;
    if (len >= 2 && c == 0xc2 && (unsigned char) p[1] == 0xa0)
        return 2;
    if (len >= 3 && memcmp(p, "\xe3\x80\x80", 3) == 0) /* ideographic */
        return 3;
    if (len >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0) /* zero width */
        return 3;
    if (len >= 3 && memcmp(p, "\xe2\x80\x8b", 3) == 0)
        return 3;
    return 0;
}

static void
trim(const char **text, size_t *len)
{
    const char *p = *text;
    size_t n = *len, k;
    while (n > 0 && (k = space_at(p, n)) > 0) {
        p += k;
        n -= k;
    }
    while (n > 0) {
        if (space_at(p + n - 1, 1) == 1)
            n -= 1;
        else if (n >= 2 && space_at(p + n - 2, 2) == 2)
            n -= 2;
        else if (n >= 3 && space_at(p + n - 3, 3) == 3)
            n -= 3;
        else
            break;
    }
    *text = p;
    *len = n;
}

Line *
body_add_line(Body *body, const char *text, size_t len)
{
    if (body->n_lines >= BODY_MAX_LINES) {
        body->truncated = true;
        return NULL;
    }
    /* Room doubles at each power of two. */
    size_t n = body->n_lines;
    if (n == 0 || (n >= 32 && (n & (n - 1)) == 0))
        body->lines = g_renew(Line, body->lines, n == 0 ? 32 : 2 * n);
    trim(&text, &len);
    Line *line = &body->lines[body->n_lines++];
    *line = (Line){
        .text = g_string_chunk_insert_len(body->strings, text, (gssize) len),
        .len = len,
    };
    return line;
}

void
body_add_link(Body *body, const char *href, const char *text, size_t line)
{
    size_t n = body->n_links;
    if (n >= BODY_MAX_LINKS)
        return;
    if (n == 0 || (n >= 8 && (n & (n - 1)) == 0))
        body->links = g_renew(Link, body->links, n == 0 ? 8 : 2 * n);
    body->links[body->n_links++] =
        (Link){ g_strdup(href), g_strdup(text), line };
}

/* Cuts the quote marks off a line: ">", "> >", ">>", also with up to three
 * blanks before the first. */
static unsigned
take_quote_marks(const char **text, size_t *len)
{
    const char *p = *text, *end = p + *len, *rest = p;
    unsigned depth = 0;
    for (;;) {
        const char *q = p;
        while (q < end && q - p < 4 && (*q == ' ' || *q == '\t'))
            q++;
        if (q >= end || *q != '>')
            break;
        depth++;
        rest = p = q + 1;
    }
    *text = rest;
    *len = (size_t) (end - rest);
    return depth;
}

static bool
is_drawn_rule(const Line *line)
{
    if (line->len < 3)
        return false;
    const char *p = line->text, *end = p + line->len;
    while (p < end) {
        if (strchr("-_=*~#+ ", *p) != NULL) {
            p++;
            continue;
        }
        /* box drawing and dashes: U+2010-2015, U+2500-257F */
        unsigned char c[3] = { (unsigned char) p[0], 0, 0 };
        if (end - p >= 3) {
            c[1] = (unsigned char) p[1];
            c[2] = (unsigned char) p[2];
        }
        if (c[0] == 0xe2 && ((c[1] == 0x80 && c[2] >= 0x90 && c[2] <= 0x95) ||
                             c[1] == 0x94 || c[1] == 0x95)) {
            p += 3;
            continue;
        }
        return false;
    }
    return true;
}

/* LINE_PARAGRAPH and LINE_AFTER_RULE, as far as the lines themselves tell. */
static void
mark_shapes(Body *body)
{
    bool blank = true, rule = false;
    for (size_t i = 0; i < body->n_lines; i++) {
        Line *line = &body->lines[i];
        if (line->len == 0) {
            blank = true;
            continue;
        }
        if (blank)
            line->flags |= LINE_PARAGRAPH;
        if (rule)
            line->flags |= LINE_AFTER_RULE;
        blank = false;
        rule = is_drawn_rule(line);
    }
}

static void
add_plain(Body *body, const char *text, size_t len)
{
    const char *p = text, *end = text + len;
    while (p < end) {
        const char *nl = memchr(p, '\n', (size_t) (end - p));
        const char *s = p;
        size_t n = (size_t) ((nl != NULL ? nl : end) - p);
        unsigned depth = take_quote_marks(&s, &n);
        Line *line = body_add_line(body, s, n);
        if (line == NULL)
            return;
        if (depth > 0)
            line->flags |= LINE_QUOTE_MARK;
        line->quote_depth = depth;
        if (nl == NULL)
            break;
        p = nl + 1;
    }
}

enum { STRINGS_CHUNK = 4000 };

static Body *
body_empty(void)
{
    Body *body = g_new0(Body, 1);
    body->strings = g_string_chunk_new(STRINGS_CHUNK);
    return body;
}

Body *
body_from_plain(const char *text, size_t len)
{
    Body *body = body_empty();
    add_plain(body, text, len);
    mark_shapes(body);
    reply_split(body, NULL);
    return body;
}

Body *
body_from_html(const char *html, size_t len)
{
    Body *body = body_empty();
    body->from_html = true;
    html_to_lines(body, html, len);
    mark_shapes(body);
    reply_split(body, NULL);
    return body;
}

/* --- which part? --------------------------------------------------------------- */

/* Text parts that only say that the real text is elsewhere. */
static const char *const stand_ins[] = {
    "in html format",
    "html format",
    "message is in html",
    "view this email in",
    "view this message in",
    "html-format",
    "does not support html",
    "not support html",
    "cannot display html",
    "can not display html",
    "html compatible",
    "html-compatible",
    "html e-mail",
    "html email",
    "html mail",
    "html message",
    "au format html",
    "formato html",
    "im html-format",
    "html capable",
    "html-capable",
    "<html",
    "<!doctype",
};

enum { STAND_IN_MAX = 400 };

static bool
is_stand_in(const Part *part)
{
    const char *p = part->text;
    size_t n = part->len, letters = 0;
    trim(&p, &n);
    for (size_t i = 0; i < n && letters < STAND_IN_MAX; i++)
        letters += g_ascii_isalnum(p[i]) || (p[i] & 0x80) != 0;
    if (letters == 0)
        return true;
    if (letters >= STAND_IN_MAX)
        return false;
    g_autofree char *lower = g_ascii_strdown(p, (gssize) MIN(n, 1000));
    for (size_t i = 0; i < G_N_ELEMENTS(stand_ins); i++) {
        if (strstr(lower, stand_ins[i]) != NULL)
            return true;
    }
    return false;
}

/* A plain part all on one line beside an HTML part with many: mangled. */
static bool
lost_its_lines(const Part *plain, const Part *html)
{
    size_t newlines = 0, breaks = 0;
    for (const char *p = plain->text; (p = strchr(p, '\n')) != NULL; p++)
        newlines++;
    if (newlines > 2 || plain->len < 200)
        return false;
    for (const char *p = html->text; (p = strchr(p, '<')) != NULL; p++) {
        if (g_ascii_strncasecmp(p, "<br", 3) == 0 ||
            g_ascii_strncasecmp(p, "<p", 2) == 0 ||
            g_ascii_strncasecmp(p, "<div", 4) == 0)
            breaks++;
    }
    return breaks >= 5;
}

static bool
is_inline_text(const Part *part)
{
    return (part->kind == PART_PLAIN || part->kind == PART_HTML) &&
           !part->attachment && part->enclosing < 0 && part->text != NULL;
}

static Body *
body_of(const Message *message, PartKind prefer, bool only)
{
    Body *body = body_empty();
    bool have[2] = { false, false };
    for (size_t i = 0; i < message->n_parts; i++) {
        const Part *part = &message->parts[i];
        if (is_inline_text(part) && part->alternative)
            have[part->kind == PART_HTML] = true;
    }
    PartKind other = prefer == PART_HTML ? PART_PLAIN : PART_HTML;
    PartKind take = have[prefer == PART_HTML] || only ? prefer : other;
    bool first = true;
    for (size_t i = 0; i < message->n_parts; i++) {
        const Part *part = &message->parts[i];
        if (!is_inline_text(part))
            continue;
        if (part->alternative ? part->kind != take
                              : only && part->kind != prefer)
            continue;
        if (!first && part->filename != NULL)
            continue; /* a text file shown inline is no text of the author's */
        if (!first && body->n_lines > 0)
            (void) body_add_line(body, "", 0);
        first = false;
        if (part->kind == PART_HTML) {
            body->from_html = true;
            html_to_lines(body, part->text, part->len);
        } else {
            add_plain(body, part->text, part->len);
        }
    }
    mark_shapes(body);
    reply_split(body, message->subject);
    return body;
}

Body *
body_new(const Message *message)
{
    const Part *plain = message_text_part(message, PART_PLAIN);
    const Part *html = message_text_part(message, PART_HTML);
    PartKind prefer = PART_PLAIN;
    if (html != NULL &&
        (plain == NULL || is_stand_in(plain) || lost_its_lines(plain, html)))
        prefer = PART_HTML;
    return body_of(message, prefer, false);
}

Body *
body_new_html(const Message *message)
{
    bool any = false;
    for (size_t i = 0; i < message->n_parts && !any; i++)
        any = is_inline_text(&message->parts[i]) &&
              message->parts[i].kind == PART_HTML;
    return any ? body_of(message, PART_HTML, true) : NULL;
}

void
body_free(Body *body)
{
    if (body == NULL)
        return;
    for (size_t i = 0; i < body->n_links; i++) {
        g_free(body->links[i].href);
        g_free(body->links[i].text);
    }
    g_string_chunk_free(body->strings);
    g_free(body->lines);
    g_free(body->links);
    g_free(body);
}

char *
body_zone_text(const Body *body, Zone zone, size_t max)
{
    GString *out = g_string_new(NULL);
    for (size_t i = 0; i < body->n_lines && out->len < max; i++) {
        if (body->lines[i].zone != zone)
            continue;
        if (out->len > 0)
            g_string_append_c(out, '\n');
        g_string_append_len(out, body->lines[i].text,
                            (gssize) body->lines[i].len);
    }
    return g_string_free(out, FALSE);
}
