//! Places on the earth, as the service measures and compares them.

use ots_proto::search::GeoPoint;

/// Metres between two points along a great circle: the haversine formula on a sphere of the mean
/// radius. It reproduces the counts of official test suites, which the equatorial radius doesn't.
pub(crate) fn distance_m(a: GeoPoint, b: GeoPoint) -> f64 {
    let (lat_a, lat_b) = (a.latitude().to_radians(), b.latitude().to_radians());
    let lat = ((lat_b - lat_a) / 2.0).sin();
    let lon = ((b.longitude() - a.longitude()).to_radians() / 2.0).sin();
    let h = lat * lat + lat_a.cos() * lat_b.cos() * lon * lon;
    2.0 * EARTH_RADIUS_M * h.min(1.0).sqrt().asin()
}

/// The same on a plane that touches the earth between the points: faster, and worse far away.
pub(crate) fn plane_distance_m(a: GeoPoint, b: GeoPoint) -> f64 {
    let lat = (b.latitude() - a.latitude()).to_radians();
    let middle = f64::midpoint(a.latitude(), b.latitude()).to_radians();
    let lon = (b.longitude() - a.longitude()).to_radians() * middle.cos();
    EARTH_RADIUS_M * lat.hypot(lon)
}

/// A rectangle of quantised degrees, its edges included.
///
/// The service keeps 32 bits of a coordinate. Its lower bounds are rounded up and its upper ones down,
/// so a point exactly on the lower edge is out, and on the upper edge in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct BoundingBox {
    lat: (f64, f64),
    /// West and east. West lies beyond east where the box crosses the date line.
    lon: (f64, f64),
}

impl BoundingBox {
    pub(crate) fn new(top_left: GeoPoint, bottom_right: GeoPoint) -> Self {
        let lat = |point: GeoPoint| point.latitude() * LAT_STEPS;
        let lon = |point: GeoPoint| point.longitude() * LON_STEPS;
        Self {
            lat: (lat(bottom_right).ceil(), lat(top_left).floor()),
            lon: (lon(top_left).ceil(), lon(bottom_right).floor()),
        }
    }

    pub(crate) fn contains(&self, point: GeoPoint) -> bool {
        let (lat, lon) = quantised(point);
        let (south, north) = self.lat;
        let (west, east) = self.lon;
        let between = if west <= east {
            west <= lon && lon <= east
        } else {
            west <= lon || lon <= east
        };
        south <= lat && lat <= north && between
    }
}

/// A polygon whose edges and corners belong to it. The point is quantised, the corners are not.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Polygon {
    /// Latitude and longitude, in degrees.
    corners: Vec<(f64, f64)>,
}

impl Polygon {
    pub(crate) fn new(points: &[GeoPoint]) -> Self {
        let corner = |point: &GeoPoint| (point.latitude(), point.longitude());
        Self {
            corners: points.iter().map(corner).collect(),
        }
    }

    /// Casts a ray; what lies on an edge, quantised or not, is in.
    pub(crate) fn contains(&self, point: GeoPoint) -> bool {
        let (lat, lon) = quantised(point);
        let (lat, lon) = (lat / LAT_STEPS, lon / LON_STEPS);
        let exact = (point.latitude(), point.longitude());
        let mut inside = false;
        let before = self.corners.iter().cycle();
        let before = before.skip(self.corners.len().saturating_sub(1));
        for (&(lat_a, lon_a), &(lat_b, lon_b)) in self.corners.iter().zip(before) {
            if on_edge(exact, (lat_a, lon_a), (lat_b, lon_b)) {
                return true;
            }
            let crosses = (lat_a > lat) != (lat_b > lat);
            if crosses && lon < (lon_b - lon_a) * (lat - lat_a) / (lat_b - lat_a) + lon_a {
                inside = !inside;
            }
        }
        inside
    }
}

/// Whether the point lies between `a` and `b`, on the line through them.
fn on_edge((lat, lon): (f64, f64), a: (f64, f64), b: (f64, f64)) -> bool {
    let cross = (b.0 - a.0) * (lon - a.1) - (b.1 - a.1) * (lat - a.0);
    let between = |value: f64, a: f64, b: f64| a.min(b) <= value && value <= a.max(b);
    cross.abs() < 1e-12 && between(lat, a.0, b.0) && between(lon, a.1, b.1)
}

/// Whole steps of 180 and 360 degrees in 2^32.
fn quantised(point: GeoPoint) -> (f64, f64) {
    (
        (point.latitude() * LAT_STEPS).floor(),
        (point.longitude() * LON_STEPS).floor(),
    )
}

/// The cell of a geohash: its name, and its corners in the north-west and the south-east.
pub(crate) fn geohash(point: GeoPoint, characters: usize) -> (String, GeoPoint, GeoPoint) {
    let (mut lat, mut lon) = ((-90.0, 90.0), (-180.0, 180.0));
    let mut hash = String::with_capacity(characters);
    let mut even = true;
    for _ in 0..characters {
        let mut index = 0;
        for _ in 0..5 {
            let (range, value) = if even {
                (&mut lon, point.longitude())
            } else {
                (&mut lat, point.latitude())
            };
            let middle = f64::midpoint(range.0, range.1);
            index *= 2;
            if value >= middle {
                index += 1;
                range.0 = middle;
            } else {
                range.1 = middle;
            }
            even = !even;
        }
        hash.push(BASE_32.get(index).copied().map_or('0', char::from));
    }
    // Halves of the earth's own bounds never leave them.
    let corner = |lat, lon| GeoPoint::new(lat, lon).unwrap_or(point);
    (hash, corner(lat.1, lon.0), corner(lat.0, lon.1))
}

const EARTH_RADIUS_M: f64 = 6_371_008.77;
const LAT_STEPS: f64 = 4_294_967_296.0 / 180.0;
const LON_STEPS: f64 = 4_294_967_296.0 / 360.0;
const BASE_32: &[u8; 32] = b"0123456789bcdefghjkmnpqrstuvwxyz";

#[cfg(test)]
mod tests {
    use super::*;

    fn point(text: &str) -> GeoPoint {
        text.parse().unwrap()
    }

    #[test]
    fn distances_are_those_of_the_mean_earth() {
        let quarter = distance_m(point("0,0"), point("0,90"));
        assert!((quarter - EARTH_RADIUS_M * std::f64::consts::FRAC_PI_2).abs() < 1e-6);
        let half = distance_m(point("90,0"), point("-90,50"));
        assert!((half - EARTH_RADIUS_M * std::f64::consts::PI).abs() < 1e-6);
        let (a, b) = (point("30.25,120.14"), point("30.26,120.15"));
        assert!((distance_m(a, b) - plane_distance_m(a, b)).abs() < 0.01);
    }

    #[test]
    fn a_box_has_its_upper_edge_and_lacks_its_lower_one() {
        let bounds = BoundingBox::new(point("30.8,-10"), point("30.2,10.3"));
        for (place, expected) in [
            ("30.5,0", true),
            ("30.8,0", true),
            ("30.2,0", false),
            ("30.5,-10", false),
            ("30.5,10.3", true),
            ("31,0", false),
            ("30.5,11", false),
        ] {
            assert_eq!(bounds.contains(point(place)), expected, "{place}");
        }
        let pacific = BoundingBox::new(point("10,170"), point("-10,-170"));
        assert!(pacific.contains(point("0,175")) && pacific.contains(point("0,-175")));
        assert!(!pacific.contains(point("0,0")));
    }

    #[test]
    fn a_polygon_has_its_edges_and_corners() {
        let corners = ["0,0", "10,0", "10,10", "5,5", "0,10"].map(point);
        let polygon = Polygon::new(&corners);
        for (place, expected) in [
            ("5,3", true),
            ("5,7", false),
            ("8,7.5", true),
            ("0,0", true),
            ("10,10", true),
            ("5,5", true),
            ("0,5", true),
            ("5,0", true),
            ("7,7", true),
            ("-1,5", false),
            ("11,5", false),
        ] {
            assert_eq!(polygon.contains(point(place)), expected, "{place}");
        }
    }

    #[test]
    fn a_geohash_names_the_cell_round_its_point() {
        let place = point("57.64911,10.40744");
        let (hash, north_west, south_east) = geohash(place, 11);
        assert_eq!(hash, "u4pruydqqvj");
        assert!(north_west.latitude() >= place.latitude());
        assert!(south_east.longitude() >= place.longitude());
        assert_eq!(geohash(point("0,0"), 1).0, "s");
    }
}
