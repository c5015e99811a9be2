/*
 * What becomes of an observation, under each setting. A row is one mail; its
 * three letters are the decisions under the three values of the setting that
 * rules it:
 *
 *   contacts      trust contact     = pass | no-fail | any
 *   requests      trust unsubscribe = pass | no-fail | any
 *   reports       bounce evidence   = sent | original | any
 *
 *   M merged   H held for a person   N noted   R refused
 */
#include "trust/decide.h"

#include <string.h>

/* Ours are ours.example and everything below it. We believe mx.ours.example,
 * and the ARC sealers lists.example and fwd.example. */
#define MX "+mx.ours.example; "
#define BELOW "-mx.ours.example; "
#define NEXT "\n+mx.ours.example; "
#define AAR(i, text) \
    "\nA" \
    "i=" i "; relay; " text
#define SEAL(i, d) \
    "\nS" \
    "i=" i "; cv=pass; d=" d "; b=x"
#define DMARC_OK MX "dmarc=pass header.from=cust.example"
#define DMARC_BAD MX "dmarc=fail header.from=cust.example"

typedef struct {
    const char *name;
    const char *want; /* three letters, or one for all three */
    ObservationKind kind;
    const char *email;     /* NULL: bob@cust.example */
    const char *authors;   /* blank separated; NULL: bob@cust.example,
                               of reports mailer-daemon@mx.cust.example */
    const char *mail_from; /* NULL: the first author, of reports "" */
    const char *helo;      /* NULL: mx.cust.example */
    const char *client;    /* NULL: 192.0.2.10 */
    const char *to;        /* blank separated; NULL: ann@ours.example */
    const char *ar;        /* fields, one a line: + above Received, - below,
                               A ARC-Authentication-Results, S ARC-Seal */
    const char *spf;       /* "pass cust.example": our own check */
    const char *id;        /* returned Message-ID */
    const char *from;      /* returned From */
    const char *path;      /* returned Return-Path */
    const char *final;     /* Final-Recipient */
    UnsubscribeScope scope;
    BounceClass class; /* 0: hard */
    bool local, token, unsure, complaint, relay;
} Row;

#define C .kind = OBSERVATION_CONTACT
#define U .kind = OBSERVATION_UNSUBSCRIBE
#define B .kind = OBSERVATION_BOUNCE

static const Row rows[] = {
    /* --- contacts: whose signature may change a phone number? ----------- */
    { "dmarc=pass", "M", C, .ar = DMARC_OK },
    { "dmarc=pass without header.from", "M", C, .ar = MX "dmarc=pass" },
    { "dmarc=pass for somebody else", "RMM", C,
      .ar = MX "dmarc=pass header.from=other.example" },
    { "dmarc=fail", "RRM", C, .ar = DMARC_BAD },
    { "dmarc=fail for somebody else", "RMM", C,
      .ar = MX "dmarc=fail header.from=other.example" },
    { "dmarc=none", "RMM", C, .ar = MX "dmarc=none" },
    { "dmarc=temperror", "RMM", C, .ar = MX "dmarc=temperror" },
    { "dmarc=permerror", "RMM", C, .ar = MX "dmarc=permerror" },
    { "dmarc=bestguesspass", "RMM", C, .ar = MX "dmarc=bestguesspass" },
    { "dmarc=fail and pass", "RRM", C,
      .ar = MX "dmarc=pass header.from=cust.example; dmarc=fail "
               "header.from=cust.example" },
    { "dmarc=fail, dkim aligned", "RRM", C,
      .ar = DMARC_BAD "; dkim=pass header.d=cust.example" },
    { "dmarc in any case", "M", C,
      .ar = "+MX.Ours.Example; DMARC=Pass header.From=Cust.Example" },
    { "dkim=pass aligned", "M", C, .ar = MX "dkim=pass header.d=cust.example" },
    { "dkim=pass header.i", "M", C,
      .ar = MX "dkim=pass header.i=@mail.cust.example" },
    { "dkim=pass of the parent", "M", C, .authors = "bob@mail.cust.example",
      .email = "bob@mail.cust.example",
      .ar = MX "dkim=pass header.d=cust.example" },
    { "dkim=pass of a subdomain", "M", C,
      .ar = MX "dkim=pass header.d=k1.mail.cust.example" },
    { "dkim=pass of another", "RMM", C,
      .ar = MX "dkim=pass header.d=esp.example" },
    { "dkim=pass of a look-alike", "RMM", C,
      .ar = MX "dkim=pass header.d=evilcust.example" },
    { "dkim=pass under a public suffix", "RMM", C, .email = "bob@a.co.uk",
      .authors = "bob@a.co.uk", .ar = MX "dkim=pass header.d=b.co.uk" },
    { "dkim=pass of the public suffix", "RMM", C, .email = "bob@a.co.uk",
      .authors = "bob@a.co.uk", .ar = MX "dkim=pass header.d=co.uk" },
    { "dkim=fail", "RMM", C, .ar = MX "dkim=fail header.d=cust.example" },
    { "dkim=fail and pass", "M", C,
      .ar = MX "dkim=fail header.d=cust.example; dkim=pass "
               "header.d=cust.example" },
    { "dkim=pass without domain", "RMM", C, .ar = MX "dkim=pass" },
    { "dkim version 2", "RMM", C,
      .ar = MX "dkim/2=pass header.d=cust.example" },
    { "spf=pass aligned", "M", C,
      .ar = MX "spf=pass smtp.mailfrom=bob@cust.example" },
    { "spf=pass of a subdomain", "M", C,
      .ar = MX "spf=pass smtp.mailfrom=bounce.cust.example" },
    { "spf=pass of another", "RMM", C,
      .ar = MX "spf=pass smtp.mailfrom=esp.example" },
    { "spf=fail aligned", "RRM", C,
      .ar = MX "spf=fail smtp.mailfrom=cust.example" },
    { "spf=hardfail aligned", "RRM", C,
      .ar = MX "spf=hardfail smtp.mailfrom=cust.example" },
    { "spf=fail of another", "RMM", C,
      .ar = MX "spf=fail smtp.mailfrom=esp.example" },
    { "spf=softfail", "RMM", C,
      .ar = MX "spf=softfail smtp.mailfrom=cust.example" },
    { "spf=neutral", "RMM", C,
      .ar = MX "spf=neutral smtp.mailfrom=cust.example" },
    { "spf=none", "RMM", C, .ar = MX "spf=none smtp.mailfrom=cust.example" },
    { "spf=temperror", "RMM", C,
      .ar = MX "spf=temperror smtp.mailfrom=cust.example" },
    { "spf=permerror", "RMM", C,
      .ar = MX "spf=permerror smtp.mailfrom=cust.example" },
    { "spf=pass of HELO, sender given", "RMM", C,
      .ar = MX "spf=pass smtp.helo=mx.cust.example" },
    { "spf=pass of HELO, null sender", "M", C, .mail_from = "",
      .ar = MX "spf=pass smtp.helo=mx.cust.example" },
    { "spf=fail, dkim=pass (forwarded)", "M", C,
      .ar = MX "spf=fail smtp.mailfrom=cust.example; dkim=pass "
               "header.d=cust.example" },
    { "auth=pass", "M", C, .ar = MX "auth=pass smtp.auth=bob@cust.example" },
    { "auth=pass of another", "RMM", C,
      .ar = MX "auth=pass smtp.auth=eve@other.example" },
    { "several fields", "M", C,
      .ar = MX "spf=none" NEXT "dkim=pass header.d=cust.example" },
    { "several fields, one fails", "RRM", C,
      .ar = MX "dkim=pass header.d=cust.example" NEXT
               "dmarc=fail header.from=cust.example" },
    { "our own SPF pass", "M", C, .spf = "pass cust.example" },
    { "our own SPF pass, subdomain", "M", C, .spf = "pass mta.cust.example" },
    { "our own SPF pass of another", "RMM", C, .mail_from = "x@esp.example",
      .spf = "pass esp.example" },
    { "our own SPF fail", "RRM", C, .spf = "fail cust.example" },
    { "our own SPF fail of another", "RMM", C, .mail_from = "x@esp.example",
      .spf = "fail esp.example" },
    { "our own SPF softfail", "RMM", C, .spf = "softfail cust.example" },
    { "our own SPF neutral", "RMM", C, .spf = "neutral cust.example" },
    { "our own SPF none", "RMM", C, .spf = "none cust.example" },
    { "our own SPF temperror, given up", "RMM", C,
      .spf = "temperror cust.example" },
    { "our own SPF permerror", "RMM", C, .spf = "permerror cust.example" },
    { "nothing known", "RMM", C },
    { "Authentication-Results outrank our SPF", "RMM", C,
      .ar = MX "spf=softfail smtp.mailfrom=cust.example",
      .spf = "pass cust.example" },
    /* whom we believe */
    { "not our authserv-id", "RMM", C,
      .ar = "+mx.evil.example; dmarc=pass header.from=cust.example" },
    { "a longer authserv-id", "RMM", C,
      .ar = "+mx.ours.example.evil.example; dmarc=pass" },
    { "below Received", "RMM", C, .ar = BELOW "dmarc=pass" },
    { "ours above, forged below", "RRM", C,
      .ar = DMARC_BAD "\n" BELOW "dmarc=pass header.from=cust.example" },
    { "damaged field", "RMM", C, .ar = MX "dmarc=pass; (" },
    { "version 2 field", "RMM", C, .ar = "+mx.ours.example 2; dmarc=pass" },
    { "none", "RMM", C, .ar = MX "none" },
    { "forged field above ours", "RMM", C,
      .ar = "+evil; dmarc=pass" NEXT "none" },
    { "forged below ours, same method", "RMM", C,
      .ar = MX "dkim=none" NEXT "dkim=pass header.d=cust.example" },
    { "forged SPF below ours", "RMM", C,
      .ar = MX "spf=softfail smtp.mailfrom=cust.example" NEXT
               "spf=pass smtp.mailfrom=cust.example" },
    { "several results in one field", "M", C,
      .ar = MX "dkim=fail header.d=cust.example; dkim=pass "
               "header.d=esp.example; dkim=pass header.d=cust.example" },
    /* forwarded mail, mailing lists, ARC */
    { "mailing list, DKIM broken", "RRM", C,
      .ar = MX "dkim=fail header.d=cust.example; dmarc=fail "
               "header.from=cust.example" },
    { "list with a trusted seal", "M", C,
      .ar =
          DMARC_BAD "; arc=pass" AAR("1", "dmarc=pass header.from=cust.example")
              SEAL("1", "lists.example") },
    { "list, the seal saw a fail", "RRM", C,
      .ar =
          DMARC_BAD "; arc=pass" AAR("1", "dmarc=fail header.from=cust.example")
              SEAL("1", "lists.example") },
    { "list, seal of a stranger", "RRM", C,
      .ar =
          DMARC_BAD "; arc=pass" AAR("1", "dmarc=pass header.from=cust.example")
              SEAL("1", "evil.example") },
    { "list, arc=fail", "RRM", C,
      .ar =
          DMARC_BAD "; arc=fail" AAR("1", "dmarc=pass header.from=cust.example")
              SEAL("1", "lists.example") },
    { "list, arc=none", "RRM", C,
      .ar =
          DMARC_BAD "; arc=none" AAR("1", "dmarc=pass header.from=cust.example")
              SEAL("1", "lists.example") },
    { "arc=pass below Received", "RRM", C,
      .ar = DMARC_BAD "\n" BELOW "arc=pass" AAR("1", "dmarc=pass")
          SEAL("1", "lists.example") },
    { "two trusted sealers", "M", C,
      .ar =
          DMARC_BAD "; arc=pass" AAR("1", "dmarc=pass header.from=cust.example")
              AAR("2", "dmarc=fail header.from=cust.example")
                  SEAL("1", "lists.example") SEAL("2", "fwd.example") },
    { "a stranger sealed last", "RRM", C,
      .ar = DMARC_BAD "; arc=pass" AAR(
          "1", "dmarc=pass header.from=cust.example") AAR("2", "dmarc=fail")
          SEAL("1", "lists.example") SEAL("2", "evil.example") },
    { "a stranger sealed first", "RRM", C,
      .ar =
          DMARC_BAD "; arc=pass" AAR("1", "dmarc=pass header.from=cust.example")
              AAR("2", "dmarc=fail header.from=cust.example")
                  SEAL("1", "evil.example") SEAL("2", "fwd.example") },
    { "a stranger first, later seen well", "M", C,
      .ar = DMARC_BAD "; arc=pass" AAR("1", "dmarc=fail")
          AAR("2", "dkim=pass header.d=cust.example") SEAL("1", "evil.example")
              SEAL("2", "fwd.example") },
    { "a gap among seals", "RRM", C,
      .ar =
          DMARC_BAD "; arc=pass" AAR("2", "dmarc=pass header.from=cust.example")
              SEAL("2", "fwd.example") },
    { "one instance twice", "RRM", C,
      .ar =
          DMARC_BAD "; arc=pass" AAR("1", "dmarc=pass header.from=cust.example")
              SEAL("1", "lists.example") SEAL("1", "fwd.example") },
    { "seal without results", "RRM", C,
      .ar = DMARC_BAD "; arc=pass" SEAL("1", "lists.example") },
    { "seals not kept, header.d", "M", C,
      .ar = DMARC_BAD "; arc=pass header.d=lists.example" AAR(
          "1", "dmarc=pass header.from=cust.example") },
    { "sealed SPF of the sender", "M", C,
      .ar = MX "spf=fail smtp.mailfrom=cust.example; arc=pass" AAR(
          "1", "spf=pass smtp.mailfrom=bob@cust.example")
          SEAL("1", "fwd.example") },
    { "forwarded, SPF breaks", "RRM", C, .client = "198.51.100.7",
      .spf = "fail cust.example" },
    { "forwarded with SRS", "RMM", C,
      .mail_from = "SRS0=ab=cd=cust.example=bob@fwd.example",
      .spf = "pass fwd.example" },
    /* authors */
    { "two authors, one domain", "M", C,
      .authors = "bob@cust.example eve@cust.example", .ar = DMARC_OK },
    { "two authors, one unknown", "RMM", C,
      .authors = "bob@cust.example eve@other.example", .ar = DMARC_OK },
    { "two authors, one forged", "RRM", C,
      .authors = "bob@cust.example eve@other.example",
      .ar = DMARC_OK "; dmarc=fail header.from=other.example" },
    { "two authors, both pass", "M", C,
      .authors = "bob@cust.example eve@other.example",
      .ar = DMARC_OK "; dkim=pass header.d=other.example" },
    { "no author", "RMM", C, .authors = "", .mail_from = "bob@cust.example",
      .ar = MX "spf=pass smtp.mailfrom=cust.example" },
    { "eleven authors", "RMM", C,
      .authors = "bob@cust.example b@cust.example c@cust.example "
                 "d@cust.example e@cust.example f@cust.example g@cust.example "
                 "h@cust.example i@cust.example j@cust.example k@cust.example",
      .ar = DMARC_OK },
    { "author without domain", "RMM", C, .authors = "bob", .ar = DMARC_OK },
    { "IDN, U-label author", "M", C,
      .email = "bob@b\xc3\xbc"
               "cher.example",
      .authors = "bob@b\xc3\xbc"
                 "cher.example",
      .ar = MX "dkim=pass header.d=xn--bcher-kva.example" },
    { "IDN, A-label author", "M", C, .email = "bob@xn--bcher-kva.example",
      .authors = "bob@xn--bcher-kva.example",
      .ar = MX "dmarc=pass header.from=b\xc3\xbc"
               "cher.example" },
    { "IDN look-alike", "RMM", C, .email = "bob@c\xd1\x83st.example",
      .authors = "bob@c\xd1\x83st.example", .ar = DMARC_OK },
    /* whom the contact is about */
    { "contact form of a stranger", "RMM", C, .email = "eve@other.example",
      .ar = DMARC_OK, .relay = true },
    { "Reply-To trick", "RMM", C, .email = "victim@other.example",
      .authors = "eve@cust.example", .ar = DMARC_OK, .relay = true },
    { "Reply-To in one's own domain", "M", C, .email = "sales@cust.example",
      .ar = DMARC_OK, .relay = true },
    { "contact form of our own host", "RMM", C, .email = "eve@other.example",
      .authors = "www@ours.example", .local = true, .relay = true },
    { "address of ours", "R", C, .email = "ann@ours.example",
      .authors = "ann@ours.example",
      .ar = MX "dmarc=pass header.from=ours.example" },
    { "own domain from outside", "R", C, .email = "eve@other.example",
      .authors = "ann@ours.example", .relay = true },
    { "own domain beside a passing one", "R", C,
      .authors = "bob@cust.example ann@ours.example", .ar = DMARC_OK },
    { "own subdomain from outside", "R", C, .email = "eve@other.example",
      .authors = "ann@shop.ours.example", .relay = true },
    { "own domain forged, fake results", "R", C, .authors = "ann@ours.example",
      .relay = true, .ar = "+ours.example; dmarc=pass" },
    { "submitted here, foreign author", "RMM", C, .local = true },

    /* --- requests to unsubscribe ----------------------------------------- */
    { "author asks, pass", "M", U, .ar = DMARC_OK },
    { "author asks, neutral", "RMM", U },
    { "author asks, fail", "RRM", U, .ar = DMARC_BAD },
    { "author asks, softfail", "RMM", U, .spf = "softfail cust.example" },
    { "author asks, SPF fail", "RRM", U, .spf = "fail cust.example" },
    { "author asks, temperror", "RMM", U, .spf = "temperror cust.example" },
    { "author asks, other case", "M", U, .email = "BOB@Cust.Example",
      .ar = DMARC_OK },
    { "author asks, IDN", "M", U, .email = "bob@xn--bcher-kva.example",
      .authors = "bob@b\xc3\xbc"
                 "cher.example",
      .ar = MX "dkim=pass header.d=xn--bcher-kva.example" },
    { "colleague, pass", "M", U, .email = "tom@cust.example", .ar = DMARC_OK },
    { "colleague, neutral", "RHH", U, .email = "tom@cust.example" },
    { "colleague, fail", "RRR", U, .email = "tom@cust.example",
      .ar = DMARC_BAD },
    { "colleague in a subdomain", "H", U, .email = "tom@eu.cust.example",
      .ar = DMARC_OK },
    { "for a stranger, pass", "H", U, .email = "tom@other.example",
      .ar = DMARC_OK },
    { "for a stranger, neutral", "RHH", U, .email = "tom@other.example" },
    { "for a stranger, fail", "RRR", U, .email = "tom@other.example",
      .ar = DMARC_BAD },
    { "two at a public provider", "H", U, .email = "tom@gmail.com",
      .authors = "bob@gmail.com", .ar = MX "dmarc=pass header.from=gmail.com" },
    { "oneself at a public provider", "M", U, .email = "bob@gmail.com",
      .authors = "bob@gmail.com", .ar = MX "dmarc=pass header.from=gmail.com" },
    { "one of two authors", "M", U,
      .authors = "eve@cust.example bob@cust.example", .ar = DMARC_OK },
    { "for another, one author elsewhere", "H", U, .email = "tom@cust.example",
      .authors = "bob@cust.example eve@other.example",
      .ar = DMARC_OK "; dkim=pass header.d=other.example" },
    { "no author", "RHH", U, .authors = "", .mail_from = "bob@cust.example" },
    { "token", "M", U, .token = true },
    { "token, forged sender", "M", U, .token = true, .ar = DMARC_BAD },
    { "token for another", "M", U, .token = true,
      .email = "tom@other.example" },
    { "token, null sender", "M", U, .token = true, .authors = "",
      .mail_from = "" },
    { "token, from our own domain", "M", U, .token = true,
      .authors = "ann@ours.example" },
    { "token for ourselves", "R", U, .token = true,
      .email = "ann@ours.example" },
    { "unsure", "H", U, .unsure = true, .ar = DMARC_OK },
    { "unsure, neutral", "RHH", U, .unsure = true },
    { "unsure, token", "H", U, .unsure = true, .token = true },
    { "sms", "M", U, .scope = UNSUBSCRIBE_SMS, .ar = DMARC_OK },
    { "sms, forged", "RRM", U, .scope = UNSUBSCRIBE_SMS, .ar = DMARC_BAD },
    { "partial", "N", U, .scope = UNSUBSCRIBE_PARTIAL, .ar = DMARC_OK },
    { "partial, forged", "RRN", U, .scope = UNSUBSCRIBE_PARTIAL,
      .ar = DMARC_BAD },
    { "resubscribe", "N", U, .scope = UNSUBSCRIBE_RESUBSCRIBE, .ar = DMARC_OK },
    { "our own address", "R", U, .email = "ann@ours.example",
      .authors = "ann@ours.example", .local = true },
    { "own domain from outside", "R", U, .authors = "ann@ours.example" },
    { "own domain from outside, SPF pass", "H", U,
      .authors = "ann@ours.example", .spf = "pass ours.example" },
    { "passed on by a colleague of ours", "H", U, .authors = "ann@ours.example",
      .local = true, .unsure = true },
    { "mailing list forwards it, sealed", "M", U,
      .ar =
          DMARC_BAD "; arc=pass" AAR("1", "dmarc=pass header.from=cust.example")
              SEAL("1", "lists.example") },
    /* complaints (ARF) */
    { "complaint shows our mail", "RMM", U, .complaint = true,
      .authors = "fbl@isp.example", .to = "abuse@ours.example",
      .id = "m1@ours.example", .from = "ann@ours.example" },
    { "complaint, provider passes", "M", U, .complaint = true,
      .authors = "fbl@isp.example", .to = "abuse@ours.example",
      .from = "ann@ours.example",
      .ar = MX "dmarc=pass header.from=isp.example" },
    { "complaint, redacted, own domain", "M", U, .complaint = true,
      .authors = "fbl@cust.example", .ar = DMARC_OK },
    { "complaint, redacted, stranger", "H", U, .complaint = true,
      .authors = "fbl@isp.example",
      .ar = MX "dmarc=pass header.from=isp.example" },
    { "complaint, redacted, neutral", "RHH", U, .complaint = true,
      .authors = "fbl@isp.example" },
    { "complaint, forged", "RRR", U, .complaint = true,
      .authors = "fbl@isp.example", .from = "ann@ours.example",
      .ar = MX "dmarc=fail header.from=isp.example" },
    { "complaint about somebody else's mail", "H", U, .complaint = true,
      .authors = "fbl@isp.example", .from = "eve@other.example",
      .ar = MX "dmarc=pass header.from=isp.example" },
    { "complaint, VERP names another", "H", U, .complaint = true,
      .authors = "fbl@isp.example", .from = "ann@ours.example",
      .path = "b+tom=cust.example@ours.example",
      .ar = MX "dmarc=pass header.from=isp.example" },

    /* --- reports of failed delivery -------------------------------------- */
    { "real report", "M", B, .id = "m1@ours.example",
      .from = "ann@ours.example" },
    { "report with the Message-ID alone", "M", B, .id = "m1@ours.example" },
    { "From of ours, ID of the client program", "RMM", B,
      .id = "abc@laptop.local", .from = "ann@ours.example" },
    { "From of ours alone", "RMM", B, .from = "ann@ours.example" },
    { "From of our subdomain", "RMM", B, .from = "ann@news.ours.example" },
    { "Return-Path of ours", "RMM", B, .path = "ann@ours.example" },
    { "Return-Path of ours, From of a brand", "RMM", B,
      .from = "hello@brand.example", .path = "ann@ours.example" },
    { "nothing returned", "RRM", B },
    { "Message-ID alone, never seen", "RMM", B, .id = "m9@ours.example" },
    { "somebody else's mail", "RRM", B, .id = "x@other.example",
      .from = "eve@other.example" },
    { "somebody else's mail, all fields", "RRM", B, .id = "x@other.example",
      .from = "eve@other.example", .path = "eve@other.example" },
    { "somebody else's mail with our Message-ID", "RRM", B,
      .id = "m9@ours.example", .from = "eve@other.example" },
    { "look-alike of our domain", "RRM", B, .from = "ann@evilours.example",
      .id = "x@ours.example.evil.example" },
    { "came to no address of ours", "RRM", B, .to = "x@other.example",
      .from = "ann@ours.example" },
    { "Return-Path not ours", "RRM", B, .from = "ann@ours.example",
      .path = "list-bounces@other.example" },
    { "came elsewhere in our domain", "RMM", B, .from = "ann@ours.example",
      .path = "ann@ours.example", .to = "postmaster@ours.example" },
    { "came to another domain of ours", "RMM", B, .from = "ann@ours.example",
      .path = "ann@ours.example", .to = "ann@news.ours.example" },
    { "envelope unknown", "RMM", B, .to = "", .from = "ann@ours.example",
      .path = "ann@ours.example" },
    { "about another recipient than it left for", "RMM", B,
      .email = "tom@cust.example", .id = "m1@ours.example",
      .from = "ann@ours.example" },
    { "Final-Recipient is the one it left for", "M", B,
      .email = "robert@inner.cust.example", .final = "bob@cust.example",
      .id = "m1@ours.example", .from = "ann@ours.example" },
    { "came to one who never sent", "RMM", B, .to = "info@ours.example",
      .id = "m1@ours.example", .from = "ann@ours.example" },
    { "masqueraded sender", "M", B, .to = "ann@host.ours.example",
      .id = "m1@ours.example", .from = "ann@ours.example" },
    { "in other case", "M", B, .email = "BOB@CUST.EXAMPLE",
      .to = "Ann@OURS.Example", .id = "m1@ours.example",
      .from = "ANN@Ours.example" },
    /* several recipients: each is judged */
    { "three recipients, the first", "M", B, .email = "bob@cust.example",
      .id = "m1@ours.example", .from = "ann@ours.example" },
    { "three recipients, the second", "M", B, .email = "eve@cust.example",
      .id = "m1@ours.example", .from = "ann@ours.example" },
    { "three recipients, a smuggled one", "RMM", B,
      .email = "victim@other.example", .id = "m1@ours.example",
      .from = "ann@ours.example" },
    { "three recipients, one of ours", "R", B, .email = "tim@ours.example",
      .id = "m1@ours.example", .from = "ann@ours.example" },
    /* local */
    { "local Postfix", "M", B, .local = true,
      .authors = "mailer-daemon@ours.example", .from = "ann@ours.example" },
    { "local Postfix, nothing returned", "M", B, .local = true,
      .authors = "mailer-daemon@ours.example" },
    { "local Postfix about our own user", "R", B, .local = true,
      .email = "gone@ours.example", .authors = "mailer-daemon@ours.example" },
    { "another server of ours inside", "RMM", B, .client = "10.1.2.3",
      .authors = "mailer-daemon@ours.example", .from = "ann@ours.example" },
    /* forged and misdirected */
    { "forged, dmarc=fail", "RRM", B, .from = "ann@ours.example",
      .ar = MX "dmarc=fail header.from=cust.example" },
    { "forged, HELO fails SPF", "RRM", B, .from = "ann@ours.example",
      .spf = "fail mx.cust.example" },
    { "HELO passes SPF", "RMM", B, .from = "ann@ours.example",
      .spf = "pass mx.cust.example" },
    { "HELO softfails", "RMM", B, .from = "ann@ours.example",
      .spf = "softfail mx.cust.example" },
    { "claims to come from us", "R", B, .from = "ann@ours.example",
      .authors = "mailer-daemon@ours.example" },
    { "claims to come from us, known ID", "MRR", B, .id = "m1@ours.example",
      .from = "ann@ours.example", .authors = "mailer-daemon@ours.example" },
    { "dmarc=fail, known ID", "MRM", B, .id = "m1@ours.example",
      .from = "ann@ours.example",
      .ar = MX "dmarc=fail header.from=cust.example" },
    { "backscatter of spam in our name", "RMM", B, .from = "ann@ours.example",
      .id = "spam@zombie.example", .path = "ann@ours.example" },
    { "backscatter to an address that never sent", "RMM", B,
      .to = "sales@ours.example", .from = "sales@ours.example",
      .id = "spam@zombie.example" },
    { "replayed after the window", "RMM", B, .id = "old@ours.example",
      .from = "ann@ours.example" },
    { "replayed for another", "RMM", B, .email = "victim@other.example",
      .id = "m1@ours.example", .from = "ann@ours.example" },
    { "no author", "M", B, .authors = "", .id = "m1@ours.example" },
    { "sender not null", "M", B, .mail_from = "mailer-daemon@cust.example",
      .id = "m1@ours.example", .from = "ann@ours.example" },
    /* VERP, BATV, SRS */
    { "VERP", "M", B, .to = "bounces+bob=cust.example@ours.example",
      .id = "m1@ours.example", .from = "ann@ours.example" },
    { "VERP with a dash and a number", "M", B,
      .to = "list-return-12-bob=cust.example@ours.example",
      .id = "m1@ours.example", .from = "ann@ours.example" },
    { "VERP in other case", "M", B,
      .to = "Bounces+BOB=Cust.Example@ours.example", .id = "m1@ours.example",
      .from = "ann@ours.example" },
    { "VERP for another", "R", B, .to = "bounces+tom=cust.example@ours.example",
      .id = "m1@ours.example", .from = "ann@ours.example" },
    { "VERP for another domain", "R", B,
      .to = "bounces+bob=other.example@ours.example", .id = "m1@ours.example",
      .from = "ann@ours.example" },
    { "VERP for a longer local-part", "R", B,
      .to = "bouncesbob=cust.example@ours.example", .id = "m1@ours.example",
      .from = "ann@ours.example" },
    { "VERP in Return-Path for another", "R", B, .id = "m1@ours.example",
      .from = "ann@ours.example", .path = "b+tom=cust.example@ours.example" },
    { "VERP names Final-Recipient", "M", B, .final = "rob@cust.example",
      .to = "b+rob=cust.example@ours.example", .id = "m1@ours.example",
      .from = "ann@ours.example" },
    { "BATV", "M", B, .to = "prvs=1234567890=ann@ours.example",
      .id = "m1@ours.example", .from = "ann@ours.example" },
    { "BATV both", "M", B, .to = "prvs=1234567890=ann@ours.example",
      .path = "prvs=1234567890=ann@ours.example", .id = "m1@ours.example",
      .from = "ann@ours.example" },
    { "BATV in other case", "M", B, .to = "PRVS=12345678AB=Ann@ours.example",
      .path = "prvs=12345678ab=ann@ours.example", .id = "m1@ours.example",
      .from = "ann@ours.example" },
    { "BATV tag missing", "MRM", B, .to = "ann@ours.example",
      .path = "prvs=1234567890=ann@ours.example", .id = "m1@ours.example",
      .from = "ann@ours.example" },
    { "BATV tag of another mail", "MRM", B,
      .to = "prvs=9999999999=ann@ours.example",
      .path = "prvs=1234567890=ann@ours.example", .id = "m1@ours.example",
      .from = "ann@ours.example" },
    { "BATV, btv1", "M", B, .to = "btv1==0123456789a==ann@ours.example",
      .path = "btv1==0123456789a==ann@ours.example", .id = "m1@ours.example",
      .from = "ann@ours.example" },
    { "BATV and VERP", "M", B,
      .to = "prvs=1234567890=b+bob=cust.example@ours.example",
      .id = "m1@ours.example", .from = "ann@ours.example" },
    { "BATV of one who never sent", "RMM", B,
      .to = "prvs=1234567890=info@ours.example", .id = "m1@ours.example",
      .from = "ann@ours.example" },
    { "SRS: we passed on a stranger's mail", "RRM", B,
      .to = "SRS0=ab=cd=other.example=eve@ours.example",
      .from = "eve@other.example",
      .path = "SRS0=ab=cd=other.example=eve@ours.example" },
    { "SRS: the recipient's forwarder wrapped ours", "RMM", B,
      .from = "ann@ours.example",
      .path = "SRS0=ab=cd=ours.example=ann@fwd.example" },
    { "SRS1 of ours", "RMM", B, .from = "ann@ours.example",
      .path = "SRS1=xy=fwd.example==ab=cd=ours.example=ann@two.example" },
    { "SRS damaged", "RRM", B, .from = "ann@ours.example",
      .path = "SRS0=ab@fwd.example" },
    /* classes */
    { "soft", "M", B, .class = BOUNCE_SOFT, .id = "m1@ours.example",
      .from = "ann@ours.example" },
    { "soft, forged", "RRM", B, .class = BOUNCE_SOFT,
      .from = "eve@other.example" },
};

/* --- the world of the table ------------------------------------------------
 */

typedef struct {
    int64_t soft;
    int64_t changes;    /* of any domain */
    int64_t unverified; /* of all that prove nothing */
    bool marked;
    bool fails;
    char domain[256]; /* last asked */
} World;

static bool
sent_seen(void *data, const char *message_id, const char *recipient,
          bool *out_seen, GError **error)
{
    const World *w = data;
    if (w->fails) {
        g_set_error(error, STORE_ERROR, STORE_ERROR_UNAVAILABLE, "down");
        return false;
    }
    static const char *const sent[][2] = {
        { "m1@ours.example", "bob@cust.example" },
        { "m1@ours.example", "eve@cust.example" },
        { "m1@ours.example", "rob@cust.example" },
        { EVIDENCE_SENDER_ID, "ann@ours.example" },
    };
    *out_seen = false;
    for (size_t i = 0; i < G_N_ELEMENTS(sent); i++)
        if (strcmp(message_id, sent[i][0]) == 0 &&
            (recipient == NULL ||
             g_ascii_strcasecmp(recipient, sent[i][1]) == 0))
            *out_seen = true;
    return true;
}

static int64_t
soft_bounces(void *data, const char *email, int64_t since, GError **error)
{
    (void) email;
    (void) since;
    (void) error;
    return ((const World *) data)->soft;
}

static int64_t
status_changes(void *data, const char *domain, int64_t since, GError **error)
{
    World *w = data;
    (void) since;
    (void) error;
    if (strcmp(domain, DECIDE_UNVERIFIED) == 0)
        return w->unverified;
    g_strlcpy(w->domain, domain, sizeof(w->domain));
    return w->changes;
}

static bool
marked_bounced(void *data, const char *email, bool *out_marked, GError **error)
{
    (void) email;
    (void) error;
    *out_marked = ((const World *) data)->marked;
    return true;
}

static void
add_words(GPtrArray *list, const char *words)
{
    g_auto(GStrv) parts = g_strsplit(words, " ", -1);
    for (size_t i = 0; parts[i] != NULL; i++)
        if (*parts[i] != '\0')
            g_ptr_array_add(list, g_strdup(parts[i]));
}

static Observation *
make_observation(const Row *r)
{
    bool report = r->kind == OBSERVATION_BOUNCE;
    Observation *o = observation_new(
        r->kind, r->email != NULL ? r->email : "bob@cust.example");
    add_words(o->authors, r->authors != NULL ? r->authors
                          : report           ? "mailer-daemon@mx.cust.example"
                                             : "bob@cust.example");
    if (r->mail_from != NULL)
        o->mail_from = g_strdup(r->mail_from);
    else if (report || o->authors->len == 0)
        o->mail_from = g_strdup("");
    else
        o->mail_from = g_strdup(g_ptr_array_index(o->authors, 0));
    o->helo = g_strdup(r->helo != NULL ? r->helo : "mx.cust.example");
    if (!r->local)
        o->client_addr = g_strdup(r->client != NULL ? r->client : "192.0.2.10");
    add_words(o->recipients, r->to != NULL ? r->to : "ann@ours.example");
    o->queue_id = g_strdup("4bXyz");
    o->message_id = g_strdup("mail@cust.example");
    o->time = 1000000;
    o->local = r->local;
    o->by_token = r->token;
    o->unsure = r->unsure;
    o->complaint = r->complaint;
    o->scope = r->scope;
    o->returned.message_id = g_strdup(r->id);
    o->returned.from = g_strdup(r->from);
    o->returned.return_path = g_strdup(r->path);
    if (r->kind == OBSERVATION_CONTACT) {
        o->contact = contact_new(o->email);
        o->contact->from_relay = r->relay;
    } else if (report) {
        o->bounce.email = g_strdup(o->email);
        o->bounce.final = g_strdup(r->final);
        o->bounce.class = r->class != 0 ? r->class : BOUNCE_HARD;
        o->bounce.status = g_strdup("5.1.1");
        o->bounce.reason = "userunknown";
    }
    g_auto(GStrv) lines = g_strsplit(r->ar != NULL ? r->ar : "", "\n", -1);
    for (size_t i = 0; lines[i] != NULL; i++) {
        if (*lines[i] == '\0')
            continue;
        AuthResults a = { .value = g_strdup(lines[i] + 1),
                          .arc = strchr("AS", lines[i][0]) != NULL,
                          .above_received = lines[i][0] == '+' };
        g_array_append_val(o->auth_results, a);
    }
    return o;
}

static bool
make_spf(const Row *r, SpfOutcome *out)
{
    *out = (SpfOutcome){ .why = "" };
    if (r->spf == NULL)
        return false;
    g_auto(GStrv) parts = g_strsplit(r->spf, " ", 2);
    for (int v = SPF_UNCHECKED; v <= SPF_PERMERROR; v++)
        if (strcmp(parts[0], spf_verdict_name((SpfVerdict) v)) == 0)
            out->verdict = (SpfVerdict) v;
    g_assert_cmpint(out->verdict, !=, SPF_UNCHECKED);
    out->domain = g_strdup(parts[1]);
    return true;
}

static char *ids[] = { (char *) "mx.ours.example", NULL };
static char *sealers[] = { (char *) "lists.example", (char *) "fwd.example",
                           NULL };
static char *ours[] = { (char *) "ours.example", NULL };

static void
make_settings(Settings *s)
{
    memset(s, 0, sizeof(*s));
    s->mta.local_domains = ours;
    s->trust.authserv_ids = ids;
    s->trust.arc_sealers = sealers;
    s->trust.spf = true;
    s->trust.contact = TRUST_PASS;
    s->trust.unsubscribe = TRUST_NO_FAIL;
    s->trust.status_limit = 50;
    s->bounce.evidence = EVIDENCE_ORIGINAL;
    s->bounce.soft_window = INT64_C(30) * 86400 * 1000;
    s->unsubscribe.sms = true;
    s->unsubscribe.complaints = true;
    s->unsubscribe.unsure = UNSURE_HOLD;
}

static bool
decide(const Row *r, const Settings *s, World *w, Decision *out)
{
    JudgeQueries q = { sent_seen, soft_bounces, status_changes, marked_bounced,
                       w };
    g_autoptr(Observation) o = make_observation(r);
    SpfOutcome spf;
    bool checked = make_spf(r, &spf);
    g_autoptr(GError) error = NULL;
    bool ok =
        judge_one(o, "key", checked ? &spf : NULL, s, &q, 1000000, out, &error);
    g_assert_cmpint(ok, ==, error == NULL);
    spf_outcome_clear(&spf);
    return ok;
}

static const char letters[] = { [DECISION_REFUSE] = 'R',
                                [DECISION_NOTE] = 'N',
                                [DECISION_HOLD] = 'H',
                                [DECISION_MERGE] = 'M' };

static void
test_row(gconstpointer data)
{
    const Row *r = data;
    Settings s;
    make_settings(&s);
    char got[4] = "";
    g_autoptr(GString) words = g_string_new(NULL);
    for (int level = 0; level < 3; level++) {
        static const int trust[] = { TRUST_PASS, TRUST_NO_FAIL, TRUST_ANY };
        static const int evidence[] = { EVIDENCE_SENT, EVIDENCE_ORIGINAL,
                                        EVIDENCE_ANY };
        if (r->kind == OBSERVATION_BOUNCE)
            s.bounce.evidence = evidence[level];
        else if (r->kind == OBSERVATION_CONTACT)
            s.trust.contact = trust[level];
        else
            s.trust.unsubscribe = trust[level];
        World w = { 0 };
        Decision d;
        g_assert_true(decide(r, &s, &w, &d));
        got[level] = letters[d.kind];
        g_string_append_printf(words, " [%s; %s]", d.trust,
                               d.why != NULL ? d.why : "-");
        /* Every decision has its reason in words. */
        g_assert_nonnull(d.trust);
        g_assert_true(d.kind == DECISION_MERGE || d.why != NULL);
        decision_clear(&d);
    }
    char want[4];
    g_strlcpy(want, r->want, sizeof(want));
    if (want[1] == '\0')
        memset(want + 1, want[0], 2), want[3] = '\0';
    if (strcmp(got, want) != 0)
        g_test_fail_printf("%s: %s, should be %s:%s", r->name, got, want,
                           words->str);
}

/* --- what the settings change ---------------------------------------------
 */

static void
test_wants(void)
{
    Settings s;
    make_settings(&s);
    World w = { 0 };
    Decision d;

    Row hard = { "", "", B, .id = "m1@ours.example",
                 .from = "ann@ours.example" };
    g_assert_true(decide(&hard, &s, &w, &d));
    g_assert_cmpint(d.want_status, ==, 3);
    g_assert_cmpstr(d.domain, ==, "cust.example");
    g_assert_true(g_str_has_prefix(d.key, "bounce:hard:"));
    g_autofree char *key = g_strdup(d.key);
    decision_clear(&d);

    /* The same report replayed in another mail: the same key. */
    Row replayed = hard;
    replayed.client = "198.51.100.99";
    replayed.email = "BOB@cust.example";
    g_assert_true(decide(&replayed, &s, &w, &d));
    g_assert_cmpstr(d.key, ==, key);
    decision_clear(&d);
    Row other = hard;
    other.email = "eve@cust.example";
    g_assert_true(decide(&other, &s, &w, &d));
    g_assert_cmpstr(d.key, !=, key);
    decision_clear(&d);
    Row nameless = { "", "", B, .from = "ann@ours.example" };
    g_assert_true(decide(&nameless, &s, &w, &d));
    g_assert_cmpstr(d.key, ==, "key");
    decision_clear(&d);

    Row soft = hard;
    soft.class = BOUNCE_SOFT;
    w.soft = 100;
    g_assert_true(decide(&soft, &s, &w, &d));
    g_assert_true(d.soft_bounce);
    g_assert_cmpint(d.want_status, ==, 0);
    decision_clear(&d);
    s.bounce.soft_limit = 3;
    w.soft = 1;
    g_assert_true(decide(&soft, &s, &w, &d));
    g_assert_cmpint(d.want_status, ==, 0);
    decision_clear(&d);
    w.soft = 2;
    g_assert_true(decide(&soft, &s, &w, &d));
    g_assert_cmpint(d.want_status, ==, 3);
    g_assert_nonnull(strstr(d.trust, "3 soft bounces"));
    decision_clear(&d);

    Row asks = { "", "", U, .ar = DMARC_OK };
    g_assert_true(decide(&asks, &s, &w, &d));
    g_assert_cmpint(d.want_status, ==, 2);
    g_assert_cmpint(d.want_sms, ==, 0);
    g_assert_false(d.unknown_suppress);
    decision_clear(&d);
    s.unsubscribe.unknown = UNKNOWN_SUPPRESS;
    g_assert_true(decide(&asks, &s, &w, &d));
    g_assert_true(d.unknown_suppress);
    decision_clear(&d);

    Row sms = asks;
    sms.scope = UNSUBSCRIBE_SMS;
    g_assert_true(decide(&sms, &s, &w, &d));
    g_assert_cmpint(d.want_status, ==, 0);
    g_assert_cmpint(d.want_sms, ==, 2);
    g_assert_false(d.unknown_suppress);
    decision_clear(&d);
    s.unsubscribe.sms = false;
    g_assert_true(decide(&sms, &s, &w, &d));
    g_assert_cmpint(d.kind, ==, DECISION_REFUSE);
    decision_clear(&d);

    Row complaint = { "", "", U, .complaint = true, .ar = DMARC_OK };
    s.unsubscribe.complaints = false;
    g_assert_true(decide(&complaint, &s, &w, &d));
    g_assert_cmpint(d.kind, ==, DECISION_REFUSE);
    decision_clear(&d);

    Row unsure = { "", "", U, .unsure = true, .ar = DMARC_OK };
    g_assert_true(decide(&unsure, &s, &w, &d));
    g_assert_cmpint(d.kind, ==, DECISION_HOLD);
    g_assert_cmpint(d.want_status, ==, 2); /* for its release */
    decision_clear(&d);
    s.unsubscribe.unsure = UNSURE_IGNORE;
    g_assert_true(decide(&unsure, &s, &w, &d));
    g_assert_cmpint(d.kind, ==, DECISION_REFUSE);
    decision_clear(&d);

    /* recover: only by the contact itself, authenticated, where we set 3. */
    Row mail = { "", "", C, .ar = DMARC_OK };
    w.marked = true;
    g_assert_true(decide(&mail, &s, &w, &d));
    g_assert_cmpint(d.want_status, ==, 0);
    decision_clear(&d);
    s.bounce.recover = true;
    g_assert_true(decide(&mail, &s, &w, &d));
    g_assert_cmpint(d.want_status, ==, 1);
    decision_clear(&d);
    w.marked = false;
    g_assert_true(decide(&mail, &s, &w, &d));
    g_assert_cmpint(d.want_status, ==, 0);
    decision_clear(&d);
    w.marked = true;
    s.trust.contact = TRUST_ANY;
    Row neutral = { "", "", C };
    g_assert_true(decide(&neutral, &s, &w, &d));
    g_assert_cmpint(d.kind, ==, DECISION_MERGE);
    g_assert_cmpint(d.want_status, ==, 0);
    decision_clear(&d);

    Observation *o = observation_new(OBSERVATION_SENT, "");
    JudgeQueries q = { sent_seen, soft_bounces, status_changes, marked_bounced,
                       &w };
    g_assert_true(judge_one(o, "k", NULL, &s, &q, 0, &d, NULL));
    g_assert_cmpint(d.kind, ==, DECISION_MERGE);
    decision_clear(&d);
    observation_free(o);

    /* A store that fails decides nothing. */
    w.fails = true;
    s.bounce.evidence = EVIDENCE_SENT;
    g_assert_false(decide(&hard, &s, &w, &d));
}

static void
test_limit(void)
{
    Settings s;
    make_settings(&s);
    World w = { .changes = 49 };
    Decision d;
    Row asks = { "", "", U, .ar = DMARC_OK };
    g_assert_true(decide(&asks, &s, &w, &d));
    g_assert_cmpint(d.kind, ==, DECISION_MERGE);
    decision_clear(&d);
    w.changes = 50;
    g_assert_true(decide(&asks, &s, &w, &d));
    g_assert_cmpint(d.kind, ==, DECISION_HOLD);
    g_assert_nonnull(strstr(d.why, "cust.example"));
    g_assert_cmpint(d.want_status, ==, 2);
    decision_clear(&d);

    /* The sender proved by a pass, else what MAIL FROM claims, else From:,
     * else HELO. */
    Row neutral = { "", "", U, .mail_from = "x@mail.claims.example" };
    g_assert_true(decide(&neutral, &s, &w, &d));
    g_assert_cmpstr(w.domain, ==, "claims.example");
    decision_clear(&d);
    Row passes = { "", "", U, .mail_from = "x@esp.example", .ar = DMARC_OK };
    g_assert_true(decide(&passes, &s, &w, &d));
    g_assert_cmpstr(w.domain, ==, "cust.example");
    decision_clear(&d);
    Row helo = { "",
                 "",
                 B,
                 .authors = "",
                 .from = "ann@ours.example",
                 .helo = "mail.zombie.example" };
    g_assert_true(decide(&helo, &s, &w, &d));
    g_assert_cmpstr(w.domain, ==, "zombie.example");
    decision_clear(&d);

    /* New domains do not help who proves nothing. */
    w = (World){ .unverified = 499 };
    g_assert_true(decide(&neutral, &s, &w, &d));
    g_assert_cmpint(d.kind, ==, DECISION_MERGE);
    g_assert_true(d.unverified);
    decision_clear(&d);
    w.unverified = 500;
    g_assert_true(decide(&neutral, &s, &w, &d));
    g_assert_cmpint(d.kind, ==, DECISION_HOLD);
    decision_clear(&d);
    g_assert_true(decide(&passes, &s, &w, &d));
    g_assert_cmpint(d.kind, ==, DECISION_MERGE);
    g_assert_false(d.unverified);
    decision_clear(&d);

    /* What is proven is not counted: tokens, the sent-log, local reports. */
    w = (World){ .changes = 1000, .unverified = 10000 };
    Row token = { "", "", U, .token = true };
    Row local = { "", "", B, .local = true };
    Row proven = { "", "", B, .id = "m1@ours.example" };
    s.bounce.evidence = EVIDENCE_SENT;
    const Row *exempt[] = { &token, &local, &proven };
    for (size_t i = 0; i < G_N_ELEMENTS(exempt); i++) {
        g_assert_true(decide(exempt[i], &s, &w, &d));
        g_assert_cmpint(d.kind, ==, DECISION_MERGE);
        g_assert_null(d.domain);
        decision_clear(&d);
    }
    /* Mail that changes no status is not held. */
    Row mail = { "", "", C, .ar = DMARC_OK };
    g_assert_true(decide(&mail, &s, &w, &d));
    g_assert_cmpint(d.kind, ==, DECISION_MERGE);
    decision_clear(&d);
    /* 0: no limit. */
    s.trust.status_limit = 0;
    g_assert_true(decide(&neutral, &s, &w, &d));
    g_assert_cmpint(d.kind, ==, DECISION_MERGE);
    decision_clear(&d);
}

static void
test_needs_spf(void)
{
    Settings s;
    make_settings(&s);
    TrustPolicy policy;
    trust_policy_of(&s, &policy);
    static const struct {
        Row row;
        bool want;
    } needs[] = {
        { { "nothing known", "", C }, true },
        { { "dmarc known", "", C, .ar = DMARC_OK }, false },
        { { "dmarc=none", "", C, .ar = MX "dmarc=none" }, true },
        { { "spf known", "", C, .ar = MX "spf=none" }, false },
        { { "dkim aligned", "", C, .ar = MX "dkim=pass header.d=cust.example" },
          false },
        { { "dkim of another", "", C, .ar = MX "dkim=pass header.d=e.example" },
          true },
        { { "sender not aligned", "", C, .mail_from = "x@esp.example" },
          false },
        { { "sender below", "", C, .mail_from = "x@m.cust.example" }, true },
        { { "null sender, HELO aligned", "", B }, true },
        { { "null sender, HELO not", "", B, .helo = "h.isp.example" }, false },
        { { "local", "", C, .local = true }, false },
        { { "forged results", "", C, .ar = "+evil; dmarc=pass" }, true },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(needs); i++) {
        g_autoptr(Observation) o = make_observation(&needs[i].row);
        TrustFacts facts;
        trust_facts_of(o, NULL, &facts);
        if (trust_needs_spf(&facts, &policy) != needs[i].want)
            g_test_fail_printf("%s", needs[i].row.name);
    }
}

static void
test_from_headers(void)
{
    static const struct {
        const char *name, *id, *text;
        AuthVerdict want;
    } mails[] = {
        { "top field", NULL,
          "Authentication-Results: mx.a; dmarc=pass header.from=cust.example\n"
          "Received: x\nFrom: Bob <bob@cust.example>\n",
          AUTH_PASS },
        { "stored: delivered by LMTP", "mx.a",
          "Received: from mx.a by mx.a with LMTP id 1; x\n"
          "Received: from h by mx.a with ESMTP; x\n"
          "Authentication-Results: mx.a; dmarc=pass\n"
          "Received: from h by mx.b with ESMTP; x\nFrom: bob@cust.example\n",
          AUTH_PASS },
        { "stored: below a stranger's Received", "mx.a",
          "Received: from h by mx.a with ESMTP; x\n"
          "Received: from h (by mx.a ) by evil.example with ESMTP; x\n"
          "Authentication-Results: mx.a; dmarc=pass\n"
          "From: bob@cust.example\n",
          AUTH_NEUTRAL },
        { "analysed: the taking host's own word", NULL,
          "Received: by 2001:db8::1 with SMTP id 1; x\n"
          "Received: from h by mx.isp.example with ESMTP; x\n"
          "Authentication-Results: mx.isp.example; dmarc=pass\n"
          "From: bob@cust.example\n",
          AUTH_PASS },
        { "analysed: another's word", NULL,
          "Received: from h by mx.isp.example with ESMTP; x\n"
          "Authentication-Results: mx.other.example; dmarc=pass\n"
          "From: bob@cust.example\n",
          AUTH_NEUTRAL },
        { "analysed: in a comment", NULL,
          "Received: from h (x by mx.other.example) by mx.isp.example; x\n"
          "Authentication-Results: mx.other.example; dmarc=pass\n"
          "From: bob@cust.example\n",
          AUTH_NEUTRAL },
        { "below Received", NULL,
          "Received: x\nAuthentication-Results: mx.a; dmarc=pass\n"
          "From: bob@cust.example\n",
          AUTH_NEUTRAL },
        { "another id after the top", NULL,
          "Authentication-Results: mx.a; dmarc=none\n"
          "Authentication-Results: mx.b; dmarc=pass\n"
          "Received: x\nFrom: bob@cust.example\n",
          AUTH_NEUTRAL },
        { "the trusted id", "mx.b",
          "Authentication-Results: mx.a; dmarc=fail\n"
          "Authentication-Results: mx.b; dmarc=pass\n"
          "Received: x\nFrom: bob@cust.example\n",
          AUTH_PASS },
        { "fail", NULL,
          "Authentication-Results: mx.a; dmarc=fail\nFrom: bob@cust.example\n",
          AUTH_FAIL },
        { "a group", NULL,
          "Authentication-Results: mx.a; dmarc=pass\nFrom: people:;\n",
          AUTH_NEUTRAL },
        { "no header", NULL, "From: bob@cust.example\n", AUTH_NEUTRAL },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(mails); i++) {
        g_autofree char *text = g_strdup_printf("%s\nHi\n", mails[i].text);
        g_autoptr(Message) m = message_parse(text, strlen(text), NULL);
        const char *one[] = { mails[i].id, NULL };
        TrustPolicy policy = { .authserv_ids = one };
        TrustVerdict v;
        trust_from_headers(m, &policy, &v);
        if (v.verdict != mails[i].want)
            g_test_fail_printf("%s: %s, %s", mails[i].name,
                               auth_verdict_name(v.verdict), v.reason);
        trust_verdict_clear(&v);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *path = g_strdup_printf(
            "/decide/%s/%zu %s", observation_kind_name(rows[i].kind), i + 1,
            rows[i].name);
        g_test_add_data_func(path, &rows[i], test_row);
    }
    g_test_add_func("/decide/wants", test_wants);
    g_test_add_func("/decide/limit", test_limit);
    g_test_add_func("/decide/needs-spf", test_needs_spf);
    g_test_add_func("/decide/from-headers", test_from_headers);
    return g_test_run();
}
