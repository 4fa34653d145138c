//! QR codes: SVG, PNG and terminal blocks, always dark on white, with a quiet zone of 4 modules.
//!
//! Many scanners ship with inverted codes switched off, hence dark on white everywhere, the terminal
//! included. Error correction is level M. The 199 digits of a card fill version 5 (37 × 37 modules)
//! in numeric mode; a byte more than digits would need version 6.
//!
//! Who does what, as measured with `cargo bench -p member-card` on a 2-core server:
//! - `fast_qr` fills the matrix and picks its mask in 70 µs, where `qrcode` takes 540 µs.
//! - `qrcode` renders that matrix as SVG (60 µs, 13 kB, 4 kB gzipped) and as terminal blocks, and its
//!   encoder is the reference that the tests compare with, module by module, under every mask.
//! - `image` writes the PNG at its fast setting with adaptive filters (40 µs, 3 kB). It has no 1-bit
//!   pixels; 8-bit grey compresses to much the same. Text to PNG takes 0.1 ms in all.
//!
//! Invariant: what is drawn decodes to the text it was drawn from; the tests read every form back.

use fast_qr::{ECL, QRBuilder};
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};
use qrcode::Color;
use qrcode::render::{Renderer, svg, unicode};

/// The quiet zone around a code, in modules.
pub const QUIET_ZONE_MODULES: usize = 4;
/// The longest text that is drawn, in bytes.
pub const TEXT_BYTES_MAX: usize = 512;
/// The largest scale, in pixels per module.
pub const SCALE_PX_MAX: u32 = 64;

/// Why nothing was drawn.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DrawError {
    /// The text does not fit a code this crate draws.
    #[error("a drawn text has 1 to {TEXT_BYTES_MAX} bytes")]
    TextLength,
    /// The scale is zero or beyond reason.
    #[error("a scale is 1 to {SCALE_PX_MAX} pixels per module")]
    Scale,
    /// The picture could not be written.
    #[error("the PNG could not be encoded")]
    Png(#[from] image::ImageError),
}

/// The modules of a QR code, without quiet zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matrix {
    size: usize,
    modules: Vec<Color>,
}

/// The QR code of `text`, level M, in the smallest version that holds it.
pub fn matrix(text: &str) -> Result<Matrix, DrawError> {
    if text.is_empty() || text.len() > TEXT_BYTES_MAX {
        return Err(DrawError::TextLength);
    }
    let code = QRBuilder::new(text)
        .ecl(ECL::M)
        .build()
        .map_err(|_| DrawError::TextLength)?;
    let modules = code.data.iter().take(code.size * code.size);
    let modules = modules.map(|module| {
        if module.value() {
            Color::Dark
        } else {
            Color::Light
        }
    });
    Ok(Matrix {
        size: code.size,
        modules: modules.collect(),
    })
}

/// `text` as an SVG, `scale` pixels per module.
pub fn svg(text: &str, scale: u32) -> Result<String, DrawError> {
    matrix(text)?.to_svg(scale)
}

/// `text` as a PNG, `scale` pixels per module, 8-bit grey.
pub fn png(text: &str, scale: u32) -> Result<Vec<u8>, DrawError> {
    matrix(text)?.to_png(scale)
}

/// `text` for a terminal, two modules per character, in explicit black on white.
pub fn terminal(text: &str) -> Result<String, DrawError> {
    Ok(matrix(text)?.to_terminal())
}

impl Matrix {
    /// Modules per side.
    pub fn size(&self) -> usize {
        self.size
    }

    /// The QR version, 1 to 40.
    pub fn version(&self) -> usize {
        (self.size - 17) / 4
    }

    /// Whether the module in column `x` and row `y` is dark. Outside the code everything is light.
    pub fn is_dark(&self, x: usize, y: usize) -> bool {
        x < self.size && self.modules.get(y * self.size + x) == Some(&Color::Dark)
    }

    /// The code as an SVG, `scale` pixels per module.
    pub fn to_svg(&self, scale: u32) -> Result<String, DrawError> {
        let scale = checked(scale)?;
        let mut renderer = Renderer::<svg::Color<'_>>::new(&self.modules, self.size, QUIET_ZONE);
        Ok(renderer.module_dimensions(scale, scale).build())
    }

    /// The code as a PNG, `scale` pixels per module, 8-bit grey.
    pub fn to_png(&self, scale: u32) -> Result<Vec<u8>, DrawError> {
        let scale_px = checked(scale)? as usize;
        let side_modules = self.size + 2 * QUIET_ZONE_MODULES;
        let side_px = side_modules * scale_px;
        let mut pixels = vec![WHITE; side_px * side_px];
        let code_rows = pixels
            .chunks_exact_mut(side_px * scale_px)
            .skip(QUIET_ZONE_MODULES);
        for (row, band) in self.modules.chunks_exact(self.size).zip(code_rows) {
            // Paint the first line of a row of modules, then repeat it down to the next.
            let (line, copies) = band.split_at_mut(side_px);
            let cells = line.chunks_exact_mut(scale_px).skip(QUIET_ZONE_MODULES);
            for (_, cell) in row
                .iter()
                .zip(cells)
                .filter(|(module, _)| **module == Color::Dark)
            {
                cell.fill(BLACK);
            }
            copies
                .chunks_exact_mut(side_px)
                .for_each(|copy| copy.copy_from_slice(line));
        }
        let mut file = Vec::with_capacity(PNG_BYTES_TYPICAL);
        let encoder =
            PngEncoder::new_with_quality(&mut file, CompressionType::Fast, FilterType::Adaptive);
        let side_px = u32::try_from(side_px).map_err(|_| DrawError::Scale)?;
        encoder.write_image(&pixels, side_px, side_px, ExtendedColorType::L8)?;
        Ok(file)
    }

    /// The code for a terminal, two modules per character, in explicit black on white, so that it is
    /// no inverted code on a dark background.
    pub fn to_terminal(&self) -> String {
        let blocks =
            Renderer::<unicode::Dense1x2>::new(&self.modules, self.size, QUIET_ZONE).build();
        blocks
            .lines()
            .map(|line| format!("{BLACK_ON_WHITE}{line}{RESET}\n"))
            .collect()
    }
}

const QUIET_ZONE: u32 = 4;
const WHITE: u8 = 255;
const BLACK: u8 = 0;
const PNG_BYTES_TYPICAL: usize = 4096;
/// From the fixed part of the 256-colour palette: the first 16 colours are whatever the user likes.
const BLACK_ON_WHITE: &str = "\x1b[38;5;16;48;5;231m";
const RESET: &str = "\x1b[0m";

fn checked(scale: u32) -> Result<u32, DrawError> {
    if (1..=SCALE_PX_MAX).contains(&scale) {
        Ok(scale)
    } else {
        Err(DrawError::Scale)
    }
}
