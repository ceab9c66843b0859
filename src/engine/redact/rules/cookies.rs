//! Cookies: names and attributes stay, values go.

use super::Scan;
use super::places::{Place, Style};
use crate::engine::redact::SecretKind;
use crate::engine::redact::values::is_placeholder;

impl Scan<'_> {
    pub(super) fn cookie_name(&mut self, start: usize, place: &Place, set: bool) {
        if place.style == Style::Element || place.style == Style::Space {
            return;
        }
        let at = place.value;
        // HAR's list of cookies and Python's dictionary of them.
        if place.quote.is_none() && matches!(self.byte(at), b'[' | b'{')
            || self.byte_before(at) == b'['
        {
            let open = if matches!(self.byte(at), b'[' | b'{') {
                at
            } else {
                at - 1
            };
            let pairs = self.byte(open) == b'{'
                && !matches!(self.byte(open + 1), b'"' | b'\'' | b' ' | b'\n' | b'\\');
            if !pairs && self.byte(at) != b'"' && matches!(self.byte(at), b'[' | b'{') {
                return self.cookie_list(open);
            }
        }
        let enclosing = match place.quote {
            Some(_) => Some(self.byte_before(at)),
            None => Some(self.byte_before(start)).filter(|byte| matches!(byte, b'"' | b'\'')),
        };
        self.cookies(at, enclosing, set);
    }

    /// `a=1; b=2`, each value on its own; names and attributes stay.
    pub(super) fn cookies(&mut self, from: usize, enclosing: Option<u8>, set: bool) {
        let mut position = from;
        if matches!(self.byte(position), b'{' | b'[') {
            position += 1;
        }
        let first_claim = self.found.claims.len();
        let mut first = true;
        let mut end = position;
        loop {
            while matches!(self.byte(position), b' ' | b'\t') {
                position += 1;
            }
            let name_start = position;
            while position - name_start < 256 && is_cookie_name_byte(self.byte(position)) {
                position += 1;
            }
            if position == name_start || self.byte(position) != b'=' {
                // An attribute without a value, such as Secure.
                if set && !first && position > name_start {
                    end = position;
                    if self.byte(position) == b';' {
                        position += 1;
                        continue;
                    }
                    if self.byte(position) == b',' {
                        position += 1;
                        first = true;
                        continue;
                    }
                }
                break;
            }
            position += 1;
            let attribute = set && !first && is_attribute(&self.text[name_start..position - 1]);
            let value_start = position;
            let mut value_end = self.cookie_value_end(position, enclosing, attribute);
            if enclosing.is_none() && !attribute {
                value_end = self.wrapped_end(value_start, value_end);
            }
            position = value_end;
            end = value_end;
            let mut value_from = value_start;
            if self.byte(value_from) == b'"'
                && value_end > value_from + 1
                && self.byte(value_end - 1) == b'"'
            {
                value_from += 1;
                value_end -= 1;
            }
            let value = self.slice(value_from, value_end);
            if !attribute && !value.is_empty() && !is_placeholder(value) {
                self.claim(value_from, value_end, SecretKind::Cookie);
            }
            first = false;
            match self.byte(position) {
                b';' => position += 1,
                b',' if set => {
                    position += 1;
                    first = true;
                }
                _ => break,
            }
        }
        if let Some(claim) = self.found.claims.get_mut(first_claim).filter(|_| !set) {
            claim.facts.push(("cookie.bytes", (end - from).to_string()));
        }
        self.done = self.done.max(end);
    }

    pub(super) fn cookie_value_end(
        &self,
        from: usize,
        enclosing: Option<u8>,
        attribute: bool,
    ) -> usize {
        let mut end = from;
        while end < self.bytes.len() {
            let byte = self.bytes[end];
            let stops = match byte {
                b';' | b'\n' | b'\r' => true,
                // An attribute's date has spaces and one comma.
                b' ' | b'\t' => !attribute,
                b',' => {
                    attribute
                        && !self.bytes[from..end].iter().any(u8::is_ascii_whitespace)
                        && end > from + 3
                        || self.byte(end + 1) == b' ' && !attribute
                        || attribute && self.bytes[from..end].ends_with(b"GMT")
                }
                b'"' | b'\'' => enclosing == Some(byte) || (enclosing.is_none() && end > from),
                b'\\' => matches!(self.byte(end + 1), b'r' | b'n' | b'"' | b'\'' | b'\\'),
                b'}' | b']' => {
                    matches!(self.byte(end + 1), b'\n' | b'\r' | b' ' | b',' | 0)
                        && !self.is_in_mark(end)
                }
                _ => false,
            };
            if stops {
                break;
            }
            end += 1;
        }
        end
    }

    /// Every value of a list or dictionary of cookies.
    pub(super) fn cookie_list(&mut self, open: usize) {
        if open < self.objects_done {
            return;
        }
        let named = self.byte(open) == b'[';
        let strings = self.strings_in(open, 65_536);
        let mut name = "";
        let text = self.text;
        let done = self.done;
        for (from, to, is_value) in strings {
            let string = &text[from..to];
            if !is_value {
                name = string;
                continue;
            }
            let secret = if named {
                name == "value"
            } else {
                !matches!(name, "path" | "domain" | "expires")
            };
            if secret && !string.is_empty() && !is_placeholder(string) {
                self.claim(from, to, SecretKind::Cookie);
            }
        }
        // What stands between the strings was not judged yet: the list may be cut or wrong.
        self.done = done;
    }
}

fn is_cookie_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'|'
                | b'~'
        )
}

fn is_attribute(name: &str) -> bool {
    [
        "path", "domain", "expires", "max-age", "samesite", "priority",
    ]
    .iter()
    .any(|attribute| name.eq_ignore_ascii_case(attribute))
}
