"""How much processor time `umem capture` and the kernel tree's thpmaps take to look at the same memory, in turns: this process's own.

captures.py UMEM THPMAPS ROUNDS prints a line a comparison: its name, the unit, and the nanoseconds a page in each round, umem's and
thpmaps'. The time is what the kernel accounts to each child, user and system: what others run in between does not count.

umem capture reads /proc/PID/pagemap of the range, and a 32nd part of it again to see whether pages moved, and writes a scenario: every run of
adjacent frames, as JSON. thpmaps --rollup, the least it does, reads smaps and pagemap of all mappings, which beside the range are a few
MB of Python; then /proc/kpageflags of every frame, a read for each run of them; and prints sums by the size of huge pages.
"""

import ctypes
import mmap
import os
import sys
import tempfile

LENGTH = 1 << 30
HUGE = 2 << 20
PAGE = mmap.PAGESIZE
PYTHON = "/usr/bin/python3"
# What thpmaps imports, so that the time before its first step can be told.
IMPORTS = "import argparse, collections, math, os, re, resource, shutil, sys, textwrap, time, numpy"


def touched(advice):
    """Memory of LENGTH, all of it there; its address, and what keeps it mapped."""
    memory = mmap.mmap(-1, LENGTH + HUGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    memory.madvise(advice)
    handle = ctypes.c_char.from_buffer(memory)
    base = ctypes.addressof(handle)
    start = -(-base // HUGE) * HUGE
    for offset in range(start - base, start - base + LENGTH, PAGE):
        memory[offset] = 1
    return start, memory


def processor_time(*command):
    """What `command` takes, in nanoseconds; if it fails, that is the end."""
    with tempfile.TemporaryFile() as errors:
        streams = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0), (os.POSIX_SPAWN_DUP2, errors.fileno(), 2)]
        child = os.posix_spawn(command[0], command, os.environ, file_actions=streams)
        _, status, usage = os.wait4(child, 0)
        if status:
            errors.seek(0)
            code = os.waitstatus_to_exitcode(status)
            print(f"{' '.join(command)} ended with {code}: {errors.read().decode().strip()}", file=sys.stderr)
            sys.exit(code & 0xFF)
    return (usage.ru_utime + usage.ru_stime) * 1e9


def measure(layout, advice, umem, thpmaps, rounds):
    start, _memory = touched(advice)
    me = str(os.getpid())
    contenders = [
        lambda: processor_time(umem, "capture", "--pid", me, "--range", f"{start:#x}+{LENGTH}"),
        lambda: processor_time(PYTHON, thpmaps, "--pid", me, "--rollup"),
        lambda: processor_time(PYTHON, "-c", IMPORTS),
    ]
    whole, running = [], []
    # The first round warms up.
    for number in range(rounds + 1):
        times = [0.0] * len(contenders)
        for turn in range(len(contenders)):
            i = (number + turn) % len(contenders)
            times[i] = contenders[i]() / (LENGTH // PAGE)
        if number:
            ours, theirs, starting = times
            whole += [ours, theirs]
            running += [ours, theirs - starting]
    name = f"capture of {LENGTH >> 30}G {layout}"
    print(name, "page", *whole, sep="\t")
    print(f"{name}, not counting how Python and numpy start", "page", *running, sep="\t")


if __name__ == "__main__":
    umem, thpmaps, rounds = sys.argv[1:]
    measure("in 4K pages", mmap.MADV_NOHUGEPAGE, umem, thpmaps, int(rounds))
    with open("/sys/kernel/mm/transparent_hugepage/enabled") as enabled:
        if "[never]" in enabled.read():
            print("skipped: a capture of huge pages: /sys/kernel/mm/transparent_hugepage/enabled says never", file=sys.stderr)
        else:
            measure("in huge pages", mmap.MADV_HUGEPAGE, umem, thpmaps, int(rounds))
