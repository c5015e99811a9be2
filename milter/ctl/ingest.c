/*
 * ingest.c - contactctl ingest: one message on standard input
 *
 * For mail that never meets a milter: bounces that Sendmail writes itself
 * reach it through an alias, Postfix hands mail over through pipe(8).
 */
#include <string.h>
#include <time.h>

#include "ctl/ctl.h"
#include "ctl/mail_source.h"

typedef struct {
    const Settings *settings;
    const Analyzer *analyzer;
    const char *from, *client, *helo;
    char **to; /* NULL: as the message itself says */
    Spool *spool;
    int status;
} Ingest;

/* Sendmail's own reports bear this and no client address in their topmost
 * Received: field; what comes over SMTP always has one in brackets. */
static bool
is_local_report(const Message *message, const Envelope *envelope)
{
    const char *received = message_header(message, "Received");
    return envelope->mail_from != NULL && *envelope->mail_from == '\0' &&
           received != NULL &&
           g_str_has_prefix(received, "from localhost (localhost)") &&
           strchr(received, '[') == NULL;
}

/* The null sender is MAILER-DAEMON in the arguments of a Sendmail mailer ($g)
 * and of Postfix's pipe(8) (${sender}). */
static char *
sender_address(const char *from)
{
    g_autofree char *address = envelope_address(from);
    bool null_sender = g_ascii_strcasecmp(address, "MAILER-DAEMON") == 0;
    return null_sender ? g_strdup("") : g_steal_pointer(&address);
}

/* As an MTA hands it over: empty or "unknown" for mail that no client brought,
 * and Sendmail's macros have a tag before IPv6. */
static bool
is_client_address(const char *text)
{
    static const char tag[] = "IPv6:";
    if (*text == '\0' || g_ascii_strcasecmp(text, "unknown") == 0)
        return true;
    if (g_ascii_strncasecmp(text, tag, strlen(tag)) == 0)
        text += strlen(tag);
    return g_hostname_is_ip_address(text);
}

/* Says what would be right; the mail is taken all the same, because the MTA
 * would return it to its sender. */
static void
warn_of_options(const char *from, const char *client)
{
    g_autofree char *sender = from != NULL ? sender_address(from) : NULL;
    if (sender != NULL && *sender != '\0' && !ctl_is_address(sender))
        ctl_error("--from %s: write an address as ann@example.net, or <> for "
                  "the null sender",
                  from);
    if (client != NULL && !is_client_address(client))
        ctl_error("--client %s: write an IP address, for example 192.0.2.1 "
                  "or 2001:db8::1",
                  client);
}

static bool
ingest_one(const StoredMail *mail, void *data)
{
    Ingest *ingest = data;
    MessageLimits limits = message_limits_default;
    limits.max_bytes = (size_t) ingest->settings->mta.capture_limit;
    g_autoptr(Message) message = message_parse(mail->bytes, mail->len, &limits);
    g_autoptr(Envelope) envelope = envelope_from_message(message);
    envelope->time = (int64_t) time(NULL);
    if (ingest->from != NULL) {
        g_free(envelope->mail_from);
        envelope->mail_from = sender_address(ingest->from);
    }
    if (ingest->to != NULL)
        g_ptr_array_set_size(envelope->recipients, 0);
    for (char **to = ingest->to; to != NULL && *to != NULL; to++)
        g_ptr_array_add(envelope->recipients, envelope_address(*to));
    envelope->client_addr = g_strdup(ingest->client);
    envelope->helo = g_strdup(ingest->helo);
    envelope->local =
        ingest->client == NULL && is_local_report(message, envelope);
    envelope->queue_id = g_strdup("ingest");

    ObservePolicy policy;
    ctl_observe_policy(ingest->settings, &policy);
    policy.stored = true; /* our own MTA's Received: is on top */
    g_autoptr(Analysis) analysis =
        analyzer_run(ingest->analyzer, message, envelope);
    g_autoptr(GPtrArray) observations =
        observe(analysis, message, envelope, &policy);
    if (observations->len > 0 &&
        spool_append(ingest->spool, observations, 10000) != SPOOL_STORED) {
        ctl_error("the spool does not take the message now");
        ingest->status = EX_TEMPFAIL;
    }
    return true;
}

int
ctl_ingest(Ctl *ctl, int argc, char **argv)
{
    g_autofree char *from = NULL;
    g_autofree char *client = NULL;
    g_autofree char *helo = NULL;
    g_auto(GStrv) to = NULL;
    int status;
    const GOptionEntry entries[] = {
        { "from", 0, 0, G_OPTION_ARG_STRING, &from,
          "Envelope sender; empty or <> for the null sender", "ADDR" },
        { "to", 0, 0, G_OPTION_ARG_STRING_ARRAY, &to,
          "Envelope recipient; may be repeated", "ADDR" },
        { "client", 0, 0, G_OPTION_ARG_STRING, &client,
          "Address of the SMTP client", "IP" },
        { "helo", 0, 0, G_OPTION_ARG_STRING, &helo, "Its HELO argument",
          "NAME" },
        G_OPTION_ENTRY_NULL
    };
    if (!ctl_options(entries, "- one message on standard input", &argc, &argv,
                     &status))
        return status;
    if (argc > 1) {
        ctl_error("ingest reads standard input; %s is too much", argv[1]);
        return EX_USAGE;
    }
    warn_of_options(from, client);
    g_autoptr(Settings) settings = ctl_settings(ctl, ROLE_MTA);
    if (settings == NULL)
        return EX_CONFIG;
    g_autoptr(Analyzer) analyzer = ctl_analyzer(settings);
    if (analyzer == NULL)
        return EX_CONFIG;
    g_autoptr(Spool) spool = ctl_spool(settings);
    if (spool == NULL)
        return EX_TEMPFAIL;
    g_autoptr(GError) error = NULL;
    Ingest ingest = {
        settings, analyzer, from, client, helo, to, spool, EX_OK
    };
    if (!mail_source_visit("-", ingest_one, &ingest, &error)) {
        ctl_error("%s", error->message);
        return EX_NOINPUT;
    }
    return ingest.status;
}
