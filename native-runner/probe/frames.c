// SPDX-License-Identifier: GPL-2.0-only
/* Page frames -> SG list -> DMA list. */
#include <linux/dma-mapping.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "probe.h"

/*
 * How many frames there are in the runs; an error where one of them is not memory of this machine.
 *
 * sg_alloc_append_table_from_pages() reads the struct page of each frame, so each must have an initialised one:
 * pfn_to_online_page() says so. (Memory must not be unplugged meanwhile.)
 */
static long count_frames(const struct umem_probe_run *runs, u64 count)
{
	u64 total = 0;
	u64 i, pfn;

	for (i = 0; i < count; i++) {
		const struct umem_probe_run *run = &runs[i];
		u64 end;

		if (!run->length || check_add_overflow(run->start, run->length, &end) ||
		    check_add_overflow(total, run->length, &total) || total > UMEM_PROBE_MAX_FRAMES)
			return -EINVAL;
		for (pfn = run->start; pfn < end; pfn++)
			if (pfn > PHYS_PFN(PHYS_ADDR_MAX) || !pfn_to_online_page(pfn))
				return -EFAULT;
		cond_resched();
	}
	return total;
}

/* Where a walk over runs of frames stands. */
struct frame_walk {
	const struct umem_probe_run *run;
	u64 taken;		/* of the run */
};

static unsigned int next_batch(struct frame_walk *walk, struct page **pages, u64 wanted)
{
	unsigned int n = 0;

	while (n < wanted) {
		if (walk->taken == walk->run->length) {
			walk->run++;
			walk->taken = 0;
			continue;
		}
		pages[n++] = pfn_to_page(walk->run->start + walk->taken++);
	}
	return n;
}

/* Appends @total frames in batches of one page of pointers, as ib_umem_get() does. What was appended before an error is left. */
long probe_append_frames(struct sg_append_table *table, const struct umem_probe_run *runs, u64 total, u32 max_segment)
{
	const u64 batch = PAGE_SIZE / sizeof(struct page *);
	struct frame_walk walk = { .run = runs };
	struct page **pages;
	long ret = 0;

	pages = (struct page **)__get_free_page(GFP_KERNEL);
	if (!pages)
		return -ENOMEM;
	while (total && !ret) {
		unsigned int n = next_batch(&walk, pages, min(batch, total));

		total -= n;
		ret = sg_alloc_append_table_from_pages(table, pages, n, 0, (unsigned long)n << PAGE_SHIFT,
						       max_segment, total, GFP_KERNEL);
		if (fatal_signal_pending(current))
			ret = -EINTR;
		cond_resched();
	}
	free_page((unsigned long)pages);
	return ret;
}

/* Makes the SG list of what was sent; sg_free_append_table() frees it. Returns the number of frames. */
static long make_list(struct umem_probe_frames *frames, struct sg_append_table *table)
{
	struct umem_probe_run *runs;
	long ret, total;

	/* The kernel's own check warns: "alarm" is not what a question should raise. */
	if (frames->max_segment < PAGE_SIZE || frames->reserved)
		return -EINVAL;
	runs = probe_get_runs(&frames->frames);
	if (IS_ERR(runs))
		return PTR_ERR(runs);
	total = count_frames(runs, frames->frames.count);
	ret = total;
	if (total > 0) {
		ret = probe_append_frames(table, runs, total, frames->max_segment);
		if (ret)
			sg_free_append_table(table);
	}
	kvfree(runs);
	return ret ?: total;
}

long probe_coalesce(struct umem_probe_frames *frames)
{
	struct sg_append_table table = {};
	long ret;

	if (frames->flags || frames->boundary || frames->dma.runs || frames->dma.count)
		return -EINVAL;
	ret = make_list(frames, &table);
	if (ret < 0)
		return ret;
	ret = probe_put_sg(&frames->sg, &table.sgt);
	sg_free_append_table(&table);
	return ret;
}

/*
 * Maps the list for the PCI device, which may only read, and unmaps it: the list keeps the addresses.
 * DMA_ATTR_SKIP_CPU_SYNC: the bytes are nobody's business, above all not swiotlb's.
 */
static int map_list(struct umem_probe_frames *frames, struct sg_table *sgt, struct probe_limits limits)
{
	const unsigned long attrs = DMA_ATTR_SKIP_CPU_SYNC | DMA_ATTR_NO_WARN;
	struct probe_device *device = probe_pci_lock();
	struct probe_limits own;

	if (IS_ERR(device))
		return PTR_ERR(device);
	own = probe_device_limits(device);
	probe_device_set_limits(device, limits);
	frames->map_error = dma_map_sgtable(device->dma, sgt, DMA_TO_DEVICE, attrs);
	if (!frames->map_error)
		dma_unmap_sgtable(device->dma, sgt, DMA_TO_DEVICE, attrs);
	probe_device_set_limits(device, own);
	mutex_unlock(&probe_lock);
	return 0;
}

static int put_lists(struct umem_probe_frames *frames, struct sg_table *sgt)
{
	int ret = probe_put_sg(&frames->sg, sgt);

	if (ret)
		return ret;
	if (!frames->map_error)
		return probe_put_dma(&frames->dma, sgt);
	frames->dma.count = 0;
	return 0;
}

long probe_map(struct umem_probe_frames *frames)
{
	const struct probe_limits limits = { .max_segment = frames->max_segment, .boundary = frames->boundary };
	struct sg_append_table table = {};
	long ret;

	if ((frames->flags & ~UMEM_PROBE_OVER_4G) || !probe_limits_valid(limits))
		return -EINVAL;
	ret = make_list(frames, &table);
	if (ret < 0)
		return ret;
	if (((ret >> (32 - PAGE_SHIFT)) && !(frames->flags & UMEM_PROBE_OVER_4G)) ||
	    probe_map_hangs(&table.sgt, limits))
		ret = -EINVAL;
	else
		ret = map_list(frames, &table.sgt, limits) ?: put_lists(frames, &table.sgt);
	sg_free_append_table(&table);
	return ret;
}
