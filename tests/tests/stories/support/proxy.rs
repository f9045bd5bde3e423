//! A way to a service that can be cut and mended.

use std::net::SocketAddr;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

/// Passes connections on to a service while it is whole.
pub struct Proxy {
    address: SocketAddr,
    whole: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// `url` is such as `http://127.0.0.1:8899`.
    pub async fn to(url: &str) -> Self {
        let target: SocketAddr = url.trim_start_matches("http://").parse().expect("an address on loopback");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it has an address");
        let (whole, watching) = watch::channel(true);
        let task = tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let mut watching = watching.clone();
                tokio::spawn(async move {
                    if !*watching.borrow() {
                        return;
                    }
                    let Ok(mut far) = TcpStream::connect(target).await else { return };
                    tokio::select! {
                        // Whichever side ends it: both connections are dropped here.
                        _ = copy_bidirectional(&mut near, &mut far) => {}
                        _ = watching.wait_for(|whole| !whole) => {}
                    }
                });
            }
        });
        Self { address, whole, task }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Ends every connection; new ones are closed at once.
    pub fn cut(&self) {
        self.whole.send_replace(false);
    }

    pub fn mend(&self) {
        self.whole.send_replace(true);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.cut();
        self.task.abort();
    }
}
