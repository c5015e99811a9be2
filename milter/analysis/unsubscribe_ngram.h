/*
 * unsubscribe_ngram.h - the words of a text and their neighbours, as numbers
 *
 * An n-gram is a word, its beginning, or some that stand together; of scripts
 * without blanks one to four characters. Each has a name, by which the learner
 * (tests/analysis/train-unsubscribe) writes its weights down, and a hash of
 * that name, by which the weights are found:
 *
 *   w word     s stem (NGRAM_STEM characters)     r root (NGRAM_ROOT)
 *   f first word of its sentence     b two words     j two stems
 *   g one to four characters
 *
 * and w, s and g once more with what the text is before them: m answer to a
 * mailing, l other answer, n no answer.
 *
 * Words are folded (unsubscribe_text.h); "0" stands for a number, "@" for an
 * address, "/" for a URL, "," for the end of a clause, "<" for the beginning
 * of a subject.
 *
 * Ownership  borrows everything.
 * Threads    pure.
 * Limits     NGRAM_MAX_ITEMS words of a sentence are looked at.
 */
#ifndef UNSUBSCRIBE_NGRAM_H
#define UNSUBSCRIBE_NGRAM_H

#include "analysis/unsubscribe_text.h"

enum { NGRAM_STEM = 5, NGRAM_ROOT = 4, NGRAM_MAX_ITEMS = 400 };

/* A word, a character or a mark of a sentence. */
typedef struct {
    uint32_t whole, stem, root; /* hashes */
    uint32_t token;
    char mark; /* '\0': the token; else what stands for or before it */
    bool glyph;
} NgramItem;

typedef struct {
    char context; /* or '\0' */
    char kind;
    uint8_t n; /* items */
    const NgramItem *items;
    uint32_t hash;
} Ngram;

typedef void (*NgramSeen)(const Ngram *ngram, void *data);

/* Calls `seen` for each n-gram of a sentence, as often as it stands there.
 * `context`: m, l or n. */
void unsubscribe_ngrams(const TextTokens *tokens, size_t sentence, bool subject,
                        char context, NgramSeen seen, void *data);

/* Appends the name; words in it are parted by a blank. */
void unsubscribe_ngram_name(const TextTokens *tokens, const Ngram *ngram,
                            GString *out);

/* The hash of the n-gram that has this name. */
uint32_t unsubscribe_ngram_hash(const char *name);

#endif
