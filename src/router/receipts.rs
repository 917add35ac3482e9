//! Receipts that are owed: given when the store keeps what was committed, not while it holds it in memory only.

use crate::intake::Outlet;
use crate::store::{Store, StoreHealth};

/// The newest receipt that was asked for and not given.
#[derive(Debug, Default)]
pub(super) struct Receipts(Option<u64>);

impl Receipts {
    /// Everything in front of `receipt` is committed.
    pub(super) fn owe(&mut self, receipt: Option<u64>) {
        self.0 = receipt.or(self.0);
    }

    /// Give what is owed, unless `store` is degraded: then a crash would lose what was committed.
    pub(super) fn give(&mut self, store: &dyn Store, outlet: &Outlet) {
        if self.0.is_some()
            && store.health() == StoreHealth::Ok
            && let Some(number) = self.0.take()
        {
            outlet.receipt(number);
        }
    }
}
