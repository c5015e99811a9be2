"""postgres - a private PostgreSQL server below one directory

As user nobody, on a unix socket; with TLS also on a port of 127.0.0.1, where a
certificate of its own authority and passwords are demanded.
"""

import glob
import os
import pwd
import shutil
import subprocess
import tempfile
import unittest

from postfix import HOST, free_port, wait_for

HBA = """local all all trust
hostssl all all 127.0.0.1/32 scram-sha-256
"""


class Postgres:
    def __init__(self, tls=False):
        found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"))
        if not found:
            raise unittest.SkipTest("PostgreSQL is not installed")
        self.bin = os.path.dirname(found[-1])
        self.user = pwd.getpwnam("nobody")
        self.base = tempfile.mkdtemp(prefix="contact-milter-pg-")
        os.chmod(self.base, 0o755)
        os.chown(self.base, self.user.pw_uid, self.user.pw_gid)
        self.data = os.path.join(self.base, "data")
        self.run("initdb", "-D", self.data, "-A", "trust", "-U", "milter", "-N")
        self.uri = f"postgresql:///postgres?host={self.base}&user=milter"
        self.process = None
        self.port = 5432
        self.options = ["-c", "listen_addresses="]
        if tls:
            self.prepare_tls()

    def path(self, name):
        return os.path.join(self.base, name)

    def prepare_tls(self):
        """An authority, and a certificate for 127.0.0.1 that it signed."""
        self.port = free_port()
        self.authority("ca")
        with open(self.path("san"), "w", encoding="ascii") as f:
            f.write("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
        for words in (("req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout",
                       self.path("server.key"), "-out", self.path("server.csr"),
                       "-subj", "/CN=localhost"),
                      ("x509", "-req", "-in", self.path("server.csr"), "-CA",
                       self.path("ca.crt"), "-CAkey", self.path("ca.key"),
                       "-CAcreateserial", "-days", "2", "-extfile", self.path("san"),
                       "-out", self.path("server.crt"))):
            subprocess.run(["openssl", *words], check=True, capture_output=True)
        for name in ("server.key", "server.crt"):
            os.chown(self.path(name), self.user.pw_uid, self.user.pw_gid)
            os.chmod(self.path(name), 0o600)
        with open(os.path.join(self.data, "pg_hba.conf"), "w", encoding="ascii") as f:
            f.write(HBA)
        self.options = ["-c", f"listen_addresses={HOST}", "-p", str(self.port),
                        "-c", "ssl=on", "-c", f"ssl_cert_file={self.path('server.crt')}",
                        "-c", f"ssl_key_file={self.path('server.key')}"]

    def authority(self, name):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes",
                        "-keyout", self.path(name + ".key"), "-out",
                        self.path(name + ".crt"), "-days", "2", "-subj", f"/CN={name}"],
                       check=True, capture_output=True)
        return self.path(name + ".crt")

    def run(self, program, *arguments):
        subprocess.run([os.path.join(self.bin, program), *arguments], check=True,
                       stdout=subprocess.DEVNULL, cwd="/", user=self.user.pw_uid,
                       group=self.user.pw_gid, extra_groups=[])

    def psql(self, sql, database="postgres", *options):
        """What psql prints, as the superuser."""
        done = subprocess.run(["psql", "-qAt", "-h", self.base, "-p", str(self.port),
                               "-U", "milter", "-d", database, *options],
                              input=sql, capture_output=True, text=True, check=True)
        return done.stdout

    def start(self):
        self.process = subprocess.Popen(
            [os.path.join(self.bin, "postgres"), "-D", self.data, "-k", self.base,
             *self.options], stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, cwd="/", user=self.user.pw_uid,
            group=self.user.pw_gid, extra_groups=[])
        wait_for(lambda: subprocess.run(
            [os.path.join(self.bin, "pg_isready"), "-q", "-h", self.base, "-p",
             str(self.port), "-U", "milter"], check=False).returncode == 0, 20,
            "PostgreSQL")

    def kill(self):
        """SIGQUIT: the server ends at once, as in a crash, and recovers later."""
        self.process.send_signal(3)
        self.process.wait(20)
        self.process = None

    def stop(self):
        if self.process is not None:
            self.kill()
        shutil.rmtree(self.base, ignore_errors=True)
