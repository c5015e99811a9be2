/*
 * observation.h - what one message says, as it travels from the mail side to
 * the CRM side
 *
 * observe() turns an analysis into observations under the policy of section
 * [mta]; store/ keeps them, trust/ judges them, crm/ acts upon them. They hold
 * all facts needed later, and never a message body.
 *
 * Ownership  an Observation owns everything; observation_free().
 * Threads    plain data.
 */
#ifndef OBSERVATION_H
#define OBSERVATION_H

#include "analysis/analysis.h"

typedef enum {
    OBSERVATION_CONTACT,
    OBSERVATION_BOUNCE,
    OBSERVATION_UNSUBSCRIBE,
    OBSERVATION_SENT, /* a message of ours left: Message-ID and recipients */
} ObservationKind;

/* The body of one Authentication-Results, ARC-Authentication-Results or
 * ARC-Seal field. */
typedef struct {
    char *value;
    bool arc;            /* one of the two ARC fields (RFC 8617) */
    bool above_received; /* stood above the topmost Received: field */
} AuthResults;

typedef struct {
    ObservationKind kind;
    char *email; /* whom it is about; SENT: "" */

    Contact *contact; /* CONTACT */

    Bounce bounce;            /* BOUNCE */
    ReturnedMessage returned; /* BOUNCE; message_id also for SENT */

    UnsubscribeScope scope; /* UNSUBSCRIBE, all four */
    bool unsure;
    bool complaint;
    bool by_token;  /* a signed token of ours named `email` */
    char *evidence; /* the words that decided */

    /* The facts to judge it by. */
    GPtrArray *authors;    /* From: addr-specs, strings */
    GPtrArray *recipients; /* envelope recipients, strings */
    GArray *auth_results;  /* of AuthResults, topmost first */
    char *client_addr, *helo, *mail_from;
    bool local; /* written by the local MTA, or submitted by our own users */
    char *queue_id, *message_id;
    int64_t time; /* seconds since the epoch */
} Observation;

typedef struct {
    const char *const *local_domains;
    const char *const *recipients;     /* globs: mail to these makes contacts */
    const char *const *ignore_senders; /* globs */
    bool stored;      /* read from a mailbox: our own Received: is on top */
    bool record_sent; /* outbound mail leaves an OBSERVATION_SENT */
} ObservePolicy;

/* Observations of one message, of type Observation; never NULL, may be empty.
 * A message of our own users yields SENT or nothing, but for a request of
 * somebody outside that they forwarded, which is always unsure. */
GPtrArray *observe(const Analysis *analysis, const Message *message,
                   const Envelope *envelope, const ObservePolicy *policy);

/* Is this Received: field about the last step into a mailbox, by LMTP? It
 * stands above the one that says where the mail came from. */
bool received_is_lmtp(const char *raw);
/* The host of the "by" clause (RFC 5321, 4.4); NULL when there is none. The
 * caller frees it. */
char *received_by(const char *raw);

Observation *observation_new(ObservationKind kind, const char *email);
void observation_free(Observation *observation);
const char *observation_kind_name(ObservationKind kind);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Observation, observation_free)

#endif
