//! Codes as people write them: alone, with the word for their kind before them, or several together.

use super::graph::{Code, Graph};

/// More codes than this are not written together.
const MOST_PARTS: usize = 6;

/// Shorter words are a product's name rather than an error's.
const LEAST_NAME: usize = 12;

/// Words before a number that only say what kind of number it is.
const KINDS: &[&str] = &[
    "1.0",
    "1.1",
    "close",
    "code",
    "error",
    "errno",
    "exit",
    "flag",
    "flags",
    "http",
    "net",
    "num",
    "os",
    "reason",
    "response",
    "state",
    "status",
    "verify",
    "websocket",
    "ws",
];

impl Graph {
    /// The codes that are meant: `1006`, `close code 1006`, `HTTP 502`, `net::ERR_FAILED`, Envoy's
    /// flags `UF,URX`, IIS' status, sub-status and Windows error `502 3 12002`, `curl: (52)`,
    /// `nginx 444`, `verify error:num=20`. None if any part of it is not known.
    pub fn codes_meant(&self, written: &str) -> Vec<&Code> {
        let written = written.trim();
        let joined = written.split_whitespace().collect::<Vec<_>>().join("-");
        for id in [written, joined.as_str()] {
            let whole: Vec<&Code> = self.codes(id).collect();
            if !whole.is_empty() {
                return whole;
            }
        }
        let pieces: Vec<&str> = written
            .split(|letter: char| letter.is_whitespace() || ",/|+:=()".contains(letter))
            .filter(|part| !part.is_empty())
            .collect();
        let says = |word: &str| pieces.iter().any(|part| part.eq_ignore_ascii_case(word));
        let (is_verify, is_exit) = (says("verify"), says("exit"));
        let parts: Vec<&str> = pieces.into_iter().filter(|part| !is_kind(part)).collect();
        if parts.is_empty() || parts.len() > MOST_PARTS {
            return Vec::new();
        }
        let mut meant = Vec::new();
        let mut products = Vec::new();
        let mut rest = parts.as_slice();
        while let Some((first, others)) = rest.split_first() {
            // Windows' error 0 says that there was none.
            if *first == "0" && !meant.is_empty() {
                rest = others;
                continue;
            }
            if is_verify {
                meant.extend(self.codes_called(first, "X509_V_ERR_"));
                rest = others;
                continue;
            }
            if is_exit {
                meant.extend(self.codes(&format!("curl-{first}")));
            }
            let (found, left) = self.first_of(first, others);
            if found.is_empty() {
                products.push(first.to_ascii_lowercase());
            }
            meant.extend(found);
            rest = left;
        }
        // What is no code has to be the name of whose code it is.
        meant.retain(|code| products.iter().all(|product| code.is_of(product)));
        meant
    }

    /// The codes of the first part, or of the first two: a status with its sub-status, a program
    /// with its number.
    fn first_of<'p>(&self, first: &str, others: &'p [&'p str]) -> (Vec<&Code>, &'p [&'p str]) {
        if let Some((second, left)) = others.split_first() {
            for id in [format!("{first}.{second}"), format!("{first}-{second}")] {
                let together: Vec<&Code> = self.codes(&id).collect();
                if !together.is_empty() {
                    return (together, left);
                }
            }
        }
        let mut found: Vec<&Code> = self.codes(first).collect();
        let is_name = first.contains('_')
            || first.starts_with("0x")
            || is_negative(first)
            || (first.len() >= LEAST_NAME && first.bytes().skip(1).any(|b| b.is_ascii_uppercase()));
        if found.is_empty() && is_name {
            found = self.codes_called(first, "").collect();
        }
        (found, others)
    }

    /// The codes whose title has the name in brackets: `Apple -1004 (NSURLError...): ...`.
    fn codes_called(&self, name: &str, start: &str) -> impl Iterator<Item = &Code> {
        self.codes.iter().filter(move |code| {
            code.title.starts_with(start)
                && code.title.split_once('(').is_some_and(|(_, rest)| {
                    let inside = rest.split_once(')').map_or(rest, |(inside, _)| inside);
                    inside
                        .split([',', ' ', ':'])
                        .any(|word| word.eq_ignore_ascii_case(name))
                })
        })
    }
}

impl Code {
    /// Whether the entry names that product, given in lower case.
    fn is_of(&self, product: &str) -> bool {
        [&self.title, &self.family, &self.group]
            .iter()
            .any(|text| text.to_ascii_lowercase().contains(product))
    }
}

/// A number below zero: Chromium's and Apple's error codes.
fn is_negative(part: &str) -> bool {
    part.strip_prefix('-').is_some_and(|digits| {
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

fn is_kind(part: &str) -> bool {
    KINDS.iter().any(|kind| part.eq_ignore_ascii_case(kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph() -> Graph {
        let titled = |id: &str, family: &str, title: &str| Code {
            id: id.to_owned(),
            family: family.to_owned(),
            title: title.to_owned(),
            text: String::new(),
            causes: Vec::new(),
            references: Vec::new(),
            group: String::new(),
        };
        let code = |id: &str, family: &str| titled(id, family, id);
        Graph {
            codes: vec![
                code("1006", "close"),
                code("502", "http"),
                code("502.3", "iis"),
                code("12002", "windows"),
                code("UF", "envoy"),
                code("URX", "envoy"),
                titled("ERR_FAILED", "chromium", "ERR_FAILED (-2): it failed"),
                code("transport-close", "socket.io"),
                code("20", "errno"),
                code("52", "errno"),
                titled("curl-52", "curl", "curl (52): nothing came"),
                titled("H10", "heroku", "H10 (Heroku): crashed"),
                titled("H12", "heroku", "H12 (Heroku): too slow"),
                titled("444", "http", "444 (nginx): closed without an answer"),
                titled("-1004", "vendor", "Apple -1004 (NSURLErrorCannot): refused"),
                titled(
                    "X509_V_ERR_ISSUER",
                    "tls",
                    "X509_V_ERR_ISSUER (20): no issuer",
                ),
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
    fn whose_code_it_is_may_be_said() {
        assert_eq!(meant("net::ERR_FAILED"), ["ERR_FAILED"]);
        assert_eq!(meant("-2"), ["ERR_FAILED"]);
        assert_eq!(meant("net error -2"), ["ERR_FAILED"]);
        assert!(meant("-3").is_empty());
        assert_eq!(meant("nginx 444"), ["444"]);
        assert_eq!(meant("status 444 nginx"), ["444"]);
        assert!(meant("apache 444").is_empty());
        assert!(meant("nginx").is_empty());
        assert_eq!(meant("Heroku H12"), ["H12"]);
        assert_eq!(meant("curl: (52)"), ["curl-52"]);
        assert_eq!(meant("exit code 52"), ["curl-52", "52"]);
        assert_eq!(meant("verify error:num=20"), ["X509_V_ERR_ISSUER"]);
        assert_eq!(meant("NSURLErrorCannot"), ["-1004"]);
        assert_eq!(meant("transport close"), ["transport-close"]);
        assert_eq!(meant("code=1006"), ["1006"]);
        assert_eq!(meant("HTTP/1.1 502"), ["502"]);
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
