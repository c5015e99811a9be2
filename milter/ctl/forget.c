/*
 * forget.c - contactctl forget: erase what is held about one address
 */
#include "ctl/ctl.h"

int
ctl_forget(Ctl *ctl, int argc, char **argv)
{
    gboolean json = FALSE;
    int status;
    const GOptionEntry entries[] = { CTL_JSON_OPTION(&json),
                                     G_OPTION_ENTRY_NULL };
    if (!ctl_options(entries,
                     "ADDRESS - erase everything that is held here about it",
                     &argc, &argv, &status))
        return status;
    if (argc != 2) {
        ctl_error("usage: contactctl forget ADDRESS");
        return EX_USAGE;
    }
    if (!ctl_is_address(argv[1])) {
        ctl_error("forget: \"%s\" is no address; write it as ann@example.net",
                  argv[1]);
        return EX_USAGE;
    }
    const char *email = argv[1];
    g_autoptr(Settings) settings = ctl_settings(ctl, ROLE_TOOL);
    if (settings == NULL)
        return EX_CONFIG;
    g_autoptr(Spool) spool = ctl_spool(settings);
    g_autoptr(Store) store = ctl_store(settings);
    if (store == NULL || spool == NULL)
        return EX_UNAVAILABLE;

    /* The spool first: what is judged meanwhile would come back. */
    g_autoptr(GError) error = NULL;
    int64_t spooled = spool_forget(spool, email, &error);
    int64_t stored = spooled < 0 ? -1 : store_forget(store, email, &error);
    if (spooled < 0 || stored < 0) {
        ctl_error("%s", error->message);
        return EX_UNAVAILABLE;
    }
    if (json) {
        ctl_json(json_pack("{s:s, s:I, s:I}", "email", email, "spool",
                           (json_int_t) spooled, "store", (json_int_t) stored));
        return spooled + stored > 0 ? 0 : 1;
    }
    printf("%s: erased %" G_GINT64_FORMAT
           " observations from the spool and %" G_GINT64_FORMAT
           " entries from the store\n",
           email, spooled, stored);
    if (stored > 0)
        puts("The CRM itself was not touched: erase the contact there as "
             "well.");
    return spooled + stored > 0 ? 0 : 1;
}
