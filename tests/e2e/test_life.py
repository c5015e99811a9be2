"""The life of the daemon: reload, drain, stop, service manager, second instance."""

import contextlib
import http.client
import os
import re
import shutil
import signal
import subprocess
import threading
import time
import unittest

from postfix import HOST, OUR_DOMAIN, free_port, wait_for
from world import Daemon, World, signature_mail

OFFICE = "office@" + OUR_DOMAIN
MESSAGES = 3000


class Life(unittest.TestCase):
    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.stop)
        self.daemon, self.postfix, self.api = (self.world.daemon, self.world.postfix,
                                               self.world.api)

    def write(self, smtp=None):
        """A new person's mail; the address."""
        first, last, address = self.world.person()
        data = signature_mail(first, last, address)
        if smtp is not None:
            self.postfix.transfer(smtp, address, [OFFICE], data)
        else:
            self.postfix.send(address, OFFICE, data, name="mx.client.example")
        return address

    def test_reload(self):
        """Under load: no session is lost; a broken file is refused by its line."""
        self.world.start()
        stop, errors, sent = threading.Event(), [], []

        def load():
            try:
                with self.postfix.connect(name="mx.client.example") as smtp:
                    while not stop.is_set():
                        sent.append(self.write(smtp))
            except (OSError, AssertionError) as error:
                errors.append(error)

        thread = threading.Thread(target=load)
        thread.start()
        for _ in range(20):
            self.daemon.send_signal(signal.SIGUSR1)
            self.assertIn("RELOADING=1", self.daemon.told())
            self.assertIn("READY=1", self.daemon.told())
        stop.set()
        thread.join()
        self.assertEqual(errors, [])
        for address in (sent[0], sent[-1]):
            self.world.wait_contact(address)
        self.world.settle(60)
        self.assertEqual(len(self.api.control("dump")["contacts"]), len(sent))

        # A broken file: said with its line, and the old one stays in force.
        with open(self.daemon.config, "a", encoding="utf-8") as f:
            f.write("[mta]\nno_such_key = 1\n")
        with open(self.daemon.config, encoding="utf-8") as f:
            lines = len(f.readlines())
        self.daemon.send_signal(signal.SIGUSR1)
        wait_for(lambda: f"{self.daemon.config}:{lines}: [mta] no_such_key" in self.daemon.log(),
                 5, "the line of the mistake")
        self.world.wait_contact(self.write())

        # A good one is in force for the next message.
        self.daemon.configure(mta={"ignore_senders": "*@client.example"})
        self.daemon.send_signal(signal.SIGUSR1)
        wait_for(lambda: "is in force" in self.daemon.log().split("no_such_key")[-1], 5,
                 "the reload")
        ignored = self.write()
        time.sleep(1.5)
        self.assertEqual(self.api.contacts(ignored), [])

    def test_drain(self):
        """SIGUSR2: the message under way is finished, nobody new comes in."""
        self.world.start()
        first, last, address = self.world.person()
        with self.postfix.connect(name="mx.client.example") as smtp:
            smtp.mail(address)
            smtp.rcpt(OFFICE)
            self.daemon.send_signal(signal.SIGUSR2)
            wait_for(lambda: not os.path.exists(self.daemon.socket.removeprefix("unix:")),
                     3, "the socket is gone")
            code, _ = smtp.data(signature_mail(first, last, address))
            self.assertEqual(code, 250)
        self.assertEqual(self.daemon.process.wait(5), 0)
        # What it had seen is there after the next start.
        self.daemon.start()
        self.world.wait_contact(address)

    def test_drain_ends(self):
        """A session that does not end holds it up for a few seconds only."""
        self.world.start()
        with self.postfix.connect(name="mx.client.example") as smtp:
            smtp.mail("ann@client.example")
            began = time.monotonic()
            self.assertEqual(self.daemon.stop(signal.SIGUSR2), 0)
            self.assertLess(time.monotonic() - began, 9)
            smtp.rset()
            self.write()  # flows without it

    def test_stop(self):
        """TERM, INT and HUP stop at once, also with sessions open."""
        self.world.start()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            with self.subTest(number), \
                    self.postfix.connect(name="mx.client.example") as smtp:
                smtp.mail("ann@client.example")
                began = time.monotonic()
                self.assertEqual(self.daemon.stop(number), 0)
                self.assertLess(time.monotonic() - began, 2)
                self.assertFalse(os.path.exists(self.daemon.socket.removeprefix("unix:")))
                self.daemon.start()

    def test_stale_socket(self):
        self.world.start()
        self.daemon.kill()
        self.assertTrue(os.path.exists(self.daemon.socket.removeprefix("unix:")))
        self.daemon.start()
        self.world.wait_contact(self.write())

    def test_second_instance(self):
        self.world.start()
        second = subprocess.run([self.daemon.binary, "-c", self.daemon.config],
                                capture_output=True, text=True, timeout=20, check=False,
                                user=self.daemon.uid, group=self.daemon.gid, extra_groups=[])
        self.assertNotEqual(second.returncode, 0)
        self.assertIn("another contact-milter", second.stderr)
        self.world.wait_contact(self.write())

    def test_service_manager(self):
        """READY, WATCHDOG at half its time, STOPPING."""
        self.api.start()
        self.daemon.start(env={"WATCHDOG_USEC": "400000"})
        began = time.monotonic()
        told = [self.daemon.told(2) for _ in range(5)]
        self.assertLess(time.monotonic() - began, 2)
        self.assertTrue(all("WATCHDOG=1" in t for t in told), told)
        self.daemon.send_signal(signal.SIGTERM)
        wait_for(lambda: "STOPPING=1" in (self.daemon.told(2) or ""), 5, "STOPPING")
        self.assertEqual(self.daemon.process.wait(5), 0)

    def test_command_line(self):
        def run(*arguments, **options):
            return subprocess.run([self.daemon.binary, *arguments], capture_output=True,
                                  text=True, timeout=20, check=False, **options)
        user = {"user": self.daemon.uid, "group": self.daemon.gid, "extra_groups": []}
        done = run("-n", "-c", self.daemon.config, **user)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(run("-n", "-c", self.daemon.config, "--role", "mta").returncode, 0)
        self.assertIn("contact-milter", run("--version").stdout)
        self.assertIn("--role", run("--help").stdout)
        self.assertIn("local_domains", run("--help-config").stdout)
        self.assertEqual(run("--role", "none").returncode, 64)
        self.assertEqual(run("-n", "-c", "/nonexistent").returncode, 78)
        self.assertEqual(run("-c", self.daemon.config).returncode, 77)  # root
        with open(self.daemon.config, "a", encoding="utf-8") as f:
            f.write("[mta]\nsocket = inet:1@x\nbad = 1\n")
        done = run("-n", "-c", self.daemon.config, **user)
        self.assertEqual(done.returncode, 78)
        self.assertIn("[mta] bad: ", done.stderr)
        self.assertIn("[mta] socket: ", done.stderr)

    def test_many_messages_on_one_connection(self):
        self.world.start()
        with self.postfix.connect(name="mx.client.example") as smtp:
            for i in range(MESSAGES):
                smtp.mail("ann@client.example")
                smtp.rcpt(OFFICE)
                if i % 10 == 0:
                    smtp.rset()  # in mid-transaction
                    continue
                code, _ = smtp.data(b"From: talk@lists.example\r\nList-Id: <t.lists.example>\r\n"
                                    b"\r\nHello\r\n")
                self.assertEqual(code, 250)
            self.world.wait_contact(self.write(smtp))

    def test_silent_and_vanishing_clients(self):
        self.world.start()
        for i in range(30):
            smtp = self.postfix.connect(name="mx.client.example")
            if i % 3 > 0:
                smtp.mail("ann@client.example")
                smtp.rcpt(OFFICE)
            if i % 3 > 1:
                smtp.putcmd("data")
                smtp.getreply()
                smtp.send(b"From: ann@client.example\r\n\r\nhalf a li")
            smtp.close()
        self.world.wait_contact(self.write())

    def test_pages(self):
        port = free_port()
        self.daemon.configure(metrics={"listen": f"{HOST}:{port}"})
        self.world.start()
        self.world.wait_contact(self.write())

        def get(path, method="GET"):
            connection = http.client.HTTPConnection(HOST, port, timeout=5)
            connection.request(method, path)
            answer = connection.getresponse()
            body = answer.read().decode()
            connection.close()
            return answer.status, body
        status, text = get("/metrics")
        self.assertEqual(status, 200)
        self.assertRegex(text, r'contact_milter_messages_total\{verdict="contact"\} 1\b')
        self.assertRegex(text, r'contact_milter_observations_total\{result="stored"\} 1\b')
        self.assertEqual(get("/healthz"), (200, "ok\n"))
        self.assertEqual(get("/")[0], 200)
        self.assertEqual(get("/nothing")[0], 404)
        self.assertEqual(get("/metrics", "POST")[0], 405)
        self.assertRegex(text, r'contact_milter_api_calls_total\{action="\w+",result="ok"\} ')
        if shutil.which("promtool"):
            done = subprocess.run(["promtool", "check", "metrics"], input=text, text=True,
                                  capture_output=True, check=False)
            self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_pages_of_split_roles(self):
        """The mail side has no network: the sync side serves its metrics too."""
        port = free_port()
        self.daemon.configure(metrics={"listen": f"{HOST}:{port}"})
        sync = Daemon(self.world.base, self.world.api.port, self.daemon.socket, name="sync")
        sync.configure(metrics={"listen": f"{HOST}:{port}"})
        self.addCleanup(sync.stop)
        sync.start("--role", "sync")

        def get(path):
            connection = http.client.HTTPConnection(HOST, port, timeout=5)
            with contextlib.closing(connection):
                connection.request("GET", path)
                return connection.getresponse().read().decode()
        self.assertIn("gives no sign of life", get("/"))
        self.world.start("--role", "mta")
        self.world.wait_contact(self.write())
        wait_for(lambda: re.search(r'messages_total\{verdict="contact"\} 1\b', get("/metrics")),
                 15, "the mail side's metrics")
        text = get("/metrics")
        for name in ("end_of_message_seconds_count 1", "sessions_total", "observations_waiting 0",
                     'judged_total{decision="merged"} 1', "contacts 1"):
            self.assertIn("contact_milter_" + name, text)
        self.assertNotIn("gives no sign of life", get("/"))


if __name__ == "__main__":
    unittest.main()
