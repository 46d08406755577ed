// The part of the WebAssembly API that the backend uses: Node has it, but its types come with the DOM library only.
declare namespace WebAssembly {
  interface Module {
    readonly [Symbol.toStringTag]?: string;
  }
  interface Instance {
    readonly exports: Record<string, unknown>;
  }
  interface Memory {
    readonly buffer: ArrayBufferLike;
    grow(deltaPages: number): number;
  }
  const Module: new (bytes: Uint8Array<ArrayBuffer>) => Module;
  const Instance: new (module: Module, imports: Record<string, Record<string, unknown>>) => Instance;
  const Memory: new (descriptor: { initial: number; maximum: number; shared: boolean }) => Memory;
  function validate(bytes: Uint8Array<ArrayBuffer>): boolean;
}
