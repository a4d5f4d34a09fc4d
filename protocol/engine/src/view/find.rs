//! Finding a name by a few of its letters.

/// How well letters fit a name: all of them stand in it in this order, whatever their case. Higher
/// is better; `None` if they do not fit. Letters at the beginning of a word, and letters that stand
/// together, count for more; a long name for less.
#[must_use]
pub fn fits(letters: &str, name: &str) -> Option<i64> {
    let wanted: Vec<char> =
        letters.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect();
    let there: Vec<char> = name.chars().flat_map(char::to_lowercase).collect();
    // Where the first letter may stand in several places, the best of them counts.
    let Some(first) = wanted.first() else { return Some(0) };
    let starts = there.iter().enumerate().filter(|(_, c)| *c == first).map(|(at, _)| at);
    let best = starts.filter_map(|start| from(&wanted, &there, start)).max()?;
    Some(best - i64::try_from(there.len()).unwrap_or(i64::MAX / 2))
}

fn from(wanted: &[char], there: &[char], start: usize) -> Option<i64> {
    let mut score = 0;
    let mut at = start;
    let mut last = None;
    for letter in wanted {
        let found = at + there.get(at..)?.iter().position(|c| c == letter)?;
        let begins = found == 0 || there.get(found - 1).is_some_and(|c| !c.is_alphanumeric());
        score += match (last.is_some_and(|last| last + 1 == found), begins) {
            (true, _) => 40,
            (false, true) => 30,
            (false, false) => 5,
        };
        last = Some(found);
        at = found + 1;
    }
    Some(score)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn best<'a>(letters: &str, names: &[&'a str]) -> Option<&'a str> {
        names
            .iter()
            .copied()
            .filter(|name| fits(letters, name).is_some())
            .max_by_key(|name| fits(letters, name))
    }

    #[test]
    fn few_letters_find_the_name_that_was_meant() {
        let names = ["#operations", "#ops", "bob@umbrella.test", "robin@acme.test", "#shop"];
        for (letters, name) in [
            ("ops", Some("#ops")),
            ("oper", Some("#operations")),
            ("bu", Some("bob@umbrella.test")),
            ("BOB", Some("bob@umbrella.test")),
            ("ra", Some("robin@acme.test")),
            ("op s", Some("#ops")),
            ("xyz", None),
        ] {
            assert_eq!(best(letters, &names), name, "{letters}");
        }
        assert_eq!(fits("", "anything"), Some(0));
        assert_eq!(fits("a", ""), None);
    }
}
