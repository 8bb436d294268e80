use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(crate) struct StudyArgs {
    /// Block directories, or folders of them
    #[arg(required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// Leave out blocks with a lower number
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub(crate) from: u64,
    /// Execute every block this often on one thread; a step's time is the least of all
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub(crate) repeat: usize,
    /// Print one JSON object per line
    #[arg(long)]
    pub(crate) json: bool,
}
