//! Reading an SQL answer where it lies.

use super::error::{Error, ErrorKind};
use super::flat::{Flat, Table, Vector};
use super::value::{SqlType, SqlValueRef};
use super::{column_type, logic_type};

/// The rows of an SQL answer, column by column, checked as a whole.
///
/// ```
/// use ots_proto::sql::{SqlRows, SqlType, SqlValueRef, SqlWriter};
///
/// let mut writer = SqlWriter::new();
/// writer.column("n", SqlType::Integer, [Some(SqlValueRef::Integer(42)), None])?;
/// let answer = writer.finish()?;
///
/// let rows = SqlRows::parse(&answer)?;
/// for row in 0..rows.row_count() {
///     for column in rows.columns() {
///         println!("{}: {:?}", column.name(), column.value(row));
///     }
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct SqlRows<'buf> {
    columns: Vec<SqlColumn<'buf>>,
    row_count: usize,
}

/// One column of an SQL answer.
#[derive(Clone, Debug)]
pub struct SqlColumn<'buf> {
    name: &'buf str,
    sql_type: SqlType,
    /// One byte for each row, 1 where it is NULL.
    nulls: &'buf [u8],
    values: Values<'buf>,
}

#[derive(Clone, Debug)]
enum Values<'buf> {
    None,
    Longs(&'buf [[u8; 8]]),
    Booleans(&'buf [u8]),
    Texts(Vec<&'buf str>),
    Binaries(Vec<&'buf [u8]>),
    Runs {
        texts: Vec<&'buf str>,
        /// The text of each row.
        rows: &'buf [[u8; 4]],
    },
}

impl<'buf> SqlRows<'buf> {
    /// Reads the columns, and checks every value of them.
    ///
    /// # Errors
    /// When an offset leads out of the buffer, a column is of another length than the rows, of an
    /// unknown type, or holds a text that isn't UTF-8; or when the same bytes are referred to so often
    /// that the answer would be many times larger than the buffer.
    ///
    /// # Cost
    /// One pass over the buffer, and sixteen bytes of memory for each text or binary value.
    pub fn parse(buffer: &'buf [u8]) -> Result<Self, Error> {
        let mut flat = Flat::new(buffer);
        let root = flat.root("SQLResponseColumns")?;
        let (found, place) = flat.long(root, 1, "row_count")?;
        let wrong_count = || Error::new(ErrorKind::RowCount { found }, place);
        let row_count = usize::try_from(found).map_err(|_| wrong_count())?;

        let mut columns = Vec::new();
        if let Some(vector) = flat.vector(root, 0, 4, "columns")? {
            for index in 0..vector.elements.len() / 4 {
                let column = flat
                    .table_at(vector.position + 4 * index, "SQLResponseColumn")
                    .and_then(|table| SqlColumn::parse(&mut flat, table, row_count));
                columns.push(column.map_err(|error| error.in_column(index))?);
            }
        }
        // Rows without columns are nothing that could be checked.
        if columns.is_empty() && row_count > 0 {
            return Err(wrong_count());
        }
        Ok(Self { columns, row_count })
    }

    /// The columns, in the order of the statement.
    #[must_use]
    pub fn columns(&self) -> &[SqlColumn<'buf>] {
        &self.columns
    }

    /// How many rows there are.
    #[must_use]
    pub const fn row_count(&self) -> usize {
        self.row_count
    }
}

impl<'buf> SqlColumn<'buf> {
    /// Its name, as the statement calls it. Names need not be distinct.
    #[must_use]
    pub const fn name(&self) -> &'buf str {
        self.name
    }

    /// The type of its values.
    #[must_use]
    pub const fn sql_type(&self) -> SqlType {
        self.sql_type
    }

    /// The value in a row, counted from zero; none if it is NULL, or there is no such row.
    #[must_use]
    pub fn value(&self, row: usize) -> Option<SqlValueRef<'buf>> {
        if *self.nulls.get(row)? != 0 {
            return None;
        }
        Some(match &self.values {
            Values::None => return None,
            Values::Longs(values) => {
                let bytes = *values.get(row)?;
                let long = i64::from_le_bytes(bytes);
                match self.sql_type {
                    SqlType::Double => SqlValueRef::Double(f64::from_le_bytes(bytes)),
                    SqlType::DateTime => SqlValueRef::DateTime { micros: long },
                    SqlType::Date => SqlValueRef::Date { seconds: long },
                    SqlType::Time => SqlValueRef::Time { nanos: long },
                    _ => SqlValueRef::Integer(long),
                }
            }
            Values::Booleans(values) => SqlValueRef::Boolean(*values.get(row)? != 0),
            Values::Texts(values) => SqlValueRef::String(values.get(row)?),
            Values::Binaries(values) => SqlValueRef::Binary(values.get(row)?),
            Values::Runs { texts, rows } => {
                let index = i32::from_le_bytes(*rows.get(row)?);
                SqlValueRef::String(texts.get(usize::try_from(index).ok()?)?)
            }
        })
    }

    /// Its values from the first row to the last; none where it is NULL.
    pub fn values(&self) -> impl ExactSizeIterator<Item = Option<SqlValueRef<'buf>>> {
        (0..self.nulls.len()).map(|row| self.value(row))
    }

    fn parse(flat: &mut Flat<'buf>, table: Table<'buf>, row_count: usize) -> Result<Self, Error> {
        let name = flat
            .text(table, 0, "column_name")?
            .ok_or_else(|| table.missing("column_name"))?;
        let number = flat.byte(table, 1, "column_type")?;
        let values = flat
            .table(table, 2, "column_value")?
            .ok_or_else(|| table.missing("column_value"))?;

        let field = "is_nullvalues";
        let nulls = booleans(flat, values, 0, field)?;
        if nulls.len() != row_count {
            return Err(values.length(field, row_count, nulls.len()));
        }
        let all_null = nulls.iter().all(|null| *null != 0);
        // Rows that are NULL have a value to fill the place, but a column of nothing else may do
        // without any.
        let check = |field, found| {
            if found == row_count || (found == 0 && all_null) {
                Ok(())
            } else {
                Err(values.length(field, row_count, found))
            }
        };
        let (sql_type, values) = match number {
            column_type::NONE if all_null => (SqlType::Null, Values::None),
            column_type::NONE => return Err(table.error(ErrorKind::Untyped)),
            column_type::LONG => {
                let longs = longs(flat, values, 1, "long_values")?;
                check("long_values", longs.len())?;
                (SqlType::Integer, Values::Longs(longs))
            }
            column_type::BOOLEAN => {
                let booleans = booleans(flat, values, 2, "bool_values")?;
                check("bool_values", booleans.len())?;
                (SqlType::Boolean, Values::Booleans(booleans))
            }
            column_type::DOUBLE => {
                let doubles = longs(flat, values, 3, "double_values")?;
                check("double_values", doubles.len())?;
                (SqlType::Double, Values::Longs(doubles))
            }
            column_type::STRING => {
                let texts = texts(flat, values, 4, "string_values")?;
                check("string_values", texts.len())?;
                (SqlType::String, Values::Texts(texts))
            }
            column_type::BINARY => {
                let binaries = binaries(flat, values)?;
                check("binary_values", binaries.len())?;
                (SqlType::Binary, Values::Binaries(binaries))
            }
            column_type::STRING_RLE => {
                let (texts, rows) = runs(flat, values, nulls)?;
                check("index_mapping", rows.len())?;
                (SqlType::String, Values::Runs { texts, rows })
            }
            column_type::COMPLEX => {
                let sql_type = logic_type(flat, table)?;
                let longs = longs(flat, values, 1, "long_values")?;
                check("long_values", longs.len())?;
                (sql_type, Values::Longs(longs))
            }
            found => {
                let field = "column_type";
                return Err(table.error(ErrorKind::UnknownType { field, found }));
            }
        };
        Ok(Self {
            name,
            sql_type,
            nulls,
            values,
        })
    }
}

/// What the longs of a complex column mean.
fn logic_type<'buf>(flat: &mut Flat<'buf>, table: Table<'buf>) -> Result<SqlType, Error> {
    let field = "column_complex_type_info";
    let info = flat
        .table(table, 3, field)?
        .ok_or_else(|| table.missing(field))?;
    let unknown = |field, found| info.error(ErrorKind::UnknownType { field, found });
    let encoding = flat.byte(info, 1, "column_encode_type")?;
    if encoding != column_type::LONG {
        return Err(unknown("column_encode_type", encoding));
    }
    match flat.byte(info, 0, "column_logic_type")? {
        logic_type::DATETIME => Ok(SqlType::DateTime),
        logic_type::DATE => Ok(SqlType::Date),
        logic_type::TIME => Ok(SqlType::Time),
        found => Err(unknown("column_logic_type", found)),
    }
}

fn longs<'buf>(
    flat: &mut Flat<'buf>,
    values: Table<'buf>,
    id: usize,
    field: &'static str,
) -> Result<&'buf [[u8; 8]], Error> {
    let vector = flat.vector(values, id, 8, field)?;
    Ok(vector.map_or(&[], |vector| vector.elements.as_chunks().0))
}

fn booleans<'buf>(
    flat: &mut Flat<'buf>,
    values: Table<'buf>,
    id: usize,
    field: &'static str,
) -> Result<&'buf [u8], Error> {
    let Some(Vector { position, elements }) = flat.vector(values, id, 1, field)? else {
        return Ok(&[]);
    };
    match elements.iter().position(|byte| *byte > 1) {
        None => Ok(elements),
        Some(index) => {
            let found = elements.get(index).copied().unwrap_or_default();
            let kind = ErrorKind::Boolean { field, found };
            Err(Error::new(kind, position + index))
        }
    }
}

fn texts<'buf>(
    flat: &mut Flat<'buf>,
    values: Table<'buf>,
    id: usize,
    field: &'static str,
) -> Result<Vec<&'buf str>, Error> {
    each(flat, values, id, field, |flat, place| {
        flat.text_at(place, field)
    })
}

fn binaries<'buf>(flat: &mut Flat<'buf>, values: Table<'buf>) -> Result<Vec<&'buf [u8]>, Error> {
    each(flat, values, 5, "binary_values", |flat, place| {
        let table = flat.table_at(place, "BytesValue")?;
        let bytes = flat.vector(table, 0, 1, "a binary value")?;
        // An absent vector is an empty one.
        Ok(bytes.map_or(&[][..], |bytes| bytes.elements))
    })
}

/// What each offset of a vector leads to. Offsets that lead to the same place as the one before, as
/// those of values that only fill a place may do, are followed once.
fn each<'buf, T: Copy>(
    flat: &mut Flat<'buf>,
    values: Table<'buf>,
    id: usize,
    field: &'static str,
    mut read: impl FnMut(&mut Flat<'buf>, usize) -> Result<T, Error>,
) -> Result<Vec<T>, Error> {
    let Some(Vector { position, elements }) = flat.vector(values, id, 4, field)? else {
        return Ok(Vec::new());
    };
    let mut last = None;
    let mut all = Vec::new();
    for index in 0..elements.len() / 4 {
        let place = position + 4 * index;
        let target = flat.follow(place, field)?;
        let value = match last {
            Some((at, value)) if at == target => value,
            _ => read(flat, place)?,
        };
        last = Some((target, value));
        all.push(value);
    }
    Ok(all)
}

type Runs<'buf> = (Vec<&'buf str>, &'buf [[u8; 4]]);

/// Texts that are written once for a run of rows, and the text of each row.
fn runs<'buf>(
    flat: &mut Flat<'buf>,
    values: Table<'buf>,
    nulls: &[u8],
) -> Result<Runs<'buf>, Error> {
    let Some(table) = flat.table(values, 6, "rle_string_values")? else {
        return Ok((Vec::new(), &[]));
    };
    let texts = texts(flat, table, 0, "rle_string_values")?;
    let vector = flat.vector(table, 1, 4, "index_mapping")?;
    let position = vector.map_or(0, |vector| vector.position);
    let rows: &[[u8; 4]] = vector.map_or(&[], |vector| vector.elements.as_chunks().0);
    for (row, (index, null)) in rows.iter().zip(nulls).enumerate() {
        let found = i32::from_le_bytes(*index);
        let exists = usize::try_from(found).is_ok_and(|index| index < texts.len());
        if *null == 0 && !exists {
            let kind = ErrorKind::TextIndex {
                found,
                texts: texts.len(),
            };
            return Err(Error::new(kind, position + 4 * row));
        }
    }
    Ok((texts, rows))
}

impl Table<'_> {
    fn error(self, kind: ErrorKind) -> Error {
        Error::new(kind, self.position())
    }

    fn missing(self, field: &'static str) -> Error {
        self.error(ErrorKind::Missing { field })
    }

    fn length(self, field: &'static str, expected: usize, found: usize) -> Error {
        self.error(ErrorKind::ColumnLength {
            field,
            expected,
            found,
        })
    }
}
