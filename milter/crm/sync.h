/*
 * sync.h - the worker: claims contacts that are due and makes the CRM true
 *
 * Each contact that is due is looked up by its address, compared (plan.h),
 * and what differs is sent: one by one, or as jobs of batches when there is
 * more than a handful. All hosts that share a store share what they learn
 * about pauses and pace, as named values of the store:
 *   paused        why nothing is sent; "" when it is
 *   last_success  time of the last good answer
 *   last_error    time and words of the last bad one
 *   pace          see pace.h
 *   clock_offset  seconds that the API's clock is ahead of ours
 *   batch         "off: why" when the account has no batch
 *   flush         set by contactctl flush: try everything now
 *
 * Ownership  sync_free() after sync_stop().
 * Threads    sync_start() makes one worker thread, woken by sync_wake().
 */
#ifndef SYNC_H
#define SYNC_H

#include "base/settings.h"
#include "store/store.h"

typedef struct Sync Sync;

/* Borrows store; holds a reference to settings. */
Sync *sync_new(Settings *settings, Store *store, GError **error);
void sync_start(Sync *sync);
void sync_wake(Sync *sync);
void sync_configure(Sync *sync, Settings *settings); /* after a reload */
/* Stops after the call in flight, at the latest after `wait_ms`. */
void sync_stop(Sync *sync, int64_t wait_ms);
void sync_free(Sync *sync);

/* One line per check to `report`, for `contactctl check`: ping, clock offset,
 * custom field ids and types, groups. True if all are well. */
typedef void (*SyncReport)(bool ok, const char *line, void *data);
bool sync_check(const Settings *settings, SyncReport report, void *data);

/* --- for tests ------------------------------------------------------------ */

typedef struct {
    int64_t poll_ms;                    /* between looks for work */
    int64_t lease_s;                    /* of claimed contacts */
    int64_t trouble_ms, trouble_cap_ms; /* backoff when there is no answer */
    int64_t contact_ms, contact_cap_ms; /* backoff of one contact */
    int64_t probe_ms, probe_cap_ms;     /* gaps between probes of a pause */
    unsigned wave;    /* contacts claimed at once, with batch */
    unsigned handful; /* so many calls are made one by one */
} SyncTuning;

/* Before sync_start(). */
void sync_tune(Sync *sync, const SyncTuning *tuning);
/* One round in the caller's thread, instead of sync_start(): milliseconds
 * until there may be more to do, 0: at once. */
int64_t sync_round(Sync *sync);

#endif
