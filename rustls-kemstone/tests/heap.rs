//! Memory that an exchange gives back holds nothing secret: neither ML-KEM's half nor the joined secret, whether it succeeds or not.

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::RefCell;

use kemstone::{DecapsulationKey, MlKem768, Seed};
use rustls::crypto::{
    ActiveKeyExchange, CompletedKeyExchange, GetRandomFailed, SecureRandom, SharedSecret, SupportedKxGroup,
};
use rustls::ffdhe_groups::FfdheGroup;
use rustls::{Error, NamedGroup, PeerMisbehaved};
use rustls_kemstone::KxGroup;

/// The system's memory, looked at when it is given back.
struct Watched;

thread_local! {
    /// What is looked for on this thread, in any piece of this many bytes, and how many blocks held some of it.
    static SOUGHT: RefCell<(Vec<[u8; PIECE]>, usize)> = const { RefCell::new((Vec::new(), 0)) };
}

const PIECE: usize = 16;

// SAFETY: every call is handed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Watched {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the promises that the system's allocator asks for.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block is as long as its layout says, and `alloc` has initialised all of it.
        let bytes = unsafe { std::slice::from_raw_parts(block, layout.size()) };
        let _ = SOUGHT.try_with(|sought| {
            // Held while the list of what is sought is made or given back itself.
            if let Ok(mut sought) = sought.try_borrow_mut() {
                let (pieces, found) = &mut *sought;
                let holds = |piece: &[u8; PIECE]| bytes.windows(PIECE).any(|window| window == piece);
                *found += usize::from(pieces.iter().any(holds));
            }
        });
        // SAFETY: as above.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static WATCHED: Watched = Watched;

/// How many blocks given back during `f` held a piece of these.
fn given_back_with<T>(secrets: &[&[u8]], f: impl FnOnce() -> T) -> (usize, T) {
    let mut pieces = Vec::new();
    for secret in secrets {
        pieces.extend_from_slice(secret.as_chunks().0);
    }
    SOUGHT.with_borrow_mut(|sought| *sought = (pieces, 0));
    let returned = f();
    let (pieces, found) = SOUGHT.take();
    drop(pieces);
    (found, returned)
}

/// Bytes of which no two pieces are alike.
const fn pattern<const N: usize>(first: u8) -> [u8; N] {
    let mut bytes = [0; N];
    let mut i = 0;
    while i < N {
        bytes[i] = (i as u8).wrapping_mul(167).wrapping_add(first);
        i += 1;
    }
    bytes
}

static SEED: [u8; 64] = pattern(59);
static CLASSICAL: [u8; 32] = pattern(11);

#[derive(Debug)]
struct Patterned;

impl SecureRandom for Patterned {
    fn fill(&self, buf: &mut [u8]) -> Result<(), GetRandomFailed> {
        // A pool asks for eight seeds.
        for seed in buf.chunks_mut(SEED.len()) {
            seed.copy_from_slice(&SEED[..seed.len()]);
        }
        Ok(())
    }
}

/// An X25519 with a known secret, which it refuses to give for a share that begins with 0.
#[derive(Debug)]
struct Known;

impl SupportedKxGroup for Known {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        Ok(Box::new(Self))
    }

    fn start_and_complete(&self, share: &[u8]) -> Result<CompletedKeyExchange, Error> {
        let secret = Box::new(Self).complete(share)?;
        Ok(CompletedKeyExchange { group: NamedGroup::X25519, pub_key: vec![1; 32], secret })
    }

    fn ffdhe_group(&self) -> Option<FfdheGroup<'static>> {
        None
    }

    fn name(&self) -> NamedGroup {
        NamedGroup::X25519
    }
}

impl ActiveKeyExchange for Known {
    fn complete(self: Box<Self>, share: &[u8]) -> Result<SharedSecret, Error> {
        if share.first() == Some(&0) {
            return Err(PeerMisbehaved::InvalidKeyShare.into());
        }
        Ok(SharedSecret::from(&CLASSICAL[..]))
    }

    fn pub_key(&self) -> &[u8] {
        &[1; 32]
    }

    fn ffdhe_group(&self) -> Option<FfdheGroup<'static>> {
        None
    }

    fn group(&self) -> NamedGroup {
        NamedGroup::X25519
    }
}

#[test]
fn what_is_given_back_holds_no_secret() {
    static GROUP: KxGroup = KxGroup::x25519_mlkem768(&Known, &Patterned);
    let key = DecapsulationKey::<MlKem768>::from_seed(&Seed::from(SEED));
    let expanded = key.to_expanded_bytes();
    let m: [u8; 32] = SEED[..32].try_into().unwrap();
    let fill = |drawn: &mut [u8; 32]| {
        *drawn = m;
        Ok::<(), ()>(())
    };
    let (_, shared) = key.encapsulation_key().encapsulate_with(fill).unwrap();
    // dk_PKE is the encoded s, the first 1152 bytes.
    let secrets: [&[u8]; 4] = [&SEED, shared.as_bytes(), &CLASSICAL, &expanded.as_bytes()[..1152]];

    // The search finds what is there.
    let (found, ()) = given_back_with(&secrets, || drop(shared.as_bytes().to_vec()));
    assert_eq!(found, 1);
    let (found, ()) = given_back_with(&secrets, || drop(CLASSICAL.to_vec()));
    assert_eq!(found, 1);

    let (found, share) = given_back_with(&secrets, || {
        let client = GROUP.start().unwrap();
        let server = GROUP.start_and_complete(client.pub_key()).unwrap();
        let share = client.pub_key().to_vec();
        let secret = client.complete(&server.pub_key).unwrap();
        assert_eq!(secret.secret_bytes(), server.secret.secret_bytes());
        assert_eq!(secret.secret_bytes(), [&shared.as_bytes()[..], &CLASSICAL].concat().as_slice());
        share
    });
    // The one that the comparison itself has made.
    assert_eq!(found, 1);

    // The classical half fails after ML-KEM's is there; the client gives up.
    let mut damaged = share.clone();
    damaged[1184] = 0;
    let (found, error) = given_back_with(&secrets, || GROUP.start_and_complete(&damaged).err());
    assert_eq!((found, error), (0, Some(PeerMisbehaved::InvalidKeyShare.into())));
    let (found, error) = given_back_with(&secrets, || GROUP.start().unwrap().complete(&[0; 1120]).err());
    assert_eq!((found, error), (0, Some(PeerMisbehaved::InvalidKeyShare.into())));
    let mut answer = GROUP.start_and_complete(&share).unwrap().pub_key;
    answer[1088] = 0;
    let (found, error) = given_back_with(&secrets, || GROUP.start().unwrap().complete(&answer).err());
    assert_eq!((found, error), (0, Some(PeerMisbehaved::InvalidKeyShare.into())));
    let (found, ()) = given_back_with(&secrets, || drop(GROUP.start().unwrap()));
    assert_eq!(found, 0);
    let (found, ()) = given_back_with(&secrets, || {
        let secret = GROUP.start().unwrap().complete_hybrid_component(&[1; 32]).unwrap();
        assert_eq!(secret.secret_bytes(), CLASSICAL);
    });
    assert_eq!(found, 0);
    // A pool makes eight keys, and gives them back one by one.
    static POOLED: KxGroup = KxGroup::x25519_mlkem768(&Known, &Patterned).pooled();
    let (found, ()) = given_back_with(&secrets, || {
        for _ in 0..8 {
            let client = POOLED.start().unwrap();
            assert_eq!(client.pub_key(), share);
        }
    });
    assert_eq!(found, 0);
}
