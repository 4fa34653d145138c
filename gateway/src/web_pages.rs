//! The web pages: the shopper's card, the register and the staff console, as files ready to be sent.
//!
//! They are made of `gateway/web` and lie in the binary, or in a folder that the operator names. They are read once,
//! at start; so a page and its scripts are always of one build.

use std::{collections::HashMap, fmt, fs, io, path::Path};

use axum::body::Bytes;
use sha2::{Digest, Sha256};

/// What was built before this crate, by path within the build; empty if nothing was.
const BUILT_IN: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/web_pages.rs"));

/// The pages, as folders of the build and as paths of the gateway.
pub const PAGES: [&str; 3] = ["card", "register", "console"];

/// The largest folder of pages, in files and in bytes.
const FILES_MAX: usize = 1_000;
const BYTES_MAX: u64 = 64 * 1024 * 1024;

/// The characters of a digest that tell one content from another.
const TAG_CHARS: usize = 22;

/// Every file of the pages, by the path under which it is asked for.
#[derive(Default)]
pub struct WebPages {
    files: HashMap<String, WebFile>,
}

/// A file and its compressed forms.
#[derive(Default)]
pub struct WebFile {
    /// As it was built.
    pub plain: Bytes,
    /// Brotli, if that was made.
    pub brotli: Option<Bytes>,
    /// Gzip, if that was made.
    pub gzip: Option<Bytes>,
    /// Differs if the content does.
    pub tag: String,
}

impl WebPages {
    /// Those built into this binary. None, if they were not built before it.
    #[must_use]
    pub fn built_in() -> Self {
        let mut pages = Self::default();
        for (path, bytes) in BUILT_IN {
            pages.add(path, Bytes::from_static(bytes));
        }
        pages.finished()
    }

    /// Those in a folder that `npm run build` wrote.
    ///
    /// # Errors
    /// If the folder cannot be read, holds no page or is none of ours by its size.
    pub fn read(folder: &Path) -> io::Result<Self> {
        let mut pages = Self::default();
        let mut bytes_left = BYTES_MAX;
        pages.read_below(folder, "", &mut bytes_left)?;
        let pages = pages.finished();
        if !pages.are_there() {
            return Err(io::Error::new(
                io::ErrorKind::NotFound,
                "no page lies there; `npm run build` in gateway/web writes them to gateway/web/dist",
            ));
        }
        Ok(pages)
    }

    fn read_below(&mut self, folder: &Path, under: &str, bytes_left: &mut u64) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name().into_string();
            let name = name.map_err(|_| io::Error::other("a file's name is no UTF-8"))?;
            let path = format!("{under}{name}");
            if entry.file_type()?.is_dir() {
                self.read_below(&entry.path(), &format!("{path}/"), bytes_left)?;
                continue;
            }
            let left = bytes_left.checked_sub(entry.metadata()?.len());
            *bytes_left = left
                .filter(|_| self.files.len() < FILES_MAX)
                .ok_or_else(|| io::Error::other("the folder holds far more than the pages"))?;
            self.add(&path, fs::read(entry.path())?.into());
        }
        Ok(())
    }

    fn add(&mut self, path: &str, bytes: Bytes) {
        let (path, form) = match path.rsplit_once('.') {
            Some((path, "br")) => (path, Form::Brotli),
            Some((path, "gz")) => (path, Form::Gzip),
            _ => (path, Form::Plain),
        };
        let file = self.files.entry(asked_for(path)).or_default();
        match form {
            Form::Plain => file.plain = bytes,
            Form::Brotli => file.brotli = Some(bytes),
            Form::Gzip => file.gzip = Some(bytes),
        }
    }

    /// Drops compressed forms of nothing, and tags what is there.
    fn finished(mut self) -> Self {
        self.files.retain(|_, file| !file.plain.is_empty());
        for file in self.files.values_mut() {
            let mut tag = data_encoding::BASE64URL_NOPAD.encode(&Sha256::digest(&file.plain));
            tag.truncate(TAG_CHARS);
            file.tag = tag;
        }
        self
    }

    /// Whether all pages are there.
    #[must_use]
    pub fn are_there(&self) -> bool {
        PAGES
            .iter()
            .all(|page| self.files.contains_key(&format!("/{page}")))
    }

    /// The file for a path, which begins with `/`.
    #[must_use]
    pub fn file(&self, path: &str) -> Option<&WebFile> {
        self.files.get(path)
    }
}

enum Form {
    Plain,
    Brotli,
    Gzip,
}

/// `card/index.html` is asked for as `/card`, anything else by its path.
fn asked_for(path: &str) -> String {
    let path = path.strip_suffix("/index.html").unwrap_or(path);
    format!("/{path}")
}

impl fmt::Debug for WebPages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.files.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    #[test]
    fn a_page_is_asked_for_by_its_folder_and_a_compressed_form_belongs_to_its_file() {
        let folder = folder(&[
            ("card/index.html", "card"),
            ("register/index.html", "register"),
            ("console/index.html", "console"),
            ("assets/a.js", "script"),
            ("assets/a.js.br", "B"),
            ("assets/a.js.gz", "G"),
            ("assets/lost.js.gz", "of nothing"),
        ]);
        let pages = WebPages::read(folder.path()).unwrap();
        assert!(pages.are_there());
        assert_eq!(pages.file("/card").unwrap().plain.as_ref(), b"card");
        let script = pages.file("/assets/a.js").unwrap();
        assert_eq!(script.brotli.as_deref(), Some(b"B".as_slice()));
        assert_eq!(script.gzip.as_deref(), Some(b"G".as_slice()));
        assert_ne!(script.tag, pages.file("/card").unwrap().tag);
        for none in [
            "/card/index.html",
            "/assets/a.js.br",
            "/assets/lost.js",
            "/",
        ] {
            assert!(pages.file(none).is_none(), "{none}");
        }
    }

    #[test]
    fn a_folder_without_all_pages_is_refused() {
        let folder = folder(&[("card/index.html", "card")]);
        let error = WebPages::read(folder.path()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
