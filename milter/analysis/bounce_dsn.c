/*
 * bounce_dsn.c - fields of delivery and feedback reports, however damaged
 *
 * RFC 3464 wants one group of fields for the message and one for each
 * recipient, groups parted by a blank line. Real reports lack the blank line,
 * have one too many, misspell names, leave out the address type, put comments
 * and line ends anywhere, or stand in a text part. So a group ends where a
 * recipient is complete and a field comes again that it has already; names are
 * compared by their letters with one slip of the pen allowed.
 */
#include "analysis/bounce_internal.h"

#include <string.h>

enum { FIELD_MAX = 4096, NAME_MAX_LEN = 40 };

typedef enum {
    FIELD_OTHER,
    FIELD_ORIGINAL,
    FIELD_FINAL,
    FIELD_ACTUAL,
    FIELD_ACTION,
    FIELD_STATUS,
    FIELD_DIAGNOSTIC,
    FIELD_EXPLANATION,
    FIELD_REMOTE,
    FIELD_REPORTING,
} DsnField;

/* Letters only; RFC 3464 unless said otherwise. */
static const struct {
    const char *letters;
    DsnField field;
} field_names[] = {
    { "originalrecipient", FIELD_ORIGINAL },
    { "finalrecipient", FIELD_FINAL },
    { "xactualrecipient", FIELD_ACTUAL }, /* Sendmail */
    { "action", FIELD_ACTION },
    { "status", FIELD_STATUS },
    { "diagnosticcode", FIELD_DIAGNOSTIC },
    { "xsupplementaryinfo", FIELD_EXPLANATION }, /* Exchange, Domino */
    { "xdisplayerror", FIELD_EXPLANATION },      /* gateways */
    { "remotemta", FIELD_REMOTE },
    { "reportingmta", FIELD_REPORTING },
};

/* One letter missing, too many, wrong, or two of them swapped. */
static bool
nearly_equal(const char *a, size_t a_len, const char *b, size_t b_len)
{
    size_t i = 0, j = 0;
    while (i < a_len && i < b_len && a[i] == b[i])
        i++;
    while (j < a_len - i && j < b_len - i &&
           a[a_len - 1 - j] == b[b_len - 1 - j])
        j++;
    size_t a_left = a_len - i - j, b_left = b_len - i - j;
    if (a_left <= 1 && b_left <= 1)
        return true;
    return a_left == 2 && b_left == 2 && a[i] == b[i + 1] && a[i + 1] == b[i];
}

static DsnField
field_of(const char *name, size_t len)
{
    char letters[NAME_MAX_LEN] = "";
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        if (g_ascii_isalpha(name[i])) {
            if (n == sizeof letters)
                return FIELD_OTHER;
            letters[n++] = g_ascii_tolower(name[i]);
        }
    }
    for (size_t i = 0; i < G_N_ELEMENTS(field_names); i++) {
        const char *known = field_names[i].letters;
        size_t known_len = strlen(known);
        if (n == known_len && memcmp(letters, known, n) == 0)
            return field_names[i].field;
        if (n >= 5 && known_len >= 6 &&
            nearly_equal(letters, n, known, known_len))
            return field_names[i].field;
    }
    return FIELD_OTHER;
}

/* xtext (RFC 3461, 4): only those characters that had to be encoded, so that
 * a "+20" of the user's own stays. */
static char *
xtext_decode(const char *s, size_t len)
{
    GString *out = g_string_sized_new(len);
    for (size_t i = 0; i < len; i++) {
        if (s[i] == '+' && len - i > 2 &&
            ((s[i + 1] == '2' && s[i + 2] == 'B') ||
             (s[i + 1] == '3' && s[i + 2] == 'D'))) {
            g_string_append_c(out, s[i + 2] == 'B' ? '+' : '=');
            i += 2;
        } else {
            g_string_append_c(out, s[i]);
        }
    }
    return g_string_free(out, FALSE);
}

/* utf-8-addr-xtext and -unitext (RFC 6533, 3): \x{HEX}. */
static char *
unitext_decode(const char *s)
{
    GString *out = g_string_new(NULL);
    while (*s != '\0') {
        if (s[0] == '\\' && s[1] == 'x' && s[2] == '{') {
            gunichar c = 0;
            const char *p = s + 3;
            for (; g_ascii_isxdigit(*p) && c < 0x110000; p++)
                c = c * 16 + (gunichar) g_ascii_xdigit_value(*p);
            if (*p == '}' && c > 0 && g_unichar_validate(c)) {
                g_string_append_unichar(out, c);
                s = p + 1;
                continue;
            }
        }
        g_string_append_c(out, *s++);
    }
    return g_string_free(out, FALSE);
}

char *
dsn_address(const char *value, size_t len)
{
    /* "type;" where there is one; nothing else has a semicolon so early. */
    const char *semicolon = memchr(value, ';', MIN(len, 24));
    if (semicolon != NULL && memchr(value, '@', (size_t) (semicolon - value)))
        semicolon = NULL;
    const char *start = semicolon != NULL ? semicolon + 1 : value;
    g_autofree char *address =
        xtext_decode(start, len - (size_t) (start - value));
    if (strstr(address, "\\x{") != NULL) {
        char *plain = unitext_decode(address);
        g_free(address);
        address = plain;
    }

    size_t n = strlen(address);
    for (size_t at = 0; at < n; at++) {
        Span span;
        /* also passes over the '@' of a source route */
        if (address[at] == '@' && text_address_at(address, n, at, &span))
            return g_strndup(address + span.start, span.end - span.start);
    }
    return NULL;
}

void
dsn_recipient_clear(gpointer recipient)
{
    DsnRecipient *r = recipient;
    g_free(r->original);
    g_free(r->final);
    g_free(r->actual);
    g_free(r->remote);
    g_free(r->diagnostic);
}

static bool
names_someone(const DsnRecipient *r)
{
    return r->original != NULL || r->final != NULL;
}

static void
finish_group(DsnRecipient *group, GArray *recipients)
{
    if (names_someone(group) && recipients->len < BOUNCE_MAX_RECIPIENTS)
        g_array_append_vals(recipients, group, 1);
    else
        dsn_recipient_clear(group);
    *group = (DsnRecipient){ 0 };
}

static void
set_action(DsnRecipient *group, const char *value, size_t len)
{
    static const struct {
        const char *word;
        DsnAction action;
    } actions[] = {
        { "fail", ACTION_FAILED },       { "bounce", ACTION_FAILED },
        { "permanent", ACTION_FAILED },  { "undeliver", ACTION_FAILED },
        { "delay", ACTION_DELAYED },     { "deferred", ACTION_DELAYED },
        { "transient", ACTION_DELAYED }, { "deliver", ACTION_DELIVERED },
        { "relay", ACTION_DELIVERED },   { "expand", ACTION_DELIVERED },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(actions); i++) {
        size_t n = strlen(actions[i].word);
        if (len >= n && g_ascii_strncasecmp(value, actions[i].word, n) == 0) {
            group->action = actions[i].action;
            return;
        }
    }
}

/* "5.1.1 (comment)", also "(5.1.1)" and "5.1.1;" */
static void
set_status(DsnRecipient *group, const char *value, size_t len)
{
    size_t i = 0;
    while (i < len && !g_ascii_isdigit(value[i]))
        i++;
    size_t n = 0, dots = 0;
    while (i + n < len && n < sizeof group->status - 1 &&
           (g_ascii_isdigit(value[i + n]) || value[i + n] == '.')) {
        dots += value[i + n] == '.';
        n++;
    }
    if (n < 5 || dots != 2 || value[i + 1] != '.' ||
        strchr("245", value[i]) == NULL)
        return;
    memcpy(group->status, value + i, n);
    group->status[n] = '\0';
}

static void
take_field(DsnField field, const char *value, size_t len, DsnRecipient *group,
           GArray *recipients)
{
    /* A field that this group has already begins the next one. */
    bool again = (field == FIELD_ORIGINAL && group->original != NULL) ||
                 (field == FIELD_FINAL && group->final != NULL) ||
                 (field == FIELD_ACTION && group->action != ACTION_NONE) ||
                 (field == FIELD_STATUS && group->status[0] != '\0');
    if (again && names_someone(group))
        finish_group(group, recipients);

    switch (field) {
    case FIELD_ORIGINAL:
        g_free(group->original);
        group->original = dsn_address(value, len);
        break;
    case FIELD_FINAL:
        g_free(group->final);
        group->final = dsn_address(value, len);
        break;
    case FIELD_ACTUAL:
        g_free(group->actual);
        group->actual = dsn_address(value, len);
        break;
    case FIELD_ACTION:
        set_action(group, value, len);
        break;
    case FIELD_STATUS:
        /* The comment often says more than the code. */
        set_status(group, value, len);
        /* fall through */
    case FIELD_DIAGNOSTIC:
    case FIELD_EXPLANATION: {
        if (field == FIELD_STATUS && memchr(value, '(', len) == NULL)
            break;
        char *before = group->diagnostic;
        /* Servers write it once or twice; who writes it a thousand times
         * would have it copied as often. */
        if (before != NULL && strlen(before) >= FIELD_MAX)
            break;
        size_t skip = 0;
        const char *semicolon = memchr(value, ';', MIN(len, 12));
        if (field == FIELD_DIAGNOSTIC && semicolon != NULL)
            skip = (size_t) (semicolon + 1 - value);
        group->diagnostic =
            field == FIELD_DIAGNOSTIC
                ? g_strdup_printf("%.*s%s%s", (int) (len - skip), value + skip,
                                  before ? "\n" : "", before ? before : "")
                : g_strdup_printf("%s%s%.*s", before ? before : "",
                                  before ? "\n" : "", (int) len, value);
        g_free(before);
        break;
    }
    case FIELD_REMOTE:
        g_free(group->remote);
        group->remote = g_strndup(value, len);
        break;
    case FIELD_REPORTING:
    case FIELD_OTHER:
        break;
    }
}

bool
dsn_parse(const char *text, size_t len, GArray *recipients)
{
    unsigned before = recipients->len;
    DsnRecipient group = { 0 };
    char value[FIELD_MAX];

    for (size_t at = 0; at < len;) {
        const char *line = text + at;
        const char *nl = memchr(line, '\n', len - at);
        size_t line_len = nl != NULL ? (size_t) (nl - line) : len - at;
        at += line_len + 1;

        size_t name_len = 0;
        while (name_len < line_len && line[name_len] != ':' &&
               name_len < NAME_MAX_LEN)
            name_len++;
        if (line_len == 0 || !g_ascii_isalpha(line[0]) ||
            name_len == line_len || line[name_len] != ':') {
            if (line_len == 0 && names_someone(&group) &&
                (group.action != ACTION_NONE || group.status[0] != '\0' ||
                 group.diagnostic != NULL))
                finish_group(&group, recipients);
            continue;
        }
        DsnField field = field_of(line, name_len);

        /* The value with its continuation lines, blanks trimmed. */
        size_t n = 0;
        const char *part = line + name_len + 1;
        size_t part_len = line_len - name_len - 1;
        for (;;) {
            while (part_len > 0 && g_ascii_isspace(*part)) {
                part++;
                part_len--;
            }
            while (part_len > 0 && g_ascii_isspace(part[part_len - 1]))
                part_len--;
            if (n > 0 && n < sizeof value)
                value[n++] = ' ';
            size_t room = MIN(part_len, sizeof value - n);
            memcpy(value + n, part, room);
            n += room;
            if (at >= len || (text[at] != ' ' && text[at] != '\t'))
                break;
            part = text + at;
            nl = memchr(part, '\n', len - at);
            part_len = nl != NULL ? (size_t) (nl - part) : len - at;
            at += part_len + 1;
        }
        if (field != FIELD_OTHER)
            take_field(field, value, n, &group, recipients);
    }
    finish_group(&group, recipients);
    return recipients->len > before;
}

void
feedback_parse(const char *text, size_t len, FeedbackReport *report)
{
    for (size_t at = 0; at < len;) {
        const char *line = text + at;
        const char *nl = memchr(line, '\n', len - at);
        size_t line_len = nl != NULL ? (size_t) (nl - line) : len - at;
        at += line_len + 1;

        const char *colon = memchr(line, ':', line_len);
        if (colon == NULL)
            continue;
        size_t name_len = (size_t) (colon - line);
        const char *value = colon + 1;
        size_t value_len = line_len - name_len - 1;
        while (value_len > 0 && g_ascii_isspace(*value)) {
            value++;
            value_len--;
        }
        static const char *const recipient_names[] = {
            "Original-Rcpt-To", "Removal-Recipient", "Original-Recipient",
            "X-HmXmrOriginalRecipient"
        };
        if (name_len == strlen("Feedback-Type") &&
            g_ascii_strncasecmp(line, "Feedback-Type", name_len) == 0) {
            size_t n = 0;
            while (n < value_len && n < sizeof report->type - 1 &&
                   !g_ascii_isspace(value[n]) && value[n] != ';') {
                report->type[n] = g_ascii_tolower(value[n]);
                n++;
            }
            report->type[n] = '\0';
            continue;
        }
        for (size_t i = 0; i < G_N_ELEMENTS(recipient_names); i++) {
            if (name_len != strlen(recipient_names[i]) ||
                g_ascii_strncasecmp(line, recipient_names[i], name_len) != 0)
                continue;
            char *address = dsn_address(value, value_len);
            if (address != NULL &&
                report->recipients->len < BOUNCE_MAX_RECIPIENTS)
                g_ptr_array_add(report->recipients, address);
            else
                g_free(address);
        }
    }
}
