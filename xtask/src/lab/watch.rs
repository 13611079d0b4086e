//! `cargo xtask lab watch`: the guest's registrations under `umem watch`, none lost, each as the rules have it.

use super::system::Default;
use super::{Guest, Options, Session, System, session};
use anyhow::Result;
use clap::Args;
use xshell::Shell;

/// How much is done under watch.
#[derive(Args)]
pub struct Watching {
    /// Check all buffers under watch, not only three
    #[arg(long, conflicts_with = "cost")]
    full: bool,
    /// Only measure: registrations one after the other, without a watcher, and with one
    #[arg(long)]
    cost: bool,
}

impl Watching {
    /// Does it, behind two IOMMUs if none is named.
    pub fn run(&self, sh: &Shell, options: &Options) -> Result<u8> {
        let system = System::of(options)?;
        system.require("x86-64", "`lab watch`")?;
        let machines = system.machines(options.iommu.as_deref(), Default::Checked)?;
        let session = Session::prepare(sh, system)?;
        let script = match self.cost {
            true => cost(),
            false => script(session.without_probe().is_none(), self.full),
        };
        let guests: Vec<_> = machines
            .into_iter()
            .map(|iommu| Guest::new(iommu, &["sh", "-c", &script]))
            .collect();
        Ok(session::worst(&session.run(options, &guests)?))
    }
}

/// A storm's registrations have a length of their own, so that they can be counted.
const STORM: &str = "umem vectors storm --threads 64 --times 20 --length 4100K";
const STORM_SEEN: &str = "4198400=1280";

/// Starts a watcher in the background, its lines and words in these files, and waits until it sees; $! is its number.
const BEGIN: &str = "\
begin() { lines=$1; shift; : >$lines.words; umem watch --format json \"$@\" >$lines 2>$lines.words & \
    n=0; until grep -q 'umem: watching' $lines.words; do n=$((n + 1)); sleep 0.2; \
    [ $n -lt 300 ] || { cat $lines.words; exit 62; }; done; }
end() { kill -TERM $1; wait $1 || { code=$?; tail -n 3 $2 $2.words; exit $code; }; }
";

/// Regions that live before anybody looks: they are inspected, listed by a watcher, and measured beside. A device of software has no limit
/// below 64M, and everything that was registered to find that is released.
const OLDER: &str = "\
umem vectors storm --hold 3600 --threads 3 --times 1 --length 4104K >/tmp/held & held=$!
n=0; until grep -q held /tmp/held; do n=$((n + 1)); sleep 0.2; [ $n -lt 300 ] || exit 62; done
umem inspect rxe0 --format json >/tmp/inspected || exit
[ $(grep -c '\"length\": 4202496' /tmp/inspected) = 3 ] && grep -q '\"pinned\": 12607488' /tmp/inspected || \
    { cat /tmp/inspected; echo 'umem inspect must see three regions' >&2; exit 62; }
umem inspect --limits --max 64M -o /tmp/device.json --format json >/tmp/limits || exit
[ $(grep -c '\"largest\": 67108864' /tmp/limits) -ge 1 ] && umem plan --preset mail --device /tmp/device.json >/tmp/planned || \
    { cat /tmp/limits; echo 'umem inspect --limits must find no limit below 64M' >&2; exit 62; }
umem inspect rxe0 --format json | grep -c '\"number\": ' | grep -qx 3 || { echo 'umem inspect --limits leaves regions behind' >&2; exit 62; }
umem check --time --format json >/tmp/times || exit
grep -q '\"register\"' /tmp/times || { cat /tmp/times; exit 62; }
umem watch --for 1 --format json >/tmp/older || exit
[ $(grep -c '\"kind\":\"older\"' /tmp/older) = 3 ] || { cat /tmp/older; echo 'umem watch must list three older regions' >&2; exit 62; }
kill $held
";

/// What is done in the guest: a check under two watchers, one of which saves; a storm, seen by both one that lives and one that is killed;
/// then nothing of them is left.
pub fn script(has_probe: bool, full: bool) -> String {
    let buffers = if full {
        ""
    } else {
        "--buffers huge-adjacent,huge-descending,scattered"
    };
    // Behind the IOMMU is a PCI device alone.
    let (load, pci, pci_seen) = if has_probe {
        (
            "insmod /lab/watch/umem_register.ko || exit",
            // Linux 6.1 of Debian exports no memory.
            "umem vectors storm --pci --threads 2 --times 3 --length 16780K || exit
dma_buf_seen=
[ ! -e /dev/udmabuf ] || { umem vectors storm --dma-buf --threads 1 --times 2 --length 1028K || exit; dma_buf_seen='--expect 1052672=2'; }",
            "--expect 17182720=6 $dma_buf_seen",
        )
    } else {
        ("true", "true", "")
    };
    format!(
        "{BEGIN}
{OLDER}
{load}
begin /tmp/all; all=$!
begin /tmp/kept --save /tmp/saved; kept=$!
umem check {buffers} >/tmp/check || {{ code=$?; cat /tmp/check; exit $code; }}
{pci}
umem vectors storm --on-demand --threads 1 --times 1 --length 1032K >/tmp/on-demand 2>&1 || exit
cat /tmp/on-demand
end $kept /tmp/kept
grep -q refused /tmp/on-demand || grep -q '\"kind\":\"odp\"' /tmp/kept || {{ echo 'paging on demand was not seen' >&2; exit 62; }}
umem vectors watched /tmp/kept --saved 10 {pci_seen} || exit
begin /tmp/killed; killed=$!
{STORM} || exit
kill -KILL $killed
end $all /tmp/all
umem vectors watched /tmp/all --expect {STORM_SEEN} || exit
grep -q umem_watch_ /sys/kernel/tracing/kprobe_events || {{ echo 'a killed watcher leaves its events' >&2; exit 62; }}
umem watch --count 0 >/dev/null || exit
! grep umem_watch_ /sys/kernel/tracing/kprobe_events || exit
echo 'nobody:x:65534:65534::/:/bin/sh' >/etc/passwd
su -s /bin/sh nobody -c 'umem watch --count 0' 2>/tmp/refused
[ $? = 3 ] && grep -q 'run it as root' /tmp/refused || {{ cat /tmp/refused; exit 62; }}
"
    )
}

/// What watching costs: one page and a gigabyte of small pages for a device of software, one page and 4096 scattered ones behind the IOMMU.
///
/// A watcher of the first process, which registers nothing, leaves the cost of the probes; one that is stopped meanwhile, what the thread
/// pays that registers; and one that runs, what the machine pays.
fn cost() -> String {
    format!(
        "{BEGIN}
insmod /lab/watch/umem_register.ko || exit
storm() {{ kill -STOP $still; umem vectors storm --threads 1 \"$@\" || exit; kill -CONT $still; sleep $rest; }}
cost() {{ echo \"$1:\"; still=$2; rest=$3
storm --times 1000 --length 4K
storm --times 3 --length 1G
storm --pci --times 1000 --length 4K
storm --pci --times 50 --length 16M
}}
sleep 3600 & nobody=$!
for round in 1 2 3; do
cost 'without a watcher' $nobody 0
begin /tmp/other --pid 1; other=$!
cost 'the probes alone (umem watch --pid 1)' $nobody 0
end $other /tmp/other
begin /tmp/all; all=$!
cost 'under umem watch, which is stopped meanwhile' $all 3
cost 'under umem watch' $nobody 0
end $all /tmp/all
grep summary /tmp/all
done
"
    )
}
