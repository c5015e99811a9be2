/*
 * store_queue.c - the administrator's view of what waits
 */
#include "config.h"

#include "store/store_internal.h"

#include "store/observation_json.h"

#include <string.h>

bool
store_status(Store *store, StoreStatus *out_status, GError **error)
{
    static const struct {
        const char *sql;
        size_t offset;
    } queries[] = {
        { "SELECT count(*) FROM contact WHERE state = 1",
          offsetof(StoreStatus, pending) },
        { "SELECT min(since) FROM contact WHERE state = 1",
          offsetof(StoreStatus, oldest_pending) },
        { "SELECT count(*) FROM contact WHERE state = 2",
          offsetof(StoreStatus, dead) },
        { "SELECT count(*) FROM held", offsetof(StoreStatus, held) },
        { "SELECT sum(n) FROM counter WHERE name = 'contacts'",
          offsetof(StoreStatus, contacts) },
    };
    StoreStatus status = { 0 };
    for (size_t i = 0; i < G_N_ELEMENTS(queries); i++) {
        int64_t value = 0;
        if (!store_query_int(store, queries[i].sql, NULL, 0, &value, error))
            return false;
        memcpy((char *) &status + queries[i].offset, &value, sizeof value);
    }
    *out_status = status;
    return true;
}

static QueueEntry *
entry_of_row(const StoreRow *row)
{
    QueueEntry *entry = g_new0(QueueEntry, 1);
    entry->email = g_strdup(row->email != NULL ? row->email : row->key);
    entry->state = g_strdup(row->state == CONTACT_DEAD ? "dead" : "pending");
    entry->wants = store_row_wants(row);
    entry->reason = g_strdup(row->reason);
    entry->trust = g_strdup(row->trust);
    entry->attempts = (unsigned) CLAMP(row->attempts, 0, INT32_MAX);
    entry->since = row->since;
    entry->due = row->due;
    return entry;
}

static void
held_to_judged(const StoreValues values, Judged *out_judged)
{
    int64_t flags = store_to_int(values[4]);
    *out_judged = (Judged){
        .trust = values[9],
        .want_status = (int) store_to_int(values[2]),
        .want_sms = (int) store_to_int(values[3]),
        .unknown_suppress = (flags & HELD_SUPPRESS) != 0,
        .soft_bounce = (flags & HELD_SOFT) != 0,
        .want_last_mail = (flags & HELD_LAST_MAIL) != 0,
    };
}

static QueueEntry *
entry_of_held(const StoreValues values)
{
    Judged judged;
    held_to_judged(values, &judged);
    g_autoptr(Observation) observation =
        observation_from_json(values[10], NULL);
    QueueEntry *entry = g_new0(QueueEntry, 1);
    entry->held_id = store_to_int(values[0]);
    entry->since = entry->due = store_to_int(values[1]);
    entry->email =
        g_strdup(observation != NULL ? observation->email : values[5]);
    entry->state = g_strdup("held");
    entry->reason = g_strdup(values[8]);
    entry->trust = g_strdup(values[9]);
    StoreRow wants = { .want_status = judged.want_status,
                       .want_sms = judged.want_sms,
                       .want_fields = observation != NULL &&
                                      observation->contact != NULL };
    entry->wants = store_row_wants(&wants);
    if (*entry->wants == '\0' && observation != NULL) {
        g_free(entry->wants);
        entry->wants = g_strdup(observation_kind_name(observation->kind));
    }
    return entry;
}

/* Statements about all rows or those of one address: `one` has a condition
 * on the key more, whose value is the last parameter. */
static bool
run_for(Store *store, const char *key, const char *all, const char *one,
        const StoreValue *params, size_t n_params, StoreRows *out_rows,
        int64_t *out_changed, GError **error)
{
    StoreValue list[8];
    g_assert(n_params < G_N_ELEMENTS(list));
    for (size_t i = 0; i < n_params; i++)
        list[i] = params[i];
    list[n_params] = VALUE_OF_TEXT(key);
    return store_run(store, key != NULL ? one : all, list,
                     n_params + (key != NULL ? 1 : 0), out_rows, out_changed,
                     error);
}

typedef struct {
    const char *key; /* NULL: all */
    size_t max;
    bool dead_only;
    int64_t now;
    GPtrArray *entries; /* out */
    int64_t n;          /* out */
} QueueWork;

static bool
queue_work(Store *store, void *data, GError **error)
{
    QueueWork *work = data;
    /* What needs a person first: it must not drown in what waits. */
    static const StoreTableId sources[] = { TABLE_CONTACT, TABLE_HELD,
                                            TABLE_CONTACT };
    static const char *const where[] = { "state = 2", "1 = 1", "state = 1" };
    static const char *const order[] = { "since", "since, id", "due" };
    g_ptr_array_set_size(work->entries, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(sources); i++) {
        const StoreTable *table = &store_tables[sources[i]];
        g_autofree char *columns = store_table_columns(table);
        g_autofree char *all =
            g_strdup_printf("SELECT %s FROM %s WHERE %s ORDER BY %s LIMIT $1",
                            columns, table->name, where[i], order[i]);
        g_autofree char *one = g_strdup_printf(
            "SELECT %s FROM %s WHERE key = $1 AND %s ORDER BY %s LIMIT $2",
            columns, table->name, where[i], order[i]);
        StoreValue max = VALUE_OF_INT((int64_t) work->max);
        StoreValue both[] = { VALUE_OF_TEXT(work->key), max };
        StoreRows rows = { 0 };
        bool ok = work->key != NULL
                      ? store_run(store, one, both, 2, &rows, NULL, error)
                      : store_run(store, all, &max, 1, &rows, NULL, error);
        for (guint k = 0;
             ok && k < rows.rows->len && work->entries->len < work->max; k++) {
            if (sources[i] == TABLE_HELD) {
                g_ptr_array_add(work->entries,
                                entry_of_held(rows.rows->pdata[k]));
                continue;
            }
            StoreRow *row = store_row_from_values(rows.rows->pdata[k]);
            g_ptr_array_add(work->entries, entry_of_row(row));
            store_row_free(row);
        }
        store_rows_clear(&rows);
        if (!ok)
            return false;
    }
    return true;
}

GPtrArray *
store_queue(Store *store, const char *email, size_t max, GError **error)
{
    g_autofree char *key = store_key(email);
    QueueWork work = { .key = key, .max = max };
    work.entries =
        g_ptr_array_new_with_free_func((GDestroyNotify) queue_entry_free);
    if (email != NULL && key == NULL)
        return work.entries;
    if (!store_transact(store, queue_work, &work, error)) {
        g_ptr_array_unref(work.entries);
        return NULL;
    }
    return work.entries;
}

ContactRecord *
store_get(Store *store, const char *email, GError **error)
{
    g_autofree char *key = store_key(email);
    if (key == NULL)
        return NULL;
    g_autofree char *columns =
        store_table_columns(&store_tables[TABLE_CONTACT]);
    g_autofree char *sql =
        g_strdup_printf("SELECT %s FROM contact WHERE key = $1", columns);
    StoreValue param = VALUE_OF_TEXT(key);
    StoreRows rows = { 0 };
    ContactRecord *record = NULL;
    if (store_run_alone(store, sql, &param, 1, &rows, error) &&
        rows.rows->len > 0) {
        StoreRow *row = store_row_from_values(rows.rows->pdata[0]);
        record = store_row_record(row);
        store_row_free(row);
    }
    store_rows_clear(&rows);
    return record;
}

static bool
retry_work(Store *store, void *data, GError **error)
{
    QueueWork *work = data;
    int64_t pending = 0, dead = 0;
    StoreValue now = VALUE_OF_INT(work->now);
    /* A leased one is being worked on at this moment: left alone. What was
     * refused may be good now, that is why it is retried. */
#define RETRY_PENDING \
    "UPDATE contact SET due = $1, claims = 0" \
    " WHERE state = 1 AND lease IS NULL"
#define RETRY_DEAD \
    "UPDATE contact SET state = 1, due = $1, since = $1, claims = 0," \
    " attempts = 0, refused = NULL, version = version + 1" \
    " WHERE state = 2"
    if (!work->dead_only &&
        !run_for(store, work->key, RETRY_PENDING, RETRY_PENDING " AND key = $2",
                 &now, 1, NULL, &pending, error))
        return false;
    if (!run_for(store, work->key, RETRY_DEAD, RETRY_DEAD " AND key = $2", &now,
                 1, NULL, &dead, error))
        return false;
    work->n = pending + dead;
    return true;
}

static bool
release_work(Store *store, void *data, GError **error)
{
    QueueWork *work = data;
    const StoreTable *table = &store_tables[TABLE_HELD];
    g_autofree char *columns = store_table_columns(table);
    g_autofree char *all = g_strdup_printf(
        "SELECT %s FROM held ORDER BY since, id LIMIT 200", columns);
    g_autofree char *one = g_strdup_printf(
        "SELECT %s FROM held WHERE key = $1 ORDER BY since, id LIMIT 200",
        columns);
    g_autoptr(GPtrArray) observations =
        g_ptr_array_new_with_free_func((GDestroyNotify) observation_free);
    g_autoptr(GArray) list = g_array_new(FALSE, TRUE, sizeof(Judged));
    StoreRows rows = { 0 };

    work->n = 0;
    bool ok = run_for(store, work->key, all, one, NULL, 0, &rows, NULL, error);
    for (guint i = 0; ok && i < rows.rows->len; i++) {
        StoreValues values = rows.rows->pdata[i];
        Judged judged;
        held_to_judged(values, &judged);
        Observation *observation = observation_from_json(values[10], NULL);
        if (observation == NULL)
            continue; /* cannot be read: stays, to be seen and dropped */
        g_ptr_array_add(observations, observation);
        judged.observation = observation;
        g_array_append_val(list, judged);
        StoreValue id = VALUE_OF_INT(store_to_int(values[0]));
        ok = store_run(store, "DELETE FROM held WHERE id = $1", &id, 1, NULL,
                       NULL, error);
        work->n++;
    }
    if (ok && list->len > 0) {
        StoreMergeWork merge = { (const Judged *) (void *) list->data,
                                 list->len, work->now };
        ok = store_merge_work(store, &merge, error);
    }
    store_rows_clear(&rows);
    return ok;
}

#define DROP \
    "UPDATE contact SET state = 0, want_fields = 0, want_status = 0," \
    " want_sms = 0, suppress = 0, due = 0, since = 0, claims = 0," \
    " attempts = 0, lease = NULL, reason = NULL, trust = NULL," \
    " version = version + 1 WHERE state = "

static bool
drop_work(Store *store, void *data, GError **error)
{
    QueueWork *work = data;
    static const char *const all[] = { DROP "1", DROP "2", "DELETE FROM held" };
    static const char *const one[] = { DROP "1 AND key = $1",
                                       DROP "2 AND key = $1",
                                       "DELETE FROM held WHERE key = $1" };
    work->n = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(all); i++) {
        int64_t n = 0;
        if (!run_for(store, work->key, all[i], one[i], NULL, 0, NULL, &n,
                     error))
            return false;
        work->n += n;
    }
    return true;
}

static int64_t
queue_change(Store *store, StoreWork change, const char *email, bool dead_only,
             int64_t now, GError **error)
{
    g_autofree char *key = store_key(email);
    QueueWork work = { .key = key, .dead_only = dead_only, .now = now };
    if (email != NULL && key == NULL)
        return 0;
    return store_transact(store, change, &work, error) ? work.n : -1;
}

int64_t
store_queue_retry(Store *store, const char *email, bool dead_only, int64_t now,
                  GError **error)
{
    return queue_change(store, retry_work, email, dead_only, now, error);
}

int64_t
store_queue_release(Store *store, const char *email, int64_t now,
                    GError **error)
{
    int64_t total = 0, n;
    do {
        n = queue_change(store, release_work, email, false, now, error);
        if (n < 0)
            return -1;
        total += n;
    } while (n > 0);
    return total;
}

int64_t
store_queue_drop(Store *store, const char *email, GError **error)
{
    return queue_change(store, drop_work, email, false, 0, error);
}

static bool
forget_work(Store *store, void *data, GError **error)
{
    QueueWork *work = data;
    g_autofree char *hash_key = store_sent_key(store, error);
    if (hash_key == NULL)
        return false;
    g_autofree char *recipient = store_hash_recipient(hash_key, work->key);
    StoreValue key = VALUE_OF_TEXT(work->key);
    StoreValue hash = VALUE_OF_TEXT(recipient);
    const struct {
        const char *sql;
        const StoreValue *param;
    } steps[] = {
        { "DELETE FROM contact WHERE key = $1", &key },
        { "DELETE FROM held WHERE key = $1", &key },
        { "DELETE FROM event WHERE kind = 'soft' AND subject = $1", &key },
        { "DELETE FROM sent WHERE recipient = $1", &hash },
    };
    work->n = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(steps); i++) {
        int64_t n = 0;
        if (!store_run(store, steps[i].sql, steps[i].param, 1, NULL, &n,
                       error) ||
            (i == 0 && !store_count_contacts(store, -n, error)))
            return false;
        work->n += n;
    }
    return true;
}

int64_t
store_forget(Store *store, const char *email, GError **error)
{
    return email == NULL
               ? 0
               : queue_change(store, forget_work, email, false, 0, error);
}
