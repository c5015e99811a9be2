/* contact.c - see contact.h */
#include "analysis/contact.h"

void
contact_find(const Message *message, const Body *body, const Body *html,
             const Envelope *envelope, const AnalyzerOptions *options,
             Analysis *analysis)
{
    (void) body, (void) html, (void) envelope, (void) options;
    if (message->from.n == 0)
        return;
    analysis->verdict = VERDICT_CONTACT;
    analysis->contact = contact_new(message->from.items[0].email);
}
