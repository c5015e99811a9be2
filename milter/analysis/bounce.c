/* bounce.c - see bounce.h */
#include "analysis/bounce.h"

struct BounceRules {
    int unused;
};

BounceRules *
bounce_rules_new(GError **error)
{
    (void) error;
    return g_new0(BounceRules, 1);
}

void
bounce_rules_free(BounceRules *rules)
{
    g_free(rules);
}

bool
bounce_find(const BounceRules *rules, const Message *message,
            const Envelope *envelope, Analysis *analysis)
{
    (void) rules, (void) message, (void) envelope, (void) analysis;
    return false;
}
