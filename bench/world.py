# SPDX-License-Identifier: ISC
"""Where programs are measured: a network namespace and a control group each.

In the namespace everything is on the loopback interface, which is made like
an Ethernet link: an MTU of 1,500 octets (with segmentation offload) and
reno.  The control group counts the processor time and the memory of all
processes of the program, however short they live.
"""
import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1
BACKENDS = "2001:db8:b::"       # address n + 1 in it is server number n
DESCRIPTORS = 20000

libc = ctypes.CDLL(None, use_errno=True)


class Failed(Exception):
    """What was measured did not work."""


def check(result):
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def run(*args):
    done = subprocess.run(args, stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        raise Failed("%s: exit %d\n%s" % (" ".join(args), done.returncode,
                                          done.stdout))
    return done.stdout


def say(text=""):
    print(text, flush=True)


def progress(text):
    if sys.stderr.isatty():
        sys.stderr.write("\r\033[K" + text)
        sys.stderr.flush()


def install_packages(packages):
    """Have these Debian packages."""
    missing = [package for package in packages
               if subprocess.run(["dpkg", "-s", package],
                                 capture_output=True).returncode != 0]
    if not missing:
        return
    say("Installing: " + " ".join(missing))
    # Debian starts a server as soon as it is there; we do not want it.
    policy = "/usr/sbin/policy-rc.d"
    ours = not os.path.exists(policy)
    if ours:
        with open(policy, "w") as file:
            file.write("#!/bin/sh\nexit 101\n")
        os.chmod(policy, 0o755)
    try:
        os.environ["DEBIAN_FRONTEND"] = "noninteractive"
        run("apt-get", "-q", "update")
        run("apt-get", "-q", "-y", "install", "--no-install-recommends",
            *missing)
    finally:
        if ours:
            os.unlink(policy)


def find_program(tools, top, name):
    """What the environment says (PROXYD, XLATD), or ours in build/; if that
    is not there, one that is built of a copy, so that nothing appears in the
    source tree."""
    variable = os.path.basename(name).upper()
    path = os.environ.get(variable, os.path.join(top, "build", name))
    if variable not in os.environ and not os.path.exists(path):
        say("Building " + name)
        run(os.path.join(top, "tests/install_packages"), "build")
        copy = tools.path("source")
        shutil.copytree(top, copy, ignore=shutil.ignore_patterns(
            ".git", "build", "build-*"))
        run("sh", "-ec", 'cd "$1"; autoreconf -fi; mkdir build; cd build; '
            '../configure -q CFLAGS=-O2; make -s -j2 "$2"', "sh", copy, name)
        path = os.path.join(copy, "build", name)
    if not os.access(path, os.X_OK):
        raise Failed("no program at " + path)
    return os.path.abspath(path)


def wait_for(predicate, what, timeout=60.0):
    end = time.monotonic() + timeout
    while True:
        result = predicate()
        if result:
            return result
        if time.monotonic() > end:
            raise Failed("not within %g s: %s" % (timeout, what))
        time.sleep(0.002)


class Namespace:
    """A network namespace that vanishes with us.  In "with namespace:" this
    thread, and the processes and sockets it makes, are in it."""

    def __init__(self):
        self.outer = []
        before = self.current()
        check(libc.unshare(CLONE_NEWNET))
        self.fd = self.current()
        try:
            self.prepare()
        finally:
            check(libc.setns(before, CLONE_NEWNET))
            os.close(before)

    @staticmethod
    def current():
        return os.open("/proc/thread-self/ns/net", os.O_RDONLY)

    @staticmethod
    def prepare():
        run("ip", "link", "set", "lo", "up", "mtu", "1500")
        run("ip", "address", "add", "2001:db8:a::1/128", "dev", "lo",
            "nodad")
        run("ip", "-6", "route", "add", "local", BACKENDS + "/64", "dev",
            "lo")
        for setting, value in (
                ("ipv4/tcp_congestion_control", "reno"),
                ("ipv4/ip_local_port_range", "1100 65535"),
                ("core/somaxconn", "65535"),
                ("ipv4/tcp_max_syn_backlog", "65535")):
            with open("/proc/sys/net/" + setting, "w") as file:
                file.write(value)

    def __enter__(self):
        self.outer.append(self.current())
        check(libc.setns(self.fd, CLONE_NEWNET))
        return self

    def __exit__(self, *error):
        before = self.outer.pop()
        check(libc.setns(before, CLONE_NEWNET))
        os.close(before)

    def start(self, *args, group=None, **kwargs):
        def before_exec():
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if group is not None:
                group.enter()
        with self:
            return subprocess.Popen(args, preexec_fn=before_exec, **kwargs)


def read_number(path):
    with open(path) as file:
        return int(file.read().split()[0])


class Group:
    """A control group: version 2 wherever it is mounted, and version 1 for
    what has no version 2 here."""

    def __init__(self, name):
        self.folders = []
        name = "popgate-bench-%d-%s" % (os.getpid(), name)
        mounts = [line.split() for line in open("/proc/mounts")]
        top = {kind: where for _, where, kind, *_ in mounts
               if kind == "cgroup2"}.get("cgroup2")
        self.cpu = self.memory = None
        if top is not None:
            self.cpu = self.make(top, name)
            with contextlib.suppress(OSError), \
                    open(top + "/cgroup.subtree_control", "w") as file:
                file.write("+memory")
            if os.path.exists(self.cpu + "/memory.current"):
                self.memory = self.cpu + "/memory.current"
        for _, where, kind, options, *_ in mounts:
            if kind == "cgroup" and self.memory is None and \
                    "memory" in options.split(","):
                self.memory = self.make(where, name) + \
                    "/memory.usage_in_bytes"
        if self.cpu is None:
            raise Failed("no cgroup2 file system is mounted")

    def make(self, top, name):
        folder = os.path.join(top, name)
        os.mkdir(folder)
        self.folders.append(folder)
        return folder

    def enter(self):
        for folder in self.folders:
            with open(folder + "/cgroup.procs", "w") as file:
                file.write("0")

    def pids(self):
        with open(self.cpu + "/cgroup.procs") as file:
            return [int(line) for line in file]

    def cpu_us(self):
        with open(self.cpu + "/cpu.stat") as file:
            return int(dict(line.split() for line in file)["usage_usec"])

    def memory_octets(self):
        """All memory charged to the group, what is shared only once; or,
        without that controller, the sum of the PSS."""
        if self.memory is None:
            return self.pss_octets()
        return read_number(self.memory)

    def pss_octets(self):
        total = 0
        for pid in self.pids():
            with contextlib.suppress(OSError), \
                    open("/proc/%d/smaps_rollup" % pid) as file:
                total += sum(int(line.split()[1]) * 1024 for line in file
                             if line.startswith("Pss:"))
        return total

    def close(self):
        with contextlib.suppress(Failed):
            for kill in (signal.SIGTERM, signal.SIGKILL):
                for pid in self.pids():
                    with contextlib.suppress(OSError):
                        os.kill(pid, kill)
                with contextlib.suppress(Failed):
                    wait_for(lambda: not self.pids(), "end", 0.3)
            wait_for(lambda: not self.pids(), "end", 10)
        for folder in self.folders:
            with contextlib.suppress(OSError):
                os.rmdir(folder)


class Tools:
    """Programs of ours, compiled, and a folder for everything."""

    def __init__(self, here, programs=("load", "sink", "bare"),
                 libraries=()):
        self.folder = tempfile.mkdtemp(prefix="popgate-bench-")
        os.chmod(self.folder, 0o755)
        for name in programs:
            run(os.environ.get("CC", "cc"), "-std=gnu11", "-D_GNU_SOURCE",
                "-O2", "-Wall", "-o", self.path(name),
                os.path.join(here, name + ".c"), *libraries)

    def path(self, *names):
        return os.path.join(self.folder, *names)
