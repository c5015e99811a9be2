/*
 * signature_features.h - what can be seen of one line, for signature.c
 *
 * Threads    pure.
 * Limits     the first FEATURE_WORDS words of a line are looked at.
 */
#ifndef SIGNATURE_FEATURES_H
#define SIGNATURE_FEATURES_H

#include "analysis/analysis.h"
#include "analysis/words.h"

enum { FEATURE_WORDS = 16, AUTHOR_TOKENS = 10 };

/* The names are those of data/signature-weights.txt. */
typedef enum {
    FEATURE_LINE, /* every line: the price of a line */
    FEATURE_CLOSING,
    FEATURE_CLOSING_NAME,
    FEATURE_AUTHOR,      /* the author's name alone */
    FEATURE_AUTHOR_WORD, /* a word of the author's name, and more */
    FEATURE_NAME_SHAPE,  /* one to four capitalised words */
    FEATURE_GIVEN,       /* begins with a known given name, short */
    FEATURE_AFTER_CLOSING,
    FEATURE_PHONE,
    FEATURE_EXTENSION, /* "x6721", "3-7060" */
    FEATURE_OWN_EMAIL,
    FEATURE_EMAIL,
    FEATURE_URL,
    FEATURE_TITLE,
    FEATURE_ORGANISATION,
    FEATURE_ADDRESS,
    FEATURE_LABEL,
    FEATURE_SEPARATORS,
    FEATURE_RULE,
    FEATURE_CAPITALS, /* every longer word begins with a capital */
    FEATURE_SENTENCE,
    FEATURE_LOWER, /* mostly small words */
    FEATURE_LONG,
    FEATURE_VERY_LONG,
    FEATURE_GREETING,
    FEATURE_LIST,
    FEATURE_QUESTION,
    FEATURE_ELEMENT, /* markup says signature */
    FEATURE_TABLE,
    FEATURE_SMALL,
    FEATURE_WRAPPED,     /* the rest of a long line of prose */
    FEATURE_CJK,         /* Chinese, Japanese, Korean script */
    FEATURE_FOREIGN,     /* another script than the author's name in From: */
    FEATURE_FIELD,       /* "SC_ID: 123": a report's line */
    FEATURE_APPOINTMENT, /* how to join a call, a booking's number */
    FEATURE_PARAGRAPH,   /* blank line before: for the first line only */
    N_FEATURES,
} Feature;

typedef struct {
    char tokens[AUTHOR_TOKENS][32]; /* folded words of name and local-part */
    const char *nicknames[AUTHOR_TOKENS]; /* of each: person_nicknames() */
    size_t n_tokens;
    char letters[80]; /* name's letters run together */
    char initials[8];
    char email[128]; /* folded */
    bool role;       /* a shared mailbox: its author may bear any name */
} Author;

void author_init(Author *author, const Mailbox *mailbox);

/* The set of features as bits; `after_closing`: the line before said goodbye. */
guint64 signature_features(const Line *line, const Author *author,
                           bool after_closing);

/* Does `line` go on where the line before it, of prose, was wrapped? */
bool signature_wrapped(const Line *before, const Line *line);

/* Is the text a sign-off? *out_rest (may be NULL) is where what follows it
 * begins ("Thanks, Ann"); equal to `len` when nothing does. */
bool signature_closing(const char *text, size_t len, size_t *out_rest);

/* "-- ", "--": the delimiter of RFC 3676, 4.3, and its relatives. */
bool signature_delimiter(const Line *line);

const char *signature_feature_name(Feature feature);

#endif
