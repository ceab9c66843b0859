//! What the first bytes of an answer tell of who sent it.

/// A TLS record: handshake or alert, version 3.x.
pub(super) fn is_tls(bytes: &[u8]) -> bool {
    matches!(bytes, [0x14..=0x17, 3, ..] | [0x14..=0x17])
}

/// A TLS alert, as a TLS port answers a plain request.
pub(super) fn is_tls_alert(bytes: &[u8]) -> bool {
    matches!(bytes, [0x15, 3, ..])
}

/// A status line.
pub(super) fn is_http(bytes: &[u8]) -> bool {
    bytes.starts_with(b"HTTP/")
}

/// An HTTP/2 server's first frame: SETTINGS on stream 0.
pub(super) fn is_http2(bytes: &[u8]) -> bool {
    bytes.len() >= 9 && bytes[3] == 4 && bytes[5..9] == [0, 0, 0, 0] && bytes[0] == 0
}

/// The page of a server that answers as HTTP/0.9 did, without a header.
pub(super) fn is_markup(bytes: &[u8]) -> bool {
    let head: Vec<u8> = bytes
        .iter()
        .skip_while(|byte| byte.is_ascii_whitespace())
        .take(14)
        .map(u8::to_ascii_lowercase)
        .collect();
    head.starts_with(b"<!doctype html") || head.starts_with(b"<html")
}

/// The greeting or complaint of a service that is no web server.
pub(super) fn is_other_service(bytes: &[u8]) -> bool {
    const GREETINGS: [&[u8]; 13] = [
        b"SSH-",
        b"220 ",
        b"220-",
        b"+OK",
        b"* OK",
        b"-ERR",
        b"-DENIED",
        b"AMQP",
        b"RFB ",
        b"NOTICE ",
        b"ERROR\r\n",
        b"INFO {",
        b"It looks like you are trying to access MongoDB",
    ];
    let is_mysql = bytes.len() > 5 && bytes[3] == 0 && bytes[4] == 10 && bytes[5].is_ascii_digit();
    is_mysql || GREETINGS.iter().any(|greeting| bytes.starts_with(greeting))
}

/// The beginning for people: one line without control characters, in quotation marks.
pub(super) fn shown(bytes: &[u8], most: usize) -> String {
    let text: String = bytes[..bytes.len().min(most)]
        .iter()
        .map(|byte| match byte {
            0x20..=0x7e => char::from(*byte),
            b'\r' | b'\n' | b'\t' => ' ',
            _ => '.',
        })
        .collect();
    format!("\"{}\"", text.trim())
}
