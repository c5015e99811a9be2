/*
 * pages.c - see pages.h
 *
 * Everything is asked for when a page is asked for; nothing is kept but the
 * samples of the status page.
 */
#include "pages.h"

#include "base/httpd.h"
#include "base/log.h"
#include "base/metrics.h"
#include "share.h"
#include "status_page.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

struct Pages {
    Role role;
    char *spool_path;
    Spool *spool;
    Backend *backend;
    StatusPage *page;
    Httpd *httpd;     /* NULL in the mta role */
    pthread_t teller; /* in the mta role: writes for the other side */
    bool telling;
    pthread_mutex_t lock;
    pthread_cond_t stopped;
    bool stop;
};

enum { TELL_S = 5 };

typedef struct {
    int64_t now;
    SpoolStatus spool;
    StoreStatus store;
    bool spool_ok, store_ok;
    char *paused;
} Counts;

static void
counts_clear(Counts *counts)
{
    g_free(counts->paused);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Counts, counts_clear)

static char *
state(Store *store, const char *name)
{
    char *value = NULL;
    if (store == NULL || !store_state_get(store, name, &value, NULL))
        return NULL;
    if (value != NULL && value[0] == '\0')
        g_clear_pointer(&value, g_free);
    return value;
}

static Store *
store_of(const Pages *pages)
{
    return pages->backend != NULL ? backend_store(pages->backend) : NULL;
}

static void
count(const Pages *pages, Counts *out_counts)
{
    Store *store = store_of(pages);
    out_counts->now = (int64_t) time(NULL);
    out_counts->spool_ok = spool_status(pages->spool, &out_counts->spool, NULL);
    out_counts->store_ok =
        store != NULL && store_status(store, &out_counts->store, NULL);
    out_counts->paused = state(store, "paused");
}

static void
set(const char *name, int64_t value)
{
    metrics_set(name, NULL, NULL, (double) value);
}

/* What the mail side says of itself, into the metrics and `log`. Seconds since
 * then; -1 if it is no other process. */
static int64_t
hear_mail_side(const Pages *pages, int64_t now, GPtrArray *log)
{
    if (pages->role != ROLE_SYNC)
        return -1;
    int64_t when = share_read(pages->spool_path, log);
    int64_t silent = MAX(now - when, 0);
    set("mail_side_seconds", silent);
    return silent;
}

static HttpdPage
metrics_page(const Pages *pages)
{
    g_auto(Counts) counts = { 0 };
    count(pages, &counts);
    (void) hear_mail_side(pages, counts.now, NULL);
    if (counts.spool_ok) {
        set("spool_rows", counts.spool.rows);
        set("spool_set_aside", counts.spool.set_aside);
        if (pages->role == ROLE_ALL)
            set("observations_waiting", counts.spool.waiting);
    }
    if (counts.store_ok) {
        int64_t oldest = counts.store.oldest_pending;
        set("contacts", counts.store.contacts);
        set("contacts_pending", counts.store.pending);
        set("contacts_held", counts.store.held);
        set("contacts_dead", counts.store.dead);
        set("pending_oldest_seconds",
            oldest > 0 ? MAX(counts.now - oldest, 0) : 0);
        set("api_paused", counts.paused != NULL);
    }
    return (HttpdPage){ 200, "text/plain; version=0.0.4; charset=utf-8",
                        metrics_text() };
}

/* Only what a restart could mend is unhealthy. */
static HttpdPage
health_page(const Pages *pages)
{
    SpoolStatus status;
    bool well = spool_status(pages->spool, &status, NULL);
    return (
        HttpdPage){ well ? 200 : 503, "text/plain; charset=utf-8",
                    g_strdup(well ? "ok\n" : "the spool cannot be read\n") };
}

static int
by_time(gconstpointer a, gconstpointer b)
{
    const LogLine *x = *(const LogLine *const *) a;
    const LogLine *y = *(const LogLine *const *) b;
    return x->time < y->time ? -1 : x->time > y->time;
}

static HttpdPage
status_page(const Pages *pages)
{
    Store *store = store_of(pages);
    g_auto(Counts) counts = { 0 };
    count(pages, &counts);
    g_autoptr(GPtrArray) log = log_recent();
    int64_t silent = hear_mail_side(pages, counts.now, log);
    g_ptr_array_sort(log, by_time);
    g_autofree char *success = state(store, "last_success");
    g_autofree char *failure = state(store, "last_error");
    GPtrArray *queue =
        store != NULL ? store_queue(store, NULL, STATUS_PAGE_ROWS, NULL) : NULL;
    const StatusFacts facts = {
        .now = counts.now,
        .role = pages->role == ROLE_ALL ? "all" : "sync",
        .mail_side_silent = silent,
        .spool = counts.spool_ok ? &counts.spool : NULL,
        .store = counts.store_ok ? &counts.store : NULL,
        .paused = counts.paused,
        .last_success = success,
        .last_error = failure,
        .queue = queue,
        .log = log,
    };
    HttpdPage page = { 200, "text/html; charset=utf-8",
                       status_page_html(pages->page, &facts) };
    if (queue != NULL)
        g_ptr_array_unref(queue);
    return page;
}

static HttpdPage
serve(const char *path, void *data)
{
    const Pages *pages = data;
    if (strcmp(path, "/metrics") == 0)
        return metrics_page(pages);
    if (strcmp(path, "/healthz") == 0)
        return health_page(pages);
    if (strcmp(path, "/") == 0)
        return status_page(pages);
    return (HttpdPage){ 404, "text/plain; charset=utf-8",
                        g_strdup("not found\n") };
}

/* A thread of its own: the disk may hang, the watchdog is fed elsewhere. */
static void *
tell(void *data)
{
    Pages *pages = data;
    int code = ETIMEDOUT;
    while (code == ETIMEDOUT) {
        SpoolStatus status;
        if (spool_status(pages->spool, &status, NULL))
            set("observations_waiting", status.waiting);
        /* A disk that does not take it says so elsewhere. */
        (void) share_write(pages->spool_path, (int64_t) time(NULL));
        struct timespec until;
        (void) clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += TELL_S;
        pthread_mutex_lock(&pages->lock);
        for (code = 0; !pages->stop && code == 0;)
            code =
                pthread_cond_timedwait(&pages->stopped, &pages->lock, &until);
        pthread_mutex_unlock(&pages->lock);
    }
    return NULL;
}

Pages *
pages_start(const Settings *settings, Role role, Spool *spool, Backend *backend,
            GError **error)
{
    Pages *pages = g_new0(Pages, 1);
    pthread_mutex_init(&pages->lock, NULL);
    pthread_cond_init(&pages->stopped, NULL);
    pages->role = role;
    pages->spool_path = g_strdup(settings->store.spool);
    pages->spool = spool;
    pages->backend = backend;
    pages->page = status_page_new((int64_t) time(NULL));
    int code = 0;
    if (role == ROLE_MTA)
        pages->telling =
            (code = pthread_create(&pages->teller, NULL, tell, pages)) == 0;
    else
        pages->httpd =
            httpd_start(settings->metrics.listen, serve, pages, error);
    if (code != 0)
        g_set_error(error, G_FILE_ERROR, (gint) g_file_error_from_errno(code),
                    "no thread: %s", g_strerror(code));
    if (pages->httpd == NULL && !pages->telling)
        g_clear_pointer(&pages, pages_stop);
    return pages;
}

void
pages_sample(Pages *pages)
{
    if (pages == NULL || pages->role == ROLE_MTA)
        return;
    int64_t now = (int64_t) time(NULL);
    (void) hear_mail_side(pages, now, NULL);
    status_page_sample(pages->page, now);
}

void
pages_stop(Pages *pages)
{
    if (pages == NULL)
        return;
    httpd_stop(pages->httpd);
    if (pages->telling) {
        pthread_mutex_lock(&pages->lock);
        pages->stop = true;
        pthread_cond_signal(&pages->stopped);
        pthread_mutex_unlock(&pages->lock);
        (void) pthread_join(pages->teller, NULL);
    }
    pthread_cond_destroy(&pages->stopped);
    pthread_mutex_destroy(&pages->lock);
    status_page_free(pages->page);
    g_free(pages->spool_path);
    g_free(pages);
}
