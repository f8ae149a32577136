# SPDX-License-Identifier: ISC
"""Who the client is, told to proxyd by those in front of it and to the VM."""
import contextlib
import ipaddress
import re
import select
import socket
import struct
import time
import unittest

from lib import (CLIENT4, CLIENT6, NET, POP4, POP6, VM, SystemTest,
                 client_hello, log_fields, recv_all, recv_exactly, request,
                 wait_for)

NAME = "raw.example.com"
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
EMBED = "2001:db8:e::/96"
EMBEDDED_CLIENT = "2001:db8:e::c000:207"
OTHER4 = "192.0.2.8"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


def v1_header(source, destination):
    return b"PROXY TCP%d %s %s %d %d\r\n" % (
        6 if ":" in source[0] else 4, source[0].encode(),
        destination[0].encode(), source[1], destination[1])


def tlv(kind, value):
    return struct.pack("!BH", kind, len(value)) + value


def v2_header(source, destination, *tlvs, command=1):
    body = b"".join(ipaddress.ip_address(at[0]).packed
                    for at in (source, destination))
    body += struct.pack("!HH", source[1], destination[1]) + b"".join(tlvs)
    return SIGNATURE + struct.pack(
        "!BBH", 0x20 | command, 0x21 if ":" in source[0] else 0x11,
        len(body)) + body


def data_segments(sock):
    """How many segments with data have come."""
    info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 192)
    return struct.unpack_from("I", info, 152)[0]


def source_of(client):
    return client.getsockname()[:2]


class ClientAddress(SystemTest):
    def route(self, host, *route):
        host.ip("-6", "route", "add", *route)
        self.addCleanup(host.ip, "-6", "route", "del", *route)

    def nginx(self, server, log_format="$remote_addr"):
        """A web server on the VM's host with a log of its own, whose path
        is returned."""
        log = self.world.path("access.log")
        conf = self.world.write("address.conf", (
            "daemon off; user root; pid address.pid; error_log nginx.err;\n"
            "events { }\n"
            "http {\n"
            "    log_format short '%s'; access_log %s%s;\n"
            "    client_body_temp_path tmp-body; proxy_temp_path tmp-proxy;\n"
            "    fastcgi_temp_path tmp-fcgi; uwsgi_temp_path tmp-uwsgi;\n"
            "    scgi_temp_path tmp-scgi;\n"
            "    server { %s\n"
            "        ssl_certificate one.pem; ssl_certificate_key one.key;\n"
            "        location / { return 200 here; }\n"
            "    }\n"
            "}\n") % (log_format, log, " short" if "$proxy" in log_format
                      else "", server))
        process = self.world.vm.start(
            "nginx", "-p", self.world.folder, "-c", conf, "-e",
            self.world.path("nginx.err"))
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)

        def answers():
            with contextlib.suppress(OSError):
                self.world.vm.connect(VM[5], 443).close()
                return True
        wait_for(answers, "nginx answers")
        open(log, "w").close()
        return log

    def last_logged(self, path):
        def line():
            with open(path) as file:
                return file.read()
        text = wait_for(line, "a line in nginx's log")
        open(path, "w").close()
        return text.splitlines()[-1]


class ProxyHeader(ClientAddress):
    CASES = [(at, port) for at in (POP4, POP6) for port in (80, 443)]

    def first_bytes(self, port):
        return client_hello(NAME) if port == 443 else \
            request(NAME, extra=b"X: y\r\n")

    def reach(self, listener, at, port, first):
        """A connection; returns client's and VM's end and what the VM got
        before it answered."""
        client = self.connect(port, at)
        client.sendall(first)
        vm = self.accept(listener)
        return client, vm, vm.recv(100000)

    def test_v1_to_the_octet(self):
        self.proxyd("%s %s proxy=v1\n" % (NAME, VM[3]))
        for at, port in self.CASES:
            with self.subTest(at=at, port=port):
                first = self.first_bytes(port)
                with self.listen(VM[3], port) as listener:
                    client, vm, got = self.reach(listener, at, port, first)
                self.assertEqual(
                    got, v1_header(source_of(client), (at, port)) + first)
                self.assertEqual(data_segments(vm), 1)
                client.close()
                vm.close()

    def test_v2_to_the_octet(self):
        proxyd = self.proxyd("%s %s proxy=v2\n" % (NAME, VM[3]))
        seen = set()
        for at, port in self.CASES:
            with self.subTest(at=at, port=port):
                first = self.first_bytes(port)
                mark = proxyd.log_mark()
                with self.listen(VM[3], port) as listener:
                    client, vm, got = self.reach(listener, at, port, first)
                source = source_of(client)
                self.assertEqual(data_segments(vm), 1)
                client.close()
                vm.close()
                unique = proxyd.wait_end(mark, name='"%s"' % NAME)["id"]
                seen.add(unique)
                tlvs = [tlv(2, NAME.encode()), tlv(5, unique.encode())]
                if port == 443:
                    tlvs.insert(0, tlv(1, b"h2"))
                self.assertEqual(
                    got, v2_header(source, (at, port), *tlvs) + first)
        self.assertEqual(len(seen), 4)

    def test_no_alpn_if_the_client_offered_none(self):
        self.proxyd("%s %s proxy=v2\n" % (NAME, VM[3]))
        first = client_hello(NAME, alpn=())
        _, _, got = self.reach(self.listen(VM[3], 443), POP4, 443, first)
        self.assertTrue(got.endswith(first))
        self.assertEqual(got[28:31], b"\x02\0\x0f")

    def test_one_header_whatever_the_client_and_targets_do(self):
        self.proxyd("%s 2001:db8:bad::1,%s proxy=v1\n" % (NAME, VM[3]))
        listener = self.listen(VM[3])
        first = request(NAME)
        for _ in range(3):
            client = self.connect()
            for octet in first:
                client.sendall(bytes([octet]))
            expected = v1_header(source_of(client), (POP4, 80)) + first
            vm = self.accept(listener)
            self.assertEqual(recv_exactly(vm, len(expected)), expected)
            vm.sendall(OK)
            self.assertEqual(recv_exactly(client, len(OK)), OK)
            client.sendall(first)    # a later request has none
            self.assertEqual(recv_exactly(vm, len(first)), first)

    def test_a_wildcard_listener_tells_the_address_connected_to(self):
        proxyd = self.proxyd("%s %s proxy=v1\n" % (NAME, VM[3]), listeners=(
            '({ address = "0.0.0.0"; port = 80; protocol = "http"; },'
            ' { address = "::"; port = 80; protocol = "http"; })'))
        listener = self.listen(VM[3])
        for at in (POP4, POP6):
            with self.subTest(at=at):
                client, vm, got = self.reach(listener, at, 80, request(NAME))
                self.assertEqual(got, v1_header(source_of(client), (at, 80)) +
                                 request(NAME))
                client.close()
                vm.close()
                self.assertRegex(proxyd.wait_log("client="),
                                 r"listener=\S+:80 ")

    def test_other_mappings_get_none(self):
        proxyd = self.proxyd("%s %s\n" % (NAME, VM[3]))
        client, vm = self.relayed(self.listen(VM[3], 443))
        client.close()
        vm.close()
        self.assertNotIn("id", log_fields(proxyd.wait_log("client=")))


class ProxyHeaderNginx(ClientAddress):
    needs_nginx = True

    def test_nginx_takes_both_versions(self):
        log = self.nginx(
            "listen [%s]:80 proxy_protocol; "
            "listen [%s]:443 ssl http2 proxy_protocol;" % (VM[5], VM[5]),
            "$proxy_protocol_addr $proxy_protocol_port "
            "$proxy_protocol_server_addr $proxy_protocol_server_port "
            "$request_method")
        for version in ("v1", "v2"):
            proxyd = self.proxyd("one.example.com %s proxy=%s\n" % (
                VM[5], version))
            for at, client in ((POP4, CLIENT4), (POP6, CLIENT6)):
                for scheme, port in (("http", 80), ("https", 443)):
                    with self.subTest(version=version, at=at, port=port):
                        mark = proxyd.log_mark()
                        url = scheme + "://one.example.com/"
                        self.assertEqual(
                            self.world.curl(url, at=at).stdout, "here")
                        end = log_fields(proxyd.wait_log("client=", mark))
                        self.assertEqual(self.last_logged(log), (
                            "%s %s %s %d GET" % (
                                client, end["client"].rpartition(":")[2],
                                at, port)))
            proxyd.stop()


class AcceptProxy(ClientAddress):
    TOLD = ("198.51.100.7", 4711), ("203.0.113.1", 443)
    TOLD6 = ("2001:db8:c::7", 4711), ("2001:db8:f::1", 443)

    def setUp(self):
        super().setUp()
        self.world.client.address("eth0", OTHER4 + "/24")
        self.addCleanup(self.world.client.ip, "address", "del",
                        OTHER4 + "/24", "dev", "eth0")

    def behind(self, options="", peers='"192.0.2.7/32", "2001:db8:6::/64"',
               **settings):
        self.running = self.proxyd(
            "%s %s %s\n" % (NAME, VM[3], options),
            listeners="(%s)" % ", ".join(
                '{ address = "%s"; port = %d; protocol = "%s"; '
                'accept_proxy = [ %s ]; }' % (at, port, protocol, peers)
                for at in (POP4, POP6)
                for port, protocol in ((80, "http"), (443, "tls"))),
            **settings)
        return self.running

    def test_what_it_tells_is_logged_and_passed_on(self):
        proxyd = self.behind("proxy=v2")
        listeners = {port: self.listen(VM[3], port) for port in (80, 443)}
        for told in (self.TOLD, self.TOLD6):
            for port in listeners:
                for header in (v1_header(*told), v2_header(*told),
                               v2_header(*told, tlv(4, b"\0" * 99))):
                    with self.subTest(header=header, port=port):
                        self.passed_on(proxyd, listeners[port], port, told,
                                       header)

    def passed_on(self, proxyd, listener, port, told, header):
        mark = proxyd.log_mark()
        first = client_hello(NAME) if port == 443 else request(NAME)
        client = self.connect(port)
        client.sendall(header + first)
        vm = self.accept(listener)
        got = vm.recv(100000)
        client.close()
        vm.close()
        end = log_fields(proxyd.wait_log("client=", mark))
        self.assertEqual(end["client"], "%s:%d" % (
            "[%s]" % told[0][0] if ":" in told[0][0] else told[0][0],
            told[0][1]))
        self.assertEqual(end["listener"], "%s:%d" % (POP4, port))
        tlvs = [tlv(2, NAME.encode()), tlv(5, end["id"].encode())]
        if port == 443:
            tlvs.insert(0, tlv(1, b"h2"))
        self.assertEqual(got, v2_header(*told, *tlvs) + first)

    def test_in_single_octets(self):
        self.behind("forwarded=yes")
        listener = self.listen(VM[3])
        for header in (v1_header(*self.TOLD6), v2_header(*self.TOLD6)):
            with self.subTest(header=header):
                client = self.connect(at=POP6)
                for octet in header + request(NAME):
                    client.sendall(bytes([octet]))
                    time.sleep(0.0003)    # a segment of its own
                vm = self.accept(listener)
                self.assertIn(b"\r\nX-Forwarded-For: 2001:db8:c::7\r\n",
                              vm.recv(10000))
                vm.close()
                client.close()

    def test_a_large_head_right_behind_it(self):
        self.behind()
        first = request(NAME, extra=b"X: %s\r\n" % (b"x" * 16000))
        listener = self.listen(VM[3])
        client = self.connect()
        client.sendall(v2_header(*self.TOLD) + first)
        vm = self.accept(listener)
        self.assertEqual(recv_exactly(vm, len(first)), first)

    def test_what_is_no_good_header_ends(self):
        proxyd = self.behind()
        listener = self.listen(VM[3])
        good = v2_header(*self.TOLD)
        none = "it does not begin with a PROXY header"
        for header, fault in (
                (b"", none), (b"proxy UNKNOWN\r\n", none),
                (b"PROXY TCP4 192.0.2.1 192.0.2.2 1 x\r\n",
                 "v1: malformed port or end of line"),
                (b"PROXY TCP4 %s\r\n" % (b"1" * 100),
                 "v1: no end within 107 octets"),
                (good[:12] + b"\x31" + good[13:], "v2: unknown version"),
                (good[:14] + b"\xff\xff" + good[16:],
                 "v2: longer than 4096 octets")):
            with self.subTest(header=header):
                mark = proxyd.log_mark()
                client = self.connect()
                client.sendall(header + request(NAME))
                with contextlib.suppress(ConnectionResetError):
                    self.assertEqual(recv_all(client), b"")
                proxyd.wait_end(mark, reason="proxy_header", target="-",
                                fault='"%s"' % fault)
        listener.settimeout(0.1)
        self.assertRaises(TimeoutError, listener.accept)

    def test_its_own_connections_keep_its_address(self):
        proxyd = self.behind("proxy=v1")
        listener = self.listen(VM[3])
        for header in (b"PROXY UNKNOWN\r\n",
                       b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n",
                       v2_header(*self.TOLD, command=0),
                       SIGNATURE + b"\x20\0\0\0"):
            with self.subTest(header=header):
                mark = proxyd.log_mark()
                client = self.connect()
                source = source_of(client)
                client.sendall(header + request(NAME))
                vm = self.accept(listener)
                self.assertEqual(vm.recv(10000), v1_header(
                    source, (POP4, 80)) + request(NAME))
                vm.close()
                client.close()
                proxyd.wait_end(mark, client="%s:%d" % source)

    def test_anyone_else_is_refused(self):
        proxyd = self.behind()
        for first in (v1_header(*self.TOLD), request(NAME)):
            with self.assertRaises(ConnectionError):
                client = self.connect(source=OTHER4)
                client.sendall(first)
                self.assertEqual(client.recv(1), b"never this")
        proxyd.wait_log(r"info: refused=\d reason=proxy_denied client=%s:" %
                        re.escape(OTHER4))
        self.assertEqual(proxyd.log("info: client="), [])

    def test_everybody_may_be_listed(self):
        proxyd = self.behind(peers='"::/0"')
        listener = self.listen(VM[3])
        for at in (POP4, POP6):
            client = self.connect(at=at)
            client.sendall(v1_header(*self.TOLD) + request(NAME))
            vm = self.accept(listener)
            self.assertEqual(vm.recv(10000), request(NAME))
            vm.close()
            client.close()
        proxyd.wait_log("client=198.51.100.7:4711 ", count=2)

    def test_without_it_a_header_is_no_request(self):
        proxyd = self.proxyd("%s %s\n" % (NAME, VM[3]))
        for port, reason in ((80, "http_"), (443, "tls_not_tls")):
            client = self.connect(port)
            client.sendall(v1_header(*self.TOLD) + request(NAME))
            recv_all(client)
            proxyd.wait_log("reason=" + reason)

    def test_a_silent_peer_ends_at_the_deadline(self):
        proxyd = self.behind(timeouts={"peek": "0.5"})
        header = v2_header(*self.TOLD)
        for sent, reason in ((b"", "client_silent"),
                             (header[:20], "peek_timeout"),
                             (header, "client_silent"),
                             (header + b"GET /", "peek_timeout")):
            with self.subTest(sent=sent):
                mark = proxyd.log_mark()
                start = time.monotonic()
                client = self.connect()
                client.sendall(sent)
                recv_all(client)
                self.assertTrue(0.4 < time.monotonic() - start < 10)
                end = proxyd.wait_end(mark, reason=reason)
                self.assertEqual(end["client"] == "198.51.100.7:4711",
                                 len(sent) >= len(header))

    def enters_again(self, listener, enter):
        """Once it is counted that another has left: soon after its line."""
        def entered():
            client = enter()
            return listener in select.select([listener, client], [], [],
                                             30)[0]
        wait_for(entered, "there is room again")
        return self.accept(listener)

    def test_limits_are_those_of_the_client_it_tells(self):
        proxyd = self.behind(limits={"per_client": "1"})
        listener = self.listen(VM[3])
        other = ("198.51.100.8", 1), self.TOLD[1]

        def enter(told):
            client = self.connect()
            client.sendall(v2_header(*told) + request(NAME))
            return client

        def arrives():
            vm = self.accept(listener)
            self.assertEqual(vm.recv(10000), request(NAME))
            return vm
        first = enter(self.TOLD)
        vm = arrives()
        with contextlib.suppress(ConnectionResetError):
            self.assertEqual(recv_all(enter(self.TOLD)), b"")
        proxyd.wait_end(client="198.51.100.7:4711", reason="limit_client")
        enter(other)
        arrives()
        first.close()
        vm.close()
        proxyd.wait_end(client="198.51.100.7:4711", reason="done")
        vm = self.enters_again(listener, lambda: enter(self.TOLD))
        self.assertEqual(vm.recv(10000), request(NAME))

    def test_its_own_connections_count_as_its_own(self):
        proxyd = self.behind(limits={"per_client": "1", "connections": "2"})
        listener = self.listen(VM[3])

        def enter(header):
            client = self.connect()
            client.sendall(header + request(NAME))
            return client
        own = enter(b"PROXY UNKNOWN\r\n")
        vm = self.accept(listener)
        recv_exactly(vm, len(request(NAME)))
        for header in (b"PROXY UNKNOWN\r\n", SIGNATURE + b"\x20\0\0\0"):
            with self.subTest(header=header):
                mark = proxyd.log_mark()
                client = enter(header)
                source = source_of(client)
                with contextlib.suppress(ConnectionResetError):
                    self.assertEqual(recv_all(client), b"")
                proxyd.wait_end(mark, client="%s:%d" % source,
                                reason="limit_client")
        enter(v1_header(*self.TOLD))
        self.accept(listener)
        enter(v1_header(*self.TOLD6))
        proxyd.wait_end(client="[%s]:%d" % self.TOLD6[0],
                        reason="limit_total")
        mark = proxyd.log_mark()
        own.close()
        vm.close()
        proxyd.wait_end(mark, reason="done")
        self.enters_again(listener, lambda: enter(b"PROXY UNKNOWN\r\n"))


class Embed(ClientAddress):
    needs_nginx = True

    def embedding(self, target, local_route=True, **settings):
        if local_route:
            self.route(self.world.pop, "local", EMBED, "dev", "lo")
        self.route(self.world.vm, EMBED, "via", NET + "1")
        return self.proxyd("one.example.com %s source=embed\n" % target,
                           embed_prefix='"%s"' % EMBED, **settings)

    def test_an_unmodified_nginx_logs_the_client(self):
        log = self.nginx("listen [%s]:80; listen [%s]:443 ssl http2;" % (
            VM[5], VM[5]))
        self.embedding(VM[5])
        for scheme in ("http", "https"):
            url = scheme + "://one.example.com/"
            for at, source in ((POP4, re.escape(EMBEDDED_CLIENT)),
                               (POP6, NET + "[123]")):
                with self.subTest(url=url, at=at):
                    self.assertEqual(self.world.curl(url, at=at).stdout,
                                     "here")
                    self.assertRegex(self.last_logged(log),
                                     r'^%s - - \[.*"GET / ' % source)

    def test_much_both_ways(self):
        self.embedding(VM[3])
        listener = self.listen(VM[3], 443)
        client, vm = self.relayed(listener, "one.example.com")
        self.assertEqual(vm.getpeername()[0], EMBEDDED_CLIENT)
        for _ in range(20):
            self.assert_echo(client, vm, b"z" * 300000)

    def test_many_at_once(self):
        self.embedding(VM[3])
        listener = self.listen(VM[3], 443)
        pairs = [self.relayed(listener, "one.example.com")
                 for _ in range(100)]
        ports = {vm.getpeername()[:2] for _, vm in pairs}
        self.assertEqual({at for at, _ in ports}, {EMBEDDED_CLIENT})
        self.assertEqual(len(ports), 100)

    def test_without_the_local_route_it_fails_cleanly(self):
        proxyd = self.embedding(VM[3], local_route=False,
                                timeouts={"connect": "0.5"})
        self.listen(VM[3])
        start = time.monotonic()
        answer = self.world.curl("http://one.example.com/", "-i").stdout
        self.assertIn("HTTP/1.1 504 ", answer)
        self.assertLess(time.monotonic() - start, 20)
        proxyd.wait_end(reason="dial_timeout", target="[%s]:80" % VM[3])


class Forwarded(ClientAddress):
    FORGED = (b"X-Forwarded-For: 10.0.0.1\r\nX-FORWARDED-PROTO:https\r\n"
              b"Forwarded: for=10.0.0.1\r\nX_Forwarded_Host: evil\r\n"
              b"X-Real-IP: 10.0.0.1\r\nx-forwarded-port: 1\r\n")
    OTHERS = (b"X-Odd:\t \x80\xff \r\nhOsT: RAW.example.com:80\r\n"
              b"X-Forwarded: not ours\r\ncookie: a=b\r\n")

    def setUp(self):
        super().setUp()
        self.running = self.proxyd("%s %s forwarded=yes\n" % (NAME, VM[3]))
        self.listener = self.listen(VM[3])

    def ours(self, client):
        at = client.getsockname()[0]
        return (b"X-Forwarded-For: %s\r\nX-Forwarded-Proto: http\r\n"
                b"X-Forwarded-Host: %s\r\n"
                b"Forwarded: for=%s;host=%s;proto=http\r\n" % (
                    at.encode(), NAME.encode(),
                    (b'"[%s]"' if ":" in at else b"%s") % at.encode(),
                    NAME.encode()))

    def exchange(self, client, vm, line, fields=b"", body=b"", pieces=None):
        """Send a request; what the VM gets must be the same but for ours.
        Returns the VM's end."""
        sent = line + self.FORGED + fields + self.OTHERS + b"\r\n" + body
        expected = line + fields + self.OTHERS + self.ours(client) + \
            b"\r\n" + body
        step = pieces or 1 << 16
        for i in range(0, len(sent), step):
            client.sendall(sent[i:i + step])
        vm = vm or self.accept(self.listener)
        got = recv_exactly(vm, len(expected))
        if got != expected:    # a short message even for a long body
            at = next(i for i, pair in enumerate(zip(got, expected))
                      if pair[0] != pair[1])
            self.fail("from octet %d on: %r instead of %r" % (
                at, got[at:at + 99], expected[at:at + 99]))
        vm.sendall(OK)
        self.assertEqual(recv_exactly(client, len(OK)), OK)
        return vm

    @staticmethod
    def chunked(body, size):
        out = b""
        for i in range(0, len(body), size):
            chunk = body[i:i + size]
            out += b"%x;x=\"y\"\r\n%s\r\n" % (len(chunk), chunk)
        return out + b"0\r\nForwarded: for=trailer\r\n\r\n"

    def test_on_every_request_of_a_connection(self):
        get = b"GET /a?b HTTP/1.1\r\n"
        post = b"POST /in HTTP/1.1\r\n"
        large = bytes(range(256)) * 8192    # 2 MiB, and no request in it
        tricky = request(NAME, extra=self.FORGED) * 3
        for at in (POP4, POP6):
            with self.subTest(at=at):
                client = self.connect(at=at)
                vm = self.exchange(client, None, get)
                self.exchange(client, vm, get, pieces=1)
                self.exchange(client, vm, post, b"Content-Length: %d\r\n" %
                              len(tricky), tricky)
                self.exchange(client, vm, post, b"Content-Length: %d\r\n" %
                              len(large), large)
                self.exchange(client, vm, get)
                self.exchange(client, vm, post,
                              b"Transfer-Encoding: chunked\r\n",
                              self.chunked(tricky, 7))
                self.exchange(client, vm, post,
                              b"Transfer-Encoding: chunked\r\n",
                              self.chunked(large, 70000))
                self.exchange(client, vm, get)

    def test_a_body_with_the_first_request(self):
        body = bytes(range(256)) * 8192
        for fields, sent in (
                (b"Content-Length: %d\r\n" % len(body), body),
                (b"Transfer-Encoding: chunked\r\n",
                 self.chunked(body, 5000))):
            client = self.connect()
            vm = self.exchange(client, None, b"PUT / HTTP/1.1\r\n", fields,
                               sent)
            self.exchange(client, vm, b"GET / HTTP/1.1\r\n")

    def test_requests_in_one_segment(self):
        client = self.connect()
        sent, expected = b"", b""
        for i in range(20):
            line = b"GET /%d HTTP/1.1\r\n" % i
            sent += line + self.FORGED + self.OTHERS + b"\r\n"
            expected += line + self.OTHERS + self.ours(client) + b"\r\n"
        client.sendall(sent)
        vm = self.accept(self.listener)
        self.assertEqual(recv_exactly(vm, len(expected)), expected)
        vm.sendall(OK * 20)
        self.assertEqual(recv_exactly(client, len(OK) * 20), OK * 20)

    def test_beside_a_proxy_header(self):
        self.running.reload("%s %s forwarded=yes proxy=v1\n" % (NAME, VM[3]))
        client = self.connect()
        client.sendall(request(NAME, extra=self.FORGED))
        expected = v1_header(source_of(client), (POP4, 80)) + request(
            NAME, extra=self.ours(client))
        vm = self.accept(self.listener)
        self.assertEqual(recv_exactly(vm, len(expected)), expected)

    def test_a_connection_field_cannot_take_them_away(self):
        client = self.connect()
        client.sendall(request(NAME, extra=(
            b"Connection: keep-alive, x-forwarded-for, FORWARDED\r\n")))
        expected = request(NAME, extra=b"Connection: keep-alive\r\n" +
                           self.ours(client))
        vm = self.accept(self.listener)
        self.assertEqual(recv_exactly(vm, len(expected)), expected)

    def test_nothing_is_added_to_tls(self):
        listener = self.listen(VM[3], 443)
        self.assert_echo(*self.relayed(listener))


if __name__ == "__main__":
    unittest.main()
