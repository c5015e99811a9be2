/*
 * share.h - what the mail side tells the sync side for its pages
 *
 * With split roles the mail side has no network. Every few seconds it leaves
 * its metrics and last warnings in a file beside the spool; the sync side reads
 * that and serves them with its own.
 *
 * Threads    all functions may be called from any thread.
 * Limits     SHARE_MAX bytes are read.
 */
#ifndef SHARE_H
#define SHARE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

enum { SHARE_MAX = 256 * 1024 };

/* Replaces the file beside `spool`; false if the disk does not take it. */
bool share_write(const char *spool, int64_t now);

/* Takes the mail side's metrics over (metrics_load), adds its log lines to
 * `log` (may be NULL). When it was written; 0: never, or not readable. */
int64_t share_read(const char *spool, GPtrArray *log);

#endif
