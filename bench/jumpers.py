# SPDX-License-Identifier: ISC
"""The jump hosts that are measured, each with the same targets behind it.

Each is in a namespace of its own, with two targets beside it: a real sshd,
and jump_target.  Clients are OpenSSH's, with one key exchange, host key,
cipher and key for all; each jump host logs as it does by default.
"""
import os
import shutil
import subprocess

from world import Failed, Group, Namespace, run, wait_for

FRONT, SSH, PLAIN = "127.0.0.1", 22, 7000
TARGETS = 4                     # 2001:db8:b::1 and so on
TARGET = "2001:db8:b::%t"       # as jump_load understands it
SSHD = "/usr/sbin/sshd"


def make_keys(tools):
    """The keys of everybody, and what clients know of them."""
    for name, kind in (("host_ed25519", "ed25519"), ("host_ecdsa", "ecdsa"),
                       ("target", "ed25519"), ("user", "ed25519")):
        run("ssh-keygen", "-q", "-t", kind, "-N", "", "-f", tools.path(name))
    lines = []
    for name, pattern in (("host_ed25519", FRONT), ("target", "2001:*")):
        with open(tools.path(name + ".pub")) as file:
            lines.append("%s %s" % (pattern, file.read()))
    with open(tools.path("known_hosts"), "w") as file:
        file.writelines(lines)


def settings(**values):
    return "".join("%s %s\n" % item for item in values.items())


class Jumper:
    """One jump host."""

    packages = ("openssh-server", "openssh-client")
    user = "jump"
    jumps = True

    def __init__(self, tools, **limits):
        self.tools = tools
        self.limits = limits
        self.folder = tools.path("%s-%d" % (self.name, id(self)))
        os.mkdir(self.folder)
        os.chmod(self.folder, 0o755)
        self.process = self.group = None
        self.beside = []
        self.net = Namespace()
        self.write("ssh.conf", settings(
            UserKnownHostsFile=tools.path("known_hosts"),
            GlobalKnownHostsFile="none", UpdateHostKeys="no",
            StrictHostKeyChecking="yes", BatchMode="yes", LogLevel="ERROR",
            PreferredAuthentications="publickey",
            IdentityFile=tools.path("user"), IdentitiesOnly="yes",
            KexAlgorithms="curve25519-sha256",
            HostKeyAlgorithms="ssh-ed25519", ControlPath="none",
            Ciphers="chacha20-poly1305@openssh.com,aes256-gcm@openssh.com"))

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w") as file:
            file.write(text)
        return self.path(name)

    def start_targets(self):
        who = self.write("who", "#!/bin/sh\n"
                         "set -- $SSH_CONNECTION\necho $3\n"
                         "read -r line\nexec cat\n")
        os.chmod(who, 0o755)
        self.write("target.conf", settings(
            Port=SSH, HostKey=self.tools.path("target"), PidFile="none",
            AuthorizedKeysFile=self.tools.path("user.pub"), UsePAM="no",
            StrictModes="no", PermitRootLogin="yes", MaxStartups=1000,
            LogLevel="ERROR", ListenAddress="::", ForceCommand=who))
        os.makedirs("/run/sshd", exist_ok=True)
        with open(self.path("beside"), "w") as output:
            for command in ((SSHD, "-D", "-e", "-f",
                             self.path("target.conf")),
                            (self.tools.path("jump_target"), "serve",
                             str(PLAIN))):
                self.beside.append(self.net.start(
                    *command, stdin=subprocess.DEVNULL, stdout=output,
                    stderr=output))

    def start(self):
        self.group = Group("%s-%d" % (self.name, id(self)))
        self.start_targets()
        command = self.command()
        with open(self.path("output"), "w") as output:
            if command is not None:
                self.process = self.net.start(
                    *command, group=self.group, cwd=self.folder,
                    stdin=subprocess.DEVNULL, stdout=output, stderr=output)

        def answers():
            self.check()
            last.update(self.load(1, 1, self.session()))
            return last["failed"] == 0
        last = {}
        try:
            wait_for(answers, self.name + " answers", 20)
        except Failed as error:
            raise Failed("%s\n%s%s" % (error, last.get("text"), "".join(
                open(self.path(name)).read()[-2000:]
                for name in ("beside", "output")))) from error

    def check(self):
        if self.process is not None and self.process.poll() is not None:
            with open(self.path("output")) as file:
                raise Failed("%s ended with %s\n%s" % (
                    self.name, self.process.returncode, file.read()[-2000:]))

    def stop(self):
        if self.group is not None:
            self.group.close()
        for process in (self.process, *self.beside):
            if process is not None:
                process.kill()
                process.wait()
        os.close(self.net.fd)
        shutil.rmtree(self.folder, ignore_errors=True)

    # --- what clients do --------------------------------------------------

    def session(self):
        """The command for a real session on a real target."""
        jump = ["-J", "%s@%s" % (self.user, FRONT)] if self.jumps else []
        return ["ssh", "-F", self.path("ssh.conf"), "-T", *jump,
                "root@" + TARGET, "sh"]

    def pipe(self, *args, target=TARGET):
        """The one for a bare connection to a target, as ssh -J makes it."""
        return ["ssh", "-F", self.path("ssh.conf"), *args, "-W",
                "[%s]:%d" % (target, PLAIN), "%s@%s" % (self.user, FRONT)]

    def load(self, at_once, total, command):
        """Run jump_load; returns its numbers, with `text`, its complaints."""
        return self.run_load("jump_load", at_once, total, *command)

    def cheap_load(self, at_once, total):
        """The same with jump_client, whose logins cost it little."""
        return self.run_load("jump_client", at_once, total, FRONT, str(SSH),
                             self.user, self.tools.path("user"),
                             self.tools.path("known_hosts"))

    def run_load(self, program, at_once, total, *args):
        process = self.net.start(
            self.tools.path(program), str(at_once), str(total),
            str(TARGETS), *args, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)
        out, err = process.communicate()
        if process.returncode != 0:
            raise Failed("%s: %s%s" % (self.name, out, err))
        numbers = {key: float(value) for key, value in
                   (field.split("=") for field in out.split())}
        return {**numbers, "text": err}


class Direct(Jumper):
    """No jump host: what a session takes without one."""

    name = "direct"
    jumps = False

    def command(self):
        return None


class Sshd(Jumper):
    """Debian's, locked down; with PAM, as Debian has it."""

    name = "sshd"
    user = "nobody"             # it has to be a user of the system
    pam = "yes"

    def command(self):
        self.write("sshd.conf", settings(
            Port=SSH, ListenAddress=FRONT, PidFile="none", UsePAM=self.pam,
            StrictModes="no", AuthorizedKeysFile=self.tools.path("user.pub"),
            AuthenticationMethods="publickey", PasswordAuthentication="no",
            KbdInteractiveAuthentication="no", AllowUsers=self.user,
            AllowTcpForwarding="local", AllowStreamLocalForwarding="no",
            AllowAgentForwarding="no", X11Forwarding="no", PermitTunnel="no",
            GatewayPorts="no", PermitTTY="no", PermitUserRC="no",
            ForceCommand="/bin/false", PermitOpen="*:%d *:%d" % (SSH, PLAIN),
            # Nobody is turned away where logins are not what is measured.
            **{"MaxStartups": "1000", **self.limits}) + "".join(
                "HostKey %s\n" % self.tools.path(name)
                for name in ("host_ed25519", "host_ecdsa")))
        return [SSHD, "-D", "-e", "-f", self.path("sshd.conf")]


class SshdNoPam(Sshd):
    """The least that sshd can cost."""

    name = "sshd-nopam"
    pam = "no"


class Jumpd(Jumper):
    """Ours: every limit is the default one, but for how many connections a
    source and a target may have opened a minute."""

    name = "jumpd"
    packages = ()

    def command(self):
        self.write("jumpd.conf", """
user = "nobody";
listeners = ( { address = "%s"; port = %d; } );
host_keys = { ed25519 = "%s"; ecdsa = "%s"; };
authentication = [ "keys" ];
authorized_keys = [ "%s" ];
allow = ( %s );
dns = false;
limits = { source_opens = 0; target_opens = 0; };
""" % (FRONT, SSH, self.tools.path("host_ed25519"),
            self.tools.path("host_ecdsa"), self.tools.path("user.pub"),
            # They are in the same namespace: each is named.
            ", ".join('{ prefix = "%s/128"; ports = [ "%d", "%d" ]; }' % (
                TARGET.replace("%t", str(n + 1)), SSH, PLAIN)
                for n in range(TARGETS))))
        return [self.tools.jumpd, "-f", self.path("jumpd.conf")]


JUMPERS = {kind.name: kind for kind in (Jumpd, Sshd, SshdNoPam, Direct)}
