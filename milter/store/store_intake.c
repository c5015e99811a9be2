/*
 * store_intake.c - what the judge hands over: merging, and the sent-log
 *
 * Merging a batch: insert the keys of what must not be merged twice and see
 * which are new; load (and lock, in the order of their keys) the rows of all
 * addresses; merge in memory; save the rows that changed. Six round trips,
 * whether the batch has one observation or five hundred.
 *
 * The sent-log keeps HMACs of Message-IDs and recipients: enough to recognise
 * a bounce of our mail, nothing that could be read back.
 */
#include "config.h"

#include "store/store_internal.h"

#include "store/observation_json.h"

#include <string.h>

enum {
    MERGE_BATCH = 500,
    HASH_BYTES = 15, /* of HMAC-SHA256: 20 characters in base64 */
};

/* --- the sent-log -------------------------------------------------------- */

/* The key of the hashes is made once and shared through the store. */
char *
store_sent_key(Store *store, GError **error)
{
    static const char select[] =
        "SELECT value FROM state WHERE name = 'sent_key'";
    StoreRows rows = { 0 };
    char *key = NULL;
    if (!store_run(store, select, NULL, 0, &rows, NULL, error))
        return NULL;
    if (rows.rows->len == 0) {
        guint32 random[8];
        for (size_t i = 0; i < G_N_ELEMENTS(random); i++)
            random[i] = g_random_int();
        g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
        g_checksum_update(sum, (guchar *) random, sizeof random);
        g_autofree char *contents = NULL;
        gsize len = 0;
        /* Our randomness, and the kernel's where it can be had. */
        if (g_file_get_contents("/proc/sys/kernel/random/uuid", &contents, &len,
                                NULL))
            g_checksum_update(sum, (guchar *) contents, (gssize) len);
        StoreValue value = VALUE_OF_TEXT(g_checksum_get_string(sum));
        if (!store_run(store,
                       "INSERT INTO state (name, value) VALUES ('sent_key', $1)"
                       " ON CONFLICT (name) DO NOTHING",
                       &value, 1, NULL, NULL, error) ||
            !store_run(store, select, NULL, 0, &rows, NULL, error)) {
            store_rows_clear(&rows);
            return NULL;
        }
    }
    if (rows.rows->len > 0)
        key = g_strdup(((StoreValues) rows.rows->pdata[0])[0]);
    else
        g_set_error(error, STORE_ERROR, STORE_ERROR_FAILED,
                    "state has no sent_key");
    store_rows_clear(&rows);
    return key;
}

static char *
keyed_hash(const char *key, const char *what, const char *text)
{
    g_autoptr(GHmac) hmac =
        g_hmac_new(G_CHECKSUM_SHA256, (const guchar *) key, strlen(key));
    guchar digest[32];
    gsize len = sizeof digest;
    g_hmac_update(hmac, (const guchar *) what, -1);
    g_hmac_update(hmac, (const guchar *) text, -1);
    g_hmac_get_digest(hmac, digest, &len);
    return g_base64_encode(digest, HASH_BYTES);
}

/* Without brackets and blanks. */
static char *
hash_message_id(const char *key, const char *message_id)
{
    while (*message_id == '<' || g_ascii_isspace(*message_id))
        message_id++;
    size_t len = strcspn(message_id, "> \t\r\n");
    g_autofree char *bare = g_strndup(message_id, len);
    return keyed_hash(key, "message ", bare);
}

char *
store_hash_recipient(const char *key, const char *recipient)
{
    g_autofree char *canonical = store_key(recipient);
    return keyed_hash(key, "recipient ", canonical != NULL ? canonical : "");
}

static void
add_sent(StoreRows *rows, const char *key, const Observation *observation,
         int64_t now)
{
    const char *id = observation->returned.message_id != NULL
                         ? observation->returned.message_id
                         : observation->message_id;
    if (id == NULL || *id == '\0')
        return;
    const GPtrArray *recipients = observation->recipients;
    guint n = recipients != NULL ? recipients->len : 0;
    for (guint i = 0; i < MAX(n, 1); i++) {
        StoreValues values =
            store_rows_add(rows, store_tables[TABLE_SENT].n_columns);
        values[0] = hash_message_id(key, id);
        values[1] =
            store_hash_recipient(key, n > 0 ? recipients->pdata[i] : NULL);
        values[2] = g_strdup_printf(
            "%" G_GINT64_FORMAT,
            (gint64) (observation->time > 0 ? observation->time : now));
    }
}

/* --- merging ------------------------------------------------------------- */

/* Repeating a contact without side effects does nothing by itself; all else
 * is known by its key. */
static bool
needs_key(const Judged *judged)
{
    ObservationKind kind = judged->observation->kind;
    if (judged->key == NULL || kind == OBSERVATION_SENT)
        return false;
    return kind != OBSERVATION_CONTACT || judged->hold ||
           judged->want_status != 0 || judged->want_sms != 0;
}

/* The ones to merge: all but those whose key was seen before. */
static bool
new_ones(Store *store, const StoreMergeWork *work, bool *out_wanted,
         GError **error)
{
    const StoreTable *table = &store_tables[TABLE_MERGED];
    g_autoptr(GHashTable) first = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GPtrArray) inserted = g_ptr_array_new_with_free_func(g_free);
    StoreRows rows;
    store_rows_init(&rows);
    for (size_t i = 0; i < work->n; i++) {
        const Judged *judged = &work->list[i];
        out_wanted[i] = true;
        if (!needs_key(judged))
            continue;
        if (!g_hash_table_add(first, (void *) judged->key)) {
            out_wanted[i] = false; /* twice in this batch */
            continue;
        }
        StoreValues values = store_rows_add(&rows, table->n_columns);
        values[0] = g_strdup(judged->key);
        values[1] = g_strdup_printf("%" G_GINT64_FORMAT, (gint64) work->now);
    }
    bool ok = store->backend->insert(store->connection, table, &rows,
                                     INSERT_NEW, inserted, error);
    store_rows_clear(&rows);
    if (!ok)
        return false;
    g_autoptr(GHashTable) new_keys = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < inserted->len; i++)
        g_hash_table_add(new_keys, inserted->pdata[i]);
    for (size_t i = 0; i < work->n; i++) {
        const Judged *judged = &work->list[i];
        if (out_wanted[i] && needs_key(judged))
            out_wanted[i] = g_hash_table_contains(new_keys, judged->key);
    }
    return true;
}

static void
add_held(StoreRows *rows, const Judged *judged, const char *key, int64_t now)
{
    StoreValues values =
        store_rows_add(rows, store_tables[TABLE_HELD].n_columns);
    /* Random ids need no sequence that hosts would share; 53 bits, so that
     * any JSON reader can say them. */
    int64_t id = ((int64_t) (g_random_int() & 0x1fffff) << 32) |
                 (int64_t) g_random_int();
    int flags = (judged->unknown_suppress ? HELD_SUPPRESS : 0) |
                (judged->soft_bounce ? HELD_SOFT : 0) |
                (judged->want_last_mail ? HELD_LAST_MAIL : 0);
    size_t i = 0;
    values[i++] = store_number(id == 0 ? 1 : id);
    values[i++] = store_number(now);
    values[i++] = store_number(judged->want_status);
    values[i++] = store_number(judged->want_sms);
    values[i++] = store_number(flags);
    values[i++] = g_strdup(key);
    values[i++] = store_valid_text(judged->key);
    values[i++] = store_valid_text(judged->domain);
    values[i++] = store_valid_text(judged->hold_reason);
    values[i++] = store_valid_text(judged->trust);
    values[i++] = observation_to_json(judged->observation);
}

static void
add_event(StoreRows *rows, const char *kind, const char *subject, int64_t time,
          const Judged *judged)
{
    StoreValues values =
        store_rows_add(rows, store_tables[TABLE_EVENT].n_columns);
    values[0] = g_strdup(kind);
    values[1] = g_utf8_make_valid(subject, -1);
    values[2] = store_number(time);
    /* Tells the same event from another one; hashed, for `forget` does not find
     * an address in here. */
    g_autofree char *name =
        g_strdup_printf("%s %s", judged->key != NULL ? judged->key : "",
                        judged->observation->email);
    values[3] = judged->key != NULL
                    ? g_compute_checksum_for_string(G_CHECKSUM_SHA256, name, -1)
                    : g_uuid_string_random();
}

bool
store_merge_work(Store *store, void *data, GError **error)
{
    const StoreMergeWork *work = data;
    g_autofree bool *wanted = g_new0(bool, work->n);
    g_autofree char **keys = g_new0(char *, work->n + 1);
    g_autoptr(GPtrArray) distinct = g_ptr_array_new();
    g_autoptr(GPtrArray) owned = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GHashTable) table = store_row_table_new();
    g_autofree char *hash_key = NULL;

    if (!new_ones(store, work, wanted, error))
        return false;
    for (size_t i = 0; i < work->n; i++) {
        const Observation *observation = work->list[i].observation;
        if (!wanted[i])
            continue;
        if (observation->kind == OBSERVATION_SENT) {
            if (hash_key == NULL &&
                (hash_key = store_sent_key(store, error)) == NULL)
                return false;
            continue;
        }
        keys[i] = store_key(observation->email);
        if (keys[i] == NULL)
            continue;
        g_ptr_array_add(owned, keys[i]);
        if (!work->list[i].hold && g_hash_table_add(seen, keys[i]))
            g_ptr_array_add(distinct, keys[i]);
    }
    if (!store_load_rows(store, distinct, table, error))
        return false;

    StoreRows events, held, sent;
    store_rows_init(&events);
    store_rows_init(&held);
    store_rows_init(&sent);
    for (size_t i = 0; i < work->n; i++) {
        const Judged *judged = &work->list[i];
        if (wanted[i] && judged->observation->kind == OBSERVATION_SENT)
            add_sent(&sent, hash_key, judged->observation, work->now);
        if (!wanted[i] || keys[i] == NULL)
            continue;
        if (judged->hold) {
            add_held(&held, judged, keys[i], work->now);
            continue;
        }
        bool status = false;
        store_row_merge(g_hash_table_lookup(table, keys[i]), judged, work->now,
                        &status);
        if (judged->soft_bounce)
            add_event(&events, "soft", keys[i],
                      judged->observation->time > 0 ? judged->observation->time
                                                    : work->now,
                      judged);
        if (status && judged->domain != NULL)
            add_event(&events, "status", judged->domain, work->now, judged);
    }
    const StoreBackend *backend = store->backend;
    void *connection = store->connection;
    bool ok = store_save_rows(store, table, error) &&
              backend->insert(connection, &store_tables[TABLE_EVENT], &events,
                              INSERT_NEW, NULL, error) &&
              backend->insert(connection, &store_tables[TABLE_HELD], &held,
                              INSERT_NEW, NULL, error) &&
              backend->insert(connection, &store_tables[TABLE_SENT], &sent,
                              INSERT_NEW, NULL, error);
    store_rows_clear(&events);
    store_rows_clear(&held);
    store_rows_clear(&sent);
    return ok;
}

bool
store_merge(Store *store, const Judged *list, size_t n, int64_t now,
            GError **error)
{
    for (size_t i = 0; i < n; i += MERGE_BATCH) {
        StoreMergeWork work = { list + i, MIN(n - i, (size_t) MERGE_BATCH),
                                now };
        if (!store_transact(store, store_merge_work, &work, error))
            return false;
    }
    return true;
}

int64_t
store_soft_bounces(Store *store, const char *email, int64_t since,
                   GError **error)
{
    g_autofree char *key = store_key(email);
    StoreValue params[] = { VALUE_OF_TEXT(key != NULL ? key : ""),
                            VALUE_OF_INT(since) };
    int64_t n = 0;
    return store_query_int(store,
                           "SELECT count(*) FROM event WHERE kind = 'soft'"
                           " AND subject = $1 AND time >= $2",
                           params, 2, &n, error)
               ? n
               : -1;
}

int64_t
store_status_changes(Store *store, const char *domain, int64_t since,
                     GError **error)
{
    g_autofree char *valid = g_utf8_make_valid(domain, -1);
    StoreValue params[] = { VALUE_OF_TEXT(valid), VALUE_OF_INT(since) };
    int64_t n = 0;
    return store_query_int(store,
                           "SELECT count(*) FROM event WHERE kind = 'status'"
                           " AND subject = $1 AND time >= $2",
                           params, 2, &n, error)
               ? n
               : -1;
}

/* Two questions, no transaction: the key is made once and stays. */
bool
store_sent_seen(Store *store, const char *message_id, const char *recipient,
                bool *out_seen, GError **error)
{
    g_autofree char *key = NULL;
    int64_t seen = 0;
    if (!store_state_get(store, "sent_key", &key, error))
        return false;
    if (key != NULL) {
        g_autofree char *message = hash_message_id(key, message_id);
        g_autofree char *hash = store_hash_recipient(key, recipient);
        StoreValue params[] = { VALUE_OF_TEXT(message), VALUE_OF_TEXT(hash) };
        bool ok =
            recipient == NULL
                ? store_query_int(
                      store, "SELECT 1 FROM sent WHERE message = $1 LIMIT 1",
                      params, 1, &seen, error)
                : store_query_int(store,
                                  "SELECT 1 FROM sent WHERE message = $1"
                                  " AND recipient = $2",
                                  params, 2, &seen, error);
        if (!ok)
            return false;
    }
    *out_seen = seen != 0;
    return true;
}
