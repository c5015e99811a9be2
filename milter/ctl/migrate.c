/*
 * migrate.c - contactctl migrate: from one contacts store to another
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "ctl/table.h"

/* A bar on a terminal, nothing elsewhere: the end says the count. */
static void
draw(int64_t done, int64_t all, void *data)
{
    int64_t *drawn = data;
    int64_t now = g_get_monotonic_time();
    unsigned width = terminal_width(stderr);
    if (width == 0 || (done < all && now - *drawn < 200000))
        return;
    *drawn = now;
    unsigned room = width > 40 ? width - 40 : 0;
    unsigned full = all > 0 ? (unsigned) (done * room / all) : room;
    fputs("\r[", stderr);
    for (unsigned i = 0; i < room; i++)
        (void) fputc(i < full ? '#' : '.', stderr);
    fprintf(stderr, "] %" G_GINT64_FORMAT "/%" G_GINT64_FORMAT, done, all);
}

/* Opening a store makes one where there is none: right for the target, but a
 * source that is not there is a mistyped path. */
static bool
source_exists(const char *uri)
{
    const char *path = ctl_sqlite_path(uri);
    if (path == NULL || *path == '\0' || access(path, F_OK) == 0)
        return true;
    ctl_error("%s: %s", path, g_strerror(errno));
    return false;
}

int
ctl_migrate(Ctl *ctl, int argc, char **argv)
{
    gboolean json = FALSE;
    int status;
    const GOptionEntry entries[] = { CTL_JSON_OPTION(&json),
                                     G_OPTION_ENTRY_NULL };
    (void) ctl; /* both stores are named */
    if (!ctl_options(entries,
                     "FROM-URI TO-URI - copy one contacts store into another",
                     &argc, &argv, &status))
        return status;
    if (argc != 3 || strcmp(argv[1], argv[2]) == 0) {
        ctl_error("usage: contactctl migrate FROM-URI TO-URI, for example "
                  "sqlite:/var/lib/contact-milter/contacts.db "
                  "postgresql://contact-milter@db.example.org/contacts");
        return EX_USAGE;
    }
    if (!source_exists(argv[1]))
        return EX_NOINPUT;
    g_autoptr(GError) error = NULL;
    g_autoptr(Store) from = store_open(argv[1], g_get_host_name(), &error);
    if (from == NULL) {
        ctl_error("%s", error->message);
        return EX_UNAVAILABLE;
    }
    g_autoptr(Store) to = store_open(argv[2], g_get_host_name(), &error);
    if (to == NULL) {
        ctl_error("%s", error->message);
        return EX_UNAVAILABLE;
    }
    int64_t drawn = 0;
    bool done = store_migrate(from, to, draw, &drawn, &error);
    if (terminal_width(stderr) > 0)
        (void) fputc('\n', stderr);
    StoreStatus counts;
    if (!done || !store_status(to, &counts, &error)) {
        ctl_error("%s; what was copied stays, the same command goes on",
                  error->message);
        return EX_TEMPFAIL;
    }
    if (json)
        ctl_json(json_pack("{s:I}", "contacts", (json_int_t) counts.contacts));
    else
        printf("%" G_GINT64_FORMAT
               " contacts are in the new store now; set [store] "
               "uri to it and reload\n",
               counts.contacts);
    return 0;
}
