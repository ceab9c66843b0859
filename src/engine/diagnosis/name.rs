//! Words of the knowledge that many diagnoses share.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// An id or a title. A diagnosis names hundreds of them, so they are shared instead of copied.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Arc<str>);

impl Name {
    /// The words.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Name {
    fn from(words: &str) -> Self {
        Name(Arc::from(words))
    }
}

impl Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, formatter)
    }
}

impl PartialEq<str> for Name {
    fn eq(&self, other: &str) -> bool {
        *self.0 == *other
    }
}

impl PartialEq<&str> for Name {
    fn eq(&self, other: &&str) -> bool {
        *self.0 == **other
    }
}

impl PartialEq<String> for Name {
    fn eq(&self, other: &String) -> bool {
        *self.0 == **other
    }
}

/// The id and the title of something.
#[derive(Clone, Debug)]
pub(super) struct Named {
    pub(super) id: Name,
    pub(super) title: Name,
}

impl Named {
    pub(super) fn new(id: &str, title: &str) -> Self {
        Named {
            id: id.into(),
            title: title.into(),
        }
    }
}
