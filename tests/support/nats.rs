//! Real nats-servers on loopback, alone or as a cluster.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// A nats-server with JetStream. Dropping it kills it.
#[derive(Debug)]
pub struct NatsServer {
    child: Option<Child>,
    folder: TempDir,
    port: u16,
    config: String,
}

impl NatsServer {
    /// Alone, open to everybody.
    pub fn start() -> Self {
        Self::with("")
    }

    /// Three that are one cluster; ready when they have found each other.
    pub fn cluster() -> [Self; 3] {
        let ports = [free_port(), free_port(), free_port()];
        let routes = ports.map(|port| format!("\"nats://127.0.0.1:{port}\""));
        let routes = routes.join(", ");
        let servers = ports.map(|port| {
            Self::with(&format!(
                "server_name: n{port}\ncluster {{ name: test, listen: \"127.0.0.1:{port}\", routes: [{routes}] }}"
            ))
        });
        super::eventually("the cluster has a leader", || {
            on_a_runtime(async {
                let client = servers[0].client().await;
                let context = async_nats::jetstream::new(client);
                let missing = context.get_stream("none").await;
                missing.is_err_and(|error| error.to_string().contains("not found"))
            })
        });
        servers
    }

    /// Connect to it.
    pub async fn client(&self) -> async_nats::Client {
        let options = async_nats::ConnectOptions::new().retry_on_initial_connect();
        options.connect(self.url()).await.unwrap()
    }

    /// Its name in a cluster.
    pub fn name(&self) -> String {
        let named = self.config.strip_prefix("server_name: ");
        let name = named.and_then(|rest| rest.lines().next());
        name.unwrap_or_default().to_owned()
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// With these lines in its configuration, where `FOLDER` stands for its folder.
    pub fn with(config: &str) -> Self {
        let mut server = Self {
            child: None,
            folder: tempfile::tempdir().unwrap(),
            port: free_port(),
            config: config.to_owned(),
        };
        server.restart();
        server
    }

    /// Its folder, for certificates and the like.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Kill it as a power cut would.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Kill it if it runs, and start it anew on the same port, with what its streams had.
    pub fn restart(&mut self) {
        self.kill();
        let folder = self.folder.path().display().to_string();
        let text = format!(
            "listen: \"127.0.0.1:{}\"\njetstream {{ store_dir: \"{folder}/js\" }}\n{}\n",
            self.port,
            self.config.replace("FOLDER", &folder)
        );
        let path = self.folder.path().join("nats.conf");
        fs::write(&path, text).unwrap();
        let child = Command::new("/usr/sbin/nats-server")
            .arg("-c")
            .arg(&path)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            // `make packages` installs it.
            .unwrap();
        self.child = Some(child);
        let port = self.port;
        super::eventually("nats-server listens", || {
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
    }
}

impl NatsServer {
    /// Restart it with other lines in its configuration.
    pub fn restart_with(&mut self, config: &str) {
        config.clone_into(&mut self.config);
        self.restart();
    }
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Run to its end on a runtime of its own.
pub fn on_a_runtime<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(work)
}

/// Wait until the server has read what this client sent; a flush only has it written.
pub async fn read(client: &async_nats::Client) {
    let inbox = client.new_inbox();
    let mut heard = client.subscribe(inbox.clone()).await.unwrap();
    client.publish(inbox, "".into()).await.unwrap();
    futures_util::StreamExt::next(&mut heard).await.unwrap();
}

/// A port that was free a moment ago, and not one of those that are given to who connects.
pub fn free_port() -> u16 {
    loop {
        let port = fastrand::u16(10_000..30_000);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
