/*
 * Bodies: HTML as lines, what the markup says of them, links, and which part
 * of a message is its text.
 */
#include "message/body.h"

#include <string.h>

/* All lines, '|' between them; an empty line shows as nothing. */
static char *
all_lines(const Body *body)
{
    GString *out = g_string_new(NULL);
    for (size_t i = 0; i < body->n_lines; i++) {
        if (i > 0)
            g_string_append_c(out, '|');
        g_string_append(out, body->lines[i].text);
    }
    return g_string_free(out, FALSE);
}

static Body *
html_body(const char *html)
{
    size_t len = strlen(html);
    g_autofree char *exact = g_memdup2(html, MAX(len, 1));
    return body_from_html(exact, len);
}

typedef struct {
    const char *name;
    const char *html;
    const char *want;
} HtmlCase;

static const HtmlCase html_cases[] = {
    { "text alone", "Hello  there\n you", "Hello there you" },
    { "break", "a<br>b<br/>c", "a|b|c" },
    { "empty lines", "a<br><br>b", "a||b" },
    { "divs", "<div>a</div><div>b</div>", "a|b" },
    { "Gmail's empty line", "<div>a</div><div><br></div><div>b</div>", "a||b" },
    { "nested divs are one line", "<div><div><div>a</div></div></div>b",
      "a|b" },
    { "paragraphs", "<p>a</p><p>b</p>", "a||b" },
    { "paragraphs not closed", "<p>a<p>b", "a||b" },
    { "Outlook's paragraphs",
      "<p class=MsoNormal>a<o:p></o:p></p><p class=MsoNormal>&nbsp;</p><p "
      "class=MsoNormal>b</p>",
      "a||b" },
    { "paragraphs without margins",
      "<p style=\"margin:0\">a</p><p style='margin-top: 0cm; color:red'>b</p>",
      "a|b" },
    { "a style sheet takes the margins",
      "<style>P {margin-top:0;margin-bottom:0;}</style><p>a</p><p>b</p>",
      "a|b" },
    { "break at the end of a block", "<div>a<br></div><div>b</div>", "a|b" },
    { "head, style, script, title",
      "<html><head><title>t</title><style>s{}</style></head><body><script>x"
      "</script>a</body></html>",
      "a" },
    { "comments", "a<!-- no -->b<!--[if mso]><p>no</p><![endif]-->c", "abc" },
    { "hidden",
      "<div style=\"display:none\">no</div>a<span "
      "style='mso-hide:all'>no</span><div style=\"font-size:0px\">no</div>",
      "a" },
    { "preheader",
      "<div class=\"preheader\">no</div><span "
      "style=\"max-height:0;overflow:hidden\">no</span>a",
      "a" },
    { "hidden inside shown", "<p>a<span hidden>no <b>no</b></span>b</p>",
      "ab" },
    { "entities", "a&amp;b &lt;c&gt; &eacute; &#233; &#xe9; &nbsp;d",
      "a&b <c> é é é d" },
    { "ampersand alone", "a & b &c; AT&T", "a & b &c; AT&T" },
    { "angle alone", "1 < 2 and 3 > 2", "1 < 2 and 3 > 2" },
    { "zero width",
      "a\xe2\x80\x8b"
      "b&#8203;c&shy;d",
      "abcd" },
    { "list", "<ul><li>a</li><li>b</li></ul>c", "a|b||c" },
    { "pre", "<pre>a\n  b\n\nc</pre>", "a|b||c" },
    { "heading", "<h1>a</h1>b", "a||b" },
    { "row of short cells",
      "<table><tr><td>aaaa</td><td>b</td></tr><tr><td>c</td></tr></table>",
      "aaaa  b|c" },
    { "label and value",
      "<table><tr><td>Tel:</td><td>123</td></tr><tr><td>M</td><td>456</td>"
      "</tr></table>",
      "Tel: 123|M 456" },
    { "cells that hold lines",
      "<table><tr><td><img src=x alt=Logo></td><td>Ann<br>Boss<br>123</td>"
      "</tr></table>",
      "Logo|Ann|Boss|123" },
    { "table in a table",
      "<table><tr><td>x</td><td><table><tr><td>aaaa</td><td>b</td></tr><tr>"
      "<td>c</td></tr></table></td></tr></table>",
      "x|aaaa  b|c" },
    { "rows and cells not closed",
      "<table><tr><td>aaaa<td>b<tr><td>cccc<td>d</table>e",
      "aaaa  b|cccc  d|e" },
    { "spacer cells",
      "<table><tr><td>&nbsp;</td><td>a</td><td width=5></td></tr></table>",
      "|a" },
    { "image alone", "<div><img src=x alt=\"ACME logo\"></div>b",
      "ACME logo|b" },
    { "image beside text", "<div><img src=x alt=\"phone\"> 123</div>", "123" },
    { "tracking pixel", "a<img src=x width=1 height=1 alt=pixel>", "a" },
    { "emoji image", "Hi <img src=x alt=\"\xf0\x9f\x98\x80\">",
      "Hi \xf0\x9f\x98\x80" },
    { "words across elements", "<b>A</b>nn <i>L</i>ee", "Ann Lee" },
    { "nothing", "", "" },
    { "tags alone", "<div></div><p></p>", "" },
    { "cut in a tag", "a<b", "a" },
    { "quote never closed", "a<a href=\"x>b</a>", "a" },
    { "end tags astray", "</div></p>a</b></td>b", "ab" },
    { "bold never closed", "<div><b>a</div><div>b</div>", "a|b" },
};

static void
test_html(gconstpointer data)
{
    const HtmlCase *c = data;
    g_autoptr(Body) body = html_body(c->html);
    /* an empty line at the ends is nobody's concern */
    g_autofree char *got = all_lines(body);
    const char *begin = got, *want = c->want;
    size_t n = strlen(got);
    while (n > 0 && begin[n - 1] == '|')
        n--;
    g_autofree char *trimmed = g_strndup(begin, n);
    if (*want != '|' && *trimmed == '|')
        g_assert_cmpstr(trimmed + 1, ==, want);
    else
        g_assert_cmpstr(trimmed, ==, want);
    for (size_t k = 0; k < strlen(c->html); k++) { /* cut anywhere */
        g_autofree char *exact = g_memdup2(c->html, MAX(k, 1));
        g_autoptr(Body) cut = body_from_html(exact, k);
        g_assert_true(cut->from_html);
    }
}

typedef struct {
    const char *name;
    const char *html;
    const char *line; /* the one that must have, and must not have, flags */
    unsigned with, without;
} FlagCase;

static const FlagCase flag_cases[] = {
    { "Gmail signature",
      "<p>x</p><div class=\"gmail_signature\" data-smartmail=\"gmail_signature"
      "\"><div>Ann</div></div>",
      "Ann", LINE_SIGNATURE_ELEMENT, 0 },
    { "not before it", "<p>x</p><div class=gmail_signature>Ann</div>", "x", 0,
      LINE_SIGNATURE_ELEMENT },
    { "nor behind it", "<div class=gmail_signature>Ann</div><p>x</p>", "x", 0,
      LINE_SIGNATURE_ELEMENT },
    { "Thunderbird", "<pre class=\"moz-signature\" cols=\"72\">-- \nAnn</pre>",
      "Ann", LINE_SIGNATURE_ELEMENT, 0 },
    { "Outlook", "<div id=\"Signature\"><p>Ann</p></div>", "Ann",
      LINE_SIGNATURE_ELEMENT, 0 },
    { "Outlook, forwarded through the web", "<div id=\"x_Signature\">Ann</div>",
      "Ann", LINE_SIGNATURE_ELEMENT, 0 },
    { "Outlook mobile", "<div id=\"ms-outlook-mobile-signature\">Ann</div>",
      "Ann", LINE_SIGNATURE_ELEMENT, 0 },
    { "Apple", "<div id=\"AppleMailSignature\" dir=\"ltr\">Ann</div>", "Ann",
      LINE_SIGNATURE_ELEMENT, 0 },
    { "Proton",
      "<div class=\"protonmail_signature_block\"><div "
      "class=\"protonmail_signature_block-user\">Ann</div></div>",
      "Ann", LINE_SIGNATURE_ELEMENT, 0 },
    { "a class that only sounds like it",
      "<div class=\"signature-wine\">Ann"
      "</div>",
      "Ann", 0, LINE_SIGNATURE_ELEMENT },
    { "table", "<table><tr><td>Ann</td></tr></table>", "Ann", LINE_TABLE, 0 },
    { "not behind the table", "<table><tr><td>x</td></tr></table>Ann", "Ann", 0,
      LINE_TABLE },
    { "bold", "<p><b>Ann Lee</b></p>", "Ann Lee", LINE_BOLD, 0 },
    { "bold in part", "<p><b>Ann</b> Lee</p>", "Ann Lee", 0, LINE_BOLD },
    { "bold by style", "<span style=\"font-weight:700\">Ann</span>", "Ann",
      LINE_BOLD, 0 },
    { "small",
      "<div style=\"font-size:12pt\">x</div><div "
      "style=\"font-size:8pt\">Ann</div>",
      "Ann", LINE_SMALL, LINE_GREY },
    { "small by element", "<div>x</div><small>Ann</small>", "Ann", LINE_SMALL,
      0 },
    { "grey", "<div style=\"color:#888888\">Ann</div>", "Ann", LINE_GREY, 0 },
    { "grey by name", "<font color=gray>Ann</font>", "Ann", LINE_GREY, 0 },
    { "grey in numbers", "<span style='color:rgb(120, 120, 120)'>Ann</span>",
      "Ann", LINE_GREY, 0 },
    { "black is not grey", "<span style='color:#000'>Ann</span>", "Ann", 0,
      LINE_GREY },
    { "blue is not grey", "<span style='color:#0563C1'>Ann</span>", "Ann", 0,
      LINE_GREY },
    { "rule", "x<hr>Ann", "Ann", LINE_AFTER_RULE, 0 },
    { "drawn rule", "x<br>_______<br>Ann", "Ann", LINE_AFTER_RULE, 0 },
    { "list item", "<ul><li>Ann</li></ul>", "Ann", LINE_LIST_ITEM, 0 },
    { "quotation", "<blockquote type=cite>Ann</blockquote>", "Ann",
      LINE_QUOTE_ELEMENT, LINE_QUOTE_MARK },
    { "alt text", "<div><img src=x alt=\"Ann Lee\"></div>", "Ann Lee",
      LINE_IMAGE_ALT, 0 },
    { "paragraph", "<p>x</p><p>Ann</p>", "Ann", LINE_PARAGRAPH, 0 },
};

static void
test_flag(gconstpointer data)
{
    const FlagCase *c = data;
    g_autoptr(Body) body = html_body(c->html);
    for (size_t i = 0; i < body->n_lines; i++) {
        const Line *line = &body->lines[i];
        if (strcmp(line->text, c->line) != 0)
            continue;
        g_assert_cmphex(line->flags & c->with, ==, c->with);
        g_assert_cmphex(line->flags & c->without, ==, 0);
        return;
    }
    g_assert_not_reached();
}

static void
test_links(void)
{
    g_autoptr(Body) body = html_body(
        "<p>x</p><p>See <a href=\"https://example.org/?a=1&amp;b=2\">our "
        "<b>site</b></a>.</p><a href='tel:+61312345678'>call</a><br><a "
        "href=\"mailto:ann@example.org\"><img src=x alt=\"mail icon\"></a>"
        "<table><tr><td>Web</td><td><a href=https://example.net>example.net"
        "</a></td></tr></table><a>no target</a>");
    g_assert_cmpuint(body->n_links, ==, 4);
    g_assert_cmpstr(body->links[0].href, ==, "https://example.org/?a=1&b=2");
    g_assert_cmpstr(body->links[0].text, ==, "our site");
    g_assert_cmpstr(body->lines[body->links[0].line].text, ==, "See our site.");
    g_assert_cmpstr(body->links[1].href, ==, "tel:+61312345678");
    g_assert_cmpstr(body->lines[body->links[1].line].text, ==, "call");
    g_assert_cmpstr(body->links[2].text, ==, "mail icon");
    g_assert_cmpstr(body->links[3].href, ==, "https://example.net");
    g_assert_cmpstr(body->lines[body->links[3].line].text, ==,
                    "Web example.net");
}

static void
test_plain_lines(void)
{
    static const char text[] = "  a\t \n\n>> b\n> > c\n -- \n____\nd\xc2\xa0";
    g_autoptr(Body) body = body_from_plain(text, sizeof(text) - 1);
    g_autofree char *got = all_lines(body);
    g_assert_cmpstr(got, ==, "a||b|c|--|____|d");
    g_assert_cmpuint(body->lines[2].quote_depth, ==, 2);
    g_assert_cmpuint(body->lines[3].quote_depth, ==, 2);
    g_assert_cmphex(body->lines[2].flags & LINE_QUOTE_MARK, !=, 0);
    g_assert_cmphex(body->lines[6].flags & LINE_AFTER_RULE, !=, 0);
    g_assert_false(body->from_html);
}

static void
test_zone_text(void)
{
    static const char text[] = "mine\n> theirs\n> more\nmine too\n";
    g_autoptr(Body) body = body_from_plain(text, sizeof(text) - 1);
    g_autofree char *own = body_zone_text(body, ZONE_OWN, SIZE_MAX);
    g_autofree char *quoted = body_zone_text(body, ZONE_QUOTED, SIZE_MAX);
    g_autofree char *none = body_zone_text(body, ZONE_SIGNATURE, SIZE_MAX);
    g_assert_cmpstr(own, ==, "mine\nmine too");
    g_assert_cmpstr(quoted, ==, "theirs\nmore");
    g_assert_cmpstr(none, ==, "");
}

/* --- which part? ------------------------------------------------------------------ */

typedef struct {
    const char *name;
    const char *parts[4]; /* "TYPE\n\nBODY" each */
    const char *subtype;
    const char *want;
    const char *want_html; /* NULL: no HTML body */
} ChoiceCase;

#define LONG "The long plain text of this mail stands on one line, because the "
#define LONGER LONG LONG LONG LONG

static const ChoiceCase choices[] = {
    { "plain before HTML",
      { "text/plain\n\nP", "text/html\n\n<p>H</p>" },
      "alternative",
      "P",
      "H" },
    { "HTML before plain",
      { "text/html\n\n<p>H</p>", "text/plain\n\nP" },
      "alternative",
      "P",
      "H" },
    { "HTML alone", { "text/html\n\n<p>H</p>" }, "alternative", "H", "H" },
    { "plain alone", { "text/plain\n\nP" }, "mixed", "P", NULL },
    { "plain is empty",
      { "text/plain\n\n \n\xc2\xa0\n", "text/html\n\n<p>H</p>" },
      "alternative",
      "H",
      "H" },
    { "plain is a stand-in",
      { "text/plain\n\nThis message is in HTML format. Please use another "
        "program.",
        "text/html\n\n<p>H</p>" },
      "alternative",
      "H",
      "H" },
    { "plain holds the markup",
      { "text/plain\n\n<html><body>x</body></html>", "text/html\n\n<p>H</p>" },
      "alternative",
      "H",
      "H" },
    { "plain has lost its line ends",
      { "text/plain\n\n" LONGER,
        "text/html\n\n<p>a</p><p>b</p><p>c</p><p>d</p><p>e</p>" },
      "alternative",
      "a||b||c||d||e",
      "a||b||c||d||e" },
    { "text in pieces (Apple Mail)",
      { "text/plain\n\nA", "image/png\n\nx", "text/plain\n\nB" },
      "mixed",
      "A||B",
      NULL },
    { "HTML with a list's plain footer",
      { "text/html\n\n<p>H</p>", "text/plain\n\nfooter" },
      "mixed",
      "H||footer",
      "H" },
    { "attachment is no text",
      { "text/plain\n\nA", "text/plain\nContent-Disposition: attachment\n\nB" },
      "mixed",
      "A",
      NULL },
    { "a named file shown inline is no text",
      { "text/plain\n\nA",
        "text/plain; name=log.txt\nContent-Disposition: inline\n\nB" },
      "mixed",
      "A",
      NULL },
    { "an enclosed mail is no text",
      { "text/plain\n\nA", "message/rfc822\n\nSubject: x\n\nB" },
      "mixed",
      "A",
      NULL },
    { "no text at all", { "image/png\n\nx" }, "mixed", "", NULL },
};

static void
test_choice(gconstpointer data)
{
    const ChoiceCase *c = data;
    g_autoptr(GString) raw = g_string_new("From: ann@example.org\n");
    g_string_append_printf(raw, "Content-Type: multipart/%s; boundary=b\n\n",
                           c->subtype);
    for (size_t i = 0; i < G_N_ELEMENTS(c->parts) && c->parts[i] != NULL; i++)
        g_string_append_printf(raw, "--b\nContent-Type: %s\n", c->parts[i]);
    g_string_append(raw, "--b--\n");
    g_autoptr(Message) message = message_parse(raw->str, raw->len, NULL);
    g_autoptr(Body) body = body_new(message);
    g_autofree char *got = all_lines(body);
    g_assert_cmpstr(got, ==, c->want);
    g_autoptr(Body) html = body_new_html(message);
    if (c->want_html == NULL) {
        g_assert_null(html);
        return;
    }
    g_autofree char *got_html = all_lines(html);
    g_assert_cmpstr(got_html, ==, c->want_html);
}

/* --- hostile -------------------------------------------------------------------------- */

static void
test_hostile(void)
{
    static const char *const shapes[] = {
        "<div>",
        "<div><b>",
        "</b>",
        "<b>x</i>",
        "<table><tr><td>",
        "<td>x",
        "<tr><td>a<td>b",
        "<a href=x>",
        "<a href=\"",
        "<!--",
        "<!",
        "<",
        "&",
        "&amp",
        "&#x10ffff;",
        "&#99999999999;",
        "<img alt=x>",
        "<p>",
        "<br>",
        "<li>",
        "<style>",
        "<style>p{",
        "<script>",
        "<x a=b c=d e=f g=h>",
        "<x style=\"color:#888;font-size:1px;:;;:\">",
        "<x class=\"a b c d e f gmail_quote\">y",
        "<blockquote>x",
        "<pre>\n",
        "\xc2\xa0",
        "\xe2\x80\x8b",
        "<font size=1>x<br>",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(shapes); i++) {
        g_autoptr(GString) s = g_string_new("x");
        while (s->len < 300 * 1024)
            g_string_append(s, shapes[i]);
        g_autoptr(Body) body = body_from_html(s->str, s->len);
        g_assert_cmpuint(body->n_lines, <=, BODY_MAX_LINES);
        g_assert_cmpuint(body->n_links, <=, BODY_MAX_LINKS);
        g_assert_true(body->truncated); /* by bytes, depth or lines */
    }
    /* Opened often, and closed by tags that match nothing. */
    g_autoptr(GString) s = g_string_new(NULL);
    for (int i = 0; i < 190; i++)
        g_string_append(s, "<div>");
    while (s->len < 200 * 1024)
        g_string_append(s, "</b>x");
    g_autoptr(Body) astray = body_from_html(s->str, s->len);
    g_assert_cmpuint(astray->n_lines, >, 0);
}

static void
add(const char *group, size_t i, const char *name, gconstpointer data,
    GTestDataFunc function)
{
    g_autofree char *path = g_strdup_printf("/body/%s/%zu %s", group, i, name);
    g_test_add_data_func(path, data, function);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    for (size_t i = 0; i < G_N_ELEMENTS(html_cases); i++)
        add("html", i, html_cases[i].name, &html_cases[i], test_html);
    for (size_t i = 0; i < G_N_ELEMENTS(flag_cases); i++)
        add("flag", i, flag_cases[i].name, &flag_cases[i], test_flag);
    for (size_t i = 0; i < G_N_ELEMENTS(choices); i++)
        add("choice", i, choices[i].name, &choices[i], test_choice);
    g_test_add_func("/body/links", test_links);
    g_test_add_func("/body/plain", test_plain_lines);
    g_test_add_func("/body/zone_text", test_zone_text);
    g_test_add_func("/body/hostile", test_hostile);
    return g_test_run();
}
