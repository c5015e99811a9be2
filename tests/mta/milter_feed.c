/*
 * milter_feed.c - hands mails to a filter until it has taken them all
 *
 *     milter_feed SOCKET < MAILS > TAKEN
 *
 * As a mail server with a queue: one connection for each mail; when the filter
 * is away or dies in the middle, the same mail comes again until it is answered.
 * A mail is a line "NUMBER LENGTH ADDRESS SENDER RECIPIENT" and LENGTH bytes
 * with CRLF line ends. For each that was taken there is a line "NUMBER FIRST
 * BEGUN ENDED" at once: when it was tried first, and when the try that was
 * answered began and ended, in microseconds since the epoch.
 */
#include "milter_client.h"

#include <stdio.h>
#include <stdlib.h>

enum { CHUNK = 65535, AGAIN_US = 100000, MAIL_MAX = 1 << 20 };

typedef struct {
    unsigned long number, len;
    char client[64], sender[256], recipient[256];
    char *bytes;
} Mail;

static bool
read_mail(Mail *mail)
{
    if (scanf("%lu %lu %63s %255s %255s", &mail->number, &mail->len,
              mail->client, mail->sender, mail->recipient) != 5)
        return false;
    (void) getchar(); /* the line's end */
    if (mail->len > MAIL_MAX)
        return false;
    mail->bytes = g_realloc(mail->bytes, mail->len + 1);
    return fread(mail->bytes, 1, mail->len, stdin) == mail->len;
}

/* True once the filter has answered the end of the message. */
static bool
deliver(const char *socket_name, const Mail *mail)
{
    static const char *const macros[] = { "i", "4bFeed", NULL };
    g_autoptr(MilterClient) client = milter_client_connect(socket_name);
    if (client == NULL || !milter_client_try_negotiate(client, ~0U))
        return false;
    (void) milter_client_hello(client, "mx.client.example", mail->client,
                               "mx.client.example");
    (void) milter_client_mail(client, mail->sender);
    (void) milter_client_rcpt(client, mail->recipient);
    milter_client_macros(client, 'E', macros);
    char reply = milter_client_message(client, mail->bytes, mail->len, CHUNK);
    milter_client_quit(client);
    return reply != 0;
}

int
main(int argc, char **argv)
{
    Mail mail = { 0 };
    if (argc != 2) {
        (void) fputs("usage: milter_feed SOCKET < MAILS > TAKEN\n", stderr);
        return 2;
    }
    while (read_mail(&mail)) {
        gint64 first = g_get_real_time(), begun = first;
        while (!deliver(argv[1], &mail)) {
            g_usleep(AGAIN_US);
            begun = g_get_real_time();
        }
        (void) printf("%lu %" G_GINT64_FORMAT " %" G_GINT64_FORMAT
                      " %" G_GINT64_FORMAT "\n",
                      mail.number, first, begun, g_get_real_time());
        (void) fflush(stdout);
    }
    g_free(mail.bytes);
    return feof(stdin) ? 0 : 1;
}
