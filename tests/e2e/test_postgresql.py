"""Several mail servers with one memory: a real PostgreSQL, two Postfixes, two
daemons, one API. More of them, and more accidents: simulation.py."""

import fcntl
import os
import pty
import struct
import subprocess
import termios
import threading
import time
import unittest

from postfix import HOST, OUR_DOMAIN, wait_for
from postgres import Postgres
from simulation import Simulation
from world import BUILD, SOURCE, World, mail, remote_dsn, signature_mail

OFFICE = "office@" + OUR_DOMAIN
NEWS = "news@" + OUR_DOMAIN


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
        # It may still be proven: some host may have a backlog.
        self.assertEqual(self.second.daemon.status()["inbox"], 1)
        self.assertEqual(status(ids[1]), 1)

    def test_bounce_before_the_news_of_its_mail(self):
        """The host that the mail left through has not told the store yet when
        the report comes in through the other one."""
        known, message_id = "bob@client.example", "<sent-1@ours.example>"
        number = self.api.control("seed", {"contacts": [
            {"firstName": "Bob", "lastName": "Known", "email": known, "status": 1}]})["ids"][0]
        self.first.daemon.stop()
        self.first.daemon.start("--role", "mta")
        self.first.postfix.send(NEWS, known, mail(NEWS, to=known, auth=None,
                                                  message_id=message_id),
                                client="127.0.0.1", name="localhost")
        self.second.postfix.send("", NEWS, remote_dsn(known, original_id=message_id),
                                 name="mx.client.example")
        wait_for(lambda: "no host has told of" in self.second.daemon.log(), 10, "it waits")
        self.first.daemon.stop()
        self.first.daemon.start()
        wait_for(lambda: [c["status"] for c in self.api.control("dump")["contacts"]
                          if c["id"] == number] == [3], 20, "Bob is marked")
        self.second.settle(10)

    def test_tools_of_any_host(self):
        """What waits through one host is seen and dropped at the other."""
        self.api.stop()
        first, last, address = self.first.person()
        self.first.postfix.send(address, OFFICE, signature_mail(first, last, address),
                                name="mx.client.example")
        wait_for(lambda: self.second.daemon.status()["pending"] == 1, 10, "it waits")
        self.assertIn(address, self.second.daemon.ctl("queue", "list"))
        self.second.daemon.ctl("queue", "drop", address)
        self.assertNotIn(address, self.first.daemon.ctl("queue", "list"))
        self.second.daemon.ctl("forget", address)
        self.assertEqual(self.first.daemon.status()["contacts"], 0)
        self.api.start()

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
            bar = self.on_terminal("migrate", uri, self.postgres.uri)
            self.assertRegex(bar, r"\[#+\] (\d+)/\1")
        self.assertEqual(self.second.daemon.status()["contacts"], 1)

    @staticmethod
    def on_terminal(*arguments):
        """What contactctl draws where a person looks on."""
        mine, its = pty.openpty()
        fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        subprocess.run([os.path.join(BUILD, "contactctl"), *arguments], check=True,
                       stdout=subprocess.DEVNULL, stderr=its)
        os.close(its)
        drawn = os.read(mine, 65536).decode()
        os.close(mine)
        return drawn


class SecuredStore(unittest.TestCase):
    """The database as an administrator sets it up: psql and the script in conf/,
    two roles, TLS with a certificate that is verified, a password."""

    PASSWORD = "open: sesame/@?%"

    def setUp(self):
        self.postgres = Postgres(tls=True)
        self.addCleanup(self.postgres.stop)
        self.postgres.start()
        self.script = os.path.join(SOURCE, "conf/schema-postgresql.sql")
        self.postgres.psql("CREATE DATABASE contact_milter")
        self.run_script()
        self.postgres.psql(f"ALTER ROLE contact_milter PASSWORD '{self.PASSWORD}'")
        self.world = World(settings={"store": {"uri": self.uri()}})
        self.addCleanup(self.world.stop)

    def run_script(self):
        """psql's complaints."""
        return subprocess.run(
            ["psql", "-q", "-h", self.postgres.base, "-p", str(self.postgres.port), "-U",
             "milter", "-d", "contact_milter", "-f", self.script],
            capture_output=True, text=True, check=True).stderr

    def uri(self, user="contact_milter", authority="ca", mode="verify-full"):
        return (f"postgresql://{user}@{HOST}:{self.postgres.port}/contact_milter?"
                f"sslmode={mode}&sslrootcert={self.postgres.path(authority + '.crt')}")

    def secret_file(self, name, text):
        path = os.path.join(self.world.base, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(path, 0o600)
        os.chown(path, self.world.daemon.uid, self.world.daemon.gid)
        return path

    def pass_file(self):
        escaped = self.PASSWORD.replace("\\", "\\\\").replace(":", "\\:")
        path = self.secret_file("pgpass", f"*:*:*:contact_milter:{escaped}\n")
        os.chown(path, 0, 0)
        return path

    def status(self, uri, **environment):
        """contactctl status, run with this store."""
        self.world.daemon.configure(store={"uri": uri})
        return subprocess.run(
            [os.path.join(BUILD, "contactctl"), "-c", self.world.daemon.config, "status"],
            capture_output=True, text=True, timeout=60, check=False,
            env={"PATH": "/usr/bin:/bin", **environment})

    def test_daemon_with_credential(self):
        """The daemon with the least rights, its password from systemd."""
        self.secret_file("postgresql-password", self.PASSWORD + "\n")
        self.world.api.start()
        self.world.daemon.start(env={"CREDENTIALS_DIRECTORY": self.world.base})
        self.world.postfix.start()
        first, last, address = self.world.person()
        self.world.postfix.send(address, OFFICE, signature_mail(first, last, address),
                                name="mx.client.example")
        self.world.wait_contact(address, lastName=last)
        rows = self.postgres.psql("SELECT key FROM contact", "contact_milter")
        self.assertEqual(rows.split(), [address])
        used = self.postgres.psql("SELECT bool_and(ssl), count(*) > 0 FROM pg_stat_ssl "
                                  "JOIN pg_stat_activity USING (pid) "
                                  "WHERE usename = 'contact_milter'")
        self.assertEqual(used, "t|t\n")
        self.assertNotIn(self.PASSWORD, self.world.daemon.log())

    def test_passwords(self):
        """By the URI, by PGPASSFILE; without or with a wrong one: no."""
        escaped = "".join(f"%{ord(c):02X}" for c in self.PASSWORD)
        done = self.status(self.uri(f"contact_milter:{escaped}"))
        self.assertEqual(done.returncode, 0, done.stderr)
        done = self.status(self.uri(), PGPASSFILE=self.pass_file())
        self.assertEqual(done.returncode, 0, done.stderr)
        for user in ("contact_milter", "contact_milter:wrong-one"):
            done = self.status(self.uri(user))
            self.assertEqual(done.returncode, 69, done.stderr)
            self.assertNotIn("wrong-one", done.stderr + done.stdout)

    def test_certificates(self):
        """A server that cannot prove who it is gets no password."""
        pass_file = self.pass_file()
        self.postgres.authority("other")
        done = self.status(self.uri(authority="other"), PGPASSFILE=pass_file)
        self.assertEqual(done.returncode, 69)
        self.assertIn("certificate verify failed", done.stderr)
        done = self.status(self.uri(mode="disable"), PGPASSFILE=pass_file)
        self.assertEqual(done.returncode, 69)
        self.assertIn("no encryption", done.stderr)

    def test_rights(self):
        """The script again changes nothing; the daemons' role owns nothing."""
        tables = "SELECT * FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
        before = self.postgres.psql(tables, "contact_milter")
        complaints = [l for l in self.run_script().splitlines() if "ERROR" in l]
        self.assertEqual(len(complaints), 2, complaints)  # the two roles exist
        self.assertEqual(self.postgres.psql(tables, "contact_milter"), before)
        for sql in ("DROP TABLE contact", "CREATE TABLE x (y INT)", "TRUNCATE contact",
                    "ALTER TABLE contact ADD COLUMN z INT"):
            done = subprocess.run(
                ["psql", "-q", "-d", self.uri(), "-c", sql], capture_output=True,
                text=True, check=False, env={"PATH": "/usr/bin:/bin",
                                             "PGPASSFILE": self.pass_file()})
            self.assertRegex(done.stderr, "must be owner|permission denied", sql)


class Accidents(unittest.TestCase):
    def test_three_hosts(self):
        """A small simulation.py: one of three hosts is killed, the database
        dies, and nothing is lost, nothing doubled."""
        simulation = Simulation(observations=800, people=240)
        try:
            simulation.run()
            self.assertEqual(simulation.faults(), [])
        finally:
            simulation.stop()


if __name__ == "__main__":
    unittest.main()
