//! `cargo xtask serve`: the page on this machine's own address, under the strict policy that it must work with anywhere.

mod reload;
mod waiting;

pub use waiting::Stage;

use crate::place;
use anyhow::{Context, Result, anyhow};
use axum::http::{HeaderName, HeaderValue};
use axum::{Router, middleware};
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::thread::{self, JoinHandle};
use tokio::sync::watch::{self, Receiver, Sender};
use tower_http::services::ServeDir;
use tower_http::set_header::SetResponseHeaderLayer;

/// What a careful server says with every file: of the page, what it may do is to run its own scripts and wasm, and to use its own styles,
/// images and files. mdBook's pages bring scripts and styles of their own in their text; theirs alone is milder.
const HEADERS: [Section; 2] = [
    (
        "/*",
        &[
            (
                "Content-Security-Policy",
                "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                 frame-ancestors 'self'",
            ),
            ("X-Content-Type-Options", "nosniff"),
            // Each file is asked for again, which costs a short answer: that it is the same.
            ("Cache-Control", "no-cache"),
        ],
    ),
    (
        "/book/*",
        &[
            (
                "Content-Security-Policy",
                "default-src 'self' data: 'unsafe-inline' 'wasm-unsafe-eval'; frame-ancestors 'self'",
            ),
            ("X-Content-Type-Options", "nosniff"),
            ("Cache-Control", "no-cache"),
        ],
    ),
];

/// Which files, and the headers that they come with.
pub type Section = (&'static str, &'static [(&'static str, &'static str)]);

/// The headers that the site wants, most general files first.
pub fn headers() -> &'static [Section] {
    &HEADERS
}

/// A server that holds its port and does not answer yet.
pub struct Site {
    listener: TcpListener,
    root: PathBuf,
    reloads: bool,
}

impl Site {
    /// Takes the port; 0 is any free one.
    pub fn new(port: u16) -> Result<Self> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let listener = TcpListener::bind(address).map_err(|error| match error.kind() {
            ErrorKind::AddrInUse => {
                anyhow!("port {port} is taken; choose another with --port (0: any free one)")
            }
            _ => anyhow!("cannot listen on port {port}: {error}"),
        })?;
        Ok(Site {
            listener,
            root: place::workspace().join("static"),
            reloads: false,
        })
    }

    /// Has pages load themselves again when [`Served::changed`] says that they are others now.
    pub fn reloading(self, reloads: bool) -> Self {
        Site { reloads, ..self }
    }

    /// Where it is reached.
    pub fn address(&self) -> Result<String> {
        Ok(format!("http://{}/", self.listener.local_addr()?))
    }

    /// Answers until the process ends: with what is there at this stage, and else with how far the build is. The sender tells of later stages.
    pub fn start(self, stage: Stage) -> Result<Served> {
        self.listener.set_nonblocking(true)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("cannot start a server")?;
        let (stages, stage) = watch::channel(stage);
        // 0 is none.
        let (builds, build) = watch::channel(1);
        let site = routes(self.root, &stage);
        let site = match self.reloads {
            true => reload::with(site, build),
            false => site,
        };
        let thread = thread::spawn(move || {
            let served = runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(self.listener)?;
                axum::serve(listener, site).await
            });
            if let Err(error) = served {
                eprintln!("the server ended: {error}");
            }
        });
        Ok(Served {
            thread,
            stages,
            builds,
        })
    }
}

/// A server that answers.
pub struct Served {
    thread: JoinHandle<()>,
    stages: Sender<Stage>,
    builds: Sender<u64>,
}

impl Served {
    /// More is there.
    pub fn reached(&self, stage: Stage) {
        self.stages.send_replace(stage);
    }

    /// What was there was built again.
    pub fn changed(&self) {
        self.builds.send_modify(|build| *build += 1);
    }

    /// Goes on for ever, or until the server fails, which it has said then.
    pub fn wait(self) {
        // A panic has been shown.
        let _ = self.thread.join();
    }
}

/// The files below `root`, a folder being its index, with what a careful server would say of them.
fn routes(root: PathBuf, stage: &Receiver<Stage>) -> Router {
    let files = |folder: PathBuf, headers: Section| {
        let files = Router::new().fallback_service(ServeDir::new(folder));
        let wait = middleware::from_fn_with_state(stage.clone(), waiting::or_wait);
        with(headers, files.layer(wait))
    };
    let [page, book] = HEADERS;
    let book = files(root.join("book"), book);
    files(root, page).nest("/book", book)
}

/// These files with these headers.
fn with((_, headers): Section, files: Router) -> Router {
    headers.iter().fold(files, |files, &(name, value)| {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("is a header's name");
        let value = HeaderValue::from_static(value);
        files.layer(SetResponseHeaderLayer::overriding(name, value))
    })
}

#[cfg(test)]
mod tests {
    use super::{Site, Stage};
    use std::io::{Read, Write};
    use std::net::TcpStream;

    #[test]
    fn only_files_below_the_root_are_found_and_each_with_its_type() {
        let site = Site::new(0).unwrap();
        let address = site.listener.local_addr().unwrap();
        let served = site.start(Stage::Begun).unwrap();
        let get = |path: &str| {
            let mut stream = TcpStream::connect(address).unwrap();
            write!(stream, "GET {path} HTTP/1.0\r\n\r\n").unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            answer.to_lowercase()
        };
        // Before it is built, everything says so, and what the saying looks like is there.
        for path in ["/", "/examples/plain.html", "/book/"] {
            let waiting = get(path);
            assert!(waiting.starts_with("http/1.0 503"), "{waiting}");
            assert!(waiting.contains("content-security-policy:"), "{waiting}");
            assert!(waiting.contains("http-equiv=\"refresh\""), "{waiting}");
        }
        assert!(get("/style.css").starts_with("http/1.0 200"));
        served.reached(Stage::Page);
        let page = get("/examples/plain.html");
        assert!(page.starts_with("http/1.0 200"), "{page}");
        assert!(page.contains("content-type: text/html"), "{page}");
        assert!(page.contains("content-security-policy: default-src 'none'"));
        assert!(get("/first.js").contains("content-type: text/javascript"));
        assert!(get("/book/").contains("umem is being built"));
        served.reached(Stage::Book);
        assert!(!get("/book/").contains("umem is being built"));
        for path in [
            "/../Cargo.toml",
            "//etc/passwd",
            "/%2e%2e/Cargo.toml",
            "/nothing",
        ] {
            assert!(get(path).starts_with("http/1.0 404"), "{path}");
        }
    }
}
