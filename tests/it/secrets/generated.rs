//! Secrets as services and people make them, the same in every run.

const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const DIGITS: &str = "0123456789";

/// A small generator of numbers (xorshift), so that a failure can be seen again.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or_default() % limit
    }

    fn of(&mut self, alphabet: &str, length: usize) -> String {
        let letters: Vec<char> = alphabet.chars().collect();
        (0..length)
            .map(|_| letters[self.below(letters.len())])
            .collect()
    }

    fn mixed(&mut self, length: usize) -> String {
        let all = format!("{LETTERS}{DIGITS}");
        // Letters and digits for certain: a token of letters alone is luck.
        format!(
            "{}{}{}",
            self.of("QXZ", 1),
            self.of("23456789", 1),
            self.of(&all, length - 2)
        )
    }

    fn hex(&mut self, length: usize) -> String {
        self.of("0123456789abcdef", length)
    }
}

/// Bearer tokens and keys, among them the published shapes. Shapes are put together here, so that
/// no scanner takes this file for a leak.
pub(super) fn tokens(random: &mut Random) -> Vec<String> {
    let upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let url_safe = format!("{LETTERS}{DIGITS}-_");
    let standard = format!("{LETTERS}{DIGITS}+/");
    let jwt = format!(
        "{}{}.{}.{}",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6",
        "IkpXVCJ9",
        base64(format!("{{\"sub\":\"{}\",\"exp\":1795207942}}", random.hex(12)).as_bytes())
            .trim_end_matches('='),
        random.of(&url_safe, 43),
    );
    vec![
        jwt,
        random.hex(32),
        random.hex(40),
        random.hex(64),
        random.mixed(24),
        format!("{}{}", random.mixed(10), random.of(&url_safe, 33)),
        format!("{}{}==", random.mixed(12), random.of(&standard, 30)),
        format!("{}{}", "AKIA", random.of(upper, 16)),
        format!("{}{}", "ASIA", random.of(upper, 16)),
        format!("{}{}", "ghp_", random.mixed(36)),
        format!("{}{}", "ghs_", random.mixed(36)),
        format!("{}{}_{}", "github_pat_", random.mixed(22), random.mixed(59)),
        format!("{}{}", "glpat-", random.mixed(20)),
        format!(
            "{}{}-{}-{}",
            "xoxb-",
            random.of(DIGITS, 12),
            random.of(DIGITS, 12),
            random.mixed(24)
        ),
        format!("{}{}", "sk_live_", random.mixed(24)),
        format!("{}{}", "rk_live_", random.mixed(24)),
        format!("{}{}", "whsec_", random.mixed(32)),
        format!("{}{}", "sk-proj-", random.mixed(48)),
        format!("{}{}", "AIza", random.mixed(35)),
        format!("{}{}", "npm_", random.mixed(36)),
        format!("{}{}.{}", "SG.", random.mixed(22), random.mixed(43)),
    ]
}

/// Random letters and digits.
pub(super) fn words(random: &mut Random) -> Vec<String> {
    vec![random.mixed(24), random.mixed(32), random.hex(24)]
}

/// Passwords of letters, digits and what keyboards offer beside them.
pub(super) fn passwords(random: &mut Random) -> Vec<String> {
    vec![
        random.mixed(12),
        random.mixed(20),
        random.hex(32),
        format!(
            "{}-{}-{}",
            random.of("bcdfghjk", 6),
            random.of("lmnpqrst", 7),
            random.mixed(5)
        ),
        format!("{}_{}!", random.mixed(6), random.mixed(5)),
        format!("Winter{}!{}", random.of(DIGITS, 4), random.mixed(4)),
    ]
}

/// Passwords with the characters that end values in one format or another, `allowed` of them.
pub(super) fn odd_passwords(random: &mut Random, allowed: &str) -> Vec<String> {
    (0..12)
        .map(|number| {
            let mut password = random.mixed(4);
            for _ in 0..=number % 4 {
                password.push_str(&random.of(allowed, 1));
                password.push_str(&random.mixed(3 + number % 3));
            }
            password
        })
        .collect()
}

/// What stands before the @ of an address.
pub(super) fn mailboxes(random: &mut Random) -> Vec<String> {
    vec![
        format!("{}.{}", random.of("abcdefgh", 5), random.of("lmnopqrst", 8)),
        format!("{}{}", random.of("abcdefgh", 7), random.of(DIGITS, 3)),
        format!("{}+{}", random.of("abcdefgh", 6), random.of("lmnopqrst", 6)),
    ]
}

/// Base64 with padding.
pub(super) fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let byte = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let all = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let six = (all >> (18 - 6 * place)) & 63;
            out.push(if place > chunk.len() {
                '='
            } else {
                char::from(ALPHABET[six as usize])
            });
        }
    }
    out
}
