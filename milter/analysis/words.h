/*
 * words.h - text cut into words and folded for comparison
 *
 * Folding makes lower case and takes off accents, so that "Geschäftsführer"
 * and "GESCHAFTSFUHRER" meet in the vocabulary.
 *
 * Threads    pure.
 * Limits     words_split() stops at the size of the given array; a word's
 *            folded form is cut at WORD_FOLDED_MAX bytes.
 */
#ifndef WORDS_H
#define WORDS_H

#include "analysis/vocabulary.h"

#include <glib.h>

enum { WORD_FOLDED_MAX = 48 };

typedef struct {
    const char *text; /* in the line, punctuation around it left out */
    size_t len;
    char folded[WORD_FOLDED_MAX];
    size_t folded_len;
    unsigned classes; /* WORD_* of vocabulary.h */
    bool capital;     /* begins with an upper case letter, or has no case */
    bool caseless;    /* Arabic, Hebrew, Thai...: no upper case to look for */
    bool all_caps;    /* two letters or more, all upper case */
    bool digit;       /* has a digit */
    bool letter;      /* has a letter */
    bool cjk;         /* has a Han, kana or Hangul character */
    char before;      /* punctuation before and after it, or 0: "(Bob)," */
    char after;
} Word;

/* Lower case without accents, at most `size` - 1 bytes and a NUL; returns the
 * length. Valid UTF-8 stays valid. */
size_t words_fold(const char *text, size_t len, char *out, size_t size);

/* The words of a line between blanks, at most `max`; returns how many. Slashes,
 * bars and bullets that stand alone are no words. */
size_t words_split(const char *text, size_t len, Word *out, size_t max);

/* Is words[i] a street's letter: "R. Augusta", "C/ Mayor", "Zaszlo u. 8"? */
bool words_street_letter(const Word *words, size_t n, size_t i);

/* Is the folded text of `text` equal to `folded`? */
bool words_equal(const char *text, size_t len, const char *folded);

bool words_is_cjk(gunichar c);

/* Does the line have a letter of Chinese, Japanese or Korean script? */
bool words_has_cjk(const char *text, size_t len);

/* Does the word end in one of the `n` endings? */
bool words_ends_in(const Word *word, const char *const *endings, size_t n);

#endif
