// SPDX-License-Identifier: GPL-2.0-only
/* The devices that memory is mapped for, and what is mapped for them. It calls no other file of the module. */
#include <linux/dma-mapping.h>
#include <linux/list.h>
#include <linux/log2.h>

#include "probe.h"

DEFINE_MUTEX(probe_lock);

/* How many devices have come so far: a name may come back with another device behind it. */
static u64 arrivals;

/* ib_umem_get() demands it where the kernel can, and fails instead of bouncing (Linux 7.1). */
#ifdef DMA_ATTR_REQUIRE_COHERENT
#define UMEM_ATTRS DMA_ATTR_REQUIRE_COHERENT
#else
#define UMEM_ATTRS 0
#endif

void probe_device_init(struct probe_device *device, struct device *dma)
{
	INIT_LIST_HEAD(&device->mappings);
	device->dma = dma;
	device->arrival = ++arrivals;
}

/* A segment holds a page at least, and the boundary is a power of two less one. */
bool probe_limits_valid(struct probe_limits limits)
{
	return limits.max_segment >= PAGE_SIZE && limits.boundary >= PAGE_SIZE - 1 &&
	       (limits.boundary == U64_MAX || is_power_of_2(limits.boundary + 1));
}

/* ib_dma_max_seg_size(), and the boundary that the DMA layer respects. */
struct probe_limits probe_device_limits(const struct probe_device *device)
{
	if (!device->dma)
		return (struct probe_limits){ .max_segment = UINT_MAX, .boundary = U64_MAX };
	return (struct probe_limits){
		.max_segment = dma_get_max_seg_size(device->dma),
		.boundary = dma_get_seg_boundary(device->dma),
	};
}

/*
 * Sets the limits of a device of our own. Another driver's device only ever gets its own limits back, which changes nothing:
 * setting them is skipped, since the kernel warns if the driver has not set up any.
 */
void probe_device_set_limits(struct probe_device *device, struct probe_limits limits)
{
	struct probe_limits own = probe_device_limits(device);

	if (limits.max_segment != own.max_segment)
		dma_set_max_seg_size(device->dma, limits.max_segment);
	if (limits.boundary != own.boundary)
		dma_set_seg_boundary(device->dma, limits.boundary);
}

/*
 * Whether mapping would never return. Behind POWER's table iommu_area_alloc() (lib/iommu-helper.c) searches for ever for a place for
 * an entry that is longer than the boundary [Linux 6.1.176, 6.12.107].
 */
bool probe_map_hangs(const struct sg_table *sgt, struct probe_limits limits)
{
	struct scatterlist *sg;
	unsigned int i;

	if (!IS_ENABLED(CONFIG_PPC64))
		return false;
	for_each_sgtable_sg(sgt, sg, i)
		if (sg->length - 1ULL > limits.boundary)
			return true;
	return false;
}

/*
 * Maps a list as ib_umem_get() does, under @limits. A device without DMA uses the CPU's addresses, which
 * ib_umem_get() has put into the list already.
 */
int probe_mapping_make(struct probe_mapping *mapping, struct probe_device *device, struct sg_table *sgt,
		       struct probe_limits limits)
{
	if (device->dma) {
		struct probe_limits own = probe_device_limits(device);
		int ret;

		if (probe_map_hangs(sgt, limits))
			return -EINVAL;
		probe_device_set_limits(device, limits);
		ret = dma_map_sgtable(device->dma, sgt, DMA_BIDIRECTIONAL, UMEM_ATTRS);
		probe_device_set_limits(device, own);
		if (ret)
			return ret;
	}
	mapping->device = device;
	mapping->sgt = sgt;
	list_add(&mapping->node, &device->mappings);
	return 0;
}

/* Unmaps, unless that has been done when the device left. The list keeps its numbers. */
void probe_mapping_end(struct probe_mapping *mapping)
{
	struct probe_device *device = mapping->device;

	if (!device)
		return;
	if (device->dma)
		dma_unmap_sgtable(device->dma, mapping->sgt, DMA_BIDIRECTIONAL, UMEM_ATTRS);
	list_del(&mapping->node);
	mapping->device = NULL;
}

/* Nothing is mapped for the device any more. */
void probe_device_leave(struct probe_device *device)
{
	struct probe_mapping *mapping, *next;

	list_for_each_entry_safe(mapping, next, &device->mappings, node)
		probe_mapping_end(mapping);
}
