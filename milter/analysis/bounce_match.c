/*
 * bounce_match.c - see bounce_match.h
 *
 * Aho-Corasick automata: at most two table look-ups for each byte in the mean,
 * whatever the number of phrases, so the cost of hostile text is that of any
 * other. States where phrases part are made deterministic; those in the middle
 * of a phrase, 19 of 20, know the one byte that goes on and the suffix
 * to try with any other. Bytes that no phrase contains share one column. All
 * that keeps the tables small, and small means fast: they should stay in the
 * processor's cache, and each page that is filled at the start costs a fault
 * (5 MB of them were a quarter of the start of a process). So the phrases in
 * ASCII have an automaton of their own, and the one for the others runs only
 * where the text has other bytes.
 *
 * The text is not copied or lower-cased beforehand. fold() feeds the automaton
 * with what people see as the same: any white space is one blank (phrases run
 * over line ends), Latin, Greek and Cyrillic letters are small, typographic
 * apostrophes and blanks are plain. Offsets are those of the text as it stands.
 */
#include "analysis/bounce_match.h"

#include <string.h>

enum {
    NO_ROW = 0xffff,
    STATES_MAX = 0x8000, /* the highest bit of a transition is ENDS */
    ENDS = 0x8000,       /* a phrase ends in the state that it leads to */
    NO_TABLE = 0xffff,   /* of `State.table` */
    BLANK = 0xff         /* of `ascii`: white space */
};

typedef struct {
    uint16_t table;  /* its transitions in `next`, or NO_TABLE: */
    uint16_t child;  /* the one on `column`, maybe with ENDS; */
    uint16_t suffix; /* on the others, those of this shorter state */
    uint8_t column;  /* 0, with 0 as child: none goes on */
} State;

typedef struct {
    uint8_t column[256]; /* byte to column; 0: in no phrase */
    uint8_t ascii[128];  /* the same for letters of both cases, or BLANK */
    unsigned n_columns;
    unsigned n_states;
    State *states;
    uint16_t *next; /* [table * n_columns + column], maybe with ENDS */
    uint16_t *row;  /* [state]: the row that ends here, or NO_ROW */
    uint16_t *also; /* [state]: a shorter suffix that ends a row; 0 none */
    GPtrArray *rows;
} Automaton;

struct PhraseSet {
    Automaton plain; /* phrases in ASCII */
    Automaton other;
    GPtrArray *spelt; /* rows of our own, see spell() */
};

/* The trie before it is made deterministic. */
typedef struct {
    uint16_t child, sibling; /* 0: none */
    uint16_t row;            /* that ends here, or NO_ROW */
    uint16_t suffix;         /* in the final numbers */
    uint8_t column;
} TrieNode;

static uint16_t
trie_add(GArray *trie, uint16_t state, uint8_t column)
{
    for (uint16_t at = g_array_index(trie, TrieNode, state).child; at != 0;
         at = g_array_index(trie, TrieNode, at).sibling)
        if (g_array_index(trie, TrieNode, at).column == column)
            return at;

    g_assert(trie->len < STATES_MAX); /* our own tables: never that many */
    TrieNode node = { .sibling = g_array_index(trie, TrieNode, state).child,
                      .row = NO_ROW,
                      .column = column };
    g_array_append_val(trie, node);
    g_array_index(trie, TrieNode, state).child = (uint16_t) (trie->len - 1);
    return (uint16_t) (trie->len - 1);
}

static inline unsigned
step(const Automaton *a, unsigned state, uint8_t column)
{
    for (;;) {
        const State *s = &a->states[state];
        if (s->table != NO_TABLE)
            return a->next[(size_t) s->table * a->n_columns + column];
        if (s->column == column)
            return s->child;
        state = s->suffix;
    }
}

/* All transitions of `state`, which has no children yet, as one table. */
static void
fill_table(const Automaton *a, unsigned state, uint16_t *next)
{
    const State *s = &a->states[state];
    if (s->table != NO_TABLE) {
        memcpy(next, &a->next[(size_t) s->table * a->n_columns],
               a->n_columns * sizeof *next);
        return;
    }
    fill_table(a, s->suffix, next);
    next[s->column] = s->child;
}

static bool
is_fork(const TrieNode *trie, uint16_t node)
{
    return node == 0 ||
           (trie[node].child != 0 && trie[trie[node].child].sibling != 0);
}

/* Breadth first: a state's transitions are those of its longest proper suffix,
 * which is nearer to the root and so already complete, but for its own
 * children. States are numbered anew in that order: the shallow ones, where
 * nearly all text stays, become neighbours in memory. */
static void
complete(Automaton *a, TrieNode *trie)
{
    const unsigned n_columns = a->n_columns;
    g_autofree uint16_t *queue = g_new(uint16_t, a->n_states);
    unsigned tail = 1;
    unsigned n_tables = 0;

    for (unsigned i = 0; i < a->n_states; i++)
        n_tables += is_fork(trie, (uint16_t) i);
    a->next = g_new0(uint16_t, (size_t) n_tables * n_columns);
    a->states = g_new(State, a->n_states);
    a->row = g_new(uint16_t, a->n_states);
    a->also = g_new0(uint16_t, a->n_states);
    queue[0] = 0;
    a->row[0] = trie[0].row;
    n_tables = 0;
    for (unsigned state = 0; state < tail; state++) {
        const TrieNode *node = &trie[queue[state]];
        State *s = &a->states[state];
        bool fork = is_fork(trie, queue[state]);
        uint16_t *next = &a->next[(size_t) n_tables * n_columns];
        *s = (State){ .table = fork ? (uint16_t) n_tables++ : NO_TABLE,
                      .suffix = node->suffix };
        if (fork && state != 0)
            fill_table(a, node->suffix, next);
        for (uint16_t child = node->child; child != 0;
             child = trie[child].sibling) {
            uint8_t column = trie[child].column;
            uint16_t suffix = 0;
            if (state != 0)
                suffix = (uint16_t) (step(a, node->suffix, column) &
                                     ~(unsigned) ENDS);
            trie[child].suffix = suffix;
            a->row[tail] = trie[child].row;
            a->also[tail] = a->row[suffix] != NO_ROW ? suffix : a->also[suffix];
            bool ends = a->row[tail] != NO_ROW || a->also[tail] != 0;
            uint16_t to = (uint16_t) (tail | (ends ? ENDS : 0));
            if (fork) {
                next[column] = to;
            } else {
                s->column = column;
                s->child = to;
            }
            queue[tail++] = child;
        }
    }
}

static int
by_text(gconstpointer a, gconstpointer b, gpointer data)
{
    const GPtrArray *rows = data;
    unsigned i = *(const uint16_t *) a, k = *(const uint16_t *) b;
    const Phrase *x = g_ptr_array_index(rows, i);
    const Phrase *y = g_ptr_array_index(rows, k);
    int order = strcmp(x->text, y->text);
    return order != 0 ? order : i < k ? -1 : 1;
}

static void
automaton_init(Automaton *a, GPtrArray *rows)
{
    a->rows = rows;
    a->n_columns = 1;
    for (unsigned i = 0; i < rows->len; i++) {
        const Phrase *p = g_ptr_array_index(rows, i);
        for (const char *s = p->text; *s != '\0'; s++)
            if (a->column[(uint8_t) *s] == 0)
                a->column[(uint8_t) *s] = (uint8_t) a->n_columns++;
    }
    g_assert(rows->len < NO_ROW && a->n_columns < BLANK);
    for (unsigned c = 0; c < 128; c++)
        a->ascii[c] = c == ' ' || (c >= '\t' && c <= '\r')
                          ? BLANK
                          : a->column[(uint8_t) g_ascii_tolower((char) c)];

    g_autoptr(GArray) trie =
        g_array_sized_new(FALSE, FALSE, sizeof(TrieNode), STATES_MAX);
    TrieNode root = { .row = NO_ROW };
    g_array_append_val(trie, root);
    /* In the order of their letters, so that trie_add() finds a child that is
     * there at the head of its list. */
    g_autofree uint16_t *order = g_new(uint16_t, rows->len);
    for (unsigned i = 0; i < rows->len; i++)
        order[i] = (uint16_t) i;
    g_qsort_with_data(order, (gint) rows->len, sizeof *order, by_text, rows);
    for (unsigned k = 0; k < rows->len; k++) {
        unsigned i = order[k];
        const Phrase *p = g_ptr_array_index(rows, i);
        uint16_t state = 0;
        for (const char *s = p->text; *s != '\0'; s++)
            state = trie_add(trie, state, a->column[(uint8_t) *s]);
        /* Of two equal rows the first counts. */
        uint16_t *row = &g_array_index(trie, TrieNode, state).row;
        if (*row == NO_ROW)
            *row = (uint16_t) i;
    }

    a->n_states = trie->len;
    complete(a, &g_array_index(trie, TrieNode, 0));
}

static void
automaton_clear(Automaton *a)
{
    g_free(a->states);
    g_free(a->next);
    g_free(a->row);
    g_free(a->also);
    g_ptr_array_unref(a->rows);
}

/* How servers that know ASCII alone spell the words: "uzytkownik", "Empfanger"
 * or, with `digraphs`, "Empfaenger". NULL when the script has no such way. */
static char *
spell(const char *text, bool digraphs)
{
    static const struct {
        gunichar letter;
        const char *one, *two;
    } letters[] = {
        { 0xdf, "ss", "ss" }, { 0xe4, "a", "ae" }, { 0xe5, "a", "aa" },
        { 0xe6, "ae", "ae" }, { 0xf6, "o", "oe" }, { 0xf8, "o", "oe" },
        { 0xfc, "u", "ue" },  { 0xf0, "d", "d" },  { 0x111, "d", "d" },
        { 0x131, "i", "i" },  { 0x142, "l", "l" }, { 0x153, "oe", "oe" },
        { 0x2019, "'", "'" },
    };
    GString *out = g_string_new(NULL);
    for (const char *p = text; *p != '\0'; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        const char *known = NULL;
        for (size_t i = 0; i < G_N_ELEMENTS(letters) && known == NULL; i++)
            if (letters[i].letter == c)
                known = digraphs ? letters[i].two : letters[i].one;
        gunichar base[G_UNICHAR_MAX_DECOMPOSITION_LENGTH] = { c };
        if (c >= 0x80 && known == NULL)
            (void) g_unichar_fully_decompose(c, FALSE, base,
                                             G_N_ELEMENTS(base));
        if (known != NULL) {
            g_string_append(out, known);
        } else if (base[0] < 0x80) {
            g_string_append_c(out, (char) base[0]);
        } else {
            g_string_free(out, TRUE);
            return NULL;
        }
    }
    return g_string_free(out, FALSE);
}

static void
phrase_free(gpointer row)
{
    Phrase *phrase = row;
    g_free((gpointer) phrase->text);
    g_free(phrase);
}

/* Behind the rows of the tables, which count first where both are equal. */
static void
add_spellings(const GPtrArray *other, GPtrArray *plain, GPtrArray *spelt)
{
    for (unsigned i = 0; i < other->len; i++) {
        const Phrase *p = g_ptr_array_index(other, i);
        char *one = spell(p->text, false);
        if (one == NULL)
            continue;
        char *two = spell(p->text, true);
        char *both[] = { one, strcmp(one, two) != 0 ? two : NULL };
        for (size_t k = 0; k < G_N_ELEMENTS(both) && both[k] != NULL; k++) {
            Phrase *row = g_memdup2(p, sizeof *p);
            row->text = both[k];
            g_ptr_array_add(spelt, row);
            g_ptr_array_add(plain, row);
        }
        if (both[1] == NULL)
            g_free(two);
    }
}

PhraseSet *
phrase_set_new(const Phrase *const *tables, size_t n_tables)
{
    GPtrArray *plain = g_ptr_array_new();
    GPtrArray *other = g_ptr_array_new();
    for (size_t t = 0; t < n_tables; t++)
        for (const Phrase *p = tables[t]; p->text != NULL; p++)
            g_ptr_array_add(g_str_is_ascii(p->text) ? plain : other,
                            (gpointer) p);
    PhraseSet *set = g_new0(PhraseSet, 1);
    set->spelt = g_ptr_array_new_with_free_func(phrase_free);
    add_spellings(other, plain, set->spelt);
    automaton_init(&set->plain, plain);
    automaton_init(&set->other, other);
    return set;
}

void
phrase_set_free(PhraseSet *set)
{
    if (set == NULL)
        return;
    automaton_clear(&set->plain);
    automaton_clear(&set->other);
    g_ptr_array_unref(set->spelt);
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
            if (hits[k].end >= start + strlen(hits[k].phrase->text) &&
                strlen(hits[k].phrase->text) < len)
                hits[k].within = whole;
        for (size_t k = i + 1; k < n && hits[k].end == hits[i].end; k++)
            if (strlen(hits[k].phrase->text) < len)
                hits[k].within = whole;
    }
}

static size_t
automaton_scan(const Automaton *a, const char *text, size_t len,
               PhraseHit *hits, size_t max, bool *out_other)
{
    const uint8_t blank_column = a->column[' '];
    size_t n = 0;
    unsigned state = step(a, 0, blank_column) & ~(unsigned) ENDS;
    bool blank = true;

    for (size_t at = 0; at <= len;) {
        uint8_t fed[2];
        size_t n_fed = 1;
        uint8_t c = at < len ? (uint8_t) text[at] : ' ';
        uint8_t column;
        if (c < 0x80) {
            at++;
            column = a->ascii[c];
        } else {
            *out_other = true;
            n_fed = fold(text, len, &at, fed);
            column = fed[0] == ' ' ? BLANK : a->column[fed[0]];
        }
        if (column == BLANK) {
            if (blank)
                continue;
            column = blank_column;
            blank = true;
        } else {
            blank = false;
        }
        unsigned to = step(a, state, column);
        if (n_fed == 2)
            to = step(a, to & ~(unsigned) ENDS, a->column[fed[1]]);
        state = to & ~(unsigned) ENDS;
        if ((to & ENDS) == 0)
            continue;
        for (unsigned s = state; s != 0; s = a->also[s]) {
            if (a->row[s] == NO_ROW)
                continue;
            if (n == max)
                return n;
            hits[n].end = (uint32_t) MIN(at, len);
            hits[n].within = NULL;
            hits[n].phrase = g_ptr_array_index(a->rows, a->row[s]);
            n++;
        }
    }
    return n;
}

size_t
phrase_set_scan(const PhraseSet *set, const char *text, size_t len,
                PhraseHit *hits, size_t max)
{
    bool other = false;
    size_t n = automaton_scan(&set->plain, text, len, hits, max, &other);
    if (other && set->other.rows->len > 0) {
        g_autofree PhraseHit *more = g_new(PhraseHit, max);
        size_t n_more =
            automaton_scan(&set->other, text, len, more, max, &other);
        n_more = MIN(n_more, max - n);
        /* from the end, so that nothing is overwritten before it is moved */
        size_t i = n, k = n_more;
        n += n_more;
        for (size_t to = n; k > 0; to--)
            hits[to - 1] = i > 0 && hits[i - 1].end > more[k - 1].end
                               ? hits[--i]
                               : more[--k];
    }
    mark_parts(hits, n);
    return n;
}
