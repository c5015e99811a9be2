/*
 * backend.h - everything below the seam, in threads of its own: opens the
 * contacts store, judges what is in the spool, runs the sync
 *
 * Ownership  backend_stop() frees it.
 * Threads    one thread judges, one (crm/sync) talks to the API; the functions
 *            here may be called from any thread.
 * Errors     a store that cannot be reached or is damaged is tried again for as
 *            long as it takes; observations wait in the spool meanwhile. A
 *            store that can never work (bad URI, newer schema) is reported by
 *            backend_start().
 */
#ifndef BACKEND_H
#define BACKEND_H

#include "base/settings.h"
#include "store/spool.h"
#include "store/store.h"

typedef struct Backend Backend;

/* Borrows spool; holds a reference to settings. */
Backend *backend_start(Settings *settings, Spool *spool, GError **error);

/* New rows are in the spool. Does not wait. */
void backend_wake(Backend *backend);
void backend_configure(Backend *backend, Settings *settings);

/* NULL while the store is not open. Borrowed until backend_stop(). */
Store *backend_store(Backend *backend);

/* Ends both threads. False when a thread did not end within `wait_ms`: then
 * the spool is still in use, nothing was freed, and the process should end. */
bool backend_stop(Backend *backend, int64_t wait_ms);

#endif
