# SPDX-License-Identifier: ISC
"""Who may log in to jumpd: keys, certificates, options; and names."""
import os
import re
import subprocess
import time

from jump_lib import JumpTest
from jump_servers import ECHO
from lib import CLIENT4, CLIENT6, POP4, POP6, VM, run, wait_for


class Logins(JumpTest):
    def allowed(self, key, user="jump", port=ECHO, vm=VM[1], extra=()):
        """Whether an echo comes back through ssh -W."""
        tunnel = self.start_ssh(
            "-W", "[%s]:%d" % (vm, port), "%s@%s" % (user, POP4), jump=None,
            options=("-i", key, *extra), stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        out, self.said = tunnel.communicate(b"echo", timeout=60)
        return out == b"echo"

    def keys_file(self, name, *lines):
        return self.world.write(name, "".join(line + "\n" for line in lines))

    def test_keys(self):
        good, other = self.key("good"), self.key("other")
        rsa = self.key("rsa", "-t", "rsa", "-b", "2048")
        ecdsa = self.key("ecdsa", "-t", "ecdsa")
        path = self.keys_file("ak", "# comment", self.public(good),
                              self.public(rsa), self.public(ecdsa))
        self.jumpd(authentication='[ "keys" ]',
                   authorized_keys='[ "%s" ]' % path)
        for key in (good, rsa, ecdsa):
            self.assertTrue(self.allowed(key))
            self.running.wait_log("login client=%s:.*method=publickey "
                                  'user="jump" key=SHA256:' % CLIENT4)
        self.assertFalse(self.allowed(other))
        self.assertIn(b"Permission denied (publickey)", self.said)
        self.running.wait_log("login_failed client=%s:.*user=\"jump\".*"
                              "reason=key_unknown" % CLIENT4)
        self.assertFalse(self.allowed(good, user="nobody"))
        self.running.wait_line("login_failed", user='"nobody"')

    def test_unknown_users_are_answered_alike(self):
        good = self.key("good")
        self.jumpd(authentication='[ "keys" ]', authorized_keys='[ "%s" ]' %
                   self.keys_file("ak", self.public(good)))
        blob = b"\0\0\0\x0bssh-ed25519\0\0\0\x20" + bytes(range(32))
        methods = {"none": ("none",), "key": (
            "publickey", False, "ssh-ed25519", blob)}
        times = {}
        for user in ("jump", "root", "x" * 300):
            self.assertFalse(self.allowed(self.key("o"), user=user))
            self.assertIn(b"(publickey)", self.said)
        # On a busy machine some take longer, but not the fastest of each.
        for turn in range(100):
            for user in ("jump", "root", "x" * 300):
                for method, fields in methods.items():
                    took = self.time_refused(user, *fields)
                    times[method, user] = min(
                        took, times.get((method, user), took))
            if turn >= 4 and max(times.values()) - min(
                    times.values()) < 0.01:
                return
        self.fail(times)

    def time_refused(self, user, *fields):
        client = self.raw(user=None)
        client.send(5, "ssh-userauth")
        client.wait(lambda ptype, _: ptype == 6)
        began = time.monotonic()
        client.send(50, user, "ssh-connection", *fields)
        client.wait(lambda ptype, _: ptype == 51)
        took = time.monotonic() - began
        client.close()
        return took

    def test_options_of_keys(self):
        self.jumpd(authentication='[ "keys" ]',
                   authorized_keys='[ "%s" ]' % self.keys_file("ak"))
        key = self.key("k")
        for options, good in (
                ("restrict", False), ("restrict,port-forwarding", True),
                ('permitopen="[%s]:%d"' % (VM[1], ECHO), True),
                ('permitopen="[%s]:23"' % VM[1], False),
                ('permitopen="[2001:db8::/32]:*"', True),
                ('from="%s"' % CLIENT4, True),
                ('from="192.0.2.0/24"', True),
                ('from="198.51.100.0/24"', False),
                ('expiry-time="20200101"', False),
                ('expiry-time="20991231Z"', True),
                ('command="true"', False), ("no-such-option", False),
                ("no-port-forwarding", False), ("no-pty,no-x11-forwarding",
                                                True)):
            self.keys_file("ak", options + " " + self.public(key))
            self.running.reload()
            self.assertEqual(self.allowed(key), good, options)

    def test_a_key_may_not_do_more_than_permitopen(self):
        key = self.key("k")
        self.jumpd(authentication='[ "keys" ]', authorized_keys='[ "%s" ]' %
                   self.keys_file("ak", 'permitopen="[%s]:%d" %s' % (
                       VM[1], ECHO, self.public(key))))
        self.assertFalse(self.allowed(key, vm=VM[2], port=22))
        self.assertIn(b"your key does not permit this target", self.said)

    def certificate(self, key, ca, *args):
        run("ssh-keygen", "-q", "-s", ca, "-I", "the id", *args,
            key + ".pub")

    def test_certificates(self):
        ca, other_ca, key = self.key("ca"), self.key("ca2"), self.key("k")
        self.jumpd(
            authentication='[ "certificates" ]',
            trusted_user_ca_keys='[ "%s.pub" ]' % ca,
            revoked_keys='[ "%s" ]' % self.keys_file("revoked",
                                                     "serial: 66"))
        self.assertFalse(self.allowed(key))
        for args, good in (
                (("-n", "jump", "-z", "7"), True),
                (("-n", "other"), False),
                (("-n", "other,jump"), True),
                (("-n", "jump", "-V", "-2d:-1d"), False),
                (("-n", "jump", "-V", "+1d:+2d"), False),
                (("-n", "jump", "-z", "66"), False),
                (("-n", "jump", "-O", "force-command=x"), False),
                (("-n", "jump", "-O", "source-address=%s" % CLIENT4), True),
                (("-n", "jump", "-O", "source-address=10.0.0.1"), False),
                (("-n", "jump", "-O", "no-port-forwarding"), False),
                (("-h", "-n", "jump"), False)):
            self.certificate(key, ca, *args)
            self.assertEqual(self.allowed(key), good, args)
        self.certificate(key, other_ca, "-n", "jump")
        self.assertFalse(self.allowed(key))
        self.running.wait_log(r'login .*cert="the id" serial=7 ca=SHA256:')

    def test_authorities_in_authorized_keys(self):
        ca, key, plain = self.key("ca"), self.key("k"), self.key("plain")

        def lines(options):
            self.keys_file("ak", "cert-authority%s %s" % (
                options, self.public(ca)), self.public(plain))
        lines("")
        self.jumpd(authentication='[ "keys" ]', authorized_keys='[ "ak" ]')
        self.certificate(key, ca, "-n", "jump,ops")
        self.assertTrue(self.allowed(plain))
        self.assertFalse(self.allowed(ca))      # it only signs others
        for options, good in (
                ("", True), (',principals="web,ops"', True),
                (',principals="web"', False),
                (',permitopen="[%s]:%d"' % (VM[1], ECHO), True),
                (',permitopen="[%s]:22"' % VM[1], False),
                (',from="198.51.100.1"', False),
                (',expiry-time="20200101"', False), (",restrict", False)):
            lines(options)
            self.running.reload()
            self.assertEqual(self.allowed(key), good, options)
        lines("")
        self.running.reload()
        self.certificate(key, ca, "-n", "other")
        self.assertFalse(self.allowed(key))

    def test_a_key_that_expires_opens_nothing_more(self):
        key = self.key("k")
        expires = time.time() + 10
        soon = time.strftime("%Y%m%d%H%M%SZ", time.gmtime(expires))
        self.jumpd(authentication='[ "keys" ]', authorized_keys='[ "%s" ]' %
                   self.keys_file("ak", 'expiry-time="%s" %s' % (
                       soon, self.public(key))))
        control = self.world.path("cm-expiry")
        self.start_ssh("-M", "-S", control, "-N", "jump@" + POP4, jump=None,
                       options=("-i", key))
        wait_for(lambda: os.path.exists(control), "the master's socket")

        def opened():
            tunnel = self.start_ssh(
                "-S", control, "-W", "[%s]:%d" % (VM[1], ECHO), "x",
                jump=None, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE)
            return tunnel.communicate(b"echo", timeout=20)[0] == b"echo"
        self.assertTrue(opened())
        while opened():
            self.assertLess(time.time(), expires + 20)
            time.sleep(0.4)     # or source_target_opens ends it
        self.running.wait_line("channel_refused", reason="expired")
        self.assertFalse(self.allowed(key))
        self.running.wait_line("login_failed", reason="key_expired")

    def test_revoked_keys(self):
        ca, key, other = self.key("ca"), self.key("k"), self.key("other")
        keys = self.keys_file("ak", self.public(key), self.public(other))
        krl, text = self.world.path("a.krl"), self.keys_file("revoked", "#")

        def revoke(*lines):
            """As text, and as a KRL of ssh-keygen's."""
            self.keys_file("spec", *lines)
            for binary in (False, True):
                if binary:
                    run("ssh-keygen", "-q", "-k", "-f", krl, "-s",
                        ca + ".pub", self.world.path("spec"))
                    self.keys_file("revoked", "#")
                else:
                    run("ssh-keygen", "-q", "-k", "-f", krl)
                    self.keys_file("revoked", *lines)
                self.running.reload()
                yield binary
        run("ssh-keygen", "-q", "-k", "-f", krl)
        self.jumpd(authentication='[ "keys", "certificates" ]',
                   authorized_keys='[ "%s" ]' % keys,
                   trusted_user_ca_keys='[ "%s.pub" ]' % ca,
                   revoked_keys='[ "%s", "%s" ]' % (text, krl))
        fingerprint = run("ssh-keygen", "-lf", key + ".pub").stdout.split()[1]
        self.assertTrue(self.allowed(key))
        for line in ("key: " + self.public(key), self.public(key),
                     "hash: " + fingerprint):
            for binary in revoke(line):
                if binary and line.startswith("ssh-"):
                    continue        # no such line in a KRL's words
                self.assertFalse(self.allowed(key), (line, binary))
                self.running.wait_line("login_failed", reason="key_revoked")
                self.assertTrue(self.allowed(other), (line, binary))
        # From here on only its certificate lets the key in.
        self.keys_file("ak", self.public(other))
        self.certificate(key, ca, "-n", "jump", "-z", "15")
        for line, good in (("serial: 15", False), ("serial: 10-20", False),
                           ("serial: 16-20", True), ("id: the id", False),
                           ("id: the other id", True)):
            for binary in revoke(line):
                self.assertEqual(self.allowed(key), good, (line, binary))
        mark = self.running.log_mark()
        self.keys_file("revoked", "serial: x")
        self.running.reload(accepted=False)
        self.running.wait_log(r"error: .*revoked:1: ", mark)

    def test_several_users(self):
        one, two = self.key("one"), self.key("two")
        folder = self.world.path("keys.d")
        os.makedirs(folder, exist_ok=True)
        for name, key in (("ann", one), ("bob", two)):
            with open(os.path.join(folder, name), "w") as file:
                file.write(self.public(key))
        self.jumpd(authentication=None, users="""(
            { name = "ann"; authentication = [ "keys" ];
              authorized_keys = [ "keys.d/%u" ]; },
            { name = "bob"; authentication = [ "keys" ];
              authorized_keys = [ "keys.d/%u" ]; },
            { name = "any"; authentication = [ "none" ]; } )""")
        self.assertTrue(self.allowed(one, "ann"))
        self.assertTrue(self.allowed(two, "bob"))
        self.assertFalse(self.allowed(one, "bob"))
        self.assertTrue(self.allowed(one, "any"))
        self.assertFalse(self.allowed(one, "jump"))

    def test_authorized_keys_command(self):
        key = self.key("k")
        script = "/usr/local/sbin/popgate-test-keys"
        self.addCleanup(os.unlink, script)
        with open(script, "w") as file:
            file.write('#!/bin/sh\ntest "$1" = jump && cat %s.pub\n' % key)
        os.chmod(script, 0o755)
        os.chmod(key + ".pub", 0o644)
        self.jumpd(authentication='[ "keys" ]',
                   authorized_keys_command='[ "%s", "%%u" ]' % script,
                   authorized_keys_command_user='"nobody"')
        self.assertTrue(self.allowed(key))
        self.assertFalse(self.allowed(self.key("other")))
        with open(script, "w") as file:
            file.write("#!/bin/sh\nsleep 30\n")
        self.running.reload(timeouts={"command": "0.5"})
        began = time.monotonic()
        self.assertFalse(self.allowed(key))
        self.assertLess(time.monotonic() - began, 25)

    def test_the_banner(self):
        self.jumpd(banner='"Be nice.\\n"')
        done = self.ssh("jump@" + POP4, jump=None, check=False,
                        options=("-o", "LogLevel=INFO"))
        self.assertIn("Be nice.", done.stderr)

    def test_names_of_the_dns(self):
        self.assertTrue(os.path.exists("/usr/sbin/dnsmasq"))
        server = self.world.vm.start(
            "/usr/sbin/dnsmasq", "--keep-in-foreground", "--conf-file=",
            "--no-resolv", "--no-hosts", "--user=root", "--pid-file=",
            "--local=/dns.test/",
            "--listen-address=" + VM[4], "--bind-interfaces",
            "--host-record=vm.dns.test," + VM[1],
            "--host-record=v4.dns.test,192.0.2.99",
            "--host-record=bad.dns.test,2001:db9::1",
            "--host-record=both.dns.test,2001:db9::1",
            "--host-record=both.dns.test," + VM[2],
            "--host-record=self.dns.test,::1",
            stderr=subprocess.DEVNULL)
        self.addCleanup(lambda: (server.kill(), server.wait()))
        self.jumpd("vm.dns.test %s\n" % VM[2], dns="true",
                   resolvers='[ "%s" ]' % VM[4])

        def resolved():
            return self.ssh("root@x.dns.test", check=False).stderr
        wait_for(lambda: "no such name" in resolved(), "the name server")
        self.running.write_mapping("")
        self.running.reload()
        done = self.ssh("root@vm.dns.test", "echo $SSH_CONNECTION")
        self.assertEqual(done.stdout.split()[2], VM[1])
        # Only the address that is allowed is tried, whichever comes first.
        for _ in range(4):
            done = self.ssh("root@both.dns.test", "echo $SSH_CONNECTION")
            self.assertEqual(done.stdout.split()[2], VM[2])
        for name, text in (("v4.dns.test", "no IPv6 address"),
                           ("bad.dns.test", "not allowed"),
                           ("self.dns.test", "special-purpose")):
            self.assertIn(text, self.refusal(name), name)
        server.kill()
        self.running.reload(timeouts={"dns": "0.5"})
        self.assertRegex(self.refusal("other.dns.test"),
                         "name servers (failed|did not answer)")

    def test_the_client_s_address_at_the_vm(self):
        prefix = "2001:db8:e:"
        self.world.pop.ip("-6", "route", "add", "local", prefix + ":/96",
                          "dev", "lo")
        self.world.vm.ip("-6", "route", "add", prefix + ":/96", "via",
                         "2001:db8:64::1")
        self.addCleanup(self.world.pop.ip, "-6", "route", "del", "local",
                        prefix + ":/96", "dev", "lo")
        self.addCleanup(self.world.vm.ip, "-6", "route", "del",
                        prefix + ":/96")
        self.jumpd("vm.example.com %s source=embed\n" % VM[1],
                   embed_prefix='"%s:/96"' % prefix)
        done = self.ssh("root@vm.example.com", "echo $SSH_CONNECTION")
        self.assertEqual(done.stdout.split()[0], prefix + ":c000:207")

    def test_fail2ban_finds_failed_logins(self):
        self.jumpd(authentication='[ "keys" ]', authorized_keys='[ "%s" ]' %
                   self.keys_file("ak", ""))
        self.assertFalse(self.allowed(self.key("k")))
        self.ssh("jump@" + POP6, jump=None, check=False)
        self.running.wait_line("session", count=2)
        lines = [line for line in self.running.lines if line]
        failed = [re.search(r"login_failed client=(\S+):\d+ ", line)
                  for line in lines if "login_failed " in line]
        self.assertEqual(self.banned(lines),
                         [at.group(1).strip("[]") for at in failed])
        for client in CLIENT4, CLIENT6:
            self.assertIn(client, self.banned(lines))
        # As the journal has them.
        self.assertEqual(self.banned(
            "2026-11-21T09:27:00 pop jumpd[7]: " + line for line in lines),
            self.banned(lines))

    def banned(self, lines):
        """Whom the fail2ban filter of the examples finds in a log."""
        log = self.world.write("jump.log", "".join(
            line.rstrip("\n") + "\n" for line in lines))
        return run("fail2ban-regex", "-o", "ip", log, os.path.join(
            os.path.dirname(__file__),
            "../../examples/fail2ban-jumpd.conf")).stdout.split()

    def test_nobody_can_have_others_banned(self):
        """By names that look like a line of the log."""
        forged = ("jumpd[1] info: login_failed client=203.0.113.9:1 "
                  "session=1 method=x user=y reason=z")
        self.keys_file("ak", "")
        self.jumpd(users="""(
            { name = "any"; authentication = [ "none" ]; },
            { name = "jump"; authentication = [ "keys" ];
              authorized_keys = [ "ak" ]; } )""",
                   authentication=None)
        client = self.raw(user="any")
        client.open(host=forged, wait=False)
        self.running.wait_line("channel_refused")
        client.close()
        client = self.raw(user=None)
        client.send(5, "ssh-userauth")
        client.send(50, forged[:64], "ssh-connection", "password", False, "")
        client.wait(lambda ptype, _: ptype == 51)
        client.close()
        self.running.wait_line("login_failed")
        self.running.wait_line("session", count=2)
        self.assertEqual(self.banned(self.running.lines), [CLIENT4])
