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

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Classes of ASCII characters. */
enum { C_LOWER = 1, C_UPPER = 2, C_DIGIT = 4, C_BLANK = 8 };
#define L10(x) x, x, x, x, x, x, x, x, x, x
static const unsigned char ascii[128] = {
    ['\t'] = C_BLANK,
    ['\n'] = C_BLANK,
    ['\r'] = C_BLANK,
    [' '] = C_BLANK,
    ['0'] = L10(C_DIGIT),
    ['A'] = L10(C_UPPER),
    L10(C_UPPER),
    C_UPPER,
    C_UPPER,
    C_UPPER,
    C_UPPER,
    C_UPPER,
    C_UPPER,
    ['a'] = L10(C_LOWER),
    L10(C_LOWER),
    C_LOWER,
    C_LOWER,
    C_LOWER,
    C_LOWER,
    C_LOWER,
    C_LOWER,
};

static inline char
to_lower(char c)
{
    return ascii[(unsigned char) c & 0x7f] & C_UPPER ? (char) (c | 0x20) : c;
}

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

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

size_t
words_fold(const char *text, size_t len, char *out, size_t size)
{
    size_t used = 0;
    const char *end = text + len;
    for (const char *p = text; p < end;) {
        /* eight ASCII characters at once */
        uint64_t eight;
        while ((size_t) (end - p) >= sizeof eight &&
               used + sizeof eight < size) {
            memcpy(&eight, p, sizeof eight);
            if ((eight & EACH(0x80)) != 0)
                break;
            uint64_t upper = (eight + EACH(0x80 - 'A')) &
                             ~(eight + EACH(0x80 - 'Z' - 1)) & EACH(0x80);
            eight |= upper >> 2;
            memcpy(out + used, &eight, sizeof eight);
            p += sizeof eight;
            used += sizeof eight;
        }
        if (p == end)
            break;
        if (!((unsigned char) *p & 0x80)) {
            if (used + 1 >= size)
                break;
            out[used++] = to_lower(*p++);
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

/* Thai, Lao, Khmer and Burmese write words without blanks: the longest known
 * beginning tells. Hebrew and Arabic put the article and "and" before. */
static unsigned
unspaced_classes(const Word *word)
{
    const unsigned wanted = WORD_TITLE | WORD_LEGAL | WORD_ORGANISATION |
                            WORD_STREET | WORD_DEPARTMENT;
    unsigned char first = (unsigned char) word->folded[0];
    if (first == 0xe0 || first == 0xe1) {
        for (size_t n = word->folded_len; n >= 9; n--)
            if (((unsigned char) word->folded[n] & 0xc0) != 0x80) {
                unsigned classes = vocabulary_find(word->folded, n) & wanted;
                if (classes != 0)
                    return classes;
            }
        return 0;
    }
    static const char *const articles[] = { "ال", "وال", "و", "ה" };
    for (size_t i = 0; i < 4; i++) {
        size_t n = strlen(articles[i]);
        if (word->folded_len > n + 3 &&
            memcmp(word->folded, articles[i], n) == 0) {
            unsigned classes =
                vocabulary_find(word->folded + n, word->folded_len - n) &
                (wanted | WORD_TITLEMOD);
            if (classes != 0)
                return classes;
        }
    }
    return 0;
}

static void
classify(Word *word)
{
    const char *end = word->text + word->len;
    size_t upper = 0, letters = 0;
    for (const char *p = word->text; p < end;) {
        unsigned char byte = (unsigned char) *p;
        if (byte < 0x80) {
            unsigned class = ascii[byte];
            if (class & C_DIGIT) {
                word->digit = true;
            } else if (class & (C_LOWER | C_UPPER)) {
                if (letters++ == 0 && (class & C_UPPER))
                    word->capital = true;
                upper += (class & C_UPPER) != 0;
            }
            p++;
            continue;
        }
        size_t n;
        gunichar c = char_at(p, end, &n);
        if (g_unichar_isdigit(c)) {
            word->digit = true;
        } else if (g_unichar_isalpha(c)) {
            bool is_upper = g_unichar_isupper(c);
            if (c >= 0x2e80 && words_is_cjk(c))
                word->cjk = true;
            else if (letters == 0 && c >= 0x590 &&
                     g_unichar_type(c) == G_UNICODE_OTHER_LETTER)
                word->caseless = word->capital = true;
            if (letters++ == 0 && is_upper)
                word->capital = true;
            upper += is_upper;
        }
        p += n;
    }
    word->letter = letters > 0;
    word->all_caps = letters > 1 && upper == letters;
    word->folded_len =
        words_fold(word->text, word->len, word->folded, sizeof word->folded);
    word->classes = vocabulary_find_ending(word->folded, word->folded_len);
    const char *hyphen =
        word->classes == 0 ? memchr(word->folded, '-', word->folded_len) : NULL;
    if (hyphen != NULL && word->capital && word->folded_len > 5) {
        static const char *const doubles[] = { "jean-", "marie-", "anne-",
                                               "hans-", "karl-",  "maria-",
                                               "mary-", "ana-",   "pierre-",
                                               "ann-",  "eva-",   "jan-" };
        for (size_t i = 0; i < G_N_ELEMENTS(doubles); i++)
            if (g_str_has_prefix(word->folded, doubles[i]))
                word->classes = WORD_GIVEN;
    }
    if (word->classes == 0 && word->caseless)
        word->classes = unspaced_classes(word);
    if (hyphen != NULL && word->classes == 0) { /* "Sócio-Diretor" */
        size_t skip = (size_t) (hyphen + 1 - word->folded);
        word->classes |=
            vocabulary_find(hyphen + 1, word->folded_len - skip) & WORD_TITLE;
    }
    const char *slash =
        word->classes == 0 ? memchr(word->folded, '/', word->folded_len) : NULL;
    if (slash != NULL) { /* "Owner/Chef", "MD/CEO" */
        size_t skip = (size_t) (slash + 1 - word->folded);
        word->classes |= (vocabulary_find(word->folded, skip - 1) |
                          vocabulary_find(slash + 1, word->folded_len - skip)) &
                         WORD_TITLE;
    }
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

/* Letters and digits begin and end a word; marks of scripts count as well. */
static bool
is_word_char(gunichar c)
{
    return g_unichar_isalnum(c) ||
           (c >= 0x300 && g_unichar_isgraph(c) && !g_unichar_ispunct(c) &&
            g_unichar_type(c) != G_UNICODE_OTHER_SYMBOL);
}

size_t
words_split(const char *text, size_t len, Word *out, size_t max)
{
    size_t n_words = 0;
    const char *end = text + len;
    const char *p = text;
    while (p < end && n_words < max) {
        /* first and one past the last letter or digit up to a blank */
        const char *start = NULL, *first = NULL, *last = NULL;
        while (p < end) {
            unsigned char byte = (unsigned char) *p;
            size_t n = 1;
            bool blank, part;
            if (byte < 0x80) {
                blank = (ascii[byte] & C_BLANK) != 0;
                part = (ascii[byte] & (C_LOWER | C_UPPER | C_DIGIT)) != 0;
            } else {
                gunichar c = char_at(p, end, &n);
                blank = is_blank(c);
                part = !blank && is_word_char(c);
            }
            if (blank) {
                p += n;
                if (start != NULL)
                    break;
                continue;
            }
            if (start == NULL)
                start = p;
            p += n;
            if (part) {
                if (first == NULL)
                    first = p - n;
                last = p;
            }
        }
        if (first == NULL)
            continue;
        Word *word = &out[n_words++];
        memset(word, 0, offsetof(Word, folded));
        word->folded_len = 0;
        word->classes = 0;
        word->capital = word->caseless = word->all_caps = word->digit =
            word->letter = word->cjk = false;
        word->text = first;
        word->len = (size_t) (last - first);
        word->before = first > start ? first[-1] : '\0';
        word->after =
            last < end && !(ascii[(unsigned char) *last & 0x7f] & C_BLANK &&
                            (unsigned char) *last < 0x80)
                ? *last
                : '\0';
        classify(word);
    }
    return n_words;
}

bool
words_street_letter(const Word *words, size_t n, size_t i)
{
    if (i + 1 >= n || words[i].len != 1)
        return false;
    char letter = words[i].text[0], next = words[i].text[1];
    if (i == 0)
        return (letter == 'R' && next == '.') ||
               ((letter == 'C' || letter == 'c') && next == '/');
    return letter == 'u' && next == '.' && words[i + 1].digit;
}

bool
words_ends_in(const Word *word, const char *const *endings, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (g_str_has_suffix(word->folded, endings[i]))
            return true;
    return false;
}
