"""The admin's tool, through the real program: what it prints, what it leaves in
the store, how it exits."""

import json
import mailbox
import os
import pty
import re
import signal
import subprocess
import time
import unittest

from postfix import OUR_DOMAIN, wait_for
from world import AUTHSERV, BUILD, SEED, USER, World, mail, remote_dsn, signature_mail

CTL = os.path.join(BUILD, "contactctl")
NEWS = "news@" + OUR_DOMAIN
STATUS = {"inbox", "pending", "held", "dead", "contacts", "oldest_pending_s", "paused",
          "last_success", "last_error"}


def stored(data, day=2):
    """As a mailbox has it: with the Received: field of our own server on top."""
    return (f"Received: from mx.client.example (mx.client.example [198.51.100.7])\r\n"
            f"\tby {AUTHSERV} with ESMTPS id 4b; Mon, {day} Mar 2026 10:00:01 +0000\r\n"
            ).encode() + re.sub(rb"Date: .*\r\n",
                                f"Date: Mon, {day} Mar 2026 10:00:00 +0000\r\n".encode(), data)


class Base(unittest.TestCase):
    SYNC = False  # with the stand-in and the daemon's role sync?

    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.stop)
        self.daemon = self.world.daemon
        self.folder = os.path.join(self.world.base, "mail")
        os.makedirs(self.folder)

    def ctl(self, *arguments, data=None, env=None):
        return subprocess.run([CTL, "-c", self.daemon.config, *arguments], timeout=60,
                              input=data, capture_output=True, check=False,
                              env={"PATH": "/usr/bin:/bin", "TZ": "UTC", **(env or {}),
                                   **self.daemon.passed_on()})

    def people(self, count, day=2):
        result = []
        for _ in range(count):
            first, last, address = self.world.person()
            result.append((address, stored(signature_mail(first, last, address), day)))
        return result

    def inbox(self):
        return json.loads(self.ctl("status", "--json").stdout)["inbox"]

    def synced(self):
        """Lets the sync role work on what is there."""
        self.world.api.start(SEED)
        self.daemon.start("--role", "sync")
        self.world.settle()


class Import(Base):
    def maildir(self, mails):
        box = mailbox.Maildir(os.path.join(self.folder, "Maildir"))
        for _, data in mails:
            box.add(data.replace(b"\r\n", b"\n"))
        return os.path.join(self.folder, "Maildir")

    def test_maildir_and_mbox(self):
        people = self.people(3)
        path = self.maildir(people + [
            ("", stored(remote_dsn("bob@client.example"))),
            ("", stored(mail("tom@client.example", to=NEWS, subject="unsubscribe",
                             body="Please unsubscribe me.\r\n"))),
            ("", stored(mail("eve@lists.example", headers=["List-Id: <a.lists.example>"])))])
        mbox = mailbox.mbox(os.path.join(self.folder, "mbox"))
        more = self.people(2)
        for _, data in more:
            mbox.add(data.replace(b"\r\n", b"\n"))
        mbox.close()

        dry = self.ctl("import", "--dry-run", path, os.path.join(self.folder, "mbox"))
        self.assertEqual((dry.returncode, self.inbox()), (0, 0), dry.stderr)
        done = self.ctl("import", path, os.path.join(self.folder, "mbox"))
        self.assertEqual(done.returncode, 0, done.stderr)
        for output in (dry.stdout.decode(), done.stdout.decode()):
            for row in (r"messages read +8", r"people +5", r"bounces +1",
                        r"requests to be unsubscribed +1", r"ignored: list +1"):
                self.assertRegex(output, row)
        self.assertNotIn(b"\r", done.stderr)  # no bar where no terminal is
        self.assertNotIn(b"\033", done.stdout + done.stderr)
        # A second time: nothing is repeated.
        again = self.ctl("import", path, os.path.join(self.folder, "mbox")).stdout.decode()
        self.assertRegex(again, r"messages read +0")
        self.assertRegex(again, r"skipped.* 8\b")
        self.synced()
        for address, _ in people + more:
            self.assertIsNotNone(self.world.api.contact(address), address)

    def test_since(self):
        path = self.maildir(self.people(2, day=2) + self.people(1, day=9))
        done = self.ctl("import", "--since", "2026-03-05", path)
        self.assertRegex(done.stdout.decode(), r"people +1\b")
        self.assertEqual(self.ctl("import", "--since", "soon", path).returncode, 64)
        self.assertEqual(self.ctl("import").returncode, 64)
        self.assertEqual(self.ctl("import", "/nonexistent").returncode, 66)

    def test_terminal_and_interrupt(self):
        """A bar on a terminal; Ctrl-C; the same command does the rest."""
        one = self.people(1)[0][1].replace(b"\r\n", b"\n")
        path, count = os.path.join(self.folder, "mbox"), 6000
        with open(path, "wb") as f:
            for i in range(count):
                f.write(b"From x Mon Mar  2 10:00:00 2026\n"
                        + one.replace(b"ann.", f"ann{i}.".encode()) + b"\n")
        master, slave = pty.openpty()
        process = subprocess.Popen([CTL, "-c", self.daemon.config, "import", path],
                                   stdin=slave, stdout=slave, stderr=slave,
                                   start_new_session=True)
        os.close(slave)
        seen = b""
        while b"%" not in seen:
            seen += os.read(master, 4096)
        process.send_signal(signal.SIGINT)
        try:
            while True:
                seen += os.read(master, 4096)
        except OSError:
            pass  # its end is closed
        os.close(master)
        self.assertEqual(process.wait(20), 130)
        text = seen.decode()
        self.assertRegex(text, r"\r\[[#.]+\] +\d+ % \d+/6000 \d+/s ETA \d+:\d\d:\d\d")
        self.assertIn("the same command goes on from here", text)
        first = int(re.search(r"messages read +(\d+)", text).group(1))
        self.assertLess(first, count)
        rest = self.ctl("import", path).stdout.decode()
        self.assertRegex(rest, rf"messages read +{count - first}\b")
        self.assertEqual(self.inbox(), count)


class Ingest(Base):
    def test_sysexits(self):
        address, data = self.people(1)[0]
        self.assertEqual(self.ctl("ingest", "--from", address, data=data).returncode, 0)
        self.assertEqual(self.inbox(), 1)
        # Root made the databases; the daemon, another user, can use them.
        for name in ("spool.db", "contacts.db"):
            self.assertIn(os.stat(f"{self.daemon.state}/{name}").st_uid, [self.daemon.uid], name)
        self.assertEqual(self.ctl("ingest", data=b"").returncode, 0)
        self.assertEqual(self.ctl("ingest", "surplus", data=data).returncode, 64)
        self.assertEqual(self.ctl("ingest", "--nonsense", data=data).returncode, 64)
        self.daemon.configure(store={"spool": "/nonexistent/spool.db"})
        self.assertEqual(self.ctl("ingest", data=data).returncode, 75)
        self.daemon.configure(mta={"nonsense": "yes"})
        self.assertEqual(self.ctl("ingest", data=data).returncode, 78)

    def test_null_sender(self):
        """Each way of writing it; a report that names us is evidence."""
        for sender in ("", "<>", "MAILER-DAEMON", "<MAILER-DAEMON>"):
            before = self.inbox()
            done = self.ctl("ingest", "--from", sender, "--to", NEWS,
                            data=stored(remote_dsn(f"bob{before}@client.example")))
            self.assertEqual((done.returncode, self.inbox()), (0, before + 1), sender)
        self.world.api.start(dict(SEED, contacts=[
            {"firstName": "Bob", "lastName": "K", "email": f"bob{i}@client.example",
             "status": 1} for i in range(4)]))
        self.daemon.start("--role", "sync")
        for i in range(4):
            self.world.wait_contact(f"bob{i}@client.example", status=3)


class Queue(Base):
    def listed(self):
        return {e["email"]: e for e in map(json.loads, self.ctl(
            "queue", "list", "--json").stdout.splitlines())}

    def test_queue(self):
        """Held requests are released or dropped; dead ones are tried again."""
        self.daemon.configure(trust={"status_limit": "1"})
        self.world.api.start(SEED)
        api = self.world.api
        people = [f"p{i}@client.example" for i in range(4)]
        api.control("seed", {"contacts": [{"firstName": "P", "lastName": "Q", "email": p,
                                           "status": 1} for p in people]})
        people.append("stranger@client.example")  # the CRM does not have
        for p in people:
            self.assertEqual(self.ctl("ingest", "--from", p, data=stored(mail(
                p, to=NEWS, subject="unsubscribe",
                body="Please unsubscribe me from your mailing list.\r\n"))).returncode, 0)
        self.daemon.start("--role", "sync")
        held = wait_for(lambda: (lambda h: len(h) == 4 and h)(
            [e for e in self.listed().values() if e["state"] == "held"]), 10, "held")
        a, b = [e["email"] for e in held if e["email"] != people[-1]][:2]
        self.assertEqual(set(held[0]), {"email", "state", "wants", "reason", "trust",
                                        "attempts", "since", "due"})
        shown = self.ctl("queue", "show", a).stdout.decode()
        self.assertRegex(shown, r"state +held")
        self.assertIn("more than 1 status changes from client.example", shown)
        for line in self.ctl("queue", "show", a, "--json").stdout.splitlines():
            json.loads(line)
        self.assertIn("1 released", self.ctl("queue", "release", a).stdout.decode())
        self.world.wait_contact(a, status=2)
        self.assertIn("1 dropped", self.ctl("queue", "drop", b).stdout.decode())
        self.assertNotIn(b, self.listed())
        time.sleep(0.5)
        self.world.wait_contact(b, status=1)
        self.assertIn("1 released", self.ctl("queue", "release", people[-1]).stdout.decode())
        wait_for(lambda: b"unknown = ignore" in self.ctl("queue", "show", people[-1]).stdout,
                 10, "word of it")
        self.assertRegex(self.daemon.log(),
                         rf"contact={people[-1]} not in the CRM: .*unknown = ignore")
        nobody = "nobody@client.example"
        for action in ("release", "drop", "show", "retry"):
            self.assertEqual(self.ctl("queue", action, nobody).returncode, 1, action)
        for wrong in (("queue", "release"), ("queue", "frobnicate"), ("queue", "list", "a", "b")):
            self.assertEqual(self.ctl(*wrong).returncode, 64, wrong)
        self.assertEqual(self.ctl("flush").returncode, 0)

    def test_status(self):
        got = json.loads(self.ctl("status", "--json").stdout)
        self.assertEqual(set(got), STATUS)
        self.assertEqual(got, {**got, "inbox": 0, "pending": 0, "held": 0, "dead": 0,
                               "contacts": 0, "oldest_pending_s": 0, "paused": None,
                               "last_success": None, "last_error": None})

    def test_forget(self):
        address, data = self.people(1)[0]
        self.ctl("ingest", data=data)
        done = self.ctl("forget", address.upper())
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(b"erased 1 observations from the spool", done.stdout)
        self.assertEqual((self.inbox(), self.ctl("forget", address).returncode), (0, 1))
        self.ctl("ingest", data=data)
        self.synced()
        shown = self.ctl("queue", "show", address)
        self.assertEqual(shown.returncode, 0)
        self.assertRegex(shown.stdout.decode(), r"known from mail:\n +email +" + address)
        self.assertNotIn(b'"v"', shown.stdout)
        done = self.ctl("forget", address)
        self.assertIn(b"CRM itself was not touched", done.stdout)
        self.assertEqual(self.ctl("queue", "show", address).returncode, 1)
        self.assertEqual(self.daemon.status()["contacts"], 0)
        with open(f"{self.daemon.state}/contacts.db", "rb") as f:
            self.assertNotIn(address.encode(), f.read())
        self.assertEqual(self.ctl("forget", "nobody").returncode, 64)

    def test_json(self):
        """What acts tells in JSON, too, what it did."""
        address, data = self.people(1)[0]
        path = os.path.join(self.folder, "one.eml")
        with open(path, "wb") as f:
            f.write(data)

        def told(*arguments):
            lines = self.ctl(*arguments, "--json").stdout.splitlines()
            self.assertEqual(len(lines), 1, arguments)
            return json.loads(lines[0])
        counts = {"messages": 1, "skipped": 0, "unreadable": 0, "people": 1, "bounces": 0,
                  "unsubscribes": 0, "unsure": 0, "sent": 0, "ignored": {}, "not_taken": {},
                  "interrupted": False}
        self.assertEqual(told("import", "--dry-run", path), counts)
        self.assertEqual(told("import", path), counts)
        self.assertEqual(told("import", path), {**counts, "messages": 0, "people": 0,
                                                "skipped": 1})
        self.assertEqual(told("flush"), {"pending": 0})
        self.assertEqual(told("queue", "retry"), {"changed": 0})
        self.assertEqual(told("forget", address),
                         {"email": address, "spool": 1, "store": 0})


class Check(Base):
    def failures(self):
        done = self.ctl("check", "--json")
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        failed = [line["check"] for line in lines if not line["ok"]
                  and not line["check"].startswith(("socket", "milter", "sync: ", "Postfix"))]
        self.assertTrue(all(set(line) == {"ok", "check"} for line in lines), lines)
        return failed

    def test_check(self):
        """Broken one by one: each is named, alone."""
        self.world.api.start(SEED)
        self.assertEqual(self.failures(), [])
        plain = self.ctl("check").stdout
        self.assertNotIn(b"\033", plain)
        cases = [
            ("secret|signature", {}, lambda: self.write_secret("wrong\n"),
             lambda: self.write_secret("test-secret\n")),
            ("999", {"custom_fields": {"job_title": "999"}}, None, None),
            ("clock", {}, lambda: self.world.api.control("set", {"clock_skew": 7200}),
             lambda: self.world.api.control("set", {"clock_skew": 0})),
            ("local_domains", {"mta": {"local_domains": None}}, None, None),
            ("spool", {"store": {"spool": "/nonexistent/spool.db"}}, None, None),
            ("trust", {"trust": {"authserv_ids": None}}, None, None),
            ("4242", {"contact": {"groups": "4242"}}, None, None),
        ]
        for words, settings, break_it, mend in cases:
            with self.subTest(words):
                self.daemon.configure(**settings)
                if break_it:
                    break_it()
                failed = self.failures()
                self.assertTrue(failed)
                self.assertRegex(" ".join(failed), words)
                self.daemon.configure()
                if mend:
                    mend()
                self.assertEqual(self.failures(), [])
        os.chmod(self.daemon.secret, 0o644)
        self.assertRegex(" ".join(self.failures()), "secret.*(0600|readable|others)")
        os.chmod(self.daemon.secret, 0o600)
        self.world.api.stop()
        self.assertRegex(" ".join(self.failures()), f"{self.world.api.port}|connect|reach")

    def test_running(self):
        """The daemon is not there, is there, and cannot read its secret."""
        def lines():
            done = self.ctl("check", "--json")
            return [json.loads(line)["check"] for line in done.stdout.splitlines()]
        self.world.api.start(SEED)
        self.assertIn("milter: not running; `systemctl start contact-milter`, and `journalctl "
                      "-u contact-milter` if it does not stay", lines())
        self.daemon.start()
        there = lines()
        for part in ("milter", "sync"):
            self.assertIn(f"{part}: running, process {self.daemon.process.pid}", there)
        os.chown(self.daemon.secret, 0, 0)
        self.assertRegex("\n".join(lines()), r"secret_file: \S+ cannot be read by the daemon's "
                         rf"user {USER}; `chown {USER} ")

    def test_secret_beside(self):
        """What systemd hands to the daemon is found by the tool as well."""
        self.world.api.start(SEED)
        self.daemon.configure(api={"secret_file": None})
        beside = os.path.join(self.world.base, "api-secret")
        self.assertRegex(" ".join(self.failures()), rf"is required.*or make {beside}")
        os.rename(self.daemon.secret, beside)
        self.assertEqual(self.failures(), [])
        os.chmod(beside, 0o640)
        self.assertRegex(" ".join(self.failures()), "can be read by others")

    def write_secret(self, text):
        with open(self.daemon.secret, "w", encoding="ascii") as f:
            f.write(text)

    def test_token(self):
        key = os.path.join(self.world.base, "token-key")
        with open(key, "w", encoding="ascii") as f:
            f.write("0123456789abcdef0123456789abcdef\n")
        os.chmod(key, 0o600)
        os.chown(key, self.daemon.uid, -1)
        self.assertNotEqual(self.ctl("token", "ann@client.example").returncode, 0)
        self.daemon.configure(unsubscribe={"token_secret_file": key})
        done = self.ctl("token", "ann@client.example")
        self.assertEqual(done.returncode, 0, done.stderr)
        link = done.stdout.decode().strip()
        self.assertRegex(link, rf"^<?mailto:unsubscribe\+\S+@{OUR_DOMAIN}\?subject=unsubscribe>?$")
        to = re.search(r"mailto:([^?]+)", link).group(1)
        self.ctl("ingest", "--from", "ann@elsewhere.example", "--to", to, data=stored(
            mail("ann@elsewhere.example", to=to, subject="unsubscribe", body="\r\n")))
        self.world.api.start(dict(SEED, contacts=[
            {"firstName": "Ann", "lastName": "K", "email": "ann@client.example", "status": 1}]))
        self.daemon.start("--role", "sync")
        self.world.wait_contact("ann@client.example", status=2)


if __name__ == "__main__":
    unittest.main()
