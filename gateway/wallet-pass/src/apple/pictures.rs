//! The pictures of a card.
//!
//! Apple asks for an icon, shown with notices, and puts a logo at the top left of the card. Who has none gets a plain
//! mark: a ring in the text colour on the card's colour.

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};

use crate::Color;

/// Pixels of the icon's side.
const ICON_PX: u32 = 29;
/// Pixels of the logo's side; Apple gives it 160 × 50 at most.
const LOGO_PX: u32 = 50;
const PNG_MAGIC: &[u8] = b"\x89PNG\r\n\x1a\n";

/// The pictures of a card, each a PNG.
#[derive(Clone, PartialEq, Eq)]
pub struct Images {
    icon: Vec<u8>,
    icon_2x: Vec<u8>,
    logo: Vec<u8>,
}

/// Why there are no pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PictureError {
    /// A picture is no PNG.
    #[error("`{0}` is no PNG")]
    NotPng(&'static str),
    /// A picture could not be written.
    #[error("a picture could not be drawn")]
    Drawing,
}

impl Images {
    /// These pictures: the icon with 29 × 29 and with 58 × 58 pixels, the logo with up to 160 × 50.
    pub fn from_png(icon: Vec<u8>, icon_2x: Vec<u8>, logo: Vec<u8>) -> Result<Self, PictureError> {
        let images = Self {
            icon,
            icon_2x,
            logo,
        };
        for (name, bytes) in images.files() {
            if !bytes.starts_with(PNG_MAGIC) {
                return Err(PictureError::NotPng(name));
            }
        }
        Ok(images)
    }

    /// A ring on a ground.
    pub fn drawn(ground: Color, ring: Color) -> Result<Self, PictureError> {
        Ok(Self {
            icon: draw(ICON_PX, ground, ring)?,
            icon_2x: draw(2 * ICON_PX, ground, ring)?,
            logo: draw(LOGO_PX, ground, ring)?,
        })
    }

    /// Name and bytes of each.
    pub(super) fn files(&self) -> [(&'static str, &[u8]); 3] {
        [
            ("icon.png", &self.icon),
            ("icon@2x.png", &self.icon_2x),
            ("logo.png", &self.logo),
        ]
    }
}

/// A square with a ring between half and three quarters of the way from its middle to its edge.
fn draw(side: u32, ground: Color, ring: Color) -> Result<Vec<u8>, PictureError> {
    // In half pixels, so that the middle of an even side is a whole number too.
    let from_middle = |at: u32| (2 * at + 1).abs_diff(side).pow(2);
    let (inner, outer) = (side.pow(2) / 4, 9 * side.pow(2) / 16);
    let pixels: Vec<u8> = (0..side)
        .flat_map(|y| (0..side).map(move |x| from_middle(x) + from_middle(y)))
        .map(|distance| match (inner..=outer).contains(&distance) {
            true => ring,
            false => ground,
        })
        .flat_map(|color| [color.red, color.green, color.blue])
        .collect();
    let mut file = Vec::new();
    PngEncoder::new_with_quality(&mut file, CompressionType::Default, FilterType::Adaptive)
        .write_image(&pixels, side, side, ExtendedColorType::Rgb8)
        .map_err(|_| PictureError::Drawing)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawn_pictures_have_the_colours_and_sizes() {
        let (ground, ring) = (Color::new(0, 80, 160), Color::WHITE);
        let images = Images::drawn(ground, ring).unwrap();
        for ((name, bytes), side) in images.files().into_iter().zip([29, 58, 50]) {
            let picture = image::load_from_memory(bytes).unwrap().to_rgb8();
            assert_eq!(picture.dimensions(), (side, side), "{name}");
            let color = |x, y| picture.get_pixel(x, y).0;
            let middle = side / 2;
            assert_eq!(color(0, 0), [0, 80, 160], "{name}");
            assert_eq!(color(middle, middle), [0, 80, 160], "{name}");
            assert_eq!(color(middle + side * 5 / 16, middle), [255; 3], "{name}");
        }
        let again = Images::drawn(ground, ring).unwrap();
        assert!(images == again);
    }

    #[test]
    fn what_is_no_png_is_refused() {
        let png = Images::drawn(Color::WHITE, Color::WHITE).unwrap().icon;
        assert!(Images::from_png(png.clone(), png.clone(), png.clone()).is_ok());
        let refused = Images::from_png(png.clone(), b"GIF89a".to_vec(), png);
        assert!(matches!(refused, Err(PictureError::NotPng("icon@2x.png"))));
    }
}
