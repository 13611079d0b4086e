//! What a proposal would bring: the public reports behind an IOMMU, with ranges as the kernel places them and congruent ones.

use umem_core::{
    registration::Registration,
    scenario::{Asked, IommuObject, IommuSpec, IovaSpec, Scenario},
};

use super::{cell, table};
use crate::cases::{self, Question};

/// Of all questions of `docs/cases` about one region: how many there are, and those whose tables would differ.
pub fn gains() -> anyhow::Result<String> {
    let (mut asked, mut rows) = (0, Vec::new());
    for case in cases::all()? {
        for question in &case.asked {
            let Some([now, then]) = both(question)? else {
                continue;
            };
            asked += 1;
            if now != then {
                let (title, asked) = (cell(&case.title), cell(&question.title));
                rows.push([
                    format!(
                        "[{title}](cases.md#{})<br><small>{asked}</small>",
                        case.name
                    ),
                    now.cell(),
                    then.cell(),
                ]);
            }
        }
    }
    let heading = ["report", "as Linux places it", "congruent"];
    let differ = rows.len();
    Ok(format!(
        "{}\nOf {asked} questions that give a table behind an IOMMU, these {differ} get another one. The bars count powers of two: one that is \
         half as long means the square root of the entries.\n",
        table(heading, rows.into_iter())
    ))
}

/// A table in brief.
#[derive(PartialEq, Eq)]
struct Cut {
    entries: u64,
    status: String,
}

impl Cut {
    fn of(scenario: &Scenario) -> anyhow::Result<Option<Self>> {
        let registration = Registration::new(scenario)?;
        Ok(registration.table().ok().map(|table| Self {
            entries: table.total,
            status: registration.status(),
        }))
    }

    /// Its entries, and their number as a bar.
    fn cell(&self) -> String {
        let bits = u64::BITS - self.entries.leading_zeros();
        let (count, by_size) = self.status.split_once(": ").unwrap_or((&self.status, ""));
        format!(
            "{}<br><meter max=\"24\" value=\"{bits}\" title=\"{count}\"></meter>",
            cell(by_size)
        )
    }
}

/// The tables of a region with the range where the kernel begins it, and with a congruent one: behind the IOMMU that the question names, or
/// VT-d. None of sets, and of what is refused in either way.
fn both(question: &Question) -> anyhow::Result<Option<[Cut; 2]>> {
    let Asked::Scenario(scenario) = question.asked()? else {
        return Ok(None);
    };
    let placed = |iova| {
        let mut scenario = (*scenario).clone();
        let object = match scenario.iommu {
            IommuSpec::Custom(object) => object,
            IommuSpec::Name(name) => IommuObject {
                name: Some(name).filter(|name| name != IommuSpec::OFF),
                ..IommuObject::default()
            },
        };
        let named = object.name.or_else(|| Some("vt-d".to_owned()));
        scenario.iommu = IommuSpec::Custom(IommuObject {
            name: named,
            iova,
            ..object
        });
        Cut::of(&scenario)
    };
    let cuts = placed(IovaSpec::Kernel)?.zip(placed(IovaSpec::Congruent)?);
    Ok(cuts.map(|(now, then)| [now, then]))
}

#[cfg(test)]
mod tests {
    use super::gains;

    /// What the chapter says of the reports: some gain, none loses.
    #[test]
    fn no_report_would_lose() {
        let text = gains().unwrap();
        let rows: Vec<_> = text
            .lines()
            .filter(|line| line.contains("<meter"))
            .collect();
        assert!(rows.len() >= 5, "{text}");
        for row in rows {
            let entries: Vec<u64> = row
                .split("title=\"")
                .skip(1)
                .map(|rest| rest.split_once(' ').unwrap().0.parse().unwrap())
                .collect();
            let [now, then] = entries[..] else {
                panic!("{row}")
            };
            assert!(then < now, "{row}");
        }
    }
}
