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

/* The largest size of `sizes` that the alignment of `address` and the `left` bytes allow: the mail's rule. */
static inline uint64_t largest(uint64_t sizes, uint64_t address, uint64_t left)
{
	/* The sizes that divide the address, and those that fit. */
	uint64_t fit = sizes & (address ^ (address - 1)) & ((2ULL << (63 - __builtin_clzll(left))) - 1);

	return 1ULL << (63 - __builtin_clzll(fit));
}

struct split {
	const struct sg *sg;
	uint64_t sizes;
	uint64_t advance;
	uint64_t address;
	uint64_t length;
};

/* The mail's ib_umem_next_phys_iter(): drivers were to call it for each block, from another module as well. */
static __attribute__((noinline)) int split_next(struct split *split)
{
	if (!split->sg)
		return 0;
	split->address = split->sg->dma_address + split->advance;
	split->length = largest(split->sizes, split->address, split->sg->dma_length - split->advance);
	split->advance += split->length;
	if (split->advance == split->sg->dma_length) {
		split->sg = sg_next(split->sg);
		split->advance = 0;
	}
	return 1;
}

/* Writes the addresses of the blocks that the mail's rule cuts the list into. */
uint64_t PEER(split)(const struct sg *sg, uint64_t sizes, uint64_t *table, size_t room)
{
	struct split split = { .sg = sg, .sizes = sizes };
	uint64_t written = 0;
	size_t at = 0;

	while (split_next(&split)) {
		table[at++] = split.address;
		written++;
		if (at == room)
			at = 0;
	}
	return written;
}

/* The same with nothing called, as if each driver had the loop in it. */
uint64_t PEER(split_inlined)(const struct sg *sg, uint64_t sizes, uint64_t *table, size_t room)
{
	uint64_t written = 0;
	size_t at = 0;

	for (; sg; sg = sg_next(sg)) {
		uint64_t address = sg->dma_address, left = sg->dma_length;

		while (left) {
			uint64_t size = largest(sizes, address, left);

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
