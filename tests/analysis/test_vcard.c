/* test_vcard.c - versions 2.1, 3.0 and 4.0, folding and encodings */
#include "analysis/vcard.h"

#include <string.h>

static VCard *
parse(const char *text)
{
    g_autofree char *copy = g_memdup2(text, strlen(text));
    return vcard_parse(copy, strlen(text));
}

static void
test_21(void)
{
    g_autoptr(VCard) card = parse(
        "BEGIN:VCARD\r\nVERSION:2.1\r\n"
        "N;CHARSET=ISO-8859-1;ENCODING=QUOTED-PRINTABLE:M=FCller;J=F6rg\r\n"
        "ORG:Klangwerk GmbH;Technik\r\nTITLE:Meister\r\n"
        "TEL;WORK;VOICE:(0341) 555 0123\r\nTEL;CELL:0171 5550123\r\n"
        "TEL;WORK;FAX:(0341) 555 0124\r\n"
        "ADR;WORK;ENCODING=QUOTED-PRINTABLE:;;Hafenstr=C3=A1=\r\n"
        " sse 1;Leipzig;;04109;Germany\r\n"
        "EMAIL;PREF;INTERNET:j@example.org\r\nEND:VCARD\r\n");
    g_assert_nonnull(card);
    g_assert_cmpstr(card->last, ==, "Müller");
    g_assert_cmpstr(card->first, ==, "Jörg");
    g_assert_cmpstr(card->company, ==, "Klangwerk GmbH");
    g_assert_cmpuint(card->n_phones, ==, 3);
    g_assert_cmpint(card->phones[1].type, ==, PHONE_MOBILE);
    g_assert_cmpint(card->phones[2].type, ==, PHONE_FAX);
    g_assert_cmpstr(card->parts.city, ==, "Leipzig");
    g_assert_cmpstr(card->emails[0], ==, "j@example.org");
}

static void
test_30(void)
{
    g_autoptr(VCard) card =
        parse("BEGIN:VCARD\nVERSION:3.0\nFN:Ann Ex\nN:Ex;Ann;;;\n"
              "ORG:Ex\\, Why & Zed Ltd;Sales\nitem1.TEL;type=CELL:+1 503 555 "
              "0100\nNOTE:folded \n and on\nURL:https://example.org\n"
              "AGENT:BEGIN:VCARD\nEND:VCARD\n");
    g_assert_nonnull(card);
    g_assert_cmpstr(card->company, ==, "Ex, Why & Zed Ltd");
    g_assert_cmpint(card->phones[0].type, ==, PHONE_MOBILE);
    g_assert_cmpstr(card->links[0], ==, "https://example.org");
}

static void
test_40(void)
{
    g_autoptr(VCard) card =
        parse("BEGIN:VCARD\nVERSION:4.0\nFN:山田太郎\n"
              "TEL;VALUE=uri;TYPE=\"voice,work\":tel:+81-3-5555-0100;ext=5\n"
              "END:VCARD\nBEGIN:VCARD\nFN:Other\nEND:VCARD\n");
    g_assert_nonnull(card);
    g_assert_cmpstr(card->full, ==, "山田太郎");
    g_assert_cmpstr(card->phones[0].number, ==, "+81-3-5555-0100");
    g_assert_cmpint(card->phones[0].type, ==, PHONE_WORK);
}

static void
test_none(void)
{
    g_assert_null(parse("hello"));
    g_assert_null(vcard_parse("", 0));
    g_autoptr(VCard) cut = parse("BEGIN:VCARD\nFN:Ann =");
    g_assert_nonnull(cut);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/vcard/2.1", test_21);
    g_test_add_func("/vcard/3.0", test_30);
    g_test_add_func("/vcard/4.0", test_40);
    g_test_add_func("/vcard/none", test_none);
    return g_test_run();
}
