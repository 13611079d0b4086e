//! What was seen, as OpenMetrics: sums for Prometheus, which collects those of a thousand machines.

use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
    time::Duration,
};

use super::{ledger::Released, line::Line, source::Losses, verdict::Outcome};

/// The upper bounds of the histogram of durations, in microseconds.
const BOUNDS: [u64; 10] = [
    10, 30, 100, 300, 1_000, 3_000, 10_000, 100_000, 1_000_000, 10_000_000,
];

/// A machine has fewer devices. What a hostile one adds beyond is counted under one name.
const MOST_DEVICES: usize = 64;
const OTHER: &str = "other";

/// The bytes of an entry of a device that the catalogue lacks.
const ENTRY_BYTES: u64 = 8;

/// A device, and a word beside it.
type Key = (String, String);

/// Sums.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    devices: Vec<String>,
    registrations: BTreeMap<Key, u64>,
    refusals: BTreeMap<Key, u64>,
    small_pages: BTreeMap<String, u64>,
    model: BTreeMap<&'static str, u64>,
    durations: Histogram,
    released: u64,
    /// Of regions that are registered now, by device and page size.
    live: BTreeMap<Key, Live>,
    losses: Losses,
}

#[derive(Clone, Copy, Debug, Default)]
struct Live {
    regions: u64,
    pages: u64,
    entries: u64,
    bytes: u64,
}

#[derive(Clone, Debug, Default)]
struct Histogram {
    buckets: [u64; BOUNDS.len()],
    count: u64,
    sum: Duration,
}

impl Metrics {
    /// A registration was told.
    pub fn registered(&mut self, line: &Line) {
        let device = self.device(&line.device);
        *self
            .registrations
            .entry((device.clone(), line.kind.to_owned()))
            .or_default() += 1;
        let verdict = match line.model.verdict {
            Outcome::Equal => "equal",
            Outcome::Differs => "differs",
            Outcome::NotComparable => "not-comparable",
        };
        *self.model.entry(verdict).or_default() += 1;
        self.durations
            .add(Duration::from_nanos((line.duration_us * 1e3) as u64));
        if let Some(refused) = &line.refused {
            let key = (device, refused.gate.name().to_owned());
            *self.refusals.entry(key).or_default() += 1;
            return;
        }
        if line.could_be_larger {
            *self.small_pages.entry(device.clone()).or_default() += 1;
        }
        let entries = line.entries.unwrap_or(0);
        let live = self
            .live
            .entry((device, page_size(line.page_size)))
            .or_default();
        live.regions += 1;
        live.pages += line.pages;
        live.entries += entries;
        live.bytes += entries * entry_bytes(line.driver);
    }

    /// A region has ended.
    pub fn released(&mut self, end: &Released, driver: Option<&str>) {
        self.released += 1;
        let key = (self.device(&end.device), page_size(end.page_size));
        if let Some(live) = self.live.get_mut(&key) {
            let entries = end.entries.unwrap_or(0);
            live.regions = live.regions.saturating_sub(1);
            live.pages = live.pages.saturating_sub(end.pages);
            live.entries = live.entries.saturating_sub(entries);
            let bytes = entries * entry_bytes(driver);
            live.bytes = live.bytes.saturating_sub(bytes);
        }
    }

    /// What was lost so far.
    pub fn lost(&mut self, losses: Losses) {
        self.losses = losses;
    }

    fn device(&mut self, name: &str) -> String {
        let is_known = self.devices.iter().any(|known| known == name);
        if !is_known && self.devices.len() == MOST_DEVICES {
            return OTHER.to_owned();
        }
        if !is_known {
            self.devices.push(name.to_owned());
        }
        name.to_owned()
    }
}

fn page_size(size: Option<u64>) -> String {
    size.map_or("none".to_owned(), |size| size.to_string())
}

fn entry_bytes(driver: Option<&str>) -> u64 {
    let profile = driver.and_then(umem_core::device::find);
    profile.map_or(ENTRY_BYTES, |profile| profile.base.entry_bytes)
}

impl Histogram {
    fn add(&mut self, duration: Duration) {
        self.count += 1;
        self.sum += duration;
        for (bound, bucket) in BOUNDS.iter().zip(&mut self.buckets) {
            *bucket += u64::from(duration <= Duration::from_micros(*bound));
        }
    }
}

/// A label's value, quoted.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for c in self.0.chars() {
            match c {
                '"' => f.write_str("\\\"")?,
                '\\' => f.write_str("\\\\")?,
                '\n' => f.write_str("\\n")?,
                c => f.write_char(c)?,
            }
        }
        f.write_char('"')
    }
}

/// The OpenMetrics text, to its `# EOF`.
impl fmt::Display for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        family(
            f,
            "umem_registrations",
            "counter",
            "Registrations, refused ones among them.",
        )?;
        for ((device, kind), count) in &self.registrations {
            let (device, kind) = (Quoted(device), Quoted(kind));
            writeln!(
                f,
                "umem_registrations_total{{device={device},kind={kind}}} {count}"
            )?;
        }
        family(
            f,
            "umem_refusals",
            "counter",
            "Refused registrations, by the gate that refused.",
        )?;
        for ((device, gate), count) in &self.refusals {
            let (device, gate) = (Quoted(device), Quoted(gate));
            writeln!(
                f,
                "umem_refusals_total{{device={device},gate={gate}}} {count}"
            )?;
        }
        let text =
            "Registrations with smaller pages than the device has and the region could fill.";
        family(f, "umem_small_page_registrations", "counter", text)?;
        for (device, count) in &self.small_pages {
            let device = Quoted(device);
            writeln!(
                f,
                "umem_small_page_registrations_total{{device={device}}} {count}"
            )?;
        }
        family(
            f,
            "umem_compared",
            "counter",
            "Registrations held against the rules.",
        )?;
        for (verdict, count) in &self.model {
            writeln!(f, "umem_compared_total{{verdict=\"{verdict}\"}} {count}")?;
        }
        family(
            f,
            "umem_releases",
            "counter",
            "Regions that were seen to begin and to end.",
        )?;
        writeln!(f, "umem_releases_total {}", self.released)?;
        family(f, "umem_lost", "counter", "Records that may be lost.")?;
        writeln!(f, "umem_lost_total {}", self.losses.registrations())?;
        family(
            f,
            "umem_lost_list_parts",
            "counter",
            "Parts of lists that are lost.",
        )?;
        writeln!(f, "umem_lost_list_parts_total {}", self.losses.pieces)?;
        self.write_live(f)?;
        self.durations.write(f)?;
        f.write_str("# EOF\n")
    }
}

/// A gauge's name, its help, and its value.
type Gauge = (&'static str, &'static str, fn(&Live) -> u64);

impl Metrics {
    fn write_live(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let gauges: [Gauge; 4] = [
            ("umem_regions", "Regions that are registered now.", |live| {
                live.regions
            }),
            ("umem_pages", "Kernel pages that they pin.", |live| {
                live.pages
            }),
            (
                "umem_table_entries",
                "Entries of the device's tables for them.",
                |live| live.entries,
            ),
            ("umem_table_bytes", "Bytes of these.", |live| live.bytes),
        ];
        for (name, text, value) in gauges {
            family(f, name, "gauge", text)?;
            for ((device, size), live) in &self.live {
                let (device, size) = (Quoted(device), Quoted(size));
                let value = value(live);
                writeln!(f, "{name}{{device={device},page_size={size}}} {value}")?;
            }
        }
        Ok(())
    }
}

impl Histogram {
    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NAME: &str = "umem_registration_seconds";
        family(f, NAME, "histogram", "How long ib_umem_get() took.")?;
        for (bound, bucket) in BOUNDS.iter().zip(&self.buckets) {
            let bound = *bound as f64 / 1e6;
            writeln!(f, "{NAME}_bucket{{le=\"{bound:?}\"}} {bucket}")?;
        }
        writeln!(f, "{NAME}_bucket{{le=\"+Inf\"}} {}", self.count)?;
        writeln!(f, "{NAME}_sum {:?}", self.sum.as_secs_f64())?;
        writeln!(f, "{NAME}_count {}", self.count)
    }
}

fn family(f: &mut fmt::Formatter<'_>, name: &str, kind: &str, text: &str) -> fmt::Result {
    writeln!(f, "# TYPE {name} {kind}\n# HELP {name} {text}")
}

#[cfg(test)]
pub(super) mod tests {
    use std::time::SystemTime;

    use super::super::{machine::Machine, seen::tests::seen};
    use super::*;

    /// Two registrations, one of which ended, and a refusal.
    pub fn metrics() -> Metrics {
        let mut machine = Machine::here();
        let mut metrics = Metrics::default();
        let time = SystemTime::UNIX_EPOCH;
        let mut line = Line::of(&seen(), &mut machine, time, false, false);
        line.device = "mlx5_0".into();
        metrics.registered(&line);
        line.device = "a\"b\\c\nd".into();
        metrics.registered(&line);
        let mut refused = seen();
        refused.get.umem = -14i64 as u64;
        metrics.registered(&Line::of(&refused, &mut machine, time, false, false));
        metrics
    }

    #[test]
    fn each_sum_is_there_and_ends_with_its_region() {
        let mut metrics = metrics();
        let text = metrics.to_string();
        for line in [
            "umem_registrations_total{device=\"mlx5_0\",kind=\"region\"} 2",
            "umem_regions{device=\"mlx5_0\",page_size=\"4096\"} 1",
            "umem_table_bytes{device=\"mlx5_0\",page_size=\"4096\"} 16",
            "umem_registration_seconds_bucket{le=\"1e-5\"} 0",
            "umem_registration_seconds_bucket{le=\"+Inf\"} 3",
            "umem_lost_total 0",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
        assert!(text.ends_with("# EOF\n") && text.contains("gate=\"map\"} 1"));
        assert!(text.contains(r#"device="a\"b\\c\nd""#), "{text}");
        let end = Released {
            pid: 1,
            comm: String::new(),
            device: "mlx5_0".into(),
            address: 0,
            length: 0x2000,
            pages: 2,
            page_size: Some(4096),
            entries: Some(2),
            lived: Duration::ZERO,
        };
        metrics.released(&end, None);
        let text = metrics.to_string();
        assert!(text.contains("umem_regions{device=\"mlx5_0\",page_size=\"4096\"} 0"));
        assert!(text.contains("umem_releases_total 1"));
    }

    #[test]
    fn however_many_names_come_few_are_kept() {
        let mut metrics = Metrics::default();
        for number in 0..1000 {
            metrics.device(&format!("d{number}"));
        }
        assert_eq!(metrics.devices.len(), MOST_DEVICES);
        assert_eq!(metrics.device("d999"), OTHER);
    }
}
