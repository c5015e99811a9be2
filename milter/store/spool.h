/*
 * spool.h - observations on the local disk before end-of-message is answered
 *
 * Always SQLite (WAL, synchronous=FULL). One writer thread groups what many
 * sessions append into one commit. The judge (trust/) takes rows in order,
 * and a row is gone only when what became of it is in the contacts store.
 *
 * Ownership  spool_close().
 * Threads    spool_append() from any thread; the judge's functions from one.
 *            mta and sync roles may have the file open at once.
 * Limits     SPOOL_MEMORY_ROWS observations wait in memory when the disk does
 *            not take them; what overflows is lost, counted and logged by the
 *            caller with its queue ID.
 */
#ifndef SPOOL_H
#define SPOOL_H

#include "analysis/observation.h"

enum { SPOOL_MEMORY_ROWS = 10000, SPOOL_MAX_ATTEMPTS = 3 };

typedef struct Spool Spool;

typedef enum {
    SPOOL_STORED,  /* on disk */
    SPOOL_WAITING, /* the disk was slow: in memory, written when it can be */
    SPOOL_LOST,    /* memory queue full, or the spool is closing */
} SpoolResult;

/* Opens or creates `path`. A damaged file is set aside (renamed to
 * PATH.damaged-TIME, *out_notice says so) and a new one begun. */
Spool *spool_open(const char *path, char **out_notice, GError **error);
/* The same for who must go on: when the file cannot be had now (disk full,
 * locked, no folder), *out_notice says so, observations wait in memory, and it
 * is tried again with each step. NULL only for a file that can never serve. */
Spool *spool_open_or_wait(const char *path, char **out_notice, GError **error);
/* Writes what waits, then closes; NULL is accepted. */
void spool_close(Spool *spool);

/* All observations (of type Observation, not consumed) of one message, or
 * none, within `wait_ms`. */
SpoolResult spool_append(Spool *spool, const GPtrArray *observations,
                         int64_t wait_ms);

typedef struct {
    int64_t id;
    unsigned attempts; /* this one included */
    char *key; /* names the observation for good: host, row, message, kind */
    Observation *observation; /* never NULL: unreadable rows are set aside */
} SpoolRow;

/* Up to `max` rows that are due, oldest first (the array frees them); their
 * attempts are raised on disk before they are returned, so that a crash cannot
 * loop. A row beyond SPOOL_MAX_ATTEMPTS is set aside instead, with a log line;
 * one that an earlier process died with comes alone. Rows that are neither
 * done nor deferred come again with the next fetch, not counted again. */
GPtrArray *spool_fetch(Spool *spool, size_t max, int64_t now, GError **error);
bool spool_done(Spool *spool, const int64_t *ids, size_t n, GError **error);
/* Not before `due` again (0: at once, in the place that it had); does not
 * count as an attempt. */
bool spool_defer(Spool *spool, int64_t id, int64_t due, GError **error);
/* What was deferred to more than `longest_s` after now is due now: after the
 * clock was set back, "later" would be too late. */
bool spool_clock_set_back(Spool *spool, int64_t now, int64_t longest_s,
                          GError **error);

typedef struct {
    int64_t rows;
    int64_t set_aside;
    int64_t waiting; /* in this process's memory, not yet on the disk */
    int64_t oldest;  /* seconds since the epoch; 0: none */
} SpoolStatus;
bool spool_status(Spool *spool, SpoolStatus *out_status, GError **error);

/* Erases the rows about `email`; the number of rows, or -1. */
int64_t spool_forget(Spool *spool, const char *email, GError **error);

/* Called by the writer thread after each commit: new work is there. */
void spool_on_commit(Spool *spool, void (*wake)(void *data), void *data);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Spool, spool_close)

#endif
