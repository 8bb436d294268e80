use super::args::GenerateArgs;
use crate::shared::failure::Failure;
use crate::shared::progress::busy;
use tandem_fevm::workload::{Chance, write};

pub(super) fn generate(args: &GenerateArgs) -> Result<(), Failure> {
    let bar = busy("generating", false);
    let make = || {
        let mut world = args.workload.0.world()?;
        let steps = args.workload.0.tipset(&mut world, args.messages, &mut Chance::new(args.seed));
        anyhow::Ok((world, steps))
    };
    let (world, steps) = make().map_err(|error| Failure::fault(format!("{error:#}")))?;
    let folder = args.folder.display();
    std::fs::create_dir_all(&args.folder).map_err(|error| Failure::input(format!("{folder}: {error}")))?;
    write(&args.folder, &world, &steps).map_err(|error| Failure::input(format!("{error:#}")))?;
    bar.finish_and_clear();
    Ok(())
}
