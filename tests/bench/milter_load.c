/*
 * milter_load.c - many sessions at once, straight into a filter's socket
 *
 *     milter_load SOCKET SESSIONS MESSAGES FILE [PAD | raw]
 *
 * Each session sends MESSAGES times the mail in FILE (CRLF line ends), with a
 * Message-ID and author of its own, followed by PAD bytes of padding; with
 * "raw" the mail as it is, whatever it is. Prints one JSON object: messages per
 * second and how long the filter took to answer end-of-message.
 */
#include "../mta/milter_client.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 65535 };

static const char *socket_name;
static char *mail;
static gsize mail_len;
static size_t padding;
static unsigned messages;
static bool raw;

typedef struct {
    unsigned number;
    double *seconds; /* of each end-of-message */
    unsigned failures;
} Load;

static void
send_body(MilterClient *client, const char *body)
{
    size_t len = (size_t) (mail + mail_len - body);
    for (size_t at = 0; at < len; at += CHUNK)
        (void) milter_client_body(client, body + at, MIN(CHUNK, len - at));
}

/* Lines with a colon are header fields, one each; the rest is the body. */
static void
send_raw(MilterClient *client)
{
    const char *at = mail, *end = mail + mail_len;
    for (;;) {
        const char *eol = memmem(at, (size_t) (end - at), "\r\n", 2);
        const char *colon =
            eol != NULL ? memchr(at, ':', (size_t) (eol - at)) : NULL;
        if (colon == NULL || colon == at)
            break;
        g_autofree char *name = g_strndup(at, (gsize) (colon - at));
        g_autofree char *value =
            g_strndup(colon + 1, (gsize) (eol - colon - 1));
        (void) milter_client_header(client, name, value);
        at = eol + 2;
    }
    send_body(client,
              end - at >= 2 && memcmp(at, "\r\n", 2) == 0 ? at + 2 : at);
}

/* With an author of its own, and padding. */
static void
send_padded(MilterClient *client, const Load *load, unsigned n,
            const char *sender)
{
    g_autofree char *from = g_strdup_printf(" Load Person %s", sender);
    g_autofree char *id =
        g_strdup_printf(" <%u.%u@client.example>", load->number, n);
    (void) milter_client_header(client, "From", from);
    (void) milter_client_header(client, "Message-ID", id);
    const char *body = strstr(mail, "\r\n\r\n");
    (void) milter_client_header(client, "Subject", " load");
    (void) milter_client_header(client, "Content-Type",
                                " text/plain; charset=utf-8");
    send_body(client, body != NULL ? body + 4 : mail + mail_len);
    static char pad[CHUNK];
    memset(pad, 'x', 1); /* the rest are NULs: bytes as any */
    for (size_t left = padding; left > 0; left -= MIN(left, sizeof pad))
        (void) milter_client_body(client, pad, MIN(left, sizeof pad));
}

static void
send_one(MilterClient *client, Load *load, unsigned n)
{
    g_autofree char *sender =
        g_strdup_printf("<load%u.%u@client.example>", load->number, n % 50);
    static const char *const macros[] = { "i", "4bLoad", NULL };

    (void) milter_client_mail(client, sender);
    (void) milter_client_rcpt(client, "<office@ours.example>");
    if (raw)
        send_raw(client);
    else
        send_padded(client, load, n, sender);

    milter_client_macros(client, 'E', macros);
    gint64 start = g_get_monotonic_time();
    if (milter_client_end(client) != 'c')
        load->failures++;
    load->seconds[n] =
        (double) (g_get_monotonic_time() - start) / G_USEC_PER_SEC;
}

static void *
run(void *data)
{
    Load *load = data;
    MilterClient *client = milter_client_connect(socket_name);
    if (client == NULL) {
        load->failures = messages;
        return NULL;
    }
    milter_client_negotiate(client, ~0u);
    (void) milter_client_hello(client, "mx.client.example", "198.51.100.7",
                               "mx.client.example");
    for (unsigned n = 0; n < messages; n++)
        send_one(client, load, n);
    milter_client_quit(client);
    milter_client_free(client);
    return NULL;
}

static int
compare(const void *a, const void *b)
{
    double x = *(const double *) a, y = *(const double *) b;
    return (x > y) - (x < y);
}

int
main(int argc, char **argv)
{
    if (argc < 5) {
        fputs("usage: milter_load SOCKET SESSIONS MESSAGES FILE [PAD | raw]\n",
              stderr);
        return 64;
    }
    socket_name = argv[1];
    unsigned sessions = (unsigned) strtoul(argv[2], NULL, 10);
    messages = (unsigned) strtoul(argv[3], NULL, 10);
    if (!g_file_get_contents(argv[4], &mail, &mail_len, NULL))
        return 66;
    raw = argc > 5 && strcmp(argv[5], "raw") == 0;
    padding = argc > 5 && !raw ? strtoul(argv[5], NULL, 10) : 0;

    size_t total = (size_t) sessions * messages;
    g_autofree double *seconds = g_new0(double, total);
    g_autofree Load *loads = g_new0(Load, sessions);
    g_autofree pthread_t *threads = g_new0(pthread_t, sessions);
    gint64 start = g_get_monotonic_time();
    for (unsigned i = 0; i < sessions; i++) {
        loads[i].number = i;
        loads[i].seconds = seconds + (size_t) i * messages;
        if (pthread_create(&threads[i], NULL, run, &loads[i]) != 0)
            return 71;
    }
    unsigned failures = 0;
    for (unsigned i = 0; i < sessions; i++) {
        pthread_join(threads[i], NULL);
        failures += loads[i].failures;
    }
    double took = (double) (g_get_monotonic_time() - start) / G_USEC_PER_SEC;
    qsort(seconds, total, sizeof *seconds, compare);
    printf("{\"messages\":%zu,\"failures\":%u,\"per_second\":%.0f,"
           "\"median_ms\":%.3f,\"p99_ms\":%.3f,\"max_ms\":%.3f}\n",
           total, failures, (double) total / took, seconds[total / 2] * 1000,
           seconds[total * 99 / 100] * 1000, seconds[total - 1] * 1000);
    g_free(mail);
    return failures > 0;
}
