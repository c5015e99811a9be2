/*
 * vcard.h - electronic business cards: vCard 2.1, 3.0 (RFC 2426), 4.0
 * (RFC 6350)
 *
 * Ownership  vcard_free().
 * Threads    pure.
 * Limits     VCARD_MAX_BYTES of text, VCARD_MAX_VALUES of each property; the
 *            first card of a file only.
 */
#ifndef VCARD_H
#define VCARD_H

#include "analysis/analysis.h"

enum {
    VCARD_MAX_BYTES = 64 * 1024,
    VCARD_MAX_VALUES = 8,
    VCARD_MAX_VALUE = 500
};

typedef struct {
    char *first, *last, *full; /* N and FN */
    char *title, *company, *website;
    char *address; /* one line */
    AddressParts parts;
    char *emails[VCARD_MAX_VALUES];
    size_t n_emails;
    struct {
        char *number;
        PhoneType type;
        bool typed;
    } phones[VCARD_MAX_VALUES];
    size_t n_phones;
    char *links[VCARD_MAX_VALUES];
    size_t n_links;
} VCard;

/* NULL when the text has no card. */
VCard *vcard_parse(const char *text, size_t len);
void vcard_free(VCard *card);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(VCard, vcard_free)

#endif
