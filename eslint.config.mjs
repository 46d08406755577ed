// Few rules, all errors: what the compiler can't see. Layers are fenced in test/layers.test.ts as well.
import tseslint from 'typescript-eslint';

const typed = {
  '@typescript-eslint/no-floating-promises': 'error',
  '@typescript-eslint/no-misused-promises': 'error',
  '@typescript-eslint/await-thenable': 'error',
  '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
  '@typescript-eslint/only-throw-error': 'error',
  '@typescript-eslint/prefer-promise-reject-errors': 'error',
  '@typescript-eslint/no-explicit-any': 'error',
  '@typescript-eslint/no-unsafe-argument': 'error',
  '@typescript-eslint/no-unsafe-assignment': 'error',
  '@typescript-eslint/no-unsafe-call': 'error',
  '@typescript-eslint/no-unsafe-member-access': 'error',
  '@typescript-eslint/no-unsafe-return': 'error',
  '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
  '@typescript-eslint/consistent-type-imports': 'error',
  'no-empty': ['error', { allowEmptyCatch: false }],
  'prefer-const': 'error',
  eqeqeq: 'error',
};

export default tseslint.config(
  // As .gitignore: what the scripts leave, `npm start` too; and AssemblyScript, which is no TypeScript.
  { ignores: ['dist/', 'workspace/', 'scripts/codeServer/state/', 'test-results/', '**/.kafscope/'] },
  { ignores: ['server/tensor/wasm/assembly/'] },
  {
    files: ['server/**/*.ts', 'extension/**/*.ts', 'webview/**/*.ts', 'test/**/*.ts'],
    plugins: { '@typescript-eslint': tseslint.plugin },
    languageOptions: {
      parser: tseslint.parser,
      parserOptions: {
        project: [
          './server/protocol/tsconfig.json',
          './server/tsconfig.json',
          './extension/tsconfig.json',
          './webview/tsconfig.json',
          './test/tsconfig.json',
        ],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: typed,
  },
  {
    // Who reads waits for the device: one module does.
    files: ['trainer', 'certificate', 'detector', 'attack', 'probe', 'model', 'tensor/ops', 'tensor/compositions'].map(
      (folder) => `server/${folder}/**/*.ts`,
    ),
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector:
            'CallExpression[arguments.length=0][callee.property.name=/^(dataSync|arraySync|bufferSync|data|array|buffer|bytes)$/]',
          message: 'Reading a tensor waits for the device: server/tensor/read.ts does, or begins to.',
        },
      ],
    },
  },
  {
    files: ['extension/**/*.ts', 'webview/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: '/server/(?!protocol/|formula/|network/|health/)',
              message: 'Of the server, only its protocol, formulas, networks and health.',
            },
          ],
        },
      ],
    },
  },
);
