/*
 * pgserver.c - see pgserver.h
 *
 * setpriv(1) (util-linux, in every Debian) drops root's rights, which
 * PostgreSQL demands, and asks the kernel to end the server with us.
 */
#include "config.h"

#include "pgserver.h"

#ifdef HAVE_POSTGRESQL

#include <glib/gstdio.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct PgServer {
    char *bin;
    char *dir; /* holds data/ and the socket */
    GPid pid;
    unsigned schemas;
};

/* The newest /usr/lib/postgresql/N/bin, as Debian installs it. */
static char *
find_bin(void)
{
    static const char base[] = "/usr/lib/postgresql";
    g_autoptr(GDir) list = g_dir_open(base, 0, NULL);
    const char *name;
    gint64 best = 0;
    while (list != NULL && (name = g_dir_read_name(list)) != NULL) {
        g_autofree char *initdb =
            g_build_filename(base, name, "bin", "initdb", NULL);
        if (g_file_test(initdb, G_FILE_TEST_IS_EXECUTABLE))
            best = MAX(best, g_ascii_strtoll(name, NULL, 10));
    }
    return best > 0 ? g_strdup_printf("%s/%d/bin", base, (int) best) : NULL;
}

/* setpriv and its options. */
static GPtrArray *
unprivileged(void)
{
    GPtrArray *argv = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(argv, g_strdup("setpriv"));
    if (geteuid() == 0) {
        g_ptr_array_add(argv, g_strdup("--reuid=postgres"));
        g_ptr_array_add(argv, g_strdup("--regid=postgres"));
        g_ptr_array_add(argv, g_strdup("--clear-groups"));
    }
    g_ptr_array_add(argv, g_strdup("--pdeathsig"));
    g_ptr_array_add(argv, g_strdup("QUIT"));
    return argv;
}

static void
add_all(GPtrArray *argv, const char *const *words)
{
    for (size_t i = 0; words[i] != NULL; i++)
        g_ptr_array_add(argv, g_strdup(words[i]));
    g_ptr_array_add(argv, NULL);
}

static bool
wait_ready(const PgServer *server)
{
    g_autofree char *info = g_strdup_printf(
        "host=%s user=postgres dbname=postgres connect_timeout=2", server->dir);
    for (int i = 0; i < 300; i++) {
        if (PQping(info) == PQPING_OK)
            return true;
        if (waitpid(server->pid, NULL, WNOHANG) == server->pid)
            return false;
        g_usleep(50000);
    }
    return false;
}

bool
pg_server_restart(PgServer *server)
{
    g_autofree char *program = g_build_filename(server->bin, "postgres", NULL);
    g_autofree char *data = g_build_filename(server->dir, "data", NULL);
    g_autoptr(GPtrArray) argv = unprivileged();
    const char *const words[] = { program,
                                  "-D",
                                  data,
                                  "-k",
                                  server->dir,
                                  "-h",
                                  "",
                                  "-c",
                                  "shared_buffers=64MB",
                                  "-c",
                                  "max_connections=60",
                                  "-c",
                                  "log_min_messages=warning",
                                  NULL };
    add_all(argv, words);
    g_autoptr(GError) error = NULL;
    if (!g_spawn_async(NULL, (char **) argv->pdata, NULL,
                       G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD |
                           G_SPAWN_STDOUT_TO_DEV_NULL |
                           G_SPAWN_STDERR_TO_DEV_NULL,
                       NULL, NULL, &server->pid, &error)) {
        (void) fprintf(stderr, "# postgres: %s\n", error->message);
        server->pid = 0;
        return false;
    }
    return wait_ready(server);
}

bool
pg_server_crash(PgServer *server)
{
    if (server->pid > 0) {
        (void) kill(server->pid, SIGQUIT);
        (void) waitpid(server->pid, NULL, 0);
    }
    server->pid = 0;
    return true;
}

/* The role "secured" alone needs a password. */
static bool
demand_passwords(const char *data)
{
    g_autofree char *path = g_build_filename(data, "pg_hba.conf", NULL);
    g_autofree char *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, NULL))
        return false;
    FILE *file = g_fopen(path, "w");
    if (file == NULL)
        return false;
    bool ok = fprintf(file, "local all secured scram-sha-256\n%s", text) > 0;
    return fclose(file) == 0 && ok;
}

PgServer *
pg_server_start(void)
{
    g_autofree char *bin = find_bin();
    const struct passwd *user = getpwnam("postgres");
    if (bin == NULL || (geteuid() == 0 && user == NULL)) {
        (void) fprintf(stderr, "# PostgreSQL is not installed\n");
        return NULL;
    }
    PgServer *server = g_new0(PgServer, 1);
    server->bin = g_steal_pointer(&bin);
    server->dir = g_dir_make_tmp("test-pg-XXXXXX", NULL);
    g_assert_nonnull(server->dir);
    if (geteuid() == 0)
        g_assert_cmpint(chown(server->dir, user->pw_uid, user->pw_gid), ==, 0);

    g_autofree char *program = g_build_filename(server->bin, "initdb", NULL);
    g_autofree char *data = g_build_filename(server->dir, "data", NULL);
    g_autoptr(GPtrArray) argv = unprivileged();
    /* C.UTF-8: not all test machines have other locales. */
    const char *const words[] = { program,    "-D",      data, "-U", "postgres",
                                  "-A",       "trust",   "-N", "-E", "UTF8",
                                  "--locale", "C.UTF-8", NULL };
    add_all(argv, words);
    g_autofree char *output = NULL;
    g_autofree char *errors = NULL;
    g_autoptr(GError) error = NULL;
    int state = 0;
    if (!g_spawn_sync(server->dir, (char **) argv->pdata, NULL,
                      G_SPAWN_SEARCH_PATH, NULL, NULL, &output, &errors, &state,
                      &error) ||
        !g_spawn_check_wait_status(state, &error) || !demand_passwords(data) ||
        !pg_server_restart(server)) {
        (void) fprintf(stderr, "# PostgreSQL does not start: %s %s\n",
                       error != NULL ? error->message : "", errors);
        pg_server_stop(server);
        return NULL;
    }
    return server;
}

static void
remove_tree(const char *dir)
{
    g_autoptr(GDir) list = g_dir_open(dir, 0, NULL);
    const char *name;
    while (list != NULL && (name = g_dir_read_name(list)) != NULL) {
        g_autofree char *path = g_build_filename(dir, name, NULL);
        if (g_file_test(path, G_FILE_TEST_IS_DIR) &&
            !g_file_test(path, G_FILE_TEST_IS_SYMLINK))
            remove_tree(path);
        else
            (void) g_unlink(path);
    }
    (void) g_rmdir(dir);
}

void
pg_server_stop(PgServer *server)
{
    if (server == NULL)
        return;
    (void) pg_server_crash(server);
    remove_tree(server->dir);
    g_free(server->dir);
    g_free(server->bin);
    g_free(server);
}

void
pg_server_sql(PgServer *server, const char *database, const char *sql)
{
    g_autofree char *info = g_strdup_printf("host=%s user=postgres dbname=%s",
                                            server->dir, database);
    PGconn *connection = PQconnectdb(info);
    PGresult *result = PQexec(connection, sql);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        g_error("%s: %s", sql, PQerrorMessage(connection));
    PQclear(result);
    PQfinish(connection);
}

char *
pg_server_uri(const PgServer *server, const char *user, const char *database,
              const char *parameters)
{
    g_autofree char *host = g_uri_escape_string(server->dir, NULL, FALSE);
    return g_strdup_printf("postgresql://%s@%s/%s?%s", user, host, database,
                           parameters);
}

char *
pg_server_schema(PgServer *server)
{
    g_autofree char *sql =
        g_strdup_printf("CREATE SCHEMA t%u", ++server->schemas);
    pg_server_sql(server, "postgres", sql);
    g_autofree char *path =
        g_strdup_printf("options=-csearch_path%%3Dt%u", server->schemas);
    return pg_server_uri(server, "postgres", "postgres", path);
}

#else

PgServer *
pg_server_start(void)
{
    return NULL;
}

void
pg_server_stop(PgServer *server)
{
    (void) server;
}

bool
pg_server_crash(PgServer *server)
{
    (void) server;
    return false;
}

bool
pg_server_restart(PgServer *server)
{
    (void) server;
    return false;
}

char *
pg_server_schema(PgServer *server)
{
    (void) server;
    return NULL;
}

void
pg_server_sql(PgServer *server, const char *database, const char *sql)
{
    (void) server;
    (void) database;
    (void) sql;
}

char *
pg_server_uri(const PgServer *server, const char *user, const char *database,
              const char *parameters)
{
    (void) server;
    (void) user;
    (void) database;
    (void) parameters;
    return NULL;
}

#endif
