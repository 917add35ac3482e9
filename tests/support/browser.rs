//! Chromium without a window, driven by its own protocol, so that the dashboard is used as people use it.

use super::eventually;
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use tokio_tungstenite::tungstenite::{self, Message, WebSocket};

/// Longest wait for an answer of the browser.
const LIMIT: Duration = Duration::from_secs(120);

const FLAGS: &[&str] = &[
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--remote-debugging-port=0",
    "about:blank",
];

/// A browser with one page. Dropping it ends it.
pub struct Browser {
    child: Child,
    _profile: TempDir,
    socket: RefCell<WebSocket<TcpStream>>,
    sent: Cell<u64>,
    session: String,
    base: String,
    complaints: RefCell<Vec<String>>,
}

impl Browser {
    /// With the dashboard of the server at `address` on its page.
    pub fn open(address: SocketAddr) -> Self {
        let profile = TempDir::new().unwrap();
        let child = Command::new("chromium")
            .args(FLAGS)
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("chromium, see tests/apt-packages: {error}"));
        let file = profile.path().join("DevToolsActivePort");
        let door = || fs::read_to_string(&file).unwrap_or_default();
        eventually("the browser starts", || door().lines().count() == 2);
        let door = door();
        let (port, path) = door.split_once('\n').unwrap();
        let stream = TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        let url = format!("ws://127.0.0.1:{port}{}", path.trim());
        let (socket, _) = tungstenite::client(url, stream).unwrap();
        let mut browser = Self {
            child,
            _profile: profile,
            socket: RefCell::new(socket),
            sent: Cell::new(0),
            session: String::new(),
            base: format!("http://{address}/"),
            complaints: RefCell::default(),
        };
        let target = browser.call("Target.createTarget", &json!({"url": "about:blank"}));
        let target = json!({"targetId": target["targetId"], "flatten": true});
        let attached = browser.call("Target.attachToTarget", &target);
        attached["sessionId"]
            .as_str()
            .unwrap()
            .clone_into(&mut browser.session);
        for domain in ["Page", "Runtime", "Log", "Network", "Accessibility"] {
            browser.call(&format!("{domain}.enable"), &json!({}));
        }
        browser.resize(1280, 800);
        browser.call("Page.navigate", &json!({"url": browser.base}));
        browser.until("document.readyState === 'complete' && !!document.getElementById('tabs')");
        browser
    }

    pub fn resize(&self, width: u32, height: u32) {
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600});
        self.call("Emulation.setDeviceMetricsOverride", &size);
    }

    /// Ask for light or dark colours, as the system would.
    pub fn prefer(&self, scheme: &str) {
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.call("Emulation.setEmulatedMedia", &features);
    }

    /// The value of an expression in the page.
    ///
    /// # Panics
    /// When it throws.
    pub fn eval(&self, expression: &str) -> Value {
        let question =
            json!({"expression": expression, "awaitPromise": true, "returnByValue": true});
        let answer = self.call("Runtime.evaluate", &question);
        assert!(
            answer.get("exceptionDetails").is_none(),
            "{expression}: {answer}"
        );
        answer["result"]["value"].clone()
    }

    /// Wait until an expression is true; while the page is made anew it is not.
    pub fn until(&self, expression: &str) {
        let whole = format!(
            "(() => {{ try {{ return Boolean({expression}); }} catch {{ return false; }} }})()"
        );
        let question = json!({"expression": whole, "returnByValue": true});
        eventually(expression, || {
            let answer = self.ask("Runtime.evaluate", &question);
            answer.is_ok_and(|answer| answer["result"]["value"] == true)
        });
    }

    /// Press and release a key, as a keyboard does.
    pub fn press(&self, key: &str) {
        let text = if key == "Enter" { "\r" } else { key };
        let code = match key {
            "Enter" => 13,
            "Escape" => 27,
            "End" => 35,
            "Home" => 36,
            "ArrowUp" => 38,
            "ArrowDown" => 40,
            "Tab" => 9,
            _ => 0,
        };
        let mut down = json!({"type": "keyDown", "key": key, "windowsVirtualKeyCode": code});
        if key.chars().count() == 1 || key == "Enter" {
            down["text"] = text.into();
        }
        self.call("Input.dispatchKeyEvent", &down);
        let up = json!({"type": "keyUp", "key": key, "windowsVirtualKeyCode": code});
        self.call("Input.dispatchKeyEvent", &up);
    }

    /// Click in the middle of what `selector` finds, with a mouse.
    pub fn click(&self, selector: &str) {
        let selector = Value::from(selector);
        let place = self.eval(&format!(
            "(() => {{ const node = document.querySelector({selector}); node.scrollIntoView({{block: 'nearest'}}); \
             const box = node.getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2]; }})()"
        ));
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({"type": kind, "x": place[0], "y": place[1], "button": "left", "clickCount": 1});
            self.call("Input.dispatchMouseEvent", &event);
        }
    }

    /// Put `text` into a field in the place of what it has.
    pub fn fill(&self, id: &str, text: &str) {
        self.eval(&format!(
            "(() => {{ const field = document.getElementById('{id}'); field.focus(); field.select?.(); }})()"
        ));
        if text.is_empty() {
            self.eval(&format!(
                "(() => {{ const field = document.getElementById('{id}'); field.value = ''; \
                 field.dispatchEvent(new Event('input')); }})()"
            ));
        } else {
            self.call("Input.insertText", &json!({"text": text}));
        }
    }

    /// What a screen reader would find without a name, by role.
    pub fn nameless(&self) -> Vec<String> {
        let tree = self.call("Accessibility.getFullAXTree", &json!({}));
        let nodes = tree["nodes"].as_array().unwrap();
        let wanted = [
            "button",
            "textbox",
            "searchbox",
            "combobox",
            "tab",
            "grid",
            "tabpanel",
            "dialog",
            "image",
            "link",
        ];
        let nameless = nodes.iter().filter(|node| {
            let role = node["role"]["value"].as_str().unwrap_or_default();
            let name = node["name"]["value"].as_str().unwrap_or_default();
            node["ignored"] == false && wanted.contains(&role) && name.trim().is_empty()
        });
        nameless.map(ToString::to_string).collect()
    }

    /// What the page did wrong since the last call: errors, warnings, requests to elsewhere.
    pub fn complaints(&self) -> Vec<String> {
        // A round trip, so that everything said before is read.
        self.eval("1");
        self.complaints.take()
    }

    fn call(&self, method: &str, params: &Value) -> Value {
        let answer = self.ask(method, params);
        answer.unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    /// What the browser answers; an error when there is no page at the moment, because another takes its place.
    fn ask(&self, method: &str, params: &Value) -> Result<Value, Value> {
        let id = self.sent.get() + 1;
        self.sent.set(id);
        let mut command = json!({"id": id, "method": method, "params": params});
        if !self.session.is_empty() {
            command["sessionId"] = self.session.as_str().into();
        }
        let mut socket = self.socket.borrow_mut();
        socket.send(Message::text(command.to_string())).unwrap();
        loop {
            let Message::Text(text) = socket.read().unwrap() else {
                continue;
            };
            let message: Value = serde_json::from_str(&text).unwrap();
            if message["id"] == id {
                return match message.get("error") {
                    Some(error) => Err(error.clone()),
                    None => Ok(message["result"].clone()),
                };
            }
            self.note(&message);
        }
    }

    fn note(&self, message: &Value) {
        let params = &message["params"];
        let level = params["entry"]["level"].as_str().unwrap_or_default();
        let said = params["type"].as_str().unwrap_or_default();
        let url = params["request"]["url"].as_str().unwrap_or_default();
        let wrong = match message["method"].as_str().unwrap_or_default() {
            "Runtime.exceptionThrown" => true,
            "Runtime.consoleAPICalled" => matches!(said, "error" | "warning" | "assert"),
            "Log.entryAdded" => matches!(level, "error" | "warning"),
            "Network.requestWillBeSent" => {
                !url.starts_with(&self.base) && !url.starts_with("about:")
            }
            _ => false,
        };
        if wrong {
            self.complaints.borrow_mut().push(params.to_string());
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It may have ended by itself, which is as well.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
