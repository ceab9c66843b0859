//! Letters that a chat program, a word processor or a page put in the place of plain ones.

use super::Edit;
use crate::engine::literals::beyond_ascii;

/// Finds quotation marks, spaces and invisible letters that stand for plain ones or for none.
pub(super) fn find(text: &str, edits: &mut Vec<Edit>) {
    unusual_letters(text, edits);
    entities(text, edits);
}

fn unusual_letters(text: &str, edits: &mut Vec<Edit>) {
    for (start, letter) in beyond_ascii(text) {
        let end = start + letter.len_utf8();
        if let Some(with) = plain(letter) {
            // Invisible letters join or part words in other scripts.
            if !with.is_empty() || is_between_ascii(text, start, end) {
                edits.push(Edit { start, end, with });
            }
        }
    }
}

/// What a letter stands for: a plain one, or nothing.
fn plain(letter: char) -> Option<&'static str> {
    Some(match letter {
        '‘' | '’' | '‚' | '‛' | '′' | '´' | 'ʼ' | '‹' | '›' | '＇' => "'",
        '“' | '”' | '„' | '‟' | '″' | '«' | '»' | '＂' | '❝' | '❞' => "\"",
        '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => {
            " "
        }
        '\u{2010}' | '\u{2011}' | '\u{2212}' => "-",
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' => "",
        _ => return None,
    })
}

fn is_between_ascii(text: &str, start: usize, end: usize) -> bool {
    let bytes = text.as_bytes();
    let is_ascii = |byte: Option<&u8>| byte.is_none_or(u8::is_ascii);
    is_ascii(start.checked_sub(1).and_then(|before| bytes.get(before))) && is_ascii(bytes.get(end))
}

/// Character references of HTML, as in texts that were copied out of a page's source:
/// <https://html.spec.whatwg.org/multipage/named-characters.html>.
const ENTITIES: &[(&str, &str)] = &[
    ("&amp;", "&"),
    ("&quot;", "\""),
    ("&apos;", "'"),
    ("&lt;", "<"),
    ("&gt;", ">"),
    ("&nbsp;", " "),
    ("&#39;", "'"),
    ("&#039;", "'"),
    ("&#x27;", "'"),
    ("&#34;", "\""),
    ("&#034;", "\""),
    ("&#x22;", "\""),
    ("&#38;", "&"),
    ("&#x26;", "&"),
    ("&#47;", "/"),
    ("&#x2F;", "/"),
    ("&#x3D;", "="),
    ("&#60;", "<"),
    ("&#x3C;", "<"),
    ("&#62;", ">"),
    ("&#x3E;", ">"),
    ("&#96;", "`"),
    ("&#x60;", "`"),
    ("&#160;", " "),
    ("&rsquo;", "'"),
    ("&lsquo;", "'"),
    ("&#8217;", "'"),
    ("&#8216;", "'"),
    ("&ldquo;", "\""),
    ("&rdquo;", "\""),
    ("&#8220;", "\""),
    ("&#8221;", "\""),
];

fn entities(text: &str, edits: &mut Vec<Edit>) {
    let bytes = text.as_bytes();
    for start in memchr::memchr_iter(b'&', bytes) {
        let rest = &bytes[start..];
        let found = ENTITIES.iter().find(|(written, _)| {
            rest.get(..written.len())
                .is_some_and(|head| head.eq_ignore_ascii_case(written.as_bytes()))
        });
        if let Some((written, with)) = found {
            edits.push(Edit {
                start,
                end: start + written.len(),
                with,
            });
        }
    }
}
