//! What a name says about the value that belongs to it.

use super::SecretKind;

/// How sure a name makes that its value is a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Name {
    /// An Authorization header: a scheme, then credentials.
    Authorization,
    /// A list of cookies.
    Cookie,
    /// One cookie and its attributes.
    SetCookie,
    /// Whatever follows is secret.
    Strong(SecretKind),
    /// Secret in a query; elsewhere only when the value looks random.
    Weak(SecretKind),
    /// A one-time code, when its URL belongs to a login; otherwise a status.
    Code,
    /// SignalR's connection token, when it looks like one.
    Id,
    /// A user's name in a STOMP frame.
    Login,
    /// An object whose values are credentials (Socket.IO's `auth`).
    Plain,
}

/// Words after which `key` is a secret and not a database's or a cache's key.
const SECRET_KEYS: &[&str] = &[
    "access",
    "account",
    "admin",
    "aes",
    "anon",
    "api",
    "app",
    "auth",
    "client",
    "deploy",
    "encryption",
    "function",
    "functions",
    "hmac",
    "host",
    "jwt",
    "license",
    "master",
    "private",
    "secret",
    "service",
    "role",
    "shared",
    "sign",
    "signing",
    "storage",
    "subscription",
    "webhook",
];

/// Ends of names that say how a secret is written, not what it is.
const NEUTRAL_ENDS: &[&str] = &[
    "value", "string", "raw", "hash", "b64", "base64", "plain", "hex", "v1", "v2", "base",
];

/// Judges a name as it stands in the text.
pub(super) fn classify(name: &str) -> Name {
    if name == "_auth" {
        return Name::Strong(SecretKind::Password);
    }
    let words = split(name);
    let mut words: Vec<&str> = words.split('_').filter(|word| !word.is_empty()).collect();
    if words.len() > 1 && NEUTRAL_ENDS.contains(&words[words.len() - 1]) {
        words.pop();
    }
    let Some(&last) = words.last() else {
        return Name::Plain;
    };
    let before = words.len().checked_sub(2).map_or("", |index| words[index]);
    if words.starts_with(&["sec", "websocket"]) || words.starts_with(&["secwebsocket"]) {
        return Name::Plain;
    }
    match last {
        "authorization" => Name::Authorization,
        "cookie" if before == "set" => Name::SetCookie,
        "cookie" | "cookies" => Name::Cookie,
        "pass" => match before {
            "proxy" | "fastcgi" | "uwsgi" | "grpc" | "scgi" | "memcached" => Name::Plain,
            _ => Name::Strong(SecretKind::Password),
        },
        "jwt" => Name::Strong(SecretKind::Token),
        "key" if SECRET_KEYS.contains(&before) => Name::Strong(SecretKind::Key),
        "key" if words.len() == 1 || is_variable(name) => Name::Weak(SecretKind::Key),
        "id" if matches!(before, "session" | "sess") => Name::Strong(SecretKind::Session),
        "id" if before == "key" && words.contains(&"access") => Name::Strong(SecretKind::Key),
        "id" if words.len() == 1 => Name::Id,
        "sid" => Name::Strong(SecretKind::Session),
        "session" | "sess" => Name::Weak(SecretKind::Session),
        "assertion" if before == "jwt" => Name::Strong(SecretKind::Token),
        "signature" | "credential" if words.contains(&"amz") || words.contains(&"goog") => {
            Name::Strong(SecretKind::Token)
        }
        "auth" if before == "basic" => Name::Strong(SecretKind::Password),
        "auth" | "sig" | "signature" | "hmac" | "ticket" | "bearer" | "otp" => {
            Name::Weak(SecretKind::Token)
        }
        "credential" | "credentials" => Name::Weak(SecretKind::Key),
        "code" => Name::Code,
        "login" => Name::Login,
        _ => by_end(last, before),
    }
}

/// Whether it is written as a variable of the environment: STRIPE_KEY.
pub(super) fn is_variable(name: &str) -> bool {
    name.contains('_') && !name.bytes().any(|byte| byte.is_ascii_lowercase())
}

/// Names that are written together: authtoken, dbpassword, PHPSESSID.
fn by_end(last: &str, before: &str) -> Name {
    let ends = |ends: &[&str]| ends.iter().any(|end| last.ends_with(end));
    if ends(&["token"]) {
        match before {
            "unexpected" => Name::Plain,
            "session" => Name::Strong(SecretKind::Session),
            _ => Name::Strong(SecretKind::Token),
        }
    } else if ends(&[
        "password",
        "passwd",
        "passphrase",
        "passcode",
        "pwd",
        "dbpass",
        "userpass",
        "requirepass",
    ]) {
        Name::Strong(SecretKind::Password)
    } else if ends(&[
        "secret",
        "apikey",
        "accesskey",
        "secretkey",
        "privatekey",
        "accountkey",
    ]) {
        Name::Strong(SecretKind::Key)
    } else if ends(&["sessionid", "sessid"]) {
        Name::Strong(SecretKind::Session)
    } else if ends(&["authorization"]) {
        Name::Authorization
    } else {
        Name::Plain
    }
}

/// `accessToken`, `access-token` and `ACCESS_TOKEN` all become `access_token`.
fn split(name: &str) -> String {
    let bytes = name.as_bytes();
    let mut out = String::with_capacity(name.len() + 4);
    for (index, &byte) in bytes.iter().enumerate() {
        if !byte.is_ascii_alphanumeric() {
            out.push('_');
            continue;
        }
        if byte.is_ascii_uppercase() && index > 0 {
            let after_lower = bytes[index - 1].is_ascii_lowercase();
            let before_lower = bytes[index - 1].is_ascii_uppercase()
                && bytes.get(index + 1).is_some_and(u8::is_ascii_lowercase);
            if after_lower || before_lower {
                out.push('_');
            }
        }
        out.push(char::from(byte.to_ascii_lowercase()));
    }
    out
}
