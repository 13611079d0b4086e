//! The page, as the web crate built it, served to this machine alone.

mod guard;

use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use axum::{
    Router,
    body::Bytes,
    extract::{ConnectInfo, Request, State},
    http::{HeaderName, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use include_dir::Dir;

use crate::exit::Exit;
use guard::Token;

/// The page's files, where `cargo xtask build` had made them when this program was built.
#[cfg(umem_page)]
pub static FILES: Option<&Dir<'static>> = {
    static STATIC: Dir<'static> = include_dir::include_dir!("$CARGO_MANIFEST_DIR/../static");
    Some(&STATIC)
};
/// The page had not been built when this program was.
#[cfg(not(umem_page))]
pub static FILES: Option<&Dir<'static>> = None;

/// Where, below the token, the loaded scenario is served.
const SCENARIO: &str = "scenario.json";
/// Where a browser of the user that we run as learns the token.
const OPEN: &str = "open";

const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
                      require-trusted-types-for 'script'; trusted-types umem";
/// mdBook's pages bring scripts and styles of their own in their text, and frame their table of contents; theirs alone is milder.
const BOOK_POLICY: &str =
    "default-src 'self' data: 'unsafe-inline' 'wasm-unsafe-eval'; frame-ancestors 'self'";

/// A server of the page's files and one scenario.
///
/// The files are everybody's. The scenario may be a capture, which is not: it lies below an unguessable token.
pub struct Server {
    listener: TcpListener,
    site: Site,
}

/// What it gives.
struct Site {
    address: SocketAddr,
    files: &'static Dir<'static>,
    scenario: Option<Bytes>,
    token: Token,
    /// Whether a browser was started that has not come yet.
    expects_browser: AtomicBool,
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
        let site = Site {
            address: listener.local_addr()?,
            files,
            scenario: scenario.map(Bytes::from),
            token: Token::new()?,
            expects_browser: AtomicBool::new(false),
        };
        Ok(Self { listener, site })
    }

    /// Where the page is. Whoever knows it can read the scenario.
    pub fn url(&self) -> String {
        format!("http://{}{}", self.site.address, self.site.page())
    }

    /// Where the page is, once, for a browser of the user that we run as, and no other user's: the command line of a
    /// program, on which this stands, is everybody's to read, and so has no token in it.
    pub fn url_to_open(&self) -> String {
        self.site.expects_browser.store(true, Relaxed);
        format!("http://{}/{OPEN}", self.site.address)
    }

    /// Answers requests until the process is stopped.
    pub fn run(self) -> anyhow::Result<Exit> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(self.listener)?;
            let routes = Router::new()
                .fallback(answer)
                .with_state(Arc::new(self.site));
            let service = routes.into_make_service_with_connect_info::<SocketAddr>();
            axum::serve(listener, service).await
        })?;
        Ok(Exit::Held)
    }
}

async fn answer(
    State(site): State<Arc<Site>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    site.answer(&request, peer)
}

impl Site {
    fn answer(&self, request: &Request, peer: SocketAddr) -> Response {
        if !guard::names_this_machine(request.headers()) {
            return plain(
                StatusCode::FORBIDDEN,
                "this server answers to names of its own machine alone: 127.0.0.1, localhost or [::1]",
            );
        }
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return plain(StatusCode::METHOD_NOT_ALLOWED, "this server only gives");
        }
        let path = request.uri().path().trim_start_matches('/');
        if path == OPEN {
            return self.open(peer);
        }
        if let (Some(json), Some((token, SCENARIO))) = (&self.scenario, path.split_once('/'))
            && self.token.is(token)
        {
            return give(StatusCode::OK, "application/json", POLICY, json.clone());
        }
        let path = match path {
            "" => "index.html".to_owned(),
            folder if folder.ends_with('/') => format!("{folder}index.html"),
            file => file.to_owned(),
        };
        let Some(found) = self.files.get_file(&path) else {
            return plain(StatusCode::NOT_FOUND, "no such file");
        };
        let kind = mime_guess::from_path(&path).first_or_octet_stream();
        let policy = match path.starts_with("book/") {
            true => BOOK_POLICY,
            false => POLICY,
        };
        give(StatusCode::OK, kind.essence_str(), policy, found.contents())
    }

    /// Leads a browser of our own user to the page.
    fn open(&self, peer: SocketAddr) -> Response {
        if !guard::is_same_user(peer, self.address) || !self.expects_browser.swap(false, Relaxed) {
            return plain(
                StatusCode::FORBIDDEN,
                "this is for the browser that umem view started: open the address that it printed",
            );
        }
        let page = [(header::LOCATION, self.page())];
        let told = plain(StatusCode::SEE_OTHER, "the page is elsewhere");
        (page, told).into_response()
    }

    /// The page's address on this server.
    fn page(&self) -> String {
        match self.scenario {
            Some(_) => format!("/?src={}/{SCENARIO}", self.token),
            None => "/".to_owned(),
        }
    }
}

fn plain(code: StatusCode, text: &'static str) -> Response {
    give(code, "text/plain", POLICY, text)
}

fn give(code: StatusCode, kind: &str, policy: &str, body: impl IntoResponse) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_SECURITY_POLICY, policy),
        // No other site may have it, not even to show.
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        io::{Read, Write},
        net::{Ipv4Addr, TcpStream},
        thread,
    };

    /// The files as they are in the repository: the page's own parts, though not what is compiled for it.
    static FILES: Dir<'static> = include_dir::include_dir!("$CARGO_MANIFEST_DIR/../static");
    const CAPTURE: &str = "{\"version\":1}";

    /// A server, for as long as the tests run: its address, and those that it names.
    fn serving(scenario: Option<&str>) -> (SocketAddr, String, String) {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let server = Server::bind(any, &FILES, scenario.map(String::from)).unwrap();
        let told = (server.site.address, server.url(), server.url_to_open());
        thread::spawn(|| server.run().map(|_| ()));
        told
    }

    /// What the server answers: the head, and the body.
    fn asked(address: SocketAddr, method: &str, path: &str, host: &str) -> (String, String) {
        let mut stream = TcpStream::connect(address).unwrap();
        let head = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.to_lowercase(), body.to_owned())
    }

    #[test]
    fn the_scenario_is_for_whoever_has_the_token() {
        let (address, url, _) = serving(Some(CAPTURE));
        let get = |path: &str| asked(address, "GET", path, "localhost");
        let (_, capture) = url.split_once("/?src=").unwrap();
        let (head, body) = get(&format!("/{capture}"));
        assert!(head.starts_with("http/1.1 200"), "{head}");
        assert!(head.contains("content-type: application/json"), "{head}");
        assert_eq!(body, CAPTURE);
        let (token, name) = capture.split_once('/').unwrap();
        let mut wrong = token.to_owned();
        let last = if wrong.pop() == Some('0') { '1' } else { '0' };
        wrong.push(last);
        for path in [
            format!("/{name}"),
            format!("//{name}"),
            format!("/{wrong}/{name}"),
            format!("/{}/{name}", &token[1..]),
            format!("/{token}"),
            format!("/{token}/"),
        ] {
            let (head, body) = get(&path);
            assert!(head.starts_with("http/1.1 404"), "{path}: {head}");
            assert_eq!(body, "no such file");
        }
        let (_, other, _) = serving(Some(CAPTURE));
        assert!(!other.contains(token), "two servers have two tokens");
    }

    #[test]
    fn a_browser_of_ours_is_led_to_the_page_and_its_command_line_has_no_token() {
        let (address, url, to_open) = serving(Some(CAPTURE));
        assert_eq!(to_open, format!("http://{address}/open"));
        let (head, _) = asked(address, "GET", "/open", &address.to_string());
        assert!(head.starts_with("http/1.1 303"), "{head}");
        let page = url.strip_prefix(&format!("http://{address}")).unwrap();
        assert!(head.contains(&format!("location: {page}\r\n")), "{head}");
        let (again, _) = asked(address, "GET", "/open", &address.to_string());
        assert!(again.starts_with("http/1.1 403"), "{again}");
        let (address, url, _) = serving(None);
        assert_eq!(url, format!("http://{address}/"));
    }

    #[test]
    fn names_of_this_machine_are_answered_through_any_port() {
        let (address, ..) = serving(Some(CAPTURE));
        for host in [&address.to_string(), "localhost:8080", "[::1]:9000"] {
            let (head, body) = asked(address, "GET", "/examples/", host);
            assert!(head.starts_with("http/1.1 200"), "{host}: {head}");
            assert!(body.contains("<html"), "{body}");
        }
        let (head, body) = asked(address, "GET", "/examples/", "evil.example");
        assert!(head.starts_with("http/1.1 403"), "{head}");
        assert!(!body.contains("<html"), "{body}");
    }

    #[test]
    fn every_answer_is_strict_and_nothing_is_taken() {
        let (address, ..) = serving(None);
        for (method, path, code) in [
            ("GET", "/examples/", 200),
            ("HEAD", "/icon.svg", 200),
            ("GET", "/../Cargo.toml", 404),
            ("GET", "/scenario.json", 404),
            ("POST", "/", 405),
            ("DELETE", "/index.html", 405),
        ] {
            let (head, _) = asked(address, method, path, "127.0.0.1");
            assert!(
                head.starts_with(&format!("http/1.1 {code}")),
                "{path}: {head}"
            );
            for line in [
                "\r\ncross-origin-resource-policy: same-origin\r\n",
                "\r\nx-content-type-options: nosniff\r\n",
                "\r\ncontent-security-policy: default-src 'none'; ",
                "\r\nreferrer-policy: no-referrer\r\n",
                "\r\ncache-control: no-store\r\n",
            ] {
                assert!(head.contains(line), "{path}: {line} in {head}");
            }
        }
    }
}
