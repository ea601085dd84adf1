//! Key exchanges alone: what a client does (its share, and the secret from the server's), and what a server does.

use std::collections::HashMap;
use std::hint::black_box;
use std::time::Instant;

use rustls::crypto::{CryptoProvider, SupportedKxGroup, aws_lc_rs, ring};
use rustls_kemstone::{Group, PostQuantum, dalek};

use crate::Times;

/// Operations in a round.
const BATCH: usize = 16;

struct Row {
    name: &'static str,
    group: &'static dyn SupportedKxGroup,
    client: Times,
    server: Times,
}

impl Row {
    fn new(name: &'static str, group: &'static dyn SupportedKxGroup) -> Self {
        Self { name, group, client: Times::default(), server: Times::default() }
    }

    fn round(&mut self) {
        let began = Instant::now();
        let clients: Vec<_> = (0..BATCH).map(|_| self.group.start().expect("a share")).collect();
        let started = began.elapsed();

        let mut answers = Vec::with_capacity(BATCH);
        let began = Instant::now();
        for client in &clients {
            answers.push(self.group.start_and_complete(client.pub_key()).expect("an answer"));
        }
        let served = began.elapsed();

        let mut secrets = Vec::with_capacity(BATCH);
        let began = Instant::now();
        for (client, answer) in clients.into_iter().zip(&answers) {
            secrets.push(client.complete(&answer.pub_key).expect("a secret"));
        }
        let completed = began.elapsed();

        for (secret, answer) in secrets.iter().zip(&answers) {
            assert_eq!(secret.secret_bytes(), answer.secret.secret_bytes(), "{}", self.name);
        }
        black_box(&secrets);
        let each = |time: std::time::Duration| time.as_secs_f64() * 1e6 / BATCH as f64;
        self.client.0.push(each(started + completed));
        self.server.0.push(each(served));
    }
}

/// kemstone's group over a provider's classical one.
fn ours(provider: CryptoProvider, group: Group) -> &'static dyn SupportedKxGroup {
    first(PostQuantum::new().groups(&[group]), provider)
}

/// The same, whose clients take their keys from a pool.
fn pooled(provider: CryptoProvider, group: Group) -> &'static dyn SupportedKxGroup {
    first(PostQuantum::new().groups(&[group]).pooled(), provider)
}

fn first(groups: PostQuantum, provider: CryptoProvider) -> &'static dyn SupportedKxGroup {
    groups.apply(provider).expect("a provider with the classical half").kx_groups[0]
}

fn of(provider: CryptoProvider, group: Group) -> &'static dyn SupportedKxGroup {
    let named = |kx_group: &&dyn SupportedKxGroup| u16::from(kx_group.name()) == group.code_point();
    provider.kx_groups.into_iter().find(named).expect("the provider's own group")
}

fn classical(provider: CryptoProvider) -> &'static dyn SupportedKxGroup {
    let named = |kx_group: &&dyn SupportedKxGroup| kx_group.name() == rustls::NamedGroup::X25519;
    provider.kx_groups.into_iter().find(named).expect("X25519")
}

/// Shows them, and gives the minima: client, server.
pub(crate) fn run(rounds: usize) -> HashMap<&'static str, [f64; 2]> {
    let hybrid = Group::X25519MLKEM768;
    let mut rows = [
        Row::new("ring        X25519", ring::kx_group::X25519),
        Row::new("ring        X25519MLKEM768, kemstone", ours(ring::default_provider(), hybrid)),
        Row::new("aws-lc-rs   X25519", aws_lc_rs::kx_group::X25519),
        Row::new("aws-lc-rs   X25519MLKEM768, its own", aws_lc_rs::kx_group::X25519MLKEM768),
        Row::new("aws-lc-rs   X25519MLKEM768, kemstone", ours(aws_lc_rs::default_provider(), hybrid)),
        Row::new("graviola    X25519", classical(rustls_graviola::default_provider())),
        Row::new("graviola    X25519MLKEM768, its own", of(rustls_graviola::default_provider(), hybrid)),
        Row::new("graviola    X25519MLKEM768, kemstone", ours(rustls_graviola::default_provider(), hybrid)),
        Row::new("dalek       X25519", dalek::X25519),
        Row::new("dalek       X25519MLKEM768, kemstone", dalek::X25519MLKEM768),
        Row::new("aws-lc-rs   MLKEM768, its own", aws_lc_rs::kx_group::MLKEM768),
        Row::new("aws-lc-rs   MLKEM768, kemstone", ours(aws_lc_rs::default_provider(), Group::MLKEM768)),
        Row::new("ring        MLKEM768, kemstone", ours(ring::default_provider(), Group::MLKEM768)),
        Row::new("aws-lc-rs   X25519MLKEM768, pooled", pooled(aws_lc_rs::default_provider(), hybrid)),
        Row::new("aws-lc-rs   MLKEM768, pooled", pooled(aws_lc_rs::default_provider(), Group::MLKEM768)),
    ];
    for round in 0..rounds + 1 {
        for row in &mut rows {
            row.round();
            if round == 0 {
                // Caches and tables are filled.
                row.client.0.clear();
                row.server.0.clear();
            }
        }
    }
    println!("{:40}{:>20}{:>20}", "key exchange", "client", "server");
    for row in &rows {
        println!("{:40}{:>20}{:>20}", row.name, row.client.show(), row.server.show());
    }

    println!("\n{:40}{:>20}{:>20}", "ML-KEM in it: less X25519 alone", "client", "server");
    let less = |hybrid: &Times, classical: &Times| {
        format!(
            "{:8.2} /{:8.2}",
            hybrid.minimum() - classical.minimum(),
            hybrid.median() - classical.median()
        )
    };
    for (hybrid, alone) in [(1, 0), (3, 2), (4, 2), (13, 2), (6, 5), (7, 5), (9, 8)] {
        let (hybrid, alone) = (&rows[hybrid], &rows[alone]);
        println!(
            "{:40}{:>20}{:>20}",
            hybrid.name,
            less(&hybrid.client, &alone.client),
            less(&hybrid.server, &alone.server)
        );
    }

    println!("\n{:40}{:>20}{:>20}", "times as fast with kemstone (minima)", "client", "server");
    for (name, theirs, ours, alone) in [("aws-lc-rs", 3, 4, 2), ("graviola", 6, 7, 5)] {
        let [theirs, ours, alone] = [theirs, ours, alone].map(|row: usize| &rows[row]);
        let ratio =
            |theirs: &Times, ours: &Times, less: f64| (theirs.minimum() - less) / (ours.minimum() - less);
        for (what, client, server) in [
            ("the whole exchange", 0.0, 0.0),
            ("ML-KEM in it", alone.client.minimum(), alone.server.minimum()),
        ] {
            println!(
                "{name:12}{what:28}{:20.2}{:20.2}",
                ratio(&theirs.client, &ours.client, client),
                ratio(&theirs.server, &ours.server, server)
            );
        }
    }
    rows.iter().map(|row| (row.name, [row.client.minimum(), row.server.minimum()])).collect()
}
