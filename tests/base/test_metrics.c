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

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/metrics/text", test_text);
    g_test_add_func("/metrics/get", test_get);
    return g_test_run();
}
