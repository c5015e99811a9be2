/*
 * test_spool.c - see milter/store/spool.h
 *
 * Children that are killed are forked before any thread exists in the test
 * process; each test opens its spool in a directory of its own.
 */
#include "config.h"

#include "store/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WAIT_MS = 10000 };

typedef struct {
    char *dir;
    char *path;
} Fixture;

static void
setup(Fixture *f, const void *data)
{
    (void) data;
    g_autoptr(GError) error = NULL;
    f->dir = g_dir_make_tmp("test-spool-XXXXXX", &error);
    g_assert_no_error(error);
    f->path = g_build_filename(f->dir, "spool.db", NULL);
}

static void
remove_tree(const char *dir)
{
    g_autoptr(GDir) list = g_dir_open(dir, 0, NULL);
    const char *name;
    while (list != NULL && (name = g_dir_read_name(list)) != NULL) {
        g_autofree char *path = g_build_filename(dir, name, NULL);
        if (g_file_test(path, G_FILE_TEST_IS_DIR))
            remove_tree(path);
        else
            (void) g_unlink(path);
    }
    (void) g_rmdir(dir);
}

static void
teardown(Fixture *f, const void *data)
{
    (void) data;
    remove_tree(f->dir);
    g_free(f->dir);
    g_free(f->path);
}

static Spool *
open_spool(const char *path)
{
    g_autoptr(GError) error = NULL;
    Spool *spool = spool_open(path, NULL, &error);
    g_assert_no_error(error);
    return spool;
}

/* `n` unsubscribe requests of one message, numbered. */
static GPtrArray *
observations(const char *name, int first, int n)
{
    GPtrArray *list =
        g_ptr_array_new_with_free_func((GDestroyNotify) observation_free);
    for (int i = first; i < first + n; i++) {
        g_autofree char *email = g_strdup_printf("%s%d@example.org", name, i);
        Observation *o = observation_new(OBSERVATION_UNSUBSCRIBE, email);
        o->time = 1700000000 + i;
        g_ptr_array_add(list, o);
    }
    return list;
}

static SpoolResult
append(Spool *spool, const char *name, int first, int n, int64_t wait_ms)
{
    g_autoptr(GPtrArray) list = observations(name, first, n);
    return spool_append(spool, list, wait_ms);
}

static GPtrArray *
fetch(Spool *spool, size_t max, int64_t now)
{
    g_autoptr(GError) error = NULL;
    GPtrArray *rows = spool_fetch(spool, max, now, &error);
    g_assert_no_error(error);
    return rows;
}

static void
done(Spool *spool, const GPtrArray *rows)
{
    g_autofree int64_t *ids = g_new0(int64_t, rows->len + 1);
    for (guint i = 0; i < rows->len; i++)
        ids[i] = ((const SpoolRow *) rows->pdata[i])->id;
    g_autoptr(GError) error = NULL;
    g_assert_true(spool_done(spool, ids, rows->len, &error));
    g_assert_no_error(error);
}

static SpoolStatus
status(Spool *spool)
{
    SpoolStatus s;
    g_autoptr(GError) error = NULL;
    g_assert_true(spool_status(spool, &s, &error));
    g_assert_no_error(error);
    return s;
}

static const char *
email_of(const GPtrArray *rows, guint i)
{
    return ((const SpoolRow *) rows->pdata[i])->observation->email;
}

static void
count_wake(void *data)
{
    atomic_fetch_add((atomic_int *) data, 1);
}

static void
test_basic(Fixture *f, const void *data)
{
    (void) data;
    atomic_int woken = 0;
    g_autoptr(Spool) spool = open_spool(f->path);
    spool_on_commit(spool, count_wake, &woken);
    g_assert_cmpint(append(spool, "a", 0, 0, 0), ==, SPOOL_STORED);
    g_assert_cmpint(append(spool, "a", 0, 3, WAIT_MS), ==, SPOOL_STORED);
    g_assert_cmpint(append(spool, "b", 0, 1, WAIT_MS), ==, SPOOL_STORED);
    SpoolStatus s = status(spool);
    g_assert_cmpint(s.rows, ==, 4);
    g_assert_cmpint(s.set_aside, ==, 0);
    g_assert_cmpint(s.oldest, >, 1600000000);

    g_autoptr(GPtrArray) rows = fetch(spool, 2, 100);
    g_assert_cmpuint(rows->len, ==, 2);
    g_assert_cmpstr(email_of(rows, 0), ==, "a0@example.org");
    g_assert_cmpstr(email_of(rows, 1), ==, "a1@example.org");
    g_assert_cmpuint(((SpoolRow *) rows->pdata[0])->attempts, ==, 1);
    g_assert_nonnull(((SpoolRow *) rows->pdata[0])->key);

    /* Neither done nor deferred: again, and not counted again. */
    g_autoptr(GPtrArray) again = fetch(spool, 10, 100);
    g_assert_cmpuint(again->len, ==, 4);
    g_assert_cmpuint(((SpoolRow *) again->pdata[0])->attempts, ==, 1);
    g_assert_cmpstr(((SpoolRow *) again->pdata[0])->key, ==,
                    ((SpoolRow *) rows->pdata[0])->key);
    done(spool, rows);

    g_autoptr(GError) error = NULL;
    int64_t id = ((SpoolRow *) again->pdata[2])->id;
    g_assert_true(spool_defer(spool, id, 500, &error));
    g_autoptr(GPtrArray) third = fetch(spool, 10, 100);
    g_assert_cmpuint(third->len, ==, 1);
    g_assert_cmpstr(email_of(third, 0), ==, "b0@example.org");
    g_autoptr(GPtrArray) later = fetch(spool, 10, 500);
    g_assert_cmpuint(later->len, ==, 2);
    g_assert_cmpstr(email_of(later, 1), ==, "a2@example.org");
    g_assert_cmpuint(((SpoolRow *) later->pdata[1])->attempts, ==, 1);
    done(spool, later);
    g_assert_cmpint(status(spool).rows, ==, 0);
    /* The call comes after the answer to the session. */
    for (int i = 0; i < 1000 && atomic_load(&woken) < 2; i++)
        g_usleep(1000);
    g_assert_cmpint(atomic_load(&woken), ==, 2);
}

/* A row that was deferred by a clock that ran ahead does not wait for ever. */
static void
test_clock_set_back(Fixture *f, const void *data)
{
    (void) data;
    g_autoptr(Spool) spool = open_spool(f->path);
    g_assert_cmpint(append(spool, "c", 0, 2, WAIT_MS), ==, SPOOL_STORED);
    g_autoptr(GPtrArray) rows = fetch(spool, 2, 100000);
    g_autoptr(GError) error = NULL;
    int64_t soon = ((SpoolRow *) rows->pdata[0])->id;
    int64_t ahead = ((SpoolRow *) rows->pdata[1])->id;
    g_assert_true(spool_defer(spool, soon, 1060, &error));
    g_assert_true(spool_defer(spool, ahead, 100060, &error));
    g_autoptr(GPtrArray) none = fetch(spool, 2, 1000);
    g_assert_cmpuint(none->len, ==, 0);
    g_assert_true(spool_clock_set_back(spool, 1000, 3600, &error));
    g_autoptr(GPtrArray) one = fetch(spool, 2, 1000);
    g_assert_cmpuint(one->len, ==, 1);
    g_assert_cmpstr(email_of(one, 0), ==, "c1@example.org");
    g_assert_true(spool_clock_set_back(spool, 1000, 0, &error));
    g_autoptr(GPtrArray) both = fetch(spool, 2, 1000);
    g_assert_cmpuint(both->len, ==, 2);
}

/* The same mail seen twice has the same key, another mail another. */
static void
test_keys(Fixture *f, const void *data)
{
    (void) data;
    g_autoptr(Spool) spool = open_spool(f->path);
    g_autoptr(GPtrArray) list = observations("k", 0, 4);
    Observation *o[4];
    for (guint i = 0; i < 4; i++)
        o[i] = list->pdata[i];
    for (guint i = 1; i < 4; i++) {
        g_free(o[i]->email);
        o[i]->email = g_strdup(o[0]->email);
    }
    o[0]->message_id = g_strdup("m1@example.org");
    o[1]->message_id = g_strdup("m1@example.org");
    o[1]->queue_id = g_strdup("another");
    o[2]->message_id = g_strdup("m2@example.org");
    g_assert_cmpint(spool_append(spool, list, WAIT_MS), ==, SPOOL_STORED);
    g_autoptr(GPtrArray) rows = fetch(spool, 10, 1);
    g_assert_cmpuint(rows->len, ==, 4);
    const char *key[4];
    for (guint i = 0; i < 4; i++)
        key[i] = ((SpoolRow *) rows->pdata[i])->key;
    g_assert_cmpstr(key[0], ==, key[1]);
    g_assert_cmpstr(key[0], !=, key[2]);
    g_assert_cmpstr(key[2], !=, key[3]);
}

/* A row that a process died with comes alone, and is set aside in the end. */
static void
test_poison(Fixture *f, const void *data)
{
    (void) data;
    Spool *spool = open_spool(f->path);
    g_assert_cmpint(append(spool, "p", 0, 3, WAIT_MS), ==, SPOOL_STORED);
    spool_close(spool);

    for (int i = 0; i < SPOOL_MAX_ATTEMPTS; i++) {
        pid_t pid = fork();
        g_assert_cmpint(pid, >=, 0);
        if (pid == 0) {
            Spool *child = spool_open(f->path, NULL, NULL);
            GPtrArray *rows = spool_fetch(child, 10, 1, NULL);
            /* First all three, then the first of them alone. */
            bool right =
                rows->len == (i == 0 ? 3 : 1) &&
                ((SpoolRow *) rows->pdata[0])->attempts == (unsigned) i + 1;
            if (!right)
                _exit(1);
            (void) raise(SIGKILL);
        }
        int state = 0;
        g_assert_cmpint(waitpid(pid, &state, 0), ==, pid);
        g_assert_true(WIFSIGNALED(state));
    }
    spool = open_spool(f->path);
    g_autoptr(GPtrArray) rows = fetch(spool, 10, 1);
    g_assert_cmpuint(rows->len, ==, 1);
    g_assert_cmpstr(email_of(rows, 0), ==, "p1@example.org");
    done(spool, rows);
    g_autoptr(GPtrArray) more = fetch(spool, 10, 1);
    g_assert_cmpuint(more->len, ==, 1);
    done(spool, more);
    SpoolStatus s = status(spool);
    g_assert_cmpint(s.rows, ==, 0);
    g_assert_cmpint(s.set_aside, ==, 1);
    spool_close(spool);
}

/* A clean end is no death: nothing is counted. */
static void
test_clean_end(Fixture *f, const void *data)
{
    (void) data;
    Spool *spool = open_spool(f->path);
    g_assert_cmpint(append(spool, "c", 0, 3, WAIT_MS), ==, SPOOL_STORED);
    for (int i = 0; i < 10; i++) {
        g_autoptr(GPtrArray) rows = fetch(spool, 10, 1);
        g_assert_cmpuint(rows->len, ==, 3);
        g_assert_cmpuint(((SpoolRow *) rows->pdata[2])->attempts, ==, 1);
        spool_close(spool);
        spool = open_spool(f->path);
    }
    spool_close(spool);
}

static void
test_forget(Fixture *f, const void *data)
{
    (void) data;
    g_autoptr(Spool) spool = open_spool(f->path);
    g_assert_cmpint(append(spool, "f", 0, 3, WAIT_MS), ==, SPOOL_STORED);
    g_autoptr(GPtrArray) list =
        g_ptr_array_new_with_free_func((GDestroyNotify) observation_free);
    Observation *sent = observation_new(OBSERVATION_SENT, "");
    g_ptr_array_add(sent->recipients, g_strdup("F1@example.org"));
    g_ptr_array_add(sent->recipients, g_strdup("other@example.org"));
    g_ptr_array_add(list, sent);
    g_assert_cmpint(spool_append(spool, list, WAIT_MS), ==, SPOOL_STORED);
    g_autoptr(GError) error = NULL;
    g_assert_cmpint(spool_forget(spool, "f1@EXAMPLE.org", &error), ==, 2);
    g_assert_no_error(error);
    g_autoptr(GPtrArray) rows = fetch(spool, 10, 1);
    g_assert_cmpuint(rows->len, ==, 3);
    const Observation *left = ((SpoolRow *) rows->pdata[2])->observation;
    g_assert_cmpuint(left->recipients->len, ==, 1);
}

static void
test_damaged(Fixture *f, const void *data)
{
    (void) data;
    Spool *spool = open_spool(f->path);
    for (int i = 0; i < 50; i++)
        g_assert_cmpint(append(spool, "d", i * 20, 20, WAIT_MS), ==,
                        SPOOL_STORED);
    spool_close(spool);
    for (int way = 0; way < 3; way++) {
        int fd = g_open(f->path, O_RDWR, 0);
        char noise[4096];
        memset(noise, 0x5a, sizeof noise);
        if (way == 0) /* the header */
            g_assert_cmpint(pwrite(fd, noise, 100, 0), ==, 100);
        else if (way == 1) /* in the middle; the spool is small by now */
            g_assert_cmpint(pwrite(fd, noise, 4096, 4096), ==, 4096);
        else
            g_assert_cmpint(ftruncate(fd, 5000), ==, 0);
        (void) close(fd);

        g_autofree char *notice = NULL;
        g_autoptr(GError) error = NULL;
        spool = spool_open(f->path, &notice, &error);
        g_assert_no_error(error);
        g_assert_nonnull(notice);
        g_assert_nonnull(strstr(notice, ".damaged-"));
        g_assert_cmpint(append(spool, "n", 0, 5, WAIT_MS), ==, SPOOL_STORED);
        g_assert_cmpint(status(spool).rows, ==, 5);
        spool_close(spool);
    }
    /* What is not ours is not touched. */
    g_autofree char *other = g_build_filename(f->dir, "other.db", NULL);
    sqlite3 *db = NULL;
    g_assert_cmpint(sqlite3_open(other, &db), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_exec(db, "CREATE TABLE t (x)", NULL, NULL, NULL),
                    ==, SQLITE_OK);
    (void) sqlite3_close(db);
    g_autoptr(GError) error = NULL;
    g_assert_null(spool_open(other, NULL, &error));
    g_assert_nonnull(error);
}

/* At the start there is no place for the file; later there is. */
static void
test_open_later(Fixture *f, const void *data)
{
    (void) data;
    g_autofree char *folder = g_build_filename(f->dir, "later", NULL);
    g_autofree char *path = g_build_filename(folder, "spool.db", NULL);
    g_autofree char *notice = NULL;
    g_autoptr(GError) error = NULL;
    g_assert_null(spool_open(path, NULL, NULL));
    Spool *spool = spool_open_or_wait(path, &notice, &error);
    g_assert_no_error(error);
    g_assert_nonnull(spool);
    g_assert_nonnull(strstr(notice, "mail goes on"));
    g_assert_cmpint(append(spool, "l", 0, 3, 100), ==, SPOOL_WAITING);
    g_assert_null(spool_fetch(spool, 10, 0, NULL));

    g_assert_cmpint(g_mkdir(folder, 0700), ==, 0);
    SpoolStatus now = { 0 };
    for (int i = 0; i < 500 && now.rows < 3; i++) {
        g_usleep(20000);
        (void) spool_status(spool, &now, NULL);
    }
    g_assert_cmpint(now.rows, ==, 3);
    g_assert_cmpint(now.waiting, ==, 0);
    spool_close(spool);
    static const char *const suffixes[] = { "", "-wal", "-shm" };
    for (size_t i = 0; i < G_N_ELEMENTS(suffixes); i++) {
        g_autofree char *file = g_strconcat(path, suffixes[i], NULL);
        (void) g_unlink(file);
    }
    (void) g_rmdir(folder);

    /* What is not ours does not become so. */
    g_assert_true(g_file_set_contents(f->path, "", 0, NULL));
    sqlite3 *db = NULL;
    g_assert_cmpint(sqlite3_open(f->path, &db), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_exec(db, "CREATE TABLE t (x)", NULL, NULL, NULL),
                    ==, SQLITE_OK);
    (void) sqlite3_close(db);
    g_assert_null(spool_open_or_wait(f->path, NULL, NULL));
}

/* Another role set the file aside: both connections follow the path. */
static void
test_replaced(Fixture *f, const void *data)
{
    (void) data;
    g_autoptr(Spool) spool = open_spool(f->path);
    g_assert_cmpint(append(spool, "r", 0, 2, WAIT_MS), ==, SPOOL_STORED);
    static const char *const suffixes[] = { "", "-wal", "-shm" };
    for (size_t i = 0; i < G_N_ELEMENTS(suffixes); i++) {
        g_autofree char *from = g_strconcat(f->path, suffixes[i], NULL);
        g_autofree char *to = g_strconcat(f->path, ".old", suffixes[i], NULL);
        (void) g_rename(from, to);
    }
    g_assert_cmpint(append(spool, "s", 0, 1, WAIT_MS), ==, SPOOL_STORED);
    g_autoptr(GPtrArray) rows = fetch(spool, 10, 1);
    g_assert_cmpuint(rows->len, ==, 1);
    g_assert_cmpstr(email_of(rows, 0), ==, "s0@example.org");
}

/* --- never in the way ----------------------------------------------------- */

static int64_t
timed_append(Spool *spool, int first, int64_t wait_ms, SpoolResult *out)
{
    int64_t before = g_get_monotonic_time();
    *out = append(spool, "w", first, 1, wait_ms);
    return (g_get_monotonic_time() - before) / 1000;
}

static void
wait_until_written(Spool *spool, int64_t rows)
{
    for (int i = 0; i < 200; i++) {
        SpoolStatus s;
        if (spool_status(spool, &s, NULL) && s.waiting == 0 && s.rows == rows)
            return;
        g_usleep(50000);
    }
    g_assert_not_reached();
}

static void
test_locked(Fixture *f, const void *data)
{
    (void) data;
    g_autoptr(Spool) spool = open_spool(f->path);
    sqlite3 *db = NULL;
    g_assert_cmpint(sqlite3_open(f->path, &db), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), ==,
                    SQLITE_OK);
    for (int i = 0; i < 20; i++) {
        SpoolResult result;
        int64_t ms = timed_append(spool, i, 200, &result);
        g_assert_cmpint(result, ==, SPOOL_WAITING);
        g_assert_cmpint(ms, <, 400);
    }
    g_assert_cmpint(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), ==,
                    SQLITE_OK);
    (void) sqlite3_close(db);
    wait_until_written(spool, 20);
    g_autoptr(GPtrArray) rows = fetch(spool, 100, 1);
    for (guint i = 0; i < rows->len; i++) {
        g_autofree char *email = g_strdup_printf("w%u@example.org", i);
        g_assert_cmpstr(email_of(rows, i), ==, email);
    }
}

/* Memory is bounded too. */
static void
test_overflow(Fixture *f, const void *data)
{
    (void) data;
    Spool *spool = open_spool(f->path);
    sqlite3 *db = NULL;
    g_assert_cmpint(sqlite3_open(f->path, &db), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), ==,
                    SQLITE_OK);
    int stored = 0;
    SpoolResult result = SPOOL_WAITING;
    for (int i = 0; i < 200 && result == SPOOL_WAITING; i++) {
        result = append(spool, "o", i * 100, 100, 0);
        stored += result == SPOOL_WAITING ? 100 : 0;
    }
    g_assert_cmpint(result, ==, SPOOL_LOST);
    g_assert_cmpint(stored, ==, SPOOL_MEMORY_ROWS);
    g_assert_cmpint(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), ==,
                    SQLITE_OK);
    (void) sqlite3_close(db);
    /* Closing writes what waits. */
    spool_close(spool);
    spool = open_spool(f->path);
    g_assert_cmpint(status(spool).rows, ==, SPOOL_MEMORY_ROWS);
    spool_close(spool);
}

static void
test_disk_full(Fixture *f, const void *data)
{
    (void) data;
    if (mount("tmpfs", f->dir, "tmpfs", 0, "size=400k") != 0) {
        g_test_skip("a tmpfs cannot be mounted here (needs root)");
        return;
    }
    Spool *spool = open_spool(f->path);
    g_autofree char *ballast = g_build_filename(f->dir, "ballast", NULL);
    int fd = g_open(ballast, O_RDWR | O_CREAT, 0600);
    char zeros[4096] = { 0 };
    while (write(fd, zeros, sizeof zeros) > 0)
        ;
    (void) close(fd);

    int waiting = 0, rows = 0;
    for (int i = 0; i < 300; i++) {
        SpoolResult result;
        int64_t ms = timed_append(spool, i, 200, &result);
        g_assert_cmpint(result, !=, SPOOL_LOST);
        g_assert_cmpint(ms, <, 400);
        waiting += result == SPOOL_WAITING;
        rows++;
    }
    g_assert_cmpint(waiting, >, 0);
    g_assert_cmpint(g_unlink(ballast), ==, 0);
    wait_until_written(spool, rows);
    spool_close(spool);
    (void) umount2(f->dir, MNT_DETACH);
}

/* --- durability ------------------------------------------------------------ */

typedef struct {
    Spool *spool;
    int fd;
    int number;
} Appender;

static void *
appender_main(void *data)
{
    Appender *appender = data;
    for (int i = 0;; i++) {
        int n = appender->number * 1000000 + i;
        if (append(appender->spool, "x", n, 1, WAIT_MS) == SPOOL_STORED) {
            /* Acknowledged: what is written here must be there afterwards.
             * 4 bytes into a pipe are atomic. */
            if (write(appender->fd, &n, sizeof n) != sizeof n)
                _exit(1);
        }
    }
    return NULL;
}

static void
killed_child(const char *path, int fd)
{
    Spool *spool = spool_open(path, NULL, NULL);
    if (spool == NULL)
        _exit(1);
    Appender appenders[8];
    pthread_t threads[8];
    for (int i = 0; i < 8; i++) {
        appenders[i] = (Appender){ spool, fd, i };
        if (pthread_create(&threads[i], NULL, appender_main, &appenders[i]) !=
            0)
            _exit(1);
    }
    (void) pthread_join(threads[0], NULL);
    _exit(1);
}

/* Reads what was acknowledged until the child is dead. */
static void
collect(int fd, GHashTable *acknowledged)
{
    int n;
    while (read(fd, &n, sizeof n) == sizeof n)
        g_hash_table_add(acknowledged, GINT_TO_POINTER(n + 1));
}

static void
assert_all_there(const char *path, GHashTable *acknowledged)
{
    g_autoptr(Spool) spool = open_spool(path);
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
    for (;;) {
        g_autoptr(GPtrArray) rows = fetch(spool, 1000, 1);
        if (rows->len == 0)
            break;
        for (guint i = 0; i < rows->len; i++) {
            int n = (int) g_ascii_strtoll(email_of(rows, i) + 1, NULL, 10);
            g_assert_true(g_hash_table_add(seen, GINT_TO_POINTER(n + 1)));
        }
        done(spool, rows);
    }
    GHashTableIter iter;
    void *n;
    g_hash_table_iter_init(&iter, acknowledged);
    while (g_hash_table_iter_next(&iter, &n, NULL))
        g_assert_true(g_hash_table_contains(seen, n));
}

static void
test_killed(Fixture *f, const void *data)
{
    const char *fault = data;
    int rounds = fault == NULL ? 8 : 3;
    for (int round = 0; round < rounds; round++) {
        int fds[2];
        g_assert_cmpint(pipe(fds), ==, 0);
        pid_t pid = fork();
        g_assert_cmpint(pid, >=, 0);
        if (pid == 0) {
            (void) close(fds[0]);
            if (fault == NULL)
                killed_child(f->path, fds[1]);
            /* Fault points are read at the start of a program. */
            g_autofree char *point =
                g_strdup_printf("%s:%d", fault, 20 + round * 7);
            g_autofree char *fd = g_strdup_printf("%d", fds[1]);
            (void) g_setenv("CONTACT_MILTER_FAULT", point, TRUE);
            (void) execl("/proc/self/exe", "test_spool", "--child", f->path, fd,
                         (char *) NULL);
            _exit(1);
        }
        (void) close(fds[1]);
        if (fault == NULL) {
            g_usleep((gulong) g_test_rand_int_range(20000, 300000));
            (void) kill(pid, SIGKILL);
        }
        g_autoptr(GHashTable) acknowledged = g_hash_table_new(NULL, NULL);
        collect(fds[0], acknowledged);
        (void) close(fds[0]);
        int state = 0;
        g_assert_cmpint(waitpid(pid, &state, 0), ==, pid);
        g_assert_true(WIFSIGNALED(state) && WTERMSIG(state) == SIGKILL);
        g_test_message("%u rows were acknowledged",
                       g_hash_table_size(acknowledged));
        assert_all_there(f->path, acknowledged);
    }
}

/* --- many threads ----------------------------------------------------------- */

typedef struct {
    Spool *spool;
    int number;
} Session;

static void *
session_main(void *data)
{
    Session *session = data;
    for (int i = 0; i < 200; i++)
        g_assert_cmpint(
            append(session->spool, "t", session->number * 1000 + i, 1, WAIT_MS),
            ==, SPOOL_STORED);
    return NULL;
}

static void
test_threads(Fixture *f, const void *data)
{
    (void) data;
    g_autoptr(Spool) spool = open_spool(f->path);
    atomic_int woken = 0;
    spool_on_commit(spool, count_wake, &woken);
    Session sessions[8];
    pthread_t threads[8];
    for (int i = 0; i < 8; i++) {
        sessions[i] = (Session){ spool, i };
        g_assert_cmpint(
            pthread_create(&threads[i], NULL, session_main, &sessions[i]), ==,
            0);
    }
    size_t total = 0;
    while (total < 1600) {
        g_autoptr(GPtrArray) rows = fetch(spool, 100, 1);
        done(spool, rows);
        total += rows->len;
    }
    for (int i = 0; i < 8; i++)
        (void) pthread_join(threads[i], NULL);
    g_assert_cmpint(status(spool).rows, ==, 0);
    g_test_message("1600 rows in %d commits", atomic_load(&woken));
}

int
main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "--child") == 0)
        killed_child(argv[2], (int) g_ascii_strtoll(argv[3], NULL, 10));
    g_test_init(&argc, &argv, NULL);
#define ADD(name, function, data) \
    g_test_add("/spool/" name, Fixture, data, setup, function, teardown)
    ADD("poison", test_poison, NULL);
    ADD("killed/any-time", test_killed, NULL);
    ADD("killed/before-commit", test_killed, "spool.before-commit");
    ADD("killed/after-commit", test_killed, "spool.after-commit");
    ADD("basic", test_basic, NULL);
    ADD("clock-set-back", test_clock_set_back, NULL);
    ADD("keys", test_keys, NULL);
    ADD("clean-end", test_clean_end, NULL);
    ADD("forget", test_forget, NULL);
    ADD("damaged", test_damaged, NULL);
    ADD("open-later", test_open_later, NULL);
    ADD("replaced", test_replaced, NULL);
    ADD("locked", test_locked, NULL);
    ADD("overflow", test_overflow, NULL);
    ADD("disk-full", test_disk_full, NULL);
    ADD("threads", test_threads, NULL);
    return g_test_run();
}
