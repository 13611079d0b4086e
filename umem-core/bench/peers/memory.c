/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What memory allows: the plainest loops that write a table, or read frame numbers. */
#include "peer.h"

/* Writes `count` equidistant addresses, from `address` on, into `table`, begun anew as above. */
uint64_t PEER(fill)(uint64_t address, uint64_t size, uint64_t count, uint64_t *table, size_t room)
{
	uint64_t left = count;

	while (left) {
		size_t now = left < room ? left : room;

		for (size_t i = 0; i < now; i++)
			table[i] = address + i * size;
		address += now * size;
		left -= now;
	}
	return count;
}

/* Adds up all words. */
uint64_t PEER(sum)(const uint64_t *words, size_t count)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += words[i];
	return sum;
}
