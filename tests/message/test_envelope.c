/* Envelope addresses as libmilter hands them over. */
#include "message/envelope.h"

typedef struct {
    const char *name;
    const char *argument;
    const char *want;
} AddressCase;

static const AddressCase cases[] = {
    { "brackets", "<ann@example.org>", "ann@example.org" },
    { "null sender from smtpd", "<>", "" },
    { "null sender from cleanup", "", "" },
    { "bare", "ann@example.org", "ann@example.org" },
    { "parameters after it", "<ann@example.org> SIZE=100", "ann@example.org" },
    { "bare with parameters", "ann@example.org SIZE=1", "ann@example.org" },
    { "quoted bracket", "<\"a>b\"@example.org>", "\"a>b\"@example.org" },
    { "source route", "<@a.example,@b.example:ann@example.org>",
      "ann@example.org" },
    { "no closing bracket", "<ann@example.org", "ann@example.org" },
    { "backslash at the end", "<\\", "\\" },
};

static void
test_address(gconstpointer data)
{
    const AddressCase *c = data;
    g_autofree char *got = envelope_address(c->argument);
    g_assert_cmpstr(got, ==, c->want);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path =
            g_strdup_printf("/envelope/address/%s", cases[i].name);
        g_test_add_data_func(path, &cases[i], test_address);
    }
    return g_test_run();
}
