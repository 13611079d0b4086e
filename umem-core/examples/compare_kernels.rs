//! Two kernels over one capture: what each makes of memory as a machine had it.
//!
//! ```sh
//! cargo run -p umem-core --example compare_kernels                          # the capture beside this file, for ionic
//! cargo run -p umem-core --example compare_kernels -- FILE DEVICE 6.1.140 6.1.141 # one of your own, from `umem capture`
//! ```

use std::{env, error::Error, fs};
use umem_core::{
    explain::limits,
    kernel::KernelRules,
    registration::Registration,
    scenario::{DeviceSpec, Scenario},
};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = env::args().skip(1);
    let capture = match args.next() {
        Some(file) => fs::read(&file).map_err(|error| format!("{file}: {error}"))?,
        None => include_bytes!("capture.json").to_vec(),
    };
    let mut scenario = Scenario::from_json(&capture)?;
    let device = args.next().unwrap_or_else(|| "ionic".into());
    let kernels: Vec<String> = match args.collect::<Vec<_>>() {
        none if none.is_empty() => vec!["5.10".into(), "7.2".into()],
        given => given,
    };
    if let Some(provenance) = &scenario.provenance {
        println!("captured on Linux {}, for {device}:", provenance.kernel);
    }
    scenario.device = DeviceSpec::Name(device);
    for kernel in kernels {
        // The name of a generation means its rules with any driver; a release, its own driver.
        match KernelRules::find(&kernel) {
            Some(_) => scenario.kernel.set_rules(&kernel),
            None => scenario.kernel.set_release(&kernel),
        }
        let registration = Registration::new(&scenario)?;
        println!(
            "Linux {kernel}: {} in {} SG entries",
            registration.status(),
            registration.scatter().count()
        );
        for limit in limits(&registration) {
            println!("  {}", limit.text);
        }
        println!("  {}", registration.how_sure());
    }
    Ok(())
}
