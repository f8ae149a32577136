/* SPDX-License-Identifier: ISC */
#include "tests/lib/guard_model.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A head as lower-case text. */
struct head {
	char	text[4096];
	size_t	len;		/* in the stream; 0: not whole */
};

enum body_end { BODY_OPEN, BODY_WHOLE, BODY_BAD };

static struct head
head_at(const uint8_t *bytes, size_t len)
{
	const uint8_t *end;
	size_t lead = 0, i;
	struct head head = { .len = 0 };

	while (lead + 1 < len && memcmp(bytes + lead, "\r\n", 2) == 0)
		lead += 2;
	end = memmem(bytes + lead, len - lead, "\r\n\r\n", 4);
	if (end == NULL)
		return head;
	head.len = (size_t)(end - bytes) + 4;
	assert(head.len < sizeof(head.text));
	for (i = lead; i < head.len; i++)
		head.text[i - lead] = (char)tolower(bytes[i]);
	return head;
}

/* The value of a field, or NULL. */
static const char *
field_of(const struct head *head, const char *name)
{
	char line[64];
	const char *at;

	snprintf(line, sizeof(line), "\r\n%s:", name);
	at = strstr(head->text, line);
	if (at == NULL)
		return NULL;
	at += strlen(line);
	return at + strspn(at, " \t");
}

/* How much of the stream a chunked body takes. */
static enum body_end
chunked_at(const uint8_t *bytes, size_t len, size_t *taken)
{
	size_t at = 0, size, line;
	const uint8_t *end;

	for (;;) {
		*taken = at;
		if (at < len && !isxdigit(bytes[at]))
			return BODY_BAD;
		*taken = len;
		end = memmem(bytes + at, len - at, "\r\n", 2);
		if (end == NULL)
			return BODY_OPEN;
		size = strtoul((const char *)bytes + at, NULL, 16);
		at = (size_t)(end - bytes) + 2;
		if (size == 0)
			break;
		if (len - at < size + 2)
			return BODY_OPEN;
		at += size + 2;
	}
	do {
		end = memmem(bytes + at, len - at, "\r\n", 2);
		if (end == NULL)
			return BODY_OPEN;
		line = (size_t)(end - bytes) - at;
		at += line + 2;
	} while (line > 0);
	*taken = at;
	return BODY_WHOLE;
}

/* How much of the stream the body after this head takes. */
static enum body_end
body_at(const struct head *head, const uint8_t *bytes, size_t len,
    size_t *taken)
{
	const char *length = field_of(head, "content-length");
	size_t n = length == NULL ? 0 : strtoul(length, NULL, 10);

	if (field_of(head, "transfer-encoding") != NULL)
		return chunked_at(bytes, len, taken);
	*taken = len < n ? len : n;
	return len < n ? BODY_OPEN : BODY_WHOLE;
}

/* One response; returns its length, or 0 if it is not whole. */
static size_t
response_at(struct guard_model *model, const uint8_t *bytes, size_t len)
{
	struct head head = head_at(bytes, len);
	unsigned n = model->n_answered, status;
	size_t taken = 0;

	model->vm_between = false;
	if (n == model->n_accepted)
		model->until_close = true;
	if (model->until_close || head.len == 0)
		return 0;
	status = (unsigned)atoi(head.text + 9);
	if (status == 101 && model->is_upgrade[n] &&
	    model->outcome.stopped == CLOSE_NONE)
		model->outcome.transparent = true;
	else if (status == 101 || (field_of(&head, "content-length") ==
	    NULL) == (field_of(&head, "transfer-encoding") == NULL))
		model->until_close = status == 101 || (status >= 200 &&
		    status != 204 && status != 304 && !model->is_head[n]);
	if (model->until_close || model->outcome.transparent)
		return 0;
	if (status >= 200)
		model->n_answered++;
	if (status >= 200 && status != 204 && status != 304 &&
	    !model->is_head[n] &&
	    body_at(&head, bytes + head.len, len - head.len, &taken) !=
	    BODY_WHOLE) {
		model->n_answered--;
		return 0;
	}
	model->vm_between = true;
	return head.len + taken;
}

static void
read_vm(struct guard_model *model, const uint8_t *bytes, size_t len)
{
	size_t at = 0, n = 1;

	model->n_answered = 0;
	model->vm_between = true;
	while (at < len && n > 0 && !model->until_close &&
	    !model->outcome.transparent) {
		n = response_at(model, bytes + at, len - at);
		at += n;
	}
}

static void
stop(struct guard_model *model, enum close_reason reason)
{
	if (model->outcome.stopped == CLOSE_NONE)
		model->outcome.stopped = reason;
}

static bool
has_bare_lf(const uint8_t *bytes, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (bytes[i] == '\n' && (i == 0 || bytes[i - 1] != '\r'))
			return true;
	return false;
}

/* A head not accepted before: whether it is now. */
static bool
may_begin(struct guard_model *model, const struct head *head,
    const uint8_t *bytes, size_t len)
{
	unsigned n = model->n_accepted;
	size_t i;

	if (model->until_close) {
		stop(model, CLOSE_HTTP_ANSWER);
		return false;
	}
	if (n - model->n_answered == HTTP_GUARD_OUTSTANDING_MAX) {
		model->outcome.waits = true;
		return false;
	}
	if (has_bare_lf(bytes, head->len > 0 ? head->len : len)) {
		stop(model, CLOSE_HTTP_BARE_LF);
	} else if (head->len == 0) {
		model->between = true;
		for (i = 0; i < len; i++)
			if (strchr("\r\n", bytes[i]) == NULL) {
				model->outcome.in_head = n > 0;
				model->between = false;
			}
	} else if (field_of(head, "content-length") != NULL &&
	    field_of(head, "transfer-encoding") != NULL) {
		stop(model, CLOSE_HTTP_BODY_FRAMING);
	} else if (strncmp(field_of(head, "host"), "a.example\r\n", 11) != 0) {
		stop(model, CLOSE_HTTP_MISDIRECTED);
	} else {
		model->is_head[n] = strncmp(head->text, "head ", 5) == 0;
		model->is_upgrade[n] = field_of(head, "upgrade") != NULL &&
		    strstr(head->text, "http/1.0\r\n") == NULL;
		model->n_accepted++;
		return true;
	}
	return false;
}

/* Returns how much passes. */
static size_t
read_client(struct guard_model *model, const uint8_t *bytes, size_t len)
{
	size_t at = 0, taken;
	enum body_end end;
	struct head head;
	unsigned n;

	model->between = true;
	for (n = 0; at < len; n++) {
		head = head_at(bytes + at, len - at);
		if (n == model->n_accepted &&
		    !may_begin(model, &head, bytes + at, len - at))
			break;
		at += head.len;
		end = body_at(&head, bytes + at, len - at, &taken);
		at += taken;
		model->between = end == BODY_WHOLE;
		if (end == BODY_BAD)
			stop(model, CLOSE_HTTP_CHUNK);
		if (end != BODY_WHOLE)
			break;
	}
	return at;
}

void
guard_model_update(struct guard_model *model, const uint8_t *client,
    size_t client_len, const uint8_t *vm, size_t vm_len)
{
	struct guard_outcome *outcome = &model->outcome;

	if (!outcome->transparent)
		read_vm(model, vm, vm_len);
	outcome->in_head = outcome->waits = false;
	if (outcome->transparent)
		outcome->passed = client_len;
	else if (outcome->stopped == CLOSE_NONE)
		outcome->passed = read_client(model, client, client_len);
	outcome->n_heads = model->n_accepted;
	outcome->answered = model->n_accepted > 0 && !outcome->transparent &&
	    !model->until_close && model->vm_between &&
	    model->n_accepted - model->n_answered <=
		(outcome->stopped == CLOSE_HTTP_CHUNK);
	outcome->idle = outcome->answered && model->between &&
	    outcome->stopped == CLOSE_NONE;
}
