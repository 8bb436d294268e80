//! The command on a terminal, as a person would see it.

use crate::common::{stderr, stdout, tandem};
use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use std::fs::File;
use std::io::Read;
use std::process::{Command, Output, Stdio};

/// Runs `tandem` with its errors on a terminal of its own and its output in a pipe. Its output on the terminal is in `stderr`.
pub(crate) fn on_terminal(args: &[&str]) -> Output {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
    grantpt(&ours).expect("access to it");
    unlockpt(&ours).expect("access to it");
    let size = Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&ours, size).expect("a size");
    let path = ptsname(&ours, Vec::new()).expect("a name");
    // Commands of tests that run at the same time would hold it open.
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let theirs = open(&*path, flags, Mode::empty()).expect("its other end");
    let mut command = Command::new(env!("CARGO_BIN_EXE_tandem"));
    command.args(args).env("TERM", "xterm").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(theirs);
    let child = command.spawn().expect("the command starts");
    // It holds the other end, which must be closed for the reading to end.
    drop(command);
    let reader = std::thread::spawn(move || {
        let (mut terminal, mut seen, mut buffer) = (File::from(ours), Vec::new(), [0; 4096]);
        // Linux reports the end as an error.
        while let Ok(length @ 1..) = terminal.read(&mut buffer) {
            seen.extend_from_slice(&buffer[..length]);
        }
        seen
    });
    let output = child.wait_with_output().expect("the command ends");
    Output { stderr: reader.join().expect("what was seen"), ..output }
}

/// Clears a line of a terminal.
const CLEAR: &str = "\x1b[2K";

/// Runs a command twice: on a terminal it must show all these bars, each of which counts unless it stands in brackets, and leave
/// nothing of them; in a pipe it must show nothing. `prepare` comes before each run.
pub(crate) fn shows(args: &[&str], bars: &[&str], prepare: impl Fn()) {
    prepare();
    let seen = on_terminal(args);
    let terminal = stderr(&seen);
    assert!(seen.status.success(), "{args:?}: {terminal}");
    for bar in bars {
        let name = bar.trim_matches(['[', ']']);
        let drawn = terminal.split(['\r', '\n']).find(|line| line.trim_start_matches(CLEAR).contains(name));
        let drawn = drawn.unwrap_or_else(|| panic!("{args:?} shows no {name}: {terminal:?}"));
        assert_eq!(name == *bar, drawn.contains('█') || drawn.contains('░'), "{args:?}: {drawn:?}");
        assert_eq!(name == *bar, drawn.contains('/'), "{args:?}: {drawn:?}");
    }
    let rest = terminal.rsplit(CLEAR).next().unwrap_or_default();
    assert!(rest.trim().is_empty(), "{args:?} leaves {rest:?}");
    assert!(!stdout(&seen).contains('\x1b'), "{args:?}: {}", stdout(&seen));
    prepare();
    let piped = tandem(args);
    assert!(piped.status.success(), "{args:?}: {}", stderr(&piped));
    assert_eq!(stderr(&piped), "", "{args:?}");
    // How many lines there are depends on what was measured.
    let [piped, seen] = [stdout(&piped), stdout(&seen)].map(|text| text.lines().next().map(words));
    assert_eq!(piped, seen, "{args:?}");
}

/// A line without its numbers.
fn words(line: &str) -> String {
    line.chars().filter(|letter| !letter.is_ascii_digit() && !['.', ' '].contains(letter)).collect()
}
