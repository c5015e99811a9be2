"""Sendmail for real, as README says: INPUT_MAIL_FILTER, and a mailer that hands
the reports which Sendmail writes itself to `contactctl ingest`.

Debian's sendmail conflicts with its postfix, so it is not installed: its
packages are fetched and unpacked into the test's own directory, and one daemon
runs from there. Skips when they cannot be had.
"""

import contextlib
import os
import re
import shutil
import signal
import smtplib
import subprocess
import tempfile
import unittest
from unittest import mock

from postfix import HOST, OUR_DOMAIN, free_port, wait_for
from world import (BUILD, SEED, USER, WITHIN, World, mail, remote_dsn,
                   signature_mail)

PACKAGES = ["sendmail-bin", "sendmail-base", "sendmail-cf"]
OFFICE, NEWS = f"office@{OUR_DOMAIN}", f"news@{OUR_DOMAIN}"
GROUP = "nogroup"

# The lines from INPUT_MAIL_FILTER on are the recipe of the README.
MC = """
divert(-1)
divert(0)dnl
OSTYPE(`linux')dnl
define(`QUEUE_DIR', `{base}/queue')dnl
define(`ALIAS_FILE', `{base}/aliases')dnl
define(`STATUS_FILE', `')dnl
define(`HELP_FILE', `')dnl
define(`confPID_FILE', `{base}/sendmail.pid')dnl
define(`confDOMAIN_NAME', `mail.{domain}')dnl
define(`confDONT_PROBE_INTERFACES', `True')dnl
define(`confTO_IDENT', `0')dnl
define(`confDEF_USER_ID', `{user}:{group}')dnl
define(`confTRUSTED_USER', `root')dnl
define(`confSERVICE_SWITCH_FILE', `{base}/service.switch')dnl
define(`confHOSTS_FILE', `{base}/hosts')dnl
define(`confLOG_LEVEL', `9')dnl
define(`confCW_FILE', `')dnl
define(`SMART_HOST', `relay:[{host}]')dnl
define(`RELAY_MAILER_ARGS', `TCP $h {sink_port}')dnl
define(`confCON_EXPENSIVE', `False')dnl
define(`confDELIVERY_MODE', `background')dnl
FEATURE(`promiscuous_relay')dnl
FEATURE(`accept_unresolvable_domains')dnl
FEATURE(`no_default_msa')dnl
FEATURE(`nocanonify')dnl
DAEMON_OPTIONS(`Port={port}, Addr={host}, Name=MTA')dnl
LOCAL_DOMAIN(`{domain}')dnl
INPUT_MAIL_FILTER(`contact-milter', `S={socket}, T=S:2s;R:2s;E:5s')dnl
MAILER(`local')dnl
MAILER(`smtp')dnl
MAILER_DEFINITIONS
Mingest, P={ctl}, F=lsDFMPqeu, U={user}:{group}, A=contactctl -c {config} ingest --from $g --to $u
LOCAL_RULE_0
R$+ < @ ingest.invalid . > $*	$#ingest $@ localhost $: $1
R$+ < @ ingest.invalid > $*	$#ingest $@ localhost $: $1
"""


def unpack(folder):
    """Debian's sendmail and the libraries that it lacks here; a skip if not."""
    def fetch(names):
        done = subprocess.run(["apt-get", "-q", "-o", "APT::Sandbox::User=root",
                               "download", *names], cwd=folder, text=True,
                              capture_output=True, timeout=100, check=False)
        if done.returncode != 0:
            raise unittest.SkipTest("Debian's sendmail cannot be fetched: "
                                    + done.stderr.strip().splitlines()[-1])

    def packages():
        return [os.path.join(folder, n) for n in os.listdir(folder) if n.endswith(".deb")]

    if not shutil.which("apt-get") or not shutil.which("m4"):
        raise unittest.SkipTest("needs apt-get and m4")
    if subprocess.run(["unshare", "--uts", "true"], capture_output=True,
                      check=False).returncode != 0:
        raise unittest.SkipTest("unshare --uts is not permitted here")
    fetch(PACKAGES)
    fields = "".join(subprocess.run(["dpkg-deb", "-f", p, "Depends"], check=True, text=True,
                                    capture_output=True).stdout for p in packages()
                     if "sendmail-bin" in p)

    def installed(name):
        done = subprocess.run(["dpkg-query", "-W", "-f", "${db:Status-Status}", name],
                              capture_output=True, check=False)
        return done.stdout == b"installed"

    libraries = [n for n in re.findall(r"(?:^|, )(lib[a-z0-9.+-]+)", fields)
                 if not installed(n)]
    if libraries:
        fetch(libraries)
    root = os.path.join(folder, "root")
    for package in packages():
        subprocess.run(["dpkg", "-x", package, root], check=True)
        os.unlink(package)
    return root


class Sendmail:
    def __init__(self, world, folder):
        self.base, self.world = folder, world
        self.root = unpack(folder)
        self.binary = os.path.join(self.root, "usr/libexec/sendmail/sendmail")
        os.chmod(self.binary, 0o755)  # set-group-ID ones ignore LD_LIBRARY_PATH
        self.port = free_port()
        self.process = None
        self.log = os.path.join(folder, "output")
        libraries = [os.path.join(self.root, lib, d) for lib in ("lib", "usr/lib")
                     for d in os.listdir("/usr/lib") if d.endswith("-linux-gnu")]
        self.environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
                            "LD_LIBRARY_PATH": ":".join(libraries)}
        ctl = os.path.join(folder, "contactctl")
        shutil.copy(os.path.join(BUILD, "contactctl"), ctl)
        os.chmod(ctl, 0o755)
        cf = os.path.join(self.root, "usr/share/sendmail/cf")
        text = MC.format(base=folder, domain=OUR_DOMAIN, host=HOST, port=self.port,
                         sink_port=world.postfix.sink.port, user=USER, group=GROUP,
                         socket=world.daemon.socket, ctl=ctl, config=world.daemon.config)
        self.write("sendmail.mc", text)
        made = subprocess.run(["m4", f"-D_CF_DIR_={cf}/", f"{cf}/m4/cf.m4",
                               os.path.join(folder, "sendmail.mc")], check=True,
                              capture_output=True, text=True).stdout
        self.write("sendmail.cf", made)
        self.write("aliases", "office: office@sink.example\n"
                              "news: news@ingest.invalid\nroot: /dev/null\n"
                              "postmaster: root\nmailer-daemon: postmaster\n")
        self.write("service.switch", "hosts files\naliases files\n")
        self.write("hosts", "127.0.0.1 localhost\n")
        os.makedirs(os.path.join(folder, "queue"), mode=0o700)

    def write(self, name, text):
        with open(os.path.join(self.base, name), "w", encoding="ascii") as f:
            f.write(text)
        os.chmod(os.path.join(self.base, name), 0o644)

    def command(self, *options):
        """With a host name of its own: Sendmail waits a minute for a qualified one."""
        return ["unshare", "--uts", "sh", "-c", 'hostname "$0"; exec "$@"',
                f"mail.{OUR_DOMAIN}", self.binary, f"-C{self.base}/sendmail.cf", *options]

    def run(self, *options):
        return subprocess.run(self.command(*options),
                              env=self.environment, capture_output=True, text=True,
                              timeout=60, check=False, stdin=subprocess.DEVNULL)

    def start(self):
        done = self.run("-bi")
        if done.returncode != 0:
            raise AssertionError(f"newaliases: {done.stdout}{done.stderr}")
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                self.command("-bD", "-X", f"{self.base}/traffic"), env=self.environment,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)

        def answers():
            if self.process.poll() is not None:
                raise AssertionError(f"sendmail ended: {self.read(self.log)}")
            try:
                with smtplib.SMTP(HOST, self.port, timeout=5):
                    return True
            except (OSError, smtplib.SMTPException):
                return False
        wait_for(answers, 20, "Sendmail answers")

    @staticmethod
    def read(path):
        with open(path, encoding="utf-8", errors="replace") as f:
            return f.read()

    def stop(self):
        if self.process is not None:
            # Its own session and process group: nothing else is in it.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
            # Its children have process groups of their own; they are told from
            # others by the directory that is theirs alone.
            for name in filter(str.isdigit, os.listdir("/proc")):
                with contextlib.suppress(OSError):
                    open_files = [os.readlink(f"/proc/{name}/fd/{fd}")
                                  for fd in os.listdir(f"/proc/{name}/fd")]
                    if any(f.startswith(f"{self.base}/queue/") for f in open_files):
                        os.kill(int(name), signal.SIGTERM)
            self.process = None

    def send(self, sender, recipient, data):
        with smtplib.SMTP(HOST, self.port, timeout=30) as smtp:
            smtp.ehlo("mx.client.example")
            self.world.postfix.transfer(smtp, sender, [recipient], data)


class SendmailTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # Below a directory that only root writes to: Sendmail insists.
        folder = tempfile.mkdtemp(prefix="contact-milter-sendmail-", dir="/var/lib")
        os.chmod(folder, 0o755)
        cls.addClassCleanup(shutil.rmtree, folder, True)
        with mock.patch("tempfile.tempdir", folder):
            cls.world = World()
        cls.addClassCleanup(cls.world.stop)
        cls.sendmail = Sendmail(cls.world, folder)
        cls.addClassCleanup(cls.sendmail.stop)
        cls.world.api.start(SEED)
        cls.world.daemon.start()
        cls.sendmail.start()
        cls.api, cls.sink = cls.world.api, cls.world.postfix.sink

    def seed(self, address):
        self.api.control("seed", {"contacts": [
            {"firstName": "Carol", "lastName": "Known", "email": address, "status": 1}]})

    def test_contact(self):
        first, last, address = self.world.person()
        self.sendmail.send(address, OFFICE, signature_mail(first, last, address))
        contact = self.world.wait_contact(address)
        self.assertEqual((contact["firstName"], contact["lastName"]), (first, last))
        wait_for(lambda: self.sink.find(address.encode()), 10, "delivered")
        # The queue ID that Sendmail logs stands at the head of our line.
        self.assertRegex(self.world.daemon.log(), rf"\b[0-9A-Za-z]{{14}}: contact={address}")

    def test_not_believed(self):
        first, last, address = self.world.person()
        self.sendmail.send(address, OFFICE, signature_mail(first, last, address, auth=None))
        wait_for(lambda: self.sink.find(address.encode()), 10, "delivered")
        self.world.settle()
        self.assertIsNone(self.api.contact(address))

    def test_remote_report(self):
        address = "remote.bob@client.example"
        self.seed(address)
        self.sendmail.send("", NEWS, remote_dsn(address))
        self.world.wait_contact(address, status=3)

    def test_own_report(self):
        """The next server refuses; Sendmail writes the report, no milter sees it."""
        address = "gone.carol@client.example"
        self.seed(address)
        self.sendmail.send(NEWS, address, mail(NEWS, to=address, subject="Our news",
                                               auth=None, body="Our spring offer!\r\n"))
        try:
            self.world.wait_contact(address, status=3)
        except AssertionError:
            traffic = self.sendmail.read(f"{self.sendmail.base}/traffic")
            raise AssertionError(f"{traffic[-3000:]}\n{self.world.daemon.log()[-2000:]}") from None

    def test_daemon_away(self):
        """Without F= mail passes when the filter is not there."""
        self.world.daemon.stop()
        try:
            self.sendmail.send("ann@client.example", OFFICE,
                               mail("ann@client.example", subject="While away"))
        finally:
            self.world.daemon.start()
        wait_for(lambda: self.sink.find(b"While away"), WITHIN, "delivered")


if __name__ == "__main__":
    unittest.main()
