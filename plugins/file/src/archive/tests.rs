//! Files set aside on a real disk, with crashes in between.

use super::*;
use std::collections::BTreeSet;

static GO: AtomicBool = AtomicBool::new(false);

fn policy(keep: usize, compress: Compression) -> Policy {
    Policy {
        size: Some(4096),
        every: None,
        keep: Some(keep),
        compress,
    }
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

fn put(folder: &Path, name: &str, content: &str) {
    fs::write(folder.join(name), content).unwrap();
}

/// The lines of a file, whatever its form.
pub(crate) fn read(path: &Path) -> String {
    let bytes = fs::read(path).unwrap();
    let mut text = String::new();
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("gz") => {
            flate2::read::GzDecoder::new(&*bytes)
                .read_to_string(&mut text)
                .unwrap();
        }
        Some("zst") => text = String::from_utf8(zstd::decode_all(&*bytes).unwrap()).unwrap(),
        _ => text = String::from_utf8(bytes).unwrap(),
    }
    text
}

#[test]
fn a_file_is_compressed_with_its_permissions_and_the_plain_one_goes() {
    use std::os::unix::fs::PermissionsExt;
    for (compression, name) in [
        (Compression::Gzip, "e.000001.gz"),
        (Compression::Zstd, "e.000001.zst"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let live = folder.path().join("e");
        put(folder.path(), "e", "a\nb\n");
        fs::set_permissions(&live, fs::Permissions::from_mode(0o600)).unwrap();
        set_aside(&live).unwrap();
        tidy(&live, policy(3, compression), &GO).unwrap();
        assert_eq!(names(folder.path()), BTreeSet::from([name.to_owned()]));
        let path = folder.path().join(name);
        assert_eq!(read(&path), "a\nb\n");
        assert_eq!(
            fs::metadata(path).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
}

#[test]
fn a_crash_at_any_point_of_compressing_loses_nothing_and_leaves_nothing_behind() {
    // Before, within and behind the writing of the temporary file, and between its renaming and the removal.
    let states: [&[(&str, &str)]; 4] = [
        &[("e.000001", "a\n")],
        &[("e.000001", "a\n"), ("e.000001.gz.tmp", "half")],
        &[
            ("e.000001", "a\n"),
            ("e.000001.zst.tmp", "another compression's half"),
        ],
        &[("e.000001", "a\n"), ("e.000001.gz", "whole")],
    ];
    for state in states {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in state {
            put(folder.path(), name, content);
        }
        tidy(&folder.path().join("e"), policy(3, Compression::Gzip), &GO).unwrap();
        assert_eq!(
            names(folder.path()),
            BTreeSet::from(["e.000001.gz".to_owned()]),
            "{state:?}"
        );
        let archive = folder.path().join("e.000001.gz");
        match state {
            [_, ("e.000001.gz", whole)] => assert_eq!(fs::read(archive).unwrap(), whole.as_bytes()),
            _ => assert_eq!(read(&archive), "a\n"),
        }
    }
}

#[test]
fn whoever_is_at_a_file_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "e.000001", "a\n");
    put(folder.path(), "e.000001.gz.tmp", "somebody is writing this");
    let theirs = File::open(folder.path().join("e.000001")).unwrap();
    theirs.lock().unwrap();
    tidy(&folder.path().join("e"), policy(3, Compression::Gzip), &GO).unwrap();
    let expected = ["e.000001", "e.000001.gz.tmp"].map(str::to_owned);
    assert_eq!(names(folder.path()), BTreeSet::from(expected));
}

#[test]
fn being_stopped_leaves_the_plain_file() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "e.000001", "a\n");
    let live = folder.path().join("e");
    tidy(&live, policy(3, Compression::Gzip), &AtomicBool::new(true)).unwrap_err();
    assert_eq!(
        names(folder.path()),
        BTreeSet::from(["e.000001".to_owned()])
    );
    assert_eq!(read(&folder.path().join("e.000001")), "a\n");
}

#[test]
fn other_peoples_files_are_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let others = ["e.1", "e.old", "f.000001", "e.000001.bak", "e2.000001"];
    others
        .iter()
        .for_each(|name| put(folder.path(), name, "theirs"));
    put(folder.path(), "e.000001", "");
    put(folder.path(), "e.000002", "");
    tidy(&folder.path().join("e"), policy(1, Compression::None), &GO).unwrap();
    let mut expected: BTreeSet<String> = others.map(str::to_owned).into();
    expected.insert("e.000002".to_owned());
    assert_eq!(names(folder.path()), expected);
}
