/*
 * queue.c - contactctl queue: what waits, what is held, what is dead
 */
#include <string.h>
#include <time.h>

#include "ctl/contact_lines.h"
#include "ctl/ctl.h"
#include "ctl/table.h"
#include "store/observation_json.h"

enum { LIST_MAX = 100000 };

static char *
time_text(int64_t when)
{
    if (when <= 0)
        return g_strdup("-");
    g_autoptr(GDateTime) local = g_date_time_new_from_unix_local(when);
    return local ? g_date_time_format(local, "%Y-%m-%d %H:%M:%S")
                 : g_strdup("-");
}

static void
print_entry_json(const QueueEntry *e)
{
    ctl_json(json_pack("{s:s, s:s, s:s?, s:s?, s:s?, s:I, s:I, s:I}", "email",
                       e->email, "state", e->state, "wants", e->wants, "reason",
                       e->reason, "trust", e->trust, "attempts",
                       (json_int_t) e->attempts, "since", (json_int_t) e->since,
                       "due", (json_int_t) e->due));
}

static int
queue_list(Store *store, const char *email, bool json)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) list = store_queue(store, email, LIST_MAX, &error);
    if (list == NULL) {
        ctl_error("%s", error->message);
        return EX_UNAVAILABLE;
    }
    static const char *const headings[] = { "ADDRESS", "STATE", "WANTS",
                                            "TRIED",   "SINCE", "REASON",
                                            NULL };
    Table *table = table_new(headings);
    for (guint i = 0; i < list->len; i++) {
        const QueueEntry *e = g_ptr_array_index(list, i);
        if (json) {
            print_entry_json(e);
            continue;
        }
        g_autofree char *tried = g_strdup_printf("%u", e->attempts);
        g_autofree char *since = time_text(e->since);
        const char *const cells[] = { e->email, e->state, e->wants,
                                      tried,    since,    e->reason };
        table_add(table, cells);
    }
    table_print(table, stdout);
    table_free(table);
    if (!json && list->len == 0)
        puts(email ? "nothing waits for this address" : "nothing waits");
    return 0;
}

/* Two columns; long values are not cut here. */
static void
show_row(const char *label, const char *value)
{
    if (value != NULL && *value != '\0')
        printf("%-12s %s\n", label, value);
}

static int
queue_show(const Settings *settings, Store *store, const char *email, bool json)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) list = store_queue(store, email, LIST_MAX, &error);
    g_autoptr(ContactRecord) record =
        list != NULL ? store_get(store, email, &error) : NULL;
    if (list == NULL || error != NULL) {
        ctl_error("%s", error->message);
        return EX_UNAVAILABLE;
    }
    if (record == NULL && list->len == 0) {
        ctl_error("nothing is known of %s", email);
        return 1;
    }
    if (json) {
        for (guint i = 0; i < list->len; i++)
            print_entry_json(g_ptr_array_index(list, i));
        g_autofree char *known = record != NULL && record->known != NULL
                                     ? contact_to_json(record->known)
                                     : NULL;
        if (known != NULL)
            printf("{\"known\":%s}\n", known);
        return 0;
    }
    for (guint i = 0; i < list->len; i++) {
        const QueueEntry *e = g_ptr_array_index(list, i);
        g_autofree char *since = time_text(e->since);
        g_autofree char *due = time_text(e->due);
        g_autofree char *tried = g_strdup_printf("%u", e->attempts);
        show_row("address", e->email);
        show_row("state", e->state);
        show_row("wants", e->wants);
        show_row("reason", e->reason);
        show_row("trust", e->trust);
        show_row("tried", tried);
        show_row("since", since);
        show_row("due", due);
        (void) putchar('\n');
    }
    if (record != NULL) {
        g_autofree char *mail = time_text(record->last_mail);
        show_row("last mail", mail);
        show_row("judged", record->trust);
        for (guint i = 0; record->crm != NULL && i < record->crm->len; i++) {
            const CrmContact *crm = g_ptr_array_index(record->crm, i);
            g_autofree char *id = g_strdup_printf("%" G_GINT64_FORMAT, crm->id);
            show_row("CRM contact", id);
        }
        if (record->anonymised)
            show_row("CRM", "anonymised there: left alone for good");
        else if (record->state == CONTACT_IDLE &&
                 (record->crm == NULL || record->crm->len == 0))
            show_row("CRM", settings->unsubscribe.unknown == UNKNOWN_IGNORE
                                ? "no contact there has this address: a "
                                  "request or a bounce changes nothing "
                                  "([unsubscribe] unknown = ignore)"
                                : "no contact there has this address");
        if (record->known != NULL) {
            puts("known from mail:");
            contact_lines(record->known, settings->contact.min_confidence);
        }
    }
    return 0;
}

/* Prints how many entries an action changed. */
static int
report_count(int64_t count, const char *done, bool json, const GError *error)
{
    if (count < 0) {
        ctl_error("%s", error->message);
        return EX_UNAVAILABLE;
    }
    if (json)
        ctl_json(json_pack("{s:I}", "changed", (json_int_t) count));
    else
        printf("%" G_GINT64_FORMAT " %s\n", count, done);
    return count > 0 ? 0 : 1;
}

static const char usage[] =
    "list | show ADDRESS | retry [ADDRESS | --dead] | release ADDRESS | drop "
    "ADDRESS";

int
ctl_queue(Ctl *ctl, int argc, char **argv)
{
    gboolean json = FALSE;
    gboolean dead = FALSE;
    int status;
    const GOptionEntry entries[] = { CTL_JSON_OPTION(&json),
                                     { "dead", 0, 0, G_OPTION_ARG_NONE, &dead,
                                       "retry: the dead ones only", NULL },
                                     G_OPTION_ENTRY_NULL };
    if (!ctl_options(entries, usage, &argc, &argv, &status))
        return status;
    const char *action = argc > 1 ? argv[1] : "list";
    const char *email = argc > 2 ? argv[2] : NULL;
    bool needs_address = strcmp(action, "show") == 0 ||
                         strcmp(action, "release") == 0 ||
                         strcmp(action, "drop") == 0;
    bool known = needs_address || strcmp(action, "list") == 0 ||
                 strcmp(action, "retry") == 0;
    if (!known || (needs_address && email == NULL) || argc > 3) {
        ctl_error("usage: contactctl queue %s", usage);
        return EX_USAGE;
    }

    g_autoptr(Settings) settings = ctl_settings(ctl, ROLE_TOOL);
    if (settings == NULL)
        return EX_CONFIG;
    g_autoptr(Store) store = ctl_store(settings);
    if (store == NULL)
        return EX_UNAVAILABLE;
    g_autoptr(GError) error = NULL;
    int64_t now = (int64_t) time(NULL);
    if (strcmp(action, "list") == 0)
        return queue_list(store, email, json);
    if (strcmp(action, "show") == 0)
        return queue_show(settings, store, email, json);
    if (strcmp(action, "retry") == 0)
        return report_count(store_queue_retry(store, email, dead, now, &error),
                            "to be tried again", json, error);
    if (strcmp(action, "release") == 0)
        return report_count(store_queue_release(store, email, now, &error),
                            "released", json, error);
    return report_count(store_queue_drop(store, email, &error), "dropped", json,
                        error);
}
