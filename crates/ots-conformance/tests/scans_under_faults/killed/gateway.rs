//! An address that stays while what answers there comes and goes.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::net::{TcpListener, TcpStream};

/// Forwards connections to where it leads; where it leads nowhere they end at once.
pub(crate) struct Gateway {
    address: SocketAddr,
    target: Arc<Mutex<Option<SocketAddr>>>,
}

impl Gateway {
    /// One that leads nowhere yet.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let target = Arc::new(Mutex::new(None));
        let leads_to = Arc::clone(&target);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let target: Option<SocketAddr> = *leads_to.lock().unwrap();
                tokio::spawn(forward(client, target));
            }
        });
        Self { address, target }
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// New connections go there. Those that are open end with their own other end.
    pub(crate) fn lead_to(&self, target: SocketAddr) {
        *self.target.lock().unwrap() = Some(target);
    }

    pub(crate) fn lead_nowhere(&self) {
        *self.target.lock().unwrap() = None;
    }
}

async fn forward(mut client: TcpStream, target: Option<SocketAddr>) {
    let Some(target) = target else { return };
    // It may have gone since.
    let Ok(mut service) = TcpStream::connect(target).await else {
        return;
    };
    tokio::io::copy_bidirectional(&mut client, &mut service)
        .await
        .ok();
}
