//! Whether the words of a line say that a socket opened or closed.

/// What a line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Event<'a> {
    /// It opened; otherwise it closed.
    pub(super) opens: bool,
    pub(super) words: &'a str,
}

/// Longer lines tell a story, and a word in them means little.
const LONGEST: usize = 300;
/// No word of the lists below is longer.
const LONGEST_WORD: usize = 16;
/// In so few words nothing else than the socket can be meant.
const FEW: usize = 4;

const OPENED: &[&str] = &[
    "open",
    "opened",
    "onopen",
    "connected",
    "established",
    "upgraded",
];
const CLOSED: &[&str] = &[
    "close",
    "closed",
    "onclose",
    "disconnect",
    "disconnected",
    "1006",
    "closing",
];
const SOCKET: &[&str] = &[
    "ws",
    "wss",
    "websocket",
    "websockets",
    "socket",
    "sockets",
    "sock",
    "sockjs",
    "signalr",
    "hub",
    "stomp",
    "onopen",
    "onclose",
    "client",
    "session",
    "cable",
    "gateway",
    "wscat",
];
/// What else can be opened and closed.
const OTHER: &[&str] = &[
    "db",
    "database",
    "redis",
    "mongo",
    "mongodb",
    "mongoose",
    "postgres",
    "postgresql",
    "mysql",
    "kafka",
    "rabbitmq",
    "amqp",
    "smtp",
    "ssh",
    "pool",
    "file",
    "sql",
    "ldap",
    "mqtt",
    "upstream",
    "issue",
    "ticket",
    "dialog",
    "modal",
    "menu",
    "door",
    "nats",
    "broker",
    "memcached",
    "ftp",
];
/// Words by which the line speaks of what is not, or not yet.
const NOT: &[&str] = &[
    "not",
    "before",
    "failed",
    "fail",
    "refused",
    "connecting",
    "opening",
    "could",
    "cannot",
    "can",
    "never",
    "will",
    "would",
    "trying",
    "already",
    "if",
    "when",
    "unable",
    "attempt",
    "attempting",
    "reconnecting",
    "still",
    "waiting",
    "retry",
    "retrying",
    "denied",
];

/// For each length of a word, the letters with which known words of that length begin, by their last
/// five bits, which are the same in both cases: nearly every word of a line is none of them.
const BEGINNINGS: [u32; LONGEST_WORD + 1] = {
    let lists = [OPENED, CLOSED, SOCKET, OTHER, NOT];
    let mut beginnings = [0; LONGEST_WORD + 1];
    let mut list = 0;
    while list < lists.len() {
        let mut word = 0;
        while word < lists[list].len() {
            let bytes = lists[list][word].as_bytes();
            beginnings[bytes.len()] |= 1 << (bytes[0] & 31);
            word += 1;
        }
        list += 1;
    }
    beginnings
};

fn may_be_known(word: &str) -> bool {
    let beginnings = BEGINNINGS.get(word.len()).copied().unwrap_or_default();
    let first = word.as_bytes().first().copied().unwrap_or_default();
    beginnings >> (first & 31) & 1 != 0
}

/// Reads a line's words behind its time.
pub(super) fn event_of(words: &str) -> Option<Event<'_>> {
    if words.len() > LONGEST {
        return None;
    }
    let (mut opened, mut closed, mut is_socket, mut count) = (false, false, false, 0);
    let mut buffer = [0; LONGEST_WORD];
    for word in tokens(words) {
        count += 1;
        let Some(lower) = buffer.get_mut(..word.len()).filter(|_| may_be_known(word)) else {
            continue;
        };
        lower.copy_from_slice(word.as_bytes());
        lower.make_ascii_lowercase();
        let word = std::str::from_utf8(lower).unwrap_or_default();
        if NOT.contains(&word) || OTHER.contains(&word) {
            return None;
        }
        opened |= OPENED.contains(&word);
        closed |= CLOSED.contains(&word);
        is_socket |= SOCKET.contains(&word);
    }
    let is_plain = opened != closed && (is_socket || count <= FEW);
    is_plain.then_some(Event {
        opens: opened,
        words,
    })
}

/// Whether a line tells of a message that went one way or the other.
pub(super) fn is_message(words: &str) -> bool {
    const MESSAGE: &[&str] = &[
        "message",
        "messages",
        "msg",
        "onmessage",
        "sent",
        "send",
        "sending",
        "received",
        "receive",
        "recv",
        "ping",
        "pong",
        "heartbeat",
        "emit",
        "frame",
        "data",
        "event",
    ];
    words.len() <= 4 * LONGEST
        && (words.starts_with(['<', '>', '←', '→', '↑', '↓', '⬆', '⬇'])
            || tokens(words)
                .take(32)
                .any(|word| MESSAGE.iter().any(|known| known.eq_ignore_ascii_case(word))))
}

fn tokens(words: &str) -> impl Iterator<Item = &str> {
    words
        .split(|letter: char| !letter.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
}

/// Names of single connections: words with a digit in them that are no status or close code.
fn names(words: &str) -> impl Iterator<Item = &str> {
    words
        .split(|letter: char| {
            letter.is_whitespace()
                || matches!(letter, '=' | ',' | '(' | ')' | '[' | ']' | '"' | '#')
        })
        .map(|word| word.trim_matches([':', '.', ';', '\'']))
        .filter(|word| {
            word.bytes().any(|byte| byte.is_ascii_digit())
                && !word.contains("://")
                && !is_code(word)
                && !is_script(word)
                && !is_amount(word)
        })
}

fn is_code(word: &str) -> bool {
    word.parse::<u16>()
        .is_ok_and(|code| (100..600).contains(&code) || (1000..5000).contains(&code))
}

/// The place in a program that wrote the line.
fn is_script(word: &str) -> bool {
    [
        ".js", ".ts", ".mjs", ".jsx", ".tsx", ".vue", ".html", ".py", ".go", ".rb", ".java", ".kt",
    ]
    .iter()
    .any(|ending| word.contains(ending))
}

/// `60s`, `12ms`, `1.5`.
fn is_amount(word: &str) -> bool {
    let number = word.trim_end_matches(['m', 's']);
    (number.len() < word.len() || number.contains('.')) && number.parse::<f64>().is_ok()
}

/// Whether both lines name the same connection.
pub(super) fn share_name(one: &str, other: &str) -> bool {
    names(one).any(|name| names(other).any(|known| known == name))
}

/// Whether the lines name connections, and not the same.
pub(super) fn tells_another(one: &str, other: &str) -> bool {
    names(one).next().is_some() && names(other).next().is_some() && !share_name(one, other)
}
