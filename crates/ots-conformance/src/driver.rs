//! A driver: a folder with a manifest that says how to install and run it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde::Deserialize;

use crate::cases::Exceptions;
use crate::emulator::{ACCESS_KEY_ID, ACCESS_KEY_SECRET};
use crate::error::{Error, ErrorKind};
use crate::fixture::Fixture;
use crate::process;
use crate::report::Report;
use crate::workspace::Workspace;

/// How long a driver may run.
const RUN_LIMIT: Duration = Duration::from_secs(1200);
/// How long one command of an installation may run.
const INSTALL_LIMIT: Duration = Duration::from_secs(1200);

/// The instance name in use. The emulator takes any.
pub(crate) const INSTANCE: &str = "conformance";

/// A driver for one official SDK.
#[derive(Clone, Debug)]
pub struct Driver {
    name: String,
    folder: PathBuf,
    home: PathBuf,
    manifest: Manifest,
}

/// One way of running a driver.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    name: String,
    #[serde(default)]
    env: BTreeMap<String, String>,
}

/// Where a service is, and who asks.
#[derive(Clone)]
#[expect(clippy::exhaustive_structs, reason = "what a client needs")]
pub struct Service {
    /// URL of the instance.
    pub endpoint: String,
    /// Name of the instance.
    pub instance: String,
    /// Id of the access key.
    pub access_key_id: String,
    /// Its secret.
    pub access_key_secret: String,
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service")
            .field("endpoint", &self.endpoint)
            .field("instance", &self.instance)
            .finish_non_exhaustive()
    }
}

/// The outcome of a run.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Run {
    /// What the driver printed.
    pub report: Report,
    /// Whether it exited with success.
    pub success: bool,
    /// The end of what it wrote to standard error.
    pub last_words: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    language: String,
    sdk: String,
    requires: Vec<String>,
    manifests: Vec<PathBuf>,
    install: Vec<Vec<String>>,
    run: Vec<String>,
    #[serde(default)]
    codec: Vec<String>,
    #[serde(default)]
    cases: Vec<String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    #[serde(default)]
    variants: Vec<Variant>,
}

impl Driver {
    /// Every driver of the workspace, by name.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Manifest`] for a folder without a readable `driver.toml`, [`ErrorKind::Io`] when
    /// the folders cannot be listed.
    pub fn all(workspace: &Workspace) -> Result<Vec<Self>, Error> {
        let list = |e| Error::because(ErrorKind::Io, "cannot list the drivers", e);
        let mut folders = Vec::new();
        for entry in std::fs::read_dir(workspace.drivers()).map_err(list)? {
            let path = entry.map_err(list)?.path();
            if path.is_dir() {
                folders.push(path);
            }
        }
        folders.sort();
        folders
            .iter()
            .map(|folder| Self::load(folder, &workspace.output()))
            .collect()
    }

    fn load(folder: &Path, output: &Path) -> Result<Self, Error> {
        let path = folder.join("driver.toml");
        let unreadable = |e: Box<dyn std::error::Error + Send + Sync>| {
            let message = format!("cannot read the driver's manifest {}", path.display());
            Error::because(ErrorKind::Manifest, message, e)
        };
        let text = std::fs::read_to_string(&path).map_err(|e| unreadable(e.into()))?;
        let manifest = toml::from_str(&text).map_err(|e| unreadable(e.into()))?;
        let name = folder
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        Ok(Self {
            home: output.join(&name),
            name,
            folder: folder.to_owned(),
            manifest,
        })
    }

    /// The name of its folder.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The language and the SDK, for people.
    #[must_use]
    pub fn title(&self) -> String {
        format!("{}, {}", self.manifest.language, self.manifest.sdk)
    }

    /// The ways of running it: at least one.
    #[must_use]
    pub fn variants(&self) -> Vec<Variant> {
        if self.manifest.variants.is_empty() {
            return vec![Variant {
                name: "default".to_owned(),
                env: BTreeMap::new(),
            }];
        }
        self.manifest.variants.clone()
    }

    /// Where the files of a variant's runs are.
    #[must_use]
    pub fn run_folder(&self, variant: &Variant) -> PathBuf {
        self.home.join("runs").join(&variant.name)
    }

    /// Installs the SDK under `target`, unless the same one already is. Whoever else wants to, in this
    /// process or another, waits.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::MissingProgram`] when the machine lacks what the driver requires,
    /// [`ErrorKind::Install`] when a command fails, [`ErrorKind::TimedOut`] when one does not end.
    pub fn install(&self) -> Result<(), Error> {
        for program in &self.manifest.requires {
            self.require(program)?;
        }
        let _alone = process::lock(&self.home.with_extension("lock"))?;
        let stamp_file = self.home.join("installed");
        let stamp = self.stamp()?;
        if std::fs::read_to_string(&stamp_file).is_ok_and(|installed| installed == stamp) {
            return Ok(());
        }
        if self.home.exists() {
            std::fs::remove_dir_all(&self.home).map_err(|e| {
                Error::because(ErrorKind::Io, "cannot remove an earlier installation", e)
            })?;
        }
        process::make_folder(&self.home)?;
        for manifest in &self.manifest.manifests {
            let content = process::read(&self.folder.join(manifest))?;
            process::write(&self.home.join(manifest), content.as_bytes())?;
        }
        for command in &self.manifest.install {
            self.run_install(command)?;
        }
        process::write(&stamp_file, stamp.as_bytes())
    }

    fn require(&self, program: &str) -> Result<(), Error> {
        let answer = Command::new(program)
            .arg("--version")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        match answer {
            Ok(_) => Ok(()),
            Err(e) => Err(Error::because(
                ErrorKind::MissingProgram,
                format!(
                    "the {} driver needs {program}, which is not on this machine; install it, or \
                     leave the driver out with {}={}",
                    self.name,
                    crate::SKIP_VARIABLE,
                    self.name
                ),
                e,
            )),
        }
    }

    /// Everything that an installation depends on.
    fn stamp(&self) -> Result<String, Error> {
        let mut stamp = format!("{:?}\n", self.manifest.install);
        for manifest in &self.manifest.manifests {
            stamp.push_str(&process::read(&self.folder.join(manifest))?);
        }
        Ok(stamp)
    }

    fn run_install(&self, command: &[String]) -> Result<(), Error> {
        let (out, log) = (self.home.join("install.out"), self.home.join("install.log"));
        let mut process = self.command(command, &Variant::default())?;
        let status = process::run(&mut process, INSTALL_LIMIT, &out, &log)?;
        if status.success() {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Install,
            format!(
                "`{}` ended with {status}:\n{}\n{}",
                command.join(" "),
                process::tail(&out),
                process::tail(&log)
            ),
        ))
    }

    /// Runs one variant against a service and reads what it says. A failed step is no error here: it
    /// is in the report.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::TimedOut`] when the driver does not end, [`ErrorKind::Report`] when it prints
    /// something else, [`ErrorKind::Driver`] when it cannot be started.
    pub fn run(&self, variant: &Variant, endpoint: &str, fixture: &Fixture) -> Result<Run, Error> {
        let folder = self.run_folder(variant);
        process::make_folder(&folder)?;
        let fixture_file = folder.join("fixture.json");
        let json = serde_json::to_vec(fixture)
            .map_err(|e| Error::because(ErrorKind::Io, "cannot write the fixture as JSON", e))?;
        process::write(&fixture_file, &json)?;

        let (out, log) = (folder.join("report.jsonl"), folder.join("driver.log"));
        let mut process = self.command(&self.manifest.run, variant)?;
        process
            .env("OTS_ENDPOINT", endpoint)
            .env("OTS_INSTANCE", INSTANCE)
            .env("TABLESTORE_ACCESS_KEY_ID", ACCESS_KEY_ID)
            .env("TABLESTORE_ACCESS_KEY_SECRET", ACCESS_KEY_SECRET)
            .env("OTS_FIXTURE", &fixture_file);
        let status = process::run(&mut process, RUN_LIMIT, &out, &log)?;
        Ok(Run {
            report: Report::parse(&process::read(&out)?)?,
            success: status.success(),
            last_words: process::tail(&log),
        })
    }

    /// The command of its case program, told where the service is; what it writes to standard error
    /// goes to the file.
    pub(crate) fn cases_command(
        &self,
        variant: &Variant,
        service: &Service,
    ) -> Result<(Command, PathBuf), Error> {
        if self.manifest.cases.is_empty() {
            let message = format!(
                "the manifest of the {} driver names no case program",
                self.name
            );
            return Err(Error::new(ErrorKind::Manifest, message));
        }
        let mut command = self.command(&self.manifest.cases, variant)?;
        command
            .env("OTS_ENDPOINT", &service.endpoint)
            .env("OTS_INSTANCE", &service.instance)
            .env("TABLESTORE_ACCESS_KEY_ID", &service.access_key_id)
            .env("TABLESTORE_ACCESS_KEY_SECRET", &service.access_key_secret);
        let folder = self.run_folder(variant);
        process::make_folder(&folder)?;
        Ok((command, folder.join("cases.log")))
    }

    /// What the SDK cannot do: the list in the driver's folder.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Cases`] when it is no such list, [`ErrorKind::Io`] when it cannot be read.
    pub fn exceptions(&self) -> Result<Exceptions, Error> {
        Exceptions::read(&self.folder.join("unsupported.json"))
    }

    /// The command of its codec program, if the driver has one; what it writes to standard error goes
    /// to the file.
    pub(crate) fn codec_command(&self) -> Result<Option<(Command, PathBuf)>, Error> {
        if self.manifest.codec.is_empty() {
            return Ok(None);
        }
        let command = self.command(&self.manifest.codec, &Variant::default())?;
        Ok(Some((command, self.home.join("codec.log"))))
    }

    fn command(&self, words: &[String], variant: &Variant) -> Result<Command, Error> {
        let mut words = words.iter().map(|word| self.expand(word));
        let program = words.next().ok_or_else(|| {
            let message = format!("a command of the {} driver is empty", self.name);
            Error::new(ErrorKind::Manifest, message)
        })?;
        let mut command = Command::new(program);
        command.args(words).current_dir(&self.home);
        for (name, value) in self.manifest.env.iter().chain(&variant.env) {
            command.env(name, self.expand(value));
        }
        Ok(command)
    }

    fn expand(&self, word: &str) -> String {
        word.replace("{home}", &self.home.to_string_lossy())
            .replace("{driver}", &self.folder.to_string_lossy())
    }
}

impl Variant {
    /// Its name, unique within the driver.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn driver(manifest: &str) -> Result<Driver, Error> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("driver.toml"), manifest).unwrap();
        Driver::load(folder.path(), &folder.path().join("output"))
    }

    const MANIFEST: &str = r#"
        language = "None"
        sdk = "none 1.0"
        requires = ["no-such-program"]
        manifests = []
        install = []
        run = ["{home}/bin/run", "{driver}/driver"]
    "#;

    #[test]
    fn a_missing_program_is_named_with_the_way_to_leave_the_driver_out() {
        let driver = driver(MANIFEST).unwrap();
        let error = driver.install().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::MissingProgram);
        let message = error.to_string();
        assert!(message.contains("no-such-program"), "{message}");
        assert!(
            message.contains(&format!("OTS_CONFORMANCE_SKIP={}", driver.name())),
            "{message}"
        );
    }

    #[test]
    fn words_of_commands_may_name_the_two_folders() {
        let driver = driver(MANIFEST).unwrap();
        let command = driver
            .command(&driver.manifest.run, &Variant::default())
            .unwrap();
        assert_eq!(
            command.get_program(),
            driver.home.join("bin/run").as_os_str()
        );
        let arguments: Vec<_> = command.get_args().collect();
        assert_eq!(arguments, [driver.folder.join("driver").as_os_str()]);
    }

    #[test]
    fn a_manifest_with_an_unknown_key_is_refused() {
        let error = driver(&format!("{MANIFEST}\nversion = 1")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Manifest);
    }

    #[test]
    fn every_driver_of_the_workspace_has_a_good_manifest() {
        let workspace = Workspace::locate().unwrap();
        let drivers = Driver::all(&workspace).unwrap();
        assert!(!drivers.is_empty());
        for driver in drivers {
            let variants = driver.variants();
            let mut names: Vec<_> = variants.iter().map(Variant::name).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), variants.len(), "{}", driver.name());
        }
    }
}
