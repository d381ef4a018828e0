//! Keys of a small world, against a set of them.

use std::collections::HashSet;

use ots_proto::PrimaryKeyValue;
use proptest::prelude::*;

use super::*;

fn value() -> impl Strategy<Value = PrimaryKeyValue> {
    prop_oneof![
        (-3_i64..3).prop_map(PrimaryKeyValue::Integer),
        "[ab\u{1}]{0,3}".prop_map(PrimaryKeyValue::String),
        proptest::collection::vec(0_u8..3, 0..4)
            .prop_map(|bytes| PrimaryKeyValue::Binary(bytes.into())),
        "x{120,140}".prop_map(PrimaryKeyValue::String),
    ]
}

proptest! {
    /// Keys of two columns from so small a world that they repeat, and that their bytes would, were
    /// values not told apart. What is kept in memory, and what is spilled at any bound, gives the
    /// model's answers.
    #[test]
    fn a_set_of_keys_is_a_set_of_keys_in_memory_and_on_disk(
        generations in proptest::collection::vec(
            proptest::collection::vec((value(), value()), 0..60), 1..4),
        asked in proptest::collection::vec((value(), value()), 1..60),
        limit in 2_000_usize..40_000,
    ) {
        let key = |(a, b): &(PrimaryKeyValue, PrimaryKeyValue)| {
            PrimaryKey::new().column("a", a.clone()).column("b", b.clone())
        };
        let directory = tempfile::tempdir().unwrap();
        for spill_to in [None, Some(directory.path().to_owned())] {
            let limit = if spill_to.is_none() { usize::MAX } else { limit };
            let mut delivered = Delivered::new(limit, spill_to);
            let mut model = HashSet::new();
            let given = block_on(async {
                let mut given = Given::default();
                for generation in &generations {
                    let generation: Vec<_> = generation.iter().map(key).collect();
                    for some in generation.chunks(3) {
                        record(&mut delivered, keys(&page(some))).await.unwrap();
                        model.extend(some.iter().map(|key| format!("{key:?}")));
                    }
                    given = sort(&mut delivered).await.unwrap();
                }
                given
            });
            let asked: Vec<_> = asked.iter().map(key).collect();
            let mut rows = page(&asked);
            let suppressed = leave_out(&given, &mut rows);
            let new: Vec<_> =
                asked.iter().filter(|key| !model.contains(&format!("{key:?}"))).cloned().collect();
            prop_assert_eq!(usize::try_from(suppressed).unwrap(), asked.len() - new.len());
            prop_assert_eq!(rows, page(&new));
        }
    }
}
