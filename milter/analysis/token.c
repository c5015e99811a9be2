/*
 * token.c - HMAC-SHA256 and the address, in letters that survive mail systems
 *
 * TOKEN = 16 characters of base32 (80 bits of the HMAC, RFC 2104) and the
 * address with '@' as '=' and any other character but letters, digits, '-' and
 * single dots as '_' and two hexadecimal digits. All in lower case and verified
 * in lower case, because systems on the way may change the case of a
 * local-part. Written out rather than packed, because a local-part may have
 * only 64 octets (RFC 5321, 4.5.3.1.1) and base32 would take more: with
 * "unsubscribe+" in front, addresses of up to 36 characters stay within it.
 */
#include "config.h"

#include "analysis/token.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { MAC_CHARS = 16, MAC_BYTES = 10, SHA256_BYTES = 32 };

/* RFC 4648, in lower case. */
static void
mac(const char *address, const char *key, size_t key_len, char *out)
{
    static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";
    static const char purpose[] = "unsubscribe";
    guint8 digest[SHA256_BYTES];
    gsize len = sizeof digest;

    GHmac *hmac =
        g_hmac_new(G_CHECKSUM_SHA256, (const guchar *) key, (gsize) key_len);
    g_hmac_update(hmac, (const guchar *) purpose, sizeof purpose);
    g_hmac_update(hmac, (const guchar *) address, (gssize) strlen(address));
    g_hmac_get_digest(hmac, digest, &len);
    g_hmac_unref(hmac);
    for (size_t i = 0; i < MAC_CHARS; i++) {
        size_t bit = i * 5;
        unsigned pair = (unsigned) digest[bit / 8] << 8 | digest[bit / 8 + 1];
        out[i] = digits[pair >> (11 - bit % 8) & 31];
    }
}

static bool
is_plain(char c)
{
    return g_ascii_islower(c) || g_ascii_isdigit(c) || c == '-';
}

char *
token_make(const char *address, const char *key, size_t key_len)
{
    const char *at = address == NULL ? NULL : strrchr(address, '@');
    char sum[MAC_CHARS];

    if (at == NULL || at == address || at[1] == '\0' || key == NULL ||
        key_len == 0 || strlen(address) > TOKEN_MAX_ADDRESS)
        return NULL;
    g_autofree char *lower = g_ascii_strdown(address, -1);
    at = lower + (at - address);
    mac(lower, key, key_len, sum);
    GString *token = g_string_new_len(sum, MAC_CHARS);
    for (const char *p = lower; *p != '\0'; p++) {
        if ((unsigned char) *p <= ' ' || *p == 0x7f) {
            g_string_free(token, TRUE);
            return NULL;
        }
        if (p == at)
            g_string_append_c(token, '=');
        else if (is_plain(*p) || (*p == '.' && p > lower && is_plain(p[1])))
            g_string_append_c(token, *p);
        else
            g_string_append_printf(token, "_%02x", (unsigned char) *p);
    }
    return g_string_free(token, FALSE);
}

char *
token_verify(const char *token, const char *key, size_t key_len)
{
    char sum[MAC_CHARS];
    unsigned differ = 0;

    if (token == NULL || key == NULL || key_len == 0 ||
        strlen(token) <= MAC_CHARS ||
        strlen(token) > MAC_CHARS + 3 * TOKEN_MAX_ADDRESS)
        return NULL;
    g_autofree char *lower = g_ascii_strdown(token, -1);
    g_autoptr(GString) address = g_string_new(NULL);
    for (const char *p = lower + MAC_CHARS; *p != '\0'; p++) {
        if (*p == '_') {
            if (!g_ascii_isxdigit(p[1]) || !g_ascii_isxdigit(p[2]))
                return NULL;
            g_string_append_c(address, (char) (g_ascii_xdigit_value(p[1]) << 4 |
                                               g_ascii_xdigit_value(p[2])));
            p += 2;
        } else {
            g_string_append_c(address, *p == '=' ? '@' : *p);
        }
    }
    if (strlen(address->str) != address->len ||
        address->len > TOKEN_MAX_ADDRESS)
        return NULL;
    mac(address->str, key, key_len, sum);
    for (size_t i = 0; i < MAC_CHARS; i++)
        differ |= (unsigned) (unsigned char) (sum[i] ^ lower[i]);
    return differ == 0 ? g_strdup(address->str) : NULL;
}
