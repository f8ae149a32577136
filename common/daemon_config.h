/* SPDX-License-Identifier: ISC */
/*
 * daemon_config.h - the settings that every daemon has: whom it becomes and
 * where it logs; and the names that the mapping gives to targets.
 */
#ifndef COMMON_DAEMON_CONFIG_H
#define COMMON_DAEMON_CONFIG_H

#include <stdio.h>

#include "common/cfgfile.h"
#include "common/mapping_compile.h"
#include "common/mapping_sources.h"
#include "common/sandbox.h"

enum {
	MAPPING_CONFIG_FILES_MAX = 64,		/* patterns */
	MAPPING_CONFIG_LINES_MAX = 65536	/* in the file itself */
};

/* A setting's place is "file:line", or the file if it is not in it. */
struct daemon_config {
	char		*path;		/* owned; as given to load */
	char		*user;		/* owned */
	char		*group;		/* owned; "": the user's */
	char		*log;		/* owned; "stderr" or absolute */
	char		*user_place, *group_place, *log_place;	/* owned */
};

/* A mapping line written in the configuration, and where. */
struct mapping_config_line {
	char		*text;		/* owned */
	char		*file;		/* owned; it or an include */
	uint32_t	 line;
};

struct mapping_config {
	uint32_t	 n_files;
	char		*file[MAPPING_CONFIG_FILES_MAX];
					/* owned; absolute glob patterns */
	char		*file_place[MAPPING_CONFIG_FILES_MAX];	/* owned */
	uint32_t	 n_lines;
	struct mapping_config_line *line;	/* owned */
};

/* `user`, `group` and `log`; problems are reported.  *ret is all zero. */
void daemon_config_read(struct daemon_config *ret, struct cfgfile *,
    const char *path);
void daemon_config_fini(struct daemon_config *);
void daemon_config_print(const struct daemon_config *, FILE *);

/* Whom to become.  Returns false after a report. */
bool daemon_config_ids(const struct daemon_config *, struct sandbox_ids *ret,
    cfgfile_report_fn *report, void *arg);

/* Settings that only a new start changes: say so of those that differ. */
void daemon_config_warn_of_kept(const struct daemon_config *old,
    const struct daemon_config *new);

/* `mapping_files` and `mapping` of a group, which may be the whole file.  *ret
 * is all zero. */
void mapping_config_read(struct mapping_config *ret, struct cfgfile *,
    const struct config_setting_t *group, const char *path);
void mapping_config_fini(struct mapping_config *);

/* Each line begins with `indent`. */
void mapping_config_print(const struct mapping_config *, const char *indent,
    FILE *);

/* The inline lines, then the files, opened. */
struct mapping_config_sources {
	size_t		n;
	struct mapping_source *source;	/* owned */
	struct mapping_sources files;	/* owned */
};

/* Open the mapping files.  Returns false after reports. */
bool mapping_config_open(const struct mapping_config *,
    struct mapping_config_sources *ret, cfgfile_report_fn *report, void *arg);

/* Also for the empty value, which is what is left. */
void mapping_config_close(struct mapping_config_sources *);

/*
 * Open the mapping files and start compiling them with the inline lines, as
 * the job says, whose sources are set here.  Returns false after a report.
 */
bool mapping_config_compile(const struct mapping_config *,
    const struct sandbox_ids *, struct mapping_job *,
    struct mapping_compile *, cfgfile_report_fn *report, void *arg);

#endif
