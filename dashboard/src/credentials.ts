type Headers = Record<string, unknown>;

interface Tabs {
  tabs: readonly { id: string; headers?: string | null }[];
  activeTabIndex: number;
}

/** The token that was given last, and the tab whose headers have it: none of the others would have it. */
let given: { authorization: string; tab: string | undefined } | undefined;
let tabs: Tabs = { tabs: [], activeTabIndex: 0 };

/** Notes what the tabs hold and which is shown. GraphiQL tells it before it sends anything. */
export function noteTabs(state: Tabs): void {
  tabs = state;
}

/** Takes the token out of a tab's headers: their own if it is whole, or else the one that this page was given last. */
export function credentials(headers: Headers): string | undefined {
  const shown = tabs.tabs[tabs.activeTabIndex]?.id;
  const own = authorizationIn(headers);
  if (typeof own === 'string' && isWhole(own)) given = { authorization: own.trim(), tab: shown };
  else if (given?.tab === shown ? own === undefined : isEmptied(given?.tab)) given = undefined;
  return given?.authorization;
}

/** The token in the text of the editor of headers, if it is whole. */
export function written(text: string): string | undefined {
  try {
    const own = authorizationIn(JSON.parse(text) as Headers);
    return typeof own === 'string' && isWhole(own) ? own.trim() : undefined;
  } catch {
    return undefined;
  }
}

/** For somebody who has given none: the server says how HTTP has it. */
export const WHERE =
  'On this page the token goes into the tab Headers, behind Bearer. (Where that tab is empty, load the page again.)';

export const isAuthorization = (name: string): boolean => name.toLowerCase() === 'authorization';

/** What somebody is still typing is no token yet. */
const isWhole = (value: string): boolean => /^\s*Bearer +\S+\s*$/i.test(value);

function authorizationIn(headers: Headers): unknown {
  return Object.entries(headers).find(([name]) => isAuthorization(name))?.[1];
}

/** Whether a tab that is not shown has no such header any more. One that was closed cannot be emptied. */
function isEmptied(id: string | undefined): boolean {
  const tab = tabs.tabs.find(tab => tab.id === id);
  return tab !== undefined && !/authorization/i.test(tab.headers ?? '');
}
