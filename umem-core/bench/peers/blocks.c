/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The kernel's way to fill a device's table: step from block to block, over the ends of segments, and write each address. */
#include "peer.h"

struct walk {
	const struct sg *sg;
	uint64_t advance;
	uint64_t address;
	uint64_t left;
	unsigned int page_bit;
};

/* What drivers call for each block; it is in another module than they are, so it is a call here as well. */
static __attribute__((noinline)) int walk_next(struct walk *walk)
{
	uint64_t size = 1ULL << walk->page_bit, delta, rest;

	if (!walk->left || !walk->sg)
		return 0;
	walk->address = walk->sg->dma_address + walk->advance;
	delta = size - (walk->address & (size - 1));
	while (walk->sg && (rest = walk->sg->dma_length - walk->advance) <= delta) {
		delta -= rest;
		walk->sg = sg_next(walk->sg);
		walk->advance = 0;
	}
	walk->advance += delta;
	walk->left--;
	return 1;
}

/* Writes the addresses of `count` blocks of 2^page_bit bytes into `table`, which is begun anew when its `room` is used up. */
uint64_t PEER(blocks)(const struct sg *sg, uint64_t count, unsigned int page_bit, uint64_t *table, size_t room)
{
	struct walk walk = { .sg = sg, .left = count, .page_bit = page_bit };
	uint64_t written = 0;
	size_t at = 0;

	while (walk_next(&walk)) {
		table[at++] = walk.address & ~((1ULL << page_bit) - 1);
		written++;
		if (at == room)
			at = 0;
	}
	return written;
}

/* The mail's loop: at each address the largest size of `sizes` that its alignment and the bytes left allow. */
uint64_t PEER(split)(const struct sg *sg, uint64_t sizes, uint64_t *table, size_t room)
{
	uint64_t written = 0;
	size_t at = 0;

	for (; sg; sg = sg_next(sg)) {
		uint64_t address = sg->dma_address, left = sg->dma_length;

		while (left) {
			/* The sizes that divide the address, and those that fit. */
			uint64_t fit = sizes & (address ^ (address - 1)) & ((2ULL << (63 - __builtin_clzll(left))) - 1);
			uint64_t size = 1ULL << (63 - __builtin_clzll(fit));

			table[at++] = address;
			written++;
			if (at == room)
				at = 0;
			address += size;
			left -= size;
		}
	}
	return written;
}
