/*
 * evidence.h - is a report of failed delivery about mail of ours?
 *
 * Ownership  the caller frees words; return_address_clear().
 * Threads    pure, but for the queries that are handed in.
 * Errors     false and a GError when a query failed; nothing is decided then.
 */
#ifndef EVIDENCE_H
#define EVIDENCE_H

#include "analysis/observation.h"
#include "base/settings.h"
#include "trust/verdict.h"

/* A return address taken apart. */
typedef struct {
    char *mailbox;  /* without BATV tag and SRS wrapping: user@domain */
    char *tag;      /* the BATV tag ("prvs=0123456789"), or NULL */
    char *verp;     /* what VERP put in: "bounces+ann=example.org", or NULL */
    bool forwarded; /* SRS: mail of somebody else that was passed on */
} ReturnAddress;

void return_address_parse(const char *address, ReturnAddress *out_address);
void return_address_clear(ReturnAddress *address);
/* Does VERP name this recipient? True also when there is no VERP. */
bool return_address_names(const ReturnAddress *address, const char *recipient);

/* The small questions to the contacts store. */
typedef struct {
    bool (*sent_seen)(void *data, const char *message_id, const char *recipient,
                      bool *out_seen, GError **error);
    int64_t (*soft_bounces)(void *data, const char *email, int64_t since,
                            GError **error);
    int64_t (*status_changes)(void *data, const char *domain, int64_t since,
                              GError **error);
    /* Did we set this contact to Bounced, or want it? */
    bool (*marked_bounced)(void *data, const char *email, bool *out_marked,
                           GError **error);
    void *data;
} JudgeQueries;

typedef enum {
    EVIDENCE_NONE,   /* refused */
    EVIDENCE_UNSEEN, /* refused, but for what the sent-log may yet learn */
    EVIDENCE_SHOWN,  /* the report shows mail of ours; could be forged */
    EVIDENCE_PROVEN, /* we know that we sent it */
} EvidenceFound;

/* The pseudo Message-ID and recipient under which the sent-log keeps that an
 * address of ours has sent; NULL for what is no address. */
#define EVIDENCE_SENDER_ID "sender"
char *evidence_sender_key(const char *address);

/* Judges `observation` (a bounce or a complaint) at the level of `evidence`
 * (BounceEvidence). `verdict` is the outer message's. */
bool evidence_check(const Observation *observation, int evidence,
                    const char *const *local_domains,
                    const TrustVerdict *verdict, const JudgeQueries *queries,
                    EvidenceFound *out_found, char **out_words, GError **error);

#endif
