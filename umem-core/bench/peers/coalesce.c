/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The kernel's way to gather pages: a page joins the entry before it if it is the next frame and the entry stays short enough. */
#include "peer.h"

struct entry {
	uint64_t offset;
	uint64_t start;
	uint64_t length;
};

/*
 * Writes the entries of `pages` pages into `entries`, which is begun anew when its `room` is used up. A page's number is what
 * `mask` leaves of its word; a page of which it leaves less than `least` has no frame. Returns how many entries there are.
 */
uint64_t PEER(coalesce)(const uint64_t *words, size_t pages, uint64_t mask, uint64_t least, unsigned int page_bit,
			uint64_t longest, struct entry *entries, size_t room)
{
	uint64_t count = 0;
	size_t at = 0, page = 0;

	while (page < pages) {
		uint64_t number = words[page] & mask, length = 1ULL << page_bit;
		uint64_t start = number << page_bit;
		size_t first = page;

		if (number < least) {
			page++;
			continue;
		}
		for (page++; page < pages; page++) {
			uint64_t next = words[page] & mask;

			if (next != number + 1 || length + (1ULL << page_bit) > longest)
				break;
			length += 1ULL << page_bit;
			number = next;
		}
		entries[at].offset = (uint64_t)first << page_bit;
		entries[at].start = start;
		entries[at].length = length;
		count++;
		if (++at == room)
			at = 0;
	}
	return count;
}
