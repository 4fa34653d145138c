//! Rebuilds the crate when a migration is added: `sqlx::migrate!` embeds the files it finds, and the
//! compiler only watches those it found the last time.

fn main() {
    println!("cargo:rerun-if-changed=../migrations");
}
