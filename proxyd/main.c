/* SPDX-License-Identifier: ISC */
/*
 * main.c - the command line of proxyd(8).
 */
#include "config.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cfgfile.h"
#include "common/daemon_start.h"
#include "common/log.h"
#include "proxyd/client_hello.h"
#include "proxyd/embed_check.h"
#include "proxyd/master.h"
#include "proxyd/start.h"

#ifndef SYSCONFDIR
#define SYSCONFDIR "/etc"
#endif

enum task { RUN, TEST, TEST_AND_PRINT };

static void
print_version(void)
{
	printf("proxyd (" PACKAGE_NAME ") " PACKAGE_VERSION "\n"
	       "libevent %s, %s, %s\n",
	    event_get_version(), client_hello_library(), cfgfile_library());
}

/* Compile the mapping as the daemon would, and look whether this host is fit
 * for the configuration; returns the exit status. */
static int
test(const struct proxyd_config *config, enum task task)
{
	struct sandbox_ids ids;
	struct mapping_compile compile;
	struct mapping_image image;

	if (!daemon_config_ids(&config->process, &ids, daemon_say, NULL))
		return 1;
	/* With the rights that a running master has. */
	if (sandbox_master() != 0) {
		daemon_complain("proxyd: cannot give up privileges");
		return 1;
	}
	if (!start_compile(config, &ids, &compile, daemon_say, NULL))
		return 1;
	while (mapping_compile_read(&compile, daemon_say, NULL))
		;
	if (!mapping_compile_finish(&compile, &image, daemon_say, NULL))
		return 1;
	close(image.fd);
	if (!embed_check(config, daemon_say, NULL))
		return 1;
	if (task == TEST_AND_PRINT)
		proxyd_config_print(config, stdout);
	else
		printf("%s: ok, %u names\n", config->process.path, image.names);
	return fflush(stdout) == 0 ? 0 : 1;
}

static void __attribute__((noreturn))
usage(void)
{
	fprintf(stderr, "usage: proxyd [-tTV] [-f file]\n");
	exit(1);
}

int
main(int argc, char **argv)
{
	const char *path = SYSCONFDIR "/popgate/proxyd.conf";
	struct proxyd_config *config;
	enum task task = RUN;
	int c, status;

	while ((c = getopt(argc, argv, "f:tTV")) != -1) {
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
		case 'V':
			print_version();
			return 0;
		default:
			usage();
		}
	}
	if (optind != argc)
		usage();
	log_init("proxyd");
	config = start_load_config(path, daemon_say, NULL);
	if (config == NULL)
		return 1;
	if (task == RUN)
		return master_run(config);
	status = test(config, task);
	proxyd_config_free(config);
	return status;
}
