/*
 * unsubscribe_score.c - what the words and the grammar say, weighed
 *
 * The grammar (unsubscribe_judge.c) knows what it was told; a request in other
 * words fails one of its conditions and a harmless clause meets them by
 * chance. Here each condition has a weight, and each word and pair of words
 * that the learner met often enough has one as well.
 */
#include "config.h"

#include "analysis/unsubscribe_score.h"

#include "analysis/unsubscribe_ngram.h"

#include <math.h>
#include <string.h>

#include "analysis/data/unsubscribe-weights.inc"

/* The weights of the features of the grammar, of "yes", partial, sms, back. */
static const signed char weights[N_SCORES][SCORE_WEIGHTS] = {
    [SCORE_BIAS] = WEIGHT_BIAS,
#define X(name, word) [SCORE_S_##name] = WEIGHT_S_##name,
    WORD_CLASSES(X)
#undef X
#define X(name, word) [SCORE_A_##name] = WEIGHT_A_##name,
        WORD_CLASSES(X)
#undef X
#define X(name, set) [SCORE_C_##name] = WEIGHT_C_##name,
            SCORE_SETS(X)
#undef X
#define X(name) [SCORE_S_##name] = WEIGHT_S_##name,
                SCORE_CLAUSE(X)
#undef X
#define X(name) [SCORE_M_##name] = WEIGHT_M_##name,
                    SCORE_ANYWHERE(X) SCORE_MESSAGE(X)
#undef X
};

static const char *const names[N_SCORES] = {
    [SCORE_BIAS] = "BIAS",
#define X(name, word) [SCORE_S_##name] = "S_" #name,
    WORD_CLASSES(X)
#undef X
#define X(name, word) [SCORE_A_##name] = "A_" #name,
        WORD_CLASSES(X)
#undef X
#define X(name, set) [SCORE_C_##name] = "C_" #name,
            SCORE_SETS(X)
#undef X
#define X(name) [SCORE_S_##name] = "S_" #name,
                SCORE_CLAUSE(X)
#undef X
#define X(name) [SCORE_M_##name] = "M_" #name,
                    SCORE_ANYWHERE(X) SCORE_MESSAGE(X)
#undef X
};

char
unsubscribe_score_context(const ScoreText *text)
{
    return !text->quotes && !text->reply ? 'n' : text->mailing ? 'm' : 'l';
}

static const WordBits removes = CLASS_BIT(REQUEST) | CLASS_BIT(UNSUB) |
                                CLASS_BIT(REMOVE) | CLASS_BIT(STOP) |
                                CLASS_BIT(CEASE);
/* What names mailings, or the wish to get none. */
static const WordBits plain = CLASS_BIT(MAIL) | CLASS_BIT(LIST) |
                              CLASS_BIT(UNSUB) | CLASS_BIT(REQUEST) |
                              CLASS_BIT(CONSENT) | CLASS_BIT(SMS);
static const WordBits little =
    CLASS_BIT(FILLER) | CLASS_BIT(AND) | CLASS_BIT(PLEASE);

const char *
unsubscribe_score_name(Score score)
{
    return names[score];
}

static void
set(ScoreSet *out, Score score, bool on)
{
    if (on)
        out->bits[score / 64] |= UINT64_C(1) << (score % 64);
}

static void
set_classes(ScoreSet *out, Score first, WordBits bits)
{
    for (unsigned c = 0; c < N_WORD_CLASSES; c++)
        set(out, first + c, (bits >> c & 1) != 0);
}

static unsigned
units_of(const TextToken *t)
{
    return t->kind == TOKEN_GLYPH ? 1 : 2;
}

/* The first match at or behind a token. */
static guint
first_match(const GArray *matches, uint32_t token)
{
    guint low = 0, high = matches->len;

    while (low < high) {
        guint middle = low + (high - low) / 2;
        if (g_array_index(matches, WordMatch, middle).start < token)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static WordBits
text_bits(const ScoreText *text, uint32_t from, size_t end)
{
    WordBits bits = 0;

    for (guint i = first_match(text->matches, from); i < text->matches->len;
         i++) {
        const WordMatch *m = &g_array_index(text->matches, WordMatch, i);
        if (m->start >= end)
            break;
        if ((m->languages & text->judgement->mask) != 0)
            bits |= (WordBits) 1 << m->class;
    }
    return bits;
}

void
unsubscribe_score_message(const ScoreText *text, ScoreSet *out)
{
    const Judgement *j = text->judgement;
    WordBits bits = text_bits(text, 0, text->tokens->n);
    unsigned units = 0;

    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < text->tokens->n; i++) {
        if (text->tokens->tokens[i].sentence >= text->n_subject)
            units += units_of(&text->tokens->tokens[i]);
    }
    bool other = (bits & CLASS_BIT(OTHER)) != 0;
    set(out, SCORE_BIAS, true);
#define X(name) set(out, SCORE_M_##name, (bits & CLASS_BIT(name)) != 0);
    SCORE_ANYWHERE(X)
#undef X
    set(out, SCORE_M_REPLY, text->reply);
    set(out, SCORE_M_MAILING, text->mailing);
    set(out, SCORE_M_LETTER, text->quotes && !text->mailing);
    set(out, SCORE_M_FRESH, !text->quotes && !text->reply);
    set(out, SCORE_M_FRESH_OTHER, !text->quotes && !text->reply && other);
    set(out, SCORE_M_TEXT_6, units <= 12);
    set(out, SCORE_M_TEXT_15, units <= 30);
    set(out, SCORE_M_TEXT_40, units <= 80);
    set(out, SCORE_M_TEXT_90, units <= 180);
    set(out, SCORE_M_GRAMMAR_NONE, j->outcome == OUTCOME_NONE);
    set(out, SCORE_M_GRAMMAR_HOLD, j->outcome == OUTCOME_HOLD);
    set(out, SCORE_M_GRAMMAR_ACT, j->outcome == OUTCOME_ACT);
    set(out, SCORE_M_GRAMMAR_KEEP, j->outcome == OUTCOME_KEEP);
    set(out, SCORE_M_GRAMMAR_PARTIAL, j->outcome == OUTCOME_PARTIAL);
    set(out, SCORE_M_GRAMMAR_SMS, j->outcome == OUTCOME_SMS);
    set(out, SCORE_M_GRAMMAR_BACK, j->outcome == OUTCOME_BACK);
    set(out, SCORE_M_COVERED_85, j->coverage >= 85);
    set(out, SCORE_M_COVERED_60, j->coverage >= 60);
}

bool
unsubscribe_score_next(const ScoreText *text, ScoreWalk *walk, ScoreSet *out)
{
    const TextTokens *t = text->tokens;
    const Judgement *j = text->judgement;
    WordBits bits = 0, opening = 0;
    unsigned units = 0, unknown = 0;
    uint32_t removed = UINT32_MAX, denied = UINT32_MAX;
    bool direct = false, negated = false, foreign = false, mentioned = false;
    bool url = false, email = false, please = false;

    if (walk->end >= t->n || walk->n++ == SCORE_MAX_CLAUSES)
        return false;
    walk->first = walk->end;
    size_t sentence = t->tokens[walk->first].sentence;
    if (sentence >= t->n_sentences)
        return false;
    const TextSentence *s = &t->sentences[sentence];
    if (walk->first == s->first) {
        walk->sentence = text_bits(text, s->first, s->end);
        walk->words = 0;
        for (uint32_t i = s->first; i < s->end; i++)
            walk->words += units_of(&t->tokens[i]);
    }
    uint32_t covered = walk->first;
    guint m = first_match(text->matches, walk->first);
    memset(out, 0, sizeof *out);
    for (; walk->end < s->end &&
           t->tokens[walk->end].clause == t->tokens[walk->first].clause;
         walk->end++) {
        uint32_t i = walk->end;
        const TextToken *token = &t->tokens[i];
        WordBits here = 0;
        uint32_t here_end = 0;
        for (; m < text->matches->len; m++) {
            const WordMatch *match =
                &g_array_index(text->matches, WordMatch, m);
            if (match->start > i)
                break;
            if ((match->languages & j->mask) == 0)
                continue;
            here |= (WordBits) 1 << match->class;
            here_end = MAX(here_end, match->end);
        }
        covered = MAX(covered, here_end);
        direct |= (here & (CLASS_BIT(ME) | CLASS_BIT(ADDRESS))) != 0 &&
                  removed != UINT32_MAX && i <= removed + 1;
        negated |= denied != UINT32_MAX && i == denied &&
                   (here & (removes & ~CLASS_BIT(CEASE))) != 0;
        foreign |= removed == i && here == 0 && i >= covered &&
                   token->kind == TOKEN_WORD && token->n > 3;
        if ((here & (CLASS_BIT(REMOVE) | CLASS_BIT(UNSUB))) != 0)
            removed = here_end;
        if ((here & CLASS_BIT(NOT)) != 0)
            denied = here_end;
        if (opening == 0 && (here & ~little) != 0 && units <= 4) {
            opening = here;
            please = (bits & CLASS_BIT(PLEASE)) != 0;
        }
        bits |= here;
        units += units_of(token);
        unknown += i < covered ? 0 : units_of(token);
        mentioned |= token->mentioned;
        url |= token->kind == TOKEN_URL;
        email |= token->kind == TOKEN_ADDRESS;
    }
    set_classes(out, SCORE_S_UNSUB, bits);
    set_classes(out, SCORE_A_UNSUB, walk->sentence & ~bits);
#define X(name, all) set(out, SCORE_C_##name, (bits & (all)) == (all));
    SCORE_SETS(X)
#undef X

    bool rests = j->outcome != OUTCOME_NONE && j->sentence == sentence;
    bool asks = (bits & removes) != 0;
    set(out, SCORE_S_QUESTION, s->question);
    set(out, SCORE_S_SUBJECT, sentence < text->n_subject);
    set(out, SCORE_S_FIRST, sentence <= text->n_subject + 1);
    set(out, SCORE_S_LAST, sentence + 2 >= t->n_sentences);
    set(out, SCORE_S_MENTIONED, mentioned);
    set(out, SCORE_S_URL, url);
    set(out, SCORE_S_EMAIL, email);
    set(out, SCORE_S_ACTS, rests && j->outcome == OUTCOME_ACT);
    set(out, SCORE_S_ACTS_BARE,
        rests && j->outcome == OUTCOME_ACT && (j->clause_bits & plain) == 0);
    set(out, SCORE_S_HOLDS, rests && j->outcome == OUTCOME_HOLD);
    set(out, SCORE_S_OPENS, (opening & removes) != 0);
    set(out, SCORE_S_OPENS_PLEASE, please && (opening & removes) != 0);
    set(out, SCORE_S_DIRECT, direct);
    set(out, SCORE_S_NEGATED, negated);
    set(out, SCORE_S_FOREIGN, foreign);
    set(out, SCORE_S_REMOVES_REPLY, asks && text->mailing);
    set(out, SCORE_S_REMOVES_LETTER, asks && text->quotes && !text->mailing);
    set(out, SCORE_S_REMOVES_OTHER,
        asks && (j->message_bits & CLASS_BIT(OTHER)) != 0 &&
            (bits & CLASS_BIT(OTHER)) == 0);
    set(out, SCORE_S_REMOVES_GONE,
        asks && (j->message_bits & CLASS_BIT(GONE)) != 0);
    set(out, SCORE_S_WHOLE, units == walk->words);
    set(out, SCORE_S_AROUND_8, walk->words <= 16);
    set(out, SCORE_S_AROUND_16, walk->words <= 32);
    set(out, SCORE_S_WORDS_4, units <= 8);
    set(out, SCORE_S_WORDS_8, units <= 16);
    set(out, SCORE_S_WORDS_16, units <= 32);
    set(out, SCORE_S_WORDS_30, units <= 60);
    set(out, SCORE_S_UNKNOWN_0, unknown == 0);
    set(out, SCORE_S_UNKNOWN_2, unknown <= 4);
    set(out, SCORE_S_UNKNOWN_5, unknown <= 10);
    set(out, SCORE_S_UNKNOWN_10, unknown <= 20);
    return true;
}

/* What the n-grams of a text, or of one sentence, add up to. */
typedef struct {
    int sums[SCORE_WEIGHTS];
    unsigned n; /* n-grams, known or not */
} Sums;

static void
add_weights(Sums *sums, const signed char weight[SCORE_WEIGHTS])
{
    for (size_t k = 0; k < SCORE_WEIGHTS; k++)
        sums->sums[k] += weight[k];
}

static void
add_ngram(const Ngram *ngram, void *data)
{
    Sums *sums = data;

    sums->n++;
    for (uint32_t i = ngram->hash % NGRAM_SLOTS; ngram_weights[i].hash != 0;
         i = (i + 1) % NGRAM_SLOTS) {
        if (ngram_weights[i].hash != ngram->hash)
            continue;
        add_weights(sums, ngram_weights[i].weights);
        return;
    }
}

/* The features of the message and of all its clauses. */
static void
add_features(const ScoreText *text, Sums *sums)
{
    ScoreSet all, seen;
    ScoreWalk walk = { 0 };

    unsubscribe_score_message(text, &all);
    while (unsubscribe_score_next(text, &walk, &seen)) {
        for (size_t i = 0; i < G_N_ELEMENTS(all.bits); i++)
            all.bits[i] |= seen.bits[i];
    }
    for (size_t i = 0; i < G_N_ELEMENTS(all.bits); i++) {
        for (uint64_t rest = all.bits[i]; rest != 0; rest &= rest - 1) {
            sums->n++;
            add_weights(sums, weights[i * 64 + (size_t) __builtin_ctzll(rest)]);
        }
    }
}

Outcome
unsubscribe_score(const ScoreText *text, size_t *out_sentence)
{
    static const int intercepts[SCORE_WEIGHTS] = WEIGHT_INTERCEPT;
    static const Outcome asides[SCORE_WEIGHTS] = { OUTCOME_NONE,
                                                   OUTCOME_PARTIAL, OUTCOME_SMS,
                                                   OUTCOME_BACK };
    Sums all = { 0 };
    int best = INT_MIN;

    add_features(text, &all);
    for (size_t i = 0; i < text->tokens->n_sentences; i++) {
        Sums one = { 0 };
        unsubscribe_ngrams(text->tokens, i, i < text->n_subject,
                           unsubscribe_score_context(text), add_ngram, &one);
        all.n += one.n;
        for (size_t k = 0; k < SCORE_WEIGHTS; k++)
            all.sums[k] += one.sums[k];
        if (one.n > 0 && one.sums[0] > best) {
            best = one.sums[0];
            *out_sentence = i;
        }
    }
    if (best == INT_MIN)
        return OUTCOME_NONE;
    /* A long text has more of everything. */
    double scale = 4 / sqrt(all.n);
    double totals[SCORE_WEIGHTS];
    size_t aside = 1;
    for (size_t k = 0; k < SCORE_WEIGHTS; k++) {
        totals[k] = intercepts[k] + all.sums[k] * scale;
        if (k > 1 && totals[k] > totals[aside])
            aside = k;
    }
    if (totals[aside] > 0 && totals[aside] > totals[0])
        return asides[aside];
    /* Of what the grammar calls a request less is asked, and a person sees it
     * at least; of what it does not, and what answers no mailing, more; so of
     * "Please remove me", under a letter about a building site. */
    const Judgement *j = text->judgement;
    bool asks = j->outcome == OUTCOME_ACT;
    bool bare = text->quotes && !text->mailing && (j->clause_bits & plain) == 0;
    int act = WEIGHT_ACT;
    if (asks && !bare)
        act -= SCORE_ASKS;
    else if (!text->mailing && (bare || j->outcome == OUTCOME_NONE))
        act += SCORE_DOUBT;
    /* What may as well be partial is for a person. */
    if (totals[0] >= act && totals[aside] > -SCORE_ASIDE)
        return OUTCOME_HOLD;
    return totals[0] >= act                   ? OUTCOME_ACT
           : asks || totals[0] >= WEIGHT_HOLD ? OUTCOME_HOLD
                                              : OUTCOME_NONE;
}
