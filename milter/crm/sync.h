/*
 * sync.h - the worker: claims contacts that are due and makes the CRM true
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

/* One line per check to `report`, for `contactctl check` and at start: ping,
 * clock offset, custom field ids and types, groups. True if all are well. */
typedef void (*SyncReport)(bool ok, const char *line, void *data);
bool sync_check(const Settings *settings, SyncReport report, void *data);

#endif
