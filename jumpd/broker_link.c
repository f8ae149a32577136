/* SPDX-License-Identifier: ISC */
#include "jumpd/broker_link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct broker_unsent {
	struct broker_unsent *next;	/* owned */
	size_t		 len;
	uint8_t		 bytes[];
};

void
broker_link_init(struct broker_link *link, int fd)
{
	link->fd = fd;
	link->gone = false;
	link->first = NULL;
	link->last = &link->first;
}

void
broker_link_fini(struct broker_link *link)
{
	struct broker_unsent *unsent;

	while ((unsent = link->first) != NULL) {
		link->first = unsent->next;
		free(unsent);
	}
	link->last = &link->first;
}

static void
gone(struct broker_link *link)
{
	broker_link_fini(link);
	link->gone = true;
}

/* Returns false if the socket is full. */
static bool
send_now(struct broker_link *link, const void *bytes, size_t len)
{
	ssize_t n;

	do {
		n = send(link->fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	if (n >= 0)
		return true;
	if (errno == EAGAIN)
		return false;
	gone(link);
	return true;
}

static void
keep(struct broker_link *link, const void *bytes, size_t len)
{
	struct broker_unsent *unsent = malloc(sizeof(*unsent) + len);

	if (unsent == NULL) {
		gone(link);
		return;
	}
	unsent->next = NULL;
	unsent->len = len;
	memcpy(unsent->bytes, bytes, len);
	*link->last = unsent;
	link->last = &unsent->next;
}

void
broker_link_send(struct broker_link *link, const struct broker_msg *msg)
{
	size_t len;

	if (link->gone)
		return;
	len = broker_msg_encode(msg, link->sending);
	if (link->first != NULL || !send_now(link, link->sending, len))
		keep(link, link->sending, len);
}

bool
broker_link_flush(struct broker_link *link)
{
	struct broker_unsent *unsent;

	while ((unsent = link->first) != NULL) {
		if (!send_now(link, unsent->bytes, unsent->len))
			return false;
		if (link->gone)
			return true;
		link->first = unsent->next;
		if (link->first == NULL)
			link->last = &link->first;
		free(unsent);
	}
	return true;
}

/* The one descriptor that a message may bring; others are closed. */
static int
descriptor_of(struct msghdr *msg)
{
	struct cmsghdr *c;
	int fd = -1, one;
	size_t i, n;

	for (c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (i = 0; i < n; i++) {
			memcpy(&one, CMSG_DATA(c) + i * sizeof(int),
			    sizeof(int));
			if (fd >= 0)
				close(fd);
			fd = one;
		}
	}
	return fd;
}

bool
broker_link_receive(struct broker_link *link, struct broker_msg *ret,
    int *ret_fd)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(2 * sizeof(int))];
	struct iovec part = { .iov_base = link->received,
		.iov_len = sizeof(link->received) };
	struct msghdr msg = { .msg_iov = &part, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control) };
	ssize_t n;
	int fd;

	if (link->gone)
		return false;
	n = recvmsg(link->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	fd = n < 0 ? -1 : descriptor_of(&msg);
	if (n > 0 && !(msg.msg_flags & MSG_TRUNC) &&
	    broker_msg_decode(BROKER_MSG_FROM_BROKER, link->received,
	    (size_t)n, ret)) {
		*ret_fd = fd;
		return true;
	}
	if (fd >= 0)
		close(fd);
	gone(link);
	return false;
}
