/*
 * company.h - the organisation's name among the parts of a signature
 *
 * Threads    pure.
 */
#ifndef COMPANY_H
#define COMPANY_H

#include "analysis/card.h"

/* Marks the part as PART_COMPANY. `name` is the index of the part with the
 * person's name, or card->n_parts; `title` is set when a title was found. */
void company_find(Card *card, size_t name, bool title, Field *out);

/* Does the text have a legal form or a noun of organisations, or is it the
 * sender's domain's name? For display-names that are no persons. */
bool company_plausible(const char *text, size_t len);

/* Is it a noun of work, not of a firm ("coordination", "structuring")? */
bool company_is_field(const Word *word);

#endif
