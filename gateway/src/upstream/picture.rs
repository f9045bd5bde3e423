//! Pictures of a digit, however they come, as the network wants them: 8 by 8, from 0 (paper) to 16 (ink).

use base64::{engine::general_purpose::STANDARD, Engine as _};
use serde_json::Value;

/// 8 rows of 8.
pub const PIXELS: usize = 64;
const SMALL: usize = 8;
const LARGE: usize = 28;
const INK: u32 = 16;
/// What a large pixel goes up to.
const WHITE: u32 = 255;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture([u8; PIXELS]);

/// Why a message shows no digit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoPicture {
    #[error(
        "send a digit: 8 or 28 lines of as many characters (space and . are paper, anything else is ink), or an \
             image_url with data:image/x-portable-graymap;base64, of 8x8 or 28x28"
    )]
    Nothing,
    #[error("the image is not a binary portable graymap (P5) of 8x8 or 28x28 with at most 255 as its maximum")]
    NotAGraymap,
}

impl Picture {
    /// The last picture in a message's content.
    pub fn find(content: &Value) -> Result<Self, NoPicture> {
        match content {
            Value::String(text) => Self::drawn(text),
            Value::Array(parts) => {
                let parts = parts.iter().rev().map(|part| match part["image_url"]["url"].as_str() {
                    Some(url) => Self::in_line(url),
                    None => Self::drawn(part["text"].as_str().unwrap_or_default()),
                });
                let mut result = Err(NoPicture::Nothing);
                for part in parts {
                    match part {
                        Err(NoPicture::Nothing) => {}
                        other => {
                            result = other;
                            break;
                        }
                    }
                }
                result
            }
            _ => Err(NoPicture::Nothing),
        }
    }

    pub fn pixels(&self) -> &[u8; PIXELS] {
        &self.0
    }

    /// The block of 8 or 28 lines of a text.
    fn drawn(text: &str) -> Result<Self, NoPicture> {
        let lines: Vec<Vec<char>> = text.lines().map(|line| line.trim_end_matches('\r').chars().collect()).collect();
        for (size, full) in [(LARGE, WHITE), (SMALL, INK)] {
            if let Some(block) = lines.windows(size).find(|block| block.iter().all(|line| line.len() == size)) {
                let ink = |c: &char| if matches!(c, ' ' | '.') { 0 } else { full };
                let pixels: Vec<u32> = block.iter().flatten().map(ink).collect();
                return Ok(Self::shrunk(size, &pixels, full));
            }
        }
        Err(NoPicture::Nothing)
    }

    /// `data:image/x-portable-graymap;base64,...`: white is ink, as in MNIST.
    fn in_line(url: &str) -> Result<Self, NoPicture> {
        let data = url.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,")).map(|(_, data)| data);
        let bytes = STANDARD.decode(data.ok_or(NoPicture::NotAGraymap)?).map_err(|_| NoPicture::NotAGraymap)?;
        Self::graymap(&bytes).ok_or(NoPicture::NotAGraymap)
    }

    fn graymap(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes.strip_prefix(b"P5")?;
        let mut number = || {
            let start = rest.iter().position(|byte| !byte.is_ascii_whitespace())?;
            let end = start + rest[start..].iter().position(|byte| !byte.is_ascii_digit())?;
            let value: u32 = std::str::from_utf8(&rest[start..end]).ok()?.parse().ok()?;
            rest = &rest[end..];
            Some(value)
        };
        let (width, height, full) = (number()?, number()?, number()?);
        let size = usize::try_from(width).ok().filter(|size| width == height && [SMALL, LARGE].contains(size))?;
        // One byte of white space, then the pixels.
        let pixels = rest.get(1..)?;
        let sound = (1..=WHITE).contains(&full) && pixels.len() == size * size;
        let pixels: Vec<u32> = pixels.iter().map(|pixel| u32::from(*pixel).min(full)).collect();
        sound.then(|| Self::shrunk(size, &pixels, full))
    }

    /// The network learned from pictures of 32 by 32 whose blocks of 4 by 4 were counted; 28 by 28 have a margin of 2 less.
    fn shrunk(size: usize, pixels: &[u32], full: u32) -> Self {
        const BLOCK: usize = 4;
        const MARGIN: usize = 2;
        let mut small = [0; PIXELS];
        for (at, pixel) in small.iter_mut().enumerate() {
            let (row, column) = (at / SMALL, at % SMALL);
            let ink = if size == SMALL {
                pixels[at] * INK
            } else {
                let block = (0..BLOCK).flat_map(|y| (0..BLOCK).map(move |x| (row * BLOCK + y, column * BLOCK + x)));
                let inside = block.filter_map(|(y, x)| {
                    let (y, x) = (y.checked_sub(MARGIN)?, x.checked_sub(MARGIN)?);
                    (y < LARGE && x < LARGE).then(|| pixels[y * LARGE + x])
                });
                // 16 pixels of at most `full` each, and 16 is full ink.
                inside.sum()
            };
            *pixel = u8::try_from((ink / full).min(INK)).unwrap_or(16);
        }
        Self(small)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn graymap(size: usize, full: u32, pixels: &[u8]) -> String {
        let mut bytes = format!("P5\n{size} {size}\n{full}\n").into_bytes();
        bytes.extend_from_slice(pixels);
        format!("data:image/x-portable-graymap;base64,{}", STANDARD.encode(bytes))
    }

    #[test]
    fn small_pictures_pass_as_they_are() {
        let pixels: Vec<u8> = (0..64).map(|at| at % 17).collect();
        let content = json!([{"type": "text", "text": "which digit?"},
            {"type": "image_url", "image_url": {"url": graymap(8, 16, &pixels)}}]);
        assert_eq!(Picture::find(&content).unwrap().pixels()[..], pixels[..]);
    }

    #[test]
    fn large_pictures_are_counted_in_blocks() {
        let picture = Picture::find(&json!([{"image_url": {"url": graymap(28, 255, &[255; 784])}}])).unwrap();
        // Corners are a quarter inside, edges half, the rest all.
        assert_eq!((picture.0[0], picture.0[1], picture.0[9]), (4, 8, 16));
    }

    #[test]
    fn drawings_are_found_among_words() {
        let drawing =
            ["...##...".to_owned(), "...##...".to_owned()].iter().cycle().take(8).cloned().collect::<Vec<_>>();
        let text = format!("What is this?\n{}\nThanks", drawing.join("\n"));
        let picture = Picture::find(&json!(text)).unwrap();
        assert_eq!(picture.0[..8], [0, 0, 0, 16, 16, 0, 0, 0]);
        let large = vec!["#".repeat(28); 28].join("\n");
        assert_eq!(Picture::find(&json!(large)).unwrap().0[9], 16);
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        assert_eq!(Picture::find(&json!("hello")), Err(NoPicture::Nothing));
        assert_eq!(Picture::find(&json!(null)), Err(NoPicture::Nothing));
        for url in
            ["http://x/y.png".to_owned(), graymap(8, 0, &[0; 64]), graymap(8, 16, &[0; 63]), graymap(9, 16, &[0; 81])]
        {
            assert_eq!(Picture::find(&json!([{"image_url": {"url": url}}])), Err(NoPicture::NotAGraymap));
        }
    }
}
