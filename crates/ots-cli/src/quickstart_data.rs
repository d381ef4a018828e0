//! The data that comes with the program, for a first look without any file.

/// 3,376 airports of the United States as CSV with a header: iata, name, city, state, country,
/// latitude, longitude. `data/README.md` tells its origin.
pub const AIRPORTS_CSV: &[u8] = include_bytes!("../data/airports.csv");

/// The key column of [`AIRPORTS_CSV`]: no two airports share it.
pub const AIRPORTS_KEY: &str = "iata";

/// The rows of [`AIRPORTS_CSV`].
pub const AIRPORTS_ROWS: usize = 3_376;
