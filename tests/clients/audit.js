// Holds a server against GraphQL over HTTP, with the audits of graphql-http. Usage: node audit.js URL
import { auditServer } from 'graphql-http';

const results = await auditServer({ url: process.argv[2] });
for (const { id, name, reason } of results.filter(({ status }) => status !== 'ok')) {
  console.log(`${id} ${name}: ${reason}`);
}
const counted = (level) => results.filter(({ name }) => name.startsWith(level));
for (const level of ['MUST', 'SHOULD', 'MAY']) {
  const ok = counted(level).filter(({ status }) => status === 'ok');
  console.log(`${level}: ${ok.length} of ${counted(level).length}`);
}
process.exitCode = results.some(({ name, status }) => status !== 'ok' && !name.startsWith('MAY')) ? 1 : 0;
