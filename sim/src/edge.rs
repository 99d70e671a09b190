//! What stands between Twilio and the runtime: an address that always takes connections, as
//! Cloudflare's does. It lets them wait while no runtime is there, and breaks them off with it.

use anyhow::Context;
use std::time::Duration;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::sleep;

/// How long to wait before the runtime is looked for again.
const PAUSE: Duration = Duration::from_millis(50);

/// Relays connections until it is dropped.
pub struct Edge {
    /// The address Twilio knows.
    pub url: String,
    task: JoinHandle<()>,
}

impl Edge {
    /// An edge in front of this port of the loopback interface.
    pub async fn start(port: u16) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("no edge")?;
        let url = format!("http://{}", listener.local_addr()?);
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                connections.spawn(relay(client, port));
                while connections.try_join_next().is_some() {}
            }
        });
        Ok(Self { url, task })
    }
}

impl Drop for Edge {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn relay(mut client: TcpStream, port: u16) {
    let mut runtime = loop {
        match TcpStream::connect(("127.0.0.1", port)).await {
            Ok(runtime) => break runtime,
            Err(_) => sleep(PAUSE).await,
        }
    };
    // 20 ms frames must not wait for one another.
    let _ = (client.set_nodelay(true), runtime.set_nodelay(true));
    if copy_bidirectional(&mut client, &mut runtime).await.is_err() {
        let _ = (client.set_zero_linger(), runtime.set_zero_linger());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test]
    async fn a_connection_waits_for_the_runtime_and_ends_with_it() {
        let port = crate::worker::free_port().unwrap();
        let edge = Edge::start(port).await.unwrap();
        let mut client = TcpStream::connect(edge.url.trim_start_matches("http://"))
            .await
            .unwrap();
        client.write_all(b"early").await.unwrap();
        let runtime = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let (mut served, _) = runtime.accept().await.unwrap();
        let mut heard = [0; 5];
        served.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"early");
        drop(served);
        assert_eq!(client.read(&mut heard).await.unwrap_or(0), 0);
    }
}
