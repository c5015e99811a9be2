"""Nothing is lost: crashes, an API that is away, named points of a crash."""

import contextlib
import random
import sqlite3
import threading
import time
import unittest

from postfix import OUR_DOMAIN, wait_for
from world import World, remote_dsn, signature_mail

OFFICE = "office@" + OUR_DOMAIN
NEWS = "news@" + OUR_DOMAIN
# Named points of milter/base/fault.h, and at which passes; the store commits
# some rows of its own when it is opened.
POINTS = ([("spool.before-commit", 3), ("spool.after-commit", 3),
           ("judge.before-merge", 2), ("judge.after-merge", 2),
           ("store.before-commit", 8), ("store.after-commit", 8),
           ("store.before-commit", 11), ("store.after-commit", 11),
           ("crm.after-claim", 2), ("crm.before-save", 1), ("crm.after-save", 1),
           ("crm.before-confirm", 1), ("crm.after-confirm", 1),
           ("crm.before-batch", 1), ("crm.after-batch", 1)]
          # ping, groups, custom fields, then the calls of contacts
          + [(f"crm.{when}-call", n) for n in range(1, 7) for when in ("before", "after")])
SENDERS = 3


class Load:
    """New people's mails on several connections. `answered` has the addresses
    whose mail one and the same daemon saw from end to end: while it is away,
    default_action=accept lets mail pass unseen."""

    def __init__(self, world):
        self.world, self.answered = world, []
        self.flowing, self.ended = threading.Event(), threading.Event()
        self.lock = threading.Lock()
        self.sending = 0
        self.ready = world.daemon.process
        self.threads = [threading.Thread(target=self.run) for _ in range(SENDERS)]
        for thread in self.threads:
            thread.start()

    def person(self):
        with self.lock:
            return self.world.person()

    def start(self, *options, **kwargs):
        """The daemon anew; only one that said that it is ready counts."""
        self.ready = None
        self.world.daemon.kill()
        self.world.daemon.start(*options, **kwargs)
        self.ready = self.world.daemon.process

    def alive(self):
        process = self.ready
        return process if process is not None and process.poll() is None else None

    def send_some(self):
        sent, before = [], self.alive()
        try:
            with self.world.postfix.connect(name="mx.client.example") as smtp:
                for _ in range(3):
                    first, last, address = self.person()
                    self.world.postfix.transfer(smtp, address, [OFFICE],
                                                signature_mail(first, last, address))
                    sent.append(address)
                # Its sockets close a moment before it is known to be dead.
                time.sleep(0.2)
        except (OSError, AssertionError):
            pass
        if before is not None and before == self.alive():
            with self.lock:
                self.answered += sent

    def run(self):
        while not self.ended.is_set():
            if self.flowing.wait(0.1):
                with self.lock:
                    self.sending += 1
                self.send_some()
                with self.lock:
                    self.sending -= 1

    def hold(self):
        self.flowing.clear()
        wait_for(lambda: self.sending == 0, 60, "the senders are at rest")

    def end(self):
        self.flowing.clear()
        self.ended.set()
        for thread in self.threads:
            thread.join()


class Durability(unittest.TestCase):
    def setUp(self):
        # A wait that a busy disk does not exceed: what waits in memory is not
        # safe, and says so in the log.
        self.world = World(settings={"store": {"wait": "5s"}})
        self.addCleanup(self.world.stop)
        self.api, self.daemon = self.world.api, self.world.daemon
        self.postfix = self.world.postfix

    def send_people(self, count, answered=None):
        """Mails of new people; the addresses whose mail was answered."""
        answered = answered if answered is not None else []
        with self.postfix.connect(name="mx.client.example") as smtp:
            for _ in range(count):
                first, last, address = self.world.person()
                self.postfix.transfer(smtp, address, [OFFICE],
                                      signature_mail(first, last, address))
                answered.append(address)
        return answered

    def assert_all_there(self, addresses, seconds=30):
        def missing():
            there = [c["email"] for c in self.api.control("dump")["contacts"]]
            return [a for a in addresses if there.count(a) != 1]
        try:
            wait_for(lambda: not missing(), seconds, "every contact once", every=0.2)
        except AssertionError:
            lost = missing()
            told = [l for l in self.daemon.log().split("\n") if any(a in l for a in lost)]
            self.fail(f"not there just once: {lost}\n" + "\n".join(told[-30:]))

    def test_kill(self):
        """kill -9 right after the last answer, with the API away."""
        self.world.start()
        self.api.stop()
        addresses = self.send_people(20)
        self.daemon.kill()
        self.assertEqual(len(addresses), 20)
        self.api.start()
        self.daemon.start()
        self.assert_all_there(addresses)

    def load(self):
        load = Load(self.world)
        self.addCleanup(load.end)
        return load

    def assert_nobody_twice(self):
        there = [c["email"] for c in self.api.control("dump")["contacts"]]
        self.assertEqual(len(there), len(set(there)), "somebody is there twice")

    def nothing_waits(self):
        """As World.settle(), but without a contactctl for each look."""
        for name, query in (("spool", "SELECT count(*) FROM observation"),
                            ("contacts", "SELECT count(*) FROM contact WHERE state = 1")):
            with contextlib.closing(sqlite3.connect(f"{self.daemon.state}/{name}.db")) as db:
                if db.execute(query).fetchone()[0] > 0:
                    return False
        return True

    def test_kill_under_load(self):
        """kill -9 at random moments while mails come in."""
        self.world.start()
        load = self.load()
        load.flowing.set()
        for _ in range(8):
            time.sleep(random.uniform(0.2, 1.5))
            load.start()
        time.sleep(1)
        load.hold()
        self.assertGreater(len(load.answered), 20)
        self.assert_all_there(load.answered, 60)
        self.assert_nobody_twice()

    def test_crash_matrix(self):
        """SIGKILL at each named point under load; what was answered is there,
        once, after the next start."""
        self.world.start()
        load = self.load()
        for name, at in POINTS:
            with self.subTest(f"{name}:{at}"):
                # A slow API gathers enough contacts for a batch.
                slow = 300 if name.endswith("-batch") else 0
                self.api.control("set", {"latency_ms": slow})
                try:
                    # Some are reached before it is ready.
                    with contextlib.suppress(AssertionError):
                        load.start(env={"CONTACT_MILTER_FAULT": f"{name}:{at}"})
                    load.flowing.set()
                    wait_for(lambda: self.daemon.process.poll() is not None, 20,
                             f"{name}:{at} was never reached, it")
                finally:
                    load.hold()
                    load.start()
                self.assert_all_there(load.answered, 60)
                # Nobody is there at three crashes: that would be poison.
                wait_for(self.nothing_waits, 30, "nothing waits", every=0.1)
        self.assertGreater(len(load.answered), 50)
        self.assert_nobody_twice()
        self.assertEqual([line for line in self.daemon.log().split("\n")
                          if "is set aside" in line], [])

    def crash_three_times(self, fault):
        """Starts with this fault until the daemon survives it."""
        for _ in range(3):
            self.daemon.start(env={"CONTACT_MILTER_FAULT": fault}, wait=False)
            wait_for(lambda: self.daemon.process.poll() is not None, 20, "the crash")
            self.assertEqual(self.daemon.process.returncode, -9)
            self.daemon.close_notify()
        self.daemon.start(env={"CONTACT_MILTER_FAULT": fault})

    def test_poisoned_observation(self):
        """A row that the judge dies of is set aside after the third time."""
        self.api.start()
        self.postfix.start()
        self.daemon.start("--role", "mta")
        self.send_people(1)
        self.daemon.kill()
        self.crash_three_times("judge.before-merge")
        wait_for(lambda: "is set aside: the program died of it three times" in self.daemon.log(),
                 10, "the row is set aside")
        status = wait_for(lambda: (s := self.daemon.status())["inbox"] == 0 and s, 10, "inbox 0")
        self.assertEqual(status["set_aside"], 1)
        self.daemon.stop()
        self.daemon.start()
        self.assert_all_there(self.send_people(3))

    def test_poisoned_contact(self):
        """A contact that the sync dies of becomes a dead letter; retry revives it."""
        self.api.start()
        self.postfix.start()
        self.daemon.start("--role", "mta")
        poison = self.send_people(1)
        self.daemon.kill()
        self.crash_three_times("crm.before-save")
        wait_for(lambda: "is set aside: the program died of it" in self.daemon.log(), 10,
                 "the contact is set aside")
        self.assertEqual(self.daemon.status()["dead"], 1)
        self.assertIn("the program died while working on it", self.daemon.ctl("queue", "list"))
        self.daemon.stop()
        self.daemon.start()
        self.assert_all_there(self.send_people(3))
        self.assertEqual(self.api.contacts(poison[0]), [])
        self.daemon.ctl("queue", "retry", "--dead")
        self.assert_all_there(poison)

    def test_api_away(self):
        """Mail flows at the same speed; status shows what waits; all arrives."""
        self.world.start()
        self.send_people(5)
        began = time.monotonic()
        addresses = self.send_people(40)
        with_api = time.monotonic() - began
        self.world.settle(30)
        self.api.stop()
        began = time.monotonic()
        addresses += self.send_people(40)
        without = time.monotonic() - began
        self.assertLess(without, 2 * with_api + 0.5)
        status = wait_for(lambda: (s := self.daemon.status())["pending"] == 40 and s, 10,
                          "40 pending")
        self.assertGreater(status["oldest_pending_s"], -1)
        self.assertIsNotNone(status["last_error"])
        self.api.start()
        self.daemon.ctl("flush")
        self.assert_all_there(addresses, 60)

    def test_api_hangs(self):
        """It takes the connection and says nothing: mail does not notice."""
        self.world.start()
        self.api.control("set", {"latency_ms": 60000})
        self.send_people(1)
        time.sleep(1)
        began = time.monotonic()
        addresses = self.send_people(20)
        self.assertLess(time.monotonic() - began, 3)
        self.api.stop()
        self.api.start()
        self.daemon.ctl("flush")
        self.assert_all_there(addresses, 60)

    def test_status_change_survives(self):
        self.world.start()
        address = "bob@client.example"
        number = self.api.control("seed", {"contacts": [
            {"firstName": "Bob", "lastName": "Known", "email": address, "status": 1}]})["ids"][0]
        self.api.stop()
        self.postfix.send("", NEWS, remote_dsn(address), name="mx.client.example")
        self.daemon.kill()
        self.api.start()
        self.daemon.start()
        wait_for(lambda: next(c for c in self.api.control("dump")["contacts"]
                              if c["id"] == number)["status"] == 3, 20, "status 3")


if __name__ == "__main__":
    unittest.main()
