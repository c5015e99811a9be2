"""Nothing is lost: crashes, an API that is away, named points of a crash."""

import random
import threading
import time
import unittest

from postfix import OUR_DOMAIN, wait_for
from world import World, remote_dsn, signature_mail

OFFICE = "office@" + OUR_DOMAIN
NEWS = "news@" + OUR_DOMAIN
# Named points of milter/base/fault.h, and at which pass; the store commits
# some rows of its own when it is opened.
FAULTS = {"spool.before-commit": 2, "spool.after-commit": 2, "store.before-commit": 8,
          "store.after-commit": 8, "crm.before-call": 3, "crm.after-call": 4,
          "crm.before-save": 1, "crm.after-save": 1, "crm.before-confirm": 1,
          "crm.after-confirm": 1, "crm.after-claim": 2}


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

    def test_kill_under_load(self):
        """kill -9 at random moments while mails come in."""
        self.world.start()
        answered, stop = [], threading.Event()

        def send():
            while not stop.is_set():
                before = self.served
                got = []
                try:
                    self.send_people(3, got)
                except (OSError, AssertionError):
                    pass
                # default_action=accept: while the daemon was away mail flows by
                # without being seen. Count what it served from end to end.
                if before is not None and before == self.served:
                    answered.extend(got)

        self.served = self.daemon.process.pid
        threads = [threading.Thread(target=send) for _ in range(3)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(6):
                time.sleep(random.uniform(0.3, 1.0))
                self.served = None
                self.daemon.kill()
                self.daemon.start()
                self.served = self.daemon.process.pid
        finally:
            time.sleep(0.5)
            stop.set()
            for thread in threads:
                thread.join()
        self.assertGreater(len(answered), 20)
        self.assert_all_there(answered)

    def test_faults(self):
        """SIGKILL at each named point; after a restart all is there, once."""
        for name, at in FAULTS.items():
            with self.subTest(name), World() as world:
                self.world, self.api = world, world.api
                self.daemon, self.postfix = world.daemon, world.postfix
                self.daemon.stop()
                self.daemon.start(env={"CONTACT_MILTER_FAULT": f"{name}:{at}"})
                addresses = []
                for _ in range(6):
                    try:
                        self.send_people(1, addresses)
                    except (OSError, AssertionError):
                        pass
                    time.sleep(0.2)
                    if self.daemon.process.poll() is not None:
                        break
                crashed = self.daemon.process.poll() is not None
                self.assertTrue(crashed, f"{name} was never reached")
                if name == "spool.before-commit":
                    # The mail was not answered by us; Postfix let it pass.
                    addresses.pop()
                self.daemon.kill()
                self.daemon.start()
                addresses += self.send_people(1)
                self.assert_all_there(addresses)

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
