//! Where a name's value stands, and where it ends.

use super::Scan;
use crate::engine::redact::encodings::boundary_before;

/// How a name and its value are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// `name=value`, also encoded.
    Equals,
    /// `name: value`, also encoded, also HAR's pair of name and value.
    Colon,
    /// `"name", "value"`.
    List,
    /// `--name value`, `[name value]`.
    Space,
    /// `<name>value</name>`.
    Element,
}

/// A quotation mark as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Quote {
    pub(super) mark: &'static str,
    /// How many backslashes stand before it, inside nested strings.
    pub(super) slashes: usize,
}

/// A value's place.
pub(super) struct Place {
    pub(super) style: Style,
    pub(super) value: usize,
    pub(super) quote: Option<Quote>,
    /// The name follows `?`, `&` or `#`.
    pub(super) in_query: bool,
    /// The separator was percent-encoded, so the value ends at an encoded one.
    pub(super) encoded: bool,
}

const QUOTES: &[&str] = &[
    "\"", "'", "`", "%22", "%27", "%2522", "&quot;", "&#34;", "&#39;", "&#x27;", "&apos;",
    "\\u0022", "\\u0027",
];

const SEPARATORS: &[(&str, Style, bool)] = &[
    ("=>", Style::Colon, false),
    ("->", Style::Colon, false),
    (":=", Style::Equals, false),
    ("%3D", Style::Equals, true),
    ("%3d", Style::Equals, true),
    ("%253D", Style::Equals, true),
    ("%253d", Style::Equals, true),
    ("%3A", Style::Colon, true),
    ("%3a", Style::Colon, true),
    ("%253A", Style::Colon, true),
    ("\\u003d", Style::Equals, false),
    ("\\u003D", Style::Equals, false),
    ("\\u003a", Style::Colon, false),
    ("&#61;", Style::Equals, false),
    ("&#x3D;", Style::Equals, false),
    ("=", Style::Equals, false),
    (":", Style::Colon, false),
];

impl Scan<'_> {
    fn starts(&self, at: usize, with: &str) -> bool {
        self.bytes
            .get(at..)
            .is_some_and(|rest| rest.starts_with(with.as_bytes()))
    }

    /// The identifier around a trigger.
    pub(super) fn identifier(&self, at: usize, hit_end: usize) -> Option<(usize, usize)> {
        let part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
        let floor = at.saturating_sub(64).max(self.done);
        let mut start = at;
        if matches!(self.byte(at), b'?' | b'&') {
            start += 1;
        } else {
            while start > floor && part(self.bytes[start - 1]) {
                start -= 1;
            }
        }
        let mut end = start.max(at);
        let ceiling = self.bytes.len().min(hit_end + 64);
        while end < ceiling && part(self.bytes[end]) {
            end += 1;
        }
        // The tail of an escape is no part of the name.
        if start > 0 {
            let rest = &self.bytes[start..end];
            match self.bytes[start - 1] {
                b'%' => {
                    let mut skip = 0;
                    while rest[skip..].starts_with(b"25") {
                        skip += 2;
                    }
                    if rest
                        .get(skip..skip + 2)
                        .is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit))
                    {
                        skip += 2;
                    }
                    start += skip;
                }
                b'\\' => {
                    start += match rest.first() {
                        Some(b'u')
                            if rest.len() > 5 && rest[1..5].iter().all(u8::is_ascii_hexdigit) =>
                        {
                            5
                        }
                        Some(b'n' | b'r' | b't') => 1,
                        _ => 0,
                    }
                }
                _ => {}
            }
        }
        while start < end && matches!(self.bytes[start], b'-' | b'.') {
            start += 1;
        }
        (start < end && end - start <= 96).then_some((start, end))
    }

    /// Where the value of the name `start..end` stands, if it has one.
    pub(super) fn place_after(&self, start: usize, end: usize) -> Option<Place> {
        let mut at = end;
        let mut quoted = false;
        if let Some((_, length)) = self.quote_at(at) {
            quoted = true;
            at += length;
        }
        if self.byte(at) == b']' {
            at += 1;
        }
        let after_name = at;
        at = self.skip_blank(at, quoted);
        if let Some(place) = self.paired_value(start, end) {
            return Some(place);
        }
        let in_query = self.is_in_query(start);
        if quoted && self.starts(at, "value=\"") {
            // XML: `key="ApiKey" value="..."`.
            let (quote, length) = self.quote_at(at + 6)?;
            return Some(Place {
                style: Style::Colon,
                value: at + 6 + length,
                quote: Some(quote),
                in_query: false,
                encoded: false,
            });
        }
        let separator = SEPARATORS
            .iter()
            .find(|separator| self.starts(at, separator.0));
        let (style, encoded) = match separator {
            Some((mark, style, encoded)) => {
                at += mark.len();
                // Comparisons, paths of modules and schemes are no assignments.
                let next = self.byte(at);
                if (*mark == "=" && next == b'=' && !in_query)
                    || (*mark == ":" && (next == b':' || self.starts(at, "//")))
                    || *mark == "->" && !quoted && next != b' '
                {
                    return None;
                }
                (*style, *encoded)
            }
            // Code that compares with the secret itself.
            None if !quoted && (self.starts(at, "!= \"") || self.starts(at, "= \"")) => {
                at += 2;
                (Style::List, false)
            }
            None if quoted && self.byte(at) == b',' => {
                let next = self.skip_blank(at + 1, true);
                match self.har_value(next) {
                    Some(value) => {
                        at = value;
                        (Style::Colon, false)
                    }
                    None => {
                        at += 1;
                        (Style::List, false)
                    }
                }
            }
            None if !quoted
                && self.byte(at) == b'>'
                && start > 0
                && self.bytes[start - 1] == b'<' =>
            {
                at += 1;
                (Style::Element, false)
            }
            None if at > after_name && !quoted => (Style::Space, false),
            None => return None,
        };
        at = self.skip_blank(at, quoted);
        if !in_query || style != Style::Equals {
            while self.starts(at, "%20") {
                at += 3;
            }
        }
        if self.byte(at) == b'[' && style == Style::Colon && !self.is_in_mark(at) && !quoted {
            at += 1;
        }
        let after_prefix = matches!(self.byte(at), b'b' | b'r' | b'u' | b'f')
            && matches!(self.byte(at + 1), b'"' | b'\'');
        if after_prefix {
            at += 1;
        }
        let mut quote = None;
        if let Some((found, length)) = self.quote_at(at) {
            // An unquoted query value is closed by the quote around its URL.
            if in_query && style == Style::Equals && !quoted && found.mark.len() == 1 {
                return None;
            }
            quote = Some(found);
            at += length;
        } else if style == Style::List {
            return None;
        }
        (at < self.bytes.len()).then_some(Place {
            style,
            value: at,
            quote,
            in_query,
            encoded,
        })
    }

    /// YAML's pair of a name and a value, each on its line: `name: DB_PASSWORD`, `value: ...`.
    fn paired_value(&self, start: usize, end: usize) -> Option<Place> {
        let head = &self.bytes[start.saturating_sub(64)..start];
        let head = head.trim_ascii_end();
        let head = head.strip_suffix(b"\"").unwrap_or(head).trim_ascii_end();
        let line = &head[memchr::memrchr(b'\n', head).map_or(0, |at| at + 1)..];
        let line = line.trim_ascii_start();
        if !matches!(line, b"name:" | b"- name:" | b"key:" | b"- key:") {
            return None;
        }
        let quoted = usize::from(self.byte(end) == b'"');
        let mut at = end + quoted;
        at += usize::from(self.byte(at) == b'\r');
        if self.byte(at) != b'\n' {
            return None;
        }
        let value = self.skip_blank(at + 1, false);
        let value = if self.starts(value, "value:") {
            value + 6
        } else {
            self.value_line_before(start)?
        };
        let mut value = self.skip_blank(value, false);
        let quote = self.quote_at(value);
        value += quote.as_ref().map_or(0, |quote| quote.1);
        (value < self.bytes.len() && self.byte(value) != b'\n').then_some(Place {
            style: Style::Colon,
            value,
            quote: quote.map(|quote| quote.0),
            in_query: false,
            encoded: false,
        })
    }

    /// The value of `- value: ...` on the line before.
    fn value_line_before(&self, start: usize) -> Option<usize> {
        let floor = start.saturating_sub(4096);
        let line_end = floor + memchr::memrchr(b'\n', &self.bytes[floor..start])?;
        let line =
            memchr::memrchr(b'\n', &self.bytes[floor..line_end]).map_or(floor, |at| floor + at + 1);
        let bare = self.bytes[line..line_end].trim_ascii_start();
        let bare = bare.strip_prefix(b"- ").unwrap_or(bare);
        bare.starts_with(b"value:")
            .then(|| line_end - bare.len() + 6)
    }

    /// HAR: behind the name come `"value":`.
    fn har_value(&self, at: usize) -> Option<usize> {
        let (_, open) = self.quote_at(at)?;
        if !self.starts(at + open, "value") {
            return None;
        }
        let (_, close) = self.quote_at(at + open + 5)?;
        let colon = self.skip_blank(at + open + 5 + close, true);
        (self.byte(colon) == b':').then_some(colon + 1)
    }

    /// HAR's pair the other way round: `"value": "...", "name": "` and then the name.
    pub(super) fn pair_before(&self, start: usize) -> Option<Place> {
        let before = |end: usize, word: &str| {
            let trimmed = self.bytes[..end].trim_ascii_end();
            trimmed
                .ends_with(word.as_bytes())
                .then(|| trimmed.len() - word.len())
        };
        let named = before(before(before(start, "\"")?, ":")?, "\"name\"")?;
        let close = before(before(named, ",")?, "\"")?;
        let floor = close.saturating_sub(8192);
        let key = floor + memchr::memmem::rfind(&self.bytes[floor..close], b"\"value\"")?;
        let colon = self.skip_blank(key + 7, true);
        let open = self.skip_blank(colon + 1, true);
        if self.byte(colon) != b':' || self.byte(open) != b'"' {
            return None;
        }
        let (quote, length) = self.quote_at(open)?;
        (self.closing(open + length, &quote, close + 1) == Some(close)).then_some(Place {
            style: Style::Colon,
            value: open + length,
            quote: Some(quote),
            in_query: false,
            encoded: false,
        })
    }

    fn skip_blank(&self, mut at: usize, lines: bool) -> usize {
        let end = at + if lines { 64 } else { 16 };
        while at < end
            && (matches!(self.byte(at), b' ' | b'\t')
                || (lines && matches!(self.byte(at), b'\n' | b'\r')))
        {
            at += 1;
        }
        at
    }

    fn is_in_query(&self, start: usize) -> bool {
        let before = &self.bytes[start.saturating_sub(6)..start];
        [
            "?", "&", "#", "&amp;", "%3F", "%3f", "%26", "%23", "%253F", "%2526", "\\u0026",
        ]
        .iter()
        .any(|mark| before.ends_with(mark.as_bytes()))
            || before.ends_with(b";")
                && start < self.bytes.len()
                && self.bytes[start..].len() >= 10
                && self.bytes[start..start + 10].eq_ignore_ascii_case(b"jsessionid")
    }

    /// A quotation mark with the backslashes before it, and the length of both.
    pub(super) fn quote_at(&self, at: usize) -> Option<(Quote, usize)> {
        let first = self.byte(at);
        if !matches!(first, b'"' | b'\'' | b'`' | b'%' | b'&' | b'\\') {
            return None;
        }
        let mut slashes = 0;
        while slashes < 16 && self.byte(at + slashes) == b'\\' {
            slashes += 1;
        }
        let mark = match self.byte(at + slashes) {
            b'"' => QUOTES[0],
            b'\'' => QUOTES[1],
            b'`' => QUOTES[2],
            _ => {
                let mark = QUOTES[3..].iter().find(|mark| self.starts(at, mark))?;
                return Some((Quote { mark, slashes: 0 }, mark.len()));
            }
        };
        Some((Quote { mark, slashes }, slashes + 1))
    }

    pub(super) fn slashes_before(&self, at: usize, most: usize) -> usize {
        self.bytes[at.saturating_sub(most)..at]
            .iter()
            .rev()
            .take_while(|byte| **byte == b'\\')
            .count()
    }

    /// Where the string that begins at `from` ends.
    pub(super) fn closing(&self, from: usize, quote: &Quote, limit: usize) -> Option<usize> {
        let limit = limit.min(self.bytes.len());
        if quote.mark.len() > 1 {
            return memchr::memmem::find(self.bytes.get(from..limit)?, quote.mark.as_bytes())
                .map(|offset| from + offset);
        }
        let mark = quote.mark.as_bytes()[0];
        let mut slashes = 0;
        for (index, &byte) in self.bytes.get(from..limit)?.iter().enumerate() {
            if byte == b'\\' {
                slashes += 1;
                continue;
            }
            if byte == b'\n' {
                return None;
            }
            if byte == mark {
                let closes = slashes <= quote.slashes
                    || (slashes - quote.slashes).is_multiple_of(2 * (quote.slashes + 1));
                if closes {
                    return Some(from + index - slashes.min(quote.slashes));
                }
            }
            slashes = 0;
        }
        None
    }

    /// Where a value ends.
    pub(super) fn value_end(&self, place: &Place) -> usize {
        if let Some(quote) = &place.quote
            && let Some(end) = self.closing(place.value, quote, self.bytes.len())
        {
            return end;
        }
        if place.style == Style::Element {
            let window = self.bytes.len().min(place.value + 4096);
            return memchr::memchr2(b'<', b'\n', &self.bytes[place.value..window])
                .map_or(place.value, |offset| place.value + offset);
        }
        self.plain_end(place)
    }

    fn plain_end(&self, place: &Place) -> usize {
        let from = place.value;
        let mut end = from;
        while end < self.bytes.len() {
            let next = self.byte(end + 1);
            let stops = match self.bytes[end] {
                byte if byte.is_ascii_whitespace() || byte.is_ascii_control() => true,
                b'"' | b'\'' | b'`' | b'<' | b'>' | b'}' | b')' | b'(' | b'|' => {
                    !(end == from && self.bytes[end] == b'<')
                }
                b'{' => end != from && self.bytes[end - 1] != b'$' && self.bytes[end - 1] != b'{',
                b'[' if self.is_in_mark(end) => {
                    end = self.marks[self.marks.partition_point(|mark| mark.end <= end)].end;
                    continue;
                }
                b']' => true,
                b'\\' => next != b'/',
                b'&' => place.in_query || self.is_next_pair(end + 1) || self.is_entity(end),
                b'#' => place.in_query,
                b',' | b';' => {
                    place.in_query
                        || next.is_ascii_whitespace()
                        || matches!(next, 0 | b'"' | b'\'' | b'\\' | b'}')
                        || self.is_next_pair(end + 1)
                }
                b'%' => place.encoded && self.is_encoded_end(end),
                0xe2 | 0xc2 => self.is_typographic(end),
                _ => false,
            };
            if stops {
                break;
            }
            end += 1;
        }
        // `{token}` and `<token>` are read whole, to be known as placeholders.
        if (self.byte(from) == b'<' && self.byte(end) == b'>')
            || (matches!(self.byte(from), b'{' | b'$') && self.byte(end) == b'}')
        {
            return end + 1;
        }
        self.trimmed(from, end)
    }

    /// Without the punctuation of the sentence around.
    pub(super) fn trimmed(&self, from: usize, mut end: usize) -> usize {
        while end > from + 1
            && matches!(self.bytes[end - 1], b'.' | b',' | b':' | b';' | b'!' | b'?')
        {
            end -= 1;
        }
        end
    }

    pub(super) fn is_next_pair(&self, at: usize) -> bool {
        let length = self.bytes[at.min(self.bytes.len())..]
            .iter()
            .take(48)
            .take_while(|byte| {
                byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b' ')
            })
            .count();
        length > 0 && matches!(self.byte(at + length), b'=' | b':')
    }

    fn is_entity(&self, at: usize) -> bool {
        ["&quot;", "&amp;", "&#", "&lt;", "&gt;", "&apos;"]
            .iter()
            .any(|entity| self.starts(at, entity))
    }

    fn is_encoded_end(&self, at: usize) -> bool {
        let code = &self.bytes[at + 1..self.bytes.len().min(at + 5)];
        let code = code.strip_prefix(b"25").unwrap_or(code);
        code.get(..2).is_some_and(|code| {
            [
                b"26", b"23", b"22", b"27", b"20", b"3B", b"3b", b"7D", b"7d", b"2C", b"2c", b"0A",
                b"0a", b"0D", b"0d",
            ]
            .iter()
            .any(|end| code == *end)
        })
    }

    /// Quotation marks, an ellipsis and a no-break space.
    pub(super) fn is_typographic(&self, at: usize) -> bool {
        [
            "\u{a0}", "\u{2018}", "\u{2019}", "\u{201c}", "\u{201d}", "\u{2026}", "\u{2192}",
        ]
        .iter()
        .any(|mark| self.starts(at, mark))
    }

    /// The end of a header's value in a raw text or inside a string.
    pub(super) fn line_value_end(&self, start: usize, from: usize) -> usize {
        let enclosing = Some(self.byte(start.wrapping_sub(1)))
            .filter(|byte| start > 0 && matches!(byte, b'"' | b'\''));
        // Many headers in one line end at the same place.
        let (known_from, known_to, known_enclosing) = self.line.get();
        if known_enclosing == enclosing && (known_from..known_to).contains(&from) {
            return known_to;
        }
        let to = self.line_end(enclosing, from);
        self.line.set((from, to, enclosing));
        to
    }

    fn line_end(&self, enclosing: Option<u8>, from: usize) -> usize {
        let mut end = from;
        let limit = self.bytes.len().min(from + 65_536);
        while end < limit {
            let byte = self.bytes[end];
            if byte == b'[' && self.is_in_mark(end) {
                end = self.marks[self.marks.partition_point(|mark| mark.end <= end)].end;
                continue;
            }
            let stops = match byte {
                b'\n' | b'\r' | b'<' | b'>' => true,
                b'"' | b'\'' => {
                    enclosing.is_none_or(|quote| quote == byte)
                        && !(enclosing.is_none() && end > from && self.bytes[end - 1] == b'=')
                }
                b'\\' => self.byte(end + 1) != b'/',
                b']' | b'}' => true,
                _ => false,
            };
            if stops {
                break;
            }
            end += 1;
        }
        while end > from && matches!(self.bytes[end - 1], b' ' | b'\t') {
            end -= 1;
        }
        end
    }

    /// Whether a value can start here.
    pub(super) fn is_boundary(&self, at: usize) -> bool {
        boundary_before(self.bytes, at)
    }
}
