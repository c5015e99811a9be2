/*
 * header.c - header sections, encoded words, MIME parameters
 *
 * A section is scanned once into spans; then all strings of the list are laid
 * into one block behind its items, since a mail has some twenty fields and
 * sixty small allocations would cost more than the parsing.
 *
 * Damage and what becomes of it:
 * - a line that is no field and no continuation, with fields after it, is a
 *   continuation that lost its indent; without fields after it, the body
 *   begins there, the empty line is missing;
 * - a line of blanks alone ends the section unless a field follows;
 * - encoded words are decoded inside quotes, with blanks in them, next to
 *   other text, without their end; neighbours of one charset are joined before
 *   the charset is decoded, because characters are split between them.
 */
#include "message/header.h"
#include "message/charset.h"

#include <string.h>

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* --- encoded words ----------------------------------------------------------- */

/* Longest encoded word looked at (RFC 2047 allows 75, some programs put a whole
 * subject into one): without a bound, a field of unfinished ones would be
 * searched to its end from each. */
enum { WORD_MAX = 1500, WORD_MARKS = 20 };

typedef struct {
    const char *charset;
    size_t charset_len;
    char encoding; /* 'B' or 'Q' */
    const char *text;
    size_t text_len;
    const char *end; /* behind "?=" */
} Word;

static bool
is_hex(const char *p)
{
    return g_ascii_isxdigit(p[0]) && g_ascii_isxdigit(p[1]);
}

/* Is there an encoded word at `p` ("=?")? */
static bool
word_scan(const char *p, const char *end, Word *out)
{
    bool limit_end = false;
    if ((size_t) (end - p) > WORD_MAX) {
        limit_end = true;
        end = p + WORD_MAX;
    }
    const char *charset = p + 2, *q = charset;
    while (q < end && *q != '?' && !is_blank(*q) && q - charset < 60)
        q++;
    if (q >= end || *q != '?' || q == charset)
        return false;
    out->charset = charset;
    out->charset_len = (size_t) (q - charset);
    const char *language = memchr(charset, '*', out->charset_len);
    if (language != NULL) /* RFC 2231, 5 */
        out->charset_len = (size_t) (language - charset);
    q++;
    while (q < end && is_blank(*q))
        q++;
    if (q + 1 >= end)
        return false;
    out->encoding = g_ascii_toupper(*q);
    q++;
    while (q < end && is_blank(*q))
        q++;
    if ((out->encoding != 'B' && out->encoding != 'Q') || q >= end || *q != '?')
        return false;
    out->text = ++q;
    unsigned marks = 0;
    for (;; q++) {
        q = memchr(q, '?', (size_t) (end - q));
        if (q == NULL || q + 1 >= end) {
            if (limit_end)
                return false;
            /* The end is missing: to the next blank, or the end. */
            q = out->text;
            while (q < end && !is_blank(*q) && *q != '"')
                q++;
            out->text_len = (size_t) (q - out->text);
            if (out->text_len > 0 && q[-1] == '?')
                out->text_len--;
            out->end = q;
            return out->text_len > 0;
        }
        if (q[1] != '=') {
            /* base64 has no '?', text has some */
            if (out->encoding == 'B' || ++marks > WORD_MARKS)
                return false;
            continue;
        }
        /* A bare '?' in front of "=20" is text, if another end follows. */
        if (out->encoding == 'Q' && end - q >= 4 && is_hex(q + 2)) {
            const char *later = g_strstr_len(q + 4, end - (q + 4), "?=");
            const char *next = g_strstr_len(q + 2, end - (q + 2), "=?");
            if (later != NULL &&
                (next == NULL || later < next || later == next + 1))
                continue;
        }
        out->text_len = (size_t) (q - out->text);
        out->end = q + 2;
        return true;
    }
}

static int
base64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+' || c == '-')
        return 62;
    return c == '/' || c == '_' ? 63 : -1;
}

static void
word_bytes(const Word *word, GString *bytes)
{
    if (word->encoding == 'B') {
        unsigned bits = 0, have = 0;
        for (size_t i = 0; i < word->text_len; i++) {
            if (word->text[i] == '=') { /* padding: a new group may follow */
                have = 0;
                continue;
            }
            int v = base64_value(word->text[i]);
            if (v < 0)
                continue;
            bits = (bits << 6) | (unsigned) v;
            have += 6;
            if (have >= 8) {
                have -= 8;
                g_string_append_c(bytes, (char) ((bits >> have) & 0xff));
            }
        }
        return;
    }
    for (size_t i = 0; i < word->text_len; i++) {
        char c = word->text[i];
        if (c == '_') {
            g_string_append_c(bytes, ' ');
        } else if (c == '=' && i + 2 < word->text_len &&
                   is_hex(word->text + i + 1)) {
            g_string_append_c(
                bytes, (char) (g_ascii_xdigit_value(word->text[i + 1]) * 16 +
                               g_ascii_xdigit_value(word->text[i + 2])));
            i += 2;
        } else if (c == '=' && i + 3 == word->text_len &&
                   is_hex(word->text + i + 1)) {
            g_string_append_c(
                bytes, (char) (g_ascii_xdigit_value(word->text[i + 1]) * 16 +
                               g_ascii_xdigit_value(word->text[i + 2])));
            i += 2;
        } else {
            g_string_append_c(bytes, c);
        }
    }
}

static bool
same_charset(const Word *a, const Word *b)
{
    return a->charset_len == b->charset_len &&
           g_ascii_strncasecmp(a->charset, b->charset, a->charset_len) == 0;
}

/* Appends [p, end) with encoded words decoded and control characters made
 * blanks. */
static void
append_decoded(GString *out, const char *p, const char *end)
{
    size_t start = out->len;
    const char *gap = NULL; /* blanks between two encoded words */
    while (p < end) {
        const char *eq = p;
        Word word;
        bool found = false;
        for (;;) {
            eq = memchr(eq, '=', (size_t) (end - eq));
            if (eq == NULL || eq + 1 >= end) {
                eq = end;
                break;
            }
            if (eq[1] == '?' && word_scan(eq, end, &word)) {
                found = true;
                break;
            }
            eq++;
        }
        bool only_blanks = gap != NULL;
        for (const char *q = p; q < eq && only_blanks; q++)
            only_blanks = is_blank(*q);
        if (!only_blanks || !found)
            g_string_append_len(out, p, eq - p);
        if (!found)
            break;
        /* Join neighbours of one charset before decoding it. */
        g_autoptr(GString) bytes = g_string_sized_new(word.text_len);
        g_autofree char *charset = g_strndup(word.charset, word.charset_len);
        word_bytes(&word, bytes);
        p = word.end;
        for (;;) {
            const char *q = p;
            Word next;
            while (q < end && is_blank(*q))
                q++;
            if (end - q < 6 || q[0] != '=' || q[1] != '?' ||
                !word_scan(q, end, &next) || !same_charset(&word, &next))
                break;
            word_bytes(&next, bytes);
            p = next.end;
        }
        charset_append_utf8(out, bytes->str, bytes->len, charset);
        gap = p;
    }
    for (size_t i = start; i < out->len; i++) {
        if ((unsigned char) out->str[i] < 0x20 || out->str[i] == 0x7f)
            out->str[i] = ' ';
    }
}

char *
header_decode(const char *raw)
{
    GString *out = g_string_sized_new(strlen(raw) + 16);
    append_decoded(out, raw, raw + strlen(raw));
    return g_string_free(out, FALSE);
}

/* --- sections ---------------------------------------------------------------- */

static size_t
field_name_length(const char *line, size_t len)
{
    size_t i = 0;
    while (i < len && i < 200 && line[i] > 32 && line[i] < 127 &&
           line[i] != ':')
        i++;
    size_t name = i;
    while (i < len && is_blank(line[i]))
        i++;
    return i < len && line[i] == ':' && name > 0 ? name : 0;
}

bool
header_line_is_field(const char *line, size_t len)
{
    return field_name_length(line, len) > 0;
}

static bool
all_blank(const char *p, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (!is_blank(p[i]) && p[i] != '\r')
            return false;
    }
    return true;
}

/* Do header fields go on after a damaged line that ends at `p`? Only near
 * lines are looked at, so that the whole scan stays linear. */
static bool
fields_follow(const char *p, const char *end)
{
    for (int i = 0; i < 4 && p < end; i++) {
        const char *nl = memchr(p, '\n', (size_t) (end - p));
        size_t n = (size_t) ((nl != NULL ? nl : end) - p);
        if (all_blank(p, n))
            return false;
        /* "Note: ..." is prose as often; a name with a dash, or one that mail
         * is known for, is not. */
        size_t name = field_name_length(p, n);
        if (name > 0) {
            static const char *const known[] = {
                "From", "To",     "Cc",       "Date",       "Subject",
                "Bcc",  "Sender", "Received", "Precedence",
            };
            if (memchr(p, '-', name) != NULL)
                return true;
            for (size_t k = 0; k < G_N_ELEMENTS(known); k++) {
                if (strlen(known[k]) == name &&
                    g_ascii_strncasecmp(known[k], p, name) == 0)
                    return true;
            }
        }
        if (nl == NULL)
            return false;
        p = nl + 1;
    }
    return false;
}

typedef struct {
    size_t name, value, raw; /* offsets into the block */
} Offsets;

/* Unfolds [p, end): line ends go, the blanks after them stay. */
static void
unfold(GString *out, const char *p, const char *end)
{
    while (p < end) {
        const char *nl = memchr(p, '\n', (size_t) (end - p));
        const char *stop = nl != NULL ? nl : end;
        const char *text_end = stop;
        if (text_end > p && text_end[-1] == '\r')
            text_end--;
        g_string_append_len(out, p, text_end - p);
        if (nl == NULL)
            break;
        p = nl + 1;
        if (p < end && !is_blank(*p))
            g_string_append_c(out, ' '); /* a fold that lost its indent */
    }
}

/* The charset that the section's own Content-Type names, for raw 8-bit. */
static char *
section_charset(const char *text, size_t len)
{
    static const char key[] = "charset=";
    for (size_t i = 0; i + sizeof(key) - 1 < len; i++) {
        const char *c = memchr(text + i, '=', len - i);
        if (c == NULL)
            return NULL;
        i = (size_t) (c - text);
        if (i < 7 || g_ascii_strncasecmp(c - 7, key, 8) != 0)
            continue;
        size_t j = i + 1, start;
        if (j < len && (text[j] == '"' || text[j] == '\''))
            j++;
        start = j;
        while (j < len && j - start < 40 &&
               (g_ascii_isalnum(text[j]) || strchr("-_.:", text[j]) != NULL) &&
               text[j] != 0)
            j++;
        return g_strndup(text + start, j - start);
    }
    return NULL;
}

static bool
needs_work(const char *p, size_t len)
{
    if (memchr(p, '\n', len) != NULL || memchr(p, '\t', len) != NULL ||
        memchr(p, '\r', len) != NULL || !charset_is_plain_ascii(p, len))
        return true;
    for (const char *eq = p; (eq = memchr(eq, '=', len - (size_t) (eq - p)));
         eq++) {
        if ((size_t) (eq - p) + 1 < len && eq[1] == '?')
            return true;
    }
    return false;
}

/* Does append_decoded() change it? */
static bool
needs_decoding(const char *p, size_t len)
{
    if (len == 0 || p[0] == ' ' || p[len - 1] == ' ')
        return true;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char) p[i];
        if (c < 0x20 || c == 0x7f || (c == '=' && p[i + 1] == '?'))
            return true;
    }
    return false;
}

typedef struct {
    GString *block;  /* all strings, NUL after each */
    GArray *offsets; /* of Offsets */
    const HeaderLimits *limits;
    const char *text;
    size_t len;
    char *hint; /* section_charset(), looked for once when it is needed */
    bool hint_known;
    bool cut;
} Section;

static void
add_field(Section *section, const char *name, size_t name_len, const char *p,
          const char *end)
{
    GString *block = section->block;
    if (section->offsets->len >= section->limits->max_headers) {
        section->cut = true;
        return;
    }
    while (p < end && (is_blank(*p) || *p == '\n' || *p == '\r'))
        p++;
    while (end > p && (is_blank(end[-1]) || end[-1] == '\n' || end[-1] == '\r'))
        end--;
    if ((size_t) (end - p) > section->limits->max_header) {
        end = p + section->limits->max_header;
        section->cut = true;
    }
    Offsets o = { .name = block->len };
    g_string_append_len(block, name, (gssize) name_len);
    g_string_append_c(block, 0);
    o.raw = o.value = block->len;
    if (!needs_work(p, (size_t) (end - p))) {
        g_string_append_len(block, p, end - p);
        g_string_append_c(block, 0);
        g_array_append_val(section->offsets, o);
        return;
    }
    unfold(block, p, end);
    size_t raw_len = block->len - o.raw;
    if (!charset_is_plain_ascii(block->str + o.raw, raw_len)) {
        g_autofree char *line = g_memdup2(block->str + o.raw, raw_len);
        g_string_truncate(block, o.raw);
        if (!section->hint_known) {
            section->hint = section_charset(section->text, section->len);
            section->hint_known = true;
        }
        charset_append_utf8(block, line, raw_len, section->hint);
        raw_len = block->len - o.raw;
    }
    g_string_append_c(block, 0);
    if (needs_decoding(block->str + o.raw, raw_len)) {
        o.value = block->len;
        /* append_decoded() reads what it appends to: decode from a copy. */
        g_autofree char *raw = g_memdup2(block->str + o.raw, raw_len + 1);
        append_decoded(block, raw, raw + raw_len);
        while (block->len > o.value && block->str[block->len - 1] == ' ')
            g_string_truncate(block, block->len - 1);
        while (o.value < block->len && block->str[o.value] == ' ')
            o.value++;
        g_string_append_c(block, 0);
    }
    g_array_append_val(section->offsets, o);
}

/* "From ann@example.org Mon Jan ...": an mbox separator, not mail. */
static bool
is_mbox_line(const char *p, size_t n)
{
    return (n > 5 && memcmp(p, "From ", 5) == 0) ||
           (n > 6 && memcmp(p, ">From ", 6) == 0);
}

/* How far a charset declaration is looked for. */
enum { SECTION_HINT_MAX = 32 * 1024 };

HeaderList
header_section_parse(const char *text, size_t len, const HeaderLimits *limits,
                     size_t *out_end, bool *out_cut)
{
    g_autoptr(GString) block = g_string_sized_new(MIN(len, 8192) + 64);
    g_autoptr(GArray) offsets =
        g_array_sized_new(FALSE, FALSE, sizeof(Offsets), 32);
    Section section = { .block = block,
                        .offsets = offsets,
                        .limits = limits,
                        .text = text,
                        .len = MIN(len, SECTION_HINT_MAX) };
    const char *p = text, *end = text + len;
    const char *name = NULL, *value = NULL, *value_end = NULL;
    size_t name_len = 0;

    while (p < end) {
        const char *nl = memchr(p, '\n', (size_t) (end - p));
        const char *line_end = nl != NULL ? nl : end;
        const char *next = nl != NULL ? nl + 1 : end;
        size_t n = (size_t) (line_end - p);
        if (all_blank(p, n)) {
            /* Blanks alone are an empty line, or an odd continuation. */
            if (n == 0 || next >= end ||
                (!is_blank(*next) &&
                 !header_line_is_field(next, (size_t) (end - next)))) {
                p = next;
                break;
            }
            p = next;
            continue;
        }
        if (is_blank(*p) && name != NULL) {
            value_end = line_end;
            p = next;
            continue;
        }
        size_t field = field_name_length(p, n);
        if (field == 0) {
            if (name == NULL && is_mbox_line(p, n)) {
                p = next;
                continue;
            }
            if (!fields_follow(next, end))
                break; /* the empty line is missing: the body begins */
            if (name != NULL)
                value_end = line_end;
            p = next;
            continue;
        }
        if (name != NULL)
            add_field(&section, name, name_len, value, value_end);
        name = p;
        name_len = field;
        value = memchr(p, ':', n);
        value = value + 1;
        value_end = line_end;
        p = next;
    }
    if (name != NULL)
        add_field(&section, name, name_len, value, value_end);
    g_free(section.hint);

    HeaderList list = { NULL, offsets->len };
    if (list.n > 0) {
        char *memory = g_malloc(list.n * sizeof(Header) + block->len);
        char *strings = memory + list.n * sizeof(Header);
        memcpy(strings, block->str, block->len);
        list.items = (Header *) (void *) memory;
        for (size_t i = 0; i < list.n; i++) {
            const Offsets *o = &g_array_index(offsets, Offsets, i);
            list.items[i] = (Header){ strings + o->name, strings + o->value,
                                      strings + o->raw };
        }
    }
    *out_end = (size_t) (p - text);
    if (out_cut != NULL && section.cut)
        *out_cut = true;
    return list;
}

HeaderList
header_list_parse(const char *text, size_t len, size_t *out_end)
{
    HeaderLimits limits = { message_limits_default.max_headers,
                            message_limits_default.max_header };
    size_t end = 0;
    HeaderList list = header_section_parse(text, len, &limits, &end, NULL);
    if (out_end != NULL)
        *out_end = end;
    return list;
}

void
header_list_clear(HeaderList *list)
{
    g_free(list->items); /* the strings live in the same block */
    list->items = NULL;
    list->n = 0;
}

const Header *
header_list_find(const HeaderList *list, const char *name, size_t from,
                 size_t *out_index)
{
    /* Nearly every name differs in its first letter: no call for those. */
    char first = g_ascii_tolower(*name);
    for (size_t i = from; i < list->n; i++) {
        if (g_ascii_tolower(*list->items[i].name) == first &&
            g_ascii_strcasecmp(list->items[i].name, name) == 0) {
            if (out_index != NULL)
                *out_index = i;
            return &list->items[i];
        }
    }
    return NULL;
}

/* --- parameters ---------------------------------------------------------------- */

/* The next "name=value" of a parameter list; false at the end. Names and
 * values are slices of the input; quoted pairs are resolved by the reader. */
typedef struct {
    const char *name;
    size_t name_len;
    const char *value;
    size_t value_len;
    bool quoted;
} Parameter;

static const char *
skip_blanks_and_comments(const char *p)
{
    for (;;) {
        while (is_blank(*p))
            p++;
        if (*p != '(')
            return p;
        unsigned depth = 0;
        do {
            if (*p == '(')
                depth++;
            else if (*p == ')')
                depth--;
            else if (*p == '\\' && p[1] != 0)
                p++;
            p++;
        } while (*p != 0 && depth > 0);
    }
}

static bool
parameter_next(const char **cursor, Parameter *out)
{
    const char *p = *cursor;
    for (;;) {
        while (*p == ';' || is_blank(*p))
            p++;
        p = skip_blanks_and_comments(p);
        if (*p == 0)
            return false;
        if (*p == ';')
            continue;
        out->name = p;
        while (*p != 0 && *p != '=' && *p != ';' && !is_blank(*p) && *p != '"')
            p++;
        out->name_len = (size_t) (p - out->name);
        p = skip_blanks_and_comments(p);
        if (*p != '=') {
            if (*p == '"')
                p++;
            continue; /* a word without value: the type itself, or junk */
        }
        p = skip_blanks_and_comments(p + 1);
        out->quoted = *p == '"';
        if (out->quoted) {
            out->value = ++p;
            while (*p != 0 && *p != '"')
                p += *p == '\\' && p[1] != 0 ? 2 : 1;
            out->value_len = (size_t) (p - out->value);
            if (*p == '"')
                p++;
        } else {
            bool is_file = out->name_len >= 4 &&
                           g_ascii_strncasecmp(out->name + out->name_len - 4,
                                               "name", 4) == 0;
            out->value = p;
            while (*p != 0 && *p != ';' && (is_file || !is_blank(*p)))
                p++;
            const char *end = p;
            while (end > out->value && is_blank(end[-1]))
                end--;
            out->value_len = (size_t) (end - out->value);
        }
        *cursor = p;
        return true;
    }
}

static char *
parameter_text(const Parameter *p)
{
    GString *s = g_string_sized_new(p->value_len);
    for (size_t i = 0; i < p->value_len; i++) {
        /* Windows paths in filenames keep their backslashes. */
        if (p->quoted && p->value[i] == '\\' && i + 1 < p->value_len &&
            (p->value[i + 1] == '"' || p->value[i + 1] == '\\'))
            i++;
        g_string_append_c(s, p->value[i]);
    }
    return g_string_free(s, FALSE);
}

static void
append_percent_decoded(GString *out, const char *p)
{
    for (; *p != 0; p++) {
        if (*p == '%' && p[1] != 0 && is_hex(p + 1)) {
            g_string_append_c(out, (char) (g_ascii_xdigit_value(p[1]) * 16 +
                                           g_ascii_xdigit_value(p[2])));
            p += 2;
        } else {
            g_string_append_c(out, *p);
        }
    }
}

enum { MAX_SEGMENTS = 64 };

char *
header_parameter(const char *value, const char *name)
{
    size_t want = strlen(name);
    g_autofree char *plain = NULL;
    char *segments[MAX_SEGMENTS];
    bool extended[MAX_SEGMENTS];
    size_t n_segments = 0; /* with holes, which are NULL */
    const char *cursor = value;
    Parameter p;
    while (parameter_next(&cursor, &p)) {
        if (p.name_len < want || g_ascii_strncasecmp(p.name, name, want) != 0)
            continue;
        const char *rest = p.name + want, *end = p.name + p.name_len;
        if (rest == end) {
            if (plain == NULL)
                plain = parameter_text(&p);
            continue;
        }
        if (*rest != '*')
            continue;
        rest++;
        unsigned index = 0;
        while (rest < end && g_ascii_isdigit(*rest) && index < MAX_SEGMENTS)
            index = index * 10 + (unsigned) (*rest++ - '0');
        bool star = rest < end ? *rest == '*' : rest[-1] == '*';
        if (index >= MAX_SEGMENTS)
            continue;
        while (n_segments <= index)
            segments[n_segments++] = NULL;
        if (segments[index] == NULL) {
            segments[index] = parameter_text(&p);
            extended[index] = star;
        }
    }
    if (n_segments > 0 && segments[0] != NULL) {
        g_autoptr(GString) bytes = g_string_new(NULL);
        g_autofree char *charset = NULL;
        for (size_t i = 0; i < n_segments && segments[i] != NULL; i++) {
            const char *s = segments[i];
            if (i == 0 && extended[0]) {
                const char *a = strchr(s, '\'');
                const char *b = a != NULL ? strchr(a + 1, '\'') : NULL;
                if (b != NULL) {
                    charset = g_strndup(s, (size_t) (a - s));
                    s = b + 1;
                }
            }
            if (extended[i])
                append_percent_decoded(bytes, s);
            else
                g_string_append(bytes, s);
        }
        GString *out = g_string_new(NULL);
        charset_append_utf8(out, bytes->str, bytes->len, charset);
        for (size_t i = 0; i < n_segments; i++)
            g_free(segments[i]);
        return g_string_free(out, FALSE);
    }
    for (size_t i = 0; i < n_segments; i++)
        g_free(segments[i]);
    if (plain == NULL)
        return NULL;
    return strstr(plain, "=?") != NULL ? header_decode(plain)
                                       : g_steal_pointer(&plain);
}
