/* fuzz_vcard.c - electronic business cards */
#include "analysis/vcard.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vcard_free(vcard_parse((const char *) data, size));
    return 0;
}
