import type { ValidateFunction } from 'ajv';

/**
 * Validators by the key of their schema (`schemaKey`). From source there are none, and each schema is compiled when it is
 * first used; a build puts those of the built-in modules here (`precompile.js`).
 */
export const precompiled: Readonly<Record<string, ValidateFunction>> = {};
