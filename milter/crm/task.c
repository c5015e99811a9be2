/*
 * task.c - look up, ask for details, plan, write, confirm
 *
 *   LOOKUP      getContactList by address, page by page
 *   ELSEWHERE   cached ids that the address no longer finds: deleted,
 *               anonymised, or moved to another address by a person
 *   DETAIL      getContact, when a status or a link is to change
 *   COMPANY     waits until the company is found or created
 *   WRITE       the planned calls
 *
 * An answer that was lost in WRITE sends the task back to the queue: its next
 * run looks the contact up again and sees what was done (plan_reconcile()).
 */
#include "crm/task.h"

#include "base/log.h"

#include <inttypes.h>
#include <string.h>

enum { LOOKUP, ELSEWHERE, DETAIL, COMPANY, WRITE };
enum { PER_PAGE = 50, ROUNDS_MAX = 12, ELSEWHERE_MAX = 20 };

static void
ask(Task *task, const char *action, json_t *params)
{
    g_ptr_array_add(task->requests, request_new("contact", action, params));
}

static void
ask_list(Task *task, int64_t start)
{
    task->phase = LOOKUP;
    task->start = start;
    ask(task, "getContactList",
        json_pack("{s:i, s:I, s:{s:s}}", "perPage", (int) PER_PAGE, "start",
                  (json_int_t) start, "filter", "email", task->record->email));
}

static void
finish(Task *task, TaskState state, const char *reason)
{
    task->state = state;
    g_free(task->reason);
    task->reason = g_strdup(reason);
    g_ptr_array_set_size(task->requests, 0);
}

Task *
task_new(ContactRecord *record, const TaskShared *shared)
{
    Task *task = g_new0(Task, 1);
    task->record = record;
    task->requests = g_ptr_array_new_with_free_func(request_free);
    task->views = view_array_new();
    task->elsewhere = view_array_new();
    task->done = g_string_new(NULL);
    if (plan_settled(&shared->plan, record))
        task->state = TASK_DONE;
    else if (!g_utf8_validate(record->email, -1, NULL))
        finish(task, TASK_NEVER, "the address is not UTF-8");
    else
        ask_list(task, 0);
    return task;
}

void
task_free(void *data)
{
    Task *task = data;
    if (task == NULL)
        return;
    g_free(task->reason);
    g_free(task->bury);
    g_ptr_array_unref(task->requests);
    g_ptr_array_unref(task->views);
    g_ptr_array_unref(task->elsewhere);
    plan_free(task->plan);
    g_string_free(task->done, TRUE);
    g_free(task);
}

static const char *
lost_words(const Request *request)
{
    return request->answer.message != NULL ? request->answer.message
                                           : "not asked yet";
}

/* Is the answer good? If not, the task is over for now or for good. */
static bool
answered_well(Task *task, const Request *request)
{
    const Answer *answer = &request->answer;
    if (!request->answered) {
        finish(task, TASK_LATER, lost_words(request));
        return false;
    }
    if (answer->kind == ANSWER_OK)
        return true;
    g_autofree char *reason = g_strdup_printf(
        "%s: %s (errorCode %d, specificCode %d)", request->action,
        answer->message, answer->code, answer->specific);
    finish(task, answer->kind == ANSWER_REQUEST ? TASK_NEVER : TASK_LATER,
           reason);
    return false;
}

/* --- planning ------------------------------------------------------------- */

static const char *
work_phone(const Contact *known)
{
    for (guint i = 0; known->phones != NULL && i < known->phones->len; i++) {
        const Phone *phone = &g_array_index(known->phones, Phone, i);
        if (phone->type == PHONE_WORK)
            return phone->number.value;
    }
    return NULL;
}

static void
show(Task *task, const PlanCall *call)
{
    char *params = json_dumps(call->params, JSON_COMPACT | JSON_SORT_KEYS);
    g_autofree char *address = log_address(task->record->email);
    log_info("crm: contact=%s dry_run would call contact?action=%s %s", address,
             call->action, params);
    free(params);
}

static void
send_plan(Task *task, const TaskShared *shared)
{
    task->phase = WRITE;
    GPtrArray *calls = task->plan->calls;
    if (calls->len == 0) {
        plan_settle(&shared->plan, task->record, task->plan->target);
        finish(task, TASK_DONE, NULL);
        return;
    }
    for (guint i = 0; i < calls->len; i++) {
        const PlanCall *call = calls->pdata[i];
        if (shared->dry_run) {
            show(task, call);
            continue;
        }
        plan_intend(task->record, call);
        ask(task, call->action, json_deep_copy(call->params));
    }
    task->save = !shared->dry_run;
    if (shared->dry_run)
        finish(task, TASK_SHOWN, "dry run: nothing was sent");
}

static void
make_plan(Task *task, TaskShared *shared)
{
    if (++task->rounds > ROUNDS_MAX) {
        finish(task, TASK_LATER, "the CRM's answers do not settle");
        return;
    }
    PlanContext context = shared->plan;
    if (task->company != NULL) {
        context.company_known = task->company->state == COMPANY_KNOWN;
        context.company_id = task->company->id;
    }
    plan_reconcile(task->record, task->views);
    plan_free(task->plan);
    task->plan = plan_make(&context, task->record, task->views);
    const Plan *plan = task->plan;
    for (guint i = 0; i < plan->notes->len && task->rounds == 1; i++)
        g_string_append_printf(task->done, "%s%s",
                               task->done->len > 0 ? "; " : "",
                               (char *) plan->notes->pdata[i]);
    if (plan->details->len > 0) {
        task->phase = DETAIL;
        for (guint i = 0; i < plan->details->len; i++)
            ask(task, "getContact",
                json_pack(
                    "{s:I}", "id",
                    (json_int_t) g_array_index(plan->details, int64_t, i)));
    } else if (plan->company != NULL) {
        const Contact *known = task->record->known;
        const char *website = known->website.value;
        task->phase = COMPANY;
        task->company = companies_get(shared->companies, plan->company,
                                      shared->plan.settings->contact.company ==
                                          COMPANY_CREATE,
                                      work_phone(known), website, shared->now);
        if (task->company->state != COMPANY_ASKING)
            task_step(task, shared);
    } else {
        send_plan(task, shared);
    }
}

/* --- reading -------------------------------------------------------------- */

static bool
in_views(const Task *task, int64_t id)
{
    for (guint i = 0; i < task->views->len; i++)
        if (((const CrmView *) task->views->pdata[i])->id == id)
            return true;
    return false;
}

static void
look_elsewhere(Task *task, TaskShared *shared)
{
    const GPtrArray *cached = task->record->crm;
    for (guint i = 0; i < cached->len && i < ELSEWHERE_MAX; i++) {
        const CrmContact *entry = cached->pdata[i];
        if (entry->id > 0 && !in_views(task, entry->id))
            ask(task, "getContact",
                json_pack("{s:I}", "id", (json_int_t) entry->id));
    }
    task->phase = ELSEWHERE;
    if (task->requests->len == 0)
        make_plan(task, shared);
}

static void
step_lookup(Task *task, TaskShared *shared)
{
    const Request *request = task->requests->pdata[0];
    if (!answered_well(task, request))
        return;
    int64_t total = 0, count = 0;
    view_list(task->views, request->answer.body, task->record->email, &total,
              &count);
    int64_t end = task->start + count;
    g_ptr_array_set_size(task->requests, 0);
    if (count > 0 && end < total && end < PLAN_CONTACTS_MAX)
        ask_list(task, end);
    else
        look_elsewhere(task, shared);
}

static bool
is_gone(const Request *request)
{
    return request->answered && request->answer.specific == SPECIFIC_NO_CONTACT;
}

/* A cached contact that its address does not find any more. */
static void
step_elsewhere(Task *task, TaskShared *shared)
{
    bool moved = false;
    for (guint i = 0; i < task->requests->len; i++) {
        const Request *request = task->requests->pdata[i];
        if (is_gone(request))
            continue; /* deleted: forgotten by plan_reconcile() */
        if (!answered_well(task, request))
            return;
        CrmView *view = view_contact(request->answer.body);
        if (view == NULL)
            continue;
        if (view->anonymised)
            task->record->anonymised = true;
        moved = moved || !view->anonymised;
        g_ptr_array_add(task->elsewhere, view);
    }
    g_ptr_array_set_size(task->requests, 0);
    bool nobody = task->views->len == 0;
    if (nobody && task->record->anonymised) {
        g_string_append(task->done, "left alone: anonymised");
        finish(task, TASK_DONE, NULL);
    } else if (nobody && moved) {
        g_string_append(task->done,
                        "left alone: a person gave this contact another "
                        "address");
        finish(task, TASK_DONE, NULL);
    } else {
        task->record->anonymised = false; /* others live at this address */
        make_plan(task, shared);
    }
}

/* The contact was deleted between lookup and update, or dates want another
 * spelling. Not from the old answers: what we wrote since would look changed. */
static void
look_up_again(Task *task)
{
    g_ptr_array_set_size(task->requests, 0);
    g_ptr_array_set_size(task->views, 0);
    if (++task->rounds > ROUNDS_MAX)
        finish(task, TASK_LATER, "the CRM's answers do not settle");
    else
        ask_list(task, 0);
}

static void
step_detail(Task *task, TaskShared *shared)
{
    bool again = false;
    for (guint i = 0; i < task->requests->len; i++) {
        const Request *request = task->requests->pdata[i];
        if (is_gone(request)) {
            again = true; /* deleted since: look up anew */
            continue;
        }
        if (!answered_well(task, request))
            return;
        g_autoptr(CrmView) detail = view_contact(request->answer.body);
        int64_t asked =
            answer_integer(json_object_get(request->params, "id"), 0);
        if (detail == NULL || detail->id != asked) {
            finish(task, TASK_LATER, "getContact: another contact came back");
            return;
        }
        for (guint v = 0; v < task->views->len; v++) {
            CrmView *view = task->views->pdata[v];
            if (view->id != detail->id)
                continue;
            view_free(view);
            task->views->pdata[v] = g_steal_pointer(&detail);
            break;
        }
    }
    g_ptr_array_set_size(task->requests, 0);
    if (again)
        look_up_again(task);
    else
        make_plan(task, shared);
}

/* --- writing -------------------------------------------------------------- */

static void
log_names(Task *task, const PlanCall *call)
{
    GHashTableIter iter;
    void *name, *text;
    g_autoptr(GString) fields = g_string_new(NULL);
    g_hash_table_iter_init(&iter, call->values);
    while (g_hash_table_iter_next(&iter, &name, &text)) {
        g_string_append_printf(fields, "%s%s", fields->len > 0 ? "," : "",
                               (char *) name);
        if (strcmp(name, "status") == 0)
            g_string_append_printf(fields, "=%s", (char *) text);
    }
    if (json_object_get(call->params, "smsStatus") != NULL)
        g_string_append_printf(fields, "%ssmsStatus",
                               fields->len > 0 ? "," : "");
    static const char *const verbs[] = { "added", "updated", "joined" };
    g_string_append_printf(task->done, "%s%s=%" PRId64 " fields=%s",
                           task->done->len > 0 ? " " : "", verbs[call->kind],
                           call->id, fields->str);
}

/* The call was refused: try it otherwise, or give it up. True if it is over
 * (dropped), false if it stays in the plan to be sent again. */
static bool
refused(Task *task, TaskShared *shared, PlanCall *call, const Answer *answer)
{
    g_autofree char *address = log_address(task->record->email);
    g_autofree char *words = log_text(answer->message);
    if (call->kind == PLAN_JOIN ||
        g_strcmp0(answer->parameter, "groups") == 0) {
        if (!shared->plan.groups_refused)
            log_warning("crm: [contact] groups are refused by the API and "
                        "left out from now on: %s",
                        words);
        shared->plan.groups_refused = true;
    }
    if (call->kind == PLAN_JOIN)
        return true;
    if (g_str_has_prefix(answer->parameter != NULL ? answer->parameter : "",
                         "customFields") &&
        !shared->plan.date_only &&
        plan_has_date(call, shared->plan.definitions)) {
        shared->plan.date_only = true; /* the other spelling of dates */
        task->phase = LOOKUP;          /* from the start */
        return true;
    }
    g_autofree char *status =
        call->kind == PLAN_UPDATE &&
                (g_strcmp0(answer->parameter, "status") == 0 ||
                 g_strcmp0(answer->parameter, "smsStatus") == 0)
            ? g_strdup(answer->message)
            : NULL;
    if (plan_repair(task->record, call, answer, shared->plan.definitions)) {
        log_warning("crm: contact=%s refused=%s: left out: %s", address,
                    answer->parameter, words);
        if (status != NULL && task->bury == NULL)
            task->bury = g_steal_pointer(&status);
        return false;
    }
    if (task->bury == NULL)
        task->bury = g_strdup_printf("%s: %s (errorCode %d, specificCode %d)",
                                     call->action, answer->message,
                                     answer->code, answer->specific);
    return true;
}

static void
step_write(Task *task, TaskShared *shared)
{
    g_autoptr(GPtrArray) requests = g_steal_pointer(&task->requests);
    task->requests = g_ptr_array_new_with_free_func(request_free);
    GPtrArray *calls = task->plan->calls;
    g_autoptr(GPtrArray) left = g_ptr_array_new();
    bool gone = false;
    for (guint i = 0; i < calls->len; i++) {
        PlanCall *call = calls->pdata[i];
        const Request *request = requests->pdata[i];
        const Answer *answer = &request->answer;
        if (!request->answered || answer->kind == ANSWER_TROUBLE ||
            answer->kind == ANSWER_CANCELLED) {
            finish(task, TASK_LATER,
                   request->answered ? answer->message : lost_words(request));
        } else if (answer->kind == ANSWER_OK) {
            int64_t id =
                answer_integer(json_object_get(answer->body, "id"), call->id);
            task->wrote = true;
            if (id > 0) {
                plan_applied(task->record, call, id);
                call->id = id;
                if (call->kind == PLAN_ADD)
                    task->plan->target = id;
            }
            log_names(task, call);
        } else if (answer->kind == ANSWER_REQUEST) {
            if (is_gone(request)) {
                gone = true;
                plan_dropped(task->record, call);
            } else if (refused(task, shared, call, answer)) {
                plan_dropped(task->record, call);
            } else {
                g_ptr_array_add(left, call);
            }
        } else { /* rate, credentials, endpoint: it was not done */
            plan_dropped(task->record, call);
            finish(task, TASK_LATER, answer->message);
        }
    }
    if (task->state != TASK_ASKING)
        return;
    if (gone || task->phase == LOOKUP) {
        look_up_again(task);
    } else if (left->len > 0) {
        if (++task->rounds > ROUNDS_MAX) {
            finish(task, TASK_LATER, "refused again and again");
            return;
        }
        g_autoptr(GPtrArray) keep = g_ptr_array_new();
        for (guint i = calls->len; i-- > 0;) {
            if (g_ptr_array_find(left, calls->pdata[i], NULL))
                g_ptr_array_insert(keep, 0, g_ptr_array_steal_index(calls, i));
        }
        g_ptr_array_set_size(calls, 0);
        for (guint i = 0; i < keep->len; i++)
            g_ptr_array_add(calls, keep->pdata[i]);
        send_plan(task, shared);
    } else if (task->bury != NULL) {
        g_autofree char *reason = g_steal_pointer(&task->bury);
        finish(task, TASK_NEVER, reason);
    } else {
        plan_settle(&shared->plan, task->record, task->plan->target);
        finish(task, TASK_DONE, NULL);
    }
}

void
task_step(Task *task, TaskShared *shared)
{
    task->save = false;
    task->calls += task->requests->len;
    switch (task->phase) {
    case LOOKUP:
        step_lookup(task, shared);
        break;
    case ELSEWHERE:
        step_elsewhere(task, shared);
        break;
    case DETAIL:
        step_detail(task, shared);
        break;
    case COMPANY:
        if (task->company->state == COMPANY_FAILED)
            finish(task, TASK_LATER, task->company->reason);
        else if (task->company->state == COMPANY_KNOWN)
            make_plan(task, shared);
        break;
    default:
        step_write(task, shared);
        break;
    }
}
