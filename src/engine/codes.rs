//! Codes as people write them: alone, with the word for their kind before them, or several together.

use super::graph::{Code, Graph};

/// More codes than this are not written together.
const MOST_PARTS: usize = 6;

/// Words before a number that only say what kind of number it is.
const KINDS: &[&str] = &[
    "close",
    "code",
    "error",
    "errno",
    "exit",
    "flag",
    "flags",
    "http",
    "response",
    "state",
    "status",
    "websocket",
    "ws",
];

impl Graph {
    /// The codes that are meant: `1006`, `close code 1006`, `HTTP 502`, Envoy's flags `UF,URX`, IIS'
    /// status, sub-status and Windows error `502 3 12002`. None if any part of it is not known.
    pub fn codes_meant(&self, written: &str) -> Vec<&Code> {
        let whole: Vec<&Code> = self.codes(written.trim()).collect();
        if !whole.is_empty() {
            return whole;
        }
        let parts: Vec<&str> = written
            .split(|letter: char| letter.is_whitespace() || ",/|+:".contains(letter))
            .filter(|part| !part.is_empty() && !is_kind(part))
            .take(MOST_PARTS + 1)
            .collect();
        if parts.is_empty() || parts.len() > MOST_PARTS {
            return Vec::new();
        }
        let mut meant = Vec::new();
        let mut rest = parts.as_slice();
        while let Some((first, others)) = rest.split_first() {
            // Windows' error 0 says that there was none.
            if *first == "0" && !meant.is_empty() {
                rest = others;
                continue;
            }
            let (found, left) = self.first_of(first, others);
            if found.is_empty() {
                return Vec::new();
            }
            meant.extend(found);
            rest = left;
        }
        meant
    }

    /// The codes of the first part, or of the first two as a status with its sub-status.
    fn first_of<'p>(&self, first: &str, others: &'p [&'p str]) -> (Vec<&Code>, &'p [&'p str]) {
        if let Some((second, left)) = others.split_first() {
            let together: Vec<&Code> = self.codes(&format!("{first}.{second}")).collect();
            if !together.is_empty() {
                return (together, left);
            }
        }
        (self.codes(first).collect(), others)
    }
}

fn is_kind(part: &str) -> bool {
    KINDS.iter().any(|kind| part.eq_ignore_ascii_case(kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph() -> Graph {
        let code = |id: &str, family: &str| Code {
            id: id.to_owned(),
            family: family.to_owned(),
            title: id.to_owned(),
            text: String::new(),
            causes: Vec::new(),
            references: Vec::new(),
            group: String::new(),
        };
        Graph {
            codes: vec![
                code("1006", "close"),
                code("502", "http"),
                code("502.3", "iis"),
                code("12002", "windows"),
                code("UF", "envoy"),
                code("URX", "envoy"),
            ],
            ..Graph::default()
        }
    }

    fn meant(written: &str) -> Vec<String> {
        let graph = graph();
        let codes = graph.codes_meant(written);
        codes.into_iter().map(|code| code.id.clone()).collect()
    }

    #[test]
    fn a_word_for_the_kind_may_come_first() {
        assert_eq!(meant(" 1006 "), ["1006"]);
        assert_eq!(meant("close code 1006"), ["1006"]);
        assert_eq!(meant("HTTP 502"), ["502"]);
        assert_eq!(meant("WebSocket close code: 1006"), ["1006"]);
    }

    #[test]
    fn codes_may_stand_together() {
        assert_eq!(meant("UF,URX"), ["UF", "URX"]);
        assert_eq!(meant("502 3 12002"), ["502.3", "12002"]);
        assert_eq!(meant("502 3 0"), ["502.3"]);
        assert_eq!(meant("1006/502"), ["1006", "502"]);
    }

    #[test]
    fn what_is_unknown_in_part_is_unknown() {
        for written in ["", "code", "UF,NEVER", "1 2 3 4 5 6 7 8", "hello world"] {
            assert!(meant(written).is_empty(), "{written}");
        }
    }
}
