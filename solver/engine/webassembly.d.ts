// The part of the WebAssembly JavaScript interface that engine.ts uses. TypeScript ships it only
// with the DOM's types, which this project leaves out.

declare namespace WebAssembly {
  interface Memory {
    readonly buffer: ArrayBuffer;
  }
  interface ExportDescriptor {
    readonly name: string;
  }
  class Module {
    constructor(bytes: Uint8Array);
    static imports(module: Module): readonly ExportDescriptor[];
    static exports(module: Module): readonly ExportDescriptor[];
  }
  class Instance {
    constructor(module: Module);
    readonly exports: Readonly<Record<string, unknown>>;
  }
  class RuntimeError extends Error {}
}
