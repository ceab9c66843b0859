//! A file's bytes as text.

/// The text of a file: UTF-16 if its byte order mark says so (PowerShell writes that), else UTF-8
/// without its mark. Bytes that are neither are replaced, not refused.
pub fn decoded(bytes: Vec<u8>) -> String {
    let units = |pair: fn([u8; 2]) -> u16| -> String {
        let units = bytes
            .get(2..)
            .unwrap_or_default()
            .chunks(2)
            .map(|bytes| match bytes {
                [first, second] => pair([*first, *second]),
                _ => u16::from(b'?'),
            });
        char::decode_utf16(units)
            .map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect()
    };
    match bytes.as_slice() {
        [0xff, 0xfe, ..] => units(u16::from_le_bytes),
        [0xfe, 0xff, ..] => units(u16::from_be_bytes),
        // A valid text is not copied: it may be large.
        _ => {
            let mut text = String::from_utf8(bytes)
                .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
            if text.starts_with('\u{feff}') {
                text.drain(..'\u{feff}'.len_utf8());
            }
            text
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_of_byte_order_are_obeyed() {
        let units: Vec<u16> = "\u{feff}é😀\n".encode_utf16().collect();
        let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
        assert_eq!(decoded(little.clone()), "é😀\n");
        assert_eq!(decoded(big), "é😀\n");
        assert_eq!(decoded("\u{feff}é".as_bytes().to_vec()), "é");
        assert_eq!(decoded(vec![b'a', 0xff, b'b']), "a\u{fffd}b");
        assert_eq!(decoded(little[..9].to_vec()), "é😀?");
        assert_eq!(decoded(vec![0xff, 0xfe, 0x00, 0xd8]), "\u{fffd}");
        assert_eq!(decoded(vec![0xff, 0xfe]), "");
        assert_eq!(decoded(Vec::new()), "");
    }
}
