//! The three address spaces of a registration as three types, so that the compiler tells them apart; and runs of
//! bytes in them.

use crate::size::{PageSize, hex_digits};
use core::{
    fmt,
    ops::{Add, Sub},
    str::FromStr,
};

mod runs;

pub use runs::{Consecutive, Extent, Joined};

/// What the three address types have in common.
///
/// Adding and subtracting is exact, like that of integers: it panics on overflow where overflow checks are on. `checked_add` and
/// `wrapping_add` say what should happen instead.
pub trait Address:
    Copy
    + Ord
    + fmt::Display
    + fmt::Debug
    + fmt::LowerHex
    + Add<u64, Output = Self>
    + Sub<u64, Output = Self>
    + Sub<Self, Output = u64>
{
    /// The address with the number `value`.
    fn new(value: u64) -> Self;
    /// The address as a number.
    fn get(self) -> u64;
}

/// A number that reads and prints as `0x…`.
macro_rules! hexadecimal {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(u64);

        impl $name {
            /// The value with the bits `value`.
            #[inline]
            pub const fn new(value: u64) -> Self {
                Self(value)
            }

            /// Its bits.
            #[inline]
            pub const fn get(self) -> u64 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:#x}", self.0)
            }
        }

        impl fmt::LowerHex for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({:#x})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = AddressError;
            fn from_str(text: &str) -> Result<Self, AddressError> {
                let digits = hex_digits(text).ok_or(AddressError::Form)?;
                u64::from_str_radix(digits, 16).map(Self).map_err(|_| AddressError::TooLarge)
            }
        }
    };
}

macro_rules! address {
    ($(#[$doc:meta])* $name:ident) => {
        hexadecimal! {
            $(#[$doc])*
            $name
        }

        impl $name {
            /// The address `bytes` further on; `None` past the end of the address space.
            #[inline]
            pub const fn checked_add(self, bytes: u64) -> Option<Self> {
                match self.0.checked_add(bytes) {
                    Some(sum) => Some(Self(sum)),
                    None => None,
                }
            }

            /// The address `bytes` further on, modulo 2^64.
            #[inline]
            #[must_use]
            pub const fn wrapping_add(self, bytes: u64) -> Self {
                Self(self.0.wrapping_add(bytes))
            }

            /// The address `bytes` before this one, modulo 2^64.
            #[inline]
            #[must_use]
            pub const fn wrapping_sub(self, bytes: u64) -> Self {
                Self(self.0.wrapping_sub(bytes))
            }

            /// The address rounded down to a multiple of `size`.
            #[inline]
            #[must_use]
            pub const fn align_down(self, size: PageSize) -> Self {
                Self(size.align_down(self.0))
            }

            /// The address rounded up to a multiple of `size`; `None` where that is 2^64.
            #[inline]
            pub const fn align_up(self, size: PageSize) -> Option<Self> {
                match size.align_up(self.0) {
                    Some(up) => Some(Self(up)),
                    None => None,
                }
            }

            /// Whether the address is a multiple of `size`.
            #[inline]
            pub const fn is_aligned(self, size: PageSize) -> bool {
                size.divides(self.0)
            }

            /// How far the address lies past a multiple of `size`, in bytes.
            #[inline]
            pub const fn offset_in(self, size: PageSize) -> u64 {
                self.0 & size.mask()
            }

            /// How many low bits of the address are 0: 64 for address 0.
            #[inline]
            pub const fn trailing_zeros(self) -> u32 {
                self.0.trailing_zeros()
            }
        }

        impl Address for $name {
            #[inline]
            fn new(value: u64) -> Self {
                Self(value)
            }
            #[inline]
            fn get(self) -> u64 {
                self.0
            }
        }

        impl Add<u64> for $name {
            type Output = Self;
            #[inline]
            fn add(self, bytes: u64) -> Self {
                Self(self.0 + bytes)
            }
        }

        impl Sub<u64> for $name {
            type Output = Self;
            #[inline]
            fn sub(self, bytes: u64) -> Self {
                Self(self.0 - bytes)
            }
        }

        impl Sub for $name {
            type Output = u64;
            #[inline]
            fn sub(self, other: Self) -> u64 {
                self.0 - other.0
            }
        }
    };
}

address! {
    /// An address of the program that registers memory, or the one that the NIC is
    /// given for it (the HCA address, `ib_umem.iova`). Any 64-bit pattern.
    VirtAddr
}
address! {
    /// An address on the memory bus: page frame number × the kernel's page size.
    /// Any 64-bit pattern, though today's CPUs drive 52 bits at most.
    PhysAddr
}
address! {
    /// An address that the device puts on its bus: an IOVA behind an IOMMU, the
    /// physical address without one. Any 64-bit pattern.
    ///
    /// ```
    /// use umem_core::{address::DmaAddr, size::PageSize};
    /// let first: DmaAddr = "0x40001000".parse()?;
    /// let next = first + 0x1000;
    /// assert_eq!((next - first, next.is_aligned(PageSize::K4)), (0x1000, true));
    /// assert_eq!(format!("{next} {next:08x}"), "0x40002000 40002000");
    /// # Ok::<(), umem_core::address::AddressError>(())
    /// ```
    DmaAddr
}
hexadecimal! {
    /// The number of a page frame: `page_to_pfn()`.
    FrameNumber
}
hexadecimal! {
    /// A bit pattern that is not an address: a mask, a bitmap, a hash.
    Bits
}

impl PhysAddr {
    /// The address of a frame of pages of size `page`.
    ///
    /// # Errors
    /// [`AddressError::Frame`] if that is 2^64 or more.
    ///
    /// ```
    /// use umem_core::{address::{FrameNumber, PhysAddr}, size::PageSize};
    /// let frame = FrameNumber::new(0x40001);
    /// assert_eq!(PhysAddr::of_frame(frame, PageSize::K4), Ok(PhysAddr::new(0x4000_1000)));
    /// assert!(PhysAddr::of_frame(FrameNumber::new(1 << 52), PageSize::K4).is_err());
    /// ```
    pub const fn of_frame(frame: FrameNumber, page: PageSize) -> Result<Self, AddressError> {
        match frame.0.checked_mul(page.bytes()) {
            Some(address) => Ok(Self(address)),
            None => Err(AddressError::Frame { frame, page }),
        }
    }
}

impl DmaAddr {
    /// The device's address of `frame` without an IOMMU: the same number.
    #[inline]
    pub const fn identical(frame: PhysAddr) -> Self {
        Self(frame.0)
    }
}

/// Why a text or a frame number is not a valid address.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// A text that is not of the form `0x…`.
    #[error("is not a valid address: write 0x and hexadecimal digits")]
    Form,
    /// A text of more than 64 bits.
    #[error("is too long: an address has at most 16 hexadecimal digits")]
    TooLarge,
    /// A frame that lies at 2^64 or beyond.
    #[error("frame {frame} of {page} pages lies beyond the address space")]
    Frame {
        /// Its number.
        frame: FrameNumber,
        /// The size of its pages.
        page: PageSize,
    },
}
