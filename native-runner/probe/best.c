// SPDX-License-Identifier: GPL-2.0-only
/* The best page size of a region, and its blocks. */
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/uaccess.h>

#include "probe.h"

/* Walks the blocks that ib_umem_find_best_pgsz() allows, if there is room for all of them. */
static long walk_blocks(struct ib_umem *umem, struct umem_probe_best *best)
{
	struct ib_block_iter iter;
	u64 *blocks;
	long ret = 0;

	if (!best->count || best->count > best->room)
		return 0;
	blocks = kvmalloc_array(best->count, sizeof(*blocks), GFP_KERNEL);
	if (!blocks)
		return -ENOMEM;
	rdma_umem_for_each_dma_block(umem, &iter, best->best) {
		if (best->walked == best->count) {
			/* The iterator promised as many as it counts. */
			ret = -EOVERFLOW;
			break;
		}
		blocks[best->walked++] = rdma_block_iter_dma_address(&iter);
		if (!(best->walked % 4096))
			cond_resched();
	}
	if (!ret && copy_to_user(u64_to_user_ptr(best->blocks), blocks, best->walked * sizeof(*blocks)))
		ret = -EFAULT;
	kvfree(blocks);
	return ret;
}

/* Asks about the region of @length bytes from @address on, which has the DMA addresses of @sgt. */
long probe_ask_best(const struct sg_table *sgt, u64 address, u64 length, struct umem_probe_best *best)
{
	/* ib_umem_find_best_pgsz() and the iterator read only what is set here. */
	struct ib_umem umem = { .address = address, .length = length, .sgt_append.sgt = *sgt };

	if (best->room > UMEM_PROBE_MAX_BLOCKS)
		return -EINVAL;
	best->count = 0;
	best->walked = 0;
	best->best = ib_umem_find_best_pgsz(&umem, best->sizes, best->virt);
	if (!best->best)
		return 0;
	best->count = ib_umem_num_dma_blocks(&umem, best->best);
	return walk_blocks(&umem, best);
}

/* Fills the DMA half of a table with what was sent. Returns its bytes; 0 where a segment is not made of whole pages. */
static u64 fill_table(struct sg_table *sgt, const struct umem_probe_run *runs)
{
	struct scatterlist *sg;
	unsigned int i;
	u64 total = 0;

	for_each_sgtable_dma_sg(sgt, sg, i) {
		const struct umem_probe_run *run = &runs[i];
		u64 end;

		if (!PAGE_ALIGNED(run->start) || !PAGE_ALIGNED(run->length) ||
		    !run->length || run->length > UINT_MAX ||
		    check_add_overflow(run->start, run->length, &end))
			return 0;
		sg_dma_address(sg) = run->start;
		sg_dma_len(sg) = run->length;
		total += run->length;
	}
	return total;
}

/* The bytes of the pages that [address, address + length) touches; 0 where there are none. */
static u64 bytes_of_pages(u64 address, u64 length)
{
	u64 end;

	if (!length || check_add_overflow(address, length, &end) || end > ALIGN_DOWN(U64_MAX, PAGE_SIZE))
		return 0;
	return PAGE_ALIGN(end) - ALIGN_DOWN(address, PAGE_SIZE);
}

static long ask_about(const struct umem_probe_run *runs, struct umem_probe_best *best)
{
	struct sg_table sgt;
	long ret;
	u64 bytes;

	ret = sg_alloc_table(&sgt, best->dma.count, GFP_KERNEL);
	if (ret)
		return ret;
	bytes = fill_table(&sgt, runs);
	if (bytes && bytes == bytes_of_pages(best->address, best->length))
		ret = probe_ask_best(&sgt, best->address, best->length, best);
	else
		ret = -EINVAL;
	sg_free_table(&sgt);
	return ret;
}

long probe_best(struct umem_probe_best *best)
{
	struct umem_probe_run *runs = probe_get_runs(&best->dma);
	long ret;

	if (IS_ERR(runs))
		return PTR_ERR(runs);
	ret = ask_about(runs, best);
	kvfree(runs);
	return ret;
}
