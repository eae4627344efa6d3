//! [`Page`], the links and anchors of a Markdown page, read by a real parser.

use std::collections::HashMap;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

/// The links and anchors of a Markdown page.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Page {
    /// The targets of its links and images, in the order of the page.
    pub(super) links: Vec<String>,
    /// The anchors that GitHub gives the headings.
    pub(super) anchors: Vec<String>,
}

impl Page {
    /// Parses a page.
    pub(super) fn parse(text: &str) -> Self {
        let (mut page, mut heading, mut seen) = (Self::default(), None::<String>, HashMap::new());
        for event in Parser::new_ext(text, Options::ENABLE_TABLES | Options::ENABLE_FOOTNOTES) {
            match event {
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    page.links.push(dest_url.into_string());
                }
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::End(TagEnd::Heading(_)) => {
                    let slug = slug(&heading.take().unwrap_or_default());
                    let count: &mut usize = seen.entry(slug.clone()).or_default();
                    page.anchors.push(if *count == 0 { slug } else { format!("{slug}-{count}") });
                    *count += 1;
                }
                Event::Text(text) | Event::Code(text) => {
                    if let Some(heading) = &mut heading {
                        heading.push_str(&text);
                    }
                }
                _ => {}
            }
        }
        page
    }
}

/// Returns the anchor that GitHub gives a heading: small letters, digits, hyphens and underscores, with hyphens for
/// spaces.
fn slug(heading: &str) -> String {
    let letters = heading.trim().chars().flat_map(char::to_lowercase);
    let letters = letters.filter(|letter| letter.is_alphanumeric() || [' ', '-', '_'].contains(letter));
    letters.map(|letter| if letter == ' ' { '-' } else { letter }).collect()
}

#[test]
fn links_and_anchors_are_those_that_a_reader_sees() {
    let page = Page::parse(
        "# What `migrate` changes\n\n## Deploy\n\n## Deploy\n\n### API's _limits_, and 2 more\n\n\
         [a](b.md#c), ![i](i.png), [ref], `[no](code.md)`\n\n```text\n[no](block.md)\n# no heading\n```\n\n\
         | a |\n|---|\n| [cell](d.md) |\n\n[ref]: e.md\n",
    );
    assert_eq!(page.links, ["b.md#c", "i.png", "e.md", "d.md"]);
    assert_eq!(page.anchors, ["what-migrate-changes", "deploy", "deploy-1", "apis-limits-and-2-more"]);
}
