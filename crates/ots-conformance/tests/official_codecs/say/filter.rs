//! Column filters and conditions of writes.

use ots_proto::filter::{
    CastType, ColumnFilter, Comparator, Condition, Filter, FilterRef, RowExistence, Test,
    ValueTransfer,
};
use serde_json::{Value as Json, json};

use super::{Say, new, words};

impl Say for Filter {
    fn say(&mut self) -> Json {
        let (filter, said) = match self.as_ref() {
            FilterRef::Column(column) => {
                let mut column = column.clone();
                let said = column.say();
                (column.into(), said)
            }
            FilterRef::Not(inner) => {
                let mut inner = inner.clone();
                let said = composite("NOT", vec![inner.say()]);
                (inner.not(), said)
            }
            FilterRef::And(parts) => {
                let mut parts = parts.to_vec();
                let said = parts.iter_mut().map(Say::say).collect();
                (Self::all(parts).unwrap(), composite("AND", said))
            }
            FilterRef::Or(parts) => {
                let mut parts = parts.to_vec();
                let said = parts.iter_mut().map(Say::say).collect();
                (Self::any(parts).unwrap(), composite("OR", said))
            }
            newer => panic!("no word for {newer:?}"),
        };
        *self = filter;
        said
    }
}

fn composite(operator: &str, parts: Vec<Json>) -> Json {
    let combinator = json!({ "enum": format!("LogicalOperator.{operator}") });
    json!({
        "new": "CompositeColumnCondition",
        "with": { "combinator": combinator },
        "add": parts,
    })
}

impl Say for ColumnFilter {
    fn say(&mut self) -> Json {
        let (mut comparator, mut value) = match &mut self.test {
            Test::Compare(comparator, value) => (comparator.say(), Some(value)),
            Test::Exists => (json!({ "enum": "ComparatorType.EXIST" }), None),
            Test::NotExists => (json!({ "enum": "ComparatorType.NOT_EXIST" }), None),
            newer => panic!("no word for {newer:?}"),
        };
        if self.transfer.is_none() && value.is_some() {
            let mut said = new!("SingleColumnCondition",
                column_name: self.column,
                column_value: value,
                pass_if_missing: self.pass_if_missing,
                latest_version_only: self.latest_version_only,
            );
            said["with"]["comparator"] = comparator.take();
            return said;
        }
        // The class for these never passes a row without the column.
        self.pass_if_missing = false;
        let mut said = new!("SingleColumnRegexCondition",
            column_name: self.column,
            column_value: value,
            regex_rule: self.transfer,
            latest_version_only: self.latest_version_only,
        );
        said["with"]["comparator"] = comparator.take();
        said
    }
}

impl Say for ValueTransfer {
    fn say(&mut self) -> Json {
        new!("RegexRule", regex_input: self.regex, cast_type: self.cast)
    }
}

impl Say for Condition {
    fn say(&mut self) -> Json {
        let mut existence = self.existence();
        let mut columns = self.column_condition().cloned();
        let said = new!("Condition",
            row_existence_expectation: existence,
            column_condition: columns,
        );
        let condition = Self::row(existence);
        *self = match columns {
            Some(columns) => condition.columns(columns),
            None => condition,
        };
        said
    }
}

words! {
    Comparator: "ComparatorType" {
        Equal = EQUAL,
        NotEqual = NOT_EQUAL,
        GreaterThan = GREATER_THAN,
        GreaterEqual = GREATER_EQUAL,
        LessThan = LESS_THAN,
        LessEqual = LESS_EQUAL,
    }
    CastType: "CastType" { Integer = VT_INTEGER, Double = VT_DOUBLE, String = VT_STRING }
    RowExistence: "RowExistenceExpectation" {
        Ignore = IGNORE,
        Expect = EXPECT_EXIST,
        ExpectNot = EXPECT_NOT_EXIST,
    }
}
