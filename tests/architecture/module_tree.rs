//! [`ModuleTree`], the modules of `api/src` with their files, imports and re-exports.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use syn::visit::Visit;
use syn::{ItemMod, ItemUse, Path as RustPath, UseTree, Visibility};

/// A path within the crate, such as `["db", "dialect", "quote"]`.
pub type CratePath = Vec<String>;

/// The maximum length of a chain of re-exports that is followed.
const LONGEST_CHAIN: usize = 8;

/// One source file.
pub struct SourceFile {
    /// The path of the file below the crate's `src`.
    pub name: String,
    pub text: String,
    /// The paths within the crate that the file's code names, before re-exports are followed.
    pub mentions: Vec<CratePath>,
}

/// The module tree of the crate `api`, parsed once for all tests.
pub static API: LazyLock<ModuleTree> =
    LazyLock::new(|| ModuleTree::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")));

/// The files of a crate, by the path of their module.
pub struct ModuleTree {
    pub files: HashMap<CratePath, SourceFile>,
    /// The original path of each name that `pub use` re-exports.
    reexports: HashMap<CratePath, CratePath>,
}

impl ModuleTree {
    /// Reads and parses every file below `root`.
    pub fn read(root: &Path) -> Self {
        let mut tree = Self { files: HashMap::new(), reexports: HashMap::new() };
        let paths = source_files(root);
        let modules: Vec<CratePath> = paths.iter().map(|path| module_of(path.strip_prefix(root).unwrap())).collect();
        for (path, module) in paths.iter().zip(&modules) {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            let text = std::fs::read_to_string(path).unwrap();
            let parsed = syn::parse_file(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
            let mut reader = Reader { modules: &modules, scope: module.clone(), found: Found::default() };
            reader.visit_file(&parsed);
            let Found { mentions, reexports, .. } = reader.found;
            tree.reexports.extend(reexports);
            tree.files.insert(module.clone(), SourceFile { name, text, mentions });
        }
        tree
    }

    /// Returns the names of the files that a file's code uses. A `mod.rs` that only re-exports uses nothing.
    pub fn uses(&self, module: &CratePath) -> Vec<&str> {
        let file = &self.files[module];
        let mut used: Vec<&str> = file
            .mentions
            .iter()
            .filter_map(|path| self.defining_file(path))
            .filter(|used| *used != file.name)
            .collect();
        used.sort_unstable();
        used.dedup();
        used
    }

    /// Returns the file that defines the item of a path, after following re-exports.
    fn defining_file(&self, path: &CratePath) -> Option<&str> {
        let mut path = path.clone();
        for _ in 0..LONGEST_CHAIN {
            let followed = (1..=path.len()).rev().find_map(|length| {
                let target = self.reexports.get(&path[..length])?;
                Some([target, &path[length..]].concat())
            });
            match followed {
                Some(target) if target != path => path = target,
                _ => break,
            }
        }
        (1..=path.len()).rev().find_map(|length| self.files.get(&path[..length])).map(|file| file.name.as_str())
    }
}

/// Returns the Rust files below a folder.
pub fn source_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(source_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// Returns the module path of a file, from its path below `src`.
fn module_of(file: &Path) -> CratePath {
    let mut module: CratePath = file.with_extension("").iter().map(|part| part.to_str().unwrap().to_owned()).collect();
    if matches!(module.last().map(String::as_str), Some("mod" | "lib")) {
        module.pop();
    }
    module
}

#[derive(Default)]
struct Found {
    mentions: Vec<CratePath>,
    reexports: Vec<(CratePath, CratePath)>,
    /// The full path of each name that the file imports.
    imports: HashMap<String, CratePath>,
}

/// A syntax visitor that collects the paths of one file.
struct Reader<'a> {
    modules: &'a [CratePath],
    /// The module of the code being read. An inline module is deeper than its file's module.
    scope: CratePath,
    found: Found,
}

impl Reader<'_> {
    /// Returns the full path within the crate, or `None` if the path begins with another crate or a local name.
    fn resolve(&self, path: &[String]) -> Option<CratePath> {
        let (first, rest) = path.split_first()?;
        let base = match first.as_str() {
            "crate" => Vec::new(),
            "self" => self.scope.clone(),
            "super" => {
                let ups = path.iter().take_while(|part| *part == "super").count();
                let base = &self.scope[..self.scope.len().saturating_sub(ups)];
                return Some([base, &path[ups..]].concat());
            }
            name => {
                if let Some(target) = self.found.imports.get(name) {
                    target.clone()
                } else {
                    let child = [&self.scope[..], &[name.to_owned()]].concat();
                    self.modules.contains(&child).then_some(child)?
                }
            }
        };
        Some([&base[..], rest].concat())
    }

    fn read_use(&mut self, tree: &UseTree, prefix: &[String], public: bool) {
        let with = |name: &dyn ToString| [prefix, &[name.to_string()]].concat();
        match tree {
            UseTree::Path(path) => self.read_use(&path.tree, &with(&path.ident), public),
            UseTree::Group(group) => group.items.iter().for_each(|item| self.read_use(item, prefix, public)),
            UseTree::Glob(_) => self.mention(prefix),
            UseTree::Name(name) if name.ident == "self" => self.import(prefix, prefix.last().cloned(), public),
            UseTree::Name(name) => self.import(&with(&name.ident), Some(name.ident.to_string()), public),
            UseTree::Rename(rename) => self.import(&with(&rename.ident), Some(rename.rename.to_string()), public),
        }
    }

    fn import(&mut self, path: &[String], name: Option<String>, public: bool) {
        let (Some(target), Some(name)) = (self.resolve(path), name) else { return };
        if public {
            self.found.reexports.push(([&self.scope[..], std::slice::from_ref(&name)].concat(), target.clone()));
        } else {
            self.found.mentions.push(target.clone());
        }
        self.found.imports.insert(name, target);
    }

    fn mention(&mut self, path: &[String]) {
        if let Some(target) = self.resolve(path) {
            self.found.mentions.push(target);
        }
    }
}

impl Visit<'_> for Reader<'_> {
    fn visit_item_use(&mut self, item: &ItemUse) {
        self.read_use(&item.tree, &[], !matches!(item.vis, Visibility::Inherited));
    }

    fn visit_item_mod(&mut self, item: &ItemMod) {
        self.scope.push(item.ident.to_string());
        syn::visit::visit_item_mod(self, item);
        self.scope.pop();
    }

    fn visit_path(&mut self, path: &RustPath) {
        let parts: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        // A single name is either local or imported, and imports are collected from `use`.
        if parts.len() > 1 {
            self.mention(&parts);
        }
        syn::visit::visit_path(self, path);
    }
}
