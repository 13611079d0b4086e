//! A device that is only asked and registered with: none of its ports need be up.

use std::{error::Error, io, sync::Arc};

use sideway::ibverbs::{
    device::{DeviceInfo, DeviceList},
    device_context::DeviceContext,
    protection_domain::ProtectionDomain,
};

use super::{Registered, diagnosis, in_words};
use crate::{
    mapping::Mapping,
    missing::Missing,
    nic::{Advertised, Claim},
};

/// An open device with a protection domain.
#[derive(Debug)]
pub struct Bare {
    name: String,
    context: Arc<DeviceContext>,
    domain: Arc<ProtectionDomain>,
}

impl Bare {
    /// Opens the device `name`.
    pub fn open(name: &str) -> Result<Self, Missing> {
        let devices = DeviceList::new().map_err(|_| diagnosis::THIS.no_device())?;
        let device = devices.iter().find(|device| device.name() == name);
        let device = device.ok_or_else(|| diagnosis::THIS.no_device())?;
        let failed = |error: &dyn Error| diagnosis::THIS.not_opened(name, &in_words(error));
        let context = device.open().map_err(|error| failed(&error))?;
        let domain = context.alloc_pd().map_err(|error| failed(&error))?;
        Ok(Self {
            name: name.to_owned(),
            context,
            domain,
        })
    }

    /// What it says of itself: `ibv_query_device()`.
    pub fn advertised(&self) -> Result<Advertised, Missing> {
        let told = self.context.query_device();
        let told =
            told.map_err(|error| diagnosis::THIS.not_opened(&self.name, &in_words(&error)))?;
        Ok(Advertised {
            firmware: Some(told.firmware_version()).filter(|version| !version.is_empty()),
            max_mr_size: told.max_mr_size(),
            max_mr: u64::try_from(told.max_mr()).unwrap_or(0),
            page_size_cap: told.page_size_cap(),
        })
    }

    /// Registers bytes of `memory`, for as long as the value lives.
    pub fn register<'m>(&self, memory: &'m Mapping, claim: &Claim) -> io::Result<Registered<'m>> {
        Registered::new(&self.domain, memory, claim)
    }
}
