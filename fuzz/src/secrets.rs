//! Secrets that are planted into any text are gone afterwards.

use sha2::{Digest as _, Sha256};

use crate::engine::redact::redact;

/// Lines with `§` where the secret stands. Each begins and ends a line, as in what people paste.
const PLACES: &[&str] = &[
    "Authorization: Bearer §",
    "Proxy-Authorization: Bearer §",
    "> Authorization: Bearer §",
    "Cookie: theme=dark; session=§",
    "Set-Cookie: connect.sid=§; Path=/; HttpOnly",
    "X-Api-Key: §",
    "GET /socket.io/?EIO=4&token=§&transport=websocket HTTP/1.1",
    "WebSocket connection to 'wss://app.example/ws?access_token=§' failed:",
    "wss://user:§@app.example/ws",
    "Sec-WebSocket-Protocol: bearer, §",
    "{\"type\":\"connection_init\",\"payload\":{\"authToken\":\"§\"}}",
    "40{\"token\":\"§\"}",
    "{\"name\":\"Authorization\",\"value\":\"Bearer §\"},",
    "proxy_set_header Authorization \"Bearer §\";",
    "DB_PASSWORD=§",
    "  api_key: §",
    "postgres://app:§@db.example:5432/app",
];

/// Plants a secret that the input chooses into a place that the input chooses.
pub(crate) fn planted_are_gone(text: &str, data: &[u8]) {
    let digest = Sha256::digest(data);
    let place = PLACES[usize::from(digest[0]) % PLACES.len()];
    let secret = secret(&digest);
    let line = place.replace('§', &secret);
    // A secret of its own line stands where a line of the text ends.
    let ends: Vec<usize> = text.match_indices('\n').map(|(at, _)| at + 1).collect();
    let at = match ends.len() {
        0 => text.len(),
        count => ends[usize::from(digest[2]) % count],
    };
    let (before, after) = text.split_at(at);
    let planted = format!("{before}\n\n{line}\n\n{after}");
    let redacted = redact(&planted).text;
    assert!(
        !redacted.contains(&secret),
        "{line}\n in {planted:?}\n gave {redacted:?}"
    );
    assert_eq!(redact(&redacted).text, redacted);
}

/// Twenty-four letters and digits, or a token of three parts.
fn secret(digest: &[u8]) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let letters = |bytes: &[u8]| -> String {
        let letter = |byte: &u8| char::from(LETTERS[usize::from(*byte) % LETTERS.len()]);
        bytes.iter().map(letter).collect()
    };
    // Digits and letters for certain: `Q7` is no ordinary word's beginning.
    match digest[1] % 3 {
        0 => format!("Q7x{}", letters(&digest[4..25])),
        1 => digest[4..24]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect(),
        _ => format!(
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI{}.{}",
            letters(&digest[4..12]),
            letters(&digest[12..32])
        ),
    }
}
