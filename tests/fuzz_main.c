/*
 * fuzz_main.c - replays inputs through a fuzz target, without a fuzzer
 *
 * With arguments: those files and folders. Without (as in `make check`): the
 * target's own findings, tests/corpus/fuzz/NAME, and every mail that there is,
 * tests/corpus and the shared corpora. Prints TAP. Each input is an exact-size
 * copy on the heap, so that AddressSanitizer sees one byte too far.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PATH_BYTES = 4096, DEPTH_MAX = 8, INPUT_MAX = 16 * 1024 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned inputs;

static void
replay_file(const char *path, size_t size)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || size > INPUT_MAX) {
        printf("# skipped %s\n", path);
        if (file != NULL)
            (void) fclose(file);
        return;
    }
    uint8_t *bytes = malloc(size > 0 ? size : 1);
    if (bytes == NULL)
        abort();
    size = fread(bytes, 1, size, file);
    (void) fclose(file);
    /* Said before, so that a crash names its input. */
    printf("# %s\n", path);
    (void) fflush(stdout);
    (void) LLVMFuzzerTestOneInput(bytes, size);
    free(bytes);
    inputs++;
}

static void
replay(const char *path, unsigned depth)
{
    struct stat info;
    if (stat(path, &info) != 0) {
        printf("# skipped %s: %s\n", path, strerror(errno));
        return;
    }
    if (S_ISREG(info.st_mode)) {
        replay_file(path, (size_t) info.st_size);
        return;
    }
    DIR *dir =
        S_ISDIR(info.st_mode) && depth < DEPTH_MAX ? opendir(path) : NULL;
    if (dir == NULL)
        return;
    const struct dirent *entry;
    while ((entry = readdir(dir)) != NULL) {
        char below[PATH_BYTES];
        int len = snprintf(below, sizeof below, "%s/%s", path, entry->d_name);
        if (entry->d_name[0] != '.' && len > 0 && len < PATH_BYTES)
            replay(below, depth + 1);
    }
    (void) closedir(dir);
}

int
main(int argc, char **argv)
{
    const char *slash = strrchr(argv[0], '/');
    const char *name = slash != NULL ? slash + 1 : argv[0];
    if (strncmp(name, "fuzz_", 5) == 0)
        name += 5;
    (void) LLVMFuzzerTestOneInput((const uint8_t *) "", 0);
    for (int i = 1; i < argc; i++)
        replay(argv[i], 0);
    if (argc == 1) {
        const char *source = getenv("G_TEST_SRCDIR");
        char path[PATH_BYTES];
        (void) snprintf(path, sizeof path, "%s/tests/corpus",
                        source ? source : SRCDIR);
        replay(path, 0);
        (void) snprintf(path, sizeof path, "%s/../shared/corpus",
                        source ? source : SRCDIR);
        replay(path, 0);
    }
    printf("1..1\nok 1 %s: %u inputs replayed\n", name, inputs);
    return 0;
}
