use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::time::Duration;

/// How often work that cannot be counted shows that it goes on.
const SIGN_OF_LIFE: Duration = Duration::from_millis(100);

/// A progress bar on a terminal, nothing elsewhere.
pub(crate) fn progress(length: usize, what: &'static str, quiet: bool) -> ProgressBar {
    shown(ProgressBar::new(length as u64), what, "{msg:>10} {wide_bar} {pos}/{len}", quiet)
}

/// A sign of life on a terminal, nothing elsewhere, for work that cannot be counted.
pub(crate) fn busy(what: &'static str, quiet: bool) -> ProgressBar {
    let bar = shown(ProgressBar::new_spinner(), what, "{msg:>10} {spinner} {elapsed}", quiet);
    if !bar.is_hidden() {
        // At once: work that ends soon is shown, too.
        bar.tick();
        bar.enable_steady_tick(SIGN_OF_LIFE);
    }
    bar
}

fn shown(bar: ProgressBar, what: &'static str, template: &str, quiet: bool) -> ProgressBar {
    if quiet {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.with_style(style).with_message(what)
}
