/* SPDX-License-Identifier: ISC */
#include "translate/worker_state.h"

#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common/log.h"

static void
count(struct worker *w, enum xlat_stat stat, uint64_t n)
{
	counter_add(&w->start.stats->value[stat], n);
}

/* --- dropped packets ------------------------------------------------------- */

/* `what` was done, besides dropping it: "" or " answered=icmp". */
static void
drop(struct worker *w, const struct packet *packet, enum drop_reason reason,
    const char *what)
{
	char text[PACKET_TEXT_MAX];

	counter_add(&w->start.stats->dropped[reason], 1);
	if (!w->start.log_drops)
		return;
	if (!token_bucket_take(&w->log_lines, w->now_ms)) {
		w->unlogged++;
		return;
	}
	if (w->unlogged > 0)
		log_info("device=%s dropped=%llu packets more, not logged",
		    w->start.device, (unsigned long long)w->unlogged);
	w->unlogged = 0;
	log_info("device=%s reason=%s rule=\"%s\"%s packet=\"%s\"",
	    w->start.device, drop_reason_label(reason),
	    drop_reason_rule(reason), what, packet_describe(packet, text));
}

/* --- writing --------------------------------------------------------------- */

/* Is there room in our buffer for a vnet header right before it? */
static bool
is_in_buffer(const struct worker *w, const struct packet *packet)
{
	return packet->at >= w->buffer + VNET_OCTETS &&
	    packet->at < w->buffer + BUFFER_OCTETS;
}

static void
put_out(struct worker *w, const struct packet *packet)
{
	uint8_t header[VNET_OCTETS];
	struct iovec parts[] = {
		{ .iov_base = header, .iov_len = VNET_OCTETS },
		{ .iov_base = packet->at, .iov_len = packet->len }
	};
	ssize_t n;

	if (is_in_buffer(w, packet)) {
		vnet_write(&packet->offload, packet_version(packet),
		    packet->at - VNET_OCTETS);
		n = write(w->start.tun_fd, packet->at - VNET_OCTETS,
		    VNET_OCTETS + packet->len);
	} else {
		vnet_write(&packet->offload, packet_version(packet), header);
		n = writev(w->start.tun_fd, parts, 2);
	}
	if (n < 0)
		drop(w, packet, DROP_WRITE_FAILED, "");
}

static void
put_out_pieces(struct worker *w, struct siit_result *result)
{
	count(w, XLAT_CUT, 1);
	while (siit_next_piece(w->queue, result)) {
		count(w, XLAT_PIECES, 1);
		put_out(w, &result->packet);
	}
}

/* --- translating ----------------------------------------------------------- */

/* The packet's sender may have got an address of the pool just now. */
static void
note_lease(struct worker *w, const struct addr *sender)
{
	struct dynamic_pool *pool = w->start.tables->pool;
	uint64_t now_s = (w->now_ms + w->start.epoch_ms) / 1000;
	uint32_t v4;

	if (dynamic_pool_changes(pool) == w->pool_changes)
		return;
	w->pool_changes = dynamic_pool_changes(pool);
	if (dynamic_pool_6to4(pool, sender, &v4))
		leases_put(w->start.leases, v4, sender, now_s);
}

static void
act(struct worker *w, const struct packet *packet, struct siit_result *result)
{
	if (result->hairpinned)
		count(w, XLAT_HAIRPINNED, 1);
	switch (result->verdict) {
	case SIIT_FORWARD:
		count(w, XLAT_FORWARDED, 1);
		put_out(w, &result->packet);
		break;
	case SIIT_PIECES:
		put_out_pieces(w, result);
		break;
	case SIIT_REPLY:
		count(w, result->reason == DROP_NONE ? XLAT_ECHO_REPLIES :
		    XLAT_ICMP_ERRORS, 1);
		if (result->reason != DROP_NONE)
			drop(w, packet, result->reason, " answered=icmp");
		put_out(w, &result->packet);
		break;
	case SIIT_DROP:
		if (result->limited)
			count(w, XLAT_ICMP_LIMITED, 1);
		drop(w, packet, result->reason, result->limited ?
		    " answered=limited" : "");
		break;
	}
}

static void
count_read(struct worker *w, const struct packet *packet)
{
	bool v4 = packet_version(packet) == 4;

	count(w, v4 ? XLAT_IN4_PACKETS : XLAT_IN6_PACKETS, 1);
	count(w, v4 ? XLAT_IN4_OCTETS : XLAT_IN6_OCTETS, packet->len);
	if (packet->offload.gso != PACKET_GSO_NONE)
		count(w, XLAT_SUPER_PACKETS, 1);
}

void
worker_translate(struct worker *w, size_t len)
{
	struct packet packet = {
		.at = w->buffer + PACKET_AT,
		.headroom = PACKET_AT - VNET_OCTETS
	};
	struct siit_result result;
	struct addr sender = { { 0 } };

	if (len < VNET_OCTETS)
		return;		/* no TUN device does that */
	packet.len = len - VNET_OCTETS;
	if (packet.len > PACKET_MAX) {
		packet.len = PACKET_MAX;
		drop(w, &packet, DROP_TOO_LONG, "");
		return;
	}
	if (!vnet_read(packet.at - VNET_OCTETS, &packet.offload)) {
		drop(w, &packet, DROP_BAD_OFFLOAD, "");
		return;
	}
	count_read(w, &packet);
	if (w->start.leases != NULL && packet.len >= 24)
		memcpy(sender.octet, packet.at + 8, sizeof(sender.octet));
	siit_translate(&w->start.tables->siit, w->queue, w->now_ms, &packet,
	    &result);
	if (w->start.leases != NULL)
		note_lease(w, &sender);
	act(w, &packet, &result);
}
