import 'graphiql/setup-workers/vite';
import 'graphiql/style.css';
import './style.css';

import { createRoot } from 'react-dom/client';

import { isTokenNeeded } from './fetcher';
import { Page } from './page';

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no #root');
createRoot(root).render(<Page isTokenNeeded={await isTokenNeeded()} />);
