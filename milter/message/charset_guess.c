/*
 * charset_guess.c - which charset are undeclared 8-bit bytes in?
 *
 * Header fields and old mail bear text whose charset nobody named. UTF-8 was
 * tried before we come here. What is left is told apart by shape, in one pass
 * of counting:
 *
 * - letters with accents stand next to ASCII letters: a Latin charset;
 * - two-byte charsets come in pairs, whose first bytes keep to the ranges of
 *   common characters (kana, Hangul, the frequent half of GB 2312, Big5);
 * - alphabets of one byte come in runs of any length, and differ by where
 *   their small letters lie.
 *
 * A wrong guess costs a garbled word, never more.
 */
#include "message/charset.h"

#include <string.h>

/* So many bytes tell enough. */
enum { GUESS_MAX = 4096 };

typedef struct {
    size_t high;     /* bytes above 0x7f */
    size_t runs;     /* of such bytes in a row */
    size_t odd_runs; /* of odd length */
    size_t touching; /* runs next to an ASCII letter */
    size_t by[256];
} Counts;

static void
count(Counts *c, const unsigned char *p, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (p[i] < 0x80)
            continue;
        size_t start = i;
        for (; i < len && p[i] >= 0x80; i++)
            c->by[p[i]]++;
        c->high += i - start;
        c->runs++;
        c->odd_runs += (i - start) % 2;
        c->touching += (start > 0 && g_ascii_isalpha((char) p[start - 1])) ||
                       (i < len && g_ascii_isalpha((char) p[i]));
    }
}

static size_t
between(const Counts *c, unsigned low, unsigned high)
{
    size_t n = 0;
    for (unsigned b = low; b <= high; b++)
        n += c->by[b];
    return n;
}

/* --- two-byte charsets ------------------------------------------------------------ */

typedef struct {
    size_t pairs, bad, kana, hangul, hanzi, big5, low_trail, kanji, loose;
    size_t common_korean, common_chinese;
} Pairs;

static bool
is_common(unsigned pair, const unsigned *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (list[i] == pair)
            return true;
    }
    return false;
}

static const unsigned korean[] = {
    0xc0cc, 0xb4d9, 0xb4c2, 0xc0bb, 0xc0c7, 0xbfa1, 0xb0a1, 0xc7cf, 0xb4cf,
    0xb0ed, 0xb7ce, 0xc7d1, 0xbbe7, 0xc1f6, 0xc0ce, 0xbec8, 0xb3e7, 0xbfe4,
    0xbdc0, 0xbcbc, 0xc0da, 0xb8de, 0xc0cf, 0xb5e5, 0xb5b5, 0xbcad, 0xb8a6,
};

static const unsigned chinese[] = {
    0xb5c4, 0xd2bb, 0xcac7, 0xb2bb, 0xc1cb, 0xd4da, 0xc8cb, 0xd3d0, 0xced2,
    0xcbfb, 0xd5e2, 0xb8f6, 0xc3c7, 0xd6d0, 0xc0b4, 0xc9cf, 0xb4f3, 0xceaa,
    0xbacd, 0xb9fa, 0xb5bd, 0xd2d4, 0xcbb5, 0xcab1, 0xd2aa, 0xbecd, 0xb3f6,
    0xbbe1, 0xbfc9, 0xd2b2, 0xc4e3, 0xb6d4, 0xc4dc, 0xc7eb, 0xd3ca, 0xbcfe,
    0xb6a9, 0xcdcb, 0xbbd8, 0xb8b4, 0xc4fa, 0xbac3, 0xd0bb, 0xb9ab, 0xcbbe,
    0xc0ed, 0xbead, 0xb1a8, 0xbcdb, 0xb5a5, 0xc8d5, 0xd4c2, 0xc4ea,
};

/* EUC-JP, EUC-KR, GB 2312 and Big5 all begin characters at 0xa1 and above. */
static Pairs
count_euc(const unsigned char *p, size_t len)
{
    Pairs c = { 0 };
    for (size_t i = 0; i < len; i++) {
        if (p[i] < 0x80)
            continue;
        unsigned lead = p[i];
        unsigned trail = i + 1 < len ? p[i + 1] : 0;
        if (trail == 0) /* cut off at the end */
            break;
        if (lead < 0xa1 || trail < 0x40 || trail == 0x7f ||
            (trail > 0x7f && trail < 0xa1)) {
            c.bad++;
            continue;
        }
        unsigned pair = lead << 8 | trail;
        c.pairs++;
        c.low_trail += trail < 0x80;
        c.kana += lead == 0xa4 || lead == 0xa5;
        c.hangul += (lead >= 0xb0 && lead <= 0xc8) || lead == 0xa1;
        c.hanzi +=
            (lead >= 0xb0 && lead <= 0xd7) || lead == 0xa1 || lead == 0xa3;
        c.big5 += (lead >= 0xa4 && lead <= 0xc6) || lead == 0xa1;
        c.common_korean += is_common(pair, korean, G_N_ELEMENTS(korean));
        c.common_chinese += is_common(pair, chinese, G_N_ELEMENTS(chinese));
        i++;
    }
    return c;
}

static Pairs
count_shift_jis(const unsigned char *p, size_t len)
{
    Pairs c = { 0 };
    for (size_t i = 0; i < len; i++) {
        if (p[i] < 0x80) {
            c.loose += g_ascii_isalpha((char) p[i]);
            continue;
        }
        if (p[i] >= 0xa1 && p[i] <= 0xdf) { /* half-width katakana */
            c.loose++;
            continue;
        }
        unsigned trail = i + 1 < len ? p[i + 1] : 0;
        if (trail == 0)
            break;
        bool lead =
            (p[i] >= 0x81 && p[i] <= 0x9f) || (p[i] >= 0xe0 && p[i] <= 0xfc);
        if (!lead || trail < 0x40 || trail == 0x7f || trail > 0xfc) {
            c.bad++;
            continue;
        }
        c.pairs++;
        c.kana += p[i] == 0x82 || p[i] == 0x83;
        c.kanji += p[i] >= 0x88 && p[i] <= 0x9f;
        i++;
    }
    return c;
}

static const char *
guess_pairs(const unsigned char *p, size_t len, const Counts *counts)
{
    Pairs sjis = count_shift_jis(p, len);
    /* Smart quotes of windows-1252 pair with the letter behind them: so there
     * must be more pairs than letters, or kana. */
    if (sjis.bad == 0 && sjis.pairs >= 2 && sjis.loose <= 2 * sjis.pairs &&
        (sjis.kana * 5 >= sjis.pairs ||
         (sjis.kanji * 2 >= sjis.pairs && sjis.loose < sjis.pairs)))
        return "CP932";

    Pairs euc = count_euc(p, len);
    if (euc.bad > 0 || euc.pairs < 2 || counts->high < 2 * counts->runs)
        return NULL;
    if (euc.low_trail == 0 && counts->odd_runs > 0)
        return NULL;
    if (euc.low_trail == 0 && euc.kana * 5 >= euc.pairs)
        return "EUC-JP-MS";
    if (euc.low_trail * 10 >= euc.pairs)
        return euc.big5 * 10 >= euc.pairs * 9 ? "CP950" : NULL;
    /* KOI8-R's small letters, and nothing else, look like pairs, too. */
    size_t koi = between(counts, 0xc0, 0xdf);
    if (koi * 10 >= counts->high * 9 &&
        euc.common_chinese + euc.common_korean == 0)
        return NULL;
    if (euc.hangul * 10 >= euc.pairs * 9 &&
        euc.common_korean >= euc.common_chinese && euc.common_korean > 0)
        return "CP949";
    if (euc.hanzi * 10 >= euc.pairs * 7)
        return "GB18030";
    return NULL;
}

/* --- alphabets ----------------------------------------------------------------------- */

static const char *
guess_alphabet(const Counts *c)
{
    size_t n = c->high;
    size_t a1_bf = between(c, 0xa1, 0xbf), c0_df = between(c, 0xc0, 0xdf);
    size_t e0_ff = between(c, 0xe0, 0xff);
    if (a1_bf * 10 >= n * 3)
        return "CP874";
    size_t arabic = c->by[0xc7] + c->by[0xe1] + c->by[0xed] + c->by[0xe6] +
                    c->by[0xe3] + c->by[0xe4];
    if (c0_df * 10 >= n * 3 && c0_df * 10 <= n * 8 && arabic * 10 >= n * 3)
        return "CP1256";
    if (c0_df * 10 >= n * 6)
        return "KOI8-R";
    if (between(c, 0xdc, 0xdf) * 25 >= n)
        return "CP1253";
    if (n >= 15 && c0_df == 0 && between(c, 0xfb, 0xff) == 0 && e0_ff == n)
        return "CP1255";
    return "CP1251";
}

static const char *
guess_latin(const unsigned char *p, size_t len)
{
    /* Signs in windows-1252 that are letters elsewhere: do letters stand
     * around them? */
    size_t polish = 0, turkish = 0;
    for (size_t i = 0; i < len; i++) {
        bool after = i > 0 && g_ascii_isalpha((char) p[i - 1]);
        bool before = i + 1 < len && g_ascii_isalpha((char) p[i + 1]);
        if (p[i] == 0xb3 || p[i] == 0xb9 || p[i] == 0xbf || p[i] == 0x9c ||
            p[i] == 0x9f)
            polish += after || (before && p[i] != 0xbf);
        if (p[i] == 0xfe || p[i] == 0xf0 || p[i] == 0xfd || p[i] == 0xdd ||
            p[i] == 0xde)
            turkish += after || before;
    }
    if (polish > 0)
        return "CP1250";
    if (turkish > 0)
        return "CP1254";
    return "CP1252";
}

/* Thai spelling: a vowel written before its consonant has one after it, a mark
 * has one before it. Pairs of other charsets break that soon. */
static bool
is_thai(const unsigned char *p, size_t len, const Counts *c)
{
    size_t marks = 0, tones = c->by[0xe8] + c->by[0xe9];
    if (c->high < 10 || tones * 25 < c->high)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (p[i] < 0x80)
            continue;
        unsigned next = i + 1 < len ? p[i + 1] : 0xa1;
        unsigned before = i > 0 ? p[i - 1] : 0;
        bool vowel = p[i] >= 0xe0 && p[i] <= 0xe4;
        bool mark = p[i] == 0xd1 || (p[i] >= 0xd4 && p[i] <= 0xda) ||
                    (p[i] >= 0xe7 && p[i] <= 0xee);
        if (p[i] < 0xa1 || p[i] > 0xfb || (p[i] >= 0xdb && p[i] <= 0xde) ||
            (vowel && (next < 0xa1 || next > 0xce)) ||
            (mark && (before < 0xa1 || before == 0xdf)))
            return false;
        if (mark && before >= 0xe0 && before <= 0xe4)
            return false;
        marks += mark;
    }
    return marks * 8 >= c->high;
}

const char *
charset_guess(const char *bytes, size_t len)
{
    len = MIN(len, GUESS_MAX);
    const unsigned char *p = (const unsigned char *) bytes;
    const char *esc = memchr(bytes, 0x1b, len);
    if (esc != NULL && (size_t) (esc - bytes) + 2 < len) {
        if (esc[1] == '$' && esc[2] == ')')
            return "ISO-2022-KR";
        if (esc[1] == '$' || (esc[1] == '(' && esc[2] != 'B'))
            return "ISO-2022-JP-3";
    }
    Counts c = { 0 };
    count(&c, p, len);
    if (c.high == 0)
        return "CP1252";
    if (is_thai(p, len, &c))
        return "CP874";
    const char *pairs = guess_pairs(p, len, &c);
    if (pairs != NULL)
        return pairs;
    if (c.touching * 2 >= c.runs)
        return guess_latin(p, len);
    return guess_alphabet(&c);
}
