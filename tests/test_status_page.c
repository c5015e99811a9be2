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
    const StoreStatus store = { .pending = 4, .held = 1, .contacts = 77 };
    g_autoptr(GPtrArray) queue = g_ptr_array_new();
    QueueEntry entry = { .email = (char *) "<script>@example.org",
                         .state = (char *) "held",
                         .wants = (char *) "status=2",
                         .reason = (char *) "a & b \377",
                         .attempts = 2,
                         .since = 1000 };
    g_ptr_array_add(queue, &entry);
    const StatusFacts facts = { .now = 900000,
                                .role = "sync",
                                .spool = &spool,
                                .store = &store,
                                .paused = "401 <revoked>",
                                .last_success = "2026-11-23 00:00:00 UTC",
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
    expect(html, "Observations stored <small>11 in 24 h");
    expect(html, "Observations seen just before <small>12 in 24 h");
    expect(html, "Observations that waited for the disk <small>13 in 24 h");
    expect(html, "Observations lost <small>14 in 24 h");
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

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/status-page/html", test_html);
    g_test_add_func("/status-page/rates", test_rates);
    return g_test_run();
}
