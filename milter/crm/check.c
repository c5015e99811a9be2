/*
 * check.c - contactctl check and the worker's warnings at start
 *
 * A field that cannot serve is one clear line, and that field alone is left
 * out; everything else goes on.
 */
#include "crm/check.h"

#include "crm/ivvy.h"

#include <inttypes.h>
#include <string.h>

typedef struct {
    const char *key;
    int64_t id;
    unsigned types; /* bits of FieldType that can hold it */
} FieldUse;

enum { USES = 7 };

static void
uses_of(const Settings *settings, FieldUse uses[USES])
{
    const unsigned text = 1u << FIELD_SMALL_TEXT | 1u << FIELD_LARGE_TEXT;
    const unsigned choice = 1u << FIELD_SELECT | 1u << FIELD_MULTI_SELECT;
    const FieldUse all[USES] = {
        { "job_title", settings->custom_fields.job_title, text | choice },
        { "mobile", settings->custom_fields.mobile, text },
        { "fax", settings->custom_fields.fax, text },
        { "company", settings->custom_fields.company, text | choice },
        { "address", settings->custom_fields.address,
          text | 1u << FIELD_ADDRESS },
        { "website", settings->custom_fields.website, text },
        { "last_mail", settings->custom_fields.last_mail,
          text | 1u << FIELD_DATE },
    };
    memcpy(uses, all, sizeof all);
}

bool
check_wants_definitions(const Settings *settings)
{
    FieldUse uses[USES];
    uses_of(settings, uses);
    for (size_t i = 0; i < USES; i++)
        if (uses[i].id != 0)
            return true;
    return false;
}

static void G_GNUC_PRINTF(4, 5)
    say(SyncReport report, void *data, bool ok, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *line = g_strdup_vprintf(format, args);
    va_end(args);
    report(ok, line, data);
}

static bool
check_field(const FieldUse *use, const FieldDefinition *field, bool good,
            SyncReport report, void *data)
{
    if (field == NULL) {
        say(report, data, false,
            "[custom_fields] %s: the CRM has no custom field %" PRId64
            "; it is left out",
            use->key, use->id);
        return false;
    }
    if (!field->active) {
        say(report, data, false,
            "[custom_fields] %s: field %" PRId64
            " (%s) is not active; it is left out",
            use->key, use->id, field->name);
        return false;
    }
    if (field->type < 0 || field->type > FIELD_NUMBER ||
        (use->types & 1u << (unsigned) field->type) == 0) {
        say(report, data, false,
            "[custom_fields] %s: field %" PRId64
            " (%s) is of type %s, which does not fit; it is left out",
            use->key, use->id, field->name, field_type_name(field->type));
        return false;
    }
    if (good)
        say(report, data, true, "custom field %s: %" PRId64 " (%s, %s)",
            use->key, use->id, field->name, field_type_name(field->type));
    return true;
}

bool
check_fields(const Settings *settings, GHashTable *definitions, bool good,
             SyncReport report, void *data)
{
    FieldUse uses[USES];
    uses_of(settings, uses);
    bool well = true;
    for (size_t i = 0; i < USES; i++) {
        if (uses[i].id == 0)
            continue;
        const FieldDefinition *field = definitions_get(definitions, uses[i].id);
        if (!check_field(&uses[i], field, good, report, data)) {
            well = false;
            /* and really left out: the planner uses what it finds */
            g_hash_table_remove(definitions, &uses[i].id);
        }
        for (size_t other = 0; other < i; other++)
            if (uses[other].id == uses[i].id)
                say(report, data, false,
                    "[custom_fields] %s and %s: both are field %" PRId64,
                    uses[other].key, uses[i].key, uses[i].id);
    }
    return well;
}

bool
check_groups(const Settings *settings, const GArray *groups, SyncReport report,
             void *data)
{
    bool well = true;
    char **ids = settings->contact.groups;
    for (size_t i = 0; ids != NULL && ids[i] != NULL; i++) {
        bool there = id_array_has(groups, g_ascii_strtoll(ids[i], NULL, 10));
        if (there)
            say(report, data, true, "group %s", ids[i]);
        else
            say(report, data, false,
                "[contact] groups: the CRM has no group %s", ids[i]);
        well = well && there;
    }
    return well;
}

static void
check_clock(Ivvy *ivvy, const Answer *ping, SyncReport report, void *data)
{
    int64_t offset = ivvy_clock_offset(ivvy);
    if (offset == 0 && ping->server_time != 0)
        offset = ping->server_time - g_get_real_time() / G_USEC_PER_SEC;
    bool well = ABS(offset) < 120;
    say(report, data, well, "clock: the API's is %+" PRId64 " s from ours%s",
        offset,
        well ? "" : " (allowed are 300 s; the offset is learnt and used)");
}

/* Where to look after an answer that no retry mends; "" for trouble that is
 * not ours. */
static char *
remedy(const Settings *settings, const Answer *answer)
{
    const char *file = settings->api.secret_file != NULL
                           ? settings->api.secret_file
                           : "api-secret beside the configuration";
    bool wrong_signature = strstr(answer->message, "signature") != NULL;
    /* curl's words; it has no answer to classify. */
    bool no_host =
        answer->http == 0 && strstr(answer->message, "resolve host") != NULL;
    if (answer->kind == ANSWER_CREDENTIALS &&
        answer->specific == SPECIFIC_STALE)
        return g_strdup("; set this machine's clock (timedatectl)");
    if (answer->kind == ANSWER_CREDENTIALS && wrong_signature)
        return g_strdup_printf("; the secret is not that of [api] key = %s: "
                               "see %s",
                               settings->api.key, file);
    if (answer->kind == ANSWER_CREDENTIALS)
        return g_strdup_printf("; see [api] key = %s, and the secret in %s: "
                               "both must be of one account, in its region",
                               settings->api.key, file);
    if (answer->kind == ANSWER_ENDPOINT || no_host)
        return g_strdup_printf(
            "; see [api] endpoint, or leave it out and set region%s",
            no_host ? "; or the resolver, /etc/resolv.conf" : "");
    return g_strdup("");
}

bool
sync_check(const Settings *settings, SyncReport report, void *data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Ivvy) ivvy = ivvy_new(settings, &error);
    if (ivvy == NULL) {
        report(false, error->message, data);
        return false;
    }
    g_auto(Answer) ping = { 0 };
    ivvy_call(ivvy, "test", "ping", NULL, &ping);
    if (ping.kind != ANSWER_OK) {
        g_autofree char *hint = remedy(settings, &ping);
        say(report, data, false, "API %s: %s%s", settings->api.endpoint,
            ping.message, hint);
        return false;
    }
    say(report, data, true, "API %s: the credentials are accepted",
        settings->api.endpoint);
    check_clock(ivvy, &ping, report, data);
    bool well = true;
    if (check_wants_definitions(settings)) {
        g_auto(Answer) answer = { 0 };
        ivvy_call(ivvy, "contact", "getCustomFieldDefinition", NULL, &answer);
        GHashTable *definitions =
            answer.kind == ANSWER_OK ? view_definitions(answer.body) : NULL;
        if (definitions != NULL) {
            well = check_fields(settings, definitions, true, report, data);
            g_hash_table_unref(definitions);
        } else {
            say(report, data, false, "custom fields: %s",
                answer.message != NULL ? answer.message : "no list came");
            well = false;
        }
    }
    char **groups = settings->contact.groups;
    if (groups != NULL && groups[0] != NULL) {
        g_auto(Answer) answer = { 0 };
        ivvy_call(ivvy, "contact", "getSubscriptionGroupList", NULL, &answer);
        g_autoptr(GArray) ids =
            answer.kind == ANSWER_OK ? view_groups(answer.body) : NULL;
        if (ids == NULL)
            say(report, data, false, "groups: %s",
                answer.message != NULL ? answer.message : "no list came");
        well = ids != NULL && check_groups(settings, ids, report, data) && well;
    }
    if (settings->api.batch == BATCH_AUTO) {
        g_auto(Answer) answer = { 0 };
        json_t *params = json_pack("{s:s}", "async", "0");
        ivvy_call(ivvy, "batch", "progress", params, &answer);
        json_decref(params);
        bool has =
            answer.kind == ANSWER_OK || answer.specific == SPECIFIC_NO_PROGRESS;
        say(report, data, true, "batch: %s",
            has ? "available" : "not available; single calls are made");
    }
    return well;
}
