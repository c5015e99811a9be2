/*
 * token.h - signed addresses for List-Unsubscribe: mailto (RFC 2369, 8058)
 *
 * unsubscribe+TOKEN@our.example names the subscriber and proves that we sent
 * the mailing: the request is then certain, whoever From: claims to be.
 *
 * Threads    pure.
 * Limits     TOKEN_MAX_ADDRESS bytes of address.
 */
#ifndef TOKEN_H
#define TOKEN_H

#include <glib.h>
#include <stddef.h>

enum { TOKEN_MAX_ADDRESS = 254 };

/* The token for `address`, safe in a local-part and in any case; NULL when it
 * is no address. The caller frees it. */
char *token_make(const char *address, const char *key, size_t key_len);

/* The address (in lower case) that `token` was made for with this key, or
 * NULL. The caller frees it. */
char *token_verify(const char *token, const char *key, size_t key_len);

#endif
