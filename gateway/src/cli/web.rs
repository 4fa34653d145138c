//! Which web pages a gateway serves.

use std::{path::PathBuf, sync::Arc};

use clap::Args;

use super::Failure;
use crate::web_pages::WebPages;

#[derive(Debug, Args)]
pub(super) struct WebArgs {
    /// Folder of web pages to serve instead of those in the program, as `npm run build` in gateway/web writes it
    #[arg(long, env = "GATEWAY_WEB", value_name = "DIR")]
    web: Option<PathBuf>,
}

impl WebArgs {
    /// The pages of the folder that the flag or else the settings file names, or those in the program.
    pub(super) fn pages(self, settings: Option<PathBuf>) -> Result<Arc<WebPages>, Failure> {
        let pages = match self.web.or(settings) {
            Some(folder) => WebPages::read(&folder).map_err(Failure::io(format!(
                "cannot read the web pages in {}",
                folder.display()
            )))?,
            None => WebPages::built_in(),
        };
        Ok(Arc::new(pages))
    }
}
