/*
 * phone_scan.c - candidates first, libphonenumber last
 *
 * A candidate is a run of digits with the separators that people use in
 * numbers. Most that look like numbers are thrown out for less than a call to
 * the library costs: too few or too many digits, dates, times, money, and
 * whatever a registration or bank label stands before. Runs that hold several
 * numbers ("503-555-0147 503-555-0191") are cut at blanks, longest valid piece
 * first.
 */
#include "analysis/phone_scan.h"

#include "analysis/words.h"

#include <string.h>

enum { RUN_MAX = 80, DIGITS_MIN = 6, DIGITS_MAX = 16, PIECES_MAX = 16 };

/* Labels in scripts without blanks between words. */
static const struct {
    const char *text;
    unsigned classes;
} cjk_labels[] = {
    { "携帯", WORD_LABEL_MOBILE },     { "手機", WORD_LABEL_MOBILE },
    { "手机", WORD_LABEL_MOBILE },     { "行動", WORD_LABEL_MOBILE },
    { "移动", WORD_LABEL_MOBILE },     { "휴대폰", WORD_LABEL_MOBILE },
    { "휴대전화", WORD_LABEL_MOBILE }, { "핸드폰", WORD_LABEL_MOBILE },
    { "모바일", WORD_LABEL_MOBILE },   { "ケータイ", WORD_LABEL_MOBILE },
    { "传真", WORD_LABEL_FAX },        { "傳真", WORD_LABEL_FAX },
    { "팩스", WORD_LABEL_FAX },        { "ファックス", WORD_LABEL_FAX },
    { "ファクス", WORD_LABEL_FAX },    { "電話", WORD_LABEL_WORK },
    { "电话", WORD_LABEL_WORK },       { "전화", WORD_LABEL_WORK },
    { "直通", WORD_LABEL_WORK },       { "代表", WORD_LABEL_WORK },
    { "座机", WORD_LABEL_WORK },       { "總機", WORD_LABEL_WORK },
    { "사무실", WORD_LABEL_WORK },     { "대표", WORD_LABEL_WORK },
    { "נייד", WORD_LABEL_MOBILE },     { "טל", WORD_LABEL_WORK },
    { "פקס", WORD_LABEL_FAX },         { "جوال", WORD_LABEL_MOBILE },
    { "هاتف", WORD_LABEL_WORK },       { "فاكس", WORD_LABEL_FAX },
    { "มือถือ", WORD_LABEL_MOBILE },     { "โทร", WORD_LABEL_WORK },
    { "ת.פ", WORD_REGISTRATION },      { "ח.פ", WORD_REGISTRATION },
    { "ע.מ", WORD_REGISTRATION },      { "ח\"פ", WORD_REGISTRATION },
    { "משרד", WORD_LABEL_WORK },       { "סלולרי", WORD_LABEL_MOBILE },
    { "פלאפון", WORD_LABEL_MOBILE },   { "מיקוד", WORD_REGISTRATION },
    { "محمول", WORD_LABEL_MOBILE },    { "موبايل", WORD_LABEL_MOBILE },
    { "متحرك", WORD_LABEL_MOBILE },    { "نقال", WORD_LABEL_MOBILE },
    { "خلوي", WORD_LABEL_MOBILE },     { "تلفون", WORD_LABEL_WORK },
    { "تليفون", WORD_LABEL_WORK },     { "مباشر", WORD_LABEL_WORK },
    { "ضريبي", WORD_REGISTRATION },    { "س.ت", WORD_REGISTRATION },
    { "سجل", WORD_REGISTRATION },      { "ص.ب", WORD_REGISTRATION },
    { "موبایل", WORD_LABEL_MOBILE },   { "همراه", WORD_LABEL_MOBILE },
    { "تلفن", WORD_LABEL_WORK },       { "فکس", WORD_LABEL_FAX },
    { "نمابر", WORD_LABEL_FAX },       { "دورنگار", WORD_LABEL_FAX },
    { "کد پستی", WORD_REGISTRATION },  { "کدپستی", WORD_REGISTRATION },
    { "شناسه", WORD_REGISTRATION },    { "اقتصادی", WORD_REGISTRATION },
    { "فون", WORD_LABEL_WORK },        { "फ़ोन", WORD_LABEL_WORK },
    { "फोन", WORD_LABEL_WORK },        { "दूरभाष", WORD_LABEL_WORK },
    { "मोबाइल", WORD_LABEL_MOBILE },   { "मोबाईल", WORD_LABEL_MOBILE },
    { "फैक्स", WORD_LABEL_FAX },         { "ফোন", WORD_LABEL_WORK },
    { "মোবাইল", WORD_LABEL_MOBILE },   { "แฟกซ์", WORD_LABEL_FAX },
    { "โทรสาร", WORD_LABEL_FAX },      { "ผู้เสียภาษี", WORD_REGISTRATION },
    { "ტელ", WORD_LABEL_WORK },        { "მობ", WORD_LABEL_MOBILE },
    { "հեռ", WORD_LABEL_WORK },        { "税号", WORD_REGISTRATION },
    { "税務", WORD_REGISTRATION },     { "法人番号", WORD_REGISTRATION },
    { "信用代码", WORD_REGISTRATION }, { "등록번호", WORD_REGISTRATION },
    { "유선", WORD_LABEL_WORK },       { "📱", WORD_LABEL_MOBILE },
    { "📞", WORD_LABEL_WORK },          { "☎", WORD_LABEL_WORK },
    { "📠", WORD_LABEL_FAX },           { "✆", WORD_LABEL_WORK },
    { "🖷", WORD_LABEL_FAX },        { "自宅", WORD_LABEL_HOME },
    { "郵編", WORD_REGISTRATION },     { "邮编", WORD_REGISTRATION },
    { "〒", WORD_REGISTRATION },       { "登録", WORD_REGISTRATION },
    { "사업자", WORD_REGISTRATION },   { "統編", WORD_REGISTRATION },
    { "統一編號", WORD_REGISTRATION },
};

/* Words that only say "telephone": the number itself may be a mobile's. */
static const char generic_labels[] =
    " t tel tele phone ph p telefon telefono teléfono telefone telephone fon "
    "fono tlf tf puh puhelin т тел телефон τηλ τηλεφωνο i c n sms text call "
    "wa whatsapp dd ";

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t
count_digits(const char *text, size_t len)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++)
        n += is_digit(text[i]);
    return n;
}

bool
phone_plausible(const char *text, size_t len)
{
    size_t run = 0;
    unsigned gap = 0;
    for (size_t i = 0; i < len; i++) {
        if (is_digit(text[i])) {
            if (++run >= 7)
                return true;
            gap = 0;
        } else if (text[i] == '/' && i + 1 < len && text[i + 1] == '/') {
            while (i < len && text[i] != ' ') /* inside a link */
                i++;
            run = 0;
        } else if (strchr(" .-/()+\t", text[i]) != NULL && text[i] != '\0' &&
                   ++gap <= 3) {
            continue;
        } else {
            run = 0;
            gap = 0;
        }
    }
    return false;
}

/* --- labels ------------------------------------------------------------------ */

static unsigned
cjk_label(const char *text, size_t len)
{
    unsigned found = 0;
    const char *best = NULL, *begin = NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(cjk_labels); i++) {
        const char *hit = g_strrstr_len(text, (gssize) len, cjk_labels[i].text);
        if (hit == NULL)
            continue;
        const char *end = hit + strlen(cjk_labels[i].text);
        if (best == NULL || end > best || (end == best && hit < begin)) {
            best = end; /* the last; of two there the longer */
            begin = hit;
            found = cjk_labels[i].classes;
        }
    }
    return found;
}

static bool
has_high_byte(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((unsigned char) text[i] >= 0xd6)
            return true;
    return false;
}

static unsigned
classes_of_label(const char *text, size_t len, bool *out_generic)
{
    char folded[40];
    size_t n = words_fold(text, len, folded, sizeof folded);
    while (n > 0 && strchr(".:()#*", folded[n - 1]) != NULL)
        n--;
    unsigned classes = vocabulary_find(folded, n);
    folded[n] = '\0';
    /* Vietnamese: DD with a stroke is the mobile, in English "direct dial" */
    if (strcmp(folded, "dd") == 0 && len > 2)
        classes = WORD_LABEL_MOBILE;
    /* "tel.nr", "tel-nr", "telefonnummer", "gsm-nr." */
    char *dash = strpbrk(folded, ".-");
    if (!(classes & (WORD_LABEL_PHONE | WORD_REGISTRATION)) && dash != NULL) {
        *dash = '\0';
        n = strlen(folded);
        classes = vocabulary_find(folded, n);
    }
    char padded[48];
    g_snprintf(padded, sizeof padded, " %s ", folded);
    *out_generic = strstr(generic_labels, padded) != NULL;
    return classes & (WORD_LABEL_PHONE | WORD_LABEL_OTHER | WORD_REGISTRATION);
}

static PhoneType
type_of(unsigned classes, bool generic, PhoneKind kind)
{
    if (classes & WORD_LABEL_FAX)
        return PHONE_FAX;
    if (classes & WORD_LABEL_PAGER)
        return PHONE_OTHER;
    if (classes & WORD_LABEL_MOBILE)
        return PHONE_MOBILE;
    if ((classes & WORD_LABEL_HOME) && !(classes & WORD_LABEL_WORK))
        return PHONE_HOME;
    if ((classes == 0 || generic) && kind == PHONE_KIND_MOBILE)
        return PHONE_MOBILE;
    return PHONE_WORK;
}

unsigned
phone_label_line(const char *text, size_t len)
{
    if (len == 0 || len > 24 || count_digits(text, len) > 0)
        return 0;
    Word words[4];
    size_t n = words_split(text, len, words, 4);
    if (n == 0 || n > 2)
        return 0;
    for (size_t i = 0; i < n; i++) {
        bool generic;
        unsigned classes =
            words[i].cjk
                ? cjk_label(text, len)
                : classes_of_label(words[i].text, words[i].len, &generic);
        if (classes & (WORD_LABEL_PHONE | WORD_REGISTRATION))
            return classes;
    }
    return 0;
}

/* What stands between the number before (or the line's beginning) and this
 * one. The word next to the number counts first. */
static unsigned
label_before(const char *text, size_t from, size_t to, size_t *out_start,
             bool *out_generic)
{
    *out_generic = false;
    *out_start = to;
    size_t start = from;
    for (size_t i = from; i < to; i++) /* not beyond a bar or a semicolon */
        if (text[i] == '|' || text[i] == ';' || text[i] == '~')
            start = i + 1;
    if (to - start > 60)
        start = to - 60;
    while (start < to && ((unsigned char) text[start] & 0xc0) == 0x80)
        start++;
    if (has_high_byte(text + start, to - start)) {
        unsigned classes = cjk_label(text + start, to - start);
        if (classes != 0) {
            *out_start = start;
            return classes;
        }
    }
    Word words[8];
    size_t n = words_split(text + start, to - start, words, 8);
    unsigned weak = 0;
    for (size_t back = 0; back < 4 && back < n; back++) {
        const Word *word = &words[n - 1 - back];
        bool generic;
        unsigned classes = classes_of_label(word->text, word->len, &generic);
        if (classes == 0 && memchr(word->text, '/', word->len) != NULL) {
            /* "Tel/Fax", "T/F" */
            const char *slash = memchr(word->text, '/', word->len);
            classes = classes_of_label(word->text,
                                       (size_t) (slash - word->text), &generic);
        }
        if (classes == 0)
            continue;
        if (back > 0 && word->folded_len == 1 && text + start != word->text)
            continue; /* a stray letter some words before */
        *out_generic = generic;
        *out_start = (size_t) (word->text - text);
        if (classes & (WORD_LABEL_MOBILE | WORD_LABEL_FAX | WORD_LABEL_PAGER)) {
            if (word->folded_len == 1 && (classes & WORD_REGISTRATION))
                classes &= ~(unsigned) WORD_REGISTRATION;
            return classes & (WORD_LABEL_PHONE);
        }
        if (classes & WORD_LABEL_PHONE) {
            /* "Direct phone", "Mobile phone:": the word before says more */
            if (generic && back + 1 < n) {
                const Word *more = &words[n - 2 - back];
                bool also;
                unsigned kinds =
                    classes_of_label(more->text, more->len, &also) &
                    WORD_LABEL_PHONE;
                if (kinds != 0 && more->folded_len > 1) {
                    *out_generic = also;
                    *out_start = (size_t) (more->text - text);
                    return kinds;
                }
            }
            return classes & WORD_LABEL_PHONE;
        }
        weak |= classes;
        if (classes & WORD_REGISTRATION)
            return WORD_REGISTRATION;
    }
    return weak & WORD_REGISTRATION;
}

/* "(cell)", "fax", "(switch)" after the number; stops at another number. */
static unsigned
label_after(const char *text, size_t len, size_t at, bool *out_generic,
            size_t *out_end)
{
    size_t end = at;
    while (end < len && end < at + 24 && !is_digit(text[end]) &&
           text[end] != '|' && text[end] != '+' && text[end] != ';')
        end++;
    if (end < len && (is_digit(text[end]) || text[end] == '+') &&
        memchr(text + at, ')', end - at) == NULL)
        return 0; /* it labels what follows */
    bool bracket = false;
    size_t p = at;
    while (p < end && (text[p] == ' ' || text[p] == '\t'))
        p++;
    bracket = p < end && (text[p] == '(' || text[p] == '[');
    if (has_high_byte(text + at, end - at)) {
        unsigned classes = cjk_label(text + at, end - at);
        if (classes != 0)
            return classes & WORD_LABEL_PHONE;
    }
    Word words[3];
    size_t n = words_split(text + at, end - at, words, 3);
    if (n == 0)
        return 0;
    bool generic;
    unsigned classes = classes_of_label(words[0].text, words[0].len, &generic);
    classes &= WORD_LABEL_PHONE;
    if (classes == 0 || (!bracket && words[0].folded_len < 3))
        return 0;
    if (!bracket && text[(size_t) (words[0].text - text) + words[0].len] == ':')
        return 0;
    *out_generic = generic;
    *out_end = (size_t) (words[0].text - text) + words[0].len;
    return classes;
}

/* --- what only looks like a number --------------------------------------------- */

static bool
is_date_or_time(const char *run, size_t len)
{
    /* d.m.y, y-m-d, d/m/y: three groups of 1-4 digits with one kind of
     * separator, a year among them */
    size_t groups = 0, digits[4] = { 0 };
    unsigned values[4] = { 0 };
    char separator = '\0';
    for (size_t i = 0; i < len; i++) {
        if (is_digit(run[i])) {
            if (groups > 3)
                return false;
            digits[groups]++;
            values[groups] = values[groups] * 10 + (unsigned) (run[i] - '0');
            if (digits[groups] > 4)
                return false;
        } else if (run[i] == '.' || run[i] == '-' || run[i] == '/') {
            if (separator != '\0' && separator != run[i])
                return false;
            separator = run[i];
            groups++;
        } else {
            return false;
        }
    }
    if (groups == 2) {
        bool year_last = values[2] >= 1900 && values[2] < 2100 &&
                         values[0] <= 31 && values[1] <= 31;
        bool year_first = values[0] >= 1900 && values[0] < 2100 &&
                          values[1] <= 12 && values[2] <= 31;
        bool short_year = digits[0] <= 2 && digits[1] <= 2 && digits[2] == 2;
        return year_last || year_first || short_year;
    }
    /* 2001-2024 */
    return groups == 1 && digits[0] == 4 && digits[1] == 4 &&
           values[0] >= 1900 && values[0] < 2100 && values[1] < 2100;
}

/* "220777-4": a number of another kind with its check digit. */
static bool
ends_in_one_digit(const char *run, size_t len)
{
    return len >= 2 && run[0] != '+' && run[0] != '(' && run[0] != '0' &&
           is_digit(run[len - 1]) && run[len - 2] == '-';
}

/* "77208-1429", "01310-100", "1250-096 Lisboa": postcodes by their form. */
static bool
is_postcode(const char *text, size_t len, size_t at, size_t end)
{
    size_t a = 0, b = 0, p = at;
    while (p < end && is_digit(text[p]))
        a++, p++;
    if (p == end || text[p] != '-')
        return false;
    p++;
    while (p < end && is_digit(text[p]))
        b++, p++;
    if (p != end)
        return false;
    if (a == 5 && (b == 4 || b == 3))
        return true;
    return a == 4 && b == 3 && end + 1 < len && text[end] == ' ' &&
           (g_ascii_isupper(text[end + 1]) ||
            ((unsigned char) text[end + 1] & 0x80));
}

static bool
is_north_american(const char *run, size_t len)
{
    size_t digits = count_digits(run, len);
    if (digits != 10 && !(digits == 11 && run[0] == '1'))
        return false;
    char shape[24];
    size_t n = 0, group = 0;
    for (size_t i = 0; i <= len && n + 2 < sizeof shape; i++) {
        if (i < len && is_digit(run[i])) {
            group++;
            continue;
        }
        if (group > 0)
            shape[n++] = (char) ('0' + (int) MIN(group, (size_t) 9));
        group = 0;
    }
    shape[n] = '\0';
    return strcmp(shape, "334") == 0 || strcmp(shape, "1334") == 0;
}

/* --- the search ------------------------------------------------------------------ */

static bool
try_number(const char *text, size_t len, const char *const *regions,
           bool labelled, PhoneNumber *out)
{
    /* "(0)" after a country code is not dialled; Italy's 0 is */
    char plain[PHONE_TEXT_MAX + 1];
    size_t n = 0;
    bool plus = memchr(text, '+', len) != NULL;
    for (size_t i = 0; i < len && n < PHONE_TEXT_MAX; i++) {
        if (plus && i + 3 <= len && memcmp(text + i, "(0)", 3) == 0) {
            i += 2;
            continue;
        }
        if (is_digit(text[i]) || text[i] == '+')
            plain[n++] = text[i];
    }
    plain[n] = '\0';
    if (plus && plain[0] != '+')
        return false;
    if (plus)
        return phone_parse(plain, n, "ZZ", out);
    if (n > 8 && plain[0] == '0' && plain[1] == '0') {
        char international[PHONE_TEXT_MAX + 2] = "+";
        memcpy(international + 1, plain + 2, n - 1);
        if (phone_parse(international, n - 1, "ZZ", out))
            return true;
    }
    if (is_north_american(text, len)) {
        for (size_t i = 0; regions[i] != NULL; i++)
            if (phone_parse(plain, n, regions[i], out))
                return true;
        return phone_parse(plain, n, "US", out);
    }
    for (size_t i = 0; regions[i] != NULL; i++)
        if (phone_parse(plain, n, regions[i], out))
            return true;
    /* a country code without its plus: 61 3 7010 6600 */
    if (labelled && n >= 11 && plain[0] != '0') {
        char international[PHONE_TEXT_MAX + 2] = "+";
        memcpy(international + 1, plain, n + 1);
        return phone_parse(international, n + 1, "ZZ", out);
    }
    return false;
}

static const char *const extension_words[] = {
    "ext.",        "p.",   "ext",   "extn.",   "extn",       "extension",
    "x.",          "x",    "#",     "loc.",    "loc",        "local",
    "доб.",        "доб",  "poste", "anexo",   "interno",    "int.",
    "int",         "dw",   "ramal", "toestel", "anknytning", "вн.",
    "nebenstelle", "內線", "内線",  "分机",    "分機",       "내선",
};

/* An extension at text[at]; its end, or `at` when there is none. */
static size_t
scan_extension(const char *text, size_t len, size_t at, char *out, size_t size)
{
    size_t p = at;
    while (p < len &&
           (text[p] == ' ' || text[p] == ',' || text[p] == '(' ||
            text[p] == '-' || text[p] == '/' || text[p] == '.') &&
           p < at + 4)
        p++;
    for (size_t i = 0; i < G_N_ELEMENTS(extension_words); i++) {
        size_t n = strlen(extension_words[i]);
        if (p + n >= len ||
            g_ascii_strncasecmp(text + p, extension_words[i], n) != 0)
            continue;
        size_t d = p + n;
        while (d < len &&
               (text[d] == ' ' || text[d] == ':' || text[d] == '.' ||
                text[d] == '-') &&
               d < p + n + 3)
            d++;
        size_t digits = 0;
        while (d + digits < len && is_digit(text[d + digits]))
            digits++;
        if (digits == 0 || digits > 6 || digits >= size)
            continue;
        memcpy(out, text + d, digits);
        out[digits] = '\0';
        d += digits;
        if (d < len && text[d] == ')')
            d++;
        return d;
    }
    return at;
}

/* Length of the separator at p inside a run, 0 for none. */
static size_t
separator_length(const char *p, size_t left)
{
    if (strchr(" .-/()\t", *p) != NULL && *p != '\0')
        return 1;
    /* non-breaking space and hyphens, en dash */
    if (left >= 2 && (unsigned char) p[0] == 0xc2 &&
        (unsigned char) p[1] == 0xa0)
        return 2;
    if (left >= 3 && (unsigned char) p[0] == 0xe2 &&
        (unsigned char) p[1] == 0x80 && (unsigned char) p[2] >= 0x90 &&
        (unsigned char) p[2] <= 0x93)
        return 3;
    if (left >= 3 && (unsigned char) p[0] == 0xe2 &&
        (unsigned char) p[1] == 0x80 && (unsigned char) p[2] == 0xaf)
        return 3;
    return 0;
}

/* The run of digits and separators at `at`; its end. Two separators that make
 * a gap (" - ", two blanks, a closing and opening bracket) are kept: they are
 * good places to cut. */
static size_t
scan_run(const char *text, size_t len, size_t at)
{
    size_t p = at, last = at;
    unsigned gap = 0;
    while (p < len && p < at + RUN_MAX) {
        if (is_digit(text[p])) {
            last = ++p;
            gap = 0;
            continue;
        }
        if ((text[p] == '+' && p > at) || text[p] == '\t' ||
            (text[p] == ' ' && p + 1 < len && text[p + 1] == ' '))
            break;
        if (text[p] == '+') {
            p++;
            continue;
        }
        size_t n = separator_length(text + p, len - p);
        if (n == 0 || ++gap > 3)
            break;
        p += n;
    }
    return last;
}

/* Does a piece end well at `end`? Not in the middle of digits or letters. */
static bool
clean_edge(const char *text, size_t len, size_t start, size_t end)
{
    if (start > 0) {
        char before = text[start - 1];
        if (g_ascii_isalpha(before) || is_digit(before) || before == '@' ||
            before == '_' || before == '$' || before == '%' || before == '=')
            return before == 'x' || before == 'X' ? false
                   : g_ascii_isalpha(before)
                       ? start >= 2 && !g_ascii_isalnum(text[start - 2]) &&
                             strchr("TMPFDHOCtmpfdhoc", before) != NULL
                       : start == 1 && g_ascii_isalpha(before);
        if (start >= 3 && memcmp(text + start - 3, "\xe2\x82\xac", 3) == 0)
            return false; /* euro sign */
        if (start >= 2 && memcmp(text + start - 2, "\xc2\xa3", 2) == 0)
            return false; /* pound */
    }
    if (end < len) {
        char after = text[end];
        if (g_ascii_isalpha(after) && after != 'x' && after != 'X' &&
            after != 'e' && after != 'E')
            return false;
        if (after == '%' || after == '@' || after == '_')
            return false;
    }
    return true;
}

/* The end of a number that " / " and another number follow; 0: none. */
static size_t
between_numbers(const char *text, size_t at, size_t run_end)
{
    for (size_t p = at; p + 3 < run_end; p++)
        if (text[p] == ' ' && text[p + 1] == '/' && text[p + 2] == ' ')
            return count_digits(text + at, p - at) > DIGITS_MIN &&
                           count_digits(text + p, run_end - p) > DIGITS_MIN
                       ? p
                       : 0;
    return 0;
}

/* ",,998877#" behind a number: what one dials to join a conference. */
static bool
is_conference(const char *text, size_t len, size_t end)
{
    return end + 2 < len && text[end] == ',' &&
           (text[end + 1] == ',' || is_digit(text[end + 1]));
}

/* Where in a run that is no number as a whole another one may begin: behind
 * " / ", or at a group with a plus, a bracket or a leading zero after a short
 * first group ("12 0412 345 678"). */
static size_t
next_start(const char *text, size_t at, size_t run_end)
{
    for (size_t p = at; p + 3 < run_end; p++)
        if (text[p] == ' ' && (text[p + 1] == '/' || text[p + 1] == '-') &&
            text[p + 2] == ' ')
            return p + 3;
    size_t p = at;
    while (p < run_end && is_digit(text[p]))
        p++;
    size_t first = p - at;
    while (p < run_end && text[p] == ' ')
        p++;
    if (first <= 4 && text[at] != '0' && p < run_end && p > at + first &&
        (text[p] == '0' || text[p] == '(' || text[p] == '+'))
        return p;
    return MAX(run_end, at + 1);
}

size_t
phone_scan(const char *text, size_t len, const char *const *regions,
           unsigned label, PhoneMatch *out)
{
    size_t n = 0;
    size_t after_last = 0; /* where the number before ended */
    if (len > PHONE_LINE_BYTES)
        len = PHONE_LINE_BYTES;
    for (size_t at = 0; at < len && n < PHONE_LINE_MAX;) {
        char c = text[at];
        if (!is_digit(c) && c != '+' && c != '(') {
            at++;
            continue;
        }
        if (c == '(' && (at + 1 >= len ||
                         (!is_digit(text[at + 1]) && text[at + 1] != '+'))) {
            at++;
            continue;
        }
        size_t run_end = scan_run(text, len, at);
        size_t digits = count_digits(text + at, run_end - at);
        if (digits < DIGITS_MIN) {
            at = MAX(run_end, at + 1);
            continue;
        }
        /* ends of pieces: before " / " and another whole number, then
         * longest first */
        size_t ends[PIECES_MAX], n_ends = 0;
        size_t slash = between_numbers(text, at, run_end);
        if (slash > 0)
            ends[n_ends++] = slash;
        ends[n_ends++] = run_end;
        for (size_t p = run_end - 1; p > at + 1 && n_ends < PIECES_MAX; p--)
            if ((text[p] == ' ' || text[p] == '/' || text[p] == '\t' ||
                 text[p] == '(' || text[p] == '-') &&
                is_digit(text[p - 1]))
                ends[n_ends++] = p;

        bool generic = false;
        size_t start = at;
        unsigned classes = label_before(text, after_last, at, &start, &generic);
        if (start == at && classes == 0 && after_last == 0 && label != 0) {
            classes = label;
            generic = true;
        }
        if (classes & WORD_REGISTRATION) {
            /* the label may be two-edged ("pg", "F"); with a phone label it
             * is none */
            if (!(classes & WORD_LABEL_PHONE)) {
                at = run_end;
                after_last = run_end;
                continue;
            }
        }
        PhoneMatch *match = &out[n];
        memset(match, 0, sizeof *match);
        bool found = false;
        for (size_t i = 0; i < n_ends && !found; i++) {
            size_t end = ends[i];
            size_t count = count_digits(text + at, end - at);
            if (count > DIGITS_MAX || count < DIGITS_MIN)
                continue;
            if (!clean_edge(text, len, at, end) ||
                is_conference(text, len, end) ||
                is_date_or_time(text + at, end - at) ||
                (classes == 0 && is_postcode(text, len, at, end)))
                continue;
            /* bare digits without label, plus or leading zero: an id */
            bool bare = classes == 0 && text[at] != '+' && text[at] != '(' &&
                        text[at] != '0' && count == end - at;
            if (bare && count != 10 && count != 11)
                continue;
            if (classes == 0 &&
                (count < 7 || ends_in_one_digit(text + at, end - at)))
                continue;
            /* a piece leaves nothing, another number, or is clearly parted */
            size_t left = count_digits(text + end, run_end - end);
            if (left > 0 && left < DIGITS_MIN && text[end] != '(' &&
                !(text[end] == ' ' && strchr("(/-", text[end + 1]) != NULL))
                continue;
            if (!try_number(text + at, end - at, regions, classes != 0,
                            &match->number))
                continue;
            match->start = start;
            match->international = text[at] == '+' || text[at + 1] == '+';
            match->end = scan_extension(text, len, end, match->extension,
                                        sizeof match->extension);
            found = true;
        }
        if (!found) {
            at = next_start(text, at, run_end);
            continue;
        }
        bool own = classes != 0;
        if (!own || generic) {
            size_t end = match->end;
            unsigned later = label_after(text, len, match->end, &generic, &end);
            if (later != 0 &&
                (!own || (later & (WORD_LABEL_FAX | WORD_LABEL_MOBILE)))) {
                classes = later;
                match->end = end;
            }
        }
        match->labelled = classes != 0;
        match->type =
            type_of(classes & WORD_LABEL_PHONE, generic, match->number.kind);
        at = after_last = match->end;
        n++;
    }
    return n;
}
