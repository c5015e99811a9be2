/*
 * sync.c - the worker's loop: pauses, pace, rounds of work, their outcome
 *
 * One round claims what is due and takes it through its tasks (task.h). With
 * more than a handful, all tasks of a round go step by step together, so that
 * a step of a thousand contacts is five batches; otherwise each contact is
 * finished before the next begins, so that little time passes between looking
 * and writing.
 *
 * Before a call that changes something the store knows what it will write, and
 * after it what became of it: a crash between any two steps repeats a lookup,
 * which shows what was done (plan_reconcile()).
 *
 * Trouble of the API as a whole (no answer, 429, credentials) is not counted
 * against single contacts: they go back to the queue and one at a time is
 * tried, until one comes through.
 */
#include "crm/sync.h"

#include "base/fault.h"
#include "base/log.h"
#include "base/metrics.h"
#include "crm/check.h"
#include "crm/ivvy.h"
#include "crm/pace.h"
#include "crm/task.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

enum {
    SINGLE_CLAIM = 20,
    STATE_EVERY_MS = 2000,
    DEFINITIONS_EVERY_MS = 24 * 3600 * 1000,
    DEFINITIONS_RETRY_MS = 3600 * 1000,
    SHOW_AGAIN_S = 24 * 3600,
    RATE_TRIES = 3,
    RATE_WAIT_MS = 60000,
    REFUSED_MAX = 20, /* dead letters in a row: not the contacts' fault */
    ODD_MAX = 3,      /* calls refused in a row although the ping is good */
};

struct Sync {
    Store *store;
    SyncTuning tuning;

    pthread_mutex_t lock;
    pthread_cond_t cond;
    /* under the lock */
    Settings *next_settings; /* of sync_configure(); or NULL */
    Ivvy *ivvy;              /* the pointer; calls are the worker's alone */
    bool stop, woken, running;

    /* the worker's */
    pthread_t thread;
    bool started;
    Settings *settings;
    TaskShared shared;
    Pace pace;
    char *pace_shared; /* as the store has it */
    Batch *batch;
    bool batch_off;
    GRand *random;
    char *paused; /* why; NULL: not */
    bool paused_elsewhere;
    int64_t probe_at;
    unsigned probes;
    bool aborted;     /* this round met trouble of the API as a whole */
    bool leases_left; /* a claim failed: it may have been granted unheard */
    unsigned refused, odd;
    int64_t state_read, success_noted, error_noted;
    int64_t epoch_ms;        /* real time less monotonic, at the start */
    int64_t definitions_due; /* ms, by now_ms() */
    bool definitions_failed; /* once; the second time they are left out */
    char *flushed;
    bool looked; /* look_around() was done with these settings */
};

static const SyncTuning default_tuning = {
    .poll_ms = 1000,
    .lease_s = 900,
    .trouble_ms = 500,
    .trouble_cap_ms = 60000,
    .contact_ms = 5000,
    .contact_cap_ms = 3600000,
    .probe_ms = 5000,
    .probe_cap_ms = 600000,
    .wave = 1000,
    .handful = 5,
};

/* Pauses and pacing go by a clock that nobody can set: the real time when the
 * sync was made, and from then on the monotonic one. Other hosts read it in the
 * shared state, so it is no bare uptime. */
static int64_t
now_ms(const Sync *sync)
{
    return sync->epoch_ms + g_get_monotonic_time() / 1000;
}

/* What the store compares with: other processes write it there, too. */
static int64_t
now_s(void)
{
    return g_get_real_time() / G_USEC_PER_SEC;
}

/* --- shared values -------------------------------------------------------- */

static void
state_set(Sync *sync, const char *name, const char *value)
{
    g_autoptr(GError) error = NULL;
    if (!store_state_set(sync->store, name, value, &error))
        log_debug("crm: %s is not shared: %s", name, error->message);
}

static char *
state_get(Sync *sync, const char *name)
{
    char *value = NULL;
    if (!store_state_get(sync->store, name, &value, NULL))
        return NULL;
    return value;
}

static char *
stamp(void)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    return g_date_time_format(now, "%Y-%m-%d %H:%M:%S UTC");
}

static void
note_success(Sync *sync)
{
    int64_t now = now_ms(sync);
    if (now - sync->success_noted < 1000)
        return;
    sync->success_noted = now;
    g_autofree char *text = stamp();
    state_set(sync, "last_success", text);
}

static void
note_error(Sync *sync, const char *action, const Answer *answer)
{
    int64_t now = now_ms(sync);
    if (now - sync->error_noted < 1000)
        return;
    sync->error_noted = now;
    g_autofree char *when = stamp();
    g_autofree char *text =
        g_strdup_printf("%s %s: %s", when, action, answer->message);
    state_set(sync, "last_error", text);
    g_autofree char *words = log_text(answer->message);
    unsigned held = 0;
    if (log_allowed("crm.trouble", 30, &held))
        log_warning("crm: %s: %s (%s, %u more)", action, words,
                    answer_kind_name(answer->kind), held);
}

static void
share_pace(Sync *sync)
{
    g_autofree char *text = pace_to_text(&sync->pace);
    if (g_strcmp0(text, sync->pace_shared) == 0)
        return;
    g_free(sync->pace_shared);
    sync->pace_shared = g_steal_pointer(&text);
    state_set(sync, "pace", sync->pace_shared);
}

/* --- waiting and stopping ------------------------------------------------- */

static void
deadline_after(struct timespec *when, int64_t ms)
{
    clock_gettime(CLOCK_MONOTONIC, when);
    when->tv_sec += (time_t) (ms / 1000);
    when->tv_nsec += (long) (ms % 1000) * 1000000L;
    if (when->tv_nsec >= 1000000000L) {
        when->tv_sec++;
        when->tv_nsec -= 1000000000L;
    }
}

/* Sleeps; false when we are to stop. With `wakes` sync_wake() ends it. */
static bool
sleep_for(Sync *sync, int64_t ms, bool wakes)
{
    struct timespec when;
    deadline_after(&when, ms);
    pthread_mutex_lock(&sync->lock);
    while (!sync->stop && !(wakes && sync->woken))
        if (pthread_cond_timedwait(&sync->cond, &sync->lock, &when) ==
            ETIMEDOUT)
            break;
    if (wakes)
        sync->woken = false;
    bool go_on = !sync->stop;
    pthread_mutex_unlock(&sync->lock);
    return go_on;
}

static bool
is_stopping(Sync *sync)
{
    pthread_mutex_lock(&sync->lock);
    bool stopping = sync->stop;
    pthread_mutex_unlock(&sync->lock);
    return stopping;
}

/* --- pause ---------------------------------------------------------------- */

static void
pause_sync(Sync *sync, const char *reason)
{
    Backoff gaps = { sync->tuning.probe_ms, sync->tuning.probe_cap_ms };
    int64_t gap = backoff_delay(&gaps, sync->probes, 1.0);
    gap = gap / 2 + (int64_t) ((double) gap / 2 * g_rand_double(sync->random));
    if (sync->probes < 100)
        sync->probes++;
    sync->probe_at = now_ms(sync) + gap;
    sync->aborted = true;
    g_autofree char *copy = g_strdup(reason);
    g_free(sync->paused);
    sync->paused = g_steal_pointer(&copy);
    sync->paused_elsewhere = false;
    g_autofree char *words = log_text(sync->paused);
    log_error("crm: PAUSED, nothing is sent and nothing is lost: %s "
              "(trying again in %" PRId64 " s)",
              words, (gap + 999) / 1000);
    metrics_set("api_paused", NULL, NULL, 1);
    metrics_inc("api_pauses_total", NULL, NULL);
    state_set(sync, "paused", sync->paused);
}

static void
resume(Sync *sync)
{
    if (sync->paused == NULL)
        return;
    g_clear_pointer(&sync->paused, g_free);
    log_info("crm: the API takes our calls again; going on");
    metrics_set("api_paused", NULL, NULL, 0);
    state_set(sync, "paused", "");
}

/* Is it all calls, or only this one? The ping tells. */
static void
diagnose(Sync *sync, const char *action, const Answer *answer)
{
    g_auto(Answer) ping = { 0 };
    ivvy_call(sync->ivvy, "test", "ping", NULL, &ping);
    if (ping.kind == ANSWER_OK && ++sync->odd < ODD_MAX)
        return;
    g_autofree char *reason =
        g_strdup_printf("%s: %s (%s, HTTP %d, errorCode %d, specificCode %d)",
                        action, answer->message, answer_kind_name(answer->kind),
                        answer->http, answer->code, answer->specific);
    pause_sync(sync, reason);
}

static void
probe(Sync *sync)
{
    g_auto(Answer) ping = { 0 };
    ivvy_call(sync->ivvy, "test", "ping", NULL, &ping);
    if (ping.kind == ANSWER_OK) {
        resume(sync);
    } else if (ping.kind != ANSWER_CANCELLED) {
        note_error(sync, "ping", &ping);
        g_autofree char *reason = g_strdup_printf(
            "%s (errorCode %d, HTTP %d)", ping.message, ping.code, ping.http);
        pause_sync(sync, reason);
    }
}

/* --- one call ------------------------------------------------------------- */

static bool
wait_turn(Sync *sync)
{
    int64_t wait;
    while ((wait = pace_wait(&sync->pace, now_ms(sync))) > 0)
        if (!sleep_for(sync, wait, false))
            return false;
    return !is_stopping(sync);
}

/* A call when it may be sent. A 429 is waited for and tried again. */
static void
engine_call(void *user, const char *name_space, const char *action,
            const json_t *params, Answer *answer)
{
    Sync *sync = user;
    const Backoff backoff = { sync->tuning.trouble_ms,
                              sync->tuning.trouble_cap_ms };
    for (unsigned try = 1;; try++) {
        if (!wait_turn(sync)) {
            answer_fail(answer, ANSWER_CANCELLED, "stopped");
            return;
        }
        int64_t offset = ivvy_clock_offset(sync->ivvy);
        fault_point("crm.before-call");
        pace_sent(&sync->pace, now_ms(sync));
        ivvy_call(sync->ivvy, name_space, action, params, answer);
        fault_point("crm.after-call");
        if (ivvy_clock_offset(sync->ivvy) != offset) {
            offset = ivvy_clock_offset(sync->ivvy);
            log_warning("crm: the API's clock is %" PRId64 " s from ours; "
                        "requests are dated so from now on",
                        offset);
            g_autofree char *text = g_strdup_printf("%" PRId64, offset);
            state_set(sync, "clock_offset", text);
        }
        int64_t now = now_ms(sync);
        double random = g_rand_double(sync->random);
        switch (answer->kind) {
        case ANSWER_OK:
        case ANSWER_REQUEST:
            pace_ok(&sync->pace, now);
            sync->odd = 0;
            note_success(sync);
            return;
        case ANSWER_RATE:
            pace_limited(&sync->pace, &backoff, now, answer->retry_after,
                         random);
            share_pace(sync);
            note_error(sync, action, answer);
            if (try < RATE_TRIES &&
                pace_wait(&sync->pace, now) <= RATE_WAIT_MS) {
                answer_clear(answer);
                continue;
            }
            sync->aborted = true;
            return;
        case ANSWER_TROUBLE:
            pace_trouble(&sync->pace, &backoff, now, random);
            note_error(sync, action, answer);
            sync->aborted = true;
            return;
        case ANSWER_CREDENTIALS:
        case ANSWER_ENDPOINT:
            note_error(sync, action, answer);
            if (strcmp(name_space, "batch") != 0 || answer->code == 463 ||
                answer->code == 462 || answer->code == 401)
                diagnose(sync, action, answer);
            return;
        default:
            sync->aborted = true;
            return;
        }
    }
}

static bool
engine_wait(void *user, int64_t ms)
{
    return sleep_for(user, ms, false);
}

static int64_t
engine_now(void *user)
{
    return now_ms(user);
}

/* --- outcome of tasks ----------------------------------------------------- */

static void
log_task(const Task *task)
{
    const ContactRecord *record = task->record;
    g_autofree char *address = log_address(record->email);
    g_autofree char *reason = log_text(task->reason);
    if (task->state == TASK_DONE && task->done->len > 0)
        log_info("crm: contact=%s %s calls=%u", address, task->done->str,
                 task->calls);
    else if (task->state == TASK_NEVER)
        log_error("crm: contact=%s dead letter: %s", address, reason);
    else if (task->state == TASK_LATER)
        log_debug("crm: contact=%s later: %s", address, reason);
}

/* The store keeps nothing at the moment: the answers are in memory, so wait
 * for it rather than call again. False when we stop. */
static bool
store_again(Sync *sync, GError **error)
{
    unsigned held = 0;
    if (log_allowed("crm.store", 30, &held))
        log_error("crm: the contacts store: %s", (*error)->message);
    bool temporary =
        g_error_matches(*error, STORE_ERROR, STORE_ERROR_UNAVAILABLE);
    g_clear_error(error);
    return temporary && sleep_for(sync, 500, false);
}

static void
confirm(Sync *sync, GPtrArray *records)
{
    if (records->len == 0)
        return;
    g_autoptr(GError) error = NULL;
    fault_point("crm.before-confirm");
    while (!store_confirm(sync->store, (ContactRecord *const *) records->pdata,
                          records->len, &error))
        if (!store_again(sync, &error))
            return;
    fault_point("crm.after-confirm");
}

static void
retry(Sync *sync, const Task *task)
{
    const Backoff backoff = { sync->tuning.contact_ms,
                              sync->tuning.contact_cap_ms };
    int64_t due = now_s();
    if (task->state == TASK_SHOWN)
        due += SHOW_AGAIN_S;
    else if (!sync->aborted)
        due += backoff_delay(&backoff, task->record->attempts,
                             g_rand_double(sync->random)) /
               1000;
    g_autoptr(GError) error = NULL;
    while (!store_retry(sync->store, task->record, due,
                        task->reason != NULL ? task->reason : "", &error))
        if (!store_again(sync, &error))
            return;
}

static void
bury(Sync *sync, Task *task)
{
    if (++sync->refused >= REFUSED_MAX) {
        g_autofree char *reason =
            g_strdup_printf("the API refuses every change, %u in a row: %s",
                            sync->refused, task->reason);
        pause_sync(sync, reason);
        retry(sync, task);
        return;
    }
    g_autoptr(GError) error = NULL;
    while (!store_bury(sync->store, task->record, task->reason, &error))
        if (!store_again(sync, &error))
            return;
    metrics_inc("contacts_refused_total", NULL, NULL);
}

static void
finish_tasks(Sync *sync, const GPtrArray *tasks)
{
    g_autoptr(GPtrArray) done = g_ptr_array_new();
    for (guint i = 0; i < tasks->len; i++) {
        Task *task = tasks->pdata[i];
        log_task(task);
        if (task->wrote)
            sync->refused = 0;
        switch (task->state) {
        case TASK_DONE:
            g_ptr_array_add(done, task->record);
            break;
        case TASK_NEVER:
            bury(sync, task);
            break;
        default:
            if (task->state == TASK_SHOWN)
                state_set(sync, "dry_run", "1");
            retry(sync, task);
            break;
        }
    }
    confirm(sync, done);
}

/* What the tasks are about to write is on disk first. */
static bool
save_tasks(Sync *sync, const GPtrArray *tasks)
{
    g_autoptr(GPtrArray) records = g_ptr_array_new();
    for (guint i = 0; i < tasks->len; i++) {
        const Task *task = tasks->pdata[i];
        if (task->state == TASK_ASKING && task->save)
            g_ptr_array_add(records, task->record);
    }
    if (records->len == 0)
        return true;
    g_autoptr(GError) error = NULL;
    fault_point("crm.before-save");
    while (!store_save(sync->store, (ContactRecord *const *) records->pdata,
                       records->len, &error))
        if (!store_again(sync, &error))
            return false;
    fault_point("crm.after-save");
    return true;
}

/* --- tasks, one by one ---------------------------------------------------- */

/* Answers all, or as far as the API lets us. */
static void
call_singly(Sync *sync, const GPtrArray *requests)
{
    for (guint i = 0; i < requests->len && !sync->aborted; i++) {
        Request *request = requests->pdata[i];
        engine_call(sync, request->name_space, request->action, request->params,
                    &request->answer);
        request->answered = true;
    }
}

static void
step_companies(Sync *sync, const GPtrArray *companies)
{
    for (guint i = 0; i < companies->len; i++)
        company_step(sync->shared.companies, companies->pdata[i],
                     sync->shared.dry_run, sync->shared.now);
}

/* All requests of this step of the tasks and their companies. */
static void
gather(Sync *sync, const GPtrArray *tasks, GPtrArray *requests,
       GPtrArray *companies)
{
    for (guint t = 0; t < tasks->len; t++) {
        const Task *task = tasks->pdata[t];
        for (guint r = 0; task->state == TASK_ASKING && r < task->requests->len;
             r++)
            g_ptr_array_add(requests, task->requests->pdata[r]);
    }
    companies_asking(sync->shared.companies, companies);
    for (guint i = 0; i < companies->len; i++) {
        Company *company = companies->pdata[i];
        g_ptr_array_add(requests, company->request);
    }
}

static void
no_batch(Sync *sync, const Answer *answer)
{
    sync->batch_off = true;
    g_autofree char *words = log_text(answer->message);
    log_warning("crm: this account has no batch: %s; single calls from now on",
                words);
    g_autofree char *text = g_strdup_printf("off: %s", answer->message);
    state_set(sync, "batch", text);
}

static void
call_batched(Sync *sync, const GPtrArray *requests)
{
    const BatchCaller caller = { engine_call, engine_wait, engine_now, sync };
    g_auto(Answer) failure = { 0 };
    fault_point("crm.before-batch");
    BatchResult result = batch_run(sync->batch, &caller, requests, &failure);
    fault_point("crm.after-batch");
    if (result == BATCH_UNAVAILABLE) {
        if (failure.kind == ANSWER_ENDPOINT ||
            failure.kind == ANSWER_CREDENTIALS) {
            g_auto(Answer) ping = { 0 };
            ivvy_call(sync->ivvy, "test", "ping", NULL, &ping);
            if (ping.kind != ANSWER_OK) {
                diagnose(sync, "batch", &failure);
                return;
            }
        }
        no_batch(sync, &failure);
        call_singly(sync, requests);
        return;
    }
    if (failure.kind == ANSWER_CREDENTIALS || failure.kind == ANSWER_ENDPOINT)
        diagnose(sync, "batch", &failure);
    else
        sync->aborted = failure.kind != ANSWER_OK; /* or it went well at last */

    /* A limit may be met inside a batch too. */
    const Backoff backoff = { sync->tuning.trouble_ms,
                              sync->tuning.trouble_cap_ms };
    for (guint i = 0; i < requests->len; i++) {
        const Request *request = requests->pdata[i];
        if (!request->answered || request->answer.kind != ANSWER_RATE)
            continue;
        pace_limited(&sync->pace, &backoff, now_ms(sync),
                     request->answer.retry_after, g_rand_double(sync->random));
        share_pace(sync);
        break;
    }
}

/* Takes all tasks as far as they go: one step of all at a time. */
static void
run_tasks(Sync *sync, const GPtrArray *tasks)
{
    for (;;) {
        g_autoptr(GPtrArray) requests = g_ptr_array_new();
        g_autoptr(GPtrArray) companies = g_ptr_array_new();
        gather(sync, tasks, requests, companies);
        if (requests->len == 0)
            break;
        if (!save_tasks(sync, tasks))
            sync->aborted = true;
        bool many = requests->len > sync->tuning.handful;
        if (sync->aborted)
            ; /* unanswered: later */
        else if (many && !sync->batch_off &&
                 sync->settings->api.batch == BATCH_AUTO)
            call_batched(sync, requests);
        else
            call_singly(sync, requests);
        step_companies(sync, companies);
        for (guint i = 0; i < tasks->len; i++) {
            Task *task = tasks->pdata[i];
            if (task->state == TASK_ASKING)
                task_step(task, &sync->shared);
        }
    }
    for (guint i = 0; i < tasks->len; i++) {
        Task *task = tasks->pdata[i];
        if (task->state == TASK_ASKING)
            task->state = TASK_LATER;
    }
}

static void
work(Sync *sync, const GPtrArray *records)
{
    bool batch = !sync->batch_off && sync->settings->api.batch == BATCH_AUTO &&
                 records->len > sync->tuning.handful;
    sync->shared.now = now_s();
    companies_begin(sync->shared.companies);
    guint at_once = batch ? records->len : 1;
    for (guint next = 0; next < records->len; next += at_once) {
        g_autoptr(GPtrArray) tasks = g_ptr_array_new_with_free_func(task_free);
        for (guint i = next; i < records->len && i < next + at_once; i++)
            g_ptr_array_add(tasks, task_new(records->pdata[i], &sync->shared));
        run_tasks(sync, tasks);
        finish_tasks(sync, tasks);
    }
}

/* --- rounds --------------------------------------------------------------- */

static void
log_check(bool ok, const char *line, void *data)
{
    (void) data;
    if (ok)
        log_info("crm: %s", line);
    else
        log_warning("crm: %s", line);
}

/* True when contacts can be planned. */
static bool
fetch_definitions(Sync *sync)
{
    int64_t now = now_ms(sync);
    if (!check_wants_definitions(sync->settings) || now < sync->definitions_due)
        return true;
    g_auto(Answer) answer = { 0 };
    engine_call(sync, "contact", "getCustomFieldDefinition", NULL, &answer);
    GHashTable *definitions =
        answer.kind == ANSWER_OK ? view_definitions(answer.body) : NULL;
    if (definitions != NULL) {
        g_clear_pointer(&sync->shared.plan.definitions, g_hash_table_unref);
        sync->shared.plan.definitions = definitions;
        sync->shared.plan.groups_refused = false; /* once a day anew */
        sync->definitions_due = now + DEFINITIONS_EVERY_MS;
        sync->definitions_failed = false;
        (void) check_fields(sync->settings, definitions, false, log_check,
                            NULL);
        return true;
    }
    if (sync->aborted || sync->paused != NULL)
        return false;
    /* Contacts that go without their custom fields have them only after the
     * next change: not for a whim of the API. */
    sync->definitions_failed = !sync->definitions_failed;
    if (sync->definitions_failed)
        return false;
    g_autofree char *words = log_text(answer.message);
    log_warning("crm: custom fields are left out, their definitions cannot be "
                "read: %s",
                words);
    sync->definitions_due = now + DEFINITIONS_RETRY_MS;
    return true;
}

static void
use_settings(Sync *sync, Settings *settings, Ivvy *ivvy)
{
    if (sync->ivvy != NULL)
        ivvy_set_clock_offset(ivvy, ivvy_clock_offset(sync->ivvy));
    pthread_mutex_lock(&sync->lock);
    Ivvy *old = sync->ivvy;
    sync->ivvy = ivvy;
    if (sync->stop)
        ivvy_cancel(ivvy);
    pthread_mutex_unlock(&sync->lock);
    ivvy_free(old);
    settings_free(sync->settings);
    sync->settings = settings;
    sync->shared.plan.settings = settings;
    sync->shared.plan.groups_refused = false;
    sync->shared.dry_run = settings->api.dry_run;
    sync->definitions_due = 0;
    sync->looked = false;
    sync->batch_off = false;
    sync->probe_at = 0;
    sync->probes = 0;
    sync->refused = 0;
    pace_release(&sync->pace);
}

static void
take_settings(Sync *sync)
{
    pthread_mutex_lock(&sync->lock);
    Settings *settings = g_steal_pointer(&sync->next_settings);
    pthread_mutex_unlock(&sync->lock);
    if (settings == NULL)
        return;
    g_autoptr(GError) error = NULL;
    Ivvy *ivvy = ivvy_new(settings, &error);
    if (ivvy == NULL) {
        log_error("crm: the new settings are not used: %s", error->message);
        settings_free(settings);
        return;
    }
    use_settings(sync, settings, ivvy);
}

/* What other hosts, contactctl or our last run left for us. */
static void
read_state(Sync *sync)
{
    int64_t now = now_ms(sync);
    if (sync->state_read != 0 && now - sync->state_read < STATE_EVERY_MS)
        return;
    bool first = sync->state_read == 0;
    sync->state_read = now;

    g_autofree char *flush = state_get(sync, "flush");
    if (!first && flush != NULL && g_strcmp0(flush, sync->flushed) != 0) {
        pace_release(&sync->pace);
        sync->probe_at = 0;
    }
    g_free(sync->flushed);
    sync->flushed = g_steal_pointer(&flush);

    g_autofree char *pace = state_get(sync, "pace");
    if (pace != NULL && g_strcmp0(pace, sync->pace_shared) != 0)
        (void) pace_adopt(&sync->pace, pace, now);

    g_autofree char *paused = state_get(sync, "paused");
    bool is_paused = paused != NULL && paused[0] != '\0';
    if (is_paused && sync->paused == NULL && !first) {
        sync->paused = g_steal_pointer(&paused); /* another host found it */
        sync->paused_elsewhere = true;
        sync->probe_at = now + sync->tuning.probe_cap_ms;
        metrics_set("api_paused", NULL, NULL, 1);
    } else if (is_paused && sync->paused == NULL) {
        sync->paused = g_steal_pointer(&paused); /* we, before a restart */
        sync->probe_at = 0;
    } else if (!is_paused && sync->paused != NULL && sync->paused_elsewhere) {
        g_clear_pointer(&sync->paused, g_free);
        metrics_set("api_paused", NULL, NULL, 0);
    }
    if (first) {
        g_autofree char *offset = state_get(sync, "clock_offset");
        if (offset != NULL)
            ivvy_set_clock_offset(sync->ivvy,
                                  g_ascii_strtoll(offset, NULL, 10));
        g_autofree char *batch = state_get(sync, "batch");
        sync->batch_off = batch != NULL && g_str_has_prefix(batch, "off");
    }
    if (!sync->shared.dry_run) {
        g_autofree char *dry = state_get(sync, "dry_run");
        if (dry != NULL && dry[0] != '\0' &&
            store_queue_retry(sync->store, NULL, false, now_s(), NULL) >= 0)
            state_set(sync, "dry_run", "");
    }
}

int64_t
sync_round(Sync *sync)
{
    take_settings(sync);
    read_state(sync);
    sync->aborted = false;
    int64_t now = now_ms(sync);
    if (sync->paused != NULL) {
        if (now < sync->probe_at)
            return MIN(sync->probe_at - now, STATE_EVERY_MS);
        probe(sync);
        return sync->paused != NULL ? MIN(sync->tuning.probe_ms, 1000) : 0;
    }
    int64_t hold = pace_wait(&sync->pace, now);
    if (hold > 0)
        return MIN(hold, STATE_EVERY_MS);
    /* Between two rounds this host works on nobody. A claim whose answer was
     * lost with the connection would keep its contacts until the lease ends. */
    if (sync->leases_left)
        sync->leases_left = !store_release_leases(sync->store, NULL);
    bool careful = sync->pace.failures > 0 || sync->refused >= REFUSED_MAX;
    bool batch = !sync->batch_off && sync->settings->api.batch == BATCH_AUTO;
    size_t max = careful ? 1 : batch ? sync->tuning.wave : SINGLE_CLAIM;
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) records =
        store_claim(sync->store, max, now_s(), sync->tuning.lease_s, &error);
    fault_point("crm.after-claim");
    if (records == NULL) {
        sync->leases_left = true;
        unsigned held = 0;
        if (log_allowed("crm.claim", 30, &held))
            log_error("crm: the contacts store: %s", error->message);
        return sync->tuning.poll_ms;
    }
    if (records->len == 0)
        return sync->tuning.poll_ms;
    if (fetch_definitions(sync)) {
        work(sync, records);
    } else {
        for (guint i = 0; i < records->len; i++) {
            Task waiting = { .record = records->pdata[i],
                             .state = TASK_LATER,
                             .reason = (char *) "the API does not answer" };
            retry(sync, &waiting);
        }
    }
    if (sync->pace.failures == 0 && !sync->aborted)
        sync->probes = 0;
    return sync->aborted ? pace_wait(&sync->pace, now_ms(sync)) : 0;
}

static void
warn_check(bool ok, const char *line, void *data)
{
    (void) data;
    if (!ok)
        log_warning("crm: %s", line);
}

/* At the start and after a reload, before the first contact comes: wrong
 * credentials pause at once, groups that do not exist are named. Custom fields
 * are looked at when they are needed: fetch_definitions(). */
static void
look_around(Sync *sync)
{
    sync->looked = true;
    g_auto(Answer) ping = { 0 };
    engine_call(sync, "test", "ping", NULL, &ping);
    char **groups = sync->settings->contact.groups;
    if (ping.kind != ANSWER_OK || groups == NULL || groups[0] == NULL)
        return;
    g_auto(Answer) answer = { 0 };
    engine_call(sync, "contact", "getSubscriptionGroupList", NULL, &answer);
    g_autoptr(GArray) ids =
        answer.kind == ANSWER_OK ? view_groups(answer.body) : NULL;
    if (ids != NULL)
        (void) check_groups(sync->settings, ids, warn_check, NULL);
}

static void *
worker(void *data)
{
    Sync *sync = data;
    while (!is_stopping(sync)) {
        take_settings(sync);
        read_state(sync);
        if (!sync->looked && sync->paused == NULL)
            look_around(sync);
        int64_t wait = sync_round(sync);
        if (wait > 0)
            (void) sleep_for(sync, wait, true);
    }
    share_pace(sync);
    pthread_mutex_lock(&sync->lock);
    sync->running = false;
    pthread_cond_broadcast(&sync->cond);
    pthread_mutex_unlock(&sync->lock);
    return NULL;
}

/* --- the outside ---------------------------------------------------------- */

Sync *
sync_new(Settings *settings, Store *store, GError **error)
{
    Ivvy *ivvy = ivvy_new(settings, error);
    if (ivvy == NULL)
        return NULL;
    Sync *sync = g_new0(Sync, 1);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&sync->cond, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&sync->lock, NULL);
    sync->store = store;
    sync->epoch_ms = (g_get_real_time() - g_get_monotonic_time()) / 1000;
    sync->tuning = default_tuning;
    sync->random = g_rand_new();
    sync->batch = batch_new();
    sync->shared.companies = companies_new();
    pace_init(&sync->pace);
    use_settings(sync, settings_ref(settings), ivvy);
    g_autoptr(GError) release = NULL;
    if (!store_release_leases(store, &release))
        log_warning("crm: leases of the last run: %s", release->message);
    return sync;
}

void
sync_tune(Sync *sync, const SyncTuning *tuning)
{
    sync->tuning = *tuning;
}

void
sync_start(Sync *sync)
{
    sync->running = true;
    sync->started = pthread_create(&sync->thread, NULL, worker, sync) == 0;
    if (!sync->started) {
        sync->running = false;
        log_error("crm: no thread for the sync: nothing is sent");
    }
}

void
sync_wake(Sync *sync)
{
    pthread_mutex_lock(&sync->lock);
    sync->woken = true;
    pthread_cond_broadcast(&sync->cond);
    pthread_mutex_unlock(&sync->lock);
}

void
sync_configure(Sync *sync, Settings *settings)
{
    pthread_mutex_lock(&sync->lock);
    settings_free(sync->next_settings);
    sync->next_settings = settings_ref(settings);
    sync->woken = true;
    pthread_cond_broadcast(&sync->cond);
    pthread_mutex_unlock(&sync->lock);
}

void
sync_stop(Sync *sync, int64_t wait_ms)
{
    if (!sync->started)
        return;
    struct timespec when;
    deadline_after(&when, wait_ms);
    pthread_mutex_lock(&sync->lock);
    sync->stop = true;
    pthread_cond_broadcast(&sync->cond);
    while (sync->running &&
           pthread_cond_timedwait(&sync->cond, &sync->lock, &when) != ETIMEDOUT)
        ;
    ivvy_cancel(sync->ivvy);
    pthread_mutex_unlock(&sync->lock);
    (void) pthread_join(sync->thread, NULL);
    sync->started = false;
}

void
sync_free(Sync *sync)
{
    if (sync == NULL)
        return;
    sync_stop(sync, 0);
    ivvy_free(sync->ivvy);
    settings_free(sync->settings);
    settings_free(sync->next_settings);
    g_clear_pointer(&sync->shared.plan.definitions, g_hash_table_unref);
    companies_free(sync->shared.companies);
    batch_free(sync->batch);
    g_rand_free(sync->random);
    g_free(sync->paused);
    g_free(sync->pace_shared);
    g_free(sync->flushed);
    pthread_cond_destroy(&sync->cond);
    pthread_mutex_destroy(&sync->lock);
    g_free(sync);
}
