/* SPDX-License-Identifier: ISC */
#include "proxyd/conn_log.h"

#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "common/quote.h"

void
conn_log(const struct conn *c, uint64_t now_ms)
{
	char client[ENDPOINT_TEXT_MAX], listener[ENDPOINT_TEXT_MAX],
	    target[ENDPOINT_TEXT_MAX] = "-";
	char name[4 * HOSTNAME_MAX + 8] = "\"-\"";
	char id[CONN_ID_OCTETS + 1], last_field[128] = "";
	uint64_t lasted_ms = now_ms - c->accepted_ms;

	if (c->name != NULL)
		quote(c->name, strlen(c->name), name, sizeof(name));
	if (c->target.port != 0)
		endpoint_format(&c->target, target);
	if (c->flags & (MAPPING_PROXY_V1 | MAPPING_PROXY_V2))
		snprintf(last_field, sizeof(last_field), " id=%s",
		    conn_id(c, id));
	else if (c->reason == CLOSE_PROXY_HEADER)
		snprintf(last_field, sizeof(last_field), " fault=\"%s\"",
		    proxy_fault_text(c->opening->proxy_fault));
	log_info("client=%s listener=%s service=%s name=%s target=%s "
		 "reason=%s peek_ms=%u dial_ms=%u relay_ms=%llu up=%llu "
		 "down=%llu%s",
	    endpoint_format(&c->peer, client),
	    endpoint_format(&c->local, listener), service_name(c->service),
	    name, target, close_reason_label(c->reason), c->peek_ms,
	    c->dial_ms,
	    (unsigned long long)(lasted_ms - c->peek_ms - c->dial_ms),
	    (unsigned long long)c->up.octets,
	    (unsigned long long)c->down.octets, last_field);
}
