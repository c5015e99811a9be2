/*
 * store.c - see store.h
 *
 * Each function of the store is one short transaction made of a few batched
 * statements, and what becomes of a row is decided by store_merge.c, so that
 * nothing is written twice for two databases. A transaction that was in
 * another's way (or whose connection broke) is done again from its beginning;
 * every one of them may be. Here: opening, transactions, loading and saving
 * contacts; the rest is in store_intake.c (from the judge), store_work.c (for
 * the sync), store_queue.c (for people) and store_upkeep.c.
 */
#include "config.h"

#include "store/store_internal.h"

#include "base/fault.h"

#include <string.h>

enum { CONFLICT_TRIES = 12 };

GQuark
store_error_quark(void)
{
    return g_quark_from_static_string("store-error");
}

/* --- records ------------------------------------------------------------- */

CrmContact *
crm_contact_new(int64_t id)
{
    CrmContact *contact = g_new0(CrmContact, 1);
    contact->id = id;
    contact->wrote =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return contact;
}

void
crm_contact_free(CrmContact *contact)
{
    if (contact == NULL)
        return;
    g_clear_pointer(&contact->wrote, g_hash_table_unref);
    g_free(contact);
}

ContactRecord *
contact_record_new(const char *email)
{
    ContactRecord *record = g_new0(ContactRecord, 1);
    record->email = g_strdup(email);
    record->crm =
        g_ptr_array_new_with_free_func((GDestroyNotify) crm_contact_free);
    record->refused =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return record;
}

void
contact_record_free(ContactRecord *record)
{
    if (record == NULL)
        return;
    g_free(record->email);
    contact_free(record->known);
    g_clear_pointer(&record->crm, g_ptr_array_unref);
    g_clear_pointer(&record->refused, g_hash_table_unref);
    g_free(record->reason);
    g_free(record->trust);
    g_free(record->lease);
    g_free(record);
}

void
queue_entry_free(QueueEntry *entry)
{
    if (entry == NULL)
        return;
    g_free(entry->email);
    g_free(entry->state);
    g_free(entry->wants);
    g_free(entry->reason);
    g_free(entry->trust);
    g_free(entry);
}

/* --- transactions -------------------------------------------------------- */

bool
store_run(Store *store, const char *sql, const StoreValue *params,
          size_t n_params, StoreRows *out_rows, int64_t *out_changed,
          GError **error)
{
    return store->backend->run(store->connection, sql, params, n_params,
                               out_rows, out_changed, error);
}

/* After a failed try, the `i`th: rolls back and, for a conflict, waits a moment
 * and says to try again. Else `reason`, which it takes, becomes the error. */
static bool
try_again(Store *store, unsigned i, GError *reason, GError **error)
{
    store->backend->rollback(store->connection);
    bool conflict =
        g_error_matches(reason, STORE_ERROR, (int) STORE_ERROR_CONFLICT);
    if (conflict && i < CONFLICT_TRIES) {
        /* Random, so that two who collided do not collide again. */
        g_usleep((gulong) g_random_int_range(500, 1000 << MIN(i, 6)));
        g_error_free(reason);
        return true;
    }
    if (conflict)
        reason->code = STORE_ERROR_UNAVAILABLE;
    g_propagate_error(error, reason);
    return false;
}

/* Runs `work` in a transaction, as often as conflicts make necessary. */
bool
store_transact(Store *store, StoreWork work, void *data, GError **error)
{
    const StoreBackend *backend = store->backend;
    bool done = false;
    (void) pthread_mutex_lock(&store->lock);
    for (unsigned i = 1; !done; i++) {
        g_autoptr(GError) reason = NULL;
        done = backend->begin(store->connection, &reason) &&
               work(store, data, &reason);
        if (done) {
            fault_point("store.before-commit");
            done = backend->commit(store->connection, &reason);
            fault_point("store.after-commit");
        }
        if (done)
            break;
        if (!try_again(store, i, g_steal_pointer(&reason), error))
            break;
    }
    (void) pthread_mutex_unlock(&store->lock);
    return done;
}

/* One statement is a transaction by itself; the same retries. */
bool
store_run_alone(Store *store, const char *sql, const StoreValue *params,
                size_t n_params, StoreRows *out_rows, GError **error)
{
    bool done = false;
    (void) pthread_mutex_lock(&store->lock);
    for (unsigned i = 1; !done; i++) {
        g_autoptr(GError) reason = NULL;
        done = store_run(store, sql, params, n_params, out_rows, NULL, &reason);
        if (done)
            break;
        if (!try_again(store, i, g_steal_pointer(&reason), error))
            break;
    }
    (void) pthread_mutex_unlock(&store->lock);
    return done;
}

int64_t
store_to_int(const char *text)
{
    return text != NULL ? g_ascii_strtoll(text, NULL, 10) : 0;
}

/* One number that a statement answers. */
bool
store_query_int(Store *store, const char *sql, const StoreValue *params,
                size_t n_params, int64_t *out_value, GError **error)
{
    StoreRows rows = { 0 };
    bool ok = store_run_alone(store, sql, params, n_params, &rows, error);
    if (ok)
        *out_value = rows.rows->len > 0
                         ? store_to_int(((StoreValues) rows.rows->pdata[0])[0])
                         : 0;
    store_rows_clear(&rows);
    return ok;
}

char *
store_number(int64_t value)
{
    return g_strdup_printf("%" G_GINT64_FORMAT, (gint64) value);
}

char *
store_valid_text(const char *text)
{
    return text != NULL ? g_utf8_make_valid(text, -1) : NULL;
}

/* --- rows of contacts ---------------------------------------------------- */

GHashTable *
store_row_table_new(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, NULL, store_row_free);
}

static int
compare_keys(const void *a, const void *b)
{
    return strcmp(*(char *const *) a, *(char *const *) b);
}

/* Loads the rows of `keys` (of char *, sorted here) into `table`; new ones for
 * those that do not exist. */
bool
store_load_rows(Store *store, GPtrArray *keys, GHashTable *table,
                GError **error)
{
    if (keys->len == 0)
        return true;
    StoreRows rows = { 0 };
    g_ptr_array_sort(keys, compare_keys);
    bool ok = store->backend->load(
        store->connection, &store_tables[TABLE_CONTACT], keys, &rows, error);
    for (guint i = 0; ok && i < rows.rows->len; i++) {
        StoreRow *row = store_row_from_values(rows.rows->pdata[i]);
        g_hash_table_replace(table, row->key, row);
    }
    store_rows_clear(&rows);
    for (guint i = 0; ok && i < keys->len; i++) {
        if (!g_hash_table_contains(table, keys->pdata[i])) {
            StoreRow *row = store_row_new(keys->pdata[i]);
            g_hash_table_replace(table, row->key, row);
        }
    }
    return ok;
}

bool
store_count_contacts(Store *store, int64_t more, GError **error)
{
    if (more == 0)
        return true;
    StoreValue params[] = { VALUE_OF_TEXT(store->host), VALUE_OF_INT(more) };
    return store_run(
        store,
        "INSERT INTO counter (name, host, n) VALUES ('contacts', $1, "
        "$2) ON CONFLICT (name, host) DO UPDATE"
        " SET n = counter.n + excluded.n",
        params, 2, NULL, NULL, error);
}

static int
compare_rows(const void *a, const void *b)
{
    return strcmp((*(StoreRow *const *) a)->key, (*(StoreRow *const *) b)->key);
}

/* Saves the dirty ones. A new row that another host inserted since we looked
 * is a conflict: everything is done again, on that row. */
bool
store_save_rows(Store *store, GHashTable *table, GError **error)
{
    g_autoptr(GPtrArray) dirty = g_ptr_array_new();
    GHashTableIter iter;
    void *value;
    g_hash_table_iter_init(&iter, table);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        if (((StoreRow *) value)->dirty)
            g_ptr_array_add(dirty, value);
    }
    g_ptr_array_sort(dirty, compare_rows);

    const StoreTable *contacts = &store_tables[TABLE_CONTACT];
    StoreRows inserts, updates;
    store_rows_init(&inserts);
    store_rows_init(&updates);
    for (guint i = 0; i < dirty->len; i++) {
        const StoreRow *row = dirty->pdata[i];
        store_row_to_values(row,
                            store_rows_add(row->is_new ? &inserts : &updates,
                                           contacts->n_columns));
    }
    g_autoptr(GPtrArray) inserted = g_ptr_array_new_with_free_func(g_free);
    bool ok = store->backend->insert(store->connection, contacts, &inserts,
                                     INSERT_NEW, inserted, error);
    if (ok && inserted->len != inserts.rows->len) {
        g_set_error(error, STORE_ERROR, (int) STORE_ERROR_CONFLICT,
                    "another host added the same contact");
        ok = false;
    }
    ok = ok && store->backend->insert(store->connection, contacts, &updates,
                                      INSERT_UPSERT, NULL, error);
    ok = ok && store_count_contacts(store, inserted->len, error);
    store_rows_clear(&inserts);
    store_rows_clear(&updates);
    return ok;
}

/* --- small shared values ------------------------------------------------- */

bool
store_state_set(Store *store, const char *name, const char *value,
                GError **error)
{
    g_autofree char *valid = store_valid_text(value);
    StoreValue params[] = { VALUE_OF_TEXT(name), VALUE_OF_TEXT(valid) };
    if (value == NULL)
        return store_run_alone(store, "DELETE FROM state WHERE name = $1",
                               params, 1, NULL, error);
    return store_run_alone(
        store,
        "INSERT INTO state (name, value) VALUES ($1, $2)"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        params, 2, NULL, error);
}

bool
store_state_get(Store *store, const char *name, char **out_value,
                GError **error)
{
    StoreValue param = VALUE_OF_TEXT(name);
    StoreRows rows = { 0 };
    bool ok = store_run_alone(store, "SELECT value FROM state WHERE name = $1",
                              &param, 1, &rows, error);
    if (ok)
        *out_value = rows.rows->len > 0
                         ? g_strdup(((StoreValues) rows.rows->pdata[0])[0])
                         : NULL;
    store_rows_clear(&rows);
    return ok;
}

/* --- opening ------------------------------------------------------------- */

static const StoreBackend *
backend_for(const char *uri, GError **error)
{
    static const StoreBackend *const all[] = {
        &store_sqlite,
#ifdef HAVE_POSTGRESQL
        &store_pgsql,
#endif
    };
    const char *colon = strchr(uri, ':');
    size_t len = colon != NULL ? (size_t) (colon - uri) : 0;
    for (size_t i = 0; i < G_N_ELEMENTS(all); i++) {
        for (size_t k = 0; all[i]->schemes[k] != NULL; k++) {
            const char *scheme = all[i]->schemes[k];
            if (len == strlen(scheme) && strncmp(uri, scheme, len) == 0)
                return all[i];
        }
    }
    /* The URI itself may hold a password. */
    g_set_error(error, STORE_ERROR, STORE_ERROR_URI,
                "unknown kind of store \"%.*s\": sqlite:PATH"
#ifdef HAVE_POSTGRESQL
                " or postgresql://... is meant",
#else
                " is meant (built without postgresql)",
#endif
                (int) MIN(len, (size_t) 20), uri);
    return NULL;
}

Store *
store_open(const char *uri, const char *host, GError **error)
{
    const StoreBackend *backend = backend_for(uri, error);
    if (backend == NULL)
        return NULL;
    void *connection = backend->open(uri, error);
    if (connection == NULL)
        return NULL;
    Store *store = g_new0(Store, 1);
    store->backend = backend;
    store->connection = connection;
    store->host = store_valid_text(host);
    store->claimed =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    (void) pthread_mutex_init(&store->lock, NULL);
    return store;
}

char *
store_mend(const char *uri)
{
    const StoreBackend *backend = backend_for(uri, NULL);
    return backend != NULL && backend->mend != NULL ? backend->mend(uri) : NULL;
}

bool
store_is_shared(const Store *store)
{
    return store->backend->shared;
}

void
store_close(Store *store)
{
    if (store == NULL)
        return;
    if (g_hash_table_size(store->claimed) > 0)
        (void) store_transact(store, store_give_back_work, NULL, NULL);
    store->backend->close(store->connection);
    g_hash_table_unref(store->claimed);
    (void) pthread_mutex_destroy(&store->lock);
    g_free(store->host);
    g_free(store);
}
