//! Groups added to a provider that is known only at run time.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use std::sync::{Mutex, PoisonError};

use rustls::NamedGroup;
use rustls::crypto::{CryptoProvider, SupportedKxGroup};

use crate::group::Group;
use crate::rustls_0_23::KxGroup;

/// Puts X25519MLKEM768 first in a provider's list, over the provider's own X25519 and randomness.
///
/// A provider without X25519 gets SecP256r1MLKEM768 over its secp256r1 instead, and one that has neither is returned as it was:
/// [`PostQuantum::apply`] gives an error then, and has further groups and options. A group of the same name that the
/// provider has already is replaced, so doing it twice is doing it once.
///
/// rustls holds groups by `&'static` reference. What is made here stays until the process ends: 64 bytes or less for each
/// combination of a group, a classical group and a source of randomness, once, however often this is called.
///
/// ```
/// use rustls::NamedGroup;
///
/// let provider = rustls_kemstone::with_post_quantum(rustls::crypto::ring::default_provider());
/// assert_eq!(provider.kx_groups[0].name(), NamedGroup::X25519MLKEM768);
///
/// provider.install_default().unwrap(); // for all of the process; or give it to `ClientConfig::builder_with_provider`
/// ```
#[must_use]
pub fn with_post_quantum(provider: CryptoProvider) -> CryptoProvider {
    let name = [Group::X25519MLKEM768, Group::SecP256r1MLKEM768]
        .into_iter()
        .find(|&group| classical_of(&provider, group).is_some());
    match name.and_then(|group| PostQuantum::new().groups(&[group]).added(&provider).ok()) {
        Some(kx_groups) => CryptoProvider { kx_groups, ..provider },
        None => provider,
    }
}

/// Which groups a provider gets, and in what order they are listed.
///
/// The order is a client's preference, and a client sends its share for the first of the list; how servers take it is shown in the
/// [documentation of the crate](crate#who-decides). As a server, rustls 0.23 follows the order of the client, so there only
/// the presence of a group matters.
///
/// ```
/// use rustls::crypto::ring;
/// use rustls_kemstone::{Group, PostQuantum};
///
/// let provider = PostQuantum::new()
///     .groups(&[Group::X25519MLKEM768, Group::SecP384r1MLKEM1024])
///     .apply(ring::default_provider())?;
/// let names: Vec<_> = provider.kx_groups.iter().map(|group| u16::from(group.name())).collect();
/// assert_eq!(names, [0x11ec, 0x11ed, 0x001d, 0x0017, 0x0018]);
/// # Ok::<(), rustls_kemstone::ProviderError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct PostQuantum {
    groups: Vec<Group>,
    classical: Vec<&'static dyn SupportedKxGroup>,
    order: Order,
    pooled: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    PostQuantumFirst,
    ClassicalFirst,
    PostQuantumOnly,
}

impl PostQuantum {
    /// X25519MLKEM768, before the provider's own groups.
    pub fn new() -> Self {
        Self {
            groups: Vec::from([Group::X25519MLKEM768]),
            classical: Vec::new(),
            order: Order::PostQuantumFirst,
            pooled: false,
        }
    }

    /// These groups, in this order.
    pub fn groups(mut self, groups: &[Group]) -> Self {
        self.groups = groups.to_vec();
        self
    }

    /// Takes `group` as the classical half of the hybrid that has it, in place of the provider's, and adds it to a provider
    /// that has none of its name.
    pub fn classical(mut self, group: &'static dyn SupportedKxGroup) -> Self {
        self.classical.retain(|other| other.name() != group.name());
        self.classical.push(group);
        self
    }

    /// Lists the groups after the provider's own. A client's first hello is then as small as without them, and only a server
    /// that prefers a group of these asks for its share, by a HelloRetryRequest and so with one more round trip. Others, rustls
    /// 0.23 among them, take the classical share and there is no protection from quantum computers.
    ///
    /// rustls remembers for each server name which group was agreed on, and sends that share first next time.
    pub fn classical_share_first(mut self) -> Self {
        self.order = Order::ClassicalFirst;
        self
    }

    /// Removes every other group, and the cipher suites of TLS 1.2: with a peer who has none of the groups there is no
    /// connection.
    pub fn only(mut self) -> Self {
        self.order = Order::PostQuantumOnly;
        self
    }

    /// Makes the keys of a client eight at a time: see [`KxGroup::pooled`].
    pub fn pooled(mut self) -> Self {
        self.pooled = true;
        self
    }

    /// The provider with the groups. One of the same name that it has already is replaced.
    ///
    /// # Errors
    ///
    /// [`ProviderError::NoClassicalGroup`] if neither the provider nor [`classical`](Self::classical) has the classical half of
    /// a hybrid, [`ProviderError::NoGroup`] if the list of groups is empty.
    pub fn apply(&self, provider: CryptoProvider) -> Result<CryptoProvider, ProviderError> {
        let kx_groups = self.added(&provider)?;
        let mut provider = CryptoProvider { kx_groups, ..provider };
        if self.order == Order::PostQuantumOnly {
            provider.cipher_suites.retain(|suite| suite.tls13().is_some());
        }
        Ok(provider)
    }

    /// The list of groups, after.
    fn added(&self, provider: &CryptoProvider) -> Result<Vec<&'static dyn SupportedKxGroup>, ProviderError> {
        if self.groups.is_empty() {
            return Err(ProviderError::NoGroup);
        }
        let mut ours: Vec<&'static dyn SupportedKxGroup> = Vec::new();
        for &group in &self.groups {
            if ours.iter().any(|other| is(*other, group.code_point())) {
                continue;
            }
            let classical = self
                .classical
                .iter()
                .copied()
                .find(|candidate| group.classical_code_point().is_some_and(|name| is(*candidate, name)))
                .or_else(|| classical_of(provider, group));
            let made = KxGroup::of(group, classical, provider.secure_random)
                .ok_or(ProviderError::NoClassicalGroup { hybrid: group })?;
            let made = if self.pooled { made.pooled() } else { made };
            ours.push(kept(match self.order {
                Order::ClassicalFirst => made.without_component(),
                _ => made,
            }));
        }

        let mut others: Vec<&'static dyn SupportedKxGroup> = provider.kx_groups.clone();
        others.extend(&self.classical);
        let mut seen: Vec<NamedGroup> = ours.iter().map(|group| group.name()).collect();
        others.retain(|group| {
            let new = !seen.contains(&group.name());
            seen.push(group.name());
            new
        });
        Ok(match self.order {
            Order::PostQuantumFirst => [ours, others].concat(),
            Order::ClassicalFirst => [others, ours].concat(),
            Order::PostQuantumOnly => ours,
        })
    }
}

impl Default for PostQuantum {
    /// As [`new`](Self::new).
    fn default() -> Self {
        Self::new()
    }
}

/// Why a provider cannot have the groups that were asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProviderError {
    /// Neither the provider nor [`PostQuantum::classical`] has the classical half of this hybrid.
    NoClassicalGroup {
        /// The hybrid.
        hybrid: Group,
    },
    /// No group was asked for.
    NoGroup,
}

impl fmt::Display for ProviderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoClassicalGroup { hybrid } => {
                write!(f, "the provider does not have the classical group that {hybrid} is built over")
            }
            Self::NoGroup => f.write_str("the list of groups is empty"),
        }
    }
}

impl core::error::Error for ProviderError {}

fn is(kx_group: &dyn SupportedKxGroup, code_point: u16) -> bool {
    u16::from(kx_group.name()) == code_point
}

/// The provider's classical group for a hybrid.
fn classical_of(provider: &CryptoProvider, group: Group) -> Option<&'static dyn SupportedKxGroup> {
    let name = group.classical_code_point()?;
    provider.kx_groups.iter().copied().find(|candidate| is(*candidate, name))
}

/// The groups that were made. Their number is that of the combinations that a program has, not that of its calls.
static KEPT: Mutex<Vec<&'static KxGroup>> = Mutex::new(Vec::new());

/// The group for as long as the process lives.
fn kept(made: KxGroup) -> &'static KxGroup {
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(&same) = kept.iter().find(|other| other.is_same(&made)) {
        return same;
    }
    let made: &'static KxGroup = Box::leak(Box::new(made));
    kept.push(made);
    made
}
