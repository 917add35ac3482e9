//! Full speed: as many events as host and controller together can do.

use crate::case::{Case, simulator};
use crate::process::{Herald, wait};
use std::time::Duration;
use unifi_herald::clock::Clock;
use unifi_herald::demo::Pace;

pub(crate) const WARM_UP: Duration = Duration::from_secs(2);
pub(crate) const MEASURED: Duration = Duration::from_secs(6);
pub(crate) const PACE: Pace = Pace::FlatOut { items: 4 };

pub(crate) fn measure(case: &Case) -> String {
    let simulator = simulator(case.sync_share);
    let folder = tempfile::TempDir::new().unwrap();
    case.write(folder.path(), &simulator, Some("256MiB"));
    let herald = Herald::connected(folder.path(), &simulator);
    let clock = Clock::system();
    simulator.play(PACE);
    wait(&clock, WARM_UP);
    let (delivered, cpu, begun) = (herald.books("delivered"), herald.cpu(), clock.now());
    wait(&clock, MEASURED);
    let (cpu, elapsed) = (herald.cpu() - cpu, clock.now().duration_since(begun));
    let events = (herald.books("delivered") - delivered) as f64;
    let ((peak, _), lost) = (herald.memory(), herald.books("lost"));
    herald.kill();
    simulator.stop();
    row(&case.name(), events, elapsed, cpu, peak, &lost.to_string())
}

pub(crate) fn row(
    name: &str,
    events: f64,
    elapsed: Duration,
    cpu: f64,
    peak: f64,
    lost: &str,
) -> String {
    let (rate, each) = (events / elapsed.as_secs_f64(), cpu * 1e6 / events);
    format!("| {name} | {rate:.0} | {each:.2} | {peak:.1} | {lost} |")
}
