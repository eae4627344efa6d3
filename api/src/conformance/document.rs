//! A document that has been parsed, bounded and validated.

use std::sync::Arc;

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::parse_query;
use async_graphql::parser::types::{ExecutableDocument, OperationDefinition, OperationType, VariableDefinition};
use async_graphql::{Positioned, Response, ServerError, Value, Variables};

use super::error::{BAD_USER_INPUT, error_with_code};
use super::limits::DocumentLimits;
use super::parse::document_size::{check_at_most, check_size};
use super::parse::introspection_limit::check_introspection;
use super::parse::token_scan::scan_tokens;
use super::parse::validation::{syntax_error, validate};
use super::response::field_order::sort_fields;
use super::response::null_propagation::propagate_nulls;
use super::response::selection_tree::SelectionTree;
use super::rewrite::empty_objects::{add_placeholders, strip_placeholders};
use super::rewrite::operation::find_operation;
use super::rewrite::typename_directives::wrap_typenames;
use super::schema_index::SchemaIndex;

/// The most brackets within brackets: async-graphql's parser recurses for each.
const MAX_BRACKETS: usize = 64;
/// The longest name, in bytes: the name of a field is repeated in the response for every row.
const MAX_NAME: usize = 200;

/// A parsed document within the limits on its size. Cloning it is cheap.
#[derive(Debug, Clone)]
pub struct Document(Arc<ParsedDocument>);

#[derive(Debug)]
struct ParsedDocument {
    schema: &'static SchemaIndex,
    ast: ExecutableDocument,
    /// The first rule of validation that the document breaks. Roles are checked before it is reported.
    invalid: Option<ServerError>,
    has_placeholders: bool,
}

impl Document {
    /// Parses the text of a document.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` where it is not GraphQL, `QUERY_TOO_COMPLEX` where it exceeds a limit.
    pub fn parse(query: &str, limits: &DocumentLimits, schema: &'static SchemaIndex) -> Result<Self, ServerError> {
        let scan = scan_tokens(query);
        check_at_most(scan.tokens, limits.tokens, |most| format!("The query has more than {most} tokens."))?;
        check_at_most(scan.brackets, MAX_BRACKETS, |most| {
            format!("The query nests brackets deeper than {most} levels.")
        })?;
        check_at_most(scan.longest_name, MAX_NAME, |most| {
            format!("The query has a name that is longer than {most} characters.")
        })?;
        let mut ast = parse_query(query).map_err(|error| syntax_error(error.positions().collect()))?;
        check_size(&ast, limits)?;
        check_introspection(&ast)?;
        let invalid = validate(query, schema).err();
        wrap_typenames(&mut ast);
        let has_placeholders = add_placeholders(&mut ast);
        Ok(Self(Arc::new(ParsedDocument { schema, ast, invalid, has_placeholders })))
    }

    /// Returns the name and the kind of the operation that `name` selects; none where it selects no single operation.
    #[must_use]
    pub fn operation(&self, name: Option<&str>) -> Option<(Option<&str>, OperationType)> {
        self.definition(name).map(|(name, operation)| (name, operation.node.ty))
    }

    /// Returns the name and the definition of the operation that `name` selects; none where it selects no single operation.
    pub(crate) fn definition(&self, name: Option<&str>) -> Option<(Option<&str>, &Positioned<OperationDefinition>)> {
        find_operation(&self.0.ast, name)
    }

    pub(crate) fn ast(&self) -> &ExecutableDocument {
        &self.0.ast
    }

    /// Returns whether the selected operation declares this variable.
    pub(crate) fn declares_variable(&self, operation: Option<&str>, variable: &str) -> bool {
        self.variable_definitions(operation).any(|definition| definition.name.node == variable)
    }

    fn variable_definitions(&self, operation: Option<&str>) -> impl Iterator<Item = &VariableDefinition> {
        let operation = self.definition(operation).map(|(_, operation)| operation);
        operation.into_iter().flat_map(|operation| &operation.node.variable_definitions).map(|variable| &variable.node)
    }

    /// Checks that the document obeys all validation rules.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for the first rule that the document violates.
    pub(crate) fn check_validity(&self) -> Result<(), ServerError> {
        self.0.invalid.clone().map_or(Ok(()), Err)
    }

    /// Checks that the values include one for every non-null variable without a default.
    ///
    /// # Errors
    /// `BAD_USER_INPUT`, for the first variable without a value.
    pub(crate) fn check_variables(&self, operation: Option<&str>, variables: &Variables) -> Result<(), ServerError> {
        for VariableDefinition { name, var_type, default_value, .. } in self.variable_definitions(operation) {
            let has_value = variables.get(&name.node).is_some_and(|value| *value != Value::Null);
            let takes_default = default_value.is_some() && !variables.contains_key(&name.node);
            if !(var_type.node.nullable || has_value || takes_default) {
                let message = format!("The variable ${} of type {} needs a value.", name.node, var_type.node);
                return Err(error_with_code(BAD_USER_INPUT, message));
            }
        }
        Ok(())
    }

    /// Corrects async-graphql's response to the selected operation: a field that failed is null, an object without fields is
    /// empty and not null, and fields are in the order of the query.
    pub fn repair_response(&self, operation: Option<&str>, response: &mut Response) {
        if response.data == Value::Null && response.errors.is_empty() {
            // Every field at the root was skipped.
            response.data = Value::Object(IndexMap::new());
        }
        let Some((_, operation)) = self.definition(operation) else { return };
        let tree = SelectionTree::from_sets(&[&operation.node.selection_set.node], &self.0.ast.fragments);
        if !response.errors.is_empty() {
            propagate_nulls(response, operation.node.ty, &tree, self.0.schema);
        }
        if self.0.has_placeholders {
            strip_placeholders(&mut response.data);
        }
        sort_fields(&mut response.data, &tree);
    }
}
