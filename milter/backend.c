/*
 * backend.c - see backend.h
 *
 * The judge is woken by the spool's commits, and looks by itself every second
 * anyway: in the sync role another process fills the spool, and a deferred row
 * comes due without a commit. Errors (store gone, disk full) make it wait
 * longer each time, up to RETRY_MAX_S.
 */
#include "backend.h"

#include "base/log.h"
#include "base/metrics.h"
#include "crm/sync.h"
#include "trust/judge.h"

#include <pthread.h>
#include <time.h>

enum {
    POLL_S = 1,
    RETRY_MAX_S = 30,
    JUDGE_BATCH = 64, /* small enough that a stop does not wait long */
    EXPIRE_EVERY_S = 3600,
    CLOCK_STEP_S = 60,           /* set back by less is no matter */
    LONGEST_DELAY_S = 2 * 86400, /* nothing is put off for longer */
};

struct Backend {
    Spool *spool;
    pthread_t thread;

    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool stop, work;
    bool ended;         /* the thread has left */
    Settings *settings; /* the newest */
    bool reload;
    Store *store; /* NULL until it could be opened; then constant */
    Judge *judge; /* the same */
    Sync *sync;   /* the same */
};

static int64_t
now_s(void)
{
    return (int64_t) time(NULL);
}

/* Waits for work, a reload or the end, at most `seconds`; true: go on. */
static bool
pause_for(Backend *backend, unsigned seconds)
{
    struct timespec until;
    (void) clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t) seconds;
    pthread_mutex_lock(&backend->lock);
    while (!backend->stop && !backend->work && !backend->reload &&
           pthread_cond_clockwait(&backend->changed, &backend->lock,
                                  CLOCK_MONOTONIC, &until) == 0)
        ;
    backend->work = false;
    bool stop = backend->stop;
    pthread_mutex_unlock(&backend->lock);
    return !stop;
}

/* The same, but only the end cuts it short: after an error. */
static bool
pause_after_error(Backend *backend, unsigned *delay)
{
    struct timespec until;
    (void) clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t) *delay;
    *delay = MIN(*delay * 2, (unsigned) RETRY_MAX_S);
    pthread_mutex_lock(&backend->lock);
    while (!backend->stop &&
           pthread_cond_clockwait(&backend->changed, &backend->lock,
                                  CLOCK_MONOTONIC, &until) == 0)
        ;
    bool stop = backend->stop;
    pthread_mutex_unlock(&backend->lock);
    return !stop;
}

/* Store, judge and sync, or none. */
static bool
open_store(Backend *backend, GError **error)
{
    pthread_mutex_lock(&backend->lock);
    g_autoptr(Settings) settings = settings_ref(backend->settings);
    pthread_mutex_unlock(&backend->lock);

    /* Leases bear this name: two instances on one host are two hosts. */
    g_autofree char *host = g_strdup_printf("%s:%08x", g_get_host_name(),
                                            g_str_hash(settings->store.spool));
    g_autofree char *notice = store_mend(settings->store.uri);
    if (notice != NULL)
        log_error("%s", notice);
    g_autoptr(Store) store = store_open(settings->store.uri, host, error);
    if (store == NULL)
        return false;
    Judge *judge = judge_new(settings, store, error);
    if (judge == NULL)
        return false;
    Sync *sync = sync_new(settings, store, error);
    if (sync == NULL) {
        judge_free(judge);
        return false;
    }
    sync_start(sync);

    pthread_mutex_lock(&backend->lock);
    backend->store = g_steal_pointer(&store);
    backend->judge = judge;
    backend->sync = sync;
    pthread_mutex_unlock(&backend->lock);
    return true;
}

static void
apply_reload(Backend *backend)
{
    pthread_mutex_lock(&backend->lock);
    Settings *settings =
        backend->reload ? settings_ref(backend->settings) : NULL;
    backend->reload = false;
    pthread_mutex_unlock(&backend->lock);
    if (settings == NULL)
        return;
    judge_configure(backend->judge, settings);
    sync_configure(backend->sync, settings);
    settings_free(settings);
}

static void
expire(Backend *backend, int64_t now)
{
    pthread_mutex_lock(&backend->lock);
    g_autoptr(Settings) settings = settings_ref(backend->settings);
    pthread_mutex_unlock(&backend->lock);
    g_autoptr(GError) error = NULL;
    if (!store_expire(backend->store, now, settings->bounce.sent_window / 1000,
                      settings->store.retention / 1000, &error))
        log_warning("store: old rows could not be dropped: %s", error->message);
}

/* Everything that was put off by a clock that ran ahead is tried now. */
static void
clock_set_back(Backend *backend, int64_t now, int64_t longest_s)
{
    g_autoptr(GError) error = NULL;
    if (!spool_clock_set_back(backend->spool, now, longest_s, &error) ||
        !store_clock_set_back(backend->store, now, longest_s, &error))
        log_warning("store: what waits for a time that the clock no longer "
                    "shows goes on waiting: %s",
                    error->message);
}

/* Seconds by which the clock was set back since the last call; 0: it was not. */
static int64_t
clock_step(int64_t *ahead)
{
    int64_t before = *ahead;
    *ahead = (g_get_real_time() - g_get_monotonic_time()) / G_USEC_PER_SEC;
    return before - *ahead >= CLOCK_STEP_S ? before - *ahead : 0;
}

static void
work(Backend *backend)
{
    unsigned delay = POLL_S;
    int64_t expired = 0;
    int64_t ahead = 0; /* of the real clock before the monotonic one */

    while (backend->store == NULL) {
        g_autoptr(GError) error = NULL;
        if (open_store(backend, &error)) {
            log_info("store: open");
            break;
        }
        log_warning("store: %s; observations wait in the spool",
                    error->message);
        if (!pause_after_error(backend, &delay))
            return;
    }

    delay = POLL_S;
    (void) clock_step(&ahead);
    clock_set_back(backend, now_s(), LONGEST_DELAY_S);
    for (;;) {
        apply_reload(backend);
        int64_t now = now_s();
        int64_t step = clock_step(&ahead);
        if (step > 0) {
            log_warning("the clock was set back by %" G_GINT64_FORMAT
                        " s: what was to be tried later is tried now",
                        (gint64) step);
            clock_set_back(backend, now, 0);
        }
        if (now < expired || now - expired >= EXPIRE_EVERY_S) {
            expire(backend, now);
            expired = now;
        }

        g_autoptr(GError) error = NULL;
        int done =
            judge_run(backend->judge, backend->spool, JUDGE_BATCH, now, &error);
        if (done < 0) {
            metrics_inc("judge_errors_total", NULL, NULL);
            unsigned repeats = 0;
            if (log_allowed("judge", 60, &repeats))
                log_warning("judge: %s (%u like this not shown); observations "
                            "wait in the spool",
                            error->message, repeats);
            if (!pause_after_error(backend, &delay))
                return;
            continue;
        }
        delay = POLL_S;
        if (done > 0)
            sync_wake(backend->sync);
        /* A full batch: there may be more. */
        if (!pause_for(backend, done >= JUDGE_BATCH ? 0 : POLL_S))
            return;
    }
}

static void *
run(void *data)
{
    Backend *backend = data;
    work(backend);
    pthread_mutex_lock(&backend->lock);
    backend->ended = true;
    pthread_cond_broadcast(&backend->changed);
    pthread_mutex_unlock(&backend->lock);
    return NULL;
}

static void
backend_free(Backend *backend)
{
    sync_free(backend->sync);
    judge_free(backend->judge);
    store_close(backend->store);
    settings_free(backend->settings);
    pthread_cond_destroy(&backend->changed);
    pthread_mutex_destroy(&backend->lock);
    g_free(backend);
}

/* A database that is away, damaged or full can be mended while mail goes on. */
static bool
may_pass(const GError *failure)
{
    return g_error_matches(failure, STORE_ERROR, STORE_ERROR_UNAVAILABLE) ||
           g_error_matches(failure, STORE_ERROR, STORE_ERROR_FAILED);
}

Backend *
backend_start(Settings *settings, Spool *spool, GError **error)
{
    Backend *backend = g_new0(Backend, 1);
    backend->spool = spool;
    backend->settings = settings_ref(settings);
    pthread_mutex_init(&backend->lock, NULL);
    pthread_cond_init(&backend->changed, NULL);

    /* Tried here once, so that what can never work is said at once. */
    g_autoptr(GError) failure = NULL;
    if (!open_store(backend, &failure)) {
        if (!may_pass(failure)) {
            g_propagate_error(error, g_steal_pointer(&failure));
            backend_free(backend);
            return NULL;
        }
        log_warning("store: %s; observations wait in the spool",
                    failure->message);
    }
    int code = pthread_create(&backend->thread, NULL, run, backend);
    if (code != 0)
        g_error("cannot start a thread: %s", g_strerror(code));
    return backend;
}

void
backend_wake(Backend *backend)
{
    pthread_mutex_lock(&backend->lock);
    backend->work = true;
    pthread_cond_broadcast(&backend->changed);
    pthread_mutex_unlock(&backend->lock);
}

void
backend_configure(Backend *backend, Settings *settings)
{
    pthread_mutex_lock(&backend->lock);
    settings_free(backend->settings);
    backend->settings = settings_ref(settings);
    backend->reload = true;
    pthread_cond_broadcast(&backend->changed);
    pthread_mutex_unlock(&backend->lock);
}

Store *
backend_store(Backend *backend)
{
    pthread_mutex_lock(&backend->lock);
    Store *store = backend->store;
    pthread_mutex_unlock(&backend->lock);
    return store;
}

bool
backend_stop(Backend *backend, int64_t wait_ms)
{
    if (backend == NULL)
        return true;
    struct timespec until;
    (void) clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t) (wait_ms / 1000) + 1;

    pthread_mutex_lock(&backend->lock);
    backend->stop = true;
    pthread_cond_broadcast(&backend->changed);
    while (!backend->ended &&
           pthread_cond_clockwait(&backend->changed, &backend->lock,
                                  CLOCK_MONOTONIC, &until) == 0)
        ;
    bool ended = backend->ended;
    pthread_mutex_unlock(&backend->lock);
    if (!ended)
        return false;
    (void) pthread_join(backend->thread, NULL);
    if (backend->sync != NULL)
        sync_stop(backend->sync, wait_ms);
    backend_free(backend);
    return true;
}
