/* SPDX-License-Identifier: ISC */
/*
 * broker_command_test.c - authorized_keys_command, from the broker to the
 * program and back.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "jumpd/key_bundle.h"
#include "tests/lib/broker_world.h"
#include "tests/lib/ssh_vectors.h"

static struct broker_world w;
static char folder[] = "/tmp/popgate-command-XXXXXX";

/* The program: a shell script, which sees its arguments; "^" stands for the
 * folder, where it may leave something. */
static void
write_program(const char *text)
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "%s/program", folder);
	file = fopen(path, "w");
	cr_assert_not_null(file);
	fputs("#!/bin/sh\n", file);
	for (; *text != '\0'; text++)
		if (*text == '^')
			fputs(folder, file);
		else
			fputc(*text, file);
	fclose(file);
	chmod(path, 0755);
}

static void
add_argument(const char *text)
{
	struct key_command_config *c = &w.command;
	size_t len = strlen(text) + 1;

	memcpy(c->text + c->text_len, text, len);
	c->text_len += (uint32_t)len;
	c->n_args++;
}

static void
begin(const char *program)
{
	char path[64];

	if (!world_init(&w))
		cr_skip_test("no network namespaces here");
	cr_assert_not_null(mkdtemp(folder));
	write_program(program);
	snprintf(path, sizeof(path), "%s/program", folder);
	add_argument(path);
	add_argument("%u");
	add_argument("%t");
	add_argument("%k");
	add_argument("%f");
	add_argument("100%%");
	w.command.timeout_ms = w.settings.command_ms = 20000;
	w.command.runs_max = 8;
	w.settings.command = true;
	w.settings.auth.user[0].methods = AUTH_KEYS;
	w.settings.auth.user[0].command = true;
}

static char *
left_behind(const char *name)
{
	static char text[4096];
	char path[128];
	FILE *file;
	size_t n;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "r");
	if (file == NULL)
		return NULL;
	n = fread(text, 1, sizeof(text) - 1, file);
	text[n] = '\0';
	fclose(file);
	return text;
}

static void
end(void)
{
	char command[96];

	cr_expect(world_stop(&w));
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	cr_expect_eq(system(command), 0);
}

static bool
login(enum broker_login how, const char *user, const char *vector)
{
	struct broker_child child = world_session(&w, "192.0.2.1");
	struct broker_msg m = child_login(&child, how, user, vector);

	cr_expect_eq(m.type, BROKER_LOGIN_ANSWER);
	world_ended(&w, &child, END_NONE);
	return m.u.login_answer.accepted;
}

static unsigned
runs(void)
{
	return (unsigned)w.stats->value[JUMPD_STAT_COMMANDS];
}

Test(broker_command, lets_in_whom_the_program_names)
{
	char *key = ssh_vector_text("key-ed25519"), right[2000], *told;

	begin("printf '%s\\n' \"$0\" \"$@\" > ^/told\n"
	      "echo \"$2 $3\"\necho 'not seen' >&2\n");
	world_start(&w);
	cr_expect(login(BROKER_LOGIN_SIGNED, "jump", "key-ed25519"));
	cr_expect(world_logs(&w, "login client=192.0.2.1:5000 session=1 "
				 "method=publickey user=\"jump\" key=SHA256:"));
	told = left_behind("told");
	cr_assert_not_null(told);
	key[strcspn(key, " ")] = '\n';
	key[strcspn(key, " ")] = '\0';
	snprintf(right, sizeof(right), "%s/program\njump\n%s\nSHA256:", folder,
	    key);
	cr_expect_eq(strncmp(told, right, strlen(right)), 0, "%s", told);
	cr_expect(strstr(told, "\n100%\n") != NULL);
	free(key);
	end();
}

/* No shell reads what a peer chose, nor a user's odd name. */
Test(broker_command, gives_arguments_as_they_are)
{
	char *told;

	begin("printf '%s' \"$1\" > ^/told\n");
	world_add_user(&w, "$(id);'\"*", AUTH_KEYS, true);
	world_start(&w);
	cr_expect_not(login(BROKER_LOGIN_SIGNED, "$(id);'\"*",
			  "key-ed25519"));
	told = left_behind("told");
	cr_assert_not_null(told);
	cr_expect_str_eq(told, "$(id);'\"*");
	end();
}

Test(broker_command, lets_nobody_in_for_other_keys_or_failures)
{
	static const struct {
		const char	*program, *log;
	} cases[] = {
		{ "true", "reason=key_unknown" },
		{ "echo \"$2 $3\"; exit 1", "reason=key_command" },
		{ "echo \"$2 $3\"; kill -9 $$", "reason=key_command" },
		{ "echo restrict \"$2 $3\"", "reason=key_no_forwarding" },
		{ "echo rubbish", "reason=key_unknown" },
		{ "head -c 400000 /dev/zero | tr '\\0' '\\n'; echo \"$2 $3\"",
		    "reason=key_command" },
	};
	size_t i;

	begin("true");
	world_start(&w);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		write_program(cases[i].program);
		cr_expect_not(login(BROKER_LOGIN_SIGNED, "jump",
				  "key-ed25519"), "%s", cases[i].program);
		cr_expect(world_logs(&w, cases[i].log));
	}
	end();
}

Test(broker_command, works_as_hard_for_nobody)
{
	begin("echo \"$2 $3\"; echo \"$1\" >> ^/users");
	world_start(&w);
	cr_expect_not(login(BROKER_LOGIN_SIGNED, "nobody", "key-ed25519"));
	cr_expect(world_logs(&w, "user=\"nobody\""));
	cr_expect_eq(runs(), 1);
	/* whose name the program never sees */
	cr_expect_str_eq(left_behind("users"), "jump\n");
	end();
}

Test(broker_command, is_not_asked_for_what_the_files_know)
{
	begin("echo \"$2 $3\"");
	world_add_keys(&w, KEY_FILE_AUTHORIZED, 1,
	    "$key-ed25519\nrestrict $key-rsa2048\n");
	world_add_user(&w, "alice", AUTH_KEYS, false);
	world_start(&w);
	cr_expect(login(BROKER_LOGIN_SIGNED, "jump", "key-ed25519"));
	/* a line that does not hold is not overruled */
	cr_expect_not(login(BROKER_LOGIN_SIGNED, "jump", "key-rsa2048"));
	/* nor is it asked for users it is not for */
	cr_expect_not(login(BROKER_LOGIN_SIGNED, "alice", "key-ecdsa256"));
	cr_expect_eq(runs(), 0);
	end();
}

Test(broker_command, runs_once_for_a_probe_and_its_signature)
{
	struct broker_child child;
	struct broker_msg m;

	begin("echo \"$2 $3\"");
	world_start(&w);
	child = world_session(&w, "192.0.2.1");
	m = child_login(&child, BROKER_LOGIN_PROBE, "jump", "key-ed25519");
	cr_expect(m.u.login_answer.accepted);
	m = child_login(&child, BROKER_LOGIN_SIGNED, "jump", "key-ed25519");
	cr_expect(m.u.login_answer.accepted);
	cr_expect_eq(runs(), 1);
	world_ended(&w, &child, END_NONE);
	end();
}

Test(broker_command, is_remembered_if_that_is_wanted)
{
	unsigned i;

	begin("echo \"$2 $3\"");
	w.settings.command_cache_ms = 60000;
	world_start(&w);
	for (i = 0; i < 3; i++)
		cr_expect(login(BROKER_LOGIN_SIGNED, "jump", "key-ed25519"));
	cr_expect_eq(runs(), 1);
	cr_expect(login(BROKER_LOGIN_SIGNED, "jump", "key-rsa2048"));
	cr_expect_eq(runs(), 2);
	/* a reload forgets */
	world_reload(&w);
	cr_expect(login(BROKER_LOGIN_SIGNED, "jump", "key-ed25519"));
	cr_expect_eq(runs(), 3);
	end();
}

/* The whole line, not only the file. */
static bool
is_written(const char *name)
{
	const char *text = left_behind(name);

	return text != NULL && strchr(text, '\n') != NULL;
}

static bool
is_gone(const char *name)
{
	char *text = left_behind(name);
	pid_t pid;
	int i;

	if (text == NULL)
		return false;
	pid = (pid_t)strtol(text, NULL, 10);
	for (i = 0; i < 1000; i++) {
		if (kill(pid, 0) != 0 && errno == ESRCH)
			return true;
		usleep(20 * 1000);
	}
	return false;
}

Test(broker_command, is_killed_with_all_it_started)
{
	begin("echo $$ > ^/pid; sleep 100 & echo $! > ^/other; sleep 100");
	w.command.timeout_ms = 1500;
	world_start(&w);
	cr_expect_not(login(BROKER_LOGIN_SIGNED, "jump", "key-ed25519"));
	cr_expect(world_logs(&w, "reason=key_command"));
	cr_expect(is_gone("pid"));
	cr_expect(is_gone("other"));
	end();
}

/* One that ended, and left something behind that holds its output open. */
Test(broker_command, leaves_nothing_behind)
{
	begin("echo \"$2 $3\"; sleep 100 & echo $! > ^/other; exit 0");
	world_start(&w);
	cr_expect(login(BROKER_LOGIN_SIGNED, "jump", "key-ed25519"));
	cr_expect(is_gone("other"));
	end();
}

static void
expect_answer(const struct broker_child *child, bool accepted, unsigned i)
{
	struct broker_msg back;
	int fd;

	cr_assert(child_receive(child, &back, &fd), "%u", i);
	cr_expect_eq(back.u.login_answer.accepted, accepted, "%u", i);
}

static void
await_runs(unsigned n)
{
	unsigned ms;

	for (ms = 0; ms < 20000 && runs() < n; ms++)
		usleep(1000);
	cr_assert_eq(runs(), n);
}

Test(broker_command, runs_so_often_at_once)
{
	struct broker_msg m = { .type = BROKER_LOGIN };
	struct ssh_vector v = ssh_vector_load("key-ed25519");
	/* One source has half of them; then there are none for the third. */
	static const struct {
		const char	*client;
		bool		 busy;
	} all[] = {
		{ "192.0.2.1", false }, { "2001:db8:5::1", false },
		{ "192.0.2.1", false }, { "192.0.2.1", true },
		{ "2001:db8:5::2", false }, { "2001:db8:5::3", true },
		{ "192.0.2.3", true },
	};
	enum { N = sizeof(all) / sizeof(all[0]) };
	struct broker_child child[N];
	unsigned i, running = 0;
	char path[64];

	/* None ends before all have asked. */
	begin("until test -e ^/go; do sleep 0.02; done; echo \"$2 $3\"");
	world_start(&w);
	m.u.login.how = BROKER_LOGIN_SIGNED;
	m.u.login.user.at = (const uint8_t *)"jump";
	m.u.login.user.len = 4;
	m.u.login.blob.at = v.bytes;
	m.u.login.blob.len = v.len;
	for (i = 0; i < N; i++) {
		child[i] = world_session(&w, all[i].client);
		child_send(&child[i], &m);
		if (all[i].busy)
			expect_answer(&child[i], false, i);
		else
			await_runs(++running);
	}
	snprintf(path, sizeof(path), "%s/go", folder);
	fclose(fopen(path, "w"));
	for (i = 0; i < N; i++) {
		if (!all[i].busy)
			expect_answer(&child[i], true, i);
		world_ended(&w, &child[i], END_NONE);
	}
	cr_expect_eq(runs(), 4);
	ssh_vector_free(&v);
	end();
}

/* The parent replaces the process that runs it, on reload. */
Test(broker_command, ends_when_it_is_replaced)
{
	struct broker_msg m = { .type = BROKER_LOGIN };
	struct ssh_vector v = ssh_vector_load("key-ed25519");
	struct broker_child child;
	struct timespec before, after;
	int fd, status;

	begin("echo $$ > ^/pid; sleep 100");
	w.command.timeout_ms = w.settings.command_ms = 60000;
	world_start(&w);
	m.u.login.how = BROKER_LOGIN_SIGNED;
	m.u.login.user.at = (const uint8_t *)"jump";
	m.u.login.user.len = 4;
	m.u.login.blob.at = v.bytes;
	m.u.login.blob.len = v.len;
	child = world_session(&w, "192.0.2.1");
	child_send(&child, &m);
	while (!is_written("pid"))
		usleep(10 * 1000);
	clock_gettime(CLOCK_MONOTONIC, &before);
	kill(w.command_pid, SIGTERM);
	cr_expect_eq(waitpid(w.command_pid, &status, 0), w.command_pid);
	w.command_pid = 0;
	cr_assert(child_receive(&child, &m, &fd));
	cr_expect_not(m.u.login_answer.accepted);
	clock_gettime(CLOCK_MONOTONIC, &after);
	cr_expect_leq(after.tv_sec - before.tv_sec, 20);
	cr_expect(is_gone("pid"));
	world_ended(&w, &child, END_NONE);
	ssh_vector_free(&v);
	end();
}

/* Sessions that end while their program runs. */
Test(broker_command, does_not_mind_who_leaves)
{
	struct broker_msg m = { .type = BROKER_LOGIN };
	struct ssh_vector v = ssh_vector_load("key-ed25519");
	struct broker_child child;
	unsigned i;

	begin("sleep 0.1; echo \"$2 $3\"");
	world_start(&w);
	m.u.login.how = BROKER_LOGIN_SIGNED;
	m.u.login.user.at = (const uint8_t *)"jump";
	m.u.login.user.len = 4;
	m.u.login.blob.at = v.bytes;
	m.u.login.blob.len = v.len;
	for (i = 0; i < 4; i++) {
		child = world_session(&w, "192.0.2.1");
		child_send(&child, &m);
		world_ended(&w, &child, END_CLIENT_LEFT);
	}
	usleep(500 * 1000);
	cr_expect(login(BROKER_LOGIN_SIGNED, "jump", "key-ed25519"));
	ssh_vector_free(&v);
	end();
}

Test(key_command_config, wants_a_program_that_only_root_can_change)
{
	static const struct sandbox_ids ids = { 0 };
	struct key_command_config c = { .timeout_ms = 5, .runs_max = 2 };
	const char *args[40] = { "/bin/true", "%u", "%%", "%k%t%f" };
	char problem[512], path[128];
	uint32_t i;

	cr_assert(key_command_config_make(args, 4, &ids, &c, problem,
		      sizeof(problem)), "%s", problem);
	cr_expect_eq(c.n_args, 4);
	cr_expect_eq(c.timeout_ms, 5);
	cr_expect_eq(memcmp(c.text, "/bin/true\0%u\0%%\0%k%t%f", 23), 0);
	args[1] = "%x";
	cr_expect_not(key_command_config_make(args, 2, &ids, &c, problem,
			  sizeof(problem)));
	cr_expect_str_eq(problem, "%x is none of %u, %t, %k, %f and %%");
	args[1] = "50%";
	cr_expect_not(key_command_config_make(args, 2, &ids, &c, problem,
			  sizeof(problem)));
	args[0] = "true";
	cr_expect_not(key_command_config_make(args, 1, &ids, &c, problem,
			  sizeof(problem)));
	cr_expect_str_eq(problem, "must be an absolute path");
	args[0] = "/no/such/program";
	cr_expect_not(key_command_config_make(args, 1, &ids, &c, problem,
			  sizeof(problem)));
	args[0] = "/bin/%u";
	cr_expect_not(key_command_config_make(args, 1, &ids, &c, problem,
			  sizeof(problem)));
	args[0] = "/etc/passwd";
	cr_expect_not(key_command_config_make(args, 1, &ids, &c, problem,
			  sizeof(problem)));
	args[0] = "/bin";
	cr_expect_not(key_command_config_make(args, 1, &ids, &c, problem,
			  sizeof(problem)));
	cr_assert_not_null(mkdtemp(folder));
	write_program("true");
	snprintf(path, sizeof(path), "%s/program", folder);
	args[0] = path;		/* /tmp is everybody's */
	cr_expect_not(key_command_config_make(args, 1, &ids, &c, problem,
			  sizeof(problem)));
	cr_expect(strstr(problem, "can be changed by others") != NULL, "%s",
	    problem);
	for (i = 0; i < 40; i++)
		args[i] = "/bin/true";
	cr_expect_not(key_command_config_make(args, 33, &ids, &c, problem,
			  sizeof(problem)));
	cr_expect_not(key_command_config_make(args, 0, &ids, &c, problem,
			  sizeof(problem)));
	unlink(path);
	rmdir(folder);
}
