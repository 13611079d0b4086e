/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The few types of the kernel that the watcher reads, each with the few fields that it needs. CO-RE moves the fields to where the
 * running kernel has them: all of these are in the BTF of vmlinux (`ib_umem` is not, and is not read).
 */
#ifndef UMEM_KERNEL_H
#define UMEM_KERNEL_H

/* What bpf_helpers.h needs and would have from the kernel's own headers, without which this builds the same everywhere. */
typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef short __s16;
typedef int __s32;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;

enum { BPF_ANY = 0 };
enum { BPF_RB_NO_WAKEUP = 1, BPF_RB_FORCE_WAKEUP = 2 };
enum { BPF_RB_AVAIL_DATA = 0 };
enum {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_LRU_HASH = 9,
	BPF_MAP_TYPE_RINGBUF = 27,
};

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di, orig_ax, ip, cs, flags, sp, ss;
};
#define ARGUMENT_1(regs) ((regs)->di)
#define ARGUMENT_2(regs) ((regs)->si)
#define ARGUMENT_3(regs) ((regs)->dx)
#define ARGUMENT_4(regs) ((regs)->cx)
#define ARGUMENT_5(regs) ((regs)->r8)
#define ARGUMENT_6(regs) ((regs)->r9)
#define RESULT(regs) ((regs)->ax)
#else
#error "the registers of this processor are not known here"
#endif

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct scatterlist {
	unsigned long page_link;
	unsigned int offset;
	unsigned int length;
	__u64 dma_address;
	unsigned int dma_length;
};

struct sg_table {
	struct scatterlist *sgl;
	unsigned int nents;
	unsigned int orig_nents;
};

struct page {
	unsigned long flags;
};

struct device_dma_parameters {
	unsigned int max_segment_size;
	unsigned long segment_boundary_mask;
};

struct iommu_domain {
	unsigned int type;
	unsigned long pgsize_bitmap;
};

struct iommu_group {
	struct iommu_domain *domain;
};

struct device {
	struct device_dma_parameters *dma_parms;
	__u64 *dma_mask;
	struct iommu_group *iommu_group;
};

struct ib_device {
	struct device *dma_device;
	char name[64];
};

typedef struct {
	long long counter;
} atomic64_t;

struct mm_struct {
	atomic64_t pinned_vm;
};

struct rlimit {
	unsigned long rlim_cur;
};

struct signal_struct {
	struct rlimit rlim[16];
};

/* Two words of 32 bits before Linux 6.3, one of 64 since: the same eight bytes. */
typedef struct {
	__u64 val;
} kernel_cap_t;

struct cred {
	kernel_cap_t cap_effective;
};

struct task_struct {
	struct mm_struct *mm;
	struct signal_struct *signal;
	const struct cred *cred;
};

#pragma clang attribute pop

#endif
