/*
 * unsubscribe_score.h - how much a text looks like a request
 *
 * Sums of weights over the features below, which the grammar's words make of
 * the message and of its clauses, and over the n-grams of the text
 * (unsubscribe_ngram.h): one sum for a request, one each for the three that
 * are none (partial, sms, back). The weights are learnt by
 * tests/analysis/train-unsubscribe and stand in data/unsubscribe-weights.txt.
 *
 * Ownership  borrows everything.
 * Threads    pure.
 * Limits     SCORE_MAX_CLAUSES clauses are looked at.
 */
#ifndef UNSUBSCRIBE_SCORE_H
#define UNSUBSCRIBE_SCORE_H

#include "analysis/unsubscribe_judge.h"

enum {
    SCORE_MAX_CLAUSES = 400,
    SCORE_WEIGHTS = 4,
    SCORE_ASKS = 20, /* twentieths, as the weights */
    SCORE_DOUBT = 40,
    SCORE_ASIDE = 10,
};

/* Classes that stand together in a clause. */
#define SCORE_SETS(X) \
    X(REQUEST_ME, CLASS_BIT(REQUEST) | CLASS_BIT(ME)) \
    X(REQUEST_MAIL, CLASS_BIT(REQUEST) | CLASS_BIT(MAIL)) \
    X(REQUEST_LIST, CLASS_BIT(REQUEST) | CLASS_BIT(LIST)) \
    X(REQUEST_PLEASE, CLASS_BIT(REQUEST) | CLASS_BIT(PLEASE)) \
    X(REQUEST_OTHER, CLASS_BIT(REQUEST) | CLASS_BIT(OTHER)) \
    X(REQUEST_THIRD, CLASS_BIT(REQUEST) | CLASS_BIT(THIRD)) \
    X(REQUEST_COND, CLASS_BIT(REQUEST) | CLASS_BIT(COND)) \
    X(REQUEST_PAST, CLASS_BIT(REQUEST) | CLASS_BIT(PAST)) \
    X(STOP_MAIL, CLASS_BIT(STOP) | CLASS_BIT(MAIL)) \
    X(STOP_ME, CLASS_BIT(STOP) | CLASS_BIT(ME)) \
    X(STOP_MORE, CLASS_BIT(STOP) | CLASS_BIT(MORE)) \
    X(STOP_PLEASE, CLASS_BIT(STOP) | CLASS_BIT(PLEASE)) \
    X(STOP_OTHER, CLASS_BIT(STOP) | CLASS_BIT(OTHER)) \
    X(STOP_THIRD, CLASS_BIT(STOP) | CLASS_BIT(THIRD)) \
    X(STOP_COND, CLASS_BIT(STOP) | CLASS_BIT(COND)) \
    X(UNSUB_ME, CLASS_BIT(UNSUB) | CLASS_BIT(ME)) \
    X(UNSUB_ADDRESS, CLASS_BIT(UNSUB) | CLASS_BIT(ADDRESS)) \
    X(UNSUB_MAIL, CLASS_BIT(UNSUB) | CLASS_BIT(MAIL)) \
    X(UNSUB_LIST, CLASS_BIT(UNSUB) | CLASS_BIT(LIST)) \
    X(UNSUB_PLEASE, CLASS_BIT(UNSUB) | CLASS_BIT(PLEASE)) \
    X(UNSUB_WANT, CLASS_BIT(UNSUB) | CLASS_BIT(WANT)) \
    X(UNSUB_HOW, CLASS_BIT(UNSUB) | CLASS_BIT(HOW)) \
    X(UNSUB_OTHER, CLASS_BIT(UNSUB) | CLASS_BIT(OTHER)) \
    X(UNSUB_THIRD, CLASS_BIT(UNSUB) | CLASS_BIT(THIRD)) \
    X(UNSUB_PAST, CLASS_BIT(UNSUB) | CLASS_BIT(PAST)) \
    X(UNSUB_COND, CLASS_BIT(UNSUB) | CLASS_BIT(COND)) \
    X(UNSUB_WILL, CLASS_BIT(UNSUB) | CLASS_BIT(WILL)) \
    X(UNSUB_NOT, CLASS_BIT(UNSUB) | CLASS_BIT(NOT)) \
    X(UNSUB_BROKEN, CLASS_BIT(UNSUB) | CLASS_BIT(BROKEN)) \
    X(UNSUB_AGAIN, CLASS_BIT(UNSUB) | CLASS_BIT(AGAIN)) \
    X(REMOVE_ME, CLASS_BIT(REMOVE) | CLASS_BIT(ME)) \
    X(REMOVE_ADDRESS, CLASS_BIT(REMOVE) | CLASS_BIT(ADDRESS)) \
    X(REMOVE_LIST, CLASS_BIT(REMOVE) | CLASS_BIT(LIST)) \
    X(REMOVE_ME_LIST, CLASS_BIT(REMOVE) | CLASS_BIT(ME) | CLASS_BIT(LIST)) \
    X(REMOVE_MAIL, CLASS_BIT(REMOVE) | CLASS_BIT(MAIL)) \
    X(REMOVE_PLEASE, CLASS_BIT(REMOVE) | CLASS_BIT(PLEASE)) \
    X(REMOVE_OTHER, CLASS_BIT(REMOVE) | CLASS_BIT(OTHER)) \
    X(REMOVE_THIRD, CLASS_BIT(REMOVE) | CLASS_BIT(THIRD)) \
    X(REMOVE_PAST, CLASS_BIT(REMOVE) | CLASS_BIT(PAST)) \
    X(REMOVE_SUBSCRIPTION, CLASS_BIT(REMOVE) | CLASS_BIT(SUBSCRIPTION)) \
    X(CEASE_MAIL, CLASS_BIT(CEASE) | CLASS_BIT(MAIL)) \
    X(CEASE_SEND, CLASS_BIT(CEASE) | CLASS_BIT(SEND)) \
    X(CEASE_SEND_ME, CLASS_BIT(CEASE) | CLASS_BIT(SEND) | CLASS_BIT(ME)) \
    X(CEASE_SEND_MORE, CLASS_BIT(CEASE) | CLASS_BIT(SEND) | CLASS_BIT(MORE)) \
    X(CEASE_PLEASE, CLASS_BIT(CEASE) | CLASS_BIT(PLEASE)) \
    X(CEASE_OTHER, CLASS_BIT(CEASE) | CLASS_BIT(OTHER)) \
    X(NOT_WANT, CLASS_BIT(NOT) | CLASS_BIT(WANT)) \
    X(NOT_WANT_MAIL, CLASS_BIT(NOT) | CLASS_BIT(WANT) | CLASS_BIT(MAIL)) \
    X(NOT_WANT_SEND, CLASS_BIT(NOT) | CLASS_BIT(WANT) | CLASS_BIT(SEND)) \
    X(NOT_MORE, CLASS_BIT(NOT) | CLASS_BIT(MORE)) \
    X(NOT_MORE_MAIL, CLASS_BIT(NOT) | CLASS_BIT(MORE) | CLASS_BIT(MAIL)) \
    X(NOT_MORE_SEND, CLASS_BIT(NOT) | CLASS_BIT(MORE) | CLASS_BIT(SEND)) \
    X(NOT_SEND_ME, CLASS_BIT(NOT) | CLASS_BIT(SEND) | CLASS_BIT(ME)) \
    X(NOT_OTHER, CLASS_BIT(NOT) | CLASS_BIT(OTHER)) \
    X(ME_LIST, CLASS_BIT(ME) | CLASS_BIT(LIST)) \
    X(ME_MAIL, CLASS_BIT(ME) | CLASS_BIT(MAIL)) \
    X(PLEASE_LIST, CLASS_BIT(PLEASE) | CLASS_BIT(LIST)) \
    X(PLEASE_ME_LIST, CLASS_BIT(PLEASE) | CLASS_BIT(ME) | CLASS_BIT(LIST)) \
    X(PLEASE_ADDRESS, CLASS_BIT(PLEASE) | CLASS_BIT(ADDRESS)) \
    X(AGAIN_MAIL, CLASS_BIT(AGAIN) | CLASS_BIT(MAIL)) \
    X(AGAIN_SEND, CLASS_BIT(AGAIN) | CLASS_BIT(SEND)) \
    X(REVOKE_CONSENT, CLASS_BIT(REVOKE) | CLASS_BIT(CONSENT)) \
    X(REVOKE_MAIL, CLASS_BIT(REVOKE) | CLASS_BIT(MAIL)) \
    X(BROKEN_LINK, CLASS_BIT(BROKEN) | CLASS_BIT(LINK)) \
    X(PLEASE_MANUAL, CLASS_BIT(PLEASE) | CLASS_BIT(MANUAL))

/* clang-format off */
/* What else is seen of a clause. */
#define SCORE_CLAUSE(X) \
    X(QUESTION) X(SUBJECT) X(FIRST) X(LAST) X(MENTIONED) X(URL) X(EMAIL) \
    X(ACTS)      /* the grammar's judgement rests on its sentence: act */ \
    X(ACTS_BARE) /* ... though it names neither mail nor list */ \
    X(HOLDS)     /* ... hold */ \
    X(OPENS)     /* begins with a word that removes, stops or unsubscribes */ \
    X(OPENS_PLEASE) \
    X(DIRECT)    /* a word that removes, then "me" */ \
    X(NEGATED)   /* "not", then what removes or stops */ \
    X(FOREIGN)   /* a word that removes, then one of no class */ \
    X(REMOVES_REPLY)  /* removes or stops, and a mailing is quoted */ \
    X(REMOVES_LETTER) /* ... and other mail is quoted */ \
    X(REMOVES_OTHER)  /* ... and another object is named elsewhere */ \
    X(REMOVES_GONE)   /* ... and the message says that somebody left */ \
    X(WHOLE)     /* is all of its sentence */ \
    X(AROUND_8) X(AROUND_16) /* words of the sentence at most */ \
    X(WORDS_4) X(WORDS_8) X(WORDS_16) X(WORDS_30) /* words at most */ \
    X(UNKNOWN_0) X(UNKNOWN_2) X(UNKNOWN_5) X(UNKNOWN_10)

/* Classes that tell wherever in the message they stand. */
#define SCORE_ANYWHERE(X) \
    X(AWAY) X(KEEP) X(BACK) X(LESS) X(PART) X(SMS) X(GONE) X(BROKEN) \
    X(LINK) X(MANUAL)

/* What else is seen of the message. */
#define SCORE_MESSAGE(X) \
    X(REPLY)       /* a subject or quotation of a reply */ \
    X(MAILING)     /* the quotation bears the footer of a mailing */ \
    X(LETTER)      /* there is a quotation, without such a footer */ \
    X(FRESH)       /* neither quotation nor "Re:" */ \
    X(FRESH_OTHER) /* ... and another object is named */ \
    X(TEXT_6) X(TEXT_15) X(TEXT_40) X(TEXT_90) /* words at most */ \
    X(GRAMMAR_NONE) X(GRAMMAR_HOLD) X(GRAMMAR_ACT) X(GRAMMAR_KEEP) \
    X(GRAMMAR_PARTIAL) X(GRAMMAR_SMS) X(GRAMMAR_BACK) \
    X(COVERED_85) X(COVERED_60)

typedef enum {
    SCORE_BIAS,
#define X(name, word) SCORE_S_##name,
    WORD_CLASSES(X)
#undef X
#define X(name, word) SCORE_A_##name, /* elsewhere in the sentence */
    WORD_CLASSES(X)
#undef X
#define X(name, set) SCORE_C_##name,
    SCORE_SETS(X)
#undef X
#define X(name) SCORE_S_##name,
    SCORE_CLAUSE(X)
#undef X
#define X(name) SCORE_M_##name,
    SCORE_ANYWHERE(X)
    SCORE_MESSAGE(X)
#undef X
    N_SCORES
} Score;
/* clang-format on */

typedef struct {
    uint64_t bits[N_SCORES / 64 + 1]; /* bit i: Score i */
} ScoreSet;

typedef struct {
    const TextTokens *tokens;
    const GArray *matches;
    const Judgement *judgement;
    size_t n_subject; /* sentences */
    bool reply;
    bool quotes;  /* there is a quotation */
    bool mailing; /* there is one, of a mailing */
} ScoreText;

const char *unsubscribe_score_name(Score score);

/* For unsubscribe_ngrams(). */
char unsubscribe_score_context(const ScoreText *text);

/* Where in the text one is; all zero before the first clause. */
typedef struct {
    uint32_t first, end; /* tokens of the clause */
    size_t n;            /* clauses so far */
    WordBits sentence;   /* classes of its sentence */
    unsigned words;      /* of its sentence, twice */
} ScoreWalk;

void unsubscribe_score_message(const ScoreText *text, ScoreSet *out);

/* Steps to the next clause and says what is seen of it; false at the end. */
bool unsubscribe_score_next(const ScoreText *text, ScoreWalk *walk,
                            ScoreSet *out);

/* What is asked for, and the sentence that speaks most for a request. */
Outcome unsubscribe_score(const ScoreText *text, size_t *out_sentence);

#endif
