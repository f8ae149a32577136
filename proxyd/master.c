/* SPDX-License-Identifier: ISC */
#include "proxyd/master.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/daemon_start.h"
#include "common/log.h"
#include "common/notify.h"
#include "common/sock.h"
#include "proxyd/embed_check.h"
#include "proxyd/master_state.h"
#include "proxyd/start.h"

enum {
	HANG_MS = 5000,
	STOP_GRACE_MS = 2000,
	ADMISSION_SLOTS = 65536	/* clients and names that limits can count */
};

/* --- workers ------------------------------------------------------------ */

static void __attribute__((noreturn))
run_worker(void *arg, unsigned slot, int channel)
{
	struct master *m = arg;

	const struct worker_start start = { .slot = slot,
		.channel = channel,
		.log_fd = m->log.write_fd,
		.ids = &m->ids,
		.shared = m->shared,
		.admission = &m->admission,
		.orders = &m->now.orders,
		.fds = m->now.fds,
		.n_fds = 1 + m->now.orders.n_listeners };

	worker_run(&start);
}

static uint64_t
worker_heartbeat_ms(void *arg, unsigned slot)
{
	struct master *m = arg;

	return counter_get(&m->shared->stats[slot].heartbeat_ms);
}

static void
worker_ended(void *arg, unsigned slot)
{
	struct master *m = arg;

	worker_stats_clear_gauges(&m->shared->stats[slot]);
	admission_worker_ended(&m->admission, slot);
}

static void
orders_adopted(void *arg, uint32_t generation)
{
	struct master *m = arg;
	char status[128];

	(void)generation;
	if (m->ready)
		log_info("reloaded: %u names, %u listeners", m->now.names,
		    m->now.orders.n_listeners);
	else
		log_info("ready: %u workers, %u names, %u listeners",
		    m->n_workers, m->now.names, m->now.orders.n_listeners);
	snprintf(status, sizeof(status), "READY=1\nSTATUS=%u names",
	    m->now.names);
	notify(status);
	m->ready = true;
}

static void
workers_all_gone(void *arg)
{
	struct master *m = arg;

	event_base_loopbreak(m->base);
}

/* --- signals and time --------------------------------------------------- */

static void
stop(struct master *m)
{
	if (m->stopping) {
		log_info("stopping now");
		atomic_store(&m->shared->stop_now, 1);
		m->kill_ms = clock_now_ms() + STOP_GRACE_MS;
		return;
	}
	m->stopping = true;
	m->kill_ms = clock_now_ms() + m->config->settings.shutdown_ms +
	    STOP_GRACE_MS;
	log_info("stopping: connections have %u ms to finish",
	    m->config->settings.shutdown_ms);
	notify("STOPPING=1");
	generation_close(&m->now, NULL);
	workers_drain(m->workers);
}

static void
reap(struct master *m)
{
	int status;
	pid_t pid;

	/* The mapping's compiler is reaped where its pipe ends. */
	while ((pid = waitpid(-1, &status,
		    WNOHANG | WUNTRACED | WCONTINUED)) > 0) {
		if (workers_reaped(m->workers, pid, status))
			continue;
		if (WIFSTOPPED(status) || WIFCONTINUED(status))
			continue;
		if (!log_writer_reaped(&m->log, pid))
			mapping_compile_reaped(&m->compile, pid, status);
	}
}

static void
on_signal(evutil_socket_t fd, short what, void *arg)
{
	struct master *m = arg;
	struct signalfd_siginfo info;

	(void)what;
	while (read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		switch (info.ssi_signo) {
		case SIGCHLD:
			reap(m);
			break;
		case SIGHUP:
			master_reload(m);
			break;
		case SIGUSR1:
			daemon_reopen_log(&m->log, &m->config->process);
			break;
		default:
			stop(m);
			break;
		}
	}
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct master *m = arg;
	uint64_t now_ms = clock_now_ms();

	(void)fd, (void)what;
	workers_tick(m->workers, now_ms);
	log_writer_tick(&m->log);
	if (m->stopping && now_ms >= m->kill_ms) {
		m->kill_ms = UINT64_MAX;
		workers_kill(m->workers);
	}
}

/* --- life --------------------------------------------------------------- */

static void
shared_init(struct master *m)
{
	size_t octets = admission_octets(m->n_workers, ADMISSION_SLOTS);
	struct siphash_key keys[2];
	void *table;

	m->shared = mmap(NULL, sizeof(*m->shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	table = mmap(NULL, octets, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (m->shared == MAP_FAILED || table == MAP_FAILED)
		log_fatal("out of memory");
	if (getrandom(keys, sizeof(keys), 0) != (ssize_t)sizeof(keys))
		log_fatal("getrandom: %s", strerror(errno));
	target_health_init(&m->shared->health, &keys[0]);
	admission_init(&m->admission, table, m->n_workers, ADMISSION_SLOTS,
	    &keys[1]);
}

/* The first generation; problems go to stderr and end the program. */
static bool
first_generation(struct master *m)
{
	struct mapping_image image;
	struct generation first;

	m->now = generation_none();
	if (!start_compile(m->config, &m->ids, &m->compile, daemon_say, NULL))
		return false;
	while (mapping_compile_read(&m->compile, daemon_say, NULL))
		;
	if (!mapping_compile_finish(&m->compile, &image, daemon_say, NULL) ||
	    !generation_make(m->config, &image, &m->now, &first,
		daemon_say, NULL))
		return false;
	m->now = first;
	return true;
}

static void
events_init(struct master *m)
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
	m->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	m->base = event_base_new();
	if (m->signals < 0 || m->base == NULL)
		log_fatal("out of memory or descriptors");
	m->signal_event = event_new(m->base, m->signals, EV_READ | EV_PERSIST,
	    on_signal, m);
	m->tick_event = event_new(m->base, -1, EV_PERSIST, on_tick, m);
	if (m->signal_event == NULL || m->tick_event == NULL ||
	    event_add(m->signal_event, NULL) != 0 ||
	    event_add(m->tick_event, &tick) != 0)
		log_fatal("out of memory");
}

static void
log_totals(const struct master *m)
{
	struct worker_stats sum;

	worker_stats_sum(m->shared->stats, PROXYD_WORKERS_MAX, &sum);
	log_info("stopped: %llu connections, %llu octets up, %llu down",
	    (unsigned long long)counter_get(&sum.value[STAT_ACCEPTED]),
	    (unsigned long long)counter_get(&sum.value[STAT_UP_OCTETS]),
	    (unsigned long long)counter_get(&sum.value[STAT_DOWN_OCTETS]));
}

static void
master_fini(struct master *m)
{
	generation_close(&m->now, NULL);
	if (m->compile_event != NULL)
		event_free(m->compile_event);
	event_free(m->signal_event);
	event_free(m->tick_event);
	workers_free(m->workers);
	event_base_free(m->base);
	close(m->signals);
	log_totals(m);
	log_writer_stop(&m->log);
	munmap(m->shared, sizeof(*m->shared));
	munmap(m->admission.words, admission_octets(m->n_workers, ADMISSION_SLOTS));
	proxyd_config_free(m->next);
	proxyd_config_free(m->config);
}

int
master_run(struct proxyd_config *config)
{
	static const struct workers_ops ops = { .run = run_worker,
		.heartbeat_ms = worker_heartbeat_ms,
		.ended = worker_ended,
		.adopted = orders_adopted,
		.all_gone = workers_all_gone };
	static struct master m;
	struct workers_orders orders;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	int err;

	m.config = config;
	if (!daemon_config_ids(&config->process, &m.ids, daemon_say, NULL))
		return 1;
	m.n_workers = config->workers;
	if (m.n_workers == 0)
		m.n_workers = cpus < 1 ? 1 :
		    cpus > PROXYD_WORKERS_MAX ?
				     PROXYD_WORKERS_MAX :
				     (unsigned)cpus;
	daemon_raise_descriptors();
	shared_init(&m);
	/* Before anything is opened: a reload has no more rights either. */
	if ((err = sandbox_master()) != 0)
		log_fatal("cannot give up privileges: %s", strerror(-err));
	if (!first_generation(&m) ||
	    !daemon_start_log(&m.log, &config->process, &m.ids, "proxyd"))
		return 1;
	log_set_dropped_counter(&m.shared->master_log_dropped);
	embed_check(config, daemon_warn, NULL);
	events_init(&m);
	m.workers = workers_new(m.base, m.n_workers, HANG_MS, &ops, &m);
	if (m.workers == NULL)
		log_fatal("out of memory");
	orders = generation_orders(&m.now);
	workers_start(m.workers, &orders);
	event_base_dispatch(m.base);
	master_fini(&m);
	return 0;
}
