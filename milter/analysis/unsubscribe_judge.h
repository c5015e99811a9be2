/*
 * unsubscribe_judge.h - the grammar: what do these words ask for?
 *
 * Judges tokens and the words found in them, sentence by sentence; knows
 * nothing of messages. The rules are told in data/unsubscribe/README.
 *
 * Ownership  borrows everything.
 * Threads    pure.
 */
#ifndef UNSUBSCRIBE_JUDGE_H
#define UNSUBSCRIBE_JUDGE_H

#include "analysis/unsubscribe_words.h"

typedef enum {
    OUTCOME_NONE,
    OUTCOME_HOLD,    /* a request, perhaps */
    OUTCOME_ACT,     /* a request */
    OUTCOME_PARTIAL, /* of some mail only, or less of it */
    OUTCOME_SMS,
    OUTCOME_BACK, /* wants to be on the list again */
    OUTCOME_KEEP, /* says that he wants to stay */
} Outcome;

typedef struct {
    size_t n_subject; /* so many sentences at the front are the subject */
    bool reply;       /* there is a quotation or "Re:" */
    const char *lang; /* of the text, "" when not known */
} JudgeContext;

typedef struct {
    Outcome outcome;
    uint32_t start, end;    /* tokens of the evidence */
    uint32_t sentence;      /* where the request stands */
    WordBits clause_bits;   /* classes of the clause that decided */
    WordBits sentence_bits; /* of its sentence */
    WordBits message_bits;
    bool names_author; /* "me" is what shall be removed */
    unsigned units;    /* words of the text, without greetings */
    uint64_t mask;     /* the language that was judged, as in WordMatch */
    unsigned coverage; /* percent of the clause's words that are known */
} Judgement;

enum { JUDGE_LONG_TEXT = 60 }; /* words */

/* The languages (bits as in WordMatch) whose words count in a text of so many
 * words in the language `lang` (language_guess()): in a long text of a known
 * language others are not tried. */
uint64_t unsubscribe_judge_languages(const UnsubscribeWords *words,
                                     size_t n_tokens, const char *lang);

/* False when a judgement could only be OUTCOME_NONE: spares guessing the
 * language. */
bool unsubscribe_judge_needed(const GArray *matches);
void unsubscribe_judge(const UnsubscribeWords *words, const TextTokens *tokens,
                       const GArray *matches, const JudgeContext *context,
                       Judgement *out);

#endif
