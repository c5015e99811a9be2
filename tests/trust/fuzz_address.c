/* Fuzz target: return addresses (BATV, SRS, VERP) and domains. */
#include "trust/alignment.h"
#include "trust/evidence.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *) data, size);
    ReturnAddress address;
    return_address_parse(text, &address);
    g_assert_nonnull(address.mailbox);
    (void) return_address_names(&address, "bob@cust.example");
    (void) return_address_names(&address, text);
    return_address_clear(&address);
    g_free(evidence_sender_key(text));
    g_autofree char *domain = domain_normal(text);
    if (domain != NULL) {
        g_autofree char *again = domain_normal(domain);
        g_assert_cmpstr(again, ==, domain);
        g_assert_true(domain_aligned(text, domain));
    }
    return 0;
}
