import js from '@eslint/js'

const NODE = ['Buffer', 'URL', 'clearTimeout', 'performance', 'process', 'queueMicrotask', 'setImmediate', 'setInterval', 'setTimeout']

export default [
  { ignores: ['.venv/', 'dist/'] },
  js.configs.recommended,
  {
    languageOptions: { globals: Object.fromEntries(NODE.map((name) => [name, 'readonly'])) },
    rules: {
      curly: ['error', 'multi-line'],
      eqeqeq: 'error',
      'no-var': 'error',
      'no-shadow': 'error',
      'prefer-const': 'error',
      'require-await': 'error',
    },
  },
]
