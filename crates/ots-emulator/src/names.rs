//! Which names the service takes for tables, columns and instances.

use crate::error::ServiceError;

/// Checks the name of a table: the first check of every operation.
pub(crate) fn table(name: &str) -> Result<(), ServiceError> {
    let mut bytes = name.bytes();
    let starts_well = bytes
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == b'_');
    let goes_on_well = bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if starts_well && goes_on_well && name.len() <= MAX_NAME_BYTES {
        Ok(())
    } else {
        Err(ServiceError::parameter(format!(
            "Invalid table name: '{name}'."
        )))
    }
}

/// Checks the name of a column.
///
/// The public documentation allows ASCII identifiers only, but official SDKs' tests write Chinese
/// text, blanks, line breaks and punctuation; they are refused a leading `#` and more than 255 bytes.
pub(crate) fn column(name: &str) -> Result<(), ServiceError> {
    if name.is_empty() {
        Err(ServiceError::parameter(
            "invalid name of column: empty name.",
        ))
    } else if name.starts_with('#') || name.len() > MAX_NAME_BYTES {
        Err(ServiceError::parameter(format!(
            "Invalid column name: '{name}'."
        )))
    } else {
        Ok(())
    }
}

/// Checks the name of an instance.
///
/// The service wants 3 to 16 letters, digits and hyphens. Here an instance comes into being when it
/// is first named, and tests like to name theirs after themselves, so any length and underscores
/// will do.
pub(crate) fn instance(name: &str) -> Result<(), ServiceError> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if !name.is_empty() && name.bytes().all(allowed) {
        Ok(())
    } else {
        Err(ServiceError::parameter(format!(
            "Invalid instance name: '{name}'."
        )))
    }
}

/// Checks `columns_to_get`: how many, and the name of each.
pub(crate) fn columns_to_get(names: &[String]) -> Result<(), ServiceError> {
    column_count(names.len())?;
    names.iter().try_for_each(|name| column(name))
}

/// Checks how many columns a request names.
pub(crate) fn column_count(count: usize) -> Result<(), ServiceError> {
    // 128 in the public documentation, 1024 in an official SDK's tests.
    const LIMIT: usize = 1024;
    if count > LIMIT {
        return Err(ServiceError::parameter(format!(
            "The number of columns from the request exceeds the limit, limit count: {LIMIT}, column count: {count}."
        )));
    }
    Ok(())
}

const MAX_NAME_BYTES: usize = 255;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_names() {
        for good in ["_0", "_T", "A0", &"a".repeat(255)] {
            assert_eq!(table(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "0",
            "#",
            "中文",
            "T#",
            "3t",
            "-",
            "a b",
            &"a".repeat(256),
        ] {
            let error = table(bad).unwrap_err();
            assert_eq!(error.status, 400);
            assert_eq!(error.code, "OTSParameterInvalid");
            assert_eq!(error.message, format!("Invalid table name: '{bad}'."));
        }
    }

    #[test]
    fn column_names() {
        for good in [
            "a",
            "中文",
            " ",
            ".:'\"$&*()/\\",
            "\n",
            "a#",
            &"a".repeat(255),
        ] {
            assert_eq!(column(good), Ok(()), "{good}");
        }
        for bad in ["#", "#a", &"a".repeat(256)] {
            let message = format!("Invalid column name: '{bad}'.");
            assert_eq!(column(bad), Err(ServiceError::parameter(message)));
        }
        assert_eq!(
            column("").unwrap_err().message,
            "invalid name of column: empty name."
        );
    }

    #[test]
    fn more_than_1024_columns_to_get_are_refused() {
        let names: Vec<_> = (0..1025).map(|n| format!("c{n}")).collect();
        assert_eq!(
            columns_to_get(&names).unwrap_err().message,
            "The number of columns from the request exceeds the limit, limit count: 1024, column count: 1025."
        );
        assert_eq!(columns_to_get(&names[1..]), Ok(()));
    }
}
