// SPDX-License-Identifier: GPL-2.0-only
/* Lists of runs, from and to user space. */
#include <linux/mm.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "probe.h"

/* A copy of a list that was sent, to be freed by kvfree(); an empty one is refused. */
struct umem_probe_run *probe_get_runs(const struct umem_probe_list *list)
{
	if (!list->count)
		return ERR_PTR(-EINVAL);
	if (list->count > UMEM_PROBE_MAX_RUNS)
		return ERR_PTR(-E2BIG);
	return vmemdup_user(u64_to_user_ptr(list->runs), list->count * sizeof(struct umem_probe_run));
}

static int put_run(const struct umem_probe_list *list, u64 index, u64 start, u64 length)
{
	struct umem_probe_run __user *runs = u64_to_user_ptr(list->runs);
	struct umem_probe_run run = { .start = start, .length = length };

	if (!(index % 4096))
		cond_resched();
	if (index >= list->count)
		return 0;
	return copy_to_user(&runs[index], &run, sizeof(run)) ? -EFAULT : 0;
}

int probe_put_runs(struct umem_probe_list *list, const struct umem_probe_run *runs, u64 count)
{
	u64 i;

	for (i = 0; i < count; i++) {
		int ret = put_run(list, i, runs[i].start, runs[i].length);

		if (ret)
			return ret;
	}
	list->count = count;
	return 0;
}

/* The entries as the CPU sees them: physical addresses. */
int probe_put_sg(struct umem_probe_list *list, struct sg_table *sgt)
{
	struct scatterlist *sg;
	unsigned int i;

	for_each_sgtable_sg(sgt, sg, i) {
		int ret = put_run(list, i, sg_phys(sg), sg->length);

		if (ret)
			return ret;
	}
	list->count = sgt->orig_nents;
	return 0;
}

/* The segments as the device sees them. After a merge there are fewer than entries. */
int probe_put_dma(struct umem_probe_list *list, struct sg_table *sgt)
{
	struct scatterlist *sg;
	unsigned int i;

	for_each_sgtable_dma_sg(sgt, sg, i) {
		int ret = put_run(list, i, sg_dma_address(sg), sg_dma_len(sg));

		if (ret)
			return ret;
	}
	list->count = sgt->nents;
	return 0;
}
