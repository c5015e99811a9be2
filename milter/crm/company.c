/*
 * company.c - finds a company by business or trading name
 *
 * Case, punctuation and legal forms do not count, which the API's filter does
 * not know: so it is asked for names that contain the core of ours, and the
 * comparison is made here. One that is to be created goes through
 * updateIfExists, after the search has found none.
 */
#include "crm/company.h"

#include "crm/values.h"

#include <string.h>

enum { STEP_BUSINESS, STEP_TRADING, STEP_CREATE };
enum { PAGE = 100, KNOWN_FOR_S = 24 * 3600 };

struct Companies {
    GHashTable *by_name; /* folded -> Company */
    bool no_trading;     /* the API has no such filter */
};

static void
company_free(void *data)
{
    Company *company = data;
    g_free(company->name);
    g_free(company->core);
    g_free(company->folded);
    g_free(company->phone);
    g_free(company->website);
    g_free(company->reason);
    request_free(company->request);
    g_free(company);
}

Companies *
companies_new(void)
{
    Companies *companies = g_new0(Companies, 1);
    companies->by_name =
        g_hash_table_new_full(g_str_hash, g_str_equal, NULL, company_free);
    return companies;
}

void
companies_free(Companies *companies)
{
    if (companies == NULL)
        return;
    g_hash_table_unref(companies->by_name);
    g_free(companies);
}

static void
ask(Company *company, int step, int64_t start)
{
    company->step = step;
    company->start = start;
    request_free(company->request);
    if (step == STEP_CREATE) {
        json_t *params =
            json_pack("{s:o, s:b}", "businessName",
                      value_string(company->name, VALUE_SMALL_TEXT_MAX, false),
                      "updateIfExists", 1);
        if (company->phone != NULL)
            json_object_set_new(params, "phone",
                                value_string(company->phone, 40, false));
        if (company->website != NULL)
            json_object_set_new(
                params, "website",
                value_string(company->website, VALUE_SMALL_TEXT_MAX, false));
        company->request = request_new("contact", "addOrUpdateCompany", params);
        return;
    }
    company->request = request_new(
        "contact", "getCompanyList",
        json_pack("{s:i, s:I, s:{s:o}}", "perPage", (int) PAGE, "start",
                  (json_int_t) start, "filter",
                  step == STEP_BUSINESS ? "businessName__CONTAINS"
                                        : "tradingName__CONTAINS",
                  value_string(company->core, VALUE_SMALL_TEXT_MAX, false)));
}

Company *
companies_get(Companies *companies, const char *name, bool create,
              const char *phone, const char *website, int64_t now)
{
    g_autofree char *folded = value_fold_company(name);
    Company *company = g_hash_table_lookup(companies->by_name, folded);
    if (company != NULL &&
        (company->state != COMPANY_KNOWN || now < company->until))
        return company;
    if (company != NULL)
        g_hash_table_remove(companies->by_name, folded);
    company = g_new0(Company, 1);
    company->name = g_strdup(name);
    company->core = value_company_core(name);
    company->folded = g_steal_pointer(&folded);
    company->phone = g_strdup(phone);
    company->website = g_strdup(website);
    company->create = create;
    ask(company, STEP_BUSINESS, 0);
    g_hash_table_insert(companies->by_name, company->folded, company);
    return company;
}

static void
known(Company *company, int64_t id, int64_t now)
{
    company->state = COMPANY_KNOWN;
    company->id = id;
    company->until = now + KNOWN_FOR_S;
    g_clear_pointer(&company->request, request_free);
}

static int64_t
match(const Company *company, const GPtrArray *list)
{
    for (guint i = 0; i < list->len; i++) {
        const CompanyView *view = list->pdata[i];
        g_autofree char *business = value_fold_company(view->business_name);
        g_autofree char *trading = value_fold_company(view->trading_name);
        if (strcmp(business, company->folded) == 0 ||
            strcmp(trading, company->folded) == 0)
            return view->id;
    }
    return 0;
}

static void
not_found(Companies *companies, Company *company, bool dry_run, int64_t now)
{
    if (company->step == STEP_BUSINESS && !companies->no_trading)
        ask(company, STEP_TRADING, 0);
    else if (company->create && !dry_run)
        ask(company, STEP_CREATE, 0);
    else
        known(company, 0, now);
}

void
company_step(Companies *companies, Company *company, bool dry_run, int64_t now)
{
    Request *request = company->request;
    const Answer *answer = &request->answer;
    if (request->answered && answer->kind == ANSWER_OK) {
        if (company->step == STEP_CREATE) {
            known(company,
                  answer_integer(json_object_get(answer->body, "id"), 0), now);
            return;
        }
        g_autoptr(GPtrArray) list = company_array_new();
        int64_t total = 0, count = 0;
        view_companies(list, answer->body, &total, &count);
        int64_t id = match(company, list);
        int64_t end = company->start + count;
        if (id != 0)
            known(company, id, now);
        else if (count > 0 && end < total && end < COMPANY_PAGES_MAX * PAGE)
            ask(company, company->step, end);
        else
            not_found(companies, company, dry_run, now);
        return;
    }
    if (request->answered && answer->kind == ANSWER_REQUEST) {
        if (company->step == STEP_TRADING) {
            companies->no_trading = true;
            not_found(companies, company, dry_run, now);
        } else if (company->step == STEP_CREATE && answer->parameter != NULL &&
                   strcmp(answer->parameter, "phone") == 0 &&
                   company->phone != NULL) {
            g_clear_pointer(&company->phone, g_free);
            ask(company, STEP_CREATE, 0);
        } else if (company->step == STEP_CREATE && answer->parameter != NULL &&
                   strcmp(answer->parameter, "website") == 0 &&
                   company->website != NULL) {
            g_clear_pointer(&company->website, g_free);
            ask(company, STEP_CREATE, 0);
        } else {
            known(company, 0, now); /* no such name is possible */
        }
        return;
    }
    company->state = COMPANY_FAILED;
    company->reason =
        g_strdup(answer->message != NULL ? answer->message : "no answer");
    g_clear_pointer(&company->request, request_free);
}

void
companies_begin(Companies *companies)
{
    if (g_hash_table_size(companies->by_name) >= COMPANIES_MAX)
        g_hash_table_remove_all(companies->by_name);
    GHashTableIter iter;
    void *value;
    g_hash_table_iter_init(&iter, companies->by_name);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        if (((Company *) value)->state != COMPANY_KNOWN)
            g_hash_table_iter_remove(&iter);
}

void
companies_asking(Companies *companies, GPtrArray *list)
{
    GHashTableIter iter;
    void *value;
    g_hash_table_iter_init(&iter, companies->by_name);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        if (((Company *) value)->state == COMPANY_ASKING)
            g_ptr_array_add(list, value);
}
