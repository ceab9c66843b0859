//! What forms send: URL-encoded, or multipart with a file.

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::{StatusCode, header};

use super::super::Shared;
use super::error::PageError;
use crate::engine::evidence::decoded;

/// A form has at most that many fields.
const MOST_FIELDS: usize = 100;

/// The fields of a form in their order. Bytes that are no UTF-8 are replaced, not refused: people
/// paste what they have.
#[derive(Debug, Default)]
pub(in crate::http) struct Fields(Vec<(String, String)>);

impl Fields {
    /// The first field of that name; empty if there is none.
    pub(super) fn get(&self, name: &str) -> &str {
        self.all(name).next().unwrap_or_default()
    }

    /// All fields of that name.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0
            .iter()
            .filter(move |(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// The revision that the form was made for.
    pub(super) fn revision(&self) -> Option<i64> {
        self.get("revision").trim().parse().ok()
    }

    /// What was pasted, and the file that was chosen, as one text.
    pub(super) fn evidence_text(&self) -> String {
        let pasted = self.get("text");
        let mut text = pasted.replace("\r\n", "\n");
        let file = self.get("file");
        if !file.trim().is_empty() {
            if !text.trim().is_empty() && !text.ends_with('\n') {
                text.push('\n');
            }
            text.push_str(file);
        }
        text
    }

    /// Reads `a=b&c=d`, where a plus sign is a space.
    fn parse(body: &[u8]) -> Self {
        let decode = |part: &[u8]| {
            let spaced: Vec<u8> = part
                .iter()
                .map(|byte| if *byte == b'+' { b' ' } else { *byte })
                .collect();
            let bytes: Vec<u8> = percent_encoding::percent_decode(&spaced).collect();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        let fields = body
            .split(|byte| *byte == b'&')
            .filter(|field| !field.is_empty())
            .take(MOST_FIELDS)
            .map(|field| {
                let middle = field.iter().position(|byte| *byte == b'=');
                let (name, value) = match middle {
                    Some(at) => (&field[..at], &field[at + 1..]),
                    None => (field, &[][..]),
                };
                (decode(name), decode(value))
            })
            .collect();
        Fields(fields)
    }

    async fn parts(request: Request<Body>, limit: usize) -> Result<Self, PageError> {
        let of_status = |status: StatusCode| match status {
            StatusCode::PAYLOAD_TOO_LARGE => PageError::too_large(limit),
            _ => PageError::not_understood(),
        };
        let mut parts = Multipart::from_request(request, &())
            .await
            .map_err(|rejection| of_status(rejection.status()))?;
        let mut fields = Vec::new();
        while let Some(part) = parts
            .next_field()
            .await
            .map_err(|error| of_status(error.status()))?
        {
            if fields.len() >= MOST_FIELDS {
                break;
            }
            let name = part.name().unwrap_or_default().to_owned();
            let bytes = part
                .bytes()
                .await
                .map_err(|error| of_status(error.status()))?;
            fields.push((name, decoded(bytes.into())));
        }
        Ok(Fields(fields))
    }
}

impl FromRequest<Shared> for Fields {
    type Rejection = PageError;

    async fn from_request(
        request: Request<Body>,
        shared: &Shared,
    ) -> Result<Self, Self::Rejection> {
        let settings = &shared.settings;
        let is_multipart = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|kind| kind.to_ascii_lowercase().starts_with("multipart/form-data"));
        let fields = if is_multipart {
            Fields::parts(request, settings.maximum_upload_bytes).await?
        } else {
            let body = Bytes::from_request(request, shared)
                .await
                .map_err(|rejection| match rejection.status() {
                    StatusCode::PAYLOAD_TOO_LARGE => {
                        PageError::too_large(settings.maximum_text_bytes)
                    }
                    _ => PageError::not_understood(),
                })?;
            Fields::parse(&body)
        };
        if fields.get("text").len() > settings.maximum_text_bytes {
            return Err(PageError::too_large(settings.maximum_text_bytes));
        }
        Ok(fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_read_whatever_they_hold() {
        let fields = Fields::parse(b"text=a+b%0D%0Ac%2b%ff&edge=x&edge=y&&alone&=z&revision=+7");
        assert_eq!(fields.get("text"), "a b\r\nc+\u{fffd}");
        assert_eq!(fields.evidence_text(), "a b\nc+\u{fffd}");
        assert_eq!(fields.all("edge").collect::<Vec<_>>(), ["x", "y"]);
        assert_eq!(fields.get("alone"), "");
        assert_eq!(fields.get("none"), "");
        assert_eq!(fields.revision(), Some(7));
    }

    #[test]
    fn a_file_is_added_to_the_text() {
        let fields = Fields::parse(b"text=a&file=b%0D%0A");
        assert_eq!(fields.evidence_text(), "a\nb\r\n");
    }
}
