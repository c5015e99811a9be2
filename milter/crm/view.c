/*
 * view.c - reads the API's contacts, companies and definitions
 */
#include "crm/view.h"

#include "crm/answer.h"

#include <string.h>

/* A member as text, trimmed; "" for what is not there. Numbers become text: a
 * phone that someone's import stored as a number is still a phone. */
static char *
text_member(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    if (json_is_integer(value))
        return g_strdup_printf("%" JSON_INTEGER_FORMAT,
                               json_integer_value(value));
    const char *text = json_string_value(value);
    return g_strstrip(g_strdup(text != NULL ? text : ""));
}

static bool
bool_member(const json_t *object, const char *name, bool missing)
{
    const json_t *value = json_object_get(object, name);
    if (json_is_boolean(value))
        return json_is_true(value);
    int64_t number = answer_integer(value, missing ? 1 : 0);
    return number != 0;
}

/* Ids of an array of numbers, or of objects with `key` or "id". */
static GArray *
ids_of(const json_t *array, const char *key)
{
    GArray *ids = g_array_new(FALSE, FALSE, sizeof(int64_t));
    size_t index;
    const json_t *entry;
    json_array_foreach(array, index, entry)
    {
        const json_t *number = entry;
        if (json_is_object(entry)) {
            number = json_object_get(entry, key);
            if (number == NULL)
                number = json_object_get(entry, "id");
        }
        int64_t id = answer_integer(number, 0);
        if (id > 0 && !id_array_has(ids, id))
            g_array_append_val(ids, id);
    }
    return ids;
}

bool
id_array_has(const GArray *ids, int64_t id)
{
    for (guint i = 0; i < ids->len; i++)
        if (g_array_index(ids, int64_t, i) == id)
            return true;
    return false;
}

static void
url_free(void *data)
{
    CrmUrl *url = data;
    g_free(url->ref);
    g_free(url->url);
    g_free(url);
}

static void
value_free(void *value)
{
    json_decref(value);
}

static CrmView *
view_read(const json_t *object)
{
    int64_t id = answer_integer(json_object_get(object, "id"), 0);
    if (id <= 0)
        return NULL;
    CrmView *view = g_new0(CrmView, 1);
    view->id = id;
    view->first_name = text_member(object, "firstName");
    view->last_name = text_member(object, "lastName");
    view->email = text_member(object, "email");
    view->phone = text_member(object, "phone");
    view->external_id = text_member(object, "externalId");
    view->anonymised = bool_member(object, "isAnonymised", false);
    view->custom =
        g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, value_free);
    view->groups = ids_of(json_object_get(object, "groups"), "groupId");
    view->companies = ids_of(json_object_get(object, "companies"), "companyId");
    view->company_names = g_ptr_array_new_with_free_func(g_free);
    view->urls = g_ptr_array_new_with_free_func(url_free);

    size_t index;
    json_t *entry;
    json_array_foreach(json_object_get(object, "customFields"), index, entry)
    {
        int64_t field = answer_integer(json_object_get(entry, "fieldId"), 0);
        json_t *value = json_object_get(entry, "value");
        if (field > 0 && value != NULL)
            g_hash_table_insert(view->custom, g_memdup2(&field, sizeof field),
                                json_incref(value));
    }
    json_array_foreach(json_object_get(object, "companiesData"), index, entry)
    {
        static const char *const names[] = { "businessName", "tradingName" };
        for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
            char *name = text_member(entry, names[i]);
            g_ptr_array_add(view->company_names, name);
        }
        int64_t company = answer_integer(json_object_get(entry, "id"), 0);
        if (company > 0 && !id_array_has(view->companies, company))
            g_array_append_val(view->companies, company);
    }
    return view;
}

static void
view_read_detail(CrmView *view, const json_t *object)
{
    view->detailed = true;
    int64_t status = answer_integer(json_object_get(object, "status"), 0);
    int64_t sms = answer_integer(json_object_get(object, "smsStatus"), 0);
    view->status = (int) CLAMP(status, 0, 99);
    view->sms_status = (int) CLAMP(sms, 0, 99);
    size_t index;
    const json_t *entry;
    json_array_foreach(json_object_get(object, "externalUrls"), index, entry)
    {
        CrmUrl *url = g_new0(CrmUrl, 1);
        url->ref = text_member(entry, "ref");
        url->url = text_member(entry, "url");
        g_ptr_array_add(view->urls, url);
    }
}

static void
meta_of(const json_t *body, int64_t *out_total, int64_t *out_count)
{
    const json_t *meta = json_object_get(body, "meta");
    size_t count = json_array_size(json_object_get(body, "results"));
    *out_count = (int64_t) count;
    *out_total =
        answer_integer(json_object_get(meta, "totalResults"), (int64_t) count);
}

void
view_list(GPtrArray *views, const json_t *body, const char *email,
          int64_t *out_total, int64_t *out_count)
{
    size_t index;
    const json_t *entry;
    json_array_foreach(json_object_get(body, "results"), index, entry)
    {
        g_autoptr(CrmView) view = view_read(entry);
        if (view == NULL || g_ascii_strcasecmp(view->email, email) != 0)
            continue;
        bool twice = false; /* pages shift when people add contacts */
        for (guint i = 0; i < views->len; i++) {
            const CrmView *other = views->pdata[i];
            twice = twice || other->id == view->id;
        }
        if (!twice)
            g_ptr_array_add(views, g_steal_pointer(&view));
    }
    meta_of(body, out_total, out_count);
}

CrmView *
view_contact(const json_t *body)
{
    CrmView *view = view_read(body);
    if (view != NULL)
        view_read_detail(view, body);
    return view;
}

void
view_free(CrmView *view)
{
    if (view == NULL)
        return;
    g_free(view->first_name);
    g_free(view->last_name);
    g_free(view->email);
    g_free(view->phone);
    g_free(view->external_id);
    g_hash_table_unref(view->custom);
    g_array_unref(view->groups);
    g_array_unref(view->companies);
    g_ptr_array_unref(view->company_names);
    g_ptr_array_unref(view->urls);
    g_free(view);
}

static void
view_free_void(void *view)
{
    view_free(view);
}

GPtrArray *
view_array_new(void)
{
    return g_ptr_array_new_with_free_func(view_free_void);
}

static void
company_free(void *data)
{
    CompanyView *company = data;
    g_free(company->business_name);
    g_free(company->trading_name);
    g_free(company);
}

GPtrArray *
company_array_new(void)
{
    return g_ptr_array_new_with_free_func(company_free);
}

void
view_companies(GPtrArray *companies, const json_t *body, int64_t *out_total,
               int64_t *out_count)
{
    size_t index;
    const json_t *entry;
    json_array_foreach(json_object_get(body, "results"), index, entry)
    {
        int64_t id = answer_integer(json_object_get(entry, "id"), 0);
        if (id <= 0)
            continue;
        CompanyView *company = g_new0(CompanyView, 1);
        company->id = id;
        company->business_name = text_member(entry, "businessName");
        company->trading_name = text_member(entry, "tradingName");
        g_ptr_array_add(companies, company);
    }
    meta_of(body, out_total, out_count);
}

static void
definition_free(void *data)
{
    FieldDefinition *field = data;
    g_free(field->name);
    g_ptr_array_unref(field->options);
    g_free(field);
}

GHashTable *
definitions_new(void)
{
    return g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL,
                                 definition_free);
}

/* The array itself, or the "results" of an object. */
static const json_t *
array_of(const json_t *body)
{
    const json_t *array =
        json_is_object(body) ? json_object_get(body, "results") : body;
    return json_is_array(array) ? array : NULL;
}

static void
options_read(GPtrArray *options, const json_t *values)
{
    size_t index;
    const json_t *entry;
    json_array_foreach(values, index, entry)
    {
        const json_t *value = entry;
        if (json_is_object(entry))
            value = json_object_get(entry, "value");
        if (json_is_string(value))
            g_ptr_array_add(options, g_strdup(json_string_value(value)));
    }
}

GHashTable *
view_definitions(const json_t *body)
{
    const json_t *array = array_of(body);
    if (array == NULL)
        return NULL;
    GHashTable *definitions = definitions_new();
    size_t index;
    const json_t *entry;
    json_array_foreach(array, index, entry)
    {
        int64_t id = answer_integer(json_object_get(entry, "fieldId"), 0);
        if (id <= 0)
            continue;
        FieldDefinition *field = g_new0(FieldDefinition, 1);
        field->id = id;
        int64_t type = answer_integer(json_object_get(entry, "fieldType"), -1);
        field->type = (int) CLAMP(type, -1, 1000);
        field->name = text_member(entry, "displayName");
        field->required = bool_member(entry, "isRequired", false);
        field->active = bool_member(entry, "isActive", true);
        field->options = g_ptr_array_new_with_free_func(g_free);
        options_read(field->options, json_object_get(entry, "selectValues"));
        g_hash_table_replace(definitions, &field->id, field);
    }
    return definitions;
}

const FieldDefinition *
definitions_get(GHashTable *definitions, int64_t id)
{
    return definitions != NULL ? g_hash_table_lookup(definitions, &id) : NULL;
}

const char *
field_type_name(int type)
{
    static const char *const names[] = {
        "small text", "large text", "select",      "multiple select", "address",
        "date",       "file",       "static text", "whole number"
    };
    return type >= 0 && type < (int) G_N_ELEMENTS(names) ? names[type]
                                                         : "unknown";
}

GArray *
view_groups(const json_t *body)
{
    const json_t *array = array_of(body);
    return array != NULL ? ids_of(array, "groupId") : NULL;
}
