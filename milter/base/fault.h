/*
 * fault.h - named points at which a test can kill the process
 *
 * CONTACT_MILTER_FAULT=NAME[:N] in the environment makes the Nth pass (default
 * the first) of fault_point("NAME") raise SIGKILL: nothing is flushed, no
 * handler runs, as when the power fails. Without the variable a point costs
 * one load and one branch. Names: STAGE.WHERE, like "crm.before-call".
 *
 * Threads    any.
 */
#ifndef FAULT_H
#define FAULT_H

#include <stdbool.h>

extern const char *fault_wanted; /* NULL: none */

void fault_reached(const char *name);

#define fault_point(name) \
    do { \
        if (fault_wanted != NULL) \
            fault_reached(name); \
    } while (0)

#endif
