//! How often a caller may probe, and a target be probed.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;

use super::job::Job;
use crate::probe::{NameError, Records, Resolve};

/// Rates are for a minute.
const MINUTE: Duration = Duration::from_secs(60);
/// So many keys are remembered; the one that was silent longest goes.
const MOST_KEYS: usize = 20_000;
/// Of a name with more addresses the first are counted: no more are connected to.
const MOST_ADDRESSES: usize = 16;

/// When each key was last taken, within a minute.
#[derive(Debug, Default)]
pub(super) struct Rates {
    taken: HashMap<String, VecDeque<Instant>>,
}

impl Rates {
    /// Whether the key may be taken once more within a minute, else how long to wait.
    pub(super) fn check(&mut self, key: &str, most: usize, now: Instant) -> Result<(), Duration> {
        let Some(times) = self.taken.get_mut(key) else {
            return Ok(());
        };
        while times
            .front()
            .is_some_and(|first| now.saturating_duration_since(*first) >= MINUTE)
        {
            times.pop_front();
        }
        match times.front() {
            Some(first) if times.len() >= most => {
                Err(MINUTE.saturating_sub(now.saturating_duration_since(*first)))
            }
            _ => Ok(()),
        }
    }

    /// Takes the key once more, if it may be.
    pub(super) fn take(&mut self, key: &str, most: usize, now: Instant) -> Result<(), Duration> {
        self.check(key, most, now)?;
        if !self.taken.contains_key(key) {
            self.make_room(now);
        }
        self.taken.entry(key.to_owned()).or_default().push_back(now);
        Ok(())
    }

    fn make_room(&mut self, now: Instant) {
        if self.taken.len() < MOST_KEYS {
            return;
        }
        let last = |times: &VecDeque<Instant>| times.back().copied();
        self.taken.retain(|_, times| {
            last(times).is_some_and(|last| now.saturating_duration_since(last) < MINUTE)
        });
        if self.taken.len() < MOST_KEYS {
            return;
        }
        // A tenth at once, so that the next ones find room without looking through all again.
        let mut ages: Vec<(Option<Instant>, String)> = self
            .taken
            .iter()
            .map(|(key, times)| (last(times), key.clone()))
            .collect();
        ages.sort();
        for (_, key) in ages.drain(..MOST_KEYS / 10) {
            self.taken.remove(&key);
        }
    }
}

/// The key of an address, whether it was written or a name led to it.
pub(super) fn address_key(address: IpAddr) -> String {
    format!("address {}", address.to_canonical())
}

/// Counts the addresses that a name leads to, before any of them is connected to.
pub(super) struct Counting {
    pub(super) inner: Arc<dyn Resolve>,
    pub(super) rates: Arc<Mutex<Rates>>,
    pub(super) most: usize,
    pub(super) job: Arc<Job>,
}

impl Counting {
    fn count(&self, addresses: &[IpAddr]) -> Result<(), Duration> {
        let mut rates = self.rates.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let keys: Vec<String> = addresses
            .iter()
            .take(MOST_ADDRESSES)
            .map(|address| address_key(*address))
            .collect();
        for key in &keys {
            rates.check(key, self.most, now)?;
        }
        for key in &keys {
            rates.take(key, self.most, now)?;
        }
        Ok(())
    }
}

#[async_trait]
impl Resolve for Counting {
    async fn resolve(&self, name: &str) -> Result<Vec<IpAddr>, NameError> {
        let addresses = self.inner.resolve(name).await?;
        if self.count(&addresses).is_err() {
            // The job ends now, and with it this future: nothing is said of the name.
            self.job.target_had_enough.notify_one();
            std::future::pending::<()>().await;
        }
        Ok(addresses)
    }

    async fn records(&self, name: &str) -> Option<Records> {
        self.inner.records(name).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_may_be_taken_so_often_a_minute() {
        let mut rates = Rates::default();
        let begin = Instant::now();
        let at = |seconds: u64| begin + Duration::from_secs(seconds);
        assert_eq!(rates.take("a", 2, at(0)), Ok(()));
        assert_eq!(rates.take("a", 2, at(10)), Ok(()));
        assert_eq!(rates.take("a", 2, at(20)), Err(Duration::from_secs(40)));
        assert_eq!(rates.take("b", 2, at(20)), Ok(()));
        assert_eq!(rates.take("a", 2, at(60)), Ok(()));
        assert_eq!(rates.take("a", 2, at(61)), Err(Duration::from_secs(9)));
    }

    #[test]
    fn a_million_keys_stay_few() {
        let mut rates = Rates::default();
        let begin = Instant::now();
        for number in 0..1_000_000_u64 {
            let now = begin + Duration::from_millis(number / 100);
            let _ = rates.take(&number.to_string(), 6, now);
            assert!(rates.taken.len() <= MOST_KEYS);
        }
        assert!(rates.taken.contains_key("999999"));
    }
}
