/*
 * vocabulary.h - what kinds of word is this? (titles, closings, labels...)
 *
 * The lists in data/vocabulary/ become one table at build time. A word may be
 * of several classes: "secretary" is a job title and a role mailbox.
 *
 * Threads    constant data; pure.
 */
#ifndef VOCABULARY_H
#define VOCABULARY_H

#include <stdbool.h>
#include <stddef.h>

enum {
    WORD_TITLE = 1 << 0, /* head of a job title */
    WORD_TITLEMOD = 1 << 1,
    WORD_DEPARTMENT = 1 << 2,
    WORD_ORGANISATION = 1 << 3,
    WORD_LEGAL = 1 << 4, /* GmbH, Ltd */
    WORD_STREET = 1 << 5,
    WORD_GIVEN = 1 << 6, /* given name */
    WORD_HONORIFIC = 1 << 7,
    WORD_POSTNOMINAL = 1 << 8,
    WORD_GENERATION = 1 << 9,
    WORD_PARTICLE = 1 << 10,
    WORD_ROLE = 1 << 11, /* local-part of a role mailbox */
    WORD_FREEMAIL = 1 << 12,
    WORD_REGISTRATION = 1 << 13,
    WORD_LABEL_MOBILE = 1 << 14,
    WORD_LABEL_WORK = 1 << 15,
    WORD_LABEL_FAX = 1 << 16,
    WORD_LABEL_HOME = 1 << 17,
    WORD_LABEL_OTHER = 1 << 18,
    WORD_CLOSING = 1 << 19,       /* a whole sign-off: "kind regards" */
    WORD_CLOSING_START = 1 << 20, /* a sign-off may begin so: "kind" */
    /* the class holds for every word that ends so: "*leiter" */
    WORD_TITLE_ENDING = 1 << 21,
    WORD_DEPARTMENT_ENDING = 1 << 22,
    WORD_ORGANISATION_ENDING = 1 << 23,
    WORD_STREET_ENDING = 1 << 24,
    WORD_GREETING = 1 << 25,

    WORD_LABEL_PAGER = 1 << 26,

    WORD_LABEL_PHONE = WORD_LABEL_MOBILE | WORD_LABEL_WORK | WORD_LABEL_FAX |
                       WORD_LABEL_HOME | WORD_LABEL_PAGER,
};

/* The classes of a folded word or phrase; 0 when it is in no list. */
unsigned vocabulary_find(const char *folded, size_t len);

/* The same, and endings are tried for words that are in no list. */
unsigned vocabulary_find_ending(const char *folded, size_t len);

#endif
