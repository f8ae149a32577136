/* SPDX-License-Identifier: ISC */
#include "tests/lib/broker_world.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ipv6.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"
#include "common/sock.h"
#include "jumpd/key_bundle.h"
#include "tests/lib/mapping_image.h"
#include "tests/lib/ssh_vectors.h"

enum { PATIENCE_MS = 20000 };

/* A process that cannot be traced cannot be searched for leaks. */
static int is_sandboxed;

int __lsan_is_turned_off(void);

int
__lsan_is_turned_off(void)
{
	return is_sandboxed;
}

static void
must(bool good, const char *what)
{
	if (good)
		return;
	perror(what);
	abort();
}

/* ------------------------------------------------------------- network */

/* An address is there a moment after it was added. */
static bool
is_there(const struct addr *addr)
{
	struct endpoint at = { .addr = *addr };
	struct sockaddr_storage ss;
	socklen_t len = sock_address(&at, &ss);
	struct timespec nap = { .tv_nsec = 1000 * 1000 };
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0), i;

	for (i = 0; i < PATIENCE_MS &&
	    bind(fd, (struct sockaddr *)&ss, len) != 0;
	    i++)
		nanosleep(&nap, NULL);
	close(fd);
	return i < PATIENCE_MS;
}

static bool
make_network(void)
{
	struct ifreq up = { .ifr_flags = IFF_UP };
	struct in6_ifreq add = { .ifr6_prefixlen = 128, .ifr6_ifindex = 1 };
	struct addr addr;
	char text[32];
	int fd, i;

	if (unshare(CLONE_NEWNET) != 0 &&
	    unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
		return false;
	fd = socket(AF_INET6, SOCK_DGRAM, 0);
	snprintf(up.ifr_name, sizeof(up.ifr_name), "lo");
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &up) != 0)
		return false;
	for (i = 1; i <= WORLD_VMS; i++) {
		snprintf(text, sizeof(text), "2001:db8::%d", i);
		must(addr_parse(text, strlen(text), &addr), "address");
		memcpy(&add.ifr6_addr, addr.octet, 16);
		must(ioctl(fd, SIOCSIFADDR, &add) == 0 && is_there(&addr),
		    "SIOCSIFADDR");
	}
	close(fd);
	return true;
}

int
vm_listen(const char *address, uint16_t port)
{
	static const struct sock_keepalive ka = { 60, 10, 3 };
	struct endpoint at = { .port = port };
	int fd;

	must(addr_parse(address, strlen(address), &at.addr), "address");
	fd = sock_listen(&at, 64, &ka);
	must(fd >= 0, "vm_listen");
	return fd;
}

/* ------------------------------------------------------------ settings */

void
world_add_user(struct broker_world *w, const char *name, uint8_t methods,
    bool command)
{
	struct auth_user *u = &w->settings.auth.user[
	    w->settings.auth.n_users++];

	u->methods = methods;
	u->command = command;
	u->name_len = (uint8_t)strlen(name);
	memcpy(u->name, name, u->name_len);
}

void
world_allow(struct broker_world *w, const char *prefix, uint16_t first,
    uint16_t last)
{
	struct egress_rule *r = &w->settings.egress.allow[
	    w->settings.egress.n_allow++];

	must(prefix_parse(prefix, strlen(prefix), &r->prefix) == PREFIX_OK,
	    "prefix");
	r->n_ports = 1;
	r->ports[0].first = first;
	r->ports[0].last = last;
}

void
world_allow_vms(struct broker_world *w, uint16_t first, uint16_t last)
{
	char text[32];
	int i;

	world_allow(w, "2001:db8::/32", first, last);
	for (i = 1; i <= WORLD_VMS; i++) {
		snprintf(text, sizeof(text), "2001:db8::%d/128", i);
		world_allow(w, text, first, last);
	}
}

bool
world_init(struct broker_world *w)
{
	struct jumpd_settings *s = &w->settings;

	memset(w, 0, sizeof(*w));
	w->pid = w->command_pid = 0;
	w->channel = w->sessions = w->log = -1;
	if (!make_network())
		return false;
	s->auth.attempts_max = 6;
	s->broker.pending = 100;
	s->broker.pending_per_source = 50;
	s->broker.pending_per_session = 20;
	s->broker.addresses = 8;
	s->broker.commands = 4;
	s->connect_ms = 1000;
	s->open_ms = 2000;
	s->dns_ms = 1000;
	s->command_ms = 1000;
	s->keepalive_idle_ms = 60000;
	s->keepalive_interval_ms = 10000;
	s->keepalive_count = 3;
	s->log_connections = true;
	world_add_user(w, "jump", AUTH_NONE, false);
	world_allow_vms(w, 22, 22);
	w->stats = mmap(NULL, sizeof(*w->stats), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	must(w->stats != MAP_FAILED, "mmap");
	return true;
}

void
world_add_keys(struct broker_world *w, int kind, uint64_t users,
    const char *text)
{
	uint8_t *header = w->bundle + w->bundle_len;
	char *out = (char *)header + KEY_FILE_HEADER_OCTETS + 1;
	struct key_file file = { .kind = (enum key_file_kind)kind,
		.users = users, .name = "f", .name_len = 1 };
	char name[64], *line;
	size_t len;

	while (*text != '\0') {
		if (*text != '$') {
			out[file.len++] = *text++;
			continue;
		}
		len = strspn(++text, "abcdefghijklmnopqrstuvwxyz0123456789-");
		snprintf(name, sizeof(name), "%.*s", (int)len, text);
		text += len;
		line = ssh_vector_text(name);
		file.len += (size_t)sprintf(out + file.len, "%s", line);
		free(line);
	}
	key_file_header(&file, header);
	header[KEY_FILE_HEADER_OCTETS] = 'f';
	w->bundle_len += KEY_FILE_HEADER_OCTETS + 1 + file.len;
}

static int
memory_of(const void *bytes, size_t len)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	must(fd >= 0 && write(fd, bytes, len) == (ssize_t)len, "memfd");
	return fd;
}

static struct broker_orders
make_orders(struct broker_world *w, int fds[BROKER_ORDER_FDS])
{
	struct broker_orders o = { .generation = ++w->generation,
		.bundle_octets = w->bundle_len };
	const char *text = w->mapping != NULL ? w->mapping : "";
	size_t len;
	void *image = mapping_image_of(text, strlen(text), &len);

	o.image_octets = len;
	fds[0] = memory_of(&w->settings, sizeof(w->settings));
	fds[1] = memory_of(image, len);
	fds[2] = memory_of(w->bundle, w->bundle_len);
	free(image);
	return o;
}

/* ------------------------------------------------------------- process */

static void
pair_of(int pair[2])
{
	must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0,
	    "socketpair");
}

static void
wait_adopted(const struct broker_world *w)
{
	struct pollfd p = { .fd = w->channel, .events = POLLIN };
	uint32_t generation = 0;

	must(poll(&p, 1, PATIENCE_MS) == 1 &&
		recv(w->channel, &generation, sizeof(generation), 0) ==
		    (ssize_t)sizeof(generation) &&
		generation == w->generation,
	    "the broker adopts");
}

void
world_start(struct broker_world *w)
{
	static const struct sandbox_ids ids = { 0 };
	int channel[2], sessions[2], command[2] = { -1, -1 }, log[2];
	int fds[BROKER_ORDER_FDS], i;
	struct broker_orders orders = make_orders(w, fds);
	struct broker_start start = { .ids = &ids, .stats = w->stats,
		.orders = &orders, .fds = fds };

	pair_of(channel);
	pair_of(sessions);
	if (w->command.n_args > 0)
		pair_of(command);
	must(pipe2(log, O_CLOEXEC | O_NONBLOCK) == 0, "pipe");
	if (command[0] >= 0 && (w->command_pid = fork()) == 0) {
		is_sandboxed = 1;
		log_set_fd(log[1]);
		key_command_run(&w->command, command[1], log[1]);
	}
	start.channel = channel[1];
	start.sessions = sessions[1];
	start.command = command[0];
	start.log_fd = log[1];
	w->pid = fork();
	if (w->pid == 0) {
		is_sandboxed = 1;
		log_init("jumpd");
		log_set_fd(log[1]);
		broker_run(&start);
	}
	w->channel = channel[0];
	w->sessions = sessions[0];
	w->log = log[0];
	close(channel[1]);
	close(sessions[1]);
	close(log[1]);
	close(command[0]);
	close(command[1]);
	for (i = 0; i < BROKER_ORDER_FDS; i++)
		close(fds[i]);
	wait_adopted(w);
}

void
world_order(struct broker_world *w)
{
	int fds[BROKER_ORDER_FDS], i;
	struct broker_orders orders = make_orders(w, fds);

	must(sock_send_fds(w->channel, &orders, sizeof(orders), fds,
		 BROKER_ORDER_FDS) == 0, "orders");
	for (i = 0; i < BROKER_ORDER_FDS; i++)
		close(fds[i]);
}

void
world_reload(struct broker_world *w)
{
	world_order(w);
	wait_adopted(w);
}

bool
world_stop(struct broker_world *w)
{
	struct timespec nap = { .tv_nsec = 20 * 1000 * 1000 };
	int status = -1, i;
	pid_t pid = 0;

	close(w->channel);
	for (i = 0; i < PATIENCE_MS / 20 && pid == 0; i++) {
		pid = waitpid(w->pid, &status, WNOHANG);
		nanosleep(&nap, NULL);
	}
	if (pid == 0) {
		kill(w->pid, SIGKILL);
		waitpid(w->pid, NULL, 0);
	}
	if (w->command_pid > 0)
		waitpid(w->command_pid, NULL, 0);	/* its pair has ended */
	close(w->sessions);
	close(w->log);
	munmap(w->stats, sizeof(*w->stats));
	return pid != 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* ------------------------------------------------------------ sessions */

struct broker_child
world_session(struct broker_world *w, const char *client)
{
	struct broker_news m = { .kind = BROKER_ADOPT,
		.channels = settings_channels(&w->settings),
		.session = ++w->last_session };
	struct broker_child child = { .number = m.session };
	int pair[2];

	must(addr_parse(client, strlen(client), &m.client.addr), "client");
	m.client.port = 5000;
	must(addr_parse("192.0.2.99", 10, &m.local.addr), "local");
	m.local.port = 22;
	pair_of(pair);
	must(sock_send_fds(w->sessions, &m, sizeof(m), &pair[1], 1) == 0,
	    "adopt");
	close(pair[1]);
	child.fd = pair[0];
	return child;
}

void
world_ended(struct broker_world *w, struct broker_child *child,
    enum end_reason reason)
{
	struct broker_news m = { .kind = BROKER_ENDED, .reason = reason,
		.session = child->number };

	close(child->fd);
	child->fd = -1;
	must(sock_send_fds(w->sessions, &m, sizeof(m), NULL, 0) == 0,
	    "ended");
}

uint32_t
world_news(struct broker_world *w, uint64_t *ret_session)
{
	struct pollfd p = { .fd = w->sessions, .events = POLLIN };
	struct broker_news m;
	size_t n_fds = 0;

	if (poll(&p, 1, PATIENCE_MS) != 1 ||
	    sock_recv_fds(w->sessions, &m, sizeof(m), NULL, &n_fds) !=
		(ssize_t)sizeof(m))
		return 0;
	*ret_session = m.session;
	return m.kind;
}

static char lines[64 * 1024];	/* read last */

bool
world_logs(struct broker_world *w, const char *text)
{
	struct pollfd p = { .fd = w->log, .events = POLLIN };
	size_t len = 0;
	ssize_t n;

	while (len + 4096 < sizeof(lines) && poll(&p, 1, PATIENCE_MS) == 1) {
		n = read(w->log, lines + len, sizeof(lines) - 1 - len);
		if (n <= 0)
			break;
		len += (size_t)n;
		lines[len] = '\0';
		if (strstr(lines, text) != NULL)
			return true;
	}
	lines[len] = '\0';
	fprintf(stderr, "not in the log: %s\n%s", text, lines);
	return false;
}

unsigned
world_counts(struct broker_world *w, const char *text, const char *end)
{
	const char *at;
	unsigned n = 0;

	must(world_logs(w, end), end);
	for (at = lines; (at = strstr(at, text)) != NULL; at++)
		n++;
	return n;
}

/* ------------------------------------------------------------- a child */

void
child_send(const struct broker_child *child, const struct broker_msg *m)
{
	static uint8_t out[BROKER_MSG_MAX];
	size_t len = broker_msg_encode(m, out);

	(void)!send(child->fd, out, len, MSG_NOSIGNAL);
}

bool
child_receive(const struct broker_child *child, struct broker_msg *ret,
    int *ret_fd)
{
	static uint8_t bytes[BROKER_MSG_MAX];
	union {
		struct cmsghdr	align;
		char		octets[CMSG_SPACE(sizeof(int))];
	} space;
	struct iovec iov = { .iov_base = bytes, .iov_len = sizeof(bytes) };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = space.octets,
		.msg_controllen = sizeof(space) };
	struct pollfd p = { .fd = child->fd, .events = POLLIN };
	struct cmsghdr *cm;
	ssize_t n;

	*ret_fd = -1;
	if (poll(&p, 1, PATIENCE_MS) != 1)
		return false;
	n = recvmsg(child->fd, &mh, MSG_CMSG_CLOEXEC);
	if (n <= 0)
		return false;
	cm = CMSG_FIRSTHDR(&mh);
	if (cm != NULL)
		memcpy(ret_fd, CMSG_DATA(cm), sizeof(*ret_fd));
	return broker_msg_decode(BROKER_MSG_FROM_BROKER, bytes, (size_t)n,
	    ret);
}

struct broker_msg
child_login(const struct broker_child *child, enum broker_login how,
    const char *user, const char *vector)
{
	struct broker_msg m = { .type = BROKER_LOGIN }, back = { 0 };
	struct ssh_vector v = { 0 };
	int fd;

	if (vector != NULL)
		v = ssh_vector_load(vector);
	m.u.login.request = 77;
	m.u.login.how = how;
	m.u.login.user.at = (const uint8_t *)user;
	m.u.login.user.len = strlen(user);
	m.u.login.blob.at = v.bytes;
	m.u.login.blob.len = v.len;
	child_send(child, &m);
	ssh_vector_free(&v);
	if (!child_receive(child, &back, &fd))
		memset(&back, 0, sizeof(back));
	return back;
}

void
child_ask(const struct broker_child *child, uint32_t request,
    const char *host, uint32_t port)
{
	struct broker_msg m = { .type = BROKER_OPEN };

	m.u.open.request = request;
	m.u.open.host.at = (const uint8_t *)host;
	m.u.open.host.len = strlen(host);
	m.u.open.port = port;
	child_send(child, &m);
}

enum deny_reason
child_open(const struct broker_child *child, const char *host, uint32_t port,
    uint32_t *ret_channel, int *ret_fd)
{
	struct broker_msg m;

	child_ask(child, 88, host, port);
	if (!child_receive(child, &m, ret_fd) ||
	    m.type != BROKER_OPEN_ANSWER || m.u.open_answer.request != 88)
		return N_DENY_REASONS;
	*ret_channel = m.u.open_answer.channel;
	if (m.u.open_answer.reason != DENY_NONE)
		assert(*ret_fd < 0 && *ret_channel == 0);
	return m.u.open_answer.reason;
}
