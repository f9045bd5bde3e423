//! Ports on loopback: free ones picked, taken ones named.

use std::{
    io::ErrorKind,
    net::{Ipv4Addr, TcpListener},
};

use crate::LocalnetError;

/// A port that is ours until dropped.
#[derive(Debug)]
pub struct Reserved {
    listener: TcpListener,
    port: u16,
}

impl Reserved {
    /// Takes `port`, or a free one for 0. `what` and `flag` are for the error.
    pub fn take(what: &'static str, port: u16, flag: &'static str) -> Result<Self, LocalnetError> {
        let failed = |source: std::io::Error| match source.kind() {
            ErrorKind::AddrInUse => LocalnetError::PortTaken { what, port, flag },
            _ => LocalnetError::Port { what, port, flag, source },
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(failed)?;
        let port = listener.local_addr().map_err(failed)?.port();
        Ok(Self { listener, port })
    }

    /// The number.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Gives the port back, for the server that is about to take it.
    pub fn release(self) -> u16 {
        drop(self.listener);
        self.port
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_named_with_its_flag() {
        let first = Reserved::take("RPC", 0, "--rpc-port").unwrap();
        let error = Reserved::take("RPC", first.port(), "--rpc-port").unwrap_err().to_string();
        assert!(error.contains(&first.port().to_string()) && error.contains("--rpc-port"), "{error}");
        let port = first.release();
        assert_eq!(Reserved::take("RPC", port, "--rpc-port").unwrap().port(), port);
    }
}
