/*
 * notify.c - see notify.h
 */
#include "base/notify.h"

#ifdef HAVE_SYSTEMD

#include <inttypes.h>
#include <systemd/sd-daemon.h>
#include <time.h>

void
notify_ready(const char *status)
{
    (void) sd_notifyf(0, "READY=1\nSTATUS=%s", status);
}

void
notify_reloading(void)
{
    /* Type=notify-reload wants the time by the monotonic clock. */
    struct timespec now;
    (void) clock_gettime(CLOCK_MONOTONIC, &now);
    (void) sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
                      (int64_t) now.tv_sec * 1000000 + now.tv_nsec / 1000);
}

void
notify_stopping(void)
{
    (void) sd_notify(0, "STOPPING=1");
}

void
notify_alive(void)
{
    (void) sd_notify(0, "WATCHDOG=1");
}

int64_t
notify_interval(void)
{
    uint64_t us = 0;
    if (sd_watchdog_enabled(0, &us) <= 0)
        return 0;
    return (int64_t) (us / 2000);
}

#else

void
notify_ready(const char *status)
{
    (void) status;
}

void
notify_reloading(void)
{
}

void
notify_stopping(void)
{
}

void
notify_alive(void)
{
}

int64_t
notify_interval(void)
{
    return 0;
}

#endif
