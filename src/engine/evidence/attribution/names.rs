//! Words inside names: the host `traefik.a.example` and the script `cloudflare.js` say nothing of
//! what stands in front of a server.

use super::super::Fact;

/// What is concluded from a product's name.
const FROM_NAMES: &[&str] = &["edge.", "environment."];

/// Last labels of the names that people give their hosts.
const LAST_LABELS: &[&str] = &[
    "com", "net", "org", "io", "dev", "app", "co", "eu", "de", "at", "ch", "fr", "es", "it", "nl",
    "pl", "uk", "us", "in", "br", "cloud", "xyz", "me", "info", "ai", "tech", "site", "online",
    "example", "test",
];

/// Domains in which the names are those of products.
const OF_PRODUCTS: &[&str] = &[
    "kubernetes.io",
    "k8s.io",
    "docker.io",
    "amazonaws.com",
    "nginx.org",
    "cloudflare.com",
];

/// Endings of files that a page loads.
const SCRIPTS: &[&str] = &["js", "mjs", "ts", "jsx", "tsx", "vue", "html", "css"];

/// Whether the words of a fact end inside a host's or a script's name.
pub(super) fn is_part_of_a_name(fact: &Fact, text: &str) -> bool {
    if !FROM_NAMES.iter().any(|name| fact.key.starts_with(name)) {
        return false;
    }
    let Some(span) = fact.span else {
        return false;
    };
    let is_of_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    // An expression may take in the mark behind its words.
    let words = text[..span.end].trim_end_matches(['.', '-']);
    let rest = &text.as_bytes()[words.len()..];
    let length = rest.iter().take_while(|byte| is_of_name(byte)).count();
    let rest = text[words.len()..words.len() + length].trim_end_matches('.');
    let ends_in_name = words.ends_with(|letter: char| letter.is_ascii_alphanumeric());
    ends_in_name && (is_hosts(rest) || is_scripts(rest))
}

/// Whether it is the end of a host's name below somebody's domain.
fn is_hosts(rest: &str) -> bool {
    let labels: Vec<&str> = rest.split('.').skip(1).collect();
    let is_known = |last: &&str| LAST_LABELS.contains(&last.to_ascii_lowercase().as_str());
    let is_products = OF_PRODUCTS.iter().any(|domain| rest.ends_with(domain));
    labels.len() >= 2 && labels.last().is_some_and(is_known) && !is_products
}

fn is_scripts(rest: &str) -> bool {
    let ending = rest.rsplit_once('.').map(|(_, ending)| ending);
    ending.is_some_and(|ending| SCRIPTS.contains(&ending))
}

#[cfg(test)]
mod tests {
    use super::super::tests::meant;

    #[test]
    fn words_inside_names_say_nothing() {
        for (text, words) in [
            ("we use traefik.a.example for it", "use traefik"),
            ("through my-traefik-2.shop.example/ws", "through my-traefik"),
            ("error in traefik.js:12", "traefik"),
            ("error in traefik.js:12", "traefik."),
        ] {
            assert!(
                meant(text, &[("edge.server=traefik", words)]).is_empty(),
                "{text}"
            );
        }
        for (text, words) in [
            ("we use traefik. It fails", "use traefik"),
            ("the traefik.yml is", "traefik"),
            ("behind traefik-ingress", "traefik"),
            ("traefik.http.routers.a.rule", "traefik"),
            ("traefik.ingress.kubernetes.io/router", "traefik"),
            ("on app.traefik.example", "traefik"),
        ] {
            assert!(
                !meant(text, &[("edge.server=traefik", words)]).is_empty(),
                "{text}"
            );
        }
    }
}
