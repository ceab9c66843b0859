//! Numbers that look like chance and are the same every time, for bands and simulations.

/// A small generator (SplitMix64, Steele, Lea & Flood 2014); the same seed gives the same numbers on
/// every machine.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// A generator that starts at `seed`.
    pub fn new(seed: u64) -> Self {
        Dice(seed)
    }

    fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to less than 1.
    pub fn share(&mut self) -> f64 {
        (self.number() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A factor from `1 / most` to `most`, as often below 1 as above.
    pub fn factor(&mut self, most: f64) -> f64 {
        most.powf(2.0 * self.share() - 1.0)
    }

    /// A position, as likely as its weight; `None` where all weights are 0.
    pub fn pick(&mut self, weights: &[f64]) -> Option<usize> {
        let mut left = self.share() * weights.iter().sum::<f64>();
        let last = weights.iter().rposition(|weight| *weight > 0.0)?;
        for (position, weight) in weights.iter().enumerate() {
            left -= weight;
            if left < 0.0 {
                return Some(position);
            }
        }
        Some(last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_numbers() {
        let numbers = |seed| {
            let mut dice = Dice::new(seed);
            (0..50).map(|_| dice.share()).collect::<Vec<f64>>()
        };
        assert_eq!(numbers(7), numbers(7));
        assert_ne!(numbers(7), numbers(8));
        assert!(numbers(7).iter().all(|share| (0.0..1.0).contains(share)));
    }

    #[test]
    fn weights_decide_what_is_picked() {
        let mut dice = Dice::new(1);
        assert_eq!(dice.pick(&[0.0, 0.0]), None);
        let picked: Vec<usize> = (0..1000)
            .filter_map(|_| dice.pick(&[0.0, 3.0, 1.0]))
            .collect();
        assert_eq!(picked.len(), 1000);
        let first = picked.iter().filter(|place| **place == 1).count();
        assert!((700..800).contains(&first), "{first}");
        assert!(!picked.contains(&0));
    }
}
