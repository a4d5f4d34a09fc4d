//! UDP ports on 127.0.0.1.

use std::net::{SocketAddr, UdpSocket};

/// An address whose port was free a moment ago.
///
/// # Errors
/// Those of the operating system.
pub fn free_address() -> std::io::Result<SocketAddr> {
    held_address().map(|(address, _)| address)
}

/// An address at which nobody answers for as long as the socket is held.
///
/// # Errors
/// Those of the operating system.
pub fn held_address() -> std::io::Result<(SocketAddr, UdpSocket)> {
    let socket = UdpSocket::bind(("127.0.0.1", 0))?;
    Ok((socket.local_addr()?, socket))
}
