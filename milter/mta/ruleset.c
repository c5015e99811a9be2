/*
 * ruleset.c - see ruleset.h
 */
#include "mta/ruleset.h"

#include "message/message.h"

#include <stdatomic.h>
#include <string.h>

struct Ruleset {
    atomic_int references;
    Settings *settings;
    Analyzer *analyzer;
    ObservePolicy policy;
};

static const char *const *
list_or_null(char **list)
{
    return list != NULL && list[0] != NULL ? (const char *const *) list : NULL;
}

Ruleset *
ruleset_new(Settings *settings, GError **error)
{
    const char *key = settings->unsubscribe.token_secret;
    AnalyzerOptions options = {
        .local_domains = (const char *const *) settings->mta.local_domains,
        .default_country = settings->contact.default_country,
        .languages = list_or_null(settings->unsubscribe.languages),
        .phrases_file = settings->unsubscribe.phrases_file,
        .unsubscribe_addresses = list_or_null(settings->unsubscribe.addresses),
        .unsubscribe_key = key,
        .unsubscribe_key_len = key != NULL ? strlen(key) : 0,
    };
    Analyzer *analyzer = analyzer_new(&options, error);
    if (analyzer == NULL)
        return NULL;

    Ruleset *ruleset = g_new0(Ruleset, 1);
    atomic_init(&ruleset->references, 1);
    ruleset->settings = settings_ref(settings);
    ruleset->analyzer = analyzer;
    ruleset->policy = (ObservePolicy){
        .local_domains = (const char *const *) settings->mta.local_domains,
        .recipients = (const char *const *) settings->mta.recipients,
        .ignore_senders = (const char *const *) settings->mta.ignore_senders,
        .record_sent = settings->bounce.evidence == EVIDENCE_SENT,
    };
    return ruleset;
}

Ruleset *
ruleset_ref(Ruleset *ruleset)
{
    atomic_fetch_add(&ruleset->references, 1);
    return ruleset;
}

void
ruleset_free(Ruleset *ruleset)
{
    if (ruleset == NULL || atomic_fetch_sub(&ruleset->references, 1) > 1)
        return;
    analyzer_free(ruleset->analyzer);
    settings_free(ruleset->settings);
    g_free(ruleset);
}

const Settings *
ruleset_settings(const Ruleset *ruleset)
{
    return ruleset->settings;
}

ReadExtent
ruleset_extent(const Ruleset *ruleset, const Envelope *envelope)
{
    if (envelope->auth_user == NULL)
        return READ_ALL;
    for (guint i = 0; i < envelope->recipients->len; i++) {
        if (!address_is_local(g_ptr_array_index(envelope->recipients, i),
                              ruleset->policy.local_domains))
            return ruleset->policy.record_sent ? READ_HEADER : READ_NOTHING;
    }
    return READ_ALL;
}

GPtrArray *
ruleset_observe(const Ruleset *ruleset, const char *bytes, size_t len,
                const Envelope *envelope, Analysis **out_analysis)
{
    g_autoptr(Message) message = message_parse(bytes, len, NULL);
    g_autoptr(Analysis) analysis =
        analyzer_run(ruleset->analyzer, message, envelope);
    GPtrArray *observations =
        observe(analysis, message, envelope, &ruleset->policy);
    if (out_analysis != NULL)
        *out_analysis = g_steal_pointer(&analysis);
    return observations;
}
