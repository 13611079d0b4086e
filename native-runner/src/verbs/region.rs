//! Memory that a device has registered.

use std::{ffi::c_void, io, ptr::NonNull, rc::Rc, sync::Arc};

use rdma_mummy_sys::{ibv_access_flags as Flag, ibv_dereg_mr, ibv_mr, ibv_reg_mr_iova2};
use sideway::ibverbs::protection_domain::ProtectionDomain;

use crate::{
    mapping::Mapping,
    nic::{Claim, Rights},
};

/// Memory that is registered with a device and borrowed for as long, so it cannot be unmapped under the device's hands.
#[derive(Clone, Debug)]
pub struct Registered<'m> {
    /// The kernel's region.
    pub region: Rc<MemoryRegion>,
    /// By which the other end names it.
    pub remote_key: u32,
    /// Where the device sees byte 0 of the mapping, be it registered or not. Modulo 2^64.
    base: u64,
    _memory: &'m Mapping,
}

impl<'m> Registered<'m> {
    /// Registers bytes of `memory`.
    pub fn new(
        domain: &Arc<ProtectionDomain>,
        memory: &'m Mapping,
        claim: &Claim,
    ) -> io::Result<Self> {
        let range = &claim.range;
        if range.start >= range.end || range.end > memory.len() as u64 {
            let what = format!("{range:#x?} of {} bytes", memory.len());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
        }
        let start = memory.start().get() + range.start;
        let device_address = claim.device_address.unwrap_or(start);
        // SAFETY: the range lies inside `memory`, which the returned value borrows: it stays mapped until the region is
        // deregistered. The program sees it as atomics only, so the device may write to it at any time.
        let region = unsafe {
            MemoryRegion::new(
                domain,
                start,
                range.end - range.start,
                device_address,
                claim.rights,
            )
        }?;
        Ok(Self {
            remote_key: region.remote_key(),
            region: Rc::new(region),
            base: device_address.wrapping_sub(range.start),
            _memory: memory,
        })
    }

    /// The address by which the device knows the byte at `offset` of the mapping.
    pub fn address(&self, offset: u64) -> u64 {
        self.base.wrapping_add(offset)
    }

    /// The same, with a remote key that was never given out: its low byte, which changes with each registration, is another.
    pub fn with_wrong_key(&self) -> Self {
        Self {
            remote_key: self.remote_key ^ 0xff,
            ..self.clone()
        }
    }
}

/// Registers any range, and ends the region at once.
pub fn attempt(
    domain: &Arc<ProtectionDomain>,
    start: u64,
    length: u64,
    hca: u64,
    access: u32,
) -> io::Result<()> {
    // SAFETY: the domain is alive. The kernel checks the range, and pins or refuses it: no byte is read or written, since nobody learns a
    // key of the region.
    let mr = unsafe {
        ibv_reg_mr_iova2(
            domain.pd().as_ptr(),
            start as *mut c_void,
            length as usize,
            hca,
            access,
        )
    };
    let mr = NonNull::new(mr).ok_or_else(io::Error::last_os_error)?;
    // SAFETY: the region is ours alone.
    let _ = unsafe { ibv_dereg_mr(mr.as_ptr()) };
    Ok(())
}

/// `struct ibv_mr`, deregistered on drop.
#[derive(Debug)]
pub struct MemoryRegion {
    mr: NonNull<ibv_mr>,
    /// Outlives the region.
    _domain: Arc<ProtectionDomain>,
}

impl MemoryRegion {
    /// `ibv_reg_mr_iova()`: `length` bytes from `start`, which the device sees at `device_address`.
    ///
    /// # Safety
    /// The bytes must stay mapped for as long as the value lives, and whoever reads them must expect that they change.
    unsafe fn new(
        domain: &Arc<ProtectionDomain>,
        start: u64,
        length: u64,
        device_address: u64,
        rights: Rights,
    ) -> io::Result<Self> {
        let (write, read) = (
            Flag::IBV_ACCESS_LOCAL_WRITE.0 | Flag::IBV_ACCESS_REMOTE_WRITE.0,
            Flag::IBV_ACCESS_REMOTE_READ.0,
        );
        let access = match rights {
            Rights::All => write | read,
            Rights::NotWritten => read,
            Rights::NotRead => write,
        };
        // SAFETY: the domain is alive, and the caller vouches for the memory.
        let mr = unsafe {
            ibv_reg_mr_iova2(
                domain.pd().as_ptr(),
                start as *mut c_void,
                length as usize,
                device_address,
                access,
            )
        };
        let mr = NonNull::new(mr).ok_or_else(io::Error::last_os_error)?;
        Ok(Self {
            mr,
            _domain: Arc::clone(domain),
        })
    }

    /// By which the device's own end names it.
    pub fn local_key(&self) -> u32 {
        // SAFETY: the region lives until `self` is dropped, and its keys never change.
        unsafe { self.mr.as_ref().lkey }
    }

    fn remote_key(&self) -> u32 {
        // SAFETY: as in `local_key`.
        unsafe { self.mr.as_ref().rkey }
    }
}

impl Drop for MemoryRegion {
    fn drop(&mut self) {
        // SAFETY: the region is ours alone, and all queue pairs that used it are gone. It cannot fail but for windows
        // bound to it, of which there are none.
        let _ = unsafe { ibv_dereg_mr(self.mr.as_ptr()) };
    }
}
