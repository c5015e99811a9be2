/*
 * filter.h - the milter: libmilter's callbacks and the life of the socket
 *
 * Every callback answers CONTINUE, ACCEPT or SKIP, whatever happens inside.
 * libmilter serves once in the life of a process: after filter_stop() the
 * process can only end.
 *
 * Threads    libmilter's worker pool calls in; session state hangs on
 *            smfi_setpriv() only. filter_configure(), _stop() and _drain() may
 *            be called from any thread.
 * Limits     FILTER_MAX_RECIPIENTS envelope recipients are kept; FILTER_ANALYSES
 *            messages are analysed at a time (the others wait for a processor
 *            anyway), so that memory does not grow with the sessions.
 */
#ifndef FILTER_H
#define FILTER_H

#include "mta/ruleset.h"
#include "store/spool.h"

enum { FILTER_MAX_RECIPIENTS = 1000, FILTER_ANALYSES = 8 };

/* Opens the socket (a stale unix socket is replaced, a living one refused),
 * sets its mode and group. Call it while the process has one thread. */
bool filter_listen(const Settings *settings, GError **error);
/* Serves until filter_stop() or filter_drain(); takes over `ruleset`. When it
 * returns no callback uses `spool` any more. */
bool filter_run(Ruleset *ruleset, Spool *spool, GError **error);
void filter_configure(Ruleset *ruleset); /* takes it over */
void filter_stop(void);
/* Stops listening, waits up to `wait_ms` for sessions, then filter_stop(). */
void filter_drain(int64_t wait_ms);

#endif
