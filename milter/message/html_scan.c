/*
 * html_scan.c - the tokens of HTML as browsers cut them
 *
 * libxml2's parser took two thirds of the time that a mail's HTML cost (of
 * some 160,000 instructions for a mail of 2.5 kB, 110,000), and an end tag
 * walks its whole stack of open elements. Mail needs no tree, so the tokens
 * are cut here, after the rules of the HTML standard's tokenizer: what is no
 * tag is text, a comment ends at "-->", <script> and <style> at their end
 * tags. libxml2 still knows the entities.
 *
 * The position only moves forward. Searches that may fail for the rest of the
 * input (a closing quote, "-->") remember that they failed, so that damage
 * repeated a thousand times does not search a thousand times.
 */
#include "message/html_scan.h"

#include <libxml/HTMLparser.h>
#include <string.h>

typedef struct {
    const char *p, *end;
    const HtmlHandlers *handlers;
    void *data;
    GString *values;  /* attribute values of the tag at hand, NUL after each */
    bool no_quote[2]; /* no further " or ' from here on */
    bool no_comment_end;
} Scan;

/* --- entities ------------------------------------------------------------------ */

/* Windows-1252 in numeric references, as browsers read them. */
static const gunichar cp1252[32] = {
    0x20ac, 0xfffd, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021,
    0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0xfffd, 0x017d, 0xfffd,
    0xfffd, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
    0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0xfffd, 0x017e, 0x0178,
};

/* Reads the reference at p ("&"); bytes used, 0 when it is none. */
static size_t
reference_at(const char *p, const char *end, bool in_attribute, char out[8],
             size_t *out_len)
{
    const char *q = p + 1;
    gunichar u = 0;
    if (q < end && *q == '#') {
        q++;
        bool hex = q < end && (*q == 'x' || *q == 'X');
        if (hex)
            q++;
        const char *digits = q;
        while (q < end && (hex ? g_ascii_isxdigit(*q) : g_ascii_isdigit(*q))) {
            if (u < 0x200000)
                u = u * (hex ? 16 : 10) + (gunichar) g_ascii_xdigit_value(*q);
            q++;
        }
        if (q == digits)
            return 0;
        if (u >= 0x80 && u < 0xa0)
            u = cp1252[u - 0x80];
        if (u == 0 || !g_unichar_validate(u))
            u = 0xfffd;
    } else {
        char name[16];
        size_t n = 0;
        while (q < end && n + 1 < sizeof(name) && g_ascii_isalnum(*q))
            name[n++] = *q++;
        name[n] = 0;
        if (n < 2)
            return 0;
        bool closed = q < end && *q == ';';
        if (!closed && in_attribute)
            return 0; /* "?a=1&copy=2" */
        const htmlEntityDesc *entity = NULL;
        if (strcmp(name, "nbsp") == 0)
            u = 0xa0;
        else if (strcmp(name, "amp") == 0)
            u = '&';
        else if (strcmp(name, "apos") == 0)
            u = '\'';
        else if ((entity = htmlEntityLookup((const xmlChar *) name)) != NULL)
            u = entity->value;
        else
            return 0;
    }
    if (q < end && *q == ';')
        q++;
    *out_len = (size_t) g_unichar_to_utf8(u, out);
    return (size_t) (q - p);
}

static bool
send_text(Scan *s, const char *p, const char *end)
{
    while (p < end) {
        const char *amp = memchr(p, '&', (size_t) (end - p));
        const char *stop = amp != NULL ? amp : end;
        if (stop > p && !s->handlers->text(s->data, p, (size_t) (stop - p)))
            return false;
        if (amp == NULL)
            break;
        char utf8[8];
        size_t n = 0, used = reference_at(amp, end, false, utf8, &n);
        if (used == 0) {
            utf8[0] = '&';
            n = used = 1;
        }
        if (!s->handlers->text(s->data, utf8, n))
            return false;
        p = amp + used;
    }
    return true;
}

/* --- tags ------------------------------------------------------------------------- */

static bool
is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f';
}

static const struct {
    const char *name;
    HtmlAttribute attribute;
} known[] = {
    { "style", ATTRIBUTE_STYLE },
    { "class", ATTRIBUTE_CLASS },
    { "id", ATTRIBUTE_ID },
    { "name", ATTRIBUTE_NAME },
    { "href", ATTRIBUTE_HREF },
    { "alt", ATTRIBUTE_ALT },
    { "width", ATTRIBUTE_WIDTH },
    { "height", ATTRIBUTE_HEIGHT },
    { "type", ATTRIBUTE_TYPE },
    { "cite", ATTRIBUTE_CITE },
    { "hidden", ATTRIBUTE_HIDDEN },
    { "size", ATTRIBUTE_SIZE },
    { "color", ATTRIBUTE_COLOR },
    { "data-smartmail", ATTRIBUTE_SMARTMAIL },
    { "data-marker", ATTRIBUTE_MARKER },
};

static int
attribute_of(const char *name, size_t n)
{
    for (size_t i = 0; i < G_N_ELEMENTS(known); i++) {
        if ((known[i].name[0] | 0x20) == (name[0] | 0x20) &&
            g_ascii_strncasecmp(known[i].name, name, n) == 0 &&
            known[i].name[n] == 0)
            return (int) known[i].attribute;
    }
    return -1;
}

static void
add_value(Scan *s, const char *p, const char *end)
{
    while (p < end) {
        const char *amp = memchr(p, '&', (size_t) (end - p));
        const char *stop = amp != NULL ? amp : end;
        g_string_append_len(s->values, p, stop - p);
        if (amp == NULL)
            break;
        char utf8[8];
        size_t n = 0, used = reference_at(amp, end, true, utf8, &n);
        if (used == 0) {
            utf8[0] = '&';
            n = used = 1;
        }
        g_string_append_len(s->values, utf8, (gssize) n);
        p = amp + used;
    }
    g_string_append_c(s->values, 0);
}

/* The value behind '='; leaves s->p behind it. */
static void
scan_value(Scan *s, const char **out_p, const char **out_end)
{
    while (s->p < s->end && is_space(*s->p))
        s->p++;
    *out_p = *out_end = s->p;
    if (s->p >= s->end)
        return;
    char quote = *s->p;
    if (quote == '"' || quote == '\'') {
        bool *none = &s->no_quote[quote == '\''];
        const char *close = NULL;
        if (!*none)
            close = memchr(s->p + 1, quote, (size_t) (s->end - s->p - 1));
        if (close != NULL) {
            *out_p = s->p + 1;
            *out_end = close;
            s->p = close + 1;
            return;
        }
        *none = true;
        s->p++;
        *out_p = s->p;
    }
    while (s->p < s->end && !is_space(*s->p) && *s->p != '>')
        s->p++;
    *out_end = s->p;
}

/* The attributes up to '>'; s->p is left behind it. */
static void
scan_attributes(Scan *s, HtmlTag *tag)
{
    size_t offsets[N_ATTRIBUTES];
    g_string_truncate(s->values, 0);
    unsigned count = 0;
    while (s->p < s->end) {
        while (s->p < s->end && (is_space(*s->p) || *s->p == '/')) {
            tag->self_closed = *s->p == '/';
            s->p++;
        }
        if (s->p >= s->end)
            break;
        if (*s->p == '>') {
            s->p++;
            break;
        }
        tag->self_closed = false;
        const char *name = s->p;
        s->p++; /* even '=' may begin a name */
        while (s->p < s->end && !is_space(*s->p) && *s->p != '=' &&
               *s->p != '>' && *s->p != '/')
            s->p++;
        size_t n = (size_t) (s->p - name);
        while (s->p < s->end && is_space(*s->p))
            s->p++;
        const char *value = s->p, *value_end = s->p;
        if (s->p < s->end && *s->p == '=') {
            s->p++;
            scan_value(s, &value, &value_end);
        }
        int attribute = attribute_of(name, n);
        if (attribute < 0 || tag->attributes[attribute] != NULL ||
            ++count > HTML_SCAN_ATTRIBUTES)
            continue;
        offsets[attribute] = s->values->len;
        tag->attributes[attribute] = ""; /* for now: values may still move */
        tag->any = true;
        add_value(s, value, value_end);
    }
    if (!tag->any)
        return;
    for (size_t i = 0; i < N_ATTRIBUTES; i++) {
        if (tag->attributes[i] != NULL)
            tag->attributes[i] = s->values->str + offsets[i];
    }
}

/* Copies the tag name at s->p in lower case; s->p is left behind it. */
static void
scan_name(Scan *s, char name[HTML_SCAN_NAME])
{
    size_t n = 0;
    while (s->p < s->end && !is_space(*s->p) && *s->p != '>' && *s->p != '/') {
        if (n + 1 < HTML_SCAN_NAME)
            name[n++] = *s->p == 0 ? '?' : g_ascii_tolower(*s->p);
        s->p++;
    }
    name[n] = 0;
}

/* Elements whose content is not markup. */
static bool
is_raw(const char *name)
{
    static const char *const raw[] = {
        "style", "script", "textarea", "title",
        "xmp",   "iframe", "noembed",  "noframes"
    };
    for (size_t i = 0; i < G_N_ELEMENTS(raw); i++) {
        if (strcmp(raw[i], name) == 0)
            return true;
    }
    return false;
}

/* Where "</name" comes next; the end of input when it does not. */
static const char *
find_end_tag(const Scan *s, const char *name)
{
    size_t n = strlen(name);
    const char *p = s->p;
    while ((p = memchr(p, '<', (size_t) (s->end - p))) != NULL) {
        if ((size_t) (s->end - p) >= n + 2 && p[1] == '/' &&
            g_ascii_strncasecmp(p + 2, name, n) == 0)
            return p;
        p++;
    }
    return s->end;
}

static bool
scan_start_tag(Scan *s)
{
    HtmlTag tag = { .any = false };
    s->p++;
    scan_name(s, tag.name);
    scan_attributes(s, &tag);
    if (!is_raw(tag.name))
        return s->handlers->start(s->data, &tag);
    const char *stop = find_end_tag(s, tag.name);
    if (strcmp(tag.name, "style") == 0)
        s->handlers->sheet(s->data, s->p, (size_t) (stop - s->p));
    const char *close = memchr(stop, '>', (size_t) (s->end - stop));
    s->p = close != NULL ? close + 1 : s->end;
    return true;
}

static bool
scan_end_tag(Scan *s)
{
    char name[HTML_SCAN_NAME];
    s->p += 2;
    scan_name(s, name);
    const char *close = memchr(s->p, '>', (size_t) (s->end - s->p));
    s->p = close != NULL ? close + 1 : s->end;
    return s->handlers->end(s->data, name);
}

/* Comments, <!DOCTYPE>, <![if ...]>, <?xml ...?>. */
static void
skip_declaration(Scan *s)
{
    if (s->end - s->p >= 4 && memcmp(s->p, "<!--", 4) == 0) {
        const char *body = s->p + 4;
        if (body < s->end && *body == '>') { /* "<!-->" */
            s->p = body + 1;
            return;
        }
        const char *p = s->no_comment_end ? NULL : body;
        while (p != NULL &&
               (p = memchr(p, '>', (size_t) (s->end - p))) != NULL) {
            if (p - body >= 2 && p[-1] == '-' && p[-2] == '-') {
                s->p = p + 1;
                return;
            }
            p++;
        }
        s->no_comment_end = true; /* it ends at the next '>' then */
    }
    const char *close = memchr(s->p, '>', (size_t) (s->end - s->p));
    s->p = close != NULL ? close + 1 : s->end;
}

void
html_scan(const char *html, size_t len, const HtmlHandlers *handlers,
          void *data)
{
    g_autoptr(GString) values = g_string_sized_new(512);
    Scan scan = { .p = html,
                  .end = html + len,
                  .handlers = handlers,
                  .data = data,
                  .values = values };
    Scan *s = &scan;
    const char *text = s->p; /* where text that is not sent yet begins */
    while (s->p < s->end) {
        const char *lt = memchr(s->p, '<', (size_t) (s->end - s->p));
        if (lt == NULL || lt + 1 >= s->end)
            break;
        bool start = g_ascii_isalpha(lt[1]);
        bool end = lt[1] == '/' && lt + 2 < s->end && g_ascii_isalpha(lt[2]);
        bool other = lt[1] == '!' || lt[1] == '?' || lt[1] == '/';
        if (!start && !end && !other) {
            s->p = lt + 1; /* a bare '<' is text */
            continue;
        }
        if (lt > text && !send_text(s, text, lt))
            return;
        s->p = lt;
        if (start ? !scan_start_tag(s) : end && !scan_end_tag(s))
            return;
        if (!start && !end)
            skip_declaration(s);
        text = s->p;
    }
    if (text < s->end)
        (void) send_text(s, text, s->end);
}
