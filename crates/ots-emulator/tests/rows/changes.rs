//! What puts, updates and deletes leave.

use super::*;

#[test]
fn a_row_comes_back_as_it_was_put() {
    let client = client(1);
    let put = row(1)
        .cell("z", 1)
        .cell("a", "text")
        .cell("中文", vec![1u8, 2])
        .cell("d", 0.5)
        .cell("b", true);
    client.put("t", put).unwrap();
    let got = client.get("t", &id(1)).unwrap();
    assert_eq!(got.primary_key, id(1));
    // Sorted by name, bytewise.
    assert_eq!(
        values(&got),
        [
            ("a", "text".into()),
            ("b", true.into()),
            ("d", 0.5.into()),
            ("z", 1.into()),
            ("中文", vec![1u8, 2].into()),
        ]
    );
    assert_eq!(timestamps(&got), [NOW_MS; 5]);
}

#[test]
fn a_put_replaces_all_columns_and_versions() {
    let client = client(3);
    client.put("t", row(1).cell("a", 1).cell("b", 1)).unwrap();
    client.update("t", update(1).put("a", 2)).unwrap();
    client.put("t", row(1).cell("c", 3)).unwrap();
    let got = client.get("t", &id(1)).unwrap();
    assert_eq!(values(&got), [("c", 3.into())]);
}

#[test]
fn a_row_may_have_no_columns() {
    let client = client(1);
    client.put("t", row(1)).unwrap();
    assert_eq!(client.get("t", &id(1)), Some(row(1)));
}

#[test]
fn an_absent_row_is_an_empty_answer() {
    let client = client(1);
    let response = client.call::<GetRow>(&get_request("t", &id(1))).unwrap();
    assert!(response.row.is_empty());
    assert_eq!(units(&response.consumed), (1, 0));
}

#[test]
fn updates_apply_in_the_order_of_the_wire() {
    let client = client(1);
    let change = update(1)
        .put("a", 1)
        .delete_all_versions("a")
        .put("b", 1)
        .put("b", 2)
        .delete_all_versions("c")
        .put("c", 3);
    client.update("t", change).unwrap();
    let got = client.get("t", &id(1)).unwrap();
    assert_eq!(values(&got), [("b", 2.into()), ("c", 3.into())]);
}

#[test]
fn an_update_creates_a_row_unless_it_only_deletes() {
    let client = client(1);
    let deletes = update(1)
        .delete_all_versions("a")
        .delete_one_version("b", 1);
    client.update("t", deletes.clone()).unwrap();
    assert_eq!(client.get("t", &id(1)), None);

    client.update("t", update(1).put("a", 1)).unwrap();
    client.update("t", deletes).unwrap();
    // The last column went, the row stays.
    assert_eq!(client.get("t", &id(1)), Some(row(1)));
}

#[test]
fn deleting_an_absent_row_succeeds() {
    let client = client(1);
    client.delete("t", id(1)).unwrap();
    client.put("t", row(1).cell("a", 1)).unwrap();
    client.delete("t", id(1)).unwrap();
    assert_eq!(client.get("t", &id(1)), None);
}

#[test]
fn a_table_may_forbid_updates() {
    let client = Client::new();
    let options = TableOptions {
        allow_update: Some(false),
        ..options(1)
    };
    client.create_with("t", ID, options);
    client.put("t", row(1).cell("a", 1)).unwrap();
    let refusal = client.update("t", update(1).put("a", 2)).unwrap_err();
    assert_eq!(
        (refusal.status, &*refusal.code),
        (400, "OTSParameterInvalid")
    );
}
