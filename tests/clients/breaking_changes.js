// Lists what one schema breaks for the clients of another, by graphql-inspector's rules.
// Usage: node breaking_changes.js RELEASED.graphql CURRENT.graphql; exits with 1 if something is listed.

import { readFileSync } from "node:fs";
import { CriticalityLevel, diff } from "@graphql-inspector/core";
import { buildSchema } from "graphql";

const [released, current] = process.argv.slice(2).map((file) => buildSchema(readFileSync(file, "utf8")));
const changes = await diff(released, current);
const breaking = changes.filter((change) => change.criticality.level === CriticalityLevel.Breaking);
for (const change of breaking) {
  console.log(`${change.path}: ${change.message}`);
}
process.exitCode = breaking.length > 0 ? 1 : 0;
