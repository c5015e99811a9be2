/* What was read can be written, and reads the same again. */
#include "config.h"

#include "store/observation_json.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *) data, size);
    g_autoptr(Observation) observation = observation_from_json(text, NULL);
    if (observation != NULL) {
        g_autofree char *first = observation_to_json(observation);
        g_autoptr(Observation) again = observation_from_json(first, NULL);
        g_assert_nonnull(again);
        g_autofree char *second = observation_to_json(again);
        g_assert_cmpstr(first, ==, second);
    }
    g_autoptr(Contact) contact = contact_from_json(text, NULL);
    if (contact != NULL)
        g_free(contact_to_json(contact));
    return 0;
}
