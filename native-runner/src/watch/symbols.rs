//! The kernel's functions by name and by address: `/proc/kallsyms`.

use std::{collections::HashMap, fs, io, ops::Range};

/// What the kernel shows of its symbols.
#[derive(Debug, Default)]
pub struct Symbols {
    text: String,
    /// Functions by address, ascending, each with where its name stands in the text.
    by_address: Vec<(u64, Range<usize>)>,
    /// The module of each function that is wanted; `None`: the kernel itself.
    modules: HashMap<&'static str, Option<String>>,
    /// Where `vmemmap_base` is.
    vmemmap_base: Option<u64>,
}

impl Symbols {
    /// Reads them; `wanted` are the functions whose modules must be known.
    pub fn read(wanted: &[&'static str]) -> io::Result<Self> {
        Ok(Self::parse(fs::read_to_string("/proc/kallsyms")?, wanted))
    }

    /// Of lines like `ffffffffc0a01230 t ib_umem_get\t[ib_uverbs]`. Addresses are 0 where the kernel hides them.
    fn parse(text: String, wanted: &[&'static str]) -> Self {
        let mut symbols = Self::default();
        let mut at = 0;
        for line in text.split_inclusive('\n') {
            let start = at;
            at += line.len();
            let Some((address, kind, name)) = fields(line) else {
                continue;
            };
            if address != 0 && &line[name.clone()] == "vmemmap_base" {
                symbols.vmemmap_base = Some(address);
            }
            if !matches!(kind, b't' | b'T' | b'w' | b'W') {
                continue;
            }
            if let Some(wanted) = wanted.iter().find(|wanted| **wanted == &line[name.clone()]) {
                let module = line[name.end..].trim();
                let module = module
                    .strip_prefix('[')
                    .and_then(|module| module.strip_suffix(']'));
                symbols.modules.insert(wanted, module.map(str::to_owned));
            }
            if address != 0 {
                let name = start + name.start..start + name.end;
                symbols.by_address.push((address, name));
            }
        }
        symbols
            .by_address
            .sort_unstable_by_key(|(address, _)| *address);
        symbols.text = text;
        symbols
    }

    /// How tracefs calls a function: `ib_uverbs:ib_umem_get`, so that the probe comes back with its module; `None` if there is no such.
    pub fn probe_point(&self, function: &str) -> Option<String> {
        Some(match self.modules.get(function)? {
            Some(module) => format!("{module}:{function}"),
            None => function.to_owned(),
        })
    }

    /// The function that holds this address.
    pub fn function(&self, address: u64) -> Option<&str> {
        let after = self
            .by_address
            .partition_point(|(start, _)| *start <= address);
        let (_, name) = self.by_address.get(after.checked_sub(1)?)?;
        self.text.get(name.clone())
    }

    /// Where `vmemmap_base` is, if the kernel has it and shows it.
    pub fn vmemmap_base(&self) -> Option<u64> {
        self.vmemmap_base
    }

    /// Whether addresses are shown: to root, or with CAP_SYSLOG.
    pub fn are_shown(&self) -> bool {
        !self.by_address.is_empty()
    }
}

/// The address, the letter, and where the name stands in the line.
fn fields(line: &str) -> Option<(u64, u8, Range<usize>)> {
    let (address, rest) = line.split_once(' ')?;
    let (kind, _) = rest.split_once(' ')?;
    let start = address.len() + kind.len() + 2;
    let length = line.get(start..)?.find(['\t', '\n'])?;
    let address = u64::from_str_radix(address, 16).ok()?;
    Some((address, *kind.as_bytes().first()?, start..start + length))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: &str = "ffffffff81000000 T _stext\nffffffff82000000 D vmemmap_base\nffffffff81000100 t dma_map_sgtable\n\
        ffffffffc0a01000 t ib_umem_get\t[ib_uverbs]\nffffffffc0a01800 t ib_umem_release\t[ib_uverbs]\nbad\n\n  \nx y z\n";
    const WANTED: [&str; 3] = ["ib_umem_get", "dma_map_sgtable", "vmemmap_base"];

    #[test]
    fn functions_are_found_by_name_and_by_address() {
        let symbols = Symbols::parse(LINES.to_owned(), &WANTED);
        let point = |function| symbols.probe_point(function);
        assert_eq!(point("ib_umem_get"), Some("ib_uverbs:ib_umem_get".into()));
        assert_eq!(point("dma_map_sgtable"), Some("dma_map_sgtable".into()));
        assert_eq!(point("vmemmap_base"), None);
        assert_eq!(symbols.function(0xffff_ffff_c0a0_1042), Some("ib_umem_get"));
        assert_eq!(symbols.function(0x1000), None);
        assert_eq!(symbols.vmemmap_base(), Some(0xffff_ffff_8200_0000));
        assert!(symbols.are_shown());
    }

    #[test]
    fn hidden_addresses_leave_the_names() {
        let hidden = |line: &str| format!("0000000000000000{}\n", line.get(16..).unwrap_or(""));
        let hidden: String = LINES.lines().map(hidden).collect();
        let symbols = Symbols::parse(hidden, &WANTED);
        assert!(!symbols.are_shown() && symbols.vmemmap_base().is_none());
        assert!(symbols.probe_point("ib_umem_get").is_some());
    }
}
