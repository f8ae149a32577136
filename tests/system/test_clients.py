# SPDX-License-Identifier: ISC
"""Programs that people use: browsers, websockets, ACME."""
import asyncio
import base64
import contextlib
import hashlib
import importlib.util
import json
import os
import re
import shutil
import ssl
import subprocess
import unittest

from http_cases import head
from lib import NET, POP4, VM, SystemTest, run, wait_for

NAMES = "one.example.com %s\ntwo.example.com %s\nraw.example.com %s\n" % (
    VM[1], VM[2], VM[3])
SCRIPTS = 30    # of a page; a browser has 6 connections for them


def needs(*programs):
    missing = [p for p in programs if shutil.which(p) is None]
    return unittest.skipIf(missing, "no " + ", ".join(missing))


@unittest.skipIf(importlib.util.find_spec("websockets") is None,
                 "no python3-websockets")
class Websocket(SystemTest):
    needs_nginx = True    # its certificates

    def serve(self, scheme, client):
        """Run client(connection to an echo server through proxyd)."""
        import websockets

        port = 443 if scheme == "wss" else 80
        listener = self.listen(VM[3], port)
        near = self.connect(port)
        contexts, name = [None, None], None
        if scheme == "wss":
            name = "one.example.com"
            contexts[0] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            contexts[0].load_cert_chain(self.world.path("one.pem"),
                                        self.world.path("one.key"))
            contexts[1] = ssl.create_default_context(
                cafile=self.world.path("ca.pem"))
        for sock in (listener, near):
            sock.setblocking(False)

        async def echo(websocket):
            async for message in websocket:
                await websocket.send(message)
                if message == "goodbye":
                    await websocket.close(4242, "as you wish")
                    break

        async def both():
            async with websockets.serve(
                    echo, sock=listener, ssl=contexts[0], max_size=None,
                    compression=None):
                async with websockets.connect(
                        scheme + "://one.example.com/", sock=near,
                        ssl=contexts[1], server_hostname=name,
                        max_size=None, compression=None) as websocket:
                    await client(websocket)
        asyncio.run(asyncio.wait_for(both(), 60))

    async def talk(self, websocket):
        big = os.urandom(3 << 20)
        for message in ("hello", b"\0\r\n\r\n", big,
                        head(b"two.example.com").decode()):
            await websocket.send(message)
            self.assertEqual(await websocket.recv(), message)
        await (await websocket.ping())
        for i in range(100):
            await websocket.send(str(i))
        self.assertEqual([await websocket.recv() for _ in range(100)],
                         [str(i) for i in range(100)])
        await websocket.send("goodbye")
        self.assertEqual(await websocket.recv(), "goodbye")
        await websocket.wait_closed()
        self.assertEqual((websocket.close_code, websocket.close_reason),
                         (4242, "as you wish"))

    def test_websockets(self):
        for scheme, service in (("ws", "http"), ("wss", "https")):
            with self.subTest(scheme=scheme):
                proxyd = self.proxyd("one.example.com %s\n" % VM[3])
                self.serve(scheme, self.talk)
                end = proxyd.wait_end(service=service, reason="done")
                self.assertGreater(int(end["down"]), 3 << 20)
                proxyd.stop()


@needs("chromium")
class Chromium(SystemTest):
    needs_nginx = True

    def write_page(self):
        """A page of many scripts, which says what it got."""
        with contextlib.suppress(FileExistsError):
            os.mkdir(self.world.path("www/page"))
        for i in range(SCRIPTS):
            with open(self.world.path("www/page/%d.js" % i), "w") as file:
                file.write("loaded.push(%d);%s" % (i, " " * 100 * i))
        with open(self.world.path("www/page/index.html"), "w") as file:
            file.write("<!DOCTYPE html><script>loaded = []</script>")
            for i in range(SCRIPTS):
                file.write('<script src="/page/%d.js"></script>' % i)
            file.write("""<p>none</p><script>
                let get = new XMLHttpRequest();
                get.open("GET", "/who", false);
                get.send();
                document.querySelector("p").textContent = "got " +
                    loaded.length + " and " + get.responseText.trim();
                </script>""")

    def key_hash(self, name):
        """The certificate's key as --ignore-certificate-errors-spki-list
        wants it."""
        pem = run("openssl", "x509", "-in", self.world.path(name + ".pem"),
                  "-noout", "-pubkey").stdout
        der = base64.b64decode("".join(pem.splitlines()[1:-1]))
        return base64.b64encode(hashlib.sha256(der).digest()).decode()

    def browse(self, url, profile):
        return self.world.client.start(
            "chromium", "--headless", "--no-sandbox", "--disable-gpu",
            "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
            "--disable-background-networking", "--disable-component-update",
            "--disable-sync", "--disable-extensions",
            "--disable-features=HttpsUpgrades,HttpsFirstBalancedMode",
            "--user-data-dir=" + self.world.path(profile),
            "--host-resolver-rules=MAP *.example.com " + POP4,
            "--ignore-certificate-errors-spki-list=" + ",".join(
                map(self.key_hash, ("one", "two"))),
            "--timeout=50000", "--dump-dom", url,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL)

    def test_pages(self):
        proxyd = self.proxyd(NAMES)
        self.write_page()
        browsers = [(scheme, name, self.browse(
            "%s://%s.example.com/page/index.html" % (scheme, name),
            "chromium-" + scheme))
            for scheme, name in (("http", "one"), ("https", "two"))]
        for scheme, name, browser in browsers:
            with self.subTest(scheme=scheme):
                page = browser.communicate(timeout=90)[0].decode()
                self.assertIn("<p>got %d and %s %s %s.example.com</p>" % (
                    SCRIPTS, name, scheme, name), page)
                proxyd.wait_end(service=scheme, reason="done",
                                name='"%s.example.com"' % name)
                lines = proxyd.log(' service=%s name="%s\\.' % (scheme,
                                                               name))
                self.assertLessEqual(len(lines), 6 + 2, lines)


@needs("pebble", "pebble-challtestsrv", "lego")
class Acme(SystemTest):
    """A certificate for a VM, with pebble as the authority.  Pebble runs at
    the POP, where it reaches IPv4 and VMs do reach it."""

    needs_nginx = True    # its authority

    def start(self, *args, **env):
        process = self.world.pop.start(
            *args, env={**os.environ, **env}, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)

    def start_pebble(self):
        key, cert = self.world.path("acme.key"), self.world.path("acme.pem")
        extensions = self.world.write("acme.ext",
                                      "subjectAltName=IP:%s1" % NET)
        run("openssl", "req", "-newkey", "ec", "-pkeyopt",
            "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=acme",
            "-keyout", key, "-out", cert + ".req")
        run("openssl", "x509", "-req", "-in", cert + ".req", "-CA",
            self.world.path("ca.pem"), "-CAkey", self.world.path("ca.key"),
            "-days", "2", "-CAcreateserial", "-extfile", extensions, "-out",
            cert)
        config = self.world.write("pebble.json", json.dumps({"pebble": {
            "listenAddress": "[%s1]:14000" % NET,
            "managementListenAddress": "127.0.0.1:15000",
            "certificate": cert, "privateKey": key,
            "httpPort": 80, "tlsPort": 443}}))
        self.start("pebble-challtestsrv", "-defaultIPv4", POP4,
                   "-defaultIPv6", "", "-dns01", "127.0.0.1:8053", "-http01",
                   "", "-https01", "", "-tlsalpn01", "", "-management",
                   "127.0.0.1:8055")
        self.start("pebble", "-config", config, "-dnsserver",
                   "127.0.0.1:8053", PEBBLE_VA_NOSLEEP="1",
                   PEBBLE_WFE_NONCEREJECT="0")

        def answers():
            with contextlib.suppress(OSError):
                self.world.vm.connect(NET + "1", 14000).close()
                return True
        wait_for(answers, "pebble answers")

    def test_challenges(self):
        proxyd = self.proxyd(NAMES)
        self.start_pebble()
        clients = []
        for args in (("--http", "--http.port", "[%s]:80" % VM[3]),
                     ("--tls", "--tls.port", "[%s]:443" % VM[3])):
            folder = self.world.path("lego" + args[0])
            clients.append((args, folder, self.world.vm.start(
                "lego", "--server", "https://[%s1]:14000/dir" % NET,
                "--accept-tos", "--email", "root@example.com", "--domains",
                "raw.example.com", "--path", folder, *args, "run",
                env={**os.environ, "LEGO_CA_CERTIFICATES":
                     self.world.path("ca.pem")},
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT)))
        for args, folder, client in clients:
            with self.subTest(challenge=args[0]):
                said = client.communicate(timeout=120)[0].decode()
                self.assertEqual(client.returncode, 0, said)
                names = run("openssl", "x509", "-noout", "-ext",
                            "subjectAltName", "-in", os.path.join(
                                folder, "certificates/raw.example.com.crt"))
                self.assertTrue(re.search(r"DNS:raw\.example\.com\s",
                                          names.stdout), names.stdout)
        for service in ("http", "https"):
            proxyd.wait_end(service=service, target="[%s]:%d" % (
                VM[3], 80 if service == "http" else 443))


if __name__ == "__main__":
    unittest.main()
