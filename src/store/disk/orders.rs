//! What takes the writer several turns, so that no commit waits long for it.

use super::job::{Job, LetterOrder};
use super::{DiskStore, LetterFilter, Reader, gone, maintain};
use crate::store::StoreError;
use tokio::sync::oneshot;

impl DiskStore {
    /// Make the dead letters that `filter` describes pending again, or forget them; returns how many.
    pub(super) async fn move_letters(
        &self,
        filter: &LetterFilter,
        retry: bool,
    ) -> Result<u64, StoreError> {
        // What is given up again meanwhile is not part of it, or a retry could go on for ever.
        let newest = self.ask(Reader::newest_letter)?;
        let mut total = 0;
        loop {
            let order = LetterOrder {
                filter: filter.clone(),
                retry,
                newest,
                limit: maintain::LETTERS,
                now: self.clock.wall(),
            };
            let (done, answer) = oneshot::channel();
            self.send(Job::Letters { order, done }).await?;
            match answer.await.map_err(|_| gone())?? {
                0 => return Ok(total),
                count => total += count,
            }
        }
    }
}
