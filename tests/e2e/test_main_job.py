"""The main job: mail in at Postfix, contacts out at the API, each within 10 s."""

import time
import unittest

from postfix import OUR_DOMAIN, wait_for
from world import (GROUPS, JOB_TITLE, MOBILE, WITHIN, World, mail, remote_dsn,
                   signature_mail)

OFFICE = "office@" + OUR_DOMAIN
NEWS = "news@" + OUR_DOMAIN


class MainJob(unittest.TestCase):
    """On a unix socket, everything in one process."""

    TCP = False
    OPTIONS = ()

    @classmethod
    def setUpClass(cls):
        cls.world = World(tcp=cls.TCP)
        cls.addClassCleanup(cls.world.stop)
        cls.world.start(*cls.OPTIONS)
        cls.api, cls.postfix = cls.world.api, cls.world.postfix

    def seed(self, address, **values):
        """A contact that the CRM has already; its id."""
        contact = {"firstName": "Bob", "lastName": "Known", "email": address,
                   "status": 1, "smsStatus": 1, "phone": "+61 2 5550 0000", **values}
        return self.api.control("seed", {"contacts": [contact]})["ids"][0]

    def by_id(self, number):
        return next(c for c in self.api.control("dump")["contacts"] if c["id"] == number)

    def wait_status(self, number, status):
        wait_for(lambda: self.by_id(number)["status"] == status, WITHIN,
                 f"status {status} of contact {number}")

    def send(self, sender, recipient, data, delivered=True, **client):
        """Sends, and proves that the message came out unchanged."""
        client.setdefault("name", "mx.client.example")
        queue_id = self.postfix.send(sender, recipient, data, **client)
        if delivered:
            marker = next(l for l in data.split(b"\r\n") if l.startswith(b"Message-ID:"))
            got = wait_for(lambda: self.postfix.sink.find(marker), WITHIN, "delivery")
            self.assertEqual(got.original(), data)
        return queue_id

    def without_effect(self, sender, recipient, data, **client):
        """Sends; nothing at the API may change, nor be asked to."""
        self.world.settle()
        before, calls = self.api.control("dump")["contacts"], self.api.calls()
        self.send(sender, recipient, data, **client)
        self.world.settle()
        time.sleep(1.5)  # the judge looks each second
        self.assertEqual(self.api.control("dump")["contacts"], before)
        self.assertEqual(self.api.calls(), calls)

    def test_signature_mail_adds_a_contact(self):
        first, last, address = self.world.person()
        self.send(address, OFFICE, signature_mail(first, last, address))
        contact = self.world.wait_contact(address)
        self.assertEqual((contact["firstName"], contact["lastName"]), (first, last))
        self.assertEqual(contact["phone"].replace(" ", ""), "+61412345678")
        self.assertEqual(contact["customFields"][str(JOB_TITLE)], "Head of Sales")
        self.assertEqual(contact["customFields"][str(MOBILE)].replace(" ", ""),
                         "+61412345678")
        self.assertEqual(sorted(contact["groups"]), GROUPS)
        self.assertEqual(contact["status"], 5)

        # The same mail again, and another with the same signature.
        self.without_effect(address, OFFICE, signature_mail(first, last, address))

    def test_later_signature_updates(self):
        first, last, address = self.world.person()
        self.send(address, OFFICE, signature_mail(first, last, address))
        self.world.wait_contact(address)
        self.world.settle()
        self.send(address, OFFICE, signature_mail(first, last, address,
                                                  title="Managing Director"))
        wait_for(lambda: self.api.contact(address)["customFields"][str(JOB_TITLE)]
                 == "Managing Director", WITHIN, "the new title")
        self.assertEqual(len(self.api.contacts(address)), 1)

    def test_remote_bounce(self):
        first, last, address = self.world.person()
        other = self.seed("other." + address)
        number = self.seed(address)
        self.send("", NEWS, remote_dsn(address), name="mx.client.example")
        self.wait_status(number, 3)
        self.assertEqual(self.by_id(number)["phone"], "+61 2 5550 0000")
        self.assertEqual(self.by_id(other)["status"], 1)

    def test_local_bounce(self):
        """Our own mail to a dead address: this Postfix writes the report."""
        _, _, address = self.world.person()
        address = "gone." + address
        number = self.seed(address)
        self.send(NEWS, address, mail(NEWS, to=address, auth=None), delivered=False,
                  client="127.0.0.1", name="localhost")
        self.wait_status(number, 3)

    def test_bounce_for_unsubscribed(self):
        _, _, address = self.world.person()
        number = self.seed(address, status=2)
        before = self.by_id(number)
        self.send("", NEWS, remote_dsn(address))
        self.world.settle()
        time.sleep(2)
        self.world.settle()
        self.assertEqual(self.by_id(number), before)

    def test_soft_bounce(self):
        _, _, address = self.world.person()
        self.seed(address)
        self.without_effect("", NEWS, remote_dsn(address, status="5.2.2",
                                                   text="mailbox full"))

    def test_forged_bounce(self):
        """A report about a mail that was never ours marks nobody."""
        _, _, address = self.world.person()
        number = self.seed(address)
        self.send("", NEWS, remote_dsn(address, original_sender="x@elsewhere.example",
                                       original_id="<1@elsewhere.example>"))
        time.sleep(2)
        self.world.settle()
        self.assertEqual(self.by_id(number)["status"], 1)

    def test_unsubscribe_reply(self):
        first, last, address = self.world.person()
        numbers = [self.seed(address, firstName="Ann"), self.seed(address, firstName="A.")]
        before = [self.by_id(n) for n in numbers]
        body = ("Please unsubscribe me from your mailing list.\r\n\r\nAnn\r\n\r\n"
                "On Mon, 2 Mar 2026 at 09:00, News <news@ours.example> wrote:\r\n"
                "> Our spring offer!\r\n> To unsubscribe click here.\r\n")
        self.send(address, NEWS, mail(address, to=NEWS, name=f"{first} {last}",
                                      subject="Re: Our spring offer", body=body))
        for number, old in zip(numbers, before):
            self.wait_status(number, 2)
            new = self.by_id(number)
            for contact in (old, new):
                contact.pop("status")
                contact.pop("modifiedDate")
            self.assertEqual(new, old)

    def test_quoted_newsletter_is_no_request(self):
        first, last, address = self.world.person()
        number = self.seed(address)
        body = ("Thanks, great offer!\r\n\r\n"
                "On Mon, 2 Mar 2026 at 09:00, News <news@ours.example> wrote:\r\n"
                "> Reply with UNSUBSCRIBE to be removed from our list.\r\n")
        self.send(address, NEWS, mail(address, to=NEWS, name=f"{first} {last}",
                                      subject="Re: Our spring offer", body=body))
        time.sleep(2)
        self.world.settle()
        self.assertEqual(self.by_id(number)["status"], 1)

    def test_failed_authentication(self):
        first, last, address = self.world.person()
        self.without_effect(address, OFFICE,
                            signature_mail(first, last, address, auth="fail"))

    def test_forged_authentication_results(self):
        """The field of a stranger is not believed."""
        first, last, address = self.world.person()
        data = signature_mail(first, last, address).replace(
            b"Authentication-Results: mail.ours.example;",
            b"Authentication-Results: mail.elsewhere.example;")
        self.without_effect(address, OFFICE, data)

    def test_outbound(self):
        """An authenticated user of ours, and a machine of ours, write out."""
        data = signature_mail("Joe", "Ours", "joe@" + OUR_DOMAIN, to="x@client.example",
                              auth=None)
        self.without_effect("joe@" + OUR_DOMAIN, "x@client.example", data, login="joe",
                            client="203.0.113.9", name="dsl.example")
        data = signature_mail("Joe", "Ours", "joe@" + OUR_DOMAIN, to="x@client.example",
                              auth=None)
        self.without_effect("joe@" + OUR_DOMAIN, "x@client.example", data,
                            client="127.0.0.1", name="localhost")

    def test_list_mail(self):
        first, last, address = self.world.person()
        data = signature_mail(first, last, address,
                              headers=["List-Id: <talk.client.example>",
                                       "Precedence: list"])
        self.without_effect("talk-bounces@client.example", OFFICE, data)

    def test_unusual_mail_is_unchanged(self):
        """Empty, dots, long headers, eight bits, no end of line...

        Postfix itself cuts a header field at 60,000 bytes as soon as a milter is
        configured, whichever; so no field here is longer.
        """
        head = b"From: x@client.example\r\nDate: Mon, 2 Mar 2026 10:00:00 +0000\r\n"
        bodies = [
            b"",
            b"\r\n",
            b".\r\n..\r\n...\r\n",
            b"caf\xe9 \xc3\xa9\r\n",
            b"x" * 900 + b"\r\n",
            b"--b\r\n\r\nnever closed",
            b"\r\n" * 3000,
        ]
        for i, body in enumerate(bodies):
            with self.subTest(i=i):
                data = head + (f"Message-ID: <unusual{i}.{self.TCP}@client.example>\r\n"
                               + "X-Long: " + ("v" * 70 + "\r\n\t") * 800
                               + "end\r\n\r\n").encode() + body
                if not data.endswith(b"\r\n"):
                    data += b"\r\n"
                self.send("x@client.example", OFFICE, data)


class MainJobOnTcp(MainJob):
    TCP = True


class TwoRoles(unittest.TestCase):
    """The packaged way: mail side and CRM side are two processes."""

    def test_roles(self):
        from world import Daemon
        world = World()
        self.addCleanup(world.stop)
        world.start("--role", "mta")
        first, last, address = world.person()
        world.postfix.send(address, OFFICE, signature_mail(first, last, address))
        time.sleep(1.5)
        self.assertEqual(world.api.calls(), 0)
        sync = Daemon(world.base, world.api.port, world.daemon.socket, "sync")
        sync.start("--role", "sync")
        try:
            world.wait_contact(address)
            first, last, address = world.person()
            world.postfix.send(address, OFFICE, signature_mail(first, last, address))
            world.wait_contact(address)
        finally:
            self.assertEqual(sync.stop(), 0)


if __name__ == "__main__":
    unittest.main()
