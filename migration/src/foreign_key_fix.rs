//! Rules of deletion, and the changes of rules that a migration asks for.

/// What a foreign key does when the row that it references is deleted (or, for ON UPDATE, renamed).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    NoAction,
    Restrict,
    Cascade,
    SetNull,
    SetDefault,
}

impl Rule {
    /// The rule's words in SQL, the same in both databases.
    pub(crate) const fn sql(self) -> &'static str {
        match self {
            Self::NoAction => "NO ACTION",
            Self::Restrict => "RESTRICT",
            Self::Cascade => "CASCADE",
            Self::SetNull => "SET NULL",
            Self::SetDefault => "SET DEFAULT",
        }
    }

    /// The rule that a catalogue means: PostgreSQL's letter, or SQLite's words.
    pub(crate) fn from_catalogue(word: &str) -> Self {
        match word {
            "r" | "RESTRICT" => Self::Restrict,
            "c" | "CASCADE" => Self::Cascade,
            "n" | "SET NULL" => Self::SetNull,
            "d" | "SET DEFAULT" => Self::SetDefault,
            _ => Self::NoAction,
        }
    }
}

/// A reference, and the rule that a migration wants it to have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Change {
    pub(crate) table: &'static str,
    pub(crate) column: &'static str,
    /// The referenced table. The referenced column of a reference that has to be made is `id`.
    pub(crate) parent: &'static str,
    /// The rule that this migration gives.
    pub(crate) rule: Rule,
    /// The rule that history ends with. A reference that has it already is never taken back to an earlier one.
    pub(crate) goal: Rule,
}

impl Change {
    /// The rule that the reference is to have, given the rules of the foreign keys that it has now.
    ///
    /// A half-done change may have left two of them; if either is right already, the other one goes.
    pub(crate) fn target(&self, now: &[Rule]) -> Rule {
        if now.contains(&self.goal) { self.goal } else { self.rule }
    }
}

#[cfg(test)]
mod tests {
    use super::{Change, Rule};

    const CHANGE: Change = Change {
        table: "notification_campaign_groups",
        column: "group_id",
        parent: "whatsapp_groups",
        rule: Rule::SetNull,
        goal: Rule::Cascade,
    };

    #[test]
    fn a_rule_that_is_already_the_goal_is_never_taken_back() {
        assert_eq!(CHANGE.target(&[Rule::Cascade]), Rule::Cascade);
        assert_eq!(CHANGE.target(&[Rule::NoAction, Rule::Cascade]), Rule::Cascade);
    }

    #[test]
    fn any_other_rule_becomes_the_migrations() {
        for now in [Rule::NoAction, Rule::Restrict, Rule::SetNull, Rule::SetDefault] {
            assert_eq!(CHANGE.target(&[now]), Rule::SetNull);
        }
        assert_eq!(CHANGE.target(&[]), Rule::SetNull);
    }
}
