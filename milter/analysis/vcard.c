/*
 * vcard.c - a tolerant reader of the properties that we use
 *
 * Lines are unfolded (a line break followed by a blank; in 2.1 also a soft
 * break of quoted-printable), then name, parameters and value are taken apart.
 * The versions differ in escapes and encodings only; what a card claims to be
 * is not checked. Charsets other than UTF-8 in a 2.1 card are converted.
 */
#include "analysis/vcard.h"

#include <string.h>

typedef struct {
    char name[32];
    char *parameters; /* upper case, ';'-separated, with a leading ';' */
    char *value;      /* raw */
} Property;

/* The next logical line; NULL at the end. *at moves on. */
static char *
next_line(const char *text, size_t len, size_t *at)
{
    if (*at >= len)
        return NULL;
    GString *line = g_string_new(NULL);
    bool quoted = false, first = true;
    for (;;) {
        size_t end = *at;
        while (end < len && text[end] != '\n')
            end++;
        size_t n = end - *at;
        if (n > 0 && text[*at + n - 1] == '\r')
            n--;
        if (line->len + n <= VCARD_MAX_BYTES)
            g_string_append_len(line, text + *at, (gssize) n);
        *at = end < len ? end + 1 : len;
        if (first) {
            const char *colon = strchr(line->str, ':');
            g_autofree char *head =
                colon != NULL ? g_ascii_strup(line->str, colon - line->str)
                              : NULL;
            quoted = head != NULL && strstr(head, "QUOTED-PRINTABLE") != NULL;
            first = false;
        }
        if (*at >= len)
            break;
        if (quoted && line->len > 0 && line->str[line->len - 1] == '=') {
            g_string_truncate(line, line->len - 1);
            if (text[*at] == ' ' || text[*at] == '\t') {
                /* both kinds of folding at once */
                g_string_append_c(line, ' ');
                (*at)++;
            }
            continue;
        }
        if (text[*at] == ' ' || text[*at] == '\t') {
            (*at)++;
            continue;
        }
        break;
    }
    return g_string_free(line, FALSE);
}

static bool
split_property(const char *line, Property *out)
{
    /* the colon outside of quoted parameter values */
    const char *colon = NULL;
    bool quote = false;
    for (const char *p = line; *p != '\0'; p++) {
        if (*p == '"')
            quote = !quote;
        else if (*p == ':' && !quote) {
            colon = p;
            break;
        }
    }
    if (colon == NULL)
        return false;
    size_t head = (size_t) (colon - line);
    const char *semicolon = memchr(line, ';', head);
    size_t name = semicolon != NULL ? (size_t) (semicolon - line) : head;
    const char *start = line;
    const char *dot = memchr(line, '.', name); /* group: "item1.TEL" */
    if (dot != NULL) {
        name -= (size_t) (dot + 1 - line);
        start = dot + 1;
    }
    if (name == 0 || name >= sizeof out->name)
        return false;
    for (size_t i = 0; i < name; i++)
        out->name[i] = g_ascii_toupper(start[i]);
    out->name[name] = '\0';
    out->parameters = semicolon != NULL
                          ? g_ascii_strup(semicolon, colon - semicolon)
                          : g_strdup("");
    out->value = g_strdup(colon + 1);
    return true;
}

static char *
decode_quoted_printable(const char *text)
{
    GString *out = g_string_new(NULL);
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '=' && g_ascii_isxdigit(p[1]) && g_ascii_isxdigit(p[2])) {
            char c = (char) (g_ascii_xdigit_value(p[1]) * 16 +
                             g_ascii_xdigit_value(p[2]));
            g_string_append_c(out, c == '\0' ? ' ' : c);
            p += 2;
        } else if (*p != '=' || p[1] != '\0') {
            g_string_append_c(out, *p);
        }
    }
    return g_string_free(out, FALSE);
}

static char *
decoded_value(const Property *property)
{
    g_autofree char *value = NULL;
    if (strstr(property->parameters, "QUOTED-PRINTABLE") != NULL)
        value = decode_quoted_printable(property->value);
    else
        value = g_strdup(property->value);
    const char *charset = strstr(property->parameters, ";CHARSET=");
    if (charset != NULL && !g_utf8_validate(value, -1, NULL)) {
        charset += strlen(";CHARSET=");
        g_autofree char *name = g_strndup(charset, strcspn(charset, ";"));
        char *converted = g_convert(value, -1, "UTF-8", name, NULL, NULL, NULL);
        if (converted != NULL) {
            g_free(value);
            value = converted;
        }
    }
    return g_utf8_make_valid(value, -1);
}

/* One component of a structured value, unescaped; NULL when empty. */
static char *
component(const char *value, size_t index)
{
    GString *out = g_string_new(NULL);
    size_t at = 0;
    for (const char *p = value; *p != '\0'; p++) {
        if (*p == '\\' && p[1] != '\0') {
            p++;
            if (at == index)
                g_string_append_c(out, *p == 'n' || *p == 'N' ? ' ' : *p);
            continue;
        }
        if (*p == ';') {
            if (++at > index)
                break;
            continue;
        }
        if (at == index)
            g_string_append_c(out, g_ascii_iscntrl(*p) ? ' ' : *p);
    }
    if (out->len > VCARD_MAX_VALUE)
        g_string_truncate(out, 0);
    char *text = g_strstrip(g_string_free(out, FALSE));
    if (*text == '\0')
        g_clear_pointer(&text, g_free);
    return text;
}

/* A value that is not structured: semicolons stay. */
static char *
whole(const char *value)
{
    GString *out = g_string_new(NULL);
    for (const char *p = value; *p != '\0'; p++) {
        if (*p == '\\' && p[1] != '\0') {
            p++;
            g_string_append_c(out, *p == 'n' || *p == 'N' ? ' ' : *p);
        } else {
            g_string_append_c(out, g_ascii_iscntrl(*p) ? ' ' : *p);
        }
    }
    if (out->len > VCARD_MAX_VALUE)
        g_string_truncate(out, 0);
    char *text = g_strstrip(g_string_free(out, FALSE));
    if (*text == '\0')
        g_clear_pointer(&text, g_free);
    return text;
}

/* Takes ownership of `value`; keeps the first. */
static void
keep(char **field, char *value)
{
    if (*field == NULL)
        *field = value;
    else
        g_free(value);
}

static void
read_phone(VCard *card, const Property *property, const char *value)
{
    if (card->n_phones == VCARD_MAX_VALUES)
        return;
    char *number = component(value, 0); /* RFC 3966: "tel:...;ext=1" */
    if (number == NULL)
        return;
    const char *p = property->parameters;
    PhoneType type = PHONE_WORK;
    bool typed = true;
    if (strstr(p, "FAX") != NULL)
        type = PHONE_FAX;
    else if (strstr(p, "CELL") != NULL || strstr(p, "MOBILE") != NULL ||
             strstr(p, "IPHONE") != NULL)
        type = PHONE_MOBILE;
    else if (strstr(p, "WORK") != NULL)
        type = PHONE_WORK;
    else if (strstr(p, "HOME") != NULL)
        type = PHONE_HOME;
    else if (strstr(p, "PAGER") != NULL || strstr(p, "MODEM") != NULL)
        type = PHONE_OTHER;
    else
        typed = false;
    if (g_ascii_strncasecmp(number, "tel:", 4) == 0)
        memmove(number, number + 4, strlen(number + 4) + 1);
    card->phones[card->n_phones].number = number;
    card->phones[card->n_phones].type = type;
    card->phones[card->n_phones].typed = typed;
    card->n_phones++;
}

static void
read_address(VCard *card, const char *value)
{
    if (card->address != NULL)
        return;
    GString *text = g_string_new(NULL);
    /* box; extended; street; city; region; code; country */
    char *fields[7];
    for (size_t i = 0; i < 7; i++)
        fields[i] = component(value, i);
    for (size_t i = 0; i < 7; i++) {
        if (fields[i] == NULL)
            continue;
        if (text->len > 0)
            g_string_append(text, i == 5 ? " " : ", ");
        g_string_append(text, fields[i]);
    }
    if (text->len == 0) {
        g_string_free(text, TRUE);
        return;
    }
    card->address = g_string_free(text, FALSE);
    const char *street = fields[2] != NULL ? fields[2] : fields[1];
    card->parts.line1 = g_strdup(street != NULL ? street : fields[0]);
    if (fields[2] != NULL && fields[1] != NULL)
        card->parts.line2 = g_strdup(fields[1]);
    card->parts.city = g_strdup(fields[3]);
    card->parts.state = g_strdup(fields[4]);
    card->parts.postal_code = g_strdup(fields[5]);
    /* the country's name; its code is the caller's to find */
    card->parts.country = g_strdup(fields[6]);
    for (size_t i = 0; i < 7; i++)
        g_free(fields[i]);
}

static void
read_property(VCard *card, const Property *property)
{
    if (strstr(property->parameters, "BASE64") != NULL ||
        strstr(property->parameters, "ENCODING=B") != NULL)
        return;
    const char *name = property->name;
    static const char *const used[] = { "N",     "FN",  "ORG",
                                        "TITLE", "TEL", "EMAIL",
                                        "URL",   "ADR", "X-SOCIALPROFILE",
                                        "ROLE" };
    bool wanted = false;
    for (size_t i = 0; i < G_N_ELEMENTS(used); i++)
        wanted |= strcmp(name, used[i]) == 0;
    if (!wanted)
        return;
    g_autofree char *value = decoded_value(property);
    if (strcmp(name, "N") == 0) {
        keep(&card->last, component(value, 0));
        keep(&card->first, component(value, 1));
    } else if (strcmp(name, "FN") == 0) {
        keep(&card->full, whole(value));
    } else if (strcmp(name, "ORG") == 0) {
        keep(&card->company, component(value, 0));
    } else if (strcmp(name, "TITLE") == 0 || strcmp(name, "ROLE") == 0) {
        keep(&card->title, whole(value));
    } else if (strcmp(name, "TEL") == 0) {
        read_phone(card, property, value);
    } else if (strcmp(name, "EMAIL") == 0) {
        char *email = whole(value);
        if (email != NULL && card->n_emails < VCARD_MAX_VALUES)
            card->emails[card->n_emails++] = email;
        else
            g_free(email);
    } else if (strcmp(name, "URL") == 0 ||
               strcmp(name, "X-SOCIALPROFILE") == 0) {
        char *url = whole(value);
        if (url != NULL && card->n_links < VCARD_MAX_VALUES)
            card->links[card->n_links++] = url;
        else
            g_free(url);
    } else if (strcmp(name, "ADR") == 0) {
        read_address(card, value);
    }
}

VCard *
vcard_parse(const char *text, size_t len)
{
    if (text == NULL || len == 0)
        return NULL;
    if (len > VCARD_MAX_BYTES)
        len = VCARD_MAX_BYTES;
    g_autoptr(VCard) card = g_new0(VCard, 1);
    size_t at = 0;
    unsigned depth = 0;
    bool any = false;
    for (;;) {
        g_autofree char *line = next_line(text, len, &at);
        if (line == NULL)
            break;
        Property property = { 0 };
        if (!split_property(line, &property))
            continue;
        bool card_mark = g_ascii_strncasecmp(property.value, "VCARD", 5) == 0;
        if (strcmp(property.name, "BEGIN") == 0 && card_mark)
            depth++;
        else if (strcmp(property.name, "END") == 0 && card_mark)
            depth = depth > 0 ? depth - 1 : 0;
        else if (depth == 1) /* not an AGENT's card inside */
            read_property(card, &property);
        any |= depth > 0;
        bool end = any && depth == 0;
        g_free(property.parameters);
        g_free(property.value);
        if (end)
            break;
    }
    return any ? g_steal_pointer(&card) : NULL;
}

void
vcard_free(VCard *card)
{
    if (card == NULL)
        return;
    g_free(card->first);
    g_free(card->last);
    g_free(card->full);
    g_free(card->title);
    g_free(card->company);
    g_free(card->website);
    g_free(card->address);
    g_free(card->parts.line1);
    g_free(card->parts.line2);
    g_free(card->parts.line3);
    g_free(card->parts.line4);
    g_free(card->parts.city);
    g_free(card->parts.state);
    g_free(card->parts.postal_code);
    g_free(card->parts.country);
    for (size_t i = 0; i < card->n_emails; i++)
        g_free(card->emails[i]);
    for (size_t i = 0; i < card->n_phones; i++)
        g_free(card->phones[i].number);
    for (size_t i = 0; i < card->n_links; i++)
        g_free(card->links[i]);
    g_free(card);
}
