/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What the peers share: a scatter-gather list as the kernel lays it out, pages of 128 slots chained by their last. */
#ifndef PEER_H
#define PEER_H

#include <stddef.h>
#include <stdint.h>

/* Each function is compiled twice, and each time has a name of its own. */
#define JOIN(name, flavour) name##_##flavour
#define NAMED(name, flavour) JOIN(name, flavour)
#define PEER(name) NAMED(name, FLAVOUR)

#define SG_CHAIN 1UL
#define SG_END 2UL

/* As large as the kernel's; its dma_length has 32 bits, here 64, so that one segment can hold a region. */
struct sg {
	uint64_t page_link;
	uint64_t dma_address;
	uint64_t dma_length;
	uint64_t unused;
};

static inline const struct sg *sg_next(const struct sg *sg)
{
	if (sg->page_link & SG_END)
		return NULL;
	sg++;
	if (__builtin_expect(sg->page_link & SG_CHAIN, 0))
		sg = (const struct sg *)(uintptr_t)(sg->page_link & ~(SG_CHAIN | SG_END));
	return sg;
}

#endif
