/* SPDX-License-Identifier: ISC */
#include "translate/master.h"

#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/daemon_start.h"
#include "common/log.h"
#include "common/notify.h"
#include "translate/master_state.h"
#include "translate/setup.h"

enum {
	TICK_MS = 100,
	STOP_GRACE_MS = 2000
};

int
master_give_up_rights(void)
{
	/* Devices, their addresses and routes; becoming the workers' user;
	 * ending workers. */
	static const unsigned kept[] = { CAP_NET_ADMIN, CAP_SETUID,
		CAP_SETGID, CAP_KILL };

	return sandbox_keep(kept, sizeof(kept) / sizeof(kept[0]));
}

/* --- signals and time ------------------------------------------------------ */

static void
stop(struct master *m)
{
	bool again = m->stopping;

	if (!again)
		log_info("stopping");
	notify("STOPPING=1");
	m->stopping = true;
	m->kill_ms = again ? 0 : clock_now_ms() + STOP_GRACE_MS;
	for (uint32_t i = 0; i < m->n; i++)
		instance_stop(m->instance[i]);
}

/* A line of counters and one of dropped packets for each instance. */
static void
log_counters(const struct master *m)
{
	struct xlat_stats sum;
	char text[LOG_LINE_MAX - 256];

	for (uint32_t i = 0; i < m->n; i++) {
		const char *device = instance_config(m->instance[i])->device;

		memset(&sum, 0, sizeof(sum));
		instance_count(m->instance[i], &sum);
		xlat_stats_format(&sum, false, text, sizeof(text));
		log_info("counters device=%s %s", device, text);
		if (xlat_stats_format(&sum, true, text, sizeof(text)) > 0)
			log_info("dropped device=%s %s", device, text);
	}
}

static void
reap(struct master *m)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status,
	    WNOHANG | WUNTRACED | WCONTINUED)) > 0) {
		bool ours = false;

		for (uint32_t i = 0; i < m->n && !ours; i++)
			ours = instance_reaped(m->instance[i], pid, status);
		for (uint32_t i = 0; i < m->n_leaving && !ours; i++)
			ours = instance_reaped(m->leaving[i], pid, status);
		if (!ours && !WIFSTOPPED(status) && !WIFCONTINUED(status))
			log_writer_reaped(&m->log, pid);
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
			log_counters(m);
			break;
		default:
			stop(m);
			break;
		}
	}
}

/* Close the instances that have ended. */
static void
close_leaving(struct master *m)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < m->n_leaving; i++) {
		if (instance_stopped(m->leaving[i]))
			instance_close(m->leaving[i]);
		else
			m->leaving[kept++] = m->leaving[i];
	}
	if (kept == m->n_leaving)
		return;
	m->n_leaving = kept;
	master_settled(m);
}

static bool
all_stopped(const struct master *m)
{
	for (uint32_t i = 0; i < m->n; i++)
		if (!instance_stopped(m->instance[i]))
			return false;
	return m->n_leaving == 0;
}

static void
check_devices(struct master *m)
{
	for (uint32_t i = 0; i < m->n && !m->stopping; i++) {
		if (!instance_device_gone(m->instance[i]))
			continue;
		log_error("device %s was removed",
		    instance_config(m->instance[i])->device);
		m->status = 1;
		stop(m);
	}
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct master *m = arg;
	uint64_t now_ms = clock_now_ms();

	(void)fd, (void)what;
	for (uint32_t i = 0; i < m->n; i++)
		instance_tick(m->instance[i], now_ms);
	for (uint32_t i = 0; i < m->n_leaving; i++)
		instance_tick(m->leaving[i], now_ms);
	log_writer_tick(&m->log);
	close_leaving(m);
	check_devices(m);
	if (m->stopping && (all_stopped(m) || now_ms >= m->kill_ms))
		event_base_loopbreak(m->ground.base);
	else if (m->reload_again)
		master_reload(m);
}

/* --- life ------------------------------------------------------------------ */

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
	m->ground.base = event_base_new();
	if (m->signals < 0 || m->ground.base == NULL)
		log_fatal("out of memory or descriptors");
	m->signal_event = event_new(m->ground.base, m->signals,
	    EV_READ | EV_PERSIST, on_signal, m);
	m->tick_event = event_new(m->ground.base, -1, EV_PERSIST, on_tick, m);
	if (m->signal_event == NULL || m->tick_event == NULL ||
	    event_add(m->signal_event, NULL) != 0 ||
	    event_add(m->tick_event, &tick) != 0)
		log_fatal("out of memory");
}

static void
say_offloads(const struct master *m)
{
	for (uint32_t i = 0; i < m->n; i++) {
		const struct xlatd_instance *config =
		    instance_config(m->instance[i]);
		unsigned offloads = instance_offloads(m->instance[i]);

		log_info("device %s: %u queue%s; offloads:%s%s%s%s",
		    config->device, config->limits.queues,
		    config->limits.queues == 1 ? "" : "s",
		    offloads == 0 ? " none" : "",
		    offloads & TUN_OFFLOAD_CHECKSUM ? " checksums" : "",
		    offloads & TUN_OFFLOAD_TCP ? " tcp" : "",
		    offloads & TUN_OFFLOAD_UDP ? " udp" : "");
		if (config->setup)
			setup_check_forwarding(daemon_warn, NULL);
	}
}

static void
master_fini(struct master *m)
{
	log_counters(m);
	for (uint32_t i = 0; i < m->n_leaving; i++)
		instance_close(m->leaving[i]);
	for (uint32_t i = 0; i < m->n; i++)
		instance_close(m->instance[i]);
	log_info("stopped");
	event_free(m->signal_event);
	event_free(m->tick_event);
	event_base_free(m->ground.base);
	close(m->signals);
	log_writer_stop(&m->log);
	xlatd_config_free(m->before);
	xlatd_config_free(m->config);
}

static uint64_t
epoch_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000 -
	    clock_now_ms();
}

int
master_run(struct xlatd_config *config, bool log_drops)
{
	static struct master m;
	int err;

	m.config = config;
	m.log_drops = log_drops;
	m.ground = (struct instance_ground) {
		.ids = &m.ids,
		.epoch_ms = epoch_ms(),
		.log_drops = log_drops || config->log_drops,
		.settled = master_settled,
		.arg = &m
	};
	if (!daemon_config_ids(&config->process, &m.ids, daemon_say, NULL))
		return 1;
	/* Before anything is opened: a reload has no more rights either. */
	if ((err = master_give_up_rights()) != 0)
		log_fatal("cannot give up privileges: %s", strerror(-err));
	if (!daemon_start_log(&m.log, &config->process, &m.ids, "xlatd"))
		return 1;
	m.ground.log_fd = m.log.write_fd;
	events_init(&m);
	if (!master_start_instances(&m, daemon_say, NULL))
		return 1;
	say_offloads(&m);
	event_base_dispatch(m.ground.base);
	master_fini(&m);
	return m.status;
}
