//! Certificates and configurations of TLS, made anew for each run and handed to the two peers as bytes.
//!
//! Every chain is a leaf and an intermediate certificate under a root that the client trusts, all of RSA with 2048 bits, so that
//! the work of signing and checking is the same and chains differ in their size alone. The large chains carry an extension of
//! filling in each certificate: together they are as long as a chain of ML-DSA would be.

use std::io::{Read, Write};
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, IsCa, Issuer, KeyPair, PKCS_RSA_SHA256,
    RsaKeySize,
};
use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{CipherSuite, ClientConfig, NamedGroup, RootCertStore, ServerConfig};

use crate::grid::Exchange;

pub const NAME: &str = "ttlb.test";

/// The object identifier of the filling: below 2.999, the arc for examples.
const FILLING: [u64; 3] = [2, 999, 1];

/// Bytes of the longest chain: rustls takes messages of the handshake of up to 65 535 bytes, and each certificate has a frame.
const MOST: usize = 65_500;

/// What a server sends for each size of chain, and what a client trusts.
pub struct Pki {
    pub root: Vec<u8>,
    pub key: Vec<u8>,
    /// Size as in `Point::chain`, leaf and intermediate.
    pub chains: Vec<(u32, [Vec<u8>; 2])>,
}

fn parameters(name: &str, filling: usize) -> Result<CertificateParams> {
    let mut parameters = CertificateParams::new(vec![name.to_owned()])?;
    parameters.distinguished_name.push(DnType::CommonName, name);
    if filling > 0 {
        let bytes = (0..filling).map(|n| (n * 151) as u8).collect();
        parameters.custom_extensions.push(CustomExtension::from_oid_content(&FILLING, bytes));
    }
    Ok(parameters)
}

impl Pki {
    pub fn new(sizes: &[u32]) -> Result<Self> {
        let rsa = || KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048);
        let (root_key, middle_key, leaf_key) = (rsa()?, rsa()?, rsa()?);
        let mut root = parameters("root.ttlb.test", 0)?;
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root_certificate = root.self_signed(&root_key)?;
        let root_issuer = Issuer::from_params(&root, &root_key);
        // The filling of both certificates, for a chain of this many bytes beyond the smallest.
        let chain = |leaf_filling: usize, middle_filling: usize| -> Result<[Vec<u8>; 2]> {
            let mut middle = parameters("middle.ttlb.test", middle_filling)?;
            middle.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
            let certificate = middle.signed_by(&middle_key, &root_issuer)?;
            let issuer = Issuer::from_params(&middle, &middle_key);
            let leaf = parameters(NAME, leaf_filling)?.signed_by(&leaf_key, &issuer)?;
            Ok([leaf.der().to_vec(), certificate.der().to_vec()])
        };
        let length = |chain: &[Vec<u8>; 2]| chain[0].len() + chain[1].len();
        let mut chains = Vec::new();
        for &size in sizes {
            let mut made = chain(0, 0)?;
            if size > 0 {
                let wanted = size as usize;
                let least = length(&made) + 64;
                ensure!(
                    wanted >= least,
                    "a chain of RSA alone has {least} bytes: ask for more, or for `rsa`"
                );
                ensure!(wanted <= MOST, "rustls takes no chain of more than {MOST} bytes in its one message");
                // The extension has a frame of its own, which grows with its length: add what is missing until it fits.
                let mut fillings = [(wanted - length(&made)) / 2 - 24; 2];
                for _ in 0..8 {
                    made = chain(fillings[0], fillings[1])?;
                    if length(&made) == wanted {
                        break;
                    }
                    fillings[0] = (fillings[0] + wanted).saturating_sub(length(&made));
                }
                ensure!(
                    length(&made).abs_diff(wanted) <= 4,
                    "chain of {} instead of {wanted}",
                    length(&made)
                );
            }
            chains.push((size, made));
        }
        Ok(Self { root: root_certificate.der().to_vec(), key: leaf_key.serialize_der(), chains })
    }

    /// Lengths and bytes, for the pipe to a peer.
    pub fn write(&self, to: &mut impl Write) -> Result<()> {
        let mut all: Vec<&[u8]> = vec![&self.root, &self.key];
        let sizes: Vec<[u8; 4]> = self.chains.iter().map(|(size, _)| size.to_le_bytes()).collect();
        for (size, (_, chain)) in sizes.iter().zip(&self.chains) {
            all.extend([&size[..], &chain[0], &chain[1]]);
        }
        to.write_all(&(all.len() as u32).to_le_bytes())?;
        for part in all {
            to.write_all(&(part.len() as u32).to_le_bytes())?;
            to.write_all(part)?;
        }
        Ok(to.flush()?)
    }

    pub fn read(from: &mut impl Read) -> Result<Self> {
        let mut number = || -> Result<u32> {
            let mut bytes = [0; 4];
            from.read_exact(&mut bytes)?;
            Ok(u32::from_le_bytes(bytes))
        };
        let count = number()?;
        let mut parts = Vec::new();
        for _ in 0..count {
            let mut bytes = [0; 4];
            from.read_exact(&mut bytes)?;
            let mut part = vec![0; u32::from_le_bytes(bytes) as usize];
            from.read_exact(&mut part)?;
            parts.push(part);
        }
        let mut parts = parts.into_iter();
        let root = parts.next().context("no root")?;
        let key = parts.next().context("no key")?;
        let mut chains = Vec::new();
        while let (Some(size), Some(leaf), Some(middle)) = (parts.next(), parts.next(), parts.next()) {
            chains.push((u32::from_le_bytes(size[..].try_into()?), [leaf, middle]));
        }
        Ok(Self { root, key, chains })
    }

    pub fn client(&self, exchange: Exchange) -> Result<Arc<ClientConfig>> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(self.root.clone()))?;
        let mut config = ClientConfig::builder_with_provider(provider(exchange)?)
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.resumption = Resumption::disabled();
        Ok(config.into())
    }

    /// For the chain of this place in the list.
    pub fn server(&self, exchange: Exchange, chain: usize) -> Result<Arc<ServerConfig>> {
        let certificates = self.chains[chain].1.iter().map(|der| CertificateDer::from(der.clone())).collect();
        let key = PrivateKeyDer::Pkcs8(self.key.clone().into());
        let mut config = ServerConfig::builder_with_provider(provider(exchange)?)
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_no_client_auth()
            .with_single_cert(certificates, key)?;
        config.send_tls13_tickets = 0;
        Ok(config.into())
    }
}

/// One suite for all. A client lists X25519 after the hybrid, so it sends both shares, as browsers do.
fn provider(exchange: Exchange) -> Result<Arc<CryptoProvider>> {
    let x25519 = aws_lc_rs::kx_group::X25519;
    let plain = CryptoProvider {
        kx_groups: vec![x25519],
        cipher_suites: vec![aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256],
        ..aws_lc_rs::default_provider()
    };
    let provider = match exchange {
        Exchange::X25519 => plain,
        Exchange::Kemstone => rustls_kemstone::with_post_quantum(plain),
        Exchange::AwsLc => {
            CryptoProvider { kx_groups: vec![aws_lc_rs::kx_group::X25519MLKEM768, x25519], ..plain }
        }
    };
    let first = provider.kx_groups[0].name();
    ensure!(first == group(exchange), "{} offers {first:?} first", exchange.name());
    ensure!(provider.cipher_suites[0].suite() == CipherSuite::TLS13_AES_128_GCM_SHA256, "another suite");
    Ok(provider.into())
}

/// The group that a connection must end up with.
pub fn group(exchange: Exchange) -> NamedGroup {
    match exchange {
        Exchange::X25519 => NamedGroup::X25519,
        Exchange::Kemstone | Exchange::AwsLc => NamedGroup::X25519MLKEM768,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chains_have_the_sizes_asked_for() {
        let pki = Pki::new(&[0, 8192, 16384]).unwrap();
        let mut bytes = Vec::new();
        pki.write(&mut bytes).unwrap();
        let pki = Pki::read(&mut &bytes[..]).unwrap();
        let length = |n: usize| pki.chains[n].1.iter().map(Vec::len).sum::<usize>();
        assert!((1200..2400).contains(&length(0)), "{}", length(0));
        assert!(length(1).abs_diff(8192) <= 4, "{}", length(1));
        assert!(length(2).abs_diff(16384) <= 4, "{}", length(2));
        assert!(Pki::new(&[900]).is_err());
        assert!(Pki::new(&[MOST as u32]).is_ok() && Pki::new(&[MOST as u32 + 1]).is_err());
        for exchange in Exchange::ALL {
            pki.client(exchange).unwrap();
            pki.server(exchange, 1).unwrap();
        }
    }
}
