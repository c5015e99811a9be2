/*
 * postal.h - the postal address among the parts of a signature
 *
 * Threads    pure.
 * Limits     those of a Card.
 */
#ifndef POSTAL_H
#define POSTAL_H

#include "analysis/card.h"

/* Marks the parts of the address as PART_ADDRESS and fills field and parts.
 * `fallback` is the country when the address does not tell ("AU"); may be
 * NULL. */
void postal_find(Card *card, const char *fallback, Field *out,
                 AddressParts *parts);

/* The country that a line of a signature ends with, perhaps before a postcode,
 * or NULL; static. */
const char *postal_country_name(const Word *words, size_t n);

/* The country whose form of postcode, or of state and postcode, the line has,
 * or NULL; static. */
const char *postal_country_form(const Word *words, size_t n);

/* ISO code of a folded country name, or NULL. */
const char *postal_country_code(const char *text, size_t len);

#endif
