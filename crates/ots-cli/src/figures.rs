//! Numbers as people read them.

use std::fmt;
use std::time::Duration;

/// A count in groups of three digits: `41,200`.
#[derive(Clone, Copy, Debug)]
pub struct Count(pub u64);

/// A count with its noun, which takes an `s` but for one: `1 row`, `41,200 rows`, `2 retries`.
#[derive(Clone, Copy, Debug)]
pub struct Of(pub u64, pub &'static str);

/// A size in decimal units: `3.4 MB`.
#[derive(Clone, Copy, Debug)]
pub struct Bytes(pub u64);

/// A time in seconds: `1.50 s`.
#[derive(Clone, Copy, Debug)]
pub struct Seconds(pub Duration);

/// A count per second: `271,000 rows/s` without its unit.
pub fn per_second(count: u64, time: Duration) -> Count {
    let millis = time.as_millis().max(1);
    let rate = u128::from(count) * 1000 / millis;
    Count(u64::try_from(rate).unwrap_or(u64::MAX))
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < 1000 {
            return self.0.fmt(f);
        }
        write!(f, "{},{:03}", Self(self.0 / 1000), self.0 % 1000)
    }
}

impl fmt::Display for Of {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(count, noun) = *self;
        write!(f, "{} ", Count(count))?;
        match (count, noun.strip_suffix('y')) {
            (1, _) => f.write_str(noun),
            (_, Some(stem)) => write!(f, "{stem}ies"),
            (_, None) => write!(f, "{noun}s"),
        }
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1000)];
        match units.into_iter().find(|(_, size)| self.0 >= *size) {
            Some((unit, size)) => {
                let tenths = self.0.saturating_mul(10) / size;
                write!(f, "{}.{} {unit}", tenths / 10, tenths % 10)
            }
            None => Of(self.0, "byte").fmt(f),
        }
    }
}

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} s", self.0.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_scaled() {
        assert_eq!(Count(0).to_string(), "0");
        assert_eq!(Count(3_000_007).to_string(), "3,000,007");
        assert_eq!(Of(1, "row").to_string(), "1 row");
        assert_eq!(Of(1_000, "row").to_string(), "1,000 rows");
        assert_eq!(Of(1, "retry").to_string(), "1 retry");
        assert_eq!(Of(0, "retry").to_string(), "0 retries");
        assert_eq!(Bytes(1).to_string(), "1 byte");
        assert_eq!(Bytes(999).to_string(), "999 bytes");
        assert_eq!(Bytes(1_250_000).to_string(), "1.2 MB");
        assert_eq!(Bytes(3_000_000_000).to_string(), "3.0 GB");
        assert_eq!(
            per_second(3_000_000, Duration::from_secs(12)).to_string(),
            "250,000"
        );
    }
}
