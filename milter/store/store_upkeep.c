/*
 * store_upkeep.c - what is past its time goes; moving to another store
 */
#include "config.h"

#include "store/store_internal.h"

#include <string.h>

enum {
    EXPIRE_BATCH = 5000,
    EXPIRE_ROUNDS = 20, /* batches of each kind in one store_expire() */
    EVENT_RETENTION_S = 400 * 86400,
    STATUS_EVENT_RETENTION_S = 2 * 86400,
    MERGED_RETENTION_S = 60 * 86400,
    COPY_BATCH = 1000,
};

/* --- expiry -------------------------------------------------------------- */

typedef struct {
    const char *sql;
    int64_t before;
    int64_t n; /* out */
} ExpireWork;

static bool
expire_work(Store *store, void *data, GError **error)
{
    ExpireWork *work = data;
    StoreValue params[] = { VALUE_OF_INT(work->before),
                            VALUE_OF_INT(EXPIRE_BATCH) };
    return store_run(store, work->sql, params, 2, NULL, &work->n, error);
}

typedef struct {
    int64_t before;
    bool more; /* out */
} RetentionWork;

/* Walks the contacts by their key, a slice at a time, and keeps the place in
 * the store: an index on last_mail would cost each mail more than this. */
static bool
retention_work(Store *store, void *data, GError **error)
{
    RetentionWork *work = data;
    StoreRows rows = { 0 };
    g_autofree char *from = NULL;
    g_autofree char *to = NULL;
    work->more = false;
    bool ok =
        store_run(store, "SELECT value FROM state WHERE name = 'expire_cursor'",
                  NULL, 0, &rows, NULL, error);
    from = g_strdup(
        ok && rows.rows->len > 0 ? ((StoreValues) rows.rows->pdata[0])[0] : "");
    StoreValue slice[] = { VALUE_OF_TEXT(from), VALUE_OF_INT(EXPIRE_BATCH) };
    ok = ok && store_run(store,
                         "SELECT max(key) FROM (SELECT key FROM contact"
                         " WHERE key > $1 ORDER BY key LIMIT $2) AS slice",
                         slice, 2, &rows, NULL, error);
    if (ok && rows.rows->len > 0)
        to = g_strdup(((StoreValues) rows.rows->pdata[0])[0]);
    store_rows_clear(&rows);
    if (!ok)
        return false;
    if (to != NULL) {
        StoreValue params[] = { VALUE_OF_TEXT(from), VALUE_OF_TEXT(to),
                                VALUE_OF_INT(work->before) };
        int64_t n = 0;
        if (!store_run(store,
                       "DELETE FROM contact WHERE key > $1 AND key <= $2"
                       " AND state <> 1 AND last_mail < $3 AND first_seen < $3"
                       " AND status_at < $3",
                       params, 3, NULL, &n, error) ||
            !store_count_contacts(store, -n, error))
            return false;
        work->more = true;
    }
    StoreValue cursor = VALUE_OF_TEXT(to != NULL ? to : "");
    return store_run(
        store,
        "INSERT INTO state (name, value) VALUES ('expire_cursor', $1)"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        &cursor, 1, NULL, NULL, error);
}

bool
store_expire(Store *store, int64_t now, int64_t sent_window_s,
             int64_t retention_s, GError **error)
{
    ExpireWork work[] = {
        { "DELETE FROM sent WHERE (message, recipient) IN"
          " (SELECT message, recipient FROM sent WHERE time < $1 LIMIT $2)",
          now - sent_window_s, 0 },
        { "DELETE FROM merged WHERE key IN"
          " (SELECT key FROM merged WHERE time < $1 LIMIT $2)",
          now - MERGED_RETENTION_S, 0 },
        { "DELETE FROM event WHERE (kind, subject, time, key) IN"
          " (SELECT kind, subject, time, key FROM event"
          " WHERE time < $1 LIMIT $2)",
          now - EVENT_RETENTION_S, 0 },
        { "DELETE FROM event WHERE (kind, subject, time, key) IN"
          " (SELECT kind, subject, time, key FROM event"
          " WHERE time < $1 AND kind = 'status' LIMIT $2)",
          now - STATUS_EVENT_RETENTION_S, 0 },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(work); i++) {
        for (unsigned round = 0; round < EXPIRE_ROUNDS; round++) {
            if (!store_transact(store, expire_work, &work[i], error))
                return false;
            if (work[i].n < EXPIRE_BATCH)
                break;
        }
    }
    RetentionWork retention = { now - retention_s, true };
    for (unsigned round = 0; round < EXPIRE_ROUNDS && retention.more; round++) {
        if (!store_transact(store, retention_work, &retention, error))
            return false;
    }
    return true;
}

bool
store_clock_set_back(Store *store, int64_t now, int64_t longest_s,
                     GError **error)
{
    StoreValue params[] = { VALUE_OF_INT(now), VALUE_OF_INT(now + longest_s) };
    /* A leased one is being worked on. */
    return store_run_alone(store,
                           "UPDATE contact SET due = $1 WHERE state = 1 AND"
                           " lease IS NULL AND due > $2",
                           params, 2, NULL, error);
}

/* --- moving to another store --------------------------------------------- */

typedef struct {
    const StoreTable *table;
    StoreRows *rows;
    GPtrArray *after; /* key of the last row read; NULL at the beginning */
    int64_t inserted; /* out */
} CopyWork;

static char *
page_sql(const StoreTable *table, bool first)
{
    g_autofree char *columns = store_table_columns(table);
    g_autoptr(GString) key = g_string_new(NULL);
    g_autoptr(GString) params = g_string_new(NULL);
    for (size_t i = 0; i < table->n_key; i++) {
        g_string_append_printf(key, "%s%s", i > 0 ? ", " : "",
                               table->columns[i].name);
        g_string_append_printf(params, "%s$%zu", i > 0 ? ", " : "", i + 1);
    }
    if (first)
        return g_strdup_printf("SELECT %s FROM %s ORDER BY %s LIMIT $1",
                               columns, table->name, key->str);
    return g_strdup_printf(
        "SELECT %s FROM %s WHERE (%s) > (%s) ORDER BY %s LIMIT $%zu", columns,
        table->name, key->str, params->str, key->str, table->n_key + 1);
}

static bool
read_page(Store *store, const StoreTable *table, GPtrArray *after,
          StoreRows *out_rows, GError **error)
{
    StoreValue params[8];
    size_t n = 0;
    for (; n < after->len; n++)
        params[n] = table->columns[n].is_int
                        ? VALUE_OF_INT(store_to_int(after->pdata[n]))
                        : VALUE_OF_TEXT(after->pdata[n]);
    params[n++] = VALUE_OF_INT(COPY_BATCH);
    g_autofree char *sql = page_sql(table, after->len == 0);
    if (!store_run_alone(store, sql, params, n, out_rows, error))
        return false;
    if (out_rows->rows->len > 0) {
        StoreValues last = out_rows->rows->pdata[out_rows->rows->len - 1];
        g_ptr_array_set_size(after, 0);
        for (size_t i = 0; i < table->n_key; i++)
            g_ptr_array_add(after, g_strdup(last[i]));
    }
    return true;
}

static bool
write_page_work(Store *store, void *data, GError **error)
{
    CopyWork *work = data;
    g_autoptr(GPtrArray) inserted = g_ptr_array_new_with_free_func(g_free);
    if (!store->backend->insert(store->connection, work->table, work->rows,
                                INSERT_NEW, inserted, error))
        return false;
    return work->table != &store_tables[TABLE_CONTACT] ||
           store_count_contacts(store, inserted->len, error);
}

/* A lease means nothing in another store. */
static void
drop_leases(StoreRows *rows)
{
    for (guint i = 0; i < rows->rows->len; i++) {
        StoreRow *row = store_row_from_values(rows->rows->pdata[i]);
        if (row->lease != NULL) {
            StoreValues values = rows->rows->pdata[i];
            row->due = row->since;
            row->claims = 0;
            g_clear_pointer(&row->lease, g_free);
            for (size_t k = 0; k < rows->width; k++)
                g_clear_pointer(&values[k], g_free);
            store_row_to_values(row, values);
        }
        store_row_free(row);
    }
}

/* Both stores must hash alike, or what left is not known again. */
static bool
copy_sent_key(Store *from, Store *to, GError **error)
{
    g_autofree char *theirs = NULL;
    g_autofree char *ours = NULL;
    int64_t n = 0;
    if (!store_state_get(from, "sent_key", &theirs, error) ||
        !store_state_get(to, "sent_key", &ours, error) ||
        !store_query_int(to,
                         "SELECT count(*) FROM (SELECT 1 FROM sent LIMIT 1)"
                         " AS any_row",
                         NULL, 0, &n, error))
        return false;
    if (theirs == NULL || g_strcmp0(theirs, ours) == 0)
        return true;
    if (n > 0) {
        g_set_error(error, STORE_ERROR, STORE_ERROR_FAILED,
                    "the other store has a sent-log of its own already; move "
                    "to an empty one");
        return false;
    }
    return store_state_set(to, "sent_key", theirs, error);
}

bool
store_migrate(Store *from, Store *to, StoreProgress progress, void *data,
              GError **error)
{
    /* Contacts last: the sync of the new store must not begin with half. */
    static const StoreTableId order[] = { TABLE_STATE, TABLE_MERGED,
                                          TABLE_EVENT, TABLE_SENT,
                                          TABLE_HELD,  TABLE_CONTACT };
    int64_t total = 0, done = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(order); i++) {
        int64_t n = 0;
        g_autofree char *sql = g_strdup_printf("SELECT count(*) FROM %s",
                                               store_tables[order[i]].name);
        if (!store_query_int(from, sql, NULL, 0, &n, error))
            return false;
        total += n;
    }
    if (!copy_sent_key(from, to, error))
        return false;
    for (size_t i = 0; i < G_N_ELEMENTS(order); i++) {
        const StoreTable *table = &store_tables[order[i]];
        g_autoptr(GPtrArray) after = g_ptr_array_new_with_free_func(g_free);
        StoreRows rows = { 0 };
        bool ok;
        while ((ok = read_page(from, table, after, &rows, error)) &&
               rows.rows->len > 0) {
            if (order[i] == TABLE_CONTACT)
                drop_leases(&rows);
            CopyWork work = { .table = table, .rows = &rows };
            ok = store_transact(to, write_page_work, &work, error);
            if (!ok)
                break;
            done += rows.rows->len;
            if (progress != NULL)
                progress(done, MAX(total, done), data);
        }
        store_rows_clear(&rows);
        if (!ok)
            return false;
    }
    return true;
}
