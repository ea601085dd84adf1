//! What is examined, by each tool: every operation of the public API on secrets, and planted leaks.

pub mod operations;
pub mod planted;
pub mod wrapped;

use kemstone::backend::select::Selected;

/// Choices of secrets that every operation is run with.
pub const CHOICES: usize = 3;

/// Something that sees whether code depends on secrets.
pub trait Tool {
    /// The backends to examine.
    fn backends(&self) -> Vec<Selected>;

    /// Runs one operation with each choice of secrets, by its number. It sets up its inputs, names the secret ones, and has
    /// one piece of code examined.
    ///
    /// `decisions`: how often that code may decide something by secrets, because it tells its caller the answer.
    fn operation(&mut self, name: &str, decisions: u64, run: &mut dyn FnMut(&mut Self, usize));

    /// The same for code with a leak in a function of this (mangled) name, which must be found there; `seen` is false if
    /// this tool cannot see leaks of this kind.
    fn planted(&mut self, name: &str, function: &str, seen: bool, run: &mut dyn FnMut(&mut Self, usize));

    /// The same for code without a leak, in the same surroundings as those with one.
    fn clean(&mut self, name: &str, run: &mut dyn FnMut(&mut Self, usize));

    /// The same for code of which compilers make a leak or not: what this one has made of it is printed, and not judged.
    fn noted(&mut self, name: &str, run: &mut dyn FnMut(&mut Self, usize));

    /// From now on these bytes are secret.
    fn secret(&mut self, bytes: &[u8]);

    /// These bytes must depend on a secret, each of them, and are public from now on.
    fn derived(&mut self, bytes: &[u8]);

    /// These bytes are the same for every secret. They are public from now on, whatever a compiler has computed them from.
    fn constant(&mut self, _bytes: &[u8]) {}

    /// Key generation is about to compute these, rho || sigma, from its secrets.
    fn rho_sigma(&mut self, _bytes: [u8; 64]) {}

    /// This is the encapsulation key that came of it.
    fn expanded(&mut self, _ek: &[u8]) {}

    /// The code under examination.
    fn examine(&mut self, code: &mut dyn FnMut());

    /// Is this the tool that follows secrets from their marks? Then key generation must run on a
    /// [wrapped](crate::wrapped) backend.
    const MARKS: bool;
}
