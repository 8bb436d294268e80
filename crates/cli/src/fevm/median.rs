/// The middle one of some times, or the mean of the two in the middle.
pub(super) fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    let half = times.len() / 2;
    match times.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => times[half],
        _ => (times[half - 1] + times[half]) / 2.0,
    }
}
