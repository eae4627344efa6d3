//! The order of the tables from which rows may go: parents first, the tables of a cycle together.

use crate::catalog::{Action, Graph, TableId};

/// Tables whose cascades form a cycle, or one table.
#[derive(Debug, Clone)]
pub struct Component {
    /// The tables.
    pub tables: Vec<TableId>,
    /// Whether a cascade leads from the component back into it.
    pub cyclic: bool,
}

/// The strongly connected components of the cascades, in topological order from the root.
pub(super) fn in_order(graph: &Graph, doomed: &[bool]) -> Vec<Component> {
    let cascades = |from: TableId, to: TableId| {
        graph.referring_to(from).any(|(_, key)| key.on_delete == Action::Cascade && key.table == to)
    };
    let reaches = closure(doomed, cascades);
    let mut components: Vec<Component> = Vec::new();
    let mut placed = vec![false; doomed.len()];
    for table in (0..doomed.len()).filter(|&table| doomed[table]) {
        if !placed[table] {
            let tables: Vec<TableId> = (0..doomed.len())
                .filter(|&other| other == table || (reaches[table][other] && reaches[other][table]))
                .collect();
            for &member in &tables {
                placed[member] = true;
            }
            components.push(Component { tables, cyclic: reaches[table][table] });
        }
    }
    components.sort_by_key(|component| rank(&reaches, component.tables[0]));
    components
}

/// The tables from which rows may go, those that refer before those referred to, whatever the rules.
pub(super) fn children_first(graph: &Graph, doomed: &[bool]) -> Vec<TableId> {
    let reaches = closure(doomed, |from, to| graph.referring_to(from).any(|(_, key)| key.table == to));
    let mut tables: Vec<TableId> = (0..doomed.len()).filter(|&table| doomed[table]).collect();
    tables.sort_by_key(|&table| std::cmp::Reverse(rank(&reaches, table)));
    tables
}

/// A table stands behind all that lead to it: it has more of them, itself counted, than any of them has.
fn rank(reaches: &[Vec<bool>], table: TableId) -> (usize, TableId) {
    ((0..reaches.len()).filter(|&other| other == table || reaches[other][table]).count(), table)
}

/// Tells of two tables from which rows may go whether they lie on one cycle of references, whatever the rules.
pub(super) fn on_common_cycle(graph: &Graph, doomed: &[bool]) -> impl Fn(TableId, TableId) -> bool {
    let reaches = closure(doomed, |from, to| graph.referring_to(from).any(|(_, key)| key.table == to));
    move |one, other| reaches[one][other] && reaches[other][one]
}

/// Which of the given tables lead to which, in one step or more.
fn closure(within: &[bool], leads: impl Fn(TableId, TableId) -> bool) -> Vec<Vec<bool>> {
    let count = within.len();
    let mut reaches: Vec<Vec<bool>> =
        (0..count).map(|from| (0..count).map(|to| within[from] && within[to] && leads(from, to)).collect()).collect();
    for middle in 0..count {
        for from in 0..count {
            if reaches[from][middle] {
                let further = reaches[middle].clone();
                reaches[from].iter_mut().zip(further).for_each(|(reached, too)| *reached |= too);
            }
        }
    }
    reaches
}
