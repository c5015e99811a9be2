/*
 * card.h - a signature cut into parts: what stands between bars, bullets,
 * commas and brackets
 *
 * The text of signature lines is copied in a plain form (full-width letters
 * made ASCII, bold marks and link targets taken out), numbers, addresses and
 * links are found, and what is left becomes parts that name, title, company and
 * postal address are chosen from.
 *
 * Ownership  a Card owns its text; it borrows the body's lines as evidence.
 * Threads    pure.
 * Limits     CARD_LINES lines, CARD_BYTES of text, CARD_PARTS parts.
 */
#ifndef CARD_H
#define CARD_H

#include "analysis/phone_scan.h"
#include "analysis/words.h"

enum {
    CARD_LINES = 40,
    CARD_BYTES = 4096,
    CARD_PARTS = 120,
    CARD_PHONES = 16,
    CARD_URLS = 16,
    CARD_WORDS = 12
};

typedef enum {
    PART_FREE,
    PART_NAME,
    PART_TITLE,
    PART_COMPANY,
    PART_ADDRESS,
    PART_SPENT, /* labels, registrations, sentences: nothing to find */
} PartRole;

typedef struct {
    size_t line;
    size_t start, end; /* in the line's text */
    char before;       /* what parts it from the part before on its line: '\n'
                          line's beginning, '|' bars and bullets, ',', '(',
                          '/', '-' */
    PartRole role;
    unsigned classes; /* of any word */
    unsigned n_words, n_capital, n_lower, n_digit, n_title, n_titlemod,
        n_department, n_organisation, n_legal, n_street, n_given, n_caps;
    bool cjk;
} CardPart;

typedef struct {
    char *text; /* plain form; found numbers and links blanked by '\x01' */
    size_t len;
    const char *original; /* the body's line: evidence */
    unsigned flags;       /* LINE_* */
    bool closing;         /* only says goodbye */
} CardLine;

typedef struct {
    PhoneMatch match;
    size_t line;
} CardPhone;

typedef struct {
    char *url; /* clean */
    size_t line;
    int kind; /* LinkKind */
} CardUrl;

typedef struct {
    size_t n_lines, n_parts, n_phones, n_urls, n_emails;
    char domain[64]; /* letters of the sender's registered domain, or "" */
    /* Of these only the first n_... are set: */
    CardLine lines[CARD_LINES];
    CardPart parts[CARD_PARTS];
    CardPhone phones[CARD_PHONES];
    CardUrl urls[CARD_URLS];
    char *emails[4];
} Card;

/* `email` is the sender's address. Never NULL. */
Card *card_new(const Body *body, const char *email);
void card_free(Card *card);

/* Numbers first, when the regions are known; then the parts. */
void card_find_phones(Card *card, const char *const *regions);
void card_split(Card *card);

/* The text of the parts [first, last] of one line, as it stands. */
char *card_text(const Card *card, size_t first, size_t last);
const char *card_evidence(const Card *card, size_t part);

/* The words of a part; at most CARD_WORDS. */
size_t card_words(const Card *card, const CardPart *part, Word *out);

/* Do the words name the sender's domain ("Thorn & Twine", thornandtwine)? */
bool card_names_domain(const Card *card, const char *text, size_t len);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Card, card_free)

#endif
