/*
 * status_page.h - the status page: how things stand, for a person
 *
 * Plain HTML without scripts. What the last day was like is drawn from samples
 * of the metrics that status_page_sample() takes.
 *
 * Ownership  status_page_free(); pages are freed by the caller.
 * Threads    status_page_sample() and status_page_html() from any thread.
 * Limits     96 samples, a quarter of an hour each; STATUS_PAGE_ROWS entries of
 *            the queue are looked at, STATE_ROWS of each state shown.
 */
#ifndef STATUS_PAGE_H
#define STATUS_PAGE_H

#include "base/settings.h"
#include "store/spool.h"
#include "store/store.h"

enum { STATUS_PAGE_ROWS = 500 };

typedef struct StatusPage StatusPage;

/* How things stand now; strings may be NULL, nothing is owned. */
typedef struct {
    int64_t now;
    const char *role;
    const SpoolStatus *spool; /* NULL: it cannot be read */
    const StoreStatus *store; /* NULL: not open */
    int64_t mail_side_silent; /* seconds; -1: it is this process */
    const char *paused;       /* why the sync is paused */
    const char *last_success;
    const char *last_error;
    const GPtrArray *queue; /* of QueueEntry; NULL: none */
    const GPtrArray *log;   /* of LogLine, oldest first; NULL: none */
} StatusFacts;

StatusPage *status_page_new(int64_t now);
void status_page_free(StatusPage *page);

/* To be called at least every few minutes. */
void status_page_sample(StatusPage *page, int64_t now);

char *status_page_html(StatusPage *page, const StatusFacts *facts);

#endif
