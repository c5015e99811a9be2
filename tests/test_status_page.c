/* The status page shows what it is told, escaped, and the rates of a day. */
#include "base/log.h"
#include "base/metrics.h"
#include "status_page.h"

#include <string.h>

static void
expect(const char *html, const char *text)
{
    if (strstr(html, text) == NULL)
        g_error("missing \"%s\" in:\n%s", text, html);
}

static void
test_html(void)
{
    const SpoolStatus spool = { .rows = 3 };
    const StoreStatus store = {
        .pending = 4, .held = 1, .dead = 1, .contacts = 77
    };
    g_autoptr(GPtrArray) queue = g_ptr_array_new();
    QueueEntry entry = { .email = (char *) "<script>@example.org",
                         .state = (char *) "held",
                         .wants = (char *) "status=2",
                         .reason = (char *) "a & b \377",
                         .attempts = 2,
                         .since = 1000 };
    g_ptr_array_add(queue, &entry);
    QueueEntry dead = entry, pending = entry;
    dead.state = (char *) "dead";
    dead.reason = (char *) "too long";
    pending.state = (char *) "pending";
    pending.reason = NULL;
    pending.attempts = 0;
    pending.due = 900060;
    g_ptr_array_add(queue, &dead);
    g_ptr_array_add(queue, &pending);
    LogLine line = { 899000, LOG_LEVEL_ERROR_, (char *) "<b>broken</b>" };
    g_autoptr(GPtrArray) log = g_ptr_array_new();
    g_ptr_array_add(log, &line);
    const StatusFacts facts = { .now = 900000,
                                .role = "sync",
                                .spool = &spool,
                                .store = &store,
                                .paused = "401 <revoked>",
                                .last_success = "2026-11-23 00:00:00 UTC",
                                .mail_side_silent = 61,
                                .log = log,
                                .queue = queue };
    StatusPage *page = status_page_new(facts.now);
    g_autofree char *html = status_page_html(page, &facts);
    g_assert_true(g_utf8_validate(html, -1, NULL));
    expect(html, "<b>77</b><span>contacts</span>");
    expect(html, "401 &lt;revoked&gt;");
    expect(html, "&lt;script&gt;@example.org");
    expect(html, "a &amp; b");
    expect(html, "1970-01-01 00:16:40 UTC");
    g_assert_null(strstr(html, "<script"));
    expect(html, "gives no sign of life");
    expect(html, "The sync is paused: 401 &lt;revoked&gt;.");
    expect(html, "<h2>Dead letters</h2>");
    expect(html, "<td>too long</td>");
    expect(html, "<h2>Held for a person</h2>");
    expect(html, "its turn has not come yet</td><td>0</td>");
    expect(html, "<td>in 60 s</td>");
    expect(html, "3 more: <code>contactctl queue list");
    expect(html, "error</td><td>&lt;b&gt;broken&lt;/b&gt;</td>");
    g_assert_null(strstr(html, "All is well"));

    log_open("test", LOG_TARGET_STDERR, LOG_LEVEL_INFO_, ADDRESSES_HASHED);
    g_autofree char *hashed = status_page_html(page, &facts);
    g_assert_null(strstr(hashed, "@example.org"));
    status_page_free(page);
}

static void
test_rates(void)
{
    const int64_t start = 1000000 / 900 * 900;
    StatusPage *page = status_page_new(start);
    StatusFacts facts = { .now = start };
    metrics_add("messages_total", "verdict", "contact", 5);
    metrics_add("messages_total", "verdict", "bounce", 2);
    metrics_add("observations_total", "result", "stored", 11);
    metrics_add("observations_total", "result", "known", 12);
    metrics_add("observations_total", "result", "waiting", 13);
    metrics_add("observations_total", "result", "lost", 14);
    status_page_sample(page, start + 10);
    metrics_add("messages_total", "verdict", "bounce", 3);
    facts.now = start + 1000;
    g_autofree char *html = status_page_html(page, &facts);
    expect(html, "Messages <small>10 in 24 h, at most 7 in 15 min");
    expect(html, "contact <b>5</b>");
    expect(html, "bounce <b>5</b>");
    expect(html, "<title>14:00 UTC: 3 bounce</title>");
    expect(html, "Findings at end-of-message <small>50 in 24 h");
    expect(html, "new <b>11</b>");
    expect(html, "seen just before <b>12</b>");
    expect(html, "waited for the disk <b>13</b>");
    expect(html, "lost <b>14</b>");
    expect(html, "14 findings were lost since the start");
    /* The oldest slot has gone a day later, the second is still there. */
    facts.now = start + 86400;
    g_autofree char *later = status_page_html(page, &facts);
    expect(later, "Messages <small>3 in 24 h, at most 3 in 15 min");
    /* A clock that jumps back does no harm. */
    facts.now = start - 86400;
    g_autofree char *back = status_page_html(page, &facts);
    expect(back, "Messages <small>0 in 24 h");
    status_page_free(page);
}

/* The mail side's counters begin anew when it is restarted. */
static void
test_restart(void)
{
    const int64_t start = 1000000 / 900 * 900;
    StatusPage *page = status_page_new(start);
    const StatusFacts facts = { .now = start };
    const SpoolStatus spool = { 0 };
    const StoreStatus store = { 0 };
    const StatusFacts well = { .now = start, .spool = &spool, .store = &store };
    metrics_load("counter\tapi_calls_total\taction,result\tping,ok\t9\t0\n"
                 "counter\tapi_calls_total\taction,result\tping,rate\t2\t0\n");
    status_page_sample(page, start);
    metrics_load("counter\tapi_calls_total\taction,result\tping,ok\t4\t0\n");
    g_autofree char *html = status_page_html(page, &facts);
    expect(html, "answered <b>13</b>");
    expect(html, "failed <b>2</b>");
    expect(html, "The contacts store cannot be read");
    g_autofree char *good = status_page_html(page, &well);
    expect(good, "All is well");
    status_page_free(page);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/status-page/restart", test_restart);
    g_test_add_func("/status-page/html", test_html);
    g_test_add_func("/status-page/rates", test_rates);
    return g_test_run();
}
