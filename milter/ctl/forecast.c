/*
 * forecast.c - see forecast.h
 */
#include "ctl/forecast.h"

#include <string.h>
#include <time.h>

#include "trust/decide.h"

struct Forecast {
    const Settings *settings;
    GHashTable *counts;  /* label -> count, without people */
    GHashTable *taken;   /* addresses of which a mail is taken */
    GHashTable *refused; /* address -> label */
    GHashTable *changes; /* sending domain -> status changes so far */
};

Forecast *
forecast_new(const Settings *settings)
{
    Forecast *forecast = g_new0(Forecast, 1);
    forecast->settings = settings;
    forecast->counts =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    forecast->taken =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    forecast->refused =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    forecast->changes =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return forecast;
}

void
forecast_free(Forecast *forecast)
{
    if (forecast == NULL)
        return;
    g_hash_table_unref(forecast->counts);
    g_hash_table_unref(forecast->taken);
    g_hash_table_unref(forecast->refused);
    g_hash_table_unref(forecast->changes);
    g_free(forecast);
}

static void
add_one(GHashTable *counts, const char *name)
{
    guint count = GPOINTER_TO_UINT(g_hash_table_lookup(counts, name));
    (void) g_hash_table_replace(counts, g_strdup(name),
                                GUINT_TO_POINTER(count + 1));
}

/* --- what decide.c asks -------------------------------------------------- */

static bool
sent_seen(void *data, const char *message_id, const char *recipient,
          bool *out_seen, GError **error)
{
    (void) data, (void) message_id, (void) recipient, (void) error;
    *out_seen = false;
    return true;
}

static int64_t
soft_bounces(void *data, const char *email, int64_t since, GError **error)
{
    (void) data, (void) email, (void) since, (void) error;
    return 0;
}

static int64_t
status_changes(void *data, const char *domain, int64_t since, GError **error)
{
    const Forecast *forecast = data;
    (void) since, (void) error;
    return GPOINTER_TO_UINT(g_hash_table_lookup(forecast->changes, domain));
}

/* --- words ---------------------------------------------------------------- */

static char *
trust_option(const char *key, int level)
{
    static const char *const levels[] = {
        [TRUST_PASS] = "pass", [TRUST_NO_FAIL] = "no-fail"
    };
    if (level == TRUST_ANY)
        return g_strdup("the author claims a domain of ours");
    return g_strdup_printf("[trust] %s = %s", key, levels[level]);
}

/* The option that a decision comes from; else the decision's own words. */
static char *
option_of(const Settings *settings, const Observation *o, const Decision *d)
{
    if (d->unseen)
        return g_strdup("[bounce] evidence = sent, unless seen leaving here");
    if (g_str_has_prefix(d->why, "trust contact "))
        return trust_option("contact", settings->trust.contact);
    if (g_str_has_prefix(d->why, "trust unsubscribe "))
        return trust_option("unsubscribe", settings->trust.unsubscribe);
    if (d->kind == DECISION_HOLD && g_str_has_prefix(d->why, "more than "))
        return g_strdup_printf("[trust] status_limit = %" G_GINT64_FORMAT,
                               (gint64) settings->trust.status_limit);
    if (o->kind == OBSERVATION_BOUNCE)
        return g_strdup_printf(
            "[bounce] evidence = %s",
            settings->bounce.evidence == EVIDENCE_SENT ? "sent" : "original");
    if (strstr(d->why, " = ") != NULL)
        return g_strdup_printf("[unsubscribe] %s", d->why);
    return g_strdup(d->why);
}

/* --- counting ------------------------------------------------------------- */

static void
count_decision(Forecast *forecast, const Observation *o, const Decision *d)
{
    bool person = o->kind == OBSERVATION_CONTACT;
    if (d->kind == DECISION_MERGE) {
        if (person)
            (void) g_hash_table_add(forecast->taken, g_strdup(o->email));
        if (d->domain != NULL && (d->want_status != 0 || d->want_sms != 0)) {
            add_one(forecast->changes, d->domain);
            if (d->unverified)
                add_one(forecast->changes, DECIDE_UNVERIFIED);
        }
        return;
    }
    /* What is only probable has a row of its own already. */
    if (d->kind == DECISION_NOTE ||
        (d->kind == DECISION_HOLD && strcmp(d->why, "unsure") == 0))
        return;
    g_autofree char *option = option_of(forecast->settings, o, d);
    char *label = g_strdup_printf("%s %s: %s",
                                  person                          ? "people"
                                  : o->kind == OBSERVATION_BOUNCE ? "bounces"
                                                                  : "requests",
                                  decision_kind_name(d->kind), option);
    if (person) {
        g_hash_table_replace(forecast->refused, g_strdup(o->email), label);
    } else {
        add_one(forecast->counts, label);
        g_free(label);
    }
}

void
forecast_add(Forecast *forecast, const Observation *o)
{
    if (o->kind == OBSERVATION_SENT)
        return;
    const JudgeQueries queries = { .sent_seen = sent_seen,
                                   .soft_bounces = soft_bounces,
                                   .status_changes = status_changes,
                                   .data = forecast };
    Decision decision;
    /* The queries never fail; the key is not used. Stored mail tells no client
     * whose SPF could be checked. */
    if (!judge_one(o, "", NULL, forecast->settings, &queries,
                   (int64_t) time(NULL), &decision, NULL))
        return;
    count_decision(forecast, o, &decision);
    decision_clear(&decision);
}

void
forecast_rows(const Forecast *forecast, ForecastRow row, void *data)
{
    g_autoptr(GHashTable) all =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    GHashTableIter iter;
    gpointer key, value;
    g_hash_table_iter_init(&iter, forecast->counts);
    while (g_hash_table_iter_next(&iter, &key, &value))
        (void) g_hash_table_insert(all, g_strdup(key), value);
    g_hash_table_iter_init(&iter, forecast->refused);
    while (g_hash_table_iter_next(&iter, &key, &value))
        if (!g_hash_table_contains(forecast->taken, key))
            add_one(all, value);
    g_autoptr(GList) labels =
        g_list_sort(g_hash_table_get_keys(all), (GCompareFunc) g_strcmp0);
    for (GList *at = labels; at != NULL; at = at->next)
        row(at->data, GPOINTER_TO_UINT(g_hash_table_lookup(all, at->data)),
            data);
}

static void
json_row(const char *label, guint count, void *data)
{
    (void) json_object_set_new((json_t *) data, label, json_integer(count));
}

json_t *
forecast_json(const Forecast *forecast)
{
    json_t *object = json_object();
    forecast_rows(forecast, json_row, object);
    return object;
}
