//! The shipped knowledge: right by its own check, and the same after a way through the database.

use std::collections::BTreeSet;
use std::sync::Arc;

use wsdoctor::app::App;
use wsdoctor::engine::graph::Graph;
use wsdoctor::engine::knowledge::{Severity, SourceFile, check, doubts, read};
use wsdoctor::engine::learned::LearnedPriors;
use wsdoctor::engine::{Engine, Evidence};
use wsdoctor::store::Store as _;
use wsdoctor::store::files;
use wsdoctor::store::sqlite::SqliteStore;

use crate::support::{TestApp, address, shared, shipped, small_knowledge};

fn graph() -> Graph {
    read(&shipped()).graph
}

#[test]
fn the_shipped_knowledge_has_no_errors() {
    let read = read(&shipped());
    let errors: Vec<String> = check(&read)
        .iter()
        .chain(&doubts(&read))
        .filter(|problem| problem.severity == Severity::Error)
        .map(ToString::to_string)
        .collect();
    assert!(errors.is_empty(), "{}", errors.join("\n"));
}

#[test]
fn every_cause_that_answers_use_can_be_named() {
    let Some(path) = shared("evaluation/causes.toml") else {
        return;
    };
    let text = std::fs::read_to_string(path).expect("causes.toml");
    let table: toml::Table = text.parse().expect("TOML");
    let wanted: BTreeSet<&String> = table["causes"]
        .as_table()
        .expect("a table")
        .keys()
        .collect();
    let graph = graph();
    let roots: BTreeSet<&String> = graph
        .causes
        .iter()
        .filter(|cause| cause.parent.is_none())
        .map(|cause| &cause.id)
        .collect();
    assert_eq!(roots, wanted);
}

#[tokio::test]
async fn files_and_database_hold_the_same_graph() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = SqliteStore::open(&address(&folder.path().join("graph.db")))
        .await
        .expect("a database");
    let graph = graph();
    store.import(&graph, "x", &[]).await.expect("an import");
    let stored = store.graph().await.expect("a graph");
    assert_eq!(stored, graph);
    // A second import replaces the first and leaves nothing over.
    let mut fewer = graph.clone();
    fewer
        .causes
        .retain(|cause| cause.layer.as_str() != "session");
    fewer.advice.clear();
    store.import(&fewer, "y", &[]).await.expect("an import");
    assert_eq!(store.graph().await.expect("a graph"), fewer);
    store.close().await;
}

#[tokio::test]
async fn shipped_knowledge_is_imported_only_when_it_changed() {
    let test = TestApp::start().await;
    let hash = test.app.engine().hash().to_owned();
    assert_eq!(hash, Engine::new(graph()).hash());
}

#[test]
fn an_engine_with_a_kept_index_says_the_same() {
    let (first, index) = Engine::with_kept_index(graph(), LearnedPriors::default(), &[]);
    let index = index.expect("an index to keep");
    let kept: [&[u8]; 2] = [b"nothing", &index];
    let (again, new) = Engine::with_kept_index(graph(), LearnedPriors::default(), &kept);
    assert_eq!(new, None, "the kept index counts");
    assert_eq!(
        files::shipped_index(),
        index,
        "so does the one in the program"
    );
    let examples = first.graph().patterns();
    for example in examples.flat_map(|(_, pattern)| &pattern.examples) {
        let evidence = [Evidence {
            text: Some(example.clone()),
            ..Evidence::default()
        }];
        let facts = |engine: &Engine| engine.diagnose(&evidence).facts;
        assert_eq!(facts(&first), facts(&again), "{example}");
    }
    let mut other = graph();
    other.systems.pop();
    let (_, new) = Engine::with_kept_index(other, LearnedPriors::default(), &kept);
    assert!(new.is_some(), "the index of other knowledge does not count");
}

#[tokio::test]
async fn the_index_is_kept_for_the_next_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = address(&folder.path().join("kept.db"));
    let mut kept = Vec::new();
    for start in ["first", "second", "after damage"] {
        let store = Arc::new(SqliteStore::open(&path).await.expect("a database"));
        if start == "after damage" {
            store.keep_index(b"nothing").await.expect("a write");
        }
        App::start(store.clone(), &small_knowledge())
            .await
            .expect("a start");
        kept.push(store.kept_index().await.expect("a read"));
        store.close().await;
    }
    assert!(kept[0].is_some());
    assert_eq!(kept[0], kept[1]);
    assert_eq!(kept[0], kept[2], "worked out anew");
}

fn problems_of(name: &str, text: &str) -> Vec<String> {
    let files = [SourceFile {
        name: name.to_owned(),
        text: text.to_owned(),
    }];
    check(&read(&files))
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn errors_name_file_line_and_what_to_write() {
    let unknown = problems_of(
        "symptoms/a.toml",
        "[[symptom]]\nid = \"x\"\ntitle = \"t\"\nwhen = { key = \"k\", is = \"v\" }\ntitel = \"t\"\n",
    );
    assert!(
        unknown[0].starts_with("symptoms/a.toml:5: error: unknown field `titel`, expected one of"),
        "{unknown:?}"
    );
    let predicate = problems_of(
        "symptoms/a.toml",
        "[[symptom]]\nid = \"x\"\ntitle = \"t\"\nwhen = { key = \"k\" }\n",
    );
    assert!(
        predicate[0].contains("a predicate is one of"),
        "{predicate:?}"
    );
    let front = problems_of("causes/x.md", "no front matter");
    assert!(
        front[0].contains("begins with TOML front matter"),
        "{front:?}"
    );
    let line = problems_of(
        "causes/x.md",
        "+++\nid = \"x\"\nprior = \"sometimes\"\n+++\nText",
    );
    assert!(
        line[0].starts_with("causes/x.md:3:") || line[0].contains("missing field"),
        "{line:?}"
    );
}

#[test]
fn a_fence_without_a_language_is_warned_about() {
    let front = "+++\nid = \"a\"\ntitle = \"t\"\nsummary = \"s\"\n+++\n";
    let text = format!("{front}Text\n```sh\nls\n```\n\n```\nls -l\n```\n");
    let problems = problems_of("advice/a.md", &text);
    let fences: Vec<&String> = problems
        .iter()
        .filter(|problem| problem.contains("a fence without a language"))
        .collect();
    assert_eq!(fences.len(), 1, "{problems:?}");
    assert!(
        fences[0].starts_with("advice/a.md:11: warning"),
        "{fences:?}"
    );
}

#[test]
fn a_pattern_that_misses_its_example_or_takes_a_near_miss_is_an_error() {
    let symptom = SourceFile {
        name: "symptoms/a.toml".to_owned(),
        text: "[[symptom]]\nid = \"s\"\ntitle = \"t\"\nwhen = { key = \"k\", is = \"v\" }\n"
            .to_owned(),
    };
    let pattern = SourceFile {
        name: "patterns/p.toml".to_owned(),
        text: "title = \"P\"\n[[pattern]]\nid = \"p\"\nregex = 'abc+'\nfacts = { k = \"v\" }\nexamples = [\"xyz\"]\nnear_misses = [\"xabcx\"]\n[[pattern]]\nid = \"q\"\nregex = '.*'\nfacts = { k = \"w\" }\n".to_owned(),
    };
    let problems: Vec<String> = check(&read(&[symptom, pattern]))
        .iter()
        .map(ToString::to_string)
        .collect();
    let has = |words: &str| problems.iter().any(|problem| problem.contains(words));
    assert!(has("does not match its example"), "{problems:?}");
    assert!(has("matches its near miss"), "{problems:?}");
    assert!(has("requires no literal text"), "{problems:?}");
    assert!(has("write one of v"), "{problems:?}");
}

/// A copy of the shipped files in which one cause has another title.
fn retitled(title: &str) -> Vec<SourceFile> {
    let mut files = shipped();
    let file = files
        .iter_mut()
        .find(|file| file.name == "causes/tcp-server-not-running.md")
        .expect("the cause");
    let (before, rest) = file.text.split_once("title = \"").expect("a title");
    let (_, after) = rest.split_once('"').expect("its end");
    file.text = format!("{before}title = \"{title}\"{after}");
    files
}

#[tokio::test]
async fn what_is_changed_here_keeps_its_versions_and_survives_an_upgrade() {
    let test = TestApp::start().await;
    let import = async |files: &[SourceFile], note: &str| {
        test.app
            .import_knowledge(&shipped(), files, "kim", note, jiff::Timestamp::UNIX_EPOCH)
            .await
            .expect("an import")
    };
    assert_eq!(import(&shipped(), "nothing new").await.changed, 0);
    assert_eq!(import(&retitled("First"), "one").await.changed, 1);
    assert_eq!(import(&retitled("Second"), "two").await.changed, 1);
    let title = |app: &App| {
        let engine = app.engine();
        let cause = engine.graph().cause("tcp-server-not-running");
        cause.expect("the cause").title.clone()
    };
    // It counts at once, without a restart.
    assert_eq!(title(&test.app), "Second");
    let local = test.app.local_entries(&shipped()).await.expect("entries");
    assert_eq!(local.len(), 1);
    let notes: Vec<&str> = local[0]
        .versions
        .iter()
        .map(|version| version.change.note.as_str())
        .collect();
    assert_eq!(notes, ["one", "two"]);
    assert!(!local[0].shipped_changed_since);

    // A newer program ships another text of the same entry: the local one stays, and says so.
    let newer = retitled("Shipped later");
    let test = test.restart_with(&newer).await;
    assert_eq!(title(&test.app), "Second");
    let local = test.app.local_entries(&newer).await.expect("entries");
    assert!(local[0].shipped_changed_since);

    // What is written out and read in again is the same.
    let files = test.app.knowledge_files(&newer).await.expect("files");
    assert_eq!(
        Engine::new(read(&files).graph).hash(),
        test.app.engine().hash()
    );

    // Importing the shipped text takes the local version back.
    let back = test
        .app
        .import_knowledge(&newer, &newer, "kim", "back", jiff::Timestamp::UNIX_EPOCH)
        .await
        .expect("an import");
    assert_eq!((back.changed, back.taken_back), (0, 1));
    assert_eq!(title(&test.app), "Shipped later");
}

#[tokio::test]
async fn a_faulty_change_is_refused_whole() {
    let test = TestApp::start().await;
    let before = test.app.engine().hash().to_owned();
    let mut files = retitled("Good");
    let cause = files
        .iter_mut()
        .find(|file| file.name == "causes/proxy-idle-timeout.md")
        .expect("the cause");
    cause.text = cause.text.replace("shows_at", "shows_where");
    let error = test
        .app
        .import_knowledge(&shipped(), &files, "kim", "", jiff::Timestamp::UNIX_EPOCH)
        .await
        .expect_err("a refusal");
    assert!(
        error.to_string().contains("causes/proxy-idle-timeout.md:"),
        "{error}"
    );
    assert_eq!(test.app.engine().hash(), before);
    assert!(
        test.app
            .local_entries(&shipped())
            .await
            .expect("entries")
            .is_empty()
    );
}

#[tokio::test]
async fn a_local_entry_that_no_longer_fits_is_set_aside() {
    let test = TestApp::start().await;
    let mut files = shipped();
    files.push(SourceFile {
        name: "advice/ours.md".to_owned(),
        text: "+++\nid = \"ours\"\ntitle = \"Ours\"\nsummary = \"s\"\nkeywords = [\"k\"]\ncauses = [\"tcp-server-not-running\"]\nreferences = [\"https://a.example/\"]\n+++\nSee [it](/causes/tcp-server-not-running).\n".to_owned(),
    });
    test.app
        .import_knowledge(&shipped(), &files, "kim", "", jiff::Timestamp::UNIX_EPOCH)
        .await
        .expect("an import");
    assert!(test.app.engine().graph().advice("ours").is_some());
    let fewer: Vec<SourceFile> = crate::support::small_knowledge();
    let test = test.restart_with(&fewer).await;
    assert!(test.app.engine().graph().advice("ours").is_none());
    // Nothing is lost: with the old program it is back.
    let test = test.restart_with(&shipped()).await;
    assert!(test.app.engine().graph().advice("ours").is_some());
}
