/* Authentication-Results and ARC fields: what is read and what is refused. */
#include "trust/authres.h"

#include <string.h>

/* The canonical form that a field is shown in for comparison:
 * "ID|method=result{reason}(comment) ptype.property=value ...|..." */
static char *
show(const AuthRes *a)
{
    GString *s = g_string_new(a->authserv_id);
    if (a->version != 1)
        g_string_append_printf(s, " v%u", a->version);
    if (a->instance != 0)
        g_string_append_printf(s, " i%u", a->instance);
    if (a->none)
        g_string_append(s, "|none");
    for (guint i = 0; i < a->results->len; i++) {
        const AuthResult *r = &g_array_index(a->results, AuthResult, i);
        g_string_append_printf(s, "|%s", r->method);
        if (r->version != 1)
            g_string_append_printf(s, "/%u", r->version);
        g_string_append_printf(s, "=%s", r->result);
        if (r->reason != NULL)
            g_string_append_printf(s, "{%s}", r->reason);
        if (r->comment != NULL)
            g_string_append_printf(s, "(%s)", r->comment);
        for (guint k = 0; k < r->properties->len; k++) {
            const AuthProperty *p =
                &g_array_index(r->properties, AuthProperty, k);
            g_string_append_printf(s, " %s.%s=%s", p->ptype, p->property,
                                   p->value);
        }
    }
    return g_string_free(s, FALSE);
}

typedef struct {
    const char *name;
    const char *body;
    const char *want; /* NULL: refused */
    bool arc;
} Case;

static const Case cases[] = {
    { "none", "example.org; none", "example.org|none", false },
    { "none 1", "example.org 1; none", "example.org|none", false },
    { "none with comments", "(a) example.org (b) 1 (c) ; (d) none (e)",
      "example.org|none", false },
    { "none upper", "example.org; NONE", "example.org|none", false },
    { "id alone", "example.org", "example.org|none", false },
    { "id and semicolon", "example.org;", "example.org", false },
    { "spf", "example.com; spf=pass smtp.mailfrom=example.net",
      "example.com|spf=pass smtp.mailfrom=example.net", false },
    { "two methods",
      "example.com; auth=pass (cram-md5) smtp.auth=sender@example.net; "
      "spf=pass smtp.mailfrom=example.net",
      "example.com|auth=pass(cram-md5) smtp.auth=sender@example.net|spf=pass "
      "smtp.mailfrom=example.net",
      false },
    { "reason",
      "example.com; dkim=pass reason=\"good signature\" "
      "header.i=@mail-router.example.net; dkim=fail reason=\"bad signature\" "
      "header.i=@newyork.example.com",
      "example.com|dkim=pass{good signature} "
      "header.i=@mail-router.example.net|dkim=fail{bad signature} "
      "header.i=@newyork.example.com",
      false },
    { "reason token", "a; dkim=fail reason=bad header.d=b.example",
      "a|dkim=fail{bad} header.d=b.example", false },
    { "comments everywhere",
      "foo.example.net (foobar) 1 (baz); dkim (Because I like it) / 1 (One "
      "yay) = (wait for it) fail policy (A dot can go here) . (like that) "
      "expired (this surprised me) = (as I wasn't expecting it) 1362471462",
      "foo.example.net|dkim=fail(A dot can go here) policy.expired=1362471462",
      false },
    { "method version", "a; dkim/2=pass header.d=b", "a|dkim/2=pass header.d=b",
      false },
    { "spaces around equals", "a; dkim = pass header.d = b.example",
      "a|dkim=pass header.d=b.example", false },
    { "folded", "a;\r\n\tdkim=pass\r\n\theader.d=b.example",
      "a|dkim=pass header.d=b.example", false },
    { "upper case", "A; DKIM=PASS HEADER.D=B.Example",
      "A|dkim=pass header.d=B.Example", false },
    { "quoted id", "\"a b\"; spf=pass", "a b|spf=pass", false },
    { "quoted pair in id", "\"a\\\"b\"; spf=pass", "a\"b|spf=pass", false },
    { "quoted value", "a; dkim=pass header.b=\"ab+c/d\"",
      "a|dkim=pass header.b=ab+c/d", false },
    { "base64 value", "a; dkim=pass header.b=ab+c/d==",
      "a|dkim=pass header.b=ab+c/d==", false },
    { "address value", "a; spf=fail smtp.mailfrom=ann+b@c.example",
      "a|spf=fail smtp.mailfrom=ann+b@c.example", false },
    { "quoted local-part", "a; spf=pass smtp.mailfrom=\"a b\"@c.example",
      "a|spf=pass smtp.mailfrom=\"a b\"@c.example", false },
    { "empty value",
      "a; spf=none smtp.mailfrom=", "a|spf=none smtp.mailfrom=", false },
    { "null sender", "a; spf=none smtp.mailfrom=<> smtp.helo=h",
      "a|spf=none smtp.mailfrom=<> smtp.helo=h", false },
    { "IPv6", "a; iprev=pass policy.iprev=2001:db8::1 (h.example)",
      "a|iprev=pass(h.example) policy.iprev=2001:db8::1", false },
    { "final semicolon", "a; spf=pass;", "a|spf=pass", false },
    { "final semicolon and comment", "a; spf=pass; (end)", "a|spf=pass",
      false },
    { "action=none", "a; dmarc=pass action=none header.from=b.example",
      "a|dmarc=pass header.from=b.example", false },
    { "compauth", "a; compauth=pass reason=100", "a|compauth=pass{100}",
      false },
    { "dmarc with policy in a comment",
      "mx.example; dmarc=fail (p=REJECT sp=NONE dis=NONE) "
      "header.from=b.example",
      "mx.example|dmarc=fail(p=REJECT sp=NONE dis=NONE) header.from=b.example",
      false },
    { "underscore in property", "a; dmarc=pass policy.dmarc_rule=x",
      "a|dmarc=pass policy.dmarc_rule=x", false },
    { "x- method", "a; x-tls=pass smtp.version=TLSv1.3",
      "a|x-tls=pass smtp.version=TLSv1.3", false },
    { "nested comment", "a; spf=pass (b (c (d)) e) smtp.helo=f",
      "a|spf=pass(b (c (d)) e) smtp.helo=f", false },
    { "paren escaped in comment", "a; spf=pass (b \\) c)",
      "a|spf=pass(b \\) c)", false },
    { "first comment is kept", "a; arc=pass (i=1) (x) header.d=b",
      "a|arc=pass(i=1) header.d=b", false },
    { "comment glued", "a; spf=pass(ok) smtp.helo=b",
      "a|spf=pass(ok) smtp.helo=b", false },
    { "no space before semicolon", "a;spf=pass;dkim=none",
      "a|spf=pass|dkim=none", false },
    { "UTF-8 value",
      "a; spf=pass smtp.mailfrom=b\xc3\xbc"
      "cher.example",
      "a|spf=pass smtp.mailfrom=b\xc3\xbc"
      "cher.example",
      false },
    { "UTF-8 id",
      "b\xc3\xbc"
      "cher.example; spf=pass",
      "b\xc3\xbc"
      "cher.example|spf=pass",
      false },
    { "invalid UTF-8 is shown as such", "a; spf=pass smtp.helo=\xff",
      "a|spf=pass smtp.helo=\xef\xbf\xbd", false },
    { "version 2", "a 2; spf=pass", "a v2|spf=pass", false },
    { "id with port", "a:25; spf=pass", NULL, false },
    { "id with a slash", "a/b; spf=pass", NULL, false },
    { "empty", "", NULL, false },
    { "blank", " \t ", NULL, false },
    { "comment only", "(x)", NULL, false },
    { "semicolon only", ";", NULL, false },
    { "no id", "; spf=pass", NULL, false },
    { "no semicolon", "a spf=pass", NULL, false },
    { "no result", "a; spf", NULL, false },
    { "no result 2", "a; spf=", NULL, false },
    { "no method", "a; =pass", NULL, false },
    { "two semicolons", "a; spf=pass;; dkim=pass", NULL, false },
    { "none among results", "a; spf=pass; none", NULL, false },
    { "none and more", "a; none; spf=pass", NULL, false },
    { "property without dot", "a; spf=pass smtp", NULL, false },
    { "property without name", "a; spf=pass smtp.=b", NULL, false },
    { "property without equals", "a; spf=pass smtp.helo b", NULL, false },
    { "comment unclosed", "a; spf=pass (b", NULL, false },
    { "comment in comment unclosed", "a; spf=pass (b (c)", NULL, false },
    { "comment closed twice", "a; spf=pass (b))", NULL, false },
    { "quote unclosed", "a; spf=pass reason=\"b", NULL, false },
    { "quote ends in backslash", "a; spf=pass reason=\"b\\", NULL, false },
    { "comment ends in backslash", "a; spf=pass (b\\", NULL, false },
    { "version too big", "a 99999; spf=pass", NULL, false },
    { "method version too big", "a; dkim/99999=pass", NULL, false },
    { "method version empty", "a; dkim/=pass", NULL, false },
    { "equals in id", "i=1; a; spf=pass", NULL, false },
    { "garbage after result", "a; spf=pass!", NULL, false },
    { "value with quote inside", "a; spf=pass smtp.helo=b\"c\"", NULL, false },
    { "property after semicolon", "a; spf=pass; smtp.helo=b", NULL, false },
    /* ARC */
    { "arc", "i=1; a.example; dkim=pass header.d=b.example",
      "a.example i1|dkim=pass header.d=b.example", true },
    { "arc spaces", " i = 2 ; a.example ; spf=fail smtp.mailfrom=b",
      "a.example i2|spf=fail smtp.mailfrom=b", true },
    { "arc comment", "(x) i=3 (y); a; arc=pass (i=2 spf=pass)",
      "a i3|arc=pass(i=2 spf=pass)", true },
    { "arc none", "i=1; a; none", "a i1|none", true },
    { "arc 50", "i=50; a; spf=pass", "a i50|spf=pass", true },
    { "arc 51", "i=51; a; spf=pass", NULL, true },
    { "arc 0", "i=0; a; spf=pass", NULL, true },
    { "arc without instance", "a; spf=pass", NULL, true },
    { "arc without id", "i=1; ; spf=pass", NULL, true },
    { "arc bad instance", "i=x; a; spf=pass", NULL, true },
    { "arc empty instance", "i=; a; spf=pass", NULL, true },
    { "arc a seal", "i=1; a=rsa-sha256; cv=none; d=b", NULL, true },
};

static void
test_case(gconstpointer data)
{
    const Case *c = data;
    size_t len = strlen(c->body);
    g_autofree char *copy = g_memdup2(c->body, len);
    g_autoptr(AuthRes) got =
        authres_parse(copy != NULL ? copy : "", len, c->arc);
    g_autofree char *shown = got != NULL ? show(got) : NULL;
    g_assert_cmpstr(shown, ==, c->want);
}

typedef struct {
    const char *name;
    const char *body;
    unsigned instance; /* 0: refused */
    const char *domain;
    char cv;
} SealCase;

static const SealCase seals[] = {
    { "plain",
      "i=1; a=rsa-sha256; t=12345; cv=none; d=example.org; s=x; b=ab/+=", 1,
      "example.org", 'n' },
    { "any order", "d=example.org; s=x; cv=pass; i=2; a=x; b=a", 2,
      "example.org", 'p' },
    { "folded", "i=1;\r\n a=x;\r\n cv=fail; d=example.org ;\r\n b=a\r\n b", 1,
      "example.org", 'f' },
    { "final semicolon", "i=1; cv=none; d=a; b=b;", 1, "a", 'n' },
    { "no instance", "cv=none; d=a; b=b", 0, NULL, 0 },
    { "no domain", "i=1; cv=none; b=b", 0, NULL, 0 },
    { "no cv", "i=1; d=a; b=b", 0, NULL, 0 },
    { "two domains", "i=1; cv=none; d=a; d=b; b=b", 0, NULL, 0 },
    { "two instances", "i=1; i=2; cv=none; d=a", 0, NULL, 0 },
    { "two cv", "i=1; cv=none; cv=pass; d=a", 0, NULL, 0 },
    { "cv unknown", "i=1; cv=maybe; d=a", 0, NULL, 0 },
    { "instance 51", "i=51; cv=none; d=a", 0, NULL, 0 },
    { "instance junk", "i=1x; cv=none; d=a", 0, NULL, 0 },
    { "an AAR", "i=1; a.example; spf=pass", 0, NULL, 0 },
    { "empty", "", 0, NULL, 0 },
    { "empty domain", "i=1; cv=none; d=", 0, NULL, 0 },
};

static void
test_seal(gconstpointer data)
{
    const SealCase *c = data;
    size_t len = strlen(c->body);
    g_autofree char *copy = g_memdup2(c->body, len);
    ArcSeal seal = { 0 };
    bool ok = arc_seal_parse(copy != NULL ? copy : "", len, &seal);
    g_assert_cmpint(ok, ==, c->instance != 0);
    g_assert_cmpuint(seal.instance, ==, c->instance);
    g_assert_cmpstr(seal.domain, ==, c->domain);
    g_assert_cmpint(seal.cv, ==, c->cv);
    arc_seal_clear(&seal);
}

static void
test_limits(void)
{
    /* A NUL, a field that is too long, too many results, too deep comments:
     * refused, and at once. */
    g_assert_null(authres_parse("a; spf=pass\0", 12, false));

    g_autoptr(GString) s = g_string_new("a");
    while (s->len <= AUTHRES_MAX_BYTES)
        g_string_append(s, "; spf=pass");
    g_assert_null(authres_parse(s->str, s->len, false));

    g_string_assign(s, "a");
    for (int i = 0; i < AUTHRES_MAX_RESULTS; i++)
        g_string_append(s, "; spf=pass");
    g_autoptr(AuthRes) most = authres_parse(s->str, s->len, false);
    g_assert_nonnull(most);
    g_string_append(s, "; spf=pass");
    g_assert_null(authres_parse(s->str, s->len, false));

    g_string_assign(s, "a; spf=pass");
    for (int i = 0; i < AUTHRES_MAX_PROPERTIES + 1; i++)
        g_string_append(s, " a.b=c");
    g_assert_null(authres_parse(s->str, s->len, false));

    g_string_assign(s, "a; spf=pass ");
    for (int i = 0; i < AUTHRES_MAX_COMMENT_DEPTH + 1; i++)
        g_string_append_c(s, '(');
    for (int i = 0; i < AUTHRES_MAX_COMMENT_DEPTH + 1; i++)
        g_string_append_c(s, ')');
    g_assert_null(authres_parse(s->str, s->len, false));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = g_strdup_printf(
            "/authres/%s/%s", cases[i].arc ? "arc" : "case", cases[i].name);
        g_test_add_data_func(path, &cases[i], test_case);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(seals); i++) {
        g_autofree char *path =
            g_strdup_printf("/authres/seal/%s", seals[i].name);
        g_test_add_data_func(path, &seals[i], test_seal);
    }
    g_test_add_func("/authres/limits", test_limits);
    return g_test_run();
}
