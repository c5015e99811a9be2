/*
 * spool.c - see spool.h
 *
 * Two connections to one SQLite file in WAL mode. The writer thread owns the
 * first (synchronous=FULL: a commit is on the disk before end-of-message is
 * answered) and puts everything that sessions queued since its last commit
 * into the next one, so a hundred sessions share one fsync. The second serves
 * the judge with synchronous=NORMAL: what it writes (attempts, deletions) may
 * be lost with the power, and then a step is repeated, never skipped.
 *
 * When the disk does not take a commit (full, locked, I/O error), the writer
 * keeps the batches and tries again with growing pauses; meanwhile sessions do
 * not wait for it at all. A damaged file is renamed and a new one begun, at
 * the start and also later. Another process may do so too (the mta and sync
 * roles share the file): both connections notice when the path leads to
 * another inode and follow it.
 *
 * Attempts: a row is counted before the judge sees it. A row that was counted
 * by a process which then died is handed out alone, so that innocent rows of
 * the same fetch are not set aside with the poisoned one. A process that asks
 * for the same row again has evidently not died of it: not counted again.
 */
#include "config.h"

#include "store/spool.h"

#include "base/fault.h"
#include "base/log.h"
#include "store/observation_json.h"
#include "store/sqlite_damage.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    SCHEMA_VERSION = 1,
    APPLICATION_ID = 0x434d5370, /* "CMSp" */
    MEMORY_BYTES = 64 * 1024 * 1024,
    ROWS_PER_COMMIT = 2000,
    BUSY_MS = 250,
    JUDGE_BUSY_MS = 1000, /* nobody's mail waits for the judge */
    OPEN_BUSY_MS = 5000,
    BACKOFF_MIN_MS = 50,
    BACKOFF_MAX_MS = 2000,
    CLOSE_MS = 5000, /* what waits is given up after so long at closing */
};

static const char schema[] =
    "CREATE TABLE observation ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " due INTEGER NOT NULL DEFAULT 0,"
    " attempts INTEGER NOT NULL DEFAULT 0,"
    " added INTEGER NOT NULL,"
    " kind INTEGER NOT NULL,"
    " email TEXT NOT NULL,"
    " aside TEXT," /* why it was set aside, else NULL */
    " body TEXT NOT NULL);"
    "CREATE INDEX observation_due ON observation (due, id)"
    " WHERE aside IS NULL;"
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);"
    "INSERT INTO meta VALUES ('uuid', lower(hex(randomblob(8))));"
    "PRAGMA user_version = 1;";

/* What one message appended; lives until both its session and the writer are
 * done with it. Guarded by Spool.lock. */
typedef struct {
    GPtrArray *rows; /* of Row */
    size_t bytes;
    unsigned references;
    bool stored;
} Batch;

typedef struct {
    int kind;
    char *email;
    char *body;
} Row;

/* A connection and the file that it was opened on. */
typedef struct {
    sqlite3 *db;
    dev_t device;
    ino_t inode;
    char *uuid;
} Connection;

struct Spool {
    char *path;
    char *host;

    pthread_mutex_t lock; /* all of this block */
    pthread_cond_t work;  /* to the writer */
    pthread_cond_t done;  /* to the sessions */
    GQueue queue;         /* of Batch, oldest first */
    size_t rows, bytes;   /* queued, and in the writer's hands */
    bool closing, failing;
    void (*wake)(void *data);
    void *wake_data;

    pthread_t writer;
    Connection writing; /* the writer thread's own */

    /* One transaction of this process at a time: they would only wait for
     * each other in SQLite's busy handler, which knows no queue. */
    pthread_mutex_t write_lock;

    pthread_mutex_t judge_lock; /* all of this block */
    Connection judging;
    GHashTable *in_flight; /* ids that this process fetched, not yet done */
};

static GQuark
spool_error_quark(void)
{
    return g_quark_from_static_string("spool");
}

/* GError codes are SQLite's primary result codes. */
static void
set_error(sqlite3 *db, int code, const char *doing, GError **error)
{
    g_set_error(error, spool_error_quark(), code & 0xff, "spool: %s: %s", doing,
                db != NULL ? sqlite3_errmsg(db) : sqlite3_errstr(code));
}

static int64_t
now_s(void)
{
    return g_get_real_time() / G_USEC_PER_SEC;
}

/* --- one connection ------------------------------------------------------ */

static void
connection_close(Connection *connection)
{
    /* _v2: also with a statement left over by an error path. */
    (void) sqlite3_close_v2(connection->db);
    connection->db = NULL;
    g_clear_pointer(&connection->uuid, g_free);
}

static bool
exec(sqlite3 *db, const char *sql, GError **error)
{
    int code = sqlite3_exec(db, sql, NULL, NULL, NULL);
    if (code != SQLITE_OK)
        set_error(db, code, sql, error);
    return code == SQLITE_OK;
}

/* First column of the first row as text; NULL on error or when empty. */
static char *
query_text(sqlite3 *db, const char *sql, int *out_code)
{
    sqlite3_stmt *statement = NULL;
    char *text = NULL;
    int code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    if (code == SQLITE_OK) {
        code = sqlite3_step(statement);
        if (code == SQLITE_ROW) {
            text = g_strdup((const char *) sqlite3_column_text(statement, 0));
            code = SQLITE_OK;
        } else if (code == SQLITE_DONE) {
            code = SQLITE_OK;
        }
    }
    (void) sqlite3_finalize(statement);
    *out_code = code;
    return text;
}

static int64_t
text_int(const char *text)
{
    return text == NULL ? 0 : g_ascii_strtoll(text, NULL, 10);
}

/* The file's pages are looked at only when `check`: it reads all of them. */
static bool
connection_open(Connection *connection, const char *path, bool judge,
                bool check, GError **error)
{
    /* SQLite would make it 0644, and it holds people's addresses; the umask
     * decides about the group (mta and sync may be two users). A file that is
     * there is not opened here: closing it would take away the POSIX locks of
     * this process's other connection. */
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, 0660);
    if (fd < 0 && errno != EEXIST) {
        g_set_error(error, spool_error_quark(), SQLITE_CANTOPEN,
                    "spool: cannot open %s: %s", path, g_strerror(errno));
        return false;
    }
    if (fd >= 0)
        (void) close(fd);

    int code = sqlite3_open_v2(path, &connection->db,
                               SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
                                   SQLITE_OPEN_PRIVATECACHE,
                               NULL);
    sqlite3 *db = connection->db;
    if (code != SQLITE_OK) {
        set_error(db, code, path, error);
        connection_close(connection);
        return false;
    }
    (void) sqlite3_busy_timeout(db, check ? OPEN_BUSY_MS : BUSY_MS);

    static const char writer_pragmas[] =
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
        "PRAGMA secure_delete=FAST; PRAGMA journal_size_limit=16777216;";
    static const char judge_pragmas[] =
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
        "PRAGMA secure_delete=FAST; PRAGMA journal_size_limit=16777216;";
    bool ok = exec(db, judge ? judge_pragmas : writer_pragmas, error);
    struct stat st;
    if (ok && stat(path, &st) == 0) {
        connection->device = st.st_dev;
        connection->inode = st.st_ino;
    }
    if (ok && check) {
        g_autofree char *why = NULL;
        code = sqlite_find_damage(db, &why);
        if (code != SQLITE_OK) {
            g_set_error(error, spool_error_quark(), code & 0xff, "spool: %s",
                        why);
            ok = false;
        }
    }

    g_autofree char *version =
        ok ? query_text(db, "PRAGMA user_version", &code) : NULL;
    if (ok && code != SQLITE_OK) {
        set_error(db, code, "user_version", error);
        ok = false;
    }
    if (ok && text_int(version) == 0) {
        /* Both roles may start at once: look again under the lock. */
        ok = exec(db, "BEGIN IMMEDIATE", error);
        if (ok) {
            g_autofree char *again =
                query_text(db, "SELECT count(*) FROM sqlite_master", &code);
            if (code == SQLITE_OK && text_int(again) == 0) {
                g_autofree char *id = g_strdup_printf(
                    "PRAGMA application_id = %d", (int) APPLICATION_ID);
                ok = exec(db, schema, error) && exec(db, id, error);
            }
            ok = ok && exec(db, "COMMIT", error);
            if (!ok)
                (void) sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
        }
    }
    if (ok) {
        g_autofree char *id = query_text(db, "PRAGMA application_id", &code);
        g_autofree char *made = query_text(db, "PRAGMA user_version", &code);
        if (text_int(id) != APPLICATION_ID) {
            g_set_error(error, spool_error_quark(), SQLITE_MISMATCH,
                        "spool: %s is a database of something else", path);
            ok = false;
        } else if (text_int(made) > SCHEMA_VERSION) {
            g_set_error(error, spool_error_quark(), SQLITE_MISMATCH,
                        "spool: %s was made by a newer version", path);
            ok = false;
        } else {
            connection->uuid = query_text(
                db, "SELECT value FROM meta WHERE name = 'uuid'", &code);
            if (code != SQLITE_OK) {
                set_error(db, code, "meta", error);
                ok = false;
            }
        }
    }
    if (!ok) {
        connection_close(connection);
        return false;
    }
    (void) sqlite3_busy_timeout(db, judge ? JUDGE_BUSY_MS : BUSY_MS);
    return true;
}

/* The words for the log. */
static char *
set_aside(const char *path, const char *why)
{
    return sqlite_set_aside(path, "the spool", why,
                            "see what it still holds with: sqlite3 %s "
                            ".recover");
}

/* Opens, setting a damaged file aside. *out_notice may be NULL. */
static bool
connection_open_or_begin(Connection *connection, const char *path, bool judge,
                         bool check, char **out_notice, GError **error)
{
    g_autoptr(GError) first = NULL;
    if (connection_open(connection, path, judge, check, &first))
        return true;
    if (!sqlite_is_damage(first->code)) {
        g_propagate_error(error, g_steal_pointer(&first));
        return false;
    }
    char *notice = set_aside(path, first->message);
    if (out_notice != NULL) {
        g_free(*out_notice);
        *out_notice = notice;
    } else {
        log_error("%s", notice);
        g_free(notice);
    }
    return connection_open(connection, path, judge, check, error);
}

/* Opens when closed, and again when the path leads to another file. */
static bool
connection_ready(Connection *connection, const char *path, bool judge,
                 GError **error)
{
    struct stat st;
    if (connection->db != NULL &&
        (stat(path, &st) != 0 || st.st_dev != connection->device ||
         st.st_ino != connection->inode))
        connection_close(connection);
    return connection->db != NULL ||
           connection_open_or_begin(connection, path, judge, false, NULL,
                                    error);
}

/* After a failed statement: what is left of the transaction goes, and a
 * connection whose state is doubtful is opened anew by the next user. */
static void
connection_failed(Connection *connection, const char *path, int code)
{
    if (connection->db == NULL)
        return;
    (void) sqlite3_exec(connection->db, "ROLLBACK", NULL, NULL, NULL);
    int primary = code & 0xff;
    if (primary == SQLITE_BUSY || primary == SQLITE_LOCKED ||
        primary == SQLITE_FULL)
        return;
    connection_close(connection);
    if (sqlite_is_damage(code)) {
        g_autofree char *notice = set_aside(path, sqlite3_errstr(code));
        log_error("%s", notice);
    }
}

/* --- the writer ---------------------------------------------------------- */

static void
row_free(void *data)
{
    Row *row = data;
    g_free(row->email);
    g_free(row->body);
    g_free(row);
}

static void
batch_unref(Batch *batch)
{
    if (--batch->references > 0)
        return;
    g_ptr_array_unref(batch->rows);
    g_free(batch);
}

static bool
write_batches(Spool *spool, GQueue *batches, GError **error)
{
    Connection *connection = &spool->writing;
    if (!connection_ready(connection, spool->path, false, error))
        return false;

    sqlite3 *db = connection->db;
    sqlite3_stmt *insert = NULL;
    const char *doing = "begin";
    int code = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    if (code == SQLITE_OK) {
        doing = "insert";
        code = sqlite3_prepare_v2(
            db,
            "INSERT INTO observation (added, kind, email, body)"
            " VALUES (?1, ?2, ?3, ?4)",
            -1, &insert, NULL);
    }
    int64_t now = now_s();
    for (GList *link = batches->head; link != NULL && code == SQLITE_OK;
         link = link->next) {
        const Batch *batch = link->data;
        for (guint i = 0; i < batch->rows->len && code == SQLITE_OK; i++) {
            const Row *row = batch->rows->pdata[i];
            (void) sqlite3_bind_int64(insert, 1, now);
            (void) sqlite3_bind_int(insert, 2, row->kind);
            (void) sqlite3_bind_text(insert, 3, row->email, -1, SQLITE_STATIC);
            (void) sqlite3_bind_text(insert, 4, row->body, -1, SQLITE_STATIC);
            code = sqlite3_step(insert);
            if (code == SQLITE_DONE)
                code = sqlite3_reset(insert);
        }
    }
    if (code == SQLITE_OK) {
        fault_point("spool.before-commit");
        doing = "commit";
        (void) sqlite3_finalize(insert);
        insert = NULL;
        code = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
    }
    if (code != SQLITE_OK) {
        set_error(db, code, doing, error);
        (void) sqlite3_finalize(insert);
        connection_failed(connection, spool->path, code);
        return false;
    }
    fault_point("spool.after-commit");
    return true;
}

/* Waits for work or until `until` (monotonic; 0: for ever); lock is held. */
static void
wait_for_work(Spool *spool, int64_t until)
{
    if (until == 0) {
        (void) pthread_cond_wait(&spool->work, &spool->lock);
        return;
    }
    struct timespec deadline = { .tv_sec = until / G_USEC_PER_SEC,
                                 .tv_nsec = (until % G_USEC_PER_SEC) * 1000 };
    (void) pthread_cond_timedwait(&spool->work, &spool->lock, &deadline);
}

/* Moves what goes into one commit from the queue; lock is held. */
static void
take_batches(Spool *spool, GQueue *out_batches)
{
    size_t rows = 0;
    while (!g_queue_is_empty(&spool->queue) && rows < ROWS_PER_COMMIT) {
        Batch *batch = g_queue_pop_head(&spool->queue);
        rows += batch->rows->len;
        g_queue_push_tail(out_batches, batch);
    }
}

static void
batch_finished(Spool *spool, Batch *batch, bool stored)
{
    batch->stored = stored;
    spool->rows -= batch->rows->len;
    spool->bytes -= batch->bytes;
    batch_unref(batch);
}

static void *
writer_main(void *data)
{
    Spool *spool = data;
    int64_t pause_ms = BACKOFF_MIN_MS;
    int64_t give_up = 0; /* monotonic; set when closing begins */

    (void) pthread_mutex_lock(&spool->lock);
    for (;;) {
        while (g_queue_is_empty(&spool->queue) && !spool->closing)
            wait_for_work(spool, 0);
        if (g_queue_is_empty(&spool->queue))
            break;
        if (spool->closing && give_up == 0)
            give_up = g_get_monotonic_time() + CLOSE_MS * 1000;

        GQueue batches = G_QUEUE_INIT;
        take_batches(spool, &batches);
        (void) pthread_mutex_unlock(&spool->lock);

        g_autoptr(GError) error = NULL;
        (void) pthread_mutex_lock(&spool->write_lock);
        bool stored = write_batches(spool, &batches, &error);
        (void) pthread_mutex_unlock(&spool->write_lock);
        unsigned held_back = 0;
        if (!stored && log_allowed("spool-write", 60, &held_back))
            log_error("%s; mail goes on, findings wait in memory (%u more "
                      "such lines)",
                      error->message, held_back);

        (void) pthread_mutex_lock(&spool->lock);
        if (stored) {
            Batch *batch;
            while ((batch = g_queue_pop_head(&batches)) != NULL)
                batch_finished(spool, batch, true);
            if (spool->failing)
                log_info("spool: written again");
            spool->failing = false;
            pause_ms = BACKOFF_MIN_MS;
            (void) pthread_cond_broadcast(&spool->done);
            void (*wake)(void *) = spool->wake;
            void *wake_data = spool->wake_data;
            (void) pthread_mutex_unlock(&spool->lock);
            if (wake != NULL)
                wake(wake_data);
            (void) pthread_mutex_lock(&spool->lock);
            continue;
        }

        Batch *batch;
        while ((batch = g_queue_pop_tail(&batches)) != NULL)
            g_queue_push_head(&spool->queue, batch);
        spool->failing = true;
        (void) pthread_cond_broadcast(&spool->done);
        int64_t until = g_get_monotonic_time() + pause_ms * 1000;
        if (give_up != 0 && until > give_up) {
            log_error("spool: closing, and %zu findings could not be written",
                      spool->rows);
            while ((batch = g_queue_pop_head(&spool->queue)) != NULL)
                batch_finished(spool, batch, false);
            break;
        }
        bool was_closing = spool->closing;
        while (g_get_monotonic_time() < until && spool->closing == was_closing)
            wait_for_work(spool, until);
        pause_ms = MIN(pause_ms * 2, BACKOFF_MAX_MS);
    }
    (void) pthread_mutex_unlock(&spool->lock);
    return NULL;
}

/* --- opening, closing, appending ----------------------------------------- */

static bool
open_both(Spool *spool, char **out_notice, GError **error)
{
    return connection_open_or_begin(&spool->writing, spool->path, false, true,
                                    out_notice, error) &&
           connection_open(&spool->judging, spool->path, true, false, error);
}

static Spool *
open_spool(const char *path, bool wait, char **out_notice, GError **error)
{
    Spool *spool = g_new0(Spool, 1);
    char *notice = NULL;
    spool->path = g_strdup(path);
    spool->host = g_strdup(g_get_host_name());
    spool->in_flight =
        g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    g_queue_init(&spool->queue);

    g_autoptr(GError) failure = NULL;
    if (!open_both(spool, &notice, &failure)) {
        connection_close(&spool->writing);
        bool never = (failure->code & 0xff) == SQLITE_MISMATCH;
        if (!wait || never) {
            g_propagate_error(error, g_steal_pointer(&failure));
            g_hash_table_unref(spool->in_flight);
            g_free(spool->path);
            g_free(spool->host);
            g_free(spool);
            g_free(notice);
            return NULL;
        }
        g_autofree char *before = notice;
        notice =
            g_strdup_printf("%s%s%s; mail goes on, findings wait in memory",
                            before != NULL ? before : "",
                            before != NULL ? "; " : "", failure->message);
    }

    pthread_condattr_t attr;
    (void) pthread_condattr_init(&attr);
    /* A clock that is set back must not hold up mail. */
    (void) pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void) pthread_cond_init(&spool->work, &attr);
    (void) pthread_cond_init(&spool->done, &attr);
    (void) pthread_condattr_destroy(&attr);
    (void) pthread_mutex_init(&spool->lock, NULL);
    (void) pthread_mutex_init(&spool->judge_lock, NULL);
    (void) pthread_mutex_init(&spool->write_lock, NULL);

    if (pthread_create(&spool->writer, NULL, writer_main, spool) != 0)
        g_error("cannot create a thread: %s", g_strerror(errno));
    if (out_notice != NULL)
        *out_notice = notice;
    else
        g_free(notice);
    return spool;
}

Spool *
spool_open(const char *path, char **out_notice, GError **error)
{
    return open_spool(path, false, out_notice, error);
}

Spool *
spool_open_or_wait(const char *path, char **out_notice, GError **error)
{
    return open_spool(path, true, out_notice, error);
}

/* Rows in the judge's hands were not died of: takes their attempt back. */
static void
forgive_in_flight(Spool *spool)
{
    if (g_hash_table_size(spool->in_flight) == 0 || spool->judging.db == NULL)
        return;
    g_autoptr(GString) sql =
        g_string_new("UPDATE observation SET attempts = max(attempts - 1, 0)"
                     " WHERE id IN (0");
    GHashTableIter iter;
    void *key;
    g_hash_table_iter_init(&iter, spool->in_flight);
    while (g_hash_table_iter_next(&iter, &key, NULL))
        g_string_append_printf(sql, ",%" G_GINT64_FORMAT, *(gint64 *) key);
    g_string_append(sql, ")");
    (void) sqlite3_exec(spool->judging.db, sql->str, NULL, NULL, NULL);
}

void
spool_close(Spool *spool)
{
    if (spool == NULL)
        return;
    (void) pthread_mutex_lock(&spool->lock);
    spool->closing = true;
    (void) pthread_cond_broadcast(&spool->work);
    (void) pthread_mutex_unlock(&spool->lock);
    (void) pthread_join(spool->writer, NULL);

    forgive_in_flight(spool);
    connection_close(&spool->judging);
    connection_close(&spool->writing);
    g_hash_table_unref(spool->in_flight);
    (void) pthread_cond_destroy(&spool->work);
    (void) pthread_cond_destroy(&spool->done);
    (void) pthread_mutex_destroy(&spool->lock);
    (void) pthread_mutex_destroy(&spool->judge_lock);
    (void) pthread_mutex_destroy(&spool->write_lock);
    g_free(spool->path);
    g_free(spool->host);
    g_free(spool);
}

static Batch *
batch_new(const GPtrArray *observations)
{
    Batch *batch = g_new0(Batch, 1);
    batch->references = 2; /* the session and the writer */
    batch->rows = g_ptr_array_new_full(observations->len, row_free);
    for (guint i = 0; i < observations->len; i++) {
        const Observation *observation = observations->pdata[i];
        Row *row = g_new0(Row, 1);
        row->kind = (int) observation->kind;
        row->email = g_utf8_make_valid(
            observation->email != NULL ? observation->email : "", -1);
        row->body = observation_to_json(observation);
        batch->bytes += sizeof *row + strlen(row->email) + strlen(row->body);
        g_ptr_array_add(batch->rows, row);
    }
    return batch;
}

SpoolResult
spool_append(Spool *spool, const GPtrArray *observations, int64_t wait_ms)
{
    if (observations->len == 0)
        return SPOOL_STORED;
    int64_t until = g_get_monotonic_time() + wait_ms * 1000;
    struct timespec deadline = { .tv_sec = until / G_USEC_PER_SEC,
                                 .tv_nsec = (until % G_USEC_PER_SEC) * 1000 };
    Batch *batch = batch_new(observations);

    (void) pthread_mutex_lock(&spool->lock);
    if (spool->closing || spool->rows + batch->rows->len > SPOOL_MEMORY_ROWS ||
        spool->bytes + batch->bytes > MEMORY_BYTES) {
        batch->references = 1;
        batch_unref(batch);
        (void) pthread_mutex_unlock(&spool->lock);
        return SPOOL_LOST;
    }
    spool->rows += batch->rows->len;
    spool->bytes += batch->bytes;
    g_queue_push_tail(&spool->queue, batch);
    (void) pthread_cond_signal(&spool->work);

    /* While the writer fails there is nothing to wait for. */
    int code = 0;
    while (!batch->stored && !spool->failing && code == 0)
        code = pthread_cond_timedwait(&spool->done, &spool->lock, &deadline);
    SpoolResult result = batch->stored ? SPOOL_STORED : SPOOL_WAITING;
    batch_unref(batch);
    (void) pthread_mutex_unlock(&spool->lock);
    return result;
}

void
spool_on_commit(Spool *spool, void (*wake)(void *data), void *data)
{
    (void) pthread_mutex_lock(&spool->lock);
    spool->wake = wake;
    spool->wake_data = data;
    (void) pthread_mutex_unlock(&spool->lock);
}

/* --- the judge's side ---------------------------------------------------- */

/* One step of the judge's: the locks and a connection that is open. */
static sqlite3 *
judge_begin(Spool *spool, GError **error)
{
    (void) pthread_mutex_lock(&spool->judge_lock);
    (void) pthread_mutex_lock(&spool->write_lock);
    if (connection_ready(&spool->judging, spool->path, true, error))
        return spool->judging.db;
    (void) pthread_mutex_unlock(&spool->write_lock);
    (void) pthread_mutex_unlock(&spool->judge_lock);
    return NULL;
}

static bool
judge_end(Spool *spool, int code, const char *doing, GError **error)
{
    if (code != SQLITE_OK) {
        set_error(spool->judging.db, code, doing, error);
        connection_failed(&spool->judging, spool->path, code);
    }
    (void) pthread_mutex_unlock(&spool->write_lock);
    (void) pthread_mutex_unlock(&spool->judge_lock);
    return code == SQLITE_OK;
}

static void
hash_text(GChecksum *sum, const char *text)
{
    if (text != NULL)
        g_checksum_update(sum, (const guchar *) text, -1);
    g_checksum_update(sum, (const guchar *) "", 1);
}

/* The same mail can be seen twice (after-queue filters, requeued mail): it is
 * known by its Message-ID and what was found, not by its row. Senders that
 * use one Message-ID for ever are why the finding itself is hashed too. */
static char *
row_key(const Spool *spool, int64_t id, const Observation *observation)
{
    if (observation->message_id == NULL || *observation->message_id == '\0')
        return g_strdup_printf("%s/%s/%" G_GINT64_FORMAT, spool->host,
                               spool->judging.uuid, id);
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    g_autofree char *kind = g_strdup_printf("%d %d %d", (int) observation->kind,
                                            (int) observation->bounce.class,
                                            (int) observation->scope);
    hash_text(sum, kind);
    hash_text(sum, observation->message_id);
    hash_text(sum, observation->email);
    hash_text(sum, observation->bounce.status);
    hash_text(sum, observation->returned.message_id);
    if (observation->contact != NULL) {
        g_autofree char *contact = contact_to_json(observation->contact);
        hash_text(sum, contact);
    }
    return g_strndup(g_checksum_get_string(sum), 40);
}

static void
spool_row_free(void *data)
{
    SpoolRow *row = data;
    g_free(row->key);
    observation_free(row->observation);
    g_free(row);
}

static int
run_for_id(sqlite3 *db, const char *sql, int64_t id, const char *text)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    if (code == SQLITE_OK) {
        (void) sqlite3_bind_int64(statement, 1, id);
        if (text != NULL)
            (void) sqlite3_bind_text(statement, 2, text, -1, SQLITE_TRANSIENT);
        code = sqlite3_step(statement);
        if (code == SQLITE_DONE)
            code = SQLITE_OK;
    }
    (void) sqlite3_finalize(statement);
    return code;
}

/* What a fetch found, to be written before it is handed out. */
typedef struct {
    GPtrArray *rows; /* of SpoolRow */
    GArray *raise;   /* ids whose attempts go up */
    GArray *aside;   /* ids that are set aside, and ... */
    GPtrArray *why;  /* ... the reasons */
} Fetch;

static void
put_aside(Fetch *fetch, gint64 id, const char *why)
{
    g_array_append_val(fetch->aside, id);
    g_ptr_array_add(fetch->why, g_strdup(why));
}

static int
read_due(Spool *spool, sqlite3 *db, size_t max, int64_t now, Fetch *fetch)
{
    sqlite3_stmt *select = NULL;
    int code = sqlite3_prepare_v2(
        db,
        "SELECT id, attempts, body FROM observation"
        " WHERE aside IS NULL AND due <= ?1 ORDER BY due, id LIMIT ?2",
        -1, &select, NULL);
    if (code == SQLITE_OK) {
        (void) sqlite3_bind_int64(select, 1, now);
        (void) sqlite3_bind_int64(select, 2, (sqlite3_int64) max);
    }
    while (code == SQLITE_OK && (code = sqlite3_step(select)) == SQLITE_ROW) {
        code = SQLITE_OK;
        gint64 id = sqlite3_column_int64(select, 0);
        int attempts = sqlite3_column_int(select, 1);
        const char *body = (const char *) sqlite3_column_text(select, 2);
        bool ours = g_hash_table_contains(spool->in_flight, &id);
        bool suspect = attempts > 0 && !ours;
        if (suspect && fetch->rows->len > 0)
            break; /* alone, next time */
        if (!ours && attempts >= SPOOL_MAX_ATTEMPTS) {
            put_aside(fetch, id, "the program died of it three times");
            continue;
        }
        g_autoptr(GError) reason = NULL;
        Observation *observation =
            body != NULL ? observation_from_json(body, &reason) : NULL;
        if (observation == NULL) {
            put_aside(fetch, id, reason != NULL ? reason->message : "no body");
            continue;
        }
        SpoolRow *row = g_new0(SpoolRow, 1);
        row->id = id;
        row->attempts = (unsigned) attempts + (ours ? 0 : 1);
        row->observation = observation;
        row->key = row_key(spool, id, observation);
        g_ptr_array_add(fetch->rows, row);
        if (!ours)
            g_array_append_val(fetch->raise, id);
        if (suspect)
            break;
    }
    (void) sqlite3_finalize(select);
    return code == SQLITE_DONE || code == SQLITE_ROW ? SQLITE_OK : code;
}

static int
write_fetched(sqlite3 *db, const Fetch *fetch)
{
    if (fetch->raise->len == 0 && fetch->aside->len == 0)
        return SQLITE_OK;
    int code = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    for (guint i = 0; i < fetch->raise->len && code == SQLITE_OK; i++)
        code = run_for_id(
            db, "UPDATE observation SET attempts = attempts + 1 WHERE id = ?1",
            g_array_index(fetch->raise, gint64, i), NULL);
    for (guint i = 0; i < fetch->aside->len && code == SQLITE_OK; i++)
        code = run_for_id(db, "UPDATE observation SET aside = ?2 WHERE id = ?1",
                          g_array_index(fetch->aside, gint64, i),
                          fetch->why->pdata[i]);
    if (code == SQLITE_OK)
        code = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
    for (guint i = 0; i < fetch->aside->len && code == SQLITE_OK; i++)
        log_error("spool: row %" G_GINT64_FORMAT " is set aside: %s",
                  g_array_index(fetch->aside, gint64, i),
                  (const char *) fetch->why->pdata[i]);
    return code;
}

GPtrArray *
spool_fetch(Spool *spool, size_t max, int64_t now, GError **error)
{
    sqlite3 *db = judge_begin(spool, error);
    if (db == NULL)
        return NULL;
    g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func(spool_row_free);
    int code = SQLITE_OK;
    bool again = max > 0;
    while (again && code == SQLITE_OK) {
        g_autoptr(GArray) raise = g_array_new(FALSE, FALSE, sizeof(gint64));
        g_autoptr(GArray) aside = g_array_new(FALSE, FALSE, sizeof(gint64));
        g_autoptr(GPtrArray) why = g_ptr_array_new_with_free_func(g_free);
        Fetch fetch = { rows, raise, aside, why };
        code = read_due(spool, db, max, now, &fetch);
        if (code == SQLITE_OK)
            code = write_fetched(db, &fetch);
        again = rows->len == 0 && aside->len > 0;
    }
    for (guint i = 0; i < rows->len && code == SQLITE_OK; i++) {
        const SpoolRow *row = rows->pdata[i];
        gint64 id = row->id;
        g_hash_table_add(spool->in_flight, g_memdup2(&id, sizeof id));
    }
    return judge_end(spool, code, "fetch", error) ? g_steal_pointer(&rows)
                                                  : NULL;
}

bool
spool_done(Spool *spool, const int64_t *ids, size_t n, GError **error)
{
    if (n == 0)
        return true;
    sqlite3 *db = judge_begin(spool, error);
    if (db == NULL)
        return false;
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_prepare_v2(db, "DELETE FROM observation WHERE id = ?1",
                                  -1, &statement, NULL);
    for (size_t i = 0; i < n && code == SQLITE_OK; i++) {
        (void) sqlite3_bind_int64(statement, 1, ids[i]);
        code = sqlite3_step(statement);
        if (code == SQLITE_DONE)
            code = sqlite3_reset(statement);
    }
    (void) sqlite3_finalize(statement);
    if (code == SQLITE_OK)
        code = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
    for (size_t i = 0; i < n && code == SQLITE_OK; i++) {
        gint64 id = ids[i];
        g_hash_table_remove(spool->in_flight, &id);
    }
    return judge_end(spool, code, "done", error);
}

bool
spool_defer(Spool *spool, int64_t id, int64_t due, GError **error)
{
    sqlite3 *db = judge_begin(spool, error);
    if (db == NULL)
        return false;
    g_autofree char *sql =
        g_strdup_printf("UPDATE observation SET due = %" G_GINT64_FORMAT
                        ", attempts = max(attempts - 1, 0) WHERE id = ?1",
                        (gint64) due);
    int code = run_for_id(db, sql, id, NULL);
    gint64 key = id;
    if (code == SQLITE_OK)
        g_hash_table_remove(spool->in_flight, &key);
    return judge_end(spool, code, "defer", error);
}

bool
spool_clock_set_back(Spool *spool, int64_t now, int64_t longest_s,
                     GError **error)
{
    sqlite3 *db = judge_begin(spool, error);
    if (db == NULL)
        return false;
    int code = run_for_id(db,
                          "UPDATE observation SET due = 0"
                          " WHERE aside IS NULL AND due > ?1",
                          now + longest_s, NULL);
    return judge_end(spool, code, "clock", error);
}

bool
spool_status(Spool *spool, SpoolStatus *out_status, GError **error)
{
    (void) pthread_mutex_lock(&spool->lock);
    SpoolStatus status = { .waiting = (int64_t) spool->rows };
    (void) pthread_mutex_unlock(&spool->lock);

    sqlite3 *db = judge_begin(spool, error);
    if (db == NULL)
        return false;
    static const struct {
        const char *sql;
        size_t offset;
    } queries[] = {
        { "SELECT count(*) FROM observation WHERE aside IS NULL",
          offsetof(SpoolStatus, rows) },
        { "SELECT count(*) FROM observation WHERE aside IS NOT NULL",
          offsetof(SpoolStatus, set_aside) },
        { "SELECT added FROM observation WHERE aside IS NULL"
          " ORDER BY id LIMIT 1",
          offsetof(SpoolStatus, oldest) },
    };
    int code = SQLITE_OK;
    for (size_t i = 0; i < G_N_ELEMENTS(queries) && code == SQLITE_OK; i++) {
        g_autofree char *text = query_text(db, queries[i].sql, &code);
        int64_t value = text_int(text);
        memcpy((char *) &status + queries[i].offset, &value, sizeof value);
    }
    if (!judge_end(spool, code, "status", error))
        return false;
    *out_status = status;
    return true;
}

/* A SENT row is about nobody, but names its recipients: takes one out. */
static int
forget_recipient(sqlite3 *db, const char *email, int64_t *out_rows)
{
    g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint64));
    g_autoptr(GPtrArray) bodies = g_ptr_array_new_with_free_func(g_free);
    sqlite3_stmt *select = NULL;
    int code =
        sqlite3_prepare_v2(db,
                           "SELECT id, body FROM observation"
                           " WHERE kind = ?1 AND instr(lower(body), lower(?2))",
                           -1, &select, NULL);
    if (code == SQLITE_OK) {
        (void) sqlite3_bind_int(select, 1, OBSERVATION_SENT);
        (void) sqlite3_bind_text(select, 2, email, -1, SQLITE_STATIC);
    }
    while (code == SQLITE_OK && (code = sqlite3_step(select)) == SQLITE_ROW) {
        code = SQLITE_OK;
        gint64 id = sqlite3_column_int64(select, 0);
        g_autoptr(Observation) observation = observation_from_json(
            (const char *) sqlite3_column_text(select, 1), NULL);
        if (observation == NULL)
            continue;
        bool found = false;
        for (guint i = observation->recipients->len; i-- > 0;) {
            if (g_ascii_strcasecmp(observation->recipients->pdata[i], email) ==
                0) {
                g_ptr_array_remove_index(observation->recipients, i);
                found = true;
            }
        }
        if (found) {
            g_array_append_val(ids, id);
            g_ptr_array_add(bodies, observation_to_json(observation));
        }
    }
    if (code == SQLITE_DONE)
        code = SQLITE_OK;
    (void) sqlite3_finalize(select);
    for (guint i = 0; i < ids->len && code == SQLITE_OK; i++)
        code = run_for_id(db, "UPDATE observation SET body = ?2 WHERE id = ?1",
                          g_array_index(ids, gint64, i), bodies->pdata[i]);
    *out_rows += ids->len;
    return code;
}

int64_t
spool_forget(Spool *spool, const char *email, GError **error)
{
    sqlite3 *db = judge_begin(spool, error);
    if (db == NULL)
        return -1;
    int64_t rows = 0;
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_prepare_v2(
            db, "DELETE FROM observation WHERE email = ?1 COLLATE NOCASE", -1,
            &statement, NULL);
    if (code == SQLITE_OK) {
        (void) sqlite3_bind_text(statement, 1, email, -1, SQLITE_STATIC);
        code = sqlite3_step(statement);
        if (code == SQLITE_DONE)
            code = SQLITE_OK;
        rows = sqlite3_changes(db);
    }
    (void) sqlite3_finalize(statement);
    if (code == SQLITE_OK)
        code = forget_recipient(db, email, &rows);
    if (code == SQLITE_OK)
        code = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
    return judge_end(spool, code, "forget", error) ? rows : -1;
}
