// SPDX-License-Identifier: GPL-2.0-only
/*
 * Registers user memory for QEMU's edu device, as an RDMA driver does for its own: ib_umem_get(), ib_umem_find_best_pgsz() and a walk of
 * the blocks, in the caller's context. For the lab alone, where `umem watch` is held against it: an RDMA device behind an IOMMU is what
 * QEMU lacks.
 *
 * The device must not leave while memory is registered, and a page that never arrives keeps it: the probe module does better, and hence
 * maps for that device without ib_umem_get().
 */
#include <linux/dma-mapping.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <rdma/ib_umem.h>
#include <rdma/ib_verbs.h>
#if __has_include(<rdma/iter.h>)
#include <rdma/iter.h>
#endif

#include "umem_register.h"

static struct registrar {
	struct ib_device ib;
} *registrar;

static struct pci_dev *pdev;

/* What an open file has registered. */
struct registered {
	struct mutex lock;
	struct ib_umem *umem;
};

static struct ib_umem *get_umem(const struct umem_register *question)
{
	struct ib_umem_dmabuf *dma_buf;

	if (question->dma_buf >= 0) {
		dma_buf = ib_umem_dmabuf_get_pinned(&registrar->ib, question->address, question->length,
						    question->dma_buf, question->access);
		return IS_ERR(dma_buf) ? ERR_CAST(dma_buf) : &dma_buf->umem;
	}
#ifdef HAVE_IB_UMEM_GET_VA
	return ib_umem_get_va(&registrar->ib, question->address, question->length, question->access);
#else
	return ib_umem_get(&registrar->ib, question->address, question->length, question->access);
#endif
}

static long choose(struct ib_umem *umem, struct umem_register *question)
{
	struct ib_block_iter iter;
	u64 blocks = 0;

	question->best = ib_umem_find_best_pgsz(umem, question->sizes, question->virt);
	if (!question->best)
		return 0;
	rdma_umem_for_each_dma_block(umem, &iter, question->best) {
		blocks++;
		cond_resched();
	}
	return blocks ? 0 : -EIO;
}

static long ask(struct registered *registered, struct umem_register *question)
{
	struct ib_umem *umem;
	long ret = 0;

	if (offset_in_page(question->address ^ question->virt))
		return -EINVAL;
	if (registered->umem)
		ib_umem_release(registered->umem);
	registered->umem = NULL;
	umem = get_umem(question);
	if (IS_ERR(umem))
		return PTR_ERR(umem);
	registered->umem = umem;
	question->nents = umem->sgt_append.sgt.nents;
	question->best = 0;
	if (question->sizes)
		ret = choose(umem, question);
	return ret;
}

static long register_ioctl(struct file *file, unsigned int request, unsigned long argument)
{
	struct registered *registered = file->private_data;
	struct umem_register question;
	long ret;

	if (request != UMEM_REGISTER)
		return -ENOTTY;
	if (copy_from_user(&question, (void __user *)argument, sizeof(question)))
		return -EFAULT;
	if (mutex_lock_killable(&registered->lock))
		return -EINTR;
	ret = ask(registered, &question);
	mutex_unlock(&registered->lock);
	if (!ret && copy_to_user((void __user *)argument, &question, sizeof(question)))
		return -EFAULT;
	return ret;
}

static int register_open(struct inode *inode, struct file *file)
{
	struct registered *registered = kzalloc(sizeof(*registered), GFP_KERNEL);

	if (!registered)
		return -ENOMEM;
	mutex_init(&registered->lock);
	file->private_data = registered;
	return 0;
}

static int register_release(struct inode *inode, struct file *file)
{
	struct registered *registered = file->private_data;

	if (registered->umem)
		ib_umem_release(registered->umem);
	mutex_destroy(&registered->lock);
	kfree(registered);
	return 0;
}

static const struct file_operations register_operations = {
	.owner = THIS_MODULE,
	.open = register_open,
	.release = register_release,
	.unlocked_ioctl = register_ioctl,
};

static struct miscdevice register_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "umem_register",
	.fops = &register_operations,
	.mode = 0600,
};

static int __init register_init(void)
{
	int ret;

	pdev = pci_get_device(0x1234, 0x11e8, NULL);
	if (!pdev)
		return -ENODEV;
	registrar = ib_alloc_device(registrar, ib);
	if (!registrar) {
		pci_dev_put(pdev);
		return -ENOMEM;
	}
	registrar->ib.dma_device = &pdev->dev;
	strscpy(registrar->ib.name, "pci0", IB_DEVICE_NAME_MAX);
	ret = misc_register(&register_device);
	if (ret) {
		ib_dealloc_device(&registrar->ib);
		pci_dev_put(pdev);
	}
	return ret;
}

static void __exit register_exit(void)
{
	misc_deregister(&register_device);
	ib_dealloc_device(&registrar->ib);
	pci_dev_put(pdev);
}

module_init(register_init);
module_exit(register_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Registers user memory for QEMU's edu device, to be watched");
