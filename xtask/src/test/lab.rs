//! The parts that boot a VM.

use super::done::Done;
use crate::lab::{Guest, Options, Page, Release, Session, System, recorder, verify, watch_script};
use crate::step::MachineCannot;
use anyhow::{Result, ensure};
use xshell::{Shell, cmd};

/// One kernel for x86-64, behind both IOMMUs at once: the check; random questions, replayed; wrong questions, with an eye on
/// the kernel's log; devices that leave in the middle of a question.
pub fn kernel(sh: &Shell, release: Release) -> Result<Done> {
    let record = recorder(RANDOM_QUESTIONS / 2);
    let intel = format!("umem check && {NOTICE} && {LIMITED} && {record}");
    let amd = format!(
        "umem check && umem vectors torture && umem vectors unplug rxe0 && {GATES} && {record}"
    );
    let options = Options {
        // What GATES needs: memory that is a disk, and pages that only one process sees (off before Linux 6.5).
        append: Some("memmap=32M!1G,32M!1056M secretmem.enable=1".to_owned()),
        ..x86(release)
    };
    ask(sh, &options, &[("intel", intel), ("amd", amd)])
}

/// A kernel with pages of 16K behind Arm's SMMUv3: the whole check, and random questions.
pub fn arm64(sh: &Shell) -> Result<Done> {
    let script = format!("umem check && {}", recorder(FEWER_QUESTIONS));
    ask(sh, &other("arm64", Page::K16, None), &[("smmuv3", script)])
}

/// A kernel with pages of 64K behind POWER's tables: the check of few runs and of many, and random questions.
pub fn ppc64le(sh: &Shell) -> Result<Done> {
    let check = "umem check --buffers huge-descending,scattered";
    let script = format!("{check} && {}", recorder(FEWER_QUESTIONS));
    ask(sh, &other("ppc64le", Page::K64, None), &[("power", script)])
}

/// Every architecture, page size and IOMMU that QEMU has, each with the check and random questions.
pub fn matrix(sh: &Shell) -> Result<Done> {
    let backports = Some(Release::BookwormBackports);
    for options in [
        x86(Release::BookwormBackports),
        other("arm64", Page::K4, backports),
        other("arm64", Page::K16, backports),
        other("ppc64le", Page::K64, None),
        other("ppc64le", Page::K64, backports),
        other("ppc64le", Page::K4, backports),
    ] {
        let system = System::of(&options)?;
        let machines = system.architecture.machines.iter();
        let guests = machines.map(|machine| {
            let record = match machine.translates() {
                true => format!(" && {}", recorder(FEWER_QUESTIONS)),
                false => String::new(),
            };
            (machine.name, format!("umem check{record}"))
        });
        ask(sh, &options, &guests.collect::<Vec<_>>())?;
    }
    Ok(Done::All)
}

/// Everything registered on these kernels under `umem watch`, behind Intel's IOMMU: nothing is lost, each is as the rules have it.
pub fn watch(sh: &Shell, releases: &[Release], full: bool) -> Result<Done> {
    for release in releases {
        let options = x86(*release);
        let session = Session::prepare(sh, System::of(&options)?)?;
        let script = watch_script(session.without_probe().is_none(), full);
        let guest = Guest::new(session.machine("intel"), &["sh", "-c", &script]);
        let verdicts = session.run(&options, &[guest])?;
        ensure!(
            verdicts == [0],
            "under `umem watch` something ended with {verdicts:?}: see above"
        );
    }
    Ok(Done::All)
}

/// Boots a guest on each of these machines, with a script to run, and replays what they have recorded.
fn ask(sh: &Shell, options: &Options, scripts: &[(&str, String)]) -> Result<Done> {
    let session = Session::prepare(sh, System::of(options)?)?;
    if let Some(why) = session.without_probe() {
        return Err(MachineCannot(why.to_owned()).into());
    }
    let guests: Vec<_> = scripts
        .iter()
        .map(|(machine, script)| Guest::new(session.machine(machine), &["sh", "-c", script]))
        .collect();
    for (guest, verdict) in guests.iter().zip(session.run(options, &guests)?) {
        let machine = guest.iommu.title;
        ensure!(
            verdict == 0,
            "on the machine with {machine} something ended with {verdict}: see above"
        );
    }
    let recorded = guests.iter().map(|guest| guest.iommu);
    let recorded: Vec<_> = recorded.filter(|machine| machine.translates()).collect();
    let verdict = verify(sh, &session, &recorded, None)?;
    ensure!(verdict == 0, "`umem vectors verify` ended with {verdict}");
    Ok(Done::All)
}

/// The kernel of this release for x86-64.
fn x86(release: Release) -> Options {
    Options {
        kernel: Some(release),
        ..patient()
    }
}

/// A kernel for another architecture.
fn other(arch: &str, page: Page, kernel: Option<Release>) -> Options {
    Options {
        arch: arch.to_owned(),
        page: Some(page),
        kernel,
        ..patient()
    }
}

/// It takes two minutes; a busy host takes its time.
fn patient() -> Options {
    Options {
        timeout: 1800,
        ..Options::default()
    }
}

/// How many random questions a kernel is asked, half of them behind each IOMMU.
const RANDOM_QUESTIONS: u64 = 20_000;

/// How many one of another architecture is asked.
const FEWER_QUESTIONS: u64 = 6_000;

/// A byte that is spoiled on purpose must be noticed.
const NOTICE: &str = "{ umem check --buffers scattered --spoil-one-byte >/tmp/spoiled; [ $? = 1 ] || \
    { cat /tmp/spoiled; echo 'umem check --spoil-one-byte must end with 1' >&2; exit 62; }; }";

/// Under a control group's limit on huge pages, buffers of them are skipped by name; touching a page would be the end.
const LIMITED: &str = "{ mkdir /group && mount -t cgroup2 cgroup2 /group && echo +hugetlb >/group/cgroup.subtree_control && \
    mkdir /group/small && echo 4194304 >/group/small/hugetlb.2MB.max && \
    sh -c 'echo $$ >/group/small/cgroup.procs && exec umem check --buffers huge-adjacent' >/tmp/limited && \
    grep 'skipped: 16M of huge pages are free, but the kernel refuses them' /tmp/limited >/dev/null || \
    { cat /tmp/limited; echo 'umem check must say that a control group limits huge pages' >&2; exit 62; }; }";

/// Registrations that are made to be refused: each must be, with the errno that the rules foretell. The disks are persistent memory, one
/// with a file system that keeps its pages there (DAX), and one without.
const GATES: &str = "{ mkdir -p /group /pmem /disk && { mount -t cgroup2 cgroup2 /group || true; } && \
    for module in /lab/later/*; do insmod $module; done; sleep 1; \
    for disk in 0 1; do /usr/sbin/mke2fs -q -F -b 4096 -t ext4 /dev/pmem$disk || exit 62; done && \
    mount -t ext4 -o dax /dev/pmem0 /pmem && mount -t ext4 /dev/pmem1 /disk && \
    umem vectors gates; }";

/// Runs that are killed, stopped and disturbed: see xtask/tests/killed.rs.
pub fn killed(sh: &Shell) -> Result<Done> {
    // What they boot is got ready first, so that they need not wait for it.
    drop(Session::prepare(sh, System::of(&x86(Release::Bookworm))?)?);
    cmd!(
        sh,
        "cargo test -p xtask --test killed -- --ignored --test-threads 1"
    )
    .run()?;
    Ok(Done::All)
}
