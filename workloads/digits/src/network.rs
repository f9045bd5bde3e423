//! A multi-layer perceptron with int8 weights and int32 accumulators.
//!
//! Weights file, little-endian: `JWGT`, version 1 as u32, number of layers L as u32, L + 1 widths as u32, then for each
//! layer: multiplier u32, shift u32, one i32 bias for each output, then the i8 weights, output by output.

use crate::format::IMAGE_BYTES;
use alloc::vec::Vec;
use core::fmt::{self, Display};

const MAGIC: &[u8; 4] = b"JWGT";
const VERSION: u32 = 1;
const MAX_LAYERS: u32 = 8;
const MAX_WIDTH: u32 = 1024;
const DIGITS: usize = 10;

/// What the network says about one image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prediction {
    pub digit: u8,
    /// The next best digit.
    pub runner_up: u8,
    /// By how much `digit` scores above `runner_up`, in units of the last accumulator; 0 is a tie, which the lower
    /// digit wins.
    pub margin: u32,
}

/// Why the weights were not read.
#[derive(Debug, PartialEq, Eq)]
pub enum WeightsError {
    NotWeights,
    Shape,
    Cut,
    Trailing,
}

impl Display for WeightsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotWeights => "the weights do not start with JWGT version 1",
            Self::Shape => "the weights describe another network than one from 64 pixels to 10 digits",
            Self::Cut => "the weights end too early",
            Self::Trailing => "the weights go on after the last layer",
        })
    }
}

struct Layer<'a> {
    /// With `shift`, takes an accumulator to the next layer's signal from 0 to 255; not used by the last layer.
    multiplier: u64,
    shift: u32,
    biases: Vec<i32>,
    /// `inputs` for each output.
    weights: &'a [u8],
    inputs: usize,
}

pub struct Network<'a> {
    layers: Vec<Layer<'a>>,
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn bytes(&mut self, count: usize) -> Result<&'a [u8], WeightsError> {
        let (head, tail) = self.0.split_at_checked(count).ok_or(WeightsError::Cut)?;
        self.0 = tail;
        Ok(head)
    }

    fn u32(&mut self) -> Result<u32, WeightsError> {
        let (head, tail) = self.0.split_first_chunk().ok_or(WeightsError::Cut)?;
        self.0 = tail;
        Ok(u32::from_le_bytes(*head))
    }
}

impl<'a> Network<'a> {
    pub fn parse(bytes: &'a [u8]) -> Result<Self, WeightsError> {
        let mut reader = Reader(bytes);
        if reader.bytes(4)? != MAGIC || reader.u32()? != VERSION {
            return Err(WeightsError::NotWeights);
        }
        let count = reader.u32()?;
        if !(1..=MAX_LAYERS).contains(&count) {
            return Err(WeightsError::Shape);
        }
        let mut widths = Vec::new();
        for _ in 0..=count {
            let width = reader.u32()?;
            if !(1..=MAX_WIDTH).contains(&width) {
                return Err(WeightsError::Shape);
            }
            widths.push(width as usize);
        }
        if widths.first() != Some(&IMAGE_BYTES) || widths.last() != Some(&DIGITS) {
            return Err(WeightsError::Shape);
        }
        let mut layers = Vec::new();
        for pair in widths.windows(2) {
            let (inputs, outputs) = (pair[0], pair[1]);
            let multiplier = u64::from(reader.u32()?);
            let shift = reader.u32()?;
            // Shift 0 is for the last layer, which has no signal to make; 31 keeps the rounding term in range.
            let last = layers.len() + 1 == count as usize;
            if last != (shift == 0) || shift > 31 {
                return Err(WeightsError::Shape);
            }
            let mut biases = Vec::new();
            for _ in 0..outputs {
                biases.push(reader.u32()? as i32);
            }
            let weights = reader.bytes(inputs * outputs)?;
            layers.push(Layer { multiplier, shift, biases, weights, inputs });
        }
        if !reader.0.is_empty() {
            return Err(WeightsError::Trailing);
        }
        Ok(Self { layers })
    }

    /// Works in two fixed buffers: nothing is allocated for an image.
    pub fn predict(&self, image: &[u8; IMAGE_BYTES]) -> Prediction {
        let mut signal = [0; MAX_WIDTH as usize];
        let mut scores = [0; MAX_WIDTH as usize];
        signal[..IMAGE_BYTES].copy_from_slice(image);
        let mut width = IMAGE_BYTES;
        for layer in &self.layers {
            layer.accumulate(&signal[..width], &mut scores);
            width = layer.biases.len();
            for (signal, &score) in signal.iter_mut().zip(&scores[..width]) {
                *signal = layer.activate(score);
            }
        }
        top_two(&scores[..width])
    }
}

impl Layer<'_> {
    /// Wraps only if the weights were made to: 1024 products of at most 255 * 128 and a bias stay far below 2^31.
    fn accumulate(&self, signal: &[u8], scores: &mut [i32]) {
        let outputs = self.weights.chunks_exact(self.inputs).zip(&self.biases);
        for (score, (weights, &bias)) in scores.iter_mut().zip(outputs) {
            *score = weights.iter().zip(signal).fold(bias, |sum, (&weight, &value)| {
                sum.wrapping_add(i32::from(weight as i8) * i32::from(value))
            });
        }
    }

    /// ReLU, then scaled to 0..=255 and rounded to nearest.
    fn activate(&self, score: i32) -> u8 {
        let half = (1u64 << self.shift) >> 1;
        let scaled = (u64::from(score.max(0) as u32) * self.multiplier + half) >> self.shift;
        scaled.min(255) as u8
    }
}

fn top_two(scores: &[i32]) -> Prediction {
    let best_of = |skip: Option<usize>| {
        let mut best: Option<(usize, i32)> = None;
        for (digit, &score) in scores.iter().enumerate() {
            if Some(digit) != skip && best.is_none_or(|(_, top)| score > top) {
                best = Some((digit, score));
            }
        }
        best.unwrap_or((0, 0))
    };
    let (digit, top) = best_of(None);
    let (runner_up, next) = best_of(Some(digit));
    Prediction { digit: digit as u8, runner_up: runner_up as u8, margin: top.abs_diff(next) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lower_digit_wins_a_tie() {
        let mut scores = [-5; 10];
        scores[3] = 7;
        scores[8] = 7;
        assert_eq!(top_two(&scores), Prediction { digit: 3, runner_up: 8, margin: 0 });
    }

    #[test]
    fn the_margin_spans_the_whole_range() {
        let mut scores = [i32::MIN; 10];
        scores[0] = i32::MAX;
        assert_eq!(top_two(&scores), Prediction { digit: 0, runner_up: 1, margin: u32::MAX });
    }

    #[test]
    fn activation_clips_and_rounds_to_nearest() {
        let layer = Layer { multiplier: 1 << 23, shift: 24, biases: Vec::new(), weights: &[], inputs: 1 };
        assert_eq!(layer.activate(-3), 0);
        assert_eq!(layer.activate(4), 2);
        assert_eq!(layer.activate(5), 3);
        assert_eq!(layer.activate(i32::MAX), 255);
    }

    #[test]
    fn damaged_weights_are_refused() {
        let good = crate::WEIGHTS;
        assert!(Network::parse(good).is_ok());
        assert_eq!(Network::parse(&good[..good.len() - 1]).err(), Some(WeightsError::Cut));
        assert_eq!(Network::parse(&good[1..]).err(), Some(WeightsError::NotWeights));
        assert_eq!(Network::parse(&[good, &[0]].concat()).err(), Some(WeightsError::Trailing));
        let mut wide = good.to_vec();
        wide[12] = 65;
        assert_eq!(Network::parse(&wide).err(), Some(WeightsError::Shape));
    }
}
