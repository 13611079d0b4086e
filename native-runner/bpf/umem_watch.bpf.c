// SPDX-License-Identifier: GPL-2.0
/*
 * Sees every registration of user memory: ib_umem_get() from its arguments to its result, with the list that it built, the page size
 * that was chosen for it, and its release.
 *
 * A window per thread opens with ib_umem_get(), learns from the mapping calls where the list is, and closes with its return. The list is
 * read then: in the same thread, before anybody else has the umem, so nothing changes under it.
 *
 * The programs are attached by tracefs events (`r4096:`), which alone lose nothing: perf's kretprobes have room for few calls at once,
 * and registrations sleep.
 */
#include "list.h"

char LICENSE[] SEC("license") = "GPL";

/* Set by the loader. 0: all processes. */
const volatile __u32 only_process = 0;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8192);
	__type(key, __u64);
	__type(value, struct get);
} windows SEC(".maps");

/* Threads that have registered in the system call that they are in: when the last registration began. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, __u64);
} calls SEC(".maps");

/* Threads that are in ib_umem_find_best_pgsz(), with its arguments. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, struct best);
} questions SEC(".maps");

/* Too large for the stack of a BPF program. Kprobes are not preempted. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct get);
} blank SEC(".maps");

/* Which windows, calls and questions are looked up by; 0: this process is not watched. */
static __always_inline __u64 watched_thread(void)
{
	__u64 thread = bpf_get_current_pid_tgid();

	return only_process && only_process != thread >> 32 ? 0 : thread;
}

#define IS_ERROR(pointer) ((pointer) >= (__u64)-4095)

/* What the process may pin. */
static __always_inline void read_process(struct get *get)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct mm_struct *mm = BPF_CORE_READ(task, mm);
	const struct cred *cred;
	atomic64_t pinned = {};

	if (mm)
		bpf_core_read(&pinned, sizeof(pinned), &mm->pinned_vm);
	get->pinned = pinned.counter;
	/* RLIMIT_MEMLOCK */
	get->memlock = BPF_CORE_READ(task, signal, rlim[8].rlim_cur);
	/* Its own fields differ by release, its eight bytes do not. */
	cred = BPF_CORE_READ(task, cred);
	bpf_core_read(&get->capabilities, sizeof(get->capabilities), &cred->cap_effective);
}

/* The limits of the device, and what stands between it and the memory. */
static __always_inline void read_device(struct get *get)
{
	struct ib_device *ib = (void *)get->device;
	struct device *device = BPF_CORE_READ(ib, dma_device);
	struct device_dma_parameters *limits;
	struct iommu_domain *domain;
	struct iommu_group *group;
	__u64 *mask;

	bpf_core_read(get->name, sizeof(get->name), &ib->name);
	if (!device)
		return;
	get->flags |= HAS_DMA_DEVICE;
	limits = BPF_CORE_READ(device, dma_parms);
	if (limits) {
		get->max_segment = BPF_CORE_READ(limits, max_segment_size);
		get->boundary_mask = BPF_CORE_READ(limits, segment_boundary_mask);
	}
	mask = BPF_CORE_READ(device, dma_mask);
	if (mask)
		bpf_probe_read_kernel(&get->dma_mask, sizeof(get->dma_mask), mask);
	group = BPF_CORE_READ(device, iommu_group);
	if (!group)
		return;
	domain = BPF_CORE_READ(group, domain);
	if (!domain)
		return;
	get->flags |= HAS_DOMAIN;
	get->domain_type = BPF_CORE_READ(domain, type);
	get->domain_pages = BPF_CORE_READ(domain, pgsize_bitmap);
}

/* The registration that this thread is in. */
static __always_inline struct get *window(void)
{
	__u64 thread = watched_thread();

	return thread ? bpf_map_lookup_elem(&windows, &thread) : 0;
}

static __always_inline int open(struct pt_regs *regs, __u32 kind, __u64 address, __u64 length, __u64 access)
{
	__u64 thread = watched_thread();
	__u32 zero = 0;
	struct get *get;

	if (!thread)
		return 0;
	/* The functions for dma-bufs call each other, or have each other inlined: the outermost has the window. */
	get = kind == GET_DMA_BUF ? bpf_map_lookup_elem(&windows, &thread) : 0;
	if (get && get->kind == kind && get->address == address && get->length == length) {
		get->depth++;
		return 0;
	}
	get = bpf_map_lookup_elem(&blank, &zero);
	if (!get)
		return 0;
	__builtin_memset(get, 0, sizeof(*get));
	begin(&get->record, RECORD_GET, sizeof(*get));
	get->start = get->record.time;
	get->kind = kind;
	get->device = ARGUMENT_1(regs);
	get->address = address;
	get->length = length;
	get->access = access;
	bpf_get_current_comm(get->comm, sizeof(get->comm));
	bpf_get_stack(regs, get->stack, sizeof(get->stack), 0);
	read_process(get);
	read_device(get);
	if (bpf_map_update_elem(&windows, &thread, get, BPF_ANY))
		count(COUNT_WINDOWS_LOST);
	return 0;
}

/* ib_umem_get(device, addr, size, access), since 7.2 __ib_umem_get_va() */
SEC("kprobe/get_enter")
int get_enter(struct pt_regs *regs)
{
	return open(regs, GET_PAGES, ARGUMENT_2(regs), ARGUMENT_3(regs), (__u32)ARGUMENT_4(regs));
}

/* ib_umem_odp_get(device, addr, size, access, ops) */
SEC("kprobe/odp_enter")
int odp_enter(struct pt_regs *regs)
{
	return open(regs, GET_ODP, ARGUMENT_2(regs), ARGUMENT_3(regs), (__u32)ARGUMENT_4(regs));
}

/* ib_umem_dmabuf_get(device, offset, size, fd, access, ops), ib_umem_dmabuf_get_pinned(device, offset, size, fd, access) */
SEC("kprobe/dma_buf_enter")
int dma_buf_enter(struct pt_regs *regs)
{
	return open(regs, GET_DMA_BUF, ARGUMENT_2(regs), ARGUMENT_3(regs), (__u32)ARGUMENT_5(regs));
}

/* ib_umem_dmabuf_get_pinned_with_dma_device(device, dma_device, offset, size, fd, access) */
SEC("kprobe/dma_buf_enter_for")
int dma_buf_enter_for(struct pt_regs *regs)
{
	return open(regs, GET_DMA_BUF, ARGUMENT_3(regs), ARGUMENT_4(regs), (__u32)ARGUMENT_6(regs));
}

/* dma_buf_map_attachment(attach, direction): the exporter's list, mapped for the device */
SEC("kprobe/map_dma_buf")
int map_dma_buf(struct pt_regs *regs)
{
	struct get *get = window();

	if (!get || get->kind != GET_DMA_BUF)
		return 0;
	get->flags |= REACHED_MAPPING;
	if (!IS_ERROR(RESULT(regs)))
		get->table = RESULT(regs);
	return 0;
}

/* dma_map_sgtable(dev, sgt, dir, attrs): every device but those of software */
SEC("kprobe/map_table")
int map_table(struct pt_regs *regs)
{
	struct get *get = window();

	if (!get)
		return 0;
	get->flags |= REACHED_MAPPING;
	get->table = ARGUMENT_2(regs);
	return 0;
}

/* ib_dma_virt_map_sg(dev, sg, nents): devices of software */
SEC("kprobe/map_virtual")
int map_virtual(struct pt_regs *regs)
{
	struct get *get = window();

	if (!get)
		return 0;
	get->flags |= REACHED_MAPPING;
	get->sgl = ARGUMENT_2(regs);
	get->nents = ARGUMENT_3(regs);
	get->orig_nents = ARGUMENT_3(regs);
	return 0;
}

SEC("kprobe/get_exit")
int get_exit(struct pt_regs *regs)
{
	__u64 thread = watched_thread();
	struct get *get;

	if (!thread)
		return 0;
	get = bpf_map_lookup_elem(&windows, &thread);
	if (!get) {
		count(COUNT_NO_WINDOW);
		return 0;
	}
	if (get->depth) {
		get->depth--;
		return 0;
	}
	get->record.time = bpf_ktime_get_ns();
	get->umem = RESULT(regs);
	/* A failed one's list is gone. */
	if (!IS_ERROR(get->umem))
		copy_list(get);
	bpf_map_update_elem(&calls, &thread, &get->start, BPF_ANY);
	send(get, sizeof(*get));
	bpf_map_delete_elem(&windows, &thread);
	return 0;
}

/* ib_umem_find_best_pgsz(umem, pgsz_bitmap, virt) */
SEC("kprobe/best_enter")
int best_enter(struct pt_regs *regs)
{
	__u64 thread = watched_thread();
	struct best best = {};

	if (!thread)
		return 0;
	best.umem = ARGUMENT_1(regs);
	best.sizes = ARGUMENT_2(regs);
	best.virt = ARGUMENT_3(regs);
	bpf_map_update_elem(&questions, &thread, &best, BPF_ANY);
	return 0;
}

SEC("kprobe/best_exit")
int best_exit(struct pt_regs *regs)
{
	__u64 thread = watched_thread();
	struct best *best = thread ? bpf_map_lookup_elem(&questions, &thread) : 0;

	if (!best)
		return 0;
	begin(&best->record, RECORD_BEST, sizeof(*best));
	best->best = RESULT(regs);
	send(best, sizeof(*best));
	bpf_map_delete_elem(&questions, &thread);
	return 0;
}

/* __rdma_block_iter_start(biter, sglist, nents, pgsz) */
SEC("kprobe/blocks_start")
int blocks_start(struct pt_regs *regs)
{
	struct blocks blocks = {};

	if (!watched_thread())
		return 0;
	begin(&blocks.record, RECORD_BLOCKS, sizeof(blocks));
	blocks.sgl = ARGUMENT_2(regs);
	blocks.nents = (__u32)ARGUMENT_3(regs);
	blocks.size = ARGUMENT_4(regs);
	send(&blocks, sizeof(blocks));
	return 0;
}

/* ib_uverbs_ioctl(), ib_uverbs_write(): the ways in for programs. Only calls that registered are told of. */
SEC("kprobe/call_exit")
int call_exit(struct pt_regs *regs)
{
	__u64 thread = watched_thread();
	__u64 *start = thread ? bpf_map_lookup_elem(&calls, &thread) : 0;
	struct end end = {};

	if (!start)
		return 0;
	begin(&end.record, RECORD_END, sizeof(end));
	end.start = *start;
	end.result = RESULT(regs);
	send(&end, sizeof(end));
	bpf_map_delete_elem(&calls, &thread);
	return 0;
}

/* ib_umem_release(umem), which takes NULL as well */
SEC("kprobe/release")
int release(struct pt_regs *regs)
{
	struct release release = {};

	release.umem = ARGUMENT_1(regs);
	if (!release.umem)
		return 0;
	begin(&release.record, RECORD_RELEASE, sizeof(release));
	send(&release, sizeof(release));
	return 0;
}
