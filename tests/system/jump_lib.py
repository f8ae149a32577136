# SPDX-License-Identifier: ISC
"""What the tests of jumpd share: a running jumpd and a test case.

Real clients are OpenSSH's.
"""
import contextlib
import os
import re
import signal
import subprocess
import unittest

from jump_clients import Bystander, Raw, paramiko
from jump_servers import ECHO, PORTS, SSHD, Servers, Sshd
from lib import (PATIENCE, POP4, POP6, VM, Daemon, SystemTest, libconfig,
                 log_fields, run, sanitized, world)

BUILD = os.environ.get("BUILD", os.path.join(os.path.dirname(os.path.dirname(
    os.path.dirname(os.path.abspath(__file__)))), "build"))
JUMPD = os.environ.get("JUMPD", os.path.join(BUILD, "jumpd/jumpd"))


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


def memory_kib(pid):
    """What a process holds of its own; 0 with a sanitizer, which holds much
    more than the program."""
    if sanitized(JUMPD):
        return 0
    with contextlib.suppress(OSError), \
            open("/proc/%d/smaps_rollup" % pid) as file:
        return sum(int(line.split()[1]) for line in file
                   if line.startswith(("Private_Dirty:", "Private_Clean:")))
    return 0
