"""postfix - a private Postfix, and a server that keeps what it delivers

Everything (configuration, queue, data, log) is below one directory; the system's
own Postfix is neither read nor touched. Runs master(8) as a child, so it needs
no service manager and no syslog: postlogd(8) writes the log file. Needs root,
as Postfix does, and the user and groups that Debian's package makes.
"""

import contextlib
import grp
import os
import pwd
import shutil
import signal
import smtplib
import socket
import socketserver
import subprocess
import threading
import time

DAEMONS = "/usr/lib/postfix/sbin"
HOST = "127.0.0.1"
SLOW = int(os.environ.get("SLOW", "1"))  # tests/e2e/run --slow
OUR_DOMAIN = "ours.example"

MAIN_CF = """
compatibility_level = 3.6
queue_directory = {base}/queue
data_directory = {base}/data
command_directory = /usr/sbin
daemon_directory = {daemons}
mail_owner = postfix
setgid_group = postdrop
maillog_file = {base}/mail.log
maillog_file_prefixes = {base}
syslog_name = test
myhostname = mail.{domain}
mydomain = {domain}
myorigin = {domain}
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
alias_database =
local_recipient_maps =
relay_domains = {domain}
relayhost = [{host}]:{sink_port}
smtp_dns_support_level = disabled
smtp_host_lookup = native
smtpd_peername_lookup = no
smtpd_relay_restrictions = check_client_access static:OK, reject_unauth_destination
smtpd_recipient_restrictions =
smtpd_authorized_xclient_hosts = 127.0.0.0/8
smtpd_sasl_auth_enable = no
smtpd_client_connection_rate_limit = 0
smtpd_client_connection_count_limit = 0
smtpd_error_sleep_time = 0
message_size_limit = 100000000
smtpd_timeout = 60s
minimal_backoff_time = 300s
in_flow_delay = 0
default_destination_concurrency_limit = 50
# Bounces that this Postfix writes itself are seen by milters only so:
internal_mail_filter_classes = bounce
milter_default_action = accept
milter_connect_timeout = 5s
milter_command_timeout = 10s
milter_content_timeout = 30s
smtpd_milters = {milters}
non_smtpd_milters = {milters}
{extra}
"""

MASTER_CF = """
{host}:{port} inet n - n - {smtpd_limit} smtpd
pickup    unix  n - n 60   1 pickup
cleanup   unix  n - n -    0 cleanup
qmgr      unix  n - n 300  1 qmgr
rewrite   unix  - - n -    - trivial-rewrite
bounce    unix  - - n -    0 bounce
defer     unix  - - n -    0 bounce
trace     unix  - - n -    0 bounce
verify    unix  - - n -    1 verify
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n -    - proxymap
smtp      unix  - - n -    - smtp
relay     unix  - - n -    - smtp
showq     unix  n - n -    - showq
error     unix  - - n -    - error
retry     unix  - - n -    - error
discard   unix  - - n -    - discard
local     unix  - n n -    - local
anvil     unix  - - n -    1 anvil
scache    unix  - - n -    1 scache
tlsmgr    unix  - - n 1000? 1 tlsmgr
postlog   unix-dgram n - n - 1 postlogd
"""


def free_port():
    """A port of loopback that nobody uses at the moment."""
    with socket.socket() as s:
        s.bind((HOST, 0))
        return s.getsockname()[1]


def wait_for(condition, seconds=10, what="condition", every=0.02):
    """Calls condition() until it gives something true; returns that."""
    seconds *= SLOW
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {seconds} s")
        time.sleep(every)


class Delivered:
    """One message as the sink got it."""

    def __init__(self, sender, recipients, data):
        self.sender, self.recipients, self.data = sender, recipients, data

    def original(self):
        """The bytes without the Received: field that Postfix put on top."""
        end = self.data.index(b"\r\n") + 2
        while self.data[end:end + 1] in (b" ", b"\t"):
            end = self.data.index(b"\r\n", end) + 2
        return self.data[end:]


class SinkHandler(socketserver.StreamRequestHandler):
    """Enough of ESMTP for smtp(8). Local-parts that begin with "gone" get 550
    5.1.1, with "full" 552 5.2.2."""

    disable_nagle_algorithm = True

    def say(self, line):
        self.wfile.write(line.encode() + b"\r\n")

    def read_data(self):
        lines = []
        for line in self.rfile:
            if line == b".\r\n":
                return b"".join(lines)
            lines.append(line[1:] if line.startswith(b".") else line)
        return None

    def handle(self):
        with contextlib.suppress(ConnectionError):
            self.serve()

    def serve(self):
        sender, recipients = "", []
        self.say("220 sink.example ESMTP")
        for line in self.rfile:
            verb = line[:4].upper()
            if verb in (b"EHLO", b"HELO"):
                self.say("250-sink.example")
                self.say("250-8BITMIME")
                self.say("250-ENHANCEDSTATUSCODES")
                self.say("250 SMTPUTF8")
            elif verb == b"MAIL":
                sender = line.split(b"<", 1)[1].split(b">")[0].decode()
                recipients = []
                self.say("250 2.1.0 ok")
            elif verb == b"RCPT":
                to = line.split(b"<", 1)[1].split(b">")[0].decode()
                if to.startswith("gone"):
                    self.say("550 5.1.1 no such user here")
                elif to.startswith("full"):
                    self.say("552 5.2.2 mailbox full")
                else:
                    recipients.append(to)
                    self.say("250 2.1.5 ok")
            elif verb == b"DATA":
                self.say("354 go ahead")
                data = self.read_data()
                if data is None:
                    return
                self.server.sink.keep(Delivered(sender, recipients, data))
                self.say("250 2.0.0 kept")
            elif verb == b"QUIT":
                self.say("221 2.0.0 bye")
                return
            elif verb in (b"RSET", b"NOOP"):
                self.say("250 2.0.0 ok")
            else:
                self.say("500 5.5.1 what?")


class SinkServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128


class Sink:
    """Where everything is delivered to."""

    def __init__(self):
        self.lock = threading.Lock()
        self.messages = []
        self.count = 0
        self.keeping = True  # False: count only (load tests)
        self.server = SinkServer((HOST, 0), SinkHandler)
        self.server.sink = self
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def keep(self, message):
        with self.lock:
            self.count += 1
            if self.keeping:
                self.messages.append(message)

    def find(self, text):
        """The first message that has these bytes in it, or None."""
        with self.lock:
            return next((m for m in self.messages if text in m.data), None)

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Postfix:
    """`base` is a directory that all users may enter; `milters` what
    smtpd_milters shall say."""

    def __init__(self, base, milters="", extra="", smtpd_limit="-"):
        self.base = base
        self.sink = Sink()
        self.port = free_port()
        self.process = None
        self.config = os.path.join(base, "etc")
        self.log = os.path.join(base, "mail.log")
        self.make_folders()
        self.configure(milters, extra, smtpd_limit)

    def make_folders(self):
        owner = pwd.getpwnam("postfix").pw_uid
        drop = grp.getgrnam("postdrop").gr_gid
        os.makedirs(self.config, exist_ok=True)
        os.makedirs(os.path.join(self.base, "data"), exist_ok=True)
        os.chown(os.path.join(self.base, "data"), owner, -1)
        queue = os.path.join(self.base, "queue")
        os.makedirs(os.path.join(queue, "pid"), exist_ok=True)
        for name in ("active", "bounce", "corrupt", "defer", "deferred", "flush",
                     "hold", "incoming", "private", "saved", "trace", "maildrop",
                     "public"):
            path = os.path.join(queue, name)
            os.makedirs(path, exist_ok=True)
            os.chown(path, owner, -1)
            os.chmod(path, 0o700)
        for name, mode in (("maildrop", 0o730), ("public", 0o710)):
            path = os.path.join(queue, name)
            os.chown(path, owner, drop)
            os.chmod(path, mode)

    def configure(self, milters, extra="", smtpd_limit="-"):
        """Writes main.cf and master.cf; takes effect at start() or reload()."""
        values = {"base": self.base, "daemons": DAEMONS, "domain": OUR_DOMAIN,
                  "host": HOST, "port": self.port, "sink_port": self.sink.port,
                  "milters": milters, "extra": extra, "smtpd_limit": smtpd_limit}
        for name, text in (("main.cf", MAIN_CF), ("master.cf", MASTER_CF)):
            with open(os.path.join(self.config, name), "w", encoding="utf-8") as f:
                f.write(text.format(**values))

    def start(self):
        self.process = subprocess.Popen(
            [DAEMONS + "/master", "-d", "-c", self.config],
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "MAIL_CONFIG": self.config,
                 "TZ": "UTC"},
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True)
        try:
            wait_for(self.answers, 60, "Postfix answers")
        except AssertionError:
            raise AssertionError(f"Postfix does not answer; its log:\n{self.read_log()}") from None

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"master ended; its log:\n{self.read_log()}")
        try:
            with smtplib.SMTP(HOST, self.port, timeout=5):
                return True
        except (OSError, smtplib.SMTPException):
            return False

    def reload(self):
        os.kill(self.process.pid, signal.SIGHUP)
        time.sleep(0.2)

    def read_log(self):
        with contextlib.suppress(OSError), \
                open(self.log, encoding="utf-8", errors="replace") as f:
            return f.read()
        return ""

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            # Its own session and process group: nothing else is in it.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        self.process = None
        self.sink.close()
        shutil.rmtree(os.path.join(self.base, "queue"), ignore_errors=True)

    # --- sending -------------------------------------------------------------

    def connect(self, client="198.51.100.7", name=None, helo=None, login=None):
        """An SMTP connection that Postfix believes to come from `client`."""
        # Without a name of ours smtplib asks DNS for one, and waits.
        smtp = smtplib.SMTP(HOST, self.port, local_hostname="localhost", timeout=30)
        smtp.ehlo("localhost")
        if client is not None:
            attributes = [f"ADDR={client}", f"NAME={name or '[UNAVAILABLE]'}"]
            if helo:
                attributes.append(f"HELO={helo}")
            if login:
                attributes.append(f"LOGIN={login}")
            code, answer = smtp.docmd("XCLIENT", " ".join(attributes))
            if code != 220:
                raise AssertionError(f"XCLIENT: {code} {answer!r}")
        smtp.ehlo(helo or name or "client.example")
        return smtp

    def send(self, sender, recipients, data, **client):
        """Sends `data` (bytes, CRLF line ends); returns the queue ID."""
        if isinstance(recipients, str):
            recipients = [recipients]
        with self.connect(**client) as smtp:
            return self.transfer(smtp, sender, recipients, data)

    @staticmethod
    def transfer(smtp, sender, recipients, data):
        for code, answer in [smtp.mail(sender)] + [smtp.rcpt(r) for r in recipients]:
            if code != 250:
                raise AssertionError(f"SMTP: {code} {answer!r}")
        code, answer = smtp.data(data)
        if code != 250:
            raise AssertionError(f"end of message: {code} {answer!r}")
        return answer.decode().rsplit(" ", 1)[-1]
