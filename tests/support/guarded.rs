//! A nats-server that speaks TLS only and knows its users by what their account has signed.

use super::nats::NatsServer;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use nkeys::KeyPair;
use serde_json::{Value, json};
use std::fs;
use unifi_herald::source::tls::fingerprint;

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

/// The server, which has `herald.creds`, `stranger.creds` and `cert.pem` in its folder, and its certificate's fingerprint.
pub fn guarded() -> (NatsServer, String) {
    let (operator, account) = (KeyPair::new_operator(), KeyPair::new_account());
    let system = KeyPair::new_account();
    let connections = json!({
        "subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "conn": -1, "leaf": -1,
    });
    let mut storage = connections.clone();
    for limit in ["mem_storage", "disk_storage", "streams", "consumer"] {
        storage[limit] = json!(-1);
    }
    let limited = |limits: Value| json!({"type": "account", "version": 2, "limits": limits});
    let operators = token(
        &operator,
        &operator,
        &json!({"type": "operator", "version": 2}),
    );
    let accounts = token(&operator, &account, &limited(storage));
    let systems = token(&operator, &system, &limited(connections));
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
