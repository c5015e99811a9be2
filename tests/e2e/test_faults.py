"""Never in the way: whatever is broken, mail is accepted and not held up."""

import contextlib
import os
import socket
import sqlite3
import subprocess
import time
import unittest

from postfix import OUR_DOMAIN, wait_for
from world import World, signature_mail

OFFICE = "office@" + OUR_DOMAIN
WAIT = 0.2  # [store] wait
SLACK = 0.5  # what a busy machine adds to an SMTP transaction


class Faults(unittest.TestCase):
    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.stop)
        self.daemon, self.postfix, self.api = (self.world.daemon, self.world.postfix,
                                               self.world.api)

    def send(self, count):
        """New people's mails on one connection; addresses, slowest transaction."""
        addresses, slowest = [], 0.0
        with self.postfix.connect(name="mx.client.example") as smtp:
            for _ in range(count):
                first, last, address = self.world.person()
                began = time.monotonic()
                self.postfix.transfer(smtp, address, [OFFICE],
                                      signature_mail(first, last, address))
                slowest = max(slowest, time.monotonic() - began)
                addresses.append(address)
        return addresses, slowest

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
        self.assertLess(slowest, WAIT + SLACK)
        self.assertIn("wait in memory", self.daemon.log())
        self.assert_arrive(addresses)

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
        self.assertLess(slowest, WAIT + SLACK)
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
        self.assertLess(slowest, WAIT + SLACK)
        os.unlink(filler)
        self.assert_arrive(addresses)
        self.daemon.stop()

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
        """More sessions than descriptors; when they are gone, work goes on."""
        self.api.start()
        self.daemon.start(descriptors=80)
        self.postfix.start()
        clients = []
        for _ in range(120):
            client = socket.socket(socket.AF_UNIX)
            client.settimeout(2)
            client.connect(self.daemon.socket.removeprefix("unix:"))
            clients.append(client)
        time.sleep(1)
        self.assertIsNone(self.daemon.process.poll())
        for client in clients:
            client.close()
        addresses, _ = self.send(5)
        self.assert_arrive(addresses)

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
