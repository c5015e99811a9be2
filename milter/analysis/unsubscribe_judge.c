/*
 * unsubscribe_judge.c - a small grammar over word classes
 *
 * Word order differs between languages more than the parts of a request do:
 * something that removes or ends, what is ended (a list, mailings), whom it is
 * about. So a clause is judged by the classes of words that it has, not by
 * their order; what must stand together is written as a phrase in the data.
 *
 * First each clause is judged by itself, then the sentence as a whole. Words
 * that turn the meaning round (negation, condition, account of the past, other
 * people, other objects) veto where they stand; some, such as "do not remove
 * me" and "put me back", veto for the whole message.
 *
 * Every language is judged with its own words. When the language of the text
 * is known, its judgement counts; else the one that knows most of the words.
 */
#include "config.h"

#include "analysis/unsubscribe_judge.h"

#include <string.h>

enum { MAX_SEGMENTS = 1024 };

#define HAS(bits, name) (((bits) &CLASS_BIT(name)) != 0)

typedef struct {
    uint32_t first, end; /* tokens */
    uint32_t sentence;
    WordBits bits;
    WordBits first_bits; /* classes of the first word that is no filler */
    uint32_t evidence_first, evidence_end;
    unsigned units; /* twice the number of words, fillers left out */
    unsigned known; /* of these, matched */
    unsigned word;  /* units of its [word] or [unsub] match */
    bool address;   /* an address stands here */
    bool url;
    bool mentioned;  /* in quotation marks */
    unsigned around; /* units of the whole sentence */
    bool direct;     /* what removes is followed by "me" */
    bool negated;    /* "do not" stands right before what stops or removes */
    bool with_mail;  /* mail is named beside text messages: "texts and mails" */
    bool foreign;    /* what removes is followed by a word of no class */
} Segment;

typedef struct {
    const TextTokens *tokens;
    const GArray *matches;
    const JudgeContext *context;
    uint64_t mask;
    size_t n, room;
    WordBits message;
    unsigned units; /* of the body */
    unsigned known; /* of all */
    Segment segments[];
} Reading;

static Reading *
reading_new(const TextTokens *tokens, const GArray *matches,
            const JudgeContext *context)
{
    size_t room = MIN(tokens->n, (size_t) MAX_SEGMENTS);
    Reading *r = g_malloc(sizeof *r + room * sizeof r->segments[0]);

    r->tokens = tokens;
    r->matches = matches;
    r->context = context;
    r->room = room;
    return r;
}

static unsigned
token_units(const TextToken *t)
{
    return t->kind == TOKEN_GLYPH ? 1 : 2;
}

static unsigned
range_units(const TextTokens *tokens, uint32_t from, uint32_t end)
{
    unsigned units = 0;

    for (uint32_t i = from; i < end; i++)
        units += token_units(&tokens->tokens[i]);
    return units;
}

/* Cuts the tokens into clauses, at punctuation and at this language's
 * conjunctions, and collects the classes of each. */
static void
read_segments(Reading *r)
{
    const TextTokens *t = r->tokens;
    size_t m = 0;
    uint32_t covered = 0, filler_end = 0;
    uint32_t last_remove = UINT32_MAX, last_not = UINT32_MAX;
    uint32_t governed = UINT32_MAX, foreign_at = UINT32_MAX;
    Segment *s = NULL;

    for (uint32_t i = 0; i < t->n; i++) {
        const TextToken *token = &t->tokens[i];
        bool conjunction = false;
        WordBits here = 0;
        uint32_t here_end = 0;
        for (; m < r->matches->len; m++) {
            const WordMatch *match = &g_array_index(r->matches, WordMatch, m);
            if (match->start > i)
                break;
            if (match->start == i && (match->languages & r->mask) != 0 &&
                match->class == WORD_CLASS_AND)
                conjunction = true;
        }
        if (s == NULL || token->clause != t->tokens[i - 1].clause ||
            (conjunction && s->units > 0)) {
            if (r->n == r->room)
                break;
            s = &r->segments[r->n++];
            *s = (Segment){ .first = i,
                            .end = i,
                            .sentence = token->sentence,
                            .evidence_first = UINT32_MAX };
            last_remove = last_not = governed = foreign_at = UINT32_MAX;
        }
        s->end = i + 1;
        s->mentioned |= token->mentioned;
        s->address |= token->kind == TOKEN_ADDRESS;
        s->url |= token->kind == TOKEN_URL;

        uint32_t next_not = UINT32_MAX;
        size_t k = m;
        while (k > 0 &&
               g_array_index(r->matches, WordMatch, k - 1).start == i) {
            k--;
            const WordMatch *match = &g_array_index(r->matches, WordMatch, k);
            if ((match->languages & r->mask) == 0)
                continue;
            WordBits bit = (WordBits) 1 << match->class;
            here |= bit;
            here_end = MAX(here_end, match->end);
            covered = MAX(covered, match->end);
            if ((bit & (CLASS_BIT(FILLER) | CLASS_BIT(AND))) == 0) {
                s->evidence_first = MIN(s->evidence_first, i);
                s->evidence_end = MAX(s->evidence_end, match->end);
            }
            if ((bit & (CLASS_BIT(WORD) | CLASS_BIT(UNSUB))) != 0)
                s->word =
                    MAX(s->word, range_units(t, match->start, match->end));
            static const WordBits stops = CLASS_BIT(REMOVE) | CLASS_BIT(UNSUB) |
                                          CLASS_BIT(STOP) | CLASS_BIT(CEASE);
            if ((bit & (stops | CLASS_BIT(REVOKE))) != 0 && last_not == i)
                s->negated = true;
            if (bit == CLASS_BIT(NOT))
                next_not = match->end;
            if ((bit & (CLASS_BIT(REMOVE) | CLASS_BIT(UNSUB))) != 0)
                last_remove = match->end;
            if (bit == CLASS_BIT(REMOVE))
                governed = match->end;
            if (bit == CLASS_BIT(ME) && last_remove != UINT32_MAX &&
                i <= last_remove + 1)
                s->direct = true;
        }
        if (s->first_bits == 0 &&
            (here & ~(CLASS_BIT(FILLER) | CLASS_BIT(PLEASE) | CLASS_BIT(AND) |
                      CLASS_BIT(ME))) != 0 &&
            s->units <= 2)
            s->first_bits = here;
        s->bits |= here;
        static const WordBits fillers =
            CLASS_BIT(FILLER) | CLASS_BIT(PLEASE) | CLASS_BIT(AND);
        if (here != 0 && (here & ~fillers) == 0)
            filler_end = MAX(filler_end, here_end);
        if (next_not != UINT32_MAX)
            last_not = next_not;
        bool filler = i < filler_end && (here & ~fillers) == 0;
        if (foreign_at != UINT32_MAX && i == foreign_at + 1 &&
            (here & (CLASS_BIT(MAIL) | CLASS_BIT(LIST))) != 0)
            s->foreign = false; /* that word was an article */
        if (governed != UINT32_MAX && i >= governed) {
            if (here == 0 && i >= covered && token->kind == TOKEN_WORD &&
                token->n > 4) {
                s->foreign = true;
                foreign_at = i;
            }
            if (!filler)
                governed = UINT32_MAX;
        }
        if (!filler) {
            s->units += token_units(token);
            if (i < covered)
                s->known += token_units(token);
        }
    }
    for (size_t i = 0; i < r->n; i++) {
        r->message |= r->segments[i].bits;
        r->known += r->segments[i].known;
        if (r->segments[i].sentence >= r->context->n_subject)
            r->units += r->segments[i].units;
    }
}

/* Is this set of words a request? 0 no, 1 perhaps, 2 yes. */
static int
request(const Reading *r, const Segment *s, WordBits sentence)
{
    WordBits c = s->bits;
    bool object = HAS(c, ME) || HAS(c, ADDRESS) || s->address;
    bool asks = HAS(c, PLEASE) || HAS(c, WANT) || HAS(c, HOW);
    bool gone = HAS(r->message, GONE);

    unsigned unknown = s->units > s->known ? s->units - s->known : 0;
    bool glyphs =
        s->end > s->first && r->tokens->tokens[s->first].kind == TOKEN_GLYPH;
    unsigned little = glyphs ? 8 : 3;
    /* A subscription in a reply is that to the mailing, if nothing else is
     * named: "cancel my subscription to the till program". */
    if (HAS(c, SUBSCRIPTION) && r->context->reply && unknown <= little &&
        !HAS(r->message, OTHER))
        c |= CLASS_BIT(MAIL);
    bool mailing = HAS(c, MAIL) || HAS(c, LIST) || HAS(c, SMS);
    /* "I do not want the blue one": of what is not said. */
    if (HAS(c, REQUEST))
        return HAS(c, MAIL) || HAS(c, LIST) || HAS(c, SMS) || HAS(c, UNSUB) ||
                       object || unknown <= MAX(little + 1, s->known)
                   ? 2
                   : 1;
    /* "do not unsubscribe me", "I do not want to unsubscribe", "never stop
     * sending these": what else is asked shows in further words. */
    if (s->negated && !HAS(c, MORE) && !HAS(c, AGAIN))
        return 0;
    if (HAS(c, NOT) && HAS(c, UNSUB) &&
        (c & (CLASS_BIT(MORE) | CLASS_BIT(SEND) | CLASS_BIT(STOP) |
              CLASS_BIT(AGAIN) | CLASS_BIT(BROKEN) | CLASS_BIT(HOW))) == 0)
        return 0;
    /* "We need the chairs no longer": of what is named elsewhere. */
    if (HAS(c, STOP) && !mailing && !HAS(c, SEND) && !object &&
        HAS(r->message, OTHER))
        return 0;
    if (HAS(c, STOP) &&
        (mailing || HAS(c, MORE) || s->units <= 10 || unknown <= little ||
         ((object || asks) && unknown <= 8)))
        return 2;
    if (HAS(c, UNSUB)) {
        /* "Ik moet me afmelden voor de training": nobody spoke of mail. */
        if (!r->context->reply && unknown > little && !mailing &&
            (r->message & (CLASS_BIT(MAIL) | CLASS_BIT(LIST))) == 0)
            return 1;
        if (object || asks || HAS(c, MANUAL))
            return 2;
        /* "Unsubscribe figures for May" is a heading. */
        if (HAS(s->first_bits, UNSUB))
            return unknown <= little ? 2 : 1;
        if (s->units <= s->word + 4 && s->around <= s->word + 12 &&
            unknown == 0)
            return 2;
    }
    if (gone && HAS(c, LIST) && HAS(c, PLEASE))
        return 2; /* "she retired, please update your list" */
    if (gone && asks && !HAS(r->message, OTHER) && r->context->reply &&
        (HAS(c, MANUAL) || (HAS(c, REMOVE) && unknown == 0)))
        return 2; /* "I never asked for this, please get rid of it" */
    if (HAS(c, REMOVE)) {
        if (HAS(c, PLEASE) && r->context->reply && s->units <= 8 &&
            unknown == 0 && r->units <= 24 && !HAS(r->message, OTHER))
            return 2;
        if (HAS(c, LIST) && (object || HAS(c, MAIL)))
            return 2;
        if (object && (HAS(c, MAIL) || HAS(c, SMS)))
            return 2;
        if (HAS(c, SUBSCRIPTION) && HAS(c, ME))
            return 1;
        /* Something else stands where what is to be removed stands. */
        if (s->foreign && !object && !gone)
            return HAS(c, LIST) || HAS(c, MAIL) ? 1 : 0;
        if (HAS(c, LIST) && (asks || HAS(s->first_bits, REMOVE) || gone))
            return 2;
        if (HAS(c, MAIL) && (asks || HAS(s->first_bits, REMOVE)))
            return s->units <= 20 ? 2 : 1;
        /* "I still get the letters, so please drop this address from those" */
        if (object && asks && unknown <= little &&
            (sentence & (CLASS_BIT(MAIL) | CLASS_BIT(LIST))) != 0 &&
            !HAS(sentence, OTHER))
            return 2;
        /* "me", and what of is not said, or not known: then a person. */
        if (object)
            return s->units <= 18 && (unknown <= little || gone) &&
                           (r->units <= 80 || gone ||
                            (asks && r->context->reply)) &&
                           !HAS(r->units <= 60 || (asks && r->context->reply)
                                    ? sentence
                                    : r->message,
                                OTHER)
                       ? 2
                       : 1;
    }
    /* "I do not see the offers" is no order to stop. */
    if (HAS(c, CEASE) && HAS(c, MAIL) &&
        !(HAS(c, NOT) && !HAS(c, SEND) && !HAS(c, MORE) && !asks &&
          unknown > little))
        return 2;
    /* "Send no more samples": what is not known may be what is meant. */
    bool else_meant = !mailing && unknown > (object ? little : 0);
    if (HAS(c, CEASE) && HAS(c, SEND) &&
        (HAS(c, MORE) || HAS(c, LIST) || (HAS(c, ME) && unknown <= 4) ||
         s->units <= 6))
        return else_meant ? 1 : 2;
    if (HAS(c, CEASE) && HAS(c, SMS))
        return 2;
    if (HAS(c, NOT) && HAS(c, WANT) && (HAS(c, MAIL) || HAS(c, SMS)))
        return 2;
    if (HAS(c, NOT) && HAS(c, WANT) && HAS(c, SEND) &&
        (HAS(c, MORE) || HAS(c, ME)))
        return else_meant ? 1 : 2;
    if (HAS(c, NOT) && HAS(c, MORE) && (HAS(c, MAIL) || HAS(c, SMS)) &&
        (HAS(c, SEND) || asks))
        return 2;
    if (HAS(c, NOT) && HAS(c, MORE) && HAS(c, SEND) && (asks || HAS(c, ME)))
        return else_meant ? 1 : 2;
    if (HAS(c, REVOKE) && (HAS(c, CONSENT) || mailing))
        return 2;
    return 0;
}

static Outcome
judge_span(const Reading *r, const Segment *s, WordBits sentence,
           bool sentence_address)
{
    WordBits c = s->bits;
    bool object = HAS(c, ME) || HAS(c, ADDRESS) || s->address;

    if (s->mentioned && s->around > s->units)
        return OUTCOME_NONE;
    /* A customer writes: "Please remove me." */
    if (s->mentioned && HAS(r->message, THIRD))
        return OUTCOME_NONE;
    if (HAS(c, KEEP))
        return HAS(r->message, LESS) ? OUTCOME_PARTIAL : OUTCOME_KEEP;
    if (HAS(c, BACK) && (c & (CLASS_BIT(NOT) | CLASS_BIT(STOP) |
                              CLASS_BIT(CEASE) | CLASS_BIT(AGAIN))) == 0)
        return OUTCOME_BACK;
    if (HAS(c, LESS) && !HAS(sentence, COND) &&
        (HAS(sentence, MAIL) || HAS(sentence, SEND) || HAS(sentence, LIST) ||
         HAS(sentence, PLEASE) || (r->context->reply && r->units <= 50)))
        return HAS(sentence, SMS) && !HAS(sentence, MAIL) ? OUTCOME_SMS
                                                          : OUTCOME_PARTIAL;
    int found = request(r, s, sentence);
    /* "unsubscribed in May, still getting your mails" */
    if (found == 0 && HAS(c, AGAIN) && !HAS(c, OTHER) &&
        (HAS(r->message, PAST) || HAS(c, UNSUB)))
        found = 2;
    if (found == 0 && HAS(c, BROKEN) &&
        (HAS(r->message, UNSUB) || HAS(r->message, LINK)))
        found = HAS(r->message, MANUAL) || HAS(sentence, PLEASE) ? 2 : 1;
    if (found == 0 && HAS(c, MANUAL) &&
        (HAS(r->message, UNSUB) || HAS(r->message, LINK)) &&
        (HAS(r->message, BROKEN) || HAS(sentence, PLEASE)))
        found = 2;
    if (found == 0)
        return OUTCOME_NONE;
    /* "Unsubscribe? Never!", "Is an opt-out by reply enough, or do we need a
     * link?" */
    if (r->tokens->sentences[s->sentence].question && HAS(c, UNSUB) &&
        (c & (CLASS_BIT(PLEASE) | CLASS_BIT(HOW) | CLASS_BIT(ME) |
              CLASS_BIT(REQUEST) | CLASS_BIT(BROKEN) | CLASS_BIT(MANUAL))) == 0)
        return OUTCOME_NONE;

    if (HAS(sentence, FOOTER) && !HAS(sentence, HOW) &&
        !HAS(sentence, BROKEN) && !HAS(r->message, MANUAL))
        return OUTCOME_NONE;
    if (s->url && !HAS(sentence, BROKEN) && !HAS(c, ME))
        return OUTCOME_NONE;
    if (HAS(c, COND) || HAS(c, WILL))
        return OUTCOME_NONE;
    if (HAS(sentence, COND) &&
        ((!object && !sentence_address) || (HAS(c, UNSUB) && !HAS(c, PLEASE) &&
                                            !HAS(c, WANT) && !HAS(c, REQUEST))))
        return OUTCOME_NONE;
    if (HAS(c, PAST) && !HAS(r->message, AGAIN) &&
        !(HAS(c, REQUEST) && HAS(c, HOW)))
        return OUTCOME_NONE;
    if (HAS(c, THIRD) && !s->direct && !HAS(c, AGAIN) &&
        !(HAS(c, REQUEST) && (s->address || sentence_address)))
        return OUTCOME_NONE;
    if (HAS(c, OTHER)) {
        bool strong = HAS(c, REQUEST) || (HAS(c, UNSUB) && HAS(c, ME)) ||
                      (HAS(c, REMOVE) && HAS(c, LIST) && HAS(c, MAIL)) ||
                      (HAS(c, STOP) && HAS(c, MAIL));
        return strong ? OUTCOME_HOLD : OUTCOME_NONE;
    }
    /* "We need this item removed from every list." */
    bool glyphs =
        r->tokens->tokens[s->first].kind == TOKEN_GLYPH; /* cut at each blank */
    if (HAS(sentence, OTHER) &&
        (c & (CLASS_BIT(REMOVE) | CLASS_BIT(REQUEST) | CLASS_BIT(CEASE))) !=
            0 &&
        (!object || glyphs) && !(HAS(c, REQUEST) && HAS(sentence, LIST)) &&
        (c & (CLASS_BIT(MAIL) | CLASS_BIT(UNSUB))) == 0)
        return OUTCOME_HOLD;
    /* "Cancel the table, we need it no longer." */
    if (HAS(c, REQUEST) && HAS(c, NOT) && HAS(sentence, OTHER) && !object &&
        (c & (CLASS_BIT(MAIL) | CLASS_BIT(LIST) | CLASS_BIT(SEND) |
              CLASS_BIT(UNSUB) | CLASS_BIT(SMS))) == 0)
        return OUTCOME_HOLD;
    if (found == 1)
        return OUTCOME_HOLD;
    if (HAS(sentence, SMS) && (!HAS(sentence, MAIL) || HAS(r->message, PART)))
        return OUTCOME_SMS;
    if (HAS(c, SMS) && !s->with_mail)
        return OUTCOME_SMS;
    return OUTCOME_ACT;
}

/* "stop", "remove", "unsubscribe": alone in a message or a sentence. */
static bool
is_lone_word(const Reading *r, const Segment *s, const Segment *whole)
{
    bool subject = s->sentence < r->context->n_subject;
    bool early = s->sentence <= r->context->n_subject + 1;

    if ((!HAS(s->bits, WORD) && !HAS(s->bits, UNSUB)) ||
        (s->mentioned && s->around > s->units))
        return false;
    if ((whole->bits &
         (CLASS_BIT(OTHER) | CLASS_BIT(THIRD) | CLASS_BIT(COND) |
          CLASS_BIT(WILL) | CLASS_BIT(PAST) | CLASS_BIT(FOOTER) |
          CLASS_BIT(BROKEN) | CLASS_BIT(KEEP) | CLASS_BIT(BACK))) != 0 ||
        whole->url)
        return false;
    if (r->tokens->sentences[s->sentence].question && !HAS(s->bits, PLEASE))
        return false;
    unsigned rest = s->units > s->word ? s->units - s->word : 0;
    unsigned all = whole->units > s->word ? whole->units - s->word : 0;
    if (rest > 0 || all > (HAS(s->bits, UNSUB) ? 10u : 4u))
        return false;
    if (subject)
        return r->units <= (HAS(s->bits, UNSUB) ? 60u : 24u);
    return r->units <= 24 || (HAS(s->bits, UNSUB) && early && r->units <= 120);
}

static int
rank(Outcome outcome)
{
    switch (outcome) {
    case OUTCOME_BACK:
        return 6;
    case OUTCOME_KEEP:
        return 5;
    case OUTCOME_ACT:
        return 4;
    case OUTCOME_PARTIAL:
        return 3;
    case OUTCOME_SMS:
        return 2;
    case OUTCOME_HOLD:
        return 1;
    case OUTCOME_NONE:
        break;
    }
    return 0;
}

/* A short answer to a mailing that speaks of unsubscribing, of a try that
 * failed or was in vain, and of nothing else: what no single sentence says,
 * they say together. */
static bool
hints_at_request(const Reading *r)
{
    WordBits m = r->message;

    if (!r->context->reply || r->units > 80 ||
        (m & (CLASS_BIT(OTHER) | CLASS_BIT(THIRD) | CLASS_BIT(COND) |
              CLASS_BIT(WILL) | CLASS_BIT(KEEP) | CLASS_BIT(BACK) |
              CLASS_BIT(PART) | CLASS_BIT(LESS) | CLASS_BIT(SMS))) != 0)
        return false;
    for (size_t i = 0; i < r->n; i++) {
        const Segment *s = &r->segments[i];
        if (s->url || s->negated ||
            (s->mentioned && (HAS(s->bits, UNSUB) || HAS(s->bits, REMOVE))))
            return false;
    }
    bool names = HAS(m, UNSUB) || HAS(m, LINK);
    /* What fails must be the unsubscribing, not another link. */
    bool vain = HAS(m, AGAIN) && !HAS(m, NOT);
    for (size_t i = 0; i < r->n; i++) {
        WordBits bits = 0;
        for (size_t k = 0; k < r->n; k++) {
            if (r->segments[k].sentence == r->segments[i].sentence)
                bits |= r->segments[k].bits;
        }
        vain |= HAS(bits, BROKEN) &&
                (HAS(bits, UNSUB) || HAS(bits, LINK) || HAS(m, MANUAL));
    }
    return names && ((vain && (HAS(m, PLEASE) || HAS(m, MANUAL))) ||
                     (HAS(m, MANUAL) && HAS(m, PLEASE)));
}

static void
judge_language(Reading *r, Judgement *out)
{
    static const WordBits removal = CLASS_BIT(REQUEST) | CLASS_BIT(UNSUB) |
                                    CLASS_BIT(REMOVE) | CLASS_BIT(STOP) |
                                    CLASS_BIT(CEASE);
    uint32_t partial[16];
    size_t n_partial = 0;

    memset(out, 0, sizeof *out);
    read_segments(r);
    out->message_bits = r->message;
    out->units = r->units / 2;
    out->mask = r->mask;
    for (size_t i = 0; i < r->n;) {
        size_t end = i;
        Segment whole = { .evidence_first = UINT32_MAX };
        while (end < r->n &&
               r->segments[end].sentence == r->segments[i].sentence) {
            const Segment *s = &r->segments[end++];
            /* A word that is only quoted asks for nothing. */
            whole.bits |= s->mentioned ? s->bits & ~removal : s->bits;
            whole.units += s->units;
            whole.known += s->known;
            whole.word = MAX(whole.word, s->word);
            whole.address |= s->address;
            whole.url |= s->url;
            whole.direct |= s->direct;
            whole.negated |= s->negated;
            whole.foreign |= s->foreign;
            whole.evidence_first = MIN(whole.evidence_first, s->evidence_first);
            whole.evidence_end = MAX(whole.evidence_end, s->evidence_end);
        }
        whole.around = whole.units;
        /* "texts and mails": a clause of nothing but mail belongs to what
         * went before; "texts, mails may go on" does not. */
        for (size_t k = i; k < end; k++) {
            const Segment *s = &r->segments[k];
            if (HAS(s->bits, MAIL) && !HAS(s->bits, SMS) &&
                (s->units <= 6 || (s->bits & removal) != 0) &&
                s->known == s->units && !HAS(s->bits, PART))
                whole.with_mail = true;
        }
        for (size_t k = i; k < end; k++) {
            r->segments[k].around = whole.units;
            r->segments[k].with_mail = whole.with_mail;
        }
        whole.first = r->segments[i].first;
        whole.end = r->segments[end - 1].end;
        whole.sentence = r->segments[i].sentence;
        whole.first_bits = r->segments[i].first_bits;

        Outcome best = OUTCOME_NONE;
        const Segment *by = NULL;
        for (size_t k = i; k < end; k++) {
            const Segment *s = &r->segments[k];
            Outcome o = judge_span(r, s, whole.bits, whole.address);
            if (o == OUTCOME_NONE && is_lone_word(r, s, &whole))
                o = OUTCOME_ACT;
            if (rank(o) > rank(best)) {
                best = o;
                by = s;
            }
        }
        if (best == OUTCOME_NONE && end - i > 1 && whole.units <= 80) {
            best = judge_span(r, &whole, whole.bits, whole.address);
            by = &whole;
        }
        /* "The webinars are not for me, the letter may go on." */
        if (rank(best) <= rank(OUTCOME_HOLD) && HAS(whole.bits, PART) &&
            HAS(whole.bits, NOT) && r->context->reply && r->units <= 80 &&
            (whole.bits & (CLASS_BIT(MAIL) | CLASS_BIT(LIST))) != 0 &&
            !HAS(whole.bits, COND)) {
            best = OUTCOME_PARTIAL;
            by = &whole;
        }
        /* A long text under a subject, or one about other people and things:
         * the text tells what is meant. */
        if (best == OUTCOME_ACT && whole.sentence < r->context->n_subject &&
            (r->units > 60 || (r->units > 16 && HAS(r->message, THIRD)) ||
             (r->units > 16 && HAS(r->message, OTHER))))
            best = OUTCOME_HOLD;
        if (best != OUTCOME_NONE && rank(best) > rank(out->outcome)) {
            out->outcome = best;
            out->start = by->evidence_first == UINT32_MAX ? by->first
                                                          : by->evidence_first;
            out->end =
                by->evidence_first == UINT32_MAX ? by->end : by->evidence_end;
            out->sentence = whole.sentence;
            out->clause_bits = by->bits;
            out->sentence_bits = whole.bits;
            out->names_author = HAS(by->bits, ME);
            out->coverage =
                by->units == 0 ? 100 : MIN(100, by->known * 100 / by->units);
        }
        /* "Not every week, please. Once a month will do." */
        bool less = HAS(whole.bits, LESS) && !HAS(whole.bits, COND) &&
                    out->outcome == OUTCOME_ACT &&
                    whole.sentence > out->sentence;
        if ((HAS(whole.bits, PART) || less) &&
            n_partial < G_N_ELEMENTS(partial))
            partial[n_partial++] = whole.sentence;
        i = end;
    }
    if (rank(out->outcome) <= rank(OUTCOME_HOLD) && hints_at_request(r))
        out->outcome = OUTCOME_ACT;
    for (size_t k = 0; k < n_partial; k++) {
        uint32_t distance = partial[k] > out->sentence
                                ? partial[k] - out->sentence
                                : out->sentence - partial[k];
        if (out->outcome == OUTCOME_ACT && (distance <= 1 || r->units <= 60))
            out->outcome = OUTCOME_PARTIAL;
    }
    bool address = false;
    for (size_t i = 0; i < r->n; i++)
        address |= r->segments[i].address;
    if (out->outcome == OUTCOME_ACT && HAS(r->message, INSTEAD) && address &&
        !HAS(out->clause_bits, UNSUB) && !HAS(out->clause_bits, REQUEST))
        out->outcome = OUTCOME_HOLD;
}

#define LANG(a, b) ((unsigned) (a) << 8 | (unsigned) (b))

/* Languages that are taken for each other have the same number; 0: none. */
static unsigned
family(const char *lang)
{
    if (strlen(lang) != 2)
        return g_ascii_strncasecmp(lang, "zh", 2) == 0 ? LANG('z', 'h') : 0;
    switch (LANG(lang[0], lang[1])) {
    case LANG('d', 'a'):
    case LANG('n', 'b'):
    case LANG('n', 'o'):
    case LANG('s', 'v'):
        return 1;
    case LANG('c', 's'):
    case LANG('s', 'k'):
        return 2;
    case LANG('r', 'u'):
    case LANG('u', 'k'):
        return 3;
    case LANG('i', 'd'):
    case LANG('m', 's'):
        return 4;
    case LANG('e', 's'):
    case LANG('p', 't'):
        return 5;
    default:
        return LANG(lang[0], lang[1]);
    }
}

/* The languages (bits) whose words may be those of `lang`; none for "". */
static uint64_t
related_to(const UnsubscribeWords *words, const char *lang)
{
    unsigned number = lang[0] == '\0' ? 0 : family(lang);
    uint64_t languages = 0;

    for (size_t l = 0; number != 0 && l < unsubscribe_words_languages(words);
         l++) {
        if (family(unsubscribe_words_language(words, l)) == number)
            languages |= (uint64_t) 1 << l;
    }
    return languages;
}

static const WordBits triggers =
    CLASS_BIT(UNSUB) | CLASS_BIT(WORD) | CLASS_BIT(REQUEST) | CLASS_BIT(STOP) |
    CLASS_BIT(REMOVE) | CLASS_BIT(CEASE) | CLASS_BIT(REVOKE) | CLASS_BIT(BACK) |
    CLASS_BIT(LESS) | CLASS_BIT(AGAIN) | CLASS_BIT(KEEP) | CLASS_BIT(GONE) |
    CLASS_BIT(BROKEN);

/* Which languages' words are of the class. */
static void
languages_of(const GArray *matches, uint64_t of[N_WORD_CLASSES])
{
    memset(of, 0, N_WORD_CLASSES * sizeof *of);
    for (guint i = 0; i < matches->len; i++) {
        const WordMatch *m = &g_array_index(matches, WordMatch, i);
        of[m->class] |= m->languages;
    }
}

/* The languages that the words may ask in. */
static uint64_t
asking(const uint64_t of[N_WORD_CLASSES])
{
    uint64_t languages =
        of[WORD_CLASS_NOT] &
        (of[WORD_CLASS_WANT] | of[WORD_CLASS_MORE] | of[WORD_CLASS_PART]);

    for (unsigned c = 0; c < N_WORD_CLASSES; c++) {
        if ((triggers >> c & 1) != 0)
            languages |= of[c];
    }
    return languages;
}

uint64_t
unsubscribe_judge_languages(const UnsubscribeWords *words, size_t n_tokens,
                            const char *lang)
{
    if (n_tokens <= JUDGE_LONG_TEXT || lang[0] == '\0')
        return UINT64_MAX;
    return related_to(words, lang);
}

bool
unsubscribe_judge_needed(const GArray *matches)
{
    uint64_t of[N_WORD_CLASSES];

    languages_of(matches, of);
    return asking(of) != 0;
}

void
unsubscribe_judge(const UnsubscribeWords *words, const TextTokens *tokens,
                  const GArray *matches, const JudgeContext *context,
                  Judgement *out)
{
    size_t n = unsubscribe_words_languages(words);
    WordBits bits[WORDS_MAX_LANGUAGES] = { 0 };
    uint64_t of[N_WORD_CLASSES];
    uint64_t tried =
        unsubscribe_judge_languages(words, tokens->n, context->lang);
    int best = 0;

    memset(out, 0, sizeof *out);
    languages_of(matches, of);
    for (unsigned c = 0; c < N_WORD_CLASSES; c++) {
        for (uint64_t rest = of[c]; rest != 0; rest &= rest - 1)
            bits[__builtin_ctzll(rest)] |= (WordBits) 1 << c;
    }
    /* Does the text's own language say something, though no request? */
    bool vetoed = false;
    uint64_t own_languages = related_to(words, context->lang);
    for (size_t l = 0; l < n; l++)
        vetoed |= (bits[l] & triggers) != 0 && (own_languages >> l & 1) != 0;
    unsigned known = 0, most_known = 0, none_known = 0;
    Judgement none = { 0 };
    g_autofree Reading *r = NULL;
    for (size_t l = 0; l < n; l++) {
        if ((tried >> l & 1) == 0)
            continue;
        if ((bits[l] & triggers) == 0 &&
            !(HAS(bits[l], NOT) &&
              (bits[l] &
               (CLASS_BIT(WANT) | CLASS_BIT(MORE) | CLASS_BIT(PART))) != 0))
            continue;
        if (r == NULL)
            r = reading_new(tokens, matches, context);
        r->mask = (uint64_t) 1 << l;
        r->n = 0;
        r->message = 0;
        r->units = r->known = 0;
        Judgement j;
        judge_language(r, &j);
        most_known = MAX(most_known, r->known);
        bool own = (own_languages >> l & 1) != 0;
        if (j.outcome == OUTCOME_NONE) {
            if (r->known + (own ? 1000 : 0) > none_known) {
                none_known = r->known + (own ? 1000 : 0);
                none = j;
            }
            continue;
        }
        bool exact = own && g_ascii_strcasecmp(
                                context->lang,
                                unsubscribe_words_language(words, l)) == 0;
        /* Another language's words in a text of this one prove little. */
        if (!own && context->lang[0] != '\0' &&
            (j.coverage < 60 || (vetoed && (j.coverage < 85 || j.units > 12))))
            continue;
        int weight = 1 + (exact ? 300 : own ? 200 : 0) + (int) j.coverage;
        if (weight > best ||
            (weight == best && rank(j.outcome) > rank(out->outcome))) {
            best = weight;
            known = r->known;
            *out = j;
        }
    }
    if (best == 0)
        *out = none;
    /* Another language, which knows more of the words, says no. */
    if (out->outcome == OUTCOME_ACT && best < 200 && known * 4 < most_known * 3)
        out->outcome = OUTCOME_HOLD;
}
