//! axum behind axum-server, and reqwest, each with a configuration that is given to it.

mod support;

use std::error::Error;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use axum_server::tls_rustls::RustlsConfig;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, ServerConfig, Stream};
use rustls_kemstone::{PostQuantum, with_post_quantum};

// The recipe for axum. axum-server's feature is `tls-rustls-no-provider`: `tls-rustls` brings aws-lc-rs.

async fn serve(listener: TcpListener, config: Arc<ServerConfig>) -> Result<(), Box<dyn Error + Send + Sync>> {
    let app = Router::new().route("/", get(|| async { "hello" }));
    axum_server::from_tcp_rustls(listener, RustlsConfig::from_config(config))?
        .serve(app.into_make_service())
        .await?;
    Ok(())
}

// The recipe for reqwest. Its feature is `rustls-no-provider`: `rustls`, which is in its default features, brings aws-lc-rs.

async fn fetch(url: &str, config: ClientConfig) -> reqwest::Result<String> {
    let client = reqwest::Client::builder().tls_backend_preconfigured(config).build()?;
    client.get(url).send().await?.text().await
}

// Or, with reqwest's own choice of certificates: it takes the provider of the process.

async fn fetch_by_default(url: &str, authority: &str) -> Result<String, Box<dyn Error + Send + Sync>> {
    let provider = with_post_quantum(rustls::crypto::ring::default_provider());
    let _ = provider.install_default(); // once, where the program begins
    let authority = reqwest::Certificate::from_pem(authority.as_bytes())?;
    let client = reqwest::Client::builder().tls_certs_only([authority]).build()?;
    Ok(client.get(url).send().await?.text().await?)
}

/// A server that knows no other group, so that an answer is a proof.
fn insisting() -> Arc<ServerConfig> {
    let mut config = (*support::server_config()).clone();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let provider = PostQuantum::new().only().apply(rustls::crypto::ring::default_provider()).unwrap();
    let resolver = config.cert_resolver.clone();
    ServerConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(resolver)
        .into()
}

fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

#[tokio::test(flavor = "multi_thread")]
async fn reqwest_fetches_from_axum() {
    let (listener, address) = listen();
    tokio::spawn(serve(listener, insisting()));
    let url = format!("https://localhost:{}/", address.port());
    assert_eq!(fetch(&url, support::client_config()).await.unwrap(), "hello");
    assert_eq!(fetch_by_default(&url, &support::certificate()).await.unwrap(), "hello");

    // Without the group there is no answer: the two above had it.
    let classical = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(support::roots())
        .with_no_client_auth();
    assert!(fetch(&url, classical).await.is_err());
}

/// And seen from the client.
#[tokio::test(flavor = "multi_thread")]
async fn axum_agrees_on_the_group() {
    let (listener, address) = listen();
    tokio::spawn(serve(listener, support::server_config()));
    let (group, answer) = tokio::task::spawn_blocking(move || {
        let name = ServerName::try_from("localhost").unwrap();
        let mut connection = ClientConnection::new(Arc::new(support::client_config()), name).unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        let mut tls = Stream::new(&mut connection, &mut stream);
        tls.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        tls.read_to_string(&mut answer).unwrap();
        (connection.negotiated_key_exchange_group().unwrap().name(), answer)
    })
    .await
    .unwrap();
    assert_eq!(group, rustls::NamedGroup::X25519MLKEM768);
    assert!(answer.ends_with("hello"), "{answer}");
}
