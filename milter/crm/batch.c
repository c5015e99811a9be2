/*
 * batch.c - submits batches, learns when they are done, fetches the results
 *
 * A poll that comes too early costs a request, one that comes too late costs
 * time. The estimate (milliseconds per job, by action) therefore starts low,
 * jumps above what was seen when a poll came too early, and sinks by two per
 * cent with each batch that was done at the first poll.
 *
 * A job's response is matched by its action and the request that the results
 * repeat; their order is not relied on.
 */
#include "crm/batch.h"

#include "base/metrics.h"

#include <string.h>

enum { FIRST_MS = 100, SHORTEST_MS = 20, LONGEST_POLL_MS = 30000 };
enum { MAX_TRIES = 8, TRY_AGAIN_MS = 200 };

struct Batch {
    GHashTable *per_job; /* action -> double *, milliseconds */
    size_t jobs;         /* at most, per batch */
};

/* One batch under way. */
typedef struct {
    char *async;
    Request *const *requests;
    size_t n;
    int64_t started, poll_at;
    unsigned early; /* polls that came too early */
    unsigned tries; /* polls that failed */
} Flight;

Request *
request_new(const char *name_space, const char *action, json_t *params)
{
    Request *request = g_new0(Request, 1);
    request->name_space = name_space;
    request->action = action;
    request->params = params;
    return request;
}

void
request_free(void *data)
{
    Request *request = data;
    if (request == NULL)
        return;
    json_decref(request->params);
    answer_clear(&request->answer);
    g_free(request);
}

Batch *
batch_new(void)
{
    Batch *batch = g_new0(Batch, 1);
    batch->per_job =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    batch->jobs = BATCH_JOBS;
    return batch;
}

void
batch_free(Batch *batch)
{
    if (batch == NULL)
        return;
    g_hash_table_unref(batch->per_job);
    g_free(batch);
}

static void
flight_free(void *data)
{
    Flight *flight = data;
    g_free(flight->async);
    g_free(flight);
}

/* --- how long? ------------------------------------------------------------ */

static double *
estimate_of(Batch *batch, const Flight *flight)
{
    const char *action = flight->requests[0]->action;
    double *estimate = g_hash_table_lookup(batch->per_job, action);
    if (estimate == NULL) {
        estimate = g_new0(double, 1);
        g_hash_table_insert(batch->per_job, g_strdup(action), estimate);
    }
    return estimate;
}

static int64_t
first_poll(Batch *batch, const Flight *flight)
{
    double ms = *estimate_of(batch, flight) * (double) flight->n;
    if (ms <= 0)
        return FIRST_MS;
    return CLAMP((int64_t) ms, SHORTEST_MS, LONGEST_POLL_MS);
}

static void
learn(Batch *batch, const Flight *flight, int64_t now)
{
    double *estimate = estimate_of(batch, flight);
    double taken = (double) (now - flight->started) / (double) flight->n;
    if (flight->early > 0)
        *estimate = MAX(*estimate, taken * 1.2);
    else
        *estimate = (*estimate > 0 ? *estimate : taken) * 0.98;
}

/* --- results -------------------------------------------------------------- */

static bool
same_request(const Request *request, const json_t *result)
{
    const char *action = json_string_value(json_object_get(result, "action"));
    if (action == NULL || strcmp(action, request->action) != 0)
        return false;
    json_t *sent = json_object_get(result, "request");
    if (json_is_string(sent)) {
        json_t *parsed = json_loads(json_string_value(sent), 0, NULL);
        bool same = parsed != NULL && json_equal(parsed, request->params);
        json_decref(parsed);
        return same;
    }
    return json_equal(sent, request->params) ||
           json_equal(json_object_get(sent, "params"), request->params);
}

static void
take(Request *request, const json_t *result)
{
    answer_clear(&request->answer);
    json_t *response = json_object_get(result, "response");
    if (response == NULL)
        return; /* no word about this job: lost */
    answer_from_json(&request->answer, response);
    request->answered = true;
}

/* Servers that repeat nothing to go by: the order is all there is, if at
 * least the actions are in the same order. */
static bool
repeats_nothing(Request *const *requests, size_t n, const json_t *results)
{
    if (json_array_size(results) != n)
        return false;
    for (size_t i = 0; i < n; i++) {
        const json_t *result = json_array_get(results, i);
        const char *action =
            json_string_value(json_object_get(result, "action"));
        json_t *sent = json_object_get(result, "request");
        if ((action != NULL && strcmp(action, requests[i]->action) != 0) ||
            (sent != NULL && !json_is_null(sent)))
            return false;
    }
    return true;
}

void
batch_assign(Request *const *requests, size_t n, const json_t *results)
{
    if (repeats_nothing(requests, n, results)) {
        for (size_t i = 0; i < n; i++)
            take(requests[i], json_array_get(results, i));
        return;
    }
    size_t count = json_array_size(results);
    g_autofree bool *used = g_new0(bool, count + 1);
    for (size_t i = 0; i < n && i < count; i++) {
        const json_t *result = json_array_get(results, i);
        if (same_request(requests[i], result)) {
            take(requests[i], result);
            used[i] = true;
        }
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t r = 0; r < count && !requests[i]->answered; r++) {
            const json_t *result = json_array_get(results, r);
            if (!used[r] && same_request(requests[i], result)) {
                take(requests[i], result);
                used[r] = true;
            }
        }
    }
}

/* --- under way ------------------------------------------------------------ */

static json_t *
jobs_of(Request *const *requests, size_t n)
{
    json_t *jobs = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(jobs, json_pack("{s:s, s:s, s:O}", "namespace",
                                              requests[i]->name_space, "action",
                                              requests[i]->action, "params",
                                              requests[i]->params));
    return json_pack("{s:o}", "jobs", jobs);
}

static bool
says_unavailable(const Answer *answer)
{
    return answer->kind == ANSWER_ENDPOINT || answer->code == 403 ||
           answer->specific == SPECIFIC_NO_BATCH_FORMAT ||
           (answer->kind == ANSWER_REQUEST &&
            answer->specific != SPECIFIC_TOO_MANY_JOBS);
}

static Flight *
submit(Batch *batch, const BatchCaller *caller, Request *const *requests,
       size_t n, Answer *answer)
{
    json_t *params = jobs_of(requests, n);
    caller->call(caller->user, "batch", "run", params, answer);
    json_decref(params);
    if (answer->kind != ANSWER_OK)
        return NULL;
    const json_t *async = json_object_get(answer->body, "asyncId");
    g_autofree char *name = json_is_integer(async)
                                ? g_strdup_printf("%" JSON_INTEGER_FORMAT,
                                                  json_integer_value(async))
                                : g_strdup(json_string_value(async));
    if (name == NULL) {
        answer_clear(answer);
        answer_fail(answer, ANSWER_TROUBLE, "batch: no asyncId");
        return NULL;
    }
    metrics_observe("api_batch_calls", NULL, NULL, (double) n);
    Flight *flight = g_new0(Flight, 1);
    flight->async = g_steal_pointer(&name);
    flight->requests = requests;
    flight->n = n;
    flight->started = caller->now(caller->user);
    flight->poll_at = flight->started + first_poll(batch, flight);
    return flight;
}

static json_t *
async_params(const Flight *flight)
{
    return json_pack("{s:s}", "async", flight->async);
}

/* Too early: ask once how far it is, then wait for as long as it will take. */
static void
postpone(const BatchCaller *caller, Flight *flight)
{
    int64_t elapsed = caller->now(caller->user) - flight->started;
    int64_t wait = MAX(elapsed, FIRST_MS);
    if (flight->early++ == 0) {
        g_auto(Answer) answer = { 0 };
        json_t *params = async_params(flight);
        caller->call(caller->user, "batch", "progress", params, &answer);
        json_decref(params);
        const json_t *progress = json_object_get(answer.body, "progress");
        double done = json_number_value(progress);
        if (answer.kind == ANSWER_OK && done >= 1 && done <= 100)
            wait = (int64_t) ((double) elapsed * (100 - done) / done * 1.1);
    }
    flight->poll_at =
        caller->now(caller->user) + CLAMP(wait, SHORTEST_MS, LONGEST_POLL_MS);
}

/* True when this batch is over, with results or without. */
static bool
poll_results(Batch *batch, const BatchCaller *caller, Flight *flight,
             Answer *failure)
{
    g_auto(Answer) answer = { 0 };
    json_t *params = async_params(flight);
    caller->call(caller->user, "batch", "results", params, &answer);
    json_decref(params);
    int64_t now = caller->now(caller->user);
    if (answer.kind == ANSWER_OK) {
        learn(batch, flight, now);
        batch_assign(flight->requests, flight->n,
                     json_object_get(answer.body, "results"));
        return true;
    }
    bool late = now - flight->started > BATCH_LONGEST_MS;
    if (answer.specific == SPECIFIC_NOT_COMPLETED && !late) {
        postpone(caller, flight);
        return false;
    }
    bool again = answer.kind == ANSWER_TROUBLE || answer.kind == ANSWER_RATE;
    if (again && !late && ++flight->tries < MAX_TRIES) {
        flight->poll_at = now + ((int64_t) TRY_AGAIN_MS << flight->tries);
        return false;
    }
    if (failure->kind == ANSWER_OK) {
        answer_clear(failure);
        answer_copy(failure, &answer);
        if (failure->kind == ANSWER_REQUEST)
            failure->kind = ANSWER_TROUBLE; /* results gone: not our jobs */
    }
    return true;
}

static bool
poll_next(Batch *batch, const BatchCaller *caller, GPtrArray *flights,
          Answer *failure)
{
    guint next = 0;
    for (guint i = 1; i < flights->len; i++) {
        const Flight *a = flights->pdata[i], *b = flights->pdata[next];
        if (a->poll_at < b->poll_at)
            next = i;
    }
    Flight *flight = flights->pdata[next];
    int64_t wait = flight->poll_at - caller->now(caller->user);
    if (wait > 0 && !caller->wait(caller->user, wait))
        return false;
    if (poll_results(batch, caller, flight, failure))
        g_ptr_array_remove_index(flights, next);
    return failure->kind != ANSWER_CANCELLED;
}

BatchResult
batch_run(Batch *batch, const BatchCaller *caller, const GPtrArray *requests,
          Answer *failure)
{
    answer_fail(failure, ANSWER_OK, "");
    g_autoptr(GPtrArray) flights = g_ptr_array_new_with_free_func(flight_free);
    Request *const *all = (Request *const *) requests->pdata;
    size_t next = 0, submitted = 0;
    bool more = true;
    while (flights->len > 0 || (more && next < requests->len)) {
        if (more && next < requests->len && flights->len < BATCH_UNDER_WAY) {
            size_t n = MIN(batch->jobs, requests->len - next);
            g_auto(Answer) answer = { 0 };
            Flight *flight = submit(batch, caller, all + next, n, &answer);
            if (flight != NULL) {
                g_ptr_array_add(flights, flight);
                next += n;
                submitted++;
            } else if (answer.specific == SPECIFIC_TOO_MANY_JOBS &&
                       batch->jobs > 1) {
                batch->jobs /= 2;
            } else if (says_unavailable(&answer) && submitted == 0) {
                answer_clear(failure);
                answer_copy(failure, &answer);
                return BATCH_UNAVAILABLE;
            } else {
                more = false; /* fetch what is under way, then give up */
                answer_clear(failure);
                answer_copy(failure, &answer);
            }
            continue;
        }
        if (!poll_next(batch, caller, flights, failure)) {
            if (failure->kind == ANSWER_OK) {
                answer_clear(failure);
                answer_fail(failure, ANSWER_CANCELLED, "stopped");
            }
            break;
        }
    }
    for (guint i = 0; i < requests->len; i++) { /* the lost ones: why */
        Request *request = requests->pdata[i];
        if (!request->answered && request->answer.message == NULL)
            request->answer.message = g_strdup(
                failure->kind != ANSWER_OK ? failure->message
                                           : "the batch has no result for it");
    }
    return BATCH_DONE;
}
