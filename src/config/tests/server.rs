//! The table `server`.

use super::{HOME, House};

fn house(table: &str) -> House {
    House::new(&format!("{HOME}{table}"))
}

#[test]
fn it_is_off_unless_the_table_is_there() {
    assert!(house("").plan().server.is_none());
    let plan = house("[server]\n").plan().server.unwrap();
    assert_eq!(plan.listen.to_string(), "127.0.0.1:8480");
    assert!(plan.token.is_none());
    let variable = house("").env("HERALD__SERVER__LISTEN", "[::1]:1");
    let plan = variable.plan().server.unwrap();
    assert_eq!(plan.listen.to_string(), "[::1]:1");
}

#[test]
fn others_are_let_near_with_a_token_only() {
    let open = house("[server]\nlisten = \"0.0.0.0:8480\"\n");
    assert_eq!(
        open.errors(),
        "\
error: `server.listen`: others can reach this address, and there is no `token`
 --> config.toml:5:10
  |
5 | listen = \"0.0.0.0:8480\"
  |          ^^^^^^^^^^^^^^
  |
  = help: add token = { env = \"HERALD_TOKEN\" }, or listen on 127.0.0.1"
    );
    let token = "[server]\nlisten = \"0.0.0.0:8480\"\ntoken = { file = \"token\" }\nhosts = [\"NAS.lan\"]\n";
    let closed = house(token).file("token", "0123456789abcdef0123456789abcdef\n");
    let plan = closed.plan();
    assert!(
        plan.warnings
            .iter()
            .all(|warning| !warning.contains("server"))
    );
    let server = plan.server.unwrap();
    let token = server.token.unwrap();
    assert_eq!(token.expose(), "0123456789abcdef0123456789abcdef");
    assert_eq!(server.hosts, ["nas.lan"]);
    assert!(closed.show().contains("token = \"***\""));
}

#[test]
fn mistakes_are_told() {
    const CONFIG: &str = r#"[server]
listen = "localhost"
token = { file = "nowhere" }
hosts = ["https://nas.lan"]
port = 80
"#;
    let errors = house(CONFIG).errors();
    for told in [
        "expected an address and a port",
        "write \"127.0.0.1:8480\"",
        "cannot read the secret in FOLDER/nowhere",
        "not a host name",
        "unknown key",
        "config.toml:5:10",
    ] {
        assert!(errors.contains(told), "{told}: {errors}");
    }
    let errors = house("[server]\ntoken = \"two words\"\n").errors();
    assert!(errors.contains("of ASCII"), "{errors}");
    assert!(!errors.contains("two words"), "{errors}");
}

#[test]
fn a_token_that_can_be_guessed_is_worth_a_word() {
    let plan = house("[server]\ntoken = \"secret\"\n").plan();
    let warned = plan
        .warnings
        .iter()
        .any(|warning| warning == "`server.token` has fewer than 16 characters and may be guessed");
    assert!(warned, "{:?}", plan.warnings);
}
