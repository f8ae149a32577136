/* SPDX-License-Identifier: ISC */
#include "jumpd/parent.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/notify.h"
#include "common/sock.h"
#include "jumpd/parent_state.h"

enum {
	HANG_MS = 5000,
	STOP_GRACE_MS = 2000,
	REFUSED_LINES = 20,	/* a second, of connections not taken */
	SOCKET_OCTETS = 4 << 20	/* room in the pairs for a few thousand
				 * messages */
};

/* --- the broker ---------------------------------------------------------------------- */

static void __attribute__((noreturn))
run_broker(void *arg, unsigned slot, int channel)
{
	struct parent *p = arg;
	const struct broker_start start = { .channel = channel,
		.sessions = p->of_broker,
		.command = p->to_command,	/* a reload may need it */
		.log_fd = p->log.write_fd,
		.ids = &p->ids,
		.stats = &p->shared->broker,
		.orders = &p->now.orders,
		.fds = p->now.fds };

	(void)slot;
	broker_run(&start);
}

static uint64_t
broker_heartbeat_ms(void *arg, unsigned slot)
{
	struct parent *p = arg;

	(void)slot;
	return atomic_load_explicit(&p->shared->broker.heartbeat_ms,
	    memory_order_relaxed);
}

static void
broker_ended(void *arg, unsigned slot)
{
	struct parent *p = arg;

	(void)slot;
	p->broker++;
	jumpd_stats_ended(&p->shared->broker);
}

static void
orders_adopted(void *arg, uint32_t generation)
{
	struct parent *p = arg;
	char status[128];

	(void)generation;
	log_info("%s: %u users, %u names, %u listeners",
	    p->ready ? "reloaded" : "ready",
	    p->now.config->settings.auth.n_users, p->now.names,
	    p->now.n_listeners);
	snprintf(status, sizeof(status), "READY=1\nSTATUS=%u sessions",
	    p->n_sessions);
	notify(status);
	p->ready = true;
}

static void
broker_gone(void *arg)
{
	struct parent *p = arg;

	if (p->n_sessions == 0)
		event_base_loopbreak(p->base);
}

static void
on_sessions_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	parent_hear_broker(arg);
}

/* --- authorized_keys_command ------------------------------------------------------------- */

void
parent_start_command(struct parent *p)
{
	if (p->command_pid != 0)
		kill(p->command_pid, SIGTERM);
	p->command_pid = 0;
	if (!p->now.has_command || p->stopping)
		return;
	p->command_pid = fork();
	if (p->command_pid == 0)
		key_command_run(&p->now.command, p->of_command,
		    p->log.write_fd);
	if (p->command_pid < 0) {
		log_error("authorized_keys_command: fork: %s",
		    strerror(errno));
		p->command_pid = 0;
	}
}

/* --- signals and time ---------------------------------------------------------------------- */

static void
stop(struct parent *p)
{
	uint64_t now_ms = clock_now_ms();

	if (p->stopping) {
		log_info("stopping now");
		p->stop_ms = now_ms;
		return;
	}
	p->stopping = true;
	p->stop_ms = now_ms + p->now.config->settings.shutdown_ms;
	p->kill_ms = UINT64_MAX;
	log_info("stopping: %u sessions have %u ms to finish", p->n_sessions,
	    p->now.config->settings.shutdown_ms);
	notify("STOPPING=1");
	parent_stop_listening(p);
	generation_stop_listening(&p->now);
	parent_sessions_signal(p, SIGTERM, END_SHUTDOWN);
	if (p->n_sessions == 0)
		workers_drain(p->workers);
}

/* The broker has lines to write until the last session has ended. */
static void
stop_tick(struct parent *p, uint64_t now_ms)
{
	if (now_ms >= p->stop_ms) {
		p->stop_ms = UINT64_MAX;
		p->kill_ms = now_ms + STOP_GRACE_MS;
		parent_sessions_signal(p, SIGTERM, END_SHUTDOWN);
	}
	if (now_ms >= p->kill_ms) {
		p->kill_ms = now_ms + STOP_GRACE_MS;
		parent_sessions_signal(p, SIGKILL, END_SHUTDOWN);
		if (p->n_sessions == 0)
			workers_kill(p->workers);
	}
	if (p->n_sessions == 0 && p->n_untold == 0 && !p->drained) {
		p->drained = true;
		if (p->kill_ms == UINT64_MAX)
			p->kill_ms = now_ms + STOP_GRACE_MS;
		workers_drain(p->workers);
	}
}

static void
reopen_log(struct parent *p)
{
	const struct daemon_config *process = &p->now.config->process;
	int fd = log_destination_open(process->log);

	if (fd < 0) {
		log_error("%s: log: %s: %s", process->log_place, process->log,
		    strerror(-fd));
		return;
	}
	log_writer_redirect(&p->log, fd);
	log_info("log reopened");
}

static void
reap(struct parent *p)
{
	int status;
	pid_t pid;

	/* Who has logged in, before it is judged how it ended. */
	parent_hear_broker(p);
	while ((pid = waitpid(-1, &status,
		    WNOHANG | WUNTRACED | WCONTINUED)) > 0) {
		if (parent_session_reaped(p, pid, status) ||
		    workers_reaped(p->workers, pid, status))
			continue;
		if (WIFSTOPPED(status) || WIFCONTINUED(status))
			continue;
		if (pid == p->command_pid) {
			log_warning("the process for authorized_keys_command "
			    "ended; starting another");
			p->command_pid = 0;
			p->command_due = true;
		} else if (!log_writer_reaped(&p->log, pid)) {
			mapping_compile_reaped(&p->compile, pid, status);
		}
	}
}

static void
on_signal(evutil_socket_t fd, short what, void *arg)
{
	struct parent *p = arg;
	struct signalfd_siginfo info;

	(void)what;
	while (read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		switch (info.ssi_signo) {
		case SIGCHLD:
			reap(p);
			break;
		case SIGHUP:
			parent_reload(p);
			break;
		case SIGUSR1:
			reopen_log(p);
			break;
		default:
			stop(p);
			break;
		}
	}
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct parent *p = arg;
	uint64_t now_ms = clock_now_ms();

	(void)fd, (void)what;
	workers_tick(p->workers, now_ms);
	log_writer_tick(&p->log);
	parent_sessions_tick(p, now_ms);
	if (p->command_due) {
		p->command_due = false;
		parent_start_command(p);
	}
	if (p->stopping)
		stop_tick(p, now_ms);
}

/* --- life ------------------------------------------------------------------------------------ */

static void
report_to_stderr(const char *message, void *arg)
{
	(void)arg;
	fprintf(stderr, "%s\n", message);
}

static void
warn(const char *message, void *arg)
{
	(void)arg;
	log_warning("%s", message);
}

static void
raise_descriptors(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) != 0)
		return;
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
}

/* A pair that outlives the processes at its ends. */
static void
make_pair(int *ours, int *theirs)
{
	const int room = SOCKET_OCTETS;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		log_fatal("socketpair: %s", strerror(errno));
	setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	*ours = pair[0];
	*theirs = pair[1];
}

/*
 * A folder that is gone: nothing can ever be put into it.  Returns its
 * descriptor, or -1 without root, who alone may change a process's root.
 */
static int
make_empty_root(void)
{
	char path[] = "/tmp/jumpd-XXXXXX";
	int fd;

	if (geteuid() != 0) {
		log_warning("not started as root: sessions' processes keep "
			    "their user and see the file system");
		return -1;
	}
	if (mkdtemp(path) == NULL)
		log_fatal("cannot make a folder in /tmp: %s",
		    strerror(errno));
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || chmod(path, 0111) != 0 || rmdir(path) != 0)
		log_fatal("%s: %s", path, strerror(errno));
	return fd;
}

/* Address space that this process has, for its children have the same. */
static uint64_t
own_octets(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	unsigned long pages = 0;

	if (file == NULL)
		return 0;
	if (fscanf(file, "%lu", &pages) != 1)
		pages = 0;
	fclose(file);
	return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* The first generation; problems go to stderr and end the program. */
static bool
first_generation(struct parent *p, struct jumpd_config *config)
{
	const struct generation none = generation_none();
	struct mapping_image image;

	if (!start_compile(config, &p->ids, &p->compile, report_to_stderr,
		NULL))
		return false;
	while (mapping_compile_read(&p->compile, report_to_stderr, NULL))
		;
	return mapping_compile_finish(&p->compile, &image, report_to_stderr,
	    NULL) && generation_make(config, &image, &none, &p->now,
	    report_to_stderr, NULL);
}

static bool
start_log(struct parent *p, const struct daemon_config *process)
{
	int fd = log_destination_open(process->log), err;

	if (fd < 0) {
		fprintf(stderr, "%s: log: %s: %s\n", process->log_place,
		    process->log, strerror(-fd));
		return false;
	}
	err = log_writer_start(&p->log, &p->ids, fd);
	if (err != 0) {
		fprintf(stderr, "jumpd: the log writer cannot start: %s\n",
		    strerror(-err));
		return false;
	}
	log_set_dropped_counter(
	    &p->shared->parent.value[JUMPD_STAT_LOG_DROPPED]);
	return true;
}

static void
shared_init(struct parent *p)
{
	p->shared = mmap(NULL, sizeof(*p->shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (p->shared == MAP_FAILED)
		log_fatal("out of memory");
	make_pair(&p->to_broker, &p->of_broker);
	make_pair(&p->to_command, &p->of_command);
	p->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (p->null_fd < 0)
		log_fatal("/dev/null: %s", strerror(errno));
	p->empty_root = make_empty_root();
}

static struct event *
watch_fd(struct parent *p, int fd, event_callback_fn callback)
{
	struct event *event = event_new(p->base, fd, EV_READ | EV_PERSIST,
	    callback, p);

	if (event == NULL || event_add(event, NULL) != 0)
		log_fatal("out of memory");
	return event;
}

static void
events_init(struct parent *p)
{
	const struct timeval tick = { .tv_usec = TICK_MS * 1000 };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	signal(SIGPIPE, SIG_IGN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	p->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	p->base = event_base_new();
	if (p->signals < 0 || p->base == NULL)
		log_fatal("out of memory or descriptors");
	p->signal_event = watch_fd(p, p->signals, on_signal);
	p->sessions_event = watch_fd(p, p->to_broker, on_sessions_readable);
	p->tick_event = event_new(p->base, -1, EV_PERSIST, on_tick, p);
	if (p->tick_event == NULL || event_add(p->tick_event, &tick) != 0)
		log_fatal("out of memory");
}

static void
parent_fini(struct parent *p)
{
	parent_stop_listening(p);
	generation_free(&p->now, NULL);
	if (p->compile_event != NULL)
		event_free(p->compile_event);
	event_free(p->signal_event);
	event_free(p->sessions_event);
	event_free(p->tick_event);
	workers_free(p->workers);
	event_base_free(p->base);
	close(p->signals);
	close(p->to_broker);
	close(p->of_broker);
	close(p->to_command);
	close(p->of_command);
	log_info("stopped: %llu connections", (unsigned long long)
	    p->shared->parent.value[JUMPD_STAT_ACCEPTED]);
	log_writer_stop(&p->log);
	parent_sessions_fini(p);
	munmap(p->shared, sizeof(*p->shared));
	jumpd_config_free(p->next);
}

int
parent_run(struct jumpd_config *config)
{
	static const struct workers_ops ops = { .run = run_broker,
		.heartbeat_ms = broker_heartbeat_ms,
		.ended = broker_ended,
		.adopted = orders_adopted,
		.all_gone = broker_gone };
	static struct parent p;
	struct workers_orders orders;
	int err;

	p.now = generation_none();
	if (!daemon_config_ids(&config->process, &p.ids, report_to_stderr,
		NULL))
		return 1;
	raise_descriptors();
	shared_init(&p);
	/* Before anything is opened: a reload has no more rights either. */
	if ((err = start_drop_rights()) != 0)
		log_fatal("cannot give up privileges: %s", strerror(-err));
	if (!first_generation(&p, config) || !start_log(&p, &config->process))
		return 1;
	jumpd_config_warn(config, warn, NULL);
	worker_prepare();
	parent_sessions_init(&p);
	token_bucket_init(&p.refused_lines, REFUSED_LINES, REFUSED_LINES,
	    clock_now_ms());
	events_init(&p);
	p.workers = workers_new(p.base, 1, HANG_MS, &ops, &p);
	if (p.workers == NULL)
		log_fatal("out of memory");
	p.memory_octets = own_octets();
	if (p.memory_octets != 0)
		p.memory_octets += SESSION_MEMORY_OCTETS;
	parent_start_command(&p);
	orders = generation_orders(&p.now);
	workers_start(p.workers, &orders);
	parent_listen(&p);
	event_base_dispatch(p.base);
	parent_fini(&p);
	return 0;
}
