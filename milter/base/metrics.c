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
#include <stdint.h>
#include <string.h>

typedef enum { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM } MetricType;

enum { N_BOUNDS = 14, LINE_FIELDS = 6 };

/* From a commit on a fast disk to an API that times out. */
static const double seconds[N_BOUNDS] = { 0.001, 0.0025, 0.005, 0.01, 0.025,
                                          0.05,  0.1,    0.25,  0.5,  1,
                                          2.5,   5,      10,    30 };
static const double counts[N_BOUNDS] = { 1,  2,   3,   5,   10,  20,   30,
                                         50, 100, 200, 300, 500, 1000, 2000 };

typedef struct {
    MetricType type;
    char *name;
    char *label;
    char *value;
    bool own; /* raised here, not loaded */
    double amount;
    uint64_t buckets[N_BOUNDS];
    uint64_t count;
} Metric;

static const char *const types[] = { "counter", "gauge", "histogram" };

static struct {
    pthread_mutex_t lock;
    GHashTable *index; /* "name label=value" -> Metric */
} metrics = { .lock = PTHREAD_MUTEX_INITIALIZER };

static const double *
bounds_of(const char *name)
{
    return g_str_has_suffix(name, "_seconds") ? seconds : counts;
}

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

/* The metric that this process raises; the lock is held. */
static Metric *
own(MetricType type, const char *name, const char *label, const char *value)
{
    Metric *metric = metric_find(type, name, label, value, true);
    metric->own = true;
    return metric;
}

void
metrics_add(const char *name, const char *label, const char *value,
            double amount)
{
    pthread_mutex_lock(&metrics.lock);
    own(METRIC_COUNTER, name, label, value)->amount += amount;
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
    own(METRIC_GAUGE, name, label, value)->amount = amount;
    pthread_mutex_unlock(&metrics.lock);
}

void
metrics_observe(const char *name, const char *label, const char *value,
                double amount)
{
    const double *bounds = bounds_of(name);
    pthread_mutex_lock(&metrics.lock);
    Metric *metric = own(METRIC_HISTOGRAM, name, label, value);
    metric->amount += amount;
    metric->count++;
    for (size_t i = 0; i < N_BOUNDS; i++) {
        if (amount <= bounds[i])
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

/* Is `value` one of the metric's label values? */
static bool
has_value(const Metric *metric, const char *value)
{
    size_t len = strlen(value);
    const char *at = metric->value;
    while (at != NULL) {
        size_t part = strcspn(at, ",");
        if (part == len && memcmp(at, value, len) == 0)
            return true;
        at = at[part] != '\0' ? at + part + 1 : NULL;
    }
    return false;
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
                (value == NULL || has_value(metric, value)))
                sum += metric->amount;
        }
    }
    pthread_mutex_unlock(&metrics.lock);
    return sum;
}

/* --- from one process to another ------------------------------------------- */

/* One line each: type, name, labels, values, amount, count, then the buckets,
 * with tabs between. */
char *
metrics_save(void)
{
    GString *out = g_string_new(NULL);
    GHashTableIter iter;
    gpointer at;
    pthread_mutex_lock(&metrics.lock);
    if (metrics.index != NULL) {
        g_hash_table_iter_init(&iter, metrics.index);
        while (g_hash_table_iter_next(&iter, NULL, &at)) {
            const Metric *m = at;
            char number[G_ASCII_DTOSTR_BUF_SIZE];
            g_string_append_printf(
                out, "%s\t%s\t%s\t%s\t%s\t%" G_GUINT64_FORMAT, types[m->type],
                m->name, m->label ? m->label : "", m->value ? m->value : "",
                g_ascii_dtostr(number, sizeof number, m->amount), m->count);
            for (size_t i = 0; m->type == METRIC_HISTOGRAM && i < N_BOUNDS; i++)
                g_string_append_printf(out, "\t%" G_GUINT64_FORMAT,
                                       m->buckets[i]);
            g_string_append_c(out, '\n');
        }
    }
    pthread_mutex_unlock(&metrics.lock);
    return g_string_free(out, FALSE);
}

static bool
is_word(const char *text)
{
    return strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                        "0123456789_,-") == strlen(text);
}

/* The lock is held. */
static void
load_line(const char *line)
{
    g_auto(GStrv) field = g_strsplit(line, "\t", -1);
    guint n = g_strv_length(field);
    size_t type = 0;
    while (n >= LINE_FIELDS && type < G_N_ELEMENTS(types) &&
           strcmp(field[0], types[type]) != 0)
        type++;
    if (n < LINE_FIELDS || type == G_N_ELEMENTS(types) ||
        (type == METRIC_HISTOGRAM && n != LINE_FIELDS + N_BOUNDS) ||
        field[1][0] == '\0' || !is_word(field[1]) || !is_word(field[2]) ||
        !is_word(field[3]))
        return;
    const char *label = field[2][0] != '\0' ? field[2] : NULL;
    const char *value = field[3][0] != '\0' ? field[3] : NULL;
    bool full = metrics.index != NULL &&
                g_hash_table_size(metrics.index) >= METRICS_MAX;
    Metric *m = metric_find((MetricType) type, field[1], label, value, !full);
    if (m == NULL || m->own || m->type != (MetricType) type)
        return;
    m->amount = g_ascii_strtod(field[4], NULL);
    m->count = g_ascii_strtoull(field[5], NULL, 10);
    for (size_t i = 0; type == METRIC_HISTOGRAM && i < N_BOUNDS; i++)
        m->buckets[i] = g_ascii_strtoull(field[LINE_FIELDS + i], NULL, 10);
}

void
metrics_load(const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", METRICS_MAX + 1);
    pthread_mutex_lock(&metrics.lock);
    for (size_t i = 0; lines[i] != NULL && i < METRICS_MAX; i++)
        load_line(lines[i]);
    pthread_mutex_unlock(&metrics.lock);
}

/* --- for Prometheus -------------------------------------------------------- */

static int
by_name(gconstpointer a, gconstpointer b)
{
    const Metric *x = *(const Metric *const *) a;
    const Metric *y = *(const Metric *const *) b;
    int order = strcmp(x->name, y->name);
    return order != 0 ? order : g_strcmp0(x->value, y->value);
}

static void
append_labels(GString *out, const Metric *m)
{
    g_auto(GStrv) label = g_strsplit(m->label, ",", -1);
    g_auto(GStrv) value = g_strsplit(m->value ? m->value : "", ",", -1);
    for (size_t i = 0; label[i] != NULL && value[i] != NULL; i++)
        g_string_append_printf(out, "%s%s=\"%s\"", i > 0 ? "," : "", label[i],
                               value[i]);
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
            append_labels(out, m);
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
        (void) g_ascii_formatd(le, sizeof le, "%g", bounds_of(m->name)[i]);
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
