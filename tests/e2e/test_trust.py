"""Who really wrote, what really bounced: a sample of the decision tables of
tests/trust/test_decide.c through Postfix, the daemon and the API."""

import json
import time
import unittest

from postfix import OUR_DOMAIN, wait_for
from world import AUTHSERV, WITHIN, World, mail, remote_dsn, signature_mail

OFFICE = "office@" + OUR_DOMAIN
NEWS = "news@" + OUR_DOMAIN
OUTSIDE = {"client": "198.51.100.7", "name": "mx.client.example"}


def results(text, authserv=AUTHSERV):
    return f"Authentication-Results: {authserv}; {text}"


class Sample(unittest.TestCase):
    SETTINGS = {}

    @classmethod
    def setUpClass(cls):
        cls.world = World(settings=cls.SETTINGS)
        cls.addClassCleanup(cls.world.stop)
        cls.world.start()
        cls.api, cls.postfix = cls.world.api, cls.world.postfix

    def seed(self, address):
        contact = {"firstName": "Bob", "lastName": "Known", "email": address,
                   "status": 1, "smsStatus": 1}
        return self.api.control("seed", {"contacts": [contact]})["ids"][0]

    def status(self, number):
        return next(c for c in self.api.control("dump")["contacts"]
                    if c["id"] == number)["status"]

    def quiet(self):
        """All that was sent has had its effect."""
        time.sleep(2)
        self.world.settle()

    def check_reports(self, cases):
        """(name, address, status that it must get, report, recipient of it)."""
        sent = []
        for name, address, want, data, recipient in cases:
            sent.append((name, self.seed(address), want))
            self.postfix.send("", recipient, data, **OUTSIDE)
        for name, number, want in sent:
            if want != 1:
                wait_for(lambda n=number, w=want: self.status(n) == w, WITHIN, name)
        self.quiet()
        for name, number, want in sent:
            with self.subTest(name):
                self.assertEqual(self.status(number), want)


class Trust(Sample):
    SETTINGS = {"trust": {"arc_sealers": "lists.example"}}

    def test_contacts(self):
        arc = ("ARC-Seal: i=1; a=rsa-sha256; t=1; cv=none; d={}; s=s; b=x",
               "ARC-Authentication-Results: i=1; {}; dmarc=pass header.from=client.example")
        bad = results("arc=pass; dmarc=fail header.from=client.example")
        cases = [
            # name, its header fields on top, does the author become a contact?
            ("dmarc=pass", [results("dmarc=pass header.from=client.example")], True),
            ("dkim=pass, aligned", [results("dkim=pass header.d=mail.client.example")], True),
            ("dkim=pass, any case", [results("DKIM=Pass header.D=CLIENT.example")], True),
            ("spf=pass, aligned", [results("spf=pass smtp.mailfrom=x@client.example")], True),
            ("comments", [results('(a) dkim (b) = pass reason="(c)" header.d=client.example')],
             True),
            ("dkim=pass of another", [results("dkim=pass header.d=sender.example")], False),
            ("dmarc=pass for another", [results("dmarc=pass header.from=other.example")], False),
            ("softfail", [results("spf=softfail smtp.mailfrom=client.example")], False),
            ("temperror", [results("spf=temperror smtp.mailfrom=client.example")], False),
            ("nothing known", [], False),
            ("damaged field", [results("dmarc=pass header.from=client.example; (")], False),
            ("another host's word",
             [results("dmarc=pass header.from=client.example", "mx.stranger.example")], False),
            ("trusted list", [bad] + [line.format("lists.example") for line in arc], True),
            ("stranger's seal", [bad] + [line.format("stranger.example") for line in arc],
             False),
        ]
        people = []
        for name, fields, counts in cases:
            first, last, address = self.world.person()
            data = signature_mail(first, last, address, auth=None)
            top = "".join(f"{field}\r\n" for field in fields).encode()
            self.postfix.send(address, OFFICE, top + data, **OUTSIDE)
            people.append((name, address, counts))
        # A field below Received, which the sender may have written.
        first, last, address = self.world.person()
        self.postfix.send(address, OFFICE, signature_mail(
            first, last, address, auth=None,
            headers=[results("dmarc=pass header.from=client.example")]), **OUTSIDE)
        people.append(("below Received", address, False))
        # A form, or a trick: the author vouches for himself only.
        first, last, address = self.world.person("victim.example")
        self.postfix.send("eve@client.example", OFFICE, signature_mail(
            first, last, "eve@client.example",
            headers=[f"Reply-To: {address}"]), **OUTSIDE)
        people.append(("Reply-To of another", address, False))

        for _, address, counts in people:
            if counts:
                self.world.wait_contact(address)
        self.quiet()
        for name, address, counts in people:
            with self.subTest(name):
                self.assertEqual(self.api.contact(address) is not None, counts)

    def test_reports(self):
        a = [f"r{i}@client.example" for i in range(10)]
        batv = f"prvs=1234567890={NEWS}"
        self.check_reports([
            ("real", a[0], 3, remote_dsn(a[0]), NEWS),
            ("somebody else's mail", a[1], 1,
             remote_dsn(a[1], "x@other.example", original_id="<1@other.example>"), NEWS),
            ("VERP", a[2], 3, remote_dsn(a[2]),
             f"news+r2=client.example@{OUR_DOMAIN}"),
            ("VERP for another", a[3], 1, remote_dsn(a[3]),
             f"news+tom=client.example@{OUR_DOMAIN}"),
            ("BATV", a[4], 3, remote_dsn(a[4]).replace(
                f"Return-Path: <{NEWS}>".encode(), f"Return-Path: <{batv}>".encode()), batv),
            ("BATV tag missing", a[5], 1, remote_dsn(a[5]).replace(
                f"Return-Path: <{NEWS}>".encode(), f"Return-Path: <{batv}>".encode()), NEWS),
            ("forged sender", a[6], 1,
             (results("dmarc=fail header.from=client.example") + "\r\n").encode()
             + remote_dsn(a[6]), NEWS),
            ("claims to come from us", a[7], 1, remote_dsn(a[7]).replace(
                b"mailer-daemon@client.example", f"mailer-daemon@{OUR_DOMAIN}".encode()),
             NEWS),
            ("backscatter without our mail", a[8], 1, remote_dsn(
                a[8], "spam@zombie.example", original_id="<9@zombie.example>"), NEWS),
            ("in another case", a[9], 3, remote_dsn(a[9], NEWS.upper()), NEWS),
        ])

    def test_requests(self):
        """On behalf of another address: held, unless the domain is the same."""
        body = "Please unsubscribe me from your mailing list.\r\n"
        numbers = {}
        for name, auth in (("pass", "pass"), ("none", "none"), ("fail", "fail")):
            address = f"asks.{name}@client.example"
            numbers[name] = self.seed(address)
            self.postfix.send(address, NEWS, mail(address, to=NEWS, body=body, auth=auth,
                                                  subject="unsubscribe"), **OUTSIDE)
        wait_for(lambda: self.status(numbers["pass"]) == 2, WITHIN, "pass")
        wait_for(lambda: self.status(numbers["none"]) == 2, WITHIN, "none")
        self.quiet()
        self.assertEqual(self.status(numbers["fail"]), 1)


class TrustSent(Sample):
    """bounce evidence = sent: only what left here can come back."""

    SETTINGS = {"bounce": {"evidence": "sent"}}

    def test_sent(self):
        message_id = "<sent-1@ours.example>"
        known, other = "bob@client.example", "eve@client.example"
        data = mail(NEWS, to=known, auth=None, message_id=message_id)
        self.postfix.send(NEWS, known, data, client="127.0.0.1", name="localhost")
        self.quiet()
        self.check_reports([
            ("left here", known, 3, remote_dsn(known, original_id=message_id), NEWS),
            ("left for another", other, 1, remote_dsn(other, original_id=message_id), NEWS),
            ("never left", "joe@client.example", 1,
             remote_dsn("joe@client.example", original_id="<sent-2@ours.example>"), NEWS),
        ])


class TrustFlood(Sample):
    """trust status_limit: what goes beyond waits for a person."""

    SETTINGS = {"trust": {"status_limit": "5"}}

    def test_flood(self):
        addresses = [f"f{i}@flood.example" for i in range(9)]
        numbers = [self.seed(a) for a in addresses]
        for a in addresses:
            self.postfix.send(a, NEWS, mail(
                a, to=NEWS, auth="none", subject="unsubscribe",
                body="Please unsubscribe me from your mailing list.\r\n"), **OUTSIDE)

        def changed():
            return [n for n in numbers if self.status(n) == 2]

        wait_for(lambda: len(changed()) == 5, WITHIN, "five changes")
        self.quiet()
        self.assertEqual(len(changed()), 5)
        queue = [json.loads(line) for line in
                 self.world.daemon.ctl("queue", "list", "--json").splitlines()]
        held = [entry for entry in queue if entry["state"] == "held"]
        self.assertEqual(len(held), 4)
        for entry in held:
            self.assertIn("flood.example", entry["reason"])
        shown = self.world.daemon.ctl("queue", "show", held[0]["email"])
        self.assertIn("neutral", shown)
        self.world.daemon.ctl("queue", "release", held[0]["email"])
        wait_for(lambda: len(changed()) == 6, WITHIN, "the released one")


if __name__ == "__main__":
    unittest.main()
