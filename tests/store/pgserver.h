/*
 * pgserver.h - a PostgreSQL server of the test's own
 *
 * In a temporary directory, on a unix socket only, as an unprivileged user
 * when the test is root; stopped and removed with the test, also when the test
 * is killed.
 */
#ifndef PGSERVER_H
#define PGSERVER_H

#include <glib.h>
#include <stdbool.h>

typedef struct PgServer PgServer;

/* NULL, after a word on standard error, when it cannot be had. */
PgServer *pg_server_start(void);
void pg_server_stop(PgServer *server);
/* Crashes it (SIGQUIT to all) or starts it again. */
bool pg_server_crash(PgServer *server);
bool pg_server_restart(PgServer *server);
/* A URI for a new, empty schema. */
char *pg_server_schema(PgServer *server);
char *pg_server_uri(const PgServer *server, const char *user,
                    const char *database, const char *parameters);
/* Runs statements as the superuser; a mistake ends the test. */
void pg_server_sql(PgServer *server, const char *database, const char *sql);

#endif
