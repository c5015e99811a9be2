/*
 * metrics.c - see metrics.h
 *
 * A handful of metrics in a fixed table: looked up by name and label under one
 * mutex. A message costs a few lookups, which is nothing beside its parsing.
 */
#include "base/metrics.h"

#include <glib.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

typedef enum { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM } MetricType;

/* Seconds: from a commit on a fast disk to an API that times out. */
static const double bounds[] = { 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                 0.25,  0.5,    1,     2.5,  5,     10,   30 };
enum { N_BOUNDS = G_N_ELEMENTS(bounds) };

typedef struct {
    MetricType type;
    char *name;
    char *label;
    char *value;
    double amount;
    uint64_t buckets[N_BOUNDS];
    uint64_t count;
} Metric;

static struct {
    pthread_mutex_t lock;
    GHashTable *index; /* "name label=value" -> Metric */
} metrics = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* The metric, made if `make`; the lock is held. */
static Metric *
metric_find(MetricType type, const char *name, const char *label,
            const char *value, bool make)
{
    char key[256];
    (void) g_snprintf(key, sizeof key, "%s %s=%s", name, label ? label : "",
                      value ? value : "");
    if (metrics.index == NULL)
        metrics.index = g_hash_table_new(g_str_hash, g_str_equal);
    Metric *metric = g_hash_table_lookup(metrics.index, key);
    if (metric == NULL && make) {
        metric = g_new0(Metric, 1);
        metric->type = type;
        metric->name = g_strdup(name);
        metric->label = g_strdup(label);
        metric->value = g_strdup(value);
        g_hash_table_insert(metrics.index, g_strdup(key), metric);
    }
    return metric;
}

void
metrics_add(const char *name, const char *label, const char *value,
            double amount)
{
    pthread_mutex_lock(&metrics.lock);
    metric_find(METRIC_COUNTER, name, label, value, true)->amount += amount;
    pthread_mutex_unlock(&metrics.lock);
}

void
metrics_inc(const char *name, const char *label, const char *value)
{
    metrics_add(name, label, value, 1);
}

void
metrics_set(const char *name, const char *label, const char *value,
            double amount)
{
    pthread_mutex_lock(&metrics.lock);
    metric_find(METRIC_GAUGE, name, label, value, true)->amount = amount;
    pthread_mutex_unlock(&metrics.lock);
}

void
metrics_observe(const char *name, const char *label, const char *value,
                double seconds)
{
    pthread_mutex_lock(&metrics.lock);
    Metric *metric = metric_find(METRIC_HISTOGRAM, name, label, value, true);
    metric->amount += seconds;
    metric->count++;
    for (size_t i = 0; i < N_BOUNDS; i++) {
        if (seconds <= bounds[i])
            metric->buckets[i]++;
    }
    pthread_mutex_unlock(&metrics.lock);
}

double
metrics_get(const char *name, const char *label, const char *value)
{
    pthread_mutex_lock(&metrics.lock);
    const Metric *metric =
        metric_find(METRIC_COUNTER, name, label, value, false);
    double amount = metric == NULL                     ? 0
                    : metric->type == METRIC_HISTOGRAM ? (double) metric->count
                                                       : metric->amount;
    pthread_mutex_unlock(&metrics.lock);
    return amount;
}

double
metrics_sum(const char *name, const char *value)
{
    double sum = 0;
    pthread_mutex_lock(&metrics.lock);
    GHashTableIter iter;
    gpointer at;
    if (metrics.index != NULL) {
        g_hash_table_iter_init(&iter, metrics.index);
        while (g_hash_table_iter_next(&iter, NULL, &at)) {
            const Metric *metric = at;
            if (strcmp(metric->name, name) == 0 &&
                (value == NULL || g_strcmp0(metric->value, value) == 0))
                sum += metric->amount;
        }
    }
    pthread_mutex_unlock(&metrics.lock);
    return sum;
}

static int
by_name(gconstpointer a, gconstpointer b)
{
    const Metric *x = *(const Metric *const *) a;
    const Metric *y = *(const Metric *const *) b;
    int order = strcmp(x->name, y->name);
    return order != 0 ? order : g_strcmp0(x->value, y->value);
}

static void
append_sample(GString *out, const Metric *m, const char *suffix, const char *le,
              double amount)
{
    char number[G_ASCII_DTOSTR_BUF_SIZE];
    g_string_append_printf(out, "contact_milter_%s%s", m->name, suffix);
    if (m->label != NULL || le != NULL) {
        g_string_append_c(out, '{');
        if (m->label != NULL)
            g_string_append_printf(out, "%s=\"%s\"", m->label, m->value);
        if (le != NULL)
            g_string_append_printf(out, "%sle=\"%s\"", m->label ? "," : "", le);
        g_string_append_c(out, '}');
    }
    g_string_append_printf(
        out, " %s\n", g_ascii_formatd(number, sizeof number, "%.17g", amount));
}

static void
append_metric(GString *out, const Metric *m)
{
    if (m->type != METRIC_HISTOGRAM) {
        append_sample(out, m, "", NULL, m->amount);
        return;
    }
    for (size_t i = 0; i < N_BOUNDS; i++) {
        char le[G_ASCII_DTOSTR_BUF_SIZE];
        (void) g_ascii_formatd(le, sizeof le, "%g", bounds[i]);
        append_sample(out, m, "_bucket", le, (double) m->buckets[i]);
    }
    append_sample(out, m, "_bucket", "+Inf", (double) m->count);
    append_sample(out, m, "_sum", NULL, m->amount);
    append_sample(out, m, "_count", NULL, (double) m->count);
}

/* What each metric means: the HELP lines. Names without a row have none. */
static const struct {
    const char *name;
    const char *help;
} helps[] = {
#include "base/metrics_help.inc"
};

char *
metrics_text(void)
{
    static const char *const types[] = { "counter", "gauge", "histogram" };
    GString *out = g_string_new(NULL);
    g_autoptr(GPtrArray) list = g_ptr_array_new();

    pthread_mutex_lock(&metrics.lock);
    if (metrics.index != NULL) {
        GHashTableIter iter;
        gpointer metric;
        g_hash_table_iter_init(&iter, metrics.index);
        while (g_hash_table_iter_next(&iter, NULL, &metric))
            g_ptr_array_add(list, metric);
    }
    g_ptr_array_sort(list, by_name);
    const char *previous = "";
    for (guint i = 0; i < list->len; i++) {
        const Metric *m = g_ptr_array_index(list, i);
        if (strcmp(m->name, previous) != 0) {
            for (size_t h = 0; h < G_N_ELEMENTS(helps); h++) {
                if (strcmp(helps[h].name, m->name) == 0)
                    g_string_append_printf(out, "# HELP contact_milter_%s %s\n",
                                           m->name, helps[h].help);
            }
            g_string_append_printf(out, "# TYPE contact_milter_%s %s\n",
                                   m->name, types[m->type]);
        }
        previous = m->name;
        append_metric(out, m);
    }
    pthread_mutex_unlock(&metrics.lock);
    return g_string_free(out, FALSE);
}
