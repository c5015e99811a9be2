/* test_link.c - wrappers undone, trackers off, hosts in text */
#include "analysis/link.h"

#include <glib.h>
#include <string.h>

static const struct {
    const char *href;
    LinkKind kind;
    const char *clean;
} cases[] = {
    { "http://www.example.org/", LINK_WEBSITE, "https://www.example.org" },
    { "https://example.org/a?utm_source=x&id=5&utm_medium=y", LINK_WEBSITE,
      "https://example.org/a?id=5" },
    { "https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2F"
      "example.org%2Fb&data=1",
      LINK_WEBSITE, "https://example.org/b" },
    { "https://urldefense.com/v3/__https://example.org/x__;!!A!b$",
      LINK_WEBSITE, "https://example.org/x" },
    { "https://urldefense.com/v3/__https://example.org/a*b__;Iw!!A!b$",
      LINK_WEBSITE, "https://example.org/a#b" },
    { "https://urldefense.proofpoint.com/v2/url?u=https-3A__example.org_c&d=D",
      LINK_WEBSITE, "https://example.org/c" },
    { "https://urldefense.proofpoint.com/v1/url?u=http://example.org/d&k=1",
      LINK_WEBSITE, "https://example.org/d" },
    { "https://au.linkedin.com/in/ann?trk=x", LINK_SOCIAL,
      "https://www.linkedin.com/in/ann" },
    { "https://twitter.com/ann", LINK_SOCIAL, "https://x.com/ann" },
    { "https://www.facebook.com/", LINK_NONE, NULL },
    { "https://calendly.com/ann/30min", LINK_BOOKING,
      "https://calendly.com/ann/30min" },
    { "tel:+61%203%205550%200100", LINK_PHONE, "+61355500100" },
    { "https://wa.me/61491570156", LINK_PHONE, "+61491570156" },
    { "mailto:ann@example.org?subject=x", LINK_EMAIL, "ann@example.org" },
    { "https://aka.ms/o0ukef", LINK_NONE, NULL },
    { "cid:image001.png", LINK_NONE, NULL },
    { "javascript:alert(1)", LINK_NONE, NULL },
    { "", LINK_NONE, NULL },
};

static void
test_classify(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        size_t len = strlen(cases[i].href);
        g_autofree char *copy = g_memdup2(cases[i].href, len);
        g_autofree char *clean = NULL;
        LinkKind kind = link_classify(copy, len, &clean);
        g_assert_cmpint(kind, ==, cases[i].kind);
        g_assert_cmpstr(clean, ==, cases[i].clean);
    }
}

static void
test_bare(void)
{
    static const struct {
        const char *text;
        size_t len;
    } rows[] = {
        { "example.org/book", 11 }, { "www.example.com.au | x", 18 },
        { "e.g. this", 0 },         { "z.B. das", 0 },
        { "Org.nr 556", 0 },        { "end.Next", 0 },
        { "1.5.2025", 0 },          { "tussenspel.be", 13 },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        g_assert_cmpuint(link_bare_host(rows[i].text, strlen(rows[i].text)), ==,
                         rows[i].len);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/link/classify", test_classify);
    g_test_add_func("/link/bare-host", test_bare);
    return g_test_run();
}
