//! Writes the seeds of every target to `corpus/TARGET`, where cargo-fuzz looks for them.

use std::path::Path;
use std::{fs, io};

use ots_proto_fuzz::{TARGETS, seeds};

fn main() -> io::Result<()> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for (target, _) in TARGETS {
        let folder = corpus.join(target);
        fs::create_dir_all(&folder)?;
        for (name, bytes) in seeds::seeds(target) {
            fs::write(folder.join(name), bytes)?;
        }
    }
    Ok(())
}
