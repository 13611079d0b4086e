// SPDX-License-Identifier: GPL-2.0-only
/*
 * QEMU's edu device: the PCI device in whose name memory is mapped, and that reads it.
 * Its registers: docs/specs/edu.rst in QEMU's source.
 */
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/io.h>
#include <linux/iopoll.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/string.h>
#include <linux/swab.h>

#include "probe.h"

#define EDU_DMA_SOURCE		0x80
#define EDU_DMA_DESTINATION	0x88
#define EDU_DMA_COUNT		0x90
#define EDU_DMA_COMMAND		0x98
#define EDU_DMA_START		BIT(0)
#define EDU_DMA_TO_MEMORY	BIT(1)
/* The device's own memory, in its own addresses. */
#define EDU_BUFFER		0x40000

/* POWER gives a device that drives fewer bits a table of its own instead of the direct window. */
static unsigned int dma_bits = 64;
module_param(dma_bits, uint, 0444);
MODULE_PARM_DESC(dma_bits, "how many address bits the PCI device's driver says it drives (64)");

/* QEMU's edu has its registers in the byte order of its target, which for POWER is big endian whatever the kernel is. */
#ifdef CONFIG_PPC64
#define edu_writeq(value, address)	writeq(swab64(value), address)
#define edu_readq(address)		swab64(readq(address))
#else
#define edu_writeq(value, address)	writeq(value, address)
#define edu_readq(address)		readq(address)
#endif

/* Guarded by probe_lock. */
static struct edu {
	struct pci_dev *pdev;		/* NULL: there is none */
	struct probe_device device;
	void __iomem *registers;
	void *bounce;
	dma_addr_t bounce_address;
} edu;

/* Takes probe_lock and returns the device, which stays for as long as the lock is held. */
struct probe_device *probe_pci_lock(void)
{
	if (mutex_lock_killable(&probe_lock))
		return ERR_PTR(-EINTR);
	if (edu.pdev)
		return &edu.device;
	mutex_unlock(&probe_lock);
	return ERR_PTR(-ENODEV);
}

static int edu_transfer(u64 from, u64 to, size_t length, u64 direction)
{
	u64 command;

	edu_writeq(from, edu.registers + EDU_DMA_SOURCE);
	edu_writeq(to, edu.registers + EDU_DMA_DESTINATION);
	edu_writeq(length, edu.registers + EDU_DMA_COUNT);
	edu_writeq(direction | EDU_DMA_START, edu.registers + EDU_DMA_COMMAND);
	/* It takes its time: a tenth of a second. */
	return read_poll_timeout(edu_readq, command, !(command & EDU_DMA_START), 1000, 5 * USEC_PER_SEC, false,
				 edu.registers + EDU_DMA_COMMAND);
}

/* Has the device read: into its own memory, and from there to where we can see it. */
int probe_pci_read(dma_addr_t address, size_t length, void *to)
{
	int ret;

	memset(edu.bounce, 0, UMEM_PROBE_MAX_DMA);
	ret = edu_transfer(address, EDU_BUFFER, length, 0);
	if (!ret)
		ret = edu_transfer(EDU_BUFFER, edu.bounce_address, length, EDU_DMA_TO_MEMORY);
	if (!ret)
		memcpy(to, edu.bounce, length);
	return ret;
}

static int edu_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct edu new = { .pdev = pdev };
	int ret;

	ret = pcim_enable_device(pdev);
	if (ret)
		return ret;
	if (dma_bits < 24 || dma_bits > 64)
		return -EINVAL;
	ret = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(dma_bits));
	if (ret)
		return ret;
	new.registers = pcim_iomap(pdev, 0, 0);
	if (!new.registers)
		return -ENOMEM;
	new.bounce = dmam_alloc_coherent(&pdev->dev, UMEM_PROBE_MAX_DMA, &new.bounce_address, GFP_KERNEL);
	if (!new.bounce)
		return -ENOMEM;
	pci_set_master(pdev);

	mutex_lock(&probe_lock);
	if (edu.pdev) {
		ret = -EBUSY;	/* One is enough. */
	} else {
		edu = new;
		probe_device_init(&edu.device, &pdev->dev);
	}
	mutex_unlock(&probe_lock);
	if (ret)
		pci_clear_master(pdev);
	return ret;
}

static void edu_remove(struct pci_dev *pdev)
{
	mutex_lock(&probe_lock);
	probe_device_leave(&edu.device);
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
