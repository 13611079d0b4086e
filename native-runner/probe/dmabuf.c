// SPDX-License-Identifier: GPL-2.0-only
/* A dma-buf of another driver, mapped for the PCI device as a driver's reg_user_mr_dmabuf() has it done. */
#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <rdma/ib_umem.h>
#include <rdma/ib_verbs.h>

#include "probe.h"

/* It is never registered: ib_umem_dmabuf_get_pinned() looks at no more than its DMA device. Guarded by probe_lock. */
static struct importer {
	struct ib_device ib;
} *importer;

/* What is left of a buffer when it is unmapped: it stays for as long as it is asked about. */
struct taken {
	struct umem_probe_run *entries;
	u64 count;
	struct sg_table dma;
	u64 address;
};

int probe_dmabufs_register(void)
{
	importer = ib_alloc_device(importer, ib);
	return importer ? 0 : -ENOMEM;
}

void probe_dmabufs_unregister(void)
{
	ib_dealloc_device(&importer->ib);
}

static void forget(struct taken *taken)
{
	kvfree(taken->entries);
	sg_free_table(&taken->dma);
}

/* The exporter's entries, untrimmed, and the segments of the region. */
static int take(struct taken *taken, struct ib_umem_dmabuf *umem_dmabuf)
{
	const struct sg_table *cut = &umem_dmabuf->umem.sgt_append.sgt;
	struct scatterlist *sg, *copy = NULL;
	unsigned int i;
	int ret;

	taken->address = umem_dmabuf->umem.address;
	taken->count = umem_dmabuf->sgt->orig_nents;
	taken->entries = kvmalloc_array(taken->count, sizeof(*taken->entries), GFP_KERNEL);
	if (!taken->entries)
		return -ENOMEM;
	for_each_sgtable_sg(umem_dmabuf->sgt, sg, i) {
		/* Some exporters hide their pages. */
		if (!sg_page(sg))
			return -EOPNOTSUPP;
		taken->entries[i].start = sg_phys(sg);
		taken->entries[i].length = sg->length;
	}
	ret = sg_alloc_table(&taken->dma, cut->nents, GFP_KERNEL);
	if (ret)
		return ret;
	copy = taken->dma.sgl;
	for_each_sgtable_dma_sg(cut, sg, i) {
		sg_dma_address(copy) = sg_dma_address(sg);
		sg_dma_len(copy) = sg_dma_len(sg);
		copy = sg_next(copy);
	}
	return 0;
}

/* Wants probe_lock: the device must be there until all is unmapped. An exporter of the kernel's own does not wait for user space. */
static int map_and_take(struct probe_device *device, const struct umem_probe_dmabuf *dmabuf, struct taken *taken)
{
	struct probe_limits own = probe_device_limits(device);
	struct probe_limits limits = { .max_segment = dmabuf->max_segment, .boundary = dmabuf->boundary };
	struct ib_umem_dmabuf *umem_dmabuf;
	int ret;

	importer->ib.dma_device = device->dma;
	probe_device_set_limits(device, limits);
	umem_dmabuf = ib_umem_dmabuf_get_pinned(&importer->ib, dmabuf->offset, dmabuf->length, dmabuf->fd,
						IB_ACCESS_LOCAL_WRITE);
	ret = PTR_ERR_OR_ZERO(umem_dmabuf);
	if (!ret) {
		ret = take(taken, umem_dmabuf);
		ib_umem_release(&umem_dmabuf->umem);
	}
	probe_device_set_limits(device, own);
	importer->ib.dma_device = NULL;
	return ret;
}

static long answer(const struct taken *taken, struct umem_probe_dmabuf *dmabuf)
{
	struct umem_probe_best *best = &dmabuf->best;
	struct sg_table dma = taken->dma;
	long ret;

	ret = probe_put_runs(&dmabuf->entries, taken->entries, taken->count) ?: probe_put_dma(&best->dma, &dma);
	if (ret)
		return ret;
	/* As uverbs demands. */
	if (offset_in_page(taken->address ^ best->virt))
		return -EINVAL;
	return probe_ask_best(&dma, taken->address, dmabuf->length, best);
}

long probe_dmabuf(struct umem_probe_dmabuf *dmabuf)
{
	struct probe_limits limits = { .max_segment = dmabuf->max_segment, .boundary = dmabuf->boundary };
	struct taken taken = {};
	struct probe_device *device;
	long ret;

	if (dmabuf->best.address || dmabuf->best.length || !probe_limits_valid(limits) ||
	    dmabuf->length > (UMEM_PROBE_MAX_FRAMES << PAGE_SHIFT))
		return -EINVAL;
	/* See probe_map_hangs(). The exporter makes its list only when it maps it, but no entry is longer than 32 bits tell. */
	if (IS_ENABLED(CONFIG_PPC64) && limits.boundary < U32_MAX)
		return -EINVAL;
	device = probe_pci_lock();
	if (IS_ERR(device))
		return PTR_ERR(device);
	ret = map_and_take(device, dmabuf, &taken);
	mutex_unlock(&probe_lock);
	if (!ret)
		ret = answer(&taken, dmabuf);
	forget(&taken);
	return ret;
}
