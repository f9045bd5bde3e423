//! An indexer that is somebody else's: whatever it sends, no more is read than an honest one would send.

use joule_api::{ApiError, Client};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    task::JoinHandle,
};

/// Answers one request by `head` and then for ever; tells in the end how many bytes of the body it got rid of.
async fn endless(head: &'static str) -> (Client, JoinHandle<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = Client::new(format!("http://{}", listener.local_addr().unwrap()));
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 4_096];
        let _ = stream.read(&mut request).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        let piece = [&b"10000\r\n"[..], &[b' '; 0x10000], b"\r\n"].concat();
        let mut sent = 0;
        while stream.write_all(&piece).await.is_ok() {
            sent += piece.len();
        }
        sent
    });
    (client, server)
}

#[tokio::test]
async fn an_endless_answer_is_not_read_to_its_end() {
    let heads = [
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 100000000000\r\n\r\n",
        // One that ends with the connection.
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 500 Internal Server Error\r\ntransfer-encoding: chunked\r\n\r\n",
    ];
    for head in heads {
        let (client, server) = endless(head).await;
        let error = client.open_jobs("somebody", 500).await.unwrap_err();
        assert!(matches!(error, ApiError::TooLong { .. }), "{head:?}: {error}");
        // What lies in between holds some of it.
        let sent = server.await.unwrap();
        assert!(sent < 64 << 20, "{head:?}: {sent} bytes");
    }
}
