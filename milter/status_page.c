/*
 * status_page.c - see status_page.h
 *
 * Each series of a chart is a sum of metrics whose growth within each quarter
 * of an hour is kept in a ring. Text from mail and from the API is escaped
 * where it enters the page; addresses obey `log addresses`.
 */
#include "status_page.h"

#include "base/log.h"
#include "base/metrics.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

enum {
    SLOTS = 96,
    SLOT_SECONDS = 900,
    SERIES_MAX = 4,
    STATE_ROWS = 15,
    MAIL_SIDE_LATE = 60, /* seconds: it speaks every few */
    CHART_WIDTH = 3 * SLOTS,
    CHART_HEIGHT = 64,
};

/* What is charted: a bar for each quarter of an hour, series upon series. */
static const struct {
    const char *title;
    const char *metric;
    struct {
        const char *value; /* of a label; NULL: all that is in no other one */
        const char *legend;
        const char *class; /* colour */
    } series[SERIES_MAX];
} charts[] = {
    { "Messages",
      "messages_total",
      { { "contact", "contact", "c1" },
        { "bounce", "bounce", "c2" },
        { "unsubscribe", "unsubscribe", "c3" },
        { NULL, "neither", "c0" } } },
    { "Findings at end-of-message",
      "observations_total",
      { { "stored", "new", "c1" },
        { "known", "seen just before", "c0" },
        { "waiting", "waited for the disk", "c2" },
        { "lost", "lost", "bad" } } },
    { "Findings judged",
      "judged_total",
      { { "merged", "taken", "c1" },
        { "held", "held", "c2" },
        { "refused", "not believed", "bad" },
        { NULL, "noted", "c0" } } },
    { "API calls",
      "api_calls_total",
      { { "ok", "answered", "c1" }, { NULL, "failed", "bad" } } },
};
enum { CHARTS = G_N_ELEMENTS(charts) };

struct StatusPage {
    pthread_mutex_t lock;
    int64_t started;
    int64_t slot; /* number of the newest slot: seconds / SLOT_SECONDS */
    double total[CHARTS][SERIES_MAX]; /* of the metrics when last sampled */
    double growth[CHARTS][SERIES_MAX][SLOTS];
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
        for (size_t c = 0; c < CHARTS; c++) {
            for (size_t s = 0; s < SERIES_MAX; s++)
                page->growth[c][s][page->slot % SLOTS] = 0;
        }
    }
}

static double
series_total(size_t chart, size_t series)
{
    const char *metric = charts[chart].metric;
    if (charts[chart].series[series].value != NULL)
        return metrics_sum(metric, charts[chart].series[series].value);
    double rest = metrics_sum(metric, NULL);
    for (size_t s = 0; s < series; s++)
        rest -= metrics_sum(metric, charts[chart].series[s].value);
    return rest;
}

void
status_page_sample(StatusPage *page, int64_t now)
{
    pthread_mutex_lock(&page->lock);
    advance(page, now);
    for (size_t c = 0; c < CHARTS; c++) {
        for (size_t s = 0; s < SERIES_MAX && charts[c].series[s].legend; s++) {
            double total = series_total(c, s);
            /* Less than before: the other process began anew. */
            double before = total < page->total[c][s] ? 0 : page->total[c][s];
            page->growth[c][s][page->slot % SLOTS] += total - before;
            page->total[c][s] = total;
        }
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
append_time(GString *html, int64_t when, const char *format)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(when);
    g_autofree char *text =
        time != NULL && when > 0 ? g_date_time_format(time, format) : NULL;
    append_text(html, text);
}

static void
append_age(GString *html, int64_t seconds)
{
    const char *unit = "s";
    if (seconds >= 2 * 86400) {
        seconds /= 86400;
        unit = "d";
    } else if (seconds >= 2 * 3600) {
        seconds /= 3600;
        unit = "h";
    } else if (seconds >= 120) {
        seconds /= 60;
        unit = "min";
    }
    g_string_append_printf(html, "%" G_GINT64_FORMAT " %s", MAX(seconds, 0),
                           unit);
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

/* --- what a person should look at ------------------------------------------ */

typedef struct {
    GString *html;
    bool any;
} Notices;

static void append_notice(Notices *notices, const char *class,
                          const char *command, const char *format, ...)
    G_GNUC_PRINTF(4, 5);

static void
append_notice(Notices *notices, const char *class, const char *command,
              const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    g_string_append_printf(notices->html, "%s<li class=\"%s\">",
                           notices->any ? "" : "<ul class=\"notices\">\n",
                           class);
    append_text(notices->html, text);
    if (command != NULL)
        g_string_append_printf(notices->html, " <code>%s</code>", command);
    g_string_append(notices->html, "</li>\n");
    notices->any = true;
}

static void
append_notices(GString *html, const StatusFacts *facts)
{
    Notices notices = { html, false };
    if (facts->spool == NULL)
        append_notice(&notices, "bad", "contactctl check",
                      "The spool cannot be read: findings wait in memory.");
    if (facts->store == NULL)
        append_notice(&notices, "bad", "contactctl check",
                      "The contacts store cannot be read: observations wait in "
                      "the spool.");
    if (facts->mail_side_silent > MAIL_SIDE_LATE)
        append_notice(&notices, "bad", "systemctl status contact-milter",
                      "The mail side gives no sign of life: mail flows, nobody "
                      "looks at it.");
    if (facts->paused != NULL)
        append_notice(&notices, "bad", "contactctl check",
                      "The sync is paused: %s.", facts->paused);
    double lost = metrics_sum("observations_total", "lost");
    if (lost > 0)
        append_notice(&notices, "bad", NULL,
                      "%.0f findings were lost since the start: the disk did "
                      "not take them; the log names the messages.",
                      lost);
    if (facts->spool != NULL && facts->spool->set_aside > 0)
        append_notice(&notices, "bad", NULL,
                      "%" G_GINT64_FORMAT " findings were set aside, because "
                      "judging them failed again and again.",
                      facts->spool->set_aside);
    if (facts->store != NULL && facts->store->dead > 0)
        append_notice(&notices, "bad", "contactctl queue retry --dead",
                      "Dead letters: %" G_GINT64_FORMAT
                      ". The API will not take them as they are; mend what "
                      "the reason names.",
                      facts->store->dead);
    if (facts->store != NULL && facts->store->held > 0)
        append_notice(&notices, "warn", "contactctl queue release ADDRESS",
                      "Held until a person decides: %" G_GINT64_FORMAT ".",
                      facts->store->held);
    g_string_append(html, notices.any ? "</ul>\n"
                                      : "<p class=\"good\">All is well.</p>\n");
}

static void
append_tiles(GString *html, const StatusFacts *facts)
{
    g_string_append(html, "<div class=\"tiles\">\n");
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
        append_tile(html, "dead letters", facts->store->dead,
                    facts->store->dead > 0 ? "bad" : "");
    }
    g_string_append(html, "</div>\n");
}

static void
append_api(GString *html, const StatusFacts *facts)
{
    g_string_append(html, "<h2>The API</h2>\n<table>\n");
    g_autofree char *sync = facts->paused
                                ? g_strdup_printf("paused: %s", facts->paused)
                                : g_strdup("running");
    append_row(html, "Sync", sync, facts->paused ? "bad" : "");
    append_row(html, "Last success", facts->last_success, "");
    append_row(html, "Last error", facts->last_error, "");
    if (facts->store != NULL && facts->store->oldest_pending > 0) {
        g_string_append(html, "<tr><th>Oldest pending</th><td>");
        append_age(html, facts->now - facts->store->oldest_pending);
        g_string_append(html, "</td></tr>\n");
    }
    g_string_append(html, "</table>\n");
}

/* --- charts ---------------------------------------------------------------- */

static void
append_bars(GString *html, const StatusPage *page, size_t c, int slot,
            double highest)
{
    size_t at = (size_t) (page->slot + 1 + slot) % SLOTS;
    double floor = CHART_HEIGHT;
    g_autoptr(GString) title = g_string_new(NULL);
    for (size_t s = 0; s < SERIES_MAX && charts[c].series[s].legend; s++) {
        double value = page->growth[c][s][at];
        if (value <= 0)
            continue;
        double height = MAX(1.0, value / highest * CHART_HEIGHT);
        char top[G_ASCII_DTOSTR_BUF_SIZE], tall[G_ASCII_DTOSTR_BUF_SIZE];
        floor = MAX(floor - height, 0);
        if (title->len == 0)
            g_string_append(html, "<g>");
        g_string_append_printf(
            html,
            "<rect class=\"%s\" x=\"%d\" y=\"%s\" width=\"2.4\" "
            "height=\"%s\"/>",
            charts[c].series[s].class, slot * CHART_WIDTH / SLOTS,
            g_ascii_formatd(top, sizeof top, "%.1f", floor),
            g_ascii_formatd(tall, sizeof tall, "%.1f", height));
        g_string_append_printf(title, "%s%.0f %s", title->len > 0 ? ", " : "",
                               value, charts[c].series[s].legend);
    }
    if (title->len == 0)
        return;
    g_string_append(html, "<title>");
    append_time(html, (page->slot + 1 - SLOTS + slot) * SLOT_SECONDS, "%H:%M");
    g_string_append_printf(html, " UTC: %s</title></g>", title->str);
}

/* Bars of the last day, stacked; the lock is held. */
static void
append_chart(GString *html, const StatusPage *page, size_t c)
{
    double highest = 0, sum[SERIES_MAX] = { 0 }, all = 0;
    for (size_t i = 0; i < SLOTS; i++) {
        double height = 0;
        for (size_t s = 0; s < SERIES_MAX; s++) {
            height += page->growth[c][s][i];
            sum[s] += page->growth[c][s][i];
        }
        highest = MAX(highest, height);
        all += height;
    }
    g_string_append_printf(
        html,
        "<figure><figcaption>%s <small>%.0f in 24 h, at most %.0f in 15 "
        "min</small></figcaption>\n<svg viewBox=\"0 0 %d %d\" role=\"img\" "
        "preserveAspectRatio=\"none\" aria-label=\"%s of the last day\">",
        charts[c].title, all, highest, CHART_WIDTH, CHART_HEIGHT,
        charts[c].title);
    for (int quarter = 1; quarter < 4; quarter++)
        g_string_append_printf(html, "<path d=\"M%d 0v%d\"/>",
                               quarter * CHART_WIDTH / 4, CHART_HEIGHT);
    for (int i = 0; i < SLOTS; i++)
        append_bars(html, page, c, i, highest);
    g_string_append(html, "</svg>\n<div class=\"axis\">");
    for (int quarter = 0; quarter < 4; quarter++) {
        g_string_append(html, "<span>");
        append_time(
            html, (page->slot + 1 - SLOTS + quarter * SLOTS / 4) * SLOT_SECONDS,
            "%H:%M");
        g_string_append(html, "</span>");
    }
    g_string_append(html, "<span>now</span></div>\n<div class=\"legend\">");
    for (size_t s = 0; s < SERIES_MAX && charts[c].series[s].legend; s++)
        g_string_append_printf(
            html, "<span><i class=\"%s\"></i>%s <b>%.0f</b></span> ",
            charts[c].series[s].class, charts[c].series[s].legend, sum[s]);
    g_string_append(html, "</div></figure>\n");
}

/* --- lists ----------------------------------------------------------------- */

/* The entries of one state; `when` is what their last column says. */
static void
append_state(GString *html, const StatusFacts *facts, const char *state,
             int64_t count, const char *title, const char *when)
{
    if (count == 0 || facts->queue == NULL)
        return;
    g_string_append_printf(
        html,
        "<h2>%s</h2>\n<div class=\"wide\"><table class=\"list %s\"><tr>"
        "<th>Address</th><th>Wants</th><th>Why</th><th>Tried</th>"
        "<th>Since</th>%s%s%s</tr>\n",
        title, state, when ? "<th>" : "", when ? when : "",
        when ? "</th>" : "");
    int64_t rows = 0;
    for (guint i = 0; i < facts->queue->len && rows < STATE_ROWS; i++) {
        const QueueEntry *e = g_ptr_array_index(facts->queue, i);
        if (strcmp(e->state, state) != 0)
            continue;
        g_autofree char *email = log_address(e->email);
        g_string_append(html, "<tr><td>");
        append_text(html, email);
        g_string_append(html, "</td><td>");
        append_text(html, e->wants);
        g_string_append(html, "</td><td>");
        append_text(html, e->reason != NULL  ? e->reason
                          : e->attempts == 0 ? "its turn has not come yet"
                                             : NULL);
        g_string_append_printf(html, "</td><td>%u</td><td>", e->attempts);
        append_time(html, e->since, "%Y-%m-%d %H:%M:%S UTC");
        if (when != NULL) {
            g_string_append(html, "</td><td>");
            if (e->due > facts->now) {
                g_string_append(html, "in ");
                append_age(html, e->due - facts->now);
            } else {
                append_text(html, "now");
            }
        }
        g_string_append(html, "</td></tr>\n");
        rows++;
    }
    g_string_append(html, "</table></div>\n");
    if (count > rows)
        g_string_append_printf(html,
                               "<p>%" G_GINT64_FORMAT " more: <code>contactctl "
                               "queue list</code></p>\n",
                               count - rows);
}

static void
append_log(GString *html, const GPtrArray *log)
{
    g_string_append(html, "<h2>Last errors and warnings</h2>\n");
    if (log == NULL || log->len == 0) {
        g_string_append(html, "<p>None since the start.</p>\n");
        return;
    }
    g_string_append(html, "<div class=\"wide\"><table class=\"list log\">\n");
    guint oldest = log->len > LOG_RECENT ? log->len - LOG_RECENT : 0;
    for (guint i = log->len; i > oldest; i--) {
        const LogLine *line = g_ptr_array_index(log, i - 1);
        bool error = line->level == LOG_LEVEL_ERROR_;
        g_string_append(html, "<tr><td>");
        append_time(html, line->time, "%Y-%m-%d %H:%M:%S UTC");
        g_string_append_printf(html, "</td><td class=\"%s\">%s</td><td>",
                               error ? "bad" : "warn",
                               error ? "error" : "warning");
        append_text(html, line->text);
        g_string_append(html, "</td></tr>\n");
    }
    g_string_append(html, "</table></div>\n");
}

static const char style[] =
    ":root{color-scheme:light dark;--page:#f6f7f9;--card:#fff;--ink:#1c2430;"
    "--dim:#5b6675;--line:#d9dee5;--c0:#aab4c0;--c1:#2f76b7;--c2:#d08a1d;"
    "--c3:#7a5bb5;--bad:#b3261e;--warn:#8a5a00;--good:#1d7a3c}\n"
    "@media(prefers-color-scheme:dark){:root{--page:#13171c;--card:#1b2129;"
    "--ink:#e4e8ee;--dim:#9aa5b4;--line:#313a46;--c0:#5d6978;--c1:#6cb0f0;"
    "--c2:#e3b341;--c3:#b79bf0;--bad:#ff8a80;--warn:#e3b341;--good:#6fcf8f}}\n"
    "*{box-sizing:border-box}\n"
    "body{font:15px/1.5 system-ui,sans-serif;max-width:64rem;margin:0 auto;"
    "padding:1.5rem 1rem 3rem;background:var(--page);color:var(--ink)}\n"
    "h1{font-size:1.35rem;margin:0}h1 small{font-weight:normal}\n"
    "h2{font-size:1.05rem;margin:2rem 0 .6rem}a{color:var(--c1)}\n"
    "small,.axis,.legend,.tile span,footer{color:var(--dim)}\n"
    "code{background:var(--page);border:1px solid var(--line);"
    "border-radius:.25rem;padding:0 .3rem}\n"
    ".notices,.good{background:var(--card);border:1px solid var(--line);"
    "border-left:.3rem solid var(--line);border-radius:.4rem;padding:.6rem "
    "1rem;margin:1rem 0;list-style:none}\n"
    ".good{border-left-color:var(--good)}.notices{border-left-color:"
    "var(--warn)}.notices:has(.bad){border-left-color:var(--bad)}\n"
    ".notices li{padding-left:1.2em;text-indent:-1.2em}\n"
    ".notices .bad::before,.notices .warn::before{content:\"\\25CF  \";"
    "color:var(--warn)}.notices .bad::before{color:var(--bad)}\n"
    ".tiles{display:grid;gap:.75rem;"
    "grid-template-columns:repeat(auto-fit,minmax(8.5rem,1fr))}\n"
    ".tile,figure,.wide{background:var(--card);border:1px solid var(--line);"
    "border-radius:.5rem;padding:.7rem 1rem}\n"
    ".tile b{display:block;font-size:1.7rem;line-height:1.3;"
    "font-variant-numeric:tabular-nums}\n"
    ".bad b,.bad td,td.bad{color:var(--bad)}"
    ".warn b,td.warn{color:var(--warn)}\n"
    "table{border-collapse:collapse}th,td{text-align:left;padding:.3rem "
    "1rem .3rem 0;vertical-align:top}th{font-weight:600}\n"
    ".wide{overflow-x:auto;padding:.2rem 1rem}\n"
    ".list{width:100%;font-size:.9rem}.list tr+tr{border-top:1px solid "
    "var(--line)}.list td,.list th{white-space:nowrap}"
    ".list td:nth-child(3){white-space:normal;overflow-wrap:break-word;"
    "min-width:15rem;width:99%}\n"
    ".charts{display:grid;gap:.75rem;"
    "grid-template-columns:repeat(auto-fit,minmax(min(24rem,100%),1fr))}\n"
    "figure{margin:0}figcaption{font-weight:600}figcaption small{display:block;"
    "font-weight:normal}\n"
    "svg{display:block;width:100%;height:5.5rem;margin-top:.5rem;"
    "border-bottom:1px solid var(--dim)}path{stroke:var(--line);"
    "vector-effect:non-scaling-stroke}\n"
    ".axis{display:grid;grid-template-columns:repeat(4,1fr);position:relative;"
    "font-size:.75rem}.axis :last-child{position:absolute;right:0}\n"
    ".legend{font-size:.85rem;margin-top:.3rem}.legend span{margin-right:"
    ".8rem;white-space:nowrap}.legend b{color:var(--ink);font-weight:600}\n"
    ".legend i{display:inline-block;width:.7em;height:.7em;margin-right:.35em;"
    "border-radius:.15em}\n"
    "rect.c0{fill:var(--c0)}rect.c1{fill:var(--c1)}rect.c2{fill:var(--c2)}"
    "rect.c3{fill:var(--c3)}rect.bad{fill:var(--bad)}\n"
    "i.c0{background:var(--c0)}i.c1{background:var(--c1)}i.c2{background:"
    "var(--c2)}i.c3{background:var(--c3)}i.bad{background:var(--bad)}\n"
    "footer{margin-top:2rem;font-size:.9rem}\n";

char *
status_page_html(StatusPage *page, const StatusFacts *facts)
{
    status_page_sample(page, facts->now);
    GString *html = g_string_sized_new(32768);
    g_string_append_printf(
        html,
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width\">\n"
        "<meta http-equiv=\"refresh\" content=\"60\">\n"
        "<title>contact-milter</title>\n<style>%s</style></head><body>\n"
        "<h1>contact-milter <small>%s on ",
        style, VERSION);
    append_text(html, g_get_host_name());
    g_string_append(html, "</small></h1>\n");
    append_notices(html, facts);
    append_tiles(html, facts);
    append_api(html, facts);

    g_string_append(html, "<h2>The last day</h2>\n<div class=\"charts\">\n");
    pthread_mutex_lock(&page->lock);
    for (size_t c = 0; c < CHARTS; c++)
        append_chart(html, page, c);
    pthread_mutex_unlock(&page->lock);
    g_string_append(html, "</div>\n");

    if (facts->store != NULL) {
        append_state(html, facts, "dead", facts->store->dead, "Dead letters",
                     NULL);
        append_state(html, facts, "held", facts->store->held,
                     "Held for a person", NULL);
        append_state(html, facts, "pending", facts->store->pending,
                     "What waits for the API", "Next try");
    }
    append_log(html, facts->log);
    g_string_append_printf(html, "<footer>Role %s, as of ",
                           facts->role ? facts->role : "all");
    append_time(html, facts->now, "%Y-%m-%d %H:%M:%S UTC");
    g_string_append(html, ", running since ");
    append_time(html, page->started, "%Y-%m-%d %H:%M:%S UTC");
    g_string_append(html, ". <a href=\"/metrics\">Metrics</a>, "
                          "<a href=\"/healthz\">health</a>.</footer>\n"
                          "</body></html>\n");
    return g_string_free(html, FALSE);
}
