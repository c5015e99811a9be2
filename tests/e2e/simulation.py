#!/usr/bin/env python3
"""simulation - several mail servers, one PostgreSQL, one API, and accidents

    simulation.py [--build DIR] [--observations N] [--people N] [--hosts N]
                  [--rounds N]

Each host is contact-milter twice, in the roles mta and sync, as the packaged
units run it; mails come over the milter protocol (tests/mta/milter_feed), four
sessions to a host. In the middle one host is killed (SIGKILL, both processes),
started again later, and the database is killed and started again. In the end
the API, the database and the spools must be exactly what the mails say:
  - each address is there once, and has the number of its latest mail
  - who asked for it is Unsubscribed, whose mail bounced is Bounced, nobody else
  - each soft bounce is counted once
  - nothing waits, is held, or was given up
Mails that left are known to all hosts by the shared sent-log only (evidence =
sent). The last line of each round has the figures. Needs root, as the tests do.
"""

import argparse
import collections
import os
import pathlib
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

import world
from postfix import HOST, free_port
from postgres import Postgres
from world import MOBILE, SEED, Api, Daemon, remote_dsn, signature_mail

HERE = os.path.dirname(os.path.abspath(__file__))
SESSIONS = 4
STATUS_BOUNCED, STATUS_UNSUBSCRIBED, STATUS_KNOWN, STATUS_NEW = 3, 2, 1, 5

# What a mail is about, in percent. Each bounce returns a mail of its own that
# left before, through any host.
SHARES = {"hard": 4, "soft": 8, "unsubscribe": 3}
KNOWN = 5  # one of so many people is in the CRM before

Mail = collections.namedtuple("Mail", "number kind person host session early")


def letters(n):
    return "".join(chr(ord("a") + int(d)) for d in str(n))


def address(person):
    return f"ann.sample{letters(person)}@client.example"


def mobile(number):
    return f"+61 4{number:08d}"


def original(number):
    return f"<offer-{number}@ours.example>"


def plan(observations, people, hosts, seed):
    """All mails; those that are `early` come before all others."""
    chance = random.Random(seed)
    kinds = []
    for kind, share in SHARES.items():
        kinds += [kind] * (observations * share // 100)
    bounces = sum(k != "unsubscribe" for k in kinds)
    kinds += ["contact"] * (observations - len(kinds) - bounces)
    chance.shuffle(kinds)
    mails = []

    def add(kind, person, early):
        mails.append(Mail(len(mails), kind, person, chance.randrange(hosts),
                          chance.randrange(SESSIONS), early))
        return mails[-1].number

    returned = {}
    for kind in kinds:
        # Only whom the CRM knows already: what a status means for somebody
        # who is added at the same moment depends on which comes first.
        known = kind in ("hard", "unsubscribe")
        person = chance.randrange(people // KNOWN if known else people)
        if kind in ("hard", "soft"):
            left = add("sent", person, True)
            returned[add(kind, person, False)] = left
        else:
            add(kind, person, kind == "contact" and chance.random() < 0.2)
    return mails, returned


def render(mail, returned):
    """(client, sender, recipient, bytes) of one mail."""
    person = address(mail.person)
    name = "Sample" + letters(mail.person)
    news, office = "news@ours.example", "office@ours.example"
    unique = f"<m{mail.number}@client.example>"
    if mail.kind == "sent":
        return "127.0.0.1", news, person, world.mail(
            news, to=person, auth=None, message_id=original(mail.number))
    if mail.kind in ("hard", "soft"):
        status, text = (("5.1.1", "user unknown") if mail.kind == "hard" else
                        ("4.2.2", "mailbox full"))
        return "198.51.100.7", "", news, remote_dsn(
            person, status=status, text=text,
            original_id=original(returned[mail.number]))
    if mail.kind == "unsubscribe":
        return "198.51.100.7", person, office, world.mail(
            person, name=f"Ann {name}", subject="Unsubscribe", message_id=unique,
            body="Please unsubscribe me from your newsletter.\r\n")
    return "198.51.100.7", person, office, signature_mail(
        "Ann", name, person, mobile=mobile(mail.number), message_id=unique)


class Host:
    """The two processes of one mail server, and who sends to it."""

    def __init__(self, number, api_port, store):
        self.number = number
        self.base = tempfile.mkdtemp(prefix=f"contact-milter-mx{number}-")
        os.chmod(self.base, 0o755)
        self.daemons = [Daemon(self.base, api_port, name=role) for role in ("mta", "sync")]
        self.metrics = f"{HOST}:{free_port()}"
        for daemon in self.daemons:
            daemon.configure(
                # However slow the disk is: what is not on it dies with the host.
                store={"uri": store, "wait": "10s"},
                metrics={"listen": self.metrics if daemon.name == "sync" else None},
                bounce={"evidence": "sent"}, trust={"status_limit": 0},
                log={"level": "warning"})
        self.trips = 0
        self.feeders = []
        self.read = {}  # path of .taken -> [bytes read, lines in them]

    def start(self):
        for daemon in self.daemons:
            daemon.start("--role", daemon.name)

    def round_trips(self):
        with urllib.request.urlopen(f"http://{self.metrics}/metrics") as page:
            found = re.search(r"store_round_trips_total (\d+)", page.read().decode())
        return int(found.group(1)) if found else 0

    def kill(self):
        self.trips += self.round_trips()
        for daemon in self.daemons:
            daemon.kill()

    def feed(self, phase, mails, returned):
        """Sends its share, each session in the order of the plan."""
        for session in range(SESSIONS):
            queue = os.path.join(self.base, f"{phase}.{session}")
            with open(queue, "wb") as f:
                for mail in mails:
                    if mail.host == self.number and mail.session == session:
                        client, sender, recipient, data = render(mail, returned)
                        f.write(f"{mail.number} {len(data)} {client} <{sender}> "
                                f"<{recipient}>\n".encode() + data)
            with open(queue, "rb") as mails_in, open(queue + ".taken", "wb") as taken:
                self.feeders.append(subprocess.Popen(
                    [os.path.join(world.BUILD, "tests/mta/milter_feed"),
                     self.daemons[0].socket],
                    stdin=mails_in, stdout=taken))

    def count(self):
        """How many mails it took so far."""
        for path in pathlib.Path(self.base).glob("*.taken"):
            so_far = self.read.setdefault(path, [0, 0])
            with open(path, "rb") as f:
                f.seek(so_far[0])
                more = f.read()
            so_far[0] += len(more)
            so_far[1] += more.count(b"\n")
        return sum(lines for _, lines in self.read.values())

    def taken(self):
        """number -> (first try, begun, ended) of what it took, in seconds."""
        result = {}
        for path in pathlib.Path(self.base).glob("*.taken"):
            for line in path.read_text(encoding="ascii").splitlines():
                words = line.split()
                if len(words) == 4:
                    result[int(words[0])] = tuple(int(w) / 1e6 for w in words[1:])
        return result

    def stop(self):
        for feeder in self.feeders:
            feeder.kill()
            feeder.wait()
        for daemon in self.daemons:
            daemon.stop()
        shutil.rmtree(self.base, ignore_errors=True)


class Simulation:
    def __init__(self, observations, people, hosts=3, seed=1):
        self.people = people
        self.mails, self.returned = plan(observations, people, hosts, seed)
        self.base = tempfile.mkdtemp(prefix="contact-milter-simulation-")
        self.postgres = Postgres()
        self.postgres.start()
        self.api = Api(self.base)
        known = [{"firstName": "Ann", "lastName": "Sample" + letters(p),
                  "email": address(p), "status": STATUS_KNOWN}
                 for p in range(people // KNOWN)]
        self.api.start({**SEED, "contacts": known})
        self.hosts = [Host(n, self.api.port, self.postgres.uri) for n in range(hosts)]
        for host in self.hosts:
            host.start()
        self.times = {}  # of what happened, in seconds since the epoch

    def stop(self):
        for host in self.hosts:
            host.stop()
        self.api.process.kill()  # to save its state takes long and is for nobody
        self.api.stop()
        self.postgres.stop()
        shutil.rmtree(self.base, ignore_errors=True)

    def count(self):
        return sum(h.count() for h in self.hosts)

    def run(self):
        """Feeds all, with accidents, until nothing is under way."""
        mark = self.times
        mark["start"] = time.time()
        for phase, early in (("early", True), ("rest", False)):
            mails = [m for m in self.mails if m.early == early]
            if not early:
                random.Random(len(mails)).shuffle(mails)
            for host in self.hosts:
                host.feed(phase, mails, self.returned)
            if early:
                self.wait_fed()
        self.accidents()
        self.wait_fed()
        mark["fed"] = time.time()
        self.wait_settled()

    def wait_fed(self, seconds=900):
        end = time.monotonic() + seconds
        for host in self.hosts:
            for feeder in host.feeders:
                if feeder.wait(max(1, end - time.monotonic())) != 0:
                    raise AssertionError("a mail was not taken")

    def accidents(self):
        mark, all_mails, victim = self.times, len(self.mails), self.hosts[-1]
        base = self.count()

        def wait_share(share):
            while self.count() < base + (all_mails - base) * share:
                if all(f.poll() is not None for h in self.hosts for f in h.feeders):
                    break  # a small simulation may be through already
                time.sleep(0.1)
        wait_share(0.2)
        victim.kill()
        mark["killed"] = time.time()
        wait_share(0.4)
        self.postgres.kill()
        mark["down"] = time.time()
        time.sleep(4)
        mark["up"] = time.time()
        self.postgres.start()
        wait_share(0.55)
        victim.start()
        mark["back"] = time.time()

    def wait_settled(self, seconds=900):
        end = time.monotonic() + seconds
        while True:
            status = [h.daemons[1].status() for h in self.hosts]
            waiting = sum(s["inbox"] for s in status)
            if not waiting:
                self.times.setdefault("forwarded", time.time())
            if not waiting and not status[0]["pending"]:
                break
            if time.monotonic() > end:
                raise AssertionError(f"not settled: {status}\n" + "\n".join(
                    h.daemons[1].log()[-2000:] for h in self.hosts))
            time.sleep(0.5)
        self.times["settled"] = time.time()

    # --- what must be so ------------------------------------------------------

    def expected_latest(self):
        """person -> numbers of mails that may be the latest: hosts tell the
        time in whole seconds, and a mail that had to come again may count
        from either try."""
        taken = {}
        for host in self.hosts:
            taken.update(host.taken())
        if len(taken) != len(self.mails):
            raise AssertionError(f"{len(taken)} of {len(self.mails)} mails were taken")
        by_person = collections.defaultdict(list)
        for mail in self.mails:
            if mail.kind == "contact":
                by_person[mail.person].append(mail)

        def after(later, mail):
            first, ended = taken[later.number][0], taken[mail.number][2]
            # time(2) may be a tick behind.
            return (int(first - 0.02) > int(ended) or
                    (later.host == mail.host and first > ended))
        return {person: {m.number for m in list_ if not any(after(o, m) for o in list_)}
                for person, list_ in by_person.items()}

    def faults(self):
        """What is wrong, in words."""
        wrong = []
        contacts = collections.defaultdict(list)
        for contact in self.api.control("dump")["contacts"]:
            contacts[contact["email"]].append(contact)
        latest = self.expected_latest()
        who = collections.defaultdict(set)
        soft = collections.Counter()
        for mail in self.mails:
            who[mail.kind].add(mail.person)
            if mail.kind == "soft":
                soft[address(mail.person)] += 1
        for person in range(self.people):
            email = address(person)
            known = person < self.people // KNOWN
            found = contacts.pop(email, [])
            if len(found) != int(known or person in latest):
                wrong.append(f"{email} is there {len(found)} times")
                continue
            if not found:
                continue
            status = (STATUS_UNSUBSCRIBED if person in who["unsubscribe"] else
                      STATUS_BOUNCED if person in who["hard"] else
                      STATUS_KNOWN if known else STATUS_NEW)
            if found[0]["status"] != status:
                wrong.append(f"{email} has status {found[0]['status']}, not {status}")
            number = found[0]["customFields"].get(str(MOBILE))
            allowed = {mobile(n).replace(" ", "") for n in latest.get(person, ())} or {None}
            if (number and number.replace(" ", "")) not in allowed:
                wrong.append(f"{email} has {number}, not one of {sorted(allowed, key=str)}")
        wrong += [f"{email} is there and never wrote" for email in contacts]
        return wrong + self.store_faults(soft, who)

    def store_faults(self, soft, who):
        wrong = []
        lines = self.postgres.psql("SELECT subject, count(*) FROM event "
                                   "WHERE kind = 'soft' GROUP BY subject").split()
        counted = {line.split("|")[0]: int(line.split("|")[1]) for line in lines}
        if counted != dict(soft):
            wrong.append(f"{sum(counted.values())} soft bounces are counted, "
                         f"{sum(soft.values())} came")
        sent = int(self.postgres.psql("SELECT count(*) FROM sent"))
        if sent != len(self.returned) + 1:  # and that news@ has sent at all
            wrong.append(f"{sent} sent mails are known, {len(self.returned)} left")
        status = self.hosts[0].daemons[1].status()
        people = len(who["contact"] | who["hard"] | who["unsubscribe"])
        rows = int(self.postgres.psql("SELECT count(*) FROM contact"))
        wanted = {"pending": 0, "held": 0, "dead": 0, "contacts": people}
        for name, value in {**wanted, "rows": people}.items():
            have = rows if name == "rows" else status[name]
            if have != value:
                wrong.append(f"{name}: {have}, not {value}")
        return wrong

    # --- figures --------------------------------------------------------------

    def figures(self):
        mark = self.times
        taken = [t for h in self.hosts for t in h.taken().values()]

        def window(name, begin, end):
            times = [(e - b) * 1e3 for _, b, e in taken if begin <= e < end]
            if len(times) < 2:
                return f"{name}: nothing"
            return (f"{name}: {len(times) / (end - begin):.0f} mails/s, "
                    f"{statistics.median(times):.1f} ms (median), "
                    f"{statistics.quantiles(times, n=100)[98]:.0f} ms (p99)")
        log = self.api.control("log")
        jobs = log["jobs"] + log["total"]
        trips = sum(h.trips + h.round_trips() for h in self.hosts)
        down = mark["up"] - mark["down"]
        n = len(self.mails)
        written = int(self.postgres.psql("SELECT count(*) FROM contact"))
        return (f"{n} mails taken in {mark['fed'] - mark['start']:.0f} s; "
                f"forwarded {n / (mark['forwarded'] - mark['start']):.0f} observations/s; "
                f"{written} contacts true at the API after "
                f"{mark['settled'] - mark['start']:.0f} s "
                f"({written / (mark['settled'] - mark['start']):.0f}/s, {jobs} calls); "
                f"{trips / n:.2f} round trips to the database per observation; "
                + window("before the database died", mark["down"] - down, mark["down"])
                + "; " + window("while it was away", mark["down"], mark["up"]))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default=os.path.join(HERE, "../../build"))
    parser.add_argument("--observations", type=int, default=100000)
    parser.add_argument("--people", type=int, default=30000)
    parser.add_argument("--hosts", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=1)
    args = parser.parse_args()
    world.BUILD = os.path.abspath(args.build)
    right = 0
    for number in range(args.rounds):
        simulation = Simulation(args.observations, args.people, args.hosts, number)
        try:
            simulation.run()
            wrong = simulation.faults()
            print(f"round {number + 1}: {'WRONG' if wrong else 'right'}; "
                  f"{simulation.figures()}", flush=True)
            print("\n".join(wrong[:20]), end="\n" if wrong else "", flush=True)
            right += not wrong
        finally:
            simulation.stop()
    print(f"{right} of {args.rounds} rounds right", flush=True)
    return 0 if right == args.rounds else 1


if __name__ == "__main__":
    sys.exit(main())
