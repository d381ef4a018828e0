//! Lines for the person who runs the program, on standard error.

use std::fmt::Display;
use std::io::{Write as _, stderr};

/// Writes a line to standard error.
///
/// Unlike `eprintln!` it doesn't panic when nobody listens: `ots export 2>&1 | head -1` closes
/// standard error in the middle of the work, and the work isn't wrong because of that.
pub fn say(line: impl Display) {
    // There is nowhere else to say that it couldn't be said.
    writeln!(stderr().lock(), "{line}").ok();
}

/// Text as one line: whatever would begin another, or steer the terminal, is a space.
///
/// Messages of the service and of libraries may hold anything.
pub fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        if !character.is_control() {
            line.push(character);
        } else if !line.ends_with(' ') {
            line.push(' ');
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_no_breaks_and_nothing_that_steers_the_terminal() {
        let text = "a\r\n\tb \u{1b}[31mred\u{7}, 杭州";
        assert_eq!(one_line(text), "a b [31mred , 杭州");
    }
}
