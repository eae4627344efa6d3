//! The names by which a JWT's claim gives a role.

use crate::auth::role::Role;

/// The roles that the names in a claim stand for.
#[derive(Debug, Clone, Default)]
pub struct RoleNames(Vec<(String, Role)>);

impl RoleNames {
    /// Parses names such as `service_role=ADMIN`. Without any, the roles' own names are known, in any case; with some, only
    /// those are, exactly as written.
    ///
    /// # Errors
    /// The end of a sentence that says what is wrong, after the option's name.
    pub fn parse(texts: &[String]) -> Result<Self, String> {
        let read = |text: &String| {
            let (word, role) = text.rsplit_once('=')?;
            let role = Role::from_name(role.trim())?;
            Some((word.trim().to_owned(), role)).filter(|(word, _)| !word.is_empty())
        };
        let wrong = |text: &String| {
            format!(
                "is {text:?}; write WORD=ROLE, such as service_role=ADMIN, with one of the roles VIEWER, OPERATOR and \
                 ADMIN."
            )
        };
        texts.iter().map(|text| read(text).ok_or_else(|| wrong(text))).collect::<Result<_, _>>().map(Self)
    }

    /// Returns the role that a name stands for; the highest where several are configured for it.
    pub(super) fn role(&self, word: &str) -> Option<Role> {
        if self.0.is_empty() {
            return Role::from_name(word);
        }
        self.0.iter().filter(|(known, _)| known == word).map(|(_, role)| *role).max()
    }
}
