/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the module share. Each calls only those above it:
 *
 *	lists.c  device.c		lists of user space; devices and mappings
 *	rdma.c   pci.c   best.c		devices that come and go; the best page size
 *	domain.c			what a device is to the DMA layer
 *	frames.c			frames -> SG list -> DMA list
 *	region.c   dmabuf.c		user memory, pinned; what other drivers export
 *	main.c				the ioctls
 */
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

/* lists.c: lists from and to user space. They touch user memory: never under probe_lock. */
struct umem_probe_run *probe_get_runs(const struct umem_probe_list *list);
int probe_put_runs(struct umem_probe_list *list, const struct umem_probe_run *runs, u64 count);
int probe_put_sg(struct umem_probe_list *list, struct sg_table *sgt);
int probe_put_dma(struct umem_probe_list *list, struct sg_table *sgt);

/*
 * device.c. All of it wants probe_lock, which guards which devices there are, what is mapped for them, and their limits.
 *
 * A departing device waits for this lock. Never touch user memory while holding it, neither by pinning nor by copying: a page
 * that never arrives (userfaultfd, FUSE) would block the removal of the device.
 */
extern struct mutex probe_lock;

struct probe_device {
	struct list_head mappings;
	struct device *dma;		/* NULL: its DMA is the CPU's */
	u64 arrival;			/* no two devices have the same */
};

struct probe_mapping {
	struct list_head node;		/* in the device's mappings */
	struct probe_device *device;	/* NULL: nothing is mapped */
	struct sg_table *sgt;
};

struct probe_limits {
	u32 max_segment;
	u64 boundary;
};

void probe_device_init(struct probe_device *device, struct device *dma);
void probe_device_leave(struct probe_device *device);
bool probe_limits_valid(struct probe_limits limits);
struct probe_limits probe_device_limits(const struct probe_device *device);
bool probe_map_hangs(const struct sg_table *sgt, struct probe_limits limits);
void probe_device_set_limits(struct probe_device *device, struct probe_limits limits);
int probe_mapping_make(struct probe_mapping *mapping, struct probe_device *device, struct sg_table *sgt,
		       struct probe_limits limits);
void probe_mapping_end(struct probe_mapping *mapping);

/* rdma.c and pci.c. The functions that lock take probe_lock; on an error they have not. */
int probe_rdma_register(void);
void probe_rdma_unregister(void);
struct probe_device *probe_rdma_lock(const char *name);
int probe_pci_register(void);
void probe_pci_unregister(void);
struct probe_device *probe_pci_lock(void);
/* The RDMA device of that name; "": the PCI device. */
static inline struct probe_device *probe_device_lock(const char *name)
{
	return name[0] ? probe_rdma_lock(name) : probe_pci_lock();
}
/* Wants probe_lock, taken by probe_pci_lock(). */
int probe_pci_read(dma_addr_t address, size_t length, void *to);

/* domain.c */
long probe_describe(struct umem_probe_device *info);

/* best.c */
long probe_best(struct umem_probe_best *best);
long probe_ask_best(const struct sg_table *sgt, u64 address, u64 length, struct umem_probe_best *best);

/* frames.c */
long probe_coalesce(struct umem_probe_frames *frames);
long probe_map(struct umem_probe_frames *frames);
long probe_append_frames(struct sg_append_table *table, const struct umem_probe_run *runs, u64 total, u32 max_segment);

/* dmabuf.c */
int probe_dmabufs_register(void);
void probe_dmabufs_unregister(void);
long probe_dmabuf(struct umem_probe_dmabuf *dmabuf);

/* region.c: a user buffer, pinned; one per open file. */
struct probe_region {
	/* One question at a time. Taken before probe_lock; user memory may be touched under it. */
	struct mutex lock;
	struct ib_umem *umem;		/* NULL: nothing is pinned */
	struct sg_append_table own;	/* the list of a device with DMA; without, it is the umem's */
	struct probe_mapping mapping;
};

int probe_regions_register(void);
void probe_regions_unregister(void);
void probe_region_init(struct probe_region *region);
void probe_region_release(struct probe_region *region);
long probe_pin(struct probe_region *region, struct umem_probe_pin *pin);
long probe_unpin(struct probe_region *region);
long probe_region_lists(struct probe_region *region, struct umem_probe_lists *lists);
long probe_region_best(struct probe_region *region, struct umem_probe_best *best);
long probe_region_dma(struct probe_region *region, const struct umem_probe_dma *dma);

#endif
