/* SPDX-License-Identifier: ISC */
#include "jumpd/jumpd_config_parts.h"

#include <stdlib.h>
#include <string.h>

#include "common/cfgfile_text.h"
#include "common/cfgfile_values.h"
#include "common/need.h"

static const struct {
	const char	*name;
	uint8_t		 bit;
} methods[] = {
	{ "none", AUTH_NONE },
	{ "keys", AUTH_KEYS },
	{ "certificates", AUTH_CERTS },
};

/* --- lists of files ------------------------------------------------------- */

void
config_read_patterns(struct jumpd_config *config, struct cfgfile *cfgfile,
    const struct config_setting_t *group, const char *name,
    struct jumpd_patterns *out)
{
	const struct config_setting_t *list, *setting;
	const char *value;
	uint32_t n;

	list = cfgfile_strings(cfgfile, group, name, 0, JUMPD_PATTERNS_MAX,
	    &n);
	for (uint32_t i = 0; i < n; i++) {
		setting = cfgfile_strings_at(cfgfile, list, i, &value);
		if (setting == NULL)
			continue;
		if (value[0] == '\0') {
			cfgfile_problem(cfgfile, setting,
			    "must not be empty");
			continue;
		}
		out->pattern[out->n] = cfgfile_absolute(config->process.path,
		    value);
		out->place[out->n++] = cfgfile_place(cfgfile, setting);
	}
}

static void
copy_patterns(struct jumpd_patterns *to, const struct jumpd_patterns *from)
{
	for (to->n = 0; to->n < from->n; to->n++) {
		to->pattern[to->n] = need(strdup(from->pattern[to->n]));
		to->place[to->n] = need(strdup(from->place[to->n]));
	}
}

/* --- users ---------------------------------------------------------------- */

/* Returns the setting, or NULL if it is missing or was reported. */
static const struct config_setting_t *
read_methods(struct cfgfile *cfgfile, const struct config_setting_t *group,
    uint8_t *ret)
{
	const struct config_setting_t *list, *setting;
	char text[CFGFILE_QUOTED_MAX];
	const char *value;
	uint8_t bits = 0;
	uint32_t n;
	size_t m;

	list = cfgfile_strings(cfgfile, group, "authentication", 1, 3, &n);
	for (uint32_t i = 0; i < n; i++) {
		setting = cfgfile_strings_at(cfgfile, list, i, &value);
		if (setting == NULL)
			continue;
		for (m = 0; m < sizeof(methods) / sizeof(methods[0]); m++)
			if (strcmp(value, methods[m].name) == 0)
				break;
		if (m == sizeof(methods) / sizeof(methods[0]))
			cfgfile_problem(cfgfile, setting, "must be \"none\", "
			    "\"keys\" or \"certificates\", not %s",
			    cfgfile_quoted(value, text));
		else
			bits |= methods[m].bit;
	}
	*ret = bits;
	return list;
}

/* A name that can stand in paths and in logs. */
static bool
good_name(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-+@";
	size_t len = strlen(name);

	return len > 0 && len <= AUTH_USER_NAME_MAX && name[0] != '.' &&
	    name[0] != '-' && strspn(name, letters) == len;
}

static void
read_name(struct auth_policy *auth, struct cfgfile *cfgfile,
    const struct config_setting_t *group, struct auth_user *user)
{
	const struct config_setting_t *setting;
	char text[CFGFILE_QUOTED_MAX];
	const char *value;

	cfgfile_require(cfgfile, group, "name");
	setting = cfgfile_string(cfgfile, group, "name", &value);
	if (setting == NULL)
		return;
	cfgfile_quoted(value, text);
	if (!good_name(value)) {
		cfgfile_problem(cfgfile, setting, "%s must be 1-%d letters, "
		    "digits and ._-+@, and begin with a letter or digit",
		    text, AUTH_USER_NAME_MAX);
		return;
	}
	user->name_len = (uint8_t)strlen(value);
	memcpy(user->name, value, user->name_len);
	for (const struct auth_user *u = auth->user; u < user; u++)
		if (u->name_len == user->name_len &&
		    memcmp(u->name, value, u->name_len) == 0)
			cfgfile_problem(cfgfile, setting,
			    "%s is users[%u] already", text,
			    (unsigned)(u - auth->user));
}

static void
read_principals(struct cfgfile *cfgfile,
    const struct config_setting_t *group, struct auth_user *user)
{
	const struct config_setting_t *list, *setting;
	const char *value;
	uint32_t n;
	size_t len;

	list = cfgfile_strings(cfgfile, group, "principals", 0,
	    AUTH_PRINCIPALS_MAX, &n);
	for (uint32_t i = 0; i < n; i++) {
		setting = cfgfile_strings_at(cfgfile, list, i, &value);
		if (setting == NULL)
			continue;
		len = strlen(value);
		if (len == 0 || len > AUTH_PRINCIPAL_MAX) {
			cfgfile_problem(cfgfile, setting,
			    "must be 1-%d octets", AUTH_PRINCIPAL_MAX);
			continue;
		}
		memcpy(user->principal[user->n_principals], value, len);
		user->principal_len[user->n_principals++] = (uint8_t)len;
	}
}

/* What the user may log in with must be somewhere. */
static void
check_user(struct jumpd_config *config, struct cfgfile *cfgfile,
    const struct config_setting_t *where, struct auth_user *user)
{
	size_t i = (size_t)(user - config->settings.auth.user);
	bool command = config->n_command > 0;

	user->command = command && (user->methods & AUTH_KEYS) != 0;
	if ((user->methods & AUTH_KEYS) != 0 &&
	    config->authorized[i].n == 0 && !command)
		cfgfile_problem(cfgfile, where, "\"keys\" needs "
		    "authorized_keys or authorized_keys_command");
	if ((user->methods & AUTH_CERTS) != 0 && config->trusted_ca.n == 0)
		cfgfile_problem(cfgfile, where, "\"certificates\" needs "
		    "trusted_user_ca_keys");
}

struct defaults {
	uint8_t		methods;
	const struct config_setting_t *where;	/* of `authentication` */
	struct jumpd_patterns authorized;
};

static void
read_user(struct jumpd_config *config, struct cfgfile *cfgfile,
    const struct config_setting_t *group, const struct defaults *defaults)
{
	struct auth_policy *auth = &config->settings.auth;
	struct auth_user *user = &auth->user[auth->n_users];
	const struct config_setting_t *where;

	read_name(auth, cfgfile, group, user);
	where = read_methods(cfgfile, group, &user->methods);
	if (where == NULL) {
		user->methods = defaults->methods;
		where = defaults->where;
		if (where == NULL)
			cfgfile_require(cfgfile, group, "authentication");
	}
	if (cfgfile_find(cfgfile, group, "authorized_keys") != NULL)
		config_read_patterns(config, cfgfile, group,
		    "authorized_keys", &config->authorized[auth->n_users]);
	else
		copy_patterns(&config->authorized[auth->n_users],
		    &defaults->authorized);
	read_principals(cfgfile, group, user);
	check_user(config, cfgfile, where, user);
	auth->n_users++;
}

static void
default_user(struct jumpd_config *config, struct cfgfile *cfgfile,
    const struct defaults *defaults)
{
	struct auth_policy *auth = &config->settings.auth;
	struct auth_user *user = &auth->user[0];

	/* There is no way in that nobody has chosen. */
	cfgfile_require(cfgfile, cfgfile_root(cfgfile), "authentication");
	user->name_len = 4;
	memcpy(user->name, "jump", 4);
	user->methods = defaults->methods;
	copy_patterns(&config->authorized[0], &defaults->authorized);
	auth->n_users = 1;
	if (defaults->where != NULL)
		check_user(config, cfgfile, defaults->where, user);
}

static void
read_command(struct jumpd_config *config, struct cfgfile *cfgfile)
{
	const struct config_setting_t *root = cfgfile_root(cfgfile), *list;
	const char *value, *user = "";
	uint32_t n;

	list = cfgfile_strings(cfgfile, root, "authorized_keys_command", 0,
	    KEY_COMMAND_ARGS_MAX, &n);
	config->command_place = cfgfile_place(cfgfile, list);
	for (uint32_t i = 0; i < n; i++)
		if (cfgfile_strings_at(cfgfile, list, i, &value) != NULL)
			config->command[config->n_command++] =
			    need(strdup(value));
	config->settings.command = n > 0;
	if (n > 0)
		cfgfile_require(cfgfile, root,
		    "authorized_keys_command_user");
	cfgfile_string(cfgfile, root, "authorized_keys_command_user", &user);
	config->command_user = need(strdup(user));
}

void
config_read_users(struct jumpd_config *config, struct cfgfile *cfgfile)
{
	const struct config_setting_t *root = cfgfile_root(cfgfile), *list;
	struct defaults defaults = { 0 };
	uint32_t n;

	read_command(config, cfgfile);
	config_read_patterns(config, cfgfile, root, "trusted_user_ca_keys",
	    &config->trusted_ca);
	config_read_patterns(config, cfgfile, root, "revoked_keys",
	    &config->revoked);
	config_read_patterns(config, cfgfile, root, "authorized_keys",
	    &defaults.authorized);
	defaults.where = read_methods(cfgfile, root, &defaults.methods);
	list = cfgfile_groups(cfgfile, root, "users", 0, AUTH_USERS_MAX, &n);
	for (uint32_t i = 0; i < n; i++)
		read_user(config, cfgfile,
		    cfgfile_groups_at(cfgfile, list, i), &defaults);
	if (n == 0)
		default_user(config, cfgfile, &defaults);
	for (uint32_t i = 0; i < defaults.authorized.n; i++) {
		free(defaults.authorized.pattern[i]);
		free(defaults.authorized.place[i]);
	}
}

/* --- the files as rules --------------------------------------------------- */

/* "%u" is the user's name, "%%" a percent sign; owned by the caller. */
static char *
expand(const char *pattern, const struct auth_user *user)
{
	size_t room = strlen(pattern) * (1 + AUTH_USER_NAME_MAX) + 1;
	char *out = need(malloc(room)), *at = out;

	for (; *pattern != '\0'; pattern++) {
		if (*pattern == '%' && pattern[1] == 'u') {
			memcpy(at, user->name, user->name_len);
			at += user->name_len;
			pattern++;
		} else {
			*at++ = *pattern;
			pattern += *pattern == '%' && pattern[1] == '%';
		}
	}
	*at = '\0';
	return out;
}

static void
add_rule(struct key_file_rule *rules, size_t *n, enum key_file_kind kind,
    uint64_t users, char *pattern)
{
	rules[(*n)++] = (struct key_file_rule) { .kind = kind,
		.users = users, .pattern = pattern };
}

size_t
jumpd_config_key_rules(const struct jumpd_config *config,
    struct key_file_rule **ret)
{
	const struct auth_policy *auth = &config->settings.auth;
	const uint64_t all = ~(uint64_t)0;
	size_t n = 0, room = (2 + auth->n_users) * JUMPD_PATTERNS_MAX;
	struct key_file_rule *rules = need(calloc(room, sizeof(*rules)));
	uint32_t i, u;

	for (u = 0; u < auth->n_users; u++)
		for (i = 0; i < config->authorized[u].n; i++)
			if (auth->user[u].methods & (AUTH_KEYS | AUTH_CERTS))
				add_rule(rules, &n, KEY_FILE_AUTHORIZED,
				    (uint64_t)1 << u,
				    expand(config->authorized[u].pattern[i],
				    &auth->user[u]));
	for (i = 0; i < config->trusted_ca.n; i++)
		add_rule(rules, &n, KEY_FILE_TRUSTED_CA, all,
		    need(strdup(config->trusted_ca.pattern[i])));
	for (i = 0; i < config->revoked.n; i++)
		add_rule(rules, &n, KEY_FILE_REVOKED, all,
		    need(strdup(config->revoked.pattern[i])));
	*ret = rules;
	return n;
}

void
jumpd_config_free_rules(struct key_file_rule *rules, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free((void *)(uintptr_t)rules[i].pattern);
	free(rules);
}
