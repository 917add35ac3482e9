//! The store against a model: nothing lost, nothing doubled but what was in hand, in order, and the books balance.

use super::*;
use proptest::prelude::*;
use std::collections::VecDeque;

#[derive(Clone, Debug)]
enum Step {
    /// Commit events, each given to the sinks of its mask; some have an id that was there before.
    Commit(Vec<(u8, bool)>),
    Claim(usize, usize),
    /// Settle some of what is claimed from the front on: every third refused, every fifth expired.
    Settle(usize, usize),
    Retry,
    Restart,
    /// Kill it: claimed events come again.
    Crash,
    /// Cut the power: the last moments may be gone, what is left must be whole.
    PowerCut(f64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => proptest::collection::vec((0_u8..4, proptest::bool::weighted(0.1)), 1..12).prop_map(Step::Commit),
        6 => (0_usize..2, 1_usize..8).prop_map(|(sink, max)| Step::Claim(sink, max)),
        6 => (0_usize..2, 1_usize..8).prop_map(|(sink, max)| Step::Settle(sink, max)),
        1 => Just(Step::Retry),
        1 => Just(Step::Restart),
        2 => Just(Step::Crash),
        1 => (0.0..1.0).prop_map(Step::PowerCut),
    ]
}

#[derive(Default)]
struct Sink {
    /// Committed and not claimed, by number.
    waiting: VecDeque<u64>,
    claimed: VecDeque<u64>,
    dead: Vec<u64>,
    books: Books,
}

impl Sink {
    fn restart(&mut self) {
        self.waiting.extend(self.claimed.drain(..));
        self.waiting.make_contiguous().sort_unstable();
    }
}

#[derive(Default)]
struct Model {
    sinks: [Sink; 2],
    next_id: u64,
}

struct Run {
    rig: Rig,
    store: DiskStore,
    model: Model,
    next_seq: u64,
}

impl Run {
    async fn commit(&mut self, events: &[(u8, bool)]) {
        let mut commit = Commit::default();
        let mut shares = [Vec::new(), Vec::new()];
        for (mask, again) in events {
            let seq = self.next_seq;
            self.next_seq += 1;
            let again = *again && self.model.next_id > 0;
            let id = if again {
                self.model.next_id / 2
            } else {
                self.model.next_id += 1;
                self.model.next_id - 1
            };
            let event = named(seq, &id.to_string());
            commit.events.push(event.clone());
            for (sink, share) in shares.iter_mut().enumerate() {
                let model = &mut self.model.sinks[sink];
                model.books.received += 1;
                let given = mask & (1 << sink) != 0;
                if given {
                    share.push(event.clone());
                }
                if again {
                    model.books.duplicate += 1;
                } else if given {
                    model.books.pending += 1;
                    model.waiting.push_back(seq);
                } else {
                    model.books.filtered += 1;
                }
            }
        }
        for (sink, events) in shares.into_iter().enumerate() {
            if !events.is_empty() {
                commit.shares.push(Share { sink, events });
            }
        }
        self.store.commit(commit).await.unwrap();
    }

    async fn claim(&mut self, sink: usize, max: usize) {
        let model = &mut self.model.sinks[sink];
        if model.waiting.is_empty() {
            return;
        }
        let claimed = self.store.claim(sink, max).await;
        assert!(!claimed.is_empty() && claimed.len() <= max);
        for event in claimed {
            assert_eq!(Some(event.seq), model.waiting.pop_front());
            model.claimed.push_back(event.seq);
        }
    }

    async fn settle(&mut self, sink: usize, max: usize) {
        let model = &mut self.model.sinks[sink];
        let mut settled = Vec::new();
        for _ in 0..max.min(model.claimed.len()) {
            let seq = model.claimed.pop_front().unwrap();
            settled.push(match seq {
                seq if seq % 3 == 0 => {
                    model.dead.push(seq);
                    Settled::Dead(Box::new(dead(sink, &event(seq))))
                }
                seq if seq % 5 == 0 => Settled::Expired { seq },
                seq => Settled::Delivered { seq },
            });
            model.books.settle(settled.last().unwrap());
        }
        if !settled.is_empty() {
            self.store.settle(sink, settled).await.unwrap();
        }
    }

    async fn retry(&mut self) {
        let mut total = 0;
        for model in &mut self.model.sinks {
            let dead = std::mem::take(&mut model.dead);
            total += dead.len() as u64;
            model.books.dead_lettered -= dead.len() as u64;
            model.books.pending += dead.len() as u64;
            model.waiting.extend(dead);
            model.waiting.make_contiguous().sort_unstable();
        }
        let all = LetterFilter::default();
        assert_eq!(self.store.retry_dead_letters(&all).await.unwrap(), total);
    }

    fn check(&self) {
        let books = books(&self.store);
        for (books, model) in books.iter().zip(&self.model.sinks) {
            assert_eq!(*books, model.books);
        }
    }

    fn restart(self) -> Self {
        let Self {
            rig,
            store,
            mut model,
            ..
        } = self;
        drop(store);
        let store = rig.open();
        model.sinks.iter_mut().for_each(Sink::restart);
        Self {
            next_seq: store.next_seq(),
            rig,
            store,
            model,
        }
    }

    fn crash(mut self) -> Self {
        self.rig.take_files_as_they_are(None);
        self.restart()
    }

    /// Nobody knows what is left, but it balances, is in order, and every pending event is there.
    async fn cut_power(self, part: f64) {
        let Self { mut rig, store, .. } = self;
        rig.take_files_as_they_are(Some(part));
        drop(store);
        let store = match rig.try_open() {
            Ok(store) => store,
            // Cut before the tables were made.
            Err(error) => panic!("{error}"),
        };
        for (sink, books) in books(&store).iter().enumerate() {
            let claimed = claim_all(&store, sink, books.pending as usize).await;
            assert!(claimed.is_sorted_by(|one, two| one.seq < two.seq));
            store.settle(sink, delivered(&claimed)).await.unwrap();
        }
        assert!(books(&store).iter().all(|books| books.pending == 0));
    }
}

async fn run(steps: Vec<Step>) {
    let rig = Rig::new(6);
    let store = rig.open();
    let mut run = Run {
        next_seq: store.next_seq(),
        rig,
        store,
        model: Model::default(),
    };
    for step in steps {
        match step {
            Step::Commit(events) => run.commit(&events).await,
            Step::Claim(sink, max) => run.claim(sink, max).await,
            Step::Settle(sink, max) => run.settle(sink, max).await,
            Step::Retry => run.retry().await,
            Step::Restart => run = run.restart(),
            Step::Crash => run = run.crash(),
            Step::PowerCut(part) => return run.cut_power(part).await,
        }
        run.check();
    }
    // Whatever happened, everything that is pending comes.
    for sink in 0..2 {
        while !run.model.sinks[sink].waiting.is_empty() {
            run.claim(sink, 5).await;
        }
        while !run.model.sinks[sink].claimed.is_empty() {
            run.settle(sink, 3).await;
        }
    }
    run.check();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_store_behaves_like_its_model(steps in proptest::collection::vec(step(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(run(steps));
    }
}
