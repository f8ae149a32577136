# SPDX-License-Identifier: ISC
"""HTTP by Host."""
import time
import unittest

from lib import (CLIENT6, POP4, POP6, VM, SystemTest, recv_all, recv_exactly,
                 request)

NAMES = """
one.example.com     %s
two.example.com     %s
*.wild.example.com  %s
""" % (VM[1], VM[2], VM[2])
RAW = "raw.example.com %s\n" % VM[3]


class Nginx(SystemTest):
    needs_nginx = True

    def test_host_chooses_the_server(self):
        self.proxyd(NAMES)
        for name, body in (("one.example.com", "one http one.example.com\n"),
                           ("two.example.com", "two http two.example.com\n"),
                           ("ONE.Example.Com", "one http one.example.com\n"),
                           ("a.wild.example.com",
                            "two http a.wild.example.com\n"),
                           ("b.a.wild.example.com",
                            "two http b.a.wild.example.com\n")):
            with self.subTest(name=name):
                url = "http://%s/who" % name
                self.assertEqual(self.world.curl(url).stdout, body)

    def test_ipv6_clients_are_served(self):
        proxyd = self.proxyd(NAMES)
        answer = self.world.curl("http://one.example.com/who", at=POP6)
        self.assertEqual(answer.stdout, "one http one.example.com\n")
        end = proxyd.wait_end(name='"one.example.com"')
        self.assertTrue(end["client"].startswith("[%s]:" % CLIENT6), end)
        self.assertEqual(end["listener"], "[%s]:80" % POP6)

    def test_unmapped_name_is_told_so(self):
        proxyd = self.proxyd(NAMES)
        for name in ("other.example.com", "wild.example.com"):
            answer = self.world.curl("http://%s/" % name, "-i").stdout
            head, _, body = answer.replace("\r\n", "\n").partition("\n\n")
            self.assertIn("HTTP/1.1 404 ", head)
            self.assertIn("text/plain", head)
            self.assertIn("nosniff", head)
            self.assertIn("Connection: close", head)
            self.assertIn(name, body)
            proxyd.wait_end(name='"%s"' % name, target="-",
                            reason="not_mapped")


class Raw(SystemTest):
    def test_bytes_reach_the_vm_as_they_came(self):
        self.proxyd(RAW)
        listener = self.listen(VM[3])
        data = (b"POST /a?b HTTP/1.1\r\nX-Odd:\t \x80\xff \r\n"
                b"hOsT: RAW.example.com:80\r\nContent-Length: 3\r\n\r\nabc"
                b"GET /next HTTP/1.1\r\nHost: raw.example.com\r\n\r\n")
        for pieces in ([data], [data[i:i + 1] for i in range(len(data))],
                       [data[:-60], data[-60:]]):
            client = self.connect()
            for piece in pieces:
                client.sendall(piece)
                if len(piece) == 1:
                    time.sleep(0.0005)    # a segment of its own
            vm = self.accept(listener)
            self.assertEqual(recv_exactly(vm, len(data)), data)
            vm.sendall(b"HTTP/1.1 200 OK\r\n\r\nwhatever \0 it is")
            vm.close()
            self.assertEqual(recv_all(client),
                             b"HTTP/1.1 200 OK\r\n\r\nwhatever \0 it is")

    def test_heads_up_to_the_limit(self):
        self.proxyd(RAW)
        listener = self.listen(VM[3])
        plain = len(request("raw.example.com", extra=b"X: \r\n"))
        head = request("raw.example.com",
                       extra=b"X: %s\r\n" % (b"x" * (16384 - plain)))
        self.assertEqual(len(head), 16384)
        client = self.connect()
        client.sendall(head)
        self.assertEqual(recv_exactly(self.accept(listener), 16384), head)
        client = self.connect()
        client.sendall(head[:-4] + b"x\r\n\r\n")
        self.assertTrue(recv_all(client).startswith(b"HTTP/1.1 431 "))

    def test_bad_requests_are_refused(self):
        proxyd = self.proxyd(RAW)
        listener = self.listen(VM[3])
        get = b"GET / HTTP/1.1\r\n"
        for data, status, reason in (
                (get + b"\r\n", b"400", "http_no_host"),
                (get + b"Host: raw.example.com\r\nHost: raw.example.com\r\n"
                 b"\r\n", b"400", "http_two_hosts"),
                (get + b"Host: x@raw.example.com\r\n\r\n", b"400",
                 "http_bad_host"),
                (get + b"Host: 192.0.2.10\r\n\r\n", b"404",
                 "http_host_address"),
                (b"GET http://a.example/ HTTP/1.1\r\n"
                 b"Host: raw.example.com\r\n\r\n", b"400",
                 "http_host_mismatch"),
                (b"CONNECT raw.example.com:80 HTTP/1.1\r\n"
                 b"Host: raw.example.com:80\r\n\r\n", b"4",
                 "http_connect"),
                (get + b"Host : raw.example.com\r\n\r\n", b"400",
                 "http_field_space"),
                (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" +
                 bytes(100), b"400", None),
                (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"505", None)):
            with self.subTest(data=data):
                mark = proxyd.log_mark()
                client = self.connect()
                client.sendall(data)
                answer = recv_all(client)
                self.assertTrue(answer.startswith(b"HTTP/1.1 " + status),
                                answer)
                end = proxyd.wait_end(mark, target="-")
                if reason is not None:
                    self.assertEqual(end["reason"], reason)
        listener.settimeout(0.1)
        self.assertRaises(TimeoutError, listener.accept)

    def test_refused_head_request_has_no_body(self):
        self.proxyd(RAW)
        client = self.connect()
        client.sendall(b"HEAD / HTTP/1.1\r\nHost: not.example.com\r\n\r\n")
        answer = recv_all(client)
        self.assertTrue(answer.startswith(b"HTTP/1.1 404 "), answer)
        self.assertTrue(answer.endswith(b"\r\n\r\n"), answer)

    def test_hostile_bytes_never_reach_the_log(self):
        proxyd = self.proxyd(RAW)
        mark = proxyd.log_mark()
        for name in (b"a\x1b[31mb", b"a\" reason=done x=\"", b"\xe2\x80\xae"):
            client = self.connect()
            client.sendall(b"GET /\x07 HTTP/1.1\r\nHost: %s\r\n\r\n" % name)
            recv_all(client)
        proxyd.wait_log("client=", mark, count=3)
        for line in proxyd.lines[mark:]:
            self.assertRegex(line, r"^[ -~]*$")
            self.assertNotIn("reason=done", line)

    def test_a_dripping_client_ends_at_the_deadline(self):
        proxyd = self.proxyd(RAW, timeouts={"peek": "1.0"})
        start = time.monotonic()
        client = self.connect()
        answer = b""
        try:
            for octet in request("raw.example.com", extra=b"X: y\r\n" * 99):
                client.sendall(bytes([octet]))
                client.settimeout(0.1)
                try:
                    answer = client.recv(1000)
                    break
                except TimeoutError:
                    pass
        except OSError:
            pass
        took = time.monotonic() - start
        self.assertTrue(0.9 < took < 10, took)
        self.assertTrue(answer == b"" or answer.startswith(b"HTTP/1.1 408 "))
        proxyd.wait_end(reason="peek_timeout", up="0")

    def test_a_silent_client_ends_at_the_deadline(self):
        proxyd = self.proxyd(RAW, timeouts={"peek": "0.5"})
        client = self.connect()
        recv_all(client)
        proxyd.wait_end(reason="client_silent", name='"-"')

    def test_a_client_that_leaves_is_counted_as_such(self):
        proxyd = self.proxyd(RAW)
        client = self.connect()
        client.sendall(b"GET / HT")
        client.close()
        proxyd.wait_end(reason="client_left")

    def test_default_target_takes_what_is_not_mapped(self):
        proxyd = self.proxyd(RAW, default_target='"%s"' % VM[4])
        listener = self.listen(VM[4])
        data = request("not.example.com")
        client = self.connect()
        client.sendall(data)
        vm = self.accept(listener)
        self.assertEqual(recv_exactly(vm, len(data)), data)
        vm.close()
        client.close()
        proxyd.wait_end(name='"not.example.com"', target="[%s]:80" % VM[4])

    def test_services_and_ports_of_a_line(self):
        self.proxyd("raw.example.com %s services=http http=8080\n" % VM[3])
        listener = self.listen(VM[3], 8080)
        self.relayed(listener, port=80)

    def test_later_requests_are_judged_too(self):
        proxyd = self.proxyd(RAW + "other.example.com %s\n" % VM[4])
        listener = self.listen(VM[3])
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
        for name, status, reason in (
                ("other.example.com", b"421", "http_misdirected"),
                ("not.example.com", b"404", "not_mapped"),
                ("a@b", b"400", "http_bad_host")):
            with self.subTest(name=name):
                client, vm = self.relayed(listener, port=80)
                vm.sendall(answer)
                recv_exactly(client, len(answer))
                again = request("raw.example.com")
                client.sendall(again)
                self.assertEqual(recv_exactly(vm, len(again)), again)
                client.sendall(request(name))
                vm.settimeout(0.2)
                self.assertRaises(TimeoutError, vm.recv, 1)
                vm.settimeout(10)
                vm.sendall(answer)
                self.assertTrue(recv_all(client).startswith(
                    answer + b"HTTP/1.1 " + status))
                self.assertEqual(vm.recv(1), b"")
                proxyd.wait_end(name='"raw.example.com"', reason=reason)

    def test_after_a_101_bytes_are_bytes(self):
        self.proxyd(RAW)
        listener = self.listen(VM[3])
        client = self.connect()
        client.sendall(request("raw.example.com", extra=(
            b"Connection: upgrade\r\nUpgrade: websocket\r\n")))
        vm = self.accept(listener)
        vm.recv(1000)
        answer = (b"HTTP/1.1 101 Switching Protocols\r\n"
                  b"Connection: upgrade\r\nUpgrade: websocket\r\n\r\n")
        vm.sendall(answer)
        self.assertEqual(recv_exactly(client, len(answer)), answer)
        self.assert_echo(client, vm, b"\x81\x05\0\r\nGET / HTTP/9")

    def test_a_log_line_has_every_field_in_order(self):
        proxyd = self.proxyd(RAW)
        listener = self.listen(VM[3])
        client, vm = self.relayed(listener, port=80)
        port = client.getsockname()[1]
        vm.sendall(b"x" * 1000)
        vm.close()
        self.assertEqual(len(recv_all(client)), 1000)
        client.close()
        line = proxyd.wait_log("client=")
        self.assertRegex(line, (
            r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z proxyd\[\d+\] info: "
            r"client=192\.0\.2\.7:%d listener=%s:80 service=http "
            r'name="raw\.example\.com" target=\[%s\]:80 reason=done '
            r"peek_ms=\d+ dial_ms=\d+ relay_ms=\d+ up=%d down=1000$") % (
                port, POP4.replace(".", r"\."), VM[3],
                len(request("raw.example.com"))))


if __name__ == "__main__":
    unittest.main()
