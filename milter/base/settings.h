/*
 * settings.h - the configuration file: one table declares every option
 *
 * The table in settings.c is the one source of the parser, the defaults,
 * --help-config, conf/contact-milter.conf and the option list of
 * contact-milter.conf(5).
 *
 * Ownership  settings_free() (a reference count: settings_ref()); strings and
 *            lists belong to the Settings.
 * Threads    constant after settings_load(); may be shared.
 * Errors     every problem of a file is reported, each as
 *            FILE:LINE: [section] key: what is wrong and what would be right
 */
#ifndef SETTINGS_H
#define SETTINGS_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef enum { REGION_AU, REGION_UK, REGION_US } Region;
typedef enum { BATCH_AUTO, BATCH_OFF } BatchMode;
typedef enum { OVERWRITE_NEVER, OVERWRITE_OWN, OVERWRITE_ALWAYS } Overwrite;
typedef enum {
    NEW_STATUS_UNSET = 0,
    NEW_STATUS_SUBSCRIBED = 1,
    NEW_STATUS_UNSUBSCRIBED = 2,
    NEW_STATUS_NO_MARKETING = 5,
} NewStatus;
typedef enum { COMPANY_OFF, COMPANY_MATCH, COMPANY_CREATE } CompanyMode;
typedef enum { PHONE_MOBILE_FIRST, PHONE_LANDLINE_FIRST } PhonePreference;
typedef enum { CONSENT_UNSET, CONSENT_YES, CONSENT_NO } PrivacyConsent;
typedef enum {
    EXTERNAL_ID_NONE,
    EXTERNAL_ID_EMAIL,
    EXTERNAL_ID_HASH
} ExternalId;
typedef enum { EVIDENCE_SENT, EVIDENCE_ORIGINAL, EVIDENCE_ANY } BounceEvidence;
typedef enum { UNSURE_HOLD, UNSURE_IGNORE } UnsureAction;
typedef enum { UNKNOWN_IGNORE, UNKNOWN_SUPPRESS } UnknownAction;
typedef enum { TRUST_PASS, TRUST_NO_FAIL, TRUST_ANY } TrustLevel;
typedef enum {
    LOG_TARGET_SYSLOG,
    LOG_TARGET_JOURNAL,
    LOG_TARGET_STDERR
} LogTarget;
typedef enum {
    LOG_LEVEL_ERROR_,
    LOG_LEVEL_WARNING_,
    LOG_LEVEL_INFO_,
    LOG_LEVEL_DEBUG_
} LogLevel;
typedef enum { ADDRESSES_FULL, ADDRESSES_HASHED } LogAddresses;

/* Durations are milliseconds, sizes bytes; lists end with NULL, are never NULL
 * and hold trimmed, non-empty strings. Strings without value are NULL. */
typedef struct {
    struct {
        char *socket;
        int socket_mode;
        char *socket_group;
        char **local_domains;
        char **recipients;
        char **ignore_senders;
        int64_t capture_limit;
    } mta;
    struct {
        int region;
        char *endpoint; /* never NULL after loading: from region if unset */
        char *key;
        char *secret_file;
        char *secret; /* read from secret_file or the credential; no option */
        char *ca_file;
        int64_t timeout;
        int batch;
        bool dry_run;
    } api;
    struct {
        bool create;
        int overwrite;
        int new_status;
        char **groups;
        bool groups_existing;
        int company;
        char **urls;
        int phone;
        char *default_country;
        int external_id;
        int privacy_consent;
        bool role_accounts;
        double min_confidence;
    } contact;
    struct {
        int64_t job_title, mobile, fax, company, address, website, last_mail;
    } custom_fields; /* 0: unset */
    struct {
        int evidence;
        int64_t sent_window;
        int64_t soft_limit;
        int64_t soft_window;
        bool recover;
    } bounce;
    struct {
        char **addresses;
        char **languages; /* empty: all */
        char *phrases_file;
        bool sms;
        bool complaints;
        int unsure;
        char *token_secret_file;
        char *token_secret; /* read from the file; no option */
        int unknown;
    } unsubscribe;
    struct {
        char **authserv_ids;
        char **arc_sealers;
        bool spf;
        int contact;
        int unsubscribe;
        int64_t status_limit;
    } trust;
    struct {
        char *spool;
        char *uri;
        int64_t wait;
        int64_t retention;
    } store;
    struct {
        int target;
        int level;
        int addresses;
    } log;
    struct {
        char *listen;
    } metrics;
    int references;
} Settings;

/* Which parts must be complete: the mta role needs no API secret. */
typedef enum { ROLE_ALL, ROLE_MTA, ROLE_SYNC, ROLE_TOOL } Role;

/* One problem each: "FILE:LINE: [section] key: ..." */
typedef void (*SettingsReport)(const char *problem, void *data);

/* Reads and checks `path`; every problem goes to `report`. NULL if there was
 * any. For ROLE_TOOL (contactctl analyze) `path` may be NULL: all defaults. */
Settings *settings_load(const char *path, Role role, SettingsReport report,
                        void *data);
Settings *settings_ref(Settings *settings);
void settings_free(Settings *settings); /* drops one reference */

/* The commented sample file, the option list for the man page (mdoc), and
 * --help-config's text. */
void settings_print_sample(FILE *out);
void settings_print_mdoc(FILE *out);
void settings_print_help(FILE *out);

bool role_from_name(const char *name, Role *out_role);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Settings, settings_free)

#endif
