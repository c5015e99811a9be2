/*
 * vocabulary.c - a constant hash table made by data/vocabulary.awk
 *
 * Open addressing with linear probing: most lookups of unknown words, which
 * are the common case in body text, end at the first empty slot. The hash
 * (djb2) is simple enough to be computed by awk as well.
 */
#include "analysis/vocabulary.h"

#include <stdint.h>
#include <string.h>

enum { TABLE_SIZE = 16384, ENDING_MIN = 3, ENDING_MAX = 18 };

typedef struct {
    const char *word;
    size_t len;
    unsigned classes;
} Entry;

static const Entry table[TABLE_SIZE] = {
#include "analysis/data/vocabulary.inc"
};

static unsigned
lookup(uint32_t hash, const char *word, size_t len)
{
    for (size_t slot = hash % TABLE_SIZE; table[slot].word != NULL;
         slot = (slot + 1) % TABLE_SIZE)
        if (table[slot].len == len && memcmp(table[slot].word, word, len) == 0)
            return table[slot].classes;
    return 0;
}

static uint32_t
hash_of(const char *word, size_t len)
{
    uint32_t hash = 5381;
    for (size_t i = 0; i < len; i++)
        hash = hash * 33 + (unsigned char) word[i];
    return hash;
}

unsigned
vocabulary_find(const char *folded, size_t len)
{
    if (len == 0)
        return 0;
    return lookup(hash_of(folded, len), folded, len);
}

unsigned
vocabulary_find_ending(const char *folded, size_t len)
{
    static const struct {
        unsigned ending, class;
    } endings[] = {
        { WORD_TITLE_ENDING, WORD_TITLE },
        { WORD_DEPARTMENT_ENDING, WORD_DEPARTMENT },
        { WORD_ORGANISATION_ENDING, WORD_ORGANISATION },
        { WORD_STREET_ENDING, WORD_STREET },
    };
    unsigned classes = vocabulary_find(folded, len);
    if (classes != 0)
        return classes;

    for (size_t n = ENDING_MIN; n <= ENDING_MAX && n + 2 <= len; n++) {
        unsigned found = vocabulary_find(folded + len - n, n);
        for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
            if (found & endings[i].ending)
                classes |= endings[i].class;
    }
    return classes;
}
