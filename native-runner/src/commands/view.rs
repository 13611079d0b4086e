//! `umem view`.

use std::{
    io::Write,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use umem_core::scenario::Scenario;

use crate::{exit::Exit, page, screen::say};

/// Open the page in the browser, with a scenario or capture loaded
///
/// Serves the page that was built into this program on 127.0.0.1, to this machine alone, until it is stopped with Ctrl-C.
/// The address that it prints has a secret in it, without which other users of the machine cannot read the capture. From
/// another machine: ssh -L 8080:127.0.0.1:PORT, then that address with the port 8080.
///
/// As root it opens no browser, which would run as root, too: open the address in your own.
///
/// Exit code: 2 wrong input, 3 this program has no page in it, or the port is taken.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  umem view
  umem view cache.json.gz")]
pub struct View {
    /// A scenario or capture as JSON; - reads standard input
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,

    /// The port; 0 takes any that is free
    #[arg(long, default_value_t = 0)]
    port: u16,

    /// Print the address, but open no browser
    #[arg(long)]
    no_open: bool,
}

impl View {
    /// Serves until stopped.
    pub fn run(&self, out: &mut dyn Write) -> anyhow::Result<Exit> {
        let scenario = self.file.as_deref().map(super::source::read).transpose()?;
        if let Some(scenario) = &scenario {
            scenario.resolve()?;
        }
        let Some(files) = page::FILES else {
            say!(
                "umem: this program was built without the page in it: run `cargo xtask build`, then build it again"
            );
            return Ok(Exit::Unable);
        };
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let server = match page::Server::bind(
            address,
            files,
            scenario.as_ref().map(Scenario::to_json),
        ) {
            Ok(server) => server,
            Err(error) => {
                say!(
                    "umem: {address} cannot be served: {error}; try another --port, or --port 0 for any that is free"
                );
                return Ok(Exit::Unable);
            }
        };
        writeln!(out, "{}\nstop with Ctrl-C", server.url())?;
        out.flush()?;
        if !self.no_open {
            open(&server);
        }
        server.run()
    }
}

/// Opens the page in a browser, unless that would be root's.
fn open(server: &page::Server) {
    if rustix::process::geteuid().is_root() {
        say!("umem: no browser is started as root: open the address above in your own");
    } else if let Err(error) = open::that_detached(server.url_to_open()) {
        say!("umem: no browser could be opened ({error}): open the address above in one");
    }
}
