//! A strict reader of the files in `kats/`, whose format `kats/README.md` describes.

/// One case: its header, and its other fields in the order of the file.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) set: String,
    pub(crate) function: String,
    pub(crate) case: usize,
    fields: Vec<(String, String)>,
}

/// A function a file may hold: its name, its type of test, its fields in order, and its cases for each parameter set.
pub(crate) type Expected = (&'static str, &'static str, &'static [&'static str], usize);

/// Reads a whole file of the parameter sets. Panics if anything in it is not as expected.
pub(crate) fn read(text: &str, expected: &[Expected]) -> Vec<Record> {
    let sets = ["ML-KEM-512", "ML-KEM-768", "ML-KEM-1024"];
    let records = read_any(text, &sets, expected);
    for set in sets {
        for (function, _, _, count) in expected {
            let found = records.iter().filter(|r| r.set == set && r.function == *function).count();
            assert_eq!(found, *count, "cases of {function} for {set}");
        }
    }
    assert_eq!(
        records.len(),
        3 * expected.iter().map(|(_, _, _, count)| count).sum::<usize>(),
        "cases in all"
    );
    records
}

/// As [`read`], of these sets, and whatever the number of cases of each.
pub(crate) fn read_any(text: &str, sets: &[&str], expected: &[Expected]) -> Vec<Record> {
    let mut announced = None;
    let mut body = text;
    while let Some((line, rest)) = body.split_once('\n').filter(|(line, _)| line.starts_with('#')) {
        if let Some(count) = line.strip_prefix("# count: ") {
            assert!(announced.replace(count.parse::<usize>().expect("a number")).is_none(), "two counts");
        }
        body = rest;
    }
    let body = body.strip_prefix('\n').expect("an empty line after the comments");
    let body = body.strip_suffix('\n').expect("a line feed at the end");
    let records: Vec<Record> = body.split("\n\n").map(|block| record(block, sets, expected)).collect();

    for (i, record) in records.iter().enumerate() {
        assert_eq!(record.case, i + 1, "cases are numbered in order");
    }
    assert_eq!(announced, Some(records.len()), "the announced count");
    records
}

fn record(block: &str, sets: &[&str], expected: &[Expected]) -> Record {
    let mut lines = block.split('\n').map(|line| line.split_once(" = ").expect("`name = value`"));
    let mut next = |wanted: &str| {
        let (name, value) = lines.next().unwrap_or_else(|| panic!("{wanted} is missing in\n{block}"));
        assert_eq!(name, wanted, "an unexpected field in\n{block}");
        value.to_owned()
    };
    let (set, function, kind) = (next("set"), next("function"), next("type"));
    assert!(sets.contains(&&set[..]), "unknown parameter set {set}");
    let (_, expected_kind, names, _) = expected
        .iter()
        .find(|(name, ..)| *name == function)
        .unwrap_or_else(|| panic!("unknown function {function}"));
    assert_eq!(kind, *expected_kind, "the type of test of {function}");
    let case = next("tc").parse().expect("a number");
    let fields = names.iter().map(|name| (name.to_string(), next(name))).collect();
    assert_eq!(lines.next(), None, "an unexpected field in\n{block}");
    Record { set, function, case, fields }
}

impl Record {
    pub(crate) fn text(&self, name: &str) -> &str {
        let field = self.fields.iter().find(|(found, _)| found == name);
        field.map(|(_, value)| &value[..]).unwrap_or_else(|| panic!("no field {name} in {self}"))
    }

    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        let text = self.text(name);
        assert!(!text.bytes().any(|b| b.is_ascii_uppercase()), "hex is in lower case");
        hex::decode(text).unwrap_or_else(|e| panic!("{name} of {self}: {e}"))
    }

    pub(crate) fn array<const L: usize>(&self, name: &str) -> [u8; L] {
        self.bytes(name).try_into().unwrap_or_else(|_| panic!("the length of {name} of {self}"))
    }

    pub(crate) fn number(&self, name: &str) -> usize {
        self.text(name).parse().unwrap_or_else(|e| panic!("{name} of {self}: {e}"))
    }

    pub(crate) fn truth(&self, name: &str) -> bool {
        self.text(name).parse().unwrap_or_else(|e| panic!("{name} of {self}: {e}"))
    }
}

impl std::fmt::Display for Record {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "case {} ({} {})", self.case, self.set, self.function)
    }
}
