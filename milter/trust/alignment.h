/*
 * alignment.h - do two domains belong together? (RFC 7489, section 3.1)
 *
 * Relaxed alignment: equal organisational domains, by the Public Suffix List.
 * Domains are compared as A-labels (RFC 5890), in any case.
 *
 * Ownership  the caller frees results.
 * Threads    pure; libpsl's compiled-in list is constant.
 * Limits     ALIGNMENT_MAX_DOMAIN bytes; what is longer is no domain.
 */
#ifndef ALIGNMENT_H
#define ALIGNMENT_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

enum { ALIGNMENT_MAX_DOMAIN = 253 };

/* The domain in lower case as A-labels, without a final dot; NULL for what is
 * no domain name. */
char *domain_normal(const char *domain);
/* The normal domain of an addr-spec: what follows its last '@'. NULL when
 * there is none. */
char *domain_of(const char *address);
/* The organisational domain of a normal domain; a public suffix is its own. */
char *domain_organisational(const char *normal);

/* All arguments may be NULL and need not be normal. */
bool domain_equal(const char *a, const char *b);
bool domain_aligned(const char *a, const char *b);
/* Is it one of `domains` (NULL-terminated, may be NULL) or below one? */
bool domain_among(const char *domain, const char *const *domains);

/* Are both the same mailbox? The domain in any case; the local-part too,
 * which RFC 5321 would let differ and nobody does. */
bool address_equal(const char *a, const char *b);

#endif
