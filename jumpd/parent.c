/* SPDX-License-Identifier: ISC */
#include "jumpd/parent.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/daemon_start.h"
#include "common/log.h"
#include "common/notify.h"
#include "jumpd/parent_state.h"

enum {
	STOP_GRACE_MS = 2000,
	REFUSED_LINES = 20	/* a second, of connections not taken */
};

/* --- signals and time ----------------------------------------------------- */

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
			daemon_reopen_log(&p->log, &p->now.config->process);
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

/* --- life ----------------------------------------------------------------- */

static void
on_sessions_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	parent_hear_broker(arg);
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
log_totals(const struct parent *p)
{
	struct jumpd_stats sum;

	jumpd_stats_sum(p->stats, N_STATS, &sum);
	log_info("stopped: %llu connections, %llu logins, %llu channels, "
	    "%llu octets up, %llu down",
	    (unsigned long long)counter_get(&sum.value[JUMPD_STAT_ACCEPTED]),
	    (unsigned long long)counter_get(&sum.value[JUMPD_STAT_LOGINS]),
	    (unsigned long long)counter_get(&sum.value[JUMPD_STAT_CONNECTED]),
	    (unsigned long long)counter_get(&sum.value[JUMPD_STAT_UP_OCTETS]),
	    (unsigned long long)
	    counter_get(&sum.value[JUMPD_STAT_DOWN_OCTETS]));
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
	log_totals(p);
	log_writer_stop(&p->log);
	parent_sessions_fini(p);
	munmap(p->stats, N_STATS * sizeof(*p->stats));
	jumpd_config_free(p->next);
}

int
parent_run(struct jumpd_config *config)
{
	static struct parent p;

	if (!parent_prepare(&p, config))
		return 1;
	worker_prepare();
	parent_sessions_init(&p);
	token_bucket_init(&p.refused_lines, REFUSED_LINES, REFUSED_LINES,
	    clock_now_ms());
	events_init(&p);
	parent_start_command(&p);
	parent_start_broker(&p);
	parent_bound_memory(&p);
	parent_listen(&p);
	event_base_dispatch(p.base);
	parent_fini(&p);
	return 0;
}
