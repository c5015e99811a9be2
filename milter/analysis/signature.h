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

/* The lines of the signature as a reader sees it, for the receiver to free.
 * Where the program places signatures (HTML, a footer of its own) the sign-off
 * above is none of it, and a name alone is no signature. In plain text, where
 * people type all of it, both belong to it. */
void signature_list(const Body *body, const Mailbox *author, GPtrArray *out);

#endif
