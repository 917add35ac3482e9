//! What a store cannot be opened for, and what may be done to one from outside.

use super::small_disk::SmallDisk;
use super::*;
use std::os::unix::fs::PermissionsExt;

#[test]
fn a_second_herald_is_refused_and_the_lock_named() {
    let rig = Rig::new(10);
    let first = rig.open();
    let error = rig.try_open().unwrap_err();
    assert!(matches!(error, OpenError::Locked { .. }));
    let lock = rig.plan.dir.join("herald.lock");
    assert!(
        error.to_string().contains(&lock.display().to_string()),
        "{error}"
    );
    assert!(compact(&rig.plan.dir).is_err());
    drop(first);
    drop(rig.open());
}

#[test]
fn only_the_owner_may_look() {
    let rig = Rig::new(10);
    let _store = rig.open();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&rig.plan.dir), 0o700);
    for file in ["herald.db", "herald.db-wal", "herald.lock"] {
        assert_eq!(mode(&rig.plan.dir.join(file)), 0o600, "{file}");
    }
}

#[test]
fn a_newer_schema_is_left_alone() {
    let rig = Rig::new(10);
    drop(rig.open());
    let file = rig.plan.dir.join("herald.db");
    let connection = rusqlite::Connection::open(&file).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    let error = rig.try_open().unwrap_err();
    assert!(
        matches!(error, OpenError::Newer { found: 99, .. }),
        "{error}"
    );
    assert!(matches!(
        Reader::open(&rig.plan.dir),
        Err(OpenError::Newer { .. })
    ));
}

#[test]
fn the_database_of_another_program_is_left_alone() {
    for version in [0, 2] {
        let rig = Rig::new(10);
        std::fs::create_dir_all(&rig.plan.dir).unwrap();
        let file = rig.plan.dir.join("herald.db");
        let connection = rusqlite::Connection::open(&file).unwrap();
        connection
            .execute_batch(&format!(
                "CREATE TABLE songs (name TEXT); PRAGMA user_version = {version};"
            ))
            .unwrap();
        drop(connection);
        let before = std::fs::read(&file).unwrap();
        let error = rig.try_open().unwrap_err();
        assert!(matches!(error, OpenError::Foreign { .. }), "{error}");
        let error = Reader::open(&rig.plan.dir).unwrap_err();
        assert!(matches!(error, OpenError::Foreign { .. }), "{error}");
        assert_eq!(std::fs::read(&file).unwrap(), before);
    }
}

#[tokio::test]
async fn a_damaged_file_and_one_that_is_no_database_are_told() {
    let rig = Rig::new(10);
    let store = rig.open();
    store.commit(to(&[0, 1], 1..2000)).await.unwrap();
    drop(store);
    let file = rig.plan.dir.join("herald.db");
    let mut bytes = std::fs::read(&file).unwrap();
    let half = bytes.len() / 2;
    bytes[half..half + 20_000].fill(0x5a);
    std::fs::write(&file, &bytes).unwrap();
    assert!(!check(&rig.plan.dir).unwrap().is_empty());
    let error = rig.try_open().unwrap_err();
    assert!(matches!(error, OpenError::Corrupt { .. }), "{error}");
    assert!(error.to_string().contains("herald store check"), "{error}");

    std::fs::write(&file, "not a database, whatever it is called ".repeat(200)).unwrap();
    let error = rig.try_open().unwrap_err();
    assert!(matches!(error, OpenError::Corrupt { .. }), "{error}");
    assert_eq!(check(&rig.plan.dir).unwrap(), ["file is not a database"]);
}

#[tokio::test]
async fn a_backup_of_a_damaged_store_leaves_nothing_and_names_the_store() {
    let rig = Rig::new(10);
    let store = rig.open();
    store.commit(to(&[0, 1], 1..2000)).await.unwrap();
    drop(store);
    let file = rig.plan.dir.join("herald.db");
    let whole = std::fs::read(&file).unwrap();
    let mut damaged = whole.clone();
    let half = damaged.len() / 2;
    damaged[half..half + 20_000].fill(0x5a);
    std::fs::write(&file, &damaged).unwrap();
    let copies = rig.dir.path().join("copies");
    std::fs::create_dir(&copies).unwrap();
    let copy = copies.join("copy.db");
    let files = || std::fs::read_dir(&copies).unwrap().count();
    for _ in 0..2 {
        let error = backup(&rig.plan.dir, &copy).unwrap_err().to_string();
        let named = format!("the store `{}` is damaged: ", file.display());
        assert!(error.starts_with(&named), "{error}");
        assert!(error.contains("herald store check"), "{error}");
        assert_eq!(files(), 0);
    }

    std::fs::write(&file, &whole).unwrap();
    let nowhere = copies.join("nowhere/copy.db");
    let error = backup(&rig.plan.dir, &nowhere).unwrap_err().to_string();
    let named = format!("the backup `{}` cannot be written: ", nowhere.display());
    assert!(error.starts_with(&named), "{error}");
    assert_eq!(files(), 0);
    backup(&rig.plan.dir, &copy).unwrap();
    assert_eq!(files(), 1);
}

#[test]
fn a_folder_that_cannot_be_is_named() {
    let mut rig = Rig::new(10);
    let file = rig.dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    rig.plan.dir = file.join("below");
    let error = rig.try_open().unwrap_err();
    assert!(error.to_string().contains("store.dir"), "{error}");
    assert!(matches!(
        Reader::open(&rig.dir.path().join("nowhere")),
        Err(OpenError::Missing { .. })
    ));
    assert!(!rig.dir.path().join("nowhere").exists());
}

#[test]
fn a_folder_that_cannot_be_written_to_is_named_with_the_way_on() {
    let rig = Rig::new(10);
    drop(rig.open());
    let set = |mode| {
        let mode = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(&rig.plan.dir, mode).unwrap();
    };
    set(0o500);
    let files = ["herald.lock", "herald.db"].map(|name| rig.plan.dir.join(name));
    for file in &files {
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o400)).unwrap();
    }
    // Rights do not hold root back: for it the disk must be read-only.
    let is_root = std::fs::File::options().write(true).open(&files[0]).is_ok();
    let error = if is_root {
        let mut rig = Rig::new(10);
        rig.plan.dir = rig.dir.path().join("disk");
        let Some(disk) = SmallDisk::at(&rig.plan.dir) else {
            return;
        };
        drop(rig.open());
        assert!(disk.mount("remount,ro"));
        rig.try_open().unwrap_err()
    } else {
        rig.try_open().unwrap_err()
    };
    set(0o700);
    assert!(matches!(error, OpenError::ReadOnly { .. }), "{error}");
    assert!(
        error.to_string().contains("cannot be written to"),
        "{error}"
    );
    assert!(error.to_string().contains("`store.dir`"), "{error}");
}

#[tokio::test]
async fn a_backup_is_whole_and_a_running_store_may_be_checked_and_read() {
    let mut rig = Rig::new(10);
    let store = rig.open();
    store.commit(to(&[0], 1..100)).await.unwrap();
    let copy = rig.dir.path().join("copy");
    std::fs::create_dir(&copy).unwrap();
    backup(&rig.plan.dir, &copy.join("herald.db")).unwrap();
    assert!(backup(&rig.plan.dir, &copy.join("herald.db")).is_err());
    assert!(check(&rig.plan.dir).unwrap().is_empty());
    assert_eq!(Reader::open(&rig.plan.dir).unwrap().events().unwrap(), 99);
    drop(store);
    let (before, after) = compact(&rig.plan.dir).unwrap();
    assert!(after > 0 && after <= before);
    drop(rig.open());

    rig.plan.dir = copy;
    let store = rig.open();
    assert_eq!(claim_all(&store, 0, 99).await.len(), 99);
}

#[tokio::test]
async fn dead_letters_of_a_store_at_rest_are_retried_by_name() {
    let rig = Rig::new(10);
    let store = rig.open();
    store.commit(to(&[0], 1..3)).await.unwrap();
    let claimed = claim_all(&store, 0, 2).await;
    let settled = claimed
        .iter()
        .map(|event| Settled::Dead(Box::new(dead(0, event))));
    store.settle(0, settled.collect()).await.unwrap();
    assert!(retry_letters(&rig.plan.dir, &LetterFilter::default(), at(9)).is_err());
    drop(store);
    let one = LetterFilter {
        sink: Some("a".into()),
        id: Some("id1".into()),
    };
    assert_eq!(retry_letters(&rig.plan.dir, &one, at(9)).unwrap(), 1);
    assert_eq!(
        drop_letters(&rig.plan.dir, &LetterFilter::default()).unwrap(),
        1
    );
    let store = rig.open();
    let after = books(&store)[0];
    assert_eq!((after.pending, after.dead_lettered), (1, 1));
    assert_eq!(seqs(&claim_all(&store, 0, 1).await), [1]);
    assert_eq!(store.retried_at(0, 1).unwrap(), Some(at(9)));
}
