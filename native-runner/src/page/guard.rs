//! Who may have what: the port is open to every user of this machine, and to every site that their browsers show.

use std::{
    fmt::{self, Write as _},
    fs,
    net::{IpAddr, SocketAddr, SocketAddrV4},
};

use axum::http::{HeaderMap, header, uri::Authority};
use rustix::{
    io::Errno,
    rand::{GetRandomFlags, getrandom},
};
use subtle::ConstantTimeEq;

/// A secret that nobody guesses: 128 bits of the kernel's randomness, as hexadecimal digits.
pub struct Token(String);

impl Token {
    /// A new one.
    pub fn new() -> Result<Self, Errno> {
        let mut bytes = [0; 16];
        // The kernel gives up to 256 bytes whole, once it has any.
        let given = getrandom(&mut bytes, GetRandomFlags::empty())?;
        assert_eq!(given, bytes.len(), "getrandom(2) promises so many");
        let mut digits = String::new();
        for byte in bytes {
            let _ = write!(digits, "{byte:02x}");
        }
        Ok(Self(digits))
    }

    /// Whether `text` is it. How long that takes says nothing about how much of it is right.
    pub fn is(&self, text: &str) -> bool {
        self.0.as_bytes().ct_eq(text.as_bytes()).into()
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

/// Whether the request names the machine that it was sent from, and no foreign name that resolves to it (DNS rebinding).
/// The port may be any: `ssh -L` forwards from another.
pub fn names_this_machine(headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return false;
    };
    let authority = host.to_str().ok().filter(|host| !host.contains('@'));
    let Some(Ok(authority)) = authority.map(str::parse::<Authority>) else {
        return false;
    };
    let name = authority.host();
    let address = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost")
        || address
            .parse()
            .is_ok_and(|address: IpAddr| address.is_loopback())
}

/// Whether the socket `peer`, which is connected to `ours`, belongs to the user that we run as.
pub fn is_same_user(peer: SocketAddr, ours: SocketAddr) -> bool {
    let (SocketAddr::V4(peer), SocketAddr::V4(ours)) = (peer, ours) else {
        return false;
    };
    let sockets = fs::read_to_string("/proc/net/tcp").unwrap_or_default();
    owner(&sockets, peer, ours) == Some(rustix::process::geteuid().as_raw())
}

/// The user of the socket at `local` that is connected to `remote`, by the lines of /proc/net/tcp.
fn owner(sockets: &str, local: SocketAddrV4, remote: SocketAddrV4) -> Option<u32> {
    // The address in the machine's own order of bytes, and the port in ours.
    let shown = |address: SocketAddrV4| {
        let ip = u32::from_ne_bytes(address.ip().octets());
        format!("{ip:08X}:{:04X}", address.port())
    };
    let (local, remote) = (shown(local), shown(remote));
    sockets.lines().find_map(|line| {
        let mut fields = line.split_whitespace().skip(1);
        let connected = (fields.next(), fields.next()) == (Some(&local), Some(&remote));
        // After those come the state, the queues, the timer and the retransmissions.
        connected.then(|| fields.nth(4)?.parse().ok()).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;
    use std::net::{TcpListener, TcpStream};

    #[test]
    fn a_token_is_long_new_and_equal_to_itself_alone() {
        let (one, other) = (Token::new().unwrap(), Token::new().unwrap());
        let text = one.to_string();
        assert_eq!(text.len(), 32);
        assert!(one.is(&text) && !other.is(&text));
        assert!(!one.is("") && !one.is(&text[1..]) && !one.is(&format!("{text}0")));
        assert_eq!(format!("{one:?}"), "Token");
    }

    #[test]
    fn loopback_names_are_ours_with_any_port_and_no_others() {
        let with = |hosts: &[&str]| {
            let mut headers = HeaderMap::new();
            for host in hosts {
                headers.append(header::HOST, HeaderValue::from_str(host).unwrap());
            }
            names_this_machine(&headers)
        };
        for ours in [
            "127.0.0.1:8080",
            "127.0.0.1",
            "localhost:1",
            "LocalHost:65535",
            "[::1]:9000",
            "127.8.8.8:80",
        ] {
            assert!(with(&[ours]), "{ours}");
        }
        for foreign in [
            "",
            "evil.example",
            "evil.example:8080",
            "localhost.evil.example:8080",
            "127.0.0.1.evil.example",
            "localhost@evil.example",
            "evil.example@127.0.0.1",
            "10.0.0.1:8080",
            "[::]:80",
            "0.0.0.0:80",
            "127.0.0.1:80:80",
            "127.0.0.1/x",
        ] {
            assert!(!with(&[foreign]), "{foreign}");
        }
        assert!(!with(&[]) && !with(&["localhost", "evil.example"]));
    }

    #[test]
    fn the_kernel_tells_whose_socket_it_is() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let ours = listener.local_addr().unwrap();
        let stream = TcpStream::connect(ours).unwrap();
        let peer = stream.local_addr().unwrap();
        assert!(is_same_user(peer, ours));
        // Ours is not connected to itself, and nobody is connected by that port.
        assert!(!is_same_user(ours, ours));
        let sockets = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
             0: 0100007F:B0B2 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1000        0 23605 1 0 20 4 30 10 -1\n";
        let address = |port| SocketAddrV4::new([127, 0, 0, 1].into(), port);
        if cfg!(target_endian = "little") {
            assert_eq!(owner(sockets, address(0xb0b2), address(8080)), Some(1000));
        }
        assert_eq!(owner(sockets, address(8080), address(0xb0b2)), None);
    }
}
