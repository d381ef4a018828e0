//! How the names of fields become names of columns.

/// A convention for the names of columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Case {
    Lower,
    Upper,
    Pascal,
    Camel,
    Snake,
    ScreamingSnake,
}

impl Case {
    const ALL: [(&'static str, Self); 6] = [
        ("lowercase", Self::Lower),
        ("UPPERCASE", Self::Upper),
        ("PascalCase", Self::Pascal),
        ("camelCase", Self::Camel),
        ("snake_case", Self::Snake),
        ("SCREAMING_SNAKE_CASE", Self::ScreamingSnake),
    ];

    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (_, case) = Self::ALL.iter().find(|(name, _)| *name == text)?;
        Some(*case)
    }

    /// The choices, for an error.
    pub(crate) fn choices() -> String {
        Self::ALL.map(|(name, _)| format!("`{name}`")).join(", ")
    }

    /// A field's name, which is in snake case, as a column's.
    pub(crate) fn apply(self, field: &str) -> String {
        match self {
            Self::Lower | Self::Snake => field.to_owned(),
            Self::Upper | Self::ScreamingSnake => field.to_uppercase(),
            Self::Pascal => field.split('_').map(capitalized).collect(),
            Self::Camel => {
                let pascal = Self::Pascal.apply(field);
                let mut letters = pascal.chars();
                letters.next().map_or_else(String::new, |first| {
                    first.to_lowercase().chain(letters).collect()
                })
            }
        }
    }
}

fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_conventions_of_serde() {
        let cases = [
            ("lowercase", "unit_price", "unit_price"),
            ("UPPERCASE", "unit_price", "UNIT_PRICE"),
            ("PascalCase", "unit_price", "UnitPrice"),
            ("camelCase", "unit_price", "unitPrice"),
            ("snake_case", "unit_price", "unit_price"),
            ("SCREAMING_SNAKE_CASE", "unit_price", "UNIT_PRICE"),
            ("camelCase", "id", "id"),
            ("camelCase", "_private_2", "private2"),
            ("camelCase", "élan_vital", "élanVital"),
        ];
        for (case, field, column) in cases {
            assert_eq!(Case::parse(case).unwrap().apply(field), column, "{case}");
        }
        assert_eq!(Case::parse("kebab-case"), None);
    }
}
