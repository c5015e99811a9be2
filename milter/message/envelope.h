/*
 * envelope.h - what SMTP said about a message (RFC 5321)
 *
 * Filled by mta/ from the milter callbacks and macros, by contactctl from the
 * stored message's own trace header fields. Every string may be NULL when it
 * is not known.
 *
 * Ownership  envelope_free() frees the strings too.
 * Threads    plain data; one owner at a time.
 */
#ifndef ENVELOPE_H
#define ENVELOPE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct {
    char *queue_id;        /* macro i, read at end-of-message */
    char *client_addr;     /* "192.0.2.1", "2001:db8::1" */
    char *client_name;     /* verified reverse name; NULL for "unknown" */
    char *helo;            /* HELO or EHLO argument */
    char *mail_from;       /* addr-spec; "" for the null sender */
    GPtrArray *recipients; /* addr-spec strings, RCPT TO order */
    char *auth_user;       /* {auth_authen}: an authenticated user of ours */
    char *daemon_name;     /* {daemon_name} */
    int64_t time;          /* seconds since the epoch, when it arrived */
    bool local;            /* emulated by cleanup(8) without SMTP: a bounce
                              that the local MTA wrote, or sendmail(1) */
} Envelope;

Envelope *envelope_new(void);
void envelope_free(Envelope *envelope);

/* The addr-spec of a MAIL FROM or RCPT TO argument: cut at the closing '>',
 * brackets and source route removed. "" for "<>" and for "". The caller frees
 * it; never NULL. (RFC 5321, 4.1.1.2; milters see both null sender forms.) */
char *envelope_address(const char *argument);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Envelope, envelope_free)

#endif
