import { createGraphiQLFetcher, type Fetcher } from '@graphiql/toolkit';
import { getOperationAST } from 'graphql';

import { credentials, isAuthorization, WHERE } from './credentials';
import { type Answer, follow } from './subscription';

const send = createGraphiQLFetcher({
  url: '/graphql',
  enableIncrementalDelivery: false,
  // A document that is refused is answered 200 then: another status would be an error in the browser's console, too. The
  // name is written as the library writes it, or both would be sent.
  headers: { accept: 'application/json' },
});

/** Sends the operations of all tabs, each with the page's token, and tells which token was good. */
export function fetcherThat(worked: (authorization: string) => void): Fetcher {
  return async (request, options) => {
    const given: Record<string, unknown> = options?.headers ?? {};
    const headers = Object.fromEntries(Object.entries(given).filter(([name]) => !isAuthorization(name)));
    const authorization = credentials(given);
    // In a socket's payload the name's case counts.
    if (authorization) headers['Authorization'] = authorization;
    const good = () => authorization && worked(authorization);

    const operation = options?.documentAST && getOperationAST(options.documentAST, request.operationName);
    if (operation?.operation === 'subscription') return follow(request, headers, good);
    const answer = (await send(request, { ...options, headers })) as Answer;
    if (answer.data) good();
    // GraphiQL would take an answer without data for that of an older server, and ask for less.
    const lacking = request.operationName === 'IntrospectionQuery' && { data: null };
    return { ...lacking, ...(authorization ? answer : hinted(answer)) } as Awaited<ReturnType<Fetcher>>;
  };
}

/** Whether every request has to show a token: the page's answer says so then, as one that is refused would. */
export async function isTokenNeeded(): Promise<boolean> {
  const page = await fetch('/', { method: 'HEAD', cache: 'no-store' }).catch(() => undefined);
  return page?.headers.has('www-authenticate') ?? false;
}

function hinted(answer: Answer): Answer {
  const errors = answer.errors?.map(error =>
    error.extensions?.code === 'UNAUTHENTICATED' ? { ...error, message: `${error.message} ${WHERE}` } : error,
  );
  return errors ? { ...answer, errors } : answer;
}
