// Talks to a server with the real client of graphql-transport-ws, and breaks the protocol by hand.
// Usage: node sockets.js talk URL SESSION, or node sockets.js quiet URL MILLISECONDS
import assert from 'node:assert/strict';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';

const [, , what, url, argument] = process.argv;

/** A client, and how often it was connected, and with which codes that ended. */
function client(options = {}) {
  const [opened, closed] = [[], []];
  const on = { connected: () => opened.push(true), closed: ({ code }) => closed.push(code) };
  return Object.assign(createClient({ url, webSocketImpl: WebSocket, retryAttempts: 0, on, ...options }), { opened, closed });
}

/** All results of an operation; what it was refused with is thrown. */
async function results(of, query, variables = {}) {
  const all = [];
  for await (const result of of.iterate({ query, variables })) {
    assert.equal(result.errors, undefined, JSON.stringify(result.errors));
    all.push(result.data);
  }
  return all;
}

/** What an operation is refused with. */
async function refusal(of, query) {
  try {
    await results(of, query);
  } catch (errors) {
    assert.ok(Array.isArray(errors), String(errors));
    return errors;
  }
  return assert.fail(`${query} was executed`);
}

/** Says these things over a socket of its own; gives the code that the server closes it with. */
function closeCode(...messages) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, 'graphql-transport-ws');
    socket.on('error', reject);
    socket.on('close', resolve);
    socket.on('open', () => messages.forEach((message) => socket.send(message)));
  });
}

const json = JSON.stringify;
const INIT = json({ type: 'connection_init' });
const operation = (id) => json({ type: 'subscribe', id, payload: { query: '{ __typename }' } });
const watch = (id, run) =>
  json({ type: 'subscribe', id, payload: { query: 'subscription W($id: ID!) { cleanupRun(id: $id) { id } }', variables: { id: run } } });

async function talk() {
  const one = client();
  assert.deepEqual(await results(one, '{ __typename }'), [{ __typename: 'Query' }]);

  const dry = 'mutation D($id: ID!) { deleteSession(input: { id: $id, dryRun: true }) { impact { sessionCount } userErrors { code } } }';
  const [{ deleteSession }] = await results(one, dry, { id: argument });
  assert.deepEqual(deleteSession, { impact: { sessionCount: 1 }, userErrors: [] });

  const [syntax] = await refusal(one, '{');
  assert.match(syntax.message, /syntax error/);
  const [validation] = await refusal(one, '{ nothing }');
  assert.equal(validation.extensions.code, 'BAD_USER_INPUT');

  const start = 'mutation { cleanUpSessions(input: { dryRun: false, atMost: 100000, criteria: { limit: 1 } }) { run { id } userErrors { code message } } }';
  const [{ cleanUpSessions }] = await results(one, start);
  assert.deepEqual(cleanUpSessions.userErrors, []);
  const { id } = cleanUpSessions.run;
  const events = await results(one, 'subscription W($id: ID!) { cleanupRun(id: $id) { status } }', { id });
  assert.equal(events.at(-1).cleanupRun.status, 'SUCCEEDED');
  await one.dispose();

  assert.equal(await closeCode(operation('a')), 4401);
  assert.equal(await closeCode(INIT, INIT), 4429);
  assert.equal(await closeCode(INIT, 'nonsense'), 4400);
  assert.equal(await closeCode(INIT, json({ type: 'nonsense' })), 4400);
  assert.equal(await closeCode(INIT, watch('a', id), watch('a', id)), 4409);
  assert.equal(await closeCode(), 4408);
}

/** Quiet, but there: the client answers the server's pings, and stays. */
async function quiet() {
  const one = client({ lazy: false });
  assert.deepEqual(await results(one, '{ __typename }'), [{ __typename: 'Query' }]);
  await new Promise((resolve) => setTimeout(resolve, Number(argument)));
  assert.deepEqual(one.closed, []);
  assert.deepEqual(await results(one, '{ __typename }'), [{ __typename: 'Query' }]);
  assert.equal(one.opened.length, 1);
  await one.dispose();
}

await { talk, quiet }[what]();
