/*
 * standin.h - a running stand-in API, a store and observations, for tests
 *
 * Threads    one owner.
 * Errors     a test that cannot go on aborts.
 */
#ifndef STANDIN_H
#define STANDIN_H

#include "base/settings.h"
#include "crm/sync.h"

#include <jansson.h>
#include <sys/types.h>

typedef struct {
    pid_t pid;
    char *url;
} Standin;

/* `options` ends with NULL; may be NULL. */
Standin *standin_start(const char *const *options);
void standin_stop(Standin *standin);
/* POST /control/NAME; takes `body` (may be NULL). The caller frees it. */
json_t *standin_control(Standin *standin, const char *name, json_t *body);
void standin_do(Standin *standin, const char *name, json_t *body);
/* "{...}" with single quotes for double ones, to be read easily. */
json_t *json_of(const char *text);
/* All contacts with this address, as the CRM holds them. */
json_t *standin_contacts(Standin *standin, const char *email);
/* The only one; borrowed from *out_keep. NULL when there is not exactly one. */
json_t *standin_contact(Standin *standin, const char *email, json_t **out_keep);
/* Calls of this action since the log was cleared; NULL: all requests. */
long standin_count(Standin *standin, const char *action);

/* All defaults, with the stand-in as API. */
Settings *test_settings(const char *url);
void test_set(char **member, const char *value);
void test_list(char ***member, const char *const *values);

/* Observations, merged as the judge would. */
void merge_contact(Store *store, const char *email, const char *first,
                   const char *last, const char *phone, const char *title);
void merge_known(Store *store, Contact *contact); /* takes it */
void merge_status(Store *store, const char *email, int status, int sms,
                  bool suppress);
Contact *test_contact(const char *email, const char *first, const char *last);
void test_phone(Contact *contact, PhoneType type, const char *number);

/* Rounds until nothing is due any more. */
void sync_all(Sync *sync, Store *store);
extern const SyncTuning quick_tuning;

/* "" for a member that is no string. */
const char *text_of(const json_t *object, const char *name);
/* A contact's custom field as JSON text; "" when blank. The caller frees it. */
char *custom_of(const json_t *contact, const char *field);

#endif
