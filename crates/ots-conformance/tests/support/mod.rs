//! A client of an emulator in this process.
#![allow(dead_code, reason = "each test uses a part")]

use ots_core::transport::InProcess;
use ots_core::{Client, ClientBuilder, Credentials};
use ots_emulator::Emulator;

pub(crate) fn client(emulator: Emulator) -> Client {
    builder(emulator).build().unwrap()
}

pub(crate) fn builder(emulator: Emulator) -> ClientBuilder {
    Client::builder("http://in-process")
        .instance("own")
        .credentials(credentials())
        .transport(InProcess::new(move |request| emulator.handle(request)))
}

pub(crate) fn credentials() -> Credentials {
    Credentials::new(Emulator::ACCESS_KEY_ID, Emulator::ACCESS_KEY_SECRET)
}
