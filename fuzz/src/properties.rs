//! What must hold for every text.

use std::time::{Duration, Instant};

use crate::ENGINE;
use crate::engine::evidence::Span;
use crate::engine::redact::redact;
use crate::engine::{Diagnosis, Evidence};

/// Quotations are cut at that many characters.
const LONGEST_QUOTE: usize = 200;

/// Everything that must hold for a text.
pub(crate) fn hold_for(text: &str) {
    let evidence = Evidence {
        text: Some(text.to_owned()),
        ..Evidence::default()
    };
    let diagnosis = in_time(text.len(), || {
        ENGINE.diagnose(std::slice::from_ref(&evidence))
    });
    spans_point_at_their_words(&diagnosis);
    probabilities_add_up(&diagnosis);
    // A recording is condensed before it is redacted, so what is kept is not the text's redaction.
    let kept = evidence.redacted().text.unwrap_or_default();
    assert_eq!(redaction_is_final(&kept), kept, "what is kept is redacted");
    assert_eq!(diagnosis.texts, [kept], "what is shown is what is kept");
    // As costly as the diagnosis itself, so not for every text.
    if text.len().is_multiple_of(4) {
        what_is_kept_diagnoses_the_same(&diagnosis, &evidence);
    }
}

/// Redacting twice changes nothing; gives the redacted text.
pub(crate) fn redaction_is_final(text: &str) -> String {
    let once = redact(text);
    for mark in &once.marks {
        let expected = format!("[{}:{}]", mark.kind.name(), mark.number);
        assert_eq!(once.text.get(mark.start..mark.end), Some(&*expected));
    }
    let twice = redact(&once.text);
    assert_eq!(twice.text, once.text, "redacted twice");
    assert_eq!(twice.counts, once.counts);
    once.text
}

/// Runs what must take no longer than its input's size allows. A busy machine may be slow now and
/// then, hence the quickest of some runs counts.
fn in_time<T>(size: usize, run: impl Fn() -> T) -> T {
    let limit = Duration::from_millis(100) + Duration::from_micros(10) * size as u32;
    let mut quickest = Duration::MAX;
    for _ in 0..6 {
        let start = Instant::now();
        let result = run();
        quickest = quickest.min(start.elapsed());
        if quickest <= limit {
            return result;
        }
    }
    panic!("{quickest:?} for {size} bytes");
}

fn spans_point_at_their_words(diagnosis: &Diagnosis) {
    for seen in &diagnosis.facts {
        let Some(Span { start, end }) = seen.fact.span else {
            continue;
        };
        let text = &diagnosis.texts[seen.fact.evidence];
        assert!(start <= end, "{:?}", seen.fact);
        let words = text.get(start..end);
        let words = words.unwrap_or_else(|| panic!("no words there: {:?}", seen.fact));
        let quote: String = words
            .chars()
            .take(LONGEST_QUOTE)
            .map(|letter| if letter.is_control() { ' ' } else { letter })
            .collect();
        assert_eq!(seen.quote.as_deref(), Some(&*quote));
        assert_eq!(seen.length, Some(words.chars().count()));
    }
}

fn probabilities_add_up(diagnosis: &Diagnosis) {
    let listed = diagnosis.causes.iter().map(|cause| cause.probability);
    let sum = listed.sum::<f64>() + diagnosis.other_probability;
    assert!((sum - 1.0).abs() < 0.001, "{sum}");
}

/// A case stores the redacted text and what hid in its secrets; reading it again tells the same.
fn what_is_kept_diagnoses_the_same(diagnosis: &Diagnosis, evidence: &Evidence) {
    let again = ENGINE.diagnose(&[evidence.redacted()]);
    assert_eq!(again.causes, diagnosis.causes);
    assert_eq!(again.texts, diagnosis.texts);
}
