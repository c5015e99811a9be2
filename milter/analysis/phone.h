/*
 * phone.h - one telephone number as libphonenumber sees it
 *
 * The only door to libphonenumber (C++): exceptions end here.
 *
 * Threads    the library's singleton is made on first use, safely; the answers
 *            that are kept have a lock.
 * Limits     PHONE_TEXT_MAX bytes of text; longer is no number.
 */
#ifndef PHONE_H
#define PHONE_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { PHONE_TEXT_MAX = 64, PHONE_E164_MAX = 24 };

typedef enum {
    PHONE_KIND_FIXED,
    PHONE_KIND_MOBILE,
    PHONE_KIND_EITHER, /* the numbering plan does not tell (North America) */
    PHONE_KIND_OTHER,  /* toll-free, shared cost, VoIP... */
} PhoneKind;

typedef struct {
    char e164[PHONE_E164_MAX];
    char region[4]; /* ISO 3166 alpha-2, or "001" */
    PhoneKind kind;
} PhoneNumber;

/* Is `text` a valid number, dialled from `region` ("AU")? */
bool phone_parse(const char *text, size_t len, const char *region,
                 PhoneNumber *out);

#ifdef __cplusplus
}
#endif

#endif
