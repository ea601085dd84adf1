//! tokio-rustls: a server that answers with the name of the group, and a client.

mod support;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ServerConfig};
use rustls_kemstone::Group;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_rustls::{TlsAcceptor, TlsConnector};

// The recipe: nothing but the provider inside `config` differs from any other use of tokio-rustls.

async fn serve_one(listener: TcpListener, config: Arc<ServerConfig>) -> io::Result<()> {
    let (stream, _) = listener.accept().await?;
    let handshake = TlsAcceptor::from(config).accept(stream);
    let mut stream = timeout(Duration::from_secs(10), handshake).await??;
    let group = stream.get_ref().1.negotiated_key_exchange_group().map(|group| group.name().into());
    let name = group.and_then(Group::from_code_point).map_or("another", Group::name);
    stream.write_all(name.as_bytes()).await?;
    stream.shutdown().await
}

async fn fetch(port: u16, config: Arc<ClientConfig>) -> io::Result<String> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let name = ServerName::try_from("localhost").map_err(io::Error::other)?;
    let mut stream = TlsConnector::from(config).connect(name, stream).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

#[tokio::test]
async fn both_sides() -> io::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let port = listener.local_addr()?.port();
    let server = tokio::spawn(serve_one(listener, support::server_config()));
    assert_eq!(fetch(port, Arc::new(support::client_config())).await?, "X25519MLKEM768");
    server.await?
}
