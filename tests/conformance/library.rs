//! A GraphQL schema of books without a database, for tests of GraphQL's rules.

#![expect(clippy::unused_async, reason = "async-graphql wants async resolvers")]

use std::sync::Mutex;

use api::error::Error;
use async_graphql::{
    Context, Enum, ID, InputObject, Interface, Object, Result, SchemaBuilder, SimpleObject, Subscription,
};
use futures_util::{Stream, stream};

pub type Schema = async_graphql::Schema<Query, Mutation, Changes>;

/// The ids of the books. The first eight are on the shelf, and the last one is lent.
pub const BOOKS: [&str; 9] = ["b0", "b1", "b2", "b3", "b4", "b5", "b6", "b7", "b8"];

pub fn builder() -> SchemaBuilder<Query, Mutation, Changes> {
    Schema::build(Query, Mutation, Changes).register_output_type::<Node>().disable_suggestions()
}

/// The data of the schema, with fields that can be made to fail.
#[derive(Debug)]
pub struct Shelf {
    pub(super) books: Mutex<Vec<&'static str>>,
    /// Whether `Book.loan`, which is nullable, fails.
    pub broken_loans: bool,
    /// The books whose `author`, which is non-null, fails.
    pub broken_authors: &'static [&'static str],
    /// Whether `BookList.nodes`, which is non-null, fails.
    pub broken_lists: bool,
}

impl Default for Shelf {
    fn default() -> Self {
        Self { books: Mutex::new(BOOKS.to_vec()), broken_loans: false, broken_authors: &[], broken_lists: false }
    }
}

impl Shelf {
    pub fn count(&self) -> usize {
        self.books.lock().unwrap().len()
    }

    fn books(&self) -> Vec<Book> {
        self.books.lock().unwrap().iter().map(|id| Book { id }).collect()
    }
}

trait ContextExt {
    fn shelf(&self) -> &Shelf;
}

impl ContextExt for Context<'_> {
    fn shelf(&self) -> &Shelf {
        self.data_unchecked::<std::sync::Arc<Shelf>>()
    }
}

fn broken(what: &str) -> async_graphql::Error {
    Error::IncompatibleDatabase(format!("{what} is broken.")).into()
}

/// What has an id.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "ID"))]
pub enum Node {
    Book(Book),
    Author(Author),
    Loan(Loan),
}

#[derive(Debug, Clone, Copy)]
pub struct Book {
    id: &'static str,
}

#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Genre {
    Novel,
    Essay,
}

#[Object]
impl Book {
    pub async fn id(&self) -> ID {
        self.id.into()
    }

    async fn name(&self) -> String {
        format!("Book {}", self.id)
    }

    async fn genre(&self) -> Genre {
        Genre::Novel
    }

    async fn author(&self, ctx: &Context<'_>) -> Result<Author> {
        if ctx.shelf().broken_authors.contains(&self.id) {
            Err(broken("The author"))
        } else {
            Ok(Author { of: self.id })
        }
    }

    async fn loan(&self, ctx: &Context<'_>) -> Result<Option<Loan>> {
        // Yielding makes this field complete after those that do not wait.
        tokio::task::yield_now().await;
        if ctx.shelf().broken_loans { Err(broken("The loan")) } else { Ok(Some(Loan { book: self.id })) }
    }
}

#[derive(Debug, Clone, Copy)]
pub struct Author {
    of: &'static str,
}

#[Object]
impl Author {
    pub async fn id(&self) -> ID {
        format!("author of {}", self.of).into()
    }

    async fn name(&self) -> &str {
        "Somebody"
    }

    async fn books(&self, first: Option<i32>) -> BookList {
        BookList { books: vec![Book { id: self.of }; usize::try_from(first.unwrap_or(1)).unwrap()] }
    }
}

#[derive(Debug, Clone, Copy)]
pub struct Loan {
    book: &'static str,
}

#[Object]
impl Loan {
    pub async fn id(&self) -> ID {
        format!("loan of {}", self.book).into()
    }

    async fn days(&self) -> i32 {
        14
    }

    async fn author(&self) -> Author {
        Author { of: self.book }
    }
}

#[derive(Debug)]
pub struct BookList {
    books: Vec<Book>,
}

#[derive(Debug, SimpleObject)]
pub struct Edge {
    cursor: String,
    node: Book,
}

#[derive(Debug, SimpleObject)]
pub struct PageInfo {
    has_next_page: bool,
}

#[Object]
impl BookList {
    async fn nodes(&self, ctx: &Context<'_>) -> Result<&[Book]> {
        if ctx.shelf().broken_lists { Err(broken("The list")) } else { Ok(&self.books) }
    }

    async fn edges(&self) -> Vec<Edge> {
        self.books.iter().map(|book| Edge { cursor: book.id.to_owned(), node: *book }).collect()
    }

    async fn page_info(&self) -> PageInfo {
        PageInfo { has_next_page: false }
    }

    async fn total_count(&self) -> usize {
        tokio::task::yield_now().await;
        self.books.len()
    }
}

#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Admin,
}

#[derive(Debug, SimpleObject)]
pub struct Viewer {
    name: &'static str,
    role: Role,
}

#[derive(Debug, SimpleObject)]
pub struct Price {
    token: String,
}

#[derive(Debug, SimpleObject)]
pub struct Stock {
    book_count: usize,
}

#[derive(Debug, Default, InputObject)]
pub struct BookFilter {
    search: Option<String>,
    genres: Option<Vec<Genre>>,
}

#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum BookOrderField {
    Name,
}

#[derive(Debug, InputObject)]
pub struct BookOrder {
    #[graphql(default_with = "BookOrderField::Name")]
    field: BookOrderField,
}

/// A null `lent` means either; left out, it is false.
#[derive(Debug, InputObject)]
pub struct StockFilter {
    #[graphql(default_with = "Some(false)")]
    lent: Option<bool>,
    genres: Option<Vec<Genre>>,
}

impl StockFilter {
    fn has(&self, book: &Book) -> bool {
        let is_lent = book.id == BOOKS[8];
        self.lent.is_none_or(|lent| lent == is_lent) && self.genres.as_ref().is_none_or(|genres| !genres.is_empty())
    }
}

pub struct Query;

#[Object]
impl Query {
    async fn viewer(&self) -> Viewer {
        Viewer { name: "tester", role: Role::Admin }
    }

    async fn node(&self, ctx: &Context<'_>, id: ID) -> Option<Node> {
        ctx.shelf().books().into_iter().find(|book| book.id == *id).map(Node::Book)
    }

    async fn book(&self, ctx: &Context<'_>, id: ID) -> Result<Option<Book>> {
        if !id.starts_with('b') {
            return Err(Error::BadInput(format!("{:?} is not an id.", id.as_str())).into());
        }
        Ok(ctx.shelf().books().into_iter().find(|book| book.id == *id))
    }

    async fn books(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        filter: Option<BookFilter>,
        order_by: Option<BookOrder>,
    ) -> Result<BookList> {
        let most = usize::try_from(first.unwrap_or(20)).ok().filter(|most| *most <= 100);
        let most = most.ok_or_else(|| Error::BadInput("first is too large.".to_owned()))?;
        let BookFilter { search, genres } = filter.unwrap_or_default();
        assert!(order_by.is_none_or(|order| order.field == BookOrderField::Name));
        let found = |book: &Book| {
            search.as_ref().is_none_or(|text| book.id.contains(text.as_str()))
                && genres.as_ref().is_none_or(|genres| genres.contains(&Genre::Novel))
        };
        Ok(BookList { books: ctx.shelf().books().into_iter().filter(found).take(most).collect() })
    }

    async fn price(&self, ids: Vec<ID>) -> Price {
        Price { token: ids.len().to_string() }
    }

    async fn stock(&self, ctx: &Context<'_>, filter: Option<StockFilter>) -> Stock {
        let filter = filter.unwrap_or(StockFilter { lent: Some(false), genres: None });
        Stock { book_count: ctx.shelf().books().iter().filter(|book| filter.has(book)).count() }
    }
}

#[derive(Debug, InputObject)]
pub struct DeleteBookInput {
    id: ID,
    #[graphql(default = false)]
    dry_run: bool,
}

#[derive(Debug, InputObject)]
pub struct ClearStockInput {
    #[graphql(default = true)]
    dry_run: bool,
    filter: Option<StockFilter>,
}

#[derive(Debug, SimpleObject)]
pub struct UserError {
    code: String,
}

#[derive(Debug, SimpleObject)]
pub struct Payload {
    book: Option<Book>,
    user_errors: Vec<UserError>,
}

pub struct Mutation;

#[Object]
impl Mutation {
    async fn delete_book(&self, ctx: &Context<'_>, input: DeleteBookInput) -> Result<Payload> {
        let book = ctx.shelf().books().into_iter().find(|book| book.id == *input.id);
        let book = book.ok_or_else(|| Error::BadInput("There is no such book.".to_owned()))?;
        if !input.dry_run {
            ctx.shelf().books.lock().unwrap().retain(|id| *id != book.id);
        }
        Ok(Payload { book: Some(book), user_errors: Vec::new() })
    }

    async fn clear_stock(&self, ctx: &Context<'_>, input: ClearStockInput) -> Payload {
        if !input.dry_run {
            let filter = input.filter.unwrap_or(StockFilter { lent: Some(false), genres: None });
            ctx.shelf().books.lock().unwrap().retain(|id| !filter.has(&Book { id }));
        }
        Payload { book: None, user_errors: Vec::new() }
    }
}

pub struct Changes;

#[Subscription]
impl Changes {
    /// The list as it is now.
    async fn books(&self, ctx: &Context<'_>) -> impl Stream<Item = BookList> + use<> {
        stream::iter([BookList { books: ctx.shelf().books() }])
    }
}
