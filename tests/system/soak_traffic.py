# SPDX-License-Identifier: ISC
"""Each kind of the soak's traffic, and the VMs' servers that are not nginx."""
import hashlib
import os
import random
import socket
import struct
import threading
import time

from lib import VM, client_hello, recv_exactly, request, reset, sha256
from soak_process import Wrong

TCP_REPAIR = 19
ALERT = b"\x15"         # how TLS tells it
MIDDLE = 1 << 20        # octets of /mid
BIG = 32 << 20          # and of /big


def expect(answer, status, body, what):
    if answer.status != status:
        raise OSError("%s: %d" % (what, answer.status))
    if answer.read() != body:
        raise Wrong("%s: another body" % what)


def check_bytes(read, length, digest, what):
    """Read to the end: all of it, or it was cut; the same, or it is wrong."""
    buffer = bytearray(1 << 18)
    got = hashlib.sha256()
    octets = 0
    while True:
        n = read(buffer)
        if n == 0:
            break
        octets += n
        got.update(memoryview(buffer)[:n])
    if octets < length:
        raise OSError("%s: cut after %d" % (what, octets))
    if got.hexdigest() != digest:
        raise Wrong("%s: other bytes" % what)


# --- short and kept-alive ---------------------------------------------------

def short(p):
    name, cert = random.choice((("one.example.com", "one"),
                                ("two.example.com", "two")))
    tls = random.random() < 0.5
    web = p.web(name, tls)
    try:
        web.request("GET", "/who", headers={"Connection": "close"})
        expect(web.getresponse(), 200, ("%s %s %s\n" % (
            cert, "https" if tls else "http", name)).encode(), "short")
    finally:
        web.close()
    time.sleep(0.005)


def keep_alive(p):
    web = p.web("one.example.com", random.random() < 0.5)
    try:
        for _ in range(random.randrange(1, 30)):
            if random.random() < 0.3:
                web.request("HEAD", "/mid")
                expect(web.getresponse(), 200, b"", "HEAD")
            web.request("GET", "/mid")
            check_bytes(web.getresponse().readinto, MIDDLE,
                        sha_of(p, "mid"), "keep_alive")
            time.sleep(random.random() * 0.05)
    finally:
        web.close()


def pipelined(p):
    with p.connect(80) as sock:
        n = random.randrange(2, 40)
        sock.sendall(request("two.example.com", "/who") * n)
        for _ in range(n):
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += recv_exactly(sock, 1)
            if not head.startswith(b"HTTP/1.1 200 "):
                raise OSError("pipelined: %r" % head[:40])
            body = b"two http two.example.com\n"
            if recv_exactly(sock, len(body)) != body:
                raise Wrong("pipelined: another body")
    time.sleep(0.02)


def ipv6(p):
    short(p)
    time.sleep(0.1)


# --- bulk --------------------------------------------------------------------

HASHES = {}


def sha_of(p, name):
    if name not in HASHES:
        HASHES[name] = sha256(p.world.path("www/" + name))
    return HASHES[name]


def bulk_down(p, tls):
    web = p.web("one.example.com", tls)
    try:
        web.request("GET", "/big", headers={"Connection": "close"})
        answer = web.getresponse()
        if answer.status != 200:
            raise OSError("bulk: %d" % answer.status)
        check_bytes(answer.readinto, BIG, sha_of(p, "big"), "bulk")
    finally:
        web.close()


def bulk_http(p):
    bulk_down(p, False)
    time.sleep(0.05)


bulk_http.timed = True     # how long each takes is noted


def bulk_tls(p):
    bulk_down(p, True)
    time.sleep(0.5)


def upload(p):
    path = "in/soak-%d-%d" % (os.getpid(), threading.get_ident())
    web = p.web("two.example.com", random.random() < 0.5)
    try:
        with open(p.world.path("www/big"), "rb") as file:
            web.request("PUT", "/" + path, file)
            answer = web.getresponse()
            answer.read()
        if answer.status not in (201, 204):
            raise OSError("upload: %d" % answer.status)
        if sha256(p.world.path("www/" + path)) != sha_of(p, "big"):
            raise Wrong("upload: another file")
    finally:
        web.close()
    time.sleep(0.5)


def echo(p):
    """Both ways at once, and half-closed in the middle of it."""
    data = os.urandom(1 << 16)
    times = random.choice((1, 16, 100))
    failed = []
    with p.raw(b"E") as sock:
        def send():
            try:
                for _ in range(times):
                    sock.sendall(data)
                sock.shutdown(socket.SHUT_WR)
            except OSError as error:
                failed.append(error)
        thread = threading.Thread(target=send)
        thread.start()
        try:
            check_bytes(sock.recv_into, len(data) * times, hashlib.sha256(
                data * times).hexdigest(), "echo")
        finally:
            thread.join()
    if failed:
        raise failed[0]


# --- the slow, the rude and the lost -----------------------------------------

def slow_request(p):
    """An octet at a time: some in time for the deadline, some not."""
    with p.connect(80) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        pause = random.choice((0.005, 0.2))
        answer = b""
        try:
            for octet in request("one.example.com", "/who",
                                 b"Connection: close\r\n"):
                sock.sendall(bytes([octet]))
                time.sleep(pause)
                if p.stopping.is_set():
                    return
            while not answer.endswith(b"one.example.com\n"):
                answer += recv_exactly(sock, 1)
        except (OSError, AssertionError):
            if pause < 0.1:
                raise


def slow_reader(p):
    with p.connect(80, rcvbuf=4096) as sock:
        sock.sendall(request("one.example.com", "/mid",
                             b"Connection: close\r\n"))
        for _ in range(random.randrange(50)):
            if not sock.recv(2000):
                raise OSError("slow_reader: an early end")
            time.sleep(0.05)


def resets(p):
    """Reset at every moment: before, in and after the first bytes."""
    for delay in (0, 0.001, 0.01):
        sock = p.connect(80)
        sock.sendall(request("one.example.com", "/big")[
            :random.randrange(1, 80)])
        time.sleep(delay)
        reset(sock)
        sock = p.raw(b"S")
        time.sleep(delay)
        reset(sock)
    with p.raw(b"R") as sock:
        try:
            while sock.recv(1 << 16):
                pass
        except ConnectionResetError:
            pass
    time.sleep(0.05)


def vanish(p):
    """Half-open: the client's end is gone without a word."""
    sock = p.raw(b"S", rcvbuf=4096) if random.random() < 0.5 else \
        p.raw(b"E")
    time.sleep(0.05)
    sock.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
    sock.close()
    time.sleep(0.1)


def hold(p):
    """Half a request, and then silence."""
    with p.connect(80) as sock:
        sock.sendall(request("one.example.com")[:20])
        time.sleep(1)


def half_close(p):
    with p.raw(b"H") as sock:
        got = sock.recv(1)
        if got == ALERT:
            raise OSError("half_close: refused")
        if got != b"":
            raise Wrong("half_close: bytes nobody sent")
        sock.sendall(b"z" * 100000)
    time.sleep(0.05)


def junk(p):
    with p.connect(random.choice((80, 443))) as sock:
        sock.sendall(random.choice((
            os.urandom(random.randrange(1, 2000)),
            request("not.example.com"),
            request("one.example.com").replace(b"Host", b"Host "),
            client_hello("not.example.com"),
            client_hello("one.example.com")[:random.randrange(1, 500)])))
        sock.shutdown(socket.SHUT_WR)
        try:
            while sock.recv(4096):
                pass
        except ConnectionResetError:
            pass
    time.sleep(0.05)


def ask(p, name):
    with p.connect(80) as sock:
        sock.sendall(request(name, "/who", b"Connection: close\r\n"))
        answer = b""
        while True:
            data = sock.recv(4096)
            if not data:
                break
            answer += data
    if not answer.startswith(b"HTTP/1.1 200 "):
        raise OSError("%s: %r" % (name, answer[:40]))


def away(p):
    """Its only target goes away and comes back."""
    ask(p, "away.example.com")
    time.sleep(0.02)


def pair(p):
    """One of its two targets goes away: nobody may notice."""
    ask(p, "pair.example.com")
    time.sleep(0.02)


# --- readers that stop -------------------------------------------------------

class Stopped:
    """Clients that ask for much and read nothing until they are told."""

    __name__ = "stopped"

    def __init__(self, n, ready):
        self.n, self.ready = n, ready

    def __call__(self, p):
        socks = [self.open(p, i) for i in range(self.n)]
        with open(self.ready, "w") as file:
            file.write("all ask")
        p.stopping.wait()
        try:
            for i, sock in enumerate(socks):
                if i % 40 < 2:
                    self.read_on(p, sock, i)
                elif i % 4 < 2:
                    reset(sock)
        finally:
            for sock in socks:
                sock.close()

    def open(self, p, i):
        if i % 2 == 1:
            return p.raw(b"S", rcvbuf=4096)
        sock = p.connect(80, rcvbuf=4096)
        sock.sendall(request("one.example.com", "/mid",
                             b"Connection: close\r\n"))
        return sock

    @staticmethod
    def read_on(p, sock, i):
        head = b""
        while i % 2 == 0 and not head.endswith(b"\r\n\r\n"):
            head += recv_exactly(sock, 1)
        check_bytes(sock.recv_into, MIDDLE, sha_of(p, "mid"), "stopped")


# --- servers of the VM -------------------------------------------------------

def raw_server(p):
    """VM[3]:443, whatever the ClientHello says: E echoes, S sends 1 MiB, R
    resets, H says nothing and listens."""
    serve(p, VM[3], 443, raw_order)


def small_server(p):
    serve(p, VM[4], 80, small_answer)


def serve(p, address, port, answer):
    with socket.socket(socket.AF_INET6) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(1024)
        listener.settimeout(0.2)
        while not p.stopping.is_set():
            try:
                sock, _ = listener.accept()
            except TimeoutError:
                continue
            threading.Thread(target=answer_one, args=(p, sock, answer),
                             daemon=True).start()


def answer_one(p, sock, answer):
    try:
        with sock:
            sock.settimeout(120)
            answer(p, sock)
    except (OSError, AssertionError):
        pass        # the client's side notices if it matters


def raw_order(p, sock):
    length, = struct.unpack("!3xH", recv_exactly(sock, 5))
    recv_exactly(sock, length)
    order = recv_exactly(sock, 1)
    if order == b"R":
        reset(sock)
    elif order == b"S":
        with open(p.world.path("www/mid"), "rb") as file:
            sock.sendall(file.read())
        sock.shutdown(socket.SHUT_WR)
        while sock.recv(4096):
            pass
    elif order == b"H":
        sock.shutdown(socket.SHUT_WR)
        while sock.recv(1 << 16):
            pass
    elif order == b"E":
        while True:
            data = sock.recv(1 << 18)
            if not data:
                return
            sock.sendall(data)


def small_answer(p, sock):
    got = b""
    while b"\r\n\r\n" not in got:
        data = sock.recv(4096)
        if not data:
            return
        got += data
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"
                 b"Connection: close\r\n\r\nfour\n")
    sock.shutdown(socket.SHUT_WR)
    sock.recv(1)
