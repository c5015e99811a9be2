/*
 * spf.h - may this client send mail for this domain? (RFC 7208)
 *
 * The identity is MAIL FROM, for the null sender HELO.
 *
 * Ownership  spf_checker_free(); outcomes: spf_outcome_clear().
 * Threads    spf_check() from any thread, several at once. It may wait for
 *            the DNS up to SPF_DEADLINE_S.
 * Limits     at most 12 questions to the DNS for one check, see spf_layer.h.
 * Errors     are results: temperror, permerror.
 */
#ifndef SPF_H
#define SPF_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

enum { SPF_DEADLINE_S = 20 };

typedef enum {
    SPF_UNCHECKED, /* nobody asked, or nothing to ask about */
    SPF_NONE,
    SPF_NEUTRAL,
    SPF_PASS,
    SPF_FAIL,
    SPF_SOFTFAIL,
    SPF_TEMPERROR,
    SPF_PERMERROR,
} SpfVerdict;

typedef struct {
    SpfVerdict verdict;
    char *domain;    /* whose policy was asked; or NULL */
    bool helo;       /* the identity was HELO */
    const char *why; /* of errors: static words; else "" */
    unsigned queries;
} SpfOutcome;

typedef struct SpfChecker SpfChecker;
struct SPF_dns_server_struct;

/* `below` stands in for the resolver in tests (libspf2's zone layer,
 * borrowed); NULL: the system's. `clock`: monotonic seconds for the cache;
 * NULL: the real one. */
SpfChecker *spf_checker_new(struct SPF_dns_server_struct *below,
                            int64_t (*clock)(void));
void spf_checker_free(SpfChecker *checker);

/* Any string may be NULL. A client address that is none, is loopback, or a
 * sender without a domain gives SPF_UNCHECKED or SPF_NONE. */
void spf_check(SpfChecker *checker, const char *client_addr, const char *helo,
               const char *mail_from, SpfOutcome *out_outcome);
void spf_outcome_clear(SpfOutcome *outcome);

const char *spf_verdict_name(SpfVerdict verdict);

#endif
