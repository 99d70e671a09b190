// Runs the pinned wrangler on the pinned Node, quietly: `node scripts/wrangler.mjs dev --port 8787`.
// Options are passed on untouched.

import { inRoot, pinnedNode, run } from "./run.mjs";

const quiet = {
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_SEND_ERROR_REPORTS: "false",
  WRANGLER_HIDE_BANNER: "true",
  WRANGLER_NO_SKILLS_UPDATE_PROMPTS: "true",
  // Local workerd would otherwise download a sample of `request.cf`.
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
};

// Ctrl-c reaches wrangler through the terminal; this script waits until it has cleaned up.
process.on("SIGINT", () => {});
run(pinnedNode(), [inRoot("node_modules/wrangler/bin/wrangler.js"), ...process.argv.slice(2)], {
  env: { ...quiet, ...process.env },
});
