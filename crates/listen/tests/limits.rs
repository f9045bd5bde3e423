//! Connections that ask nothing, ask without end, or do not listen.

use axum::{routing::get, Router};
use joule_listen::{serve, Limits, Peer, Share};
use std::{
    net::SocketAddr,
    sync::{
        atomic::{AtomicUsize, Ordering},
        Arc,
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
    sync::Notify,
    task::JoinHandle,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

const ASK: &[u8] = b"GET / HTTP/1.1\r\nhost: here\r\n\r\n";
const LIMITS: Limits = Limits {
    connections: 2,
    share: Share::Usual,
    header_bytes: 16 * 1024,
    header: Duration::from_millis(200),
    write: Duration::from_millis(200),
};
/// Of a server that closes nothing while a test runs, however slow the machine is.
const PATIENT: Limits = Limits { header: Duration::from_secs(60), write: Duration::from_secs(60), ..LIMITS };
/// More than the buffers between two sockets hold.
const LARGE: usize = 64 * 1024 * 1024;

struct Server {
    address: SocketAddr,
    stop: CancellationToken,
    serving: JoinHandle<TaskTracker>,
    /// `/later` is asked for, and is to be answered.
    later: Arc<[Notify; 2]>,
}

impl Server {
    async fn start(limits: Limits) -> Self {
        let later = Arc::<[Notify; 2]>::default();
        let held = later.clone();
        let hold = async move || {
            held[0].notify_one();
            held[1].notified().await;
        };
        let router = Router::new()
            .route("/", get(|| async { "well" }))
            .route("/large", get(|| async { vec![b'x'; LARGE] }))
            .route("/later", get(hold));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
        Self { address, stop: stop.clone(), serving: tokio::spawn(serve(listener, router, limits, stop)), later }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }
}

/// Asks, and reads the head of the answer.
async fn ask(stream: &mut TcpStream) -> String {
    stream.write_all(ASK).await.unwrap();
    let mut answer = vec![0; 1_024];
    let read = stream.read(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer[..read]).into_owned()
}

/// Reads until the server closes; a reset is an end as well.
async fn rest(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes).await;
    bytes
}

#[tokio::test]
async fn a_connection_that_asks_nothing_or_not_enough_is_closed() {
    let server = Server::start(LIMITS).await;
    let mut silent = server.connect().await;
    assert!(rest(&mut silent).await.is_empty());
    let mut slow = server.connect().await;
    slow.write_all(&ASK[..20]).await.unwrap();
    rest(&mut slow).await;
    // Also when it has asked before.
    let mut idle = server.connect().await;
    assert!(ask(&mut idle).await.starts_with("HTTP/1.1 200"));
    assert!(rest(&mut idle).await.is_empty());
}

#[tokio::test]
async fn a_head_that_is_too_long_is_refused() {
    let server = Server::start(PATIENT).await;
    let mut long = server.connect().await;
    let head = [b"GET / HTTP/1.1\r\nconnection: close\r\nx: ".as_slice(), &[b'x'; 32 * 1024], b"\r\n\r\n"].concat();
    let _ = long.write_all(&head).await;
    // The server may hang up on what it has not read, so that what it says is lost.
    let answer = String::from_utf8_lossy(&rest(&mut long).await).into_owned();
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
}

#[tokio::test]
async fn a_client_that_does_not_take_its_answer_is_cut_off() {
    let server = Server::start(LIMITS).await;
    let mut deaf = server.connect().await;
    deaf.write_all(b"GET /large HTTP/1.1\r\nhost: here\r\n\r\n").await.unwrap();
    tokio::time::sleep(3 * LIMITS.write).await;
    assert!(rest(&mut deaf).await.len() < LARGE);
    // One that does gets it whole.
    let mut keen = Server::start(PATIENT).await.connect().await;
    keen.write_all(b"GET /large HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n").await.unwrap();
    assert!(rest(&mut keen).await.len() > LARGE);
}

#[tokio::test]
async fn there_are_so_many_places_and_whoever_comes_then_waits_for_one() {
    let server = Server::start(PATIENT).await;
    let mut first = [server.connect().await, server.connect().await];
    for stream in &mut first {
        assert!(ask(stream).await.starts_with("HTTP/1.1 200"));
    }
    let mut third = server.connect().await;
    third.write_all(ASK).await.unwrap();
    let mut byte = [0];
    let answered = tokio::time::timeout(Duration::from_millis(100), third.read_exact(&mut byte)).await;
    assert!(answered.is_err(), "both places are taken");
    drop(first);
    third.read_exact(&mut byte).await.unwrap();
}

#[tokio::test]
async fn stopping_ends_what_is_idle_and_finishes_what_is_asked() {
    let server = Server::start(PATIENT).await;
    let mut idle = server.connect().await;
    assert!(ask(&mut idle).await.starts_with("HTTP/1.1 200"));
    let mut asked = server.connect().await;
    asked.write_all(b"GET /later HTTP/1.1\r\nhost: here\r\n\r\n").await.unwrap();
    server.later[0].notified().await;
    server.stop.cancel();
    let connections = server.serving.await.unwrap();
    assert!(rest(&mut idle).await.is_empty());
    server.later[1].notify_one();
    assert!(rest(&mut asked).await.starts_with(b"HTTP/1.1 200"));
    connections.wait().await;
    assert!(TcpStream::connect(server.address).await.is_err(), "nobody listens any more");
}

/// Counts its copies.
#[derive(Default)]
struct Large(Arc<AtomicUsize>);

impl Clone for Large {
    fn clone(&self) -> Self {
        self.0.fetch_add(1, Ordering::Relaxed);
        Self(self.0.clone())
    }
}

#[tokio::test]
async fn connections_share_what_handlers_hold() {
    let copies = Arc::<AtomicUsize>::default();
    let large = Large(copies.clone());
    let router = Router::new().route("/", get(move || std::future::ready(large.0.load(Ordering::Relaxed).to_string())));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let limits = Limits { connections: 50, ..PATIENT };
    tokio::spawn(serve(listener, router, limits, CancellationToken::new()));
    let mut connections = Vec::new();
    for _ in 0..40 {
        connections.push(TcpStream::connect(address).await.unwrap());
    }
    // All are accepted before the last of them is answered.
    assert!(ask(connections.last_mut().unwrap()).await.starts_with("HTTP/1.1 200"));
    assert!(copies.load(Ordering::Relaxed) < 10, "{copies:?}");
}

/// From one of this machine's own addresses.
async fn connect_from(from: &str, to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(format!("{from}:0").parse().unwrap()).unwrap();
    socket.connect(to).await.unwrap()
}

#[tokio::test]
async fn connections_of_one_address_leave_places_for_others() {
    let server = Server::start(Limits { connections: 4, share: Share::Percent(50), ..PATIENT }).await;
    let mut idle = Vec::new();
    for _ in 0..20 {
        idle.push(connect_from("127.0.0.1", server.address).await);
    }
    let mut other = connect_from("127.0.0.2", server.address).await;
    assert!(ask(&mut other).await.starts_with("HTTP/1.1 200"));
    // What is too much is closed, and what is within the share is served, then as before.
    for stream in &mut idle[2..] {
        assert!(matches!(stream.read(&mut [0]).await, Ok(0) | Err(_)));
    }
    assert!(ask(&mut idle[0]).await.starts_with("HTTP/1.1 200"));
    drop(idle);
    for _ in 0..100 {
        let mut again = connect_from("127.0.0.1", server.address).await;
        again.write_all(ASK).await.unwrap();
        if matches!(again.read(&mut [0]).await, Ok(1)) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("its share never came back");
}

#[tokio::test]
async fn handlers_know_who_asks() {
    let who = async |request: axum::extract::Request| request.extensions().get::<Peer>().unwrap().to_string();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve(listener, Router::new().route("/", get(who)), PATIENT, CancellationToken::new()));
    assert!(ask(&mut connect_from("127.0.0.3", address).await).await.ends_with("127.0.0.3"));
}
