/*
 * decide.h - what becomes of one observation: merged, held, refused or only
 * noted
 *
 * Ownership  decision_clear().
 * Threads    pure, but for the queries that are handed in.
 * Errors     false and a GError when a query failed; nothing is decided then.
 */
#ifndef DECIDE_H
#define DECIDE_H

#include "store/store.h"
#include "trust/evidence.h"

enum {
    DECIDE_HOUR = 3600,
    /* So many times `trust status_limit` for all senders together that prove
     * nothing: who forges can take a new domain for each mail. */
    DECIDE_UNVERIFIED_FACTOR = 10,
};

/* The name under which those are counted. */
#define DECIDE_UNVERIFIED "*"

typedef enum {
    DECISION_REFUSE, /* dropped, with a log line */
    DECISION_NOTE,   /* logged for people, nothing is done */
    DECISION_HOLD,   /* waits for a person */
    DECISION_MERGE,
} DecisionKind;

typedef struct {
    DecisionKind kind;
    AuthVerdict verdict; /* of the outer message's author */
    char *trust;         /* verdict and reason in words */
    char *why;           /* why it is held or refused; NULL when merged */
    char *key;           /* for Judged.key */
    char *domain;        /* counted for this sending domain; or NULL */
    bool unverified;     /* count it for DECIDE_UNVERIFIED, too */
    int want_status, want_sms;
    bool unknown_suppress, soft_bounce;
    bool unseen;      /* only because the sent-log does not know the mail */
    unsigned ignored; /* Authentication-Results not believed */
} Decision;

/* `key` is SpoolRow.key; `spf` our own check, or NULL. */
bool judge_one(const Observation *observation, const char *key,
               const SpfOutcome *spf, const Settings *settings,
               const JudgeQueries *queries, int64_t now, Decision *out_decision,
               GError **error);
void decision_clear(Decision *decision);

const char *decision_kind_name(DecisionKind kind);

#endif
