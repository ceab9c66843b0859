//! How long people say that something takes: "about a minute", "1m40s", "half an hour", "nach 5
//! Minuten".

/// Numbers that people write as words, in English, German, French and Spanish.
const NUMBERS: &[(&str, f64)] = &[
    ("a", 1.0),
    ("an", 1.0),
    ("one", 1.0),
    ("two", 2.0),
    ("couple", 2.0),
    ("three", 3.0),
    ("few", 3.0),
    ("four", 4.0),
    ("five", 5.0),
    ("six", 6.0),
    ("seven", 7.0),
    ("eight", 8.0),
    ("nine", 9.0),
    ("ten", 10.0),
    ("twelve", 12.0),
    ("fifteen", 15.0),
    ("twenty", 20.0),
    ("thirty", 30.0),
    ("forty", 40.0),
    ("forty-five", 45.0),
    ("fifty", 50.0),
    ("sixty", 60.0),
    ("ninety", 90.0),
    ("hundred", 100.0),
    ("half", 0.5),
    ("ein", 1.0),
    ("eine", 1.0),
    ("einer", 1.0),
    ("einem", 1.0),
    ("zwei", 2.0),
    ("drei", 3.0),
    ("vier", 4.0),
    ("fünf", 5.0),
    ("zehn", 10.0),
    ("zwanzig", 20.0),
    ("dreißig", 30.0),
    ("dreissig", 30.0),
    ("sechzig", 60.0),
    ("hundert", 100.0),
    ("halbe", 0.5),
    ("halben", 0.5),
    ("anderthalb", 1.5),
    ("un", 1.0),
    ("une", 1.0),
    ("deux", 2.0),
    ("trois", 3.0),
    ("quatre", 4.0),
    ("cinq", 5.0),
    ("dix", 10.0),
    ("quinze", 15.0),
    ("vingt", 20.0),
    ("trente", 30.0),
    ("soixante", 60.0),
    ("cent", 100.0),
    ("demi", 0.5),
    ("demie", 0.5),
    ("demi-heure", 0.5),
    ("una", 1.0),
    ("uno", 1.0),
    ("dos", 2.0),
    ("tres", 3.0),
    ("cuatro", 4.0),
    ("cinco", 5.0),
    ("diez", 10.0),
    ("veinte", 20.0),
    ("treinta", 30.0),
    ("sesenta", 60.0),
    ("cien", 100.0),
    ("medio", 0.5),
    ("media", 0.5),
];

/// Units by how they begin, and their seconds. Longer beginnings come first.
const UNITS: &[(&str, f64)] = &[
    ("millisec", 0.001),
    ("ms", 0.001),
    ("min", 60.0),
    ("mn", 60.0),
    ("sec", 1.0),
    ("sek", 1.0),
    ("seg", 1.0),
    ("std", 3600.0),
    ("stunde", 3600.0),
    ("demi-heure", 3600.0),
    ("heure", 3600.0),
    ("hora", 3600.0),
    ("hour", 3600.0),
    ("hr", 3600.0),
    ("day", 86400.0),
    ("tag", 86400.0),
    ("jour", 86400.0),
    ("día", 86400.0),
    ("dia", 86400.0),
];

/// Units of a single letter.
const LETTERS: &[(&str, f64)] = &[("s", 1.0), ("m", 60.0), ("h", 3600.0), ("d", 86400.0)];

/// How many seconds the words say; `None` if they name no duration. Of a range, its end.
pub fn seconds(words: &str) -> Option<f64> {
    let mut total = None;
    let mut number: Option<f64> = None;
    let mut last_unit = 0.0;
    let pieces = pieces(words);
    for piece in pieces.iter().map(String::as_str) {
        if let Some(value) = number_of(piece) {
            // "half an hour", "a couple of minutes", "one and a half minutes"
            number = Some(match (piece, number) {
                ("a" | "an" | "une" | "una" | "eine", Some(half)) => half,
                ("half", Some(whole)) if whole >= 1.0 && whole.fract() == 0.0 => whole + 0.5,
                _ => value,
            });
        } else if let Some(unit) = unit_of(piece) {
            let value = number
                .take()
                .or_else(|| (piece == "demi-heure").then_some(0.5))?;
            total = Some(total.unwrap_or(0.0) + value * unit);
            last_unit = unit;
        }
    }
    // "a minute and a half"
    let ends_with_half = pieces.last().is_some_and(|piece| piece == "half");
    let rest = if ends_with_half { last_unit / 2.0 } else { 0.0 };
    // To the millisecond, so that decimal fractions stay what was written.
    total.map(|total| ((total + rest) * 1000.0).round() / 1000.0)
}

/// Numbers and words apart, also where they are written together: "1m40s".
fn pieces(words: &str) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    let mut kind = None;
    for letter in words.chars().flat_map(char::to_lowercase) {
        let of_letter = match letter {
            '0'..='9' | '.' | ',' => Some(true),
            '-' if kind == Some(false) => Some(false),
            _ if letter.is_alphabetic() => Some(false),
            _ => None,
        };
        match (of_letter, pieces.last_mut()) {
            (Some(_), Some(last)) if kind == of_letter => last.push(letter),
            (Some(_), _) => pieces.push(letter.into()),
            (None, _) => {}
        }
        kind = of_letter;
    }
    // "two-hour" is two words, "forty-five" is one.
    let is_one = |piece: &str| number_of(piece).is_some() || unit_of(piece).is_some();
    pieces
        .iter()
        .flat_map(|piece| match is_one(piece) {
            true => vec![piece.clone()],
            false => piece.split('-').map(str::to_owned).collect(),
        })
        .collect()
}

fn number_of(piece: &str) -> Option<f64> {
    let piece = piece.trim_end_matches('-');
    if piece.starts_with(|letter: char| letter.is_ascii_digit()) {
        return piece
            .trim_end_matches(['.', ','])
            .replace(',', ".")
            .parse()
            .ok();
    }
    NUMBERS
        .iter()
        .find(|(word, _)| *word == piece)
        .map(|(_, value)| *value)
}

fn unit_of(piece: &str) -> Option<f64> {
    let letter = LETTERS.iter().find(|(letter, _)| *letter == piece);
    letter
        .or_else(|| {
            UNITS
                .iter()
                .find(|(beginning, _)| piece.starts_with(beginning))
        })
        .map(|(_, seconds)| *seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_in_words_and_figures() {
        for (words, expected) in [
            ("60s", 60.0),
            ("60 seconds", 60.0),
            ("about a minute", 60.0),
            ("1m40s", 100.0),
            ("1 min 40 sec", 100.0),
            ("2 mins", 120.0),
            ("half an hour", 1800.0),
            ("half a minute", 30.0),
            ("a couple of seconds", 2.0),
            ("a minute and a half", 90.0),
            ("one and a half minutes", 90.0),
            ("5 Minuten", 300.0),
            ("einer Minute", 60.0),
            ("une minute", 60.0),
            ("cinq minutes", 300.0),
            ("dos horas", 7200.0),
            ("sixty seconds", 60.0),
            ("30-60 seconds", 60.0),
            ("10 to 15 minutes", 900.0),
            ("1.5 hours", 5400.0),
            ("350ms", 0.35),
            ("half hour", 1800.0),
            ("24 hours", 86400.0),
            ("30-second", 30.0),
            ("two-hour", 7200.0),
            ("100 sec.", 100.0),
        ] {
            assert_eq!(seconds(words), Some(expected), "{words}");
        }
        for words in ["", "a while", "some time", "minutes", "3", "the half"] {
            assert_eq!(seconds(words), None, "{words}");
        }
    }
}
