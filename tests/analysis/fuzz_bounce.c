/* Any bytes as a report: bounded results, never a crash. The bytes are read as
 * a whole mail, and as a delivery status and a text of their own. */
#include "analysis/bounce_internal.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
whole(const Analyzer *analyzer, const char *bytes, size_t size)
{
    g_autoptr(Message) message = message_parse(bytes, size, NULL);
    g_autoptr(Analysis) analysis = analyzer_run(analyzer, message, NULL);
    g_assert_cmpuint(analysis->bounces->len, <=, BOUNCE_MAX_RECIPIENTS);
    for (unsigned i = 0; i < analysis->bounces->len; i++) {
        const Bounce *b = &g_array_index(analysis->bounces, Bounce, i);
        g_assert_nonnull(strchr(b->email, '@'));
        g_assert_true(g_utf8_validate(b->email, -1, NULL));
        g_assert_true(g_utf8_validate(b->evidence, -1, NULL));
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *bytes = (const char *) data;
    static Analyzer *analyzer; /* constant; made once for all inputs */
    if (analyzer == NULL)
        analyzer = analyzer_new(&(AnalyzerOptions){ 0 }, NULL);

    whole(analyzer, bytes, size);

    g_autoptr(GArray) recipients =
        g_array_new(FALSE, TRUE, sizeof(DsnRecipient));
    g_array_set_clear_func(recipients, dsn_recipient_clear);
    (void) dsn_parse(bytes, size, recipients);
    FeedbackReport report = { .recipients =
                                  g_ptr_array_new_with_free_func(g_free) };
    feedback_parse(bytes, size, &report);
    g_ptr_array_unref(report.recipients);
    g_autoptr(GArray) addresses = text_addresses(bytes, size, NULL);
    for (unsigned i = 0; i < addresses->len; i++)
        g_free(address_unwrap(g_array_index(addresses, TextAddress, i).email));
    (void) text_header_section(bytes, size);
    return 0;
}
