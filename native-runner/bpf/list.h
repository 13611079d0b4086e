/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How a scatter-gather list is copied: table by table, as it lies. User space takes the entries apart.
 */
#ifndef UMEM_LIST_H
#define UMEM_LIST_H

#include "send.h"

/* The address of the variable vmemmap_base. 0: not known, or a constant. */
const volatile __u64 vmemmap_variable = 0;

/* A list that is being copied, and how far. */
struct walk {
	/* What its pieces have in common. */
	struct record record;
	__u64 start;
	__u64 at;
	__u32 entry_size;
	__u32 at_page_link;
	__u32 left;
	__u32 number;
	__u32 lost;
};

/* So many pieces fill an eighth of their ring. A longer list wakes the reader while it is copied, which may be too late all the same. */
#define PIECES_TO_WAKE 1024

/* Up to so many bytes of entries, at once: a ring's record has a constant size. */
static __always_inline int copy(struct walk *walk, __u32 entries, const __u64 room)
{
	__u64 wakeup = walk->number % PIECES_TO_WAKE == PIECES_TO_WAKE - 1 ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP;
	__u64 bytes = (__u64)entries * walk->entry_size;
	struct piece *piece = bpf_ringbuf_reserve(&lists, sizeof(struct piece) + room, 0);

	if (!piece)
		return -1;
	/* Else clang tests one copy of it and passes another. */
	asm volatile("" : "+r"(bytes));
	if (bytes > room || bpf_probe_read_kernel(piece->bytes, bytes, (void *)walk->at)) {
		bpf_ringbuf_discard(piece, BPF_RB_NO_WAKEUP);
		return -1;
	}
	piece->record = walk->record;
	piece->record.size = sizeof(struct piece) + bytes;
	piece->start = walk->start;
	piece->number = walk->number;
	piece->entries = entries;
	bpf_ringbuf_submit(piece, wakeup);
	return 0;
}

/* A table of the list. A table before the last is full, as ib_umem_get() makes them: its last entry leads to the next. */
static long copy_table(__u32 index, struct walk *walk)
{
	__u32 entries = walk->left < TABLE_ENTRIES ? walk->left : TABLE_ENTRIES;
	__u64 link = 0;
	int failed;

	if (entries <= FEW_ENTRIES)
		failed = copy(walk, entries, SMALL_PIECE_BYTES);
	else if (entries * walk->entry_size <= PIECE_BYTES / 2)
		failed = copy(walk, entries, PIECE_BYTES / 2);
	else
		failed = copy(walk, entries, PIECE_BYTES);
	if (failed) {
		walk->lost++;
		count(COUNT_PIECES_LOST);
	}
	walk->number++;
	if (entries < TABLE_ENTRIES)
		return 1;
	bpf_probe_read_kernel(&link, sizeof(link),
			      (void *)(walk->at + (__u64)(TABLE_ENTRIES - 1) * walk->entry_size + walk->at_page_link));
	/* SG_CHAIN: this entry is a link, not a part of the list. */
	if (link & 1) {
		walk->left -= TABLE_ENTRIES - 1;
		walk->at = link & ~3ULL;
	} else {
		walk->left -= TABLE_ENTRIES;
		walk->at += (__u64)TABLE_ENTRIES * walk->entry_size;
	}
	return walk->left == 0;
}

/* Copies the list of a registration, and says in it what was copied. */
static __always_inline void copy_list(struct get *get)
{
	struct sg_table *table = (void *)get->table;
	struct walk walk = {};

	if (table) {
		get->sgl = (__u64)BPF_CORE_READ(table, sgl);
		get->nents = BPF_CORE_READ(table, nents);
		get->orig_nents = BPF_CORE_READ(table, orig_nents);
	}
	if (!get->sgl || !get->orig_nents)
		return;
	get->flags |= HAS_LIST;
	get->entry_size = bpf_core_type_size(struct scatterlist);
	get->at_page_link = bpf_core_field_offset(struct scatterlist, page_link);
	get->at_offset = bpf_core_field_offset(struct scatterlist, offset);
	get->at_length = bpf_core_field_offset(struct scatterlist, length);
	get->at_dma_address = bpf_core_field_offset(struct scatterlist, dma_address);
	get->at_dma_length = get->at_length;
	if (bpf_core_field_exists(((struct scatterlist *)0)->dma_length))
		get->at_dma_length = bpf_core_field_offset(struct scatterlist, dma_length);
	get->page_struct = bpf_core_type_size(struct page);
	if (vmemmap_variable)
		bpf_probe_read_kernel(&get->vmemmap_base, sizeof(get->vmemmap_base), (void *)vmemmap_variable);

	walk.record = get->record;
	walk.record.kind = RECORD_PIECE;
	walk.start = get->start;
	walk.at = get->sgl;
	walk.entry_size = get->entry_size;
	walk.at_page_link = get->at_page_link;
	walk.left = get->orig_nents;
	bpf_loop(1 << 23, copy_table, &walk, 0);
	get->pieces = walk.number;
	get->pieces_lost = walk.lost;
}

#endif
