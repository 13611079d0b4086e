// SPDX-License-Identifier: GPL-2.0-only
/* The RDMA devices of this machine, by name. */
#include <linux/list.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <rdma/ib_verbs.h>

#include "probe.h"

struct rdma_node {
	struct list_head node;
	char name[IB_DEVICE_NAME_MAX];
	struct probe_device device;
};

/* Guarded by probe_lock. */
static LIST_HEAD(nodes);

static struct ib_client client;

/*
 * Only here and in rdma_rename() is it safe to read a device's name: the core holds off renaming while it calls either. At any other
 * time `rdma dev set` may free the old name under the reader, so we keep a copy.
 */
static int rdma_add(struct ib_device *ib)
{
	struct rdma_node *node = kzalloc(sizeof(*node), GFP_KERNEL);

	if (!node)
		return -ENOMEM;
	strscpy(node->name, dev_name(&ib->dev), sizeof(node->name));
	ib_set_client_data(ib, &client, node);
	mutex_lock(&probe_lock);
	probe_device_init(&node->device, ib_uses_virt_dma(ib) ? NULL : ib->dma_device);
	list_add(&node->node, &nodes);
	mutex_unlock(&probe_lock);
	return 0;
}

static void rdma_rename(struct ib_device *ib, void *data)
{
	struct rdma_node *node = data;

	mutex_lock(&probe_lock);
	strscpy(node->name, dev_name(&ib->dev), sizeof(node->name));
	mutex_unlock(&probe_lock);
}

/* The device is gone when this returns, so its mappings end here. The pages stay pinned until the file unpins them. */
static void rdma_remove(struct ib_device *ib, void *data)
{
	struct rdma_node *node = data;

	mutex_lock(&probe_lock);
	probe_device_leave(&node->device);
	list_del(&node->node);
	mutex_unlock(&probe_lock);
	kfree(node);
}

static struct ib_client client = {
	.name = KBUILD_MODNAME,
	.add = rdma_add,
	.rename = rdma_rename,
	.remove = rdma_remove,
	/* Devices that serve programs alone (EFA, usnic) are shown, too. */
	.no_kverbs_req = true,
};

/* Takes probe_lock and returns the device of that name, which stays for as long as the lock is held. */
struct probe_device *probe_rdma_lock(const char *name)
{
	struct rdma_node *node;

	if (mutex_lock_killable(&probe_lock))
		return ERR_PTR(-EINTR);
	list_for_each_entry(node, &nodes, node)
		if (!strcmp(node->name, name))
			return &node->device;
	mutex_unlock(&probe_lock);
	return ERR_PTR(-ENODEV);
}

int probe_rdma_register(void)
{
	return ib_register_client(&client);
}

void probe_rdma_unregister(void)
{
	ib_unregister_client(&client);
}
