/*
 * store.h - the contacts: what is known, what we set, what is wanted
 *
 * One row per e-mail address. Two implementations fill the table of functions
 * in store_backend.h: store_sqlite.c and store_pgsql.c; store_open() picks one
 * by the URI's scheme. Both pass tests/store/test_store.c.
 *
 * Ownership  the caller frees records (contact_record_free()) and lists.
 * Threads    a Store may be used from any thread; calls are serialised inside.
 * Errors     GError; STORE_ERROR_UNAVAILABLE means "try again later" (locked,
 *            disk full, connection lost), everything else is a defect.
 */
#ifndef STORE_H
#define STORE_H

#include "analysis/observation.h"

#define STORE_ERROR store_error_quark()
GQuark store_error_quark(void);
typedef enum {
    STORE_ERROR_UNAVAILABLE,
    STORE_ERROR_URI,    /* bad URI, or backend not built in */
    STORE_ERROR_SCHEMA, /* made by a newer version */
    STORE_ERROR_FAILED,
} StoreErrorCode;

typedef struct Store Store;

/* `host` names this mail server in leases (g_get_host_name()). */
Store *store_open(const char *uri, const char *host, GError **error);
/* Before the first store_open() of the process that writes there: a local file
 * that is damaged is set aside, so that a new one is begun. The words for the
 * log (the caller frees them), or NULL: nothing was damaged. */
char *store_mend(const char *uri);
void store_close(Store *store); /* leases not answered yet are given back */
/* Do other hosts put into it, too? */
bool store_is_shared(const Store *store);

/* --- merging (the judge) ------------------------------------------------ */

/* An observation and what was decided about it. */
typedef struct {
    const char *key; /* SpoolRow.key: merging the same key again does nothing */
    const Observation *observation;
    const char *trust; /* verdict and reason in words, kept to be shown */
    bool hold;         /* a person decides: kept apart as `held` */
    const char *hold_reason;
    int want_status;       /* 0 none, 2 or 3; 1 only for bounce recover */
    int want_sms;          /* 0 none, 2 */
    bool unknown_suppress; /* add with status 2 when not in the CRM */
    bool soft_bounce;      /* count one */
    const char *domain;    /* a status change is counted for this sending
                              domain (store_status_changes()); NULL: not */
    bool want_last_mail;   /* a later last_mail alone is worth a call, once a
                              day (custom field last_mail) */
} Judged;

/* Merges all or none. Contact fields: later mail (observation->time) overrules
 * earlier field by field; a field that is missing erases nothing. Wanted
 * statuses obey 2 > 3 > 1. A contact becomes `pending` only when something
 * that the CRM may not have was learnt. SENT observations go to the sent-log
 * as keyed hashes. */
bool store_merge(Store *store, const Judged *list, size_t n, int64_t now,
                 GError **error);

/* Soft bounces of `email` since `since`; -1 on error. */
int64_t store_soft_bounces(Store *store, const char *email, int64_t since,
                           GError **error);
/* Status changes that were merged with this Judged.domain since `since`; held
 * ones do not count. */
int64_t store_status_changes(Store *store, const char *domain, int64_t since,
                             GError **error);
/* Did a message with this Message-ID leave for `recipient` (NULL: anybody)? */
bool store_sent_seen(Store *store, const char *message_id,
                     const char *recipient, bool *out_seen, GError **error);

/* --- work (the sync) ---------------------------------------------------- */

typedef enum {
    CONTACT_IDLE,    /* nothing wanted */
    CONTACT_PENDING, /* due at .due */
    CONTACT_DEAD,    /* can never work: .reason says why */
} ContactState;

/* One CRM contact that has this address, and what we wrote there last. The
 * store keeps the table as it is: crm/ also puts there what it is about to
 * write (names that end with '?'), to know its own values after a crash. */
typedef struct {
    int64_t id;         /* CRM id; 0: about to be added */
    GHashTable *wrote;  /* field name -> value as string */
    int64_t status_set; /* the status that we set last; 0 none */
} CrmContact;

typedef struct {
    char *email;
    Contact *known; /* from mail, merged; NULL when only a status is known */
    bool want_fields;
    int want_status, want_sms;
    bool unknown_suppress;
    GPtrArray *crm;      /* of CrmContact: cached ids */
    GHashTable *refused; /* field name -> the API's words */
    bool anonymised;     /* left alone for good */
    ContactState state;
    char *reason; /* last error, or why it is dead */
    char *trust;  /* the last judgement */
    unsigned attempts;
    int64_t due;
    int64_t version; /* raised by each merge: what came in while we worked
                        is not lost by store_confirm() */
    char *lease;     /* names this claim: an answer after another host took
                        the contact over does nothing */
    int64_t first_seen, last_mail;
} ContactRecord;

/* Up to `max` contacts that are due (the array frees them), leased to this
 * host until now + lease_s. One contact is never leased twice at a time. A
 * contact that a process died with is leased in smaller and smaller company,
 * and buried after the third time. */
GPtrArray *store_claim(Store *store, size_t max, int64_t now, int64_t lease_s,
                       GError **error);
/* Leases that this host holds end now: at start those of the process before,
 * later those of a claim whose answer was lost. Not while work is under way. */
bool store_release_leases(Store *store, GError **error);
/* Work goes on: keeps crm, refused, anonymised of all `n` records (one
 * transaction); the leases stay. For what must be known after a crash. */
bool store_save(Store *store, ContactRecord *const *records, size_t n,
                GError **error);
/* Work done, for all `n` records in one transaction: as store_save(), and
 * clears what was wanted; a contact is idle, unless a merge raised its version
 * (then it stays pending and is due now). */
bool store_confirm(Store *store, ContactRecord *const *records, size_t n,
                   GError **error);
/* Work not done: due again at `due` with this reason. Keeps crm, refused,
 * anonymised; attempts goes up by one. */
bool store_retry(Store *store, const ContactRecord *record, int64_t due,
                 const char *reason, GError **error);
bool store_bury(Store *store, const ContactRecord *record, const char *reason,
                GError **error);

/* --- the admin's view (contactctl, status page) ------------------------- */

typedef struct {
    int64_t pending, held, dead, contacts;
    int64_t oldest_pending; /* seconds since the epoch; 0: none */
} StoreStatus;
bool store_status(Store *store, StoreStatus *out_status, GError **error);

/* One row of `contactctl queue list`. */
typedef struct {
    char *email;
    char *state; /* "pending", "held", "dead" */
    char *wants; /* "contact", "status=3", "unsubscribe"... */
    char *reason;
    char *trust;
    unsigned attempts;
    int64_t since, due;
    int64_t held_id; /* of a held observation, else 0 */
} QueueEntry;
/* `email` NULL: all, up to `max`. */
GPtrArray *store_queue(Store *store, const char *email, size_t max,
                       GError **error);
ContactRecord *store_get(Store *store, const char *email, GError **error);

/* Numbers of entries changed, -1 on error. `email` NULL: all. */
int64_t store_queue_retry(Store *store, const char *email, bool dead_only,
                          int64_t now, GError **error);
int64_t store_queue_release(Store *store, const char *email, int64_t now,
                            GError **error);
int64_t store_queue_drop(Store *store, const char *email, GError **error);
/* Everything about one address, its sent-log hashes included. */
int64_t store_forget(Store *store, const char *email, GError **error);

/* Small shared values: pause, pacing, clock offset, last success and error.
 * store_state_get() sets *out_value to NULL when there is none. */
bool store_state_set(Store *store, const char *name, const char *value,
                     GError **error);
bool store_state_get(Store *store, const char *name, char **out_value,
                     GError **error);

/* Drops what is past its time: sent-log, merge keys, old contacts. */
bool store_expire(Store *store, int64_t now, int64_t sent_window_s,
                  int64_t retention_s, GError **error);

/* What is to be tried again more than `longest_s` after now is due now: after
 * the clock was set back, "later" would be too late. */
bool store_clock_set_back(Store *store, int64_t now, int64_t longest_s,
                          GError **error);

/* Copies everything from one store into another, in which what is there
 * already stays (so that an interrupted copy can be repeated). Nobody may
 * write to `from` meanwhile; its leases are not copied. `progress` may be
 * NULL and is called from time to time with rows done and in all. */
typedef void (*StoreProgress)(int64_t done, int64_t total, void *data);
bool store_migrate(Store *from, Store *to, StoreProgress progress, void *data,
                   GError **error);

ContactRecord *contact_record_new(const char *email);
void contact_record_free(ContactRecord *record);
CrmContact *crm_contact_new(int64_t id);
void crm_contact_free(CrmContact *contact);
void queue_entry_free(QueueEntry *entry);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Store, store_close)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ContactRecord, contact_record_free)

#endif
