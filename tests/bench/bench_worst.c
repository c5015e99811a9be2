/*
 * bench_worst.c - the message that costs the analysis most
 *
 *     bench_worst [-o FOLDER] [-n COUNT] [FILE...]
 *
 * Takes every shape of tests/hostile/shapes.c at the default capture_limit, and
 * the FILEs (findings of the fuzzers, every mail of the corpora), the whole way
 * from bytes to observations. Prints the COUNT slowest with their CPU time (the
 * best of three), and the COUNT that take most memory (of a process of their
 * own, over what the bytes take); with -o it writes their mails there. Exit
 * status 1 when one takes more than 50 ms.
 */
#include "../hostile/shapes.h"
#include "../hostile/whole.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CAPTURE = 256 * 1024, ROUNDS = 3 };
static const double ALLOWED_MS = 50;

typedef struct {
    char *name;
    GString *mail;
    double ms;
    long kb;
} Measured;

static double
once(const Analyzer *analyzer, const GString *mail)
{
    g_auto(Whole) whole = { 0 };
    whole_way(analyzer, mail->str, mail->len, &whole);
    return whole.ms;
}

/* The most memory that a process had which did that; -1 when there is none. */
static long
peak_kb(const Analyzer *analyzer, const GString *mail)
{
    pid_t pid = fork();
    if (pid == 0) {
        (void) once(analyzer, mail);
        _exit(0);
    }
    int status = 0;
    struct rusage used;
    return pid > 0 && wait4(pid, &status, 0, &used) == pid ? used.ru_maxrss
                                                           : -1;
}

static void
measure(const Analyzer *analyzer, GArray *results, const char *name,
        GString *mail)
{
    if (mail->len > CAPTURE)
        g_string_truncate(mail, CAPTURE);
    g_autoptr(GString) nothing = g_string_new("");
    Measured one = { g_strdup(name), mail, once(analyzer, mail),
                     peak_kb(analyzer, mail) - peak_kb(analyzer, nothing) };
    for (int i = 1; i < ROUNDS; i++)
        one.ms = MIN(one.ms, once(analyzer, mail));
    g_array_append_val(results, one);
}

static int
slower(const void *a, const void *b)
{
    double x = ((const Measured *) a)->ms, y = ((const Measured *) b)->ms;
    return (x < y) - (x > y);
}

static int
bigger(const void *a, const void *b)
{
    long x = ((const Measured *) a)->kb, y = ((const Measured *) b)->kb;
    return (x < y) - (x > y);
}

/* The first `count`, to be read and into the folder. */
static bool
show(const GArray *results, guint count, const char *folder, const char *prefix,
     GError **error)
{
    for (guint i = 0; i < MIN(results->len, count); i++) {
        const Measured *one = &g_array_index(results, Measured, i);
        printf("%6.1f ms of CPU  %5.1f MB  %4zu kB  %s\n", one->ms,
               (double) one->kb / 1024, one->mail->len / 1024, one->name);
        if (folder == NULL)
            continue;
        g_autofree char *path =
            g_strdup_printf("%s/%s%u.eml", folder, prefix, i);
        if (!g_file_set_contents(path, one->mail->str, (gssize) one->mail->len,
                                 error))
            return false;
    }
    return true;
}

int
main(int argc, char **argv)
{
    g_autofree char *folder = NULL;
    gint count = 10;
    const GOptionEntry entries[] = { { "output", 'o', 0, G_OPTION_ARG_FILENAME,
                                       &folder, "Write the slowest mails there",
                                       "FOLDER" },
                                     { "number", 'n', 0, G_OPTION_ARG_INT,
                                       &count, "How many are shown", "COUNT" },
                                     G_OPTION_ENTRY_NULL };
    g_autoptr(GOptionContext) context = g_option_context_new("[FILE...]");
    g_option_context_add_main_entries(context, entries, NULL);
    g_autoptr(GError) error = NULL;
    if (!g_option_context_parse(context, &argc, &argv, &error)) {
        fprintf(stderr, "bench_worst: %s\n", error->message);
        return 64;
    }
    Analyzer *analyzer = whole_analyzer();
    g_autoptr(GArray) results = g_array_new(FALSE, FALSE, sizeof(Measured));
    for (size_t i = 0; i < n_shapes; i++)
        measure(analyzer, results, shapes[i].name,
                shape_make(&shapes[i], CAPTURE));
    for (int i = 1; i < argc; i++) {
        char *bytes = NULL;
        gsize len = 0;
        if (!g_file_get_contents(argv[i], &bytes, &len, &error)) {
            fprintf(stderr, "bench_worst: %s\n", error->message);
            return 66;
        }
        measure(analyzer, results, argv[i],
                g_string_new_len(bytes, (gssize) len));
        g_free(bytes);
    }
    guint shown = (guint) MAX(count, 0);
    g_array_sort(results, bigger);
    if (!show(results, shown, folder, "big", &error)) {
        fprintf(stderr, "bench_worst: %s\n", error->message);
        return 73;
    }
    g_array_sort(results, slower);
    if (!show(results, shown, folder, "slow", &error)) {
        fprintf(stderr, "bench_worst: %s\n", error->message);
        return 73;
    }
    double worst = g_array_index(results, Measured, 0).ms;
    printf("the worst of %u messages: %.1f ms of CPU (allowed: %.0f ms)\n",
           results->len, worst, ALLOWED_MS);
    for (guint i = 0; i < results->len; i++) {
        Measured *one = &g_array_index(results, Measured, i);
        g_free(one->name);
        g_string_free(one->mail, TRUE);
    }
    analyzer_free(analyzer);
    return worst > ALLOWED_MS;
}
