/*
 * signature.c - the block at the end of the author's own words
 *
 * The author's text may stand in several runs (answers between quotations);
 * a signature is at the end of one of them. Footers of programs and lawyers
 * are taken off first. Then, if the markup or a "-- " line says where the
 * signature begins, that is believed. Otherwise each line from the end upward
 * gets the sum of its features' weights, and the block with the largest sum is
 * the signature if the sum exceeds a threshold (a maximum subarray, as in
 * Kadane's algorithm). What stands below the block (taglines, memberships) is
 * part of it.
 *
 * A sign-off belongs to the block, so that "Regards, Tim" is a signature.
 */
#include "analysis/signature.h"

#include "analysis/disclaimer.h"
#include "analysis/signature_features.h"

#include <string.h>

#include "analysis/data/signature-weights.inc"

enum {
    BLOCK_LINES = 40, /* non-empty lines looked at, from the end of a run */
    BLOCK_BYTES = 4096,
    ELEMENT_LINES = 40,
    MAX_RUNS = 6,
    TAIL_LINES = 8,
    NAME_BYTES = 60,
    FOOTER_BYTES = 70, /* "Sent from my iPhone" */
};

#define ABOVE_AUTHOR 2.0
#define ABOVE_CLOSING 3.5
#define GIVE_UP (-9.0) /* so far below the best there is no way back */

static const double weights[N_FEATURES] = {
    [FEATURE_LINE] = WEIGHT_LINE,
    [FEATURE_CLOSING] = WEIGHT_CLOSING,
    [FEATURE_CLOSING_NAME] = WEIGHT_CLOSING_NAME,
    [FEATURE_AUTHOR] = WEIGHT_AUTHOR,
    [FEATURE_AUTHOR_WORD] = WEIGHT_AUTHOR_WORD,
    [FEATURE_NAME_SHAPE] = WEIGHT_NAME_SHAPE,
    [FEATURE_GIVEN] = WEIGHT_GIVEN,
    [FEATURE_AFTER_CLOSING] = 0, /* only with a name, below */
    [FEATURE_PHONE] = WEIGHT_PHONE,
    [FEATURE_EXTENSION] = WEIGHT_EXTENSION,
    [FEATURE_OWN_EMAIL] = WEIGHT_OWN_EMAIL,
    [FEATURE_EMAIL] = WEIGHT_EMAIL,
    [FEATURE_URL] = WEIGHT_URL,
    [FEATURE_TITLE] = WEIGHT_TITLE,
    [FEATURE_ORGANISATION] = WEIGHT_ORGANISATION,
    [FEATURE_ADDRESS] = WEIGHT_ADDRESS,
    [FEATURE_LABEL] = WEIGHT_LABEL,
    [FEATURE_SEPARATORS] = WEIGHT_SEPARATORS,
    [FEATURE_RULE] = WEIGHT_RULE,
    [FEATURE_CAPITALS] = WEIGHT_CAPITALS,
    [FEATURE_SENTENCE] = WEIGHT_SENTENCE,
    [FEATURE_LOWER] = WEIGHT_LOWER,
    [FEATURE_LONG] = WEIGHT_LONG,
    [FEATURE_VERY_LONG] = WEIGHT_VERY_LONG,
    [FEATURE_GREETING] = WEIGHT_GREETING,
    [FEATURE_LIST] = WEIGHT_LIST,
    [FEATURE_QUESTION] = WEIGHT_QUESTION,
    [FEATURE_ELEMENT] = WEIGHT_ELEMENT,
    [FEATURE_TABLE] = WEIGHT_TABLE,
    [FEATURE_SMALL] = WEIGHT_SMALL,
    [FEATURE_WRAPPED] = WEIGHT_WRAPPED,
    [FEATURE_CJK] = WEIGHT_CJK,
    [FEATURE_FOREIGN] = 0, /* for is_tied() only */
    [FEATURE_FIELD] = WEIGHT_FIELD,
    [FEATURE_APPOINTMENT] = WEIGHT_APPOINTMENT,
    [FEATURE_PARAGRAPH] = 0, /* only at the beginning, below */
};

#define HAS(bits, feature) (((bits) >> FEATURE_##feature) & 1)

static double
score_of(guint64 bits)
{
    double score = 0;
    for (int i = 0; i < N_FEATURES; i++)
        if ((bits >> i) & 1)
            score += weights[i];
    if (HAS(bits, AFTER_CLOSING) &&
        (HAS(bits, NAME_SHAPE) || HAS(bits, AUTHOR) || HAS(bits, GIVEN)))
        score += WEIGHT_AFTER_CLOSING;
    return score;
}

typedef struct {
    size_t start, end; /* lines [start, end) of one author's run */
} Run;

typedef struct {
    size_t start, end;
    double score;
} Block;

/* Runs of own lines, as many as fit: the first and the last ones. */
static size_t
find_runs(const Body *body, Run *runs)
{
    size_t n = 0;
    for (size_t i = 0; i < body->n_lines;) {
        if (body->lines[i].zone != ZONE_OWN) {
            i++;
            continue;
        }
        Run run = { i, i };
        while (i < body->n_lines && (body->lines[i].zone == ZONE_OWN ||
                                     body->lines[i].zone == ZONE_DISCLAIMER)) {
            if (body->lines[i].len > 0)
                run.end = i + 1;
            i++;
        }
        if (run.end == run.start)
            continue;
        if (n < MAX_RUNS) {
            runs[n++] = run;
        } else { /* keep the first and the latest */
            memmove(&runs[1], &runs[2], (MAX_RUNS - 2) * sizeof *runs);
            runs[MAX_RUNS - 1] = run;
        }
    }
    return n;
}

static bool
is_postscript(const Line *line)
{
    return line->len > 2 && (line->text[0] == 'P' || line->text[0] == 'p') &&
           (line->text[1] == 'S' || line->text[1] == 's' ||
            (line->text[1] == '.' && g_ascii_toupper(line->text[2]) == 'S')) &&
           !g_ascii_isalpha(line->text[2] == '.' || line->text[1] == '.'
                                ? line->text[MIN((size_t) 3, line->len - 1)]
                                : line->text[2]);
}

static bool
prev_is_blank(const Body *body, const Run *run, size_t i)
{
    return i == run->start || body->lines[i - 1].len == 0 ||
           (body->lines[i].flags & (LINE_PARAGRAPH | LINE_AFTER_RULE));
}

/* Where the markup or a delimiter says that the signature begins. */
static bool
find_marked(const Body *body, const Run *run, const Author *author, Block *out)
{
    size_t lines = 0, seen = 0, words = 0;
    size_t first = run->end;
    for (size_t i = run->end; i-- > run->start;) {
        const Line *line = &body->lines[i];
        if (line->zone == ZONE_DISCLAIMER || line->len == 0)
            continue;
        if (++seen > 2 * ELEMENT_LINES)
            break;
        if (signature_delimiter(line)) {
            /* a rule between two sections has prose on both sides */
            if (words > 0 && seen <= ELEMENT_LINES &&
                (line->len < 3 || line->text[2] != '-')) {
                *out = (Block){ i, run->end, 10.0 };
                return true;
            }
            break;
        }
        words++;
    }
    for (size_t i = run->start; i < run->end; i++) {
        const Line *line = &body->lines[i];
        if (!(line->flags & LINE_SIGNATURE_ELEMENT) || line->len == 0 ||
            line->zone == ZONE_DISCLAIMER)
            continue;
        if (first == run->end)
            first = i;
        lines++;
    }
    if (lines == 0 || lines > ELEMENT_LINES)
        return false;
    /* A whole mail typed inside the element is no signature. */
    size_t prose = 0;
    for (size_t i = first; i < run->end; i++)
        prose +=
            (body->lines[i].flags & LINE_SIGNATURE_ELEMENT) &&
            body->lines[i].zone != ZONE_DISCLAIMER &&
            (body->lines[i].len > 100 ||
             HAS(signature_features(&body->lines[i], author, false), SENTENCE));
    if (prose * 2 > lines || (first == run->start && prose > 0))
        return false;
    *out = (Block){ first, run->end, 10.0 };
    return true;
}

/* What a line adds to the block below it. A block has an order: nothing but a
 * sign-off, a rule or a firm's name stands above the author's name, and nothing
 * but another sign-off above a sign-off. */
static double
score_above(guint64 bits, guint64 below)
{
    double score = score_of(bits);
    bool opener = HAS(bits, CLOSING) || HAS(bits, CLOSING_NAME);
    if (HAS(below, CLOSING) || HAS(below, CLOSING_NAME))
        return opener ? score : score - ABOVE_CLOSING;
    if (HAS(below, AUTHOR) && !opener && !HAS(bits, AUTHOR) &&
        !HAS(bits, RULE) && !HAS(bits, ELEMENT) &&
        !(HAS(bits, CJK) && !HAS(bits, SENTENCE)))
        return score -
               (HAS(bits, ORGANISATION) ? ABOVE_AUTHOR / 2 : ABOVE_AUTHOR);
    return score;
}

/* Does the block say whose it is? Numbers and names at the end of a mail may be
 * somebody else's: a list of speakers, a number to call. A name alone does no
 * harm, and one in another script cannot be compared. */
static bool
is_tied(guint64 inside, const Author *author)
{
    bool data = HAS(inside, PHONE) || HAS(inside, EMAIL) || HAS(inside, URL) ||
                HAS(inside, TITLE) || HAS(inside, ADDRESS) ||
                HAS(inside, ORGANISATION);
    return !data || HAS(inside, CJK) || HAS(inside, FOREIGN) || author->role ||
           author->n_tokens == 0 || HAS(inside, AUTHOR) ||
           HAS(inside, AUTHOR_WORD) || HAS(inside, OWN_EMAIL) ||
           HAS(inside, CLOSING) || HAS(inside, CLOSING_NAME) ||
           HAS(inside, ELEMENT) || HAS(inside, AFTER_CLOSING) ||
           HAS(inside, EXTENSION);
}

/* Something that a signature cannot be without. */
static bool
is_anchor(guint64 bits)
{
    return HAS(bits, CLOSING_NAME) || HAS(bits, AUTHOR) || HAS(bits, PHONE) ||
           HAS(bits, EXTENSION) || HAS(bits, EMAIL) || HAS(bits, ELEMENT) ||
           HAS(bits, AUTHOR_WORD) ||
           ((HAS(bits, GIVEN) || HAS(bits, NAME_SHAPE)) &&
            HAS(bits, AFTER_CLOSING));
}

static bool
follows_closing(const Body *body, const Run *run, size_t i)
{
    while (i-- > run->start) {
        const Line *line = &body->lines[i];
        size_t rest;
        if (line->len > 0)
            return line->len <= 60 &&
                   signature_closing(line->text, line->len, &rest) &&
                   rest == line->len;
    }
    return false;
}

/* "Ann Example, 5 Feb 2025, 16:40": the head of an older mail in a helpdesk's
 * history. */
static bool
is_attribution(const Line *line)
{
    bool year = false, hour = false;
    if (memchr(line->text, ':', line->len) == NULL)
        return false;
    for (size_t i = 0; line->len < 100 && i + 4 < line->len; i++) {
        const char *p = line->text + i;
        if (i > 0 && g_ascii_isalnum(p[-1]))
            continue;
        year |= (g_str_has_prefix(p, "19") || g_str_has_prefix(p, "20")) &&
                g_ascii_isdigit(p[2]) && g_ascii_isdigit(p[3]) &&
                !g_ascii_isalnum(p[4]);
        hour |=
            g_ascii_isdigit(p[0]) &&
            ((p[1] == ':' && g_ascii_isdigit(p[2])) ||
             (g_ascii_isdigit(p[1]) && p[2] == ':' && g_ascii_isdigit(p[3])));
    }
    return year && hour && line->text[line->len - 1] != '.';
}

/* A name that ends a list of names is no signature. */
static bool
is_roster(const Body *body, const Run *run, const Author *author,
          const Block *block)
{
    const Line *lines = body->lines;
    size_t i = block->start;
    if (block->end != i + 1 || i < run->start + 2)
        return false;
    for (size_t k = i - 2; k < i; k++)
        if (lines[k].len == 0 || lines[k].len > NAME_BYTES)
            return false;
    for (size_t k = i - 2; k < i; k++) {
        guint64 bits = signature_features(&lines[k], author, false);
        if (!HAS(bits, NAME_SHAPE) || HAS(bits, AUTHOR) || HAS(bits, TITLE) ||
            HAS(bits, CLOSING) || HAS(bits, CLOSING_NAME))
            return false;
    }
    return true;
}

/* The best block of the run by the sum of its lines' weights. */
static bool
find_scored(const Body *body, const Run *run, const Author *author, Block *out)
{
    size_t seen = 0, bytes = 0, below = 0;
    Block best = { run->end, run->end, 0 };
    Block open = { run->end, run->end, 0 };
    guint64 inside = 0; /* features seen in the open block */
    bool anchored = false, below_is_title = false;
    double tail = 0;
    for (size_t i = run->end; i-- > run->start;) {
        const Line *line = &body->lines[i];
        if (line->zone == ZONE_DISCLAIMER || line->len == 0)
            continue;
        bytes += line->len;
        if (++seen > BLOCK_LINES || (bytes > BLOCK_BYTES && seen > 1))
            break;
        bool history = below > 40 && is_attribution(line);
        below = line->len;
        if (history || is_postscript(line)) { /* all below is another's */
            open = best = (Block){ i, i, 0 };
            inside = 0;
            anchored = false;
            tail = 0;
            continue;
        }
        guint64 bits =
            signature_features(line, author, follows_closing(body, run, i));
        if (HAS(bits, GREETING))
            break;
        if (i > run->start && signature_wrapped(&body->lines[i - 1], line))
            bits |= G_GUINT64_CONSTANT(1) << FEATURE_WRAPPED;
        double score = score_above(bits, inside);
        if (open.score + score < (inside != 0 ? -1.0 : 0.0)) {
            /* a new block may end above this line; each line that is left
             * below costs a little */
            tail += open.end > open.start ? 1.0 : 0.6;
            if (HAS(bits, VERY_LONG) || HAS(bits, SENTENCE))
                tail += 1.2;
            open = (Block){ i, i, 0 };
            inside = 0;
            anchored = false;
        } else {
            open.start = i;
            open.score += score;
            inside |= bits;
            anchored |=
                is_anchor(bits) || (HAS(bits, GIVEN) && open.end == run->end &&
                                    seen <= 2 && prev_is_blank(body, run, i));
            /* a name right above a title */
            if (HAS(bits, NAME_SHAPE) && below_is_title &&
                prev_is_blank(body, run, i)) {
                anchored = true;
                open.score += 1.0;
            }
            double sum = open.score - tail;
            if (prev_is_blank(body, run, i))
                sum += WEIGHT_PARAGRAPH;
            if (anchored && sum > best.score && !HAS(bits, SENTENCE) &&
                is_tied(inside, author))
                best = (Block){ i, open.end, sum };
        }
        below_is_title = HAS(bits, TITLE);
        if (best.score > 0 && open.score - best.score < GIVE_UP / 2)
            break;
        if (tail > 6)
            break;
    }
    if (best.score < SIGNATURE_THRESHOLD || is_roster(body, run, author, &best))
        return false;
    /* a rule drawn right above */
    for (size_t i = best.start; i-- > run->start;) {
        if (body->lines[i].len == 0)
            continue;
        if (HAS(signature_features(&body->lines[i], author, false), RULE) &&
            body->lines[i].zone == ZONE_OWN)
            best.start = i;
        break;
    }
    *out = best;
    return true;
}

/* Lines below the block: taglines and memberships belong to it, prose that
 * goes on does not. */
static size_t
block_end(const Body *body, const Run *run, const Author *author,
          const Block *block)
{
    size_t lines = 0, end = block->end;
    for (size_t i = block->end; i < run->end; i++) {
        const Line *line = &body->lines[i];
        if (line->len == 0)
            continue;
        if (is_postscript(line) || ++lines > TAIL_LINES)
            break;
        guint64 bits = signature_features(line, author, false);
        if (HAS(bits, APPOINTMENT) || is_attribution(line))
            break;
        end = i + 1;
    }
    return end;
}

static bool
find_block(const Body *body, const Run *run, const Author *author, Block *out)
{
    if (find_marked(body, run, author, out)) {
        for (size_t i = out->start; i < out->end; i++)
            if (is_attribution(&body->lines[i]))
                out->end = i;
        return true;
    }
    if (!find_scored(body, run, author, out))
        return false;
    out->end = block_end(body, run, author, out);
    return true;
}

void
signature_mark(Body *body, const Mailbox *author)
{
    Author known;
    author_init(&known, author);
    disclaimer_mark(body);

    Run runs[MAX_RUNS];
    size_t n = find_runs(body, runs);
    Block best = { 0, 0, 0 };
    for (size_t i = 0; i < n; i++) {
        Block block;
        if (find_block(body, &runs[i], &known, &block) &&
            block.score > best.score)
            best = block;
    }
    for (size_t i = best.start; i < best.end; i++)
        if (body->lines[i].zone == ZONE_OWN)
            body->lines[i].zone = ZONE_SIGNATURE;
}

/* --- for the reader ---------------------------------------------------------- */

static bool
is_image_note(const Line *line)
{
    return (line->flags & LINE_IMAGE_ALT) ||
           (line->len > 2 && line->text[0] == '[' &&
            line->text[line->len - 1] == ']' &&
            (strstr(line->text, "cid:") != NULL ||
             strstr(line->text, "mage") != NULL ||
             strstr(line->text, "ogo") != NULL ||
             strstr(line->text, ".png") != NULL ||
             strstr(line->text, ".jpg") != NULL ||
             strstr(line->text, ".gif") != NULL));
}

/* Does the program that wrote the mail say so below the signature? */
static bool
has_footer(const Body *body)
{
    bool below = false;
    for (size_t i = 0; i < body->n_lines; i++) {
        const Line *line = &body->lines[i];
        below |= line->zone == ZONE_SIGNATURE;
        if (below && line->zone == ZONE_DISCLAIMER && line->len > 0)
            return line->len <= FOOTER_BYTES && line->text[0] != '<' &&
                   line->text[0] != '(';
    }
    return false;
}

/* Nothing but the name? */
static bool
is_name_alone(const Line *line, const Author *author)
{
    guint64 bits = signature_features(line, author, false);
    return (HAS(bits, AUTHOR) || HAS(bits, GIVEN) || HAS(bits, NAME_SHAPE)) &&
           !HAS(bits, PHONE) && !HAS(bits, EMAIL) && !HAS(bits, URL) &&
           !HAS(bits, ADDRESS) && !HAS(bits, LABEL) && !HAS(bits, SEPARATORS) &&
           (HAS(bits, AUTHOR) ||
            (!HAS(bits, TITLE) && !HAS(bits, ORGANISATION)));
}

void
signature_list(const Body *body, const Mailbox *author, GPtrArray *out)
{
    const Line *lines[BLOCK_LINES * 2];
    size_t n = 0;
    bool delimited = false;
    for (size_t i = 0; i < body->n_lines && n < G_N_ELEMENTS(lines); i++) {
        const Line *line = &body->lines[i];
        if (line->zone != ZONE_SIGNATURE || line->len == 0)
            continue;
        if (signature_delimiter(line))
            delimited |= n == 0;
        else if (!is_image_note(line))
            lines[n++] = line;
    }
    size_t first = 0;
    if (body->from_html || has_footer(body)) {
        size_t rest;
        while (
            !delimited && first < n &&
            signature_closing(lines[first]->text, lines[first]->len, &rest) &&
            rest == lines[first]->len)
            first++;
        Author known;
        if (n - first == 1) {
            author_init(&known, author);
            if (is_name_alone(lines[first], &known))
                first++;
        }
    }
    for (size_t i = first; i < n; i++)
        g_ptr_array_add(out, g_strdup(lines[i]->text));
}
