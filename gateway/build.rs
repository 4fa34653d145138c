//! What the compiler does not watch by itself: migrations, which `sqlx::migrate!` embeds, and the web pages, which are
//! embedded if they were built (`scripts/build-web`). A gateway without them still builds.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=../migrations");
    let pages = Path::new(&env::var("CARGO_MANIFEST_DIR").unwrap_or_default()).join("web/dist");
    // A path that is missing would count as changed at every build.
    fs::create_dir_all(&pages)?;
    println!("cargo:rerun-if-changed={}", pages.display());
    let mut files = Vec::new();
    collect(&pages, &mut files)?;
    files.sort();
    let mut list = String::from("&[\n");
    for file in files {
        let name = file.strip_prefix(&pages).map_err(io::Error::other)?;
        let name = name.display().to_string();
        list.push_str(&format!("    ({name:?}, include_bytes!({file:?})),\n"));
    }
    list.push_str("]\n");
    let out = PathBuf::from(env::var("OUT_DIR").map_err(io::Error::other)?);
    fs::write(out.join("web_pages.rs"), list)
}

/// Every file in the folder and below.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}
