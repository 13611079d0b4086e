//! Real devices, through libibverbs (the crate `sideway` loads it at run time).
//!
//! A [`Device`] is opened once; a [`Registered`](region) is a memory region on it; each transfer runs over
//! a fresh [loopback](loopback) of two queue pairs, so that one that failed leaves nothing behind.

mod bare;
mod choice;
mod diagnosis;
mod loopback;
mod port;
mod region;
mod words;

use std::{error::Error, io, sync::Arc};

use sideway::ibverbs::{
    device::{DeviceInfo, DeviceList, TransportType},
    device_context::DeviceContext,
    protection_domain::ProtectionDomain,
};

use crate::{
    mapping::Mapping,
    missing::Missing,
    nic::{Claim, Nic, Operation, Piece, TransferError},
};
use loopback::Loopback;
use port::Port;

pub use bare::Bare;
pub use region::Registered;

/// An open device with a protection domain and a port to send by.
#[derive(Debug)]
pub struct Device {
    name: String,
    /// Why it was chosen, if no name was given.
    chosen: Option<String>,
    context: Arc<DeviceContext>,
    domain: Arc<ProtectionDomain>,
    port: Port,
    /// How many RDMA READs may be under way at once.
    reads: u8,
}

impl Device {
    /// Opens the device `name`, or the first one that can be used.
    pub fn open(name: Option<&str>) -> Result<Self, Missing> {
        let devices = DeviceList::new().map_err(|_| diagnosis::THIS.no_device())?;
        if devices.is_empty() {
            return Err(diagnosis::THIS.no_device());
        }
        let mut devices: Vec<_> = devices.iter().collect();
        devices.sort_by_key(|device| device.name());
        let names: Vec<String> = devices.iter().map(|device| device.name()).collect();
        let Some(name) = name else {
            let open = |index: usize| Self::of(&devices[index], &names);
            let (device, why) = choice::first_usable(&names, open)?;
            return Ok(Self {
                chosen: Some(why),
                ..device
            });
        };
        let device = devices.iter().find(|device| device.name() == name);
        let device = device.ok_or_else(|| {
            Missing::device(
                format!("an RDMA device named {name}"),
                format!("--device with one of: {}", names.join(", ")),
            )
        })?;
        Self::of(device, &names)
    }

    /// Opens `device`, one of those with these `names`.
    fn of(
        device: &sideway::ibverbs::device::Device<'_>,
        names: &[String],
    ) -> Result<Self, Missing> {
        let name = device.name();
        let failed = |error: &dyn Error| diagnosis::THIS.not_opened(&name, &in_words(error));
        if device.transport_type() != TransportType::InfiniBand {
            // Their queue pairs can be connected by rdma_cm alone.
            let what = format!(
                "an InfiniBand or RoCE device ({name} speaks {})",
                device.transport_type()
            );
            return Err(Missing::device(
                what,
                format!("--device with another of: {}", names.join(", ")),
            ));
        }
        let context = device.open().map_err(|error| failed(&error))?;
        let limits = context.query_device().map_err(|error| failed(&error))?;
        let port = Port::choose(&name, &context, limits.phys_port_cnt())?;
        let domain = context.alloc_pd().map_err(|error| failed(&error))?;
        let reads = limits
            .max_qp_rd_atom()
            .min(limits.max_qp_init_rd_atom())
            .clamp(1, 16) as u8;
        Ok(Self {
            name,
            chosen: None,
            context,
            domain,
            port,
            reads,
        })
    }
}

impl Device {
    /// `ibv_reg_mr_iova2()` of any range at all, with these bits of `enum ibv_access_flags`; what succeeds is deregistered at once.
    pub fn try_to_register(
        &self,
        start: u64,
        length: u64,
        hca: u64,
        access: u32,
    ) -> io::Result<()> {
        region::attempt(&self.domain, start, length, hca, access)
    }
}

impl Nic for Device {
    type Region<'m> = Registered<'m>;

    fn describe(&self) -> String {
        let device = format!("{}, {}", self.name, self.port);
        match &self.chosen {
            Some(why) => format!("{device} ({why})"),
            None => device,
        }
    }

    fn register<'m>(&'m self, memory: &'m Mapping, claim: Claim) -> io::Result<Registered<'m>> {
        Registered::new(&self.domain, memory, &claim)
    }

    fn with_wrong_key<'m>(&'m self, region: &Registered<'m>) -> Registered<'m> {
        region.with_wrong_key()
    }

    fn transfer(
        &self,
        operation: Operation,
        source: &Registered<'_>,
        sink: &Registered<'_>,
        pieces: &[Piece],
    ) -> Result<(), TransferError> {
        let mut loopback =
            Loopback::connect(self).map_err(|error| TransferError::Whole(in_words(&*error)))?;
        loopback.run(operation, source, sink, pieces)
    }
}

/// An error with all that caused it, in one line.
fn in_words(error: &dyn Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        // Transparent errors repeat what they wrap.
        if !words.ends_with(&text) {
            words.push_str(": ");
            words.push_str(&text);
        }
        cause = error.source();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_told_with_its_cause_once() {
        #[derive(Debug)]
        struct Outer(io::Error);
        impl std::fmt::Display for Outer {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("post failed")
            }
        }
        impl Error for Outer {
            fn source(&self) -> Option<&(dyn Error + 'static)> {
                Some(&self.0)
            }
        }
        let error = Outer(io::Error::other("queue full"));
        assert_eq!(in_words(&error), "post failed: queue full");
        assert_eq!(in_words(&io::Error::other("queue full")), "queue full");
    }

    /// This runs on machines with and without devices; neither may panic.
    #[test]
    fn a_device_that_is_not_there_is_something_missing() {
        let missing = Device::open(Some("no such device")).unwrap_err();
        assert!(!missing.way_out.is_empty());
    }
}
