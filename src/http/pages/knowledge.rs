//! The knowledge as pages: causes, symptoms, codes, advice, checks, search.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use super::super::Shared;
use super::error::PageError;
use super::markdown::{self, Html};
use super::messages::Messages;
use super::{Commands, Page, respond, unlisted, words};
use crate::engine::graph::{Cause, Check, Code, Graph, Layer};
use crate::engine::near::near_names;
use crate::engine::prose::{Section, Subject, sections, summary};

/// At most that many pages are named where one does not exist.
const MOST_NEAR: usize = 6;
/// Of so many results the beginning is shown.
const WITH_SUMMARY: usize = 3;

/// A page of the knowledge: its address and title.
struct Link {
    address: String,
    title: String,
}

fn cause_link(cause: &Cause) -> Link {
    Link {
        address: format!("/causes/{}", cause.id),
        title: cause.title.clone(),
    }
}

/// The causes of those ids, in their order.
fn cause_links(graph: &Graph, ids: &[String]) -> Vec<Link> {
    ids.iter()
        .filter_map(|id| graph.cause(id))
        .map(cause_link)
        .collect()
}

/// Addresses that may be linked to.
fn references(addresses: &[String]) -> Vec<String> {
    addresses
        .iter()
        .filter(|address| address.starts_with("https://") || address.starts_with("http://"))
        .filter(|address| markdown::is_safe_address(address))
        .cloned()
        .collect()
}

/// A list of pages in groups.
#[derive(Template)]
#[template(path = "pages/list.html")]
struct ListPage {
    t: &'static Messages,
    page: Page,
    heading: &'static str,
    introduction: &'static str,
    groups: Vec<Group>,
}

struct Group {
    title: String,
    explained: &'static str,
    links: Vec<Link>,
}

/// A page that lists links in groups.
fn list(
    shared: &Shared,
    heading: &'static str,
    introduction: &'static str,
    groups: Vec<Group>,
) -> Response {
    let page = ListPage {
        t: Messages::english(),
        page: Page::of(shared, heading),
        heading,
        introduction,
        groups,
    };
    respond(StatusCode::OK, &page)
}

/// `GET /causes`.
pub(in crate::http) async fn causes(State(shared): State<Shared>) -> Response {
    let t = Messages::english();
    let engine = shared.app.engine();
    let causes = &engine.graph().causes;
    let groups = Layer::ALL.iter().map(|layer| Group {
        title: t.get(words::layer(*layer)).to_owned(),
        explained: t.get(words::layer_explained(*layer)),
        links: causes
            .iter()
            .filter(|cause| cause.layer == *layer && cause.parent.is_none())
            .map(cause_link)
            .collect(),
    });
    let groups = groups.collect();
    list(
        &shared,
        t.get("causes.title"),
        t.get("causes.introduction"),
        groups,
    )
}

/// `GET /codes`.
pub(in crate::http) async fn codes(State(shared): State<Shared>) -> Response {
    let t = Messages::english();
    let engine = shared.app.engine();
    let mut families: BTreeMap<&str, Vec<Link>> = BTreeMap::new();
    for code in &engine.graph().codes {
        families.entry(&code.family).or_default().push(Link {
            address: code_address(&code.id),
            title: code.title.clone(),
        });
    }
    let groups = families.into_iter().map(|(family, links)| Group {
        title: words::family(t, family),
        explained: "",
        links,
    });
    let groups = groups.collect();
    list(
        &shared,
        t.get("codes.title"),
        t.get("codes.introduction"),
        groups,
    )
}

/// `GET /advice`.
pub(in crate::http) async fn all_advice(State(shared): State<Shared>) -> Response {
    let t = Messages::english();
    let engine = shared.app.engine();
    let links = engine.graph().advice.iter().map(|advice| Link {
        address: format!("/advice/{}", advice.id),
        title: advice.title.clone(),
    });
    let groups = vec![Group {
        title: String::new(),
        explained: "",
        links: links.collect(),
    }];
    list(
        &shared,
        t.get("advice.title"),
        t.get("advice.introduction"),
        groups,
    )
}

/// For whom a cause's page is shown.
#[derive(Default, Deserialize)]
pub(in crate::http) struct Reader {
    /// The system whose fix comes first.
    #[serde(default)]
    system: String,
    /// The case whose values stand in the commands.
    #[serde(default)]
    case: String,
}

#[derive(Template)]
#[template(path = "pages/cause.html")]
struct CausePage {
    t: &'static Messages,
    page: Page,
    title: String,
    layer: &'static str,
    explained: &'static str,
    prior: &'static str,
    /// What the fix takes, in words.
    fix: Option<String>,
    summary: Html,
    /// What the reader puts in place of words that stand for what is not known.
    left_open: Vec<&'static str>,
    sections: Vec<SectionView>,
    symptoms: Vec<(String, String, &'static str)>,
    references: Vec<String>,
    parent: Option<Link>,
    variants: Vec<Link>,
    case: Option<String>,
    /// For the button that says that the fix was applied.
    id: String,
}

struct SectionView {
    /// The place of the page by which links lead here.
    id: &'static str,
    title: String,
    html: Html,
    /// Fixes for systems and ways to check; the first kind may be folded.
    parts: Vec<Part>,
}

struct Part {
    title: String,
    html: Html,
    commands: Option<Commands>,
    address: Option<String>,
    open: bool,
}

/// `GET /causes/{id}`.
pub(in crate::http) async fn cause(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    Query(reader): Query<Reader>,
) -> Result<Response, PageError> {
    let (subject, edge, case) = of_case(&shared, &reader.case).await;
    let engine = shared.app.engine();
    let graph = engine.graph();
    let Some(cause) = graph.cause(&id) else {
        let names = graph
            .causes
            .iter()
            .map(|cause| (cause.id.as_str(), cause.title.as_str()));
        return Err(PageError::unknown(near(&id, "causes", names)));
    };
    let system = if reader.system.is_empty() {
        edge.unwrap_or_default()
    } else {
        reader.system
    };
    let is_private = case.is_some();
    let page = CausePage::new(&shared, graph, cause, &subject, &system, case);
    let response = respond(StatusCode::OK, &page);
    Ok(if is_private {
        unlisted(response)
    } else {
        response
    })
}

/// What a case tells for the pages that its page leads to. A case that is gone tells nothing.
async fn of_case(shared: &Shared, id: &str) -> (Subject, Option<String>, Option<String>) {
    if !id.is_empty()
        && let Ok(found) = shared.app.case(id).await
    {
        return (
            found.diagnosis.subject,
            found.diagnosis.edge,
            Some(found.case.id),
        );
    }
    (Subject::default(), None, None)
}

impl CausePage {
    fn new(
        shared: &Shared,
        graph: &Graph,
        cause: &Cause,
        subject: &Subject,
        system: &str,
        case: Option<String>,
    ) -> Self {
        let t = Messages::english();
        let page = Page::of(shared, cause.title.as_str());
        let mut symptoms: Vec<_> = cause
            .symptoms
            .iter()
            .filter_map(|(id, frequency)| Some((graph.symptom(id)?, frequency)))
            .collect();
        symptoms.sort_by(|a, b| b.1.cmp(a.1).then_with(|| a.0.id.cmp(&b.0.id)));
        CausePage {
            t,
            page: if case.is_some() { page.private() } else { page },
            title: cause.title.clone(),
            layer: t.get(words::layer(cause.layer)),
            explained: t.get(words::layer_explained(cause.layer)),
            prior: t.get(words::prior(cause.prior)),
            fix: cause.fix.as_ref().map(|fix| {
                let minutes = words::minutes(t, fix.minutes);
                let (risk, who) = (t.get(words::risk(fix.risk)), t.get(words::who(fix.who)));
                t.fill(
                    "cause.figures",
                    &[("minutes", &minutes), ("risk", &risk), ("who", &who)],
                )
            }),
            summary: markdown::render(&subject.fill(summary(cause))),
            left_open: left_open(t, graph, cause, subject),
            sections: section_views(t, graph, cause, subject, system),
            symptoms: symptoms
                .into_iter()
                .map(|(symptom, frequency)| {
                    (
                        format!("/symptoms/{}", symptom.id),
                        words::capitalised(&symptom.title),
                        t.get(words::frequency(*frequency)),
                    )
                })
                .collect(),
            references: references(&cause.references),
            parent: cause
                .parent
                .as_deref()
                .and_then(|id| graph.cause(id))
                .map(cause_link),
            variants: graph
                .causes
                .iter()
                .filter(|other| other.parent.as_deref() == Some(&cause.id))
                .map(cause_link)
                .collect(),
            case,
            id: cause.id.clone(),
        }
    }
}

/// Says what the words mean that stand for what the case does not tell.
fn left_open(
    t: &'static Messages,
    graph: &Graph,
    cause: &Cause,
    subject: &Subject,
) -> Vec<&'static str> {
    let checks = cause.checks.iter().filter_map(|id| graph.check(id));
    let commands = checks.flat_map(|check| check.commands.values());
    let texts = std::iter::once(&cause.body).chain(commands);
    let words: BTreeSet<&str> = texts.flat_map(|text| subject.left_open(text)).collect();
    let explained = [("HOST", "cause.own-host"), ("/PATH", "cause.own-path")];
    explained
        .into_iter()
        .filter(|(word, _)| words.contains(word))
        .map(|(_, key)| t.get(key))
        .collect()
}

/// The prose in its order: what stands before the fixes, the checks, the fixes, the rest.
fn section_views(
    t: &Messages,
    graph: &Graph,
    cause: &Cause,
    subject: &Subject,
    system: &str,
) -> Vec<SectionView> {
    let plain = |section: &Section<'_>| SectionView {
        id: "",
        title: section.title.to_owned(),
        html: markdown::render(&subject.fill(section.markdown)),
        parts: Vec::new(),
    };
    let all = sections(&cause.body);
    let is_fix = |section: &&Section<'_>| section.fix_system().is_some();
    let first_fix = all
        .iter()
        .position(|section| is_fix(&section))
        .unwrap_or(all.len());
    let mut views: Vec<SectionView> = all[..first_fix].iter().skip(1).map(plain).collect();
    views.extend(check_section(t, graph, cause, subject));
    views.extend(fix_section(t, &all, subject, system));
    views.extend(
        all[first_fix..]
            .iter()
            .filter(|section| !is_fix(section))
            .map(plain),
    );
    views
}

fn check_section(
    t: &Messages,
    graph: &Graph,
    cause: &Cause,
    subject: &Subject,
) -> Option<SectionView> {
    let parts: Vec<Part> = cause
        .checks
        .iter()
        .filter_map(|id| graph.check(id))
        .map(|check| Part {
            title: check.title.clone(),
            html: markdown::render(&subject.fill(&check.instruction)),
            commands: Some(commands_of(t, check, subject)),
            address: Some(format!("/checks/{}", check.id)),
            open: false,
        })
        .collect();
    (!parts.is_empty()).then(|| SectionView {
        id: "checks",
        title: t.get("cause.checks").to_owned(),
        html: Html::default(),
        parts,
    })
}

/// What holds everywhere, then one part a system; the asked-for one first and open.
fn fix_section(
    t: &Messages,
    all: &[Section<'_>],
    subject: &Subject,
    system: &str,
) -> Option<SectionView> {
    let fixes: Vec<(&str, &Section<'_>)> = all
        .iter()
        .filter_map(|section| Some((section.fix_system()?, section)))
        .collect();
    if fixes.is_empty() {
        return None;
    }
    let system = system.to_lowercase();
    let fits = |name: &str| !system.is_empty() && name.to_lowercase().contains(&system);
    let everywhere: Vec<&str> = fixes
        .iter()
        .filter(|(name, _)| name.is_empty())
        .map(|(_, section)| section.markdown)
        .collect();
    let mut parts: Vec<Part> = fixes
        .iter()
        .filter(|(name, _)| !name.is_empty())
        .map(|(name, section)| Part {
            title: t.with("cause.fix-for", "system", name),
            html: markdown::render(&subject.fill(section.markdown)),
            commands: None,
            address: None,
            open: fits(name),
        })
        .collect();
    parts.sort_by_key(|part| !part.open);
    for (place, part) in parts.iter_mut().enumerate() {
        part.open = place == 0 && (part.open || everywhere.is_empty());
    }
    Some(SectionView {
        id: "fix",
        title: t.get("cause.fix").to_owned(),
        html: markdown::render(&subject.fill(&everywhere.join("\n\n"))),
        parts,
    })
}

fn commands_of(t: &Messages, check: &Check, subject: &Subject) -> Commands {
    let filled: BTreeMap<String, String> = check
        .commands
        .iter()
        .map(|(system, command)| (system.clone(), subject.fill(command)))
        .collect();
    Commands::new(t, &filled, "linux")
}

#[derive(Template)]
#[template(path = "pages/symptom.html")]
struct SymptomPage {
    t: &'static Messages,
    page: Page,
    title: String,
    text: Html,
    less_exact: Option<Link>,
    more_exact: Vec<Link>,
    causes: Vec<(Link, &'static str)>,
}

/// `GET /symptoms/{id}`.
pub(in crate::http) async fn symptom(
    State(shared): State<Shared>,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let t = Messages::english();
    let engine = shared.app.engine();
    let graph = engine.graph();
    let Some(symptom) = graph.symptom(&id) else {
        let names = graph
            .symptoms
            .iter()
            .map(|symptom| (symptom.id.as_str(), symptom.title.as_str()));
        return Err(PageError::unknown(near(&id, "symptoms", names)));
    };
    let link = |symptom: &crate::engine::graph::Symptom| Link {
        address: format!("/symptoms/{}", symptom.id),
        title: words::capitalised(&symptom.title),
    };
    let mut causes: Vec<_> = graph
        .causes
        .iter()
        .filter_map(|cause| Some((cause, *cause.symptoms.get(&symptom.id)?)))
        .collect();
    causes.sort_by_key(|(cause, frequency)| std::cmp::Reverse((*frequency, cause.prior)));
    let title = t.with("symptom.title", "symptom", &symptom.title);
    let page = SymptomPage {
        t,
        page: Page::of(&shared, title.as_str()),
        title,
        text: markdown::render(&symptom.text),
        less_exact: symptom
            .refines
            .as_deref()
            .and_then(|id| graph.symptom(id))
            .map(link),
        more_exact: graph
            .symptoms
            .iter()
            .filter(|other| other.refines.as_deref() == Some(&symptom.id))
            .map(link)
            .collect(),
        causes: causes
            .into_iter()
            .map(|(cause, frequency)| (cause_link(cause), t.get(words::frequency(frequency))))
            .collect(),
    };
    Ok(respond(StatusCode::OK, &page))
}

#[derive(Template)]
#[template(path = "pages/code.html")]
struct CodePage {
    t: &'static Messages,
    page: Page,
    code: String,
    meanings: Vec<Meaning>,
}

struct Meaning {
    family: String,
    title: String,
    text: Html,
    causes: Vec<Link>,
    references: Vec<String>,
}

/// `GET /codes/{code}`: what every vendor means by it.
pub(in crate::http) async fn code(
    State(shared): State<Shared>,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let t = Messages::english();
    let engine = shared.app.engine();
    let graph = engine.graph();
    let meanings: Vec<Meaning> = graph
        .codes_meant(&id)
        .into_iter()
        .map(|code: &Code| Meaning {
            family: words::family(t, &code.family),
            title: code.title.clone(),
            text: markdown::render(&code.text),
            causes: cause_links(graph, &code.causes),
            references: references(&code.references),
        })
        .collect();
    if meanings.is_empty() {
        let names = graph
            .codes
            .iter()
            .map(|code| (code.id.as_str(), code.title.as_str()));
        return Err(PageError::unknown(near(&id, "codes", names)));
    }
    let page = CodePage {
        t,
        page: Page::of(&shared, t.with("codes.heading", "code", &id)),
        code: t.with("codes.heading", "code", &id),
        meanings,
    };
    Ok(respond(StatusCode::OK, &page))
}

fn code_address(id: &str) -> String {
    let id = percent_encoding::utf8_percent_encode(id, percent_encoding::NON_ALPHANUMERIC);
    format!("/codes/{id}")
}

#[derive(Template)]
#[template(path = "pages/advice.html")]
struct AdvicePage {
    t: &'static Messages,
    page: Page,
    title: String,
    summary: String,
    text: Html,
    causes: Vec<Link>,
    references: Vec<String>,
}

/// `GET /advice/{id}`.
pub(in crate::http) async fn advice(
    State(shared): State<Shared>,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let engine = shared.app.engine();
    let graph = engine.graph();
    let Some(advice) = graph.advice(&id) else {
        let names = graph
            .advice
            .iter()
            .map(|advice| (advice.id.as_str(), advice.title.as_str()));
        return Err(PageError::unknown(near(&id, "advice", names)));
    };
    let page = AdvicePage {
        t: Messages::english(),
        page: Page::of(&shared, advice.title.as_str()),
        title: advice.title.clone(),
        summary: advice.summary.clone(),
        text: markdown::render(&Subject::default().fill(&advice.body)),
        causes: cause_links(graph, &advice.causes),
        references: references(&advice.references),
    };
    Ok(respond(StatusCode::OK, &page))
}

#[derive(Template)]
#[template(path = "pages/check.html")]
struct CheckPage {
    t: &'static Messages,
    page: Page,
    title: String,
    kind: &'static str,
    minutes: String,
    who: &'static str,
    instruction: Html,
    commands: Commands,
    answers: Vec<String>,
    causes: Vec<Link>,
}

/// `GET /checks/{id}`.
pub(in crate::http) async fn check(
    State(shared): State<Shared>,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let t = Messages::english();
    let engine = shared.app.engine();
    let graph = engine.graph();
    let Some(check) = graph.check(&id) else {
        let names = graph
            .checks
            .iter()
            .map(|check| (check.id.as_str(), check.title.as_str()));
        return Err(PageError::unknown(near(&id, "checks", names)));
    };
    let subject = Subject::default();
    let page = CheckPage {
        t,
        page: Page::of(&shared, check.title.as_str()),
        title: check.title.clone(),
        kind: t.get(words::check_kind(check.kind)),
        minutes: words::minutes(t, check.minutes),
        who: t.get(words::who(check.who)),
        instruction: markdown::render(&subject.fill(&check.instruction)),
        commands: commands_of(t, check, &subject),
        answers: check
            .answers
            .iter()
            .map(|answer| answer.title.clone())
            .collect(),
        causes: graph
            .causes
            .iter()
            .filter(|cause| cause.checks.contains(&check.id))
            .map(cause_link)
            .collect(),
    };
    Ok(respond(StatusCode::OK, &page))
}

/// What is looked for.
#[derive(Deserialize)]
pub(in crate::http) struct Wanted {
    #[serde(default)]
    q: String,
}

#[derive(Template)]
#[template(path = "pages/search.html")]
struct SearchPage {
    t: &'static Messages,
    page: Page,
    query: String,
    hits: Vec<HitView>,
}

struct HitView {
    kind: &'static str,
    title: String,
    address: String,
    excerpt: String,
    /// The beginning of the page itself, for the first results.
    summary: Option<Html>,
}

/// `GET /search?q=`.
pub(in crate::http) async fn search(
    State(shared): State<Shared>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, PageError> {
    let t = Messages::english();
    let hits = shared.app.search(&wanted.q).await?;
    let engine = shared.app.engine();
    let hits = hits
        .into_iter()
        .enumerate()
        .map(|(place, hit)| HitView {
            kind: t.get(words::page_kind(&hit.kind)),
            summary: beginning(engine.graph(), &hit.kind, &hit.id, &hit.title)
                .filter(|_| place < WITH_SUMMARY),
            title: hit.title,
            address: hit.url,
            excerpt: markdown::plain(&hit.excerpt),
        })
        .collect();
    let mut page = Page::of(&shared, t.with("search.title", "query", &wanted.q)).private();
    page.query.clone_from(&wanted.q);
    let page = SearchPage {
        t,
        page,
        query: wanted.q,
        hits,
    };
    Ok(respond(StatusCode::OK, &page))
}

/// Enough of a found page to act on.
fn beginning(graph: &Graph, kind: &str, id: &str, title: &str) -> Option<Html> {
    let text = match kind {
        "cause" => summary(graph.cause(id)?).to_owned(),
        "advice" => graph.advice(id)?.summary.clone(),
        "code" => {
            let code = graph.codes(id).find(|code| code.title == title)?;
            code.text.clone()
        }
        "check" => graph.check(id)?.instruction.clone(),
        _ => return None,
    };
    Some(markdown::render(&Subject::default().fill(&text)))
}

/// The pages of a folder whose name is like the wanted one, most alike first.
fn near<'a>(
    wanted: &str,
    folder: &str,
    names: impl Iterator<Item = (&'a str, &'a str)>,
) -> Vec<(String, String)> {
    let named: BTreeMap<&str, &str> = names.collect();
    near_names(wanted, named.keys().copied(), MOST_NEAR)
        .into_iter()
        .map(|id| {
            let address =
                percent_encoding::utf8_percent_encode(id, percent_encoding::NON_ALPHANUMERIC);
            (format!("/{folder}/{address}"), named[id].to_owned())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_like_the_wanted_one_are_offered() {
        let names = [
            ("1006", "a"),
            ("1005", "b"),
            ("ECONNREFUSED", "c"),
            ("ECONNRESET", "d"),
            ("400", "e"),
        ];
        let found = |wanted: &str| -> Vec<String> {
            near(wanted, "codes", names.into_iter())
                .into_iter()
                .map(|(address, _)| address)
                .collect()
        };
        assert_eq!(found("1007"), ["/codes/1005", "/codes/1006"]);
        assert_eq!(found("econnrefuse"), ["/codes/ECONNREFUSED"]);
        assert_eq!(found("zzzz"), Vec::<String>::new());
    }

    #[test]
    fn the_system_that_is_in_use_comes_first() {
        let body =
            "Intro.\n## Fix\nAll.\n## Fix on Apache\nA {host}.\n## Fix on nginx\nN.\n## Verify\nV.";
        let all = sections(body);
        let subject = Subject {
            host: Some("a.example".into()),
            ..Subject::default()
        };
        let view = fix_section(Messages::english(), &all, &subject, "nginx").expect("fixes");
        assert!(view.html.0.contains("All."));
        assert!(view.parts[0].title.contains("nginx") && view.parts[0].open);
        assert!(!view.parts[1].open && view.parts[1].html.0.contains("A a.example."));
    }
}
