/*
 * milter_client.c - see milter_client.h
 *
 * A packet is a length (32 bit, network order), a command letter, and data. The
 * letters and flags are libmilter's (libmilter/mfdef.h).
 */
#include "milter_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmilter/mfapi.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { TIMEOUT_S = 60, REPLY_MAX = 1024 * 1024 };

static int
connect_unix(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    g_strlcpy(address.sun_path, path, sizeof address.sun_path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (const struct sockaddr *) &address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

static int
connect_inet(const char *spec)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t) g_ascii_strtoull(spec, NULL, 10)),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(fd, (const struct sockaddr *) &address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

MilterClient *
milter_client_connect(const char *socket)
{
    int fd = g_str_has_prefix(socket, "unix:")
                 ? connect_unix(socket + strlen("unix:"))
                 : connect_inet(socket + strlen("inet:"));
    if (fd < 0)
        return NULL;
    struct timeval timeout = { .tv_sec = TIMEOUT_S };
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    MilterClient *client = g_new0(MilterClient, 1);
    client->fd = fd;
    client->symbols = g_string_new(NULL);
    return client;
}

void
milter_client_free(MilterClient *client)
{
    if (client == NULL)
        return;
    close(client->fd);
    g_string_free(client->symbols, TRUE);
    g_free(client);
}

static void
send_packet(MilterClient *client, char command, const void *data, size_t len)
{
    g_autoptr(GByteArray) packet = g_byte_array_new();
    uint32_t length = htonl((uint32_t) len + 1);
    g_byte_array_append(packet, (const guint8 *) &length, sizeof length);
    g_byte_array_append(packet, (const guint8 *) &command, 1);
    if (len > 0)
        g_byte_array_append(packet, data, (guint) len);
    for (size_t at = 0; at < packet->len;) {
        ssize_t n =
            send(client->fd, packet->data + at, packet->len - at, MSG_NOSIGNAL);
        if (n <= 0)
            return; /* the reply that does not come tells */
        at += (size_t) n;
    }
}

static bool
receive(MilterClient *client, void *data, size_t len)
{
    for (size_t at = 0; at < len;) {
        ssize_t n = recv(client->fd, (char *) data + at, len - at, 0);
        if (n <= 0)
            return false;
        at += (size_t) n;
    }
    return true;
}

/* The letter of the next packet, its data in *out_data; 0 at the end. */
static char
receive_packet(MilterClient *client, char **out_data, size_t *out_len)
{
    uint32_t length;
    if (!receive(client, &length, sizeof length))
        return 0;
    length = ntohl(length);
    g_assert_cmpuint(length, >, 0);
    g_assert_cmpuint(length, <, REPLY_MAX);
    g_autofree char *packet = g_malloc(length + 1);
    if (!receive(client, packet, length))
        return 0;
    packet[length] = '\0';
    char letter = packet[0];
    if (out_data != NULL) {
        *out_data = g_memdup2(packet + 1, length);
        *out_len = length - 1;
    }
    return letter;
}

static char
step(MilterClient *client, char command, const void *data, size_t len,
     uint32_t unwanted, uint32_t no_reply)
{
    if ((client->steps & unwanted) != 0)
        return 0;
    send_packet(client, command, data, len);
    if ((client->steps & no_reply) != 0)
        return 0;
    return receive_packet(client, NULL, NULL);
}

static uint32_t
number_at(const char *data)
{
    uint32_t value;
    memcpy(&value, data, sizeof value);
    return ntohl(value);
}

bool
milter_client_try_negotiate(MilterClient *client, uint32_t offer)
{
    uint32_t words[3] = { htonl(6), htonl(0x1FF), htonl(offer & 0x1FFFFF) };
    send_packet(client, SMFIC_OPTNEG, words, sizeof words);
    g_autofree char *data = NULL;
    size_t len = 0;
    char letter = receive_packet(client, &data, &len);
    if (letter == 0)
        return false;
    g_assert_cmpint(letter, ==, SMFIC_OPTNEG);
    g_assert_cmpuint(len, >=, 12);
    client->actions = number_at(data + 4);
    client->steps = number_at(data + 8);
    for (size_t at = 12; at + 4 < len;) {
        uint32_t stage = number_at(data + at);
        const char *macros = data + at + 4;
        g_string_append_printf(client->symbols, "%u:%s;", stage, macros);
        at += 4 + strlen(macros) + 1;
    }
    return true;
}

void
milter_client_negotiate(MilterClient *client, uint32_t offer)
{
    g_assert_true(milter_client_try_negotiate(client, offer));
}

void
milter_client_macros(MilterClient *client, char command,
                     const char *const *pairs)
{
    g_autoptr(GByteArray) data = g_byte_array_new();
    g_byte_array_append(data, (const guint8 *) &command, 1);
    for (; *pairs != NULL; pairs++)
        g_byte_array_append(data, (const guint8 *) *pairs,
                            (guint) strlen(*pairs) + 1);
    send_packet(client, SMFIC_MACRO, data->data, data->len);
}

char
milter_client_hello(MilterClient *client, const char *name, const char *address,
                    const char *helo)
{
    g_autoptr(GByteArray) data = g_byte_array_new();
    g_byte_array_append(data, (const guint8 *) name, (guint) strlen(name) + 1);
    char family = strchr(address, ':') != NULL ? SMFIA_INET6 : SMFIA_INET;
    uint16_t port = htons(4711);
    g_byte_array_append(data, (const guint8 *) &family, 1);
    g_byte_array_append(data, (const guint8 *) &port, sizeof port);
    g_byte_array_append(data, (const guint8 *) address,
                        (guint) strlen(address) + 1);
    (void) step(client, SMFIC_CONNECT, data->data, data->len, SMFIP_NOCONNECT,
                SMFIP_NR_CONN);
    return step(client, SMFIC_HELO, helo, strlen(helo) + 1, SMFIP_NOHELO,
                SMFIP_NR_HELO);
}

char
milter_client_mail(MilterClient *client, const char *argument)
{
    client->skip = client->accepted = false;
    return step(client, SMFIC_MAIL, argument, strlen(argument) + 1,
                SMFIP_NOMAIL, SMFIP_NR_MAIL);
}

char
milter_client_rcpt(MilterClient *client, const char *argument)
{
    return step(client, SMFIC_RCPT, argument, strlen(argument) + 1,
                SMFIP_NORCPT, SMFIP_NR_RCPT);
}

char
milter_client_header(MilterClient *client, const char *name, const char *value)
{
    g_autoptr(GByteArray) data = g_byte_array_new();
    g_byte_array_append(data, (const guint8 *) name, (guint) strlen(name) + 1);
    g_byte_array_append(data, (const guint8 *) value,
                        (guint) strlen(value) + 1);
    return step(client, SMFIC_HEADER, data->data, data->len, SMFIP_NOHDRS,
                SMFIP_NR_HDR);
}

char
milter_client_body(MilterClient *client, const char *bytes, size_t len)
{
    if (client->skip || client->accepted) {
        client->skipped++;
        return 0;
    }
    char reply =
        step(client, SMFIC_BODY, bytes, len, SMFIP_NOBODY, SMFIP_NR_BODY);
    client->skip = reply == SMFIR_SKIP;
    client->accepted = reply == SMFIR_ACCEPT;
    return reply;
}

char
milter_client_end(MilterClient *client)
{
    if (client->accepted)
        return SMFIR_ACCEPT;
    return step(client, SMFIC_BODYEOB, NULL, 0, 0, 0);
}

void
milter_client_abort(MilterClient *client)
{
    send_packet(client, SMFIC_ABORT, NULL, 0);
}

void
milter_client_quit(MilterClient *client)
{
    send_packet(client, SMFIC_QUIT, NULL, 0);
}

char
milter_client_message(MilterClient *client, const char *bytes, size_t len,
                      size_t chunk)
{
    const char *end = bytes + len;
    const char *at = bytes;
    while (at < end && memcmp(at, "\r\n", MIN((size_t) (end - at), 2)) != 0) {
        const char *colon = memchr(at, ':', (size_t) (end - at));
        g_assert_nonnull(colon);
        g_autofree char *name = g_strndup(at, (gsize) (colon - at));
        g_autoptr(GString) value = g_string_new(NULL);
        at = colon + 1;
        /* Postfix joins the lines of a folded field with LF. */
        for (;;) {
            const char *eol = memmem(at, (size_t) (end - at), "\r\n", 2);
            g_assert_nonnull(eol);
            g_string_append_len(value, at, eol - at);
            at = eol + 2;
            if (at >= end || (*at != ' ' && *at != '\t'))
                break;
            g_string_append_c(value, '\n');
        }
        bool spaced = (client->steps & SMFIP_HDR_LEADSPC) != 0;
        const char *text = value->str;
        if (!spaced && *text == ' ')
            text++;
        (void) milter_client_header(client, name, text);
    }
    at = MIN(at + 2, end);
    (void) step(client, SMFIC_EOH, NULL, 0, SMFIP_NOEOH, SMFIP_NR_EOH);
    for (; at < end; at += MIN(chunk, (size_t) (end - at)))
        (void) milter_client_body(client, at, MIN(chunk, (size_t) (end - at)));
    return milter_client_end(client);
}
