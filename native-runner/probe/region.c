// SPDX-License-Identifier: GPL-2.0-only
/*
 * A user buffer, pinned and mapped as a driver's reg_user_mr() has it done.
 *
 * ib_umem_get() faults user memory in and maps it for a device, which must exist throughout. But a fault may never end, and a
 * device must be able to leave. So we call it for a device of our own that has no DMA and never leaves: it pins, accounts and
 * coalesces. For a device with DMA we then build a list by its own longest segment, and map that, with the functions that
 * ib_umem_get() calls for both. That needs probe_lock but no user memory.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <rdma/ib_umem.h>
#include <rdma/ib_verbs.h>

#include "probe.h"

/* It is never registered: ib_umem_get() looks at no more than its DMA device, and there is none. */
static struct no_dma {
	struct ib_device ib;
} *no_dma;

/* ib_umem_get() was given a second name when its first was taken for buffers of other kinds (Linux 7.2). */
static struct ib_umem *get_umem(const struct umem_probe_pin *pin)
{
	int access = pin->flags & UMEM_PROBE_WRITABLE ? IB_ACCESS_LOCAL_WRITE : 0;

#ifdef PROBE_HAVE_IB_UMEM_GET_VA
	return ib_umem_get_va(&no_dma->ib, pin->address, pin->length, access);
#else
	return ib_umem_get(&no_dma->ib, pin->address, pin->length, access);
#endif
}

int probe_regions_register(void)
{
	no_dma = ib_alloc_device(no_dma, ib);
	return no_dma ? 0 : -ENOMEM;
}

void probe_regions_unregister(void)
{
	ib_dealloc_device(&no_dma->ib);
}

void probe_region_init(struct probe_region *region)
{
	mutex_init(&region->lock);
}

/* Called with the region's lock held, or when no one else has the file. */
static void unpin(struct probe_region *region)
{
	mutex_lock(&probe_lock);
	probe_mapping_end(&region->mapping);
	mutex_unlock(&probe_lock);
	sg_free_append_table(&region->own);
	region->own = (struct sg_append_table){};
	if (region->umem)
		ib_umem_release(region->umem);
	region->umem = NULL;
}

void probe_region_release(struct probe_region *region)
{
	unpin(region);
	mutex_destroy(&region->lock);
}

/* What is known of a device when it is not held. */
struct target {
	u64 arrival;
	bool has_dma;
	struct probe_limits limits;
};

static int look_at(const struct umem_probe_pin *pin, struct target *target)
{
	struct probe_device *device = probe_device_lock(pin->device);

	if (IS_ERR(device))
		return PTR_ERR(device);
	target->arrival = device->arrival;
	target->has_dma = device->dma;
	target->limits = probe_device_limits(device);
	mutex_unlock(&probe_lock);
	if (pin->device[0])
		return pin->max_segment || pin->boundary ? -EINVAL : 0;
	target->limits.max_segment = pin->max_segment ?: target->limits.max_segment;
	target->limits.boundary = pin->boundary ?: target->limits.boundary;
	return probe_limits_valid(target->limits) ? 0 : -EINVAL;
}

/* The pinned pages as a list with segments of @max_segment at most. */
static int make_own_list(struct probe_region *region, u32 max_segment)
{
	struct sg_table *pinned = &region->umem->sgt_append.sgt;
	struct umem_probe_run *runs;
	struct scatterlist *sg;
	u64 total = 0;
	unsigned int i;
	int ret;

	runs = kvmalloc_array(pinned->orig_nents, sizeof(*runs), GFP_KERNEL);
	if (!runs)
		return -ENOMEM;
	for_each_sgtable_sg(pinned, sg, i) {
		runs[i].start = page_to_pfn(sg_page(sg));
		runs[i].length = sg->length >> PAGE_SHIFT;
		total += runs[i].length;
	}
	ret = probe_append_frames(&region->own, runs, total, max_segment);
	kvfree(runs);
	return ret;
}

/* Maps the list for the device, if it is still there. */
static int map_for(struct probe_region *region, const struct umem_probe_pin *pin, const struct target *target)
{
	struct sg_table *sgt = target->has_dma ? &region->own.sgt : &region->umem->sgt_append.sgt;
	struct probe_device *device = probe_device_lock(pin->device);
	int ret = -ENODEV;

	if (IS_ERR(device))
		return PTR_ERR(device);
	if (device->arrival == target->arrival)
		ret = probe_mapping_make(&region->mapping, device, sgt, target->limits);
	mutex_unlock(&probe_lock);
	return ret;
}

static long pin_locked(struct probe_region *region, struct umem_probe_pin *pin)
{
	struct ib_umem *umem;
	struct target target;
	int ret;

	if (region->umem)
		return -EBUSY;
	ret = look_at(pin, &target);
	if (ret)
		return ret;
	umem = get_umem(pin);
	if (IS_ERR(umem))
		return PTR_ERR(umem);
	region->umem = umem;
	if (target.has_dma)
		ret = make_own_list(region, target.limits.max_segment);
	if (!ret)
		ret = map_for(region, pin, &target);
	if (ret) {
		unpin(region);
		return ret;
	}
	pin->sg_count = region->mapping.sgt->orig_nents;
	pin->dma_count = region->mapping.sgt->nents;
	return 0;
}

long probe_pin(struct probe_region *region, struct umem_probe_pin *pin)
{
	long ret;

	if ((pin->flags & ~UMEM_PROBE_WRITABLE) || !pin->length ||
	    pin->length > (UMEM_PROBE_MAX_FRAMES << PAGE_SHIFT) ||
	    strnlen(pin->device, sizeof(pin->device)) == sizeof(pin->device))
		return -EINVAL;
	if (mutex_lock_killable(&region->lock))
		return -EINTR;
	ret = pin_locked(region, pin);
	mutex_unlock(&region->lock);
	return ret;
}

long probe_unpin(struct probe_region *region)
{
	long ret;

	if (mutex_lock_killable(&region->lock))
		return -EINTR;
	ret = region->umem ? 0 : -ENOENT;
	unpin(region);
	mutex_unlock(&region->lock);
	return ret;
}

/* Whether there is a list to be asked about. The device may leave at once: its list stays with the region. */
static int mapped(struct probe_region *region)
{
	int ret;

	if (!region->umem)
		return -ENOENT;
	if (mutex_lock_killable(&probe_lock))
		return -EINTR;
	ret = region->mapping.device ? 0 : -ENODEV;
	mutex_unlock(&probe_lock);
	return ret;
}

long probe_region_lists(struct probe_region *region, struct umem_probe_lists *lists)
{
	long ret;

	if (mutex_lock_killable(&region->lock))
		return -EINTR;
	ret = mapped(region);
	if (!ret)
		ret = probe_put_sg(&lists->sg, region->mapping.sgt) ?: probe_put_dma(&lists->dma, region->mapping.sgt);
	mutex_unlock(&region->lock);
	return ret;
}

static long best_locked(struct probe_region *region, struct umem_probe_best *best)
{
	const struct ib_umem *umem = region->umem;
	long ret = mapped(region);

	if (ret)
		return ret;
	if (offset_in_page(umem->address ^ best->virt))
		return -EINVAL;
	return probe_ask_best(region->mapping.sgt, umem->address, umem->length, best);
}

long probe_region_best(struct probe_region *region, struct umem_probe_best *best)
{
	long ret;

	if (best->dma.runs || best->dma.count || best->address || best->length)
		return -EINVAL;
	if (mutex_lock_killable(&region->lock))
		return -EINTR;
	ret = best_locked(region, best);
	mutex_unlock(&region->lock);
	return ret;
}

static bool within_segment(struct sg_table *sgt, const struct umem_probe_dma *dma)
{
	struct scatterlist *sg;
	unsigned int i;

	for_each_sgtable_dma_sg(sgt, sg, i) {
		u64 offset = dma->address - sg_dma_address(sg);

		if (offset < sg_dma_len(sg) && dma->length <= sg_dma_len(sg) - offset)
			return true;
	}
	return false;
}

/* Has the PCI device read what is mapped for it. */
static int read_mapped(struct probe_region *region, const struct umem_probe_dma *dma, void *bytes)
{
	struct probe_device *device = probe_pci_lock();
	int ret;

	if (IS_ERR(device))
		return PTR_ERR(device);
	if (region->mapping.device != device)
		ret = -ENOENT;
	else if (!within_segment(region->mapping.sgt, dma))
		ret = -EINVAL;
	else
		ret = probe_pci_read(dma->address, dma->length, bytes);
	mutex_unlock(&probe_lock);
	return ret;
}

long probe_region_dma(struct probe_region *region, const struct umem_probe_dma *dma)
{
	void *bytes;
	long ret;

	if (!dma->length || dma->length > UMEM_PROBE_MAX_DMA)
		return -EINVAL;
	bytes = kmalloc(dma->length, GFP_KERNEL);
	if (!bytes)
		return -ENOMEM;
	if (mutex_lock_killable(&region->lock)) {
		ret = -EINTR;
		goto free;
	}
	ret = read_mapped(region, dma, bytes);
	mutex_unlock(&region->lock);
	if (!ret && copy_to_user(u64_to_user_ptr(dma->buffer), bytes, dma->length))
		ret = -EFAULT;
free:
	kfree(bytes);
	return ret;
}
