/*
 * words.c - folding and splitting, with a short path for ASCII
 *
 * Accents come off by canonical decomposition in the Latin and Greek blocks
 * only: elsewhere marks carry meaning (Cyrillic short i, kana with dakuten).
 * Letters that do not decompose but are commonly written plain (ø, ß, ł) have
 * a table. data/vocabulary is kept folded by the same rules; test_words.c
 * checks that.
 */
#include "analysis/words.h"

#include <string.h>

static const char *
plain_form(gunichar c)
{
    switch (c) {
    case 0xdf:
        return "ss";
    case 0xf8:
        return "o";
    case 0xe6:
        return "ae";
    case 0x153:
        return "oe";
    case 0x142:
        return "l";
    case 0x111:
    case 0xf0:
        return "d";
    case 0x131:
        return "i";
    case 0xfe:
        return "th";
    case 0x451:
        return "\xd0\xb5"; /* Cyrillic yo: ie */
    case 0x3c2:
        return "\xcf\x83"; /* final sigma */
    case 0x2018:
    case 0x2019:
    case 0x2bc:
        return "'";
    case 0x2010:
    case 0x2011:
    case 0x2013:
        return "-";
    default:
        return NULL;
    }
}

static size_t
fold_char(gunichar c, char out[6])
{
    c = g_unichar_tolower(c);
    const char *plain = plain_form(c);
    if (plain != NULL) {
        size_t n = strlen(plain);
        memcpy(out, plain, n);
        return n;
    }
    if (c >= 0x300 && c < 0x370) /* combining marks */
        return 0;
    if ((c >= 0xc0 && c < 0x250) || (c >= 0x370 && c < 0x400) ||
        (c >= 0x1e00 && c < 0x2000)) {
        gunichar parts[4];
        if (g_unichar_fully_decompose(c, FALSE, parts, 4) > 0)
            c = parts[0];
    }
    return (size_t) g_unichar_to_utf8(c, out);
}

size_t
words_fold(const char *text, size_t len, char *out, size_t size)
{
    size_t used = 0;
    const char *end = text + len;
    for (const char *p = text; p < end;) {
        if (!((unsigned char) *p & 0x80)) {
            if (used + 1 >= size)
                break;
            out[used++] = g_ascii_tolower(*p++);
            continue;
        }
        gunichar c = g_utf8_get_char_validated(p, end - p);
        if (c >= 0x110000) { /* damaged: keep nothing of it */
            p++;
            continue;
        }
        char folded[6];
        size_t n = fold_char(c, folded);
        if (used + n >= size)
            break;
        memcpy(out + used, folded, n);
        used += n;
        p = g_utf8_next_char(p);
    }
    if (size > 0)
        out[used] = '\0';
    return used;
}

bool
words_equal(const char *text, size_t len, const char *folded)
{
    char buffer[256];
    size_t n = words_fold(text, len, buffer, sizeof buffer);
    return n == strlen(folded) && memcmp(buffer, folded, n) == 0;
}

bool
words_is_cjk(gunichar c)
{
    return (c >= 0x2e80 && c <= 0x9fff) || (c >= 0xac00 && c <= 0xd7a3) ||
           (c >= 0xf900 && c <= 0xfaff) || (c >= 0x20000 && c < 0x30000) ||
           (c >= 0xff66 && c <= 0xff9d);
}

bool
words_has_cjk(const char *text, size_t len)
{
    const char *end = text + len;
    for (const char *p = text; p < end;) {
        if ((unsigned char) *p < 0xe2) {
            p++;
            continue;
        }
        gunichar c = g_utf8_get_char_validated(p, end - p);
        if (c >= 0x110000) {
            p++;
            continue;
        }
        if (c >= 0x3040 && words_is_cjk(c))
            return true;
        p = g_utf8_next_char(p);
    }
    return false;
}

/* The character at `p` and its length; damaged bytes are U+FFFD. */
static gunichar
char_at(const char *p, const char *end, size_t *out_len)
{
    if (!((unsigned char) *p & 0x80)) {
        *out_len = 1;
        return (unsigned char) *p;
    }
    gunichar c = g_utf8_get_char_validated(p, end - p);
    if (c >= 0x110000) {
        *out_len = 1;
        return 0xfffd;
    }
    *out_len = (size_t) (g_utf8_next_char(p) - p);
    return c;
}

static bool
is_blank(gunichar c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == 0xa0 ||
           c == 0x3000 || (c >= 0x2000 && c <= 0x200b) || c == 0x202f ||
           c == 0x2060 || c == 0xfeff;
}

static bool
is_letter(gunichar c)
{
    return c < 0x80 ? g_ascii_isalpha((char) c) : g_unichar_isalpha(c);
}

static void
classify(Word *word)
{
    const char *end = word->text + word->len;
    size_t upper = 0, letters = 0;
    for (const char *p = word->text; p < end;) {
        size_t n;
        gunichar c = char_at(p, end, &n);
        if (c < 0x80 ? g_ascii_isdigit((char) c) : g_unichar_isdigit(c)) {
            word->digit = true;
        } else if (is_letter(c)) {
            bool is_upper =
                c < 0x80 ? g_ascii_isupper((char) c) : g_unichar_isupper(c);
            if (letters == 0 && is_upper)
                word->capital = true;
            letters++;
            upper += is_upper;
            if (c >= 0x2e80 && words_is_cjk(c))
                word->cjk = true;
        }
        p += n;
    }
    word->letter = letters > 0;
    word->all_caps = letters > 1 && upper == letters;
    word->folded_len =
        words_fold(word->text, word->len, word->folded, sizeof word->folded);
    word->classes = vocabulary_find_ending(word->folded, word->folded_len);
    if (word->classes == 0 && word->folded_len <= 10 &&
        memchr(word->folded, '.', word->folded_len) != NULL) {
        char plain[12]; /* "S.A." */
        size_t n = 0;
        for (size_t i = 0; i < word->folded_len; i++)
            if (word->folded[i] != '.')
                plain[n++] = word->folded[i];
        word->classes = vocabulary_find(plain, n) &
                        (WORD_LEGAL | WORD_POSTNOMINAL | WORD_TITLE |
                         WORD_HONORIFIC | WORD_REGISTRATION);
    }
}

size_t
words_split(const char *text, size_t len, Word *out, size_t max)
{
    size_t n_words = 0;
    const char *end = text + len;
    const char *p = text;
    while (p < end && n_words < max) {
        size_t n;
        gunichar c = char_at(p, end, &n);
        if (is_blank(c)) {
            p += n;
            continue;
        }
        /* first and one past the last letter or digit of this run */
        const char *start = p, *first = NULL, *last = NULL;
        while (p < end && !is_blank(c = char_at(p, end, &n))) {
            if (is_letter(c) || g_unichar_isdigit(c) ||
                (c >= 0x300 && g_unichar_isgraph(c) && !g_unichar_ispunct(c) &&
                 g_unichar_type(c) != G_UNICODE_OTHER_SYMBOL)) {
                if (first == NULL)
                    first = p;
                last = p + n;
            }
            p += n;
        }
        if (first == NULL)
            continue;
        Word *word = &out[n_words++];
        memset(word, 0, sizeof *word);
        word->text = first;
        word->len = (size_t) (last - first);
        word->before = first > start ? first[-1] : '\0';
        word->after = last < p ? *last : '\0';
        classify(word);
    }
    return n_words;
}
