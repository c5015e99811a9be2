/*
 * form.h - mail that a web site's contact form wrote for a person
 *
 * The site's own address is in From:, the person's in Reply-To:, and the body
 * lists what was typed into the form ("Name: ...", "Phone: ...").
 *
 * Ownership  the pointers of a Form borrow from the message and the body.
 * Threads    pure.
 */
#ifndef FORM_H
#define FORM_H

#include "analysis/analysis.h"

typedef struct {
    const char *text; /* not NUL-terminated; NULL when the form lacks it */
    size_t len;
    const char *line; /* the whole line: the evidence */
} FormField;

typedef struct {
    const Mailbox *person; /* Reply-To: */
    FormField name, first_name, last_name, company, title, phone, mobile,
        address, website;
} Form;

/* Is this such a mail? Then *out says what was filled in. */
bool form_find(const Message *message, const Body *body, Form *out);

#endif
