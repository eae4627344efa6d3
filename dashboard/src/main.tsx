import 'graphiql/setup-workers/vite';
import 'graphiql/style.css';
import './style.css';

import { GraphiQL } from 'graphiql';
import { createRoot } from 'react-dom/client';

import { fetcher } from './fetcher';
import { starters } from './starters';

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no #root');
createRoot(root).render(
  <GraphiQL fetcher={fetcher} defaultTabs={starters} defaultEditorToolsVisibility="headers">
    <GraphiQL.Logo>Session Admin</GraphiQL.Logo>
  </GraphiQL>,
);
