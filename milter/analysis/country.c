/*
 * country.c - a vote
 *
 * A national number is valid in many countries, so the order in which they are
 * tried decides. Each thing that tells a country has votes: a country's name, a
 * postcode of a form of its own, the address's domain, a script, a number with
 * its country code, and the words that habits.txt lists: cities, legal forms,
 * registers, streets, labels, the mail's language. The length of the postcode
 * then decides between countries that share a language. The configured country
 * has a little more than one common word.
 */
#include "analysis/country.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/postal.h"

enum { LINE_WORDS = 24, CANDIDATES = 40 };

#define VOTES_NAME 8.0
#define VOTES_POSTCODE 5.0
#define VOTES_DOMAIN 4.0
#define VOTES_SCRIPT 3.0
#define VOTES_PLUS 3.0
#define VOTES_CITY 3.0
#define VOTES_LANGUAGE 0.5 /* and what habits.txt gives */
#define VOTES_FORM 4.0     /* of a number */
#define VOTES_FALLBACK 1.2
#define VOTES_LENGTH 1.0 /* of the postcode */
#define LESS_LIKELY 0.15 /* for each country before it in a list */

typedef struct {
    const char *key, *value;
} Pair;

static const Pair habits[] = {
#include "analysis/data/habits.inc"
};

/* Country code domains that are used all over the world. */
static const char generic_cctlds[] =
    " io ai co me tv fm cc ws to ly gg la sh eu am im st vc so gl ac be-x bz "
    "sc nu tk ";

/* Domains of regions, languages and cities, and the country they are in. */
static const char *const regional[][2] = {
    { "cat", "ES" },       { "gal", "ES" },     { "eus", "ES" },
    { "barcelona", "ES" }, { "scot", "GB" },    { "wales", "GB" },
    { "cymru", "GB" },     { "london", "GB" },  { "berlin", "DE" },
    { "hamburg", "DE" },   { "bayern", "DE" },  { "koeln", "DE" },
    { "cologne", "DE" },   { "ruhr", "DE" },    { "nrw", "DE" },
    { "saarland", "DE" },  { "wien", "AT" },    { "tirol", "AT" },
    { "swiss", "CH" },     { "zuerich", "CH" }, { "paris", "FR" },
    { "bzh", "FR" },       { "alsace", "FR" },  { "corsica", "FR" },
    { "brussels", "BE" },  { "gent", "BE" },    { "vlaanderen", "BE" },
    { "amsterdam", "NL" }, { "frl", "NL" },     { "sydney", "AU" },
    { "melbourne", "AU" }, { "kiwi", "NZ" },    { "nyc", "US" },
    { "quebec", "CA" },    { "tokyo", "JP" },   { "moscow", "RU" },
    { "istanbul", "TR" },
};

/* Endings of street names that are one word with the name. */
static const char *const street_endings[][2] = {
    { "strasse", "DE AT CH" }, { "str", "DE" },         { "gasse", "AT DE CH" },
    { "weg", "DE NL AT" },     { "platz", "DE AT CH" }, { "allee", "DE DK" },
    { "straat", "NL BE" },     { "laan", "NL BE" },     { "plein", "NL BE" },
    { "kade", "NL" },          { "gracht", "NL" },      { "dijk", "NL" },
    { "singel", "NL" },        { "steenweg", "BE" },    { "dreef", "BE NL" },
    { "gatan", "SE" },         { "vagen", "SE" },       { "torget", "SE NO" },
    { "vej", "DK" },           { "gade", "DK" },        { "plads", "DK" },
    { "veien", "NO" },         { "gata", "NO SE" },     { "gate", "NO" },
    { "katu", "FI" },          { "tie", "FI" },
};

/* How many digits a postcode has that is nothing but digits; 32: 999 99. */
static const struct {
    char country[3];
    signed char digits;
} postcodes[] = {
    { "DE", 5 }, { "AT", 4 }, { "CH", 4 }, { "FR", 5 }, { "BE", 4 },
    { "LU", 4 }, { "NL", 0 }, { "IT", 5 }, { "ES", 5 }, { "MX", 5 },
    { "PT", 0 }, { "BR", 0 }, { "AR", 4 }, { "CL", 7 }, { "CO", 6 },
    { "SE", 5 }, { "NO", 4 }, { "DK", 4 }, { "FI", 5 }, { "PL", 0 },
    { "CZ", 5 }, { "SK", 5 }, { "HU", 4 }, { "RO", 6 }, { "BG", 4 },
    { "RU", 6 }, { "BY", 6 }, { "KZ", 6 }, { "UA", 5 }, { "GR", 5 },
    { "CY", 4 }, { "TR", 5 }, { "HR", 5 }, { "SI", 4 }, { "RS", 5 },
    { "BA", 5 }, { "MK", 4 }, { "ME", 5 }, { "EE", 5 }, { "SG", 6 },
    { "IN", 6 }, { "PK", 5 }, { "BD", 4 }, { "LK", 5 }, { "NP", 5 },
    { "MY", 5 }, { "ID", 5 }, { "TH", 5 }, { "PH", 4 }, { "VN", 6 },
    { "CN", 6 }, { "IL", 7 }, { "AU", 4 }, { "NZ", 4 }, { "ZA", 4 },
    { "CA", 0 }, { "GB", 0 }, { "US", 5 }, { "MA", 5 }, { "TN", 4 },
    { "EG", 5 }, { "SA", 5 },
};

typedef struct {
    struct {
        char country[3];
        double votes;
    } list[CANDIDATES];
    size_t n;
    unsigned lengths; /* bit n: a postcode of n digits was seen */
} Vote;

static void
give(Vote *vote, const char *country, double votes)
{
    for (size_t i = 0; i < vote->n; i++)
        if (memcmp(vote->list[i].country, country, 2) == 0) {
            vote->list[i].votes += votes;
            return;
        }
    if (vote->n == CANDIDATES)
        return;
    memcpy(vote->list[vote->n].country, country, 2);
    vote->list[vote->n++].votes = votes;
}

/* "DE AT CH": less to each that follows. */
static void
give_list(Vote *vote, const char *countries, double votes)
{
    while (*countries != '\0') {
        give(vote, countries, votes);
        votes -= LESS_LIKELY;
        countries += 2;
        countries += *countries == ' ';
    }
}

static int
compare_pair(const void *key, const void *pair)
{
    return strcmp(key, ((const Pair *) pair)->key);
}

/* Where the keys begin whose first byte is so or greater. */
static const unsigned short *
first_of_byte(void)
{
    static unsigned short first[257];
    static gsize made = 0;
    if (g_once_init_enter(&made)) {
        unsigned short i = 0;
        for (unsigned byte = 0; byte <= 256; byte++) {
            while (i < G_N_ELEMENTS(habits) &&
                   (unsigned char) habits[i].key[0] < byte)
                i++;
            first[byte] = i;
        }
        g_once_init_leave(&made, 1);
    }
    return first;
}

static const char *
find_habit(const char *key)
{
    const unsigned short *first = first_of_byte();
    unsigned byte = (unsigned char) key[0];
    const Pair *pair = bsearch(key, habits + first[byte],
                               (size_t) (first[byte + 1] - first[byte]),
                               sizeof *habits, compare_pair);
    return pair != NULL ? pair->value : NULL;
}

/* --- the domain, the language, the script -------------------------------------- */

static void
by_domain(Vote *vote, const char *email)
{
    const char *dot = strrchr(email, '.');
    for (size_t i = 0; dot != NULL && i < G_N_ELEMENTS(regional); i++)
        if ((dot[1] | 0x20) == regional[i][0][0] &&
            g_ascii_strcasecmp(dot + 1, regional[i][0]) == 0) {
            give(vote, regional[i][1], VOTES_DOMAIN);
            return;
        }
    if (dot == NULL || strlen(dot + 1) != 2 || !g_ascii_isalpha(dot[1]) ||
        !g_ascii_isalpha(dot[2]))
        return;
    char padded[5] = { ' ', g_ascii_tolower(dot[1]), g_ascii_tolower(dot[2]),
                       ' ', '\0' };
    if (strstr(generic_cctlds, padded) != NULL)
        return;
    char country[3] = { g_ascii_toupper(dot[1]), g_ascii_toupper(dot[2]),
                        '\0' };
    give(vote, strcmp(country, "UK") == 0 ? "GB" : country, VOTES_DOMAIN);
}

static void
by_language(Vote *vote, const char *lang)
{
    char key[16];
    g_snprintf(key, sizeof key, "lang:%s", lang);
    const char *habit = find_habit(key);
    if (habit != NULL)
        give_list(vote, habit + 2, habit[0] - '0' + VOTES_LANGUAGE);
}

/* The country whose script, or whose words in Han, the line is written in. */
static const char *
script_country(const char *text)
{
    static const struct {
        GUnicodeScript script;
        const char *country;
    } scripts[] = {
        { G_UNICODE_SCRIPT_HANGUL, "KR" },
        { G_UNICODE_SCRIPT_HIRAGANA, "JP" },
        { G_UNICODE_SCRIPT_KATAKANA, "JP" },
        { G_UNICODE_SCRIPT_GREEK, "GR" },
        { G_UNICODE_SCRIPT_HEBREW, "IL" },
        { G_UNICODE_SCRIPT_THAI, "TH" },
        { G_UNICODE_SCRIPT_GEORGIAN, "GE" },
        { G_UNICODE_SCRIPT_ARMENIAN, "AM" },
    };
    static const char *const words[][2] = {
        { "〒", "JP" },   { "株式会社", "JP" }, { "有限会社", "JP" },
        { "携帯", "JP" }, { "㈱", "JP" },       { "手机", "CN" },
        { "电话", "CN" }, { "統一編號", "TW" }, { "統編", "TW" },
        { "新北", "TW" }, { "台北", "TW" },     { "臺北", "TW" },
        { "台中", "TW" }, { "臺中", "TW" },     { "台南", "TW" },
        { "臺南", "TW" }, { "高雄", "TW" },     { "桃園", "TW" },
        { "新竹", "TW" }, { "九龍", "HK" },     { "北京", "CN" },
        { "上海", "CN" }, { "深圳", "CN" },     { "广州", "CN" },
    };
    const char *p = text;
    while (*p != '\0' && !(*p & 0x80))
        p++;
    if (*p == '\0')
        return NULL;
    for (size_t k = 0; k < G_N_ELEMENTS(words); k++)
        if (strstr(p, words[k][0]) != NULL)
            return words[k][1];
    for (; *p != '\0'; p = g_utf8_next_char(p))
        if (*p & 0x80) {
            GUnicodeScript script = g_unichar_get_script(g_utf8_get_char(p));
            for (size_t k = 0; k < G_N_ELEMENTS(scripts); k++)
                if (script == scripts[k].script)
                    return scripts[k].country;
        }
    return NULL;
}

/* --- the words ------------------------------------------------------------------- */

static bool
is_number(const Word *word)
{
    return word->digit && !word->letter;
}

/* Does a place stand here: beside a number, or at an end? */
static bool
is_place(const Word *words, size_t n, size_t first, size_t last)
{
    if (!words[first].capital ||
        (first == 0 && last + 1 < n && words[last].after == '\0' &&
         !words[last + 1].digit))
        return false;
    return last + 1 == n || words[last].after != '\0' ||
           words[last + 1].digit || words[last + 1].before != '\0' ||
           (first > 0 && words[first - 1].digit);
}

static void
by_words(Vote *vote, const Word *words, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const Word *word = &words[i];
        if (is_number(word)) {
            bool alone = (i == 0 || !words[i - 1].digit) &&
                         (i + 1 == n || !words[i + 1].digit);
            bool beside = (i + 1 < n && words[i + 1].capital) ||
                          (i > 0 && words[i - 1].capital);
            if (alone && beside && word->folded_len <= 6 &&
                strspn(word->folded, "0123456789") == word->folded_len)
                vote->lengths |= 1U << word->folded_len;
            if (i + 2 < n && word->folded_len == 3 &&
                words[i + 1].folded_len == 2 && is_number(&words[i + 1]) &&
                words[i + 2].capital)
                vote->lengths |= 1U << 5;
            continue;
        }
        char key[2 * WORD_FOLDED_MAX + 2];
        size_t len = 0;
        for (size_t k = 0; k < word->folded_len; k++)
            if (word->folded[k] != '.')
                key[len++] = word->folded[k];
        key[len] = '\0';
        if (len < 2 && (unsigned char) key[0] < 0x80)
            continue;
        const char *habit = find_habit(key);
        if (habit != NULL && habit[0] != 'c') {
            give_list(vote, habit + 2, habit[0] - '0');
            continue;
        }
        if (habit != NULL && is_place(words, n, i, i)) {
            give_list(vote, habit + 2, VOTES_CITY);
            continue;
        }
        if (i + 1 < n && word->capital && word->after == '\0') {
            /* "New Delhi", "Rio de Janeiro" */
            size_t last = i + 1;
            if (words[last].folded_len == 2 && !words[last].capital &&
                last + 1 < n)
                last++;
            for (size_t k = i + 1; k <= last; k++) {
                key[len++] = '_';
                size_t room = sizeof key - 1 - len;
                size_t more = MIN(words[k].folded_len, room);
                memcpy(key + len, words[k].folded, more);
                len += more;
                if (len + 2 > sizeof key)
                    break;
            }
            key[len] = '\0';
            habit = find_habit(key);
            if (habit != NULL && habit[0] == 'c' &&
                is_place(words, n, i, last)) {
                give_list(vote, habit + 2, VOTES_CITY);
                i = last;
                continue;
            }
        }
        if ((word->classes & WORD_STREET) && word->folded_len > 5)
            for (size_t k = 0; k < G_N_ELEMENTS(street_endings); k++)
                if (g_str_has_suffix(word->folded, street_endings[k][0])) {
                    give_list(vote, street_endings[k][1], 2.0);
                    break;
                }
    }
}

/* "(503) 555-0144", "503-555-0144", less sure "503.555.0144": the form in which
 * North America writes its numbers. */
static double
north_american(const char *text, size_t len)
{
    for (size_t i = 0; i + 12 <= len; i++) {
        const char *p = text + i;
        bool bracket = *p == '(';
        if (i > 0 && (g_ascii_isalnum(p[-1]) || p[-1] == '+' || p[-1] == '('))
            continue;
        p += bracket;
        if (p[0] < '2' || p[0] > '9' || !g_ascii_isdigit(p[1]) ||
            !g_ascii_isdigit(p[2]))
            continue;
        char first = p[3];
        p += 4;
        if (bracket && first == ')')
            p += *p == ' ' || *p == '-';
        else if (first == '\0' || strchr("-. /", first) == NULL)
            continue;
        size_t left = len - (size_t) (p - text);
        if (left < 8 || p[0] < '2' || p[0] > '9' || !g_ascii_isdigit(p[1]) ||
            !g_ascii_isdigit(p[2]) || strchr("-. ", p[3]) == NULL ||
            strspn(p + 4, "0123456789") != 4)
            continue;
        return p[3] == '-' ? VOTES_FORM : 1.0;
    }
    return 0;
}

/* The region of a number written with its country code. */
static bool
by_plus(Vote *vote, const CardLine *line)
{
    static const char *const none[] = { NULL };
    PhoneMatch found[PHONE_LINE_MAX];
    if (memchr(line->text, '+', line->len) == NULL)
        return false;
    size_t n = phone_scan(line->text, line->len, none, 0, found);
    for (size_t k = 0; k < n; k++)
        if (found[k].international &&
            g_ascii_isalpha(found[k].number.region[0])) {
            give(vote, found[k].number.region, VOTES_PLUS);
            return true;
        }
    return false;
}

static void
by_card(Vote *vote, const Card *card)
{
    bool plus = false, script = false;
    double american = 0;
    const char *name = NULL, *form = NULL;
    for (size_t i = 0; i < card->n_lines; i++) {
        const CardLine *line = &card->lines[i];
        Word words[LINE_WORDS];
        const char *text = line->closing ? line->original : line->text;
        size_t len = line->closing ? strlen(text) : line->len;
        size_t n = words_split(text, len, words, LINE_WORDS);
        if (!plus)
            plus = by_plus(vote, line);
        if (american == 0)
            american = north_american(line->text, line->len);
        const char *country = script ? NULL : script_country(line->text);
        if (country != NULL) {
            give(vote, country, VOTES_SCRIPT);
            script = true;
        }
        if (name == NULL)
            name = postal_country_name(words, n);
        if (form == NULL)
            form = postal_country_form(words, n);
        by_words(vote, words, n);
    }
    if (american > 0)
        give(vote, "US", american);
    if (name != NULL)
        give(vote, name, VOTES_NAME);
    if (form != NULL)
        give(vote, form, VOTES_POSTCODE);
}

/* Countries that share a language have other postcodes. */
static void
by_postcode_length(Vote *vote)
{
    const unsigned usual = 1U << 4 | 1U << 5 | 1U << 6;
    if ((vote->lengths & usual) == 0)
        return;
    for (size_t i = 0; i < vote->n; i++)
        for (size_t k = 0; k < G_N_ELEMENTS(postcodes); k++)
            if (memcmp(vote->list[i].country, postcodes[k].country, 2) == 0) {
                unsigned bit = 1U << postcodes[k].digits;
                vote->list[i].votes +=
                    vote->lengths & bit ? VOTES_LENGTH : -VOTES_LENGTH;
                break;
            }
}

/* Without digits there is neither a number nor an address to place. */
static bool
has_digits(const Card *card)
{
    size_t digits = 0;
    for (size_t i = 0; i < card->n_lines && digits < 3; i++)
        for (const char *p = card->lines[i].text; *p != '\0'; p++)
            digits += g_ascii_isdigit(*p) != 0;
    return digits >= 3;
}

void
countries_find(Countries *out, const Card *card, const char *email,
               const char *lang, const char *fallback)
{
    Vote vote = { 0 };
    memset(out, 0, sizeof *out);
    by_domain(&vote, email);
    by_language(&vote, lang);
    if (card != NULL && has_digits(card)) {
        by_card(&vote, card);
        by_postcode_length(&vote);
    }
    if (fallback != NULL && strlen(fallback) == 2)
        give(&vote, fallback, VOTES_FALLBACK);
    bool has_fallback = fallback == NULL;
    while (out->n < COUNTRIES_MAX) {
        size_t best = vote.n;
        for (size_t i = 0; i < vote.n; i++)
            if (vote.list[i].votes > 0 &&
                (best == vote.n ||
                 vote.list[i].votes > vote.list[best].votes + 0.001))
                best = i;
        if (best == vote.n)
            break;
        const char *country = vote.list[best].country;
        has_fallback |= fallback != NULL && strcmp(country, fallback) == 0;
        if (out->n + 1 == COUNTRIES_MAX && !has_fallback)
            country = fallback;
        g_strlcpy(out->codes[out->n], country, sizeof out->codes[0]);
        out->list[out->n] = out->codes[out->n];
        out->n++;
        vote.list[best].votes = 0;
    }
}
