/* Fuzz target: an answer of a name server. The first byte picks the type. */
#include "trust/dns.h"

#include <arpa/nameser.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int types[] = { ns_t_a, ns_t_aaaa, ns_t_mx, ns_t_ptr,
                                 ns_t_txt };
    if (size == 0)
        return 0;
    g_autofree uint8_t *packet = g_memdup2(data + 1, size - 1);
    static const uint8_t nothing[1];
    g_autoptr(DnsAnswer) answer =
        dns_answer_parse(packet != NULL ? packet : nothing, size - 1,
                         types[data[0] % G_N_ELEMENTS(types)]);
    g_assert_cmpuint(answer->texts->len, <=, DNS_MAX_RECORDS);
    g_assert_cmpint(answer->ttl, >=, 0);
    return 0;
}
