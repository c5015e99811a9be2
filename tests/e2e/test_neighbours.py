"""Behind a real opendkim, with a real opendmarc after it, and behind a real rspamd,
in the list of milters, as most mail servers have it.

They verify with the key of a test domain (opendkim from a file, rspamd from a
dnsmasq of its own) and write Authentication-Results; we are last and believe
them. The signatures are made here with openssl(1).
"""

import base64
import contextlib
import hashlib
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

from postfix import HOST, OUR_DOMAIN, free_port, wait_for
from world import AUTHSERV, World, signature_mail

OPENDKIM = shutil.which("opendkim", path="/usr/sbin:/usr/bin")
OPENDMARC = shutil.which("opendmarc", path="/usr/sbin:/usr/bin")
RSPAMD = shutil.which("rspamd", path="/usr/sbin:/usr/bin")
DNSMASQ = shutil.which("dnsmasq", path="/usr/sbin:/usr/bin")
DOMAIN, SELECTOR = "client.example", "test"
OFFICE = "office@" + OUR_DOMAIN
OUTSIDE = {"client": "198.51.100.7", "name": "mx.client.example"}

CONFIG = """
Mode v
Background no
Socket {socket}
UMask 000
UserID nobody
PidFile {base}/opendkim.pid
Syslog no
AuthservID {authserv}
RemoveARFrom {authserv}
AlwaysAddARHeader yes
TestDNSData file:{base}/dns
InternalHosts {base}/internal
"""

OPENDMARC_CONFIG = """
Background false
Socket {socket}
UMask 000
UserID nobody
PidFile {base}/opendmarc.pid
Syslog false
AuthservID {authserv}
TrustedAuthservIDs {authserv}
IgnoreHosts {base}/ignored
TestDNSData {base}/dns
"""

RSPAMD_CONFIG = """
lua = "/usr/share/rspamd/rules/rspamd.lua";
options {{
  pidfile = "{base}/rspamd.pid";
  temp_dir = "{base}";
  filters = "dkim";
  dns {{ nameserver = ["{host}:{dns}"]; timeout = 1s; retransmits = 2; }}
  local_addrs = [];
  control_socket = "{base}/control.sock mode=0600";
  hs_cache_dir = "{base}";
  tld = "{base}/tld";
}}
logging {{ type = "console"; level = "notice"; }}
worker "rspamd_proxy" {{
  bind_socket = "{host}:{port}";
  milter = yes;
  timeout = 10s;
  count = 1;
  upstream "local" {{ default = yes; self_scan = yes; }}
}}
worker "normal" {{ enabled = false; }}
worker "controller" {{ enabled = false; }}
actions {{ reject = 1000; }}
dkim {{ dkim_cache_size = 10; }}
milter_headers {{
  use = ["authentication-results"];
  skip_local = false;
  skip_authenticated = false;
}}
modules {{ path = "/usr/share/rspamd/plugins/"; }}
"""


class Neighbour:
    """A milter of somebody else, with a key for DOMAIN: on a port of loopback, or
    with `local` on a unix socket."""

    command = None  # what runs it in the foreground

    def __init__(self, local=False):
        self.base = tempfile.mkdtemp(prefix="contact-milter-neighbour-")
        os.chmod(self.base, 0o755)
        self.port = free_port()
        self.milter = f"unix:{self.base}/sock" if local else f"inet:{HOST}:{self.port}"
        self.process = None
        self.key = os.path.join(self.base, "key.pem")
        subprocess.run(["openssl", "genrsa", "-out", self.key, "2048"], check=True,
                       capture_output=True)
        public = subprocess.run(["openssl", "rsa", "-in", self.key, "-pubout",
                                 "-outform", "DER"], check=True, capture_output=True).stdout
        self.record = f"v=DKIM1; k=rsa; p={base64.b64encode(public).decode()}"
        os.chown(self.base, pwd.getpwnam("nobody").pw_uid, -1)
        self.log = os.path.join(self.base, "log")

    def write(self, name, text):
        path = os.path.join(self.base, name)
        with open(path, "w", encoding="ascii") as f:
            f.write(text)
        os.chmod(path, 0o644)

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, start_new_session=True)

        def listens():
            if self.process.poll() is not None:
                with open(self.log, encoding="utf-8", errors="replace") as f:
                    raise AssertionError(f"{self.command[0]} ended: {f.read()[-2000:]}")
            kind, name = self.milter.split(":", 1)
            with contextlib.suppress(OSError), \
                    socket.socket(socket.AF_UNIX if kind == "unix" else socket.AF_INET) as s:
                s.connect(name if kind == "unix" else (HOST, self.port))
                return True
            return False
        wait_for(listens, 60, f"{self.command[0]} listens")

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                # Its own session: nothing else is in its process group.
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
            self.process = None

    def close(self):
        self.stop()
        shutil.rmtree(self.base, ignore_errors=True)

    def sign(self, data, domain=DOMAIN):
        """The mail with a DKIM-Signature on top (RFC 6376, relaxed/simple)."""
        head, body = data.split(b"\r\n\r\n", 1)
        fields = re.split(rb"\r\n(?![ \t])", head)
        body_hash = base64.b64encode(hashlib.sha256(
            body.rstrip(b"\r\n") + b"\r\n").digest()).decode()
        names = ("from", "to", "subject", "date", "message-id")
        signature = (f"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/simple; d={domain};\r\n"
                     f"\ts={SELECTOR}; h={':'.join(names)};\r\n\tbh={body_hash};\r\n\tb=")

        def relaxed(field):
            name, value = field.split(b":", 1)
            value = re.sub(rb"[ \t]+", b" ", value.replace(b"\r\n", b"")).strip()
            return name.lower().strip() + b":" + value

        chosen = [next(f for f in fields if f.lower().startswith(n.encode() + b":"))
                  for n in names]
        text = b"".join(relaxed(f) + b"\r\n" for f in chosen) + relaxed(signature.encode())
        made = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.key],
                              input=text, check=True, capture_output=True).stdout
        return signature.encode() + base64.b64encode(made) + b"\r\n" + data


class Opendkim(Neighbour):
    def __init__(self, local=False):
        super().__init__(local)
        self.write("dns", f"{SELECTOR}._domainkey.{DOMAIN} {self.record}\n")
        self.write("internal", "192.0.2.254\n")  # nobody: loopback is not trusted
        self.write("opendkim.conf", CONFIG.format(
            socket=f"local:{self.base}/sock" if local else f"inet:{self.port}@{HOST}",
            base=self.base, authserv=AUTHSERV))
        self.command = [OPENDKIM, "-f", "-x", os.path.join(self.base, "opendkim.conf")]


class Opendmarc(Neighbour):
    def __init__(self):
        super().__init__()
        self.write("dns", f"_dmarc.{DOMAIN} v=DMARC1; p=quarantine\n")
        self.write("ignored", "192.0.2.254\n")
        self.write("opendmarc.conf", OPENDMARC_CONFIG.format(
            socket=f"inet:{self.port}@{HOST}", base=self.base, authserv=AUTHSERV))
        self.command = [OPENDMARC, "-f", "-c", os.path.join(self.base, "opendmarc.conf")]


class Rspamd(Neighbour):
    def __init__(self):
        super().__init__()
        dns = free_port()
        pieces = [self.record[i:i + 200] for i in range(0, len(self.record), 200)]
        name = f"{SELECTOR}._domainkey.{DOMAIN}"
        self.dns = subprocess.Popen(  # answers nothing but the key
            [DNSMASQ, "--keep-in-foreground", "--user=nobody", "--conf-file=/dev/null", "--no-resolv", "--no-hosts",
             f"--port={dns}", f"--listen-address={HOST}", "--bind-interfaces",
             "--local=/#/", f"--pid-file={self.base}/dns.pid",
             f"--txt-record={','.join([name] + pieces)}"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.write("tld", "example\n")  # the whole list takes a minute to compile
        self.write("rspamd.conf", RSPAMD_CONFIG.format(port=self.port, host=HOST, dns=dns,
                                                       base=self.base))
        self.command = [RSPAMD, "-f", "-u", "nobody", "-g", "nogroup", "-c",
                        os.path.join(self.base, "rspamd.conf")]

    def close(self):
        self.dns.kill()
        self.dns.wait(10)
        super().close()


@unittest.skipUnless(OPENDKIM, "opendkim is not installed (Debian's package opendkim)")
class BehindOpendkim(unittest.TestCase):
    neighbour = Opendkim
    others = ()  # between the neighbour and us

    @classmethod
    def setUpClass(cls):
        cls.dkim = cls.neighbour()
        cls.addClassCleanup(cls.dkim.close)
        cls.world = World()
        cls.addClassCleanup(cls.world.stop)
        cls.before = [cls.dkim] + [other() for other in cls.others]
        for other in cls.before[1:]:
            cls.addClassCleanup(other.close)
        for other in cls.before:
            other.start()
        cls.world.postfix.configure(", ".join([other.milter for other in cls.before] +
                                              [cls.world.milter]))
        cls.world.start()
        cls.api, cls.postfix = cls.world.api, cls.world.postfix

    def send(self, signed=True, prepare=None, **options):
        """A new person's mail; her address."""
        first, last, address = self.world.person(options.pop("domain", DOMAIN))
        data = signature_mail(first, last, address, auth=None, **options)
        if signed:
            data = self.dkim.sign(data)
        if prepare:
            data = prepare(data)
        self.postfix.send(address, OFFICE, data, **OUTSIDE)
        return address

    def quiet(self):
        time.sleep(2)
        self.world.settle()

    def test_believed(self):
        signed = self.send()
        self.world.wait_contact(signed)
        delivered = wait_for(lambda: self.postfix.sink.find(signed.encode()))
        self.assertIn(f"Authentication-Results: {AUTHSERV}".encode(), delivered.data)
        self.assertIn(b"dkim=pass", delivered.data)

        forged = f"Authentication-Results: {AUTHSERV}; dkim=pass header.d={DOMAIN}\r\n".encode()
        others = {
            "unsigned": self.send(signed=False),
            "changed after signing": self.send(
                prepare=lambda d: d.replace(b"412 345 678", b"412 345 679")),
            "signed by another domain": self.send(domain="victim.example"),
            "forged results on top": self.send(signed=False, prepare=lambda d: forged + d),
            "forged results, faulty signature": self.send(
                prepare=lambda d: forged + d.replace(b"Sales", b"Money")),
        }
        self.quiet()
        for name, address in others.items():
            with self.subTest(name):
                self.assertIsNone(self.api.contact(address))

    def test_restarts(self):
        """Each is stopped and started again while mail flows: all mail arrives,
        and what comes when both are there again has its effect."""
        running, addresses, errors = threading.Event(), [], []

        def flow():
            try:
                while not running.is_set():
                    addresses.append(self.send())
                    time.sleep(0.05)
            except Exception as error:  # pylint: disable=broad-except
                errors.append(error)

        thread = threading.Thread(target=flow)
        thread.start()
        try:
            for stop, start in [(other.stop, other.start) for other in
                                self.before + [self.world.daemon]]:
                for function in (stop, start):
                    time.sleep(0.5)
                    function()
            time.sleep(0.5)
        finally:
            running.set()
            thread.join(60)
        self.assertEqual(errors, [])
        self.assertGreater(len(addresses), 10)
        for address in addresses:
            wait_for(lambda a=address: self.postfix.sink.find(a.encode()), 10,
                     f"{address} delivered")
        self.world.wait_contact(self.send())
        self.world.wait_contact(addresses[0])


@unittest.skipUnless(OPENDKIM and OPENDMARC, "opendkim or opendmarc is not installed "
                     "(Debian's packages)")
class BehindOpendmarc(BehindOpendkim):
    others = (Opendmarc,)

    def test_its_result_is_there(self):
        signed = self.send()
        delivered = wait_for(lambda: self.postfix.sink.find(signed.encode()))
        self.assertRegex(delivered.data, rb"dmarc=pass \(p=quarantine")
        self.world.wait_contact(signed)


@unittest.skipUnless(RSPAMD and DNSMASQ, "rspamd or dnsmasq is not installed (Debian's "
                     "packages rspamd, dnsmasq-base)")
class BehindRspamd(BehindOpendkim):
    neighbour = Rspamd


if __name__ == "__main__":
    unittest.main()
