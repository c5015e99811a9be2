/*
 * link.h - links as the author meant them: wrappers undone, trackers off
 *
 * Ownership  results belong to the caller.
 * Threads    pure.
 * Limits     LINK_MAX bytes; longer ones are refused. Wrappers are undone at
 *            most LINK_UNWRAP_MAX deep.
 */
#ifndef LINK_H
#define LINK_H

#include <stdbool.h>
#include <stddef.h>

enum { LINK_MAX = 4096, LINK_UNWRAP_MAX = 4 };

typedef enum {
    LINK_NONE,    /* not of the web, or of no use (images, unsubscribe...) */
    LINK_WEBSITE, /* some page */
    LINK_SOCIAL,  /* profiles: LinkedIn, X, Facebook, Instagram, XING... */
    LINK_BOOKING, /* calendars where one books a meeting */
    LINK_PHONE,   /* tel:, callto:, wa.me; *out is the number */
    LINK_EMAIL,   /* mailto:; *out is the address */
} LinkKind;

/* What a link is; *out (may be NULL) is its clean form, https. */
LinkKind link_classify(const char *href, size_t len, char **out);

/* The host of a clean link without "www.", lower case; NULL when none. */
char *link_host(const char *url);

/* Is there a bare host name ("example.org/book") at the beginning of `text`?
 * Its length, or 0. */
size_t link_bare_host(const char *text, size_t len);

#endif
