# SPDX-License-Identifier: ISC
"""proxyd -t, -T, -V, and what it says when it cannot start."""
import os
import re
import unittest

from lib import PROXYD, POP4, VM, SystemTest, run

NAMES = "one.example.com %s\n*.example.org %s,%s https=8443\n" % (
    VM[1], VM[2], VM[3])


class Commands(SystemTest):
    def config(self, names=NAMES, **settings):
        return self.proxyd(names, start=False, **settings)

    def command(self, *args):
        with self.world.pop:
            return run(PROXYD, *args, check=False)

    def assert_refused(self, proxyd, pattern):
        for option in (["-t"], ["-T"], []):
            done = self.command(*option, "-f", proxyd.config)
            self.assertEqual(done.returncode, 1, done)
            self.assertRegex(done.stderr, re.compile(pattern, re.M))
            self.assertEqual(done.stdout, "")

    def test_t_says_ok(self):
        proxyd = self.config()
        done = self.command("-t", "-f", proxyd.config)
        self.assertEqual((done.returncode, done.stdout, done.stderr),
                         (0, proxyd.config + ": ok, 2 names\n", ""))

    def test_T_prints_what_it_accepts(self):
        proxyd = self.config(
            source='[ "2001:db8:64::2" ]', mapping='[ "a.test %s" ]' % VM[4],
            timeouts={"peek": "2.5"}, default_target='"%s"' % VM[5])
        first = self.command("-T", "-f", proxyd.config)
        self.assertEqual(first.returncode, 0, first.stderr)
        for text in ("peek = 2.5", "http_head = 16384", "a.test",
                     'address = "%s"' % POP4, VM[5]):
            self.assertIn(text, first.stdout)
        path = self.world.write("effective.conf", first.stdout)
        second = self.command("-T", "-f", path)
        self.assertEqual(second.stdout, first.stdout)

    def test_V_names_the_libraries(self):
        done = self.command("-V")
        self.assertEqual(done.returncode, 0)
        for text in ("proxyd", "libevent 2.", "OpenSSL 3.", "libconfig 1."):
            self.assertIn(text, done.stdout)

    def test_what_cannot_be_opened_is_named_with_its_line(self):
        for settings, pattern in (
                ({"listeners": '( { address = "192.0.2.99"; port = 80; '
                               'protocol = "http"; } )'},
                 r":\d+: listeners\[0\]: .*192\.0\.2\.99:80: "),
                ({"log": '"/no-such-folder/log"'},
                 r":\d+: log: /no-such-folder/log: ")):
            with self.subTest(pattern):
                proxyd = self.config(**settings)
                done = self.command("-f", proxyd.config)
                self.assertEqual(done.returncode, 1)
                self.assertRegex(done.stderr, pattern)

    def test_unknown_options_are_refused(self):
        for args in (["-x"], ["word"], ["-f"]):
            done = self.command(*args)
            self.assertEqual(done.returncode, 1)
            self.assertIn("usage: proxyd", done.stderr)

    def test_no_file(self):
        path = self.world.path("no.conf")
        done = self.command("-t", "-f", path)
        self.assertEqual(done.returncode, 1)
        self.assertIn(path, done.stderr)

    def test_bad_settings_name_file_and_line(self):
        for settings, pattern in (
                ({"colour": '"red"'}, r"\.conf:\d+: colour: "),
                ({"timeouts": {"peek": '"x"'}}, r":\d+: timeouts\.peek: "),
                ({"timeouts": {"peak": "1"}}, r":\d+: timeouts\.peak: "),
                ({"workers": "65"}, r":\d+: workers: "),
                ({"allow_targets": '[ "192.0.2.0/24" ]'},
                 r":\d+: allow_targets"),
                ({"listeners": "()"}, r":\d+: listeners: "),
                ({"user": '"no-such-user"'}, r":\d+: user: .*no-such-user"),
                ({"group": '"no-such"'}, r":\d+: group: .*no-such"),
                ({"mapping_files": '[ "/no-such-folder/*.map" ]'},
                 r":\d+: mapping_files\[0\]: /no-such-folder/"),
                ({"user": '"root"'}, r":\d+: user: ")):
            with self.subTest(settings=settings):
                self.assert_refused(self.config(**settings), pattern)

    def test_bad_mappings_name_file_and_line(self):
        for line, pattern in (
                ("x.example.com", "map:3: "),
                ("192.0.2.1 %s" % VM[1], "map:3: "),
                ("x.example.com 192.0.2.1", "map:3: "),
                ("x.example.com %s speed=9" % VM[1], "map:3: .*speed"),
                ("ONE.example.com. %s" % VM[1],
                 r"map:3: .*\bone\.example\.com.*\.map:1")):
            with self.subTest(line=line):
                self.assert_refused(self.config(NAMES + line + "\n"),
                                    pattern)

    def test_targets_that_are_not_allowed(self):
        for target, settings in (
                ("2001:db9::1", {}),
                ("::1", {"allow_targets": '[ "::/0" ]'}),
                ("fe80::1", {"allow_targets": '[ "::/0" ]'}),
                ("::ffff:192.0.2.1", {"allow_targets": '[ "::/0" ]'}),
                ("64:ff9b::c000:201", {"allow_targets": '[ "::/0" ]'}),
                ("2002:c000:201::1", {"allow_targets": '[ "::/0" ]'}),
                ("fd00::1", {"allow_targets": '[ "::/0" ]'}),
                ("ff02::1", {"allow_targets": '[ "::/0" ]'}),
                ("2001:db8:46::c000:201",
                 {"nat64_prefixes": '[ "2001:db8:46::/96" ]'}),
                ("2001:db8:6::10", {})):    # our own listener
            with self.subTest(target=target):
                self.assert_refused(
                    self.config("x.example.com %s\n" % target, **settings),
                    r"map:1: ")
        for target, allow in (("fd00::1", "fd00::/16"), ("::1", "::1/128")):
            proxyd = self.config("x.example.com %s\n" % target,
                                 allow_targets='[ "%s" ]' % allow)
            self.assertEqual(
                self.command("-t", "-f", proxyd.config).returncode, 0)

    def test_an_address_in_use(self):
        with self.world.pop.listen(POP4, 80):
            done = self.command("-f", self.config().config)
        self.assertEqual(done.returncode, 1)
        self.assertIn("192.0.2.10:80", done.stderr)

    def test_files_by_pattern_and_duplicates_across_them(self):
        folder = self.world.path("many")
        os.makedirs(folder, exist_ok=True)
        for name, line in (("a.map", "a.test %s"), ("b.map", "b.test %s")):
            self.world.write("many/" + name, line % VM[1] + "\n")
        proxyd = self.config(mapping_files='[ "many/*.map" ]')
        done = self.command("-t", "-f", proxyd.config)
        self.assertIn("ok, 2 names", done.stdout, done.stderr)
        self.world.write("many/c.map", "# again\nA.test %s\n" % VM[2])
        self.assert_refused(
            proxyd, r"many/c\.map:2: .*many/a\.map:1")


if __name__ == "__main__":
    unittest.main()
