/*
 * country.h - in which countries may a signature's telephone numbers be?
 *
 * Ownership  none: the codes are static or point into the Countries.
 * Threads    pure.
 * Limits     COUNTRIES_MAX countries.
 */
#ifndef COUNTRY_H
#define COUNTRY_H

#include "analysis/card.h"

enum { COUNTRIES_MAX = 6 };

/* ISO codes, the likeliest first; the list ends with NULL. */
typedef struct {
    const char *list[COUNTRIES_MAX + 1];
    size_t n;
    char codes[COUNTRIES_MAX][4];
} Countries;

/* By what the card says, the address's domain, the language of the mail (as
 * language_guess() names it) and the `fallback` (may be NULL). Without a card
 * (NULL): domain, language and fallback. */
void countries_find(Countries *out, const Card *card, const char *email,
                    const char *lang, const char *fallback);

#endif
