//! From what an operator has to the gate: a line of a log or a length, and what the program saw, held against the answer.

mod common;

use common::{run, run_with};

/// `umem import` of this text, and `umem plan` of what it made: both as people read them.
fn diagnosed(text: &str, options: &[&str]) -> (String, String) {
    let arguments = [&["import", "-"], options].concat();
    let (code, scenario, notes) = run_with(&arguments, text);
    assert_eq!(code, 0, "{notes}");
    let (code, answer, err) = run_with(&["plan", "-"], &scenario);
    assert_eq!(code, 0, "{err}");
    (notes, answer)
}

#[test]
fn what_cannot_change_the_answer_is_not_asked_for() {
    let enough = [
        "--device",
        "mlx5",
        "--release",
        "5.15.0-105-generic",
        "--length",
        "40G",
        "--memlock",
        "65536",
    ];
    let (notes, answer) = diagnosed("ibv_reg_mr failed: Cannot allocate memory\n", &enough);
    assert!(
        answer.starts_with("refused at memlock (ENOMEM)"),
        "{answer}"
    );
    assert!(
        notes.contains("--page-size SIZE and --iommu NAME would not change the answer"),
        "{notes}"
    );
    // With a limit that it fits, pages and IOMMU matter.
    let (code, _, err) = run(&[&["import"], &enough[..6], &["--memlock", "unlimited"]].concat());
    assert_eq!(code, 2);
    assert!(
        err.contains("--page-size") && err.contains("--iommu"),
        "{err}"
    );
}

#[test]
fn a_call_for_dma_bufs_is_known_by_its_name() {
    let options = [
        "--device",
        "mlx5",
        "--release",
        "5.10.0-30-amd64",
        "--length",
        "1G",
        "--iommu",
        "off",
    ];
    let log =
        "NCCL WARN Call to ibv_reg_dmabuf_mr_iova2 failed with error Operation not supported\n";
    let (_, answer) = diagnosed(log, &options);
    assert!(
        answer.starts_with("refused at driver (EOPNOTSUPP): mlx5 takes no dma-bufs here"),
        "{answer}"
    );
    // Said by hand, it is the same.
    let by_hand = [&options[..], &["--backing", "dma-buf"]].concat();
    let (_, answer) = diagnosed("reg_mr failed: Operation not supported\n", &by_hand);
    assert!(
        answer.starts_with("refused at driver (EOPNOTSUPP)"),
        "{answer}"
    );
}

/// bnxt_re says EFAULT for whatever the kernel says: ENOMEM is not the limit's.
#[test]
fn what_the_program_saw_is_held_against_the_answer() {
    let options = "--device bnxt_re --release 5.15.0-91-generic --length 64M --iommu off --page-size 4K --memlock 8192";
    let options: Vec<_> = options.split(' ').collect();
    let (_, answer) = diagnosed("ibv_reg_mr failed: Cannot allocate memory\n", &options);
    assert!(
        answer.starts_with("refused at memlock (EFAULT)"),
        "{answer}"
    );
    assert!(
        answer.contains("the program saw ENOMEM, and what is described here ends with EFAULT"),
        "{answer}"
    );
    let (_, answer) = diagnosed("ibv_reg_mr failed: Bad address\n", &options);
    assert!(
        answer.contains("the program saw EFAULT: as planned"),
        "{answer}"
    );
}

#[test]
fn a_line_of_dmesg_says_which_device_and_which_gate() {
    let log = "mlx5_core 0000:3b:00.0: mlx5_cmd_out_err: CREATE_MKEY(0x200) op_mod(0x0) failed, status limits exceeded(0x8), syndrome (0x59c8a4)\n\
               Failed to register memory region: Cannot allocate memory (12)\n";
    let (notes, _) = diagnosed(
        log,
        &[
            "--release",
            "6.8.0-84-generic",
            "--length",
            "1G",
            "--iommu",
            "off",
            "--page-size",
            "4K",
        ],
    );
    assert!(notes.contains("the text names mlx5_core"), "{notes}");
    assert!(notes.contains("The firmware refused the region's key (CREATE_MKEY: limits exceeded(0x8), syndrome (0x59c8a4))"), "{notes}");
}

#[test]
fn bytes_at_an_address_are_read() {
    let log = "ibv_reg_mr: Invalid argument for 10485760 bytes at 0x400026200000\n";
    let options = [
        "--device",
        "mlx5",
        "--release",
        "5.10.0-30-amd64",
        "--iommu",
        "off",
        "--page-size",
        "2M",
    ];
    let arguments = [&["import", "-"], &options[..]].concat();
    let (_, scenario, _) = run_with(&arguments, log);
    let scenario: serde_json::Value = serde_json::from_str(&scenario).unwrap();
    assert_eq!(scenario["region"]["length"], "10M");
    assert_eq!(scenario["region"]["va"], "0x400026200000");
    assert_eq!(scenario["process"]["saw"], "EINVAL");
}

#[test]
fn both_ends_are_told_where_the_layout_decides() {
    let options = [
        "--device",
        "efa",
        "--release",
        "6.8.0-1015-aws",
        "--length",
        "80G",
        "--iommu",
        "off",
        "--page-size",
        "2M",
    ];
    let (code, _, notes) = run(&[&["import"], &options[..]].concat());
    assert_eq!(code, 0);
    assert!(
        notes.contains("with scattered frames: 40960 entries: 40960 × 2M; if all are adjacent (--layout contiguous): 20971520 entries: 20971520 × 4K"),
        "{notes}"
    );
    let (_, _, notes) = run(&[&["import"], &options[..], &["--layout", "contiguous"]].concat());
    assert!(!notes.contains("scattered"), "{notes}");
}

#[test]
fn a_search_takes_whole_words_and_tells_of_what_is_near() {
    let names = |words: &[&str]| -> Vec<String> {
        let (code, out, _) = run(&[&["list"], words].concat());
        assert_eq!(code, 0, "{words:?}");
        let heads = out.lines().filter(|line| !line.starts_with(' '));
        heads
            .map(|line| line.split(' ').next().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names(&["devices", "efa"]), ["efa"]);
    // "EFAULT" and "default" are other words.
    let efa = names(&["cases", "efa"]);
    assert!(
        efa.contains(&"efa-95g".to_owned()) && !efa.contains(&"hugetlb-without-pages".to_owned())
    );
    assert!(
        names(&["cases", "rdma_reg_msgs failed: Bad address"])
            .contains(&"gpu-bar-mapping".to_owned())
    );
    let (_, _, err) = run(&["list", "cases", "rdma_reg_msgs failed: Bad address"]);
    assert!(
        err.starts_with("nothing has all of these words; these have "),
        "{err}"
    );
    let (code, _, err) = run(&["list", "cases", "xyzzy"]);
    assert_eq!(code, 2);
    assert!(
        err.contains("nothing there has any of these words: xyzzy"),
        "{err}"
    );
}

/// The facts of the process come first, and what umem could do on this machine is another question.
#[test]
fn doctor_of_a_process_begins_with_the_process() {
    let (code, out, _) = run(&["doctor", "--pid", &std::process::id().to_string()]);
    assert_eq!(code, 0);
    assert!(out.lines().next().unwrap().contains("memlock"), "{out}");
    assert!(
        !out.contains("what can be done here") && !out.contains("umem_probe"),
        "{out}"
    );
}
