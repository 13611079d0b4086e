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
        let path = if path.is_empty() { "index.html" } else { path };
        match (&self.scenario, self.files.get_file(path)) {
            (Some(json), _) if path == SCENARIO => file("application/json", json.as_bytes()),
            (_, Some(found)) => file(
                mime_guess::from_path(path)
                    .first_or_octet_stream()
                    .essence_str(),
                found.contents(),
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

fn file(kind: &str, contents: &[u8]) -> Response<io::Cursor<Vec<u8>>> {
    with_headers(Response::from_data(contents), kind)
}

fn plain(code: u16, text: &str) -> Response<io::Cursor<Vec<u8>>> {
    with_headers(
        Response::from_string(text).with_status_code(code),
        "text/plain",
    )
}

fn with_headers(
    response: Response<io::Cursor<Vec<u8>>>,
    kind: &str,
) -> Response<io::Cursor<Vec<u8>>> {
    let headers = [
        ("Content-Type", kind),
        ("Content-Security-Policy", POLICY),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),
        ("Cache-Control", "no-store"),
    ];
    headers
        .into_iter()
        .filter_map(|(name, value)| Header::from_bytes(name, value).ok())
        .fold(response, Response::with_header)
}
