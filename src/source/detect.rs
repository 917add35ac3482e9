//! Finding out what kind of controller answers at an address.

use super::address::Address;
use super::http::{Client, SMALL};
use crate::config::ControllerKind;
use crate::unifi::endpoint::{Evidence, Question, kind_by_port};
use crate::unifi::login::Outcome;
use http::HeaderMap;

/// Ask until an answer is clear. `doubted` is set when the kind found before turned out wrong.
///
/// # Errors
/// The outcome of a login that could not even begin.
pub(super) async fn kind(
    client: &Client,
    address: &Address,
    doubted: bool,
) -> Result<ControllerKind, Outcome> {
    let mut question = Question::first(doubted);
    loop {
        let answer = client
            .get(question.path(), HeaderMap::new(), SMALL)
            .await
            .map_err(|error| Outcome::Unreachable(error.0))?;
        match question.read(&answer) {
            Evidence::Kind(kind) => return Ok(kind),
            Evidence::NotReady => {
                return Err(Outcome::Booting {
                    status: answer.status,
                });
            }
            Evidence::Unclear => {}
        }
        match question.next() {
            Some(next) => question = next,
            None => return kind_by_port(address.port).ok_or(Outcome::NotHere { status: 404 }),
        }
    }
}
