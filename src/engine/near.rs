//! Names that differ by little from one that is not known.

/// Longer names are cut before they are compared, in characters.
const LONGEST_NAME: usize = 80;

/// The names that are like the wanted one, nearest first, at most so many. Case does not count;
/// a name that is part of the other is as near as one letter's difference.
pub fn near_names<'a>(
    wanted: &str,
    names: impl Iterator<Item = &'a str>,
    most: usize,
) -> Vec<&'a str> {
    let wanted: String = wanted.to_lowercase().chars().take(LONGEST_NAME).collect();
    let mut found: Vec<(usize, &str)> = names
        .filter_map(|name| {
            let lower: String = name.to_lowercase().chars().take(LONGEST_NAME).collect();
            let is_part = wanted.len() >= 2 && (lower.contains(&wanted) || wanted.contains(&lower));
            let distance = if is_part {
                1
            } else {
                distance(&wanted, &lower)
            };
            (distance <= (lower.chars().count() / 4).max(1)).then_some((distance, name))
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    found.into_iter().take(most).map(|(_, name)| name).collect()
}

/// How many letters must be added, taken away or changed (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, letter) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, other) in b.iter().enumerate() {
            let changed = diagonal + usize::from(letter != *other);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{distance, near_names};

    #[test]
    fn distances() {
        assert_eq!(distance("econrefused", "econnrefused"), 1);
        assert_eq!(distance("", "abc"), 3);
    }

    #[test]
    fn near_names_are_offered_and_far_ones_are_not() {
        let names = ["1006", "1005", "ECONNREFUSED", "ECONNRESET", "400"];
        assert_eq!(
            near_names("econrefused", names.into_iter(), 3),
            ["ECONNREFUSED"]
        );
        assert_eq!(near_names("1007", names.into_iter(), 1), ["1005"]);
        assert!(near_names("printer", names.into_iter(), 3).is_empty());
    }
}
