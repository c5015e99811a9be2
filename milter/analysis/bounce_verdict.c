/*
 * bounce_verdict.c - hard or soft? Codes, words and the stage are weighed
 *
 * The order that the evidence of many reports supports:
 *   1. Action: what is only delayed is soft.
 *   2. Words about the sender, our host, rates, quotas, sizes or content make
 *      it soft, whatever the code says.
 *   3. Words that the user or domain does not exist make it hard, if the reply
 *      is permanent and was not given to MAIL FROM or the connection.
 *   4. The enhanced code in the reply, 5. the Status field, 6. the reply code.
 * Words are found nearest first; vague ones (strength 1) yield to a code. Where
 * no known phrase says it, bounce_clause.c reads what stands near the address.
 */
#include "analysis/bounce_internal.h"

#include <string.h>

/* --- SMTP replies ------------------------------------------------------------ */

typedef struct {
    int code;     /* 550, 0 none */
    char enh[12]; /* "5.1.1", or "" */
    size_t at;    /* where it stands */
    int weight;   /* how much it can decide */
    size_t tier;
} Reply;

static bool
is_reply_code(int code)
{
    switch (code) {
    case 421:
    case 422:
    case 431:
    case 432:
    case 441:
    case 442:
    case 446:
    case 447:
    case 449:
    case 458:
    case 459:
    case 471:
    case 472:
    case 500:
    case 501:
    case 502:
    case 503:
    case 504:
    case 505:
    case 510:
    case 511:
    case 512:
    case 513:
    case 515:
    case 517:
    case 521:
    case 522:
    case 523:
    case 525:
    case 530:
    case 531:
    case 533:
    case 534:
    case 535:
    case 538:
    case 541:
    case 542:
    case 544:
    case 546:
    case 563:
    case 564:
    case 570:
    case 571:
    case 572:
    case 573:
    case 577:
        return true;
    default:
        return (code >= 450 && code <= 455) || (code >= 550 && code <= 557);
    }
}

/* "5.1.1" at `s`, not part of something longer; its length or 0. */
static size_t
enhanced_at(const char *s, size_t len)
{
    if (len < 5 || strchr("45", s[0]) == NULL || s[1] != '.')
        return 0;
    size_t i = 2, digits = 0;
    while (i < len && g_ascii_isdigit(s[i]) && digits < 3) {
        i++;
        digits++;
    }
    if (digits == 0 || digits > 2 || i >= len || s[i] != '.')
        return 0;
    i++;
    for (digits = 0; i < len && g_ascii_isdigit(s[i]) && digits < 4; i++)
        digits++;
    if (digits == 0 || digits > 3)
        return 0;
    if (i < len && (g_ascii_isalpha(s[i]) || s[i] == '@' || s[i] == '_' ||
                    (s[i] == '.' && i + 1 < len && g_ascii_isalnum(s[i + 1]))))
        return 0;
    return i;
}

static void
find_reply(const char *text, Span span, size_t tier, Reply *best)
{
    for (size_t i = span.start; i < span.end; i++) {
        char c = text[i];
        if (c != '4' && c != '5')
            continue;
        if (i > span.start && (g_ascii_isalnum(text[i - 1]) ||
                               strchr("._@-/=+", text[i - 1]) != NULL))
            continue;
        const char *s = text + i;
        size_t left = span.end - i;
        Reply r = { .at = i, .tier = tier };

        size_t enh = enhanced_at(s, left);
        if (enh == 0) {
            if (left < 3 || !g_ascii_isdigit(s[1]) || !g_ascii_isdigit(s[2]))
                continue;
            r.code = (c - '0') * 100 + (s[1] - '0') * 10 + (s[2] - '0');
            if (!is_reply_code(r.code) ||
                (left > 3 && strchr(" -:\n\t#<;,.)", s[3]) == NULL) ||
                (left > 4 && s[3] == '.' && g_ascii_isdigit(s[4])))
                continue;
            /* "550 5.1.1", "550-5.1.1", "550 #5.1.0", "550 550 5.1.1" */
            size_t k = 3;
            while (k < left && k < 12) {
                if (strchr(" -:#\t\n(<", s[k]) != NULL)
                    k++;
                else if (left - k > 3 && strncmp(s + k, s, 3) == 0 &&
                         strchr(" -", s[k + 3]) != NULL)
                    k += 3;
                else
                    break;
            }
            enh = k < left ? enhanced_at(s + k, left - k) : 0;
            if (enh > 0)
                memcpy(r.enh, s + k, MIN(enh, sizeof r.enh - 1));
            i += k - 1 + enh;
        } else {
            memcpy(r.enh, s, MIN(enh, sizeof r.enh - 1));
            i += enh - 1;
        }

        /* What follows another refusal decides little. */
        bool after = r.code == 503 || strcmp(r.enh, "5.5.1") == 0 ||
                     strcmp(r.enh, "5.0.0") == 0 || strcmp(r.enh, "4.0.0") == 0;
        bool permanent = r.code >= 500 || (r.code == 0 && r.enh[0] == '5');
        r.weight = after ? 1 : permanent ? 4 : 2;
        if (r.weight == 4 && r.enh[0] == '\0')
            r.weight = 3;
        if (r.weight > best->weight)
            *best = r;
        if (best->weight == 4)
            return;
    }
}

/* --- words -------------------------------------------------------------------- */

typedef struct {
    Reason reason;
    int strength;
    size_t start, at, tier;
} Words;

static bool
is_hard_reason(Reason reason)
{
    return reason == REASON_USERUNKNOWN || reason == REASON_HOSTUNKNOWN ||
           reason == REASON_HASMOVED || reason == REASON_NOTACCEPT ||
           reason == REASON_SUSPEND;
}

/* What a code means by itself; REASON_UNDEFINED when it says little. */
static Reason
reason_of_enhanced(const char *enh, int code)
{
    static const struct {
        const char *tail; /* without the class digit; '*' ends a family */
        Reason reason;
    } table[] = {
        { ".1.1", REASON_USERUNKNOWN },  { ".1.2", REASON_HOSTUNKNOWN },
        { ".1.3", REASON_USERUNKNOWN },  { ".1.6", REASON_HASMOVED },
        { ".1.7", REASON_REJECTED },     { ".1.8", REASON_REJECTED },
        { ".1.10", REASON_USERUNKNOWN }, { ".1.*", REASON_UNDEFINED },
        { ".2.1", REASON_SUSPEND },      { ".2.2", REASON_MAILBOXFULL },
        { ".2.3", REASON_SIZE },         { ".2.*", REASON_UNDEFINED },
        { ".3.4", REASON_SIZE },         { ".3.*", REASON_SYSTEM },
        { ".4.7", REASON_EXPIRED },      { ".4.*", REASON_NETWORK },
        { ".5.3", REASON_RATELIMIT },    { ".5.*", REASON_UNDEFINED },
        { ".6.*", REASON_CONTENT },      { ".7.13", REASON_SUSPEND },
        { ".7.27", REASON_NOTACCEPT },   { ".7.20", REASON_AUTHFAILURE },
        { ".7.21", REASON_AUTHFAILURE }, { ".7.22", REASON_AUTHFAILURE },
        { ".7.23", REASON_AUTHFAILURE }, { ".7.24", REASON_AUTHFAILURE },
        { ".7.26", REASON_AUTHFAILURE }, { ".7.25", REASON_REQUIREPTR },
        { ".7.*", REASON_POLICY },
    };
    if (enh[0] == '\0')
        return REASON_UNDEFINED;
    if (code == 521 && strcmp(enh + 1, ".3.2") == 0)
        return REASON_NOTACCEPT;
    for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
        size_t n = strlen(table[i].tail);
        if (table[i].tail[n - 1] == '*'
                ? strncmp(enh + 1, table[i].tail, n - 1) == 0
                : strcmp(enh + 1, table[i].tail) == 0)
            return table[i].reason;
    }
    return REASON_UNDEFINED;
}

static Reason
reason_of_code(int code)
{
    switch (code) {
    case 521: /* RFC 7504 */
    case 556:
        return REASON_NOTACCEPT;
    case 525:
        return REASON_SUSPEND;
    case 551:
        return REASON_HASMOVED;
    case 522:
    case 552:
        return REASON_MAILBOXFULL;
    case 500:
    case 501:
    case 502:
    case 503:
    case 504:
        return REASON_SYNTAX;
    case 421:
        return REASON_EXPIRED;
    default:
        return REASON_UNDEFINED;
    }
}

bool
bounce_is_in_name(const char *text, Span within, size_t start, size_t end)
{
    size_t from = start;
    while (from > within.start && end - from < 80 &&
           !g_ascii_isspace(text[from - 1]) &&
           strchr("<>[](),;:/\"'", text[from - 1]) == NULL)
        from--;
    size_t to = end;
    while (to < within.end && to - start < 80 && !g_ascii_isspace(text[to]) &&
           strchr("<>[](),;:/\"'", text[to]) == NULL)
        to++;
    if (from > within.start && text[from - 1] == '/')
        return false;
    for (size_t i = from + 1; i + 1 < to; i++)
        if ((text[i] == '.' && g_ascii_isalnum(text[i + 1])) || text[i] == '@')
            return true;
    return false;
}

typedef struct {
    Words words;
    Reply reply;
    bool at_mail, at_connect, at_rcpt, at_data, carrier, dns_verdict,
        edge_denied;
} Findings;

static size_t
start_of(const PhraseHit *hit)
{
    return hit->end - MIN(hit->end, strlen(hit->phrase->text));
}

/* Where no phrase says it for sure: what is said of whom? And of an absence:
 * is it the recipient's, or the sender's? */
static void
read_clauses(const Evidence *evidence, size_t tier, Words *best)
{
    const char *text = evidence->texts[tier]->text;
    Span span = evidence->spans[tier];
    Span title = evidence->texts[tier]->title;
    ClauseFinding clause;
    if (best->strength < 2) {
        /* What we wrote ourselves stands between. */
        Span before = span;
        if (title.end > span.start && title.start < span.end) {
            before.end = MAX(title.start, span.start);
            span.start = MIN(title.end, span.end);
        } else {
            span.start = span.end;
        }
        const PhraseSet *words = evidence->words;
        bool found = clause_read(words, text, before, &clause) ||
                     clause_read(words, text, span, &clause);
        if (!found || clause.strength <= best->strength)
            return;
        best->reason = clause.reason;
        best->strength = clause.strength;
        best->at = clause.at;
    } else if (is_hard_reason(best->reason) &&
               best->reason != REASON_NOTACCEPT &&
               clause_is_of_sender(evidence->words, text, span, best->start,
                                   best->at + 1)) {
        best->reason = REASON_REJECTED;
    }
}

static void
look(const Evidence *evidence, Findings *f)
{
    for (size_t t = 0; t < evidence->n; t++) {
        const Scanned *text = evidence->texts[t];
        Span span = evidence->spans[t];
        Words best = { .reason = REASON_N, .tier = t };
        bool want_words = f->words.strength < 2;
        bool want_reply = f->reply.weight < 2;
        bool stage_known = t + evidence->n_common >= evidence->n ||
                           f->at_mail || f->at_connect || f->at_rcpt ||
                           f->at_data;
        if (!want_words && !want_reply && stage_known)
            break;
        for (size_t i = 0; i < text->n_hits; i++) {
            const PhraseHit *hit = &text->hits[i];
            if (hit->end <= span.start || hit->end > span.end + 1 ||
                (hit->end > text->title.start && hit->end <= text->title.end))
                continue;
            const Phrase *p = hit->phrase;
            if (hit->within != NULL && (hit->within->kind < REASON_N ||
                                        hit->within->kind == MARK_EDGE_DENIED))
                continue;
            switch ((int) p->kind) {
            case MARK_AT_MAIL:
                f->at_mail |= !stage_known;
                break;
            case MARK_AT_CONNECT:
                f->at_connect |= !stage_known;
                break;
            case MARK_AT_RCPT:
                f->at_rcpt |= !stage_known;
                break;
            case MARK_AT_DATA:
                f->at_data |= !stage_known;
                break;
            case MARK_CARRIER:
                f->carrier = true;
                break;
            case MARK_DNS_VERDICT:
                f->dns_verdict = true;
                break;
            case MARK_EDGE_DENIED:
                f->edge_denied = true;
                break;
            default:
                if ((p->kind == REASON_SPAM || p->kind == REASON_VIRUS) &&
                    bounce_is_in_name(text->text, span, start_of(hit),
                                      hit->end))
                    break;
                if (p->kind < REASON_N &&
                    (p->strength > best.strength ||
                     (p->strength == best.strength && p->kind < best.reason))) {
                    best.reason = p->kind;
                    best.strength = p->strength;
                    best.start = start_of(hit);
                    best.at = hit->end > 0 ? hit->end - 1 : 0;
                }
                break;
            }
        }
        if (want_words && t < evidence->n_near)
            read_clauses(evidence, t, &best);
        if (want_words && best.strength > f->words.strength)
            f->words = best;
        /* The nearest reply counts, but one that only follows another does
         * not keep a better one away. */
        if (want_reply)
            find_reply(text->text, span, t, &f->reply);
    }
}

static char *
line_at(const Scanned *text, size_t at)
{
    at = MIN(at, text->len);
    size_t start = at, end = at;
    while (start > 0 && text->text[start - 1] != '\n' && at - start < 200)
        start--;
    while (end < text->len && text->text[end] != '\n' && end - at < 300)
        end++;
    g_autofree char *raw = g_strndup(text->text + start, end - start);
    char *line = g_utf8_make_valid(raw, -1);
    return g_strstrip(line);
}

void
bounce_judge(const Evidence *evidence, BounceVerdict *verdict)
{
    Findings f = { .words = { .reason = REASON_N } };
    look(evidence, &f);
    const Reply *reply = &f.reply;

    /* The code that counts: the other side's before our mailer's summary. */
    const char *enh = reply->enh;
    bool enh_says = enh[0] != '\0' && strcmp(enh + 1, ".0.0") != 0;
    bool from_reply = enh_says;
    if (!enh_says && evidence->status[0] != '\0' &&
        (enh[0] == '\0' || strcmp(evidence->status + 1, ".0.0") != 0))
        enh = evidence->status;
    if (f.edge_denied && strcmp(enh, "5.4.1") == 0)
        f.words = (Words){ .reason = REASON_USERUNKNOWN,
                           .strength = 3,
                           .start = f.words.start,
                           .at = f.words.at,
                           .tier = f.words.tier };

    /* Permanent, as the reply says, then the code, then the report. */
    char digit = reply->code != 0 ? (char) ('0' + reply->code / 100)
                 : enh[0] != '\0' ? enh[0]
                                  : '5';
    if (reply->code == 0 && evidence->status[0] != '\0' &&
        reply->enh[0] == '\0')
        digit = evidence->status[0];
    bool delayed = evidence->action == ACTION_DELAYED ||
                   (evidence->action == ACTION_NONE && evidence->transient);
    bool permanent = !delayed && digit == '5';

    Reason by_code = reason_of_enhanced(enh, reply->code);
    if (by_code == REASON_UNDEFINED &&
        (enh[0] == '\0' || strcmp(enh + 1, ".0.0") == 0))
        by_code = reason_of_code(reply->code);

    Reason reason = f.words.reason;
    int strength = f.words.strength;
    bool hard_word = strength > 0 && is_hard_reason(reason);
    if (strength == 0) {
        reason = by_code;
    } else if (strength == 1 && hard_word) {
        /* Vague words of absence yield to a code that speaks of rules, and
         * far from the address without any code they prove nothing. */
        bool code_is_soft = by_code != REASON_UNDEFINED &&
                            !is_hard_reason(by_code) &&
                            by_code != REASON_SYNTAX;
        bool no_code = reply->code == 0 && enh[0] == '\0';
        if (code_is_soft)
            reason = by_code;
        else if (no_code && f.words.tier >= evidence->n_near)
            reason = REASON_UNDEFINED;
    } else if (strength == 1 && !hard_word) {
        if (is_hard_reason(by_code) &&
            (from_reply || reply->code == 521 || reply->code == 556))
            reason = by_code;
    }

    if (is_hard_reason(reason) && from_reply && by_code == REASON_REJECTED)
        reason = REASON_REJECTED; /* x.1.7, x.1.8: the sender's address */
    /* To MAIL FROM or the greeting an absence is said of our address or name;
     * only a host that takes no mail at all says so there, too. */
    if (is_hard_reason(reason) && reason != REASON_NOTACCEPT &&
        (f.at_mail || f.at_connect) && !f.at_rcpt && !f.at_data)
        reason = f.at_mail ? REASON_REJECTED : REASON_BLOCKED;
    if (reason == REASON_USERUNKNOWN && f.carrier && f.at_data &&
        strcmp(enh, "5.1.1") != 0)
        reason = REASON_FILTERED;

    bool final_dns =
        f.dns_verdict && !delayed &&
        (reason == REASON_HOSTUNKNOWN || reason == REASON_NOTACCEPT) &&
        (evidence->action == ACTION_FAILED || evidence->action == ACTION_NONE);
    if (delayed && reason != REASON_MAILBOXFULL &&
        (is_hard_reason(reason) || reason == REASON_UNDEFINED))
        reason = REASON_DELAYED;
    verdict->reason = reason;
    verdict->class = is_hard_reason(reason) && (permanent || final_dns)
                         ? BOUNCE_HARD
                         : BOUNCE_SOFT;
    g_strlcpy(verdict->status, enh, sizeof verdict->status);

    if (strength > 0)
        verdict->line = line_at(evidence->texts[f.words.tier], f.words.at);
    else if (reply->weight > 0)
        verdict->line = line_at(evidence->texts[reply->tier], reply->at);
    else if (evidence->n > 0)
        verdict->line = line_at(evidence->texts[0], evidence->spans[0].start);
    else
        verdict->line = g_strdup("");
}
