/**
 * Who may import whom. One layer may import the layers above its line, never its own neighbours and never a later one;
 * so a payment can be read from the HTTP edge down to the SQL without a way back up.
 */
const LAYERS = [
  ['shared'],
  ['platform'],
  ['wechatpay', 'cloud-function', 'prices', 'users', 'generations', 'products', 'greeting-cards'],
  ['payments'],
  ['refunds'],
  ['internal-notifications', 'reconciliation', 'notices', 'reports'],
  ['admin'],
];

/** Files directly in src: the process entries and the one list of modules. */
const TOP_FILES = '^src/(main|server|migrate|admin-cli|app\\.module)\\.ts$';
const ENTRY_FILES = '^src/(main|server|migrate|admin-cli)\\.ts$';
const SPEC = '\\.spec\\.ts$';
const TYPEORM = '(^|/)node_modules/(typeorm|@nestjs/typeorm)/';
const FEATURES = LAYERS.slice(2).flat().join('|');
const KNOWN_FOLDERS = LAYERS.flat().join('|');

/** The platform folders that speak SQL themselves; everywhere else TypeORM stays behind repositories. */
const PLATFORM_SPEAKING_SQL = 'database|inbox|outbox|jobs|logging|exceptions|audit';

/** For each layer: nothing from a later layer, and nothing from a neighbour in the same one. */
const layerRules = LAYERS.flatMap((folders, rank) => {
  const later = LAYERS.slice(rank + 1).flat();
  return folders.map((folder) => {
    const forbidden = [...folders.filter((name) => name !== folder), ...later];
    const folderPattern = forbidden.length > 0 ? `^src/(${forbidden.join('|')})/|` : '';
    return {
      name: `layer-${folder}`,
      comment: `${folder} imports only the layers before it: see LAYERS in .dependency-cruiser.cjs. Move the shared part down, or let a later layer call both.`,
      severity: 'error',
      from: { path: `^src/${folder}/` },
      to: { path: `${folderPattern}${TOP_FILES}` },
    };
  });
});

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...layerRules,
    {
      name: 'known-folder-importing',
      comment: 'A folder of src that is not in LAYERS has no place in the order: give it one there.',
      severity: 'error',
      from: { path: '^src/', pathNot: [`^src/(${KNOWN_FOLDERS})/`, TOP_FILES] },
      to: {},
    },
    {
      name: 'known-folder-imported',
      comment: 'A folder of src that is not in LAYERS has no place in the order: give it one there.',
      severity: 'error',
      from: {},
      to: { path: '^src/', pathNot: [`^src/(${KNOWN_FOLDERS})/`, TOP_FILES] },
    },
    {
      name: 'entries-are-not-imported',
      comment: 'These are processes: only the command line starts them, and main.ts what is behind it.',
      severity: 'error',
      from: { pathNot: '^src/main\\.ts$' },
      to: { path: ENTRY_FILES },
    },
    {
      name: 'feature-door',
      comment:
        'From another feature import only *.service.ts, *.module.ts or *.types.ts: never an entity or a repository.',
      severity: 'error',
      from: { path: `^src/(${FEATURES})/` },
      to: { path: `^src/(${FEATURES})/`, pathNot: ['^src/$1/', '\\.(service|module|types)\\.ts$'] },
    },
    {
      name: 'feature-door-from-top',
      comment:
        'app.module.ts is the list of modules, main.ts starts it and admin-cli.ts starts a *.cli.ts: none reaches into a feature.',
      severity: 'error',
      from: { path: TOP_FILES },
      to: { path: `^src/(${FEATURES})/`, pathNot: '\\.(service|module|types|cli)\\.ts$' },
    },
    {
      name: 'state-is-pure',
      comment: 'A state table imports only shared/: it must be readable, and testable, on its own.',
      severity: 'error',
      from: { path: '\\.state\\.ts$' },
      to: { pathNot: '^src/shared/' },
    },
    {
      name: 'shared-is-pure',
      comment: 'shared/ imports nothing but node:* and itself.',
      severity: 'error',
      from: { path: '^src/shared/', pathNot: SPEC },
      to: { pathNot: '^src/shared/', dependencyTypesNot: ['core'] },
    },
    {
      name: 'no-repository-at-the-edge',
      comment:
        'Controllers and jobs never touch a repository: they call a service, which owns the transaction.',
      severity: 'error',
      from: { path: '\\.(controller|job)\\.ts$' },
      to: { path: '\\.repository\\.ts$' },
    },
    {
      name: 'typeorm-in-its-places',
      comment:
        'typeorm only in *.repository.ts, *.entity.ts, *.module.ts and the platform folders that speak SQL; services take the transaction type from platform/database.',
      severity: 'error',
      from: {
        path: '^src/',
        pathNot: ['\\.(repository|entity|module)\\.ts$', `^src/platform/(${PLATFORM_SPEAKING_SQL})/`],
      },
      to: { path: TYPEORM },
    },
    {
      name: 'mysql2-in-its-place',
      comment: 'The driver is wrapped once, in platform/database.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/platform/database/' },
      to: { path: '(^|/)node_modules/mysql2/' },
    },
    {
      name: 'migrations-stand-alone',
      comment:
        'A migration imports only typeorm and the support beside it: it must mean the same in five years.',
      severity: 'error',
      from: { path: '^migrations/' },
      to: { pathNot: ['^migrations/', '(^|/)node_modules/typeorm/'] },
    },
    {
      name: 'migrations-have-one-reader',
      comment: 'Only src/platform/database/migrations.ts lists the migrations.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/platform/database/migrations\\.ts$' },
      to: { path: '^migrations/' },
    },
    {
      name: 'src-stands-alone',
      comment: 'src never imports test, scripts or bench.',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|scripts|bench)/' },
    },
    {
      name: 'no-development-package',
      comment:
        'The production image is installed without development packages: this import would fail there.',
      severity: 'error',
      from: { path: '^(src|migrations)/', pathNot: SPEC },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'no-cycle',
      comment: 'Two files that import each other crash at load under ESM, and cannot be read one at a time.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'resolvable',
      comment: 'The import names a file or package that is not there.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.check.json' },
    tsPreCompilationDeps: true, // a type-only import is a dependency of the reader, too
    detectProcessBuiltinModuleCalls: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      mainFields: ['module', 'main', 'types'],
    },
  },
};
