//! The page, as the web crate built it, served to this machine alone.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
};

use axum::{
    Router,
    extract::{Request, State},
    http::{Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use include_dir::Dir;

use crate::exit::Exit;

/// The page's files, where `cargo xtask build` had made them when this program was built.
#[cfg(umem_page)]
pub static FILES: Option<&Dir<'static>> = {
    static STATIC: Dir<'static> = include_dir::include_dir!("$CARGO_MANIFEST_DIR/../static");
    Some(&STATIC)
};
/// The page had not been built when this program was.
#[cfg(not(umem_page))]
pub static FILES: Option<&Dir<'static>> = None;

/// Where the loaded scenario is served.
const SCENARIO: &str = "scenario.json";

const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
                      require-trusted-types-for 'script'; trusted-types umem";
/// mdBook's pages bring scripts and styles of their own in their text, and frame their table of contents; theirs alone is milder.
const BOOK_POLICY: &str =
    "default-src 'self' data: 'unsafe-inline' 'wasm-unsafe-eval'; frame-ancestors 'self'";

/// A server of the page's files and one scenario.
pub struct Server {
    listener: TcpListener,
    site: Site,
}

/// What it gives.
struct Site {
    address: SocketAddr,
    files: &'static Dir<'static>,
    scenario: Option<String>,
}

impl Server {
    /// Takes the port.
    pub fn bind(
        address: SocketAddr,
        files: &'static Dir<'static>,
        scenario: Option<String>,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let site = Site {
            address,
            files,
            scenario,
        };
        Ok(Self { listener, site })
    }

    /// Where the page is.
    pub fn url(&self) -> String {
        let query = if self.site.scenario.is_some() {
            format!("?src={SCENARIO}")
        } else {
            String::new()
        };
        format!("http://{}/{query}", self.site.address)
    }

    /// Answers requests until the process is stopped.
    pub fn run(self) -> anyhow::Result<Exit> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(self.listener)?;
            let routes = Router::new()
                .fallback(
                    |State(site): State<Arc<Site>>, request| async move { site.answer(&request) },
                )
                .with_state(Arc::new(self.site));
            axum::serve(listener, routes).await
        })?;
        Ok(Exit::Held)
    }
}

impl Site {
    fn answer(&self, request: &Request) -> Response {
        if !self.is_ours(request) {
            return plain(
                StatusCode::FORBIDDEN,
                "this server answers to its own address alone",
            );
        }
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return plain(StatusCode::METHOD_NOT_ALLOWED, "this server only gives");
        }
        let path = request.uri().path().trim_start_matches('/');
        let path = match path {
            "" => "index.html".to_owned(),
            folder if folder.ends_with('/') => format!("{folder}index.html"),
            file => file.to_owned(),
        };
        match (&self.scenario, self.files.get_file(&path)) {
            (Some(json), _) if path == SCENARIO => {
                answer(StatusCode::OK, "application/json", POLICY, json.clone())
            }
            (_, Some(found)) => {
                let kind = mime_guess::from_path(&path).first_or_octet_stream();
                let policy = match path.starts_with("book/") {
                    true => BOOK_POLICY,
                    false => POLICY,
                };
                answer(StatusCode::OK, kind.essence_str(), policy, found.contents())
            }
            _ => plain(StatusCode::NOT_FOUND, "no such file"),
        }
    }

    /// Whether the request names this server, and not a foreign name that resolves to it (DNS rebinding).
    fn is_ours(&self, request: &Request) -> bool {
        let port = self.address.port();
        let host = request.headers().get(header::HOST);
        host.is_some_and(|host| {
            host == format!("127.0.0.1:{port}").as_str()
                || host == format!("localhost:{port}").as_str()
        })
    }
}

fn plain(code: StatusCode, text: &'static str) -> Response {
    answer(code, "text/plain", POLICY, text)
}

fn answer(code: StatusCode, kind: &str, policy: &str, body: impl IntoResponse) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (
        code,
        headers.map(|(name, value)| (name, value.to_owned())),
        body,
    )
        .into_response()
}
