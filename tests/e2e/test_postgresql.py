"""Several mail servers with one memory: a real PostgreSQL, two Postfixes, two
daemons, one API."""

import glob
import os
import pwd
import shutil
import subprocess
import tempfile
import threading
import time
import unittest

from postfix import OUR_DOMAIN, wait_for
from world import World, mail, remote_dsn, signature_mail

OFFICE = "office@" + OUR_DOMAIN
NEWS = "news@" + OUR_DOMAIN


class Postgres:
    """A private server: its own directory, a unix socket, no TCP."""

    def __init__(self):
        found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"))
        if not found:
            raise unittest.SkipTest("PostgreSQL is not installed")
        self.bin = os.path.dirname(found[-1])
        self.user = pwd.getpwnam("nobody")
        self.base = tempfile.mkdtemp(prefix="contact-milter-pg-")
        os.chown(self.base, self.user.pw_uid, self.user.pw_gid)
        self.data = os.path.join(self.base, "data")
        self.run("initdb", "-D", self.data, "-A", "trust", "-U", "milter", "-N")
        self.uri = f"postgresql:///postgres?host={self.base}&user=milter"
        self.process = None

    def run(self, program, *arguments):
        subprocess.run([os.path.join(self.bin, program), *arguments], check=True,
                       stdout=subprocess.DEVNULL, cwd="/", user=self.user.pw_uid,
                       group=self.user.pw_gid, extra_groups=[])

    def start(self):
        self.process = subprocess.Popen(
            [os.path.join(self.bin, "postgres"), "-D", self.data, "-k", self.base,
             "-c", "listen_addresses="], stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, cwd="/", user=self.user.pw_uid,
            group=self.user.pw_gid, extra_groups=[])
        wait_for(lambda: subprocess.run(
            [os.path.join(self.bin, "pg_isready"), "-q", "-h", self.base, "-U", "milter"],
            check=False).returncode == 0, 20, "PostgreSQL")

    def kill(self):
        """SIGQUIT: the server ends at once, as in a crash, and recovers later."""
        self.process.send_signal(3)
        self.process.wait(20)
        self.process = None

    def stop(self):
        if self.process is not None:
            self.kill()
        shutil.rmtree(self.base, ignore_errors=True)


class SharedStore(unittest.TestCase):
    def setUp(self):
        self.postgres = Postgres()
        self.addCleanup(self.postgres.stop)
        self.postgres.start()
        settings = {"store": {"uri": self.postgres.uri}, "bounce": {"evidence": "sent"}}
        self.first = World(settings=settings)
        self.addCleanup(self.first.stop)
        self.first.start()
        self.api = self.first.api
        self.second = World()
        self.addCleanup(self.second.stop)
        self.second.daemon.configure(
            api={"endpoint": f"http://127.0.0.1:{self.api.port}"}, **settings)
        self.second.api.stop()
        self.second.daemon.start()
        self.second.postfix.start()
        self.hosts = (self.first, self.second)

    def count(self, address):
        return len(self.api.contacts(address))

    def wait_once(self, addresses, seconds=60):
        def missing():
            there = [c["email"] for c in self.api.control("dump")["contacts"]]
            return [a for a in addresses if there.count(a) != 1]
        try:
            wait_for(lambda: not missing(), seconds, "every contact once", every=0.3)
        except AssertionError:
            lost = missing()
            told = [w.daemon.status() for w in self.hosts]
            lines = [l for w in self.hosts for l in w.daemon.log().split("\n")
                     if any(a in l for a in lost)]
            self.fail(f"not there just once: {lost}\n{told}\n" + "\n".join(lines[-20:]))
        time.sleep(1)
        self.assertEqual(missing(), [])

    def test_one_person_at_two_hosts(self):
        """The same person writes to both at once: one contact, and both
        hosts' tools show the same."""
        people = [self.first.person() for _ in range(10)]

        def send(world):
            for first, last, address in people:
                world.postfix.send(address, OFFICE, signature_mail(first, last, address),
                                   name="mx.client.example")
        threads = [threading.Thread(target=send, args=(w,)) for w in self.hosts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.wait_once([p[2] for p in people])
        for world in self.hosts:
            world.settle(20)
            self.assertEqual(world.daemon.status()["contacts"], 10)

    def test_bounce_returns_to_the_other_host(self):
        """evidence = sent: the mail left through one host, its report comes
        back to the other; a report of what never left is not believed."""
        known, other = "bob@client.example", "eve@client.example"
        ids = self.api.control("seed", {"contacts": [
            {"firstName": "Bob", "lastName": "Known", "email": known, "status": 1},
            {"firstName": "Eve", "lastName": "Known", "email": other, "status": 1}]})["ids"]
        message_id = "<sent-1@ours.example>"
        self.first.postfix.send(NEWS, known, mail(NEWS, to=known, auth=None,
                                                  message_id=message_id),
                                client="127.0.0.1", name="localhost")
        self.first.settle(20)
        for failed, original in ((known, message_id), (other, "<sent-2@ours.example>")):
            self.second.postfix.send("", NEWS, remote_dsn(failed, original_id=original),
                                     name="mx.client.example")

        def status(number):
            return next(c for c in self.api.control("dump")["contacts"]
                        if c["id"] == number)["status"]
        wait_for(lambda: status(ids[0]) == 3, 20, "Bob is marked")
        self.second.settle(20)
        self.assertEqual(status(ids[1]), 1)

    def test_database_killed_under_load(self):
        """The database dies while mail comes in: mail flows as before, what is
        learnt waits in the spools, all arrives once when it is back."""
        addresses, slowest, failures = [], [0.0], []
        stop = threading.Event()
        lock = threading.Lock()

        def send(world):
            while not stop.is_set():
                with lock:
                    first, last, address = self.first.person()
                begun = time.monotonic()
                try:
                    world.postfix.send(address, OFFICE,
                                       signature_mail(first, last, address),
                                       name="mx.client.example")
                except (OSError, AssertionError) as error:
                    failures.append(str(error))
                    return
                with lock:
                    addresses.append(address)
                    slowest[0] = max(slowest[0], time.monotonic() - begun)
                time.sleep(0.05)
        threads = [threading.Thread(target=send, args=(w,)) for w in self.hosts]
        for thread in threads:
            thread.start()
        try:
            for _ in range(2):
                time.sleep(1)
                self.postgres.kill()
                time.sleep(2)
                self.postgres.start()
        finally:
            time.sleep(1)
            stop.set()
            for thread in threads:
                thread.join()
        self.assertEqual(failures, [])
        self.assertGreater(len(addresses), 20)
        # Generous: a busy machine; a mail that waited for the database would
        # take its connect timeout.
        self.assertLess(slowest[0], 4)
        self.wait_once(addresses)

    def test_migrate(self):
        """contactctl migrate: from SQLite to PostgreSQL, and again."""
        with World() as old:
            first, last, address = old.person("old.example")
            old.postfix.send(address, OFFICE, signature_mail(first, last, address),
                             name="mx.old.example")
            old.wait_contact(address)
            old.settle()
            old.daemon.stop()
            uri = f"sqlite:{old.daemon.state}/contacts.db"
            for _ in range(2):
                said = old.daemon.ctl("migrate", uri, self.postgres.uri)
                self.assertIn("1 contacts are in the new store", said)
        self.assertEqual(self.second.daemon.status()["contacts"], 1)


if __name__ == "__main__":
    unittest.main()
