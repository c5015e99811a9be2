/*
 * unsubscribe_score.c - features of the words, and the sum of their weights
 *
 * The grammar (unsubscribe_judge.c) knows what it was told; a request in other
 * words fails one of its conditions and a harmless clause meets them by
 * chance. Here each condition has a weight, so that one that fails or one too
 * many does not decide alone.
 */
#include "config.h"

#include "analysis/unsubscribe_score.h"

#include <string.h>

#include "analysis/data/unsubscribe-weights.inc"

static const short weights[N_SCORES] = { [SCORE_BIAS] = WEIGHT_BIAS,
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
                                                         SCORE_ANYWHERE(X)
                                                             SCORE_MESSAGE(X)
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

static const WordBits removes = CLASS_BIT(REQUEST) | CLASS_BIT(UNSUB) |
                                CLASS_BIT(REMOVE) | CLASS_BIT(STOP) |
                                CLASS_BIT(CEASE);
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
    set(out, SCORE_M_MAILING, text->quotes && text->mailing);
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
    set(out, SCORE_M_GRAMMAR_ASIDE,
        j->outcome == OUTCOME_PARTIAL || j->outcome == OUTCOME_SMS ||
            j->outcome == OUTCOME_BACK);
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

    static const WordBits plain = CLASS_BIT(MAIL) | CLASS_BIT(LIST) |
                                  CLASS_BIT(UNSUB) | CLASS_BIT(REQUEST) |
                                  CLASS_BIT(CONSENT) | CLASS_BIT(SMS);
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
    set(out, SCORE_S_REMOVES_REPLY, asks && text->quotes && text->mailing);
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

static int
sum(const ScoreSet *s)
{
    int total = 0;

    for (size_t i = 0; i < G_N_ELEMENTS(s->bits); i++) {
        for (uint64_t rest = s->bits[i]; rest != 0; rest &= rest - 1)
            total += weights[i * 64 + (size_t) __builtin_ctzll(rest)];
    }
    return total;
}

Outcome
unsubscribe_score(const ScoreText *text, uint32_t *out_first, uint32_t *out_end)
{
    ScoreSet seen;
    ScoreWalk walk = { 0 };
    int best = INT_MIN;

    while (unsubscribe_score_next(text, &walk, &seen)) {
        int total = sum(&seen);
        if (total > best) {
            best = total;
            *out_first = walk.first;
            *out_end = walk.end;
        }
    }
    if (best == INT_MIN)
        return OUTCOME_NONE;
    unsubscribe_score_message(text, &seen);
    int total = sum(&seen) + best;
    return total >= WEIGHT_ACT    ? OUTCOME_ACT
           : total >= WEIGHT_HOLD ? OUTCOME_HOLD
                                  : OUTCOME_NONE;
}
