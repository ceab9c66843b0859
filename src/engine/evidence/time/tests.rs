use super::*;

fn told(text: &str) -> Vec<(&'static str, String)> {
    reading(text, &[])
        .findings
        .into_iter()
        .map(|finding| (finding.key, finding.value))
        .collect()
}

fn seconds(text: &str) -> Option<String> {
    told(text)
        .into_iter()
        .find(|(key, _)| *key == "open.seconds")
        .map(|(_, value)| value)
}

#[test]
fn every_way_to_write_a_time() {
    for (first, last) in [
        ("2026-10-11T18:02:44.120Z", "2026-10-11T18:03:44.620Z"),
        ("2026-10-11 18:02:44,120", "2026-10-11 18:03:44,620"),
        (
            "[2026-10-11T18:02:44.120+02:00]",
            "[2026-10-11T18:03:44.620+02:00]",
        ),
        ("2026/10/11 23:59:50.1", "2026/10/12 00:00:50.6"),
        ("18:02:44.120", "18:03:44.620"),
        ("23:59:30.120", "00:00:30.620"),
        ("[12:00:01.0]", "[12:01:01.5]"),
        ("[6:02:44.1 PM]", "[6:03:44.6 PM]"),
        ("10/11/2026, 11:59:30.1 AM", "10/11/2026, 12:00:30.6 PM"),
        ("1770113472100", "1770113532600"),
        ("1770113472.1", "1770113532.6"),
        (
            "10-11 18:02:44.120  1234  5678 I ReactNativeJS:",
            "10-11 18:03:44.620  1234  5678 I ReactNativeJS:",
        ),
        (
            "app-1  | 2026-10-11T18:02:44.120Z",
            "app-1  | 2026-10-11T18:03:44.620Z",
        ),
    ] {
        let text = format!("{first} WebSocket connected\n{last} WebSocket closed code=1006\n");
        assert_eq!(seconds(&text).as_deref(), Some("60.5"), "{text}");
    }
    let text = "Oct 11 18:02:44 web-1 app[7]: ws client connected\n\
                Oct 11 18:03:44 web-1 app[7]: ws client disconnected\n";
    assert_eq!(seconds(text).as_deref(), Some("60.0"));
}

#[test]
fn lines_of_json_have_times_too() {
    let text = "{\"level\":30,\"time\":1770113472100,\"msg\":\"socket opened\"}\n\
                {\"level\":30,\"time\":1770113532100,\"msg\":\"socket closed\"}\n";
    assert_eq!(seconds(text).as_deref(), Some("60.0"));
}

#[test]
fn connections_are_told_apart_by_their_names() {
    let text = "12:00:00 client a7 connected\n12:00:10 client b8 connected\n\
                12:01:00 client a7 disconnected\n12:01:10 client b8 disconnected\n";
    assert_eq!(seconds(text).as_deref(), Some("60.0"));
    let unnamed = "12:00:00 client connected\n12:00:10 client connected\n\
                   12:01:00 client disconnected\n12:01:10 client disconnected\n";
    assert_eq!(seconds(unnamed), None);
}

#[test]
fn what_is_steady_counts() {
    let cycles = "12:00:00 ws open\n12:01:00 ws closed\n12:01:02 ws open\n12:02:02 ws closed\n\
                  12:02:05 ws open\n12:02:09 ws closed\n12:02:10 ws open\n12:03:10 ws closed\n";
    assert_eq!(seconds(cycles).as_deref(), Some("60.0"));
    let differing = "12:00:00 ws open\n12:01:00 ws closed\n12:01:02 ws open\n12:01:09 ws closed\n";
    assert_eq!(seconds(differing), None);
}

#[test]
fn other_things_open_and_close_as_well() {
    for text in [
        "12:00:00 Redis connected\n12:01:00 WebSocket closed\n",
        "12:00:00 WebSocket connecting\n12:01:00 WebSocket closed\n",
        "12:00:00 WebSocket is closed before the connection is established\n12:01:00 ws closed\n",
        "WebSocket connected\n12:01:00 WebSocket closed\n",
        "12:00:00 socket closed\n12:01:00 socket connected\n",
    ] {
        assert_eq!(seconds(text), None, "{text}");
    }
}

#[test]
fn silence_is_told_only_where_messages_are() {
    let idle = "12:00:00 ws open\n12:00:05 message received\n12:01:00 ws closed\n";
    assert!(told(idle).contains(&("session.idle", "yes".to_owned())));
    for busy in [
        "12:00:00 ws open\n12:01:00 ws closed\n",
        "12:00:00 ws open\n12:00:58 message received\n12:01:00 ws closed\n",
        "12:00:00 ws open\n12:00:05 message received\nmessage\n12:01:00 ws closed\n",
    ] {
        assert_eq!(told(busy).len(), 1, "{busy}");
    }
}
