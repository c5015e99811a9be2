/*
 * test_plan.c - the planner, row by row: what is known, what the CRM has, what
 * is sent
 */
#include "crm/plan.h"
#include "crm/values.h"
#include "standin.h"

#include <string.h>

/* One parameter of addOrUpdateContact. Known is what the mail says, view what
 * getContact answers, wrote what we wrote before; sent is the expected update
 * ("" for no call). Single quotes stand for double ones. */
typedef struct {
    const char *name;
    const char *view;  /* members beside id and email */
    const char *wrote; /* NAME=VALUE; NULL nothing */
    int overwrite;
    const char *sent;
} PlanCase;

#define ANN "'firstName':'Ann','lastName':'Lee'"
#define FULL \
    ANN ",'phone':'+61255501234','customFields':[{'fieldId':1,'value':" \
        "'Chef'}],'companies':[5],'companiesData':[{'id':5," \
        "'businessName':'Example'}],'externalUrls':[{'ref':" \
        "'contact-milter-website','url':'https://example.org'}]"

static const PlanCase cases[] = {
    { "all the same", FULL, NULL, OVERWRITE_OWN, "" },
    { "written otherwise",
      "'firstName':'ANN','lastName':'lee','phone':'(02) 5550 1234',"
      "'customFields':[{'fieldId':1,'value':' chef'}],'companies':[5],"
      "'companiesData':[{'id':5,'businessName':'EXAMPLE PTY LTD'}],"
      "'externalUrls':[{'ref':'other','url':'https://www.example.org/'}]",
      NULL, OVERWRITE_ALWAYS, "" },
    { "blank phone", FULL ",'phone':''", NULL, OVERWRITE_NEVER,
      "{'id':6,'phone':'+61255501234'}" },
    { "blank as null", FULL ",'phone':null", NULL, OVERWRITE_OWN,
      "{'id':6,'phone':'+61255501234'}" },
    { "other phone, own", FULL ",'phone':'555 9999'", NULL, OVERWRITE_OWN, "" },
    { "other phone, never", FULL ",'phone':'555 9999'", "phone=555 9999",
      OVERWRITE_NEVER, "" },
    { "other phone, ours", FULL ",'phone':'555 9999'", "phone=5559999",
      OVERWRITE_OWN, "{'id':6,'phone':'+61255501234'}" },
    { "other phone, always", FULL ",'phone':'555 9999'", NULL, OVERWRITE_ALWAYS,
      "{'id':6,'phone':'+61255501234'}" },
    { "a person removed our phone", FULL ",'phone':''", "phone=+61255501234",
      OVERWRITE_OWN, "" },
    { "a person changed it, always", FULL ",'phone':'555 9999'",
      "phone=+61255501234", OVERWRITE_ALWAYS,
      "{'id':6,'phone':'+61255501234'}" },
    { "blank first name", FULL ",'firstName':''", NULL, OVERWRITE_OWN,
      "{'firstName':'Ann','id':6}" },
    { "ours: last name", FULL ",'lastName':'Lee-Day'", "lastName=Lee-Day",
      OVERWRITE_OWN, "{'id':6,'lastName':'Lee'}" },
    { "a person's last name", FULL ",'lastName':'Lee-Day'", NULL, OVERWRITE_OWN,
      "" },
    { "blank custom field", FULL ",'customFields':[]", NULL, OVERWRITE_NEVER,
      "{'customFields':[{'fieldId':1,'value':'Chef'}],'id':6}" },
    { "a person's custom field",
      FULL ",'customFields':[{'fieldId':1,'value':'Boss'}]", NULL,
      OVERWRITE_OWN, "" },
    { "our custom field", FULL ",'customFields':[{'fieldId':1,'value':'Boss'}]",
      "customFields.1=Boss", OVERWRITE_OWN,
      "{'customFields':[{'fieldId':1,'value':'Chef'}],'id':6}" },
    { "company added to the list",
      FULL ",'companies':[9],'companiesData':[{'id':9,'businessName':'Old'}]",
      NULL, OVERWRITE_OWN, "{'companies':[9,5],'id':6}" },
    { "company, never, with one there",
      FULL ",'companies':[9],'companiesData':[{'id':9,'businessName':'Old'}]",
      NULL, OVERWRITE_NEVER, "" },
    { "company that a person took away",
      FULL ",'companies':[],'companiesData':[]", "companies.5=1", OVERWRITE_OWN,
      "" },
    { "link in a free place",
      FULL ",'externalUrls':[{'ref':'a','url':'https://example.com/a'}]", NULL,
      OVERWRITE_OWN,
      "{'externalUrls':[{'label':'Website','ref':'contact-milter-website',"
      "'url':'https://example.org'}],'id':6}" },
    { "no free place",
      FULL ",'externalUrls':[{'ref':'a','url':'https://example.com/a'},"
           "{'ref':'b','url':'https://example.com/b'},"
           "{'ref':'c','url':'https://example.com/c'}]",
      NULL, OVERWRITE_ALWAYS, "" },
    { "our link, changed",
      FULL ",'externalUrls':[{'ref':'contact-milter-website','url':"
           "'https://old.example'}]",
      "url.website=https://old.example", OVERWRITE_OWN,
      "{'externalUrls':[{'label':'Website','ref':'contact-milter-website',"
      "'url':'https://example.org'}],'id':6}" },
    { "our link, by a person",
      FULL ",'externalUrls':[{'ref':'contact-milter-website','url':"
           "'https://old.example'}]",
      NULL, OVERWRITE_OWN, "" },
    { "anonymised", ANN ",'isAnonymised':true", NULL, OVERWRITE_ALWAYS, "" },
};

static GHashTable *
definitions(void)
{
    json_t *body =
        json_of("[{'fieldId':1,'fieldType':0,'displayName':'Job title'}]");
    GHashTable *table = view_definitions(body);
    json_decref(body);
    return table;
}

static ContactRecord *
known_record(void)
{
    ContactRecord *record = contact_record_new("ann@example.org");
    record->known = test_contact("ann@example.org", "Ann", "Lee");
    test_phone(record->known, PHONE_FAX, "+61255500000");
    test_phone(record->known, PHONE_WORK, "+61255501234");
    field_set(&record->known->job_title, "Chef", "line", 0.9);
    field_set(&record->known->company, "Example Pty Ltd", "line", 0.9);
    field_set(&record->known->website, "https://example.org", "line", 0.9);
    field_set(&record->known->address, "unsure", "line", 0.2);
    record->want_fields = true;
    return record;
}

static GPtrArray *
views_of(const char *members)
{
    g_autofree char *text = g_strdup_printf(
        "{'id':6,'email':'ann@example.org','status':1,%s}", members);
    json_t *body = json_of(text);
    GPtrArray *views = view_array_new();
    g_ptr_array_add(views, view_contact(body));
    json_decref(body);
    return views;
}

static char *
sent_text(const Plan *plan)
{
    if (plan->calls->len == 0)
        return g_strdup("");
    const PlanCall *call = plan->calls->pdata[0];
    char *dump = json_dumps(call->params, JSON_COMPACT | JSON_SORT_KEYS);
    char *text = g_strdelimit(g_strdup(dump), "\"", '\'');
    free(dump);
    return text;
}

static void
test_rows(void)
{
    g_autoptr(GHashTable) fields = definitions();
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const PlanCase *row = &cases[i];
        g_autoptr(Settings) settings = test_settings("http://127.0.0.1:1");
        settings->contact.overwrite = row->overwrite;
        settings->contact.company = COMPANY_MATCH;
        settings->custom_fields.job_title = 1;
        settings->custom_fields.address = 1;
        g_autoptr(ContactRecord) record = known_record();
        if (row->wrote != NULL) {
            g_auto(GStrv) pair = g_strsplit(row->wrote, "=", 2);
            CrmContact *entry = crm_contact_new(6);
            g_hash_table_insert(entry->wrote, g_strdup(pair[0]),
                                g_strdup(pair[1]));
            g_ptr_array_add(record->crm, entry);
        }
        g_autoptr(GPtrArray) views = views_of(row->view);
        PlanContext context = { .settings = settings,
                                .definitions = fields,
                                .company_known = true,
                                .company_id = 5 };
        plan_reconcile(record, views);
        g_autoptr(Plan) plan = plan_make(&context, record, views);
        g_autofree char *sent = sent_text(plan);
        if (strcmp(sent, row->sent) != 0 || plan->calls->len > 1)
            g_error("%s: %s, expected %s", row->name, sent, row->sent);
    }
}

/* Everything that an addition can bear. */
static void
test_addition(void)
{
    g_autoptr(GHashTable) fields = definitions();
    g_autoptr(Settings) settings = test_settings("http://127.0.0.1:1");
    static const char *const groups[] = { "10", "11", NULL };
    test_list(&settings->contact.groups, groups);
    settings->contact.company = COMPANY_MATCH;
    settings->contact.external_id = EXTERNAL_ID_EMAIL;
    settings->contact.privacy_consent = CONSENT_NO;
    settings->custom_fields.job_title = 1;
    g_autoptr(ContactRecord) record = known_record();
    record->want_sms = 2;
    g_autoptr(GPtrArray) views = view_array_new();
    PlanContext context = { .settings = settings,
                            .definitions = fields,
                            .company_known = true,
                            .company_id = 5 };
    g_autoptr(Plan) plan = plan_make(&context, record, views);
    g_autofree char *sent = sent_text(plan);
    g_assert_cmpstr(
        sent, ==,
        "{'companies':[5],'customFields':[{'fieldId':1,'value':'Chef'}],"
        "'email':'ann@example.org','externalId':'ann@example.org',"
        "'externalUrls':[{'label':'Website','ref':'contact-milter-website',"
        "'url':'https://example.org'}],'firstName':'Ann',"
        "'groups':[{'groupId':10},{'groupId':11}],'lastName':'Lee',"
        "'phone':'+61255501234','privacyConsent':false,'smsStatus':2,"
        "'status':5,'updateIfExists':true}");
}

/* An external id is for contacts that we add, whatever `overwrite` says. */
static void
test_external_id(void)
{
    static const int modes[] = { OVERWRITE_NEVER, OVERWRITE_OWN,
                                 OVERWRITE_ALWAYS };
    static const char *const no_urls[] = { NULL };
    for (size_t i = 0; i < G_N_ELEMENTS(modes); i++) {
        g_autoptr(Settings) settings = test_settings("http://127.0.0.1:1");
        settings->contact.external_id = EXTERNAL_ID_HASH;
        settings->contact.overwrite = modes[i];
        g_autoptr(ContactRecord) record = known_record();
        g_autoptr(GPtrArray) views = view_array_new();
        PlanContext context = { .settings = settings };
        g_autoptr(Plan) addition = plan_make(&context, record, views);
        g_autofree char *added = sent_text(addition);
        g_assert_nonnull(strstr(added, "'externalId'"));
        json_t *list = json_pack("{s:[{s:i,s:s,s:s,s:s}]}", "results", "id", 7,
                                 "firstName", "Ann", "lastName", "Lee", "email",
                                 "ann@example.org");
        int64_t total, count;
        view_list(views, list, "ann@example.org", &total, &count);
        json_decref(list);
        g_assert_cmpuint(views->len, ==, 1);
        test_list(&settings->contact.urls, no_urls); /* ask no details */
        g_autoptr(Plan) update = plan_make(&context, record, views);
        g_autofree char *sent = sent_text(update);
        g_assert_nonnull(strstr(sent, "'phone'"));
        g_assert_null(strstr(sent, "'externalId'"));
    }
}

typedef struct {
    int new_status, want;
    int status; /* 0: not sent */
    bool groups;
} AddCase;

static const AddCase add_cases[] = {
    { 5, 0, 5, true },  { 1, 0, 1, true },  { 0, 0, 0, true },
    { 1, 3, 3, true },  { 5, 3, 5, true },  { 0, 3, 3, true },
    { 1, 2, 2, false }, { 5, 2, 2, false },
};

static void
test_addition_status(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(add_cases); i++) {
        const AddCase *row = &add_cases[i];
        g_autoptr(Settings) settings = test_settings("http://127.0.0.1:1");
        static const char *const groups[] = { "10", NULL };
        test_list(&settings->contact.groups, groups);
        settings->contact.new_status = row->new_status;
        g_autoptr(ContactRecord) record = known_record();
        record->want_status = row->want;
        g_autoptr(GPtrArray) views = view_array_new();
        PlanContext context = { .settings = settings };
        g_autoptr(Plan) plan = plan_make(&context, record, views);
        const PlanCall *call = plan->calls->pdata[0];
        g_assert_cmpint(
            json_integer_value(json_object_get(call->params, "status")), ==,
            row->status);
        g_assert_true((json_object_get(call->params, "groups") != NULL) ==
                      row->groups);
    }
}

/* Each parameter refused: it is left out, and remembered. */
static void
test_repair(void)
{
    static const struct {
        const char *message;
        int specific;
        bool repaired;
        const char *gone;
    } rows[] = {
        { "'phone' does not validate", SPECIFIC_INVALID, true, "phone" },
        { "'customFields' does not validate; field 1", SPECIFIC_INVALID, true,
          "customFields" },
        { "\"groups\" does not validate", SPECIFIC_INVALID, true, "groups" },
        { "'companies' does not validate", SPECIFIC_INVALID, true,
          "companies" },
        { "'externalUrls' does not validate", SPECIFIC_INVALID, true,
          "externalUrls" },
        { "'externalId' does not validate", SPECIFIC_INVALID, true,
          "externalId" },
        { "'privacyConsent' does not validate", SPECIFIC_INVALID, true,
          "privacyConsent" },
        { "'smsStatus' does not validate", SPECIFIC_INVALID, false, NULL },
        { "'email' does not validate", SPECIFIC_INVALID, false, NULL },
        { "'firstName' is required", SPECIFIC_REQUIRED, false, NULL },
        { "'surprise' does not validate", SPECIFIC_INVALID, false, NULL },
        { "something is wrong", SPECIFIC_INVALID, false, NULL },
    };
    g_autoptr(GHashTable) fields = definitions();
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(Settings) settings = test_settings("http://127.0.0.1:1");
        static const char *const groups[] = { "10", NULL };
        test_list(&settings->contact.groups, groups);
        settings->contact.company = COMPANY_MATCH;
        settings->contact.external_id = EXTERNAL_ID_HASH;
        settings->contact.privacy_consent = CONSENT_YES;
        settings->custom_fields.job_title = 1;
        g_autoptr(ContactRecord) record = known_record();
        record->want_sms = 2;
        g_autoptr(GPtrArray) views = view_array_new();
        PlanContext context = { .settings = settings,
                                .definitions = fields,
                                .company_known = true,
                                .company_id = 5 };
        g_autoptr(Plan) plan = plan_make(&context, record, views);
        PlanCall *call = plan->calls->pdata[0];
        plan_intend(record, call);
        json_t *body =
            json_pack("{s:i,s:s,s:i}", "errorCode", 400, "message",
                      rows[i].message, "specificCode", rows[i].specific);
        g_auto(Answer) answer = { 0 };
        answer_from_json(&answer, body);
        json_decref(body);
        g_assert_cmpint(answer.kind, ==, ANSWER_REQUEST);
        bool repaired = plan_repair(record, call, &answer, fields);
        if (repaired != rows[i].repaired)
            g_error("%s", rows[i].message);
        if (rows[i].gone == NULL)
            continue;
        g_assert_null(json_object_get(call->params, rows[i].gone));
        g_assert_nonnull(json_object_get(call->params, "firstName"));
        g_assert_cmpuint(g_hash_table_size(record->refused), >=, 2);
        /* and it is not tried again with the same value */
        g_autoptr(Plan) again = plan_make(&context, record, views);
        const PlanCall *next = again->calls->pdata[0];
        g_assert_null(json_object_get(next->params, rows[i].gone));
    }
}

typedef struct {
    const char *crm_first, *crm_last, *first, *last;
    int least, most;
} NameCase;

static const NameCase names[] = {
    { "Ann", "Lee", "Ann", "Lee", 100, 100 },
    { "ANN", "LEE", "Ann", "Lee", 100, 100 },
    { "Zo\303\253", "Stra\303\237e", "Zoe", "Strasse", 100, 100 },
    { "Ann Marie", "Lee", "Ann", "Lee", 60, 80 },
    { "A.", "Lee", "Ann", "Lee", 60, 80 },
    { "Robert", "Day", "Bob", "Day", 60, 80 },
    { "Lee", "Ann", "Ann", "Lee", 80, 95 },
    { "Ann", "", "Ann", "Lee", 60, 80 },
    { "", "", "Ann", "Lee", 40, 60 },
    { "Ann", "Lee-Day", "Ann", "Lee", 60, 80 },
    { "Ann", "Fox", "Ann", "Lee", 1, 50 },
    { "John", "Lee", "Mary", "Lee", 0, 0 },
    { "Bo", "Day", "Ann", "Lee", 0, 0 },
};

static void
test_names(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        const NameCase *row = &names[i];
        int score = plan_name_score(row->crm_first, row->crm_last, row->first,
                                    row->last);
        if (score < row->least || score > row->most)
            g_error("%s %s, %s %s: %d", row->crm_first, row->crm_last,
                    row->first, row->last, score);
    }
}

static void
test_sameness(void)
{
    static const struct {
        Sameness how;
        const char *a, *b;
        bool same;
    } rows[] = {
        { SAME_PHONE, "+61255501234", "(02) 5550 1234", true },
        { SAME_PHONE, "+61255501234", "0061 2 5550 1234 ext. 5", true },
        { SAME_PHONE, "+61 (0)2 5550 1234", "+61255501234", true },
        { SAME_PHONE, "+61255501234", "+61355501234", false },
        { SAME_PHONE, "+61255501234", "1234", false },
        { SAME_URL, "https://www.example.org/", "example.org", true },
        { SAME_URL, "https://example.org/a", "https://example.org/b", false },
        { SAME_DAY, "2026-01-02 10:00:00 UTC", "2026-01-02", true },
        { SAME_TEXT, "Head  chef", "head Chef ", true },
        { SAME_TEXT, "C", "C++", false },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        if (value_same(rows[i].how, rows[i].a, rows[i].b) != rows[i].same)
            g_error("%s, %s", rows[i].a, rows[i].b);
    static const char *const companies[][2] = {
        { "Example Pty. Ltd.", "EXAMPLE" },
        { "Example GmbH & Co. KG", "example" },
        { "Acme Holdings, Inc.", "Acme Holdings" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(companies); i++) {
        g_autofree char *a = value_fold_company(companies[i][0]);
        g_autofree char *b = value_fold_company(companies[i][1]);
        g_assert_cmpstr(a, ==, b);
    }
    g_autofree char *core = value_company_core("Acme Holdings, Pty. Ltd.");
    g_assert_cmpstr(core, ==, "Acme Holdings");
}

/* Field types: what they hold, and what they refuse. */
static void
test_field_types(void)
{
    json_t *body =
        json_of("[{'fieldId':1,'fieldType':0},{'fieldId':2,'fieldType':1},"
                "{'fieldId':3,'fieldType':2,'selectValues':['Chef','Cook']},"
                "{'fieldId':4,'fieldType':3,'selectValues':['Chef','Cook']},"
                "{'fieldId':5,'fieldType':4},{'fieldId':6,'fieldType':5},"
                "{'fieldId':7,'fieldType':6},{'fieldId':8,'fieldType':7},"
                "{'fieldId':9,'fieldType':8},"
                "{'fieldId':10,'fieldType':0,'isActive':false}]");
    static const struct {
        int64_t id;
        const char *text, *json; /* NULL: refused */
    } rows[] = {
        { 1, "a\nb", "'a, b'" },
        { 2, "a\nb", "'a\\nb'" },
        { 3, "chef", "'Chef'" },
        { 3, "Boss", NULL },
        { 4, "cook", "['Cook']" },
        { 4, "Boss", NULL },
        { 5, "1 St", "{'line1':'1 St'}" },
        { 6, "2026-01-02", "'2026-01-02'" },
        { 6, "yesterday", NULL },
        { 7, "x", NULL },
        { 8, "x", NULL },
        { 9, "12", "12" },
        { 9, "+61", NULL },
        { 9, "twelve", NULL },
        { 10, "x", NULL },
    };
    g_autoptr(GHashTable) table = view_definitions(body);
    json_decref(body);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        const char *why = "";
        json_t *value = value_for_field(definitions_get(table, rows[i].id),
                                        rows[i].text, NULL, NULL, &why);
        char *dump = value != NULL
                         ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY)
                         : NULL;
        if (dump != NULL)
            g_strdelimit(dump, "\"", '\'');
        if (g_strcmp0(dump, rows[i].json) != 0)
            g_error("field %d, %s: %s", (int) rows[i].id, rows[i].text, dump);
        free(dump);
        json_decref(value);
    }
    g_autofree char *longer = g_strnfill(300, 'x');
    const char *why;
    json_t *cut =
        value_for_field(definitions_get(table, 1), longer, NULL, NULL, &why);
    g_assert_cmpuint(json_string_length(cut), ==, VALUE_SMALL_TEXT_MAX);
    json_decref(cut);
}

/* A request of somebody whom the CRM does not know leaves a word. */
static void
test_unknown_address(void)
{
    Settings settings = { .contact.min_confidence = 0.7 };
    PlanContext context = { .settings = &settings };
    g_autoptr(ContactRecord) record = contact_record_new("ann@example.org");
    g_autoptr(GPtrArray) views = g_ptr_array_new();
    record->want_status = 2;
    Plan *plan = plan_make(&context, record, views);
    g_assert_cmpuint(plan->calls->len, ==, 0);
    g_assert_cmpuint(plan->notes->len, ==, 1);
    g_assert_cmpstr(plan->notes->pdata[0], ==,
                    "not in the CRM: nothing is changed "
                    "([unsubscribe] unknown = ignore)");
    plan_free(plan);
}

static void
test_answers(void)
{
    static const struct {
        int http;
        const char *body;
        AnswerKind kind;
        const char *parameter;
    } rows[] = {
        { 200, "{}", ANSWER_OK, NULL },
        { 200, "[]", ANSWER_OK, NULL },
        { 200, "{\"success\":true}", ANSWER_OK, NULL },
        { 200, "{\"success\":false,\"message\":\"'phone' no\"}", ANSWER_REQUEST,
          "phone" },
        { 200, "{\"errorCode\":400,\"message\":\"'a.1' no\"}", ANSWER_REQUEST,
          "a.1" },
        { 500, "{\"errorCode\":\"400\"}", ANSWER_REQUEST, NULL },
        { 200, "{\"errorCode\":401}", ANSWER_CREDENTIALS, NULL },
        { 200, "{\"errorCode\":463}", ANSWER_CREDENTIALS, NULL },
        { 200, "{\"errorCode\":404}", ANSWER_ENDPOINT, NULL },
        { 200, "{\"errorCode\":429}", ANSWER_RATE, NULL },
        { 429, "", ANSWER_RATE, NULL },
        { 200, "{\"errorCode\":461}", ANSWER_TROUBLE, NULL },
        { 200, "{\"errorCode\":500}", ANSWER_TROUBLE, NULL },
        { 502, "{\"success\":true}", ANSWER_TROUBLE, NULL },
        { 302, "", ANSWER_ENDPOINT, NULL },
        { 200, "", ANSWER_TROUBLE, NULL },
        { 200, "<html>", ANSWER_TROUBLE, NULL },
        { 200, "\"text\"", ANSWER_TROUBLE, NULL },
        { 200, "{\"a\":\"\377\"}", ANSWER_OK, NULL },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        size_t length = strlen(rows[i].body);
        g_autofree char *copy = g_memdup2(rows[i].body, length);
        g_auto(Answer) answer = { 0 };
        answer_parse(&answer, rows[i].http, copy, length);
        if (answer.kind != rows[i].kind ||
            g_strcmp0(answer.parameter, rows[i].parameter) != 0)
            g_error("%d %s: %s", rows[i].http, rows[i].body,
                    answer_kind_name(answer.kind));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/plan/rows", test_rows);
    g_test_add_func("/plan/addition", test_addition);
    g_test_add_func("/plan/external-id", test_external_id);
    g_test_add_func("/plan/addition-status", test_addition_status);
    g_test_add_func("/plan/repair", test_repair);
    g_test_add_func("/plan/names", test_names);
    g_test_add_func("/plan/sameness", test_sameness);
    g_test_add_func("/plan/field-types", test_field_types);
    g_test_add_func("/plan/unknown-address", test_unknown_address);
    g_test_add_func("/plan/answers", test_answers);
    return g_test_run();
}
