/*
 * sqlite_damage.h - a SQLite file that cannot be read: seen, and set aside
 *
 * Ownership  the caller frees what is returned.
 * Threads    no state; the connection is the caller's.
 * Errors     none: what cannot be done is said in the words for the log.
 */
#ifndef SQLITE_DAMAGE_H
#define SQLITE_DAMAGE_H

#include <sqlite3.h>
#include <stdbool.h>

/* Is that what this result code says? */
bool sqlite_is_damage(int code);

/* Reads the pages of `db`, for a second at most: 0 when they are sound as
 * far as it came, else a result code, and in *out_why the reason. */
int sqlite_find_damage(sqlite3 *db, char **out_why);

/* Renames the file and its companions, so that a new one can be begun. Returns
 * the words for the log: what happened, and where `what` is now. `recover` says
 * what to do about it; %s in it stands for the new name. */
char *sqlite_set_aside(const char *path, const char *what, const char *why,
                       const char *recover);

#endif
