// Validates workflows and actions with GitHub's language service, which knows our actions by their files in this checkout.
// Usage: node validate.mjs CLIENTS ROOT FILE...: one line of JSON for each file, {"file": ..., "found": ["LINE: message", ...]}
import { existsSync, readFileSync } from "node:fs";
import { createRequire, registerHooks } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [clients, root, ...files] = process.argv.slice(2);

// The packages import JSON without saying so, as bundlers allow.
registerHooks({
  load(url, context, next) {
    if (!url.endsWith(".json")) return next(url, context);
    return { format: "module", source: `export default ${readFileSync(new URL(url), "utf8")}`, shortCircuit: true };
  },
});

const require = createRequire(path.join(clients, "package.json"));
const load = (name) => import(pathToFileURL(require.resolve(name)).href);
const folder = (name) => path.join(clients, "node_modules", ...name.split("/"));
const { validate } = await import(pathToFileURL(path.join(folder("@actions/languageservice"), "dist/index.js")).href);
const { TextDocument } = await load("vscode-languageserver-textdocument");
const { parse } = await load("yaml");

// Ours are those of this checkout; the inputs of others are those of their stand-ins.
const actionsMetadataProvider = {
  async fetchActionMetadata({ owner, name, path: inner }) {
    const ours = `${owner}/${name}` === "mlops-action/mlops_action";
    const file = path.join(root, ours ? (inner ?? "") : `tests/ci_files/actions/${name}`, "action.yml");
    return existsSync(file) ? parse(readFileSync(file, "utf8")) : undefined;
  },
};

for (const file of files) {
  const document = TextDocument.create(pathToFileURL(file).href, "yaml", 1, readFileSync(file, "utf8"));
  const found = await validate(document, { actionsMetadataProvider });
  const lines = found.map((each) => `${each.range.start.line + 1}: ${each.message}`);
  console.log(JSON.stringify({ file, found: lines }));
}
