/*
 * alignment.c - see alignment.h
 *
 * Everything is compared as A-labels: a header may bear the U-label form
 * (RFC 6532) where SMTP and the DNS have the other. libidn2 refuses some
 * names that are in use (underscores, old IDNA 2003 characters); pure ASCII
 * therefore never goes through it.
 */
#include "trust/alignment.h"

#include <idn2.h>
#include <libpsl.h>
#include <string.h>

static bool
is_hostname(const char *name, size_t len)
{
    if (len == 0 || len > ALIGNMENT_MAX_DOMAIN)
        return false;
    size_t label = 0;
    for (size_t i = 0; i < len; i++) {
        char c = name[i];
        if (c == '.') {
            if (label == 0)
                return false;
            label = 0;
        } else if (g_ascii_isalnum(c) || c == '-' || c == '_') {
            if (++label > 63)
                return false;
        } else {
            return false;
        }
    }
    return label > 0;
}

char *
domain_normal(const char *domain)
{
    if (domain == NULL)
        return NULL;
    /* A U-label domain is longer than its A-labels by a small factor only. */
    size_t len = strnlen(domain, 4 * ALIGNMENT_MAX_DOMAIN + 1);
    if (len > 4 * ALIGNMENT_MAX_DOMAIN)
        return NULL;
    if (len > 0 && domain[len - 1] == '.')
        len--;

    g_autofree char *trimmed = g_strndup(domain, len);
    if (g_str_is_ascii(trimmed)) {
        if (!is_hostname(trimmed, len))
            return NULL;
        return g_ascii_strdown(trimmed, (gssize) len);
    }
    if (!g_utf8_validate(trimmed, (gssize) len, NULL))
        return NULL;

    char *ascii = NULL;
    int rc = idn2_to_ascii_8z(trimmed, &ascii,
                              IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT);
    if (rc != IDN2_OK)
        return NULL;
    char *result = NULL;
    if (is_hostname(ascii, strlen(ascii)))
        result = g_ascii_strdown(ascii, -1);
    idn2_free(ascii);
    return result;
}

char *
domain_of(const char *address)
{
    const char *at = address != NULL ? strrchr(address, '@') : NULL;
    return at != NULL && at != address ? domain_normal(at + 1) : NULL;
}

char *
domain_organisational(const char *normal)
{
    const psl_ctx_t *list = psl_builtin();
    const char *registrable =
        list != NULL ? psl_registrable_domain(list, normal) : NULL;
    return g_strdup(registrable != NULL ? registrable : normal);
}

bool
domain_equal(const char *a, const char *b)
{
    g_autofree char *first = domain_normal(a);
    g_autofree char *second = domain_normal(b);
    return first != NULL && g_strcmp0(first, second) == 0;
}

bool
domain_aligned(const char *a, const char *b)
{
    g_autofree char *first = domain_normal(a);
    g_autofree char *second = domain_normal(b);
    if (first == NULL || second == NULL)
        return false;
    if (strcmp(first, second) == 0)
        return true;

    g_autofree char *first_org = domain_organisational(first);
    g_autofree char *second_org = domain_organisational(second);
    return strcmp(first_org, second_org) == 0;
}

bool
domain_among(const char *domain, const char *const *domains)
{
    g_autofree char *normal = domain_normal(domain);
    if (normal == NULL || domains == NULL)
        return false;
    size_t len = strlen(normal);
    for (size_t i = 0; domains[i] != NULL; i++) {
        g_autofree char *ours = domain_normal(domains[i]);
        if (ours == NULL)
            continue;
        size_t ours_len = strlen(ours);
        if (ours_len == len && strcmp(ours, normal) == 0)
            return true;
        if (ours_len < len && normal[len - ours_len - 1] == '.' &&
            strcmp(normal + len - ours_len, ours) == 0)
            return true;
    }
    return false;
}

bool
address_equal(const char *a, const char *b)
{
    const char *at_a = a != NULL ? strrchr(a, '@') : NULL;
    const char *at_b = b != NULL ? strrchr(b, '@') : NULL;
    if (at_a == NULL || at_b == NULL || at_a - a != at_b - b)
        return false;
    return g_ascii_strncasecmp(a, b, (size_t) (at_a - a)) == 0 &&
           domain_equal(at_a + 1, at_b + 1);
}
