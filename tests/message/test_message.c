/*
 * Messages, right and damaged, as message_parse() reads them. What a case
 * wants is written as
 *
 *     SUBJECT || NAME <ADDRESS>, ... || KIND{TEXT} KIND{TEXT}...
 *
 * with '/' for line ends in texts, trailing ones left out; a part inside an
 * enclosed message has its index before it ("1:plain{...}").
 */
#include "message/charset.h"
#include "message/header.h"
#include "message/message.h"

#include <string.h>

static const char *const kind_names[] = {
    "plain",   "html",  "status",   "disposition", "feedback", "message",
    "headers", "vcard", "calendar", "text",        "other",
};

static char *
summary(const Message *message)
{
    GString *s = g_string_new(message->subject);
    g_string_append(s, " || ");
    for (size_t i = 0; i < message->from.n; i++) {
        const Mailbox *m = &message->from.items[i];
        g_string_append_printf(s, "%s%s <%s>", i > 0 ? ", " : "",
                               m->name != NULL ? m->name : "-", m->email);
    }
    g_string_append(s, " ||");
    for (size_t i = 0; i < message->n_parts; i++) {
        const Part *part = &message->parts[i];
        g_string_append_c(s, ' ');
        if (part->enclosing >= 0)
            g_string_append_printf(s, "%d:", part->enclosing);
        g_string_append(s, kind_names[part->kind]);
        if (part->text == NULL)
            continue;
        g_assert_cmpuint(strlen(part->text), ==, part->len);
        g_assert_true(g_utf8_validate(part->text, -1, NULL));
        g_assert_null(strchr(part->text, '\r'));
        g_autofree char *text = g_strdup(part->text);
        g_strchomp(text);
        if (part->kind == PART_MESSAGE)
            continue;
        for (char *p = text; *p != 0; p++) {
            if (*p == '\n')
                *p = '/';
        }
        g_string_append_printf(s, "{%s}", text);
    }
    return g_string_free(s, FALSE);
}

static Message *
parse_exact(const char *raw, size_t len, const MessageLimits *limits)
{
    g_autofree char *copy = g_memdup2(raw, MAX(len, 1));
    return message_parse(copy, len, limits);
}

typedef struct {
    const char *name;
    const char *raw;
    const char *want;
} MessageCase;

#define HEAD "From: ann@example.org\nSubject: s\n"
#define S "s || - <ann@example.org> || "
#define MULTI(sub, b) \
    HEAD "MIME-Version: 1.0\nContent-Type: multipart/" sub "; boundary=" b \
         "\n\n"

static const MessageCase cases[] = {
    { "plain", HEAD "\nHello\nthere\n", S "plain{Hello/there}" },
    { "no body", HEAD, S "plain{}" },
    { "no body, empty line", HEAD "\n", S "plain{}" },
    { "header only, cut in a field", "From: ann@example.org\nSubj",
      " || - <ann@example.org> || plain{Subj}" },
    { "CR LF", "From: ann@example.org\r\nSubject: s\r\n\r\nHello\r\n\r\nx\r\n",
      S "plain{Hello//x}" },
    { "mixed line ends",
      "From: ann@example.org\r\nSubject: s\n\r\nA\rB\r\r\nC\nD\r\n",
      S "plain{A/B/C/D}" },
    { "CR alone", "From: ann@example.org\rSubject: s\r\rHello\r",
      S "plain{Hello}" },
    { "mbox line", "From ann@example.org Thu Mar 12 10:22:00 2026\n" HEAD "\nx",
      S "plain{x}" },
    { "mbox line, escaped",
      ">From ann@example.org Thu Mar 12 10:22:00 2026\n" HEAD "\nx",
      S "plain{x}" },
    { "empty lines first", "\n\r\n \n" HEAD "\nx", S "plain{x}" },
    { "a blank in the empty line", HEAD " \nx", S "plain{x}" },
    { "blank continuation line",
      "From: ann@example.org\nX-A: b\n \nSubject: "
      "s\n\nx",
      S "plain{x}" },
    { "fields folded", "From: ann@example.org\nSubject: a\n b\n\tc\n\nx",
      "a b c || - <ann@example.org> || plain{x}" },
    { "fold without indent",
      "From: ann@example.org\nSubject: a very long\nsubject goes on\n"
      "X-Mailer: x\n\nbody",
      "a very long subject goes on || - <ann@example.org> || plain{body}" },
    { "empty line missing", HEAD "Hello there.\nMore.\n",
      S "plain{Hello there./More.}" },
    { "blank before the colon", "From : ann@example.org\nSubject\t: s\n\nx",
      S "plain{x}" },
    { "names in capitals", "FROM: ann@example.org\nSUBJECT: s\n\nx",
      S "plain{x}" },
    { "no header at all", "just some text\nand more\n",
      " ||  || plain{just some text/and more}" },
    { "UTF-8 header (RFC 6532)",
      "From: Jörg <jörg@exämple.org>\nSubject: Grüße\n\nx",
      "Grüße || Jörg <jörg@exämple.org> || plain{x}" },
    { "tabs and controls in the subject",
      "From: ann@example.org\nSubject: a\tb\001c\n\nx",
      "a b c || - <ann@example.org> || plain{x}" },

    { "alternative",
      MULTI("alternative", "b") "--b\n\nplain\n--b\nContent-Type: "
                                "text/html\n\n<p>html\n--b--\n",
      S "plain{plain} html{<p>html}" },
    { "preamble and epilogue",
      MULTI("mixed", "b") "pre\n--b\n\nA\n--b--\nepilogue\n", S "plain{A}" },
    { "no closing boundary", MULTI("mixed", "b") "--b\n\nA\n--b\n\nB\n",
      S "plain{A} plain{B}" },
    { "cut in a boundary", MULTI("mixed", "bbbb") "--bbbb\n\nA\n--bb",
      S "plain{A/--bb}" },
    { "blanks behind the boundary", MULTI("mixed", "b") "--b  \n\nA\n--b-- \n",
      S "plain{A}" },
    { "boundary that begins another",
      MULTI("mixed", "b") "--b\nContent-Type: multipart/alternative; "
                          "boundary=bb\n\n--bb\n\nA\n--bb\n\nB\n--bb--\n--b\n"
                          "\nC\n--b--\n",
      S "plain{A} plain{B} plain{C}" },
    { "inner multipart not closed",
      MULTI("mixed", "o") "--o\nContent-Type: multipart/alternative; "
                          "boundary=i\n\n--i\n\nA\n--o\n\nB\n--o--\n",
      S "plain{A} plain{B}" },
    { "boundary quoted, with blanks and signs",
      MULTI("mixed", "\"= a'b()+_,-./:=?\"") "--= a'b()+_,-./:=?\n\nA\n--= "
                                             "a'b()+_,-./:=?--\n",
      S "plain{A}" },
    { "boundary missing, found in the body",
      HEAD "Content-Type: multipart/mixed\n\n--x1\nContent-Type: "
           "text/plain\n\nA\n--x1\nContent-Type: text/html\n\nB\n--x1--\n",
      S "plain{A} html{B}" },
    { "wrong boundary, right one found",
      MULTI("mixed", "nope") "--x1\nContent-Type: text/plain\n\nA\n--x1--\n",
      S "plain{A}" },
    { "multipart without any boundary line",
      MULTI("mixed", "nope") "Just text.\n", S "plain{Just text.}" },
    { "continues behind the closing line",
      MULTI("mixed", "b") "--b\n\nA\n--b--\n\n--b\n\nB\n--b--\n",
      S "plain{A} plain{B}" },
    { "part without header and empty line",
      MULTI("mixed", "b") "--b\nReporting: not a MIME field\nA\n--b--\n",
      S "plain{Reporting: not a MIME field/A}" },
    { "empty part", MULTI("mixed", "b") "--b\n--b\n\n--b--\n",
      S "plain{} plain{}" },
    { "type in capitals",
      HEAD "Content-Type: TEXT/HTML; CHARSET=\"US-ASCII\"\n\n<p>x",
      S "html{<p>x}" },
    { "half a type", HEAD "Content-Type: text\n\nx", S "plain{x}" },
    { "unknown type", HEAD "Content-Type: foo\n\nx", S "plain{x}" },
    { "html without MIME fields", HEAD "\n<html><body>x</body></html>",
      S "html{<html><body>x</body></html>}" },
    { "first Content-Type wins",
      HEAD "Content-Type: text/plain\nContent-Type: text/html\n\nx",
      S "plain{x}" },
    { "attachment and its name",
      MULTI("mixed", "b") "--b\n\nA\n--b\nContent-Type: "
                          "application/pdf\n\nxxx\n--b--\n",
      S "plain{A} other" },
    { "vcard by its name",
      HEAD "Content-Type: application/octet-stream; name=ann.VCF\n\nBEGIN:"
           "VCARD\n",
      S "vcard{BEGIN:VCARD}" },
    { "calendar", HEAD "Content-Type: text/calendar\n\nBEGIN:VCALENDAR\n",
      S "calendar{BEGIN:VCALENDAR}" },

    { "quoted-printable",
      HEAD "Content-Transfer-Encoding: quoted-printable\n\na=3Db =\nc=20\n=C3="
           "A9=zz=\n",
      S "plain{a=b c /é=zz}" },
    { "quoted-printable, damage",
      HEAD "Content-Transfer-Encoding: QUOTED-PRINTABLE\n\na=  \nb=e9\n=",
      S "plain{abé}" },
    { "base64", HEAD "Content-Transfer-Encoding: base64\n\nSGVs\nbG8h\n",
      S "plain{Hello!}" },
    { "base64 cut in the middle",
      HEAD "Content-Transfer-Encoding: base64\n\nSGVsbG8hIE1vcm",
      S "plain{Hello! Mor}" },
    { "base64 with text appended",
      HEAD "Content-Transfer-Encoding: base64\n\nSGVsbG8=\n\n-- \nA list "
           "footer, plain\n",
      S "plain{Hello//-- /A list footer, plain}" },
    { "base64 only said",
      HEAD "Content-Transfer-Encoding: base64\n\nThis is "
           "no base64 at all.\n",
      S "plain{This is no base64 at all.}" },
    { "base64 twice over",
      HEAD "Content-Transfer-Encoding: base64\n\nSGVsbG8=\nSGVsbG8=\n",
      S "plain{HelloHello}" },
    { "multipart in base64",
      MULTI("mixed", "o") "--o\nContent-Type: multipart/mixed; boundary=i\n"
                          "Content-Transfer-Encoding: base64\n\n"
                          "LS1pCgpBCi0taS0tCg==\n--o--\n",
      S "plain{A}" },
    { "unknown encoding", HEAD "Content-Transfer-Encoding: 9bit\n\nx=3D",
      S "plain{x=3D}" },

    { "format=flowed",
      HEAD "Content-Type: text/plain; format=flowed\n\nA long \nline.\n> "
           "quoted \n> text\n stuffed\n-- \nAnn\n",
      S "plain{A long line./> quoted text/stuffed/-- /Ann}" },
    { "format=flowed, DelSp",
      HEAD "Content-Type: text/plain; format=flowed; delsp=yes\n\nAB \nCD\n",
      S "plain{ABCD}" },

    { "enclosed message",
      MULTI("mixed", "b") "--b\n\nA\n--b\nContent-Type: "
                          "message/rfc822\n\nFrom: bob@example.org\nSubject: "
                          "t\n\nB\n--b--\n",
      S "plain{A} message 1:plain{B}" },
    { "enclosed message in base64",
      MULTI("mixed", "b") "--b\nContent-Type: message/rfc822\n"
                          "Content-Transfer-Encoding: base64\n\n"
                          "U3ViamVjdDogdAoKQgo=\n--b--\n",
      S "message 0:plain{B}" },
    { "digest", MULTI("digest", "b") "--b\n\nSubject: t\n\nB\n--b--\n",
      S "message 0:plain{B}" },
    { "report",
      MULTI("report; report-type=delivery-status",
            "b") "--b\n\nFailed.\n--b\nContent-Type: "
                 "message/delivery-status\n\nReporting-MTA: dns; "
                 "mx.example.org\n\nFinal-Recipient: rfc822; "
                 "a@example.org\nAction: failed\n--b\nContent-Type: "
                 "text/rfc822-headers\n\nFrom: x@example.org\n--b--\n",
      S "plain{Failed.} status{Reporting-MTA: dns; "
        "mx.example.org//Final-Recipient: rfc822; a@example.org/Action: "
        "failed} headers{From: x@example.org}" },
    { "status in base64",
      MULTI("report", "b") "--b\nContent-Type: message/delivery-status\n"
                           "Content-Transfer-Encoding: base64\n\n"
                           "QWN0aW9uOiBmYWlsZWQK\n--b--\n",
      S "status{Action: failed}" },
    { "status under a wrong type",
      MULTI("report", "b") "--b\nContent-Type: application/octet-stream\n\n"
                           "Reporting-MTA: dns; mx.example.org\n--b--\n",
      S "status{Reporting-MTA: dns; mx.example.org}" },
    { "status, misspelt",
      MULTI("report", "b") "--b\nContent-Type: message/xdelivery-status\n\n"
                           "Action: failed\n--b--\n",
      S "status{Action: failed}" },
    { "complaint",
      MULTI("report", "b") "--b\nContent-Type: message/feedback-report\n\n"
                           "Feedback-Type: abuse\n--b--\n",
      S "feedback{Feedback-Type: abuse}" },

    { "charset said wrong: UTF-8 under latin1",
      HEAD "Content-Type: text/plain; charset=iso-8859-1\n\nGr\xc3\xbc\xc3\x9f"
           "e\n",
      S "plain{Grüße}" },
    { "charset said wrong: latin1 under UTF-8",
      HEAD "Content-Type: text/plain; charset=utf-8\n\nGr\xfc\xdf"
           "e\n",
      S "plain{Grüße}" },
    { "charset unknown",
      HEAD "Content-Type: text/plain; charset=x-foo\n\nGr"
           "\xfc\xdf"
           "e\n",
      S "plain{Grüße}" },
    { "charset in two quotes",
      HEAD "Content-Type: text/plain; charset='utf-8'\n\nx\xc3\xa9",
      S "plain{xé}" },
    { "one bad byte in UTF-8",
      HEAD "Content-Type: text/plain; charset=utf-8\n\nä ö ü ß é \xff x\n",
      S "plain{ä ö ü ß é \xef\xbf\xbd x}" },
    { "byte order mark", HEAD "\n\xef\xbb\xbfHello", S "plain{Hello}" },
    { "charset of the HTML itself",
      HEAD "Content-Type: text/html\n\n<meta http-equiv=Content-Type "
           "content=\"text/html; charset=windows-1251\">\xcf\xf0\xe8",
      S "html{<meta http-equiv=Content-Type content=\"text/html; "
        "charset=windows-1251\">При}" },
    { "raw header in the body's charset",
      "From: ann@example.org\nSubject: \xcf\xf0\xe8\xe2\xe5\xf2\n"
      "Content-Type: text/plain; charset=windows-1251\n\nx",
      "Привет || - <ann@example.org> || plain{x}" },
};

static void
test_message(gconstpointer data)
{
    const MessageCase *c = data;
    g_autoptr(Message) message = parse_exact(c->raw, strlen(c->raw), NULL);
    g_autofree char *got = summary(message);
    g_assert_cmpstr(got, ==, c->want);

    /* With CR LF it is the same mail. */
    if (strchr(c->raw, '\r') != NULL)
        return;
    g_auto(GStrv) lines = g_strsplit(c->raw, "\n", -1);
    g_autofree char *crlf = g_strjoinv("\r\n", lines);
    g_autoptr(Message) again = parse_exact(crlf, strlen(crlf), NULL);
    g_autofree char *got_again = summary(again);
    g_assert_cmpstr(got_again, ==, c->want);

    /* Cut anywhere, it must not harm. */
    for (size_t n = 0; n < strlen(c->raw); n++) {
        g_autoptr(Message) cut = parse_exact(c->raw, n, NULL);
        g_assert_nonnull(cut->subject);
    }
}

/* --- encoded words --------------------------------------------------------------------- */

typedef struct {
    const char *raw;
    const char *want;
} PairCase;

static const PairCase words[] = {
    { "plain", "plain" },
    { "=?utf-8?Q?Gr=C3=BC=C3=9Fe?=", "Grüße" },
    { "=?UTF-8?B?R3LDvMOfZQ==?=", "Grüße" },
    { "=?utf-8?q?a_b?= c", "a b c" },
    { "=?utf-8?q?a?= =?utf-8?q?b?=", "ab" },
    { "=?utf-8?q?a?= x =?utf-8?q?b?=", "a x b" },
    { "=?utf-8?q?a?= =?iso-8859-1?q?=E9?=", "aé" },
    /* a character split between two words */
    { "=?utf-8?B?R3LD?= =?utf-8?B?vA==?=", "Grü" },
    { "=?utf-8?Q?=C3?= =?utf-8?Q?=BC?=", "ü" },
    { "=?iso-2022-jp?B?GyRCJWElOyVDJTgbKEI=?=", "メセッジ" },
    { "=?shift_jis?B?g2WDWINn?=", "テスト" },
    { "=?gb2312?B?wODQxw==?=", "类星" },
    { "=?windows-1252?Q?It=92s?=", "It’s" },
    { "=?iso-8859-1?Q?It=92s?=", "It’s" },
    { "=?utf-8*en?Q?a?=", "a" },
    { "\"=?utf-8?Q?Gr=C3=BC?=\"", "\"Grü\"" },
    { "(=?utf-8?Q?a?=)", "(a)" },
    { "x=?utf-8?Q?a?=y", "xay" },
    { "=?utf-8?Q?a b c?=", "a b c" },
    { "=?utf-8?B?R3LD vMOfZQ==?=", "Grüße" },
    { "=?utf-8?Q?Was?=20ist=20das?=", "Was? ist das" },
    { "=?utf-8?Q?Why?"
      "?=",
      "Why?" },
    { "=?utf-8?Q?cut", "cut" },
    { "=?utf-8?B?R3LDvMOf", "Grüß" },
    { "=?utf-8?Q?a=?=", "a=" },
    { "=?utf-8?Q?"
      "?=x",
      "x" },
    { "=?x-unknown?Q?Gr=FC?=", "Grü" },
    { "=?foo?Q?Gr=C3=BC?=", "Grü" },
    { "=?utf-8?X?a?=", "=?utf-8?X?a?=" },
    { "=?utf-8?Q", "=?utf-8?Q" },
    { "=?", "=?" },
    { "=?utf-8", "=?utf-8" },
    { "a =? b ?= c", "a =? b ?= c" },
    { "=?utf-8?Q?a=0D=0AX-Evil:_b?=", "a  X-Evil: b" },
    { "=?utf-8?Q?a=00b?=", "ab" },
    { "=?utf-16?B?/v8AYQBi?=", "ab" },
    { "=?utf-7?Q?+AOk-?=", "é" },
    { "=?us-ascii?Q?Gr=C3=BC?=", "Grü" },
};

static void
test_word(gconstpointer data)
{
    const PairCase *c = data;
    g_autofree char *raw =
        g_strconcat("Subject: ", c->raw, "\nFrom: a@example.org\n\n", NULL);
    g_autoptr(Message) message = parse_exact(raw, strlen(raw), NULL);
    g_assert_cmpstr(message->subject, ==, c->want);
}

/* --- parameters -------------------------------------------------------------------------- */

typedef struct {
    const char *value, *name, *want;
} ParameterCase;

static const ParameterCase parameters[] = {
    { "text/plain; charset=utf-8", "charset", "utf-8" },
    { "text/plain; Charset = \"utf-8\" ; x=y", "charset", "utf-8" },
    { "text/plain", "charset", NULL },
    { "text/plain;charset", "charset", NULL },
    { "text/plain;; charset=a;", "charset", "a" },
    { "text/plain; (comment; x=y) charset=a", "charset", "a" },
    { "text/plain; xcharset=b; charset=a", "charset", "a" },
    { "attachment; filename=\"a \\\"b\\\".pdf\"", "filename", "a \"b\".pdf" },
    { "attachment; filename=\"C:\\dir\\a.pdf\"", "filename", "C:\\dir\\a.pdf" },
    { "attachment; filename=a b.pdf; size=1", "filename", "a b.pdf" },
    { "attachment; filename==?utf-8?Q?=C3=BC.pdf?=", "filename", "ü.pdf" },
    { "attachment; filename=\"=?utf-8?Q?=C3=BC.pdf?=\"", "filename", "ü.pdf" },
    { "attachment; filename*=utf-8''%C3%BC.pdf", "filename", "ü.pdf" },
    { "attachment; filename*=iso-8859-1'de'%FC.pdf", "filename", "ü.pdf" },
    { "attachment; filename*0=\"a\"; filename*1=\"b.pdf\"", "filename",
      "ab.pdf" },
    { "attachment; filename*1=\"b.pdf\"; filename*0=\"a\"", "filename",
      "ab.pdf" },
    { "attachment; filename*0*=utf-8''%C3%BC; filename*1*=%C3; "
      "filename*2*=%BC.pdf",
      "filename", "üü.pdf" },
    { "attachment; filename=x; filename*=utf-8''y", "filename", "y" },
    { "attachment; filename*99999999999=x; filename=y", "filename", "y" },
    { "attachment; filename=\"open", "filename", "open" },
};

static void
test_parameter(gconstpointer data)
{
    const ParameterCase *c = data;
    g_autofree char *value = g_strdup(c->value);
    g_autofree char *got = header_parameter(value, c->name);
    g_assert_cmpstr(got, ==, c->want);
}

/* --- address lists ------------------------------------------------------------------------ */

static const PairCase mailboxes[] = {
    { "ann@example.org", "- <ann@example.org>" },
    { "<ann@example.org>", "- <ann@example.org>" },
    { "Ann Lee <ann@example.org>", "Ann Lee <ann@example.org>" },
    { "Ann Lee <Ann@EXAMPLE.org>", "Ann Lee <Ann@example.org>" },
    { "\"Lee, Ann\" <ann@example.org>", "Lee, Ann <ann@example.org>" },
    { "Lee, Ann <ann@example.org>", "Lee, Ann <ann@example.org>" },
    { "\"Ann \\\"Annie\\\" Lee\" <ann@example.org>",
      "Ann \"Annie\" Lee <ann@example.org>" },
    { "'Ann Lee' <ann@example.org>", "Ann Lee <ann@example.org>" },
    { "\"'Ann Lee'\" <ann@example.org>", "Ann Lee <ann@example.org>" },
    { "Dr. Ann B. Lee <ann@example.org>", "Dr. Ann B. Lee <ann@example.org>" },
    { "ann@example.org (Ann Lee)", "Ann Lee <ann@example.org>" },
    { "ann@example.org (Ann (Annie) Lee)",
      "Ann (Annie) Lee <ann@example.org>" },
    { "Ann Lee ann@example.org", "Ann Lee <ann@example.org>" },
    { "ann@example.org Ann Lee", "Ann Lee <ann@example.org>" },
    { "\"ann@example.org\" <ann@example.org>", "- <ann@example.org>" },
    { "\"ann@example.org\"", "- <ann@example.org>" },
    { "ann@example.org <ann@example.org>", "- <ann@example.org>" },
    { "bob@example.net <ann@example.org>",
      "bob@example.net <ann@example.org>" },
    { "Ann Lee [mailto:ann@example.org]", "Ann Lee <ann@example.org>" },
    { "Ann Lee <mailto:ann@example.org>", "Ann Lee <ann@example.org>" },
    { "Ann Lee <<ann@example.org>>", "Ann Lee <ann@example.org>" },
    { "Ann Lee <ann@example.org", "Ann Lee <ann@example.org>" },
    { "Ann Lee <ann@example.org>>", "Ann Lee <ann@example.org>" },
    { "Ann Lee < ann@example.org >", "Ann Lee <ann@example.org>" },
    { "ann @ example.org", "- <ann@example.org>" },
    { "<@relay.example:ann@example.org>", "- <ann@example.org>" },
    { "\"ann lee\"@example.org", "- <\"ann lee\"@example.org>" },
    { "Ann <\"ann lee\"@example.org>", "Ann <\"ann lee\"@example.org>" },
    { "ann@[192.0.2.1]", "- <ann@[192.0.2.1]>" },
    { "a@example.org, b@example.org", "- <a@example.org>, - <b@example.org>" },
    { "a@example.org; B <b@example.org>",
      "- <a@example.org>, B <b@example.org>" },
    { "Team: a@example.org, b@example.org;",
      "- <a@example.org>, - <b@example.org>" },
    { "undisclosed-recipients:;", "" },
    { "", "" },
    { "Ann Lee", "" },
    { "Ann Lee <>", "" },
    { "MAILER-DAEMON", "" },
    { "=?utf-8?Q?J=C3=B6rg_Lee?= <j@example.org>", "Jörg Lee <j@example.org>" },
    { "\"=?utf-8?Q?Lee=2C_J=C3=B6rg?=\" <j@example.org>",
      "Lee, Jörg <j@example.org>" },
    { "=?utf-8?Q?Lee=2C_J=C3=B6rg?= <j@example.org>",
      "Lee, Jörg <j@example.org>" },
    { "=?utf-8?Q?=22J=C3=B6rg=22?= <j@example.org>", "Jörg <j@example.org>" },
    { "=?utf-8?Q?J=C3=B6rg?= =?utf-8?Q?_Lee?= <j@example.org>",
      "Jörg Lee <j@example.org>" },
    { "=?utf-8?Q?J=C3=B6rg_<j=40example.org>?=", "Jörg <j@example.org>" },
    { "j@example.org (=?utf-8?Q?J=C3=B6rg?=)", "Jörg <j@example.org>" },
    { "Jörg <jörg@EXÄMPLE.org>", "Jörg <jörg@exämple.org>" },
    { "Ann <ann@xn--exmple-cua.org>", "Ann <ann@xn--exmple-cua.org>" },
    { "Ann <ann@example.org>, <", "Ann <ann@example.org>" },
    { ",,, Ann <ann@example.org>,,", "Ann <ann@example.org>" },
    { "Ann <x> <ann@example.org>", "Ann <ann@example.org>" },
    { "Ann via List <list@example.org>", "Ann via List <list@example.org>" },
    { "\"Ann\"Lee<ann@example.org>", "AnnLee <ann@example.org>" },
    { "ann@example.org.", "- <ann@example.org>" },
    { "((((((", "" },
    { "\"open <ann@example.org>", "open <ann@example.org>" },
    { "a@b@example.org", "- <a@b@example.org>" },
};

static void
test_mailbox(gconstpointer data)
{
    const PairCase *c = data;
    g_autofree char *value = g_strdup(c->raw);
    MailboxList list = mailbox_list_parse(value);
    g_autoptr(GString) got = g_string_new(NULL);
    for (size_t i = 0; i < list.n; i++)
        g_string_append_printf(got, "%s%s <%s>", i > 0 ? ", " : "",
                               list.items[i].name != NULL ? list.items[i].name
                                                          : "-",
                               list.items[i].email);
    mailbox_list_clear(&list);
    g_assert_cmpstr(got->str, ==, c->want);
}

/* --- guessed charsets ----------------------------------------------------------------------- */

static const PairCase charsets[] = {
    { "CP932", "お問い合わせありがとうございます" },
    { "CP932", "配信停止のお願い" },
    { "CP932", "テスト" },
    { "EUC-JP", "お問い合わせありがとうございます" },
    { "EUC-JP", "会議室の予約について" },
    { "ISO-2022-JP", "会議室の予約について" },
    { "ISO-2022-KR", "안녕하세요" },
    { "GB18030", "请帮我取消订阅，谢谢" },
    { "GB18030", "关于会议室预订的报价" },
    { "GB18030", "订单" },
    { "BIG5", "請幫我取消訂閱，謝謝" },
    { "BIG5", "關於會議室預訂的報價" },
    { "CP949", "안녕하세요 메일 수신을 원하지 않습니다" },
    { "CP1251", "Отпишите меня от рассылки, пожалуйста" },
    { "CP1251", "Привет" },
    { "KOI8-R", "Отпишите меня от рассылки, пожалуйста" },
    { "CP1253", "Δεν επιθυμώ να λαμβάνω άλλα μηνύματα" },
    { "CP1255", "נא להסיר אותי מרשימת התפוצה" },
    { "CP1256", "أرجو إزالتي من القائمة البريدية" },
    { "CP874", "ไม่ต้องการรับอีเมลอีกแล้วค่ะ กรุณานำชื่อออกด้วย" },
    { "CP1252", "Réservation de la salle – été" },
    { "CP1252", "It’s Ann’s “room”" },
    { "CP1250", "Usługi noclegowe w górach" },
    { "CP1254", "Şirket yemeği için teklif" },
};

static void
test_charset(gconstpointer data)
{
    const PairCase *c = data;
    gsize len = 0;
    g_autofree char *bytes =
        g_convert(c->want, -1, c->raw, "UTF-8", NULL, &len, NULL);
    g_assert_nonnull(bytes);
    g_autofree char *exact = g_memdup2(bytes, len);
    g_autoptr(GString) got = g_string_new(NULL);
    charset_append_utf8(got, exact, len, NULL);
    g_assert_cmpstr(got->str, ==, c->want);
    /* declared, it is no question */
    g_string_truncate(got, 0);
    charset_append_utf8(got, exact, len, c->raw);
    g_assert_cmpstr(got->str, ==, c->want);
}

/* --- the rest of a message -------------------------------------------------------------------- */

static void
test_fields(void)
{
    static const char raw[] =
        "Message-ID: <abc@example.org>\nDate: Thu, 12 Mar 2026 10:22:13 "
        "+1100\nTo: b@example.org\nCc: c@example.org\nReply-To: "
        "d@example.org\nSender: e@example.org\nReceived: one\nreceived: "
        "two\nContent-Type: Multipart/Report; report-type=delivery-status; "
        "boundary=b\n\n--b\nContent-Disposition: attachment; "
        "filename=x.txt\nContent-Description: =?utf-8?Q?=C3=BC?=\n\nx\n--b--\n";
    g_autoptr(Message) m = parse_exact(raw, sizeof(raw) - 1, NULL);
    g_assert_cmpstr(m->message_id, ==, "abc@example.org");
    g_assert_cmpint(message_date(m), ==, 1773271333);
    g_assert_cmpstr(m->to.items[0].email, ==, "b@example.org");
    g_assert_cmpstr(m->cc.items[0].email, ==, "c@example.org");
    g_assert_cmpstr(m->reply_to.items[0].email, ==, "d@example.org");
    g_assert_cmpstr(m->sender.items[0].email, ==, "e@example.org");
    g_assert_cmpstr(m->content_type, ==, "multipart/report");
    g_assert_cmpstr(m->report_type, ==, "delivery-status");
    g_assert_cmpuint(m->from.n, ==, 0);
    g_assert_cmpstr(m->subject, ==, "");
    size_t at = 0;
    g_assert_cmpstr(message_header(m, "RECEIVED"), ==, "one");
    g_assert_nonnull(header_list_find(&m->headers, "Received", 0, &at));
    const Header *second =
        header_list_find(&m->headers, "Received", at + 1, &at);
    g_assert_cmpstr(second->value, ==, "two");
    g_assert_null(header_list_find(&m->headers, "Received", at + 1, NULL));
    g_assert_null(message_header(m, "X-None"));
    g_assert_cmpuint(m->n_parts, ==, 1);
    g_assert_true(m->parts[0].attachment);
    g_assert_cmpstr(m->parts[0].filename, ==, "x.txt");
    g_assert_cmpstr(m->parts[0].description, ==, "ü");
    g_assert_null(message_text_part(m, PART_PLAIN));
}

static void
test_header_list(void)
{
    static const char text[] = "From: a@example.org\nSubject: x\n y\n\nbody";
    size_t end = 0;
    HeaderList list = header_list_parse(text, sizeof(text) - 1, &end);
    g_assert_cmpuint(list.n, ==, 2);
    g_assert_cmpstr(list.items[1].value, ==, "x y");
    g_assert_cmpstr(text + end, ==, "body");
    header_list_clear(&list);
    header_list_clear(&list);
    list = header_list_parse("no header", 9, NULL);
    g_assert_cmpuint(list.n, ==, 0);
    header_list_clear(&list);
}

static void
test_text_part(void)
{
    static const char raw[] = MULTI(
        "mixed",
        "m") "--m\nContent-Type: multipart/alternative; "
             "boundary=a\n\n--a\n\nP\n--a\n"
             "Content-Type: text/html\n\nH\n--a--\n--m\n\nfooter\n--m--\n";
    g_autoptr(Message) m = parse_exact(raw, sizeof(raw) - 1, NULL);
    g_assert_cmpstr(message_text_part(m, PART_PLAIN)->text, ==, "P");
    g_assert_cmpstr(message_text_part(m, PART_HTML)->text, ==, "H");
    static const char only[] =
        MULTI("mixed",
              "m") "--m\nContent-Type: text/html\n\nH\n--m\n\nfooter\n--m--\n";
    g_autoptr(Message) n = parse_exact(only, sizeof(only) - 1, NULL);
    g_assert_null(message_text_part(n, PART_PLAIN));
    g_assert_cmpstr(message_text_part(n, PART_HTML)->text, ==, "H");
}

static void
test_nul(void)
{
    static const char raw[] = "From: a\0nn@example.org\nSub\0ject: x\nSubject: "
                              "s\0t\n\nA\0B\n\0\0";
    g_autoptr(Message) m = parse_exact(raw, sizeof(raw) - 1, NULL);
    g_assert_cmpstr(m->subject, ==, "st");
    g_assert_cmpstr(m->from.items[0].email, ==, "ann@example.org");
    g_assert_cmpstr(m->parts[0].text, ==, "AB\n");
    g_autoptr(Message) empty = parse_exact("", 0, NULL);
    g_assert_true(empty->malformed);
}

/* --- limits and hostile mail --------------------------------------------------------------------- */

static void
test_limits(void)
{
    const MessageLimits small = { .max_bytes = 100000,
                                  .max_parts = 10,
                                  .max_depth = 4,
                                  .max_headers = 5,
                                  .max_header = 100,
                                  .max_text = 50 };
    g_autoptr(GString) s = g_string_new(MULTI("mixed", "b"));
    for (int i = 0; i < 10; i++)
        g_string_append(s, "--b\n\nx\n");
    g_autoptr(Message) at = parse_exact(s->str, s->len, &small);
    g_assert_cmpuint(at->n_parts, ==, 10);
    g_assert_false(at->truncated);
    g_string_append(s, "--b\n\nx\n");
    g_autoptr(Message) beyond = parse_exact(s->str, s->len, &small);
    g_assert_cmpuint(beyond->n_parts, ==, 10);
    g_assert_true(beyond->truncated);

    g_autoptr(Message) headers =
        parse_exact("A: 1\nB: 2\nC: 3\nD: 4\nE: 5\nF: 6\n\nx", 33, &small);
    g_assert_cmpuint(headers->headers.n, ==, 5);
    g_assert_true(headers->truncated);

    g_autofree char *xs = g_strnfill(101, 'x');
    g_autofree char *field = g_strconcat("Subject: ", xs, "\n\nbody", NULL);
    g_autoptr(Message) length = parse_exact(field, strlen(field), &small);
    g_assert_cmpuint(strlen(length->subject), ==, 100);
    g_assert_true(length->truncated);

    g_autofree char *text = g_strconcat(HEAD "\n", xs, NULL);
    g_autoptr(Message) long_text = parse_exact(text, strlen(text), &small);
    g_assert_cmpuint(long_text->parts[0].len, ==, 50);
    g_assert_true(long_text->truncated);

    g_string_assign(s, HEAD);
    for (int i = 0; i < 6; i++)
        g_string_append(s, "Content-Type: message/rfc822\n\n");
    g_autoptr(Message) deep = parse_exact(s->str, s->len, &small);
    g_assert_true(deep->truncated);
    g_assert_cmpuint(deep->n_parts, <=, 5);

    /* Enclosed messages count as parts, too. */
    g_string_assign(s, MULTI("mixed", "b"));
    for (int i = 0; i < 10; i++)
        g_string_append(s, "--b\nContent-Type: message/rfc822\n\n"
                           "Content-Type: message/rfc822\n\nSubject: x\n\n"
                           "y\n");
    g_autoptr(Message) enclosed = parse_exact(s->str, s->len, &small);
    g_assert_cmpuint(enclosed->n_parts, ==, 10);
    g_assert_true(enclosed->truncated);
}

/* Shapes that cost other parsers seconds; here each is read within the limits,
 * and a build with sanitizers would take minutes if any were quadratic. */
static void
test_hostile(void)
{
    static const struct {
        const char *head, *repeat, *tail;
    } shapes[] = {
        { MULTI("mixed", "b"), "--b\n\n", "" },
        { MULTI("mixed", "b"),
          "--b\nContent-Type: multipart/mixed; "
          "boundary=b\n\n",
          "" },
        { HEAD, "Content-Type: message/rfc822\n\n", "" },
        { HEAD, "X: y\n", "\n" },
        { HEAD, "x\n", "\n" },
        { "Subject: ", "=?utf-8?q?a?= ", "\n\n" },
        { "Subject: ", "=?utf-8?q?x ", "\n\n" },
        { "Subject: ", "=?", "\n\n" },
        { "Subject: ", "=?a?q?b", "\n\n" },
        { "From: ", "\"", "\n\n" },
        { "From: ", "(", "\n\n" },
        { "From: ", "<", "\n\n" },
        { "From: ", "a@b.example,", "\n\n" },
        { "From: ", "a <", "\n\n" },
        { "From: ", "\"a\"@", "\n\n" },
        { "From: ", "x,", "\n\n" },
        { "From: ", "@ ", "\n\n" },
        { "From: ", ":", "\n\n" },
        { "Content-Type: text/plain", "; a", "\n\n" },
        { "Content-Type: text/plain", "; charset*1=a", "\n\n" },
        { "Content-Type: text/plain; charset=", "\"\\", "\n\n" },
        { HEAD "Content-Transfer-Encoding: base64\n\n", "=\n", "" },
        { HEAD "Content-Transfer-Encoding: base64\n\n", "A=\n", "" },
        { HEAD "Content-Transfer-Encoding: quoted-printable\n\n", "=\n", "" },
        { HEAD "Content-Type: text/plain; format=flowed\n\n", "> \n", "" },
        { HEAD "Content-Type: multipart/mixed\n\n", "--\n", "" },
        { "Subject: \xff", "\nX: \xff", "\n\n" },
        { HEAD "\n", "\xff\xc3", "" },
        { HEAD "\n", "\x1b$B", "" },
        { HEAD "Content-Type: text/plain; charset=iso-2022-jp\n\n",
          "\x1b$B\xff", "" },
        { HEAD, "Content-Type: text/plain; charset=utf-16\n", "\n\xd8\xd8" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(shapes); i++) {
        g_autoptr(GString) s = g_string_new(shapes[i].head);
        while (s->len < 256 * 1024)
            g_string_append(s, shapes[i].repeat);
        g_string_append(s, shapes[i].tail);
        g_autoptr(Message) m = parse_exact(s->str, s->len, NULL);
        g_assert_cmpuint(m->n_parts, <=, message_limits_default.max_parts);
        size_t text = 0;
        for (size_t k = 0; k < m->n_parts; k++)
            text += m->parts[k].len;
        g_assert_cmpuint(text, <=, message_limits_default.max_text);
    }
}

/* ------------------------------------------------------------------------------------------------- */

static void
add(const char *group, size_t i, const char *name, gconstpointer data,
    GTestDataFunc function)
{
    g_autofree char *path =
        g_strdup_printf("/message/%s/%zu %.40s", group, i, name);
    for (char *p = path + strlen("/message/") + strlen(group) + 1; *p != 0; p++)
        if (*p == '/' || (*p & 0x80) != 0)
            *p = '_';
    g_test_add_data_func(path, data, function);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        add("parse", i, cases[i].name, &cases[i], test_message);
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        add("word", i, words[i].raw, &words[i], test_word);
    for (size_t i = 0; i < G_N_ELEMENTS(parameters); i++)
        add("parameter", i, parameters[i].value, &parameters[i],
            test_parameter);
    for (size_t i = 0; i < G_N_ELEMENTS(mailboxes); i++)
        add("mailbox", i, mailboxes[i].raw, &mailboxes[i], test_mailbox);
    for (size_t i = 0; i < G_N_ELEMENTS(charsets); i++)
        add("charset", i, charsets[i].raw, &charsets[i], test_charset);
    g_test_add_func("/message/fields", test_fields);
    g_test_add_func("/message/header_list", test_header_list);
    g_test_add_func("/message/text_part", test_text_part);
    g_test_add_func("/message/nul", test_nul);
    g_test_add_func("/message/limits", test_limits);
    g_test_add_func("/message/hostile", test_hostile);
    return g_test_run();
}
