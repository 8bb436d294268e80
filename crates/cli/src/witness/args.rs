use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(crate) struct WitnessArgs {
    /// Block directories that have a witness, or folders of them
    #[arg(required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// Worker threads [default: one per available core]
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<usize>,
    /// Print one JSON object per line
    #[arg(long)]
    pub(crate) json: bool,
}
