/*
 * store_sqlite.c - the contacts store in a local SQLite file ("sqlite:PATH")
 *
 * WAL with synchronous=FULL: what a commit said is done survives a power cut.
 * Transactions begin as readers and become writers with their first change, so
 * that a batch that changes nothing takes no lock at all; when another process
 * (contactctl) wrote in between, SQLite answers SQLITE_BUSY_SNAPSHOT and
 * store.c does the transaction again.
 *
 * Statements are prepared once and found again by their text, which is always
 * the same literal or a string built once per table.
 */
#include "config.h"

#include "store/sqlite_damage.h"
#include "store/store_backend.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

enum {
    APPLICATION_ID = 0x434d4374, /* "CMCt" */
    BUSY_MS = 2000,
    CACHE_KB = 16 * 1024,
};

typedef struct {
    sqlite3 *db;
    GHashTable *statements; /* SQL -> sqlite3_stmt* */
} Connection;

static void
set_error(sqlite3 *db, int code, const char *doing, GError **error)
{
    int primary = code & 0xff;
    int kind = STORE_ERROR_FAILED;
    if (code == SQLITE_BUSY_SNAPSHOT)
        kind = STORE_ERROR_CONFLICT;
    else if (primary == SQLITE_BUSY || primary == SQLITE_LOCKED ||
             primary == SQLITE_FULL || primary == SQLITE_IOERR ||
             primary == SQLITE_CANTOPEN || primary == SQLITE_READONLY ||
             primary == SQLITE_PROTOCOL || primary == SQLITE_NOMEM)
        kind = STORE_ERROR_UNAVAILABLE;
    g_set_error(error, STORE_ERROR, kind, "sqlite: %s: %s", doing,
                db != NULL ? sqlite3_errmsg(db) : sqlite3_errstr(code));
}

static void
statement_free(void *data)
{
    (void) sqlite3_finalize(data);
}

static bool
exec(sqlite3 *db, const char *sql, GError **error)
{
    int code = sqlite3_exec(db, sql, NULL, NULL, NULL);
    if (code != SQLITE_OK)
        set_error(db, sqlite3_extended_errcode(db), sql, error);
    return code == SQLITE_OK;
}

static sqlite3_stmt *
prepare(Connection *connection, const char *sql, GError **error)
{
    sqlite3_stmt *statement = g_hash_table_lookup(connection->statements, sql);
    if (statement != NULL)
        return statement;
    int code = sqlite3_prepare_v3(connection->db, sql, -1,
                                  SQLITE_PREPARE_PERSISTENT, &statement, NULL);
    if (code != SQLITE_OK) {
        set_error(connection->db, code, sql, error);
        return NULL;
    }
    g_hash_table_insert(connection->statements, g_strdup(sql), statement);
    return statement;
}

static bool
sqlite_run(void *data, const char *sql, const StoreValue *params,
           size_t n_params, StoreRows *out_rows, int64_t *out_changed,
           GError **error)
{
    Connection *connection = data;
    sqlite3_stmt *statement = prepare(connection, sql, error);
    if (statement == NULL)
        return false;
    for (size_t i = 0; i < n_params; i++) {
        int at = (int) i + 1; /* $n stand in order of appearance */
        switch (params[i].type) {
        case VALUE_NULL:
            (void) sqlite3_bind_null(statement, at);
            break;
        case VALUE_INT:
            (void) sqlite3_bind_int64(statement, at, params[i].integer);
            break;
        case VALUE_TEXT:
            (void) sqlite3_bind_text(statement, at, params[i].text, -1,
                                     SQLITE_STATIC);
            break;
        }
    }
    if (out_rows != NULL) {
        store_rows_clear(out_rows);
        store_rows_init(out_rows);
    }
    int code;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        if (out_rows == NULL)
            continue;
        int width = sqlite3_column_count(statement);
        StoreValues values = store_rows_add(out_rows, (size_t) width);
        for (int i = 0; i < width; i++)
            values[i] =
                g_strdup((const char *) sqlite3_column_text(statement, i));
    }
    if (code == SQLITE_DONE && out_changed != NULL)
        *out_changed = sqlite3_changes(connection->db);
    if (code != SQLITE_DONE)
        set_error(connection->db, sqlite3_extended_errcode(connection->db), sql,
                  error);
    (void) sqlite3_reset(statement);
    (void) sqlite3_clear_bindings(statement);
    return code == SQLITE_DONE;
}

static char *
insert_sql(const StoreTable *table, StoreInsertMode mode)
{
    g_autofree char *columns = store_table_columns(table);
    GString *sql = g_string_new(NULL);
    g_string_append_printf(sql, "INSERT INTO %s (%s) VALUES (", table->name,
                           columns);
    for (size_t i = 0; i < table->n_columns; i++)
        g_string_append_printf(sql, "%s?%zu", i > 0 ? ", " : "", i + 1);
    g_string_append(sql, ") ON CONFLICT (");
    for (size_t i = 0; i < table->n_key; i++)
        g_string_append_printf(sql, "%s%s", i > 0 ? ", " : "",
                               table->columns[i].name);
    g_string_append(sql, ") DO ");
    if (mode == INSERT_NEW) {
        g_string_append(sql, "NOTHING");
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
sqlite_insert(void *data, const StoreTable *table, const StoreRows *rows,
              StoreInsertMode mode, GPtrArray *out_keys, GError **error)
{
    Connection *connection = data;
    if (rows->rows->len == 0)
        return true;
    g_autofree char *sql = insert_sql(table, mode);
    sqlite3_stmt *statement = prepare(connection, sql, error);
    if (statement == NULL)
        return false;
    for (guint i = 0; i < rows->rows->len; i++) {
        const StoreValues values = rows->rows->pdata[i];
        for (size_t k = 0; k < table->n_columns; k++) {
            if (values[k] == NULL)
                (void) sqlite3_bind_null(statement, (int) k + 1);
            else if (table->columns[k].is_int)
                (void) sqlite3_bind_int64(statement, (int) k + 1,
                                          g_ascii_strtoll(values[k], NULL, 10));
            else
                (void) sqlite3_bind_text(statement, (int) k + 1, values[k], -1,
                                         SQLITE_STATIC);
        }
        int code = sqlite3_step(statement);
        bool ok = code == SQLITE_DONE;
        if (!ok)
            set_error(connection->db, sqlite3_extended_errcode(connection->db),
                      sql, error);
        else if (out_keys != NULL && sqlite3_changes(connection->db) > 0)
            g_ptr_array_add(out_keys, g_strdup(values[0]));
        (void) sqlite3_reset(statement);
        (void) sqlite3_clear_bindings(statement);
        if (!ok)
            return false;
    }
    return true;
}

static bool
sqlite_load(void *data, const StoreTable *table, const GPtrArray *keys,
            StoreRows *out_rows, GError **error)
{
    Connection *connection = data;
    store_rows_clear(out_rows);
    store_rows_init(out_rows);
    if (keys->len == 0)
        return true;
    g_autofree char *columns = store_table_columns(table);
    g_autofree char *sql =
        g_strdup_printf("SELECT %s FROM %s WHERE %s = $1", columns, table->name,
                        table->columns[0].name);
    for (guint i = 0; i < keys->len; i++) {
        StoreRows one = { 0 };
        StoreValue key = VALUE_OF_TEXT(keys->pdata[i]);
        if (!sqlite_run(connection, sql, &key, 1, &one, NULL, error)) {
            store_rows_clear(&one);
            return false;
        }
        out_rows->width = table->n_columns;
        for (guint k = 0; k < one.rows->len; k++)
            g_ptr_array_add(out_rows->rows, one.rows->pdata[k]);
        g_ptr_array_set_size(one.rows, 0); /* moved */
        store_rows_clear(&one);
    }
    return true;
}

static bool
sqlite_begin(void *data, GError **error)
{
    Connection *connection = data;
    return exec(connection->db, "BEGIN", error);
}

static bool
sqlite_commit(void *data, GError **error)
{
    Connection *connection = data;
    return exec(connection->db, "COMMIT", error);
}

static void
sqlite_rollback(void *data)
{
    Connection *connection = data;
    if (!sqlite3_get_autocommit(connection->db))
        (void) sqlite3_exec(connection->db, "ROLLBACK", NULL, NULL, NULL);
}

static void
sqlite_close(void *data)
{
    Connection *connection = data;
    if (connection == NULL)
        return;
    g_clear_pointer(&connection->statements, g_hash_table_unref);
    (void) sqlite3_close_v2(connection->db);
    g_free(connection);
}

static int64_t
pragma_int(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    int64_t value = -1;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        value = sqlite3_column_int64(statement, 0);
    (void) sqlite3_finalize(statement);
    return value;
}

/* Small rows in tables whose key is most of the row: no second B-tree. */
static bool
wants_rowid(StoreTableId id)
{
    return id == TABLE_CONTACT || id == TABLE_HELD;
}

static bool
make_schema(Connection *connection, GError **error)
{
    sqlite3 *db = connection->db;
    if (!exec(db, "BEGIN IMMEDIATE", error))
        return false;
    bool ok = true;
    for (int id = 0; id < TABLE_COUNT && ok; id++) {
        const StoreTable *table = &store_tables[id];
        g_autofree char *create = g_strconcat(
            table->create,
            wants_rowid((StoreTableId) id) ? "" : " WITHOUT ROWID", NULL);
        ok = exec(db, create, error);
        for (size_t i = 0; table->indexes[i] != NULL && ok; i++)
            ok = exec(db, table->indexes[i], error);
    }
    g_autofree char *marks =
        g_strdup_printf("PRAGMA application_id = %d; PRAGMA user_version = %d",
                        (int) APPLICATION_ID, (int) STORE_SCHEMA_VERSION);
    ok = ok && exec(db, marks, error) && exec(db, "COMMIT", error);
    if (!ok)
        (void) sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return ok;
}

/* Steps from version N to N + 1 will stand here, one transaction each. */
static bool
check_schema(Connection *connection, const char *path, GError **error)
{
    sqlite3 *db = connection->db;
    int64_t version = pragma_int(db, "PRAGMA user_version");
    int64_t id = pragma_int(db, "PRAGMA application_id");
    int64_t objects = pragma_int(db, "SELECT count(*) FROM sqlite_master");
    if (objects < 0) {
        set_error(db, sqlite3_extended_errcode(db), path, error);
        return false;
    }
    if (objects == 0)
        return make_schema(connection, error);
    if (id != APPLICATION_ID) {
        g_set_error(error, STORE_ERROR, STORE_ERROR_SCHEMA,
                    "%s is a database of something else", path);
        return false;
    }
    if (version > STORE_SCHEMA_VERSION) {
        g_set_error(error, STORE_ERROR, STORE_ERROR_SCHEMA,
                    "%s was made by a newer version (schema %d, this program "
                    "knows %d)",
                    path, (int) version, (int) STORE_SCHEMA_VERSION);
        return false;
    }
    return true;
}

static const char *
path_of(const char *uri)
{
    const char *path = uri + strlen("sqlite:");
    return g_str_has_prefix(path, "///") ? path + 2 : path;
}

static char *
sqlite_mend(const char *uri)
{
    const char *path = path_of(uri);
    if (!g_file_test(path, G_FILE_TEST_EXISTS))
        return NULL;
    sqlite3 *db = NULL;
    g_autofree char *why = NULL;
    int code = sqlite3_open_v2(path, &db,
                               SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
                                   SQLITE_OPEN_PRIVATECACHE,
                               NULL);
    if (code == SQLITE_OK) {
        (void) sqlite3_busy_timeout(db, BUSY_MS);
        code = sqlite_find_damage(db, &why);
    }
    (void) sqlite3_close_v2(db);
    if (!sqlite_is_damage(code))
        return NULL;
    g_autofree char *recover = g_strdup_printf(
        "what it still holds comes back with: sqlite3 %%s .recover | sqlite3 "
        "%%s.recovered && contactctl migrate sqlite:%%s.recovered sqlite:%s",
        path);
    return sqlite_set_aside(path, "the contacts store", why, recover);
}

static void *
sqlite_open(const char *uri, GError **error)
{
    const char *path = path_of(uri);
    if (*path == '\0') {
        g_set_error(error, STORE_ERROR, STORE_ERROR_URI,
                    "sqlite: without a path; sqlite:/var/lib/... is meant");
        return NULL;
    }

    /* Personal data: nothing for others, the umask decides on the group. A
     * file that is there is not opened here: closing it would take away the
     * POSIX locks of another connection of this process. */
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, 0660);
    if (fd < 0 && errno != EEXIST) {
        g_set_error(error, STORE_ERROR, STORE_ERROR_UNAVAILABLE,
                    "sqlite: cannot open %s: %s", path, g_strerror(errno));
        return NULL;
    }
    if (fd >= 0)
        (void) close(fd);

    Connection *connection = g_new0(Connection, 1);
    connection->statements =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, statement_free);
    int code = sqlite3_open_v2(path, &connection->db,
                               SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
                                   SQLITE_OPEN_PRIVATECACHE,
                               NULL);
    if (code != SQLITE_OK) {
        set_error(connection->db, code, path, error);
        sqlite_close(connection);
        return NULL;
    }
    (void) sqlite3_busy_timeout(connection->db, BUSY_MS);
    g_autofree char *pragmas =
        g_strdup_printf("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                        "PRAGMA secure_delete=FAST; PRAGMA cache_size=-%d;"
                        "PRAGMA journal_size_limit=67108864;",
                        (int) CACHE_KB);
    code = sqlite3_exec(connection->db, pragmas, NULL, NULL, NULL);
    if (code != SQLITE_OK)
        set_error(connection->db, code, path, error);
    if (code != SQLITE_OK || !check_schema(connection, path, error)) {
        sqlite_close(connection);
        return NULL;
    }
    return connection;
}

static const char *const schemes[] = { "sqlite", NULL };

const StoreBackend store_sqlite = {
    .schemes = schemes,
    .open = sqlite_open,
    .close = sqlite_close,
    .mend = sqlite_mend,
    .begin = sqlite_begin,
    .commit = sqlite_commit,
    .rollback = sqlite_rollback,
    .run = sqlite_run,
    .insert = sqlite_insert,
    .load = sqlite_load,
    .skip_locked = "",
};
