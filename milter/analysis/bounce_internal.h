/*
 * bounce_internal.h - what the files bounce*.c share; not for others
 *
 * bounce.c          is it a report, of which kind, about whom: puts it together
 * bounce_dsn.c      the fields of RFC 3464 and 5965, however damaged
 * bounce_text.c     reports written for people: returned copy, addresses
 * bounce_verdict.c  hard or soft, and why
 * bounce_clause.c   what is said of whom, where no known phrase decides
 * bounce_match.c    the phrases of the tables, found in one pass
 * bounce_reasons.c, bounce_marks.c   the tables
 */
#ifndef BOUNCE_INTERNAL_H
#define BOUNCE_INTERNAL_H

#include "analysis/bounce.h"
#include "analysis/bounce_match.h"

/* Why a recipient failed. Of two reasons that are spoken of with the same
 * strength the one that stands first here counts: what is about the sender,
 * the message or the moment excuses the address, whatever else is said. */
typedef enum {
    REASON_DELAYED,       /* not given up yet: "expired" in the result */
    REASON_RATELIMIT,     /* too many or too fast */
    REASON_MAILBOXFULL,   /* over quota */
    REASON_BLOCKED,       /* our address or name, block lists */
    REASON_BADREPUTATION, /* our reputation */
    REASON_REQUIREPTR,    /* no reverse name */
    REASON_AUTHFAILURE,   /* SPF, DKIM, DMARC */
    REASON_REJECTED,      /* the sender's address */
    REASON_SPAM,          /* content taken for spam */
    REASON_VIRUS,
    REASON_NORELAYING,
    REASON_POLICY,   /* the receiver's rules */
    REASON_SECURITY, /* TLS, encryption, access */
    REASON_CONTENT,  /* the message is malformed or of a refused kind */
    REASON_SIZE,     /* the message is too large */
    REASON_FILTERED, /* the recipient's own preferences */
    REASON_SUSPEND,  /* the account is disabled */
    REASON_NOTACCEPT,
    REASON_HASMOVED,
    REASON_USERUNKNOWN,
    REASON_HOSTUNKNOWN,
    REASON_MAILERERROR, /* the recipient's own program */
    REASON_EXPIRED,
    REASON_NETWORK,
    REASON_SYSTEM,
    REASON_SYNTAX,
    REASON_UNDEFINED, /* a failure whose cause is not said */
    REASON_DELIVERED,
    REASON_N
} Reason;

/* What else phrases tell; numbered behind the reasons. */
typedef enum {
    MARK_SUBJECT = REASON_N, /* a report's subject */
    MARK_LEAD,               /* a report's opening words in the text */
    MARK_NAME,               /* display name of a reporting machine */
    MARK_COPY,               /* the returned message follows this line */
    MARK_VACATION,           /* absence notices, in subject or text */
    MARK_CHALLENGE,          /* please confirm that you are a person */
    MARK_NOTICE,      /* digests, moderation and bounce notices of lists */
    MARK_PARCEL,      /* goods, not mail: what a carrier writes */
    MARK_TRANSIENT,   /* only a warning, it is being tried again */
    MARK_PERSON,      /* how people end what they write */
    MARK_REFUSED,     /* a receipt that says no */
    MARK_SUCCESS,     /* was delivered, relayed, expanded */
    MARK_AT_CONNECT,  /* SMTP stage: before MAIL FROM */
    MARK_AT_MAIL,     /* in answer to MAIL FROM */
    MARK_AT_RCPT,     /* in answer to RCPT TO */
    MARK_AT_DATA,     /* in answer to DATA or the message */
    MARK_CARRIER,     /* a host that answers "unknown" to filtered mail too */
    MARK_DNS_VERDICT, /* 4.x.x, and yet final: Google's DNS reports */
    MARK_DSN_FIELD,   /* a delivery status that stands in the text */
    MARK_JSON_BOUNCE, /* Amazon's notifications */
    MARK_JSON_COMPLAINT,
    MARK_EDGE_DENIED, /* "access denied" that stands for "no such user" */
    MARK_OPERATOR,    /* what a server tells its own postmaster */
    MARK_ROBOT,       /* a list server's answer to commands */
    MARK_QUOTE,       /* at a line's end: what follows was written before */
    MARK_TITLE,       /* the line tells the returned mail's subject */
    MARK_N
} Mark;

extern const Phrase bounce_reason_phrases[];
extern const Phrase bounce_mark_phrases[];
extern const Phrase bounce_subject_phrases[];
extern const Phrase bounce_name_phrases[];

const char *bounce_reason_name(Reason reason);

typedef struct {
    size_t start, end;
} Span;

/* A stretch of text with the phrases found in it. */
typedef struct {
    const char *text;
    size_t len;
    Span title; /* the first line that tells the returned mail's subject */
    size_t n_hits;
    PhraseHit hits[PHRASE_HITS_MAX];
} Scanned;

/* One group of fields of a delivery status (RFC 3464, 2.3). */
typedef enum {
    ACTION_NONE,
    ACTION_FAILED,
    ACTION_DELAYED,
    ACTION_DELIVERED, /* delivered, relayed, expanded */
} DsnAction;

typedef struct {
    char *original;   /* Original-Recipient's address, or NULL */
    char *final;      /* Final-Recipient's, or NULL */
    char *actual;     /* X-Actual-Recipient's, or NULL */
    char *remote;     /* Remote-MTA, or NULL */
    char *diagnostic; /* all that explains the failure, or NULL */
    char status[12];  /* "5.1.1", or "" */
    DsnAction action;
} DsnRecipient;

void dsn_recipient_clear(gpointer recipient);

/* Appends the recipients of a delivery status to `recipients`. True when the
 * text has at least one group that names a recipient. */
bool dsn_parse(const char *text, size_t len, GArray *recipients);

/* The address of a field such as "rfc822; <a@example.org> (comment)"; NULL when
 * it has none. The caller frees it. */
char *dsn_address(const char *value, size_t len);

/* The fields of a feedback report that matter (RFC 5965, 3.1). */
typedef struct {
    char type[24];         /* Feedback-Type, lower case */
    GPtrArray *recipients; /* of strings */
} FeedbackReport;

void feedback_parse(const char *text, size_t len, FeedbackReport *report);

/* Looks for the phrases in text->text. Reasons are found also around an address:
 * "mailbox for <a@example.org> is full". */
void bounce_scan(const PhraseSet *phrases, Scanned *text);

/* An address that the text of a report gives. */
typedef struct {
    char *email;
    char *forwarded; /* where "expanded from" tells that it led; or NULL */
    Span where;      /* of the address itself */
    int score;       /* see bounce_text.c */
    int own;         /* the score that one of our own addresses would have */
    bool behind;     /* what explains it stands before it (transcripts) */
} TextAddress;

/* Where the returned copy begins, told by its header section or by a line
 * that announces it: the length when there is none. */
size_t text_header_section(const char *text, size_t len);
size_t text_divider(const Scanned *text);

/* Addresses in the first `end` bytes, in the order they stand. `own` are not
 * failed recipients unless nothing else is found. */
GArray *text_addresses(const char *text, size_t end, const char *const *own);

/* The addr-spec around text[at] == '@', or false. */
bool text_address_at(const char *text, size_t len, size_t at, Span *out);

/* A local-part with the failed address in it (VERP, BATV, SRS); NULL when it
 * has none. The caller frees it. */
char *address_unwrap(const char *address);

/* Is text[start..end) part of a host name or an address, such as
 * "antispam1.example.org"? There a word says nothing. URLs are another matter. */
bool bounce_is_in_name(const char *text, Span within, size_t start, size_t end);

/* What a clause says: bounce_clause.c. */
typedef struct {
    Reason reason;
    int strength; /* 2, or 1 when it is only supposed */
    size_t at;    /* where it says so */
} ClauseFinding;

PhraseSet *clause_words_new(void);

/* The first Reason, in the order of the enum, that a clause of the span gives;
 * false when none does. */
bool clause_read(const PhraseSet *words, const char *text, Span span,
                 ClauseFinding *out);

/* Do the words at text[start..end) speak of the sender? */
bool clause_is_of_sender(const PhraseSet *words, const char *text, Span span,
                         size_t start, size_t end);

/* Does one say that something was not delivered? Looks at the beginning. */
bool clause_undelivered(const PhraseSet *words, const char *text, size_t len);

enum { EVIDENCE_SPANS = 12 };

/* What decides about one recipient. Spans are looked at in their order: the
 * nearer the explanation, the more it counts. */
typedef struct {
    DsnAction action;
    const char *status;     /* Status field, "" when there is none */
    const char *remote;     /* or NULL */
    const PhraseSet *words; /* of clauses */
    const Scanned *texts[EVIDENCE_SPANS]; /* each with its span */
    Span spans[EVIDENCE_SPANS];
    size_t n;
    size_t n_near;   /* the first so many are about this recipient */
    size_t n_common; /* the last so many are about other recipients, too: they
                        do not tell the stage */
    bool transient;  /* the report says it goes on trying */
} Evidence;

typedef struct {
    BounceClass class;
    Reason reason;
    char status[12];
    char *line; /* the line that decided; the caller frees it */
} BounceVerdict;

void bounce_judge(const Evidence *evidence, BounceVerdict *verdict);

#endif
