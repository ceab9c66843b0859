//! Why a cause is as likely as it is, and why another one is not: of any cause.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::super::super::Shared;
use super::super::error::PageError;
use super::super::messages::Messages;
use super::super::{Page, respond, unlisted, words};
use crate::app::AppError;
use crate::engine::diagnosis::{Change, Explained, Explanation, Rival};
use crate::engine::graph::{Cause, Graph};
use crate::report::{percent, times};

/// From this probability on one asks why, below it why not.
const WHY_FROM: f64 = 0.2;
/// At most that many causes are offered where it is not clear which one is meant.
const MOST_NEAR: usize = 12;

#[derive(Template)]
#[template(path = "pages/why.html")]
struct WhyPage {
    t: &'static Messages,
    page: Page,
    id: String,
    heading: String,
    percent: String,
    width: u32,
    place: String,
    prior: String,
    stage: String,
    sum: String,
    /// Address and title of the root of its family.
    parent: Option<(String, String)>,
    cause: String,
    speaks_for: Vec<ReasonRow>,
    speaks_against: Vec<ReasonRow>,
    /// How often, address and title.
    unseen: Vec<(&'static str, String, String)>,
    raises: Vec<ChangeRow>,
    lowers: Vec<ChangeRow>,
    rival: Option<RivalView>,
    every_cause: Vec<String>,
}

struct ReasonRow {
    class: &'static str,
    sign: &'static str,
    title: String,
    strength: String,
    quote: Option<String>,
}

struct ChangeRow {
    address: String,
    title: String,
    figures: String,
    answer: String,
    shift: String,
}

struct RivalView {
    address: String,
    title: String,
    percent: String,
    differences: Vec<ReasonRow>,
}

#[derive(Template)]
#[template(path = "pages/which.html")]
struct WhichPage {
    t: &'static Messages,
    page: Page,
    id: String,
    /// Address and title.
    near: Vec<(String, String)>,
    every_cause: Vec<String>,
}

/// What the small form asks for.
#[derive(Deserialize)]
pub(in crate::http) struct Asked {
    #[serde(default)]
    cause: String,
}

/// `GET /cases/{id}/why?cause=`: to the page of the cause that is meant, by its title or its id.
pub(in crate::http) async fn ask(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, PageError> {
    shared.app.case(&id).await?;
    let engine = shared.app.engine();
    let graph = engine.graph();
    let wanted = asked.cause.trim().to_lowercase();
    let meant = |cause: &&Cause| cause.id == wanted || cause.title.to_lowercase() == wanted;
    if let Some(cause) = graph.causes.iter().find(meant) {
        return Ok(Redirect::to(&address(&id, &cause.id)).into_response());
    }
    let t = Messages::english();
    let page = WhichPage {
        t,
        page: Page::of(&shared, t.get("why.which")).private(),
        near: near(graph, &wanted)
            .map(|cause| (address(&id, &cause.id), cause.title.clone()))
            .collect(),
        every_cause: every_cause(graph),
        id,
    };
    Ok(unlisted(respond(StatusCode::OK, &page)))
}

/// `GET /cases/{id}/why/{cause}`.
pub(in crate::http) async fn show(
    State(shared): State<Shared>,
    Path((id, cause)): Path<(String, String)>,
) -> Result<Response, PageError> {
    let engine = shared.app.engine();
    let graph = engine.graph();
    let explanation = match shared.app.explanation(&id, &cause).await {
        Ok((_, explanation)) => explanation,
        Err(AppError::NotFound(_)) if graph.cause(&cause).is_none() => {
            shared.app.case(&id).await?;
            let words = cause.to_lowercase().replace('-', " ");
            let near =
                near(graph, &words).map(|cause| (address(&id, &cause.id), cause.title.clone()));
            return Err(PageError::unknown(near.collect()));
        }
        Err(error) => return Err(error.into()),
    };
    let page = WhyPage::new(&shared, graph, id, &explanation);
    Ok(unlisted(respond(StatusCode::OK, &page)))
}

/// Where a case says why a cause is as likely as it is.
pub(super) fn address(case: &str, cause: &str) -> String {
    format!("/cases/{case}/why/{cause}")
}

/// The titles of all causes, for the form that asks why not.
pub(super) fn every_cause(graph: &Graph) -> Vec<String> {
    let roots = graph.causes.iter().filter(|cause| cause.parent.is_none());
    let mut titles: Vec<String> = roots.map(|cause| cause.title.clone()).collect();
    titles.sort_unstable();
    titles
}

/// The causes whose titles and ids hold most of the words, best first.
fn near<'g>(graph: &'g Graph, wanted: &str) -> impl Iterator<Item = &'g Cause> {
    let words: Vec<&str> = wanted
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| word.len() > 2)
        .collect();
    let mut found: Vec<(usize, &Cause)> = graph
        .causes
        .iter()
        .map(|cause| {
            let text = format!("{} {}", cause.title.to_lowercase(), cause.id);
            let count = words.iter().filter(|word| text.contains(**word)).count();
            (count, cause)
        })
        .filter(|(count, _)| *count > 0)
        .collect();
    found.sort_by(|a, b| {
        let by_words = b.0.cmp(&a.0);
        // The family before its narrower causes.
        by_words
            .then(a.1.parent.is_some().cmp(&b.1.parent.is_some()))
            .then(a.1.id.cmp(&b.1.id))
    });
    found.into_iter().take(MOST_NEAR).map(|(_, cause)| cause)
}

impl WhyPage {
    fn new(shared: &Shared, graph: &Graph, id: String, of: &Explanation) -> Self {
        let t = Messages::english();
        let key = if of.probability >= WHY_FROM {
            "why.why"
        } else {
            "why.why-not"
        };
        let heading = t.with(key, "cause", &of.title);
        let place: [(&str, &dyn std::fmt::Display); 2] =
            [("place", &of.place), ("count", &of.families)];
        let (speaks_for, speaks_against) = of
            .reasons
            .iter()
            .partition::<Vec<_>, _>(|e| e.reason.speaks_for);
        WhyPage {
            t,
            page: Page::of(shared, heading.as_str()).private(),
            heading,
            percent: percent(of.probability),
            width: words::width(of.probability),
            place: t.fill("why.place", &place),
            prior: t.with("why.prior", "percent", percent(of.prior)),
            stage: of.stage.clone(),
            sum: sum(t, of),
            parent: of
                .parent
                .as_ref()
                .map(|(parent, title)| (address(&id, parent), title.clone())),
            cause: format!("/causes/{}?case={id}", of.id),
            speaks_for: speaks_for.into_iter().map(|e| reason_row(t, e)).collect(),
            speaks_against: speaks_against
                .into_iter()
                .map(|e| reason_row(t, e))
                .collect(),
            unseen: of
                .unseen
                .iter()
                .map(|unseen| {
                    (
                        t.get(words::frequency(unseen.frequency)),
                        format!("/symptoms/{}", unseen.symptom),
                        unseen.title.clone(),
                    )
                })
                .collect(),
            raises: of
                .raises
                .iter()
                .map(|change| change_row(t, &id, of, change))
                .collect(),
            lowers: of
                .lowers
                .iter()
                .map(|change| change_row(t, &id, of, change))
                .collect(),
            rival: of.rival.as_ref().map(|rival| rival_view(t, &id, rival)),
            every_cause: every_cause(graph),
            id,
        }
    }
}

/// How the number follows from the factors.
fn sum(t: &Messages, of: &Explanation) -> String {
    t.fill(
        "why.sum",
        &[
            ("weighed", &percent(of.weighed)),
            ("power", &of.last_step.power),
            ("doubt", &percent(of.last_step.doubt)),
            ("percent", &percent(of.probability)),
        ],
    )
}

fn reason_row(t: &Messages, explained: &Explained) -> ReasonRow {
    let reason = &explained.reason;
    let strength = t.get(words::strength(reason));
    ReasonRow {
        class: if reason.speaks_for { "for" } else { "against" },
        sign: if reason.speaks_for { "+" } else { "−" },
        title: words::capitalised(&reason.title),
        strength: format!("{strength}: {}", times(explained.factor)),
        quote: explained.quote.clone(),
    }
}

fn change_row(t: &Messages, case: &str, of: &Explanation, change: &Change) -> ChangeRow {
    let shift: [(&str, &dyn std::fmt::Display); 2] = [
        ("from", &percent(of.probability)),
        ("to", &percent(change.probability)),
    ];
    ChangeRow {
        address: format!("/checks/{}?case={case}", change.check),
        title: change.title.clone(),
        figures: format!(
            "{}, {}",
            words::minutes(t, change.minutes),
            t.get(words::who(change.who))
        ),
        answer: t.with("why.answer", "answer", &change.answer_title),
        shift: t.fill("why.shift", &shift),
    }
}

fn rival_view(t: &Messages, case: &str, rival: &Rival) -> RivalView {
    let differences = rival.differences.iter().map(|explained| {
        let key = if explained.reason.speaks_for {
            "why.fits-this"
        } else {
            "why.fits-other"
        };
        ReasonRow {
            strength: t.get(key).to_owned(),
            ..reason_row(t, explained)
        }
    });
    RivalView {
        address: address(case, &rival.id),
        title: rival.title.clone(),
        percent: percent(rival.probability),
        differences: differences.collect(),
    }
}
