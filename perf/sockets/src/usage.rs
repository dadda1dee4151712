//! Processor time of a process by the names of its threads, from `/proc`.

use std::collections::BTreeMap;
use std::fs;

/// The kernel counts in hundredths of a second for user space on every Linux (`USER_HZ`, proc(5)).
const TICKS_PER_SECOND: f64 = 100.0;

/// Seconds of processor time, user and system, by thread name; threads that ended are not in it.
#[must_use]
pub fn by_thread(pid: u32) -> BTreeMap<String, f64> {
    let mut seconds = BTreeMap::new();
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else { return seconds };
    for stat in tasks.flatten().filter_map(|task| fs::read_to_string(task.path().join("stat")).ok()) {
        if let Some((name, time)) = of_stat(&stat) {
            *seconds.entry(name).or_default() += time;
        }
    }
    seconds
}

/// What was used between two readings, names without any left out.
#[must_use]
pub fn between(before: &BTreeMap<String, f64>, after: &BTreeMap<String, f64>) -> BTreeMap<String, f64> {
    let used = after.iter().map(|(name, seconds)| (name.clone(), seconds - before.get(name).unwrap_or(&0.0)));
    used.filter(|(_, seconds)| *seconds >= 1.0 / TICKS_PER_SECOND).collect()
}

/// Name and time of a line of `stat`: the name stands in brackets and may hold anything, the fields
/// behind it are counted from the state; utime and stime are the twelfth and the thirteenth.
fn of_stat(stat: &str) -> Option<(String, f64)> {
    let (head, fields) = stat.rsplit_once(") ")?;
    let name = head.split_once('(')?.1.to_owned();
    let mut fields = fields.split(' ').skip(11).map_while(|field| field.parse::<f64>().ok());
    Some((name, (fields.next()? + fields.next()?) / TICKS_PER_SECOND))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_times_are_found_behind_a_name_with_brackets_in_it() {
        let stat = "42 (a (b) c) S 1 42 42 0 -1 0 9 0 0 0 150 50 0 0 20 0 1 0 7 0";
        assert_eq!(of_stat(stat), Some(("a (b) c".to_owned(), 2.0)));
    }

    #[test]
    fn this_thread_has_a_name() {
        assert!(!by_thread(std::process::id()).is_empty());
    }
}
