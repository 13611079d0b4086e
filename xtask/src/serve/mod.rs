//! `cargo xtask serve`: builds the page and the book and serves them; with the address open from the first moment.

mod watch;

use crate::book;
use crate::page::build::{self, Profile};
use crate::page::bundle;
use crate::page::site::{Served, Site, Stage};
use anyhow::Result;
use clap::Args;
use std::process::ExitCode;
use xshell::Shell;

/// What is served, and where.
#[derive(Args)]
pub struct Serve {
    /// The port; 0 is any free one
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Serve what is there, without building
    #[arg(long)]
    no_build: bool,
    /// Build what changes, and have the page load itself again
    #[arg(long, conflicts_with = "no_build")]
    watch: bool,
    /// How much the compiler tries
    #[arg(long, value_enum, default_value_t = Profile::Quick)]
    profile: Profile,
}

impl Serve {
    /// Serves until somebody ends it.
    pub fn run(self, sh: &Shell) -> Result<ExitCode> {
        // The port first: that it is taken is better said now than after the build.
        let site = Site::new(self.port)?.reloading(self.watch);
        let address = site.address()?;
        if self.no_build {
            build::require_built()?;
            let served = site.start(Stage::Book)?;
            println!("The page is at {address} (Ctrl-C ends it)");
            served.wait();
        } else {
            bundle::foresee(sh)?;
            let served = site.start(Stage::Begun)?;
            println!("{address} opens the page as soon as it is built (Ctrl-C ends it)");
            self.build(sh, &address, &served)?;
            if self.watch {
                watch::watch(sh, &served)?;
            }
            served.wait();
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Builds one after another what people look at, and tells the server.
    fn build(&self, sh: &Shell, address: &str, served: &Served) -> Result<()> {
        build::page(sh, self.profile)?;
        served.reached(Stage::Page);
        println!("The page is at {address}");
        build::rest(sh, self.profile)?;
        served.reached(Stage::Site);
        // The book comes after the page, and the page does without it.
        match book::run(sh) {
            Ok(()) => println!("The book is at {address}book/"),
            Err(error) => eprintln!("There is no book: {error:#}"),
        }
        served.reached(Stage::Book);
        Ok(())
    }
}
