//! Rules of the source tree that no compiler checks.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

/// In a clone this is not there: a development dependency switches the features on.
#[cfg(not(all(feature = "hazmat", feature = "internals")))]
#[test]
#[ignore = "most tests need hazmat and internals and were left out: run `cargo test --all-features`"]
fn everything_is_tested() {
    panic!("most tests need hazmat and internals and were left out: run `cargo test --all-features`");
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file below a folder with its text.
fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder of the crate") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("a readable file");
            files.push((path, text));
        }
    }
    files
}

/// A file's lines without comments.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(|line| line.split("//").next().unwrap_or(line))
}

#[test]
fn the_frontend_is_safe_and_knows_no_machine() {
    let files = sources(&root().join("src/frontend"));
    assert!(files.len() >= 10, "the frontend has moved");
    for (path, text) in files {
        for line in code(&text) {
            for word in ["unsafe", "target_arch", "target_feature", "core::arch", "std::arch"] {
                assert!(!line.contains(word), "{}: {word} in {line:?}", path.display());
            }
        }
    }
}

#[test]
fn unsafe_code_stays_in_the_architecture_backends() {
    for (path, text) in sources(&root().join("src")) {
        let arch = ["x86_64", "aarch64", "riscv64", "wasm32"].map(|arch| format!("src/backend/{arch}/"));
        if !arch.iter().any(|arch| path.to_string_lossy().contains(arch)) {
            for line in code(&text) {
                let allowed = line.contains("unsafe_code");
                assert!(allowed || !line.contains("unsafe"), "{}: {line:?}", path.display());
            }
        }
    }
}

/// The unsafe blocks, foreign ones among them, and the unsafe functions of a file. Any other `unsafe` but a pointer to a
/// function is refused: an implementation, a trait or an attribute would need a column of its own in `SOUNDNESS.md`.
fn count_unsafe(path: &str, text: &str) -> (usize, usize) {
    let code: String = code(text).flat_map(|line| [line, "\n"]).collect();
    let (mut blocks, mut functions) = (0, 0);
    let named = |c: char| c.is_alphanumeric() || c == '_';
    for (at, word) in code.match_indices("unsafe") {
        let next = &code[at + word.len()..];
        if code[..at].ends_with(named) || next.starts_with(named) {
            continue; // a part of another word, as in the names of lints
        }
        match next.trim_start() {
            next if next.starts_with('{') || next.starts_with("extern ") => blocks += 1,
            next if next.starts_with("fn ") => functions += 1,
            next => assert!(next.starts_with("fn("), "{path}: what is `unsafe {:.20}`?", next),
        }
    }
    (blocks, functions)
}

#[test]
fn unsafe_code_is_listed() {
    let below = |path: &Path| {
        let path = path.strip_prefix(root().join("src/backend")).expect("a backend, as tested above");
        path.to_string_lossy().replace('\\', "/")
    };
    let mut found = HashMap::new();
    for (path, text) in sources(&root().join("src")) {
        let counts = count_unsafe(&path.to_string_lossy(), &text);
        if counts != (0, 0) {
            found.insert(below(&path), counts);
        }
    }
    assert!(found.len() > 10, "the backends have moved");

    let soundness = fs::read_to_string(root().join("SOUNDNESS.md")).expect("SOUNDNESS.md");
    let (_, section) = soundness.split_once("\n## Unsafe code\n").expect("the section with the table");
    let section = section.split("\n## ").next().expect("a part");
    let mut listed = HashMap::new();
    for row in section.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let [file, blocks, functions, reason] = cells[..] else { panic!("four cells: {row}") };
        assert!(!reason.is_empty(), "a reason: {row}");
        let count = |cell: &str| cell.parse::<usize>().unwrap_or_else(|_| panic!("a number: {row}"));
        let counts = (count(blocks), count(functions));
        let twice = listed.insert(file.trim_matches('`').to_owned(), (counts, reason));
        assert!(twice.is_none(), "{file} is listed twice");
    }
    let mut differences = Vec::new();
    for (file, counts @ (blocks, functions)) in &found {
        let reason = match listed.get(file) {
            Some((listed, _)) if listed == counts => continue,
            Some((_, reason)) => reason,
            None => "...",
        };
        differences.push(format!("should stand there: | `{file}` | {blocks} | {functions} | {reason} |"));
    }
    for file in listed.keys().filter(|file| !found.contains_key(*file)) {
        differences.push(format!("has no unsafe code, or is not there: {file}"));
    }
    assert!(differences.is_empty(), "SOUNDNESS.md, \"Unsafe code\":\n{}", differences.join("\n"));
}

/// Clippy says so as well, but only of what is compiled for the machine it runs on.
#[test]
fn unsafe_blocks_say_why_on_every_target() {
    let mut blocks = 0;
    for (path, text) in sources(&root().join("src")) {
        let lines: Vec<&str> = text.lines().collect();
        for (number, line) in code(&text)
            .enumerate()
            .filter(|(_, line)| line.contains("unsafe {") || line.contains("unsafe extern"))
        {
            let mut above = lines[..number].iter().rev().map(|line| line.trim_start());
            let comment = above.by_ref().take_while(|line| line.starts_with("//"));
            let says = comment.map(|line| line.starts_with("// SAFETY: ")).collect::<Vec<_>>();
            assert!(says.contains(&true), "{}, line {}: {line}", path.display(), number + 1);
            blocks += 1;
        }
    }
    assert!(blocks > 100, "the backends have moved");
}

#[test]
fn sibling_backends_have_the_same_kernel_files() {
    let kernels = ["compress.rs", "encode.rs", "keccak.rs", "mul.rs", "ntt.rs", "reduce.rs", "sample.rs"];
    let expected: HashSet<String> = kernels.into_iter().map(String::from).collect();
    for folder in
        ["portable", "small", "x86_64/avx2", "x86_64/avx512", "aarch64/neon", "riscv64/rvv", "wasm32/simd128"]
    {
        let path = root().join("src/backend").join(folder);
        if folder != "portable" && !path.exists() {
            println!("no backend {folder} in this tree yet");
            continue;
        }
        // What one backend alone does as a whole operation, and rounds in assembly.
        let own: &[&str] = match folder {
            "x86_64/avx2" => &["rounds.rs"],
            "x86_64/avx512" => &["key_hash.rs", "rounds.rs"],
            _ => &[],
        };
        let mut expected = expected.clone();
        if folder == "small" {
            expected.remove("reduce.rs"); // that of `portable` serves
        }
        let found: HashSet<String> = fs::read_dir(path)
            .expect("a backend")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .filter(|name| name != "mod.rs" && !own.contains(&&name[..]))
            .collect();
        assert_eq!(found, expected, "{folder}");
    }
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The names of the functions that follow the beginning of an item, as far as that goes.
fn functions(text: &str, item: &str) -> Vec<String> {
    let start = text.find(item).unwrap_or_else(|| panic!("{item} is not there"));
    let body = text[start..].split("\n}\n").next().expect("a part");
    let names = body.lines().filter_map(|line| line.strip_prefix("    fn "));
    names.map(|line| line.split(['(', '<']).next().expect("a part").to_owned()).collect()
}

#[test]
fn the_contract_stays_small() {
    let contract = functions(&read("src/backend/mod.rs"), "pub trait Backend");
    assert!((14..=16).contains(&contract.len()), "Backend: {contract:?}");
    let keccak = functions(&read("src/sponge/mod.rs"), "pub trait Keccak");
    assert!((5..=6).contains(&keccak.len()), "Keccak: {keccak:?}");

    // Each is called by the frontend or by the packer: what nobody asks for is no part of a contract.
    let callers: String = ["src/frontend", "src/sponge"]
        .into_iter()
        .flat_map(|folder| sources(&root().join(folder)))
        .filter(|(path, _)| !path.ends_with("tests.rs") && !path.ends_with("permutations.rs"))
        .map(|(_, text)| text)
        .collect();
    for name in contract.iter().chain(&keccak) {
        let called = [format!("backend.{name}("), format!("::{name}(backend"), format!("self.{name}(")];
        assert!(called.iter().any(|call| callers.contains(call)), "nobody calls {name}");
    }

    // Of the operations, at most two are there because one backend alone overrides them.
    let folders = ["portable/mod.rs", "x86_64/avx2/mod.rs", "x86_64/avx512/mod.rs"].into_iter().chain([
        "small/mod.rs",
        "aarch64/neon/mod.rs",
        "aarch64/sha3.rs",
        "riscv64/rvv/mod.rs",
        "riscv64/zbb.rs",
        "wasm32/simd128/mod.rs",
    ]);
    let mut overrides: HashMap<&str, Vec<&str>> = HashMap::new();
    let shared = read("src/backend/mod.rs");
    let (_, macros) = shared.split_once("macro_rules! hashing").expect("the macros");
    for folder in folders {
        let text = read(&format!("src/backend/{folder}"));
        let (text, _) = text.split_once("\n#[cfg(test)]\nmod tests").unwrap_or((&text, ""));
        for name in contract.iter().chain(&keccak) {
            if text.contains(&format!("    fn {name}")) {
                overrides.entry(name).or_default().push(folder);
            }
        }
    }
    let alone: Vec<_> = overrides
        .iter()
        .filter(|(name, by)| by.len() == 1 && !macros.contains(&format!("        fn {name}")))
        .collect();
    assert!(alone.len() <= 2, "{alone:?}");
}

#[test]
fn shared_files_and_functions_stay_short() {
    let mut longest = 0;
    for (path, text) in sources(&root().join("src/sponge")) {
        let count = text.lines().count();
        assert!(count <= 350, "{} has {count} lines", path.display());
        longest = longest.max(count);
        let lines: Vec<&str> = text.lines().collect();
        for (start, line) in lines.iter().enumerate() {
            let bare = line.trim_start();
            if !(bare.starts_with("fn ") || bare.starts_with("pub") && bare.contains(" fn ")) {
                continue;
            }
            let indent = line.len() - bare.len();
            let ends = |line: &&str| line.len() - line.trim_start().len() == indent && line.trim() == "}";
            let long = lines[start..].iter().position(ends).unwrap_or(0);
            assert!(long <= 45, "{}, line {}: {long} lines", path.display(), start + 1);
        }
    }
    assert!(longest > 250, "the sponge has moved");
    for (path, text) in sources(&root().join("src/sponge")) {
        assert!(!text.contains("frontend"), "{} knows of the frontend", path.display());
    }
}

/// The file of a module in `src`, by its path in the crate.
fn file_of(module: &[&str]) -> Option<PathBuf> {
    (0..=module.len()).rev().find_map(|length| {
        let path = root().join("src").join(module[..length].join("/"));
        let files = [path.with_extension("rs"), path.join("mod.rs")];
        files.into_iter().find(|file| length > 0 && file.is_file())
    })
}

/// The files that a file's `use` lines name, from the crate's root on or from the folder above. What a file takes from those
/// above it in its own folder is no circle: a module and its parts are one thing.
fn imports(path: &Path, text: &str) -> HashSet<PathBuf> {
    let text = text.split("\n#[cfg(test)]\nmod tests").next().expect("a part");
    let inside = path.strip_prefix(root().join("src")).expect("a source").with_extension("");
    let inside = inside.to_string_lossy().replace('\\', "/");
    let here: Vec<&str> = inside.split('/').filter(|part| *part != "mod").collect();
    let mut found = HashSet::new();
    for (start, _) in text.match_indices("use ") {
        let import: String =
            text[start + 4..].split(';').next().expect("a part").split_whitespace().collect();
        let (head, names) = import.split_once('{').unwrap_or((&import, ""));
        let mut head: Vec<&str> = head.split("::").filter(|part| !part.is_empty()).collect();
        match head.first() {
            Some(&"crate") => drop(head.remove(0)),
            Some(&"super") => {
                let ups = head.iter().take_while(|part| **part == "super").count();
                head.splice(..ups, here[..here.len() - ups].iter().copied());
            }
            _ => continue,
        }
        // One level of braces, which is all that formatting leaves.
        let names = names.trim_end_matches('}').split(',').map(|name| name.split("::").collect::<Vec<_>>());
        for name in names {
            let module: Vec<&str> =
                head.iter().copied().chain(name).filter(|part| !part.is_empty()).collect();
            found.extend(file_of(&module));
        }
    }
    let above =
        |file: &PathBuf| file.ends_with("mod.rs") && path.starts_with(file.parent().expect("a folder"));
    found.retain(|file| file != path && !above(file));
    found
}

#[test]
fn no_file_imports_itself_by_way_of_others() {
    let files = sources(&root().join("src"));
    let graph: HashMap<PathBuf, HashSet<PathBuf>> = files
        .iter()
        .filter(|(path, _)| {
            !["tests.rs", "permutations.rs"].iter().any(|name| path.ends_with(name))
                && !path.iter().any(|part| part == "conformance")
        })
        .map(|(path, text)| (path.clone(), imports(path, text)))
        .collect();
    assert!(graph.values().map(HashSet::len).sum::<usize>() > 100, "imports are not found");
    for start in graph.keys() {
        let (mut reached, mut next) = (HashSet::new(), vec![start]);
        while let Some(file) = next.pop() {
            for import in graph.get(file).into_iter().flatten() {
                assert!(import != start, "{} imports itself by way of {}", start.display(), file.display());
                if reached.insert(import) {
                    next.push(import);
                }
            }
        }
    }
}

#[test]
fn every_algorithm_of_the_standard_is_cited() {
    let text: String = sources(&root().join("src")).into_iter().map(|(_, text)| text).collect();
    // Algorithms 1 and 2 are pseudocode conventions, 3 and 4 conversions between bits and bytes that are part of
    // 5 and 6 here.
    for number in 5..=21 {
        let named =
            [format!("Algorithm {number} "), format!("Algorithm {number},"), format!("Algorithm {number})")];
        let ranges = [(5, 6), (9, 10), (10, 12), (11, 12), (16, 18), (19, 21), (7, 8)];
        let in_range = ranges.iter().any(|(first, last)| {
            (*first..=*last).contains(&number)
                && [" to ", " and "]
                    .iter()
                    .any(|word| text.contains(&format!("Algorithms {first}{word}{last}")))
        });
        assert!(
            in_range || named.iter().any(|name| text.contains(name)),
            "Algorithm {number} is cited nowhere"
        );
    }
}

/// The numbers in the margin comments (`// 4-8`, `// 12-15, 17`) of the function that follows a marker.
fn margin(text: &str, marker: &str) -> HashSet<u32> {
    let start = text.find(marker).unwrap_or_else(|| panic!("{marker} is not there"));
    let body = &text[start..];
    let body = &body[..body[1..].find("\n/// FIPS 203, Algorithm").map_or(body.len(), |end| end + 1)];
    let mut lines = HashSet::new();
    for comment in body.lines().filter_map(|line| line.split_once("// ").map(|(_, comment)| comment)) {
        // What a margin comment says after a colon is prose: other algorithms' numbers, for example.
        for part in comment.split([',', ';']).map(|part| part.split(':').next().unwrap_or(part).trim()) {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            if let (Ok(first), Ok(last)) = (first.parse::<u32>(), last.parse::<u32>()) {
                lines.extend(first..=last);
            }
        }
    }
    lines
}

#[test]
fn every_line_of_the_algorithms_has_its_place() {
    let (k_pke, kem) = (read("src/frontend/k_pke.rs"), read("src/frontend/kem.rs"));
    let cases = [
        (&k_pke, "/// FIPS 203, Algorithm 13 ", 21),
        (&k_pke, "/// FIPS 203, Algorithm 15 ", 8),
        (&kem, "/// FIPS 203, Algorithm 16 ", 4),
        (&kem, "/// FIPS 203, Algorithm 17 ", 3),
        (&kem, "/// FIPS 203, Algorithm 18 ", 12),
    ];
    for (text, marker, last) in cases {
        let missing: Vec<u32> = (1..=last).filter(|line| !margin(text, marker).contains(line)).collect();
        assert!(missing.is_empty(), "{marker}: lines {missing:?} have no margin comment");
    }
    // Algorithm 14 is in two places: the hashing, lines 1 to 17, and the rest.
    let mut lines = margin(&k_pke, "/// FIPS 203, Algorithm 14 ");
    lines.extend(margin(&k_pke, "/// What Algorithm 14 reads "));
    let missing: Vec<u32> = (1..=24).filter(|line| !lines.contains(line)).collect();
    assert!(missing.is_empty(), "Algorithm 14: lines {missing:?} have no margin comment");
}

/// Every file of the repository that people write, but for the vectors.
fn written(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of the repository") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match &name[..] {
            // What git and cargo make, here and in the fuzzing workspace.
            ".git" | "target" | "corpus" | "artifacts" | "coverage" | "kats" | "Cargo.lock" => (),
            _ if path.is_dir() => written(&path, files),
            _ => files.push(path),
        }
    }
}

#[test]
fn no_file_knows_the_machine_it_was_written_on() {
    let mut files = Vec::new();
    written(&root(), &mut files);
    assert!(files.len() > 40, "the tree is not where it was");
    // In two pieces, since this file is looked at as well.
    let homes = [("/ho", "me/"), ("/ro", "ot/"), ("/wo", "rk/"), ("/Us", "ers/"), ("C:\\Us", "ers")];
    for path in files {
        // Only text can be searched.
        let Ok(text) = fs::read_to_string(&path) else { continue };
        for (number, line) in text.lines().enumerate() {
            for (head, tail) in homes {
                let home = format!("{head}{tail}");
                // A path begins with it: what comes before is no part of a name or of an address.
                let found = line.match_indices(&home).any(|(at, _)| {
                    !line[..at].ends_with(|c: char| c.is_alphanumeric() || "._-}/".contains(c))
                });
                assert!(!found, "{}, line {}: {line}", path.display(), number + 1);
            }
        }
    }
}
