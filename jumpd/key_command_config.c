/* SPDX-License-Identifier: ISC */
/*
 * key_command_config.c - is authorized_keys_command one that may be run?
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/quote.h"
#include "jumpd/key_command.h"

/* Nobody but root can change it. */
static bool
is_roots(const char *path, bool folder, char *problem, size_t room)
{
	const char *name = path[0] != '\0' ? path : "/";
	char quoted[256];
	struct stat st;

	quote(name, strlen(name), quoted, sizeof(quoted));
	if (stat(name, &st) != 0)
		snprintf(problem, room, "%s: %s", quoted, strerror(errno));
	else if (folder ? !S_ISDIR(st.st_mode) : !S_ISREG(st.st_mode))
		snprintf(problem, room, "%s is no %s", quoted,
		    folder ? "folder" : "file");
	else if (st.st_uid != 0 || (st.st_mode & 022) != 0)
		snprintf(problem, room, "%s can be changed by others than "
			"root", quoted);
	else if (!folder && (st.st_mode & 0111) == 0)
		snprintf(problem, room, "%s is not executable", quoted);
	else
		return true;
	return false;
}

static bool
check_path(const char *path, char *problem, size_t room)
{
	char part[KEY_COMMAND_TEXT_MAX];
	char *slash;

	if (path[0] != '/') {
		snprintf(problem, room, "must be an absolute path");
		return false;
	}
	if (!is_roots(path, false, problem, room))
		return false;
	snprintf(part, sizeof(part), "%s", path);
	while ((slash = strrchr(part, '/')) != NULL) {
		*slash = '\0';
		if (!is_roots(part, true, problem, room))
			return false;
	}
	return true;
}

static bool
check_tokens(const char *arg, char *problem, size_t room)
{
	const char *at;

	for (at = arg; (at = strchr(at, '%')) != NULL; at += 2)
		if (at[1] == '\0' || strchr("%utkf", at[1]) == NULL) {
			snprintf(problem, room, "%%%c is none of %%u, %%t, "
				"%%k, %%f and %%%%",
			    at[1] >= 0x20 && at[1] < 0x7f ? at[1] : ' ');
			return false;
		}
	return true;
}

bool
key_command_config_make(const char *const *args, uint32_t n,
    const struct sandbox_ids *ids, struct key_command_config *ret,
    char *problem, size_t room)
{
	struct key_command_config c = { .n_args = n, .ids = *ids };
	uint32_t i;
	size_t len;

	if (n == 0 || n > KEY_COMMAND_ARGS_MAX) {
		snprintf(problem, room, "must have 1 to %d parts",
		    KEY_COMMAND_ARGS_MAX);
		return false;
	}
	for (i = 0; i < n; i++) {
		len = strlen(args[i]) + 1;
		if (len > KEY_COMMAND_TEXT_MAX - c.text_len) {
			snprintf(problem, room, "is too long");
			return false;
		}
		memcpy(c.text + c.text_len, args[i], len);
		c.text_len += (uint32_t)len;
		if (i > 0 && !check_tokens(args[i], problem, room))
			return false;
	}
	if (strchr(args[0], '%') != NULL) {
		snprintf(problem, room, "the program's path has a '%%'");
		return false;
	}
	if (!check_path(args[0], problem, room))
		return false;
	c.timeout_ms = ret->timeout_ms;
	c.runs_max = ret->runs_max;
	*ret = c;
	return true;
}
