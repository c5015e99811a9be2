/* test_phone_scan.c - numbers with labels, and what only looks like one */
#include "analysis/phone_scan.h"

#include <string.h>

typedef struct {
    const char *region, *text;
    const char *found; /* "type number ext; ..." */
} Case;

static const Case cases[] = {
    { "AU", "Mob: 0491 570 156", "mobile +61491570156" },
    { "AU", "P 03 7010 5050 (switch) | D 03 7010 5063",
      "work +61370105050; work +61370105063" },
    { "US", "503.701.1160 (cell)", "mobile +15037011160" },
    { "US", "503.464.3740 (fax)", "fax +15034643740" },
    { "AU", "713-853-3465", "work +17138533465" },
    { "US", "503-555-0147 503-555-0191",
      "work +15035550147; work +15035550191" },
    { "US", "P: 585.555.0136 x4120", "work +15855550136 4120" },
    { "BE", "gsm +32 (0)486 55 01 28", "mobile +32486550128" },
    { "IT", "ufficio +39 081 555 0162", "work +390815550162" },
    { "TW", "電話 04-2355-0162 #31", "work +886423550162 31" },
    { "KR", "전화 051-555-0184 휴대폰 010-5550-1842",
      "work +82515550184; mobile +821055501842" },
    { "SE", "tel 040-628 04 41 mob 070-174 06 77 bg 5550-1234",
      "work +46406280441; mobile +46701740677" },
    { "DE", "Fax: 0471 5550139", "fax +494715550139" },
    { "AU", "ABN 53 004 085 616", "" },
    { "US", "Houston TX 77208-1429", "" },
    { "AU", "Houston TX 77208-1429", "" },
    { "BR", "01310-100 São Paulo", "" },
    { "PT", "1250-096 Lisboa", "" },
    { "VN", "MST: 0312345678", "" },
    { "UA", "ЄДРПОУ 12345678", "" },
    { "ID", "NPWP 01.234.567.8-901.000", "" },
    { "IL", "ח.פ 512345678", "" },
    { "TH", "เลขประจำตัวผู้เสียภาษี 0105512345678", "" },
    { "VN", "ĐT: 028 3823 4567 - DĐ: 0912 345 678",
      "work +842838234567; mobile +84912345678" },
    { "IN", "+91 98450 12345 / 080-4223 4567",
      "mobile +919845012345; work +918042234567" },
    { "AE", "هاتف: +971 4 234 5678", "work +97142345678" },
    { "SA", "جوال: 050 123 4567", "mobile +966501234567" },
    { "IL", "נייד: 050-234-5678", "mobile +972502345678" },
    { "IR", "همراه: 0912 345 6789", "mobile +989123456789" },
    { "TH", "มือถือ 081 234 5678", "mobile +66812345678" },
    { "IN", "मोबाइल: 098450 12345", "mobile +919845012345" },
    { "DE", "IBAN DE02 1203 0000 0000 2020 51", "" },
    { "NL", "KvK 99999902", "" },
    { "AU", "12.05.2025 09:30", "" },
    { "AU", "2001-2024", "" },
    { "AU", "Order 4500123456", "" },
    { "AU", "$12 345 678", "" },
    { "AU", "", "" },
};

static void
test_scan(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *const regions[] = { cases[i].region, NULL };
        size_t len = strlen(cases[i].text);
        g_autofree char *copy = g_memdup2(cases[i].text, len);
        PhoneMatch found[PHONE_LINE_MAX];
        size_t n = phone_scan(copy, len, regions, 0, found);
        g_autoptr(GString) got = g_string_new(NULL);
        for (size_t k = 0; k < n; k++)
            g_string_append_printf(
                got, "%s%s %s%s%s", k > 0 ? "; " : "",
                phone_type_name(found[k].type), found[k].number.e164,
                found[k].extension[0] != '\0' ? " " : "", found[k].extension);
        if (strcmp(got->str, cases[i].found) != 0) {
            g_printerr("# %s: got %s\n", cases[i].text, got->str);
            g_test_fail();
        }
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/phone-scan/lines", test_scan);
    return g_test_run();
}
