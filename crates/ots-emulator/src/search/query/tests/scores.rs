//! Scores, inner rows and vectors.

use super::*;

fn score(query: impl Into<Query>, cells: &[(&str, ColumnValue)]) -> Option<f64> {
    compile(&query.into())
        .unwrap()
        .score(&testing::row(28, cells))
}

#[test]
fn scores_are_simple() {
    use ots_proto::search::{
        Decay, DecayMathFunction, FieldValueFactor, FunctionCombineMode, FunctionModifier,
        FunctionScoreMode, NumericParam, ScoreFunction,
    };
    let cells = [
        ("l", ColumnValue::from(100)),
        ("x", "tea tea house".into()),
        ("k", "a".into()),
    ];
    let yes = || Query::exists("l");
    let no = || Query::exists("d");
    let heavy = |weight| {
        let mut term = ots_proto::search::TermQuery::new("k", "a");
        term.weight = Some(weight);
        Query::Term(term)
    };
    let functions = |query: ots_proto::search::FunctionsScoreQuery| score(query, &cells);
    let value = || FieldValueFactor::new("l");
    for (name, found, expected) in [
        ("all", score(Query::MatchAll, &cells), Some(1.0)),
        ("weight", score(heavy(2.5), &cells), Some(2.5)),
        ("none", score(no(), &cells), None),
        ("and", score(yes().and(yes()), &cells), Some(2.0)),
        (
            "one word once",
            score(Query::match_text("x", "house"), &cells),
            Some(1.0),
        ),
        (
            "one word twice",
            score(Query::match_text("x", "tea"), &cells),
            Some(4.4 / 3.2),
        ),
        (
            "const",
            score(Query::const_score(yes().and(yes())), &cells),
            Some(1.0),
        ),
        (
            "dis_max",
            score(Query::dis_max([yes(), heavy(3.0)]).tie_breaker(0.5), &cells),
            Some(3.5),
        ),
        (
            "factor",
            score(Query::function_score(yes(), "l"), &cells),
            Some(100.0),
        ),
        (
            "sum",
            functions(
                Query::functions_score(yes())
                    .function(value().factor(0.5))
                    .function(value().modifier(FunctionModifier::Log))
                    .function(ScoreFunction::constant(7.0).filter(no()))
                    .score_mode(FunctionScoreMode::Sum)
                    .combine_mode(FunctionCombineMode::Sum),
            ),
            Some(53.0),
        ),
        (
            "decay at its scale",
            functions(Query::functions_score(yes()).function(Decay::new(
                "l",
                DecayMathFunction::Linear,
                NumericParam::new(80.0, 20.0),
            ))),
            Some(0.5),
        ),
        (
            "decay of a missing field",
            functions(Query::functions_score(yes()).function(Decay::new(
                "d",
                DecayMathFunction::Gauss,
                NumericParam::new(80.0, 20.0),
            ))),
            Some(1.0),
        ),
        (
            "too low",
            functions(
                Query::functions_score(yes())
                    .function(ScoreFunction::constant(2.0))
                    .min_score(3.0),
            ),
            None,
        ),
        (
            "capped",
            functions(
                Query::functions_score(yes())
                    .function(ScoreFunction::constant(9.0))
                    .max_score(3.0),
            ),
            Some(3.0),
        ),
    ] {
        let near = match (found, expected) {
            (Some(found), Some(expected)) => (found - expected).abs() < 1e-9,
            (found, expected) => found == expected,
        };
        assert!(near, "{name}: {found:?}, expected {expected:?}");
    }
    for curve in [
        DecayMathFunction::Gauss,
        DecayMathFunction::Exp,
        DecayMathFunction::Linear,
    ] {
        let decay = Decay::new("l", curve, NumericParam::new(70.0, 20.0).offset(10.0)).decay(0.3);
        let found = score(Query::functions_score(yes()).function(decay), &cells).unwrap();
        assert!((found - 0.3).abs() < 1e-9, "{curve:?}: {found}");
    }
}

fn nested_schema() -> Schema {
    let mut message = testing::index_schema();
    message.field_schemas.push(testing::nested_field());
    Schema::parse(&message, Arc::new(testing::table_meta())).unwrap()
}

#[test]
fn a_nested_query_wants_all_of_one_inner_row() {
    let schema = nested_schema();
    let row = testing::row(
        1,
        &[(
            "n",
            r#"[{"k":"a","l":1},{"k":"b","l":2},{"k":"b","l":4}]"#.into(),
        )],
    );
    let ask = |query: Query| CompiledQuery::of_rows(&schema, &query).unwrap();
    let both =
        |k: &str, l: i64| Query::nested("n", Query::term("n.k", k).and(Query::term("n.l", l)));
    assert!(ask(both("a", 1).into()).matches(&row));
    assert!(!ask(both("a", 2).into()).matches(&row));
    assert!(ask(Query::exists("n")).matches(&row));
    assert!(!ask(Query::nested("n", Query::exists("n.x")).into()).matches(&row));
    let scored = |mode| {
        let query = Query::function_score(Query::term("n.k", "b"), "n.l");
        ask(Query::nested("n", query).score_mode(mode).into()).score(&row)
    };
    assert_eq!(scored(ScoreMode::Avg), Some(3.0));
    assert_eq!(scored(ScoreMode::Max), Some(4.0));
    assert_eq!(scored(ScoreMode::Min), Some(2.0));
    assert_eq!(scored(ScoreMode::Total), Some(6.0));
    assert_eq!(scored(ScoreMode::None), Some(0.0));
    let refused = |query: Query| CompiledQuery::of_rows(&schema, &query).unwrap_err().message;
    assert_eq!(
        refused(Query::term("n.k", "a")),
        "field [n.k] lies in the NESTED field [n]: ask for it in a nested query"
    );
    assert_eq!(
        refused(Query::nested("n", Query::exists("l")).into()),
        "field [l] can't be asked for in a nested query: it isn't in a NESTED field"
    );
    assert_eq!(
        refused(Query::nested("k", Query::MatchAll).into()),
        "field [k] is of type KEYWORD, not NESTED"
    );
}

#[test]
fn the_nearest_vectors_are_exactly_these() {
    let rows: Vec<_> = (0..20)
        .map(|id| {
            Arc::new(testing::row(
                id,
                &[
                    ("v", format!("[{id}, 0]").as_str().into()),
                    ("l", (id % 2).into()),
                ],
            ))
        })
        .collect();
    let found = |query: ots_proto::search::KnnVectorQuery| {
        let mut query = compile(&query.into()).unwrap();
        query.find_nearest(&rows);
        let ids = rows.iter().filter(|row| query.matches(*row));
        ids.map(|row| row.key[0].as_integer().unwrap())
            .collect::<Vec<_>>()
    };
    let near = |top_k| Query::knn_vector("v", [7.2, 0.0], top_k);
    assert_eq!(found(near(3)), [6, 7, 8]);
    assert_eq!(found(near(2).filter(Query::term("l", 0))), [6, 8]);
    assert_eq!(found(near(1000)).len(), 20);
    assert_eq!(found(near(5).min_score(0.5)), [7, 8]);
    assert_eq!(
        refusal(Query::knn_vector("v", [1.0], 1)),
        "the vector for field [v] must have 2 finite elements, it has 1"
    );
    assert_eq!(refusal(near(0)), "top_k is from 1 to 1000, not 0");
}
