/*
 * values.h - values as the CRM's fields want them, and when two are the same
 *
 * Ownership  the caller frees results.
 * Threads    pure.
 * Errors     NULL and a reason for a value that a field cannot hold.
 */
#ifndef VALUES_H
#define VALUES_H

#include "analysis/analysis.h"
#include "crm/view.h"

enum { VALUE_SMALL_TEXT_MAX = 255, VALUE_LARGE_TEXT_MAX = 4000 };

/* The same to a person: spelled otherwise is not worth a call. */
typedef enum {
    SAME_TEXT,  /* but for case and white space */
    SAME_PHONE, /* the same number, national or international */
    SAME_URL,   /* but for scheme, www. and a slash at the end */
    SAME_DAY,   /* the same date, at any time */
} Sameness;

bool value_same(Sameness how, const char *a, const char *b);

/* A JSON value as one text; "" for blank ones (null, "", [], {"city":""}). */
char *value_text(const json_t *value);

/* A JSON string of `text`: valid UTF-8, no controls (line feeds become ", "
 * unless `lines`), at most `max` characters. */
json_t *value_string(const char *text, size_t max, bool lines);

/* What to send for a custom field. `parts` for addresses, else NULL; `present`
 * is the field's value now (a multiple select is added to), may be NULL.
 * *out_why (static) says why it cannot be held. */
json_t *value_for_field(const FieldDefinition *field, const char *text,
                        const AddressParts *parts, const json_t *present,
                        const char **out_why);

/* Case, accents and punctuation folded away, single spaces between words. */
char *value_fold(const char *text);
/* A company's name folded, without legal forms at the end (Pty Ltd, GmbH). */
char *value_fold_company(const char *name);
/* The name as written, without legal forms at the end: to search for. */
char *value_company_core(const char *name);

#endif
