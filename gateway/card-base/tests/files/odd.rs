//! Odd files: what is accepted, what is rejected, and in which line.

use card_base::{
    CardBase, Column, Encoding, HeaderError, OpenError, Options, ReadError, Reason, ReportWriter,
    Separator,
};

use crate::reading::{KEY, encode, rest, rows, summary, told};

#[test]
fn lines_end_in_three_ways() {
    for end in ["\n", "\r", "\r\n"] {
        let text = ["会員番号,ポイント", "", "1,10", "2,20", "", "x,1", "3,30"].join(end);
        for last in ["", end] {
            let file = format!("{text}{last}");
            let expected = ["3:1=10", "4:2=20", "6!number_not_digits", "7:3=30"];
            assert_eq!(told(file.as_bytes()), expected, "{end:?}");
        }
    }
}

#[test]
fn every_encoding_is_read() {
    let text = "カード番号,残高,氏名,ﾌﾘｶﾞﾅ\n001,\"1,980\",髙橋①～ソ表,ﾀｶﾊｼ\n２,５,能,\n";
    for (encoding, mark) in [
        (Encoding::Utf8, false),
        (Encoding::Utf8, true),
        (Encoding::Utf16Le, true),
        (Encoding::Utf16Be, true),
        (Encoding::ShiftJis, false),
    ] {
        let file = encode(text, encoding, mark);
        let base = CardBase::open(file.as_slice(), Options::default(), KEY).unwrap();
        assert_eq!(base.encoding(), encoding);
        let cards: Vec<_> = rest(base)
            .into_iter()
            .map(|(row, _)| row.unwrap())
            .collect();
        assert_eq!(cards[0].number.as_str(), "001");
        assert_eq!(cards[0].points().get(), 1980);
        // The wave dash of Windows-31J is the full-width tilde; ソ, 表 and 能 end in a backslash.
        assert_eq!(cards[0].profile.name.as_deref(), Some("髙橋①～ソ表"));
        assert_eq!(cards[0].profile.kana.as_deref(), Some("ﾀｶﾊｼ"));
        assert_eq!(cards[1].number.as_str(), "2");
        assert_eq!(cards[1].profile.name.as_deref(), Some("能"));
        assert_eq!(cards[1].profile.kana, None);
    }
}

#[test]
fn an_encoding_that_is_given_overrides_the_one_told() {
    let options = Options {
        encoding: Some(Encoding::ShiftJis),
        ..Options::default()
    };
    let file = encode(
        "number,points,name\n1,1,A\n2,2,髙橋\n",
        Encoding::Utf8,
        false,
    );
    let base = CardBase::open(file.as_slice(), options, KEY).unwrap();
    assert_eq!(base.encoding(), Encoding::ShiftJis);
    assert_ne!(
        rest(base)[1]
            .0
            .as_ref()
            .ok()
            .and_then(|card| card.profile.name.as_deref()),
        Some("髙橋")
    );
}

#[test]
fn bytes_without_meaning_cost_their_row() {
    let mut file = "会員番号,残高,氏名\n1,1,山田\n2,2,".as_bytes().to_vec();
    file.extend_from_slice(b"\xFF\n3,3,x\n");
    assert_eq!(told(&file), ["2:1=1", "3!undecodable", "4:3=3"]);

    let mut file = encode(
        "会員番号,残高,氏名\n1,1,山田\n2,2,",
        Encoding::ShiftJis,
        false,
    );
    file.extend_from_slice(b"\x81\n3,3,x\n");
    assert_eq!(told(&file), ["2:1=1", "3!undecodable", "4:3=3"]);

    let mut file = encode("number,points,name\n1,1,a\n2,2,", Encoding::Utf16Le, true);
    file.extend_from_slice(b"\x00\xD8\x0A\x00");
    file.extend(encode("3,3,b", Encoding::Utf16Le, false));
    file.push(b'x');
    assert_eq!(told(&file), ["2:1=1", "3!undecodable", "4!undecodable"]);
}

#[test]
fn broken_quotes_cost_one_line() {
    let many = format!("\"{}", "x\n".repeat(30));
    for (rows, expected) in [
        // Never closed, to the end of the file.
        ("1,1,\"a\n2,2,b\n", vec!["2!broken_quotes", "3:2=2"]),
        ("1,1,a\n2,2,\"b", vec!["2:1=1", "3!broken_quotes"]),
        // Something after the closing quote.
        ("1,1,\"a\"b\n2,2,c\n", vec!["2!broken_quotes", "3:2=2"]),
        (
            "1,1,\"a\nb\"c\n2,2,c\n",
            vec!["2!broken_quotes", "3!cell_count", "4:2=2"],
        ),
        // Closed by the next quote further down: one record, of several lines.
        ("1,1,\"a\r\nb\"\r\n2,2,c\r\n", vec!["2:1=1", "4:2=2"]),
        // A quote in the middle of a cell is a character.
        ("1,1,a\"b\n2,2,c\n", vec!["2:1=1", "3:2=2"]),
        // Quotes that close too many lines down.
        (
            &format!("1,1,{many}2,2,\"b\"\n"),
            [
                vec!["2!broken_quotes".to_owned()],
                (3..32).map(|n| format!("{n}!cell_count")).collect(),
                vec!["32:2=2".to_owned()],
            ]
            .concat()
            .iter()
            .map(String::as_str)
            .collect(),
        ),
    ] {
        let file = format!("number,points,name\n{rows}");
        assert_eq!(told(file.as_bytes()), expected, "{rows}");
    }
}

#[test]
fn quotes_that_go_on_for_too_many_bytes_cost_one_line() {
    let long = "x".repeat(40_000);
    let file = format!("number,points,name\n1,1,\"a\n2,2,{long}\n3,3,{long}\"\n4,4,\n");
    let expected = [
        "2!broken_quotes",
        "3!text_too_long",
        "4!text_too_long",
        "5:4=4",
    ];
    assert_eq!(told(file.as_bytes()), expected);
}

#[test]
fn rows_are_read_as_wide_as_the_header() {
    for (row, expected) in [
        ("1,2,3", "2:1=2"),
        ("1,2,", "2:1=2"),
        ("1,2,3,,", "2:1=2"),
        ("1,2,3,4", "2!cell_count"),
        ("1,2", "2!cell_count"),
        ("1,1\u{0}0,3", "2!points_not_a_number"),
        ("1,2,\u{0}", "2!control_character"),
        ("1\u{0},2,", "2!number_not_digits"),
    ] {
        let file = format!("number,points,name\n{row}\n,,\n");
        assert_eq!(told(file.as_bytes()), [expected], "{row}");
    }
}

#[test]
fn separators_are_told_or_given() {
    let tabs = "number\tpoints\tname\n1\t1,980\ta,b\n";
    assert_eq!(told(tabs.as_bytes()), ["2:1=1980"]);
    let quoted = "\"a\tb\tc\",number,points\n,1,2\n";
    assert_eq!(told(quoted.as_bytes()), ["2:1=2"]);
    let options = Options {
        separator: Some(Separator::Comma),
        ..Options::default()
    };
    let error = CardBase::open(tabs.as_bytes(), options, KEY).err().unwrap();
    let missing = HeaderError::Missing(Column::Number);
    assert!(matches!(error, OpenError::Header(error) if error == missing));
}

#[test]
fn a_header_of_no_use_is_refused() {
    let long = "x".repeat(70_000);
    for (file, expected) in [
        ("", HeaderError::Empty),
        ("\u{FEFF}", HeaderError::Empty),
        ("\r\n\r\n", HeaderError::Empty),
        ("1,2,3\n", HeaderError::Missing(Column::Number)),
        (
            "会員番号,氏名\n1,a\n",
            HeaderError::Missing(Column::Balance),
        ),
        (
            "number,points,会員番号\n",
            HeaderError::Twice(Column::Number),
        ),
        (
            "\nnumber,\"points\n1,1\n",
            HeaderError::Unreadable { line: 2 },
        ),
        (&long, HeaderError::Unreadable { line: 1 }),
    ] {
        let error = rows(file.as_bytes()).err().unwrap();
        assert!(
            matches!(error, OpenError::Header(error) if error == expected),
            "{error}"
        );
    }
    assert_eq!(told(b"number,points"), Vec::<String>::new());
    assert_eq!(told(b"number,points\n\n"), Vec::<String>::new());
}

#[test]
fn lots_come_alone_or_side_by_side() {
    let header = "number,balance,expires_on,class,lot1_points,lot1_expires_on,lot1_class,lot2_points,lot2_expires_on";
    for (row, expected) in [
        ("1,5,R9.3.31,通常,,,,,", Ok("5 通常 2027-03-31")),
        ("1,5,,,,,,,", Ok("5 - -")),
        ("1,,2027/3/31,通常,,,,,", Ok("")),
        ("1,,,,2,20270331,期間,3,", Ok("2 期間 2027-03-31; 3 - -")),
        ("1,5,,,2,,,3,", Ok("2 - -; 3 - -")),
        ("1,,,,0,,,3,", Ok("3 - -")),
        (
            "1,0,,,2,,,3,",
            Err((Some(Column::Balance), Reason::BalanceDiffers)),
        ),
        ("1,,2027/3/31,,2,,,3,", Err((None, Reason::LotsAmbiguous))),
        (
            "1,,,,2,,,-3,",
            Err((Some(Column::LotPoints(2)), Reason::PointsNegative)),
        ),
        (
            "1,,,,2,13/3,,3,",
            Err((Some(Column::LotExpiresOn(1)), Reason::DateNotUnderstood)),
        ),
        (
            "1,,,,1000000000000,,,1,",
            Err((Some(Column::LotPoints(2)), Reason::PointsTooLarge)),
        ),
    ] {
        let file = format!("{header}\n{row}\n");
        let (outcome, _) = rows(file.as_bytes()).unwrap().remove(0);
        let lots = outcome.map(|card| {
            let lots = card.lots.iter().map(|lot| {
                let class = lot.class.as_deref().unwrap_or("-");
                let day = lot.expires_on.map_or("-".to_owned(), |day| day.to_string());
                format!("{} {class} {day}", lot.points)
            });
            lots.collect::<Vec<_>>().join("; ")
        });
        let lots = lots.map_err(|rejected| (rejected.field, rejected.reason));
        assert_eq!(lots, expected.map(str::to_owned), "{row}");
    }
}

#[test]
fn a_number_that_comes_twice_is_rejected_with_its_first_line() {
    let file = "number,points\n12,1\n3,x\n１-2,2\n3,4\n";
    let rows = rows(file.as_bytes()).unwrap();
    let first: Vec<_> = rows
        .iter()
        .map(|(row, _)| row.as_ref().err().map(|row| (row.reason, row.first_line)))
        .collect();
    let twice = |line| Some((Reason::NumberTwice, Some(line)));
    let broken = Some((Reason::PointsNotANumber, None));
    assert_eq!(first, [None, broken, twice(2), twice(3)]);
}

#[test]
fn the_report_and_the_sums_name_every_row() {
    let file =
        "備考,number,points,備考,name\n,1,\"1,000\",,a\n,1,2,,b\n,2,-1,,c\n,3,5,,d\n,4,\"x\"y,,e\n";
    let mut text = Vec::new();
    let mut report = ReportWriter::new(&mut text).unwrap();
    for (row, _) in rows(file.as_bytes()).unwrap() {
        if let Err(rejected) = row {
            report.write(&rejected).unwrap();
        }
    }
    report.flush().unwrap();
    drop(report);
    let expected = "line,row,field,reason,detail\n\
        3,2,card_number,number_twice,\"the card number has come before, first in line 2\"\n\
        4,3,balance,points_negative,the points are below zero\n\
        6,5,,broken_quotes,\"a quoted cell does not close, or goes on after its closing quote; this line was passed over\"\n";
    assert_eq!(String::from_utf8(text).unwrap(), expected);

    let summary = summary(file.as_bytes());
    assert_eq!(
        (summary.rows, summary.accepted, summary.points),
        (5, 2, 1005)
    );
    assert_eq!(summary.unknown_columns, ["備考"]);
    assert_eq!(summary.rejected.values().sum::<u64>(), 3);
    let kept = serde_json::to_string(&summary).unwrap();
    assert!(kept.contains(r#""number_twice":1"#), "{kept}");
    assert_eq!(
        serde_json::from_str::<card_base::Summary>(&kept).unwrap(),
        summary
    );
}

#[test]
fn every_reason_has_a_word_of_its_own() {
    let words: std::collections::BTreeSet<_> =
        Reason::ALL.iter().map(|reason| reason.word()).collect();
    assert_eq!(words.len(), Reason::ALL.len());
    for reason in Reason::ALL {
        let json = serde_json::to_string(reason).unwrap();
        assert_eq!(json, format!("\"{}\"", reason.word()));
        let snake = reason
            .word()
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        assert!(snake && !reason.detail().is_empty(), "{reason}");
    }
}

#[test]
fn too_many_rows_end_the_reading_at_the_last_that_fits() {
    let options = Options {
        rows_max: 2,
        ..Options::default()
    };
    let file = b"number,points\n1,1\n2,2\n\n,\n3,3\n";
    let mut base = CardBase::open(&file[..], options, KEY).unwrap();
    assert!(base.next_row().unwrap().is_some());
    assert!(base.next_row().unwrap().is_some());
    let position = base.position();
    let error = base.next_row().unwrap_err();
    assert!(matches!(error, ReadError::TooManyRows { rows_max: 2 }));
    assert_eq!(base.position(), position);
    assert!(matches!(base.next_row().unwrap_err(), ReadError::Failed));

    let within = CardBase::open(&b"number,points\n1,1\n2,2\n\n,\n"[..], options, KEY).unwrap();
    assert_eq!(rest(within).len(), 2);
}

#[test]
fn another_file_is_noticed() {
    let file = "number,points\n1,1\n2,2\n3,3\n";
    let positions: Vec<_> = rows(file.as_bytes())
        .unwrap()
        .iter()
        .map(|row| row.1)
        .collect();
    let resume = |file: &str, place: usize| {
        CardBase::resume(file.as_bytes(), Options::default(), KEY, &positions[place]).map(rest)
    };
    assert_eq!(resume(file, 1).unwrap().len(), 1);
    // What comes after may have changed.
    assert_eq!(
        resume("number,points\n1,1\n2,2\n4,4\n5,5\n", 1)
            .unwrap()
            .len(),
        2
    );
    for other in [
        "number,points\n1,1\n2,3\n3,3\n",
        "number,points\n1,1\n\n2,2\n3,3\n",
        "number,points\n1,1\n",
        "number,balance\n1,1\n2,2\n3,3\n",
        "number,points\r1,1\n2,2\n3,3\n",
    ] {
        assert!(
            matches!(resume(other, 1), Err(OpenError::DifferentFile)),
            "{other}"
        );
    }
    let kept = serde_json::to_string(&positions[1]).unwrap();
    assert_eq!(
        serde_json::from_str::<card_base::Position>(&kept).unwrap(),
        positions[1]
    );
}

#[test]
fn what_stands_in_a_row_does_not_show() {
    let file =
        "number,points,name,email\n4901234567,1,山田太郎,taro@example.jp\n4901234567,x,山田太郎,\n";
    let shown = format!("{:?}", rows(file.as_bytes()).unwrap());
    for hidden in ["4901234567", "山田", "taro"] {
        assert!(!shown.contains(hidden), "{shown}");
    }
}
