//! The report as one page that needs nothing else: style and charts are in it.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{
    Report, Step,
    chart::{self, COLOURS, Kind, Line},
};
use crate::figures::{Latency, as_ms, count, one_in, rounded};

const STYLE: &str = include_str!("page.css");
/// Steps whose curves are drawn over each other: as many as there are colours.
const CURVES_MAX: usize = COLOURS;

/// The page.
///
/// # Errors
/// If a chart cannot be drawn.
pub fn page(report: &Report) -> anyhow::Result<String> {
    let title = format!("Load test: {}", scenario(report));
    let charts = chart::style();
    let body = html! {
        h1 { (title) }
        (verdict(report))
        (summary(report))
        @if report.steps.len() > 1 { (over_rate(report)?) }
        (percentiles(report)?)
        h2 { "Over time" }
        p { "Pauses in which cards are signed and holds are let go are cut out." }
        @for (number, step) in report.steps.iter().enumerate() {
            details open[number + 1 == report.steps.len()] {
                summary { (step.name()) }
                (over_time(step)?)
                (operations(step))
            }
        }
        (circumstances(report))
    };
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (PreEscaped(STYLE)) (PreEscaped(charts)) }
            }
            body { (body) }
        }
    };
    Ok(page.into_string())
}

fn scenario(report: &Report) -> String {
    format!("{:?}", report.scenario).to_lowercase()
}

fn verdict(report: &Report) -> Markup {
    html! {
        @match report.search {
            Some(found) => p {
                @match found.per_s {
                    Some(per_s) => { "The highest rate that kept 99 of 100 answers within " (found.p99_ms) " ms: " strong { (per_s) " errands/s" } "." }
                    None => { "No rate that was tried kept 99 of 100 answers within " (found.p99_ms) " ms." }
                }
            },
            None => {}
        }
        @match &report.audit {
            None => p { "The database was not audited after the run." },
            Some(audit) if audit.clean => p {
                span class="good" { "Audit clean" } ": " (audit.members) " members, " (audit.transfers) " transfers, every point accounted for."
            },
            Some(audit) => p {
                span class="bad" { "Audit broken" } ": " code { (audit.first_broken.as_deref().unwrap_or_default()) }
            },
        }
        @for note in &report.notes { p { (note) } }
    }
}

fn summary(report: &Report) -> Markup {
    let open = report.steps.iter().any(|step| step.late.is_some());
    html! {
        h2 { "Figures" }
        div class="wide" {
            table {
                thead { tr {
                    th { "load" } th { "seconds" } th { "errands/s" } th { "requests/s" } th { "approved/s" }
                    th { "p50 ms" } th { "p90 ms" } th { "p99 ms" } th { "p99.9 ms" } th { "max ms" }
                    th { "not approved" } th { "batch" } th { "connections" }
                    @if open { th { "begun late p99 ms" } th { "waited" } }
                    th { "cpu µs" }
                    th { "steal %" }
                } }
                tbody {
                    @for step in &report.steps {
                        tr {
                            td { (step.name()) } td { (rounded(step.seconds, 1)) } td { (rounded(step.errands_per_s, 0)) }
                            td { (rounded(step.requests_per_s, 0)) } td { (rounded(step.approvals_per_s, 0)) }
                            (latency(&step.latency))
                            td class=[(step.others() > 0).then_some("bad")] { (step.others()) }
                            td { (figure(step.batch_commands)) } td { (step.connections) }
                            @if open {
                                td { @if let Some(late) = step.late { (rounded(as_ms(late.p99_us), 2)) } }
                                td { (step.waited_for_connection) }
                            }
                            td { (figure(step.machine_cpu_us)) }
                            td { (figure(step.steal_per_cent)) }
                        }
                    }
                }
            }
        }
        @if open {
            p { "An open loop: latency counts from the moment an errand was due, so a stall of the gateway hides nothing. \
                \u{201c}Begun late\u{201d} is what the load test itself added; \u{201c}waited\u{201d} are errands that found every connection busy." }
        } @else {
            p { "A closed loop: each caller waits for its answer before it asks again, so latency grows with the number of callers." }
        }
    }
}

fn latency(latency: &Latency) -> Markup {
    let us = [
        latency.p50_us,
        latency.p90_us,
        latency.p99_us,
        latency.p999_us,
        latency.max_us,
    ];
    html! { @for us in us { td { (rounded(as_ms(us), 2)) } } }
}

fn figure(figure: Option<f64>) -> String {
    figure.map_or("–".into(), |figure| rounded(figure, 1))
}

fn drawn(kind: Kind, says: &str, lines: &[Line]) -> anyhow::Result<Markup> {
    let svg = chart::draw(kind, lines)?;
    Ok(html! {
        figure {
            figcaption {
                div { (says) }
                @if lines.len() > 1 {
                    @for (number, line) in lines.iter().enumerate() {
                        span class="key" style=(format!("--key:var(--line-{})", number % COLOURS)) { (line.name) }
                    }
                }
            }
            div role="img" aria-label=(says) { (PreEscaped(svg)) }
        }
    })
}

/// A named figure of a latency.
type Named = (&'static str, fn(&Latency) -> u64);
const SHOWN: [Named; 4] = [
    ("p50", |latency| latency.p50_us),
    ("p90", |latency| latency.p90_us),
    ("p99", |latency| latency.p99_us),
    ("p99.9", |latency| latency.p999_us),
];

fn over_rate(report: &Report) -> anyhow::Result<Markup> {
    let mut steps: Vec<&Step> = report.steps.iter().collect();
    steps.sort_by(|one, two| one.requests_per_s.total_cmp(&two.requests_per_s));
    let lines = SHOWN.map(|(name, of)| Line {
        name: name.into(),
        points: steps
            .iter()
            .map(|step| (step.requests_per_s, as_ms(of(&step.latency))))
            .collect(),
    });
    let says = "Latency in milliseconds over requests answered a second";
    let chart = drawn(Kind::LatencyOverRate, says, &lines)?;
    Ok(html! { h2 { "Latency over rate" } (chart) })
}

fn percentiles(report: &Report) -> anyhow::Result<Markup> {
    let shown = report.steps.iter().rev().take(CURVES_MAX).rev();
    let lines: Vec<_> = shown
        .map(|step| Line {
            name: step.name(),
            points: step
                .percentiles
                .iter()
                .map(|point| {
                    let slowest = count(step.requests.max(2));
                    (one_in(point.quantile).min(slowest), as_ms(point.us))
                })
                .collect(),
        })
        .collect();
    let chart = drawn(
        Kind::LatencyOverShare,
        "Latency in milliseconds that so large a share of all answers kept",
        &lines,
    )?;
    Ok(html! { h2 { "Percentiles" } (chart) })
}

fn over_time(step: &Step) -> anyhow::Result<Markup> {
    let moments = || {
        (0_u64..)
            .zip(&step.timeline)
            .map(|(at, moment)| (count(at), moment))
    };
    let rate = |name: &str, of: fn(&super::Moment) -> u64| Line {
        name: name.into(),
        points: moments()
            .map(|(at, moment)| (at, count(of(moment))))
            .collect(),
    };
    let rates = [
        rate("answers", |moment| moment.requests),
        rate("approvals", |moment| moment.approved),
    ];
    let latencies = SHOWN.map(|(name, of)| Line {
        name: name.into(),
        points: moments()
            .filter_map(|(at, moment)| Some((at, as_ms(of(moment.latency.as_ref()?)))))
            .collect(),
    });
    let batches = Line {
        name: "batch".into(),
        points: moments()
            .filter_map(|(at, moment)| Some((at, moment.batch_commands?)))
            .collect(),
    };
    let throughput = drawn(Kind::CountOverTime, "Answers in each second", &rates)?;
    let latency = drawn(
        Kind::LatencyOverTime,
        "Latency in milliseconds of the answers in each second",
        &latencies,
    )?;
    let batches = drawn(
        Kind::CountOverTime,
        "Commands of a batch, on average over each second",
        &[batches],
    )?;
    Ok(html! { (throughput) (latency) (batches) })
}

fn operations(step: &Step) -> Markup {
    html! {
        div class="wide" {
            table {
                thead { tr {
                    th { "request" } th { "answers" }
                    th { "p50 ms" } th { "p90 ms" } th { "p99 ms" } th { "p99.9 ms" } th { "max ms" } th { "outcomes" }
                } }
                tbody {
                    @for (name, operation) in &step.operations {
                        tr {
                            td { (name) } td { (operation.requests) } (latency(&operation.latency))
                            td { @for (number, (outcome, count)) in operation.outcomes.iter().enumerate() {
                                @if number > 0 { ", " } (count) " " (outcome)
                            } }
                        }
                    }
                }
            }
        }
    }
}

fn circumstances(report: &Report) -> Markup {
    let machine = &report.machine;
    let unknown = || "unknown".to_owned();
    let memory = machine
        .memory_mib
        .map_or_else(unknown, |mib| format!("{mib} MiB"));
    let facts = [
        ("Gateway", report.gateway.clone()),
        (
            "Database",
            report
                .database
                .map_or_else(unknown, |engine| engine.to_string()),
        ),
        ("Programme", report.programme.clone()),
        (
            "Members",
            format!("{}, of whom {} show cards", report.members, report.phones),
        ),
        ("Tills", report.tills.to_string()),
        (
            "Processors",
            format!(
                "{} × {}",
                machine.cores,
                machine.cpu.clone().unwrap_or_else(unknown)
            ),
        ),
        ("Memory", memory),
        ("Kernel", machine.kernel.clone().unwrap_or_else(unknown)),
        ("Begun", report.started_at.clone()),
        ("Load test", report.version.to_owned()),
    ];
    html! {
        h2 { "Circumstances" }
        p { "The load test ran on this machine. Where the gateway or its database ran on it too, they shared its processors; \
            cpu is the time of all processes of this machine for each answer; \
            steal is the share of processor time that other guests of the host took." }
        dl { @for (name, fact) in facts { dt { (name) } dd { (fact) } } }
        pre { (report.command.join(" ")) }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        host::Host,
        run::{errand::Scenario, record::Record, stage},
    };

    fn report() -> Report {
        let mut record = Record::nothing().unwrap();
        record.segment(Duration::from_secs(1), None);
        let pace = stage::open(10).unwrap();
        let step = Step::of(pace, 1, &record).unwrap();
        Report {
            version: "0",
            command: vec![
                "loadtest".into(),
                "--html=<script>alert('1')</script>&\"".into(),
            ],
            started_at: "now".into(),
            scenario: Scenario::Mix,
            gateway: "<b>".into(),
            database: None,
            programme: "a".into(),
            phones: 1,
            members: 2,
            tills: 3,
            machine: Host::read(),
            steps: vec![step.clone(), step],
            search: None,
            audit: None,
            notes: vec!["1 < 2".into()],
        }
    }

    #[test]
    fn what_comes_from_outside_is_escaped() {
        let page = page(&report()).unwrap();
        assert!(!page.contains("<script"), "{page}");
        assert!(page.contains("&lt;script&gt;"), "{page}");
        assert!(page.contains("<dd>&lt;b&gt;</dd>") && page.contains("1 &lt; 2"));
    }

    #[test]
    fn a_page_needs_nothing_from_elsewhere_and_has_both_themes() {
        let page = page(&report()).unwrap();
        for elsewhere in [
            "http:", "https:", "src=", "href=", "url(", "@import", "<link",
        ] {
            assert!(!page.contains(elsewhere), "{elsewhere}");
        }
        assert!(page.contains("prefers-color-scheme: dark"));
        assert!(page.contains("Latency over rate") && page.contains("not audited"));
    }
}
