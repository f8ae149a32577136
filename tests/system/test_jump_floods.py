# SPDX-License-Identifier: ISC
"""Floods of connections and opens: everybody has their limits, and nobody is
kept out by others."""
import contextlib
import threading
import time

from jump_clients import Raw
from jump_lib import JumpTest
from jump_servers import NO_SERVER, SINK, STUCK
from lib import CLIENT4, POP4, POP6, wait_for


class Floods(JumpTest):
    def flood(self, n, source=None):
        socks = []
        for _ in range(n):
            with contextlib.suppress(OSError):
                sock = self.world.client.connect(POP4, 22, source)
                socks.append(sock)
                self.addCleanup(sock.close)
        return socks

    def logins(self, n, source=None):
        """n clients at once; returns how many get through to an echo."""
        good = []

        def use(i):
            with contextlib.suppress(Exception):
                client = Raw(self.world.client6, POP6) if source is None \
                    else Raw(self.world.client, POP4, source % i)
                if client.works(*client.open()):
                    good.append(client)
                client.close()
        threads = [threading.Thread(target=use, args=(i,))
                   for i in range(1, n + 1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return len(good)

    def test_half_open_connections_of_one_source_keep_nobody_out(self):
        self.jumpd(limits={"half_open": "100", "half_open_per_source": "0",
                           "target_opens": "0"})
        other = self.bystander()
        self.flood(200)
        self.assertEqual(self.logins(20), 20)
        other.was_fine(self)

    def test_nor_do_those_of_many(self):
        self.jumpd(limits={"half_open": "60", "half_open_per_source": "20"})
        for net in ("198.51.100.0/24", "203.0.113.0/24"):
            self.world.client.ip("-4", "route", "add", "local", net, "dev",
                                 "lo")
            self.world.pop.ip("-4", "route", "add", net, "via", CLIENT4)
            self.addCleanup(self.world.client.ip, "-4", "route", "del",
                            "local", net, "dev", "lo")
            self.addCleanup(self.world.pop.ip, "-4", "route", "del", net)
        for i in range(1, 9):
            self.flood(25, "198.51.100.%d" % i)
        self.assertEqual(self.logins(20, "203.0.113.%d"), 20)
        self.running.wait_log("refused .*reason=limit_source_half_open")
        self.running.wait_log("session .*reason=shed")

    def test_a_source_has_its_limits(self):
        self.jumpd(limits={"per_source": "3"})
        clients = [self.raw() for _ in range(3)]
        sock = self.connect(22)
        self.assertEqual(sock.recv(100), b"")
        self.running.wait_log("refused client=%s:.*reason=limit_source$" %
                              CLIENT4)
        clients[0].close()
        wait_for(lambda: len(self.running.sessions()) == 2, "one is gone")
        self.assertTrue(self.raw())

    def test_a_rate(self):
        self.jumpd(limits={"rate_per_source": "20", "burst_per_source": "5"})
        # Within less than three seconds, in which there would be one more.
        socks = [self.connect(22) for _ in range(6)]
        self.assertEqual(socks[5].recv(100), b"")
        for sock in socks[:5]:
            self.assertEqual(sock.recv(4), b"SSH-")
        self.running.wait_log("refused .*reason=limit_source_rate$")
        time.sleep(3.1)
        self.raw().close()

    def test_penalties_and_exemptions(self):
        settings = {"penalties": {"failed_login": "4", "threshold": "6",
                                  "max": "60", "hang_up": "0"},
                    "authentication": '[ "keys" ]',
                    "authorized_keys": '[ "%s" ]' % self.world.write(
                        "no-keys", "")}
        self.jumpd(**settings)

        def guess():
            client = Raw(self.world.client, POP4, user=None)
            client.send(5, "ssh-userauth")
            client.send(50, "jump", "ssh-connection", "password", False, "x")
            client.wait(lambda ptype, _: ptype == 51)
            client.close()
        guess()
        guess()
        # The parent hears of them from the broker.
        wait_for(lambda: self.connect(22).recv(100) == b"", "a refusal")
        self.running.wait_log("refused .*reason=penalty$")
        self.running.reload(exempt_sources='[ "%s/32" ]' % CLIENT4)
        guess()
        guess()
        guess()

    def test_who_hangs_up_over_and_over_has_to_wait(self):
        self.jumpd(penalties={"hang_up": "4", "threshold": "6", "max": "60"})
        for _ in range(2):
            self.connect(22).close()
        wait_for(lambda: self.connect(22).recv(100) == b"", "a refusal")
        self.running.wait_log("refused .*reason=penalty$")
        self.assertTrue(self.raw(at=POP6).open())

    def test_no_target_is_flooded(self):
        """Over all sources: limits.target_opens."""
        self.jumpd(limits={"target_opens": "4"})
        clients = self.raw(), self.raw(at=POP6)
        for client in clients:
            for _ in range(2):
                self.assertIsNotNone(client.open())
        for client in clients:
            self.assertIsNone(client.open())
            self.assertIsNotNone(client.open(port=SINK))
        self.running.wait_line("channel_refused", reason="limit_target_opens",
                               count=2)
        self.running.reload(limits={"target_opens": "6",
                                    "source_target_opens": "3"})
        clients = self.raw(), self.raw(at=POP6)
        for client in clients:
            for _ in range(3):
                self.assertIsNotNone(client.open(port=STUCK))
            self.assertIsNone(client.open(port=STUCK))
        self.running.wait_line("channel_refused",
                               reason="limit_source_target_opens")

    def test_no_scanners_relay(self):
        self.jumpd(limits={"source_targets": "5"})
        client = self.raw()
        self.assertIsNotNone(client.open())
        for i in range(4):
            client.open(port=7050 + i)
        self.assertIsNone(client.open(port=7060))
        self.running.wait_line("channel_refused",
                               reason="limit_source_targets")
        self.assertIsNotNone(client.open())
        self.running.reload(limits={"source_failed_dials": "3"})
        client = self.raw()
        self.assertIsNotNone(client.open())
        for i in range(5):
            client.open(port=NO_SERVER)
        self.running.wait_line("channel_refused",
                               reason="limit_source_failed_dials")
        self.running.reload(limits={"session_opens": "4"})
        client = self.raw(at=POP6)
        for i in range(6):
            client.open()
        self.running.wait_line("channel_refused",
                               reason="limit_session_opens")
