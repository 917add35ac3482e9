//! Beyond one machine: a collector and one, two and four workers on a real nats-server, beside a herald with the embedded
//! store, and two workers on three servers that each have everything: events per second, CPU per event of herald and of all
//! servers. Needs `nats-server`; `make bench-nats` runs it.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement prints what it finds, and has nothing to say when it cannot go on"
)]

use async_nats::jetstream::context::ContextBuilder;
use async_nats::jetstream::message::PublishMessage;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use unifi_herald::clock::Clock;
use unifi_herald::demo::{Pace, Simulator, SimulatorOptions};
use unifi_herald_plugin::Kind;
use unifi_herald_plugin::testing::EventBuilder;

/// Events of one measurement of workers, and partitions that they are spread over.
const BACKLOG: usize = 40_000;
const PARTITIONS: usize = 16;

const WARM_UP: Duration = Duration::from_secs(2);
const MEASURED: Duration = Duration::from_secs(6);

/// What a sink's events and its chain are: one condition, one file.
const CHAIN: &str = r#"
[sinks.file]
plugin  = "file"
batch   = { max = 500 }
options = { path = "0.jsonl" }
[chains.all]
steps = [{ where = 'event.kind != "wan.down" && event.level < 5' }, { sink = "file" }]
"#;

fn main() {
    println!(
        "{:<22}{:>12}{:>18}{:>18}",
        "", "events/s", "herald µs/event", "server µs/event"
    );
    embedded();
    collector();
    for workers in [1, 2, 4] {
        processing(workers, &Cluster::of(1));
    }
    processing(2, &Cluster::of(3));
}

fn row(name: &str, events: f64, seconds: f64, herald: f64, server: f64) {
    println!(
        "{name:<22}{:>12.0}{:>18.1}{:>18.1}",
        events / seconds,
        herald * 1e6 / events,
        server * 1e6 / events
    );
}

/// Socket, chain, embedded store on disk, file.
fn embedded() {
    let (simulator, folder) = (simulator(), TempDir::new().unwrap());
    let config = format!(
        "{}\n[store]\nsync = \"normal\"\n{CHAIN}",
        controller(&simulator)
    );
    let host = Process::herald(folder.path(), &config);
    let measured = under_load(&simulator, || (lines(folder.path()), host.cpu(), 0.0));
    row("embedded, on disk", measured.0, measured.1, measured.2, 0.0);
    simulator.stop();
}

/// Socket, outbox on disk, stream.
fn collector() {
    let (simulator, folder, server) = (simulator(), TempDir::new().unwrap(), Cluster::of(1));
    let config = format!(
        "{}\n[host]\nrole = \"collect\"\n[store]\nmode = \"jetstream\"\nsync = \"normal\"\njetstream = {{ servers = [\"{}\"] }}\n",
        controller(&simulator),
        server.url()
    );
    let host = Process::herald(folder.path(), &config);
    let measured = under_load(&simulator, || {
        (server.waiting("herald"), host.cpu(), server.cpu())
    });
    row(
        "1 collector",
        measured.0,
        measured.1,
        measured.2,
        measured.3,
    );
    simulator.stop();
}

/// From the stream of events to files; what waits is there before the workers begin.
fn processing(count: usize, server: &Cluster) {
    let folders: Vec<TempDir> = (0..count).map(|_| TempDir::new().unwrap()).collect();
    let config = format!(
        "[host]\nrole = \"process\"\n[store]\nmode = \"jetstream\"\njetstream = {{ servers = [\"{}\"], replicas = {} }}\n{CHAIN}",
        server.url(),
        server.processes.len(),
    );
    // All of them are there, and have shared out the partitions, before there is anything to do.
    let workers: Vec<Process> = folders
        .iter()
        .map(|folder| Process::herald(folder.path(), &config))
        .collect();
    let done = || {
        folders
            .iter()
            .map(|folder| lines(folder.path()))
            .sum::<u64>()
    };
    server.ready();
    server.publish(0..PARTITIONS);
    until(|| done() >= PARTITIONS as u64);
    wait(WARM_UP * 4);
    let cpu = || workers.iter().map(Process::cpu).sum::<f64>();
    for worker in &workers {
        worker.signal("STOP");
    }
    server.publish(PARTITIONS..BACKLOG);
    let (herald, served, clock) = (cpu(), server.cpu(), Clock::system());
    let begun = clock.now();
    for worker in &workers {
        worker.signal("CONT");
    }
    until(|| done() >= BACKLOG as u64);
    let seconds = clock.now().duration_since(begun).as_secs_f64();
    let (herald, served) = (cpu() - herald, server.cpu() - served);
    let events = (BACKLOG - PARTITIONS) as f64;
    let servers = match server.processes.len() {
        1 => String::new(),
        replicas => format!(", {replicas} replicas"),
    };
    let name = format!("{count} workers{servers}");
    row(&name, events, seconds, herald, served);
}

/// Events, seconds, and CPU seconds of herald and of the server while the simulator sends all it can.
fn under_load(simulator: &Simulator, look: impl Fn() -> (u64, f64, f64)) -> (f64, f64, f64, f64) {
    assert!(simulator.wait_for_sockets(1, Duration::from_secs(30)));
    let clock = Clock::system();
    simulator.play(Pace::FlatOut { items: 4 });
    wait(WARM_UP);
    let (before, begun) = (look(), clock.now());
    wait(MEASURED);
    let (after, seconds) = (look(), clock.now().duration_since(begun).as_secs_f64());
    simulator.play(Pace::Still);
    let events = (after.0 - before.0) as f64;
    (events, seconds, after.1 - before.1, after.2 - before.2)
}

fn simulator() -> Simulator {
    Simulator::start(SimulatorOptions {
        sync_share: 0.0,
        ..SimulatorOptions::default()
    })
    .unwrap()
}

fn controller(simulator: &Simulator) -> String {
    let options = simulator.options();
    format!(
        "[controllers.home]\nurl = \"{}\"\nauth = {{ username = \"{}\", password = \"{}\" }}\ntls = {{ pin_sha256 = \"{}\" }}",
        simulator.url(),
        options.username,
        options.password,
        simulator.fingerprint()
    )
}

/// A process that ends with the measurement.
struct Process(Child);

impl Process {
    fn herald(folder: &Path, config: &str) -> Self {
        fs::write(folder.join("config.toml"), config).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_herald"));
        command.arg("-c").arg(folder.join("config.toml")).arg("run");
        Self(command.stderr(Stdio::null()).spawn().unwrap())
    }

    /// User and system time in seconds: fields 14 and 15 of /proc/PID/stat, in ticks of 10 ms.
    fn cpu(&self) -> f64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0.id())).unwrap();
        let fields = stat
            .rsplit(") ")
            .next()
            .unwrap()
            .split(' ')
            .skip(11)
            .take(2);
        fields
            .map(|field| field.parse::<f64>().unwrap())
            .sum::<f64>()
            / 100.0
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args(["-s", name, &self.0.id().to_string()])
            .status();
        assert!(sent.unwrap().success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only when it is gone already.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Servers that are one cluster; the first is the one that is spoken to, the others are found.
struct Cluster {
    processes: Vec<Process>,
    port: u16,
    _folder: TempDir,
}

impl Cluster {
    fn of(count: usize) -> Self {
        let folder = TempDir::new().unwrap();
        let ports: Vec<(u16, u16)> = (0..count).map(|_| (free_port(), free_port())).collect();
        let routes = ports
            .iter()
            .map(|(_, route)| format!("\"nats://127.0.0.1:{route}\""));
        let routes = routes.collect::<Vec<_>>().join(", ");
        let start = |(number, (port, route)): (usize, &(u16, u16))| {
            let store = folder.path().join(number.to_string());
            let mut config = format!(
                "listen: \"127.0.0.1:{port}\"\njetstream {{ store_dir: \"{}\" }}\n",
                store.display()
            );
            if count > 1 {
                config += &format!(
                    "server_name: n{number}\ncluster {{ name: bench, listen: \"127.0.0.1:{route}\", routes: [{routes}] }}\n"
                );
            }
            let file = folder.path().join(format!("{number}.conf"));
            fs::write(&file, config).unwrap();
            let mut command = Command::new("/usr/sbin/nats-server");
            command.arg("-c").arg(file).stderr(Stdio::null());
            Process(command.spawn().unwrap())
        };
        let processes = ports.iter().enumerate().map(start).collect();
        for (port, _) in &ports {
            until(|| TcpStream::connect(("127.0.0.1", *port)).is_ok());
        }
        Self {
            processes,
            port: ports[0].0,
            _folder: folder,
        }
    }

    fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Seconds that all of them have used.
    fn cpu(&self) -> f64 {
        self.processes.iter().map(Process::cpu).sum()
    }

    /// Wait until the workers have made what they need.
    fn ready(&self) {
        until(|| {
            on_a_runtime(async {
                let context =
                    async_nats::jetstream::new(async_nats::connect(self.url()).await.unwrap());
                context.get_stream("KV_herald_leases").await.is_ok()
            })
        });
    }

    /// Messages in a stream.
    fn waiting(&self, stream: &str) -> u64 {
        on_a_runtime(async {
            let context =
                async_nats::jetstream::new(async_nats::connect(self.url()).await.unwrap());
            let stream = context.get_stream(stream).await.unwrap();
            stream.cached_info().state.messages
        })
    }

    /// Publish events, one partition after the other.
    fn publish(&self, numbers: std::ops::Range<usize>) {
        on_a_runtime(async {
            let client = async_nats::connect(self.url()).await.unwrap();
            let context = ContextBuilder::new().max_ack_inflight(1000).build(client);
            let numbers: Vec<usize> = numbers.collect();
            for some in numbers.chunks(500) {
                let mut waiting = Vec::new();
                for number in some {
                    let site = format!("s{}", number % PARTITIONS);
                    let raw = format!("{{\"_id\":\"{number}\",\"msg\":\"{}\"}}", "x".repeat(600));
                    let event = EventBuilder::new(Kind::CLIENT_CONNECTED)
                        .id(&number.to_string())
                        .site("hq", &site, &site)
                        .with(|event| event.raw = serde_json::from_str(&raw).ok())
                        .buffered(1);
                    let message = PublishMessage::build()
                        .payload(event.to_json().into())
                        .message_id(number.to_string());
                    let subject = format!("herald.hq.{site}.client.connected");
                    waiting.push(context.send_publish(subject, message).await.unwrap());
                }
                for acknowledged in waiting {
                    acknowledged.await.unwrap();
                }
            }
        });
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.local_addr().unwrap().port()
}

fn on_a_runtime<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(work)
}

/// Lines of the sink's file.
fn lines(folder: &Path) -> u64 {
    let text = fs::read(folder.join("0.jsonl")).unwrap_or_default();
    memchr::memchr_iter(b'\n', &text).count() as u64
}

fn wait(time: Duration) {
    let clock = Clock::system();
    let until: Instant = clock.now() + time;
    while let Some(left) = until
        .checked_duration_since(clock.now())
        .filter(|left| !left.is_zero())
    {
        std::thread::park_timeout(left);
    }
}

fn until(condition: impl Fn() -> bool) {
    while !condition() {
        wait(Duration::from_millis(20));
    }
}
