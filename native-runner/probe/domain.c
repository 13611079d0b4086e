// SPDX-License-Identifier: GPL-2.0-only
/* What translates a device's addresses. */
#include <linux/iommu.h>

#include "probe.h"

static u32 domain_type(unsigned int type)
{
	switch (type) {
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

void probe_domain(struct device *dev, struct umem_probe_info *info)
{
	struct iommu_domain *domain = dev ? iommu_get_domain_for_dev(dev) : NULL;

	info->device = !!dev;
	if (!domain)
		return;
	info->domain = domain_type(domain->type);
	info->domain_sizes = domain->pgsize_bitmap;
}
