/*
 * ivvy.h - one signed call to the contact API, and its answer
 *
 * Ownership  ivvy_free(); answer_clear() each Answer.
 * Threads    one owner at a time, but ivvy_cancel() from any thread.
 * Limits     IVVY_ANSWER_MAX bytes of answer; the configured timeout per call.
 * Errors     everything is in the Answer; ivvy_new() fails only when the
 *            configuration cannot be used.
 */
#ifndef IVVY_H
#define IVVY_H

#include "base/settings.h"
#include "crm/answer.h"

enum { IVVY_ANSWER_MAX = 32 * 1024 * 1024 };

typedef struct Ivvy Ivvy;

Ivvy *ivvy_new(const Settings *settings, GError **error);
void ivvy_free(Ivvy *ivvy);

/* Sends and waits. A stale date (23005) teaches the offset of the server's
 * clock and is tried once more. `params` is borrowed. */
void ivvy_call(Ivvy *ivvy, const char *name_space, const char *action,
               const json_t *params, Answer *answer);

/* The call in flight ends with ANSWER_CANCELLED, and so do all later ones. */
void ivvy_cancel(Ivvy *ivvy);

/* Seconds that the server's clock is ahead of ours, as far as we know. */
int64_t ivvy_clock_offset(const Ivvy *ivvy);
void ivvy_set_clock_offset(Ivvy *ivvy, int64_t seconds);

/* Connections opened so far: they are kept, so this stays small. */
long ivvy_connections(const Ivvy *ivvy);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Ivvy, ivvy_free)

#endif
