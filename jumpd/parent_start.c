/* SPDX-License-Identifier: ISC */
/*
 * parent_start.c - what the parent needs before it listens.
 */
#include "jumpd/parent_state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/daemon_start.h"
#include "common/log.h"
#include "jumpd/start.h"

enum {
	SOCKET_OCTETS = 4 << 20	/* room in the pairs for a few thousand
				 * messages */
};

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

	if (!start_compile(config, &p->ids, &p->compile, daemon_say, NULL))
		return false;
	while (mapping_compile_read(&p->compile, daemon_say, NULL))
		;
	return mapping_compile_finish(&p->compile, &image, daemon_say,
	    NULL) && generation_make(config, &image, &none, &p->now,
	    daemon_say, NULL);
}

static void
shared_init(struct parent *p)
{
	p->stats = mmap(NULL, N_STATS * sizeof(*p->stats),
	    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (p->stats == MAP_FAILED)
		log_fatal("out of memory");
	make_pair(&p->to_broker, &p->of_broker);
	make_pair(&p->to_command, &p->of_command);
	p->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (p->null_fd < 0)
		log_fatal("/dev/null: %s", strerror(errno));
	p->empty_root = make_empty_root();
}

bool
parent_prepare(struct parent *p, struct jumpd_config *config)
{
	int err;

	p->now = generation_none();
	if (!daemon_config_ids(&config->process, &p->ids, daemon_say, NULL))
		return false;
	daemon_raise_descriptors();
	shared_init(p);
	/* Before anything is opened: a reload has no more rights either. */
	if ((err = start_drop_rights()) != 0)
		log_fatal("cannot give up privileges: %s", strerror(-err));
	if (!first_generation(p, config) ||
	    !daemon_start_log(&p->log, &config->process, &p->ids, "jumpd"))
		return false;
	log_set_dropped_counter(
	    &p->stats[STATS_PARENT].value[JUMPD_STAT_LOG_DROPPED]);
	jumpd_config_warn(config, daemon_warn, NULL);
	return true;
}

void
parent_bound_memory(struct parent *p)
{
	p->memory_octets = own_octets();
	if (p->memory_octets != 0)
		p->memory_octets += SESSION_MEMORY_OCTETS;
}
