/* SPDX-License-Identifier: ISC */
/*
 * embed_check.h - can this host do source=embed?
 *
 * What it needs besides embed_prefix cannot be seen in proxyd.conf: sockets
 * that bind to an address nobody has, and a local route, without which the
 * VMs' answers do not come in.  It asks the kernel for both and changes
 * nothing.  The route back from the VMs' network, and the firewall, cannot be
 * seen from here.
 */
#ifndef PROXYD_EMBED_CHECK_H
#define PROXYD_EMBED_CHECK_H

#include "common/cfgfile.h"
#include "proxyd/proxyd_config.h"

/*
 * Report each prerequisite that is missing as "file: embed_prefix: problem",
 * with the command that mends it if there is one.  Returns true if none is,
 * or if there is no embed_prefix.
 */
bool embed_check(const struct proxyd_config *, cfgfile_report_fn *report,
    void *arg);

#endif
