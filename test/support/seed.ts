import fc from 'fast-check';

/** Generated tests see the same data on every run, so that none fails by chance. `FUZZ_SEED=N npm test` looks at other data. */
fc.configureGlobal({ seed: Number(process.env.FUZZ_SEED ?? 20261121) });
