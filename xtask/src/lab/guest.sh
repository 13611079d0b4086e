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

# The device isa-debug-exit: QEMU exits with (N << 1) | 1. From 64 on, so that QEMU's own failures stay apart.
leave() {
    [ "$1" -gt 63 ] && { echo "lab: the command ended with $1, reported as 63" >&2; set -- 63; }
    printf "\\$(printf %o $((64 + $1)))" | dd of=/dev/port bs=1 seek=244 2>/dev/null
    echo "lab: QEMU did not take the exit code"
    poweroff -f
}

for module in /lab/modules/*; do
    insmod "$module" || echo "lab: cannot load $module"
done

port() { grep -l "^$1\$" /sys/class/virtio-ports/*/name | sed 's,.*/\(vport[^/]*\)/name,/dev/\1,'; }
exec >"$(port lab.out)" 2>"$(port lab.err)"

ip link set lo up
ip addr add 10.9.0.1/24 dev dummy0 && ip link set dummy0 up
rdma link add rxe0 type rxe netdev dummy0 || leave 61
echo 64 >/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages
for tag in out in; do
    grep -q "^$tag" /sys/bus/virtio/drivers/9pnet_virtio/*/mount_tag &&
        mount -t 9p -o trans=virtio,version=9p2000.L "$tag" "/$tag"
done

ulimit -l unlimited
cd /root
echo "lab: up after $(cut -d' ' -f1 /proc/uptime) s" >/dev/console
sh /lab/command </dev/null
leave $?
