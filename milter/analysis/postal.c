/*
 * postal.c - streets, postcodes and what stands between them
 *
 * Each part of the card is asked what it could be: a street (number beside a
 * street word), a place (postcode beside a town, by the forms that countries
 * use), a unit (floor, suite), a state or a country. Neighbouring parts of these
 * kinds are one address; the address with the most evidence wins, the first of
 * equals. Whole names of buildings before the street on the same line belong to
 * it as well.
 */
#include "analysis/postal.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *key, *value;
} Pair;

static const Pair countries[] = {
#include "analysis/data/countries.inc"
};

typedef enum {
    KIND_NONE = 0,
    KIND_STREET = 1 << 0,
    KIND_PLACE = 1 << 1, /* postcode and town */
    KIND_UNIT = 1 << 2,
    KIND_STATE = 1 << 3,
    KIND_COUNTRY = 1 << 4,
    KIND_NUMBERED =
        1 << 5,         /* words and one number: a street if a place follows */
    KIND_TOWN = 1 << 6, /* one to four capitalised words */
    KIND_POSTCODE = 1 << 7, /* a postcode alone */
    KIND_CJK = 1 << 8,
    KIND_BAD = 1 << 9,
} Kind;

static const char au_states[] = " vic nsw qld sa wa tas act nt ";
static const char us_states[] =
    " al ak az ar ca co ct de fl ga hi id il in ia ks ky la me md ma mi mn ms "
    "mo mt ne nv nh nj nm ny nc nd oh ok or pa ri sc sd tn tx ut vt va wa wv "
    "wi "
    "wy dc pr ";
static const char ca_provinces[] = " on qc bc ab mb sk ns nb nl pe yt nu nt ";
static const char us_state_names[] =
    " california texas florida illinois pennsylvania ohio georgia michigan "
    "oregon washington colorado massachusetts virginia arizona minnesota "
    "wisconsin maryland missouri tennessee indiana louisiana kentucky oklahoma "
    "connecticut utah iowa nevada arkansas mississippi kansas nebraska idaho "
    "hawaii maine alaska vermont wyoming delaware montana ";
static const char au_state_names[] = " victoria queensland tasmania ";

static bool
in_list(const char *list, const Word *word)
{
    char padded[WORD_FOLDED_MAX + 4];
    if (word->folded_len == 0)
        return false;
    g_snprintf(padded, sizeof padded, " %s ", word->folded);
    return strstr(list, padded) != NULL;
}

static int
compare_pair(const void *key, const void *pair)
{
    return strcmp(key, ((const Pair *) pair)->key);
}

const char *
postal_country_code(const char *text, size_t len)
{
    char folded[48];
    size_t n = words_fold(text, len, folded, sizeof folded);
    while (n > 0 && strchr(" .,", folded[n - 1]) != NULL)
        folded[--n] = '\0';
    for (size_t i = 0; i < n; i++)
        if (folded[i] == ' ')
            folded[i] = '_';
    const Pair *pair = bsearch(folded, countries, G_N_ELEMENTS(countries),
                               sizeof *countries, compare_pair);
    return pair != NULL ? pair->value : NULL;
}

/* Shape of a word: digits '9', letters 'a'. */
static void
shape_of(const Word *word, char out[16])
{
    size_t n = 0;
    for (size_t i = 0; i < word->folded_len && n < 15; i++) {
        char c = word->folded[i];
        out[n++] = g_ascii_isdigit(c) ? '9' : g_ascii_isalpha(c) ? 'a' : c;
    }
    out[n] = '\0';
}

static bool
is_digits(const char *shape, size_t n)
{
    return strlen(shape) == n && strspn(shape, "9") == n;
}

/* UK: A9 9AA to AA9A 9AA, as two words. */
static bool
is_uk_postcode(const char *a, const char *b)
{
    static const char *const outward[] = { "a9",  "a99",  "a9a",
                                           "aa9", "aa99", "aa9a" };
    if (strcmp(b, "9aa") != 0)
        return false;
    for (size_t i = 0; i < G_N_ELEMENTS(outward); i++)
        if (strcmp(a, outward[i]) == 0)
            return true;
    return false;
}

typedef struct {
    size_t first, n;     /* words */
    const char *country; /* that the form alone tells, or NULL */
    size_t state;        /* index of the state's word + 1, or 0 */
} Postcode;

/* A postcode among the words of a part. */
static bool
find_postcode(const Word *words, size_t n, Postcode *out)
{
    for (size_t i = 0; i < n; i++) {
        char shape[16], next[16] = "";
        shape_of(&words[i], shape);
        if (i + 1 < n)
            shape_of(&words[i + 1], next);
        *out = (Postcode){ i, 1, NULL, 0 };
        if (i + 1 < n && is_uk_postcode(shape, next)) {
            *out = (Postcode){ i, 2, "GB", 0 };
            return true;
        }
        if (i + 1 < n && strcmp(shape, "a9a") == 0 &&
            strcmp(next, "9a9") == 0) {
            *out = (Postcode){ i, 2, "CA", 0 };
            if (i > 0 && in_list(ca_provinces, &words[i - 1]))
                out->state = i;
            return true;
        }
        /* digits right beside it: a piece of a telephone number */
        bool alone = (i == 0 || !words[i - 1].digit ||
                      words[i - 1].after == ',' || words[i - 1].letter) &&
                     (i + 1 == n || !words[i + 1].digit);
        if (is_digits(shape, 4) && i + 1 < n && strcmp(next, "aa") == 0 &&
            words[i + 1].all_caps && alone && words[i].folded[0] != '0' &&
            words[i + 1].len == 2) {
            *out = (Postcode){ i, 2, "NL", 0 };
            return true;
        }
        if (strcmp(shape, "9999aa") == 0) {
            out->country = "NL";
            return true;
        }
        if (is_digits(shape, 3) && is_digits(next, 2) && n >= 3) {
            out->n = 2; /* SE, GR, CZ, SK */
            return true;
        }
        if ((strcmp(shape, "a99") == 0 || strcmp(shape, "a9a") == 0) &&
            strlen(next) == 4 && words[i].all_caps | words[i].capital &&
            words[i + 1].digit && strchr("a9", next[0]) != NULL) {
            *out = (Postcode){ i, 2, "IE", 0 }; /* Eircode */
            return true;
        }
        if (!alone && strchr(shape, '-') != NULL && shape[0] == '9')
            continue;
        if (strcmp(shape, "99-999") == 0) {
            out->country = "PL";
            return true;
        }
        if (strcmp(shape, "9999-999") == 0) {
            out->country = "PT";
            return true;
        }
        if (strcmp(shape, "99999-999") == 0) {
            out->country = "BR";
            return true;
        }
        if (strcmp(shape, "99999-9999") == 0 && i > 0) {
            out->country = "US";
            if (in_list(us_states, &words[i - 1]))
                out->state = i;
            return true;
        }
        if (strcmp(shape, "999-9999") == 0 && i > 0 &&
            (words[i - 1].digit || (words[i - 1].classes & WORD_LABEL_PHONE)))
            continue; /* (503) 555-0144 */
        if (strcmp(shape, "999-9999") == 0) {
            out->country = "JP";
            return true;
        }
        if (strcmp(shape, "a-9999") == 0 || strcmp(shape, "aa-9999") == 0 ||
            strcmp(shape, "a-99999") == 0 || strcmp(shape, "aa-99999") == 0 ||
            strcmp(shape, "aa-999") == 0) {
            static const struct {
                const char *prefix, *country;
            } prefixes[] = {
                { "a-", "AT" },  { "d-", "DE" },  { "de-", "DE" },
                { "ch-", "CH" }, { "b-", "BE" },  { "be-", "BE" },
                { "f-", "FR" },  { "fr-", "FR" }, { "i-", "IT" },
                { "dk-", "DK" }, { "n-", "NO" },  { "no-", "NO" },
                { "l-", "LU" },  { "fi-", "FI" }, { "at-", "AT" },
                { "si-", "SI" }, { "hr-", "HR" }, { "lv-", "LV" },
                { "lt-", "LT" }, { "md-", "MD" }, { "h-", "HU" },
                { "es-", "ES" }, { "e-", "ES" },  { "it-", "IT" }
            };
            for (size_t k = 0; k < G_N_ELEMENTS(prefixes); k++)
                if (g_str_has_prefix(words[i].folded, prefixes[k].prefix))
                    out->country = prefixes[k].country;
            return true;
        }
        bool four = is_digits(shape, 4), five = is_digits(shape, 5),
             six = is_digits(shape, 6);
        if (!four && !five && !six)
            continue;
        if (i > 0 && four && in_list(au_states, &words[i - 1]) &&
            words[i - 1].all_caps) {
            out->country = "AU";
            out->state = i;
            return true;
        }
        if (i > 0 && five && words[i - 1].folded_len == 2 &&
            in_list(us_states, &words[i - 1])) {
            out->country = "US";
            out->state = i;
            return true;
        }
        if (i > 0 && five && in_list(us_state_names, &words[i - 1])) {
            out->country = "US";
            out->state = i;
            return true;
        }
        if (i > 0 && four && in_list(au_state_names, &words[i - 1])) {
            out->country = "AU";
            out->state = i;
            return true;
        }
        /* digits at either end beside a capitalised word that is no street */
        bool after = i + 1 < n && (words[i + 1].capital || words[i + 1].cjk) &&
                     !words[i + 1].digit;
        bool before =
            i > 0 && i + 1 == n && words[i - 1].capital &&
            !words[i - 1].digit && words[i - 1].len > 2 &&
            !(n == 2 && (words[0].classes & WORD_STREET)); /* Suite 1400 */
        if (four && (words[i].folded[0] == '0') && !after)
            continue;
        if (i == 0 && after && four && n >= 3 &&
            (words[n - 1].classes & WORD_STREET) && words[n - 1].capital)
            continue; /* "2100 Neil Avenue" */
        if (i == 0 && after && !(words[1].classes & WORD_STREET && n == 2))
            return true;
        bool year = four && (g_str_has_prefix(words[i].folded, "19") ||
                             g_str_has_prefix(words[i].folded, "20"));
        if (before && (five || six || (four && !year)))
            return true;
        if (i > 0 && after && (five || six || four))
            return true; /* "Camino Real 5, 43850 Cambrils" without comma */
    }
    return false;
}

/* Chinese, Japanese, Korean addresses by the names of their divisions. */
static bool
is_cjk_address(const char *text, size_t len)
{
    static const char *const divisions[] = {
        "都",   "道",   "府",   "県",   "市",     "区",     "區",  "町",  "村",
        "丁目", "番地", "号",   "號",   "路",     "街",     "省",  "县",  "弄",
        "樓",   "楼",   "室",   "巷",   "특별시", "광역시", "시 ", "구 ", "로 ",
        "길 ",  "동 ",  "大道", "大厦", "ビル",   "階",     "국",
    };
    size_t hits = 0, digits = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(divisions); i++)
        hits += g_strstr_len(text, (gssize) len, divisions[i]) != NULL;
    for (size_t i = 0; i < len; i++)
        digits += g_ascii_isdigit(text[i]) != 0;
    if (g_strstr_len(text, (gssize) len, "〒") != NULL)
        return true;
    return hits >= 2 && (digits > 0 || hits >= 3);
}

static Kind
kind_of(const Card *card, const CardPart *part)
{
    const char *text = card->lines[part->line].text + part->start;
    size_t len = part->end - part->start;
    if (part->role == PART_SPENT && part->n_digit == 0)
        return KIND_NONE;
    if (len > 120 || part->role == PART_NAME)
        return KIND_BAD;
    if (postal_country_code(text, len) != NULL)
        return KIND_COUNTRY;
    if (part->cjk) {
        if (is_cjk_address(text, len))
            return KIND_STREET | KIND_PLACE | KIND_CJK;
        return KIND_NONE;
    }
    Word words[CARD_WORDS];
    size_t n = card_words(card, part, words);
    if (n == 0 || part->n_lower > 4)
        return KIND_NONE;
    Postcode code;
    bool place = find_postcode(words, n, &code);
    if (place && code.country == NULL && code.first > 1 &&
        code.first + code.n == n && words[code.first].folded_len == 4 &&
        (words[0].classes & WORD_STREET))
        place = false; /* "Av. Apoquindo 4501" */
    if (phone_plausible(text, len) && part->n_street == 0 && n <= 4 &&
        !(place && code.country != NULL))
        return KIND_NONE;

    unsigned kind = KIND_NONE;
    size_t numbers = 0, street = 0;
    bool street_at_edge = false;
    for (size_t i = 0; i < n; i++) {
        bool in_code = place && i >= code.first && i < code.first + code.n;
        if (words[i].digit && !in_code)
            numbers++;
        if ((words_street_letter(words, n, i) ||
             (words[i].classes & WORD_STREET)) &&
            !in_code && !(place && code.state == i + 1) &&
            !((words[i].classes & WORD_GIVEN) && i == 0)) {
            street++;
            street_at_edge |= words[i].folded_len > 2 ||
                              words[i].after == '.' || i == 0 || i + 1 == n ||
                              words[i - 1].digit || words[i].all_caps ||
                              words[i].capital;
        }
    }
    static const char units[] =
        " conj apto sl bur bureau bat level suite ste unit floor fl shop "
        "warehouse "
        "apartment apt room rm "
        "building bldg tower office flat plot lot studio wing gate stock etage "
        "etg og piso planta oficina local andar sala conjunto piano scala "
        "interno lok lakas emelet etaj ap kat kancelar офис оф этаж корп "
        "postfach postbus box box bp cs apartado casilla postboks boks pob ";
    bool unit =
        (in_list(units, &words[0]) &&
         (part->n_digit > 0 || part->n_organisation == 0 || n <= 2)) ||
        (n == 2 && words[0].after == '.' && words[1].digit &&
         words[0].folded_len <= 4 && words[0].letter) ||
        (n >= 2 && in_list(units, &words[n - 1]) &&
         (part->n_digit > 0 || !(words[n - 1].classes & WORD_ORGANISATION))) ||
        (n >= 2 && in_list(units, &words[1]) && words[0].digit);
    if (memchr(text, '/', len) != NULL && n >= 1 && words[0].digit &&
        strstr(words[0].folded, "/f") != NULL)
        unit = true; /* 23/F */
    bool po_box = n >= 2 &&
                  (g_ascii_strncasecmp(text, "PO Box", 6) == 0 ||
                   g_ascii_strncasecmp(text, "P.O. Box", 8) == 0 ||
                   g_ascii_strncasecmp(text, "P.O.Box", 7) == 0 ||
                   in_list(" gpo postfach postbus postboks apartado boite bp ",
                           &words[0])) &&
                  part->n_digit > 0;
    bool no_number = n >= 2 && (strcmp(words[n - 1].folded, "s/n") == 0 ||
                                strcmp(words[n - 1].folded, "sn") == 0);
    if (po_box && place && code.first > 0 && code.state == 0 &&
        in_list(" box p.o.box postfach postbus postboks apartado bp postal ",
                &words[code.first - 1]))
        place = false; /* the box's number */
    if (place)
        kind |= KIND_PLACE;
    if ((street > 0 && street_at_edge && numbers > 0) || po_box || no_number ||
        (g_str_has_prefix(text, "Số ") && part->n_digit > 0))
        kind |= KIND_STREET;
    if (unit && (part->n_digit > 0 || n <= 4))
        kind |= KIND_UNIT;
    if (numbers == 1 && street == 0 && !place && n >= 2 && n <= 6 &&
        part->n_lower <= 1 && part->n_capital > 0 &&
        (words[n - 1].digit || words[0].digit) && words[n - 1].folded_len <= 7)
        kind |= KIND_NUMBERED;
    if (n == 1 && words[0].digit && !words[0].letter &&
        words[0].folded_len >= 4 && words[0].folded_len <= 6)
        kind |= KIND_POSTCODE;
    if (n == 1 &&
        (in_list(au_states, &words[0]) || in_list(us_states, &words[0]) ||
         in_list(ca_provinces, &words[0])) &&
        words[0].all_caps)
        kind |= KIND_STATE;
    if (street > 0 && numbers == 0 && n >= 2 && n <= 5 && part->n_lower <= 1 &&
        !place)
        kind |= KIND_TOWN; /* street without number */
    if (kind == KIND_NONE && n <= 4 && part->n_digit == 0 &&
        part->n_lower <= 1 && part->n_capital > 0 &&
        !(part->n_title > 0 || part->n_legal > 0))
        kind |= KIND_TOWN;
    return (Kind) kind;
}

typedef struct {
    size_t first, last;
    double score;
} Range;

/* May this part stand inside an address, between or before sure parts? */
static bool
may_join(const Card *card, size_t i, Kind kind)
{
    const CardPart *part = &card->parts[i];
    if (part->role == PART_NAME || part->role == PART_TITLE ||
        (part->role == PART_SPENT && !(kind & (KIND_STATE | KIND_POSTCODE))))
        return false;
    if (kind & KIND_BAD || part->n_title > 0 || part->n_legal > 0)
        return false;
    return part->n_words <= 6 && part->n_lower <= 2;
}

void
postal_find(Card *card, const char *fallback, Field *out, AddressParts *parts)
{
    Kind kinds[CARD_PARTS] = { KIND_NONE };
    for (size_t i = 0; i < card->n_parts; i++)
        kinds[i] = kind_of(card, &card->parts[i]);

    /* "Dok-Zuid 77" before "9000 Gent" is a street; "Zavodskaya, 199" too */
    for (size_t i = 0; i + 1 < card->n_parts; i++) {
        bool near = card->parts[i + 1].line <= card->parts[i].line + 1;
        if ((kinds[i] & KIND_NUMBERED) && near &&
            (kinds[i + 1] & (KIND_PLACE | KIND_STREET)))
            kinds[i] |= KIND_STREET;
        /* "ul. Zavodskaya, 199", "Via Roma, 12" */
        const CardPart *next = &card->parts[i + 1];
        if (card->parts[i].n_street > 0 && next->n_words <= 2 &&
            next->n_digit == 1 && next->before == ',' &&
            next->line == card->parts[i].line && next->end - next->start <= 6 &&
            !(kinds[i] & KIND_STREET)) {
            kinds[i] |= KIND_STREET;
            kinds[i + 1] = KIND_UNIT;
        }
    }

    /* "1250 Broadway" before "New York, NY 10001" is no postcode and town */
    for (size_t i = 0; i + 1 < card->n_parts; i++) {
        const CardPart *part = &card->parts[i];
        Word words[CARD_WORDS];
        Postcode code;
        if (!(kinds[i] & KIND_PLACE) || (kinds[i] & KIND_CJK))
            continue;
        size_t n = card_words(card, part, words);
        if (!find_postcode(words, n, &code) || code.first != 0 || code.n != 1 ||
            code.country != NULL || words[0].folded_len > 5)
            continue;
        for (size_t k = i + 1; k < card->n_parts && k <= i + 4 &&
                               card->parts[k].line <= part->line + 2;
             k++) {
            if (!(kinds[k] & KIND_PLACE))
                continue;
            n = card_words(card, &card->parts[k], words);
            if (find_postcode(words, n, &code) && code.state > 0)
                kinds[i] = KIND_STREET;
            break;
        }
    }
    for (size_t i = 0; i + 1 < card->n_parts; i++) {
        const CardPart *part = &card->parts[i], *next = &card->parts[i + 1];
        if (next->line > part->line + 1)
            continue;
        const char *text = card->lines[next->line].text + next->start;
        /* "Moll de Llevant, s/n" */
        if (next->before == ',' && next->end - next->start <= 4 &&
            (g_str_has_prefix(text, "s/n") || g_str_has_prefix(text, "S/N")) &&
            part->n_words <= 6) {
            kinds[i] |= KIND_STREET;
            kinds[i + 1] = KIND_UNIT;
        }
        /* "Borgartun 25, 105 Reykjavik": postcodes of three digits */
        if ((kinds[i] & (KIND_STREET | KIND_NUMBERED)) &&
            !(kinds[i + 1] & KIND_STREET) && next->n_words <= 3 &&
            next->n_digit == 1 && next->n_lower == 0 &&
            strspn(text, "0123456789") == 3 && text[3] == ' ' &&
            next->n_capital > 0 && next->n_street == 0) {
            kinds[i] |= KIND_STREET;
            kinds[i + 1] |= KIND_PLACE;
        }
        /* "..., 12F" after an address in Han or Hangul */
        if ((kinds[i] & KIND_CJK) && next->line == part->line && next->cjk &&
            next->n_digit > 0 && next->n_words <= 2 && kinds[i + 1] == 0)
            kinds[i + 1] = KIND_UNIT;
    }

    /* "5500, rue Sainte-Brume" */
    for (size_t i = 0; i + 1 < card->n_parts; i++) {
        const CardPart *part = &card->parts[i], *next = &card->parts[i + 1];
        if ((part->n_words == 1 ||
             (part->n_words == 2 && part->n_lower == 0)) &&
            part->n_digit == 1 && part->end - part->start <= 8 &&
            next->before == ',' && next->line == part->line &&
            next->n_street > 0 && !(kinds[i + 1] & KIND_PLACE)) {
            kinds[i] = KIND_STREET;
            kinds[i + 1] |= KIND_STREET;
        }
    }

    Range best = { 0, 0, 0 };
    for (size_t i = 0; i < card->n_parts;) {
        const unsigned sure = KIND_STREET | KIND_PLACE | KIND_UNIT;
        if (!(kinds[i] & sure) || (card->parts[i].role == PART_SPENT)) {
            i++;
            continue;
        }
        Range range = { i, i, 0 };
        unsigned seen = kinds[i];
        size_t last_line = card->parts[i].line;
        bool place = (kinds[i] & KIND_PLACE) != 0;
        bool place_line_end = false;
        for (size_t k = i + 1; k < card->n_parts; k++) {
            size_t line = card->parts[k].line;
            if (line > last_line + 1)
                break;
            const unsigned any = KIND_STREET | KIND_PLACE | KIND_UNIT |
                                 KIND_STATE | KIND_COUNTRY | KIND_POSTCODE;
            if (kinds[k] & any) {
                if (place && line > last_line && (kinds[k] & KIND_PLACE) &&
                    !(kinds[k] & KIND_COUNTRY))
                    break; /* a second address */
                if (place && (kinds[k] & KIND_STREET) && line > last_line &&
                    (seen & KIND_STREET))
                    break;
                if (card->parts[k].role == PART_SPENT &&
                    !(kinds[k] & (KIND_STATE | KIND_POSTCODE)))
                    break;
                range.last = k;
                seen |= kinds[k];
                place |= (kinds[k] & KIND_PLACE) != 0;
                last_line = line;
                continue;
            }
            /* towns and quarters between street and postcode, or after the
             * postcode on the same line in brackets */
            bool bracket =
                card->parts[k].before == '(' && line == last_line && place;
            if (bracket && kinds[k] & KIND_TOWN) {
                range.last = k;
                continue;
            }
            if (!may_join(card, k, kinds[k]) ||
                (card->parts[k].before == '(' &&
                 (place || !(kinds[k] & KIND_TOWN))))
                break;
            bool more = false;
            for (size_t j = k + 1; j < card->n_parts && j <= k + 4 && !more &&
                                   card->parts[j].line <= line + 1;
                 j++) {
                more = (kinds[j] & (KIND_PLACE | KIND_POSTCODE | KIND_COUNTRY |
                                    KIND_STATE)) != 0 &&
                       !(place && (kinds[j] & KIND_PLACE));
                if (!may_join(card, j, kinds[j]))
                    break;
            }
            if (more && (!place || line == last_line)) {
                last_line = line;
                continue;
            }
            /* the town without postcode: "..., Pasig City" on the line */
            if (!place && line == last_line && (kinds[k] & KIND_TOWN) &&
                strchr(",-/", card->parts[k].before) != NULL &&
                card->parts[k].n_organisation == 0) {
                range.last = k;
                continue;
            }
            /* state or region behind the place: "Queretaro, Qro." */
            if (place && line == last_line && !place_line_end &&
                strchr(",/", card->parts[k].before) != NULL &&
                card->parts[k].n_words <= 2 && (kinds[k] & KIND_TOWN) &&
                card->parts[k].n_organisation == 0) {
                range.last = k;
                place_line_end = true;
                continue;
            }
            break;
        }
        /* the name of a building before, on the same line */
        while (range.first > 0 &&
               card->parts[range.first - 1].line ==
                   card->parts[range.first].line &&
               (card->parts[range.first].before == ',' ||
                (card->parts[range.first].before == '-' &&
                 (kinds[range.first - 1] & (KIND_UNIT | KIND_STREET)))) &&
               may_join(card, range.first - 1, kinds[range.first - 1]) &&
               !card_names_domain(
                   card,
                   card->lines[card->parts[range.first - 1].line].text +
                       card->parts[range.first - 1].start,
                   card->parts[range.first - 1].end -
                       card->parts[range.first - 1].start) &&
               card->parts[range.first - 1].role == PART_FREE &&
               !(card->parts[range.first - 1].before == '\n' &&
                 card->parts[range.first - 1].n_organisation > 0 &&
                 !(card->parts[range.first - 1].n_street > 0)))
            range.first--;
        /* "City, ul. ..." is taken above; a unit on the line before, too */
        while (range.first > 0 &&
               card->parts[range.first - 1].line + 1 ==
                   card->parts[range.first].line &&
               (kinds[range.first - 1] & (KIND_UNIT | KIND_NUMBERED)) &&
               !(kinds[range.first - 1] & KIND_BAD) &&
               card->parts[range.first - 1].role == PART_FREE &&
               card->parts[range.first - 1].n_digit > 0)
            range.first--;
        range.score = ((seen & KIND_STREET) ? 3.0 : 0) +
                      ((seen & KIND_PLACE) ? 3.0 : 0) +
                      ((seen & KIND_UNIT) ? 0.5 : 0) +
                      ((seen & KIND_POSTCODE) ? 1.0 : 0) +
                      ((seen & KIND_COUNTRY) ? 0.5 : 0);
        if (range.score > best.score + 0.9)
            best = range;
        i = range.last + 1;
    }
    if (best.score < 3.0)
        return;

    /* text: parts of a line as they stand, lines and bars as commas */
    g_autoptr(GString) text = g_string_new(NULL);
    for (size_t i = best.first; i <= best.last; i++) {
        g_autofree char *piece = card_text(card, i, i);
        bool bracket = card->parts[i].before == '(' && i > best.first;
        if (text->len > 0)
            g_string_append(text, bracket ? " (" : ", ");
        g_string_append(text, piece);
        if (bracket)
            g_string_append_c(text, ')');
        card->parts[i].role = PART_ADDRESS;

        Word words[CARD_WORDS];
        size_t n = card_words(card, &card->parts[i], words);
        Postcode code;
        if (kinds[i] & KIND_CJK) {
            if (parts->line1 == NULL)
                parts->line1 = g_strdup(piece);
        } else if (kinds[i] & KIND_COUNTRY) {
            if (parts->country == NULL)
                parts->country =
                    g_strdup(postal_country_code(piece, strlen(piece)));
        } else if ((kinds[i] & KIND_PLACE) && find_postcode(words, n, &code)) {
            if (parts->postal_code == NULL) {
                const Word *a = &words[code.first];
                const Word *b = &words[code.first + code.n - 1];
                parts->postal_code =
                    g_strndup(a->text, (size_t) (b->text + b->len - a->text));
                if (code.country != NULL && parts->country == NULL)
                    parts->country = g_strdup(code.country);
                size_t from = 0, to = n;
                if (code.state > 0) {
                    const Word *state = &words[code.state - 1];
                    parts->state = g_strndup(state->text, state->len);
                    to = code.state - 1;
                } else if (code.first == 0) {
                    from = code.n;
                } else {
                    to = code.first;
                }
                if (to > from && !(kinds[i] & KIND_STREET))
                    parts->city = g_strndup(words[from].text,
                                            (size_t) (words[to - 1].text +
                                                      words[to - 1].len -
                                                      words[from].text));
            }
        } else if (kinds[i] & KIND_STATE && parts->state == NULL) {
            parts->state = g_strdup(piece);
        } else if (kinds[i] & KIND_POSTCODE && parts->postal_code == NULL) {
            parts->postal_code = g_strdup(piece);
        } else {
            char **lines[] = { &parts->line1, &parts->line2, &parts->line3,
                               &parts->line4 };
            for (size_t k = 0; k < G_N_ELEMENTS(lines); k++)
                if (*lines[k] == NULL) {
                    *lines[k] = g_strdup(piece);
                    break;
                }
        }
    }
    /* "Street 5, Portland, OR 97204": the town stood alone */
    if (parts->city == NULL && parts->postal_code != NULL) {
        char **last[] = { &parts->line4, &parts->line3, &parts->line2 };
        for (size_t k = 0; k < G_N_ELEMENTS(last); k++)
            if (*last[k] != NULL) {
                parts->city = g_steal_pointer(last[k]);
                break;
            }
    }
    if (parts->country == NULL)
        parts->country = g_strdup(fallback);
    if (text->len > 2 && text->str[text->len - 1] == '.' &&
        g_ascii_isdigit(text->str[text->len - 2]))
        g_string_truncate(text, text->len - 1);
    field_set(out, text->str, card_evidence(card, best.first),
              best.score >= 6.0 ? 0.9 : 0.75);
}

const char *
postal_country_name(const Word *words, size_t n)
{
    for (size_t k = 0; k < n; k++) {
        /* at the line's end, or with a postcode behind: "Singapore 787821" */
        size_t left = n - k - 1;
        bool postcode = left > 0 && words[n - 1].digit && !words[n - 1].letter;
        if (!words[k].capital || (left > 1 + (size_t) postcode))
            continue;
        if (left == postcode && words[k].folded_len >= 3) {
            const char *code = postal_country_code(words[k].text, words[k].len);
            if (code != NULL)
                return code;
        }
        if (left == 1 + (size_t) postcode && words[k + 1].capital) {
            const char *code = postal_country_code(
                words[k].text, (size_t) (words[k + 1].text + words[k + 1].len -
                                         words[k].text));
            if (code != NULL)
                return code;
        }
    }
    return NULL;
}

const char *
postal_country_form(const Word *words, size_t n)
{
    Postcode code;
    bool digits = false;
    for (size_t k = 0; k < n; k++)
        digits |= words[k].digit;
    for (size_t k = 0; digits && k < n; k++)
        if (!(k > 0 && words[k].digit && words[k - 1].digit) &&
            find_postcode(words + k, MIN(n - k, (size_t) 4), &code) &&
            code.country != NULL)
            return code.country;
    for (size_t k = 0; k + 1 < n; k++) /* "Houston, TX" */
        if (words[k].after == ',' && words[k + 1].all_caps &&
            words[k + 1].folded_len == 2 && in_list(us_states, &words[k + 1]) &&
            k + 2 >= n)
            return "US";
    return NULL;
}
