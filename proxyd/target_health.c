/* SPDX-License-Identifier: ISC */
#include "proxyd/target_health.h"

#include <assert.h>
#include <string.h>

/*
 * A slot's state in one word, so that one compare-and-swap changes it:
 * bits 0-43 when the current period ends (ms), bits 44-51 the failures in a
 * row (0: none on record), bit 52 whether that period is a probe's.
 */
#define UNTIL_MASK	((UINT64_C(1) << 44) - 1)
#define FAILURES_SHIFT	44
#define FAILURES_MAX	255
#define PROBING		(UINT64_C(1) << 52)

/* Between processes only what is lock-free is atomic. */
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2 && sizeof(long long) == 8,
    "64-bit atomics are lock-free");

static uint64_t
state_of(uint64_t until_ms, unsigned failures, uint64_t probing)
{
	return (until_ms & UNTIL_MASK) |
	    (uint64_t)failures << FAILURES_SHIFT | probing;
}

static unsigned
failures_of(uint64_t state)
{
	return (unsigned)(state >> FAILURES_SHIFT) & FAILURES_MAX;
}

static uint64_t
hold_ms(unsigned failures)
{
	uint64_t ms = TARGET_HEALTH_HOLD_MIN_MS;

	while (--failures > 0 && ms < TARGET_HEALTH_HOLD_MAX_MS)
		ms *= 2;
	return ms < TARGET_HEALTH_HOLD_MAX_MS ? ms : TARGET_HEALTH_HOLD_MAX_MS;
}

void
target_health_init(struct target_health *h, const struct siphash_key *key)
{
	memset(h, 0, sizeof(*h));
	h->hash_key = *key;
}

/* Never 0, which marks a free slot. */
static uint64_t
key_of(const struct target_health *h, const struct endpoint *ep)
{
	uint8_t octets[18];
	uint64_t key;

	memcpy(octets, ep->addr.octet, 16);
	octets[16] = (uint8_t)(ep->port >> 8);
	octets[17] = (uint8_t)ep->port;
	key = siphash(&h->hash_key, octets, sizeof(octets));
	return key != 0 ? key : 1;
}

static struct target_health_slot *
probe_slot(struct target_health *h, uint64_t key, unsigned i)
{
	return &h->slot[(key + i) % TARGET_HEALTH_SLOTS];
}

static struct target_health_slot *
find(struct target_health *h, uint64_t key)
{
	struct target_health_slot *s;
	unsigned i;

	for (i = 0; i < TARGET_HEALTH_PROBES; i++) {
		s = probe_slot(h, key, i);
		if (atomic_load(&s->key) == key)
			return s;
	}
	return NULL;
}

/* The target's slot, a free one, or the one that is needed least. */
static struct target_health_slot *
find_or_claim(struct target_health *h, uint64_t key)
{
	struct target_health_slot *s = find(h, key), *least = NULL;
	uint64_t none, until, least_until = UINT64_MAX;
	unsigned i;

	if (s != NULL)
		return s;
	for (i = 0; i < TARGET_HEALTH_PROBES; i++) {
		s = probe_slot(h, key, i);
		none = 0;
		if (atomic_compare_exchange_strong(&s->key, &none, key)) {
			/* The state is still its last owner's. */
			atomic_store(&s->state, 0);
			return s;
		}
		if (none == key)
			return s;
		until = atomic_load(&s->state) & UNTIL_MASK;
		if (until < least_until) {
			least_until = until;
			least = s;
		}
	}
	/* Should two do this at once, one target is forgotten: only advice. */
	atomic_store(&least->state, 0);
	atomic_store(&least->key, key);
	return least;
}

enum target_state
target_health_ask(struct target_health *h, const struct endpoint *ep,
    uint64_t now_ms)
{
	struct target_health_slot *s = find(h, key_of(h, ep));
	uint64_t state, probe;

	if (s == NULL)
		return TARGET_UP;
	state = atomic_load(&s->state);
	if (failures_of(state) == 0)
		return TARGET_UP;
	if (now_ms < (state & UNTIL_MASK))
		return TARGET_HELD;
	probe = state_of(now_ms + TARGET_HEALTH_PROBE_MS, failures_of(state),
	    PROBING);
	return atomic_compare_exchange_strong(&s->state, &state, probe) ?
	    TARGET_PROBE :
	    TARGET_HELD;
}

void
target_health_succeeded(struct target_health *h, const struct endpoint *ep)
{
	uint64_t key = key_of(h, ep);
	struct target_health_slot *s = find(h, key);

	/* Whoever claims the slot clears its state. */
	if (s != NULL)
		atomic_compare_exchange_strong(&s->key, &key, 0);
}

void
target_health_failed(struct target_health *h, const struct endpoint *ep,
    uint64_t now_ms)
{
	struct target_health_slot *s = find_or_claim(h, key_of(h, ep));
	uint64_t state = atomic_load(&s->state), next;
	unsigned failures;

	do {
		failures = failures_of(state);
		/* One of many that failed together. */
		if (failures > 0 && (state & PROBING) == 0 &&
		    now_ms < (state & UNTIL_MASK))
			return;
		if (failures < FAILURES_MAX)
			failures++;
		next = state_of(now_ms + hold_ms(failures), failures, 0);
	} while (!atomic_compare_exchange_weak(&s->state, &state, next));
}
