use clap::ValueEnum;

/// How blocks are executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mode {
    /// All blocks as one stream: no barrier between them
    Stream,
    /// One block at a time
    Block,
    /// The same engine with one worker, whatever --threads says
    Serial,
    /// A plain revm loop, for comparison
    Revm,
}

impl Mode {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Stream => "stream",
            Self::Block => "block",
            Self::Serial => "serial",
            Self::Revm => "revm",
        }
    }
}
