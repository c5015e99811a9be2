/*
 * person.c - who is meant? Names in the forms that mail has
 *
 * A name is cut into words; titles before it, letters after it, nicknames in
 * brackets and what follows "via" or a bar come off. The rest is split into
 * given and family name by, in this order: a comma ("Doe, Jane"), a family
 * name in capitals ("DOE Jane"), particles ("van der"), the local-part
 * ("jdoe", "jane.doe"), known given names, and the habits of the country that
 * the domain names (two surnames in Spanish, family name first in Hungary and
 * East Asia). Han and Hangul names are split by length and known surnames.
 *
 * Whether the words name a person at all is decided by the vocabulary: legal
 * forms and nouns of organisations speak against it, given names and an
 * agreeing local-part for it.
 */
#include "analysis/person.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *key, *value;
} Pair;

static const Pair nicknames[] = {
#include "analysis/data/nicknames.inc"
};

/* Country code top-level domains by the habit that matters here. */
static const char two_surnames[] =
    " es mx ar co cl pe uy ve ec bo py cr gt pa do cu hn sv ni pt br cat gal "
    "eus ";
static const char family_first[] = " jp kr cn tw hk vn hu mo sg my ";

/* Family names that stand first where the family name does (folded). */
static const char romanised_surnames[] =
    " wang li zhang liu chen yang huang zhao wu zhou xu sun ma zhu hu guo he "
    "lin gao luo zheng liang xie song tang deng han feng cao peng zeng xiao "
    "tian dong pan yuan cai jiang yu du ye cheng wei su lu ding ren shen yao "
    "chan cheung wong lam leung ng lau kwok tsang kim lee park choi jung kang "
    "cho yoon jang lim oh seo shin kwon hwang ahn yoo hong jeong bae baek nam "
    "nguyen tran le pham hoang huynh phan vu vo dang bui do ho ngo duong ly "
    "hsu tsai chang wu hsieh kuo chiu yeh su lu chiang tanaka suzuki sato "
    "takahashi watanabe ito yamamoto nakamura kobayashi kato yoshida yamada "
    "sasaki yamaguchi matsumoto inoue kimura hayashi shimizu mori abe ikeda "
    "hashimoto ishikawa ogawa okada goto fujita kondo tan ong goh teo chua koh "
    "kovacs toth szabo horvath varga kiss molnar nemeth farkas balogh papp "
    "lakatos takacs juhasz nagy ";

/* Family names that only Vietnam has, or where a middle name like "Thi" tells.
 */
static const char vietnamese_surnames[] =
    " nguyen tran pham hoang huynh phan vu vo dang bui ngo duong ly dinh trinh "
    "truong lam doan mai cao luong luu trieu tang ta thai chau quach nghiem ";

/* What may follow "del", "de la", "de los" in a Spanish or Portuguese given
 * name: Maria del Carmen, Juan de Dios, Maria de Fatima. */
static const char given_after_de[] =
    " carmen pilar rosario mar rocio angeles dolores jesus dios cruz lourdes "
    "fatima guadalupe socorro consuelo valle camino pino milagros mercedes luz "
    "nieves concepcion rio cielo sagrario prado henar refugio lujan paz sol "
    "gracia remedios montserrat soledad esperanza angustias candelaria "
    "conceicao lurdes dores carmo ceu graca gloria assuncao encarnacao anjos "
    "anunciacao ";

/* Words that begin a name of two: "Abdel Rahman". */
static const char arabic_begins[] = " عبد ابو أبو abd abdul abdel abdal abu ";

/* The commonest surnames that may be the first of two, beside those in -ez. */
static const char iberian_surnames[] =
    " garcia ruiz muniz romero navarro torres ramos serrano molina moreno "
    "ortega delgado "
    "castro ortiz rubio marin sanz medina castillo cortes santos guerrero "
    "cano cruz flores herrera vega reyes rojas vargas silva souza sousa "
    "oliveira pereira lima carvalho ferreira almeida costa araujo melo barbosa "
    "ribeiro alves cardoso rocha dias nunes moreira teixeira correia machado "
    "monteiro mendes freitas nogueira figueiredo pinto soares vieira batista "
    "campos andrade tavares fonseca matos lopes gomes martins rodrigues "
    "fernandes goncalves marques aguilar mendoza morales guzman salazar "
    "acosta peralta paredes quispe mamani cabrera figueroa rivera pena leon "
    "contreras espinoza sepulveda valenzuela zapata mejia ospina restrepo "
    "cardenas ibarra duarte benitez villalobos arriaga santillan ";

/* Irish family names without their prefix; "O" before them is no initial. */
static const char after_o[] =
    " brien connor neill reilly riordan sullivan donnell donoghue donovan hara "
    "hare keefe keeffe leary malley meara rourke shea shaughnessy toole grady "
    "dwyer flaherty flanagan gorman halloran hanlon callaghan carroll connell "
    "dea doherty driscoll dowd farrell kane loughlin mahony mahoney regan "
    "rahilly sheehan ";

static const char *const compound_surnames[] = {
    "欧阳", "歐陽", "司马", "司馬", "上官", "诸葛", "諸葛", "司徒",
    "东方", "東方", "皇甫", "尉迟", "公孙", "公孫", "慕容", "夏侯",
    "端木", "南宮", "남궁", "황보", "제갈", "사공", "선우", "독고",
};
/* Japanese family names of one and of three characters, by frequency. */
static const char one_kanji[] =
    "森林原東関辻堀谷岡南北西星泉菅柴畑杉畠浜宮峰沢柳榎桂橘秦葵牧";
static const char *const three_kanji[] = {
    "佐々木", "長谷川", "五十嵐", "久保田", "大久保", "小野寺", "佐久間",
    "長谷部", "日比野", "小早川", "宇都宮", "東海林", "勅使河", "伊集院",
    "大河原", "小笠原", "早乙女", "久保寺", "竹之内", "木之下",
};

void
person_clear(Person *person)
{
    g_clear_pointer(&person->first, g_free);
    g_clear_pointer(&person->last, g_free);
}

static bool
in_list(const char *list, const char *word, size_t len)
{
    char padded[80];
    if (len == 0 || len + 3 > sizeof padded)
        return false;
    padded[0] = ' ';
    memcpy(padded + 1, word, len);
    padded[len + 1] = ' ';
    padded[len + 2] = '\0';
    return strstr(list, padded) != NULL;
}

/* The last label of the domain when it has two or three letters ("es",
 * "cat"), else "". */
static void
country_of(const char *email, char out[4])
{
    out[0] = '\0';
    const char *dot = email != NULL ? strrchr(email, '.') : NULL;
    size_t n = dot != NULL ? strlen(dot + 1) : 0;
    if (n != 2 && n != 3)
        return;
    for (size_t i = 0; i <= n; i++)
        out[i] = g_ascii_tolower(dot[1 + i]);
}

static bool
country_in(const char *email, const char *list)
{
    char country[4];
    country_of(email, country);
    return country[0] != '\0' && in_list(list, country, strlen(country));
}

/* Letters of the local-part only, for comparison with names. */
static size_t
local_letters(const char *email, char *out, size_t size)
{
    size_t n = 0;
    if (email != NULL)
        for (const char *p = email; *p != '\0' && *p != '@' && *p != '+'; p++)
            if (g_ascii_isalpha(*p) && n + 1 < size)
                out[n++] = g_ascii_tolower(*p);
    out[n] = '\0';
    return n;
}

static void
plain_letters(const Word *word, char *out, size_t size)
{
    size_t n = 0;
    for (size_t i = 0; i < word->folded_len; i++)
        if (g_ascii_isalpha(word->folded[i]) && n + 1 < size)
            out[n++] = word->folded[i];
    out[n] = '\0';
}

static int
compare_pair(const void *key, const void *pair)
{
    return strcmp(key, ((const Pair *) pair)->key);
}

const char *
person_nicknames(const char *name)
{
    const Pair *pair = bsearch(name, nicknames, G_N_ELEMENTS(nicknames),
                               sizeof *nicknames, compare_pair);
    return pair != NULL ? pair->value : NULL;
}

bool
person_in_nicknames(const char *list, const char *name)
{
    if (list == NULL)
        return false;
    size_t n = strlen(name);
    for (const char *p = strstr(list, name); p != NULL; p = strstr(p + 1, name))
        if ((p == list || p[-1] == ' ') && (p[n] == '\0' || p[n] == ' '))
            return true;
    return false;
}

bool
person_nickname(const char *a, const char *b)
{
    return strcmp(a, b) == 0 || person_in_nicknames(person_nicknames(a), b) ||
           person_in_nicknames(person_nicknames(b), a);
}

/* --- Han and Hangul names -------------------------------------------------- */

static bool
has_kana(const char *text)
{
    for (const char *p = text; *p != '\0'; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        if (c >= 0x3041 && c <= 0x30fa)
            return true;
    }
    return false;
}

static bool
split_cjk_word(const char *word, const char *email, Person *out)
{
    long n = g_utf8_strlen(word, -1);
    if (n < 2 || n > 6)
        return false;
    gunichar c = g_utf8_get_char(word);
    bool hangul = c >= 0xac00 && c <= 0xd7a3;
    long cut = 1;
    bool japanese =
        !hangul && (country_in(email, " jp ") || strstr(word, "々") != NULL);
    if (has_kana(word))
        return false;
    if (hangul && n > 4)
        return false;
    for (size_t i = 0; i < G_N_ELEMENTS(compound_surnames); i++)
        if (n >= 3 && g_str_has_prefix(word, compound_surnames[i]))
            cut = 2;
    if (japanese && n == 2) { /* a family name alone */
        out->last = g_strdup(word);
        out->first = g_strdup("");
        out->confidence = 0.8;
        return true;
    }
    if (japanese) {
        char first[8] = { 0 };
        g_utf8_strncpy(first, word, 1);
        cut = n >= 3 && strstr(one_kanji, first) == NULL ? 2 : 1;
        if (n >= 4)
            cut = 2;
        for (size_t i = 0; i < G_N_ELEMENTS(three_kanji); i++)
            if (n >= 4 && g_str_has_prefix(word, three_kanji[i]))
                cut = 3;
    } else if (!hangul && n > 4) {
        return false;
    }
    out->last = g_utf8_substring(word, 0, cut);
    out->first = g_utf8_substring(word, cut, n);
    out->confidence = 0.85;
    return true;
}

static const char *
strip_cjk_honorific(char *word)
{
    static const char *const endings[] = { "様",   "さん", "先生", "님",
                                           "先生", "女士", "小姐", "氏" };
    for (size_t i = 0; i < G_N_ELEMENTS(endings); i++)
        if (g_str_has_suffix(word, endings[i]) &&
            strlen(word) > strlen(endings[i]) + 3)
            word[strlen(word) - strlen(endings[i])] = '\0';
    return word;
}

/* Words of these scripts; Latin ones beside them are the same name again. */
static bool
split_cjk(const Word *words, size_t n, const char *email, Person *out)
{
    const Word *found[3];
    size_t n_found = 0;
    for (size_t i = 0; i < n && n_found < 3; i++) {
        if (!words[i].cjk)
            continue;
        if (words[i].before != '\0' && words[i].before == '(')
            break; /* reading aids */
        found[n_found++] = &words[i];
    }
    if (n_found == 0 || n_found > 2)
        return false;
    g_autofree char *a = g_strndup(found[0]->text, found[0]->len);
    char *paren = strchr(a, '(');
    if (paren != NULL && paren > a)
        *paren = '\0';
    char *wide = strstr(a, "（");
    if (wide != NULL && wide > a)
        *wide = '\0';
    strip_cjk_honorific(a);
    if (n_found == 2) {
        g_autofree char *b = g_strndup(found[1]->text, found[1]->len);
        char *reading = strstr(b, "（");
        if (reading != NULL)
            *reading = '\0';
        reading = strchr(b, '(');
        if (reading != NULL)
            *reading = '\0';
        strip_cjk_honorific(b);
        long na = g_utf8_strlen(a, -1), nb = g_utf8_strlen(b, -1);
        if (na >= 1 && na <= 3 && nb >= 1 && nb <= 4) {
            out->last = g_steal_pointer(&a);
            out->first = g_steal_pointer(&b);
            out->confidence = 0.9;
            return true;
        }
    }
    return split_cjk_word(a, email, out);
}

/* --- Latin, Greek and Cyrillic names ---------------------------------------- */

/* "JANE" and "jane" become "Jane"; mixed case stays as written. */
static char *
nice_case(const char *text, size_t len, bool lower_too)
{
    bool has_lower = false, has_upper = false;
    const char *end = text + len;
    for (const char *p = text; p < end; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        has_lower |= g_unichar_islower(c);
        has_upper |= g_unichar_isupper(c);
    }
    /* "d'ARGENSON" */
    bool shouting = len > 4 && text[1] == '\'' && g_ascii_isupper(text[2]) &&
                    g_ascii_isupper(text[3]);
    if ((has_lower && has_upper && !shouting) || (!has_upper && !lower_too))
        return g_strndup(text, len);
    GString *out = g_string_sized_new(len + 4);
    bool begin = true;
    for (const char *p = text; p < end; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        bool as_is = shouting && p == text;
        g_string_append_unichar(out, as_is   ? c
                                     : begin ? g_unichar_totitle(c)
                                             : g_unichar_tolower(c));
        begin = c == '-' || c == '\'' || c == 0x2019 || c == ' ' ||
                c == 0x2010 || c == 0x2011 || c == '.';
    }
    if (out->len > 3 && g_str_has_prefix(out->str, "Mc") &&
        g_ascii_islower(out->str[2]))
        out->str[2] = g_ascii_toupper(out->str[2]);
    return g_string_free(out, FALSE);
}

/* "J.D", "A.-M": initials with full stops inside. */
static bool
is_dotted(const Word *word)
{
    bool dot = false;
    size_t run = 0;
    for (size_t i = 0; i < word->folded_len; i++) {
        if (word->folded[i] == '.') {
            dot = true;
            run = 0;
        } else if (word->folded[i] != '-' && !(word->folded[i] & 0x80) &&
                   ++run > 1) {
            return false;
        }
    }
    return dot;
}

static char *
join_words(const Word *words, size_t n, bool all_caps)
{
    GString *out = g_string_new(NULL);
    for (size_t i = 0; i < n; i++) {
        bool particle = (words[i].classes & WORD_PARTICLE) && i + 1 < n &&
                        !words[i].capital;
        g_autofree char *word =
            particle ? g_strndup(words[i].text, words[i].len)
                     : nice_case(words[i].text, words[i].len, true);
        if (all_caps && (words[i].classes & WORD_PARTICLE) && i + 1 < n) {
            char *lower = g_utf8_strdown(word, -1);
            g_free(word);
            word = lower;
        }
        if (out->len > 0)
            g_string_append_c(out, ' ');
        g_string_append(out, word);
        bool last_byte = words[i].text[words[i].len - 1] != '.';
        if (words[i].after == '.' && last_byte && is_dotted(&words[i]))
            g_string_append_c(out, '.'); /* "J.D." keeps its end */
        else if (words[i].folded_len == 1 && i + 1 < n &&
                 (words[i].after == '\'' || words[i].after == '\xe2'))
            g_string_append_c(out, '\''); /* D' Angelo */
    }
    return g_string_free(out, FALSE);
}

static bool
is_initial(const Word *word)
{
    if (word->folded_len == 0 || word->cjk)
        return false;
    long n = g_utf8_strlen(word->folded, -1);
    return n == 1 || (n == 3 && word->folded[1] == '.') ||
           (word->after == '.' && n == 2 && word->len <= 3 &&
            !(word->classes & (WORD_GIVEN | WORD_PARTICLE)) && word->all_caps);
}

/* Degrees with a full stop or hyphen inside: "Dr.-Ing", "Dipl.-Wirt.-Ing". */
static bool
is_degree(const Word *word)
{
    size_t pieces = 0, begin = 0;
    for (size_t i = 0; i <= word->folded_len; i++) {
        if (i < word->folded_len && strchr(".-", word->folded[i]) == NULL)
            continue;
        if (i > begin) {
            if (!(vocabulary_find(word->folded + begin, i - begin) &
                  WORD_HONORIFIC))
                return false;
            pieces++;
        }
        begin = i + 1;
    }
    return pieces >= 2 && memchr(word->folded, '.', word->folded_len) != NULL;
}

/* Titles off the front, letters off the end; initials in the middle go too.
 * Returns the new length; *out_start is advanced. */
static size_t
trim_titles(Word *words, size_t n, size_t *out_start)
{
    size_t start = 0;
    while (
        start + 1 < n &&
        (is_degree(&words[start]) ||
         ((words[start].classes & WORD_HONORIFIC) &&
          (words[start].after == '.' || !(words[start].classes & WORD_GIVEN)) &&
          !(n - start == 2 && words[start].folded_len <= 2 &&
            words[start].after != '.' &&
            !in_list(" mr ms dr hr dhr me pd rn ir ", words[start].folded,
                     words[start].folded_len)))))
        start++;
    while (n > start + 1 &&
           ((words[n - 1].classes & WORD_GENERATION) ||
            ((words[n - 1].classes & WORD_POSTNOMINAL) &&
             (words[n - 1].all_caps || words[n - 1].before == '(' ||
              words[n - 2].after == ',' ||
              in_list(" phd ph.d esq ", words[n - 1].folded,
                      words[n - 1].folded_len)) &&
             (n > start + 2 || words[n - 2].after == ','))))
        n--;
    *out_start = start;
    return n;
}

static size_t
drop(Word *words, size_t n, size_t i)
{
    memmove(&words[i], &words[i + 1], (n - i - 1) * sizeof *words);
    return n - 1;
}

/* Is words[i], of one letter, the beginning of a family name ("O Riordan",
 * "D' Angelo") and no middle initial? */
static bool
is_prefix_letter(const Word *words, size_t n, size_t i, const char *email)
{
    const Word *word = &words[i];
    if (i + 1 >= n || word->folded_len != 1 || !words[i + 1].capital)
        return false;
    if (word->after == '\'' || word->after == '\xe2')
        return true;
    if (word->folded[0] != 'o' || word->after == '.')
        return false;
    if (word->len > 1 || country_in(email, " ie ")) /* with its accent */
        return true;
    char local[64], name[64] = "o";
    plain_letters(&words[i + 1], name + 1, sizeof name - 1);
    local_letters(email, local, sizeof local);
    return strstr(local, name) != NULL ||
           in_list(after_o, name + 1, strlen(name + 1));
}

/* Words of a given name with "de" inside: "Maria del Carmen"; 0: none. */
static size_t
compound_given(const Word *words, size_t n)
{
    if (!(words[0].classes & WORD_GIVEN) && words[0].folded_len > 3)
        return 0;
    size_t i = 1;
    if (i < n && (words[i].classes & WORD_GIVEN) && !words[i].digit &&
        !(words[i].classes & WORD_PARTICLE))
        i++; /* Ana Maria del Pilar */
    size_t de = i;
    while (i < n && i < de + 2 &&
           in_list(" de del la las los da do das dos dels ", words[i].folded,
                   words[i].folded_len))
        i++;
    if (i == de || i + 1 >= n ||
        !in_list(given_after_de, words[i].folded, words[i].folded_len))
        return 0;
    return i + 1;
}

/* Surnames of Spain, Portugal and Latin America. */
static bool
is_iberian(const Word *word)
{
    return in_list(iberian_surnames, word->folded, word->folded_len) ||
           (word->folded_len > 4 && g_str_has_suffix(word->folded, "ez"));
}

/* "Mads Overgaard Thygesen": what stands between a known given name and the
 * family name, and is no given name, is another family name. `start` is where
 * the last one begins. */
static size_t
middle_surname(const Word *words, size_t start, const char *email)
{
    if (!(words[0].classes & WORD_GIVEN) || country_in(email, " ph "))
        return start;
    while (start > 1 && words[start - 1].classes == 0 &&
           words[start - 1].folded_len >= 4 && !words[start - 1].all_caps &&
           memchr(words[start - 1].folded, '-', words[start - 1].folded_len) ==
               NULL)
        start--;
    return start;
}

/* Where does the family name begin? `n` words, 2 or more. */
static size_t
family_start(const Word *words, size_t n, const char *email)
{
    size_t compound = compound_given(words, n);
    if (compound > 0)
        return compound;
    if (n >= 3 && in_list(arabic_begins, words[0].folded, words[0].folded_len))
        return 2; /* Abdul Rahman Saleh */
    for (size_t i = 1; i + 1 < n; i++)
        if (in_list(arabic_begins, words[i].folded, words[i].folded_len))
            return i; /* Mona Abdel Rahman */
    /* an explicit particle or conjunction */
    for (size_t i = 1; i + 1 < n; i++) {
        if (is_prefix_letter(words, n, i, email))
            return i;
        if (!(words[i].classes & WORD_PARTICLE))
            continue;
        if ((words[i].folded_len == 1) && i >= 2) /* Ferrer i Campdevanol */
            return i - 1;
        if (words[i].folded_len == 1)
            continue;
        if (i >= 2 && !(words[i - 1].classes & WORD_GIVEN) &&
            (country_in(email, two_surnames) || is_iberian(&words[i - 1])))
            return i - 1; /* Ana Gomez de la Torre */
        return i;
    }
    if (n == 2)
        return 1;

    /* the local-part knows: jane.van-berg, jberg, janeberg */
    char local[64], joined[64];
    if (local_letters(email, local, sizeof local) >= 4 &&
        !person_is_role(email)) {
        for (size_t i = 1; i < n; i++) {
            plain_letters(&words[i], joined, sizeof joined);
            size_t len = strlen(joined);
            const char *hit = len >= 3 ? strstr(local, joined) : NULL;
            if (hit == NULL)
                continue;
            if (i + 1 == n &&
                (country_in(email, two_surnames) ||
                 (is_iberian(&words[i - 1]) && is_iberian(&words[i]))))
                continue; /* the second surname alone */
            /* "maryellen.walker": this word still belongs to the given name */
            if (i + 1 < n) {
                char next[64];
                plain_letters(&words[i + 1], next, sizeof next);
                const char *later = strstr(local, next);
                if (strlen(next) >= 3 && later != NULL && later > hit &&
                    (words[i].classes & WORD_GIVEN))
                    continue;
            }
            if (!(words[i].classes & WORD_GIVEN) || i + 1 == n)
                return middle_surname(words, i, email);
        }
    }
    size_t given = 1;
    while (given + 1 < n && (words[given].classes & WORD_GIVEN))
        given++;
    if (country_in(email, two_surnames))
        return n >= 4 && given < 2 ? 2 : given;
    if (n - given >= 2 && is_iberian(&words[n - 2]) &&
        is_iberian(&words[n - 1]))
        return n - 2; /* Ana Lopez Garcia <...@example.com> */
    return given > 1 ? given : middle_surname(words, n - 1, email);
}

/* A known given name, or two with a hyphen ("Aino-Kaisa"). */
static bool
is_given(const Word *word)
{
    const char *hyphen = memchr(word->folded, '-', word->folded_len);
    if (hyphen == NULL || (word->classes & WORD_GIVEN))
        return (word->classes & WORD_GIVEN) != 0;
    size_t n = (size_t) (hyphen - word->folded);
    return ((vocabulary_find(word->folded, n) |
             vocabulary_find(hyphen + 1, word->folded_len - n - 1)) &
            WORD_GIVEN) != 0;
}

static bool
looks_family_first(const Word *words, size_t n, const char *email)
{
    if (n < 2 || n > 3)
        return false;
    char local[64], a[64], b[64];
    local_letters(email, local, sizeof local);
    plain_letters(&words[0], a, sizeof a);
    plain_letters(&words[n - 1], b, sizeof b);
    bool there = country_in(email, family_first);
    bool known = in_list(romanised_surnames, a, strlen(a));
    bool other = in_list(romanised_surnames, b, strlen(b));
    if (strlen(b) >= 2 && strlen(a) >= 2) {
        g_autofree char *reversed = g_strconcat(b, a, NULL);
        if (strcmp(local, reversed) == 0 &&
            (there || (known && !other) ||
             (is_given(&words[n - 1]) && !is_given(&words[0]))))
            return true; /* "Wu Jiahao" <jiahao.wu@...> */
        g_autofree char *straight = g_strconcat(a, b, NULL);
        bool hungarian = country_in(email, " hu ");
        if (strcmp(local, straight) == 0 && !(known && !other) && !hungarian)
            return false;
    }
    if (!there)
        return false;
    if (country_in(email, " hu "))
        return (words[n - 1].classes & WORD_GIVEN) ||
               !(words[0].classes & WORD_GIVEN);
    return known && !other && !(words[0].classes & WORD_GIVEN);
}

/* "Nguyen Thi Thu Ha" in that order: by the family name, and by the country,
 * a middle name or letters that only Vietnamese has. */
static bool
is_vietnamese(const Word *words, size_t n, const char *email)
{
    if (n < 2 || n > 5 ||
        !in_list(vietnamese_surnames, words[0].folded, words[0].folded_len))
        return false;
    bool known = country_in(email, " vn ");
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && i + 1 < n &&
            in_list(" thi van ", words[i].folded, words[i].folded_len))
            known = true;
        for (size_t k = 0; k + 1 < words[i].len; k++)
            if ((unsigned char) words[i].text[k] == 0xe1 &&
                (unsigned char) words[i].text[k + 1] >= 0xba &&
                (unsigned char) words[i].text[k + 1] <= 0xbb)
                known = true; /* letters with two marks */
    }
    /* "Lam Nguyen" on a business card for foreigners */
    return known && !(n == 2 && in_list(vietnamese_surnames, words[1].folded,
                                        words[1].folded_len));
}

/* `words` are the name alone. */
static bool
split_latin(Word *words, size_t n, size_t comma, const char *email, Person *out)
{
    bool all_caps = true;
    for (size_t i = 0; i < n; i++)
        all_caps &= words[i].all_caps || words[i].folded_len <= 1;

    if (comma > 0 && comma < n) { /* Doe, Jane M. */
        size_t given = n - comma;
        while (given > 1 && is_initial(&words[comma + given - 1]))
            given--;
        size_t start = 0, family = comma;
        while (family > 1 && (words[family - 1].classes & WORD_GENERATION))
            family--;
        while (start + 1 < family && (words[start].classes & WORD_HONORIFIC) &&
               !(words[start].classes & WORD_PARTICLE))
            start++;
        size_t first = comma;
        while (given > 1 && (words[first].classes & WORD_HONORIFIC)) {
            first++;
            given--;
        }
        /* "Cheung Ka Yan, Grace" */
        char surname[64];
        plain_letters(&words[start], surname, sizeof surname);
        if (family - start == 3 &&
            in_list(romanised_surnames, surname, strlen(surname)))
            family = start + 1;
        out->last = join_words(words + start, family - start, all_caps);
        out->first = join_words(words + first, given, all_caps);
        /* "Berg, Jane van der" */
        size_t end = first + given, p = end;
        while (p > first + 1 && (words[p - 1].classes & WORD_PARTICLE) &&
               !words[end - 1].capital)
            p--;
        if (p < end) {
            const Word *tail = &words[end - 1];
            g_autofree char *particles =
                g_strndup(words[p].text,
                          (size_t) (tail->text + tail->len - words[p].text));
            g_autofree char *last = g_steal_pointer(&out->last);
            out->last = g_strconcat(particles, " ", last, NULL);
            g_free(out->first);
            out->first = join_words(words + first, p - first, all_caps);
        }
        out->confidence = 0.95;
        return true;
    }

    if (n == 3 && comma == 0 && is_initial(&words[0]) &&
        is_initial(&words[1]) && !is_initial(&words[2])) {
        out->first =
            g_strdup_printf("%.*s. %.*s.", (int) words[0].len, words[0].text,
                            (int) words[1].len, words[1].text);
        out->last = join_words(words + 2, 1, all_caps);
        out->confidence = 0.8;
        return true;
    }
    /* Robert "Bob" Castellano, whose quotes were lost */
    if (n == 3 && comma == 0 && strcmp(words[0].folded, words[1].folded) != 0 &&
        person_nickname(words[0].folded, words[1].folded))
        n = drop(words, n, 1);
    for (size_t i = 1; i + 1 < n;) /* middle initials */
        if (is_initial(&words[i]) &&
            (!(words[i].classes & WORD_PARTICLE) || words[i].capital) &&
            !is_prefix_letter(words, n, i, email))
            n = drop(words, n, i);
        else
            i++;
    if (n >= 3 && is_initial(&words[0]) && !is_initial(&words[1]) &&
        (words[1].classes & WORD_GIVEN))
        n = drop(words, n, 0); /* J. Edgar Hoover */
    if (n > 1 && is_initial(&words[n - 1]) && words[n - 1].after == '.' &&
        n > 2)
        n--;

    if (n == 1) {
        out->first = join_words(words, 1, all_caps);
        out->last = g_strdup("");
        out->confidence = 0.75;
        return true;
    }

    /* NEWBERRY Adele, VAN DER BERG Jane */
    size_t caps = 0;
    while (caps < n &&
           (words[caps].all_caps || (caps > 0 && is_initial(&words[caps]))))
        caps++;
    if (!all_caps && caps > 0 && caps < n && words[0].folded_len > 2 &&
        !is_dotted(&words[0]) && !words[n - 1].all_caps) {
        out->last = join_words(words, caps, true);
        out->first = join_words(words + caps, n - caps, false);
        out->confidence = 0.95;
        return true;
    }
    /* Jane VAN DER BERG */
    size_t tail = n;
    while (tail > 0 && words[tail - 1].all_caps)
        tail--;
    if (!all_caps && tail > 0 && tail < n && words[n - 1].folded_len > 2) {
        out->first = join_words(words, tail, false);
        out->last = join_words(words + tail, n - tail, true);
        out->confidence = 0.95;
        return true;
    }

    /* Hong Kong: "Chan Ka Ho Jasper", who is jasper.chan@ */
    if (n == 4 && (words[3].classes & WORD_GIVEN) &&
        in_list(romanised_surnames, words[0].folded, words[0].folded_len)) {
        char local[64];
        local_letters(email, local, sizeof local);
        if (strstr(local, words[3].folded) != NULL) {
            out->last = join_words(words, 1, all_caps);
            out->first = join_words(words + 3, 1, all_caps);
            out->confidence = 0.85;
            return true;
        }
    }
    if (is_vietnamese(words, n, email)) {
        /* Nguyen Thi Thu Ha: the middle name goes, the given one is the rest */
        size_t given = n == 2 ? 1 : 2;
        out->last = join_words(words, 1, all_caps);
        out->first = join_words(words + given, n - given, all_caps);
        out->confidence = 0.85;
        return true;
    }
    if (looks_family_first(words, n, email)) {
        bool vietnamese = n == 3 && country_in(email, " vn ");
        out->last = join_words(words, 1, all_caps);
        out->first = join_words(words + (vietnamese ? 2 : 1),
                                n - (vietnamese ? 2 : 1), all_caps);
        out->confidence = 0.85;
        return true;
    }
    size_t start = family_start(words, n, email);
    /* Cyrillic patronymic: Ivan Petrovich Sidorov, Sidorov Ivan Petrovich */
    if (n == 3) {
        const Word *middle = &words[1], *end = &words[2];
        for (int turn = 0; turn < 2; turn++) {
            const Word *word = turn == 0 ? middle : end;
            if (g_str_has_suffix(word->folded, "ович") ||
                g_str_has_suffix(word->folded, "евич") ||
                g_str_has_suffix(word->folded, "овна") ||
                g_str_has_suffix(word->folded, "евна") ||
                g_str_has_suffix(word->folded, "ична") ||
                g_str_has_suffix(word->folded, "івна") ||
                g_str_has_suffix(word->folded, "ьич")) {
                out->first =
                    join_words(turn == 0 ? words : middle, 1, all_caps);
                out->last = join_words(turn == 0 ? end : words, 1, all_caps);
                out->confidence = 0.9;
                return true;
            }
        }
    }
    if (n == 2 && (words[1].classes & WORD_GIVEN) &&
        !(words[0].classes & WORD_GIVEN) && words[0].folded[0] & 0x80 &&
        g_unichar_get_script(g_utf8_get_char(words[0].folded)) ==
            G_UNICODE_SCRIPT_CYRILLIC)
        start = 0; /* Astakhov Gleb */
    if (start == 0) {
        out->last = join_words(words, 1, all_caps);
        out->first = join_words(words + 1, 1, all_caps);
    } else {
        out->first = join_words(words, start, all_caps);
        out->last = join_words(words + start, n - start, all_caps);
    }
    out->confidence = n <= 3 ? 0.95 : 0.85;
    return true;
}

/* --- is it a person at all? ------------------------------------------------- */

/* How well do the words agree with the local-part? 0 to 2. */
static int
agrees_with_local(const Word *words, size_t n, const char *email)
{
    char local[64], word[64];
    if (email == NULL || local_letters(email, local, sizeof local) < 2)
        return 0;
    int hits = 0;
    for (size_t i = 0; i < n; i++) {
        plain_letters(&words[i], word, sizeof word);
        if (strlen(word) >= 3 && strstr(local, word) != NULL)
            hits++;
    }
    return MIN(hits, 2);
}

/* "CustomerNotices": no name is written so, save McDonald and DiMarco. */
static bool
is_camel_case(const Word *word)
{
    for (size_t i = 4; i + 1 < word->len; i++)
        if (g_ascii_islower(word->text[i - 1]) &&
            g_ascii_isupper(word->text[i]) &&
            g_ascii_islower(word->text[i + 1]))
            return true;
    return false;
}

/* One of the words stands in the domain, or all their initials are a label. */
static bool
spells_domain(const Word *words, size_t n, const char *email)
{
    const char *at = email != NULL ? strrchr(email, '@') : NULL;
    if (at == NULL)
        return false;
    char domain[128];
    size_t used = 0;
    for (const char *p = at + 1; *p != '\0' && used + 1 < sizeof domain; p++)
        if (g_ascii_isalnum(*p) || *p == '.')
            domain[used++] = g_ascii_tolower(*p);
    domain[used] = '\0';
    for (size_t i = 0; i < n; i++) {
        char word[64];
        plain_letters(&words[i], word, sizeof word);
        if (strlen(word) >= 4 && strstr(domain, word) != NULL)
            return true;
    }
    return false;
}

static bool
is_organisation(const Word *words, size_t n, const char *email, bool line)
{
    int against = 0, favour = 0;
    bool role = person_is_role(email);
    /* A shared mailbox bears the firm's name; the line below a sign-off may
     * be its author, unless it spells the domain. */
    if (role && n > 1 && (!line || n > 3 || spells_domain(words, n, email)))
        against++;
    for (size_t i = 0; i < n; i++) {
        unsigned classes = words[i].classes;
        bool surname = words[i].folded_len == 2 && words[i].capital &&
                       !words[i].all_caps && n <= 3 &&
                       (words[0].classes & WORD_GIVEN); /* Gunilla Ek */
        if ((classes & WORD_LEGAL) && i + 1 == n && n > 1 && !surname &&
            !(classes & (WORD_GIVEN | WORD_PARTICLE | WORD_POSTNOMINAL)))
            return true;
        if (words[i].folded_len == 1 && words[i].text[0] == '&')
            return true;
        if (is_camel_case(&words[i]) && !(words[0].classes & WORD_GIVEN))
            return true;
        if (in_list(" the our team no-reply noreply und and et of for online "
                    "info ",
                    words[i].folded, words[i].folded_len) &&
            !(classes & WORD_GIVEN))
            against += 2;
        else if (words[i].digit)
            against += 2;
        else if (i > 0 &&
                 (classes &
                  (WORD_ORGANISATION | WORD_DEPARTMENT | WORD_ROLE)) &&
                 !(classes & WORD_GIVEN))
            against++;
        else if (i == 0 &&
                 (classes & (WORD_ORGANISATION | WORD_DEPARTMENT | WORD_ROLE |
                             WORD_TITLEMOD)) &&
                 !(classes & WORD_GIVEN))
            against++;
    }
    if (n > 0 && (words[0].classes & WORD_GIVEN))
        favour += 2;
    if (n > 1 && is_initial(&words[0]))
        favour++;
    if (n > 1 && (words[1].classes & WORD_GIVEN) && words[0].after == ',')
        favour += 2;
    if (!role && agrees_with_local(words, n, email) == 2 && n <= 3)
        favour += 2;
    return against > favour || (against > 0 && n > 4);
}

/* Notes: "CN=Ann Example/OU=Oslo/O=Kestrel", "Ann Example/Oslo/Kestrel". */
static void
cut_notes(char *name)
{
    if (g_ascii_strncasecmp(name, "CN=", 3) == 0)
        memmove(name, name + 3, strlen(name + 3) + 1);
    char *slash = strchr(name, '/');
    if (slash == NULL || slash == name || slash[-1] == ' ' || slash[1] == ' ' ||
        slash[1] == '\0')
        return;
    const char *blank = memchr(name, ' ', (size_t) (slash - name));
    if (blank != NULL || strchr(slash + 1, '/') != NULL)
        *slash = '\0';
}

/* " via ", " and ": can such a word stand in it? */
static bool
has_two_blanks(const char *name)
{
    const char *blank = strchr(name, ' ');
    return blank != NULL && strchr(blank + 1, ' ') != NULL;
}

/* "Jacqui & Pete Wills", "Anna und Jens": the first of two people; the family
 * name that stands once is both's. In place. */
static void
cut_couple(char *name)
{
    static const char *const joints[] = { " & ",  " and ", " + ",   " und ",
                                          " et ", " og ",  " och ", " en ",
                                          " y ",  " e ",   " i ",   " a ",
                                          " и ",  " та ",  " ja ",  " ve " };
    if (!has_two_blanks(name))
        return;
    for (size_t i = 0; i < G_N_ELEMENTS(joints); i++) {
        char *hit = strstr(name, joints[i]);
        if (hit == NULL || hit == name)
            continue;
        const char *right = hit + strlen(joints[i]);
        Word a[4], b[4];
        size_t n = words_split(name, (size_t) (hit - name), a, 4);
        size_t m = words_split(right, strlen(right), b, 4);
        if (n == 0 || n > 3 || m == 0 || m > 3 ||
            !(a[0].classes & WORD_GIVEN) || !(b[0].classes & WORD_GIVEN) ||
            (b[m - 1].classes & (WORD_LEGAL | WORD_ORGANISATION)))
            continue;
        if (n > 1 || m == 1) {
            *hit = '\0';
            return;
        }
        size_t rest = (size_t) (b[1].text - name);
        memmove(hit + 1, name + rest, strlen(name + rest) + 1);
        *hit = ' ';
        return;
    }
}

/* "Anna Kurz von der Firma X", but not "Dr. Hans Peter von der Heide". */
static bool
ends_full_name(const char *name, const char *hit)
{
    Word words[PERSON_MAX_WORDS];
    size_t start = 0;
    size_t n =
        words_split(name, (size_t) (hit - name), words, PERSON_MAX_WORDS);
    n = trim_titles(words, n, &start);
    return n >= start + 2 && !(words[n - 1].classes & WORD_GIVEN);
}

/* Cuts what follows the name: " via X", " | Company", " (Company)". Brackets in
 * the middle hold a nickname and go too. Works in place. */
static void
cut_tail(char *name)
{
    cut_notes(name);
    cut_couple(name);
    static const char *const ends[] = {
        " via ",
        " on behalf of ",
        " | ",
        " – ",
        " — ",
        " - ",
        " @ ",
        " • ",
        " · ",
        " // ",
        " / ",
        " über ",
        " durch ",
        " from ",
        " at ",
        " aus ",
        " c/o ",
        " i.a. ",
        " im Auftrag ",
        " de la part de ",
        "|",
        " bei ",
        " chez ",
        " von der ",
        " : ",
        "·",
    };
    bool two_blanks = has_two_blanks(name);
    for (size_t i = 0; i < G_N_ELEMENTS(ends); i++) {
        if (*ends[i] == ' ' && !two_blanks)
            continue;
        char *hit = strstr(name, ends[i]);
        if (hit != NULL && hit > name + 1 &&
            (strcmp(ends[i], " von der ") != 0 || ends_full_name(name, hit)))
            *hit = '\0';
    }
    for (;;) {
        char *open = strpbrk(name, "([{<");
        const char *wide = strstr(name, "（");
        if (open == NULL && wide == NULL)
            break;
        if (open == NULL || (wide != NULL && wide < open))
            open = name + (wide - name);
        char *close = strpbrk(open + 1, ")]}>");
        char *wide_close = strstr(open, "）");
        if (wide_close != NULL && (close == NULL || wide_close < close))
            close = wide_close + 2;
        if (open == name && close != NULL) { /* "(Ms) Jane Doe" */
            memmove(name, close + 1, strlen(close + 1) + 1);
            continue;
        }
        if (close == NULL) {
            *open = '\0';
            break;
        }
        *open = ' ';
        memmove(open + 1, close + 1, strlen(close + 1) + 1);
    }
    /* "Tess" and 'Tess' in the middle */
    static const char *const quotes[][2] = { { "\"", "\"" },
                                             { "“", "”" },
                                             { "„", "“" },
                                             { " '", "' " },
                                             { " ‘", "’ " } };
    for (size_t i = 0; i < G_N_ELEMENTS(quotes); i++) {
        char *open = strstr(name, quotes[i][0]);
        if (open == NULL || open == name)
            continue;
        size_t skip = strlen(quotes[i][0]);
        char *close = strstr(open + skip, quotes[i][1]);
        if (close == NULL)
            continue;
        close += strlen(quotes[i][1]);
        *open = ' ';
        memmove(open + 1, close, strlen(close) + 1);
    }
    g_strstrip(name);
    size_t len = strlen(name);
    while (len > 0 && strchr("\"'`,;:*_", name[len - 1]) != NULL)
        name[--len] = '\0';
    size_t skip = strspn(name, "\"'`,;:*_ ");
    memmove(name, name + skip, len - skip + 1);
}

/* The index of the word after a comma that parts "Last, First"; 0: none. */
static size_t
find_comma(const Word *words, size_t n)
{
    size_t comma = 0, commas = 0;
    for (size_t i = 0; i + 1 < n; i++)
        if (words[i].after == ',' ||
            (words[i].after == '.' && words[i].text[words[i].len] == '.' &&
             words[i].text[words[i].len + 1] == ',')) {
            comma = i + 1;
            commas++;
        }
    return commas == 1 ? comma : 0;
}

/* "PA to Ann Example", "Sekretariat von der Heide": who works for somebody. */
static bool
serves_another(const Word *words, size_t n)
{
    static const char posts[] = " pa ea assistant secretary office assistenz "
                                "assistentin assistent sekretariat sekretarin "
                                "buro buero vorzimmer secretariat assistante "
                                "secretaire bureau secretaria asistente "
                                "segreteria assistente ufficio ";
    static const char joints[] =
        " to of for von vom der des de du di del della da ";
    size_t at = 0;
    while (at + 2 < n && (words[at].classes & WORD_TITLEMOD))
        at++; /* "Executive Assistant to" */
    return at + 2 < n &&
           in_list(posts, words[at].folded, words[at].folded_len) &&
           !words[at + 1].capital &&
           in_list(joints, words[at + 1].folded, words[at + 1].folded_len);
}

bool
person_from_display(const char *name, const char *email, Person *out)
{
    memset(out, 0, sizeof *out);
    if (name == NULL || strlen(name) > PERSON_MAX_BYTES)
        return false;
    g_autofree char *text = g_strdup(name);
    if (strchr(text, '@') != NULL) {
        char *at = strchr(text, '@');
        if (strchr(at, '.') != NULL && strchr(text, ' ') == NULL)
            return false; /* an address for a name */
        if (at > text && at[-1] != ' ')
            *at = '\0'; /* "Corporate Benefits@ENRON" */
    }
    cut_tail(text);
    if (g_str_has_prefix(text, "=?") || strstr(text, " & ") != NULL ||
        strstr(text, " + ") != NULL)
        return false;

    Word words[PERSON_MAX_WORDS];
    size_t n = words_split(text, strlen(text), words, PERSON_MAX_WORDS);
    if (n == 0 || n == PERSON_MAX_WORDS)
        return false;
    if (serves_another(words, n))
        return false;
    /* "First Last, Company Ltd" and "First Last, Manager" */
    size_t comma = find_comma(words, n);
    if (comma > 0) {
        bool other = false;
        for (size_t i = comma; i < n; i++)
            other |= (words[i].classes &
                      (WORD_LEGAL | WORD_ORGANISATION | WORD_TITLE)) &&
                     !(words[i].classes &
                       (WORD_GIVEN | WORD_GENERATION | WORD_POSTNOMINAL));
        if (other && comma >= 2) {
            n = comma;
            comma = 0;
        }
    }
    for (size_t i = 0; i < n; i++)
        if (words[i].cjk) {
            if (is_organisation(words, n, NULL, false))
                return false;
            return split_cjk(words, n, email, out);
        }
    if (n == 1 && strchr(text, '.') != NULL && words[0].folded_len > 4) {
        /* "jane.doe" */
        g_autofree char *as_email = g_strconcat(text, "@x", NULL);
        return person_from_local_part(as_email, out);
    }
    if (n == 1 && strchr(text, '_') != NULL)
        return false;

    if (is_organisation(words, n, email, false))
        return false;
    size_t start = 0;
    n = trim_titles(words, n, &start);
    comma = find_comma(words, n);
    if (comma > start) {
        comma -= start;
        /* "Jane Doe, CPA": what is after the comma was taken off, or not */
        bool letters = true;
        for (size_t i = start + comma; i < n; i++)
            letters &= (words[i].classes &
                        (WORD_POSTNOMINAL | WORD_GENERATION)) != 0 &&
                       !(words[i].classes & WORD_GIVEN) &&
                       !(words[i].capital && !words[i].all_caps && comma == 1);
        if (letters) {
            n = start + comma;
            comma = 0;
        }
    } else {
        comma = 0;
    }
    for (size_t i = start; i < n; i++)
        if (words[i].digit || !words[i].letter)
            return false;
    return split_latin(words + start, n - start, comma, email, out);
}

bool
person_from_line(const char *text, size_t len, const char *email, Person *out)
{
    memset(out, 0, sizeof *out);
    if (len == 0 || len > 80)
        return false;
    g_autofree char *copy = g_strndup(text, len);
    cut_notes(copy);
    if (strpbrk(copy, "@:/\\!?=") != NULL)
        return false;
    cut_tail(copy);
    Word words[PERSON_MAX_WORDS];
    size_t n = words_split(copy, strlen(copy), words, PERSON_MAX_WORDS);
    if (n == 0 || n > 8)
        return false;
    size_t end_len = strlen(copy);
    if (end_len > 0 && copy[end_len - 1] == '.' &&
        !(words[n - 1].classes & (WORD_POSTNOMINAL | WORD_GENERATION)) &&
        !is_initial(&words[n - 1]) && n > 3)
        return false;
    size_t latin = 0; /* "Jasper Chan", and the name again in Han */
    while (latin < n && !words[latin].cjk)
        latin++;
    if (latin >= 2 && latin < n && latin <= 3 && n - latin <= 2)
        n = latin;
    for (size_t i = 0; i < n; i++)
        if (words[i].cjk) {
            if (n > 2)
                return false;
            return split_cjk(words, n, email, out);
        }
    size_t start = 0;
    n = trim_titles(words, n, &start);
    Word *at = words + start;
    n -= start;
    if (n == 0 || n > 6)
        return false;
    bool agrees = !person_is_role(email) && agrees_with_local(at, n, email) > 0;
    bool given = false;
    for (size_t i = 0; i < n; i++) {
        if (at[i].digit || !at[i].letter)
            return false;
        if (!at[i].capital && !(at[i].classes & WORD_PARTICLE) &&
            !(agrees && n <= 3) && !is_initial(&at[i]))
            return false;
        given |= (at[i].classes & WORD_GIVEN) != 0;
    }
    if (is_organisation(at, n, email, true))
        return false;
    unsigned bad = 0;
    for (size_t i = 0; i < n; i++)
        if ((at[i].classes & (WORD_TITLE | WORD_LEGAL | WORD_STREET |
                              WORD_TITLEMOD | WORD_ORGANISATION)) &&
            !(at[i].classes & (WORD_GIVEN | WORD_PARTICLE)))
            bad++;
    if (bad > 0 && !agrees &&
        !(given && (at[0].classes & WORD_GIVEN) && bad < n - 1 + (n == 2)))
        return false;
    size_t comma = find_comma(at, n);
    if (comma > 0) { /* "Jane Doe, CPA, Leader": cut there */
        bool letters = (at[comma].classes & WORD_POSTNOMINAL) != 0;
        if (letters || comma >= 2)
            n = comma;
        else if (!given && !agrees)
            return false;
        comma = n == comma ? 0 : comma;
    }
    if (!split_latin(at, n, comma, email, out))
        return false;
    if (!given && !agrees)
        out->confidence = MIN(out->confidence, 0.6);
    else if (!agrees)
        out->confidence = MIN(out->confidence, 0.85);
    return true;
}

bool
person_from_local_part(const char *email, Person *out)
{
    memset(out, 0, sizeof *out);
    if (email == NULL || person_is_role(email))
        return false;
    const char *at = strchr(email, '@');
    const char *plus = strchr(email, '+');
    size_t len = (size_t) ((at != NULL ? at : email + strlen(email)) - email);
    if (plus != NULL && (size_t) (plus - email) < len)
        len = (size_t) (plus - email);
    if (len == 0 || len > 60)
        return false;
    g_autofree char *text = g_strndup(email, len);
    for (char *p = text; *p != '\0'; p++) {
        if (*p == '.' || *p == '_')
            *p = ' ';
        else if (g_ascii_isdigit(*p) || (!g_ascii_isalpha(*p) && *p != '-' &&
                                         !((unsigned char) *p & 0x80)))
            return false;
    }
    Word words[PERSON_MAX_WORDS];
    size_t n = words_split(text, strlen(text), words, PERSON_MAX_WORDS);
    if (n < 2 || n > 4)
        return false;
    bool given = (words[0].classes & WORD_GIVEN) != 0;
    bool reversed = !given && (words[n - 1].classes & WORD_GIVEN) && n == 2;
    if (!given && !reversed)
        return false;
    for (size_t i = 0; i < n; i++)
        if (words[i].folded_len < 2 && i != 1)
            return false;
    if (n == 3 && words[1].folded_len == 1)
        n = drop(words, n, 1);
    if (words[n - 1].folded_len < 2)
        return false;
    size_t family = reversed ? 0 : 1;
    out->first = join_words(reversed ? words + 1 : words, 1, false);
    out->last = reversed ? join_words(words, 1, false)
                         : join_words(words + family, n - family, false);
    out->confidence = 0.6;
    return true;
}

/* --- comparing ----------------------------------------------------------------*/

static bool
folded_first_word(const char *text, char *out, size_t size)
{
    char folded[128];
    size_t n = words_fold(text, strlen(text), folded, sizeof folded);
    size_t end = 0;
    while (end < n && folded[end] != ' ' && folded[end] != '-')
        end++;
    if (end == 0 || end >= size)
        return false;
    memcpy(out, folded, end);
    out[end] = '\0';
    while (end > 0 && out[end - 1] == '.')
        out[--end] = '\0';
    return end > 0;
}

static bool
last_overlaps(const char *a, const char *b)
{
    Word wa[6], wb[6];
    size_t na = words_split(a, strlen(a), wa, 6);
    size_t nb = words_split(b, strlen(b), wb, 6);
    for (size_t i = 0; i < na; i++) {
        if (wa[i].classes & WORD_PARTICLE)
            continue;
        for (size_t k = 0; k < nb; k++) {
            size_t n = MIN(wa[i].folded_len, wb[k].folded_len);
            if (n >= 2 && memcmp(wa[i].folded, wb[k].folded, n) == 0 &&
                (wa[i].folded_len == wb[k].folded_len ||
                 wa[i].folded[n] == '-' || wb[k].folded[n] == '-'))
                return true;
        }
    }
    return false;
}

static bool
first_matches(const char *a, const char *b)
{
    char fa[64], fb[64];
    if (!folded_first_word(a, fa, sizeof fa) ||
        !folded_first_word(b, fb, sizeof fb))
        return false;
    if (person_nickname(fa, fb))
        return true;
    size_t n = MIN(strlen(fa), strlen(fb));
    return (n == 1 || n >= 3) && strncmp(fa, fb, n) == 0;
}

bool
person_same(const Person *a, const Person *b)
{
    if (a->last[0] != '\0' && b->last[0] != '\0') {
        if (!last_overlaps(a->last, b->last))
            return first_matches(a->first, b->last) &&
                   first_matches(a->last, b->first);
        return first_matches(a->first, b->first) || a->first[0] == '\0' ||
               b->first[0] == '\0' || strlen(a->first) <= 2 ||
               strlen(b->first) <= 2;
    }
    if (a->last[0] == '\0' && b->last[0] == '\0')
        return first_matches(a->first, b->first);
    const Person *full = a->last[0] != '\0' ? a : b;
    const Person *bare = full == a ? b : a;
    return first_matches(full->first, bare->first) ||
           last_overlaps(full->last, bare->first);
}

bool
person_fuller(const Person *a, const Person *b)
{
    if (!person_same(a, b))
        return false;
    if ((a->last[0] != '\0') != (b->last[0] != '\0'))
        return a->last[0] != '\0';
    size_t a_first = strlen(a->first), b_first = strlen(b->first);
    if (b_first <= 2 && a_first > b_first)
        return true;
    bool first_ok = a_first >= b_first && g_utf8_strlen(a->first, -1) >= 2;
    return first_ok && strlen(a->last) >= strlen(b->last) &&
           a_first + strlen(a->last) > b_first + strlen(b->last) + 1;
}

bool
person_is_role(const char *email)
{
    if (email == NULL)
        return false;
    const char *at = strchr(email, '@');
    if (at == NULL || at == email)
        return false;
    char folded[64];
    size_t n = words_fold(email, (size_t) (at - email), folded, sizeof folded);
    if (vocabulary_find(folded, n) & WORD_ROLE)
        return true;
    /* bookings.sydney@, info-de@, sales2@ */
    size_t end = 0;
    while (end < n && g_ascii_isalpha(folded[end]))
        end++;
    if (end < n && end >= 3 &&
        (vocabulary_find(folded, end) & (WORD_ROLE | WORD_GIVEN)) == WORD_ROLE)
        return true;
    size_t tail = n;
    while (tail > 0 && g_ascii_isalpha(folded[tail - 1]))
        tail--;
    return tail > 0 && n - tail >= 4 && folded[tail - 1] != '\'' &&
           (vocabulary_find(folded + tail, n - tail) &
            (WORD_ROLE | WORD_GIVEN)) == WORD_ROLE &&
           !(vocabulary_find(folded, tail - 1) & WORD_GIVEN);
}
