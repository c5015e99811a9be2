/*
 * metrics.h - counters that every stage may raise (Prometheus conventions)
 *
 * A metric is registered by its first use. Names and labels are string
 * literals or come from small fixed sets: never from mail.
 *
 * Threads    lock-free for metrics that exist, a mutex for new ones.
 */
#ifndef METRICS_H
#define METRICS_H

#include <stdint.h>

/* Adds to contact_milter_NAME{label="value"}; label and value may be NULL. */
void metrics_add(const char *name, const char *label, const char *value,
                 double amount);
void metrics_inc(const char *name, const char *label, const char *value);
void metrics_set(const char *name, const char *label, const char *value,
                 double amount);
/* Seconds into a histogram. */
void metrics_observe(const char *name, const char *label, const char *value,
                     double seconds);

/* The present value; 0 for a metric that does not exist (for tests and the
 * status). */
double metrics_get(const char *name, const char *label, const char *value);

/* The sum over all labels (`value` NULL), or of those with that value. */
double metrics_sum(const char *name, const char *value);

/* Prometheus text format 0.0.4 of all metrics; the caller frees it. */
char *metrics_text(void);

#endif
