/*
 * store_internal.h - what the files store*.c share; for nobody else
 *
 * Threads    store_transact() and store_run_alone() take the lock; all others
 *            are called within a transaction's work.
 */
#ifndef STORE_INTERNAL_H
#define STORE_INTERNAL_H

#include "store/store_merge.h"

#include <pthread.h>

struct Store {
    const StoreBackend *backend;
    char *host;
    pthread_mutex_t lock; /* all of what follows */
    void *connection;
    GHashTable *claimed; /* key -> lease: claimed by us, not answered yet */
};

/* held.flags */
enum { HELD_SUPPRESS = 1, HELD_SOFT = 2, HELD_LAST_MAIL = 4 };

/* --- transactions (store.c) */

typedef bool (*StoreWork)(Store *store, void *data, GError **error);

/* Runs `work` in a transaction, as often as conflicts make necessary: it must
 * set its results anew each time. */
bool store_transact(Store *store, StoreWork work, void *data, GError **error);
/* One statement is a transaction by itself; the same retries. */
bool store_run_alone(Store *store, const char *sql, const StoreValue *params,
                     size_t n_params, StoreRows *out_rows, GError **error);
/* One number that a statement answers, alone. */
bool store_query_int(Store *store, const char *sql, const StoreValue *params,
                     size_t n_params, int64_t *out_value, GError **error);
bool store_run(Store *store, const char *sql, const StoreValue *params,
               size_t n_params, StoreRows *out_rows, int64_t *out_changed,
               GError **error);

/* --- rows of contacts (store.c) */

GHashTable *store_row_table_new(void); /* key -> StoreRow */
bool store_load_rows(Store *store, GPtrArray *keys, GHashTable *table,
                     GError **error);
bool store_save_rows(Store *store, GHashTable *table, GError **error);
bool store_count_contacts(Store *store, int64_t more, GError **error);

int64_t store_to_int(const char *text);
char *store_number(int64_t value);
char *store_valid_text(const char *text); /* NULL for NULL */

/* --- store_intake.c */

typedef struct {
    const Judged *list;
    size_t n;
    int64_t now;
} StoreMergeWork;

bool store_merge_work(Store *store, void *data, GError **error);
char *store_sent_key(Store *store, GError **error);
char *store_hash_recipient(const char *key, const char *recipient);

/* --- store_work.c */

/* What finds the work that is due; $1: now, $2: how many. */
char *store_claim_sql(const Store *store);
/* At closing. */
bool store_give_back_work(Store *store, void *data, GError **error);

#endif
