/*
 * fuzz_answer.c - whatever the API answers, we stay alive
 *
 * The bytes are an answer; it is read as each kind of list, and planned with.
 */
#include "crm/batch.h"
#include "crm/plan.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static Settings *settings;

static void
ignore_problem(const char *problem, void *data)
{
    (void) data;
    (void) problem;
}

static void
plan_with(GPtrArray *views, GHashTable *definitions, const Answer *answer)
{
    g_autoptr(ContactRecord) record = contact_record_new("ann@example.org");
    record->known = contact_new("ann@example.org");
    field_set(&record->known->first_name, "Ann", "From", 1);
    field_set(&record->known->last_name, "Lee", "From", 1);
    field_set(&record->known->job_title, "Chef", "line", 1);
    field_set(&record->known->company, "Example Ltd", "line", 1);
    record->want_fields = true;
    record->want_status = 2;
    PlanContext context = { .settings = settings, .definitions = definitions };
    plan_reconcile(record, views);
    g_autoptr(Plan) plan = plan_make(&context, record, views);
    for (guint i = 0; i < plan->calls->len; i++) {
        PlanCall *call = plan->calls->pdata[i];
        plan_intend(record, call);
        if (!plan_repair(record, call, answer, definitions))
            plan_applied(record, call, 7);
    }
    plan_reconcile(record, views);
    plan_settle(&context, record, 7);
    (void) plan_settled(&context, record);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (settings == NULL) {
        settings = settings_load(NULL, ROLE_TOOL, ignore_problem, NULL);
        settings->custom_fields.job_title = 1;
        settings->contact.company = COMPANY_MATCH;
    }
    int http = size > 0 && data[0] == 0xFF ? 500 : 200;
    g_autofree char *copy = g_memdup2(data, size);
    g_auto(Answer) answer = { 0 };
    answer_parse(&answer, http, copy, size);

    int64_t total = 0, count = 0;
    g_autoptr(GPtrArray) views = view_array_new();
    view_list(views, answer.body, "ann@example.org", &total, &count);
    CrmView *view = view_contact(answer.body);
    if (view != NULL)
        g_ptr_array_add(views, view);
    g_autoptr(GPtrArray) companies = company_array_new();
    view_companies(companies, answer.body, &total, &count);
    GHashTable *definitions = view_definitions(answer.body);
    GArray *groups = view_groups(answer.body);
    if (groups != NULL)
        g_array_unref(groups);
    plan_with(views, definitions, &answer);
    if (definitions != NULL)
        g_hash_table_unref(definitions);

    Request *requests[] = {
        request_new("contact", "getContact", json_pack("{s:i}", "id", 6)),
        request_new("contact", "getContactList", json_object())
    };
    batch_assign(requests, G_N_ELEMENTS(requests),
                 json_object_get(answer.body, "results"));
    for (size_t i = 0; i < G_N_ELEMENTS(requests); i++)
        request_free(requests[i]);
    return 0;
}
