/*
 * decide.c - see decide.h
 *
 * First the verdict about the author (verdict.c), for reports the evidence
 * (evidence.c), then the settings say whether that is enough. Whatever the
 * settings are, these never count: our own addresses, and mail that claims a
 * domain of ours from outside.
 *
 * A status change is counted for its sending domain. What is proven (the
 * local mail server's own reports, the sent-log, our signed tokens) is not:
 * the limit is there against forgery, and a big mailing makes many honest
 * bounces.
 */
#include "trust/decide.h"

#include "trust/alignment.h"

#include <string.h>

/* Providers where a domain in common says nothing about two people. */
static const char *const public_mailboxes[] = {
    "gmail.com",
    "googlemail.com",
    "outlook.com",
    "hotmail.com",
    "live.com",
    "msn.com",
    "yahoo.com",
    "ymail.com",
    "icloud.com",
    "me.com",
    "mac.com",
    "aol.com",
    "gmx.net",
    "gmx.de",
    "gmx.com",
    "web.de",
    "mail.com",
    "mail.ru",
    "yandex.ru",
    "yandex.com",
    "qq.com",
    "163.com",
    "126.com",
    "proton.me",
    "fastmail.com",
    "protonmail.com",
    "zoho.com",
    "bigpond.com",
    "bigpond.net.au",
    "optusnet.com.au",
    "btinternet.com",
    "orange.fr",
    "free.fr",
    "laposte.net",
    "libero.it",
    "t-online.de",
    NULL,
};

const char *
decision_kind_name(DecisionKind kind)
{
    static const char *const names[] = { "refused", "noted", "held", "merged" };
    return names[kind];
}

void
decision_clear(Decision *decision)
{
    g_free(decision->trust);
    g_free(decision->why);
    g_free(decision->key);
    g_free(decision->domain);
    *decision = (Decision){ 0 };
}

static void settle(Decision *decision, DecisionKind kind, const char *format,
                   ...) G_GNUC_PRINTF(3, 4);

static void
settle(Decision *decision, DecisionKind kind, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    decision->kind = kind;
    g_free(decision->why);
    decision->why = format != NULL ? g_strdup_vprintf(format, args) : NULL;
    va_end(args);
}

static bool
is_author(const Observation *o, const char *email)
{
    for (guint i = 0; i < o->authors->len; i++)
        if (address_equal(g_ptr_array_index(o->authors, i), email))
            return true;
    return false;
}

/* Does every author have exactly this address's domain? */
static bool
authors_in_domain_of(const Observation *o, const char *email, bool relaxed)
{
    g_autofree char *domain = domain_of(email);
    for (guint i = 0; i < o->authors->len; i++) {
        g_autofree char *other = domain_of(g_ptr_array_index(o->authors, i));
        if (domain == NULL || other == NULL ||
            !(relaxed ? domain_aligned(domain, other)
                      : domain_equal(domain, other)))
            return false;
    }
    return o->authors->len > 0;
}

static bool
is_our_address(const char *email, const Settings *settings)
{
    g_autofree char *domain = domain_of(email);
    return domain != NULL &&
           domain_among(domain,
                        (const char *const *) settings->mta.local_domains);
}

/* Whom a status change is counted for: the organisation that a pass proves,
 * else what the mail claims. */
static char *
sending_domain(const Observation *o, AuthVerdict verdict)
{
    const char *author =
        o->authors->len > 0 ? g_ptr_array_index(o->authors, 0) : NULL;
    g_autofree char *domain =
        verdict != AUTH_PASS ? domain_of(o->mail_from) : NULL;
    if (domain == NULL)
        domain = domain_of(author);
    if (domain == NULL)
        domain = domain_normal(o->helo);
    return domain != NULL ? domain_organisational(domain) : g_strdup("unknown");
}

/* Applies `trust status_limit` to a decision that changes a status. */
static bool
limit_changes(const Observation *o, const Settings *settings,
              const JudgeQueries *q, int64_t now, Decision *d, GError **error)
{
    int64_t limit = settings->trust.status_limit;
    if (d->kind != DECISION_MERGE || (d->want_status == 0 && d->want_sms == 0))
        return true;
    d->domain = sending_domain(o, d->verdict);
    d->unverified = d->verdict != AUTH_PASS;
    if (limit <= 0)
        return true;

    int64_t n = q->status_changes(q->data, d->domain, now - DECIDE_HOUR, error);
    if (n < 0)
        return false;
    if (n >= limit) {
        settle(d, DECISION_HOLD,
               "more than %" G_GINT64_FORMAT
               " status changes from %s within an hour",
               limit, d->domain);
        return true;
    }
    if (!d->unverified)
        return true;
    n = q->status_changes(q->data, DECIDE_UNVERIFIED, now - DECIDE_HOUR, error);
    if (n < 0)
        return false;
    if (n >= limit * DECIDE_UNVERIFIED_FACTOR)
        settle(d, DECISION_HOLD,
               "more than %" G_GINT64_FORMAT
               " status changes from senders that prove nothing within an hour",
               limit * DECIDE_UNVERIFIED_FACTOR);
    return true;
}

static bool
decide_contact(const Observation *o, const Settings *settings,
               const JudgeQueries *q, Decision *d, TrustVerdict *verdict,
               GError **error)
{
    /* A contact form, or Reply-To: whoever wrote the mail vouches for its own
     * domain only. */
    if (!is_author(o, o->email) && !authors_in_domain_of(o, o->email, true) &&
        d->verdict == AUTH_PASS) {
        d->verdict = AUTH_NEUTRAL;
        g_free(d->trust);
        d->trust = g_strdup_printf("neutral: the author is somebody else (%s)",
                                   verdict->reason);
    }
    if (is_our_address(o->email, settings)) {
        settle(d, DECISION_REFUSE, "an address of our own");
    } else if (verdict->spoof ||
               !auth_verdict_satisfies(d->verdict, settings->trust.contact)) {
        settle(d, DECISION_REFUSE, "trust contact asks for more");
    } else {
        settle(d, DECISION_MERGE, NULL);
        if (settings->bounce.recover && d->verdict == AUTH_PASS &&
            q->marked_bounced != NULL) {
            bool marked;
            if (!q->marked_bounced(q->data, o->email, &marked, error))
                return false;
            d->want_status = marked ? 1 : 0;
        }
    }
    return true;
}

static bool
decide_complaint(const Observation *o, const Settings *settings,
                 const JudgeQueries *q, Decision *d, TrustVerdict *verdict,
                 GError **error)
{
    if (!settings->unsubscribe.complaints) {
        settle(d, DECISION_REFUSE, "complaints = no");
        return true;
    }
    EvidenceFound found;
    g_autofree char *words = NULL;
    if (!evidence_check(o, settings->bounce.evidence,
                        (const char *const *) settings->mta.local_domains,
                        verdict, q, &found, &words, error))
        return false;
    bool own_domain =
        d->verdict == AUTH_PASS && authors_in_domain_of(o, o->email, true);
    if (verdict->spoof || d->verdict == AUTH_FAIL ||
        !auth_verdict_satisfies(d->verdict, settings->trust.unsubscribe))
        settle(d, DECISION_REFUSE, "trust unsubscribe asks for more");
    else if (found >= EVIDENCE_SHOWN || own_domain)
        settle(d, DECISION_MERGE, NULL);
    else
        settle(d, DECISION_HOLD, "a complaint that %s", words);
    d->unseen = d->kind == DECISION_HOLD && found == EVIDENCE_UNSEEN;
    return true;
}

/* Who may ask for this address? */
static void
decide_request(const Observation *o, const Settings *settings, Decision *d,
               const TrustVerdict *verdict)
{
    if (o->by_token) {
        settle(d, DECISION_MERGE, NULL);
        g_free(d->trust);
        d->trust = g_strdup_printf("token: signed by us (%s: %s)",
                                   auth_verdict_name(verdict->verdict),
                                   verdict->reason);
    } else if (verdict->spoof || !auth_verdict_satisfies(
                                     d->verdict, settings->trust.unsubscribe)) {
        settle(d, DECISION_REFUSE, "trust unsubscribe asks for more");
    } else if (is_author(o, o->email)) {
        settle(d, DECISION_MERGE, NULL);
    } else if (d->verdict == AUTH_FAIL) {
        settle(d, DECISION_REFUSE, "a forged request for another address");
    } else if (d->verdict == AUTH_PASS &&
               authors_in_domain_of(o, o->email, false)) {
        g_autofree char *domain = domain_of(o->email);
        if (g_strv_contains(public_mailboxes, domain))
            settle(d, DECISION_HOLD,
                   "asks for another mailbox of a public provider");
        else
            settle(d, DECISION_MERGE, NULL);
    } else {
        settle(d, DECISION_HOLD, "asks for another address than its author's");
    }
}

static bool
decide_unsubscribe(const Observation *o, const Settings *settings,
                   const JudgeQueries *q, int64_t now, Decision *d,
                   TrustVerdict *verdict, GError **error)
{
    if (is_our_address(o->email, settings)) {
        settle(d, DECISION_REFUSE, "an address of our own");
        return true;
    }
    if (o->complaint) {
        if (!decide_complaint(o, settings, q, d, verdict, error))
            return false;
    } else {
        decide_request(o, settings, d, verdict);
    }
    if (d->kind < DECISION_HOLD)
        return true;

    if (o->scope == UNSUBSCRIBE_PARTIAL ||
        o->scope == UNSUBSCRIBE_RESUBSCRIBE) {
        settle(d, DECISION_NOTE, "%s: a person should see to it",
               unsubscribe_scope_name(o->scope));
        return true;
    }
    if (o->scope == UNSUBSCRIBE_SMS) {
        if (!settings->unsubscribe.sms) {
            settle(d, DECISION_REFUSE, "sms = no");
            return true;
        }
        d->want_sms = 2;
    } else {
        d->want_status = 2;
        d->unknown_suppress = settings->unsubscribe.unknown == UNKNOWN_SUPPRESS;
    }
    if (o->unsure && settings->unsubscribe.unsure == UNSURE_IGNORE) {
        settle(d, DECISION_REFUSE, "unsure = ignore");
        return true;
    }
    if (o->unsure && d->kind == DECISION_MERGE)
        settle(d, DECISION_HOLD, "unsure");
    return o->by_token || limit_changes(o, settings, q, now, d, error);
}

static bool
decide_bounce(const Observation *o, const Settings *settings,
              const JudgeQueries *q, int64_t now, Decision *d,
              TrustVerdict *verdict, GError **error)
{
    static const char *const levels[] = { [EVIDENCE_SENT] = "sent",
                                          [EVIDENCE_ORIGINAL] = "original",
                                          [EVIDENCE_ANY] = "any" };
    EvidenceFound found;
    g_autofree char *words = NULL;
    if (!evidence_check(o, settings->bounce.evidence,
                        (const char *const *) settings->mta.local_domains,
                        verdict, q, &found, &words, error))
        return false;

    char *author = g_steal_pointer(&d->trust);
    d->trust = g_strdup_printf(
        "%s=%s: %s (author %s)",
        found == EVIDENCE_PROVEN ? "proven" : levels[settings->bounce.evidence],
        found < EVIDENCE_SHOWN ? "no" : "yes", words, author);
    g_free(author);
    if (found < EVIDENCE_SHOWN) {
        d->unseen = found == EVIDENCE_UNSEEN;
        settle(d, DECISION_REFUSE, "%s", words);
        return true;
    }

    /* The same report about the same mail counts once, however often it
     * comes: delayed warnings repeat, and reports can be replayed. */
    if (o->returned.message_id != NULL) {
        g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
        g_autofree char *email = g_ascii_strdown(o->email, -1);
        g_checksum_update(sum, (const guchar *) o->returned.message_id, -1);
        g_checksum_update(sum, (const guchar *) "\n", 1);
        g_checksum_update(sum, (const guchar *) email, -1);
        g_free(d->key);
        d->key =
            g_strdup_printf("bounce:%s:%s", bounce_class_name(o->bounce.class),
                            g_checksum_get_string(sum));
    }

    settle(d, DECISION_MERGE, NULL);
    if (o->bounce.class == BOUNCE_HARD) {
        d->want_status = 3;
    } else if (o->bounce.class == BOUNCE_SOFT) {
        d->soft_bounce = true;
        if (settings->bounce.soft_limit > 0) {
            int64_t n = q->soft_bounces(
                q->data, o->email, now - settings->bounce.soft_window / 1000,
                error);
            if (n < 0)
                return false;
            if (n + 1 >= settings->bounce.soft_limit) {
                d->want_status = 3;
                char *before = d->trust;
                d->trust = g_strdup_printf(
                    "%s; %" G_GINT64_FORMAT " soft bounces", before, n + 1);
                g_free(before);
            }
        }
    } else {
        settle(d, DECISION_NOTE, "neither hard nor soft");
    }
    return found == EVIDENCE_PROVEN ||
           limit_changes(o, settings, q, now, d, error);
}

bool
judge_one(const Observation *o, const char *key, const SpfOutcome *spf,
          const Settings *settings, const JudgeQueries *queries, int64_t now,
          Decision *out_decision, GError **error)
{
    Decision d = { .key = g_strdup(key) };
    TrustFacts facts;
    TrustPolicy policy;
    TrustVerdict verdict;
    trust_facts_of(o, spf, &facts);
    trust_policy_of(settings, &policy);
    trust_judge(&facts, &policy, &verdict);
    d.verdict = verdict.verdict;
    d.ignored = verdict.ignored;
    d.trust = g_strdup_printf("%s: %s", auth_verdict_name(verdict.verdict),
                              verdict.reason);

    bool ok = true;
    switch (o->kind) {
    case OBSERVATION_SENT:
        settle(&d, DECISION_MERGE, NULL);
        break;
    case OBSERVATION_CONTACT:
        ok = decide_contact(o, settings, queries, &d, &verdict, error);
        if (ok)
            ok = limit_changes(o, settings, queries, now, &d, error);
        break;
    case OBSERVATION_UNSUBSCRIBE:
        ok = decide_unsubscribe(o, settings, queries, now, &d, &verdict, error);
        break;
    case OBSERVATION_BOUNCE:
        ok = decide_bounce(o, settings, queries, now, &d, &verdict, error);
        break;
    }
    trust_verdict_clear(&verdict);
    if (!ok) {
        decision_clear(&d);
        return false;
    }
    *out_decision = d;
    return true;
}
