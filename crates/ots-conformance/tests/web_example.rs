#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test"
)]
//! The example web service of ots-paging, clicked through in a real browser.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use ots_conformance::SKIP_VARIABLE;
use ots_conformance::workspace::Workspace;

#[path = "support/examples.rs"]
mod examples;

/// What the browser is called, from one system to the next.
const BROWSERS: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];

#[test]
fn a_list_in_a_browser_goes_forward_back_and_anywhere() {
    let skipped = std::env::var(SKIP_VARIABLE).unwrap_or_default();
    if skipped.split(',').any(|name| name.trim() == "browser") {
        eprintln!("the browser is left out, as {SKIP_VARIABLE} says");
        return;
    }
    let Some(browser) = BROWSERS.into_iter().find_map(find) else {
        panic!(
            "no browser: install Chromium (Debian's package is chromium), or leave the test out with \
             {SKIP_VARIABLE}=browser"
        );
    };
    let workspace = Workspace::locate().unwrap();
    let modules = install(&workspace);
    let service = Service::start(&workspace);

    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("browser/clicks.js");
    let output = Command::new("node")
        .arg(script)
        .arg(&service.address)
        .arg(browser)
        .env("NODE_PATH", modules)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let problem = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{problem}");
    assert_eq!(said.lines().count(), 8, "{said}");
}

/// Where a program lies.
fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

/// What drives the browser, under `target`, unless the same already is. Gives the folder of its modules.
fn install(workspace: &Workspace) -> PathBuf {
    let home = workspace.output().join("browser");
    std::fs::create_dir_all(&home).unwrap();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("browser");
    let stamp_file = home.join("installed");
    let stamp = std::fs::read(source.join("package-lock.json")).unwrap();
    if std::fs::read(&stamp_file).is_ok_and(|installed| installed == stamp) {
        return home.join("node_modules");
    }
    // Modules that are half of another installation have no stamp.
    std::fs::remove_file(&stamp_file).ok();
    for manifest in ["package.json", "package-lock.json"] {
        std::fs::copy(source.join(manifest), home.join(manifest)).unwrap();
    }
    let output = Command::new("npm")
        .args([
            "ci",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--prefix",
        ])
        .arg(&home)
        .output()
        .unwrap();
    let problem = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{problem}");
    std::fs::write(stamp_file, stamp).unwrap();
    home.join("node_modules")
}

/// The example, on a free port, until dropped.
struct Service {
    child: Child,
    address: String,
    /// Kept open: what is still printed must not fail.
    _output: BufReader<ChildStdout>,
}

impl Service {
    fn start(workspace: &Workspace) -> Self {
        let program = &examples::build(workspace)["airports_web"];
        let mut child = Command::new(program)
            .args(["--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut address = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut address).unwrap();
        let address = address.trim().to_owned();
        assert!(address.starts_with("http://127.0.0.1:"), "{address:?}");
        Self {
            child,
            address,
            _output: out,
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
