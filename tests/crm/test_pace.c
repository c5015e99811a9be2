/*
 * test_pace.c - backoff and AIMD, with made-up time
 */
#include "crm/pace.h"

#include <glib.h>

static const Backoff backoff = { 500, 60000 };

static void
test_backoff(void)
{
    g_assert_cmpint(backoff_delay(&backoff, 0, 0.0), ==, 0);
    g_assert_cmpint(backoff_delay(&backoff, 0, 0.5), ==, 250);
    g_assert_cmpint(backoff_delay(&backoff, 3, 1.0), ==, 4000);
    g_assert_cmpint(backoff_delay(&backoff, 7, 1.0), ==, 60000);
    g_assert_cmpint(backoff_delay(&backoff, 4000000000u, 1.0), ==, 60000);
}

static void
test_free_until_limited(void)
{
    Pace pace;
    pace_init(&pace);
    int64_t now = 1000000;
    for (int i = 0; i < 100; i++) { /* 20 a second */
        g_assert_cmpint(pace_wait(&pace, now), ==, 0);
        pace_sent(&pace, now);
        pace_ok(&pace, now);
        now += 50;
    }
    pace_sent(&pace, now);
    pace_limited(&pace, &backoff, now, -1, 1.0);
    g_assert_cmpfloat(pace.rate, >, 9.0);
    g_assert_cmpfloat(pace.rate, <, 11.0);
    g_assert_cmpint(pace_wait(&pace, now), ==, 500);
    double rate = pace.rate;
    now += 500;
    pace_sent(&pace, now);
    pace_limited(&pace, &backoff, now, 7000, 1.0);
    g_assert_cmpfloat(pace.rate, ==, rate / 2);
    g_assert_cmpint(pace_wait(&pace, now), ==, 7000);
}

static void
test_slowly_up(void)
{
    Pace pace;
    pace_init(&pace);
    int64_t now = 1000000;
    pace_sent(&pace, now);
    for (int i = 0; i < 20; i++)
        pace_limited(&pace, &backoff, now, 0, 0.0);
    g_assert_cmpfloat(pace.rate, ==, 0.5); /* never less */
    now += 2000;
    for (int second = 0; second < 600; second++) {
        pace_ok(&pace, now);
        now += 1000;
    }
    g_assert_cmpfloat(pace.rate, >, 5.0);
    g_assert_cmpfloat(pace.rate, <, 7.0);
    pace_sent(&pace, now);
    g_assert_cmpint(pace_wait(&pace, now), >, 100);
}

static void
test_trouble(void)
{
    Pace pace;
    pace_init(&pace);
    int64_t now = 1000000;
    const int64_t expected[] = { 500, 1000, 2000, 4000 };
    for (size_t i = 0; i < G_N_ELEMENTS(expected); i++) {
        pace_trouble(&pace, &backoff, now, 1.0);
        g_assert_cmpint(pace_wait(&pace, now), ==, expected[i]);
        now += expected[i];
    }
    pace_ok(&pace, now);
    g_assert_cmpuint(pace.failures, ==, 0);
    pace_trouble(&pace, &backoff, now, 1.0);
    pace_release(&pace);
    g_assert_cmpint(pace_wait(&pace, now), ==, 0);
}

static void
test_shared(void)
{
    Pace one, two;
    pace_init(&one);
    pace_init(&two);
    int64_t now = 1000000;
    pace_sent(&one, now);
    pace_limited(&one, &backoff, now, 30000, 0.5);
    g_autofree char *text = pace_to_text(&one);
    g_assert_true(pace_adopt(&two, text, now));
    g_assert_cmpint(pace_wait(&two, now), ==, 30000);
    g_assert_cmpfloat(ABS(two.rate - one.rate), <, 0.001);
    /* a faster host teaches nothing, nonsense neither, nor a far clock */
    g_assert_true(pace_adopt(&two, "rate=100.000 hold=0", now));
    g_assert_cmpfloat(two.rate, <, 50.0);
    g_assert_false(pace_adopt(&two, "garbage", now));
    g_assert_true(pace_adopt(&two, "rate=nan hold=99999999999999", now));
    g_assert_cmpint(pace_wait(&two, now), ==, 30000);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pace/backoff", test_backoff);
    g_test_add_func("/pace/limited", test_free_until_limited);
    g_test_add_func("/pace/slowly-up", test_slowly_up);
    g_test_add_func("/pace/trouble", test_trouble);
    g_test_add_func("/pace/shared", test_shared);
    return g_test_run();
}
