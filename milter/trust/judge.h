/*
 * judge.h - from the spool to the contacts store: who really wrote this?
 *
 * judge_run() takes what is due in the spool, checks SPF where that can
 * matter (several checks at once), decides each observation (decide.h), merges
 * what counts into the store, marks it done and logs one line for each. Rows
 * are taken in the order in which they came, also after the store was away.
 * With a store that several hosts share, a report about a mail that the
 * sent-log does not know waits: the mail may have left through another host,
 * which has not told yet.
 *
 * Threads    one judge thread; judge_run() may wait for DNS, one check up to
 *            SPF_DEADLINE_S, JUDGE_SPF_THREADS at once.
 */
#ifndef JUDGE_H
#define JUDGE_H

#include "base/settings.h"
#include "store/spool.h"
#include "store/store.h"

enum {
    JUDGE_SPF_THREADS = 8,
    JUDGE_SPF_TRIES = 4,  /* of a temperror, before it counts as none */
    JUDGE_SENT_TRIES = 8, /* of a report that may be early */
};

typedef struct Judge Judge;

/* Borrows store; holds a reference to settings. */
Judge *judge_new(Settings *settings, Store *store, GError **error);
void judge_free(Judge *judge);
/* New settings from a reload. */
void judge_configure(Judge *judge, Settings *settings);
/* For tests: libspf2's layer that answers in place of the resolver. Borrowed;
 * before the first judge_run(). */
struct SPF_dns_server_struct;
void judge_set_dns(Judge *judge, struct SPF_dns_server_struct *below);
/* For tests: as if the store were shared, or not. */
void judge_set_shared(Judge *judge, bool shared);

/* Handles up to `max` due rows; returns how many, or -1 with an error (the
 * rows stay in the spool). */
int judge_run(Judge *judge, Spool *spool, size_t max, int64_t now,
              GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Judge, judge_free)

#endif
