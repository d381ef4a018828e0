//! Text files that tell whether they are whole: a title, one JSON object, a checksum over both.

use serde_json::{Map, Value};

use super::checksum::Checksum;

/// The bytes of such a file.
#[must_use]
pub fn seal(title: &str, content: &Value) -> Vec<u8> {
    let text = format!("{title}\n{content}\n");
    let sum = Checksum::of(text.as_bytes());
    format!("{text}{sum}\n").into_bytes()
}

/// The object of such a file.
///
/// # Errors
/// What is wrong with it: it was cut or changed, or has another title.
pub fn unseal(title: &str, bytes: &[u8]) -> Result<Map<String, Value>, &'static str> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it isn't text")?;
    if !text.starts_with(title) {
        return Err("it begins otherwise, or another version wrote it");
    }
    let whole = text.strip_suffix('\n').and_then(|text| {
        let (content, sum) = text.split_at_checked(text.rfind('\n')? + 1)?;
        let is_whole = sum == Checksum::of(content.as_bytes()).to_string();
        is_whole.then_some(content)
    });
    let content = whole.ok_or("its checksum doesn't fit")?;
    let content = content.split_once('\n').map_or("", |(_, content)| content);
    serde_json::from_str(content).map_err(|_| UNFIT)
}

/// What is wrong with a file that is whole, and of something else.
pub const UNFIT: &str = "its content doesn't fit";
