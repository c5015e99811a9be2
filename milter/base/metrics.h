/*
 * metrics.h - counters that every stage may raise (Prometheus conventions)
 *
 * A metric is registered by its first use. Names and labels are string
 * literals or come from small fixed sets: never from mail.
 *
 * Threads    all functions may be called from any thread.
 * Limits     METRICS_MAX of them are loaded.
 */
#ifndef METRICS_H
#define METRICS_H

enum { METRICS_MAX = 512 };

/* Adds to contact_milter_NAME{label="value"}. Label and value may be NULL, or
 * several of each with commas between: "action,result". */
void metrics_add(const char *name, const char *label, const char *value,
                 double amount);
void metrics_inc(const char *name, const char *label, const char *value);
void metrics_set(const char *name, const char *label, const char *value,
                 double amount);
/* Into a histogram: seconds if the name ends so, else a count. */
void metrics_observe(const char *name, const char *label, const char *value,
                     double amount);

/* The present value; 0 for a metric that does not exist (for tests and the
 * status). */
double metrics_get(const char *name, const char *label, const char *value);

/* The sum over all labels (`value` NULL), or of those that have that value. */
double metrics_sum(const char *name, const char *value);

/* For another process: all that there is as text, and taken over from there.
 * What was loaded before under a name stays until that name comes again; lines
 * that are no metrics are passed over. */
char *metrics_save(void);
void metrics_load(const char *text);

/* Prometheus text format 0.0.4 of all metrics; the caller frees it. */
char *metrics_text(void);

#endif
