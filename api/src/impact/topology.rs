//! The order of the tables whose rows are deleted: parents first, and the tables of a cycle together.

use crate::catalog::{Action, ForeignKeyGraph, TableId};

/// Tables whose cascades form a cycle, or one table.
#[derive(Debug, Clone)]
pub struct Component {
    /// The tables.
    pub tables: Vec<TableId>,
    /// Whether a cascade leads from the component back into it.
    pub cyclic: bool,
}

/// Returns the strongly connected components of the cascades, in topological order from the root. `deletes_from` says
/// of each table whether rows of it may be deleted.
pub(super) fn topological_order(graph: &ForeignKeyGraph, deletes_from: &[bool]) -> Vec<Component> {
    let cascades = |from: TableId, to: TableId| {
        graph.referring_to(from).any(|(_, key)| key.on_delete == Action::Cascade && key.table == to)
    };
    let reaches = transitive_closure(deletes_from, cascades);
    let mut components: Vec<Component> = Vec::new();
    let mut placed = vec![false; deletes_from.len()];
    for table in (0..deletes_from.len()).filter(|&table| deletes_from[table]) {
        if !placed[table] {
            let tables: Vec<TableId> = (0..deletes_from.len())
                .filter(|&other| other == table || (reaches[table][other] && reaches[other][table]))
                .collect();
            for &member in &tables {
                placed[member] = true;
            }
            components.push(Component { tables, cyclic: reaches[table][table] });
        }
    }
    components.sort_by_key(|component| ancestor_count(&reaches, component.tables[0]));
    components
}

/// Returns the tables whose rows may be deleted, those that refer before those referred to, whatever the rules.
pub(super) fn children_first(graph: &ForeignKeyGraph, deletes_from: &[bool]) -> Vec<TableId> {
    let reaches = transitive_closure(deletes_from, |from, to| graph.referring_to(from).any(|(_, key)| key.table == to));
    let mut tables: Vec<TableId> = (0..deletes_from.len()).filter(|&table| deletes_from[table]).collect();
    tables.sort_by_key(|&table| std::cmp::Reverse(ancestor_count(&reaches, table)));
    tables
}

/// Returns how many tables lead to a table, itself counted: more than lead to any of its ancestors, so that sorting by
/// it places a table behind them. The table's number breaks ties.
fn ancestor_count(reaches: &[Vec<bool>], table: TableId) -> (usize, TableId) {
    ((0..reaches.len()).filter(|&other| other == table || reaches[other][table]).count(), table)
}

/// Returns a predicate over two tables whose rows may be deleted: they lie on one cycle of references, whatever the
/// rules.
pub(super) fn on_common_cycle(graph: &ForeignKeyGraph, deletes_from: &[bool]) -> impl Fn(TableId, TableId) -> bool {
    let reaches = transitive_closure(deletes_from, |from, to| graph.referring_to(from).any(|(_, key)| key.table == to));
    move |one, other| reaches[one][other] && reaches[other][one]
}

/// Returns which of the given tables lead to which, in one step or more.
fn transitive_closure(within: &[bool], leads: impl Fn(TableId, TableId) -> bool) -> Vec<Vec<bool>> {
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
