//! Where things are: the workspace, its `target` folder, the drivers.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use crate::error::{Error, ErrorKind};

/// The workspace this crate is part of.
#[derive(Clone, Debug)]
pub struct Workspace {
    cargo: PathBuf,
    manifest: PathBuf,
    target: PathBuf,
}

impl Workspace {
    /// Asks cargo where its `target` folder is.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Workspace`] when cargo cannot be run or gives no usable answer.
    pub fn locate() -> Result<Self, Error> {
        let cargo = std::env::var_os("CARGO").map_or_else(|| "cargo".into(), PathBuf::from);
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        let output = Command::new(&cargo)
            .args(["metadata", "--no-deps", "--format-version", "1"])
            .arg("--manifest-path")
            .arg(&manifest)
            .output()
            .map_err(|e| Error::because(ErrorKind::Workspace, "cannot run cargo metadata", e))?;
        if !output.status.success() {
            return Err(Error::new(
                ErrorKind::Workspace,
                format!(
                    "cargo metadata failed: {}",
                    String::from_utf8_lossy(&output.stderr)
                ),
            ));
        }
        let metadata: Metadata = serde_json::from_slice(&output.stdout).map_err(|e| {
            Error::because(
                ErrorKind::Workspace,
                "cannot read what cargo metadata says",
                e,
            )
        })?;
        Ok(Self {
            cargo,
            manifest,
            target: metadata.target_directory,
        })
    }

    /// The cargo that runs us.
    #[must_use]
    pub fn cargo(&self) -> &Path {
        &self.cargo
    }

    /// The manifest of this crate.
    #[must_use]
    pub fn manifest(&self) -> &Path {
        &self.manifest
    }

    /// The folder for everything a run leaves behind, one folder in it per driver.
    #[must_use]
    pub fn output(&self) -> PathBuf {
        self.target.join("conformance")
    }

    /// The folder that holds a folder per driver.
    #[must_use]
    pub fn drivers(&self) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("drivers")
    }
}

#[derive(Deserialize)]
struct Metadata {
    target_directory: PathBuf,
}
