/*
 * sign.c - HMAC-SHA1 over the pieces of a request, with nothing between them
 *
 * Only one IVVY- header is ever sent (IVVY-Date), so there is nothing to sort;
 * its name loses the hyphen, and the Date header's place stays empty because
 * IVVY-Date takes it. SHA-1 and MD5 are the vendor's choice; an HMAC needs no
 * collision resistance.
 */
#include "crm/sign.h"

#include <glib.h>

char *
sign_body(const void *body, size_t length)
{
    return g_compute_checksum_for_data(G_CHECKSUM_MD5, body, length);
}

char *
sign_text(const char *md5, const char *content_type, const char *uri,
          const char *ivvy_date)
{
    g_autofree char *text = g_strconcat("POST", md5, content_type, uri, "1.0",
                                        "ivvydate=", ivvy_date, NULL);
    return g_ascii_strdown(text, -1);
}

char *
sign_hmac(const char *secret, const char *text)
{
    return g_compute_hmac_for_string(G_CHECKSUM_SHA1, (const guchar *) secret,
                                     strlen(secret), text, -1);
}

char *
sign_authorization(const char *key, const char *secret, const char *md5,
                   const char *content_type, const char *uri,
                   const char *ivvy_date)
{
    g_autofree char *text = sign_text(md5, content_type, uri, ivvy_date);
    g_autofree char *signature = sign_hmac(secret, text);
    return g_strdup_printf("IWS %s:%s", key, signature);
}
