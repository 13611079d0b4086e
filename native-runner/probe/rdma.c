// SPDX-License-Identifier: GPL-2.0-only
/* The RDMA devices of this machine, by name. */
#include <linux/list.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <rdma/ib_verbs.h>

#include "probe.h"

struct rdma_node {
	struct list_head node;
	struct ib_device *ib;
};

/* Guarded by probe_lock. */
static LIST_HEAD(devices);

static struct ib_client client;

static int rdma_add(struct ib_device *ib)
{
	struct rdma_node *node = kzalloc(sizeof(*node), GFP_KERNEL);

	if (!node)
		return -ENOMEM;
	node->ib = ib;
	ib_set_client_data(ib, &client, node);
	mutex_lock(&probe_lock);
	list_add(&node->node, &devices);
	mutex_unlock(&probe_lock);
	return 0;
}

/* The device goes away when this returns: nothing of it may be left with us. */
static void rdma_remove(struct ib_device *ib, void *data)
{
	struct rdma_node *node = data;

	mutex_lock(&probe_lock);
	probe_regions_leave(ib);
	list_del(&node->node);
	mutex_unlock(&probe_lock);
	kfree(node);
}

static struct ib_client client = {
	.name = KBUILD_MODNAME,
	.add = rdma_add,
	.remove = rdma_remove,
};

/* The device of that name, or NULL. It stays while probe_lock is held, or until probe_regions_leave(). */
struct ib_device *probe_rdma_find(const char *name)
{
	struct rdma_node *node;

	list_for_each_entry(node, &devices, node)
		if (!strcmp(dev_name(&node->ib->dev), name))
			return node->ib;
	return NULL;
}

int probe_rdma_register(void)
{
	return ib_register_client(&client);
}

void probe_rdma_unregister(void)
{
	ib_unregister_client(&client);
}
