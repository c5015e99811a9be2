/*
 * company.h - companies by name: looked for once a day, created when wanted
 *
 * Ownership  companies_free(); a Company belongs to its Companies.
 * Threads    one owner.
 * Limits     COMPANIES_MAX names are remembered from one round to the next.
 */
#ifndef COMPANY_H
#define COMPANY_H

#include "crm/batch.h"
#include "crm/view.h"

enum { COMPANIES_MAX = 20000, COMPANY_PAGES_MAX = 5 };

typedef enum {
    COMPANY_ASKING,
    COMPANY_KNOWN, /* id, or 0: there is none */
    COMPANY_FAILED,
} CompanyState;

typedef struct {
    char *name, *core, *folded;
    char *phone, *website; /* for a company that is created; or NULL */
    CompanyState state;
    int64_t id;
    int64_t until; /* ask again after this, seconds */
    int step;
    int64_t start;    /* paging */
    Request *request; /* to be answered; NULL when done */
    char *reason;     /* of COMPANY_FAILED */
    bool create;
} Company;

typedef struct Companies Companies;
Companies *companies_new(void);
void companies_free(Companies *companies);

/* Before each round of work: failures may be tried again, old names go. No
 * Company is kept from one round to the next. */
void companies_begin(Companies *companies);

/* The company of this name; a new one wants to be asked for (its request). */
Company *companies_get(Companies *companies, const char *name, bool create,
                       const char *phone, const char *website, int64_t now);
/* Its request was answered (or lost: `answered` is false). */
void company_step(Companies *companies, Company *company, bool dry_run,
                  int64_t now);
/* All that have a request: appended to `list`. */
void companies_asking(Companies *companies, GPtrArray *list);

#endif
