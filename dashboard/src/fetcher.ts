import { createGraphiQLFetcher, type Fetcher } from '@graphiql/toolkit';

const send = createGraphiQLFetcher({
  url: '/graphql',
  // Each subscription opens a socket, which gets the headers in its connection_init.
  subscriptionUrl: new URL('/graphql/ws', location.href.replace(/^http/, 'ws')).href,
  enableIncrementalDelivery: false,
  // A document that is refused is answered 200 then: another status would be an error in the browser's console, too. The
  // name is written as the library writes it, or both would be sent.
  headers: { accept: 'application/json' },
});

/** The token that was given last; every tab has headers of its own, and none but the first would have it. */
let authorization: string | undefined;

/** Sends a tab's operation, with the token that it gives, or else the one that another tab gave on this page. */
export const fetcher: Fetcher = (operation, options) => {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries<unknown>(options?.headers ?? {})) {
    if (name.toLowerCase() === 'authorization') authorization = String(value);
    else headers[name] = String(value);
  }
  // In a socket's payload the name's case counts.
  if (authorization) headers['Authorization'] = authorization;
  return send(operation, { ...options, headers });
};
