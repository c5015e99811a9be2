"""Both roles under the restrictions of their systemd units, as far as they can
be had without systemd as process 1.

unshare(1), mount(8), setpriv(1) and prctl(2) stand in for PrivateNetwork,
ProtectSystem, InaccessiblePaths, User, CapabilityBoundingSet, NoNewPrivileges,
LimitNOFILE, LoadCredential and (from Linux 6.3 on) MemoryDenyWriteExecute.
strace(1), if it is there, lists the system calls for SystemCallFilter. Not
covered: RestrictAddressFamilies, RestrictNamespaces, PrivateUsers, devices,
/proc, and that systemd itself understands the unit (systemd-analyze does that).
"""

import ctypes
import os
import re
import shutil
import subprocess
import unittest
import unittest.mock

from postfix import OUR_DOMAIN, wait_for
from world import SOURCE, Daemon, World, signature_mail

PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN = 65, 1
SCRIPT = """#!/bin/sh
set -e
base={base}
{mounts}
mount --bind $base/state $base/state
mount -o remount,bind,ro /
cd /
ulimit -n {descriptors} 2>/dev/null || : # more than may be had here
exec setpriv --reuid {uid} --regid {gid} --clear-groups --no-new-privs \\
    --bounding-set=-all --inh-caps=-all {strace} $base/contact-milter "$@"
"""


def unit(name):
    with open(os.path.join(SOURCE, "systemd", name + ".service.in"), encoding="utf-8") as f:
        return f.read()


def filtered(text):
    """The system calls that the unit's SystemCallFilter lets pass, or None."""
    def group(name):
        done = subprocess.run(["systemd-analyze", "syscall-filter", name], text=True,
                              capture_output=True, check=False)
        found = set()
        for line in done.stdout.splitlines()[1:]:
            word = line.strip()
            if word.startswith("@"):
                found |= group(word)
            elif word and not word.startswith("#"):
                found.add(word)
        return found

    if not shutil.which("systemd-analyze"):
        return None
    allowed = set()
    for line in re.findall(r"^SystemCallFilter=(.*)$", text, re.MULTILINE):
        names = set().union(*(group(word) for word in line.lstrip("~").split()))
        allowed = allowed - names if line.startswith("~") else allowed | names
    return allowed | {"execve", "exit", "exit_group", "rt_sigreturn"}


class Restricted(Daemon):
    """Started by root through SCRIPT, which keeps the process's number."""

    def restrict(self, role, unshare, mounts):
        text = unit("contact-milter" if role == "mta" else "contact-sync")
        self.role, self.wrapper = role, os.path.join(self.base, f"start-{role}")
        self.trace = os.path.join(self.base, "state", f"trace-{role}")
        # -D: the tracer is a child, not the parent.
        strace = f"strace -D -f -qq -o {self.trace}" if shutil.which("strace") else ""
        limit = re.search(r"^LimitNOFILE=(\d+)", text, re.MULTILINE).group(1)
        with open(self.wrapper, "w", encoding="utf-8") as f:
            f.write(SCRIPT.format(base=self.base, mounts=mounts, uid=self.uid, gid=self.gid,
                                  strace=strace, descriptors=limit))
        os.chmod(self.wrapper, 0o755)
        self.binary, self.real = os.path.join(self.base, f"enter-{role}"), self.binary
        with open(self.binary, "w", encoding="utf-8") as f:
            f.write(f"#!/bin/sh\nexec unshare {unshare} --mount --propagation private "
                    f"{self.wrapper} \"$@\"\n")
        os.chmod(self.binary, 0o755)
        self.allowed = filtered(text)
        self.uid = self.gid = 0

    def calls(self):
        with open(self.trace, encoding="utf-8", errors="replace") as f:
            return set(re.findall(r"^\d+ +(\w+)\(", f.read(), re.MULTILINE))


class RestrictedTest(unittest.TestCase):
    def test_both_roles(self):
        probe = subprocess.run(["unshare", "--net", "--mount", "--propagation", "private",
                                "mount", "-o", "remount,bind,ro", "/"], text=True,
                               capture_output=True, check=False)
        if probe.returncode != 0:
            self.skipTest(f"namespaces are not permitted here: {probe.stderr.strip()}")
        libc = ctypes.CDLL(None, use_errno=True)
        world = World()
        self.addCleanup(world.stop)
        base = world.base

        mta = Restricted(base, world.api.port, world.daemon.socket)
        sync = Restricted(base, world.api.port, world.daemon.socket, name="sync")
        for one in (mta, sync):
            one.configure(api={"secret_file": None})
        os.unlink(mta.secret)  # neither has it but by the credential
        credentials = os.path.join(base, "credentials")
        os.makedirs(credentials)
        with open(os.path.join(credentials, "api-secret"), "w", encoding="ascii") as f:
            f.write("test-secret\n")
        for path, mode in ((os.path.join(credentials, "api-secret"), 0o400),
                           (credentials, 0o500)):
            os.chown(path, sync.uid, sync.gid)
            os.chmod(path, mode)
        mta.restrict("mta", "--net", f"mount -t tmpfs -o mode=0 none {credentials}\n"
                     "mount --bind $base/run $base/run")
        sync.restrict("sync", "", "mount -t tmpfs -o mode=0 none $base/run")
        world.api.start()
        self.addCleanup(sync.stop)
        self.addCleanup(mta.stop)
        world.daemon = mta
        popen = subprocess.Popen

        def start(command, **options):
            # Inherited over exec; an older kernel refuses, then it is not covered.
            options["preexec_fn"] = lambda: libc.prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN,
                                                       0, 0, 0)
            return popen(command, **options)

        with unittest.mock.patch("subprocess.Popen", start):
            mta.start("--role", "mta")
            sync.start("--role", "sync", env={"CREDENTIALS_DIRECTORY": credentials})
        with open(f"/proc/{mta.process.pid}/status", encoding="ascii") as f:
            status = f.read()
        self.assertRegex(status, r"NoNewPrivs:\s+1")
        self.assertRegex(status, r"CapBnd:\s+0+\n")
        self.assertNotEqual(os.readlink(f"/proc/{mta.process.pid}/ns/net"),
                            os.readlink("/proc/self/ns/net"))
        world.postfix.start()
        first, last, address = world.person()
        world.postfix.send(address, "office@" + OUR_DOMAIN, signature_mail(
            first, last, address, headers=["X-Long: " + "x " * 200]),
            client="198.51.100.7", name="mx.client.example")
        wait_for(lambda: world.api.contact(address), 20, "contact")
        for one in (mta, sync):
            with self.subTest(one.role):
                self.assertEqual(one.stop(), 0, one.log())
                if one.allowed is None or not os.path.exists(one.trace):
                    continue
                self.assertIn("openat", one.calls() & one.allowed)
                self.assertEqual(sorted(one.calls() - one.allowed), [])


if __name__ == "__main__":
    unittest.main()
