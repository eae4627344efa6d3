//! Tests that each link between the pages leads to an existing file and heading.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use super::markdown::Page;
use super::repository;

/// Folders that hold no pages of this repository.
const IGNORED_FOLDERS: [&str; 6] = [".git", ".venv", "dist", "node_modules", "target", "__pycache__"];

/// Returns the Markdown files below a folder, by their paths relative to it.
fn pages(root: &Path) -> BTreeMap<PathBuf, Page> {
    let mut pages = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && !IGNORED_FOLDERS.contains(&name.as_str()) {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                let page = Page::parse(&std::fs::read_to_string(&path).unwrap());
                pages.insert(path.strip_prefix(root).unwrap().to_owned(), page);
            }
        }
    }
    pages
}

/// Returns the broken links, each with its page.
fn broken_links(root: &Path) -> Vec<String> {
    let pages = pages(root);
    let mut broken = Vec::new();
    for (path, page) in &pages {
        for link in page.links.iter().filter(|link| is_relative(link)) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { path.clone() } else { normalize(&path.parent().unwrap().join(file)) };
            let has_anchor = || pages.get(&target).is_some_and(|page| page.anchors.iter().any(|name| name == anchor));
            if !root.join(&target).exists() {
                broken.push(format!("{}: {link}: there is no {}", path.display(), target.display()));
            } else if !anchor.is_empty() && !has_anchor() {
                broken.push(format!("{}: {link}: no heading has this anchor", path.display()));
            }
        }
    }
    broken
}

fn is_relative(link: &str) -> bool {
    !link.contains("://") && !link.starts_with("mailto:")
}

/// Returns a path without `.` and `..`.
fn normalize(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                assert!(normal.pop(), "{} leads out of the repository", path.display());
            }
            Component::CurDir => {}
            other => normal.push(other),
        }
    }
    normal
}

#[test]
fn every_link_leads_to_a_file_and_a_heading() {
    assert!(pages(&repository()).len() > 40);
    assert_eq!(broken_links(&repository()), Vec::<String>::new());
}

#[test]
fn the_summary_lists_every_page_of_the_documentation() {
    let docs = repository().join("docs");
    let mut pages = pages(&docs);
    let summary = pages.remove(Path::new("SUMMARY.md")).unwrap();
    let listed: BTreeSet<PathBuf> = summary.links.iter().map(PathBuf::from).collect();
    assert_eq!(listed.len(), summary.links.len(), "a page is listed twice");
    assert_eq!(listed, pages.into_keys().collect());
}

#[test]
fn a_broken_link_and_a_broken_anchor_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    std::fs::create_dir(folder.path().join("docs")).unwrap();
    write("README.md", "[a](docs/a.md#one), [b](docs/b.md), [c](docs/a.md#two), [d](https://example.com/x.md)\n");
    write("docs/a.md", "# One\n\n[up](../README.md), [here](#one), [there](#three), [out](../no.png)\n");
    assert_eq!(
        broken_links(folder.path()),
        [
            "README.md: docs/b.md: there is no docs/b.md",
            "README.md: docs/a.md#two: no heading has this anchor",
            "docs/a.md: #three: no heading has this anchor",
            "docs/a.md: ../no.png: there is no no.png",
        ]
    );
}
