//! `import`.

use super::*;
use std::fs;

fn folder() -> (tempfile::TempDir, PathBuf, Engine) {
    let folder = tempfile::tempdir().unwrap();
    let scripts = folder.path().join("scripts");
    fs::create_dir_all(scripts.join("lib")).unwrap();
    let engine = Engine::new(EngineOptions {
        scripts_dir: Some(scripts.clone()),
        ..options()
    });
    (folder, scripts, engine)
}

fn refusal(engine: &Engine, text: &str) -> ScriptError {
    engine
        .compile_text("test", text, &toml::Table::new())
        .unwrap_err()
}

#[test]
fn scripts_of_the_folder_are_found_and_read_once() {
    let (_folder, scripts, engine) = folder();
    fs::write(scripts.join("lib/util.rhai"), "import \"base\" as base; export const LIMIT = 40; fn high(c) { c > base::limit() && c > params.least }").unwrap();
    fs::write(scripts.join("base.rhai"), "fn limit() { 40 }").unwrap();
    let params: toml::Table = toml::from_str("least = 1").unwrap();
    for text in [
        "import \"lib/util\" as util; fn filter(event) { util::high(event.to.channel) }",
        "fn filter(event) { import \"lib/util.rhai\" as util; util::high(event.to.channel) }",
        "fn filter(event) { import \"lib/util\" as util; event.to.channel > util::LIMIT }",
    ] {
        let mut script = engine.compile_text("test", text, &params).unwrap();
        assert!(
            matches!(script.run(&Arc::new(roam()), &cx()), Ok(Outcome::Keep(_))),
            "{text}"
        );
        // Running reads no file.
        fs::rename(&scripts, scripts.with_extension("away")).unwrap();
        assert!(
            matches!(script.run(&Arc::new(roam()), &cx()), Ok(Outcome::Keep(_))),
            "{text}"
        );
        fs::rename(scripts.with_extension("away"), &scripts).unwrap();
    }
}

#[test]
fn nothing_outside_of_the_folder_is_read() {
    let (folder, scripts, engine) = folder();
    fs::write(folder.path().join("secret.rhai"), "fn f() { 1 }").unwrap();
    let absolute = folder.path().join("secret").display().to_string();
    let not_a_name = "is not the name of a file in the scripts folder";
    for (path, message) in [
        ("../secret", not_a_name),
        ("lib/../../secret", not_a_name),
        ("./../secret", not_a_name),
        ("..\\\\secret", not_a_name),
        ("", not_a_name),
        (&*absolute, not_a_name),
        (
            "missing",
            "cannot be imported: No such file or directory (os error 2)",
        ),
    ] {
        let error = refusal(
            &engine,
            &format!("\nimport \"{path}\" as x;\nfn filter(event) {{ true }}"),
        );
        assert!(error.message.ends_with(message), "{path}: {error:?}");
        assert_eq!(
            (error.line, error.column),
            (Some(2), Some(8)),
            "{path}: {error:?}"
        );
    }
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(folder.path().join("secret.rhai"), scripts.join("link.rhai"))
            .unwrap();
        std::os::unix::fs::symlink(folder.path(), scripts.join("up")).unwrap();
        for path in ["link", "up/secret"] {
            let error = refusal(
                &engine,
                &format!("import \"{path}\" as x; fn filter(event) {{ true }}"),
            );
            assert_eq!(
                error.message,
                format!("`{path}` leads out of the scripts folder")
            );
        }
    }
    let _scripts = scripts;
}

#[test]
fn errors_in_what_is_imported_name_its_file() {
    let (_folder, scripts, engine) = folder();
    let file = scripts.join("bad.rhai");
    fs::write(&file, "fn f() {\n  let x = ;\n}").unwrap();
    let error = refusal(&engine, "import \"bad\" as bad; fn filter(event) { true }");
    let real = file.canonicalize().unwrap();
    assert_eq!(
        (error.file.as_deref(), error.line, error.column),
        (Some(real.as_path()), Some(2), Some(11))
    );

    fs::write(&file, "fn f(e) {\n  e.kind = 1;\n}").unwrap();
    let mut script = engine
        .compile_text(
            "test",
            "import \"bad\" as bad; fn filter(event) { bad::f(event); true }",
            &toml::Table::new(),
        )
        .unwrap();
    let error = script.run(&Arc::new(bare()), &cx()).unwrap_err();
    assert_eq!(
        (error.file.as_deref(), error.line, error.column),
        (Some(real.as_path()), Some(2), Some(4))
    );

    fs::write(&file, "fn g() {\n  loop {}\n}\nfn f() { g() }").unwrap();
    let mut script = engine
        .compile_text(
            "test",
            "import \"bad\" as bad; fn filter(event) { bad::f() }",
            &toml::Table::new(),
        )
        .unwrap();
    let error = script.run(&Arc::new(bare()), &cx()).unwrap_err();
    assert_eq!(
        (error.kind, error.file.as_deref(), error.line, error.column),
        (
            RunErrorKind::Operations,
            Some(real.as_path()),
            Some(2),
            Some(8)
        )
    );
}

#[test]
fn imports_are_bounded() {
    let (_folder, scripts, engine) = folder();
    fs::write(scripts.join("a.rhai"), "import \"b\" as b; fn f() { 1 }").unwrap();
    fs::write(scripts.join("b.rhai"), "import \"a\" as a; fn f() { 1 }").unwrap();
    let error = refusal(&engine, "import \"a\" as a; fn filter(event) { true }");
    assert!(error.message.contains("imports itself"), "{error:?}");

    fs::write(scripts.join("big.rhai"), "/".repeat(256 * 1024 + 1)).unwrap();
    let error = refusal(&engine, "import \"big\" as big; fn filter(event) { true }");
    assert_eq!(error.message, "`big` is larger than 256 KiB");

    // A name made at run time was not read, and is not read then.
    let text = "fn filter(event) { let name = \"a\"; import name as x; true }";
    let mut script = engine
        .compile_text("test", text, &toml::Table::new())
        .unwrap();
    let error = script.run(&Arc::new(bare()), &cx()).unwrap_err();
    assert_eq!(
        error.message,
        "`a` is not imported by a plain `import \"name\"`, so it was not read"
    );
    assert_eq!((error.line, error.column), (Some(1), Some(43)));
}
