//! NATS by TLS with credentials, against a real nats-server.

use crate::support::nats::NatsServer;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use nkeys::KeyPair;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use unifi_herald::clock::Clock;
use unifi_herald::services::HostServices;
use unifi_herald::source::tls::fingerprint;
use unifi_herald::tasks::Tasks;
use unifi_herald_plugin::testing::batch;
use unifi_herald_plugin::{Batch, BuildContext, Fault, Sink};

/// A token as `nsc` makes it: what `subject` may, signed by `issuer`.
fn token(issuer: &KeyPair, subject: &KeyPair, nats: &Value) -> String {
    let part = |value: &Value| BASE64.encode(value.to_string());
    let claims = json!({
        "jti": "x", "iat": 1_700_000_000, "iss": issuer.public_key(), "sub": subject.public_key(),
        "name": "herald", "nats": nats,
    });
    let header = json!({"typ": "JWT", "alg": "ed25519-nkey"});
    let signed = format!("{}.{}", part(&header), part(&claims));
    let signature = BASE64.encode(issuer.sign(signed.as_bytes()).unwrap());
    format!("{signed}.{signature}")
}

fn credentials(user: &KeyPair, token: &str) -> String {
    format!(
        "-----BEGIN NATS USER JWT-----\n{token}\n------END NATS USER JWT------\n\n\
         -----BEGIN USER NKEY SEED-----\n{}\n------END USER NKEY SEED------\n",
        user.seed().unwrap()
    )
}

/// A server that speaks TLS only and knows users by what an account has signed; its certificate's fingerprint.
fn guarded() -> (NatsServer, String) {
    let (operator, account) = (KeyPair::new_operator(), KeyPair::new_account());
    let system = KeyPair::new_account();
    let everything = json!({
        "type": "account", "version": 2,
        "limits": {"subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "conn": -1, "leaf": -1},
    });
    let operators = token(
        &operator,
        &operator,
        &json!({"type": "operator", "version": 2}),
    );
    let accounts = token(&operator, &account, &everything);
    let systems = token(&operator, &system, &everything);
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let keys = tempfile::tempdir().unwrap();
    let at = keys.path().display();
    fs::write(keys.path().join("cert.pem"), made.cert.pem()).unwrap();
    fs::write(
        keys.path().join("key.pem"),
        made.signing_key.serialize_pem(),
    )
    .unwrap();
    let server = NatsServer::with(&format!(
        "operator: {operators}\nresolver: MEMORY\nresolver_preload: {{ {}: {accounts}, {}: {systems} }}\n\
         system_account: {}\n\
         tls {{ cert_file: \"{at}/cert.pem\", key_file: \"{at}/key.pem\" }}",
        account.public_key(),
        system.public_key(),
        system.public_key(),
    ));
    let user = KeyPair::new_user();
    let users = json!({"type": "user", "version": 2, "subs": -1, "data": -1, "payload": -1});
    let users = token(&account, &user, &users);
    let folder = server.folder();
    fs::write(folder.join("herald.creds"), credentials(&user, &users)).unwrap();
    let stranger = credentials(&KeyPair::new_user(), &users);
    fs::write(folder.join("stranger.creds"), stranger).unwrap();
    fs::write(folder.join("cert.pem"), made.cert.pem()).unwrap();
    (server, fingerprint(made.cert.der()))
}

fn sink(tasks: &Tasks, folder: &Path, options: &str) -> Box<dyn Sink> {
    let services = HostServices::new(Clock::system(), tasks.clone());
    let context = BuildContext::new("bus", folder, services);
    let options: toml::Table = options.parse().unwrap();
    let registry = unifi_herald::builtin();
    registry.build_sink("nats", &options, &context).unwrap()
}

#[tokio::test]
async fn only_a_server_that_is_trusted_learns_who_we_are() {
    let (server, fingerprint) = guarded();
    let tasks = Tasks::new();
    let to = |creds: &str, trust: &str| {
        let port = server.port();
        let options = format!(
            "servers = [\"tls://127.0.0.1:{port}\"]\njetstream = false\ncreds = \"{creds}\"\n{trust}"
        );
        sink(&tasks, server.folder(), &options)
    };
    let mut wary = to("herald.creds", "");
    let error = wary.deliver(Batch::new(&batch(1))).await.unwrap_err();
    assert_eq!(error.fault(), Fault::Unreachable);
    assert!(error.to_string().contains(&fingerprint), "{error}");
    let pin = format!("tls = {{ pin_sha256 = \"{fingerprint}\" }}");
    for trust in ["tls = { ca_file = \"cert.pem\" }", &pin] {
        let mut trusting = to("herald.creds", trust);
        trusting.check().await.unwrap();
        trusting.deliver(Batch::new(&batch(5))).await.unwrap();
        let mut stranger = to("stranger.creds", trust);
        let error = stranger.deliver(Batch::new(&batch(1))).await.unwrap_err();
        assert_eq!(error.fault(), Fault::Configuration, "{error}");
        assert!(!error.to_string().contains("SU"), "{error}");
    }
    tasks.stop();
    tasks.ended().await;
}
