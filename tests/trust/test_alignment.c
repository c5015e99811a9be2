/* Which domains belong together, which addresses are the same. */
#include "trust/alignment.h"

typedef struct {
    const char *name;
    const char *domain;
    const char *want; /* NULL: no domain name */
} NormalCase;

static const NormalCase normals[] = {
    { "plain", "example.org", "example.org" },
    { "upper case", "Example.ORG", "example.org" },
    { "final dot", "example.org.", "example.org" },
    { "one label", "localhost", "localhost" },
    { "underscore", "_dmarc.example.org", "_dmarc.example.org" },
    { "U-label",
      "b\xc3\xbc"
      "cher.example",
      "xn--bcher-kva.example" },
    { "U-label upper",
      "B\xc3\x9c"
      "CHER.example",
      "xn--bcher-kva.example" },
    { "A-label", "xn--bcher-kva.example", "xn--bcher-kva.example" },
    { "A-label upper", "XN--BCHER-KVA.example", "xn--bcher-kva.example" },
    { "ideographic full stop", "example\xe3\x80\x82org", "example.org" },
    { "Greek",
      "\xcf\x80\xce\xb1\xcf\x81\xce\xac\xce\xb4\xce\xb5\xce\xb9\xce"
      "\xb3\xce\xbc\xce\xb1.example",
      "xn--hxajbheg2az3al.example" },
    { "empty", "", NULL },
    { "dot", ".", NULL },
    { "empty label", "a..example", NULL },
    { "leading dot", ".example.org", NULL },
    { "space", "exa mple.org", NULL },
    { "at", "a@example.org", NULL },
    { "literal", "[192.0.2.1]", NULL },
    { "broken UTF-8",
      "b\xfc"
      "cher.example",
      NULL },
    { "label of 63",
      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.org",
      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.org" },
    { "label of 64",
      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.org",
      NULL },
    { "null", NULL, NULL },
};

static void
test_normal(gconstpointer data)
{
    const NormalCase *c = data;
    g_autofree char *got = domain_normal(c->domain);
    g_assert_cmpstr(got, ==, c->want);
}

typedef struct {
    const char *a, *b;
    bool aligned;
} AlignCase;

static const AlignCase aligns[] = {
    { "example.org", "example.org", true },
    { "example.org", "EXAMPLE.org.", true },
    { "mail.example.org", "example.org", true },
    { "example.org", "a.b.c.example.org", true },
    { "a.example.org", "b.example.org", true },
    { "example.org", "example.com", false },
    { "example.org", "badexample.org", false },
    { "example.org", "example.org.attacker.example", false },
    { "a.co.uk", "b.co.uk", false },
    { "mail.a.co.uk", "a.co.uk", true },
    { "co.uk", "a.co.uk", false },
    { "a.com.au", "b.com.au", false },
    { "shop.a.com.au", "news.a.com.au", true },
    { "a.github.io", "b.github.io", false },
    { "a.blogspot.com", "b.blogspot.com", false },
    { "uk", "uk", true },
    { "com", "example.com", false },
    { "b\xc3\xbc"
      "cher.example",
      "xn--bcher-kva.example", true },
    { "post.b\xc3\xbc"
      "cher.example",
      "XN--bcher-kva.example", true },
    { "b\xc3\xbc"
      "cher.example",
      "bucher.example", false },
    { "city.kawasaki.jp", "a.kawasaki.jp", false },
    { "www.city.kawasaki.jp", "city.kawasaki.jp", true },
    { "example.test", "mail.example.test", true },
    { "a.unknowntld", "b.unknowntld", false },
    { "x.a.unknowntld", "a.unknowntld", true },
    { "", "", false },
    { NULL, "example.org", false },
    { "[192.0.2.1]", "[192.0.2.1]", false },
};

static void
test_align(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(aligns); i++) {
        const AlignCase *c = &aligns[i];
        if (domain_aligned(c->a, c->b) != c->aligned ||
            domain_aligned(c->b, c->a) != c->aligned)
            g_test_fail_printf("%s and %s", c->a, c->b);
    }
}

static void
test_addresses(void)
{
    g_assert_true(address_equal("ann@example.org", "Ann@EXAMPLE.org"));
    g_assert_true(address_equal("ann@b\xc3\xbc"
                                "cher.example",
                                "ann@xn--bcher-kva.example"));
    g_assert_false(address_equal("ann@example.org", "bob@example.org"));
    g_assert_false(address_equal("ann@example.org", "ann@mail.example.org"));
    g_assert_false(address_equal("ann", "ann"));
    g_assert_false(address_equal(NULL, "ann@example.org"));
    g_assert_false(address_equal("", ""));

    const char *ours[] = { "example.org",
                           "B\xc3\xbc"
                           "cher.example",
                           NULL };
    g_assert_true(domain_among("example.org", ours));
    g_assert_true(domain_among("a.Example.org", ours));
    g_assert_true(domain_among("xn--bcher-kva.example", ours));
    g_assert_false(domain_among("badexample.org", ours));
    g_assert_false(domain_among("org", ours));
    g_assert_false(domain_among("example.org", NULL));
    g_assert_false(domain_among("", ours));

    g_autofree char *domain = domain_of("\"a@b\"@Example.org");
    g_assert_cmpstr(domain, ==, "example.org");
    g_assert_null(domain_of("ann"));
    g_assert_null(domain_of("@example.org"));
    g_assert_null(domain_of(""));
    g_assert_null(domain_of(NULL));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    for (size_t i = 0; i < G_N_ELEMENTS(normals); i++) {
        g_autofree char *path =
            g_strdup_printf("/alignment/normal/%s", normals[i].name);
        g_test_add_data_func(path, &normals[i], test_normal);
    }
    g_test_add_func("/alignment/aligned", test_align);
    g_test_add_func("/alignment/addresses", test_addresses);
    return g_test_run();
}
