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

/* The country that lines of a signature speak of (name of a country, form of
 * postcode and state), or NULL; static. */
const char *postal_country(const Card *card, const char *tld_country);

/* ISO code of a folded country name, or NULL. */
const char *postal_country_code(const char *text, size_t len);

#endif
