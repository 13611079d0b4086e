//! `cargo xtask serve`: the page on this machine's own address, under the strict policy that it must work with anywhere.

use crate::place;
use anyhow::{Result, anyhow};
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::thread;
use tiny_http::{Header, Method, Request, Response, Server};

/// What the page may do: run its own scripts and wasm, use its own styles, images and files. Nothing else.
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
                      img-src 'self' data:; connect-src 'self'";

/// What the book may do: mdBook's own pages have scripts and styles in them.
const BOOK_POLICY: &str = "default-src 'none'; script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'; \
                           style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; \
                           frame-src 'self'";

/// A server that holds its port and does not answer yet.
pub struct Site {
    server: Arc<Server>,
    root: PathBuf,
}

impl Site {
    /// Takes the port; 0 is any free one.
    pub fn new(port: u16) -> Result<Self> {
        let server = Server::http(("127.0.0.1", port)).map_err(|error| {
            match error
                .downcast_ref::<std::io::Error>()
                .map(std::io::Error::kind)
            {
                Some(std::io::ErrorKind::AddrInUse) => {
                    anyhow!("port {port} is taken; choose another with --port (0: any free one)")
                }
                _ => anyhow!("cannot listen on port {port}: {error}"),
            }
        })?;
        Ok(Site {
            server: Arc::new(server),
            root: place::workspace().join("static"),
        })
    }

    /// Where it is reached.
    pub fn address(&self) -> String {
        format!("http://{}/", self.server.server_addr())
    }

    /// Answers on a few threads, since browsers ask for several files at once, until the process ends.
    pub fn start(&self) -> Vec<thread::JoinHandle<()>> {
        let answer_all = |server: Arc<Server>, root: PathBuf| {
            for request in server.incoming_requests() {
                // A browser that went away in the middle of an answer is no trouble of ours.
                let _ = answer(request, &root);
            }
        };
        (0..4)
            .map(|_| {
                let (server, root) = (Arc::clone(&self.server), self.root.clone());
                thread::spawn(move || answer_all(server, root))
            })
            .collect()
    }
}

fn answer(request: Request, root: &Path) -> std::io::Result<()> {
    if !matches!(request.method(), Method::Get | Method::Head) {
        return request.respond(Response::from_string("only GET and HEAD\n").with_status_code(405));
    }
    let policy = if request.url().starts_with("/book/") {
        BOOK_POLICY
    } else {
        POLICY
    };
    let Some((file, kind)) = found(root, request.url()) else {
        return request
            .respond(Response::from_string("there is no such file\n").with_status_code(404));
    };
    let response = Response::from_file(fs::File::open(file)?)
        .with_header(header("Content-Type", kind))
        .with_header(header("Content-Security-Policy", policy))
        .with_header(header("X-Content-Type-Options", "nosniff"))
        .with_header(header("Cache-Control", "no-cache"));
    request.respond(response)
}

fn header(name: &str, value: &str) -> Header {
    Header::from_bytes(name, value).expect("our own headers are well formed")
}

/// The file that a URL stands for, and its media type. Only what lies below `root` is found.
fn found(root: &Path, url: &str) -> Option<(PathBuf, &'static str)> {
    let path = Path::new(url.split(['?', '#']).next()?.trim_start_matches('/'));
    if !path
        .components()
        .all(|part| matches!(part, Component::Normal(_)))
    {
        return None;
    }
    let mut file = root.join(path);
    if file.is_dir() {
        file.push("index.html");
    }
    let kind = media_type(file.extension()?.to_str()?);
    file.is_file().then_some((file, kind))
}

/// Browsers compile wasm while it arrives only under its right type, and refuse modules under a wrong one.
fn media_type(extension: &str) -> &'static str {
    match extension {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "json" | "map" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "md" | "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::found;
    use std::fs;
    use std::path::Path;

    #[test]
    fn only_files_below_the_root_are_found() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let kind = |url| found(&root, url).map(|(_, kind)| kind);
        assert_eq!(kind("/main.rs?x=1"), Some("application/octet-stream"));
        assert_eq!(kind("/../Cargo.toml"), None);
        assert_eq!(kind("//etc/passwd"), None);
        assert_eq!(kind("/page/nothing.html"), None);
    }

    #[test]
    fn a_folder_stands_for_its_index() {
        let root = std::env::temp_dir().join(format!("umem-serve-{}", std::process::id()));
        fs::create_dir_all(root.join("examples")).unwrap();
        fs::write(root.join("examples/index.html"), "").unwrap();
        let (file, kind) = found(&root, "/examples/").unwrap();
        let below = file.strip_prefix(&root).unwrap().to_owned();
        fs::remove_dir_all(&root).unwrap();
        assert_eq!(
            (below.as_path(), kind),
            (Path::new("examples/index.html"), "text/html; charset=utf-8")
        );
        assert!(found(&root, "/").is_none());
    }
}
