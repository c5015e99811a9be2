/*
 * milter_client.h - the mail server's side of the milter protocol, for tests
 *
 * Speaks version 6 of the protocol to a filter's socket. Obeys what the filter
 * negotiated: steps that it does not want are not sent, answers that it does
 * not give are not waited for.
 *
 * Errors     what cannot happen with a correct filter ends the test.
 */
#ifndef MILTER_CLIENT_H
#define MILTER_CLIENT_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct {
    int fd;
    uint32_t actions, steps; /* what the filter asked for */
    GString *symbols;        /* "STAGE:macros;" as it asked for them */
    unsigned skipped;        /* body chunks not sent after SKIP */
    bool skip, accepted;
} MilterClient;

/* NULL when nobody listens at "unix:PATH" or "inet:PORT@HOST". */
MilterClient *milter_client_connect(const char *socket);
/* Offers these protocol steps; all that there are with ~0. */
void milter_client_negotiate(MilterClient *client, uint32_t offer);
/* The same with a filter that may die: false when it does. */
bool milter_client_try_negotiate(MilterClient *client, uint32_t offer);
/* Closes without a word, as a server that died. */
void milter_client_free(MilterClient *client);

/* `pairs` is name, value, ..., NULL. */
void milter_client_macros(MilterClient *client, char command,
                          const char *const *pairs);

/* Each gives the filter's reply ('c' continue, 'a' accept, 's' skip...), or 0
 * when none was agreed upon. */
char milter_client_hello(MilterClient *client, const char *name,
                         const char *address, const char *helo);
char milter_client_mail(MilterClient *client, const char *argument);
char milter_client_rcpt(MilterClient *client, const char *argument);
char milter_client_header(MilterClient *client, const char *name,
                          const char *value);
char milter_client_body(MilterClient *client, const char *bytes, size_t len);
char milter_client_end(MilterClient *client);
void milter_client_abort(MilterClient *client);
void milter_client_quit(MilterClient *client);

/* A whole message (CRLF line ends), its body in chunks of `chunk` bytes; the
 * reply to end-of-message, or to the step that accepted. */
char milter_client_message(MilterClient *client, const char *bytes, size_t len,
                           size_t chunk);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(MilterClient, milter_client_free)

#endif
