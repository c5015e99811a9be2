/*
 * contact.h - who wrote this: a contact out of From:, own text, signature,
 * vCard and header fields
 *
 * Threads    pure.
 */
#ifndef CONTACT_H
#define CONTACT_H

#include "analysis/analysis.h"

/* Fills `analysis` (contact, signature lines, notes) and sets verdict
 * contact, or ignore with a reason when nobody can be told. `body` has
 * signature zones marked; `html` is the HTML body, likewise marked, or NULL. */
void contact_find(const Message *message, const Body *body, const Body *html,
                  const Envelope *envelope, const AnalyzerOptions *options,
                  Analysis *analysis);

#endif
