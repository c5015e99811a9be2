/*
 * observation.c - from an analysis to what the CRM side is told
 *
 * Policy of section [mta] is applied here, where the envelope is at hand: who
 * is ours, whose mail makes contacts. Everything that needs DNS, the store or
 * the CRM waits for trust/ and crm/.
 */
#include "analysis/observation.h"

#include <stdio.h>
#include <string.h>

enum { FACTS_MAX = 100, AUTH_RESULTS_MAX = 20, AUTH_RESULTS_BYTES = 4096 };

static void
auth_results_clear(AuthResults *results)
{
    g_free(results->value);
}

Observation *
observation_new(ObservationKind kind, const char *email)
{
    Observation *observation = g_new0(Observation, 1);
    observation->kind = kind;
    observation->email = g_strdup(email);
    observation->authors = g_ptr_array_new_with_free_func(g_free);
    observation->recipients = g_ptr_array_new_with_free_func(g_free);
    observation->auth_results = g_array_new(FALSE, TRUE, sizeof(AuthResults));
    g_array_set_clear_func(observation->auth_results,
                           (GDestroyNotify) auth_results_clear);
    return observation;
}

void
observation_free(Observation *observation)
{
    if (observation == NULL)
        return;
    g_free(observation->email);
    contact_free(observation->contact);
    bounce_clear(&observation->bounce);
    returned_message_clear(&observation->returned);
    g_free(observation->evidence);
    g_ptr_array_unref(observation->authors);
    g_ptr_array_unref(observation->recipients);
    g_array_unref(observation->auth_results);
    g_free(observation->client_addr);
    g_free(observation->helo);
    g_free(observation->mail_from);
    g_free(observation->queue_id);
    g_free(observation->message_id);
    g_free(observation);
}

const char *
observation_kind_name(ObservationKind kind)
{
    static const char *const names[] = {
        [OBSERVATION_CONTACT] = "contact",
        [OBSERVATION_BOUNCE] = "bounce",
        [OBSERVATION_UNSUBSCRIBE] = "unsubscribe",
        [OBSERVATION_SENT] = "sent",
    };
    return names[kind];
}

/* Does any glob (* and ?, any case) match the address? */
static bool
matches_any(const char *const *globs, const char *email)
{
    if (globs == NULL)
        return false;
    g_autofree char *lower = g_ascii_strdown(email, -1);
    for (; *globs != NULL; globs++) {
        g_autofree char *pattern = g_ascii_strdown(*globs, -1);
        if (g_pattern_match_simple(pattern, lower))
            return true;
    }
    return false;
}

static bool
recipients_wanted(const Envelope *envelope, const ObservePolicy *policy)
{
    if (policy->recipients == NULL || envelope->recipients->len == 0)
        return true;
    for (guint i = 0; i < envelope->recipients->len; i++) {
        if (matches_any(policy->recipients,
                        g_ptr_array_index(envelope->recipients, i)))
            return true;
    }
    return false;
}

/* Loopback and private networks: a web server's or a printer's mail, which
 * leaves without authentication. No stranger has such an address. */
static bool
client_is_inside(const char *addr)
{
    if (addr == NULL)
        return false;
    static const char *const prefixes[] = { "127.", "10.", "192.168.", "::1" };
    for (size_t i = 0; i < G_N_ELEMENTS(prefixes); i++) {
        if (g_str_has_prefix(addr, prefixes[i]))
            return true;
    }
    unsigned second = 0;
    if (sscanf(addr, "172.%3u.", &second) == 1)
        return second >= 16 && second <= 31;
    return g_ascii_strncasecmp(addr, "fd", 2) == 0 && strchr(addr, ':') != NULL;
}

static bool
author_is_local(const Message *message, const ObservePolicy *policy)
{
    for (size_t i = 0; i < message->from.n; i++) {
        if (address_is_local(message->from.items[i].email,
                             policy->local_domains))
            return true;
    }
    return false;
}

/* Did one of our own people or machines submit this? The null sender is no
 * submission: it is a report. */
static bool
is_submission(const Message *message, const Envelope *envelope,
              const ObservePolicy *policy)
{
    bool null_sender =
        envelope->mail_from != NULL && *envelope->mail_from == '\0';
    if (envelope->auth_user != NULL)
        return true;
    if (null_sender || !author_is_local(message, policy))
        return false;
    return envelope->local || client_is_inside(envelope->client_addr);
}

/* The word after the word `name` outside comments; NULL when there is none. */
static char *
received_clause(const char *raw, const char *name)
{
    unsigned depth = 0;
    size_t len = strlen(name);
    bool word = true; /* a word may begin here */
    for (const char *p = raw; *p != '\0'; p++) {
        if (*p == '(') {
            depth++;
        } else if (*p == ')' && depth > 0) {
            depth--;
        } else if (*p == ';' && depth == 0) {
            break; /* the date */
        } else if (depth == 0 && word &&
                   g_ascii_strncasecmp(p, name, len) == 0 &&
                   g_ascii_isspace(p[len])) {
            p += len + strspn(p + len, " \t\r\n");
            return g_strndup(p, strcspn(p, " \t\r\n;("));
        }
        word = g_ascii_isspace(*p) || *p == ')';
    }
    return NULL;
}

char *
received_by(const char *raw)
{
    return received_clause(raw, "by");
}

bool
received_is_lmtp(const char *raw)
{
    g_autofree char *with = received_clause(raw, "with");
    return with != NULL && g_ascii_strncasecmp(with, "LMTP", 4) == 0;
}

/* The facts of the message that every observation bears. */
static void
add_facts(Observation *observation, const Message *message,
          const Envelope *envelope, const ObservePolicy *policy,
          bool submission)
{
    for (size_t i = 0; i < message->from.n && i < FACTS_MAX; i++)
        g_ptr_array_add(observation->authors,
                        g_strdup(message->from.items[i].email));
    for (guint i = 0; i < envelope->recipients->len && i < FACTS_MAX; i++)
        g_ptr_array_add(observation->recipients,
                        g_strdup(g_ptr_array_index(envelope->recipients, i)));

    /* A milter does not see our own Received: field, a mailbox has it. */
    unsigned foreign_received = policy->stored ? 2 : 1;
    unsigned received = 0;
    for (size_t i = 0; i < message->headers.n; i++) {
        const Header *header = &message->headers.items[i];
        bool arc = g_ascii_strcasecmp(header->name,
                                      "ARC-Authentication-Results") == 0 ||
                   g_ascii_strcasecmp(header->name, "ARC-Seal") == 0;
        if (g_ascii_strcasecmp(header->name, "Received") == 0 &&
            !(policy->stored && received_is_lmtp(header->raw)))
            received++;
        if (!arc &&
            g_ascii_strcasecmp(header->name, "Authentication-Results") != 0)
            continue;
        if (observation->auth_results->len == AUTH_RESULTS_MAX ||
            strlen(header->raw) > AUTH_RESULTS_BYTES)
            continue;
        AuthResults results = { .value = g_strdup(header->raw),
                                .arc = arc,
                                .above_received = received < foreign_received };
        g_array_append_val(observation->auth_results, results);
    }
    observation->client_addr = g_strdup(envelope->client_addr);
    observation->helo = g_strdup(envelope->helo);
    observation->mail_from = g_strdup(envelope->mail_from);
    observation->queue_id = g_strdup(envelope->queue_id);
    observation->message_id = g_strdup(message->message_id);
    observation->time = envelope->time;
    observation->local = envelope->local || submission;
}

static void
add_bounces(GPtrArray *list, const Analysis *analysis)
{
    for (guint i = 0; i < analysis->bounces->len; i++) {
        const Bounce *bounce = &g_array_index(analysis->bounces, Bounce, i);
        if (bounce->class == BOUNCE_OTHER)
            continue;
        Observation *o = observation_new(OBSERVATION_BOUNCE, bounce->email);
        o->bounce = (Bounce){
            .email = g_strdup(bounce->email),
            .final = g_strdup(bounce->final),
            .class = bounce->class,
            .status = g_strdup(bounce->status),
            .reason = bounce->reason,
            .evidence = g_strdup(bounce->evidence),
        };
        returned_message_copy(&o->returned, &analysis->returned);
        g_ptr_array_add(list, o);
    }
}

/* `forwarded`: one of our own people passed somebody else's request on. */
static void
add_unsubscribe(GPtrArray *list, const Analysis *analysis,
                const ObservePolicy *policy, bool forwarded)
{
    const Unsubscribe *u = analysis->unsubscribe;
    if (u == NULL)
        return;
    for (guint i = 0; i < u->addresses->len && i < FACTS_MAX; i++) {
        const char *email = g_ptr_array_index(u->addresses, i);
        if (address_is_local(email, policy->local_domains))
            continue;
        Observation *o = observation_new(OBSERVATION_UNSUBSCRIBE, email);
        o->scope = u->scope;
        o->unsure = u->unsure || forwarded;
        o->complaint = u->complaint;
        o->by_token = u->by_token;
        o->evidence = g_strdup(u->evidence);
        returned_message_copy(&o->returned, &analysis->returned);
        g_ptr_array_add(list, o);
    }
}

static void
add_contact(GPtrArray *list, const Analysis *analysis, const Envelope *envelope,
            const ObservePolicy *policy)
{
    const Contact *contact = analysis->contact;
    if (analysis->verdict != VERDICT_CONTACT || contact == NULL ||
        address_is_local(contact->email, policy->local_domains) ||
        matches_any(policy->ignore_senders, contact->email) ||
        !recipients_wanted(envelope, policy))
        return;
    Observation *o = observation_new(OBSERVATION_CONTACT, contact->email);
    o->contact = contact_copy(contact);
    g_ptr_array_add(list, o);
}

static bool
any_recipient_outside(const Envelope *envelope, const ObservePolicy *policy)
{
    for (guint i = 0; i < envelope->recipients->len; i++) {
        if (!address_is_local(g_ptr_array_index(envelope->recipients, i),
                              policy->local_domains))
            return true;
    }
    return false;
}

GPtrArray *
observe(const Analysis *analysis, const Message *message,
        const Envelope *envelope, const ObservePolicy *policy)
{
    GPtrArray *list =
        g_ptr_array_new_with_free_func((GDestroyNotify) observation_free);
    bool submission = is_submission(message, envelope, policy);
    if (submission) {
        bool leaves = any_recipient_outside(envelope, policy);
        if (leaves && policy->record_sent && message->message_id != NULL) {
            Observation *o = observation_new(OBSERVATION_SENT, "");
            o->returned.message_id = g_strdup(message->message_id);
            g_ptr_array_add(list, o);
        } else if (!leaves) {
            add_unsubscribe(list, analysis, policy, true);
        }
    } else if (analysis->verdict == VERDICT_BOUNCE) {
        add_bounces(list, analysis);
    } else {
        add_unsubscribe(list, analysis, policy,
                        author_is_local(message, policy));
        add_contact(list, analysis, envelope, policy);
    }
    for (guint i = 0; i < list->len; i++)
        add_facts(g_ptr_array_index(list, i), message, envelope, policy,
                  submission);
    return list;
}
