/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the module share. */
#ifndef PROBE_H
#define PROBE_H

#include <linux/compiler.h>
#include <linux/device.h>
#include <linux/mutex.h>
#include <linux/scatterlist.h>
#include <rdma/ib_umem.h>
#include <rdma/ib_verbs.h>
/* Until Linux 7.1 (and the stable kernels that took its fixes) the block iterator was in ib_umem.h and ib_verbs.h. */
#if __has_include(<rdma/iter.h>)
#include <rdma/iter.h>
#endif

#include "umem_probe.h"

#if BITS_PER_LONG != 64
#error "umem_probe knows 64-bit kernels only"
#endif

/* Guards the PCI device, its dma_parms and all regions: one question at a time. */
extern struct mutex probe_lock;

/* region.c: a user buffer, pinned; one per open file. */
struct probe_region {
	struct list_head node;		/* in the list of all regions */
	struct ib_umem *umem;		/* NULL: nothing is pinned */
	struct ib_device *ib;
};

void probe_region_add(struct probe_region *region);
void probe_region_remove(struct probe_region *region);
void probe_regions_leave(struct ib_device *ib);
long probe_pin(struct probe_region *region, struct umem_probe_pin *pin);
long probe_unpin(struct probe_region *region);
long probe_region_lists(struct probe_region *region, struct umem_probe_lists *lists);
long probe_region_best(struct probe_region *region, struct umem_probe_best *best);
long probe_region_dma(struct probe_region *region, const struct umem_probe_dma *dma);

/* best.c */
long probe_best(struct umem_probe_best *best);
long probe_ask_best(struct ib_umem *umem, struct umem_probe_best *best);

/* frames.c */
long probe_coalesce(struct umem_probe_frames *frames);
long probe_map(struct umem_probe_frames *frames);

/* lists.c: lists from and to user space. */
struct umem_probe_run *probe_get_runs(const struct umem_probe_list *list);
int probe_put_sg(struct umem_probe_list *list, struct sg_table *sgt);
int probe_put_dma(struct umem_probe_list *list, struct sg_table *sgt);

/* rdma.c: want probe_lock, but for (un)register. */
int probe_rdma_register(void);
void probe_rdma_unregister(void);
struct ib_device *probe_rdma_find(const char *name);

/* pci.c: QEMU's edu device. All but (un)register want probe_lock. */
struct probe_limits {
	u32 max_segment;
	u64 boundary;
};

int probe_pci_register(void);
void probe_pci_unregister(void);
struct device *probe_pci_device(void);
struct ib_device *probe_pci_ib(void);
bool probe_limits_valid(struct probe_limits limits);
struct probe_limits probe_pci_set_limits(struct probe_limits limits);
int probe_pci_read(dma_addr_t address, size_t length, void __user *to);

/* domain.c */
void probe_domain(struct device *dev, struct umem_probe_info *info);

#endif
