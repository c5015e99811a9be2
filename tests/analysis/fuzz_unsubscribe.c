/* fuzz_unsubscribe.c - any bytes as a mail; any bytes as a token */
#include "config.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "analysis/language.h"
#include "analysis/token.h"
#include "analysis/unsubscribe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static UnsubscribeRules *rules;
    static const char *const local[] = { "our.example", NULL };

    if (rules == NULL) {
        AnalyzerOptions options = { .local_domains = local,
                                    .unsubscribe_key = "k",
                                    .unsubscribe_key_len = 1 };
        rules = unsubscribe_rules_new(&options, NULL);
    }
    g_autoptr(Message) message = message_parse((const char *) data, size, NULL);
    g_autoptr(Body) body = body_from_plain((const char *) data, size);
    g_autoptr(Envelope) envelope = envelope_new();
    if (size % 2 == 1)
        g_ptr_array_add(envelope->recipients,
                        g_strdup("unsubscribe+x@our.example"));
    unsubscribe_free(
        unsubscribe_find(rules, message, body, envelope, NULL, ""));
    (void) language_guess((const char *) data, size);
    g_autofree char *token = g_strndup((const char *) data, size);
    g_free(token_verify(token, "k", 1));
    g_free(token_make(token, "k", 1));
    return 0;
}
