use clap::{CommandFactory, Parser};

use super::*;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    typed: Typed,
}

fn typed(arguments: &[&str]) -> Typed {
    let line = ["wsdoctor"].iter().chain(arguments);
    Line::try_parse_from(line).expect("arguments").typed
}

fn load(arguments: &[&str], content: &str) -> Result<Settings, String> {
    let file = tempfile::NamedTempFile::new().expect("file");
    std::fs::write(file.path(), content).expect("write");
    let path = file.path().to_str().expect("path");
    let mut typed = typed(arguments);
    typed.config = Some(path.into());
    Settings::load(typed).map_err(|error| error.to_string().replace(path, "FILE"))
}

fn refusal(content: &str) -> String {
    load(&[], content).expect_err(content)
}

#[test]
fn defaults_are_the_documented_ones() {
    let settings = Settings::default();
    assert_eq!(settings.listen, "127.0.0.1:8080".parse().expect("address"));
    assert_eq!(settings.database.expose(), "sqlite://wsdoctor.db");
    assert_eq!(settings.maximum_text_bytes, 8 << 20);
    assert_eq!(settings.header_timeout, Duration::from_secs(10));
    assert!(settings.probe_allow.is_empty());
    for description in settings.describe() {
        assert_eq!(
            description.value, description.default,
            "{}",
            description.name
        );
    }
}

#[test]
fn every_setting_has_a_flag_an_environment_name_and_a_meaning() {
    let command = Line::command();
    for description in Settings::default().describe() {
        let environment = format!("WSDOCTOR_{}", description.name.to_ascii_uppercase());
        assert_eq!(description.environment, environment);
        let argument = command
            .get_arguments()
            .find(|argument| argument.get_id().as_str() == description.name)
            .expect(description.name);
        let flag = argument.get_long().map(|long| format!("--{long}"));
        assert_eq!(flag.as_deref(), Some(description.flag.as_str()));
        assert_eq!(
            argument.get_env().and_then(|name| name.to_str()),
            Some(environment.as_str())
        );
        assert!(description.meaning.ends_with('.'), "{}", description.name);
    }
    Line::command().debug_assert();
}

#[test]
fn a_flag_wins_over_the_file_and_the_file_over_the_default() {
    let file =
        "listen = '0.0.0.0:1'\nheader_timeout = 5\nprobe_allow = ['a.example', '10.0.0.0/8']";
    let settings = load(&["--listen", "[::1]:2"], file).expect("settings");
    assert_eq!(settings.listen.to_string(), "[::1]:2");
    assert_eq!(settings.header_timeout, Duration::from_secs(5));
    assert_eq!(settings.probe_allow, ["a.example", "10.0.0.0/8"]);
    assert_eq!(settings.body_timeout, Duration::from_secs(30));
}

#[test]
fn empty_texts_count_as_not_given() {
    let settings = load(
        &["--listen", "", "--probe-allow", ""],
        "listen = '0.0.0.0:1'\nprobe_allow = ['b']",
    );
    let settings = settings.expect("settings");
    assert_eq!(settings.listen.to_string(), "0.0.0.0:1");
    assert_eq!(settings.probe_allow, ["b"]);
}

#[test]
fn probe_allow_repeats_and_takes_commas() {
    let arguments = [
        "--probe-allow",
        "10.0.0.0/8",
        "--probe-allow",
        "a.example, b.example",
    ];
    let settings = Settings::load(typed(&arguments)).expect("settings");
    assert_eq!(
        settings.probe_allow,
        ["10.0.0.0/8", "a.example", "b.example"]
    );
}

#[test]
fn sizes_and_durations_take_units() {
    let read = |name: &str, text: &str| load(&[&format!("--{name}"), text], "");
    for (text, milliseconds) in [
        ("500ms", 500),
        ("30", 30_000),
        ("30 s", 30_000),
        ("5m", 300_000),
        ("1h", 3_600_000),
    ] {
        let settings = read("body-timeout", text).expect(text);
        assert_eq!(
            settings.body_timeout,
            Duration::from_millis(milliseconds),
            "{text}"
        );
    }
    for (text, bytes) in [
        ("17", 17),
        ("64KiB", 65_536),
        ("2 mib", 2 << 20),
        ("1MB", 1_000_000),
        ("1GiB", 1 << 30),
    ] {
        let settings = read("maximum-body-bytes", text).expect(text);
        assert_eq!(settings.maximum_body_bytes, bytes, "{text}");
    }
    for text in [
        "0",
        "-1",
        "1.5s",
        "s",
        "ten",
        "2d",
        "25h",
        "99999999999999999999",
        "18446744073709551615h",
    ] {
        assert!(
            load(&[&format!("--body-timeout={text}")], "").is_err(),
            "{text}"
        );
    }
    for text in ["0", "-1", "1.5MiB", "8MB/s", "18446744073709551615GiB"] {
        assert!(
            load(&[&format!("--maximum-body-bytes={text}")], "").is_err(),
            "{text}"
        );
    }
}

#[test]
fn problems_name_the_setting_what_was_given_and_what_to_write() {
    let error = Settings::load(typed(&["--listen", "localhost", "--retention-days", "0"]));
    let error = error.expect_err("two problems").problems;
    assert_eq!(error.len(), 2);
    assert_eq!(
        error[0],
        "listen (--listen or WSDOCTOR_LISTEN): \"localhost\" cannot be used; \
         write an IP address and a port such as 127.0.0.1:8080 or [::1]:8080"
    );
}

#[test]
fn problems_in_the_file_name_file_and_line() {
    let error = refusal("# first\nlog_format = 'text'\nlog_format_ = 1\n");
    assert!(
        error.starts_with("FILE:3: unknown field `log_format_`"),
        "{error}"
    );
    let error = refusal("\n\nidle_timeout = 'soon'\n");
    assert!(
        error.starts_with("FILE:3: idle_timeout: \"soon\" cannot be used; write"),
        "{error}"
    );
    let error = refusal("listen = \n");
    assert!(error.starts_with("FILE:1: "), "{error}");
    assert!(refusal("listen = true").contains("a text or a whole number"));
    assert!(refusal("config = 'other.toml'").contains("unknown field"));
    let missing = Settings::load(typed(&["--config", "/nonexistent/file"]));
    let missing = missing.expect_err("no file").to_string();
    assert!(
        missing.starts_with("config: cannot read /nonexistent/file"),
        "{missing}"
    );
}

#[test]
fn credentials_of_an_address_are_never_printed() {
    for address in [
        "postgres://me:hunter2@db/x",
        "postgres://me:hun?ter2@db/x",
        "sqlite://hunter2@x.db",
        "sqlite://x.db?mode=rwc&key=hunter2",
        "me:hunter2@db",
    ] {
        let typed = typed(&["--database", address]);
        let shown = format!("{typed:?} {:?}", Settings::load(typed.clone()));
        assert!(!shown.contains("ter2"), "{shown}");
    }
    let settings =
        load(&["--database", "sqlite://x.db?key=hunter2&mode=rwc"], "").expect("settings");
    assert_eq!(
        settings.database.to_string(),
        "sqlite://x.db?key=****&mode=rwc"
    );
    assert!(settings.database.expose().contains("hunter2"));
    assert!(
        settings
            .describe()
            .iter()
            .all(|entry| !entry.value.contains("hunter2"))
    );
    let error = refusal("database = 'sqlite://me:hunter2@x\n'");
    assert!(!error.contains("hunter2"), "{error}");
}

#[test]
fn public_url_is_an_address_without_surprises() {
    let read = |text: &str| load(&["--public-url", text], "").map(|settings| settings.public_url);
    assert_eq!(
        read("https://help.example/ws/"),
        Ok(Some("https://help.example/ws".to_owned()))
    );
    assert_eq!(read(""), Ok(None));
    for text in [
        "help.example",
        "javascript:alert(1)",
        "https://a\"onload=",
        "https://u:p@a.example",
        "https://",
        "https://a?b",
    ] {
        assert!(read(text).is_err(), "{text}");
    }
}

#[test]
fn shown_values_are_read_again() {
    let arguments = [
        "--body-timeout",
        "1500ms",
        "--maximum-body-bytes",
        "1536",
        "--log-filter",
        "info,wsdoctor=debug",
    ];
    let settings = load(
        &arguments,
        "probe_allow = ['a', 'b']\npublic_url = 'https://a.example'",
    )
    .expect("settings");
    let again: Vec<String> = settings
        .describe()
        .iter()
        .map(|entry| format!("{}={}", entry.flag, entry.value))
        .collect();
    let again: Vec<&str> = again.iter().map(String::as_str).collect();
    assert_eq!(Settings::load(typed(&again)), Ok(settings));
}

/// A process cannot safely change its own environment, so this test starts
/// itself a second time with one.
#[test]
fn the_environment_lies_between_flag_and_file() {
    if std::env::var_os("WSDOCTOR_BODY_TIMEOUT").is_some() {
        let settings = load(
            &["--listen", "0.0.0.0:1"],
            "listen = '0.0.0.0:3'\nbody_timeout = 3",
        );
        let settings = settings.expect("settings");
        assert_eq!(settings.listen.to_string(), "0.0.0.0:1");
        assert_eq!(settings.body_timeout, Duration::from_secs(2));
        assert_eq!(settings.probe_allow, ["a.example", "b.example"]);
        return;
    }
    let status = std::process::Command::new(std::env::current_exe().expect("this binary"))
        .args([
            "--exact",
            "config::tests::the_environment_lies_between_flag_and_file",
        ])
        .env("WSDOCTOR_LISTEN", "0.0.0.0:2")
        .env("WSDOCTOR_BODY_TIMEOUT", "2s")
        .env("WSDOCTOR_PROBE_ALLOW", "a.example,b.example")
        .env("WSDOCTOR_CONFIG", "")
        .status();
    assert!(status.expect("started").success());
}
