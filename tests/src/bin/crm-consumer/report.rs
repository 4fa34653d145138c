//! The books in print.

use std::io::Write as _;

use crate::{
    books::{Report, Row},
    persons::Person,
};

/// Members shown in the table; the JSON has all.
const MEMBERS_SHOWN_MAX: usize = 20;

pub(crate) fn print(report: &Report, json: bool) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    if json {
        serde_json::to_writer(&mut out, report)?;
        writeln!(out)?;
        return Ok(());
    }
    let stream = &report.stream;
    writeln!(
        out,
        "{} of {} events counted, {} missing, {} duplicates, {} refused",
        stream.counted, stream.highest, stream.missing, stream.duplicates, stream.refused
    )?;
    for gap in &report.gaps {
        writeln!(out, "missing: {} to {}", gap.first, gap.last)?;
    }
    table(&mut out, "STORE", &report.stores, usize::MAX)?;
    table(&mut out, "MEMBER", &report.members, MEMBERS_SHOWN_MAX)?;
    persons(&mut out, &report.persons)
}

/// Those of more than one record, or more than one channel.
fn persons(out: &mut impl std::io::Write, all: &[Person]) -> anyhow::Result<()> {
    let known = |person: &&Person| person.records.len() > 1 || person.channels.len() > 1;
    for person in all.iter().filter(known).take(MEMBERS_SHOWN_MAX) {
        let first = person.first_touch.as_deref().unwrap_or("nowhere");
        write!(
            out,
            "\nperson {}: {} records, {} points, first met in {first}",
            person.id,
            person.records.len(),
            person.balance.available
        )?;
        for (channel, sales) in &person.channels {
            write!(
                out,
                "; {channel}: {} sales, {} yen",
                sales.purchases, sales.yen
            )?;
        }
    }
    writeln!(out)?;
    Ok(())
}

fn table(
    out: &mut impl std::io::Write,
    heading: &str,
    rows: &[Row],
    shown_max: usize,
) -> anyhow::Result<()> {
    let columns = [
        "SALES", "YEN", "REFUNDS", "YEN BACK", "SPENT", "BACK", "EARNED", "BACK", "NOW",
    ];
    write!(out, "\n{heading:<36}")?;
    columns
        .iter()
        .try_for_each(|column| write!(out, " {column:>10}"))?;
    writeln!(out)?;
    for row in rows.iter().take(shown_max) {
        write!(out, "{:<36}", row.id)?;
        for number in [
            row.purchases,
            row.yen,
            row.refunds,
            row.refunded_yen,
            row.points_redeemed,
            row.points_restored,
            row.points_earned,
            row.points_clawed_back,
        ] {
            write!(out, " {number:>10}")?;
        }
        match row.available {
            Some(points) => writeln!(out, " {points:>10}")?,
            None => writeln!(out)?,
        }
    }
    if rows.len() > shown_max {
        writeln!(out, "and {} more; --json has all", rows.len() - shown_max)?;
    }
    Ok(())
}
