/*
 * unsubscribe_words.h - the words of the unsubscribe rules, found in a text
 *
 * Words stand in data files, one per language (data/unsubscribe/LANG.txt,
 * built into the program) and in the administrator's phrases file:
 *
 *   language de            whose words follow ("*": every language)
 *   [remove]               which class they belong to
 *   streich*, nehmen _ raus, (meine|diese) Adresse
 *
 * Phrases end at a comma or the end of the line. `*` stands for any ending of
 * a word, `_` for up to four words (ten characters of a script without
 * blanks), `(a|b)` for either, "#" begins a comment.
 *
 * All phrases of all languages are compiled into one automaton: a trie of the
 * folded letters of words, and a trie of words for the phrases. At each place
 * the longest phrase of a language wins and hides what it covers, so that
 * "do not hesitate to contact me" is not "do not contact me".
 *
 * Ownership  unsubscribe_words_free().
 * Threads    constant once compiled; finding is pure.
 * Limits     WORDS_MAX_LANGUAGES languages; WORDS_MAX_MATCHES matches in a
 *            text; a bounded number of steps for each token.
 * Errors     FILE:LINE: what is wrong
 */
#ifndef UNSUBSCRIBE_WORDS_H
#define UNSUBSCRIBE_WORDS_H

#include "analysis/unsubscribe_text.h"

#include <stdio.h>

enum { WORDS_MAX_LANGUAGES = 48, WORDS_MAX_MATCHES = 8000 };

/* The classes; their meaning is told in data/unsubscribe/README. */
#define WORD_CLASSES(X) \
    X(UNSUB, "unsub") \
    X(WORD, "word") \
    X(REQUEST, "request") \
    X(STOP, "stop") \
    X(REMOVE, "remove") \
    X(CEASE, "cease") \
    X(LIST, "list") \
    X(MAIL, "mail") \
    X(ME, "me") \
    X(SEND, "send") \
    X(WANT, "want") \
    X(NOT, "not") \
    X(MORE, "more") \
    X(PLEASE, "please") \
    X(HOW, "how") \
    X(BROKEN, "broken") \
    X(MANUAL, "manual") \
    X(REVOKE, "revoke") \
    X(CONSENT, "consent") \
    X(KEEP, "keep") \
    X(PAST, "past") \
    X(AGAIN, "again") \
    X(COND, "cond") \
    X(WILL, "will") \
    X(THIRD, "third") \
    X(OTHER, "other") \
    X(BACK, "back") \
    X(LESS, "less") \
    X(PART, "part") \
    X(SMS, "sms") \
    X(AWAY, "away") \
    X(ALSO, "also") \
    X(INSTEAD, "instead") \
    X(ADDRESS, "address") \
    X(FILLER, "filler") \
    X(FOOTER, "footer") \
    X(GONE, "gone") \
    X(LINK, "link") \
    X(SUBSCRIPTION, "subscription") \
    X(AND, "and")

typedef enum {
#define X(name, word) WORD_CLASS_##name,
    WORD_CLASSES(X)
#undef X
        N_WORD_CLASSES
} WordClass;

enum { CLASS_COUNT_CHECK = 1 / (N_WORD_CLASSES < 64) };

typedef uint64_t WordBits;
#define CLASS_BIT(name) ((WordBits) 1 << WORD_CLASS_##name)

typedef struct UnsubscribeWords UnsubscribeWords;

typedef struct {
    uint32_t start, end; /* tokens */
    uint64_t languages;  /* bit i: language i */
    uint8_t class;       /* WordClass */
} WordMatch;

/* The built-in words of `languages` (NULL: all) and those of `phrases_file`
 * (may be NULL). */
UnsubscribeWords *unsubscribe_words_new(const TextFold *fold,
                                        const char *const *languages,
                                        const char *phrases_file,
                                        GError **error);
void unsubscribe_words_free(UnsubscribeWords *words);

/* Writes what unsubscribe_words_new() compiled, for unsubscribe_image.c. Only
 * for words without a phrases file. False on a write error. */
bool unsubscribe_words_write(UnsubscribeWords *words, FILE *file);

size_t unsubscribe_words_languages(const UnsubscribeWords *words);
/* Those that were asked for: bit i, language i. */
uint64_t unsubscribe_words_wanted(const UnsubscribeWords *words);
const char *unsubscribe_words_language(const UnsubscribeWords *words,
                                       size_t language);

/* Matches of phrases of `languages` (bit i: language i) in the order of their
 * start; the array is the caller's to free with g_array_unref(). */
GArray *unsubscribe_words_find(const UnsubscribeWords *words,
                               const TextTokens *tokens, uint64_t languages);

/* A word of classes [unsub], [remove] that `token` misspells by one letter:
 * its classes and languages in *out. */
bool unsubscribe_words_misspelt(const UnsubscribeWords *words,
                                const TextTokens *tokens, size_t token,
                                WordMatch *out);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(UnsubscribeWords, unsubscribe_words_free)

#endif
