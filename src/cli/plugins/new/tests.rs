//! What is written where. That it compiles is tried by `tests/own-main`.

use super::*;
use std::collections::BTreeSet;
use tempfile::TempDir;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A checkout with nothing but what makes it one.
fn small_checkout() -> TempDir {
    let folder = TempDir::new().unwrap();
    for file in ["Cargo.toml", "src/builtin.rs", "plugins/api/Cargo.toml"] {
        let to = folder.path().join(file);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(Path::new(ROOT).join(file), to).unwrap();
    }
    folder
}

fn new(name: &str, path: Option<&str>) -> New {
    New {
        name: name.to_owned(),
        path: path.map(PathBuf::from),
    }
}

/// The lines of `after` that `before` has not.
fn added(before: &str, after: &str) -> Vec<String> {
    let known: BTreeSet<&str> = before.lines().collect();
    let fresh = after.lines().filter(|line| !known.contains(line));
    fresh.map(str::to_owned).collect()
}

#[test]
fn the_example_to_copy_is_what_is_written() {
    for (file, text) in template::member(&Names::spell("example")) {
        let path = Path::new(ROOT).join("plugins/example").join(file);
        assert_eq!(fs::read_to_string(path).unwrap(), text, "{file}");
    }
}

#[test]
fn in_a_checkout_it_becomes_one_of_the_plugins() {
    let checkout = small_checkout();
    let root = checkout.path();
    let before = |file: &str| fs::read_to_string(Path::new(ROOT).join(file)).unwrap();
    let after = |file: &str| fs::read_to_string(root.join(file)).unwrap();
    let here = root.join("plugins/api");
    let told = new("my_pager", None)
        .write(&Names::spell("my_pager"), &here)
        .unwrap();
    assert!(
        told.contains("\nNext:\n  cargo test -p herald-my-pager\n"),
        "{told}"
    );
    assert_eq!(
        added(&before("Cargo.toml"), &after("Cargo.toml")),
        [
            r#"herald-my-pager = { path = "plugins/my_pager", version = "0.1.0" }"#,
            "herald-my-pager.workspace = true",
        ]
    );
    assert_eq!(
        added(&before("src/builtin.rs"), &after("src/builtin.rs")),
        [
            "        .sink::<herald_my_pager::MyPagerSink>()",
            "        .filter::<herald_my_pager::MyPagerFilter>()",
        ]
    );
    let manifest: toml::Table = after("Cargo.toml").parse().unwrap();
    let has = |table: &toml::Value| table["dependencies"].get("herald-my-pager").is_some();
    assert!(has(&manifest["workspace"]) && has(&toml::Value::Table(manifest.clone())));
    let library = after("plugins/my_pager/src/lib.rs");
    assert!(library.contains("pub use sink::MyPagerSink;"), "{library}");
}

#[test]
fn elsewhere_it_becomes_a_project_that_needs_the_published_crates_only() {
    let folder = TempDir::new().unwrap();
    let names = Names::spell("pager");
    new("pager", None).write(&names, folder.path()).unwrap();
    let read = |file: &str| fs::read_to_string(folder.path().join("pager").join(file)).unwrap();
    let manifest: toml::Table = read("Cargo.toml").parse().unwrap();
    let dependencies = manifest["dependencies"].as_table().unwrap();
    let names: Vec<&str> = dependencies.keys().map(String::as_str).collect();
    let expected = [
        "async-trait",
        "serde",
        "unifi-herald",
        "unifi-herald-plugin",
    ];
    assert_eq!(names.into_iter().collect::<BTreeSet<_>>(), expected.into());
    assert!(dependencies["unifi-herald"].get("path").is_none());
    let main = read("src/main.rs");
    let body = main.lines().skip_while(|line| !line.starts_with("fn main"));
    assert!(body.count() <= 5, "{main}");
}

#[test]
fn with_a_path_it_is_a_project_that_knows_the_checkout_it_came_from() {
    let (checkout, elsewhere) = (small_checkout(), TempDir::new().unwrap());
    let to = elsewhere.path().join("mine");
    let verb = new("pager", to.to_str());
    verb.write(&Names::spell("pager"), checkout.path()).unwrap();
    let manifest = fs::read_to_string(to.join("Cargo.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    let path = |name: &str| {
        manifest["dependencies"][name]["path"]
            .as_str()
            .map(Path::new)
    };
    assert_eq!(path("unifi-herald"), Some(checkout.path()));
    assert_eq!(
        path("unifi-herald-plugin"),
        Some(&*checkout.path().join("plugins/api"))
    );
    assert!(!checkout.path().join("plugins/pager").exists());
}

#[test]
fn nothing_is_overwritten() {
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("pager")).unwrap();
    fs::write(folder.path().join("pager/precious"), "").unwrap();
    let error = new("pager", None).write(&Names::spell("pager"), folder.path());
    assert!(
        error
            .unwrap_err()
            .to_string()
            .ends_with("pager is there already and not empty")
    );
    assert_eq!(
        fs::read_dir(folder.path().join("pager")).unwrap().count(),
        1
    );
}

#[test]
fn a_list_that_looks_otherwise_is_left_alone_and_named() {
    let checkout = small_checkout();
    fs::write(checkout.path().join("src/builtin.rs"), "// mine\n").unwrap();
    let told = new("pager", None).write(&Names::spell("pager"), checkout.path());
    let told = told.unwrap();
    assert!(
        told.contains("not changed, since it does not look as usual: "),
        "{told}"
    );
    let list = fs::read_to_string(checkout.path().join("src/builtin.rs"));
    assert_eq!(list.unwrap(), "// mine\n");
}
