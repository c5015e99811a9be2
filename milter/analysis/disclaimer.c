/*
 * disclaimer.c - phrases by which such footers are known
 *
 * Three kinds: lines of clients ("Sent from my iPhone"), which are known by
 * their beginning; banners of gateways ("[EXTERNAL]"), at the top; and notices,
 * which are known by phrases that people hardly write themselves. A notice
 * runs to the end of its paragraph, or further, while the text stays prose.
 */
#include "analysis/disclaimer.h"

#include "analysis/words.h"

#include <string.h>

typedef struct {
    const char *text;
    unsigned short len;
    bool line_start; /* only at the beginning of a line */
} Phrase;

#include "analysis/data/notices.inc"

static bool
begins(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* "~ Sent from my iPhone", "[Sent from ...]" */
static const char *
skip_marks(const char *text)
{
    while (*text != '\0' && strchr(" *_-~<[(>|.", *text) != NULL)
        text++;
    return text;
}

static bool
phrase_at(const char *text, size_t len, bool line_start)
{
    size_t byte = (unsigned char) *text;
    for (size_t i = first[byte]; i < first[byte + 1]; i++)
        if (phrases[i].line_start == line_start && phrases[i].len <= len &&
            phrases[i].text[1] == text[1] && phrases[i].text[2] == text[2] &&
            memcmp(phrases[i].text, text, phrases[i].len) == 0)
            return true;
    return false;
}

static bool
is_client_line(const char *folded, size_t len)
{
    const char *text = skip_marks(folded);
    if (len > 160 || *text == '\0')
        return false;
    if (!phrase_at(text, len - (size_t) (text - folded), true))
        return false;
    /* a sentence that merely begins so goes on */
    return len <= 70 || strstr(text, "http") != NULL ||
           strstr(text, "outlook") != NULL || strstr(text, "avast") != NULL ||
           strstr(text, "avg") != NULL;
}

/* "<< File: plan.doc >>", "(See attached file: plan.doc)": what clients put in
 * place of an attachment. */
static bool
is_attachment(const Line *line)
{
    const char *text = line->text, *end = text + line->len;
    return line->len > 8 && (*text == '<' || *text == '(') &&
           ((begins(text, "<<") && begins(end - 2, ">>")) ||
            g_ascii_strncasecmp(text, "(see attached file", 18) == 0);
}

/* ASCII letters and digits: a phrase does not begin behind one. */
#define L10 1, 1, 1, 1, 1, 1, 1, 1, 1, 1
static const unsigned char inside[256] = { ['0'] = L10,
                                           ['A'] = L10,
                                           L10,
                                           1,
                                           1,
                                           1,
                                           1,
                                           1,
                                           1,
                                           ['a'] = L10,
                                           L10,
                                           1,
                                           1,
                                           1,
                                           1,
                                           1,
                                           1,
                                           [0x80] = L10,
                                           L10,
                                           L10,
                                           L10,
                                           L10,
                                           L10,
                                           L10,
                                           L10,
                                           L10,
                                           L10,
                                           L10,
                                           L10,
                                           1,
                                           1,
                                           1,
                                           1,
                                           1,
                                           1,
                                           1,
                                           1 };

/* May a phrase begin with the four bytes at `p`? See data/phrases.awk. */
static bool
passes_filter(const char *p)
{
    const unsigned char *b = (const unsigned char *) p;
    unsigned slot = (b[0] * 29791U + b[1] * 961U + b[2] * 31U + b[3]) % 16384;
    return (filter[slot / 8] >> slot % 8 & 1) != 0;
}

static bool
has_strong_phrase(const char *folded, size_t len)
{
    for (size_t i = 0; i + 3 < len; i++) {
        if (passes_filter(folded + i) && phrase_at(folded + i, len - i, false))
            return true;
        /* to the end of the word, in scripts without blanks of the character */
        while (i + 1 < len && inside[(unsigned char) folded[i]] &&
               (unsigned char) folded[i + 1] < 0xe0)
            i++;
    }
    return false;
}

static bool
looks_prose(const Line *line)
{
    return line->len > 60 || strchr(".;:,)", line->text[line->len - 1]) != NULL;
}

static bool
line_is_notice(const Line *line, const char *folded, size_t len)
{
    /* Short lines are rarely notices, unless they say so outright. */
    if (line->len < 25 && !begins(folded, "disclaimer") &&
        !begins(folded, "caution") && !begins(folded, "[external") &&
        !begins(folded, "confidential") &&
        !words_has_cjk(line->text, line->len))
        return false;
    return has_strong_phrase(folded, len);
}

void
disclaimer_mark(Body *body)
{
    bool notice = false; /* inside one */
    size_t blank = 0;
    size_t after = 0;            /* non-empty own lines seen before */
    size_t left = 0, passed = 0; /* bytes of own lines */
    for (size_t i = 0; i < body->n_lines; i++)
        left += body->lines[i].zone == ZONE_OWN ? body->lines[i].len : 0;
    for (size_t i = 0; i < body->n_lines; i++) {
        Line *line = &body->lines[i];
        if (line->zone != ZONE_OWN) {
            notice = false;
            continue;
        }
        if (line->len == 0) {
            blank++;
            continue;
        }
        bool separate = blank > 0 || (line->flags & LINE_PARAGRAPH);
        blank = 0;
        passed += line->len;
        left -= line->len;
        if (passed > DISCLAIMER_HEAD && left > DISCLAIMER_TAIL) {
            notice = false;
            after++;
            continue;
        }
        char folded[DISCLAIMER_BYTES];
        size_t n = words_fold(line->text, line->len, folded, sizeof folded);
        if (is_client_line(folded, n) || is_attachment(line)) {
            line->zone = ZONE_DISCLAIMER;
            notice = false;
            continue;
        }
        /* Notices stand apart or are long; the author's first lines only when
         * they are a gateway's banner. */
        bool banner =
            after == 0 &&
            (strstr(folded, "external") != NULL || begins(folded, "caution") ||
             strstr(folded, "often get email") != NULL ||
             strstr(folded, "originated") != NULL);
        if (banner || (after > 0 && line_is_notice(line, folded, n))) {
            line->zone = ZONE_DISCLAIMER;
            notice = true;
            continue;
        }
        if (notice && (!separate || line->len > 120) && looks_prose(line)) {
            line->zone = ZONE_DISCLAIMER; /* wrapped */
            continue;
        }
        if (notice && !separate && !looks_prose(line)) {
            line->zone = ZONE_DISCLAIMER; /* its last line */
            notice = false;
            continue;
        }
        notice = false;
        after++;
    }
}
