import { GraphiQL } from 'graphiql';
import { useMemo, useRef, useState } from 'react';

import { noteTabs, written } from './credentials';
import { fetcherThat } from './fetcher';
import { starters } from './starters';

/** For how long nobody types before a token is taken for finished, in milliseconds. */
const PAUSE = 1000;

export function Page({ isTokenNeeded }: { isTokenNeeded: boolean }) {
  // The token that the schema is read with: one that was good, or the first one.
  const [token, setToken] = useState<string>();
  // With another fetcher GraphiQL reads the schema again.
  const fetcher = useMemo(() => fetcherThat(setToken), [token]);
  const timer = useRef<number>(undefined);
  const isSchemaWaiting = isTokenNeeded && token === undefined;

  function noteHeaders(text: string) {
    clearTimeout(timer.current);
    const first = written(text);
    if (first && isSchemaWaiting) timer.current = setTimeout(() => setToken(first), PAUSE);
  }

  return (
    <GraphiQL
      fetcher={fetcher}
      // With null it is not asked for.
      {...(isSchemaWaiting && { schema: null })}
      {...(isTokenNeeded && { defaultHeaders: '{ "Authorization": "Bearer " }' })}
      defaultTabs={starters}
      defaultEditorToolsVisibility="headers"
      onTabChange={noteTabs}
      onEditHeaders={noteHeaders}
    >
      <GraphiQL.Logo>Session Admin</GraphiQL.Logo>
    </GraphiQL>
  );
}
