/* SPDX-License-Identifier: ISC */
/*
 * fuzz_http_guard.c - http_guard in both directions.
 *
 * The input is what the client and the VM say by turns, the client first; an
 * RS octet (0x1e) ends a turn.  What comes of it must not depend on how turns
 * are cut into pieces, nor on whether bodies are moved unseen; guard_run.h
 * asserts the rest of the contract.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/guard_run.h"

enum { RS = 0x1e, PIECES_MAX = 5000 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static struct guard_outcome
play(const uint8_t *bytes, size_t len, uint8_t *client, size_t piece,
    bool splices)
{
	const uint8_t *end = bytes + len, *turn_end;
	bool clients_turn = true;
	struct guard_run run;
	size_t turn;

	guard_run_init(&run, client, splices);
	for (; bytes < end; bytes = turn_end + 1) {
		turn_end = memchr(bytes, RS, (size_t)(end - bytes));
		if (turn_end == NULL)
			turn_end = end;
		turn = (size_t)(turn_end - bytes);
		if (turn > 0 && clients_turn) {
			memcpy(client + run.offered, bytes, turn);
			guard_run_client(&run, turn, piece);
		} else if (turn > 0) {
			guard_run_vm(&run, bytes, turn, piece);
		}
		clients_turn = !clients_turn;
	}
	assert(run.passed <= run.offered);
	return guard_run_outcome(&run);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const size_t pieces[] = { 1, 2, 7, 64 };
	uint8_t *client = malloc(len + 1);
	struct guard_outcome whole, other;
	size_t i;

	assert(client != NULL);
	whole = play(bytes, len, client, SIZE_MAX, false);
	other = play(bytes, len, client, SIZE_MAX, true);
	assert(guard_outcome_equal(&whole, &other));
	for (i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		if (len / pieces[i] > PIECES_MAX)
			continue;
		other = play(bytes, len, client, pieces[i], i % 2 == 0);
		assert(guard_outcome_equal(&whole, &other));
	}
	free(client);
	return 0;
}
