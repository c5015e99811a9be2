/*
 * pages.c - see pages.h
 *
 * Everything is asked for when a page is asked for; nothing is kept but the
 * samples of the status page.
 */
#include "pages.h"

#include "base/httpd.h"
#include "base/metrics.h"
#include "status_page.h"

#include <string.h>
#include <time.h>

struct Pages {
    const char *role;
    Spool *spool;
    Backend *backend;
    StatusPage *page;
    Httpd *httpd;
};

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

static HttpdPage
metrics_page(const Pages *pages)
{
    g_auto(Counts) counts = { 0 };
    count(pages, &counts);
    if (counts.spool_ok) {
        set("spool_rows", counts.spool.rows);
        set("observations_waiting", counts.spool.waiting);
        set("spool_set_aside", counts.spool.set_aside);
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

static HttpdPage
status_page(const Pages *pages)
{
    Store *store = store_of(pages);
    g_auto(Counts) counts = { 0 };
    count(pages, &counts);
    g_autofree char *success = state(store, "last_success");
    g_autofree char *failure = state(store, "last_error");
    GPtrArray *queue =
        store != NULL ? store_queue(store, NULL, STATUS_PAGE_ROWS, NULL) : NULL;
    const StatusFacts facts = {
        .now = counts.now,
        .role = pages->role,
        .spool = counts.spool_ok ? &counts.spool : NULL,
        .store = counts.store_ok ? &counts.store : NULL,
        .paused = counts.paused,
        .last_success = success,
        .last_error = failure,
        .queue = queue,
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

Pages *
pages_start(const char *listen, const char *role, Spool *spool,
            Backend *backend, GError **error)
{
    Pages *pages = g_new0(Pages, 1);
    pages->role = role;
    pages->spool = spool;
    pages->backend = backend;
    pages->page = status_page_new((int64_t) time(NULL));
    pages->httpd = httpd_start(listen, serve, pages, error);
    if (pages->httpd == NULL) {
        pages_stop(pages);
        return NULL;
    }
    return pages;
}

void
pages_sample(Pages *pages)
{
    if (pages != NULL)
        status_page_sample(pages->page, (int64_t) time(NULL));
}

void
pages_stop(Pages *pages)
{
    if (pages == NULL)
        return;
    httpd_stop(pages->httpd);
    status_page_free(pages->page);
    g_free(pages);
}
