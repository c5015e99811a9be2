/*
 * reply.c - zones: own words, attributions, quotations, forwarded messages
 *
 * One pass from the first line to the last. A line with a quote mark, or
 * inside a quoting element, is quoted by itself; the author's lines before,
 * between and after such lines stay the author's. What has no marks begins at
 * something that a program wrote, and lasts to the end:
 *
 * - an attribution ("On Thu, 12 Mar 2026 at 10:22, Ann <ann@example.org>
 *   wrote:"), up to ATTRIBUTION_LINES lines of one paragraph. Words alone do
 *   not make one: there must be two of date, time and address, or a quotation
 *   right below;
 * - a header block ("From: Sent: To: Subject:" in any order and language): a
 *   sender, and what else such blocks have and an agenda ("Date: From: To:")
 *   has not: a subject, an address, or a date with a time;
 * - a separator ("-----Original Message-----"), by its words, or by dashes on
 *   both sides with a header block below or a date inside;
 * - a ticket system's "reply above this line";
 * - an element that a mail program is known to put there (message/html.c).
 *
 * Everything is bounded by the few lines that it looks at, so the pass is
 * linear. The words are in reply_phrases.c.
 */
#include "message/reply.h"
#include "message/html.h"
#include "message/reply_phrases.h"

#include <string.h>

enum {
    ATTRIBUTION_LINES = 4,
    ATTRIBUTION_HEAD = 200, /* of a longer line: can it begin with one? */
    ATTRIBUTION_MAX = 600,  /* bytes of an attribution, all its lines */
    FOLDED_MIN = 30,        /* a line that a program folded is longer */
    NAME_MAX_BYTES = 48,    /* of a header block's field name */
    BLOCK_LINES = 24,       /* lines that a header block may span */
    FIELD_MAX = 160,        /* bytes of such a line that are looked at */
    WORK_MAX = 5000,        /* what afford() grants for one body */
};

enum { QUOTED_FLAGS = LINE_QUOTE_MARK | LINE_QUOTE_ELEMENT };

/* --- text into comparable form ------------------------------------------------- */

/* Appends lower case text with wide, Arabic and exotic forms of digits, colons
 * and blanks made plain, without emphasis marks and bidi controls. */
static void
normalize(GString *out, const char *text, size_t len)
{
    const char *p = text, *end = text + len;
    while (p < end) {
        unsigned char c = (unsigned char) *p;
        if (c < 0x80) {
            if (c == '\t')
                g_string_append_c(out, ' ');
            else if (c != '*' && c >= ' ')
                g_string_append_c(out, g_ascii_tolower(*p));
            p++;
            continue;
        }
        gunichar u = g_utf8_get_char(p);
        p = g_utf8_next_char(p);
        if (p > end)
            break;
        if (u == 0xa0 || u == 0x202f || u == 0x3000 ||
            (u >= 0x2000 && u <= 0x200a))
            g_string_append_c(out, ' ');
        else if ((u >= 0x200b && u <= 0x200f) || (u >= 0x202a && u <= 0x202e) ||
                 (u >= 0x2066 && u <= 0x2069) || u == 0xfeff || u == 0x2060)
            continue;
        else if (u >= 0xff01 && u <= 0xff5e)
            g_string_append_c(out, g_ascii_tolower((char) (u - 0xfee0)));
        else if (u >= 0x660 && u <= 0x669)
            g_string_append_c(out, (char) ('0' + (u - 0x660)));
        else if (u >= 0x6f0 && u <= 0x6f9)
            g_string_append_c(out, (char) ('0' + (u - 0x6f0)));
        else
            g_string_append_unichar(out,
                                    u == 0x130 ? 'i' : g_unichar_tolower(u));
    }
    while (out->len > 0 && out->str[out->len - 1] == ' ')
        g_string_truncate(out, out->len - 1);
}

static bool
is_word_byte(char c)
{
    return g_ascii_isalnum(c) || ((unsigned char) c & 0x80) != 0;
}

/* Is `word` in `text`, with no letter right before and after it? Scripts
 * without blanks need no such edge. */
static bool
has_word(const char *text, const char *word)
{
    size_t n = strlen(word);
    bool edges = (unsigned char) word[0] < 0xe0; /* below U+0800 */
    for (const char *p = text; (p = strstr(p, word)) != NULL; p++) {
        if (!edges ||
            ((p == text || !is_word_byte(p[-1])) && !is_word_byte(p[n])))
            return true;
    }
    return false;
}

/* --- evidence ---------------------------------------------------------------------- */

enum {
    HAS_ADDRESS = 1 << 0,
    HAS_DATE = 1 << 1,
    HAS_TIME = 1 << 2,
    HAS_VERB = 1 << 3,
    HAS_COLON = 1 << 4, /* ends with one */
    HAS_CLOSE = 1 << 5, /* no colon, but ends with the verb, or it has one */
};

static bool
has_address(const char *text)
{
    for (const char *at = text; (at = strchr(at, '@')) != NULL; at++) {
        if (at == text || !is_word_byte(at[-1]) || !is_word_byte(at[1]))
            continue;
        const char *p = at + 1;
        while (is_word_byte(*p) || *p == '-')
            p++;
        if (*p == '.' && is_word_byte(p[1]))
            return true;
        if (at > text && *p == '>') /* Notes: Ann Lee/Sales@ACME */
            return true;
    }
    return false;
}

/* Length of an IPv4 address at p, 0 when there is none: its parts look like
 * dates and times. */
static size_t
dotted_quad(const char *p)
{
    const char *q = p;
    for (int group = 0; group < 4; group++) {
        const char *digits = q;
        while (g_ascii_isdigit(*q) && q - digits < 4)
            q++;
        if (q == digits || (group < 3 && *q++ != '.'))
            return 0;
    }
    return g_ascii_isdigit(*q) ? 0 : (size_t) (q - p);
}

/* Numbers with what stands between them. */
static unsigned
dates_and_times(const char *text)
{
    unsigned found = 0, small = 0; /* one- and two-digit numbers */
    bool year = false;
    const char *p = text;
    while (*p != 0) {
        if (!g_ascii_isdigit(*p)) {
            p++;
            continue;
        }
        size_t quad = dotted_quad(p);
        if (quad > 0) {
            p += quad;
            continue;
        }
        const char *start = p;
        unsigned value = 0;
        while (g_ascii_isdigit(*p)) {
            if (p - start < 6)
                value = value * 10 + (unsigned) (*p - '0');
            p++;
        }
        size_t n = (size_t) (p - start);
        bool joined = start > text && (is_word_byte(start[-1]) &&
                                       ((unsigned char) start[-1] & 0x80) == 0);
        if (joined && start[-1] != 't') /* ISO 8601's T */
            continue;
        if (n == 4 && ((value >= 1990 && value < 2100) ||
                       (value >= 2533 && value < 2643))) { /* Buddhist era */
            year = true;
            if ((*p == '-' || *p == '/' || *p == '.') && g_ascii_isdigit(p[1]))
                found |= HAS_DATE;
            if (g_str_has_prefix(p, "年") || g_str_has_prefix(p, "년"))
                found |= HAS_DATE;
        } else if (n <= 2) {
            small++;
            if ((*p == '/' || *p == '.' || *p == '-') &&
                g_ascii_isdigit(p[1]) && value <= 31) {
                const char *q = p + 1;
                while (g_ascii_isdigit(*q))
                    q++;
                if (q - p <= 3 && *q == *p && g_ascii_isdigit(q[1]))
                    found |= HAS_DATE; /* 12/03/2026, 12.3.26 */
            }
            if (*p == '.' && p[1] == ' ' && g_ascii_isdigit(p[2]) &&
                value <= 31) {
                const char *q = p + 2;
                while (g_ascii_isdigit(*q))
                    q++;
                if (q - p <= 4 && *q == '.' && q[1] == ' ' &&
                    g_ascii_isdigit(q[2]))
                    found |= HAS_DATE; /* 12. 3. 26 */
            }
            if (value < 24 && (*p == ':' || *p == 'h' || *p == '.') &&
                g_ascii_isdigit(p[1]) && g_ascii_isdigit(p[2]) &&
                !g_ascii_isdigit(p[3]) && p[1] < '6' &&
                (*p != '.' || (p[3] != '.' && (n == 2 || p[3] == ' '))))
                found |= HAS_TIME;
            if (g_str_has_prefix(p, "時") || g_str_has_prefix(p, "时") ||
                g_str_has_prefix(p, "시 ") || g_str_has_prefix(p, "点"))
                found |= HAS_TIME;
            if ((*p == ' ' && (p[1] == 'a' || p[1] == 'p') && p[2] == 'm' &&
                 !is_word_byte(p[3])) ||
                ((*p == 'a' || *p == 'p') && p[1] == 'm' &&
                 !is_word_byte(p[2])))
                found |= HAS_TIME;
        }
    }
    if (year && small > 0)
        found |= HAS_DATE;
    return found;
}

/* Does a word of attributions end the text, or stand right before a colon?
 * "... wrote to me that" is prose. */
static bool
verb_closes(const char *text, size_t len)
{
    for (size_t i = 0; i < reply_n_wrote; i++) {
        const char *word = reply_wrote[i];
        size_t n = strlen(word);
        if (len >= n && memcmp(text + len - n, word, n) == 0)
            return true;
        const char *p = strstr(text, word);
        if (p != NULL && (p[n] == ':' || (p[n] == ' ' && p[n + 1] == ':')))
            return true;
    }
    return false;
}

/* Which pairs of neighbouring bytes a text has, of PAIR_BITS sorts: most words
 * have one that it has not, and need not be looked for. */
enum { PAIR_BITS = 2048 };

typedef struct {
    uint64_t bits[PAIR_BITS / 64];
} Pairs;

static unsigned
pair_of(const char *p)
{
    return ((unsigned char) p[0] * 67U + (unsigned char) p[1]) % PAIR_BITS;
}

static void
pairs_init(Pairs *pairs, const char *text, size_t len)
{
    memset(pairs, 0, sizeof *pairs);
    for (size_t i = 0; i + 1 < len; i++) {
        unsigned pair = pair_of(text + i);
        pairs->bits[pair / 64] |= UINT64_C(1) << pair % 64;
    }
}

/* `word` has two bytes or more. */
static bool
pairs_have(const Pairs *pairs, const char *word)
{
    unsigned pair = pair_of(word);
    return (pairs->bits[pair / 64] >> pair % 64 & 1) != 0;
}

static unsigned
evidence_of(const char *text, size_t len)
{
    unsigned found = dates_and_times(text);
    if (has_address(text))
        found |= HAS_ADDRESS;
    if (len > 0 && text[len - 1] == ':')
        found |= HAS_COLON;
    if (found == 0)
        return found;
    Pairs pairs;
    pairs_init(&pairs, text, len);
    for (size_t i = 0; i < reply_n_wrote; i++) {
        if (pairs_have(&pairs, reply_wrote[i]) &&
            has_word(text, reply_wrote[i])) {
            found |= HAS_VERB;
            break;
        }
    }
    if ((found & (HAS_VERB | HAS_COLON)) == HAS_VERB && verb_closes(text, len))
        found |= HAS_CLOSE;
    return found;
}

static unsigned
count_bits(unsigned bits)
{
    unsigned n = 0;
    for (; bits != 0; bits &= bits - 1)
        n++;
    return n;
}

/* --- the pass ---------------------------------------------------------------------------- */

typedef struct {
    Line *lines;
    size_t n;
    bool subject_forward, subject_reply;
    bool own_seen; /* a line of the author's came already */
    bool rest;     /* everything from here on has zone `rest_zone` */
    Zone rest_zone;
    Zone quote_zone; /* of the quoted lines that come next */
    GString *text;   /* scratch */
    unsigned work;   /* see afford() */
} Split;

/* Looks that cost much are counted: a person's mail has some dozens of lines
 * worth one, so whoever sends thousands gets the rest read as it stands. */
static bool
afford(Split *s, unsigned units)
{
    if (s->work > WORK_MAX)
        return false;
    s->work += units;
    return true;
}

static bool
is_blank_line(const Line *line)
{
    return line->len == 0;
}

static bool
is_quoted_line(const Line *line)
{
    return (line->flags & QUOTED_FLAGS) != 0;
}

/* The next line with text at or after i; s->n when there is none. */
static size_t
next_text(const Split *s, size_t i)
{
    while (i < s->n && is_blank_line(&s->lines[i]))
        i++;
    return i;
}

/* Can a line of this shape end an attribution? Cheap, for every line. */
static bool
may_end_attribution(const Line *line)
{
    if (line->len < 4)
        return false;
    if (line->len > ATTRIBUTION_MAX) /* Yahoo's app: their text goes on there */
        return memchr(line->text, '@', ATTRIBUTION_HEAD) != NULL;
    if ((line->flags & MARK_ATTRIBUTION) != 0)
        return true;
    const char *p = line->text;
    size_t n = line->len;
    for (;;) {
        if (n > 0 && (p[n - 1] == ' ' || p[n - 1] == '*' || p[n - 1] == '_'))
            n--;
        else if (n > 3 && (unsigned char) p[n - 3] == 0xe2 &&
                 ((unsigned char) p[n - 2] == 0x80 ||
                  (unsigned char) p[n - 2] == 0x81))
            n -= 3; /* bidi controls */
        else
            break;
    }
    if (n == 0)
        return false;
    if (p[n - 1] == ':')
        return true;
    if (n >= 3 && memcmp(p + n - 3, "\xef\xbc\x9a", 3) == 0)
        return true; /* full width */
    /* Some leave the colon out, or it was cut: then an address must be there,
     * or the verb at the end. */
    if (memchr(p, '@', n) != NULL)
        return true;
    return n >= 5 && (memcmp(p + n - 5, "wrote", 5) == 0 ||
                      memcmp(p + n - 5, "schri", 5) == 0);
}

/* Enough for an attribution? `quoted`: a quotation stands right below. */
static bool
is_enough(unsigned e, bool quoted, bool marked)
{
    unsigned facts = e & (HAS_ADDRESS | HAS_DATE | HAS_TIME);
    unsigned n = count_bits(facts);
    if (marked)
        return (e & (HAS_VERB | HAS_COLON)) != 0 || n > 0;
    if ((e & HAS_COLON) != 0) {
        if ((e & HAS_VERB) != 0)
            return n >= 2 || (quoted);
        return n == 3 || (quoted && n >= 2);
    }
    return (e & HAS_CLOSE) != 0 && (n == 3 || (quoted && n >= 2));
}

/* If an attribution ends at line i, where does it begin? s->n if none does. */
static size_t
attribution_start(Split *s, size_t i, bool quoted)
{
    const Line *last = &s->lines[i];
    if (!may_end_attribution(last) || !afford(s, 4))
        return s->n;
    bool marked = (last->flags & MARK_ATTRIBUTION) != 0;
    size_t best = s->n;
    unsigned best_count = 0;
    for (size_t k = 0; k < ATTRIBUTION_LINES && k <= i; k++) {
        size_t start = i - k;
        const Line *line = &s->lines[start];
        if (is_blank_line(line) || line->zone != ZONE_OWN ||
            is_quoted_line(line))
            break;
        if (k > 0 && line->len < FOLDED_MIN &&
            (line->flags & MARK_ATTRIBUTION) == 0 &&
            (line->len < FOLDED_MIN / 2 ||
             strpbrk(line->text, "0123456789") == NULL))
            break;
        g_string_truncate(s->text, 0);
        for (size_t j = start; j <= i; j++) {
            if (j > start)
                g_string_append_c(s->text, ' ');
            size_t n = s->lines[j].len;
            normalize(s->text, s->lines[j].text,
                      n > ATTRIBUTION_MAX ? ATTRIBUTION_HEAD : n);
            if (s->text->len > ATTRIBUTION_MAX)
                return best;
        }
        unsigned e = evidence_of(s->text->str, s->text->len);
        unsigned count = count_bits(e);
        if (is_enough(e, quoted, marked) && count > best_count) {
            best = start;
            best_count = count;
        }
    }
    return best;
}

/* "... Ann Lee < ann@example.org" and "> wrote:" on the next line: the bracket
 * was taken for a quote mark. */
static bool
split_at_bracket(Split *s, size_t i)
{
    if (i + 1 >= s->n)
        return false;
    const Line *line = &s->lines[i], *next = &s->lines[i + 1];
    if ((next->flags & LINE_QUOTE_MARK) == 0 || next->len > 40 ||
        next->len == 0 || line->len > ATTRIBUTION_MAX)
        return false;
    const char *open = strrchr(line->text, '<');
    if (!afford(s, 2) || open == NULL || strchr(open, '@') == NULL ||
        strchr(open, '>') != NULL)
        return false;
    g_string_truncate(s->text, 0);
    normalize(s->text, line->text, line->len);
    g_string_append_c(s->text, ' ');
    normalize(s->text, next->text, next->len);
    return is_enough(evidence_of(s->text->str, s->text->len), true, false);
}

/* --- header blocks -------------------------------------------------------------------------- */

/* Is there a colon, ASCII or of full width, where a field's name may end? */
static bool
may_be_field(const Line *line)
{
    const char *p = line->text, *end = p + MIN(line->len, NAME_MAX_BYTES);
    if (memchr(p, ':', (size_t) (end - p)) != NULL)
        return true;
    while ((p = memchr(p, 0xef, (size_t) (end - p))) != NULL) {
        if (end - p >= 3 && memcmp(p, "\xef\xbc\x9a", 3) == 0)
            return true;
        p++;
    }
    return false;
}

/* The field that a line begins, 0 when it begins none. *out_value is the
 * normalized field body, in s->text. */
static unsigned
field_of(Split *s, const Line *line, const char **out_value)
{
    if (!may_be_field(line))
        return 0;
    g_string_truncate(s->text, 0);
    normalize(s->text, line->text, MIN(line->len, FIELD_MAX));
    const char *p = s->text->str;
    while (*p == ' ' || *p == '_' || *p == '|')
        p++;
    const char *end = strchr(p, ':');
    if (end == NULL)
        return 0;
    size_t n = (size_t) (end - p);
    while (n > 0 && (p[n - 1] == ' ' || p[n - 1] == '_'))
        n--;
    unsigned kind = reply_field_kind(p, n);
    if (kind == 0)
        return 0;
    end++;
    while (*end == ' ' || *end == '_')
        end++;
    *out_value = end;
    return kind;
}

typedef struct {
    unsigned kinds;
    size_t end; /* behind its last line */
    bool address, date_time, from_is_number;
} Block;

/* Reads a header block that begins at line i. Lines that continue a field, and
 * one empty line between two fields, belong to it. */
static Block
read_block(Split *s, size_t i)
{
    Block block = { .end = i };
    size_t stop = MIN(s->n, i + BLOCK_LINES);
    size_t continuation = 0;
    bool quoted = is_quoted_line(&s->lines[i]);
    for (size_t j = i; j < stop; j++) {
        const Line *line = &s->lines[j];
        if (is_quoted_line(line) != quoted)
            break;
        if (is_blank_line(line)) {
            size_t next = next_text(s, j);
            const char *value;
            if (block.kinds == 0 || next >= stop || next > j + 1 ||
                (block.kinds & FIELD_SUBJECT) != 0 ||
                field_of(s, &s->lines[next], &value) == 0)
                break;
            continue;
        }
        const char *value = "";
        unsigned kind = field_of(s, line, &value);
        if (kind == 0) {
            /* a long list of recipients goes on */
            if ((block.kinds & (FIELD_FROM | FIELD_TO)) == 0 ||
                ++continuation > 6)
                break;
            size_t next = j + 1;
            const char *unused;
            while (next < stop && next < j + 6 &&
                   !is_blank_line(&s->lines[next]) &&
                   field_of(s, &s->lines[next], &unused) == 0)
                next++;
            if (next >= stop || is_blank_line(&s->lines[next]) ||
                field_of(s, &s->lines[next], &unused) == 0)
                break;
            j = next - 1;
            block.end = next;
            continue;
        }
        if ((kind & block.kinds & FIELD_FROM) != 0 &&
            (block.kinds & (FIELD_SUBJECT | FIELD_DATE)) != 0)
            break; /* the next block */
        block.kinds |= kind;
        block.end = j + 1;
        if (kind == FIELD_FROM) {
            block.from_is_number = g_ascii_isdigit(*value);
            if (*value == 0 && j + 1 < stop)
                block.from_is_number = g_ascii_isdigit(s->lines[j + 1].text[0]);
        }
        if ((kind & (FIELD_FROM | FIELD_TO)) != 0 && has_address(value))
            block.address = true;
        if ((kind & FIELD_DATE) != 0) {
            unsigned e = dates_and_times(value);
            block.date_time = (e & HAS_DATE) != 0 && (e & HAS_TIME) != 0;
        }
    }
    return block;
}

/* Is that what a mail program puts above an earlier mail? `announced`: a
 * separator or a rule stands above it. `top`: the body begins with it. */
static bool
is_header_block(const Block *b, bool announced, bool top)
{
    unsigned fields =
        b->kinds & (FIELD_FROM | FIELD_DATE | FIELD_TO | FIELD_SUBJECT);
    unsigned n = count_bits(fields);
    if (n < 2 || b->from_is_number)
        return false;
    bool from = (fields & FIELD_FROM) != 0;
    bool subject = (fields & FIELD_SUBJECT) != 0;
    bool date = (fields & FIELD_DATE) != 0;
    if (announced)
        return (from || b->date_time || b->address) && n >= 2;
    if (!from)
        return subject && n >= 3 && (b->date_time || b->address);
    /* A web form's mail begins with "From: ... Subject: ...", at times with a
     * date. */
    if (top && (!date || (n < 4 && (b->kinds & FIELD_SENT) != FIELD_SENT)))
        return false;
    if (n >= 3)
        return subject || b->address ||
               (b->date_time && (b->kinds & FIELD_SENT) == FIELD_SENT);
    return b->date_time || (subject && b->address);
}

/* Outlook's line stands above it: are these lines "Word: value", in words that
 * the tables lack? Returns the end of the block, i when it is none. */
static size_t
unknown_block(const Split *s, size_t i)
{
    size_t j = i;
    for (; j < s->n && j < i + BLOCK_LINES && !is_blank_line(&s->lines[j]);
         j++) {
        if (!may_be_field(&s->lines[j]))
            break;
    }
    return j - i >= 3 ? j : i;
}

/* Lotus Notes: a name, a date on a line of its own, then "To", "cc" and
 * "Subject", with or without colons, values beside or below them. If line i is
 * that date: the end of the block, else i. */
static size_t
notes_block(Split *s, size_t i)
{
    const Line *line = &s->lines[i];
    if (i == 0 || is_blank_line(&s->lines[i - 1]) || line->len > 40 ||
        line->len < 8 || !g_ascii_isdigit(line->text[0]))
        return i;
    g_string_truncate(s->text, 0);
    normalize(s->text, line->text, line->len);
    if (dates_and_times(s->text->str) != (HAS_DATE | HAS_TIME))
        return i;
    unsigned kinds = 0;
    size_t stop = MIN(s->n, i + BLOCK_LINES);
    for (size_t j = i + 1; j < stop; j++) {
        const Line *field = &s->lines[j];
        if (is_blank_line(field) || is_quoted_line(field))
            continue;
        const char *value;
        bool bare = false;
        unsigned kind = field_of(s, field, &value);
        if (kind == 0) {
            g_string_truncate(s->text, 0);
            normalize(s->text, field->text, MIN(field->len, NAME_MAX_BYTES));
            kind = reply_field_kind(s->text->str, s->text->len);
            bare = kind != 0;
        }
        if (kind == 0 && kinds == 0 && j > i + 3)
            return i;
        kinds |= kind;
        if (kind == FIELD_SUBJECT)
            return (kinds & FIELD_TO) == 0 ? i
                   : bare                  ? MIN(next_text(s, j + 1) + 1, s->n)
                                           : j + 1;
    }
    return i;
}

/* --- separators ------------------------------------------------------------------------------- */

static bool
is_dash(const char *p, size_t *out_bytes)
{
    if (*p == '-' || *p == '_' || *p == '=') {
        *out_bytes = 1;
        return true;
    }
    const unsigned char *c = (const unsigned char *) p;
    if (c[0] == 0xe2 && ((c[1] == 0x80 && c[2] >= 0x90 && c[2] <= 0x95) ||
                         (c[1] == 0x94 && c[2] == 0x80))) {
        *out_bytes = 3;
        return true;
    }
    return false;
}

typedef struct {
    bool found;
    bool forward;
} SeparatorFound;

static SeparatorFound
separator_of(Split *s, size_t i)
{
    const Line *line = &s->lines[i];
    SeparatorFound result = { false, false };
    if (line->len < 8 || line->len > 200)
        return result;
    size_t bytes;
    bool dashed = is_dash(line->text, &bytes) ||
                  (line->text[0] == '*' && is_dash(line->text + 1, &bytes));
    bool colon = line->text[line->len - 1] == ':' ||
                 line->text[line->len - 1] == '*' ||
                 (line->len > 3 &&
                  memcmp(line->text + line->len - 3, "\xef\xbc\x9a", 3) == 0);
    if ((!dashed && !colon) || !afford(s, 1))
        return result;
    g_string_truncate(s->text, 0);
    normalize(s->text, line->text, line->len);
    const char *p = s->text->str, *end = p + s->text->len;
    size_t before = 0, after = 0;
    while (p < end && (is_dash(p, &bytes) || *p == ' ')) {
        before += *p != ' ';
        p += *p == ' ' ? 1 : bytes;
    }
    while (end > p) {
        if (end[-1] == '-' || end[-1] == '_' || end[-1] == '=')
            end--, after++;
        else if (end - p >= 3 && is_dash(end - 3, &bytes) && bytes == 3)
            end -= 3, after++;
        else if (end[-1] == ' ' || end[-1] == ':')
            end--;
        else
            break;
    }
    g_autofree char *words = g_strndup(p, (gsize) (end - p));
    size_t n = strlen(words);
    if (n == 0)
        return result;
    if (before < 2 && before + after > 0)
        return result;
    for (size_t k = 0; k < reply_n_separators; k++) {
        const Separator *separator = &reply_separators[k];
        if (before == 0 ? separator->bare && strcmp(words, separator->text) == 0
                        : g_str_has_prefix(words, separator->text)) {
            result.found = true;
            result.forward = separator->forward;
            return result;
        }
    }
    if (before < 3 || after < 3)
        return result;
    unsigned e = evidence_of(words, n);
    unsigned facts = count_bits(e & (HAS_ADDRESS | HAS_DATE | HAS_TIME));
    if (facts >= 2 || ((e & HAS_VERB) != 0 && facts >= 1)) {
        result.found = true;
        return result;
    }
    size_t next = next_text(s, i + 1);
    const char *value;
    if (next < s->n && next <= i + 2 &&
        field_of(s, &s->lines[next], &value) != 0) {
        Block block = read_block(s, next);
        result.found = is_header_block(&block, true, false);
    }
    return result;
}

static bool
is_above_line(Split *s, const Line *line)
{
    if (line->len < 12 || line->len > 300)
        return false;
    /* Most stand between dashes or number signs; bare ones only in English. */
    if (strchr("#-=_*>~[", line->text[0]) == NULL &&
        (unsigned char) line->text[0] != 0xe2 &&
        strstr(line->text, "above") == NULL)
        return false;
    if (!afford(s, 1))
        return false;
    g_string_truncate(s->text, 0);
    normalize(s->text, line->text, line->len);
    for (size_t i = 0; i < reply_n_above_line; i++) {
        if (strstr(s->text->str, reply_above_line[i]) != NULL)
            return true;
    }
    return false;
}

/* --- zones ---------------------------------------------------------------------------------------- */

static void
set_zone(Split *s, size_t from, size_t to, Zone zone)
{
    for (size_t i = from; i < to && i < s->n; i++)
        s->lines[i].zone = zone;
}

/* What was introduced at [from, to) begins: quoted lines right below have
 * their own end, anything else lasts to the end of the text. */
static void
begin_earlier(Split *s, size_t to, Zone zone)
{
    size_t next = next_text(s, to);
    s->quote_zone = zone;
    if (next < s->n && is_quoted_line(&s->lines[next]))
        return;
    if (next < s->n && (s->lines[next].flags & MARK_INDENT) != 0) {
        for (; next < s->n && (is_blank_line(&s->lines[next]) ||
                               (s->lines[next].flags & MARK_INDENT) != 0);
             next++)
            s->lines[next].flags |= LINE_QUOTE_ELEMENT;
        return;
    }
    s->rest = true;
    s->rest_zone = zone;
}

static Zone
zone_of_block(const Split *s)
{
    if (s->subject_forward)
        return ZONE_FORWARDED;
    if (!s->own_seen && !s->subject_reply)
        return ZONE_FORWARDED;
    return ZONE_QUOTED;
}

/* A rule or a separator right above belongs to what follows it. */
static void
claim_rule_above(Split *s, size_t i, Zone zone)
{
    size_t k = i;
    while (k > 0 && is_blank_line(&s->lines[k - 1]))
        k--;
    if (k == 0)
        return;
    Line *line = &s->lines[k - 1];
    if (line->zone != ZONE_OWN || line->len < 3)
        return;
    const char *p = line->text;
    size_t bytes;
    while (*p != 0 && (is_dash(p, &bytes) || *p == ' '))
        p += *p == ' ' ? 1 : bytes;
    if (*p == 0)
        line->zone = zone;
}

/* Examines one line of the author's; returns the next line to look at. */
static size_t
examine(Split *s, size_t i)
{
    Line *line = &s->lines[i];
    size_t below = next_text(s, i + 1);
    bool quoted = below < s->n && (is_quoted_line(&s->lines[below]) ||
                                   (s->lines[below].flags & MARK_INDENT) != 0);

    SeparatorFound separator = separator_of(s, i);
    if (separator.found) {
        Zone zone = separator.forward || s->subject_forward ? ZONE_FORWARDED
                                                            : ZONE_QUOTED;
        line->zone = zone == ZONE_FORWARDED ? zone : ZONE_ATTRIBUTION;
        size_t end = i + 1;
        if (below < s->n && !is_quoted_line(&s->lines[below])) {
            Block block = read_block(s, below);
            if (block.kinds != 0 && zone != ZONE_FORWARDED)
                set_zone(s, i, block.end, ZONE_ATTRIBUTION);
            else if (block.kinds != 0)
                set_zone(s, i, block.end, ZONE_FORWARDED);
            end = MAX(end, block.end);
        }
        begin_earlier(s, end, zone);
        return end;
    }

    const char *value;
    if (field_of(s, line, &value) != 0 && afford(s, 3)) {
        bool announced =
            (line->flags & (LINE_AFTER_RULE | MARK_BORDER | MARK_REST)) != 0;
        Block block = read_block(s, i);
        if (is_header_block(&block, announced,
                            !s->own_seen && !s->subject_reply &&
                                !s->subject_forward)) {
            Zone zone = zone_of_block(s);
            Zone head = zone == ZONE_FORWARDED ? zone : ZONE_ATTRIBUTION;
            claim_rule_above(s, i, head);
            set_zone(s, i, block.end, head);
            begin_earlier(s, block.end, zone);
            return block.end;
        }
    }

    size_t block_end = i;
    if ((line->flags & MARK_BORDER) != 0)
        block_end = unknown_block(s, i);
    size_t block_start = i;
    if (block_end == i && (block_end = notes_block(s, i)) > i)
        block_start = i - 1; /* the name above the date */
    if (block_end > i) {
        set_zone(s, block_start, block_end, ZONE_ATTRIBUTION);
        begin_earlier(s, block_end, zone_of_block(s));
        return block_end;
    }

    if ((line->flags & (MARK_REST | MARK_FORWARD)) != 0) {
        Zone zone = (line->flags & MARK_FORWARD) != 0 ? ZONE_FORWARDED
                                                      : zone_of_block(s);
        line->zone = zone;
        s->rest = true;
        s->rest_zone = zone;
        return i + 1;
    }

    if (split_at_bracket(s, i)) {
        set_zone(s, i, i + 2, ZONE_ATTRIBUTION);
        begin_earlier(s, i + 2, ZONE_QUOTED);
        return i + 2;
    }
    size_t start = attribution_start(s, i, quoted);
    if (start < s->n) {
        claim_rule_above(s, start, ZONE_ATTRIBUTION);
        set_zone(s, start, i + 1, ZONE_ATTRIBUTION);
        begin_earlier(s, i + 1,
                      s->subject_forward && !s->own_seen ? ZONE_FORWARDED
                                                         : ZONE_QUOTED);
        return i + 1;
    }

    if (s->own_seen && is_above_line(s, line)) {
        line->zone = ZONE_ATTRIBUTION;
        s->rest = true;
        s->rest_zone = ZONE_QUOTED;
        return i + 1;
    }

    /* The rest of a quoted line that was wrapped without its mark. */
    if (i > 0 && i + 1 < s->n && line->len <= 40 &&
        g_ascii_islower(line->text[0]) &&
        (s->lines[i - 1].flags & LINE_QUOTE_MARK) != 0 &&
        s->lines[i - 1].len >= 55 &&
        (s->lines[i + 1].flags & LINE_QUOTE_MARK) != 0) {
        line->zone = s->quote_zone;
        return i + 1;
    }
    s->own_seen = true;
    s->quote_zone = ZONE_QUOTED;
    return i + 1;
}

static void
read_subject(Split *s, const char *subject)
{
    if (subject == NULL)
        return;
    g_string_truncate(s->text, 0);
    normalize(s->text, subject, MIN(strlen(subject), (size_t) 200));
    const char *p = s->text->str;
    while (*p == ' ' || *p == '[')
        p++;
    const char *colon = strchr(p, ':');
    if (colon == NULL)
        return;
    size_t n = (size_t) (colon - p);
    const char *bracket = memchr(p, '[', n); /* "Re[2]:" */
    if (bracket == NULL)
        bracket = memchr(p, '(', n);
    if (bracket != NULL)
        n = (size_t) (bracket - p);
    while (n > 0 && p[n - 1] == ' ')
        n--;
    for (size_t i = 0; i < reply_n_prefixes; i++) {
        const Prefix *prefix = &reply_prefixes[i];
        if (strncmp(prefix->text, p, n) == 0 && prefix->text[n] == 0) {
            s->subject_forward = prefix->forward;
            s->subject_reply = !prefix->forward;
            return;
        }
    }
}

/* Empty lines belong to what surrounds them. */
static void
settle_blanks(Split *s)
{
    Zone before = ZONE_OWN;
    for (size_t i = 0; i < s->n; i++) {
        if (!is_blank_line(&s->lines[i])) {
            before = s->lines[i].zone;
            continue;
        }
        size_t next = next_text(s, i);
        Zone after = next < s->n ? s->lines[next].zone : before;
        Zone zone = before == after              ? before
                    : before == ZONE_ATTRIBUTION ? after
                    : after == ZONE_ATTRIBUTION  ? before
                                                 : ZONE_OWN;
        set_zone(s, i, next, zone);
        i = next - 1;
    }
}

/* ">From Monday on": an mbox file's escape, no quotation. */
static bool
is_mbox_escape(const Split *s, size_t i)
{
    const Line *line = &s->lines[i];
    return line->quote_depth == 1 && (line->flags & LINE_QUOTE_MARK) != 0 &&
           g_str_has_prefix(line->text, "From ") &&
           (i == 0 || !is_quoted_line(&s->lines[i - 1])) &&
           (i + 1 >= s->n || !is_quoted_line(&s->lines[i + 1]));
}

void
reply_split(Body *body, const char *subject)
{
    Split split = { .lines = body->lines,
                    .n = body->n_lines,
                    .quote_zone = ZONE_QUOTED };
    Split *s = &split;
    g_autoptr(GString) text = g_string_sized_new(1024);
    s->text = text;
    read_subject(s, subject);

    for (size_t i = 0; i < s->n; i++)
        s->lines[i].zone = ZONE_OWN;
    size_t i = 0;
    while (i < s->n) {
        Line *line = &s->lines[i];
        if (s->rest) {
            line->zone = s->rest_zone;
            i++;
        } else if (is_blank_line(line)) {
            i++;
        } else if (is_quoted_line(line) && !is_mbox_escape(s, i)) {
            line->zone = s->quote_zone;
            i++;
        } else {
            i = examine(s, i);
        }
    }
    settle_blanks(s);
}
