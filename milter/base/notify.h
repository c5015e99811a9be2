/*
 * notify.h - what the service manager is told (sd_notify(3))
 *
 * Without systemd, in the build or around the process, nothing happens.
 *
 * Threads    safe everywhere.
 */
#ifndef NOTIFY_H
#define NOTIFY_H

#include <stdint.h>

void notify_ready(const char *status);
void notify_reloading(void);
void notify_stopping(void);
void notify_alive(void);

/* How often notify_alive() is wanted, in milliseconds; 0: not at all. Half of
 * the watchdog's patience (sd_watchdog_enabled(3)). */
int64_t notify_interval(void);

#endif
