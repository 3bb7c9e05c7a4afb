//! One SIP OPTIONS over UDP: the question every SIP server answers, and which changes nothing.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use ratiba_core::{
    model::{SourceError, SourceErrorKind, SourceName},
    ports::Read,
};
use tokio::{net::UdpSocket, time::timeout};
use ulid::Ulid;

/// How long one datagram is waited for. UDP may lose one: there are three.
const WAIT: Duration = Duration::from_millis(700);
const TRIES: u32 = 3;

pub(super) async fn options(port: u16) -> Read<Option<String>> {
    asked(port).await.map_err(|error| SourceError {
        source_name: SourceName::Host,
        kind: SourceErrorKind::Unreachable,
        attempted: format!("ask the SIP server on UDP port {port}"),
        happened: error.to_string(),
        hint: "Check this machine's network.".into(),
    })
}

async fn asked(port: u16) -> io::Result<Option<String>> {
    let socket = UdpSocket::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
    socket.connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
    let own = socket.local_addr()?;
    let id = Ulid::new();
    let request = format!(
        "OPTIONS sip:console@127.0.0.1:{port} SIP/2.0\r\n\
         Via: SIP/2.0/UDP {own};branch=z9hG4bK{id}\r\n\
         Max-Forwards: 1\r\n\
         From: <sip:ratiba-console@127.0.0.1>;tag={id}\r\n\
         To: <sip:console@127.0.0.1:{port}>\r\n\
         Call-ID: {id}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    );
    let mut buffer = vec![0; 2_048];
    for _ in 0..TRIES {
        socket.send(request.as_bytes()).await.or_else(refused)?;
        match timeout(WAIT, socket.recv(&mut buffer)).await {
            Ok(Ok(length)) => return Ok(status(buffer.get(..length).unwrap_or_default())),
            // Nobody listens there: the kernel says so at once.
            Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => return Ok(None),
            Ok(Err(error)) => return Err(error),
            Err(_elapsed) => {}
        }
    }
    Ok(None)
}

/// A refusal of the datagram before is told at the next send; the next receive says it again.
fn refused(error: io::Error) -> io::Result<usize> {
    if error.kind() == io::ErrorKind::ConnectionRefused { Ok(0) } else { Err(error) }
}

/// `200 OK` of `SIP/2.0 200 OK`; an answer that is none is said as it is.
fn status(answer: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(answer);
    let first: String = text.lines().next().unwrap_or_default().chars().take(80).collect();
    Some(first.strip_prefix("SIP/2.0 ").map_or_else(|| format!("no SIP: {first}"), str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_server_is_asked_and_nobody_is_nobody() {
        let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let port = server.local_addr().unwrap().port();
        let answering = tokio::spawn(async move {
            let mut buffer = [0; 2_048];
            let (length, from) = server.recv_from(&mut buffer).await.unwrap();
            assert!(String::from_utf8_lossy(&buffer[..length]).starts_with("OPTIONS sip:"));
            server.send_to(b"SIP/2.0 503 Service Unavailable\r\n\r\n", from).await.unwrap();
        });
        assert_eq!(options(port).await.unwrap().as_deref(), Some("503 Service Unavailable"));
        answering.await.unwrap();
        assert_eq!(options(port).await.unwrap(), None, "its socket is closed by now");
        assert_eq!(status(b"HTTP/1.1 400\r\n").as_deref(), Some("no SIP: HTTP/1.1 400"));
    }
}
