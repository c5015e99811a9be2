/*
 * signature_features.c - the marks by which a reader knows a signature's lines
 *
 * Each feature is a yes or no about one line, cheap to compute and easy to
 * explain; what they weigh is in data/signature-weights.txt. Sentences lose the
 * contact features: "call me on 555 0100 tomorrow." is prose.
 */
#include "analysis/signature_features.h"

#include "analysis/company.h"
#include "analysis/link.h"
#include "analysis/person.h"
#include "analysis/phone_scan.h"
#include "analysis/title.h"

#include <string.h>

static const char *const names[N_FEATURES] = {
    "line",       "closing",  "closing_name",  "author",    "author_word",
    "name_shape", "given",    "after_closing", "phone",     "extension",
    "own_email",  "email",    "url",           "title",     "organisation",
    "address",    "label",    "separators",    "rule",      "capitals",
    "sentence",   "lower",    "long",          "very_long", "greeting",
    "list",       "question", "element",       "table",     "small",
    "wrapped",    "cjk",      "foreign",       "field",     "appointment",
    "paragraph",
};

const char *
signature_feature_name(Feature feature)
{
    return names[feature];
}

static void
add_tokens(Author *author, const char *text, size_t len)
{
    Word words[8];
    size_t n = words_split(text, len, words, 8);
    for (size_t i = 0; i < n && author->n_tokens < AUTHOR_TOKENS; i++) {
        if (words[i].folded_len < 2 || words[i].folded_len > 31 ||
            words[i].digit ||
            (author->role && !(words[i].classes & WORD_GIVEN) &&
             (words[i].classes &
              (WORD_ORGANISATION | WORD_DEPARTMENT | WORD_ROLE))) ||
            (words[i].classes &
                 (WORD_PARTICLE | WORD_HONORIFIC | WORD_POSTNOMINAL) &&
             !(words[i].classes & WORD_GIVEN) && words[i].folded_len < 4))
            continue;
        bool known = false;
        for (size_t k = 0; k < author->n_tokens; k++)
            known |= strcmp(author->tokens[k], words[i].folded) == 0;
        if (known)
            continue;
        author->nicknames[author->n_tokens] = person_nicknames(words[i].folded);
        g_strlcpy(author->tokens[author->n_tokens++], words[i].folded,
                  sizeof author->tokens[0]);
    }
}

void
author_init(Author *author, const Mailbox *mailbox)
{
    memset(author, 0, sizeof *author);
    if (mailbox == NULL)
        return;
    size_t n_letters = 0, n_initials = 0;
    author->role = person_is_role(mailbox->email);
    if (mailbox->name != NULL && strlen(mailbox->name) <= PERSON_MAX_BYTES) {
        g_auto(Person) person = { 0 };
        if (person_from_display(mailbox->name, mailbox->email, &person)) {
            const char *parts[2] = { person.first, person.last };
            for (int i = 0; i < 2; i++) {
                char folded[80];
                size_t n = words_fold(parts[i], strlen(parts[i]), folded,
                                      sizeof folded);
                bool begin = true;
                for (size_t k = 0; k < n; k++) {
                    bool letter =
                        g_ascii_isalpha(folded[k]) || (folded[k] & 0x80);
                    if (letter && n_letters + 1 < sizeof author->letters)
                        author->letters[n_letters++] = folded[k];
                    if (letter && begin && g_ascii_isalpha(folded[k]) &&
                        n_initials + 1 < sizeof author->initials)
                        author->initials[n_initials++] = folded[k];
                    begin = !letter;
                }
            }
        }
        add_tokens(author, mailbox->name, strlen(mailbox->name));
    }
    const char *at = strchr(mailbox->email, '@');
    if (at != NULL && !author->role) {
        char local[80];
        size_t n = 0;
        for (const char *p = mailbox->email; p < at && n + 1 < sizeof local;
             p++)
            local[n++] = g_ascii_isalpha(*p) ? *p : ' ';
        add_tokens(author, local, n);
    }
    words_fold(mailbox->email, strlen(mailbox->email), author->email,
               sizeof author->email);
}

bool
signature_delimiter(const Line *line)
{
    if (line->len < 2 || line->len > 4 || line->text[0] != '-')
        return false;
    if (strcmp(line->text, "--") == 0 || strcmp(line->text, "-- ") == 0)
        return true;
    return strcmp(line->text, "--\xc2\xa0") == 0 ||
           strcmp(line->text, "---") == 0;
}

/* "Your long-suffering librarian," */
static bool
is_yours(const char *text, size_t len)
{
    Word words[6];
    if (len > 50 || text[len - 1] != ',' ||
        g_ascii_strncasecmp(text, "your", 4) != 0)
        return false;
    size_t n = words_split(text, len, words, 6);
    if (n < 2 || n > 5)
        return false;
    for (size_t i = 0; i < n; i++)
        if (words[i].digit || (i + 1 < n && words[i].after != '\0'))
            return false;
    return true;
}

bool
signature_closing(const char *text, size_t len, size_t *out_rest)
{
    static const char *const connectors[] = { "and", "&",  "und", "et", "y",
                                              "e",   "og", "och", "en", "i",
                                              "a",   "ja", "ve",  "и" };
    Word words[8];
    if (len == 0 || len > 120 || words_split(text, len, words, 1) == 0 ||
        !(words[0].classes & (WORD_CLOSING | WORD_CLOSING_START)))
        return false;
    if (is_yours(text, len)) {
        if (out_rest != NULL)
            *out_rest = len;
        return true;
    }
    size_t n = words_split(text, len, words, 8);
    size_t at = 0;
    bool any = false;
    while (at < n) {
        char phrase[8 * WORD_FOLDED_MAX];
        size_t used = 0, longest = 0;
        for (size_t i = at; i < n; i++) {
            if (used > 0)
                phrase[used++] = ' ';
            memcpy(phrase + used, words[i].folded, words[i].folded_len);
            used += words[i].folded_len;
            unsigned classes = vocabulary_find(phrase, used);
            if (classes & WORD_CLOSING)
                longest = i + 1 - at;
            if (!(classes & WORD_CLOSING_START))
                break;
        }
        if (longest == 0)
            break;
        any = true;
        at += longest;
        bool more = false;
        for (size_t i = 0; at < n && i < G_N_ELEMENTS(connectors); i++)
            if (strcmp(words[at].folded, connectors[i]) == 0)
                more = true;
        if (more && at + 1 < n) {
            unsigned next =
                vocabulary_find(words[at + 1].folded, words[at + 1].folded_len);
            if (next & (WORD_CLOSING | WORD_CLOSING_START))
                at++;
            else
                break;
        }
    }
    if (!any)
        return false;
    if (at == n) {
        if (out_rest != NULL)
            *out_rest = len;
        return true;
    }
    /* "Viele Gruesse aus Kiel", "Greetings from Perth" */
    static const char *const from[] = { "from",  "aus", "vom",   "von",
                                        "de",    "du",  "da",    "dal",
                                        "uit",   "fra", "fran",  "z",
                                        "ze",    "iz",  "od",    "depuis",
                                        "desde", "из",  "dalla", "vanuit" };
    for (size_t i = 0; n - at >= 2 && n - at <= 5 && i < G_N_ELEMENTS(from);
         i++)
        if (strcmp(words[at].folded, from[i]) == 0 && words[n - 1].capital &&
            words[at - 1].after == '\0' && n < 8) {
            if (out_rest != NULL)
                *out_rest = len;
            return true;
        }
    /* "Thanks, Ann" and "Thanks. BT", but not "Thanks for your help" */
    const Word *last = &words[at - 1], *next = &words[at];
    bool parted = last->after != '\0' && strchr(",.!;:-", last->after) != NULL;
    size_t gap = (size_t) (next->text - (last->text + last->len));
    if ((!parted && gap < 2 && !next->capital) || n - at > 4 ||
        !(next->capital || next->cjk))
        return false;
    if (out_rest != NULL)
        *out_rest = (size_t) (next->text - text);
    else
        return false;
    return true;
}

/* Only drawn: "-----", "_____", "=====", "* * *". */
static bool
is_rule(const Line *line)
{
    size_t marks = 0;
    for (size_t i = 0; i < line->len; i++) {
        char c = line->text[i];
        if (c == ' ')
            continue;
        if (c != '-' && c != '_' && c != '=' && c != '*' && c != '~' &&
            c != '#' && c != '.' && c != '+' && ((unsigned char) c & 0x80) == 0)
            return false;
        if ((unsigned char) c >= 0xc2) { /* letters of any script are none */
            gunichar u = g_utf8_get_char_validated(line->text + i,
                                                   (gssize) (line->len - i));
            if (u >= 0x110000 || g_unichar_isalnum(u))
                return false;
        }
        marks++;
    }
    return marks >= 3;
}

static bool
is_greeting(const Word *words, size_t n, const Line *line)
{
    if (n == 0)
        return false;
    /* "Dear Ann, the rest of it" */
    if (n >= 3 && (words[0].classes & WORD_GREETING) && words[1].capital &&
        (words[1].after == ',' || words[2].after == ',') &&
        (words[0].after == '\0' || words[0].after == ','))
        return true;
    if (n > 6 || line->len > 60)
        return false;
    bool first = (words[0].classes & WORD_GREETING) != 0;
    const Word *last = &words[n - 1];
    bool ends = last->after == ',' || last->after == '!' ||
                last->after == ':' || line->text[line->len - 1] == ',' ||
                line->text[line->len - 1] == ':';
    if (first && (ends || n <= 3) && n >= 2)
        return true;
    if (first && n == 1 && ends && strcmp(words[0].folded, "ciao") != 0)
        return true;
    return g_str_has_suffix(line->text, "様") ||
           g_str_has_suffix(line->text, "您好:") ||
           g_str_has_suffix(line->text, "您好：") ||
           g_str_has_suffix(line->text, "안녕하세요.") ||
           g_str_has_suffix(line->text, "안녕하세요,");
}

bool
signature_wrapped(const Line *before, const Line *line)
{
    if (before->len < 55 || before->len > 100 || line->len == 0 ||
        (line->flags & LINE_PARAGRAPH) ||
        strchr(".!?:,", before->text[before->len - 1]) != NULL)
        return false;
    Word words[FEATURE_WORDS];
    size_t n = words_split(before->text, before->len, words, FEATURE_WORDS);
    size_t lower = 0;
    for (size_t i = 0; i < n; i++)
        lower += words[i].letter && !words[i].capital;
    return n >= 7 && lower * 2 >= n;
}

/* The author's name, perhaps with a title or letters: how many words of the
 * line are the author's? */
static size_t
author_words(const Word *words, size_t n, const Author *author)
{
    size_t hits = 0;
    for (size_t i = 0; i < n; i++) {
        bool hit = false;
        const char *nicknames = NULL; /* of this word */
        bool given = words[i].capital && words[i].folded_len >= 3 &&
                     ((words[i].classes & WORD_GIVEN) || i == 0);
        if (given && author->n_tokens > 0)
            nicknames = person_nicknames(words[i].folded);
        for (size_t k = 0; k < author->n_tokens && !hit; k++) {
            const char *token = author->tokens[k];
            if (words[i].folded[0] != token[0] && !given && !words[i].cjk)
                continue; /* nearly always */
            size_t len = strlen(token);
            if (strcmp(words[i].folded, token) == 0)
                hit = true;
            else if (len >= 4 && words[i].folded_len > len &&
                     memcmp(words[i].folded, token, len) == 0 &&
                     words[i].folded[len] == '-')
                hit = true;
            else if (given && len >= 3 &&
                     (person_in_nicknames(nicknames, token) ||
                      person_in_nicknames(author->nicknames[k],
                                          words[i].folded)))
                hit = true;
            else if (words[i].cjk && len >= 6 &&
                     strstr(words[i].folded, token) != NULL)
                hit = true;
        }
        hits += hit;
    }
    return hits;
}

static bool
is_initials(const Word *words, size_t n, const Author *author,
            bool after_closing)
{
    if (n != 1 || words[0].folded_len > 4 || !words[0].letter ||
        words[0].digit || author->initials[0] == '\0')
        return false;
    char plain[8];
    size_t k = 0;
    for (size_t i = 0; i < words[0].folded_len; i++)
        if (words[0].folded[i] != '.' && k + 1 < sizeof plain)
            plain[k++] = words[0].folded[i];
    plain[k] = '\0';
    size_t len = strlen(author->initials);
    if (k == 1 && len > 1) /* "Thx" above "T." */
        return after_closing && words[0].capital &&
               plain[0] == author->initials[0];
    if (strcmp(plain, author->initials) == 0)
        return true;
    return k >= 2 && len >= 2 && plain[0] == author->initials[0] &&
           plain[k - 1] == author->initials[len - 1];
}

static bool
letters_match(const Word *words, size_t n, const Author *author)
{
    if (n == 0 || n > 4 || author->letters[0] == '\0')
        return false;
    char plain[80];
    size_t k = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < words[i].folded_len; j++)
            if ((g_ascii_isalpha(words[i].folded[j]) ||
                 (words[i].folded[j] & 0x80)) &&
                k + 1 < sizeof plain)
                plain[k++] = words[i].folded[j];
    plain[k] = '\0';
    return strcmp(plain, author->letters) == 0;
}

/* "A N N  E X A M P L E" */
static bool
spaced_letters(const char *text, size_t len, const Author *author)
{
    if (len < 7 || len > 100 || author->letters[0] == '\0')
        return false;
    char folded[128], plain[80];
    size_t n = words_fold(text, len, folded, sizeof folded), k = 0;
    for (size_t i = 0; i < n; i++) {
        if (folded[i] == ' ')
            continue;
        bool letter = g_ascii_isalpha(folded[i]) || (folded[i] & 0x80);
        if (!letter || k + 1 == sizeof plain ||
            (i + 1 < n && g_ascii_isalpha(folded[i + 1])))
            return false;
        plain[k++] = folded[i];
    }
    plain[k] = '\0';
    return strcmp(plain, author->letters) == 0;
}

static bool
has_separator(const char *text, size_t len)
{
    for (size_t i = 0; i + 1 < len; i++) {
        i += strcspn(text + i, "|~*\t\xe2\xc2"); /* or the end, or a NUL */
        if (i + 1 >= len)
            break;
        if (text[i] == '|' || text[i] == '~')
            return true;
        if ((unsigned char) text[i] == 0xe2 && i + 2 < len &&
            (unsigned char) text[i + 1] == 0x80 &&
            (unsigned char) text[i + 2] == 0xa2) /* bullet */
            return i > 0;
        if ((unsigned char) text[i] == 0xc2 &&
            (unsigned char) text[i + 1] == 0xb7)
            return true;
        if (text[i] == '*' && i > 1 && text[i - 1] == ' ' && text[i + 1] == ' ')
            return true;
        if (text[i] == '\t' && i > 0)
            return true;
    }
    return false;
}

static bool
is_extension(const char *text, size_t len)
{
    if (len < 3 || len > 14)
        return false;
    size_t digits = 0;
    for (size_t i = 0; i < len; i++) {
        if (g_ascii_isdigit(text[i]))
            digits++;
        else if (strchr("xX.-#: extEXT", text[i]) == NULL)
            return false;
    }
    if (digits < 4 || digits > 7)
        return false;
    return text[0] == 'x' || text[0] == 'X' || text[0] == 'e' ||
           text[0] == 'E' || text[0] == '#' ||
           (digits == 5 && text[1] == '-') ||
           (digits == 7 && len == 8 && text[3] == '-');
}

/* A number in Arabic, Persian or Indian digits. */
static bool
has_other_digits(const char *text, size_t len)
{
    size_t n = 0;
    for (const char *p = text; p < text + len;) {
        if ((unsigned char) *p < 0xd9 || (unsigned char) *p > 0xe1) {
            p++;
            continue;
        }
        gunichar c = g_utf8_get_char_validated(p, text + len - p);
        if (c >= 0x110000) {
            p++;
            continue;
        }
        n += g_unichar_isdigit(c) ? 1 : 0;
        p = g_utf8_next_char(p);
    }
    return n >= 7;
}

static size_t
find_at(const char *text, size_t len)
{
    for (size_t i = 1; i + 3 < len; i++)
        if (text[i] == '@' && (g_ascii_isalnum(text[i - 1])) &&
            g_ascii_isalnum(text[i + 1]))
            return i;
    return 0;
}

static bool
has_url(const char *text, size_t len)
{
    for (size_t i = 0; i + 4 < len; i++)
        if ((text[i] == 'h' && memcmp(text + i, "http", 4) == 0) ||
            ((text[i] == 'w' || text[i] == 'W') &&
             g_ascii_strncasecmp(text + i, "www.", 4) == 0))
            return true;
    for (size_t i = 0; i < len;) {
        bool begin = i == 0 || text[i - 1] == ' ' || text[i - 1] == '|';
        if (begin && g_ascii_isalnum(text[i])) {
            size_t n = link_bare_host(text + i, len - i);
            if (n > 4)
                return true;
        }
        i++;
    }
    return false;
}

/* Street with a number, a box, or a postcode beside a capitalised word. */
static bool
is_address(const Word *words, size_t n)
{
    bool street = false, number = false, postcode = false, capital = false;
    for (size_t i = 0; i < n; i++) {
        if ((words[i].classes & WORD_STREET) &&
            (words[i].capital || words[i].folded_len > 4))
            street = true;
        if (words[i].digit) {
            size_t digits = 0;
            for (size_t k = 0; k < words[i].folded_len; k++)
                digits += g_ascii_isdigit(words[i].folded[k]) != 0;
            number |= digits > 0 && digits <= 5;
            postcode |= digits >= 4 && digits <= 6 && !words[i].letter;
        }
        capital |= words[i].capital;
    }
    return (street && number) || (postcode && capital && n <= 6 && n >= 2);
}

/* "Name_of_field: value" and "key = value": lines of reports and tables. */
static bool
is_field(const Line *line, const Word *words, size_t n)
{
    if (n < 1)
        return false;
    if (memchr(words[0].text, '_', words[0].len) != NULL ||
        strstr(line->text, "::") != NULL || strchr(line->text, '=') != NULL)
        return true;
    const char *colon = memchr(line->text, ':', MIN(line->len, (size_t) 30));
    if (colon == NULL || (colon[1] != ' ' && colon[1] != '\t'))
        return false;
    unsigned classes = 0;
    for (size_t i = 0; i < n && words[i].text < colon; i++)
        classes |= words[i].classes;
    return !(classes & (WORD_LABEL_PHONE | WORD_LABEL_OTHER | WORD_TITLE |
                        WORD_REGISTRATION | WORD_CLOSING | WORD_STREET));
}

/* Few words have the first letter of one in the list. */
static bool
is_one_of(const Word *word, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (word->folded[0] == list[i][0] && strcmp(word->folded, list[i]) == 0)
            return true;
    return false;
}

/* "Meeting ID: 999 1234", "Passcode", "Hotel conf. 3320": numbers that are
 * nobody's. */
static bool
is_appointment(const Word *words, size_t n, const char *text, size_t len)
{
    static const char *const things[] = {
        "meeting",  "conference", "webinar", "access",       "booking",
        "event",    "dial",       "bridge",  "participant",  "reservation",
        "passcode", "zoom",       "webex",   "confirmation", "conf",
    };
    static const char *const tails[] = { "id",   "code", "number", "in", "pin",
                                         "link", "no",   "key",    "#",  "nr" };
    static const char *const alone[] = {
        "passcode", "dial-in",  "dialin", "kenncode",      "zugangscode",
        "einwahl",  "kennwort", "conf",   "codigo-acceso",
    };
    for (size_t i = 0; i < n; i++) {
        if (is_one_of(&words[i], alone, G_N_ELEMENTS(alone)))
            return true;
        if (i + 1 < n && words[i + 1].folded_len <= 6 &&
            is_one_of(&words[i], things, G_N_ELEMENTS(things)) &&
            is_one_of(&words[i + 1], tails, G_N_ELEMENTS(tails)))
            return true;
    }
    const char *slashes = g_strstr_len(text, (gssize) len, "://");
    if (slashes == NULL)
        return false;
    gssize left = (gssize) len - (slashes - text);
    return g_strstr_len(slashes, left, "/j/") != NULL ||
           g_strstr_len(slashes, left, "/meetup-join/") != NULL ||
           g_strstr_len(slashes, left, "/meet.google.com/") != NULL;
}

/* A sentence ends and another begins inside the line: "Coach is late. Driver
 * knows. Regards HP". */
static bool
has_sentences(const Word *words, size_t n)
{
    size_t lower = 0, stops = 0;
    for (size_t i = 0; i + 1 < n; i++) {
        bool small = !words[i].capital && words[i].letter && !words[i].digit;
        lower += small && words[i].folded_len >= 3;
        stops += small && words[i].folded_len >= 4 && words[i + 1].capital &&
                 words[i].after != '\0' &&
                 strchr(".!?", words[i].after) != NULL;
    }
    return stops > 0 && lower >= 3;
}

guint64
signature_features(const Line *line, const Author *author, bool after_closing)
{
    guint64 bits = 0;
#define SET(feature) (bits |= G_GUINT64_CONSTANT(1) << FEATURE_##feature)
    const char *text = line->text;
    size_t len = line->len;
    SET(LINE);
    if (line->flags & LINE_SIGNATURE_ELEMENT)
        SET(ELEMENT);
    if (line->flags & LINE_TABLE)
        SET(TABLE);
    if (line->flags & (LINE_SMALL | LINE_GREY))
        SET(SMALL);
    if (line->flags & LINE_LIST_ITEM)
        SET(LIST);
    if (after_closing)
        SET(AFTER_CLOSING);
    if (len > 220) {
        SET(VERY_LONG);
        return bits;
    }
    while (len > 1 && (*text == '*' || *text == '_') && text[1] != *text &&
           text[1] != ' ') { /* *bold* of text made from HTML */
        text++;
        len--;
    }
    bool cjk = words_has_cjk(text, len);
    if (cjk)
        SET(CJK);
    if (len > (cjk ? 150 : 100))
        SET(LONG);
    if (is_rule(line)) {
        SET(RULE);
        return bits;
    }

    Word words[FEATURE_WORDS];
    size_t n = words_split(text, len, words, FEATURE_WORDS);
    if (n == 0)
        return bits;
    size_t lower = 0, capital = 0, small = 0, digits_only = 0;
    size_t particles = 0;
    unsigned classes = 0;
    for (size_t i = 0; i < n; i++) {
        if (words[i].digit && !words[i].letter)
            digits_only++;
        else if ((words[i].classes & WORD_PARTICLE) && !words[i].capital)
            particles++;
        else if (words[i].caseless && n > 5)
            lower++; /* more than a name and a firm: prose, if anything */
        else if (words[i].capital || words[i].cjk)
            capital++;
        else if (words[i].folded_len >= 4)
            lower++;
        else
            small++;
        classes |= words[i].classes;
    }
    char end = text[len - 1];
    bool stop = end == '.' || end == '!' || end == '?';
    bool prose = (n >= 6 && (lower + small) * 2 >= n - particles) ||
                 (n >= 7 && has_sentences(words, n));
    if (cjk) {
        if (title_cjk(text, len) > 0 ||
            title_cjk(words[0].text, words[0].len) > 0)
            SET(TITLE);
        if (company_plausible(text, len))
            SET(ORGANISATION);
        prose = g_str_has_suffix(line->text, "。") || len > 120;
        stop = prose;
    }
    if (is_greeting(words, n, line))
        SET(GREETING);
    if (end == '?')
        SET(QUESTION);
    if (has_sentences(words, n) ||
        (stop && (n >= 5 || (cjk && len > 30)) && (prose || lower >= 2)))
        SET(SENTENCE);
    if (prose || (lower > capital && (n >= 6 || (n >= 3 && stop))))
        SET(LOWER);
    if ((text[0] == '-' || text[0] == '*' || text[0] == '+' ||
         (unsigned char) text[0] == 0xc2) &&
        (text[1] == ' ' || text[1] == '\t') && n >= 1)
        SET(LIST);
    if (g_ascii_isdigit(text[0]) && len > 3 &&
        (text[1] == '.' || text[1] == ')') && text[2] == ' ')
        SET(LIST);

    size_t rest = 0;
    if ((words[0].classes & (WORD_CLOSING | WORD_CLOSING_START)) &&
        signature_closing(text, len, &rest)) {
        if (rest == len) {
            SET(CLOSING); /* "God bless" is no Swedish greeting then */
            bits &= ~(G_GUINT64_CONSTANT(1) << FEATURE_GREETING);
        } else
            SET(CLOSING_NAME);
    }
    if (is_extension(text, len))
        SET(EXTENSION);
    bool separators = has_separator(text, len);
    bool contact = !prose || separators;
    if (contact && (phone_plausible(text, len) || has_other_digits(text, len)))
        SET(PHONE);
    size_t at = find_at(text, len);
    if (at > 0 && contact) {
        SET(EMAIL);
        char folded[256];
        words_fold(text, len, folded, sizeof folded);
        if (author->email[0] != '\0' && strstr(folded, author->email) != NULL)
            SET(OWN_EMAIL);
    }
    if (contact && has_url(text, len))
        SET(URL);
    if (separators)
        SET(SEPARATORS);
    if (!prose) {
        if (is_address(words, n))
            SET(ADDRESS);
        if ((classes & WORD_TITLE) && capital > 0 && lower <= 3 && n <= 9)
            SET(TITLE);
        if ((classes & (WORD_LEGAL | WORD_ORGANISATION | WORD_DEPARTMENT)) &&
            capital * 2 >= n && n <= 9)
            SET(ORGANISATION);
        if ((words[0].classes & (WORD_LABEL_PHONE | WORD_LABEL_OTHER)) &&
            (words[0].after == ':' || words[0].after == '.' ||
             (n > 1 && words[1].digit)))
            SET(LABEL);
    }
    if (lower == 0 && capital > 0 && n <= 8 && !stop)
        SET(CAPITALS);
    if (is_field(line, words, n))
        SET(FIELD);
    if (is_appointment(words, n, text, len))
        SET(APPOINTMENT);

    /* the author */
    if ((unsigned char) words[0].text[0] >= 0xcd &&
        g_ascii_isalpha(author->letters[0]))
        SET(FOREIGN);
    size_t hits = author_words(words, n, author);
    size_t others = 0;
    for (size_t i = 0; i < n; i++)
        others += !(words[i].classes & (WORD_HONORIFIC | WORD_POSTNOMINAL |
                                        WORD_PARTICLE | WORD_GENERATION)) &&
                  words[i].folded_len > 1;
    bool comma_end = end == ',';
    if (is_initials(words, n, author, after_closing) ||
        letters_match(words, n, author) || spaced_letters(text, len, author) ||
        (hits > 0 && n <= 5 && hits + 1 >= others && words[0].letter &&
         !comma_end && (words[0].capital || words[0].cjk || n <= 2) &&
         !(hits == 1 && others == 2 && prose))) {
        SET(AUTHOR); /* Kara is no Swedish greeting then */
        bits &= ~(G_GUINT64_CONSTANT(1) << FEATURE_GREETING);
    } else if (hits > 0 && !prose)
        SET(AUTHOR_WORD);
    if (n <= 4 && capital == n && digits_only == 0 && !stop && end != ':' &&
        !comma_end)
        SET(NAME_SHAPE);
    if (n <= 3 && (words[0].classes & WORD_GIVEN) && words[0].capital &&
        !comma_end && end != ':' && end != '?' && lower == 0)
        SET(GIVEN);
#undef SET
    return bits;
}
