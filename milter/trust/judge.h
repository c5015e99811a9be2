/*
 * judge.h - from the spool to the contacts store: who really wrote this?
 *
 * judge_one() decides about one observation (SPF, Authentication-Results,
 * alignment, bounce evidence, limits); judge_run() takes what is due in the
 * spool, judges it, merges it into the store and marks it done.
 *
 * Threads    one judge thread; judge_run() may wait for DNS.
 */
#ifndef JUDGE_H
#define JUDGE_H

#include "base/settings.h"
#include "store/spool.h"
#include "store/store.h"

typedef struct Judge Judge;

/* Borrows store; holds a reference to settings. */
Judge *judge_new(Settings *settings, Store *store, GError **error);
void judge_free(Judge *judge);
/* New settings from a reload. */
void judge_configure(Judge *judge, Settings *settings);

/* Handles up to `max` due rows; returns how many, or -1 with an error (the
 * rows stay in the spool). */
int judge_run(Judge *judge, Spool *spool, size_t max, int64_t now,
              GError **error);

#endif
