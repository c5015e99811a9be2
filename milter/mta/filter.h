/*
 * filter.h - the milter: libmilter's callbacks and the life of the socket
 *
 * Every callback answers CONTINUE, ACCEPT or SKIP, whatever happens inside.
 *
 * Threads    libmilter's worker pool calls in; session state hangs on
 *            smfi_setpriv() only.
 */
#ifndef FILTER_H
#define FILTER_H

#include "analysis/analysis.h"
#include "base/settings.h"
#include "store/spool.h"

/* What a session needs; constant, reference counted, replaced by a reload. */
typedef struct Ruleset Ruleset;
Ruleset *ruleset_new(Settings *settings, GError **error);
void ruleset_free(Ruleset *ruleset); /* drops one reference */

/* Opens the socket (a stale unix socket is replaced, a living one refused),
 * sets its mode and group. */
bool filter_listen(const Settings *settings, GError **error);
/* Serves until filter_stop() or filter_drain(); takes over `ruleset`. */
bool filter_run(Ruleset *ruleset, Spool *spool, GError **error);
void filter_configure(Ruleset *ruleset); /* takes it over */
void filter_stop(void);
/* Stops listening, waits up to `wait_ms` for sessions, then filter_stop(). */
void filter_drain(int64_t wait_ms);

#endif
