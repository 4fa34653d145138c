use super::*;

const GUIDE: &str = include_str!("../../../docs/programme.md");

/// The first TOML block of the guide: the annotated example.
fn example() -> &'static str {
    let start = GUIDE.find("```toml\n").expect("a TOML block") + "```toml\n".len();
    let rest = &GUIDE[start..];
    &rest[..rest.find("\n```").expect("its end") + 1]
}

/// The keys of everything the type can say; names that people choose are stars.
fn keys(programme: &Programme) -> Vec<String> {
    fn walk(key: String, value: &Value, keys: &mut Vec<String>) {
        match value {
            Value::Object(table) => {
                for (name, inner) in table {
                    let named = matches!(key.as_str(), "classes" | "business_day.stores");
                    let name = if named { "*" } else { name };
                    let path = if key.is_empty() {
                        name.to_owned()
                    } else {
                        format!("{key}.{name}")
                    };
                    walk(path, inner, keys);
                }
            }
            _ => keys.push(key),
        }
    }
    let mut found = Vec::new();
    walk(
        String::new(),
        &serde_json::to_value(programme).unwrap(),
        &mut found,
    );
    found
}

fn demo() -> Programme {
    parse("demo.toml", DEMO).unwrap()
}

/// The demo with one line put in place of another.
fn edited(from: &str, to: &str) -> Result<Programme, TomlFault> {
    assert!(DEMO.contains(from), "{from}");
    parse("edited.toml", &DEMO.replacen(from, to, 1))
}

#[test]
fn the_demo_earns_one_point_for_a_hundred_yen_tax_included_floored() {
    let programme = demo();
    assert_eq!(programme.id.as_str(), "demo");
    assert_eq!(
        (programme.earn.points, programme.earn.per_yen.get()),
        (1, 100)
    );
    assert_eq!(programme.earn.tax, ledger::programme::Basis::Included);
    assert_eq!(programme.earn.rounding, ledger::programme::Rounding::Down);
    assert_eq!(String::from(programme.time_zone), "Asia/Tokyo");
}

#[test]
fn the_guide_documents_every_key_and_its_example_writes_every_key() {
    let programme = parse("docs/programme.md", example()).unwrap_or_else(|fault| panic!("{fault}"));
    for key in keys(&programme) {
        assert!(
            GUIDE.contains(&format!("| `{key}` |")),
            "docs/programme.md has no row for `{key}`"
        );
    }
    // What the type leaves out of one value it has in another: each kind's own keys.
    for key in [
        "classes.*.expiry.months",
        "returns.expired.days",
        "business_day.stores.*.cut_over",
        "cards.apple_range.check",
    ] {
        assert!(keys(&programme).iter().any(|known| known == key), "{key}");
    }
    for key in keys(&programme) {
        let last = key.rsplit('.').next().unwrap();
        assert!(
            example().contains(last),
            "the example does not write `{key}`"
        );
    }
}

#[test]
fn a_programme_survives_being_written_and_read() {
    for text in [DEMO, example()] {
        let programme = parse("given.toml", text).unwrap();
        let written = render(&programme).unwrap();
        let read =
            parse("written.toml", &written).unwrap_or_else(|fault| panic!("{fault}\n{written}"));
        assert_eq!(read, programme);
    }
}

#[test]
fn a_wrong_setting_is_told_with_its_line() {
    for (from, to, line, reason) in [
        ("per_yen = 100", "per_yen = 0", 11, "at least 1"),
        ("per_yen = 100", "per_yen = 99.5", 11, "99.5"),
        (
            "per_yen = 100",
            "per_yen = \"100\"",
            11,
            "expected a whole number",
        ),
        (
            "points = 1\n",
            "points = 1\npoint = 1\n",
            11,
            "unknown key `point`",
        ),
        (
            "rounding = \"down\"",
            "rounding = \"floor\"",
            14,
            "unknown word `floor`",
        ),
        (
            "months = 12",
            "months = 500",
            18,
            "500 is not between 1 and 240 months",
        ),
        (
            "kind = \"activity\", months = 12",
            "kind = \"activity\"",
            18,
            "months",
        ),
        (
            "kind = \"activity\", months = 12",
            "kind = \"never\", months = 12",
            18,
            "months",
        ),
        (
            "kind = \"activity\"",
            "kind = \"sometimes\"",
            18,
            "unknown word `sometimes`",
        ),
        (
            "[classes.bonus]",
            "[classes.Bonus]",
            21,
            "\"Bonus\" is no class name",
        ),
        ("Asia/Tokyo", "Asia/Edo", 6, "\"Asia/Edo\" is no time zone"),
        ("id = \"demo\"", "id = \"Demo!\"", 4, ""),
        ("id = \"demo\"\n", "", 1, "missing key `id`"),
        ("[earn]", "[earn", 9, ""),
    ] {
        let fault = edited(from, to).expect_err(to);
        assert_eq!(fault.line, line, "{fault}");
        assert!(fault.reason.contains(reason), "{fault}");
    }
    let appended = format!("{DEMO}\n[returns]\nexpired = {{ kind = \"grace\" }}\n");
    assert_eq!(parse("a", &appended).unwrap_err().line, 25);
    let appended = format!("{DEMO}\n[classes.gift.expiry]\nkind = \"fixed\"\nmonths = 0\n");
    assert_eq!(parse("a", &appended).unwrap_err().line, 26);
    let appended = format!("{DEMO}\n[business_day]\ncut_over = \"25:00\"\n");
    assert_eq!(parse("a", &appended).unwrap_err().line, 25);
}

#[test]
fn settings_that_contradict_each_other_are_told_with_a_line() {
    for (from, to, line, key) in [
        ("points = 1\n", "points = 101\n", 10, "earn.points"),
        (
            "yen_per_point = 1",
            "yen_per_point = 101",
            10,
            "earn.points",
        ),
        (
            "points = 1\n",
            "points = 1\npending_days = 336\n",
            11,
            "earn.pending_days",
        ),
        (
            "[earn]",
            "[cards]\nfresh_before_seconds = 9\n\n[earn]",
            10,
            "cards.fresh_before_seconds",
        ),
        (
            "[earn]",
            "[cards]\nshort_code_seconds = 0\n\n[earn]",
            10,
            "cards.short_code_seconds",
        ),
        (
            "[earn]",
            "[cards]\nplastic = [{ from = \"29800000000000\", to = \"29800000000009\" }]\n\
             apple_range = { from = \"29800000000000\", to = \"29899999999999\", check = \"luhn\" }\n\n[earn]",
            11,
            "cards.apple_range",
        ),
        (
            "[earn]",
            "[returns]\nexpired = { kind = \"grace\", days = 0 }\n\n[earn]",
            10,
            "returns.expired.days",
        ),
    ] {
        let fault = edited(from, to).expect_err(to);
        assert_eq!(fault.line, line, "{fault}");
        assert!(fault.reason.starts_with(key), "{fault}");
    }
}

#[test]
fn a_difference_names_key_old_and_new() {
    let new = edited("per_yen = 100", "per_yen = 200").unwrap();
    let change = |key: &str, old: Option<&str>, new: Option<&str>| Change {
        key: key.to_owned(),
        old: old.map(str::to_owned),
        new: new.map(str::to_owned),
    };
    assert_eq!(
        diff(&demo(), &new).unwrap(),
        [change("earn.per_yen", Some("100"), Some("200"))]
    );
    let new = edited("[classes.bonus]", "[classes.gift]").unwrap();
    assert_eq!(
        diff(&demo(), &new).unwrap(),
        [
            change("classes.bonus.expiry.kind", Some("\"fixed\""), None),
            change("classes.bonus.expiry.months", Some("3"), None),
            change("classes.gift.expiry.kind", None, Some("\"fixed\"")),
            change("classes.gift.expiry.months", None, Some("3")),
        ]
    );
    assert_eq!(diff(&demo(), &demo()).unwrap(), []);
}
