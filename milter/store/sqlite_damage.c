/*
 * sqlite_damage.c - see sqlite_damage.h
 *
 * quick_check reads all pages but not the indexes' content: a second for some
 * hundred MB. A bigger file is looked at as far as CHECK_MS leads, because mail
 * waits meanwhile; damage further behind shows when it is met.
 */
#include "store/sqlite_damage.h"

#include <errno.h>
#include <glib.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { CHECK_MS = 1000, STEPS_BETWEEN_LOOKS = 10000 };

bool
sqlite_is_damage(int code)
{
    return (code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB;
}

static int
time_is_up(void *data)
{
    const int64_t *until = data;
    return g_get_monotonic_time() > *until;
}

int
sqlite_find_damage(sqlite3 *db, char **out_why)
{
    int64_t until = g_get_monotonic_time() + CHECK_MS * 1000;
    sqlite3_stmt *check = NULL;
    int code =
        sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &check, NULL);
    sqlite3_progress_handler(db, STEPS_BETWEEN_LOOKS, time_is_up, &until);
    if (code == SQLITE_OK)
        code = sqlite3_step(check);
    const char *said = code == SQLITE_ROW
                           ? (const char *) sqlite3_column_text(check, 0)
                           : NULL;
    if (code == SQLITE_INTERRUPT || g_strcmp0(said, "ok") == 0) {
        code = SQLITE_OK;
    } else {
        *out_why = g_strdup_printf("quick_check: %s",
                                   said != NULL ? said : sqlite3_errmsg(db));
        if (said != NULL)
            code = SQLITE_CORRUPT;
    }
    (void) sqlite3_finalize(check);
    sqlite3_progress_handler(db, 0, NULL, NULL);
    return code;
}

char *
sqlite_set_aside(const char *path, const char *what, const char *why,
                 const char *recover)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *stamp = g_date_time_format(now, "%Y%m%dT%H%M%SZ");
    g_autofree char *to = g_strdup_printf("%s.damaged-%s", path, stamp);
    for (unsigned i = 1; i < 100 && g_file_test(to, G_FILE_TEST_EXISTS); i++) {
        g_free(to);
        to = g_strdup_printf("%s.damaged-%s-%u", path, stamp, i);
    }
    static const char *const suffixes[] = { "-wal", "-shm", "" };
    int failed = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(suffixes); i++) {
        g_autofree char *source = g_strconcat(path, suffixes[i], NULL);
        g_autofree char *target = g_strconcat(to, suffixes[i], NULL);
        if (rename(source, target) != 0 && errno != ENOENT)
            failed = errno;
    }
    if (failed != 0)
        return g_strdup_printf("%s %s is damaged (%s) and could not be set "
                               "aside: %s",
                               what, path, why, g_strerror(failed));
    g_autoptr(GString) advice = g_string_new(recover);
    (void) g_string_replace(advice, "%s", to, 0);
    return g_strdup_printf("%s %s was damaged (%s): it is set aside as %s and "
                           "a new one is begun; %s",
                           what, path, why, to, advice->str);
}
