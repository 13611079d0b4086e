// SPDX-License-Identifier: GPL-2.0-only
/* What a device is to the DMA layer. */
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/iommu.h>
#include <linux/string.h>
#include <linux/swiotlb.h>

#ifdef CONFIG_PPC64
#include <asm/iommu.h>
#endif

#include "probe.h"

static u32 domain_type(const struct iommu_domain *domain)
{
	switch (domain->type) {
	case IOMMU_DOMAIN_IDENTITY:
		return UMEM_PROBE_DOMAIN_IDENTITY;
	case IOMMU_DOMAIN_DMA:
		return UMEM_PROBE_DOMAIN_DMA;
	case IOMMU_DOMAIN_DMA_FQ:
		return UMEM_PROBE_DOMAIN_DMA_FQ;
	default:
		return UMEM_PROBE_DOMAIN_OTHER;
	}
}

#ifdef CONFIG_PPC64
/*
 * POWER does not map through a domain of the IOMMU API, which from 6.10 on is there all the same. See dma_go_direct() in
 * kernel/dma/mapping.c and dma_iommu_dma_supported() in arch/powerpc/kernel/dma-iommu.c.
 */
static bool describe_power(struct device *dma, struct umem_probe_device *info)
{
	const struct iommu_table *table;

	if (get_dma_ops(dma) && !dma->dma_ops_bypass) {
		table = get_iommu_table_base(dma);
		info->domain = table && !dma->bus_dma_limit ? UMEM_PROBE_DOMAIN_TABLES : UMEM_PROBE_DOMAIN_OTHER;
		info->domain_sizes = table ? IOMMU_PAGE_SIZE(table) | (u64)table->it_size << table->it_page_shift : 0;
		return true;
	}
	if (!dma->archdata.dma_offset)
		return false;
	info->domain = dma->archdata.dma_offset == 1ULL << 59 ? UMEM_PROBE_DOMAIN_WINDOW : UMEM_PROBE_DOMAIN_OTHER;
	info->domain_sizes = 0;
	return true;
}
#else
static bool describe_power(struct device *dma, struct umem_probe_device *info)
{
	return false;
}
#endif

static void describe_dma(struct device *dma, struct umem_probe_device *info)
{
	struct iommu_domain *domain;

	info->dma_mask = dma_get_mask(dma);
	if (describe_power(dma, info))
		return;
	domain = iommu_get_domain_for_dev(dma);
	info->domain = domain ? domain_type(domain) : UMEM_PROBE_DOMAIN_NONE;
	if (info->domain <= UMEM_PROBE_DOMAIN_IDENTITY && is_swiotlb_force_bounce(dma))
		info->domain = UMEM_PROBE_DOMAIN_OTHER;
	info->domain_sizes = domain ? domain->pgsize_bitmap : 0;
}

long probe_describe(struct umem_probe_device *info)
{
	struct probe_device *device;
	struct probe_limits limits;

	if (strnlen(info->device, sizeof(info->device)) == sizeof(info->device))
		return -EINVAL;
	device = probe_device_lock(info->device);
	if (IS_ERR(device))
		return PTR_ERR(device);
	limits = probe_device_limits(device);
	info->max_segment = limits.max_segment;
	info->boundary = limits.boundary;
	info->domain = UMEM_PROBE_DOMAIN_CPU;
	info->dma_mask = U64_MAX;
	info->domain_sizes = 0;
	if (device->dma)
		describe_dma(device->dma, info);
	mutex_unlock(&probe_lock);
	return 0;
}
