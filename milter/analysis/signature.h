/*
 * signature.h - which lines of the author's own text are the signature?
 *
 * Sets Line.zone to ZONE_SIGNATURE and ZONE_DISCLAIMER among ZONE_OWN lines.
 *
 * Threads    pure.
 */
#ifndef SIGNATURE_H
#define SIGNATURE_H

#include "analysis/analysis.h"

/* `author` is the From: (or Reply-To:) mailbox; may be NULL. */
void signature_mark(Body *body, const Mailbox *author);

#endif
