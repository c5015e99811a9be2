/*
 * shapes.c - see shapes.h
 */
#include "shapes.h"

#include <string.h>

#define FROM \
    "From: Ann Sample <ann.sample@client.example>\r\nTo: office@ours.example" \
    "\r\nSubject: Our meeting\r\nMessage-ID: <1@client.example>\r\n"
#define MIME FROM "MIME-Version: 1.0\r\n"
#define PLAIN MIME "Content-Type: text/plain; charset=utf-8\r\n\r\n"
#define HTML MIME "Content-Type: text/html; charset=utf-8\r\n\r\n"
#define MIXED MIME "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
#define REPORT \
    "From: Mail Delivery System <mailer-daemon@client.example>\r\nTo: " \
    "news@ours.example\r\nSubject: Undelivered Mail Returned to Sender\r\n" \
    "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\nContent-Type: " \
    "multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b" \
    "\r\n\r\n"
#define STATUS \
    REPORT "failed\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n" \
           "Reporting-MTA: dns; mx.client.example\r\n\r\n"
#define REQUEST \
    "From: ann.sample@client.example\r\nTo: news@ours.example\r\nSubject: " \
    "Re: " \
    "Our news\r\n\r\n"

const Shape shapes[] = {
    /* the header section */
    { "header fields", FROM, "X-%d: y\r\n", "\r\nhi\r\n" },
    { "header fields without a colon", FROM, "x\r\n", "\r\nhi\r\n" },
    { "received fields", FROM, "Received: from a by b with c; d\r\n", "\r\n" },
    { "one long field", FROM "X-Long: ", "xxxxxxxxxxxxxxxx", "\r\n\r\nhi\r\n" },
    { "folded field", FROM "X-Long: x", "\r\n x", "\r\n\r\nhi\r\n" },
    { "encoded words, quoted", "Subject: ", "=?utf-8?q?=61?= ", "\r\n\r\n" },
    { "encoded words, base64", "Subject: ", "=?utf-8?b?YWI=?=\r\n ",
      "\r\n\r\n" },
    { "encoded words, charsets", "Subject: ",
      "=?iso-2022-jp?b?GyRCJWE=?= =?gb18030?q?=81=30?= ", "\r\n\r\n" },
    { "encoded words, begun", "Subject: ", "=?a?q?b", "\r\n\r\n" },
    { "encoded words in many fields", FROM,
      "X-%d: =?utf-8?q?=c3=bc?= =?utf-8?b?w7w=?=\r\n", "\r\n" },
    { "names with encoded words",
      "From: ", "=?utf-8?q?A?= <a%d@client.example>,\r\n ", "\r\n\r\n" },
    { "mailboxes", "From: ", "a%d@client.example,", "\r\n\r\n" },
    { "mailboxes, quotes", "From: ", "\"\\\"", "\r\n\r\n" },
    { "mailboxes, comments", "From: ", "((", "\r\n\r\n" },
    { "mailboxes, angles", "To: ", "<a@b ", "\r\n\r\n" },
    { "parameters", FROM "Content-Type: text/plain", ";\r\n a%d=b",
      "\r\n\r\nhi\r\n" },
    { "parameter continuations", FROM "Content-Type: text/plain",
      ";\r\n charset*%d*=%%41", "\r\n\r\nhi\r\n" },
    { "references", FROM "References: ", "<%d@client.example>\r\n ",
      "\r\n\r\nhi\r\n" },
    { "authentication results", FROM, "Authentication-Results: a; spf=pass\r\n",
      "\r\nhi\r\n" },
    /* the MIME structure */
    { "empty parts", MIXED, "--b\r\n\r\n", "" },
    { "parts with fields", MIXED, "--b\r\nA: b\r\nC: d\r\n\r\nx\r\n", "" },
    { "nested multiparts, one boundary", MIXED,
      "--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n", "" },
    { "nested multiparts",
      MIME "Content-Type: multipart/mixed; boundary=b0\r\n",
      "\r\n--b%d\r\nContent-Type: multipart/mixed; boundary=b%d\r\n", "" },
    { "nested messages", FROM, "Content-Type: message/rfc822\r\n\r\n", "" },
    { "messages in parts", MIXED,
      "--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\ny\r\n",
      "" },
    { "lines that begin as boundaries", MIXED, "--\r\n--a\r\n--bb\r\n", "" },
    { "boundary missing", MIME "Content-Type: multipart/mixed\r\n\r\n",
      "--a%d\r\n", "" },
    { "cards", MIXED,
      "--b\r\nContent-Type: text/vcard\r\n\r\nBEGIN:VCARD\r\nFN:Ann\r\n"
      "TEL:+61 2 5550 1234\r\nEND:VCARD\r\n",
      "" },
    { "a card of telephones",
      MIME "Content-Type: text/vcard\r\n\r\nBEGIN:VCARD\r\n",
      "TEL;TYPE=work:+61 2 5550 %d\r\n", "END:VCARD\r\n" },
    { "calendar lines", MIME "Content-Type: text/calendar\r\n\r\n",
      "ATTENDEE;CN=Ann:mailto:a@client.example\r\n", "" },
    { "quoted-printable",
      MIME "Content-Transfer-Encoding: quoted-printable\r\n\r\n",
      "=3D=\r\n=", "" },
    { "base64, padding", MIME "Content-Transfer-Encoding: base64\r\n\r\n",
      "A=\r\n", "" },
    { "base64, cut", MIME "Content-Transfer-Encoding: base64\r\n\r\n",
      "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo=\r\n", "QU" },
    { "flowed", MIME "Content-Type: text/plain; format=flowed\r\n\r\n",
      "> a \r\n", "" },
    /* charsets */
    { "charset unknown",
      MIME "Content-Type: text/plain; charset=no-such\r\n\r\n", "\xff\xfe\x80",
      "" },
    { "not UTF-8", PLAIN, "\xff\xc3 ", "" },
    { "ISO-2022-JP, escapes",
      MIME "Content-Type: text/plain; charset=iso-2022-jp\r\n\r\n",
      "\x1b$B\xff\x1b(B", "" },
    { "UTF-7", MIME "Content-Type: text/plain; charset=utf-7\r\n\r\n", "+AOk-",
      "" },
    { "UTF-16", MIME "Content-Type: text/plain; charset=utf-16\r\n\r\n",
      "\xd8\xd8", "" },
    { "GB18030", MIME "Content-Type: text/plain; charset=gb18030\r\n\r\n",
      "\x81\x30\x81\x30", "" },
    /* HTML */
    { "nested divs", HTML, "<div>", "" },
    { "nested divs and text", HTML, "<div><b>x", "" },
    { "nested tables", HTML, "<table><tr><td>", "" },
    { "cells", HTML "<table>", "<tr><td>a<td>b", "" },
    { "closing tags", HTML "<p>", "</b></i></div>", "" },
    { "attributes", HTML, "<x a=b c=d e=f g=h>", "" },
    { "styles", HTML, "<p style=\"color:#888;font-size:1px;:;;:\">x", "" },
    { "style sheet", HTML "<style>", ".a%d{color:#fff;display:none}", "" },
    { "classes", HTML, "<p class=\"a b c d e gmail_quote\">y", "" },
    { "entities", HTML, "&amp;", "" },
    { "ampersands", HTML, "&", "" },
    { "comments", HTML, "<!-- -->", "" },
    { "comment, not closed", HTML, "<!--", "" },
    { "links", HTML, "<a href=http://a.example/%d>x</a>", "" },
    { "links through wrappers", HTML,
      "<a href=\"https://x.safelinks.protection.outlook.com/?url=https%3A%2F"
      "%2Fa.example\">x</a>",
      "" },
    { "blockquotes", HTML, "<blockquote>x", "" },
    { "line breaks", HTML, "x<br>", "" },
    { "images", HTML, "<img alt=\"Tel: +61 2 5550 1234\">", "" },
    { "text in HTML", HTML "<p>", "word ", "" },
    { "spaces that do not show", HTML "<p>", "\xe2\x80\x8b\xc2\xa0", "" },
    /* text: whose words are they? */
    { "attributions", PLAIN "x\r\n",
      "On 12/03/2026 10:22 a@b.example wrote:\r\n", "" },
    { "attributions, folded", PLAIN "x\r\n",
      "On Thu, 12 Mar 2026 at 10:22, Ann Sample\r\n<a@b.example> wrote:\r\n",
      "" },
    { "header blocks", PLAIN "x\r\n",
      "From: a@b.example\r\nSent: 12/03/2026 10:22\r\nTo: x\r\n", "" },
    { "header blocks, half", PLAIN "x\r\n", "From:\r\nTo:\r\n\r\n", "" },
    { "quotation marks", PLAIN, "> > > > > > x\r\n", "" },
    { "quotation marks in one line", PLAIN, "> ", "\r\n" },
    { "quoted and own in turn", PLAIN, "> a\r\nb\r\n", "" },
    { "separators", PLAIN, "-----Original Message-----\r\n", "" },
    { "empty lines", PLAIN, "\r\n", "" },
    { "spaces", PLAIN, "          ", "\r\n" },
    { "colons", PLAIN, ":\r\n", "" },
    /* text: the signature */
    { "signature marks", PLAIN, "-- \r\n", "" },
    { "closings", PLAIN, "Kind regards\r\n", "" },
    { "closings and names", PLAIN, "Kind regards\r\nAnn Sample\r\n", "" },
    { "digits", PLAIN "\r\n-- \r\n", "12345 67890 12345\r\n", "" },
    { "digits in one line", PLAIN "\r\n-- \r\nTel: ", "1234567890", "\r\n" },
    { "digits and spaces in one line", PLAIN "\r\n-- \r\nTel: ", "1 ", "\r\n" },
    { "telephones", PLAIN "\r\nRegards\r\nAnn Sample\r\n",
      "Phone: +61 2 5550 %d\r\n", "" },
    { "telephones in one line", PLAIN "\r\nRegards\r\nAnn Sample\r\n",
      "+61 2 5550 1234 / ", "\r\n" },
    { "labels", PLAIN "\r\n-- \r\n", "T: F: M: E: W: P: ", "\r\n" },
    { "addresses", PLAIN "\r\n-- \r\nAnn Sample\r\n",
      "12 Example Street, Sydney NSW 2000\r\n", "" },
    { "words in capitals", PLAIN "\r\n-- \r\n", "Ann Sample ", "\r\n" },
    { "names", PLAIN "\r\n-- \r\n", "Ann Maria Sample-Jones Jr.\r\n", "" },
    { "firms", PLAIN "\r\n-- \r\nAnn Sample\r\n",
      "Client Events Pty Ltd & Co. KG GmbH\r\n", "" },
    { "titles", PLAIN "\r\n-- \r\nAnn Sample\r\n",
      "Senior Vice President of Sales and Marketing Director\r\n", "" },
    { "e-mail addresses", PLAIN "\r\n-- \r\nAnn Sample\r\n",
      "ann.%d@client.example\r\n", "" },
    { "e-mail addresses in one line", PLAIN, "a@b.example ", "\r\n" },
    { "at signs", PLAIN, "@", "\r\n" },
    { "web addresses", PLAIN "\r\n-- \r\nAnn Sample\r\n",
      "https://www.client.example/%d?a=b&c=d\r\n", "" },
    { "web addresses in one line", PLAIN, "http://www.a.example/", "\r\n" },
    { "short lines", PLAIN, "a\r\n", "" },
    { "short lines behind a mark", PLAIN "x\r\n-- \r\n", "a\r\n", "" },
    { "long words", PLAIN, "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrst",
      "\r\n" },
    { "disclaimers", PLAIN,
      "This e-mail and any attachments are confidential and intended solely "
      "for the addressee.\r\n",
      "" },
    { "Chinese", PLAIN, "请帮我取消订阅谢谢关于会议室预订的报价", "\r\n" },
    { "Japanese lines", PLAIN, "株式会社サンプル 営業部長\r\n", "" },
    { "Thai", PLAIN, "ยกเลิกการรับข่าวสาร", "\r\n" },
    { "Arabic", PLAIN, "إلغاء الاشتراك من فضلك ", "\r\n" },
    { "Cyrillic", PLAIN, "Отпишите меня от рассылки, пожалуйста ", "\r\n" },
    { "combining marks", PLAIN, "e\xcc\x81", "\r\n" },
    { "bidi controls", PLAIN,
      "\xe2\x80\xae\xe2\x80\xac"
      "a",
      "\r\n" },
    /* text: requests */
    { "requests", REQUEST, "Please unsubscribe me from this list.\r\n", "" },
    { "requests in one line", REQUEST, "please unsubscribe me ", "\r\n" },
    { "negations", REQUEST, "do not not not unsubscribe remove ", "\r\n" },
    { "misspelt requests", REQUEST, "unsubscirbe unsbscribe unsubcribe ",
      "\r\n" },
    { "questions", REQUEST, "unsubscribe? remove? stop? ", "\r\n" },
    { "a form", MIME "Reply-To: x@client.example\r\n\r\n",
      "Name: Ann Sample\r\nPhone: 0255501234\r\nEmail: x@client.example\r\n",
      "" },
    /* reports */
    { "recipients of a report", STATUS,
      "Final-Recipient: rfc822; a%d@client.example\r\nAction: failed\r\n"
      "Status: 5.1.1\r\n\r\n",
      "--b--\r\n" },
    { "fields of a recipient",
      STATUS "Final-Recipient: rfc822; a@b.example\r\n",
      "Diagnostic-Code: smtp; 550 5.1.1 user unknown\r\n", "" },
    { "addresses in a report's text", REPORT,
      "<a%d@client.example>: user unknown\r\n", "" },
    { "reasons in a report's text", REPORT,
      "550 5.1.1 user unknown mailbox full quota exceeded ", "\r\n" },
    { "addresses in one line of a report", REPORT, "<a@b.example> 550 ",
      "\r\n" },
    { "codes in a report's text", REPORT, "5.1.1 4.2.2 550 ", "\r\n" },
    { "complaints",
      MIME "Content-Type: multipart/report; report-type=feedback-report; "
           "boundary=b\r\n\r\n--b\r\nContent-Type: message/feedback-report\r\n"
           "\r\nFeedback-Type: abuse\r\n",
      "Original-Rcpt-To: a%d@client.example\r\n", "" },
    /* anything */
    { "NULs", PLAIN, "\0", "" },
    { "one letter", PLAIN, "a", "" },
    { "one letter, no header", "", "a", "" },
    { "carriage returns", PLAIN, "\r", "" },
    { "controls", PLAIN, "\x01\x1b\x7f\x08", "" },
};
const size_t n_shapes = G_N_ELEMENTS(shapes);

GString *
shape_make(const Shape *shape, size_t size)
{
    GString *mail = g_string_new(shape->head);
    size_t room = size > strlen(shape->tail) ? size - strlen(shape->tail) : 0;
    for (unsigned i = 0; mail->len < room; i++) {
        if (shape->repeat[0] == '\0') { /* the piece is one NUL */
            g_string_append_c(mail, '\0');
            continue;
        }
        for (const char *p = shape->repeat; *p != '\0'; p++) {
            if (p[0] == '%' && p[1] == 'd') {
                /* The second in a piece is the next one's first. */
                g_string_append_printf(
                    mail, "%u", i + (strstr(shape->repeat, "%d") == p ? 0 : 1));
                p++;
            } else if (p[0] == '%' && p[1] == '%') {
                g_string_append_c(mail, '%');
                p++;
            } else {
                g_string_append_c(mail, *p);
            }
        }
    }
    g_string_append(mail, shape->tail);
    return mail;
}
