# SPDX-License-Identifier: ISC
"""TLS by SNI; the certificate is always the VM's."""
import contextlib
import time
import unittest

from lib import (POP4, POP6, VM, SystemTest, client_hello, recv_all,
                 recv_exactly, run)

NAMES = """
one.example.com     %s
two.example.com     %s
*.wild.example.com  %s
""" % (VM[1], VM[2], VM[2])
RAW = "raw.example.com %s\n" % VM[3]
UNRECOGNIZED_NAME, MISSING_EXTENSION = 112, 109


def in_records(hello, sizes):
    """The same hello in records of these sizes, over and over."""
    handshake = hello[5:]
    out = b""
    while handshake:
        for size in sizes:
            piece, handshake = handshake[:size], handshake[size:]
            if piece:
                out += hello[:3] + len(piece).to_bytes(2, "big") + piece
    return out


class Nginx(SystemTest):
    needs_nginx = True

    def test_sni_chooses_the_server_and_its_certificate(self):
        self.proxyd(NAMES)
        for name, who in (("one.example.com", "one"),
                          ("two.example.com", "two"),
                          ("a.wild.example.com", "two")):
            for version in ("--tls-max=1.2", "--tlsv1.3"):
                with self.subTest(name=name, version=version):
                    answer = self.world.curl("https://%s/who" % name,
                                             *version.split("="))
                    self.assertEqual(answer.stdout,
                                     "%s https %s\n" % (who, name))

    def test_ipv6_clients_are_served(self):
        self.proxyd(NAMES)
        answer = self.world.curl("https://two.example.com/who", at=POP6)
        self.assertEqual(answer.stdout, "two https two.example.com\n")

    def test_the_wrong_certificate_is_noticed(self):
        # Shows that the certificate is checked at all.
        self.proxyd("one.example.com %s\n" % VM[2])
        done = self.world.curl("https://one.example.com/who", check=False)
        self.assertEqual(done.returncode, 60, done.stderr)


class Raw(SystemTest):
    def s_client(self, *args):
        with self.world.client:
            done = run("openssl", "s_client", "-connect", POP4 + ":443",
                       *args, check=False)
        return done.stdout + done.stderr

    def test_unmapped_name_gets_unrecognized_name(self):
        proxyd = self.proxyd(RAW)
        self.assertIn("SSL alert number %d" % UNRECOGNIZED_NAME,
                      self.s_client("-servername", "not.example.com"))
        proxyd.wait_end(name='"not.example.com"', target="-",
                        reason="not_mapped")
        client = self.connect(443)
        client.sendall(client_hello("not.example.com"))
        self.assertEqual(recv_all(client),
                         bytes([21, 3, 3, 0, 2, 2, UNRECOGNIZED_NAME]))

    def test_no_name_gets_missing_extension(self):
        proxyd = self.proxyd(RAW)
        self.assertIn("SSL alert number %d" % MISSING_EXTENSION,
                      self.s_client("-noservername"))
        proxyd.wait_end(name='"-"', reason="tls_no_sni")

    def test_what_is_not_tls_is_refused(self):
        proxyd = self.proxyd(RAW)
        client = self.connect(443)
        client.sendall(b"GET / HTTP/1.1\r\nHost: raw.example.com\r\n\r\n")
        recv_all(client)
        proxyd.wait_end(reason="tls_not_tls", target="-")

    def test_hello_reaches_the_vm_as_it_came(self):
        self.proxyd(RAW)
        listener = self.listen(VM[3], 443)
        hello = client_hello("raw.example.com")
        big = client_hello("raw.example.com",
                           ["x%03d" % i + "y" * 200 for i in range(78)])
        self.assertGreater(len(big), 16000)
        for data in (hello, big, in_records(hello, [1]),
                     in_records(hello, [4, 100, 1]), in_records(big, [500]),
                     hello + b"early data"):
            with self.subTest(octets=len(data)):
                client = self.connect(443)
                client.sendall(data)
                vm = self.accept(listener)
                self.assertEqual(recv_exactly(vm, len(data)), data)
                self.assert_echo(client, vm)

    def test_hello_one_octet_at_a_time(self):
        self.proxyd(RAW)
        listener = self.listen(VM[3], 443)
        hello = client_hello("raw.example.com")
        client = self.connect(443)
        for i in range(len(hello)):
            client.sendall(hello[i:i + 1])
            time.sleep(0.0005)
        vm = self.accept(listener)
        self.assertEqual(recv_exactly(vm, len(hello)), hello)
        self.assert_echo(client, vm)

    def test_a_dripping_client_ends_at_the_deadline(self):
        proxyd = self.proxyd(RAW, timeouts={"peek": "1.0"})
        start = time.monotonic()
        client = self.connect(443)
        client.settimeout(0.05)
        with contextlib.suppress(OSError):
            for octet in client_hello("raw.example.com"):
                client.sendall(bytes([octet]))
                with contextlib.suppress(TimeoutError):
                    client.recv(100)
                    break
        self.assertTrue(0.9 < time.monotonic() - start < 10)
        proxyd.wait_end(reason="peek_timeout")


if __name__ == "__main__":
    unittest.main()
