/*
 * title.h - the job title among the parts of a signature
 *
 * Threads    pure.
 */
#ifndef TITLE_H
#define TITLE_H

#include "analysis/card.h"

/* Marks the part(s) as PART_TITLE; `name` is the index of the part with the
 * person's name, or card->n_parts. */
void title_find(Card *card, size_t name, Field *out);

/* Does the CJK text end in, or consist of, a position? Its byte length at the
 * end of the text, 0 when none. */
size_t title_cjk(const char *text, size_t len);

#endif
