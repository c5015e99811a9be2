/*
 * unsubscribe_words.c - compile the phrases, find them in one pass
 *
 * Compilation makes two tries. The trie of letters maps a token to the numbers
 * of the words that it is: one for the exact word and one for each stem
 * ("abmeld*") that it begins with. The trie of words holds the phrases, with
 * gaps as edges of their own. Both are built with hash tables; the trie of
 * letters is then laid out as sorted arrays, breadth first, so that the
 * letters that nearly all look-ups touch lie together in the cache.
 *
 * Both ways are short, for a tool that starts for each message and for a
 * daemon that sees each message: the tables' keys are integers and nothing is
 * allocated for an edge; a node has a set of bits of the ASCII letters that go
 * on from it, and one of hashed words, and what is not in these is not looked
 * for.
 */
#include "config.h"

#include "analysis/unsubscribe_words.h"

#include "analysis/unsubscribe_data.h"
#include "analysis/unsubscribe_image.h"

#include <string.h>

enum {
    MAX_IDS = 6,         /* words that one token can be */
    MAX_STEPS = 400,     /* of the search from one token */
    MAX_GAP = 4,         /* words under one "_" */
    MAX_GAP_GLYPHS = 10, /* characters of a script without blanks */
    MAX_PHRASE = 1000,   /* bytes */
    MAX_FILE = 4 * 1024 * 1024,
    SHALLOW = 3,                  /* letters: see lay_out_letters() */
    ROOM = 1 << 16,               /* nodes of either trie, to begin with */
    N_CHARS = 0x10000,            /* of the Basic Multilingual Plane */
    N_LETTER_KEYS = 64 + N_CHARS, /* for sorting */
};

#define GAP UINT32_MAX

static const char *const class_names[] = {
#define X(name, word) word,
    WORD_CLASSES(X)
#undef X
};

/* --- while building ------------------------------------------------------ */

/* Edges of a trie: open addressing, keys that are never 0. */
typedef struct {
    uint64_t key; /* node << 32 | letter or word number; 0 free */
    uint32_t node;
} Edge;

typedef struct {
    Edge *edges;
    size_t n, mask;
} EdgeTable;

typedef struct {
    EdgeTable edges;   /* of the trie of letters */
    GArray *nodes;     /* of BuilderNode */
    TextTokens tokens; /* its room is used again */
    GArray *phrases;   /* of PhraseNode; 0 is no node */
    GArray *outputs;   /* of Output; 0 is none */
    GArray *links;     /* of Link; 0 is none */
    uint64_t adding;   /* languages of the phrase that is being added */
} Builder;

typedef struct {
    uint32_t parent;
    uint32_t exact, stem; /* word number, or 0 */
    uint16_t letter;
} BuilderNode;

typedef struct {
    uint64_t languages;
    uint32_t next; /* further outputs of the node, or 0 */
    uint8_t class;
} Output;

typedef struct {
    uint32_t output;   /* first Output, or 0 */
    uint32_t gap;      /* node behind a gap, or 0 */
    uint32_t link;     /* first Link to nodes that this one is as well, or 0 */
    bool has_children; /* in `edges` */
    /* Of this node and those that it is as well: */
    bool emits;            /* has an output */
    uint64_t languages;    /* of the phrases that it is part of */
    uint64_t children;     /* word_bit() of those that go on from it */
    uint64_t gap_children; /* ... from behind its gap */
} PhraseNode;

typedef struct {
    uint32_t to, next;
} Link;

/* --- compiled ------------------------------------------------------------ */

/* 16 bytes, because each look-up touches several. */
typedef struct {
    uint64_t ascii; /* letter_bit() of the children, and IS_... */
    uint32_t first; /* child */
    uint16_t n;
    uint16_t n_ascii; /* children with a letter_bit(): they come first */
} LetterNode;

#define LETTER_BITS ((UINT64_C(1) << 36) - 1)
#define IS_STEM (UINT64_C(1) << 62) /* a stem ends here: see `stem` */
#define IS_WORD (UINT64_C(1) << 63) /* a word: see `exact` */

struct UnsubscribeWords {
    const TextFold *fold;
    GPtrArray *languages; /* of char * */
    uint64_t all;         /* languages that are wanted */
    bool built_in;        /* the arrays below are part of the program */
    /* trie of letters */
    LetterNode *letters;
    uint32_t *exact;     /* word number of node i, or 0 */
    uint32_t *stem;      /* ... as a stem */
    uint16_t *labels;    /* label of the edge to node i */
    uint32_t *first_map; /* N_CHARS: node below the root */
    uint8_t *leads;      /* to a word that may be misspelt */
    size_t n_letters;
    /* trie of words */
    PhraseNode *phrases;   /* 0 is no node */
    Output *outputs;       /* 0 is none */
    Link *links;           /* 0 is none */
    uint32_t *phrase_root; /* by word number */
    EdgeTable edges;       /* of phrases */
    size_t n_phrases, n_outputs, n_links;
    uint32_t n_words;
    Builder builder; /* empty once compiled */
};

static void words_error(GError **error, const char *file, unsigned line,
                        const char *format, ...) G_GNUC_PRINTF(4, 5);

static void
words_error(GError **error, const char *file, unsigned line, const char *format,
            ...)
{
    va_list args;

    va_start(args, format);
    g_autofree char *what = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error(error, g_quark_from_static_string("unsubscribe-words"), 0,
                "%s:%u: %s", file, line, what);
}

static size_t
edge_slot(uint64_t key)
{
    return (size_t) ((key * UINT64_C(0x9e3779b97f4a7c15)) >> 32);
}

/* The edge of this key, or the free one where it belongs. */
static Edge *
edge_at(const EdgeTable *t, uint64_t key)
{
    size_t slot = edge_slot(key) & t->mask;

    while (t->edges[slot].key != 0 && t->edges[slot].key != key)
        slot = (slot + 1) & t->mask;
    return &t->edges[slot];
}

static void
edges_init(EdgeTable *t, size_t size)
{
    t->n = 0;
    t->mask = size - 1;
    t->edges = g_new0(Edge, size);
}

/* Fills the free edge `at`. */
static void
edge_add(EdgeTable *t, Edge *at, uint64_t key, uint32_t node)
{
    *at = (Edge){ .key = key, .node = node };
    if (++t->n * 4 <= t->mask * 3)
        return;
    g_autofree Edge *old = t->edges;
    size_t n = t->mask + 1;
    edges_init(t, n * 2);
    for (size_t i = 0; i < n; i++) {
        if (old[i].key == 0)
            continue;
        *edge_at(t, old[i].key) = old[i];
        t->n++;
    }
}

/* The number of a word or stem. */
static uint32_t
word_number(UnsubscribeWords *w, const uint16_t *chars, size_t n, bool stem)
{
    Builder *b = &w->builder;
    uint32_t node = 0;

    for (size_t i = 0; i < n; i++) {
        uint64_t key = (uint64_t) node << 32 | chars[i];
        Edge *edge = edge_at(&b->edges, key);
        if (edge->key != 0) {
            node = edge->node;
            continue;
        }
        BuilderNode child = { .parent = node, .letter = chars[i] };
        node = b->nodes->len;
        g_array_append_val(b->nodes, child);
        edge_add(&b->edges, edge, key, node);
    }
    BuilderNode *last = &g_array_index(b->nodes, BuilderNode, node);
    uint32_t *number = stem ? &last->stem : &last->exact;
    if (*number == 0)
        *number = ++w->n_words;
    return *number;
}

static uint32_t
phrase_node_new(UnsubscribeWords *w)
{
    PhraseNode node = { .languages = w->builder.adding };

    g_array_append_val(w->builder.phrases, node);
    return w->builder.phrases->len - 1;
}

/* A node that is there becomes part of the phrase that is being added. */
static uint32_t
phrase_node_join(UnsubscribeWords *w, uint32_t node)
{
    g_array_index(w->builder.phrases, PhraseNode, node).languages |=
        w->builder.adding;
    return node;
}

static uint32_t
phrase_child(UnsubscribeWords *w, uint32_t from, uint32_t item)
{
    if (item == GAP) {
        if (g_array_index(w->builder.phrases, PhraseNode, from).gap == 0) {
            uint32_t gap = phrase_node_new(w);
            g_array_index(w->builder.phrases, PhraseNode, from).gap = gap;
        }
        return phrase_node_join(
            w, g_array_index(w->builder.phrases, PhraseNode, from).gap);
    }
    uint64_t key = (uint64_t) from << 32 | item;
    Edge *edge = edge_at(&w->edges, key);
    if (edge->key != 0)
        return phrase_node_join(w, edge->node);
    uint32_t node = phrase_node_new(w);
    edge_add(&w->edges, edge, key, node);
    g_array_index(w->builder.phrases, PhraseNode, from).has_children = true;
    return node;
}

static void
add_output(UnsubscribeWords *w, uint32_t node, WordClass class,
           uint64_t languages)
{
    PhraseNode *n = &g_array_index(w->builder.phrases, PhraseNode, node);

    for (uint32_t o = n->output; o != 0;
         o = g_array_index(w->builder.outputs, Output, o).next) {
        Output *output = &g_array_index(w->builder.outputs, Output, o);
        if (output->class == class) {
            output->languages |= languages;
            return;
        }
    }
    Output output = { .languages = languages,
                      .next = n->output,
                      .class = (uint8_t) class };
    g_array_append_val(w->builder.outputs, output);
    n->output = w->builder.outputs->len - 1;
}

static void
add_link(UnsubscribeWords *w, uint32_t from, uint32_t to)
{
    Link link = {
        .to = to,
        .next = g_array_index(w->builder.phrases, PhraseNode, from).link
    };

    g_array_append_val(w->builder.links, link);
    g_array_index(w->builder.phrases, PhraseNode, from).link =
        w->builder.links->len - 1;
}

/* The words of text without brackets, from node to node. */
static uint32_t
add_words(UnsubscribeWords *w, uint32_t node, const char *text, size_t len)
{
    for (size_t at = 0; at < len;) {
        size_t end = at;
        while (end < len && text[end] != '_')
            end++;
        /* Words between gaps; a '*' ends the word before it. */
        for (size_t from = at; from < end;) {
            const char *star = memchr(text + from, '*', end - from);
            size_t to = star == NULL ? end : (size_t) (star - text);
            const TextTokens *tokens = &w->builder.tokens;
            text_tokenise_again(w->fold, text + from, to - from,
                                &w->builder.tokens);
            for (size_t i = 0; i < tokens->n; i++) {
                bool stem = star != NULL && i + 1 == tokens->n &&
                            tokens->tokens[i].kind == TOKEN_WORD;
                node = phrase_child(
                    w, node,
                    word_number(w, tokens->chars + tokens->tokens[i].first,
                                tokens->tokens[i].n, stem));
            }
            from = star == NULL ? end : to + 1;
        }
        if (end < len && node != 0)
            node = phrase_child(w, node, GAP);
        at = end + 1;
    }
    return node;
}

/* Compiles `text` from `node` on; the ways of a bracket meet again in one
 * node, so that several brackets do not multiply. 0 on a mistake, or when
 * there is no word. */
static uint32_t
add_text(UnsubscribeWords *w, uint32_t node, const char *text, size_t len)
{
    while (len > 0) {
        const char *open = memchr(text, '(', len);
        size_t n = open == NULL ? len : (size_t) (open - text);
        if (memchr(text, ')', n) != NULL || memchr(text, '|', n) != NULL)
            return 0;
        node = add_words(w, node, text, n);
        text += n;
        len -= n;
        if (len == 0)
            break;

        size_t close = 0;
        for (int depth = 0; close < len; close++) {
            depth += text[close] == '(' ? 1 : text[close] == ')' ? -1 : 0;
            if (depth == 0)
                break;
        }
        if (close == len)
            return 0;
        uint32_t join = phrase_node_new(w);
        for (size_t at = 1; at <= close;) {
            size_t end = at;
            for (int depth = 0; end < close && (depth > 0 || text[end] != '|');
                 end++)
                depth += text[end] == '(' ? 1 : text[end] == ')' ? -1 : 0;
            uint32_t last = add_text(w, node, text + at, end - at);
            if (last != 0)
                add_link(w, last, join);
            else if (node != 0)
                return 0;
            at = end + 1;
        }
        node = join;
        text += close + 1;
        len -= close + 1;
    }
    return node;
}

/* One phrase. A bracket at its front that may be empty makes it two. */
static bool
add_phrase(UnsubscribeWords *w, const char *phrase, size_t len, WordClass class,
           uint64_t languages)
{
    while (len > 0 && (phrase[len - 1] == '_' || phrase[len - 1] == ' '))
        len--;
    while (len > 0 && (*phrase == '_' || *phrase == ' ')) {
        phrase++;
        len--;
    }
    if (len > 0 && *phrase == '(') {
        int depth = 0;
        for (size_t i = 0; i < len; i++) {
            depth += phrase[i] == '(' ? 1 : phrase[i] == ')' ? -1 : 0;
            if (depth > 1 || phrase[i] != ')')
                continue;
            if (phrase[i - 1] == '|' || phrase[i - 1] == '(') {
                if (!add_phrase(w, phrase + i + 1, len - i - 1, class,
                                languages))
                    return false;
            }
            break;
        }
    }
    w->builder.adding = languages;
    uint32_t node = add_text(w, 0, phrase, len);
    if (node == 0)
        return false;
    add_output(w, node, class, languages);
    return true;
}

static int
language_number(UnsubscribeWords *w, const char *name)
{
    for (guint i = 0; i < w->languages->len; i++) {
        if (g_ascii_strcasecmp(w->languages->pdata[i], name) == 0)
            return (int) i;
    }
    if (w->languages->len == WORDS_MAX_LANGUAGES)
        return -1;
    g_ptr_array_add(w->languages, g_ascii_strdown(name, -1));
    return (int) w->languages->len - 1;
}

/* Both Chinese scripts are one language here: the characters fold. */
static const char *
language_key(const char *name)
{
    return g_ascii_strncasecmp(name, "zh", 2) == 0 ? "zh" : name;
}

static bool
load(UnsubscribeWords *w, const char *file, const char *text, size_t len,
     GError **error)
{
    uint64_t languages = 0;
    int class = -1;
    unsigned line_number = 0;

    for (size_t at = 0; at < len;) {
        const char *lf = memchr(text + at, '\n', len - at);
        size_t end = lf == NULL ? len : (size_t) (lf - text);
        g_autofree char *line = g_strndup(text + at, end - at);
        at = end + 1;
        line_number++;

        char *hash = strchr(line, '#');
        if (hash != NULL)
            *hash = '\0';
        g_strstrip(line);
        if (*line == '\0')
            continue;
        if (!g_utf8_validate(line, -1, NULL)) {
            words_error(error, file, line_number, "this line is not UTF-8");
            return false;
        }
        if (g_str_has_prefix(line, "language ")) {
            const char *name = g_strstrip(line + 9);
            if (strcmp(name, "*") == 0) {
                languages = UINT64_MAX;
                continue;
            }
            if (*name == '\0' ||
                strspn(name, "abcdefghijklmnopqrstuvwxyz"
                             "ABCDEFGHIJKLMNOPQRSTUVWXYZ-") != strlen(name)) {
                words_error(error, file, line_number,
                            "\"%s\" is no language; write for example "
                            "\"language de\", or \"language *\" for all",
                            name);
                return false;
            }
            int number = language_number(w, language_key(name));
            if (number < 0) {
                words_error(error, file, line_number, "more than %d languages",
                            WORDS_MAX_LANGUAGES);
                return false;
            }
            languages = (uint64_t) 1 << number;
            class = -1;
            continue;
        }
        if (line[0] == '[') {
            char *close = strchr(line, ']');
            class = -1;
            if (close != NULL && close[1] == '\0') {
                *close = '\0';
                for (int i = 0; i < (int) N_WORD_CLASSES; i++) {
                    if (strcmp(class_names[i], line + 1) == 0)
                        class = i;
                }
                *close = ']';
            }
            if (class < 0) {
                g_autofree char *known = g_strjoinv(
                    ", ", (char **) (void *) (const char *[]){
                              "request", "word", "unsub", "remove", "stop",
                              "list", "mail", "me", "keep", "other", NULL });
                words_error(error, file, line_number,
                            "\"%.60s\" is no class; there are [%s] and others, "
                            "see " PKGDATADIR "/unsubscribe/README",
                            line, known);
                return false;
            }
            continue;
        }
        if (languages == 0 || class < 0) {
            words_error(error, file, line_number,
                        languages == 0
                            ? "before \"%.60s\" a line \"language CODE\" "
                              "must come; see " PKGDATADIR "/unsubscribe/README"
                            : "before \"%.60s\" a line \"[class]\" must come; "
                              "see " PKGDATADIR "/unsubscribe/README",
                        line);
            return false;
        }
        for (char *phrase = line, *comma; phrase != NULL;
             phrase = comma == NULL ? NULL : comma + 1) {
            comma = strchr(phrase, ',');
            if (comma != NULL)
                *comma = '\0';
            g_strstrip(phrase);
            size_t n = strlen(phrase);
            if (n == 0)
                continue;
            if (n > MAX_PHRASE ||
                !add_phrase(w, phrase, n, (WordClass) class, languages)) {
                words_error(
                    error, file, line_number,
                    "\"%.60s\" is no phrase: words, \"*\" at the end "
                    "of a word, \"_\" between words, \"(a|b)\"; see " PKGDATADIR
                    "/unsubscribe/README",
                    phrase);
                return false;
            }
        }
    }
    return true;
}

/* --- layout --------------------------------------------------------------- */

/* The bit of a letter in LetterNode.ascii, in the order of the letters; 0 for
 * those without. */
#define L(letter, bit) [letter] = UINT64_C(1) << (bit)
static const uint64_t letter_bits[0x80] = {
    L('0', 0),  L('1', 1),  L('2', 2),  L('3', 3),  L('4', 4),  L('5', 5),
    L('6', 6),  L('7', 7),  L('8', 8),  L('9', 9),  L('a', 10), L('b', 11),
    L('c', 12), L('d', 13), L('e', 14), L('f', 15), L('g', 16), L('h', 17),
    L('i', 18), L('j', 19), L('k', 20), L('l', 21), L('m', 22), L('n', 23),
    L('o', 24), L('p', 25), L('q', 26), L('r', 27), L('s', 28), L('t', 29),
    L('u', 30), L('v', 31), L('w', 32), L('x', 33), L('y', 34), L('z', 35),
};
#undef L

static uint64_t
letter_bit(uint16_t letter)
{
    return letter < G_N_ELEMENTS(letter_bits) ? letter_bits[letter] : 0;
}

static unsigned
count_bits(uint64_t bits)
{
    bits -= bits >> 1 & UINT64_C(0x5555555555555555);
    bits = (bits & UINT64_C(0x3333333333333333)) +
           (bits >> 2 & UINT64_C(0x3333333333333333));
    bits = (bits + (bits >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    return (unsigned) (bits * UINT64_C(0x0101010101010101) >> 56);
}

static uint64_t
word_bit(uint32_t word)
{
    return UINT64_C(1) << ((word * UINT32_C(0x9e3779b1)) >> 26);
}

/* Sorts `in` to `out` by key[], keys below `n_keys`; stable. `first` becomes
 * where each key begins. */
static void
sort_by(const uint32_t *in, uint32_t *out, size_t n, const uint32_t *key,
        uint32_t *first, size_t n_keys)
{
    memset(first, 0, (n_keys + 1) * sizeof *first);
    for (size_t i = 0; i < n; i++)
        first[key[in[i]] + 1]++;
    for (size_t i = 0; i < n_keys; i++)
        first[i + 1] += first[i];
    for (size_t i = 0; i < n; i++)
        out[first[key[in[i]]]++] = in[i];
    memmove(first + 1, first, n_keys * sizeof *first);
    first[0] = 0;
}

typedef struct {
    UnsubscribeWords *words;
    const BuilderNode *nodes;
    const uint32_t *sorted; /* nodes by parent and letter */
    const uint32_t *start;  /* of each parent's in `sorted` */
    uint32_t *order;        /* the builder's number of node i */
    size_t filled;
} LetterLayout;

/* Gives node i its children: the next nodes. */
static void
lay_out_children(LetterLayout *l, size_t i)
{
    UnsubscribeWords *w = l->words;
    uint32_t old = l->order[i];
    LetterNode *node = &w->letters[i];

    node->first = (uint32_t) l->filled;
    node->n = (uint16_t) (l->start[old + 1] - l->start[old]);
    w->exact[i] = l->nodes[old].exact;
    w->stem[i] = l->nodes[old].stem;
    node->ascii |= w->exact[i] != 0 ? IS_WORD : 0;
    node->ascii |= w->stem[i] != 0 ? IS_STEM : 0;
    for (uint32_t e = l->start[old]; e < l->start[old + 1]; e++) {
        uint16_t letter = l->nodes[l->sorted[e]].letter;
        uint64_t bit = letter_bit(letter);
        node->ascii |= bit;
        if (bit != 0)
            node->n_ascii++;
        w->labels[l->filled] = letter;
        if (i == 0)
            w->first_map[letter] = (uint32_t) l->filled;
        l->order[l->filled++] = l->sorted[e];
    }
}

/* Sorted arrays: breadth first near the root, where every look-up passes; then
 * one subtree after the other, so that the rest of a word lies together. */
static void
lay_out_letters(UnsubscribeWords *w)
{
    const BuilderNode *nodes = &g_array_index(w->builder.nodes, BuilderNode, 0);
    size_t n = w->builder.nodes->len;
    g_autofree uint32_t *key = g_new(uint32_t, n);
    g_autofree uint32_t *sorted = g_new(uint32_t, n);
    g_autofree uint32_t *order = g_new(uint32_t, n);
    g_autofree uint32_t *start = g_new(uint32_t, MAX(n, N_LETTER_KEYS) + 1);

    /* by parent and letter: by the letter first */
    for (size_t i = 0; i < n; i++) {
        uint64_t bit = letter_bit(nodes[i].letter);
        key[i] = bit != 0 ? count_bits(bit - 1) : 64U + nodes[i].letter;
        order[i] = (uint32_t) i;
    }
    sort_by(order + 1, sorted, n - 1, key, start, N_LETTER_KEYS);
    for (size_t i = 0; i < n; i++)
        key[i] = nodes[i].parent;
    sort_by(sorted, order, n - 1, key, start, n);
    memcpy(sorted, order, (n - 1) * sizeof *order);

    w->n_letters = n;
    w->letters = g_new0(LetterNode, n);
    w->exact = g_new0(uint32_t, n);
    w->stem = g_new0(uint32_t, n);
    w->labels = g_new0(uint16_t, n);
    w->first_map = g_new0(uint32_t, N_CHARS);
    order[0] = 0;
    LetterLayout layout = { w, nodes, sorted, start, order, 1 };
    size_t at = 0, level_end = 1;
    for (int level = 0; level < SHALLOW; level++) {
        for (; at < level_end; at++)
            lay_out_children(&layout, at);
        level_end = layout.filled;
    }
    for (; at < level_end; at++) {
        size_t below = layout.filled;
        lay_out_children(&layout, at);
        for (; below < layout.filled; below++)
            lay_out_children(&layout, below);
    }
}

/* Sets emits, children and gap_children of `node`; those that it is as well
 * were made after it or are done on the way. Brackets nest at most as deep as
 * a phrase is long. */
static void
close_node(UnsubscribeWords *w, uint8_t *done, uint32_t node)
{
    PhraseNode *p = &w->phrases[node];

    if (done[node])
        return;
    done[node] = 1;
    p->emits = p->output != 0;
    if (p->gap != 0) {
        close_node(w, done, p->gap);
        p->gap_children = w->phrases[p->gap].children;
    }
    for (uint32_t l = p->link; l != 0;) {
        const Link *link = &w->links[l];
        close_node(w, done, link->to);
        const PhraseNode *to = &w->phrases[link->to];
        p->emits |= to->emits;
        p->children |= to->children;
        p->gap_children |= to->gap_children;
        l = link->next;
    }
}

static void
lay_out_phrases(UnsubscribeWords *w)
{
    g_autofree uint8_t *done = g_new0(uint8_t, w->n_phrases);

    w->phrase_root = g_new0(uint32_t, (size_t) w->n_words + 1);
    for (size_t i = 0; i <= w->edges.mask; i++) {
        const Edge *edge = &w->edges.edges[i];
        uint32_t from = (uint32_t) (edge->key >> 32);
        uint32_t word = (uint32_t) edge->key;
        if (edge->key == 0)
            continue;
        if (from == 0)
            w->phrase_root[word] = edge->node;
        else
            w->phrases[from].children |= word_bit(word);
    }
    for (uint32_t i = 0; i < w->n_phrases; i++)
        close_node(w, done, i);
}

/* Does the phrase end here, as one that asks to be removed? */
static bool
may_be_misspelt(const UnsubscribeWords *w, uint32_t node)
{
    const PhraseNode *p = &w->phrases[node];

    for (uint32_t o = p->output; o != 0;) {
        const Output *output = &w->outputs[o];
        if (output->class == WORD_CLASS_UNSUB ||
            output->class == WORD_CLASS_REMOVE)
            return true;
        o = output->next;
    }
    for (uint32_t l = p->link; l != 0;) {
        const Link *link = &w->links[l];
        if (may_be_misspelt(w, link->to))
            return true;
        l = link->next;
    }
    return false;
}

/* Children have higher numbers than their parents. */
static void
mark_leads(UnsubscribeWords *w)
{
    w->leads = g_new0(uint8_t, w->n_letters);
    for (size_t i = w->n_letters; i-- > 0;) {
        const LetterNode *l = &w->letters[i];
        uint32_t exact = w->exact[i] == 0 ? 0 : w->phrase_root[w->exact[i]];
        uint32_t stem = w->stem[i] == 0 ? 0 : w->phrase_root[w->stem[i]];
        bool leads = (exact != 0 && may_be_misspelt(w, exact)) ||
                     (stem != 0 && may_be_misspelt(w, stem));
        for (uint32_t c = l->first; !leads && c < l->first + l->n; c++)
            leads = w->leads[c];
        w->leads[i] = leads;
    }
}

static uint32_t
find_edge(const UnsubscribeWords *w, uint32_t from, uint32_t item)
{
    return edge_at(&w->edges, (uint64_t) from << 32 | item)->node;
}

static bool
is_wanted(const char *const *languages, const char *name)
{
    if (languages == NULL || languages[0] == NULL ||
        g_ascii_strcasecmp(languages[0], "all") == 0 ||
        strcmp(name, "common") == 0)
        return true;
    for (size_t i = 0; languages[i] != NULL; i++) {
        if (g_ascii_strcasecmp(languages[i], name) == 0 ||
            g_ascii_strcasecmp(language_key(languages[i]),
                               language_key(name)) == 0)
            return true;
        size_t n = strlen(name); /* "pt-BR" asks for pt */
        if (g_ascii_strncasecmp(languages[i], name, n) == 0 &&
            (languages[i][n] == '-' || languages[i][n] == '_'))
            return true;
    }
    return false;
}

static void
builder_init(Builder *b)
{
    BuilderNode root = { 0 };
    Output none = { 0 };
    Link no_link = { 0 };

    /* Room for the built-in words, so that nothing need grow. */
    edges_init(&b->edges, ROOM);
    b->nodes = g_array_sized_new(FALSE, FALSE, sizeof(BuilderNode), ROOM);
    g_array_append_val(b->nodes, root);
    b->phrases = g_array_sized_new(FALSE, FALSE, sizeof(PhraseNode), ROOM);
    b->outputs = g_array_sized_new(FALSE, FALSE, sizeof(Output), ROOM / 2);
    g_array_append_val(b->outputs, none);
    b->links = g_array_sized_new(FALSE, FALSE, sizeof(Link), ROOM / 2);
    g_array_append_val(b->links, no_link);
}

static void
builder_clear(Builder *b)
{
    g_clear_pointer(&b->edges.edges, g_free);
    g_clear_pointer(&b->nodes, g_array_unref);
    text_tokens_clear(&b->tokens);
    g_clear_pointer(&b->phrases, g_array_unref);
    g_clear_pointer(&b->outputs, g_array_unref);
    g_clear_pointer(&b->links, g_array_unref);
}

static void *
take_array(GArray **array, size_t *out_n)
{
    *out_n = (*array)->len;
    return g_array_free(g_steal_pointer(array), FALSE);
}

/* --- the image of the built-in words -------------------------------------- */

/* Compiling the built-in words takes longer than all else at the start of a
 * program, so it is done when the program is built: the arrays are written to a
 * file one after the other, and the file becomes part of the program. */
typedef struct {
    uint64_t format; /* tells another byte order or layout */
    uint64_t edge_mask;
    uint32_t n_letters, n_words, n_phrases, n_outputs, n_links, n_languages;
    char languages[WORDS_MAX_LANGUAGES][16];
} ImageHead;

enum { N_SECTIONS = 11 };

typedef struct {
    void **array;
    size_t size;
} Section;

static uint64_t
image_format(void)
{
    return UINT64_C(0x776f726473000000) ^ sizeof(ImageHead) ^
           sizeof(LetterNode) << 40 ^ sizeof(PhraseNode) << 32 ^
           sizeof(Output) << 24 ^ sizeof(Edge) << 16;
}

/* The arrays in their order, by the numbers in `w`. */
static void
image_sections(UnsubscribeWords *w, Section sections[N_SECTIONS])
{
    const Section all[N_SECTIONS] = {
        { (void **) &w->letters, w->n_letters * sizeof *w->letters },
        { (void **) &w->exact, w->n_letters * sizeof *w->exact },
        { (void **) &w->stem, w->n_letters * sizeof *w->stem },
        { (void **) &w->labels, w->n_letters * sizeof *w->labels },
        { (void **) &w->first_map, N_CHARS * sizeof *w->first_map },
        { (void **) &w->leads, w->n_letters * sizeof *w->leads },
        { (void **) &w->phrases, w->n_phrases * sizeof *w->phrases },
        { (void **) &w->outputs, w->n_outputs * sizeof *w->outputs },
        { (void **) &w->links, w->n_links * sizeof *w->links },
        { (void **) &w->phrase_root,
          ((size_t) w->n_words + 1) * sizeof *w->phrase_root },
        { (void **) &w->edges.edges,
          (w->edges.mask + 1) * sizeof *w->edges.edges },
    };
    memcpy(sections, all, sizeof all);
}

/* Each array begins at a multiple of this. */
static size_t
image_room(size_t size)
{
    return (size + 15) / 16 * 16;
}

bool
unsubscribe_words_write(UnsubscribeWords *words, FILE *file)
{
    static const char padding[16];
    ImageHead head = { .format = image_format(),
                       .edge_mask = words->edges.mask,
                       .n_letters = (uint32_t) words->n_letters,
                       .n_words = words->n_words,
                       .n_phrases = (uint32_t) words->n_phrases,
                       .n_outputs = (uint32_t) words->n_outputs,
                       .n_links = (uint32_t) words->n_links,
                       .n_languages = words->languages->len };
    Section sections[N_SECTIONS];

    for (guint i = 0; i < words->languages->len; i++)
        g_strlcpy(head.languages[i], words->languages->pdata[i],
                  sizeof head.languages[i]);
    (void) fwrite(&head, sizeof head, 1, file);
    (void) fwrite(padding, 1, image_room(sizeof head) - sizeof head, file);
    image_sections(words, sections);
    for (size_t i = 0; i < N_SECTIONS; i++) {
        size_t size = sections[i].size;
        (void) fwrite(*sections[i].array, 1, size, file);
        (void) fwrite(padding, 1, image_room(size) - size, file);
    }
    return fflush(file) == 0 && !ferror(file);
}

/* The built-in words where they lie; NULL when there is no image for this
 * machine. */
static UnsubscribeWords *
words_from_image(const TextFold *fold, const char *const *languages)
{
    const char *image = unsubscribe_image();
    ImageHead head;
    Section sections[N_SECTIONS];

    if (image == NULL)
        return NULL;
    memcpy(&head, image, sizeof head);
    if (head.format != image_format())
        return NULL;
    UnsubscribeWords *w = g_new0(UnsubscribeWords, 1);
    w->fold = fold;
    w->built_in = true;
    w->n_letters = head.n_letters;
    w->n_words = head.n_words;
    w->n_phrases = head.n_phrases;
    w->n_outputs = head.n_outputs;
    w->n_links = head.n_links;
    w->edges.mask = head.edge_mask;
    w->languages = g_ptr_array_new_with_free_func(g_free);
    for (uint32_t i = 0; i < head.n_languages; i++) {
        g_ptr_array_add(w->languages, g_strdup(head.languages[i]));
        if (is_wanted(languages, head.languages[i]))
            w->all |= (uint64_t) 1 << i;
    }
    image_sections(w, sections);
    size_t at = image_room(sizeof head);
    for (size_t i = 0; i < N_SECTIONS; i++) {
        *sections[i].array = (void *) (uintptr_t) (image + at);
        at += image_room(sections[i].size);
    }
    return w;
}

UnsubscribeWords *
unsubscribe_words_new(const TextFold *fold, const char *const *languages,
                      const char *phrases_file, GError **error)
{
    UnsubscribeWords *built_in =
        phrases_file == NULL ? words_from_image(fold, languages) : NULL;
    if (built_in != NULL)
        return built_in;

    g_autoptr(UnsubscribeWords) w = g_new0(UnsubscribeWords, 1);
    w->fold = fold;
    w->languages = g_ptr_array_new_with_free_func(g_free);
    builder_init(&w->builder);
    edges_init(&w->edges, ROOM);
    (void) phrase_node_new(w);

    for (size_t i = 0; i < unsubscribe_data_n; i++) {
        const UnsubscribeData *d = &unsubscribe_data[i];
        if (is_wanted(languages, d->name) &&
            !load(w, d->name, d->text, strlen(d->text), error))
            return NULL;
    }
    if (phrases_file != NULL) {
        g_autofree char *text = NULL;
        gsize len = 0;
        if (!g_file_get_contents(phrases_file, &text, &len, error))
            return NULL;
        if (len > MAX_FILE) {
            words_error(error, phrases_file, 1, "larger than %d bytes",
                        MAX_FILE);
            return NULL;
        }
        if (!load(w, phrases_file, text, len, error))
            return NULL;
    }
    w->all = w->languages->len == 64 ? UINT64_MAX
                                     : ((uint64_t) 1 << w->languages->len) - 1;
    lay_out_letters(w);
    w->phrases = take_array(&w->builder.phrases, &w->n_phrases);
    w->outputs = take_array(&w->builder.outputs, &w->n_outputs);
    w->links = take_array(&w->builder.links, &w->n_links);
    lay_out_phrases(w);
    mark_leads(w);
    builder_clear(&w->builder);
    return g_steal_pointer(&w);
}

void
unsubscribe_words_free(UnsubscribeWords *words)
{
    if (words == NULL)
        return;
    builder_clear(&words->builder);
    g_clear_pointer(&words->languages, g_ptr_array_unref);
    Section sections[N_SECTIONS];
    image_sections(words, sections);
    for (size_t i = 0; i < N_SECTIONS && !words->built_in; i++)
        g_free(*sections[i].array);
    g_free(words);
}

size_t
unsubscribe_words_languages(const UnsubscribeWords *words)
{
    return words->languages->len;
}

uint64_t
unsubscribe_words_wanted(const UnsubscribeWords *words)
{
    return words->all;
}

const char *
unsubscribe_words_language(const UnsubscribeWords *words, size_t language)
{
    return words->languages->pdata[language];
}

/* --- finding --------------------------------------------------------------- */

typedef struct {
    uint64_t bits; /* word_bit() of the ids */
    uint32_t ids[MAX_IDS];
    uint8_t n;
} Ids;

static inline uint32_t
letter_child(const UnsubscribeWords *w, uint32_t node, uint16_t letter)
{
    const LetterNode *l = &w->letters[node];
    uint64_t bit = letter_bit(letter);

    if (bit != 0) {
        if ((l->ascii & bit) == 0)
            return 0;
        if (l->n_ascii == 1) /* most of those far from the root */
            return l->first;
        return l->first + count_bits(l->ascii & LETTER_BITS & (bit - 1));
    }
    uint32_t low = l->first + l->n_ascii;
    uint32_t high = l->first + l->n;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (w->labels[middle] < letter)
            low = middle + 1;
        else
            high = middle;
    }
    return low < l->first + l->n && w->labels[low] == letter ? low : 0;
}

static void
add_id(Ids *ids, uint32_t id)
{
    if (ids->n == MAX_IDS)
        return;
    ids->ids[ids->n++] = id;
    ids->bits |= word_bit(id);
}

static void
look_up(const UnsubscribeWords *w, const uint16_t *chars, size_t n, Ids *ids)
{
    if (n == 0)
        return;
    uint32_t node = w->first_map[chars[0]];
    for (size_t i = 1;; i++) {
        if (node == 0)
            return;
        const LetterNode *l = &w->letters[node];
        if ((l->ascii & IS_STEM) != 0)
            add_id(ids, w->stem[node]);
        if (i == n) {
            if ((l->ascii & IS_WORD) != 0)
                add_id(ids, w->exact[node]);
            return;
        }
        node = letter_child(w, node, chars[i]);
    }
}

/* Arabic and Hebrew write articles and prepositions as one word with the
 * noun: the noun is looked up as well. */
static size_t
prefix_length(const uint16_t *c, size_t n)
{
    static const uint16_t hebrew[] = { 0x05d4, 0x05d5, 0x05d1, 0x05db,
                                       0x05dc, 0x05de, 0x05e9 };
    static const uint16_t arabic[] = { 0x0648, 0x0641, 0x0628, 0x0643,
                                       0x0644, 0x0633, 0x0627 };
    size_t at = 0;

    if (c[0] < 0x0590 || c[0] > 0x06ff)
        return 0;
    const uint16_t *set = c[0] < 0x0600 ? hebrew : arabic;
    while (at < 3 && at + 3 <= n) {
        size_t i = 0;
        while (i < G_N_ELEMENTS(hebrew) && set[i] != c[at])
            i++;
        if (i == G_N_ELEMENTS(hebrew))
            break;
        at++;
    }
    return at;
}

typedef struct {
    const UnsubscribeWords *words;
    const TextTokens *tokens;
    const Ids *ids;
    uint64_t languages; /* that are looked for */
    unsigned steps;
    struct {
        uint64_t languages;
        uint32_t end; /* token behind the match */
        uint32_t solid;
        uint8_t class;
    } found[64];
    size_t n_found;
} Search;

static void search(Search *s, uint32_t node, uint32_t at, uint32_t solid,
                   bool gapped);

static void
emit(Search *s, uint32_t node, uint32_t at, uint32_t solid)
{
    const UnsubscribeWords *w = s->words;
    const PhraseNode *p = &w->phrases[node];

    for (uint32_t o = p->output; o != 0;) {
        const Output *output = &w->outputs[o];
        if ((output->languages & s->languages) != 0 &&
            s->n_found < G_N_ELEMENTS(s->found)) {
            s->found[s->n_found].languages = output->languages & s->languages;
            s->found[s->n_found].end = at + 1;
            s->found[s->n_found].solid = solid;
            s->found[s->n_found++].class = output->class;
        }
        o = output->next;
    }
    for (uint32_t l = p->link; l != 0;) {
        const Link *link = &w->links[l];
        emit(s, link->to, at, solid);
        l = link->next;
    }
}

/* Follows the edges of `node` that bear the token `next`. */
static void
follow(Search *s, uint32_t node, uint32_t next, uint32_t solid, bool gapped)
{
    const UnsubscribeWords *w = s->words;
    const PhraseNode *p = &w->phrases[node];

    if (s->steps == 0 || (p->children & s->ids[next].bits) == 0)
        return;
    s->steps--;
    if (p->has_children) {
        for (size_t i = 0; i < s->ids[next].n; i++) {
            uint32_t child = find_edge(w, node, s->ids[next].ids[i]);
            if (child != 0)
                search(s, child, next, solid, gapped);
        }
    }
    for (uint32_t l = p->link; l != 0;) {
        const Link *link = &w->links[l];
        follow(s, link->to, next, solid, gapped);
        l = link->next;
    }
}

static void
follow_gap(Search *s, uint32_t node, uint32_t next, uint32_t solid)
{
    const UnsubscribeWords *w = s->words;
    const PhraseNode *p = &w->phrases[node];
    const TextToken *tokens = s->tokens->tokens;

    if (p->gap_children == 0)
        return;
    if (p->gap != 0) {
        uint32_t width =
            tokens[next].kind == TOKEN_GLYPH ? MAX_GAP_GLYPHS : MAX_GAP;
        for (uint32_t to = next; to <= next + width && to < s->tokens->n &&
                                 tokens[to].clause == tokens[next].clause;
             to++)
            if (s->ids[to].n > 0)
                follow(s, p->gap, to, solid, true);
    }
    for (uint32_t l = p->link; l != 0;) {
        const Link *link = &w->links[l];
        follow_gap(s, link->to, next, solid);
        l = link->next;
    }
}

/* The phrases that go on from `node`, reached with the token `at`. `solid` is
 * how far the phrase covers the text without a gap. */
static void
search(Search *s, uint32_t node, uint32_t at, uint32_t solid, bool gapped)
{
    const PhraseNode *p = &s->words->phrases[node];

    if ((p->languages & s->languages) == 0)
        return;
    if (!gapped)
        solid = at + 1;
    if (p->emits)
        emit(s, node, at, solid);
    if ((p->children | p->gap_children) == 0)
        return;
    uint32_t next = at + 1;
    if (next >= s->tokens->n ||
        s->tokens->tokens[next].clause != s->tokens->tokens[at].clause)
        return;
    if ((s->ids[next].bits & p->children) != 0)
        follow(s, node, next, solid, gapped);
    if (p->gap_children != 0)
        follow_gap(s, node, next, solid);
}

GArray *
unsubscribe_words_find(const UnsubscribeWords *words, const TextTokens *tokens,
                       uint64_t languages)
{
    GArray *matches = g_array_new(FALSE, FALSE, sizeof(WordMatch));
    g_autofree Ids *ids = g_new(Ids, tokens->n + 1);
    g_autofree uint64_t *release = g_new0(uint64_t, tokens->n + 1);
    uint64_t blocked = 0;
    Search s;

    s.words = words;
    s.tokens = tokens;
    s.ids = ids;
    s.languages = words->all & languages;

    for (size_t i = 0; i < tokens->n; i++) {
        const TextToken *t = &tokens->tokens[i];
        const uint16_t *chars = tokens->chars + t->first;
        ids[i].n = 0;
        ids[i].bits = 0;
        if (t->n == 0)
            continue;
        look_up(words, chars, t->n, &ids[i]);
        if (t->kind == TOKEN_WORD && ids[i].n == 0 && chars[0] >= 0x0590) {
            size_t prefix = prefix_length(chars, t->n);
            for (size_t k = 1; k <= prefix && ids[i].n == 0; k++)
                look_up(words, chars + k, t->n - k, &ids[i]);
        }
    }
    for (uint32_t i = 0; i < tokens->n; i++) {
        blocked &= ~release[i];
        const uint64_t blocked_before = blocked;
        s.steps = MAX_STEPS;
        s.n_found = 0;
        if (ids[i].n == 0)
            continue;
        for (size_t k = 0; k < ids[i].n; k++) {
            uint32_t root = words->phrase_root[ids[i].ids[k]];
            if (root != 0)
                search(&s, root, i, i + 1, false);
        }
        if (s.n_found == 0)
            continue;
        if (s.n_found == 1) { /* as below, of one */
            uint64_t mask = s.found[0].languages & ~blocked;
            if (mask == 0)
                continue;
            if (matches->len < WORDS_MAX_MATCHES) {
                WordMatch m = { .start = i,
                                .end = s.found[0].end,
                                .languages = mask,
                                .class = s.found[0].class };
                g_array_append_val(matches, m);
            }
            if (s.found[0].class != WORD_CLASS_WORD &&
                s.found[0].solid > i + 1) {
                blocked |= mask;
                release[s.found[0].solid] |= mask;
            }
            continue;
        }
        /* [word] phrases hide nothing, but longer ones hide them. */
        for (size_t k = 0; k < s.n_found; k++) {
            uint64_t mask = s.found[k].languages & ~blocked;
            for (size_t o = 0; o < s.n_found; o++) {
                if (s.found[o].class != WORD_CLASS_WORD &&
                    s.found[o].solid > s.found[k].solid)
                    mask &= ~s.found[o].languages;
            }
            if (s.found[k].class != WORD_CLASS_WORD || mask == 0 ||
                matches->len >= WORDS_MAX_MATCHES)
                continue;
            WordMatch m = { .start = i,
                            .end = s.found[k].end,
                            .languages = mask,
                            .class = WORD_CLASS_WORD };
            g_array_append_val(matches, m);
        }
        /* The longest cover of each language; phrases with gaps leave what
         * lies in the gap, and what follows, to others. */
        uint64_t done = blocked;
        while (true) {
            uint32_t longest = 0;
            for (size_t k = 0; k < s.n_found; k++) {
                if (s.found[k].class != WORD_CLASS_WORD &&
                    (s.found[k].languages & ~done) != 0)
                    longest = MAX(longest, s.found[k].solid);
            }
            if (longest == 0)
                break;
            uint64_t now = 0;
            for (size_t k = 0; k < s.n_found; k++) {
                uint64_t mask = s.found[k].languages & ~done;
                if (s.found[k].solid != longest || mask == 0 ||
                    s.found[k].class == WORD_CLASS_WORD)
                    continue;
                if (matches->len < WORDS_MAX_MATCHES) {
                    WordMatch m = { .start = i,
                                    .end = s.found[k].end,
                                    .languages = mask,
                                    .class = s.found[k].class };
                    g_array_append_val(matches, m);
                }
                now |= mask;
            }
            done |= now;
            if (longest > i + 1) {
                blocked |= now;
                release[longest] |= now;
            }
        }
        /* A phrase with a gap counts even where a solid one is longer. */
        for (size_t k = 0; k < s.n_found; k++) {
            if (s.found[k].end == s.found[k].solid)
                continue;
            for (size_t o = 0; o < s.n_found; o++) {
                if (s.found[o].solid > s.found[k].end)
                    s.found[k].languages &= ~s.found[o].languages;
            }
            s.found[k].languages &= ~blocked_before;
            if (s.found[k].languages == 0)
                continue;
            bool seen = false;
            for (guint m = matches->len; m > 0 && !seen; m--) {
                const WordMatch *have =
                    &g_array_index(matches, WordMatch, m - 1);
                if (have->start != i)
                    break;
                seen = have->class == s.found[k].class &&
                       have->end == s.found[k].end &&
                       (have->languages & s.found[k].languages) ==
                           s.found[k].languages;
            }
            if (!seen && matches->len < WORDS_MAX_MATCHES) {
                WordMatch m = { .start = i,
                                .end = s.found[k].end,
                                .languages = s.found[k].languages,
                                .class = s.found[k].class };
                g_array_append_val(matches, m);
            }
        }
    }
    return matches;
}

/* --- misspellings ----------------------------------------------------------- */

typedef struct {
    const UnsubscribeWords *words;
    const uint16_t *chars;
    size_t n;
    unsigned steps;
    WordMatch *out;
    bool found;
} Misspelling;

static void
accept_node(Misspelling *m, uint32_t node)
{
    const UnsubscribeWords *w = m->words;
    const PhraseNode *p = &w->phrases[node];

    for (uint32_t o = p->output; o != 0 && !m->found;) {
        const Output *output = &w->outputs[o];
        if ((output->class == WORD_CLASS_UNSUB ||
             output->class == WORD_CLASS_REMOVE) &&
            (output->languages & w->all) != 0) {
            m->out->class = output->class;
            m->out->languages = output->languages & w->all;
            m->found = true;
        }
        o = output->next;
    }
    for (uint32_t l = p->link; l != 0 && !m->found;) {
        const Link *link = &w->links[l];
        accept_node(m, link->to);
        l = link->next;
    }
}

static void
accept(Misspelling *m, uint32_t node)
{
    uint32_t numbers[] = { m->words->exact[node], m->words->stem[node] };

    for (size_t i = 0; i < G_N_ELEMENTS(numbers) && !m->found; i++) {
        if (numbers[i] == 0)
            continue;
        uint32_t root = m->words->phrase_root[numbers[i]];
        if (root == 0)
            continue;
        accept_node(m, root);
    }
}

/* Damerau-Levenshtein distance of at most `errors`, walking the trie. */
static void
misspelt(Misspelling *m, uint32_t node, size_t at, unsigned errors)
{
    const UnsubscribeWords *w = m->words;

    if (m->found || m->steps == 0 || !w->leads[node])
        return;
    m->steps--;
    if (at == m->n || (at + 1 == m->n && errors > 0))
        accept(m, node);
    if (m->found)
        return;
    if (at < m->n) {
        uint32_t child = letter_child(w, node, m->chars[at]);
        if (child != 0)
            misspelt(m, child, at + 1, errors);
    }
    if (errors == 0)
        return;
    if (at + 1 < m->n) { /* transposed */
        uint32_t child = letter_child(w, node, m->chars[at + 1]);
        child = child == 0 ? 0 : letter_child(w, child, m->chars[at]);
        if (child != 0)
            misspelt(m, child, at + 2, errors - 1);
    }
    for (uint32_t i = 0; i < w->letters[node].n; i++) {
        uint32_t child = w->letters[node].first + i;
        if (at < m->n)
            misspelt(m, child, at + 1, errors - 1); /* wrong letter */
        misspelt(m, child, at, errors - 1);         /* left out */
    }
    if (at < m->n)
        misspelt(m, node, at + 1, errors - 1); /* one too many */
}

bool
unsubscribe_words_misspelt(const UnsubscribeWords *words,
                           const TextTokens *tokens, size_t token,
                           WordMatch *out)
{
    const TextToken *t = &tokens->tokens[token];
    Misspelling m = { .words = words,
                      .chars = tokens->chars + t->first,
                      .n = t->n,
                      .steps = 4000,
                      .out = out };

    if (t->kind != TOKEN_WORD || t->n < 6)
        return false;
    uint32_t node = words->first_map[m.chars[0]];
    if (node == 0)
        return false;
    misspelt(&m, node, 1, t->n >= 9 ? 2 : 1);
    out->start = (uint32_t) token;
    out->end = (uint32_t) token + 1;
    return m.found;
}
