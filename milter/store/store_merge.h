/*
 * store_merge.h - what becomes of one contact's row (pure)
 *
 * The rules of merging, confirming and giving up, without a database: row and
 * judged observation in, changed row out. store.c loads and saves.
 *
 * Ownership  store_row_free(); the row owns its strings.
 * Threads    pure.
 */
#ifndef STORE_MERGE_H
#define STORE_MERGE_H

#include "store/store_backend.h"

/* In the order of the columns of contact in store_schema.c. */
typedef struct {
    char *key;
    int64_t due, claimed, since, first_seen, last_mail, status_at, sms_at;
    int64_t version; /* 0: not in the table yet */
    int64_t attempts, claims, state;
    int64_t want_fields, want_status, want_sms, suppress;
    int64_t status_done, sms_done, anonymised;
    char *email; /* NULL: as the key */
    char *known, *times, *crm, *refused, *lease, *reason, *trust;
    /* Not columns. */
    bool is_new; /* not in the table yet */
    bool dirty;  /* to be saved */
} StoreRow;

enum {
    STORE_KEY_MAX = 320,      /* RFC 5321, 4.5.3.1: 64 + 1 + 255 */
    STORE_REFRESH_S = 3600,   /* how old last_mail may grow unwritten */
    STORE_SUSPECT_GROUP = 20, /* contacts that a process died with, per claim */
    STORE_MAX_CLAIMS = 3,     /* claims without an answer: buried */
};

/* The address as a key: lower case. NULL when it is none that we keep. */
char *store_key(const char *email);

StoreRow *store_row_new(const char *key);
void store_row_free(void *row);
StoreRow *store_row_from_values(const StoreValues values);
void store_row_to_values(const StoreRow *row, StoreValues out_values);

/* Merges; *out_status is set when a status is now wanted that was not. Sets
 * dirty when there is something to save. */
void store_row_merge(StoreRow *row, const Judged *judged, int64_t now,
                     bool *out_status);

void store_row_claim(StoreRow *row, const char *lease, int64_t now,
                     int64_t until, bool count);
void store_row_keep(StoreRow *row, const ContactRecord *record);
void store_row_confirm(StoreRow *row, const ContactRecord *record);
void store_row_retry(StoreRow *row, const ContactRecord *record, int64_t due,
                     const char *reason);
void store_row_bury(StoreRow *row, const ContactRecord *record,
                    const char *reason);

ContactRecord *store_row_record(const StoreRow *row);
/* "contact,status=3"; the caller frees it. */
char *store_row_wants(const StoreRow *row);

#endif
