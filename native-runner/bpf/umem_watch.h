/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the watcher sends: records of these layouts, in two rings. native-runner/src/watch/wire.rs reads them.
 *
 * Every field is of its natural alignment and nothing is left between them, so that no byte of the kernel's stack leaks.
 */
#ifndef UMEM_WATCH_H
#define UMEM_WATCH_H

enum record_kind {
	/* A registration, or the failure of one, at the end of ib_umem_get(). */
	RECORD_GET = 1,
	/* A part of its list, in the ring of the lists. Sent before RECORD_GET. */
	RECORD_PIECE = 2,
	/* ib_umem_find_best_pgsz() has answered. */
	RECORD_BEST = 3,
	/* A driver has begun to walk a list in blocks. */
	RECORD_BLOCKS = 4,
	/* The system call that registered has returned. */
	RECORD_END = 5,
	/* ib_umem_release(). */
	RECORD_RELEASE = 6,
};

enum get_kind {
	GET_PAGES = 0,
	GET_ODP = 1,
	GET_DMA_BUF = 2,
};

enum get_flags {
	/* There is a DMA device, whose limits these are. */
	HAS_DMA_DEVICE = 1,
	/* It is in an IOMMU group with a domain. */
	HAS_DOMAIN = 2,
	/* Mapping for the device was reached. */
	REACHED_MAPPING = 4,
	/* The list was read. */
	HAS_LIST = 8,
};

struct record {
	__u32 kind;
	__u32 size;
	/* Process and thread, as bpf_get_current_pid_tgid() has them. */
	__u64 thread;
	/* Nanoseconds of CLOCK_MONOTONIC. */
	__u64 time;
};

#define STACK_DEPTH 12
#define NAME_LENGTH 64
#define COMM_LENGTH 16

struct get {
	struct record record;
	/* When ib_umem_get() was entered: with the thread, this names the registration. */
	__u64 start;
	/* The ib_umem, or the errno as the kernel has it in a pointer. */
	__u64 umem;
	__u64 address;
	__u64 length;
	__u64 access;
	__u64 device;
	/* dma_parms, 0 where the device has none. */
	__u64 max_segment;
	__u64 boundary_mask;
	__u64 dma_mask;
	__u64 domain_pages;
	/* Of the list: the first entry's address, and how many entries the DMA list and the whole list have. */
	__u64 sgl;
	/* sg_table; 0 for devices of software, which map a plain list. */
	__u64 table;
	__u64 vmemmap_base;
	/* In pages, before this registration. */
	__u64 pinned;
	/* In bytes. */
	__u64 memlock;
	__u64 capabilities;
	__u64 stack[STACK_DEPTH];
	__u32 kind;
	__u32 flags;
	__u32 domain_type;
	__u32 nents;
	__u32 orig_nents;
	__u32 pieces;
	__u32 pieces_lost;
	__u32 page_struct;
	/* Where the fields of a scatterlist are, and how long it is. */
	__u32 entry_size;
	__u32 at_page_link;
	__u32 at_offset;
	__u32 at_length;
	__u32 at_dma_address;
	__u32 at_dma_length;
	/* How many calls within this one have the same window. */
	__u32 depth;
	__u32 unused;
	char name[NAME_LENGTH];
	char comm[COMM_LENGTH];
};

/* Entries of a table of one page, and the bytes of as many. 64 bytes is the longest a scatterlist has been. */
#define TABLE_ENTRIES 128
#define FEW_ENTRIES 4
#define PIECE_BYTES 8192
#define SMALL_PIECE_BYTES 256

struct piece {
	struct record record;
	__u64 start;
	__u32 number;
	__u32 entries;
	__u8 bytes[];
};

struct best {
	struct record record;
	__u64 umem;
	__u64 sizes;
	__u64 virt;
	__u64 best;
};

struct blocks {
	struct record record;
	__u64 sgl;
	__u64 nents;
	__u64 size;
};

struct end {
	struct record record;
	/* When the registration began. */
	__u64 start;
	__s64 result;
};

struct release {
	struct record record;
	__u64 umem;
};

enum count {
	/* Records that found no room in the ring of the events. */
	COUNT_EVENTS_LOST = 0,
	/* Parts of lists that found none in theirs. */
	COUNT_PIECES_LOST = 1,
	/* Registrations that found no window, because too many ran at once. */
	COUNT_WINDOWS_LOST = 2,
	/* Registrations that returned without a window. */
	COUNT_NO_WINDOW = 3,
	COUNTS = 4,
};

#endif
