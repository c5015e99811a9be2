/* unsubscribe.c - see unsubscribe.h */
#include "analysis/unsubscribe.h"

struct UnsubscribeRules {
    int unused;
};

UnsubscribeRules *
unsubscribe_rules_new(const AnalyzerOptions *options, GError **error)
{
    (void) options, (void) error;
    return g_new0(UnsubscribeRules, 1);
}

void
unsubscribe_rules_free(UnsubscribeRules *rules)
{
    g_free(rules);
}

Unsubscribe *
unsubscribe_find(const UnsubscribeRules *rules, const Message *message,
                 const Body *body, const Envelope *envelope,
                 const char *ignored)
{
    (void) rules, (void) message, (void) body, (void) envelope, (void) ignored;
    return NULL;
}
