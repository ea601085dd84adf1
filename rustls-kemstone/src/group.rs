//! The groups, and where the halves of a hybrid lie in its shares and its secret. Nothing here knows rustls.

use core::fmt;

/// A named group of TLS 1.3 with ML-KEM in it, under the name that IANA's registry gives it.
///
/// | group | code point | first part | client's share | server's share | secret |
/// |---|---|---|---:|---:|---:|
/// | `X25519MLKEM768` | 0x11EC | ML-KEM | 1216 | 1120 | 64 |
/// | `SecP256r1MLKEM768` | 0x11EB | ECDH | 1249 | 1153 | 64 |
/// | `SecP384r1MLKEM1024` | 0x11ED | ECDH | 1665 | 1665 | 80 |
/// | `MLKEM512` | 0x0200 | | 800 | 768 | 32 |
/// | `MLKEM768` | 0x0201 | | 1184 | 1088 | 32 |
/// | `MLKEM1024` | 0x0202 | | 1568 | 1568 | 32 |
///
/// Sizes in bytes. The hybrids are those of RFC 10024, the others of draft-ietf-tls-mlkem. A client's share is an
/// encapsulation key, a server's a ciphertext, each beside a share of ECDH; the secret is the two secrets in the
/// same order. Other software takes the pure groups only when told to, or has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Group {
    /// X25519 and ML-KEM-768: what browsers send.
    X25519MLKEM768,
    /// ECDH on P-256 and ML-KEM-768.
    SecP256r1MLKEM768,
    /// ECDH on P-384 and ML-KEM-1024.
    SecP384r1MLKEM1024,
    /// ML-KEM-512 alone.
    MLKEM512,
    /// ML-KEM-768 alone.
    MLKEM768,
    /// ML-KEM-1024 alone.
    MLKEM1024,
}

impl Group {
    /// All of them, in the order in which a client should prefer them: the one that most peers have first, hybrids
    /// before pure groups.
    pub const ALL: &[Self] = &[
        Self::X25519MLKEM768,
        Self::SecP256r1MLKEM768,
        Self::SecP384r1MLKEM1024,
        Self::MLKEM768,
        Self::MLKEM1024,
        Self::MLKEM512,
    ];

    /// The number in the TLS Supported Groups registry.
    ///
    /// ```
    /// assert_eq!(rustls_kemstone::Group::X25519MLKEM768.code_point(), 0x11ec);
    /// ```
    #[must_use]
    pub const fn code_point(self) -> u16 {
        match self {
            Self::X25519MLKEM768 => 0x11ec,
            Self::SecP256r1MLKEM768 => 0x11eb,
            Self::SecP384r1MLKEM1024 => 0x11ed,
            Self::MLKEM512 => 0x0200,
            Self::MLKEM768 => 0x0201,
            Self::MLKEM1024 => 0x0202,
        }
    }

    /// The group of this number, if it is one of ours.
    #[must_use]
    pub fn from_code_point(code_point: u16) -> Option<Self> {
        Self::ALL.iter().copied().find(|group| group.code_point() == code_point)
    }

    /// The name in that registry.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::X25519MLKEM768 => "X25519MLKEM768",
            Self::SecP256r1MLKEM768 => "SecP256r1MLKEM768",
            Self::SecP384r1MLKEM1024 => "SecP384r1MLKEM1024",
            Self::MLKEM512 => "MLKEM512",
            Self::MLKEM768 => "MLKEM768",
            Self::MLKEM1024 => "MLKEM1024",
        }
    }

    /// Bytes of what a client sends.
    ///
    /// ```
    /// use rustls_kemstone::Group;
    ///
    /// assert_eq!(Group::X25519MLKEM768.client_share_size(), 1184 + 32);
    /// assert_eq!(Group::SecP256r1MLKEM768.server_share_size(), 65 + 1088);
    /// assert_eq!(Group::SecP384r1MLKEM1024.secret_size(), 48 + 32);
    /// ```
    #[must_use]
    pub const fn client_share_size(self) -> usize {
        self.size(Part::ClientShare)
    }

    /// Bytes of what a server answers.
    #[must_use]
    pub const fn server_share_size(self) -> usize {
        self.size(Part::ServerShare)
    }

    /// Bytes of the secret that both derive.
    #[must_use]
    pub const fn secret_size(self) -> usize {
        self.size(Part::Secret)
    }

    /// The number of the classical group that is the other half of a hybrid: 0x001d (X25519), 0x0017 (secp256r1) or
    /// 0x0018 (secp384r1).
    #[must_use]
    pub const fn classical_code_point(self) -> Option<u16> {
        match self {
            Self::X25519MLKEM768 => Some(0x001d),
            Self::SecP256r1MLKEM768 => Some(0x0017),
            Self::SecP384r1MLKEM1024 => Some(0x0018),
            Self::MLKEM512 | Self::MLKEM768 | Self::MLKEM1024 => None,
        }
    }

    pub(crate) const fn parameter_set(self) -> Set {
        match self {
            Self::MLKEM512 => Set::MlKem512,
            Self::X25519MLKEM768 | Self::SecP256r1MLKEM768 | Self::MLKEM768 => Set::MlKem768,
            Self::SecP384r1MLKEM1024 | Self::MLKEM1024 => Set::MlKem1024,
        }
    }

    /// RFC 10024: the half that NIST had approved when the group was named comes first. So X25519 is second, and the
    /// curves of NIST are first.
    const fn ml_kem_is_first(self) -> bool {
        !matches!(self, Self::SecP256r1MLKEM768 | Self::SecP384r1MLKEM1024)
    }

    /// Bytes of the half that is ML-KEM's.
    pub(crate) const fn ml_kem_size(self, part: Part) -> usize {
        match (part, self.parameter_set()) {
            (Part::ClientShare, Set::MlKem512) => kemstone::ml_kem_512::ENCAPSULATION_KEY_SIZE,
            (Part::ClientShare, Set::MlKem768) => kemstone::ml_kem_768::ENCAPSULATION_KEY_SIZE,
            (Part::ClientShare, Set::MlKem1024) => kemstone::ml_kem_1024::ENCAPSULATION_KEY_SIZE,
            (Part::ServerShare, Set::MlKem512) => kemstone::ml_kem_512::CIPHERTEXT_SIZE,
            (Part::ServerShare, Set::MlKem768) => kemstone::ml_kem_768::CIPHERTEXT_SIZE,
            (Part::ServerShare, Set::MlKem1024) => kemstone::ml_kem_1024::CIPHERTEXT_SIZE,
            (Part::Secret, _) => kemstone::SHARED_SECRET_SIZE,
        }
    }

    /// Bytes of the classical half: an uncompressed point or, of X25519, an x-coordinate; as a secret an
    /// x-coordinate. 0 if there is none.
    pub(crate) const fn classical_size(self, part: Part) -> usize {
        match (part, self) {
            (_, Self::X25519MLKEM768) | (Part::Secret, Self::SecP256r1MLKEM768) => 32,
            (_, Self::SecP256r1MLKEM768) => 1 + 2 * 32,
            (Part::Secret, Self::SecP384r1MLKEM1024) => 48,
            (_, Self::SecP384r1MLKEM1024) => 1 + 2 * 48,
            (_, Self::MLKEM512 | Self::MLKEM768 | Self::MLKEM1024) => 0,
        }
    }

    const fn size(self, part: Part) -> usize {
        self.ml_kem_size(part) + self.classical_size(part)
    }

    /// The two halves of bytes of exactly the right length.
    pub(crate) fn split(self, part: Part, bytes: &[u8]) -> Option<Halves<&[u8]>> {
        if bytes.len() != self.size(part) {
            return None;
        }
        let (first, second) = bytes.split_at_checked(self.first_size(part))?;
        Some(self.halves(first, second))
    }

    /// The same, to be written.
    pub(crate) fn split_mut(self, part: Part, bytes: &mut [u8]) -> Option<Halves<&mut [u8]>> {
        if bytes.len() != self.size(part) {
            return None;
        }
        let (first, second) = bytes.split_at_mut_checked(self.first_size(part))?;
        Some(self.halves(first, second))
    }

    const fn first_size(self, part: Part) -> usize {
        if self.ml_kem_is_first() { self.ml_kem_size(part) } else { self.classical_size(part) }
    }

    fn halves<T>(self, first: T, second: T) -> Halves<T> {
        if self.ml_kem_is_first() {
            Halves { ml_kem: first, classical: second }
        } else {
            Halves { ml_kem: second, classical: first }
        }
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A parameter set of FIPS 203.
#[derive(Clone, Copy)]
pub(crate) enum Set {
    MlKem512,
    MlKem768,
    MlKem1024,
}

/// What consists of two halves.
#[derive(Clone, Copy)]
pub(crate) enum Part {
    ClientShare,
    ServerShare,
    Secret,
}

/// Bytes of ML-KEM's, and bytes of the classical exchange (none in a pure group).
pub(crate) struct Halves<T> {
    pub(crate) ml_kem: T,
    pub(crate) classical: T,
}
