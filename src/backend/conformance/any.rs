//! Any backend behind one type: what runs on it is compiled once, and not for each backend.

use std::any::Any as Value;
use std::boxed::Box;
use std::vec;
use std::vec::Vec;

use crate::backend::Backend;
use crate::backend::poly::{Canonical, Eta, Lazy, Multiplier, Noise, NttPoly, Poly, Range};
use crate::sponge::jobs::{Job, Jobs};

/// A backend of any type. Elements of T_q are in that backend's form.
#[derive(Clone, Copy)]
pub(crate) struct Any {
    hashing: &'static dyn Hashing,
    arithmetic: Option<&'static dyn Arithmetic>,
}

impl Any {
    pub(crate) fn of<B: Backend>(backend: B) -> Self {
        let backend = Box::leak(Box::new(backend));
        Self { hashing: backend, arithmetic: Some(backend) }
    }

    /// The same for what only hashes, samples and encodes.
    pub(crate) fn of_hashing<B: Backend>(backend: B) -> Self {
        Self { hashing: Box::leak(Box::new(backend)), arithmetic: None }
    }

    /// [`Backend::hash_key`] with the entries in a slice.
    pub(super) fn hash_key_to(self, ek: &[u8], h_ek: &mut [u8; 32], entries: &mut [NttPoly<Self>]) {
        self.hashing.hash_key(ek, h_ek, entries);
    }

    fn arithmetic(self) -> &'static dyn Arithmetic {
        self.arithmetic.expect("a backend with arithmetic")
    }
}

/// Writes elements of T_q to elements that are another backend's by type, in the same form.
pub(super) fn give<A, B>(from: &[NttPoly<A>], to: &mut [NttPoly<B>]) {
    assert_eq!(from.len(), to.len());
    from.iter().zip(to).for_each(|(from, to)| *to.raw_mut() = *from.raw());
}

pub(super) fn given<A, B>(from: &NttPoly<A>) -> NttPoly<B> {
    let mut to = NttPoly::ZERO;
    *to.raw_mut() = *from.raw();
    to
}

fn given_multiplier<A, B>(from: &Multiplier<A>) -> Multiplier<B> {
    Multiplier { f_hat: given(&from.f_hat), cache: given(&from.cache) }
}

/// Calls with a matrix of the backend's own, and copies what that leaves.
pub(super) fn in_rows<B, const K: usize>(
    entries: &mut [NttPoly<Any>],
    call: impl FnOnce(&mut [[NttPoly<B>; K]; K]),
) {
    let mut rows = [[NttPoly::ZERO; K]; K];
    call(&mut rows);
    give(rows.as_flattened(), entries);
}

/// What of [`Backend`] hashes, samples and encodes elements of T_q, with slices where that has arrays.
trait Hashing: Send + Sync {
    fn hash(&self, job: Job<'_>);
    fn hash_all(&self, jobs: &mut [Jobs<'_, Any>]);
    fn hash_key(&self, ek: &[u8], h_ek: &mut [u8; 32], entries: &mut [NttPoly<Any>]);
    fn noise(&self, eta1: Eta, r: &[u8; 32], y: &mut [[u8; 192]], e1: &mut [[u8; 128]], e2: &mut [u8; 128]);
    fn sample_ntt(&self, blocks: &[[u8; 192]], a_hats: &mut [NttPoly<Any>], filled: &mut [usize]) -> bool;
    fn encode12(&self, f_hat: &NttPoly<Any>, b: &mut [u8; 384]);
    fn decode12(&self, b: &[u8; 384], f_hat: &mut NttPoly<Any>) -> bool;
}

/// The rest of it. Where a polynomial may be of either of two ranges, it comes as a value of any type.
trait Arithmetic: Send + Sync {
    fn sample_poly_cbd(&self, eta: Eta, b: &[u8], f: &mut Poly<Noise>);
    fn ntt(&self, f: &dyn Value, f_hat: &mut NttPoly<Any>);
    fn multiplier(&self, f: &dyn Value, m: &mut Multiplier<Any>);
    fn mul_add(
        &self,
        a: &[NttPoly<Any>],
        s: &[Multiplier<Any>],
        e_hat: &NttPoly<Any>,
        t_hat: &mut NttPoly<Any>,
    );
    fn dot_inverse(&self, a: &[NttPoly<Any>], b: &[Multiplier<Any>], f: &mut Poly<Lazy>);
    fn add_compress(&self, f: &Poly<Lazy>, e: &Poly<Noise>, b: &mut [u8]);
    fn add_message_compress(&self, f: &Poly<Lazy>, e: &Poly<Noise>, m: &[u8; 32], b: &mut [u8]);
    fn sub_compress(&self, v: &Poly<Canonical>, f: &Poly<Lazy>, m: &mut [u8; 32]);
    fn decompress(&self, b: &[u8], f: &mut Poly<Canonical>);
}

/// `with_length!(a: 1 2 3 => call)`: the call, in which `a` is no slice any more but an array of one of these lengths.
macro_rules! with_length {
    ($slice:ident: $($length:literal)* => $call:expr) => {
        match $slice.len() {
            $($length => {
                let $slice = $slice.first_chunk::<$length>().expect("matched by its length");
                $call
            })*
            n => panic!("no vector and no encoding has {n}"),
        }
    };
}

/// The same with a slice to write to.
macro_rules! with_length_mut {
    ($slice:ident: $($length:literal)* => $call:expr) => {
        match $slice.len() {
            $($length => {
                let $slice = $slice.first_chunk_mut::<$length>().expect("matched by its length");
                $call
            })*
            n => panic!("no vector and no encoding has {n}"),
        }
    };
}

fn chunk<T, const L: usize>(slice: &[T]) -> &[T; L] {
    slice.first_chunk().expect("as long as its neighbour")
}

fn chunk_mut<T, const L: usize>(slice: &mut [T]) -> &mut [T; L] {
    slice.first_chunk_mut().expect("as long as its neighbour")
}

impl<B: Backend> Hashing for B {
    fn hash(&self, job: Job<'_>) {
        Backend::hash(*self, job);
    }

    fn hash_all(&self, jobs: &mut [Jobs<'_, Any>]) {
        let mut entries: Vec<Vec<NttPoly<B>>> = jobs.iter().map(|_| Vec::new()).collect();
        let (mut own, mut asked) = (Vec::new(), Vec::new());
        for (i, (jobs, entries)) in jobs.iter_mut().zip(&mut entries).enumerate() {
            own.push(match core::mem::replace(jobs, Job::none().into()) {
                Jobs::One(job) => Jobs::One(job),
                Jobs::Prf(prf) => Jobs::Prf(prf),
                Jobs::Matrix(matrix) => {
                    let (matrix, entries) = matrix.for_another(entries);
                    asked.push((i, entries));
                    Jobs::Matrix(matrix)
                }
            });
        }
        Backend::hash_all(*self, &mut own);
        for (i, asked) in asked {
            give(&entries[i], asked);
        }
    }

    fn hash_key(&self, ek: &[u8], h_ek: &mut [u8; 32], entries: &mut [NttPoly<Any>]) {
        match entries.len() {
            4 => in_rows::<_, 2>(entries, |rows| Backend::hash_key(*self, ek, h_ek, rows)),
            9 => in_rows::<_, 3>(entries, |rows| Backend::hash_key(*self, ek, h_ek, rows)),
            _ => in_rows::<_, 4>(entries, |rows| Backend::hash_key(*self, ek, h_ek, rows)),
        }
    }

    fn noise(&self, eta1: Eta, r: &[u8; 32], y: &mut [[u8; 192]], e1: &mut [[u8; 128]], e2: &mut [u8; 128]) {
        with_length_mut!(y: 2 3 4 => Backend::noise(*self, eta1, r, y, chunk_mut(e1), e2));
    }

    fn sample_ntt(&self, blocks: &[[u8; 192]], a_hats: &mut [NttPoly<Any>], filled: &mut [usize]) -> bool {
        let mut own = vec![NttPoly::ZERO; a_hats.len()];
        give(a_hats, &mut own);
        let full = Backend::sample_ntt(*self, blocks, &mut own, filled);
        give(&own, a_hats);
        full
    }

    fn encode12(&self, f_hat: &NttPoly<Any>, b: &mut [u8; 384]) {
        Backend::encode12(*self, &given(f_hat), b);
    }

    fn decode12(&self, b: &[u8; 384], f_hat: &mut NttPoly<Any>) -> bool {
        let mut own = given(f_hat);
        let below_q = Backend::decode12(*self, b, &mut own);
        *f_hat = given(&own);
        below_q
    }
}

impl<B: Backend> Arithmetic for B {
    fn sample_poly_cbd(&self, eta: Eta, b: &[u8], f: &mut Poly<Noise>) {
        Backend::sample_poly_cbd(*self, eta, b, f);
    }

    fn ntt(&self, f: &dyn Value, f_hat: &mut NttPoly<Any>) {
        let mut own = given(f_hat);
        match f.downcast_ref::<Poly<Noise>>() {
            Some(f) => Backend::ntt(*self, f, &mut own),
            None => Backend::ntt(*self, f.downcast_ref::<Poly<Canonical>>().expect("the other"), &mut own),
        }
        *f_hat = given(&own);
    }

    fn multiplier(&self, f: &dyn Value, m: &mut Multiplier<Any>) {
        let mut own = given_multiplier(m);
        match f.downcast_ref::<Poly<Noise>>() {
            Some(f) => Backend::multiplier(*self, f, &mut own),
            None => {
                Backend::multiplier(*self, f.downcast_ref::<Poly<Canonical>>().expect("the other"), &mut own);
            }
        }
        *m = given_multiplier(&own);
    }

    fn mul_add(
        &self,
        a: &[NttPoly<Any>],
        s: &[Multiplier<Any>],
        e_hat: &NttPoly<Any>,
        t_hat: &mut NttPoly<Any>,
    ) {
        let (a, s): (Vec<NttPoly<B>>, Vec<Multiplier<B>>) =
            (a.iter().map(given).collect(), s.iter().map(given_multiplier).collect());
        let mut own = given(t_hat);
        with_length!(a: 1 2 3 4 => Backend::mul_add(*self, a, chunk(&s), &given(e_hat), &mut own));
        *t_hat = given(&own);
    }

    fn dot_inverse(&self, a: &[NttPoly<Any>], b: &[Multiplier<Any>], f: &mut Poly<Lazy>) {
        let (a, b): (Vec<NttPoly<B>>, Vec<Multiplier<B>>) =
            (a.iter().map(given).collect(), b.iter().map(given_multiplier).collect());
        with_length!(a: 1 2 3 4 => Backend::dot_inverse(*self, a, chunk(&b), f));
    }

    fn add_compress(&self, f: &Poly<Lazy>, e: &Poly<Noise>, b: &mut [u8]) {
        with_length_mut!(b: 128 160 320 352 => Backend::add_compress(*self, f, e, b));
    }

    fn add_message_compress(&self, f: &Poly<Lazy>, e: &Poly<Noise>, m: &[u8; 32], b: &mut [u8]) {
        with_length_mut!(b: 128 160 320 352 => Backend::add_message_compress(*self, f, e, m, b));
    }

    fn sub_compress(&self, v: &Poly<Canonical>, f: &Poly<Lazy>, m: &mut [u8; 32]) {
        Backend::sub_compress(*self, v, f, m);
    }

    fn decompress(&self, b: &[u8], f: &mut Poly<Canonical>) {
        with_length!(b: 32 128 160 320 352 => Backend::decompress(*self, b, f));
    }
}

impl Backend for Any {
    const NAME: &'static str = "any";

    fn hash(self, job: Job<'_>) {
        self.hashing.hash(job);
    }

    fn hash_all(self, jobs: &mut [Jobs<'_, Self>]) {
        self.hashing.hash_all(jobs);
    }

    fn hash_key<const K: usize>(
        self,
        ek: &[u8],
        h_ek: &mut [u8; 32],
        a_hat_transposed: &mut [[NttPoly<Self>; K]; K],
    ) {
        self.hash_key_to(ek, h_ek, a_hat_transposed.as_flattened_mut());
    }

    fn noise<const K: usize>(
        self,
        eta1: Eta,
        r: &[u8; 32],
        y: &mut [[u8; 192]; K],
        e1: &mut [[u8; 128]; K],
        e2: &mut [u8; 128],
    ) {
        self.hashing.noise(eta1, r, y, e1, e2);
    }

    fn sample_ntt(self, blocks: &[[u8; 192]], a_hats: &mut [NttPoly<Self>], filled: &mut [usize]) -> bool {
        self.hashing.sample_ntt(blocks, a_hats, filled)
    }

    fn sample_poly_cbd(self, eta: Eta, b: &[u8], f: &mut Poly<Noise>) {
        self.arithmetic().sample_poly_cbd(eta, b, f);
    }

    fn ntt<R: Range>(self, f: &Poly<R>, f_hat: &mut NttPoly<Self>) {
        self.arithmetic().ntt(f, f_hat);
    }

    fn multiplier<R: Range>(self, f: &Poly<R>, m: &mut Multiplier<Self>) {
        self.arithmetic().multiplier(f, m);
    }

    fn mul_add<const K: usize>(
        self,
        a: &[NttPoly<Self>; K],
        s: &[Multiplier<Self>; K],
        e_hat: &NttPoly<Self>,
        t_hat: &mut NttPoly<Self>,
    ) {
        self.arithmetic().mul_add(a, s, e_hat, t_hat);
    }

    fn dot_inverse<const K: usize>(
        self,
        a: &[NttPoly<Self>; K],
        b: &[Multiplier<Self>; K],
        f: &mut Poly<Lazy>,
    ) {
        self.arithmetic().dot_inverse(a, b, f);
    }

    fn add_compress<const L: usize>(self, f: &Poly<Lazy>, e: &Poly<Noise>, b: &mut [u8; L]) {
        self.arithmetic().add_compress(f, e, b);
    }

    fn add_message_compress<const L: usize>(
        self,
        f: &Poly<Lazy>,
        e: &Poly<Noise>,
        m: &[u8; 32],
        b: &mut [u8; L],
    ) {
        self.arithmetic().add_message_compress(f, e, m, b);
    }

    fn sub_compress(self, v: &Poly<Canonical>, f: &Poly<Lazy>, m: &mut [u8; 32]) {
        self.arithmetic().sub_compress(v, f, m);
    }

    fn encode12(self, f_hat: &NttPoly<Self>, b: &mut [u8; 384]) {
        self.hashing.encode12(f_hat, b);
    }

    fn decode12(self, b: &[u8; 384], f_hat: &mut NttPoly<Self>) -> bool {
        self.hashing.decode12(b, f_hat)
    }

    fn decompress<const L: usize>(self, b: &[u8; L], f: &mut Poly<Canonical>) {
        self.arithmetic().decompress(b, f);
    }
}
