/* SPDX-License-Identifier: ISC */
/*
 * main.c - the command line of jumpd(8).
 */
#include "config.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/daemon_start.h"
#include "common/log.h"
#include "jumpd/host_key_make.h"
#include "jumpd/parent.h"
#include "jumpd/start.h"

#ifndef SYSCONFDIR
#define SYSCONFDIR "/etc"
#endif

enum task { RUN, TEST, TEST_AND_PRINT, MAKE_KEYS };

static void
print_version(void)
{
	printf("jumpd (" PACKAGE_NAME ") " PACKAGE_VERSION "\n"
	       "libssh %s, libevent %s, %s\n",
	    host_keys_library(), event_get_version(), cfgfile_library());
}

/* --- -t, -T --------------------------------------------------------------- */

static bool
test_mapping(const struct jumpd_config *config,
    const struct sandbox_ids *ids, uint32_t *ret_names)
{
	struct mapping_compile compile;
	struct mapping_image image;

	if (!start_compile(config, ids, &compile, daemon_say, NULL))
		return false;
	while (mapping_compile_read(&compile, daemon_say, NULL))
		;
	if (!mapping_compile_finish(&compile, &image, daemon_say, NULL))
		return false;
	close(image.fd);
	*ret_names = image.names;
	return true;
}

static bool
test_keys(const struct jumpd_config *config)
{
	struct key_command_config command;
	struct host_keys *keys;
	uint64_t octets;
	bool good;
	int fd;

	good = !config->settings.command || start_command(config, &command,
	    daemon_say, NULL);
	if (start_keys(config, &fd, &octets, daemon_say, NULL))
		close(fd);
	else
		good = false;
	keys = start_host_keys(config, daemon_say, NULL);
	if (keys == NULL)
		return false;
	host_keys_free(keys);
	return good;
}

/* Do what the daemon would, with the rights it has; returns the exit
 * status. */
static int
test(const struct jumpd_config *config, enum task task)
{
	struct sandbox_ids ids;
	uint32_t names = 0;

	if (!daemon_config_ids(&config->process, &ids, daemon_say, NULL))
		return 1;
	if (start_drop_rights() != 0) {
		daemon_complain("jumpd: cannot give up privileges");
		return 1;
	}
	if (!test_mapping(config, &ids, &names) || !test_keys(config))
		return 1;
	jumpd_config_warn(config, daemon_say_warning, NULL);
	if (task == TEST_AND_PRINT)
		jumpd_config_print(config, stdout);
	else
		printf("%s: ok, %u users, %u names\n", config->process.path,
		    config->settings.auth.n_users, names);
	return fflush(stdout) == 0 ? 0 : 1;
}

/* --- -g ------------------------------------------------------------------- */

/* Make the host keys that are not there. */
static int
make_keys(const struct jumpd_config *config)
{
	char problem[512];
	enum host_key_type type;
	int status = 0;

	for (type = 0; type < N_HOST_KEY_TYPES; type++) {
		const char *path = config->host_key[type];

		if (path[0] == '\0' || access(path, F_OK) == 0)
			continue;
		if (host_key_make(type, path, problem, sizeof(problem))) {
			printf("%s: made\n", path);
			continue;
		}
		daemon_complain("%s: host_keys.%s: %s: %s",
		    config->host_key_place[type], host_key_type_name(type),
		    path, problem);
		status = 1;
	}
	return status;
}

static void __attribute__((noreturn))
usage(void)
{
	fprintf(stderr, "usage: jumpd [-gtTV] [-f file]\n");
	exit(1);
}

static int
run(enum task task, const char *path)
{
	struct jumpd_config *config;
	int status;

	config = task == MAKE_KEYS ?
	    jumpd_config_load(path, daemon_say, NULL) :
	    start_load_config(path, daemon_say, NULL);
	if (config == NULL)
		return 1;
	if (task == RUN)
		return parent_run(config);
	status = task == MAKE_KEYS ? make_keys(config) : test(config, task);
	jumpd_config_free(config);
	return status;
}

int
main(int argc, char **argv)
{
	const char *path = SYSCONFDIR "/popgate/jumpd.conf";
	enum task task = RUN;
	int c;

	while ((c = getopt(argc, argv, "f:gtTV")) != -1) {
		switch (c) {
		case 'f':
			path = optarg;
			break;
		case 'g':
			task = MAKE_KEYS;
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
	log_init("jumpd");
	return run(task, path);
}
