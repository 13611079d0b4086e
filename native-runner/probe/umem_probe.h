/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The ioctls of /dev/umem-probe: questions to this kernel's ib_umem and DMA mapping code.
 *
 * Fields are inputs unless they say "out". Reserved fields and unknown flags must be 0.
 */
#ifndef UMEM_PROBE_H
#define UMEM_PROBE_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* Changes with every change of this file that a program could notice. */
#define UMEM_PROBE_ABI 4

/* Limits. What exceeds them is refused: E2BIG for a list, EINVAL for all else. */
#define UMEM_PROBE_MAX_RUNS	(1ULL << 16)	/* runs in a list that is sent */
#define UMEM_PROBE_MAX_FRAMES	(1ULL << 21)	/* page frames coalesced, mapped or pinned at once */
#define UMEM_PROBE_MAX_BLOCKS	(1ULL << 18)	/* blocks that are returned */
#define UMEM_PROBE_MAX_DMA	2048ULL		/* bytes that the device reads at once */

/* (address, bytes) of a segment, or (page frame number, pages) of a run of frames. */
struct umem_probe_run {
	__u64 start;
	__u64 length;
};

/*
 * Sent: @count runs lie at the user address @runs.
 * Returned: there is room for @count runs at @runs; @count becomes how many there are, of which
 * only those that have room are written.
 */
struct umem_probe_list {
	__u64 runs;
	__u64 count;
};

struct umem_probe_info {
	__u32 abi;			/* out: UMEM_PROBE_ABI */
	__u32 page_size;		/* out: PAGE_SIZE */
};

/* What the DMA addresses of a device are. */
enum umem_probe_domain {
	UMEM_PROBE_DOMAIN_NONE,		/* physical: there is no IOMMU before it */
	UMEM_PROBE_DOMAIN_IDENTITY,	/* physical: the IOMMU lets them through */
	UMEM_PROBE_DOMAIN_DMA,		/* translated, unmapped at once */
	UMEM_PROBE_DOMAIN_DMA_FQ,	/* translated, unmapped lazily */
	UMEM_PROBE_DOMAIN_OTHER,	/* something else: swiotlb is forced, an IOMMU domain of another type */
	UMEM_PROBE_DOMAIN_CPU,		/* kernel virtual: a software device, which has no DMA */
	UMEM_PROBE_DOMAIN_TABLES,	/* translated by POWER's table of TCEs */
	UMEM_PROBE_DOMAIN_WINDOW,	/* POWER's direct window: physical plus 1 << 59 */
};

/* A device, as ib_umem_get() and the DMA layer see it. ENODEV: there is none. */
struct umem_probe_device {
	char device[64];		/* the RDMA device's name; empty: the PCI device */
	__u32 domain;			/* out: enum umem_probe_domain */
	__u32 max_segment;		/* out: ib_dma_max_seg_size() */
	__u64 boundary;			/* out: the boundary that no segment crosses, less one; ~0: there is none */
	__u64 dma_mask;			/* out: what it can address */
	__u64 domain_sizes;		/* out: iommu_domain.pgsize_bitmap; of POWER's table: bytes a TCE, or bytes of the window */
};

/*
 * ib_umem_find_best_pgsz() and the block iterator.
 *
 * UMEM_PROBE_BEST asks about a layout: @dma holds the DMA segments, of whole pages; the region of
 * @length bytes starts @address mod PAGE_SIZE into the first.
 * UMEM_PROBE_REGION_BEST asks about the file's pinned region: @dma, @address, @length must be 0,
 * and @virt must agree with the region's address modulo PAGE_SIZE, as uverbs demands.
 */
struct umem_probe_best {
	struct umem_probe_list dma;
	__u64 address;
	__u64 length;
	__u64 virt;
	__u64 sizes;			/* the bitmap of page sizes */
	__u64 blocks;			/* the user address of @room __u64s */
	__u64 room;
	__u64 best;			/* out: bytes, or 0 */
	__u64 count;			/* out: ib_umem_num_dma_blocks() of @best */
	__u64 walked;			/* out: blocks that were walked and written; 0 if @count > @room */
};

/* Map 4G or more: Linux leaves a part mapped when padding overflows an entry. */
#define UMEM_PROBE_OVER_4G	(1U << 0)

/*
 * UMEM_PROBE_COALESCE: sg_alloc_append_table_from_pages(), batch by batch as ib_umem_get() calls it.
 * UMEM_PROBE_MAP: the same, then dma_map_sgtable() for the PCI device (read only), then unmaps.
 *
 * Every frame must be memory of this machine. @boundary (2^n - 1), @flags and @dma: MAP only. On POWER @boundary must be at least as
 * long as every entry, less one: else the kernel would never return.
 */
struct umem_probe_frames {
	struct umem_probe_list frames;
	__u32 max_segment;		/* PAGE_SIZE at least */
	__u32 flags;
	__u64 boundary;
	struct umem_probe_list sg;	/* returned */
	struct umem_probe_list dma;	/* returned */
	__s32 map_error;		/* out: 0, or what dma_map_sgtable() returned */
	__u32 reserved;
};

#define UMEM_PROBE_WRITABLE	(1U << 0)

/*
 * A buffer of the caller, pinned and mapped as ib_umem_get() does it. A file holds one region at a time.
 * @max_segment and @boundary: of the PCI device only; 0 leaves the device's own.
 *
 * The memory may come late, or never (userfaultfd): the device can leave meanwhile, and then this ends with ENODEV once
 * the memory is there. When the device leaves later, what was mapped for it is unmapped: questions about the region end with
 * ENODEV, and UNPIN is still due.
 */
struct umem_probe_pin {
	char device[64];		/* the RDMA device's name; empty: the PCI device */
	__u64 address;
	__u64 length;
	__u64 boundary;
	__u32 max_segment;
	__u32 flags;
	__u64 sg_count;			/* out */
	__u64 dma_count;		/* out */
};

/* The lists of the pinned region. Those of rxe hold kernel virtual addresses as DMA addresses. */
struct umem_probe_lists {
	struct umem_probe_list sg;	/* returned */
	struct umem_probe_list dma;	/* returned */
};

/* The PCI device reads @length bytes at @address, within one DMA segment of the pinned region. */
struct umem_probe_dma {
	__u64 address;
	__u64 length;
	__u64 buffer;			/* the user address where they go */
};

/*
 * ib_umem_dmabuf_get_pinned() for the PCI device: the dma-buf @fd of another driver is mapped whole, cut to @length bytes from @offset
 * on, asked about, and unmapped.
 *
 * @best: as for UMEM_PROBE_REGION_BEST, but its @dma returns the segments of the region.
 * EOPNOTSUPP: the exporter hides its pages, or this kernel takes no dma-bufs. All other errors are those of ib_umem_dmabuf_get_pinned().
 */
struct umem_probe_dmabuf {
	__s32 fd;
	__u32 max_segment;
	__u64 boundary;
	__u64 offset;
	__u64 length;
	struct umem_probe_list entries;	/* returned: the exporter's, of the whole buffer */
	struct umem_probe_best best;
};

#define UMEM_PROBE_INFO		_IOR('u', 0xe0, struct umem_probe_info)
#define UMEM_PROBE_BEST		_IOWR('u', 0xe1, struct umem_probe_best)
#define UMEM_PROBE_COALESCE	_IOWR('u', 0xe2, struct umem_probe_frames)
#define UMEM_PROBE_MAP		_IOWR('u', 0xe3, struct umem_probe_frames)
#define UMEM_PROBE_PIN		_IOWR('u', 0xe4, struct umem_probe_pin)
#define UMEM_PROBE_UNPIN	_IO('u', 0xe5)
#define UMEM_PROBE_LISTS	_IOWR('u', 0xe6, struct umem_probe_lists)
#define UMEM_PROBE_REGION_BEST	_IOWR('u', 0xe7, struct umem_probe_best)
#define UMEM_PROBE_DMA		_IOW('u', 0xe8, struct umem_probe_dma)
#define UMEM_PROBE_DEVICE	_IOWR('u', 0xe9, struct umem_probe_device)
#define UMEM_PROBE_DMABUF	_IOWR('u', 0xea, struct umem_probe_dmabuf)

#endif
