/* Any bytes as a configuration file: settings or complaints, never a crash. */
#include "base/settings.h"

#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
swallow(const char *problem, void *data)
{
    g_assert(problem != NULL);
    (*(unsigned *) data)++;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int fd = memfd_create("settings", MFD_CLOEXEC);
    g_assert(fd >= 0);
    g_assert(write(fd, data, size) == (ssize_t) size);
    g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", fd);
    unsigned problems = 0;
    Settings *settings = settings_load(path, ROLE_MTA, swallow, &problems);
    g_assert((settings == NULL) == (problems > 0));
    settings_free(settings);
    (void) close(fd);
    return 0;
}
