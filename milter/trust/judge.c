/*
 * judge.c - see judge.h
 *
 * A run has four steps: fetch, check SPF, decide, merge. Order within a run is
 * kept: later mail overrules earlier. All of a run is merged in one
 * transaction, and only then marked done in the spool; after a crash between
 * the two the rows come again and their keys make the second merge do
 * nothing. Where a row can only be decided once an earlier one of the same run
 * is merged (a report about mail that left just before), a run is done in
 * pieces.
 *
 * A store that is not there costs nothing but time: the rows go back without
 * counting an attempt, and in their place, so that a report never comes before
 * the mail that it is about. A row that the store cannot take for a reason
 * of its own must not stop the others, so after such an error each is merged
 * alone, and the bad one is tried again now and then, with an error line.
 *
 * SPF runs in threads that live for one run: a check waits for the DNS most
 * of the time, and beside that the cost of a thread is nothing.
 */
#include "trust/judge.h"

#include "base/fault.h"
#include "base/log.h"
#include "base/metrics.h"
#include "store/observation_words.h"
#include "trust/alignment.h"
#include "trust/decide.h"

#include <pthread.h>
#include <string.h>

enum {
    RETRY_ROW_S = 600,
    MINUTES = 60,
    SENDERS_MAX = 10000,
    SENDER_AGAIN_S = 86400,
    TRIES_MAX = 100000,
};

/* After the first, second... temperror; the last one is final. */
static const int64_t spf_delay_s[JUDGE_SPF_TRIES - 1] = { 60, 300, 1200 };
/* The same for reports: another host tells within a second what left, but for
 * the time that it or the store was away. */
static const int64_t sent_delay_s[JUDGE_SENT_TRIES - 1] = { 5,   20,   60,  180,
                                                            600, 1800, 3600 };

struct Judge {
    Settings *settings;
    Store *store;
    SpfChecker *spf;
    bool shared;         /* other hosts know what we do not, yet */
    GHashTable *tries;   /* spool row id -> temperrors so far */
    GHashTable *early;   /* the same: not in the sent-log so far */
    GHashTable *senders; /* sender key -> when it was last recorded */
    /* Status changes by senders that prove nothing, by minute. */
    struct {
        int64_t minute;
        int64_t n;
    } unverified[MINUTES];
    GHashTable *batch; /* domain -> status changes decided in this run */
};

/* One row on its way through a run. */
typedef struct {
    SpoolRow *row;
    bool check_spf;
    SpfOutcome spf;
    Decision decision;
    bool decided;
    bool deferred;
} Item;

Judge *
judge_new(Settings *settings, Store *store, GError **error)
{
    (void) error;
    Judge *judge = g_new0(Judge, 1);
    judge->settings = settings_ref(settings);
    judge->store = store;
    judge->spf = spf_checker_new(NULL, NULL);
    judge->tries =
        g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    judge->early =
        g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    judge->shared = store_is_shared(store);
    judge->senders =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    judge->batch = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return judge;
}

void
judge_free(Judge *judge)
{
    if (judge == NULL)
        return;
    g_hash_table_destroy(judge->tries);
    g_hash_table_destroy(judge->early);
    g_hash_table_destroy(judge->senders);
    g_hash_table_destroy(judge->batch);
    spf_checker_free(judge->spf);
    settings_free(judge->settings);
    g_free(judge);
}

void
judge_configure(Judge *judge, Settings *settings)
{
    Settings *before = judge->settings;
    judge->settings = settings_ref(settings);
    settings_free(before);
}

void
judge_set_dns(Judge *judge, struct SPF_dns_server_struct *below)
{
    spf_checker_free(judge->spf);
    judge->spf = spf_checker_new(below, NULL);
}

void
judge_set_shared(Judge *judge, bool shared)
{
    judge->shared = shared;
}

/* --- what decide.c asks ---------------------------------------------------
 */

typedef struct {
    Judge *judge;
    int64_t now;
} Query;

static bool
query_sent_seen(void *data, const char *message_id, const char *recipient,
                bool *out_seen, GError **error)
{
    const Query *q = data;
    return store_sent_seen(q->judge->store, message_id, recipient, out_seen,
                           error);
}

static int64_t
query_soft_bounces(void *data, const char *email, int64_t since, GError **error)
{
    const Query *q = data;
    return store_soft_bounces(q->judge->store, email, since, error);
}

static int64_t
query_status_changes(void *data, const char *domain, int64_t since,
                     GError **error)
{
    const Query *q = data;
    int64_t pending =
        GPOINTER_TO_INT(g_hash_table_lookup(q->judge->batch, domain));
    if (strcmp(domain, DECIDE_UNVERIFIED) == 0) {
        for (size_t i = 0; i < MINUTES; i++)
            if (q->judge->unverified[i].minute > q->now / 60 - MINUTES)
                pending += q->judge->unverified[i].n;
        return pending;
    }
    int64_t merged =
        store_status_changes(q->judge->store, domain, since, error);
    return merged < 0 ? -1 : merged + pending;
}

static bool
query_marked_bounced(void *data, const char *email, bool *out_marked,
                     GError **error)
{
    const Query *q = data;
    GError *problem = NULL;
    g_autoptr(ContactRecord) record =
        store_get(q->judge->store, email, &problem);
    *out_marked = false;
    if (problem != NULL) {
        g_propagate_error(error, problem);
        return false;
    }
    if (record == NULL)
        return true;
    *out_marked = record->want_status == 3;
    for (guint i = 0; record->crm != NULL && i < record->crm->len; i++) {
        const CrmContact *crm = g_ptr_array_index(record->crm, i);
        *out_marked = *out_marked || crm->status_set == 3;
    }
    return true;
}

/* --- SPF -------------------------------------------------------------------
 */

/* Can the result of a check change what becomes of this observation? */
static bool
wants_spf(const Observation *o, const Settings *settings)
{
    if (!settings->trust.spf || o->local)
        return false;
    switch (o->kind) {
    case OBSERVATION_SENT:
        return false;
    case OBSERVATION_CONTACT:
        if (settings->trust.contact == TRUST_ANY && !settings->bounce.recover)
            return false;
        break;
    case OBSERVATION_UNSUBSCRIBE:
        if (o->by_token)
            return false;
        break;
    case OBSERVATION_BOUNCE:
        if (settings->bounce.evidence == EVIDENCE_SENT)
            return false;
        break;
    }
    TrustFacts facts;
    TrustPolicy policy;
    trust_facts_of(o, NULL, &facts);
    trust_policy_of(settings, &policy);
    return trust_needs_spf(&facts, &policy);
}

typedef struct {
    SpfChecker *checker;
    Item *items;
    size_t n;
    size_t next; /* atomic */
} SpfWork;

static void *
spf_thread(void *data)
{
    SpfWork *work = data;
    for (;;) {
        size_t i = __atomic_fetch_add(&work->next, 1, __ATOMIC_RELAXED);
        if (i >= work->n)
            return NULL;
        Item *item = &work->items[i];
        if (!item->check_spf)
            continue;
        const Observation *o = item->row->observation;
        spf_check(work->checker, o->client_addr, o->helo, o->mail_from,
                  &item->spf);
    }
}

static void
check_spf(Judge *judge, Item *items, size_t n)
{
    size_t wanted = 0;
    for (size_t i = 0; i < n; i++)
        wanted += items[i].check_spf ? 1 : 0;
    if (wanted == 0)
        return;

    int64_t start = g_get_monotonic_time();
    SpfWork work = { .checker = judge->spf, .items = items, .n = n };
    pthread_t threads[JUDGE_SPF_THREADS];
    size_t started = 0;
    while (started + 1 < MIN(wanted, (size_t) JUDGE_SPF_THREADS) &&
           pthread_create(&threads[started], NULL, spf_thread, &work) == 0)
        started++;
    /* This thread is one of them; without any it does all alone. */
    (void) spf_thread(&work);
    for (size_t i = 0; i < started; i++)
        (void) pthread_join(threads[i], NULL);
    metrics_observe("spf_seconds", NULL, NULL,
                    (double) (g_get_monotonic_time() - start) / 1e6);
    for (size_t i = 0; i < n; i++)
        if (items[i].check_spf)
            metrics_inc("spf_total", "result",
                        spf_verdict_name(items[i].spf.verdict));
}

/* Puts a row off, after its first try by the first of `n` delays...; false
 * when it was tried often enough. */
static bool
put_off(GHashTable *tries, const int64_t *delays, size_t n, Spool *spool,
        const Item *item, int64_t now, const char *why)
{
    int64_t id = item->row->id;
    size_t before = GPOINTER_TO_UINT(g_hash_table_lookup(tries, &id));
    if (before >= n || g_hash_table_size(tries) > TRIES_MAX)
        return false;
    g_autoptr(GError) problem = NULL;
    if (!spool_defer(spool, id, now + delays[before], &problem))
        return false;
    g_hash_table_replace(tries, g_memdup2(&id, sizeof(id)),
                         GUINT_TO_POINTER((guint) before + 1));
    if (log_is_debug()) {
        g_autofree char *queue_id = log_text(item->row->observation->queue_id);
        log_debug("%s: %s, tried again in %" G_GINT64_FORMAT " s", queue_id,
                  why, delays[before]);
    }
    return true;
}

static bool
defer_spf(Judge *judge, Spool *spool, const Item *item, int64_t now)
{
    g_autofree char *why = g_strdup_printf("spf=temperror (%s)", item->spf.why);
    return put_off(judge->tries, spf_delay_s, G_N_ELEMENTS(spf_delay_s), spool,
                   item, now, why);
}

static bool
defer_early(Judge *judge, Spool *spool, const Item *item, int64_t now)
{
    return judge->shared && item->decision.unseen &&
           put_off(judge->early, sent_delay_s, G_N_ELEMENTS(sent_delay_s),
                   spool, item, now,
                   "a report about mail that no host has told of");
}

/* --- log -------------------------------------------------------------------
 */

static void
log_decision(const Observation *o, const Decision *d)
{
    g_autofree char *queue_id = log_text(o->queue_id);
    g_autofree char *email = log_address(o->email);
    g_autofree char *reason = log_text(d->trust);
    g_autofree char *why = log_text(d->why);
    g_autofree char *about = NULL;
    switch (o->kind) {
    case OBSERVATION_CONTACT: {
        g_autofree char *fields = contact_field_names(o->contact);
        about = g_strdup_printf("contact=%s fields=%s", email, fields);
        break;
    }
    case OBSERVATION_BOUNCE: {
        g_autofree char *status = log_text(o->bounce.status);
        about =
            g_strdup_printf("bounce=%s class=%s status=%s cause=%s", email,
                            bounce_class_name(o->bounce.class), status,
                            o->bounce.reason != NULL ? o->bounce.reason : "-");
        break;
    }
    case OBSERVATION_UNSUBSCRIBE:
        about = g_strdup_printf("unsubscribe=%s scope=%s%s", email,
                                unsubscribe_scope_name(o->scope),
                                o->complaint ? " complaint=yes" : "");
        break;
    case OBSERVATION_SENT:
        return;
    }
    log_info("%s: %s trust=%s reason=\"%s\" action=%s%s%s%s", queue_id, about,
             auth_verdict_name(d->verdict), reason, decision_kind_name(d->kind),
             d->why != NULL ? " why=\"" : "", d->why != NULL ? why : "",
             d->why != NULL ? "\"" : "");
}

/* --- a run -----------------------------------------------------------------
 */

static void
item_clear(Item *item)
{
    spf_outcome_clear(&item->spf);
    decision_clear(&item->decision);
}

/* Our own observation that an address of ours has sent mail, for evidence
 * `sent`; NULL when that is known already. */
static Observation *
sender_observation(Judge *judge, const char *address, int64_t now,
                   char **out_key)
{
    g_autofree char *key = evidence_sender_key(address);
    if (key == NULL)
        return NULL;
    const int64_t *last = g_hash_table_lookup(judge->senders, key);
    if (last != NULL && now - *last < SENDER_AGAIN_S / 2)
        return NULL;
    if (g_hash_table_size(judge->senders) >= SENDERS_MAX)
        g_hash_table_remove_all(judge->senders);
    g_hash_table_replace(judge->senders, g_strdup(key),
                         g_memdup2(&now, sizeof(now)));

    Observation *o = observation_new(OBSERVATION_SENT, "");
    o->returned.message_id = g_strdup(EVIDENCE_SENDER_ID);
    g_ptr_array_add(o->recipients, g_strdup(key));
    o->time = now;
    *out_key = g_strdup_printf("sender:%s:%" G_GINT64_FORMAT, key,
                               now / (SENDER_AGAIN_S / 2));
    return o;
}

static void
add_judged(GArray *list, const Settings *settings, const Item *item)
{
    const Decision *d = &item->decision;
    const Observation *o = item->row->observation;
    Judged judged = {
        .key = d->key,
        .observation = o,
        .trust = d->trust,
        .hold = d->kind == DECISION_HOLD,
        .hold_reason = d->kind == DECISION_HOLD ? d->why : NULL,
        .want_status = d->want_status,
        .want_sms = d->want_sms,
        .unknown_suppress = d->unknown_suppress,
        .soft_bounce = d->soft_bounce,
        .domain = d->domain,
        .want_last_mail = o->kind == OBSERVATION_CONTACT &&
                          settings->custom_fields.last_mail != 0,
    };
    g_array_append_val(list, judged);
}

/* Counts a decided status change, so that the rows after it in this run know
 * of it. */
static void
count_change(Judge *judge, const Decision *d)
{
    if (d->kind != DECISION_MERGE || d->domain == NULL ||
        (d->want_status == 0 && d->want_sms == 0))
        return;
    const char *names[] = { d->domain,
                            d->unverified ? DECIDE_UNVERIFIED : NULL };
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        if (names[i] == NULL)
            continue;
        int n = GPOINTER_TO_INT(g_hash_table_lookup(judge->batch, names[i]));
        g_hash_table_replace(judge->batch, g_strdup(names[i]),
                             GINT_TO_POINTER(n + 1));
    }
}

/* After the merge: what proves nothing is remembered here, by minute. */
static void
keep_unverified(Judge *judge, int64_t now)
{
    int n =
        GPOINTER_TO_INT(g_hash_table_lookup(judge->batch, DECIDE_UNVERIFIED));
    int64_t minute = now / 60;
    size_t slot = (size_t) (minute % MINUTES);
    if (judge->unverified[slot].minute != minute) {
        judge->unverified[slot].minute = minute;
        judge->unverified[slot].n = 0;
    }
    judge->unverified[slot].n += n;
}

/* Decides every item; false when the store could not be asked. */
static bool
decide_all(Judge *judge, Spool *spool, Item *items, size_t n, int64_t now,
           GError **error)
{
    Query query = { judge, now };
    JudgeQueries queries = { .sent_seen = query_sent_seen,
                             .soft_bounces = query_soft_bounces,
                             .status_changes = query_status_changes,
                             .marked_bounced = query_marked_bounced,
                             .data = &query };
    for (size_t i = 0; i < n; i++) {
        Item *item = &items[i];
        if (item->check_spf && item->spf.verdict == SPF_TEMPERROR &&
            defer_spf(judge, spool, item, now)) {
            item->deferred = true;
            continue;
        }
        if (!judge_one(item->row->observation, item->row->key,
                       item->check_spf ? &item->spf : NULL, judge->settings,
                       &queries, now, &item->decision, error))
            return false;
        if (defer_early(judge, spool, item, now)) {
            item->deferred = true;
            continue;
        }
        item->decided = true;
        count_change(judge, &item->decision);
    }
    return true;
}

/* Merges what is to be merged, all at once or, after an error that is the
 * data's own, one by one; false when the store is not there. Items that could
 * not be merged are no longer `decided`. */
static bool
merge_all(Judge *judge, Spool *spool, Item *items, size_t n, int64_t now,
          GError **error)
{
    g_autoptr(GArray) list = g_array_new(FALSE, TRUE, sizeof(Judged));
    g_autoptr(GPtrArray) extra =
        g_ptr_array_new_with_free_func((GDestroyNotify) observation_free);
    g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func(g_free);
    for (size_t i = 0; i < n; i++) {
        if (!items[i].decided || items[i].decision.kind < DECISION_HOLD)
            continue;
        const Observation *o = items[i].row->observation;
        add_judged(list, judge->settings, &items[i]);
        if (o->kind != OBSERVATION_SENT)
            continue;
        for (guint k = 0; k <= o->authors->len; k++) {
            char *key = NULL;
            Observation *sender = sender_observation(
                judge,
                k < o->authors->len ? g_ptr_array_index(o->authors, k)
                                    : o->mail_from,
                now, &key);
            if (sender == NULL)
                continue;
            g_ptr_array_add(extra, sender);
            g_ptr_array_add(keys, key);
            Judged judged = { .key = key, .observation = sender };
            g_array_append_val(list, judged);
        }
    }
    if (list->len == 0)
        return true;

    GError *problem = NULL;
    if (store_merge(judge->store, (const Judged *) (void *) list->data,
                    list->len, now, &problem))
        return true;
    g_hash_table_remove_all(judge->senders);
    if (g_error_matches(problem, STORE_ERROR, STORE_ERROR_UNAVAILABLE)) {
        g_propagate_error(error, problem);
        return false;
    }
    log_warning("merging %u observations: %s; one by one", list->len,
                problem->message);
    g_clear_error(&problem);

    for (size_t i = 0; i < n; i++) {
        if (!items[i].decided || items[i].decision.kind < DECISION_HOLD)
            continue;
        g_array_set_size(list, 0);
        add_judged(list, judge->settings, &items[i]);
        if (store_merge(judge->store, (const Judged *) (void *) list->data, 1,
                        now, &problem))
            continue;
        if (g_error_matches(problem, STORE_ERROR, STORE_ERROR_UNAVAILABLE)) {
            g_propagate_error(error, problem);
            return false;
        }
        log_error("%s: cannot be merged: %s",
                  items[i].row->observation->queue_id != NULL
                      ? items[i].row->observation->queue_id
                      : "-",
                  problem->message);
        g_clear_error(&problem);
        items[i].decided = false;
        (void) spool_defer(spool, items[i].row->id, now + RETRY_ROW_S, NULL);
    }
    return true;
}

static bool
finish_all(Judge *judge, Spool *spool, Item *items, size_t n, GError **error)
{
    g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(int64_t));
    for (size_t i = 0; i < n; i++)
        if (items[i].decided)
            g_array_append_val(ids, items[i].row->id);
    if (ids->len > 0 && !spool_done(spool, (const int64_t *) (void *) ids->data,
                                    ids->len, error))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!items[i].decided)
            continue;
        const Decision *d = &items[i].decision;
        log_decision(items[i].row->observation, d);
        metrics_inc("judged_total", "decision", decision_kind_name(d->kind));
        if (d->ignored > 0)
            metrics_add("authres_ignored_total", NULL, NULL, d->ignored);
        g_hash_table_remove(judge->tries, &items[i].row->id);
        g_hash_table_remove(judge->early, &items[i].row->id);
    }
    return true;
}

/* How many of these can be decided before one of them is merged: a report is
 * judged by what left before it, a soft bounce by those before it. */
static size_t
independent(const Settings *settings, const Item *items, size_t n)
{
    bool by_sent = settings->bounce.evidence == EVIDENCE_SENT;
    bool sent = false;
    for (size_t i = 0; i < n; i++) {
        const Observation *o = items[i].row->observation;
        bool bounce = o->kind == OBSERVATION_BOUNCE;
        if (by_sent && sent && (bounce || o->complaint))
            return i;
        sent = sent || o->kind == OBSERVATION_SENT;
        for (size_t k = 0; bounce && o->bounce.class == BOUNCE_SOFT &&
                           settings->bounce.soft_limit > 0 && k < i;
             k++) {
            const Observation *before = items[k].row->observation;
            if (before->kind == OBSERVATION_BOUNCE &&
                before->bounce.class == BOUNCE_SOFT &&
                address_equal(before->email, o->email))
                return i;
        }
    }
    return n;
}

static bool
judge_items(Judge *judge, Spool *spool, Item *items, size_t n, int64_t now,
            GError **error)
{
    check_spf(judge, items, n);
    g_hash_table_remove_all(judge->batch);
    bool ok = decide_all(judge, spool, items, n, now, error);
    fault_point("judge.before-merge");
    ok = ok && merge_all(judge, spool, items, n, now, error);
    fault_point("judge.after-merge");
    if (!ok)
        return false;
    keep_unverified(judge, now);
    return finish_all(judge, spool, items, n, error);
}

int
judge_run(Judge *judge, Spool *spool, size_t max, int64_t now, GError **error)
{
    g_autoptr(GPtrArray) rows = spool_fetch(spool, max, now, error);
    if (rows == NULL)
        return -1;
    if (rows->len == 0)
        return 0;

    size_t n = rows->len;
    g_autofree Item *items = g_new0(Item, n);
    for (size_t i = 0; i < n; i++) {
        items[i].row = g_ptr_array_index(rows, (guint) i);
        items[i].spf.why = "";
        /* A row that is here for the last time may have brought the process
         * down before: no foreign code for it. */
        items[i].check_spf =
            items[i].row->attempts < SPOOL_MAX_ATTEMPTS &&
            wants_spf(items[i].row->observation, judge->settings);
    }
    bool ok = true;
    size_t next = 0;
    while (ok && next < n) {
        size_t some = independent(judge->settings, items + next, n - next);
        ok = judge_items(judge, spool, items + next, some, now, error);
        next += ok ? some : 0;
    }
    /* Back to its place in the order, uncounted. */
    for (size_t i = next; i < n; i++)
        if (!items[i].deferred)
            (void) spool_defer(spool, items[i].row->id, 0, NULL);
    for (size_t i = 0; i < n; i++)
        item_clear(&items[i]);
    return ok ? (int) n : -1;
}
