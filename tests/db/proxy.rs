//! [`Proxy`], a connection to the database that tests can cut.

use sea_orm::sqlx::postgres::PgConnectOptions;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A TCP proxy that forwards connections until it is cut. Then it closes them and refuses new ones.
pub struct Proxy {
    port: u16,
    whole: watch::Sender<bool>,
}

impl Proxy {
    /// Starts a proxy in front of the server of a URL.
    pub async fn before(url: &str) -> Self {
        let options: PgConnectOptions = url.parse().unwrap();
        let target = (options.get_host().to_owned(), options.get_port());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (whole, state) = watch::channel(true);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if *state.borrow() {
                    tokio::spawn(forward(client, target.clone(), state.clone()));
                }
            }
        });
        Self { port, whole }
    }

    /// Returns the URL of a database through the proxy.
    pub fn url(&self, url: &str) -> String {
        let options: PgConnectOptions = url.parse().unwrap();
        let database = options.get_database().unwrap();
        format!("postgres://{}@127.0.0.1:{}/{database}", options.get_username(), self.port)
    }

    /// Closes all connections and refuses new ones.
    pub fn cut(&self) {
        self.whole.send_replace(false);
    }

    /// Accepts connections again.
    pub fn mend(&self) {
        self.whole.send_replace(true);
    }
}

async fn forward(mut client: TcpStream, target: (String, u16), mut state: watch::Receiver<bool>) {
    let mut server = TcpStream::connect(target).await.unwrap();
    tokio::select! {
        _ = copy_bidirectional(&mut client, &mut server) => {}
        _ = state.wait_for(|whole| !whole) => {}
    }
}
