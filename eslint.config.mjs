import js from '@eslint/js';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

const TYPESCRIPT = [
  'src/**/*.ts',
  'migrations/**/*.ts',
  'test/**/*.ts',
  'bench/**/*.ts',
  'scripts/**/*.ts',
  '*.config.ts',
];
const TESTS = ['test/**/*.ts', 'src/**/*.spec.ts'];
const SCRIPTS = ['**/*.mjs', '**/*.cjs', '**/*.js'];
const CLOCK = 'src/shared/clock.ts';
const PROCESS_ENTRIES = ['src/main.ts', 'src/server.ts', 'src/migrate.ts', 'src/admin-cli.ts'];

const FUNCTION_LINES_MAX = 70;
const FILE_LINES_MAX = 300;
const NESTING_MAX = 3;
const PARAMETERS_MAX = 4;

/** `no-restricted-syntax` is replaced, not merged, by a later block: each block below names all the bans it wants. */
const ban = (message, ...selectors) => selectors.map((selector) => ({ selector, message }));

const textMatching = (pattern) => [
  `Literal[value=/${pattern}/i]`,
  `TemplateElement[value.cooked=/${pattern}/i]`,
];

const EVERYWHERE = [
  ...ban(
    'An empty catch hides a failure: handle it, log it or rethrow it.',
    'CatchClause > BlockStatement[body.length=0]',
  ),
  ...ban(
    'An empty .catch() hides a failure: handle it, log it or let it reject.',
    'CallExpression[callee.property.name="catch"] > ArrowFunctionExpression.arguments > BlockStatement[body.length=0]',
    'CallExpression[callee.property.name="catch"] > FunctionExpression.arguments > BlockStatement[body.length=0]',
  ),
  ...ban('No barrel files: import from the file that declares it.', 'ExportAllDeclaration'),
];

const IN_TESTS = [
  ...EVERYWHERE,
  ...ban(
    'Every test runs: fix it or delete it, and give a planned one an issue instead.',
    'MemberExpression[property.name=/^(only|skip|todo)$/]:has(Identifier[name=/^(it|test|describe|suite|bench)$/])',
    'CallExpression[callee.name=/^(xit|xtest|xdescribe|fit|fdescribe)$/]',
  ),
];

const NO_DEFAULT_EXPORT = ban(
  'No default export: the name must be the same at every import.',
  'ExportDefaultDeclaration',
  'ExportSpecifier[exported.name="default"]',
);

const LONG_PARAMETER_LISTS = ban(
  `At most ${PARAMETERS_MAX} parameters: make them one object (constructors of injected classes are excepted).`,
  `FunctionDeclaration[params.length>${PARAMETERS_MAX}]`,
  `ArrowFunctionExpression[params.length>${PARAMETERS_MAX}]`,
  `:not(MethodDefinition[kind="constructor"]) > FunctionExpression[params.length>${PARAMETERS_MAX}]`,
  `:matches(ClassDeclaration, ClassExpression)[decorators.length=0] > ClassBody > MethodDefinition[kind="constructor"] > FunctionExpression[params.length>${PARAMETERS_MAX}]`,
);

const BLIND_WRITES = [
  ...ban(
    'orIgnore() is INSERT IGNORE: bad data is swallowed. Insert plainly and catch errno 1062.',
    'CallExpression[callee.property.name="orIgnore"]',
  ),
  ...ban(
    'INSERT IGNORE swallows bad data, and REPLACE INTO deletes rows. Insert plainly and catch errno 1062.',
    ...textMatching('INSERT\\s+(LOW_PRIORITY\\s+|HIGH_PRIORITY\\s+)?IGNORE\\b'),
    ...textMatching('\\bREPLACE\\s+INTO\\b'),
  ),
  ...ban(
    'The audit log is append-only: a correction is another row.',
    ...textMatching('(UPDATE|DELETE\\s+FROM|TRUNCATE(\\s+TABLE)?|DROP\\s+TABLE)\\s+`?audit_logs\\b'),
  ),
  ...ban(
    'synchronize drops columns: the schema changes only by a migration.',
    'Property[key.name="synchronize"][value.value=true]',
    'Property[key.value="synchronize"][value.value=true]',
  ),
];

const NEST_AND_TYPEORM = [
  ...ban(
    'save() writes every column back, also those another writer changed. Use a conditional UPDATE that names its columns.',
    'CallExpression[callee.property.name="save"]',
  ),
  ...ban(
    'ON DUPLICATE KEY does not tell whether the row was new. Insert plainly and catch errno 1062.',
    ...textMatching('ON\\s+DUPLICATE\\s+KEY'),
    'CallExpression[callee.property.name=/^(orUpdate|upsert)$/]',
  ),
  ...ban(
    'forwardRef marks a cycle: move the shared part down a layer.',
    'CallExpression[callee.name="forwardRef"]',
    'ImportSpecifier[imported.name="forwardRef"]',
  ),
  ...ban(
    'No floating point on money: use Money, or integers of a named unit.',
    'Identifier[name="parseFloat"]',
    'MemberExpression[property.name="toFixed"]',
  ),
];

const WALL_CLOCK = ban(
  'Time comes from the injected Clock, so that tests and replays can set it.',
  'NewExpression[callee.name="Date"][arguments.length=0]',
  'CallExpression[callee.name="Date"]',
  'MemberExpression[object.name="Date"][property.name="now"]',
);

const HTTP_EXCEPTION =
  '^(Http|BadRequest|Unauthorized|Forbidden|NotFound|Conflict|Gone|PayloadTooLarge|UnsupportedMediaType|UnprocessableEntity|InternalServerError|NotImplemented|BadGateway|ServiceUnavailable|GatewayTimeout)Exception$';
const HTTP_IN_THE_CORE = ban(
  'Only the HTTP edge knows status codes: throw a DomainError, the filter maps it.',
  `NewExpression[callee.name=/${HTTP_EXCEPTION}/]`,
);

const IN_SRC = [
  ...EVERYWHERE,
  ...NO_DEFAULT_EXPORT,
  ...LONG_PARAMETER_LISTS,
  ...BLIND_WRITES,
  ...NEST_AND_TYPEORM,
  ...WALL_CLOCK,
];

const sizes = {
  'max-lines': ['error', FILE_LINES_MAX],
  'max-lines-per-function': ['error', { max: FUNCTION_LINES_MAX, IIFEs: true }],
  'max-depth': ['error', NESTING_MAX],
};

const NODE_GLOBALS = [
  ...[
    'process',
    'console',
    'Buffer',
    'URL',
    'URLSearchParams',
    'performance',
    'structuredClone',
    'queueMicrotask',
  ],
  ...[
    'setTimeout',
    'clearTimeout',
    'setInterval',
    'clearInterval',
    'setImmediate',
    'fetch',
    'Response',
    'Headers',
  ],
  ...['AbortController', 'AbortSignal', 'TextEncoder', 'TextDecoder', 'WebSocket'],
];
const asGlobals = (names) => Object.fromEntries(names.map((name) => [name, 'readonly']));

export default defineConfig(
  { ignores: ['node_modules/', 'dist/', '.data/', 'coverage/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  { rules: { eqeqeq: 'error', 'no-empty': ['error', { allowEmptyCatch: true }], 'prefer-const': 'error' } },
  {
    files: TYPESCRIPT,
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: {
      parserOptions: { project: './tsconfig.check.json', tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      ...sizes,
      'no-restricted-syntax': ['error', ...EVERYWHERE, ...LONG_PARAMETER_LISTS],
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      // The frameworks' interfaces ask for promises that an implementation need not await.
      '@typescript-eslint/require-await': 'off',
    },
  },
  {
    files: ['src/**/*.ts'],
    rules: { 'no-restricted-syntax': ['error', ...IN_SRC], 'no-console': 'error' },
  },
  {
    files: ['src/**/*.{service,repository,state,job,handler}.ts', 'src/shared/**/*.ts'],
    rules: { 'no-restricted-syntax': ['error', ...IN_SRC, ...HTTP_IN_THE_CORE] },
  },
  {
    files: [CLOCK],
    rules: { 'no-restricted-syntax': ['error', ...IN_SRC.filter((entry) => !WALL_CLOCK.includes(entry))] },
  },
  { files: PROCESS_ENTRIES, rules: { 'no-console': 'off' } },
  {
    files: ['migrations/**/*.ts'],
    rules: {
      'no-restricted-syntax': ['error', ...EVERYWHERE, ...NO_DEFAULT_EXPORT, ...BLIND_WRITES],
      // A migration is as long as its table.
      'max-lines-per-function': 'off',
    },
  },
  {
    files: TESTS,
    rules: {
      'no-restricted-syntax': ['error', ...IN_TESTS],
      'max-lines-per-function': 'off',
      'no-console': 'off',
      // Bodies of HTTP answers and rows of plain SQL have no type of their own: the assertions are the check.
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  {
    files: SCRIPTS,
    languageOptions: { globals: asGlobals(NODE_GLOBALS) },
    rules: { ...sizes, 'no-restricted-syntax': ['error', ...EVERYWHERE, ...LONG_PARAMETER_LISTS] },
  },
  {
    files: ['**/*.cjs'],
    languageOptions: { sourceType: 'commonjs', globals: asGlobals(['module', 'require', '__dirname']) },
  },
);
