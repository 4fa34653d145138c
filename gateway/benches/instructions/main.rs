//! Work to count instructions of: under `valgrind --tool=callgrind`, which no neighbour disturbs.
//!
//! `scripts/instructions` runs this program, twice for each name with another number of rounds, and
//! divides the difference: what starting, preparing and stopping cost falls out.
//!
//! ```text
//! instructions prepare DIRECTORY                   a database with members, and card texts for them
//! instructions authorize DIRECTORY WAVE COUNT      that many authorizations through a whole gateway
//! instructions hot DIRECTORY NAME COUNT            one function, that often
//! instructions names                               what `hot` knows, each with how often to run it
//! instructions processor                           what the processor can do, as far as valgrind lets on
//! ```
//!
//! The gateway is the one that `gateway serve` starts, on a loopback address in this process: log,
//! measurements, HTTP server, writer, SQLite. Two things differ. The clock stands still, so that card
//! texts stay fresh however slow the machine is, and one thread serves, so that waves of requests
//! make the same batches every time.

mod client;
mod door;
mod gateway_here;
mod hot;
mod shop;

use std::path::Path;

use anyhow::{Context as _, Result, bail};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match *words {
        ["prepare", directory] => {
            single_threaded()?.block_on(shop::prepare(Path::new(directory), shop::MEMBERS))
        }
        ["authorize", directory, wave, count] => {
            let (wave, count) = (wave.parse()?, count.parse()?);
            single_threaded()?.block_on(authorize(Path::new(directory), wave, count))
        }
        ["hot", directory, name, count] => hot::run(Path::new(directory), name, count.parse()?),
        ["names"] => {
            for name in hot::names() {
                println!("{name}");
            }
            Ok(())
        }
        ["processor"] => {
            println!("{}", processor());
            Ok(())
        }
        // `cargo bench` and `cargo test --benches` only want to know that it runs.
        [] | ["--bench", ..] => {
            println!("instructions: run `make instructions`, which counts them");
            Ok(())
        }
        _ => bail!("not understood: {words:?}"),
    }
}

/// What decides which code hashes and verifies.
fn processor() -> String {
    #[allow(unused_mut, reason = "other processors are not asked")]
    let mut can = vec![std::env::consts::ARCH];
    #[cfg(target_arch = "x86_64")]
    can.extend(
        [
            ("adx", std::is_x86_feature_detected!("adx")),
            ("avx", std::is_x86_feature_detected!("avx")),
            ("avx2", std::is_x86_feature_detected!("avx2")),
            ("avx512f", std::is_x86_feature_detected!("avx512f")),
            ("bmi2", std::is_x86_feature_detected!("bmi2")),
            ("sha", std::is_x86_feature_detected!("sha")),
            ("sse4.2", std::is_x86_feature_detected!("sse4.2")),
        ]
        .iter()
        .filter(|(_, can)| *can)
        .map(|(name, _)| *name),
    );
    can.join(" ")
}

fn single_threaded() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?)
}

/// Sends `count` authorizations in waves: a wave is sent whole, then its answers are awaited.
async fn authorize(directory: &Path, wave: usize, count: usize) -> Result<()> {
    let requests = shop::Requests::read(directory)?;
    let (forged, genuine) = requests.split(count)?;
    let gateway = gateway_here::GatewayHere::start(directory).await?;
    let token = client::token(&gateway.address, shop::CLIENT, shop::SECRET).await?;
    let mut tills = client::Tills::connect(&gateway.address, &token, shop::WAVE_MAX).await?;
    // Whose card was seen before has its key in the cache; a forged text brings it there and does
    // nothing else. One by one: reads have little time, and counting is slow.
    for text in forged.chunks(1) {
        tills.send("forged", text, "\"declined\"").await?;
    }
    // Statements that only an approval needs are prepared once.
    let (first, measured) = genuine.split_at(shop::WAVE_MAX);
    tills.send("first", first, "\"approved\"").await?;
    let before = gateway.batches();
    for texts in measured.chunks(wave) {
        gateway.tick();
        tills.send("held", texts, "\"approved\"").await?;
    }
    let batches = gateway.batches() - before;
    let waves = u64::try_from(count.div_ceil(wave))?;
    if batches != waves {
        bail!("{waves} waves made {batches} batches");
    }
    drop(tills);
    gateway.stop().await.context("the gateway did not stop")
}
