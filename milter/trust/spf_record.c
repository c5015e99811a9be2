/*
 * spf_record.c - see spf_record.h
 *
 * libspf2 1.2.10 compiles the text of strangers with C string code that has a
 * history, and gets several things wrong (measured with the table in
 * tests/trust/test_spf.c): mechanisms beyond 511 compiled bytes vanish
 * without an error, with them the "-all" at the end; prefix length 0 is
 * refused; redirect= acts where it stands; %{d5} of a short name loses its
 * first letter; %{S} of a local-part with a byte above 0x7f writes past its
 * buffer.
 *
 * So the record is read here by the grammar of RFC 7208, section 12, and what
 * libspf2 gets to see is a new record of plain words with the same meaning:
 *
 *     v=spf1 ip4:192.0.2.0/24 a:%{d2} mx/24 exp=why.%{d} -all
 *  => v=spf1 a:t1 mx:t2/24 -all
 *
 * Macros are expanded; names are stand-ins ("t1"), so that nothing of what a
 * sender wrote reaches its parser; ip4 and ip6 are decided at once: what does
 * not match is left out, what matches becomes "all"; redirect stands last and
 * only without all; exp and unknown modifiers are checked and dropped.
 *
 * One deviation: %{p} is always "unknown". RFC 7208 advises against its use,
 * and it costs up to eleven lookups.
 */
#include "trust/spf_record.h"

#include <arpa/inet.h>
#include <string.h>

enum { MAX_NAME = 253, MAX_EXPANSION = 4096 };

bool
spf_record_is(const char *text)
{
    return g_ascii_strncasecmp(text, "v=spf1", 6) == 0 &&
           (text[6] == '\0' || text[6] == ' ');
}

bool
spf_name_valid(const char *name)
{
    size_t label = 0, len = 0;
    for (; name[len] != '\0'; len++) {
        if (len >= MAX_NAME + 1)
            return false;
        if (name[len] == '.') {
            if (label == 0)
                return false;
            label = 0;
        } else if ((unsigned char) name[len] <= ' ' ||
                   (unsigned char) name[len] >= 0x7f || ++label > 63) {
            return false;
        }
    }
    if (len > 0 && name[len - 1] == '.')
        len--;
    return len > 0 && len <= MAX_NAME;
}

/* --- macros (RFC 7208, 7) ------------------------------------------------ */

static char *
subject_address(const SpfSubject *subject)
{
    const uint8_t *a = subject->address;
    if (!subject->ipv6)
        return g_strdup_printf("%u.%u.%u.%u", a[0], a[1], a[2], a[3]);
    GString *text = g_string_sized_new(64);
    for (size_t i = 0; i < 16; i++)
        g_string_append_printf(text, "%s%x.%x", i > 0 ? "." : "", a[i] >> 4,
                               a[i] & 0xfU);
    return g_string_free(text, FALSE);
}

static char *
subject_pretty(const SpfSubject *subject)
{
    char text[INET6_ADDRSTRLEN] = "";
    (void) inet_ntop(subject->ipv6 ? AF_INET6 : AF_INET, subject->address, text,
                     sizeof(text));
    return g_strdup(text);
}

/* NULL for an unknown letter. */
static char *
macro_letter(char letter, bool in_exp, const char *current,
             const SpfSubject *subject)
{
    switch (letter) {
    case 's':
        return g_strdup_printf("%s@%s", subject->local, subject->domain);
    case 'l':
        return g_strdup(subject->local);
    case 'o':
        return g_strdup(subject->domain);
    case 'd':
        return g_strdup(current);
    case 'i':
        return subject_address(subject);
    case 'p':
        return g_strdup("unknown");
    case 'v':
        return g_strdup(subject->ipv6 ? "ip6" : "in-addr");
    case 'h':
        return g_strdup(subject->helo);
    case 'c':
        return in_exp ? subject_pretty(subject) : NULL;
    case 'r':
    case 't':
        return in_exp ? g_strdup("0") : NULL;
    default:
        return NULL;
    }
}

/* Splits at any of `delimiters`, reverses, keeps the `keep` rightmost parts
 * (0: all), joins with dots. */
static char *
macro_transform(const char *value, unsigned keep, bool reverse,
                const char *delimiters)
{
    g_auto(GStrv) parts = g_strsplit_set(value, delimiters, -1);
    guint n = g_strv_length(parts);
    if (reverse) {
        for (guint i = 0; i < n / 2; i++) {
            char *other = parts[n - 1 - i];
            parts[n - 1 - i] = parts[i];
            parts[i] = other;
        }
    }
    guint first = keep > 0 && keep < n ? n - keep : 0;
    return g_strjoinv(".", parts + first);
}

/* Expands the `len` bytes at `text`; NULL for a syntax error. */
static char *
expand(const char *text, size_t len, bool in_exp, const char *current,
       const SpfSubject *subject)
{
    g_autoptr(GString) out = g_string_new(NULL);
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if ((unsigned char) c < 0x21 || (unsigned char) c > 0x7e)
            return NULL;
        if (out->len > MAX_EXPANSION)
            return NULL;
        if (c != '%') {
            g_string_append_c(out, c);
            continue;
        }
        if (++i >= len)
            return NULL;
        if (text[i] == '%') {
            g_string_append_c(out, '%');
        } else if (text[i] == '_') {
            g_string_append_c(out, ' ');
        } else if (text[i] == '-') {
            g_string_append(out, "%20");
        } else if (text[i] == '{') {
            if (++i >= len)
                return NULL;
            char letter = text[i++];
            g_autofree char *value =
                macro_letter(g_ascii_tolower(letter), in_exp, current, subject);
            if (value == NULL)
                return NULL;

            unsigned keep = 0;
            bool digits = false;
            for (; i < len && g_ascii_isdigit(text[i]); i++) {
                digits = true;
                keep = MIN(keep * 10 + (unsigned) (text[i] - '0'), 1000U);
            }
            if (digits && keep == 0)
                return NULL;
            bool reverse = i < len && g_ascii_tolower(text[i]) == 'r';
            if (reverse)
                i++;
            char delimiters[16];
            size_t n = 0;
            for (; i < len && memchr(".-+,/_=", text[i], 7) != NULL; i++)
                if (n < sizeof(delimiters) - 1)
                    delimiters[n++] = text[i];
            if (n == 0)
                delimiters[n++] = '.';
            delimiters[n] = '\0';
            if (i >= len || text[i] != '}')
                return NULL;

            g_autofree char *result =
                macro_transform(value, keep, reverse, delimiters);
            if (g_ascii_isupper(letter)) {
                g_autofree char *escaped =
                    g_uri_escape_string(result, NULL, FALSE);
                g_string_append(out, escaped);
            } else {
                g_string_append(out, result);
            }
        } else {
            return NULL;
        }
    }
    return g_strdup(out->str);
}

/* domain-end = ( "." toplabel [ "." ] ) / macro-expand: a domain-spec ends
 * with a macro or with a dot and a label that is no number. */
static bool
domain_end_valid(const char *text, size_t len)
{
    if (len == 0)
        return false;
    if (text[len - 1] == '}')
        return true; /* expand() has checked that it ends a macro */
    if (len >= 2 && text[len - 2] == '%' && strchr("%_-", text[len - 1]))
        return true;
    if (text[len - 1] == '.')
        len--;
    size_t start = len;
    bool alpha = false, hyphen = false;
    while (start > 0 && text[start - 1] != '.') {
        char c = text[start - 1];
        if (c == '}') /* "%{d}example": no dot before the label */
            return false;
        if (!g_ascii_isalnum(c) && c != '-')
            return false;
        alpha = alpha || g_ascii_isalpha(c);
        hyphen = hyphen || c == '-';
        start--;
    }
    return start > 0 && start < len && (alpha || hyphen) &&
           text[start] != '-' && text[len - 1] != '-';
}

/* A domain-spec expanded and cut to 253 bytes by whole labels from the left;
 * NULL for a syntax error. */
static char *
expand_domain(const char *text, size_t len, bool in_exp, const char *current,
              const SpfSubject *subject)
{
    char *name = expand(text, len, in_exp, current, subject);
    if (name == NULL || !domain_end_valid(text, len)) {
        g_free(name);
        return NULL;
    }
    size_t n = strlen(name);
    if (n > 0 && name[n - 1] == '.')
        name[--n] = '\0';
    const char *start = name;
    while (n > MAX_NAME) {
        const char *dot = strchr(start, '.');
        if (dot == NULL)
            break;
        n -= (size_t) (dot + 1 - start);
        start = dot + 1;
    }
    char *result = g_strdup(start);
    g_free(name);
    return result;
}

/* --- terms (RFC 7208, 4.6.1, 5 and 6) ------------------------------------ */

typedef struct {
    const char *current;
    const SpfSubject *subject;
    SpfNamer namer;
    void *data;
    GString *out;
    bool decided; /* an all, or an IP mechanism that matches, was written */
    bool all;     /* the record has all: redirect does not count */
    char *redirect;
    bool exp;
} Rewrite;

static bool
prefix_matches(const uint8_t *a, const uint8_t *b, unsigned bits)
{
    if (memcmp(a, b, bits / 8) != 0)
        return false;
    unsigned rest = bits % 8;
    uint8_t mask = (uint8_t) (0xffU << (8 - rest));
    return rest == 0 || (a[bits / 8] & mask) == (b[bits / 8] & mask);
}

/* "0" or a number without leading zero, up to `max`. */
static bool
prefix_length(const char *text, size_t len, unsigned max, unsigned *out_bits)
{
    unsigned bits = 0;
    if (len == 0 || len > 3 || (len > 1 && text[0] == '0'))
        return false;
    for (size_t i = 0; i < len; i++) {
        if (!g_ascii_isdigit(text[i]))
            return false;
        bits = bits * 10 + (unsigned) (text[i] - '0');
    }
    if (bits > max)
        return false;
    *out_bits = bits;
    return true;
}

static void put(Rewrite *r, char qualifier, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

static void
put(Rewrite *r, char qualifier, const char *format, ...)
{
    if (r->decided)
        return;
    va_list args;
    va_start(args, format);
    g_string_append_c(r->out, ' ');
    if (qualifier != '+')
        g_string_append_c(r->out, qualifier);
    g_string_append_vprintf(r->out, format, args);
    va_end(args);
}

static void
put_all(Rewrite *r, char qualifier)
{
    put(r, qualifier, "all");
    r->decided = true;
}

static bool
term_ip(Rewrite *r, char qualifier, bool six, const char *value, size_t len)
{
    const char *slash = memchr(value, '/', len);
    size_t address_len = slash != NULL ? (size_t) (slash - value) : len;
    unsigned max = six ? 128 : 32, bits = max;
    char text[INET6_ADDRSTRLEN];
    uint8_t address[16];
    if (address_len == 0 || address_len >= sizeof(text))
        return false;
    memcpy(text, value, address_len);
    text[address_len] = '\0';
    if (inet_pton(six ? AF_INET6 : AF_INET, text, address) != 1)
        return false;
    if (slash != NULL &&
        !prefix_length(slash + 1, len - address_len - 1, max, &bits))
        return false;
    if (six == r->subject->ipv6 &&
        prefix_matches(address, r->subject->address, bits))
        put_all(r, qualifier);
    return true;
}

/* Takes [ "/" ip4-cidr ] [ "//" ip6-cidr ] off the end of *len. */
static bool
dual_cidr(const char *text, size_t *len, unsigned *four, unsigned *six)
{
    *four = 32;
    *six = 128;
    size_t end = *len, digits = end;
    while (digits > 0 && g_ascii_isdigit(text[digits - 1]))
        digits--;
    if (digits >= 2 && text[digits - 1] == '/' && text[digits - 2] == '/') {
        if (!prefix_length(text + digits, end - digits, 128, six))
            return false;
        end = digits - 2;
        digits = end;
        while (digits > 0 && g_ascii_isdigit(text[digits - 1]))
            digits--;
    }
    if (digits >= 1 && text[digits - 1] == '/') {
        if (!prefix_length(text + digits, end - digits, 32, four))
            return false;
        end = digits - 1;
    }
    *len = end;
    return true;
}

static bool
term_address(Rewrite *r, char qualifier, bool mx, const char *rest, size_t len)
{
    unsigned four, six;
    if (!dual_cidr(rest, &len, &four, &six))
        return false;
    g_autofree char *name = NULL;
    if (len == 0)
        name = g_strdup(r->current);
    else if (*rest == ':')
        name = expand_domain(rest + 1, len - 1, false, r->current, r->subject);
    if (name == NULL)
        return false;
    if (r->decided)
        return true;

    unsigned bits = r->subject->ipv6 ? six : four;
    unsigned full = r->subject->ipv6 ? 128 : 32;
    if (bits == 0) {
        SpfNameUse use = mx                 ? SPF_NAME_ANY_MX
                         : r->subject->ipv6 ? SPF_NAME_ANY_AAAA
                                            : SPF_NAME_PLAIN;
        put(r, qualifier, "exists:%s", r->namer(r->data, name, use));
        return true;
    }
    const char *stand_in = r->namer(r->data, name, SPF_NAME_PLAIN);
    if (bits == full)
        put(r, qualifier, "%s:%s", mx ? "mx" : "a", stand_in);
    else
        put(r, qualifier, "%s:%s%s%u", mx ? "mx" : "a", stand_in,
            r->subject->ipv6 ? "//" : "/", bits);
    return true;
}

static bool
term_named(Rewrite *r, char qualifier, const char *mechanism, const char *rest,
           size_t len)
{
    if (len < 2 || *rest != ':')
        return false;
    g_autofree char *name =
        expand_domain(rest + 1, len - 1, false, r->current, r->subject);
    if (name == NULL)
        return false;
    if (!r->decided)
        put(r, qualifier, "%s:%s", mechanism,
            r->namer(r->data, name, SPF_NAME_PLAIN));
    return true;
}

/* libspf2 compares ptr names as text: no stand-in, so only a plain one. */
static bool
term_ptr(Rewrite *r, char qualifier, const char *rest, size_t len)
{
    g_autofree char *name = NULL;
    if (len == 0)
        name = g_strdup(r->current);
    else if (*rest == ':')
        name = expand_domain(rest + 1, len - 1, false, r->current, r->subject);
    if (name == NULL)
        return false;
    bool plain = spf_name_valid(name) && strlen(name) < 200;
    for (const char *c = name; *c != '\0'; c++)
        if (!g_ascii_isalnum(*c) && *c != '.' && *c != '-' && *c != '_')
            plain = false;
    put(r, qualifier, "ptr:%s", plain ? name : "invalid.invalid");
    return true;
}

static bool
term_modifier(Rewrite *r, const char *name, size_t name_len, const char *value,
              size_t len)
{
    if (name_len == 8 && g_ascii_strncasecmp(name, "redirect", 8) == 0) {
        if (r->redirect != NULL)
            return false;
        r->redirect = expand_domain(value, len, false, r->current, r->subject);
        return r->redirect != NULL;
    }
    if (name_len == 3 && g_ascii_strncasecmp(name, "exp", 3) == 0) {
        g_autofree char *target =
            expand_domain(value, len, false, r->current, r->subject);
        if (r->exp || target == NULL)
            return false;
        r->exp = true;
        return true;
    }
    /* An unknown one: its value must be a macro-string, of any content. */
    g_autofree char *any = expand(value, len, true, r->current, r->subject);
    return any != NULL;
}

static bool
is_mechanism(const char *name, size_t len, const char *mechanism)
{
    return strlen(mechanism) == len &&
           g_ascii_strncasecmp(name, mechanism, len) == 0;
}

static bool
rewrite_term(Rewrite *r, const char *term, size_t len)
{
    char qualifier = '+';
    bool qualified = strchr("+-~?", *term) != NULL;
    if (qualified) {
        qualifier = *term++;
        len--;
    }
    size_t n = 0;
    if (len == 0 || !g_ascii_isalpha(*term))
        return false;
    while (n < len && (g_ascii_isalnum(term[n]) || term[n] == '-' ||
                       term[n] == '_' || term[n] == '.'))
        n++;
    const char *rest = term + n;
    size_t rest_len = len - n;
    if (rest_len > 0 && *rest == '=')
        return !qualified && term_modifier(r, term, n, rest + 1, rest_len - 1);

    if (is_mechanism(term, n, "all")) {
        if (rest_len > 0)
            return false;
        r->all = true;
        put_all(r, qualifier);
        return true;
    }
    if (is_mechanism(term, n, "ip4") || is_mechanism(term, n, "ip6"))
        return rest_len > 1 && *rest == ':' &&
               term_ip(r, qualifier, term[2] == '6', rest + 1, rest_len - 1);
    if (is_mechanism(term, n, "a"))
        return term_address(r, qualifier, false, rest, rest_len);
    if (is_mechanism(term, n, "mx"))
        return term_address(r, qualifier, true, rest, rest_len);
    if (is_mechanism(term, n, "include"))
        return term_named(r, qualifier, "include", rest, rest_len);
    if (is_mechanism(term, n, "exists"))
        return term_named(r, qualifier, "exists", rest, rest_len);
    if (is_mechanism(term, n, "ptr"))
        return term_ptr(r, qualifier, rest, rest_len);
    return false;
}

char *
spf_record_rewrite(const char *text, const char *current,
                   const SpfSubject *subject, SpfNamer namer, void *data)
{
    size_t len = strlen(text);
    if (len > SPF_RECORD_MAX || !spf_record_is(text))
        return NULL;

    g_autoptr(GString) out = g_string_new("v=spf1");
    Rewrite r = { .current = current,
                  .subject = subject,
                  .namer = namer,
                  .data = data,
                  .out = out };
    bool ok = true;
    for (const char *p = text + 6; ok && *p != '\0';) {
        if (*p == ' ') {
            p++;
            continue;
        }
        size_t n = strcspn(p, " ");
        ok = rewrite_term(&r, p, n);
        p += n;
    }
    if (ok && r.redirect != NULL && !r.all && !r.decided)
        put(&r, '+', "redirect=%s", namer(data, r.redirect, SPF_NAME_PLAIN));
    g_free(r.redirect);
    return ok ? g_strdup(out->str) : NULL;
}
