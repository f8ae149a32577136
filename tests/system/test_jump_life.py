# SPDX-License-Identifier: ISC
"""jumpd's processes: rights, reloads, ends."""
import contextlib
import os
import pwd
import signal
import socket
import stat
import subprocess
import time

from jump_lib import JUMPD, JumpTest
from jump_servers import ECHO
from lib import POP4, VM, run, sanitized, status_of, wait_for


class Processes(JumpTest):
    def setUp(self):
        super().setUp()
        self.jumpd()

    def echo(self, client=None):
        client = client or self.raw()
        return client, client.open()

    def session_of(self, before=()):
        return wait_for(lambda: set(self.running.sessions()) - set(before),
                        "a session's process").pop()

    @staticmethod
    def limits(pid):
        with open("/proc/%d/limits" % pid) as file:
            return {line[:26].strip(): line[26:].split()[0] for line in file}

    def test_a_session_has_no_rights(self):
        client, channel = self.echo()
        pid = self.session_of()
        status = status_of(pid)
        nobody = str(pwd.getpwnam("nobody").pw_uid)
        self.assertEqual(set(status["Uid"].split()), {nobody})
        self.assertEqual(status["Groups"].split(), [])
        self.assertEqual(status["NoNewPrivs"], "1")
        for key in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
            self.assertEqual(int(status[key], 16), 0, key)
        if not sanitized(JUMPD):
            self.assertEqual(status["Seccomp"], "2")
            limits = self.limits(pid)
            self.assertLess(int(limits["Max address space"]), 1 << 30)
            self.assertEqual(limits["Max processes"], "0")
            self.assertEqual(os.listdir("/proc/%d/root/" % pid), [])
            self.assertIn("(deleted)", os.readlink("/proc/%d/root" % pid))
        self.assertTrue(client.works(*channel))

    def test_a_session_holds_nothing_of_others(self):
        first, second = self.echo(), self.echo()
        for pid in self.running.sessions():
            folder = "/proc/%d/fd" % pid
            held = [os.readlink(os.path.join(folder, fd))
                    for fd in os.listdir(folder)]
            sockets = [name for name in held if name.startswith("socket:")]
            # The client twice (libssh's and ours), the broker, the target.
            self.assertEqual(len(sockets), 4, held)
            self.assertEqual(len(set(sockets)), 3, held)
            for name in held:
                self.assertRegex(name, "socket:|/dev/null|pipe:")
        for client, channel in (first, second):
            self.assertTrue(client.works(*channel))

    def test_parent_and_broker(self):
        # bind, kill, group, user, chroot: 10, 5, 6, 7, 18
        allowed = 1 << 10 | 1 << 5 | 1 << 6 | 1 << 7 | 1 << 18
        parent = status_of(self.running.pid)
        self.assertEqual(int(parent["CapPrm"], 16) & ~allowed, 0)
        broker = status_of(self.running.broker())
        self.assertEqual(int(broker["CapPrm"], 16), 0)
        self.assertEqual(broker["NoNewPrivs"], "1")

    def test_sessions_outlive_the_broker(self):
        client, channel = self.echo()
        old = self.running.broker()
        os.kill(old, signal.SIGKILL)
        wait_for(lambda: self.running.children("jumpd-broker") not in (
            [], [old]), "another broker")
        self.assertTrue(client.works(*channel))
        self.assertIsNone(client.open())
        self.assertTrue(client.works(*channel))
        self.raw().open()
        client.close()
        self.running.wait_log("session client=.*reason=broker_gone")

    def test_a_killed_session_is_alone(self):
        other = self.bystander()
        before = self.running.sessions()
        client, _ = self.echo()
        os.kill(self.session_of(before), signal.SIGSEGV)
        wait_for(client.ended, "it is gone")
        self.running.wait_line("session", reason="crashed")
        other.was_fine(self)

    def test_sigterm_waits_for_channels(self):
        client, channel = self.echo()
        idle = self.raw()
        self.running.signal(signal.SIGTERM)
        wait_for(idle.ended, "a session without channels is ended")
        self.assertTrue(client.works(*channel))
        with self.assertRaises(ConnectionRefusedError):
            self.world.client.connect(POP4, 22)
        client.send(97, channel[1])
        self.assertEqual(self.running.process.wait(30), 0)
        self.assertEqual(len(self.running.log(
            "info: session .*reason=shutdown")), 2)

    def test_a_second_sigterm_does_not(self):
        client, channel = self.echo()
        self.running.signal(signal.SIGTERM)
        self.running.wait_log("info: stopping: 1 sessions")
        self.assertTrue(client.works(*channel))
        self.running.signal(signal.SIGTERM)
        self.assertEqual(self.running.process.wait(20), 0)
        self.running.wait_log("session .*reason=shutdown")
        self.running.wait_log("channel .*reason=session_ended")
        self.running.wait_log("info: stopped: 1 connections, 1 logins, 1 "
                              "channels, 14 octets up, 14 down$")

    def test_shutdown_has_a_deadline(self):
        self.running.reload(timeouts={"shutdown": "1"})
        client, channel = self.echo()
        self.running.signal(signal.SIGTERM)
        self.assertEqual(self.running.process.wait(20), 0)

    def test_a_reload_changes_what_comes_then(self):
        client, channel = self.echo()
        self.running.reload(allow='( { prefix = "%s/128"; } )' % VM[2])
        self.assertTrue(client.works(*channel))
        self.assertIsNone(client.open())
        self.assertIn("not allowed here", self.refusal(VM[1]))
        self.ssh("root@" + VM[2], "true")

    def test_a_session_has_room_for_its_channels_and_no_more(self):
        """It could not hold more connections if it were an attacker's."""
        files = "Max open files"
        for before, after, most in (2, 4, 2), (4, 2, 2):
            self.running.reload(limits={"session_channels": str(before)})
            old, pids = self.raw(), self.running.sessions()
            self.assertEqual(
                int(self.limits(self.session_of())[files]), before + 16)
            self.running.reload(limits={"session_channels": str(after)})
            channels = [old.open() for _ in range(5)]
            self.assertEqual(sum(map(bool, channels)), most)
            new = self.raw()
            self.assertEqual(int(self.limits(
                self.session_of(pids))[files]), after + 16)
            channels = [new.open() for _ in range(5)]
            self.assertEqual(sum(map(bool, channels)), after)
            self.running.wait_line("channel_refused",
                                   reason="limit_session_channels")
            old.close()
            new.close()
            wait_for(lambda: not self.running.sessions(), "they end")

    def test_a_reload_may_end_what_it_denies(self):
        client, channel = self.echo()
        self.running.reload(allow="( )", reload_kills_denied="true")
        self.running.wait_line("channel", reason="reload_denied")

    def test_a_bad_configuration_changes_nothing(self):
        client, channel = self.echo()
        self.running.reload(accepted=False, allow='( { prefix = "x"; } )')
        self.running.wait_log(r'error: .*jumpd\d+\.conf:\d+: '
                              r'allow\[0\]\.prefix: "x" is not')
        self.assertTrue(client.works(*client.open()))
        self.running.reload()

    def test_listeners_come_and_go(self):
        client, channel = self.echo()
        self.running.reload(
            listeners='( { address = "%s"; port = 2222; } )' % POP4)
        self.world.client.connect(POP4, 2222).close()
        with self.assertRaises(ConnectionRefusedError):
            self.world.client.connect(POP4, 22)
        self.assertTrue(client.works(*channel))

    def test_host_keys_are_reloaded(self):
        def keys():
            with self.world.client:
                return run("ssh-keyscan", "-t", "ed25519", POP4).stdout
        before = keys()
        self.running.reload(host_keys={"ed25519": '"other_host_key"',
                                       "ecdsa": '""'}, accepted=False)
        self.running.write_config(host_keys={"ed25519": '"other_host_key"',
                                             "ecdsa": '""'})
        run(JUMPD, "-g", "-f", self.running.config)
        self.running.reload(host_keys={"ed25519": '"other_host_key"',
                                       "ecdsa": '""'})
        self.assertNotEqual(keys(), before)

    def test_keepalives(self):
        self.running.reload(keepalive={"client": "0.5", "client_count": "3"})
        good = self.pipe_to(ECHO, options=("-o", "ServerAliveInterval=1"))
        client, _ = self.echo()
        client.paused.clear()           # it answers nothing
        began = time.monotonic()
        self.running.wait_line("session", reason="client_gone")
        # 2 s to notice, and as long for it to read why.
        self.assertLess(time.monotonic() - began, 25)
        out, _ = good.communicate(b"still there", timeout=30)
        self.assertEqual(out, b"still there")

    def test_idle_and_total_limits(self):
        self.running.reload(timeouts={"session_idle": "1"})
        idle, (client, channel) = self.raw(), self.echo()
        wait_for(idle.ended, "an idle session is ended")
        self.running.wait_line("session", reason="session_idle")
        self.assertTrue(client.works(*channel))
        self.running.reload(timeouts={"channel_idle": "1"})
        client, channel = self.echo()
        self.running.wait_line("channel", reason="channel_idle")
        self.assertFalse(client.ended())
        self.running.reload(timeouts={"session": "3"})
        client, channel = self.echo()
        wait_for(client.ended, "its time is over", 10)
        self.running.wait_line("session", reason="session_time")

    def test_a_service_manager_is_told(self):
        path = self.world.path("notify")
        manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        manager.bind(path)
        manager.settimeout(10)
        self.addCleanup(os.unlink, path)
        self.addCleanup(manager.close)
        running = self.jumpd(
            listeners='( { address = "%s"; port = 2022; } )' % POP4,
            start=False)
        run(JUMPD, "-g", "-f", running.config)
        running.watch(self.world.pop.start(
            JUMPD, "-f", running.config, stderr=subprocess.PIPE,
            env={**os.environ, "NOTIFY_SOCKET": path}))
        self.assertRegex(manager.recv(1000),
                         rb"READY=1\nSTATUS=1 users, \d+ names")
        running.signal(signal.SIGHUP)
        self.assertRegex(manager.recv(1000),
                         rb"RELOADING=1\nMONOTONIC_USEC=\d+")
        self.assertIn(b"READY=1", manager.recv(1000))
        running.signal(signal.SIGTERM)
        self.assertIn(b"STOPPING=1", manager.recv(1000))

    def test_the_log_is_reopened(self):
        path = self.world.path("jumpd.log")
        running = self.jumpd(
            listeners='( { address = "%s"; port = 2022; } )' % POP4,
            start=False, log='"%s"' % path)
        run(JUMPD, "-g", "-f", running.config)
        running.watch(self.world.pop.start(
            JUMPD, "-f", running.config, stderr=subprocess.PIPE))

        def says(text):
            with contextlib.suppress(FileNotFoundError), open(path) as file:
                return text in file.read()
        wait_for(lambda: says("ready"), "the log")
        os.rename(path, path + ".1")
        running.signal(signal.SIGUSR1)
        wait_for(lambda: says("log reopened"), "the new log")


class CommandLine(JumpTest):
    def config(self, **settings):
        running = self.jumpd(start=False, **settings)
        run(JUMPD, "-g", "-f", running.config)
        return running.config

    def says(self, config):
        with self.world.pop:
            done = run(JUMPD, "-t", "-f", config, check=False)
        return done.returncode, done.stderr

    def test_what_is_wrong_is_named_with_its_line(self):
        for settings, text in (
                ({"authentication": None}, "authentication: is mandatory"),
                ({"authentication": '[ "password" ]'},
                 'must be "none", "keys" or "certificates"'),
                ({"authentication": '[ "keys" ]'}, '"keys" needs'),
                ({"authentication": '[ "certificates" ]'},
                 '"certificates" needs'),
                ({"allow": '( { prefix = "10.0.0.0/8"; } )'}, "allow[0]"),
                ({"allow": '( { prefix = "::1/128"; } )'},
                 "can never be reached"),
                ({"allow": '( { prefix = "2001:db8::/32"; ports = [ "0" ]; }'
                  ' )'}, "neither a port nor a range"),
                ({"listeners": "( )"}, "listeners"),
                ({"listeners": '( { address = "localhost"; } )'},
                 "not an IPv4 or IPv6 address"),
                ({"limits": {"half_open": "0"}}, "limits.half_open"),
                ({"no_such_setting": "1"}, "unknown setting"),
                ({"users": '( { name = "../x"; } )'}, "users[0].name"),
                ({"users": '( { name = "a"; }, { name = "a"; } )'},
                 "already"),
                ({"authorized_keys_command": '[ "/bin/true" ]'},
                 "authorized_keys_command_user: is mandatory"),
                ({"revoked_keys": '[ "missing-file" ]'}, "missing-file"),
                ({"host_keys": {"ed25519": '"%s"' % __file__}},
                 "host_keys.ed25519"),
                ({"dns": "true", "resolvers": '[ "x" ]'}, "resolvers[0]"),
                ({"user": '"no-such-user"'}, "no such user")):
            running = self.jumpd(start=False, **settings)
            if "host_keys" not in settings:
                run(JUMPD, "-g", "-f", self.jumpd(start=False).config)
            status, said = self.says(running.config)
            self.assertEqual(status, 1, settings)
            self.assertIn(text, said)
            self.assertRegex(said, r"%s(:\d+)?: " % running.config)

    def test_warnings(self):
        status, said = self.says(self.config())
        self.assertEqual(status, 0)
        self.assertIn("warning: limits.per_source: there is none, and anyone"
                      " may log in", said)
        status, said = self.says(self.config(allow="( )"))
        self.assertIn("no target can be reached", said)
        status, said = self.says(self.config(limits={
            "connections": "1000", "per_source": "50",
            "rate_per_source": "60"}))
        self.assertEqual((status, said), (0, ""))

    def test_host_keys_are_made_once(self):
        for name in ("made_ed25519", "made_ecdsa", "made_rsa"):
            for path in (name, name + ".pub"):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(self.world.path(path))
        running = self.jumpd(start=False, host_keys={
            "ed25519": '"made_ed25519"', "ecdsa": '"made_ecdsa"',
            "rsa": '"made_rsa"'})
        status, said = self.says(running.config)
        self.assertEqual(status, 1)
        self.assertIn("No such file", said)
        text = run(JUMPD, "-g", "-f", running.config).stdout
        self.assertEqual(text.count(": made"), 3)
        self.assertEqual(run(JUMPD, "-g", "-f", running.config).stdout, "")
        for kind in ("ed25519", "ecdsa", "rsa"):
            path = self.world.path("made_" + kind)
            self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
            with open(path) as file:
                self.assertTrue(file.readline().startswith(
                    "-----BEGIN OPENSSH PRIVATE KEY"))
            public = run("ssh-keygen", "-y", "-f", path).stdout.split()[:2]
            with open(path + ".pub") as file:
                self.assertEqual(file.read().split()[:2], public)
        self.assertEqual(self.says(running.config)[0], 0)
        os.chmod(self.world.path("made_rsa"), 0o640)
        self.assertIn("chmod 600", self.says(running.config)[1])

    def test_what_it_prints_it_reads(self):
        config = self.config(
            users='( { name = "a"; principals = [ "x y", "\\"" ]; } )',
            banner='"one\\ntwo\\n"', deny='( { prefix = "2001:db8::/64"; } )')
        with self.world.pop:
            first = run(JUMPD, "-T", "-f", config).stdout
            again = self.world.write("again.conf", first)
            self.assertEqual(run(JUMPD, "-T", "-f", again).stdout, first)
