//! The job's input and output.
//!
//! Input: `JIMG`, version 1 as u32, the number of images as u32 (little-endian both), then 64 bytes for each image:
//! 8 rows of 8 pixels from 0 (paper) to 16 (ink). Output: JSON, one line for each image.

use crate::network::Prediction;
use alloc::string::String;
use core::fmt::{self, Display, Write};

pub const IMAGE_BYTES: usize = 64;
/// Keeps the output under 8 MiB and the work within reach of a sensible fuel limit.
pub const MAX_IMAGES: usize = 100_000;
const MAGIC: &[u8; 4] = b"JIMG";
const VERSION: u32 = 1;
const HEADER_BYTES: usize = 12;
const MAX_PIXEL: u8 = 16;

/// Why an input was not read.
#[derive(Debug, PartialEq, Eq)]
pub enum InputError {
    TooShort { bytes: usize },
    NotImages,
    Version(u32),
    NoImages,
    TooMany(usize),
    Length { images: usize, expected: usize, bytes: usize },
    Pixel { image: usize, pixel: usize, value: u8 },
}

impl Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort { bytes } => write!(f, "the input has {bytes} bytes; its header alone takes {HEADER_BYTES}"),
            Self::NotImages => write!(f, "the input does not start with JIMG"),
            Self::Version(found) => write!(f, "the input has version {found}; this job reads version {VERSION}"),
            Self::NoImages => write!(f, "the input holds no images"),
            Self::TooMany(images) => write!(f, "the input says {images} images; one job takes at most {MAX_IMAGES}"),
            Self::Length { images, expected, bytes } => {
                write!(f, "the input says {images} images, which take {expected} bytes, but has {bytes}")
            }
            Self::Pixel { image, pixel, value } => {
                write!(f, "pixel {pixel} of image {image} is {value}; pixels go from 0 to {MAX_PIXEL}")
            }
        }
    }
}

/// The images of an input, all of them checked.
pub fn images(input: &[u8]) -> Result<impl ExactSizeIterator<Item = &[u8; IMAGE_BYTES]>, InputError> {
    let Some((header, pixels)) = input.split_first_chunk::<HEADER_BYTES>() else {
        return Err(InputError::TooShort { bytes: input.len() });
    };
    if &header[..4] != MAGIC {
        return Err(InputError::NotImages);
    }
    let version = u32::from_le_bytes([header[4], header[5], header[6], header[7]]);
    if version != VERSION {
        return Err(InputError::Version(version));
    }
    let count = u32::from_le_bytes([header[8], header[9], header[10], header[11]]) as usize;
    if count == 0 {
        return Err(InputError::NoImages);
    }
    if count > MAX_IMAGES {
        return Err(InputError::TooMany(count));
    }
    let (images, rest) = pixels.as_chunks::<IMAGE_BYTES>();
    if images.len() != count || !rest.is_empty() {
        let expected = HEADER_BYTES + count * IMAGE_BYTES;
        return Err(InputError::Length { images: count, expected, bytes: input.len() });
    }
    if let Some(at) = pixels.iter().position(|&value| value > MAX_PIXEL) {
        return Err(InputError::Pixel { image: at / IMAGE_BYTES, pixel: at % IMAGE_BYTES, value: pixels[at] });
    }
    Ok(images.iter())
}

pub fn predictions_json(predictions: impl ExactSizeIterator<Item = Prediction>) -> String {
    let mut json = String::with_capacity(64 * (predictions.len() + 1));
    // Writing to a String cannot fail.
    let _ = write!(json, "{{\"images\":{},\"predictions\":[", predictions.len());
    for (image, Prediction { digit, runner_up, margin }) in predictions.enumerate() {
        let comma = if image == 0 { "" } else { "," };
        let _ = write!(
            json,
            "{comma}\n{{\"image\":{image},\"digit\":{digit},\"runner_up\":{runner_up},\"margin\":{margin}}}"
        );
    }
    json.push_str("\n]}\n");
    json
}

/// No message of ours holds a character that JSON would escape.
pub fn error_json(error: &dyn Display) -> String {
    let mut json = String::new();
    let _ = writeln!(json, "{{\"error\":\"{error}\"}}");
    json
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    fn input(images: u32, pixels: &[u8]) -> Vec<u8> {
        let mut bytes = b"JIMG\x01\0\0\0".to_vec();
        bytes.extend(images.to_le_bytes());
        bytes.extend(pixels);
        bytes
    }

    fn error(input: &[u8]) -> InputError {
        match images(input) {
            Ok(_) => panic!("the input was read"),
            Err(error) => error,
        }
    }

    #[test]
    fn images_come_out_in_order() {
        let mut pixels = [1; 128];
        pixels[64..].fill(2);
        let bytes = input(2, &pixels);
        let found: Vec<_> = images(&bytes).unwrap().collect();
        assert_eq!(found, [&[1; 64], &[2; 64]]);
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert_eq!(error(b""), InputError::TooShort { bytes: 0 });
        assert_eq!(error(b"PNG\0\x01\0\0\0\x01\0\0\0"), InputError::NotImages);
        assert_eq!(error(b"JIMG\x02\0\0\0\x01\0\0\0"), InputError::Version(2));
        assert_eq!(error(&input(0, &[])), InputError::NoImages);
        assert_eq!(error(&input(u32::MAX, &[])), InputError::TooMany(u32::MAX as usize));
        assert_eq!(error(&input(2, &[0; 64])), InputError::Length { images: 2, expected: 140, bytes: 76 });
        assert_eq!(error(&input(1, &[0; 65])), InputError::Length { images: 1, expected: 76, bytes: 77 });
        let mut pixels = [0; 128];
        pixels[70] = 17;
        assert_eq!(error(&input(2, &pixels)), InputError::Pixel { image: 1, pixel: 6, value: 17 });
    }
}
