/*
 * analysis.h - what does this message say? (verdict and evidence)
 *
 * An Analyzer holds the compiled rules and phrases; analyzer_run() judges one
 * message with them. The order is bounce, ignore, unsubscribe, contact; see
 * analysis.c. Policy (who may become a contact, trust) is not decided here.
 *
 * Ownership  the caller frees an Analysis with analysis_free(); it owns all
 *            that it points to, except `reason` words, which are static.
 * Threads    pure: no I/O, no clock, no globals. An Analyzer is constant after
 *            analyzer_new() and may be shared by threads.
 * Errors     analyzer_new() reports a faulty phrases file with its line.
 */
#ifndef ANALYSIS_H
#define ANALYSIS_H

#include "message/body.h"
#include "message/envelope.h"
#include "message/message.h"

typedef enum {
    VERDICT_IGNORE,
    VERDICT_CONTACT,
    VERDICT_BOUNCE,
    VERDICT_UNSUBSCRIBE,
} Verdict;

/* A value with the line that it came from; confidence is 0 to 1. */
typedef struct {
    char *value;
    char *evidence;
    double confidence;
} Field;

typedef enum {
    PHONE_WORK,
    PHONE_MOBILE,
    PHONE_FAX,
    PHONE_HOME,
    PHONE_OTHER,
} PhoneType;

typedef struct {
    PhoneType type;
    Field number;    /* E.164 */
    char *extension; /* digits, or NULL */
} Phone;

/* The address in the parts that a CRM's address field has; any may be NULL. */
typedef struct {
    char *line1, *line2, *line3, *line4;
    char *city, *state, *postal_code, *country; /* ISO 3166 alpha-2 */
} AddressParts;

typedef struct {
    char *email; /* domain in lower case */
    Field first_name, last_name, job_title, company, website, address;
    AddressParts address_parts;
    GArray *phones;          /* of Phone */
    GArray *links;           /* of Field: https URLs */
    bool role_account;       /* the address is info@, bookings@ and the like */
    bool from_relay;         /* a contact form's mail: email is its Reply-To */
    const char *name_source; /* "from", "signature", "local-part", "vcard",
                                "form": where the name was found */
} Contact;

typedef enum { BOUNCE_OTHER, BOUNCE_SOFT, BOUNCE_HARD } BounceClass;

typedef struct {
    char *email; /* as the sender of the original mail knew it */
    char *final; /* Final-Recipient where it differs, else NULL */
    BounceClass class;
    char *status;       /* "5.1.1"; "" when not known */
    const char *reason; /* a word of the list in bounce.h */
    char *evidence;     /* the line that decided */
} Bounce;

/* What a report tells of the mail that it returns: for `bounce evidence`. */
typedef struct {
    char *message_id; /* without brackets; or NULL */
    char *from;       /* addr-spec of its From:, or NULL */
    char *return_path;
    char *to; /* its first To: address, or NULL */
} ReturnedMessage;

typedef enum {
    UNSUBSCRIBE_ALL,
    UNSUBSCRIBE_SMS,
    UNSUBSCRIBE_PARTIAL,
    UNSUBSCRIBE_RESUBSCRIBE,
} UnsubscribeScope;

typedef struct {
    GPtrArray *addresses; /* whom it applies to */
    UnsubscribeScope scope;
    bool unsure;    /* probable only: a person decides */
    bool complaint; /* an ARF report (RFC 5965) */
    bool by_token;  /* a signed token of ours named the address */
    char *evidence; /* the words that decided */
} Unsubscribe;

typedef struct {
    Verdict verdict;
    const char *reason;   /* short machine-readable word, static; "" if none */
    char lang[8];         /* "en"; "" when not known */
    Contact *contact;     /* or NULL */
    GPtrArray *signature; /* lines as strings; may be empty */
    GArray *bounces;      /* of Bounce; may be empty */
    ReturnedMessage returned;
    Unsubscribe *unsubscribe; /* or NULL */
    GPtrArray *notes;         /* why things were left out, for people */
} Analysis;

typedef struct {
    const char *const *local_domains;         /* NULL-terminated; may be NULL */
    const char *default_country;              /* "AU" when NULL */
    const char *const *languages;             /* for unsubscribe; NULL: all */
    const char *phrases_file;                 /* or NULL */
    const char *const *unsubscribe_addresses; /* globs: any mail is a request */
    const char
        *unsubscribe_key; /* key of the signed tokens (RFC 2104), or NULL */
    size_t unsubscribe_key_len;
} AnalyzerOptions;

typedef struct Analyzer Analyzer;

Analyzer *analyzer_new(const AnalyzerOptions *options, GError **error);
void analyzer_free(Analyzer *analyzer);

/* `envelope` may be NULL when only the message is known: then Return-Path and
 * Delivered-To header fields stand in for it. Never NULL. */
Analysis *analyzer_run(const Analyzer *analyzer, const Message *message,
                       const Envelope *envelope);
void analysis_free(Analysis *analysis);

/* What a stored message's own header tells of its envelope: Return-Path,
 * Delivered-To, X-Original-To. The caller frees it; never NULL. */
Envelope *envelope_from_message(const Message *message);

/* The names that users see. */
const char *verdict_name(Verdict verdict);
const char *phone_type_name(PhoneType type);
const char *bounce_class_name(BounceClass class);
const char *unsubscribe_scope_name(UnsubscribeScope scope);

void field_set(Field *field, const char *value, const char *evidence,
               double confidence);
void field_clear(Field *field);
Contact *contact_new(const char *email);
Contact *contact_copy(const Contact *contact);
void contact_free(Contact *contact);
Unsubscribe *unsubscribe_new(UnsubscribeScope scope);
void unsubscribe_free(Unsubscribe *unsubscribe);

Analysis *analysis_new(void);
void phone_clear(Phone *phone);
void bounce_clear(Bounce *bounce);
void returned_message_clear(ReturnedMessage *returned);
void returned_message_copy(ReturnedMessage *to, const ReturnedMessage *from);

/* A note for people why something was left out or decided. */
void analysis_note(Analysis *analysis, const char *format, ...)
    G_GNUC_PRINTF(2, 3);

/* Is the address's domain, or a parent of it, one of `domains`? */
bool address_is_local(const char *email, const char *const *domains);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Analyzer, analyzer_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Analysis, analysis_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Contact, contact_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Unsubscribe, unsubscribe_free)

#endif
