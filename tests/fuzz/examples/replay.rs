//! Gives every target its corpus and blind mutations of it, where the fuzzer cannot run: the
//! argument says how many mutations of each seed.

use std::{env, fs, io, path::Path};

use machine::Seeded;

const TARGETS: [(&str, fn(&[u8])); 25] = [
    ("account", fuzz::account),
    ("chain", fuzz::chain),
    ("content", fuzz::content),
    ("event", fuzz::event),
    ("frame", fuzz::frame),
    ("group_view", fuzz::group_view),
    ("key_file", fuzz::key_file),
    ("key_package", fuzz::key_package),
    ("leaf", fuzz::leaf),
    ("link", fuzz::link),
    ("manifest", fuzz::manifest),
    ("member", fuzz::member),
    ("name", fuzz::name),
    ("node_config", fuzz::node_config),
    ("node_frames", fuzz::node_frames),
    ("observer", fuzz::observer),
    ("owner_socket", fuzz::owner_socket),
    ("peer_hello", fuzz::peer_hello),
    ("peering_ticket", fuzz::peering_ticket),
    ("seal", fuzz::seal),
    ("session", fuzz::session),
    ("settings", fuzz::settings),
    ("statement", fuzz::statement),
    ("stream", fuzz::stream),
    ("ticket", fuzz::ticket),
];

fn main() -> io::Result<()> {
    let count: u64 = env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(100);
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for (name, target) in TARGETS {
        let Ok(folder) = fs::read_dir(corpus.join(name)) else { continue };
        target(&[]);
        for seed in folder {
            let bytes = fs::read(seed?.path())?;
            target(&bytes);
            let mut entropy = Seeded::new(1);
            for _ in 0..count {
                target(&mutated(&bytes, &mut entropy));
            }
        }
        println!("{name}");
    }
    Ok(())
}

/// One to four changes: a bit flipped, a byte set, a piece cut out, doubled or overwritten.
fn mutated(seed: &[u8], entropy: &mut Seeded) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=entropy.below(3) {
        let length = bytes.len() as u64;
        let at = entropy.below(length) as usize;
        let piece = at..(at + 1 + entropy.below(8) as usize).min(bytes.len());
        match entropy.below(5) {
            _ if bytes.is_empty() => bytes.push(entropy.next() as u8),
            0 => bytes[at] ^= 1 << entropy.below(8),
            1 => bytes[at] = entropy.next() as u8,
            2 => drop(bytes.drain(piece)),
            3 => bytes.splice(at..at, bytes[piece].to_vec()).for_each(drop),
            _ => bytes.truncate(at),
        }
    }
    bytes
}
