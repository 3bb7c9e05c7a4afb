//! The real window, driven over WebDriver, and pictures of it.

use std::{
    fs,
    net::TcpListener,
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use fantoccini::{Client, ClientBuilder, Locator, elements::Element};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;

/// Slower than this and the operator would think it hangs.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often the page is asked: short against the second that is being measured.
const LOOK_EVERY: Duration = Duration::from_millis(25);

/// One window on one profile. Its driver, and with it the window, ends with it.
pub struct Window {
    pub page: Client,
    /// When the session was asked for: the driver starts the window with it.
    pub asked_at: Instant,
    driver: Child,
}

impl Window {
    /// Opens the window that `RATIBA_WINDOW` names.
    pub async fn open(profile: &str) -> Self {
        let window = std::env::var("RATIBA_WINDOW").expect(
            "these tests need the built window: RATIBA_WINDOW=<path of ratiba-console> (cargo build --features desktop); `make test` does it",
        );
        let native = ["/usr/bin/WebKitWebDriver", "/usr/local/bin/WebKitWebDriver"]
            .into_iter()
            .find(|path| fs::exists(path).unwrap_or(false))
            .expect("WebKitWebDriver is missing: apt-get install webkit2gtk-driver, or run `make setup`");
        let (port, native_port) = (free_port(), free_port());
        let mut driver = Command::new("tauri-driver");
        driver
            .args(["--port", &port.to_string(), "--native-port", &native_port.to_string()])
            .args(["--native-driver", native])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            // A group of its own: the native driver and the window go with it.
            .process_group(0);
        let driver = driver.spawn().expect("tauri-driver is missing: `make setup` installs it");
        let capabilities = json!({
            "browserName": "wry",
            "tauri:options": { "application": window, "args": ["--profile", profile] },
        });
        let capabilities = capabilities.as_object().unwrap().clone();
        for port in [port, native_port] {
            listens(port).await;
        }
        let asked_at = Instant::now();
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let opened = builder.capabilities(capabilities).connect(&format!("http://127.0.0.1:{port}")).await;
        let page = opened.unwrap_or_else(|error| panic!("the window did not open: {error}"));
        Self { page, asked_at, driver }
    }

    /// The element of this test id, as soon as it is there.
    pub async fn at(&self, testid: &str) -> Element {
        self.css(&format!("[data-testid='{testid}']")).await
    }

    /// The first element that matches, as soon as it is there.
    pub async fn css(&self, selector: &str) -> Element {
        self.css_within(selector, PATIENCE).await
    }

    /// The same, for what takes its time.
    pub async fn css_within(&self, selector: &str, within: Duration) -> Element {
        match self.page.wait().at_most(within).every(LOOK_EVERY).for_element(Locator::Css(selector)).await {
            Ok(element) => element,
            Err(error) => {
                self.picture("failed").await;
                panic!("{selector} did not appear within {within:?}: {error}; picture: failed.png");
            }
        }
    }

    /// Clicks it as soon as it can be clicked.
    pub async fn click(&self, testid: &str) {
        self.click_first(&format!("[data-testid='{testid}']:not(:disabled)")).await;
    }

    /// Clicks the first element that matches, as soon as it is there.
    pub async fn click_first(&self, selector: &str) {
        self.press(&self.css(selector).await).await;
    }

    /// Clicks the element as soon as it is at rest. The driver presses where the element was when it was asked:
    /// one that still moves, as after a resize, would be missed without a word.
    pub async fn press(&self, element: &Element) {
        let at_rest = "const [node, done] = arguments; node.scrollIntoView({ block: 'nearest' }); const place = () => JSON.stringify(node.getBoundingClientRect()); let before; const look = () => { const now = place(); if (now === before) done(true); else { before = now; requestAnimationFrame(look); } }; look();";
        let node = serde_json::to_value(element).unwrap();
        self.page.execute_async(at_rest, vec![node]).await.unwrap();
        element.click().await.unwrap();
    }

    /// Gives the window this size; returns as soon as the page has it. Nobody else manages windows here, so it
    /// is the page's size, too.
    pub async fn resize(&self, width: u32, height: u32) {
        self.page.set_window_size(width, height).await.unwrap();
        let ends = Instant::now() + PATIENCE;
        loop {
            let size = self.page.execute("return [innerWidth, innerHeight];", vec![]).await.unwrap();
            if size == json!([width, height]) {
                return;
            }
            assert!(
                Instant::now() < ends,
                "the page is {width}x{height} within {PATIENCE:?}, and not {size}"
            );
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    pub async fn text(&self, testid: &str) -> String {
        self.at(testid).await.text().await.unwrap()
    }

    /// All text in it. The driver's own takes what is cut with an ellipsis for not shown.
    pub async fn content(&self, testid: &str) -> String {
        self.at(testid).await.prop("textContent").await.unwrap().unwrap_or_default()
    }

    /// Returns as soon as the element's text has this part.
    pub async fn says(&self, testid: &str, part: &str) {
        let ends = Instant::now() + PATIENCE;
        loop {
            let text = self.content(testid).await;
            if text.contains(part) {
                return;
            }
            assert!(Instant::now() < ends, "{testid} says `{part}` within {PATIENCE:?}, and not: {text}");
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Returns as soon as this element's text has all these parts at once.
    pub async fn comes_to_say(&self, element: &Element, parts: &[&str]) {
        let ends = Instant::now() + PATIENCE;
        loop {
            let text = element.text().await.unwrap();
            if parts.iter().all(|part| text.contains(part)) {
                return;
            }
            assert!(Instant::now() < ends, "it says {parts:?} within {PATIENCE:?}, and not: {text}");
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Returns as soon as the element's text does not have this part any more.
    pub async fn says_no_more(&self, testid: &str, part: &str) {
        let ends = Instant::now() + PATIENCE;
        while self.content(testid).await.contains(part) {
            assert!(Instant::now() < ends, "{testid} still says `{part}` after {PATIENCE:?}");
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    pub async fn is_there(&self, testid: &str) -> bool {
        let selector = format!("[data-testid='{testid}']");
        !self.page.find_all(Locator::Css(&selector)).await.unwrap().is_empty()
    }

    /// The test id of what has the focus.
    pub async fn focused(&self) -> String {
        let script = "return document.activeElement?.dataset?.testid ?? '';";
        self.page.execute(script, vec![]).await.unwrap().as_str().unwrap_or_default().to_owned()
    }

    /// Text of all elements that match.
    pub async fn texts(&self, selector: &str) -> Vec<String> {
        let mut texts = Vec::new();
        for element in self.page.find_all(Locator::Css(selector)).await.unwrap() {
            texts.push(element.text().await.unwrap());
        }
        texts
    }

    /// Nothing on the page is wider than its place.
    pub async fn fits(&self, what: &str) {
        let over = "return ['html', 'main', '.page > .main'].flatMap((s) => [...document.querySelectorAll(s)]).map((n) => n.scrollWidth - n.clientWidth).reduce((a, b) => Math.max(a, b), 0);";
        let over = self.page.execute(over, vec![]).await.unwrap();
        assert_eq!(over, json!(0), "{what} is wider than the window, by this many pixels");
    }

    /// Keeps a picture among the test's artefacts; gives it.
    pub async fn picture(&self, name: &str) -> Vec<u8> {
        // The driver takes the last frame that was drawn, which may be older than the page.
        let drawn = "const done = arguments[0]; document.fonts.ready.then(() => requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(done))));";
        self.page.execute_async(drawn, vec![]).await.unwrap();
        let png = self.page.screenshot().await.unwrap();
        let dir = std::env::var_os("RATIBA_TEST_ARTEFACTS")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("test-artefacts"), PathBuf::from)
            .join("window");
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join(format!("{name}.png")), &png).unwrap();
        png
    }

    pub async fn close(self) {
        self.page.clone().close().await.unwrap();
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        // The group: tauri-driver leaves its native driver behind when it is killed alone.
        let group = format!("-{}", self.driver.id());
        let _ = Command::new("kill").args(["-TERM", "--", &group]).stderr(Stdio::null()).status();
        let _ = self.driver.wait();
    }
}

/// Returns as soon as somebody listens on the port.
async fn listens(port: u16) {
    let ends = tokio::time::Instant::now() + PATIENCE;
    while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        assert!(tokio::time::Instant::now() < ends, "the driver does not listen on port {port}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}
