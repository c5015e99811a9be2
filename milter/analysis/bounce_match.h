/*
 * bounce_match.h - many phrases looked for in one pass over a text
 *
 * Ownership  a PhraseSet refers to its rows, which must outlive it.
 * Threads    a PhraseSet is constant once made.
 * Limits     PHRASE_HITS_MAX hits for one text; later ones are not seen.
 */
#ifndef BOUNCE_MATCH_H
#define BOUNCE_MATCH_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PHRASE_HITS_MAX = 512 };

/* A row of a table: what is looked for, what it means, and who writes so. */
typedef struct {
    const char *text; /* lower case, single blanks; a blank at either end
                         stands for white space or the end of the text */
    uint8_t kind;     /* a Reason, or a Mark */
    uint8_t strength; /* 1 vague, 2 usual, 3 beyond doubt */
    const char *source;
} Phrase;

typedef struct {
    uint32_t end; /* offset behind the phrase's last byte */
    const Phrase *phrase;
    const Phrase *within; /* a longer one that it is part of, or NULL */
} PhraseHit;

typedef struct PhraseSet PhraseSet;

/* `tables` are arrays that end with a row whose text is NULL. Rows in Latin
 * letters are found without their diacritics, too. */
PhraseSet *phrase_set_new(const Phrase *const *tables, size_t n_tables);
void phrase_set_free(PhraseSet *set);

/* Writes at most `max` hits in the order of their ends; returns how many. */
size_t phrase_set_scan(const PhraseSet *set, const char *text, size_t len,
                       PhraseHit *hits, size_t max);

#endif
