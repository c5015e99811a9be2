/*
 * unsubscribe.h - does the author ask to be taken off the list?
 *
 * Judges the subject and the author's own words (ZONE_OWN lines), never
 * quotations, signatures or footers.
 *
 * Threads    UnsubscribeRules are constant once made; pure.
 * Limits     UNSUBSCRIBE_MAX_TEXT bytes of own text are looked at; of more,
 *            up to UNSUBSCRIBE_MAX_END are its last lines.
 */
#ifndef UNSUBSCRIBE_H
#define UNSUBSCRIBE_H

#include "analysis/analysis.h"

enum {
    UNSUBSCRIBE_MAX_TEXT = 4 * 1024,
    UNSUBSCRIBE_MAX_END = 1536,
};

typedef struct UnsubscribeRules UnsubscribeRules;

UnsubscribeRules *unsubscribe_rules_new(const AnalyzerOptions *options,
                                        GError **error);
void unsubscribe_rules_free(UnsubscribeRules *rules);

/* What the author asks for, or NULL for nothing of the kind. `ignored` is
 * ignore_reason()'s answer: automatic mail asks only by an unsubscribe
 * address. `envelope` is never NULL; `lang` is
 * language_guess()'s answer for the author's own words. The caller frees the
 * result. */
Unsubscribe *unsubscribe_find(const UnsubscribeRules *rules,
                              const Message *message, const Body *body,
                              const Envelope *envelope, const char *ignored,
                              const char *lang);

/* What the decision is weighed by: a line of names for the message and one for
 * each clause (see unsubscribe_score.h); "" when nothing is weighed, because
 * no word gives cause or the grammar or the recipient decides. Parameters as
 * in unsubscribe_find(). For tests/analysis/train-unsubscribe; the caller frees
 * it. */
char *unsubscribe_explain(const UnsubscribeRules *rules, const Message *message,
                          const Body *body, const Envelope *envelope,
                          const char *ignored, const char *lang);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(UnsubscribeRules, unsubscribe_rules_free)

#endif
