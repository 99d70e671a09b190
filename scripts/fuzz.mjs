// Looks for bytes that break what fuzz/src/ says must hold. Without a target all of them, some
// seconds each; with targets each for as long as the arguments for libFuzzer say:
//
//   npm run fuzz                                      what CI does
//   npm run fuzz -- call media -- -max_total_time=3600
//   npm run fuzz -- call -- PATH                      one input again
//
// Coverage is there without a sanitizer on the stable toolchain: our own code has no `unsafe`. What
// is new is kept in target/fuzz/corpus, what breaks in target/fuzz/artifacts.

import { mkdirSync, readdirSync } from "node:fs";
import { fail, inRoot, run, step } from "./run.mjs";

const SECONDS = 4;
const LIMITS = ["-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=0", "-verbosity=0"];

const [names, args] = split(process.argv.slice(2));
const known = readdirSync(inRoot("fuzz/seeds")).sort();
const unknown = names.filter((name) => !known.includes(name));
if (unknown.length > 0) fail(`There is no target ${unknown.join(", ")}; there are: ${known.join(", ")}`);

const BUILD = ["--sanitizer", "none", "--features", "libfuzzer", "--target-dir", inRoot("target/fuzz/build")];
// The release profile is for the Worker: small, and slow to build.
const env = {
  ...process.env,
  PATH: `${inRoot(".tools/bin")}:${process.env.PATH}`,
  CARGO_PROFILE_RELEASE_CODEGEN_UNITS: "16",
  CARGO_PROFILE_RELEASE_LTO: "off",
  CARGO_PROFILE_RELEASE_OPT_LEVEL: "2",
};
const cargoFuzz = (...rest) => run(inRoot(".tools/bin/cargo-fuzz"), ["fuzz", ...rest], { env });

step("Building the fuzzers");
cargoFuzz("build", ...BUILD);
for (const name of names.length > 0 ? names : known) {
  step(`Fuzzing ${name}`);
  const [corpus, found] = ["corpus", "artifacts"].map((folder) => inRoot("target/fuzz", folder, name));
  for (const folder of [corpus, found]) mkdirSync(folder, { recursive: true });
  const files = args.filter((arg) => !arg.startsWith("-"));
  const inputs = files.length > 0 ? files : [corpus, inRoot("fuzz/seeds", name)];
  const limits = args.length > 0 ? args.filter((arg) => arg.startsWith("-")) : [`-max_total_time=${SECONDS}`];
  cargoFuzz("run", ...BUILD, name, ...inputs, "--",
    `-dict=${inRoot("fuzz/dictionary")}`, `-artifact_prefix=${found}/`, ...LIMITS, ...limits);
}

function split(args) {
  const at = args.indexOf("--");
  return at < 0 ? [args, []] : [args.slice(0, at), args.slice(at + 1)];
}
