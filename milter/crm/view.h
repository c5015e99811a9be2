/*
 * view.h - contacts, companies and field definitions as read from the CRM
 *
 * Tolerant of shape (numbers as strings, ids as objects), strict in bounds.
 *
 * Ownership  the caller frees; the lists free their entries.
 * Threads    pure.
 * Errors     what has no id is left out; missing members are blank.
 */
#ifndef VIEW_H
#define VIEW_H

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct {
    char *ref, *url;
} CrmUrl;

typedef struct {
    int64_t id;
    char *first_name, *last_name, *email, *phone, *external_id; /* never NULL */
    bool anonymised;
    GHashTable *custom;       /* of int64_t fieldId -> json_t value */
    GArray *groups;           /* of int64_t */
    GArray *companies;        /* of int64_t */
    GPtrArray *company_names; /* strings */
    bool detailed;            /* from getContact: what follows is known too */
    int status, sms_status;   /* 0: none */
    GPtrArray *urls;          /* of CrmUrl */
} CrmView;

typedef struct {
    int64_t id;
    char *business_name, *trading_name; /* never NULL */
} CompanyView;

typedef enum {
    FIELD_SMALL_TEXT,
    FIELD_LARGE_TEXT,
    FIELD_SELECT,
    FIELD_MULTI_SELECT,
    FIELD_ADDRESS,
    FIELD_DATE,
    FIELD_FILE,
    FIELD_STATIC,
    FIELD_NUMBER,
} FieldType;

typedef struct {
    int64_t id;
    int type; /* FieldType, or a number that we do not know */
    char *name;
    bool required, active;
    GPtrArray *options; /* strings */
} FieldDefinition;

/* getContactList's results whose address is `email` (others are dropped: a
 * server that ignores the filter must not make us change strangers). Appends
 * to `views`; *out_total and *out_count as the answer says. */
void view_list(GPtrArray *views, const json_t *body, const char *email,
               int64_t *out_total, int64_t *out_count);
/* getContact's answer; NULL if it is none. */
CrmView *view_contact(const json_t *body);
void view_free(CrmView *view);
GPtrArray *view_array_new(void); /* of CrmView */

void view_companies(GPtrArray *companies, const json_t *body,
                    int64_t *out_total, int64_t *out_count);
GPtrArray *company_array_new(void); /* of CompanyView */

/* getCustomFieldDefinition's answer: of int64_t id -> FieldDefinition; NULL if
 * it is none. */
GHashTable *view_definitions(const json_t *body);
GHashTable *definitions_new(void);
const FieldDefinition *definitions_get(GHashTable *definitions, int64_t id);
const char *field_type_name(int type);

/* getSubscriptionGroupList's answer: of int64_t ids; NULL if it is none. */
GArray *view_groups(const json_t *body);

bool id_array_has(const GArray *ids, int64_t id);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CrmView, view_free)

#endif
