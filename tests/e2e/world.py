"""world - everything that one end-to-end test needs, below one directory

World() starts the stand-in API, the daemon and a private Postfix, and hands out
addresses, mails and what the API has. The daemon runs as user nobody, from a
copy of the binary that it may read.
"""

import contextlib
import email.utils
import http.client
import json
import os
import pwd
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from postfix import HOST, OUR_DOMAIN, SLOW, Postfix, free_port, wait_for

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("BUILD", os.path.join(SOURCE, "build"))
USER = "nobody"
AUTHSERV = f"mail.{OUR_DOMAIN}"
JOB_TITLE, MOBILE = 501, 502
GROUPS = [10, 11]
# Exit status of its own for errors and leaks; what the libraries never free on
# purpose is not counted.
VALGRIND_FOUND = 99
VALGRIND = ["valgrind", "--quiet", f"--error-exitcode={VALGRIND_FOUND}",
            "--leak-check=full", "--errors-for-leak-kinds=definite",
            "--show-leak-kinds=definite", "--fair-sched=yes",
            f"--suppressions={SOURCE}/tests/valgrind.supp"
            ] if os.environ.get("VALGRIND") else []
WITHIN = 10  # seconds from the mail to the API: what is promised

SEED = {
    "fields": [
        {"fieldId": JOB_TITLE, "fieldType": 0, "displayName": "Job title",
         "isRequired": False, "isActive": True},
        {"fieldId": MOBILE, "fieldType": 0, "displayName": "Mobile",
         "isRequired": False, "isActive": True},
    ],
    "groups": [{"id": 10, "groupName": "Mail", "memberCount": 0, "tagColour": "#00f"},
               {"id": 11, "groupName": "New", "memberCount": 0, "tagColour": "#0f0"}],
    "contacts": [],
}


class Api:
    """The stand-in, as a process that can be stopped and started again."""

    def __init__(self, base):
        self.base = base
        self.port = free_port()
        self.process = None
        self.state = os.path.join(base, "api-state.json")

    def start(self, seed=None, *options):
        self.process = subprocess.Popen(
            [sys.executable, os.path.join(SOURCE, "tests/api/ivvy-standin"), "--port",
             str(self.port), "--state", self.state, *options],
            stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
        line = self.process.stdout.readline()
        if b"listening" not in line:
            raise AssertionError(f"the stand-in says {line!r}")
        if seed:
            self.control("seed", seed)

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait(10)
            self.process.stdout.close()
            self.process = None

    def control(self, name, data=None):
        connection = http.client.HTTPConnection(HOST, self.port, timeout=10)
        with contextlib.closing(connection):
            if data is None and name in ("dump", "log"):
                connection.request("GET", f"/control/{name}")
            else:
                connection.request("POST", f"/control/{name}", json.dumps(data or {}))
            return json.loads(connection.getresponse().read())

    def contacts(self, address):
        return [c for c in self.control("dump")["contacts"] if c["email"] == address]

    def contact(self, address):
        """The one contact of that address, or None."""
        found = self.contacts(address)
        if len(found) > 1:
            raise AssertionError(f"{address} is there {len(found)} times")
        return found[0] if found else None

    def calls(self):
        return self.control("log")["total"]


class Daemon:
    """contact-milter itself."""

    def __init__(self, base, api_port, socket_name=None, name="daemon"):
        self.base, self.name = base, name
        self.socket = socket_name or f"unix:{base}/run/milter.sock"
        self.config = os.path.join(base, f"{name}.conf")
        self.log_path = os.path.join(base, f"{name}.log")
        self.state = os.path.join(base, "state")
        self.notify_path = os.path.join(base, f"{name}.notify")
        self.notify = None
        self.process = None
        self.api_port = api_port
        self.binary = os.path.join(base, "contact-milter")
        if not os.path.exists(self.binary):
            shutil.copy(os.path.join(BUILD, "contact-milter"), self.binary)
            os.chmod(self.binary, 0o755)
        user = pwd.getpwnam(USER)
        self.uid, self.gid = user.pw_uid, user.pw_gid
        for folder in ("run", "state"):
            path = os.path.join(base, folder)
            os.makedirs(path, exist_ok=True)
            os.chown(path, self.uid, self.gid)
        self.secret = os.path.join(base, "secret")
        with open(self.secret, "w", encoding="utf-8") as f:
            f.write("test-secret\n")
        os.chmod(self.secret, 0o600)
        os.chown(self.secret, self.uid, self.gid)
        self.configure()

    def settings(self):
        return {
            "mta": {"socket": self.socket, "socket_mode": "0666",
                    "local_domains": OUR_DOMAIN},
            "api": {"endpoint": f"http://{HOST}:{self.api_port}", "key": "test-key",
                    "secret_file": self.secret, "timeout": "5s"},
            "contact": {"groups": ", ".join(map(str, GROUPS))},
            "custom_fields": {"job_title": JOB_TITLE, "mobile": MOBILE},
            "trust": {"authserv_ids": AUTHSERV, "spf": "no"},
            "store": {"spool": f"{self.state}/spool.db",
                      "uri": f"sqlite:{self.state}/contacts.db"},
            "log": {"target": "stderr", "level": "debug"},
        }

    def configure(self, **changes):
        """Writes the configuration; configure(bounce={"evidence": "any"})."""
        settings = self.settings()
        for section, values in changes.items():
            settings.setdefault(section, {}).update(values)
        with open(self.config, "w", encoding="utf-8") as f:
            for section, values in settings.items():
                f.write(f"[{section}]\n")
                f.writelines(f"{k} = {v}\n" for k, v in values.items() if v is not None)
        os.chmod(self.config, 0o644)

    def start(self, *options, env=None, wait=True, descriptors=None):
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.notify_path)
        self.notify.bind(self.notify_path)
        os.chmod(self.notify_path, 0o777)
        self.notify.settimeout(20)
        environment = {"PATH": "/usr/bin:/bin", "TZ": "UTC",
                       "NOTIFY_SOCKET": self.notify_path, **self.passed_on(),
                       **(env or {})}
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [*VALGRIND, self.binary, "-c", self.config, *options], env=environment,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/",
                user=self.uid, group=self.gid, extra_groups=[],
                preexec_fn=descriptors and (lambda: resource.setrlimit(
                    resource.RLIMIT_NOFILE, (descriptors, descriptors))))
        if wait:
            self.wait_ready()

    @staticmethod
    def passed_on():
        """What steers sanitizers goes on to the daemon."""
        return {k: v for k, v in os.environ.items()
                if k.endswith("SAN_OPTIONS") or k == "G_SLICE"}

    def told(self, seconds=20):
        """The next datagram that it sends to the service manager."""
        self.notify.settimeout(seconds)
        try:
            return self.notify.recv(4096).decode()
        except TimeoutError:
            return None

    def wait_ready(self, seconds=20):
        end = time.monotonic() + seconds * SLOW
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise AssertionError(f"it ended with {self.process.returncode}:\n{self.log()}")
            message = self.told(0.2)
            if message and "READY=1" in message:
                return
        raise AssertionError(f"not ready within {seconds} s:\n{self.log()}")

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as f:
            return f.read()

    def send_signal(self, number):
        os.kill(self.process.pid, number)

    def kill(self):
        """As a power failure, or the kernel out of memory."""
        self.process.kill()
        self.process.wait()
        self.close_notify()

    def close_notify(self):
        if self.notify is not None:
            self.notify.close()
            self.notify = None

    def stop(self, number=signal.SIGTERM, seconds=20):
        """Stops it; its exit status."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.send_signal(number)
        try:
            status = self.process.wait(seconds * SLOW)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"it did not stop:\n{self.log()[-3000:]}") from None
        finally:
            self.close_notify()
            self.process = None
        if VALGRIND and status == VALGRIND_FOUND:
            raise AssertionError(f"valgrind found something:\n{self.log()[-10000:]}")
        return status

    def memory(self):
        """Peak resident memory in bytes."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as f:
            return int(re.search(r"VmHWM:\s+(\d+) kB", f.read()).group(1)) * 1024

    def ctl(self, *arguments, **kwargs):
        """contactctl's output (text)."""
        done = subprocess.run([os.path.join(BUILD, "contactctl"), "-c", self.config,
                               *arguments], capture_output=True, text=True,
                              timeout=60, check=False, **kwargs)
        if done.returncode != 0:
            raise AssertionError(f"contactctl {arguments}: {done.returncode} {done.stderr}")
        return done.stdout

    def status(self):
        return json.loads(self.ctl("status", "--json"))


class World:
    def __init__(self, tcp=False, settings=None, postfix_extra="", smtpd_limit="-"):
        self.base = tempfile.mkdtemp(prefix="contact-milter-test-")
        os.chmod(self.base, 0o755)
        self.api = Api(self.base)
        name = f"inet:{free_port()}@{HOST}" if tcp else None
        self.daemon = Daemon(self.base, self.api.port, name)
        if settings:
            self.daemon.configure(**settings)
        # Postfix names TCP sockets host:port.
        self.milter = self.daemon.socket
        if tcp:
            port, host = self.daemon.socket.removeprefix("inet:").split("@")
            self.milter = f"inet:{host}:{port}"
        os.makedirs(os.path.join(self.base, "postfix"))
        self.postfix = Postfix(os.path.join(self.base, "postfix"), self.milter,
                               postfix_extra, smtpd_limit)
        self.people = 0

    def start(self, *options):
        self.api.start(SEED)
        self.daemon.start(*options)
        self.postfix.start()
        return self

    def stop(self):
        errors = []
        for what in (self.postfix, self.daemon, self.api):
            try:
                what.stop()
            except AssertionError as error:
                errors.append(str(error))
        shutil.rmtree(self.base, ignore_errors=True)
        if errors:
            raise AssertionError("\n".join(errors))

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    # --- mails ----------------------------------------------------------------

    def person(self, domain="client.example"):
        """A new invented person: (first name, last name, address)."""
        self.people += 1
        last = "Sample" + "".join(chr(ord("a") + int(d)) for d in str(self.people))
        return "Ann", last, f"ann.{last.lower()}@{domain}"

    def wait_contact(self, address, **wanted):
        """The contact once it is there and has these values."""
        def there():
            contact = self.api.contact(address)
            if contact and all(contact.get(k) == v for k, v in wanted.items()):
                return contact
            return None
        return wait_for(there, WITHIN, f"contact {address} {wanted} "
                        f"(has {self.api.contacts(address)})")

    def settle(self, seconds=10):
        """Waits until nothing is under way any more."""
        def idle():
            status = self.daemon.status()
            return status["inbox"] == 0 and status["pending"] == 0
        wait_for(idle, seconds, "inbox and pending empty", every=0.1)


def mail(sender, to="office@" + OUR_DOMAIN, subject="Your offer", body="Hello,\r\n",
         auth="pass", name=None, headers=(), message_id=None):
    """A mail as it arrives, with the Authentication-Results of our own border
    (auth: pass, fail, none or None for no such field). Bytes, CRLF."""
    domain = sender.rsplit("@", 1)[1]
    lines = []
    if auth is not None:
        result = {"pass": f"dmarc=pass header.from={domain}; spf=pass smtp.mailfrom={sender}; "
                          f"dkim=pass header.d={domain}",
                  "fail": f"dmarc=fail header.from={domain}; spf=fail smtp.mailfrom={sender}",
                  "none": "none"}[auth]
        lines.append(f"Authentication-Results: {AUTHSERV}; {result}")
    lines += [
        f"Received: from mx.{domain} (mx.{domain} [198.51.100.7])\r\n"
        f"\tby border.{OUR_DOMAIN} with ESMTPS id 4a; Mon, 2 Mar 2026 10:00:00 +0000",
        f"From: {email.utils.formataddr((name or '', sender))}",
        f"To: {to}",
        f"Subject: {subject}",
        f"Date: {email.utils.formatdate()}",
        f"Message-ID: {message_id or email.utils.make_msgid(domain=domain)}",
        "MIME-Version: 1.0",
    ]
    if not any(h.lower().startswith("content-type:") for h in headers):
        lines += ["Content-Type: text/plain; charset=utf-8",
                  "Content-Transfer-Encoding: 8bit"]
    lines += headers
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def signature_mail(first, last, address, title="Head of Sales", mobile="+61 412 345 678",
                   phone="+61 2 9876 5432", **options):
    """A mail with a full signature."""
    body = (f"Hello,\r\n\r\nthank you for the offer, we will come back to you.\r\n\r\n"
            f"Kind regards\r\n\r\n-- \r\n{first} {last}\r\n{title}\r\n"
            f"Client Events Pty Ltd\r\nPhone: {phone}\r\nMobile: {mobile}\r\n"
            f"{address}\r\nwww.client.example\r\n")
    return mail(address, name=f"{first} {last}", body=body, **options)


def remote_dsn(failed, original_sender="news@" + OUR_DOMAIN, status="5.1.1",
               original_id="<offer-1@ours.example>", text="user unknown"):
    """A report from another server about a mail of ours."""
    body = (
        "--b1\r\nContent-Type: text/plain\r\n\r\n"
        f"Your message could not be delivered:\r\n<{failed}>: {text}\r\n\r\n"
        "--b1\r\nContent-Type: message/delivery-status\r\n\r\n"
        "Reporting-MTA: dns; mx.client.example\r\n\r\n"
        f"Final-Recipient: rfc822; {failed}\r\nAction: failed\r\nStatus: {status}\r\n"
        f"Diagnostic-Code: smtp; 550 {status} <{failed}>: {text}\r\n\r\n"
        "--b1\r\nContent-Type: text/rfc822-headers\r\n\r\n"
        f"Return-Path: <{original_sender}>\r\nFrom: News <{original_sender}>\r\n"
        f"To: {failed}\r\nSubject: Our news\r\nMessage-ID: {original_id}\r\n\r\n"
        "--b1--\r\n")
    return mail("mailer-daemon@client.example", to=original_sender,
                name="Mail Delivery System",
                subject="Undelivered Mail Returned to Sender", body=body, auth=None,
                headers=["Auto-Submitted: auto-replied",
                         "Content-Type: multipart/report; "
                         "report-type=delivery-status; boundary=b1"])
