// SPDX-License-Identifier: GPL-2.0-only
/*
 * umem_probe: asks this kernel how it describes memory to RDMA devices.
 *
 * For test machines: it tells physical addresses, and maps any frame of memory for a device to read.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/security.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "probe.h"

static int probe_open(struct inode *inode, struct file *file)
{
	struct probe_region *region;
	int ret;

	if (!capable(CAP_SYS_RAWIO))
		return -EPERM;
	/* It tells what /dev/mem tells. */
	ret = security_locked_down(LOCKDOWN_DEV_MEM);
	if (ret)
		return ret;

	region = kzalloc(sizeof(*region), GFP_KERNEL);
	if (!region)
		return -ENOMEM;
	probe_region_init(region);
	file->private_data = region;
	return 0;
}

static int probe_release(struct inode *inode, struct file *file)
{
	struct probe_region *region = file->private_data;

	probe_region_release(region);
	kfree(region);
	return 0;
}

static long probe_info(struct umem_probe_info *info)
{
	*info = (struct umem_probe_info){ .abi = UMEM_PROBE_ABI, .page_size = PAGE_SIZE };
	return 0;
}

/* Every argument is copied in whole, and out whole when the question was answered. */
union probe_argument {
	struct umem_probe_info info;
	struct umem_probe_best best;
	struct umem_probe_frames frames;
	struct umem_probe_pin pin;
	struct umem_probe_lists lists;
	struct umem_probe_dma dma;
	struct umem_probe_device device;
	struct umem_probe_dmabuf dmabuf;
};

static long probe_answer(struct probe_region *region, unsigned int cmd, union probe_argument *arg)
{
	switch (cmd) {
	case UMEM_PROBE_INFO:
		return probe_info(&arg->info);
	case UMEM_PROBE_BEST:
		return probe_best(&arg->best);
	case UMEM_PROBE_COALESCE:
		return probe_coalesce(&arg->frames);
	case UMEM_PROBE_MAP:
		return probe_map(&arg->frames);
	case UMEM_PROBE_PIN:
		return probe_pin(region, &arg->pin);
	case UMEM_PROBE_UNPIN:
		return probe_unpin(region);
	case UMEM_PROBE_LISTS:
		return probe_region_lists(region, &arg->lists);
	case UMEM_PROBE_REGION_BEST:
		return probe_region_best(region, &arg->best);
	case UMEM_PROBE_DMA:
		return probe_region_dma(region, &arg->dma);
	case UMEM_PROBE_DEVICE:
		return probe_describe(&arg->device);
	case UMEM_PROBE_DMABUF:
		return probe_dmabuf(&arg->dmabuf);
	default:
		return -ENOTTY;
	}
}

static long probe_ioctl(struct file *file, unsigned int cmd, unsigned long user)
{
	void __user *argument = (void __user *)user;
	size_t size = _IOC_SIZE(cmd);
	union probe_argument arg = {};
	long ret;

	if (size > sizeof(arg))
		return -ENOTTY;
	if ((_IOC_DIR(cmd) & _IOC_WRITE) && copy_from_user(&arg, argument, size))
		return -EFAULT;
	ret = probe_answer(file->private_data, cmd, &arg);
	if (!ret && (_IOC_DIR(cmd) & _IOC_READ) && copy_to_user(argument, &arg, size))
		return -EFAULT;
	return ret;
}

static const struct file_operations probe_operations = {
	.owner = THIS_MODULE,
	.open = probe_open,
	.release = probe_release,
	.unlocked_ioctl = probe_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

static struct miscdevice probe_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "umem-probe",
	.fops = &probe_operations,
	.mode = 0600,
};

static int __init probe_init(void)
{
	int ret;

	ret = probe_regions_register();
	if (ret)
		return ret;
	ret = probe_dmabufs_register();
	if (ret)
		goto unregister_regions;
	ret = probe_pci_register();
	if (ret)
		goto unregister_dmabufs;
	ret = probe_rdma_register();
	if (ret)
		goto unregister_pci;
	ret = misc_register(&probe_device);
	if (ret)
		goto unregister_rdma;
	pr_notice("for test machines only: root can read physical addresses from it\n");
	return 0;

unregister_rdma:
	probe_rdma_unregister();
unregister_pci:
	probe_pci_unregister();
unregister_dmabufs:
	probe_dmabufs_unregister();
unregister_regions:
	probe_regions_unregister();
	return ret;
}
module_init(probe_init);

static void __exit probe_exit(void)
{
	misc_deregister(&probe_device);
	probe_rdma_unregister();
	probe_pci_unregister();
	probe_dmabufs_unregister();
	probe_regions_unregister();
}
module_exit(probe_exit);

MODULE_DESCRIPTION("Asks the kernel how it describes memory to RDMA devices; for TEST MACHINES only");
MODULE_AUTHOR("The umem project");
MODULE_LICENSE("GPL");
