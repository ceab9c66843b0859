//! Secrets in every format's usual places are gone, in every encoding; what diagnoses stays.

mod generated;
mod places;

use wsdoctor::engine::redact::redact;

use generated::{Random, base64, mailboxes, odd_passwords, passwords, tokens, words};
use places::{FORMATS, HARMLESS};

/// Characters that passwords have and that end a value in one format or another.
const ODD: &str = "!#$%&()*+,-./:;<=>?@[]^_{|}~\"'\\ äß€";
/// Those that can stand in a value without quotes or escapes.
const ODD_BARE: &str = "!#$%&*+,-./:;=?@^_~()[]{}|";
/// Those that a shell leaves alone.
const ODD_SHELL: &str = "!#%*+,-./:=?@^_~";
/// At least this share of odd passwords must go whole.
const ODD_RATE: f64 = 0.98;

/// A secret's place in a line: what kind of secret, and how it is written there.
struct Hole<'a> {
    before: &'a str,
    kind: &'a str,
    encoding: &'a str,
}

/// The parts of a line: holes, each with the text before it, and the rest.
fn holes(line: &str) -> (Vec<Hole<'_>>, &str) {
    let mut found = Vec::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('⟦') {
        let (hole, after) = after.split_once('⟧').expect("a closed hole");
        let (kind, encoding) = hole.split_once(':').unwrap_or((hole, "plain"));
        found.push(Hole {
            before,
            kind,
            encoding,
        });
        rest = after;
    }
    (found, rest)
}

fn percent_encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

fn json(text: &str) -> String {
    let quoted = serde_json::to_string(text).expect("a string");
    quoted[1..quoted.len() - 1].to_owned()
}

fn html(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

fn written(secret: &str, encoding: &str) -> String {
    match encoding {
        "plain" => secret.to_owned(),
        "json" => json(secret),
        "nested" => json(&json(secret)),
        "url" => percent_encoded(secret),
        "twice" => percent_encoded(&percent_encoded(secret)),
        "html" | "xml" => html(secret),
        "base64" => base64(secret.as_bytes()),
        "basic" => base64(format!("bob:{secret}").as_bytes()),
        "sasl" => base64(format!("\0bob\0{secret}").as_bytes()),
        "hex" => secret.bytes().map(|byte| format!("{byte:02x}")).collect(),
        other => panic!("no such encoding: {other}"),
    }
}

/// What is wrong with the redaction of a line with this secret in it, if anything.
fn fault(frame: &str, line: &str, secret: &str) -> Option<String> {
    let (holes, rest) = holes(line);
    let mut filled = String::new();
    for hole in &holes {
        filled.push_str(hole.before);
        filled.push_str(&written(secret, hole.encoding));
    }
    filled.push_str(rest);
    let text = frame.replace("⟦line⟧", &filled);
    let redacted = redact(&text).text;
    if redact(&redacted).text != redacted {
        return Some(format!("redacted twice: {filled}"));
    }
    for encoding in [
        "plain", "json", "nested", "url", "twice", "html", "base64", "hex",
    ] {
        let form = written(secret, encoding);
        let form = form.trim_end_matches('=');
        // No piece of it either: what is cut off a value's end is still half a password.
        let letters: Vec<char> = form.chars().collect();
        let piece = letters
            .windows(6.min(letters.len()))
            .map(|window| window.iter().collect::<String>())
            .find(|piece| {
                redacted.contains(piece) && !frame.contains(piece) && !line.contains(piece)
            });
        if let Some(piece) = piece {
            let shown = redacted.lines().find(|line| line.contains(&piece));
            return Some(format!(
                "{encoding} survives: {filled}\n      -> {}",
                shown.unwrap_or(&piece)
            ));
        }
    }
    // What stands around the secret is still there, in its order.
    let mut at = 0;
    let (before, after) = frame.split_once("⟦line⟧").expect("a frame");
    let kept = std::iter::once(before)
        .chain(holes.iter().map(|hole| hole.before))
        .chain([rest, after]);
    for part in kept {
        match redacted[at..].find(part) {
            Some(found) => at += found + part.len(),
            None => {
                let changed: Vec<&str> = redacted
                    .lines()
                    .filter(|line| !text.contains(line))
                    .collect();
                return Some(format!("{part:?} is gone: {filled}\n      -> {changed:?}"));
            }
        }
    }
    None
}

/// Counts how many secrets went, and keeps what did not.
#[derive(Default)]
struct Tally {
    tried: usize,
    faults: Vec<String>,
}

impl Tally {
    fn add(&mut self, format: &str, fault: Option<String>) {
        self.tried += 1;
        self.faults
            .extend(fault.map(|fault| format!("{format}: {fault}")));
    }

    fn rate(&self) -> f64 {
        1.0 - self.faults.len() as f64 / self.tried as f64
    }

    #[expect(
        clippy::print_stdout,
        reason = "the rate is asked for with --nocapture"
    )]
    fn print(&self, name: &str) {
        println!("{name}: {:.2} % of {}", self.rate() * 100.0, self.tried);
    }
}

#[test]
fn secrets_in_their_usual_places_are_gone() {
    let mut usual = Tally::default();
    let mut odd = Tally::default();
    let mut seed = 0;
    for format in FORMATS {
        for line in format.lines {
            seed += 1;
            let random = &mut Random::new(seed);
            let (holes, _) = holes(line);
            let hole = holes.first().expect("a secret's place");
            let secrets = match hole.kind {
                "token" => tokens(random),
                "password" => passwords(random),
                "word" => words(random),
                "mailbox" => mailboxes(random),
                other => panic!("no such kind: {other}"),
            };
            for secret in secrets {
                usual.add(format.name, fault(format.frame, line, &secret));
            }
            if hole.kind == "password" {
                let allowed = match (hole.encoding, format.name) {
                    ("plain", "command line") => ODD_SHELL,
                    ("plain", _) => ODD_BARE,
                    _ => ODD,
                };
                for secret in odd_passwords(random, allowed) {
                    odd.add(format.name, fault(format.frame, line, &secret));
                }
            }
        }
    }
    usual.print("usual places");
    odd.print("odd passwords");
    assert!(usual.faults.is_empty(), "{}", usual.faults.join("\n"));
    assert!(odd.rate() >= ODD_RATE, "{}", odd.faults.join("\n"));
}

#[test]
fn what_diagnoses_stays() {
    let mut faults = Vec::new();
    for format in FORMATS {
        let frame = format.frame.replace("⟦line⟧", "");
        for harmless in HARMLESS {
            let text = format!("{harmless}\n{frame}\n{harmless}\n");
            let redacted = redact(&text).text;
            if redacted != text {
                faults.push(format!("{}: {harmless}\n{redacted}", format.name));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_secret_is_gone_from_the_whole_text() {
    let random = &mut Random::new(7);
    for secret in tokens(random)
        .into_iter()
        .chain(passwords(random))
        .chain(odd_passwords(random, ODD))
    {
        let forms: Vec<String> = [
            "plain", "json", "url", "twice", "html", "base64", "basic", "hex",
        ]
        .iter()
        .map(|encoding| written(&secret, encoding))
        .collect();
        let text = format!(
            "{{\"password\":\"{}\"}}\nseen: {}\n",
            json(&secret),
            forms.join(" | ")
        );
        let redacted = redact(&text).text;
        for form in &forms {
            assert!(!redacted.contains(form), "{form} in {redacted}");
        }
    }
}

#[test]
fn secrets_that_a_terminal_wrapped_are_gone() {
    let random = &mut Random::new(11);
    for secret in tokens(random)
        .into_iter()
        .filter(|secret| secret.len() > 40)
    {
        for before in [
            "Authorization: Bearer ",
            "> Cookie: theme=dark; session=",
            "API_TOKEN=",
        ] {
            let line = format!("{before}{secret}");
            let (head, tail) = line.split_at(80.min(line.len() - 6));
            let text = format!("{head}\n{tail}\nHost: app.example\n");
            let redacted = redact(&text).text;
            if head.len() == 80 {
                assert!(!redacted.contains(tail), "{text} -> {redacted}");
            }
            assert!(redacted.ends_with("\nHost: app.example\n"), "{redacted}");
        }
    }
}
