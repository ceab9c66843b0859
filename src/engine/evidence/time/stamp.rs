//! Times at the beginning of lines.

/// A moment: a day, if it is told, and the second of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in super::super) struct Stamp {
    /// Days since 1970; months without a year are counted from 1970.
    day: Option<i64>,
    second: f64,
}

impl Stamp {
    /// Seconds since an earlier moment of the same clock; without days, midnight may lie between.
    pub(super) fn since(self, earlier: Stamp) -> Option<f64> {
        let seconds = self.second - earlier.second;
        match (self.day, earlier.day) {
            (Some(day), Some(before)) => Some(seconds + (day - before) as f64 * 86_400.0),
            (None, None) if seconds < -43_200.0 => Some(seconds + 86_400.0),
            (None, None) => Some(seconds),
            _ => None,
        }
    }
}

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// Seconds since 1970 of `2026-10-11T18:02:44.123456Z`, its zone left aside.
pub(in super::super) fn iso_seconds(words: &str) -> Option<f64> {
    let mut reader = Reader { rest: words };
    let stamp = reader.dated()?;
    Some(stamp.day? as f64 * 86_400.0 + stamp.second)
}

/// The time at the beginning of a line, and how many bytes it and what surrounds it take.
pub(super) fn stamp_of(line: &str) -> Option<(Stamp, usize)> {
    let start = line.trim_start_matches([' ', '\t', '[', '(', '\u{feff}', '>', '|']);
    let mut reader = Reader { rest: start };
    if start.starts_with('{') {
        return in_json(start).map(|stamp| (stamp, line.len() - start.len()));
    }
    let stamp = reader.any().or_else(|| {
        let behind = behind_name(start)?;
        reader = Reader { rest: behind };
        reader.any()
    })?;
    let rest = reader
        .rest
        .trim_start_matches(['Z', ']', ')', ':', ',', ' ', '|', '-', '>', '\t']);
    Some((stamp, line.len() - rest.len()))
}

/// What stands behind `app-1  | ` or `0|app  | `.
fn behind_name(line: &str) -> Option<&str> {
    let (name, rest) = line.split_once(" | ")?;
    let is_name = name.len() < 40
        && name
            .trim_end()
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.|".contains(&byte));
    is_name.then(|| rest.trim_start_matches([' ', '[', '(']))
}

/// The time of a line of JSON.
fn in_json(line: &str) -> Option<Stamp> {
    ["\"time\":", "\"timestamp\":", "\"ts\":", "\"@timestamp\":"]
        .iter()
        .find_map(|key| {
            let at = memchr::memmem::find(line.as_bytes(), key.as_bytes())?;
            let rest = line.get(at + key.len()..)?.trim_start_matches([' ', '"']);
            Reader { rest }.any()
        })
}

/// Reads numbers from the beginning of a text.
struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn any(&mut self) -> Option<Stamp> {
        let first = *self.rest.as_bytes().first()?;
        if first.is_ascii_alphabetic() {
            return self.syslog();
        }
        if !first.is_ascii_digit() {
            return None;
        }
        let digits = self.digits_ahead();
        let next = self.rest.as_bytes().get(digits).copied();
        match (digits, next) {
            (4, Some(b'-' | b'/')) => self.dated(),
            (13 | 10, Some(b'.' | b' ' | b',' | b']' | b'}' | b'\t')) => self.epoch(digits),
            (1 | 2, Some(b':')) => Some(Stamp {
                day: None,
                second: self.clock()?,
            }),
            (1 | 2, Some(b'/' | b'.')) => self.numbered(),
            (2, Some(b'-')) => self.logcat(),
            _ => None,
        }
    }

    fn digits_ahead(&self) -> usize {
        self.rest
            .bytes()
            .take_while(u8::is_ascii_digit)
            .take(20)
            .count()
    }

    fn number(&mut self) -> Option<i64> {
        let digits = self.digits_ahead();
        let number = self.rest.get(..digits)?.parse().ok()?;
        self.rest = self.rest.get(digits..)?;
        Some(number)
    }

    fn mark(&mut self, marks: &[char]) -> Option<()> {
        self.rest = self.rest.strip_prefix(marks)?;
        Some(())
    }

    /// `18:02:44`, `18:02:44.123`, `6:02:44 PM`; seconds of the day.
    fn clock(&mut self) -> Option<f64> {
        let hour = self.number().filter(|hour| *hour < 24)?;
        self.mark(&[':'])?;
        let minute = self.number().filter(|minute| *minute < 60)?;
        self.mark(&[':'])?;
        let second = self.number().filter(|second| *second < 61)?;
        let fraction = self.fraction();
        let after = self.rest.trim_start_matches([' ', '\u{202f}']);
        let is_later = after.starts_with("PM") || after.starts_with("pm");
        let is_earlier = after.starts_with("AM") || after.starts_with("am");
        let hour = match (is_later, is_earlier, hour) {
            (true, _, 1..12) => hour + 12,
            (_, true, 12) => 0,
            _ => hour,
        };
        if is_later || is_earlier {
            self.rest = after.get(2..)?;
        }
        Some((hour * 3600 + minute * 60 + second) as f64 + fraction)
    }

    fn fraction(&mut self) -> f64 {
        let Some(rest) = self.rest.strip_prefix(['.', ',']) else {
            return 0.0;
        };
        let digits = rest.bytes().take_while(u8::is_ascii_digit).take(9).count();
        let Some(number) = rest.get(..digits).filter(|_| digits > 0) else {
            return 0.0;
        };
        self.rest = rest.get(digits..).unwrap_or_default();
        format!("0.{number}").parse().unwrap_or(0.0)
    }

    /// `2026-10-11T18:02:44`, `2026-10-11 18:02:44,123`, `2026/10/11 18:02:44`.
    fn dated(&mut self) -> Option<Stamp> {
        let year = self.number().filter(|year| (1970..3000).contains(year))?;
        self.mark(&['-', '/'])?;
        let month = self.number()?;
        self.mark(&['-', '/'])?;
        let day = self.number()?;
        self.mark(&['T', ' ', '\t'])?;
        let second = self.clock()?;
        self.zone();
        Some(Stamp {
            day: Some(days(year, month, day)?),
            second,
        })
    }

    /// Passes over a zone, which is the same in all lines of a log.
    fn zone(&mut self) {
        let rest = self.rest.strip_prefix('Z').unwrap_or(self.rest);
        let behind = rest.trim_start_matches(' ');
        let is_zone = behind.starts_with(['+', '-'])
            && behind
                .get(1..5)
                .is_some_and(|zone| zone.bytes().filter(u8::is_ascii_digit).count() >= 3);
        self.rest = if is_zone {
            behind.get(1..).map_or(rest, |zone| {
                zone.trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == ':')
            })
        } else {
            rest
        };
    }

    /// `Oct 11 18:02:44`, `Sun Oct 11 18:02:44 2026`.
    fn syslog(&mut self) -> Option<Stamp> {
        if let Some((_, rest)) = self
            .rest
            .split_once(' ')
            .filter(|(day, _)| ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].contains(day))
        {
            self.rest = rest;
        }
        let month = self.month()?;
        self.rest = self.rest.trim_start_matches(' ');
        let day = self.number()?;
        self.mark(&[' '])?;
        let second = self.clock()?;
        Some(Stamp {
            day: Some(days(1970, month, day)?),
            second,
        })
    }

    fn month(&mut self) -> Option<i64> {
        let name = self.rest.get(..3)?;
        let month = MONTHS.iter().position(|month| *month == name)?;
        self.rest = self.rest.get(3..)?;
        i64::try_from(month + 1).ok()
    }

    /// `11/Oct/2026:18:02:44 +0000`, `10/11/2026, 6:02:44 PM`, `11.10.2026 18:02:44`. Which of two
    /// numbers is the month is not known, so the day is not.
    fn numbered(&mut self) -> Option<Stamp> {
        let day = self.number()?;
        self.mark(&['/', '.'])?;
        if self
            .rest
            .starts_with(|letter: char| letter.is_ascii_alphabetic())
        {
            let month = self.month()?;
            self.mark(&['/'])?;
            let year = self.number()?;
            self.mark(&[':', ' '])?;
            let second = self.clock()?;
            self.zone();
            return Some(Stamp {
                day: Some(days(year, month, day)?),
                second,
            });
        }
        self.number()?;
        self.mark(&['/', '.'])?;
        self.number()?;
        self.rest = self.rest.trim_start_matches([',', ' ']);
        Some(Stamp {
            day: None,
            second: self.clock()?,
        })
    }

    /// Android's `10-11 18:02:44.123`.
    fn logcat(&mut self) -> Option<Stamp> {
        let month = self.number()?;
        self.mark(&['-'])?;
        let day = self.number()?;
        self.mark(&[' '])?;
        let second = self.clock()?;
        Some(Stamp {
            day: Some(days(1970, month, day)?),
            second,
        })
    }

    /// Seconds or milliseconds since 1970.
    fn epoch(&mut self, digits: usize) -> Option<Stamp> {
        let number = self.number()?;
        let (seconds, rest) = if digits == 13 {
            (number / 1000, (number % 1000) as f64 / 1000.0)
        } else {
            (number, self.fraction())
        };
        // From 2001 on.
        (seconds > 1_000_000_000).then_some(Stamp {
            day: Some(seconds / 86_400),
            second: (seconds % 86_400) as f64 + rest,
        })
    }
}

/// Days since 1970 in the Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || !(1900..3000).contains(&year) {
        return None;
    }
    // Years begin with March here, so that the leap day is the last of its year.
    let year = if month <= 2 { year - 1 } else { year };
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some(year * 365 + year / 4 - year / 100 + year / 400 + of_year - 719_468)
}
