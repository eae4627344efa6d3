//! Tests that the table of deviations names existing files and tests.

use std::path::Path;

/// Returns whether a module path names a test file or a test in one.
fn is_test(folder: &Path, path: &str) -> bool {
    let file = folder.join(path.replace("::", "/")).with_extension("rs");
    let Some((module, test)) = path.rsplit_once("::") else { return false };
    let module = folder.join(module.replace("::", "/")).with_extension("rs");
    file.exists() || std::fs::read_to_string(module).is_ok_and(|text| text.contains(&format!("fn {test}(")))
}

/// Returns the names between backticks.
fn quoted_names(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

#[test]
fn the_table_of_deviations_names_files_and_tests_that_exist() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let tests = sources.join("../../tests");
    let table = std::fs::read_to_string(sources.join("conformance/README.md")).unwrap();
    let rows: Vec<Vec<&str>> = table
        .lines()
        .filter(|line| line.starts_with("| ") && line.contains("`upstream::"))
        .map(|line| line.trim_matches('|').split(" | ").collect())
        .collect();
    let mut named = Vec::new();
    for row in &rows {
        let [.., files, ours, upstream] = row.as_slice() else { panic!("{row:?}") };
        for file in quoted_names(files) {
            assert!(sources.join(file).exists(), "there is no file {file}");
        }
        for test in quoted_names(ours) {
            assert!(is_test(&tests, test), "there is no test {test}");
        }
        for test in quoted_names(upstream) {
            assert!(is_test(&tests.join("conformance"), test), "there is no test {test}");
            named.push(test.to_owned());
        }
    }
    for file in ["bounds", "execution", "http", "validation", "websocket"] {
        let source = std::fs::read_to_string(tests.join(format!("conformance/upstream/{file}.rs"))).unwrap();
        for test in source.split("#[tokio::test]\nasync fn ").skip(1) {
            let test = format!("upstream::{file}::{}", test.split('(').next().unwrap());
            assert!(named.contains(&test), "no row of api/src/conformance/README.md names {test}");
        }
    }
}
