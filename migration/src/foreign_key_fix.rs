//! The foreign-key fixes that migrations apply.

/// A foreign key's ON DELETE or ON UPDATE action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReferentialAction {
    NoAction,
    Restrict,
    Cascade,
    SetNull,
    SetDefault,
}

impl ReferentialAction {
    /// Returns the action's SQL, which is the same on both databases.
    pub(crate) const fn as_sql(self) -> &'static str {
        match self {
            Self::NoAction => "NO ACTION",
            Self::Restrict => "RESTRICT",
            Self::Cascade => "CASCADE",
            Self::SetNull => "SET NULL",
            Self::SetDefault => "SET DEFAULT",
        }
    }

    /// Converts an action from the catalog's representation: a letter on PostgreSQL, SQL on SQLite.
    pub(crate) fn from_catalog(text: &str) -> Self {
        match text {
            "r" | "RESTRICT" => Self::Restrict,
            "c" | "CASCADE" => Self::Cascade,
            "n" | "SET NULL" => Self::SetNull,
            "d" | "SET DEFAULT" => Self::SetDefault,
            _ => Self::NoAction,
        }
    }
}

/// A referring column, and the ON DELETE action that a migration sets on its foreign key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ForeignKeyFix {
    pub(crate) table: &'static str,
    pub(crate) column: &'static str,
    /// The referenced table. If the migration creates the foreign key, it references the column `id`.
    pub(crate) referenced_table: &'static str,
    /// The action that this migration sets.
    pub(crate) action: ReferentialAction,
    /// The action that the last migration sets. A foreign key that already has this action is not changed.
    pub(crate) final_action: ReferentialAction,
}

impl ForeignKeyFix {
    /// Returns the action to set, given the actions of the column's existing foreign keys.
    ///
    /// A column may have several foreign keys if a manual repair was not completed. If one of them has the final
    /// action, that action is returned.
    pub(crate) fn target_action(&self, existing: &[ReferentialAction]) -> ReferentialAction {
        if existing.contains(&self.final_action) { self.final_action } else { self.action }
    }
}

#[cfg(test)]
mod tests {
    use super::{ForeignKeyFix, ReferentialAction};

    const FIX: ForeignKeyFix = ForeignKeyFix {
        table: "notification_campaign_groups",
        column: "group_id",
        referenced_table: "whatsapp_groups",
        action: ReferentialAction::SetNull,
        final_action: ReferentialAction::Cascade,
    };

    #[test]
    fn a_rule_that_is_already_the_goal_is_never_taken_back() {
        assert_eq!(FIX.target_action(&[ReferentialAction::Cascade]), ReferentialAction::Cascade);
        let actions = [ReferentialAction::NoAction, ReferentialAction::Cascade];
        assert_eq!(FIX.target_action(&actions), ReferentialAction::Cascade);
    }

    #[test]
    fn any_other_rule_becomes_the_migrations() {
        for existing in [
            ReferentialAction::NoAction,
            ReferentialAction::Restrict,
            ReferentialAction::SetNull,
            ReferentialAction::SetDefault,
        ] {
            assert_eq!(FIX.target_action(&[existing]), ReferentialAction::SetNull);
        }
        assert_eq!(FIX.target_action(&[]), ReferentialAction::SetNull);
    }
}
