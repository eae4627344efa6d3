//! The mapping from the names in a JWT claim to roles.

use crate::auth::role::Role;

/// A mapping from the names in a JWT claim to roles.
#[derive(Debug, Clone, Default)]
pub struct RoleNames(Vec<(String, Role)>);

impl RoleNames {
    /// Parses mappings such as `service_role=ADMIN`.
    ///
    /// Without mappings, the names of the roles themselves are accepted in any letter case. With mappings, only the
    /// mapped names are accepted, exactly as written.
    ///
    /// # Errors
    /// Returns the rest of an error message that begins with the name of the option.
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

    /// Returns the role that a name is mapped to, or the highest role if it is mapped to several.
    pub(super) fn role(&self, word: &str) -> Option<Role> {
        if self.0.is_empty() {
            return Role::from_name(word);
        }
        self.0.iter().filter(|(known, _)| known == word).map(|(_, role)| *role).max()
    }
}
