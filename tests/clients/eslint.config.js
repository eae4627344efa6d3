// All of graphql-eslint's rules for schemas that do not contradict the contract. No rule of its sets "recommended" and
// "relay" is left out; options are set only where they say what the contract is like.
import graphql from '@graphql-eslint/eslint-plugin';

const { rules: recommended } = graphql.configs['flat/schema-recommended'];
const { rules: relay } = graphql.configs['flat/schema-relay'];

// Values: they are looked at with what they belong to, and have no id to be found again by.
const values = [
  'CleanupPreview',
  'DeletionBlocker',
  'DeletionImpact',
  'ForeignKey',
  'GatewayState',
  'GroupReference',
  'ImpactChange',
  'PageInfo',
  'ReferenceImpact',
  'RestoreConflict',
  'SchemaFinding',
  'SchemaFix',
  'SchemaHealth',
  'SessionStats',
  'SessionStatusCount',
  'SkippedSession',
  'TableImpact',
  'UserError',
  'Viewer',
];

export default [
  {
    files: ['**/*.graphql'],
    languageOptions: {
      parser: graphql.parser,
      parserOptions: { graphQLConfig: { schema: 'schema.graphql' } },
    },
    linterOptions: { noInlineConfig: true },
    plugins: { '@graphql-eslint': graphql },
    rules: {
      ...recommended,
      ...relay,
      '@graphql-eslint/strict-id-in-types': [
        'error',
        { exceptions: { types: values, suffixes: ['Connection', 'Edge', 'Payload'] } },
      ],
      // Lists that are whole (the tables of an impact) are no connections, and a skipped session is a value.
      '@graphql-eslint/relay-edge-types': [
        'error',
        { withEdgeSuffix: true, listTypeCanWrapOnlyEdgeType: false, shouldImplementNode: false },
      ],
      // Of the set "all", those that the contract keeps: it has mutations, whose payloads hold no Query, and root fields
      // that are never null. The alphabet is for the other linter, which goes by letters' codes, as the printer does.
      '@graphql-eslint/input-name': ['error', { checkInputType: true, caseSensitiveInputType: false }],
      '@graphql-eslint/no-scalar-result-type-on-mutation': 'error',
      '@graphql-eslint/require-deprecation-date': 'error',
      '@graphql-eslint/require-nullable-fields-with-oneof': 'error',
      '@graphql-eslint/require-type-pattern-with-oneof': 'error',
    },
  },
];
