/*
 * sign.h - the contact API's request signature
 *
 * Ownership  the caller frees results.
 * Threads    pure.
 */
#ifndef SIGN_H
#define SIGN_H

#include <stddef.h>

/* Lower-case hex MD5 of the exact body bytes: Content-MD5. */
char *sign_body(const void *body, size_t length);

/* What is signed: POST, the MD5, the type, an empty Date, the URI with its
 * query, the API version and the date header; in lower case. */
char *sign_text(const char *md5, const char *content_type, const char *uri,
                const char *ivvy_date);

/* Lower-case hex HMAC-SHA1 of `text`. */
char *sign_hmac(const char *secret, const char *text);

/* The value of X-Api-Authorization. */
char *sign_authorization(const char *key, const char *secret, const char *md5,
                         const char *content_type, const char *uri,
                         const char *ivvy_date);

#endif
