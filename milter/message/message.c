/*
 * message.c - the bytes of one message to a flat list of decoded parts
 *
 * The MIME structure is walked here, not by GMime's parser: slices of one
 * buffer, cut at boundary lines, from the outer multipart to the inner ones.
 * GMime builds objects and copies for every part, has no bound on their
 * number (300,000 empty parts: 2.1 s, 417 MB) and keeps to the letter where
 * damage wants a reader. Here every delimiter counts against max_parts before
 * anything is allocated for it, and an outer boundary always ends what is
 * inside it, closed or not. GMime still reads dates.
 *
 * Line ends become LF first, once, so that nothing below knows of CR.
 */
#include "message/message.h"
#include "message/charset.h"
#include "message/header.h"

#include <gmime/gmime.h>
#include <string.h>

const MessageLimits message_limits_default = {
    .max_bytes = 1024 * 1024,
    .max_parts = 200,
    .max_depth = 30,
    .max_headers = 1000,
    .max_header = 64 * 1024,
    .max_text = 2 * 1024 * 1024,
};

typedef struct {
    const MessageLimits *limits;
    GArray *parts;      /* of Part */
    GPtrArray *buffers; /* decoded containers that slices point into */
    unsigned entities;  /* parts seen, containers included */
    size_t text;        /* bytes of text kept so far */
    bool truncated;
} Walk;

typedef struct {
    const char *p;
    size_t len;
} Slice;

/* What an entity's header fields say about its body. */
typedef struct {
    char *type;        /* lower case, "text/plain" when not usable */
    const char *value; /* the Content-Type field body, or "" */
    const char *disposition;
    enum { ENCODING_NONE, ENCODING_BASE64, ENCODING_QP } encoding;
    bool declared;
} Entity;

typedef struct {
    unsigned depth;
    int enclosing;
    bool alternative;
    bool report; /* inside multipart/report */
    bool digest; /* a direct child of multipart/digest */
} Place;

/* --- transfer encodings ---------------------------------------------------------- */

static const signed char base64_table[256] = {
    /* value + 1; 0: not of the alphabet */
    ['A'] = 1,  ['B'] = 2,  ['C'] = 3,  ['D'] = 4,  ['E'] = 5,  ['F'] = 6,
    ['G'] = 7,  ['H'] = 8,  ['I'] = 9,  ['J'] = 10, ['K'] = 11, ['L'] = 12,
    ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16, ['Q'] = 17, ['R'] = 18,
    ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24,
    ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30,
    ['e'] = 31, ['f'] = 32, ['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36,
    ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40, ['o'] = 41, ['p'] = 42,
    ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48,
    ['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54,
    ['2'] = 55, ['3'] = 56, ['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60,
    ['8'] = 61, ['9'] = 62, ['+'] = 63, ['/'] = 64,
};

/* Is a line of nothing but the base64 alphabet at the start of `s`? Text that
 * only claims to be base64 has blanks or punctuation in its first line. */
static bool
looks_like_base64(Slice s)
{
    size_t seen = 0;
    for (size_t i = 0; i < MIN(s.len, 100) && seen < 76; i++) {
        unsigned char c = (unsigned char) s.p[i];
        if (c == '\n' && seen > 0)
            break;
        if (c == '\n')
            continue;
        if (base64_table[c] == 0 && c != '=' &&
            !(c == ' ' && (i + 1 == s.len || s.p[i + 1] == '\n')))
            return false;
        seen++;
    }
    return true;
}

/* Reads on after padding (several encodings in a row), stops where plain text
 * was appended to an encoded body, as list programs do, and copies that. */
static GString *
decode_base64(Slice s)
{
    GString *out = g_string_sized_new(s.len / 4 * 3 + 4);
    unsigned bits = 0, have = 0;
    bool padded = false;
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char) s.p[i];
        if (padded && c == '\n') {
            Slice rest = { s.p + i + 1, s.len - i - 1 };
            if (!looks_like_base64(rest)) {
                g_string_append_c(out, '\n');
                g_string_append_len(out, rest.p, (gssize) rest.len);
                return out;
            }
            padded = false;
        }
        if (c == '=') {
            have = 0;
            bits = 0;
            padded = true;
            continue;
        }
        int v = base64_table[c] - 1;
        if (v < 0)
            continue;
        bits = (bits << 6) | (unsigned) v;
        have += 6;
        if (have >= 8) {
            have -= 8;
            out->str[out->len++] = (char) ((bits >> have) & 0xff);
        }
    }
    out->str[out->len] = 0;
    return out;
}

static GString *
decode_qp(Slice s)
{
    GString *out = g_string_sized_new(s.len + 1);
    const char *p = s.p, *end = s.p + s.len;
    while (p < end) {
        const char *nl = memchr(p, '\n', (size_t) (end - p));
        const char *line_end = nl != NULL ? nl : end;
        const char *last = line_end;
        while (last > p && (last[-1] == ' ' || last[-1] == '\t'))
            last--;
        bool soft = last > p && last[-1] == '=';
        if (soft)
            last--;
        while (p < last) {
            const char *eq = memchr(p, '=', (size_t) (last - p));
            if (eq == NULL)
                eq = last;
            g_string_append_len(out, p, eq - p);
            p = eq;
            if (p >= last)
                break;
            if (last - p >= 3 && g_ascii_isxdigit(p[1]) &&
                g_ascii_isxdigit(p[2])) {
                g_string_append_c(out, (char) (g_ascii_xdigit_value(p[1]) * 16 +
                                               g_ascii_xdigit_value(p[2])));
                p += 3;
            } else {
                g_string_append_c(out, *p++);
            }
        }
        if (nl == NULL)
            break;
        if (!soft)
            g_string_append_c(out, '\n');
        p = nl + 1;
    }
    return out;
}

/* The body without its transfer encoding: a slice of the input, or of a
 * buffer that is the walk's. */
static Slice
transfer_decode(Walk *walk, const Entity *entity, Slice body)
{
    GString *out = NULL;
    if (entity->encoding == ENCODING_BASE64 && looks_like_base64(body))
        out = decode_base64(body);
    else if (entity->encoding == ENCODING_QP &&
             memchr(body.p, '=', body.len) != NULL)
        out = decode_qp(body);
    if (out == NULL)
        return body;
    Slice s = { out->str, out->len };
    g_ptr_array_add(walk->buffers, g_string_free(out, FALSE));
    return s;
}

/* --- line ends --------------------------------------------------------------------- */

/* CR LF, CR CR LF and lone CR become LF, in place. Returns the new length. */
static size_t
normalize_newlines(char *text, size_t len)
{
    char *from = memchr(text, '\r', len);
    if (from == NULL)
        return len;
    char *to = from, *end = text + len;
    while (from < end) {
        const char *cr = memchr(from, '\r', (size_t) (end - from));
        size_t run = (size_t) ((cr != NULL ? cr : end) - from);
        memmove(to, from, run);
        to += run;
        from += run;
        if (cr == NULL)
            break;
        while (from < end && *from == '\r')
            from++;
        if (from < end && *from == '\n')
            from++;
        *to++ = '\n';
    }
    return (size_t) (to - text);
}

/* --- format=flowed (RFC 3676) -------------------------------------------------------- */

static size_t
quote_depth(const char *p, size_t n)
{
    size_t depth = 0;
    while (depth < n && p[depth] == '>')
        depth++;
    return depth;
}

static GString *
unflow(const char *text, size_t len, bool delsp)
{
    GString *out = g_string_sized_new(len + 1);
    const char *p = text, *end = text + len;
    bool open = false; /* the last line was flowed: the next belongs to it */
    size_t open_depth = 0;
    while (p < end) {
        const char *nl = memchr(p, '\n', (size_t) (end - p));
        const char *line_end = nl != NULL ? nl : end;
        size_t n = (size_t) (line_end - p);
        size_t depth = quote_depth(p, n);
        const char *content = p + depth;
        if (content < line_end && *content == ' ')
            content++; /* space-stuffing */
        size_t content_len = (size_t) (line_end - content);
        bool signature = content_len == 3 && memcmp(content, "-- ", 3) == 0;
        bool flowed =
            content_len > 0 && content[content_len - 1] == ' ' && !signature;
        if (open && (depth != open_depth || signature)) {
            g_string_append_c(out, '\n');
            open = false;
        }
        if (!open) {
            for (size_t i = 0; i < depth; i++)
                g_string_append_c(out, '>');
            if (depth > 0)
                g_string_append_c(out, ' ');
            else if (content_len > 0 && content[0] == '>')
                g_string_append_c(out, ' '); /* stuffed, not a quotation */
        }
        g_string_append_len(
            out, content,
            (gssize) (flowed && delsp ? content_len - 1 : content_len));
        open = flowed;
        open_depth = depth;
        if (!flowed && nl != NULL)
            g_string_append_c(out, '\n');
        if (nl == NULL)
            break;
        p = nl + 1;
    }
    if (open)
        g_string_append_c(out, '\n');
    return out;
}

/* --- parts ------------------------------------------------------------------------------ */

/* What HTML says of its own charset, for parts that do not declare one. */
static char *
html_charset(Slice s)
{
    size_t n = MIN(s.len, 2048);
    for (size_t i = 0; i + 10 < n; i++) {
        const char *c = memchr(s.p + i, '=', n - i);
        if (c == NULL)
            return NULL;
        i = (size_t) (c - s.p);
        if (i < 7 || g_ascii_strncasecmp(c - 7, "charset", 7) != 0)
            continue;
        size_t j = i + 1;
        while (j < n && (s.p[j] == '"' || s.p[j] == '\'' || s.p[j] == ' '))
            j++;
        size_t start = j;
        while (j < n &&
               (g_ascii_isalnum(s.p[j]) || s.p[j] == '-' || s.p[j] == '_'))
            j++;
        return j > start ? g_ascii_strdown(s.p + start, (gssize) (j - start))
                         : NULL;
    }
    return NULL;
}

static void
set_text(Walk *walk, Part *part, Slice body, const char *charset, bool delsp)
{
    size_t room = walk->limits->max_text - walk->text;
    if (body.len > room) {
        body.len = room;
        walk->truncated = true;
    }
    GString *text = g_string_sized_new(body.len + 1);
    charset_append_utf8(text, body.p, body.len, charset);
    g_string_set_size(text, normalize_newlines(text->str, text->len));
    if (g_str_has_prefix(text->str, "\xef\xbb\xbf"))
        g_string_erase(text, 0, 3);
    if (part->flowed) {
        GString *plain = text;
        text = unflow(plain->str, plain->len, delsp);
        g_string_free(plain, TRUE);
    }
    if (text->len > room) {
        walk->truncated = true;
        while (room > 0 && ((unsigned char) text->str[room] & 0xc0) == 0x80)
            room--;
        g_string_truncate(text, room);
    }
    walk->text += text->len;
    part->len = text->len;
    part->text = g_string_free(text, FALSE);
}

typedef struct {
    const char *type;
    PartKind kind;
} TypeKind;

static const TypeKind kinds[] = {
    { "text/plain", PART_PLAIN },
    { "text/html", PART_HTML },
    { "message/delivery-status", PART_DELIVERY_STATUS },
    { "message/global-delivery-status", PART_DELIVERY_STATUS },
    { "message/delivery_status", PART_DELIVERY_STATUS },
    { "message/deliverystatus", PART_DELIVERY_STATUS },
    { "message/xdelivery-status", PART_DELIVERY_STATUS },
    { "message/x-delivery-status", PART_DELIVERY_STATUS },
    { "text/delivery-status", PART_DELIVERY_STATUS },
    { "message/disposition-notification", PART_DISPOSITION },
    { "message/global-disposition-notification", PART_DISPOSITION },
    { "message/feedback-report", PART_FEEDBACK },
    { "message/rfc822", PART_MESSAGE },
    { "message/rfc2822", PART_MESSAGE },
    { "message/global", PART_MESSAGE },
    { "message/news", PART_MESSAGE },
    { "text/rfc822-headers", PART_HEADERS },
    { "text/rfc822-header", PART_HEADERS },
    { "message/rfc822-headers", PART_HEADERS },
    { "message/rfc822-header", PART_HEADERS },
    { "message/global-headers", PART_HEADERS },
    { "text/vcard", PART_VCARD },
    { "text/x-vcard", PART_VCARD },
    { "text/directory", PART_VCARD },
    { "application/vcard", PART_VCARD },
    { "text/calendar", PART_CALENDAR },
    { "text/x-vcalendar", PART_CALENDAR },
    { "application/ics", PART_CALENDAR },
};

static bool
has_suffix_nocase(const char *s, const char *suffix)
{
    size_t n = strlen(s), m = strlen(suffix);
    return n >= m && g_ascii_strcasecmp(s + n - m, suffix) == 0;
}

static PartKind
kind_of(const char *type, const char *filename)
{
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (strcmp(kinds[i].type, type) == 0)
            return kinds[i].kind;
    }
    if (filename != NULL && has_suffix_nocase(filename, ".vcf"))
        return PART_VCARD;
    if (filename != NULL && has_suffix_nocase(filename, ".ics"))
        return PART_CALENDAR;
    if (g_str_has_prefix(type, "text/"))
        return PART_TEXT;
    if (g_str_has_prefix(type, "message/") &&
        strcmp(type, "message/partial") != 0 &&
        strcmp(type, "message/external-body") != 0)
        return PART_TEXT;
    return PART_OTHER;
}

static bool
starts_with_nocase(Slice s, const char *word)
{
    size_t n = strlen(word);
    return s.len >= n && g_ascii_strncasecmp(s.p, word, n) == 0;
}

/* Report parts under a wrong type: known by their first field. */
static PartKind
sniff_report(Slice s)
{
    static const char *const fields[] = {
        "Reporting-MTA:",        "Final-Recipient:", "Original-Recipient:",
        "Original-Envelope-Id:", "Arrival-Date:",    "X-Postfix-Queue-ID:",
    };
    while (s.len > 0 && (*s.p == '\n' || *s.p == ' ')) {
        s.p++;
        s.len--;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
        if (starts_with_nocase(s, fields[i]))
            return PART_DELIVERY_STATUS;
    }
    if (starts_with_nocase(s, "Feedback-Type:"))
        return PART_FEEDBACK;
    if (starts_with_nocase(s, "Received:") ||
        starts_with_nocase(s, "Return-Path:"))
        return PART_HEADERS;
    return PART_OTHER;
}

static bool
looks_like_html(Slice s)
{
    while (s.len > 0 && (g_ascii_isspace(*s.p))) {
        s.p++;
        s.len--;
    }
    return starts_with_nocase(s, "<html") ||
           starts_with_nocase(s, "<!doctype html") ||
           starts_with_nocase(s, "<head>") || starts_with_nocase(s, "<body");
}

/* --- entities ------------------------------------------------------------------------------ */

static const char *
field_value(const HeaderList *headers, const char *name)
{
    const Header *h = header_list_find(headers, name, 0, NULL);
    return h != NULL ? h->raw : "";
}

/* "Text/HTML; charset=..." to "text/html". Half a type is completed. */
static char *
media_type(const char *value)
{
    while (*value == ' ' || *value == '\t' || *value == '"')
        value++;
    size_t n = 0;
    while (value[n] != 0 && value[n] != ';' && value[n] != ' ' &&
           value[n] != '\t' && value[n] != '"' && value[n] != '(' && n < 100)
        n++;
    char *type = g_ascii_strdown(value, (gssize) n);
    const char *slash = strchr(type, '/');
    if (slash != NULL && slash != type && slash[1] != 0)
        return type;
    const char *better = g_str_has_prefix(type, "html") ? "text/html"
                         : g_str_has_prefix(type, "multipart")
                             ? "multipart/mixed"
                             : "text/plain";
    g_free(type);
    return g_strdup(better);
}

static void
entity_init(Entity *entity, const HeaderList *headers, const Place *place)
{
    entity->value = field_value(headers, "Content-Type");
    entity->declared = *entity->value != 0;
    entity->type = entity->declared ? media_type(entity->value)
                                    : g_strdup(place->digest ? "message/rfc822"
                                                             : "text/plain");
    entity->disposition = field_value(headers, "Content-Disposition");
    const char *encoding = field_value(headers, "Content-Transfer-Encoding");
    while (*encoding == '"' || *encoding == ' ')
        encoding++;
    entity->encoding = ENCODING_NONE;
    if (g_ascii_strncasecmp(encoding, "base64", 6) == 0)
        entity->encoding = ENCODING_BASE64;
    else if (g_ascii_strncasecmp(encoding, "quoted-printable", 16) == 0 ||
             g_ascii_strncasecmp(encoding, "quoted_printable", 16) == 0)
        entity->encoding = ENCODING_QP;
}

static void walk_entity(Walk *walk, const HeaderList *headers, Slice body,
                        Place place);

/* The next delimiter line of `boundary` in s at or after `from`. *out_line is
 * where it begins, *out_next behind it. */
static bool
find_delimiter(Slice s, size_t from, const char *boundary, size_t n,
               size_t *out_line, size_t *out_next, bool *out_close)
{
    const char *end = s.p + s.len;
    const char *p = s.p + from;
    while (p < end) {
        if ((size_t) (end - p) < n + 2)
            return false;
        if (p[0] == '-' && p[1] == '-' && memcmp(p + 2, boundary, n) == 0) {
            const char *q = p + 2 + n;
            bool close = end - q >= 2 && q[0] == '-' && q[1] == '-';
            if (close)
                q += 2;
            while (q < end && (*q == ' ' || *q == '\t'))
                q++;
            if (q == end || *q == '\n') {
                *out_line = (size_t) (p - s.p);
                *out_next = (size_t) (q - s.p) + (q < end ? 1 : 0);
                *out_close = close;
                return true;
            }
        }
        p = memchr(p, '\n', (size_t) (end - p));
        if (p == NULL)
            return false;
        p++;
    }
    return false;
}

/* When the boundary is not declared, or not there: the first line that begins
 * with "--" and has a Content- field under it. */
static char *
guess_boundary(Slice s)
{
    const char *p = s.p, *end = s.p + s.len;
    while (p < end) {
        const char *nl = memchr(p, '\n', (size_t) (end - p));
        if (nl == NULL)
            return NULL;
        Slice below = { nl + 1, (size_t) (end - nl - 1) };
        if (nl - p > 3 && nl - p < 200 && p[0] == '-' && p[1] == '-' &&
            starts_with_nocase(below, "Content-")) {
            while (nl > p && (nl[-1] == ' ' || nl[-1] == '\t'))
                nl--;
            return g_strndup(p + 2, (gsize) (nl - p - 2));
        }
        p = nl + 1;
    }
    return NULL;
}

static void
walk_child(Walk *walk, Slice s, Place place)
{
    if (++walk->entities > walk->limits->max_parts) {
        walk->truncated = true;
        return;
    }
    HeaderLimits limits = { walk->limits->max_headers,
                            walk->limits->max_header };
    size_t end = 0;
    HeaderList headers =
        header_section_parse(s.p, s.len, &limits, &end, &walk->truncated);
    /* No MIME field among them: the part has no header section, these lines
     * are its body already. */
    bool mime = headers.n == 0;
    for (size_t i = 0; i < headers.n && !mime; i++)
        mime = g_ascii_strncasecmp(headers.items[i].name, "Content-", 8) == 0;
    if (!mime) {
        header_list_clear(&headers);
        end = 0;
    }
    Slice body = { s.p + end, s.len - end };
    walk_entity(walk, &headers, body, place);
    header_list_clear(&headers);
}

/* False when no part was found. */
static bool
walk_parts(Walk *walk, Slice s, const char *boundary, const Place *place)
{
    size_t n = strlen(boundary), line, next, from;
    bool close, any = false;
    if (n == 0 || !find_delimiter(s, 0, boundary, n, &line, &from, &close))
        return false;
    while (!close ||
           find_delimiter(s, from, boundary, n, &line, &from, &close)) {
        if (close) /* a second closing line: nothing between them counts */
            continue;
        Slice part = { s.p + from, s.len - from };
        bool more = find_delimiter(s, from, boundary, n, &line, &next, &close);
        if (more)
            part.len = line > from ? line - 1 - from : 0;
        any = true;
        walk_child(walk, part, *place);
        if (!more || walk->entities > walk->limits->max_parts)
            break;
        from = next;
    }
    return any;
}

static void
add_leaf(Walk *walk, const HeaderList *headers, const Entity *entity,
         Slice body, const Place *place)
{
    /* Enclosed messages are parts that no delimiter announced. */
    if (walk->parts->len >= walk->limits->max_parts) {
        walk->truncated = true;
        return;
    }
    Part part = { .depth = place->depth,
                  .enclosing = place->enclosing,
                  .alternative = place->alternative };
    part.filename = header_parameter(entity->disposition, "filename");
    if (part.filename == NULL && entity->declared)
        part.filename = header_parameter(entity->value, "name");
    part.attachment =
        g_ascii_strncasecmp(entity->disposition, "attachment", 10) == 0;
    const Header *description =
        header_list_find(headers, "Content-Description", 0, NULL);
    if (description != NULL)
        part.description = g_strdup(description->value);
    g_autofree char *charset = NULL;
    if (entity->declared) {
        charset = header_parameter(entity->value, "charset");
        if (charset != NULL) {
            g_strstrip(charset);
            part.charset = g_ascii_strdown(charset, -1);
        }
    }
    part.kind = kind_of(entity->type, part.filename);
    part.type = g_strdup(entity->type);

    if (part.kind != PART_OTHER || place->report)
        body = transfer_decode(walk, entity, body);
    if (part.kind == PART_OTHER && place->report)
        part.kind = sniff_report(body);
    if (part.kind == PART_TEXT && place->report) {
        PartKind better = sniff_report(body);
        part.kind = better != PART_OTHER ? better : PART_TEXT;
    }
    if (part.kind == PART_PLAIN && !entity->declared && looks_like_html(body))
        part.kind = PART_HTML;
    if (part.kind == PART_OTHER) {
        g_array_append_val(walk->parts, part);
        return;
    }

    bool delsp = false;
    if (part.kind == PART_PLAIN && entity->declared) {
        g_autofree char *format = header_parameter(entity->value, "format");
        part.flowed =
            format != NULL && g_ascii_strcasecmp(format, "flowed") == 0;
        if (part.flowed) {
            g_autofree char *value = header_parameter(entity->value, "delsp");
            delsp = value != NULL && g_ascii_strcasecmp(value, "yes") == 0;
        }
    }
    g_autofree char *from_html = NULL;
    if (part.kind == PART_HTML && part.charset == NULL)
        from_html = html_charset(body);
    set_text(walk, &part, body, from_html != NULL ? from_html : part.charset,
             delsp);

    if (part.kind == PART_HEADERS || part.kind == PART_MESSAGE) {
        HeaderLimits limits = { walk->limits->max_headers,
                                walk->limits->max_header };
        size_t end = 0;
        while (body.len > 0 && *body.p == '\n') {
            body.p++;
            body.len--;
        }
        part.headers = header_section_parse(body.p, body.len, &limits, &end,
                                            &walk->truncated);
        body.p += end;
        body.len -= end;
    }
    g_array_append_val(walk->parts, part);
    if (part.kind == PART_MESSAGE) {
        Place inner = { .depth = place->depth + 1,
                        .enclosing = (int) walk->parts->len - 1 };
        walk_entity(walk, &part.headers, body, inner);
    }
}

static void
walk_entity(Walk *walk, const HeaderList *headers, Slice body, Place place)
{
    if (place.depth > walk->limits->max_depth) {
        walk->truncated = true;
        return;
    }
    Entity entity;
    entity_init(&entity, headers, &place);
    g_autofree char *type = entity.type;

    if (!g_str_has_prefix(type, "multipart/")) {
        add_leaf(walk, headers, &entity, body, &place);
        return;
    }
    body = transfer_decode(walk, &entity, body);
    const char *subtype = type + strlen("multipart/");
    Place inner = place;
    inner.depth++;
    inner.digest = strcmp(subtype, "digest") == 0;
    inner.report = place.report || strcmp(subtype, "report") == 0;
    inner.alternative =
        place.alternative || strcmp(subtype, "alternative") == 0;
    g_autofree char *boundary = header_parameter(entity.value, "boundary");
    if (boundary != NULL) {
        /* Trailing blanks are no part of a boundary (RFC 2046, 5.1.1). */
        g_strchomp(boundary);
        if (walk_parts(walk, body, boundary, &inner))
            return;
    }
    g_autofree char *guess = guess_boundary(body);
    if (guess != NULL && walk_parts(walk, body, guess, &inner))
        return;
    /* No delimiter anywhere: what there is, is text. */
    g_autofree char *text_plain = g_strdup("text/plain");
    Entity plain = { .type = text_plain, .value = "", .disposition = "" };
    add_leaf(walk, headers, &plain, body, &place);
}

/* --- the message ------------------------------------------------------------------------------ */

int64_t
message_date(const Message *message)
{
    const Header *h = header_list_find(&message->headers, "Date", 0, NULL);
    g_autoptr(GDateTime) date =
        h != NULL ? g_mime_utils_header_decode_date(h->raw) : NULL;
    return date != NULL ? g_date_time_to_unix(date) : 0;
}

static char *
bare_message_id(const char *raw)
{
    const char *open = strchr(raw, '<');
    const char *start = open != NULL ? open + 1 : raw;
    while (*start == ' ')
        start++;
    size_t n = strcspn(start, open != NULL ? ">" : " \t,;");
    while (n > 0 && (start[n - 1] == ' ' || start[n - 1] == '\t'))
        n--;
    return n > 0 ? g_strndup(start, n) : NULL;
}

static MailboxList
mailboxes_of(const HeaderList *headers, const char *name)
{
    const Header *h = header_list_find(headers, name, 0, NULL);
    return h != NULL ? mailbox_list_parse(h->raw) : (MailboxList){ NULL, 0 };
}

static void
fill_fields(Message *message)
{
    const HeaderList *headers = &message->headers;
    const Header *h = header_list_find(headers, "Subject", 0, NULL);
    message->subject = g_strdup(h != NULL ? h->value : "");
    h = header_list_find(headers, "Message-ID", 0, NULL);
    message->message_id = h != NULL ? bare_message_id(h->raw) : NULL;
    message->from = mailboxes_of(headers, "From");
    message->sender = mailboxes_of(headers, "Sender");
    message->reply_to = mailboxes_of(headers, "Reply-To");
    message->to = mailboxes_of(headers, "To");
    message->cc = mailboxes_of(headers, "Cc");
    const char *type = field_value(headers, "Content-Type");
    message->content_type =
        *type != 0 ? media_type(type) : g_strdup("text/plain");
    if (strcmp(message->content_type, "multipart/report") == 0)
        message->report_type = header_parameter(type, "report-type");
}

Message *
message_parse(const char *bytes, size_t len, const MessageLimits *limits)
{
    if (limits == NULL)
        limits = &message_limits_default;
    Message *message = g_new0(Message, 1);
    if (len > limits->max_bytes) {
        len = limits->max_bytes;
        message->truncated = true;
    }
    g_autofree char *copy = NULL;
    if (len > 0 && memchr(bytes, '\r', len) != NULL) {
        copy = g_memdup2(bytes, len);
        len = normalize_newlines(copy, len);
        bytes = copy;
    }
    /* Blank lines before the header section are damage of gateways. */
    while (len > 0 && (*bytes == '\n' || *bytes == ' ' || *bytes == '\t')) {
        bytes++;
        len--;
    }

    HeaderLimits header_limits = { limits->max_headers, limits->max_header };
    size_t end = 0;
    message->headers = header_section_parse(bytes, len, &header_limits, &end,
                                            &message->truncated);
    message->malformed = message->headers.n == 0;
    fill_fields(message);

    Walk walk = { .limits = limits };
    walk.parts = g_array_new(FALSE, FALSE, sizeof(Part));
    walk.buffers = g_ptr_array_new_with_free_func(g_free);
    Slice body = { bytes + end, len - end };
    Place place = { .enclosing = -1 };
    walk_entity(&walk, &message->headers, body, place);
    g_ptr_array_unref(walk.buffers);
    message->n_parts = walk.parts->len;
    message->parts = (Part *) (void *) g_array_free(walk.parts, FALSE);
    message->truncated = message->truncated || walk.truncated;
    return message;
}

void
message_free(Message *message)
{
    if (message == NULL)
        return;
    for (size_t i = 0; i < message->n_parts; i++) {
        Part *part = &message->parts[i];
        g_free(part->type);
        g_free(part->charset);
        g_free(part->filename);
        g_free(part->description);
        g_free(part->text);
        header_list_clear(&part->headers);
    }
    g_free(message->parts);
    header_list_clear(&message->headers);
    g_free(message->content_type);
    g_free(message->report_type);
    g_free(message->subject);
    g_free(message->message_id);
    mailbox_list_clear(&message->from);
    mailbox_list_clear(&message->sender);
    mailbox_list_clear(&message->reply_to);
    mailbox_list_clear(&message->to);
    mailbox_list_clear(&message->cc);
    g_free(message);
}

const char *
message_header(const Message *message, const char *name)
{
    const Header *h = header_list_find(&message->headers, name, 0, NULL);
    return h != NULL ? h->value : NULL;
}

const Part *
message_text_part(const Message *message, PartKind kind)
{
    bool alternatives = false; /* the other kind came first, among them */
    for (size_t i = 0; i < message->n_parts; i++) {
        const Part *part = &message->parts[i];
        if (part->attachment || part->enclosing >= 0 ||
            (part->kind != PART_PLAIN && part->kind != PART_HTML))
            continue;
        if (alternatives && !part->alternative)
            return NULL;
        if (part->kind == kind)
            return part;
        if (!part->alternative)
            return NULL;
        alternatives = true;
    }
    return NULL;
}
