//! A disk that is full.

use std::fs;
use std::process::Command;

use super::Place;

/// A file system of one megabyte. None where it can't be mounted.
pub(crate) struct SmallDisk<'a>(&'a Place);

impl<'a> SmallDisk<'a> {
    pub(crate) fn mount(place: &'a Place) -> Option<Self> {
        Self::with(place, "size=1m")
    }

    /// With another limit.
    pub(crate) fn with(place: &'a Place, options: &str) -> Option<Self> {
        let path = place.path().join("disk");
        fs::create_dir_all(&path).unwrap();
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", options, "tmpfs"])
            .arg(path);
        let mounted = mount.output().is_ok_and(|output| output.status.success());
        mounted.then_some(Self(place))
    }

    /// Makes room.
    pub(crate) fn grow(&self) {
        let path = self.0.path().join("disk");
        let mut mount = Command::new("mount");
        mount
            .args(["-o", "remount,size=64m,nr_inodes=1000"])
            .arg(path);
        assert!(mount.status().unwrap().success());
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        let path = self.0.path().join("disk");
        Command::new("umount").arg(path).status().ok();
    }
}
