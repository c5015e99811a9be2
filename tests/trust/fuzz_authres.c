/* Fuzz target: Authentication-Results, ARC-Authentication-Results, ARC-Seal,
 * and an SPF record with its macros. */
#include "trust/authres.h"
#include "trust/spf_record.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *
stand_in(void *data, const char *name, SpfNameUse use)
{
    (void) data;
    (void) name;
    (void) use;
    return "t1";
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *copy = g_memdup2(data, size);
    const char *bytes = copy != NULL ? copy : "";
    authres_free(authres_parse(bytes, size, false));
    authres_free(authres_parse(bytes, size, true));
    ArcSeal seal;
    if (arc_seal_parse(bytes, size, &seal))
        arc_seal_clear(&seal);

    SpfSubject subject = { .local = "a-b.c",
                           .domain = "example.org",
                           .helo = "h.example.org",
                           .ipv6 = size % 2 == 1 };
    g_autofree char *text = g_strndup(bytes, size);
    g_autofree char *record = g_strdup_printf("v=spf1 %s", text);
    g_autofree char *rewritten =
        spf_record_rewrite(record, "example.org", &subject, stand_in, NULL);
    if (rewritten != NULL)
        g_assert_null(strchr(rewritten, '%'));
    return 0;
}
