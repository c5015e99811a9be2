/* Text from outside stays on one line; addresses obey `log addresses`. */
#include "base/log.h"

#include <string.h>

static const struct {
    const char *name, *text, *want;
} cases[] = {
    { "plain", "Ann Lee", "Ann Lee" },
    { "null", NULL, "-" },
    { "line break", "a\nb\r", "a\\u000ab\\u000d" },
    { "quotes", "say \"hi\\\"", "say \\\"hi\\\\\\\"" },
    { "utf-8 stays", "J\303\274rgen", "J\303\274rgen" },
    { "broken utf-8", "a\377b", "a\\xffb" },
    { "right-to-left override", "a\342\200\256b", "a\\u202eb" },
    { "line separator", "a\342\200\250b", "a\\u2028b" },
};

static void
test_text(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_test_message("%s", cases[i].name);
        g_autofree char *got = log_text(cases[i].text);
        g_assert_cmpstr(got, ==, cases[i].want);
    }
    g_autofree char *lengthy = g_strnfill(1000, 'x');
    g_autofree char *got = log_text(lengthy);
    g_assert_cmpuint(strlen(got), ==, 203);
}

static void
test_address(void)
{
    log_open("test", LOG_TARGET_STDERR, LOG_LEVEL_INFO_, ADDRESSES_FULL);
    g_autofree char *full = log_address("Ann@example.org");
    g_assert_cmpstr(full, ==, "Ann@example.org");

    log_open("test", LOG_TARGET_STDERR, LOG_LEVEL_INFO_, ADDRESSES_HASHED);
    g_autofree char *hashed = log_address("Ann@example.org");
    g_autofree char *same = log_address("ann@EXAMPLE.org");
    g_assert_true(g_str_has_prefix(hashed, "hash:"));
    g_assert_cmpuint(strlen(hashed), ==, 5 + 12);
    g_assert_cmpstr(hashed, ==, same);
}

static void
test_allowed(void)
{
    unsigned held_back = 99;
    g_assert_true(log_allowed("test-key", 3600, &held_back));
    g_assert_cmpuint(held_back, ==, 0);
    g_assert_false(log_allowed("test-key", 3600, NULL));
    g_assert_false(log_allowed("test-key", 3600, NULL));
    g_assert_true(log_allowed("other-key", 3600, NULL));
    g_assert_true(log_allowed("test-key", 0, &held_back));
    g_assert_cmpuint(held_back, ==, 2);
}

static void
test_recent(void)
{
    log_open("test", LOG_TARGET_STDERR, LOG_LEVEL_WARNING_, ADDRESSES_FULL);
    for (int i = 0; i < LOG_RECENT + 5; i++)
        log_warning("number %d", i);
    log_info("not this");
    log_error("two\nlines");
    g_autoptr(GPtrArray) list = log_recent();
    g_assert_cmpuint(list->len, ==, LOG_RECENT);
    const LogLine *first = list->pdata[0];
    const LogLine *last = list->pdata[LOG_RECENT - 1];
    g_assert_cmpstr(first->text, ==, "number 6");
    g_assert_cmpstr(last->text, ==, "two lines");
    g_assert_cmpint(last->level, ==, LOG_LEVEL_ERROR_);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/log/text", test_text);
    g_test_add_func("/log/address", test_address);
    g_test_add_func("/log/allowed", test_allowed);
    g_test_add_func("/log/recent", test_recent);
    return g_test_run();
}
