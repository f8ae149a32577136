# SPDX-License-Identifier: ISC
"""What the tests of jumpd share: a running jumpd, real sshds behind it, real
and hostile clients.

Real clients are OpenSSH's.  Hostile ones are paramiko with its own idea of the
protocol switched off where it is in the way.
"""
import contextlib
import functools
import logging
import os
import re
import select
import signal
import socket
import subprocess
import threading
import time
import unittest

from lib import (PATIENCE, POP4, POP6, VM, Daemon, SystemTest, alive, libconfig,
                 log_fields, run, wait_for, world)

try:
    import paramiko
    from paramiko.message import Message
    logging.getLogger("paramiko").setLevel(logging.CRITICAL)
    logging.getLogger("paramiko").addHandler(logging.NullHandler())
except ImportError:
    paramiko = None

BUILD = os.environ.get("BUILD", os.path.join(os.path.dirname(os.path.dirname(
    os.path.dirname(os.path.abspath(__file__)))), "build"))
JUMPD = os.environ.get("JUMPD", os.path.join(BUILD, "jumpd/jumpd"))
SSHD = "/usr/sbin/sshd"
ECHO = 7007             # a server that says what it hears
SINK = 7008             # one that reads as fast as it can
SOURCE = 7009           # one that writes as fast as it can
STUCK = 7010            # one that neither reads nor writes
NO_SERVER = 7011
PORTS = '"22", "7000-7099"'


def why_not():
    for program in ("ssh", "scp", "sftp", "ssh-keygen", SSHD):
        if subprocess.run(["which", program],
                          stdout=subprocess.DEVNULL).returncode != 0:
            return "no " + program
    return None if paramiko else "no python3-paramiko"


WHY_NOT = why_not()


class Jumpd(Daemon):
    """A running jumpd; keyword arguments as for Proxyd."""

    serial = 0
    worker_name = "jumpd-session"

    def __init__(self, names="", start=True, under=(), **settings):
        Jumpd.serial += 1
        super().__init__("jumpd%d" % Jumpd.serial)
        self.world = world()
        self.settings = settings
        self.map_path = self.world.path(self.name + ".map")
        self.write_mapping(names)
        self.write_config()
        if start:
            self.start(under)

    def write_mapping(self, text):
        self.world.write(self.name + ".map", text)

    def write_config(self, **settings):
        values = {
            "user": '"nobody"',
            "listeners": '( { address = "%s"; }, { address = "%s"; } )' % (
                POP4, POP6),
            "host_keys": {"ed25519": '"jump_host_ed25519"',
                          "ecdsa": '"jump_host_ecdsa"'},
            "authentication": '[ "none" ]',
            "mapping_files": '[ "%s" ]' % self.map_path,
            "allow": '( { prefix = "2001:db8::/32"; ports = [ %s ]; } )' %
                     PORTS,
            "dns": "false",
            "penalties": {"max": "0"},
        }
        values.update(self.settings)
        values.update(settings)
        self.config = self.world.write(
            self.name + ".conf", "".join(libconfig(
                {key: value for key, value in values.items()
                 if value is not None})))

    def start(self, under=()):
        run(JUMPD, "-g", "-f", self.config)
        self.watch(self.world.pop.start(
            *under, JUMPD, "-f", self.config, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE))
        self.wait_log(r"info: ready: \d+ users")

    def reload(self, accepted=True, **settings):
        mark = self.log_mark()
        self.write_config(**settings)
        self.signal(signal.SIGHUP)
        self.wait_log("info: reloaded: " if accepted else
                      "error: reload refused: ", mark, timeout=30)
        return mark

    def wait_line(self, kind, after=0, timeout=PATIENCE, count=1, **fields):
        """Wait for a line of that kind with these fields; returns all of
        its fields."""
        pattern = "info: %s " % kind + "".join(
            r"(?=(.* )?%s=%s( |$))" % (key, re.escape(value))
            for key, value in fields.items())
        return log_fields(self.wait_log(pattern, after, timeout, count))

    def sessions(self):
        return self.children(self.worker_name)

    def broker(self):
        return self.children("jumpd-broker")[0]


class Servers:
    """On VM[1]: what answers at ECHO, SINK and SOURCE.  One for a whole
    run."""

    instance = None

    @classmethod
    def start(cls):
        if cls.instance is None:
            cls.instance = cls()
        return cls.instance

    def __init__(self):
        for port, serve in ((ECHO, self.echo), (SINK, self.sink),
                            (SOURCE, self.source), (STUCK, self.stuck)):
            listener = world().vm.listen(VM[1], port, 1024)
            listener.settimeout(None)
            threading.Thread(target=self.accept, args=(listener, serve),
                             daemon=True).start()

    def accept(self, listener, serve):
        while True:
            sock, _ = listener.accept()
            threading.Thread(target=self.quietly, args=(serve, sock),
                             daemon=True).start()

    @staticmethod
    def quietly(serve, sock):
        with contextlib.suppress(OSError), sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            serve(sock)

    @staticmethod
    def echo(sock):
        while data := sock.recv(65536):
            sock.sendall(data)

    @staticmethod
    def sink(sock):
        while sock.recv(1 << 18):
            pass

    @staticmethod
    def source(sock):
        block = bytes(1 << 18)
        while True:
            sock.sendall(block)

    @staticmethod
    def stuck(sock):
        time.sleep(60)


class Sshd:
    """A real sshd on VM[1] and VM[2], for root with a key."""

    instance = None

    @classmethod
    def start(cls):
        if cls.instance is None:
            cls.instance = cls()
        return cls.instance

    def __init__(self):
        w = world()
        for name in ("vm_host", "user"):
            run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f",
                w.path(name))
        os.makedirs("/run/sshd", exist_ok=True)
        w.write("sshd.conf", "".join(line + "\n" for line in (
            "Port 22", "ListenAddress " + VM[1], "ListenAddress " + VM[2],
            "HostKey " + w.path("vm_host"), "PidFile none", "UsePAM no",
            "AuthorizedKeysFile " + w.path("user.pub"), "StrictModes no",
            "PermitRootLogin yes", "MaxStartups 200", "MaxSessions 200",
            "Subsystem sftp internal-sftp", "LogLevel VERBOSE",
            "PrintMotd no", "PrintLastLog no")))
        w.write("ssh.conf", "".join(line + "\n" for line in (
            "UserKnownHostsFile /dev/null", "StrictHostKeyChecking no",
            "IdentityFile " + w.path("user"), "IdentitiesOnly yes",
            "BatchMode yes", "LogLevel ERROR", "ConnectTimeout 20")))
        self.log = open(w.path("sshd.log"), "w")
        self.process = w.vm.start(SSHD, "-D", "-e", "-f",
                                  w.path("sshd.conf"), stderr=self.log)

        def answers():
            with contextlib.suppress(OSError):
                w.vm.connect(VM[2], 22).close()
                return True
        wait_for(answers, "sshd answers")


@unittest.skipIf(WHY_NOT is not None, WHY_NOT)
class JumpTest(SystemTest):
    """A test case with jumpd(...), ssh(...) and hostile clients."""

    def setUp(self):
        super().setUp()
        Sshd.start()
        Servers.start()

    def jumpd(self, names="", **settings):
        self.running = Jumpd(names, **settings)
        self.addCleanup(self.running.stop)
        return self.running

    def client_host(self, at):
        return self.world.client6 if ":" in at else self.world.client

    def command(self, program, *args, jump="jump@" + POP4, options=()):
        return (program, "-F", self.world.path("ssh.conf"), *options,
                *(("-J", jump) if jump else ()), *args)

    def ssh(self, *args, jump="jump@" + POP4, options=(), check=True,
            program="ssh", timeout=60, **kwargs):
        """Run ssh (scp, sftp) through jumpd, or to it."""
        with self.client_host(jump or "".join(
                arg for arg in args if arg == "jump@" + POP6)):
            return run(*self.command(program, *args, jump=jump,
                                     options=options),
                       check=check, timeout=timeout, **kwargs)

    def start_ssh(self, *args, jump="jump@" + POP4, options=(), **kwargs):
        process = self.client_host(jump or POP4).start(
            *self.command("ssh", *args, jump=jump, options=options),
            **kwargs)
        self.addCleanup(self.end, process)
        return process

    @staticmethod
    def end(process):
        if process.poll() is None:
            process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def pipe_to(self, port, vm=VM[1], user="jump", options=()):
        """ssh -W to a port of a VM: a process with pipes."""
        return self.start_ssh(
            "-W", "[%s]:%d" % (vm, port), "%s@%s" % (user, POP4), jump=None,
            options=options, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)

    def refusal(self, target, port=22, jump="jump@" + POP4):
        """What ssh prints when the jump host does not connect."""
        done = self.ssh("-p", str(port), "root@" + target, "true", jump=jump,
                        check=False)
        self.assertNotEqual(done.returncode, 0)
        return done.stderr

    def key(self, name, *args):
        """A new key; returns its path."""
        path = self.world.path("%s.%s" % (self.id().rpartition(".")[2],
                                          name))
        for old in (path, path + ".pub", path + "-cert.pub"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(old)
        run("ssh-keygen", "-q", "-N", "", "-f", path,
            *(args or ("-t", "ed25519")))
        return path

    @staticmethod
    def public(path):
        with open(path + ".pub") as file:
            return file.read().strip()

    def raw(self, at=POP4, source=None, **kwargs):
        client = Raw(self.client_host(at), at, source, **kwargs)
        self.addCleanup(client.close)
        return client

    def bystander(self):
        other = Bystander(self.pipe_to(ECHO))
        self.addCleanup(other.stop)
        return other


class Bystander:
    """Another user's session: 32 octets there and back, over and over."""

    def __init__(self, process):
        self.process = process
        self.slowest, self.count, self.error = 0.0, 0, None
        self.done = threading.Event()
        self.turn()         # the connection is there
        self.slowest = 0.0
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def turn(self):
        data = os.urandom(32)
        before = time.monotonic()
        self.process.stdin.write(data)
        self.process.stdin.flush()
        got = b""
        while len(got) < len(data):
            ready, _, _ = select.select([self.process.stdout], [], [], 30)
            if not ready:
                raise AssertionError("a bystander waits for 30 s")
            more = os.read(self.process.stdout.fileno(),
                           len(data) - len(got))
            if not more:
                raise AssertionError("a bystander's session has ended: %r" %
                                     self.process.stderr.read())
            got += more
        if got != data:
            raise AssertionError("a bystander got other bytes")
        self.slowest = max(self.slowest, time.monotonic() - before)
        self.count += 1

    def run(self):
        try:
            while not self.done.is_set():
                self.turn()
                time.sleep(0.01)
        except Exception as error:  # told by the test's thread
            self.error = error

    def stop(self):
        self.done.set()
        self.thread.join(35)

    def was_fine(self, test, most=3.0, least=10):
        """It still works, and never waited for longer than `most` s."""
        before = self.count
        wait_for(lambda: self.error or self.count >= before + least,
                 "a bystander's bytes", 30)
        self.stop()
        if self.error is not None:
            raise self.error
        test.assertLess(self.slowest, most)


class Raw:
    """An SSH client that does what it is told.  It logs in as `user` unless
    that is None; messages from jumpd are kept in `messages`."""

    def __init__(self, host, at, source=None, user="jump", rcvbuf=None):
        with host:
            sock = socket.socket(socket.AF_INET6 if ":" in at else
                                 socket.AF_INET)
        # Else what is measured is 40 ms of our own kernel.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if rcvbuf is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        if source is not None:
            sock.bind((source, 0))
        sock.settimeout(60)
        sock.connect((at, 22))
        self.sock = sock
        self.messages = []
        self.changed = threading.Condition()
        self.next = 0
        self.t = paramiko.Transport(sock)
        self.paused = threading.Event()
        self.paused.set()
        read = self.t.packetizer.read_message

        def read_message():
            self.paused.wait()
            ptype, message = read()
            with self.changed:
                self.messages.append((ptype, message.asbytes()))
                self.changed.notify_all()
            return ptype, message
        self.t.packetizer.read_message = read_message
        self.t.start_client(timeout=60)
        if user is not None:
            self.t.auth_none(user)

    def close(self):
        self.paused.set()
        self.t.close()
        with contextlib.suppress(OSError):
            self.sock.close()

    def send(self, ptype, *fields):
        """Fields: int (32 bits), bool, bytes or str (a string)."""
        message = Message()
        message.add_byte(bytes([ptype]))
        for field in fields:
            if isinstance(field, bool):
                message.add_boolean(field)
            elif isinstance(field, int):
                message.add_int(field)
            else:
                message.add_string(field)
        self.t._send_message(message)

    def open(self, port=ECHO, host=VM[1], window=1 << 21, packet=32768,
             kind="direct-tcpip", wait=True, timeout=PATIENCE):
        """Open a channel; returns (ours, theirs), or None if refused."""
        ours = self.next
        self.next += 1
        self.t.channels_seen[ours] = True
        rest = (host, port, "192.0.2.7", 1) if kind == "direct-tcpip" else ()
        self.send(90, kind, ours, window, packet, *rest)
        if not wait:
            return ours
        ptype, body = self.wait(lambda ptype, body: ptype in (91, 92) and
                                int.from_bytes(body[:4], "big") == ours,
                                timeout)
        return (ours, int.from_bytes(body[4:8], "big")) if ptype == 91 \
            else None

    def data(self, theirs, data):
        self.send(94, theirs, data)

    def wait(self, predicate, timeout=PATIENCE):
        """Wait for a message; returns its type and octets."""
        end = time.monotonic() + timeout
        with self.changed:
            seen = 0
            while True:
                for message in self.messages[seen:]:
                    if predicate(*message):
                        return message
                seen = len(self.messages)
                if not self.t.is_active() or time.monotonic() > end:
                    raise AssertionError("no such message; active: %s" %
                                         self.t.is_active())
                self.changed.wait(0.1)

    def received(self, ours):
        """The octets of a channel so far."""
        with self.changed:
            return b"".join(
                body[8:] for ptype, body in self.messages
                if ptype == 94 and int.from_bytes(body[:4], "big") == ours)

    def works(self, ours, theirs, data=b"there and back"):
        before = len(self.received(ours))
        self.data(theirs, data)
        wait_for(lambda: len(self.received(ours)) >= before + len(data),
                 "an echo")
        return self.received(ours)[before:] == data

    def ended(self):
        return not self.t.is_active()


@functools.lru_cache(maxsize=None)
def sanitized():
    with open(JUMPD, "rb") as program:
        return b"__asan_init" in program.read()


def memory_kib(pid):
    """What a process holds of its own; 0 with a sanitizer, which holds much
    more than the program."""
    if sanitized():
        return 0
    with contextlib.suppress(OSError), \
            open("/proc/%d/smaps_rollup" % pid) as file:
        return sum(int(line.split()[1]) for line in file
                   if line.startswith(("Private_Dirty:", "Private_Clean:")))
    return 0


