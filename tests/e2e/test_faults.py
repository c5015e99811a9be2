"""Never in the way: whatever is broken, mail is accepted and not held up."""

import contextlib
import glob
import os
import socket
import sqlite3
import subprocess
import threading
import time
import unittest
import urllib.request

from postfix import HOST, OUR_DOMAIN, SLOW, free_port, wait_for
from world import World, mail, signature_mail

OFFICE = "office@" + OUR_DOMAIN
WAIT = 0.2  # [store] wait
SLACK = 0.5 * SLOW  # what a busy machine adds to an SMTP transaction
RESOLVER = "127.0.0.153"  # port 53 of it: nobody's but this test's
FAKETIME = (glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1") or [None])[0]

# Starts the daemon with a resolv.conf of its own.
OWN_RESOLVER = """#!/bin/sh
[ -n "$INSIDE" ] || INSIDE=1 exec unshare --mount --propagation private "$0" "$@"
mount --bind {base}/resolv.conf /etc/resolv.conf
exec setpriv --reuid {uid} --regid {gid} --clear-groups {binary} "$@"
"""


class NameServer:
    """Hears every question, and answers none, until `answering`: then each
    TXT record is an SPF record that lets one address pass."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((RESOLVER, 53))
        self.answering, self.asked = False, 0
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        text = b"v=spf1 ip4:198.51.100.7 -all"
        rdata = bytes([len(text)]) + text
        while True:
            try:
                question, peer = self.socket.recvfrom(4096)
            except OSError:
                return
            if not question:
                return
            self.asked += 1
            if not self.answering:
                continue
            end = question.index(b"\0", 12) + 5  # the name, its type and class
            is_text = question[end - 4:end - 2] == b"\0\x10"
            answer = (b"\xc0\x0c\0\x10\0\1\0\0\0\x3c" + len(rdata).to_bytes(2, "big")
                      + rdata) if is_text else b""
            header = (question[:2] + b"\x81\x80\0\1" + bytes([0, 1 if is_text else 0])
                      + b"\0\0\0\0")
            self.socket.sendto(header + question[12:end] + answer, peer)

    def close(self):
        self.socket.sendto(b"", (RESOLVER, 53))
        self.thread.join(5)
        self.socket.close()


class Faults(unittest.TestCase):
    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.stop)
        self.daemon, self.postfix, self.api = (self.world.daemon, self.world.postfix,
                                               self.world.api)

    def send(self, count, **options):
        """New people's mails on one connection; addresses, slowest transaction."""
        addresses, slowest = [], 0.0
        with self.postfix.connect(name="mx.client.example") as smtp:
            for _ in range(count):
                first, last, address = self.world.person()
                began = time.monotonic()
                self.postfix.transfer(smtp, address, [OFFICE],
                                      signature_mail(first, last, address, **options))
                slowest = max(slowest, time.monotonic() - began)
                addresses.append(address)
        return addresses, slowest

    def assert_prompt(self, slowest):
        """Accepted in time, and the daemon is there."""
        self.assertLess(slowest, WAIT + SLACK)
        self.assertIsNone(self.daemon.process.poll())

    def assert_arrive(self, addresses, seconds=40):
        wait_for(lambda: {c["email"] for c in self.api.control("dump")["contacts"]}
                 >= set(addresses), seconds, "all contacts", every=0.2)

    def test_spool_locked(self):
        """Another process holds the spool's write lock."""
        self.world.start()
        self.send(1)
        other = sqlite3.connect(f"{self.daemon.state}/spool.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        addresses, slowest = self.send(10)
        other.execute("ROLLBACK")
        other.close()
        self.assert_prompt(slowest)
        self.assertIn("wait in memory", self.daemon.log())
        self.assert_arrive(addresses)

    def test_overflow(self):
        """More than the memory queue holds: counted, and logged by queue ID."""
        port = free_port()
        self.daemon.configure(metrics={"listen": f"{HOST}:{port}"})
        self.world.start()
        self.send(1)
        group = "Final-Recipient: rfc822; a{}@client.example\r\nAction: failed\r\n" \
                "Status: 5.1.1\r\n\r\n"
        groups = "".join(group.format(i) for i in range(500))
        report = mail("mailer-daemon@client.example", to="news@" + OUR_DOMAIN, auth=None,
                      subject="Undelivered Mail Returned to Sender",
                      body="--b1\r\n\r\nfailed\r\n--b1\r\n"
                      "Content-Type: message/delivery-status\r\n\r\n"
                      f"Reporting-MTA: dns; mx.client.example\r\n\r\n{groups}--b1--\r\n",
                      headers=["Content-Type: multipart/report; "
                               "report-type=delivery-status; boundary=b1"])
        other = sqlite3.connect(f"{self.daemon.state}/spool.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        ids, slowest = [], 0.0
        with self.postfix.connect(name="mx.client.example") as smtp:
            for _ in range(22):  # 500 observations each, and 10,000 are kept
                began = time.monotonic()
                ids.append(self.postfix.transfer(smtp, "", ["news@" + OUR_DOMAIN], report))
                slowest = max(slowest, time.monotonic() - began)
        other.execute("ROLLBACK")
        other.close()
        self.assert_prompt(slowest)
        lost = [number for number in ids if f"{number}: lost 500 observations" in
                self.daemon.log()]
        self.assertEqual(lost, ids[20:])
        with urllib.request.urlopen(f"http://{HOST}:{port}/metrics") as answer:
            text = answer.read().decode()
        self.assertIn('contact_milter_observations_total{result="lost"} 1000\n', text)
        wait_for(lambda: "spool: written again" in self.daemon.log(), 10, "writing")
        self.assert_arrive(self.send(3)[0], 60)

    def test_store_locked(self):
        """The contacts are locked: the spool takes it all, and later it is sent."""
        self.world.start()
        self.send(1)
        self.world.settle()
        other = sqlite3.connect(f"{self.daemon.state}/contacts.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        addresses, slowest = self.send(10)
        time.sleep(3)
        other.execute("ROLLBACK")
        other.close()
        self.assert_prompt(slowest)
        self.assert_arrive(addresses)

    def test_disk_full(self):
        """A small tmpfs that is full to the last byte; then there is room again."""
        small = self.daemon.state
        options = f"size=4m,uid={self.daemon.uid},gid={self.daemon.gid},mode=0700"
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", small],
                              capture_output=True, check=False)
        if done.returncode != 0:
            self.skipTest("no right to mount a tmpfs here")
        self.addCleanup(subprocess.run, ["umount", "-l", small], check=True)
        self.world.start()
        before, _ = self.send(1)
        self.world.wait_contact(before[0])
        filler = os.path.join(small, "filler")
        with contextlib.suppress(OSError), open(filler, "wb", buffering=0) as f:
            while True:
                f.write(bytes(4096))
        addresses, slowest = self.send(30)
        self.assert_prompt(slowest)
        os.unlink(filler)
        self.assert_arrive(addresses)
        self.daemon.stop()

    def test_spool_folder_not_writable(self):
        """From the start, as after a wrong chown; then it is mended."""
        self.api.start()
        self.postfix.start()
        os.chown(self.daemon.state, 0, 0)
        os.chmod(self.daemon.state, 0o755)
        # The lock files are there from the last run; the spool is not.
        for name in ("spool.db.mta.lock", "spool.db.sync.lock"):
            path = os.path.join(self.daemon.state, name)
            with open(path, "w", encoding="ascii"):
                os.chown(path, self.daemon.uid, self.daemon.gid)
        self.daemon.start()
        addresses, slowest = self.send(10)
        self.assert_prompt(slowest)
        self.assertIn("mail goes on, findings wait in memory", self.daemon.log())
        os.chown(self.daemon.state, self.daemon.uid, self.daemon.gid)
        self.assert_arrive(addresses)

    def test_folder_becomes_unwritable(self):
        """While it runs: what is open goes on, and nobody notices."""
        self.world.start()
        before, _ = self.send(1)
        self.world.wait_contact(before[0])
        os.chown(self.daemon.state, 0, 0)
        addresses, slowest = self.send(5)
        self.assert_prompt(slowest)
        os.chown(self.daemon.state, self.daemon.uid, self.daemon.gid)
        self.assert_arrive(addresses)

    def test_api_hangs(self):
        """It takes the connection and says nothing."""
        self.world.start()
        self.api.control("set", {"latency_ms": 60000})
        first, _ = self.send(1)
        time.sleep(1)
        addresses, slowest = self.send(20)
        self.assert_prompt(slowest)
        self.api.stop()
        self.api.start()
        self.daemon.ctl("flush")
        self.assert_arrive(first + addresses, 60)

    def test_dns_hangs(self):
        """SPF is asked for, and nobody answers: mail does not notice, and what
        needs no DNS goes on, too. Later DNS answers, and its word counts."""
        probe = subprocess.run(["unshare", "--mount", "--propagation", "private", "mount",
                                "--bind", "/etc/resolv.conf", "/etc/resolv.conf"],
                               capture_output=True, check=False)
        if probe.returncode != 0:
            self.skipTest("no right to mount a resolv.conf here")
        server = NameServer()
        self.addCleanup(server.close)
        with open(f"{self.world.base}/resolv.conf", "w", encoding="ascii") as f:
            f.write(f"nameserver {RESOLVER}\n")
        starter = f"{self.world.base}/start"
        with open(starter, "w", encoding="ascii") as f:
            f.write(OWN_RESOLVER.format(base=self.world.base, uid=self.daemon.uid,
                                        gid=self.daemon.gid, binary=self.daemon.binary))
        os.chmod(starter, 0o755)
        self.daemon.configure(trust={"spf": "yes"})
        self.daemon.binary, self.daemon.uid, self.daemon.gid = starter, 0, 0
        self.world.start()
        unanswered, slowest = self.send(5, auth=None)
        self.assert_prompt(slowest)
        wait_for(lambda: server.asked > 0, 10, "a question")
        believed, slowest = self.send(5)
        self.assert_prompt(slowest)
        self.assert_arrive(believed, 60)
        self.assertEqual(self.api.contacts(unanswered[0]), [])
        self.assertGreaterEqual(self.daemon.status()["inbox"], 5)
        server.answering = True
        self.assert_arrive(self.send(1, auth=None)[0], 60)

    def test_clock_jumps(self):
        """A day ahead, then two days back, with the API away meanwhile."""
        if FAKETIME is None or self.daemon.passed_on():
            self.skipTest("needs libfaketime (faketime), and a build without sanitizers")
        path = f"{self.world.base}/clock"

        def jump(offset):
            with open(path + "-new", "w", encoding="ascii") as f:
                f.write(offset + "\n")
            os.rename(path + "-new", path)

        jump("+0d")
        self.api.start()
        self.postfix.start()
        self.daemon.start(env={"LD_PRELOAD": FAKETIME, "FAKETIME_NO_CACHE": "1",
                               "FAKETIME_TIMESTAMP_FILE": path, "FAKETIME_DONT_RESET": "1",
                               "FAKETIME_DONT_FAKE_MONOTONIC": "1"})
        self.assert_arrive(self.send(1)[0])
        jump("+1d")
        addresses, slowest = self.send(5)
        self.assert_prompt(slowest)
        self.assert_arrive(addresses)
        # What has to wait is told to wait until tomorrow.
        self.api.stop()
        waiting, slowest = self.send(5)
        self.assert_prompt(slowest)
        wait_for(lambda: self.daemon.status()["last_error"], 10, "a failed call")
        jump("-1d")
        addresses, slowest = self.send(5)
        self.assert_prompt(slowest)
        wait_for(lambda: "the clock was set back by" in self.daemon.log(), 10, "the jump is seen")
        self.api.start()
        self.assert_arrive(waiting + addresses, 60)

    def test_damaged_contacts(self):
        """The same for the contacts: set aside at start, mail flows, and what
        it held comes back by the command that the log names."""
        self.world.start()
        before, _ = self.send(3)
        self.assert_arrive(before)
        self.world.settle()
        self.daemon.stop()
        path = f"{self.daemon.state}/contacts.db"
        with open(path, "r+b") as f:
            f.write(os.urandom(100))
        self.daemon.start()
        addresses, _ = self.send(1)
        self.world.wait_contact(addresses[0])
        self.assertTrue([n for n in os.listdir(self.daemon.state)
                         if n.startswith("contacts.db.damaged-")])
        self.assertRegex(self.daemon.log(), r"contacts store .* was damaged .*contactctl migrate")

    def test_damaged_spool(self):
        """Set aside at start; a new one is begun, and the log says so."""
        self.api.start()
        spool = f"{self.daemon.state}/spool.db"
        with open(spool, "wb") as f:
            f.write(b"SQLite format 3\0" + os.urandom(8192))
        os.chown(spool, self.daemon.uid, self.daemon.gid)
        self.daemon.start()
        self.postfix.start()
        addresses, _ = self.send(1)
        self.world.wait_contact(addresses[0])
        self.assertTrue([n for n in os.listdir(self.daemon.state) if ".damaged-" in n])
        self.assertIn("damaged", self.daemon.log())

    def test_out_of_descriptors(self):
        """More sessions than descriptors. Who is in is served as ever; who is
        not waits as long as the mail server's time limit says, and is accepted.
        When they are gone, work goes on."""
        self.postfix.configure(self.world.milter, "milter_connect_timeout = 2s\n"
                               "milter_command_timeout = 2s\n")
        self.api.start()
        self.daemon.start(descriptors=80)
        self.postfix.start()
        first, last, inside = self.world.person()
        clients = []
        with self.postfix.connect(name="mx.client.example") as smtp:
            smtp.mail(inside)  # its session is open
            for _ in range(120):
                client = socket.socket(socket.AF_UNIX)
                client.settimeout(2)
                client.connect(self.daemon.socket.removeprefix("unix:"))
                clients.append(client)
            time.sleep(1)
            smtp.rcpt(OFFICE)
            began = time.monotonic()
            code, _ = smtp.data(signature_mail(first, last, inside))
            self.assertEqual(code, 250)
            self.assert_prompt(time.monotonic() - began)
        began = time.monotonic()
        _, slowest = self.send(1)
        self.assert_prompt(slowest)
        self.assertLess(time.monotonic() - began, 8)  # connect and negotiate
        for client in clients:
            client.close()
        addresses, _ = self.send(5)
        self.assert_arrive(addresses + [inside])

    def test_daemon_away(self):
        """Not started at all: default_action=accept."""
        self.postfix.start()
        addresses, slowest = self.send(3)
        self.assertEqual(len(addresses), 3)
        self.assertLess(slowest, 2)

    def test_hostile_mail(self):
        """Bombs and damage: accepted, delivered, and the next mail works."""
        self.world.start()
        head = (b"From: x@client.example\r\nTo: office@ours.example\r\n"
                b"Date: Mon, 2 Mar 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n")
        html = b"Content-Type: text/html; charset=utf-8\r\n\r\n"
        multi = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
        bombs = {
            "parts": multi + b"--b\r\n\r\n" * 40000 + b"--b--\r\n",
            "nested": b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n"
                               % (i, i) for i in range(3000)),
            "divs": html + b"<div>\r\n" * 100000,
            "tables": html + b"<table><tr><td>\r\n" * 20000,
            "encoded words": b"Subject: " + b"=?utf-8?q?=61?=\r\n " * 3500 + b"x\r\n\r\nhi\r\n",
            "digits": b"\r\n-- \r\n" + b"12345 67890 12345\r\n" * 12000,
            "charset": b"Content-Type: text/plain; charset=no-such\r\n\r\n\xff\xfe\x80\r\n",
            "base64": b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\nAAA",
            "2231": b"Content-Type: text/plain;\r\n" + b"".join(
                b" name*%d*=%%41;\r\n" % i for i in range(3000)) + b" x=y\r\n\r\nhi\r\n",
            "quotes": b"\r\n" + b"> " * 400 + b"\r\n" + b">\r\n" * 50000,
            "spaces": b"\r\n" + (b" " * 900 + b"\r\n") * 300,
        }
        for name, body in bombs.items():
            with self.subTest(name):
                if not body.endswith(b"\r\n"):
                    body += b"\r\n"
                began = time.monotonic()
                self.postfix.send("x@client.example", OFFICE, head + body)
                self.assertLess(time.monotonic() - began, 5)
                self.assertIsNone(self.daemon.process.poll())
        addresses, _ = self.send(1)
        self.world.wait_contact(addresses[0])
        self.assertLess(self.daemon.memory(), 160e6)


if __name__ == "__main__":
    unittest.main()
