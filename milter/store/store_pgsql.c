/*
 * store_pgsql.c - the contacts store in PostgreSQL ("postgresql://...")
 *
 * One connection through libpq, opened when it is needed and closed when it
 * failed; attempts to open it follow each other with growing pauses, and until
 * the next one is due everything answers STORE_ERROR_UNAVAILABLE at once: a
 * dead database costs backlog, nothing else. No answer is waited for longer
 * than REPLY_MS, also when the server is stopped or the network swallows
 * packets; then the connection is given up and the transaction is done again.
 *
 * Statements are prepared once per connection. Many rows travel as one array
 * per column and become rows again with unnest(), so a batch of any size is
 * one round trip.
 *
 * For other databases that speak PostgreSQL's protocol the statements are few
 * and plain; the table in README.md ("Several mail servers") has them all, with
 * what CockroachDB and YugabyteDB document about each: a new kind of statement
 * belongs there, too. CockroachDB runs transactions as SERIALIZABLE, the others
 * as READ COMMITTED: both are right here, since every row is locked before it
 * is changed, and a row that is new is inserted with DO NOTHING and counted.
 */
#include "config.h"

#include "store/store_backend.h"

#include "base/metrics.h"

#include <errno.h>
#include <libpq-fe.h>
#include <poll.h>
#include <string.h>

enum {
    REPLY_MS = 30000,
    STATEMENT_MS = 20000, /* the server's own limit, below ours */
    IDLE_MS = 60000,      /* a host that freezes must not keep its locks */
    BACKOFF_MIN_MS = 200,
    BACKOFF_MAX_MS = 10000,
    PASSWORD_MAX = 4096,
};

typedef struct {
    char *uri;
    PGconn *connection;     /* NULL: not connected */
    GHashTable *statements; /* SQL -> name, of this connection */
    unsigned prepared;
    bool in_transaction;
    int64_t next_try; /* monotonic; not connected before */
    int64_t pause_ms;
    char *trouble; /* why the last attempt failed */
} Connection;

/* The first line of libpq's message, without its "ERROR: " and hints. */
static char *
first_line(const char *message)
{
    char *line = g_strndup(message, strcspn(message, "\n"));
    return g_strstrip(line);
}

static void
disconnect(Connection *c)
{
    if (c->connection != NULL)
        PQfinish(c->connection);
    c->connection = NULL;
    c->in_transaction = false;
    g_hash_table_remove_all(c->statements);
}

/* The connection broke under us: the transaction is worth another try. */
static void
lost(Connection *c, const char *why, GError **error)
{
    g_autofree char *line = first_line(why);
    g_set_error(error, STORE_ERROR, (int) STORE_ERROR_CONFLICT,
                "postgresql: connection lost: %s", line);
    disconnect(c);
}

/* What a SQLSTATE means for the caller. */
static int
error_code(const char *state)
{
    static const char *const again[] = {
        "40001", "40P01", /* serialization failure, deadlock */
        "23505",          /* two hosts made the same thing at once */
        "40003",          /* statement completion unknown */
        "25P02",          /* in a transaction that failed already */
    };
    static const char *const later[] = {
        "08",    "53", "55", "57", "58", /* connection, resources, locks, ... */
        "25006",                         /* read-only: a standby */
    };
    for (size_t i = 0; i < G_N_ELEMENTS(again); i++) {
        if (strcmp(state, again[i]) == 0)
            return (int) STORE_ERROR_CONFLICT;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(later); i++) {
        if (g_str_has_prefix(state, later[i]))
            return STORE_ERROR_UNAVAILABLE;
    }
    return STORE_ERROR_FAILED;
}

/* Takes the result; NULL and an error when it is not a good one. */
static PGresult *
check(Connection *c, PGresult *result, const char *doing, GError **error)
{
    ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
        return result;
    if (c->connection == NULL || PQstatus(c->connection) == CONNECTION_BAD) {
        lost(c, result != NULL ? PQresultErrorMessage(result) : "no answer",
             error);
    } else {
        const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
        const char *primary =
            PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
        g_autofree char *line = first_line(
            primary != NULL ? primary : PQresultErrorMessage(result));
        g_set_error(error, STORE_ERROR, error_code(state != NULL ? state : ""),
                    "postgresql: %.60s: %s (%s)", doing, line,
                    state != NULL ? state : "-----");
    }
    PQclear(result);
    return NULL;
}

/* Waits for the answer to what was sent, REPLY_MS at the longest. */
static PGresult *
wait_result(Connection *c, const char *doing, GError **error)
{
    int64_t until = g_get_monotonic_time() + (int64_t) REPLY_MS * 1000;
    PGconn *connection = c->connection;
    int flushed;
    metrics_inc("store_round_trips_total", NULL, NULL);
    while ((flushed = PQflush(connection)) == 1 || PQisBusy(connection)) {
        int64_t left_ms = (until - g_get_monotonic_time()) / 1000;
        struct pollfd fd = { .fd = PQsocket(connection),
                             .events = (short) (POLLIN |
                                                (flushed == 1 ? POLLOUT : 0)) };
        int n = left_ms > 0 ? poll(&fd, 1, (int) left_ms) : 0;
        if (n == 0) {
            lost(c, "no answer in time", error);
            return NULL;
        }
        if (n < 0 && errno != EINTR) {
            lost(c, g_strerror(errno), error);
            return NULL;
        }
        if (n > 0 && !PQconsumeInput(connection)) {
            lost(c, PQerrorMessage(connection), error);
            return NULL;
        }
    }
    if (flushed < 0) {
        lost(c, PQerrorMessage(connection), error);
        return NULL;
    }
    PGresult *result = PQgetResult(connection);
    PGresult *more;
    while ((more = PQgetResult(connection)) != NULL)
        PQclear(more);
    return check(c, result, doing, error);
}

static bool
simple(Connection *c, const char *sql, GError **error)
{
    if (!PQsendQuery(c->connection, sql)) {
        lost(c, PQerrorMessage(c->connection), error);
        return false;
    }
    PGresult *result = wait_result(c, sql, error);
    PQclear(result);
    return result != NULL;
}

/* --- connecting ---------------------------------------------------------- */

/* systemd: LoadCredential=postgresql-password:... in the unit. */
static char *
credential_password(void)
{
    const char *dir = g_getenv("CREDENTIALS_DIRECTORY");
    if (dir == NULL)
        return NULL;
    g_autofree char *path = g_build_filename(dir, "postgresql-password", NULL);
    char *text = NULL;
    gsize len = 0;
    if (!g_file_get_contents(path, &text, &len, NULL) || len > PASSWORD_MAX)
        return NULL;
    return g_strchomp(text);
}

/* libpq is quiet: notices ("already exists, skipping") say nothing new. */
static void
ignore_notice(void *data, const PGresult *result)
{
    (void) data;
    (void) result;
}

/* A parameter of the URI; NULL when it has none. */
static char *
uri_option(const char *uri, const char *keyword)
{
    char *value = NULL;
    PQconninfoOption *options = PQconninfoParse(uri, NULL);
    for (PQconninfoOption *o = options; o != NULL && o->keyword != NULL; o++) {
        if (strcmp(o->keyword, keyword) == 0)
            value = g_strdup(o->val);
    }
    PQconninfoFree(options);
    return value;
}

static bool
connect_now(Connection *c, GError **error)
{
    g_autofree char *password = credential_password();
    g_autofree char *given_options = uri_option(c->uri, "options");
    /* Ours first: of two that name the same setting the later one counts. */
    g_autofree char *all_options = g_strdup_printf(
        "-c statement_timeout=%d -c idle_in_transaction_session_timeout=%d %s",
        (int) STATEMENT_MS, (int) IDLE_MS,
        given_options != NULL ? given_options : "");
    /* What stands before dbname are defaults, which the URI overrides. */
    const char *const names[] = { "connect_timeout",
                                  "keepalives_idle",
                                  "keepalives_interval",
                                  "keepalives_count",
                                  "tcp_user_timeout",
                                  "fallback_application_name",
                                  "client_encoding",
                                  "password",
                                  "dbname",
                                  "options",
                                  NULL };
    const char *const values[] = { "5",         "15",     "5",
                                   "3",         "15000",  "contact-milter",
                                   "UTF8",      password, c->uri,
                                   all_options, NULL };
    c->connection = PQconnectdbParams(names, values, 1);
    if (password != NULL)
        memset(password, 0, strlen(password));
    if (PQstatus(c->connection) != CONNECTION_OK) {
        g_autofree char *line = first_line(PQerrorMessage(c->connection));
        g_set_error(error, STORE_ERROR, STORE_ERROR_UNAVAILABLE,
                    "postgresql: %s", line);
        disconnect(c);
        return false;
    }
    (void) PQsetNoticeReceiver(c->connection, ignore_notice, NULL);
    (void) PQsetnonblocking(c->connection, 1);
    return true;
}

/* Connected, or an error without waiting when the last attempt was just now. */
static bool
ensure_connected(Connection *c, GError **error)
{
    if (c->connection != NULL)
        return true;
    int64_t now = g_get_monotonic_time();
    if (now < c->next_try) {
        g_set_error(error, STORE_ERROR, STORE_ERROR_UNAVAILABLE, "%s",
                    c->trouble != NULL ? c->trouble
                                       : "postgresql: not connected");
        return false;
    }
    g_autoptr(GError) reason = NULL;
    if (connect_now(c, &reason)) {
        c->pause_ms = 0;
        g_clear_pointer(&c->trouble, g_free);
        return true;
    }
    reason->code = STORE_ERROR_UNAVAILABLE;
    c->pause_ms = CLAMP(c->pause_ms * 2, BACKOFF_MIN_MS, BACKOFF_MAX_MS);
    /* A quarter of chance, so that hosts do not return in step. */
    int64_t pause =
        c->pause_ms + g_random_int_range(0, (gint32) (c->pause_ms / 4 + 1));
    c->next_try = g_get_monotonic_time() + pause * 1000;
    g_free(c->trouble);
    c->trouble = g_strdup(reason->message);
    g_propagate_error(error, g_steal_pointer(&reason));
    return false;
}

/* --- statements ---------------------------------------------------------- */

/* The name of the prepared statement; the table owns it. */
static const char *
prepare(Connection *c, const char *sql, int n_params, GError **error)
{
    const char *name = g_hash_table_lookup(c->statements, sql);
    if (name != NULL)
        return name;
    char *new_name = g_strdup_printf("s%u", ++c->prepared);
    PGresult *result = NULL;
    if (PQsendPrepare(c->connection, new_name, sql, n_params, NULL))
        result = wait_result(c, sql, error);
    else
        lost(c, PQerrorMessage(c->connection), error);
    PQclear(result);
    if (result == NULL) {
        g_free(new_name);
        return NULL;
    }
    g_hash_table_insert(c->statements, g_strdup(sql), new_name);
    return new_name;
}

static PGresult *
execute(Connection *c, const char *sql, const char *const *values, int n_values,
        GError **error)
{
    /* In a transaction whose connection is gone there is nothing to go on
     * with; outside, this is where it is opened. */
    if (!ensure_connected(c, error))
        return NULL;
    const char *name = prepare(c, sql, n_values, error);
    if (name == NULL)
        return NULL;
    if (!PQsendQueryPrepared(c->connection, name, n_values, values, NULL, NULL,
                             0)) {
        lost(c, PQerrorMessage(c->connection), error);
        return NULL;
    }
    return wait_result(c, sql, error);
}

static void
copy_rows(const PGresult *result, StoreRows *out_rows)
{
    int width = PQnfields(result);
    for (int i = 0; i < PQntuples(result); i++) {
        StoreValues values = store_rows_add(out_rows, (size_t) width);
        for (int k = 0; k < width; k++) {
            if (!PQgetisnull(result, i, k))
                values[k] = g_strdup(PQgetvalue(result, i, k));
        }
    }
}

static bool
pgsql_run(void *data, const char *sql, const StoreValue *params,
          size_t n_params, StoreRows *out_rows, int64_t *out_changed,
          GError **error)
{
    Connection *c = data;
    const char *values[8] = { NULL };
    char numbers[8][24];
    g_assert(n_params <= G_N_ELEMENTS(values));
    for (size_t i = 0; i < n_params; i++) {
        if (params[i].type == VALUE_INT) {
            (void) g_snprintf(numbers[i], sizeof numbers[i],
                              "%" G_GINT64_FORMAT, (gint64) params[i].integer);
            values[i] = numbers[i];
        } else if (params[i].type == VALUE_TEXT) {
            values[i] = params[i].text;
        }
    }
    PGresult *result = execute(c, sql, values, (int) n_params, error);
    if (result == NULL)
        return false;
    if (out_rows != NULL) {
        store_rows_clear(out_rows);
        store_rows_init(out_rows);
        copy_rows(result, out_rows);
    }
    if (out_changed != NULL)
        *out_changed = g_ascii_strtoll(PQcmdTuples(result), NULL, 10);
    PQclear(result);
    return true;
}

/* {"a","b",NULL}: every element quoted, so that nothing in it means anything. */
static void
array_append(GString *array, const char *value)
{
    g_string_append_c(array, array->len == 0 ? '{' : ',');
    if (value == NULL) {
        g_string_append(array, "NULL");
        return;
    }
    g_string_append_c(array, '"');
    for (const char *p = value; *p != '\0';) {
        size_t plain = strcspn(p, "\"\\");
        g_string_append_len(array, p, (gssize) plain);
        p += plain;
        if (*p != '\0') {
            g_string_append_c(array, '\\');
            g_string_append_c(array, *p++);
        }
    }
    g_string_append_c(array, '"');
}

static char *
insert_sql(const StoreTable *table, StoreInsertMode mode)
{
    g_autofree char *columns = store_table_columns(table);
    GString *sql = g_string_new(NULL);
    g_string_append_printf(sql, "INSERT INTO %s (%s) SELECT * FROM unnest(",
                           table->name, columns);
    for (size_t i = 0; i < table->n_columns; i++)
        g_string_append_printf(sql, "%s$%zu::%s[]", i > 0 ? ", " : "", i + 1,
                               table->columns[i].is_int ? "bigint" : "text");
    g_string_append(sql, ") ON CONFLICT (");
    for (size_t i = 0; i < table->n_key; i++)
        g_string_append_printf(sql, "%s%s", i > 0 ? ", " : "",
                               table->columns[i].name);
    g_string_append(sql, ") DO ");
    if (mode == INSERT_NEW) {
        g_string_append_printf(sql, "NOTHING RETURNING %s",
                               table->columns[0].name);
    } else {
        g_string_append(sql, "UPDATE SET ");
        for (size_t i = table->n_key; i < table->n_columns; i++)
            g_string_append_printf(
                sql, "%s%s = excluded.%s", i > table->n_key ? ", " : "",
                table->columns[i].name, table->columns[i].name);
    }
    return g_string_free(sql, FALSE);
}

static bool
pgsql_insert(void *data, const StoreTable *table, const StoreRows *rows,
             StoreInsertMode mode, GPtrArray *out_keys, GError **error)
{
    Connection *c = data;
    if (rows->rows->len == 0)
        return true;
    g_autofree char *sql = insert_sql(table, mode);
    GString *arrays[G_N_ELEMENTS(table->columns)];
    const char *values[G_N_ELEMENTS(table->columns)];
    for (size_t k = 0; k < table->n_columns; k++) {
        arrays[k] = g_string_new(NULL);
        for (guint i = 0; i < rows->rows->len; i++)
            array_append(arrays[k], ((StoreValues) rows->rows->pdata[i])[k]);
        g_string_append_c(arrays[k], '}');
        values[k] = arrays[k]->str;
    }
    PGresult *result = execute(c, sql, values, (int) table->n_columns, error);
    for (size_t k = 0; k < table->n_columns; k++)
        (void) g_string_free(arrays[k], TRUE);
    if (result == NULL)
        return false;
    for (int i = 0; out_keys != NULL && i < PQntuples(result); i++)
        g_ptr_array_add(out_keys, g_strdup(PQgetvalue(result, i, 0)));
    PQclear(result);
    return true;
}

static bool
pgsql_load(void *data, const StoreTable *table, const GPtrArray *keys,
           StoreRows *out_rows, GError **error)
{
    Connection *c = data;
    store_rows_clear(out_rows);
    store_rows_init(out_rows);
    if (keys->len == 0)
        return true;
    g_autofree char *columns = store_table_columns(table);
    g_autofree char *sql = g_strdup_printf(
        "SELECT %s FROM %s WHERE %s = ANY ($1::text[]) ORDER BY %s FOR UPDATE",
        columns, table->name, table->columns[0].name, table->columns[0].name);
    g_autoptr(GString) array = g_string_new(NULL);
    for (guint i = 0; i < keys->len; i++)
        array_append(array, keys->pdata[i]);
    g_string_append_c(array, '}');
    const char *value = array->str;
    PGresult *result = execute(c, sql, &value, 1, error);
    if (result == NULL)
        return false;
    copy_rows(result, out_rows);
    PQclear(result);
    return true;
}

static bool
pgsql_begin(void *data, GError **error)
{
    Connection *c = data;
    if (!ensure_connected(c, error) || !simple(c, "BEGIN", error))
        return false;
    c->in_transaction = true;
    return true;
}

static bool
pgsql_commit(void *data, GError **error)
{
    Connection *c = data;
    if (c->connection == NULL || !c->in_transaction) {
        g_set_error(error, STORE_ERROR, (int) STORE_ERROR_CONFLICT,
                    "postgresql: the transaction was lost");
        return false;
    }
    /* When the answer is lost, so is the knowledge whether it was done; all
     * transactions may be repeated. */
    bool ok = simple(c, "COMMIT", error);
    if (ok)
        c->in_transaction = false;
    return ok;
}

static void
pgsql_rollback(void *data)
{
    Connection *c = data;
    if (c->connection == NULL || !c->in_transaction)
        return;
    g_autoptr(GError) error = NULL;
    c->in_transaction = false;
    if (!simple(c, "ROLLBACK", &error))
        disconnect(c);
}

/* --- opening ------------------------------------------------------------- */

static void
pgsql_close(void *data)
{
    Connection *c = data;
    if (c == NULL)
        return;
    disconnect(c);
    g_hash_table_unref(c->statements);
    g_free(c->trouble);
    if (c->uri != NULL)
        memset(c->uri, 0, strlen(c->uri)); /* may hold a password */
    g_free(c->uri);
    g_free(c);
}

static const char version_query[] =
    "SELECT value FROM state WHERE name = 'schema_version'";

/* Makes the tables where the role may; an administrator runs
 * conf/schema-postgresql.sql where it may not. */
static bool
make_schema(Connection *c, GError **error)
{
    g_autoptr(GError) reason = NULL;
    bool ok = true;
    for (int id = 0; id < TABLE_COUNT && ok; id++) {
        ok = simple(c, store_tables[id].create, &reason);
        for (size_t i = 0; store_tables[id].indexes[i] != NULL && ok; i++)
            ok = simple(c, store_tables[id].indexes[i], &reason);
    }
    g_autofree char *mark = g_strdup_printf(
        "INSERT INTO state (name, value) VALUES ('schema_version', '%d')"
        " ON CONFLICT (name) DO NOTHING",
        (int) STORE_SCHEMA_VERSION);
    ok = ok && simple(c, mark, &reason);
    if (ok)
        return true;
    if (g_error_matches(reason, STORE_ERROR, STORE_ERROR_FAILED))
        g_set_error(error, STORE_ERROR, STORE_ERROR_SCHEMA,
                    "the tables are missing and cannot be made by this role "
                    "(%s); run schema-postgresql.sql as their owner",
                    reason->message);
    else
        g_propagate_error(error, g_steal_pointer(&reason));
    return false;
}

/* Steps from version N to N + 1 will stand here. */
static bool
check_schema(Connection *c, GError **error)
{
    for (unsigned i = 1;; i++) {
        g_autoptr(GError) reason = NULL;
        StoreRows rows = { 0 };
        bool ok = pgsql_run(c, version_query, NULL, 0, &rows, NULL, &reason);
        int64_t version =
            ok && rows.rows->len > 0
                ? g_ascii_strtoll(((StoreValues) rows.rows->pdata[0])[0], NULL,
                                  10)
                : 0;
        store_rows_clear(&rows);
        if (version > STORE_SCHEMA_VERSION) {
            g_set_error(error, STORE_ERROR, STORE_ERROR_SCHEMA,
                        "the database was made by a newer version (schema %d, "
                        "this program knows %d)",
                        (int) version, (int) STORE_SCHEMA_VERSION);
            return false;
        }
        if (version > 0)
            return true;
        /* FAILED: no such table. */
        if (!ok && !g_error_matches(reason, STORE_ERROR, STORE_ERROR_FAILED)) {
            g_propagate_error(error, g_steal_pointer(&reason));
            return false;
        }
        /* Hosts that start together run into each other: once more. */
        g_autoptr(GError) made = NULL;
        if (!make_schema(c, &made) && i >= 5) {
            g_propagate_error(error, g_steal_pointer(&made));
            return false;
        }
        if (made != NULL) {
            if (g_error_matches(made, STORE_ERROR, STORE_ERROR_UNAVAILABLE)) {
                g_propagate_error(error, g_steal_pointer(&made));
                return false;
            }
            g_usleep((gulong) g_random_int_range(10000, 100000));
        }
    }
}

static void *
pgsql_open(const char *uri, GError **error)
{
    /* Its message may quote the password: not passed on. */
    PQconninfoOption *options = PQconninfoParse(uri, NULL);
    if (options == NULL) {
        g_set_error(error, STORE_ERROR, STORE_ERROR_URI,
                    "this is no URI that PostgreSQL understands: "
                    "postgresql://USER@HOST/DATABASE?sslmode=verify-full is "
                    "meant");
        return NULL;
    }
    PQconninfoFree(options);

    Connection *c = g_new0(Connection, 1);
    c->uri = g_strdup(uri);
    c->statements =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    if (!ensure_connected(c, error) || !check_schema(c, error)) {
        if (error != NULL && *error != NULL &&
            (*error)->code == (int) STORE_ERROR_CONFLICT)
            (*error)->code = STORE_ERROR_UNAVAILABLE;
        pgsql_close(c);
        return NULL;
    }
    return c;
}

static const char *const schemes[] = { "postgresql", "postgres", NULL };

const StoreBackend store_pgsql = {
    .schemes = schemes,
    .shared = true,
    .open = pgsql_open,
    .close = pgsql_close,
    .begin = pgsql_begin,
    .commit = pgsql_commit,
    .rollback = pgsql_rollback,
    .run = pgsql_run,
    .insert = pgsql_insert,
    .load = pgsql_load,
    .skip_locked = " FOR UPDATE SKIP LOCKED",
};
