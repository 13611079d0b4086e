//! The port to send by, and the address to send to, which is its own.

use std::{fmt, net::Ipv6Addr};

use sideway::ibverbs::{
    address::{AddressHandleAttribute, Gid, GidType},
    device_context::{DeviceContext, LinkLayer, Mtu, PortState},
};

use super::in_words;
use crate::missing::Missing;

/// A port that is up, with its own address.
#[derive(Clone, Copy, Debug)]
pub struct Port {
    /// Its number, from 1.
    pub number: u8,
    /// The largest packet that it sends.
    pub mtu: Mtu,
    address: Address,
}

#[derive(Clone, Copy, Debug)]
enum Address {
    /// InfiniBand: by the number that the subnet manager gave.
    Local(u16),
    /// RoCE: by one of the entries of the port's table of GIDs.
    Global { gid: Gid, index: u8, kind: GidType },
}

impl Port {
    /// The first of the ports 1 to `count` that is up and has an address.
    pub fn choose(device: &str, context: &DeviceContext, count: u8) -> Result<Self, Missing> {
        let mut reasons = Vec::new();
        for number in 1..=count {
            match Self::look(context, number) {
                Ok(port) => return Ok(port),
                Err(reason) => reasons.push(format!("port {number} {reason}")),
            }
        }
        let what = format!("a port of {device} that is up ({})", reasons.join("; "));
        Err(Missing::port(what, device))
    }

    fn look(context: &DeviceContext, number: u8) -> Result<Self, String> {
        let port = context
            .query_port(number)
            .map_err(|error| in_words(&error))?;
        if port.port_state() != PortState::Active {
            return Err(format!("is {:?}", port.port_state()));
        }
        let address = if port.link_layer() == LinkLayer::Ethernet {
            let gids = context
                .query_gid_table()
                .map_err(|error| in_words(&error))?;
            let ours = gids
                .iter()
                .filter(|entry| entry.port_num() == u32::from(number));
            let usable = ours.filter_map(|entry| {
                let index = u8::try_from(entry.gid_index()).ok()?;
                Some(Address::Global {
                    gid: entry.gid(),
                    index,
                    kind: entry.gid_type(),
                })
            });
            usable
                .max_by_key(Address::rank)
                .ok_or("has no address (GID)")?
        } else {
            Address::Local(port.lid())
        };
        Ok(Self {
            number,
            mtu: port.active_mtu(),
            address,
        })
    }

    /// The way from this port to itself.
    pub fn loopback_route(&self) -> AddressHandleAttribute {
        let mut way = AddressHandleAttribute::new();
        way.setup_port(self.number);
        match self.address {
            Address::Local(lid) => way.setup_dest_lid(lid),
            Address::Global { gid, index, .. } => way.setup_grh(&gid, 0, index, 64, 0),
        };
        way
    }
}

impl Address {
    /// The best has the highest: RoCE v2 before v1, addresses that are routed before those of one link.
    fn rank(&self) -> (bool, bool) {
        match self {
            Self::Local(_) => (false, false),
            Self::Global { gid, kind, .. } => {
                (*kind == GidType::RoceV2, !gid.is_unicast_link_local())
            }
        }
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "port {}, ", self.number)?;
        match self.address {
            Address::Local(lid) => write!(f, "InfiniBand, LID {lid}"),
            Address::Global { gid, index, kind } => {
                let kind = match kind {
                    GidType::InfiniBand => "InfiniBand",
                    GidType::RoceV1 => "RoCE v1",
                    GidType::RoceV2 => "RoCE v2",
                };
                let gid = Ipv6Addr::from(gid);
                match gid.to_ipv4_mapped() {
                    Some(address) => write!(f, "{kind}, GID {index} ({address})"),
                    None => write!(f, "{kind}, GID {index} ({gid})"),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn global(gid: &str, kind: GidType) -> Address {
        Address::Global {
            gid: gid.parse::<Ipv6Addr>().unwrap().into(),
            index: 0,
            kind,
        }
    }

    #[test]
    fn routed_roce_v2_is_preferred() {
        let best_to_worst = [
            global("::ffff:10.9.0.1", GidType::RoceV2),
            global("fe80::1", GidType::RoceV2),
            global("::ffff:10.9.0.1", GidType::RoceV1),
            global("fe80::1", GidType::RoceV1),
        ];
        assert!(
            best_to_worst
                .windows(2)
                .all(|pair| pair[0].rank() > pair[1].rank())
        );
    }

    #[test]
    fn a_port_is_named_by_its_address() {
        let address = global("::ffff:10.9.0.1", GidType::RoceV2);
        let port = Port {
            number: 1,
            mtu: Mtu::Mtu1024,
            address,
        };
        assert_eq!(port.to_string(), "port 1, RoCE v2, GID 0 (10.9.0.1)");
    }
}
