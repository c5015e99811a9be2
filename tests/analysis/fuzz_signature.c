/* fuzz_signature.c - any text as a body: signature marks, then the contact */
#include "analysis/analysis.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const types[] = { "plain", "html" };
    static Analyzer *analyzer; /* made once: its rules are costly */
    AnalyzerOptions options = { .default_country = "AU" };
    if (analyzer == NULL)
        analyzer = analyzer_new(&options, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
        g_autoptr(GString) mail = g_string_new(NULL);
        g_string_append_printf(mail,
                               "From: \"Doe, Jane\" <jane.doe@example.org>\n"
                               "Content-Type: text/%s; charset=utf-8\n\n",
                               types[i]);
        g_string_append_len(mail, (const char *) data, (gssize) size);
        g_autoptr(Message) message = message_parse(mail->str, mail->len, NULL);
        g_autoptr(Analysis) analysis = analyzer_run(analyzer, message, NULL);
        g_assert_nonnull(analysis);
    }
    return 0;
}
