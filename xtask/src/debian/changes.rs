//! What apt would change on this machine, read from its own simulation.

use std::fmt;

/// The packages that a command would install, replace by another version, and remove.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Changes {
    new: Vec<String>,
    replaced: Vec<String>,
    /// The names of those that go.
    pub removed: Vec<String>,
}

impl Changes {
    /// Reads what `apt-get --simulate` prints:
    /// `Inst NAME [OLD VERSION] (NEW VERSION …)`, without the old one where there is none, and `Remv NAME [VERSION]`.
    pub fn read(simulation: &str) -> Self {
        let mut changes = Self::default();
        for line in simulation.lines() {
            let mut words = line.split_whitespace();
            let (Some(what), Some(name)) = (words.next(), words.next()) else {
                continue;
            };
            let versions: Vec<&str> = words.collect();
            let old = versions.first().and_then(|word| word.strip_prefix('['));
            let old = old.map(|version| version.trim_end_matches(']'));
            let new = versions.iter().find_map(|word| word.strip_prefix('('));
            match (what, old, new) {
                ("Inst", Some(old), Some(new)) => {
                    changes.replaced.push(format!("{name} {old} by {new}"));
                }
                ("Inst", None, Some(new)) => changes.new.push(format!("{name} {new}")),
                ("Remv", ..) => changes.removed.push(name.to_owned()),
                _ => {}
            }
        }
        changes
    }
}

/// A line for each kind of change, indented.
impl fmt::Display for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds = [
            ("new", &self.new),
            ("replaced", &self.replaced),
            ("REMOVED", &self.removed),
        ];
        let there = kinds.into_iter().filter(|(_, names)| !names.is_empty());
        for (number, (kind, names)) in there.enumerate() {
            let end = if number == 0 { "" } else { "\n" };
            write!(f, "{end}  {kind}: {}", names.join(", "))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Changes;

    /// Lines of Debian 12's apt-get, of several commands.
    const SIMULATION: &str = "\
Reading package lists...
The following NEW packages will be installed:
  vim-tiny
1 upgraded, 1 newly installed, 1 to remove and 134 not upgraded.
Remv exim4-daemon-light [4.96-15+deb12u6]
Inst libnss-systemd [252.38-1~deb12u1] (252.39-1~deb12u2 Debian:12.15/oldstable [amd64]) []
Inst vim-tiny (2:9.0.1378-2+deb12u2 Debian:12.15/oldstable, Debian-Security:12/oldstable-security [amd64])
Conf vim-tiny (2:9.0.1378-2+deb12u2 Debian:12.15/oldstable [amd64])
";

    #[test]
    fn what_is_new_what_is_replaced_and_what_goes_are_told_apart() {
        let changes = Changes::read(SIMULATION);
        assert_eq!(
            changes.to_string(),
            "  new: vim-tiny 2:9.0.1378-2+deb12u2\n  \
               replaced: libnss-systemd 252.38-1~deb12u1 by 252.39-1~deb12u2\n  \
               REMOVED: exim4-daemon-light"
        );
        assert_eq!(
            Changes::read("0 upgraded, 0 newly installed"),
            Changes::default()
        );
        assert_eq!(Changes::default().to_string(), "");
    }
}
