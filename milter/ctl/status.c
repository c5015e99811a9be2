/*
 * status.c - contactctl status and flush
 */
#include <string.h>
#include <time.h>

#include "ctl/ctl.h"
#include "ctl/table.h"

/* A shared value of the store; NULL when there is none. */
static char *
state_text(Store *store, const char *name)
{
    char *value = NULL;
    g_autoptr(GError) error = NULL;
    if (!store_state_get(store, name, &value, &error))
        ctl_error("%s", error->message);
    if (value != NULL && *value == '\0')
        g_clear_pointer(&value, g_free);
    return value;
}

static void
print_row(const char *label, const char *value)
{
    printf("%-15s %s\n", label, value ? value : "-");
}

static void
print_count(const char *label, int64_t count)
{
    printf("%-15s %" G_GINT64_FORMAT "\n", label, count);
}

int
ctl_status(Ctl *ctl, int argc, char **argv)
{
    gboolean json = FALSE;
    int status;
    const GOptionEntry entries[] = { CTL_JSON_OPTION(&json),
                                     G_OPTION_ENTRY_NULL };
    if (!ctl_options(entries, "- how things stand", &argc, &argv, &status))
        return status;
    g_autoptr(Settings) settings = ctl_settings(ctl, ROLE_TOOL);
    if (settings == NULL)
        return EX_CONFIG;
    g_autoptr(Store) store = ctl_store(settings);
    g_autoptr(Spool) spool = ctl_spool(settings);
    if (store == NULL || spool == NULL)
        return EX_UNAVAILABLE;

    g_autoptr(GError) error = NULL;
    StoreStatus contacts;
    SpoolStatus inbox;
    if (!store_status(store, &contacts, &error) ||
        !spool_status(spool, &inbox, &error)) {
        ctl_error("%s", error->message);
        return EX_UNAVAILABLE;
    }
    int64_t now = (int64_t) time(NULL);
    int64_t oldest =
        contacts.oldest_pending > 0 ? MAX(now - contacts.oldest_pending, 0) : 0;
    g_autofree char *paused = state_text(store, "paused");
    g_autofree char *success = state_text(store, "last_success");
    g_autofree char *failure = state_text(store, "last_error");
    if (json) {
        json_t *object = json_pack(
            "{s:I, s:I, s:I, s:I, s:I, s:I, s:s?, s:s?, s:s?}", "inbox",
            (json_int_t) inbox.rows, "pending", (json_int_t) contacts.pending,
            "held", (json_int_t) contacts.held, "dead",
            (json_int_t) contacts.dead, "contacts",
            (json_int_t) contacts.contacts, "oldest_pending_s",
            (json_int_t) oldest, "paused", paused, "last_success", success,
            "last_error", failure);
        if (inbox.set_aside > 0)
            (void) json_object_set_new(object, "set_aside",
                                       json_integer(inbox.set_aside));
        ctl_json(object);
        return 0;
    }
    print_count("inbox", inbox.rows);
    print_count("pending", contacts.pending);
    print_count("held", contacts.held);
    print_count("dead", contacts.dead);
    print_count("contacts", contacts.contacts);
    if (inbox.set_aside > 0)
        print_count("set aside", inbox.set_aside);
    g_autofree char *age =
        oldest > 0 ? g_strdup_printf("%" G_GINT64_FORMAT " s", oldest) : NULL;
    print_row("oldest pending", age);
    print_row("paused", paused ? paused : "no");
    print_row("last success", success);
    print_row("last error", failure);
    return 0;
}

int
ctl_flush(Ctl *ctl, int argc, char **argv)
{
    gboolean json = FALSE;
    int status;
    const GOptionEntry entries[] = { CTL_JSON_OPTION(&json),
                                     G_OPTION_ENTRY_NULL };
    if (!ctl_options(entries, "- the sync tries everything now", &argc, &argv,
                     &status))
        return status;
    g_autoptr(Settings) settings = ctl_settings(ctl, ROLE_TOOL);
    if (settings == NULL)
        return EX_CONFIG;
    g_autoptr(Store) store = ctl_store(settings);
    if (store == NULL)
        return EX_UNAVAILABLE;
    g_autoptr(GError) error = NULL;
    int64_t now = (int64_t) time(NULL);
    g_autofree char *stamp = g_strdup_printf("%" G_GINT64_FORMAT, now);
    int64_t count = store_queue_retry(store, NULL, false, now, &error);
    if (count < 0 || !store_state_set(store, "flush", stamp, &error)) {
        ctl_error("%s", error->message);
        return EX_UNAVAILABLE;
    }
    if (json)
        ctl_json(json_pack("{s:I}", "pending", (json_int_t) count));
    else
        printf("%" G_GINT64_FORMAT " pending: to be tried now\n", count);
    return 0;
}
