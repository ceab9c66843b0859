//! What a value looks like: a secret, a placeholder for one, or an ordinary word.

/// Words that say something about a secret instead of being one. They diagnose.
const STATES: &[&str] = &[
    "absent",
    "accepted",
    "and",
    "any",
    "are",
    "bad",
    "bool",
    "boolean",
    "bytes",
    "changed",
    "denied",
    "disabled",
    "empty",
    "enabled",
    "error",
    "expected",
    "expired",
    "fail",
    "failed",
    "failure",
    "false",
    "for",
    "forbidden",
    "from",
    "has",
    "header",
    "in",
    "include",
    "int",
    "invalid",
    "is",
    "malformed",
    "mismatch",
    "missing",
    "must",
    "nil",
    "no",
    "none",
    "not",
    "null",
    "ok",
    "omit",
    "optional",
    "present",
    "rejected",
    "required",
    "revoked",
    "same-origin",
    "str",
    "string",
    "success",
    "the",
    "true",
    "unauthorized",
    "undefined",
    "unknown",
    "unset",
    "valid",
    "verified",
    "was",
    "wrong",
    "yes",
    "nan",
    "self",
    "object",
];

/// Stand-ins that people write where a secret was.
const STAND_INS: &[&str] = &[
    "redacted",
    "removed",
    "hidden",
    "masked",
    "filtered",
    "omitted",
    "secret",
    "token",
    "password",
    "truncated",
    "snip",
    "censored",
    "placeholder",
];

/// Values that are passwords in a thousand test set-ups and words everywhere else.
const COMMON_WORDS: &[&str] = &[
    "administrator",
    "anonymous",
    "application",
    "authorization",
    "connection",
    "container",
    "development",
    "guestguest",
    "localhost",
    "localhosts",
    "password",
    "postgres",
    "postgresql",
    "production",
    "rabbitmq",
    "realtime",
    "socketio",
    "staging",
    "supabase",
    "websocket",
    "websockets",
    "wordpress",
];

/// Whether the value only stands for a secret that was already taken out or never filled in.
pub(super) fn is_placeholder(value: &str) -> bool {
    if value.len() > 96 {
        let head = &value.as_bytes()[..8];
        return head.iter().all(|byte| matches!(byte, b'x' | b'X' | b'*'));
    }
    let bare = value.trim_matches(|c: char| !c.is_alphanumeric());
    if bare.is_empty() {
        return true;
    }
    let filler = |c: char| matches!(c, 'x' | 'X' | '*' | '.' | '-' | '_' | '…' | '•' | '#' | '?');
    if value.chars().all(filler) && bare.len() != 1 {
        return true;
    }
    if value.len() >= 8
        && value
            .bytes()
            .take(8)
            .all(|byte| matches!(byte, b'x' | b'X' | b'*'))
    {
        return true;
    }
    let first = value.as_bytes()[0];
    let last = value.as_bytes()[value.len() - 1];
    match (first, last) {
        (b'<', b'>') | (b'{', b'}') | (b'(', b')') => return true,
        (b'$' | b'%', _) if is_variable(value) => return true,
        (b':', _)
            if value[1..]
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'_') =>
        {
            return true;
        }
        _ => {}
    }
    let lower = bare.to_ascii_lowercase();
    STAND_INS.contains(&lower.as_str())
        || [
            "your_", "your-", "your ", "my_", "my-", "insert_", "replace_", "example_",
        ]
        .iter()
        .any(|start| lower.starts_with(start) && !bare.bytes().any(|byte| byte.is_ascii_digit()))
        || (lower.starts_with("your") && bare.bytes().all(|byte| byte.is_ascii_alphabetic()))
}

/// `$TOKEN`, `${token}`, `$(cat token)`, `%TOKEN%`, `%s`.
fn is_variable(value: &str) -> bool {
    let name = &value[1..];
    if name.starts_with(['{', '(']) {
        return true;
    }
    let name = name.strip_suffix('%').unwrap_or(name);
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let starts = name
        .as_bytes()
        .first()
        .is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_');
    // A percent-encoded value starts with % and two digits of a hexadecimal number.
    let encoded = value.starts_with('%')
        && value
            .as_bytes()
            .get(1..3)
            .is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit))
        && !value.ends_with('%');
    starts && name.bytes().all(word) && !encoded
}

/// Whether the value is a word about the secret, such as `expired`.
pub(super) fn is_state(value: &str) -> bool {
    value.len() <= 16 && {
        let lower = value.to_ascii_lowercase();
        STATES.contains(&lower.trim_matches(|c: char| !c.is_ascii_alphanumeric()))
            || lower == "[object"
    }
}

/// Whether the value is a word that must not vanish from the rest of the text.
pub(super) fn is_common(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    COMMON_WORDS.contains(&lower.as_str()) || is_state(value)
}

/// Letters only.
pub(super) fn is_word(value: &str) -> bool {
    !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_alphabetic())
}

/// Several words with spaces between them.
pub(super) fn is_prose(value: &str) -> bool {
    value.len() <= 256 && value.trim().contains(' ')
}

/// A path of identifiers such as `req.query.token`: code, not its value.
pub(super) fn is_code(value: &str) -> bool {
    value.len() <= 64
        && value.contains('.')
        && value.split('.').all(|part| {
            part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        })
}

/// A file's path or a URL.
pub(super) fn is_location(value: &str) -> bool {
    let head = &value[..value.floor_char_boundary(16)];
    if head.contains("://") || head.contains("%3A%2F%2F") || head.contains(":\\/\\/") {
        return true;
    }
    let rooted = value.starts_with("./")
        || value.starts_with("~/")
        || value.starts_with("../")
        || (value.starts_with('/')
            && value.len() <= 128
            && value[1..].contains('/')
            && !looks_random(value));
    let file = value.len() <= 128
        && [
            ".pem", ".key", ".crt", ".cer", ".json", ".txt", ".env", ".yml", ".yaml", ".p12",
            ".pfx", ".js", ".ts", ".py",
        ]
        .iter()
        .any(|end| value.ends_with(end));
    rooted || file
}

/// Eight or more characters, letters and digits mixed.
pub(super) fn looks_secret(value: &str) -> bool {
    value.len() >= 8
        && value.bytes().any(|byte| byte.is_ascii_digit())
        && value.bytes().any(|byte| byte.is_ascii_alphabetic())
        && !value.contains(char::is_whitespace)
        && !is_version(value)
        && !is_location(value)
        && !is_uuid(value)
}

/// Whether some stretch of the value is too irregular to be a name that a person gave.
pub(super) fn looks_random(value: &str) -> bool {
    if value.len() < 16 || is_uuid(value) {
        return false;
    }
    if value.contains("://") {
        return false;
    }
    value
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '+')
        .any(is_irregular)
}

fn is_irregular(part: &str) -> bool {
    let bytes = part.as_bytes();
    if bytes.len() < 12 {
        return false;
    }
    let digits = bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
    let letters = bytes
        .iter()
        .filter(|byte| byte.is_ascii_alphabetic())
        .count();
    let class = |byte: u8| (byte.is_ascii_digit(), byte.is_ascii_uppercase());
    let changes = bytes
        .windows(2)
        .filter(|pair| class(pair[0]) != class(pair[1]))
        .count();
    let shifts = bytes
        .windows(2)
        .filter(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase())
        .count();
    (digits >= 2 && letters >= 2 && changes >= 3)
        || (bytes.len() >= 16 && changes >= 6 && shifts >= 3)
}

/// The form 8-4-4-4-12 of a UUID.
pub(super) fn is_uuid(value: &str) -> bool {
    value.len() == 36
        && value.bytes().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

fn is_version(value: &str) -> bool {
    let bare = value.strip_prefix('v').unwrap_or(value);
    bare.len() <= 24
        && bare.starts_with(|c: char| c.is_ascii_digit())
        && bare
            .split(['.', '-'])
            .take(2)
            .all(|part| part.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Names of subprotocols that are in common use; never a token.
pub(super) fn is_subprotocol(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "actioncable",
        "amqp",
        "avatars",
        "base64",
        "binary",
        "chat",
        "graphql",
        "janus-protocol",
        "json",
        "lws",
        "mqtt",
        "msgpack",
        "ocpp",
        "phoenix",
        "protobuf",
        "realtime",
        "sip",
        "soap",
        "sockjs",
        "stomp",
        "superchat",
        "text",
        "vite-hmr",
        "vite-ping",
        "wamp",
        "xmpp",
    ];
    let lower = name.to_ascii_lowercase();
    NAMES.iter().any(|known| lower.starts_with(known)) && !looks_random(name)
        || (lower.starts_with('v') && lower.ends_with(".stomp"))
}
