//! What time it is according to the text, and whether a device's clock is right: `date`,
//! `timedatectl`, `w32tm /stripchart`, `sntp`.
//!
//! <https://www.freedesktop.org/software/systemd/man/latest/timedatectl.html>,
//! <https://learn.microsoft.com/en-us/windows-server/networking/windows-time-service/windows-time-service-tools-and-settings>

use super::{Output, Reading};

/// An offset of less is no reason for a certificate to be refused, in seconds.
const SMALL_OFFSET: f64 = 120.0;
/// An offset of more is, in seconds.
const LARGE_OFFSET: f64 = 3600.0;

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// A day and a time of it, to be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment {
    year: u16,
    month: usize,
    day: u8,
}

impl Moment {
    /// The day in `Feb  3 00:00:00 2027 GMT`, `Sat Nov 21 15:21:18 UTC 2026`,
    /// `Sat, 21 Nov 2026 15:21:18 GMT`.
    pub(super) fn of(text: &str) -> Option<Self> {
        let words: Vec<&str> = text
            .split([' ', ','])
            .filter(|word| !word.is_empty())
            .collect();
        let month_at = words.iter().position(|word| MONTHS.contains(word))?;
        let month = MONTHS
            .iter()
            .position(|name| Some(name) == words.get(month_at))?;
        let day_of = |index: usize| -> Option<u8> {
            words
                .get(index)?
                .parse()
                .ok()
                .filter(|day| (1..=31).contains(day))
        };
        let day = day_of(month_at + 1).or_else(|| day_of(month_at.checked_sub(1)?))?;
        let year = words
            .iter()
            .filter(|word| word.len() == 4)
            .find_map(|word| {
                word.parse()
                    .ok()
                    .filter(|year| (1970..=2999).contains(year))
            })?;
        Some(Moment { year, month, day })
    }
}

/// The time that the text itself tells: an answer's `Date` header, the output of `date`.
pub(super) fn time_of_text(output: &Output<'_>) -> Option<Moment> {
    output.lines().iter().find_map(|line| {
        let text = line.text.trim().trim_start_matches("< ");
        if let Some(rest) = text
            .strip_prefix("Date: ")
            .or_else(|| text.strip_prefix("date: "))
        {
            return Moment::of(rest);
        }
        let is_date = ["Mon ", "Tue ", "Wed ", "Thu ", "Fri ", "Sat ", "Sun "]
            .iter()
            .any(|day| text.starts_with(day))
            && text.split_whitespace().count() <= 7;
        is_date.then(|| Moment::of(text)).flatten()
    })
}

/// Reads what commands say about the device's clock.
pub(super) fn reading(output: &Output<'_>) -> Reading {
    let mut reading = Reading::default();
    let marks = [
        "System clock synchronized",
        "NTP synchronized",
        "The current time is",
        " +/- ",
    ];
    if !output.holds_one_of(&marks) {
        return reading;
    }
    let is_stripchart = output.holds("Collecting ") && output.holds("samples");
    for line in output.lines() {
        let text = line.text.trim();
        let is_synchronised = text
            .strip_prefix("System clock synchronized:")
            .or_else(|| text.strip_prefix("NTP synchronized:"))
            .map(|value| value.trim() == "yes");
        // 15:21:18, +00.0012345s
        let offset = text
            .strip_suffix('s')
            .filter(|_| is_stripchart)
            .and_then(|text| text.split_once(", "))
            .and_then(|(_, offset)| offset.parse::<f64>().ok())
            // +0.001234 +/- 0.031 time.apple.com 17.253.14.125
            .or_else(|| {
                let (before, _) = text.split_once(" +/- ")?;
                before.split_whitespace().last()?.parse().ok()
            })
            .map(f64::abs);
        if is_synchronised == Some(true) || offset.is_some_and(|offset| offset < SMALL_OFFSET) {
            reading.add("client.clock", "right", line.span());
            return reading;
        }
        if offset.is_some_and(|offset| offset > LARGE_OFFSET) {
            reading.add("client.clock", "wrong", line.span());
            return reading;
        }
    }
    reading
}
