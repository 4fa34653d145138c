//! Cards as pictures: drawing to a file or the terminal, and reading one back.

use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, ensure};
use clap::Args;
use member_card::{CardFields, Rotation, Step, draw};

use crate::{CardArgs, check, clock, key_file};

/// The largest picture that is read, in bytes and in pixels per side.
const PICTURE_BYTES_MAX: u64 = 32 * 1024 * 1024;
const PICTURE_SIDE_PX_MAX: u32 = 8192;

/// What to draw, and where.
#[derive(Args)]
pub(crate) struct DrawArgs {
    /// The text. Left out, the first line of the standard input.
    #[arg(long)]
    text: Option<String>,
    /// Write an SVG to this file.
    #[arg(long, value_name = "FILE", conflicts_with = "png")]
    svg: Option<PathBuf>,
    /// Write a PNG to this file.
    #[arg(long, value_name = "FILE")]
    png: Option<PathBuf>,
    /// Pixels per module, 1 to 64.
    #[arg(long, default_value_t = 8)]
    scale: u32,
}

/// Draws a text to a file, or in the terminal if no file is named.
pub(crate) fn draw(args: &DrawArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let text = match &args.text {
        Some(text) => text.clone(),
        None => io::stdin()
            .lines()
            .next()
            .context("no text: name one with --text or pipe one in")??,
    };
    let matrix = draw::matrix(text.trim())?;
    let (file, picture) = match (&args.svg, &args.png) {
        (Some(file), _) => (file, matrix.to_svg(args.scale)?.into_bytes()),
        (None, Some(file)) => (file, matrix.to_png(args.scale)?),
        (None, None) => return Ok(out.write_all(matrix.to_terminal().as_bytes())?),
    };
    fs::write(file, picture).with_context(|| format!("cannot write {}", file.display()))
}

/// Signs a card and shows it in the terminal; with `watch`, goes on as a phone does.
pub(crate) fn show(card: &CardArgs, watch: bool, out: &mut impl Write) -> anyhow::Result<()> {
    let key = key_file::load(&card.key)?;
    let mut rotation = Rotation::new(card.spend_limit);
    loop {
        if let Step::Show(fields) = rotation.step(clock::now()?) {
            if watch && io::stdout().is_terminal() {
                // Clear and go home, so that each card takes the place of the last.
                out.write_all(b"\x1b[2J\x1b[H")?;
            }
            let text = key.sign(fields, &card.programme)?.to_digits();
            out.write_all(draw::terminal(&text)?.as_bytes())?;
            caption(card, fields, &key.card_id().to_string(), watch, out)?;
            out.flush()?;
        }
        if !watch {
            return Ok(());
        }
        clock::wait_a_second();
    }
}

fn caption(
    card: &CardArgs,
    fields: CardFields,
    card_id: &str,
    watch: bool,
    out: &mut impl Write,
) -> io::Result<()> {
    let programme = &card.programme;
    writeln!(
        out,
        "card {card_id}, programme {programme}, issued at {}",
        fields.issued_at
    )?;
    if watch {
        writeln!(
            out,
            "a new text every {} s; Ctrl-C ends",
            Rotation::PERIOD_S
        )?;
    }
    Ok(())
}

/// Reads the QR code in a PNG and checks the shape of its text.
pub(crate) fn read(file: &Path, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let Some(text) = decode(file)? else {
        eprintln!("no QR code found in {}", file.display());
        return Ok(ExitCode::FAILURE);
    };
    writeln!(out, "text       {text}")?;
    let well_formed = check::report(&text, None, None, out)?;
    Ok(if well_formed {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The text of the one QR code in a picture, if there is one that can be read.
fn decode(file: &Path) -> anyhow::Result<Option<String>> {
    let cannot_read = || format!("cannot read {}", file.display());
    ensure!(
        fs::metadata(file).with_context(cannot_read)?.len() <= PICTURE_BYTES_MAX,
        "the picture is too large"
    );
    let mut reader = image::ImageReader::open(file).with_context(cannot_read)?;
    let mut limits = image::Limits::default();
    limits.max_image_width = Some(PICTURE_SIDE_PX_MAX);
    limits.max_image_height = Some(PICTURE_SIDE_PX_MAX);
    reader.limits(limits);
    reader.set_format(image::ImageFormat::Png);
    let picture = reader
        .decode()
        .with_context(|| format!("{} is no PNG", file.display()))?
        .into_luma8();
    let mut prepared = rqrr::PreparedImage::prepare(picture);
    let grids = prepared.detect_grids();
    Ok(grids
        .iter()
        .find_map(|grid| grid.decode().ok())
        .map(|(_, text)| text))
}
