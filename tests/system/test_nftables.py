# SPDX-License-Identifier: ISC
"""source=embed: what the host needs for it, and the firewall around it."""
import contextlib
import os
import re
import shutil
import socket
import unittest

from lib import (CLIENT6, NET, POP6, PROXYD, TOP, VM, SystemTest, recv_exactly,
                 request, run)

# As in examples/nftables-embed.nft; the client is 192.0.2.7.
EMBED = "2001:db8:e::/96"
EMBEDDED_CLIENT = "2001:db8:e::c000:207"
NOBODY = "2001:db8:e::c000:209"
LOCAL_ROUTE = ("local", EMBED, "dev", "lo")
RULES = os.path.join(TOP, "examples/nftables-embed.nft")
IPV6_FREEBIND = 78
PORT = 9000     # of something on the POP that listens everywhere


class Embed(SystemTest):
    def setUp(self):
        super().setUp()
        self.route(self.world.vm, EMBED, "via", NET + "1")
        self.route(self.world.client6, EMBED, "via", POP6)

    def route(self, host, *route):
        host.ip("-6", "route", "add", *route)
        self.addCleanup(host.ip, "-6", "route", "del", *route)

    def embedding(self, **settings):
        return self.proxyd("raw.example.com %s source=embed\n" % VM[3],
                           embed_prefix='"%s"' % EMBED, **settings)


class Prerequisites(Embed):
    def try_config(self, option="-t"):
        with self.world.pop:
            return run(PROXYD, option, "-f",
                       self.embedding(start=False).config, check=False)

    def assert_says_what_is_missing(self, option="-t"):
        done = self.try_config(option)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertRegex(
            done.stderr, r"^\S+\.conf: embed_prefix: %s is not routed .*: "
            r"ip -6 route add local %s dev lo\n$" % (EMBED, EMBED))

    def test_all_is_there(self):
        self.route(self.world.pop, *LOCAL_ROUTE)
        for option in ("-t", "-T"):
            done = self.try_config(option)
            self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_a_shorter_local_route_is_enough(self):
        self.route(self.world.pop, "local", "2001:db8:e::/64", "dev", "lo")
        self.assertEqual(self.try_config().returncode, 0)

    def test_no_route(self):
        for option in ("-t", "-T"):
            self.assert_says_what_is_missing(option)

    def test_a_route_that_is_not_local(self):
        self.route(self.world.pop, EMBED, "via", VM[1])
        self.assert_says_what_is_missing()

    def test_a_local_route_for_a_part_of_it(self):
        self.route(self.world.pop, "local", "2001:db8:e::c000:200/120",
                   "dev", "lo")
        self.assert_says_what_is_missing()

    def test_starts_and_reloads_only_warn(self):
        proxyd = self.embedding()
        warning = r"warning: .*embed_prefix: .*ip -6 route add local"
        proxyd.wait_log(warning)
        mark = proxyd.reload()
        self.assertEqual(len(proxyd.log(warning, mark)), 1)
        self.route(self.world.pop, *LOCAL_ROUTE)
        mark = proxyd.reload()
        self.assertEqual(proxyd.log(warning, mark), [])


@unittest.skipIf(shutil.which("nft") is None, "no nft")
class Firewall(Embed):
    def setUp(self):
        super().setUp()
        self.route(self.world.pop, *LOCAL_ROUTE)
        with self.world.pop:
            self.listener = socket.create_server(("::", PORT),
                                                 family=socket.AF_INET6)
            self.receiver = socket.socket(socket.AF_INET6,
                                          socket.SOCK_DGRAM)
        self.addCleanup(self.listener.close)
        self.addCleanup(self.receiver.close)
        self.receiver.bind(("::", PORT))
        self.receiver.settimeout(1)

    def load(self):
        with self.world.pop:
            run("nft", "-f", RULES)
        self.addCleanup(self.unload)

    def unload(self):
        with self.world.pop:
            run("nft", "delete", "table", "ip6", "popgate_embed")

    def dropped(self, chain):
        with self.world.pop:
            text = run("nft", "list", "chain", "ip6", "popgate_embed",
                       chain).stdout
        return int(re.search(r"counter packets (\d+)", text).group(1))

    def answers(self, host, address):
        """Does the POP answer at the address?"""
        with host, socket.socket(socket.AF_INET6) as sock:
            sock.settimeout(1)
            with contextlib.suppress(TimeoutError):
                sock.connect((address, PORT))
                return True
        return False

    def hears(self, host, source):
        """Does the POP take a packet that claims to be from there?"""
        with host, socket.socket(socket.AF_INET6,
                                 socket.SOCK_DGRAM) as sock:
            sock.setsockopt(socket.IPPROTO_IPV6, IPV6_FREEBIND, 1)
            sock.bind((source, 0))
            sock.sendto(b"forged", (self.pop_at(host), PORT))
        with contextlib.suppress(TimeoutError):
            return self.receiver.recvfrom(100)[1][0] == source
        return False

    def pop_at(self, host):
        return POP6 if host is self.world.client6 else NET + "1"

    def vm_sees(self):
        """The address that the VM's connection comes from."""
        listener = self.listen(VM[3])
        client = self.connect()
        client.sendall(request("raw.example.com"))
        vm = self.accept(listener)
        source = vm.getpeername()[0]
        vm.settimeout(5)
        vm.recv(1000)
        # More than one packet either way, so that all are "established".
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + \
            b"z" * 300000
        vm.sendall(answer)
        self.assertEqual(recv_exactly(client, len(answer)), answer)
        listener.close()
        return source

    def test_without_it_the_pop_answers_everywhere(self):
        for host in (self.world.vm, self.world.client6):
            self.assertTrue(self.answers(host, NOBODY))
            self.assertTrue(self.hears(host, NOBODY))

    def test_nobody_else_connects_to_the_prefix(self):
        self.load()
        for host in (self.world.vm, self.world.client6):
            before = self.dropped("answers_only")
            self.assertFalse(self.answers(host, NOBODY))
            self.assertFalse(self.answers(host, EMBEDDED_CLIENT))
            self.assertGreaterEqual(self.dropped("answers_only"), before + 2)
            self.assertTrue(self.answers(host, self.pop_at(host)))

    def test_nobody_else_sends_from_the_prefix(self):
        self.load()
        own = {self.world.vm: VM[3], self.world.client6: CLIENT6}
        for host in (self.world.vm, self.world.client6):
            before = self.dropped("forged")
            self.assertFalse(self.hears(host, NOBODY))
            self.assertFalse(self.hears(host, EMBEDDED_CLIENT))
            self.assertEqual(self.dropped("forged"), before + 2)
            self.assertTrue(self.hears(host, own[host]))
        self.assertTrue(self.hears(self.world.pop, EMBEDDED_CLIENT))

    def test_embedding_works_under_it(self):
        self.load()
        self.embedding()
        for _ in range(3):
            self.assertEqual(self.vm_sees(), EMBEDDED_CLIENT)
        self.assertEqual(self.dropped("forged"), 0)
        self.assertEqual(self.dropped("answers_only"), 0)

    def test_loading_it_again_replaces_it(self):
        self.load()
        with self.world.pop:
            before = run("nft", "-s", "list", "ruleset").stdout
            run("nft", "-f", RULES)
            self.assertEqual(run("nft", "-s", "list", "ruleset").stdout,
                             before)


if __name__ == "__main__":
    unittest.main()
