/*
 * unsubscribe.c - from a message to the request that it makes
 *
 * Takes the author's own words (and the subject, when the author wrote it),
 * has the grammar judge them, weighs them (unsubscribe_score.c), and works out
 * whose addresses are meant. Beside the words, the recipient tells: mail to
 * unsubscribe+TOKEN@... is a request unless it says otherwise, because mail
 * programs send it empty.
 *
 * In a longer mail that holds none of the words that a request needs, all that
 * is spent is one pass over the text.
 */
#include "config.h"

#include "analysis/unsubscribe.h"

#include <string.h>

#include "analysis/language.h"
#include "analysis/token.h"
#include "analysis/unsubscribe_judge.h"
#include "analysis/unsubscribe_ngram.h"
#include "analysis/unsubscribe_score.h"
#include "analysis/unsubscribe_text.h"
#include "analysis/unsubscribe_words.h"

enum {
    MAX_EVIDENCE = 160,
    MAX_ADDRESSES = 20,
    MAX_BRIEF = 120,    /* tokens of an answer that is judged in any case */
    MAX_GREETING = 60,  /* bytes of own text that say nothing yet */
    MAX_WORD_LINE = 40, /* bytes of a line that is one word or two */
    MAX_LABEL = 24,     /* bytes of "Email", "Your message" before the colon */
    SOFT_WRAP = 50,     /* columns from which on a line may have been wrapped */
};

#define HAS(bits, name) (((bits) &CLASS_BIT(name)) != 0)

struct UnsubscribeRules {
    TextFold *fold;
    UnsubscribeWords *words;
    bool some_languages; /* only of these are there words */
    char **local_domains;
    GPtrArray *addresses; /* of GPatternSpec, in lower case */
    char *key;
    size_t key_len;
};

UnsubscribeRules *
unsubscribe_rules_new(const AnalyzerOptions *options, GError **error)
{
    UnsubscribeRules *rules = g_new0(UnsubscribeRules, 1);

    rules->fold = text_fold_new();
    rules->words = unsubscribe_words_new(rules->fold, options->languages,
                                         options->phrases_file, error);
    if (rules->words == NULL) {
        unsubscribe_rules_free(rules);
        return NULL;
    }
    rules->some_languages =
        options->languages != NULL && options->languages[0] != NULL;
    rules->local_domains = g_strdupv((char **) options->local_domains);
    rules->addresses =
        g_ptr_array_new_with_free_func((GDestroyNotify) g_pattern_spec_free);
    for (size_t i = 0; options->unsubscribe_addresses != NULL &&
                       options->unsubscribe_addresses[i] != NULL;
         i++) {
        g_autofree char *lower =
            g_ascii_strdown(options->unsubscribe_addresses[i], -1);
        g_ptr_array_add(rules->addresses, g_pattern_spec_new(lower));
    }
    if (options->unsubscribe_key != NULL && options->unsubscribe_key_len > 0) {
        rules->key =
            g_memdup2(options->unsubscribe_key, options->unsubscribe_key_len);
        rules->key_len = options->unsubscribe_key_len;
    }
    return rules;
}

void
unsubscribe_rules_free(UnsubscribeRules *rules)
{
    if (rules == NULL)
        return;
    unsubscribe_words_free(rules->words);
    text_fold_free(rules->fold);
    g_strfreev(rules->local_domains);
    g_clear_pointer(&rules->addresses, g_ptr_array_unref);
    if (rules->key != NULL)
        explicit_bzero(rules->key, rules->key_len);
    g_free(rules->key);
    g_free(rules);
}

/* --- the recipient ------------------------------------------------------ */

typedef struct {
    bool found;
    char *address; /* that a token named, or NULL */
} Recipient;

static void
recipient_clear(Recipient *recipient)
{
    g_clear_pointer(&recipient->address, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Recipient, recipient_clear)

/* unsubscribe@, unsubscribe+TOKEN@, unsub-TOKEN@, list-unsubscribe@ ... */
static bool
is_unsubscribe_local_part(const char *local, size_t len)
{
    static const char *const words[] = {
        "unsubscribe",      "unsub",        "optout",         "opt-out",
        "abmelden",         "abmeldung",    "desinscription", "leave",
        "list-unsubscribe", "unsubscribes", "remove",         "baja",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        size_t n = strlen(words[i]);
        if (len < n || g_ascii_strncasecmp(local, words[i], n) != 0)
            continue;
        /* "leave" and "remove" alone may be people's mailboxes. */
        if (len == n)
            return strcmp(words[i], "leave") != 0;
        if (strchr("+-=_.", local[n]) != NULL)
            return true;
    }
    /* news-unsubscribe@, as mailing list managers have it */
    return len > 12 &&
           (g_ascii_strncasecmp(local + len - 12, "-unsubscribe", 12) == 0 ||
            g_ascii_strncasecmp(local + len - 12, "+unsubscribe", 12) == 0);
}

static void
look_at_recipient(const UnsubscribeRules *rules, const char *email,
                  Recipient *out)
{
    const char *at = email == NULL ? NULL : strrchr(email, '@');

    if (at == NULL || out->address != NULL)
        return;
    const char *plus = memchr(email, '+', (size_t) (at - email));
    const char *minus = memchr(email, '-', (size_t) (at - email));
    for (size_t i = 0; i < 2 && rules->key != NULL; i++) {
        const char *delimiter = i == 0 ? plus : minus;
        if (delimiter == NULL)
            continue;
        g_autofree char *token =
            g_strndup(delimiter + 1, (size_t) (at - delimiter - 1));
        out->address = token_verify(token, rules->key, rules->key_len);
        if (out->address != NULL) {
            out->found = true;
            return;
        }
    }
    if (is_unsubscribe_local_part(email, (size_t) (at - email)))
        out->found = true;
    g_autofree char *lower = g_ascii_strdown(email, -1);
    for (guint i = 0; i < rules->addresses->len && !out->found; i++) {
        out->found =
            g_pattern_spec_match_string(rules->addresses->pdata[i], lower);
    }
}

static Recipient
recipient(const UnsubscribeRules *rules, const Message *message,
          const Envelope *envelope)
{
    Recipient r = { 0 };

    for (guint i = 0;
         envelope->recipients != NULL && i < envelope->recipients->len; i++)
        look_at_recipient(rules, envelope->recipients->pdata[i], &r);
    if (envelope->recipients == NULL || envelope->recipients->len == 0) {
        for (size_t i = 0; i < message->to.n; i++)
            look_at_recipient(rules, message->to.items[i].email, &r);
    }
    return r;
}

/* --- the words ------------------------------------------------------------ */

/* Does the subject begin as mail programs begin that of a reply or a forward,
 * in any language? */
static bool
has_reply_prefix(const char *subject)
{
    static const char *const prefixes[] = {
        "re",     "aw",   "antw",   "antwort",     "sv",      "vs",
        "odp",    "res",  "rif",    "r",           "ynt",     "yanıt",
        "yan",    "ref",  "bls",    "bal",         "balas",   "ответ",
        "отв",    "на",   "відп",   "απ",          "σχετ",    "תשובה",
        "השב",    "رد",   "回复",   "回覆",        "答复",    "答覆",
        "回信",   "返信", "답장",   "회신",        "ตอบกลับ",  "trả lời",
        "hồi âm", "vá",   "válasz", "răsp",        "odpověď", "fwd",
        "fw",     "wg",   "tr",     "rv",          "enc",     "i",
        "doorst", "vb",   "pd",     "tov",         "vl",      "ilt",
        "пересл", "fwd",  "转发",   "轉寄",        "轉發",    "転送",
        "전달",   "ส่งต่อ", "הועבר",  "إعادة توجيه", "trs",     "továbbítva",
        "пд",
    };
    const char *p = subject;

    while (g_ascii_isspace(*p) || *p == '[') { /* a gateway's "[EXT] " */
        if (*p == '[') {
            const char *close = strchr(p, ']');
            if (close == NULL || close - p > 20)
                return false;
            p = close;
        }
        p++;
    }
    const char *colon = strchr(p, ':');
    const char *wide = strstr(p, "：");
    if (colon == NULL || (wide != NULL && wide < colon))
        colon = wide;
    if (colon == NULL || colon == p || colon - p > 32)
        return false;
    size_t n = (size_t) (colon - p);
    while (n > 0 && p[n - 1] == ' ')
        n--;
    if (n > 2 && p[n - 1] == ']') { /* Re[2]: */
        while (n > 0 && p[n - 1] != '[')
            n--;
        n -= n > 0;
    }
    g_autofree char *lower = g_utf8_strdown(p, (gssize) n);
    for (size_t i = 0; i < G_N_ELEMENTS(prefixes); i++) {
        if (strcmp(prefixes[i], lower) == 0)
            return true;
    }
    return false;
}

/* The columns of a line, or of its beginning that has SOFT_WRAP of them. */
static unsigned
columns(const char *text, size_t len)
{
    unsigned n = 0;

    if (len < SOFT_WRAP) /* so many at most */
        return 0;
    for (size_t i = 0; i < len && n < SOFT_WRAP; i++) {
        unsigned char b = (unsigned char) text[i];
        n += b < 0x80 || (b >= 0xc0 && b < 0xe0) ? 1 : b >= 0xe0 ? 2 : 0;
    }
    return n;
}

/* Was this line broken by a mail program within a sentence? */
static bool
is_wrapped(const Body *body, size_t i)
{
    if (body->from_html || i + 1 >= body->n_lines)
        return false;
    const Line *line = &body->lines[i], *next = &body->lines[i + 1];
    if (next->len == 0 || (next->flags & LINE_LIST_ITEM) != 0)
        return false;
    /* A mail program that wraps what was wrapped leaves a word alone. */
    return columns(line->text, line->len) >= SOFT_WRAP ||
           (g_ascii_islower(next->text[0]) && line->len > 0 &&
            g_ascii_isalpha(line->text[line->len - 1]));
}

/* Is this line the text of a link to the web? Then it is a button or a
 * footer, no sentence of the author's. */
static bool
is_link(const Body *body, size_t i)
{
    const Line *line = &body->lines[i];

    size_t linked = 0;
    for (size_t k = 0; k < body->n_links && line->len > 0; k++) {
        const Link *link = &body->links[k];
        if (link->line == i && link->text != NULL &&
            g_ascii_strncasecmp(link->href, "http", 4) == 0)
            linked += strlen(link->text);
    }
    return linked > 0 && linked * 10 >= line->len * 6;
}

/* Is this line of ZONE_DISCLAIMER the author's after all? "Kindly take me off
 * the mailing list" reads like a notice; but a notice stands by itself, and
 * neither above the signature nor in the middle of the text. */
static bool
is_overlooked(const Body *body, size_t i)
{
    if (i > 0 && body->lines[i - 1].zone == ZONE_OWN &&
        body->lines[i - 1].len > 0)
        return true;
    size_t own = 0;
    for (size_t k = 0; k < body->n_lines; k++) {
        const Line *line = &body->lines[k];
        if (line->zone == ZONE_ATTRIBUTION || line->zone == ZONE_QUOTED ||
            line->zone == ZONE_FORWARDED) {
            if (k > i)
                break;
            own = 0;
        } else if (line->len > 0 &&
                   (line->zone == ZONE_OWN || line->zone == ZONE_SIGNATURE)) {
            if (k > i)
                return true;
            own += line->zone == ZONE_OWN ? line->len : MAX_GREETING + 1;
        }
    }
    return own <= MAX_GREETING;
}

/* Of a text that is all signature the first line is what was written: "TD"
 * above an address. */
static bool
is_only_word(const Body *body, size_t i)
{
    for (size_t k = 0; k < i; k++) {
        if (body->lines[k].len > 0)
            return false;
    }
    return body->lines[i].len <= MAX_WORD_LINE;
}

/* Does the line belong to what the author says? */
static bool
is_said(const Body *body, size_t i, Zone zone)
{
    const Line *line = &body->lines[i];

    if (line->zone == zone)
        return true;
    if (zone != ZONE_OWN || line->len == 0)
        return false;
    return (line->zone == ZONE_DISCLAIMER && is_overlooked(body, i)) ||
           (line->zone == ZONE_SIGNATURE && is_only_word(body, i));
}

static void
append_lines(GString *text, const Body *body, Zone zone)
{
    /* Of a long text the middle is left out: who asks for something asks at
     * the beginning or at the end. */
    size_t from_end = body->n_lines, end_len = 0, all = 0;
    for (size_t i = 0; i < body->n_lines && all <= UNSUBSCRIBE_MAX_TEXT; i++)
        all += is_said(body, i, zone) ? body->lines[i].len + 1 : 0;
    while (all > UNSUBSCRIBE_MAX_TEXT && from_end > 0) {
        const Line *line = &body->lines[from_end - 1];
        size_t len = is_said(body, from_end - 1, zone) ? line->len + 1 : 0;
        if (end_len + len > UNSUBSCRIBE_MAX_END)
            break;
        end_len += len;
        from_end--;
    }

    for (size_t i = 0; i < body->n_lines; i++) {
        const Line *line = &body->lines[i];
        if (!is_said(body, i, zone) || (line->flags & LINE_IMAGE_ALT) != 0 ||
            is_link(body, i))
            continue;
        size_t max = i < from_end ? UNSUBSCRIBE_MAX_TEXT - end_len
                                  : UNSUBSCRIBE_MAX_TEXT;
        size_t room = max - MIN(text->len, max);
        if (room == 0) {
            if (i < from_end)
                g_string_append_c(text, '\n');
            i = MAX(i, from_end - 1);
            continue;
        }
        g_string_append_len(text, line->text, (gssize) MIN(line->len, room));
        g_string_append_c(text, is_wrapped(body, i) ? ' ' : '\n');
    }
}

/* One text, its tokens, its words, what they ask for. */
typedef struct {
    GString *text;
    TextTokens tokens;
    GArray *matches;
    Judgement judgement;
    const char *lang;
    size_t n_subject; /* sentences */
    bool reply;
    bool judged; /* there was a word that gave cause */
} Judged;

static void
judged_clear(Judged *j)
{
    g_clear_pointer(&j->matches, g_array_unref);
    text_tokens_clear(&j->tokens);
    if (j->text != NULL)
        g_string_free(j->text, TRUE);
    j->text = NULL;
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Judged, judged_clear)

static int
compare_matches(const void *a, const void *b)
{
    const WordMatch *x = a, *y = b;

    return x->start != y->start ? (x->start < y->start ? -1 : 1) : 0;
}

static bool
may_ask(const GArray *matches)
{
    static const WordBits ordinary =
        CLASS_BIT(ME) | CLASS_BIT(MAIL) | CLASS_BIT(LIST) | CLASS_BIT(SEND) |
        CLASS_BIT(WANT) | CLASS_BIT(PLEASE) | CLASS_BIT(MORE) |
        CLASS_BIT(THIRD) | CLASS_BIT(OTHER) | CLASS_BIT(FILLER) |
        CLASS_BIT(AND) | CLASS_BIT(COND) | CLASS_BIT(WILL) | CLASS_BIT(SMS) |
        CLASS_BIT(ADDRESS) | CLASS_BIT(ALSO) | CLASS_BIT(INSTEAD) |
        CLASS_BIT(HOW) | CLASS_BIT(PAST) | CLASS_BIT(PART) | CLASS_BIT(FOOTER) |
        CLASS_BIT(LINK);

    for (guint i = 0; i < matches->len; i++) {
        WordBits bit = (WordBits) 1
                       << g_array_index(matches, WordMatch, i).class;
        if ((bit & ordinary) == 0)
            return true;
    }
    return false;
}

static void
judge(const UnsubscribeRules *rules, Judged *j, size_t n_subject, bool reply,
      const char *lang)
{
    JudgeContext context = { .n_subject = n_subject, .reply = reply };

    text_tokenise(rules->fold, j->text->str, j->text->len, &j->tokens);
    /* How many sentences the subject is is only known now. */
    if (n_subject > 0) {
        const char *lf = memchr(j->text->str, '\n', j->text->len);
        size_t limit = lf == NULL ? j->text->len : (size_t) (lf - j->text->str);
        context.n_subject = 0;
        while (context.n_subject < j->tokens.n_sentences &&
               j->tokens.tokens[j->tokens.sentences[context.n_subject].first]
                       .start < limit)
            context.n_subject++;
    }
    j->n_subject = context.n_subject;
    j->reply = reply;
    j->matches = unsubscribe_words_find(
        rules->words, &j->tokens,
        unsubscribe_judge_languages(rules->words, j->tokens.n, lang));
    bool few = j->tokens.n <= 16;
    if (!(few || (reply && j->tokens.n <= MAX_BRIEF)) &&
        (!may_ask(j->matches) || !unsubscribe_judge_needed(j->matches)))
        return;
    j->judged = true;
    bool certain = j->tokens.n > JUDGE_LONG_TEXT && lang[0] != '\0';
    j->lang = certain ? lang : language_guess(j->text->str, j->text->len);
    context.lang = j->lang;
    unsubscribe_judge(rules->words, &j->tokens, j->matches, &context,
                      &j->judgement);
    if (j->judgement.mask == 0)
        j->judgement.mask =
            unsubscribe_judge_languages(rules->words, SIZE_MAX, j->lang);
    if (j->judgement.outcome != OUTCOME_NONE || !few)
        return;
    /* Of few words, one may be misspelt. */
    bool again = false;
    for (size_t i = 0; i < j->tokens.n; i++) {
        bool known = false;
        for (guint m = 0; m < j->matches->len && !known; m++) {
            const WordMatch *match = &g_array_index(j->matches, WordMatch, m);
            known = match->start <= i && i < match->end;
        }
        WordMatch match;
        if (!known &&
            unsubscribe_words_misspelt(rules->words, &j->tokens, i, &match)) {
            g_array_append_val(j->matches, match);
            again = true;
        }
    }
    if (!again)
        return;
    g_array_sort(j->matches, compare_matches);
    unsubscribe_judge(rules->words, &j->tokens, j->matches, &context,
                      &j->judgement);
}

static char *
evidence(const Judged *j)
{
    const Judgement *g = &j->judgement;

    if (j->tokens.n == 0 || g->start >= j->tokens.n)
        return g_strdup("");
    uint32_t last = MIN(MAX(g->end, g->start + 1), (uint32_t) j->tokens.n) - 1;
    const char *from = j->text->str + j->tokens.tokens[g->start].start;
    size_t len = (size_t) (j->tokens.tokens[last].end -
                           j->tokens.tokens[g->start].start);
    if (len > MAX_EVIDENCE) {
        const char *cut = g_utf8_find_prev_char(from, from + MAX_EVIDENCE);
        len = cut == NULL ? 0 : (size_t) (cut - from);
    }
    char *text = g_strndup(from, len);
    for (char *p = text; *p != '\0'; p++) {
        if ((unsigned char) *p < ' ')
            *p = ' ';
    }
    return text;
}

/* --- whose addresses -------------------------------------------------------- */

static bool
same_domain(const char *a, const char *b)
{
    const char *x = strrchr(a, '@'), *y = b == NULL ? NULL : strrchr(b, '@');

    return x != NULL && y != NULL && g_ascii_strcasecmp(x, y) == 0;
}

/* Ours: not a subscriber's. */
static bool
is_ours(const UnsubscribeRules *rules, const Message *message,
        const Envelope *envelope, const char *author, const char *email)
{
    if (rules->local_domains != NULL && rules->local_domains[0] != NULL)
        return address_is_local(email,
                                (const char *const *) rules->local_domains);
    if (author != NULL && same_domain(email, author))
        return false;
    for (guint i = 0;
         envelope->recipients != NULL && i < envelope->recipients->len; i++) {
        if (same_domain(email, envelope->recipients->pdata[i]))
            return true;
    }
    for (size_t i = 0; i < message->to.n; i++) {
        if (same_domain(email, message->to.items[i].email))
            return true;
    }
    return false;
}

static void
add_address(GPtrArray *addresses, const char *email)
{
    if (email == NULL || *email == '\0' || addresses->len >= MAX_ADDRESSES)
        return;
    for (guint i = 0; i < addresses->len; i++) {
        if (g_ascii_strcasecmp(addresses->pdata[i], email) == 0)
            return;
    }
    g_ptr_array_add(addresses, g_ascii_strdown(email, -1));
}

static WordBits
bits_between(const Judged *j, uint32_t from, uint32_t end)
{
    WordBits bits = 0;

    for (guint i = 0; i < j->matches->len; i++) {
        const WordMatch *m = &g_array_index(j->matches, WordMatch, i);
        if (m->start >= from && m->start < end &&
            (m->languages & j->judgement.mask) != 0)
            bits |= (WordBits) 1 << m->class;
    }
    return bits;
}

static void
clause_range(const TextTokens *t, uint32_t at, uint32_t *from, uint32_t *end)
{
    *from = at;
    *end = at + 1;
    while (*from > 0 && t->tokens[*from - 1].clause == t->tokens[at].clause)
        (*from)--;
    while (*end < t->n && t->tokens[*end].clause == t->tokens[at].clause)
        (*end)++;
}

/* "remove me and jo@example.org" */
static bool
me_and(const Judged *j, uint32_t from, uint32_t address)
{
    bool me = false;

    for (guint i = 0; i < j->matches->len; i++) {
        const WordMatch *m = &g_array_index(j->matches, WordMatch, i);
        if (m->start < from || m->start >= address ||
            (m->languages & j->judgement.mask) == 0)
            continue;
        if (m->class == WORD_CLASS_ME || m->class == WORD_CLASS_REQUEST)
            me = true;
        else if (m->class == WORD_CLASS_AND && me)
            return true;
    }
    return false;
}

/* The address that was filled in on a form ("Email: jo@example.org" among
 * lines like it): whose text it is. */
static char *
form_author(const TextTokens *t, const GString *text)
{
    unsigned labels = 0;
    const TextToken *address = NULL;

    for (size_t i = 0; i < t->n_sentences; i++) {
        const TextSentence *s = &t->sentences[i];
        if (s->first >= s->end)
            continue;
        size_t at = t->tokens[s->first].start;
        size_t label = 0;
        while (label < MAX_LABEL && at + label < text->len &&
               text->str[at + label] != ':' && text->str[at + label] != '\n')
            label++;
        if ((at > 0 && text->str[at - 1] != '\n') || at + label >= text->len ||
            text->str[at + label] != ':')
            continue;
        labels++;
        if (address == NULL && s->end - s->first <= 4 &&
            t->tokens[s->end - 1].kind == TOKEN_ADDRESS)
            address = &t->tokens[s->end - 1];
    }
    if (labels < 3 || address == NULL)
        return NULL;
    return g_strndup(text->str + address->start, address->end - address->start);
}

/* The addresses that the text names are the ones that it is about; the
 * author's own is added when the text says "too", or none is named. */
static void
collect_addresses(const UnsubscribeRules *rules, const Message *message,
                  const Envelope *envelope, const Judged *j, const char *author,
                  GPtrArray *out)
{
    const TextTokens *t = &j->tokens;
    const Judgement *g = &j->judgement;
    bool both = false, chain = true;
    uint32_t chained = g->sentence;
    g_autofree char *filled_in = form_author(t, j->text);

    if (filled_in != NULL)
        author = filled_in;

    for (uint32_t i = 0; i < t->n; i++) {
        const TextToken *token = &t->tokens[i];
        if (token->kind != TOKEN_ADDRESS)
            continue;
        g_autofree char *email =
            g_strndup(j->text->str + token->start, token->end - token->start);
        if (is_ours(rules, message, envelope, author, email))
            continue;
        const TextSentence *sentence = &t->sentences[token->sentence];
        uint32_t from, end;
        clause_range(t, i, &from, &end);
        WordBits clause = bits_between(j, from, end);
        WordBits own = bits_between(j, sentence->first, sentence->end);
        if (HAS(clause, INSTEAD) || (HAS(own, AWAY) && !HAS(own, REMOVE)))
            continue;
        uint32_t distance = token->sentence > g->sentence
                                ? token->sentence - g->sentence
                                : g->sentence - token->sentence;
        bool alone = sentence->end - sentence->first <= 4;
        bool near = distance == 0 ||
                    (distance <= 2 && HAS(g->sentence_bits, ADDRESS)) ||
                    (distance == 1 &&
                     (HAS(own, ADDRESS) || HAS(own, ALSO) || HAS(own, AGAIN)));
        /* The subject asks, the text names: "jo@... wants to be removed". */
        if (!near && g->sentence == 0 &&
            (own & (CLASS_BIT(REMOVE) | CLASS_BIT(UNSUB) | CLASS_BIT(REQUEST) |
                    CLASS_BIT(STOP) | CLASS_BIT(LIST))) != 0)
            near = true;
        /* A list of addresses, one a line. */
        if (!near && chain && alone && token->sentence > g->sentence &&
            token->sentence - chained <= 1 && HAS(g->sentence_bits, ADDRESS))
            near = true;
        if (!near)
            continue;
        chained = MAX(chained, token->sentence);
        both |= HAS(own, ALSO) || HAS(g->sentence_bits, ALSO) ||
                me_and(j, sentence->first, i);
        add_address(out, email);
    }
    if (out->len == 0 || both)
        add_address(out, author);
}

/* --- the message -------------------------------------------------------------- */

static UnsubscribeScope
scope_of(Outcome outcome)
{
    switch (outcome) {
    case OUTCOME_PARTIAL:
        return UNSUBSCRIBE_PARTIAL;
    case OUTCOME_SMS:
        return UNSUBSCRIBE_SMS;
    case OUTCOME_BACK:
        return UNSUBSCRIBE_RESUBSCRIBE;
    case OUTCOME_NONE:
    case OUTCOME_HOLD:
    case OUTCOME_ACT:
    case OUTCOME_KEEP:
        break;
    }
    return UNSUBSCRIBE_ALL;
}

/* Colleagues pass on what a customer asked for: a person decides, about the
 * customer. */
static Unsubscribe *
forwarded_request(const UnsubscribeRules *rules, const Message *message,
                  const Body *body)
{
    g_auto(Judged) j = { .text = g_string_new(NULL), .lang = "" };

    append_lines(j.text, body, ZONE_FORWARDED);
    if (j.text->len == 0)
        append_lines(j.text, body, ZONE_QUOTED);
    if (j.text->len == 0)
        return NULL;
    judge(rules, &j, 0, true, "");
    Outcome outcome = j.judgement.outcome;
    if (outcome == OUTCOME_NONE || outcome == OUTCOME_KEEP)
        return NULL;
    for (uint32_t i = 0; i < j.tokens.n; i++) {
        const TextToken *token = &j.tokens.tokens[i];
        if (token->kind != TOKEN_ADDRESS)
            continue;
        g_autofree char *email =
            g_strndup(j.text->str + token->start, token->end - token->start);
        if (address_is_local(email,
                             (const char *const *) rules->local_domains) ||
            (message->from.n > 0 &&
             same_domain(email, message->from.items[0].email)))
            continue;
        Unsubscribe *found = unsubscribe_new(scope_of(outcome));
        found->unsure = true;
        found->evidence = evidence(&j);
        add_address(found->addresses, email);
        return found;
    }
    return NULL;
}

static bool
is_any(const char *word, const char *const *words)
{
    for (; word != NULL && *words != NULL; words++) {
        if (strcmp(word, *words) == 0)
            return true;
    }
    return false;
}

/* Mail to an unsubscribe address asks for it unless it says otherwise: token
 * addresses are harvested, and out-of-office replies arrive there as well. */
static Unsubscribe *
by_recipient(const UnsubscribeRules *rules, const Message *message,
             const Envelope *envelope, const Recipient *to, const Judged *j,
             const char *author, const char *ignored)
{
    static const char *const never[] = { "spam", "malformed", "internal",
                                         NULL };
    const Judgement *g = &j->judgement;
    const char *automatic = message_header(message, "Auto-Submitted");
    WordBits all = j->tokens.n == 0 ? 0 : bits_between(j, 0, UINT32_MAX);
    bool unsure = false, url = false;

    if (is_any(ignored, never))
        return NULL;
    for (guint i = 0; j->matches != NULL && i < j->matches->len; i++)
        all |= (WordBits) 1 << g_array_index(j->matches, WordMatch, i).class;
    for (size_t i = 0; i < j->tokens.n; i++)
        url |= j->tokens.tokens[i].kind == TOKEN_URL;
    if (g->outcome == OUTCOME_KEEP)
        return NULL;
    /* Others' advertising, which says how to get no more of it. */
    if (g->outcome == OUTCOME_NONE && j->tokens.n > 12 &&
        (HAS(all, FOOTER) || (HAS(all, COND) && HAS(all, UNSUB))))
        return NULL;
    if (HAS(all, AWAY) && g->outcome != OUTCOME_ACT)
        return NULL;
    if (automatic != NULL &&
        g_ascii_strncasecmp(automatic, "auto-replied", 12) == 0 &&
        g->outcome == OUTCOME_NONE && j->tokens.n > 12)
        return NULL;
    if (g->outcome == OUTCOME_NONE && to->address == NULL && j->tokens.n > 25 &&
        (all & (CLASS_BIT(UNSUB) | CLASS_BIT(REMOVE) | CLASS_BIT(REQUEST) |
                CLASS_BIT(STOP))) == 0) {
        if (url || ignored != NULL || j->tokens.n > 80)
            return NULL;
        unsure = true;
    }
    Unsubscribe *found = unsubscribe_new(scope_of(g->outcome));
    found->unsure = unsure;
    if (to->address != NULL) {
        found->by_token = true;
        add_address(found->addresses, to->address);
    } else if (g->outcome != OUTCOME_NONE) {
        collect_addresses(rules, message, envelope, j, author,
                          found->addresses);
    } else {
        add_address(found->addresses, author);
    }
    found->evidence = g->outcome == OUTCOME_NONE
                          ? g_strdup("sent to an unsubscribe address")
                          : evidence(j);
    if (found->addresses->len == 0)
        g_clear_pointer(&found, unsubscribe_free);
    return found;
}

static bool
is_from_us(const UnsubscribeRules *rules, const Message *message,
           const Envelope *envelope)
{
    const char *author =
        message->from.n > 0 ? message->from.items[0].email : NULL;

    return envelope->auth_user != NULL ||
           address_is_local(author, (const char *const *) rules->local_domains);
}

typedef enum { QUOTES_NOTHING, QUOTES_LETTER, QUOTES_MAILING } Quotes;

/* Does the quoted text bear the footer of a mailing? */
static Quotes
quotes(const UnsubscribeRules *rules, const Body *body)
{
    g_auto(Judged) j = { .text = g_string_new(NULL), .lang = "" };

    append_lines(j.text, body, ZONE_QUOTED);
    if (j.text->len == 0)
        return QUOTES_NOTHING;
    text_tokenise(rules->fold, j.text->str, j.text->len, &j.tokens);
    j.matches = unsubscribe_words_find(rules->words, &j.tokens, UINT64_MAX);
    static const WordBits footers = CLASS_BIT(UNSUB) | CLASS_BIT(FOOTER) |
                                    CLASS_BIT(LINK) | CLASS_BIT(REQUEST);
    WordBits sentence_bits = 0;
    uint16_t sentence = 0;
    for (guint i = 0; i < j.matches->len; i++) {
        const WordMatch *m = &g_array_index(j.matches, WordMatch, i);
        const TextToken *at = &j.tokens.tokens[m->start];
        if (at->sentence != sentence)
            sentence_bits = 0;
        sentence = at->sentence;
        sentence_bits |= (WordBits) 1 << m->class;
        /* "Remove me from the trade list" */
        if ((sentence_bits & footers) != 0 ||
            (HAS(sentence_bits, REMOVE) && HAS(sentence_bits, ME) &&
             HAS(sentence_bits, LIST)))
            return QUOTES_MAILING;
    }
    return QUOTES_LETTER;
}

static ScoreText
score_text(const UnsubscribeRules *rules, const Body *body, const Judged *j)
{
    Quotes quoted = quotes(rules, body);

    return (ScoreText){ .tokens = &j->tokens,
                        .matches = j->matches,
                        .judgement = &j->judgement,
                        .n_subject = j->n_subject,
                        .reply = j->reply,
                        .quotes = quoted != QUOTES_NOTHING,
                        .mailing = quoted == QUOTES_MAILING };
}

/* Who does not answer a mailing says what shall end. */
static bool
names_an_end(WordBits bits)
{
    static const WordBits requests = CLASS_BIT(REQUEST) | CLASS_BIT(UNSUB) |
                                     CLASS_BIT(REVOKE) | CLASS_BIT(BACK);
    static const WordBits ends = CLASS_BIT(REMOVE) | CLASS_BIT(STOP) |
                                 CLASS_BIT(CEASE) | CLASS_BIT(LESS) |
                                 CLASS_BIT(NOT) | CLASS_BIT(AGAIN) |
                                 CLASS_BIT(BROKEN) | CLASS_BIT(MANUAL);
    static const WordBits mailings = CLASS_BIT(MAIL) | CLASS_BIT(LIST) |
                                     CLASS_BIT(SUBSCRIPTION) | CLASS_BIT(LINK) |
                                     CLASS_BIT(SMS);

    return (bits & requests) != 0 ||
           ((bits & ends) != 0 && (bits & mailings) != 0);
}

/* The grammar has judged; the weights decide. */
static void
weigh(const UnsubscribeRules *rules, const Body *body, Judged *j)
{
    Judgement *g = &j->judgement;

    /* In a language that is not wanted the words say nothing. */
    if (!j->judged || (*j->lang == '\0' && rules->some_languages) ||
        (unsubscribe_judge_languages(rules->words, SIZE_MAX, j->lang) &
         unsubscribe_words_wanted(rules->words)) == 0)
        return;
    Outcome before = g->outcome;
    ScoreText text = score_text(rules, body, j);
    if (before == OUTCOME_NONE && !text.mailing &&
        !names_an_end(bits_between(j, 0, UINT32_MAX)))
        return;
    size_t at = 0;
    g->outcome = unsubscribe_score(&text, &at);
    if (g->outcome == before || g->outcome == OUTCOME_NONE ||
        (before != OUTCOME_NONE && g->outcome == OUTCOME_HOLD))
        return; /* the clause that decided stands there already */
    const TextSentence *sentence = &j->tokens.sentences[at];
    g->sentence = (uint32_t) at;
    g->start = sentence->first;
    g->end = sentence->end;
    g->sentence_bits = g->clause_bits =
        bits_between(j, sentence->first, sentence->end);
}

/* The subject and the author's own words, judged by the grammar. */
static void
read_own_words(const UnsubscribeRules *rules, const Message *message,
               const Body *body, const char *lang, Judged *j)
{
    bool prefixed = has_reply_prefix(message->subject);
    if (!prefixed && *message->subject != '\0') {
        /* "Out of the studio Re: Your newsletter" */
        const char *re = strstr(message->subject, " Re: ");
        g_string_append_len(j->text, message->subject,
                            re == NULL ? -1 : re - message->subject);
        for (char *p = j->text->str; *p != '\0'; p++) {
            if (*p == '\n')
                *p = ' ';
        }
        g_string_append_c(j->text, '\n');
    }
    size_t n_subject = j->text->len > 0 ? 1 : 0;
    bool quoted = prefixed;
    for (size_t i = 0; i < body->n_lines && !quoted; i++)
        quoted = body->lines[i].zone == ZONE_QUOTED;
    append_lines(j->text, body, ZONE_OWN);
    judge(rules, j, n_subject, quoted, lang);
}

typedef struct {
    GString *out;
    const TextTokens *tokens;
} NgramNames;

static void
append_ngram(const Ngram *ngram, void *data)
{
    NgramNames *names = data;

    g_string_append_c(names->out, '\t');
    unsubscribe_ngram_name(names->tokens, ngram, names->out);
}

static void
append_names(GString *out, const char *what, const ScoreSet *set)
{
    g_string_append(out, what);
    for (size_t i = 0; i < N_SCORES; i++) {
        if ((set->bits[i / 64] >> (i % 64) & 1) != 0)
            g_string_append_printf(out, " %s",
                                   unsubscribe_score_name((Score) i));
    }
    g_string_append_c(out, '\n');
}

char *
unsubscribe_explain(const UnsubscribeRules *rules, const Message *message,
                    const Body *body, const Envelope *envelope,
                    const char *ignored, const char *lang)
{
    g_auto(Recipient) to = recipient(rules, message, envelope);
    g_auto(Judged) j = { .text = g_string_new(NULL), .lang = "" };
    GString *out = g_string_new(NULL);
    ScoreSet set;

    read_own_words(rules, message, body, lang, &j);
    if (is_from_us(rules, message, envelope) || ignored != NULL || to.found)
        return g_string_free(out, FALSE);
    ScoreText text = score_text(rules, body, &j);
    unsubscribe_score_message(&text, &set);
    append_names(out, "message", &set);
    ScoreWalk walk = { 0 };
    while (unsubscribe_score_next(&text, &walk, &set))
        append_names(out, "clause", &set);
    NgramNames names = { out, &j.tokens };
    for (size_t i = 0; i < j.tokens.n_sentences; i++) {
        g_string_append(out, "sentence");
        unsubscribe_ngrams(&j.tokens, i, i < j.n_subject,
                           unsubscribe_score_context(&text), append_ngram,
                           &names);
        g_string_append_c(out, '\n');
    }
    return g_string_free(out, FALSE);
}

Unsubscribe *
unsubscribe_find(const UnsubscribeRules *rules, const Message *message,
                 const Body *body, const Envelope *envelope,
                 const char *ignored, const char *lang)
{
    const char *author =
        message->from.n > 0 ? message->from.items[0].email : NULL;
    bool ours = is_from_us(rules, message, envelope);
    g_auto(Recipient) to = { 0 };

    if (!ours)
        to = recipient(rules, message, envelope);
    if (ours)
        return forwarded_request(rules, message, body);
    /* "Ann has left. Please remove this address from your lists", says a
     * server, and inbox services ask for their members. */
    bool automatic = g_strcmp0(ignored, "auto") == 0;
    if (ignored != NULL && !to.found && !automatic)
        return NULL;

    g_auto(Judged) j = { .text = g_string_new(NULL), .lang = "" };
    read_own_words(rules, message, body, lang, &j);

    if (to.found)
        return by_recipient(rules, message, envelope, &to, &j, author, ignored);
    const Judgement *g = &j.judgement;
    weigh(rules, body, &j);
    if (g->outcome == OUTCOME_NONE || g->outcome == OUTCOME_KEEP ||
        (automatic &&
         !(g->outcome == OUTCOME_ACT && HAS(g->message_bits, LIST) &&
           (HAS(g->message_bits, REMOVE) || HAS(g->message_bits, UNSUB)))))
        return NULL;
    if (HAS(g->message_bits, AWAY) && g->outcome != OUTCOME_BACK &&
        message_header(message, "Auto-Submitted") != NULL)
        return NULL;
    Unsubscribe *found = unsubscribe_new(scope_of(g->outcome));
    found->unsure = g->outcome == OUTCOME_HOLD;
    found->evidence = evidence(&j);
    collect_addresses(rules, message, envelope, &j, author, found->addresses);
    if (found->addresses->len == 0)
        g_clear_pointer(&found, unsubscribe_free);
    return found;
}
