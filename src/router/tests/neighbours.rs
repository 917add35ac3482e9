//! What an earlier run committed is recognised when a history tells it in another form.

use super::*;
use unifi_herald_plugin::Wan;

/// A report of something on one line, `ms` after the first.
fn report(event: &Event, ms: i64) -> Event {
    let mut report = event.clone();
    report.time = Timestamp::from_millis(1_000_000 + ms);
    report.wan = Some(Box::new(Wan {
        name: Some("WAN1".into()),
        ..Wan::default()
    }));
    report
}

/// As the socket told it.
fn told(number: u64, ms: i64) -> BufferedEvent {
    BufferedEvent {
        seq: number,
        event: Arc::new(report(&event(number, Kind::WAN_DOWN), ms)),
    }
}

/// The same as the system log tells it.
fn in_the_log(number: u64, ms: i64) -> Arc<Event> {
    let mut event = report(&backfill(900_000 + number), ms);
    event.key = Some("NETWORK_WAN_FAILED".into());
    Arc::new(event)
}

fn open_hole(rig: &Rig) {
    rig.intake.push_hole(HoleNews {
        change: HoleChange::Open(hole(5, 990_000)),
        gap: None,
    });
}

async fn repair(rig: Rig, log: impl IntoIterator<Item = Arc<Event>>) {
    let mut log: VecDeque<Item> = log.into_iter().map(Item::Event).collect();
    rig.intake.push_history(&mut log).await;
    drain(rig.router).await;
}

fn numbers(journal: &Journal) -> Vec<String> {
    let commits = journal.commits.lock().unwrap();
    let events = commits.iter().flat_map(|commit| &commit.events);
    events.map(|event| event.id.to_string()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_twin_of_what_an_earlier_run_committed_is_recognised() {
    let (rig, journal) = journal(Vec::new(), vec![told(1, 0)]);
    open_hole(&rig);
    repair(rig, [in_the_log(1, 500)]).await;
    let commit = journal.commits.lock().unwrap()[0].clone();
    assert_eq!((commit.events.len(), commit.duplicates), (0, 1));
    assert_eq!(commit.holes, [HoleChange::Open(hole(5, 990_000))]);
}

#[tokio::test(start_paused = true)]
async fn however_much_the_journal_has_from_behind_it() {
    let stored = (1..=100_000).map(|number| told(number as u64, number * 10));
    let (rig, journal) = journal(Vec::new(), stored.collect());
    open_hole(&rig);
    let log = [1, 2, 50_000, 99_999].map(|number| in_the_log(number as u64, number * 10));
    repair(rig, log).await;
    assert_eq!(numbers(&journal), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn in_a_storm_of_more_than_is_remembered_at_once() {
    let back_up = |mut event: Event| {
        event.kind = Kind::WAN_UP;
        event
    };
    let down = (0..20_000).map(|number| told(number as u64, number * 2 / 5));
    let up = (20_000..40_000).map(|number| {
        let BufferedEvent { seq, event } = told(number as u64, (number - 20_000) * 2 / 5);
        let event = Arc::new(back_up(Arc::unwrap_or_clone(event)));
        BufferedEvent { seq, event }
    });
    let (rig, journal) = journal(Vec::new(), down.chain(up).collect());
    let log = [(1, 0), (2, 3_000), (3, 6_000), (4, 7_900)];
    let down = log.map(|(number, ms)| in_the_log(number, ms));
    let up = log.map(|(number, ms)| {
        let event = in_the_log(10 + number, ms);
        Arc::new(back_up(Arc::unwrap_or_clone(event)))
    });
    repair(rig, down.into_iter().chain(up)).await;
    assert_eq!(numbers(&journal), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_long_quiet_history_costs_one_look_and_a_busy_one_a_look_around_each() {
    let hour = 3_600_000;
    let quiet = || (1..=40).map(|number| told(number as u64, number * hour));
    let busy = || (1..=4_000).map(|number| told(1_000 + number as u64, 5 * hour + number * 1_000));
    let stored: [Vec<_>; 2] = [quiet().collect(), quiet().chain(busy()).collect()];
    for (stored, looks) in stored.into_iter().zip([1, 41]) {
        let (rig, journal) = journal(Vec::new(), stored);
        let log = (1..=40).map(|number| in_the_log(number as u64, number * hour));
        repair(rig, log).await;
        assert_eq!(numbers(&journal), Vec::<String>::new());
        assert_eq!(journal.asked.load(Ordering::Relaxed), looks);
    }
}
