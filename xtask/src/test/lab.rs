//! The parts that boot a VM.

use super::part::Done;
use crate::lab::{Guest, Options, Release, Session, System, recorder, verify};
use crate::step::MachineCannot;
use anyhow::{Result, ensure};
use xshell::{Shell, cmd};

/// One kernel, behind both IOMMUs at once: the check; random questions, replayed; wrong questions, with an eye on the
/// kernel's log; devices that leave in the middle of a question.
pub fn kernel(sh: &Shell, release: Release) -> Result<Done> {
    let session = Session::prepare(sh, x86(release)?)?;
    if let Some(why) = session.without_probe() {
        return Err(MachineCannot(why.to_owned()).into());
    }
    let record = recorder(RANDOM_QUESTIONS / 2);
    let intel = format!("umem check && {NOTICE} && {LIMITED} && {record}");
    let amd = format!("umem check && umem vectors torture && umem vectors unplug rxe0 && {record}");
    let guests = [("intel", intel), ("amd", amd)];
    let guests =
        guests.map(|(iommu, script)| Guest::new(session.machine(iommu), &["sh", "-c", &script]));
    let options = Options {
        // It takes two minutes; a busy host takes its time.
        timeout: 1800,
        ..Options::default()
    };
    for (guest, verdict) in guests.iter().zip(session.run(&options, &guests)?) {
        let machine = guest.iommu.title;
        ensure!(
            verdict == 0,
            "on the machine with {machine} something ended with {verdict}: see above"
        );
    }
    let verdict = verify(
        sh,
        &session,
        &guests.each_ref().map(|guest| guest.iommu),
        None,
    )?;
    ensure!(verdict == 0, "`umem vectors verify` ended with {verdict}");
    Ok(Done::All)
}

/// The kernel of this release for x86-64.
fn x86(release: Release) -> Result<System> {
    System::of(&Options {
        kernel: Some(release),
        ..Options::default()
    })
}

/// How many random questions a kernel is asked, half of them behind each IOMMU.
const RANDOM_QUESTIONS: u64 = 20_000;

/// A byte that is spoiled on purpose must be noticed.
const NOTICE: &str = "{ umem check --buffers scattered --spoil-one-byte >/tmp/spoiled; [ $? = 1 ] || \
    { cat /tmp/spoiled; echo 'umem check --spoil-one-byte must end with 1' >&2; exit 62; }; }";

/// Under a control group's limit on huge pages, buffers of them are skipped by name; touching a page would be the end.
const LIMITED: &str = "{ mkdir /group && mount -t cgroup2 cgroup2 /group && echo +hugetlb >/group/cgroup.subtree_control && \
    mkdir /group/small && echo 4194304 >/group/small/hugetlb.2MB.max && \
    sh -c 'echo $$ >/group/small/cgroup.procs && exec umem check --buffers huge-adjacent' >/tmp/limited && \
    grep 'skipped: 16M of huge pages are free, but the kernel refuses them' /tmp/limited >/dev/null || \
    { cat /tmp/limited; echo 'umem check must say that a control group limits huge pages' >&2; exit 62; }; }";

/// Runs that are killed, stopped and disturbed: see xtask/tests/killed.rs.
pub fn killed(sh: &Shell) -> Result<Done> {
    // What they boot is got ready first, so that they need not wait for it.
    drop(Session::prepare(sh, x86(Release::Bookworm)?)?);
    cmd!(
        sh,
        "cargo test -p xtask --test killed -- --ignored --test-threads 1"
    )
    .run()?;
    Ok(Done::All)
}
