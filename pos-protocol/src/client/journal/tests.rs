//! The journal on a real file system: cut at every byte, damaged at every byte, interrupted.

use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::{
    BasketId, InquiryRequest, RequestId,
    client::{
        message::{Message, Request},
        record::Opened,
    },
};

fn at() -> jiff::Timestamp {
    "2026-11-22T03:00:00Z".parse().unwrap()
}

fn id(n: usize) -> RequestId {
    RequestId::new(&format!("r-{n}")).unwrap()
}

/// A journal's usual beginning and `count` requests, each with its outcome.
fn entries(count: usize) -> Vec<Entry> {
    let mut entries = vec![Entry::Opened(Opened {
        format: FORMAT,
        journal: "0a1b2c3d".into(),
        generation: "1234567".into(),
        at: at(),
        why: "start".into(),
        owner: None,
    })];
    for n in 0..count {
        let basket_id = BasketId::new(&format!("b-{n}")).unwrap();
        entries.push(Entry::Request(Box::new(Request {
            message: Message::Inquiry(InquiryRequest {
                request_id: id(n),
                basket_id: basket_id.clone(),
                card: "7001\n\"カード\"".into(),
            }),
            at: at(),
            basket_id: Some(basket_id),
            scanned_at: Some(at()),
            replaces: None,
        })));
        entries.push(Entry::Dropped {
            request_id: id(n),
            at: at(),
        });
    }
    entries
}

fn written(entries: &[Entry]) -> (tempfile::TempDir, Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    let (mut journal, found) = Journal::open(folder.path()).unwrap();
    assert_eq!(found, Found::default());
    for entry in entries {
        journal.append(std::slice::from_ref(entry)).unwrap();
    }
    drop(journal);
    let bytes = fs::read(folder.path().join(JOURNAL_FILE)).unwrap();
    (folder, bytes)
}

/// Where each record ends.
fn ends(bytes: &[u8]) -> Vec<usize> {
    let breaks = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    breaks.map(|(at, _)| at + 1).collect()
}

#[test]
fn what_was_appended_is_found_again_and_only_by_its_owner() {
    let entries = entries(5);
    let (folder, bytes) = written(&entries);
    let (_journal, found) = Journal::open(folder.path()).unwrap();
    assert_eq!(found.entries, entries);
    assert_eq!((found.torn_bytes, found.damaged_records), (0, 0));
    assert_eq!(ends(&bytes).len(), entries.len(), "one record a line");
    for file in [JOURNAL_FILE, LOCK_FILE] {
        let mode = fs::metadata(folder.path().join(file))
            .unwrap()
            .permissions();
        assert_eq!(mode.mode() & 0o777, 0o600, "{file}");
    }
}

#[test]
fn a_record_torn_at_any_byte_is_cut_off_and_the_journal_goes_on() {
    let entries = entries(2);
    let (folder, bytes) = written(&entries);
    let path = folder.path().join(JOURNAL_FILE);
    let ends = ends(&bytes);
    for cut in 0..bytes.len() {
        fs::write(&path, &bytes[..cut]).unwrap();
        let whole = ends.iter().filter(|end| **end <= cut).count();
        let (mut journal, found) = Journal::open(folder.path()).unwrap();
        assert_eq!(found.entries, entries[..whole], "cut at {cut}");
        let last = ends[..whole].last().copied().unwrap_or(0);
        assert_eq!(found.torn_bytes, (cut - last) as u64, "cut at {cut}");
        assert_eq!(found.damaged_records, 0, "cut at {cut}");
        let left = fs::metadata(&path).unwrap().len();
        assert_eq!(
            left, last as u64,
            "half a record is left of the cut at {cut}"
        );
        journal.append(&entries[whole..]).unwrap();
        drop(journal);
        assert_eq!(fs::read(&path).unwrap(), bytes, "cut at {cut}");
    }
}

#[test]
fn a_damaged_byte_costs_its_own_record_at_most_and_is_set_aside() {
    let entries = entries(3);
    let (folder, bytes) = written(&entries);
    let (path, aside) = (
        folder.path().join(JOURNAL_FILE),
        folder.path().join(DAMAGED_FILE),
    );
    let ends = ends(&bytes);
    for at in 0..bytes.len() {
        let mut hurt = bytes.clone();
        hurt[at] ^= 0x10;
        fs::write(&path, &hurt).unwrap();
        let _ = fs::remove_file(&aside);
        let record = ends.iter().filter(|end| **end <= at).count();
        let joined = bytes[at] == b'\n';
        let (journal, found) = Journal::open(folder.path()).unwrap();
        drop(journal);
        let mut left = entries.clone();
        left.remove(record);
        if joined && record < left.len() {
            left.remove(record);
        }
        left.insert(record, Entry::Damaged { records: 1 });
        assert_eq!(found.entries, left, "damaged at {at}");
        assert_eq!(found.torn_bytes, 0, "damaged at {at}");
        assert_eq!(found.damaged_records, 1, "damaged at {at}");
        let begin = record.checked_sub(1).map_or(0, |before| ends[before]);
        assert!(fs::read(&aside).unwrap().starts_with(&hurt[begin..=begin]));
        let (_, again) = Journal::open(folder.path()).unwrap();
        assert_eq!(again.damaged_records, 0, "it is said once; damaged at {at}");
        assert_eq!(again.entries, left, "damaged at {at}");
    }
}

#[test]
fn a_compaction_left_half_way_changes_nothing() {
    let all = entries(4);
    let (folder, bytes) = written(&all);
    let next = folder.path().join(NEXT_FILE);
    for cut in [0, 1, bytes.len() / 2, bytes.len()] {
        fs::write(&next, &bytes[..cut]).unwrap();
        let (_, found) = Journal::open(folder.path()).unwrap();
        assert_eq!(found.entries, all, "interrupted after {cut} bytes");
        assert!(!next.exists());
    }
    let (mut journal, _) = Journal::open(folder.path()).unwrap();
    let few = entries(1);
    journal.compact(&few).unwrap();
    journal.append(&all[3..]).unwrap();
    drop(journal);
    let (_, found) = Journal::open(folder.path()).unwrap();
    assert_eq!(found.entries, [few, all[3..].to_vec()].concat());
}

#[test]
fn a_compaction_that_fails_leaves_the_journal_as_it_was() {
    let all = entries(2);
    let (folder, _) = written(&all);
    let (mut journal, _) = Journal::open(folder.path()).unwrap();
    fs::create_dir(folder.path().join(NEXT_FILE)).unwrap();
    journal.compact(&entries(1)).unwrap_err();
    journal.append(&all[1..2]).unwrap();
    drop(journal);
    fs::remove_dir(folder.path().join(NEXT_FILE)).unwrap();
    let (_, found) = Journal::open(folder.path()).unwrap();
    assert_eq!(found.entries, [&all[..], &all[1..2]].concat());
}

#[test]
fn two_never_have_one_journal_open() {
    let (folder, _) = written(&entries(1));
    let first = Journal::open(folder.path()).unwrap();
    let second = Journal::open(folder.path());
    assert!(matches!(second, Err(JournalError::InUse(_))), "{second:?}");
    drop(first);
    Journal::open(folder.path()).unwrap();
}

#[test]
fn a_journal_of_a_later_release_is_not_touched() {
    let (folder, bytes) = written(&entries(1));
    let path = folder.path().join(JOURNAL_FILE);
    let json = br#"{"entry":"promise","request_id":"r-9"}"#;
    let line = [
        format!("{:08x} ", crc32fast::hash(json)).as_bytes(),
        json,
        b"\n",
    ]
    .concat();
    let newer = [bytes, line].concat();
    fs::write(&path, &newer).unwrap();
    let opened = Journal::open(folder.path());
    assert!(matches!(opened, Err(JournalError::Newer(_))), "{opened:?}");
    assert_eq!(fs::read(&path).unwrap(), newer);
}

/// Each folder that is made has its name in the one above it; that of a bare name is the current one.
#[test]
fn every_new_name_on_the_way_to_the_journal_is_made_durable() {
    let folder = tempfile::tempdir().unwrap();
    let (inner, nested) = (folder.path().join("a"), folder.path().join("a/b"));
    let holders = [inner, folder.path().to_owned()];
    assert_eq!(super::holders_of_missing(&nested), holders);
    assert!(super::holders_of_missing(folder.path()).is_empty());
    let bare = super::holders_of_missing(std::path::Path::new("no-such-folder-yet"));
    assert_eq!(bare, [std::path::PathBuf::from(".")]);
    super::make_folder(&nested).unwrap();
    assert!(super::holders_of_missing(&nested).is_empty());
}
