/* Prometheus text of counters, gauges and histograms. */
#include "base/metrics.h"

#include <glib.h>
#include <string.h>

static void
test_text(void)
{
    metrics_inc("messages_total", "verdict", "contact");
    metrics_add("messages_total", "verdict", "contact", 2);
    metrics_inc("messages_total", "verdict", "bounce");
    metrics_set("spool_rows", NULL, NULL, 7);
    metrics_set("spool_rows", NULL, NULL, 5);
    metrics_observe("end_of_message_seconds", NULL, NULL, 0.004);
    metrics_observe("end_of_message_seconds", NULL, NULL, 100);
    g_autofree char *text = metrics_text();

    static const char *const want[] = {
        "# TYPE contact_milter_messages_total counter\n",
        "contact_milter_messages_total{verdict=\"contact\"} 3\n",
        "contact_milter_messages_total{verdict=\"bounce\"} 1\n",
        "# HELP contact_milter_spool_rows Observations in the spool",
        "# TYPE contact_milter_spool_rows gauge\n",
        "contact_milter_spool_rows 5\n",
        "contact_milter_end_of_message_seconds_bucket{le=\"0.0025\"} 0\n",
        "contact_milter_end_of_message_seconds_bucket{le=\"0.005\"} 1\n",
        "contact_milter_end_of_message_seconds_bucket{le=\"30\"} 1\n",
        "contact_milter_end_of_message_seconds_bucket{le=\"+Inf\"} 2\n",
        "contact_milter_end_of_message_seconds_count 2\n",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(want); i++) {
        if (strstr(text, want[i]) == NULL)
            g_error("missing: %s in:\n%s", want[i], text);
    }
    /* One TYPE line for a name, however many labels. */
    const char *first = strstr(text, "# TYPE contact_milter_messages_total");
    g_assert_null(strstr(first + 1, "# TYPE contact_milter_messages_total"));
}

static void
test_get(void)
{
    metrics_add("test_total", NULL, NULL, 4);
    g_assert_cmpfloat(metrics_get("test_total", NULL, NULL), ==, 4);
    g_assert_cmpfloat(metrics_get("no_such_total", NULL, NULL), ==, 0);
}

static void
expect(const char *text, const char *want)
{
    if (strstr(text, want) == NULL)
        g_error("missing: %s in:\n%s", want, text);
}

static void
test_labels(void)
{
    metrics_add("calls_total", "action,result", "ping,ok", 3);
    metrics_add("calls_total", "action,result", "ping,rate", 1);
    metrics_add("calls_total", "action,result", "run,ok", 2);
    g_assert_cmpfloat(metrics_sum("calls_total", "ok"), ==, 5);
    g_assert_cmpfloat(metrics_sum("calls_total", "ping"), ==, 4);
    g_assert_cmpfloat(metrics_sum("calls_total", "pin"), ==, 0);
    g_assert_cmpfloat(metrics_sum("calls_total", NULL), ==, 6);
    metrics_observe("batch_calls", NULL, NULL, 40);
    g_autofree char *text = metrics_text();
    expect(text, "calls_total{action=\"ping\",result=\"rate\"} 1\n");
    expect(text, "batch_calls_bucket{le=\"30\"} 0\n");
    expect(text, "batch_calls_bucket{le=\"50\"} 1\n");
}

static void
test_save_and_load(void)
{
    metrics_set("own", NULL, NULL, 1);
    g_autofree char *saved = metrics_save();
    expect(saved, "gauge\town\t\t\t1\t0\n");
    metrics_load("some head\n"
                 "gauge\town\t\t\t5\t0\n"
                 "counter\tloaded_total\tresult\tok\t7\t0\n"
                 "histogram\tloaded_seconds\t\t\t2.5\t1\t0\t0\t0\t0\t0\t0\t0\t0"
                 "\t0\t0\t1\t1\t1\t1\n"
                 "histogram\tshort_seconds\t\t\t2.5\t1\t0\n"
                 "counter\tbad name\t\t\t7\t0\n"
                 "counter\tbad\tl\t\"}\t7\t0\n"
                 "counter\t\t\t\t7\t0\n"
                 "frobnicate\tx\t\t\t7\t0\n");
    g_assert_cmpfloat(metrics_get("own", NULL, NULL), ==, 1);
    g_assert_cmpfloat(metrics_get("loaded_total", "result", "ok"), ==, 7);
    g_autofree char *text = metrics_text();
    expect(text, "loaded_seconds_bucket{le=\"1\"} 0\n");
    expect(text, "loaded_seconds_bucket{le=\"2.5\"} 1\n");
    expect(text, "loaded_seconds_sum 2.5\n");
    g_assert_null(strstr(text, "short"));
    g_assert_null(strstr(text, "bad"));
    /* What one process saves, another has after loading. */
    metrics_load("counter\tloaded_total\tresult\tok\t3\t0\n");
    g_assert_cmpfloat(metrics_get("loaded_total", "result", "ok"), ==, 3);
    /* However much comes, it is bounded. */
    g_autoptr(GString) flood = g_string_new(NULL);
    for (int i = 0; i < 3 * METRICS_MAX; i++)
        g_string_append_printf(flood, "counter\tflood_%d\t\t\t1\t0\n", i);
    metrics_load(flood->str);
    metrics_load(strstr(flood->str, "flood_600") - 8);
    g_autofree char *all = metrics_save();
    size_t lines = 0;
    for (const char *p = all; (p = strchr(p, '\n')) != NULL; p++)
        lines++;
    g_assert_cmpuint(lines, <=, METRICS_MAX);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/metrics/text", test_text);
    g_test_add_func("/metrics/get", test_get);
    g_test_add_func("/metrics/labels", test_labels);
    g_test_add_func("/metrics/save-and-load", test_save_and_load);
    return g_test_run();
}
