//! Queries as parts of other documents: the settings of a program, the body of a request.

use serde_core::de::Error as _;
use serde_core::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::search::query::Query;

/// As [`Query::to_json`], so that a query can stand in a document of any format that serde writes.
impl Serialize for Query {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}

/// As [`Query::from_json`]. Where in the query something is wrong stands in the error's text.
impl<'de> Deserialize<'de> for Query {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Value::deserialize(deserializer)?;
        Self::from_json(&json).map_err(D::Error::custom)
    }
}
