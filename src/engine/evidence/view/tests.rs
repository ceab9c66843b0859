use proptest::prelude::*;

use super::*;

/// What a phrase of the view was in the text given.
fn given<'a>(text: &'a str, phrase: &str) -> &'a str {
    let view = View::of(text);
    let start = view.text().find(phrase).expect(phrase);
    let span = view.place(Span {
        start,
        end: start + phrase.len(),
    });
    &text[span.start..span.end]
}

#[test]
fn a_plain_text_is_borrowed() {
    let view = View::of("WebSocket connection to 'wss://app.example/ws' failed: \ncode: 1006");
    assert!(view.is_as_given());
    assert!(matches!(view.text, Cow::Borrowed(_)));
}

#[test]
fn letters_are_plain_again() {
    let text = "\u{feff}Firefox can’t establish a\u{a0}connection to the “server” at\u{200b} «x»";
    let view = View::of(text);
    assert_eq!(
        view.text(),
        "Firefox can't establish a connection to the \"server\" at \"x\""
    );
    assert_eq!(given(text, "can't establish"), "can’t establish");
    assert_eq!(given(text, "\"server\""), "“server”");
}

#[test]
fn colours_are_gone() {
    for text in [
        "\x1b[31mError:\x1b[0m closed",
        "^[[31mError:^[[0m closed",
        "\\x1b[31mError:\\x1b[39m closed",
        "\\u001b[1;31mError:\\u001b[0m closed",
        "[31mError:[0m closed",
        "#033[31mError:#033[0m closed",
        "\x1b]0;title\x07\x1b[31mError:\x1b(B\x1b[m closed",
    ] {
        assert_eq!(View::of(text).text(), "Error: closed", "{text:?}");
    }
    for text in [
        "ports[3] x[0]m",
        "rate[5m]",
        "ws://[::1]:80",
        "[1006] [error]",
        "^[[A-Z]",
    ] {
        assert_eq!(View::of(text).text(), text);
    }
}

#[test]
fn entities_are_letters_again() {
    let text = "connection to &#39;wss://app.example/?a=1&amp;b=2&#39; failed &lt;br&gt; a &b";
    assert_eq!(
        View::of(text).text(),
        "connection to 'wss://app.example/?a=1&b=2' failed <br> a &b"
    );
    assert_eq!(given(text, "b=2' failed"), "b=2&#39; failed");
}

#[test]
fn quotations_and_marks_are_gone() {
    let text = "> WebSocket **connection** failed:\n> > Unexpected response code: `502`\nso?";
    assert_eq!(
        View::of(text).text(),
        "WebSocket connection failed: Unexpected response code: 502\nso?"
    );
    for text in [
        "> GET /ws HTTP/1.1\n> Host: app.example\n< HTTP/1.1 200 OK",
        "> one prompt\nand its answer",
        "src/**/*.js and a**b and 2 ** 3 ** 4",
        "```js\nnew WebSocket(`wss://${host}/ws`)\n```",
    ] {
        assert_eq!(View::of(text).text(), text);
    }
}

#[test]
fn strings_of_json_lines_say_what_they_mean() {
    let text = r#"{"msg":"connection to \"wss:\/\/app.example\/ws?a=1\u0026b=2\" failed\n    at x","path":"C:\\new"}"#;
    assert_eq!(
        View::unescaped(text).text(),
        "{\"msg\":\"connection to \"wss://app.example/ws?a=1&b=2\" failed\n    at x\",\"path\":\"C:\\\\new\"}"
    );
    let nested = r#"{"log":"{\"msg\":\"a \\\"b\\\" failed\"}\n"}"#;
    assert!(
        View::unescaped(nested)
            .text()
            .contains("{\"msg\":\"a \"b\" failed\"}")
    );
    let path = r"C:\new\table /wss:\w/";
    assert!(View::unescaped(path).is_as_given());
}

const PIECES: &[&str] = &[
    "“",
    "’",
    "\u{a0}",
    "\u{200b}",
    "\x1b[31m",
    "[0m",
    "^[[1m",
    "> ",
    "\n",
    "\r\n",
    "**",
    "`",
    "&#39;",
    "&amp;",
    "\\\"",
    "\\n",
    "\":",
    "a",
    " ",
    "é",
    "漢",
    "Error during WebSocket",
    "handshake: Unexpected response",
    " code: 400",
    "[token:1]",
    "\\u0026",
    "\\u001b[3",
    "m",
    "the connection",
    "&",
    "[",
    "\u{1b}",
    "]",
];

proptest! {
    #[test]
    fn every_span_leads_back(pieces in proptest::collection::vec(proptest::sample::select(PIECES), 0..30)) {
        let text = pieces.concat();
        let view = View::of(&text);
        let inner = View::unescaped(view.text());
        for (from, view, words) in [(&*text, &view, view.text()), (view.text(), &inner, inner.text())] {
            let places: Vec<usize> = (0..=words.len()).filter(|at| words.is_char_boundary(*at)).collect();
            let mut last = 0;
            for (number, start) in places.iter().enumerate() {
                for end in &places[number..] {
                    let span = view.place(Span { start: *start, end: *end });
                    prop_assert!(span.start <= span.end && span.end <= from.len());
                    prop_assert!(from.is_char_boundary(span.start) && from.is_char_boundary(span.end));
                    if view.is_as_given() {
                        prop_assert_eq!(span, Span { start: *start, end: *end });
                    }
                }
                let first = view.place(Span { start: *start, end: *start }).start;
                prop_assert!(first >= last);
                last = first;
            }
        }
    }

    #[test]
    fn any_text_has_a_view(text in "\\PC{0,200}") {
        let view = View::of(&text);
        let whole = view.place(Span { start: 0, end: view.text().len() });
        prop_assert!(text.get(whole.start..whole.end).is_some());
    }
}

#[test]
fn what_is_written_below_a_browsers_message_does_not_belong_to_it() {
    let text = "WebSocket connection to 'wss://app.example/chat/ws' failed\nnginx in front of it.";
    assert!(View::of(text).is_as_given());
}
