/*
 * whole.c - see whole.h
 */
#include "whole.h"

#include "analysis/observation.h"

#include <time.h>

static const char *const local_domains[] = { "ours.example", NULL };
static const char *const everything[] = { "*", NULL };

Analyzer *
whole_analyzer(void)
{
    const AnalyzerOptions options = { .local_domains = local_domains,
                                      .default_country = "AU" };
    return analyzer_new(&options, NULL);
}

double
whole_cpu_ms(void)
{
    struct timespec t;
    (void) clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double) t.tv_sec * 1e3 + (double) t.tv_nsec / 1e6;
}

void
whole_way(const Analyzer *analyzer, const char *bytes, size_t len, Whole *out)
{
    g_autoptr(Envelope) envelope = envelope_new();
    envelope->queue_id = g_strdup("4bXyz");
    envelope->mail_from = g_strdup("ann.sample@client.example");
    g_ptr_array_add(envelope->recipients, g_strdup("office@ours.example"));
    const ObservePolicy policy = { .local_domains = local_domains,
                                   .recipients = everything,
                                   .record_sent = true };
    double start = whole_cpu_ms();
    out->message = message_parse(bytes, len, NULL);
    out->analysis = analyzer_run(analyzer, out->message, envelope);
    out->observations = observe(out->analysis, out->message, envelope, &policy);
    out->ms = whole_cpu_ms() - start;
}

void
whole_clear(Whole *whole)
{
    g_clear_pointer(&whole->observations, g_ptr_array_unref);
    g_clear_pointer(&whole->analysis, analysis_free);
    g_clear_pointer(&whole->message, message_free);
}
