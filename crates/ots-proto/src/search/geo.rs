//! A point on the earth.

use std::error::Error;
use std::fmt;
use std::str::FromStr;

/// A point on the earth, in degrees. The service writes it as text: `latitude,longitude`.
///
/// ```
/// use ots_proto::search::GeoPoint;
///
/// let west_lake: GeoPoint = "30.25, 120.14".parse()?;
/// assert_eq!(west_lake, GeoPoint::new(30.25, 120.14)?);
/// assert_eq!(west_lake.to_string(), "30.25,120.14");
/// assert!(GeoPoint::new(120.14, 30.25).is_err(), "latitude comes first");
/// # Ok::<(), ots_proto::search::GeoPointError>(())
/// ```
///
/// Source: the service's documentation of GEO_POINT fields.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct GeoPoint {
    latitude: f64,
    longitude: f64,
}

impl GeoPoint {
    /// A point by its degrees north and east.
    ///
    /// # Errors
    /// When the latitude isn't between -90 and 90, or the longitude between -180 and 180.
    pub fn new(latitude: f64, longitude: f64) -> Result<Self, GeoPointError> {
        if !(-90.0..=90.0).contains(&latitude) {
            return Err(GeoPointError::Latitude(latitude));
        }
        if !(-180.0..=180.0).contains(&longitude) {
            return Err(GeoPointError::Longitude(longitude));
        }
        Ok(Self {
            latitude,
            longitude,
        })
    }

    /// Degrees north of the equator, from -90 to 90.
    #[must_use]
    pub const fn latitude(self) -> f64 {
        self.latitude
    }

    /// Degrees east of Greenwich, from -180 to 180.
    #[must_use]
    pub const fn longitude(self) -> f64 {
        self.longitude
    }
}

impl fmt::Display for GeoPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{}", self.latitude, self.longitude)
    }
}

impl FromStr for GeoPoint {
    type Err = GeoPointError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let degrees = |text: &str| text.trim().parse::<f64>().ok();
        let (latitude, longitude) = text
            .split_once(',')
            .and_then(|(north, east)| Some((degrees(north)?, degrees(east)?)))
            .ok_or_else(|| GeoPointError::Text(text.to_owned()))?;
        Self::new(latitude, longitude)
    }
}

/// Why something isn't a point on the earth.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum GeoPointError {
    /// Text of another form.
    Text(String),
    /// A latitude that isn't between -90 and 90.
    Latitude(f64),
    /// A longitude that isn't between -180 and 180.
    Longitude(f64),
}

impl Error for GeoPointError {}

impl fmt::Display for GeoPointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => {
                write!(f, "expected \"latitude,longitude\", found {text:?}")
            }
            Self::Latitude(found) => write!(f, "the latitude {found} is not between -90 and 90"),
            Self::Longitude(found) => {
                write!(f, "the longitude {found} is not between -180 and 180")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_service_s_text_is_read_and_written() {
        for (text, written) in [
            ("10,-10", "10,-10"),
            ("30.5,120.25", "30.5,120.25"),
            (" 10.0 , 50.0", "10,50"),
            ("90,-180", "90,-180"),
            ("1e-7,0", "0.0000001,0"),
        ] {
            assert_eq!(text.parse::<GeoPoint>().unwrap().to_string(), written);
        }
    }

    #[test]
    fn what_is_no_point_says_why() {
        for (text, problem) in [
            (
                "wtw3sjq6q",
                "expected \"latitude,longitude\", found \"wtw3sjq6q\"",
            ),
            ("1,2,3", "expected \"latitude,longitude\", found \"1,2,3\""),
            ("1,", "expected \"latitude,longitude\", found \"1,\""),
            ("90.1,0", "the latitude 90.1 is not between -90 and 90"),
            ("0,-181", "the longitude -181 is not between -180 and 180"),
            ("nan,0", "the latitude NaN is not between -90 and 90"),
            ("0,inf", "the longitude inf is not between -180 and 180"),
        ] {
            assert_eq!(text.parse::<GeoPoint>().unwrap_err().to_string(), problem);
        }
    }
}
