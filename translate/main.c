/* SPDX-License-Identifier: ISC */
/*
 * main.c - the command line of xlatd(8).
 */
#include "config.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/daemon_start.h"
#include "common/log.h"
#include "translate/master.h"
#include "translate/tables.h"

#ifndef SYSCONFDIR
#define SYSCONFDIR "/etc"
#endif

enum task { RUN, TEST, TEST_AND_PRINT };

static void
print_version(void)
{
	printf("xlatd (" PACKAGE_NAME ") " PACKAGE_VERSION "\n"
	       "libevent %s, %s\n", event_get_version(), cfgfile_library());
}

/* Build all tables as the daemon would; returns the exit status. */
static int
test(const struct xlatd_config *config, enum task task)
{
	struct sandbox_ids ids;
	struct tables tables;
	uint64_t eams = 0;
	bool ok = true;

	if (!daemon_config_ids(&config->process, &ids, daemon_say, NULL))
		return 1;
	/* With the rights that a running master has. */
	if (master_give_up_rights() != 0) {
		daemon_complain("xlatd: cannot give up privileges");
		return 1;
	}
	for (uint32_t i = 0; i < config->n_instances; i++) {
		if (!tables_build(config, &config->instance[i], &tables,
		    daemon_say, NULL)) {
			ok = false;
			continue;
		}
		eams += tables.n_eams;
		tables_free(&tables);
	}
	if (!ok)
		return 1;
	if (task == TEST_AND_PRINT)
		xlatd_config_print(config, stdout);
	else
		printf("%s: ok, %u instance%s, %llu mapping%s\n",
		    config->process.path, config->n_instances,
		    config->n_instances == 1 ? "" : "s",
		    (unsigned long long)eams, eams == 1 ? "" : "s");
	return fflush(stdout) == 0 ? 0 : 1;
}

static void __attribute__((noreturn))
usage(void)
{
	fprintf(stderr, "usage: xlatd [-tTvV] [-f file]\n");
	exit(1);
}

int
main(int argc, char **argv)
{
	const char *path = SYSCONFDIR "/popgate/xlatd.conf";
	struct xlatd_config *config;
	enum task task = RUN;
	bool log_drops = false;
	int c, status;

	while ((c = getopt(argc, argv, "f:tTvV")) != -1) {
		switch (c) {
		case 'f':
			path = optarg;
			break;
		case 't':
			task = TEST;
			break;
		case 'T':
			task = TEST_AND_PRINT;
			break;
		case 'v':
			log_drops = true;
			break;
		case 'V':
			print_version();
			return 0;
		default:
			usage();
		}
	}
	if (optind != argc)
		usage();
	log_init("xlatd");
	config = xlatd_config_load(path, daemon_say, NULL);
	if (config == NULL)
		return 1;
	if (task == RUN)
		return master_run(config, log_drops);
	status = test(config, task);
	xlatd_config_free(config);
	return status;
}
