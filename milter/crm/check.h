/*
 * check.h - do the configured custom fields and groups exist in the CRM?
 *
 * Threads    pure.
 */
#ifndef CRM_CHECK_H
#define CRM_CHECK_H

#include "base/settings.h"
#include "crm/sync.h"
#include "crm/view.h"

/* Custom fields whose id, type or state cannot serve, one line each; good ones
 * are reported too when `good`. True when none is bad. */
bool check_fields(const Settings *settings, GHashTable *definitions, bool good,
                  SyncReport report, void *data);
bool check_groups(const Settings *settings, const GArray *groups,
                  SyncReport report, void *data);
bool check_wants_definitions(const Settings *settings);

#endif
