# SPDX-License-Identifier: ISC
"""What the load generator's clients say first: files with the name
n0000000.bench.example in them, whose digits it fills in."""
import os

NAME = "n0000000.bench.example"


def name_of(number):
    return "n%07d%s" % (number, NAME[8:])


def http(path, method="GET", length=0, close=True):
    return ("%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: popgate-bench/1.0\r\n"
            "Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\n"
            "Accept-Language: en\r\nAccept-Encoding: gzip, deflate\r\n%s%s"
            "\r\n" % (method, path, NAME,
                      "Content-Length: %d\r\n" % length if length else "",
                      "Connection: close\r\n" if close else "")).encode()


def recorded_hello(tests, name):
    """A ClientHello of a real client, in one record."""
    with open(os.path.join(tests, "vectors/hello", name + ".hex")) as file:
        return bytes.fromhex("".join(
            line for line in file if not line.startswith("#")))


def counted(octets, width):
    return len(octets).to_bytes(width, "big") + octets


def hello(recorded, what):
    """The recorded ClientHello with NAME as its server name, and with a
    random that tells the sink what to do."""
    at = 9                              # behind both headers
    out = recorded[at:at + 2] + what.encode().ljust(32, b".")
    at += 34
    for width in (1, 2, 1):             # session, suites, compression
        end = at + width + int.from_bytes(recorded[at:at + width], "big")
        out += recorded[at:end]
        at = end
    extensions = b""
    at += 2
    while at < len(recorded):
        kind = recorded[at:at + 2]
        end = at + 4 + int.from_bytes(recorded[at + 2:at + 4], "big")
        body = recorded[at + 4:end]
        if kind == b"\0\0":
            body = counted(b"\0" + counted(NAME.encode(), 2), 2)
        extensions += kind + counted(body, 2)
        at = end
    out = b"\1" + counted(out + counted(extensions, 2), 3)
    return b"\x16\3\1" + counted(out, 2)
