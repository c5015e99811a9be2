/*
 * test_sign.c - the signature, held to the vendor-neutral vector
 */
#include "crm/sign.h"

#include <glib.h>

static void
test_vector(void)
{
    g_autofree char *text =
        sign_text("a09f600c77a6dbd947db24c61e8935ca", "application/json",
                  "/api/1.0/test?action=ping", "2012-04-03 22:23:24");
    g_assert_cmpstr(text, ==,
                    "posta09f600c77a6dbd947db24c61e8935caapplication/json"
                    "/api/1.0/test?action=ping1.0"
                    "ivvydate=2012-04-03 22:23:24");
    g_autofree char *signature = sign_hmac("my secret key", "string to sign");
    g_assert_cmpstr(signature, ==, "a993876ea1218921a1c8551923473da7b310dfae");
}

static void
test_body(void)
{
    g_autofree char *empty = sign_body("", 0);
    g_assert_cmpstr(empty, ==, "d41d8cd98f00b204e9800998ecf8427e");
    g_autofree char *nul = sign_body("a\0b", 3);
    g_autofree char *shorter = sign_body("a", 1);
    g_assert_cmpstr(nul, !=, shorter);
}

static void
test_authorization(void)
{
    g_autofree char *value = sign_authorization(
        "Key", "my secret key", "A09F600C77A6DBD947DB24C61E8935CA",
        "application/json", "/api/1.0/test?action=ping", "2012-04-03 22:23:24");
    g_autofree char *text =
        sign_text("a09f600c77a6dbd947db24c61e8935ca", "application/json",
                  "/api/1.0/test?action=ping", "2012-04-03 22:23:24");
    g_autofree char *signature = sign_hmac("my secret key", text);
    g_autofree char *expected = g_strconcat("IWS Key:", signature, NULL);
    g_assert_cmpstr(value, ==, expected);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sign/vector", test_vector);
    g_test_add_func("/sign/body", test_body);
    g_test_add_func("/sign/authorization", test_authorization);
    return g_test_run();
}
