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
/*
 * The reason words (Bounce.reason, and Analysis.reason for verdict bounce: that
 * of the worst recipient):
 *
 *   hard, unless the reply is transient or the report only a delay
 *     userunknown      no such mailbox or user
 *     hostunknown      no such domain, or it cannot be routed for good
 *     hasmoved         the user has gone elsewhere
 *     notaccept        the host or domain takes no mail (521, 556, null MX)
 *     suspend          the account is closed or disabled
 *   soft: about the sender, the mail or the moment
 *     mailboxfull      over quota
 *     ratelimit        too many or too fast
 *     blocked          our address or name, block lists
 *     badreputation    our reputation
 *     requireptr       no reverse name
 *     authfailure      SPF, DKIM, DMARC
 *     rejected         the sender's address is refused
 *     spamdetected, virusdetected, contenterror, exceedlimit (size)
 *     norelaying, policyviolation, securityerror (TLS, access)
 *     filtered         the recipient's own preferences
 *     mailererror      the recipient's own program failed
 *     expired          late, or given up after a time
 *     networkerror, systemerror, syntaxerror
 *     undefined        failed, and nobody says why
 *   other
 *     delivered        delivered, relayed, expanded
 *
 * Analysis.reason with verdict ignore: "delivered" (a report of success),
 * "receipt" (RFC 8098), "feedback" (RFC 5965, no complaint), "auto" (absence
 * notice, request for confirmation), "notification" (digests, notices of lists
 * and help desks). With verdict unsubscribe: "complaint".
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
