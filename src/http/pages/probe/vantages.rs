//! What the user's browser saw beside what this service saw, and what the difference means.

use askama::Template;
use askama::filters::HtmlSafe;

use super::super::messages::Messages;
use super::ladder::stage_name;
use crate::case::{Compared, Probed, SelfTest, Stage, StageState};

/// Two vantage points side by side.
#[derive(Template)]
#[template(path = "parts/vantages.html")]
pub(in crate::http::pages) struct Vantages {
    t: &'static Messages,
    meaning: &'static str,
    browser: String,
    lines: Vec<Line>,
    rungs: Vec<Line>,
}

/// Renders through the template engine, which escaped what was not safe.
impl HtmlSafe for Vantages {}

struct Line {
    class: &'static str,
    sign: &'static str,
    name: &'static str,
    state: &'static str,
    detail: String,
}

impl Vantages {
    /// Of a probe that a browser's self-test belongs to.
    pub(in crate::http::pages) fn of(t: &'static Messages, probed: &Probed) -> Option<Self> {
        let (test, compared) = probed.browser.as_ref()?;
        Some(Vantages {
            t,
            meaning: t.get(meaning(*compared)),
            browser: test.browser.clone(),
            lines: lines(t, test),
            rungs: probed.stages.iter().map(|stage| rung(t, stage)).collect(),
        })
    }
}

fn meaning(compared: Compared) -> &'static str {
    match compared {
        Compared::BothWork => "vantage.both-work",
        Compared::BothFail => "vantage.both-fail",
        Compared::OnlyServer => "vantage.only-server",
        Compared::OnlyBrowser => "vantage.only-browser",
        Compared::OriginRefused => "vantage.origin-refused",
        Compared::NoSockets => "vantage.no-sockets",
        Compared::MixedContent => "vantage.mixed-content",
        Compared::BrowserAlone => "vantage.browser-alone",
    }
}

fn lines(t: &'static Messages, test: &SelfTest) -> Vec<Line> {
    let line = |name, works: bool, detail: String| {
        let (class, sign, state) = match works {
            true => ("ok", "✓", "state.ok"),
            false => ("failed", "✗", "vantage.fails"),
        };
        Line {
            class,
            sign,
            name: t.get(name),
            state: t.get(state),
            detail,
        }
    };
    let mut lines = Vec::new();
    if !test.online {
        lines.push(line("vantage.online", false, String::new()));
    }
    if let Some(works) = test.control {
        lines.push(line("check-self.control", works, String::new()));
    }
    if let Some(works) = test.fetched {
        lines.push(line("check-self.fetched", works, String::new()));
    }
    lines.push(line("check-self.opened", test.opened, told(t, test)));
    lines
}

/// Code, reason, error and time in a line.
fn told(t: &Messages, test: &SelfTest) -> String {
    let mut parts = vec![t.with("probe.milliseconds", "count", test.took_ms)];
    if let Some(code) = test.code {
        parts.push(t.with("vantage.code", "code", code));
    }
    parts.extend([&test.reason, &test.error].into_iter().cloned());
    parts.retain(|part| !part.is_empty());
    parts.join(" · ")
}

fn rung(t: &'static Messages, stage: &Stage) -> Line {
    let (class, sign, state) = match stage.state {
        StageState::Ok => ("ok", "✓", "state.ok"),
        StageState::Failed => ("failed", "✗", "state.failed"),
        StageState::Skipped => ("skipped", "–", "probe.skipped"),
        StageState::NotReached => ("not_reached", "–", "state.not-reached"),
    };
    Line {
        class,
        sign,
        name: t.get(stage_name(stage.stage)),
        state: t.get(state),
        detail: stage.detail.clone(),
    }
}
