/*
 * status_page.c - see status_page.h
 *
 * Each chart row is a metric whose growth within each quarter of an hour is
 * kept in a ring. Text from mail and from the API is escaped where it enters
 * the page; addresses obey `log addresses`.
 */
#include "status_page.h"

#include "base/log.h"
#include "base/metrics.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

enum { SLOTS = 96, SLOT_SECONDS = 900, CHART_HEIGHT = 40, CHART_WIDTH = 288 };

/* What is charted. */
static const struct {
    const char *title;
    const char *metric;
    const char *value; /* of its label; NULL: all together */
} charts[] = {
    { "Messages", "messages_total", NULL },
    { "Observations stored", "observations_total", "stored" },
    { "Observations seen just before", "observations_total", "known" },
    { "Observations judged", "judged_total", NULL },
    { "API calls", "api_calls_total", NULL },
    { "Observations that waited for the disk", "observations_total",
      "waiting" },
    { "Observations lost", "observations_total", "lost" },
};
enum { CHARTS = G_N_ELEMENTS(charts) };

struct StatusPage {
    pthread_mutex_t lock;
    int64_t started;
    int64_t slot; /* number of the newest slot: seconds / SLOT_SECONDS */
    double total[CHARTS]; /* of the metric when last sampled */
    double growth[CHARTS][SLOTS];
};

StatusPage *
status_page_new(int64_t now)
{
    StatusPage *page = g_new0(StatusPage, 1);
    pthread_mutex_init(&page->lock, NULL);
    page->started = now;
    page->slot = now / SLOT_SECONDS;
    return page;
}

void
status_page_free(StatusPage *page)
{
    if (page == NULL)
        return;
    pthread_mutex_destroy(&page->lock);
    g_free(page);
}

/* The lock is held. */
static void
advance(StatusPage *page, int64_t now)
{
    int64_t slot = now / SLOT_SECONDS;
    if (slot < page->slot || slot - page->slot > SLOTS) {
        /* The clock jumped: the old slots mean nothing. */
        memset(page->growth, 0, sizeof page->growth);
        page->slot = slot;
    }
    while (page->slot < slot) {
        page->slot++;
        for (size_t c = 0; c < CHARTS; c++)
            page->growth[c][page->slot % SLOTS] = 0;
    }
}

void
status_page_sample(StatusPage *page, int64_t now)
{
    pthread_mutex_lock(&page->lock);
    advance(page, now);
    for (size_t c = 0; c < CHARTS; c++) {
        double total = metrics_sum(charts[c].metric, charts[c].value);
        page->growth[c][page->slot % SLOTS] += total - page->total[c];
        page->total[c] = total;
    }
    pthread_mutex_unlock(&page->lock);
}

/* --- pieces of HTML ------------------------------------------------------ */

static void
append_text(GString *html, const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text ? text : "-", -1);
    g_autofree char *escaped = g_markup_escape_text(valid, -1);
    g_string_append(html, escaped);
}

static void
append_time(GString *html, int64_t when)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(when);
    g_autofree char *text =
        time ? g_date_time_format(time, "%Y-%m-%d %H:%M:%S UTC") : NULL;
    append_text(html, text);
}

static void
append_tile(GString *html, const char *label, int64_t count, const char *class)
{
    g_string_append_printf(html,
                           "<div class=\"tile %s\"><b>%" G_GINT64_FORMAT
                           "</b><span>%s</span></div>\n",
                           class, count, label);
}

static void
append_row(GString *html, const char *label, const char *value,
           const char *class)
{
    g_string_append_printf(html, "<tr class=\"%s\"><th>%s</th><td>", class,
                           label);
    append_text(html, value);
    g_string_append(html, "</td></tr>\n");
}

/* Bars of the last day; the lock is held. */
static void
append_chart(GString *html, const StatusPage *page, size_t chart)
{
    double highest = 0, sum = 0;
    for (size_t i = 0; i < SLOTS; i++) {
        highest = MAX(highest, page->growth[chart][i]);
        sum += page->growth[chart][i];
    }
    g_string_append_printf(
        html,
        "<figure><figcaption>%s <small>%.0f in 24 h, at most %.0f in 15 "
        "min</small></figcaption>\n<svg viewBox=\"0 0 %d %d\" role=\"img\" "
        "aria-label=\"%s of the last day\">",
        charts[chart].title, sum, highest, CHART_WIDTH, CHART_HEIGHT,
        charts[chart].title);
    for (int i = 0; i < SLOTS; i++) {
        double value = page->growth[chart][(page->slot + 1 + i) % SLOTS];
        if (value <= 0)
            continue;
        double height = MAX(1.0, value / highest * CHART_HEIGHT);
        char top[G_ASCII_DTOSTR_BUF_SIZE], tall[G_ASCII_DTOSTR_BUF_SIZE];
        g_string_append_printf(
            html, "<rect x=\"%d\" y=\"%s\" width=\"2\" height=\"%s\"/>",
            i * CHART_WIDTH / SLOTS,
            g_ascii_formatd(top, sizeof top, "%.1f", CHART_HEIGHT - height),
            g_ascii_formatd(tall, sizeof tall, "%.1f", height));
    }
    g_string_append(html, "</svg></figure>\n");
}

static void
append_queue(GString *html, const StatusFacts *facts)
{
    if (facts->queue == NULL || facts->queue->len == 0)
        return;
    g_string_append(html, "<h2>What waits</h2>\n<table class=\"list\"><tr>"
                          "<th>Address</th><th>State</th><th>Wants</th>"
                          "<th>Tried</th><th>Since</th><th>Why</th></tr>\n");
    guint rows = MIN(facts->queue->len, (guint) STATUS_PAGE_ROWS);
    for (guint i = 0; i < rows; i++) {
        const QueueEntry *e = g_ptr_array_index(facts->queue, i);
        g_autofree char *email = log_address(e->email);
        g_string_append_printf(html, "<tr class=\"%s\"><td>", e->state);
        append_text(html, email);
        g_string_append(html, "</td><td>");
        append_text(html, e->state);
        g_string_append(html, "</td><td>");
        append_text(html, e->wants);
        g_string_append_printf(html, "</td><td>%u</td><td>", e->attempts);
        append_time(html, e->since);
        g_string_append(html, "</td><td>");
        append_text(html, e->reason);
        g_string_append(html, "</td></tr>\n");
    }
    g_string_append(html, "</table>\n");
    if (facts->queue->len > rows)
        g_string_append(html, "<p>... and more: <code>contactctl queue "
                              "list</code></p>\n");
}

static const char style[] =
    ":root{color-scheme:light dark;--line:#8884;--bar:#2a6fb0;--bad:#b3261e;"
    "--warn:#9a6700}\n"
    "@media(prefers-color-scheme:dark){:root{--bar:#6cb0f0;--bad:#ff8a80;"
    "--warn:#e3b341}}\n"
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;"
    "padding:0 1rem}\n"
    "h1{font-size:1.3rem}h2{font-size:1.05rem;margin-top:2rem}\n"
    ".tiles{display:flex;flex-wrap:wrap;gap:.75rem}\n"
    ".tile{border:1px solid var(--line);border-radius:.5rem;padding:.6rem 1rem;"
    "min-width:7rem}\n"
    ".tile b{display:block;font-size:1.6rem}.tile span{opacity:.75}\n"
    ".bad b,.bad td,.dead td:nth-child(2){color:var(--bad)}"
    ".warn b,.held td:nth-child(2){color:var(--warn)}\n"
    "table{border-collapse:collapse}th,td{text-align:left;padding:.25rem "
    ".9rem .25rem 0;vertical-align:top}\n"
    ".list{width:100%;font-size:.9rem}.list td,.list th{border-bottom:1px "
    "solid "
    "var(--line)}\n"
    ".charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(18rem,"
    "1fr));gap:1rem}\n"
    "figure{margin:0}svg{width:100%;border-bottom:1px solid var(--line)}"
    "rect{fill:var(--bar)}small{opacity:.75}\n";

char *
status_page_html(StatusPage *page, const StatusFacts *facts)
{
    status_page_sample(page, facts->now);
    GString *html = g_string_sized_new(16384);
    g_string_append_printf(
        html,
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width\">\n"
        "<meta http-equiv=\"refresh\" content=\"60\">\n"
        "<title>contact-milter</title>\n<style>%s</style></head><body>\n"
        "<h1>contact-milter %s, role %s</h1>\n<div class=\"tiles\">\n",
        style, VERSION, facts->role ? facts->role : "all");
    if (facts->spool != NULL) {
        append_tile(html, "in the spool", facts->spool->rows, "");
        if (facts->spool->set_aside > 0)
            append_tile(html, "set aside", facts->spool->set_aside, "bad");
    }
    if (facts->store != NULL) {
        append_tile(html, "contacts", facts->store->contacts, "");
        append_tile(html, "pending", facts->store->pending, "");
        append_tile(html, "held for a person", facts->store->held,
                    facts->store->held > 0 ? "warn" : "");
        append_tile(html, "dead", facts->store->dead,
                    facts->store->dead > 0 ? "bad" : "");
    }
    g_string_append(html, "</div>\n<h2>The API</h2>\n<table>\n");
    append_row(html, "Sync", facts->paused ? facts->paused : "running",
               facts->paused ? "bad" : "");
    append_row(html, "Last success", facts->last_success, "");
    append_row(html, "Last error", facts->last_error, "");
    g_string_append(html, "<tr><th>As of</th><td>");
    append_time(html, facts->now);
    g_string_append(html, ", running since ");
    append_time(html, page->started);
    g_string_append(html, "</td></tr>\n");
    if (facts->spool == NULL)
        append_row(html, "Spool", "cannot be read", "bad");
    g_string_append(html, "</table>\n<h2>The last day</h2>\n"
                          "<div class=\"charts\">\n");
    pthread_mutex_lock(&page->lock);
    for (size_t c = 0; c < CHARTS; c++)
        append_chart(html, page, c);
    pthread_mutex_unlock(&page->lock);
    g_string_append(html, "</div>\n");
    append_queue(html, facts);
    g_string_append(html, "<p><a href=\"/metrics\">metrics</a> "
                          "<a href=\"/healthz\">health</a></p>\n"
                          "</body></html>\n");
    return g_string_free(html, FALSE);
}
