//! Who a text calls by name.

use std::ops::Range;

use wire::Account;

/// Where a text names an account, as `@alice` or `alice@acme.example`, whatever the case of its
/// letters: ranges of bytes, ascending. An address of somebody else with the same first part is not
/// the account.
#[must_use]
pub fn mentions(text: &str, account: &Account) -> Vec<Range<usize>> {
    let (short, long) = (format!("@{}", account.local()), format!("@{account}"));
    let mut found: Vec<Range<usize>> = words(text, account.as_str()).chain(words(text, &long)).collect();
    found.extend(words(text, &short).filter(|place| !goes_on(text, place)));
    found.sort_by_key(|place| place.start);
    found
}

/// The places of a word that stands for itself.
fn words<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = Range<usize>> + 'a {
    let is_part = |character: char| character.is_alphanumeric() || "@_-+".contains(character);
    text.char_indices().filter_map(move |(start, _)| {
        let end = start + word.len();
        let same = text.get(start..end).is_some_and(|part| part.eq_ignore_ascii_case(word));
        let before = text.get(..start).and_then(|before| before.chars().next_back());
        let after = text.get(end..).and_then(|after| after.chars().next());
        let alone =
            !before.is_some_and(|before| is_part(before) || before == '.') && !after.is_some_and(is_part);
        (same && alone).then_some(start..end)
    })
}

/// Whether a short name goes on as a longer one: `@alice.smith` is not `@alice`, but `@alice.` is.
fn goes_on(text: &str, place: &Range<usize>) -> bool {
    let mut rest = text.get(place.end..).unwrap_or_default().chars();
    rest.next() == Some('.') && rest.next().is_some_and(char::is_alphanumeric)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_only_where_it_stands_for_itself() {
        let alice: Account = "alice@acme.test".parse().expect("an account");
        for text in [
            "@alice",
            "hi @Alice, are you there?",
            "(@alice)",
            "ask ALICE@acme.test!",
            "@alice.",
            "x\n@alice\ny",
            "日本 @alice 語",
            "@alice@acme.test",
        ] {
            assert_eq!(mentions(text, &alice).len(), 1, "{text}");
        }
        for text in [
            "alice",
            "@alicea",
            "@alice-b",
            "@alice.smith",
            "@alice@umbrella.test",
            "bob+alice@acme.test",
            "malice@acme.test",
            "x@alice",
            "",
            "@",
            "日本@alice",
        ] {
            assert_eq!(mentions(text, &alice), [], "{text}");
        }
        let twice = mentions("@alice and alice@acme.test", &alice);
        assert_eq!(twice, [0..6, 11..26]);
    }
}
