/*
 * disclaimer.h - footers that are nobody's words: mobile clients, virus
 * scanners, confidentiality notices, gateway banners
 *
 * Threads    pure.
 * Limits     linear; a paragraph's first DISCLAIMER_BYTES are looked at.
 */
#ifndef DISCLAIMER_H
#define DISCLAIMER_H

#include "analysis/analysis.h"

enum { DISCLAIMER_BYTES = 400 };

/* Sets ZONE_DISCLAIMER among ZONE_OWN lines. */
void disclaimer_mark(Body *body);

#endif
