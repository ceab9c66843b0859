//! Markdown of the knowledge as HTML.
//!
//! The knowledge may be written by curators and carries values of pastes, so nothing in it is
//! trusted: raw HTML becomes text, links lead to web addresses and own pages only.

use std::fmt;

use askama::filters::HtmlSafe;
use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

/// HTML that was made here and needs no escaping. Only this folder makes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Html(pub(super) String);

impl fmt::Display for Html {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl HtmlSafe for Html {}

/// Adds a text to HTML, for elements and for quoted attributes alike.
pub(super) fn escape_into(html: &mut String, text: &str) {
    for letter in text.chars() {
        match letter {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&#34;"),
            '\'' => html.push_str("&#39;"),
            _ => html.push(letter),
        }
    }
}

/// The text as HTML.
pub(super) fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len() + text.len() / 8);
    escape_into(&mut html, text);
    html
}

/// Whether a link may lead there: a web address or a page of this service.
pub(super) fn is_safe_address(address: &str) -> bool {
    let lower = address.to_ascii_lowercase();
    let is_web = lower.starts_with("https://") || lower.starts_with("http://");
    let is_own =
        (address.starts_with('/') && !address.starts_with("//")) || address.starts_with('#');
    (is_web || is_own)
        && !address
            .chars()
            .any(|letter| letter == '\\' || letter.is_control() || letter.is_whitespace())
}

/// Renders Markdown. Headings come out below the second level.
pub(super) fn render(markdown: &str) -> Html {
    let mut links = Vec::new();
    let mut shown = Vec::new();
    for event in Parser::new_ext(markdown, Options::ENABLE_TABLES) {
        match event {
            Event::Html(raw) | Event::InlineHtml(raw) => shown.push(Event::Text(raw)),
            Event::Start(Tag::HtmlBlock) => shown.push(Event::Start(Tag::Paragraph)),
            Event::End(TagEnd::HtmlBlock) => shown.push(Event::End(TagEnd::Paragraph)),
            Event::Start(Tag::Link { dest_url, .. }) => {
                let open = opening(&dest_url);
                links.push(open.is_some());
                shown.extend(open.map(|html| Event::InlineHtml(html.into())));
            }
            Event::End(TagEnd::Link) => {
                if links.pop() == Some(true) {
                    shown.push(Event::InlineHtml("</a>".into()));
                }
            }
            // An image's text stays, the image does not.
            Event::Start(Tag::Image { .. }) | Event::End(TagEnd::Image) => {}
            Event::Start(Tag::Heading { level, .. }) => shown.push(Event::Start(Tag::Heading {
                level: level.max(HeadingLevel::H3),
                id: None,
                classes: Vec::new(),
                attrs: Vec::new(),
            })),
            Event::End(TagEnd::Heading(level)) => {
                shown.push(Event::End(TagEnd::Heading(level.max(HeadingLevel::H3))));
            }
            Event::Start(Tag::CodeBlock(_)) => {
                shown.push(Event::Html(
                    "<div class=\"code\"><pre tabindex=\"0\"><code>".into(),
                ));
            }
            Event::End(TagEnd::CodeBlock) => {
                shown.push(Event::Html("</code></pre></div>\n".into()));
            }
            Event::Start(Tag::Table(columns)) => {
                shown.push(Event::Html("<div class=\"scroll\" tabindex=\"0\">".into()));
                shown.push(Event::Start(Tag::Table(vec![
                    // Alignment would be an inline style.
                    pulldown_cmark::Alignment::None;
                    columns.len()
                ])));
            }
            Event::End(TagEnd::Table) => {
                shown.push(Event::End(TagEnd::Table));
                shown.push(Event::Html("</div>\n".into()));
            }
            other => shown.push(other),
        }
    }
    let mut out = String::with_capacity(markdown.len() * 2);
    html::push_html(&mut out, shown.into_iter());
    Html(out)
}

/// The start of a link, if it may lead there.
fn opening(address: &str) -> Option<String> {
    if !is_safe_address(address) {
        return None;
    }
    let foreign = if address.starts_with(['/', '#']) {
        ""
    } else {
        " rel=\"noreferrer\""
    };
    Some(format!("<a href=\"{}\"{foreign}>", escaped(address)))
}

/// The words of a piece of Markdown.
pub(super) fn plain(markdown: &str) -> String {
    let mut out = String::with_capacity(markdown.len());
    for event in Parser::new(markdown) {
        match event {
            Event::Text(text) | Event::Code(text) | Event::Html(text) | Event::InlineHtml(text) => {
                out.push_str(&text);
            }
            Event::SoftBreak | Event::HardBreak | Event::End(TagEnd::Paragraph | TagEnd::Item) => {
                out.push(' ');
            }
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html(markdown: &str) -> String {
        render(markdown).0
    }

    #[test]
    fn nothing_of_a_text_becomes_live() {
        let attacks = [
            "<script>alert(1)</script>",
            "<img src=x onerror=alert(1)>",
            "a <b onclick='x'>b</b>",
            "<div>\n\n**x**\n\n</div>",
            "[x](javascript:alert(1))",
            "[x](JaVaScRiPt:alert(1))",
            "[x](data:text/html,<script>alert(1)</script>)",
            "[x](//evil.example)",
            "[x](/\\evil.example)",
            "[x](\x01javascript:alert(1))",
            "<javascript:alert(1)>",
            "![x](javascript:alert(1))",
            "![x\" onerror=\"y](https://a.example/x.png)",
            "[x](https://a.example/\"onmouseover=\"alert(1))",
            "[x]: javascript:alert(1)\n\n[x]",
            "`<script>`",
            "```html\" onload=\"x\n<script>\n```",
            "# <script> {#id onclick=x}",
            "| a |\n| :-: |\n| <script> |",
        ];
        let regex = |pattern: &str| regex::Regex::new(pattern).expect("regex");
        let attributes = regex(r#"<[a-z0-9]+((?: [a-z]+="[^"<>]*")*)>"#);
        let (element, handler) = (regex(r"<[a-z]"), regex(r"<[^>]* on[a-z]+="));
        for attack in attacks {
            let html = html(attack);
            let lower = html.to_lowercase();
            for bad in [
                "<script",
                "<img",
                "<b ",
                "href=\"javascript",
                "href=\"data",
                "href=\"//",
                "href=\"/\\",
                "style=",
                "<div>\n",
            ] {
                assert!(!lower.contains(bad), "{attack:?} gave {html}");
            }
            // Every attribute that is there was written here.
            let without = attributes.replace_all(&html, "");
            assert!(!element.is_match(&without), "{attack:?} gave {html}");
            assert!(!handler.is_match(&html), "{attack:?} gave {html}");
        }
    }

    #[test]
    fn markdown_is_rendered() {
        assert_eq!(
            html("# A\n[own](/causes/x) [web](https://a.example/) `c`"),
            "<h3>A</h3>\n<p><a href=\"/causes/x\">own</a> \
             <a href=\"https://a.example/\" rel=\"noreferrer\">web</a> <code>c</code></p>\n"
        );
        assert!(html("```sh\na < b\n```").contains("<code>a &lt; b\n</code>"));
    }
}
