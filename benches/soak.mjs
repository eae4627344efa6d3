// The load of soak.sh: what several clients ask at the same time, and an account of what they were answered.
//
//     TOKEN=… node soak.mjs FOLDER PID SECONDS
//
// FOLDER holds what the server announced, and files that say when the database went away and came back.

import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(new URL("../tests/clients/package.json", import.meta.url));
const WebSocket = require("ws");
const { createClient } = require("graphql-ws");

const [folder, pid, seconds] = process.argv.slice(2);
const { endpoint } = JSON.parse(readFileSync(`${folder}/announced`, "utf8"));
const headers = { authorization: `Bearer ${process.env.TOKEN}` };
const began = Date.now();
const length = Number(seconds) * 1000;
const over = () => Date.now() - began >= length;
const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

const counts = { requests: 0, events: 0, refusals: 0, unavailable: 0 };
const faults = [];
const unavailable = [];
const note = (what) => faults.length < 20 && faults.push(`${((Date.now() - began) / 1000).toFixed(1)} s: ${what}`);

function look(errors, what) {
  for (const { message, extensions } of errors ?? []) {
    if (extensions?.code === "UNAVAILABLE") {
      counts.unavailable += 1;
      unavailable.push([Date.now(), what]);
    } else {
      note(`${what}: ${extensions?.code} ${message}`);
    }
  }
}

/** The data of an answer; none where there was an error, which has been noted. */
async function ask(what, query, variables = {}) {
  counts.requests += 1;
  try {
    const answer = await fetch(endpoint, {
      method: "POST",
      headers: { ...headers, "content-type": "application/json", accept: "application/graphql-response+json" },
      body: JSON.stringify({ query, variables }),
      signal: AbortSignal.timeout(60_000),
    });
    const { data, errors } = await answer.json();
    look(errors, what);
    const refused = Object.values(data ?? {}).flatMap((field) => field?.userErrors ?? []);
    counts.refusals += refused.length;
    return errors ? undefined : data;
  } catch (fault) {
    note(`${what}: ${fault} ${fault.cause ?? ""}`);
    return undefined;
  }
}

const reading = [
  `{ sessions(first: 50) { totalCount nodes { id name status groupCount groups(first: 3) { nodes { name } } } } }`,
  // Of sessions that nobody deletes here: an impact of one that goes meanwhile is an error which says so.
  `{ sessions(first: 10, filter: { statuses: [CONNECTED] }) { nodes { id impact { rowsDeleted rowsUnlinked deletable } } } }`,
  `{ sessions(last: 20, filter: { search: "s1", stale: true }) { edges { cursor node { name updatedAt } } pageInfo { hasNextPage } } }`,
  `{ deletions(first: 20) { totalCount nodes { id rowsDeleted status sessions { id name } } } }`,
  `{ sessionStats { total stale } schemaHealth { healthy findings { key } } viewer { name } }`,
  `{ cleanupRuns(first: 10) { nodes { id status sessionsDeleted } } cleanupPreview { impact { rowsDeleted } } }`,
];

async function reads(first) {
  for (let turn = first; !over(); turn += 1) {
    await ask("reading", reading[turn % reading.length]);
    await pause(5);
  }
}

/** Deletes sessions and restores them. */
async function deletes() {
  const terms = "allowConnected: true, allowPendingMessages: true";
  const kept = [];
  while (!over()) {
    // Not one of those that a run may take meanwhile, which are those updated least recently.
    const newest = `orderBy: { field: UPDATED_AT, direction: DESC }`;
    const listed = await ask("list", `{ sessions(first: 1, filter: { stale: true }, ${newest}) { nodes { id } } }`);
    const session = listed?.sessions.nodes[0];
    if (session) {
      const looked = await ask("preview", `query($id: ID!) { deletionImpact(sessionIds: [$id]) { token } }`, session);
      const made = await ask(
        "deletion",
        `mutation($id: ID!, $token: String) { deleteSession(input: { id: $id, expectedImpact: $token, ${terms} }) { deletion { id } userErrors { code } } }`,
        { id: session.id, token: looked?.deletionImpact.token ?? null },
      );
      if (made?.deleteSession.deletion) kept.push(made.deleteSession.deletion);
    }
    // Those of runs are not for this one. One whose answer was lost stays as it is, or is asked for again.
    if (kept.length) {
      const restored = await ask(
        "restore",
        `mutation($id: ID!) { restoreDeletion(input: { id: $id, allowPendingMessages: true }) { rowsRestored userErrors { code } } }`,
        kept[0],
      );
      if (restored) kept.shift();
    }
    await pause(50);
  }
}

/** A client over a socket, that comes back when its socket is gone, and counts it as a fault. */
function client() {
  return createClient({
    url: endpoint.replace("http", "ws") + "/ws",
    webSocketImpl: WebSocket,
    connectionParams: headers,
    lazy: false,
    onNonLazyError: (fault) => note(`socket: ${fault.reason ?? fault.message ?? fault}`),
    on: { closed: (event) => over() || note(`socket closed: ${event.code} ${event.reason}`) },
  });
}

/** All answers of one operation over a socket. */
function follow(sockets, what, query, variables) {
  return new Promise((done) => {
    sockets.subscribe(
      { query, variables },
      {
        next: ({ data, errors }) => {
          counts.events += 1;
          look(errors, what);
          done(data);
        },
        error: (errors) => done(Array.isArray(errors) ? look(errors, what) : note(`${what}: ${errors?.message ?? errors}`)),
        complete: done,
      },
    );
  });
}

/** Starts runs and restores them, and follows both over a socket. */
async function runs() {
  const sockets = client();
  const watch = `subscription($id: ID!) { cleanupRun(id: $id) { status sessionsDeleted } }`;
  while (!over()) {
    const started = await ask(
      "run",
      `mutation { cleanUpSessions(input: { criteria: { limit: 5 }, dryRun: false, allowPendingMessages: true }) { run { id status } userErrors { code } } }`,
    );
    for (let run = started?.cleanUpSessions.run; run && !over(); ) {
      await follow(sockets, "run's subscription", watch, { id: run.id });
      await pause(1000);
      const now = await ask("run", `query($id: ID!) { cleanupRun(id: $id) { status kind } }`, { id: run.id });
      if (!now || ["QUEUED", "RUNNING"].includes(now.cleanupRun.status)) continue;
      if (now.cleanupRun.status === "FAILED") note("a run has FAILED");
      if (now.cleanupRun.kind === "RESTORE") break;
      const restoring = await ask(
        "run's restore",
        `mutation($id: ID!) { restoreCleanupRun(input: { id: $id, allowPendingMessages: true }) { run { id } userErrors { code } } }`,
        { id: run.id },
      );
      run = restoring?.restoreCleanupRun.run;
    }
    await pause(200);
  }
  await sockets.dispose();
}

async function listens() {
  const sockets = client();
  while (!over()) {
    await follow(sockets, "reading over a socket", reading[0]);
    await pause(100);
  }
  await sockets.dispose();
}

async function scrapes() {
  while (!over()) {
    const answer = await fetch(endpoint.replace("/graphql", "/metrics"), { headers }).catch((fault) => note(`metrics: ${fault}`));
    if (answer && answer.status !== 200) note(`metrics: ${answer.status}`);
    await answer?.text();
    await pause(5000);
  }
}

const memory = [];
async function weighs() {
  while (!over()) {
    const kilobytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1];
    memory.push([(Date.now() - began) / length, Number(kilobytes)]);
    await pause(500);
  }
}

function mean(from, to) {
  const values = memory.filter(([at]) => at >= from && at < to).map(([, value]) => value);
  return values.reduce((sum, value) => sum + value, 0) / values.length / 1024;
}

await Promise.all([
  ...[0, 1, 2, 3].map(reads),
  deletes(),
  runs(),
  ...Array.from({ length: 8 }, listens),
  scrapes(),
  weighs(),
]);

// Who waited for a connection when the database went away may be told seconds after it is back.
const when = (name) => (existsSync(`${folder}/${name}`) ? Number(readFileSync(`${folder}/${name}`, "utf8")) : NaN);
const [away, back] = [when("away"), when("back")];
for (const [at, what] of unavailable) {
  if (!(at >= away && at <= back + 10_000)) note(`${what}: UNAVAILABLE while the database was there`);
}
if (!unavailable.length || Number.isNaN(back)) note("the database was not away");
// Before the database goes away, and at the end.
const [middle, end] = [mean(0.4, 0.5), mean(0.9, 1)];
if (Math.abs(end / middle - 1) > 0.1) note("the memory at the end is more than 10 % away from that of the middle");
console.log(
  `${seconds} s: ${counts.requests} requests, ${counts.events} answers over sockets, ${counts.refusals} refusals, ` +
    `${counts.unavailable} UNAVAILABLE; memory ${middle.toFixed(1)} MiB in the middle, ${end.toFixed(1)} MiB at the end`,
);
if (faults.length) {
  console.error(faults.join("\n"));
  process.exit(1);
}
process.exit(0);
