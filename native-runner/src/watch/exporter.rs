//! The sums, served to Prometheus.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use axum::{Router, extract::State, http::header, response::IntoResponse, routing::get};

use super::metrics::Metrics;

/// What `/metrics` is.
const TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The sums, which a watch and a server share.
pub type Shared = Arc<Mutex<Metrics>>;

/// Serves `metrics` at `address` until the program ends; where it listens.
///
/// # Errors
/// The address cannot be had.
pub fn serve(address: SocketAddr, metrics: Shared) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    thread::spawn(move || {
        // It ends with the program.
        let _ = runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            let routes = Router::new()
                .route("/metrics", get(answer))
                .with_state(metrics);
            axum::serve(listener, routes).await
        });
    });
    Ok(address)
}

async fn answer(State(metrics): State<Shared>) -> impl IntoResponse {
    let metrics = metrics.lock().unwrap_or_else(PoisonError::into_inner);
    ([(header::CONTENT_TYPE, TYPE)], metrics.to_string())
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        io::{Read, Write},
        net::TcpStream,
        process::{Child, Command, Stdio},
        time::{Duration, Instant},
    };

    use super::*;

    fn served() -> SocketAddr {
        let metrics = super::super::metrics::tests::metrics();
        serve(([127, 0, 0, 1], 0).into(), Arc::new(Mutex::new(metrics))).unwrap()
    }

    /// What a server says to GET.
    fn get(address: SocketAddr, path: &str) -> io::Result<String> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }

    #[test]
    fn the_sums_are_served_as_openmetrics_and_nothing_else_is() {
        let address = served();
        let answer = get(address, "/metrics").unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(
            answer.contains(TYPE) && answer.contains("# EOF"),
            "{answer}"
        );
        assert!(get(address, "/").unwrap().starts_with("HTTP/1.1 404"));
    }

    /// Ended with the test.
    struct Server(Child);

    impl Drop for Server {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    /// `cargo xtask test --only metrics` installs Debian's prometheus and runs this.
    #[test]
    #[ignore = "needs Debian's prometheus: cargo xtask test --only metrics"]
    fn prometheus_scrapes_them_and_takes_the_alerts() {
        let address = served();
        let folder = tempfile::tempdir().unwrap();
        let fleet = concat!(env!("CARGO_MANIFEST_DIR"), "/fleet");
        let config = folder.path().join("prometheus.yml");
        let text = format!(
            "global: {{ scrape_interval: 1s, evaluation_interval: 1s }}\nrule_files: ['{fleet}/umem-alerts.yaml']\n\
             scrape_configs:\n- job_name: umem\n  static_configs: [{{ targets: ['{address}'] }}]\n"
        );
        fs::write(&config, text).unwrap();
        let checked = Command::new("promtool")
            .args(["check", "config"])
            .arg(&config)
            .output()
            .unwrap();
        assert!(checked.status.success(), "{checked:?}");
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let server = Command::new("prometheus")
            .arg(format!("--config.file={}", config.display()))
            .arg(format!(
                "--storage.tsdb.path={}",
                folder.path().join("data").display()
            ))
            .arg(format!("--web.listen-address={port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let _server = Server(server);
        let asked = Instant::now();
        let query = "/api/v1/query?query=umem_registrations_total";
        loop {
            let answer = get(port, query).unwrap_or_default();
            if answer.contains("mlx5_0") && answer.contains("\"2\"]") {
                break;
            }
            assert!(asked.elapsed() < Duration::from_secs(60), "{answer}");
            thread::sleep(Duration::from_millis(200));
        }
        let rules = get(port, "/api/v1/rules").unwrap();
        assert!(rules.contains("UmemSmallPages"), "{rules}");
    }
}
