/*
 * plan.h - which calls make the CRM true? Pure: no I/O, no clock
 *
 * One contact of ours (an address) meets the CRM's contacts that have this
 * address. plan_reconcile() brings what we remember of them up to date,
 * plan_make() says what to ask or to send next; each call's outcome goes back
 * into the record. The caller keeps the record in the store around each step,
 * so that a crash anywhere ends in the same place.
 *
 * What `wrote` of a CrmContact holds:
 *   NAME     the value that we wrote last, and that no person changed since
 *   NAME?    the value of a call whose outcome is not known yet
 *   NAME!    "1": a person changed what we wrote; left alone from then on
 *   =        fingerprint of what was wanted when all was true
 * NAME is firstName, lastName, phone, externalId, status, customFields.ID,
 * companies.ID, groups.ID, url.KIND. `refused` of a record holds NAME (the
 * API's words) and NAME= (the value that it refused).
 *
 * Ownership  plan_free(); the input is borrowed.
 * Threads    pure.
 * Limits     PLAN_CONTACTS_MAX contacts per address.
 */
#ifndef PLAN_H
#define PLAN_H

#include "base/settings.h"
#include "crm/answer.h"
#include "crm/view.h"
#include "store/store.h"

enum { PLAN_CONTACTS_MAX = 200 };

#define PLAN_REF_PREFIX "contact-milter-"

typedef struct {
    const Settings *settings;
    GHashTable *definitions; /* or NULL: custom fields are left out */
    bool date_only;          /* date fields want YYYY-MM-DD */
    bool groups_refused;     /* the configured groups do not validate */
    bool company_known;      /* `company` has been looked for */
    int64_t company_id;      /* 0: there is none */
} PlanContext;

typedef enum { PLAN_ADD, PLAN_UPDATE, PLAN_JOIN } PlanKind;

typedef struct {
    PlanKind kind;
    int64_t id;         /* the CRM contact; 0 for PLAN_ADD */
    json_t *params;     /* as they are sent */
    GHashTable *values; /* NAME -> value, as `wrote` will hold them */
    const char *action; /* of namespace contact */
} PlanCall;

typedef struct {
    GArray *details; /* ids: getContact first, then plan again */
    char *company;   /* look for this company first, then plan again */
    GPtrArray *calls;
    int64_t target;   /* whose fields we keep; 0: none, or to be added */
    GPtrArray *notes; /* words for the log */
} Plan;

/* Nothing is wanted that was not true already when we looked last. */
bool plan_settled(const PlanContext *context, const ContactRecord *record);

/* Forgets ids that the CRM has no more, notices what people changed, and
 * recognises calls whose answer we never saw. */
void plan_reconcile(ContactRecord *record, const GPtrArray *views);

Plan *plan_make(const PlanContext *context, const ContactRecord *record,
                const GPtrArray *views);
void plan_free(Plan *plan);

/* Before a call; after it was done by contact `id`; when it was surely not. */
void plan_intend(ContactRecord *record, const PlanCall *call);
void plan_applied(ContactRecord *record, const PlanCall *call, int64_t id);
void plan_dropped(ContactRecord *record, const PlanCall *call);
/* All that was wanted is true at contact `target`. */
void plan_settle(const PlanContext *context, ContactRecord *record,
                 int64_t target);

/* Leaves what `answer` refuses out of the call, and remembers it (a status is
 * not remembered: it is wanted until it is set, or a person gave it up). False
 * when that is not to be told, required, or nothing would be left. */
bool plan_repair(ContactRecord *record, PlanCall *call, const Answer *answer,
                 GHashTable *definitions);
/* Does the call set a custom field of type date? */
bool plan_has_date(const PlanCall *call, GHashTable *definitions);

/* How well a CRM contact's name fits: 0 not at all, 100 equal. */
int plan_name_score(const char *crm_first, const char *crm_last,
                    const char *first, const char *last);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Plan, plan_free)

#endif
