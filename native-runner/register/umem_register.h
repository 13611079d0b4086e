/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/* What /dev/umem_register is asked. */
#ifndef UMEM_REGISTER_H
#define UMEM_REGISTER_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* Registers memory of the process for the PCI device, in place of what the file had registered before. */
struct umem_register {
	__u64 address;
	__u64 length;
	/* The address that the NIC would use. */
	__u64 virt;
	/* Its page sizes, as a bitmap; 0: nothing is chosen. */
	__u64 sizes;
	/* IB_ACCESS_... */
	__u32 access;
	/* A dma-buf of which the address is an offset; -1: memory of the process. */
	__s32 dma_buf;
	__u32 unused;
	/* Returned: entries of the DMA list. */
	__u32 nents;
	/* Returned: the page size that was chosen, 0 if none fits. */
	__u64 best;
};

#define UMEM_REGISTER _IOWR('U', 0x40, struct umem_register)

#endif
