/*
 * ruleset.h - all that judging one message needs, made from the settings
 *
 * A reload makes a new ruleset; messages that have begun keep theirs.
 *
 * Ownership  reference counted: ruleset_ref(), ruleset_free().
 * Threads    constant after ruleset_new(); may be shared.
 * Errors     ruleset_new() reports a faulty phrases file.
 */
#ifndef RULESET_H
#define RULESET_H

#include "analysis/analysis.h"
#include "analysis/observation.h"
#include "base/settings.h"

typedef struct Ruleset Ruleset;

/* Holds a reference to `settings`. */
Ruleset *ruleset_new(Settings *settings, GError **error);
Ruleset *ruleset_ref(Ruleset *ruleset);
void ruleset_free(Ruleset *ruleset); /* drops one reference */

const Settings *ruleset_settings(const Ruleset *ruleset);

/* How much of a message is worth reading, by its envelope alone. What an
 * authenticated user of ours sends to the outside makes no contact and no
 * request: at most its Message-ID is remembered. */
typedef enum { READ_ALL, READ_HEADER, READ_NOTHING } ReadExtent;
ReadExtent ruleset_extent(const Ruleset *ruleset, const Envelope *envelope);

/* The whole way from bytes to observations (of type Observation; may be none).
 * *out_analysis (may be NULL) gets the analysis, to be logged. */
GPtrArray *ruleset_observe(const Ruleset *ruleset, const char *bytes,
                           size_t len, const Envelope *envelope,
                           Analysis **out_analysis);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Ruleset, ruleset_free)

#endif
