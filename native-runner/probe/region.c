// SPDX-License-Identifier: GPL-2.0-only
/* A user buffer, pinned as a driver's reg_user_mr() pins it. */
#include <linux/dma-mapping.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <rdma/ib_umem.h>
#include <rdma/ib_verbs.h>

#include "probe.h"

/* All regions of all files, so that a device can leave. */
static LIST_HEAD(regions);

/* ib_umem_get() was given a second name when its first was taken for buffers of other kinds (Linux 7.2). */
static struct ib_umem *get_umem(struct ib_device *ib, const struct umem_probe_pin *pin)
{
	int access = pin->flags & UMEM_PROBE_WRITABLE ? IB_ACCESS_LOCAL_WRITE : 0;

#ifdef PROBE_HAVE_IB_UMEM_GET_VA
	return ib_umem_get_va(ib, pin->address, pin->length, access);
#else
	return ib_umem_get(ib, pin->address, pin->length, access);
#endif
}

static void unpin(struct probe_region *region)
{
	if (!region->umem)
		return;
	ib_umem_release(region->umem);
	region->umem = NULL;
	region->ib = NULL;
}

void probe_region_add(struct probe_region *region)
{
	mutex_lock(&probe_lock);
	list_add(&region->node, &regions);
	mutex_unlock(&probe_lock);
}

void probe_region_remove(struct probe_region *region)
{
	mutex_lock(&probe_lock);
	unpin(region);
	list_del(&region->node);
	mutex_unlock(&probe_lock);
}

/* Called with probe_lock held: the device goes away. */
void probe_regions_leave(struct ib_device *ib)
{
	struct probe_region *region;

	list_for_each_entry(region, &regions, node)
		if (region->ib == ib)
			unpin(region);
}

static struct ib_umem *pin_on_pci(struct ib_device *ib, const struct umem_probe_pin *pin)
{
	struct probe_limits own, limits;
	struct ib_umem *umem;

	limits.max_segment = pin->max_segment ?: dma_get_max_seg_size(ib->dma_device);
	limits.boundary = pin->boundary ?: dma_get_seg_boundary(ib->dma_device);
	if (!probe_limits_valid(limits))
		return ERR_PTR(-EINVAL);
	own = probe_pci_set_limits(limits);
	umem = get_umem(ib, pin);
	probe_pci_set_limits(own);
	return umem;
}

static struct ib_umem *pin_on_rdma(struct ib_device *ib, const struct umem_probe_pin *pin)
{
	if (pin->max_segment || pin->boundary)
		return ERR_PTR(-EINVAL);
	return get_umem(ib, pin);
}

static long pin_locked(struct probe_region *region, struct umem_probe_pin *pin)
{
	struct ib_device *ib = pin->device[0] ? probe_rdma_find(pin->device) : probe_pci_ib();
	struct ib_umem *umem;

	if (region->umem)
		return -EBUSY;
	if (!ib)
		return -ENODEV;
	umem = pin->device[0] ? pin_on_rdma(ib, pin) : pin_on_pci(ib, pin);
	if (IS_ERR(umem))
		return PTR_ERR(umem);
	region->umem = umem;
	region->ib = ib;
	pin->sg_count = umem->sgt_append.sgt.orig_nents;
	pin->dma_count = umem->sgt_append.sgt.nents;
	return 0;
}

long probe_pin(struct probe_region *region, struct umem_probe_pin *pin)
{
	long ret;

	if ((pin->flags & ~UMEM_PROBE_WRITABLE) || !pin->length ||
	    pin->length > (UMEM_PROBE_MAX_FRAMES << PAGE_SHIFT) ||
	    strnlen(pin->device, sizeof(pin->device)) == sizeof(pin->device))
		return -EINVAL;
	if (mutex_lock_killable(&probe_lock))
		return -EINTR;
	ret = pin_locked(region, pin);
	mutex_unlock(&probe_lock);
	return ret;
}

long probe_unpin(struct probe_region *region)
{
	long ret;

	if (mutex_lock_killable(&probe_lock))
		return -EINTR;
	ret = region->umem ? 0 : -ENOENT;
	unpin(region);
	mutex_unlock(&probe_lock);
	return ret;
}

long probe_region_lists(struct probe_region *region, struct umem_probe_lists *lists)
{
	long ret = -ENOENT;

	if (mutex_lock_killable(&probe_lock))
		return -EINTR;
	if (region->umem) {
		struct sg_table *sgt = &region->umem->sgt_append.sgt;

		ret = probe_put_sg(&lists->sg, sgt) ?: probe_put_dma(&lists->dma, sgt);
	}
	mutex_unlock(&probe_lock);
	return ret;
}

static long best_locked(struct ib_umem *umem, struct umem_probe_best *best)
{
	u64 iova;
	long ret;

	if (!umem)
		return -ENOENT;
	if (offset_in_page(umem->address ^ best->virt))
		return -EINVAL;
	/* The question sets umem->iova, and ib_umem_release() counts the pinned pages by it. */
	iova = umem->iova;
	ret = probe_ask_best(umem, best);
	umem->iova = iova;
	return ret;
}

long probe_region_best(struct probe_region *region, struct umem_probe_best *best)
{
	long ret;

	if (best->dma.runs || best->dma.count || best->address || best->length)
		return -EINVAL;
	if (mutex_lock_killable(&probe_lock))
		return -EINTR;
	ret = best_locked(region->umem, best);
	mutex_unlock(&probe_lock);
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

long probe_region_dma(struct probe_region *region, const struct umem_probe_dma *dma)
{
	long ret = -ENOENT;

	if (!dma->length || dma->length > UMEM_PROBE_MAX_DMA)
		return -EINVAL;
	if (mutex_lock_killable(&probe_lock))
		return -EINTR;
	if (region->umem && region->ib == probe_pci_ib()) {
		ret = -EINVAL;
		if (within_segment(&region->umem->sgt_append.sgt, dma))
			ret = probe_pci_read(dma->address, dma->length, u64_to_user_ptr(dma->buffer));
	}
	mutex_unlock(&probe_lock);
	return ret;
}
