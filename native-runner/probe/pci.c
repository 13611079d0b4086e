// SPDX-License-Identifier: GPL-2.0-only
/*
 * QEMU's edu device: the PCI device in whose name memory is mapped, and that reads it.
 * Its registers: docs/specs/edu.rst in QEMU's source.
 */
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/io.h>
#include <linux/iopoll.h>
#include <linux/log2.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "probe.h"

#define EDU_DMA_SOURCE		0x80
#define EDU_DMA_DESTINATION	0x88
#define EDU_DMA_COUNT		0x90
#define EDU_DMA_COMMAND		0x98
#define EDU_DMA_START		BIT(0)
#define EDU_DMA_TO_MEMORY	BIT(1)
/* The device's own memory, in its own addresses. */
#define EDU_BUFFER		0x40000

/* A device for ib_umem_get(), which wants no more of it than its DMA device: it is never registered. */
struct edu_ib {
	struct ib_device ib;
};

static struct edu {
	struct pci_dev *pdev;		/* NULL: there is none */
	struct edu_ib *ib;
	void __iomem *registers;
	void *bounce;
	dma_addr_t bounce_address;
} edu;

struct device *probe_pci_device(void)
{
	return edu.pdev ? &edu.pdev->dev : NULL;
}

struct ib_device *probe_pci_ib(void)
{
	return edu.pdev ? &edu.ib->ib : NULL;
}

/* A segment holds a page at least, and the boundary is a power of two less one. */
bool probe_limits_valid(struct probe_limits limits)
{
	return limits.max_segment >= PAGE_SIZE && limits.boundary >= PAGE_SIZE - 1 &&
	       (limits.boundary == U64_MAX || is_power_of_2(limits.boundary + 1));
}

/* Sets what the DMA layer respects for the device; returns what it respected before. */
struct probe_limits probe_pci_set_limits(struct probe_limits limits)
{
	struct device *dev = &edu.pdev->dev;
	struct probe_limits before = {
		.max_segment = dma_get_max_seg_size(dev),
		.boundary = dma_get_seg_boundary(dev),
	};

	dma_set_max_seg_size(dev, limits.max_segment);
	dma_set_seg_boundary(dev, limits.boundary);
	return before;
}

static int edu_transfer(u64 from, u64 to, size_t length, u64 direction)
{
	u64 command;

	writeq(from, edu.registers + EDU_DMA_SOURCE);
	writeq(to, edu.registers + EDU_DMA_DESTINATION);
	writeq(length, edu.registers + EDU_DMA_COUNT);
	writeq(direction | EDU_DMA_START, edu.registers + EDU_DMA_COMMAND);
	/* It takes its time: a tenth of a second. */
	return readq_poll_timeout(edu.registers + EDU_DMA_COMMAND, command, !(command & EDU_DMA_START),
				  1000, 5 * USEC_PER_SEC);
}

/* Has the device read: into its own memory, and from there to where we can see it. */
int probe_pci_read(dma_addr_t address, size_t length, void __user *to)
{
	int ret;

	if (!edu.pdev)
		return -ENODEV;
	memset(edu.bounce, 0, UMEM_PROBE_MAX_DMA);
	ret = edu_transfer(address, EDU_BUFFER, length, 0);
	if (!ret)
		ret = edu_transfer(EDU_BUFFER, edu.bounce_address, length, EDU_DMA_TO_MEMORY);
	if (ret)
		return ret;
	return copy_to_user(to, edu.bounce, length) ? -EFAULT : 0;
}

static int edu_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct edu new = { .pdev = pdev };
	int ret;

	ret = pcim_enable_device(pdev);
	if (ret)
		return ret;
	ret = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	if (ret)
		return ret;
	new.registers = pcim_iomap(pdev, 0, 0);
	if (!new.registers)
		return -ENOMEM;
	new.bounce = dmam_alloc_coherent(&pdev->dev, UMEM_PROBE_MAX_DMA, &new.bounce_address, GFP_KERNEL);
	if (!new.bounce)
		return -ENOMEM;
	new.ib = ib_alloc_device(edu_ib, ib);
	if (!new.ib)
		return -ENOMEM;
	new.ib->ib.dma_device = &pdev->dev;
	pci_set_master(pdev);

	mutex_lock(&probe_lock);
	if (edu.pdev)
		ret = -EBUSY;	/* One is enough. */
	else
		edu = new;
	mutex_unlock(&probe_lock);
	if (ret)
		ib_dealloc_device(&new.ib->ib);
	return ret;
}

static void edu_remove(struct pci_dev *pdev)
{
	mutex_lock(&probe_lock);
	probe_regions_leave(&edu.ib->ib);
	ib_dealloc_device(&edu.ib->ib);
	edu = (struct edu){};
	mutex_unlock(&probe_lock);
	pci_clear_master(pdev);
}

/* No MODULE_DEVICE_TABLE: this is loaded by hand or not at all. */
static const struct pci_device_id edu_ids[] = {
	{ PCI_DEVICE(0x1234, 0x11e8) },
	{}
};

static struct pci_driver edu_driver = {
	.name = KBUILD_MODNAME,
	.id_table = edu_ids,
	.probe = edu_probe,
	.remove = edu_remove,
};

int probe_pci_register(void)
{
	return pci_register_driver(&edu_driver);
}

void probe_pci_unregister(void)
{
	pci_unregister_driver(&edu_driver);
}
