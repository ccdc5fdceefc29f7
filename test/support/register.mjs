// Mocha loads test files with require() where Node can require ES modules. tsx would then compile the statically imported
// files a second time as CommonJS, apart from those that the engine imports dynamically: two copies of every class.
Object.defineProperty(process.features, 'require_module', { value: false });
await import('tsx');
