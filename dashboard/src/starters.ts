// The tabs that a browser shows that has not been here before. They are files of their own so that a test can send each to
// the server, with its variables.
import cleanUpDryRun from '../starters/CleanUpDryRun.graphql?raw';
import cleanupRuns from '../starters/CleanupRuns.graphql?raw';
import deletionDryRun from '../starters/DeletionDryRun.graphql?raw';
import deletionDryRunVariables from '../starters/DeletionDryRun.json?raw';
import deletions from '../starters/Deletions.graphql?raw';
import staleSessions from '../starters/StaleSessions.graphql?raw';
import watchRun from '../starters/WatchRun.graphql?raw';
import watchRunVariables from '../starters/WatchRun.json?raw';

export const starters = [
  { query: staleSessions },
  { query: deletionDryRun, variables: deletionDryRunVariables },
  { query: cleanUpDryRun },
  { query: deletions },
  { query: cleanupRuns },
  { query: watchRun, variables: watchRunVariables },
];
