/*
 * The whole way of a message: bytes, decoded parts, verdict, observations, the
 * text that is kept on disk, and back. What was written must read the same.
 */
#include "analysis/observation.h"
#include "store/observation_json.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const local_domains[] = { "ours.example", "example.org",
                                             NULL };
static const char *const everything[] = { "*", NULL };
static const char *const requests[] = { "unsubscribe*@ours.example", NULL };

static const Analyzer *
analyzer(void)
{
    static Analyzer *made;
    if (made == NULL) {
        const AnalyzerOptions options = {
            .local_domains = local_domains,
            .default_country = "AU",
            .unsubscribe_addresses = requests,
            .unsubscribe_key = "key",
            .unsubscribe_key_len = 3,
        };
        made = analyzer_new(&options, NULL);
        g_assert_nonnull(made);
    }
    return made;
}

static void
check_round_trip(const Observation *observation)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = observation_to_json(observation);
    g_assert_nonnull(text);
    g_autoptr(Observation) again = observation_from_json(text, &error);
    g_assert_no_error(error);
    g_autofree char *second = observation_to_json(again);
    g_assert_cmpstr(second, ==, text);
}

static void
judge(const Message *message, const Envelope *envelope)
{
    const ObservePolicy policy = {
        .local_domains = local_domains,
        .recipients = everything,
        .record_sent = true,
    };
    g_autoptr(Analysis) analysis = analyzer_run(analyzer(), message, envelope);
    g_autoptr(GPtrArray) observations =
        observe(analysis, message, envelope, &policy);
    for (guint i = 0; i < observations->len; i++)
        check_round_trip(g_ptr_array_index(observations, i));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(Message) message = message_parse((const char *) data, size, NULL);

    /* From outside, and as a report that the local server writes. */
    g_autoptr(Envelope) envelope = envelope_new();
    envelope->queue_id = g_strdup("4bXyz");
    envelope->client_addr = g_strdup("192.0.2.1");
    envelope->mail_from = g_strdup("ann@example.net");
    g_ptr_array_add(envelope->recipients, g_strdup("news@ours.example"));
    judge(message, envelope);

    g_free(envelope->mail_from);
    envelope->mail_from = g_strdup("");
    envelope->local = true;
    judge(message, envelope);
    return 0;
}
