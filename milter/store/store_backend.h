/*
 * store_backend.h - what a database has to do for store.c
 *
 * store.c knows what to do, a backend only how to say it to its database: open
 * and close, begin and end a transaction, run one statement, and the three
 * things that are worth their own way in each database because they concern
 * many rows at once. Statements use the common subset of SQLite's and
 * PostgreSQL's SQL, with parameters $1, $2, ... in order of appearance.
 *
 * Ownership  a backend's connection is the `void *` that open() returned.
 * Threads    one caller at a time (store.c holds the lock).
 * Errors     STORE_ERROR_CONFLICT: roll back and do it all again at once.
 *            STORE_ERROR_UNAVAILABLE: try later. After any error the caller
 *            calls rollback().
 */
#ifndef STORE_BACKEND_H
#define STORE_BACKEND_H

#include "store/store.h"

/* Never leaves store.c: another transaction was in the way (SQLSTATE 40001,
 * SQLITE_BUSY_SNAPSHOT), or the connection was lost in the middle. */
enum { STORE_ERROR_CONFLICT = 1000 };

typedef enum { VALUE_NULL, VALUE_INT, VALUE_TEXT } StoreValueType;

typedef struct {
    StoreValueType type;
    int64_t integer;
    const char *text;
} StoreValue;

#define VALUE_OF_INT(n) \
    (StoreValue) { VALUE_INT, (n), NULL }
#define VALUE_OF_TEXT(s) \
    (StoreValue) { (s) != NULL ? VALUE_TEXT : VALUE_NULL, 0, (s) }

typedef struct {
    const char *name;
    bool is_int;
} StoreColumn;

/* The first n_key columns are the primary key. */
typedef struct {
    const char *name;
    const char *create;         /* the statement that makes it */
    const char *const *indexes; /* further statements; NULL-terminated */
    size_t n_columns, n_key;
    StoreColumn columns[32];
} StoreTable;

typedef enum {
    TABLE_CONTACT,
    TABLE_HELD,
    TABLE_MERGED,
    TABLE_EVENT,
    TABLE_SENT,
    TABLE_STATE,
    TABLE_COUNTER,
    TABLE_COUNT,
} StoreTableId;

extern const StoreTable store_tables[TABLE_COUNT];

enum { STORE_SCHEMA_VERSION = 1 };

/* "key, email, ..." of all columns; the caller frees it. */
char *store_table_columns(const StoreTable *table);

/* A row is an array of n_columns strings; SQL NULL is NULL. */
typedef char **StoreValues;

/* Rows with their width, of type StoreValues. */
typedef struct {
    size_t width;
    GPtrArray *rows;
} StoreRows;
void store_rows_init(StoreRows *rows);
void store_rows_clear(StoreRows *rows);
/* A new row of `width` NULLs at the end; width must be that of the others. */
StoreValues store_rows_add(StoreRows *rows, size_t width);

typedef enum {
    INSERT_NEW,   /* ON CONFLICT DO NOTHING; out_keys: what was inserted */
    INSERT_UPSERT /* ON CONFLICT DO UPDATE of all other columns */
} StoreInsertMode;

typedef struct {
    const char *const *schemes; /* "sqlite", NULL */
    bool shared;                /* made for several hosts */
    void *(*open)(const char *uri, GError **error);
    void (*close)(void *connection);
    /* A damaged file is set aside; the words for the log, or NULL. NULL: the
     * database looks after its files itself. */
    char *(*mend)(const char *uri);

    bool (*begin)(void *connection, GError **error);
    bool (*commit)(void *connection, GError **error);
    void (*rollback)(void *connection);

    /* `out_rows` (may be NULL) is cleared before; `out_changed` (may be NULL)
     * is the number of rows inserted, updated or deleted. */
    bool (*run)(void *connection, const char *sql, const StoreValue *params,
                size_t n_params, StoreRows *out_rows, int64_t *out_changed,
                GError **error);
    /* Many rows in one go. `out_keys` (may be NULL) receives the first column
     * of each row that was really inserted (INSERT_NEW). */
    bool (*insert)(void *connection, const StoreTable *table,
                   const StoreRows *rows, StoreInsertMode mode,
                   GPtrArray *out_keys, GError **error);
    /* All columns of the rows whose first key column is one of `keys`, locked
     * until the transaction ends, in the order of the key. */
    bool (*load)(void *connection, const StoreTable *table,
                 const GPtrArray *keys, StoreRows *out_rows, GError **error);
    /* Appended to a SELECT of contacts: rows locked by others are left out. */
    const char *skip_locked;
} StoreBackend;

extern const StoreBackend store_sqlite;
extern const StoreBackend store_pgsql;

#endif
