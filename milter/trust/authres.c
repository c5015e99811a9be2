/*
 * authres.c - see authres.h
 *
 * A hand-written scanner over pointer and length, following the ABNF of
 * RFC 8601, section 2.2:
 *
 *     authres-payload = [CFWS] authserv-id [CFWS authres-version]
 *                       (no-result / 1*resinfo) [CFWS] CRLF
 *     resinfo         = [CFWS] ";" methodspec [CFWS reasonspec]
 *                       [CFWS 1*propspec]
 *
 * What real senders do beyond it is allowed where it cannot be misread: a
 * final ";", white space without need of CFWS, and property values with
 * characters that a token may not have (d=example.org/x, addresses, IPv6
 * literals). A field with anything else is refused as a whole, for half a
 * field may say the opposite of the whole.
 *
 * Each byte is passed once; comments nest to a fixed depth without recursion.
 */
#include "trust/authres.h"

#include <string.h>

typedef struct {
    const char *p;
    const char *end;
    bool bad;
    char **comment; /* where the next comment's text goes if still NULL */
} Scanner;

static void
property_clear(gpointer data)
{
    AuthProperty *property = data;
    g_free(property->ptype);
    g_free(property->property);
    g_free(property->value);
}

static void
result_clear(gpointer data)
{
    AuthResult *result = data;
    g_free(result->method);
    g_free(result->result);
    g_free(result->reason);
    g_free(result->comment);
    if (result->properties != NULL)
        g_array_unref(result->properties);
}

void
authres_free(AuthRes *authres)
{
    if (authres == NULL)
        return;
    g_free(authres->authserv_id);
    g_array_unref(authres->results);
    g_free(authres);
}

static bool
at_end(const Scanner *s)
{
    return s->p >= s->end;
}

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Text that goes to a log and into comparisons: no controls, valid UTF-8. */
static char *
clean(const char *text, size_t len)
{
    char *copy = g_utf8_make_valid(text, (gssize) len);
    for (char *c = copy; *c != '\0'; c++)
        if ((unsigned char) *c < ' ' || *c == 0x7f)
            *c = ' ';
    return copy;
}

/* One comment, the scanner standing on its "(" (RFC 5322, 3.2.2). */
static void
skip_comment(Scanner *s)
{
    const char *start = ++s->p;
    unsigned depth = 1;
    while (!at_end(s)) {
        char c = *s->p++;
        if (c == '\\') {
            if (!at_end(s))
                s->p++;
        } else if (c == '(') {
            if (++depth > AUTHRES_MAX_COMMENT_DEPTH)
                break;
        } else if (c == ')' && --depth == 0) {
            if (s->comment != NULL && *s->comment == NULL)
                *s->comment = clean(start, (size_t) (s->p - 1 - start));
            return;
        }
    }
    s->bad = true;
}

/* CFWS; true when there was any. */
static bool
skip_cfws(Scanner *s)
{
    const char *start = s->p;
    while (!at_end(s) && !s->bad) {
        if (is_blank(*s->p))
            s->p++;
        else if (*s->p == '(')
            skip_comment(s);
        else
            break;
    }
    return s->p != start;
}

/* RFC 2045 token characters. */
static bool
is_token_char(char c)
{
    return (unsigned char) c > ' ' && (unsigned char) c < 0x7f &&
           strchr("()<>@,;:\\\"/[]?=", c) == NULL;
}

/* Keyword, as method and result names are: letters, digits, inner hyphens. An
 * underscore and a dot occur ("x-ms.y", "policy.dmarc_rule"). */
static bool
is_word_char(char c)
{
    return g_ascii_isalnum(c) || c == '-' || c == '_';
}

static char *
take_word(Scanner *s)
{
    const char *start = s->p;
    while (!at_end(s) && is_word_char(*s->p))
        s->p++;
    if (s->p == start) {
        s->bad = true;
        return NULL;
    }
    return g_ascii_strdown(start, (gssize) (s->p - start));
}

static char *
take_quoted(Scanner *s)
{
    GString *text = g_string_new(NULL);
    s->p++;
    while (!at_end(s)) {
        char c = *s->p++;
        if (c == '"') {
            char *result = clean(text->str, text->len);
            g_string_free(text, TRUE);
            return result;
        }
        if (c == '\\') {
            if (at_end(s))
                break;
            c = *s->p++;
        }
        if (c != '\r' && c != '\n' && c != '\0')
            g_string_append_c(text, c);
    }
    g_string_free(text, TRUE);
    s->bad = true;
    return NULL;
}

/* value = token / quoted-string. UTF-8 is allowed in tokens (RFC 8601, 5.3,
 * for internationalised mail). */
static char *
take_value(Scanner *s)
{
    if (!at_end(s) && *s->p == '"')
        return take_quoted(s);
    const char *start = s->p;
    while (!at_end(s) && (is_token_char(*s->p) || (*s->p & 0x80) != 0))
        s->p++;
    if (s->p == start) {
        s->bad = true;
        return NULL;
    }
    return clean(start, (size_t) (s->p - start));
}

/* pvalue = value / [ [local-part] "@" ] domain-name, and what is in use:
 * anything up to white space, ";" or "(" that is not a control. */
static char *
take_pvalue(Scanner *s)
{
    const char *start = s->p;
    bool quoted = !at_end(s) && *s->p == '"';
    if (quoted) {
        char *text = take_quoted(s);
        /* A quoted local-part goes on with "@domain". */
        if (text == NULL || at_end(s) || *s->p != '@')
            return text;
        g_free(text);
    }
    while (!at_end(s) && !is_blank(*s->p) && *s->p != ';' && *s->p != '(' &&
           *s->p != '"')
        s->p++;
    return clean(start, (size_t) (s->p - start));
}

static bool
take_number(Scanner *s, unsigned max, unsigned *out_number)
{
    unsigned number = 0;
    const char *start = s->p;
    while (!at_end(s) && g_ascii_isdigit(*s->p)) {
        number = number * 10 + (unsigned) (*s->p++ - '0');
        if (number > max) {
            s->bad = true;
            return false;
        }
    }
    if (s->p == start) {
        s->bad = true;
        return false;
    }
    *out_number = number;
    return true;
}

static bool
take_char(Scanner *s, char c)
{
    if (at_end(s) || *s->p != c)
        return false;
    s->p++;
    return true;
}

/* [CFWS] "=" [CFWS] */
static void
expect_equals(Scanner *s)
{
    skip_cfws(s);
    if (!take_char(s, '='))
        s->bad = true;
    skip_cfws(s);
}

/* propspec = ptype [CFWS] "." [CFWS] property [CFWS] "=" pvalue, or
 * "reason" [CFWS] "=" [CFWS] value, which is allowed to stand anywhere among
 * them. */
static void
take_property(Scanner *s, AuthResult *result)
{
    AuthProperty property = { .ptype = take_word(s) };
    if (s->bad) {
        property_clear(&property);
        return;
    }
    skip_cfws(s);
    if (take_char(s, '.')) {
        skip_cfws(s);
        property.property = take_word(s);
        if (!s->bad)
            expect_equals(s);
        if (!s->bad)
            property.value = take_pvalue(s);
        if (s->bad || result->properties->len >= AUTHRES_MAX_PROPERTIES) {
            s->bad = true;
            property_clear(&property);
            return;
        }
        g_array_append_val(result->properties, property);
        return;
    }

    bool reason = strcmp(property.ptype, "reason") == 0;
    /* "action=none", "x=y" of some products: read and dropped. */
    expect_equals(s);
    char *value = s->bad ? NULL : take_pvalue(s);
    if (reason && value != NULL && result->reason == NULL)
        result->reason = g_steal_pointer(&value);
    g_free(value);
    property_clear(&property);
}

/* methodspec = [CFWS] method [CFWS] "=" [CFWS] result
 * method     = Keyword [ [CFWS] "/" [CFWS] method-version ] */
static void
take_result(Scanner *s, AuthRes *authres)
{
    AuthResult result = { .version = 1 };
    result.properties = g_array_new(FALSE, FALSE, sizeof(AuthProperty));
    g_array_set_clear_func(result.properties, property_clear);

    result.method = take_word(s);
    if (!s->bad) {
        skip_cfws(s);
        if (take_char(s, '/')) {
            skip_cfws(s);
            take_number(s, 9999, &result.version);
        }
    }
    if (!s->bad)
        expect_equals(s);
    if (!s->bad)
        result.result = take_word(s);

    s->comment = &result.comment;
    while (!s->bad) {
        bool space = skip_cfws(s);
        if (s->bad || at_end(s) || *s->p == ';')
            break;
        if (!space) {
            s->bad = true;
            break;
        }
        take_property(s, &result);
    }
    s->comment = NULL;

    if (s->bad || authres->results->len >= AUTHRES_MAX_RESULTS) {
        s->bad = true;
        result_clear(&result);
        return;
    }
    g_array_append_val(authres->results, result);
}

/* no-result = [CFWS] ";" [CFWS] "none" [CFWS] */
static bool
take_none(Scanner *s)
{
    Scanner ahead = *s;
    ahead.comment = NULL;
    if (ahead.end - ahead.p < 4 || g_ascii_strncasecmp(ahead.p, "none", 4) != 0)
        return false;
    ahead.p += 4;
    skip_cfws(&ahead);
    take_char(&ahead, ';');
    skip_cfws(&ahead);
    if (ahead.bad || !at_end(&ahead))
        return false;
    *s = ahead;
    return true;
}

AuthRes *
authres_parse(const char *body, size_t len, bool arc)
{
    if (len > AUTHRES_MAX_BYTES || memchr(body, '\0', len) != NULL)
        return NULL;

    g_autoptr(AuthRes) authres = g_new0(AuthRes, 1);
    authres->version = 1;
    authres->results = g_array_new(FALSE, FALSE, sizeof(AuthResult));
    g_array_set_clear_func(authres->results, result_clear);

    Scanner s = { .p = body, .end = body + len };
    skip_cfws(&s);
    if (arc) {
        /* instance = [CFWS] %s"i" [CFWS] "=" [CFWS] 1*2DIGIT [CFWS] ";" */
        if (s.bad || !(take_char(&s, 'i') || take_char(&s, 'I')))
            return NULL;
        expect_equals(&s);
        if (s.bad || !take_number(&s, ARC_MAX_INSTANCE, &authres->instance) ||
            authres->instance == 0)
            return NULL;
        skip_cfws(&s);
        if (s.bad || !take_char(&s, ';'))
            return NULL;
        skip_cfws(&s);
    }
    if (s.bad)
        return NULL;
    authres->authserv_id = take_value(&s);
    if (s.bad)
        return NULL;

    skip_cfws(&s);
    if (!s.bad && !at_end(&s) && g_ascii_isdigit(*s.p)) {
        take_number(&s, 9999, &authres->version);
        skip_cfws(&s);
    }
    /* An authserv-id alone says nothing, and some write it so. */
    if (!s.bad && at_end(&s)) {
        authres->none = true;
        return g_steal_pointer(&authres);
    }

    while (!s.bad && !at_end(&s)) {
        if (!take_char(&s, ';'))
            return NULL;
        skip_cfws(&s);
        if (s.bad || at_end(&s))
            break; /* a final ";" */
        if (authres->results->len == 0 && take_none(&s)) {
            authres->none = true;
            break;
        }
        take_result(&s, authres);
    }
    return s.bad ? NULL : g_steal_pointer(&authres);
}

const char *
authres_property(const AuthResult *result, const char *ptype,
                 const char *property)
{
    for (unsigned i = 0; i < result->properties->len; i++) {
        const AuthProperty *p =
            &g_array_index(result->properties, AuthProperty, i);
        if (strcmp(p->ptype, ptype) == 0 && strcmp(p->property, property) == 0)
            return p->value;
    }
    return NULL;
}

void
arc_seal_clear(ArcSeal *seal)
{
    g_free(seal->domain);
    *seal = (ArcSeal){ 0 };
}

/* A DKIM tag-list (RFC 6376, 3.2); white space anywhere around and within
 * values. A tag that occurs twice makes the whole list invalid. */
bool
arc_seal_parse(const char *body, size_t len, ArcSeal *out_seal)
{
    if (len > AUTHRES_MAX_BYTES || memchr(body, '\0', len) != NULL)
        return false;

    ArcSeal seal = { 0 };
    bool ok = true, signature = false;
    const char *end = body + len;
    for (const char *p = body; ok && p < end;) {
        const char *stop = memchr(p, ';', (size_t) (end - p));
        if (stop == NULL)
            stop = end;
        while (p < stop && is_blank(*p))
            p++;
        const char *equals = memchr(p, '=', (size_t) (stop - p));
        if (equals == NULL) {
            ok = p == stop; /* an empty tag-spec: a final ";" */
            p = stop < end ? stop + 1 : end;
            continue;
        }
        const char *name_end = equals;
        while (name_end > p && is_blank(name_end[-1]))
            name_end--;
        size_t name_len = (size_t) (name_end - p);
        g_autofree char *value =
            g_strndup(equals + 1, (size_t) (stop - equals - 1));
        g_strstrip(value);

        if (name_len == 1 && *p == 'i') {
            Scanner s = { .p = value, .end = value + strlen(value) };
            ok = seal.instance == 0 &&
                 take_number(&s, ARC_MAX_INSTANCE, &seal.instance) &&
                 at_end(&s) && seal.instance > 0;
        } else if (name_len == 1 && *p == 'd') {
            ok = seal.domain == NULL && *value != '\0';
            if (ok)
                seal.domain = clean(value, strlen(value));
        } else if (name_len == 2 && strncmp(p, "cv", 2) == 0) {
            ok = seal.cv == 0 && (g_ascii_strcasecmp(value, "none") == 0 ||
                                  g_ascii_strcasecmp(value, "pass") == 0 ||
                                  g_ascii_strcasecmp(value, "fail") == 0);
            seal.cv = g_ascii_tolower(*value);
        } else if (name_len == 1 && *p == 'b') {
            ok = !signature;
            signature = true;
        }
        p = stop < end ? stop + 1 : end;
    }
    if (!ok || seal.instance == 0 || seal.domain == NULL || seal.cv == 0) {
        arc_seal_clear(&seal);
        return false;
    }
    *out_seal = seal;
    return true;
}
