/* show_unsubscribe_features.c - for each mail given, what the decision about an
 * unsubscribe request is weighed by; no test: tests/analysis/train-unsubscribe
 * reads it.
 *
 *     show_unsubscribe_features DOMAIN FILE...
 *
 *     ==> FILE <TAB> verdict, or "held" or "scope"
 *     message BIAS M_REPLY ...
 *     clause S_REMOVE S_ME C_REMOVE_ME ...
 *     sentence <TAB> n-gram <TAB> n-gram ...
 *
 * Nothing follows the first line when it is not by weights that the mail is
 * decided. DOMAIN is ours. --names lists the features of message and clauses. */
#include "config.h"

#include "analysis/analysis.h"
#include "analysis/ignore.h"
#include "analysis/language.h"
#include "analysis/signature.h"
#include "analysis/unsubscribe.h"
#include "analysis/unsubscribe_score.h"

#include <stdio.h>
#include <string.h>

static const char *
verdict_of(const Analysis *a)
{
    if (a->verdict == VERDICT_BOUNCE)
        return "bounce";
    if (a->unsubscribe == NULL)
        return "none";
    if (a->unsubscribe->scope != UNSUBSCRIBE_ALL)
        return "scope";
    return a->unsubscribe->unsure ? "held" : "unsubscribe";
}

static void
show(const Analyzer *analyzer, const UnsubscribeRules *rules,
     const char *const *domains, const char *path)
{
    g_autofree char *bytes = NULL;
    gsize len;
    g_autoptr(GError) error = NULL;

    if (!g_file_get_contents(path, &bytes, &len, &error)) {
        fprintf(stderr, "%s\n", error->message);
        return;
    }
    g_autoptr(Message) message = message_parse(bytes, len, NULL);
    g_autoptr(Envelope) envelope = envelope_from_message(message);
    g_autoptr(Analysis) analysis = analyzer_run(analyzer, message, envelope);
    printf("==> %s\t%s\n", path, verdict_of(analysis));
    if (message->malformed || analysis->verdict == VERDICT_BOUNCE)
        return;
    g_autoptr(Body) body = body_new(message);
    const char *ignored = ignore_reason(message, body, envelope, domains);
    signature_mark(body, message->from.n > 0 ? &message->from.items[0] : NULL);
    g_autofree char *text = unsubscribe_explain(rules, message, body, envelope,
                                                ignored, analysis->lang);
    printf("%s", text);
}

int
main(int argc, char **argv)
{
    const char *domains[] = { argc > 1 ? argv[1] : NULL, NULL };
    AnalyzerOptions options = { .local_domains = domains };
    g_autoptr(GError) error = NULL;
    g_autoptr(Analyzer) analyzer = analyzer_new(&options, &error);
    g_autoptr(UnsubscribeRules) rules =
        unsubscribe_rules_new(&options, analyzer == NULL ? NULL : &error);

    if (argc == 2 && strcmp(argv[1], "--names") == 0) {
        for (unsigned i = 0; i < N_SCORES; i++)
            printf("%s\n", unsubscribe_score_name((Score) i));
        return 0;
    }
    if (analyzer == NULL || rules == NULL) {
        fprintf(stderr, "%s\n", error->message);
        return 1;
    }
    for (int i = 2; i < argc; i++)
        show(analyzer, rules, domains, argv[i]);
    return 0;
}
