/*
 * recent.h - contacts that were observed just so a short time ago
 *
 * A person who writes ten mails an hour says the same about themselves ten
 * times. What was stored within the hour, with the same fields and the same
 * proof of who wrote it, need not be stored, judged and merged again.
 *
 * Ownership  recent_free().
 * Threads    safe everywhere.
 * Limits     RECENT_MAX observations; an older one gives way to a newer one.
 */
#ifndef RECENT_H
#define RECENT_H

#include "analysis/observation.h"

enum { RECENT_MAX = 8192, RECENT_SECONDS = 3600, RECENT_KEY = 16 };

typedef struct Recent Recent;

typedef struct {
    uint8_t bytes[RECENT_KEY];
} RecentKey;

Recent *recent_new(void);
void recent_free(Recent *recent);

/* What names the observations of one message. False when it has any but one of
 * a contact: bounces and requests always count. */
bool recent_key(const GPtrArray *observations, RecentKey *out_key);

bool recent_has(Recent *recent, const RecentKey *key);
/* To be called once they are on disk, not before. */
void recent_add(Recent *recent, const RecentKey *key);
/* After a reload: other rules may say something else of the same. */
void recent_clear(Recent *recent);

#endif
