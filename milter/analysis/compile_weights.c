/* compile_weights.c - data/unsubscribe-weights.txt as C for
 * unsubscribe_score.c: a macro for each feature, and a table of n-grams by
 * their hash; runs while the program is being built */
#include "config.h"

#include "analysis/unsubscribe_ngram.h"

#include <stdio.h>
#include <string.h>

enum { WEIGHTS = 4, SLOTS = 1 << 17 };

typedef struct {
    uint32_t hash;
    int weights[WEIGHTS];
} Slot;

static int
fail(const char *path, unsigned line, const char *what)
{
    (void) fprintf(stderr, "%s:%u: %s\n", path, line, what);
    return 1;
}

static bool
put(Slot *slots, uint32_t hash, const int *weights)
{
    uint32_t i = hash % SLOTS;

    for (; slots[i].hash != 0; i = (i + 1) % SLOTS) {
        if (slots[i].hash == hash)
            return true; /* of two names with one hash the first counts */
    }
    if (hash == 0)
        return false;
    slots[i].hash = hash;
    memcpy(slots[i].weights, weights, sizeof slots[i].weights);
    return true;
}

int
main(int argc, char **argv)
{
    static Slot slots[SLOTS];
    char text[512];
    unsigned line = 0, n = 0;

    if (argc != 2)
        return fail("usage: compile_weights FILE", 0, "");
    FILE *file = fopen(argv[1], "r");
    if (file == NULL) {
        perror(argv[1]);
        return 1;
    }
    while (fgets(text, sizeof text, file) != NULL) {
        int w[WEIGHTS] = { 0 };
        const char *p = text;
        line++;
        text[strcspn(text, "\n")] = '\0';
        char *tab = strchr(text, '\t');
        if (*text == '#')
            continue;
        if (tab == NULL)
            return fail(argv[1], line, "want NUMBER... TAB NAME");
        for (size_t k = 0; k < WEIGHTS && p < tab; k++) {
            char *end;
            w[k] = (int) g_ascii_strtoll(p, &end, 10);
            p = end;
        }
        const char *name = tab + 1;
        if (strchr(name, ' ') == NULL) {
            char *upper = g_ascii_strup(name, -1);
            if (strcmp(name, "act") == 0 || strcmp(name, "hold") == 0)
                printf("#define WEIGHT_%s %d\n", upper, w[0]);
            else
                printf("#define WEIGHT_%s { %d, %d, %d, %d }\n", upper, w[0],
                       w[1], w[2], w[3]);
            g_free(upper);
        } else if (++n > SLOTS * 3 / 4 ||
                   !put(slots, unsubscribe_ngram_hash(name), w)) {
            return fail(argv[1], line, "too many n-grams");
        }
    }
    (void) fclose(file);
    printf("enum { NGRAM_SLOTS = %d };\n"
           "static const struct {\n"
           "    uint32_t hash;\n"
           "    signed char weights[SCORE_WEIGHTS];\n"
           "} ngram_weights[NGRAM_SLOTS] = {\n",
           SLOTS);
    for (size_t i = 0; i < SLOTS; i++) {
        if (slots[i].hash != 0)
            printf("[%zu] = { %uu, { %d, %d, %d, %d } },\n", i, slots[i].hash,
                   slots[i].weights[0], slots[i].weights[1],
                   slots[i].weights[2], slots[i].weights[3]);
    }
    printf("};\n");
    return 0;
}
