/*
 * listener.h - the socket that the mail server connects to
 *
 * libmilter opens and serves it; this is what libmilter leaves out: a living
 * socket is refused, mode and group are set, and listening can end while
 * sessions go on.
 *
 * Threads    listener_open() while the process has one thread; the others from
 *            any thread.
 */
#ifndef LISTENER_H
#define LISTENER_H

#include "base/settings.h"

/* smfi_register() has been called. */
bool listener_open(const Settings *settings, GError **error);
bool listener_is_unix(void);

/* Nobody can connect any more; sessions go on. */
void listener_close(void);

/* After listener_close(): makes libmilter's listener look up once, so that it
 * notices smfi_stop() at once; by itself it does so every five seconds. */
void listener_wake(void);

#endif
