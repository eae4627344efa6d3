import type { FetcherParams, Observable } from '@graphiql/toolkit';
import { CloseCode, createClient } from 'graphql-ws';

import { WHERE } from './credentials';

/** What the server answers, over HTTP or a socket. */
export interface Answer {
  data?: unknown;
  errors?: readonly { message: string; extensions?: Record<string, unknown> | undefined }[];
}

interface Sink {
  next(answer: Answer): void;
  complete(): void;
}

const url = new URL('/graphql/ws', location.href.replace(/^http/, 'ws')).href;

/** Follows a subscription over a socket of its own, which shows these headers. Why it ends is an answer, as over HTTP. */
export function follow(
  operation: FetcherParams,
  headers: Record<string, unknown>,
  begun: () => void,
): Observable<never> {
  const subscribe = (sink: Sink) => {
    const client = createClient({
      url,
      connectionParams: headers,
      // The same token would be refused again. (After 4401 the library does not try again by itself.)
      shouldRetry: end => isClose(end) && end.code !== CloseCode.Forbidden,
      on: { connected: begun },
    });
    let stopped = false;
    const end = client.subscribe(
      operation,
      {
        next: answer => sink.next(answer as Answer),
        error: why => {
          if (stopped) return;
          sink.next({ errors: errorsOf(why, 'Authorization' in headers) });
          sink.complete();
        },
        // By then another operation may be under way.
        complete: () => stopped || sink.complete(),
      },
    );
    return {
      unsubscribe() {
        stopped = true;
        end();
      },
    };
  };
  // It is GraphiQL that subscribes, with a sink and never with functions.
  return { subscribe } as unknown as Observable<never>;
}

function errorsOf(why: unknown, showsToken: boolean): NonNullable<Answer['errors']> {
  if (Array.isArray(why)) return why as NonNullable<Answer['errors']>;
  if (!isClose(why) || why.reason === '') return [{ message: 'The connection to the server was lost.' }];
  const isHinted = why.code === CloseCode.Forbidden && !showsToken;
  return [{ message: isHinted ? `${why.reason} ${WHERE}` : why.reason }];
}

function isClose(end: unknown): end is { code: number; reason: string } {
  return typeof end === 'object' && end !== null && 'code' in end && 'reason' in end;
}
