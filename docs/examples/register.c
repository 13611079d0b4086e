// Registers 64M of huge pages, less a header of 4K, with the first RDMA device, and waits, so that one can look at it.
// Build: cc register.c -libverbs. Huge pages come from: sysctl vm.nr_hugepages=32
#define _GNU_SOURCE
#include <errno.h>
#include <infiniband/verbs.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int fail(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	return 1;
}

int main(void)
{
	size_t length = 64ul << 20, header = 4096;
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB;
	char *memory = mmap(NULL, length, PROT_READ | PROT_WRITE, flags, -1, 0);
	if (memory == MAP_FAILED)
		return fail("mmap");

	struct ibv_device **devices = ibv_get_device_list(NULL);
	if (!devices || !devices[0])
		return fail("no RDMA device");
	struct ibv_context *context = ibv_open_device(devices[0]);
	struct ibv_pd *domain = context ? ibv_alloc_pd(context) : NULL;
	if (!domain)
		return fail(ibv_get_device_name(devices[0]));

	struct ibv_mr *region = ibv_reg_mr(domain, memory + header, length - header, IBV_ACCESS_LOCAL_WRITE);
	if (!region)
		return fail("ibv_reg_mr");
	printf("umem capture --pid %d --range %p-%p\n", getpid(), (void *)(memory + header), (void *)(memory + length));
	fflush(stdout);
	pause();
	return 0;
}
