//! A data file becomes instances again.

use std::collections::HashMap;

use super::saved;
use super::{DataFile, StorageError};
use crate::database::{Database, Table};

/// Instances by name.
pub(crate) type Instances = HashMap<String, Database>;

/// Reads everything. Search indexes need no rebuilding: they are a way to look at the rows.
pub(crate) fn load(file: &DataFile) -> Result<Instances, StorageError> {
    let mut tables: HashMap<(String, String), Table> = HashMap::new();
    let mut instances = Instances::new();
    // Rows come table by table: the one at hand is nearly always the right one.
    let mut at_hand: Option<((String, String), Table)> = None;
    let tables_found = std::cell::RefCell::new(&mut tables);
    file.read(
        |instance, name, bytes, counters| {
            let table = saved::read_table(name, bytes, counters)?;
            let key = (instance.to_owned(), name.to_owned());
            tables_found.borrow_mut().insert(key, table);
            Ok(())
        },
        |instance, name, bytes| {
            let is_at_hand = at_hand
                .as_ref()
                .is_some_and(|((its_instance, its_name), _)| {
                    its_instance == instance && its_name == name
                });
            if !is_at_hand {
                let mut tables = tables_found.borrow_mut();
                tables.extend(at_hand.take());
                let key = (instance.to_owned(), name.to_owned());
                let table = tables.remove(&key).ok_or("a row has no table")?;
                at_hand = Some((key, table));
            }
            match &mut at_hand {
                Some((_, table)) => saved::read_row(table, bytes),
                None => Ok(()),
            }
        },
    )?;
    tables.extend(at_hand);
    for ((instance, name), table) in tables {
        let database = instances.entry(instance).or_default();
        database.tables.insert(name, table);
    }
    Ok(instances)
}
