//! The groups as rustls 0.23 wants them.

use alloc::boxed::Box;
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use kemstone::{MlKem512, MlKem768, MlKem1024, ParameterSet};
use rustls::crypto::{
    ActiveKeyExchange, CompletedKeyExchange, GetRandomFailed, SecureRandom, SharedSecret, SupportedKxGroup,
};
use rustls::ffdhe_groups::FfdheGroup;
use rustls::{Error, NamedGroup, PeerMisbehaved, ProtocolVersion};
use zeroize::Zeroizing;

use crate::group::{Group, Halves, Part, Set};
use crate::ml_kem::{self, ClientKey, Failure};
#[cfg(feature = "std")]
use crate::pool::{self, Pooled};

/// rustls sends the alert illegal_parameter for it, as RFC 10024 asks.
const REFUSED: Error = Error::PeerMisbehaved(PeerMisbehaved::InvalidKeyShare);

/// One of the [`Group`]s, over a provider's classical group and its randomness: what goes into
/// [`CryptoProvider::kx_groups`](rustls::crypto::CryptoProvider).
///
/// All constructors are `const`, for statics. Where the provider is known only at run time,
/// [`with_post_quantum`](crate::with_post_quantum) does the same.
///
/// ```
/// # #[cfg(feature = "getrandom")] {
/// use rustls::crypto::ring;
/// use rustls_kemstone::{KxGroup, SystemRandom};
///
/// static X25519MLKEM768: KxGroup = KxGroup::x25519_mlkem768(ring::kx_group::X25519, &SystemRandom);
///
/// let mut provider = ring::default_provider();
/// provider.kx_groups.insert(0, &X25519MLKEM768);
/// # }
/// ```
///
/// In a handshake it may return these errors, and it does not panic:
///
/// - [`PeerMisbehaved::InvalidKeyShare`] for a share of a wrong length, an encapsulation key with a number that is not below
///   q (FIPS 203, section 7.2), and what the classical group refuses: a point that is not on the curve, an X25519 result
///   of zeros. The peer sees the alert illegal_parameter;
/// - [`Error::FailedToGetRandomBytes`] if the source of randomness fails;
/// - [`Error::General`] if the group given to the constructor is another than it asks for.
#[derive(Clone, Copy)]
pub struct KxGroup {
    group: Group,
    classical: Option<&'static dyn SupportedKxGroup>,
    random: &'static dyn SecureRandom,
    component: bool,
    #[cfg(feature = "std")]
    pooled: bool,
}

impl KxGroup {
    const fn new(
        group: Group,
        classical: Option<&'static dyn SupportedKxGroup>,
        random: &'static dyn SecureRandom,
    ) -> Self {
        Self {
            group,
            classical,
            random,
            component: true,
            #[cfg(feature = "std")]
            pooled: false,
        }
    }

    /// X25519MLKEM768 over a provider's X25519.
    #[must_use]
    pub const fn x25519_mlkem768(
        x25519: &'static dyn SupportedKxGroup,
        random: &'static dyn SecureRandom,
    ) -> Self {
        Self::new(Group::X25519MLKEM768, Some(x25519), random)
    }

    /// SecP256r1MLKEM768 over a provider's secp256r1.
    #[must_use]
    pub const fn secp256r1_mlkem768(
        secp256r1: &'static dyn SupportedKxGroup,
        random: &'static dyn SecureRandom,
    ) -> Self {
        Self::new(Group::SecP256r1MLKEM768, Some(secp256r1), random)
    }

    /// SecP384r1MLKEM1024 over a provider's secp384r1.
    #[must_use]
    pub const fn secp384r1_mlkem1024(
        secp384r1: &'static dyn SupportedKxGroup,
        random: &'static dyn SecureRandom,
    ) -> Self {
        Self::new(Group::SecP384r1MLKEM1024, Some(secp384r1), random)
    }

    /// MLKEM512, without a classical half.
    #[must_use]
    pub const fn mlkem512(random: &'static dyn SecureRandom) -> Self {
        Self::new(Group::MLKEM512, None, random)
    }

    /// MLKEM768, without a classical half.
    #[must_use]
    pub const fn mlkem768(random: &'static dyn SecureRandom) -> Self {
        Self::new(Group::MLKEM768, None, random)
    }

    /// MLKEM1024, without a classical half.
    #[must_use]
    pub const fn mlkem1024(random: &'static dyn SecureRandom) -> Self {
        Self::new(Group::MLKEM1024, None, random)
    }

    /// The same group, whose classical half a client does not offer again as a share of its own.
    ///
    /// For lists in which the classical group comes before the hybrid: rustls puts the hybrid's share first, and a server may
    /// refuse shares that are not in the order of the groups (Botan does).
    #[must_use]
    pub const fn without_component(self) -> Self {
        Self { component: false, ..self }
    }

    /// The same group, for clients with many connections: its ML-KEM keys are made eight at a time, which takes less for each, and
    /// the next seven hellos of the thread take theirs from a pool.
    ///
    /// Each thread has a pool for each parameter set and source of randomness. Seven keys of at most 16 KB wait there, and are wiped
    /// when they have served or the thread ends; those of a process's first thread may not be when the process ends. After
    /// a fork the new process drops what its copy of the pool holds (on Unix).
    ///
    /// How much it saves is shown in the [documentation of the crate](crate#speed). A server draws nothing from it.
    #[cfg(feature = "std")]
    #[must_use]
    pub const fn pooled(self) -> Self {
        Self { pooled: true, ..self }
    }

    /// Which group it is.
    #[must_use]
    pub const fn group(&self) -> Group {
        self.group
    }

    /// A group that is known only at run time. `None` if it is a hybrid and `classical` is missing.
    #[cfg(feature = "std")]
    pub(crate) fn of(
        group: Group,
        classical: Option<&'static dyn SupportedKxGroup>,
        random: &'static dyn SecureRandom,
    ) -> Option<Self> {
        let classical = match group.classical_code_point() {
            Some(_) => Some(classical?),
            None => None,
        };
        Some(Self::new(group, classical, random))
    }

    /// Made of the same parts.
    #[cfg(feature = "std")]
    // A comparison of vtables may say that two are different which are not: then there is one more of them.
    #[allow(ambiguous_wide_pointer_comparisons)]
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let classical = match (self.classical, other.classical) {
            (Some(ours), Some(theirs)) => core::ptr::eq(ours, theirs),
            (None, None) => true,
            _ => false,
        };
        self.group == other.group
            && self.component == other.component
            && self.pooled == other.pooled
            && classical
            && core::ptr::eq(self.random, other.random)
    }

    fn named_group(&self) -> NamedGroup {
        NamedGroup::from(self.group.code_point())
    }

    #[cfg(feature = "std")]
    fn client_key<S: Pooled>(&self) -> Result<Box<ClientKey<S>>, GetRandomFailed> {
        if self.pooled { pool::take(self.random) } else { ml_kem::generate(|seed| self.random.fill(seed)) }
    }

    #[cfg(not(feature = "std"))]
    fn client_key<S: ParameterSet>(&self) -> Result<Box<ClientKey<S>>, GetRandomFailed> {
        ml_kem::generate(|seed| self.random.fill(seed))
    }

    fn start_with<S: ParameterSet>(
        &self,
        key: Box<ClientKey<S>>,
    ) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        let classical = self.classical.map(SupportedKxGroup::start).transpose()?;

        let mut share = vec![0; self.group.client_share_size()];
        let halves = self.group.split_mut(Part::ClientShare, &mut share).ok_or_else(|| self.unfit())?;
        put(halves.ml_kem, key.encapsulation_key().as_ref()).ok_or_else(|| self.unfit())?;
        if let Some(classical) = &classical {
            if Some(u16::from(classical.group())) != self.group.classical_code_point() {
                return Err(self.unfit());
            }
            put(halves.classical, classical.pub_key()).ok_or_else(|| self.unfit())?;
        }
        Ok(Box::new(Active { kx_group: *self, key, classical, share }))
    }

    fn complete_with<S, const CT: usize>(&self, client_share: &[u8]) -> Result<CompletedKeyExchange, Error>
    where
        S: ParameterSet<CiphertextBytes = [u8; CT]>,
    {
        let received = self.group.split(Part::ClientShare, client_share).ok_or(REFUSED)?;
        let mut pub_key = vec![0; self.group.server_share_size()];
        let mut secret = Secret::new(self.group);
        let share = self.group.split_mut(Part::ServerShare, &mut pub_key).ok_or_else(|| self.unfit())?;
        let secrets = secret.halves().ok_or_else(|| self.unfit())?;

        ml_kem::encapsulate::<S, _, CT>(
            received.ml_kem,
            |m| self.random.fill(m),
            share.ml_kem,
            secrets.ml_kem,
        )
        .map_err(|failure| match failure {
            Failure::Refused => REFUSED,
            Failure::Random(failed) => failed.into(),
        })?;
        if let Some(classical) = self.classical {
            let completed = classical.start_and_complete(received.classical)?;
            if Some(u16::from(completed.group)) != self.group.classical_code_point() {
                return Err(self.unfit());
            }
            put(share.classical, &completed.pub_key).ok_or_else(|| self.unfit())?;
            put(secrets.classical, completed.secret.secret_bytes()).ok_or_else(|| self.unfit())?;
        }
        Ok(CompletedKeyExchange { group: self.named_group(), pub_key, secret: secret.into_shared() })
    }

    /// The classical group given to the constructor is not what it was said to be.
    #[cold]
    fn unfit(&self) -> Error {
        Error::General(format!("{} was built over another classical group than its own", self.group))
    }
}

impl fmt::Debug for KxGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.group.name())
    }
}

impl SupportedKxGroup for KxGroup {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        match self.group.parameter_set() {
            Set::MlKem512 => self.start_with::<MlKem512>(self.client_key()?),
            Set::MlKem768 => self.start_with::<MlKem768>(self.client_key()?),
            Set::MlKem1024 => self.start_with::<MlKem1024>(self.client_key()?),
        }
    }

    fn start_and_complete(&self, peer_pub_key: &[u8]) -> Result<CompletedKeyExchange, Error> {
        match self.group.parameter_set() {
            Set::MlKem512 => self.complete_with::<MlKem512, _>(peer_pub_key),
            Set::MlKem768 => self.complete_with::<MlKem768, _>(peer_pub_key),
            Set::MlKem1024 => self.complete_with::<MlKem1024, _>(peer_pub_key),
        }
    }

    fn ffdhe_group(&self) -> Option<FfdheGroup<'static>> {
        None
    }

    fn name(&self) -> NamedGroup {
        self.named_group()
    }

    /// `false`: kemstone is not a validated module.
    fn fips(&self) -> bool {
        false
    }

    fn usable_for_version(&self, version: ProtocolVersion) -> bool {
        version == ProtocolVersion::TLSv1_3
    }
}

/// What a client keeps between its hello and the server's.
struct Active<S: ParameterSet> {
    kx_group: KxGroup,
    key: Box<ClientKey<S>>,
    classical: Option<Box<dyn ActiveKeyExchange>>,
    share: Vec<u8>,
}

impl<S: ParameterSet> ActiveKeyExchange for Active<S> {
    fn complete(self: Box<Self>, peer_pub_key: &[u8]) -> Result<SharedSecret, Error> {
        let Self { kx_group, key, classical, .. } = *self;
        let received = kx_group.group.split(Part::ServerShare, peer_pub_key).ok_or(REFUSED)?;
        let mut secret = Secret::new(kx_group.group);
        let secrets = secret.halves().ok_or_else(|| kx_group.unfit())?;

        ml_kem::decapsulate(&key, received.ml_kem, secrets.ml_kem).ok_or(REFUSED)?;
        if let Some(classical) = classical {
            let shared = classical.complete(received.classical)?;
            put(secrets.classical, shared.secret_bytes()).ok_or_else(|| kx_group.unfit())?;
        }
        Ok(secret.into_shared())
    }

    /// The classical half, for a server that has no hybrid: it saves such a server's HelloRetryRequest, for 36 bytes (X25519).
    fn hybrid_component(&self) -> Option<(NamedGroup, &[u8])> {
        let classical = self.classical.as_deref().filter(|_| self.kx_group.component)?;
        Some((classical.group(), classical.pub_key()))
    }

    fn complete_hybrid_component(self: Box<Self>, peer_pub_key: &[u8]) -> Result<SharedSecret, Error> {
        match self.classical {
            Some(classical) => classical.complete(peer_pub_key),
            None => Err(REFUSED),
        }
    }

    fn pub_key(&self) -> &[u8] {
        &self.share
    }

    fn ffdhe_group(&self) -> Option<FfdheGroup<'static>> {
        None
    }

    fn group(&self) -> NamedGroup {
        self.kx_group.named_group()
    }
}

/// Room for the secret of both halves. It never grows, so that no copy is left behind, and is wiped on drop, here and as
/// rustls's [`SharedSecret`].
struct Secret {
    group: Group,
    bytes: Zeroizing<Vec<u8>>,
}

impl Secret {
    fn new(group: Group) -> Self {
        Self { group, bytes: Zeroizing::new(vec![0; group.secret_size()]) }
    }

    fn halves(&mut self) -> Option<Halves<&mut [u8]>> {
        self.group.split_mut(Part::Secret, &mut self.bytes)
    }

    /// The same memory.
    fn into_shared(mut self) -> SharedSecret {
        SharedSecret::from(core::mem::take(&mut *self.bytes))
    }
}

/// Copies a half to its place, if the lengths are equal.
fn put(place: &mut [u8], half: &[u8]) -> Option<()> {
    if place.len() != half.len() {
        return None;
    }
    place.copy_from_slice(half);
    Some(())
}
