//! The way to a controller: its name, a connection, a certificate.

use super::{Fault, Finding};
use crate::config::ControllerPlan;
use crate::source::account::Account;
use crate::source::address::Address;
use crate::source::shake::{Unshaken, shake};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

/// Longest wait for an answer at each step.
const STEP: Duration = Duration::from_secs(10);

/// Go all the way; whether it leads there.
pub(super) async fn walk(
    plan: &ControllerPlan,
    account: &Account,
    tell: &mut impl FnMut(Finding),
) -> bool {
    let address = &account.address;
    let found = match resolve(address).await {
        Ok(found) => found,
        Err(finding) => {
            tell(finding);
            return false;
        }
    };
    if address.host.parse::<IpAddr>().is_err() {
        let list: Vec<String> = found.iter().map(|at| at.ip().to_string()).collect();
        tell(Finding::ok(
            "dns",
            format!("{} is {}", address.host, list.join(", ")),
        ));
    }
    let stream = match connect(address, &found).await {
        Ok(stream) => stream,
        Err(finding) => {
            tell(finding);
            return false;
        }
    };
    tell(Finding::ok("tcp", format!("port {} answers", address.port)));
    if !address.encrypted {
        tell(Finding::ok("tls", "none, on the way within this machine"));
        return true;
    }
    let finding = handshake(plan, account, stream).await;
    let there = finding.health != super::Health::Failed;
    tell(finding);
    there
}

async fn resolve(address: &Address) -> Result<Vec<SocketAddr>, Finding> {
    let failed = |why: &str| {
        Finding::failed(
            "dns",
            Fault::Way,
            format!("{} cannot be resolved: {why}", address.host),
            "check url and the DNS servers of this machine, or write the IP address",
        )
    };
    match timeout(STEP, lookup_host((address.host.as_str(), address.port))).await {
        Err(_elapsed) => Err(failed("no answer in time")),
        Ok(Err(error)) => Err(failed(&error.to_string())),
        Ok(Ok(found)) => {
            let found: Vec<SocketAddr> = found.collect();
            if found.is_empty() {
                return Err(failed("it has no address"));
            }
            Ok(found)
        }
    }
}

async fn connect(address: &Address, found: &[SocketAddr]) -> Result<TcpStream, Finding> {
    let why = match timeout(STEP, TcpStream::connect(found)).await {
        Ok(Ok(stream)) => return Ok(stream),
        Ok(Err(error)) => error.to_string(),
        Err(_elapsed) => "no answer in time, as behind a firewall".to_owned(),
    };
    Err(Finding::failed(
        "tcp",
        Fault::Way,
        format!("port {} of {}: {why}", address.port, address.host),
        "check that the controller runs, and the port: consoles listen on 443, UniFi OS Server on 11443, self-hosted \
         controllers on 8443",
    ))
}

async fn handshake(plan: &ControllerPlan, account: &Account, stream: TcpStream) -> Finding {
    let print = match shake(&account.address, &account.tls, stream, STEP).await {
        Ok(print) => print,
        Err(Unshaken::Distrusted(sentence)) => {
            return Finding::of_sentence("tls", Fault::Way, &sentence);
        }
        Err(Unshaken::NoTls(why)) => return no_tls(&why),
    };
    if plan.tls.pin_sha256.is_some() {
        return Finding::ok("tls", format!("the certificate is the pinned one, {print}"));
    }
    if plan.tls.insecure {
        return Finding::warning(
            "tls",
            "insecure = true: anybody in between can read the password and make up events",
            format!(
                "replace it by tls = {{ pin_sha256 = \"{print}\" }}, if that is the controller's fingerprint"
            ),
        );
    }
    Finding::ok("tls", "the certificate is valid for this name")
}

fn no_tls(why: &str) -> Finding {
    Finding::failed(
        "tls",
        Fault::Way,
        format!("no TLS there: {why}"),
        "check the port in url",
    )
}
