//! The service as tests see it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tempfile::TempDir;
use tower::ServiceExt as _;
use wsdoctor::app::App;
use wsdoctor::config::Settings;
use wsdoctor::engine::knowledge::{SourceFile, read};
use wsdoctor::engine::{Diagnosis, Engine, Evidence};
use wsdoctor::probe::Resolve;
use wsdoctor::store::files;
use wsdoctor::store::sqlite::SqliteStore;

/// The shipped knowledge, compiled once for all tests.
pub(crate) static ENGINE: LazyLock<Engine> = LazyLock::new(|| Engine::new(read(&shipped()).graph));

/// The shipped knowledge files.
pub(crate) fn shipped() -> Vec<SourceFile> {
    files::shipped()
}

/// Knowledge that changes only with the tests: three families of causes.
pub(crate) fn small_knowledge() -> Vec<SourceFile> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures/knowledge");
    files::read_folder(&folder).expect("the knowledge of the tests")
}

/// Diagnoses a text without a service around it.
pub(crate) fn diagnose(text: &str) -> Diagnosis {
    ENGINE.diagnose(&[Evidence {
        text: Some(text.to_owned()),
        ..Evidence::default()
    }])
}

/// Files that lie beside the project where it is developed and measured.
pub(crate) fn shared(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()?
        .join("shared")
        .join(name);
    path.exists().then_some(path)
}

/// A service with a database of its own.
pub(crate) struct TestApp {
    pub(crate) router: Router,
    pub(crate) app: Arc<App>,
    pub(crate) folder: TempDir,
}

/// An answer, read whole.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: axum::http::HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {}", self.body))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }
}

/// The address of a database file.
pub(crate) fn address(path: &Path) -> String {
    format!("sqlite://{}", path.display())
}

impl TestApp {
    pub(crate) async fn start() -> Self {
        TestApp::with(Settings::default()).await
    }

    pub(crate) async fn with(settings: Settings) -> Self {
        TestApp::knowing(settings, &shipped()).await
    }

    /// With other knowledge than the shipped.
    pub(crate) async fn knowing(settings: Settings, knowledge: &[SourceFile]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        TestApp::in_folder(folder, settings, knowledge).await
    }

    /// The same database, served by a program that ships this knowledge.
    pub(crate) async fn restart_with(self, knowledge: &[SourceFile]) -> Self {
        self.app.close().await;
        TestApp::in_folder(self.folder, Settings::default(), knowledge).await
    }

    /// With another resolver of names.
    pub(crate) async fn resolving(settings: Settings, resolver: Arc<dyn Resolve>) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let store = SqliteStore::open(&address(&folder.path().join("test.db")))
            .await
            .expect("a database");
        let app = App::start(Arc::new(store), &shipped())
            .await
            .expect("knowledge")
            .with_probes(&settings)
            .expect("settings")
            .with_resolver(resolver);
        let app = Arc::new(app);
        TestApp {
            router: wsdoctor::http::router(app.clone(), Arc::new(settings)),
            app,
            folder,
        }
    }

    async fn in_folder(folder: TempDir, settings: Settings, knowledge: &[SourceFile]) -> Self {
        let store = SqliteStore::open(&address(&folder.path().join("test.db")))
            .await
            .expect("a database");
        let app = App::start(Arc::new(store), knowledge)
            .await
            .expect("knowledge");
        let app = Arc::new(app.with_probes(&settings).expect("settings"));
        TestApp {
            router: wsdoctor::http::router(app.clone(), Arc::new(settings)),
            app,
            folder,
        }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self
            .router
            .clone()
            .oneshot(request)
            .await
            .expect("routers do not fail");
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("a whole body").to_bytes();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8(bytes.to_vec()).expect("UTF-8"),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        let request = Request::get(path).body(Body::empty()).expect("a request");
        self.send(request).await
    }

    pub(crate) async fn post(&self, path: &str, kind: &str, body: impl Into<Body>) -> Answer {
        let request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header(header::CONTENT_TYPE, kind)
            .body(body.into())
            .expect("a request");
        self.send(request).await
    }

    pub(crate) async fn post_json(&self, path: &str, body: &Value) -> Answer {
        self.post(path, "application/json", body.to_string()).await
    }
}
