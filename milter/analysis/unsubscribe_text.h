/*
 * unsubscribe_text.h - text to folded tokens, the same for mail and for rules
 *
 * Folding makes spellings equal that a reader takes for the same: case, width,
 * diacritics, presentation forms, Arabic and Hebrew letter forms, traditional
 * characters, invisible characters. Words of scripts with blanks become one
 * token; of scripts without (Han, kana, Hangul, Thai) each character is one.
 *
 * Ownership  text_tokens_clear() frees what a TextTokens holds; `text` is
 *            borrowed.
 * Threads    a TextFold is constant once made; pure.
 * Limits     TEXT_MAX_TOKENS tokens, TEXT_MAX_WORD characters of a word.
 */
#ifndef UNSUBSCRIBE_TEXT_H
#define UNSUBSCRIBE_TEXT_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TEXT_MAX_TOKENS = 20000, TEXT_MAX_WORD = 32 };

typedef struct TextFold TextFold;

typedef enum {
    TOKEN_WORD,    /* letters and digits */
    TOKEN_GLYPH,   /* one character of a script without blanks */
    TOKEN_ADDRESS, /* an addr-spec */
    TOKEN_URL,
} TextTokenKind;

typedef struct {
    uint32_t start, end; /* bytes of the text as it stood */
    uint32_t first;      /* index of its folded characters in .chars */
    uint8_t n;           /* how many */
    uint8_t kind;        /* TextTokenKind */
    uint16_t sentence;
    uint16_t clause; /* runs through the whole text */
    bool mentioned;  /* stands in quotation marks */
} TextToken;

typedef struct {
    uint32_t first, end; /* tokens */
    bool question;
} TextSentence;

typedef struct {
    const char *text;
    TextToken *tokens;
    size_t n;
    uint16_t *chars;
    size_t n_chars;
    TextSentence *sentences;
    size_t n_sentences;
    size_t room, room_chars, room_sentences; /* what is allocated */
} TextTokens;

TextFold *text_fold_new(void);
void text_fold_free(TextFold *fold);

/* `text` need not be terminated; a LF in it ends a sentence. */
void text_tokenise(const TextFold *fold, const char *text, size_t len,
                   TextTokens *out);
/* The same into tokens of before, whose room is used again. */
void text_tokenise_again(const TextFold *fold, const char *text, size_t len,
                         TextTokens *tokens);
void text_tokens_clear(TextTokens *tokens);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(TextFold, text_fold_free)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(TextTokens, text_tokens_clear)

#endif
