# SPDX-License-Identifier: ISC
"""Requests that a front door by name must not get wrong.

raw.example.com and other.example.com are mapped to two VMs, raw's first;
not.example.com is not mapped.  test_guard.py tries these on proxyd,
compare_peers on others as well.
"""

HOST = b"Host: raw.example.com\r\n"
GET = b"GET /first HTTP/1.1\r\n" + HOST + b"\r\n"
POST = b"POST /first HTTP/1.1\r\n" + HOST
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"

# What a smuggler wants the VM to see as a request of its own.
SMUGGLED = b"GET /smuggled HTTP/1.1\r\n" + HOST + b"\r\n"


def head(host, method=b"GET", target=b"/second", version=b"1.1"):
    return (b"%s %s HTTP/%s\r\nHost: %s\r\n\r\n" %
            (method, target, version, host))


# Later requests on a connection to raw's VM, none of which may reach it:
# what it is, the request, the status of the answer.
MISDIRECTED = (
    ("another VM's name", head(b"other.example.com"), 421),
    ("another VM's name, upper case", head(b"OTHER.Example.COM"), 421),
    ("another VM's name, trailing dot", head(b"other.example.com."), 421),
    ("another VM's name, port", head(b"other.example.com:80"), 421),
    ("another VM's name, HTTP/1.0",
     head(b"other.example.com", version=b"1.0"), 421),
    ("another VM's name, HEAD", head(b"other.example.com", b"HEAD"), 421),
    ("another VM's name, body",
     b"POST /second HTTP/1.1\r\nHost: other.example.com\r\n"
     b"Content-Length: 5\r\n\r\nhello", 421),
    ("another VM's name after empty lines",
     b"\r\n\r\n" + head(b"other.example.com"), 421),
    ("absolute target with another VM's name",
     head(b"other.example.com", target=b"http://other.example.com/second"),
     421),
    ("a name that is not mapped", head(b"not.example.com"), 404),
    ("an address", head(b"192.0.2.10"), 404),
    ("absolute target and Host differ",
     head(b"raw.example.com", target=b"http://other.example.com/second"),
     400),
    ("no Host", b"GET /second HTTP/1.1\r\n\r\n", 400),
    ("two Hosts", b"GET /second HTTP/1.1\r\n" + HOST +
     b"Host: other.example.com\r\n\r\n", 400),
    ("two Hosts, the other first",
     b"GET /second HTTP/1.1\r\nHost: other.example.com\r\n" + HOST + b"\r\n",
     400),
    ("two equal Hosts", b"GET /second HTTP/1.1\r\n" + HOST + HOST + b"\r\n",
     400),
    ("user@host", head(b"raw.example.com@other.example.com"), 400),
    ("host/path", head(b"other.example.com/raw.example.com"), 400),
    ("two names", head(b"raw.example.com, other.example.com"), 400),
    ("empty Host", head(b""), 400),
    ("space before the colon",
     b"GET /second HTTP/1.1\r\nHost : other.example.com\r\n\r\n", 400),
    ("folded Host",
     b"GET /second HTTP/1.1\r\nHost:\r\n other.example.com\r\n\r\n", 400),
    ("NUL in Host", head(b"raw.example.com\0.other.example.com"), 400),
    ("bare LF", b"GET /second HTTP/1.1\nHost: other.example.com\n\n", 400),
    ("bare CR", b"GET /second HTTP/1.1\rHost: other.example.com\r\n\r\n",
     400),
    ("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    ("CONNECT", head(b"other.example.com:80", b"CONNECT",
                     b"other.example.com:80"), 400),
    ("no HTTP", b"\x16\x03\x01\x00\x05hello", 400),
)

# Requests to raw's VM whose body could be framed in two ways; SMUGGLED
# follows, as a part of it or behind it.
BAD_FRAMING = tuple((what, POST + fields + b"\r\n" + body + SMUGGLED)
                    for what, fields, body in (
    ("Content-Length, Transfer-Encoding",
     b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"),
    ("Transfer-Encoding, Content-Length",
     b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", b"0\r\n\r\n"),
    ("two lengths", b"Content-Length: 0\r\nContent-Length: 55\r\n", b""),
    ("two equal lengths", b"Content-Length: 0\r\nContent-Length: 0\r\n",
     b""),
    ("a list of lengths", b"Content-Length: 0, 55\r\n", b""),
    ("a list of equal lengths", b"Content-Length: 0, 0\r\n", b""),
    ("length with a sign", b"Content-Length: +0\r\n", b""),
    ("negative length", b"Content-Length: -1\r\n", b""),
    ("hexadecimal length", b"Content-Length: 0x0\r\n", b""),
    ("length with a space", b"Content-Length: 0 55\r\n", b""),
    ("empty length", b"Content-Length:\r\n", b""),
    ("length of 2^64", b"Content-Length: 18446744073709551616\r\n", b""),
    ("chunked not last", b"Transfer-Encoding: chunked, identity\r\n",
     b"0\r\n\r\n"),
    ("chunked twice", b"Transfer-Encoding: chunked, chunked\r\n",
     b"0\r\n\r\n"),
    ("chunked twice, two fields",
     b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
     b"0\r\n\r\n"),
    ("chunked and then identity, two fields",
     b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
     b"0\r\n\r\n"),
    ("unknown coding", b"Transfer-Encoding: xchunked\r\n", b"0\r\n\r\n"),
    ("identity", b"Transfer-Encoding: identity\r\n", b"0\r\n\r\n"),
    ("empty coding", b"Transfer-Encoding:\r\n", b"0\r\n\r\n"),
    ("quoted coding", b'Transfer-Encoding: "chunked"\r\n', b"0\r\n\r\n"),
    ("vertical tab before the coding",
     b"Transfer-Encoding: \x0bchunked\r\n", b"0\r\n\r\n"),
    ("space before the colon", b"Transfer-Encoding : chunked\r\n",
     b"0\r\n\r\n"),
    ("space before the name", b" Transfer-Encoding: chunked\r\n",
     b"0\r\n\r\n"),
    ("folded coding", b"Transfer-Encoding:\r\n chunked\r\n", b"0\r\n\r\n"),
    ("bare LF before the coding",
     b"X: y\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"),
    ("bare CR before the coding",
     b"X: y\rTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"),
    ("NUL in the name", b"Transfer-\0Encoding: chunked\r\n",
     b"0\r\n\r\n"),
)) + (
    ("chunked in HTTP/1.0",
     CHUNKED.replace(b"HTTP/1.1", b"HTTP/1.0") + b"0\r\n\r\n" + SMUGGLED),
    ("lines end with LF",
     (POST + b"Content-Length: 0\r\n\r\n").replace(b"\r\n", b"\n") +
     SMUGGLED),
)

# Chunked bodies that are none; SMUGGLED follows.
BAD_CHUNKS = tuple((what, CHUNKED + body + SMUGGLED) for what, body in (
    ("size with 0x", b"0x5\r\nhello\r\n0\r\n\r\n"),
    ("size with a sign", b"+5\r\nhello\r\n0\r\n\r\n"),
    ("negative size", b"-5\r\nhello\r\n0\r\n\r\n"),
    ("space before the size", b" 5\r\nhello\r\n0\r\n\r\n"),
    ("underscore in the size", b"0_0\r\n\r\n"),
    ("no size", b"\r\nhello\r\n0\r\n\r\n"),
    ("size of 2^64", b"10000000000000000\r\nhello\r\n0\r\n\r\n"),
    ("size of 2^64 + 5", b"10000000000000005\r\nhello\r\n0\r\n\r\n"),
    ("bare LF after the size", b"5\nhello\r\n0\r\n\r\n"),
    ("bare CR after the size", b"5\rhello\r\n0\r\n\r\n"),
    ("bare LF after the data", b"5\r\nhello\n0\r\n\r\n"),
    ("bare LF in an extension", b"5;a\nhello\r\n0\r\n\r\n"),
    ("bare LF after a trailer", b"0\r\nTrailer: x\n\r\n"),
    ("bare LF at the end", b"0\r\n\n"),
    ("no CRLF after the data", b"5\r\nhelloX\r\n0\r\n\r\n"),
    ("data too short", b"5\r\nhell\r\n0\r\n\r\n"),
    ("folded trailer", b"0\r\nTrailer: x\r\n y\r\n\r\n"),
    ("trailer without a colon", b"0\r\nTrailer\r\n\r\n"),
    ("NUL in an extension", b"5;\0\r\nhello\r\n0\r\n\r\n"),
))

# Bodies that are good, however odd.
GOOD_BODIES = (
    ("length", POST + b"Content-Length: 5\r\n\r\nhello"),
    ("length with zeros", POST + b"Content-Length:\t005 \r\n\r\nhello"),
    ("body like a request", POST + b"Content-Length: %d\r\n\r\n" %
     len(SMUGGLED) + SMUGGLED),
    ("chunked", CHUNKED + b"5\r\nhello\r\n0\r\n\r\n"),
    ("chunked, upper case", POST + b"TRANSFER-ENCODING: Chunked \r\n\r\n"
     b"A\r\nhellohello\r\n0\r\n\r\n"),
    ("chunked, extensions", CHUNKED + b'5;a=b;c="d;\\"e"\r\nhello\r\n'
     b"0;last\r\n\r\n"),
    ("chunked, trailers", CHUNKED + b"5\r\nhello\r\n000\r\nA: b\r\n"
     b"Host: other.example.com\r\nContent-Length: 99\r\n\r\n"),
    ("chunk like a request", CHUNKED + b"%x\r\n%s\r\n0\r\n\r\n" % (
        len(SMUGGLED), SMUGGLED)),
)
