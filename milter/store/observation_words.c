/*
 * observation_words.c - see observation_words.h
 */
#include "store/observation_words.h"

static void
add_field(GString *fields, bool present, const char *name)
{
    if (present)
        g_string_append_printf(fields, "%s%s", fields->len > 0 ? "," : "",
                               name);
}

char *
contact_field_names(const Contact *c)
{
    GString *fields = g_string_new(NULL);
    if (c != NULL) {
        add_field(fields,
                  c->first_name.value != NULL || c->last_name.value != NULL,
                  "name");
        add_field(fields, c->phones != NULL && c->phones->len > 0, "phone");
        add_field(fields, c->job_title.value != NULL, "title");
        add_field(fields, c->company.value != NULL, "company");
        add_field(fields, c->website.value != NULL, "website");
        add_field(fields, c->address.value != NULL, "address");
        add_field(fields, c->links != NULL && c->links->len > 0, "links");
    }
    if (fields->len == 0)
        g_string_append(fields, "none");
    return g_string_free(fields, FALSE);
}
