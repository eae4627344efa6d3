//! A wire to the database that can be cut.

use sea_orm::sqlx::postgres::PgConnectOptions;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Forwards connections while it is whole; cut, it drops those that there are and every new one.
pub struct Proxy {
    port: u16,
    whole: watch::Sender<bool>,
}

impl Proxy {
    /// In front of the server of a URL.
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

    /// The URL by way of this.
    pub fn url(&self, url: &str) -> String {
        let options: PgConnectOptions = url.parse().unwrap();
        let database = options.get_database().unwrap();
        format!("postgres://{}@127.0.0.1:{}/{database}", options.get_username(), self.port)
    }

    pub fn cut(&self) {
        self.whole.send_replace(false);
    }

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
