/*
 * batch.h - many calls as jobs of few requests (batch?action=run)
 *
 * batch_run() cuts the requests into batches, has several of them under way,
 * and fetches the results when they can be expected. How long batches take is
 * learnt per action, so that in the steady state a batch costs two requests.
 *
 * Ownership  the caller owns the requests (request_free()).
 * Threads    one owner at a time.
 * Limits     BATCH_JOBS per batch, BATCH_UNDER_WAY at a time.
 * Errors     a request without answer afterwards is lost: it may have been
 *            done or not. *failure says why.
 */
#ifndef BATCH_H
#define BATCH_H

#include "crm/answer.h"

enum { BATCH_JOBS = 200, BATCH_UNDER_WAY = 5, BATCH_LONGEST_MS = 600000 };

typedef struct {
    const char *name_space, *action; /* static */
    json_t *params;                  /* owned */
    Answer answer;
    bool answered;
} Request;

Request *request_new(const char *name_space, const char *action,
                     json_t *params);
void request_free(void *request);

/* The way out: the worker's own, or a test's. */
typedef struct {
    /* Sends one request when it may be sent, and waits for the answer. */
    void (*call)(void *user, const char *name_space, const char *action,
                 const json_t *params, Answer *answer);
    bool (*wait)(void *user, int64_t ms); /* false: we are stopping */
    int64_t (*now)(void *user);           /* milliseconds */
    void *user;
} BatchCaller;

typedef struct Batch Batch;
Batch *batch_new(void);
void batch_free(Batch *batch);

typedef enum {
    BATCH_DONE,        /* as far as it could be */
    BATCH_UNAVAILABLE, /* this account has no batch: nothing was done */
} BatchResult;

/* `requests` of Request. `failure` is always set: ANSWER_OK when all went
 * well; the caller clears it. */
BatchResult batch_run(Batch *batch, const BatchCaller *caller,
                      const GPtrArray *requests, Answer *failure);

/* Gives each request the response of its job, in whatever order they came.
 * For batch_run() and tests. */
void batch_assign(Request *const *requests, size_t n, const json_t *results);

#endif
