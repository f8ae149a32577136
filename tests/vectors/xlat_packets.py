# SPDX-License-Identifier: ISC
"""Packets from their fields, written from the RFCs' diagrams.

Nothing here knows how to translate: each packet, the one that goes in and the
one that must come out, is built from scratch with its own checksums.
"""

import ipaddress
import struct

ICMP, IGMP, TCP, UDP, ICMP6 = 1, 2, 6, 17, 58
HOPOPT, ROUTING, FRAGMENT, ESP, AH, NONE, DSTOPTS = 0, 43, 44, 50, 51, 59, 60


def a4(text):
    return ipaddress.IPv4Address(text).packed


def a6(text):
    return ipaddress.IPv6Address(text).packed


def checksum(data):
    """RFC 1071: the complement of the one's complement sum."""
    if len(data) % 2:
        data += b"\0"
    total = 0
    for (word,) in struct.iter_unpack("!H", data):
        total += word
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def pseudo(src, dst, length, proto):
    """RFC 9293 3.1 for IPv4, RFC 8200 8.1 for IPv6."""
    if len(src) == 4:
        return src + dst + struct.pack("!BBH", 0, proto, length)
    return src + dst + struct.pack("!IHBB", length, 0, 0, proto)


def address(text):
    return a6(text) if ":" in text else a4(text)


def ip4(src, dst, proto, payload, ttl=64, tos=0, ident=0x1234, df=False,
        mf=False, offset=0, options=b"", total=None, bad_checksum=False,
        version_ihl=None):
    assert len(options) % 4 == 0 and offset % 8 == 0
    ihl = 20 + len(options)
    flags = (0x4000 if df else 0) | (0x2000 if mf else 0) | offset // 8
    head = struct.pack("!BBHHHBBH4s4s",
                       version_ihl or (0x40 | ihl // 4), tos,
                       ihl + len(payload) if total is None else total,
                       ident, flags, ttl, proto, 0, a4(src), a4(dst))
    head += options
    value = checksum(head) ^ (0x0101 if bad_checksum else 0)
    return head[:10] + struct.pack("!H", value) + head[12:] + payload


def ip6(src, dst, proto, payload, hlim=64, tc=0, flow=0, length=None):
    return struct.pack("!IHBB", 6 << 28 | tc << 20 | flow,
                       len(payload) if length is None else length, proto,
                       hlim) + a6(src) + a6(dst) + payload


def frag6(proto, payload, offset=0, more=False, ident=0x1234, reserved=0):
    """A Fragment header and what follows it."""
    assert offset % 8 == 0
    return struct.pack("!BBHI", proto, reserved, offset | more,
                       ident) + payload


def ext6(proto, payload, octets=8, fill=b"\x01"):
    """An extension header full of a PadN option (RFC 8200 4.2)."""
    body = fill + bytes([octets - 4]) + bytes(octets - 4)
    return bytes([proto, octets // 8 - 1]) + body + payload


def routing6(proto, payload, left, kind=0, octets=8):
    return (bytes([proto, octets // 8 - 1, kind, left]) + bytes(octets - 4) +
            payload)


def udp(src, dst, data, sport=1000, dport=53, zero=False, length=None):
    src, dst = address(src), address(dst)
    length = 8 + len(data) if length is None else length
    head = struct.pack("!HHHH", sport, dport, length, 0)
    value = checksum(pseudo(src, dst, length, UDP) + head + data)
    if zero:
        value = 0
    elif value == 0:
        value = 0xffff
    return head[:6] + struct.pack("!H", value) + data


def tcp(src, dst, data, sport=1000, dport=80, seq=0x01020304,
        ack=0x05060708, flags=0x18, options=b""):
    src, dst = address(src), address(dst)
    head = struct.pack("!HHIIBBHHH", sport, dport, seq, ack,
                       (20 + len(options)) // 4 << 4, flags, 8192, 0, 0)
    head += options
    value = checksum(pseudo(src, dst, len(head) + len(data), TCP) + head +
                     data)
    return head[:16] + struct.pack("!H", value) + head[18:] + data


def dccp(src, dst, data):
    """RFC 4340 5.1, short form: a Data packet, checksum over everything."""
    src, dst = address(src), address(dst)
    head = struct.pack("!HHBBHBBH", 1000, 2000, 3, 0, 0, 0x02 << 1, 0, 1)
    value = checksum(pseudo(src, dst, len(head) + len(data), 33) + head +
                     data)
    return head[:6] + struct.pack("!H", value) + head[8:] + data


def udplite(src, dst, data):
    """RFC 3828 3.1: checksum coverage 8, the header alone."""
    src, dst = address(src), address(dst)
    head = struct.pack("!HHHH", 1000, 2000, 8, 0)
    value = checksum(pseudo(src, dst, 8 + len(data), 136) + head)
    return head[:6] + struct.pack("!H", value or 0xffff) + data


def icmp4(kind, code, rest, data, bad_checksum=False):
    rest = struct.pack("!I", rest) if isinstance(rest, int) else rest
    head = bytes([kind, code, 0, 0]) + rest
    value = checksum(head + data) ^ (0x0101 if bad_checksum else 0)
    return head[:2] + struct.pack("!H", value) + head[4:] + data


def icmp6(src, dst, kind, code, rest, data, bad_checksum=False):
    rest = struct.pack("!I", rest) if isinstance(rest, int) else rest
    head = bytes([kind, code, 0, 0]) + rest
    value = checksum(pseudo(a6(src), a6(dst), len(head) + len(data), ICMP6) +
                     head + data) ^ (0x0101 if bad_checksum else 0)
    return head[:2] + struct.pack("!H", value) + head[4:] + data


def extension(*objects):
    """RFC 4884 7: an extension structure of (class, type, payload)."""
    body = b"".join(struct.pack("!HBB", 4 + len(p), c, t) + p
                    for c, t, p in objects)
    head = bytes([0x20, 0, 0, 0])
    return head[:2] + struct.pack("!H", checksum(head + body)) + body


def partial(packet, start, field):
    """The same with the checksum that an offloading sender leaves: the sum of
    the pseudo-header alone."""
    proto = {16: TCP, 6: UDP, 2: ICMP6}[field]
    if packet[0] >> 4 == 4:
        src, dst = packet[12:16], packet[16:20]
    else:
        src, dst = packet[8:24], packet[24:40]
    value = ~checksum(pseudo(src, dst, len(packet) - start, proto)) & 0xffff
    at = start + field
    return packet[:at] + struct.pack("!H", value) + packet[at + 2:]


def data(n, first=0):
    """n octets that differ from their neighbours."""
    return bytes((first + i * 7 + i // 251) & 0xff for i in range(n))
