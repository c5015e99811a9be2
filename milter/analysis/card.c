/*
 * card.c - from lines to parts
 *
 * Everything with a form of its own (links, e-mail addresses, telephone
 * numbers) is taken out of the text before it is split, so that their dots,
 * slashes and hyphens do not split anything.
 */
#include "analysis/card.h"

#include "analysis/link.h"
#include "analysis/signature_features.h"

#include <string.h>

#define GAP '\x01'

/* --- plain text ---------------------------------------------------------------- */

/* Full-width forms to ASCII, odd blanks to ' ', invisible marks dropped. */
static char *
plain_text(const char *text, size_t len)
{
    GString *out = g_string_sized_new(len + 1);
    const char *end = text + len;
    for (const char *p = text; p < end;) {
        unsigned char byte = (unsigned char) *p;
        if (byte < 0x80) {
            if (byte != GAP)
                g_string_append_c(out, byte == 0 ? ' ' : *p);
            p++;
            continue;
        }
        gunichar c = g_utf8_get_char_validated(p, end - p);
        if (c >= 0x110000) {
            p++;
            continue;
        }
        p = g_utf8_next_char(p);
        if (c >= 0xff01 && c <= 0xff5e)
            g_string_append_c(out, (char) (c - 0xff01 + 0x21));
        else if (c == 0xa0 || c == 0x3000 || c == 0x202f ||
                 (c >= 0x2000 && c <= 0x200a))
            g_string_append_c(out, ' ');
        else if ((c >= 0x200b && c <= 0x200f) || c == 0x2060 || c == 0xfeff ||
                 c == 0xad || (c >= 0x202a && c <= 0x202e) ||
                 (c >= 0x2066 && c <= 0x2069) || c == 0x61c || c == 0xfe0f)
            continue;
        else if (c >= 0x660 && c < 0x3000 && g_unichar_isdigit(c))
            g_string_append_c(out, (char) ('0' + g_unichar_digit_value(c)));
        else if (c == 0x60c)
            g_string_append_c(out, ',');
        else if (c == 0x2010 || c == 0x2011)
            g_string_append_c(out, '-');
        else
            g_string_append_unichar(out, c);
    }
    return g_string_free(out, FALSE);
}

/* *bold* and _italic_ of text made from HTML. */
static void
drop_emphasis(char *text)
{
    char *out = text;
    for (const char *p = text; *p != '\0'; p++) {
        bool mark = *p == '*' || (*p == '_' && (p == text || p[1] == '\0'));
        bool inner = mark && ((p > text && p[-1] != ' ' && p[-1] != GAP) ||
                              (p[1] != ' ' && p[1] != '\0'));
        if (mark && (inner || p == text || p[1] == '\0'))
            continue;
        *out++ = *p;
    }
    *out = '\0';
}

static void
blank(char *text, size_t start, size_t end)
{
    memset(text + start, GAP, end - start);
}

static bool
is_image_note(const char *text, size_t len)
{
    /* "[cid:image001.png@...]", "[City logo]", "[Image: ...]" */
    return len > 2 && text[0] == '[' && text[len - 1] == ']' &&
           memchr(text + 1, '[', len - 1) == NULL;
}

static void
add_url(Card *card, const char *text, size_t len, size_t line)
{
    char *clean = NULL;
    LinkKind kind = link_classify(text, len, &clean);
    if (kind == LINK_NONE || card->n_urls == CARD_URLS) {
        g_free(clean);
        return;
    }
    for (size_t i = 0; i < card->n_urls; i++)
        if (strcmp(card->urls[i].url, clean) == 0) {
            g_free(clean);
            return;
        }
    card->urls[card->n_urls++] = (CardUrl){ clean, line, (int) kind };
}

static bool
is_local_char(char c)
{
    return g_ascii_isalnum(c) || strchr("._%+-'", c) != NULL;
}

/* Addresses and links leave gaps. */
static void
take_out_links(Card *card, char *text, size_t line)
{
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '@' && i > 0 && is_local_char(text[i - 1])) {
            size_t start = i, host = link_bare_host(text + i + 1, len - i - 1);
            while (start > 0 && text[start - 1] != '\0' &&
                   is_local_char(text[start - 1]))
                start--;
            if (host == 0 || start == i)
                continue;
            if (card->n_emails < G_N_ELEMENTS(card->emails))
                card->emails[card->n_emails++] = g_ascii_strdown(
                    text + start, (gssize) (i + 1 + host - start));
            blank(text, start, i + 1 + host);
            i += host;
            continue;
        }
        bool begin = i == 0 || !g_ascii_isalnum(text[i - 1]);
        if (!begin || !g_ascii_isalnum(text[i]))
            continue;
        size_t n = 0;
        if (g_ascii_strncasecmp(text + i, "http", 4) == 0 ||
            g_str_has_prefix(text + i, "tel:+") ||
            g_ascii_strncasecmp(text + i, "mailto:", 7) == 0) {
            while (i + n < len && !g_ascii_isspace(text[i + n]) &&
                   strchr("<>\"|", text[i + n]) == NULL && text[i + n] != GAP)
                n++;
            if (g_ascii_strncasecmp(text + i, "http", 4) == 0 &&
                strncmp(text + i + 4, "://", 3) != 0 &&
                strncmp(text + i + 4, "s://", 4) != 0)
                n = 0;
        } else {
            size_t host = link_bare_host(text + i, len - i);
            if (host > 0 && !(i + host < len && text[i + host] == '@')) {
                n = host;
                if (i + n < len && (text[i + n] == '/' || text[i + n] == '?'))
                    while (i + n < len && !g_ascii_isspace(text[i + n]) &&
                           strchr("<>\"|,)", text[i + n]) == NULL &&
                           text[i + n] != GAP)
                        n++;
            }
        }
        if (n == 0)
            continue;
        add_url(card, text + i, n, line);
        size_t from = i, to = i + n;
        if (from > 0 && text[from - 1] == '<')
            from--;
        if (to < len && text[to] == '>')
            to++;
        blank(text, from, to);
        i = to - 1;
    }
}

static void
set_domain(Card *card, const char *email)
{
    const char *at = email != NULL ? strrchr(email, '@') : NULL;
    if (at == NULL)
        return;
    char folded[128];
    size_t n = words_fold(at + 1, strlen(at + 1), folded, sizeof folded);
    if (vocabulary_find(folded, n) & WORD_FREEMAIL)
        return;
    /* letters of all labels but the public ending and generic first ones */
    char *labels[8];
    size_t n_labels = 0;
    char *save = folded;
    for (char *p = folded;; p++)
        if (*p == '.' || *p == '\0') {
            bool last = *p == '\0';
            *p = '\0';
            if (n_labels < G_N_ELEMENTS(labels))
                labels[n_labels++] = save;
            save = p + 1;
            if (last)
                break;
        }
    if (n_labels < 2)
        return;
    n_labels--; /* com */
    if (n_labels >= 2 && strlen(labels[n_labels - 1]) <= 3 &&
        strlen(labels[n_labels]) == 2)
        n_labels--; /* com.au, co.uk */
    if (n_labels >= 2 && (strcmp(labels[n_labels - 1], "gov") == 0 ||
                          strcmp(labels[n_labels - 1], "edu") == 0))
        n_labels--;
    /* letters of the labels that are left, each after a full stop */
    size_t used = 0;
    for (size_t i = 0; i < n_labels; i++) {
        if (used + 1 < sizeof card->domain)
            card->domain[used++] = '.';
        for (const char *p = labels[i];
             *p != '\0' && used + 1 < sizeof card->domain; p++)
            if (g_ascii_isalnum(*p) || (*p & 0x80))
                card->domain[used++] = *p;
    }
    card->domain[used] = '\0';
}

static void
strip_decoration(char *text)
{
    size_t skip = strspn(text, " ~*|>_=#+-\t");
    if (skip > 0 && text[skip - 1] == '#' && g_ascii_isdigit(text[skip]))
        skip--; /* "#27, 3rd Cross" */
    if (skip > 0 && text[skip] != '\0' && text[skip - 1] != '+')
        memmove(text, text + skip, strlen(text + skip) + 1);
    size_t n = strlen(text);
    while (n > 0 && strchr(" ~*|_=\t", text[n - 1]) != NULL)
        text[--n] = '\0';
}

Card *
card_new(const Body *body, const char *email)
{
    Card *card = g_new(Card, 1); /* 20 kB, most of it for very long cards */
    memset(card, 0, offsetof(Card, lines));
    set_domain(card, email);
    size_t bytes = 0;
    size_t where[CARD_LINES] = { 0 };
    for (size_t i = 0; i < body->n_lines && card->n_lines < CARD_LINES; i++) {
        const Line *line = &body->lines[i];
        if (line->zone != ZONE_SIGNATURE || line->len == 0 ||
            signature_delimiter(line))
            continue;
        bytes += line->len;
        if (bytes > CARD_BYTES)
            break;
        CardLine *to = &card->lines[card->n_lines];
        *to = (CardLine){ .text = plain_text(line->text, line->len),
                          .original = line->text,
                          .flags = line->flags };
        if (is_image_note(to->text, strlen(to->text))) {
            to->flags |= LINE_IMAGE_ALT;
            to->text[strlen(to->text) - 1] = '\0';
            memmove(to->text, to->text + 1, strlen(to->text));
        }
        if (memchr(to->text, '*', strlen(to->text)) != NULL ||
            to->text[0] == '_')
            drop_emphasis(to->text);
        strip_decoration(to->text);
        size_t rest = 0;
        size_t len = strlen(to->text);
        if (signature_closing(to->text, len, &rest)) {
            to->closing = rest == len;
            memmove(to->text, to->text + rest, len - rest + 1);
        }
        take_out_links(card, to->text, card->n_lines);
        to->len = strlen(to->text);
        where[card->n_lines++] = i;
    }
    for (size_t i = 0; i < body->n_links; i++)
        for (size_t k = 0; k < card->n_lines; k++)
            if (where[k] == body->links[i].line) {
                add_url(card, body->links[i].href, strlen(body->links[i].href),
                        k);
                break;
            }
    return card;
}

void
card_free(Card *card)
{
    if (card == NULL)
        return;
    for (size_t i = 0; i < card->n_lines; i++)
        g_free(card->lines[i].text);
    for (size_t i = 0; i < card->n_urls; i++)
        g_free(card->urls[i].url);
    for (size_t i = 0; i < card->n_emails; i++)
        g_free(card->emails[i]);
    g_free(card);
}

/* --- numbers ------------------------------------------------------------------- */

/* Sentences below a signature have other people's numbers. */
static bool
is_prose(const CardLine *line)
{
    if (line->len < 70)
        return false;
    Word words[24];
    size_t n = words_split(line->text, line->len, words, 24), lower = 0;
    for (size_t i = 0; i < n; i++)
        lower += !words[i].capital && words[i].letter && !words[i].digit &&
                 words[i].folded_len >= 2;
    return (n >= 10 && lower * 2 > n) || (n >= 14 && lower * 3 > n);
}

void
card_find_phones(Card *card, const char *const *regions)
{
    unsigned label = 0;
    for (size_t i = 0; i < card->n_lines; i++) {
        CardLine *line = &card->lines[i];
        if (line->len > PHONE_LINE_BYTES)
            continue;
        unsigned next = phone_label_line(line->text, line->len);
        if (next == 0 && !is_prose(line)) {
            PhoneMatch found[PHONE_LINE_MAX];
            size_t n = phone_scan(line->text, line->len, regions, label, found);
            for (size_t k = 0; k < n; k++) {
                if (card->n_phones < CARD_PHONES)
                    card->phones[card->n_phones++] = (CardPhone){ found[k], i };
                blank(line->text, found[k].start, found[k].end);
            }
        }
        label = next;
    }
}

/* --- parts ----------------------------------------------------------------------- */

/* "(Pty)", "(Pvt)", "(株)", "(주)" belong to the firm's name. */
static bool
legal_bracket(const char *text, size_t i, size_t len)
{
    size_t start = i;
    if (text[i] == ')') {
        while (start > 0 && i - start < 24 && text[start] != '(')
            start--;
        if (text[start] != '(')
            return false;
    }
    /* "(HK) Limited", "(Thailand) Co., Ltd.": a place, and the legal form */
    const char *close = memchr(text + start, ')', len - start);
    if (close != NULL && text[start] == '(' && start > 0 &&
        g_ascii_isupper(text[start + 1])) {
        const char *rest = close + 1;
        Word words[2];
        size_t n = words_split(rest, len - (size_t) (rest - text), words, 2);
        if (n > 0 && words[0].text == rest + strspn(rest, " ") &&
            words[0].capital && (words[0].classes & WORD_LEGAL))
            return memchr(text + start, ',', (size_t) (rest - text) - start) ==
                   NULL;
    }
    /* "(香港)有限公司" */
    static const char *const cjk[] = { "有限", "股份", "公司", "集团",
                                       "集團", "株式", "合同" };
    for (size_t k = 0; close != NULL && k < G_N_ELEMENTS(cjk); k++)
        if (start > 0 && g_str_has_prefix(close + 1, cjk[k]))
            return true;
    static const char *const inside[] = { "(Pty)", "(PTY)", "(Pvt)",    "(PVT)",
                                          "(株)",  "(주)",  "(유)",     "(M)",
                                          "(S)",   "(HK)",  "(Private)" };
    for (size_t k = 0; k < G_N_ELEMENTS(inside); k++) {
        size_t n = strlen(inside[k]);
        if (start + n <= len && memcmp(text + start, inside[k], n) == 0)
            return n > 4 || (unsigned char) text[start + 1] >= 0x80 ||
                   strstr(text, "Bhd") != NULL || strstr(text, "Ltd") != NULL;
    }
    return false;
}

/* The kind of separator at text[i] ('\0' for none) and its length. */
static char
separator_at(const char *text, size_t i, size_t len, size_t *out_len)
{
    static const char *const bars[] = { "•",  "·", "●", "▪", "◦",   "∙", "♦",
                                        "‖",  "¦", "»", "■", "◆",   "★", "✦",
                                        "│",  "❘", "▶", "→", "｜",  "⋅", "∣",
                                        "︱", "✉", "☎", "📞", "📱",   "📧", "🌐",
                                        "📍",  "🏠", "🏢", "✆", "🖂" };
    unsigned char c = (unsigned char) text[i];
    *out_len = 1;
    if (c == GAP || c == '|' || c == '\t' || c == ';')
        return '|';
    if (c == ',')
        return ',';
    if ((c == '(' || c == ')') && legal_bracket(text, i, len))
        return '\0';
    if (c == '(' || c == ')' || c == '[' || c == ']')
        return '(';
    bool blank_before = i == 0 || text[i - 1] == ' ';
    bool blank_after = i + 1 >= len || text[i + 1] == ' ';
    if (c == ' ' && i + 2 < len && text[i + 1] == ' ') {
        size_t n = strspn(text + i, " ");
        if (n >= 3 || (n == 2 && i > 0 && text[i - 1] != '.')) {
            *out_len = n;
            return '|';
        }
    }
    if ((c == '~' || c == '*' || c == '+') && blank_before && blank_after)
        return '|';
    if (c == '/' && blank_before && blank_after)
        return '/';
    if (c == '/' && i + 1 < len && text[i + 1] == '/') {
        *out_len = 2;
        return '|';
    }
    if (c == '-' && blank_before && blank_after)
        return '-';
    if (c < 0x80)
        return '\0';
    if (c == 0xe2 && i + 2 < len && (unsigned char) text[i + 1] == 0x80 &&
        ((unsigned char) text[i + 2] == 0x93 ||
         (unsigned char) text[i + 2] == 0x94)) { /* dashes */
        *out_len = 3;
        bool after = i + 3 >= len || text[i + 3] == ' ';
        return blank_before && after ? '-' : '\0';
    }
    if (memcmp(text + i, "»", 2) == 0 &&
        g_strrstr_len(text, (gssize) i, "«") != NULL)
        return '\0'; /* it closes a name */
    for (size_t k = 0; k < G_N_ELEMENTS(bars); k++) {
        size_t n = strlen(bars[k]);
        if (i + n <= len && memcmp(text + i, bars[k], n) == 0) {
            *out_len = n;
            return '|';
        }
    }
    if (i + 3 <= len && (memcmp(text + i, "、", 3) == 0)) {
        *out_len = 3;
        return ',';
    }
    return '\0';
}

static void
count_words(const Card *card, CardPart *part)
{
    Word words[CARD_WORDS];
    size_t n = card_words(card, part, words);
    part->n_words = (unsigned) n;
    for (size_t i = 0; i < n; i++) {
        unsigned c = words[i].classes;
        part->classes |= c;
        part->n_capital += words[i].capital || words[i].cjk;
        part->n_lower += !words[i].capital && !words[i].cjk &&
                         words[i].letter && words[i].folded_len >= 4;
        part->n_digit += words[i].digit;
        part->n_title += (c & WORD_TITLE) != 0;
        part->n_titlemod += (c & WORD_TITLEMOD) != 0;
        part->n_department += (c & WORD_DEPARTMENT) != 0;
        part->n_organisation += (c & WORD_ORGANISATION) != 0;
        part->n_legal += (c & WORD_LEGAL) != 0;
        part->n_street +=
            (c & WORD_STREET) != 0 || words_street_letter(words, n, i);
        part->n_given += (c & WORD_GIVEN) != 0;
        part->n_caps += words[i].all_caps;
        part->cjk |= words[i].cjk;
    }
}

/* A label at the beginning ("E:", "Address:") is no content. */
static size_t
skip_label(const char *text, size_t start, size_t end)
{
    size_t n = start;
    while (n < end && n < start + 16 && text[n] != ':' && text[n] != ' ')
        n++;
    if (n < end && text[n] == ':' && n > start) {
        if (words_has_cjk(text + start, n - start))
            return n + 1;
        char folded[32];
        size_t len = words_fold(text + start, n - start, folded, sizeof folded);
        if ((vocabulary_find(folded, len) &
             (WORD_LABEL_OTHER | WORD_LABEL_PHONE)) ||
            len == 1)
            return n + 1;
    }
    return start;
}

/* "for and on behalf of Ashford LLP": in whose name the author signs. */
static size_t
skip_behalf(const char *text, size_t start, size_t end)
{
    static const char *const phrases[] = {
        "for and on behalf of ",
        "on behalf of ",
        "for & on behalf of ",
        "p.p. ",
        "pour le compte de ",
        "au nom de ",
        "im auftrag der ",
        "im namen der ",
        "namens ",
        "en nombre de ",
        "per conto di ",
        "em nome de ",
    };
    while (start < end && text[start] == ' ')
        start++;
    for (size_t i = 0; i < G_N_ELEMENTS(phrases); i++) {
        size_t n = strlen(phrases[i]);
        if (start + n < end &&
            g_ascii_strncasecmp(text + start, phrases[i], n) == 0)
            return start + n;
    }
    return start;
}

static void
add_part(Card *card, size_t line, size_t start, size_t end, char before)
{
    const char *text = card->lines[line].text;
    start = skip_label(text, start, end);
    start = skip_behalf(text, start, end);
    while (start < end && strchr(" \t:", text[start]) != NULL)
        start++;
    while (end > start && strchr(" \t:", text[end - 1]) != NULL)
        end--;
    if (start >= end || card->n_parts == CARD_PARTS)
        return;
    CardPart *part = &card->parts[card->n_parts];
    memset(part, 0, sizeof *part);
    part->line = line;
    part->start = start;
    part->end = end;
    part->before = before;
    count_words(card, part);
    if (part->n_words == 0)
        return;
    /* labels that lost their number, and numbers of registers */
    unsigned labels = WORD_LABEL_PHONE | WORD_LABEL_OTHER;
    if (part->n_words == 1 && (part->classes & labels) &&
        !(part->classes & (WORD_TITLE | WORD_GIVEN)) &&
        (end - start <= 3 || !part->n_capital || (part->classes & labels)))
        part->role = PART_SPENT;
    Word words[CARD_WORDS];
    size_t n = card_words(card, part, words);
    static const char *const postcodes[] = { "cep", "c.p", "cp",
                                             "plz", "zip", "pin",
                                             "psc", "p.o", "postcode" };
    bool postcode = false;
    for (size_t i = 0; n == 2 && i < G_N_ELEMENTS(postcodes); i++)
        postcode |= strcmp(words[0].folded, postcodes[i]) == 0;
    if (n >= 2 && (words[0].classes & WORD_REGISTRATION) && part->n_digit > 0 &&
        part->n_street == 0 && !postcode)
        part->role = PART_SPENT;
    card->n_parts++;
}

void
card_split(Card *card)
{
    for (size_t i = 0; i < card->n_lines; i++) {
        const CardLine *line = &card->lines[i];
        if (line->closing)
            continue;
        size_t start = 0;
        char before = '\n';
        bool bracket = false;
        for (size_t k = 0; k <= line->len;) {
            size_t n = 1;
            char separator = k == line->len
                                 ? '|'
                                 : separator_at(line->text, k, line->len, &n);
            if (separator == '\0') {
                k++;
                continue;
            }
            if (k > start)
                add_part(card, i, start, k, before);
            if (separator == '(' && k < line->len)
                bracket = line->text[k] == '(' || line->text[k] == '[';
            before = separator == '(' && !bracket ? ' ' : separator;
            k += n;
            start = k;
        }
    }
}

char *
card_text(const Card *card, size_t first, size_t last)
{
    const CardPart *a = &card->parts[first], *b = &card->parts[last];
    GString *out = g_string_new(NULL);
    for (size_t line = a->line; line <= b->line; line++) {
        const CardLine *from = &card->lines[line];
        size_t start = line == a->line ? a->start : 0;
        size_t end = line == b->line ? b->end : from->len;
        if (out->len > 0)
            g_string_append(out, ", ");
        for (size_t i = start; i < end; i++)
            if (from->text[i] != GAP &&
                !(from->text[i] == ' ' && out->len > 0 &&
                  out->str[out->len - 1] == ' '))
                g_string_append_c(out, from->text[i]);
    }
    char *text = g_string_free(out, FALSE);
    g_strstrip(text);
    return text;
}

const char *
card_evidence(const Card *card, size_t part)
{
    return card->lines[card->parts[part].line].original;
}

size_t
card_words(const Card *card, const CardPart *part, Word *out)
{
    return words_split(card->lines[part->line].text + part->start,
                       part->end - part->start, out, CARD_WORDS);
}

static void
append(char *to, size_t *used, size_t size, const char *text, size_t len)
{
    if (*used + len < size) {
        memcpy(to + *used, text, len);
        *used += len;
    }
}

/* Is the domain's label the beginning of the name, or the name of the label? */
static bool
begins_label(const char *label, size_t domain, const char *name, size_t len)
{
    size_t common = MIN(len, domain);
    return common >= 3 && strncmp(label, name, common) == 0;
}

bool
card_names_domain(const Card *card, const char *text, size_t len)
{
    static const char generic[] =
        " group events event hotel hotels company media studio studios design "
        "consulting services service solutions international global digital "
        "the and und of for gmbh ltd pty inc catering travel tours university "
        "school college museum music house haus city council gallery theatre "
        "energy health ville stadt gemeinde commune mairie comune gemeente "
        "kommune kommun ayuntamiento town county state ";
    if (card->domain[0] == '\0')
        return false;
    Word words[CARD_WORDS];
    size_t n = words_split(text, len, words, CARD_WORDS);
    /* all letters; with an ampersand as "and"; without small words */
    char joined[128], spelt[128], large[128], initials[16];
    size_t used = 0, n_spelt = 0, n_large = 0, n_initials = 0;
    bool hit = false;
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && n_spelt + 3 < sizeof spelt &&
            memchr(words[i - 1].text + words[i - 1].len, '&',
                   (size_t) (words[i].text - words[i - 1].text) -
                       words[i - 1].len) != NULL) {
            memcpy(spelt + n_spelt, "and", 3);
            n_spelt += 3;
        }
        char plain[WORD_FOLDED_MAX];
        size_t k = 0;
        for (size_t j = 0; j < words[i].folded_len; j++)
            if (g_ascii_isalnum(words[i].folded[j]) ||
                (words[i].folded[j] & 0x80))
                plain[k++] = words[i].folded[j];
        plain[k] = '\0';
        if (k == 0)
            continue;
        if (words[i].capital && n_initials + 1 < sizeof initials)
            initials[n_initials++] = plain[0];
        char padded[WORD_FOLDED_MAX + 4];
        g_snprintf(padded, sizeof padded, " %s ", plain);
        if (k >= 4 && strstr(generic, padded) == NULL &&
            strstr(card->domain, plain) != NULL)
            hit = true;
        append(joined, &used, sizeof joined, plain, k);
        append(spelt, &n_spelt, sizeof spelt, plain, k);
        if (words[i].capital || k > 3)
            append(large, &n_large, sizeof large, plain, k);
    }
    joined[used] = spelt[n_spelt] = large[n_large] = '\0';
    initials[n_initials] = '\0';
    for (const char *label = card->domain; *label == '.';) {
        label++;
        size_t domain = strcspn(label, ".");
        if (begins_label(label, domain, joined, used) ||
            (n_spelt > used && begins_label(label, domain, spelt, n_spelt)) ||
            (n_large < used && begins_label(label, domain, large, n_large)))
            return true;
        if (n_initials >= 3 && n_initials == domain &&
            strncmp(initials, label, n_initials) == 0)
            return true;
        label += domain;
    }
    return hit;
}
