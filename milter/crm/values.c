/*
 * values.c - texts, phone numbers, dates, addresses and options
 *
 * Comparing is generous and sending is strict: "+61 2 5550 1234" in the CRM is
 * the +61255501234 of a signature, so nothing is sent; but a select field gets
 * exactly the spelling of its option.
 */
#include "crm/values.h"

#include <string.h>

/* --- texts --------------------------------------------------------------- */

static char *
fold(const char *text, bool keep_marks)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    g_autofree char *plain = g_utf8_normalize(valid, -1, G_NORMALIZE_NFKD);
    g_autofree char *lower = g_utf8_casefold(plain != NULL ? plain : "", -1);
    g_autoptr(GString) out = g_string_new(NULL);
    bool gap = false;
    for (const char *p = lower; *p != '\0'; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        bool word =
            g_unichar_isalnum(c) || (keep_marks && g_unichar_isgraph(c));
        if (word) {
            if (gap && out->len > 0)
                g_string_append_c(out, ' ');
            gap = false;
            g_string_append_unichar(out, c);
        } else if (c != '\'' && c != 0x2019 && c != '.' &&
                   !g_unichar_ismark(c)) {
            gap = true;
        }
    }
    return g_string_free(g_steal_pointer(&out), FALSE);
}

char *
value_fold(const char *text)
{
    return fold(text, false);
}

/* Legal forms, folded; words at the end of a name, one by one. */
static bool
is_legal_form(const char *word)
{
    static const char *const forms[] = {
        "ab",           "ag",   "aps", "as",   "asa",         "bhd",
        "bv",           "bvba", "co",  "corp", "corporation", "company",
        "ek",           "eg",   "ev",  "gbr",  "gmbh",        "inc",
        "incorporated", "kft",  "kg",  "kgaa", "kk",          "limited",
        "llc",          "llp",  "lp",  "ltd",  "ltda",        "mbh",
        "nl",           "nv",   "ohg", "oy",   "oyj",         "plc",
        "proprietary",  "pte",  "pty", "pvt",  "sa",          "sarl",
        "sas",          "sdn",  "se",  "sl",   "slu",         "spa",
        "spol",         "sprl", "srl", "sro",  "ug",          "zoo",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(forms); i++)
        if (strcmp(forms[i], word) == 0)
            return true;
    return false;
}

char *
value_fold_company(const char *name)
{
    g_autofree char *folded = value_fold(name);
    size_t length = strlen(folded);
    for (;;) {
        char *space = strrchr(folded, ' ');
        if (space == NULL || !is_legal_form(space + 1))
            break;
        *space = '\0';
        length = (size_t) (space - folded);
    }
    return g_strndup(folded, length);
}

char *
value_company_core(const char *name)
{
    g_autofree char *valid = g_utf8_make_valid(name, -1);
    char *core = g_strstrip(g_strdup(valid));
    for (;;) {
        char *space = strrchr(core, ' ');
        if (space == NULL)
            return core;
        g_autofree char *word = value_fold(space + 1);
        if (word[0] != '\0' && !is_legal_form(word))
            return core;
        *space = '\0';
        g_strchomp(core);
        size_t length = strlen(core);
        if (length > 0 && core[length - 1] == ',')
            core[length - 1] = '\0';
    }
}

/* --- sameness ------------------------------------------------------------ */

/* The digits of a number as it is dialled from abroad or at home: without 00,
 * 0 or (0) in front, and without extension. */
static void
phone_digits(const char *text, char *out, size_t size)
{
    const char *zero = strstr(text, "(0)");
    size_t length = 0;
    bool plus = false;
    for (const char *p = text; *p != '\0' && length + 1 < size; p++) {
        if (p == zero && length > 0) {
            p += 2;
            continue;
        }
        if (g_ascii_isalpha(*p) || *p == ';' || *p == '#')
            break;
        plus = plus || (*p == '+' && length == 0);
        if (g_ascii_isdigit(*p) && (length > 0 || plus || *p != '0'))
            out[length++] = *p;
    }
    out[length] = '\0';
}

static bool
same_phone(const char *a, const char *b)
{
    char one[40], two[40];
    phone_digits(a, one, sizeof one);
    phone_digits(b, two, sizeof two);
    const char *longer = one, *shorter = two;
    if (strlen(one) < strlen(two)) {
        longer = two;
        shorter = one;
    }
    size_t length = strlen(shorter);
    if (length == 0)
        return strcmp(a, b) == 0;
    if (length < 7 || strlen(longer) - length > 3)
        return strcmp(longer, shorter) == 0;
    return g_str_has_suffix(longer, shorter);
}

/* What identifies a web address, in lower case. */
static char *
url_core(const char *url)
{
    g_autofree char *lower = g_ascii_strdown(url, -1);
    const char *start = strstr(lower, "://");
    start = start != NULL ? start + 3 : lower;
    if (g_str_has_prefix(start, "www."))
        start += 4;
    size_t length = strlen(start);
    while (length > 0 && start[length - 1] == '/')
        length--;
    return g_strndup(start, length);
}

bool
value_same(Sameness how, const char *a, const char *b)
{
    if (strcmp(a, b) == 0)
        return true;
    if (a[0] == '\0' || b[0] == '\0')
        return false;
    switch (how) {
    case SAME_PHONE:
        return same_phone(a, b);
    case SAME_DAY:
        return strncmp(a, b, 10) == 0;
    case SAME_URL: {
        g_autofree char *one = url_core(a);
        g_autofree char *two = url_core(b);
        return strcmp(one, two) == 0;
    }
    default: {
        g_autofree char *one = fold(a, true);
        g_autofree char *two = fold(b, true);
        return strcmp(one, two) == 0;
    }
    }
}

/* --- JSON ---------------------------------------------------------------- */

/* Copies objects and arrays without blank members. */
static json_t *
without_blanks(const json_t *value, unsigned depth)
{
    if (json_is_null(value) || depth > 8 ||
        (json_is_string(value) && json_string_length(value) == 0))
        return NULL;
    if (json_is_object(value)) {
        json_t *copy = json_object();
        const char *key;
        json_t *member;
        json_object_foreach((json_t *) value, key, member)
        {
            json_t *kept = without_blanks(member, depth + 1);
            if (kept != NULL)
                json_object_set_new(copy, key, kept);
        }
        return copy;
    }
    if (json_is_array(value)) {
        json_t *copy = json_array();
        size_t index;
        const json_t *member;
        json_array_foreach(value, index, member)
        {
            json_t *kept = without_blanks(member, depth + 1);
            if (kept != NULL)
                json_array_append_new(copy, kept);
        }
        return copy;
    }
    return json_deep_copy(value);
}

char *
value_text(const json_t *value)
{
    if (value == NULL || json_is_null(value))
        return g_strdup("");
    if (json_is_string(value))
        return g_strstrip(g_strdup(json_string_value(value)));
    json_t *kept = without_blanks(value, 0);
    if (kept == NULL || ((json_is_object(kept) || json_is_array(kept)) &&
                         json_object_size(kept) + json_array_size(kept) == 0)) {
        json_decref(kept);
        return g_strdup("");
    }
    char *dump =
        json_dumps(kept, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    json_decref(kept);
    char *text = g_strdup(dump != NULL ? dump : "");
    free(dump);
    return text;
}

json_t *
value_string(const char *text, size_t max, bool lines)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    g_autoptr(GString) out = g_string_new(NULL);
    size_t characters = 0;
    for (const char *p = g_strstrip(valid); *p != '\0' && characters < max;
         p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        if (c == '\n' && !lines) {
            g_string_append(out, ", ");
            characters += 2;
        } else if (c == '\n' || !g_unichar_iscntrl(c)) {
            g_string_append_unichar(out, c);
            characters++;
        }
    }
    g_strchomp(out->str);
    return json_string(out->str);
}

static const char *
option_of(const FieldDefinition *field, const char *text)
{
    for (guint i = 0; i < field->options->len; i++) {
        const char *option = field->options->pdata[i];
        if (value_same(SAME_TEXT, option, text))
            return option;
    }
    return NULL;
}

static void
set_part(json_t *object, const char *name, const char *text)
{
    if (text != NULL && text[0] != '\0')
        json_object_set_new(object, name,
                            value_string(text, VALUE_SMALL_TEXT_MAX, false));
}

static json_t *
address_object(const char *text, const AddressParts *parts)
{
    json_t *object = json_object();
    if (parts != NULL) {
        set_part(object, "line1", parts->line1);
        set_part(object, "line2", parts->line2);
        set_part(object, "line3", parts->line3);
        set_part(object, "line4", parts->line4);
        set_part(object, "city", parts->city);
        set_part(object, "postalCode", parts->postal_code);
        if (parts->state != NULL) {
            bool code = strlen(parts->state) <= 3;
            for (const char *p = parts->state; *p != '\0'; p++)
                code = code && g_ascii_isupper(*p);
            set_part(object, code ? "stateCode" : "stateName", parts->state);
        }
        if (parts->country != NULL && strlen(parts->country) == 2 &&
            g_ascii_isalpha(parts->country[0]) &&
            g_ascii_isalpha(parts->country[1])) {
            g_autofree char *code = g_ascii_strup(parts->country, -1);
            set_part(object, "countryCode", code);
        }
    }
    /* Parts that say where, not only a country; else the text as one line. */
    if (json_object_get(object, "line1") == NULL &&
        json_object_get(object, "city") == NULL)
        set_part(object, "line1", text);
    return object;
}

json_t *
value_for_field(const FieldDefinition *field, const char *text,
                const AddressParts *parts, const json_t *present,
                const char **out_why)
{
    if (!field->active) {
        *out_why = "the field is not active";
        return NULL;
    }
    switch (field->type) {
    case FIELD_SMALL_TEXT:
        return value_string(text, VALUE_SMALL_TEXT_MAX, false);
    case FIELD_LARGE_TEXT:
        return value_string(text, VALUE_LARGE_TEXT_MAX, true);
    case FIELD_SELECT: {
        const char *option = option_of(field, text);
        *out_why = "the value is none of the field's options";
        return option != NULL ? json_string(option) : NULL;
    }
    case FIELD_MULTI_SELECT: {
        const char *option = option_of(field, text);
        *out_why = "the value is none of the field's options";
        if (option == NULL)
            return NULL;
        json_t *list = json_array();
        bool there = false;
        size_t index;
        const json_t *entry;
        json_array_foreach(present, index, entry)
        {
            there = there || g_strcmp0(json_string_value(entry), option) == 0;
            json_array_append_new(list, json_deep_copy(entry));
        }
        if (!there)
            json_array_append_new(list, json_string(option));
        return list;
    }
    case FIELD_ADDRESS:
        return address_object(text, parts);
    case FIELD_NUMBER: {
        int64_t number;
        *out_why = "the value is not a whole number";
        if (text[0] == '+')
            return NULL; /* a phone number is no number */
        return g_ascii_string_to_signed(text, 10, INT64_MIN, INT64_MAX, &number,
                                        NULL)
                   ? json_integer(number)
                   : NULL;
    }
    case FIELD_DATE: {
        g_autofree char *iso = g_strdup_printf("%.10sT00:00:00Z", text);
        g_autoptr(GDateTime) date = g_date_time_new_from_iso8601(iso, NULL);
        *out_why = "the value is not a date";
        return date != NULL ? json_string(text) : NULL;
    }
    default:
        *out_why = "fields of this type cannot be set";
        return NULL;
    }
}
