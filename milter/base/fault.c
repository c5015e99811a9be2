/*
 * fault.c - kills the process at a named point, for crash tests
 *
 * The variable is read by a constructor, before there are threads, so that a
 * point needs no lock and no once-flag. The passes are counted atomically.
 */
#include "base/fault.h"

#include <glib.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

const char *fault_wanted;
static size_t wanted_length;
static atomic_long passes;

__attribute__((constructor)) static void
fault_read(void)
{
    const char *value = getenv("CONTACT_MILTER_FAULT");
    if (value == NULL || value[0] == '\0')
        return;
    const char *colon = strchr(value, ':');
    long count =
        colon != NULL ? (long) g_ascii_strtoll(colon + 1, NULL, 10) : 1;
    wanted_length = colon != NULL ? (size_t) (colon - value) : strlen(value);
    atomic_store(&passes, count < 1 ? 1 : count);
    fault_wanted = value;
}

void
fault_reached(const char *name)
{
    if (strlen(name) == wanted_length &&
        strncmp(name, fault_wanted, wanted_length) == 0 &&
        atomic_fetch_sub(&passes, 1) == 1)
        (void) raise(SIGKILL);
}
