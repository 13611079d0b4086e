/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How records leave the kernel: two rings, and counters of what found no room in them.
 */
#ifndef UMEM_SEND_H
#define UMEM_SEND_H

#include "kernel.h"
#include "umem_watch.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 << 20);
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 32 << 20);
} lists SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, COUNTS);
	__type(key, __u32);
	__type(value, __u64);
} counts SEC(".maps");

static __always_inline void count(__u32 which)
{
	__u64 *counter = bpf_map_lookup_elem(&counts, &which);

	if (counter)
		(*counter)++;
}

static __always_inline void begin(struct record *record, __u32 kind, __u32 size)
{
	record->kind = kind;
	record->size = size;
	record->thread = bpf_get_current_pid_tgid();
	record->time = bpf_ktime_get_ns();
}

/* The reader looks ten times a second; waking it costs more than the record. Only rings that fill wake it. */
#define MANY_EVENTS (1 << 20)
#define MANY_PIECES (4 << 20)

static __always_inline void send(void *record, __u64 size)
{
	__u64 wakeup = BPF_RB_NO_WAKEUP;

	if (bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA) > MANY_EVENTS ||
	    bpf_ringbuf_query(&lists, BPF_RB_AVAIL_DATA) > MANY_PIECES)
		wakeup = BPF_RB_FORCE_WAKEUP;
	if (bpf_ringbuf_output(&events, record, size, wakeup))
		count(COUNT_EVENTS_LOST);
}

#endif
