/*
 * spf_record.h - one SPF record: checked, expanded, and told to libspf2 in
 * words that it cannot misread
 *
 * Ownership  the caller frees results.
 * Threads    pure.
 * Limits     SPF_RECORD_MAX bytes.
 * Errors     NULL for a record with a syntax error anywhere (RFC 7208, 4.6).
 */
#ifndef SPF_RECORD_H
#define SPF_RECORD_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

enum { SPF_RECORD_MAX = 8 * 1024 };

/* Whom the check is about (RFC 7208, 4.1). */
typedef struct {
    const char *local;  /* local-part of the sender; "postmaster" if none */
    const char *domain; /* domain of the sender */
    const char *helo;
    bool ipv6;
    uint8_t address[16]; /* 4 used for IPv4; network order */
} SpfSubject;

/* How a name will be asked for. */
typedef enum {
    SPF_NAME_PLAIN,
    SPF_NAME_ANY_AAAA, /* an A question stands for "is there any AAAA?" */
    SPF_NAME_ANY_MX,   /* an A question stands for "is there any MX?" */
    SPF_NAME_MX_HOST,  /* a host out of an MX answer */
} SpfNameUse;

/* Gives a short stand-in for a domain name, valid as long as the check. */
typedef const char *(*SpfNamer)(void *data, const char *name, SpfNameUse use);

/* Does a TXT record begin as an SPF record? (RFC 7208, 4.5) */
bool spf_record_is(const char *text);

/* The same policy for this subject without macros, modifiers other than
 * redirect, IP mechanisms, and what comes after a match that is certain. */
char *spf_record_rewrite(const char *text, const char *current,
                         const SpfSubject *subject, SpfNamer namer, void *data);

/* A domain name that can be asked for: labels of 1 to 63, 253 in all. */
bool spf_name_valid(const char *name);

#endif
