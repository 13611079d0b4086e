//! What the process's exit code says.

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// 0: done; of a check, everything held, or was skipped by name.
    Held,
    /// 1: something differed from what the rules say.
    Differed,
    /// 2: the input or the command line was wrong.
    Usage,
    /// 3: this machine cannot do it; the message names what is missing and how to get it.
    Unable,
}

/// The codes of all commands, for `--help`.
pub const TABLE: &str = "\
Exit codes of all commands:
  0  done; of a check, everything held, and what was skipped is named
  1  something differed from what the rules say
  2  wrong input or usage
  3  this machine cannot: the message names what is missing, and how to get it";

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Held => 0,
            Exit::Differed => 1,
            Exit::Usage => 2,
            Exit::Unable => 3,
        })
    }
}
