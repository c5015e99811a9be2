/* unsubscribe_ngram.c - see unsubscribe_ngram.h */
#include "config.h"

#include "analysis/unsubscribe_ngram.h"

static uint32_t
mix(uint32_t hash, uint32_t value)
{
    hash = (hash ^ value) * UINT32_C(0x9e3779b1);
    return hash ^ hash >> 15;
}

static uint32_t
hash_chars(const uint16_t *chars, size_t n)
{
    uint32_t hash = UINT32_C(0x811c9dc5);

    for (size_t i = 0; i < n; i++)
        hash = (hash ^ chars[i]) * UINT32_C(0x01000193);
    return hash;
}

static NgramItem
mark_item(char mark, uint32_t token)
{
    uint16_t c = (uint16_t) mark;
    uint32_t hash = hash_chars(&c, 1);

    return (NgramItem){
        .whole = hash, .stem = hash, .root = hash, .token = token, .mark = mark
    };
}

static NgramItem
token_item(const TextTokens *t, uint32_t i)
{
    const TextToken *token = &t->tokens[i];
    const uint16_t *chars = t->chars + token->first;

    if (token->kind == TOKEN_ADDRESS)
        return mark_item('@', i);
    if (token->kind == TOKEN_URL)
        return mark_item('/', i);
    size_t digits = 0;
    while (digits < token->n && chars[digits] >= '0' && chars[digits] <= '9')
        digits++;
    if (digits == token->n)
        return mark_item('0', i);
    NgramItem item = { .token = i, .glyph = token->kind == TOKEN_GLYPH };
    item.root = hash_chars(chars, MIN(token->n, NGRAM_ROOT));
    item.stem = hash_chars(chars, MIN(token->n, NGRAM_STEM));
    item.whole = hash_chars(chars, token->n);
    return item;
}

/* Where one is, and whom to tell. */
typedef struct {
    NgramSeen seen;
    void *data;
    char context;
} Walk;

static void
tell(const Walk *walk, char kind, const NgramItem *items, size_t n)
{
    Ngram ngram = { .kind = kind, .n = (uint8_t) n, .items = items };
    uint32_t hash = (unsigned char) kind;

    for (size_t i = 0; i < n; i++)
        hash = mix(hash, kind == 'r'                  ? items[i].root
                         : kind == 's' || kind == 'j' ? items[i].stem
                                                      : items[i].whole);
    ngram.hash = hash;
    walk->seen(&ngram, walk->data);
    if (kind != 'w' && kind != 's' && kind != 'g')
        return;
    ngram.context = walk->context;
    ngram.hash = mix(hash, (unsigned char) walk->context);
    walk->seen(&ngram, walk->data);
}

void
unsubscribe_ngrams(const TextTokens *t, size_t sentence, bool subject,
                   char context, NgramSeen seen, void *data)
{
    const TextSentence *s = &t->sentences[sentence];
    const Walk walk = { seen, data, context };
    NgramItem items[NGRAM_MAX_ITEMS];
    size_t n = 0, first;

    if (s->first >= s->end)
        return;
    if (subject)
        items[n++] = mark_item('<', s->first);
    first = n;
    for (uint32_t i = s->first; i < s->end && n + 2 <= NGRAM_MAX_ITEMS; i++) {
        if (i > s->first && t->tokens[i].clause != t->tokens[i - 1].clause)
            items[n++] = mark_item(',', i);
        items[n++] = token_item(t, i);
    }

    for (size_t i = 0; i < n; i++) {
        const NgramItem *item = &items[i];
        size_t left = n - i;
        if (item->glyph) {
            for (size_t k = 1; k <= 4 && k <= left && item[k - 1].glyph; k++)
                tell(&walk, 'g', item, k);
            continue;
        }
        tell(&walk, 'w', item, 1);
        if (item->stem != item->whole)
            tell(&walk, 's', item, 1);
        if (item->root != item->whole)
            tell(&walk, 'r', item, 1);
        if (i == first)
            tell(&walk, 'f', item, 1);
        if (left > 1 && !item[1].glyph) {
            tell(&walk, 'b', item, 2);
            tell(&walk, 'j', item, 2);
        }
    }
}

void
unsubscribe_ngram_name(const TextTokens *t, const Ngram *ngram, GString *out)
{
    size_t most = ngram->kind == 'r'                         ? NGRAM_ROOT
                  : ngram->kind == 's' || ngram->kind == 'j' ? NGRAM_STEM
                                                             : TEXT_MAX_WORD;

    if (ngram->context != '\0')
        g_string_append_c(out, ngram->context);
    g_string_append_c(out, ngram->kind);
    for (size_t i = 0; i < ngram->n; i++) {
        const NgramItem *item = &ngram->items[i];
        g_string_append_c(out, ' ');
        if (item->mark != '\0') {
            g_string_append_c(out, item->mark);
            continue;
        }
        const TextToken *token = &t->tokens[item->token];
        for (size_t k = 0; k < token->n && k < most; k++)
            g_string_append_unichar(out, t->chars[token->first + k]);
    }
}

uint32_t
unsubscribe_ngram_hash(const char *name)
{
    bool context = name[0] != '\0' && name[1] != '\0' && name[1] != ' ';
    const char *p = context ? name + 1 : name;
    uint32_t hash = (unsigned char) *p++;

    while (*p == ' ') {
        uint16_t chars[TEXT_MAX_WORD];
        size_t n = 0;
        for (p++; *p != ' ' && *p != '\0' && n < TEXT_MAX_WORD;
             p = g_utf8_next_char(p))
            chars[n++] = (uint16_t) g_utf8_get_char(p);
        hash = mix(hash, hash_chars(chars, n));
    }
    return context ? mix(hash, (unsigned char) *name) : hash;
}
