//! The Rust inference against the training script's, on every held-out image.

const IMAGES: &[u8] = include_bytes!("../data/test_images.bin");
const EXPECTED: &str = include_str!("../data/expected.json");

#[test]
fn answers_equal_the_training_scripts() {
    assert_eq!(joule_digits::answer(IMAGES), EXPECTED);
}

#[test]
fn an_unreadable_input_is_answered_with_its_error() {
    assert_eq!(joule_digits::answer(b"hello"), "{\"error\":\"the input has 5 bytes; its header alone takes 12\"}\n");
    let cut = &IMAGES[..IMAGES.len() - 1];
    assert_eq!(
        joule_digits::answer(cut),
        "{\"error\":\"the input says 450 images, which take 28812 bytes, but has 28811\"}\n"
    );
}
