// promptfoo: one prompt over the tests of the scenario, its own OpenAI provider; repeats and calls in flight are options.
const tests = Array.from({ length: Number(process.env.BENCH_TESTS) }, (_, number) => ({ vars: { number } }));
module.exports = {
  prompts: ['{{number}}: can I return this?'],
  providers: [
    {
      id: 'openai:chat:gpt-4o-mini',
      config: { apiBaseUrl: process.env.BENCH_BASE_URL, apiKey: 'k' },
    },
  ],
  defaultTest: { assert: [{ type: 'javascript', value: 'output.length > 0' }] },
  tests,
};
