#!/bin/busybox sh
# The guest's first process: sets the lab up, runs the command, hands its exit code to QEMU and is gone.
# The kernel's console goes to a log; the command's output goes through two virtio ports, byte by byte.

# Debian's programs first, busybox for the rest.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=linux
/bin/busybox --install -s /bin

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
echo "lab: booted" >/dev/console
mkdir -p /dev/shm /dev/pts /dev/hugepages
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs tmpfs /tmp
mount -t hugetlbfs hugetlbfs /dev/hugepages
mount -t debugfs debugfs /sys/kernel/debug
mount -t tracefs tracefs /sys/kernel/tracing

# The verdict is a number in a file of the host.
leave() {
    echo "$1" >"$(port lab.verdict)"
    poweroff -f
}

port() { grep -l "^$1\$" /sys/class/virtio-ports/*/name | sed 's,.*/\(vport[^/]*\)/name,/dev/\1,'; }

for module in /lab/modules/*; do
    case $module in
        *umem_probe.ko) insmod "$module" "$(tr ' ' '\n' </proc/cmdline | sed -n 's/^lab\.//p')" ;;
        *) insmod "$module" ;;
    esac || echo "lab: cannot load $module"
done

# Behind virtio-iommu they come only once its module is there.
for moment in 1 2 3 4 5 6 7 8 9 10; do
    [ -n "$(port lab.verdict)" ] && break
    sleep 0.3
done
exec >"$(port lab.out)" 2>"$(port lab.err)"

ip link set lo up
ip addr add 10.9.0.1/24 dev dummy0 && ip link set dummy0 up
rdma link add rxe0 type rxe netdev dummy0 || leave 61
# POWER's hash tables have none of them.
huge=/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages
[ -e $huge ] && echo 64 >$huge
# Where the kernel's own transparent huge pages are larger, those of 2M are off.
transparent=/sys/kernel/mm/transparent_hugepage/hugepages-2048kB/enabled
grep -q '\[never\]' $transparent 2>/dev/null && echo madvise >$transparent
for tag in out in; do
    grep -q "^$tag" /sys/bus/virtio/drivers/9pnet_virtio/*/mount_tag &&
        mount -t 9p -o trans=virtio,version=9p2000.L "$tag" "/$tag"
done

ulimit -l unlimited
cd /root
echo "lab: up after $(cut -d' ' -f1 /proc/uptime) s" >/dev/console
sh /lab/command </dev/null
leave $?
