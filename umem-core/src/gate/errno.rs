//! Error numbers.

use core::fmt;

/// What `errno` says after `ibv_reg_mr()` returned NULL.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "UPPERCASE")
)]
#[non_exhaustive]
pub enum Errno {
    /// The process may not lock memory at all.
    Eperm,
    /// A signal ended the process while it pinned.
    Eintr,
    /// The device failed.
    Eio,
    /// The file descriptor of a dma-buf is not open.
    Ebadf,
    /// A control group or the number of mappings is at its limit.
    Eagain,
    /// No resource is left, or no memory.
    Enomem,
    /// A bad address; some drivers return it for every failure.
    Efault,
    /// An argument that libibverbs, the kernel or the device does not take.
    Einval,
    /// The table's root is too large.
    Erange,
    /// The device did not answer in time (efa).
    Etime,
    /// The device or the memory cannot do it.
    Eopnotsupp,
    /// The table's root does not fit its page.
    Enobufs,
    /// The device did not answer in time.
    Etimedout,
    /// Device memory that another device cannot reach.
    Eremoteio,
}

impl Errno {
    /// All that a registration can end with.
    pub const ALL: [Self; 14] = [
        Self::Eperm,
        Self::Eintr,
        Self::Eio,
        Self::Ebadf,
        Self::Eagain,
        Self::Enomem,
        Self::Efault,
        Self::Einval,
        Self::Erange,
        Self::Etime,
        Self::Eopnotsupp,
        Self::Enobufs,
        Self::Etimedout,
        Self::Eremoteio,
    ];

    /// Its name in `errno.h`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Eperm => "EPERM",
            Self::Eintr => "EINTR",
            Self::Eio => "EIO",
            Self::Ebadf => "EBADF",
            Self::Eagain => "EAGAIN",
            Self::Enomem => "ENOMEM",
            Self::Efault => "EFAULT",
            Self::Einval => "EINVAL",
            Self::Erange => "ERANGE",
            Self::Etime => "ETIME",
            Self::Eopnotsupp => "EOPNOTSUPP",
            Self::Enobufs => "ENOBUFS",
            Self::Etimedout => "ETIMEDOUT",
            Self::Eremoteio => "EREMOTEIO",
        }
    }

    /// Its number on x86-64, arm64, POWER, RISC-V and s390.
    pub const fn number(self) -> i32 {
        match self {
            Self::Eperm => 1,
            Self::Eintr => 4,
            Self::Eio => 5,
            Self::Ebadf => 9,
            Self::Eagain => 11,
            Self::Enomem => 12,
            Self::Efault => 14,
            Self::Einval => 22,
            Self::Erange => 34,
            Self::Etime => 62,
            Self::Eopnotsupp => 95,
            Self::Enobufs => 105,
            Self::Etimedout => 110,
            Self::Eremoteio => 121,
        }
    }

    /// The one of that name, or with that number.
    ///
    /// ```
    /// use umem_core::gate::Errno;
    /// assert_eq!(Errno::find("ENOMEM"), Some(Errno::Enomem));
    /// assert_eq!(Errno::find("-12"), Some(Errno::Enomem));
    /// assert_eq!(Errno::find("ENOENT"), None);
    /// ```
    pub fn find(text: &str) -> Option<Self> {
        let number: Option<i32> = text.strip_prefix('-').unwrap_or(text).parse().ok();
        Self::ALL
            .into_iter()
            .find(|errno| errno.name() == text || Some(errno.number()) == number)
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
