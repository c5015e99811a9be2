/*
 * store_work.c - what is due, for the sync: claims, leases and answers
 *
 * A claim moves `due` to the end of the lease and names itself in `lease`; an
 * answer counts only while that name still stands there. So a host that dies
 * or sleeps loses nothing but time, and a late answer does no harm.
 */
#include "config.h"

#include "store/store_internal.h"

#include "base/log.h"

typedef struct {
    size_t max;
    int64_t now, until;
    char *lease;
    GPtrArray *records; /* out */
} ClaimWork;

/* How many may be claimed together with a contact that was claimed `claims`
 * times without an answer; see store.h. */
static size_t
company(int64_t claims, size_t max)
{
    return claims == 0   ? max
           : claims == 1 ? MIN(max, (size_t) STORE_SUSPECT_GROUP)
                         : 1;
}

/* Chooses from the rows that are due; true when it buried some and chose none,
 * so that it is worth to look again. */
static bool
choose(Store *store, ClaimWork *work, GPtrArray *order)
{
    size_t limit = 0;
    int64_t kind = 0;
    bool buried = false;
    for (guint i = 0; i < order->len; i++) {
        StoreRow *row = order->pdata[i];
        bool ours = g_hash_table_contains(store->claimed, row->key);
        int64_t claims = ours ? 0 : row->claims;
        if (claims >= STORE_MAX_CLAIMS) {
            g_autofree char *shown = log_address(row->key);
            log_error("store: %s is set aside: the program died of it %d "
                      "times",
                      shown, (int) claims);
            store_row_bury(row, NULL, "the program died while working on it");
            buried = true;
            continue;
        }
        if (work->records->len == 0) {
            kind = MIN(claims, 2);
            limit = company(claims, work->max);
        }
        if (MIN(claims, 2) != kind || work->records->len >= limit)
            continue;
        store_row_claim(row, work->lease, work->now, work->until, !ours);
        g_ptr_array_add(work->records, store_row_record(row));
    }
    return buried && work->records->len == 0;
}

char *
store_claim_sql(const Store *store)
{
    g_autofree char *columns =
        store_table_columns(&store_tables[TABLE_CONTACT]);
    return g_strdup_printf("SELECT %s FROM contact WHERE state = 1 AND due <= "
                           "$1 ORDER BY due LIMIT $2%s",
                           columns, store->backend->skip_locked);
}

static bool
claim_work(Store *store, void *data, GError **error)
{
    ClaimWork *work = data;
    g_autofree char *sql = store_claim_sql(store);
    StoreValue params[] = { VALUE_OF_INT(work->now),
                            VALUE_OF_INT((int64_t) work->max) };
    g_ptr_array_set_size(work->records, 0);
    for (bool again = true; again;) {
        StoreRows rows = { 0 };
        g_autoptr(GHashTable) table = store_row_table_new();
        g_autoptr(GPtrArray) order = g_ptr_array_new();
        if (!store_run(store, sql, params, 2, &rows, NULL, error)) {
            store_rows_clear(&rows);
            return false;
        }
        for (guint i = 0; i < rows.rows->len; i++) {
            StoreRow *row = store_row_from_values(rows.rows->pdata[i]);
            g_hash_table_replace(table, row->key, row);
            g_ptr_array_add(order, row);
        }
        store_rows_clear(&rows);
        again = choose(store, work, order);
        if (!store_save_rows(store, table, error))
            return false;
    }
    return true;
}

GPtrArray *
store_claim(Store *store, size_t max, int64_t now, int64_t lease_s,
            GError **error)
{
    g_autofree char *nonce = g_uuid_string_random();
    g_autofree char *lease = g_strdup_printf("%s/%.8s", store->host, nonce);
    ClaimWork work = {
        .max = max, .now = now, .until = now + lease_s, .lease = lease
    };
    work.records =
        g_ptr_array_new_with_free_func((GDestroyNotify) contact_record_free);
    if (max > 0 && !store_transact(store, claim_work, &work, error)) {
        g_ptr_array_unref(work.records);
        return NULL;
    }
    (void) pthread_mutex_lock(&store->lock);
    for (guint i = 0; i < work.records->len; i++) {
        const ContactRecord *record = work.records->pdata[i];
        g_hash_table_replace(store->claimed, store_key(record->email),
                             g_strdup(record->lease));
    }
    (void) pthread_mutex_unlock(&store->lock);
    return work.records;
}

bool
store_release_leases(Store *store, GError **error)
{
    g_autofree char *prefix = g_strconcat(store->host, "/", NULL);
    StoreValue params[] = { VALUE_OF_INT(g_utf8_strlen(prefix, -1)),
                            VALUE_OF_TEXT(prefix) };
    return store_run_alone(store,
                           "UPDATE contact SET due = since, lease = NULL"
                           " WHERE state = 1 AND lease IS NOT NULL AND"
                           " substr(lease, 1, $1) = $2",
                           params, 2, NULL, error);
}

typedef enum { ANSWER_SAVE, ANSWER_CONFIRM, ANSWER_RETRY, ANSWER_BURY } Answer;

typedef struct {
    Answer answer;
    const ContactRecord *const *records;
    size_t n;
    int64_t due;
    const char *reason;
} AnswerWork;

static bool
answer_work(Store *store, void *data, GError **error)
{
    const AnswerWork *work = data;
    g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GHashTable) records = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GHashTable) table = store_row_table_new();
    for (size_t i = 0; i < work->n; i++) {
        char *key = store_key(work->records[i]->email);
        if (key != NULL &&
            g_hash_table_insert(records, key, (void *) work->records[i]))
            g_ptr_array_add(keys, key);
        else
            g_free(key);
    }
    if (!store_load_rows(store, keys, table, error))
        return false;
    for (guint i = 0; i < keys->len; i++) {
        StoreRow *row = g_hash_table_lookup(table, keys->pdata[i]);
        const ContactRecord *record =
            g_hash_table_lookup(records, keys->pdata[i]);
        /* Forgotten meanwhile, or another host took it over. */
        if (row->is_new || row->lease == NULL ||
            g_strcmp0(row->lease, record->lease) != 0)
            continue;
        switch (work->answer) {
        case ANSWER_SAVE:
            store_row_keep(row, record);
            break;
        case ANSWER_CONFIRM:
            store_row_confirm(row, record);
            break;
        case ANSWER_RETRY:
            store_row_retry(row, record, work->due, work->reason);
            break;
        case ANSWER_BURY:
            store_row_bury(row, record, work->reason);
            break;
        }
    }
    return store_save_rows(store, table, error);
}

static bool
answer(Store *store, AnswerWork *work, GError **error)
{
    if (work->n == 0)
        return true;
    if (!store_transact(store, answer_work, work, error))
        return false;
    if (work->answer == ANSWER_SAVE)
        return true;
    (void) pthread_mutex_lock(&store->lock);
    for (size_t i = 0; i < work->n; i++) {
        g_autofree char *key = store_key(work->records[i]->email);
        if (key != NULL)
            g_hash_table_remove(store->claimed, key);
    }
    (void) pthread_mutex_unlock(&store->lock);
    return true;
}

bool
store_save(Store *store, ContactRecord *const *records, size_t n,
           GError **error)
{
    AnswerWork work = { .answer = ANSWER_SAVE,
                        .records = (const ContactRecord *const *) records,
                        .n = n };
    return answer(store, &work, error);
}

bool
store_confirm(Store *store, ContactRecord *const *records, size_t n,
              GError **error)
{
    AnswerWork work = { .answer = ANSWER_CONFIRM,
                        .records = (const ContactRecord *const *) records,
                        .n = n };
    return answer(store, &work, error);
}

bool
store_retry(Store *store, const ContactRecord *record, int64_t due,
            const char *reason, GError **error)
{
    AnswerWork work = { ANSWER_RETRY, &record, 1, due, reason };
    return answer(store, &work, error);
}

bool
store_bury(Store *store, const ContactRecord *record, const char *reason,
           GError **error)
{
    AnswerWork work = { ANSWER_BURY, &record, 1, 0, reason };
    return answer(store, &work, error);
}

/* At closing: leases that nobody answered go back, uncounted. */
bool
store_give_back_work(Store *store, void *data, GError **error)
{
    (void) data;
    g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GHashTable) table = store_row_table_new();
    GHashTableIter iter;
    void *key;
    g_hash_table_iter_init(&iter, store->claimed);
    while (g_hash_table_iter_next(&iter, &key, NULL))
        g_ptr_array_add(keys, g_strdup(key));
    if (!store_load_rows(store, keys, table, error))
        return false;
    for (guint i = 0; i < keys->len; i++) {
        StoreRow *row = g_hash_table_lookup(table, keys->pdata[i]);
        const char *lease = g_hash_table_lookup(store->claimed, row->key);
        if (row->lease == NULL || g_strcmp0(row->lease, lease) != 0)
            continue;
        row->due = row->since;
        row->claims = MAX(row->claims - 1, 0);
        g_clear_pointer(&row->lease, g_free);
        row->dirty = true;
    }
    return store_save_rows(store, table, error);
}
