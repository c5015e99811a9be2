/* show_unsubscribe.c - prints the words found in a text from standard input,
 * and what is made of them; no test. The first line is the subject. */
#include "config.h"

#include "analysis/language.h"
#include "analysis/unsubscribe_judge.h"

#include <stdio.h>
#include <string.h>

int
main(int argc, char **argv)
{
    static const char *const classes[] = {
#define X(name, word) word,
        WORD_CLASSES(X)
#undef X
    };
    static const char *const outcomes[] = { "none", "hold", "act", "partial",
                                            "sms",  "back", "keep" };
    static char text[65536];
    size_t len = fread(text, 1, sizeof text - 1, stdin);
    g_autoptr(GError) error = NULL;
    g_autoptr(TextFold) fold = text_fold_new();
    g_autoptr(UnsubscribeWords) words =
        unsubscribe_words_new(fold, NULL, argc > 2 ? argv[2] : NULL, &error);
    if (words == NULL) {
        fprintf(stderr, "%s\n", error->message);
        return 1;
    }
    g_auto(TextTokens) tokens = { 0 };
    text_tokenise(fold, text, len, &tokens);
    g_autoptr(GArray) matches =
        unsubscribe_words_find(words, &tokens, UINT64_MAX);
    const char *only = argc > 1 ? argv[1] : "";
    for (guint i = 0; i < matches->len; i++) {
        const WordMatch *m = &g_array_index(matches, WordMatch, i);
        printf("%2u-%2u clause %u %-8s %.*s:", m->start, m->end,
               tokens.tokens[m->start].clause, classes[m->class],
               (int) (tokens.tokens[m->end - 1].end -
                      tokens.tokens[m->start].start),
               text + tokens.tokens[m->start].start);
        for (size_t l = 0; l < unsubscribe_words_languages(words); l++) {
            const char *name = unsubscribe_words_language(words, l);
            if ((m->languages >> l & 1) != 0 &&
                (*only == '\0' || strcmp(only, name) == 0))
                printf(" %s", name);
        }
        printf("\n");
    }
    JudgeContext context = { .lang = language_guess(text, len) };
    Judgement j;
    unsubscribe_judge(words, &tokens, matches, &context, &j);
    if (j.outcome != OUTCOME_NONE && j.end > j.start)
        printf(
            "evidence: %.*s\n",
            (int) (tokens.tokens[j.end - 1].end - tokens.tokens[j.start].start),
            text + tokens.tokens[j.start].start);
    printf("language %s: %s, units %u, coverage %u\n", context.lang,
           outcomes[j.outcome], j.units, j.coverage);
    return 0;
}
