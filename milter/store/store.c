/*
 * store.c - see store.h
 *
 * What is common to all backends, which is nearly everything: each function is
 * one short transaction made of a few batched statements, and what becomes of
 * a row is decided by store_merge.c. A transaction that was in another's way
 * (or whose connection broke) is done again from its beginning; every one of
 * them may be.
 *
 * Merging a batch: insert the keys of what must not be merged twice and see
 * which are new; load (and lock, in the order of their keys) the rows of all
 * addresses; merge in memory; save the rows that changed. Six round trips,
 * whether the batch has one observation or five hundred.
 */
#include "config.h"

#include "store/store.h"

#include "base/fault.h"
#include "base/log.h"
#include "store/observation_json.h"
#include "store/store_merge.h"

#include <pthread.h>
#include <string.h>

enum {
    CONFLICT_TRIES = 12,
    MERGE_BATCH = 500,
    EXPIRE_BATCH = 5000,
    EXPIRE_ROUNDS = 20, /* batches of each kind in one store_expire() */
    EVENT_RETENTION_S = 400 * 86400,
    STATUS_EVENT_RETENTION_S = 2 * 86400,
    MERGED_RETENTION_S = 60 * 86400,
    COPY_BATCH = 1000,
    HASH_BYTES = 15, /* of HMAC-SHA256: 20 characters in base64 */
};

/* held.flags */
enum { HELD_SUPPRESS = 1, HELD_SOFT = 2, HELD_LAST_MAIL = 4 };

struct Store {
    const StoreBackend *backend;
    char *host;
    pthread_mutex_t lock; /* all of what follows */
    void *connection;
    GHashTable *claimed; /* key -> lease: claimed by us, not answered yet */
};

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

typedef bool (*Work)(Store *store, void *data, GError **error);

static bool
run(Store *store, const char *sql, const StoreValue *params, size_t n_params,
    StoreRows *out_rows, int64_t *out_changed, GError **error)
{
    return store->backend->run(store->connection, sql, params, n_params,
                               out_rows, out_changed, error);
}

/* Runs `work` in a transaction, as often as conflicts make necessary. */
static bool
transact(Store *store, Work work, void *data, GError **error)
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
        backend->rollback(store->connection);
        bool conflict =
            g_error_matches(reason, STORE_ERROR, (int) STORE_ERROR_CONFLICT);
        if (conflict && i < CONFLICT_TRIES) {
            /* Random, so that two who collided do not collide again. */
            g_usleep((gulong) g_random_int_range(500, 1000 << MIN(i, 6)));
            continue;
        }
        if (conflict)
            reason->code = STORE_ERROR_UNAVAILABLE;
        g_propagate_error(error, g_steal_pointer(&reason));
        break;
    }
    (void) pthread_mutex_unlock(&store->lock);
    return done;
}

typedef struct {
    const char *sql;
    const StoreValue *params;
    size_t n_params;
    StoreRows *rows;
    int64_t *changed;
} Statement;

/* One statement is a transaction by itself; the same retries. */
static bool
run_alone(Store *store, const char *sql, const StoreValue *params,
          size_t n_params, StoreRows *out_rows, GError **error)
{
    bool done = false;
    (void) pthread_mutex_lock(&store->lock);
    for (unsigned i = 1; !done; i++) {
        g_autoptr(GError) reason = NULL;
        done = run(store, sql, params, n_params, out_rows, NULL, &reason);
        if (done)
            break;
        store->backend->rollback(store->connection);
        bool conflict =
            g_error_matches(reason, STORE_ERROR, (int) STORE_ERROR_CONFLICT);
        if (conflict && i < CONFLICT_TRIES) {
            g_usleep((gulong) g_random_int_range(500, 1000 << MIN(i, 6)));
            continue;
        }
        if (conflict)
            reason->code = STORE_ERROR_UNAVAILABLE;
        g_propagate_error(error, g_steal_pointer(&reason));
        break;
    }
    (void) pthread_mutex_unlock(&store->lock);
    return done;
}

static int64_t
to_int(const char *text)
{
    return text != NULL ? g_ascii_strtoll(text, NULL, 10) : 0;
}

/* One number that a statement answers. */
static bool
query_int(Store *store, const char *sql, const StoreValue *params,
          size_t n_params, int64_t *out_value, GError **error)
{
    StoreRows rows = { 0 };
    bool ok = run_alone(store, sql, params, n_params, &rows, error);
    if (ok)
        *out_value = rows.rows->len > 0
                         ? to_int(((StoreValues) rows.rows->pdata[0])[0])
                         : 0;
    store_rows_clear(&rows);
    return ok;
}

/* --- rows of contacts ---------------------------------------------------- */

static GHashTable *
row_table_new(void)
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
static bool
load_rows(Store *store, GPtrArray *keys, GHashTable *table, GError **error)
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

static bool
count_contacts(Store *store, int64_t more, GError **error)
{
    if (more == 0)
        return true;
    StoreValue params[] = { VALUE_OF_TEXT(store->host), VALUE_OF_INT(more) };
    return run(store,
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
static bool
save_rows(Store *store, GHashTable *table, GError **error)
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
    ok = ok && count_contacts(store, inserted->len, error);
    store_rows_clear(&inserts);
    store_rows_clear(&updates);
    return ok;
}

/* --- the sent-log -------------------------------------------------------- */

/* The key of the hashes is made once and shared through the store. */
static char *
sent_key(Store *store, GError **error)
{
    static const char select[] =
        "SELECT value FROM state WHERE name = 'sent_key'";
    StoreRows rows = { 0 };
    char *key = NULL;
    if (!run(store, select, NULL, 0, &rows, NULL, error))
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
        if (!run(store,
                 "INSERT INTO state (name, value) VALUES ('sent_key', $1)"
                 " ON CONFLICT (name) DO NOTHING",
                 &value, 1, NULL, NULL, error) ||
            !run(store, select, NULL, 0, &rows, NULL, error)) {
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

static char *
hash_recipient(const char *key, const char *recipient)
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
        values[1] = hash_recipient(key, n > 0 ? recipients->pdata[i] : NULL);
        values[2] = g_strdup_printf(
            "%" G_GINT64_FORMAT,
            (gint64) (observation->time > 0 ? observation->time : now));
    }
}

/* --- merging ------------------------------------------------------------- */

typedef struct {
    const Judged *list;
    size_t n;
    int64_t now;
} MergeWork;

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
new_ones(Store *store, const MergeWork *work, bool *out_wanted, GError **error)
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

static char *
number(int64_t value)
{
    return g_strdup_printf("%" G_GINT64_FORMAT, (gint64) value);
}

static char *
valid_text(const char *text)
{
    return text != NULL ? g_utf8_make_valid(text, -1) : NULL;
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
    values[i++] = number(id == 0 ? 1 : id);
    values[i++] = number(now);
    values[i++] = number(judged->want_status);
    values[i++] = number(judged->want_sms);
    values[i++] = number(flags);
    values[i++] = g_strdup(key);
    values[i++] = valid_text(judged->key);
    values[i++] = valid_text(judged->domain);
    values[i++] = valid_text(judged->hold_reason);
    values[i++] = valid_text(judged->trust);
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
    values[2] = number(time);
    values[3] =
        judged->key != NULL
            ? g_strdup_printf("%s %s", judged->key, judged->observation->email)
            : g_uuid_string_random();
}

static bool
merge_work(Store *store, void *data, GError **error)
{
    const MergeWork *work = data;
    g_autofree bool *wanted = g_new0(bool, work->n);
    g_autofree char **keys = g_new0(char *, work->n + 1);
    g_autoptr(GPtrArray) distinct = g_ptr_array_new();
    g_autoptr(GPtrArray) owned = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GHashTable) table = row_table_new();
    g_autofree char *hash_key = NULL;

    if (!new_ones(store, work, wanted, error))
        return false;
    for (size_t i = 0; i < work->n; i++) {
        const Observation *observation = work->list[i].observation;
        if (!wanted[i])
            continue;
        if (observation->kind == OBSERVATION_SENT) {
            if (hash_key == NULL && (hash_key = sent_key(store, error)) == NULL)
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
    if (!load_rows(store, distinct, table, error))
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
    bool ok = save_rows(store, table, error) &&
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
        MergeWork work = { list + i, MIN(n - i, (size_t) MERGE_BATCH), now };
        if (!transact(store, merge_work, &work, error))
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
    return query_int(store,
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
    return query_int(store,
                     "SELECT count(*) FROM event WHERE kind = 'status'"
                     " AND subject = $1 AND time >= $2",
                     params, 2, &n, error)
               ? n
               : -1;
}

typedef struct {
    const char *message_id, *recipient;
    bool seen;
} SentWork;

static bool
sent_work(Store *store, void *data, GError **error)
{
    SentWork *work = data;
    g_autofree char *key = sent_key(store, error);
    if (key == NULL)
        return false;
    g_autofree char *message = hash_message_id(key, work->message_id);
    g_autofree char *recipient = hash_recipient(key, work->recipient);
    StoreValue params[] = { VALUE_OF_TEXT(message), VALUE_OF_TEXT(recipient) };
    StoreRows rows = { 0 };
    bool ok = work->recipient == NULL
                  ? run(store, "SELECT 1 FROM sent WHERE message = $1 LIMIT 1",
                        params, 1, &rows, NULL, error)
                  : run(store,
                        "SELECT 1 FROM sent WHERE message = $1"
                        " AND recipient = $2",
                        params, 2, &rows, NULL, error);
    work->seen = ok && rows.rows->len > 0;
    store_rows_clear(&rows);
    return ok;
}

bool
store_sent_seen(Store *store, const char *message_id, const char *recipient,
                bool *out_seen, GError **error)
{
    SentWork work = { message_id, recipient, false };
    if (!transact(store, sent_work, &work, error))
        return false;
    *out_seen = work.seen;
    return true;
}

/* --- work ---------------------------------------------------------------- */

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
choose(Store *store, ClaimWork *work, GHashTable *table, GPtrArray *order)
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
    (void) table;
    return buried && work->records->len == 0;
}

static bool
claim_work(Store *store, void *data, GError **error)
{
    ClaimWork *work = data;
    const StoreTable *contacts = &store_tables[TABLE_CONTACT];
    g_autofree char *columns = store_table_columns(contacts);
    g_autofree char *sql =
        g_strdup_printf("SELECT %s FROM contact WHERE state = 1 AND due <= $1"
                        " ORDER BY due LIMIT $2%s",
                        columns, store->backend->skip_locked);
    StoreValue params[] = { VALUE_OF_INT(work->now),
                            VALUE_OF_INT((int64_t) work->max) };
    g_ptr_array_set_size(work->records, 0);
    for (bool again = true; again;) {
        StoreRows rows = { 0 };
        g_autoptr(GHashTable) table = row_table_new();
        g_autoptr(GPtrArray) order = g_ptr_array_new();
        if (!run(store, sql, params, 2, &rows, NULL, error)) {
            store_rows_clear(&rows);
            return false;
        }
        for (guint i = 0; i < rows.rows->len; i++) {
            StoreRow *row = store_row_from_values(rows.rows->pdata[i]);
            g_hash_table_replace(table, row->key, row);
            g_ptr_array_add(order, row);
        }
        store_rows_clear(&rows);
        again = choose(store, work, table, order);
        if (!save_rows(store, table, error))
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
    if (max > 0 && !transact(store, claim_work, &work, error)) {
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
    StoreValue params[] = { VALUE_OF_TEXT(prefix) };
    return run_alone(store,
                     "UPDATE contact SET due = since, lease = NULL"
                     " WHERE state = 1 AND lease IS NOT NULL AND"
                     " substr(lease, 1, length($1)) = $1",
                     params, 1, NULL, error);
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
    g_autoptr(GHashTable) table = row_table_new();
    for (size_t i = 0; i < work->n; i++) {
        char *key = store_key(work->records[i]->email);
        if (key != NULL &&
            g_hash_table_insert(records, key, (void *) work->records[i]))
            g_ptr_array_add(keys, key);
        else
            g_free(key);
    }
    if (!load_rows(store, keys, table, error))
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
    return save_rows(store, table, error);
}

static bool
answer(Store *store, AnswerWork *work, GError **error)
{
    if (work->n == 0)
        return true;
    if (!transact(store, answer_work, work, error))
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
static bool
give_back_work(Store *store, void *data, GError **error)
{
    (void) data;
    g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GHashTable) table = row_table_new();
    GHashTableIter iter;
    void *key;
    g_hash_table_iter_init(&iter, store->claimed);
    while (g_hash_table_iter_next(&iter, &key, NULL))
        g_ptr_array_add(keys, g_strdup(key));
    if (!load_rows(store, keys, table, error))
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
    return save_rows(store, table, error);
}

/* --- the admin's view ---------------------------------------------------- */

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
        if (!query_int(store, queries[i].sql, NULL, 0, &value, error))
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
    int64_t flags = to_int(values[4]);
    *out_judged = (Judged){
        .trust = values[9],
        .want_status = (int) to_int(values[2]),
        .want_sms = (int) to_int(values[3]),
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
    entry->held_id = to_int(values[0]);
    entry->since = entry->due = to_int(values[1]);
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
    return run(store, key != NULL ? one : all, list,
               n_params + (key != NULL ? 1 : 0), out_rows, out_changed, error);
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
    static const StoreTableId sources[] = { TABLE_CONTACT, TABLE_CONTACT,
                                            TABLE_HELD };
    static const char *const where[] = { "state = 1", "state = 2", "1 = 1" };
    static const char *const order[] = { "due", "since", "since, id" };
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
                      ? run(store, one, both, 2, &rows, NULL, error)
                      : run(store, all, &max, 1, &rows, NULL, error);
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
    if (!transact(store, queue_work, &work, error)) {
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
    if (run_alone(store, sql, &param, 1, &rows, error) && rows.rows->len > 0) {
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
        if (observation != NULL) {
            g_ptr_array_add(observations, observation);
            judged.observation = observation;
            g_array_append_val(list, judged);
        }
        StoreValue id = VALUE_OF_INT(to_int(values[0]));
        ok = run(store, "DELETE FROM held WHERE id = $1", &id, 1, NULL, NULL,
                 error);
        work->n++;
    }
    if (ok && list->len > 0) {
        MergeWork merge = { (const Judged *) (void *) list->data, list->len,
                            work->now };
        ok = merge_work(store, &merge, error);
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
queue_change(Store *store, Work change, const char *email, bool dead_only,
             int64_t now, GError **error)
{
    g_autofree char *key = store_key(email);
    QueueWork work = { .key = key, .dead_only = dead_only, .now = now };
    if (email != NULL && key == NULL)
        return 0;
    return transact(store, change, &work, error) ? work.n : -1;
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
    g_autofree char *hash_key = sent_key(store, error);
    if (hash_key == NULL)
        return false;
    g_autofree char *recipient = hash_recipient(hash_key, work->key);
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
        if (!run(store, steps[i].sql, steps[i].param, 1, NULL, &n, error) ||
            (i == 0 && !count_contacts(store, -n, error)))
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

/* --- small shared values ------------------------------------------------- */

bool
store_state_set(Store *store, const char *name, const char *value,
                GError **error)
{
    g_autofree char *valid = valid_text(value);
    StoreValue params[] = { VALUE_OF_TEXT(name), VALUE_OF_TEXT(valid) };
    if (value == NULL)
        return run_alone(store, "DELETE FROM state WHERE name = $1", params, 1,
                         NULL, error);
    return run_alone(store,
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
    bool ok = run_alone(store, "SELECT value FROM state WHERE name = $1",
                        &param, 1, &rows, error);
    if (ok)
        *out_value = rows.rows->len > 0
                         ? g_strdup(((StoreValues) rows.rows->pdata[0])[0])
                         : NULL;
    store_rows_clear(&rows);
    return ok;
}

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
    return run(store, work->sql, params, 2, NULL, &work->n, error);
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
    bool ok = run(store, "SELECT value FROM state WHERE name = 'expire_cursor'",
                  NULL, 0, &rows, NULL, error);
    from = g_strdup(
        ok && rows.rows->len > 0 ? ((StoreValues) rows.rows->pdata[0])[0] : "");
    StoreValue slice[] = { VALUE_OF_TEXT(from), VALUE_OF_INT(EXPIRE_BATCH) };
    ok = ok && run(store,
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
        if (!run(store,
                 "DELETE FROM contact WHERE key > $1 AND key <= $2"
                 " AND state <> 1 AND last_mail < $3 AND first_seen < $3"
                 " AND status_at < $3",
                 params, 3, NULL, &n, error) ||
            !count_contacts(store, -n, error))
            return false;
        work->more = true;
    }
    StoreValue cursor = VALUE_OF_TEXT(to != NULL ? to : "");
    return run(store,
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
            if (!transact(store, expire_work, &work[i], error))
                return false;
            if (work[i].n < EXPIRE_BATCH)
                break;
        }
    }
    RetentionWork retention = { now - retention_s, true };
    for (unsigned round = 0; round < EXPIRE_ROUNDS && retention.more; round++) {
        if (!transact(store, retention_work, &retention, error))
            return false;
    }
    return true;
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
                        ? VALUE_OF_INT(to_int(after->pdata[n]))
                        : VALUE_OF_TEXT(after->pdata[n]);
    params[n++] = VALUE_OF_INT(COPY_BATCH);
    g_autofree char *sql = page_sql(table, after->len == 0);
    if (!run_alone(store, sql, params, n, out_rows, error))
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
           count_contacts(store, inserted->len, error);
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
        !query_int(to,
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
        if (!query_int(from, sql, NULL, 0, &n, error))
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
            ok = transact(to, write_page_work, &work, error);
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
    store->host = valid_text(host);
    store->claimed =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    (void) pthread_mutex_init(&store->lock, NULL);
    return store;
}

void
store_close(Store *store)
{
    if (store == NULL)
        return;
    if (g_hash_table_size(store->claimed) > 0)
        (void) transact(store, give_back_work, NULL, NULL);
    store->backend->close(store->connection);
    g_hash_table_unref(store->claimed);
    (void) pthread_mutex_destroy(&store->lock);
    g_free(store->host);
    g_free(store);
}
