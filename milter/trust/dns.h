/*
 * dns.h - one question to the resolver of resolv.conf(5), bounded in time
 *
 * Ownership  answers are counted: dns_answer_ref(), dns_answer_unref().
 * Threads    safe; answers are constant once made.
 * Limits     DNS_MAX_RECORDS records of an answer, DNS_MAX_BYTES of TXT text.
 * Errors     in DnsAnswer.status; never NULL.
 */
#ifndef DNS_H
#define DNS_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

enum { DNS_MAX_RECORDS = 128, DNS_MAX_BYTES = 64 * 1024 };

typedef enum {
    DNS_FOUND,
    DNS_NO_DATA,
    DNS_NO_SUCH_NAME,
    DNS_AGAIN, /* no answer in time, or the server failed */
} DnsStatus;

typedef struct {
    DnsStatus status;
    int64_t ttl;       /* seconds */
    GPtrArray *texts;  /* TXT, MX, PTR: strings */
    GArray *addresses; /* A, AAAA: of DnsAddress */
    int references;
} DnsAnswer;

typedef struct {
    uint8_t bytes[16];
} DnsAddress;

/* `type` as in RFC 1035. Waits `wait_ms` at most, or a little longer. */
DnsAnswer *dns_query(const char *name, int type, int64_t wait_ms);

DnsAnswer *dns_answer_new(DnsStatus status);
DnsAnswer *dns_answer_ref(DnsAnswer *answer);
void dns_answer_unref(DnsAnswer *answer);

/* Reads a DNS message that answers a question of `type`. */
DnsAnswer *dns_answer_parse(const uint8_t *packet, size_t len, int type);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(DnsAnswer, dns_answer_unref)

#endif
