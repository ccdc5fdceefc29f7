// Only what the formatter's linter cannot see: rules that need types, and the direction of imports between floors.
import tseslint from 'typescript-eslint';

/** The floors, from the ground up: a file imports from its own floor or from below, never from above. */
const floors = ['base', 'transport', 'module', 'language', 'inventory', 'run', 'report', 'cli'];

const floorRules = floors.map((floor, level) => {
  // Reporters are reducers over events: they know the ground floor and nothing else.
  const forbidden = floor === 'report' ? floors.filter((f) => f !== 'base' && f !== 'report') : floors.slice(level + 1);
  const above =
    forbidden.length > 0
      ? [
          {
            regex: `^(\\.\\./)+(${forbidden.join('|')})/`,
            message: `${floor} is below that floor (docs/architecture.md)`,
          },
        ]
      : [];
  const api = { regex: '^(\\.\\./)+index\\.ts$', message: 'engine/index.ts is for modules; import the file itself' };
  return {
    files: [`engine/${floor}/**/*.ts`],
    rules: { 'no-restricted-imports': ['error', { patterns: [...above, api] }] },
  };
});

export default tseslint.config(
  { ignores: ['dist/', 'coverage/', 'node_modules/', 'test/fixtures/'] },
  {
    files: ['engine/**/*.ts', 'modules/**/*.ts', 'test/**/*.ts', 'bench/**/*.ts'],
    extends: [tseslint.configs.base],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
    },
  },
  {
    files: ['engine/**/*.ts', 'modules/**/*.ts'],
    ignores: ['engine/report/**', 'engine/cli/**'],
    rules: { 'no-console': 'error' },
  },
  ...floorRules,
  {
    files: ['modules/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: '^(\\.\\./)+engine/(?!index\\.ts$)',
              message: 'modules import from engine/index.ts alone, as a user’s modules do',
            },
          ],
        },
      ],
    },
  },
);
