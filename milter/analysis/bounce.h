/*
 * bounce.h - is this message a report of failed delivery, and about whom?
 *
 * bounce_find() recognises every kind of report (RFC 3464, text forms,
 * complaints, receipts), decides each recipient's class and keeps what is
 * known of the returned mail.
 *
 * Threads    BounceRules are constant after bounce_rules_new(); pure.
 * Limits     BOUNCE_MAX_RECIPIENTS recipients; more are noted and dropped.
 */
#ifndef BOUNCE_H
#define BOUNCE_H

#include "analysis/analysis.h"

enum { BOUNCE_MAX_RECIPIENTS = 500 };

typedef struct BounceRules BounceRules;

BounceRules *bounce_rules_new(GError **error);
void bounce_rules_free(BounceRules *rules);

/* True when the message is a report of any kind; then `analysis` has its
 * verdict (bounce, ignore or, for complaints, unsubscribe), reason, bounces and
 * returned message, and nothing else needs to be asked. `envelope` is never
 * NULL here. */
bool bounce_find(const BounceRules *rules, const Message *message,
                 const Envelope *envelope, Analysis *analysis);

#endif
