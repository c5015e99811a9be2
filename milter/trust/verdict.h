/*
 * verdict.h - is the author who it says? pass, neutral or fail, with the
 * reason in words
 *
 * As DMARC decides (RFC 7489), from what trusted hosts wrote into
 * Authentication-Results, from ARC sets of trusted sealers, and from SPF.
 *
 * Ownership  trust_verdict_clear().
 * Threads    pure.
 * Limits     VERDICT_MAX_AUTHORS authors; more can never pass.
 */
#ifndef VERDICT_H
#define VERDICT_H

#include "analysis/observation.h"
#include "base/settings.h"
#include "trust/spf.h"

enum { VERDICT_MAX_AUTHORS = 10 };

typedef enum { AUTH_FAIL, AUTH_NEUTRAL, AUTH_PASS } AuthVerdict;

/* What is known of a message. Nothing is owned; strings may be NULL. */
typedef struct {
    const GPtrArray *authors;   /* From: addr-specs */
    const GArray *auth_results; /* of AuthResults, topmost first */
    const char *mail_from;      /* "" and NULL: the null sender */
    const char *helo;           /* */
    const char *client_addr;    /* */
    bool local;                 /* submitted here */
    const SpfOutcome *spf;      /* our own check; NULL: none was made */
} TrustFacts;

/* Whom we believe. NULL-terminated lists; may be NULL. */
typedef struct {
    const char *const *authserv_ids;
    const char *const *arc_sealers;
    const char *const *local_domains;
    bool any_authserv; /* believe the topmost field, whoever wrote it */
} TrustPolicy;

typedef struct {
    AuthVerdict verdict;
    char *reason;     /* "dkim=pass d=example.org"; never NULL */
    bool spoof;       /* claims a domain of ours from outside */
    unsigned ignored; /* header fields that were not believed */
} TrustVerdict;

void trust_facts_of(const Observation *observation, const SpfOutcome *spf,
                    TrustFacts *out_facts);
void trust_policy_of(const Settings *settings, TrustPolicy *out_policy);

void trust_judge(const TrustFacts *facts, const TrustPolicy *policy,
                 TrustVerdict *out_verdict);
/* Could an SPF check of our own change the verdict? */
bool trust_needs_spf(const TrustFacts *facts, const TrustPolicy *policy);

/* The verdict as far as a stored message's header fields show it, for
 * `contactctl analyze`: without authserv-ids in `policy` the topmost
 * Authentication-Results is believed that stands above the topmost Received:
 * or below one "by" a host of the same organisation. */
void trust_from_headers(const Message *message, const TrustPolicy *policy,
                        TrustVerdict *out_verdict);

void trust_verdict_clear(TrustVerdict *verdict);
const char *auth_verdict_name(AuthVerdict verdict);
/* Does it satisfy `trust contact` or `trust unsubscribe` (TrustLevel)? */
bool auth_verdict_satisfies(AuthVerdict verdict, int level);

/* Loopback, link-local and private networks: no stranger comes from there. */
bool client_is_inside_network(const char *addr);

#endif
