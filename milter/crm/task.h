/*
 * task.h - one contact's way to the CRM: what to ask next, what it meant
 *
 * A task has requests to be answered; when all are, task_step() goes on. It
 * does no I/O itself, so that the same steps serve single calls and batches.
 *
 * Ownership  borrows the record, which it keeps up to date.
 * Threads    one owner.
 */
#ifndef TASK_H
#define TASK_H

#include "crm/batch.h"
#include "crm/company.h"
#include "crm/plan.h"

/* What all tasks of a worker share. */
typedef struct {
    PlanContext plan; /* without company */
    Companies *companies;
    bool dry_run;
    int64_t now; /* seconds */
} TaskShared;

typedef enum {
    TASK_ASKING, /* has requests, or waits for a company */
    TASK_DONE,   /* all is true: confirm */
    TASK_LATER,  /* not now: retry; `reason` */
    TASK_NEVER,  /* dead letter; `reason` */
    TASK_SHOWN,  /* dry run: would have called */
} TaskState;

typedef struct Task {
    ContactRecord *record;
    TaskState state;
    char *reason;
    GPtrArray *requests; /* of Request: this round's */
    bool save;           /* the record must be on disk before they are sent */
    bool wrote;          /* something was changed in the CRM */
    unsigned calls;
    GString *done; /* words for the log */

    /* inside */
    int phase;
    GPtrArray *views;
    GPtrArray *elsewhere; /* cached contacts, not found by the address */
    Plan *plan;
    Company *company;
    unsigned rounds;
    int64_t start;
    char *bury; /* when the rest is done */
} Task;

Task *task_new(ContactRecord *record, const TaskShared *shared);
void task_free(void *task);

/* All requests were answered, or lost (`answered` is false). Also for a task
 * that waits for a company. */
void task_step(Task *task, TaskShared *shared);

#endif
