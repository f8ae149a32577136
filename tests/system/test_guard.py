# SPDX-License-Identifier: ISC
"""Every request of an HTTP connection is judged, and every answer ends."""
import contextlib
import hashlib
import os
import socket
import threading
import time
import unittest

from http_cases import (BAD_CHUNKS, BAD_FRAMING, GET, GOOD_BODIES, HOST,
                        MISDIRECTED, POST, SMUGGLED, head)
from lib import (VM, SystemTest, recv_all, recv_exactly, request, sha256)

NAMES = "raw.example.com %s\nother.example.com %s\n" % (VM[3], VM[4])
OPTIONS = ("proxy=v1", "proxy=v2", "forwarded=yes", "source=embed",
           "http=8080")
SAME = "same.example.com %s\n" % VM[3]
ELSEWHERE = head(b"other.example.com")
OK = b"HTTP/1.1 200 OK\r\n"
HI = OK + b"Content-Length: 2\r\n\r\nhi"
UPGRADE = b"Connection: upgrade\r\nUpgrade: websocket\r\n"
SWITCHING = b"HTTP/1.1 101 Switching Protocols\r\n" + UPGRADE + b"\r\n"

# Answers with an end: what it is, the request's method, the answer.
FRAMED = (
    ("length", b"GET", HI),
    ("length 0", b"GET", OK + b"Content-Length: 0\r\n\r\n"),
    ("equal lengths", b"GET",
     OK + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\nhi"),
    ("HEAD, length", b"HEAD", OK + b"Content-Length: 1000\r\n\r\n"),
    ("HEAD, chunked", b"HEAD", OK + b"Transfer-Encoding: chunked\r\n\r\n"),
    ("HEAD, nothing", b"HEAD", OK + b"\r\n"),
    ("204", b"GET", b"HTTP/1.1 204 No Content\r\n\r\n"),
    ("304", b"GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n"
     b"\r\n"),
    ("100", b"GET", b"HTTP/1.1 100 Continue\r\n\r\n" + HI),
    ("103, 102", b"GET", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
     b"HTTP/1.1 102 Processing\r\n\r\n" + HI),
    ("chunked", b"GET", OK + b"Transfer-Encoding: chunked\r\n\r\n"
     b"2\r\nhi\r\n0\r\n\r\n"),
    ("chunked, no data", b"GET", OK + b"Transfer-Encoding: chunked\r\n\r\n"
     b"0\r\n\r\n"),
    ("chunked, extensions, trailers", b"GET",
     OK + b"transfer-encoding: CHUNKED\r\n\r\n"
     b'2;a;b="c\\"d"\r\nhi\r\n1E;x\r\nHTTP/1.1 200 OK\r\n0\r\n\r\nwhatever\r\n'
     b"00;end\r\nA: b\r\nC: d\r\n\r\n"),
    ("HTTP/1.0", b"GET", b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n"
     b"Content-Length: 2\r\n\r\nhi"),
)

# Answers that end when the VM closes.
UNTIL_CLOSE = (
    ("no length", OK + b"\r\n"),
    ("HTTP/1.0", b"HTTP/1.0 200 OK\r\n\r\n"),
    ("chunked not last", OK + b"Transfer-Encoding: chunked, gzip\r\n\r\n"),
    ("a 101 nobody asked for", SWITCHING),
    ("no HTTP", b"SSH-2.0-whatever\r\n"),
    ("bad chunk", OK + b"Transfer-Encoding: chunked\r\n\r\n0x2\r\nhi"),
    ("different lengths",
     OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n"),
)


class Guard(SystemTest):
    """Raw clients and servers; raw.example.com's is self.listener."""

    def begin(self, names=NAMES, **settings):
        self.running = self.proxyd(names, **settings)
        self.listener = self.listen(VM[3])
        self.other = self.listen(VM[4])

    def pair(self, first=GET):
        """A connection whose first request is at the VM."""
        client = self.connect()
        client.sendall(first)
        vm = self.accept(self.listener)
        self.assertEqual(recv_exactly(vm, len(first)), first)
        return client, vm

    def assert_asked(self, client, vm, data):
        client.sendall(data)
        self.assertEqual(recv_exactly(vm, len(data)), data)

    def assert_answered(self, client, vm, data=HI):
        vm.sendall(data)
        self.assertEqual(recv_exactly(client, len(data)), data)

    def assert_silent(self, sock, seconds=0.1):
        sock.settimeout(seconds)
        self.assertRaises(TimeoutError, sock.recv, 1)
        sock.settimeout(10)

    def assert_refused(self, client, status, before=b""):
        """All there is to read: `before`, then a refusal."""
        answer = recv_all(client)
        self.assertEqual(answer[:len(before)], before)
        self.assertRegex(answer[len(before):],
                         b"^HTTP/1.1 %d [^\0]*\r\nConnection: close\r\n" %
                         status)

    def assert_nobody_asked(self, *listeners):
        for listener in listeners:
            listener.settimeout(0)
            self.assertRaises(BlockingIOError, listener.accept)
            listener.settimeout(10)


class Requests(Guard):
    def test_requests_on_one_connection_pass_as_they_came(self):
        self.begin(NAMES + SAME)
        client, vm = self.pair()
        self.assert_answered(client, vm)
        for data in [data for _, data in GOOD_BODIES] + [
                b"\r\n\r\nOPTIONS * HTTP/1.1\r\nX:\x80\xff \t\r\n" + HOST +
                b"\r\n",
                head(b"raw.example.com", target=b"http://raw.example.com/"),
                head(b"same.example.com"), head(b"RAW.example.com.:80")]:
            self.assert_asked(client, vm, data)
            self.assert_answered(client, vm)
        client.close()
        self.assertEqual(recv_all(vm), b"")
        self.running.wait_end(reason="done")

    def test_pipelined_requests_pass_as_they_came(self):
        self.begin()
        bodies = b"".join(data for _, data in GOOD_BODIES)
        for pieces in ([bodies], [bodies[i:i + 1]
                                  for i in range(len(bodies))]):
            client, vm = self.pair()
            for piece in pieces:
                client.sendall(piece)
            self.assertEqual(recv_exactly(vm, len(bodies)), bodies)
            for _ in range(1 + len(GOOD_BODIES)):
                self.assert_answered(client, vm)
            client.close()
            self.assertEqual(recv_all(vm), b"")

    def test_forty_pipelined_requests(self):
        self.begin()
        asked = [request("raw.example.com", "/%02d" % i) for i in range(40)]
        answers = [OK + b"Content-Length: 2\r\n\r\n%02d" % i
                   for i in range(40)]
        client = self.connect()
        client.sendall(b"".join(asked))
        vm = self.accept(self.listener)
        self.assertEqual(recv_exactly(vm, 32 * len(asked[0])),
                         b"".join(asked[:32]))
        self.assert_silent(vm)
        for i in range(40):
            vm.sendall(answers[i])
            if i < 8:
                self.assertEqual(recv_exactly(vm, len(asked[0])),
                                 asked[32 + i])
        self.assertEqual(recv_exactly(client, 40 * len(answers[0])),
                         b"".join(answers))
        self.assert_asked(client, vm, GET)
        self.assert_answered(client, vm)

    def test_a_half_closed_client_gets_all_its_answers(self):
        self.begin()
        for count in (1, 3, 33, 100):
            with self.subTest(count=count):
                client = self.connect()
                client.sendall(GET * count)
                client.shutdown(socket.SHUT_WR)
                vm = self.accept(self.listener)
                self.assertEqual(recv_exactly(vm, len(GET)), GET)
                self.assert_answered(client, vm, HI)
                for _ in range(count - 1):
                    self.assertEqual(recv_exactly(vm, len(GET)), GET)
                    self.assert_answered(client, vm, HI)
                self.assertEqual(recv_all(client), b"")
                self.assertEqual(recv_all(vm), b"")
                self.running.wait_end(reason="done",
                                      up=str(count * len(GET)))

    def test_the_vm_sees_no_end_before_its_answer_is_whole(self):
        self.begin()
        client, vm = self.pair()
        client.sendall(GET[:20])    # never whole: of no use
        client.shutdown(socket.SHUT_WR)
        self.assert_silent(vm)
        vm.sendall(HI)
        self.assertEqual(recv_all(client), HI)
        self.assertEqual(recv_all(vm), b"")
        body = POST + b"Content-Length: 5\r\n\r\nhell"
        client, vm = self.pair(body)
        client.shutdown(socket.SHUT_WR)
        self.assertEqual(vm.recv(1), b"")    # it waits for the fifth
        vm.sendall(HI)
        vm.close()
        self.assertEqual(recv_all(client), HI)

    def test_what_waits_for_answers_is_judged_too(self):
        self.begin()
        asked = GET * 32
        client = self.connect()
        client.sendall(asked + ELSEWHERE + SMUGGLED)
        vm = self.accept(self.listener)
        self.assertEqual(recv_exactly(vm, len(asked)), asked)
        vm.sendall(HI * 32)
        self.assert_refused(client, 421, HI * 32)
        self.assertEqual(recv_all(vm), b"")

    def test_misdirected_requests_never_reach_the_vm(self):
        self.begin()
        for what, data, status in MISDIRECTED:
            with self.subTest(what=what, how="after an answer"):
                client, vm = self.pair()
                self.assert_answered(client, vm)
                client.sendall(data)
                self.assert_refused(client, status)
                self.assertEqual(recv_all(vm), b"")
            with self.subTest(what=what, how="pipelined"):
                client = self.connect()
                client.sendall(GET + data + SMUGGLED)
                vm = self.accept(self.listener)
                self.assertEqual(recv_exactly(vm, len(GET)), GET)
                vm.sendall(HI[:5])
                self.assertEqual(recv_exactly(client, 5), HI[:5])
                vm.sendall(HI[5:])
                self.assert_refused(client, status, HI[5:])
                self.assertEqual(recv_all(vm), b"")
        self.assert_nobody_asked(self.listener, self.other)

    def test_the_same_vm_with_other_options_is_another(self):
        self.begin("raw.example.com %s\n" % VM[3] +
                   "".join("name%d.example.com %s %s\n" % (
                       n, VM[3], option) for n, option in
                       enumerate(OPTIONS)), embed_prefix='"2001:db8:e::/96"')
        for n, option in enumerate(OPTIONS):
            with self.subTest(option=option):
                client, vm = self.pair()
                self.assert_answered(client, vm)
                client.sendall(head(b"name%d.example.com" % n))
                self.assert_refused(client, 421)
                self.assertEqual(recv_all(vm), b"")
        self.assert_nobody_asked(self.listener, self.other)

    def test_at_every_cut_a_misdirected_request_is_held(self):
        self.begin()
        for cut in range(1, len(ELSEWHERE)):
            client, vm = self.pair()
            client.sendall(ELSEWHERE[:cut])
            self.assert_answered(client, vm)
            client.sendall(ELSEWHERE[cut:])
            self.assert_refused(client, 421)
            self.assertEqual(recv_all(vm), b"")

    def test_a_refused_head_request_has_no_body(self):
        self.begin()
        client, vm = self.pair()
        self.assert_answered(client, vm)
        client.sendall(head(b"other.example.com", b"HEAD"))
        answer = recv_all(client)
        self.assertTrue(answer.startswith(b"HTTP/1.1 421 "))
        self.assertTrue(answer.endswith(b"\r\n\r\n"))

    def test_earlier_answers_arrive_whole_at_a_slow_reader(self):
        self.begin(NAMES + SAME)
        body = os.urandom(3 << 20)
        answer = OK + b"Content-Length: %d\r\n\r\n" % len(body) + body
        moved = "raw.example.com %s\n" % VM[5]
        for what, data, status in (("refused", ELSEWHERE, 421),
                                   ("moved", head(b"raw.example.com"), None)):
            with self.subTest(what=what):
                client, vm = self.pair()
                if status is None:
                    self.running.reload(moved)
                sender = threading.Thread(target=vm.sendall, args=(answer,))
                sender.start()
                time.sleep(0.2)
                client.sendall(data)
                time.sleep(0.1)
                # never read, and yet no reason for a reset
                with contextlib.suppress(OSError):
                    client.sendall(b"x" * 100000)
                if status is None:
                    self.assertEqual(recv_all(client), answer)
                else:
                    self.assert_refused(client, status, answer)
                sender.join()
                self.assertEqual(recv_all(vm), b"")


class Answers(Guard):
    def test_answers_that_end(self):
        self.begin()
        for what, method, answer in FRAMED:
            for step in (len(answer), 1):
                with self.subTest(what=what, step=step):
                    first = head(b"raw.example.com", method)
                    client, vm = self.pair(first)
                    for i in range(0, len(answer), step):
                        vm.sendall(answer[i:i + step])
                    self.assertEqual(recv_exactly(client, len(answer)),
                                     answer)
                    self.assert_asked(client, vm, first + GET)
                    client.sendall(ELSEWHERE)
                    vm.sendall(answer)
                    self.assertEqual(recv_exactly(client, len(answer)),
                                     answer)
                    self.assert_silent(client, 0.02)
                    vm.sendall(HI)
                    self.assert_refused(client, 421, HI)
                    self.assertEqual(recv_all(vm), b"")

    def test_answers_that_end_with_the_connection(self):
        self.begin()
        body = HI + os.urandom(1 << 20)
        for what, answer in UNTIL_CLOSE:
            for later in (GET, ELSEWHERE):
                with self.subTest(what=what, later=later):
                    client, vm = self.pair()
                    vm.sendall(answer)
                    self.assertEqual(recv_exactly(client, len(answer)),
                                     answer)
                    client.sendall(later)
                    self.assert_silent(vm, 0.02)
                    with contextlib.suppress(OSError):
                        client.sendall(b"x" * 1000)    # never read
                    vm.sendall(body)
                    vm.shutdown(socket.SHUT_WR)
                    self.assertEqual(recv_all(client), body)
                    self.assertEqual(recv_all(vm), b"")

    def test_an_answer_before_its_request_counts_for_none(self):
        self.begin()
        client, vm = self.pair()
        self.assert_answered(client, vm, HI + HI)
        client.sendall(GET)
        self.assert_silent(vm)
        vm.close()
        self.assertEqual(recv_all(client), b"")

    def test_expect_100_continue(self):
        self.begin()
        client, vm = self.pair(POST + b"Expect: 100-continue\r\n"
                               b"Content-Length: 5\r\n\r\n")
        self.assert_answered(client, vm, b"HTTP/1.1 100 Continue\r\n\r\n")
        self.assert_asked(client, vm, b"hello")
        self.assert_answered(client, vm)
        self.assert_asked(client, vm, GET)
        self.assert_answered(client, vm)


class Smuggling(Guard):
    def test_bodies_of_two_lengths(self):
        self.begin()
        for what, data in BAD_FRAMING:
            with self.subTest(what=what, how="first"):
                client = self.connect()
                client.sendall(data)
                self.assert_refused(client, 400)
            with self.subTest(what=what, how="later"):
                client, vm = self.pair()
                client.sendall(data)
                vm.sendall(HI)
                self.assert_refused(client, 400, HI)
                self.assertEqual(recv_all(vm), b"")
        self.assert_nobody_asked(self.listener, self.other)

    def test_bad_chunks(self):
        self.begin()
        for what, data in BAD_CHUNKS:
            for before in (b"", GET):
                with self.subTest(what=what, before=before):
                    client = self.connect()
                    client.sendall(before + data)
                    vm = self.accept(self.listener)
                    if before:
                        vm.sendall(HI)
                    self.assert_refused(client, 400, HI if before else b"")
                    seen = recv_all(vm)
                    self.assertTrue((before + data).startswith(seen), seen)
                    self.assertNotIn(b"smuggled", seen)
        self.assert_nobody_asked(self.listener, self.other)

    def test_a_body_is_no_request(self):
        self.begin()
        for what, data in GOOD_BODIES:
            with self.subTest(what=what):
                client = self.connect()
                client.sendall(data + ELSEWHERE)
                vm = self.accept(self.listener)
                self.assertEqual(recv_exactly(vm, len(data)), data)
                vm.sendall(HI)
                self.assert_refused(client, 421, HI)
                self.assertEqual(recv_all(vm), b"")


    def test_large_bodies_end_where_they_end(self):
        self.begin()
        data = os.urandom(5 << 20)
        chunks = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk)
                          for chunk in (data, data[:70000], b"x"))
        for what, asked in (
                ("length", POST + b"Content-Length: %d\r\n\r\n%s" % (
                    len(data), data)),
                ("chunked", POST + b"Transfer-Encoding: chunked\r\n\r\n" +
                 chunks + b"0\r\n\r\n")):
            for slow in (False, True):
                with self.subTest(what=what, slow=slow):
                    client = self.connect()
                    sender = threading.Thread(
                        target=client.sendall,
                        args=(asked + GET + asked + ELSEWHERE + SMUGGLED,))
                    sender.start()
                    vm = self.accept(self.listener)
                    time.sleep(0.2 if slow else 0)    # it is full
                    expected = asked + GET + asked
                    self.assertTrue(
                        recv_exactly(vm, len(expected)) == expected)
                    vm.sendall(HI * 3)
                    self.assert_refused(client, 421, HI * 3)
                    self.assertEqual(recv_all(vm), b"")
                    sender.join()


class Upgrades(Guard):
    def switched(self):
        client, vm = self.pair(request("raw.example.com", extra=UPGRADE))
        self.assert_answered(client, vm, SWITCHING)
        return client, vm

    def test_after_a_101_both_ends_may_half_close(self):
        self.begin()
        data = ELSEWHERE + b"\r\n\0" + os.urandom(200000)
        for first in (0, 1):
            with self.subTest(first=first):
                ends = self.switched()
                self.assert_asked(*ends, data)
                self.assert_answered(*ends, data)
                one, two = ends[first], ends[1 - first]
                one.shutdown(socket.SHUT_WR)
                self.assertEqual(two.recv(1), b"")
                self.assert_answered(one, two, data)
                two.close()
                self.assertEqual(recv_all(one), b"")
                self.running.wait_end(reason="done")

    def test_bytes_right_behind_a_101(self):
        self.begin()
        client, vm = self.pair(request("raw.example.com", extra=UPGRADE))
        self.assert_answered(client, vm, SWITCHING + b"\x81\x02hi")
        self.assert_asked(client, vm, b"\x81\x02ho")

    def test_an_upgrade_that_is_not_taken_changes_nothing(self):
        self.begin()
        for extra in (UPGRADE, b"Connection: Upgrade, HTTP2-Settings\r\n"
                      b"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"):
            for answer in (HI, b"HTTP/1.1 426 No\r\nContent-Length: 0\r\n"
                           b"\r\n"):
                with self.subTest(extra=extra, answer=answer):
                    client, vm = self.pair(request("raw.example.com",
                                                   extra=extra))
                    self.assert_answered(client, vm, answer)
                    self.assert_asked(client, vm, GET)
                    client.sendall(ELSEWHERE)
                    vm.sendall(HI)
                    self.assert_refused(client, 421, HI)
                    self.assertEqual(recv_all(vm), b"")

    def test_a_request_behind_an_upgrade_is_judged(self):
        self.begin()
        client = self.connect()
        first = request("raw.example.com", extra=UPGRADE)
        client.sendall(first + ELSEWHERE)
        vm = self.accept(self.listener)
        self.assertEqual(recv_exactly(vm, len(first)), first)
        self.assert_silent(vm)
        vm.sendall(HI)
        self.assert_refused(client, 421, HI)
        self.assertEqual(recv_all(vm), b"")


class Time(Guard):
    def test_later_heads_have_the_first_ones_deadline(self):
        self.begin(timeouts={"peek": "1.0"})
        client, vm = self.pair()
        self.assert_answered(client, vm)
        time.sleep(1.2)    # between requests there is none
        self.assert_asked(client, vm, GET)
        self.assert_answered(client, vm)
        begun = time.monotonic()
        client.settimeout(0.05)
        answer = b""
        for octet in request("raw.example.com", extra=b"X: y\r\n" * 99):
            client.sendall(bytes([octet]))
            with contextlib.suppress(TimeoutError):
                answer = client.recv(1000)
                break
        self.assertTrue(0.9 < time.monotonic() - begun < 10)
        client.close()
        self.assertTrue(answer.startswith(b"HTTP/1.1 408 "), answer)
        self.assertEqual(recv_all(vm), b"")
        self.running.wait_end(reason="peek_timeout")

    def test_an_answer_under_way_outlives_a_slow_head(self):
        self.begin(timeouts={"peek": "1.0"})
        client, vm = self.pair()
        client.sendall(GET[:10])
        vm.sendall(HI[:-1])
        time.sleep(1.3)
        client.sendall(GET[10:])
        self.assert_silent(vm)
        vm.sendall(HI[-1:])
        self.assert_refused(client, 408, HI)
        self.assertEqual(recv_all(vm), b"")


class Reload(Guard):
    def test_names_that_moved_or_went(self):
        self.begin()
        for what, names in (
                ("moved", NAMES.replace(VM[3], VM[5])),
                ("removed", "other.example.com %s\n" % VM[4])):
            with self.subTest(what=what):
                self.running.reload(NAMES)
                client, vm = self.pair()
                self.assert_asked(client, vm, GET)
                self.running.reload(names)
                client.sendall(GET)
                self.assert_silent(vm)
                self.assert_answered(client, vm)
                vm.sendall(HI)
                self.assertEqual(recv_all(client), HI)
                self.assertEqual(recv_all(vm), b"")
                self.running.wait_end(reason="mapping_changed")

    def test_the_same_target_goes_on(self):
        self.begin()
        client, vm = self.pair()
        self.assert_answered(client, vm)
        self.running.reload("raw.example.com %s,%s\n%s" % (VM[5], VM[3],
                                                           SAME))
        for name in ("raw.example.com", "same.example.com"):
            self.assert_asked(client, vm, request(name))
            self.assert_answered(client, vm)


class Nginx(SystemTest):
    """A real server, real sizes."""

    needs_nginx = True
    NAMES = "one.example.com %s\ntwo.example.com %s\n" % (VM[1], VM[2])

    def test_keep_alive_and_pipelining(self):
        self.proxyd(self.NAMES)
        ask = request("one.example.com", "/who")
        last = request("one.example.com", "/who", b"Connection: close\r\n")
        client = self.connect()
        client.sendall(ask * 39 + last)
        answers = recv_all(client)
        self.assertEqual(answers.count(b"HTTP/1.1 200 OK\r\n"), 40)
        self.assertEqual(answers.count(b"one http one.example.com\n"), 40)
        client = self.connect()
        client.sendall(ask * 3 + request("two.example.com", "/who"))
        answers = recv_all(client)
        self.assertEqual(answers.count(b"one http one.example.com\n"), 3)
        self.assertEqual(answers.count(b"HTTP/1.1 421 "), 1)
        self.assertNotIn(b"two http", answers)

    def test_http_1_0_keep_alive(self):
        self.proxyd(self.NAMES)
        ask = (b"GET /who HTTP/1.0\r\nHost: one.example.com\r\n"
               b"Connection: keep-alive\r\n\r\n")
        client = self.connect()
        for _ in range(2):
            client.sendall(ask)
            answer = b""
            while not answer.endswith(b"one http one.example.com\n"):
                answer += recv_exactly(client, 1)
        client.sendall(ask.replace(b"one.", b"two."))
        self.assertTrue(recv_all(client).startswith(b"HTTP/1.1 421 "))

    def test_curl_reuses_its_connection(self):
        self.proxyd(self.NAMES)
        url = "http://one.example.com/who"
        done = self.world.curl(url, url, "-I", url, "-w", "%{num_connects}\n")
        self.assertEqual([line for line in done.stdout.splitlines()
                          if len(line) == 1], ["1", "0", "0"])

    def test_uploads_and_downloads(self):
        proxyd = self.proxyd(self.NAMES)
        big = self.world.path("www/big")
        expected = sha256(big)
        url = "http://one.example.com/"
        down = self.world.path("guard-down")
        for what, args in (
                ("length", ["-H", "Expect:"]),
                ("expect", ["-H", "Expect: 100-continue"]),
                ("chunked", ["-H", "Transfer-Encoding: chunked"]),
                ("chunked, expect", ["-H", "Transfer-Encoding: chunked",
                                     "-H", "Expect: 100-continue"])):
            with self.subTest(what=what):
                stored = self.world.path("www/in/guard")
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(stored)
                done = self.world.curl(url + "in/guard", "-T", big, *args,
                                       "-w", "%{http_code}")
                self.assertEqual(done.stdout, "201")
                self.assertEqual(sha256(stored), expected)
                os.unlink(stored)
        proxyd.wait_log(" reason=", count=4)    # the uploads have ended
        # all on one connection
        mark = proxyd.log_mark()
        done = self.world.curl(url + "who", url + "big", "-o", down)
        self.assertEqual(done.stdout, "one http one.example.com\n")
        self.assertEqual(sha256(down), expected)
        end = proxyd.wait_end(mark, reason="done")
        self.assertGreater(int(end["down"]), 32 << 20)
        os.unlink(down)

    def test_chunked_download(self):
        self.proxyd("raw.example.com %s\n" % VM[3])
        listener = self.listen(VM[3])
        digest = hashlib.sha256()
        sizes = [1, 15, 4096, 65536, 65537, 300000, 1 << 20, 2, 5 << 20]

        def serve():
            vm = self.accept(listener)
            for _ in range(2):
                while b"\r\n\r\n" not in vm.recv(1000):
                    pass
                vm.sendall(OK + b"Transfer-Encoding: chunked\r\n\r\n")
                for size in sizes:
                    data = os.urandom(size)
                    digest.update(data)
                    vm.sendall(b"%x;size=%d\r\n%s\r\n" % (size, size, data))
                vm.sendall(b"0\r\nX-Trailer: yes\r\n\r\n")
            vm.close()
        server = threading.Thread(target=serve)
        server.start()
        url = "http://raw.example.com/"
        out = self.world.path("guard-chunked")
        self.world.curl(url, url, "-o", out, "-o", out + "2")
        server.join()
        got = hashlib.sha256()
        for path in (out, out + "2"):
            with open(path, "rb") as file:
                got.update(file.read())
            os.unlink(path)
        self.assertEqual(got.hexdigest(), digest.hexdigest())


if __name__ == "__main__":
    unittest.main()
