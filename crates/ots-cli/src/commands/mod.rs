//! What the program does, a module a command.

pub mod emulator;
pub mod export;
pub mod load;
pub mod quickstart;
pub mod range;
pub mod search;
