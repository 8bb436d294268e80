// Compiles the contracts to crates/workload/artifacts/NAME.json. With --check it writes nothing and exits 1 if an artifact differs.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import solc from "solc";

const CONTRACTS = [
  "Token",
  "Wrapper",
  "Exchange",
  "Router",
  "Book",
  "Oracle",
  "Lending",
  "Collection",
  "Airdrop",
  "Splitter",
  "Proxy",
  "Factory",
  "Delegate",
  "Prover",
  "Deposit",
];
const EVM_VERSION = "shanghai";
const OPTIMIZER_RUNS = 200;

const root = dirname(fileURLToPath(import.meta.url));
// In the crate that embeds them, so that its package holds them.
const artifacts = join(root, "../crates/workload/artifacts");

// Types are given by their labels: their identifiers hold numbers of the syntax tree, which change with any edit.
function layout({ storage, types }) {
  return (storage ?? []).map(({ label, slot, offset, type }) => ({ label, slot, offset, type: types[type].label }));
}

function compile() {
  const input = {
    language: "Solidity",
    sources: Object.fromEntries(
      CONTRACTS.map((name) => [`${name}.sol`, { content: readFileSync(join(root, `${name}.sol`), "utf8") }]),
    ),
    settings: {
      evmVersion: EVM_VERSION,
      optimizer: { enabled: true, runs: OPTIMIZER_RUNS },
      metadata: { appendCBOR: false, bytecodeHash: "none" },
      outputSelection: { "*": { "*": ["evm.deployedBytecode", "storageLayout"] } },
    },
  };
  const { errors = [], contracts } = JSON.parse(solc.compile(JSON.stringify(input)));
  if (errors.length > 0) {
    throw new Error(errors.map((error) => error.formattedMessage).join("\n"));
  }
  return CONTRACTS.map((name) => {
    const { evm, storageLayout } = contracts[`${name}.sol`][name];
    if (Object.keys(evm.deployedBytecode.immutableReferences ?? {}).length > 0) {
      throw new Error(`${name} has immutables, which only a constructor can fill`);
    }
    const artifact = {
      contract: name,
      compiler: { solc: solc.version(), evmVersion: EVM_VERSION, optimizerRuns: OPTIMIZER_RUNS },
      deployedBytecode: `0x${evm.deployedBytecode.object}`,
      storageLayout: layout(storageLayout),
    };
    return { path: join(artifacts, `${name}.json`), name, text: `${JSON.stringify(artifact, null, 2)}\n` };
  });
}

function read(path) {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error.code === "ENOENT") return null;
    throw error;
  }
}

const options = process.argv.slice(2);
if (options.some((option) => option !== "--check")) {
  console.error("usage: node build.mjs [--check]");
  process.exit(2);
}

const built = compile();
if (options.includes("--check")) {
  const stale = built.filter(({ path, text }) => read(path) !== text);
  for (const { name } of stale) {
    console.error(`crates/workload/artifacts/${name}.json is not what ${name}.sol compiles to; run: node contracts/build.mjs`);
  }
  process.exitCode = stale.length > 0 ? 1 : 0;
} else {
  mkdirSync(artifacts, { recursive: true });
  for (const { path, text } of built) writeFileSync(path, text);
}
