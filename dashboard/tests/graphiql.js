// GraphiQL as somebody uses it: node graphiql.js CHROMIUM PAGE STARTERS SESSION_ADMIN [PICTURE]
// Ends with 1, and says why, at the first thing that is not as it should be. STARTERS are the tabs' names, with commas;
// SESSION_ADMIN is the program, which finds the page's database in DATABASE_URL and makes a token there on the way.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';

import { chromium } from 'playwright-core';

const [executablePath, address, starters, program, picture] = process.argv.slice(2);
const origin = new URL(address).origin;
const HEADERS = '.graphiql-editor-tool .graphiql-editor:not(.hidden)';
const FOLLOW = 'subscription Follow { cleanupRun(id: "00000000-0000-4000-8000-000000000000") { status } }';
// After so long GraphiQL has noted what a tab holds, in milliseconds.
const MOMENT = 500;
const wrong = [];
const operations = [];
const frames = [];
const sockets = [];

const browser = await chromium.launch({ executablePath });
try {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  await watch(page);
  const credentials = await use(page);
  if (picture) await page.screenshot({ path: picture });
  assert.deepEqual(wrong, []);

  const stranger = await (await browser.newContext({ viewport: { width: 1440, height: 900 } })).newPage();
  await watch(stranger);
  await askWithout(stranger);
  await askWith(stranger, credentials);
  assert.deepEqual(wrong, []);
} finally {
  await browser.close();
}

/** Notes what must not happen, and what is sent to the API. */
async function watch(page) {
  page.on('console', message => {
    if (['error', 'warning'].includes(message.type())) wrong.push(`${message.type()}: ${message.text()}`);
  });
  page.on('pageerror', error => wrong.push(`uncaught: ${error.stack}`));
  page.context().on('request', request => {
    const { protocol, origin: other } = new URL(request.url());
    if (other !== origin && protocol !== 'data:') wrong.push(`request to ${request.url()}`);
    if (request.method() === 'POST') operations.push(request);
  });
  page.context().on('response', response => {
    if (response.status() >= 400) wrong.push(`${response.status()}: ${response.url()}`);
  });
  page.on('websocket', socket => {
    sockets.push(socket);
    if (socket.url() !== `${origin.replace(/^http/, 'ws')}/graphql/ws`) wrong.push(`socket to ${socket.url()}`);
    socket.on('framesent', frame => frames.push(JSON.parse(frame.payload)));
    socket.on('socketerror', error => wrong.push(`socket: ${error}`));
  });
  await page.exposeFunction('violated', text => wrong.push(`policy: ${text}`));
  await page.addInitScript(() => {
    addEventListener('securitypolicyviolation', event =>
      window.violated(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`),
    );
  });
}

async function use(page) {
  await page.goto(address);
  assert.equal(await page.title(), 'Session Admin');
  await page.locator('.graphiql-query-editor .view-line').first().waitFor();
  const tabs = page.locator('.graphiql-tab-button');
  assert.deepEqual(await tabs.allInnerTexts(), starters.split(','));

  await execute(page);
  await answered(page, '"totalCount": 9');

  // The names of fields are known, so the schema was read, and a worker knows it.
  await open(page, 'query Suggested { sessionSt');
  await page.locator('.suggest-widget').getByText('sessionStats').first().waitFor();
  await page.keyboard.press('Escape');

  // From now on nobody is answered without a token.
  const token = execFileSync(program, ['token', 'create', '--name', 'browser', '--role', 'operator'], { encoding: 'utf8' });
  const credentials = `Bearer ${token.trim()}`;
  await open(page, 'query Count { sessionStats { total } }');
  await type(page, HEADERS, `{ "authorization": "${credentials}" }`);
  await execute(page);
  await answered(page, '"total": 14');
  assert.equal(operations.at(-1).headers().authorization, credentials);

  // A mistake is shown; the browser has nothing to complain about.
  await open(page, 'query Mistake { sessionStats { totals } }');
  await execute(page);
  await answered(page, 'totals');

  // Another tab of the same page has the token, too.
  await open(page, 'mutation DryRun { cleanUpSessions(input: { dryRun: true }) { impact { rowsDeleted } } }');
  await execute(page);
  await answered(page, '"rowsDeleted": 1512');
  assert.equal(operations.at(-1).headers().authorization, credentials);

  await open(page, 'mutation Start { cleanUpSessions(input: { dryRun: false }) { run { id } } }');
  await execute(page);
  const [, run] = await answered(page, /"id": "([0-9a-f-]{36})"/);
  await open(page, `subscription Follow { cleanupRun(id: "${run}") { status sessionsDeleted sessionsTotal } }`);
  await execute(page);
  await answered(page, /"status": "SUCCEEDED",\s*"sessionsDeleted": 9/);
  assert.deepEqual(frames[0], { type: 'connection_init', payload: { Authorization: credentials } });

  const workers = page.workers().map(worker => worker.url());
  assert.ok(workers.length > 0 && workers.every(url => url.startsWith(`${origin}/assets/`)), workers.join(' '));
  return credentials;
}

/** Somebody comes who has no token, and then one that is not good. */
async function askWithout(page) {
  operations.length = sockets.length = 0;
  await page.goto(address);
  await page.locator('.graphiql-query-editor .view-line').first().waitFor();
  assert.equal(await text(page, HEADERS), '{ "Authorization": "Bearer " }');
  await page.getByRole('button', { name: 'Show Documentation Explorer' }).click();
  await page.getByText('No GraphQL schema available').waitFor();
  assert.equal(operations.length, 0, 'the schema is not asked for where nobody would be told');

  await execute(page);
  await answered(page, /needs an access token: .* On this page the token goes into the tab Headers/);
  await excuse(1);

  // A socket is refused at once, and not tried again: the client's first pause would be four seconds at most.
  await open(page, FOLLOW);
  await execute(page);
  await answered(page, /Forbidden: .* On this page the token goes into the tab Headers/, 3_000);
  await page.getByRole('button', { name: /Execute query/ }).waitFor();
  await page.waitForTimeout(4_500);
  assert.equal(sockets.length, 1);

  await replace(page, HEADERS, '{ "Authorization": "Bearer wrong" }');
  await page.getByText('Error fetching schema').waitFor();
  await excuse(1);
  await execute(page);
  await answered(page, /"message": "Forbidden: the access token is unknown, revoked or expired."/, 3_000);
  assert.equal(sockets.length, 2);
}

/** The same, with a good one. */
async function askWith(page, credentials) {
  await replace(page, HEADERS, `{ "Authorization": "${credentials}" }`);
  await execute(page);
  await answered(page, /"cleanupRun": null|errors/);

  // The schema is there, and nobody has asked for it.
  await page.getByText('Root Types').waitFor();
  await open(page, 'query Suggested { sessionSt');
  await page.locator('.suggest-widget').getByText('sessionStats').first().waitFor();
  await page.keyboard.press('Escape');

  // A subscription that is refused is an answer like any other.
  await open(page, 'subscription Refused { cleanupRunn(id: 1) { id } }');
  await execute(page);
  await answered(page, /"errors": .*cleanupRunn/);

  // What is half typed in another tab is not taken for a token.
  await open(page, 'query Counted { sessionStats { total } }');
  for (const half of ['{ "Authorization": "Bearer " }', '{ "Authorization": "Bea" }', '{}', '']) {
    await replace(page, HEADERS, half);
    await execute(page);
    await answered(page, '"total": 5');
    assert.equal(operations.at(-1).headers().authorization, credentials, half);
  }

  // Where it was given, emptying the headers takes it back, for all tabs.
  await turnTo(page, 'Follow');
  await replace(page, HEADERS, '');
  await page.waitForTimeout(MOMENT);
  await turnTo(page, 'Counted');
  await execute(page);
  await answered(page, 'needs an access token');
  assert.equal(operations.at(-1).headers().authorization, undefined);
  await excuse(1);
}

/** Takes out what the browser itself says of so many answers 401 that were provoked. */
async function excuse(count) {
  const own = line => /^error: Failed to load resource: .* 401 |^401: .*\/graphql$/.test(line);
  for (const end = Date.now() + 5_000; Date.now() < end && wrong.filter(own).length < 2 * count; ) {
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  assert.equal(wrong.filter(own).length, 2 * count, wrong.join('\n'));
  wrong.splice(0, wrong.length, ...wrong.filter(line => !own(line)));
}

/** Types an operation into a new tab, and waits until GraphiQL knows its name: what is run before is the last one's. */
async function open(page, operation) {
  await page.getByRole('button', { name: 'New tab' }).click();
  await type(page, '.graphiql-query-editor', operation);
  const [, , name] = operation.match(/^(\w+) (\w+)/);
  await page.locator('.graphiql-tab-active').getByText(name).waitFor();
}

async function type(page, editor, text) {
  await page.locator(`${editor} .view-lines`).first().click();
  await page.keyboard.type(text);
}

/** Turns to a tab that was opened before. */
async function turnTo(page, tab) {
  await page.locator('.graphiql-tab-button', { hasText: tab }).click();
  await page.waitForTimeout(MOMENT);
}

/** Types in place of what is there. */
async function replace(page, editor, text) {
  await page.locator(`${editor} .view-lines`).first().click();
  await page.keyboard.press('Control+A');
  await page.keyboard.press('Delete');
  await page.keyboard.type(text);
}

async function text(page, editor) {
  const lines = await page.locator(`${editor} .view-lines`).first().innerText();
  return lines.replaceAll(/\s+/g, ' ');
}

async function execute(page) {
  await page.getByRole('button', { name: /Execute query/ }).click();
}

/** Waits until the answer that is shown has this in it. */
async function answered(page, wanted, patience = 20_000) {
  const lines = page.locator('.graphiql-response .view-lines');
  let text = '';
  for (const end = Date.now() + patience; Date.now() < end; await page.waitForTimeout(100)) {
    text = (await lines.allInnerTexts()).join('').replaceAll(/\s+/g, ' ');
    const found = text.match(wanted);
    if (found) return found;
  }
  throw new Error(`no ${wanted} in the answer: ${text}\n${wrong.join('\n')}`);
}
