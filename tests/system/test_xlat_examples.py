# SPDX-License-Identifier: ISC
"""The examples of xlatd do what they say, with real clients:

    client ------------------ gate ------------------ server
    203.0.113.2      203.0.113.1  2001:db8:a::1       2001:db8:a::33, ::34,
    9.9.9.9                                           b::3, 1:4444::1

The client has no IPv6 and the server no IPv4; xlatd runs on the gate, and a
CLAT on the server."""
import functools
import os
import re
import shutil
import socket
import unittest

import lib
from lib import Host, run
from xlat_lib import Network, Xlatd, XlatTest

PAGE = bytes(range(256)) * 4000
CLIENT, GLOBAL = "203.0.113.2", "9.9.9.9"
EXAMPLES = os.path.join(lib.TOP, "examples")


class Street:
    """The hosts; one for a whole run."""

    def __init__(self):
        self.client, self.gate, self.server = Host(), Host(), Host()
        for host in self.client, self.gate, self.server:
            Network.tune(host)
        self.client.link("eth0", self.gate, "client")
        self.gate.link("server", self.server, "eth0")
        self.client.address("eth0", CLIENT + "/24", GLOBAL + "/32")
        self.gate.address("client", "203.0.113.1/24")
        self.gate.address("server", "2001:db8:a::1/64")
        self.server.address("eth0", "2001:db8:a::33/64", "2001:db8:a::34/64",
                            "2001:db8:b::3/64", "2001:db8:1:4444::1/64")
        self.client.ip("route", "add", "default", "via", "203.0.113.1")
        self.gate.ip("route", "add", GLOBAL, "via", CLIENT)
        self.server.ip("-6", "route", "add", "default", "via",
                       "2001:db8:a::1")
        for network in "2001:db8:b::/64", "2001:db8:1:4444::/64", \
                "2001:db8:c1a7::/64":
            self.gate.ip("-6", "route", "add", network, "via",
                         "2001:db8:a::33")


@functools.lru_cache(maxsize=None)
def street():
    return Street()


class Example(Xlatd):
    """xlatd with an example as it is, but for its user and the file of
    leases."""

    def __init__(self, folder, example, host):
        self.example = example
        super().__init__(folder, host=host)

    def write_config(self, **settings):
        shutil.copytree(os.path.join(EXAMPLES, "eam.d"),
                        os.path.join(self.folder, "eam.d"),
                        dirs_exist_ok=True)
        with open(os.path.join(EXAMPLES, self.example)) as file:
            text = file.read()
        self.config = self.write("conf", text.replace(
            'user = "popgate"', 'user = "nobody"').replace(
                "/var/lib/popgate", self.folder))


class Examples(XlatTest):
    def setUp(self):
        super().setUp()
        self.street = street()

    def example(self, name, host=None):
        xlatd = Example(self.folder, name, host or self.street.gate)
        self.addCleanup(xlatd.stop)
        return xlatd

    def transfer(self, host, at, *options):
        """A page to and fro."""
        page = self.folder + "/page"
        with open(page, "wb") as file:
            file.write(PAGE)
        self.run_on(host, "curl", "-sS", "--noproxy", "*", "--max-time", "20",
                    *options, "-T", page, "-o", "/dev/null",
                    "http://%s/in" % at)
        os.unlink(page)
        self.run_on(host, "curl", "-sS", "--noproxy", "*", "--max-time", "20",
                    *options, "-o", page, "http://%s/" % at)
        with open(page, "rb") as file:
            self.assertEqual(file.read(), PAGE)

    def test_mappings_and_a_prefix(self):
        self.example("xlatd.conf")
        self.web_server(self.street.server, "::", PAGE)
        self.web_server(self.street.client, CLIENT, PAGE)
        # Of the example, of a file, and one of eight.
        for service in "192.0.2.33", "192.0.2.34", "192.0.2.43":
            self.ping(self.street.client, service)
            self.transfer(self.street.client, service)
        for host in "2001:db8:a::33", "2001:db8:b::3":
            self.transfer(self.street.server, "[2001:db8:64::%s]" % CLIENT,
                          "--interface", host)
        # An IPv6 host that nothing maps gets nowhere, and is told.
        done = self.run_on(self.street.server, "ping", "-n", "-c", "1", "-W",
                           "2", "-I", "2001:db8:1:4444::1",
                           "2001:db8:64::" + CLIENT, check=False)
        self.assertIn("Administratively prohibited", done.stdout)

    def test_siit_dc_border_relay(self):
        self.example("xlatd-siit-dc.conf")
        self.web_server(self.street.server, "::", PAGE)
        for service in "192.0.2.34", "192.0.2.43":
            self.transfer(self.street.client, service)
        # The server sees who its client is.
        listener = self.street.server.listen("::", 7000)
        self.addCleanup(listener.close)
        with self.street.client.connect("192.0.2.34", 7000) as connection:
            accepted, peer = listener.accept()
            accepted.close()
            self.assertEqual(peer[:2], (
                "2001:db8:46::cb00:7102", connection.getsockname()[1]))
        # A server at another's service address.
        self.ping(self.street.server, "2001:db8:46::192.0.2.43", "-I",
                  "2001:db8:a::34")
        self.transfer(self.street.server, "[2001:db8:46::192.0.2.43]",
                      "--interface", "2001:db8:a::34")
        # Each router of the data centre has an address of the pool.
        trace = self.run_on(self.street.client, "traceroute", "-n", "-q", "1",
                            "-w", "5,0,0", "192.0.2.43").stdout
        self.assertRegex(trace, r"(?m)^ *2 +198\.51\.100\.1 ")
        self.assertRegex(trace, r"(?m)^ *3 +198\.51\.100\.2[45]\d ")
        self.assertRegex(trace, r"(?m)^ *4 +192\.0\.2\.43 ")

    def plat(self):
        """The provider's side of 464XLAT."""
        plat = Xlatd(
            self.folder, host=self.street.gate, device='"plat"',
            prefixes='( { prefix = "64:ff9b::/96"; non_global = true; } )',
            mapping='[ "192.0.2.6 2001:db8:c1a7::2" ]',
            routes='[ "192.0.2.6", "64:ff9b::/96" ]')
        self.addCleanup(plat.stop)

    def echo(self, host, other, sizes):
        """Datagrams to the client and back."""
        with host:
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with other:
            echo = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with sock, echo:
            echo.bind((CLIENT, 7002))
            for each in sock, echo:
                each.settimeout(20)
            for size in sizes:
                data = bytes(i * 7 % 256 for i in range(size))
                sock.sendto(data, (CLIENT, 7002))
                got, peer = echo.recvfrom(70000)
                self.assertEqual(got, data)
                echo.sendto(data, peer)
                self.assertEqual(sock.recv(70000), data)

    def test_464xlat(self):
        """Programs of an IPv6-only host that know IPv4 only."""
        self.plat()
        self.example("xlatd-clat.conf", self.street.server)
        self.web_server(self.street.client, CLIENT, PAGE)
        self.web_server(self.street.server, "192.0.0.1", PAGE)
        phone = self.street.server
        self.ping(phone, CLIENT)
        self.transfer(phone, CLIENT)
        self.ping(self.street.client, "192.0.2.6")
        self.transfer(self.street.client, "192.0.2.6")
        # The largest that the provider need not cut on its way back: ICMP
        # in fragments is not translated.
        self.ping(phone, CLIENT, "-M", "do", "-s", str(1260 - 28))
        self.echo(phone, self.street.client, (1000, 1444, 5000, 30000))
        trace = self.run_on(phone, "traceroute", "-n", "-q", "1", "-w", "2",
                            CLIENT).stdout
        self.assertRegex(trace, r"(?m)^ *1 +192\.0\.0\.3 ")
        self.assertRegex(trace, r" %s " % re.escape(CLIENT))

    def address_of_server(self, source):
        """What the client sees of one of the server's addresses."""
        listener = self.street.client.listen(GLOBAL, 7000)
        try:
            self.street.server.connect("64:ff9b::" + GLOBAL, 7000,
                                       source).close()
            accepted, peer = listener.accept()
            accepted.close()
            return peer[0]
        finally:
            listener.close()

    def tayga_lends(self, source):
        """TAYGA with its example, and what it leaves behind: the address
        that it has lent to `source`, and its file of leases."""
        gate = self.street.gate
        with open(os.path.join(EXAMPLES, "tayga.conf")) as file:
            text = file.read()
        config = os.path.join(self.folder, "tayga.conf")
        with open(config, "w") as file:
            file.write(text.replace("/var/spool/tayga", self.folder))
        with gate:
            run("tayga", "-c", config, "--mktun")
        self.addCleanup(self.run_on, gate, "ip", "link", "del", "nat64",
                        check=False)
        gate.ip("link", "set", "nat64", "up")
        for address in "192.168.0.1", "2001:db8:1::1":
            gate.ip("address", "add", address, "dev", "nat64")
        for route in "192.168.255.0/24", "64:ff9b::/96":
            gate.ip("route", "add", route, "dev", "nat64")
        tayga = gate.start("tayga", "-d", "-c", config,
                           stdout=lib.subprocess.DEVNULL)
        try:
            self.wait_carrier(gate, "nat64")
            self.ping(self.street.server, "64:ff9b::" + GLOBAL, "-I", source)
            return self.address_of_server(source)
        finally:
            tayga.terminate()
            tayga.wait()
            gate.ip("link", "del", "nat64")

    def name_server(self, host, text):
        config = os.path.join(self.folder, "unbound-%d.conf" % host.fd)
        with open(config, "w") as file:
            file.write('server:\n  chroot: ""\n  username: ""\n'
                       '  pidfile: ""\n  use-syslog: no\n' + text)
        self.start(host, "unbound", "-d", "-c", config)

        def listens():
            with host:
                return run("ss", "-Hlun", "sport = :53").stdout
        lib.wait_for(listens, "unbound listens")

    def fetch_by_name(self, host, source, name_server, url):
        """Returns where the page came from."""
        resolv = os.path.join(self.folder, "resolv.conf")
        with open(resolv, "w") as file:
            file.write("nameserver %s\n" % name_server)
        return self.run_on(
            host, "unshare", "-m", "sh", "-c", "mount --bind %s "
            "/etc/resolv.conf && exec curl -sS --noproxy '*' -m 20 -o %s "
            "-w '%%{remote_ip}' --interface %s %s" % (
                resolv, self.folder + "/got", source, url)).stdout

    @unittest.skipIf(shutil.which("unbound") is None, "no unbound")
    def test_nat64_with_dns64(self):
        """Two hosts, known to the DNS64 by a name that has IPv4 only, and to
        the web server by one address."""
        gate, client = self.street.gate, self.street.client
        server = self.street.server
        gate.address("server", "2001:db8:a::53/64")
        self.addCleanup(gate.ip, "address", "del", "2001:db8:a::53/64", "dev",
                        "server")
        self.example("xlatd-nat64.conf")
        self.addCleanup(self.run_on, gate, "nft", "delete", "table", "inet",
                        "popgate_nat64")
        for _ in "once", "again":
            self.run_on(gate, "nft", "-f",
                        os.path.join(EXAMPLES, "nftables-nat64.nft"))
        self.name_server(client, "  interface: %s\n"
                         "  access-control: 0.0.0.0/0 allow\n"
                         "  local-zone: example. static\n"
                         '  local-data: "www.example. A %s"\n' % (
                             GLOBAL, GLOBAL))
        self.name_server(gate, 'include: "%s"\nforward-zone:\n  name: .\n'
                         "  forward-addr: %s\n" % (os.path.join(
                             EXAMPLES, "unbound-dns64.conf"), GLOBAL))
        self.web_server(client, GLOBAL, PAGE)
        self.assertEqual(self.fetch_by_name(
            server, "2001:db8:a::33", "2001:db8:a::53",
            "http://www.example/"), "64:ff9b::909:909")
        with open(self.folder + "/got", "rb") as file:
            self.assertEqual(file.read(), PAGE)
        for source in "2001:db8:a::33", "2001:db8:a::34":
            self.assertEqual(self.address_of_server(source), "203.0.113.1")
            self.ping(server, "64:ff9b::" + GLOBAL, "-I", source)
        # Nobody else goes out, and nobody comes in.
        leases = os.path.join(self.folder, "nat64.leases")
        lib.wait_for(lambda: os.path.exists(leases), "leases are written")
        with open(leases) as file:
            lent = file.readline().split()[0]
        for host, *where in ((server, "-I", "2001:db8:b::3",
                              "64:ff9b::" + GLOBAL),
                             (client, "-I", GLOBAL, lent)):
            done = self.run_on(host, "ping", "-n", "-c", "1", "-W", "1",
                               *where, check=False)
            self.assertIn("100% packet loss", done.stdout)

    def lends_like_tayga(self):
        xlatd = self.example("xlatd-from-tayga.conf")
        self.ping(self.street.server, "64:ff9b::" + GLOBAL, "-I",
                  "2001:db8:a::33")
        self.ping(self.street.client, "192.168.255.10", "-I", GLOBAL)
        self.assertEqual(self.address_of_server("2001:db8:1:4444::1"),
                         "192.168.255.10")
        return xlatd

    def test_what_tayga_does(self):
        self.lends_like_tayga()
        lent = self.address_of_server("2001:db8:a::34")
        self.assertRegex(lent, r"^192\.168\.255\.\d+$")
        self.ping(self.street.client, lent, "-I", GLOBAL)

    @unittest.skipIf(shutil.which("tayga") is None, "no tayga")
    def test_leases_of_tayga_are_taken_over(self):
        lent = self.tayga_lends("2001:db8:b::3")
        os.rename(os.path.join(self.folder, "dynamic.map"),
                  os.path.join(self.folder, "nat64.leases"))
        xlatd = self.lends_like_tayga()
        self.assertEqual(self.address_of_server("2001:db8:b::3"), lent)
        self.assertEqual(xlatd.log("is no lease"), [])


if __name__ == "__main__":
    unittest.main()
