/*
 * bounce_match.c - see bounce_match.h
 *
 * An Aho-Corasick automaton, made deterministic: one table look-up for each
 * byte whatever the number of phrases, so the cost of hostile text is that of
 * any other. Bytes that no phrase contains share one column, which keeps the
 * table small.
 *
 * The text is not copied or lower-cased beforehand. fold() feeds the automaton
 * with what people see as the same: any white space is one blank (phrases run
 * over line ends), Latin, Greek and Cyrillic letters are small, typographic apostrophes and blanks are plain. Offsets are those of the text
 * as it stands.
 */
#include "analysis/bounce_match.h"

#include <string.h>

enum { NO_ROW = 0xffff };

struct PhraseSet {
    uint8_t column[256]; /* byte to column; 0: in no phrase */
    unsigned n_columns;
    unsigned n_states;
    uint16_t *next; /* [state * n_columns + column] */
    uint16_t *row;  /* [state]: the row that ends here, or NO_ROW */
    uint16_t *also; /* [state]: a shorter suffix that ends a row; 0 none */
    GPtrArray *rows;
};

static uint16_t
trie_add(GArray *children, GArray *ends, unsigned n_columns, uint16_t state,
         uint8_t column)
{
    size_t at = (size_t) state * n_columns + column;
    uint16_t child = g_array_index(children, uint16_t, at);
    if (child != 0)
        return child;

    g_assert(ends->len < NO_ROW); /* our own tables: never that many */
    child = (uint16_t) ends->len;
    g_array_index(children, uint16_t, at) = child;
    g_array_set_size(children, (ends->len + 1) * n_columns);
    uint16_t none = NO_ROW;
    g_array_append_val(ends, none);
    return child;
}

/* Breadth first: each missing transition becomes that of the longest proper
 * suffix, which is nearer to the root and so already complete. */
static void
complete(PhraseSet *set)
{
    g_autofree uint16_t *suffix = g_new0(uint16_t, set->n_states);
    g_autofree uint16_t *queue = g_new0(uint16_t, set->n_states);
    unsigned head = 0, tail = 0;

    for (unsigned c = 0; c < set->n_columns; c++)
        if (set->next[c] != 0)
            queue[tail++] = set->next[c];

    while (head < tail) {
        uint16_t state = queue[head++];
        uint16_t shorter = suffix[state];
        set->also[state] =
            set->row[shorter] != NO_ROW ? shorter : set->also[shorter];
        for (unsigned c = 0; c < set->n_columns; c++) {
            uint16_t *to = &set->next[(size_t) state * set->n_columns + c];
            uint16_t of_suffix =
                set->next[(size_t) shorter * set->n_columns + c];
            if (*to == 0) {
                *to = of_suffix;
            } else {
                suffix[*to] = of_suffix;
                queue[tail++] = *to;
            }
        }
    }
}

PhraseSet *
phrase_set_new(const Phrase *const *tables, size_t n_tables)
{
    PhraseSet *set = g_new0(PhraseSet, 1);
    set->rows = g_ptr_array_new();
    set->n_columns = 1;
    for (size_t t = 0; t < n_tables; t++) {
        for (const Phrase *p = tables[t]; p->text != NULL; p++) {
            g_ptr_array_add(set->rows, (gpointer) p);
            for (const char *s = p->text; *s != '\0'; s++)
                if (set->column[(uint8_t) *s] == 0)
                    set->column[(uint8_t) *s] = (uint8_t) set->n_columns++;
        }
    }
    g_assert(set->rows->len < NO_ROW);

    g_autoptr(GArray) children = g_array_new(FALSE, TRUE, sizeof(uint16_t));
    g_autoptr(GArray) ends = g_array_new(FALSE, TRUE, sizeof(uint16_t));
    g_array_set_size(children, set->n_columns);
    uint16_t none = NO_ROW;
    g_array_append_val(ends, none);
    for (unsigned i = 0; i < set->rows->len; i++) {
        const Phrase *p = g_ptr_array_index(set->rows, i);
        uint16_t state = 0;
        for (const char *s = p->text; *s != '\0'; s++)
            state = trie_add(children, ends, set->n_columns, state,
                             set->column[(uint8_t) *s]);
        /* Of two equal rows the first counts. */
        if (g_array_index(ends, uint16_t, state) == NO_ROW)
            g_array_index(ends, uint16_t, state) = (uint16_t) i;
    }

    set->n_states = ends->len;
    set->next = g_memdup2(children->data, children->len * sizeof(uint16_t));
    set->row = g_memdup2(ends->data, ends->len * sizeof(uint16_t));
    set->also = g_new0(uint16_t, set->n_states);
    complete(set);
    return set;
}

void
phrase_set_free(PhraseSet *set)
{
    if (set == NULL)
        return;
    g_free(set->next);
    g_free(set->row);
    g_free(set->also);
    g_ptr_array_unref(set->rows);
    g_free(set);
}

/* The sequence at text[*at] as it is fed: writes 1 to 2 bytes to `out`, moves
 * *at behind what was used, and returns the number of bytes written. */
static size_t
fold(const char *text, size_t len, size_t *at, uint8_t out[2])
{
    uint8_t c = (uint8_t) text[*at];
    size_t left = len - *at;
    const char *s = text + *at;

    if (c == 0xe2 && left >= 3 && (uint8_t) s[1] == 0x80 &&
        ((uint8_t) s[2] == 0x98 || (uint8_t) s[2] == 0x99)) {
        *at += 3;
        out[0] = '\'';
        return 1;
    }
    if ((c == 0xc2 && left >= 2 && (uint8_t) s[1] == 0xa0) ||
        (c == 0xe3 && left >= 3 && (uint8_t) s[1] == 0x80 &&
         (uint8_t) s[2] == 0x80)) {
        *at += c == 0xc2 ? 2 : 3;
        out[0] = ' ';
        return 1;
    }
    /* Letters of two bytes: Latin, Greek, Cyrillic. */
    if (c >= 0xc3 && c <= 0xd3 && left >= 2 &&
        ((uint8_t) s[1] & 0xc0) == 0x80) {
        gunichar small = g_unichar_tolower(
            (gunichar) ((c & 0x1f) << 6 | ((uint8_t) s[1] & 0x3f)));
        if (small >= 0x800)
            small = 'x'; /* longer than its capital: in none of the tables */
        *at += 2;
        if (small < 0x80) { /* Turkish I with a dot */
            out[0] = (uint8_t) small;
            return 1;
        }
        out[0] = (uint8_t) (0xc0 | small >> 6);
        out[1] = (uint8_t) (0x80 | (small & 0x3f));
        return 2;
    }
    (*at)++;
    out[0] = c;
    return 1;
}

/* "unknown address" within "unknown address error" says nothing of its own.
 * Only few hits can end within the length of a phrase, so this is linear. */
static void
mark_parts(PhraseHit *hits, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const Phrase *whole = hits[i].phrase;
        size_t len = strlen(whole->text);
        size_t start = hits[i].end - MIN(hits[i].end, len);
        for (size_t k = i; k-- > 0 && hits[k].end > start;)
            if (hits[k].end >= start + strlen(hits[k].phrase->text))
                hits[k].within = whole;
        /* Of those that end together the longest stands first. */
        for (size_t k = i + 1; k < n && hits[k].end == hits[i].end; k++)
            hits[k].within = whole;
    }
}

size_t
phrase_set_scan(const PhraseSet *set, const char *text, size_t len,
                PhraseHit *hits, size_t max)
{
    /* What an ASCII byte becomes: its column, or BLANK. */
    enum { BLANK = 0xff };
    uint8_t ascii[128];
    for (unsigned c = 0; c < 128; c++)
        ascii[c] = (c == ' ' || (c >= '\t' && c <= '\r'))
                       ? BLANK
                       : set->column[(uint8_t) g_ascii_tolower((char) c)];

    size_t n = 0;
    unsigned state = set->next[set->column[' ']];
    bool blank = true;
    for (size_t at = 0; at <= len;) {
        uint8_t fed[2];
        size_t n_fed = 1;
        uint8_t c = at < len ? (uint8_t) text[at] : ' ';
        uint8_t column;
        if (c < 0x80) {
            at++;
            column = ascii[c];
        } else {
            n_fed = fold(text, len, &at, fed);
            column = fed[0] == ' ' ? BLANK : set->column[fed[0]];
        }
        if (column == BLANK) {
            if (blank)
                continue;
            column = set->column[' '];
            blank = true;
        } else {
            blank = false;
        }
        state = set->next[state * set->n_columns + column];
        if (n_fed == 2)
            state = set->next[state * set->n_columns + set->column[fed[1]]];

        for (unsigned s = state; s != 0; s = set->also[s]) {
            if (set->row[s] == NO_ROW)
                continue;
            if (n == max) {
                mark_parts(hits, n);
                return n;
            }
            hits[n].end = (uint32_t) MIN(at, len);
            hits[n].within = NULL;
            hits[n].phrase = g_ptr_array_index(set->rows, set->row[s]);
            n++;
        }
    }
    mark_parts(hits, n);
    return n;
}
