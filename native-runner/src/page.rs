//! The page, as the web crate built it, served to this machine alone.

use std::{io, net::SocketAddr};

use include_dir::Dir;
use tiny_http::{Header, Method, Request, Response, Server as Http};

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
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What the book, below `book/`, may do besides: mdBook's own pages have scripts and styles in them.
const BOOK_POLICY: &str = "default-src 'none'; script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'; \
                           style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; \
                           base-uri 'none'; form-action 'none'; frame-src 'self'; frame-ancestors 'self'";

/// A server of the page's files and one scenario.
pub struct Server {
    http: Http,
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
        let http = Http::http(address).map_err(|error| match error.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(error) => io::Error::other(error),
        })?;
        let address = http.server_addr().to_ip().unwrap_or(address);
        Ok(Self {
            http,
            address,
            files,
            scenario,
        })
    }

    /// Where the page is.
    pub fn url(&self) -> String {
        let query = if self.scenario.is_some() {
            format!("?src={SCENARIO}")
        } else {
            String::new()
        };
        format!("http://{}/{query}", self.address)
    }

    /// Answers requests until the process is stopped.
    pub fn run(self) -> anyhow::Result<Exit> {
        for request in self.http.incoming_requests() {
            let answer = self.answer(&request);
            // Whoever asked may have gone; the next one is served all the same.
            let _ = request.respond(answer);
        }
        Ok(Exit::Held)
    }

    fn answer(&self, request: &Request) -> Response<io::Cursor<Vec<u8>>> {
        if !self.is_ours(request) {
            return plain(403, "this server answers to its own address alone");
        }
        if !matches!(request.method(), Method::Get | Method::Head) {
            return plain(405, "this server only gives");
        }
        let path = request
            .url()
            .split(['?', '#'])
            .next()
            .unwrap_or("")
            .trim_start_matches('/');
        // A folder stands for its index.
        let path = &if path.is_empty() || path.ends_with('/') {
            format!("{path}index.html")
        } else {
            path.to_owned()
        };
        match (&self.scenario, self.files.get_file(path.as_str())) {
            (Some(json), _) if path == SCENARIO => {
                file("application/json", json.as_bytes(), POLICY)
            }
            (_, Some(found)) => file(
                mime_guess::from_path(path)
                    .first_or_octet_stream()
                    .essence_str(),
                found.contents(),
                if path.starts_with("book/") {
                    BOOK_POLICY
                } else {
                    POLICY
                },
            ),
            _ => plain(404, "no such file"),
        }
    }

    /// Whether the request names this server, and not a foreign name that resolves to it (DNS rebinding).
    fn is_ours(&self, request: &Request) -> bool {
        let host = request
            .headers()
            .iter()
            .find(|header| header.field.equiv("Host"))
            .map(|header| header.value.as_str());
        let port = self.address.port();
        host.is_some_and(|host| {
            host == format!("127.0.0.1:{port}") || host == format!("localhost:{port}")
        })
    }
}

fn file(kind: &str, contents: &[u8], policy: &str) -> Response<io::Cursor<Vec<u8>>> {
    with_headers(Response::from_data(contents), kind, policy)
}

fn plain(code: u16, text: &str) -> Response<io::Cursor<Vec<u8>>> {
    with_headers(
        Response::from_string(text).with_status_code(code),
        "text/plain",
        POLICY,
    )
}

fn with_headers(
    response: Response<io::Cursor<Vec<u8>>>,
    kind: &str,
    policy: &str,
) -> Response<io::Cursor<Vec<u8>>> {
    let headers = [
        ("Content-Type", kind),
        ("Content-Security-Policy", policy),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),
        ("Cache-Control", "no-store"),
    ];
    headers
        .into_iter()
        .filter_map(|(name, value)| Header::from_bytes(name, value).ok())
        .fold(response, Response::with_header)
}
