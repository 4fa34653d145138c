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
    let out = PathBuf::from(env::var("OUT_DIR").map_err(io::Error::other)?);
    // Copies, because the crate is compiled more than once, and the pages may be built anew in between.
    let copies = out.join("web_pages");
    if copies.exists() {
        fs::remove_dir_all(&copies)?;
    }
    let mut list = String::from("&[\n");
    for file in files {
        let name = file.strip_prefix(&pages).map_err(io::Error::other)?;
        let copy = copies.join(name);
        fs::create_dir_all(copy.parent().unwrap_or(&copies))?;
        fs::copy(&file, &copy)?;
        let name = name.display().to_string();
        list.push_str(&format!("    ({name:?}, include_bytes!({copy:?})),\n"));
    }
    list.push_str("]\n");
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
