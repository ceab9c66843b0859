//! The few greatest of many.

/// The positions with the greatest keys, greatest first, `most` of them at most. Of equal keys the
/// earlier position comes first.
pub(super) fn greatest(keys: impl Iterator<Item = (u64, usize)>, most: usize) -> Vec<usize> {
    // One number to compare needs no branch that a processor would have to foresee.
    let mut packed: Vec<u128> = Vec::with_capacity(keys.size_hint().1.unwrap_or_default());
    packed.extend(keys.map(|(key, position)| u128::from(!key) << 64 | position as u128));
    if packed.len() > most {
        packed.select_nth_unstable(most);
        packed.truncate(most);
    }
    packed.sort_unstable();
    packed
        .iter()
        .map(|packed| *packed as u64 as usize)
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::greatest;

    proptest! {
        #[test]
        fn the_greatest_come_first_and_of_equals_the_earlier(
            keys in prop::collection::vec(0_u64..20, 0..60),
            most in 1_usize..30,
        ) {
            let mut order: Vec<usize> = (0..keys.len()).collect();
            order.sort_by_key(|position| std::cmp::Reverse(keys[*position]));
            order.truncate(most);
            let numbered = keys.iter().copied().zip(0..);
            prop_assert_eq!(greatest(numbered, most), order);
        }
    }
}
