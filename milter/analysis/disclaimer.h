/*
 * disclaimer.h - footers that are nobody's words: mobile clients, virus
 * scanners, confidentiality notices, gateway banners
 *
 * Threads    pure.
 * Limits     linear; a paragraph's first DISCLAIMER_BYTES are looked at, and of
 *            a long text the first DISCLAIMER_HEAD and the last
 *            DISCLAIMER_TAIL bytes: nobody writes a notice in the middle.
 */
#ifndef DISCLAIMER_H
#define DISCLAIMER_H

#include "analysis/analysis.h"

enum {
    DISCLAIMER_BYTES = 400,
    DISCLAIMER_HEAD = 1024,
    DISCLAIMER_TAIL = 6 * 1024,
};

/* Sets ZONE_DISCLAIMER among ZONE_OWN lines. */
void disclaimer_mark(Body *body);

#endif
