//! The reference upstream: the repository's network behind the gateway.

use crate::support::*;
use joule_gateway::upstream::Upstream as Digits;
use serde_json::json;
use std::path::Path;

async fn digits() -> String {
    let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("../workloads/digits/digits.wasm");
    let upstream = Digits::bind("127.0.0.1:0".parse().unwrap(), &module).await.unwrap();
    let url = format!("http://{}/v1", upstream.address().unwrap());
    tokio::spawn(upstream.run());
    url
}

/// The n-th image of the held-out set, and what it shows.
fn image(n: usize) -> (Vec<u8>, u8) {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../workloads/digits/data");
    let images = std::fs::read(data.join("test_images.bin")).unwrap();
    let labels = std::fs::read(data.join("test_labels.bin")).unwrap();
    (images[12 + n * 64..][..64].to_vec(), labels[12 + n])
}

fn in_line(pixels: &[u8]) -> serde_json::Value {
    use base64::{engine::general_purpose::STANDARD, Engine as _};
    let bytes = [b"P5 8 8 16\n".as_slice(), pixels].concat();
    let url = format!("data:image/x-portable-graymap;base64,{}", STANDARD.encode(bytes));
    json!({"model": "digits", "messages": [{"role": "user", "content": [
        {"type": "text", "text": "which digit is this?"}, {"type": "image_url", "image_url": {"url": url}}]}]})
}

#[tokio::test]
async fn digits_are_read_for_pay() {
    let world = World::start(&digits().await).await;
    let mut client = world.client(10);
    let mut right = 0;
    for n in 0..20 {
        let (pixels, label) = image(n);
        let mut body = in_line(&pixels);
        body["stream"] = json!(n % 2 == 1);
        let (reply, amount) = client.ask(&body).await;
        assert!(amount > 100, "{amount}");
        let text = reply.text();
        let said: String = if n % 2 == 1 {
            let events =
                text.split("\n\n").filter_map(|event| event.strip_prefix("data: ")).filter(|data| *data != "[DONE]");
            let deltas = events.map(|data| serde_json::from_str::<serde_json::Value>(data).unwrap());
            deltas.filter_map(|json| Some(json["choices"][0]["delta"]["content"].as_str()?.to_owned())).collect()
        } else {
            reply.json()["choices"][0]["message"]["content"].as_str().unwrap().to_owned()
        };
        right += usize::from(said.starts_with(&format!("The digit is {label}.")));
    }
    assert!(right >= 18, "{right} of 20 digits were read");
}

#[tokio::test]
async fn a_drawing_in_characters_is_read_too() {
    let world = World::start(&digits().await).await;
    let mut client = world.client(10);
    let (pixels, label) = image(0);
    let lines: Vec<String> =
        pixels.chunks(8).map(|row| row.iter().map(|pixel| if *pixel > 7 { '#' } else { '.' }).collect()).collect();
    let (reply, _) = client.ask(&question(&format!("Which digit?\n{}", lines.join("\n")))).await;
    let said = reply.json()["choices"][0]["message"]["content"].as_str().unwrap().to_owned();
    assert!(said.starts_with(&format!("The digit is {label}.")), "{said}");
}

#[tokio::test]
async fn a_message_without_a_digit_is_free() {
    let world = World::start(&digits().await).await;
    let mut client = world.client(10);
    let body = question("hello?");
    let payment = client.pay(&body);
    let reply = client.send(&payment, &body).await;
    assert_eq!((reply.status, reply.code().as_str()), (400, "bad_picture"));
    assert_eq!(world.account(10).await["receipts"], 0);
}
