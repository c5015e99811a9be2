/*
 * plan.c - the planner: what is known, what the CRM has, what to send
 *
 * Each field goes through one decision (may_write): the same value needs no
 * call; a blank is filled unless a person blanked what we wrote; a value is
 * replaced when it is our own, or with `overwrite = always`. Statuses follow
 * the order 2 > 5 > 3 > 1 and concern every contact of the address; fields
 * concern the one whose name fits best.
 */
#include "crm/plan.h"

#include "crm/values.h"

#include <inttypes.h>
#include <string.h>

enum { STATUS_SUBSCRIBED = 1, STATUS_OUT = 2, STATUS_BOUNCED = 3 };
enum { NAME_SURE = 60 };

/* One value that is wanted of the target contact. */
typedef struct {
    char *name; /* as in `wrote` */
    char *text; /* as compared and remembered */
    json_t *value;
    Sameness same;
} Wanted;

static void
wanted_free(void *data)
{
    Wanted *wanted = data;
    g_free(wanted->name);
    g_free(wanted->text);
    json_decref(wanted->value);
    g_free(wanted);
}

static void
want(GPtrArray *list, const char *name, json_t *value, Sameness same)
{
    if (value == NULL)
        return;
    Wanted *wanted = g_new0(Wanted, 1);
    wanted->name = g_strdup(name);
    wanted->text = value_text(value);
    wanted->value = value;
    wanted->same = same;
    if (wanted->text[0] == '\0')
        wanted_free(wanted);
    else
        g_ptr_array_add(list, wanted);
}

static Sameness
sameness_of(const char *name, const char *a)
{
    if (strcmp(name, "phone") == 0 || a[0] == '+')
        return SAME_PHONE;
    if (g_str_has_prefix(name, "url."))
        return SAME_URL;
    if (strlen(a) == 23 && g_str_has_suffix(a, " UTC"))
        return SAME_DAY;
    return strstr(a, "://") != NULL ? SAME_URL : SAME_TEXT;
}

/* --- what is wanted ------------------------------------------------------ */

static const char *
field_text(const PlanContext *context, const Field *field)
{
    if (field->value == NULL || field->value[0] == '\0' ||
        field->confidence < context->settings->contact.min_confidence)
        return NULL;
    return field->value;
}

static const char *
phone_of(const PlanContext *context, const Contact *known, PhoneType type)
{
    for (guint i = 0; known->phones != NULL && i < known->phones->len; i++) {
        const Phone *phone = &g_array_index(known->phones, Phone, i);
        if (phone->type == type && field_text(context, &phone->number) != NULL)
            return phone->number.value;
    }
    return NULL;
}

/* The one number of `phone`; a fax never. */
static const char *
phone_wanted(const PlanContext *context, const Contact *known)
{
    static const PhoneType landline_first[] = { PHONE_WORK, PHONE_HOME,
                                                PHONE_OTHER, PHONE_MOBILE };
    static const PhoneType mobile_first[] = { PHONE_MOBILE, PHONE_WORK,
                                              PHONE_HOME, PHONE_OTHER };
    const PhoneType *order =
        context->settings->contact.phone == PHONE_LANDLINE_FIRST
            ? landline_first
            : mobile_first;
    for (size_t i = 0; i < G_N_ELEMENTS(mobile_first); i++) {
        const char *number = phone_of(context, known, order[i]);
        if (number != NULL)
            return number;
    }
    return NULL;
}

static void
want_custom(GPtrArray *list, const PlanContext *context, int64_t id,
            const char *text, const AddressParts *parts, const CrmView *view)
{
    const FieldDefinition *field = definitions_get(context->definitions, id);
    if (id == 0 || text == NULL || field == NULL)
        return;
    const char *why = "";
    json_t *value = value_for_field(
        field, text, parts,
        view != NULL ? g_hash_table_lookup(view->custom, &id) : NULL, &why);
    g_autofree char *name = g_strdup_printf("customFields.%" PRId64, id);
    Sameness same = field->type == FIELD_DATE     ? SAME_DAY
                    : text[0] == '+'              ? SAME_PHONE
                    : strstr(text, "://") != NULL ? SAME_URL
                                                  : SAME_TEXT;
    want(list, name, value, same);
}

static void
want_last_mail(GPtrArray *list, const PlanContext *context,
               const ContactRecord *record, const CrmView *view)
{
    int64_t id = context->settings->custom_fields.last_mail;
    const FieldDefinition *field = definitions_get(context->definitions, id);
    if (id == 0 || field == NULL || record->last_mail <= 0)
        return;
    g_autoptr(GDateTime) time =
        g_date_time_new_from_unix_utc(record->last_mail);
    if (time == NULL)
        return;
    bool stamp = field->type == FIELD_DATE && !context->date_only;
    g_autofree char *text =
        g_date_time_format(time, stamp ? "%Y-%m-%d 00:00:00 UTC" : "%Y-%m-%d");
    if (view != NULL) { /* another server of ours may know a later mail */
        const json_t *value = g_hash_table_lookup(view->custom, &id);
        if (json_is_string(value) &&
            strncmp(json_string_value(value), text, 10) >= 0)
            return;
    }
    want_custom(list, context, id, text, NULL, view);
}

/* NULL when none is wanted. */
static json_t *
external_id(const Settings *settings, const char *email)
{
    if (settings->contact.external_id == EXTERNAL_ID_NONE)
        return NULL;
    if (settings->contact.external_id == EXTERNAL_ID_EMAIL)
        return value_string(email, VALUE_SMALL_TEXT_MAX, false);
    g_autofree char *lower = g_ascii_strdown(email, -1);
    g_autofree char *hash =
        g_compute_checksum_for_string(G_CHECKSUM_SHA256, lower, -1);
    return json_string(hash);
}

/* The parameters and custom fields, but not urls, groups and companies. `view`
 * is the target as read, NULL when it is to be added. */
static GPtrArray *
wanted_fields(const PlanContext *context, const ContactRecord *record,
              const CrmView *view)
{
    GPtrArray *list = g_ptr_array_new_with_free_func(wanted_free);
    const Settings *settings = context->settings;
    const Contact *known = record->known;
    if (known == NULL)
        return list;
    const struct {
        const char *name, *text;
        Sameness same;
    } plain[] = {
        { "firstName", field_text(context, &known->first_name), SAME_TEXT },
        { "lastName", field_text(context, &known->last_name), SAME_TEXT },
        { "phone", phone_wanted(context, known), SAME_PHONE },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(plain); i++)
        if (plain[i].text != NULL)
            want(list, plain[i].name,
                 value_string(plain[i].text, VALUE_SMALL_TEXT_MAX, false),
                 plain[i].same);
    /* A contact that is there may bear another system's reference. */
    if (view == NULL)
        want(list, "externalId", external_id(settings, record->email),
             SAME_TEXT);
    const struct {
        int64_t id;
        const char *text;
        const AddressParts *parts;
    } custom[] = {
        { settings->custom_fields.job_title,
          field_text(context, &known->job_title), NULL },
        { settings->custom_fields.mobile,
          phone_of(context, known, PHONE_MOBILE), NULL },
        { settings->custom_fields.fax, phone_of(context, known, PHONE_FAX),
          NULL },
        { settings->custom_fields.company, field_text(context, &known->company),
          NULL },
        { settings->custom_fields.address, field_text(context, &known->address),
          &known->address_parts },
        { settings->custom_fields.website, field_text(context, &known->website),
          NULL },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(custom); i++)
        want_custom(list, context, custom[i].id, custom[i].text,
                    custom[i].parts, view);
    want_last_mail(list, context, record, view);
    return list;
}

/* --- links --------------------------------------------------------------- */

static bool
host_is(const char *url, const char *const *domains)
{
    const char *start = strstr(url, "://");
    if (start == NULL)
        return false;
    start += 3;
    size_t length = strcspn(start, "/:?#");
    g_autofree char *host = g_ascii_strdown(start, (gssize) length);
    for (size_t i = 0; domains[i] != NULL; i++) {
        g_autofree char *below = g_strconcat(".", domains[i], NULL);
        if (strcmp(host, domains[i]) == 0 || g_str_has_suffix(host, below))
            return true;
    }
    return false;
}

static const struct {
    const char *kind, *label;
    const char *const domains[6];
} link_kinds[] = {
    { "linkedin", "LinkedIn", { "linkedin.com", "lnkd.in", NULL } },
    { "x", "X", { "x.com", "twitter.com", NULL } },
    { "facebook", "Facebook", { "facebook.com", "fb.com", "fb.me", NULL } },
    { "instagram", "Instagram", { "instagram.com", NULL } },
    { "xing", "XING", { "xing.com", NULL } },
    { "calendar",
      "Calendar",
      { "calendly.com", "cal.com", "calendar.app.google", NULL } },
};

static const char *
link_label(const char *kind)
{
    for (size_t i = 0; i < G_N_ELEMENTS(link_kinds); i++)
        if (strcmp(link_kinds[i].kind, kind) == 0)
            return link_kinds[i].label;
    return "Website";
}

/* The https URL for a kind of link, or NULL. */
static char *
link_of(const PlanContext *context, const Contact *known, const char *kind)
{
    const char *url = NULL;
    if (strcmp(kind, "website") == 0) {
        url = field_text(context, &known->website);
        if (url != NULL && strstr(url, "://") == NULL)
            return g_strconcat("https://", url, NULL);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(link_kinds); i++) {
        if (strcmp(link_kinds[i].kind, kind) != 0)
            continue;
        for (guint l = 0; known->links != NULL && l < known->links->len; l++) {
            const Field *link = &g_array_index(known->links, Field, l);
            const char *text = field_text(context, link);
            if (url == NULL && text != NULL &&
                host_is(text, link_kinds[i].domains))
                url = text;
        }
    }
    if (url == NULL || g_ascii_strncasecmp(url, "https://", 8) != 0 ||
        strlen(url) > 500 || strpbrk(url, " \t\r\n\"<>") != NULL)
        return NULL;
    return g_strdup(url);
}

/* At most three, in the order of the option. */
static GPtrArray *
wanted_urls(const PlanContext *context, const ContactRecord *record)
{
    GPtrArray *list = g_ptr_array_new_with_free_func(wanted_free);
    char **kinds = context->settings->contact.urls;
    for (size_t i = 0; record->known != NULL && kinds != NULL &&
                       kinds[i] != NULL && list->len < 3;
         i++) {
        g_autofree char *url = link_of(context, record->known, kinds[i]);
        if (url == NULL)
            continue;
        g_autofree char *name = g_strconcat("url.", kinds[i], NULL);
        g_autofree char *ref = g_strconcat(PLAN_REF_PREFIX, kinds[i], NULL);
        want(list, name, json_string(url), SAME_URL);
        if (list->len == 0)
            continue;
        Wanted *wanted = list->pdata[list->len - 1];
        if (strcmp(wanted->name, name) == 0) {
            json_decref(wanted->value);
            wanted->value = json_pack("{s:s, s:s, s:s}", "ref", ref, "url", url,
                                      "label", link_label(kinds[i]));
        }
    }
    return list;
}

static int64_t
group_id(const char *text)
{
    return g_ascii_strtoll(text, NULL, 10);
}

static const char *
company_wanted(const PlanContext *context, const ContactRecord *record)
{
    if (context->settings->contact.company == COMPANY_OFF ||
        record->known == NULL)
        return NULL;
    return field_text(context, &record->known->company);
}

/* --- what we remember ---------------------------------------------------- */

static CrmContact *
entry_of(const ContactRecord *record, int64_t id)
{
    for (guint i = 0; i < record->crm->len; i++) {
        CrmContact *entry = record->crm->pdata[i];
        if (entry->id == id)
            return entry;
    }
    return NULL;
}

static CrmContact *
entry_make(ContactRecord *record, int64_t id)
{
    CrmContact *entry = entry_of(record, id);
    if (entry == NULL) {
        entry = crm_contact_new(id);
        g_ptr_array_add(record->crm, entry);
    }
    return entry;
}

/* wrote[NAME + mark] */
static const char *
wrote_get(const CrmContact *entry, const char *name, const char *mark)
{
    if (entry == NULL)
        return NULL;
    g_autofree char *key = g_strconcat(name, mark, NULL);
    return g_hash_table_lookup(entry->wrote, key);
}

static void
wrote_set(CrmContact *entry, const char *name, const char *mark,
          const char *value)
{
    g_autofree char *key = g_strconcat(name, mark, NULL);
    if (value == NULL)
        g_hash_table_remove(entry->wrote, key);
    else
        g_hash_table_insert(entry->wrote, g_steal_pointer(&key),
                            g_strdup(value));
}

/* What the CRM has under a name; NULL when this view does not tell. */
static char *
present_text(const CrmView *view, const char *name)
{
    const char *dot = strchr(name, '.');
    int64_t id = dot != NULL ? g_ascii_strtoll(dot + 1, NULL, 10) : 0;
    if (strcmp(name, "firstName") == 0)
        return g_strdup(view->first_name);
    if (strcmp(name, "lastName") == 0)
        return g_strdup(view->last_name);
    if (strcmp(name, "phone") == 0)
        return g_strdup(view->phone);
    if (strcmp(name, "externalId") == 0)
        return g_strdup(view->external_id);
    if (g_str_has_prefix(name, "customFields."))
        return value_text(g_hash_table_lookup(view->custom, &id));
    if (g_str_has_prefix(name, "companies."))
        return g_strdup(id_array_has(view->companies, id) ? "1" : "");
    if (g_str_has_prefix(name, "groups."))
        return g_strdup(id_array_has(view->groups, id) ? "1" : "");
    if (!view->detailed)
        return NULL;
    if (strcmp(name, "status") == 0)
        return view->status != 0 ? g_strdup_printf("%d", view->status)
                                 : g_strdup("");
    if (g_str_has_prefix(name, "url.")) {
        for (guint i = 0; i < view->urls->len; i++) {
            const CrmUrl *url = view->urls->pdata[i];
            if (g_str_has_prefix(url->ref, PLAN_REF_PREFIX) &&
                strcmp(url->ref + strlen(PLAN_REF_PREFIX), name + 4) == 0)
                return g_strdup(url->url);
        }
        return g_strdup("");
    }
    return NULL;
}

static void
reconcile_name(CrmContact *entry, const CrmView *view, const char *name)
{
    g_autofree char *present = present_text(view, name);
    if (present == NULL)
        return;
    const char *own = wrote_get(entry, name, "");
    const char *intent = wrote_get(entry, name, "?");
    if (intent != NULL &&
        value_same(sameness_of(name, intent), present, intent)) {
        wrote_set(entry, name, "", intent); /* it was done after all */
        wrote_set(entry, name, "!", NULL);
    } else if (own != NULL &&
               !value_same(sameness_of(name, own), present, own)) {
        wrote_set(entry, name, "", NULL); /* a person changed it */
        wrote_set(entry, name, "!", "1");
    }
    wrote_set(entry, name, "?", NULL);
    if (strcmp(name, "status") == 0) {
        own = wrote_get(entry, name, "");
        entry->status_set = own != NULL ? g_ascii_strtoll(own, NULL, 10) : 0;
    }
}

static void
reconcile_entry(CrmContact *entry, const CrmView *view)
{
    g_autoptr(GHashTable) names =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    GHashTableIter iter;
    void *key;
    g_hash_table_iter_init(&iter, entry->wrote);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
        const char *name = key;
        size_t length = strlen(name);
        if (length > 0 && (name[length - 1] == '?' || name[length - 1] == '!'))
            length--;
        if (length > 0 && strcmp(name, "=") != 0)
            g_hash_table_add(names, g_strndup(name, length));
    }
    g_hash_table_iter_init(&iter, names);
    while (g_hash_table_iter_next(&iter, &key, NULL))
        reconcile_name(entry, view, key);
}

/* An addition whose answer never came: the contact with those names is ours. */
static void
adopt(ContactRecord *record, const CrmView *view)
{
    CrmContact *entry = entry_of(record, 0);
    const char *first = wrote_get(entry, "firstName", "?");
    const char *last = wrote_get(entry, "lastName", "?");
    if (first != NULL && last != NULL && entry_of(record, view->id) == NULL &&
        value_same(SAME_TEXT, first, view->first_name) &&
        value_same(SAME_TEXT, last, view->last_name))
        entry->id = view->id;
}

void
plan_reconcile(ContactRecord *record, const GPtrArray *views)
{
    for (guint v = 0; v < views->len; v++)
        adopt(record, views->pdata[v]);
    for (guint i = record->crm->len; i-- > 0;) {
        const CrmContact *entry = record->crm->pdata[i];
        bool there = false;
        for (guint v = 0; v < views->len; v++) {
            const CrmView *view = views->pdata[v];
            there = there || view->id == entry->id;
        }
        if (!there)
            g_ptr_array_remove_index(record->crm, i);
    }
    for (guint v = 0; v < views->len && v < PLAN_CONTACTS_MAX; v++) {
        const CrmView *view = views->pdata[v];
        if (!view->anonymised)
            reconcile_entry(entry_make(record, view->id), view);
    }
}

/* --- decisions ----------------------------------------------------------- */

static bool
was_refused(const ContactRecord *record, const char *name, const char *text)
{
    g_autofree char *key = g_strconcat(name, "=", NULL);
    const char *value = g_hash_table_lookup(record->refused, key);
    return value != NULL && strcmp(value, text) == 0;
}

static bool
may_write(const PlanContext *context, const ContactRecord *record,
          const CrmContact *entry, const Wanted *wanted, const char *present)
{
    int policy = context->settings->contact.overwrite;
    if (value_same(wanted->same, present, wanted->text) ||
        was_refused(record, wanted->name, wanted->text))
        return false;
    if (policy == OVERWRITE_ALWAYS)
        return true;
    if (wrote_get(entry, wanted->name, "!") != NULL)
        return false;
    if (present[0] == '\0')
        return true;
    if (policy == OVERWRITE_NEVER)
        return false;
    const char *own = wrote_get(entry, wanted->name, "");
    return own != NULL && value_same(wanted->same, present, own);
}

/* The status to set, or 0. */
static int
status_change(const ContactRecord *record, const CrmView *view,
              const CrmContact *entry)
{
    int present = view->status;
    switch (record->want_status) {
    case STATUS_OUT:
        return present != STATUS_OUT ? STATUS_OUT : 0;
    case STATUS_BOUNCED:
        return present == 0 || present == STATUS_SUBSCRIBED || present == 4
                   ? STATUS_BOUNCED
                   : 0;
    case STATUS_SUBSCRIBED:
        return present == STATUS_BOUNCED && entry != NULL &&
                       entry->status_set == STATUS_BOUNCED
                   ? STATUS_SUBSCRIBED
                   : 0;
    default:
        return 0;
    }
}

static int
status_of_addition(const PlanContext *context, const ContactRecord *record)
{
    int status = context->settings->contact.new_status;
    if (record->want_status == STATUS_OUT || record->unknown_suppress)
        return STATUS_OUT;
    if (record->want_status == STATUS_BOUNCED &&
        (status == 0 || status == STATUS_SUBSCRIBED))
        return STATUS_BOUNCED;
    return status;
}

/* --- names --------------------------------------------------------------- */

static bool
nicknames(const char *a, const char *b)
{
    static const char *const pairs[][2] = {
        { "andy", "andrew" },      { "beth", "elizabeth" },
        { "betty", "elizabeth" },  { "bill", "william" },
        { "bob", "robert" },       { "chuck", "charles" },
        { "dick", "richard" },     { "gus", "angus" },
        { "hank", "henry" },       { "harry", "henry" },
        { "jack", "john" },        { "jim", "james" },
        { "jimmy", "james" },      { "kate", "catherine" },
        { "kate", "katherine" },   { "liz", "elizabeth" },
        { "lizzie", "elizabeth" }, { "maggie", "margaret" },
        { "meg", "margaret" },     { "mick", "michael" },
        { "mike", "michael" },     { "ned", "edward" },
        { "nick", "nicholas" },    { "peggy", "margaret" },
        { "rick", "richard" },     { "ted", "edward" },
        { "ted", "theodore" },     { "tony", "anthony" },
        { "trish", "patricia" },   { "will", "william" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(pairs); i++)
        if ((strcmp(a, pairs[i][0]) == 0 && strcmp(b, pairs[i][1]) == 0) ||
            (strcmp(b, pairs[i][0]) == 0 && strcmp(a, pairs[i][1]) == 0))
            return true;
    return false;
}

/* Is one a word, or the words at an end, of the other? ("Lee", "Lee-Day") */
static bool
word_within(const char *a, const char *b)
{
    const char *longer = strlen(a) > strlen(b) ? a : b;
    const char *shorter = longer == a ? b : a;
    g_autofree char *padded = g_strconcat(" ", longer, " ", NULL);
    g_autofree char *word = g_strconcat(" ", shorter, " ", NULL);
    return shorter[0] != '\0' && strstr(padded, word) != NULL;
}

int
plan_name_score(const char *crm_first, const char *crm_last, const char *first,
                const char *last)
{
    g_autofree char *cf = value_fold(crm_first);
    g_autofree char *cl = value_fold(crm_last);
    g_autofree char *f = value_fold(first);
    g_autofree char *l = value_fold(last);
    if (strcmp(cf, f) == 0 && strcmp(cl, l) == 0)
        return 100;
    if (f[0] == '\0' && l[0] == '\0')
        return 10; /* we know no name: whoever has the address */
    if (cf[0] == '\0' && cl[0] == '\0')
        return 50;
    g_autofree char *whole = g_strstrip(g_strconcat(f, " ", l, NULL));
    g_autofree char *crm_whole = g_strstrip(g_strconcat(cf, " ", cl, NULL));
    if (strcmp(whole, crm_whole) == 0)
        return 95;
    if (strcmp(cf, l) == 0 && strcmp(cl, f) == 0)
        return 90;
    if (strcmp(cl, l) == 0) {
        if (cf[0] == '\0' || f[0] == '\0')
            return 80;
        if (g_str_has_prefix(cf, f) || g_str_has_prefix(f, cf) ||
            word_within(cf, f) || nicknames(cf, f))
            return 70;
        return 0; /* a couple with one address */
    }
    if (strcmp(cf, f) == 0) {
        if (cl[0] == '\0' || l[0] == '\0')
            return 65;
        return word_within(cl, l) ? 60 : 30;
    }
    return 0;
}

static const CrmView *
best_view(const PlanContext *context, const ContactRecord *record,
          const GPtrArray *views, int *out_score)
{
    const char *first = field_text(context, &record->known->first_name);
    const char *last = field_text(context, &record->known->last_name);
    const char *source = record->known->name_source;
    if (source != NULL && strcmp(source, "local-part") == 0)
        first = last = NULL; /* guessed from the address: no name at all */
    const CrmView *best = NULL;
    *out_score = 0;
    for (guint i = 0; i < views->len; i++) {
        const CrmView *view = views->pdata[i];
        if (view->anonymised)
            continue;
        int score = plan_name_score(view->first_name, view->last_name,
                                    first != NULL ? first : "",
                                    last != NULL ? last : "");
        if (score > *out_score ||
            (score == *out_score && best != NULL && view->id < best->id)) {
            best = score > 0 ? view : NULL;
            *out_score = score;
        }
    }
    return best;
}

/* --- calls --------------------------------------------------------------- */

static PlanCall *
call_new(PlanKind kind, int64_t id)
{
    PlanCall *call = g_new0(PlanCall, 1);
    call->kind = kind;
    call->id = id;
    call->params = json_object();
    if (kind == PLAN_UPDATE)
        json_object_set_new(call->params, "id", json_integer(id));
    call->values =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    call->action = kind == PLAN_JOIN ? "addContactsToSubscriptionGroup"
                                     : "addOrUpdateContact";
    return call;
}

static void
call_free(void *data)
{
    PlanCall *call = data;
    json_decref(call->params);
    g_hash_table_unref(call->values);
    g_free(call);
}

static void
call_value(PlanCall *call, const char *name, const char *text)
{
    g_hash_table_insert(call->values, g_strdup(name), g_strdup(text));
}

static json_t *
list_in(PlanCall *call, const char *name)
{
    json_t *list = json_object_get(call->params, name);
    if (list == NULL) {
        list = json_array();
        json_object_set_new(call->params, name, list);
    }
    return list;
}

static void
call_set(PlanCall *call, const Wanted *wanted)
{
    if (g_str_has_prefix(wanted->name, "customFields.")) {
        int64_t id = g_ascii_strtoll(wanted->name + 13, NULL, 10);
        json_array_append_new(list_in(call, "customFields"),
                              json_pack("{s:I, s:O}", "fieldId",
                                        (json_int_t) id, "value",
                                        wanted->value));
    } else if (g_str_has_prefix(wanted->name, "url.")) {
        json_array_append(list_in(call, "externalUrls"), wanted->value);
    } else {
        json_object_set(call->params, wanted->name, wanted->value);
    }
    call_value(call, wanted->name, wanted->text);
}

static void
call_status(PlanCall *call, int status)
{
    char text[8];
    (void) g_snprintf(text, sizeof text, "%d", status);
    json_object_set_new(call->params, "status", json_integer(status));
    call_value(call, "status", text);
}

static void
call_company(PlanCall *call, const CrmView *view, int64_t id)
{
    json_t *list = list_in(call, "companies");
    for (guint i = 0; view != NULL && i < view->companies->len; i++)
        json_array_append_new(
            list, json_integer(g_array_index(view->companies, int64_t, i)));
    json_array_append_new(list, json_integer(id));
    g_autofree char *name = g_strdup_printf("companies.%" PRId64, id);
    call_value(call, name, "1");
}

static void
note(Plan *plan, const char *text)
{
    g_ptr_array_add(plan->notes, g_strdup(text));
}

static void
need_detail(Plan *plan, int64_t id)
{
    if (!id_array_has(plan->details, id))
        g_array_append_val(plan->details, id);
}

/* --- plan: an addition --------------------------------------------------- */

/* For an address whose owner asked never to be written to: names are required,
 * and the address is all that is known. */
static void
suppress_names(PlanCall *call, const char *email)
{
    const char *at = strrchr(email, '@');
    g_autofree char *local =
        g_strndup(email, at != NULL ? (size_t) (at - email) : strlen(email));
    const struct {
        const char *name, *text;
    } names[] = { { "firstName", local },
                  { "lastName", at != NULL ? at + 1 : email } };
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        if (json_object_get(call->params, names[i].name) != NULL)
            continue;
        json_t *value =
            value_string(names[i].text, VALUE_SMALL_TEXT_MAX, false);
        json_object_set_new(call->params, names[i].name, value);
        call_value(call, names[i].name, json_string_value(value));
    }
}

static bool
may_add(const PlanContext *context, const ContactRecord *record, bool others,
        Plan *plan)
{
    const Settings *settings = context->settings;
    const Contact *known = record->known;
    if (!settings->contact.create) {
        note(plan, "not added: create = no");
        return false;
    }
    if (known->role_account && !settings->contact.role_accounts) {
        note(plan, "not added: a shared mailbox");
        return false;
    }
    if (field_text(context, &known->first_name) == NULL ||
        field_text(context, &known->last_name) == NULL) {
        note(plan, "not added: first or last name not known");
        return false;
    }
    if (others && g_strcmp0(known->name_source, "local-part") == 0)
        return false;
    return true;
}

static void
plan_addition(const PlanContext *context, const ContactRecord *record,
              Plan *plan, bool suppress)
{
    const Settings *settings = context->settings;
    int status = status_of_addition(context, record);
    const char *company = suppress ? NULL : company_wanted(context, record);
    if (company != NULL && !context->company_known) {
        plan->company = g_strdup(company);
        return;
    }
    PlanCall *call = call_new(PLAN_ADD, 0);
    g_ptr_array_add(plan->calls, call);
    json_object_set_new(call->params, "email",
                        value_string(record->email, 320, false));
    json_object_set_new(call->params, "updateIfExists", json_true());
    if (!suppress) {
        g_autoptr(GPtrArray) fields = wanted_fields(context, record, NULL);
        g_autoptr(GPtrArray) urls = wanted_urls(context, record);
        g_ptr_array_extend_and_steal(fields, g_steal_pointer(&urls));
        for (guint i = 0; i < fields->len; i++) {
            const Wanted *wanted = fields->pdata[i];
            if (!was_refused(record, wanted->name, wanted->text))
                call_set(call, wanted);
        }
        g_autofree char *company_name =
            g_strdup_printf("companies.%" PRId64, context->company_id);
        if (company != NULL && context->company_id != 0 &&
            !was_refused(record, company_name, "1"))
            call_company(call, NULL, context->company_id);
        char **groups = settings->contact.groups;
        for (size_t i = 0; groups != NULL && groups[i] != NULL &&
                           status != STATUS_OUT && !context->groups_refused;
             i++) {
            int64_t id = group_id(groups[i]);
            g_autofree char *name = g_strdup_printf("groups.%" PRId64, id);
            if (id <= 0 || was_refused(record, name, "1"))
                continue;
            json_array_append_new(
                list_in(call, "groups"),
                json_pack("{s:I}", "groupId", (json_int_t) id));
            call_value(call, name, "1");
        }
        if (settings->contact.privacy_consent != CONSENT_UNSET &&
            !was_refused(record, "privacyConsent", "1"))
            json_object_set_new(
                call->params, "privacyConsent",
                json_boolean(settings->contact.privacy_consent == CONSENT_YES));
    } else {
        suppress_names(call, record->email);
    }
    if (status != 0)
        call_status(call, status);
    if (record->want_sms == STATUS_OUT)
        json_object_set_new(call->params, "smsStatus",
                            json_integer(STATUS_OUT));
}

/* --- plan: a contact that exists ------------------------------------------ */

static PlanCall *
update_of(Plan *plan, int64_t id)
{
    for (guint i = 0; i < plan->calls->len; i++) {
        PlanCall *call = plan->calls->pdata[i];
        if (call->kind == PLAN_UPDATE && call->id == id)
            return call;
    }
    PlanCall *call = call_new(PLAN_UPDATE, id);
    g_ptr_array_add(plan->calls, call);
    return call;
}

/* Links: free places only, our own refs; other people's stay. */
static void
plan_urls(const PlanContext *context, const ContactRecord *record,
          const CrmView *view, Plan *plan)
{
    const CrmContact *entry = entry_of(record, view->id);
    g_autoptr(GPtrArray) urls = wanted_urls(context, record);
    guint places = view->urls->len;
    for (guint i = 0; i < urls->len; i++) {
        const Wanted *wanted = urls->pdata[i];
        const char *own = wrote_get(entry, wanted->name, "");
        if (!view->detailed) {
            bool as_written =
                own != NULL && value_same(SAME_URL, own, wanted->text);
            if (!as_written && wrote_get(entry, wanted->name, "!") == NULL &&
                !was_refused(record, wanted->name, wanted->text))
                need_detail(plan, view->id);
            continue;
        }
        g_autofree char *present = present_text(view, wanted->name);
        bool foreign = false;
        for (guint u = 0; u < view->urls->len; u++) {
            const CrmUrl *url = view->urls->pdata[u];
            foreign = foreign || value_same(SAME_URL, url->url, wanted->text);
        }
        if (foreign || (present[0] == '\0' && places >= 3) ||
            !may_write(context, record, entry, wanted, present))
            continue;
        places += present[0] == '\0' ? 1 : 0;
        call_set(update_of(plan, view->id), wanted);
    }
}

static bool
has_company(const CrmView *view, const char *name)
{
    g_autofree char *folded = value_fold_company(name);
    for (guint i = 0; i < view->company_names->len; i++) {
        g_autofree char *other =
            value_fold_company(view->company_names->pdata[i]);
        if (other[0] != '\0' && strcmp(other, folded) == 0)
            return true;
    }
    return false;
}

static void
plan_company(const PlanContext *context, const ContactRecord *record,
             const CrmView *view, Plan *plan)
{
    const CrmContact *entry = entry_of(record, view->id);
    const char *company = company_wanted(context, record);
    if (company == NULL || has_company(view, company) ||
        (context->settings->contact.overwrite == OVERWRITE_NEVER &&
         view->companies->len > 0))
        return;
    if (!context->company_known) {
        plan->company = g_strdup(company);
        return;
    }
    int64_t id = context->company_id;
    g_autofree char *name = g_strdup_printf("companies.%" PRId64, id);
    if (id != 0 && !id_array_has(view->companies, id) &&
        wrote_get(entry, name, "!") == NULL && !was_refused(record, name, "1"))
        call_company(update_of(plan, view->id), view, id);
}

/* Never for one who unsubscribed: joining a group could undo it. */
static void
plan_groups(const PlanContext *context, const ContactRecord *record,
            const CrmView *view, Plan *plan)
{
    const CrmContact *entry = entry_of(record, view->id);
    char **groups = context->settings->contact.groups;
    if (!context->settings->contact.groups_existing || groups == NULL ||
        context->groups_refused || record->want_status == STATUS_OUT)
        return;
    for (size_t i = 0; groups[i] != NULL; i++) {
        int64_t id = group_id(groups[i]);
        g_autofree char *name = g_strdup_printf("groups.%" PRId64, id);
        if (id <= 0 || id_array_has(view->groups, id) ||
            wrote_get(entry, name, "!") != NULL ||
            was_refused(record, name, "1"))
            continue;
        if (!view->detailed) {
            need_detail(plan, view->id);
            continue;
        }
        if (view->status == STATUS_OUT)
            continue;
        PlanCall *call = call_new(PLAN_JOIN, view->id);
        g_ptr_array_add(plan->calls, call);
        json_object_set_new(call->params, "contacts",
                            json_pack("[I]", (json_int_t) view->id));
        json_object_set_new(call->params, "group", json_integer(id));
        call_value(call, name, "1");
    }
}

static void
plan_fields(const PlanContext *context, const ContactRecord *record,
            const CrmView *view, Plan *plan)
{
    const CrmContact *entry = entry_of(record, view->id);
    g_autoptr(GPtrArray) fields = wanted_fields(context, record, view);
    for (guint i = 0; i < fields->len; i++) {
        const Wanted *wanted = fields->pdata[i];
        g_autofree char *present = present_text(view, wanted->name);
        if (may_write(context, record, entry, wanted, present))
            call_set(update_of(plan, view->id), wanted);
    }
    plan_company(context, record, view, plan);
    plan_urls(context, record, view, plan);
    plan_groups(context, record, view, plan);
}

static void
plan_statuses(const ContactRecord *record, const GPtrArray *views, Plan *plan)
{
    if (record->want_status == 0 && record->want_sms == 0)
        return;
    for (guint i = 0; i < views->len; i++) {
        const CrmView *view = views->pdata[i];
        if (view->anonymised)
            continue;
        if (!view->detailed) {
            need_detail(plan, view->id);
            continue;
        }
        int status = status_change(record, view, entry_of(record, view->id));
        if (status != 0)
            call_status(update_of(plan, view->id), status);
        if (record->want_sms == STATUS_OUT && view->sms_status != STATUS_OUT &&
            !was_refused(record, "smsStatus", "1"))
            json_object_set_new(update_of(plan, view->id)->params, "smsStatus",
                                json_integer(STATUS_OUT));
    }
}

/* --- the whole ----------------------------------------------------------- */

Plan *
plan_make(const PlanContext *context, const ContactRecord *record,
          const GPtrArray *views)
{
    Plan *plan = g_new0(Plan, 1);
    plan->details = g_array_new(FALSE, FALSE, sizeof(int64_t));
    plan->calls = g_ptr_array_new_with_free_func(call_free);
    plan->notes = g_ptr_array_new_with_free_func(g_free);
    if (record->anonymised) {
        note(plan, "left alone: anonymised");
        return plan;
    }
    size_t live = 0;
    for (guint i = 0; i < views->len; i++) {
        const CrmView *view = views->pdata[i];
        live += view->anonymised ? 0 : 1;
    }
    if (views->len > 0 && live == 0) {
        note(plan, "left alone: anonymised");
        return plan;
    }
    plan_statuses(record, views, plan);
    int score = 0;
    bool fields = record->want_fields && record->known != NULL;
    const CrmView *target =
        fields ? best_view(context, record, views, &score) : NULL;

    if (target != NULL) {
        bool shared = record->known->role_account &&
                      !context->settings->contact.role_accounts;
        if (!shared || score >= NAME_SURE) {
            plan->target = target->id;
            plan_fields(context, record, target, plan);
        }
    } else if (fields && may_add(context, record, live > 0, plan)) {
        if (live > 0)
            note(plan, "added beside contacts of the same address, whose "
                       "names differ");
        plan_addition(context, record, plan, false);
    } else if (live == 0 && record->unknown_suppress) {
        plan_addition(context, record, plan, true);
    } else if (live == 0 && !fields && record->want_status == STATUS_OUT) {
        note(plan, "not in the CRM: nothing is changed "
                   "([unsubscribe] unknown = ignore)");
    } else if (live == 0 && !fields &&
               (record->want_status != 0 || record->want_sms != 0)) {
        note(plan, "not in the CRM: nothing is changed");
    }
    if (plan->details->len > 0 || plan->company != NULL)
        g_ptr_array_set_size(plan->calls, 0); /* ask first */
    return plan;
}

void
plan_free(Plan *plan)
{
    if (plan == NULL)
        return;
    g_array_unref(plan->details);
    g_free(plan->company);
    g_ptr_array_unref(plan->calls);
    g_ptr_array_unref(plan->notes);
    g_free(plan);
}

static char *
fingerprint(const PlanContext *context, const ContactRecord *record)
{
    const Settings *settings = context->settings;
    g_autoptr(GString) all = g_string_new(NULL);
    g_autoptr(GPtrArray) fields = wanted_fields(context, record, NULL);
    g_autoptr(GPtrArray) urls = wanted_urls(context, record);
    g_ptr_array_extend_and_steal(fields, g_steal_pointer(&urls));
    for (guint i = 0; i < fields->len; i++) {
        const Wanted *wanted = fields->pdata[i];
        g_string_append_printf(all, "%s=%s\n", wanted->name, wanted->text);
    }
    const char *company = company_wanted(context, record);
    g_string_append_printf(all, "%d %d %d %s\n", settings->contact.overwrite,
                           settings->contact.company,
                           settings->contact.groups_existing ? 1 : 0,
                           company != NULL ? company : "");
    char **groups = settings->contact.groups;
    for (size_t i = 0; settings->contact.groups_existing && groups != NULL &&
                       groups[i] != NULL;
         i++)
        g_string_append_printf(all, "group %s\n", groups[i]);
    g_autofree char *hash =
        g_compute_checksum_for_string(G_CHECKSUM_SHA256, all->str, -1);
    return g_strndup(hash, 32);
}

bool
plan_settled(const PlanContext *context, const ContactRecord *record)
{
    if (record->anonymised)
        return true;
    if (record->want_status != 0 || record->want_sms != 0 ||
        record->unknown_suppress)
        return false;
    if (record->known == NULL || !record->want_fields)
        return true;
    g_autofree char *now = fingerprint(context, record);
    for (guint i = 0; i < record->crm->len; i++)
        if (g_strcmp0(g_hash_table_lookup(
                          ((CrmContact *) record->crm->pdata[i])->wrote, "="),
                      now) == 0)
            return true;
    return false;
}

void
plan_settle(const PlanContext *context, ContactRecord *record, int64_t target)
{
    if (record->known == NULL || !record->want_fields)
        return;
    for (guint i = 0; i < record->crm->len; i++)
        wrote_set(record->crm->pdata[i], "=", "", NULL);
    CrmContact *entry = target != 0 ? entry_of(record, target) : NULL;
    if (entry == NULL)
        return;

    g_autofree char *now = fingerprint(context, record);
    wrote_set(entry, "=", "", now);
}

/* --- outcomes ------------------------------------------------------------ */

void
plan_intend(ContactRecord *record, const PlanCall *call)
{
    CrmContact *entry = entry_make(record, call->id);
    GHashTableIter iter;
    void *name, *text;
    g_hash_table_iter_init(&iter, call->values);
    while (g_hash_table_iter_next(&iter, &name, &text))
        wrote_set(entry, name, "?", text);
}

void
plan_applied(ContactRecord *record, const PlanCall *call, int64_t id)
{
    if (call->kind == PLAN_ADD) {
        CrmContact *added = entry_of(record, 0);
        if (added != NULL && entry_of(record, id) == NULL)
            added->id = id;
        else if (added != NULL)
            g_ptr_array_remove(record->crm, added);
    }
    CrmContact *entry = entry_make(record, id);
    GHashTableIter iter;
    void *name, *text;
    g_hash_table_iter_init(&iter, call->values);
    while (g_hash_table_iter_next(&iter, &name, &text)) {
        wrote_set(entry, name, "", text);
        wrote_set(entry, name, "?", NULL);
        wrote_set(entry, name, "!", NULL);
        if (strcmp(name, "status") == 0)
            entry->status_set = g_ascii_strtoll(text, NULL, 10);
    }
}

void
plan_dropped(ContactRecord *record, const PlanCall *call)
{
    CrmContact *entry = entry_of(record, call->id);
    if (entry == NULL)
        return;
    if (call->kind == PLAN_ADD) {
        g_ptr_array_remove(record->crm, entry);
        return;
    }
    GHashTableIter iter;
    void *name;
    g_hash_table_iter_init(&iter, call->values);
    while (g_hash_table_iter_next(&iter, &name, NULL))
        wrote_set(entry, name, "?", NULL);
}

bool
plan_has_date(const PlanCall *call, GHashTable *definitions)
{
    size_t index;
    const json_t *entry;
    json_array_foreach(json_object_get(call->params, "customFields"), index,
                       entry)
    {
        const FieldDefinition *field = definitions_get(
            definitions, answer_integer(json_object_get(entry, "fieldId"), 0));
        if (field != NULL && field->type == FIELD_DATE)
            return true;
    }
    return false;
}

static void
refuse(ContactRecord *record, PlanCall *call, const char *name,
       const char *words)
{
    const char *text = g_hash_table_lookup(call->values, name);
    g_hash_table_insert(record->refused, g_strdup(name), g_strdup(words));
    g_hash_table_insert(
        record->refused, g_strconcat(name, "=", NULL),
        g_strdup(text != NULL && strcmp(name, "status") != 0 ? text : "1"));
    CrmContact *entry = entry_of(record, call->id);
    if (entry != NULL)
        wrote_set(entry, name, "?", NULL);
    g_hash_table_remove(call->values, name);
}

/* All names of the call's values that begin so. */
static void
refuse_prefix(ContactRecord *record, PlanCall *call, const char *prefix,
              const char *words)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    GHashTableIter iter;
    void *name;
    g_hash_table_iter_init(&iter, call->values);
    while (g_hash_table_iter_next(&iter, &name, NULL))
        if (g_str_has_prefix(name, prefix))
            g_ptr_array_add(names, g_strdup(name));
    for (guint i = 0; i < names->len; i++)
        refuse(record, call, names->pdata[i], words);
}

/* Does `text` have this number as a word of its own? */
static bool
names_number(const char *text, int64_t number)
{
    g_autofree char *digits = g_strdup_printf("%" PRId64, number);
    size_t length = strlen(digits);
    for (const char *p = strstr(text, digits); p != NULL;
         p = strstr(p + 1, digits))
        if ((p == text || !g_ascii_isdigit(p[-1])) &&
            !g_ascii_isdigit(p[length]))
            return true;
    return false;
}

static void
refuse_custom(ContactRecord *record, PlanCall *call, const char *parameter,
              const char *words, GHashTable *definitions)
{
    json_t *list = json_object_get(call->params, "customFields");
    bool named = false;
    for (size_t i = json_array_size(list); i-- > 0;) {
        int64_t id = answer_integer(
            json_object_get(json_array_get(list, i), "fieldId"), 0);
        const FieldDefinition *field = definitions_get(definitions, id);
        bool this_one = names_number(parameter, id) ||
                        names_number(words, id) ||
                        (field != NULL && strlen(field->name) >= 3 &&
                         strstr(words, field->name) != NULL);
        if (!this_one)
            continue;
        g_autofree char *name = g_strdup_printf("customFields.%" PRId64, id);
        refuse(record, call, name, words);
        json_array_remove(list, i);
        named = true;
    }
    if (!named || json_array_size(list) == 0) {
        refuse_prefix(record, call, "customFields.", words);
        json_object_del(call->params, "customFields");
    }
}

bool
plan_repair(ContactRecord *record, PlanCall *call, const Answer *answer,
            GHashTable *definitions)
{
    const char *parameter = answer->parameter;
    if (parameter == NULL || call->kind == PLAN_JOIN ||
        answer->specific == SPECIFIC_REQUIRED)
        return false;
    static const char *const lists[][2] = { { "groups", "groups." },
                                            { "companies", "companies." },
                                            { "externalUrls", "url." } };
    const char *words = answer->message;
    if (g_str_has_prefix(parameter, "customFields")) {
        if (json_object_get(call->params, "customFields") == NULL)
            return false;
        refuse_custom(record, call, parameter, words, definitions);
    } else {
        bool required =
            strcmp(parameter, "id") == 0 ||
            (call->kind == PLAN_ADD && (strcmp(parameter, "firstName") == 0 ||
                                        strcmp(parameter, "lastName") == 0 ||
                                        strcmp(parameter, "email") == 0));
        const json_t *value = json_object_get(call->params, parameter);
        bool status = strcmp(parameter, "status") == 0 ||
                      strcmp(parameter, "smsStatus") == 0;
        /* A contact without its opt-out is worse than none. */
        if (required || value == NULL ||
            (status && call->kind == PLAN_ADD &&
             json_integer_value(value) == STATUS_OUT))
            return false;
        bool list = false;
        for (size_t i = 0; i < G_N_ELEMENTS(lists); i++) {
            if (strcmp(parameter, lists[i][0]) != 0)
                continue;
            refuse_prefix(record, call, lists[i][1], words);
            list = true;
        }
        if (status)
            g_hash_table_remove(call->values, parameter);
        else if (!list)
            refuse(record, call, parameter, words);
        json_object_del(call->params, parameter);
    }
    return call->kind == PLAN_ADD || json_object_size(call->params) > 1;
}
