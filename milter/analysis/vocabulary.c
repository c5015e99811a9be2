/*
 * vocabulary.c - a constant hash table made by data/vocabulary.awk
 *
 * Open addressing with linear probing over small slots, which stay in the
 * processor's cache: an index, and 16 bits of the hash above it, so that an
 * unknown word, as most are, is told without a look at any entry. The hash
 * (djb2) is simple enough to be computed by awk as well.
 */
#include "analysis/vocabulary.h"

#include <stdint.h>
#include <string.h>

enum {
    TABLE_SIZE = 32768,
    ENDING_SIZE = 2048,
    ENDING_MIN = 3,
    ENDING_MAX = 18,
};

typedef struct {
    const char *word;
    unsigned len;
    unsigned classes;
} Entry;

#include "analysis/data/vocabulary.inc"

/* The bits of a hash that a slot bears: those above its own number. */
static uint32_t
tag_of(uint32_t hash, uint32_t size)
{
    return hash / size & 0xffff;
}

unsigned
vocabulary_find(const char *folded, size_t len)
{
    uint32_t hash = 5381;
    if (len == 0)
        return 0;
    for (size_t i = 0; i < len; i++)
        hash = hash * 33 + (unsigned char) folded[i];
    for (size_t slot = hash % TABLE_SIZE; slots[slot] != 0;
         slot = (slot + 1) % TABLE_SIZE) {
        if (slots[slot] >> 16 != tag_of(hash, TABLE_SIZE))
            continue;
        const Entry *entry = &entries[slots[slot] & 0xffff];
        if (entry->len == len && memcmp(entry->word, folded, len) == 0)
            return entry->classes;
    }
    return 0;
}

/* The hash of each longer ending is made from that of the shorter one. */
static unsigned
find_endings(const char *folded, size_t len)
{
    unsigned found = 0;
    uint32_t hash = 5381;
    for (size_t n = 1; n <= ENDING_MAX && n + 2 <= len; n++) {
        hash = hash * 33 + (unsigned char) folded[len - n];
        if (n < ENDING_MIN)
            continue;
        for (size_t slot = hash % ENDING_SIZE; ending_slots[slot] != 0;
             slot = (slot + 1) % ENDING_SIZE) {
            if (ending_slots[slot] >> 16 != tag_of(hash, ENDING_SIZE))
                continue;
            const Entry *entry = &entries[ending_slots[slot] & 0xffff];
            if (entry->len == n &&
                memcmp(entry->word, folded + len - n, n) == 0)
                found |= entry->classes;
        }
    }
    return found;
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
    if (classes != 0 || len < ENDING_MIN + 2)
        return classes;
    unsigned found = find_endings(folded, len);
    for (size_t i = 0; found != 0 && i < sizeof endings / sizeof *endings; i++)
        if (found & endings[i].ending)
            classes |= endings[i].class;
    return classes;
}
