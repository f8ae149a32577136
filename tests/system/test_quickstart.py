# SPDX-License-Identifier: ISC
"""./quickstart, as a stranger runs it, and what it leaves behind."""
import contextlib
import os
import re
import unittest

from lib import TOP, Host, SystemTest, run, wait_for


@unittest.skipUnless(os.access(os.path.join(TOP, "quickstart"), os.X_OK) and
                     os.access(os.path.join(TOP, "configure"), os.R_OK),
                     "quickstart builds in a tree that was configured once")
class Quickstart(SystemTest):
    def setUp(self):
        super().setUp()
        if os.path.exists(os.path.join(TOP, "build/quickstart.kept")):
            self.skipTest("a demo is up; ./quickstart --stop stops it")
        self.host = Host()    # so that two runs never share addresses

    def state(self):
        """What is on the host: addresses, sockets and processes."""
        with self.host:
            addresses = run("ip", "-o", "address").stdout
            sockets = run("ss", "-Hltn").stdout
        ours = os.stat("/proc/self/fd/%d" % self.host.fd)
        processes = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                if os.path.samestat(os.stat("/proc/%s/ns/net" % pid), ours):
                    processes.append(pid)
            except OSError:
                pass
        return addresses, sockets, processes

    def quickstart(self, *args):
        with self.host:
            return run(os.path.join(TOP, "quickstart"), *args, timeout=300)

    def networks(self, text):
        """Named network namespaces of a demo that are there."""
        named = set(re.findall(r"popgate-(?:six|relay|four)\d*", text))
        return named & set(run("ip", "netns", "list").stdout.split())

    def assert_left(self, text, before):
        """Nothing of it is there any more; what was killed ends soon."""
        self.assertFalse(self.networks(text))
        with contextlib.suppress(AssertionError):
            wait_for(lambda: self.state() == before, "")
        self.assertEqual(self.state(), before)

    def test_the_demo_works_and_leaves_nothing(self):
        before = self.state()
        text = self.quickstart().stdout
        for shown in ("HTTP/1.1 200", "SSL certificate verify ok", "SIGHUP",
                      "sha256", "404", "unrecognized name",
                      "cc 22022\n", "port are not allowed here",
                      "This is a jump host",
                      "You come from 192.0.2.6", "destination_unmapped"):
            self.assertIn(shown, text)
        self.assert_left(text, before)

    def test_keep_says_how_to_stop_it(self):
        before = self.state()
        text = self.quickstart("--keep").stdout
        self.assertNotEqual(self.state(), before)
        stop = re.search(r"^ +(\./quickstart --stop)$", text, re.M)
        self.assertTrue(stop, text)
        command = re.search(r"^ +(curl .*http://.*)$", text, re.M).group(1)
        with self.host:
            self.assertIn("blue", run("sh", "-c", command).stdout)
        command = re.search(r"^ +(ssh .*@vm\.example)$", text,
                            re.M).group(1)
        with self.host:
            self.assertIn("it is there", run(
                "sh", "-c", command + " echo it is there").stdout)
        command = re.search(r"^ +(ip netns exec .* curl http://.*)$",
                            text, re.M).group(1)
        self.assertIn("192.0.2.6", run("sh", "-c", command).stdout)
        self.assertEqual(len(self.networks(text)), 3)
        self.quickstart("--stop")
        self.assert_left(text, before)


if __name__ == "__main__":
    unittest.main()
