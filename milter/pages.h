/*
 * pages.h - what [metrics] listen serves: /metrics, /healthz and a status page
 *
 * With split roles the sync side serves them for both; the mail side only
 * leaves its part beside the spool (share.h).
 *
 * Ownership  pages_stop(); NULL is accepted.
 * Threads    pages_sample() from the thread that started it.
 */
#ifndef PAGES_H
#define PAGES_H

#include "backend.h"
#include "base/settings.h"
#include "store/spool.h"

typedef struct Pages Pages;

/* Borrows spool and backend (NULL in the mta role). */
Pages *pages_start(const Settings *settings, Role role, Spool *spool,
                   Backend *backend, GError **error);
/* To be called at least every few minutes: draws the day's charts. */
void pages_sample(Pages *pages);
void pages_stop(Pages *pages);

#endif
