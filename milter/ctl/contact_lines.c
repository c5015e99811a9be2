/*
 * contact_lines.c - see contact_lines.h
 */
#include "ctl/contact_lines.h"

#include <stdio.h>

#include "ctl/table.h"

void
contact_line(const char *label, const char *value, const char *detail,
             const char *evidence, double confidence)
{
    if (value == NULL || *value == '\0')
        return;
    printf("  %-11s %s", label, value);
    if (detail != NULL && *detail != '\0')
        printf(" (%s)", detail);
    if (evidence != NULL && *evidence != '\0')
        printf("%s  <- \"%s\"%s", style_on(stdout, STYLE_DIM), evidence,
               style_off(stdout));
    if (confidence > 0)
        printf("%s  %.2f%s", style_on(stdout, STYLE_DIM), confidence,
               style_off(stdout));
    (void) putchar('\n');
}

/* A field with `value` as it is shown; marked when it is not sent. */
static void
field_line(const char *label, const char *value, const char *kind,
           const Field *field, double min_confidence)
{
    g_autofree char *below =
        field->confidence < min_confidence
            ? g_strdup_printf("%s%sbelow min_confidence %g: not sent",
                              kind != NULL ? kind : "",
                              kind != NULL ? "; " : "", min_confidence)
            : NULL;
    contact_line(label, value, below != NULL ? below : kind, field->evidence,
                 field->confidence);
}

void
contact_lines(const Contact *contact, double min_confidence)
{
    contact_line("email", contact->email,
                 contact->role_account ? "role account"
                 : contact->from_relay ? "from Reply-To"
                                       : NULL,
                 NULL, 0);
    field_line("first name", contact->first_name.value, NULL,
               &contact->first_name, min_confidence);
    field_line("last name", contact->last_name.value, NULL, &contact->last_name,
               min_confidence);
    field_line("job title", contact->job_title.value, NULL, &contact->job_title,
               min_confidence);
    field_line("company", contact->company.value, NULL, &contact->company,
               min_confidence);
    for (guint i = 0; i < contact->phones->len; i++) {
        const Phone *phone = &g_array_index(contact->phones, Phone, i);
        g_autofree char *number =
            phone->extension == NULL
                ? g_strdup(phone->number.value)
                : g_strdup_printf("%s ext. %s", phone->number.value,
                                  phone->extension);
        field_line("phone", number, phone_type_name(phone->type),
                   &phone->number, min_confidence);
    }
    field_line("website", contact->website.value, NULL, &contact->website,
               min_confidence);
    field_line("address", contact->address.value, NULL, &contact->address,
               min_confidence);
    for (guint i = 0; i < contact->links->len; i++) {
        const Field *link = &g_array_index(contact->links, Field, i);
        field_line("link", link->value, NULL, link, min_confidence);
    }
}
