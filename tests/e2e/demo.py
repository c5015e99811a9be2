#!/usr/bin/env python3
"""demo - the main job, to watch (started by tests/demo)

Each sample mail goes into a private Postfix, in whose smtpd contact-milter is
the last milter; what the stand-in for the contact API has afterwards is shown.
"""

import argparse
import os
import sys
import time

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--build", required=True)
os.environ["BUILD"] = os.path.abspath(parser.parse_args().build)

# pylint: disable=wrong-import-position
from postfix import OUR_DOMAIN, wait_for  # noqa: E402
from world import (JOB_TITLE, MOBILE, WITHIN, World, mail,  # noqa: E402
                   remote_dsn, signature_mail)

NEWS, OFFICE = f"news@{OUR_DOMAIN}", f"office@{OUR_DOMAIN}"
STATUS = {1: "Subscribed", 2: "Unsubscribed", 3: "Bounced", 5: "No Marketing", None: "-"}


def bold(text):
    return f"\033[1m{text}\033[0m" if sys.stdout.isatty() else text


def show_mail(data, sender, recipient):
    """The mail as its reader sees it, without its technical parts."""
    head, body = data.decode().split("\r\n\r\n", 1)
    print(f"   in   | MAIL FROM:<{sender}> RCPT TO:<{recipient}>")
    for line in head.split("\r\n"):
        if line.split(":")[0] in ("Authentication-Results", "From", "Subject", "List-Id",
                                  "Auto-Submitted"):
            print(f"        | {line if len(line) < 90 else line[:87] + '...'}")
    print("        |")
    for line in [l for l in body.split("\r\n") if l][:14]:
        print(f"        | {line}")


def describe(contact):
    fields = contact["customFields"]
    more = [f"phone {contact['phone'] or '-'}"]
    if fields.get(str(JOB_TITLE)):
        more.append(f"job title {fields[str(JOB_TITLE)]}")
    if fields.get(str(MOBILE)):
        more.append(f"mobile {fields[str(MOBILE)]}")
    if contact["groups"]:
        more.append(f"groups {', '.join(map(str, contact['groups']))}")
    return (f"#{contact['id']} {contact['firstName']} {contact['lastName']} "
            f"<{contact['email']}>: status {contact['status']} "
            f"({STATUS.get(contact['status'], '?')}), " + ", ".join(more))


class Demo:
    def __init__(self, world):
        self.world, self.api, self.postfix = world, world.api, world.postfix
        self.sent, self.right, self.total = [], 0, 0

    def step(self, title, sender, recipient, data, expected, delivered=True, **client):
        """`expected` looks at the contacts and says whether they are right."""
        self.total += 1
        print(bold(f"\n{self.total}. {title}"))
        show_mail(data, sender, recipient)
        calls = self.api.calls()
        client.setdefault("name", "mx.client.example")
        began = time.monotonic()
        queue_id = self.postfix.send(sender, recipient, data, **client)
        if delivered:
            self.sent.append(data)
        try:
            wait_for(lambda: expected(self.contacts()), WITHIN)
            self.world.settle()
            right = expected(self.contacts())
        except AssertionError:
            right = False
        seconds = time.monotonic() - began
        print(f"   Postfix took it as {queue_id}; {self.api.calls() - calls} API calls; "
              f"{seconds:.1f} s")
        for contact in self.api.control("dump")["contacts"]:
            print(f"   out  > {describe(contact)}")
        print("   " + (bold("as it should be") if right else bold("WRONG")))
        self.right += right

    def contacts(self):
        return {c["email"]: c for c in self.api.control("dump")["contacts"]}

    def delivered_unchanged(self):
        def count():
            got = [m.original() for m in self.postfix.sink.messages]
            return sum(data in got for data in self.sent)
        try:
            wait_for(lambda: count() == len(self.sent), WITHIN)
        except AssertionError:
            pass
        print(bold(f"\n{count()} of {len(self.sent)} mails were delivered, byte for byte "
                   "as they were sent"))
        return count() == len(self.sent)

    def run(self):
        ann = "ann.sample@client.example"
        bob, gone = "bob@client.example", "gone.carol@client.example"
        dora = "dora@client.example"
        self.api.control("seed", {"contacts": [
            {"firstName": "Bob", "lastName": "Known", "email": bob, "status": 1},
            {"firstName": "Carol", "lastName": "Known", "email": gone, "status": 1},
            {"firstName": "Dora", "lastName": "Known", "email": dora, "status": 1}]})
        print(bold("\nThe CRM has three contacts:"))
        for contact in self.api.control("dump")["contacts"]:
            print(f"   {describe(contact)}")

        first = signature_mail("Ann", "Sample", ann)
        self.step("A person who is not in the CRM writes to us, with a signature",
                  ann, OFFICE, first,
                  lambda c: ann in c and c[ann]["status"] == 5
                  and c[ann]["customFields"].get(str(JOB_TITLE)) == "Head of Sales")
        known = self.contacts()[ann] if ann in self.contacts() else None
        self.step("She writes again: nothing is new, the API is not called",
                  ann, OFFICE, signature_mail("Ann", "Sample", ann),
                  lambda c: c.get(ann) == known)
        self.step("Somebody forges her address, with a phone number of his own "
                  "(dmarc=fail)", ann, OFFICE,
                  signature_mail("Ann", "Sample", ann, auth="fail",
                                 mobile="+61 499 666 666"),
                  lambda c: c.get(ann) == known, name="dsl.elsewhere.example")
        self.step("Mail of a mailing list", "talk-bounces@lists.example", OFFICE,
                  signature_mail("Eve", "Lister", "eve@lists.example",
                                 headers=["List-Id: <talk.lists.example>",
                                          "Precedence: list"]),
                  lambda c: "eve@lists.example" not in c)
        self.step("Another server reports that our newsletter to Bob failed for good",
                  "", NEWS, remote_dsn(bob), lambda c: c[bob]["status"] == 3)
        self.step("Our newsletter to Carol: the next server refuses her address, and "
                  "this Postfix writes the report itself", NEWS, gone,
                  mail(NEWS, to=gone, subject="Our news", auth=None,
                       body="Our spring offer!\r\n"),
                  lambda c: c[gone]["status"] == 3, delivered=False,
                  client="127.0.0.1", name="localhost")
        self.step("Dora answers the newsletter: she wants no more of it", dora, NEWS,
                  mail(dora, to=NEWS, name="Dora Known", subject="Re: Our news",
                       body="Please take me off your mailing list.\r\n\r\nDora\r\n\r\n"
                       "On Mon, 2 Mar 2026 at 09:00, News <news@ours.example> wrote:\r\n"
                       "> Our spring offer!\r\n> To unsubscribe, click here.\r\n"),
                  lambda c: c[dora]["status"] == 2)
        self.step("A bounce for Dora changes nothing: her own wish counts more", "", NEWS,
                  remote_dsn(dora), lambda c: c[dora]["status"] == 2)
        return self.delivered_unchanged()


def main():
    began = time.monotonic()
    print("== starting the stand-in API, contact-milter and a private Postfix")
    world = World()
    try:
        world.start()
        print(f"   everything is below {world.base} and is removed at the end")
        demo = Demo(world)
        unchanged = demo.run()
    except BaseException:
        print(world.daemon.log() if os.path.exists(world.daemon.log_path) else "")
        print(world.postfix.read_log())
        raise
    finally:
        world.stop()
    print(bold(f"{demo.right} of {demo.total} samples came out as they should "
               f"({time.monotonic() - began:.0f} s)"))
    return 0 if unchanged and demo.right == demo.total else 1


if __name__ == "__main__":
    sys.exit(main())
