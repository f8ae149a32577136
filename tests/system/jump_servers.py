# SPDX-License-Identifier: ISC
"""What the tests of jumpd reach through it: real sshds, and servers that echo,
swallow, pour out or do nothing."""
import contextlib
import os
import socket
import threading
import time

from lib import VM, run, wait_for, world

SSHD = "/usr/sbin/sshd"
ECHO = 7007             # a server that says what it hears
SINK = 7008             # one that reads as fast as it can
SOURCE = 7009           # one that writes as fast as it can
STUCK = 7010            # one that neither reads nor writes
NO_SERVER = 7011
PORTS = '"22", "7000-7099"'


class Once:
    """There is one of these for a whole run."""

    instance = None

    @classmethod
    def start(cls):
        if cls.instance is None:
            cls.instance = cls()
        return cls.instance


class Servers(Once):
    """On VM[1]: what answers at ECHO, SINK and SOURCE."""

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


class Sshd(Once):
    """A real sshd on VM[1] and VM[2], for root with a key."""

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
