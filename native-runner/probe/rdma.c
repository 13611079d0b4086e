// SPDX-License-Identifier: GPL-2.0-only
/* The RDMA devices of this machine, by name. */
#include <linux/list.h>
#include <linux/slab.h>
#include <rdma/ib_verbs.h>

#include "probe.h"

struct rdma_node {
	struct list_head node;
	struct ib_device *ib;
	struct probe_device device;
};

/* Guarded by probe_lock. */
static LIST_HEAD(nodes);

static struct ib_client client;

static int rdma_add(struct ib_device *ib)
{
	struct rdma_node *node = kzalloc(sizeof(*node), GFP_KERNEL);

	if (!node)
		return -ENOMEM;
	node->ib = ib;
	ib_set_client_data(ib, &client, node);
	mutex_lock(&probe_lock);
	probe_device_init(&node->device, ib_uses_virt_dma(ib) ? NULL : ib->dma_device);
	list_add(&node->node, &nodes);
	mutex_unlock(&probe_lock);
	return 0;
}

/* The device goes away when this returns: nothing of it may be left with us. Pages stay pinned, which is no concern of its. */
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
	.remove = rdma_remove,
	/* Devices that serve programs alone (EFA, usnic) are shown, too. */
	.no_kverbs_req = true,
};

/*
 * Takes probe_lock and returns the device of that name, which stays for as long as the lock is held.
 *
 * Names change (`rdma dev set`), under a lock of the core's that only the core's own look-up takes. It comes before
 * probe_lock: the core holds that lock when it adds a device.
 */
struct probe_device *probe_rdma_lock(const char *name)
{
	struct ib_device *ib = ib_device_get_by_name(name, RDMA_DRIVER_UNKNOWN);
	struct probe_device *device = ERR_PTR(-ENODEV);
	struct rdma_node *node;

	if (!ib)
		return device;
	if (mutex_lock_killable(&probe_lock)) {
		device = ERR_PTR(-EINTR);
		goto put;
	}
	list_for_each_entry(node, &nodes, node)
		if (node->ib == ib)
			device = &node->device;
	if (IS_ERR(device))
		mutex_unlock(&probe_lock);
put:
	ib_device_put(ib);
	return device;
}

int probe_rdma_register(void)
{
	return ib_register_client(&client);
}

void probe_rdma_unregister(void)
{
	ib_unregister_client(&client);
}
