/*
 * whole.h - the whole way of a message, as the milter goes it
 *
 * Ownership  the caller frees what it gets.
 */
#ifndef WHOLE_H
#define WHOLE_H

#include "analysis/analysis.h"
#include "message/message.h"

typedef struct {
    Message *message;
    Analysis *analysis;
    GPtrArray *observations;
    double ms; /* CPU time of this thread */
} Whole;

Analyzer *whole_analyzer(void);
void whole_way(const Analyzer *analyzer, const char *bytes, size_t len,
               Whole *out);
void whole_clear(Whole *whole);
double whole_cpu_ms(void);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Whole, whole_clear)

#endif
